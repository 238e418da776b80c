#include "services/scheduling/domain/booking.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

constexpr char kClinic[] = "organizations/o/clinics/north";

// Mondays 9 to 17 in London, licensed to the end of 2026, nothing booked; now a Friday before.
BookingFacts Facts() {
  BookingFacts facts;
  facts.now = At("2026-02-27T12:00:00Z");
  facts.course_state = v1::COURSE_STATE_ACTIVE;
  facts.planned_sessions = 16;
  facts.max_weeks = 20;
  facts.minimum_notice = absl::Hours(2);
  facts.clinic = kClinic;
  facts.zone = Zone("Europe/London");
  facts.clinician = Parse<v1::Clinician>(R"pb(
    licence_number: "L1"
    licence_expire_date { year: 2026 month: 12 day: 31 }
    weekly_hours {
      clinic: "organizations/o/clinics/north"
      day_of_week: MONDAY
      start_time { hours: 9 }
      end_time { hours: 17 }
    })pb");
  return facts;
}

// From Monday 2 March 2026, 14:00 in London, weekly.
std::vector<SessionTime> Mondays(int count, int hour = 14) {
  return SeriesTimes(absl::CivilDay(2026, 3, 2), hour * 60, count, 7, 50, Zone("Europe/London"));
}

Interval Around(const std::string& from, const std::string& to) { return {At(from), At(to)}; }

TEST(BookingTest, AWholeCourseIsBookedAcrossTheClockChange) {
  EXPECT_TRUE(CheckBooking(Facts(), Mondays(16), nullptr).ok());
}

struct Case {
  std::string what;
  std::function<void(BookingFacts&)> change;
  int count;
  std::string reason;
  std::string date;
};

TEST(BookingTest, ReasonsByTable) {
  const auto counted = [](BookingFacts& facts, int sessions) {
    for (int i = 0; i < sessions; ++i) {
      facts.counted.push_back({At("2026-02-23T14:00:00Z") - absl::Hours(24 * 7 * i), "x"});
    }
  };
  const std::vector<Case> cases = {
      {"proposed", [](BookingFacts& f) { f.course_state = v1::COURSE_STATE_PROPOSED; }, 1,
       "COURSE_STATE", ""},
      {"paused", [](BookingFacts& f) { f.course_state = v1::COURSE_STATE_PAUSED; }, 1,
       "COURSE_STATE", ""},
      {"assessing", [](BookingFacts& f) { f.course_state = v1::COURSE_STATE_ASSESSING; }, 16, "",
       ""},
      {"one too many", [](BookingFacts&) {}, 17, "SESSION_CAP_REACHED", "2026-06-22"},
      {"three left", [&](BookingFacts& f) { counted(f, 13); }, 4, "SESSION_CAP_REACHED",
       "2026-03-23"},
      {"none left", [&](BookingFacts& f) { counted(f, 16); }, 1, "SESSION_CAP_REACHED",
       "2026-03-02"},
      {"span reached", [](BookingFacts& f) { f.max_weeks = 15; }, 16, "", ""},
      {"span exceeded", [](BookingFacts& f) { f.max_weeks = 14; }, 16, "COURSE_SPAN_EXCEEDED",
       "2026-06-15"},
      {"span from the first session",
       [](BookingFacts& f) {
         f.counted = {{At("2025-10-06T13:00:00Z"), "x"}};
       },
       1, "COURSE_SPAN_EXCEEDED", "2026-03-02"},
      {"in the past", [](BookingFacts& f) { f.now = At("2026-03-02T14:00:01Z"); }, 1,
       "SHORT_NOTICE", "2026-03-02"},
      {"just in time", [](BookingFacts& f) { f.now = At("2026-03-02T12:00:00Z"); }, 1, "", ""},
      {"too late", [](BookingFacts& f) { f.now = At("2026-03-02T12:00:00.000001Z"); }, 1,
       "SHORT_NOTICE", "2026-03-02"},
      {"no licence", [](BookingFacts& f) { f.clinician.clear_licence_number(); }, 1,
       "CLINICIAN_UNLICENSED", "2026-03-02"},
      {"no date of licence", [](BookingFacts& f) { f.clinician.clear_licence_expire_date(); }, 1,
       "CLINICIAN_UNLICENSED", "2026-03-02"},
      {"licence on its last day",
       [](BookingFacts& f) {
         f.clinician.mutable_licence_expire_date()->set_month(3);
         f.clinician.mutable_licence_expire_date()->set_day(9);
       },
       2, "", ""},
      {"licence ends",
       [](BookingFacts& f) {
         f.clinician.mutable_licence_expire_date()->set_month(3);
         f.clinician.mutable_licence_expire_date()->set_day(9);
       },
       3, "CLINICIAN_UNLICENSED", "2026-03-16"},
      {"hours elsewhere",
       [](BookingFacts& f) {
         f.clinician.mutable_weekly_hours(0)->set_clinic("organizations/o/clinics/south");
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"hours of another day",
       [](BookingFacts& f) {
         f.clinician.mutable_weekly_hours(0)->set_day_of_week(google::type::TUESDAY);
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"hours end",
       [](BookingFacts& f) {
         f.clinician.mutable_weekly_hours(0)->mutable_effective_until()->CopyFrom(
             Parse<google::type::Date>("year: 2026 month: 3 day: 9"));
       },
       3, "OUTSIDE_HOURS", "2026-03-16"},
      {"hours begin",
       [](BookingFacts& f) {
         f.clinician.mutable_weekly_hours(0)->mutable_effective_from()->CopyFrom(
             Parse<google::type::Date>("year: 2026 month: 3 day: 3"));
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"hours end during the session",
       [](BookingFacts& f) {
         f.clinician.mutable_weekly_hours(0)->mutable_end_time()->set_hours(14);
         f.clinician.mutable_weekly_hours(0)->mutable_end_time()->set_minutes(49);
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"away in the third week",
       [](BookingFacts& f) {
         f.time_off = {Around("2026-03-16T14:49:00Z", "2026-03-20T00:00:00Z")};
       },
       16, "CLINICIAN_AWAY", "2026-03-16"},
      {"back just in time",
       [](BookingFacts& f) {
         f.time_off = {Around("2026-03-10T00:00:00Z", "2026-03-16T14:00:00Z")};
       },
       16, "", ""},
      {"taken after the clock change",
       [](BookingFacts& f) {
         f.claims = {{Around("2026-03-30T13:30:00Z", "2026-03-30T14:00:00Z"), "other"}};
       },
       16, "TIME_TAKEN", "2026-03-30"},
      {"neighbours do not overlap",
       [](BookingFacts& f) {
         f.claims = {{Around("2026-03-02T13:00:00Z", "2026-03-02T14:00:00Z"), "before"},
                     {Around("2026-03-02T14:50:00Z", "2026-03-02T15:00:00Z"), "after"}};
       },
       1, "", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    BookingFacts facts = Facts();
    c.change(facts);
    std::string taken_by;
    const absl::Status status = CheckBooking(facts, Mondays(c.count), &taken_by);
    EXPECT_EQ(errors::Reason(status), c.reason);
    EXPECT_EQ(errors::MetadataValue(status, "date"), c.date);
    EXPECT_EQ(taken_by, c.reason == "TIME_TAKEN" ? "other" : "");
    EXPECT_EQ(status.code(),
              c.reason.empty() ? absl::StatusCode::kOk : absl::StatusCode::kFailedPrecondition);
  }
}

TEST(BookingTest, HoursThatTouchAddUp) {
  BookingFacts facts = Facts();
  facts.clinician.mutable_weekly_hours(0)->mutable_end_time()->set_hours(14);
  *facts.clinician.add_weekly_hours() = facts.clinician.weekly_hours(0);
  v1::WorkingHours& afternoon = *facts.clinician.mutable_weekly_hours(1);
  afternoon.mutable_start_time()->set_hours(14);
  afternoon.mutable_end_time()->set_hours(18);
  const Interval across = Around("2026-03-02T13:30:00Z", "2026-03-02T14:20:00Z");
  EXPECT_TRUE(WithinHours(facts.clinician, kClinic, facts.zone, across));
  afternoon.mutable_start_time()->set_minutes(1);
  EXPECT_FALSE(WithinHours(facts.clinician, kClinic, facts.zone, across));
}

TEST(BookingTest, HoursMayReachToMidnightAndBeyond) {
  v1::Clinician clinician = Parse<v1::Clinician>(R"pb(
    weekly_hours {
      clinic: "organizations/o/clinics/north"
      day_of_week: SUNDAY
      start_time { hours: 20 }
      end_time { hours: 24 }
    }
    weekly_hours {
      clinic: "organizations/o/clinics/north"
      day_of_week: MONDAY
      end_time { hours: 2 }
    })pb");
  const absl::TimeZone zone = Zone("Europe/London");
  EXPECT_TRUE(WithinHours(clinician, kClinic, zone,
                          Around("2026-03-01T23:30:00Z", "2026-03-02T00:20:00Z")));
  EXPECT_FALSE(WithinHours(clinician, kClinic, zone,
                           Around("2026-03-02T01:30:00Z", "2026-03-02T02:20:00Z")));
}

TEST(BookingTest, NamesWhatIsInTheWayOnlyWhereItMayBeKnown) {
  EXPECT_EQ(errors::Reason(TimeTaken("", "")), "TIME_TAKEN");
  EXPECT_EQ(errors::Reason(TimeTaken("organizations/o/appointments/a", "2026-03-02")),
            "TIME_TAKEN");
  EXPECT_EQ(TimeTaken("", "2026-03-02").message(),
            TimeTaken("organizations/o/appointments/a", "2026-03-02").message());
}

}  // namespace
}  // namespace rapport::scheduling
