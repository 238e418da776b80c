#include "services/scheduling/domain/series.h"

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"

namespace rapport::scheduling {
namespace {

constexpr int kMinutesPerDay = 24 * 60;
// So that a whole series still has timestamps.
constexpr int kLastYear = 9000;

}  // namespace

absl::Status CheckSessionStart(const google::type::Date& date, absl::string_view date_field,
                               const google::type::TimeOfDay& time, absl::string_view time_field) {
  RETURN_IF_ERROR(time::CheckDate(date, date_field));
  RETURN_IF_ERROR(time::CheckTimeOfDay(time, time_field));
  if (date.year() > kLastYear) {
    return errors::InvalidArgument(date_field, "must not be after the year 9000");
  }
  if (time::ToMinutes(time) >= kMinutesPerDay) {
    return errors::InvalidArgument(time_field, "must be before 24:00");
  }
  return absl::OkStatus();
}

std::vector<SessionTime> SeriesTimes(absl::CivilDay first, int minute_of_day, int count,
                                     int cadence_days, int minutes, absl::TimeZone zone) {
  std::vector<SessionTime> times;
  times.reserve(count);
  for (int i = 0; i < count; ++i) {
    const absl::CivilDay day = first + i * cadence_days;
    const absl::Time start =
        time::ResolveLocal(absl::CivilSecond(absl::CivilMinute(day) + minute_of_day), zone);
    times.push_back({day, minute_of_day, start, start + absl::Minutes(minutes)});
  }
  return times;
}

}  // namespace rapport::scheduling
