#include <atomic>
#include <map>
#include <thread>

#include "common/time/clock.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/scheduling/rpc/follower.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kBen[] = "organizations/acme/clinicians/ben";

// What changes a course: couples, caseloads, protocols, phases, extensions, transfers, maintenance.
class CourseChangesTest : public SchedulingTest {
 protected:
  absl::StatusOr<v1::Course> Get(const Who& who, const std::string& name) {
    v1::GetCourseRequest request;
    request.set_name(name);
    return Do(&CourseHandlers::GetCourse, who, request);
  }

  std::vector<v1::Appointment> Sessions(const std::string& course,
                                        const Who& who = Therapist("anna")) {
    v1::ListAppointmentsRequest list;
    list.set_parent("organizations/acme");
    list.set_course(course);
    const auto page = Do(&AppointmentHandlers::ListAppointments, who, list);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return {};
    return {page->appointments().begin(), page->appointments().end()};
  }

  // Holds the session, leaving the clock at its start.
  void Hold(const v1::Appointment& appointment, bool everyone = true) {
    now_ = absl::FromUnixSeconds(appointment.start_time().seconds());
    v1::CheckInRequest check_in;
    check_in.set_name(appointment.name());
    for (int i = 0; i < appointment.participants_size(); ++i) {
      check_in.add_participants(everyone ? v1::ATTENDANCE_PRESENT : v1::ATTENDANCE_ABSENT);
    }
    auto held = Do(&AppointmentHandlers::CheckIn, anna_, check_in);
    ASSERT_TRUE(held.ok()) << held.status();
    v1::CompleteAppointmentRequest complete;
    complete.set_name(appointment.name());
    held = Do(&AppointmentHandlers::CompleteAppointment, anna_, complete);
    ASSERT_TRUE(held.ok()) << held.status();
  }

  // Tuesdays at nine from 3 February on.
  std::vector<v1::Appointment> Series(const v1::Course& course, int count) {
    const auto series =
        Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(course, count, 2, 3, 9));
    EXPECT_TRUE(series.ok()) << series.status();
    if (!series.ok()) return {};
    return {series->appointments().begin(), series->appointments().end()};
  }

  static v1::CreateCourseRequest NewCouple(const std::string& patient, const std::string& partner) {
    v1::CreateCourseRequest request = NewCourse(patient);
    v1::Course& course = *request.mutable_course();
    course.set_protocol("protocols/conjoint/revisions/1");
    course.set_partner("organizations/acme/patients/" + partner);
    *course.mutable_partner_particulars() = course.patient_particulars();
    return request;
  }

  void Change(const std::string& clinician, const std::string& text) {
    auto request = Parse<v1::UpdateClinicianRequest>(text);
    request.mutable_clinician()->set_name("organizations/acme/clinicians/" + clinician);
    const auto changed = Do(&DirectoryHandlers::UpdateClinician, admin_, request);
    ASSERT_TRUE(changed.ok()) << changed.status();
  }
  void Cap(const std::string& clinician, int cap) {
    Change(clinician, absl::StrCat("clinician { caseload_cap: ", cap,
                                   " } update_mask { paths: 'caseload_cap' }"));
  }

  static v1::SwitchProtocolRequest Switch(const std::string& name, const std::string& protocol,
                                          v1::SessionCounter counter) {
    v1::SwitchProtocolRequest request;
    request.set_name(name);
    request.set_protocol("protocols/" + protocol + "/revisions/1");
    request.set_reason(v1::SWITCH_REASON_DIAGNOSIS_REVISED);
    request.set_counter(counter);
    return request;
  }

  static v1::TransferCourseRequest Transfer(const std::string& name, v1::TransferSessions sessions,
                                            const std::string& to = "ben") {
    v1::TransferCourseRequest request;
    request.set_name(name);
    request.set_clinician("organizations/acme/clinicians/" + to);
    request.set_reason(v1::TRANSFER_REASON_CLINICIAN_LEAVES);
    request.set_sessions(sessions);
    return request;
  }

  static v1::BeginMaintenanceRequest Maintenance(const std::string& name,
                                                 v1::FutureAppointments future) {
    auto request = Parse<v1::BeginMaintenanceRequest>(
        "contract { cadence_days: 28 ends_on { year: 2027 month: 4 day: 1 } "
        "focus: MAINTENANCE_FOCUS_KEPT }");
    request.set_name(name);
    request.set_future_appointments(future);
    return request;
  }

  // Twelve held sessions of sixteen booked.
  v1::Course Held12(const std::string& patient) {
    const v1::Course course = Active(patient);
    const auto sessions = Series(course, 16);
    for (int i = 0; i < 12; ++i) Hold(sessions[i]);
    return course;
  }

  v1::CourseEvent LastCourseEvent(const std::string& course) {
    v1::CourseEvent payload;
    for (const common::v1::Event& event : Events()) {
      if (event.resource() != course) continue;
      EXPECT_TRUE(event.payload().UnpackTo(&payload));
    }
    return payload;
  }
};
INSTANTIATE_ON_ENGINES(CourseChangesTest);

TEST_P(CourseChangesTest, ACoupleIsFoundByEitherPartner) {
  const auto couple = Do(&CourseHandlers::CreateCourse, anna_, NewCouple("p", "q"));
  ASSERT_TRUE(couple.ok()) << couple.status();
  EXPECT_EQ(couple->kind(), v1::COURSE_KIND_CONJOINT);
  EXPECT_EQ(couple->partner_particulars().birth_year(), 1980);
  EXPECT_EQ(Get(scheduler_, couple->name())->partner_particulars().birth_year(), 0);
  now_ += absl::Seconds(1);
  Begun("q");
  Begun("r");
  const auto found = [&](const std::string& patient) {
    auto request = Parse<v1::ListCoursesRequest>("parent: 'organizations/acme'");
    request.set_patient("organizations/acme/patients/" + patient);
    std::vector<std::string> patients;
    const auto page = Do(&CourseHandlers::ListCourses, anna_, request);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return patients;
    for (const v1::Course& course : page->courses()) {
      patients.push_back(course.patient().substr(course.patient().rfind('/') + 1));
    }
    return patients;
  };
  EXPECT_THAT(found("p"), ElementsAre("p"));
  EXPECT_THAT(found("q"), ElementsAre("q", "p"));
  EXPECT_THAT(found("r"), ElementsAre("r"));
  const v1::CourseEvent event = LastCourseEvent(couple->name());
  EXPECT_EQ(event.kind(), v1::COURSE_KIND_CONJOINT);
  EXPECT_EQ(event.partner(), "organizations/acme/patients/q");
  EXPECT_EQ(event.partner_jurisdiction(), "GB-ENG");

  auto alone = NewCouple("p", "q");
  alone.mutable_course()->clear_partner();
  EXPECT_EQ(
      errors::FieldViolations(Do(&CourseHandlers::CreateCourse, anna_, alone).status())[0].field,
      "course.partner");
}

TEST_P(CourseChangesTest, EveryUnfitAnswerOfNotesIsTheSame) {
  const auto couple = Do(&CourseHandlers::CreateCourse, anna_, NewCouple("p", "q"));
  v1::BeginAssessmentRequest begin;
  begin.set_name(couple->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, anna_, begin).ok());
  v1::ActivateCourseRequest activate;
  activate.set_name(couple->name());
  notes_.answer = notes::v1::SUITABILITY_NOT_COMPLETE;
  const absl::Status refused = Do(&CourseHandlers::ActivateCourse, anna_, activate).status();
  EXPECT_EQ(errors::Reason(refused), "SUITABILITY_NOT_COMPLETE");
  notes_.answer = notes::v1::SUITABILITY_UNSPECIFIED;
  EXPECT_EQ(Do(&CourseHandlers::ActivateCourse, anna_, activate).status(), refused);
  for (const absl::Status& status :
       {errors::NotFound("Course"), errors::NotFound("Case"),
        errors::FailedPrecondition("SCREEN_POSITIVE", "", {{"partner", "q"}}),
        errors::PermissionDenied("NOT_THE_THERAPIST", "")}) {
    notes_.status = status;
    EXPECT_EQ(Do(&CourseHandlers::ActivateCourse, anna_, activate).status(), refused) << status;
  }
  notes_.status = absl::OkStatus();
  notes_.answer = notes::v1::SUITABILITY_ELIGIBLE;
  EXPECT_TRUE(Do(&CourseHandlers::ActivateCourse, anna_, activate).ok());

  v1::DiscontinueCourseRequest stop;
  stop.set_name(couple->name());
  stop.set_reason(v1::DISCONTINUE_REASON_FORMAT_CHANGED);
  stop.set_future_appointments(v1::FUTURE_APPOINTMENTS_CANCEL);
  EXPECT_EQ(Do(&CourseHandlers::DiscontinueCourse, anna_, stop)->end().reason(),
            v1::DISCONTINUE_REASON_FORMAT_CHANGED);
  EXPECT_EQ(LastCourseEvent(couple->name()).discontinue_reason(),
            v1::DISCONTINUE_REASON_FORMAT_CHANGED);
}

TEST_P(CourseChangesTest, AnotherAgeIsForWhoTreatsToJudge) {
  auto request = NewCourse("p");
  request.mutable_course()->mutable_patient_particulars()->set_birth_year(2012);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::CreateCourse, anna_, request).status()),
            "AGE_OUTSIDE_PROTOCOL");
  request.mutable_course()->set_age_override_reason(v1::AGE_OVERRIDE_REASON_DEVELOPMENT_FITS);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::CreateCourse, manager_, request).status()),
            "AGE_OVERRIDE_NOT_ALLOWED");
  const auto course = Do(&CourseHandlers::CreateCourse, anna_, request);
  ASSERT_TRUE(course.ok()) << course.status();
  EXPECT_THAT(course->warnings(), ElementsAre(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL));
}

TEST_P(CourseChangesTest, ACapCountsOpenCoursesOfTheClinician) {
  Cap("anna", 2);
  const v1::Course first = Begun("p1");
  Begun("p2");
  Begun("p3", "ben");
  auto request = NewCourse("p4");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::CreateCourse, anna_, request).status()),
            "CASELOAD_CAP_REACHED");
  request.mutable_course()->set_caseload_override_reason(v1::CASELOAD_OVERRIDE_REASON_URGENT);
  const absl::Status denied = Do(&CourseHandlers::CreateCourse, anna_, request).status();
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(errors::Reason(denied), "CASELOAD_OVERRIDE_NOT_ALLOWED");
  Who elsewhere = anna_;
  elsewhere.roles.push_back("clinic_manager");
  elsewhere.clinics = {{"south"}};
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::CreateCourse, elsewhere, request).status()),
            "CASELOAD_OVERRIDE_NOT_ALLOWED");
  const auto over = Do(&CourseHandlers::CreateCourse, manager_, request);
  ASSERT_TRUE(over.ok()) << over.status();
  EXPECT_THAT(Get(anna_, over->name())->warnings(),
              ElementsAre(v1::COURSE_WARNING_OVER_CASELOAD_CAP));

  // One that ends makes room only once those beyond the cap are gone too.
  for (const std::string& name : {first.name(), over->name()}) {
    EXPECT_FALSE(Do(&CourseHandlers::CreateCourse, anna_, NewCourse("p5")).ok());
    v1::DiscontinueCourseRequest stop;
    stop.set_name(name);
    stop.set_reason(v1::DISCONTINUE_REASON_MOVED_AWAY);
    stop.set_future_appointments(v1::FUTURE_APPOINTMENTS_KEEP);
    ASSERT_TRUE(Do(&CourseHandlers::DiscontinueCourse, anna_, stop).ok());
  }
  EXPECT_TRUE(Do(&CourseHandlers::CreateCourse, anna_, NewCourse("p5")).ok());

  Change("ben",
         "clinician { closed_to_new_courses: true } update_mask { paths: "
         "'closed_to_new_courses' }");
  EXPECT_EQ(
      errors::Reason(Do(&CourseHandlers::CreateCourse, ben_, NewCourse("p6", "ben")).status()),
      "CLOSED_TO_NEW_COURSES");
}

TEST_P(CourseChangesTest, TheLastPlaceUnderACapIsGivenOnce) {
  constexpr int kRivals = 6;
  Cap("anna", 3);
  std::atomic<int> made{0}, refused{0};
  std::vector<std::thread> rivals;
  for (int i = 0; i < kRivals; ++i) {
    const v1::CreateCourseRequest request = NewCourse(absl::StrCat("p", i));
    const call::CallContext context = Context(anna_, request);
    rivals.emplace_back([this, request, context, &made, &refused] {
      const auto course = courses_.CreateCourse(context, request);
      if (course.ok()) {
        ++made;
      } else {
        EXPECT_EQ(errors::Reason(course.status()), "CASELOAD_CAP_REACHED") << course.status();
        ++refused;
      }
    });
  }
  for (std::thread& rival : rivals) rival.join();
  EXPECT_EQ(made, 3);
  EXPECT_EQ(refused, kRivals - 3);
}

TEST_P(CourseChangesTest, AnUpdateChangesWhatIsKnown) {
  const v1::Course course = Begun("p");
  const auto sessions = Series(course, 13);
  auto request = Parse<v1::UpdateCourseRequest>(
      "course { conditions: CONDITION_BIPOLAR planned_sessions: 13 patient_particulars { "
      "majority_on { year: 1998 month: 5 day: 1 } } } update_mask { paths: 'conditions' paths: "
      "'planned_sessions' paths: 'patient_particulars.majority_on' }");
  request.mutable_course()->set_name(course.name());
  request.mutable_course()->set_etag("1");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::UpdateCourse, anna_, request).status()),
            "STALE_ETAG");
  request.mutable_course()->set_etag(course.etag());
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::UpdateCourse, manager_, request).status()),
            "NOT_THE_THERAPIST");
  const auto updated = Do(&CourseHandlers::UpdateCourse, anna_, request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->planned_sessions(), 13);
  EXPECT_EQ(updated->patient_particulars().birth_year(), 1980);
  EXPECT_EQ(updated->patient_particulars().majority_on().year(), 1998);
  EXPECT_THAT(updated->warnings(), ElementsAre(v1::COURSE_WARNING_CONDITION_OUTSIDE_PROTOCOL));
  EXPECT_EQ(LastCourseEvent(course.name()).majority_on().year(), 1998);

  request.mutable_course()->clear_etag();
  request.mutable_course()->set_planned_sessions(12);  // 13 are booked
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::UpdateCourse, anna_, request).status()),
            "PLANNED_SESSIONS_OUT_OF_BOUNDS");
  const auto bad_field = [&](const std::string& path) {
    v1::UpdateCourseRequest bad = request;
    bad.mutable_update_mask()->clear_paths();
    bad.mutable_update_mask()->add_paths(path);
    const auto violations =
        errors::FieldViolations(Do(&CourseHandlers::UpdateCourse, anna_, bad).status());
    return violations.empty() ? "" : violations[0].field;
  };
  EXPECT_EQ(bad_field("clinician"), "update_mask");
  EXPECT_EQ(bad_field("patient_particulars"), "course.patient_particulars.birth_year");
  EXPECT_EQ(bad_field("patient_particulars.birth_year"), "course.patient_particulars.birth_year");
  request.mutable_course()->clear_name();
  EXPECT_EQ(bad_field("conditions"), "course.name");
}

TEST_P(CourseChangesTest, ARestartedCountTakesTheSessionsToComeAlong) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 6);
  for (int i = 0; i < 3; ++i) Hold(sessions[i]);
  auto request = Switch(course.name(), "ipsrt", v1::SESSION_COUNTER_RESTARTED);
  request.set_request_id("s1");
  const size_t before = Events().size();
  const auto switched = Do(&CourseHandlers::SwitchProtocol, anna_, request);
  ASSERT_TRUE(switched.ok()) << switched.status();
  EXPECT_EQ(switched->segment(), 1);
  EXPECT_EQ(switched->sessions_used(), 0);
  EXPECT_EQ(switched->phase(), v1::PHASE_INITIAL);
  EXPECT_EQ(switched->planned_sessions(), 20);
  EXPECT_EQ(switched->protocol_history(0).sessions_used(), 3);
  EXPECT_EQ(Do(&CourseHandlers::SwitchProtocol, anna_, request)->DebugString(),
            switched->DebugString());

  const auto after = Sessions(course.name());
  ASSERT_THAT(after, SizeIs(6));
  std::vector<int> numbers, segments;
  for (const v1::Appointment& session : after) {
    numbers.push_back(session.session_number());
    segments.push_back(session.segment());
  }
  EXPECT_THAT(numbers, ElementsAre(1, 2, 3, 1, 2, 3));
  EXPECT_THAT(segments, ElementsAre(0, 0, 0, 1, 1, 1));
  const auto events = Events();
  ASSERT_EQ(events.size(), before + 4);
  EXPECT_EQ(events[before].resource(), course.name());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(events[before + 1 + i].resource(), sessions[3 + i].name());
    v1::AppointmentEvent payload;
    ASSERT_TRUE(events[before + 1 + i].payload().UnpackTo(&payload));
    EXPECT_EQ(payload.segment(), 1);
  }
  const v1::CourseEvent event = LastCourseEvent(course.name());
  EXPECT_EQ(event.segment(), 1);
  EXPECT_EQ(event.protocol(), "protocols/ipsrt/revisions/1");

  Hold(sessions[3]);
  EXPECT_EQ(Get(anna_, course.name())->sessions_used(), 1);
  v1::CompleteCourseRequest complete;
  complete.set_name(course.name());
  complete.set_future_appointments(v1::FUTURE_APPOINTMENTS_CANCEL);
  const absl::Status few = Do(&CourseHandlers::CompleteCourse, anna_, complete).status();
  EXPECT_EQ(errors::Reason(few), "TOO_FEW_SESSIONS");
  EXPECT_EQ(errors::MetadataValue(few, "sessions_held"), "1");
}

TEST_P(CourseChangesTest, ACarriedCountGoesOn) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 6);
  for (int i = 0; i < 3; ++i) Hold(sessions[i]);
  auto request = Switch(course.name(), "ipsrt", v1::SESSION_COUNTER_CARRIED);
  const auto switched = Do(&CourseHandlers::SwitchProtocol, anna_, request);
  ASSERT_TRUE(switched.ok()) << switched.status();
  EXPECT_EQ(switched->segment(), 0);
  EXPECT_EQ(switched->sessions_used(), 3);
  EXPECT_EQ(Sessions(course.name())[5].session_number(), 6);

  const auto reason = [&](const std::string& protocol) {
    request.set_protocol(protocol);
    return errors::Reason(Do(&CourseHandlers::SwitchProtocol, anna_, request).status());
  };
  EXPECT_EQ(reason("protocols/ipsrt/revisions/1"), "SAME_PROTOCOL");
  EXPECT_EQ(reason("protocols/ipsrt/revisions/9"), "UNKNOWN_PROTOCOL");
  EXPECT_EQ(reason("protocols/conjoint/revisions/1"), "PROTOCOL_KIND");
  EXPECT_EQ(reason("protocols/ipt-a/revisions/1"), "AGE_OUTSIDE_PROTOCOL");
  request.set_planned_sessions(5);
  EXPECT_EQ(reason("protocols/classic/revisions/1"), "PLANNED_SESSIONS_OUT_OF_BOUNDS");
  EXPECT_EQ(Get(anna_, course.name())->etag(), switched->etag());
}

TEST_P(CourseChangesTest, ADeclaredPhaseBeginsWithTheNextSession) {
  const v1::Course course = Active("p");
  Hold(Series(course, 2)[0]);
  v1::DeclarePhaseRequest request;
  request.set_name(course.name());
  request.set_phase(v1::PHASE_TERMINATION);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::DeclarePhase, anna_, request).status()),
            "PHASE_OUT_OF_RANGE");
  request.set_phase(v1::PHASE_MIDDLE);
  const auto declared = Do(&CourseHandlers::DeclarePhase, anna_, request);
  ASSERT_TRUE(declared.ok()) << declared.status();
  EXPECT_EQ(declared->phase(), v1::PHASE_MIDDLE);
  EXPECT_THAT(declared->warnings(), ElementsAre(v1::COURSE_WARNING_FORMULATION_NOT_AGREED));
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::DeclarePhase, anna_, request).status()),
            "PHASE_PASSED");
  const v1::CourseEvent event = LastCourseEvent(course.name());
  EXPECT_EQ(event.phases(0).last_session(), 1);
  EXPECT_EQ(event.phases(1).first_session(), 2);
}

TEST_P(CourseChangesTest, AnAgreedFormulationEndsItsWarning) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 4);
  for (int i = 0; i < 3; ++i) Hold(sessions[i]);
  const auto tell = [&](int64_t version, notes::v1::Agreement agreement) {
    notes::v1::CaseEvent payload;
    payload.set_course(course.name());
    payload.set_formulation_agreement(agreement);
    common::v1::Event event;
    event.set_organization("organizations/acme");
    event.set_version(version);
    event.mutable_payload()->PackFrom(payload);
    time::ManualClock clock(now_);
    const NotesFollower follower(revisions_, clock);
    const absl::Status applied =
        database_->Write(sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30),
                         [&](sql::Transaction& tx) { return follower.Apply(tx, event); });
    EXPECT_TRUE(applied.ok()) << applied;
    return Get(anna_, course.name())->warnings();
  };
  const auto warned = Contains(v1::COURSE_WARNING_FORMULATION_NOT_AGREED);
  EXPECT_THAT(Get(anna_, course.name())->warnings(), warned);
  EXPECT_THAT(tell(1, notes::v1::AGREEMENT_NOT_YET), warned);
  EXPECT_THAT(tell(3, notes::v1::AGREEMENT_MODIFIED), IsEmpty());
  EXPECT_THAT(tell(2, notes::v1::AGREEMENT_DECLINED), IsEmpty());  // an older one
  EXPECT_THAT(tell(4, notes::v1::AGREEMENT_DECLINED), warned);
  EXPECT_THAT(tell(5, notes::v1::AGREEMENT_AGREED), IsEmpty());
  EXPECT_THAT(Get(scheduler_, course.name())->warnings(), IsEmpty());
}

TEST_P(CourseChangesTest, ExtensionsMakeRoomForSessions) {
  const v1::Course course = Active("p");
  Series(course, 16);
  EXPECT_EQ(
      errors::Reason(
          Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 5, 26, 9)).status()),
      "SESSION_CAP_REACHED");
  v1::ExtendCourseRequest request;
  request.set_name(course.name());
  request.set_reason(v1::EXTENSION_REASON_INTERVENING_EVENT);
  request.set_sessions(1);
  const auto extended = Do(&CourseHandlers::ExtendCourse, anna_, request);
  ASSERT_TRUE(extended.ok()) << extended.status();
  EXPECT_EQ(extended->planned_sessions(), 17);
  EXPECT_EQ(extended->max_sessions(), 17);
  EXPECT_EQ(LastCourseEvent(course.name()).planned_sessions(), 17);
  // The 23rd week: beyond the span of 20.
  EXPECT_EQ(
      errors::Reason(
          Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 7, 7, 9)).status()),
      "COURSE_SPAN_EXCEEDED");
  request.set_sessions(0);
  request.set_weeks(8);
  EXPECT_EQ(Do(&CourseHandlers::ExtendCourse, anna_, request)->max_weeks(), 28);
  EXPECT_TRUE(Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 7, 7, 9)).ok());
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::ExtendCourse, anna_, request).status()),
            "EXTENSION_OUT_OF_BOUNDS");
  request.set_weeks(0);
  EXPECT_EQ(
      errors::FieldViolations(Do(&CourseHandlers::ExtendCourse, anna_, request).status())[0].field,
      "sessions");
}

TEST_P(CourseChangesTest, ATransferMovesAllSessionsOrNone) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 4);
  Hold(sessions[0]);
  const v1::Course other = Active("q", "ben");
  const v1::Appointment obstacle = Booked(other, 2, 17, 9);
  auto request = Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE);
  const size_t before = Events().size();
  const absl::Status blocked = Do(&CourseHandlers::TransferCourse, anna_, request).status();
  EXPECT_EQ(errors::Reason(blocked), "TRANSFER_BLOCKED");
  EXPECT_EQ(errors::MetadataValue(blocked, "date"), "2026-02-17");
  EXPECT_EQ(errors::MetadataValue(blocked, "reason"), "TIME_TAKEN");
  EXPECT_EQ(Events().size(), before);
  EXPECT_EQ(Get(anna_, course.name())->clinician(), course.clinician());

  v1::CancelAppointmentRequest cancel;
  cancel.set_name(obstacle.name());
  cancel.set_reason(v1::CANCEL_REASON_PATIENT);
  ASSERT_TRUE(Do(&AppointmentHandlers::CancelAppointment, ben_, cancel).ok());
  request.set_request_id("t1");
  const size_t moved_from = Events().size();
  const auto transferred = Do(&CourseHandlers::TransferCourse, anna_, request);
  ASSERT_TRUE(transferred.ok()) << transferred.status();
  EXPECT_EQ(transferred->course().clinician(), kBen);
  EXPECT_EQ(transferred->course().transfers(0).from_clinician(), course.clinician());
  EXPECT_EQ(transferred->course().sessions_used(), 1);
  ASSERT_EQ(transferred->moved_size(), 3);
  EXPECT_THAT(transferred->offered(), IsEmpty());
  EXPECT_THAT(transferred->unplaced(), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(transferred->moved(i).name(), sessions[i + 1].name());
    EXPECT_EQ(transferred->moved(i).clinician(), kBen);
    EXPECT_EQ(transferred->moved(i).session_number(), i + 2);
    EXPECT_THAT(transferred->moved(i).warnings(), IsEmpty());
    EXPECT_EQ(transferred->moved(i).start_time().seconds(), sessions[i + 1].start_time().seconds());
  }
  const auto events = Events();
  ASSERT_EQ(events.size(), moved_from + 4);
  EXPECT_EQ(events[moved_from].resource(), course.name());
  EXPECT_EQ(LastCourseEvent(course.name()).clinician(), kBen);

  // It is ben's now; anna's time is free, and her repeat is told so.
  EXPECT_EQ(Get(anna_, course.name()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Get(ben_, course.name()).ok());
  const auto repeated = Do(&CourseHandlers::TransferCourse, anna_, request);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(repeated->moved_size(), 3);
  EXPECT_EQ(repeated->course().patient_particulars().birth_year(), 0);
  EXPECT_EQ(Booked(Active("r"), 2, 10, 9).clinician(), course.clinician());

  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, ben_,
                              Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE))
                               .status()),
            "SAME_CLINICIAN");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, ben_,
                              Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE, "nobody"))
                               .status()),
            "UNKNOWN_CLINICIAN");
}

TEST_P(CourseChangesTest, WhoHasACourseReadsAllOfItsSessions) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 2);
  Hold(sessions[0]);
  v1::GetAppointmentRequest get;
  get.set_name(sessions[0].name());
  v1::ListAppointmentsRequest list;
  list.set_parent("organizations/acme");
  list.set_course(course.name());
  EXPECT_EQ(Do(&AppointmentHandlers::GetAppointment, ben_, get).status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(Do(&CourseHandlers::TransferCourse, anna_,
                 Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE))
                  .ok());
  // What anna held is still hers, and of ben's course.
  for (const Who& who : {anna_, ben_}) {
    const auto held = Do(&AppointmentHandlers::GetAppointment, who, get);
    ASSERT_TRUE(held.ok()) << held.status();
    EXPECT_EQ(held->clinician(), course.clinician());
    EXPECT_EQ(held->state(), v1::APPOINTMENT_STATE_COMPLETED);
  }
  EXPECT_EQ(Do(&AppointmentHandlers::ListAppointments, ben_, list)->appointments_size(), 2);
  EXPECT_EQ(Do(&AppointmentHandlers::ListAppointments, anna_, list)->appointments_size(), 1);
  const Who stranger = Therapist("stranger");
  EXPECT_EQ(Do(&AppointmentHandlers::ListAppointments, stranger, list)->appointments_size(), 0);
}

TEST_P(CourseChangesTest, ATransferOffersOtherTimesForWhatDoesNotFit) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 4);
  const v1::Course other = Active("q", "ben");
  Booked(other, 2, 10, 9);
  Booked(other, 2, 17, 9);
  Booked(other, 2, 10, 11);
  // An index that trails: it says eleven o'clock of the same day, which is taken on the 10th, and
  // for the 17th knows of nothing but the 20th at ten.
  nearest_ = [&](absl::string_view clinician, absl::string_view, absl::Time around,
                 int minutes) -> std::optional<absl::Time> {
    EXPECT_EQ(clinician, kBen);
    EXPECT_EQ(minutes, 50);
    const absl::CivilDay day = absl::ToCivilDay(around, absl::UTCTimeZone());
    if (day > absl::CivilDay(2026, 2, 14)) {
      return absl::FromCivil(absl::CivilHour(2026, 2, 20, 10), absl::UTCTimeZone());
    }
    return absl::FromCivil(absl::CivilHour(day) + 11, absl::UTCTimeZone());
  };
  const auto transferred = Do(&CourseHandlers::TransferCourse, anna_,
                              Transfer(course.name(), v1::TRANSFER_SESSIONS_OFFER));
  ASSERT_TRUE(transferred.ok()) << transferred.status();
  ASSERT_EQ(transferred->moved_size(), 2);
  EXPECT_EQ(transferred->moved(0).name(), sessions[0].name());
  EXPECT_EQ(transferred->moved(1).name(), sessions[3].name());
  ASSERT_EQ(transferred->offered_size(), 2);
  for (const v1::Appointment& offer : transferred->offered()) {
    EXPECT_EQ(offer.state(), v1::APPOINTMENT_STATE_HELD);
    EXPECT_EQ(offer.clinician(), kBen);
    EXPECT_EQ(offer.course(), course.name());
    EXPECT_EQ(offer.hold_expire_time().seconds(), absl::ToUnixSeconds(now_ + absl::Hours(4)));
  }
  EXPECT_EQ(transferred->offered(0).local_date().day(), 11);
  EXPECT_EQ(transferred->offered(0).local_time().hours(), 11);
  EXPECT_EQ(transferred->offered(1).local_date().day(), 20);
  std::map<std::string, v1::Appointment> by_name;
  for (const v1::Appointment& session : Sessions(course.name(), scheduler_)) {
    by_name[session.name()] = session;
  }
  for (int i : {1, 2}) {
    EXPECT_EQ(by_name[sessions[i].name()].state(), v1::APPOINTMENT_STATE_CANCELLED);
    EXPECT_EQ(by_name[sessions[i].name()].cancel_reason(), v1::CANCEL_REASON_TRANSFER);
  }
  v1::ConfirmHoldRequest confirm;
  confirm.set_name(transferred->offered(0).name());
  const auto confirmed = Do(&AppointmentHandlers::ConfirmHold, ben_, confirm);
  ASSERT_TRUE(confirmed.ok()) << confirmed.status();
  EXPECT_EQ(confirmed->session_number(), 2);
}

TEST_P(CourseChangesTest, WhatFitsNowhereIsToldAsUnplaced) {
  const v1::Course course = Active("p");
  const auto sessions = Series(course, 2);
  const v1::Course other = Active("q", "ben");
  Booked(other, 2, 10, 9);
  auto request = Transfer(course.name(), v1::TRANSFER_SESSIONS_OFFER);
  // By the clinic's manager, who sees the times alone.
  const auto transferred = Do(&CourseHandlers::TransferCourse, manager_, request);
  ASSERT_TRUE(transferred.ok()) << transferred.status();
  EXPECT_EQ(transferred->moved_size(), 1);
  EXPECT_THAT(transferred->offered(), IsEmpty());
  ASSERT_EQ(transferred->unplaced_size(), 1);
  EXPECT_EQ(transferred->unplaced(0).name(), sessions[1].name());
  EXPECT_EQ(transferred->unplaced(0).state(), v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_EQ(transferred->course().patient_particulars().birth_year(), 0);
  EXPECT_EQ(transferred->course().transfers(0).reason(), v1::TRANSFER_REASON_UNSPECIFIED);
  EXPECT_EQ(Get(ben_, course.name())->transfers(0).reason(), v1::TRANSFER_REASON_CLINICIAN_LEAVES);
}

TEST_P(CourseChangesTest, ATransferRespectsTheCapAndWhoMay) {
  const v1::Course course = Active("p");
  Cap("ben", 1);
  Begun("q", "ben");
  auto request = Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, anna_, request).status()),
            "CASELOAD_CAP_REACHED");
  EXPECT_EQ(Do(&CourseHandlers::TransferCourse, ben_, request).status().code(),
            absl::StatusCode::kNotFound);
  request.set_caseload_override_reason(v1::CASELOAD_OVERRIDE_REASON_AGREED);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, anna_, request).status()),
            "CASELOAD_OVERRIDE_NOT_ALLOWED");
  Who south = manager_;
  south.clinics = {{"south"}};
  EXPECT_EQ(Do(&CourseHandlers::TransferCourse, south, request).status().code(),
            absl::StatusCode::kNotFound);
  request.set_etag("1");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, manager_, request).status()),
            "STALE_ETAG");
  request.clear_etag();
  ASSERT_TRUE(Do(&CourseHandlers::TransferCourse, manager_, request).ok());
  EXPECT_THAT(Get(ben_, course.name())->warnings(),
              ElementsAre(v1::COURSE_WARNING_OVER_CASELOAD_CAP));

  Change("anna",
         "clinician { clinics: 'organizations/acme/clinics/south' weekly_hours { clinic: "
         "'organizations/acme/clinics/south' day_of_week: MONDAY start_time { hours: 9 } "
         "end_time { hours: 17 } } } update_mask { paths: 'clinics' paths: 'weekly_hours' }");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, ben_,
                              Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE, "anna"))
                               .status()),
            "CLINICIAN_NOT_AT_CLINIC");
}

TEST_P(CourseChangesTest, APausedCourseKeepsItsSessionsFromMoving) {
  const v1::Course course = Active("p");
  Series(course, 1);
  ASSERT_TRUE(Do(&CourseHandlers::PauseCourse, anna_,
                 Parse<v1::PauseCourseRequest>(absl::StrCat(
                     "name: '", course.name(),
                     "' reason: PAUSE_REASON_ILLNESS return_date { year: 2026 month: 3 day: 1 } "
                     "future_appointments: FUTURE_APPOINTMENTS_KEEP")))
                  .ok());
  const absl::Status blocked = Do(&CourseHandlers::TransferCourse, anna_,
                                  Transfer(course.name(), v1::TRANSFER_SESSIONS_OFFER))
                                   .status();
  EXPECT_EQ(errors::Reason(blocked), "TRANSFER_BLOCKED");
  EXPECT_EQ(errors::MetadataValue(blocked, "reason"), "COURSE_STATE");
}

TEST_P(CourseChangesTest, MaintenanceCountsAnew) {
  const v1::Course course = Held12("p");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::BeginMaintenance, manager_,
                              Maintenance(course.name(), v1::FUTURE_APPOINTMENTS_CANCEL))
                               .status()),
            "NOT_THE_THERAPIST");
  auto request = Maintenance(course.name(), v1::FUTURE_APPOINTMENTS_CANCEL);
  request.mutable_contract()->set_cadence_days(8);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::BeginMaintenance, anna_, request).status()),
            "MAINTENANCE_NOT_OFFERED");
  request.mutable_contract()->set_cadence_days(28);
  request.mutable_contract()->set_remission_needed_medication(true);
  const auto kept = Do(&CourseHandlers::BeginMaintenance, anna_, request);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->state(), v1::COURSE_STATE_MAINTENANCE);
  EXPECT_EQ(kept->phase(), v1::PHASE_MAINTENANCE);
  EXPECT_EQ(kept->segment(), 1);
  EXPECT_EQ(kept->sessions_used(), 0);
  EXPECT_EQ(kept->planned_sessions(), 12);  // 345 days
  EXPECT_THAT(kept->warnings(), ElementsAre(v1::COURSE_WARNING_MAINTENANCE_AFTER_MEDICATION));
  int cancelled = 0;
  for (const v1::Appointment& session : Sessions(course.name())) {
    cancelled += session.state() == v1::APPOINTMENT_STATE_CANCELLED ? 1 : 0;
  }
  EXPECT_EQ(cancelled, 4);
  const v1::CourseEvent event = LastCourseEvent(course.name());
  ASSERT_EQ(event.phases_size(), 1);
  EXPECT_EQ(event.phases(0).phase(), v1::PHASE_MAINTENANCE);
  EXPECT_EQ(event.maintenance().cadence_days(), 28);
  EXPECT_EQ(Get(scheduler_, course.name())->maintenance().focus(),
            v1::MAINTENANCE_FOCUS_UNSPECIFIED);

  const v1::Appointment visit = Booked(course, 5, 19, 9);
  EXPECT_EQ(visit.session_number(), 1);
  EXPECT_EQ(visit.segment(), 1);
  const auto pause = Parse<v1::PauseCourseRequest>(
      absl::StrCat("name: '", course.name(),
                   "' reason: PAUSE_REASON_PATIENT_AWAY return_date { year: 2026 month: 5 day: 1 } "
                   "future_appointments: FUTURE_APPOINTMENTS_KEEP"));
  EXPECT_EQ(Do(&CourseHandlers::PauseCourse, anna_, pause)->pause().from_state(),
            v1::COURSE_STATE_MAINTENANCE);
  v1::ResumeCourseRequest resume;
  resume.set_name(course.name());
  EXPECT_EQ(Do(&CourseHandlers::ResumeCourse, anna_, resume)->state(),
            v1::COURSE_STATE_MAINTENANCE);
  Hold(visit);
  v1::CompleteCourseRequest complete;
  complete.set_name(course.name());
  complete.set_future_appointments(v1::FUTURE_APPOINTMENTS_CANCEL);
  const auto completed = Do(&CourseHandlers::CompleteCourse, anna_, complete);
  ASSERT_TRUE(completed.ok()) << completed.status();
  EXPECT_EQ(completed->state(), v1::COURSE_STATE_COMPLETED);
  EXPECT_EQ(completed->phase(), v1::PHASE_MAINTENANCE);
}

TEST_P(CourseChangesTest, KeptSessionsJoinTheMaintenance) {
  const v1::Course course = Held12("p");
  const auto kept = Do(&CourseHandlers::BeginMaintenance, anna_,
                       Maintenance(course.name(), v1::FUTURE_APPOINTMENTS_KEEP));
  ASSERT_TRUE(kept.ok()) << kept.status();
  const auto sessions = Sessions(course.name());
  ASSERT_THAT(sessions, SizeIs(16));
  EXPECT_EQ(sessions[11].segment(), 0);
  EXPECT_EQ(sessions[11].session_number(), 12);
  EXPECT_EQ(sessions[12].segment(), 1);
  EXPECT_EQ(sessions[12].session_number(), 1);
  EXPECT_EQ(sessions[15].session_number(), 4);
}

TEST_P(CourseChangesTest, ACourseTellsWhoIsMissing) {
  auto create = NewCourse("p");
  create.mutable_course()->set_protocol("protocols/ipt-a/revisions/1");
  create.mutable_course()->mutable_patient_particulars()->set_birth_year(2011);
  const auto girl = Do(&CourseHandlers::CreateCourse, anna_, create);
  ASSERT_TRUE(girl.ok()) << girl.status();
  EXPECT_THAT(girl->missing_participants(), IsEmpty());
  v1::BeginAssessmentRequest begin;
  begin.set_name(girl->name());
  const auto begun = Do(&CourseHandlers::BeginAssessment, anna_, begin);
  const int expected = begun->missing_participants_size();
  ASSERT_GT(expected, 1);
  EXPECT_EQ(begun->missing_participants(0).role(), v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN);
  EXPECT_THAT(Get(scheduler_, girl->name())->missing_participants(), IsEmpty());

  auto book = At(*girl, 2, 3, 9);
  book.add_participants()->set_role(v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN);
  const auto first = Do(&AppointmentHandlers::BookAppointment, anna_, book);
  ASSERT_TRUE(first.ok()) << first.status();
  Hold(*first, /*everyone=*/false);
  EXPECT_EQ(Get(anna_, girl->name())->missing_participants_size(), expected);
  book = At(*girl, 2, 10, 9);
  book.add_participants()->set_role(v1::PARTICIPANT_ROLE_PARENT_OR_GUARDIAN);
  const auto second = Do(&AppointmentHandlers::BookAppointment, anna_, book);
  ASSERT_TRUE(second.ok()) << second.status();
  Hold(*second);
  EXPECT_EQ(Get(anna_, girl->name())->missing_participants_size(), expected - 1);
  // In a list among others, each its own.
  now_ += absl::Seconds(1);
  Begun("q");
  const auto listed = Do(&CourseHandlers::ListCourses, anna_,
                         Parse<v1::ListCoursesRequest>("parent: 'organizations/acme'"));
  ASSERT_EQ(listed->courses_size(), 2);
  EXPECT_EQ(listed->courses(0).missing_participants_size(), 0);
  EXPECT_EQ(listed->courses(1).missing_participants_size(), expected - 1);
}

TEST_P(CourseChangesTest, SupervisorsReadWhatTheirSuperviseesTreat) {
  const v1::Course course = Active("p");
  const auto pair =
      Do(&SupervisionHandlers::CreateSupervision, admin_,
         Parse<v1::CreateSupervisionRequest>(absl::StrCat(
             "parent: 'organizations/acme' supervision { supervisor: '", kBen,
             "' supervisee: 'organizations/acme/clinicians/anna' start_time { seconds: ",
             absl::ToUnixSeconds(now_), " } }")));
  ASSERT_TRUE(pair.ok()) << pair.status();
  const Who supervisor{"ben", {"therapist", "supervisor"}, {}, "acme"};
  const auto read = Get(supervisor, course.name());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->patient_particulars().birth_year(), 1980);
  EXPECT_EQ(Get(ben_, course.name()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Do(&CourseHandlers::ListCourses, supervisor,
               Parse<v1::ListCoursesRequest>("parent: 'organizations/acme'"))
                ->courses_size(),
            1);
  v1::ExtendCourseRequest extend;
  extend.set_name(course.name());
  extend.set_sessions(1);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::ExtendCourse, supervisor, extend).status()),
            "NOT_THE_THERAPIST");
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::TransferCourse, supervisor,
                              Transfer(course.name(), v1::TRANSFER_SESSIONS_MOVE))
                               .status()),
            "NOT_THE_THERAPIST");
}

}  // namespace
}  // namespace rapport::scheduling
