#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_COURSES_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_COURSES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "google/protobuf/field_mask.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/scheduling/domain/protocols.h"

// The life of a course. Each transition changes `course` or leaves it as it is and answers
// FAILED_PRECONDITION COURSE_STATE with the state in the metadata, besides what it names itself.
// Days are by the clock of the course's clinic.
namespace rapport::scheduling {

// What a course is judged against.
struct CourseSetting {
  const v1::Clinician& clinician;
  const v1::Clinic& clinic;
  const v1::Protocol& protocol;
  absl::CivilDay today;
  int open_courses = 0;  // of the clinician, besides this one
};

// The sessions of a course's running segment.
struct SessionCounts {
  int used = 0;     // used up
  int held = 0;     // COMPLETED
  int counted = 0;  // that take a place among the planned ones: used, and booked
};

// INVALID_ARGUMENT for a date of birth, majority or consent that is none, or a birth after `today`;
// `path` is the field from the request.
absl::Status CheckParticulars(const v1::PatientParticulars& particulars, absl::string_view path,
                              absl::CivilDay today);

// A PROPOSED course of what `asked` says, with warnings, without name. What it overrides without
// need is not kept.
//   kInvalidArgument     particulars; a partner where the protocol is not for couples, or none or
//   the
//                        patient where it is; a condition unspecified or named twice
//   kFailedPrecondition  CLINICIAN_NOT_AT_CLINIC, PLANNED_SESSIONS_OUT_OF_BOUNDS,
//                        AGE_OUTSIDE_PROTOCOL without a reason, CASELOAD_CAP_REACHED or
//                        CLOSED_TO_NEW_COURSES without a reason
absl::StatusOr<v1::Course> ProposeCourse(const v1::Course& asked, const CourseSetting& setting);

// INVALID_ARGUMENT for a path that UpdateCourse may not change.
absl::Status CheckRevisable(const google::protobuf::FieldMask& mask);

// `course` as an update has changed it: checks it and tells its warnings anew. The age counts as on
// `began`, the day on which it was proposed or last got another protocol; outside the band it is
// only warned of, as the course is there.
//   kInvalidArgument     as ProposeCourse
//   kFailedPrecondition  PLANNED_SESSIONS_OUT_OF_BOUNDS, also below those counted
absl::Status ReviseCourse(v1::Course& course, const CourseSetting& setting, absl::CivilDay began,
                          const SessionCounts& sessions);

absl::Status BeginAssessment(v1::Course& course);
// The caller has seen to the suitability determination.
absl::Status ActivateCourse(v1::Course& course, absl::Time now);
// From ACTIVE or MAINTENANCE.
//   kInvalidArgument  `return_date` is no date, or not after today
absl::Status PauseCourse(v1::Course& course, v1::PauseReason reason,
                         const google::type::Date& return_date, absl::CivilDay today);
// To where it was paused.
absl::Status ResumeCourse(v1::Course& course);

// How a course goes on by another protocol.
struct ProtocolChange {
  v1::SwitchReason reason = v1::SWITCH_REASON_UNSPECIFIED;
  v1::SessionCounter counter = v1::SESSION_COUNTER_UNSPECIFIED;
  int planned_sessions = 0;  // 0: the most
  v1::AgeOverrideReason age_override_reason = v1::AGE_OVERRIDE_REASON_UNSPECIFIED;
};
// While ASSESSING or ACTIVE. With the counter RESTARTED a new segment begins without declared
// phases, to which `to_come` booked sessions go; CARRIED keeps count, declared phases and
// extensions. `course.protocol` is that of `from`, `setting.protocol` the new one.
//   kFailedPrecondition  SAME_PROTOCOL, PROTOCOL_KIND, COURSE_IN_GROUP, AGE_OUTSIDE_PROTOCOL,
//                        PLANNED_SESSIONS_OUT_OF_BOUNDS (also below those that would count)
absl::Status SwitchProtocol(v1::Course& course, const ProtocolChange& change,
                            const v1::Protocol& from, const CourseSetting& setting,
                            const SessionCounts& sessions, int to_come, absl::Time now);

// While ASSESSING or ACTIVE: `phase` begins with the session after the used ones. A phase that runs
// by the protocol alone may still be declared to begin later.
//   kInvalidArgument     the protocol has no such phase
//   kFailedPrecondition  PHASE_PASSED, PHASE_OUT_OF_RANGE
absl::Status DeclarePhase(v1::Course& course, v1::Phase phase, const v1::Protocol& protocol,
                          int sessions_used, absl::Time now);

// By so many sessions and weeks, while ACTIVE. Extensions of one segment add up.
//   kInvalidArgument     neither sessions nor weeks
//   kFailedPrecondition  EXTENSION_OUT_OF_BOUNDS
absl::Status ExtendCourse(v1::Course& course, int sessions, int weeks, v1::ExtensionReason reason,
                          const v1::Protocol& protocol, absl::Time now);

// In any open state. `setting.clinician` is the new one.
//   kFailedPrecondition  SAME_CLINICIAN, CLINICIAN_NOT_AT_CLINIC, CASELOAD_CAP_REACHED or
//                        CLOSED_TO_NEW_COURSES without a reason
absl::Status TransferCourse(v1::Course& course, v1::TransferReason reason,
                            v1::CaseloadOverrideReason caseload_override_reason,
                            const CourseSetting& setting, absl::Time now);

// ACTIVE → MAINTENANCE in a new segment, which `to_come` booked sessions join. As many sessions are
// planned as the cadence gives until the contract ends; more, for boosters, may be agreed up to one
// a week.
//   kInvalidArgument     the end is no date, or not after today; an instrument named twice
//   kFailedPrecondition  TOO_FEW_SESSIONS, MAINTENANCE_NOT_OFFERED
absl::Status BeginMaintenance(v1::Course& course, const v1::MaintenanceContract& contract,
                              const v1::Protocol& protocol, const SessionCounts& sessions,
                              int to_come, absl::CivilDay today);

// While ACTIVE.
//   kInvalidArgument  `date` is no date, or in the future
absl::Status AnnounceEnding(v1::Course& course, const google::type::Date& date,
                            absl::CivilDay today);
// Both give up the seat in a group.
// From ACTIVE or MAINTENANCE; in the latter any number of sessions will do.
//   kFailedPrecondition  TOO_FEW_SESSIONS
absl::Status CompleteCourse(v1::Course& course, int sessions_held, const v1::Protocol& protocol,
                            v1::Referral referral, v1::CloseReason close_reason, absl::Time now);
absl::Status DiscontinueCourse(v1::Course& course, v1::DiscontinueReason reason,
                               v1::Referral referral, absl::Time now);

// Sets whether the suitability determination is to be looked at again, of a course that was
// activated and has not ended; whether that changed it.
bool SetSuitabilityReviewDue(v1::Course& course, bool due);

// Whether it has not ended.
bool IsOpen(v1::CourseState state);

// FAILED_PRECONDITION COURSE_STATE unless sessions may be booked and held.
absl::Status RequireUnderWay(v1::CourseState state);

// COURSE_STATE for what `state` does not allow.
absl::Status WrongCourseState(v1::CourseState state);

// For whom a course under `protocol` is; never unspecified.
v1::CourseKind KindOf(const v1::Protocol& protocol);

// Most sessions and longest span in weeks, extensions included.
int MaxSessions(const v1::Course& course, const v1::Protocol& protocol);
int MaxWeeks(const v1::Course& course, const v1::Protocol& protocol);

// What is not stored but follows from the sessions and the case.
struct CourseProgress {
  int sessions_used = 0;
  bool formulation_agreed = false;
  std::vector<AttendedSession> attended = {};  // of the running segment
};
// Fills it in: the sessions used, the phase, who is missing, and the warning of a middle phase
// without an agreed formulation.
void FillProgress(v1::Course& course, const v1::Protocol& protocol, const CourseProgress& progress);

// Leaves what those may see who schedule but do not treat: that the course exists, and its times.
void KeepExistenceAndTimes(v1::Course& course);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_COURSES_H_
