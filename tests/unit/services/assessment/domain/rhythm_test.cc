#include "services/assessment/domain/rhythm.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rapport::assessment {
namespace {

constexpr int kDay = 24 * 60 * 60;

v1::SocialRhythmRule Rule(int activities = 1, v1::HitScope scope = v1::HIT_SCOPE_ALL_DAYS) {
  v1::SocialRhythmRule rule;
  for (int i = 0; i < activities; ++i) rule.add_activities("activity");
  rule.set_diary_days(7);
  rule.set_min_days(3);
  rule.set_outlier_sd(1.5);
  rule.set_hit_minutes(45);
  rule.set_hit_scope(scope);
  rule.set_stable_from(3.5);
  rule.set_max_score(7);
  return rule;
}

// "07:20" in seconds.
int Seconds(absl::string_view time) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(time, ':');
  int hours = 0;
  int minutes = 0;
  EXPECT_TRUE(absl::SimpleAtoi(parts.first, &hours) && absl::SimpleAtoi(parts.second, &minutes));
  return hours * 3600 + minutes * 60;
}

std::vector<int> Times(absl::string_view times) {
  std::vector<int> seconds;
  for (absl::string_view time : absl::StrSplit(times, ' ')) seconds.push_back(Seconds(time));
  return seconds;
}

google::type::Date Date(int month, int day) {
  google::type::Date date;
  date.set_year(2026);
  date.set_month(month);
  date.set_day(day);
  return date;
}

void Do(int activity, absl::string_view time, v1::RhythmDay& day) {
  v1::RhythmEntry& entry = *day.add_entries();
  entry.set_activity(activity);
  entry.mutable_time()->set_hours(Seconds(time) / 3600);
  entry.mutable_time()->set_minutes(Seconds(time) / 60 % 60);
}

// A diary from 1 March on; an activity a row, "-" where it was not done.
std::vector<v1::RhythmDay> Diary(const std::vector<std::string>& rows) {
  std::vector<v1::RhythmDay> days;
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::vector<std::string> times = absl::StrSplit(rows[row], ' ');
    for (size_t i = 0; i < times.size(); ++i) {
      if (days.size() <= i) *days.emplace_back().mutable_date() = Date(3, int(i) + 1);
      if (times[i] != "-") Do(static_cast<int>(row) + 1, times[i], days[i]);
    }
  }
  return days;
}

struct HitsRow {
  const char* times;
  v1::HitScope scope;
  int hits;
  const char* why;
};

// The rows of instruments.md §5.
TEST(Hits, AreThoseOfTheSourceRows) {
  const v1::HitScope all = v1::HIT_SCOPE_ALL_DAYS;
  const v1::HitScope kept = v1::HIT_SCOPE_RETAINED_DAYS;
  const HitsRow rows[] = {
      {"07:00 07:00 07:00 07:00 07:00 07:00 07:10", all, 7, "a dropped day still hits"},
      {"07:00 07:00 07:00 07:00 07:00 07:00 07:10", kept, 6, "a dropped day can't hit"},
      {"07:20 08:05 08:05 08:05 09:20 09:20 09:20", all, 3, "population SD would give 6"},
      {"06:00 05:50 08:01 07:55 05:45 05:50 05:50", all, 5, "two late days"},
      {"23:30 23:45 00:15 23:30 00:00 00:30 23:15", all, 6, "around midnight; unanchored: 0"},
  };
  for (const HitsRow& row : rows) {
    SCOPED_TRACE(std::string(row.times) + ": " + row.why);
    EXPECT_EQ(ComputeHabit(Rule(1, row.scope), Times(row.times)).hits, row.hits);
  }
}

TEST(Hits, AreWithinFortyFiveMinutesInclusive) {
  // Mean 07:45; the first and last are just 45 minutes off.
  EXPECT_EQ(ComputeHabit(Rule(), Times("07:00 07:45 08:30")).hits, 3);
  EXPECT_EQ(ComputeHabit(Rule(), Times("06:59 07:45 08:31")).hits, 1);
}

TEST(Outliers, AreBeyondOneAndAHalfDeviationsAndJustSoMuchIsKept) {
  EXPECT_EQ(ComputeHabit(Rule(), Times("07:00 07:00 07:00")).dropped, 0);
  EXPECT_EQ(ComputeHabit(Rule(), Times("07:00 07:00 07:00 07:00 07:00 07:00 12:00")).dropped, 1);
  // Deviations −3, 1, 1, 1 of 15 minutes: SD 2, the farthest is 1.5 SD off.
  EXPECT_EQ(ComputeHabit(Rule(), Times("07:00 08:00 08:00 08:00")).dropped, 0);
  v1::SocialRhythmRule strict = Rule();
  strict.set_outlier_sd(1.49);
  EXPECT_EQ(ComputeHabit(strict, Times("07:00 08:00 08:00 08:00")).dropped, 1);
  EXPECT_EQ(ComputeHabit(strict, Times("07:00 08:00 08:00 08:00")).habitual, Seconds("08:00"));
}

TEST(HabitualTime, WrapsAroundMidnight) {
  EXPECT_EQ(ComputeHabit(Rule(), Times("23:30 00:30 23:30 00:30")).habitual, 0);
  EXPECT_EQ(ComputeHabit(Rule(), Times("23:50 00:30 23:50 00:30")).habitual, Seconds("00:10"));
  EXPECT_EQ(ComputeHabit(Rule(), Times("12:30 11:30 12:00")).habitual, Seconds("12:00"));
}

TEST(Week, CountsOnlyActivitiesDoneOftenEnough) {
  const v1::RhythmWeek week =
      ComputeRhythm(Rule(3), Date(3, 1),
                    Diary({"07:00 07:00 07:00 07:00 07:00 07:00 07:10", "12:00 12:00 - - - - -",
                           "18:00 - 18:10 - 18:20 - -"}));
  EXPECT_EQ(week.diary_days(), 7);
  EXPECT_TRUE(week.complete());
  ASSERT_EQ(week.activities_size(), 3);
  EXPECT_EQ(week.activities(0).hits(), 7);
  EXPECT_EQ(week.activities(0).dropped_days(), 1);
  EXPECT_EQ(week.activities(0).habitual_time().hours(), 7);
  EXPECT_EQ(week.activities(0).habitual_time().minutes(), 0);
  EXPECT_FALSE(week.activities(1).counts());
  EXPECT_EQ(week.activities(1).days(), 2);
  EXPECT_FALSE(week.activities(1).has_habitual_time());
  EXPECT_TRUE(week.activities(2).counts());
  EXPECT_EQ(week.activities(2).hits(), 3);
  EXPECT_EQ(week.activities(2).habitual_time().minutes(), 10);
  EXPECT_EQ(week.score(), 5);
  EXPECT_EQ(week.level(), "stable");
}

TEST(Week, IsUnstableBelowTheLine) {
  // 3 and 4 hits: 3.5 is stable; 3 alone is not.
  const char* const three = "07:20 08:05 08:05 08:05 09:20 09:20 09:20";
  EXPECT_EQ(ComputeRhythm(Rule(), Date(3, 1), Diary({three})).level(), "unstable");
  const v1::RhythmWeek week =
      ComputeRhythm(Rule(2), Date(3, 1), Diary({three, "12:00 12:00 12:00 12:00 - - -"}));
  EXPECT_EQ(week.score(), 3.5);
  EXPECT_EQ(week.level(), "stable");
}

TEST(Week, OfFewerDaysHasAScoreButNoLevel) {
  const v1::RhythmWeek week =
      ComputeRhythm(Rule(), Date(3, 1), Diary({"07:00 07:00 07:00 07:00 07:00 07:00"}));
  EXPECT_EQ(week.diary_days(), 6);
  EXPECT_FALSE(week.complete());
  EXPECT_EQ(week.score(), 6);
  EXPECT_EQ(week.level(), "");
}

TEST(Week, ADayWithoutEntriesIsNoMissingDay) {
  const v1::RhythmWeek week =
      ComputeRhythm(Rule(), Date(3, 1), Diary({"07:00 07:00 07:00 - - - -"}));
  EXPECT_EQ(week.diary_days(), 7);
  EXPECT_TRUE(week.complete());
  EXPECT_EQ(week.score(), 3);
}

TEST(Week, WithoutAQualifyingActivityHasNoScore) {
  const v1::RhythmWeek week = ComputeRhythm(Rule(), Date(3, 1), Diary({"07:00 07:00 - - - - -"}));
  EXPECT_TRUE(week.complete());
  EXPECT_FALSE(week.has_score());
  EXPECT_EQ(week.level(), "");
  EXPECT_FALSE(ComputeRhythm(Rule(), Date(3, 1), {}).has_score());
}

TEST(Week, TakesItsSevenDaysOnly) {
  std::vector<v1::RhythmDay> days =
      Diary({"03:00 07:00 07:00 07:00 07:00 07:00 07:00 07:00 03:00"});
  std::reverse(days.begin(), days.end());
  const v1::RhythmWeek week = ComputeRhythm(Rule(), Date(3, 2), days);
  EXPECT_EQ(week.diary_days(), 7);
  EXPECT_EQ(week.score(), 7);
  EXPECT_EQ(week.start_date().day(), 2);
  EXPECT_EQ(ComputeRhythm(Rule(), Date(2, 26), days).diary_days(), 4) << "26 February to 4 March";
}

// Whether the clock's largest gap between the times is one alone.
bool CutIsPlain(std::vector<int> times) {
  std::sort(times.begin(), times.end());
  std::vector<int> gaps = {times.front() + kDay - times.back()};
  for (size_t i = 1; i < times.size(); ++i) gaps.push_back(times[i] - times[i - 1]);
  std::sort(gaps.begin(), gaps.end());
  return gaps[gaps.size() - 1] > gaps[gaps.size() - 2];
}

TEST(Laws, TurningTheClockChangesNoHits) {
  EXPECT_TRUE(rc::check([] {
    const int n = *rc::gen::inRange(3, 8);
    const int spread = *rc::gen::element(3600, 4 * 3600, kDay);
    std::vector<int> times;
    for (int i = 0; i < n; ++i) times.push_back(*rc::gen::inRange(0, spread));
    RC_PRE(CutIsPlain(times));
    const int offset = *rc::gen::inRange(0, kDay);
    std::vector<int> turned;
    for (const int time : times) turned.push_back((time + offset) % kDay);
    const Habit before = ComputeHabit(Rule(), times);
    const Habit after = ComputeHabit(Rule(), turned);
    RC_ASSERT(before.hits == after.hits);
    RC_ASSERT(before.dropped == after.dropped);
    const double off = std::abs(after.habitual - std::fmod(before.habitual + offset, kDay));
    RC_ASSERT(off < 1e-6 || kDay - off < 1e-6);
  }));
}

TEST(Laws, TheOrderOfTheDaysChangesNothing) {
  EXPECT_TRUE(rc::check([] {
    std::vector<int> times = *rc::gen::container<std::vector<int>>(6, rc::gen::inRange(0, kDay));
    const Habit before = ComputeHabit(Rule(), times);
    std::reverse(times.begin(), times.end());
    RC_ASSERT(ComputeHabit(Rule(), times).hits == before.hits);
    RC_ASSERT(before.hits >= 0 && before.hits <= 6);
  }));
}

}  // namespace
}  // namespace rapport::assessment
