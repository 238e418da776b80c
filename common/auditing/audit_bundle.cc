#include "common/auditing/audit_bundle.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "nlohmann/json.hpp"

namespace rapport::auditing {
namespace {

using common::v1::AuditEntry;
using Json = nlohmann::ordered_json;

constexpr char kBase[] = "https://rapport.invalid/fhir";
constexpr char kLifecycle[] = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
constexpr char kInteraction[] = "http://hl7.org/fhir/restful-interaction";
constexpr char kReason[] = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
constexpr char kBreakGlass[] = "break-glass";

std::string Instant(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time::ToTime(time), absl::UTCTimeZone());
}

// What kind of thing was done, in the words of three vocabularies.
struct Deed {
  const char* lifecycle;
  const char* interaction;
  const char* action;
};

Deed DeedOf(const AuditEntry& entry) {
  switch (entry.kind()) {
    case common::v1::AUDIT_KIND_ERASURE:
      return {"destroy", "delete", "D"};
    case common::v1::AUDIT_KIND_ACCESS:
      return {"access", "read", "R"};
    case common::v1::AUDIT_KIND_CHANGE:
      if (absl::StartsWith(names::Last(entry.method()), "Delete")) {
        return {"destroy", "delete", "D"};
      }
      return entry.version() <= 1 ? Deed{"originate", "create", "C"} : Deed{"amend", "update", "U"};
    default:
      return {"access", "operation", "E"};
  }
}

Json Coding(absl::string_view system, absl::string_view code) {
  return {{"system", std::string(system)}, {"code", std::string(code)}};
}

// FHIR knows no empty strings, nor blanks round them.
std::string Text(absl::string_view text) {
  const std::string stripped(absl::StripAsciiWhitespace(text));
  return stripped.empty() ? "-" : stripped;
}

Json Named(absl::string_view kind, absl::string_view value) {
  return {{"identifier", {{"system", absl::StrCat(kBase, "/", kind)}, {"value", Text(value)}}}};
}

Json Detail(absl::string_view type, absl::string_view value) {
  return {{"type", std::string(type)}, {"valueString", Text(value)}};
}

Json EntityOf(const AuditEntry& entry) {
  Json details = Json::array();
  details.push_back(Detail("method", entry.method()));
  if (entry.version() > 0) details.push_back(Detail("version", absl::StrCat(entry.version())));
  if (entry.count() > 1) details.push_back(Detail("count", absl::StrCat(entry.count())));
  if (!entry.trace_id().empty()) details.push_back(Detail("trace", entry.trace_id()));
  return {{"what", Named("name", entry.resource())}, {"detail", std::move(details)}};
}

Json EventOf(const AuditEntry& entry, absl::string_view service) {
  const Deed deed = DeedOf(entry);
  const bool denied = entry.kind() == common::v1::AUDIT_KIND_DENIAL;
  Json event = {{"resourceType", "AuditEvent"},
                {"id", absl::StrCat(service, "-", names::Last(entry.name()))}};
  event["type"] = Coding(kLifecycle, deed.lifecycle);
  event["subtype"] = Json::array({Coding(kInteraction, deed.interaction)});
  event["action"] = deed.action;
  event["recorded"] = Instant(entry.occur_time());
  event["outcome"] = denied ? "4" : "0";
  if (denied) {
    event["outcomeDesc"] = Text(entry.purpose());
  } else if (!entry.purpose().empty()) {
    Json purpose = Json::object();
    if (absl::StartsWith(entry.purpose(), kBreakGlass)) {
      purpose["coding"] = Json::array({Coding(kReason, "BTG")});
    }
    purpose["text"] = Text(entry.purpose());
    event["purposeOfEvent"] = Json::array({std::move(purpose)});
  }
  event["agent"] =
      Json::array({{{"who", Named("subject", entry.principal())}, {"requestor", true}}});
  event["source"] = {{"observer", Named("service", service)}};
  event["entity"] = Json::array({EntityOf(entry)});
  for (const std::string& covered : entry.covers()) {
    event["entity"].push_back({{"what", Named("name", covered)}});
  }
  return event;
}

}  // namespace

std::string MakeAuditBundle(const google::protobuf::RepeatedPtrField<AuditEntry>& entries,
                            absl::string_view service, absl::Time now) {
  Json bundle = {{"resourceType", "Bundle"},
                 {"type", "collection"},
                 {"timestamp", Instant(time::ToTimestamp(now))}};
  for (const AuditEntry& entry : entries) {
    Json event = EventOf(entry, service);
    const std::string url = absl::StrCat(kBase, "/", names::OrganizationId(entry.name()),
                                         "/AuditEvent/", event["id"].get_ref<const std::string&>());
    bundle["entry"].push_back({{"fullUrl", url}, {"resource", std::move(event)}});
  }
  return bundle.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rapport::auditing
