#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/errors/errors.h"
#include "common/sql/schema.h"
#include "tests/conformance/schema/schema.h"
#include "tests/support/postgres/postgres_server.h"

// The last release beside this schema, and this schema's migration cut short.
namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr char kMark[] = "-- statement ";

std::string BaselinePath() {
  return absl::StrCat(RAPPORT_BASELINE_FOLDER, "/", ServiceName(), ".sql");
}

// What the release's binaries send, as it was dumped at its time.
std::vector<StatementText> Baseline() {
  std::ifstream file(BaselinePath());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<StatementText> statements;
  for (absl::string_view part : absl::StrSplit(text, kMark, absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> lines =
        absl::StrSplit(part, absl::MaxSplits('\n', 1));
    const std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(lines.first, absl::MaxSplits(' ', 1));
    statements.push_back({std::string(words.first),
                          words.second == "feed"     ? Reach::kFeed
                          : words.second == "schema" ? Reach::kSchema
                                                     : Reach::kTenant,
                          std::string(lines.second)});
  }
  return statements;
}

// With RAPPORT_WRITE_BASELINE set, a release dumps its statements for the next one to be held to.
TEST(UpgradeTest, TheLastReleasesStatementsRunOnThisSchema) {
  if (std::getenv("RAPPORT_WRITE_BASELINE") != nullptr) {
    std::ofstream file(BaselinePath());
    for (const StatementText& statement : Catalogue()) {
      if (absl::StartsWith(statement.name, "test.")) continue;
      file << kMark << statement.name << " "
           << (statement.reach == Reach::kFeed     ? "feed"
               : statement.reach == Reach::kSchema ? "schema"
                                                   : "tenant")
           << "\n"
           << absl::StripAsciiWhitespace(statement.sql) << "\n";
    }
  }
  PostgresServer& server = PostgresServer::Shared();
  const PostgresOptions options = server.NewDatabase(ServiceComponents());
  {
    Connection connection(options);
    const std::vector<StatementText> statements = Baseline();
    EXPECT_GT(statements.size(), 40u) << BaselinePath();
    for (const StatementText& statement : statements) {
      const auto plan = connection.Explain(statement);
      EXPECT_TRUE(plan.ok()) << plan.status();
    }
  }
  server.Drop(options);
}

// All that a migration makes, as the catalogue tells it.
std::vector<std::string> Shape(const PostgresOptions& options) {
  return Connection(options).Run(
      "SELECT line FROM ("
      " SELECT 'column ' || attrelid::regclass || '.' || attname || ' ' ||"
      "  format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || attgenerated::text"
      "  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relkind = 'r' AND attnum "
      ">"
      "  0 AND NOT attisdropped AND relnamespace = 'public'::regnamespace"
      " UNION ALL SELECT pg_get_indexdef(indexrelid) || ' ' || indisvalid FROM pg_index JOIN"
      "  pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace"
      " UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
      "  FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
      " UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || ' ' || roles::text"
      "  FROM pg_policies WHERE schemaname = 'public'"
      " UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
      " UNION ALL SELECT 'grant ' || table_name || ' ' || grantee || ' ' || privilege_type FROM"
      "  information_schema.role_table_grants WHERE table_schema = 'public'"
      " UNION ALL SELECT component || ' ' || version || ' ' || min_reader_version FROM"
      "  schema_version) AS lines (line) ORDER BY 1");
}

// The migrator loses its server connection after each single statement of each step, at first try;
// the next try goes on from there.
TEST(UpgradeTest, AMigrationCutShortAfterAnyStatementResumes) {
  PostgresServer& server = PostgresServer::Shared();
  const PostgresOptions whole = server.NewDatabase(ServiceComponents());
  const PostgresOptions cut = server.NewEmptyDatabase();
  std::vector<Component> all = ServiceComponents();
  all.insert(all.begin(), Foundation());
  std::vector<Component> done;
  int cuts = 0;
  for (const Component& component : all) {
    done.push_back({component.name, {}, {}});
    for (const Migration& step : component.postgres) {
      const bool concurrent = internal::IsConcurrent(step.sql);
      std::string begun = concurrent ? "-- concurrently\n" : "";
      for (const std::string& statement : internal::SplitStatements(step.sql)) {
        absl::StrAppend(&begun, statement, ";\n");
        Migration half = step;
        half.sql =
            absl::StrCat(begun, concurrent ? "CREATE INDEX CONCURRENTLY cut ON nowhere (x);"
                                           : "SELECT pg_terminate_backend(pg_backend_pid());");
        done.back().postgres.push_back(half);
        const absl::Status status =
            MigratePostgres({.database = PostgresServer::AsOwner(cut), .components = done});
        ASSERT_FALSE(status.ok()) << component.name << " " << step.name;
        done.back().postgres.pop_back();
        ++cuts;
      }
      done.back().postgres.push_back(step);
      const absl::Status status =
          MigratePostgres({.database = PostgresServer::AsOwner(cut), .components = done});
      ASSERT_TRUE(status.ok()) << component.name << " " << step.name << ": " << status;
    }
  }
  EXPECT_GT(cuts, 50);
  EXPECT_THAT(Shape(cut), ElementsAreArray(Shape(whole)));
  server.Drop(whole);
  server.Drop(cut);
}

}  // namespace
}  // namespace rapport::sql::testing
