#include "services/scheduling/domain/series.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
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

absl::StatusOr<std::vector<SeriesSession>> ExpandSeries(
    const SeriesRule& rule,
    const google::protobuf::RepeatedPtrField<v1::SeriesException>& exceptions) {
  const auto field = [](int i, absl::string_view of) {
    return absl::StrCat("exceptions[", i, "].", of);
  };
  std::map<absl::CivilDay, int> by_date;
  for (int i = 0; i < exceptions.size(); ++i) {
    const v1::SeriesException& exception = exceptions[i];
    RETURN_IF_ERROR(time::CheckDate(exception.date(), field(i, "date")));
    if (exception.skip() && (exception.has_moved_date() || exception.has_moved_time())) {
      return errors::InvalidArgument(field(i, "skip"), "must not be given with a time instead");
    }
    if (exception.has_moved_date() || exception.has_moved_time()) {
      RETURN_IF_ERROR(
          CheckSessionStart(exception.has_moved_date() ? exception.moved_date() : exception.date(),
                            field(i, "moved_date"),
                            exception.has_moved_time() ? exception.moved_time()
                                                       : time::ToTimeOfDay(rule.minute_of_day),
                            field(i, "moved_time")));
    }
    if (!by_date.emplace(time::ToCivilDay(exception.date()), i).second) {
      return errors::InvalidArgument(field(i, "date"), "must not be that of another exception");
    }
  }
  std::vector<SeriesSession> sessions;
  for (const int offset : rule.day_offsets) {
    if (sessions.size() == static_cast<size_t>(rule.count)) break;
    SeriesSession session{rule.first + offset, rule.minute_of_day, rule.modality};
    if (const auto found = by_date.find(session.date); found != by_date.end()) {
      const v1::SeriesException& exception = exceptions[found->second];
      by_date.erase(found);
      if (exception.skip()) continue;
      if (exception.has_moved_date()) session.date = time::ToCivilDay(exception.moved_date());
      if (exception.has_moved_time())
        session.minute_of_day = time::ToMinutes(exception.moved_time());
      if (exception.modality() != v1::MODALITY_UNSPECIFIED) session.modality = exception.modality();
    }
    sessions.push_back(session);
  }
  if (!by_date.empty()) {
    return errors::InvalidArgument(field(by_date.begin()->second, "date"),
                                   "must be a date on which the series has a session");
  }
  std::stable_sort(sessions.begin(), sessions.end(),
                   [](const SeriesSession& a, const SeriesSession& b) {
                     return std::tie(a.date, a.minute_of_day) < std::tie(b.date, b.minute_of_day);
                   });
  return sessions;
}

}  // namespace rapport::scheduling
