#include "services/notes/domain/summary_fields.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/time/convert.h"
#include "google/protobuf/timestamp.pb.h"

namespace rapport::notes {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

class Teller {
 public:
  Teller(const CaseFile& file, People people) : file_(file), people_(people) {}

  std::vector<ToldField> Fields(const Message& record) const {
    std::vector<ToldField> fields;
    const auto* type = record.GetDescriptor();
    const auto* reflection = record.GetReflection();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->is_repeated()) {
        std::vector<std::string> texts;
        for (int k = 0; k < reflection->FieldSize(record, field); ++k) {
          std::string text = Value(record, field, k);
          if (!text.empty()) texts.push_back(std::move(text));
        }
        if (!texts.empty()) {
          const bool lines = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ||
                             field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
          fields.push_back({LabelOf(field->name()), absl::StrJoin(texts, lines ? "\n" : ", ")});
        }
      } else if (reflection->HasField(record, field)) {
        std::string text = Value(record, field, -1);
        if (!text.empty()) fields.push_back({LabelOf(field->name()), std::move(text)});
      }
    }
    return fields;
  }

 private:
  std::string Value(const Message& record, const FieldDescriptor* field, int index) const {
    const Reflection& of = *record.GetReflection();
    const bool many = index >= 0;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string text =
            many ? of.GetRepeatedString(record, field, index) : of.GetString(record, field);
        return field->type() == FieldDescriptor::TYPE_BYTES ? "" : Text(text);
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* value =
            many ? of.GetRepeatedEnum(record, field, index) : of.GetEnum(record, field);
        return InWords(value->name(),
                       absl::StrReplaceAll(value->type()->value(0)->name(), {{"UNSPECIFIED", ""}}));
      }
      case FieldDescriptor::CPPTYPE_INT32:
        return absl::StrCat(many ? of.GetRepeatedInt32(record, field, index)
                                 : of.GetInt32(record, field));
      case FieldDescriptor::CPPTYPE_INT64:
        return absl::StrCat(many ? of.GetRepeatedInt64(record, field, index)
                                 : of.GetInt64(record, field));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return NumberText(many ? of.GetRepeatedDouble(record, field, index)
                               : of.GetDouble(record, field));
      case FieldDescriptor::CPPTYPE_BOOL:
        return (many ? of.GetRepeatedBool(record, field, index) : of.GetBool(record, field)) ? "Yes"
                                                                                             : "No";
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Told(many ? of.GetRepeatedMessage(record, field, index)
                         : of.GetMessage(record, field));
      default:
        return "";
    }
  }

  std::string Text(const std::string& text) const {
    if (!absl::StartsWith(text, "organizations/")) return text;
    const v1::Entry* entry = FindEntry(file_, text);
    if (entry != nullptr && entry->has_relationship()) return PersonText(file_, text, people_);
    for (const v1::Goal& goal : file_.goals) {
      if (goal.name() == text) return goal.text();
    }
    return "";
  }

  std::string Told(const Message& message) const {
    if (const auto* date = dynamic_cast<const google::type::Date*>(&message)) {
      return DateText(*date);
    }
    if (const auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
      return DateText(file_.DayOf(time::ToTime(*time)));
    }
    std::vector<std::string> parts;
    for (const ToldField& field : Fields(message)) {
      parts.push_back(absl::StrCat(field.label, ": ", field.text));
    }
    return absl::StrJoin(parts, "; ");
  }

  const CaseFile& file_;
  const People people_;
};

}  // namespace

std::vector<ToldField> FieldsOf(const Message& record, const CaseFile& file, People people) {
  return Teller(file, people).Fields(record);
}

const Message* ContentOf(const v1::Entry& entry) {
  const auto* field = entry.GetReflection()->GetOneofFieldDescriptor(
      entry, entry.GetDescriptor()->FindOneofByName("content"));
  return field == nullptr ? nullptr : &entry.GetReflection()->GetMessage(entry, field);
}

std::string LabelOf(absl::string_view field_name) {
  std::string label = absl::StrReplaceAll(field_name, {{"_", " "}});
  if (!label.empty()) label[0] = absl::ascii_toupper(static_cast<unsigned char>(label[0]));
  return label;
}

std::string KindInWords(v1::EntryKind kind) {
  return InWords(v1::EntryKind_Name(kind), "ENTRY_KIND_");
}

std::string PersonText(const CaseFile& file, absl::string_view relationship, People people) {
  const v1::Entry* entry = FindEntry(file, relationship);
  if (entry == nullptr || !entry->has_relationship()) return "";
  return people == People::kByName ? entry->relationship().person() : Someone(file, relationship);
}

}  // namespace rapport::notes
