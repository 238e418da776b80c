#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_BACKGROUND_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_BACKGROUND_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/call/peer.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/work/work.h"
#include "rapport/assessment/v1/alert.pb.h"

namespace rapport::assessment {

// What the service does by itself at some time: gives alerts to their new owners when leave or
// cover begins or ends, escalates those that nobody acknowledges, and asks scheduling to hold a
// time for who is at risk. Every replica runs one; they share the load.
class Background {
 public:
  Background(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
             call::Peer& scheduling);
  ~Background();

  // For what else the service does by itself; before Start.
  work::Worker& worker() { return worker_; }

  // Looks for what is due every `period` of real time until Stop.
  void Start(absl::Duration period = absl::Milliseconds(200));
  void Stop();

  // Does what is due now, and asks for the times that are wanted; how much was due.
  absl::StatusOr<int> RunOnce();

 private:
  absl::Status GiveToOwners(sql::Transaction& tx, const work::Item& item, absl::Time now);
  absl::Status Escalate(sql::Transaction& tx, const work::Item& item, absl::Time now);
  absl::Status WantHold(sql::Transaction& tx, const work::Item& item, absl::Time now);
  void AskForHolds();
  void AskForHold(const v1::Alert& alert);
  absl::Status SettleHold(const v1::Alert& alert, const std::string& appointment);

  sql::Database& database_;
  time::Clock& clock_;
  call::Peer& scheduling_;
  work::Worker worker_;

  // Alerts for which scheduling is to be asked, by name. What is lost with the process comes again:
  // their items are put off, not done.
  Mutex mutex_;
  std::map<std::string, v1::Alert> wanted_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<PeriodicThread> asking_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_BACKGROUND_H_
