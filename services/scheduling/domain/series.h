#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_SERIES_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_SERIES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"

namespace rapport::scheduling {

// When a session is meant (by a clinic's clock) and when that is.
struct SessionTime {
  absl::CivilDay date;
  int minute_of_day = 0;  // 0 to 1,439
  absl::Time start;
  absl::Time end;
};

// INVALID_ARGUMENT naming `date_field` or `time_field` unless they are a date and a time of day to
// the minute on which a session can begin.
absl::Status CheckSessionStart(const google::type::Date& date, absl::string_view date_field,
                               const google::type::TimeOfDay& time, absl::string_view time_field);

// `count` sessions of `minutes` at one local time of `zone`, `cadence_days` apart from `first` on.
// The local time stays across clock changes; one that a change skips begins later by the length of
// the gap, one that happens twice is the first. Each lasts `minutes` of real time.
std::vector<SessionTime> SeriesTimes(absl::CivilDay first, int minute_of_day, int count,
                                     int cadence_days, int minutes, absl::TimeZone zone);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_SERIES_H_
