#include "common/sql/postgres_pool.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"

namespace rapport::sql::internal {
namespace {

constexpr absl::Duration kLifetime = absl::Minutes(30);
constexpr int kMaxConnecting = 4;
constexpr absl::Duration kFull = absl::Seconds(1);
constexpr absl::Duration kNextHost = absl::Seconds(2);

absl::Time NewExpiry() {
  absl::InsecureBitGen random;
  return absl::Now() + kLifetime * absl::Uniform(random, 0.8, 1.2);
}

}  // namespace

PostgresPool::PostgresPool(PostgresTarget target, int max_connections, int max_waiters, Greet greet)
    : target_(std::move(target)),
      hosts_(absl::StrSplit(target_.host, ',')),
      max_connections_(max_connections),
      max_waiters_(max_waiters),
      greet_(std::move(greet)) {}

absl::StatusOr<PostgresPool::Lease> PostgresPool::Acquire(absl::Time deadline) {
  for (;;) {
    ASSIGN_OR_RETURN(Idle idle, AcquireSlot(deadline));
    if (idle.connection != nullptr && absl::Now() < idle.expiry && idle.connection->Alive()) {
      return Lease(this, std::move(idle.connection), idle.expiry);
    }
    idle.connection.reset();
    absl::StatusOr<Lease> opened = Open(deadline);
    if (opened.ok()) return opened;
    if (errors::Reason(opened.status()) == kNoConnectionLeft && GiveWay()) continue;
    Return({});
    return opened;
  }
}

absl::Status PostgresPool::Warm(int count, absl::Time deadline) {
  std::vector<Lease> leases;
  for (int i = 0; i < std::min(count, max_connections_); ++i) {
    absl::StatusOr<Lease> lease = Acquire(deadline);
    RETURN_IF_ERROR(lease.status());
    leases.push_back(*std::move(lease));
  }
  return absl::OkStatus();
}

// Gives up a slot that the server has no connection for, where another of ours will come back.
bool PostgresPool::GiveWay() {
  MutexLock lock(mutex_);
  full_until_ = absl::Now() + kFull;
  if (slots_ == 1) return false;
  --slots_;
  return true;
}

absl::StatusOr<PostgresPool::Idle> PostgresPool::AcquireSlot(absl::Time deadline) {
  if (absl::Now() >= deadline) return DeadlinePassed();
  MutexLock lock(mutex_);
  if (!idle_.empty()) {
    ++slots_;
    Idle idle = std::move(idle_.back());
    idle_.pop_back();
    return idle;
  }
  if (slots_ == 0 || (slots_ < max_connections_ && absl::Now() >= full_until_)) {
    ++slots_;
    return Idle{};
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
  absl::StatusOr<std::unique_ptr<PostgresConnection>> connection = ConnectToAny(deadline);
  {
    MutexLock lock(mutex_);
    --connecting_;
    connect_free_.Signal();
  }
  RETURN_IF_ERROR(connection.status());
  return Lease(this, *std::move(connection), NewExpiry());
}

// A host that doesn't answer leaves time for the others. One that may only be read is better than
// none.
absl::StatusOr<std::unique_ptr<PostgresConnection>> PostgresPool::ConnectToAny(
    absl::Time deadline) {
  std::unique_ptr<PostgresConnection> readable;
  absl::Status failure;
  const size_t first = preferred_;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const size_t at = (first + i) % hosts_.size();
    const bool last = i + 1 == hosts_.size();
    const absl::Time until = last ? deadline : std::min(deadline, absl::Now() + kNextHost);
    PostgresTarget target = target_;
    target.host = hosts_[at];
    absl::StatusOr<std::unique_ptr<PostgresConnection>> connection =
        PostgresConnection::Connect(target, until);
    const absl::Status status = connection.ok() ? greet_(**connection, until) : connection.status();
    if (!status.ok()) {
      failure = status;
    } else if ((*connection)->standing().verdict.ok()) {
      preferred_ = at;
      return connection;
    } else if (readable == nullptr) {
      readable = *std::move(connection);
    }
  }
  if (readable != nullptr) return readable;
  return failure;
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

int PostgresPool::InUse() const {
  MutexLock lock(mutex_);
  return slots_;
}

void PostgresPool::AddTo(Database::Stats& stats) const {
  MutexLock lock(mutex_);
  stats.connections += slots_ + static_cast<int64_t>(idle_.size());
  stats.in_use += slots_;
  stats.waiting += static_cast<int64_t>(waiters_.size());
}

}  // namespace rapport::sql::internal
