#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PLANS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PLANS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/assessment/v1/measurement_plan.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/domain/sessions.h"

// What is asked of a course's patients, and what is due of it (clinical rules 1.3 and 5.6).
//
// An entry goes by sessions; in maintenance, and where sessions are more than 28 days apart, one
// with `every_days` goes by days instead.
namespace rapport::assessment {

using Plan = std::vector<v1::PlannedMeasure>;

// Something that is known of instruments by id, as "phq-9".
using OfInstrument = absl::FunctionRef<bool(absl::string_view id)>;

// The patient is asked about suicide at least this often (the suite's own rule 1.3).
inline constexpr int kSuicideItemDays = 28;

// A questionnaire that goes by days is overdue once it is due for this long.
inline constexpr absl::Duration kOverdueAfter = absl::Hours(24 * 7);

// Whether entries of the course's plan may go by days now: it is in maintenance, or active with
// sessions more than 28 days apart.
bool CountsDays(const scheduling::v1::CourseEvent& course);

// The plan of `course`: `adjusted`, unless that is empty; else its protocol's measures, with those
// of the maintenance contract in the place of the protocol's entries of the same instruments. Of a
// couple, questionnaires about the relationship are for each, the others for the patient. Where no
// entry asks the patient about suicide often enough, one of origin SAFETY is added: the PHQ-A where
// the plan has it, else the PHQ-9.
Plan PlanOf(const scheduling::v1::CourseEvent& course, const Plan& adjusted,
            OfInstrument asks_about_suicide);

// Whether `measures` can be the plan of `course`.
//   kInvalidArgument  below "measurement_plan.measures": an instrument that is not known, two
//   entries
//                     that ask the same person the same, a partner that there is not;
//                     NO_SUICIDE_ITEM: the patient is not asked about suicide at least every 28
//                     days
absl::Status CheckPlan(absl::Span<const v1::PlannedMeasure> measures,
                       const scheduling::v1::CourseEvent& course, OfInstrument known,
                       OfInstrument asks_about_suicide);

// `measures` as kept: who answers is told of each, and why it is asked, as `before` has it; what is
// new there the clinician added.
Plan Adjusted(absl::Span<const v1::PlannedMeasure> measures,
              const scheduling::v1::CourseEvent& course, const Plan& before);

// Whether `measure` is asked for at session `number` of `course`: at session 1 and then every so
// many; at the last planned one and where a phase begins, where it says so. Never where it goes by
// days.
bool IsDueAt(const v1::PlannedMeasure& measure, int number,
             const scheduling::v1::CourseEvent& course);

// What is expected for one session, in the order of `plan`, of each respondent once. DONE with the
// session's form: the last complete one of its window before it starts, else the first complete one
// after, else the last with a total. OVERDUE once the session has ended without one. Nothing for a
// session that does not stand or count. `forms` are the course's, by answer time.
std::vector<v1::DueMeasure> DueFor(absl::string_view course_name,
                                   const scheduling::v1::CourseEvent& course, const Plan& plan,
                                   const Session& session, absl::Span<const Form> forms,
                                   absl::Time now);

// The next one expected of each entry that goes by days: so many days after the respondent's last
// form, at `since` where there is none yet, until the maintenance contract ends (by `zone`); DUE,
// and OVERDUE a week after. `forms` are the newest complete one of each instrument and respondent.
// InfiniteFuture for `since`: it is not known when to begin.
std::vector<v1::DueMeasure> DueByDays(absl::string_view course_name,
                                      const scheduling::v1::CourseEvent& course, const Plan& plan,
                                      absl::Time since, absl::Span<const Form> forms,
                                      absl::TimeZone zone, absl::Time now);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PLANS_H_
