#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_ALERTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_ALERTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/alert.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/assessment/v1/events.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"

// When a human must look, how soon, and what ends it (clinical rule 1).
namespace rapport::assessment {

// For this long after a risk alert a missed appointment raises another, and a risk assessment
// counts as recent.
inline constexpr absl::Duration kRiskMemory = absl::Hours(24 * 14);

// What one form, or one missed appointment, raises.
struct RaisedAlert {
  v1::AlertKind kind;
  v1::AlertSeverity severity;
  std::vector<int> items = {};  // by number
  v1::Concern concern = v1::CONCERN_UNSPECIFIED;
};

// Alerts of a form that came to `score` (clinical rules 1.3 to 1.5), at most one of each kind:
//  CRITICAL_ANSWER  harm to self, by critical answers or concern rules; the severest counts.
//                   IMMEDIATE from the item's `immediate_at` on, or by a rule that is immediate;
//                   SAME_DAY where the answer is new or higher than on the form before, or where no
//                   risk assessment is at most 14 days old; else THIS_CONTACT
//  SAFEGUARDING, MANIA  by critical answers or concern rules about it: SAME_DAY, unless IMMEDIATE
//  RISK_NOT_ASKED   THIS_CONTACT, for critical items without an answer
// `sheet` is an empty one for a score-only entry. `previous` is the form of the same instrument by
// the same respondent before this one, null: none, and `last_risk_assessment` when risk was last
// assessed (nothing: never); `answer_time` is this form's.
std::vector<RaisedAlert> AlertsOf(const InstrumentRules& rules, const v1::Score& score,
                                  const Sheet& sheet, const Sheet* previous,
                                  std::optional<absl::Time> last_risk_assessment,
                                  absl::Time answer_time);

// Of `alert`, which stands, and `raised` from the same source, of the same kind: the items of both
// and the higher severity; never less. Where it becomes severer it has the deadline of `raised`,
// and is OPEN again: nobody has acknowledged that. False where nothing of it is new.
bool RaiseHigher(const v1::Alert& raised, v1::Alert& alert);

// Whether a time should be held for the patient: IMMEDIATE and SAME_DAY critical answers that are
// not resolved and have none.
bool WantsHold(const v1::Alert& alert);

// By when the time held must begin: 24 h after an IMMEDIATE alert was raised, 72 h after another.
absl::Time HoldBefore(const v1::Alert& alert);

// Whom else an alert goes to when it becomes `level`, from 1, by time: at level 1 the first present
// of the clinic's duty list, else as at 2; from level 2 on all who are present of the
// organisation's. Where nobody of it is present, its first all the same. Neither the owner nor whom
// it was escalated to before.
struct DutyFacts {
  std::vector<std::string> clinic_duty;
  std::vector<std::string> organization_duty;
  std::vector<std::string> away;
};
std::vector<std::string> EscalatesTo(const DutyFacts& facts, const v1::Alert& alert, int level);

// The event's payload: state without answers or free text.
v1::AlertEvent EventOf(const v1::Alert& alert);

// Until when an alert raised at `create_time` must be acknowledged by the organisation's settings
// (defaults: IMMEDIATE 15 min, SAME_DAY 2 h); nothing for THIS_CONTACT.
std::optional<absl::Time> AcknowledgeBefore(v1::AlertSeverity severity, absl::Time create_time,
                                            const scheduling::v1::OrganizationEvent& organization);

// Whether one of `jurisdictions` with crisis resources serves `patient`'s: the same, or its country
// ("GB" serves "GB-ENG").
bool CrisisResourcesCover(absl::Span<const std::string> jurisdictions, absl::string_view patient);

// Whether `resolution` is evidence enough (clinical rule 1.7); free text alone never is.
//   kInvalidArgument  each thing that it lacks, by field below "resolution"
// `now` by `zone` says which next check dates are past. Contacts are not before `alert`, and the
// risk assessment is of its case. Of a minor, who comes of age on `majority_on` (nothing: not
// known, or of age), it must say whether a guardian was told, and why or why not.
absl::Status CheckResolution(const v1::AlertResolution& resolution, const v1::Alert& alert,
                             absl::Time now, absl::TimeZone zone,
                             std::optional<absl::CivilDay> majority_on = std::nullopt);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_ALERTS_H_
