#include "common/time/convert.h"

#include <cstdint>
#include <cstdlib>

#include "common/errors/errors.h"

namespace rapport::time {
namespace {

constexpr int64_t kMinSeconds = -62135596800;  // 0001-01-01T00:00:00Z
constexpr int64_t kMaxSeconds = 253402300799;  // 9999-12-31T23:59:59Z
constexpr int64_t kMaxDurationSeconds = 315576000000;
constexpr int32_t kMaxNanos = 999999999;
constexpr int kMinutesPerHour = 60;

}  // namespace

absl::Status CheckTimestamp(const google::protobuf::Timestamp& timestamp, absl::string_view field) {
  if (timestamp.seconds() < kMinSeconds || timestamp.seconds() > kMaxSeconds ||
      timestamp.nanos() < 0 || timestamp.nanos() > kMaxNanos) {
    return errors::InvalidArgument(field, "must be an instant of the years 1 to 9999");
  }
  return absl::OkStatus();
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Microseconds(timestamp.nanos() / 1000);
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Microseconds(time - absl::FromUnixSeconds(seconds)) * 1000));
  return timestamp;
}

absl::Status CheckDuration(const google::protobuf::Duration& duration, absl::string_view field) {
  const bool opposed = (duration.seconds() < 0 && duration.nanos() > 0) ||
                       (duration.seconds() > 0 && duration.nanos() < 0);
  if (duration.seconds() < -kMaxDurationSeconds || duration.seconds() > kMaxDurationSeconds ||
      duration.nanos() < -kMaxNanos || duration.nanos() > kMaxNanos || opposed) {
    return errors::InvalidArgument(
        field, "must be at most 10,000 years, its seconds and nanos of one sign");
  }
  return absl::OkStatus();
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Duration ToDurationProto(absl::Duration duration) {
  google::protobuf::Duration out;
  absl::Duration rest;
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return out;
}

absl::Status CheckDate(const google::type::Date& date, absl::string_view field) {
  const absl::CivilDay day(date.year(), date.month(), date.day());
  const bool exists = date.year() >= 1 && date.year() <= 9999 && day.year() == date.year() &&
                      day.month() == date.month() && day.day() == date.day();
  if (!exists) {
    return errors::InvalidArgument(field, "must be a whole date of the years 1 to 9999");
  }
  return absl::OkStatus();
}

absl::CivilDay ToCivilDay(const google::type::Date& date) {
  return absl::CivilDay(date.year(), date.month(), date.day());
}

google::type::Date ToDate(absl::CivilDay day) {
  google::type::Date date;
  date.set_year(static_cast<int32_t>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

absl::Status CheckTimeOfDay(const google::type::TimeOfDay& time, absl::string_view field) {
  const bool in_day =
      time.hours() >= 0 && time.hours() <= 23 && time.minutes() >= 0 && time.minutes() <= 59;
  const bool end_of_day = time.hours() == 24 && time.minutes() == 0;
  if (!(in_day || end_of_day) || time.seconds() != 0 || time.nanos() != 0) {
    return errors::InvalidArgument(field, "must be whole minutes from 00:00 to 24:00");
  }
  return absl::OkStatus();
}

int ToMinutes(const google::type::TimeOfDay& time) {
  return time.hours() * kMinutesPerHour + time.minutes();
}

google::type::TimeOfDay ToTimeOfDay(int minutes) {
  google::type::TimeOfDay time;
  time.set_hours(minutes / kMinutesPerHour);
  time.set_minutes(minutes % kMinutesPerHour);
  return time;
}

}  // namespace rapport::time
