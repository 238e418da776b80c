// The time rules of what recurs, by table. Each UTC instant was worked out from the zone's
// published offsets and checked with another implementation of tzdata.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/series.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAreArray;

constexpr char kClinic[] = "organizations/o/clinics/north";

absl::CivilDay Day(const std::string& text) {
  absl::CivilDay day;
  EXPECT_TRUE(absl::ParseCivilTime(text, &day)) << text;
  return day;
}

std::string Utc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%MZ", time, absl::UTCTimeZone());
}

std::vector<SessionTime> Series(const std::string& zone, const std::string& first, int hour,
                                int minute, int count, int cadence_days = 7) {
  return SeriesTimes(Day(first), hour * 60 + minute, count, cadence_days, 50, Zone(zone));
}

struct Row {
  std::string what;
  std::string zone;
  std::string first;
  int hour, minute;
  std::vector<std::string> utc;
  int cadence_days = 7;
};

const std::vector<Row>& Table() {
  static const auto* const rows = new std::vector<Row>{
      // New York goes from -5 to -4 on 8 March 2026 at 02:00 and back on 1 November at 02:00.
      {"morning over spring",
       "America/New_York",
       "2026-03-01",
       10,
       0,
       {"2026-03-01T15:00Z", "2026-03-08T14:00Z", "2026-03-15T14:00Z"}},
      {"13:00 over spring",
       "America/New_York",
       "2026-03-01",
       13,
       0,
       {"2026-03-01T18:00Z", "2026-03-08T17:00Z", "2026-03-15T17:00Z"}},
      {"14:30 over spring",
       "America/New_York",
       "2026-03-01",
       14,
       30,
       {"2026-03-01T19:30Z", "2026-03-08T18:30Z", "2026-03-15T18:30Z"}},
      {"gap: 02:30 is 03:30 of that day only",
       "America/New_York",
       "2026-03-01",
       2,
       30,
       {"2026-03-01T07:30Z", "2026-03-08T07:30Z", "2026-03-15T06:30Z"}},
      {"morning over autumn",
       "America/New_York",
       "2026-10-25",
       10,
       0,
       {"2026-10-25T14:00Z", "2026-11-01T15:00Z", "2026-11-08T15:00Z"}},
      {"13:00 over autumn",
       "America/New_York",
       "2026-10-25",
       13,
       0,
       {"2026-10-25T17:00Z", "2026-11-01T18:00Z", "2026-11-08T18:00Z"}},
      {"14:30 over autumn",
       "America/New_York",
       "2026-10-25",
       14,
       30,
       {"2026-10-25T18:30Z", "2026-11-01T19:30Z", "2026-11-08T19:30Z"}},
      {"fold: the first 01:30",
       "America/New_York",
       "2026-10-25",
       1,
       30,
       {"2026-10-25T05:30Z", "2026-11-01T05:30Z", "2026-11-08T06:30Z"}},
      // London goes from +0 to +1 on 29 March 2026 at 01:00 and back on 25 October at 02:00.
      {"morning over spring",
       "Europe/London",
       "2026-03-22",
       9,
       0,
       {"2026-03-22T09:00Z", "2026-03-29T08:00Z", "2026-04-05T08:00Z"}},
      {"gap: 01:30 is 02:30",
       "Europe/London",
       "2026-03-22",
       1,
       30,
       {"2026-03-22T01:30Z", "2026-03-29T01:30Z", "2026-04-05T00:30Z"}},
      {"morning over autumn",
       "Europe/London",
       "2026-10-18",
       9,
       0,
       {"2026-10-18T08:00Z", "2026-10-25T09:00Z", "2026-11-01T09:00Z"}},
      {"fold: the first 01:30",
       "Europe/London",
       "2026-10-18",
       1,
       30,
       {"2026-10-18T00:30Z", "2026-10-25T00:30Z", "2026-11-01T01:30Z"}},
      // Lord Howe goes from +11 to +10:30 on 5 April 2026 at 02:00, and back on 4 October at 02:00.
      {"half an hour back",
       "Australia/Lord_Howe",
       "2026-03-29",
       10,
       0,
       {"2026-03-28T23:00Z", "2026-04-04T23:30Z", "2026-04-11T23:30Z"}},
      {"fold: the first 01:45",
       "Australia/Lord_Howe",
       "2026-03-29",
       1,
       45,
       {"2026-03-28T14:45Z", "2026-04-04T14:45Z", "2026-04-11T15:15Z"}},
      {"half an hour on",
       "Australia/Lord_Howe",
       "2026-09-27",
       10,
       0,
       {"2026-09-26T23:30Z", "2026-10-03T23:00Z", "2026-10-10T23:00Z"}},
      {"gap: 02:15 is 02:45",
       "Australia/Lord_Howe",
       "2026-09-27",
       2,
       15,
       {"2026-09-26T15:45Z", "2026-10-03T15:45Z", "2026-10-10T15:15Z"}},
      // +5:45 all year.
      {"three quarters",
       "Asia/Kathmandu",
       "2026-03-04",
       10,
       0,
       {"2026-03-04T04:15Z", "2026-03-11T04:15Z", "2026-03-18T04:15Z"}},
      {"three quarters, the day before in UTC",
       "Asia/Kathmandu",
       "2026-10-28",
       0,
       15,
       {"2026-10-27T18:30Z", "2026-11-03T18:30Z", "2026-11-10T18:30Z"}},
      // Samoa left out 30 December 2011, from -10 to +14 at midnight.
      {"weekly on the missing day",
       "Pacific/Apia",
       "2011-12-23",
       10,
       0,
       {"2011-12-23T20:00Z", "2011-12-30T20:00Z", "2012-01-05T20:00Z"}},
      {"weekly, the day after: six days of real time",
       "Pacific/Apia",
       "2011-12-24",
       10,
       0,
       {"2011-12-24T20:00Z", "2011-12-30T20:00Z", "2012-01-06T20:00Z"}},
      {"every other day around it",
       "Pacific/Apia",
       "2011-12-27",
       10,
       0,
       {"2011-12-27T20:00Z", "2011-12-29T20:00Z", "2011-12-30T20:00Z", "2012-01-01T20:00Z"},
       2},
      // Morocco: +1, but +0 from 15 February 03:00 to 22 March 2026 02:00.
      {"morning over Ramadan",
       "Africa/Casablanca",
       "2026-02-08",
       10,
       0,
       {"2026-02-08T09:00Z", "2026-02-15T10:00Z", "2026-02-22T10:00Z", "2026-03-01T10:00Z",
        "2026-03-08T10:00Z", "2026-03-15T10:00Z", "2026-03-22T09:00Z", "2026-03-29T09:00Z"}},
      {"fold and gap of Ramadan",
       "Africa/Casablanca",
       "2026-02-15",
       2,
       30,
       {"2026-02-15T01:30Z", "2026-02-22T02:30Z", "2026-03-01T02:30Z", "2026-03-08T02:30Z",
        "2026-03-15T02:30Z", "2026-03-22T02:30Z", "2026-03-29T01:30Z"}},
      // Brazil's last summer began on 4 November 2018 at midnight; -3 since February 2019.
      {"the last summer",
       "America/Sao_Paulo",
       "2018-10-28",
       10,
       0,
       {"2018-10-28T13:00Z", "2018-11-04T12:00Z", "2018-11-11T12:00Z"}},
      {"gap at midnight: 00:30 is 01:30",
       "America/Sao_Paulo",
       "2018-11-04",
       0,
       30,
       {"2018-11-04T03:30Z"}},
      {"the first year without",
       "America/Sao_Paulo",
       "2019-10-27",
       10,
       0,
       {"2019-10-27T13:00Z", "2019-11-03T13:00Z", "2019-11-10T13:00Z"}},
      {"now",
       "America/Sao_Paulo",
       "2026-10-25",
       10,
       0,
       {"2026-10-25T13:00Z", "2026-11-01T13:00Z", "2026-11-08T13:00Z"}},
      // Mexico's last summer: 3 April to 30 October 2022; -6 since.
      {"the last spring",
       "America/Mexico_City",
       "2022-03-27",
       10,
       0,
       {"2022-03-27T16:00Z", "2022-04-03T15:00Z", "2022-04-10T15:00Z"}},
      {"the last autumn",
       "America/Mexico_City",
       "2022-10-23",
       10,
       0,
       {"2022-10-23T15:00Z", "2022-10-30T16:00Z", "2022-11-06T16:00Z"}},
      {"the first spring without",
       "America/Mexico_City",
       "2023-03-26",
       10,
       0,
       {"2023-03-26T16:00Z", "2023-04-02T16:00Z", "2023-04-09T16:00Z"}},
      // Chile goes from -4 to -3 at midnight, 6 September 2026.
      {"gap at midnight: 00:30 is 01:30",
       "America/Santiago",
       "2026-08-30",
       0,
       30,
       {"2026-08-30T04:30Z", "2026-09-06T04:30Z", "2026-09-13T03:30Z"}},
  };
  return *rows;
}

TEST(TimeTableTest, SeriesKeepTheirLocalTimeAcrossEveryKindOfChange) {
  for (const Row& row : Table()) {
    SCOPED_TRACE(absl::StrCat(row.zone, " ", row.first, ": ", row.what));
    const std::vector<SessionTime> sessions =
        Series(row.zone, row.first, row.hour, row.minute, static_cast<int>(row.utc.size()),
               row.cadence_days);
    std::vector<std::string> starts;
    for (size_t i = 0; i < sessions.size(); ++i) {
      EXPECT_EQ(sessions[i].date, Day(row.first) + static_cast<int>(i) * row.cadence_days);
      EXPECT_EQ(sessions[i].minute_of_day, row.hour * 60 + row.minute);
      EXPECT_EQ(sessions[i].end - sessions[i].start, absl::Minutes(50));
      starts.push_back(Utc(sessions[i].start));
    }
    EXPECT_THAT(starts, ElementsAreArray(row.utc));
  }
}

// Licensed for all times, at kClinic on every day from `from` to `until` (minutes of the day).
v1::Clinician Daily(int from, int until) {
  v1::Clinician clinician = Parse<v1::Clinician>(
      "licence_number: 'L1' licence_expire_date { year: 2099 month: 12 day: 31 }");
  for (int day = google::type::MONDAY; day <= google::type::SUNDAY; ++day) {
    clinician.MergeFrom(Parse<v1::Clinician>(
        absl::StrCat("weekly_hours { clinic: '", kClinic, "' day_of_week: ", day,
                     " start_time { hours: ", from / 60, " minutes: ", from % 60,
                     " } end_time { hours: ", until / 60, " minutes: ", until % 60, " } }")));
  }
  return clinician;
}

v1::Clinic Clinic() {
  v1::Clinic clinic;
  clinic.set_name(kClinic);
  return clinic;
}

BookingFacts Facts(const std::string& zone, const v1::Clinician& clinician) {
  BookingFacts facts;
  facts.now = At("2001-01-01T00:00:00Z");
  facts.clinic = Clinic();
  facts.zone = Zone(zone);
  facts.clinicians["clinicians/c"].clinician = clinician;
  return facts;
}

std::optional<Refusal> Check(const BookingFacts& facts, const std::vector<SessionTime>& times) {
  std::vector<AskedSession> sessions = Asked(times);
  return CheckTimes(facts, absl::MakeSpan(sessions));
}

TEST(TimeTableTest, SeriesOfTheDayFillTheirHoursToTheMinuteInEveryWeek) {
  for (const Row& row : Table()) {
    if (row.hour < 9) continue;
    SCOPED_TRACE(absl::StrCat(row.zone, " ", row.first, ": ", row.what));
    const std::vector<SessionTime> sessions =
        Series(row.zone, row.first, row.hour, row.minute, static_cast<int>(row.utc.size()),
               row.cadence_days);
    const int start = row.hour * 60 + row.minute;
    EXPECT_FALSE(Check(Facts(row.zone, Daily(start, start + 50)), sessions));
    for (const SessionTime& session : sessions) {
      for (const v1::Clinician& narrow : {Daily(start + 1, start + 50), Daily(start, start + 49)}) {
        const auto refusal = Check(Facts(row.zone, narrow), {session});
        ASSERT_TRUE(refusal) << session.date;
        EXPECT_EQ(refusal->reason, "OUTSIDE_HOURS") << session.date;
      }
    }
  }
}

TEST(TimeTableTest, HoursOfADayThatIsLeftOutMoveAsItsSessionsDo) {
  const std::vector<SessionTime> sessions = Series("Pacific/Apia", "2011-12-23", 10, 0, 3);
  EXPECT_FALSE(Check(Facts("Pacific/Apia", Daily(540, 660)), sessions));
  EXPECT_EQ(absl::ToCivilDay(sessions[1].start, Zone("Pacific/Apia")), Day("2011-12-31"));
}

v1::Clinician WithHours(const std::vector<std::array<int, 3>>& rules) {
  v1::Clinician clinician;
  for (const auto& [day, from, until] : rules) {
    clinician.MergeFrom(Parse<v1::Clinician>(
        absl::StrCat("weekly_hours { clinic: '", kClinic, "' day_of_week: ", day,
                     " start_time { hours: ", from, " } end_time { hours: ", until, " } }")));
  }
  return clinician;
}

TEST(TimeTableTest, NightHoursAcrossMidnightAndAcrossAChange) {
  constexpr int kSaturday = google::type::SATURDAY;
  constexpr int kSunday = google::type::SUNDAY;
  struct Night {
    std::string what;
    std::string zone;
    std::vector<std::array<int, 3>> hours;
    std::string start;  // of 50 minutes
    bool within;
  };
  const std::vector<std::array<int, 3>> night = {{kSaturday, 22, 24}, {kSunday, 0, 4}};
  const std::vector<std::array<int, 3>> evening = {{kSaturday, 20, 24}, {kSunday, 0, 2}};
  const std::vector<std::array<int, 3>> small = {{kSunday, 1, 3}};
  const std::vector<Night> nights = {
      // 22:00 EST to 04:00 EDT is five hours.
      {"before the first minute", "America/New_York", night, "2026-03-08T02:59:00Z", false},
      {"the first minute", "America/New_York", night, "2026-03-08T03:00:00Z", true},
      {"over midnight", "America/New_York", night, "2026-03-08T04:30:00Z", true},
      {"over the gap, 01:30 to 03:20", "America/New_York", night, "2026-03-08T06:30:00Z", true},
      {"to the last minute", "America/New_York", night, "2026-03-08T07:10:00Z", true},
      {"beyond it", "America/New_York", night, "2026-03-08T07:11:00Z", false},
      // 22:00 EDT to 04:00 EST is seven.
      {"the first minute", "America/New_York", night, "2026-11-01T02:00:00Z", true},
      {"before it", "America/New_York", night, "2026-11-01T01:59:00Z", false},
      {"over the fold, 01:30 to 01:20", "America/New_York", night, "2026-11-01T05:30:00Z", true},
      {"within the second pass", "America/New_York", night, "2026-11-01T06:05:00Z", true},
      {"to the last minute", "America/New_York", night, "2026-11-01T08:10:00Z", true},
      {"beyond it", "America/New_York", night, "2026-11-01T08:11:00Z", false},
      // Saturday ends at 24:00, which is Sunday 01:00.
      {"the first minute", "America/Santiago", evening, "2026-09-06T00:00:00Z", true},
      {"before it", "America/Santiago", evening, "2026-09-05T23:59:00Z", false},
      {"over the missing midnight", "America/Santiago", evening, "2026-09-06T03:30:00Z", true},
      {"to the last minute", "America/Santiago", evening, "2026-09-06T04:10:00Z", true},
      {"beyond it", "America/Santiago", evening, "2026-09-06T04:11:00Z", false},
      {"over the missing midnight", "America/Sao_Paulo", evening, "2018-11-04T02:30:00Z", true},
      {"beyond the last minute", "America/Sao_Paulo", evening, "2018-11-04T03:11:00Z", false},
      // 01:00 to 03:00 is an hour and a half in spring, two and a half in autumn.
      {"the first minute", "Australia/Lord_Howe", small, "2026-10-03T14:30:00Z", true},
      {"to the last minute", "Australia/Lord_Howe", small, "2026-10-03T15:10:00Z", true},
      {"beyond it", "Australia/Lord_Howe", small, "2026-10-03T15:11:00Z", false},
      {"the first minute", "Australia/Lord_Howe", small, "2026-04-04T14:00:00Z", true},
      {"to the last minute", "Australia/Lord_Howe", small, "2026-04-04T15:40:00Z", true},
      {"beyond it", "Australia/Lord_Howe", small, "2026-04-04T15:41:00Z", false},
  };
  for (const Night& c : nights) {
    EXPECT_EQ(WithinHours(WithHours(c.hours), Clinic(), Zone(c.zone),
                          {At(c.start), At(c.start) + absl::Minutes(50)}),
              c.within)
        << c.zone << " " << c.start << ": " << c.what;
  }
}

TEST(TimeTableTest, MinimumNoticeIsRealTimeAlsoAcrossAChange) {
  struct Case {
    std::string what;
    std::string date;
    int hour, minute;
    absl::Duration notice;
    std::string latest;  // instant at which the session can be booked
  };
  const std::vector<Case> cases = {
      {"a day before the afternoon of spring: 13:00 EST", "2026-03-08", 14, 0, absl::Hours(24),
       "2026-03-07T18:00:00Z"},
      {"a day before the afternoon of autumn: 15:00 EDT", "2026-11-01", 14, 0, absl::Hours(24),
       "2026-10-31T19:00:00Z"},
      {"two hours over the gap: 01:30 EST", "2026-03-08", 4, 30, absl::Hours(2),
       "2026-03-08T06:30:00Z"},
      {"two hours before what the gap skips: 00:30 EST", "2026-03-08", 2, 30, absl::Hours(2),
       "2026-03-08T05:30:00Z"},
      {"two hours back to the first of the fold: 01:30 EDT", "2026-11-01", 2, 30, absl::Hours(2),
       "2026-11-01T05:30:00Z"},
      {"an hour and a half back to its second: 01:00 EST", "2026-11-01", 2, 30, absl::Minutes(90),
       "2026-11-01T06:00:00Z"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    BookingFacts facts = Facts("America/New_York", Daily(0, 24 * 60));
    facts.minimum_notice = c.notice;
    const auto sessions = Series("America/New_York", c.date, c.hour, c.minute, 1);
    facts.now = At(c.latest);
    EXPECT_FALSE(Check(facts, sessions));
    facts.now += absl::Microseconds(1);
    const auto refusal = Check(facts, sessions);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->reason, "SHORT_NOTICE");
  }
}

// A clinician in New York, Mondays at 10:00; the patient has a commitment in London, Mondays at
// `hour`. Gives the dates on which a session alone is refused.
std::vector<std::string> Clashes(const std::string& first, int count, int hour) {
  BookingFacts facts = Facts("America/New_York", Daily(540, 1020));
  for (const SessionTime& busy : Series("Europe/London", first, hour, 0, count)) {
    facts.claims["patients/p"].push_back({{busy.start, busy.end}, "london", "", busy.end});
  }
  std::vector<std::string> dates;
  for (const SessionTime& session : Series("America/New_York", first, 10, 0, count)) {
    const auto refusal = Check(facts, {session});
    if (!refusal) continue;
    EXPECT_EQ(refusal->reason, "TIME_TAKEN");
    EXPECT_EQ(refusal->booking, "london");
    dates.push_back(absl::FormatCivilTime(session.date));
  }
  return dates;
}

TEST(TimeTableTest, ZonesThatChangeOnOtherDatesClashOnlyWhereInstantsMeet) {
  // New York 10:00 is London 15:00, but 14:00 from 8 to 28 March and from 25 to 31 October 2026.
  EXPECT_THAT(Clashes("2026-03-02", 5, 15), ElementsAreArray({"2026-03-02", "2026-03-30"}));
  EXPECT_THAT(Clashes("2026-03-02", 5, 14),
              ElementsAreArray({"2026-03-09", "2026-03-16", "2026-03-23"}));
  EXPECT_THAT(Clashes("2026-10-19", 4, 15),
              ElementsAreArray({"2026-10-19", "2026-11-02", "2026-11-09"}));
  EXPECT_THAT(Clashes("2026-10-19", 4, 14), ElementsAreArray({"2026-10-26"}));
}

TEST(TimeTableTest, EveryWeekOfAYearIsThatOfASingleBookingAndAtMostAnHourOff) {
  for (const std::string zone : {"America/New_York", "Europe/London", "Australia/Lord_Howe",
                                 "Africa/Casablanca", "America/Santiago", "Asia/Kathmandu"}) {
    for (const int hour : {0, 1, 2, 10, 23}) {
      const auto series = Series(zone, "2026-01-18", hour, 30, 52);
      for (int week = 0; week < 52; ++week) {
        const auto single =
            Series(zone, absl::FormatCivilTime(Day("2026-01-18") + 7 * week), hour, 30, 1);
        ASSERT_EQ(series[week].start, single[0].start) << zone << " " << week;
      }
      for (int week = 1; week < 52; ++week) {
        const absl::Duration apart = series[week].start - series[week - 1].start;
        ASSERT_LE(absl::AbsDuration(apart - absl::Hours(24 * 7)), absl::Hours(1)) << zone;
      }
    }
  }
}

}  // namespace
}  // namespace rapport::scheduling
