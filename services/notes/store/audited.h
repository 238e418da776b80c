#ifndef RAPPORT_SERVICES_NOTES_STORE_AUDITED_H_
#define RAPPORT_SERVICES_NOTES_STORE_AUDITED_H_

#include <vector>

#include "common/audit/verify.h"

namespace rapport::notes {

// How what this service's audit entries cover is stored: cases and what is in them, signed versions
// of notes with their co-signatures and addenda, psychotherapy notes, consents, releases,
// guardians, emergency access, holds, fidelity and supervision, signing keys, clinicians' templates
// and clinics' note policies. Drafts, which are overwritten, are not compared, nor are the policies
// on co-signing, which are stored in columns.
std::vector<audit::RecordKind> RecordKinds();

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_AUDITED_H_
