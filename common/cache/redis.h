#ifndef RAPPORT_COMMON_CACHE_REDIS_H_
#define RAPPORT_COMMON_CACHE_REDIS_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/cache/breaker.h"
#include "common/cache/redis_connection.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/telemetry/metrics.h"

namespace rapport::cache {

struct RedisOptions {
  std::vector<std::string> nodes;  // see RedisAddress; the same, in any order, in every replica
  std::string password_file = "";  // read at each connect; empty: none is sent
  absl::Duration timeout = absl::Milliseconds(30);  // of a round trip
  int connections = 8;                              // to a node, at most
  int failures = 3;                                 // in a row, until a node is left alone
  absl::Duration first_pause = absl::Milliseconds(500);
  absl::Duration longest_pause = absl::Seconds(10);
  telemetry::Metrics* metrics = nullptr;  // outlives this; null: not measured
};

// Values in the memory of Redis nodes, none of which anybody relies on: what can't be had in one
// time-out is not there, and what can't be stored is not stored. A key lies at the node that is
// first by the hash of node and key together, so that a node that comes or goes moves its own keys
// alone; while a node is left alone its keys are just not there. Connecting, probing and storing
// are done by threads of its own; a caller waits for nothing but a round trip on a connection that
// stands, and not even that while all are in use. Thread-safe.
class Redis {
 public:
  // The longest value that is stored or read.
  static constexpr size_t kLongest = 256 * 1024;

  //   kInvalidArgument  no node, one that can't be parsed, or one twice; no such password file
  static absl::StatusOr<std::unique_ptr<Redis>> Make(RedisOptions options);
  ~Redis();

  // What is under each key, in one round trip to each node; nothing where there is none, or one
  // that is too long, or Redis does not answer.
  std::vector<std::optional<std::string>> Get(absl::Span<const std::string> keys);

  // Stores `sealed` (see Sealer) for `life`, later, unless what is there then is newer by its
  // order.
  void Set(std::string key, std::string sealed, absl::Duration life);
  // Forgets what is under `key`, later.
  void Forget(std::string key);

  // Waits until what was to be stored or forgotten is, or is given up; false at the deadline.
  bool Settle(absl::Time deadline);

  // How many nodes are asked at present.
  int nodes_up() const;
  // Of a key's node.
  Breaker::State state(absl::string_view key) const;

 private:
  class Node;
  struct Wish {
    std::string key;
    std::string sealed;  // empty: to forget
    absl::Duration life;
  };

  explicit Redis(RedisOptions options);
  Node& NodeOf(absl::string_view key) const;
  void Enqueue(Wish wish);
  void Tend();
  void Grant();
  void GrantAt(Node& node, const std::vector<const Wish*>& wishes);
  void Count(absl::string_view fault, double by = 1) const;
  // Says how a round trip to `node` ended.
  void Tell(Node& node, const absl::Status& status) const;

  const RedisOptions options_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::optional<telemetry::Family<telemetry::Counter>> faults_;
  std::optional<telemetry::Histogram> duration_;

  Mutex mutex_;
  CondVar settled_;
  std::deque<Wish> wishes_ ABSL_GUARDED_BY(mutex_);
  size_t wished_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool granting_ ABSL_GUARDED_BY(mutex_) = false;

  std::unique_ptr<PeriodicThread> tender_;   // connects and probes
  std::unique_ptr<PeriodicThread> granter_;  // stores and forgets
};

}  // namespace rapport::cache

#endif  // RAPPORT_COMMON_CACHE_REDIS_H_
