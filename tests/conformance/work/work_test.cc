#include "common/work/work.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::work {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What acts did, one row each.
sql::Component Deeds() {
  const std::string columns = "organization_id TEXT NOT NULL, key TEXT NOT NULL, n BIGINT NOT NULL";
  return {
      "deeds",
      {{1, "deed", absl::StrCat("CREATE TABLE deed (", columns, ");\n")}},
      {{1, "deed",
        absl::StrCat("CREATE TABLE deed (", columns, ");\nSELECT rapport_protect('deed');\n")}}};
}

const sql::Statement kDeed{"test.deed.insert", R"sql(
  INSERT INTO deed (organization_id, key, n) VALUES ($1, $2, $3))sql"};
const sql::Statement kDeeds{"test.deed.list", R"sql(
  SELECT key, n FROM deed WHERE organization_id = $1 ORDER BY key, n)sql"};
const sql::Statement kItems{"test.work.items", R"sql(
  SELECT kind, key, attempts FROM due_work WHERE organization_id = $1 ORDER BY kind, key)sql"};
const sql::Statement kKnow{"test.work.know", R"sql(
  INSERT INTO organization (organization_id, state, create_time) VALUES ($1, 'ACTIVE', 0))sql"};
const sql::Statement kBackend{"test.work.backend", "SELECT CAST(pg_backend_pid() AS BIGINT)",
                              sql::Reach::kSchema};

absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

class WorkTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  void Put(const std::string& kind, const std::string& key,
           absl::Duration in = absl::ZeroDuration(), const std::string& organization = "acme") {
    Write(organization, [&](sql::Transaction& tx) {
      Schedule(tx, organization, kind, key, clock_.Now() + in);
      return absl::OkStatus();
    });
  }

  void Write(const std::string& organization,
             const std::function<absl::Status(sql::Transaction&)>& body) {
    const absl::Status status = database_->Write(sql::Access::Tenant(organization), Soon(),
                                                 [&](sql::Transaction& tx) { return body(tx); });
    EXPECT_TRUE(status.ok()) << status;
  }

  std::vector<std::string> List(const sql::Statement& statement,
                                const std::string& organization = "acme") {
    std::vector<std::string> lines;
    const absl::Status status = database_->Read(
        sql::Access::Tenant(organization), Soon(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows,
                           session.Query(statement, {sql::Text(organization)}));
          const bool items = &statement == &kItems;
          for (size_t i = 0; i < rows.rows(); ++i) {
            lines.push_back(
                items ? absl::StrCat(rows.Text(i, 0), " ", rows.Text(i, 1), " x", rows.Int(i, 2))
                      : absl::StrCat(rows.Text(i, 0), " ", rows.Int(i, 1)));
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return lines;
  }

  static absl::Status Note(sql::Transaction& tx, const Item& item, int64_t n) {
    tx.Defer(kDeed, {sql::Text(item.organization_id), sql::Text(item.key), sql::Int(n)});
    return absl::OkStatus();
  }

  static Act Noting() {
    return [](sql::Transaction& tx, const Item& item, absl::Time) { return Note(tx, item, 0); };
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  time::ManualClock clock_{absl::FromUnixSeconds(1'772'000'000)};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  Worker worker_{*database_, clock_, *metrics_};
};

TEST_P(WorkTest, DoesWhatIsDueOnceAndAsItsTenant) {
  worker_.On("greet", Noting());
  Put("greet", "a");
  Put("greet", "a", absl::ZeroDuration(), "other");
  Put("greet", "later", absl::Minutes(1));
  EXPECT_EQ(*worker_.RunOnce(), 2);
  EXPECT_EQ(*worker_.RunOnce(), 0);
  EXPECT_THAT(List(kDeeds), ElementsAre("a 0"));
  EXPECT_THAT(List(kDeeds, "other"), ElementsAre("a 0"));
  EXPECT_THAT(List(kItems), ElementsAre("greet later x0"));
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*worker_.RunOnce(), 1);
  EXPECT_THAT(List(kItems), IsEmpty());
}

TEST_P(WorkTest, ThereIsOneItemOfAKindAndKeyAtItsLastTime) {
  worker_.On("greet", Noting());
  Put("greet", "a");
  Put("greet", "a", absl::Hours(1));
  EXPECT_EQ(*worker_.RunOnce(), 0);
  Put("greet", "a");
  Write("acme", [](sql::Transaction& tx) {
    Unschedule(tx, "acme", "greet", "a");
    Unschedule(tx, "acme", "greet", "none");
    return absl::OkStatus();
  });
  EXPECT_EQ(*worker_.RunOnce(), 0);
  EXPECT_THAT(List(kItems), IsEmpty());
}

TEST_P(WorkTest, WhatIsScheduledByARolledBackTransactionIsNotDone) {
  worker_.On("greet", Noting());
  EXPECT_FALSE(database_
                   ->Write(sql::Access::Tenant("acme"), Soon(),
                           [&](sql::Transaction& tx) {
                             Schedule(tx, "acme", "greet", "a", clock_.Now());
                             return errors::FailedPrecondition("NO", "No.");
                           })
                   .ok());
  EXPECT_EQ(*worker_.RunOnce(), 0);
}

TEST_P(WorkTest, LeavesWhatItDoesNotKnowEvenIfItIsFirst) {
  worker_.On("greet", Noting());
  for (int i = 0; i < 120; ++i) Put("foreign", absl::StrCat(i), -absl::Hours(1));
  Put("greet", "a");
  EXPECT_EQ(*worker_.RunOnce(), 1);
  EXPECT_EQ(List(kItems).size(), 120u);
}

TEST_P(WorkTest, AnActMayScheduleItselfAnewAndOthers) {
  worker_.On("count", [](sql::Transaction& tx, const Item& item, absl::Time now) {
    if (item.key != "3") {
      Schedule(tx, item.organization_id, "count", absl::StrCat(std::stoi(item.key) + 1), now);
    }
    if (item.key == "0") Schedule(tx, item.organization_id, "count", "0", now + absl::Minutes(1));
    return Note(tx, item, 0);
  });
  Put("count", "0");
  EXPECT_EQ(*worker_.RunOnce(), 4);
  EXPECT_THAT(List(kDeeds), ElementsAre("0 0", "1 0", "2 0", "3 0"));
  EXPECT_THAT(List(kItems), ElementsAre("count 0 x0"));
}

TEST_P(WorkTest, RunsNoMoreThanTheLimit) {
  worker_.On("greet", Noting());
  for (int i = 0; i < 5; ++i) Put("greet", absl::StrCat(i));
  EXPECT_EQ(*worker_.RunOnce(2), 2);
  EXPECT_EQ(List(kItems).size(), 3u);
}

TEST_P(WorkTest, WhatFailsChangesNothingAndIsTriedAgainAfterGrowingPauses) {
  std::vector<int> attempts;
  worker_.On("greet", [&](sql::Transaction& tx, const Item& item, absl::Time) -> absl::Status {
    attempts.push_back(item.attempts);
    RETURN_IF_ERROR(Note(tx, item, item.attempts));
    if (item.attempts < 3) return errors::Unavailable("DOWN", "Down.", "test");
    return absl::OkStatus();
  });
  Put("greet", "a");
  Put("greet", "b", absl::Hours(1));
  EXPECT_EQ(*worker_.RunOnce(), 0);
  EXPECT_THAT(List(kDeeds), IsEmpty());
  EXPECT_THAT(List(kItems), ElementsAre("greet a x1", "greet b x0"));
  EXPECT_EQ(*worker_.RunOnce(), 0);
  EXPECT_THAT(attempts, ElementsAre(0));
  for (const int pause : {1, 2, 4}) {
    clock_.Advance(absl::Seconds(pause) - absl::Microseconds(1));
    EXPECT_EQ(*worker_.RunOnce(), 0);
    const size_t before = attempts.size();
    clock_.Advance(absl::Microseconds(1));
    EXPECT_EQ(*worker_.RunOnce(), pause == 4 ? 1 : 0);
    EXPECT_EQ(attempts.size(), before + 1);
  }
  EXPECT_THAT(List(kDeeds), ElementsAre("a 3"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_work_failed_total{kind=\"greet\"} 3"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_work_done_total{kind=\"greet\"} 1"));
}

TEST_P(WorkTest, OneThatFailsDoesNotHoldUpOthers) {
  worker_.On("fail",
             [](sql::Transaction&, const Item&, absl::Time) { return errors::Internal("broken"); });
  worker_.On("greet", Noting());
  Put("fail", "a", -absl::Hours(1));
  Put("greet", "b");
  EXPECT_EQ(*worker_.RunOnce(), 1);
  EXPECT_THAT(List(kDeeds), ElementsAre("b 0"));
}

TEST_P(WorkTest, ItsAgeIsMeasured) {
  Put("greet", "a");
  worker_.On("greet", Noting());
  clock_.Advance(absl::Seconds(90));
  ASSERT_EQ(*worker_.RunOnce(), 1);
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_work_due_age_seconds 90"));
  ASSERT_EQ(*worker_.RunOnce(), 0);
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_work_due_age_seconds 0"));
}

TEST_P(WorkTest, WorkersShareTheLoadAndNothingIsDoneTwice) {
  constexpr int kItemsEach = 60;
  for (const char* organization : {"acme", "other"}) {
    for (int i = 0; i < kItemsEach; ++i) {
      Put("greet", absl::StrCat("k", i), absl::ZeroDuration(), organization);
    }
  }
  // The first to act waits until the other has acted too, so that the load must be shared.
  Mutex mutex;
  CondVar changed;
  int acted[2] = {0, 0};
  std::vector<std::thread> threads;
  int done[2] = {0, 0};
  const bool alone = database_->engine() == sql::Engine::kSqlite;  // one writer at a time
  for (int w = 0; w < 2; ++w) {
    threads.emplace_back([&, w] {
      Worker worker(*database_, clock_, *metrics_);
      worker.On("greet", [&, w](sql::Transaction& tx, const Item& item, absl::Time) {
        {
          MutexLock lock(mutex);
          ++acted[w];
          changed.SignalAll();
          while (!alone && acted[1 - w] == 0) changed.Wait(mutex);
        }
        return Note(tx, item, w);
      });
      for (int idle = 0; idle < 3;) {
        const int now_done = *worker.RunOnce();
        done[w] += now_done;
        idle = now_done == 0 ? idle + 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (*worker_.RunOnce() > 0) {
  }
  EXPECT_EQ(done[0] + done[1], 2 * kItemsEach);
  for (const char* organization : {"acme", "other"}) {
    EXPECT_THAT(List(kItems, organization), IsEmpty());
    std::vector<std::string> keys = List(kDeeds, organization);
    for (std::string& key : keys) key.resize(key.find(' '));
    EXPECT_EQ(keys.size(), static_cast<size_t>(kItemsEach));
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
  }
}

TEST_P(WorkTest, EveryOrganizationGetsWhatItLacks) {
  worker_.On("greet", Noting());
  for (int i = 0; i < 205; ++i) {
    const std::string organization = absl::StrCat("o", i);
    Write(organization, [&](sql::Transaction& tx) {
      tx.Defer(kKnow, {sql::Text(organization)});
      return absl::OkStatus();
    });
  }
  Put("greet", "daily", absl::Hours(3), "o7");
  ASSERT_TRUE(ScheduleEverywhere(*database_, "greet", "daily", clock_.Now()).ok());
  EXPECT_EQ(*worker_.RunOnce(), 204);
  EXPECT_THAT(List(kDeeds, "o0"), ElementsAre("daily 0"));
  EXPECT_THAT(List(kDeeds, "o204"), ElementsAre("daily 0"));
  EXPECT_THAT(List(kItems, "o7"), ElementsAre("greet daily x0"));
}

TEST_P(WorkTest, WhoSchedulesOrUnschedulesDoesNotWaitForTheWorker) {
  if (database_->engine() == sql::Engine::kSqlite) GTEST_SKIP() << "has one writer at a time";
  worker_.On("greet", [&](sql::Transaction& tx, const Item& item, absl::Time) {
    if (item.key == "a") {
      Write("acme", [](sql::Transaction& other) {
        Unschedule(other, "acme", "greet", "a");
        return absl::OkStatus();
      });
    } else if (List(kDeeds).size() < 2) {
      Put("greet", "b");  // comes to be done after this
    }
    return Note(tx, item, 0);
  });
  Put("greet", "a", -absl::Seconds(1));
  Put("greet", "b");
  EXPECT_EQ(*worker_.RunOnce(), 3);
  EXPECT_THAT(List(kDeeds), ElementsAre("a 0", "b 0", "b 0"));
  EXPECT_THAT(List(kItems), IsEmpty());
}

TEST_P(WorkTest, AThreadDoesItAndStopsAfterTheItemUnderWay) {
  Mutex mutex;
  CondVar changed;
  int acts = 0;
  worker_.On("greet", [&](sql::Transaction& tx, const Item& item, absl::Time) {
    MutexLock lock(mutex);
    ++acts;
    changed.SignalAll();
    return Note(tx, item, 0);
  });
  Put("greet", "a");
  worker_.Start(absl::Milliseconds(1));
  {
    MutexLock lock(mutex);
    while (acts == 0) changed.Wait(mutex);
  }
  worker_.Stop();
  EXPECT_THAT(List(kDeeds), ElementsAre("a 0"));
  Put("greet", "b");
  EXPECT_THAT(List(kItems), ElementsAre("greet b x0"));
}

INSTANTIATE_TEST_SUITE_P(Engines, WorkTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Migrations(), Deeds()})),
                         sql::testing::EngineName);

class WorkOnPostgresTest : public WorkTest {};

TEST_P(WorkOnPostgresTest, TheDeathOfAConnectionBetweenTakingAndCommitLeavesTheItem) {
  bool killed = false;
  worker_.On("greet", [&](sql::Transaction& tx, const Item& item, absl::Time) -> absl::Status {
    RETURN_IF_ERROR(Note(tx, item, 0));
    if (killed) return absl::OkStatus();
    killed = true;
    ASSIGN_OR_RETURN(const sql::Result backend, tx.Query(kBackend, {}));
    sql::testing::PostgresServer::Shared().Admin(
        "postgres", absl::StrCat("SELECT pg_terminate_backend(", backend.Int(0, 0), ")"));
    return absl::OkStatus();
  });
  Put("greet", "a");
  const absl::StatusOr<int> first = worker_.RunOnce();
  EXPECT_TRUE(!first.ok() || *first == 0);
  EXPECT_TRUE(killed);
  EXPECT_THAT(List(kDeeds), IsEmpty());
  EXPECT_EQ(List(kItems).size(), 1u);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(*worker_.RunOnce(), 1);
  EXPECT_THAT(List(kDeeds), ElementsAre("a 0"));
}

INSTANTIATE_TEST_SUITE_P(Engines, WorkOnPostgresTest,
                         ::testing::Values(sql::testing::Postgres({Migrations(), Deeds()})),
                         sql::testing::EngineName);

TEST(WorkStatementsTest, BindTheOrganisation) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()), IsEmpty());
}

}  // namespace
}  // namespace rapport::work
