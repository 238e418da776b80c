#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/names/names.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "services/scheduling/rpc/group_handlers.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/opening_handlers.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kParent[] = "parent: 'organizations/acme' ";
constexpr char kAnna[] = "organizations/acme/clinicians/anna";
constexpr char kBen[] = "organizations/acme/clinicians/ben";
constexpr char kNorth[] = "organizations/acme/clinics/north";
constexpr char kSouth[] = "organizations/acme/clinics/south";

std::string Day(int month, int day, int year = 2026) {
  return absl::StrCat("{ year: ", year, " month: ", month, " day: ", day, " }");
}
// In winter, when London has UTC.
std::string Instant(int month, int day, int hour = 0) {
  return absl::StrCat("{ seconds: ",
                      absl::ToUnixSeconds(absl::FromCivil(absl::CivilSecond(2026, month, day, hour),
                                                          absl::UTCTimeZone())),
                      " }");
}
std::string On(int month, int day) {
  return absl::StrCat(" earliest ", Instant(month, day), " latest ", Instant(month, day + 1), " ");
}
// Whole hours with anna at north.
std::string HoursOfAnna(const std::string& more = "") {
  return absl::StrCat("minutes: 60 step_minutes: 60 per_clinician: 100 filter { clinicians: '",
                      kAnna, "' clinics: '", kNorth, "' ", more, " } ");
}
// Of anybody.
std::string Hours(const std::string& filter) {
  return absl::StrCat("minutes: 60 step_minutes: 60 per_clinician: 100 filter { ", filter, " } ");
}

template <class Dated>
std::string Told(const Dated& at) {
  return absl::StrFormat("%02d-%02d %02d:%02d", at.local_date().month(), at.local_date().day(),
                         at.local_time().hours(), at.local_time().minutes());
}
std::string Told(const v1::Opening& opening) {
  return absl::StrCat(names::Last(opening.clinician()), "@", names::Last(opening.clinic()), " ",
                      Told<v1::Opening>(opening));
}

class OpeningsTest : public SchedulingTest {
 protected:
  void SetUp() override {
    SchedulingTest::SetUp();
    clock_.Set(now_);
    CatchUp();
  }

  void CatchUp() {
    events::Sequencer sequencer(*database_);
    for (int moved = 1; moved > 0;) {
      const auto once = sequencer.RunOnce(absl::Now());
      ASSERT_TRUE(once.ok()) << once.status();
      moved = *once;
    }
    clock_.Set(now_);
    const absl::Status status = index_.CatchUp();
    ASSERT_TRUE(status.ok()) << status;
  }

  absl::StatusOr<v1::SearchOpeningsResponse> Search(const std::string& text, const Who& who,
                                                    OpeningHandlers& openings) {
    const auto request = Parse<v1::SearchOpeningsRequest>(kParent + text);
    return openings.SearchOpenings(Context(who, request), request);
  }
  absl::StatusOr<v1::SearchOpeningsResponse> Search(const std::string& text, const Who& who) {
    return Search(text, who, openings_);
  }
  absl::StatusOr<v1::SearchOpeningsResponse> Search(const std::string& text) {
    return Search(text, scheduler_);
  }
  std::vector<std::string> Found(const std::string& text) {
    const auto found = Search(text);
    EXPECT_TRUE(found.ok()) << found.status() << text;
    std::vector<std::string> told;
    if (!found.ok()) return told;
    for (const v1::Opening& opening : found->openings()) told.push_back(Told(opening));
    return told;
  }
  // Whose free time is found.
  std::set<std::string> Whose(const std::string& text) {
    std::set<std::string> whose;
    for (const std::string& one : Found(text)) whose.insert(one.substr(0, one.find('@')));
    return whose;
  }

  absl::StatusOr<v1::PlanSeriesResponse> Plan(const std::string& text, const Who& who,
                                              OpeningHandlers& openings) {
    const auto request = Parse<v1::PlanSeriesRequest>(kParent + text);
    return openings.PlanSeries(Context(who, request), request);
  }
  absl::StatusOr<v1::PlanSeriesResponse> Plan(const std::string& text, const Who& who) {
    return Plan(text, who, openings_);
  }
  v1::SeriesPlan Best(const std::string& text) {
    const auto plans = Plan(text, scheduler_);
    EXPECT_TRUE(plans.ok()) << plans.status();
    if (!plans.ok() || plans->plans().empty()) {
      ADD_FAILURE() << "no plan for " << text;
      return {};
    }
    return plans->plans(0);
  }
  // Books it as proposed; the sessions are those of the plan.
  void BookAsPlanned(const v1::Course& course, const v1::SeriesPlan& plan) {
    v1::BookSeriesRequest book;
    book.set_course(course.name());
    *book.mutable_first_date() = plan.first_date();
    *book.mutable_local_time() = plan.local_time();
    book.set_count(plan.count());
    book.set_modality(plan.modality());
    *book.mutable_exceptions() = plan.exceptions();
    const auto booked = Do(&AppointmentHandlers::BookSeries, scheduler_, book);
    ASSERT_TRUE(booked.ok()) << booked.status() << plan.DebugString();
    ASSERT_EQ(booked->appointments_size(), plan.sessions_size());
    for (int i = 0; i < plan.sessions_size(); ++i) {
      const v1::Appointment& got = booked->appointments(i);
      const v1::PlannedSession& meant = plan.sessions(i);
      EXPECT_EQ(got.start_time().seconds(), meant.start_time().seconds()) << i;
      EXPECT_EQ(got.end_time().seconds(), meant.end_time().seconds()) << i;
      EXPECT_EQ(got.modality(), meant.modality()) << i;
      EXPECT_EQ(Told(got), Told(meant)) << i;
    }
  }

  static v1::UpdateClinicianRequest Changed(const std::string& name, const std::string& more) {
    return Parse<v1::UpdateClinicianRequest>(
        absl::StrCat("clinician { name: '", name, "' ", more, " }"));
  }
  void Change(const std::string& name, const std::string& more, const std::string& mask = "") {
    auto request = Changed(name, more);
    if (!mask.empty()) request.mutable_update_mask()->add_paths(mask);
    const auto changed = Do(&DirectoryHandlers::UpdateClinician, admin_, request);
    ASSERT_TRUE(changed.ok()) << changed.status();
  }
  absl::StatusOr<v1::Room> MakeRoom(const std::string& id, const std::string& clinic = kNorth) {
    return Do(&DirectoryHandlers::CreateRoom, admin_,
              Parse<v1::CreateRoomRequest>(
                  absl::StrCat("parent: '", clinic, "' room_id: '", id,
                               "' room { display_name: 'B' capacity: 3 features: 'quiet' }")));
  }
  absl::StatusOr<v1::TimeOff> Away(const std::string& who, absl::Time from, absl::Time until) {
    v1::CreateTimeOffRequest request;
    request.set_parent(who);
    *request.mutable_time_off()->mutable_start_time() = time::ToTimestamp(from);
    *request.mutable_time_off()->mutable_end_time() = time::ToTimestamp(until);
    return Do(&DirectoryHandlers::CreateTimeOff, admin_, request);
  }
  absl::StatusOr<v1::Appointment> Cancel(const std::string& name) {
    v1::CancelAppointmentRequest cancel;
    cancel.set_name(name);
    cancel.set_reason(v1::CANCEL_REASON_PATIENT);
    return Do(&AppointmentHandlers::CancelAppointment, scheduler_, cancel);
  }
  // Anna is away all day.
  void TakeDay(int month, int day) {
    const auto away =
        Away(kAnna, absl::FromCivil(absl::CivilSecond(2026, month, day), absl::UTCTimeZone()),
             absl::FromCivil(absl::CivilSecond(2026, month, day + 1), absl::UTCTimeZone()));
    ASSERT_TRUE(away.ok()) << away.status();
  }

  time::ManualClock clock_{absl::UnixEpoch()};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  // Follows when it is told to, however long that takes.
  LiveIndex index_{*database_, clock_, *metrics_, absl::InfiniteDuration()};
  OpeningHandlers openings_{*database_, revisions_, index_, *metrics_};
  GroupHandlers groups_{*database_, revisions_, booker_};
};

TEST_P(OpeningsTest, WhatIsFreeFollowsTheHours) {
  EXPECT_THAT(
      Found(On(2, 2) + HoursOfAnna()),
      ElementsAre("anna@north 02-02 09:00", "anna@north 02-02 10:00", "anna@north 02-02 11:00",
                  "anna@north 02-02 12:00", "anna@north 02-02 13:00", "anna@north 02-02 14:00",
                  "anna@north 02-02 15:00", "anna@north 02-02 16:00"));
  EXPECT_THAT(Found(On(2, 1) + HoursOfAnna()), IsEmpty());  // Sunday
  const auto found = Search(On(2, 2) + HoursOfAnna());
  const v1::Opening& first = found->openings(0);
  EXPECT_EQ(first.time_zone(), "Europe/London");
  EXPECT_EQ(first.modality(), v1::MODALITY_IN_PERSON);
  EXPECT_EQ(first.end_time().seconds() - first.start_time().seconds(), 3600);
  EXPECT_THAT(first.reasons(), Contains(v1::OPENING_REASON_NEAREST_CLINIC));
  EXPECT_THAT(first.reasons(), Contains(v1::OPENING_REASON_SOONEST));
  EXPECT_THAT(Search(On(2, 2) + "per_clinician: 2")->openings(), SizeIs(4));
  EXPECT_THAT(Search(On(2, 2))->openings(), SizeIs(6));
}

TEST_P(OpeningsTest, TellsHowFarAheadTheSoonestIs) {
  ASSERT_TRUE(Search(On(2, 2) + HoursOfAnna()).ok());
  ASSERT_TRUE(Search(On(2, 1) + HoursOfAnna()).ok());
  const std::string text = metrics_->Text();
  EXPECT_THAT(text, HasSubstr("rapport_openings_searches_total{outcome=\"found\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rapport_openings_searches_total{outcome=\"none\"} 1\n"));
  // From Friday noon to Monday at nine.
  EXPECT_THAT(text, HasSubstr("rapport_openings_lead_time_seconds_bucket{le=\"172800\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("rapport_openings_lead_time_seconds_bucket{le=\"259200\"} 1\n"));
}

TEST_P(OpeningsTest, NothingSoonerThanTheMinimumNotice) {
  EXPECT_EQ(Found(HoursOfAnna()).front(), "anna@north 01-30 14:00");
  EXPECT_EQ(Found(absl::StrCat("earliest ", Instant(1, 30, 1), HoursOfAnna())).front(),
            "anna@north 01-30 14:00");
  for (const std::string& window :
       {absl::StrCat("latest ", Instant(1, 30, 14)), absl::StrCat("latest ", Instant(1, 30, 13)),
        absl::StrCat("earliest ", Instant(3, 1), " latest ", Instant(2, 27)),
        absl::StrCat("latest ", Instant(4, 30, 15)), std::string("step_minutes: 7"),
        std::string("filter { times { start_time { hours: 9 } end_time { hours: 9 } } }"),
        std::string("filter { days: DAY_OF_WEEK_UNSPECIFIED }"),
        std::string("filter { room_need { room: 'organizations/acme/clinics/north/rooms/b' } }"),
        std::string("page_token: 'x'")}) {
    EXPECT_EQ(Search(window).status().code(), absl::StatusCode::kInvalidArgument) << window;
  }
  EXPECT_TRUE(Search(absl::StrCat("latest ", Instant(4, 30, 14))).ok());
}

TEST_P(OpeningsTest, FiltersByWhoTheyAreAndWhereTheyMay) {
  Change(kBen,
         "certified_protocols: 'classic' certified_protocols: 'brief' languages: 'de' "
         "modalities: MODALITY_IN_PERSON modalities: MODALITY_VIDEO "
         "licensed_jurisdictions: 'GB-SCT'");
  CatchUp();
  const std::string on = On(2, 2);
  EXPECT_THAT(Whose(on + Hours("")), ElementsAre("anna", "ben"));
  EXPECT_THAT(Whose(on + Hours("protocol_id: 'brief'")), ElementsAre("ben"));
  EXPECT_THAT(Whose(on + Hours("protocol_id: 'none'")), IsEmpty());
  EXPECT_THAT(Whose(on + Hours("languages: 'fr' languages: 'de'")), ElementsAre("ben"));
  EXPECT_THAT(Whose(on + Hours("modality: MODALITY_VIDEO")), ElementsAre("ben"));
  EXPECT_THAT(Whose(on + Hours("modality: MODALITY_VIDEO patient_jurisdiction: 'GB-SCT'")),
              ElementsAre("ben"));
  EXPECT_THAT(Whose(on + Hours("modality: MODALITY_VIDEO patient_jurisdiction: 'GB-ENG'")),
              ElementsAre("ben"));
  EXPECT_THAT(Whose(on + Hours("modality: MODALITY_VIDEO patient_jurisdiction: 'US-NY'")),
              IsEmpty());
  EXPECT_THAT(Whose(on + Hours(absl::StrCat("clinicians: '", kBen, "'"))), ElementsAre("ben"));
  EXPECT_THAT(Whose(on + Hours(absl::StrCat("excluded_clinicians: '", kBen, "'"))),
              ElementsAre("anna"));
  EXPECT_THAT(Found(on + Hours(absl::StrCat("clinics: '", kSouth, "'"))),
              Each(::testing::HasSubstr("@south")));
  const auto by_distance =
      Found(on + Hours(absl::StrCat("clinics: '", kSouth, "' clinics: '", kNorth, "'")));
  ASSERT_THAT(by_distance, SizeIs(16));
  EXPECT_THAT(by_distance.front(), ::testing::HasSubstr("@south"));
  const auto preferred = Search(on + Hours(absl::StrCat("preferred_clinician: '", kBen, "'")));
  EXPECT_EQ(preferred->openings(0).clinician(), kBen);
  EXPECT_EQ(preferred->openings(0).reasons(0), v1::OPENING_REASON_CONTINUITY);
}

TEST_P(OpeningsTest, TimesAndDaysAreRequiredOrPreferred) {
  const std::string week = absl::StrCat("earliest ", Instant(2, 2), " latest ", Instant(2, 7), " ");
  const std::string wish =
      "days: TUESDAY times { start_time { hours: 13 } end_time { hours: 15 } }";
  EXPECT_THAT(Found(week + HoursOfAnna(wish)),
              ElementsAre("anna@north 02-03 13:00", "anna@north 02-03 14:00"));
  const auto rather = Search(week + HoursOfAnna(wish + " preferences_only: true"));
  ASSERT_THAT(rather->openings(), SizeIs(40));
  EXPECT_EQ(Told(rather->openings(0)), "anna@north 02-03 13:00");
  EXPECT_THAT(rather->openings(0).reasons(),
              IsSupersetOf({v1::OPENING_REASON_PREFERRED_TIME, v1::OPENING_REASON_PREFERRED_DAY}));
}

TEST_P(OpeningsTest, ARoomThatSuitsMustBeFree) {
  const std::string need = "room_need { capacity: 3 features: 'quiet' }";
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna(need)), IsEmpty());
  ASSERT_TRUE(MakeRoom("blue").ok());
  CatchUp();
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna(need)), SizeIs(8));
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna("room_need { capacity: 4 }")), IsEmpty());
  auto book = At(Begun("p", "ben"), 2, 2, 10);
  book.mutable_room_need()->set_capacity(1);
  ASSERT_TRUE(Do(&AppointmentHandlers::BookAppointment, scheduler_, book).ok());
  CatchUp();
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna(need)), Not(Contains("anna@north 02-02 10:00")));
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna()), Contains("anna@north 02-02 10:00"));
}

TEST_P(OpeningsTest, PatientsMustBeFreeThemselvesAndMayBeAskedForByWhoKnowsThem) {
  Booked(Begun("p", "ben"), 2, 2, 10);
  const std::string of_p = "patients: 'organizations/acme/patients/p'";
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna(of_p)), Not(Contains("anna@north 02-02 10:00")));
  EXPECT_THAT(Found(On(2, 2) + HoursOfAnna("patients: 'organizations/acme/patients/new'")),
              SizeIs(8));
  const auto again = Search(On(2, 3) + Hours(of_p));
  EXPECT_EQ(again->openings(0).clinician(), kBen);
  EXPECT_EQ(again->openings(0).reasons(0), v1::OPENING_REASON_CONTINUITY);
  EXPECT_TRUE(Search(On(2, 3) + Hours(of_p), ben_).ok());
  EXPECT_EQ(Search(On(2, 3) + Hours(of_p), anna_).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(OpeningsTest, APartnersTimeCountsForTheirCourse) {
  auto couple = NewCourse("x");
  couple.mutable_course()->set_protocol("protocols/conjoint/revisions/1");
  couple.mutable_course()->set_partner("organizations/acme/patients/y");
  *couple.mutable_course()->mutable_partner_particulars() = couple.course().patient_particulars();
  const auto course = Do(&CourseHandlers::CreateCourse, anna_, couple);
  ASSERT_TRUE(course.ok()) << course.status();
  Booked(Begun("y", "ben"), 2, 2, 10);
  const std::string query =
      absl::StrCat(On(2, 2), "course: '", course->name(), "' minutes: 60 step_minutes: 60");
  const auto found = Found(query);
  EXPECT_THAT(found, SizeIs(7));
  EXPECT_THAT(found, Each(StartsWith("anna@north")));
  EXPECT_THAT(found, Not(Contains("anna@north 02-02 10:00")));
}

TEST_P(OpeningsTest, FullCaseloadsAreOnlyForTheirOwnCourses) {
  const v1::Course course = Begun("p");
  Change(kAnna, "caseload_cap: 1");
  Change(kBen, "closed_to_new_courses: true");
  CatchUp();
  EXPECT_THAT(Whose(On(2, 2) + Hours("")), IsEmpty());
  EXPECT_THAT(Whose(On(2, 2) + Hours("include_full_caseloads: true")), ElementsAre("anna", "ben"));
  EXPECT_THAT(Whose(absl::StrCat(On(2, 2), "course: '", course.name(), "'")), ElementsAre("anna"));
  v1::DiscontinueCourseRequest end;
  end.set_name(course.name());
  end.set_reason(v1::DISCONTINUE_REASON_PATIENT_CHOICE);
  const auto ended = Do(&CourseHandlers::DiscontinueCourse, anna_, end);
  ASSERT_TRUE(ended.ok()) << ended.status();
  CatchUp();
  EXPECT_THAT(Whose(On(2, 2) + Hours("")), ElementsAre("anna"));
}

TEST_P(OpeningsTest, PagesPutTogetherAreTheWholeList) {
  const std::string course = absl::StrCat("course: '", Begun("p").name(), "' ");
  CatchUp();
  for (const std::string& query : {On(2, 2) + Hours(""), HoursOfAnna("days: MONDAY"),
                                   std::string("per_clinician: 9 "), course}) {
    const std::vector<std::string> whole = Found(query + "page_size: 500");
    ASSERT_GT(whole.size(), 14u) << query;
    std::vector<std::string> pages;
    std::string token;
    do {
      const auto page = Search(absl::StrCat(query, "page_size: 7 page_token: '", token, "'"));
      ASSERT_TRUE(page.ok()) << page.status();
      EXPECT_LE(page->openings_size(), 7);
      for (const v1::Opening& opening : page->openings()) pages.push_back(Told(opening));
      token = page->next_page_token();
    } while (!token.empty());
    EXPECT_EQ(pages, whole);
  }
  const auto page = Search(On(2, 2) + "page_size: 1");
  EXPECT_EQ(
      Search(absl::StrCat(On(2, 3), "page_token: '", page->next_page_token(), "'")).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_P(OpeningsTest, ABookingIsNotShownAndACancellationBringsItBack) {
  Change(kAnna, "buffer_minutes: 15");
  CatchUp();
  const std::string query = On(2, 2) + HoursOfAnna() + "page_size: 500";
  const auto before = Found(query);
  EXPECT_THAT(before, SizeIs(7));  // the last would end with the hours, without the buffer
  const v1::Appointment booked = Booked(Begun("p"), 2, 2, 10);
  const auto looked_up = Found(query);  // the index knows nothing of it
  EXPECT_THAT(looked_up, Not(Contains("anna@north 02-02 10:00")));
  EXPECT_THAT(looked_up, Not(Contains("anna@north 02-02 09:00")));  // its buffer
  CatchUp();
  EXPECT_EQ(Found(query), looked_up);
  ASSERT_TRUE(Cancel(booked.name()).ok());
  EXPECT_EQ(Found(query), looked_up);
  CatchUp();
  EXPECT_EQ(Found(query), before);
}

// As where the index of the replica that is asked is behind the one that made the change.
TEST_P(OpeningsTest, WhoSendsBackWhereItsChangeIsSeesItWhateverTheIndexKnows) {
  const std::string query = On(2, 2) + HoursOfAnna() + "page_size: 500";
  const v1::Appointment booked = Booked(Begun("p"), 2, 2, 10);
  CatchUp();
  const auto without = Found(query);
  v1::CancelAppointmentRequest cancel;
  cancel.set_name(booked.name());
  cancel.set_reason(v1::CANCEL_REASON_PATIENT);
  const call::CallContext change = Context(scheduler_, cancel);
  ASSERT_TRUE(appointments_.CancelAppointment(change, cancel).ok());
  ASSERT_FALSE(change.written.empty());
  EXPECT_EQ(Found(query), without);  // a search of anyone else may trail

  const auto request = Parse<v1::SearchOpeningsRequest>(kParent + query);
  call::CallContext search = Context(scheduler_, request);
  const auto found = [&] {
    std::vector<std::string> told;
    const auto response = openings_.SearchOpenings(search, request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return told;
    for (const v1::Opening& opening : response->openings()) told.push_back(Told(opening));
    return told;
  };
  search.positions = call::ReadPositions(change.written);
  ASSERT_THAT(search.positions, SizeIs(1));
  const auto seen = found();  // read from the database: the change has no number yet
  EXPECT_THAT(seen, Contains("anna@north 02-02 10:00"));
  CatchUp();
  EXPECT_EQ(found(), seen);  // now from the index
  // What is of another organisation, or no position at all, is passed over.
  search.positions = call::ReadPositions("7:organizations/other/appointments/x,nonsense,:,x:y");
  EXPECT_EQ(found(), seen);
}

TEST_P(OpeningsTest, AnIndexThatIsTooFarBehindIsNotTrusted) {
  LiveIndex strict(*database_, clock_, *metrics_, absl::ZeroDuration());
  OpeningHandlers openings(*database_, revisions_, strict, *metrics_);
  const v1::Appointment booked = Booked(Begun("p"), 2, 2, 10);
  ASSERT_TRUE(strict.CatchUp().ok());
  const std::string query = On(2, 2) + HoursOfAnna() + "page_size: 500";
  ASSERT_TRUE(Cancel(booked.name()).ok());
  const auto response = Search(query, scheduler_, openings);
  ASSERT_TRUE(response.ok()) << response.status();
  std::vector<std::string> told;
  for (const v1::Opening& opening : response->openings()) told.push_back(Told(opening));
  EXPECT_THAT(told, Contains("anna@north 02-02 10:00"));
}

TEST_P(OpeningsTest, NothingIsAnsweredBeforeTheIndexIsLoaded) {
  LiveIndex other(*database_, clock_, *metrics_);
  OpeningHandlers openings(*database_, revisions_, other, *metrics_);
  const absl::Status search = Search("", scheduler_, openings).status();
  EXPECT_EQ(search.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(errors::Reason(search), "INDEX_NOT_READY");
  EXPECT_EQ(errors::Reason(Plan("count: 3", scheduler_, openings).status()), "INDEX_NOT_READY");
  EXPECT_FALSE(other.NearestFree(kAnna, kNorth, now_, 50).has_value());
  ASSERT_TRUE(other.CatchUp().ok());
  EXPECT_TRUE(Search("", scheduler_, openings).ok());
  // An organisation that comes later.
  MakeOrganization("other");
  CatchUp();
  const Who desk{"desk", {"scheduler"}, {}, "other"};
  const auto request = Parse<v1::SearchOpeningsRequest>("parent: 'organizations/other'");
  const auto found = openings_.SearchOpenings(Context(desk, request), request);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->openings(), SizeIs(6));
}

TEST_P(OpeningsTest, AnErrorNamesTheNearestFreeTime) {
  nearest_ = [this](absl::string_view clinician, absl::string_view clinic, absl::Time around,
                    int minutes) { return index_.NearestFree(clinician, clinic, around, minutes); };
  Booked(Begun("p"), 2, 2, 10);
  CatchUp();
  const auto taken =
      Do(&AppointmentHandlers::BookAppointment, scheduler_, At(Begun("q"), 2, 2, 10));
  EXPECT_EQ(errors::Reason(taken.status()), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(taken.status(), "alternative"), "2026-02-02T09:00:00+00:00");
}

TEST_P(OpeningsTest, APlanIsBookedJustAsItIsProposed) {
  const v1::Course course = Active("p");
  Change(kAnna, "modalities: MODALITY_IN_PERSON modalities: MODALITY_VIDEO");
  CatchUp();
  const v1::SeriesPlan whole = Best(absl::StrCat("course: '", course.name(), "'"));
  EXPECT_EQ(whole.count(), 16);
  EXPECT_EQ(whole.clinician(), kAnna);
  EXPECT_EQ(whole.clinic(), kNorth);
  EXPECT_THAT(whole.exceptions(), IsEmpty());
  EXPECT_EQ(whole.reasons(0), v1::OPENING_REASON_UNBROKEN);
  BookAsPlanned(course, whole);
  CatchUp();
  const auto none = Plan(absl::StrCat("course: '", course.name(), "'"), scheduler_);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(none->plans(), IsEmpty());
  EXPECT_EQ(
      Plan(absl::StrCat("count: 1 course: '", course.name(), "'"), scheduler_).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_P(OpeningsTest, MovedRemoteAndSkippedSessionsAreBookedAsPlanned) {
  // Mondays at nine alone. On 9 March anna is away at nine, on 23 March the room is taken all week,
  // on 6 April she is away all week.
  const v1::Course course = Active("p");
  ASSERT_TRUE(MakeRoom("blue").ok());
  Change(kAnna, "modalities: MODALITY_IN_PERSON modalities: MODALITY_VIDEO");
  const auto utc = [](int month, int day, int hour) {
    return absl::FromCivil(absl::CivilSecond(2026, month, day, hour), absl::UTCTimeZone());
  };
  ASSERT_TRUE(Away(kAnna, utc(3, 9, 9), utc(3, 9, 10)).ok());
  ASSERT_TRUE(Away(kAnna, utc(4, 1, 17), utc(4, 11, 0)).ok());
  const v1::Course other = Active("q", "ben");
  for (const int day : {19, 20, 23, 24, 25, 26}) {
    for (int hour = 9; hour < 17; ++hour) {
      auto hold = Parse<v1::HoldAppointmentRequest>(absl::StrCat(
          kParent, "course: '", other.name(),
          "' hold_for { seconds: 604800 } session { local_date ", Day(3, day),
          " local_time { hours: ", hour, " } minutes: 60 room_need { capacity: 1 } }"));
      auto one = hold;
      one.clear_course();
      one.set_patient(absl::StrCat("organizations/acme/patients/h", day, "-", hour));
      one.set_clinician(kBen);
      one.set_clinic(kNorth);
      const auto held = Do(&AppointmentHandlers::HoldAppointment, scheduler_, one);
      ASSERT_TRUE(held.ok()) << held.status();
    }
  }
  CatchUp();
  const v1::SeriesPlan plan = Best(absl::StrCat(
      "course: '", course.name(), "' count: 12 earliest ", Instant(2, 16), " latest ",
      Instant(2, 17),
      " step_minutes: 60 max_exceptions: 3 filter { room_need { capacity: 1 } days: MONDAY times { "
      "start_time { hours: 9 } end_time { hours: 10 } } }"));
  std::set<std::string> kinds;
  for (const v1::SeriesException& exception : plan.exceptions()) {
    kinds.insert(exception.skip()                             ? "skipped"
                 : exception.modality() == v1::MODALITY_VIDEO ? "remote"
                                                              : "moved");
  }
  EXPECT_THAT(kinds, ElementsAre("moved", "remote", "skipped")) << plan.DebugString();
  EXPECT_EQ(plan.count(), 12);
  EXPECT_EQ(plan.sessions_size(), 12);
  BookAsPlanned(course, plan);
}

TEST_P(OpeningsTest, AnniversariesAreNotBroken) {
  const v1::Course course = Active("p");
  TakeDay(3, 9);
  CatchUp();
  const std::string query = absl::StrCat("course: '", course.name(), "' count: 8 earliest ",
                                         Instant(2, 2), " latest ", Instant(2, 3), " ");
  const v1::SeriesPlan plan = Best(query);
  EXPECT_THAT(plan.exceptions(), SizeIs(1));
  const auto kept = Plan(query + "anniversaries { year: 1999 month: 3 day: 10 }", scheduler_);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_THAT(kept->plans(), IsEmpty());
  EXPECT_EQ(Plan(query + "anniversaries { month: 13 day: 10 }", scheduler_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Plan(query + "anniversaries { month: 2 day: 29 }", scheduler_).ok());
}

TEST_P(OpeningsTest, PlansAreForThoseWhoMayKnowOfTheCourse) {
  const v1::Course course = Active("p");
  CatchUp();
  const std::string query = absl::StrCat("course: '", course.name(), "' ");
  EXPECT_TRUE(Plan(query, anna_).ok());
  for (const Who& who : {ben_, Who{"desk", {"scheduler"}, {{"south"}}, "acme"}}) {
    EXPECT_EQ(Plan(query, who).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(Search(query, who).status().code(), absl::StatusCode::kNotFound);
  }
  EXPECT_EQ(Plan("course: 'organizations/acme/courses/none'", anna_).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Plan("", anna_).status().code(), absl::StatusCode::kInvalidArgument);
  const auto of_protocol = Plan("protocol: 'protocols/classic/revisions/1' limit: 2", anna_);
  ASSERT_TRUE(of_protocol.ok()) << of_protocol.status();
  ASSERT_THAT(of_protocol->plans(), SizeIs(2));
  EXPECT_EQ(of_protocol->plans(0).count(), 16);
}

TEST_P(OpeningsTest, MaintenanceKeepsTheContractsCadenceAndEndsWithIt) {
  const v1::Course course = Active("p");
  const auto series =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, 12, 2, 3, 9));
  ASSERT_TRUE(series.ok()) << series.status();
  for (const v1::Appointment& session : series->appointments()) {
    now_ = time::ToTime(session.start_time());
    v1::CheckInRequest check_in;
    check_in.set_name(session.name());
    ASSERT_TRUE(Do(&AppointmentHandlers::CheckIn, anna_, check_in).ok());
    v1::CompleteAppointmentRequest complete;
    complete.set_name(session.name());
    ASSERT_TRUE(Do(&AppointmentHandlers::CompleteAppointment, anna_, complete).ok());
  }
  auto begin = Parse<v1::BeginMaintenanceRequest>(
      "contract { cadence_days: 28 ends_on { year: 2026 month: 9 day: 1 } "
      "focus: MAINTENANCE_FOCUS_KEPT }");
  begin.set_name(course.name());
  begin.set_future_appointments(v1::FUTURE_APPOINTMENTS_CANCEL);
  const auto kept = Do(&CourseHandlers::BeginMaintenance, anna_, begin);
  ASSERT_TRUE(kept.ok()) << kept.status();  // on 21 April: 133 days, 4 visits
  CatchUp();
  const std::string query = absl::StrCat("course: '", course.name(), "' ");
  const v1::SeriesPlan plan = Best(query);
  ASSERT_EQ(plan.sessions_size(), 4);
  const auto day = [&](int i) { return time::ToCivilDay(plan.sessions(i).local_date()); };
  for (int i = 1; i < 4; ++i) EXPECT_EQ(day(i) - day(i - 1), 28);
  EXPECT_EQ(Search(query)->openings(0).end_time().seconds() -
                Search(query)->openings(0).start_time().seconds(),
            50 * 60);
  // One that begins so late that it would end after the contract is none.
  const auto late = [&](int month, int date) {
    return Plan(absl::StrCat(query, "count: 4 earliest ", Instant(month, date), " latest ",
                             Instant(month, date + 3)),
                scheduler_);
  };
  EXPECT_THAT(late(6, 9)->plans(), Not(IsEmpty()));
  EXPECT_THAT(late(6, 10)->plans(), IsEmpty());
  BookAsPlanned(*kept, plan);
}

TEST_P(OpeningsTest, TheKeptIndexIsTheOneThatIsLoaded) {
  std::mt19937 random(20260130);
  const auto pick = [&](int below) { return static_cast<int>(random() % below); };
  const auto flip = [&] { return pick(2) == 0; };
  Change(kAnna, "modalities: MODALITY_IN_PERSON modalities: MODALITY_VIDEO");
  for (const char* name : {"carl", "dora"}) {
    ASSERT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", name)).ok());
  }
  const std::vector<std::string> names = {"anna", "ben", "carl", "dora"};
  const auto of = [&](const std::string& name) { return "organizations/acme/clinicians/" + name; };
  std::vector<v1::Course> courses;
  for (int i = 0; i < 8; ++i) courses.push_back(Begun(absl::StrCat("p", i), names[i % 3]));
  const auto group = Parse<v1::CreateGroupRequest>(
      absl::StrCat(kParent, "group { display_name: 'G' clinician: '", kAnna, "' co_clinicians: '",
                   kBen, "' clinic: '", kNorth, "' protocol: 'protocols/group/revisions/1' }"));
  const auto made = groups_.CreateGroup(Context(anna_, group), group);
  ASSERT_TRUE(made.ok()) << made.status();
  const auto meet = Parse<v1::BookGroupSessionsRequest>(absl::StrCat(
      "name: '", made->name(), "' first_date ", Day(2, 9), " local_time { hours: 14 } count: 6"));
  const auto met = groups_.BookGroupSessions(Context(anna_, meet), meet);
  ASSERT_TRUE(met.ok()) << met.status();

  std::vector<std::string> booked, away;
  int done = 0, refused = 0;
  const auto count = [&](bool ok) { ok ? ++done : ++refused; };
  const auto at = [&](const char* what) {
    return absl::StrCat(what, "_date ", Day(2, 2 + pick(26)), " ", what,
                        "_time { hours: ", 9 + pick(8), " } ");
  };
  for (int step = 0; step < 260; ++step) {
    const std::string who = names[pick(4)];
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        auto book = Parse<v1::BookAppointmentRequest>(
            absl::StrCat("course: '", courses[pick(8)].name(), "' ", at("local"),
                         flip() ? "room_need { capacity: 1 } " : "",
                         pick(3) == 0 ? absl::StrCat("participants { role: "
                                                     "PARTICIPANT_ROLE_CO_THERAPIST person: '",
                                                     of(who), "' }")
                                      : ""));
        const auto one = Do(&AppointmentHandlers::BookAppointment, scheduler_, book);
        count(one.ok());
        if (one.ok()) booked.push_back(one->name());
        break;
      }
      case 4:
      case 5: {
        if (booked.empty()) break;
        auto move = Parse<v1::RescheduleAppointmentRequest>(
            absl::StrCat("name: '", booked[pick(booked.size())], "' ", at("local"),
                         flip() ? absl::StrCat("clinician: '", of(who), "' ") : "",
                         flip() ? "room_need { capacity: 2 }" : ""));
        count(Do(&AppointmentHandlers::RescheduleAppointment, scheduler_, move).ok());
        break;
      }
      case 6:
        if (!booked.empty()) count(Cancel(booked[pick(booked.size())]).ok());
        break;
      case 7: {
        const absl::Time from = now_ + absl::Hours(24 * pick(30) + pick(24));
        const auto off = Away(of(who), from, from + absl::Hours(1 + pick(30)));
        count(off.ok());
        if (off.ok()) away.push_back(off->name());
        break;
      }
      case 8: {
        if (away.empty()) break;
        v1::DeleteTimeOffRequest back;
        back.set_name(away[pick(away.size())]);
        count(Do(&DirectoryHandlers::DeleteTimeOff, admin_, back).ok());
        break;
      }
      case 9: {
        v1::UpdateClinicianRequest change = Changed(
            of(who),
            flip() ? absl::StrCat("buffer_minutes: ", 5 * pick(4), " caseload_cap: ", pick(5),
                                  " max_sessions_per_day: ", pick(6))
                   : absl::StrCat("dated_hours { clinic: '", flip() ? kNorth : kSouth, "' date ",
                                  Day(2, 2 + pick(26)),
                                  " start_time { hours: 8 } end_time { hours: ", 10 + pick(10),
                                  " } }"));
        count(Do(&DirectoryHandlers::UpdateClinician, admin_, change).ok());
        break;
      }
      case 10: {
        const std::string id(1, static_cast<char>('a' + pick(3)));
        v1::DeleteRoomRequest remove;
        remove.set_name(absl::StrCat(kNorth, "/rooms/", id));
        if (flip()) {
          count(MakeRoom(id).ok());
        } else if (flip()) {
          count(Do(&DirectoryHandlers::DeleteRoom, admin_, remove).ok());
        } else {
          count(Do(&DirectoryHandlers::UpdateRoom, admin_,
                   Parse<v1::UpdateRoomRequest>(absl::StrCat(
                       "room { name: '", remove.name(), "' out_of_use: ", flip() ? "true" : "false",
                       " capacity: ", 1 + pick(4),
                       " } update_mask { paths: 'out_of_use' paths: 'capacity' }")))
                    .ok());
        }
        break;
      }
      case 11: {
        const int what = pick(4);
        if (what == 0) {
          v1::CancelGroupSessionRequest off;
          off.set_name(met->group_sessions(pick(6)).name());
          count(groups_.CancelGroupSession(Context(anna_, off), off).ok());
        } else if (what == 1) {
          v1::DeleteClinicianRequest leave;
          leave.set_name(of("dora"));
          count(Do(&DirectoryHandlers::DeleteClinician, admin_, leave).ok());
        } else if (what == 2) {
          count(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", "dora")).ok());
        } else {
          count(Do(&DirectoryHandlers::UpdateClinic, admin_,
                   Parse<v1::UpdateClinicRequest>(
                       absl::StrCat("clinic { name: '", flip() ? kNorth : kSouth,
                                    "' holidays { date ", Day(2, 2 + pick(26)), " } time_zone: '",
                                    flip() ? "Europe/London" : "Europe/Paris", "' }")))
                    .ok());
        }
        break;
      }
    }
    if (pick(6) == 0) CatchUp();
    if (step % 65 == 64) {
      CatchUp();
      LiveIndex loaded(*database_, clock_, *metrics_);
      ASSERT_TRUE(loaded.CatchUp().ok());
      OpeningHandlers fresh(*database_, revisions_, loaded, *metrics_);
      for (int i = 0; i < 40; ++i) {
        std::string filter;
        if (flip()) absl::StrAppend(&filter, "clinicians: '", of(names[pick(4)]), "' ");
        if (flip()) absl::StrAppend(&filter, "clinics: '", flip() ? kNorth : kSouth, "' ");
        if (flip()) absl::StrAppend(&filter, "room_need { capacity: ", 1 + pick(3), " } ");
        if (flip()) absl::StrAppend(&filter, "include_full_caseloads: true ");
        const std::string query = absl::StrCat(
            "filter { ", filter, " } page_size: 500 per_clinician: 100 step_minutes: 5 earliest ",
            Instant(2, 1 + pick(20)), " minutes: ", 30 + 5 * pick(10));
        const auto kept = Search(query, scheduler_);
        const auto anew = Search(query, scheduler_, fresh);
        ASSERT_TRUE(kept.ok() && anew.ok()) << kept.status() << anew.status();
        std::vector<std::string> ours, theirs;
        for (const auto& opening : kept->openings()) ours.push_back(opening.ShortDebugString());
        for (const auto& opening : anew->openings()) theirs.push_back(opening.ShortDebugString());
        ASSERT_EQ(ours, theirs) << "step " << step << ": " << query;
        const auto plan = Plan(absl::StrCat("count: 4 filter { ", filter, " }"), scheduler_);
        const auto plan_anew =
            Plan(absl::StrCat("count: 4 filter { ", filter, " }"), scheduler_, fresh);
        ASSERT_TRUE(plan.ok() && plan_anew.ok()) << plan.status();
        ASSERT_EQ(plan->plans_size(), plan_anew->plans_size());
        for (int p = 0; p < plan->plans_size(); ++p) {
          ASSERT_EQ(plan->plans(p).ShortDebugString(), plan_anew->plans(p).ShortDebugString());
        }
      }
    }
  }
  EXPECT_GT(done, 80);
  EXPECT_GT(refused, 10);
}

TEST_P(OpeningsTest, TheHorizonMovesWithTheDay) {
  // 190 days from 29 January on end with 6 August.
  const std::string far =
      absl::StrCat("earliest ", Instant(8, 3), " latest ", Instant(8, 20), " ", HoursOfAnna());
  EXPECT_THAT(Found(far + "page_size: 500"), SizeIs(4 * 8));
  now_ += absl::Hours(24 * 7);
  CatchUp();
  EXPECT_THAT(Found(far + "page_size: 500"), SizeIs(9 * 8));
  EXPECT_EQ(Found(HoursOfAnna()).front(), "anna@north 02-06 14:00");
}

INSTANTIATE_ON_ENGINES(OpeningsTest);

}  // namespace
}  // namespace rapport::scheduling
