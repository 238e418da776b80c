// A service that can't start says why in one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/suite/health.h"
#include "tests/integration/suite/suite.h"

namespace rapport::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The arguments of `service` without those that begin with `flag`, and with `instead` if given.
std::vector<std::string> Changed(const Suite& suite, const std::string& service,
                                 const std::string& flag, const std::string& instead = "") {
  std::vector<std::string> arguments = suite.Arguments(service);
  arguments.erase(
      std::remove_if(arguments.begin(), arguments.end(),
                     [&](const std::string& argument) { return absl::StartsWith(argument, flag); }),
      arguments.end());
  if (!instead.empty()) arguments.push_back(instead);
  return arguments;
}

void ExpectOneLine(const Ended& ended, const std::string& says) {
  EXPECT_EQ(ended.exit_status, 1) << ended.error_text;
  EXPECT_THAT(ended.error_text, AllOf(StartsWith("rapport-notes: "), HasSubstr(says)));
  EXPECT_EQ(std::count(ended.error_text.begin(), ended.error_text.end(), '\n'), 1)
      << ended.error_text;
}

TEST(StartTest, AMissingKeySetIsNamed) {
  Suite suite(sql::Engine::kSqlite);
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--jwks_file")), "--jwks_file");
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--jwks_file", "--jwks_file=/nowhere/jwks.json")),
                "/nowhere/jwks.json");
}

TEST(StartTest, AWrongSecretIsNamed) {
  Suite suite(sql::Engine::kSqlite);
  const std::string wrong = suite.keys_dir() + "/jwks.json";
  ExpectOneLine(
      RunToEnd(Changed(suite, "notes", "--integrity_key", "--integrity_key_file=" + wrong)),
      "jwks.json");
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--service_key", "--service_key_file=" + wrong)),
                "jwks.json");
}

TEST(StartTest, WithoutSignedAuditHeadsItDoesNotServe) {
  Suite suite(sql::Engine::kSqlite);
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--audit_key_file")), "--audit_key_file");
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--audit_anchor_dir")), "--audit_anchor_dir");
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--audit_anchor_dir",
                                 "--audit_anchor_dir=" + suite.clock_file() + "/anchors")),
                "/anchors");
  // Of another service.
  ExpectOneLine(RunToEnd(Changed(
                    suite, "notes", "--audit_key_file",
                    absl::StrCat("--audit_key_file=", suite.keys_dir(), "/audit-assessment.pem"))),
                "is not in the set of public keys for this service");
}

TEST(StartTest, AnUnknownDatabaseIsRefused) {
  Suite suite(sql::Engine::kSqlite);
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--database", "--database=oracle")),
                "'sqlite' or 'postgres'");
}

TEST(StartTest, APortInUseIsNamed) {
  Suite suite(sql::Engine::kSqlite);
  suite.Start("assessment");
  suite.AwaitReady("assessment");
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--listen",
                                 absl::StrCat("--listen=", suite.targets().assessment))),
                suite.targets().assessment);
}

TEST(StartTest, AFileHasOneOwner) {
  Suite suite(sql::Engine::kSqlite);
  suite.Start("notes");
  suite.AwaitReady("notes");
  std::vector<std::string> arguments = suite.Arguments("notes");
  for (std::string& argument : arguments) {  // ports of its own
    const size_t end = argument.find("listen=");
    if (end != std::string::npos) argument = argument.substr(0, end) + "listen=127.0.0.1:0";
  }
  ExpectOneLine(RunToEnd(arguments), "notes.db");
}

TEST(StartTest, ADevelopmentClockNeedsDevelopmentKeys) {
  Suite suite(sql::Engine::kSqlite);
  const auto key = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::ifstream file(suite.keys_dir() + "/jwks.json");
  std::string keys(std::istreambuf_iterator<char>(file), {});
  keys.insert(keys.find('[') + 1, key->PublicJwk() + ",");
  const std::string jwks = suite.keys_dir() + "/production.json";
  std::ofstream(jwks) << keys;
  ExpectOneLine(RunToEnd(Changed(suite, "notes", "--jwks_file", "--jwks_file=" + jwks)),
                "--development_clock_file is refused");
}

TEST(StartTest, WithoutItsDatabaseItIsAliveButNotReady) {
  Suite suite(sql::Engine::kSqlite);
  std::vector<std::string> arguments = Changed(suite, "notes", "--data_dir", "--database=postgres");
  arguments.push_back("--postgres_host=127.0.0.1");
  arguments.push_back("--postgres_port=1");
  suite.StartWith("notes", arguments);
  const std::string address = absl::StrCat("127.0.0.1:", suite.health_port("notes"));
  while (!IsServing(address, "")) ASSERT_TRUE(suite.Runs("notes"));
  EXPECT_FALSE(IsServing(address, "notes"));
  EXPECT_EQ(suite.Terminate("notes"), 0);
}

}  // namespace
}  // namespace rapport::testing
