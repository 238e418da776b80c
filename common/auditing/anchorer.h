#ifndef RAPPORT_COMMON_AUDITING_ANCHORER_H_
#define RAPPORT_COMMON_AUDITING_ANCHORER_H_

#include <atomic>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/audit/heads.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"

namespace rapport::auditing {

// Signs the heads of grown trees and anchors them outside of the database, one a minute at most for
// each organisation, and once more when the service stops. Replicas share the work: who holds the
// organisation's lock does it, and the database remembers the head in the same transaction. What
// acts outside of it does no harm when it is repeated.
//
// Before a head is signed, the tree is held to the last one that was anchored. A log that was
// rewritten is not signed again; the error log and a metric tell.
class Anchorer {
 public:
  struct Options {  // real clock
    absl::Duration tick = absl::Seconds(5);
    absl::Duration apart = absl::Minutes(1);
  };

  // What is given outlives it; `metrics` may be null.
  Anchorer(sql::Database& database, const audit::HeadSigner& signer, audit::AnchorLog& anchors,
           telemetry::Metrics* metrics)
      : Anchorer(database, signer, anchors, metrics, Options()) {}
  Anchorer(sql::Database& database, const audit::HeadSigner& signer, audit::AnchorLog& anchors,
           telemetry::Metrics* metrics, Options options);
  ~Anchorer();

  void Start() { running_ = true; }
  // Anchors all that has grown.
  void Stop();

  // Anchors the trees that have grown and, unless `all`, whose last head is old enough. Returns how
  // many; goes on with the others where one fails, and returns its error at the end.
  //   kFailedPrecondition AUDIT_REWRITTEN  a tree does not go on from its last anchored head
  absl::StatusOr<int> RunOnce(absl::Time now, bool all);

 private:
  absl::StatusOr<bool> Anchor(const std::string& organization_id, absl::Time now, bool all);
  absl::Status HoldToLast(sql::Session& session, const std::string& organization_id,
                          int64_t tree_size, const audit::AnchorLog::State& state);
  void Tick();

  sql::Database& database_;
  const audit::HeadSigner& signer_;
  audit::AnchorLog& anchors_;
  const Options options_;
  std::optional<telemetry::Gauge> tree_size_;
  std::optional<telemetry::Family<telemetry::Counter>> failed_;
  std::atomic<bool> running_{false};
  PeriodicThread ticker_;
};

}  // namespace rapport::auditing

#endif  // RAPPORT_COMMON_AUDITING_ANCHORER_H_
