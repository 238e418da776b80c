#include "common/time/convert.h"

#include <string>
#include <tuple>

#include "common/errors/errors.h"
#include "gtest/gtest.h"

namespace rapport::time {
namespace {

google::protobuf::Timestamp Timestamp(int64_t seconds, int32_t nanos) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

google::protobuf::Duration Duration(int64_t seconds, int32_t nanos) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(nanos);
  return duration;
}

google::type::Date Date(int year, int month, int day) {
  google::type::Date date;
  date.set_year(year);
  date.set_month(month);
  date.set_day(day);
  return date;
}

google::type::TimeOfDay TimeOfDay(int hours, int minutes, int seconds = 0, int nanos = 0) {
  google::type::TimeOfDay time;
  time.set_hours(hours);
  time.set_minutes(minutes);
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

TEST(ConvertTest, TimestampsSurviveToTheMicrosecond) {
  for (int64_t micros : {int64_t{0}, int64_t{1772955000123456}, int64_t{-1}, int64_t{-1500000}}) {
    const absl::Time time = absl::FromUnixMicros(micros);
    const google::protobuf::Timestamp timestamp = ToTimestamp(time);
    EXPECT_TRUE(CheckTimestamp(timestamp, "t").ok()) << timestamp.DebugString();
    EXPECT_EQ(ToTime(timestamp), time);
  }
  EXPECT_EQ(ToTime(Timestamp(5, 1999)), absl::FromUnixMicros(5000001));
  EXPECT_EQ(ToTimestamp(absl::FromUnixMicros(-1)).seconds(), -1);
  EXPECT_EQ(ToTimestamp(absl::FromUnixMicros(-1)).nanos(), 999999000);
}

TEST(ConvertTest, TimestampsOutsideTheirRangeAreRefusedByName) {
  EXPECT_TRUE(CheckTimestamp(Timestamp(-62135596800, 0), "t").ok());
  EXPECT_TRUE(CheckTimestamp(Timestamp(253402300799, 999999999), "t").ok());
  for (const auto& bad : {Timestamp(-62135596801, 0), Timestamp(253402300800, 0), Timestamp(0, -1),
                          Timestamp(0, 1000000000)}) {
    const absl::Status status = CheckTimestamp(bad, "start_time");
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(errors::FieldViolations(status).at(0).field, "start_time");
  }
}

TEST(ConvertTest, DurationsSurviveAndAreChecked) {
  for (absl::Duration duration :
       {absl::ZeroDuration(), absl::Minutes(50), absl::Milliseconds(-1500), absl::Nanoseconds(1)}) {
    const google::protobuf::Duration proto = ToDurationProto(duration);
    EXPECT_TRUE(CheckDuration(proto, "d").ok()) << proto.DebugString();
    EXPECT_EQ(ToDuration(proto), duration);
  }
  for (const auto& bad : {Duration(315576000001, 0), Duration(-315576000001, 0), Duration(1, -1),
                          Duration(-1, 1), Duration(0, 1000000000)}) {
    EXPECT_FALSE(CheckDuration(bad, "d").ok()) << bad.DebugString();
  }
}

TEST(ConvertTest, OnlyRealDatesPass) {
  for (const auto& good :
       {Date(2026, 3, 8), Date(2024, 2, 29), Date(1, 1, 1), Date(9999, 12, 31)}) {
    ASSERT_TRUE(CheckDate(good, "d").ok()) << good.DebugString();
    EXPECT_EQ(ToDate(ToCivilDay(good)).SerializeAsString(), good.SerializeAsString());
  }
  EXPECT_EQ(ToCivilDay(Date(2026, 3, 8)), absl::CivilDay(2026, 3, 8));
  for (const auto& bad : {Date(2026, 2, 29), Date(2026, 13, 1), Date(2026, 4, 31), Date(2026, 3, 0),
                          Date(2026, 0, 0), Date(0, 3, 8), Date(10000, 1, 1), Date(-1, 1, 1),
                          Date(2026, -1, 1), Date(2147483647, 2147483647, 1)}) {
    EXPECT_FALSE(CheckDate(bad, "d").ok()) << bad.DebugString();
  }
}

TEST(ConvertTest, TimesOfDayAreWholeMinutesUpToTheEndOfTheDay) {
  for (const auto& [hours, minutes, total] : {std::tuple(0, 0, 0), std::tuple(9, 30, 570),
                                              std::tuple(23, 59, 1439), std::tuple(24, 0, 1440)}) {
    const google::type::TimeOfDay time = TimeOfDay(hours, minutes);
    ASSERT_TRUE(CheckTimeOfDay(time, "t").ok());
    EXPECT_EQ(ToMinutes(time), total);
    EXPECT_EQ(ToTimeOfDay(total).SerializeAsString(), time.SerializeAsString());
  }
  for (const auto& bad : {TimeOfDay(24, 1), TimeOfDay(25, 0), TimeOfDay(-1, 0), TimeOfDay(9, 60),
                          TimeOfDay(9, -1), TimeOfDay(9, 0, 1), TimeOfDay(9, 0, 0, 1)}) {
    EXPECT_FALSE(CheckTimeOfDay(bad, "t").ok()) << bad.DebugString();
  }
}

}  // namespace
}  // namespace rapport::time
