// Whole courses of therapy through the real suite, undisturbed and with services killed between any
// two steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/outcome_service.pb.h"
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
  ctl::Identity therapist;
  scheduling::v1::Course course;
  absl::Time end;  // domain clock
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
  played.therapist = outcome->therapist;
  played.course = record->course;
  played.end = time::ToTime(record->case_file.update_time());
  for (const auto& note : record->notes) {
    played.end = std::max(played.end, time::ToTime(note.update_time()));
  }
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

// Which area was worked on, the notes service alone knows: assessment hears it by its events.
TEST_P(StoryTest, ItsOutcomeIsToldByProblemArea) {
  Suite suite(GetParam());
  suite.StartAll();
  Played played = Play(suite, "s1-role-dispute.textproto", nullptr);
  assessment::v1::GetOutcomesRequest request;
  request.set_parent("organizations/" + played.therapist.organization_id);
  request.set_instrument("phq-9");
  request.set_clinician(played.course.clinician());
  request.add_dimensions(assessment::v1::OUTCOME_DIMENSION_PROBLEM_AREA);
  const auto caller = suite.NewCaller();
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  assessment::v1::GetOutcomesResponse outcomes;
  do {
    // Answers are kept for a minute.
    played.end += absl::Minutes(2);
    ASSERT_TRUE(story::FileClock(suite.clock_file())(played.end).ok());
    const auto told = caller->Call<assessment::v1::GetOutcomesResponse>(
        played.therapist, "rapport.assessment.v1.OutcomeService/GetOutcomes", request);
    ASSERT_TRUE(told.ok()) << told.status();
    outcomes = *told;
  } while (absl::Now() < give_up &&
           (outcomes.cells().empty() ||
            outcomes.cells(0).key().problem_area() != scheduling::v1::FOCUS_AREA_ROLE_DISPUTE));
  ASSERT_EQ(outcomes.cells_size(), 1);
  EXPECT_EQ(outcomes.cells(0).key().problem_area(), scheduling::v1::FOCUS_AREA_ROLE_DISPUTE);
  EXPECT_EQ(outcomes.cells(0).started(), 1);
  EXPECT_EQ(outcomes.cells(0).with_two_scores(), 1);
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
