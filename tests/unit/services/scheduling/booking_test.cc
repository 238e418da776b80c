#include "services/scheduling/domain/booking.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kClinic[] = "organizations/o/clinics/north";
constexpr char kClinician[] = "clinicians/c";

// Mondays 9 to 17 in London, licensed to the end of 2026, nothing booked; now a Friday before.
BookingFacts Facts() {
  BookingFacts facts;
  facts.now = At("2026-02-27T12:00:00Z");
  facts.minimum_notice = absl::Hours(2);
  facts.travel_time = absl::Minutes(30);
  facts.clinic.set_name(kClinic);
  facts.clinic.set_jurisdiction("GB-ENG");
  facts.zone = Zone("Europe/London");
  facts.clinicians[kClinician].clinician = Parse<v1::Clinician>(R"pb(
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

v1::Clinician& TheClinician(BookingFacts& facts) { return facts.clinicians[kClinician].clinician; }

// From Monday 2 March 2026, 14:00 in London, weekly.
std::vector<SessionTime> Mondays(int count, int hour = 14, int minute = 0) {
  return SeriesTimes(absl::CivilDay(2026, 3, 2), hour * 60 + minute, count, 7, 50,
                     Zone("Europe/London"));
}

Interval Around(const std::string& from, const std::string& to) { return {At(from), At(to)}; }

Claim Taken(const std::string& from, const std::string& to, const std::string& clinic = "north") {
  return {Around(from, to), "other", clinic, At(to)};
}

std::string DateOf(const std::vector<AskedSession>& sessions,
                   const std::optional<Refusal>& refusal) {
  return refusal ? absl::FormatCivilTime(sessions[refusal->session].time.date) : "";
}

TEST(BookingTest, AWholeCourseIsBookedAcrossTheClockChange) {
  std::vector<AskedSession> sessions = Asked(Mondays(16));
  EXPECT_FALSE(CheckTimes(Facts(), absl::MakeSpan(sessions)));
}

struct Case {
  std::string what;
  std::function<void(BookingFacts&)> change;
  int count;
  std::string reason;
  std::string date;
};

TEST(BookingTest, ReasonsByTable) {
  const std::vector<Case> cases = {
      {"in the past", [](BookingFacts& f) { f.now = At("2026-03-02T14:00:01Z"); }, 1,
       "SHORT_NOTICE", "2026-03-02"},
      {"just in time", [](BookingFacts& f) { f.now = At("2026-03-02T12:00:00Z"); }, 1, "", ""},
      {"too late", [](BookingFacts& f) { f.now = At("2026-03-02T12:00:00.000001Z"); }, 1,
       "SHORT_NOTICE", "2026-03-02"},
      {"no licence", [](BookingFacts& f) { TheClinician(f).clear_licence_number(); }, 1,
       "CLINICIAN_UNLICENSED", "2026-03-02"},
      {"no date of licence", [](BookingFacts& f) { TheClinician(f).clear_licence_expire_date(); },
       1, "CLINICIAN_UNLICENSED", "2026-03-02"},
      {"licence on its last day",
       [](BookingFacts& f) {
         TheClinician(f).mutable_licence_expire_date()->set_month(3);
         TheClinician(f).mutable_licence_expire_date()->set_day(9);
       },
       2, "", ""},
      {"licence ends",
       [](BookingFacts& f) {
         TheClinician(f).mutable_licence_expire_date()->set_month(3);
         TheClinician(f).mutable_licence_expire_date()->set_day(9);
       },
       3, "CLINICIAN_UNLICENSED", "2026-03-16"},
      {"a trainee alone", [](BookingFacts& f) { TheClinician(f).set_trainee(true); }, 1,
       "TRAINEE_UNSUPERVISED", "2026-03-02"},
      {"a trainee until the supervision ends",
       [](BookingFacts& f) {
         TheClinician(f).set_trainee(true);
         f.clinicians[kClinician].supervised = {
             Around("2026-01-01T00:00:00Z", "2026-03-09T14:01:00Z")};
       },
       3, "TRAINEE_UNSUPERVISED", "2026-03-16"},
      {"modalities that are not offered",
       [](BookingFacts& f) { TheClinician(f).add_modalities(v1::MODALITY_VIDEO); }, 1,
       "MODALITY_NOT_OFFERED", "2026-03-02"},
      {"hours elsewhere",
       [](BookingFacts& f) {
         TheClinician(f).mutable_weekly_hours(0)->set_clinic("organizations/o/clinics/south");
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"hours of another day",
       [](BookingFacts& f) {
         TheClinician(f).mutable_weekly_hours(0)->set_day_of_week(google::type::TUESDAY);
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"hours end",
       [](BookingFacts& f) {
         TheClinician(f).mutable_weekly_hours(0)->mutable_effective_until()->CopyFrom(
             Parse<google::type::Date>("year: 2026 month: 3 day: 9"));
       },
       3, "OUTSIDE_HOURS", "2026-03-16"},
      {"hours begin",
       [](BookingFacts& f) {
         TheClinician(f).mutable_weekly_hours(0)->mutable_effective_from()->CopyFrom(
             Parse<google::type::Date>("year: 2026 month: 3 day: 3"));
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"hours end during the session",
       [](BookingFacts& f) {
         TheClinician(f).mutable_weekly_hours(0)->mutable_end_time()->set_hours(14);
         TheClinician(f).mutable_weekly_hours(0)->mutable_end_time()->set_minutes(49);
       },
       1, "OUTSIDE_HOURS", "2026-03-02"},
      {"a holiday",
       [](BookingFacts& f) {
         *f.clinic.add_holidays() = Parse<v1::Holiday>("date { year: 2026 month: 3 day: 9 }");
       },
       3, "OUTSIDE_HOURS", "2026-03-09"},
      {"away in the third week",
       [](BookingFacts& f) {
         f.clinicians[kClinician].time_off = {
             Around("2026-03-16T14:49:00Z", "2026-03-20T00:00:00Z")};
       },
       16, "CLINICIAN_AWAY", "2026-03-16"},
      {"back just in time",
       [](BookingFacts& f) {
         f.clinicians[kClinician].time_off = {
             Around("2026-03-10T00:00:00Z", "2026-03-16T14:00:00Z")};
       },
       16, "", ""},
      {"taken after the clock change",
       [](BookingFacts& f) {
         f.claims["patients/p"] = {Taken("2026-03-30T13:30:00Z", "2026-03-30T14:00:00Z")};
       },
       16, "TIME_TAKEN", "2026-03-30"},
      {"neighbours do not overlap",
       [](BookingFacts& f) {
         f.claims[kClinician] = {Taken("2026-03-02T13:00:00Z", "2026-03-02T14:00:00Z"),
                                 Taken("2026-03-02T14:50:00Z", "2026-03-02T15:00:00Z")};
       },
       1, "", ""},
      {"the buffer overlaps what follows",
       [](BookingFacts& f) {
         TheClinician(f).set_buffer_minutes(10);
         f.claims[kClinician] = {Taken("2026-03-02T14:59:00Z", "2026-03-02T15:30:00Z")};
       },
       1, "TIME_TAKEN", "2026-03-02"},
      {"a patient has no buffer",
       [](BookingFacts& f) {
         TheClinician(f).set_buffer_minutes(10);
         f.claims["patients/p"] = {Taken("2026-03-02T14:50:00Z", "2026-03-02T15:30:00Z")};
       },
       1, "", ""},
      {"a day that has room for one more",
       [](BookingFacts& f) {
         TheClinician(f).set_max_sessions_per_day(2);
         f.claims[kClinician] = {Taken("2026-03-02T09:00:00Z", "2026-03-02T09:50:00Z")};
       },
       1, "", ""},
      {"a full day",
       [](BookingFacts& f) {
         TheClinician(f).set_max_sessions_per_day(1);
         f.claims[kClinician] = {Taken("2026-03-02T09:00:00Z", "2026-03-02T09:50:00Z")};
       },
       1, "DAY_FULL", "2026-03-02"},
      {"just enough time to come from elsewhere",
       [](BookingFacts& f) {
         f.claims[kClinician] = {Taken("2026-03-02T12:40:00Z", "2026-03-02T13:30:00Z", "south")};
       },
       1, "", ""},
      {"too close to a session elsewhere before",
       [](BookingFacts& f) {
         f.claims[kClinician] = {Taken("2026-03-02T12:41:00Z", "2026-03-02T13:31:00Z", "south")};
       },
       1, "TRAVEL_TIME", "2026-03-02"},
      {"too close to a session elsewhere after",
       [](BookingFacts& f) {
         f.claims[kClinician] = {Taken("2026-03-02T15:19:00Z", "2026-03-02T16:00:00Z", "south")};
       },
       1, "TRAVEL_TIME", "2026-03-02"},
      {"close to a session at the same clinic",
       [](BookingFacts& f) {
         f.claims[kClinician] = {Taken("2026-03-02T14:50:00Z", "2026-03-02T15:40:00Z")};
       },
       1, "", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    BookingFacts facts = Facts();
    c.change(facts);
    std::vector<AskedSession> sessions = Asked(Mondays(c.count));
    const auto refusal = CheckTimes(facts, absl::MakeSpan(sessions));
    EXPECT_EQ(refusal ? refusal->reason : "", c.reason);
    EXPECT_EQ(DateOf(sessions, refusal), c.date);
    EXPECT_EQ(refusal ? refusal->booking : "", c.reason == "TIME_TAKEN" ? "other" : "");
  }
}

TEST(BookingTest, HoursAtAnyClinicWillDoForWhatNobodyComesTo) {
  BookingFacts facts = Facts();
  v1::Clinician& clinician = TheClinician(facts);
  for (v1::Modality modality : {v1::MODALITY_IN_PERSON, v1::MODALITY_VIDEO, v1::MODALITY_TELEPHONE,
                                v1::MODALITY_ONLINE_UNIT}) {
    clinician.add_modalities(modality);
  }
  // 14:00 in London is 15:00 in Berlin, where the hours of Mondays begin then.
  clinician.mutable_weekly_hours(0)->set_clinic("organizations/o/clinics/berlin");
  clinician.mutable_weekly_hours(0)->mutable_start_time()->set_hours(15);
  const auto reason = [&](v1::Modality modality, int hour) {
    std::vector<AskedSession> sessions = Asked(Mondays(1, hour));
    sessions[0].modality = modality;
    const auto refusal = CheckTimes(facts, absl::MakeSpan(sessions));
    return refusal ? refusal->reason : "";
  };
  EXPECT_EQ(reason(v1::MODALITY_VIDEO, 14), "OUTSIDE_HOURS");
  facts.clinicians[kClinician].clinics = {
      {facts.clinic, facts.zone},
      {Parse<v1::Clinic>("name: 'organizations/o/clinics/berlin'"), Zone("Europe/Berlin")}};
  for (v1::Modality modality :
       {v1::MODALITY_VIDEO, v1::MODALITY_TELEPHONE, v1::MODALITY_ONLINE_UNIT}) {
    EXPECT_EQ(reason(modality, 14), "") << modality;
    EXPECT_EQ(reason(modality, 13), "OUTSIDE_HOURS") << modality;
  }
  EXPECT_EQ(reason(v1::MODALITY_IN_PERSON, 14), "OUTSIDE_HOURS");
  *facts.clinicians[kClinician].clinics[1].clinic.add_holidays() =
      Parse<v1::Holiday>("date { year: 2026 month: 3 day: 2 }");
  EXPECT_EQ(reason(v1::MODALITY_VIDEO, 14), "OUTSIDE_HOURS");
}

TEST(BookingTest, SessionsOfOneAskAreInEachOthersWay) {
  std::vector<SessionTime> times = Mondays(1);
  times.push_back(Mondays(1, 14, 49).front());
  std::vector<AskedSession> sessions = Asked(times);
  const auto refusal = CheckTimes(Facts(), absl::MakeSpan(sessions));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "TIME_TAKEN");
  EXPECT_EQ(refusal->session, 1u);
  sessions = Asked({Mondays(1).front(), Mondays(1, 15).front()});
  BookingFacts facts = Facts();
  TheClinician(facts).set_max_sessions_per_day(1);
  EXPECT_EQ(CheckTimes(facts, absl::MakeSpan(sessions))->reason, "DAY_FULL");
}

TEST(BookingTest, WhoDoesNotLeadIsOnlyAskedForTheirTime) {
  BookingFacts facts = Facts();
  std::vector<AskedSession> sessions = Asked(Mondays(1));
  sessions[0].others.push_back("clinicians/observer");
  sessions[0].clinicians.clear();
  facts.clinicians["clinicians/observer"].clinician.set_buffer_minutes(5);
  facts.now = At("2026-03-02T14:30:00Z");
  EXPECT_FALSE(CheckTimes(facts, absl::MakeSpan(sessions)));
  facts.claims["clinicians/observer"] = {Taken("2026-03-02T14:54:00Z", "2026-03-02T15:30:00Z")};
  EXPECT_EQ(CheckTimes(facts, absl::MakeSpan(sessions))->resource, "clinicians/observer");
}

BookingFacts WithRooms() {
  BookingFacts facts = Facts();
  for (const char* room :
       {"name: 'organizations/o/clinics/north/rooms/hall' capacity: 12 features: 'step-free'",
        "name: 'organizations/o/clinics/north/rooms/b' capacity: 3",
        "name: 'organizations/o/clinics/north/rooms/a' capacity: 3",
        "name: 'organizations/o/clinics/north/rooms/shut' capacity: 2 out_of_use: true"}) {
    facts.rooms.push_back(Parse<v1::Room>(room));
  }
  return facts;
}

// The rooms that the sessions get, or the reason.
std::vector<std::string> RoomsFor(const BookingFacts& facts, const std::string& need, int count,
                                  v1::Modality modality = v1::MODALITY_IN_PERSON) {
  std::vector<AskedSession> sessions = Asked(Mondays(count));
  for (AskedSession& session : sessions) {
    session.room_need = Parse<v1::RoomNeed>(need);
    session.modality = modality;
  }
  if (const auto refusal = CheckTimes(facts, absl::MakeSpan(sessions))) return {refusal->reason};
  std::vector<std::string> rooms;
  for (const AskedSession& session : sessions) rooms.push_back(ClaimKey(session.room));
  return rooms;
}

TEST(BookingTest, TheSmallestRoomThatSuitsAndIsFreeIsTaken) {
  BookingFacts facts = WithRooms();
  EXPECT_THAT(RoomsFor(facts, "capacity: 2", 1), ElementsAre("rooms/north/a"));
  EXPECT_THAT(RoomsFor(facts, "capacity: 4", 1), ElementsAre("rooms/north/hall"));
  EXPECT_THAT(RoomsFor(facts, "features: 'step-free'", 1), ElementsAre("rooms/north/hall"));
  EXPECT_THAT(RoomsFor(facts, "capacity: 13", 1), ElementsAre("NO_ROOM"));
  facts.claims["rooms/north/a"] = {Taken("2026-03-09T14:00:00Z", "2026-03-09T15:00:00Z")};
  EXPECT_THAT(RoomsFor(facts, "capacity: 2", 2), ElementsAre("rooms/north/a", "rooms/north/b"));
  facts.claims["rooms/north/b"] = facts.claims["rooms/north/a"];
  facts.claims["rooms/north/hall"] = facts.claims["rooms/north/a"];
  EXPECT_THAT(RoomsFor(facts, "capacity: 2", 2), ElementsAre("NO_ROOM"));
}

TEST(BookingTest, ARoomOfOnesOwnChoiceIsFreeOrTaken) {
  BookingFacts facts = WithRooms();
  const std::string b = "room: 'organizations/o/clinics/north/rooms/b'";
  EXPECT_THAT(RoomsFor(facts, b, 1), ElementsAre("rooms/north/b"));
  EXPECT_THAT(RoomsFor(facts, "room: 'organizations/o/clinics/north/rooms/shut'", 1),
              ElementsAre("NO_ROOM"));
  facts.claims["rooms/north/b"] = {Taken("2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z")};
  EXPECT_THAT(RoomsFor(facts, b, 1), ElementsAre("TIME_TAKEN"));
  TheClinician(facts).add_modalities(v1::MODALITY_VIDEO);
  EXPECT_THAT(RoomsFor(facts, b, 1, v1::MODALITY_VIDEO), ElementsAre("persons/"));
}

TEST(BookingTest, HoldsAreConfirmedUnlessLicenceSupervisionOrLeaveStandsAgainstIt) {
  BookingFacts facts = Facts();
  const AskedSession session = Asked(Mondays(1)).front();
  facts.now = At("2026-03-02T13:59:00Z");
  facts.claims[kClinician] = {Taken("2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z")};
  EXPECT_FALSE(CheckStillPossible(facts, session));
  facts.clinicians[kClinician].time_off = {Around("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")};
  EXPECT_EQ(CheckStillPossible(facts, session)->reason, "CLINICIAN_AWAY");
}

CourseFacts Course(int planned, int weeks, int taken) {
  CourseFacts course;
  course.planned_sessions = planned;
  course.max_weeks = weeks;
  course.zone = Zone("Europe/London");
  for (int i = 0; i < taken; ++i) {
    course.taken.push_back({At("2026-02-23T14:00:00Z") - absl::Hours(24 * 7 * i), "x"});
  }
  return course;
}

TEST(BookingTest, ACourseHasItsSessionsAndItsSpan) {
  const auto refused = [](const CourseFacts& course, int count) -> std::string {
    const std::vector<SessionTime> times = Mondays(count);
    const auto refusal = CheckCourse(course, times);
    return refusal ? refusal->reason + absl::FormatCivilTime(times[refusal->session].date) : "";
  };
  EXPECT_EQ(refused(Course(16, 20, 0), 16), "");
  EXPECT_EQ(refused(Course(16, 20, 0), 17), "SESSION_CAP_REACHED2026-06-22");
  EXPECT_EQ(refused(Course(16, 20, 13), 4), "SESSION_CAP_REACHED2026-03-23");
  EXPECT_EQ(refused(Course(16, 20, 16), 1), "SESSION_CAP_REACHED2026-03-02");
  EXPECT_EQ(refused(Course(16, 20, 16), 0), "");
  EXPECT_EQ(refused(Course(16, 15, 0), 16), "");
  EXPECT_EQ(refused(Course(16, 14, 0), 16), "COURSE_SPAN_EXCEEDED2026-06-15");
  CourseFacts long_ago = Course(16, 20, 0);
  long_ago.taken = {{At("2025-10-06T13:00:00Z"), "x"}};
  EXPECT_EQ(refused(long_ago, 1), "COURSE_SPAN_EXCEEDED2026-03-02");
  CourseFacts maintenance = Course(16, 1, 0);
  maintenance.ends_on = absl::CivilDay(2026, 3, 9);
  EXPECT_EQ(refused(maintenance, 2), "");
  EXPECT_EQ(refused(maintenance, 3), "COURSE_SPAN_EXCEEDED2026-03-16");
}

TEST(BookingTest, TheSpanIsTheCoursesOwnAndElseTheProtocols) {
  v1::Course course;
  EXPECT_EQ(CourseFactsOf(course, Classic(), Zone("UTC"), {}).max_weeks, Classic().max_weeks());
  course.set_max_weeks(33);
  EXPECT_EQ(CourseFactsOf(course, Classic(), Zone("UTC"), {}).max_weeks, 33);
}

TEST(BookingTest, HoursThatTouchAddUp) {
  BookingFacts facts = Facts();
  v1::Clinician& clinician = TheClinician(facts);
  clinician.mutable_weekly_hours(0)->mutable_end_time()->set_hours(14);
  *clinician.add_weekly_hours() = clinician.weekly_hours(0);
  v1::WorkingHours& afternoon = *clinician.mutable_weekly_hours(1);
  afternoon.mutable_start_time()->set_hours(14);
  afternoon.mutable_end_time()->set_hours(18);
  const Interval across = Around("2026-03-02T13:30:00Z", "2026-03-02T14:20:00Z");
  EXPECT_TRUE(WithinHours(clinician, facts.clinic, facts.zone, across));
  afternoon.mutable_start_time()->set_minutes(1);
  EXPECT_FALSE(WithinHours(clinician, facts.clinic, facts.zone, across));
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
  const BookingFacts facts = Facts();
  EXPECT_TRUE(WithinHours(clinician, facts.clinic, facts.zone,
                          Around("2026-03-01T23:30:00Z", "2026-03-02T00:20:00Z")));
  EXPECT_FALSE(WithinHours(clinician, facts.clinic, facts.zone,
                           Around("2026-03-02T01:30:00Z", "2026-03-02T02:20:00Z")));
}

TEST(HoursTest, DatedHoursReplaceTheWeeklyOnesAndHoldOnHolidays) {
  BookingFacts facts = Facts();
  v1::Clinician& clinician = TheClinician(facts);
  const Interval fortnight = Around("2026-03-02T00:00:00Z", "2026-03-16T00:00:00Z");
  const auto open = [&] { return OpenHours(clinician, facts.clinic, facts.zone, fortnight); };
  const Interval first = Around("2026-03-02T09:00:00Z", "2026-03-02T17:00:00Z");
  const Interval second = Around("2026-03-09T09:00:00Z", "2026-03-09T17:00:00Z");
  EXPECT_THAT(open(), ElementsAre(first, second));
  *facts.clinic.add_holidays() = Parse<v1::Holiday>("date { year: 2026 month: 3 day: 9 }");
  EXPECT_THAT(open(), ElementsAre(first));
  *clinician.add_dated_hours() = Parse<v1::DatedHours>(R"pb(
    clinic: "organizations/o/clinics/north"
    date { year: 2026 month: 3 day: 9 }
    start_time { hours: 10 }
    end_time { hours: 11 })pb");
  *clinician.add_dated_hours() = clinician.dated_hours(0);
  clinician.mutable_dated_hours(1)->mutable_start_time()->set_hours(15);
  clinician.mutable_dated_hours(1)->mutable_end_time()->set_hours(24);
  EXPECT_THAT(open(), ElementsAre(first, Around("2026-03-09T10:00:00Z", "2026-03-09T11:00:00Z"),
                                  Around("2026-03-09T15:00:00Z", "2026-03-10T00:00:00Z")));
  *clinician.add_dated_hours() = Parse<v1::DatedHours>(R"pb(
    clinic: "organizations/o/clinics/north"
    date { year: 2026 month: 3 day: 2 })pb");
  EXPECT_EQ(open().size(), 2u);
  clinician.mutable_dated_hours(2)->set_clinic("organizations/o/clinics/south");
  EXPECT_EQ(open().front(), first);
}

TEST(HoursTest, AreCutToTheRangeAndNothingWithoutOne) {
  const BookingFacts facts = Facts();
  const v1::Clinician& clinician = facts.clinicians.at(kClinician).clinician;
  const Interval hour = Around("2026-03-02T16:30:00Z", "2026-03-02T17:30:00Z");
  EXPECT_THAT(OpenHours(clinician, facts.clinic, facts.zone, hour),
              ElementsAre(Around("2026-03-02T16:30:00Z", "2026-03-02T17:00:00Z")));
  EXPECT_THAT(OpenHours(clinician, facts.clinic, facts.zone, {hour.start, hour.start}), IsEmpty());
}

TEST(BookingTest, KeysAndNamesSayTheSame) {
  for (const std::string name :
       {"organizations/o/clinicians/anna", "organizations/o/patients/p",
        "organizations/o/persons/x", "organizations/o/clinics/north/rooms/r1"}) {
    EXPECT_EQ(NameOfClaimKey("o", ClaimKey(name)), name);
  }
  EXPECT_EQ(ClaimKey("organizations/o/clinics/north/rooms/r1"), "rooms/north/r1");
}

TEST(BookingTest, ARefusalSaysWhatTheCallerMayKnow) {
  const Refusal refusal = {"TIME_TAKEN", "overlaps.", 0, "clinicians/c", "a"};
  const absl::Status bare = Refused(refusal, absl::CivilDay(2026, 3, 2), {});
  EXPECT_EQ(errors::Reason(bare), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(bare, "date"), "2026-03-02");
  EXPECT_EQ(errors::MetadataValue(bare, "resource"), "");
  const absl::Status full = Refused(
      refusal, absl::CivilDay(2026, 3, 2),
      {"organizations/o/clinicians/c", "organizations/o/appointments/a", "2026-03-02T15:00:00Z"});
  EXPECT_EQ(full.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(full.message(), bare.message());
  EXPECT_EQ(errors::MetadataValue(full, "resource"), "organizations/o/clinicians/c");
  EXPECT_EQ(errors::MetadataValue(full, "alternative"), "2026-03-02T15:00:00Z");
}

TEST(BookingTest, ALicenceOfAWholeIsGoodForItsParts) {
  const BookingFacts facts = Facts();
  v1::Clinician clinician;
  clinician.add_licensed_jurisdictions("US-NY");
  clinician.add_licensed_jurisdictions("CA");
  for (const char* yes : {"GB-ENG", "US-NY", "CA", "CA-ON"}) {
    EXPECT_TRUE(MayTreatIn(clinician, facts.clinic, yes)) << yes;
  }
  for (const char* no : {"GB-SCT", "GB", "US", "US-NJ", "CAX"}) {
    EXPECT_FALSE(MayTreatIn(clinician, facts.clinic, no)) << no;
  }
}

}  // namespace
}  // namespace rapport::scheduling
