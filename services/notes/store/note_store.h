#ifndef RAPPORT_SERVICES_NOTES_STORE_NOTE_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_NOTE_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/note.pb.h"
#include "services/notes/store/paging.h"

// Session notes in versions. The database refuses every change of a signed version, every part but
// addenda and one word of a supervisor, and a version that does not follow the last. Texts are
// sealed (see sealed.h); those of someone erased since read as `erased`, without text. Functions
// that keep a text return the stored bytes, for the audit entry, and answer kFailedPrecondition
// ERASED where its subject was erased.
namespace rapport::notes {

// A note, or one version of it with its text.
struct NoteRecord {
  v1::Note resource;
  int64_t version = 0;  // of the etag
  std::string subject;  // whose key seals it
  // Of the open draft, where there is one; for its author.
  int64_t saves = 0;
  int64_t draft_sequence = 0;
  int32_t draft_copies = 0;
};

// All of a note but its texts: `resource` tells who, when, what kind, and how its newest signed
// version stands (state DRAFT: none is signed); `version` counts no saves. kNotFound ("Note"). Says
// nothing of who may see it.
absl::StatusOr<NoteRecord> GetNote(sql::Session& session, absl::string_view name);

// A version with its text: `version`, or for 0 the open draft where `author` is who writes the
// note, else the newest signed one. Drafts are for their author alone.
//   kNotFound ("Note")
absl::StatusOr<NoteRecord> ReadNote(sql::Session& session, const crypto::Vault& vault,
                                    absl::string_view name, absl::string_view author,
                                    int32_t version = 0);

// The name of the note of `author` for `appointment`, about `about` (empty: not a private one).
absl::StatusOr<std::optional<std::string>> FindNote(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view appointment,
                                                    absl::string_view author,
                                                    absl::string_view about = "");

// The notes of a case as ReadNote gives them to `author`, by session. One statement beside those
// that read keys.
absl::StatusOr<Listed<v1::Note>> ListNotes(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view organization_id,
                                           absl::string_view case_id, absl::string_view author,
                                           const call::Page& page);

// The versions of a note, newest first, the open draft only for its author.
absl::StatusOr<Listed<v1::Note>> ListNoteVersions(sql::Session& session, const crypto::Vault& vault,
                                                  absl::string_view name, absl::string_view author,
                                                  const call::Page& page);

// The canonical bytes of a signed version as they are kept.
//   kNotFound ("Note"), kFailedPrecondition ERASED
absl::StatusOr<std::string> GetSignedBytes(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view name, int32_t version);

// The plan of the last signed note before `session_time`, of those about `about` (empty: not
// private); nothing: none.
struct LastPlan {
  std::string note;
  int32_t version = 0;
  std::string plan;
};
absl::StatusOr<std::optional<LastPlan>> GetLastPlan(
    sql::Session& session, const crypto::Vault& vault, absl::string_view organization_id,
    absl::string_view case_id, absl::string_view about, absl::Time session_time);

// Keeps a new note with version 1 as its draft; sets its etag. `clinic`: where the course is.
//   kAlreadyExists ("Note")  its author has one for this appointment and subject
absl::StatusOr<std::string> InsertNote(sql::Transaction& tx, const crypto::Vault& vault,
                                       v1::Note& note, absl::string_view subject,
                                       absl::string_view clinic);

// Keeps the content of the draft `note` under its draft_sequence, iff the draft kept is still the
// one numbered `base_sequence`; brings etag and update time up. Nothing: it is another by now, or
// signed.
absl::StatusOr<std::optional<std::string>> SaveDraft(sql::Transaction& tx,
                                                     const crypto::Vault& vault, NoteRecord& note,
                                                     int64_t base_sequence, absl::Time now);

// Texts that were refused. At most kMostDraftCopies wait with a note.
inline constexpr int kMostDraftCopies = 20;
absl::StatusOr<std::string> PutDraftCopy(sql::Transaction& tx, const crypto::Vault& vault,
                                         const NoteRecord& note, const v1::DraftCopy& copy);
absl::StatusOr<std::vector<v1::DraftCopy>> ListDraftCopies(sql::Session& session,
                                                           const crypto::Vault& vault,
                                                           absl::string_view note);
// Deferred.
void DeleteDraftCopies(sql::Transaction& tx, absl::string_view note,
                       const std::vector<std::string>& ids);

// Signs the draft `note`, which is complete with signature and cosign: `canonical` are the bytes
// signed, which are kept from now on. Brings state, versions, etag and update time up.
//   kAborted LOST_RACE  it has changed since it was read
absl::StatusOr<std::string> SignNote(sql::Transaction& tx, const crypto::Vault& vault,
                                     NoteRecord& note, const std::string& canonical,
                                     absl::Time now);

// Opens the version after the newest signed one as a draft with the content and revision_reason of
// `draft`. `note`: see GetNote; its etag is brought up.
//   kAborted LOST_RACE
absl::StatusOr<std::string> OpenDraft(sql::Transaction& tx, const crypto::Vault& vault,
                                      NoteRecord& note, const v1::Note& draft, absl::Time now);

// Asks for the signature of `supervisor` (empty: any) under the newest signed version.
//   kAborted LOST_RACE
absl::Status AskForCosign(sql::Transaction& tx, NoteRecord& note,
                          const v1::CosignRequirement& requirement, absl::Time now);

// A supervisor's word on the newest signed version: their signature, or its return.
//   kAborted LOST_RACE
absl::StatusOr<std::string> InsertCosignature(sql::Transaction& tx, NoteRecord& note,
                                              const v1::Signature& signature);
absl::StatusOr<std::string> InsertReturn(sql::Transaction& tx, const crypto::Vault& vault,
                                         NoteRecord& note, const v1::NoteReturn& returned);

// Adds a signed addendum: `canonical` are the bytes signed. Brings etag and update time up.
//   kAborted LOST_RACE  another was added meanwhile
absl::StatusOr<std::string> InsertAddendum(sql::Transaction& tx, const crypto::Vault& vault,
                                           NoteRecord& note, const v1::Addendum& addendum,
                                           const std::string& canonical);

// The canonical bytes of an addendum as they are kept.
absl::StatusOr<std::string> GetAddendumBytes(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view note, int32_t number);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_NOTE_STORE_H_
