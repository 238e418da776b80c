// The last release and this one on one database, under traffic: forward, back, and forward again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/auth/signer.h"
#include "tests/integration/suite/health.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tests/support/postgres/instance.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::testing {
namespace {

using sql::testing::PostgresServer;
using ::testing::IsEmpty;

constexpr int64_t kSome = 200;

class UpgradeTest : public ::testing::Test {
 protected:
  struct Replica {
    std::string key;  // "notes-1"
    std::string service;
    std::string listen;
    std::string health;
  };

  void SetUp() override {
    const char* old = std::getenv("RAPPORT_OLD_BINARIES");
    if (old == nullptr) GTEST_SKIP() << "needs another release; see tests/upgrade/run --long";
    old_ = old;
    std::map<std::string, std::vector<std::string>> addresses;
    for (const std::string& service : Suite::Services()) {
      databases_.emplace(service, PostgresServer::Shared().NewEmptyDatabase());
      for (int i = 0; i < 2; ++i) {
        const auto address = [] {
          return absl::StrCat("127.0.0.1:", sql::testing::FreeLoopbackPort());
        };
        replicas_.push_back({absl::StrCat(service, "-", i), service, address(), address()});
        addresses[service].push_back(replicas_.back().listen);
      }
      targets_[service] = absl::StrCat("ipv4:", absl::StrJoin(addresses[service], ","));
    }
  }

  // What a program says that it knows.
  static std::string Help(const std::string& program) {
    std::string text;
    FILE* const out = popen((program + " --helpfull 2>&1").c_str(), "r");
    for (char part[4096]; out != nullptr && fgets(part, sizeof part, out) != nullptr;) text += part;
    if (out != nullptr) pclose(out);
    return text;
  }

  void Migrate(const std::string& binaries) {
    for (const auto& [service, database] : databases_) {
      const Ended ended = RunToEnd(
          {binaries + "/rapportctl", "migrate", service, "--postgres_host=" + database.host,
           absl::StrCat("--postgres_port=", database.port), "--postgres_name=" + database.name,
           "--postgres_user=rapport_owner"});
      ASSERT_EQ(ended.exit_status, 0)
          << binaries << " migrates " << service << ": " << ended.error_text;
    }
  }

  void Start(const Replica& replica, const std::string& binaries) {
    std::vector<std::string> arguments = suite_.Arguments(replica.service);
    const std::string program = absl::StrCat(binaries, "/rapport-", replica.service);
    const std::string help = Help(program);
    arguments[0] = program;
    // The last of a flag counts.
    arguments.push_back("--listen=" + replica.listen);
    arguments.push_back("--health_listen=" + replica.health);
    arguments.push_back("--postgres_name=" + databases_.at(replica.service).name);
    arguments.push_back("--postgres_connections=4");
    arguments.push_back("--drain_linger=500ms");
    arguments.push_back("--connection_age=3s");
    arguments.push_back(absl::StrCat("--log_file=", dir_.File(replica.key + ".log")));
    for (const auto& [name, target] : targets_) {
      arguments.push_back(absl::StrCat("--", name, "_target=", target));
    }
    std::vector<std::string> known = {arguments[0]};
    for (size_t i = 1; i < arguments.size(); ++i) {
      const std::string flag = arguments[i].substr(0, arguments[i].find('='));
      if (absl::StrContains(help, flag + " (")) known.push_back(arguments[i]);
    }
    suite_.StartWith(replica.key, known);
    ASSERT_TRUE(Eventually([&] { return IsServing(replica.health, replica.service); }))
        << program << " does not serve: " << dir_.File(replica.key + ".log");
  }

  // One replica of each service after the other, as a rollout does, while calls go on.
  void Roll(int number, const std::string& binaries, CourseWriters& writers) {
    for (const Replica& replica : replicas_) {
      if (replica.key.back() != static_cast<char>('0' + number)) continue;
      EXPECT_EQ(suite_.Terminate(replica.key), 0) << replica.key;
      ASSERT_NO_FATAL_FAILURE(Start(replica, binaries));
      ASSERT_TRUE(writers.AwaitAcknowledged(kSome));
    }
  }

  std::unique_ptr<ctl::GrpcCaller> NewCaller() const {
    return std::make_unique<ctl::GrpcCaller>(
        ctl::Targets{.scheduling = targets_.at("scheduling"),
                     .assessment = targets_.at("assessment"),
                     .notes = targets_.at("notes")},
        *auth::TokenSigner::FromPemFile(suite_.keys_dir() + "/user.pem"));
  }

  TempDir dir_;
  Suite suite_{sql::Engine::kPostgres};
  std::string old_;
  const std::string new_ = RAPPORT_BINARIES;
  std::map<std::string, sql::PostgresOptions> databases_;
  std::vector<Replica> replicas_;
  std::map<std::string, std::string> targets_;
};

TEST_F(UpgradeTest, ForwardAndBackUnderTrafficLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(Migrate(old_));
  for (const Replica& replica : replicas_) ASSERT_NO_FATAL_FAILURE(Start(replica, old_));
  const auto caller = NewCaller();
  const Practice practice(*caller, "upgrade");
  CourseWriters writers([&] { return NewCaller(); }, practice, 3);
  writers.stopwatch().Phase("before");
  ASSERT_TRUE(writers.AwaitAcknowledged(kSome));

  writers.stopwatch().Phase("migrate");
  ASSERT_NO_FATAL_FAILURE(Migrate(new_));
  ASSERT_TRUE(writers.AwaitAcknowledged(kSome));  // the old on the new schema
  writers.stopwatch().Phase("forward");
  ASSERT_NO_FATAL_FAILURE(Roll(0, new_, writers));  // side by side
  ASSERT_NO_FATAL_FAILURE(Roll(1, new_, writers));
  writers.stopwatch().Phase("back");
  ASSERT_NO_FATAL_FAILURE(Roll(0, old_, writers));
  ASSERT_NO_FATAL_FAILURE(Roll(1, old_, writers));
  writers.stopwatch().Phase("again");
  ASSERT_NO_FATAL_FAILURE(Roll(0, new_, writers));
  ASSERT_NO_FATAL_FAILURE(Roll(1, new_, writers));
  writers.Stop();
  writers.stopwatch().Report("courses made");
  EXPECT_THAT(writers.failures(), IsEmpty());
  EXPECT_THAT(writers.Check(*caller), IsEmpty());

  const Ended verified = RunToEnd(
      {new_ + "/rapportctl", "audit", "verify", "--organization=" + practice.organization_id,
       "--keys_dir=" + suite_.keys_dir(), "--scheduling_target=" + targets_["scheduling"],
       "--assessment_target=" + targets_["assessment"], "--notes_target=" + targets_["notes"]});
  EXPECT_EQ(verified.exit_status, 0) << verified.error_text;
}

}  // namespace
}  // namespace rapport::testing
