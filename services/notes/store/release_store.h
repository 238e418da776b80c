#ifndef RAPPORT_SERVICES_NOTES_STORE_RELEASE_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_RELEASE_STORE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/release.pb.h"
#include "services/notes/store/paging.h"

// Consents, decisions whether a patient sees a note, and the labels of cases. Texts are sealed with
// the key of the patient whom they are about. Functions that return a string return what was
// stored, for the audit entry.
namespace rapport::notes {

// Consents. Their state is left to the caller's clock.

absl::StatusOr<std::string> InsertConsent(sql::Transaction& tx, const crypto::Vault& vault,
                                          const v1::Consent& consent);

// kNotFound ("Consent").
absl::StatusOr<v1::Consent> GetConsent(sql::Session& session, const crypto::Vault& vault,
                                       absl::string_view name);

//   kFailedPrecondition ALREADY_REVOKED
absl::Status RevokeConsent(sql::Transaction& tx, absl::string_view name, absl::Time now);

// Newest first.
absl::StatusOr<Listed<v1::Consent>> ListConsents(sql::Session& session, const crypto::Vault& vault,
                                                 absl::string_view organization_id,
                                                 absl::string_view case_id, const call::Page& page);

// The patients whose consent to `purpose` is in force at `now`.
absl::StatusOr<std::vector<std::string>> ListConsented(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view case_id,
                                                       v1::ConsentPurpose purpose, absl::Time now);

// Decisions, by the id of the note and the name of the patient: the newest of each.
using NoteReleases = std::map<std::pair<std::string, std::string>, v1::NoteRelease>;
absl::StatusOr<NoteReleases> GetNoteReleases(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view organization_id,
                                             absl::string_view case_id,
                                             const std::vector<std::string>& note_ids);

// Keeps the decision as the version that its etag names.
//   kAborted LOST_RACE  another was made meanwhile
absl::StatusOr<std::string> InsertNoteRelease(sql::Transaction& tx, const crypto::Vault& vault,
                                              const v1::NoteRelease& release);

// Whether something in the case tells of danger: a safety plan, or a private safety check that
// showed concern or danger (see IsSafetyFlagged).
absl::StatusOr<bool> HasSafetyFlag(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view organization_id, absl::string_view case_id);

// Labels. The notice is left to the caller's settings. Never kNotFound: no labels.
absl::StatusOr<v1::CaseLabels> GetCaseLabels(sql::Session& session,
                                             absl::string_view organization_id,
                                             absl::string_view case_id);
void PutCaseLabels(sql::Transaction& tx, absl::string_view organization_id,
                   absl::string_view case_id, const v1::CaseLabels& labels);

// The ids of the cases of a patient (a full name), as identified patient or as partner, oldest
// first; at most 50.
absl::StatusOr<std::vector<std::string>> ListCasesOfPatient(sql::Session& session,
                                                            absl::string_view patient);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_RELEASE_STORE_H_
