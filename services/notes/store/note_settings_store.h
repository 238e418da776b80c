#ifndef RAPPORT_SERVICES_NOTES_STORE_NOTE_SETTINGS_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_NOTE_SETTINGS_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/note.pb.h"
#include "services/notes/store/paging.h"

// What signatures and notes go by: signature keys, policies of supervisors and clinics, therapists'
// own templates. Clinicians and clinics are given by full names.
namespace rapport::notes {

// A clinician's key with its private half, which must go nowhere.
struct HeldKey {
  v1::SigningKey key;
  std::string private_key;
};
// Nothing: they have never signed.
absl::StatusOr<std::optional<HeldKey>> GetSigningKey(sql::Session& session,
                                                     const crypto::Vault& vault,
                                                     absl::string_view clinician);
// Keeps a new key, its private half sealed for the organisation; returns the stored bytes.
//   kAlreadyExists  the clinician has one
absl::StatusOr<std::string> InsertSigningKey(sql::Transaction& tx, const crypto::Vault& vault,
                                             const HeldKey& held);
// The public halves of all keys of `clinician` (empty: anyone), oldest first.
absl::StatusOr<Listed<v1::SigningKey>> ListSigningKeys(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view clinician,
                                                       const call::Page& page);

// What a signature of `clinician` for a course at `clinic` goes by at `now`, in one statement.
struct SigningFacts {
  care::Standing standing;
  std::vector<v1::CosignPolicy> policies;  // of supervisors in force, with their seeds
  std::string time_zone;                   // of the clinic; empty: not known
  v1::NotePolicy note_policy;              // of the clinic
};
absl::StatusOr<SigningFacts> GetSigningFacts(sql::Session& session, absl::string_view clinician,
                                             absl::string_view clinic, absl::Time now);

// Nothing: none was set.
absl::StatusOr<std::optional<v1::CosignPolicy>> GetCosignPolicy(sql::Session& session,
                                                                absl::string_view name);
// Those in which `clinician` has a part (empty: all), by supervisee and supervisor.
absl::StatusOr<Listed<v1::CosignPolicy>> ListCosignPolicies(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view clinician,
                                                            const call::Page& page);
// Keeps `policy` as version `version`, which follows the one that is kept (0: none); sets its etag.
//   kAborted LOST_RACE
absl::Status PutCosignPolicy(sql::Transaction& tx, v1::CosignPolicy& policy, int64_t version);

// An empty policy where none was set.
absl::StatusOr<v1::NotePolicy> GetNotePolicy(sql::Session& session, absl::string_view clinic);
// As PutCosignPolicy; returns what was stored.
absl::StatusOr<std::string> PutNotePolicy(sql::Transaction& tx, v1::NotePolicy& policy,
                                          int64_t version);

// Keeps the next revision of `note_template` for `clinician`; sets its name and revision.
absl::Status InsertTemplate(sql::Transaction& tx, absl::string_view clinician,
                            v1::NoteTemplate& note_template);
// A clinician's own revision. kNotFound ("NoteTemplate").
absl::StatusOr<v1::NoteTemplate> GetTemplate(sql::Session& session, absl::string_view name);
// The newest revision of each of a clinician's own, by id, of `phase` (unspecified: all).
absl::StatusOr<Listed<v1::NoteTemplate>> ListTemplates(sql::Session& session,
                                                       absl::string_view clinician,
                                                       v1::NotePhase phase, const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_NOTE_SETTINGS_STORE_H_
