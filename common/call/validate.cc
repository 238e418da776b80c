#include "common/call/validate.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/zones.h"
#include "google/api/field_behavior.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"
#include "rapport/common/v1/options.pb.h"

namespace rapport::call {
namespace {

using common::v1::FieldRules;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxViolations = 20;
constexpr int kMaxMaskPaths = 100;

bool Behaves(const FieldDescriptor& field, google::api::FieldBehavior behavior) {
  const auto& options = field.options();
  for (int i = 0; i < options.ExtensionSize(google::api::field_behavior); ++i) {
    if (options.GetExtension(google::api::field_behavior, i) == behavior) return true;
  }
  return false;
}

bool AllOf(absl::string_view text, bool (*fits)(char)) {
  return std::all_of(text.begin(), text.end(), fits);
}

bool IsResourceId(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && absl::ascii_islower(text.front()) &&
         text.back() != '-' && AllOf(text, [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

bool IsRequestId(absl::string_view text) {
  return text.size() <= 64 && AllOf(text, [](char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == ':';
         });
}

// Letters and digits in groups of 1 to 8 with hyphens between, beginning with 2 or 3 letters.
bool IsLanguage(absl::string_view text) {
  if (text.size() > 35) return false;
  size_t group = 0;
  bool first = true;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '-') {
      if (group == 0 || group > 8 || (first && (group < 2 || group > 3))) return false;
      first = false;
      group = 0;
    } else if (!(first ? absl::ascii_isalpha(text[i]) : absl::ascii_isalnum(text[i]))) {
      return false;
    } else {
      ++group;
    }
  }
  return true;
}

// "GB" or "GB-SCT".
bool IsJurisdiction(absl::string_view text) {
  const auto upper = [](char c) { return absl::ascii_isupper(c); };
  const auto upper_or_digit = [](char c) {
    return absl::ascii_isupper(c) || absl::ascii_isdigit(c);
  };
  if (text.size() == 2) return AllOf(text, upper);
  return text.size() >= 4 && text.size() <= 6 && AllOf(text.substr(0, 2), upper) &&
         text[2] == '-' && AllOf(text.substr(3), upper_or_digit);
}

// What the form asks for; empty: it fits.
absl::string_view FormatFault(common::v1::Format format, absl::string_view text) {
  switch (format) {
    case common::v1::FORMAT_RESOURCE_ID:
      return IsResourceId(text) ? ""
                                : "must be 1 to 63 lower-case letters, digits and hyphens, "
                                  "beginning with a letter and not ending with a hyphen";
    case common::v1::FORMAT_REQUEST_ID:
      return IsRequestId(text) ? "" : "must be 1 to 64 letters, digits, '-', '_', '.' or ':'";
    case common::v1::FORMAT_TIME_ZONE:
      return text.size() <= 64 && time::LoadZone(text).ok()
                 ? ""
                 : "must be an IANA time zone, as \"Europe/London\"";
    case common::v1::FORMAT_LANGUAGE:
      return IsLanguage(text) ? "" : "must be a BCP 47 language tag, as \"pt-BR\"";
    case common::v1::FORMAT_JURISDICTION:
      return IsJurisdiction(text) ? "" : "must be an ISO 3166 code, as \"GB\" or \"GB-SCT\"";
    case common::v1::FORMAT_ETAG:
      return text.size() <= 20 && AllOf(text, [](char c) { return absl::ascii_isdigit(c); })
                 ? ""
                 : "must be an etag as a read returned it";
    default:
      return "";
  }
}

absl::string_view DateFault(const google::type::Date& date) {
  if (date.year() < 1 || date.year() > 9999) return "must have a year from 1 to 9999";
  if (date.month() == 0 && date.day() == 0) return "";
  if (date.month() < 1 || date.month() > 12 || date.day() < 0) return "is not a date";
  if (date.day() == 0) return "";
  const absl::CivilDay day(date.year(), date.month(), date.day());
  return day.month() == date.month() && day.day() == date.day() ? "" : "is not a date";
}

absl::string_view TimeOfDayFault(const google::type::TimeOfDay& time) {
  const bool end_of_day =
      time.hours() == 24 && time.minutes() == 0 && time.seconds() == 0 && time.nanos() == 0;
  const bool within = time.hours() >= 0 && time.hours() < 24 && time.minutes() >= 0 &&
                      time.minutes() < 60 && time.seconds() >= 0 && time.seconds() < 60 &&
                      time.nanos() >= 0 && time.nanos() < 1000000000;
  return end_of_day || within ? "" : "is not a time of day";
}

absl::string_view TimestampFault(const google::protobuf::Timestamp& time) {
  constexpr int64_t kMin = -2208988800;  // 1900
  constexpr int64_t kMax = 7258118400;   // 2200
  return time.seconds() >= kMin && time.seconds() < kMax && time.nanos() >= 0 &&
                 time.nanos() < 1000000000
             ? ""
             : "must be an instant between the years 1900 and 2200";
}

absl::string_view DurationFault(const google::protobuf::Duration& duration) {
  constexpr int64_t kMax = 315576000000;
  return duration.seconds() >= 0 && duration.seconds() <= kMax && duration.nanos() >= 0 &&
                 duration.nanos() < 1000000000
             ? ""
             : "must be a duration of 0 or more";
}

template <class Known>
const Known& As(const Message& message) {
  return static_cast<const Known&>(message);
}

// What is wrong with a message of a well-known type; empty: nothing, or not of one.
absl::string_view WellKnownFault(const Message& message) {
  const Descriptor* type = message.GetDescriptor();
  if (type == google::type::Date::descriptor()) return DateFault(As<google::type::Date>(message));
  if (type == google::type::TimeOfDay::descriptor()) {
    return TimeOfDayFault(As<google::type::TimeOfDay>(message));
  }
  if (type == google::protobuf::Timestamp::descriptor()) {
    return TimestampFault(As<google::protobuf::Timestamp>(message));
  }
  if (type == google::protobuf::Duration::descriptor()) {
    return DurationFault(As<google::protobuf::Duration>(message));
  }
  if (type == google::protobuf::FieldMask::descriptor() &&
      As<google::protobuf::FieldMask>(message).paths_size() > kMaxMaskPaths) {
    return "must have at most 100 paths";
  }
  return "";
}

bool IsWellKnown(const Descriptor* type) {
  return type->file()->package() == "google.protobuf" || type->file()->package() == "google.type";
}

// "organizations/{organization}/timeOffs/{time_off}" is of type "TimeOff".
std::string TypeOfPattern(absl::string_view pattern) {
  absl::string_view variable = names::Last(pattern);
  std::string type;
  bool upper = true;
  for (char c : variable) {
    if (c == '{' || c == '}') continue;
    if (c == '_') {
      upper = true;
      continue;
    }
    type.push_back(upper ? absl::ascii_toupper(c) : c);
    upper = false;
  }
  return type;
}

// Where a message stands in the one that is checked; written out only for what is wrong.
struct Place {
  const Place* above;  // null: the checked message itself
  absl::string_view field;
  int index = -1;  // of a repeated field

  std::string Text() const {
    std::string text = above == nullptr || above->field.empty() ? "" : above->Text() + ".";
    text.append(field.data(), field.size());
    if (index >= 0) absl::StrAppend(&text, "[", index, "]");
    return text;
  }
};

}  // namespace

struct Validator::Node {
  struct Field {
    const FieldDescriptor* descriptor;
    FieldDescriptor::CppType
        type;  // asked of the descriptor, these three cost more than the checks
    bool is_repeated;
    bool has_presence;
    FieldRules rules;
    bool required;
    std::vector<std::string> patterns;  // of rules.resource
    std::unique_ptr<const Node> child;  // for messages of ours

    // Null: `name` fits none.
    const std::string* PatternOf(absl::string_view name) const {
      const auto it = std::find_if(patterns.begin(), patterns.end(), [name](const auto& pattern) {
        return names::Matches(pattern, name);
      });
      return it == patterns.end() ? nullptr : &*it;
    }

    bool HoldsNames() const { return !patterns.empty() || (child != nullptr && child->has_names); }

    // Whether some value is wrong.
    bool Demands() const {
      if (required || child != nullptr || rules.max_items() > 0 || rules.min_items() > 0) {
        return true;
      }
      switch (type) {
        case FieldDescriptor::CPPTYPE_STRING:
          return is_repeated || rules.max_bytes() > 0 || rules.min_bytes() > 0 ||
                 !patterns.empty() || rules.format() != common::v1::FORMAT_UNSPECIFIED;
        case FieldDescriptor::CPPTYPE_MESSAGE:
        case FieldDescriptor::CPPTYPE_ENUM:
          return true;
        default:
          return rules.has_min() || rules.has_max();
      }
    }
  };
  std::vector<Field> fields;  // that demand something
  bool has_names = false;     // somewhere below

  static std::unique_ptr<const Node> Make(const Descriptor* type, int depth) {
    auto node = std::make_unique<Node>();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* descriptor = type->field(i);
      if (Behaves(*descriptor, google::api::OUTPUT_ONLY)) continue;
      Field field{.descriptor = descriptor,
                  .type = descriptor->cpp_type(),
                  .is_repeated = descriptor->is_repeated(),
                  .has_presence = descriptor->has_presence(),
                  .rules = descriptor->options().GetExtension(common::v1::rules),
                  .required = Behaves(*descriptor, google::api::REQUIRED),
                  .patterns = {},
                  .child = nullptr};
      field.patterns = absl::StrSplit(field.rules.resource(), '|', absl::SkipEmpty());
      if (field.type == FieldDescriptor::CPPTYPE_MESSAGE &&
          !IsWellKnown(descriptor->message_type()) && depth < 16) {
        field.child = Make(descriptor->message_type(), depth + 1);
      }
      node->has_names = node->has_names || field.HoldsNames();
      if (field.Demands()) node->fields.push_back(std::move(field));
    }
    return node;
  }

  struct Walk {
    std::vector<errors::FieldViolation> violations;
    bool partial = false;  // inside the resource of an update

    void Add(const Place& place, absl::string_view what) {
      if (violations.size() < kMaxViolations)
        violations.push_back({place.Text(), std::string(what)});
    }
  };

  void CheckString(const Field& field, const std::string& text, const Place& place,
                   Walk& walk) const {
    const FieldRules& rules = field.rules;
    if (rules.max_bytes() > 0 && text.size() > rules.max_bytes()) {
      walk.Add(place, absl::StrCat("must have at most ", rules.max_bytes(), " bytes"));
      return;
    }
    if (text.size() < rules.min_bytes()) {
      walk.Add(place, absl::StrCat("must have at least ", rules.min_bytes(), " bytes"));
      return;
    }
    if (!field.patterns.empty() && field.PatternOf(text) == nullptr) {
      walk.Add(place, absl::StrCat("must be a name as \"",
                                   absl::StrJoin(field.patterns, "\" or \""), "\""));
      return;
    }
    if (absl::string_view fault = FormatFault(rules.format(), text); !fault.empty()) {
      walk.Add(place, fault);
    }
  }

  // Leaving out a number of an update's resource is no violation of its range.
  void CheckNumber(const Field& field, int64_t number, const Place& place, Walk& walk) const {
    if (number == 0 && walk.partial) return;
    const FieldRules& rules = field.rules;
    const bool low = rules.has_min() && number < rules.min();
    const bool high = rules.has_max() && number > rules.max();
    if (!low && !high) return;
    walk.Add(place, rules.has_min() && rules.has_max()
                        ? absl::StrCat("must be from ", rules.min(), " to ", rules.max())
                        : (low ? absl::StrCat("must be at least ", rules.min())
                               : absl::StrCat("must be at most ", rules.max())));
  }

  void CheckEnum(const Field& field, int number, const Place& place, Walk& walk) const {
    if (field.descriptor->enum_type()->FindValueByNumber(number) == nullptr) {
      walk.Add(place, absl::StrCat("is not a value of ", field.descriptor->enum_type()->name()));
    }
  }

  void CheckMessage(const Field& field, const Message& message, const Place& place,
                    Walk& walk) const {
    if (field.child != nullptr) {
      field.child->Check(message, place, walk);
    } else if (absl::string_view fault = WellKnownFault(message); !fault.empty()) {
      walk.Add(place, fault);
    }
  }

  void Check(const Message& message, const Place& place, Walk& walk) const {
    if (fields.empty()) return;
    const Reflection& reflection = *message.GetReflection();
    for (const Field& field : fields) {
      const Place at{&place, field.descriptor->name()};
      if (field.is_repeated) {
        CheckRepeated(field, message, reflection, at, walk);
      } else {
        CheckSingular(field, message, reflection, at, walk);
      }
    }
  }

  void CheckSingular(const Field& field, const Message& message, const Reflection& reflection,
                     const Place& place, Walk& walk) const {
    const FieldDescriptor* descriptor = field.descriptor;
    const bool required = field.required && (!walk.partial || descriptor->name() == "name");
    switch (field.type) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        const std::string& text = reflection.GetStringReference(message, descriptor, &scratch);
        if (text.empty()) {
          if (required) walk.Add(place, "must be set");
        } else {
          CheckString(field, text, place, walk);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (reflection.HasField(message, descriptor)) {
          CheckMessage(field, reflection.GetMessage(message, descriptor), place, walk);
        } else if (required) {
          walk.Add(place, "must be set");
        }
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number = reflection.GetEnumValue(message, descriptor);
        if (number == 0 && required) {
          walk.Add(place, "must be set");
        } else {
          CheckEnum(field, number, place, walk);
        }
        break;
      }
      case FieldDescriptor::CPPTYPE_INT32:
        if (!field.has_presence || reflection.HasField(message, descriptor)) {
          CheckNumber(field, reflection.GetInt32(message, descriptor), place, walk);
        }
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        if (!field.has_presence || reflection.HasField(message, descriptor)) {
          CheckNumber(field, reflection.GetInt64(message, descriptor), place, walk);
        }
        break;
      default:
        break;
    }
  }

  void CheckRepeated(const Field& field, const Message& message, const Reflection& reflection,
                     const Place& place, Walk& walk) const {
    const FieldDescriptor* descriptor = field.descriptor;
    const int size = reflection.FieldSize(message, descriptor);
    const FieldRules& rules = field.rules;
    if (rules.max_items() > 0 && size > static_cast<int>(rules.max_items())) {
      walk.Add(place, absl::StrCat("must have at most ", rules.max_items(), " items"));
      return;
    }
    const bool may_lack = walk.partial && size == 0;
    if (size < static_cast<int>(rules.min_items()) && !may_lack) {
      walk.Add(place, absl::StrCat("must have at least ", rules.min_items(), " items"));
      return;
    }
    if (field.required && size == 0 && !may_lack) {
      walk.Add(place, "must be set");
      return;
    }
    Place item = place;
    switch (field.type) {
      case FieldDescriptor::CPPTYPE_STRING:
        for (item.index = 0; item.index < size; ++item.index) {
          std::string scratch;
          const std::string& text =
              reflection.GetRepeatedStringReference(message, descriptor, item.index, &scratch);
          if (text.empty()) {
            walk.Add(item, "must not be empty");
          } else {
            CheckString(field, text, item, walk);
          }
        }
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        for (item.index = 0; item.index < size; ++item.index) {
          CheckMessage(field, reflection.GetRepeatedMessage(message, descriptor, item.index), item,
                       walk);
        }
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        for (item.index = 0; item.index < size; ++item.index) {
          const int number = reflection.GetRepeatedEnumValue(message, descriptor, item.index);
          if (number == 0) {
            walk.Add(item, "must not be unspecified");
          } else {
            CheckEnum(field, number, item, walk);
          }
        }
        break;
      default:
        break;
    }
  }

  // Calls `visit(field, name)` for each resource name that is set, until it returns false.
  template <class Visit>
  bool VisitNames(const Message& message, const Visit& visit) const {
    if (!has_names) return true;
    const Reflection& reflection = *message.GetReflection();
    for (const Field& field : fields) {
      if (!field.HoldsNames()) continue;
      const FieldDescriptor* descriptor = field.descriptor;
      const bool is_name = !field.patterns.empty();
      std::string scratch;
      if (field.is_repeated) {
        for (int i = 0; i < reflection.FieldSize(message, descriptor); ++i) {
          if (is_name ? !visit(field, reflection.GetRepeatedStringReference(message, descriptor, i,
                                                                            &scratch))
                      : !field.child->VisitNames(
                            reflection.GetRepeatedMessage(message, descriptor, i), visit)) {
            return false;
          }
        }
      } else if (is_name) {
        if (!visit(field, reflection.GetStringReference(message, descriptor, &scratch))) {
          return false;
        }
      } else if (reflection.HasField(message, descriptor)) {
        if (!field.child->VisitNames(reflection.GetMessage(message, descriptor), visit)) {
          return false;
        }
      }
    }
    return true;
  }
};

Validator::Validator(const Descriptor* type)
    : root_(Node::Make(type, 0)), is_update_(type->FindFieldByName("update_mask") != nullptr) {}

Validator::~Validator() = default;

absl::Status Validator::Check(const Message& message) const {
  Node::Walk walk;
  const Place root{nullptr, ""};
  if (!is_update_) {
    root_->Check(message, root, walk);
  } else {
    // The resource is partial; what stands beside it is not.
    const Reflection& reflection = *message.GetReflection();
    for (const Node::Field& field : root_->fields) {
      const Place place{&root, field.descriptor->name()};
      walk.partial = field.child != nullptr;
      if (walk.partial && !reflection.HasField(message, field.descriptor)) {
        walk.Add(place, "must be set");
        continue;
      }
      root_->CheckSingular(field, message, reflection, place, walk);
      if (!walk.partial) continue;
      const Message& resource = reflection.GetMessage(message, field.descriptor);
      const FieldDescriptor* name = resource.GetDescriptor()->FindFieldByName("name");
      if (name != nullptr && resource.GetReflection()->GetString(resource, name).empty()) {
        walk.Add({&place, "name"}, "must be set");
      }
    }
  }
  if (walk.violations.empty()) return absl::OkStatus();
  return errors::InvalidArgument(std::move(walk.violations));
}

absl::StatusOr<std::string> Validator::Organization(const Message& message,
                                                    absl::string_view expected) const {
  std::string organization(expected);
  std::string foreign_type;
  root_->VisitNames(message, [&](const Node::Field& field, absl::string_view name) {
    const absl::string_view of = names::OrganizationId(name);
    if (of.empty()) return true;
    if (organization.empty()) organization = std::string(of);
    if (of == organization) return true;
    const std::string* pattern = field.PatternOf(name);
    foreign_type = TypeOfPattern(pattern == nullptr ? field.patterns.front() : *pattern);
    return false;
  });
  if (!foreign_type.empty()) return errors::NotFound(foreign_type);
  return organization;
}

absl::Status Validate(const Message& message, absl::string_view prefix) {
  const absl::Status status = Validator(message.GetDescriptor()).Check(message);
  if (status.ok()) return status;
  std::vector<errors::FieldViolation> violations = errors::FieldViolations(status);
  for (auto& violation : violations) violation.field = absl::StrCat(prefix, ".", violation.field);
  return errors::InvalidArgument(std::move(violations));
}

namespace {

void CollectUnbounded(const Descriptor* type, const std::string& prefix,
                      std::set<const Descriptor*>& seen, std::vector<std::string>& found) {
  if (!seen.insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (Behaves(*field, google::api::OUTPUT_ONLY)) continue;
    const FieldRules& rules = field->options().GetExtension(common::v1::rules);
    const std::string path = absl::StrCat(prefix, field->name());
    const bool text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (text && rules.max_bytes() == 0 && rules.format() == common::v1::FORMAT_UNSPECIFIED) {
      found.push_back(absl::StrCat(path, ": no max_bytes and no format"));
    }
    if (field->is_repeated() && rules.max_items() == 0) {
      found.push_back(absl::StrCat(path, ": no max_items"));
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        !IsWellKnown(field->message_type())) {
      CollectUnbounded(field->message_type(), absl::StrCat(path, "."), seen, found);
    }
  }
}

}  // namespace

std::vector<std::string> UnboundedFields(const Descriptor* type) {
  std::set<const Descriptor*> seen;
  std::vector<std::string> found;
  CollectUnbounded(type, "", seen, found);
  return found;
}

}  // namespace rapport::call
