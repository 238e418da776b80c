#ifndef RAPPORT_COMMON_TIME_CONVERT_H_
#define RAPPORT_COMMON_TIME_CONVERT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/type/date.pb.h"
#include "google/type/timeofday.pb.h"

// Between the shapes on the wire and the ones to reckon with. The conversions expect what the
// Check functions accept; these return INVALID_ARGUMENT naming `field`.
namespace rapport::time {

// Instants: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z. Kept to the microsecond,
// towards the past, as the databases do. absl::InfiniteFuture() has no timestamp: leave the field
// unset.
absl::Status CheckTimestamp(const google::protobuf::Timestamp& timestamp, absl::string_view field);
absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToTimestamp(absl::Time time);

// Spans of time, at most 10,000 years either way; both parts of one sign.
absl::Status CheckDuration(const google::protobuf::Duration& duration, absl::string_view field);
absl::Duration ToDuration(const google::protobuf::Duration& duration);
google::protobuf::Duration ToDurationProto(absl::Duration duration);

// Whole civil dates, years 1 to 9999: no date without day, month or year.
absl::Status CheckDate(const google::type::Date& date, absl::string_view field);
absl::CivilDay ToCivilDay(const google::type::Date& date);
google::type::Date ToDate(absl::CivilDay day);

// Times of day in whole minutes since midnight, 0 to 1,439; 24:00 is 1,440, the end of the day.
absl::Status CheckTimeOfDay(const google::type::TimeOfDay& time, absl::string_view field);
int ToMinutes(const google::type::TimeOfDay& time);
google::type::TimeOfDay ToTimeOfDay(int minutes);

}  // namespace rapport::time

#endif  // RAPPORT_COMMON_TIME_CONVERT_H_
