#include "common/call/own_act.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/audit/audit_log.h"
#include "common/events/event_log.h"
#include "common/names/names.h"

namespace rapport::call {

void RecordOwnAct(sql::Transaction& tx, absl::string_view service, absl::string_view act,
                  absl::string_view resource, int64_t version, absl::Time now,
                  const google::protobuf::Message& payload, absl::string_view stored) {
  const std::string organization_id(names::OrganizationId(resource));
  events::Append(tx, organization_id, resource, version, now, payload);
  audit::Append(tx,
                {.organization_id = organization_id,
                 .principal = absl::StrCat("service:", service),
                 .method = absl::StrCat(service, "/", act),
                 .resource = std::string(resource),
                 .version = version,
                 .occur_time = now,
                 .trace_id = ""},
                stored);
}

}  // namespace rapport::call
