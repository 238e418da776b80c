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
};

struct PostgresConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using PostgresHandle = std::unique_ptr<PGconn, PostgresConnectionCloser>;

// Connects within `deadline`. kUnavailable whatever the cause, which is logged.
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

  // Must be discarded.
  bool broken() const { return broken_ || PQstatus(handle_.get()) != CONNECTION_OK; }
  // Still usable after lying idle: takes what has arrived meanwhile, without waiting.
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

  explicit PostgresConnection(PostgresHandle handle) : handle_(std::move(handle)) {}

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
  absl::flat_hash_map<const void*, std::vector<std::unique_ptr<Prepared>>> prepared_;
  std::deque<Expected> expected_;
  bool broken_ = false;
};

}  // namespace rapport::sql::internal

#endif  // RAPPORT_COMMON_SQL_POSTGRES_CONNECTION_H_
