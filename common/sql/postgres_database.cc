#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <openssl/sha.h>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"
#include "common/sql/durability.h"
#include "common/sql/migrations.h"
#include "common/sql/postgres_connection.h"
#include "common/sql/postgres_pool.h"
#include "common/sql/schema.h"
#include "common/sql/standbys.h"

namespace rapport::sql {
namespace {

using internal::Command;
using internal::Durability;
using internal::PostgresConnection;
using internal::PostgresPool;
using internal::PostgresTarget;
using internal::Standbys;
using Until = PostgresConnection::Until;

constexpr Command kBeginRead = {"sql.begin_read",
                                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"};
constexpr Command kBeginWrite = {"sql.begin_write",
                                 "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"};
// True: until the transaction ends, so that nothing of a tenant stays on the connection.
constexpr Command kSetTenant = {"sql.set_tenant",
                                "SELECT set_config('app.tenant', $1, true),"
                                " set_config('statement_timeout', $2, true)"};
// The same behind a pooler, where no setting of the session's can be relied on. synchronous_commit
// is raised only, as by kRaiseCommit.
constexpr Command kSetPooled = {
    "sql.set_pooled",
    "SELECT set_config('app.tenant', $1, true), set_config('statement_timeout', $2, true),"
    " set_config('lock_timeout', '5s', true),"
    " set_config('idle_in_transaction_session_timeout', '10s', true),"
    " set_config('synchronous_commit', CASE WHEN $3 = 0 OR current_setting('synchronous_commit') ="
    "  'remote_apply' THEN current_setting('synchronous_commit') ELSE 'on' END, true)"};
constexpr Command kSetTimeout = {"sql.set_timeout",
                                 "SELECT set_config('statement_timeout', $1, true)"};
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

// Longest that a read waits for a standby; half of its time, where that is less.
constexpr absl::Duration kStandbyPatience = absl::Seconds(5);

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
  // What holds for every transaction of a database.
  struct Manner {
    bool pooled = false;
    bool raise_commit = false;
  };

  PostgresTransaction(PostgresConnection& connection, Manner manner, const Command& begin,
                      const Access& access, absl::Time deadline)
      : connection_(connection),
        manner_(manner),
        begin_(begin),
        access_(access),
        deadline_(deadline) {}

  using Session::Query;
  using Transaction::Defer;

  // Fails but on the server that started then, as Standbys::Choice::incarnation.
  void OnlyAt(int64_t incarnation) { incarnation_ = incarnation; }

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
    if (begun_) return LimitTime();
    begun_ = true;
    connection_.Send(begin_);
    limit_ = TimeoutMillis(deadline_);
    const Value tenant = Text(access_.organization_id()), limit = Text(absl::StrCat(limit_));
    if (manner_.pooled) {
      connection_.Send(kSetPooled, {tenant, limit, Int(manner_.raise_commit ? 1 : 0)});
    } else {
      connection_.Send(kSetTenant, {tenant, limit});
    }
    if (incarnation_) connection_.Send(internal::kSameServer, {Int(*incarnation_)});
  }

  // The server counts each statement's time anew: it is told again once half of it is spent.
  void LimitTime() {
    const int64_t left = TimeoutMillis(deadline_);
    if (2 * left > limit_ || limit_ == 0) return;
    limit_ = left;
    connection_.Send(kSetTimeout, {Text(absl::StrCat(limit_))});
  }

  template <class Any>
  absl::StatusOr<Result> Run(const Any& statement, absl::Span<const Value> parameters) {
    if (!failure_.ok()) return failure_;
    Begin();
    connection_.Send(statement, parameters);
    // Not a flush: only once a pipeline has ended does the server's time-out of an idle transaction
    // run, which ends that of a frozen replica.
    absl::StatusOr<Result> result = connection_.RoundTrip(Until::kSync, deadline_ + kGrace);
    failure_ = result.status();
    return result;
  }

  PostgresConnection& connection_;
  const Manner manner_;
  const Command& begin_;
  const Access& access_;
  const absl::Time deadline_;
  bool begun_ = false;
  int64_t limit_ = 0;  // statement_timeout of the transaction, ms
  std::optional<int64_t> incarnation_;
  absl::Status failure_;
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(const PostgresOptions& options, std::vector<Component> components,
                   std::vector<PostgresTarget> read_hosts)
      : components_(internal::WithFoundation(std::move(components))),
        manner_({.pooled = options.pooler == Pooler::kTransaction,
                 .raise_commit = !options.allow_unsafe_durability}),
        warm_connections_(options.warm_connections),
        durability_({.allow_unsafe = options.allow_unsafe_durability,
                     .require_synchronous_standby = options.require_synchronous_standby}),
        tenants_(TenantsTarget(options), options.max_connections, options.max_waiters, Greeting()),
        feed_({.host = options.host,
               .port = options.port,
               .database = options.name,
               .user = options.feed_user,
               .password_file = options.feed_password_file,
               .pooled = manner_.pooled},
              kFeedConnections, options.max_waiters, Greeting()) {
    if (read_hosts.empty()) return;
    standbys_.emplace(TenantsTarget(options), std::move(read_hosts), Greeting(), durability_,
                      Standbys::Options{.max_connections = options.max_connections,
                                        .max_waiters = options.max_waiters,
                                        .max_lag = options.max_read_lag,
                                        .metrics = options.metrics});
  }

  static PostgresTarget TenantsTarget(const PostgresOptions& options) {
    return {.host = options.host,
            .port = options.port,
            .database = options.name,
            .user = options.user,
            .password_file = options.password_file,
            .pooled = options.pooler == Pooler::kTransaction};
  }

  Engine engine() const override { return Engine::kPostgres; }

  absl::Status Read(const Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(Session&)> body) override {
    if (standbys_ && access.may_trail() && ReadStandby(access, deadline, body)) {
      return absl::OkStatus();
    }
    return ReadFrom(Pool(access), std::nullopt, access, deadline, body);
  }

  absl::Status Write(const Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(Transaction&)> body) override {
    absl::InsecureBitGen random;
    for (absl::Duration pause = absl::Milliseconds(4);;
         pause = std::min(2 * pause, kLongestPause)) {
      absl::Status status;
      const bool lost_race = WriteOnce(access, deadline, body, status);
      if (standbys_ && !access.is_feed()) {
        // What became of it is told by the deadline.
        standbys_->Wrote(access.organization_id(), errors::Reason(status) == "COMMIT_UNKNOWN"
                                                       ? UntilTold(deadline)
                                                       : absl::ZeroDuration());
      }
      if (!lost_race) return status;
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
    for (PostgresPool* pool : {&feed_, &tenants_}) {
      absl::StatusOr<PostgresPool::Lease> lease = pool->Acquire(deadline);
      // A pool that is full of work says nothing against the database, which the feed's reached.
      if (pool == &tenants_ && warm_ && pool->InUse() > 0 && !lease.ok() &&
          (absl::IsDeadlineExceeded(lease.status()) || absl::IsResourceExhausted(lease.status()))) {
        return absl::OkStatus();
      }
      RETURN_IF_ERROR(lease.status());
      const Access nobody = Access::Feed();
      PostgresTransaction transaction(**lease, manner_, kBeginRead, nobody, deadline);
      const absl::Status status = CheckReady(transaction);
      transaction.End(kCommit);
      RETURN_IF_ERROR(status);
    }
    // So that the first callers find connections, and a rollout shows early that there are too few.
    if (!warm_) {
      RETURN_IF_ERROR(tenants_.Warm(warm_connections_, deadline));
      warm_ = true;
    }
    return absl::OkStatus();
  }

 private:
  static constexpr absl::Duration kLongestPause = absl::Milliseconds(100);
  // For how long a look at the server's durability is relied on.
  static constexpr absl::Duration kFresh = absl::Seconds(5);

  static absl::Duration UntilTold(absl::Time deadline) {
    return std::clamp(deadline - absl::Now(), absl::ZeroDuration(), absl::Minutes(1));
  }

  absl::Status ReadFrom(PostgresPool& pool, std::optional<int64_t> incarnation,
                        const Access& access, absl::Time deadline,
                        absl::FunctionRef<absl::Status(Session&)> body) {
    ASSIGN_OR_RETURN(PostgresPool::Lease lease, pool.Acquire(deadline));
    PostgresTransaction transaction(*lease, manner_, kBeginRead, access, deadline);
    if (incarnation) transaction.OnlyAt(*incarnation);
    absl::Status status = body(transaction);
    status.Update(transaction.failure());
    transaction.End(kCommit);
    return status;
  }

  // True: a standby gave `body` all that it asked for. Whatever else comes of it the primary is
  // asked: of what is not found there it may know.
  bool ReadStandby(const Access& access, absl::Time deadline,
                   absl::FunctionRef<absl::Status(Session&)> body) {
    const std::optional<Standbys::Choice> choice = standbys_->Choose(access.organization_id());
    if (!choice) return false;
    const absl::Time now = absl::Now();
    const absl::Time until = now + std::min((deadline - now) / 2, kStandbyPatience);
    const absl::Status status = ReadFrom(*choice->pool, choice->incarnation, access, until, body);
    standbys_->Ended(*choice, status);
    return status.ok();
  }

  PostgresPool& Pool(const Access& access) { return access.is_feed() ? feed_ : tenants_; }

  PostgresPool::Greet Greeting() {
    return [this](PostgresConnection& connection, absl::Time deadline) -> absl::Status {
      if (!durability_.enforced()) return absl::OkStatus();
      if (!manner_.pooled) connection.Send(internal::kRaiseCommit);
      RETURN_IF_ERROR(Inspect(connection, deadline));
      // What it would read is from before the failover too.
      const absl::Status& verdict = connection.standing().verdict;
      return errors::Reason(verdict) == internal::kStalePrimary ? verdict : absl::OkStatus();
    };
  }

  // Asks the server outside of a transaction. Fails only where it doesn't answer: reads go on.
  absl::Status Inspect(PostgresConnection& connection, absl::Time deadline) {
    connection.Send(internal::kInspect);
    ASSIGN_OR_RETURN(const Result row, connection.RoundTrip(Until::kSync, deadline + kGrace));
    connection.standing() = {durability_.Observe(row), absl::Now()};
    return absl::OkStatus();
  }

  absl::Status CheckDurable(PostgresConnection& connection, absl::Time deadline) {
    if (!durability_.enforced()) return absl::OkStatus();
    if (absl::Now() - connection.standing().looked > kFresh) {
      RETURN_IF_ERROR(Inspect(connection, deadline));
    }
    return connection.standing().verdict;
  }

  // One run of `body`, whose outcome goes to `status`. True where it lost a race and may repeat.
  bool WriteOnce(const Access& access, absl::Time deadline,
                 absl::FunctionRef<absl::Status(Transaction&)> body, absl::Status& status) {
    absl::StatusOr<PostgresPool::Lease> lease = Pool(access).Acquire(deadline);
    if (!lease.ok()) {
      status = lease.status();
      return false;
    }
    status = CheckDurable(**lease, deadline);
    if (!status.ok()) return false;
    PostgresTransaction transaction(**lease, manner_, kBeginWrite, access, deadline);
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
    if (durability_.enforced()) {
      ASSIGN_OR_RETURN(const Result row, transaction.Query(internal::kInspect, {}));
      RETURN_IF_ERROR(durability_.Observe(row));
    }
    const absl::StatusOr<Result> versions = transaction.Query(kVersions, {});
    if (absl::IsInternal(versions.status())) {  // no such table
      return CheckSchema(1, 0, 0, internal::WithFoundation({}).front().name);
    }
    RETURN_IF_ERROR(versions.status());
    return internal::CheckSchema(components_, Engine::kPostgres, *versions);
  }

  const std::vector<Component> components_;
  const PostgresTransaction::Manner manner_;
  const int warm_connections_;
  std::atomic<bool> warm_{false};
  Durability durability_;
  PostgresPool tenants_;
  PostgresPool feed_;
  std::optional<Standbys> standbys_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const PostgresOptions& options,
                                                       std::vector<Component> components) {
  std::vector<PostgresTarget> read_hosts;
  if (!options.read_hosts.empty()) {
    if (options.allow_unsafe_durability) {
      return errors::InvalidArgument("postgres_read_hosts",
                                     "is not for a server that may lose what it acknowledged: "
                                     "leave out allow_unsafe_durability, or read_hosts");
    }
    ASSIGN_OR_RETURN(read_hosts, internal::ReadHosts(options.read_hosts,
                                                     PostgresDatabase::TenantsTarget(options)));
  }
  return std::make_unique<PostgresDatabase>(options, std::move(components), std::move(read_hosts));
}

}  // namespace rapport::sql
