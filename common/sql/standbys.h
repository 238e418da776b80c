#ifndef RAPPORT_COMMON_SQL_STANDBYS_H_
#define RAPPORT_COMMON_SQL_STANDBYS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/sql/durability.h"
#include "common/sql/postgres_connection.h"
#include "common/sql/postgres_pool.h"
#include "common/telemetry/metrics.h"

namespace rapport::sql::internal {

// Fails on every server but the one that started at $1, as Choice::incarnation; the next statements
// of the transaction then fail too.
extern const Command kSameServer;

// `text`, apart by commas: each host, or host:port.
//   kInvalidArgument  one is empty, or its port is none
absl::StatusOr<std::vector<PostgresTarget>> ReadHosts(absl::string_view text,
                                                      const PostgresTarget& primary);

// Hot standbys that answer reads which may trail, and the proof of what each holds. A thread of
// each asks the primary how far its log is on disk, then the standby whether it has replayed that;
// it then holds all that was acknowledged before the first question. A proof is of one incarnation
// of the server (what it shows only grows until it restarts), of the primary's cluster, and of the
// newest timeline that this process has met: a standby that a failover left behind proves nothing,
// nor does the primary from before it. Thread-safe.
class Standbys {
 public:
  struct Options {
    int max_connections = 16;  // to each, for reads; one more looks
    int max_waiters = 256;
    absl::Duration max_lag = absl::Seconds(1);
    telemetry::Metrics* metrics = nullptr;  // may be null
  };

  // `greet` is for connections to `primary`, whose servers `durability` judges.
  Standbys(const PostgresTarget& primary, std::vector<PostgresTarget> hosts,
           PostgresPool::Greet greet, Durability& durability, Options options);
  ~Standbys();

  struct Choice {
    PostgresPool* pool;
    int64_t incarnation;
    size_t standby;
  };
  // One that trails by `max_lag` at most, and holds what this process wrote for the organisation.
  std::optional<Choice> Choose(absl::string_view organization_id);

  // How the read went. One that the connection failed is left alone until it is proven anew.
  void Ended(const Choice& choice, const absl::Status& status);

  // A write for the organisation has ended; `until`: its outcome may be told up to then.
  void Wrote(absl::string_view organization_id, absl::Duration until = absl::ZeroDuration());

 private:
  struct Sample;
  class Standby;

  absl::StatusOr<Sample> Look(absl::Time deadline);
  int64_t LastWrite(absl::string_view organization_id, int64_t not_before);
  void Count(absl::string_view answered_by) const;

  const Options options_;
  Durability& durability_;
  PostgresPool primary_;
  std::optional<telemetry::Family<telemetry::Counter>> reads_;
  std::atomic<size_t> next_{0};

  Mutex mutex_;
  // When, by the steady clock in µs, this process last wrote for an organisation.
  absl::flat_hash_map<std::string, int64_t> wrote_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::unique_ptr<Standby>> standbys_;  // last: their threads use the above
};

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_STANDBYS_H_
