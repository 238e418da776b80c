#include "services/assessment/domain/requests.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "common/time/zones.h"

namespace rapport::assessment {
namespace {

using ::testing::ElementsAre;

absl::TimeZone Zone(absl::string_view name) { return *time::LoadZone(name); }

// Days from Monday, 1; minutes after midnight.
struct Stretch {
  int day;
  int start;
  int end;
};

MonitoredHours Hours(const std::vector<Stretch>& stretches, absl::string_view zone = "UTC") {
  MonitoredHours hours;
  hours.zone = Zone(zone);
  for (const Stretch& each : stretches) {
    scheduling::v1::WeeklyStretch& stretch = *hours.stretches.Add();
    stretch.set_day_of_week(static_cast<google::type::DayOfWeek>(each.day));
    *stretch.mutable_start_time() = time::ToTimeOfDay(each.start);
    *stretch.mutable_end_time() = time::ToTimeOfDay(each.end);
  }
  return hours;
}

std::vector<Stretch> Daily(int start, int end, int days = 7) {
  std::vector<Stretch> stretches;
  for (int day = 1; day <= days; ++day) stretches.push_back({day, start, end});
  return stretches;
}

absl::Time Utc(absl::string_view text) {
  absl::Time at;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", text, absl::UTCTimeZone(), &at, nullptr)) << text;
  return at;
}

std::string Text(std::optional<absl::Time> at) {
  return at ? absl::FormatTime("%Y-%m-%d %H:%M:%E*S", *at, absl::UTCTimeZone()) : "never";
}

TEST(MonitoredHours, HoldAlwaysWhereNoneAreGiven) {
  const absl::Time at = Utc("2026-03-02 03:17") + absl::Microseconds(1);
  EXPECT_TRUE(MonitoredHours().Holds(at));
  EXPECT_EQ(MonitoredHours().Next(at), at);
}

TEST(MonitoredHours, BeginWithTheirFirstInstantAndEndBeforeTheirLast) {
  // 2026-03-02 is a Monday.
  const MonitoredHours office = Hours(Daily(9 * 60, 17 * 60, 5));
  struct Row {
    const char* from;
    const char* next;
  };
  for (const Row& row : {Row{"2026-03-02 08:59", "2026-03-02 09:00:00"},
                         Row{"2026-03-02 09:00", "2026-03-02 09:00:00"},
                         Row{"2026-03-02 16:59", "2026-03-02 16:59:00"},
                         Row{"2026-03-02 17:00", "2026-03-03 09:00:00"},
                         Row{"2026-03-06 17:00", "2026-03-09 09:00:00"},  // over the weekend
                         Row{"2026-03-08 12:00", "2026-03-09 09:00:00"},
                         Row{"2026-12-31 23:59", "2027-01-01 09:00:00"}}) {
    EXPECT_EQ(Text(office.Next(Utc(row.from))), row.next) << row.from;
    EXPECT_EQ(office.Holds(Utc(row.from)), absl::StrCat(row.from, ":00") == row.next) << row.from;
  }
  EXPECT_TRUE(office.Holds(Utc("2026-03-02 17:00") - absl::Microseconds(1)));
  EXPECT_FALSE(office.Holds(Utc("2026-03-02 09:00") - absl::Microseconds(1)));
}

TEST(MonitoredHours, OfOneWeeklyStretchComeAgainAWeekLater) {
  const MonitoredHours once = Hours({{1, 9 * 60, 10 * 60}});
  EXPECT_EQ(Text(once.Next(Utc("2026-03-02 10:00"))), "2026-03-09 09:00:00");
  EXPECT_EQ(Text(once.Next(Utc("2026-03-03 00:00"))), "2026-03-09 09:00:00");
}

TEST(MonitoredHours, ReachToTheEndOfTheDayAndGoOnIntoTheNext) {
  const MonitoredHours all = Hours(Daily(0, 24 * 60));
  for (const char* at : {"2026-03-02 00:00", "2026-03-02 23:59", "2026-03-03 00:00"}) {
    EXPECT_TRUE(all.Holds(Utc(at))) << at;
  }
  const MonitoredHours evening = Hours({{7, 20 * 60, 24 * 60}, {1, 0, 2 * 60}});
  EXPECT_TRUE(evening.Holds(Utc("2026-03-09 00:00") - absl::Microseconds(1)));
  EXPECT_TRUE(evening.Holds(Utc("2026-03-09 01:59")));
  EXPECT_EQ(Text(evening.Next(Utc("2026-03-09 02:00"))), "2026-03-15 20:00:00");
}

TEST(MonitoredHours, NeverHoldWhereAStretchEndsBeforeItBegins) {
  const MonitoredHours overnight = Hours(Daily(22 * 60, 6 * 60));
  EXPECT_EQ(overnight.Next(Utc("2026-03-02 12:00")), std::nullopt);
  EXPECT_FALSE(overnight.Holds(Utc("2026-03-02 23:00")));
  EXPECT_EQ(Hours(Daily(540, 540)).Next(Utc("2026-03-02 12:00")), std::nullopt);
}

TEST(MonitoredHours, TakeTheEarliestOfStretchesInAnyOrder) {
  const MonitoredHours hours = Hours({{3, 600, 660}, {1, 900, 960}, {1, 540, 600}, {1, 570, 930}});
  EXPECT_EQ(Text(hours.Next(Utc("2026-03-02 00:00"))), "2026-03-02 09:00:00");
  EXPECT_EQ(Text(hours.Next(Utc("2026-03-02 09:45"))), "2026-03-02 09:45:00");
  EXPECT_EQ(Text(hours.Next(Utc("2026-03-02 16:00"))), "2026-03-04 10:00:00");
}

TEST(MonitoredHours, AreOfTheClinicsClock) {
  const MonitoredHours london = Hours(Daily(9 * 60, 17 * 60), "Europe/London");
  EXPECT_EQ(Text(london.Next(Utc("2026-03-28 00:00"))), "2026-03-28 09:00:00");
  EXPECT_EQ(Text(london.Next(Utc("2026-03-29 00:00"))), "2026-03-29 08:00:00") << "summer time";
  EXPECT_FALSE(london.Holds(Utc("2026-03-29 16:00")));
  EXPECT_EQ(Text(london.Next(Utc("2026-10-25 00:00"))), "2026-10-25 09:00:00") << "winter time";
  // There it is Monday already.
  const MonitoredHours auckland = Hours({{1, 0, 60}}, "Pacific/Auckland");
  EXPECT_TRUE(auckland.Holds(Utc("2026-03-01 11:30")));
  EXPECT_EQ(Text(auckland.Next(Utc("2026-03-01 12:00"))), "2026-03-08 11:00:00");
}

TEST(MonitoredHours, FollowTheClocksWhenTheyChange) {
  // Forward on 29 March at 01:00 UTC: there is no 01:30.
  const MonitoredHours night = Hours(Daily(0, 4 * 60), "Europe/London");
  EXPECT_FALSE(night.Holds(Utc("2026-03-29 03:00"))) << "three hours long";
  EXPECT_TRUE(night.Holds(Utc("2026-03-29 02:59")));
  // Back on 25 October at 01:00 UTC: 01:30 comes twice, and the day has 25 hours.
  EXPECT_TRUE(night.Holds(Utc("2026-10-25 03:59"))) << "five hours long";
  const MonitoredHours day = Hours(Daily(0, 24 * 60), "Europe/London");
  for (absl::Time at = Utc("2026-10-24 22:30"); at < Utc("2026-10-26 02:00");
       at += absl::Minutes(30)) {
    EXPECT_TRUE(day.Holds(at)) << Text(at);
  }
  // A stretch that the clocks leap over is left out that day; no instant of it is promised.
  const MonitoredHours gone = Hours(Daily(60 + 30, 2 * 60), "Europe/London");
  EXPECT_EQ(Text(gone.Next(Utc("2026-03-29 00:00"))), "2026-03-30 00:30:00");
  const MonitoredHours partly = Hours(Daily(60 + 30, 2 * 60 + 30), "Europe/London");
  EXPECT_EQ(Text(partly.Next(Utc("2026-03-29 00:00"))), "2026-03-30 00:30:00");
  for (const MonitoredHours* hours : {&night, &day, &gone, &partly}) {
    for (absl::Time at = Utc("2026-03-28 12:00"); at < Utc("2026-03-31 00:00");
         at += absl::Minutes(15)) {
      const auto next = hours->Next(at);
      ASSERT_TRUE(next.has_value());
      EXPECT_TRUE(hours->Holds(*next)) << Text(at) << " " << Text(next);
    }
  }
}

TEST(MonitoredHours, ReachMidnightWhereTheClocksChangeAtMidnight) {
  // Cairo went forward on 24 April 2026 at 00:00: that Friday begins at 01:00.
  const MonitoredHours day = Hours(Daily(0, 24 * 60), "Africa/Cairo");
  for (absl::Time at = Utc("2026-04-23 12:00"); at < Utc("2026-04-24 12:00");
       at += absl::Minutes(15)) {
    EXPECT_TRUE(day.Holds(at)) << Text(at);
  }
}

const absl::Time kNow = Utc("2026-03-02 09:00");

struct Given {
  const char* open = "";
  const char* expire = "";
  const char* remind = "";
};

v1::MeasureRequest RequestOf(const Given& given) {
  v1::MeasureRequest request;
  if (*given.open) *request.mutable_open_time() = time::ToTimestamp(Utc(given.open));
  if (*given.expire) *request.mutable_expire_time() = time::ToTimestamp(Utc(given.expire));
  if (*given.remind) *request.mutable_remind_time() = time::ToTimestamp(Utc(given.remind));
  return request;
}

std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
  return fields;
}

TEST(SettleTimes, FillsInWhatIsLeftOut) {
  struct Row {
    Given given;
    const char* start;  // of the session; empty: none
    const char* open;
    const char* expire;
  };
  for (const Row& row : {
           Row{{}, "", "2026-03-02 09:00:00", "2026-03-09 09:00:00"},
           Row{{.open = "2026-03-05 00:00"}, "", "2026-03-05 00:00:00", "2026-03-12 00:00:00"},
           Row{{.open = "2026-02-28 09:00"}, "", "2026-02-28 09:00:00", "2026-03-07 09:00:00"},
           Row{{.expire = "2026-03-03 00:00"}, "", "2026-03-02 09:00:00", "2026-03-03 00:00:00"},
           // 48 h before the session, to its end.
           Row{{}, "2026-03-10 14:00", "2026-03-08 14:00:00", "2026-03-10 14:50:00"},
           // The window is open already.
           Row{{}, "2026-03-03 14:00", "2026-03-02 09:00:00", "2026-03-03 14:50:00"},
           // The session is under way, and over.
           Row{{}, "2026-03-02 08:30", "2026-03-02 09:00:00", "2026-03-02 09:20:00"},
           Row{{}, "2026-03-02 08:00", "2026-03-02 09:00:00", "2026-03-09 09:00:00"},
           Row{{.open = "2026-03-10 15:00"},
               "2026-03-10 14:00",
               "2026-03-10 15:00:00",
               "2026-03-17 15:00:00"},
       }) {
    v1::MeasureRequest request = RequestOf(row.given);
    std::optional<absl::Time> start, end;
    if (*row.start) {
      start = Utc(row.start);
      end = *start + absl::Minutes(50);
    }
    const absl::Status settled = SettleTimes(request, start, end, kNow);
    ASSERT_TRUE(settled.ok()) << settled << " " << row.open;
    EXPECT_EQ(Text(time::ToTime(request.open_time())), row.open);
    EXPECT_EQ(Text(time::ToTime(request.expire_time())), row.expire);
  }
}

TEST(SettleTimes, RefusesTimesThatDoNotFollowEachOther) {
  struct Row {
    Given given;
    std::vector<std::string> fields;
  };
  const std::string expire = "measure_request.expire_time";
  const std::string remind = "measure_request.remind_time";
  for (const Row& row : {
           Row{{.open = "2026-03-05 00:00", .expire = "2026-03-05 00:00"}, {expire}},
           Row{{.open = "2026-03-05 00:00", .expire = "2026-03-04 00:00"}, {expire}},
           Row{{.open = "2026-03-01 00:00", .expire = "2026-03-02 09:00"}, {expire}},
           Row{{.expire = "2026-03-01 00:00"}, {expire, expire}},  // before it opens, and past
           Row{{.open = "2026-02-01 00:00"}, {expire}},            // a week after that is past
           Row{{.open = "2026-03-02 09:00", .expire = "2026-05-01 09:01"}, {expire}},
           Row{{.open = "2026-03-05 00:00", .remind = "2026-03-04 23:59"}, {remind}},
           Row{{.expire = "2026-03-05 00:00", .remind = "2026-03-05 00:00"}, {remind}},
           Row{{.expire = "2026-03-01 00:00", .remind = "2026-03-05 00:00"},
               {expire, expire, remind}},
           // Well-formed ones.
           Row{{.open = "2026-03-02 09:00", .expire = "2026-05-01 09:00"}, {}},  // 60 days
           Row{{.open = "2026-03-05 00:00", .remind = "2026-03-05 00:00"}, {}},
           Row{{.expire = "2026-03-05 00:00", .remind = "2026-03-04 23:59"}, {}},
       }) {
    v1::MeasureRequest request = RequestOf(row.given);
    const absl::Status settled = SettleTimes(request, std::nullopt, std::nullopt, kNow);
    EXPECT_EQ(FieldsOf(settled), row.fields) << row.given.open << " " << row.given.expire;
    EXPECT_EQ(settled.ok(), row.fields.empty());
  }
}

TEST(SettleTimes, RefusesWhatIsNoInstant) {
  v1::MeasureRequest request;
  request.mutable_open_time()->set_nanos(-1);
  request.mutable_expire_time()->set_seconds(int64_t{1} << 60);
  request.mutable_remind_time()->set_nanos(1'000'000'000);
  EXPECT_THAT(FieldsOf(SettleTimes(request, std::nullopt, std::nullopt, kNow)),
              ElementsAre("measure_request.open_time", "measure_request.expire_time",
                          "measure_request.remind_time"));
}

TEST(SettleTimes, LeavesARefusedRequestAsItWas) {
  v1::MeasureRequest request = RequestOf({.expire = "2026-03-01 00:00"});
  const std::string before = request.SerializeAsString();
  EXPECT_FALSE(SettleTimes(request, std::nullopt, std::nullopt, kNow).ok());
  EXPECT_EQ(request.SerializeAsString(), before);
}

TEST(IsOpen, IsSoUntilItIsAnsweredOrOver) {
  std::vector<int> open;
  for (int state = 0; state < v1::MeasureRequestState_ARRAYSIZE; ++state) {
    if (IsOpen(static_cast<v1::MeasureRequestState>(state))) open.push_back(state);
  }
  EXPECT_THAT(open, ElementsAre(v1::MEASURE_REQUEST_STATE_OPEN, v1::MEASURE_REQUEST_STATE_PARTIAL));
}

}  // namespace
}  // namespace rapport::assessment
