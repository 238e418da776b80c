#ifndef RAPPORT_COMMON_SQL_SQLITE_CONNECTION_H_
#define RAPPORT_COMMON_SQL_SQLITE_CONNECTION_H_

#include <memory>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sql/database.h"

namespace rapport::sql::internal {

// One connection and its prepared statements. Not thread-safe.
class SqliteConnection {
 public:
  enum class Mode { kWriter, kReader };
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Mode mode);

  // Runs `statement`. A read is interrupted at `deadline`; a change is refused after it, but not
  // interrupted, because SQLite would roll the whole transaction back.
  absl::StatusOr<Result> Query(const Statement& statement, absl::Span<const Value> parameters,
                               absl::Time deadline);

  // Runs a fixed statement of this library, prepared once. `sql` is a literal.
  absl::Status Run(const char* sql);

  // Runs a script; for migrations.
  absl::Status Execute(const std::string& script);
  absl::StatusOr<Result> Fetch(const std::string& sql);

  // Not OK once the disk or memory failed within a transaction: all of it is lost.
  const absl::Status& lost() const { return lost_; }
  // Ends the transaction, whatever happened to it.
  void RollBack();
  // Whether deferred foreign keys are violated, which would fail the commit.
  bool BreaksForeignKeys() const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct Closer {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalizer> statement;
    std::vector<int> parameters;  // the value, from 0, that each of the statement's takes
    bool read_only = false;
  };

  explicit SqliteConnection(sqlite3* database);

  absl::StatusOr<Prepared*> Prepare(const void* identity, absl::string_view label,
                                    absl::string_view sql);
  absl::Status Prepare(absl::string_view label, absl::string_view sql, Prepared& prepared);
  absl::StatusOr<Result> Step(Prepared& prepared, absl::string_view label);
  absl::Status Failure(int code, absl::string_view label);
  std::string UniqueConstraint(absl::string_view message);

  std::unique_ptr<sqlite3, Closer> database_;
  absl::flat_hash_map<const void*, std::unique_ptr<Prepared>> prepared_;
  absl::Time interrupt_at_ = absl::InfiniteFuture();
  absl::Status lost_;
};

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_SQLITE_CONNECTION_H_
