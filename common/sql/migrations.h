#ifndef RAPPORT_COMMON_SQL_MIGRATIONS_H_
#define RAPPORT_COMMON_SQL_MIGRATIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"

namespace rapport::telemetry {
class Metrics;
}

namespace rapport::sql {

// One numbered, forward-only step, embedded from `migrations/<engine>/NNNN_name.sql`. Its first
// line may be `-- min_reader_version: N` (default: the previous step's).
//
// A PostgreSQL step whose opening comment has the line `-- concurrently` runs outside of a
// transaction: its statements are `CREATE [UNIQUE] INDEX CONCURRENTLY name ON …` and `DROP INDEX
// CONCURRENTLY name` alone, so that a large table can be written to meanwhile. A killed run
// resumes: an index that is there and valid stays, one that is not valid is made anew.
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

// What stands between this process and the server.
enum class Pooler {
  kNone,
  // One that hands a server connection out for one transaction, as PgBouncer's transaction mode.
  kTransaction,
};

struct PostgresOptions {
  std::string host;  // or several, apart by commas: the first that takes writes
  int port = 5432;
  std::string name;
  std::string user = "rapport_app";        // serves tenants
  std::string password_file;               // re-read on authentication failure; may be empty
  std::string feed_user = "rapport_feed";  // serves the sequencer and consumers
  std::string feed_password_file;
  int max_connections = 16;  // tenants' pool; the feed's has 3 more
  int max_waiters = 256;
  Pooler pooler = Pooler::kNone;
  int warm_connections = 2;  // open before Ready() is OK for the first time
  // Write where fsync, full_page_writes or synchronous_commit lose acknowledged commits in a crash.
  bool allow_unsafe_durability = false;
  // Refuse to write where no standby holds a commit before it is acknowledged.
  bool require_synchronous_standby = false;
  // Hot standbys of `host`, apart by commas, each host or host:port of one server: they answer
  // reads that may trail (Access::MayTrail) while they trail by `max_read_lag` at most.
  std::string read_hosts;
  absl::Duration max_read_lag = absl::Seconds(1);
  telemetry::Metrics* metrics = nullptr;  // of the standbys; outlives the database
};

// Opens and, for SQLite, migrates to the newest version. Fails with one clear line.
absl::StatusOr<std::unique_ptr<Database>> OpenSqlite(const SqliteOptions& options,
                                                     std::vector<Component> components);

// Opens without migrating; Ready() says whether the schema suits. Connects lazily, so that a
// service can wait for its database. Writes, and Ready(), are refused with kUnavailable while the
// server would lose what it acknowledges (UNSAFE_DURABILITY), is from before a failover
// (STALE_PRIMARY) or a standby (DATABASE_READ_ONLY); that is looked at with each new connection and
// every few seconds.
//   kInvalidArgument  of read_hosts: malformed, or together with allow_unsafe_durability
absl::StatusOr<std::unique_ptr<Database>> OpenPostgres(const PostgresOptions& options,
                                                       std::vector<Component> components);

struct MigrateOptions {
  PostgresOptions database;  // `user` is the owner of the schema (DDL rights)
  std::vector<Component> components;
  // Told how many of the missing steps are applied: first 0, then after each; not where none is.
  std::function<void(int applied, int missing)> progress = nullptr;
};

// Applies what is missing, under a session advisory lock, each step in its own transaction with its
// version record, so that a killed run resumes. Goes to the server itself, past any pooler. Fails
// with INVALID_INDEX where an index of the schema is not valid. Creates the roles rapport_app and
// rapport_feed where they are missing and the user may (else says what to run), and grants them
// what they need.
absl::Status MigratePostgres(const MigrateOptions& options);

// kOk iff b (this binary's newest version) satisfies min_reader ≤ b ≤ schema for each component;
// kUnavailable SCHEMA_BEHIND where b > schema (wait for the migration); kFailedPrecondition
// SCHEMA_AHEAD where min_reader > b (the binary is too old).
absl::Status CheckSchema(int binary_version, int schema_version, int min_reader_version,
                         absl::string_view component);

}  // namespace rapport::sql

#endif  // RAPPORT_COMMON_SQL_MIGRATIONS_H_
