#ifndef RAPPORT_SERVICES_SCHEDULING_STORE_FREED_TIME_H_
#define RAPPORT_SERVICES_SCHEDULING_STORE_FREED_TIME_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "services/scheduling/domain/booking.h"

namespace rapport::scheduling::store {

// The kind of work item that offers freed time to the waitlist; its key is
// "{clinician_id}:{start}:{end}" in microseconds.
inline constexpr absl::string_view kFreedTimeWork = "freed_time";
// The kind of work item that ends a hold; its key is the appointment's id.
inline constexpr absl::string_view kHoldWork = "hold";

// Deferred: `time` of the clinician has become free. Leaves an item of work where an entry of the
// waitlist waits for that clinician, else nothing.
void DeferFreedTime(sql::Transaction& tx, absl::string_view organization_id,
                    absl::string_view clinician_id, const Interval& time, absl::Time now);

}  // namespace rapport::scheduling::store

#endif  // RAPPORT_SERVICES_SCHEDULING_STORE_FREED_TIME_H_
