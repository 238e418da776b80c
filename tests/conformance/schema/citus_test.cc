#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/conformance/schema/schema.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/postgres_server.h"

// Whether the schema distributes by organization_id, by the rules that Citus publishes for
// distributed tables: every unique key holds the distribution column, every foreign key holds it on
// both sides at the same place, and exclusion constraints compare it with '='. Ours are stricter:
// it comes first, so that a tenant's rows lie together in every index.
namespace rapport::sql::testing {
namespace {

using ::testing::IsEmpty;

// What stays on the coordinator: one log with one order for all organisations, its queues and its
// readers' cursors.
const std::set<std::string>& CoordinatorTables() {
  static const auto& tables = *[] {
    auto* all = new std::set<std::string>(TenantlessTables());
    all->insert({"audit_pending", "event", "outbox_pending", "parked_event"});
    return all;
  }();
  return tables;
}

class CitusTest : public ::testing::Test {
 protected:
  CitusTest() : options_(server_.NewDatabase(ServiceComponents())), connection_(options_) {}
  ~CitusTest() override { server_.Drop(options_); }

  // The rows of `sql`, whose %s is a list of the tables that stay on the coordinator.
  std::vector<std::string> Find(const std::string& sql) {
    std::vector<std::string> quoted;
    for (const std::string& table : CoordinatorTables()) quoted.push_back("'" + table + "'");
    const size_t at = sql.find("%s");
    return connection_.Run(sql.substr(0, at) + absl::StrJoin(quoted, ", ") + sql.substr(at + 2));
  }

  PostgresServer& server_ = PostgresServer::Shared();
  PostgresOptions options_;
  Connection connection_;
};

TEST_F(CitusTest, EveryTableHasTheDistributionColumn) {
  EXPECT_THAT(Find("SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND"
                   " c.relnamespace = 'public'::regnamespace AND c.relname NOT IN (%s) AND NOT"
                   " EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname ="
                   " 'organization_id' AND a.attnotnull AND a.atttypid = 'text'::regtype)"),
              IsEmpty());
}

TEST_F(CitusTest, EveryTableHasAKeyThatBeginsWithIt) {
  EXPECT_THAT(Find("SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND"
                   " c.relnamespace = 'public'::regnamespace AND c.relname NOT IN (%s) AND NOT"
                   " EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid ="
                   " i.indrelid AND a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND"
                   " i.indisprimary AND a.attname = 'organization_id')"),
              IsEmpty());
}

TEST_F(CitusTest, EveryUniqueKeyAndExclusionBeginsWithIt) {
  EXPECT_THAT(Find("SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid ="
                   " i.indrelid LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum ="
                   " i.indkey[0] WHERE (i.indisunique OR i.indisexclusion) AND c.relnamespace ="
                   " 'public'::regnamespace AND c.relname NOT IN (%s) AND a.attname IS DISTINCT"
                   " FROM 'organization_id'"),
              IsEmpty());
  EXPECT_THAT(Find("SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
                   " JOIN pg_operator o ON o.oid = k.conexclop[1] WHERE k.contype = 'x' AND"
                   " c.relname NOT IN (%s) AND o.oprname <> '='"),
              IsEmpty());
}

TEST_F(CitusTest, EveryForeignKeyHoldsItOnBothSidesInFront) {
  EXPECT_THAT(
      Find("SELECT k.conrelid::regclass || ' ' || k.conname FROM pg_constraint k JOIN pg_class c ON"
           " c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid JOIN pg_attribute a ON"
           " a.attrelid = k.conrelid AND a.attnum = k.conkey[1] JOIN pg_attribute b ON b.attrelid ="
           " k.confrelid AND b.attnum = k.confkey[1] WHERE k.contype = 'f' AND (c.relname IN (%s)"
           " OR a.attname <> 'organization_id' OR b.attname <> 'organization_id')"),
      IsEmpty());
}

TEST_F(CitusTest, NothingDistributedCountsByASequence) {
  EXPECT_THAT(Find("SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON"
                   " c.oid = a.attrelid WHERE c.relkind = 'r' AND c.relnamespace ="
                   " 'public'::regnamespace AND a.attidentity <> '' AND c.relname NOT IN (%s)"),
              IsEmpty());
}

TEST_F(CitusTest, EachStatementOfATenantGoesToOneShard) {
  std::vector<const Statement*> ours;
  for (const Statement* statement : Statement::Catalogue()) ours.push_back(statement);
  EXPECT_GT(ours.size(), 40u);
  EXPECT_THAT(StatementsWithoutTenant(ours), IsEmpty());
}

TEST_F(CitusTest, NoStatementMovesARowToAnotherShard) {
  for (const StatementText& statement : Catalogue()) {
    const std::string& sql = statement.sql;
    const size_t set = sql.find("SET organization_id");
    EXPECT_EQ(set, std::string::npos) << statement.name;
  }
}

}  // namespace
}  // namespace rapport::sql::testing
