#include "common/sql/migrations.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "common/errors/errors.h"
#include "common/sql/schema.h"
#include "tests/conformance/sql/ledger.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(CheckSchemaTest, AnswersByTheThreeVersions) {
  struct Case {
    int binary, schema, min_reader;
    const char* reason;
  };
  for (const Case& c : std::vector<Case>{{1, 1, 1, ""},
                                         {3, 5, 2, ""},
                                         {3, 5, 3, ""},
                                         {3, 3, 0, ""},
                                         {3, 2, 1, "SCHEMA_BEHIND"},
                                         {1, 0, 0, "SCHEMA_BEHIND"},
                                         {3, 5, 4, "SCHEMA_AHEAD"},
                                         {1, 2, 2, "SCHEMA_AHEAD"}}) {
    const absl::Status status = CheckSchema(c.binary, c.schema, c.min_reader, "notes");
    EXPECT_EQ(errors::Reason(status), c.reason) << status;
    EXPECT_EQ(absl::IsUnavailable(status), std::string(c.reason) == "SCHEMA_BEHIND");
    EXPECT_EQ(absl::IsFailedPrecondition(status), std::string(c.reason) == "SCHEMA_AHEAD");
  }
}

TEST(EmbeddedMigrationsTest, AreNumberedFromOneAndAlikeOnBothEngines) {
  for (const Component& component : {Foundation(), Ledger()}) {
    ASSERT_FALSE(component.sqlite.empty());
    ASSERT_EQ(component.sqlite.size(), component.postgres.size());
    for (size_t i = 0; i < component.sqlite.size(); ++i) {
      EXPECT_EQ(component.sqlite[i].version, static_cast<int>(i) + 1);
      EXPECT_EQ(component.postgres[i].version, component.sqlite[i].version);
      EXPECT_EQ(component.postgres[i].name, component.sqlite[i].name);
      EXPECT_THAT(component.sqlite[i].sql, StartsWith("-- min_reader_version:"));
    }
  }
  EXPECT_EQ(Ledger().sqlite[0].name, "ledger");
}

// Steps that work on both engines.
Component Steps(const std::vector<std::string>& steps) {
  Component component{"test", {}, {}};
  for (const std::string& sql : steps) {
    component.sqlite.push_back({static_cast<int>(component.sqlite.size()) + 1, "step", sql});
  }
  component.postgres = component.sqlite;
  return component;
}

const std::vector<std::string> kThree = {"-- min_reader_version: 1\nCREATE TABLE a (x BIGINT);",
                                         "CREATE TABLE b (x BIGINT);",
                                         "-- min_reader_version: 2\nALTER TABLE a ADD y BIGINT;"};
const std::vector<std::string> kTwo(kThree.begin(), kThree.end() - 1);
const std::vector<std::string> kOne(kThree.begin(), kThree.end() - 2);

class SqliteMigrationsTest : public ::testing::Test {
 protected:
  absl::Status Open(const std::vector<std::string>& steps) {
    auto database = OpenSqlite({.path = folder_.File("test.db"), .readers = 1}, {Steps(steps)});
    return database.ok() ? (*database)->Ready(Soon()) : database.status();
  }
  ::rapport::testing::TempDir folder_;
};

TEST_F(SqliteMigrationsTest, OpeningAppliesWhatIsMissing) {
  EXPECT_EQ(Open(kOne), absl::OkStatus());
  EXPECT_EQ(Open(kThree), absl::OkStatus());
  EXPECT_EQ(Open(kThree), absl::OkStatus());
}

TEST_F(SqliteMigrationsTest, AnOlderBinaryServesIfTheSchemaLetsIt) {
  ASSERT_EQ(Open(kThree), absl::OkStatus());
  EXPECT_EQ(Open(kTwo), absl::OkStatus());
  EXPECT_EQ(errors::Reason(Open(kOne)), "SCHEMA_AHEAD");
}

TEST_F(SqliteMigrationsTest, AFailedStepLeavesThePreviousVersion) {
  std::vector<std::string> broken = kTwo;
  broken.push_back("CREATE TABLE c (x BIGINT); INSERT INTO missing VALUES (1);");
  EXPECT_FALSE(Open(broken).ok());
  EXPECT_EQ(Open(kTwo), absl::OkStatus());
  broken.back() = "CREATE TABLE c (x BIGINT);";  // fails if the half of it stayed
  EXPECT_EQ(Open(broken), absl::OkStatus());
}

class PostgresMigrationsTest : public ::testing::Test {
 protected:
  PostgresMigrationsTest() : options_(server_.NewEmptyDatabase()) {}
  ~PostgresMigrationsTest() override { server_.Drop(options_); }

  absl::Status Migrate(const std::vector<std::string>& steps) {
    return MigratePostgres(
        {.database = PostgresServer::AsOwner(options_), .components = {Steps(steps)}});
  }
  absl::Status Ready(const std::vector<std::string>& steps) {
    return (*OpenPostgres(options_, {Steps(steps)}))->Ready(Soon());
  }
  std::vector<std::string> Admin(const std::string& sql) {
    return server_.Admin(options_.name, sql);
  }
  std::vector<std::string> Version() {
    return Admin(
        "SELECT version || '/' || min_reader_version FROM schema_version"
        " WHERE component = 'test'");
  }

  PostgresServer& server_ = PostgresServer::Shared();
  PostgresOptions options_;
};

TEST_F(PostgresMigrationsTest, ABinaryWaitsForItsSchemaAndRefusesOneTooNew) {
  EXPECT_EQ(errors::Reason(Ready(kOne)), "SCHEMA_BEHIND");
  ASSERT_EQ(Migrate(kOne), absl::OkStatus());
  EXPECT_EQ(Ready(kOne), absl::OkStatus());
  EXPECT_EQ(errors::Reason(Ready(kTwo)), "SCHEMA_BEHIND");
  ASSERT_EQ(Migrate(kThree), absl::OkStatus());
  EXPECT_EQ(Ready(kThree), absl::OkStatus());
  EXPECT_EQ(Ready(kTwo), absl::OkStatus());
  EXPECT_EQ(errors::Reason(Ready(kOne)), "SCHEMA_AHEAD");
  EXPECT_THAT(Version(), ElementsAre("3/2"));
}

TEST_F(PostgresMigrationsTest, MigratingAgainChangesNothing) {
  ASSERT_EQ(Migrate(kTwo), absl::OkStatus());
  const auto epoch = Admin("SELECT epoch FROM feed_state");
  ASSERT_EQ(Migrate(kTwo), absl::OkStatus());
  ASSERT_EQ(Migrate(kOne), absl::OkStatus());
  EXPECT_EQ(Admin("SELECT epoch FROM feed_state"), epoch);
  EXPECT_THAT(Version(), ElementsAre("2/1"));
}

TEST_F(PostgresMigrationsTest, TellsHowManyOfTheMissingStepsAreApplied) {
  ASSERT_EQ(Migrate(kOne), absl::OkStatus());
  std::vector<std::pair<int, int>> told;
  const auto migrate = [&] {
    return MigratePostgres(
        {.database = PostgresServer::AsOwner(options_),
         .components = {Steps(kThree)},
         .progress = [&told](int applied, int missing) { told.emplace_back(applied, missing); }});
  };
  ASSERT_EQ(migrate(), absl::OkStatus());
  EXPECT_THAT(told, ElementsAre(std::pair(0, 2), std::pair(1, 2), std::pair(2, 2)));
  ASSERT_EQ(migrate(), absl::OkStatus());
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(PostgresMigrationsTest, AFailedStepLeavesThePreviousVersion) {
  std::vector<std::string> broken = kTwo;
  broken.push_back("CREATE TABLE c (x BIGINT); INSERT INTO missing VALUES (1);");
  const absl::Status status = Migrate(broken);
  EXPECT_EQ(errors::Reason(status), "MIGRATION_FAILED") << status;
  EXPECT_THAT(Version(), ElementsAre("2/1"));
  broken.back() = "CREATE TABLE c (x BIGINT);";
  EXPECT_EQ(Migrate(broken), absl::OkStatus());
}

TEST_F(PostgresMigrationsTest, RunsInParallelTakeTurns) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(Migrate(kThree), absl::OkStatus()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Version(), ElementsAre("3/2"));
}

TEST_F(PostgresMigrationsTest, ResumesAfterAKillWithinAStep) {
  ASSERT_EQ(Migrate(kOne), absl::OkStatus());
  Admin(
      "CREATE TABLE gate (x BIGINT); GRANT ALL ON gate TO rapport_owner; INSERT INTO gate"
      " VALUES (1)");
  // The third step does half of its work and then waits for ever, as long as the gate is closed.
  std::vector<std::string> steps = kTwo;
  steps.push_back(
      "CREATE TABLE c (x BIGINT);"
      "DO $$ BEGIN WHILE EXISTS (SELECT 1 FROM gate) LOOP PERFORM pg_sleep(0.01); END LOOP;"
      " END $$;");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(Migrate(steps).ok() ? 0 : 1);
  for (const absl::Time deadline = Soon(); Version() != std::vector<std::string>{"2/1"};) {
    ASSERT_LT(absl::Now(), deadline);
    std::this_thread::yield();
  }
  kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));

  EXPECT_EQ(errors::Reason(Ready(steps)), "SCHEMA_BEHIND");
  EXPECT_THAT(Admin("SELECT to_regclass('c') IS NULL"), ElementsAre("t"));
  Admin("DELETE FROM gate");
  EXPECT_EQ(Migrate(steps), absl::OkStatus());
  EXPECT_EQ(Ready(steps), absl::OkStatus());
}

// Components whose second step builds indexes without holding up writers.
const std::vector<std::string> kConcurrent = {
    "-- min_reader_version: 1\nCREATE TABLE a (x BIGINT, y BIGINT);",
    "-- min_reader_version: 1\n-- concurrently\n"
    "CREATE UNIQUE INDEX CONCURRENTLY a_by_x ON a (x);\n"
    "CREATE INDEX CONCURRENTLY a_by_y ON a (y);\n"};
const std::vector<std::string> kBeforeConcurrent(kConcurrent.begin(), kConcurrent.end() - 1);
constexpr char kIndexes[] =
    "SELECT indexrelid::regclass || ' ' || indisvalid FROM pg_index WHERE indrelid = 'a'::regclass"
    " ORDER BY 1";

TEST_F(PostgresMigrationsTest, AConcurrentStepThatFailedLeavesAnInvalidIndexAndIsResumed) {
  ASSERT_EQ(Migrate(kBeforeConcurrent), absl::OkStatus());
  Admin("INSERT INTO a VALUES (1, 1), (1, 2)");
  EXPECT_EQ(errors::Reason(Migrate(kConcurrent)), "MIGRATION_FAILED");
  EXPECT_THAT(Admin(kIndexes), ElementsAre("a_by_x false"));
  EXPECT_THAT(Version(), ElementsAre("1/1"));
  // The step doesn't take what is there for what it wants.
  EXPECT_EQ(errors::Reason(Migrate(kConcurrent)), "MIGRATION_FAILED");
  Admin("DELETE FROM a WHERE y = 2");
  EXPECT_EQ(Migrate(kConcurrent), absl::OkStatus());
  EXPECT_THAT(Admin(kIndexes), ElementsAre("a_by_x true", "a_by_y true"));
  EXPECT_THAT(Version(), ElementsAre("2/1"));
}

TEST_F(PostgresMigrationsTest, AnInvalidIndexOfNobodysStepIsTold) {
  ASSERT_EQ(Migrate(kConcurrent), absl::OkStatus());
  Admin("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_by_y'::regclass");
  const absl::Status status = Migrate(kConcurrent);
  EXPECT_EQ(errors::Reason(status), "INVALID_INDEX");
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("a_by_y"));
  Admin("REINDEX INDEX CONCURRENTLY a_by_y");
  EXPECT_EQ(Migrate(kConcurrent), absl::OkStatus());
}

// Whoever waits for the lock must not hold what CREATE INDEX CONCURRENTLY waits for.
TEST_F(PostgresMigrationsTest, ConcurrentStepsInParallelTakeTurns) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(Migrate(kConcurrent), absl::OkStatus()); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Admin(kIndexes), ElementsAre("a_by_x true", "a_by_y true"));
}

TEST_F(PostgresMigrationsTest, AConcurrentStepHoldsIndexesAlone) {
  std::vector<std::string> steps = kBeforeConcurrent;
  steps.push_back("-- concurrently\nUPDATE a SET x = 2;");
  EXPECT_EQ(errors::Reason(Migrate(steps)), "MIGRATION_FAILED");
  EXPECT_THAT(Version(), ElementsAre("1/1"));
}

TEST(SplitStatementsTest, KnowsQuotesAndComments) {
  EXPECT_THAT(internal::SplitStatements("-- a; b\nSELECT ';' ; CREATE FUNCTION f() AS $x$ a; $y$;"
                                        " $x$ LANGUAGE sql;\n-- end;\n SELECT $1, \"a;b\""),
              ElementsAre("SELECT ';'", "CREATE FUNCTION f() AS $x$ a; $y$; $x$ LANGUAGE sql",
                          "SELECT $1, \"a;b\""));
}

}  // namespace
}  // namespace rapport::sql::testing
