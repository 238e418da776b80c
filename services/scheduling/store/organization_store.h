#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_ORGANIZATION_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_ORGANIZATION_STORE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/organization.pb.h"
#include "services/scheduling/store/stored.h"

// Organisations, by id.
namespace rapport::scheduling::store {

// kNotFound. Policies that were not kept when it was stored have their defaults.
absl::StatusOr<Stored<v1::Organization>> GetOrganization(sql::Session& session,
                                                         absl::string_view organization_id);

// Also makes it known to everything that this service's database keeps.
//   kAlreadyExists
absl::Status InsertOrganization(sql::Transaction& tx, absl::string_view organization_id,
                                const v1::Organization& organization, absl::Time now);

// To version + 1. kAborted LOST_RACE.
absl::Status UpdateOrganization(sql::Transaction& tx, absl::string_view organization_id,
                                const v1::Organization& organization, int64_t version);

// What call::Mutate goes by; deferred.
void DeferOrganizationState(sql::Transaction& tx, absl::string_view organization_id,
                            v1::OrganizationState state);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_ORGANIZATION_STORE_H_
