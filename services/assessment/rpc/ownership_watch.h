#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_OWNERSHIP_WATCH_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_OWNERSHIP_WATCH_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "common/time/clock.h"

namespace rapport::assessment {

// Gives alerts to their new owners when leave or cover begins or ends by the passing of time. Looks
// at organisations with unresolved alerts only, and recomputes one where such an instant lies
// between the last look and now, however far the domain clock has jumped, or where it went back.
// Any number of replicas may look: they find the same owners. Not thread-safe.
class OwnershipWatch {
 public:
  OwnershipWatch(sql::Database& database, time::Clock& clock)
      : database_(database), clock_(clock) {}

  // One look. The first error, after all organisations were tried.
  absl::Status Tick();

 private:
  absl::Status Look(const std::string& organization_id, absl::Time now);

  sql::Database& database_;
  time::Clock& clock_;
  absl::flat_hash_map<std::string, absl::Time> looked_;  // by organisation, domain time
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_OWNERSHIP_WATCH_H_
