#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/conformance/sql/ledger.h"
#include "tests/support/postgres/databases.h"

// What both engines promise.
namespace rapport::sql::testing {

const Statement kInsertAccount("test.account.insert",
                               "INSERT INTO account (organization_id, account_id, owner, balance)"
                               " VALUES ($1, $2, $3, $4)");
const Statement kGetBalance("test.account.balance",
                            "SELECT balance FROM account"
                            " WHERE organization_id = $1 AND account_id = $2");
const Statement kAddToBalance("test.account.add",
                              "UPDATE account SET balance = balance + $3"
                              " WHERE organization_id = $1 AND account_id = $2 RETURNING balance");
const Statement kCountAccounts("test.account.count",
                               "SELECT count(*) FROM account WHERE organization_id = $1");

namespace {

using ::testing::ElementsAre;

const Statement kInsertScalar("test.scalar.insert",
                              "INSERT INTO scalar (organization_id, id, number, real, text, bytes)"
                              " VALUES ($1, $2, $3, $4, $5, $6)"
                              " RETURNING number, real, text, bytes");
const Statement kGetScalar("test.scalar.get",
                           "SELECT number, real, text, bytes FROM scalar"
                           " WHERE organization_id = $1 AND id = $2");
const Statement kReversed("test.reversed",
                          "SELECT balance FROM account WHERE account_id = $2"
                          " AND organization_id = $1 AND $2 = account_id");
const Statement kSumBalances("test.account.sum",
                             "SELECT sum(balance) FROM account WHERE organization_id = $1");
const Statement kInsertBooking("test.booking.insert",
                               "INSERT INTO booking (organization_id, account_id, number)"
                               " VALUES ($1, $2, $3)");
const Statement kMoveBooking("test.booking.move",
                             "UPDATE booking SET number = $3"
                             " WHERE organization_id = $1 AND account_id = $2");
const Statement kOptional("test.optional",
                          "SELECT 1 FROM account WHERE organization_id = $1"
                          " AND ($2 = 0 OR $2 > 4000000000)");
const Statement kMissingTable("test.missing", "SELECT x FROM missing WHERE organization_id = $1");
const Statement kEndless("test.endless",
                         "WITH RECURSIVE n(i) AS (SELECT CAST($1 AS BIGINT) UNION ALL"
                         " SELECT i + 1 FROM n) SELECT count(*) FROM n",
                         Reach::kSchema);

constexpr char kOrganization[] = "clinic";

class DatabaseTest : public ::testing::TestWithParam<DatabaseFactory> {
 protected:
  const Access access_ = Access::Tenant(kOrganization);
  std::unique_ptr<Database> database_ = GetParam().make();

  absl::Status Write(const Statement& statement, std::initializer_list<Value> parameters) {
    return database_->Write(access_, Soon(), [&](Transaction& transaction) {
      return transaction.Query(statement, parameters).status();
    });
  }
  absl::Status Add(const std::string& account, int64_t balance, Value owner = Null{}) {
    return Write(kInsertAccount, {Text(kOrganization), Text(account), owner, Int(balance)});
  }
  int64_t BalanceOf(const std::string& account) {
    return Balance(*database_, kOrganization, account);
  }
};

std::string Constraint(const absl::Status& status) {
  return errors::MetadataValue(status, "constraint");
}

TEST_P(DatabaseTest, IsReadyAsItsSchemaIsThisBinarys) {
  EXPECT_EQ(database_->Ready(Soon()), absl::OkStatus());
}

TEST_P(DatabaseTest, KeepsEveryKindOfValueExactly) {
  const std::string all_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
  }();
  const std::vector<std::vector<Value>> rows = {
      {Int(0), Value(0.1), Text(""), Bytes("")},
      {Null{}, Null{}, Null{}, Null{}},
      {Int(std::numeric_limits<int64_t>::min()), Value(-0.5), Text("grüß 'dich' \"\\ $1 🙂"),
       Bytes(all_bytes)},
      {Int(std::numeric_limits<int64_t>::max()), Value(std::numeric_limits<double>::denorm_min()),
       Text(std::string(100'000, 'x')), Bytes(std::string(100'000, '\0'))},
      {Int(-1), Value(std::numeric_limits<double>::infinity()), Text("\n\t"), Bytes("\0a\0")},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto id = static_cast<int64_t>(i);
    std::vector<Value> parameters = {Text(kOrganization), Int(id)};
    parameters.insert(parameters.end(), rows[i].begin(), rows[i].end());
    std::vector<Value> returned, read;
    const auto cells = [](const Result& result) {
      std::vector<Value> row;
      for (int column = 0; column < 4; ++column) row.push_back(result.at(0, column));
      return row;
    };
    ASSERT_EQ(database_->Write(access_, Soon(),
                               [&](Transaction& transaction) -> absl::Status {
                                 ASSIGN_OR_RETURN(Result result,
                                                  transaction.Query(kInsertScalar, parameters));
                                 EXPECT_EQ(result.affected(), 1);
                                 returned = cells(result);
                                 return absl::OkStatus();
                               }),
              absl::OkStatus());
    ASSERT_EQ(database_->Read(access_, Soon(),
                              [&](Session& session) -> absl::Status {
                                ASSIGN_OR_RETURN(
                                    Result result,
                                    session.Query(kGetScalar, {Text(kOrganization), Int(id)}));
                                EXPECT_EQ(result.affected(), 0);
                                read = cells(result);
                                return absl::OkStatus();
                              }),
              absl::OkStatus());
    EXPECT_EQ(returned, rows[i]);
    EXPECT_EQ(read, rows[i]);
  }
}

TEST_P(DatabaseTest, AWholeRealIsARealHoweverItIsRead) {
  const std::vector<Value> row = {Text(kOrganization), Int(1), Null{}, Value(2.0), Null{}, Null{}};
  EXPECT_EQ(database_->Write(
                access_, Soon(),
                [&](Transaction& transaction) -> absl::Status {
                  ASSIGN_OR_RETURN(Result returned, transaction.Query(kInsertScalar, row));
                  EXPECT_EQ(returned.Real(0, 1), 2.0);
                  ASSIGN_OR_RETURN(Result read, transaction.Query(kGetScalar, {row[0], row[1]}));
                  EXPECT_EQ(read.Real(0, 1), 2.0);
                  return absl::OkStatus();
                }),
            absl::OkStatus());
}

TEST_P(DatabaseTest, RefusesTextWithANul) {
  const absl::Status status = Add(std::string("a\0b", 3), 1);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST_P(DatabaseTest, BindsParametersByNumberNotByPlace) {
  ASSERT_EQ(Add("a", 7), absl::OkStatus());
  int64_t balance = 0;
  EXPECT_EQ(database_->Read(access_, Soon(),
                            [&](Session& session) -> absl::Status {
                              ASSIGN_OR_RETURN(
                                  Result result,
                                  session.Query(kReversed, {Text(kOrganization), Text("a")}));
                              balance = result.Int(0, 0);
                              return absl::OkStatus();
                            }),
            absl::OkStatus());
  EXPECT_EQ(balance, 7);
}

TEST_P(DatabaseTest, SumsAreWholeNumbers) {
  ASSERT_EQ(Add("a", 10'000'000'000'000'000), absl::OkStatus());
  ASSERT_EQ(Add("b", 230'001), absl::OkStatus());
  EXPECT_EQ(database_->Read(
                access_, Soon(),
                [&](Session& session) -> absl::Status {
                  ASSIGN_OR_RETURN(Result sum, session.Query(kSumBalances, {Text(kOrganization)}));
                  EXPECT_EQ(sum.at(0, 0), Int(10'000'000'000'230'001));
                  ASSIGN_OR_RETURN(Result none, session.Query(kSumBalances, {Text("nobody")}));
                  EXPECT_TRUE(none.IsNull(0, 0));
                  return absl::OkStatus();
                }),
            absl::OkStatus());
}

TEST_P(DatabaseTest, NamesTheBrokenConstraintAlikeOnBothEngines) {
  ASSERT_EQ(Add("a", 1, Text("ida")), absl::OkStatus());
  absl::Status status = Add("a", 1);
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(Constraint(status), "account_pkey");

  status = Add("b", 1, Text("ida"));
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(Constraint(status), "account_one_per_owner");

  status = Add("b", -1);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(errors::Reason(status), "CONSTRAINT");
  EXPECT_EQ(Constraint(status), "account_not_overdrawn");

  ASSERT_EQ(Write(kInsertBooking, {Text(kOrganization), Text("a"), Int(1)}), absl::OkStatus());
  ASSERT_EQ(Add("b", 1), absl::OkStatus());
  status = Write(kInsertBooking, {Text(kOrganization), Text("b"), Int(1)});
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(Constraint(status), "booking_number_key");

  status = Write(kMoveBooking, {Text(kOrganization), Text("a"), Int(2)});
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(Constraint(status), "booking_is_final");

  status = Write(kInsertAccount, {Text(kOrganization), Text("c"), Null{}, Null{}});
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(Constraint(status), "account.balance");
}

TEST_P(DatabaseTest, ChecksDeferredForeignKeysAtTheCommit) {
  const absl::Status status = Write(kInsertBooking, {Text(kOrganization), Text("none"), Int(1)});
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(Constraint(status), "foreign_key");
  EXPECT_EQ(
      database_->Write(
          access_, Soon(),
          [&](Transaction& transaction) {
            transaction.Defer(kInsertBooking, {Text(kOrganization), Text("late"), Int(1)});
            transaction.Defer(kInsertAccount, {Text(kOrganization), Text("late"), Null{}, Int(0)});
            return absl::OkStatus();
          }),
      absl::OkStatus());
}

TEST_P(DatabaseTest, ErrorsHoldNoDriverText) {
  const absl::Status status = Write(kMissingTable, {Text(kOrganization)});
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(status.ToString(), ::testing::Not(::testing::HasSubstr("no such table")));
  EXPECT_THAT(status.ToString(), ::testing::Not(::testing::HasSubstr("does not exist")));
}

TEST_P(DatabaseTest, RollsBackWhatABodyRefuses) {
  const absl::Status refusal = errors::FailedPrecondition("NO", "No.");
  EXPECT_EQ(
      database_->Write(
          access_, Soon(),
          [&](Transaction& transaction) -> absl::Status {
            RETURN_IF_ERROR(
                transaction.Query(kInsertAccount, {Text(kOrganization), Text("a"), Null{}, Int(1)})
                    .status());
            return refusal;
          }),
      refusal);
  EXPECT_EQ(BalanceOf("a"), -1);
}

TEST_P(DatabaseTest, ASwallowedFailureStillRollsBack) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  const absl::Status status = database_->Write(access_, Soon(), [&](Transaction& transaction) {
    transaction.Defer(kInsertAccount, {Text(kOrganization), Text("b"), Null{}, Int(1)});
    const auto insert = [&](const char* account) {
      return transaction.Query(kInsertAccount,
                               {Text(kOrganization), Text(account), Null{}, Int(1)});
    };
    EXPECT_TRUE(absl::IsAlreadyExists(insert("a").status()));
    EXPECT_TRUE(absl::IsAlreadyExists(insert("c").status()));  // every later call says so
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(BalanceOf("b"), -1);
  EXPECT_EQ(BalanceOf("c"), -1);
}

TEST_P(DatabaseTest, ADeferredFailureSurfacesFromTheCommit) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  const absl::Status status = database_->Write(access_, Soon(), [&](Transaction& transaction) {
    transaction.Defer(kInsertAccount, {Text(kOrganization), Text("b"), Null{}, Int(1)});
    transaction.Defer(kInsertAccount, {Text(kOrganization), Text("a"), Null{}, Int(1)});
    transaction.Defer(kInsertAccount, {Text(kOrganization), Text("c"), Null{}, Int(1)});
    return absl::OkStatus();
  });
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(Constraint(status), "account_pkey");
  EXPECT_EQ(BalanceOf("b"), -1);
  EXPECT_EQ(BalanceOf("c"), -1);
  EXPECT_EQ(Add("d", 1), absl::OkStatus());
}

TEST_P(DatabaseTest, ADeferredFailureSurfacesFromTheNextQuery) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  (void)database_->Write(access_, Soon(), [&](Transaction& transaction) {
    transaction.Defer(kInsertAccount, {Text(kOrganization), Text("a"), Null{}, Int(1)});
    const absl::Status status =
        transaction.Query(kGetBalance, {Text(kOrganization), Text("a")}).status();
    EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
    return status;
  });
}

TEST_P(DatabaseTest, ARefusalWithAFailingDeferredChangeLeavesNothingBehind) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  const absl::Status refusal = errors::FailedPrecondition("NO", "No.");
  EXPECT_EQ(database_->Write(access_, Soon(),
                             [&](Transaction& transaction) {
                               for (const char* account : {"b", "a"}) {
                                 transaction.Defer(
                                     kInsertAccount,
                                     {Text(kOrganization), Text(account), Value(Null{}), Int(1)});
                               }
                               return refusal;
                             }),
            refusal);
  EXPECT_EQ(BalanceOf("b"), -1);
  EXPECT_EQ(Add("b", 2), absl::OkStatus());
  EXPECT_EQ(BalanceOf("b"), 2);
}

TEST_P(DatabaseTest, ATransactionSeesItsOwnDeferredChanges) {
  EXPECT_EQ(
      database_->Write(
          access_, Soon(),
          [&](Transaction& transaction) -> absl::Status {
            transaction.Lock({"b", "a"});
            transaction.Defer(kInsertAccount, {Text(kOrganization), Text("a"), Null{}, Int(5)});
            RETURN_IF_ERROR(transaction.TryLock("c"));
            ASSIGN_OR_RETURN(Result result,
                             transaction.Query(kGetBalance, {Text(kOrganization), Text("a")}));
            EXPECT_EQ(result.Int(0, 0), 5);
            return absl::OkStatus();
          }),
      absl::OkStatus());
}

TEST_P(DatabaseTest, AnEmptyTransactionIsFine) {
  EXPECT_EQ(database_->Write(access_, Soon(), [](Transaction&) { return absl::OkStatus(); }),
            absl::OkStatus());
  EXPECT_EQ(database_->Read(access_, Soon(), [](Session&) { return absl::OkStatus(); }),
            absl::OkStatus());
}

TEST_P(DatabaseTest, ReadersSeeCommittedRowsOnly) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  EXPECT_EQ(database_->Write(
                access_, Soon(),
                [&](Transaction& transaction) -> absl::Status {
                  RETURN_IF_ERROR(
                      transaction.Query(kAddToBalance, {Text(kOrganization), Text("a"), Int(1)})
                          .status());
                  EXPECT_EQ(BalanceOf("a"), 1);
                  return absl::OkStatus();
                }),
            absl::OkStatus());
  EXPECT_EQ(BalanceOf("a"), 2);
}

TEST_P(DatabaseTest, AReadIsOneSnapshot) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  EXPECT_EQ(database_->Read(
                access_, Soon(),
                [&](Session& session) -> absl::Status {
                  for (int i = 0; i < 3; ++i) {
                    ASSIGN_OR_RETURN(Result result,
                                     session.Query(kGetBalance, {Text(kOrganization), Text("a")}));
                    EXPECT_EQ(result.Int(0, 0), 1);
                    EXPECT_EQ(Write(kAddToBalance, {Text(kOrganization), Text("a"), Int(1)}),
                              absl::OkStatus());
                  }
                  return absl::OkStatus();
                }),
            absl::OkStatus());
  EXPECT_EQ(BalanceOf("a"), 4);
}

TEST_P(DatabaseTest, AReadCannotWrite) {
  EXPECT_FALSE(database_
                   ->Read(access_, Soon(),
                          [&](Session& session) {
                            return session
                                .Query(kInsertAccount,
                                       {Text(kOrganization), Text("a"), Null{}, Int(1)})
                                .status();
                          })
                   .ok());
  EXPECT_EQ(BalanceOf("a"), -1);
}

TEST_P(DatabaseTest, LosesNoUpdateUnderContention) {
  constexpr int kThreads = 8, kUpdates = 50;
  ASSERT_EQ(Add("a", 0), absl::OkStatus());
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int update = 0; update < kUpdates; ++update) {
        EXPECT_EQ(Write(kAddToBalance, {Text(kOrganization), Text("a"), Int(1)}), absl::OkStatus());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(BalanceOf("a"), kThreads * kUpdates);
}

// On SQLite neighbours share one commit.
TEST_P(DatabaseTest, AFailingNeighbourHurtsNobody) {
  constexpr int kThreads = 8, kWrites = 30;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int write = 0; write < kWrites; ++write) {
        const std::string account = absl::StrCat(i, ".", write);
        const bool fails = (i + write) % 3 == 0;
        const absl::Status status =
            database_->Write(access_, Soon(), [&](Transaction& transaction) -> absl::Status {
              transaction.Defer(kInsertAccount,
                                {Text(kOrganization), Text(account), Null{}, Int(write)});
              if (!fails) return absl::OkStatus();
              return transaction
                  .Query(kAddToBalance, {Text(kOrganization), Text(account), Int(-99)})
                  .status();
            });
        EXPECT_EQ(status.ok(), !fails) << status;
        if (!status.ok()) {
          EXPECT_EQ(Constraint(status), "account_not_overdrawn");
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(database_->Read(access_, Soon(),
                            [&](Session& session) -> absl::Status {
                              ASSIGN_OR_RETURN(Result result, session.Query(kCountAccounts,
                                                                            {Text(kOrganization)}));
                              EXPECT_EQ(result.Int(0, 0), kThreads * kWrites - refused);
                              return absl::OkStatus();
                            }),
            absl::OkStatus());
  EXPECT_EQ(refused, kThreads * kWrites / 3);
}

TEST_P(DatabaseTest, ACallPastItsDeadlineIsNotRun) {
  const absl::Time past = absl::Now() - absl::Seconds(1);
  bool ran = false;
  const auto body = [&](Session&) {
    ran = true;
    return absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsDeadlineExceeded(database_->Write(access_, past, body)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(database_->Read(access_, past, body)));
  EXPECT_FALSE(ran);
}

TEST_P(DatabaseTest, TheDeadlineStopsALongQuery) {
  for (const bool write : {false, true}) {
    const absl::Time deadline = absl::Now() + absl::Milliseconds(200);
    const auto body = [&](Session& session) { return session.Query(kEndless, {Int(0)}).status(); };
    const absl::Status status = write ? database_->Write(access_, deadline, body)
                                      : database_->Read(access_, deadline, body);
    EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  }
  EXPECT_EQ(Add("a", 1), absl::OkStatus());
}

// PostgreSQL takes a NULL compared with 0 for a 32-bit number.
TEST_P(DatabaseTest, ANullFirstDoesNotFixAParametersType) {
  ASSERT_EQ(Add("a", 1), absl::OkStatus());
  const auto rows = [&](Value minimum) {
    size_t found = 0;
    EXPECT_EQ(database_->Read(access_, Soon(),
                              [&](Session& session) -> absl::Status {
                                ASSIGN_OR_RETURN(
                                    Result result,
                                    session.Query(kOptional, {Text(kOrganization), minimum}));
                                found = result.rows();
                                return absl::OkStatus();
                              }),
              absl::OkStatus());
    return found;
  };
  EXPECT_EQ(rows(Null{}), 0u);
  EXPECT_EQ(rows(Int(0)), 1u);
  EXPECT_EQ(rows(Int(5'000'000'000)), 1u);
  EXPECT_EQ(rows(Null{}), 0u);
}

TEST_P(DatabaseTest, TheFeedNumbersWhatTenantsLeft) {
  static const Statement insert_pending(
      "test.outbox.insert",
      "INSERT INTO outbox_pending (organization_id, event_id, resource, version, type, payload,"
      " occur_time) VALUES ($1, $2, 'r', 1, 't', $3, 5)");
  static const Statement take_pending(
      "test.outbox.take", "DELETE FROM outbox_pending RETURNING organization_id, event_id, payload",
      Reach::kFeed);
  static const Statement feed_state("test.feed_state",
                                    "SELECT epoch, last_position FROM feed_state", Reach::kFeed);
  for (const char* organization : {"one", "two"}) {
    ASSERT_EQ(database_->Write(Access::Tenant(organization), Soon(),
                               [&](Transaction& transaction) {
                                 transaction.Defer(insert_pending,
                                                   {Text(organization), Text(organization),
                                                    Bytes(std::string("\0\1", 2))});
                                 return absl::OkStatus();
                               }),
              absl::OkStatus());
  }
  EXPECT_EQ(database_->Write(Access::Feed(), Soon(),
                             [&](Transaction& transaction) -> absl::Status {
                               ASSIGN_OR_RETURN(Result state, transaction.Query(feed_state, {}));
                               EXPECT_EQ(state.Text(0, 0).size(), 26u);
                               EXPECT_EQ(state.Int(0, 1), 0);
                               ASSIGN_OR_RETURN(Result taken, transaction.Query(take_pending, {}));
                               EXPECT_EQ(taken.rows(), 2u);
                               EXPECT_EQ(taken.affected(), 2);
                               EXPECT_EQ(taken.Bytes(0, 2), std::string("\0\1", 2));
                               return absl::OkStatus();
                             }),
            absl::OkStatus());
}

INSTANTIATE_TEST_SUITE_P(Engines, DatabaseTest,
                         ::testing::Values(Sqlite({Ledger()}), Postgres({Ledger()}),
                                           Pooled({Ledger()})),
                         EngineName);

}  // namespace
}  // namespace rapport::sql::testing
