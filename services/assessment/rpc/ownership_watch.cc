#include "services/assessment/rpc/ownership_watch.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/time/clock.h"
#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);  // for a statement, real clock

// A call that raises an alert decides on its owner by the time at which it arrived, and may take
// until its deadline: look back as far.
constexpr absl::Duration kLookBack = absl::Seconds(60);

}  // namespace

absl::Status OwnershipWatch::Tick() {
  const absl::Time now = clock_.Now();
  std::vector<std::string> organizations;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(organizations, store::ListOrganizations(session));
        return absl::OkStatus();
      }));
  absl::Status first_error;
  for (const std::string& organization_id : organizations) {
    const absl::Status looked = Look(organization_id, now);
    if (looked.ok()) {
      looked_[organization_id] = now;
    } else {
      first_error.Update(looked);
    }
  }
  return first_error;
}

absl::Status OwnershipWatch::Look(const std::string& organization_id, absl::Time now) {
  const auto found = looked_.find(organization_id);
  const bool reckon = found != looked_.end() && found->second <= now;
  bool changes = false;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Tenant(organization_id), absl::Now() + kPatience,
      [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(changes, store::HasUnresolved(session, organization_id));
        if (!changes || !reckon) return absl::OkStatus();
        ASSIGN_OR_RETURN(const std::optional<absl::Time> next,
                         care::NextOwnershipChange(session, names::Organization(organization_id),
                                                   found->second - kLookBack));
        changes = next && *next <= now;
        return absl::OkStatus();
      }));
  if (!changes) return absl::OkStatus();
  return database_.Write(
      sql::Access::Tenant(organization_id), absl::Now() + kPatience,
      [&](sql::Transaction& tx) { return RecomputeOwners(tx, organization_id, "", now); });
}

}  // namespace rapport::assessment
