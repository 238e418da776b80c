#include "services/scheduling/domain/series.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

std::vector<std::string> StartsInUtc(absl::CivilDay first, int hour, int minute, int count,
                                     const std::string& zone) {
  std::vector<std::string> starts;
  for (const SessionTime& session :
       SeriesTimes(first, hour * 60 + minute, count, 7, 50, Zone(zone))) {
    EXPECT_EQ(session.end - session.start, absl::Minutes(50));
    EXPECT_EQ(session.minute_of_day, hour * 60 + minute);
    starts.push_back(absl::FormatTime("%m-%d %H:%M", session.start, absl::UTCTimeZone()));
  }
  return starts;
}

TEST(SeriesTest, SixteenWeeksAcrossTheBritishSpringChangeKeepTheirLocalTime) {
  EXPECT_THAT(StartsInUtc(absl::CivilDay(2026, 2, 2), 14, 0, 16, "Europe/London"),
              ElementsAre("02-02 14:00", "02-09 14:00", "02-16 14:00", "02-23 14:00", "03-02 14:00",
                          "03-09 14:00", "03-16 14:00", "03-23 14:00", "03-30 13:00", "04-06 13:00",
                          "04-13 13:00", "04-20 13:00", "04-27 13:00", "05-04 13:00", "05-11 13:00",
                          "05-18 13:00"));
}

TEST(SeriesTest, SixteenWeeksAcrossTheAmericanSpringChangeKeepTheirLocalTime) {
  EXPECT_THAT(StartsInUtc(absl::CivilDay(2026, 2, 3), 9, 0, 16, "America/New_York"),
              ElementsAre("02-03 14:00", "02-10 14:00", "02-17 14:00", "02-24 14:00", "03-03 14:00",
                          "03-10 13:00", "03-17 13:00", "03-24 13:00", "03-31 13:00", "04-07 13:00",
                          "04-14 13:00", "04-21 13:00", "04-28 13:00", "05-05 13:00", "05-12 13:00",
                          "05-19 13:00"));
}

TEST(SeriesTest, SixteenWeeksAcrossTheAmericanAutumnChangeKeepTheirLocalTime) {
  EXPECT_THAT(StartsInUtc(absl::CivilDay(2026, 9, 15), 9, 0, 16, "America/New_York"),
              ElementsAre("09-15 13:00", "09-22 13:00", "09-29 13:00", "10-06 13:00", "10-13 13:00",
                          "10-20 13:00", "10-27 13:00", "11-03 14:00", "11-10 14:00", "11-17 14:00",
                          "11-24 14:00", "12-01 14:00", "12-08 14:00", "12-15 14:00", "12-22 14:00",
                          "12-29 14:00"));
}

struct Case {
  std::string what;
  std::string zone;
  absl::CivilDay first;
  int hour, minute;
  std::vector<std::string> utc;
};

TEST(SeriesTest, ClockChangesByTable) {
  const std::vector<Case> cases = {
      {"half an hour",
       "Australia/Lord_Howe",
       absl::CivilDay(2026, 3, 25),
       10,
       0,
       {"03-24 23:00", "03-31 23:00", "04-07 23:30"}},
      {"gap of half an hour",
       "Australia/Lord_Howe",
       absl::CivilDay(2026, 10, 4),
       2,
       15,
       {"10-03 15:45"}},
      {"gap",
       "America/New_York",
       absl::CivilDay(2026, 3, 1),
       2,
       30,
       {"03-01 07:30", "03-08 07:30", "03-15 06:30"}},
      {"fold, the first",
       "America/New_York",
       absl::CivilDay(2026, 10, 25),
       1,
       30,
       {"10-25 05:30", "11-01 05:30", "11-08 06:30"}},
      {"one o'clock of the day",
       "America/New_York",
       absl::CivilDay(2026, 3, 8),
       13,
       0,
       {"03-08 17:00"}},
      {"half past two of the day",
       "America/New_York",
       absl::CivilDay(2026, 3, 8),
       14,
       30,
       {"03-08 18:30"}},
      {"five hours and three quarters",
       "Asia/Kathmandu",
       absl::CivilDay(2026, 1, 5),
       10,
       0,
       {"01-05 04:15", "01-12 04:15"}},
      {"a day that does not exist",
       "Pacific/Apia",
       absl::CivilDay(2011, 12, 23),
       10,
       0,
       {"12-23 20:00", "12-30 20:00", "01-05 20:00"}},
      {"Ramadan",
       "Africa/Casablanca",
       absl::CivilDay(2026, 2, 9),
       9,
       0,
       {"02-09 08:00", "02-16 09:00", "02-23 09:00", "03-02 09:00", "03-09 09:00", "03-16 09:00",
        "03-23 08:00"}},
      {"summer time abolished",
       "America/Sao_Paulo",
       absl::CivilDay(2026, 10, 12),
       9,
       0,
       {"10-12 12:00", "10-19 12:00", "10-26 12:00"}},
      {"summer time abolished",
       "America/Mexico_City",
       absl::CivilDay(2026, 3, 30),
       9,
       0,
       {"03-30 15:00", "04-06 15:00"}},
      {"before midnight",
       "Europe/London",
       absl::CivilDay(2026, 3, 28),
       23,
       30,
       {"03-28 23:30", "04-04 22:30"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what + " in " + c.zone);
    EXPECT_THAT(StartsInUtc(c.first, c.hour, c.minute, static_cast<int>(c.utc.size()), c.zone),
                ElementsAreArray(c.utc));
  }
}

TEST(SeriesTest, StartsMustBeDatesAndWholeMinutesBeforeMidnight) {
  const auto check = [](const std::string& date, const std::string& time) {
    return CheckSessionStart(Parse<google::type::Date>(date), "first_date",
                             Parse<google::type::TimeOfDay>(time), "local_time");
  };
  const std::string day = "year: 2026 month: 3 day: 2";
  EXPECT_TRUE(check(day, "hours: 14").ok());
  EXPECT_TRUE(check(day, "").ok());
  for (const auto& [date, time, field] : std::vector<std::array<std::string, 3>>{
           {"year: 2026 month: 2 day: 30", "hours: 14", "first_date"},
           {"year: 2026 month: 2", "hours: 14", "first_date"},
           {"year: 9999 month: 2 day: 1", "hours: 14", "first_date"},
           {day, "hours: 24", "local_time"},
           {day, "hours: 9 minutes: 60", "local_time"},
           {day, "hours: 9 seconds: 1", "local_time"}}) {
    const absl::Status status = check(date, time);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << date << time;
    ASSERT_EQ(errors::FieldViolations(status).size(), 1u);
    EXPECT_EQ(errors::FieldViolations(status)[0].field, field);
  }
}

}  // namespace
}  // namespace rapport::scheduling
