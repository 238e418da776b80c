#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_TIME_WATCH_STORE_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_TIME_WATCH_STORE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "services/scheduling/store/stored.h"

// Against which release of the zone data the times of appointments were last checked: the column
// tzdata_version. The document's field is the release by which they were derived.
namespace rapport::scheduling::store {

// BOOKED and HELD appointments that begin after `now` and were last checked against an older
// release, by start. Releases order as text does ("2024b" < "2025a").
absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListToCheck(sql::Session& session,
                                                                 absl::string_view organization_id,
                                                                 absl::Time now,
                                                                 absl::string_view tzdata_version,
                                                                 int limit);

// Deferred: `appointment`, still at `version`, was checked. Its version stays.
void DeferChecked(sql::Transaction& tx, absl::string_view appointment, int64_t version,
                  absl::string_view tzdata_version);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_TIME_WATCH_STORE_H_
