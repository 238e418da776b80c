#ifndef RAPPORT_COMMON_WORK_RETENTION_H_
#define RAPPORT_COMMON_WORK_RETENTION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"

namespace rapport::work {

// Keeps the tables that grow with every call within bounds:
//   idempotency  goes after 7 days of real time, when its request_id may be used anew
//   event        after `Options::events` of domain time only the newest of each resource and type
//                stays, and nothing goes that a known consumer has not passed (events::CompactOnce)
// What nothing drops, because it is the record: the audit log with the entries of reads (a tree
// whose heads are signed: a leaf less would be a forgery), and events' newest versions. Cursors,
// parked events and items of work are bounded by what they stand for.
//
// Each batch is one short transaction that takes rows nobody writes any more, and one replica's at
// a time: it blocks no writer, and a replica that dies or freezes leaves its batch undone.
class Retention {
 public:
  struct Options {
    absl::Duration events = absl::Hours(24 * 30);
    absl::Duration period = absl::Minutes(10);  // real clock
    int batch = 500;
  };

  Retention(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
            Options options);
  ~Retention();

  void Start();
  // Ends after the batch under way.
  void Stop();

  struct Dropped {
    int64_t idempotency = 0;      // rows
    int64_t event_positions = 0;  // gone over by the compaction
  };
  // Does all there is to do now.
  absl::StatusOr<Dropped> RunOnce();

 private:
  absl::StatusOr<int64_t> ForgetRequests(absl::Time before);
  absl::StatusOr<int64_t> ForgetRequestsOf(const std::string& organization_id, absl::Time before);

  sql::Database& database_;
  time::Clock& clock_;
  const Options options_;
  const telemetry::Family<telemetry::Counter> dropped_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::work

#endif  // RAPPORT_COMMON_WORK_RETENTION_H_
