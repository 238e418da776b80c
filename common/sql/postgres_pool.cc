#include "common/sql/postgres_pool.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"

namespace rapport::sql::internal {
namespace {

constexpr absl::Duration kLifetime = absl::Minutes(30);
constexpr int kMaxConnecting = 4;

absl::Time NewExpiry() {
  absl::InsecureBitGen random;
  return absl::Now() + kLifetime * absl::Uniform(random, 0.8, 1.2);
}

}  // namespace

PostgresPool::PostgresPool(PostgresTarget target, int max_connections, int max_waiters)
    : target_(std::move(target)), max_connections_(max_connections), max_waiters_(max_waiters) {}

absl::StatusOr<PostgresPool::Lease> PostgresPool::Acquire(absl::Time deadline) {
  ASSIGN_OR_RETURN(Idle idle, AcquireSlot(deadline));
  if (idle.connection != nullptr && absl::Now() < idle.expiry && idle.connection->Alive()) {
    return Lease(this, std::move(idle.connection), idle.expiry);
  }
  idle.connection.reset();
  absl::StatusOr<Lease> opened = Open(deadline);
  if (!opened.ok()) Return({});
  return opened;
}

absl::StatusOr<PostgresPool::Idle> PostgresPool::AcquireSlot(absl::Time deadline) {
  if (absl::Now() >= deadline) return DeadlinePassed();
  MutexLock lock(mutex_);
  if (slots_ < max_connections_) {
    ++slots_;
    if (idle_.empty()) return Idle{};
    Idle idle = std::move(idle_.back());
    idle_.pop_back();
    return idle;
  }
  if (static_cast<int>(waiters_.size()) >= max_waiters_) return TooManyWaiters();
  Waiter waiter;
  waiters_.push_back(&waiter);
  while (!waiter.ready) {
    if (!waiter.granted.WaitUntil(mutex_, deadline) && !waiter.ready) {
      waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &waiter));
      return DeadlinePassed();
    }
  }
  return std::move(waiter.idle);
}

absl::StatusOr<PostgresPool::Lease> PostgresPool::Open(absl::Time deadline) {
  {
    MutexLock lock(mutex_);
    while (connecting_ >= kMaxConnecting) {
      if (!connect_free_.WaitUntil(mutex_, deadline)) return DeadlinePassed();
    }
    ++connecting_;
  }
  absl::StatusOr<std::unique_ptr<PostgresConnection>> connection =
      PostgresConnection::Connect(target_, deadline);
  {
    MutexLock lock(mutex_);
    --connecting_;
    connect_free_.Signal();
  }
  RETURN_IF_ERROR(connection.status());
  return Lease(this, *std::move(connection), NewExpiry());
}

// A waiter inherits the slot with or without a connection.
void PostgresPool::Return(Idle idle) {
  if (idle.connection != nullptr && idle.connection->broken()) idle.connection.reset();
  Idle expired;  // closed after the lock is released
  MutexLock lock(mutex_);
  if (!waiters_.empty()) {
    Waiter* const next = waiters_.front();
    waiters_.pop_front();
    next->idle = std::move(idle);
    next->ready = true;
    next->granted.Signal();
    return;
  }
  --slots_;
  if (idle.connection != nullptr) idle_.push_back(std::move(idle));
  if (!idle_.empty() && idle_.front().expiry <= absl::Now()) {
    expired = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

void PostgresPool::AddTo(Database::Stats& stats) const {
  MutexLock lock(mutex_);
  stats.connections += slots_ + static_cast<int64_t>(idle_.size());
  stats.in_use += slots_;
  stats.waiting += static_cast<int64_t>(waiters_.size());
}

}  // namespace rapport::sql::internal
