#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <libpq-fe.h>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/conformance/sql/ledger.h"
#include "tests/support/postgres/postgres_server.h"

// Row-level security holds tenants apart even where a statement forgets its WHERE clause.
namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Statement kAllAccounts("test.isolation.all", "SELECT account_id FROM account");
const Statement kRaiseAll("test.isolation.raise", "UPDATE account SET balance = balance + 1");
const Statement kDeleteAll("test.isolation.delete", "DELETE FROM account");
const Statement kTenant("test.isolation.tenant", "SELECT current_setting('app.tenant', true)",
                        Reach::kSchema);
const Statement kEndEarly("test.isolation.commit", "COMMIT", Reach::kSchema);

constexpr char kInsufficientPrivilege[] = "42501";

class TenantIsolationTest : public ::testing::Test {
 protected:
  TenantIsolationTest() : options_(server_.NewDatabase({Ledger()})) {
    options_.max_connections = 1;  // so that tenants take turns on one connection
    database_ = *OpenPostgres(options_, {Ledger()});
    EXPECT_EQ(AddAccount(*database_, "one", "a", 10), absl::OkStatus());
    EXPECT_EQ(AddAccount(*database_, "two", "b", 20), absl::OkStatus());
  }
  ~TenantIsolationTest() override {
    database_.reset();
    server_.Drop(options_);
  }

  std::vector<std::string> AllAccountsSeenBy(const Access& access) {
    std::vector<std::string> accounts;
    EXPECT_EQ(database_->Read(access, Soon(),
                              [&](Session& session) -> absl::Status {
                                ASSIGN_OR_RETURN(Result result, session.Query(kAllAccounts, {}));
                                for (size_t row = 0; row < result.rows(); ++row) {
                                  accounts.push_back(result.Text(row, 0));
                                }
                                return absl::OkStatus();
                              }),
              absl::OkStatus());
    return accounts;
  }

  // Runs `sql` as `user` outside this library: its first column, or the SQLSTATE.
  std::vector<std::string> Raw(const std::string& user, const std::string& sql) {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(
        PQconnectdb(absl::StrCat("host=", options_.host, " port=", options_.port,
                                 " dbname=", options_.name, " user=", user)
                        .c_str()),
        PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection.get(), sql.c_str()), PQclear);
    if (const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE); state != nullptr) {
      return {state};
    }
    std::vector<std::string> rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      rows.emplace_back(PQgetvalue(result.get(), row, 0));
    }
    return rows;
  }

  PostgresServer& server_ = PostgresServer::Shared();
  PostgresOptions options_;
  std::unique_ptr<Database> database_;
};

TEST_F(TenantIsolationTest, AForgottenWhereClauseShowsOwnRowsOnly) {
  EXPECT_THAT(AllAccountsSeenBy(Access::Tenant("one")), ElementsAre("a"));
  EXPECT_THAT(AllAccountsSeenBy(Access::Tenant("two")), ElementsAre("b"));
  EXPECT_THAT(AllAccountsSeenBy(Access::Tenant("three")), IsEmpty());
}

TEST_F(TenantIsolationTest, AForgottenWhereClauseChangesOwnRowsOnly) {
  for (const Statement* statement : {&kRaiseAll, &kDeleteAll}) {
    EXPECT_EQ(database_->Write(Access::Tenant("one"), Soon(),
                               [&](Transaction& transaction) -> absl::Status {
                                 ASSIGN_OR_RETURN(Result result, transaction.Query(*statement, {}));
                                 EXPECT_EQ(result.affected(), 1);
                                 return absl::OkStatus();
                               }),
              absl::OkStatus());
  }
  EXPECT_EQ(Balance(*database_, "one", "a"), -1);
  EXPECT_EQ(Balance(*database_, "two", "b"), 20);
}

TEST_F(TenantIsolationTest, NamingAnotherTenantFindsNothing) {
  const auto balance_seen = [&](const Access& access) {
    size_t rows = 0;
    EXPECT_EQ(
        database_->Read(
            access, Soon(),
            [&](Session& session) -> absl::Status {
              ASSIGN_OR_RETURN(Result result, session.Query(kGetBalance, {Text("two"), Text("b")}));
              rows = result.rows();
              return absl::OkStatus();
            }),
        absl::OkStatus());
    return rows;
  };
  EXPECT_EQ(balance_seen(Access::Tenant("two")), 1u);
  EXPECT_EQ(balance_seen(Access::Tenant("one")), 0u);
}

TEST_F(TenantIsolationTest, ARowForAnotherTenantIsRefused) {
  EXPECT_FALSE(database_
                   ->Write(Access::Tenant("one"), Soon(),
                           [&](Transaction& transaction) {
                             return transaction
                                 .Query(kInsertAccount, {Text("two"), Text("c"), Null{}, Int(1)})
                                 .status();
                           })
                   .ok());
  EXPECT_THAT(AllAccountsSeenBy(Access::Tenant("two")), ElementsAre("b"));
}

TEST_F(TenantIsolationTest, AnUnsetTenantMatchesNothing) {
  EXPECT_THAT(Raw("rapport_app", "SELECT account_id FROM account"), IsEmpty());
  EXPECT_THAT(Raw("rapport_app", "SET app.tenant = ''; SELECT account_id FROM account"), IsEmpty());
  EXPECT_THAT(Raw("rapport_app", "SET app.tenant = 'one'; SELECT account_id FROM account"),
              ElementsAre("a"));
  EXPECT_THAT(Raw("rapport_app", "INSERT INTO account VALUES ('one', 'c', NULL, 1)"),
              ElementsAre(kInsufficientPrivilege));
  EXPECT_THAT(
      Raw("rapport_app", "SET app.tenant = ''; INSERT INTO account VALUES ('', 'c', NULL, 1)"),
      ElementsAre(kInsufficientPrivilege));
}

TEST_F(TenantIsolationTest, ARolledBackTransactionLeavesNoTenantBehind) {
  const absl::Status refusal = errors::FailedPrecondition("NO", "No.");
  ASSERT_EQ(database_->Write(Access::Tenant("one"), Soon(),
                             [&](Transaction& transaction) -> absl::Status {
                               RETURN_IF_ERROR(transaction.Query(kAllAccounts, {}).status());
                               return refusal;
                             }),
            refusal);
  EXPECT_EQ(database_->stats().connections, 1);
  EXPECT_THAT(AllAccountsSeenBy(Access::Tenant("two")), ElementsAre("b"));
  EXPECT_THAT(AllAccountsSeenBy(Access::Tenant("three")), IsEmpty());
}

TEST_F(TenantIsolationTest, TheTenantEndsWithTheTransaction) {
  (void)database_->Read(Access::Tenant("one"), Soon(), [&](Session& session) -> absl::Status {
    ASSIGN_OR_RETURN(Result within, session.Query(kTenant, {}));
    EXPECT_EQ(within.Text(0, 0), "one");
    RETURN_IF_ERROR(session.Query(kEndEarly, {}).status());
    ASSIGN_OR_RETURN(Result after, session.Query(kTenant, {}));
    EXPECT_EQ(after.Text(0, 0), "");
    ASSIGN_OR_RETURN(Result accounts, session.Query(kAllAccounts, {}));
    EXPECT_TRUE(accounts.empty());
    return absl::OkStatus();
  });
}

TEST_F(TenantIsolationTest, TheFeedReachesNoTenantTable) {
  for (const char* table : {"account", "booking", "idempotency"}) {
    EXPECT_THAT(Raw("rapport_feed", absl::StrCat("SELECT 1 FROM ", table)),
                ElementsAre(kInsufficientPrivilege))
        << table;
  }
  EXPECT_FALSE(database_
                   ->Read(Access::Feed(), Soon(),
                          [](Session& session) { return session.Query(kAllAccounts, {}).status(); })
                   .ok());
}

TEST_F(TenantIsolationTest, TheFeedSeesAllTenantsOnItsOwnTables) {
  for (const char* organization : {"one", "two"}) {
    Raw("rapport_app",
        absl::StrCat("SET app.tenant = '", organization, "'; INSERT INTO organization VALUES ('",
                     organization, "', 'ACTIVE', 0)"));
  }
  EXPECT_THAT(Raw("rapport_feed", "SELECT organization_id FROM organization ORDER BY 1"),
              ElementsAre("one", "two"));
  EXPECT_THAT(
      Raw("rapport_app", "SET app.tenant = 'one'; SELECT organization_id FROM organization"),
      ElementsAre("one"));
}

TEST_F(TenantIsolationTest, RolesLackWhatTheyDoNotNeed) {
  for (const char* sql :
       {"DELETE FROM event", "INSERT INTO event (position) VALUES (1)",
        "UPDATE audit_leaf SET entry = ''", "DELETE FROM audit_leaf",
        "INSERT INTO audit_leaf (leaf_index) VALUES (1)", "DELETE FROM audit_pending",
        "UPDATE audit_pending SET entry = ''", "UPDATE feed_state SET last_position = 9",
        "UPDATE schema_version SET version = 9", "CREATE TABLE t (a TEXT)",
        "ALTER TABLE account DISABLE ROW LEVEL SECURITY"}) {
    EXPECT_THAT(Raw("rapport_app", sql), ElementsAre(kInsufficientPrivilege)) << sql;
  }
  for (const char* sql :
       {"UPDATE audit_leaf SET entry = ''", "DELETE FROM audit_leaf",
        "UPDATE event SET payload = ''", "DELETE FROM feed_state",
        "INSERT INTO organization VALUES ('x', 'ACTIVE', 0)", "CREATE TABLE t (a TEXT)"}) {
    EXPECT_THAT(Raw("rapport_feed", sql), ElementsAre(kInsufficientPrivilege)) << sql;
  }
}

TEST_F(TenantIsolationTest, EveryTableOfTenantsIsUnderForcedSecurity) {
  EXPECT_THAT(server_.Admin(options_.name,
                            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON"
                            " a.attrelid = c.oid WHERE a.attname = 'organization_id' AND"
                            " c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND"
                            " NOT (c.relrowsecurity AND c.relforcerowsecurity)"),
              IsEmpty());
  EXPECT_THAT(Raw("rapport_owner", "SELECT account_id FROM account"), IsEmpty());
}

TEST_F(TenantIsolationTest, AUserWhoBypassesSecurityIsNotReady) {
  PostgresOptions superuser = options_;
  superuser.user = "postgres";
  const absl::Status status = (*OpenPostgres(superuser, {Ledger()}))->Ready(Soon());
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(errors::Reason(status), "ROLE_BYPASSES_POLICIES");
}

}  // namespace
}  // namespace rapport::sql::testing
