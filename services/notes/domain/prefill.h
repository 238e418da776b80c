#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_PREFILL_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_PREFILL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// What a note begins with: facts copied with their source and its version, never refreshed.
namespace rapport::notes {

// For each questionnaire of the course's protocol, in its order, the form that speaks for a
// session: the newest complete one recorded for `appointment`, else the newest complete one filled
// in before `session_end`.
std::vector<v1::PrefilledScore> ChooseScores(
    const scheduling::v1::CourseEvent& course,
    const std::vector<assessment::v1::Assessment>& assessments, absl::string_view appointment,
    absl::Time session_end);

// Goals that were not dropped, as they stand.
std::vector<v1::PrefilledGoal> PrefillGoals(const std::vector<v1::Goal>& goals);

// Actions of `entries` that are still open, and that a note of `about` may tell of: of a private
// note those of its partner and of both; of others those that are not private.
std::vector<v1::PrefilledAction> PrefillActions(const std::vector<v1::Entry>& entries,
                                                absl::string_view about);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_PREFILL_H_
