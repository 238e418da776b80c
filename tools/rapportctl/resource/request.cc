#include "tools/rapportctl/resource/request.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"
#include "tools/rapportctl/resource/tree.h"

namespace rapport::ctl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

absl::Status Wrong(absl::string_view word, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", word, "': ", what));
}

std::string PrefixOf(const EnumDescriptor& type) {
  // AIP-126: the value 0 is TYPE_NAME_UNSPECIFIED.
  return std::string(absl::StripSuffix(type.value(0)->name(), "UNSPECIFIED"));
}

std::vector<std::string> ChoicesOf(const EnumDescriptor& type) {
  std::vector<std::string> choices;
  for (int i = 1; i < type.value_count(); ++i) {
    choices.emplace_back(absl::StripPrefix(type.value(i)->name(), PrefixOf(type)));
  }
  return choices;
}

bool IsMessage(const FieldDescriptor& field, absl::string_view name) {
  return field.type() == FieldDescriptor::TYPE_MESSAGE && field.message_type()->full_name() == name;
}

std::string KindOf(const FieldDescriptor& field) {
  std::string kind;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      kind = absl::StrCat("one of ", absl::StrJoin(ChoicesOf(*field.enum_type()), ", "));
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      kind = IsMessage(field, "google.protobuf.Timestamp")  ? "a time, as 2026-03-02T10:00:00Z"
             : IsMessage(field, "google.type.Date")         ? "a date, as 2026-03-02"
             : IsMessage(field, "google.type.TimeOfDay")    ? "a time of day, as 16:00"
             : IsMessage(field, "google.protobuf.Duration") ? "a duration, as 3600s"
             : IsMessage(field, "google.protobuf.FieldMask")
                 ? "fields, apart by commas"
                 : absl::StrCat("JSON of ", field.message_type()->name());
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      kind = "true or false";
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      kind = field.type() == FieldDescriptor::TYPE_BYTES ? "base64" : "text";
      break;
    default:
      kind = "a number";
  }
  return field.is_repeated() ? absl::StrCat(kind, "; may be given several times") : kind;
}

// One value of `field` as JSON.
absl::StatusOr<Json> ValueOf(const FieldDescriptor& field, const std::string& word,
                             const std::string& text) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return Json(text);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text == "true" || text == "false") return Json(text == "true");
      return Wrong(word, "is true or false");
    case FieldDescriptor::CPPTYPE_ENUM: {
      const EnumDescriptor& type = *field.enum_type();
      std::string name = absl::AsciiStrToUpper(text);
      std::replace(name.begin(), name.end(), '-', '_');
      for (const std::string& full : {name, PrefixOf(type) + name}) {
        if (type.FindValueByName(full) != nullptr) return Json(full);
      }
      return Wrong(word, absl::StrCat("is one of ", absl::StrJoin(ChoicesOf(type), ", ")));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (IsMessage(field, "google.type.Date")) {
        absl::CivilDay day;
        if (!absl::ParseCivilTime(text, &day)) return Wrong(word, "is a date, as 2026-03-02");
        return Json{{"year", day.year()}, {"month", day.month()}, {"day", day.day()}};
      }
      if (IsMessage(field, "google.type.TimeOfDay")) {
        const std::vector<std::string> parts = absl::StrSplit(text, ':');
        int hours = 0, minutes = 0;
        if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &hours) ||
            !absl::SimpleAtoi(parts[1], &minutes)) {
          return Wrong(word, "is a time of day, as 16:00");
        }
        return Json{{"hours", hours}, {"minutes", minutes}};
      }
      Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (parsed.is_object() || parsed.is_array()) return parsed;
      if (absl::StartsWith(field.message_type()->full_name(), "google.protobuf.")) {
        return Json(text);
      }
      return Wrong(word, absl::StrCat("wants ", KindOf(field)));
    }
    default: {
      double number = 0;
      if (!absl::SimpleAtod(text, &number)) return Wrong(word, "is a number");
      return Json::parse(text, nullptr, /*allow_exceptions=*/false);
    }
  }
}

// The resource that a request carries: its only message field whose type has a `name`.
const FieldDescriptor* ResourceOf(const Descriptor& type) {
  const FieldDescriptor* found = nullptr;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->is_repeated() || field->type() != FieldDescriptor::TYPE_MESSAGE) continue;
    if (field->message_type()->FindFieldByName("name") == nullptr) continue;
    if (found != nullptr) return nullptr;
    found = field;
  }
  return found;
}

class Maker {
 public:
  Maker(const Descriptor& type, const RequestWords& words)
      : type_(type), words_(words), resource_(ResourceOf(type)) {}

  absl::StatusOr<Json> Make() {
    if (!words_.json.empty()) {
      body_ = Json::parse(words_.json, nullptr, /*allow_exceptions=*/false);
      if (!body_.is_object()) return absl::InvalidArgumentError("the JSON is not an object");
    }
    bool named = false;
    for (const std::string& word : words_.words) {
      const size_t equals = word.find('=');
      if (equals != std::string::npos) {
        RETURN_IF_ERROR(Set(word, word.substr(0, equals), word.substr(equals + 1)));
        continue;
      }
      if (named) return Wrong(word, "is a second name; fields are given as path=value");
      named = true;
      RETURN_IF_ERROR(Name(word));
    }
    Complete();
    return body_;
  }

 private:
  std::string Whole(const std::string& name) const {
    if (words_.organization_id.empty() || absl::StartsWith(name, "organizations/") ||
        !absl::StrContains(name, '/')) {
      return name;
    }
    return absl::StrCat("organizations/", words_.organization_id, "/", name);
  }

  absl::Status Name(const std::string& word) {
    if (type_.FindFieldByName("name") != nullptr) {
      body_["name"] = Whole(word);
    } else if (IsUpdate()) {
      body_[resource_->name()]["name"] = Whole(word);
    } else if (type_.FindFieldByName("parent") != nullptr) {
      body_["parent"] = Whole(word);
    } else if (type_.field_count() > 0 &&
               type_.field(0)->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      body_[type_.field(0)->name()] = Whole(word);
    } else {
      return Wrong(word, "this call takes no name; fields are given as path=value");
    }
    return absl::OkStatus();
  }

  bool IsUpdate() const {
    return resource_ != nullptr && type_.FindFieldByName("update_mask") != nullptr;
  }

  absl::Status Set(const std::string& word, const std::string& path, const std::string& text) {
    std::vector<std::string> steps = absl::StrSplit(path, '.');
    if (type_.FindFieldByName(steps[0]) == nullptr && resource_ != nullptr) {
      steps.insert(steps.begin(), resource_->name());
    }
    if (IsUpdate() && steps.size() > 1 && steps[0] == resource_->name()) mask_.insert(steps[1]);
    const Descriptor* type = &type_;
    Json* place = &body_;
    for (size_t i = 0; i < steps.size(); ++i) {
      const FieldDescriptor* field = type == nullptr ? nullptr : type->FindFieldByName(steps[i]);
      if (field == nullptr) {
        std::vector<std::string> known;
        for (int f = 0; type != nullptr && f < type->field_count(); ++f) {
          known.push_back(type->field(f)->name());
        }
        return Wrong(word, absl::StrCat("there is no field '", steps[i], "'; there are ",
                                        absl::StrJoin(known, ", ")));
      }
      if (i + 1 < steps.size()) {
        if (field->is_repeated() || field->type() != FieldDescriptor::TYPE_MESSAGE) {
          return Wrong(word,
                       absl::StrCat("'", steps[i], "' has no fields; it wants ", KindOf(*field)));
        }
        place = &(*place)[steps[i]];
        type = field->message_type();
        continue;
      }
      ASSIGN_OR_RETURN(Json value, ValueOf(*field, word, text));
      Json& target = (*place)[steps[i]];
      if (!field->is_repeated() || value.is_array()) {
        target = std::move(value);
      } else {
        target.push_back(std::move(value));
      }
    }
    return absl::OkStatus();
  }

  void Complete() {
    if (const auto* parent = type_.FindFieldByName("parent");
        parent != nullptr && !body_.contains("parent") && !words_.organization_id.empty()) {
      body_["parent"] = absl::StrCat("organizations/", words_.organization_id);
    }
    if (!mask_.empty() && !body_.contains("update_mask")) {
      // JSON writes a mask in one string, its names in camel case.
      std::vector<std::string> paths;
      for (const std::string& field : mask_) {
        paths.push_back(resource_->message_type()->FindFieldByName(field) == nullptr
                            ? field
                            : resource_->message_type()->FindFieldByName(field)->json_name());
      }
      body_["update_mask"] = absl::StrJoin(paths, ",");
    }
    if (type_.FindFieldByName("request_id") != nullptr && !body_.contains("request_id")) {
      body_["request_id"] = absl::StrCat("rapportctl-", ids::NewUlid(absl::Now()));
    }
  }

  const Descriptor& type_;
  const RequestWords& words_;
  const FieldDescriptor* const resource_;
  Json body_ = Json::object();
  std::set<std::string> mask_;
};

}  // namespace

std::unique_ptr<google::protobuf::Message> NewMessage(const Descriptor& type) {
  static auto* const factory = new google::protobuf::DynamicMessageFactory;
  return std::unique_ptr<google::protobuf::Message>(factory->GetPrototype(&type)->New());
}

absl::StatusOr<std::unique_ptr<google::protobuf::Message>> MakeRequest(const Descriptor& type,
                                                                       const RequestWords& words) {
  ASSIGN_OR_RETURN(const Json body, Maker(type, words).Make());
  std::unique_ptr<google::protobuf::Message> request = NewMessage(type);
  const auto parsed = google::protobuf::util::JsonStringToMessage(body.dump(), request.get());
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a ", type.name(), ": ", std::string(parsed.message())));
  }
  return request;
}

std::vector<FieldHelp> FieldsOf(const Descriptor& type) {
  std::vector<FieldHelp> fields;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    fields.push_back({field.name(), KindOf(field), CommentOf(field)});
  }
  return fields;
}

}  // namespace rapport::ctl
