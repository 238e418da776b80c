#include <algorithm>
#include <utility>

#include <openssl/sha.h>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"
#include "common/sql/migrations.h"
#include "common/sql/postgres_connection.h"
#include "common/sql/postgres_pool.h"
#include "common/sql/schema.h"

namespace rapport::sql {
namespace {

using internal::Command;
using internal::PostgresConnection;
using internal::PostgresPool;
using Until = PostgresConnection::Until;

constexpr Command kBeginRead = {"sql.begin_read",
                                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"};
constexpr Command kBeginWrite = {"sql.begin_write",
                                 "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"};
// True: until the transaction ends, so that nothing of a tenant stays on the connection.
constexpr Command kSetTenant = {"sql.set_tenant",
                                "SELECT set_config('app.tenant', $1, true),"
                                " set_config('statement_timeout', $2, true)"};
constexpr Command kCommit = {"sql.commit", "COMMIT"};
constexpr Command kRollback = {"sql.rollback", "ROLLBACK"};
constexpr Command kLock = {"sql.lock",
                           "SELECT pg_advisory_xact_lock(key)"
                           " FROM unnest(CAST($1 AS BIGINT[])) AS key"};
constexpr Command kTryLock = {"sql.try_lock", "SELECT pg_try_advisory_xact_lock($1)"};
constexpr Command kVersions = {"sql.versions", internal::kSelectVersions};
constexpr Command kBypassesPolicies = {
    "sql.bypasses_policies",
    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"};

constexpr int kFeedConnections = 3;

// The server cancels a statement at the deadline. Its answer is awaited a little longer, because a
// connection given up with an answer under way must be closed.
constexpr absl::Duration kGrace = absl::Milliseconds(250);

// Statement time-outs are in ms; 0 is none.
int64_t TimeoutMillis(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return 0;
  return std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 1, INT32_MAX);
}

int64_t LockKey(absl::string_view key) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return static_cast<int64_t>(number);
}

// A transaction on one connection. It begins with the first statement's round trip. After a failure
// every call repeats it, as the server would refuse anything but the end.
class PostgresTransaction final : public Transaction {
 public:
  PostgresTransaction(PostgresConnection& connection, const Command& begin, const Access& access,
                      absl::Time deadline)
      : connection_(connection), begin_(begin), access_(access), deadline_(deadline) {}

  using Session::Query;
  using Transaction::Defer;

  Engine engine() const override { return Engine::kPostgres; }

  absl::StatusOr<Result> Query(const Statement& statement,
                               absl::Span<const Value> parameters) override {
    return Run(statement, parameters);
  }
  absl::StatusOr<Result> Query(const Command& command, absl::Span<const Value> parameters) {
    return Run(command, parameters);
  }

  void Defer(const Statement& statement, absl::Span<const Value> parameters) override {
    if (!failure_.ok()) return;
    Begin();
    connection_.Send(statement, parameters);
  }

  void Lock(std::vector<std::string> keys) override {
    if (keys.empty() || !failure_.ok()) return;
    std::vector<int64_t> numbers;
    numbers.reserve(keys.size());
    for (const std::string& key : keys) numbers.push_back(LockKey(key));
    std::sort(numbers.begin(), numbers.end());
    Begin();
    connection_.Send(kLock, {Text(absl::StrCat("{", absl::StrJoin(numbers, ","), "}"))});
  }

  absl::Status TryLock(absl::string_view key) override {
    ASSIGN_OR_RETURN(const Result result, Query(kTryLock, {Int(LockKey(key))}));
    if (result.Bool(0, 0)) return absl::OkStatus();
    return errors::Aborted("LOCKED", "Another transaction works on the same. Repeat later.");
  }

  // What the body left behind, if not the body's own status.
  const absl::Status& failure() const { return failure_; }

  absl::Status Commit() {
    if (!begun_) return absl::OkStatus();
    connection_.Send(kCommit);
    const absl::Status status = connection_.RoundTrip(Until::kSync, deadline_ + kGrace).status();
    if (status.ok()) return status;
    if (connection_.broken()) {
      return errors::Unavailable(
          "COMMIT_UNKNOWN",
          "The connection broke during COMMIT. Repeat the call with the same "
          "request_id to learn its outcome.",
          "database");
    }
    connection_.Abandon(kRollback);
    return status;
  }

  void End(const Command& command) {
    if (begun_ && !connection_.broken()) connection_.Abandon(command);
  }

 private:
  void Begin() {
    if (begun_) return;
    begun_ = true;
    connection_.Send(begin_);
    connection_.Send(kSetTenant, {Text(access_.organization_id()),
                                  Text(absl::StrCat(TimeoutMillis(deadline_)))});
  }

  template <class Any>
  absl::StatusOr<Result> Run(const Any& statement, absl::Span<const Value> parameters) {
    if (!failure_.ok()) return failure_;
    Begin();
    connection_.Send(statement, parameters);
    absl::StatusOr<Result> result = connection_.RoundTrip(Until::kFlush, deadline_ + kGrace);
    failure_ = result.status();
    return result;
  }

  PostgresConnection& connection_;
  const Command& begin_;
  const Access& access_;
  const absl::Time deadline_;
  bool begun_ = false;
  absl::Status failure_;
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(const PostgresOptions& options, std::vector<Component> components)
      : components_(internal::WithFoundation(std::move(components))),
        tenants_({options.host, options.port, options.name, options.user, options.password_file},
                 options.max_connections, options.max_waiters),
        feed_({options.host, options.port, options.name, options.feed_user,
               options.feed_password_file},
              kFeedConnections, options.max_waiters) {}

  Engine engine() const override { return Engine::kPostgres; }

  absl::Status Read(const Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(Session&)> body) override {
    ASSIGN_OR_RETURN(PostgresPool::Lease lease, Pool(access).Acquire(deadline));
    PostgresTransaction transaction(*lease, kBeginRead, access, deadline);
    absl::Status status = body(transaction);
    status.Update(transaction.failure());
    transaction.End(kCommit);
    return status;
  }

  absl::Status Write(const Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(Transaction&)> body) override {
    absl::InsecureBitGen random;
    for (absl::Duration pause = absl::Milliseconds(4);;
         pause = std::min(2 * pause, kLongestPause)) {
      absl::Status status;
      if (!WriteOnce(access, deadline, body, status)) return status;
      const absl::Duration rest = pause * absl::Uniform(random, 0.0, 1.0);
      if (absl::Now() + rest >= deadline) return status;
      absl::SleepFor(rest);
    }
  }

  Stats stats() const override {
    Stats stats;
    tenants_.AddTo(stats);
    feed_.AddTo(stats);
    return stats;
  }

  absl::Status Ready(absl::Time deadline) override {
    for (PostgresPool* pool : {&tenants_, &feed_}) {
      ASSIGN_OR_RETURN(PostgresPool::Lease lease, pool->Acquire(deadline));
      const Access nobody = Access::Feed();
      PostgresTransaction transaction(*lease, kBeginRead, nobody, deadline);
      const absl::Status status = CheckReady(transaction);
      transaction.End(kCommit);
      RETURN_IF_ERROR(status);
    }
    return absl::OkStatus();
  }

 private:
  static constexpr absl::Duration kLongestPause = absl::Milliseconds(100);

  PostgresPool& Pool(const Access& access) { return access.is_feed() ? feed_ : tenants_; }

  // One run of `body`, whose outcome goes to `status`. True where it lost a race and may repeat.
  bool WriteOnce(const Access& access, absl::Time deadline,
                 absl::FunctionRef<absl::Status(Transaction&)> body, absl::Status& status) {
    absl::StatusOr<PostgresPool::Lease> lease = Pool(access).Acquire(deadline);
    if (!lease.ok()) {
      status = lease.status();
      return false;
    }
    PostgresTransaction transaction(**lease, kBeginWrite, access, deadline);
    status = body(transaction);
    absl::Status failure = transaction.failure();
    if (status.ok() && failure.ok()) {
      status = failure = transaction.Commit();
    } else {
      status.Update(failure);
      transaction.End(kRollback);
    }
    return errors::Reason(failure) == "SERIALIZATION_FAILURE";
  }

  absl::Status CheckReady(PostgresTransaction& transaction) {
    ASSIGN_OR_RETURN(const Result bypasses, transaction.Query(kBypassesPolicies, {}));
    if (bypasses.empty() || bypasses.Bool(0, 0)) {
      return errors::FailedPrecondition(
          "ROLE_BYPASSES_POLICIES",
          "The database user is a superuser or has BYPASSRLS, so that tenants are not kept apart. "
          "Connect as rapport_app and rapport_feed.");
    }
    const absl::StatusOr<Result> versions = transaction.Query(kVersions, {});
    if (absl::IsInternal(versions.status())) {  // no such table
      return CheckSchema(1, 0, 0, internal::WithFoundation({}).front().name);
    }
    RETURN_IF_ERROR(versions.status());
    return internal::CheckSchema(components_, Engine::kPostgres, *versions);
  }

  const std::vector<Component> components_;
  PostgresPool tenants_;
  PostgresPool feed_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const PostgresOptions& options,
                                                       std::vector<Component> components) {
  return std::make_unique<PostgresDatabase>(options, std::move(components));
}

}  // namespace rapport::sql
