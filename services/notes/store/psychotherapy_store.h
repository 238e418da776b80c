#ifndef RAPPORT_SERVICES_NOTES_STORE_PSYCHOTHERAPY_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_PSYCHOTHERAPY_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/psychotherapy_note.pb.h"
#include "services/notes/store/paging.h"

// Psychotherapy notes and their releases, apart from all else: tables of their own, and a key of
// the author's for one case alone, so that neither the case's key opens them nor the other way
// round.
namespace rapport::notes {

struct PsychotherapyRecord {
  v1::PsychotherapyNote resource;  // complete
  int64_t version = 0;
};

// Whose key seals the psychotherapy notes of `author` (a clinician) on one case.
std::string PsychotherapySubject(absl::string_view author, absl::string_view case_id);

// All such keys of the case `case_id`: what erasing its patient must shred as well.
absl::StatusOr<std::vector<std::string>> ListPsychotherapySubjects(
    sql::Session& session, absl::string_view organization_id, absl::string_view case_id);

// Who wrote the note `name`, and whether it is released to `clinician` at `now`. kNotFound
// ("PsychotherapyNote").
struct PsychotherapyFacts {
  std::string author;
  bool released = false;
};
absl::StatusOr<PsychotherapyFacts> GetPsychotherapyFacts(sql::Session& session,
                                                         absl::string_view name,
                                                         absl::string_view clinician,
                                                         absl::Time now);

// kNotFound ("PsychotherapyNote"). Says nothing of who may see it.
absl::StatusOr<PsychotherapyRecord> GetPsychotherapyNote(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         absl::string_view name);

// Those of `author`, newest first.
absl::StatusOr<Listed<v1::PsychotherapyNote>> ListPsychotherapyNotes(
    sql::Session& session, const crypto::Vault& vault, absl::string_view organization_id,
    absl::string_view case_id, absl::string_view author, const call::Page& page);

// Keeps a new note as version 1 and sets its etag; returns what was stored.
absl::StatusOr<std::string> InsertPsychotherapyNote(sql::Transaction& tx,
                                                    const crypto::Vault& vault,
                                                    v1::PsychotherapyNote& note);

// Keeps `record.resource.text` as the next version, to which etag and update time are brought up.
//   kAborted LOST_RACE
absl::StatusOr<std::string> UpdatePsychotherapyNote(sql::Transaction& tx,
                                                    const crypto::Vault& vault,
                                                    PsychotherapyRecord& record, absl::Time now);

absl::StatusOr<std::string> InsertPsychotherapyRelease(sql::Transaction& tx,
                                                       const crypto::Vault& vault,
                                                       const v1::PsychotherapyRelease& release);

// kNotFound ("PsychotherapyRelease").
absl::StatusOr<v1::PsychotherapyRelease> GetPsychotherapyRelease(sql::Session& session,
                                                                 const crypto::Vault& vault,
                                                                 absl::string_view name);

//   kFailedPrecondition ALREADY_REVOKED
absl::Status RevokePsychotherapyRelease(sql::Transaction& tx, absl::string_view name,
                                        absl::Time now);

// Newest first.
absl::StatusOr<Listed<v1::PsychotherapyRelease>> ListPsychotherapyReleases(
    sql::Session& session, const crypto::Vault& vault, absl::string_view note,
    const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_PSYCHOTHERAPY_STORE_H_
