#ifndef RAPPORT_COMMON_SQL_DATABASE_H_
#define RAPPORT_COMMON_SQL_DATABASE_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

// One small interface over SQLite (embedded default) and PostgreSQL 15+ (production). A store is
// written once against it; what differs between the engines sits here and in the migrations.
//
// SQL is portable: `$1…$n` parameters, RETURNING, ON CONFLICT; instants are int64 microseconds UTC;
// no statement reads a clock of the database.
namespace rapport::sql {

enum class Engine { kSqlite, kPostgres };

struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};
struct Null {
  friend bool operator==(const Null&, const Null&) = default;
};

// A parameter or a column. Booleans are int64 0 and 1.
using Value = std::variant<Null, int64_t, double, std::string, Blob>;

inline Value Text(absl::string_view text) { return Value(std::string(text)); }
inline Value Bytes(std::string bytes) { return Value(Blob{std::move(bytes)}); }
inline Value Int(int64_t number) { return Value(number); }
inline Value Bool(bool flag) { return Value(int64_t{flag ? 1 : 0}); }
inline Value Micros(absl::Time time) { return Value(absl::ToUnixMicros(time)); }
// NULL for absl::InfiniteFuture(), which stands for "no such instant".
inline Value MicrosOrNull(absl::Time time) {
  return time == absl::InfiniteFuture() ? Value(Null{}) : Micros(time);
}

// Which rows a statement may see.
enum class Reach {
  kTenant,  // names organization_id; on PostgreSQL also held by row-level security
  kFeed,    // the sequencer's and consumers' statements over all organisations
  kSchema,  // migrations and readiness
};

// One SQL statement, defined once at namespace scope and prepared once per connection under its
// name ("scheduling.course.insert"). Registers itself in the catalogue, over which tests prove that
// tenant statements bind organization_id and that hot ones use an index.
class Statement {
 public:
  Statement(absl::string_view name, absl::string_view sql, Reach reach = Reach::kTenant);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  const std::string& name() const { return name_; }
  const std::string& sql() const { return sql_; }
  Reach reach() const { return reach_; }

  // All statements linked into the process, by name.
  static std::vector<const Statement*> Catalogue();

 private:
  std::string name_;
  std::string sql_;
  Reach reach_;
};

// The rows that a statement returned. Column access beyond the result aborts: it is a bug.
class Result {
 public:
  Result() = default;
  Result(int columns, std::vector<Value> cells, int64_t affected)
      : columns_(columns), cells_(std::move(cells)), affected_(affected) {}

  size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  bool empty() const { return rows() == 0; }
  // Rows inserted, changed or deleted.
  int64_t affected() const { return affected_; }

  const Value& at(size_t row, int column) const { return cells_.at(row * columns_ + column); }
  bool IsNull(size_t row, int column) const {
    return std::holds_alternative<Null>(at(row, column));
  }
  int64_t Int(size_t row, int column) const { return std::get<int64_t>(at(row, column)); }
  // Also of a whole number: SQLite's RETURNING gives 2 for a REAL of 2.0, PostgreSQL's sums
  // likewise.
  double Real(size_t row, int column) const {
    const auto* whole = std::get_if<int64_t>(&at(row, column));
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(at(row, column));
  }
  bool Bool(size_t row, int column) const { return Int(row, column) != 0; }
  const std::string& Text(size_t row, int column) const {
    return std::get<std::string>(at(row, column));
  }
  const std::string& Bytes(size_t row, int column) const {
    return std::get<Blob>(at(row, column)).bytes;
  }
  absl::Time Time(size_t row, int column) const {
    return IsNull(row, column) ? absl::InfiniteFuture() : absl::FromUnixMicros(Int(row, column));
  }

 private:
  int columns_ = 0;
  std::vector<Value> cells_;
  int64_t affected_ = 0;
};

// A consistent view of the database. Not thread-safe; lives only inside the callback it is given
// to.
class Session {
 public:
  virtual ~Session() = default;
  virtual Engine engine() const = 0;

  // Runs `statement` and returns its rows. Constraint failures are
  //   kAlreadyExists       unique violation; the constraint or index name in metadata "constraint"
  //   kFailedPrecondition  exclusion, check, foreign key or trigger violation, with "constraint";
  //                        reason CONSTRAINT. A SQLite trigger raises its name: RAISE(ABORT,
  //                        'name')
  //   kAborted             serialisation failure or deadlock: Write() repeats the whole transaction
  //   kUnavailable         connection lost, database starting or stopping
  //   kResourceExhausted   disk full
  // Driver text is logged, never returned.
  virtual absl::StatusOr<Result> Query(const Statement& statement,
                                       absl::Span<const Value> parameters) = 0;
  absl::StatusOr<Result> Query(const Statement& statement,
                               std::initializer_list<Value> parameters) {
    return Query(statement, absl::Span<const Value>(parameters.begin(), parameters.size()));
  }
};

class Transaction : public Session {
 public:
  // Sends `statement` with the next round trip; its rows are dropped. A failure surfaces from the
  // next Query or from the commit, as that call's status, and rolls the transaction back.
  virtual void Defer(const Statement& statement, absl::Span<const Value> parameters) = 0;
  void Defer(const Statement& statement, std::initializer_list<Value> parameters) {
    Defer(statement, absl::Span<const Value>(parameters.begin(), parameters.size()));
  }

  // Takes an exclusive lock on `key` until the end of the transaction. PostgreSQL: advisory lock on
  // its 64-bit hash; SQLite: nothing, as there is one writer.
  // `TryLock` returns kAborted at once where another transaction holds it.
  virtual void Lock(std::vector<std::string> keys) = 0;  // sorted by lock key; deferred
  virtual absl::Status TryLock(absl::string_view key) = 0;
};

// On whose behalf a transaction runs. On PostgreSQL a tenant's transaction is rapport_app under
// row-level security with the organisation set for that transaction; the feed's is rapport_feed.
class Access {
 public:
  static Access Tenant(absl::string_view organization_id) {
    return Access(std::string(organization_id));
  }
  static Access Feed() { return Access(""); }

  // The same for a tenant's read that may miss what others committed within the last second: a
  // standby may answer it (PostgresOptions::read_hosts). It sees all that this process wrote for
  // the organisation. For data alone, never for what decides on anybody's rights. The body may run
  // twice, as where the standby fails it begins anew on the primary. Writes don't heed it.
  Access MayTrail() const {
    Access access = *this;
    access.may_trail_ = !is_feed();
    return access;
  }

  bool is_feed() const { return organization_id_.empty(); }
  bool may_trail() const { return may_trail_; }
  const std::string& organization_id() const { return organization_id_; }

 private:
  explicit Access(std::string organization_id) : organization_id_(std::move(organization_id)) {}
  std::string organization_id_;
  bool may_trail_ = false;
};

// One service's database. Thread-safe. Calls block the calling thread, at the latest until
// `deadline` (real clock): kDeadlineExceeded, or kResourceExhausted where the pool has too many
// waiters.
class Database {
 public:
  virtual ~Database() = default;
  virtual Engine engine() const = 0;

  // Runs `body` over one snapshot.
  virtual absl::Status Read(const Access& access, absl::Time deadline,
                            absl::FunctionRef<absl::Status(Session&)> body) = 0;

  // Runs `body` in one transaction and commits iff it returns OK. After OK the change is durable.
  // On serialisation failure or deadlock the whole of `body` runs again, within the deadline, so it
  // must have no effect beside the transaction. kUnavailable with reason COMMIT_UNKNOWN: the
  // connection broke during COMMIT; only the caller's request_id can tell.
  virtual absl::Status Write(const Access& access, absl::Time deadline,
                             absl::FunctionRef<absl::Status(Transaction&)> body) = 0;

  // Unused connections, waiters and the like, for metrics.
  struct Stats {
    int64_t connections = 0;
    int64_t in_use = 0;
    int64_t waiting = 0;
  };
  virtual Stats stats() const = 0;

  // OK iff the database answers and its schema suits this binary, whose migrations are those that
  // were given to Open. Otherwise says which it is.
  virtual absl::Status Ready(absl::Time deadline) = 0;
};

}  // namespace rapport::sql

#endif  // RAPPORT_COMMON_SQL_DATABASE_H_
