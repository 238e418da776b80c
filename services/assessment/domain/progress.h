#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/sessions.h"

// How a course goes (clinical rules 5.1 to 5.4).
//
// Only complete forms are baseline, response, remission or recovery points; a prorated one is
// drawn, and one above remission level interrupts a remission, but it never makes a term true.
//
//  Baseline            last complete form within 28 days before session 1, else the first complete
//                      one after its start and by the end of session 2; none without session 1
//  RELIABLE_*          |change from baseline| ≥ the reliable change
//  RESPONSE            improved from baseline by the instrument's percentage; only where the
//                      baseline was a case
//  REMISSION_LEVEL     one total at the remission cut-off; only where the baseline was a case
//  REMISSION           all totals at that level for ≥ 14 days, at least 2 of them
//  SUSTAINED_RECOVERY  the same for ≥ 6 months
//  POSSIBLE_RELAPSE    a full-syndrome form after REMISSION, POSSIBLE_RECURRENCE after
//                      SUSTAINED_RECOVERY. Full syndrome: a case, and the instrument's diagnostic
//                      rule says "major"; instruments without such a rule tell neither
// and over the course's depression and anxiety measure, each by its last complete form then:
//  RELIABLE_IMPROVEMENT  on either, with no reliable deterioration on the other
//  CASE_RECOVERY         either a case at baseline, both below the cut-off now; needs both measures
//  RELIABLE_RECOVERY     both of these
//
// Days are reckoned by the patient's calendar, so that a clock change moves no date. A milestone
// holds if the newest complete form (for the course: the newest of each measure) still meets its
// rule. Worsening is told against baseline, previous and best, whichever is reliable.
namespace rapport::assessment {

// The forms of one instrument.
struct Series {
  const InstrumentRules* rules = nullptr;
  std::vector<Form> forms;  // by answer time
};

struct ProgressInput {
  std::string course;             // its name
  absl::TimeZone zone;            // the patient's
  std::vector<Session> sessions;  // by start
  std::vector<Series> series;     // by instrument id
};

v1::Progress ComputeProgress(const ProgressInput& input);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_H_
