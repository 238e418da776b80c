#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_BACKGROUND_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_BACKGROUND_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/work/work.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/time_watch.h"
#include "services/scheduling/rpc/waitlist.h"

namespace rapport::scheduling {

// What the service does by itself at some time: lets holds, offers and waits end, passes freed time
// on, reminds, and watches the clocks. Every replica runs one; they share the load.
class Background {
 public:
  // `tzdata_version`: of the zone data in use.
  Background(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
             const Booker& booker, const Waitlist& waitlist,
             std::string tzdata_version = time::TzdataVersion());

  // Looks for what is due every `period` of real time, and every minute for organisations that are
  // new, until Stop.
  void Start(absl::Duration period = absl::Milliseconds(200));
  void Stop();

  // Gives each known organisation its reminders and its watch over clocks, unless it has them.
  absl::Status Adopt();

  // Does what is due now; how much that was.
  absl::StatusOr<int> RunOnce() { return worker_.RunOnce(); }

 private:
  sql::Database& database_;
  time::Clock& clock_;
  const TimeWatch time_watch_;
  work::Worker worker_;
  std::unique_ptr<PeriodicThread> adopting_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_BACKGROUND_H_
