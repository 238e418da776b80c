#ifndef RAPPORT_COMMON_WORK_WORK_H_
#define RAPPORT_COMMON_WORK_WORK_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"

// What a service must do by itself at some time: let a hold end, pass a freed time on, remind. An
// item is written in the transaction that makes it necessary, and done in one transaction with its
// removal, so that it is done once, by whichever replica comes first, and survives the death of
// any.
namespace rapport::work {

// The migrations of the table of items (component "work").
const sql::Component& Migrations();

// Deferred. There is one item of a kind and key in an organisation; it is put off, or brought
// forward, to `due`. Keys hold ids, no text. Neither this nor Unschedule waits for a worker that is
// doing the item: that one goes on, so an act looks whether there is still something to do, and
// what is scheduled meanwhile is done after it.
void Schedule(sql::Transaction& tx, absl::string_view organization_id, absl::string_view kind,
              absl::string_view key, absl::Time due);

// Deferred; nothing happens where there is none.
void Unschedule(sql::Transaction& tx, absl::string_view organization_id, absl::string_view kind,
                absl::string_view key);

// Schedules an item for `now` in each organisation that this database knows and that has none of
// that kind and key: for what every organisation needs from time to time, and keeps alive by
// scheduling itself anew. Each in a transaction of its own.
absl::Status ScheduleEverywhere(sql::Database& database, absl::string_view kind,
                                absl::string_view key, absl::Time now);

struct Item {
  std::string organization_id;
  std::string kind;
  std::string key;
  absl::Time due;
  int attempts = 0;  // that failed before
};

// Does `item` inside `tx`, a transaction of its organisation, which holds the item and removes it
// at the end, unless the act has scheduled it anew. A failure changes nothing: the item is tried
// again after a pause that grows from 1 s to 5 min.
using Act = std::function<absl::Status(sql::Transaction& tx, const Item& item, absl::Time now)>;

// Does what is due. Thread-safe after the last On.
class Worker {
 public:
  Worker(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics);
  ~Worker();

  // Before Start and RunOnce. `kind` has no comma.
  void On(absl::string_view kind, Act act);

  // Looks every `period` of real time until Stop, which waits for the item under way.
  void Start(absl::Duration period = absl::Milliseconds(200));
  void Stop();

  // Does what is due now, at most `limit` items, each in its own transaction; returns how many were
  // done. Items held by another replica are left to it; so are kinds that this worker does not
  // know.
  absl::StatusOr<int> RunOnce(int limit = 500);

 private:
  absl::StatusOr<std::vector<Item>> Due(absl::Time now, int limit);
  // Whether it was there to be done, and was.
  absl::StatusOr<bool> Do(const Item& item);
  absl::Status PutOff(const Item& item, int64_t revision, absl::Time now,
                      const absl::Status& failure);

  sql::Database& database_;
  time::Clock& clock_;
  const telemetry::Family<telemetry::Counter> done_;
  const telemetry::Family<telemetry::Counter> failed_;
  const telemetry::Gauge oldest_;
  const telemetry::Gauge due_;
  std::map<std::string, Act, std::less<>> acts_;
  std::string kinds_ = ",";  // as ",hold,freed_time,"
  std::atomic<bool> stopping_{false};
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::work

#endif  // RAPPORT_COMMON_WORK_WORK_H_
