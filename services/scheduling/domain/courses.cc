#include "services/scheduling/domain/courses.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {
namespace {

absl::Status RequireState(const v1::Course& course, std::initializer_list<v1::CourseState> states) {
  if (std::find(states.begin(), states.end(), course.state()) != states.end()) {
    return absl::OkStatus();
  }
  return WrongCourseState(course.state());
}

// In whole years; the day of birth is not known, so the month of birth counts as reached.
int AgeOn(absl::CivilDay today, const v1::PatientParticulars& particulars) {
  const int years = static_cast<int>(today.year()) - particulars.birth_year();
  return today.month() < particulars.birth_month() ? years - 1 : years;
}

}  // namespace

absl::Status CheckParticulars(const v1::PatientParticulars& particulars, absl::CivilDay today) {
  constexpr absl::string_view kPath = "course.patient_particulars.";
  const absl::CivilMonth born(particulars.birth_year(), particulars.birth_month());
  if (born > absl::CivilMonth(today)) {
    return errors::InvalidArgument(absl::StrCat(kPath, "birth_year"), "must not be in the future");
  }
  if (particulars.has_majority_on()) {
    RETURN_IF_ERROR(time::CheckDate(particulars.majority_on(), absl::StrCat(kPath, "majority_on")));
  }
  if (particulars.has_may_consent_from()) {
    RETURN_IF_ERROR(
        time::CheckDate(particulars.may_consent_from(), absl::StrCat(kPath, "may_consent_from")));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Course> ProposeCourse(const v1::Course& asked, const v1::Clinician& clinician,
                                         const v1::Protocol& protocol, absl::CivilDay today) {
  const auto& clinics = clinician.clinics();
  if (std::find(clinics.begin(), clinics.end(), asked.clinic()) == clinics.end()) {
    return errors::FailedPrecondition(
        "CLINICIAN_NOT_AT_CLINIC", "The clinician does not work at that clinic; choose another.",
        {{"clinician", asked.clinician()}, {"clinic", asked.clinic()}});
  }
  const int planned =
      asked.planned_sessions() == 0 ? protocol.max_sessions() : asked.planned_sessions();
  if (planned < protocol.min_sessions() || planned > protocol.max_sessions()) {
    return errors::FailedPrecondition("PLANNED_SESSIONS_OUT_OF_BOUNDS",
                                      absl::StrCat("The protocol takes ", protocol.min_sessions(),
                                                   " to ", protocol.max_sessions(), " sessions."),
                                      {{"min_sessions", absl::StrCat(protocol.min_sessions())},
                                       {"max_sessions", absl::StrCat(protocol.max_sessions())}});
  }

  v1::Course course;
  course.set_patient(asked.patient());
  *course.mutable_patient_particulars() = asked.patient_particulars();
  course.set_clinician(asked.clinician());
  course.set_clinic(asked.clinic());
  course.set_protocol(asked.protocol());
  course.set_planned_sessions(planned);
  course.set_state(v1::COURSE_STATE_PROPOSED);

  const int age = AgeOn(today, asked.patient_particulars());
  if (age < protocol.min_age() || (protocol.max_age() != 0 && age > protocol.max_age())) {
    course.add_warnings(v1::COURSE_WARNING_AGE_OUTSIDE_PROTOCOL);
  }
  const auto& certified = clinician.certified_protocols();
  if (std::find(certified.begin(), certified.end(), ProtocolId(protocol.name())) ==
      certified.end()) {
    course.add_warnings(v1::COURSE_WARNING_CLINICIAN_NOT_CERTIFIED);
  }
  return course;
}

absl::Status BeginAssessment(v1::Course& course) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_PROPOSED}));
  course.set_state(v1::COURSE_STATE_ASSESSING);
  return absl::OkStatus();
}

absl::Status ActivateCourse(v1::Course& course, absl::Time now) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ASSESSING}));
  course.set_state(v1::COURSE_STATE_ACTIVE);
  *course.mutable_activate_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::Status PauseCourse(v1::Course& course, v1::PauseReason reason,
                         const google::type::Date& return_date, absl::CivilDay today) {
  RETURN_IF_ERROR(time::CheckDate(return_date, "return_date"));
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE}));
  if (time::ToCivilDay(return_date) <= today) {
    return errors::InvalidArgument("return_date", "must be after today in the clinic's zone");
  }
  course.set_state(v1::COURSE_STATE_PAUSED);
  course.mutable_pause()->set_reason(reason);
  *course.mutable_pause()->mutable_return_date() = return_date;
  return absl::OkStatus();
}

absl::Status ResumeCourse(v1::Course& course) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_PAUSED}));
  course.set_state(v1::COURSE_STATE_ACTIVE);
  course.clear_pause();
  return absl::OkStatus();
}

absl::Status AnnounceEnding(v1::Course& course, const google::type::Date& date,
                            absl::CivilDay today) {
  RETURN_IF_ERROR(time::CheckDate(date, "date"));
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE}));
  if (time::ToCivilDay(date) > today) {
    return errors::InvalidArgument("date", "must not be in the future in the clinic's zone");
  }
  *course.mutable_ending_announced_date() = date;
  return absl::OkStatus();
}

absl::Status CompleteCourse(v1::Course& course, int sessions_held, const v1::Protocol& protocol,
                            v1::Referral referral, absl::Time now) {
  RETURN_IF_ERROR(RequireState(course, {v1::COURSE_STATE_ACTIVE}));
  if (sessions_held < protocol.min_sessions()) {
    return errors::FailedPrecondition(
        "TOO_FEW_SESSIONS",
        absl::StrCat("Of at least ", protocol.min_sessions(), " sessions ", sessions_held,
                     " were held; discontinue the course instead."),
        {{"sessions_held", absl::StrCat(sessions_held)},
         {"min_sessions", absl::StrCat(protocol.min_sessions())}});
  }
  course.set_state(v1::COURSE_STATE_COMPLETED);
  course.mutable_end()->set_referral(referral);
  *course.mutable_end()->mutable_end_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::Status DiscontinueCourse(v1::Course& course, v1::DiscontinueReason reason,
                               v1::Referral referral, absl::Time now) {
  RETURN_IF_ERROR(RequireState(
      course, {v1::COURSE_STATE_PROPOSED, v1::COURSE_STATE_ASSESSING, v1::COURSE_STATE_ACTIVE,
               v1::COURSE_STATE_PAUSED, v1::COURSE_STATE_MAINTENANCE}));
  course.set_state(v1::COURSE_STATE_DISCONTINUED);
  course.clear_pause();
  course.mutable_end()->set_reason(reason);
  course.mutable_end()->set_referral(referral);
  *course.mutable_end()->mutable_end_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

bool SetSuitabilityReviewDue(v1::Course& course, bool due) {
  const bool activated =
      course.state() == v1::COURSE_STATE_ACTIVE || course.state() == v1::COURSE_STATE_PAUSED;
  if (!activated || course.suitability_review_due() == due) return false;
  course.set_suitability_review_due(due);
  return true;
}

absl::Status RequireUnderWay(v1::CourseState state) {
  if (state == v1::COURSE_STATE_ASSESSING || state == v1::COURSE_STATE_ACTIVE) {
    return absl::OkStatus();
  }
  return WrongCourseState(state);
}

absl::Status WrongCourseState(v1::CourseState state) {
  const std::string& name = v1::CourseState_Name(state);
  return errors::FailedPrecondition(
      "COURSE_STATE", absl::StrCat("This is not possible while the course is ", name, "."),
      {{"state", name}});
}

void FillProgress(v1::Course& course, const v1::Protocol& protocol, int sessions_used) {
  course.set_sessions_used(sessions_used);
  if (course.state() == v1::COURSE_STATE_PROPOSED) {
    course.clear_phase();
  } else if (course.state() == v1::COURSE_STATE_MAINTENANCE) {
    course.set_phase(v1::PHASE_MAINTENANCE);
  } else {
    const int next = std::min(sessions_used + 1, course.planned_sessions());
    course.set_phase(PhaseOf(next, course.planned_sessions(), protocol));
  }
}

void KeepExistenceAndTimes(v1::Course& course) {
  course.clear_warnings();
  course.clear_suitability_review_due();
  course.clear_ending_announced_date();
  v1::PatientParticulars* patient = course.mutable_patient_particulars();
  patient->clear_birth_year();
  patient->clear_birth_month();
  patient->clear_majority_on();
  patient->clear_may_consent_from();
  if (course.has_pause()) course.mutable_pause()->clear_reason();
  if (course.has_end()) {
    course.mutable_end()->clear_reason();
    course.mutable_end()->clear_referral();
  }
}

}  // namespace rapport::scheduling
