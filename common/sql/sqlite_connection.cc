#include "common/sql/sqlite_connection.h"

#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/driver_errors.h"

namespace rapport::sql::internal {
namespace {

// How many instructions of its machine SQLite runs between looks at the clock.
constexpr int kInterruptInterval = 4000;

// SQLITE_STATIC: the values outlive the step. A null pointer would bind NULL for what is empty.
int Bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return sqlite3_bind_double(statement, index, *real);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<Blob>(&value)) {
    return sqlite3_bind_blob64(statement, index, blob->bytes.data(), blob->bytes.size(),
                               SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

Value Column(sqlite3_stmt* statement, int column) {
  const auto bytes = [&](const void* data) {
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return Value(int64_t{sqlite3_column_int64(statement, column)});
    case SQLITE_FLOAT:
      return Value(sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
      return Value(bytes(sqlite3_column_text(statement, column)));
    case SQLITE_BLOB:
      return Value(Blob{bytes(sqlite3_column_blob(statement, column))});
    default:
      return Value(Null{});
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         Mode mode) {
  const bool writer = mode == Mode::kWriter;
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &database,
                      SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                                    : SQLITE_OPEN_READONLY),
                      nullptr);
  auto connection = std::unique_ptr<SqliteConnection>(new SqliteConnection(database));
  if (code != SQLITE_OK) return connection->Failure(code, "open");

  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, 5000);
  for (const auto& [option, value] :
       {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1), std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        std::pair(SQLITE_DBCONFIG_DQS_DML, 0), std::pair(SQLITE_DBCONFIG_DQS_DDL, 0)}) {
    sqlite3_db_config(database, option, value, nullptr);
  }
  RETURN_IF_ERROR(connection->Execute(
      writer ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
               "PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 67108864"
             : "PRAGMA query_only = ON; PRAGMA cell_size_check = ON"));
  return connection;
}

SqliteConnection::SqliteConnection(sqlite3* database) : database_(database) {
  sqlite3_progress_handler(
      database, kInterruptInterval,
      [](void* self) {
        const absl::Time at = static_cast<SqliteConnection*>(self)->interrupt_at_;
        return int{at != absl::InfiniteFuture() && absl::Now() >= at};
      },
      this);
}

absl::StatusOr<SqliteConnection::Prepared*> SqliteConnection::Prepare(const void* identity,
                                                                      absl::string_view label,
                                                                      absl::string_view sql) {
  std::unique_ptr<Prepared>& cached = prepared_[identity];
  if (cached == nullptr) {
    auto prepared = std::make_unique<Prepared>();
    RETURN_IF_ERROR(Prepare(label, sql, *prepared));
    cached = std::move(prepared);
  }
  return cached.get();
}

absl::Status SqliteConnection::Prepare(absl::string_view label, absl::string_view sql,
                                       Prepared& prepared) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Failure(code, label);
  prepared.statement.reset(statement);
  prepared.read_only = sqlite3_stmt_readonly(statement) != 0;
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    int number = 0;
    if (name == nullptr || *name != '$' || !absl::SimpleAtoi(name + 1, &number) || number < 1) {
      return Unexpected(label, "parameters", "parameters are called $1, $2, …");
    }
    prepared.parameters.push_back(number - 1);
  }
  return absl::OkStatus();
}

absl::StatusOr<Result> SqliteConnection::Query(const Statement& statement,
                                               absl::Span<const Value> parameters,
                                               absl::Time deadline) {
  if (absl::Now() >= deadline) return DeadlinePassed();
  ASSIGN_OR_RETURN(Prepared* const prepared,
                   Prepare(&statement, statement.name(), statement.sql()));
  // As PostgreSQL, which can't store it.
  for (const Value& value : parameters) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && std::memchr(text->data(), '\0', text->size()) != nullptr) {
      return NotText();
    }
  }
  for (size_t i = 0; i < prepared->parameters.size(); ++i) {
    const auto number = static_cast<size_t>(prepared->parameters[i]);
    if (number >= parameters.size()) {
      return Unexpected(statement.name(), "parameters", "too few values");
    }
    const int code = Bind(prepared->statement.get(), static_cast<int>(i) + 1, parameters[number]);
    if (code != SQLITE_OK) return Failure(code, statement.name());
  }
  interrupt_at_ = prepared->read_only ? deadline : absl::InfiniteFuture();
  absl::StatusOr<Result> result = Step(*prepared, statement.name());
  interrupt_at_ = absl::InfiniteFuture();
  return result;
}

absl::StatusOr<Result> SqliteConnection::Step(Prepared& prepared, absl::string_view label) {
  sqlite3_stmt* const statement = prepared.statement.get();
  // At once: an open statement holds its snapshot, and checkpoints wait for it.
  const auto reset = absl::MakeCleanup([statement] {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  });
  const int columns = sqlite3_column_count(statement);
  std::vector<Value> cells;
  int code;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    for (int i = 0; i < columns; ++i) cells.push_back(Column(statement, i));
  }
  if (code != SQLITE_DONE) return Failure(code, label);
  return Result(columns, std::move(cells),
                prepared.read_only ? 0 : sqlite3_changes64(database_.get()));
}

absl::Status SqliteConnection::Run(const char* sql) {
  ASSIGN_OR_RETURN(Prepared* const prepared, Prepare(sql, sql, sql));
  return Step(*prepared, sql).status();
}

absl::Status SqliteConnection::Execute(const std::string& script) {
  const int code = sqlite3_exec(database_.get(), script.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Failure(code, "script");
}

absl::StatusOr<Result> SqliteConnection::Fetch(const std::string& sql) {
  Prepared prepared;
  RETURN_IF_ERROR(Prepare("fetch", sql, prepared));
  return Step(prepared, "fetch");
}

void SqliteConnection::RollBack() {
  if (!sqlite3_get_autocommit(database_.get())) (void)Run("ROLLBACK");
  lost_ = absl::OkStatus();
}

bool SqliteConnection::BreaksForeignKeys() const {
  int count = 0, highest = 0;
  sqlite3_db_status(database_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &count, &highest, 0);
  return count != 0;
}

absl::Status SqliteConnection::Failure(int code, absl::string_view label) {
  const std::string text = database_ == nullptr ? "" : sqlite3_errmsg(database_.get());
  absl::string_view rest = text;
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return UniqueViolation(UniqueConstraint(text));
    case SQLITE_CONSTRAINT_TRIGGER:
      return ConstraintViolation(text);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return ConstraintViolation("foreign_key");
    case SQLITE_CONSTRAINT_CHECK:
      absl::ConsumePrefix(&rest, "CHECK constraint failed: ");
      return ConstraintViolation(rest);
    case SQLITE_CONSTRAINT_NOTNULL:
      absl::ConsumePrefix(&rest, "NOT NULL constraint failed: ");
      return ConstraintViolation(rest);
    case SQLITE_INTERRUPT:
      return DeadlinePassed();
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      LogDriver(label, absl::StrCat(code), text);
      return lost_ = DatabaseFull();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
      LogDriver(label, absl::StrCat(code), text);
      return DatabaseUnavailable();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      LogDriver(label, absl::StrCat(code), text);
      return errors::FailedPrecondition(
          "DATABASE_CORRUPT", "The database file is damaged. Stop the service and restore it.");
  }
  return Unexpected(label, absl::StrCat(code), text);
}

// SQLite names the columns ("UNIQUE constraint failed: course.organization_id, course.course_id");
// the index over just these has the name, and automatic ones are called as PostgreSQL does.
std::string SqliteConnection::UniqueConstraint(absl::string_view message) {
  absl::ConsumePrefix(&message, "UNIQUE constraint failed: ");
  if (absl::ConsumePrefix(&message, "index '")) return std::string(absl::StripSuffix(message, "'"));
  std::string table;
  std::vector<std::string> columns;
  for (absl::string_view column : absl::StrSplit(message, ", ")) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(column, absl::MaxSplits('.', 1));
    table = parts.first;
    columns.push_back(parts.second);
  }
  const absl::StatusOr<Result> indexes = Fetch(absl::StrCat(
      "SELECT l.name, l.origin, (SELECT group_concat(i.name, ', ') FROM (SELECT name FROM ",
      "pragma_index_info(l.name) ORDER BY seqno) AS i) FROM pragma_index_list('", table,
      "') AS l WHERE l.\"unique\" = 1"));
  for (size_t row = 0; indexes.ok() && row < indexes->rows(); ++row) {
    if (indexes->IsNull(row, 2) || indexes->Text(row, 2) != absl::StrJoin(columns, ", ")) continue;
    if (indexes->Text(row, 1) == "c") return indexes->Text(row, 0);
    if (indexes->Text(row, 1) == "u") {
      return absl::StrCat(table, "_", absl::StrJoin(columns, "_"), "_key");
    }
  }
  return absl::StrCat(table, "_pkey");
}

}  // namespace rapport::sql::internal
