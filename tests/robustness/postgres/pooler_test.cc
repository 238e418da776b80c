#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <libpq-fe.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/robustness/postgres/oracle.h"
#include "tests/support/postgres/instance.h"
#include "tests/support/postgres/postgres_server.h"

// Behind PgBouncer in transaction mode, with one server connection for everybody.
namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Statement kSleep{"test.pooler.sleep", "SELECT pg_sleep(60)", Reach::kSchema};
const Statement kSettings{
    "test.pooler.settings",
    "SELECT current_setting('app.tenant', true), current_setting('statement_timeout'),"
    " current_setting('lock_timeout'), current_setting('synchronous_commit')",
    Reach::kSchema};

class PoolerTest : public ::testing::Test {
 protected:
  PoolerTest() : direct_(server_.NewDatabase({Diary()})), bouncer_(direct_.host, direct_.port, 1) {
    options_ = direct_;
    options_.port = bouncer_.port();
    options_.pooler = Pooler::kTransaction;
    options_.max_connections = 8;
    database_ = *OpenPostgres(options_, {Diary()});
  }
  ~PoolerTest() override {
    database_.reset();
    server_.Drop(direct_);
  }

  PostgresServer& server_ = PostgresServer::Shared();
  PostgresOptions direct_;
  PgBouncer bouncer_;
  PostgresOptions options_;
  std::unique_ptr<Database> database_;
};

TEST_F(PoolerTest, IsReady) { EXPECT_EQ(database_->Ready(Soon()), absl::OkStatus()); }

// The threads' statements name no organisation: only what each transaction sets about itself keeps
// the tenants apart on the one server connection.
TEST_F(PoolerTest, NoTenantEverSeesAnothersRow) {
  constexpr int kThreads = 8, kRounds = 60;
  std::atomic<int> foreign = 0, failed = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const std::string tenant = thread % 2 == 0 ? "one" : "two";
      const auto look = [&](Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const Result rows, session.Query(kAllLines, {}));
        for (size_t row = 0; row < rows.rows(); ++row) {
          if (rows.Text(row, 0) != tenant) ++foreign;
        }
        return absl::OkStatus();
      };
      for (int round = 0; round < kRounds; ++round) {
        const std::string name = absl::StrCat(thread, ".", round);
        const absl::Status refusal = errors::FailedPrecondition("NO", "No.");
        const auto write = [&](const absl::Status& end) {
          return database_->Write(
              Access::Tenant(tenant), Soon(), [&](Transaction& transaction) -> absl::Status {
                transaction.Defer(kWriteLine, {Text(tenant), Text(name), Int(1)});
                RETURN_IF_ERROR(look(transaction));
                return end;
              });
        };
        // One that is rolled back, one that stands, one that breaks a constraint, and a read.
        if (write(refusal) != refusal) ++failed;
        if (!write(absl::OkStatus()).ok()) ++failed;
        if (!absl::IsAlreadyExists(write(absl::OkStatus()))) ++failed;
        if (!database_->Read(Access::Tenant(tenant), Soon(), look).ok()) ++failed;
      }
    });
  }
  int most = 0;
  std::thread watcher([&] {
    for (int i = 0; i < 20; ++i) {
      const auto count = server_.Admin(direct_.name,
                                       "SELECT count(*) FROM pg_stat_activity WHERE usename ="
                                       " 'rapport_app' AND datname = current_database()");
      most = std::max(most, std::atoi(count.at(0).c_str()));
    }
  });
  for (std::thread& thread : threads) thread.join();
  watcher.join();
  EXPECT_EQ(foreign, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(most, 1);
  EXPECT_THAT(server_.Admin(direct_.name, "SELECT count(*) FROM diary"),
              ElementsAre(absl::StrCat(kThreads * kRounds)));
}

TEST_F(PoolerTest, NothingSetOutlivesItsTransaction) {
  std::vector<std::string> within;
  EXPECT_EQ(database_->Read(Access::Tenant("one"), Soon(),
                            [&](Session& session) -> absl::Status {
                              ASSIGN_OR_RETURN(const Result row, session.Query(kSettings, {}));
                              within = {row.Text(0, 0), row.Text(0, 2)};
                              EXPECT_NE(row.Text(0, 1), "0");
                              return absl::OkStatus();
                            }),
            absl::OkStatus());
  EXPECT_THAT(within, ElementsAre("one", "5s"));
  const std::unique_ptr<PGconn, void (*)(PGconn*)> next(
      PQconnectdb(absl::StrCat("host=127.0.0.1 port=", bouncer_.port(),
                               " user=rapport_app dbname=", direct_.name)
                      .c_str()),
      PQfinish);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> row(
      PQexec(next.get(),
             "SELECT coalesce(current_setting('app.tenant', true), ''),"
             " current_setting('statement_timeout'), current_setting('lock_timeout')"),
      PQclear);
  ASSERT_EQ(PQresultStatus(row.get()), PGRES_TUPLES_OK) << PQerrorMessage(next.get());
  EXPECT_STREQ(PQgetvalue(row.get(), 0, 0), "");
  EXPECT_STREQ(PQgetvalue(row.get(), 0, 1), "0");
  EXPECT_STREQ(PQgetvalue(row.get(), 0, 2), "0");
}

TEST_F(PoolerTest, TheDeadlineEndsAStatementAndFreesTheServerConnection) {
  const absl::Status late =
      database_->Read(Access::Tenant("one"), absl::Now() + absl::Milliseconds(300),
                      [](Session& session) { return session.Query(kSleep, {}).status(); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  EXPECT_EQ(WriteOnce(*database_, "after", Soon()), absl::OkStatus());
}

TEST_F(PoolerTest, LocksLastForTheirTransaction) {
  EXPECT_EQ(database_->Write(Access::Tenant("one"), Soon(),
                             [&](Transaction& transaction) { return transaction.TryLock("a"); }),
            absl::OkStatus());
  EXPECT_EQ(database_->Write(Access::Tenant("two"), Soon(),
                             [&](Transaction& transaction) { return transaction.TryLock("a"); }),
            absl::OkStatus());
  EXPECT_THAT(server_.Admin(direct_.name,
                            "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
                            " AND database = (SELECT oid FROM pg_database WHERE"
                            " datname = current_database())"),
              IsEmpty());
}

}  // namespace
}  // namespace rapport::sql::testing
