#include "services/scheduling/domain/hours.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/civil_time.h"
#include "common/time/convert.h"
#include "common/time/zones.h"

namespace rapport::scheduling {
namespace {

using Minutes = std::pair<int, int>;  // of the day, from and to

google::type::DayOfWeek DayOfWeek(absl::CivilDay day) {
  // Both count from Monday: absl from 0, google.type from 1.
  return static_cast<google::type::DayOfWeek>(static_cast<int>(absl::GetWeekday(day)) + 1);
}

bool InEffect(const v1::WorkingHours& hours, absl::CivilDay day) {
  return (!hours.has_effective_from() || time::ToCivilDay(hours.effective_from()) <= day) &&
         (!hours.has_effective_until() || day <= time::ToCivilDay(hours.effective_until()));
}

}  // namespace

std::vector<Interval> OpenHours(const v1::Clinician& clinician, const v1::Clinic& clinic,
                                absl::TimeZone zone, const Interval& range) {
  if (range.start >= range.end) return {};
  // A change of clocks can carry the end of a day into the next one.
  const absl::CivilDay first = absl::ToCivilDay(range.start, zone) - 1;
  const absl::CivilDay last = absl::ToCivilDay(range.end, zone);

  std::map<absl::CivilDay, std::vector<Minutes>> dated;
  for (const v1::DatedHours& hours : clinician.dated_hours()) {
    if (hours.clinic() != clinic.name()) continue;
    const absl::CivilDay day = time::ToCivilDay(hours.date());
    if (day < first || day > last) continue;
    std::vector<Minutes>& of_day = dated[day];
    if (!hours.has_start_time() || !hours.has_end_time()) continue;
    of_day.emplace_back(time::ToMinutes(hours.start_time()), time::ToMinutes(hours.end_time()));
  }
  absl::flat_hash_set<absl::CivilDay> holidays;
  for (const v1::Holiday& holiday : clinic.holidays()) {
    holidays.insert(time::ToCivilDay(holiday.date()));
  }

  std::vector<Interval> open;
  const auto add = [&](absl::CivilDay day, const Minutes& minutes) {
    const absl::CivilMinute midnight(day);
    const auto at = [&](int minute) {
      return time::ResolveLocal(absl::CivilSecond(midnight + minute), zone);
    };
    const Interval hours = {std::max(at(minutes.first), range.start),
                            std::min(at(minutes.second), range.end)};
    if (hours.start < hours.end) open.push_back(hours);
  };
  for (absl::CivilDay day = first; day <= last; ++day) {
    if (const auto found = dated.find(day); found != dated.end()) {
      for (const Minutes& minutes : found->second) add(day, minutes);
      continue;
    }
    if (holidays.contains(day)) continue;
    for (const v1::WorkingHours& hours : clinician.weekly_hours()) {
      if (hours.clinic() != clinic.name() || hours.day_of_week() != DayOfWeek(day) ||
          !InEffect(hours, day)) {
        continue;
      }
      add(day, {time::ToMinutes(hours.start_time()), time::ToMinutes(hours.end_time())});
    }
  }

  std::sort(open.begin(), open.end(),
            [](const Interval& a, const Interval& b) { return a.start < b.start; });
  std::vector<Interval> merged;
  for (const Interval& stretch : open) {
    if (!merged.empty() && stretch.start <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, stretch.end);
    } else {
      merged.push_back(stretch);
    }
  }
  return merged;
}

}  // namespace rapport::scheduling
