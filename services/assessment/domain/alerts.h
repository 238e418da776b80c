#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_ALERTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_ALERTS_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/alert.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"

// When a human must look, how soon, and what ends it (clinical rule 1).
namespace rapport::assessment {

// For this long after a risk alert a missed appointment raises another, and a risk assessment
// counts as recent.
inline constexpr absl::Duration kRiskMemory = absl::Hours(24 * 14);

// What one form raises.
struct RaisedAlert {
  v1::AlertKind kind;
  v1::AlertSeverity severity;
  std::vector<int> items;
};

// Alerts of a form that came to `score` (clinical rules 1.3 and 1.5), at most one of each kind:
//  CRITICAL_ANSWER  severest of its critical answers. IMMEDIATE from the item's `immediate_at` on;
//                   SAME_DAY where the answer is new or higher than on the form before, or no risk
//                   assessment is at most 14 days old; else THIS_CONTACT
//  RISK_NOT_ASKED   THIS_CONTACT, for critical items without an answer
// `previous` is the form of the same instrument before this one, null: none, and
// `last_risk_assessment` when risk was last assessed (nothing: never); `answer_time` is this
// form's.
std::vector<RaisedAlert> AlertsOf(const InstrumentRules& rules, const v1::Score& score,
                                  const Sheet& sheet, const Sheet* previous,
                                  std::optional<absl::Time> last_risk_assessment,
                                  absl::Time answer_time);

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
// risk assessment is of its case.
absl::Status CheckResolution(const v1::AlertResolution& resolution, const v1::Alert& alert,
                             absl::Time now, absl::TimeZone zone);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_ALERTS_H_
