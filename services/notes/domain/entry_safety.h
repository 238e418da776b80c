#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_SAFETY_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_SAFETY_H_

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/entry_rules.pb.h"
#include "services/notes/domain/entry_rules.h"

// Safety with those close, in individual work (clinical rule 2.4).
namespace rapport::notes {

// The newest safety check among `entries` that is in force on `day`; null: none.
const v1::Entry* SafetyCheckInForce(absl::Span<const v1::Entry> entries, absl::CivilDay day);

// Whether the newest check at which the patient would say told of concern or danger: the case bears
// the safety flag, also when that check is in force no more, until a newer one tells of nothing.
bool IsSafetyFlagged(absl::Span<const v1::Entry> entries);

// Whether `entry` plans, or rehearses, something with a person of `entries` who is close to the
// patient now: an agreed action, a decision taken, a rehearsal, work on a dispute with a plan.
bool IsAimedAtSomeoneClose(const v1::Entry& entry, absl::Span<const v1::Entry> entries,
                           const v1::EntryRules& rules);

// OK iff what is aimed at someone close may be planned. Rehearsals that took place are never
// refused: they bear the warning. In a joint session nothing is refused, as the refusal would
// prompt the question.
//   kFailedPrecondition SAFETY_CHECK_NEEDED, SAFETY_PLAN_NEEDED
absl::Status CheckSafety(const v1::Entry& entry, const EntryFacts& facts,
                         const v1::EntryRules& rules);

// What those who treat bear in mind with `entry` on `day`. `entries` holds the case's relationships
// and safety checks. Of a couple's case nothing of safety: what one partner told alone colours
// nothing that the other may see.
std::vector<v1::EntryWarning> WarningsOf(const v1::Entry& entry,
                                         absl::Span<const v1::Entry> entries, bool conjoint,
                                         absl::CivilDay day, const v1::EntryRules& rules);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_SAFETY_H_
