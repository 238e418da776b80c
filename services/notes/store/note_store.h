#ifndef RAPPORT_SERVICES_NOTES_STORE_NOTE_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_NOTE_STORE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/note.pb.h"
#include "services/notes/store/paging.h"

// Session notes. The database refuses every change of a signed one, and every part but addenda.
namespace rapport::notes {

struct NoteRecord {
  v1::Note resource;  // complete
  int64_t version = 0;
};

// kNotFound ("Note"). Says nothing of who may see it.
absl::StatusOr<NoteRecord> GetNote(sql::Session& session, absl::string_view name);

// Whether `author` has a note for `appointment`.
absl::StatusOr<bool> HasNote(sql::Session& session, absl::string_view organization_id,
                             absl::string_view appointment, absl::string_view author);

// The signed notes of a case and the drafts of `author`, by session.
absl::StatusOr<Listed<v1::Note>> ListNotes(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view case_id, absl::string_view author,
                                           const call::Page& page);

// The plan of the last signed note before `session_time`, with the note's name; nothing: none.
struct LastPlan {
  std::string note;
  std::string plan;
};
absl::StatusOr<std::optional<LastPlan>> GetLastPlan(sql::Session& session,
                                                    absl::string_view organization_id,
                                                    absl::string_view case_id,
                                                    absl::Time session_time);

// Keeps a new draft as version 1, with its prefill; sets its etag.
//   kAlreadyExists ("Note")  its author has one for this appointment
absl::Status InsertNote(sql::Transaction& tx, v1::Note& note, absl::Time session_time);

// Keeps `note.content` under `note.draft_sequence`, iff the draft kept is still the one numbered
// `base_sequence`; brings version, etag and update time up. False: it is another by now, or signed.
absl::StatusOr<bool> SaveDraft(sql::Transaction& tx, NoteRecord& note, int64_t base_sequence,
                               absl::Time now);

// Signs the draft: `canonical` are the bytes signed, which the row keeps from now on. Brings state,
// version, etag and update time up.
//   kAborted LOST_RACE  it has changed since it was read
absl::Status SignNote(sql::Transaction& tx, NoteRecord& note, const std::string& canonical,
                      const v1::Signature& signature, absl::Time now);

// Adds a signed addendum to a signed note; brings addenda, version, etag and update time up.
//   kAborted LOST_RACE  another was added meanwhile
absl::Status InsertAddendum(sql::Transaction& tx, NoteRecord& note, const v1::Addendum& addendum);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_NOTE_STORE_H_
