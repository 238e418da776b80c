#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_CASE_RULES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_CASE_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/notes/v1/case.pb.h"

// The rules of the case file. Errors name fields by their path in the request and never quote what
// was written.
namespace rapport::notes {

// How long an authentication counts as recent enough for a signature (see the API conventions).
inline constexpr absl::Duration kRecentAuthentication = absl::Minutes(10);

// OK iff the signer proved who they are recently, by the clock of the tokens.
//   kFailedPrecondition REAUTHENTICATION_REQUIRED
absl::Status CheckRecentAuthentication(absl::Time auth_time, absl::Time machine_now);

// Whether `protocol` ("protocols/ipsrt/revisions/1") is interpersonal and social rhythm therapy,
// acute or maintenance.
bool IsRhythmTherapy(absl::string_view protocol);

// Whether the determination lets a course begin: IPT suits, as it is or adapted.
bool IsInFavour(v1::SuitabilityOutcome outcome);

// Whether conjoint work with `patients` (the couple) may begin: clinical rule 2.1. `screens` holds
// the newest of each who has one. One answer for whatever is missing.
bool IsConjointEligible(const v1::Determination& determination,
                        absl::Span<const std::string> patients,
                        absl::Span<const v1::PartnerScreen> screens);

// Sources are assessments of `organization_id`; a judgement against most of its reasons says why.
//   kInvalidArgument  "determination.…"
absl::Status CheckDetermination(const v1::Determination& determination,
                                absl::string_view organization_id);

// One primary area and at most one secondary; each with what its kind needs. GRIEF: the person and
// the day of death; ROLE_DISPUTE: the counterpart and the stage; INTERPERSONAL_DEFICITS: why no
// other area fits; LOSS_OF_HEALTHY_SELF: only under interpersonal and social rhythm therapy
// (`protocol`, "protocols/ipsrt/revisions/1"). Clinical rule 4.2.
//   kInvalidArgument  "problem_areas…"
absl::Status CheckProblemAreas(
    const google::protobuf::RepeatedPtrField<v1::ProblemArea>& problem_areas,
    absl::string_view protocol);

// MODIFIED needs what the patient changed; dates are real, the onset's day and month may be 0.
//   kInvalidArgument  "formulation.…"
absl::Status CheckFormulation(const v1::Formulation& formulation);

//   kInvalidArgument  "goal.…"
absl::Status CheckGoal(const v1::Goal& goal);

// A goal as it is first set: only what the caller may say, and its defaults.
v1::Goal NewGoal(const v1::Goal& wanted, absl::Time now);

// Who changes a goal, when and why.
struct GoalChange {
  std::string reason;
  std::string appointment;  // empty: none
  std::string clinician;
  absl::Time now;
};

// `goal` as `wanted` says, with what it was appended to its revisions. A status that is not given
// stays.
//   kFailedPrecondition GOAL_CLOSED  achieved or dropped goals change no more
absl::StatusOr<v1::Goal> ReviseGoal(const v1::Goal& goal, const v1::Goal& wanted,
                                    const GoalChange& change);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_CASE_RULES_H_
