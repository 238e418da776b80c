#include "tools/rapportctl/story/story_file.h"

#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::story {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kS1[] = RAPPORT_STORIES "/s1-role-dispute.textproto";

Story S1() {
  absl::StatusOr<Story> story = LoadStory(kS1);
  EXPECT_TRUE(story.ok()) << story.status();
  return story.ok() ? *story : Story();
}

std::vector<int> Totals(const Story& story, const std::string& instrument) {
  std::vector<int> totals;
  for (const Session& session : story.sessions()) {
    for (const Form& form : session.forms()) {
      if (form.instrument() != instrument) continue;
      int total = 0;
      for (const assessment::v1::Answer& answer : Answers(form.answers())) total += answer.value();
      totals.push_back(total);
    }
  }
  return totals;
}

std::string FieldOf(const absl::Status& status) {
  const auto violations = errors::FieldViolations(status);
  return violations.empty() ? std::string(status.message()) : violations.front().field;
}

// The field at fault after `change` to S1.
template <class Change>
std::string FieldAfter(Change change) {
  Story story = S1();
  change(story);
  return FieldOf(CheckStory(story));
}

TEST(StoryFileTest, S1AddsUpToTheTotalsOfTheClinicalPage) {
  const Story story = S1();
  EXPECT_THAT(Totals(story, "phq-9"),
              ElementsAre(17, 18, 16, 15, 14, 22, 18, 15, 13, 11, 9, 8, 7, 6, 4, 3));
  EXPECT_THAT(Totals(story, "gad-7"), ElementsAre(12, 11, 8, 5, 3));
}

TEST(StoryFileTest, S1ExpectsTheTotalsThatItsAnswersAddUpTo) {
  const Story story = S1();
  for (const ExpectTotals& expected : story.expect().totals()) {
    EXPECT_EQ(Totals(story, expected.instrument()),
              std::vector<int>(expected.totals().begin(), expected.totals().end()));
  }
}

TEST(StoryFileTest, S1IsHeldOnMondaysAtFiveButForTheRebookedSession) {
  const Story story = S1();
  int sessions = 0;
  for (const Session& session : story.sessions()) {
    const auto start = ParseLocal(session.start(), "start");
    ASSERT_TRUE(start.ok());
    EXPECT_EQ(start->hour(), 17);
    EXPECT_EQ(start->minute(), 0);
    EXPECT_EQ(absl::GetWeekday(*start),
              session.number() == 7 ? absl::Weekday::thursday : absl::Weekday::monday)
        << session.start();
    sessions += session.attendance() != MISSED;
  }
  EXPECT_EQ(sessions, 16);
}

TEST(StoryFileTest, S1KeepsItsLocalTimeAcrossTheClockChange) {
  const Story story = S1();
  const auto calendar = Calendar::Make(story);
  ASSERT_TRUE(calendar.ok());
  const auto before = calendar->At("2026-03-23 17:00", "start");
  const auto after = calendar->At("2026-03-30 17:00", "start");
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(*after - *before, absl::Hours(7 * 24 - 1));
}

TEST(StoryFileTest, TheSeriesOfS1EndsOnTheFirstOfJune) {
  const auto starts = SeriesStarts(S1());
  ASSERT_TRUE(starts.ok());
  ASSERT_EQ(starts->size(), 16u);
  EXPECT_EQ(FormatLocal(starts->front()), "2026-02-16 17:00");
  EXPECT_EQ(FormatLocal(starts->back()), "2026-06-01 17:00");
}

TEST(StoryFileTest, AnOmittedAnswerHasNoValue) {
  const auto answers = Answers("3-0");
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].value(), 3);
  EXPECT_FALSE(answers[1].has_value());
  EXPECT_TRUE(answers[2].has_value());
  EXPECT_EQ(answers[2].item(), 3);
}

TEST(StoryFileTest, TimesMayBeLocalOfTheDayOrRelative) {
  const auto calendar = Calendar::Make(S1());
  ASSERT_TRUE(calendar.ok());
  const absl::Time base = *calendar->At("2026-03-30 17:00", "x");
  EXPECT_EQ(*calendar->At("", base, absl::Minutes(5), "x"), base + absl::Minutes(5));
  EXPECT_EQ(*calendar->At("-25m", base, absl::Minutes(5), "x"), base - absl::Minutes(25));
  EXPECT_EQ(*calendar->At("18:40", base, absl::Minutes(5), "x"), base + absl::Minutes(100));
  EXPECT_EQ(*calendar->At("2026-03-31 17:00", base, absl::Minutes(5), "x"), base + absl::Hours(24));
  EXPECT_EQ(
      FieldOf(calendar->At("tomorrow", base, absl::Minutes(5), "sessions[2].recorded").status()),
      "sessions[2].recorded");
}

TEST(StoryFileTest, ErrorsNameTheField) {
  EXPECT_EQ(FieldAfter([](Story& s) { s.set_id("S1"); }), "id");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_clinics(0)->set_time_zone("Europe/Atlantis"); }),
            "clinics[0].time_zone");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_treatment()->set_clinician("nobody"); }),
            "treatment.clinician");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_sessions(3)->set_number(5); }),
            "sessions[3].number");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_sessions(3)->set_start("2026-03-09"); }),
            "sessions[3].start");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_sessions(3)->set_start("2026-03-10 17:00"); }),
            "sessions[3].booked");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_sessions(4)->set_start("2026-03-09 17:00"); }),
            "sessions[4].start");
  EXPECT_EQ(
      FieldAfter([](Story& s) { s.mutable_sessions(0)->mutable_forms(0)->set_answers("2x2"); }),
      "sessions[0].forms[0].answers");
  EXPECT_EQ(FieldAfter([](Story& s) {
              s.mutable_sessions(5)->mutable_forms(0)->mutable_alert()->set_owner("nobody");
            }),
            "sessions[5].forms[0].alert.owner");
  EXPECT_EQ(FieldAfter([](Story& s) {
              s.mutable_sessions(5)->mutable_forms(0)->mutable_alert()->clear_acknowledged();
            }),
            "sessions[5].forms[0].alert.acknowledged");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_sessions(8)->mutable_goals(0)->clear_reason(); }),
            "sessions[8].goals[0].reason");
}

TEST(StoryFileTest, AFormHasAnswersOrATotal) {
  EXPECT_EQ(
      FieldAfter([](Story& s) { s.mutable_sessions(0)->mutable_forms(0)->set_total_only(17); }),
      "sessions[0].forms[0].answers");
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_sessions(0)->mutable_forms(0)->clear_answers(); }),
            "sessions[0].forms[0].answers");
}

TEST(StoryFileTest, MaintenanceNumbersItsSessionsFromOne) {
  EXPECT_EQ(FieldAfter([](Story& s) { s.mutable_maintenance()->set_begun("2026-05-28 09:00"); }),
            "sessions[16].number");
}

TEST(StoryFileTest, ADiaryDayTellsWhatWasDoneAndWhen) {
  const auto entries = DiaryDay("07:05 - 23:50", "days");
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[1].activity(), 3);
  EXPECT_EQ((*entries)[1].time().hours(), 23);
  EXPECT_EQ((*entries)[1].time().minutes(), 50);
  EXPECT_EQ(FieldAfter([](Story& s) {
              Diary& diary = *s.add_diaries();
              diary.set_first("2026-03-02");
              diary.add_days("7 o'clock");
            }),
            "diaries[0].days[0]");
}

TEST(StoryFileTest, SyntaxErrorsNameTheLine) {
  EXPECT_THAT(std::string(ParseStory("id: \"a\"\nnonsense: 1").status().message()),
              HasSubstr("line 2"));
}

TEST(StoryFileTest, AMissingFileIsNotFound) {
  EXPECT_EQ(LoadStory(RAPPORT_STORIES "/no-such-story").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rapport::story
