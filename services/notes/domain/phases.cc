#include "services/notes/domain/phases.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/time/convert.h"
#include "services/notes/data/templates.h"

namespace rapport::notes {
namespace {

constexpr absl::Duration kDefaultNoteDueAfter = absl::Hours(48);

bool IsGiven(const v1::NoteContent& content, const google::protobuf::FieldDescriptor& field) {
  const google::protobuf::Reflection& reflection = *content.GetReflection();
  if (field.is_repeated()) return reflection.FieldSize(content, &field) > 0;
  switch (field.cpp_type()) {
    case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
      return !absl::StripAsciiWhitespace(reflection.GetString(content, &field)).empty();
    case google::protobuf::FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnumValue(content, &field) != 0;
    default:
      return reflection.HasField(content, &field);
  }
}

}  // namespace

v1::NotePhase PhaseOfSession(const scheduling::v1::CourseEvent& course, int session_number) {
  if (course.state() == scheduling::v1::COURSE_STATE_MAINTENANCE) {
    return v1::NOTE_PHASE_MAINTENANCE;
  }
  if (session_number < 1) return v1::NOTE_PHASE_MIDDLE;
  v1::NotePhase phase = v1::NOTE_PHASE_MIDDLE;
  for (const scheduling::v1::ProtocolPhase& each : course.phases()) {
    if (session_number < each.first_session()) break;
    switch (each.phase()) {
      case scheduling::v1::PHASE_INITIAL:
        phase = v1::NOTE_PHASE_INITIAL;
        break;
      case scheduling::v1::PHASE_TERMINATION:
        phase = v1::NOTE_PHASE_TERMINATION;
        break;
      case scheduling::v1::PHASE_MAINTENANCE:
        phase = v1::NOTE_PHASE_MAINTENANCE;
        break;
      default:
        phase = v1::NOTE_PHASE_MIDDLE;
    }
  }
  return phase;
}

const v1::NoteTemplate& TemplateOf(v1::NotePhase phase) {
  const std::vector<v1::NoteTemplate>& templates = ShippedTemplates();
  return *std::find_if(templates.begin(), templates.end(),
                       [phase](const v1::NoteTemplate& each) { return each.phase() == phase; });
}

std::vector<std::string> MissingEntries(const v1::NoteTemplate& required,
                                        const v1::NoteContent& content) {
  std::vector<std::string> missing;
  for (const std::string& name : required.required()) {
    if (!IsGiven(content, *v1::NoteContent::descriptor()->FindFieldByName(name))) {
      missing.push_back(absl::StrCat("content.", name));
    }
  }
  return missing;
}

bool IsHeld(scheduling::v1::AppointmentState state) {
  return state == scheduling::v1::APPOINTMENT_STATE_CHECKED_IN ||
         state == scheduling::v1::APPOINTMENT_STATE_COMPLETED;
}

absl::Time NoteDueTime(const scheduling::v1::OrganizationEvent& organization,
                       absl::Time session_end) {
  return session_end + (organization.has_note_due_after()
                            ? time::ToDuration(organization.note_due_after())
                            : kDefaultNoteDueAfter);
}

}  // namespace rapport::notes
