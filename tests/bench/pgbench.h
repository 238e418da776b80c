#ifndef RAPPORT_TESTS_BENCH_PGBENCH_H_
#define RAPPORT_TESTS_BENCH_PGBENCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"

// What a handler sends to PostgreSQL, sent by pgbench: the reference that needs none of our code.
namespace rapport::bench {

// One thing that a transaction sends.
struct Sent {
  enum class Kind { kStatement, kLock, kTryLock };
  Kind kind;
  bool awaited;                    // ends a round trip
  std::string sql;                 // kStatement
  std::vector<sql::Value> values;  // kStatement; else the keys
};

// Passes everything on, and keeps what the last transaction sent. One call at a time.
class RecordingDatabase final : public sql::Database {
 public:
  explicit RecordingDatabase(sql::Database& inner) : inner_(inner) {}

  sql::Engine engine() const override { return inner_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override;
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override;
  Stats stats() const override { return inner_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return inner_.Ready(deadline); }

  std::vector<Sent> sent;
  bool reads = false;  // the last one was a Read

 private:
  sql::Database& inner_;
};

// A round trip for each statement; those that the handler itself makes; one for all.
enum class Trips { kEach, kItsOwn, kOne };

// How recorded values become pgbench expressions: what differs from one run of the script to the
// next is made of its variables (:client_id, and what `head` sets).
struct Substitution {
  std::string head;  // "\set …" lines
  // The SQL expression for a text and for a whole number.
  std::function<std::string(const std::string&)> text = Quoted;
  std::function<std::string(int64_t)> number = Plain;

  static std::string Quoted(const std::string& text);  // 'abc'::text
  static std::string Plain(int64_t number);            // 7::bigint
};

struct Script {
  std::string text;
  std::vector<std::string> blobs;  // variables b0, b1, …
};

// The transaction of `database` in `organization_id`, as it was recorded.
Script MakeScript(const RecordingDatabase& database, Trips trips, absl::string_view organization_id,
                  const Substitution& substitution);

struct Pace {
  double per_second = 0;    // transactions
  double milliseconds = 0;  // the average of one
};

// Runs `script` `each` times in each of `clients` connections; `variables` as "base=7". Ends the
// process with what pgbench says if any of them fails.
Pace RunPgbench(const sql::PostgresOptions& place, const Script& script, int clients, int each,
                absl::Span<const std::string> variables = {});

}  // namespace rapport::bench

#endif  // RAPPORT_TESTS_BENCH_PGBENCH_H_
