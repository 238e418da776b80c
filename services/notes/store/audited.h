#ifndef RAPPORT_SERVICES_NOTES_STORE_AUDITED_H_
#define RAPPORT_SERVICES_NOTES_STORE_AUDITED_H_

#include <vector>

#include "common/audit/verify.h"

namespace rapport::notes {

// How what this service's audit entries cover is stored: cases and what is in them, signed versions
// of notes with their co-signatures and addenda, psychotherapy notes, consents, releases,
// guardians, emergency access and holds. Drafts, which are overwritten, and settings are not
// compared.
std::vector<audit::RecordKind> RecordKinds();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_AUDITED_H_
