#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/concurrency/mutex.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/conformance/sql/ledger.h"
#include "tests/support/postgres/postgres_server.h"

// What PostgreSQL alone can do wrong: races, lost connections, a busy pool.
namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;

constexpr char kOrganization[] = "clinic";

const Statement kDecimals("test.decimals",
                          "SELECT CAST('0' AS NUMERIC), CAST('-9223372036854775808' AS NUMERIC),"
                          " CAST('9223372036854775808' AS NUMERIC), CAST('-12345.0625' AS NUMERIC),"
                          " CAST('100000000' AS NUMERIC), CAST('0.00000001' AS NUMERIC)",
                          Reach::kSchema);
const Statement kSetOwner("test.account.set_owner",
                          "UPDATE account SET owner = '', balance = balance + 1"
                          " WHERE organization_id = $1 AND account_id = $2 RETURNING $3");
const Statement kStar("test.star", "SELECT * FROM account WHERE organization_id = $1");

bool Eventually(absl::FunctionRef<bool()> condition) {
  for (const absl::Time deadline = Soon(); absl::Now() < deadline;) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

// Lets `count` threads pass together.
class Barrier {
 public:
  explicit Barrier(int count) : left_(count) {}
  void Arrive() {
    MutexLock lock(mutex_);
    if (--left_ <= 0) all_here_.SignalAll();
    while (left_ > 0) {
      if (!all_here_.WaitUntil(mutex_, Soon())) break;
    }
  }

 private:
  Mutex mutex_;
  CondVar all_here_;
  int left_ ABSL_GUARDED_BY(mutex_);
};

class PostgresTest : public ::testing::Test {
 protected:
  PostgresTest() : options_(server_.NewDatabase({Ledger()})) {}
  ~PostgresTest() override {
    database_.reset();
    server_.Drop(options_);
  }

  void Open() { database_ = *OpenPostgres(options_, {Ledger()}); }
  std::vector<std::string> Admin(const std::string& sql) {
    return server_.Admin(options_.name, sql);
  }
  void TerminateConnections() {
    Admin(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename LIKE"
        " 'rapport_%' AND datname = current_database()");
  }
  absl::Status AddTo(const std::string& account, int64_t amount, absl::Time deadline = Soon()) {
    return database_->Write(access_, deadline, [&](Transaction& transaction) {
      return transaction.Query(kAddToBalance, {Text(kOrganization), Text(account), Int(amount)})
          .status();
    });
  }

  const Access access_ = Access::Tenant(kOrganization);
  PostgresServer& server_ = PostgresServer::Shared();
  PostgresOptions options_;
  std::unique_ptr<Database> database_;
};

TEST_F(PostgresTest, RunsTheWholeBodyAgainAfterADeadlock) {
  Admin(absl::StrCat("ALTER DATABASE ", options_.name, " SET deadlock_timeout = '10ms'"));
  Open();
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  ASSERT_EQ(AddAccount(*database_, kOrganization, "b", 0), absl::OkStatus());
  Barrier both_hold_one(2);
  std::atomic<int> runs = 0;
  const auto add_to_both = [&](const char* first, const char* second) {
    bool first_run = true;
    EXPECT_EQ(
        database_->Write(
            access_, Soon(),
            [&](Transaction& transaction) -> absl::Status {
              ++runs;
              RETURN_IF_ERROR(
                  transaction.Query(kAddToBalance, {Text(kOrganization), Text(first), Int(1)})
                      .status());
              if (std::exchange(first_run, false)) both_hold_one.Arrive();
              // As a handler that makes its own error of the store's.
              if (!transaction.Query(kAddToBalance, {Text(kOrganization), Text(second), Int(1)})
                       .ok()) {
                return errors::Internal("mapped");
              }
              return absl::OkStatus();
            }),
        absl::OkStatus());
  };
  std::thread one(add_to_both, "a", "b"), other(add_to_both, "b", "a");
  one.join();
  other.join();
  EXPECT_GE(runs, 3);
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), 2);
  EXPECT_EQ(Balance(*database_, kOrganization, "b"), 2);
}

TEST_F(PostgresTest, BoundsConnectionsAndWaiters) {
  options_.max_connections = 1;
  options_.max_waiters = 1;
  Open();
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  absl::Status waited;
  std::thread waiter;
  EXPECT_EQ(
      database_->Write(access_, Soon(),
                       [&](Transaction&) {
                         waiter = std::thread([&] { waited = AddTo("a", 1); });
                         EXPECT_TRUE(Eventually([&] { return database_->stats().waiting == 1; }));
                         const absl::Status refused = AddTo("a", 1);
                         EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
                         return absl::OkStatus();
                       }),
      absl::OkStatus());
  waiter.join();
  EXPECT_EQ(waited, absl::OkStatus());
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), 1);
  EXPECT_EQ(database_->stats().connections, 1);
  EXPECT_EQ(database_->stats().in_use, 0);
  EXPECT_EQ(database_->stats().waiting, 0);
}

TEST_F(PostgresTest, AWaiterLeavesAtItsDeadline) {
  options_.max_connections = 1;
  Open();
  EXPECT_EQ(database_->Write(access_, Soon(),
                             [&](Transaction&) {
                               const absl::Status late =
                                   AddTo("a", 1, absl::Now() + absl::Milliseconds(20));
                               EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
                               return absl::OkStatus();
                             }),
            absl::OkStatus());
  EXPECT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
}

TEST_F(PostgresTest, ReplacesConnectionsThatDiedIdle) {
  Open();
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  ASSERT_EQ(Balance(*database_, kOrganization, "a"), 0);
  TerminateConnections();
  EXPECT_EQ(AddTo("a", 1), absl::OkStatus());
  TerminateConnections();
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), 1);
}

TEST_F(PostgresTest, AConnectionLostInATransactionIsUnavailable) {
  Open();
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  const absl::Status status =
      database_->Write(access_, Soon(), [&](Transaction& transaction) -> absl::Status {
        const auto add = [&] {
          return transaction.Query(kAddToBalance, {Text(kOrganization), Text("a"), Int(1)})
              .status();
        };
        RETURN_IF_ERROR(add());
        TerminateConnections();
        return add();
      });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(errors::Reason(status), "DATABASE_UNAVAILABLE");
  EXPECT_EQ(AddTo("a", 1), absl::OkStatus());
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), 1);
}

TEST_F(PostgresTest, AConnectionLostInTheCommitLeavesTheOutcomeUnknown) {
  Admin(
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
      " PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON account DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION die()");
  Open();
  const absl::Status status = AddAccount(*database_, kOrganization, "a", 0);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(errors::Reason(status), "COMMIT_UNKNOWN");
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), -1);
}

TEST_F(PostgresTest, AnUnreachableServerIsUnavailable) {
  options_.port = 1;
  auto database = *OpenPostgres(options_, {Ledger()});
  EXPECT_TRUE(absl::IsUnavailable(database->Ready(Soon())));
  EXPECT_TRUE(absl::IsUnavailable(AddAccount(*database, kOrganization, "a", 0)));
  EXPECT_EQ(database->stats().connections, 0);
}

TEST_F(PostgresTest, LocksQueueAndTryLocksRefuse) {
  Open();
  std::vector<std::string> order;
  std::thread second;
  EXPECT_EQ(
      database_->Write(
          access_, Soon(),
          [&](Transaction& transaction) -> absl::Status {
            RETURN_IF_ERROR(transaction.TryLock("a"));
            second = std::thread([&] {
              (void)database_->Write(access_, Soon(), [&](Transaction& later) -> absl::Status {
                later.Lock({"b", "a"});
                RETURN_IF_ERROR(later.Query(kCountAccounts, {Text(kOrganization)}).status());
                order.push_back("second");
                return absl::OkStatus();
              });
            });
            EXPECT_TRUE(Eventually([&] {
              return Admin(
                         "SELECT count(*) FROM pg_locks WHERE NOT granted AND"
                         " locktype = 'advisory'") == std::vector<std::string>{"1"};
            }));
            const absl::Status busy = database_->Write(
                access_, Soon(), [&](Transaction& third) { return third.TryLock("a"); });
            EXPECT_TRUE(absl::IsAborted(busy)) << busy;
            EXPECT_EQ(errors::Reason(busy), "LOCKED");
            order.push_back("first");
            return absl::OkStatus();
          }),
      absl::OkStatus());
  second.join();
  EXPECT_THAT(order, ElementsAre("first", "second"));
}

TEST_F(PostgresTest, AMigrationUnderneathHealsItself) {
  options_.max_connections = 1;
  Open();
  const auto read = [&] {
    return database_->Read(access_, Soon(), [](Session& session) {
      return session.Query(kStar, {Text(kOrganization)}).status();
    });
  };
  ASSERT_EQ(read(), absl::OkStatus());
  Admin("ALTER TABLE account ADD COLUMN note TEXT");
  const absl::Status status = read();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(read(), absl::OkStatus());
}

TEST_F(PostgresTest, DecimalsBecomeWholeNumbersWhereTheyAre) {
  Open();
  EXPECT_EQ(database_->Read(access_, Soon(),
                            [](Session& session) -> absl::Status {
                              ASSIGN_OR_RETURN(Result result, session.Query(kDecimals, {}));
                              EXPECT_EQ(result.at(0, 0), Int(0));
                              EXPECT_EQ(result.at(0, 1), Int(INT64_MIN));
                              EXPECT_EQ(result.at(0, 2), Value(9223372036854775808.0));
                              EXPECT_EQ(result.at(0, 3), Value(-12345.0625));
                              EXPECT_EQ(result.at(0, 4), Int(100000000));
                              EXPECT_DOUBLE_EQ(result.Real(0, 5), 1e-8);
                              return absl::OkStatus();
                            }),
            absl::OkStatus());
}

// 30 MB either way in one transaction: more than the sockets hold.
TEST_F(PostgresTest, AHugePipelineFlows) {
  constexpr int kUpdates = 3000;
  Open();
  ASSERT_EQ(AddAccount(*database_, kOrganization, "a", 0), absl::OkStatus());
  const std::string large(10'000, 'x');
  EXPECT_EQ(database_->Write(
                access_, Soon(),
                [&](Transaction& transaction) {
                  for (int i = 0; i < kUpdates; ++i) {
                    transaction.Defer(kSetOwner, {Text(kOrganization), Text("a"), Text(large)});
                  }
                  return absl::OkStatus();
                }),
            absl::OkStatus());
  EXPECT_EQ(Balance(*database_, kOrganization, "a"), kUpdates);
}

}  // namespace
}  // namespace rapport::sql::testing
