#include "tools/rapportctl/story/act.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "tools/rapportctl/methods.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::story {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::string TextOf(const Message& message, const FieldDescriptor* field, int index) {
  std::string text;
  google::protobuf::TextFormat::PrintFieldValueToString(message, field, index, &text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

// A field and which entry of it: "appointments[2]", "flags[kind=X]".
struct Part {
  std::string field;
  int index = -1;   // -1: none
  std::string key;  // of the entry that holds `value` in this field; empty: by index
  std::string value;
};

Part SplitPart(absl::string_view text) {
  Part part;
  const size_t open = text.find('[');
  if (open != absl::string_view::npos && absl::ConsumeSuffix(&text, "]")) {
    const absl::string_view which = text.substr(open + 1);
    if (!absl::SimpleAtoi(which, &part.index)) {
      part.index = -1;
      const std::pair<absl::string_view, absl::string_view> sides =
          absl::StrSplit(which, absl::MaxSplits('=', 1));
      part.key = std::string(sides.first);
      part.value = std::string(sides.second);
    }
    text = text.substr(0, open);
  }
  part.field = std::string(text);
  return part;
}

// The place of the first entry of `field` that `part` means; -1: there is none.
absl::StatusOr<int> PlaceOf(const Message& message, const FieldDescriptor* field,
                            const Part& part) {
  const google::protobuf::Reflection& fields = *message.GetReflection();
  const int size = fields.FieldSize(message, field);
  if (part.key.empty() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return part.index < size ? part.index : -1;
  }
  for (int i = 0; i < size; ++i) {
    ASSIGN_OR_RETURN(const std::string value,
                     FieldText(fields.GetRepeatedMessage(message, field, i), part.key));
    if (value == part.value) return i;
  }
  return -1;
}

absl::StatusOr<std::string> Resolve(const Stage& stage, absl::string_view reference) {
  if (reference == "organization") return stage.organization;
  if (reference == "course") return stage.course;
  if (reference == "case") return stage.case_file;
  if (absl::ConsumePrefix(&reference, "id ")) {
    ASSIGN_OR_RETURN(const std::string name, Resolve(stage, reference));
    return std::string(names::Last(name));
  }
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(reference, absl::MaxSplits('.', 1));
  const auto kept = stage.kept.find(std::string(parts.first));
  if (kept == stage.kept.end()) {
    return errors::InvalidArgument("acts", absl::StrCat("nothing is kept as ", parts.first));
  }
  return FieldText(*kept->second, parts.second);
}

// `text` with what stands in `${…}` replaced.
absl::StatusOr<std::string> Filled(const Stage& stage, absl::string_view text) {
  std::string filled;
  while (true) {
    const size_t begin = text.find("${");
    absl::StrAppend(&filled, text.substr(0, begin));
    if (begin == absl::string_view::npos) return filled;
    const size_t end = text.find('}', begin);
    if (end == absl::string_view::npos) {
      return errors::InvalidArgument("acts", "a ${ without its }");
    }
    ASSIGN_OR_RETURN(const std::string value,
                     Resolve(stage, text.substr(begin + 2, end - begin - 2)));
    absl::StrAppend(&filled, value);
    text.remove_prefix(end + 1);
  }
}

ctl::Identity WhoOf(const Stage& stage, const std::string& by) {
  const auto as = [&](absl::string_view role) {
    return ctl::Identity{
        absl::StrCat(by, "@", stage.organization_id), stage.organization_id, {std::string(role)}};
  };
  if (by == "desk") return as("scheduler");
  if (by == "manager") return as("clinic_manager");
  if (by == "administrator") return stage.Administrator();
  if (by == "app") return stage.PatientApp();
  if (by == "guardian") return as("guardian_proxy");
  if (by == "officer") return as("privacy_officer");
  if (absl::string_view patient = by; absl::ConsumePrefix(&patient, "patient ")) {
    return {std::string(patient), stage.organization_id, {"patient_proxy"}};
  }
  return stage.Clinician(by);
}

absl::Status Parse(const std::string& text, Message& request) {
  if (google::protobuf::TextFormat::ParseFromString(text, &request)) return absl::OkStatus();
  return errors::InvalidArgument(
      "acts", absl::StrCat("no text format of ", request.GetDescriptor()->full_name()));
}

absl::StatusOr<std::unique_ptr<Message>> Call(Stage& stage, const Act& act) {
  const MethodDescriptor* method = ctl::FindUnaryMethod(act.method());
  const std::unique_ptr<Message> request = NewMessage(method->input_type());
  ASSIGN_OR_RETURN(const std::string text, Filled(stage, act.request()));
  RETURN_IF_ERROR(Parse(text, *request));
  if (const FieldDescriptor* id = method->input_type()->FindFieldByName("request_id")) {
    request->GetReflection()->SetString(request.get(), id, stage.request_id);
  }
  std::unique_ptr<Message> response = NewMessage(method->output_type());
  RETURN_IF_ERROR(stage.caller.Call(WhoOf(stage, act.by()), act.method(), *request, *response));
  return response;
}

// What of the answer is not as told; empty: nothing.
absl::StatusOr<std::string> Difference(const Stage& stage, const Act& act, const Message& answer) {
  for (const Fact& fact : act.expect()) {
    ASSIGN_OR_RETURN(const std::string path, Filled(stage, fact.path()));
    ASSIGN_OR_RETURN(const std::string is, FieldText(answer, path));
    ASSIGN_OR_RETURN(const std::string must, Filled(stage, fact.is()));
    if (is != must) return absl::StrCat(path, " is '", is, "', not '", must, "'");
  }
  return std::string();
}

}  // namespace

absl::StatusOr<std::string> FieldText(const Message& message, absl::string_view path) {
  const Message* at = &message;
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '.');
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part part = SplitPart(parts[i]);
    const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(part.field);
    if (field == nullptr) {
      return errors::InvalidArgument(
          "acts", absl::StrCat(at->GetDescriptor()->name(), " has no field ", part.field));
    }
    const google::protobuf::Reflection& fields = *at->GetReflection();
    const bool last = i + 1 == parts.size();
    if (field->is_repeated()) {
      const int size = fields.FieldSize(*at, field);
      if (!last && parts[i + 1] == "size") return absl::StrCat(size);
      ASSIGN_OR_RETURN(const int index, PlaceOf(*at, field, part));
      if (index < 0) return std::string();
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !last) {
        at = &fields.GetRepeatedMessage(*at, field, index);
        continue;
      }
      return TextOf(*at, field, index);
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!fields.HasField(*at, field)) return std::string();
      if (last) return fields.GetMessage(*at, field).ShortDebugString();
      at = &fields.GetMessage(*at, field);
      continue;
    }
    return TextOf(*at, field, -1);
  }
  return std::string();
}

absl::Status CheckAct(const Story& story, const Act& act, absl::string_view field) {
  const bool role = act.by() == "desk" || act.by() == "manager" || act.by() == "administrator" ||
                    act.by() == "app" || act.by() == "guardian" || act.by() == "officer" ||
                    absl::StartsWith(act.by(), "patient ");
  if (!role && FindClinician(story, act.by()) == nullptr) {
    return errors::InvalidArgument(absl::StrCat(field, ".by"),
                                   absl::StrCat("the story has no clinician '", act.by(), "'"));
  }
  const MethodDescriptor* method = ctl::FindUnaryMethod(act.method());
  if (method == nullptr) {
    return errors::InvalidArgument(absl::StrCat(field, ".method"),
                                   "no unary method of the suite, as "
                                   "\"rapport.scheduling.v1.CourseService/PauseCourse\"");
  }
  if (act.wait() && !act.refused().empty()) {
    return errors::InvalidArgument(absl::StrCat(field, ".wait"), "waits for no refusal");
  }
  return absl::OkStatus();
}

absl::Status Perform(Stage& stage, const Act& act) {
  absl::StatusOr<std::unique_ptr<Message>> answer = Call(stage, act);
  if (!act.refused().empty()) {
    const std::string reason = errors::Reason(answer.status());
    if (reason == act.refused()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("not refused with ", act.refused(), " but ",
                     answer.ok() ? "done" : std::string(answer.status().message())));
  }
  RETURN_IF_ERROR(answer.status());
  ASSIGN_OR_RETURN(const std::string difference, Difference(stage, act, **answer));
  if (!difference.empty()) return absl::FailedPreconditionError(difference);
  if (!act.keep().empty()) stage.kept[act.keep()] = *std::move(answer);
  return absl::OkStatus();
}

absl::StatusOr<bool> Ask(Stage& stage, const Act& act) {
  ASSIGN_OR_RETURN(std::unique_ptr<Message> answer, Call(stage, act));
  ASSIGN_OR_RETURN(stage.waiting_for, Difference(stage, act, *answer));
  if (!stage.waiting_for.empty()) return false;
  if (!act.keep().empty()) stage.kept[act.keep()] = std::move(answer);
  return true;
}

}  // namespace rapport::story
