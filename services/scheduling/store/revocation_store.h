#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_REVOCATION_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_REVOCATION_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/revocation.pb.h"

// Revocations, for the record. They never change: each is at version 1.
namespace rapport::scheduling::store {

// Deferred.
void InsertRevocation(sql::Transaction& tx, const v1::Revocation& revocation);

// kNotFound.
absl::StatusOr<v1::Revocation> GetRevocation(sql::Session& session, absl::string_view name);

absl::StatusOr<std::optional<v1::Revocation>> FindTokenRevocation(sql::Session& session,
                                                                  absl::string_view organization_id,
                                                                  absl::string_view token_id);

// What stands behind in a list: its time in microseconds and its id.
struct RevocationKey {
  int64_t create_micros;
  std::string id;
};

// Newest first, from before `before`; of `subject` unless it is empty.
absl::StatusOr<std::vector<v1::Revocation>> ListRevocations(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view subject,
                                                            const RevocationKey& before, int limit);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_REVOCATION_STORE_H_
