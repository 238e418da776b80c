// Whole courses of therapy through the real suite, undisturbed and with services killed between any
// two steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/story/expectations.h"
#include "tools/rapportctl/story/player.h"
#include "tools/rapportctl/story/record.h"
#include "tools/rapportctl/story/report.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Played {
  std::string report;
  std::vector<std::string> differences;
  int steps = 0;
};

Played Play(const Suite& suite, const std::string& name, story::BetweenSteps between_steps) {
  Played played;
  const auto told = story::LoadStory(absl::StrCat(RAPPORT_STORIES, "/", name));
  EXPECT_TRUE(told.ok()) << told.status();
  if (!told.ok()) return played;
  const auto caller = suite.NewCaller();
  story::Player player(*caller, story::FileClock(suite.clock_file()),
                       {.suffix = "", .between_steps = std::move(between_steps), .tell = nullptr});
  const auto outcome = player.Play(*told);
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  if (!outcome.ok()) return played;
  const auto record =
      story::Gather(*caller, outcome->therapist, outcome->course, outcome->case_file);
  EXPECT_TRUE(record.ok()) << record.status();
  if (!record.ok()) return played;
  played.report = story::Render(*record, {.title = told->title()});
  played.differences = outcome->differences;
  for (const auto& difference :
       story::Differences(told->expect(), record->progress, outcome->after_session)) {
    played.differences.push_back(difference);
  }
  played.steps = outcome->steps;
  return played;
}

// The services' own ids differ from play to play.
std::string WithoutIds(const std::string& report) {
  return std::regex_replace(report, std::regex("[0-9A-HJKMNP-TV-Z]{26}"), "<id>");
}

class StoryTest : public ::testing::TestWithParam<sql::Engine> {};

TEST_P(StoryTest, RoleDisputeReachesItsMilestones) {
  Suite suite(GetParam());
  suite.StartAll();
  const Played played = Play(suite, "s1-role-dispute.textproto", nullptr);
  EXPECT_THAT(played.differences, IsEmpty());
  for (int session = 1; session <= 16; ++session) {
    EXPECT_THAT(played.report, HasSubstr(absl::StrCat("\nSession ", session, " ")));
  }
  for (const std::string& service : Suite::Services()) EXPECT_EQ(suite.Terminate(service), 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, StoryTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         [](const ::testing::TestParamInfo<sql::Engine>& engine) {
                           return engine.param == sql::Engine::kSqlite ? "sqlite" : "postgres";
                         });

// Between any two steps one of the services is killed and started again, each in its turn. The
// three runs on SQLite begin with another service each, so that every service dies at every step.
struct Killing {
  const char* name;
  sql::Engine engine;
  int first;
};

class KilledStoryTest : public ::testing::TestWithParam<Killing> {};

// What the therapist reads at the end is the same as without.
TEST_P(KilledStoryTest, GoesOnAsIfNothingHadHappened) {
  std::string undisturbed;
  {
    Suite suite(GetParam().engine);
    suite.StartAll();
    undisturbed = Play(suite, "s1-role-dispute.textproto", nullptr).report;
    ASSERT_FALSE(undisturbed.empty());
  }
  Suite suite(GetParam().engine);
  suite.StartAll();
  int kills = 0;
  const Played played = Play(suite, "s1-role-dispute.textproto", [&](int step, absl::string_view) {
    const auto& services = Suite::Services();
    const std::string& victim = services[(step + GetParam().first) % services.size()];
    suite.Kill(victim);
    suite.Start(victim);
    ++kills;
  });
  EXPECT_GT(kills, 100);
  EXPECT_THAT(played.differences, IsEmpty());
  EXPECT_EQ(WithoutIds(played.report), WithoutIds(undisturbed));
}

INSTANTIATE_TEST_SUITE_P(Killings, KilledStoryTest,
                         ::testing::Values(Killing{"sqlite_a", sql::Engine::kSqlite, 0},
                                           Killing{"sqlite_b", sql::Engine::kSqlite, 1},
                                           Killing{"sqlite_c", sql::Engine::kSqlite, 2},
                                           Killing{"postgres", sql::Engine::kPostgres, 0}),
                         [](const ::testing::TestParamInfo<Killing>& killing) {
                           return killing.param.name;
                         });

}  // namespace
}  // namespace rapport::testing
