#ifndef RAPPORT_COMMON_SQL_MIGRATIONS_H_
#define RAPPORT_COMMON_SQL_MIGRATIONS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"

namespace rapport::sql {

// One numbered, forward-only step, embedded from `migrations/<engine>/NNNN_name.sql`. Its first
// line may be `-- min_reader_version: N` (default: the previous step's).
struct Migration {
  int version;
  std::string name;
  std::string sql;
};

// The migrations of one component of a database: "foundation" (outbox, events, audit, idempotency,
// cursors: common to all services) or a service's own. Ordered, versions dense from 1.
struct Component {
  std::string name;
  std::vector<Migration> sqlite;
  std::vector<Migration> postgres;
};

// The foundation that every service's database has.
const Component& Foundation();

struct SqliteOptions {
  std::string path;  // file; its directory exists. One process owns it (lock file beside it).
  int readers = 4;   // read-only connections
};

struct PostgresOptions {
  std::string host;
  int port = 5432;
  std::string name;
  std::string user = "rapport_app";        // serves tenants
  std::string password_file;               // re-read on authentication failure; may be empty
  std::string feed_user = "rapport_feed";  // serves the sequencer and consumers
  std::string feed_password_file;
  int max_connections = 16;  // tenants' pool; the feed's has 3 more
  int max_waiters = 256;
};

// Opens and, for SQLite, migrates to the newest version. Fails with one clear line.
absl::StatusOr<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options,
                                                     std::vector<Component> components);

// Opens without migrating; Ready() says whether the schema suits. Connects lazily, so that a
// service can wait for its database.
absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const PostgresOptions& options,
                                                       std::vector<Component> components);

struct MigrateOptions {
  PostgresOptions database;  // `user` is the owner of the schema (DDL rights)
  std::vector<Component> components;
};

// Applies what is missing, under a session advisory lock, each step in its own transaction with its
// version record, so that a killed run resumes. Creates the roles rapport_app and rapport_feed
// where they are missing and the user may (else says what to run), and grants them what they need.
absl::Status MigratePostgres(const MigrateOptions& options);

// kOk iff b (this binary's newest version) satisfies min_reader ≤ b ≤ schema for each component;
// kUnavailable SCHEMA_BEHIND where b > schema (wait for the migration); kFailedPrecondition
// SCHEMA_AHEAD where min_reader > b (the binary is too old).
absl::Status CheckSchema(int binary_version, int schema_version, int min_reader_version,
                         absl::string_view component);

}  // namespace rapport::sql

#endif  // RAPPORT_COMMON_SQL_MIGRATIONS_H_
