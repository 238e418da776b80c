// Whether the audit log holds up the network: 16 writers of one organisation change records of
// 1 KB for some seconds, on a private PostgreSQL without durability,
//
//   none       without audit entry: what there is to lose
//   audit      with the entry as the suite writes it, while the sequencer runs every 25 ms
//   in_place   numbering the leaf in the writing transaction, as a chain would need
//
// and then 16 readers tell the access log, each waiting until its entry is durable. Also how long
// entries wait for the sequencer, and a proof in the tree that came of it.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/audit/access_log.h"
#include "common/audit/audit_log.h"
#include "common/audit/tree_store.h"
#include "common/auth/integrity.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/clock.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport {
namespace {

constexpr int kThreads = 16;

const sql::Statement kInsert{"bench.record.insert", R"sql(
  INSERT INTO record (organization_id, record_id, version, document)
  VALUES ($1, $2, 1, $3))sql"};

const sql::Statement kNumberInPlace{"bench.audit.number", R"sql(
  INSERT INTO audit_count (organization_id, tree_size) VALUES ($1, 1)
  ON CONFLICT (organization_id) DO UPDATE SET tree_size = audit_count.tree_size + 1
  RETURNING tree_size)sql"};

const sql::Statement kLeafInPlace{"bench.audit.leaf", R"sql(
  INSERT INTO audit_chain (organization_id, leaf_index, entry, content_hash)
  VALUES ($1, $2, $3, $4))sql"};

sql::Component Records() {
  return {"records",
          {},
          {{1, "records",
            "CREATE TABLE record (organization_id TEXT NOT NULL, record_id TEXT NOT NULL, version "
            "BIGINT NOT NULL, document BYTEA NOT NULL, PRIMARY KEY (organization_id, record_id));\n"
            "CREATE TABLE audit_count (organization_id TEXT PRIMARY KEY, tree_size BIGINT NOT "
            "NULL);\n"
            "CREATE TABLE audit_chain (organization_id TEXT NOT NULL, leaf_index BIGINT NOT NULL, "
            "entry BYTEA NOT NULL, content_hash BYTEA NOT NULL, PRIMARY KEY (organization_id, "
            "leaf_index));\n"
            "SELECT rapport_protect('record'); SELECT rapport_protect('audit_count');\n"
            "SELECT rapport_protect('audit_chain');\n"}}};
}

enum class Mode { kNone, kAudit, kInPlace };

struct Figures {
  double rate = 0;  // a second
  absl::Duration p50, p99;
};

// Runs `once` on all threads for `seconds`.
Figures Run(int seconds, const std::function<absl::Status(int)>& once) {
  std::atomic<bool> running{true};
  std::vector<std::vector<absl::Duration>> took(kThreads);
  std::vector<std::thread> threads;
  const absl::Time start = absl::Now();
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      while (running) {
        const absl::Time before = absl::Now();
        if (absl::Status status = once(thread); !status.ok()) {
          std::fprintf(stderr, "%s\n", status.ToString().c_str());
          std::exit(1);
        }
        took[static_cast<size_t>(thread)].push_back(absl::Now() - before);
      }
    });
  }
  absl::SleepFor(absl::Seconds(seconds));
  running = false;
  for (std::thread& thread : threads) thread.join();
  const absl::Duration elapsed = absl::Now() - start;
  std::vector<absl::Duration> all;
  for (const auto& part : took) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  return {.rate = static_cast<double>(all.size()) / absl::ToDoubleSeconds(elapsed),
          .p50 = all[all.size() / 2],
          .p99 = all[all.size() * 99 / 100]};
}

audit::Entry EntryOf(const std::string& id) {
  return {.organization_id = "acme",
          .principal = "01j0000000000000000000000a",
          .method = "rapport.notes.v1.NoteService/SignNote",
          .resource = names::InOrganization("acme", "records", id),
          .version = 1,
          .occur_time = absl::Now(),
          .trace_id = "0af7651916cd43dd8448eb211c80319c"};
}

absl::Status WriteOne(sql::Database& database, Mode mode, const std::string& document) {
  return database.Write(
      sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
      [&](sql::Transaction& tx) -> absl::Status {
        const std::string id = ids::NewUlid();
        if (mode == Mode::kInPlace) {
          ASSIGN_OR_RETURN(const sql::Result number, tx.Query(kNumberInPlace, {sql::Text("acme")}));
          tx.Defer(kLeafInPlace,
                   {sql::Text("acme"), sql::Int(number.Int(0, 0)),
                    sql::Bytes(audit::Encode(EntryOf(id))), sql::Bytes(auth::Sha256(document))});
        }
        tx.Defer(kInsert, {sql::Text("acme"), sql::Text(id), sql::Bytes(document)});
        if (mode == Mode::kAudit) audit::Append(tx, EntryOf(id), document);
        return absl::OkStatus();
      });
}

// The sequencer as the feed runs it, and how long entries waited at most.
class Sequencing {
 public:
  explicit Sequencing(sql::Database& database)
      : sequencer_(database), thread_([this] {
          while (running_) {
            Tick();
            absl::SleepFor(absl::Milliseconds(25));
          }
        }) {}

  // Stops, and returns how long what was left took.
  absl::Duration Stop() {
    running_ = false;
    thread_.join();
    const absl::Time start = absl::Now();
    Tick();
    return absl::Now() - start;
  }
  absl::Duration longest_wait() const { return longest_; }

 private:
  void Tick() {
    absl::StatusOr<int> moved = 0;
    do {
      moved = sequencer_.RunOnce(absl::Now());
      longest_ = std::max(longest_, sequencer_.audit_unsequenced_age());
    } while (moved.ok() && *moved > 0);
  }

  events::Sequencer sequencer_;
  std::atomic<bool> running_{true};
  absl::Duration longest_;
  std::thread thread_;
};

std::string Line(absl::string_view name, const Figures& figures) {
  return absl::StrFormat("%-9s %8.0f/s   p50 %7.2f ms   p99 %7.2f ms", name, figures.rate,
                         absl::ToDoubleMilliseconds(figures.p50),
                         absl::ToDoubleMilliseconds(figures.p99));
}

int Main(int seconds, const std::string& json) {
  sql::PostgresOptions options = sql::testing::PostgresServer::Shared().NewDatabase({Records()});
  options.max_connections = kThreads;
  const auto database = *sql::OpenPostgres(options, {Records()});
  const std::string document(1024, 'x');

  std::vector<double> rates;
  double longest = 0, left = 0;
  for (const auto& [mode, name] :
       {std::pair{Mode::kNone, "none"}, {Mode::kAudit, "audit"}, {Mode::kInPlace, "in_place"}}) {
    Run(1, [&, mode = mode](int) { return WriteOne(*database, mode, document); });
    Sequencing sequencing(*database);
    const Figures figures =
        Run(seconds, [&, mode = mode](int) { return WriteOne(*database, mode, document); });
    const absl::Duration drained = sequencing.Stop();
    rates.push_back(figures.rate);
    std::string line = Line(name, figures);
    if (mode == Mode::kAudit) {
      longest = absl::ToDoubleMilliseconds(sequencing.longest_wait());
      left = absl::ToDoubleMilliseconds(drained);
      absl::StrAppendFormat(&line, "   an entry waited at most %.0f ms; %.0f ms to the last",
                            longest, left);
    }
    std::puts(line.c_str());
  }

  time::Clock& clock = time::RealClock();
  audit::AccessLog log(*database, clock);
  std::atomic<int64_t> read{0};
  const Figures reads = Run(seconds, [&](int) -> absl::Status {
    std::promise<absl::Status> kept;
    audit::Entry entry = EntryOf(absl::StrCat(read++));
    entry.kind = audit::Kind::kAccess;
    const bool waits = log.Tell(std::move(entry), true,
                                [&](const absl::Status& status) { kept.set_value(status); });
    return waits ? kept.get_future().get() : absl::OkStatus();
  });
  log.Stop();
  std::puts(Line("reads", reads).c_str());

  Sequencing(*database).Stop();
  double proof_ms = 0;
  int64_t size = 0;
  const absl::Status proven = database->Read(
      sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
      [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const audit::TreeState tree, audit::ReadTree(session, "acme"));
        size = tree.size;
        const absl::Time start = absl::Now();
        constexpr int kProofs = 50;
        for (int i = 0; i < kProofs; ++i) {
          audit::StoredTree stored(session, "acme");
          RETURN_IF_ERROR(stored.Hashes(audit::InclusionRanges(size / kProofs * i, size)).status());
        }
        proof_ms = absl::ToDoubleMilliseconds(absl::Now() - start) / kProofs;
        return absl::OkStatus();
      });
  if (!proven.ok()) {
    std::fprintf(stderr, "%s\n", proven.ToString().c_str());
    return 1;
  }
  std::printf("proof     %.2f ms in a tree of %lld leaves\n", proof_ms,
              static_cast<long long>(size));
  std::printf("audit keeps %.2f of the rate without it, numbering in place %.2f\n",
              rates[1] / rates[0], rates[2] / rates[0]);
  if (!json.empty()) {
    std::ofstream(json) << absl::StrFormat(
        "{\"writers\": %d, \"none_per_s\": %.0f, \"audit_per_s\": %.0f, \"in_place_per_s\": %.0f, "
        "\"ratio\": %.3f, \"in_place_ratio\": %.3f, \"longest_wait_ms\": %.0f, \"drain_ms\": %.0f, "
        "\"durable_reads_per_s\": %.0f, \"durable_read_p99_ms\": %.2f, \"proof_ms\": %.3f, "
        "\"leaves\": %d}\n",
        kThreads, rates[0], rates[1], rates[2], rates[1] / rates[0], rates[2] / rates[0], longest,
        left, reads.rate, absl::ToDoubleMilliseconds(reads.p99), proof_ms, size);
  }
  return 0;
}

}  // namespace
}  // namespace rapport

int main(int argc, char** argv) {
  int seconds = 5;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--json") json = argv[i + 1];
    if (flag == "--seconds" && !absl::SimpleAtoi(argv[i + 1], &seconds)) return 2;
  }
  return rapport::Main(seconds, json);
}
