#ifndef RAPPORT_COMMON_CRYPTO_REWRAPPER_H_
#define RAPPORT_COMMON_CRYPTO_REWRAPPER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/concurrency/periodic.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"

namespace rapport::crypto {

// The ids of all organisations of `database`, in order.
absl::StatusOr<std::vector<std::string>> Organizations(sql::Database& database);

// After a rotation: wraps all data keys of a service anew with the active key, in the background, a
// hundred a transaction. What is done is done: a process that ends in between, or another replica
// beside it, goes on where it was. Tells how many are left by a metric, and by the log when none
// is.
class Rewrapper {
 public:
  // All outlive it.
  Rewrapper(sql::Database& database, const Vault& vault, telemetry::Metrics& metrics);

  // Tries every `period` of real time, from here until destruction, to wrap what is left; once that
  // is done, it looks again every 15 minutes.
  void Start(absl::Duration period = absl::Seconds(10));

  // Wraps what is left; how many.
  absl::StatusOr<int64_t> RunOnce();

  // How many were left at the last look; -1 before the first.
  int64_t left() const { return left_.load(); }

 private:
  absl::StatusOr<int64_t> RewrapAllOf(const std::string& organization_id);

  sql::Database& database_;
  const Vault& vault_;
  std::atomic<int64_t> left_{-1};
  absl::Time next_look_ = absl::InfinitePast();  // real clock; the thread's alone
  std::unique_ptr<PeriodicThread> thread_;
};

}  // namespace rapport::crypto

#endif  // RAPPORT_COMMON_CRYPTO_REWRAPPER_H_
