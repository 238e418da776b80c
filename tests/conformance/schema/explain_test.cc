#include <cstdlib>
#include <map>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/conformance/schema/schema.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/postgres_server.h"

// How PostgreSQL runs each statement of the service on the data of a network.
namespace rapport::sql::testing {
namespace {

using ::testing::IsEmpty;

// RAPPORT_EXPLAIN_ROWS makes it another size.
int64_t LargeRows() {
  const char* rows = std::getenv("RAPPORT_EXPLAIN_ROWS");
  return rows == nullptr ? 50'000 : std::atoll(rows);
}
constexpr int64_t kOtherRows = 5'000;
constexpr int kOrganizations = 20;

// What is written into a column of row `i`: what keys end with is told apart, what refers to others
// repeats sixteenfold, instants are hours apart, most are settled.
std::string Filling(const std::string& column, const std::string& type, bool last_of_key) {
  if (column == "organization_id") return absl::StrCat("'org' || i % ", kOrganizations);
  if (type == "bytea") return "decode(repeat('ab', 400), 'hex')";
  if (type == "double precision") return "i % 27";
  if (type == "text") {
    return last_of_key ? absl::StrCat("'k' || i") : absl::StrCat("'k' || i / 320");
  }
  if (absl::EndsWith(column, "ends_at") || column == "end_time" || column == "session_end_time") {
    return "1700000000000000 + i * 3600000000 + 3000000000";
  }
  if (absl::EndsWith(column, "_at") || absl::EndsWith(column, "_time") || column == "day" ||
      absl::EndsWith(column, "_day")) {
    return "1700000000000000 + i * 3600000000";
  }
  if (last_of_key) return "i";
  if (column == "state") return "CASE WHEN i % 20 = 0 THEN 1 ELSE 4 END";
  return column == "version" ? "1" : "i % 5";
}

// What the services' own ColdStatements need not name.
bool IsCold(const std::string& name) {
  static const auto& cold = *new std::set<std::string>(ColdStatements());
  // Compares every record with the audit log, when an operator asks for it.
  if (absl::StrContains(name, ".audited.") || absl::StartsWith(name, "audit.verify.")) return true;
  // Of 500 positions at a time; a log of this size is joined in one go as cheaply.
  return name == "events.compact.drop" || absl::StartsWith(name, "test.") || cold.contains(name);
}

class ExplainTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresServer& server = PostgresServer::Shared();
    options_ = new PostgresOptions(server.NewDatabase(ServiceComponents()));
    connection_ = new Connection(*options_);
    connection_->Run("SET session_replication_role = replica; SET synchronous_commit = off");
    // Rows are made up column by column: what rows must obey goes, what finds them stays.
    for (const std::string& drop : connection_->Run(
             "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)"
             " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
             " AND contype IN ('c', 'f') ORDER BY contype DESC")) {
      connection_->Run(drop);
    }
    for (const std::string& table : connection_->Run(
             "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE"
             " c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
             " AND a.attname = 'organization_id'")) {
      Fill(table);
    }
    connection_->Run("ANALYZE");
    // Tables of a row for each organisation are small, as a network has few.
    const auto filled = connection_->Run(absl::StrCat(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > ", 10 * kOrganizations));
    tables_ = new std::set<std::string>(filled.begin(), filled.end());
  }
  static void TearDownTestSuite() {
    delete connection_;
    PostgresServer::Shared().Drop(*options_);
    delete options_;
    delete tables_;
  }

  static void Fill(const std::string& table) {
    const auto lasts = connection_->Run(absl::StrCat(
        "SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
        " AND a.attnum = i.indkey[i.indnkeyatts - 1] WHERE i.indisunique AND i.indrelid = '",
        table, "'::regclass"));
    const std::set<std::string> unique(lasts.begin(), lasts.end());
    std::vector<std::string> columns, fillings;
    for (const std::string& column : connection_->Run(absl::StrCat(
             "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = '",
             table, "'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"))) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(column, absl::MaxSplits('|', 1));
      columns.push_back(parts.first);
      fillings.push_back(Filling(parts.first, parts.second, unique.contains(parts.first)));
    }
    connection_->Run(absl::StrCat(
        "INSERT INTO ", table, " (", absl::StrJoin(columns, ", "), ") SELECT ",
        absl::StrJoin(fillings, ", "), " FROM generate_series(1, ",
        LargeTables().contains(table) ? LargeRows() : kOtherRows, ") AS i ON CONFLICT DO NOTHING"));
  }

  static PostgresOptions* options_;
  static Connection* connection_;
  static std::set<std::string>* tables_;  // that are not small
};
PostgresOptions* ExplainTest::options_ = nullptr;
Connection* ExplainTest::connection_ = nullptr;
std::set<std::string>* ExplainTest::tables_ = nullptr;

TEST_F(ExplainTest, NoStatementOfATenantReadsATableFromEndToEnd) {
  const std::regex scan("Seq Scan on (\\w+)");
  std::vector<std::string> scans;
  int explained = 0;
  for (const StatementText& statement : Catalogue()) {
    if (statement.reach != Reach::kTenant) continue;
    const auto plan = connection_->Explain(statement);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ++explained;
    if (IsCold(statement.name)) continue;
    for (const std::string& line : *plan) {
      std::smatch match;
      if (!std::regex_search(line, match, scan)) continue;
      if (!tables_->contains(match[1])) continue;
      scans.push_back(absl::StrCat(statement.name, ": ", match[1].str()));
    }
  }
  EXPECT_GT(explained, 40);
  EXPECT_THAT(scans, IsEmpty());
}

// The sequencer, the consumers and the workers go over all organisations, by indexes too.
TEST_F(ExplainTest, NoStatementOfTheFeedReadsALargeTableFromEndToEnd) {
  const std::set<std::string> large = LargeTables();
  const std::regex scan("Seq Scan on (\\w+)");
  std::vector<std::string> scans;
  for (const StatementText& statement : Catalogue()) {
    if (statement.reach != Reach::kFeed || IsCold(statement.name)) continue;
    const auto plan = connection_->Explain(statement);
    ASSERT_TRUE(plan.ok()) << plan.status();
    for (const std::string& line : *plan) {
      std::smatch match;
      if (!std::regex_search(line, match, scan) || !large.contains(match[1])) continue;
      scans.push_back(absl::StrCat(statement.name, ": ", match[1].str()));
    }
  }
  EXPECT_THAT(scans, IsEmpty());
}

}  // namespace
}  // namespace rapport::sql::testing
