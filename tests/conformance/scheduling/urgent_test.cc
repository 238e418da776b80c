// A time held at once for a patient at risk.
#include <string>

#include "absl/strings/str_format.h"
#include "common/names/names.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/urgent_handlers.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

// Friday 2026-01-30, noon; anna and ben work Monday to Friday, 9 to 17.
class UrgentTest : public SchedulingTest {
 protected:
  v1::HoldUrgentAppointmentRequest Ask(const v1::Course& course, absl::Duration within,
                                       const std::string& request_id = "") {
    v1::HoldUrgentAppointmentRequest request;
    request.set_course(course.name());
    *request.mutable_before_time() = time::ToTimestamp(now_ + within);
    request.set_request_id(request_id);
    return request;
  }
  absl::StatusOr<v1::Appointment> Hold(const v1::HoldUrgentAppointmentRequest& request) {
    CatchUp();
    return HoldAsTheIndexIs(request);
  }
  absl::StatusOr<v1::Appointment> HoldAsTheIndexIs(
      const v1::HoldUrgentAppointmentRequest& request) {
    call::CallContext context =
        Context({.subject = "service:assessment", .roles = {}, .clinics = {}}, request);
    auto self = std::make_shared<auth::Principal>(*context.principal);
    self->kind = auth::Principal::Kind::kService;
    context.principal = self;
    context.method = "rapport.scheduling.v1.AppointmentService/HoldUrgentAppointment";
    auto held = urgent_.HoldUrgentAppointment(context, request);
    replayed_ = context.replayed;
    return held;
  }
  void CatchUp() {
    Events();
    clock_.Set(now_);
    const absl::Status status = index_.CatchUp();
    ASSERT_TRUE(status.ok()) << status;
  }
  void Away(const std::string& who, absl::Duration from, absl::Duration to) {
    const auto made =
        Do(&DirectoryHandlers::CreateTimeOff, admin_,
           Parse<v1::CreateTimeOffRequest>(
               absl::StrCat("parent: 'organizations/acme/clinicians/", who,
                            "' time_off { start_time { seconds: ", absl::ToUnixSeconds(now_ + from),
                            " } end_time { seconds: ", absl::ToUnixSeconds(now_ + to), " } }")));
    ASSERT_TRUE(made.ok()) << made.status();
  }
  void CoverAnnaByBen(absl::Duration from, absl::Duration to) {
    const auto cover = Do(
        &DirectoryHandlers::CreateCover, admin_,
        Parse<v1::CreateCoverRequest>(absl::StrCat(
            "parent: 'organizations/acme' cover { clinician: 'organizations/acme/clinicians/anna' "
            "covering_clinician: 'organizations/acme/clinicians/ben' start_time { seconds: ",
            absl::ToUnixSeconds(now_ + from),
            " } end_time { seconds: ", absl::ToUnixSeconds(now_ + to), " } }")));
    ASSERT_TRUE(cover.ok()) << cover.status();
  }
  static std::string Told(const absl::StatusOr<v1::Appointment>& held) {
    if (!held.ok()) return std::string(errors::Reason(held.status()));
    return absl::StrFormat("%s %02d-%02d %02d:%02d", names::Last(held->clinician()),
                           held->local_date().month(), held->local_date().day(),
                           held->local_time().hours(), held->local_time().minutes());
  }

  time::ManualClock clock_{absl::UnixEpoch()};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  LiveIndex index_{*database_, clock_, *metrics_};
  UrgentHandlers urgent_{*database_, revisions_, index_, booker_};
};

TEST_P(UrgentTest, IsTheFirstTimeOfTheCoursesClinicianWhateverTheNotice) {
  const v1::Course course = Active("p");
  const auto held = Hold(Ask(course, absl::Hours(24)));
  EXPECT_EQ(Told(held), "anna 01-30 12:00");
  EXPECT_EQ(held->state(), v1::APPOINTMENT_STATE_HELD);
  EXPECT_EQ(held->course(), course.name());
  EXPECT_EQ(held->hold_expire_time().seconds(), held->start_time().seconds());
  EXPECT_EQ(Told(Hold(Ask(Active("q"), absl::Hours(24)))), "anna 01-30 13:00")
      << "the next after that one and its buffer";
}

TEST_P(UrgentTest, IsHeldOnceForARequest) {
  const v1::Course course = Active("p");
  const auto request = Ask(course, absl::Hours(24), "alert-1");
  const auto held = Hold(request);
  ASSERT_TRUE(held.ok()) << held.status();
  Away("anna", absl::Hours(1), absl::Hours(200));
  const auto again = Hold(request);
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(again->name(), held->name()) << "though nobody is free any more";
}

TEST_P(UrgentTest, IsOfWhoCoversAsLongAsTheyDo) {
  const v1::Course course = Active("p");
  Away("anna", absl::ZeroDuration(), absl::Hours(200));
  EXPECT_EQ(Told(Hold(Ask(course, absl::Hours(72)))), "NO_OPENING");
  CoverAnnaByBen(absl::Hours(2), absl::Hours(200));
  EXPECT_EQ(Told(Hold(Ask(course, absl::Hours(72)))), "ben 01-30 14:00");
  const v1::Course other = Active("q");
  CoverAnnaByBen(absl::Hours(200), absl::Hours(300));
  EXPECT_EQ(Told(Hold(Ask(other, absl::Minutes(90)))), "NO_OPENING") << "not yet";
}

TEST_P(UrgentTest, PrefersTheClinicianThoughTheCoverIsFreeBefore) {
  const v1::Course course = Active("p");
  Away("anna", absl::ZeroDuration(), absl::Hours(24));
  CoverAnnaByBen(absl::ZeroDuration(), absl::Hours(200));
  EXPECT_EQ(Told(Hold(Ask(course, absl::Hours(24)))), "ben 01-30 12:00");
  EXPECT_EQ(Told(Hold(Ask(Active("q"), absl::Hours(72)))), "anna 02-02 09:00");
}

TEST_P(UrgentTest, GoesOnToTheNextTimeWhereTheIndexIsBehind) {
  const v1::Course course = Active("p");
  CatchUp();
  const v1::Course other = Begun("q");
  ASSERT_TRUE(Hold(Ask(other, absl::Hours(24))).ok());
  // What the index does not know of: taken between the search and the hold.
  LiveIndex stale(*database_, clock_, *metrics_);
  ASSERT_TRUE(stale.CatchUp().ok());
  ASSERT_TRUE(Hold(Ask(Begun("r"), absl::Hours(24))).ok());
  UrgentHandlers behind(*database_, revisions_, stale, booker_);
  const auto request = Ask(course, absl::Hours(24));
  const auto held = behind.HoldUrgentAppointment(Context(admin_, request), request);
  EXPECT_TRUE(held.ok()) << held.status();
}

TEST_P(UrgentTest, IsHeldWithoutACourseThatIsNotUnderWay) {
  const v1::Course course = Active("p");
  ASSERT_TRUE(Do(&CourseHandlers::PauseCourse, anna_,
                 Parse<v1::PauseCourseRequest>(absl::StrCat(
                     "name: '", course.name(),
                     "' reason: PAUSE_REASON_ILLNESS return_date { year: 2026 month: 3 day: 1 } "
                     "future_appointments: FUTURE_APPOINTMENTS_KEEP")))
                  .ok());
  const auto held = Hold(Ask(course, absl::Hours(24)));
  EXPECT_EQ(Told(held), "anna 01-30 12:00");
  EXPECT_EQ(held->course(), "");
  EXPECT_EQ(held->patient(), course.patient());
}

TEST_P(UrgentTest, IsPrivateToOneOfACouple) {
  v1::CreateCourseRequest create = NewCourse("p");
  create.mutable_course()->set_protocol("protocols/conjoint/revisions/1");
  create.mutable_course()->set_partner("organizations/acme/patients/q");
  *create.mutable_course()->mutable_partner_particulars() = create.course().patient_particulars();
  auto course = Do(&CourseHandlers::CreateCourse, anna_, create);
  ASSERT_TRUE(course.ok()) << course.status();
  v1::BeginAssessmentRequest begin;
  begin.set_name(course->name());
  course = Do(&CourseHandlers::BeginAssessment, anna_, begin);
  ASSERT_TRUE(course.ok()) << course.status();
  auto request = Ask(*course, absl::Hours(24));
  EXPECT_TRUE(absl::IsInvalidArgument(Hold(request).status())) << "which of them?";
  request.set_patient("organizations/acme/patients/x");
  EXPECT_TRUE(absl::IsInvalidArgument(Hold(request).status()));
  request.set_patient("organizations/acme/patients/q");
  const auto held = Hold(request);
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_TRUE(held->private_session());
  EXPECT_EQ(held->patient(), request.patient());
  for (const v1::Participant& participant : held->participants()) {
    EXPECT_NE(participant.person(), course->patient());
  }
}

TEST_P(UrgentTest, RefusesWhatIsPastOrFarOrUnknown) {
  const v1::Course course = Active("p");
  for (const absl::Duration within : {absl::ZeroDuration(), absl::Hours(7 * 24 + 1)}) {
    EXPECT_EQ(errors::MetadataValue(Hold(Ask(course, within)).status(), "field"), "before_time");
  }
  v1::Course unknown;
  unknown.set_name("organizations/acme/courses/none");
  EXPECT_TRUE(absl::IsNotFound(Hold(Ask(unknown, absl::Hours(24))).status()));
}

INSTANTIATE_ON_ENGINES(UrgentTest);

}  // namespace
}  // namespace rapport::scheduling
