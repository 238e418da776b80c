#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_COUPLE_RULES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_COUPLE_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/errors/errors.h"
#include "rapport/notes/v1/entry.pb.h"
#include "services/notes/domain/entry_rules.h"

// The rules of entries of a couple's case (clinical rules 2.1, 2.2, 2.5, 4.5).
namespace rapport::notes {

// Appends what is wrong with whom a prepared entry is about and to whom it is private. A hope, an
// expectation, a diagnosis and the like are one partner's; what is said alone is private; the
// ground rules are of both and open to both.
void CheckWhose(const v1::Entry& entry, const EntryFacts& facts,
                std::vector<errors::FieldViolation>& violations);

// OK iff the kind belongs to a case like this.
//   kFailedPrecondition NOT_CONJOINT, NOT_INDIVIDUAL
absl::Status CheckCaseKind(const v1::Entry& entry, bool conjoint);

// Whether `entry` may name `other` without telling of it to who must not know: shared entries never
// name private ones, and those of one partner none that are private to the other or the therapist.
bool MayName(const v1::Entry& entry, const v1::Entry& other);

// Of `partners`, those for whom `entries` hold no current strategy, of their own or shared. From
// the middle phase on a conjoint note warns of them at signing.
std::vector<std::string> PartnersWithoutStrategy(absl::Span<const v1::Entry> entries,
                                                 absl::Span<const std::string> partners);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_COUPLE_RULES_H_
