#include <functional>
#include <map>

#include "common/names/names.h"
#include "services/scheduling/store/freed_time.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAnna[] = "organizations/acme/clinicians/anna";
constexpr char kNorth[] = "organizations/acme/clinics/north";

class AppointmentsTest : public SchedulingTest {
 protected:
  template <class Response, class Request>
  std::string Reason(absl::StatusOr<Response> (AppointmentHandlers::*method)(
                         const call::CallContext&, const Request&),
                     const Who& who, const Request& request) {
    return errors::Reason(Do(method, who, request).status());
  }

  absl::StatusOr<v1::Appointment> Book(const Who& who, const v1::BookAppointmentRequest& request) {
    return Do(&AppointmentHandlers::BookAppointment, who, request);
  }

  v1::Appointment Get(const Who& who, const v1::Appointment& appointment) {
    v1::GetAppointmentRequest get;
    get.set_name(appointment.name());
    const auto got = Do(&AppointmentHandlers::GetAppointment, who, get);
    return got.ok() ? *got : v1::Appointment();
  }

  static v1::HoldAppointmentRequest Hold(const std::string& of, int month, int day, int hour,
                                         const std::string& more = "") {
    return Parse<v1::HoldAppointmentRequest>(absl::StrCat(
        "parent: 'organizations/acme' ", of, " session { local_date { year: 2026 month: ", month,
        " day: ", day, " } local_time { hours: ", hour, " } ", more, " }"));
  }
  static std::string Of(const v1::Course& course) {
    return absl::StrCat("course: '", course.name(), "'");
  }
  v1::Appointment Held(const std::string& of, int month, int day, int hour,
                       const std::string& more = "") {
    const auto held =
        Do(&AppointmentHandlers::HoldAppointment, scheduler_, Hold(of, month, day, hour, more));
    EXPECT_TRUE(held.ok()) << held.status();
    return held.ok() ? *held : v1::Appointment();
  }

  absl::StatusOr<v1::Appointment> Confirm(const v1::Appointment& hold,
                                          const std::string& course = "") {
    v1::ConfirmHoldRequest confirm;
    confirm.set_name(hold.name());
    confirm.set_course(course);
    return Do(&AppointmentHandlers::ConfirmHold, scheduler_, confirm);
  }
  absl::StatusOr<v1::Appointment> Release(const v1::Appointment& hold) {
    v1::ReleaseHoldRequest release;
    release.set_name(hold.name());
    return Do(&AppointmentHandlers::ReleaseHold, scheduler_, release);
  }
  absl::StatusOr<v1::RescheduleAppointmentResponse> Move(const Who& who,
                                                         const v1::Appointment& appointment,
                                                         int month, int day, int hour,
                                                         const std::string& more = "") {
    return Do(&AppointmentHandlers::RescheduleAppointment, who,
              Parse<v1::RescheduleAppointmentRequest>(absl::StrCat(
                  "name: '", appointment.name(), "' local_date { year: 2026 month: ", month,
                  " day: ", day, " } local_time { hours: ", hour, " } ", more)));
  }

  void UpdateAnna(const std::string& fields, const std::string& paths) {
    const auto updated =
        Do(&DirectoryHandlers::UpdateClinician, admin_,
           Parse<v1::UpdateClinicianRequest>(absl::StrCat(
               "clinician { name: '", kAnna, "' ", fields, " } update_mask { ", paths, " }")));
    ASSERT_TRUE(updated.ok()) << updated.status();
  }
  void AddRoom(const std::string& id, int capacity, const std::string& more = "") {
    const auto room = Do(&DirectoryHandlers::CreateRoom, admin_,
                         Parse<v1::CreateRoomRequest>(absl::StrCat(
                             "parent: '", kNorth, "' room_id: '", id,
                             "' room { display_name: 'R' capacity: ", capacity, " ", more, " }")));
    ASSERT_TRUE(room.ok()) << room.status();
  }

  // A couple's course of p and q with anna, ASSESSING.
  v1::Course Couple(const std::string& p = "p", const std::string& q = "q") {
    v1::CreateCourseRequest create = NewCourse(p);
    v1::Course& course = *create.mutable_course();
    course.set_protocol("protocols/conjoint/revisions/1");
    course.set_partner("organizations/acme/patients/" + q);
    *course.mutable_partner_particulars() = course.patient_particulars();
    const auto made = Do(&CourseHandlers::CreateCourse, anna_, create);
    EXPECT_TRUE(made.ok()) << made.status();
    v1::BeginAssessmentRequest begin;
    begin.set_name(made->name());
    const auto begun = Do(&CourseHandlers::BeginAssessment, anna_, begin);
    EXPECT_TRUE(begun.ok()) << begun.status();
    return *begun;
  }

  static v1::BookAppointmentRequest Privately(v1::BookAppointmentRequest request,
                                              const std::string& patient) {
    request.set_private_with("organizations/acme/patients/" + patient);
    return request;
  }

  std::vector<v1::Appointment> ListOf(const Who& who, const std::string& query, int size = 50) {
    auto request = Parse<v1::ListAppointmentsRequest>(
        absl::StrCat("parent: 'organizations/acme' page_size: ", size, " ", query));
    std::vector<v1::Appointment> all;
    do {
      const auto page = Do(&AppointmentHandlers::ListAppointments, who, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      all.insert(all.end(), page->appointments().begin(), page->appointments().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return all;
  }

  // Rows of a statement about acme.
  std::vector<std::vector<std::string>> Rows(const sql::Statement& statement, int columns) {
    std::vector<std::vector<std::string>> rows;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
                           [&](sql::Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const sql::Result found,
                                              session.Query(statement, {sql::Text("acme")}));
                             for (size_t i = 0; i < found.rows(); ++i) {
                               std::vector<std::string> row;
                               for (int c = 0; c < columns; ++c) row.push_back(found.Text(i, c));
                               rows.push_back(std::move(row));
                             }
                             return absl::OkStatus();
                           })
                    .ok());
    return rows;
  }
  std::vector<std::string> Claims() {
    static const sql::Statement claims{"test.claims", R"sql(
      SELECT resource || ' ' || state FROM claim WHERE organization_id = $1
      ORDER BY starts_at, resource)sql"};
    std::vector<std::string> keys;
    for (const auto& row : Rows(claims, 1)) keys.push_back(row[0]);
    return keys;
  }
  std::vector<std::string> Work() {
    static const sql::Statement work{
        "test.work", "SELECT kind FROM due_work WHERE organization_id = $1 ORDER BY kind"};
    std::vector<std::string> kinds;
    for (const auto& row : Rows(work, 1)) kinds.push_back(row[0]);
    return kinds;
  }

  // The newest event of each appointment.
  std::map<std::string, v1::AppointmentEvent> Told() {
    std::map<std::string, v1::AppointmentEvent> told;
    for (const common::v1::Event& event : Events()) {
      v1::AppointmentEvent payload;
      if (event.payload().UnpackTo(&payload)) told[event.resource()] = payload;
    }
    return told;
  }

  static bool Names(const absl::Status& status, const std::string& name) {
    bool named = false;
    status.ForEachPayload([&](absl::string_view, const absl::Cord& payload) {
      named |= absl::StrContains(std::string(payload), name);
    });
    return named;
  }

  static absl::Time StartOf(const v1::Appointment& appointment) {
    return absl::FromUnixSeconds(appointment.start_time().seconds());
  }
};
INSTANTIATE_ON_ENGINES(AppointmentsTest);

// Rooms, buffers, days, travel, modalities.

TEST_P(AppointmentsTest, TheSmallestFreeRoomIsTakenUntilThereIsNone) {
  AddRoom("hall", 8, "features: 'step-free'");
  AddRoom("b", 3);
  AddRoom("a", 3);
  const auto room = [&](const std::string& patient, const std::string& clinician,
                        const std::string& need) {
    auto request = At(Begun(patient, clinician), 2, 10, 9);
    *request.mutable_room_need() = Parse<v1::RoomNeed>(need);
    const auto booked = Book(scheduler_, request);
    return booked.ok() ? booked->room() : errors::Reason(booked.status());
  };
  const std::string rooms = absl::StrCat(kNorth, "/rooms/");
  EXPECT_EQ(room("p", "anna", "capacity: 2"), rooms + "a");
  EXPECT_EQ(room("q", "ben", absl::StrCat("room: '", rooms, "a'")), "TIME_TAKEN");
  EXPECT_EQ(room("q", "ben", "capacity: 2 features: 'quiet'"), "NO_ROOM");
  EXPECT_EQ(room("q", "ben", "capacity: 2"), rooms + "b");
  EXPECT_THAT(Claims(),
              ElementsAre("clinicians/anna BOOKED", "clinicians/ben BOOKED", "patients/p BOOKED",
                          "patients/q BOOKED", "rooms/north/a BOOKED", "rooms/north/b BOOKED"));
}

TEST_P(AppointmentsTest, ATakenRoomIsNamed) {
  AddRoom("a", 3);
  auto request = At(Begun("p"), 2, 10, 9);
  request.mutable_room_need()->set_room(absl::StrCat(kNorth, "/rooms/a"));
  ASSERT_TRUE(Book(scheduler_, request).ok());
  auto other = At(Begun("q", "ben"), 2, 10, 9);
  *other.mutable_room_need() = request.room_need();
  EXPECT_EQ(errors::MetadataValue(Book(scheduler_, other).status(), "resource"),
            absl::StrCat(kNorth, "/rooms/a"));
}

TEST_P(AppointmentsTest, ASeriesOfSixteenWithRoomsIsOneBooking) {
  AddRoom("a", 3);
  auto request = SeriesOf(Begun("p"), 16, 2, 3, 14);
  request.mutable_room_need()->set_capacity(2);
  const auto series = Do(&AppointmentHandlers::BookSeries, scheduler_, request);
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_THAT(Claims(), SizeIs(48));
}

TEST_P(AppointmentsTest, TheDirectoryDecides) {
  const v1::Course course = Begun("p");
  const auto reason = [&](int month, int day, int hour, int minute = 0) {
    auto request = At(course, month, day, hour, minute);
    return Reason(&AppointmentHandlers::BookAppointment, scheduler_, request);
  };
  UpdateAnna("buffer_minutes: 15 max_sessions_per_day: 2",
             "paths: 'buffer_minutes' paths: 'max_sessions_per_day'");
  Booked(Begun("q"), 2, 10, 11);
  EXPECT_EQ(reason(2, 10, 9, 56), "TIME_TAKEN");
  EXPECT_EQ(reason(2, 10, 12, 4), "TIME_TAKEN");
  EXPECT_EQ(reason(2, 10, 9, 55), "");
  EXPECT_EQ(reason(2, 10, 13), "DAY_FULL");
  EXPECT_EQ(reason(2, 11, 12), "");
  Booked(Begun("r", "anna", "south"), 2, 12, 10);
  EXPECT_EQ(reason(2, 12, 11, 19), "TRAVEL_TIME");
  EXPECT_EQ(reason(2, 12, 11, 20), "");
  auto video = At(course, 2, 13, 9);
  video.set_modality(v1::MODALITY_VIDEO);
  EXPECT_EQ(Reason(&AppointmentHandlers::BookAppointment, scheduler_, video),
            "MODALITY_NOT_OFFERED");
  ASSERT_TRUE(Do(&DirectoryHandlers::UpdateClinic, admin_,
                 Parse<v1::UpdateClinicRequest>(
                     absl::StrCat("clinic { name: '", kNorth,
                                  "' holidays { date { year: 2026 month: 2 day: 17 } } } "
                                  "update_mask { paths: 'holidays' }")))
                  .ok());
  EXPECT_EQ(reason(2, 17, 10), "OUTSIDE_HOURS");
  UpdateAnna(absl::StrCat("dated_hours { clinic: '", kNorth,
                          "' date { year: 2026 month: 2 day: 17 } start_time { hours: 10 } "
                          "end_time { hours: 12 } }"),
             "paths: 'dated_hours'");
  EXPECT_EQ(reason(2, 17, 10), "");
  UpdateAnna("trainee: true", "paths: 'trainee'");
  EXPECT_EQ(reason(2, 18, 10), "TRAINEE_UNSUPERVISED");
  ASSERT_TRUE(Do(&SupervisionHandlers::CreateSupervision, admin_,
                 Parse<v1::CreateSupervisionRequest>(
                     "parent: 'organizations/acme' supervision { supervisor: "
                     "'organizations/acme/clinicians/ben' supervisee: "
                     "'organizations/acme/clinicians/anna' start_time { seconds: 1769774400 } }"))
                  .ok());
  EXPECT_EQ(reason(2, 18, 10), "");
  auto nobody = At(course, 2, 19, 10);
  nobody.set_clinician("organizations/acme/clinicians/nobody");
  EXPECT_EQ(Reason(&AppointmentHandlers::BookAppointment, scheduler_, nobody), "UNKNOWN_CLINICIAN");
}

TEST_P(AppointmentsTest, ARefusalOffersTheNearestFreeTime) {
  const v1::Course course = Begun("p");
  Booked(course, 7, 6, 9);
  nearest_ = [&](absl::string_view clinician, absl::string_view clinic, absl::Time around,
                 int minutes) -> std::optional<absl::Time> {
    EXPECT_EQ(clinician, kAnna);
    EXPECT_EQ(clinic, kNorth);
    EXPECT_EQ(minutes, 50);
    return around + absl::Hours(1);
  };
  EXPECT_EQ(errors::MetadataValue(Book(scheduler_, At(course, 7, 6, 9)).status(), "alternative"),
            "2026-07-06T10:00:00+01:00");
  EXPECT_EQ(errors::MetadataValue(Book(scheduler_, At(course, 7, 6, 9)).status(), "resource"),
            kAnna);
}

TEST_P(AppointmentsTest, EveryoneKnownHasTheirTimeTaken) {
  auto request = At(Couple(), 2, 10, 9);
  *request.add_participants() = Parse<v1::Participant>(
      "role: PARTICIPANT_ROLE_INTERPRETER person: 'organizations/acme/persons/x'");
  *request.add_participants() = Parse<v1::Participant>(
      "role: PARTICIPANT_ROLE_CO_THERAPIST person: 'organizations/acme/clinicians/ben'");
  *request.add_participants() = Parse<v1::Participant>("role: PARTICIPANT_ROLE_OBSERVER");
  const auto booked = Book(scheduler_, request);
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(booked->participants(0).person(), "organizations/acme/patients/q");
  EXPECT_THAT(booked->participants(), SizeIs(4));
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna BOOKED", "clinicians/ben BOOKED",
                                    "patients/p BOOKED", "patients/q BOOKED", "persons/x BOOKED"));
  EXPECT_EQ(
      Reason(&AppointmentHandlers::BookAppointment, scheduler_, At(Begun("r", "ben"), 2, 10, 9)),
      "TIME_TAKEN");
  EXPECT_EQ(
      Reason(&AppointmentHandlers::BookAppointment, scheduler_, At(Begun("q", "ben"), 2, 10, 9)),
      "TIME_TAKEN");
  EXPECT_THAT(ListOf(scheduler_, "patient: 'organizations/acme/patients/q'"), SizeIs(1));
}

TEST_P(AppointmentsTest, TheProtocolSaysLengthModalityAndWhoIsMissing) {
  UpdateAnna("modalities: MODALITY_IN_PERSON modalities: MODALITY_ONLINE_UNIT",
             "paths: 'modalities'");
  v1::CreateCourseRequest create = NewCourse("p");
  create.mutable_course()->set_protocol("protocols/blended/revisions/1");
  auto course = Do(&CourseHandlers::CreateCourse, anna_, create);
  ASSERT_TRUE(course.ok()) << course.status();
  v1::BeginAssessmentRequest begin;
  begin.set_name(course->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, anna_, begin).ok());
  const auto series =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(*course, 4, 2, 3, 9));
  ASSERT_TRUE(series.ok()) << series.status();
  const v1::Appointment& unit = series->appointments(1);
  EXPECT_EQ(unit.modality(), v1::MODALITY_ONLINE_UNIT);
  EXPECT_EQ(unit.end_time().seconds() - unit.start_time().seconds(), 20 * 60);
  EXPECT_EQ(series->appointments(0).modality(), v1::MODALITY_IN_PERSON);

  create = NewCourse("child", "ben");
  create.mutable_course()->set_protocol("protocols/fb-ipt/revisions/1");
  create.mutable_course()->mutable_patient_particulars()->set_birth_year(2016);
  course = Do(&CourseHandlers::CreateCourse, ben_, create);
  ASSERT_TRUE(course.ok()) << course.status();
  begin.set_name(course->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, ben_, begin).ok());
  EXPECT_THAT(Booked(*course, 2, 3, 9).warnings(),
              ElementsAre(v1::APPOINTMENT_WARNING_PARTICIPANT_MISSING));
  auto with_parent = At(*course, 2, 10, 9);
  with_parent.add_participants()->set_role(v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN);
  EXPECT_THAT(Book(scheduler_, with_parent)->warnings(), IsEmpty());
}

TEST_P(AppointmentsTest, SomebodyElseMayStandIn) {
  auto request = At(Begun("p"), 2, 10, 9);
  request.set_clinician("organizations/acme/clinicians/ben");
  const auto booked = Book(scheduler_, request);
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(booked->clinician(), "organizations/acme/clinicians/ben");
  EXPECT_THAT(booked->warnings(), ElementsAre(v1::APPOINTMENT_WARNING_OTHER_CLINICIAN));
  EXPECT_EQ(Get(ben_, *booked).name(), booked->name());
}

TEST_P(AppointmentsTest, ExceptionsOfASeriesAreMovedOrMadeUpForAtTheEnd) {
  const v1::Course course = Begun("p");
  auto request = SeriesOf(course, 4, 2, 3, 9);
  *request.add_exceptions() = Parse<v1::SeriesException>(
      "date { year: 2026 month: 2 day: 10 } moved_date { year: 2026 month: 2 day: 11 } "
      "moved_time { hours: 15 }");
  *request.add_exceptions() =
      Parse<v1::SeriesException>("date { year: 2026 month: 2 day: 17 } skip: true");
  const auto series = Do(&AppointmentHandlers::BookSeries, scheduler_, request);
  ASSERT_TRUE(series.ok()) << series.status();
  std::vector<int> days;
  for (const auto& one : series->appointments()) {
    days.push_back(one.local_date().month() * 100 + one.local_date().day());
  }
  EXPECT_THAT(days, ElementsAre(203, 211, 224, 303));
  EXPECT_EQ(series->appointments(1).local_time().hours(), 15);
  *request.add_exceptions() = request.exceptions(0);
  EXPECT_EQ(Reason(&AppointmentHandlers::BookSeries, scheduler_, request), "INVALID_FIELD");
  request.mutable_exceptions(2)->mutable_date()->set_day(12);
  EXPECT_EQ(Reason(&AppointmentHandlers::BookSeries, scheduler_, request), "INVALID_FIELD");
}

// Holds.

TEST_P(AppointmentsTest, AHoldKeepsItsTimeUntilItIsConfirmed) {
  const v1::Course course = Begun("p");
  const v1::Appointment hold = Held(Of(course), 2, 10, 9);
  EXPECT_EQ(hold.state(), v1::APPOINTMENT_STATE_HELD);
  EXPECT_EQ(hold.session_number(), 0);
  EXPECT_EQ(hold.hold_expire_time().seconds(), absl::ToUnixSeconds(now_) + 600);
  EXPECT_EQ(Told()[hold.name()].hold_expire_time().seconds(), hold.hold_expire_time().seconds());
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna HELD", "patients/p HELD"));
  EXPECT_THAT(Work(), ElementsAre(store::kHoldWork));
  EXPECT_EQ(Reason(&AppointmentHandlers::BookAppointment, scheduler_, At(Begun("q"), 2, 10, 9)),
            "TIME_TAKEN");
  const auto booked = Confirm(hold);
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(booked->state(), v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_EQ(booked->session_number(), 1);
  EXPECT_EQ(Get(anna_, hold).DebugString(), booked->DebugString());
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna BOOKED", "patients/p BOOKED"));
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_EQ(errors::Reason(Confirm(hold).status()), "APPOINTMENT_STATE");
  EXPECT_EQ(errors::Reason(Release(hold).status()), "APPOINTMENT_STATE");
}

TEST_P(AppointmentsTest, AReleasedHoldFreesItsTime) {
  const v1::Appointment hold = Held(Of(Begun("p")), 2, 10, 9);
  const auto released = Release(hold);
  ASSERT_TRUE(released.ok()) << released.status();
  EXPECT_EQ(released->state(), v1::APPOINTMENT_STATE_RELEASED);
  EXPECT_THAT(Claims(), IsEmpty());
  EXPECT_THAT(Work(), IsEmpty());
  EXPECT_FALSE(Told()[hold.name()].has_busy_until());
  EXPECT_EQ(errors::Reason(Confirm(hold).status()), "APPOINTMENT_STATE");
  Booked(Begun("q"), 2, 10, 9);
}

TEST_P(AppointmentsTest, AnExpiredHoldIsNeverConfirmedAndNoObstacle) {
  const v1::Appointment hold = Held(Of(Begun("p")), 2, 10, 9);
  const v1::Appointment other = Held(Of(Begun("r", "ben")), 2, 10, 9);
  now_ += absl::Minutes(10);
  EXPECT_EQ(errors::Reason(Confirm(other).status()), "HOLD_EXPIRED");
  EXPECT_THAT(Claims(), SizeIs(4));
  Booked(Begun("q"), 2, 10, 9);
  EXPECT_EQ(Get(anna_, hold).state(), v1::APPOINTMENT_STATE_EXPIRED);
  EXPECT_EQ(Told()[hold.name()].state(), v1::APPOINTMENT_STATE_EXPIRED);
  EXPECT_EQ(errors::Reason(Confirm(hold).status()), "HOLD_EXPIRED");
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna BOOKED", "clinicians/ben HELD",
                                    "patients/q BOOKED", "patients/r HELD"));
}

TEST_P(AppointmentsTest, HoldsCountAgainstTheCap) {
  const v1::Course course = Begun("p");
  ASSERT_TRUE(Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, 15, 2, 3, 9)).ok());
  const v1::Appointment hold = Held(Of(course), 2, 4, 9);
  EXPECT_EQ(Reason(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 2, 5, 9)),
            "SESSION_CAP_REACHED");
  EXPECT_TRUE(Confirm(hold).ok());
  EXPECT_EQ(Reason(&AppointmentHandlers::HoldAppointment, scheduler_, Hold(Of(course), 2, 5, 9)),
            "SESSION_CAP_REACHED");
}

TEST_P(AppointmentsTest, ATimeIsHeldForAPatientWithoutACourse) {
  const std::string of = absl::StrCat("patient: 'organizations/acme/patients/p' clinician: '",
                                      kAnna, "' clinic: '", kNorth, "'");
  EXPECT_EQ(Reason(&AppointmentHandlers::HoldAppointment, scheduler_, Hold(of, 2, 10, 9)),
            "INVALID_FIELD");
  EXPECT_EQ(Reason(&AppointmentHandlers::HoldAppointment, scheduler_,
                   Hold(of + Of(Begun("z")), 2, 10, 9, "minutes: 60")),
            "INVALID_FIELD");
  EXPECT_EQ(Reason(&AppointmentHandlers::HoldAppointment, ben_, Hold(of, 2, 10, 9, "minutes: 60")),
            "NOT_THE_THERAPIST");
  const v1::Appointment hold = Held(of, 2, 10, 9, "minutes: 60");
  EXPECT_EQ(hold.course(), "");
  EXPECT_EQ(Get(anna_, hold).DebugString(), hold.DebugString());
  EXPECT_EQ(Get(ben_, hold).name(), "");
  EXPECT_EQ(errors::Reason(Confirm(hold).status()), "INVALID_FIELD");
  EXPECT_EQ(errors::Reason(Confirm(hold, Begun("q").name()).status()), "COURSE_MISMATCH");
  EXPECT_EQ(errors::Reason(Confirm(hold, Begun("p", "ben").name()).status()), "COURSE_MISMATCH");
  const v1::Course course = Couple("p", "q");
  const v1::Appointment blocked = Booked(Begun("q", "ben"), 2, 10, 9);
  EXPECT_EQ(errors::Reason(Confirm(hold, course.name()).status()), "TIME_TAKEN");
  v1::CancelAppointmentRequest cancel;
  cancel.set_name(blocked.name());
  cancel.set_reason(v1::CANCEL_REASON_PATIENT);
  ASSERT_TRUE(Do(&AppointmentHandlers::CancelAppointment, scheduler_, cancel).ok());
  const auto booked = Confirm(hold, course.name());
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(booked->course(), course.name());
  EXPECT_EQ(booked->session_number(), 1);
  EXPECT_THAT(Claims(),
              ElementsAre("clinicians/anna BOOKED", "patients/p BOOKED", "patients/q BOOKED"));
  EXPECT_THAT(ListOf(anna_, Of(course)), SizeIs(1));
}

TEST_P(AppointmentsTest, AHoldIsCheckedAgainForWhatCanHaveChanged) {
  const v1::Course course = Active("p");
  const v1::Appointment hold = Held(Of(course), 2, 10, 9);
  UpdateAnna("", "paths: 'licence_number'");
  EXPECT_EQ(errors::Reason(Confirm(hold).status()), "CLINICIAN_UNLICENSED");
  UpdateAnna("licence_number: 'L'", "paths: 'licence_number'");
  ASSERT_TRUE(Do(&CourseHandlers::PauseCourse, anna_,
                 Parse<v1::PauseCourseRequest>(absl::StrCat(
                     "name: '", course.name(),
                     "' reason: PAUSE_REASON_ILLNESS return_date { year: 2026 month: 3 day: 1 } "
                     "future_appointments: FUTURE_APPOINTMENTS_KEEP")))
                  .ok());
  EXPECT_EQ(errors::Reason(Confirm(hold).status()), "COURSE_STATE");
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna HELD", "patients/p HELD"));
}

TEST_P(AppointmentsTest, HoldsLastFromAMinuteToAWeek) {
  const v1::Course course = Begun("p");
  for (const auto& [seconds, reason] :
       std::map<int, std::string>{{59, "INVALID_FIELD"}, {604801, "INVALID_FIELD"}, {604800, ""}}) {
    auto request = Hold(Of(course), 2, 10, 9);
    request.mutable_hold_for()->set_seconds(seconds);
    EXPECT_EQ(Reason(&AppointmentHandlers::HoldAppointment, scheduler_, request), reason);
  }
}

// Moving.

TEST_P(AppointmentsTest, AMovedSessionTakesItsNewTimeAndFreesTheOld) {
  AddRoom("a", 3);
  const v1::Course course = Begun("p");
  auto request = At(course, 2, 10, 9);
  request.mutable_room_need()->set_capacity(2);
  const auto booked = Book(scheduler_, request);
  ASSERT_TRUE(booked.ok()) << booked.status();
  // Its own time is no obstacle.
  const auto moved = Move(scheduler_, *booked, 2, 10, 9, "minutes: 60 request_id: 'r'");
  ASSERT_TRUE(moved.ok()) << moved.status();
  const v1::Appointment& now = moved->appointments(0);
  EXPECT_EQ(now.end_time().seconds() - now.start_time().seconds(), 3600);
  EXPECT_EQ(now.sequence(), 1);
  EXPECT_EQ(now.room(), absl::StrCat(kNorth, "/rooms/a"));
  EXPECT_EQ(now.session_number(), 1);
  EXPECT_EQ(Get(anna_, *booked).DebugString(), now.DebugString());
  EXPECT_EQ(Move(scheduler_, *booked, 2, 10, 9, "minutes: 60 request_id: 'r'")->DebugString(),
            moved->DebugString());
  EXPECT_TRUE(replayed_);

  const auto later =
      Move(scheduler_, *booked, 7, 7, 14, "clinician: 'organizations/acme/clinicians/ben'");
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->appointments(0).moved_from().seconds(), now.start_time().seconds());
  EXPECT_THAT(later->appointments(0).warnings(),
              ElementsAre(v1::APPOINTMENT_WARNING_OTHER_CLINICIAN));
  EXPECT_THAT(Claims(),
              ElementsAre("clinicians/ben BOOKED", "patients/p BOOKED", "rooms/north/a BOOKED"));
  EXPECT_EQ(Told()[booked->name()].sequence(), 2);
  EXPECT_EQ(Told()[booked->name()].room(), absl::StrCat(kNorth, "/rooms/a"));
}

TEST_P(AppointmentsTest, AMoveIsRefusedAsABookingIs) {
  const v1::Course p = Begun("p");
  const v1::Appointment first = Booked(p, 2, 10, 9);
  Booked(Begun("q"), 2, 10, 11);
  const auto reason = [&](int month, int day, int hour, const std::string& more = "") {
    return errors::Reason(Move(scheduler_, first, month, day, hour, more).status());
  };
  EXPECT_EQ(reason(2, 10, 11), "TIME_TAKEN");
  EXPECT_EQ(reason(2, 8, 11), "OUTSIDE_HOURS");
  EXPECT_EQ(reason(1, 30, 13), "SHORT_NOTICE");
  EXPECT_EQ(reason(2, 11, 9, "scope: RESCHEDULE_SCOPE_THIS_AND_FOLLOWING"), "NOT_IN_SERIES");
  EXPECT_EQ(reason(2, 11, 9, "etag: '7'"), "STALE_ETAG");
  EXPECT_EQ(errors::Reason(Move(ben_, first, 2, 11, 9).status()), "RESOURCE_NOT_FOUND");
  const v1::Appointment hold = Held(Of(p), 2, 12, 9);
  EXPECT_EQ(errors::Reason(Move(scheduler_, hold, 2, 13, 9).status()), "APPOINTMENT_STATE");
  EXPECT_EQ(Get(anna_, first).DebugString(), first.DebugString());
}

TEST_P(AppointmentsTest, ThisAndFollowingKeepTheirLocalDifferenceAlsoWhereTheySwapPlaces) {
  const v1::Course course = Begun("p");
  const auto series =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, 16, 2, 3, 14));
  ASSERT_TRUE(series.ok()) << series.status();
  // A week later: each takes the place of the next.
  const auto moved = Move(scheduler_, series->appointments(2), 2, 24, 14,
                          "scope: RESCHEDULE_SCOPE_THIS_AND_FOLLOWING request_id: 'r'");
  ASSERT_TRUE(moved.ok()) << moved.status();
  ASSERT_EQ(moved->appointments_size(), 14);
  for (int i = 0; i < 14; ++i) {
    const v1::Appointment& now = moved->appointments(i);
    EXPECT_EQ(now.session_number(), i + 3);
    EXPECT_EQ(now.moved_from().seconds(), series->appointments(i + 2).start_time().seconds());
    EXPECT_EQ(now.local_time().hours(), 14);
    // Clocks go forward on 29 March.
    EXPECT_EQ(now.start_time().seconds() / 3600 % 24, i < 5 ? 14 : 13);
  }
  EXPECT_EQ(Move(scheduler_, series->appointments(2), 2, 24, 14,
                 "scope: RESCHEDULE_SCOPE_THIS_AND_FOLLOWING request_id: 'r'")
                ->DebugString(),
            moved->DebugString());
  EXPECT_THAT(Claims(), SizeIs(32));
  // One that is taken moves none.
  Booked(Begun("q"), 4, 1, 9);
  const auto refused = Move(scheduler_, moved->appointments(0), 2, 25, 9,
                            "scope: RESCHEDULE_SCOPE_THIS_AND_FOLLOWING");
  EXPECT_EQ(errors::MetadataValue(refused.status(), "date"), "2026-04-01");
  EXPECT_EQ(Get(anna_, moved->appointments(0)).DebugString(), moved->appointments(0).DebugString());
  EXPECT_THAT(ListOf(scheduler_,
                     "patient: 'organizations/acme/patients/p' start_from { seconds: "
                     "1771941600 }"),
              SizeIs(14));
}

// Attendance.

TEST_P(AppointmentsTest, ARemoteSessionIsCheckedInWithWhereThePatientIs) {
  UpdateAnna("modalities: MODALITY_VIDEO telehealth_uri: 'https://meet.example/anna'",
             "paths: 'modalities' paths: 'telehealth_uri'");
  auto request = At(Begun("p"), 2, 10, 9);
  request.set_modality(v1::MODALITY_VIDEO);
  const auto booked = Book(scheduler_, request);
  ASSERT_TRUE(booked.ok()) << booked.status();
  EXPECT_EQ(booked->telehealth_uri(), "https://meet.example/anna");
  EXPECT_THAT(booked->warnings(), IsEmpty());
  now_ = StartOf(*booked);
  v1::CheckInRequest check_in;
  check_in.set_name(booked->name());
  EXPECT_EQ(Reason(&AppointmentHandlers::CheckIn, anna_, check_in), "TELEHEALTH_DETAILS_NEEDED");
  *check_in.mutable_telehealth() = Parse<v1::TelehealthDetails>(
      "jurisdiction: 'GB-SCT' location: 'at her sister' callback_number: '1' emergency_contact: "
      "'sister' alone: ALONE_NO");
  check_in.set_request_id("r");
  const auto here = Do(&AppointmentHandlers::CheckIn, scheduler_, check_in);
  ASSERT_TRUE(here.ok()) << here.status();
  EXPECT_FALSE(here->has_telehealth());  // not for the desk
  EXPECT_EQ(Do(&AppointmentHandlers::CheckIn, scheduler_, check_in)->DebugString(),
            here->DebugString());
  EXPECT_EQ(Get(anna_, *booked).telehealth().location(), "at her sister");
  EXPECT_THAT(Get(anna_, *booked).warnings(),
              ElementsAre(v1::APPOINTMENT_WARNING_JURISDICTION_MISMATCH));
  for (const common::v1::Event& event : Events()) {
    EXPECT_FALSE(absl::StrContains(event.SerializeAsString(), "sister"));
  }
}

TEST_P(AppointmentsTest, CorrectedAttendanceMovesCountsAndClaims) {
  const v1::Course course = Begun("p");
  const v1::Appointment first = Booked(course, 2, 10, 9);
  const v1::Appointment second = Booked(course, 2, 11, 9);
  const auto correct = [&](v1::AppointmentState state) {
    v1::CorrectAttendanceRequest request;
    request.set_name(first.name());
    request.set_state(state);
    request.set_reason(v1::CORRECTION_REASON_RECORDED_LATE);
    request.set_cancel_reason(v1::CANCEL_REASON_PATIENT);
    return Do(&AppointmentHandlers::CorrectAttendance, anna_, request);
  };
  EXPECT_EQ(errors::Reason(correct(v1::APPOINTMENT_STATE_COMPLETED).status()), "TOO_EARLY");
  now_ = StartOf(first) + absl::Hours(1);
  ASSERT_TRUE(correct(v1::APPOINTMENT_STATE_CANCELLED).ok());
  EXPECT_EQ(Get(anna_, second).session_number(), 1);
  EXPECT_THAT(Claims(), SizeIs(2));
  const auto held = correct(v1::APPOINTMENT_STATE_COMPLETED);
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(held->session_number(), 1);
  EXPECT_THAT(held->corrections(), SizeIs(2));
  EXPECT_EQ(Get(anna_, second).session_number(), 2);
  EXPECT_THAT(Claims(), SizeIs(4));
  EXPECT_TRUE(Told()[first.name()].has_busy_until());
  EXPECT_EQ(errors::Reason(correct(v1::APPOINTMENT_STATE_COMPLETED).status()), "APPOINTMENT_STATE");
  now_ += absl::Hours(24 * 8);
  EXPECT_EQ(errors::Reason(correct(v1::APPOINTMENT_STATE_NO_SHOW).status()), "TOO_LATE");
}

TEST_P(AppointmentsTest, FreedTimeIsOfferedWhereSomebodyWaits) {
  const v1::Course course = Begun("p");
  const v1::Appointment appointment = Booked(course, 2, 10, 9);
  static const sql::Statement wait{"test.wait", R"sql(
    INSERT INTO waitlist_entry (organization_id, entry_id, version, course_id, clinician_id,
                                clinic_id, state, urgency, create_time, latest_at, document)
    VALUES ($1, 'w', 1, $2, 'anna', 'north', 1, 1, 1, 1, $3))sql"};
  ASSERT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
                          [&](sql::Transaction& tx) {
                            return tx
                                .Query(wait,
                                       {sql::Text("acme"), sql::Text(names::Last(course.name())),
                                        sql::Bytes("")})
                                .status();
                          })
                  .ok());
  ASSERT_TRUE(Move(scheduler_, appointment, 2, 11, 9).ok());
  EXPECT_THAT(Work(), ElementsAre(store::kFreedTimeWork));
}

// What others may know.

TEST_P(AppointmentsTest, PrivateSessionsAreBookedByThoseWhoTreat) {
  const v1::Course couple = Couple();
  const auto reason = [&](const Who& who, const v1::BookAppointmentRequest& request) {
    return Reason(&AppointmentHandlers::BookAppointment, who, request);
  };
  EXPECT_EQ(reason(scheduler_, Privately(At(couple, 2, 10, 9), "q")), "NOT_THE_THERAPIST");
  EXPECT_EQ(reason(anna_, Privately(At(couple, 2, 10, 9), "x")), "INVALID_FIELD");
  EXPECT_EQ(reason(anna_, Privately(At(Begun("a"), 2, 10, 9), "a")), "INVALID_FIELD");
  const auto alone = Book(anna_, Privately(At(couple, 2, 10, 9), "q"));
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->patient(), "organizations/acme/patients/q");
  EXPECT_EQ(alone->session_number(), 0);
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna BOOKED", "patients/q BOOKED"));
  EXPECT_EQ(Booked(couple, 2, 11, 9).session_number(), 1);
}

TEST_P(AppointmentsTest, WhoDoesNotTreatLearnsNothingOfAPrivateSessionButItsTime) {
  const v1::Course couple = Couple();
  const v1::Appointment joint = Booked(couple, 2, 9, 9);
  const auto alone = Book(anna_, Privately(At(couple, 2, 10, 9), "q"));
  ASSERT_TRUE(alone.ok()) << alone.status();
  Booked(couple, 2, 11, 9);

  for (const Who& who : {scheduler_, manager_, Who{"feed", {"integration"}, {}, "acme"}}) {
    EXPECT_EQ(Get(who, *alone).name(), "");
    EXPECT_THAT(ListOf(who, Of(couple), 1), SizeIs(2));
    EXPECT_THAT(ListOf(who, "patient: 'organizations/acme/patients/q'", 1), SizeIs(2));
    v1::CancelAppointmentRequest cancel;
    cancel.set_name(alone->name());
    cancel.set_reason(v1::CANCEL_REASON_CLINIC);
    EXPECT_EQ(Reason(&AppointmentHandlers::CancelAppointment, who, cancel), "RESOURCE_NOT_FOUND");
    for (const std::string& query :
         {absl::StrCat("clinician: '", kAnna, "'"), absl::StrCat("clinic: '", kNorth, "'")}) {
      const auto seen = ListOf(who, query, 1);
      ASSERT_THAT(seen, SizeIs(3));
      v1::Appointment left = *alone;
      KeepTimes(left);
      EXPECT_EQ(seen[1].DebugString(), left.DebugString());
      EXPECT_EQ(seen[1].patient() + seen[1].course(), "");
    }
    // In the way: the clinician is, of the partner nothing is said.
    const absl::Status clinician = Book(who, At(Begun("r"), 2, 10, 9)).status();
    EXPECT_EQ(errors::MetadataValue(clinician, "resource"), kAnna);
    EXPECT_FALSE(Names(clinician, alone->name()));
    const absl::Status partner = Book(who, At(Begun("q", "ben"), 2, 10, 9)).status();
    EXPECT_EQ(errors::Reason(partner), "TIME_TAKEN");
    EXPECT_EQ(errors::MetadataValue(partner, "resource"), "");
    EXPECT_FALSE(Names(partner, alone->name()));
  }
  EXPECT_THAT(ListOf(anna_, Of(couple)), SizeIs(3));
  EXPECT_TRUE(Names(Book(anna_, At(couple, 2, 10, 9)).status(), alone->name()));
}

TEST_P(AppointmentsTest, TheEventOfAPrivateSessionIsMaskedAndWholeForServices) {
  const auto alone = Book(anna_, Privately(At(Couple(), 2, 10, 9), "q"));
  ASSERT_TRUE(alone.ok()) << alone.status();
  const v1::AppointmentEvent masked = Told()[alone->name()];
  EXPECT_EQ(masked.course() + masked.patient(), "");
  EXPECT_EQ(masked.clinician(), kAnna);
  EXPECT_TRUE(masked.private_session());
  EXPECT_EQ(masked.busy_until().seconds(), alone->end_time().seconds());
  bool whole = false;
  for (const common::v1::Event& event : Events()) {
    v1::PrivateAppointmentEvent payload;
    if (!event.payload().UnpackTo(&payload)) continue;
    EXPECT_EQ(event.resource(), alone->name() + "/private");
    EXPECT_EQ(payload.appointment().patient(), alone->patient());
    EXPECT_FALSE(payload.appointment().counts_towards_course());
    whole = true;
  }
  EXPECT_TRUE(whole);
}

TEST_P(AppointmentsTest, SupervisorsReadAndChangeNothing) {
  const v1::Course course = Begun("p");
  const v1::Appointment appointment = Booked(course, 2, 10, 9);
  const Who supervisor = {"ben", {"supervisor", "therapist"}, {}, "acme"};
  EXPECT_EQ(Get(supervisor, appointment).name(), "");
  ASSERT_TRUE(Do(&SupervisionHandlers::CreateSupervision, admin_,
                 Parse<v1::CreateSupervisionRequest>(
                     "parent: 'organizations/acme' supervision { supervisor: "
                     "'organizations/acme/clinicians/ben' supervisee: "
                     "'organizations/acme/clinicians/anna' start_time { seconds: 1769774400 } }"))
                  .ok());
  EXPECT_EQ(Get(supervisor, appointment).DebugString(), appointment.DebugString());
  EXPECT_THAT(ListOf(supervisor, Of(course)), SizeIs(1));
  EXPECT_EQ(Get(ben_, appointment).name(), "");  // not as a therapist
  EXPECT_EQ(errors::Reason(Move(supervisor, appointment, 2, 11, 9).status()), "NOT_THE_THERAPIST");
  EXPECT_EQ(Reason(&AppointmentHandlers::BookAppointment, supervisor, At(course, 2, 11, 9)),
            "NOT_THE_THERAPIST");
}

// Calendars.

TEST_P(AppointmentsTest, ACalendarTellsTimesAndNothingElse) {
  const v1::Course couple = Couple();
  const v1::Appointment joint = Booked(couple, 2, 9, 9);
  const auto alone = Book(anna_, Privately(At(couple, 2, 10, 9), "q"));
  ASSERT_TRUE(alone.ok()) << alone.status();
  const v1::Appointment hold = Held(Of(couple), 2, 11, 9);
  const v1::Appointment gone = Held(Of(couple), 2, 12, 9);
  ASSERT_TRUE(Release(gone).ok());
  ASSERT_TRUE(Move(scheduler_, joint, 2, 9, 10).ok());
  const auto calendar = [&](const Who& who, const std::string& of) {
    const auto exported =
        Do(&AppointmentHandlers::ExportCalendar, who,
           Parse<v1::ExportCalendarRequest>("parent: 'organizations/acme' " + of));
    EXPECT_TRUE(exported.ok()) << exported.status();
    return exported.ok() ? exported->ics() : "";
  };
  const auto id = [](const v1::Appointment& appointment) {
    return std::string(names::Last(appointment.name()));
  };
  const std::string of_course = calendar(anna_, Of(couple));
  EXPECT_THAT(of_course, HasSubstr(id(joint)));
  EXPECT_THAT(of_course, HasSubstr("SEQUENCE:1"));
  EXPECT_THAT(of_course, HasSubstr("STATUS:TENTATIVE"));
  EXPECT_THAT(of_course, Not(HasSubstr(id(*alone))));
  EXPECT_THAT(of_course, Not(HasSubstr(id(gone))));
  EXPECT_THAT(calendar(scheduler_, "patient: 'organizations/acme/patients/q'"),
              Not(HasSubstr(id(*alone))));
  const std::string own = calendar(anna_, absl::StrCat("clinician: '", kAnna, "'"));
  EXPECT_THAT(own, HasSubstr(id(*alone)));
  EXPECT_THAT(own, HasSubstr("SUMMARY:Busy"));
  for (const std::string& wrong :
       {std::string("parent: 'organizations/acme'"),
        "parent: 'organizations/acme' start_from { seconds: 9 } start_before { seconds: 8 } " +
            Of(couple),
        "parent: 'organizations/acme' start_from { seconds: 0 } start_before { seconds: 34560001 "
        "} " +
            Of(couple)}) {
    EXPECT_EQ(Reason(&AppointmentHandlers::ExportCalendar, anna_,
                     Parse<v1::ExportCalendarRequest>(wrong)),
              "INVALID_FIELD");
  }
}

// Seats and shared time, as groups use them.

TEST_P(AppointmentsTest, ASeatTakesTheMembersTimeAlone) {
  const v1::Course course = Begun("p");
  AddRoom("a", 8);
  const auto booked = database_->Write(
      sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
      [&](sql::Transaction& tx) -> absl::Status {
        Act act(tx, "acme", "Test", now_);
        Booker::SharedSession shared;
        shared.booking = "s1";
        shared.date = absl::CivilDay(2026, 2, 10);
        shared.minute_of_day = 9 * 60;
        shared.minutes = 90;
        shared.room_need.set_capacity(8);
        const std::vector<std::string> leaders = {kAnna, "organizations/acme/clinicians/ben"};
        ASSIGN_OR_RETURN(const auto rooms, booker_.ClaimShared(act, leaders, kNorth, {&shared, 1}));
        EXPECT_THAT(rooms, ElementsAre(absl::StrCat(kNorth, "/rooms/a")));
        SeatAsk ask;
        ask.course = course.name();
        ask.seat = 2;
        SeatAsk::Session& seat = ask.sessions.emplace_back();
        seat.name = "organizations/acme/groups/g/sessions/s1";
        seat.date = shared.date;
        seat.minute_of_day = shared.minute_of_day;
        seat.minutes = 90;
        seat.clinician = kAnna;
        seat.clinic = kNorth;
        ASSIGN_OR_RETURN(const auto seats, booker_.BookSeats(act, ask));
        EXPECT_EQ(seats[0].seat(), 2);
        EXPECT_EQ(seats[0].session_number(), 1);
        return absl::OkStatus();
      });
  ASSERT_TRUE(booked.ok()) << booked;
  EXPECT_THAT(Claims(), ElementsAre("clinicians/anna BOOKED", "clinicians/ben BOOKED",
                                    "patients/p BOOKED", "rooms/north/a BOOKED"));
  const auto seats = ListOf(anna_, Of(course));
  ASSERT_THAT(seats, SizeIs(1));
  EXPECT_EQ(errors::Reason(Move(scheduler_, seats[0], 2, 11, 9).status()), "GROUP_SESSION");
  EXPECT_EQ(Reason(&AppointmentHandlers::BookAppointment, scheduler_, At(Begun("q"), 2, 10, 10)),
            "TIME_TAKEN");
  ASSERT_TRUE(
      database_
          ->Write(
              sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
              [&](sql::Transaction& tx) -> absl::Status {
                Act act(tx, "acme", "Test", now_);
                booker_.FreeShared(act, "s1");
                return booker_.Cancel(act, seats[0].name(), v1::CANCEL_REASON_GROUP, "").status();
              })
          .ok());
  EXPECT_THAT(Claims(), IsEmpty());
}

}  // namespace
}  // namespace rapport::scheduling
