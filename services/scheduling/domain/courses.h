#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_COURSES_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_COURSES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"

// The life of a course. Each transition changes `course` or leaves it as it is and answers
// FAILED_PRECONDITION COURSE_STATE with the state in the metadata, besides what it names itself.
// Days are by the clock of the course's clinic.
namespace rapport::scheduling {

// INVALID_ARGUMENT for a date of birth, majority or consent that is none, or a birth after `today`.
absl::Status CheckParticulars(const v1::PatientParticulars& particulars, absl::CivilDay today);

// A PROPOSED course of what `asked` says, with warnings, without name.
//   kFailedPrecondition  CLINICIAN_NOT_AT_CLINIC, PLANNED_SESSIONS_OUT_OF_BOUNDS
absl::StatusOr<v1::Course> ProposeCourse(const v1::Course& asked, const v1::Clinician& clinician,
                                         const v1::Protocol& protocol, absl::CivilDay today);

absl::Status BeginAssessment(v1::Course& course);
// The caller has seen to the suitability determination.
absl::Status ActivateCourse(v1::Course& course, absl::Time now);
//   kInvalidArgument  `return_date` is no date, or not after today
absl::Status PauseCourse(v1::Course& course, v1::PauseReason reason,
                         const google::type::Date& return_date, absl::CivilDay today);
absl::Status ResumeCourse(v1::Course& course);
//   kInvalidArgument  `date` is no date, or in the future
absl::Status AnnounceEnding(v1::Course& course, const google::type::Date& date,
                            absl::CivilDay today);
//   kFailedPrecondition  TOO_FEW_SESSIONS
absl::Status CompleteCourse(v1::Course& course, int sessions_held, const v1::Protocol& protocol,
                            v1::Referral referral, absl::Time now);
absl::Status DiscontinueCourse(v1::Course& course, v1::DiscontinueReason reason,
                               v1::Referral referral, absl::Time now);

// Sets whether the suitability determination is to be looked at again, of a course that is ACTIVE
// or PAUSED; whether that changed it.
bool SetSuitabilityReviewDue(v1::Course& course, bool due);

// FAILED_PRECONDITION COURSE_STATE unless sessions may be booked and held.
absl::Status RequireUnderWay(v1::CourseState state);

// COURSE_STATE for what `state` does not allow.
absl::Status WrongCourseState(v1::CourseState state);

// Fills in what follows from the sessions used: their number and the phase.
void FillProgress(v1::Course& course, const v1::Protocol& protocol, int sessions_used);

// Leaves what those may see who schedule but do not treat: that the course exists, and its times.
void KeepExistenceAndTimes(v1::Course& course);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_COURSES_H_
