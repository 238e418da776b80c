#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/assessment/v1/track_rule.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"
#include "services/assessment/domain/sessions.h"

// How a course goes for one respondent (clinical rules 5.1 to 5.5).
//
// Only complete forms are baseline, response, remission or recovery points; a prorated one is
// drawn, and one above remission level interrupts a remission, but it never makes a term true.
//
//  Baseline            last complete form within 28 days before session 1, else the first complete
//                      one after its start and by the end of session 2; none without session 1
//  Reliable change     the published threshold, else 1.96 × SD × √(2 × (1 − r)) with the retest
//                      coefficient, else with alpha; a change equal to it counts
//  RELIABLE_*          |change from baseline| ≥ the reliable change
//  RESPONSE            improved from baseline by the instrument's percentage; only where the
//                      baseline was a case and 0 means none of it
//  REMISSION_LEVEL     one total at the remission cut-off; only where the baseline was a case
//  REMISSION           all totals at that level for ≥ 14 days, at least 2 of them
//  SUSTAINED_RECOVERY  the same for ≥ 6 months
//  POSSIBLE_RELAPSE    a full-syndrome form after REMISSION, POSSIBLE_RECURRENCE after
//                      SUSTAINED_RECOVERY. Full syndrome: a case, and the instrument's flag for it;
//                      instruments without one tell neither
//  Clinically significant change
//                      beyond c = (SD₀M₁ + SD₁M₀) / (SD₀ + SD₁) at baseline (0: general population,
//                      1: clinical), on the better side now, reliably changed; needs both norms
// and over the course's depression and anxiety measure, each by its last complete form then:
//  RELIABLE_IMPROVEMENT  on either, with no reliable deterioration on the other
//  CASE_RECOVERY         either a case at baseline, both below the cut-off now; needs both measures
//  RELIABLE_RECOVERY     both of these
// Of several measures of one kind the one counts that the course's plan names first.
//
// What track.h withholds is not told: a milestone that such a form would reach is not reached by
// it, one reached before does not hold of it, and it is no part of a remission. Its points are
// told.
//
// Days are reckoned by the patient's calendar, so that a clock change moves no date. A milestone
// holds if the newest complete form (for the course: the newest of each measure) still meets its
// rule. Worsening is told against baseline, previous and best, whichever is reliable. Where a
// course counts its sessions anew, sessions 1 and 2 are those of the first count.
namespace rapport::assessment {

// The forms of one instrument.
struct Series {
  const InstrumentRules* rules = nullptr;
  std::vector<Form> forms;  // by answer time
};

struct ProgressInput {
  std::string course;    // its name
  std::string patient;   // whose: a name
  std::string protocol;  // id, as "classic"
  absl::TimeZone zone;   // the patient's
  absl::Time now;
  std::vector<Session> sessions;  // by start
  std::vector<Series> series;     // by instrument id; the respondent's forms alone
  std::vector<std::string>
      plan;                      // ids of the instruments that the course's plan asks for, in order
  std::vector<int> primary_due;  // positions in `sessions` at which the first of them is due
  absl::Span<const v1::TrackRule> rules;
};

// All but the item changes, which need the answers, and the rhythm.
v1::Progress ComputeProgress(const ProgressInput& input);

// What `rules` would compute as reliable change; unset where spread or reliability is not known.
std::optional<v1::ComputedReliableChange> ComputedReliableChangeOf(const v1::ChangeFacts& facts);

// Item by item, for the items that either of the two forms answers.
void TellItemChanges(const InstrumentRules& rules, const Sheet& baseline, const Sheet& newest,
                     v1::InstrumentProgress& progress);

// The newest complete form of `progress` that came to a total; null: none.
const v1::ProgressPoint* NewestComplete(const v1::InstrumentProgress& progress);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_H_
