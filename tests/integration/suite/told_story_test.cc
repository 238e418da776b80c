// Stories that are told by calls and what they must answer, or session by session with what must
// have come out, through the real suite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/story/expectations.h"
#include "tools/rapportctl/story/player.h"
#include "tools/rapportctl/story/record.h"
#include "tools/rapportctl/story/story_file.h"

namespace rapport::testing {
namespace {

using ::testing::IsEmpty;

class ToldStoryTest : public ::testing::TestWithParam<std::tuple<std::string, sql::Engine>> {
 protected:
  // Plays it to its end, and looks at what has come out.
  static void Play(const Suite& suite, const std::string& name,
                   story::BetweenSteps between_steps = nullptr) {
    const auto told = story::LoadStory(absl::StrCat(RAPPORT_STORIES, "/", name, ".textproto"));
    ASSERT_TRUE(told.ok()) << told.status();
    const auto caller = suite.NewCaller();
    story::Player player(
        *caller, story::FileClock(suite.clock_file()),
        {.suffix = "", .between_steps = std::move(between_steps), .tell = nullptr});
    const auto outcome = player.Play(*told);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_THAT(outcome->differences, IsEmpty());
    if (!told->has_treatment()) return;
    const auto record =
        story::Gather(*caller, outcome->therapist, outcome->course, outcome->case_file);
    ASSERT_TRUE(record.ok()) << record.status();
    EXPECT_THAT(story::Differences(told->expect(), record->progress, outcome->after_session),
                IsEmpty());
  }
};

TEST_P(ToldStoryTest, GoesAsItIsTold) {
  const auto& [name, engine] = GetParam();
  Suite suite(engine);
  suite.StartAll();
  Play(suite, name);
  for (const std::string& service : Suite::Services()) EXPECT_EQ(suite.Terminate(service), 0);
}

// Scheduling is killed and started again after each step: what is due afterwards is done all the
// same.
class KilledToldStoryTest : public ToldStoryTest {};

TEST_P(KilledToldStoryTest, GoesOnWhereSchedulingIsKilledAfterEachStep) {
  const auto& [name, engine] = GetParam();
  Suite suite(engine);
  suite.StartAll();
  Play(suite, name, [&suite](int, absl::string_view) {
    suite.Kill("scheduling");
    suite.Start("scheduling");
  });
}

std::string ToldName(const ::testing::TestParamInfo<ToldStoryTest::ParamType>& told) {
  const auto& [name, engine] = told.param;
  const std::string id = name.substr(0, name.find('-'));
  return absl::StrCat(id, engine == sql::Engine::kSqlite ? "_sqlite" : "_postgres");
}

INSTANTIATE_TEST_SUITE_P(
    Told, ToldStoryTest,
    ::testing::Combine(::testing::Values("s2-adolescent", "s3-bipolar", "s4-couple", "s5-widower",
                                         "panic", "perinatal", "group-of-six", "leave-planned",
                                         "waitlist-filled", "returned-note", "broken-glass",
                                         "guardian-view"),
                       ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres)),
    ToldName);

INSTANTIATE_TEST_SUITE_P(Told, KilledToldStoryTest,
                         ::testing::Values(std::make_tuple("waitlist-filled", sql::Engine::kSqlite),
                                           std::make_tuple("waitlist-filled",
                                                           sql::Engine::kPostgres),
                                           std::make_tuple("leave-planned", sql::Engine::kSqlite)),
                         ToldName);

}  // namespace
}  // namespace rapport::testing
