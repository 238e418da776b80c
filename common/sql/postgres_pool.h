#ifndef RAPPORT_COMMON_SQL_POSTGRES_POOL_H_
#define RAPPORT_COMMON_SQL_POSTGRES_POOL_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/sql/postgres_connection.h"

namespace rapport::sql::internal {

// Connections of one user: bounded in number, in waiters and in concurrent connects. The one used
// last serves first, so that spare ones grow old; waiters are served in order. Where the server
// takes no more connections, the pool makes do with those that it has, and tries for more a second
// later. Thread-safe.
class PostgresPool {
 public:
  // Prepares a new connection to serve, and leaves in its standing() whether for writes too; a
  // failure discards it.
  using Greet = std::function<absl::Status(PostgresConnection&, absl::Time deadline)>;

  // Of several hosts in `target`, apart by commas, one that may be written to is preferred.
  PostgresPool(PostgresTarget target, int max_connections, int max_waiters, Greet greet);

  // A connection on loan; goes back when destroyed.
  class Lease {
   public:
    Lease(PostgresPool* pool, std::unique_ptr<PostgresConnection> connection, absl::Time expiry)
        : pool_(pool), connection_(std::move(connection)), expiry_(expiry) {}
    Lease(Lease&&) = default;
    ~Lease() {
      if (connection_ != nullptr) pool_->Return({std::move(connection_), expiry_});
    }
    PostgresConnection& operator*() const { return *connection_; }
    PostgresConnection* operator->() const { return connection_.get(); }

   private:
    PostgresPool* pool_;
    std::unique_ptr<PostgresConnection> connection_;
    absl::Time expiry_;
  };

  // kResourceExhausted where too many wait, kDeadlineExceeded, kUnavailable where the server can't
  // be reached.
  absl::StatusOr<Lease> Acquire(absl::Time deadline);

  // Opens connections until there are `count`, or as many as the pool may have.
  absl::Status Warm(int count, absl::Time deadline);

  void AddTo(Database::Stats& stats) const;
  int InUse() const;

 private:
  struct Idle {
    std::unique_ptr<PostgresConnection> connection;
    absl::Time expiry;
  };
  // The right to hold one connection, which may have to be opened first.
  struct Waiter {
    CondVar granted;
    bool ready = false;
    Idle idle;
  };

  absl::StatusOr<Idle> AcquireSlot(absl::Time deadline);
  absl::StatusOr<Lease> Open(absl::Time deadline);
  absl::StatusOr<std::unique_ptr<PostgresConnection>> ConnectToAny(absl::Time deadline);
  bool GiveWay();
  void Return(Idle idle);

  const PostgresTarget target_;
  const std::vector<std::string> hosts_;
  std::atomic<size_t> preferred_{0};
  const int max_connections_;
  const int max_waiters_;
  const Greet greet_;

  mutable Mutex mutex_;
  std::vector<Idle> idle_ ABSL_GUARDED_BY(mutex_);
  std::deque<Waiter*> waiters_ ABSL_GUARDED_BY(mutex_);
  int slots_ ABSL_GUARDED_BY(mutex_) = 0;  // on loan or being opened
  int connecting_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time full_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  CondVar connect_free_;
};

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_POSTGRES_POOL_H_
