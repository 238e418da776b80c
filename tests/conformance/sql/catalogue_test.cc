#include "tests/support/postgres/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CatalogueTest, AcceptsStatementsThatBindTheOrganisationForEachTable) {
  for (const char* sql : {
           "SELECT a FROM course WHERE organization_id = $1 AND course_id = $2 FOR UPDATE",
           "INSERT INTO course (organization_id, a) VALUES ($1, $2)"
           " ON CONFLICT (organization_id, a) DO UPDATE SET a = excluded.a",
           "UPDATE course SET a = $3 WHERE organization_id = $1 AND version = $2 RETURNING version",
           "DELETE FROM course WHERE $1 = organization_id",
           "SELECT c.a FROM course AS c JOIN plan p ON p.organization_id = c.organization_id"
           " WHERE c.organization_id = $1",
           "SELECT c.a FROM course c, plan p WHERE c.organization_id = $1 AND p.organization_id = "
           "$1",
           "SELECT a FROM course JOIN plan USING (organization_id, plan_id)"
           " WHERE organization_id = $1",
           "INSERT INTO course (organization_id, a) SELECT p.organization_id, 1 FROM plan p"
           " WHERE p.organization_id = $1",
           "WITH due AS (SELECT a FROM course WHERE organization_id = $1) SELECT a FROM due",
           "SELECT a FROM course WHERE (organization_id, a) IN (SELECT organization_id, a FROM plan"
           " WHERE organization_id = $1)",
           "SELECT a FROM course c WHERE c.organization_id = $1 AND NOT EXISTS (SELECT 1 FROM plan "
           "p"
           " WHERE p.organization_id = c.organization_id)",
           "INSERT INTO consumer_cursor (consumer, feed, cursor) VALUES ($1, $2, $3)",
       }) {
    EXPECT_THAT(TablesWithoutTenant(sql), IsEmpty()) << sql;
  }
}

TEST(CatalogueTest, NamesTheTableThatIsNotBound) {
  const std::vector<std::pair<const char*, std::vector<std::string>>> cases = {
      {"SELECT a FROM course WHERE course_id = $1", {"course"}},
      {"SELECT organization_id FROM course WHERE course_id = $1", {"course"}},
      {"SELECT a FROM course WHERE text = 'organization_id = 1' -- organization_id = $1",
       {"course"}},
      {"INSERT INTO course (course_id) VALUES ($1) ON CONFLICT (organization_id) DO NOTHING",
       {"course"}},
      {"UPDATE course SET a = $1 WHERE course_id = $2", {"course"}},
      {"DELETE FROM course", {"course"}},
      {"SELECT c.a FROM course c JOIN plan p ON p.plan_id = c.plan_id WHERE c.organization_id = $1",
       {"plan"}},
      {"SELECT c.a FROM course c JOIN plan p ON p.organization_id = c.organization_id", {"plan"}},
      {"SELECT a FROM course WHERE organization_id = $1 AND a IN (SELECT a FROM plan)", {"plan"}},
      {"SELECT a FROM course WHERE organization_id = $1 UNION SELECT a FROM plan", {"plan"}},
  };
  for (const auto& [sql, tables] : cases) EXPECT_EQ(TablesWithoutTenant(sql), tables) << sql;
}

TEST(CatalogueTest, LooksAtTenantStatementsAlone) {
  static const Statement unbound("test.catalogue.unbound", "SELECT a FROM course WHERE a = $1");
  static const Statement feed("test.catalogue.feed", "SELECT a FROM course", Reach::kFeed);
  EXPECT_THAT(StatementsWithoutTenant({&unbound, &feed}),
              ElementsAre("test.catalogue.unbound: course"));
}

TEST(CatalogueTest, ListsEveryStatementOnceByName) {
  const std::vector<const Statement*> catalogue = Statement::Catalogue();
  EXPECT_TRUE(
      std::is_sorted(catalogue.begin(), catalogue.end(),
                     [](const Statement* a, const Statement* b) { return a->name() < b->name(); }));
  EXPECT_FALSE(catalogue.empty());
}

TEST(CatalogueDeathTest, TwoStatementsCannotShareAName) {
  EXPECT_DEATH(
      {
        Statement first("test.twin", "SELECT 1");
        Statement second("test.twin", "SELECT 2");
      },
      "test.twin");
}

}  // namespace
}  // namespace rapport::sql::testing
