#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <libpq-fe.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/robustness/postgres/oracle.h"
#include "tests/support/postgres/instance.h"

// Faults of PostgreSQL under load: what was acknowledged stays, what was not is whole or absent,
// and nobody needs to do anything.
namespace rapport::sql::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

const Statement kSleep{"test.faults.sleep", "SELECT pg_sleep(60)", Reach::kSchema};

constexpr int kThreads = 8;
constexpr int64_t kSome = 200;

class FaultsTest : public ::testing::Test {
 protected:
  void Serve(Instance::Settings settings = {}) {
    settings_ = std::move(settings);
    server_.Start(settings_);
    options_ = server_.MakeDatabase({Diary()});
  }

  Instance server_{"127.0.0.1", FreeLoopbackPort()};
  Instance::Settings settings_;
  PostgresOptions options_;
};

TEST_F(FaultsTest, ARestartUnderLoadLosesNothing) {
  Serve();
  const auto database = *OpenPostgres(options_, {Diary()});
  Writers writers(*database, kThreads);
  writers.Phase("before");
  ASSERT_TRUE(writers.AwaitMore(kSome));
  for (int round = 0; round < 3; ++round) {
    writers.Phase("during");
    server_.Stop("immediate");
    EXPECT_FALSE(database->Ready(absl::Now() + absl::Seconds(2)).ok());
    server_.Start(settings_);
    ASSERT_TRUE(writers.AwaitMore(kSome));
  }
  EXPECT_EQ(database->Ready(Soon()), absl::OkStatus());
  writers.Phase("after");
  ASSERT_TRUE(writers.AwaitMore(kSome));
  writers.Stop();
  writers.Report();
  EXPECT_THAT(writers.Check(*database), IsEmpty());
  EXPECT_THAT(writers.failures(), IsSubsetOf({"DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN"}));
}

// Of 20 threads, with 16 connections allowed each pool, on a server with room for 5.
TEST_F(FaultsTest, AServerWithoutConnectionsLeftIsSharedByWhoHasOne) {
  Serve({"max_connections=8", "superuser_reserved_connections=3", "max_wal_senders=2"});
  options_.max_connections = 16;
  const auto database = *OpenPostgres(options_, {Diary()});
  ASSERT_EQ(WriteOnce(*database, "first", Soon()), absl::OkStatus());
  Writers writers(*database, 20);
  writers.Phase("at the cap");
  ASSERT_TRUE(writers.AwaitMore(5 * kSome));
  EXPECT_LE(database->stats().in_use, 16);
  writers.Stop();
  writers.Report();
  EXPECT_THAT(writers.Check(*database), IsEmpty());
  EXPECT_THAT(writers.failures(), IsEmpty());
}

TEST_F(FaultsTest, AnotherUsersConnectionsLeaveUnavailableNotHanging) {
  Serve({"max_connections=5", "superuser_reserved_connections=1", "max_wal_senders=2"});
  const auto database = *OpenPostgres(options_, {Diary()});
  std::vector<std::unique_ptr<PGconn, void (*)(PGconn*)>> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back(
        PQconnectdb(
            absl::StrCat("host=127.0.0.1 user=rapport_feed dbname=rapport port=", server_.port())
                .c_str()),
        PQfinish);
  }
  const absl::Status status = WriteOnce(*database, "refused", Soon());
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(errors::Reason(status), "DATABASE_CONNECTIONS");
  others.clear();
  EXPECT_TRUE(Eventually([&] { return WriteOnce(*database, "served", Soon()).ok(); }));
}

TEST_F(FaultsTest, ASlowStatementEndsAtItsDeadlineAndHoldsUpNobody) {
  Serve();
  options_.max_connections = 3;
  const auto database = *OpenPostgres(options_, {Diary()});
  Writers writers(*database, 2);
  ASSERT_TRUE(writers.AwaitMore(10));
  for (int i = 0; i < 5; ++i) {
    const absl::Status late =
        database->Read(Access::Tenant(kClinic), absl::Now() + absl::Milliseconds(200),
                       [](Session& session) { return session.Query(kSleep, {}).status(); });
    EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  }
  ASSERT_TRUE(writers.AwaitMore(10));
  EXPECT_TRUE(Eventually([&] {
    return server_
        .Admin("rapport",
               "SELECT pid FROM pg_stat_activity WHERE query LIKE"
               " '%pg_sleep(60)%' AND state = 'active' AND pid <>"
               " pg_backend_pid()")
        .empty();
  }));
  writers.Stop();
  EXPECT_THAT(writers.failures(), IsEmpty());
  EXPECT_THAT(writers.Check(*database), IsEmpty());
}

// The time that is left is told anew within a transaction: its later statements end with the call
// too, not a whole time-out later.
TEST_F(FaultsTest, ALateStatementOfALongTransactionEndsWithTheCall) {
  Serve();
  const auto database = *OpenPostgres(options_, {Diary()});
  static const Statement kTimeout{"test.faults.timeout",
                                  "SELECT current_setting('statement_timeout')", Reach::kSchema};
  static const Statement kPause{"test.faults.pause", "SELECT pg_sleep(1.2)", Reach::kSchema};
  std::string first, later;
  EXPECT_EQ(database->Read(Access::Tenant(kClinic), absl::Now() + absl::Seconds(2),
                           [&](Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const Result before, session.Query(kTimeout, {}));
                             RETURN_IF_ERROR(session.Query(kPause, {}).status());
                             ASSIGN_OR_RETURN(const Result after, session.Query(kTimeout, {}));
                             first = before.Text(0, 0);
                             later = after.Text(0, 0);
                             return absl::OkStatus();
                           }),
            absl::OkStatus());
  EXPECT_NE(first, later);
}

// As that of a replica that is frozen: the server ends it, in 10 s or, here, sooner.
TEST_F(FaultsTest, ATransactionThatStandsStillLetsGoOfItsRows) {
  Serve();
  const auto database = *OpenPostgres(options_, {Diary()});
  static const Statement kImpatience{
      "test.faults.impatience",
      "SELECT set_config('idle_in_transaction_session_timeout', '200ms', true)", Reach::kSchema};
  const absl::Status status = database->Write(
      Access::Tenant(kClinic), Soon(), [&](Transaction& transaction) -> absl::Status {
        RETURN_IF_ERROR(transaction.Query(kImpatience, {}).status());
        RETURN_IF_ERROR(
            transaction.Query(kWriteLine, {Text(kClinic), Text("frozen"), Int(1)}).status());
        EXPECT_TRUE(Eventually([&] {
          return server_
              .Admin("rapport", "SELECT pid FROM pg_stat_activity WHERE backend_xid IS NOT NULL")
              .empty();
        }));
        return absl::OkStatus();
      });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(server_.Admin("rapport", "SELECT count(*) FROM diary"), std::vector<std::string>{"0"});
}

class FailoverTest : public FaultsTest {};

TEST_F(FailoverTest, LosesNothingAndRefusesTheOldPrimary) {
  Serve();
  server_.Admin("postgres", "GRANT pg_read_all_stats TO rapport_app, rapport_feed");
  Instance standby("127.0.0.2", server_, "second");
  standby.Start();
  server_.Admin("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'second'");
  server_.Admin("postgres", "SELECT pg_reload_conf()");

  PostgresOptions both = options_;
  both.host = "127.0.0.1,127.0.0.2";
  both.require_synchronous_standby = true;
  const auto database = *OpenPostgres(both, {Diary()});
  ASSERT_TRUE(Eventually([&] { return database->Ready(Soon()).ok(); }));

  Writers writers(*database, kThreads);
  writers.Phase("before");
  ASSERT_TRUE(writers.AwaitMore(kSome));
  writers.Phase("during");
  server_.Stop("immediate");
  standby.Promote();
  // The new primary has no standby yet, and no write of ours is acknowledged before it has one.
  EXPECT_EQ(errors::Reason(WriteOnce(*database, "too early", Soon())), "UNSAFE_DURABILITY");
  Instance third("127.0.0.3", standby, "third");
  third.Start();
  standby.Admin("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'third'");
  standby.Admin("postgres", "SELECT pg_reload_conf()");
  ASSERT_TRUE(writers.AwaitMore(kSome));

  // The old primary comes back as if nothing had happened, first among the hosts and alone in
  // serving whoever asks it.
  server_.Start();
  server_.Admin("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
  server_.Admin("postgres", "SELECT pg_reload_conf()");
  writers.Phase("after");
  standby.Admin("rapport",
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename LIKE"
                " 'rapport_%'");
  ASSERT_TRUE(writers.AwaitMore(kSome));
  EXPECT_EQ(database->Ready(Soon()), absl::OkStatus());
  writers.Stop();
  writers.Report();
  EXPECT_THAT(writers.Check(*database), IsEmpty());
  const auto old_lines = server_.Admin("rapport", "SELECT count(*) FROM diary");
  EXPECT_LT(std::stoll(old_lines.at(0)),
            std::stoll(standby.Admin("rapport", "SELECT count(*) FROM diary").at(0)));

  // With the new one gone, the old one still isn't written to by who has met the new one.
  standby.Stop("fast");
  EXPECT_EQ(errors::Reason(WriteOnce(*database, "refused", Soon())), "STALE_PRIMARY");
  EXPECT_EQ(server_.Admin("rapport", "SELECT count(*) FROM diary"), old_lines);
}

}  // namespace
}  // namespace rapport::sql::testing
