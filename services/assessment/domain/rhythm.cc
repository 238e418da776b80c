#include "services/assessment/domain/rhythm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "absl/time/civil_time.h"

namespace rapport::assessment {
namespace {

constexpr int kDay = 24 * 60 * 60;
constexpr int kWeek = 7;
constexpr double kSlack = 1e-6;  // seconds; what binary fractions may be off by

absl::CivilDay DayOf(const google::type::Date& date) {
  return absl::CivilDay(date.year(), date.month(), date.day());
}

double MeanOf(const std::vector<double>& times) {
  double sum = 0;
  for (const double time : times) sum += time;
  return sum / static_cast<double>(times.size());
}

// Rising, from the end of the clock's largest gap on.
std::vector<double> Unroll(std::vector<int> seconds) {
  std::sort(seconds.begin(), seconds.end());
  size_t first = 0;
  int largest = seconds.front() + kDay - seconds.back();
  for (size_t i = 1; i < seconds.size(); ++i) {
    if (seconds[i] - seconds[i - 1] <= largest) continue;
    largest = seconds[i] - seconds[i - 1];
    first = i;
  }
  std::vector<double> times(seconds.begin() + static_cast<std::ptrdiff_t>(first), seconds.end());
  for (size_t i = 0; i < first; ++i) times.push_back(seconds[i] + kDay);
  return times;
}

}  // namespace

Habit ComputeHabit(const v1::SocialRhythmRule& rule, std::vector<int> seconds) {
  const std::vector<double> times = Unroll(std::move(seconds));
  const double mean = MeanOf(times);
  double squares = 0;
  for (const double time : times) squares += (time - mean) * (time - mean);
  const double sd = times.size() > 1 ? std::sqrt(squares / (times.size() - 1.0)) : 0;
  std::vector<double> kept;
  for (const double time : times) {
    if (std::abs(time - mean) <= rule.outlier_sd() * sd + kSlack) kept.push_back(time);
  }
  Habit habit;
  habit.dropped = static_cast<int>(times.size() - kept.size());
  if (kept.empty()) kept = times;
  habit.habitual = MeanOf(kept);
  const bool retained = rule.hit_scope() == v1::HIT_SCOPE_RETAINED_DAYS;
  for (const double time : retained ? kept : times) {
    habit.hits += std::abs(time - habit.habitual) <= rule.hit_minutes() * 60 + kSlack;
  }
  habit.habitual = std::fmod(habit.habitual, kDay);
  return habit;
}

v1::RhythmWeek ComputeRhythm(const v1::SocialRhythmRule& rule, const google::type::Date& start,
                             absl::Span<const v1::RhythmDay> days) {
  std::array<const v1::RhythmDay*, kWeek> diary{};
  for (const v1::RhythmDay& day : days) {
    const auto at = DayOf(day.date()) - DayOf(start);
    if (at >= 0 && at < kWeek) diary[static_cast<size_t>(at)] = &day;
  }

  v1::RhythmWeek week;
  *week.mutable_start_date() = start;
  std::map<int, std::vector<int>> times;  // by activity, one a day
  for (const v1::RhythmDay* day : diary) {
    if (day == nullptr) continue;
    week.set_diary_days(week.diary_days() + 1);
    std::map<int, int> done;
    for (const v1::RhythmEntry& entry : day->entries()) {
      done[entry.activity()] =
          entry.time().hours() * 3600 + entry.time().minutes() * 60 + entry.time().seconds();
    }
    for (const auto& [activity, time] : done) times[activity].push_back(time % kDay);
  }
  week.set_complete(week.diary_days() >= rule.diary_days());

  int hits = 0;
  int counting = 0;
  for (int number = 1; number <= rule.activities_size(); ++number) {
    v1::RhythmActivity& activity = *week.add_activities();
    activity.set_activity(number);
    activity.set_days(static_cast<int>(times[number].size()));
    activity.set_counts(activity.days() > 0 && activity.days() >= rule.min_days());
    if (!activity.counts()) continue;
    const Habit habit = ComputeHabit(rule, times[number]);
    const int second = static_cast<int>(std::floor(habit.habitual + 0.5)) % kDay;
    activity.mutable_habitual_time()->set_hours(second / 3600);
    activity.mutable_habitual_time()->set_minutes(second / 60 % 60);
    activity.mutable_habitual_time()->set_seconds(second % 60);
    activity.set_hits(habit.hits);
    activity.set_dropped_days(habit.dropped);
    hits += habit.hits;
    ++counting;
  }
  if (counting > 0) {
    week.set_score(static_cast<double>(hits) / counting);
    if (week.complete()) {
      week.set_level(week.score() >= rule.stable_from() ? "stable" : "unstable");
    }
  }
  return week;
}

}  // namespace rapport::assessment
