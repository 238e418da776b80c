#include "services/notes/domain/templates.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "services/notes/data/templates.h"

namespace rapport::notes {
namespace {

template <class List, class Item>
bool Contains(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool IsGiven(const v1::NoteContent& content, const google::protobuf::FieldDescriptor& field) {
  if (field.number() == v1::NoteContent::kSymptomEventLinkFieldNumber &&
      (content.links_size() > 0 || content.no_link_found())) {
    return true;
  }
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

const v1::NoteTemplate& ShippedTemplateFor(absl::string_view protocol, v1::NotePhase phase) {
  const std::string id(names::Id(protocol, "protocols"));
  const v1::NoteTemplate* general = nullptr;
  for (const v1::NoteTemplate& each : ShippedTemplates()) {
    if (each.phase() != phase) continue;
    if (Contains(each.protocols(), id)) return each;
    if (each.protocols().empty()) general = &each;
  }
  return *general;
}

const v1::NoteTemplate* FindShippedTemplate(absl::string_view name) {
  for (const v1::NoteTemplate& each : ShippedTemplates()) {
    if (each.name() == name) return &each;
  }
  return nullptr;
}

absl::Status CheckTemplate(const v1::NoteTemplate& own) {
  std::vector<errors::FieldViolation> wrong;
  if (own.phase() == v1::NOTE_PHASE_UNSPECIFIED) {
    wrong.push_back({"note_template.phase", "is needed"});
    return errors::InvalidArgument(std::move(wrong));
  }
  const auto is_field = [](const std::string& name) {
    return v1::NoteContent::descriptor()->FindFieldByName(name) != nullptr;
  };
  for (int i = 0; i < own.required_size(); ++i) {
    if (!is_field(own.required(i))) {
      wrong.push_back(
          {absl::StrCat("note_template.required[", i, "]"), "is no field of NoteContent"});
    }
  }
  for (const std::string& needed : ShippedTemplateFor("", own.phase()).required()) {
    if (!Contains(own.required(), needed)) {
      wrong.push_back({"note_template.required",
                       absl::StrCat("needs '", needed, "', as every note of this phase does")});
    }
  }
  for (int i = 0; i < own.prompts_size(); ++i) {
    if (!is_field(own.prompts(i).field())) {
      wrong.push_back(
          {absl::StrCat("note_template.prompts[", i, "].field"), "is no field of NoteContent"});
    }
  }
  if (!wrong.empty()) return errors::InvalidArgument(std::move(wrong));
  return absl::OkStatus();
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

}  // namespace rapport::notes
