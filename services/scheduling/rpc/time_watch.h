#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_TIME_WATCH_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_TIME_WATCH_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "common/time/zones.h"
#include "common/work/work.h"
#include "services/scheduling/rpc/booker.h"

namespace rapport::scheduling {

// The kind of work item that checks an organisation's sessions to come against the zone data in
// use; its key is the release of the data, and it comes once a day.
inline constexpr absl::string_view kTimeWatchWork = "tzdata";

// Derives the instants of sessions to come anew where newer zone data is in use than they were last
// checked against. Those whose agreed local time is another instant now get `time_at_risk` and an
// AppointmentTimeAtRisk; those for which that is true no longer lose it, with one whose two
// instants are equal. Nothing is ever moved.
class TimeWatch {
 public:
  explicit TimeWatch(const Booker& booker, std::string tzdata_version = time::TzdataVersion())
      : booker_(booker), tzdata_version_(std::move(tzdata_version)) {}

  const std::string& tzdata_version() const { return tzdata_version_; }

  // Whether the data says which release it is; without that nothing can be watched.
  bool knows_version() const { return tzdata_version_ != "unknown"; }

  // One page, and again at once while there are more. An item of another release is left to a
  // process that has it, if newer, and dropped, if older: while replicas are replaced they differ.
  absl::Status Check(sql::Transaction& tx, const work::Item& item, absl::Time now) const;

 private:
  absl::Status PutRisk(Act& act, absl::string_view appointment) const;

  const Booker& booker_;
  const std::string tzdata_version_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_TIME_WATCH_H_
