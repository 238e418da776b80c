#include "common/audit/access_log.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "common/errors/errors.h"
#include "tests/conformance/audit/fixture.h"

namespace rapport::audit {
namespace {

const sql::Statement kPendingEntries{"test.audit.pending", R"sql(
  SELECT entry FROM audit_pending WHERE organization_id = $1 ORDER BY id)sql"};

// Passes all on, counts the writes, and fails or holds them up when told to.
class FaultyDatabase final : public sql::Database {
 public:
  explicit FaultyDatabase(sql::Database& database) : database_(database) {}
  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, body);
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    MutexLock lock(gate);
    ++writes;
    if (failing) return errors::Unavailable("DATABASE_UNAVAILABLE", "It is down.", "database");
    return database_.Write(access, deadline, body);
  }
  Stats stats() const override { return database_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }

  Mutex gate;
  std::atomic<int> writes{0};
  std::atomic<bool> failing{false};

 private:
  sql::Database& database_;
};

class AccessLogTest : public testing::AuditTest {
 protected:
  Entry Reading(const std::string& record, const std::string& principal = "ada",
                const std::string& purpose = "") const {
    return {.organization_id = "acme",
            .principal = principal,
            .method = "test.Papers/Get",
            .resource = PaperName(record),
            .occur_time = clock_->Now(),
            .trace_id = "",
            .kind = Kind::kAccess,
            .purpose = purpose};
  }

  // Tells, and waits as a reply does.
  static absl::Status TellAndWait(AccessLog& log, const Entry& entry) {
    std::promise<absl::Status> kept;
    if (!log.Tell(entry, true, [&](const absl::Status& status) { kept.set_value(status); })) {
      return absl::OkStatus();
    }
    return kept.get_future().get();
  }
  static void TellOnly(AccessLog& log, const Entry& entry) {
    EXPECT_FALSE(log.Tell(entry, false, [](const absl::Status&) { FAIL(); }));
  }

  // "ada p1 x2 break-glass" of each entry that waits, in order of insertion.
  std::vector<std::string> Told() {
    std::vector<std::string> told;
    Read([&](sql::Session& session) -> absl::Status {
      ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kPendingEntries, {sql::Text("acme")}));
      for (size_t row = 0; row < rows.rows(); ++row) {
        const Entry entry = *Decode(rows.Bytes(row, 0));
        told.push_back(absl::StrCat(entry.principal, " ", names::Last(entry.resource), " x",
                                    entry.count, entry.purpose.empty() ? "" : " ", entry.purpose));
      }
      return absl::OkStatus();
    });
    return told;
  }

  std::unique_ptr<time::ManualClock> clock_ = std::make_unique<time::ManualClock>(now_);
  FaultyDatabase faulty_{*database_};
};

TEST_P(AccessLogTest, AReadIsDurableBeforeItsReply) {
  AccessLog log(faulty_, *clock_);
  EXPECT_TRUE(TellAndWait(log, Reading("p1")).ok());
  EXPECT_THAT(Told(), ::testing::ElementsAre("ada p1 x1"));
}

TEST_P(AccessLogTest, ReadsOfARecordWithinFiveMinutesAreOneEntryAndOneWithTheirCount) {
  AccessLog log(faulty_, *clock_);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(TellAndWait(log, Reading("p1")).ok());
    TellOnly(log, Reading("p1"));
    clock_->Advance(absl::Minutes(1));
  }
  EXPECT_TRUE(TellAndWait(log, Reading("p2")).ok());
  EXPECT_TRUE(TellAndWait(log, Reading("p1", "bob")).ok());
  EXPECT_TRUE(TellAndWait(log, Reading("p1", "ada", "break-glass")).ok());
  EXPECT_THAT(Told(), ::testing::ElementsAre("ada p1 x1", "ada p2 x1", "bob p1 x1",
                                             "ada p1 x1 break-glass"));
  clock_->Advance(absl::Minutes(1));
  EXPECT_TRUE(TellAndWait(log, Reading("p1")).ok());  // the next five minutes
  log.Stop();
  EXPECT_THAT(Told(),
              ::testing::UnorderedElementsAre("ada p1 x1", "ada p2 x1", "bob p1 x1",
                                              "ada p1 x1 break-glass", "ada p1 x7", "ada p1 x1"));
}

TEST_P(AccessLogTest, ManyReadersShareACommit) {
  AccessLog log(faulty_, *clock_);
  constexpr int kReaders = 300;
  std::atomic<int> kept{0};
  std::promise<void> all;
  {
    MutexLock lock(faulty_.gate);  // the first commit waits, the others gather
    for (int i = 0; i < kReaders; ++i) {
      EXPECT_TRUE(log.Tell(Reading(absl::StrCat("p", i)), true, [&](const absl::Status& status) {
        EXPECT_TRUE(status.ok());
        if (++kept == kReaders) all.set_value();
      }));
    }
  }
  all.get_future().wait();
  EXPECT_LE(faulty_.writes, 4);
  EXPECT_EQ(Told().size(), 300u);
}

TEST_P(AccessLogTest, ARepeatWaitsUntilTheFirstIsDurable) {
  AccessLog log(faulty_, *clock_);
  std::promise<absl::Status> first, second;
  {
    MutexLock lock(faulty_.gate);
    EXPECT_TRUE(log.Tell(Reading("p1"), true,
                         [&](const absl::Status& status) { first.set_value(status); }));
    EXPECT_TRUE(log.Tell(Reading("p1"), true,
                         [&](const absl::Status& status) { second.set_value(status); }));
  }
  EXPECT_TRUE(first.get_future().get().ok());
  EXPECT_TRUE(second.get_future().get().ok());
  EXPECT_THAT(Told(), ::testing::ElementsAre("ada p1 x1"));
}

TEST_P(AccessLogTest, WhatCantBeKeptIsNotShownAndIsKeptLater) {
  AccessLog log(faulty_, *clock_);
  faulty_.failing = true;
  const absl::Status refused = TellAndWait(log, Reading("p1"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(errors::Reason(refused), "AUDIT_UNAVAILABLE");
  EXPECT_FALSE(TellAndWait(log, Reading("p1")).ok());
  faulty_.failing = false;
  EXPECT_TRUE(TellAndWait(log, Reading("p2")).ok());
  const std::vector<std::string> told = Told();
  EXPECT_EQ(std::count(told.begin(), told.end(), "ada p1 x1"), 1);
}

TEST_P(AccessLogTest, AFullQueueMakesEveryReplyWait) {
  AccessLog log(faulty_, *clock_, {.batch = 1, .queue = 2});
  std::promise<void> kept;
  bool waits = false;
  {
    MutexLock lock(faulty_.gate);
    for (int i = 0; i < 10 && !waits; ++i) {
      waits = log.Tell(Reading(absl::StrCat("p", i)), false,
                       [&](const absl::Status&) { kept.set_value(); });
    }
  }
  ASSERT_TRUE(waits);
  kept.get_future().wait();
}

TEST_P(AccessLogTest, AtMostSoManyRecordsAreRemembered) {
  AccessLog log(faulty_, *clock_, {.windows = 2});
  for (const char* record : {"p1", "p2", "p1", "p3", "p1"}) {
    EXPECT_TRUE(TellAndWait(log, Reading(record)).ok());
  }
  log.Stop();
  EXPECT_THAT(Told(), ::testing::UnorderedElementsAre("ada p1 x1", "ada p2 x1", "ada p3 x1",
                                                      "ada p1 x1", "ada p1 x1"));
}

TEST_P(AccessLogTest, StoppingWritesAllThatWasTold) {
  AccessLog log(faulty_, *clock_);
  for (int i = 0; i < 500; ++i) TellOnly(log, Reading(absl::StrCat("p", i % 250)));
  log.Stop();
  const std::vector<std::string> told = Told();
  EXPECT_EQ(told.size(), 500u);  // each once, and each once more as counted
  SequenceAll();
  EXPECT_EQ(Tree().size, 500);
}

INSTANTIATE_TEST_SUITE_P(Engines, AccessLogTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         testing::EngineOf);

}  // namespace
}  // namespace rapport::audit
