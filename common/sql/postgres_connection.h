#ifndef RAPPORT_COMMON_SQL_POSTGRES_CONNECTION_H_
#define RAPPORT_COMMON_SQL_POSTGRES_CONNECTION_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/sql/database.h"

namespace rapport::sql::internal {

struct PostgresTarget {
  std::string host;
  int port = 5432;
  std::string database;
  std::string user;
  std::string password_file;  // read at each connect; may be empty
  // Behind a pooler that hands a server connection out for one transaction: statements have no
  // names, and no setting outlives its transaction.
  bool pooled = false;
  bool standby = false;  // a server that takes no writes will do
};

struct PostgresConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PostgresHandle = std::unique_ptr<PGconn, PostgresConnectionCloser>;

// Reason of the failure to connect to a server that takes no more connections.
inline constexpr char kNoConnectionLeft[] = "DATABASE_CONNECTIONS";

// Connects within `deadline` to the first of `target.host`, which may be several apart by commas,
// that takes writes, unless a standby will do. A refusal after the password file has changed is
// tried again at once. kUnavailable whatever the cause, which is logged.
absl::StatusOr<PostgresHandle> ConnectPostgres(const PostgresTarget& target, absl::Time deadline);

// SQL of this library itself; its address is its identity, as a Statement's is.
struct Command {
  const char* name;
  const char* sql;
};

// One connection in pipeline mode. Send() queues; RoundTrip() sends all that is queued in one go
// and reads all answers. Not thread-safe.
//
// A statement is prepared on its first use, in the same round trip, with the types of the values
// given: bigint, double precision, text and bytea, so that parameters always have the columns'
// types. A NULL leaves its type to the server; a later value of a known type prepares a variant.
// Behind a pooler every use parses it anew, unnamed, in the same round trip.
class PostgresConnection {
 public:
  static absl::StatusOr<std::unique_ptr<PostgresConnection>> Connect(const PostgresTarget& target,
                                                                     absl::Time deadline);

  void Send(const Command& command, absl::Span<const Value> parameters = {});
  void Send(const Statement& statement, absl::Span<const Value> parameters);

  enum class Until {
    kFlush,  // the pipeline stays open: after a failure nothing runs until Abandon()
    kSync,   // ends the pipeline
  };
  // The rows of the statement sent last, or the first failure. Past `deadline` the connection is
  // broken, as its answers are no longer awaited.
  absl::StatusOr<Result> RoundTrip(Until until, absl::Time deadline);

  // Ends the pipeline and sends `command`, without awaiting its answer, which the next round trip
  // drops: the transaction's outcome no longer matters to anyone.
  void Abandon(const Command& command);

  // Whether its server may be written to, as last looked at.
  struct Standing {
    absl::Status verdict;
    absl::Time looked = absl::InfinitePast();
  };
  Standing& standing() { return standing_; }

  // Must be discarded.
  bool broken() const { return broken_ || PQstatus(handle_.get()) != CONNECTION_OK; }
  // Still usable after lying idle: takes what has arrived meanwhile, without waiting. Behind a
  // pooler it waits for what is outstanding: the pooler gives the server connection to another as
  // soon as the transaction's last answer passes, with whatever we had sent behind it.
  bool Alive();

 private:
  struct Prepared {
    std::string name;
    std::vector<Oid> types;
    bool ready = false;  // or its preparation is under way
  };
  struct Expected {
    enum Kind { kPreparation, kAnswer, kSync } kind;
    Prepared* prepared;
    const char* label;  // for the log
    bool dropped;       // belongs to an abandoned transaction
  };

  PostgresConnection(PostgresHandle handle, bool pooled)
      : handle_(std::move(handle)), pooled_(pooled) {}

  void Send(const void* identity, absl::string_view name, const char* label, const char* sql,
            absl::Span<const Value> parameters);
  Prepared& Variant(const void* identity, absl::string_view name,
                    absl::Span<const Value> parameters);
  void Sync();
  void Expect(int sent, Expected expected);
  absl::StatusOr<Result> Receive(absl::Time deadline);
  absl::Status AwaitResult(absl::Time deadline);
  absl::Status Lost(const Expected& expected);

  PostgresHandle handle_;
  const bool pooled_;
  absl::flat_hash_map<const void*, std::vector<std::unique_ptr<Prepared>>> prepared_;
  std::deque<Expected> expected_;
  bool broken_ = false;
  Standing standing_;
};

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_POSTGRES_CONNECTION_H_
