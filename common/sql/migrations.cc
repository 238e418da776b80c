#include "common/sql/migrations.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include <libpq-fe.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/sql/driver_errors.h"
#include "common/sql/postgres_connection.h"
#include "common/sql/schema.h"

namespace rapport::sql {
namespace {

struct Version {
  int schema = 0;
  int min_reader = 0;
};

std::map<std::string, Version> Versions(const Result& rows) {
  std::map<std::string, Version> versions;
  for (size_t row = 0; row < rows.rows(); ++row) {
    versions[rows.Text(row, 0)] = {static_cast<int>(rows.Int(row, 1)),
                                   static_cast<int>(rows.Int(row, 2))};
  }
  return versions;
}

// From the step's first line; `otherwise` where it says nothing.
int MinReader(const Migration& step, int otherwise) {
  absl::string_view line = step.sql;
  line = line.substr(0, line.find('\n'));
  int version = 0;
  return absl::ConsumePrefix(&line, "-- min_reader_version:") && absl::SimpleAtoi(line, &version)
             ? version
             : otherwise;
}

std::string RecordVersion(const std::string& component, int version, int min_reader) {
  return absl::StrCat("\n;INSERT INTO schema_version (component, version, min_reader_version) ",
                      "VALUES ('", component, "', ", version, ", ", min_reader, ") ",
                      "ON CONFLICT (component) DO UPDATE SET version = excluded.version, ",
                      "min_reader_version = excluded.min_reader_version;");
}

}  // namespace

absl::Status CheckSchema(int binary_version, int schema_version, int min_reader_version,
                         absl::string_view component) {
  const errors::Metadata metadata = {{"component", std::string(component)},
                                     {"binary_version", absl::StrCat(binary_version)},
                                     {"schema_version", absl::StrCat(schema_version)},
                                     {"min_reader_version", absl::StrCat(min_reader_version)}};
  if (binary_version > schema_version) {
    return errors::Unavailable(
        "SCHEMA_BEHIND",
        absl::StrCat("The schema of ", component, " is at version ", schema_version,
                     "; this binary needs ", binary_version, ". Run the migration."),
        "database", absl::Seconds(1));
  }
  if (min_reader_version > binary_version) {
    return errors::FailedPrecondition(
        "SCHEMA_AHEAD",
        absl::StrCat("The schema of ", component, " serves binaries from version ",
                     min_reader_version, "; this one is ", binary_version, ". Upgrade it."),
        metadata);
  }
  return absl::OkStatus();
}

namespace internal {

std::vector<Component> WithFoundation(std::vector<Component> components) {
  for (const Component& component : components) {
    if (component.name == Foundation().name) return components;
  }
  components.insert(components.begin(), Foundation());
  return components;
}

const std::vector<Migration>& Steps(const Component& component, Engine engine) {
  return engine == Engine::kSqlite ? component.sqlite : component.postgres;
}

absl::Status CheckSchema(const std::vector<Component>& components, Engine engine,
                         const Result& versions) {
  std::map<std::string, Version> present = Versions(versions);
  for (const Component& component : components) {
    const std::vector<Migration>& steps = Steps(component, engine);
    if (steps.empty()) continue;
    const Version& version = present[component.name];
    RETURN_IF_ERROR(
        sql::CheckSchema(steps.back().version, version.schema, version.min_reader, component.name));
  }
  return absl::OkStatus();
}

absl::Status ApplyMissing(
    const std::vector<Component>& components, Engine engine, const Result& versions,
    absl::FunctionRef<absl::Status(const std::string& step, const std::string& record)> apply) {
  std::map<std::string, Version> present = Versions(versions);
  for (const Component& component : components) {
    Version& version = present[component.name];
    for (const Migration& step : Steps(component, engine)) {
      if (step.version <= version.schema) continue;
      version.min_reader = MinReader(step, version.min_reader);
      RETURN_IF_ERROR(
          apply(step.sql, RecordVersion(component.name, step.version, version.min_reader)));
      version.schema = step.version;
    }
  }
  return absl::OkStatus();
}

bool IsConcurrent(absl::string_view step) {
  for (absl::string_view line : absl::StrSplit(step, '\n')) {
    if (!absl::StartsWith(line, "--")) return false;
    if (line == "-- concurrently") return true;
  }
  return false;
}

std::vector<std::string> SplitStatements(absl::string_view sql) {
  std::vector<std::string> statements;
  std::string statement;
  const auto end = [&] {
    absl::StripAsciiWhitespace(&statement);
    if (!statement.empty()) statements.push_back(std::move(statement));
    statement.clear();
  };
  for (size_t i = 0; i < sql.size();) {
    size_t next = i + 1;
    if (sql.substr(i, 2) == "--") {
      next = std::min(sql.find('\n', i), sql.size());
      i = next;
      continue;
    }
    if (sql[i] == '\'' || sql[i] == '"') {
      next = std::min(sql.find(sql[i], i + 1), sql.size() - 1) + 1;
    } else if (sql[i] == '$' && i + 1 < sql.size() && !absl::ascii_isdigit(sql[i + 1])) {
      const size_t tag = sql.find('$', i + 1);
      if (tag != absl::string_view::npos) {
        const absl::string_view quote = sql.substr(i, tag - i + 1);
        next = std::min(sql.find(quote, tag + 1), sql.size() - quote.size()) + quote.size();
      }
    } else if (sql[i] == ';') {
      end();
      i = next;
      continue;
    }
    absl::StrAppend(&statement, sql.substr(i, next - i));
    i = next;
  }
  end();
  return statements;
}

std::string CreateVersions(Engine engine) {
  return absl::StrCat("CREATE TABLE IF NOT EXISTS schema_version (component TEXT PRIMARY KEY, ",
                      "version BIGINT NOT NULL, min_reader_version BIGINT NOT NULL);",
                      engine == Engine::kPostgres
                          ? "GRANT SELECT ON schema_version TO rapport_app, rapport_feed;"
                          : "");
}

std::string CreateFeedState() {
  return absl::StrCat("INSERT INTO feed_state (id, epoch, last_position) VALUES (1, '",
                      ids::NewUlid(), "', 0) ON CONFLICT (id) DO NOTHING");
}

}  // namespace internal

namespace {

// The migrator's plain connection: scripts of many statements, one user, nothing hot.
class Migrator {
 public:
  explicit Migrator(internal::PostgresHandle handle) : handle_(std::move(handle)) {}

  // Runs `sql`; its last result's cells as text. `state` gets the SQLSTATE of a failure.
  absl::StatusOr<Result> Run(const std::string& sql, std::string* state = nullptr) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(handle_.get(), sql.c_str()),
                                                                PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      const char* code = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      if (state != nullptr) *state = code == nullptr ? "" : code;
      if (code == nullptr) return internal::DatabaseUnavailable();
      // Unlike a statement's, a migration's failure is told: it concerns the operator alone.
      return errors::FailedPrecondition(
          "MIGRATION_FAILED",
          absl::StrCat("PostgreSQL refused a migration step: ", code, ", ",
                       PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY)));
    }
    std::vector<Value> cells;
    const int columns = PQnfields(result.get());
    for (int i = 0; i < PQntuples(result.get()) * columns; ++i) {
      cells.push_back(Text(PQgetvalue(result.get(), i / columns, i % columns)));
    }
    return Result(columns, std::move(cells), 0);
  }

  absl::StatusOr<Result> ReadVersions() {
    ASSIGN_OR_RETURN(const Result text, Run(internal::kSelectVersions));
    std::vector<Value> cells;
    for (size_t row = 0; row < text.rows(); ++row) {
      cells.push_back(text.at(row, 0));
      for (int column : {1, 2}) {
        int64_t number = 0;
        (void)absl::SimpleAtoi(text.Text(row, column), &number);
        cells.push_back(Int(number));
      }
    }
    return Result(3, std::move(cells), 0);
  }

  absl::Status RunStep(const std::string& step, const std::string& record) {
    if (!internal::IsConcurrent(step)) {
      const absl::Status status = Run(absl::StrCat("BEGIN;", step, record, "COMMIT")).status();
      if (!status.ok()) (void)Run("ROLLBACK");
      return status;
    }
    // It blocks nobody while it waits for transactions to end, so it may.
    RETURN_IF_ERROR(Run("SET lock_timeout = 0").status());
    for (const std::string& statement : internal::SplitStatements(step)) {
      RETURN_IF_ERROR(RunConcurrent(statement));
    }
    return Run(absl::StrCat("SET lock_timeout = '5s'", record)).status();
  }

  // One statement of a concurrent step, which no transaction holds together: it may have been done
  // before by a run that was killed, or left an index behind that is not valid.
  absl::Status RunConcurrent(const std::string& sql) {
    std::vector<std::string> words =
        absl::StrSplit(sql, absl::ByAnyChar(" \n\t("), absl::SkipEmpty());
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] != "CONCURRENTLY") continue;
      const std::string index = words[i + 1];
      if (words[0] == "DROP") {
        return Run(absl::StrCat("DROP INDEX CONCURRENTLY IF EXISTS ", index)).status();
      }
      if (words[0] != "CREATE" || index == "IF") break;
      ASSIGN_OR_RETURN(const Result before, Valid(index));
      if (!before.empty() && before.Text(0, 0) == "t") return absl::OkStatus();
      if (!before.empty()) {
        RETURN_IF_ERROR(Run(absl::StrCat("DROP INDEX CONCURRENTLY ", index)).status());
      }
      return Run(sql).status();
    }
    return errors::FailedPrecondition(
        "MIGRATION_FAILED",
        absl::StrCat("A concurrent step holds CREATE INDEX CONCURRENTLY name ON … and DROP INDEX ",
                     "CONCURRENTLY name alone, not: ", sql));
  }

  // Indexes that a concurrent build left half made are kept up to date and never used; a unique one
  // still refuses rows.
  absl::Status CheckIndexes() {
    ASSIGN_OR_RETURN(const Result invalid,
                     Run("SELECT CAST(indexrelid AS regclass) FROM pg_index JOIN pg_class ON"
                         " pg_class.oid = indrelid WHERE NOT indisvalid AND"
                         " relnamespace = CAST('public' AS regnamespace)"));
    if (invalid.empty()) return absl::OkStatus();
    return errors::FailedPrecondition(
        "INVALID_INDEX",
        absl::StrCat("The index ", invalid.Text(0, 0), " is not valid: a concurrent build of it ",
                     "failed. Run REINDEX INDEX CONCURRENTLY ", invalid.Text(0, 0), ";"));
  }

  // Not with pg_advisory_lock: a run that waits in a statement holds a snapshot, for whose end the
  // other one's CREATE INDEX CONCURRENTLY would wait.
  absl::Status Lock(absl::Time deadline) {
    for (;;) {
      ASSIGN_OR_RETURN(const Result taken,
                       Run("SELECT pg_try_advisory_lock(hashtextextended('rapport.migrate', 0))"));
      if (taken.Text(0, 0) == "t") return absl::OkStatus();
      if (absl::Now() >= deadline) {
        return errors::Unavailable("MIGRATION_RUNNING",
                                   "Another migration is running. Repeat later.", "database",
                                   absl::Seconds(10));
      }
      absl::SleepFor(absl::Milliseconds(100));
    }
  }

  absl::Status CreateRole(const std::string& role) {
    ASSIGN_OR_RETURN(const Result found,
                     Run(absl::StrCat("SELECT 1 FROM pg_roles WHERE rolname = '", role, "'")));
    if (!found.empty()) return absl::OkStatus();
    std::string state;
    const absl::Status status = Run(absl::StrCat("CREATE ROLE ", role, " LOGIN"), &state).status();
    // Roles belong to the whole cluster, where another database's migration may have been faster.
    if (status.ok() || state == "42710" || state == "23505") return absl::OkStatus();
    if (state != "42501") return status;
    return errors::FailedPrecondition(
        "ROLE_MISSING", absl::StrCat("The role ", role, " is missing and this user may not create ",
                                     "it. As a superuser, run: CREATE ROLE ", role, " LOGIN;"));
  }

 private:
  absl::StatusOr<Result> Valid(const std::string& index) {
    return Run(absl::StrCat("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('",
                            index, "')"));
  }

  internal::PostgresHandle handle_;
};

}  // namespace

absl::Status MigratePostgres(const MigrateOptions& options) {
  const PostgresOptions& database = options.database;
  ASSIGN_OR_RETURN(internal::PostgresHandle handle,
                   internal::ConnectPostgres({database.host, database.port, database.name,
                                              database.user, database.password_file},
                                             absl::Now() + absl::Seconds(10)));
  Migrator migrator(std::move(handle));
  // The lock is the session's: it outlives each step's transaction and dies with a killed run.
  RETURN_IF_ERROR(migrator.Run("SET idle_in_transaction_session_timeout = 0").status());
  RETURN_IF_ERROR(migrator.Lock(absl::Now() + absl::Seconds(60)));
  for (const char* role : {"rapport_app", "rapport_feed"}) {
    RETURN_IF_ERROR(migrator.CreateRole(role));
  }
  // A step that waits longer for a table would stall every query queued behind it.
  RETURN_IF_ERROR(migrator
                      .Run(absl::StrCat("SET lock_timeout = '5s';",
                                        internal::CreateVersions(Engine::kPostgres)))
                      .status());

  const std::vector<Component> components = internal::WithFoundation(options.components);
  ASSIGN_OR_RETURN(const Result versions, migrator.ReadVersions());
  int missing = 0, applied = 0;
  RETURN_IF_ERROR(internal::ApplyMissing(components, Engine::kPostgres, versions,
                                         [&](const std::string&, const std::string&) {
                                           ++missing;
                                           return absl::OkStatus();
                                         }));
  const bool told = options.progress != nullptr && missing > 0;
  if (told) options.progress(0, missing);
  const auto apply = [&](const std::string& step, const std::string& record) -> absl::Status {
    RETURN_IF_ERROR(migrator.RunStep(step, record));
    if (told) options.progress(++applied, missing);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(internal::ApplyMissing(components, Engine::kPostgres, versions, apply));
  RETURN_IF_ERROR(migrator.CheckIndexes());
  return migrator.Run(internal::CreateFeedState()).status();
}

}  // namespace rapport::sql
