#ifndef RAPPORT_COMMON_CALL_OWN_ACT_H_
#define RAPPORT_COMMON_CALL_OWN_ACT_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "google/protobuf/message.h"

namespace rapport::call {

// What a service changes by itself, without a caller: the twin of Change::Record. Appends the
// pending event and the audit entry of `resource`, whose organisation is in its name, to `tx`.
// `service` is "assessment", `act` what it did, as "RecomputeOwners"; `stored` what the change
// stored.
void RecordOwnAct(sql::Transaction& tx, absl::string_view service, absl::string_view act,
                  absl::string_view resource, int64_t version, absl::Time now,
                  const google::protobuf::Message& payload, absl::string_view stored);

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_OWN_ACT_H_
