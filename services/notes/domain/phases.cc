#include "services/notes/domain/phases.h"

#include "common/time/convert.h"

namespace rapport::notes {
namespace {

constexpr absl::Duration kDefaultNoteDueAfter = absl::Hours(48);

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
