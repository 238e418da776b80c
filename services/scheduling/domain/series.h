#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_SERIES_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_SERIES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"
#include "rapport/scheduling/v1/appointment.pb.h"

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

// One session of a series, by the clinic's clock.
struct SeriesSession {
  absl::CivilDay date;
  int minute_of_day = 0;
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;  // unspecified: none was asked for
};

// The rule of a series: sessions from `first` on, each `day_offsets` days later, at one time of
// day.
struct SeriesRule {
  absl::CivilDay first;
  int minute_of_day = 0;
  int count = 0;
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;
  // One for each session and each exception, as those skipped are made up for at the end.
  absl::Span<const int> day_offsets;
};

// The `count` sessions of a series with its agreed exceptions, by date and time. An exception
// without moved_date stays on its day.
//   kInvalidArgument  "exceptions[…].date": none of the series, or repeated; moved_date,
//   moved_time:
//                     as CheckSessionStart, or given with skip
absl::StatusOr<std::vector<SeriesSession>> ExpandSeries(
    const SeriesRule& rule,
    const google::protobuf::RepeatedPtrField<v1::SeriesException>& exceptions);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_SERIES_H_
