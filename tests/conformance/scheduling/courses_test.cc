#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CoursesTest : public SchedulingTest {
 protected:
  absl::StatusOr<v1::Course> GetAs(const Who& who, const std::string& name) {
    v1::GetCourseRequest request;
    request.set_name(name);
    return Do(&CourseHandlers::GetCourse, who, request);
  }

  absl::StatusOr<v1::Course> Activate(const std::string& name, const std::string& request_id = "") {
    v1::ActivateCourseRequest request;
    request.set_name(name);
    request.set_request_id(request_id);
    return Do(&CourseHandlers::ActivateCourse, anna_, request);
  }

  std::vector<std::string> ListAs(const Who& who, const std::string& query = "") {
    auto request =
        Parse<v1::ListCoursesRequest>("parent: 'organizations/acme' page_size: 2 " + query);
    std::vector<std::string> patients;
    do {
      const auto page = Do(&CourseHandlers::ListCourses, who, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const v1::Course& course : page->courses()) {
        patients.push_back(course.patient().substr(course.patient().rfind('/') + 1));
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return patients;
  }

  void CoverAnnaByBen(absl::Time from, absl::Time to) {
    const auto cover = Do(
        &DirectoryHandlers::CreateCover, admin_,
        Parse<v1::CreateCoverRequest>(absl::StrCat(
            "parent: 'organizations/acme' cover { clinician: 'organizations/acme/clinicians/anna' "
            "covering_clinician: 'organizations/acme/clinicians/ben' start_time { seconds: ",
            absl::ToUnixSeconds(from), " } end_time { seconds: ", absl::ToUnixSeconds(to),
            " } }")));
    ASSERT_TRUE(cover.ok()) << cover.status();
  }

  // Holds the session that begins at `start`, leaving the clock there.
  void Hold(const v1::Appointment& appointment) {
    now_ = absl::FromUnixSeconds(appointment.start_time().seconds());
    v1::CheckInRequest check_in;
    check_in.set_name(appointment.name());
    auto held = Do(&AppointmentHandlers::CheckIn, anna_, check_in);
    ASSERT_TRUE(held.ok()) << held.status();
    v1::CompleteAppointmentRequest complete;
    complete.set_name(appointment.name());
    held = Do(&AppointmentHandlers::CompleteAppointment, anna_, complete);
    ASSERT_TRUE(held.ok()) << held.status();
  }
};
INSTANTIATE_ON_ENGINES(CoursesTest);

TEST_P(CoursesTest, NamesWhatIsUnknown) {
  const auto reason = [&](const std::string& field, const std::string& value) {
    v1::CreateCourseRequest request = NewCourse("p");
    const auto* descriptor = v1::Course::descriptor()->FindFieldByName(field);
    request.course().GetReflection()->SetString(request.mutable_course(), descriptor, value);
    return errors::Reason(Do(&CourseHandlers::CreateCourse, anna_, request).status());
  };
  EXPECT_EQ(reason("clinician", "organizations/acme/clinicians/nobody"), "UNKNOWN_CLINICIAN");
  EXPECT_EQ(reason("clinic", "organizations/acme/clinics/nowhere"), "UNKNOWN_CLINIC");
  EXPECT_EQ(reason("protocol", "protocols/classic/revisions/9"), "UNKNOWN_PROTOCOL");
}

TEST_P(CoursesTest, TherapistsProposeTheirOwnAndManagersThoseOfTheirClinics) {
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::CreateCourse, ben_, NewCourse("p")).status()),
            "NOT_THE_THERAPIST");
  Who manager = manager_;
  manager.clinics = {{"south"}};
  EXPECT_EQ(Do(&CourseHandlers::CreateCourse, manager, NewCourse("p")).status().code(),
            absl::StatusCode::kPermissionDenied);
  const auto course = Do(&CourseHandlers::CreateCourse, manager, NewCourse("p", "anna", "south"));
  ASSERT_TRUE(course.ok()) << course.status();
  EXPECT_EQ(course->patient_particulars().birth_year(), 0);
  v1::BeginAssessmentRequest begin;
  begin.set_name(course->name());
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::BeginAssessment, manager, begin).status()),
            "NOT_THE_THERAPIST");
}

TEST_P(CoursesTest, WhoMayKnowACourse) {
  const v1::Course course = Begun("p");
  const std::string& name = course.name();
  EXPECT_EQ(GetAs(anna_, name)->patient_particulars().birth_year(), 1980);
  EXPECT_EQ(GetAs(scheduler_, name)->patient_particulars().birth_year(), 0);
  Who manager = manager_;
  EXPECT_TRUE(GetAs(manager, name).ok());
  manager.clinics = {{"north"}};
  EXPECT_TRUE(GetAs(manager, name).ok());
  manager.clinics = {{"south"}};
  const absl::Status hidden = GetAs(manager, name).status();
  manager.clinics = std::vector<std::string>();
  EXPECT_EQ(GetAs(manager, name).status(), hidden);
  EXPECT_EQ(GetAs(ben_, name).status(), hidden);
  EXPECT_EQ(GetAs(anna_, "organizations/acme/courses/none").status(), hidden);
  EXPECT_EQ(hidden.code(), absl::StatusCode::kNotFound);
  // One who has the subject but not the role.
  EXPECT_EQ(GetAs({"anna", {"analyst"}, {}, "acme"}, name).status(), hidden);
}

TEST_P(CoursesTest, ACoverReachesTheCourseWhileItLasts) {
  const std::string name = Begun("p").name();
  const absl::Time noon = now_;
  CoverAnnaByBen(noon + absl::Hours(1), noon + absl::Hours(2));
  EXPECT_FALSE(GetAs(ben_, name).ok());
  EXPECT_THAT(ListAs(ben_), IsEmpty());
  now_ = noon + absl::Hours(1);
  EXPECT_EQ(GetAs(ben_, name)->patient_particulars().birth_year(), 1980);
  EXPECT_THAT(ListAs(ben_), ElementsAre("p"));
  now_ = noon + absl::Hours(2);
  EXPECT_FALSE(GetAs(ben_, name).ok());
}

TEST_P(CoursesTest, ListsNewestFirstByFilterAndReach) {
  for (const char* patient : {"p1", "p2", "p3", "p4", "p5"}) {
    now_ += absl::Seconds(1);
    Begun(patient, patient[1] == '4' ? "ben" : "anna", patient[1] == '5' ? "south" : "north");
  }
  EXPECT_THAT(ListAs(scheduler_), ElementsAre("p5", "p4", "p3", "p2", "p1"));
  EXPECT_THAT(ListAs(anna_), ElementsAre("p5", "p3", "p2", "p1"));
  EXPECT_THAT(ListAs(ben_), ElementsAre("p4"));
  EXPECT_THAT(ListAs(ben_, "clinician: 'organizations/acme/clinicians/anna'"), IsEmpty());
  EXPECT_THAT(ListAs(scheduler_, "clinician: 'organizations/acme/clinicians/anna'"),
              ElementsAre("p5", "p3", "p2", "p1"));
  EXPECT_THAT(ListAs(scheduler_, "patient: 'organizations/acme/patients/p4'"), ElementsAre("p4"));
  EXPECT_THAT(ListAs(scheduler_,
                     "patient: 'organizations/acme/patients/p4' clinician: "
                     "'organizations/acme/clinicians/anna'"),
              IsEmpty());
  EXPECT_THAT(ListAs(scheduler_, "states: COURSE_STATE_ACTIVE"), IsEmpty());
  EXPECT_THAT(ListAs(scheduler_, "states: COURSE_STATE_ACTIVE states: COURSE_STATE_ASSESSING"),
              SizeIs(5));
  Who south = scheduler_;
  south.clinics = {{"south", "west"}};
  EXPECT_THAT(ListAs(south), ElementsAre("p5"));
}

TEST_P(CoursesTest, APageTokenBelongsToItsQuery) {
  for (const char* patient : {"p1", "p2", "p3"}) Begun(patient);
  auto request = Parse<v1::ListCoursesRequest>("parent: 'organizations/acme' page_size: 1");
  const auto page = Do(&CourseHandlers::ListCourses, anna_, request);
  ASSERT_TRUE(page.ok());
  request.set_page_token(page->next_page_token());
  request.set_page_size(2);
  EXPECT_TRUE(Do(&CourseHandlers::ListCourses, anna_, request).ok());
  request.set_patient("organizations/acme/patients/p1");
  EXPECT_EQ(
      errors::FieldViolations(Do(&CourseHandlers::ListCourses, anna_, request).status())[0].field,
      "page_token");
}

TEST_P(CoursesTest, ActivationNeedsTheSignedDetermination) {
  const v1::Course course = Begun("p");
  notes_.answer = notes::v1::SUITABILITY_NOT_COMPLETE;
  EXPECT_EQ(errors::Reason(Activate(course.name()).status()), "SUITABILITY_NOT_COMPLETE");
  notes_.status = errors::NotFound("Case");
  EXPECT_EQ(errors::Reason(Activate(course.name()).status()), "SUITABILITY_NOT_COMPLETE");
  notes_.status = errors::Unavailable("ORGANIZATION_NOT_READY", "", "scheduling");
  const absl::Status down = Activate(course.name()).status();
  EXPECT_EQ(down.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(errors::Reason(down), "PEER_UNAVAILABLE");
  EXPECT_EQ(errors::MetadataValue(down, "source"), "notes");
  EXPECT_EQ(GetAs(anna_, course.name())->state(), v1::COURSE_STATE_ASSESSING);
  EXPECT_EQ(GetAs(anna_, course.name())->etag(), course.etag());

  notes_.status = absl::OkStatus();
  notes_.answer = notes::v1::SUITABILITY_ELIGIBLE;
  const auto active = Activate(course.name(), "a1");
  ASSERT_TRUE(active.ok()) << active.status();
  EXPECT_EQ(active->state(), v1::COURSE_STATE_ACTIVE);
  EXPECT_EQ(active->activate_time().seconds(), absl::ToUnixSeconds(now_));
  notes_.status = errors::Unavailable("PEER_UNAVAILABLE", "", "notes");
  EXPECT_EQ(Activate(course.name(), "a1")->DebugString(), active->DebugString());
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(errors::Reason(Activate(course.name()).status()), "COURSE_STATE");
}

TEST_P(CoursesTest, ActivationComparesTheVersionThatNotesWasAskedAbout) {
  const v1::Course course = Begun("p");
  notes_.before_answer = [&] {
    v1::DiscontinueCourseRequest request;
    request.set_name(course.name());
    request.set_reason(v1::DISCONTINUE_REASON_PATIENT_CHOICE);
    request.set_future_appointments(v1::FUTURE_APPOINTMENTS_KEEP);
    ASSERT_TRUE(Do(&CourseHandlers::DiscontinueCourse, anna_, request).ok());
  };
  EXPECT_EQ(errors::Reason(Activate(course.name()).status()), "COURSE_STATE");
  EXPECT_EQ(GetAs(anna_, course.name())->state(), v1::COURSE_STATE_DISCONTINUED);
}

TEST_P(CoursesTest, AStaleEtagChangesNothing) {
  const v1::Course course = Begun("p");
  v1::DiscontinueCourseRequest request;
  request.set_name(course.name());
  request.set_reason(v1::DISCONTINUE_REASON_PATIENT_CHOICE);
  request.set_future_appointments(v1::FUTURE_APPOINTMENTS_KEEP);
  request.set_etag("1");
  const absl::Status status = Do(&CourseHandlers::DiscontinueCourse, anna_, request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(errors::MetadataValue(status, "current_etag"), course.etag());
  EXPECT_EQ(GetAs(anna_, course.name())->state(), v1::COURSE_STATE_ASSESSING);
}

TEST_P(CoursesTest, PausingCancelsWhatIsToComeInOneTransaction) {
  const v1::Course course = Active("p");
  const v1::Appointment past = Booked(course, 2, 3, 9);
  const v1::Appointment first = Booked(course, 2, 10, 9);
  const v1::Appointment second = Booked(course, 2, 17, 9);
  now_ = absl::FromUnixSeconds(past.end_time().seconds());
  auto request = Parse<v1::PauseCourseRequest>(
      absl::StrCat("name: '", course.name(),
                   "' reason: PAUSE_REASON_ILLNESS return_date { year: 2026 month: 3 day: 1 } "
                   "future_appointments: FUTURE_APPOINTMENTS_CANCEL request_id: 'p1'"));
  const auto paused = Do(&CourseHandlers::PauseCourse, anna_, request);
  ASSERT_TRUE(paused.ok()) << paused.status();
  EXPECT_EQ(paused->state(), v1::COURSE_STATE_PAUSED);
  EXPECT_EQ(Do(&CourseHandlers::PauseCourse, anna_, request)->DebugString(), paused->DebugString());

  v1::ListAppointmentsRequest list;
  list.set_parent("organizations/acme");
  list.set_course(course.name());
  const auto after = Do(&AppointmentHandlers::ListAppointments, anna_, list);
  ASSERT_EQ(after->appointments_size(), 3);
  EXPECT_EQ(after->appointments(0).state(), v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_EQ(after->appointments(0).session_number(), 1);
  for (int i : {1, 2}) {
    EXPECT_EQ(after->appointments(i).state(), v1::APPOINTMENT_STATE_CANCELLED);
    EXPECT_EQ(after->appointments(i).cancel_reason(), v1::CANCEL_REASON_COURSE);
    EXPECT_FALSE(after->appointments(i).cancelled_late());
    EXPECT_EQ(after->appointments(i).session_number(), 0);
    EXPECT_EQ(after->appointments(i).etag(), "2");
  }
  const auto events = Events();
  ASSERT_GE(events.size(), 3u);
  EXPECT_EQ(events[events.size() - 3].resource(), course.name());
  EXPECT_EQ(events[events.size() - 2].resource(), first.name());
  EXPECT_EQ(events[events.size() - 1].resource(), second.name());

  EXPECT_EQ(
      errors::Reason(
          Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 3, 10, 9)).status()),
      "COURSE_STATE");
  v1::ResumeCourseRequest resume;
  resume.set_name(course.name());
  ASSERT_TRUE(Do(&CourseHandlers::ResumeCourse, anna_, resume).ok());
  EXPECT_TRUE(Do(&AppointmentHandlers::BookAppointment, scheduler_, At(course, 2, 10, 9)).ok());
}

TEST_P(CoursesTest, AWholeCourseIsHeldAndCompleted) {
  auto create = NewCourse("p");
  create.mutable_course()->set_planned_sessions(12);
  const auto proposed = Do(&CourseHandlers::CreateCourse, anna_, create);
  ASSERT_TRUE(proposed.ok()) << proposed.status();
  const std::string name = proposed->name();
  EXPECT_EQ(proposed->phase(), v1::PHASE_UNSPECIFIED);
  EXPECT_EQ(errors::Reason(
                Do(&AppointmentHandlers::BookAppointment, anna_, At(*proposed, 2, 3, 9)).status()),
            "COURSE_STATE");
  v1::BeginAssessmentRequest begin;
  begin.set_name(name);
  EXPECT_EQ(Do(&CourseHandlers::BeginAssessment, anna_, begin)->phase(), v1::PHASE_INITIAL);
  const auto series =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(*proposed, 12, 2, 3, 9));
  ASSERT_TRUE(series.ok()) << series.status();
  for (int i = 0; i < 3; ++i) Hold(series->appointments(i));
  now_ = absl::FromUnixSeconds(series->appointments(3).start_time().seconds());
  v1::CheckInRequest check_in;
  check_in.set_name(series->appointments(3).name());
  EXPECT_EQ(errors::Reason(Do(&AppointmentHandlers::CheckIn, anna_, check_in).status()),
            "SUITABILITY_NOT_COMPLETE");
  ASSERT_TRUE(Activate(name).ok());
  EXPECT_EQ(GetAs(anna_, name)->phase(), v1::PHASE_MIDDLE);
  for (int i = 3; i < 11; ++i) Hold(series->appointments(i));
  EXPECT_EQ(GetAs(anna_, name)->sessions_used(), 11);
  EXPECT_EQ(GetAs(anna_, name)->phase(), v1::PHASE_TERMINATION);
  auto announce = Parse<v1::AnnounceEndingRequest>(
      absl::StrCat("name: '", name, "' date { year: 2026 month: 3 day: 31 }"));
  EXPECT_EQ(Do(&CourseHandlers::AnnounceEnding, anna_, announce)->ending_announced_date().day(),
            31);
  v1::CompleteCourseRequest complete;
  complete.set_name(name);
  complete.set_future_appointments(v1::FUTURE_APPOINTMENTS_KEEP);
  EXPECT_EQ(errors::Reason(Do(&CourseHandlers::CompleteCourse, anna_, complete).status()),
            "TOO_FEW_SESSIONS");
  Hold(series->appointments(11));

  // What its case has in the way is asked of notes, unless a reason is given.
  complete.set_request_id("the-end");
  const std::string etag = GetAs(anna_, name)->etag();
  notes_.obstacles = Parse<notes::v1::ClosingObstacles>(
      "obstacles { kind: CLOSING_OBSTACLE_KIND_SICK_ROLE_OPEN entry: 'organizations/acme/cases/c' "
      "} "
      "obstacles { kind: CLOSING_OBSTACLE_KIND_TERMINATION_TASK_OPEN task: 'announce-ending' }");
  const absl::Status barred = Do(&CourseHandlers::CompleteCourse, anna_, complete).status();
  EXPECT_EQ(barred.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(barred), "CLOSING_OBSTACLES");
  EXPECT_EQ(errors::MetadataValue(barred, "obstacles"), "CLOSING_OBSTACLE_KIND_SICK_ROLE_OPEN");
  EXPECT_EQ(notes_.asked_to_close.back(),
            absl::StrCat("organizations/acme/cases/", name.substr(name.rfind('/') + 1)));
  for (const absl::Status& down : {errors::Unavailable("PEER_UNAVAILABLE", "", "notes"),
                                   errors::Unavailable("CARE_RELATIONS_STALE", "", "scheduling"),
                                   errors::PermissionDenied("NO_PERMISSION", "")}) {
    notes_.status = down;
    const absl::Status unknown = Do(&CourseHandlers::CompleteCourse, anna_, complete).status();
    EXPECT_EQ(errors::Reason(unknown), "PEER_UNAVAILABLE");
    EXPECT_EQ(errors::MetadataValue(unknown, "source"), "notes");
  }
  EXPECT_EQ(GetAs(anna_, name)->etag(), etag) << "nothing changed";
  const size_t asked = notes_.asked_to_close.size();
  EXPECT_TRUE(absl::IsNotFound(Do(&CourseHandlers::CompleteCourse, ben_, complete).status()));
  EXPECT_EQ(notes_.asked_to_close.size(), asked) << "not on behalf of who may not know the course";
  notes_.status = absl::OkStatus();
  notes_.obstacles = Parse<notes::v1::ClosingObstacles>(
      "obstacles { kind: CLOSING_OBSTACLE_KIND_TERMINATION_TASK_OPEN task: 'announce-ending' }");
  const auto completed = Do(&CourseHandlers::CompleteCourse, anna_, complete);
  ASSERT_TRUE(completed.ok()) << completed.status();
  EXPECT_EQ(completed->end().close_reason(), v1::CLOSE_REASON_UNSPECIFIED);
  notes_.status = errors::Unavailable("PEER_UNAVAILABLE", "", "notes");
  EXPECT_EQ(Do(&CourseHandlers::CompleteCourse, anna_, complete)->DebugString(),
            completed->DebugString())
      << "a repeat asks nobody";
  EXPECT_EQ(completed->state(), v1::COURSE_STATE_COMPLETED);
  EXPECT_EQ(completed->sessions_used(), 12);
  EXPECT_EQ(completed->end().end_time().seconds(), absl::ToUnixSeconds(now_));
}

TEST_P(CoursesTest, ACourseEndsByAReasonWhateverNotesSays) {
  auto create = NewCourse("p");
  create.mutable_course()->set_planned_sessions(12);
  const auto proposed = Do(&CourseHandlers::CreateCourse, anna_, create);
  ASSERT_TRUE(proposed.ok()) << proposed.status();
  v1::BeginAssessmentRequest begin;
  begin.set_name(proposed->name());
  ASSERT_TRUE(Do(&CourseHandlers::BeginAssessment, anna_, begin).ok());
  const auto series =
      Do(&AppointmentHandlers::BookSeries, scheduler_, SeriesOf(*proposed, 12, 2, 3, 9));
  ASSERT_TRUE(series.ok()) << series.status();
  ASSERT_TRUE(Activate(proposed->name()).ok());
  for (const v1::Appointment& session : series->appointments()) Hold(session);
  notes_.status = errors::Unavailable("PEER_UNAVAILABLE", "", "notes");
  v1::CompleteCourseRequest complete;
  complete.set_name(proposed->name());
  complete.set_future_appointments(v1::FUTURE_APPOINTMENTS_KEEP);
  complete.set_close_reason(v1::CLOSE_REASON_NOTES_UNAVAILABLE);
  const auto completed = Do(&CourseHandlers::CompleteCourse, anna_, complete);
  ASSERT_TRUE(completed.ok()) << completed.status();
  EXPECT_EQ(completed->state(), v1::COURSE_STATE_COMPLETED);
  EXPECT_EQ(completed->end().close_reason(), v1::CLOSE_REASON_NOTES_UNAVAILABLE);
  EXPECT_TRUE(notes_.asked_to_close.empty());
}

}  // namespace
}  // namespace rapport::scheduling
