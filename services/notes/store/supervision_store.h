#ifndef RAPPORT_SERVICES_NOTES_STORE_SUPERVISION_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_SUPERVISION_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/supervision.pb.h"
#include "services/notes/store/paging.h"

// The log of supervision, the registry of recordings, and random choices among these. Texts are
// sealed (see sealed.h): of a case for its subject, of a session of supervision for the supervisee,
// whose own words they are. What was sealed for someone erased since reads as `erased`. The
// database refuses every change but those below. Functions that keep something return the stored
// bytes, for the audit entry, and answer kFailedPrecondition ERASED where its subject was erased.
namespace rapport::notes {

// The log.

struct SupervisionRecord {
  v1::SupervisionSession resource;  // complete
  int64_t version = 0;
};

// Keeps a new session as version 1, with its cases; `subjects` are theirs, in the order of cases.
// Returns the stored bytes of the session, and of each case in order.
absl::StatusOr<std::vector<std::string>> InsertSupervision(
    sql::Transaction& tx, const crypto::Vault& vault, v1::SupervisionSession& session,
    const std::vector<std::string>& subjects);

// The name under which the audit log knows of a case that was talked over in a session.
std::string SupervisedCaseName(absl::string_view session, absl::string_view case_name);

// kNotFound ("SupervisionSession").
absl::StatusOr<SupervisionRecord> GetSupervision(sql::Session& session, const crypto::Vault& vault,
                                                 absl::string_view name);

// The log of a supervisee, newest first; `supervisor`: with them alone, empty: all. Two statements
// beside those that read keys.
absl::StatusOr<Listed<v1::SupervisionSession>> ListSupervision(sql::Session& session,
                                                               const crypto::Vault& vault,
                                                               absl::string_view supervisee,
                                                               absl::string_view supervisor,
                                                               const call::Page& page);

// Keep that it was confirmed, or voided with a reason; bring `record` up.
//   kAborted LOST_RACE
absl::Status ConfirmSupervision(sql::Transaction& tx, SupervisionRecord& record, absl::Time now);
absl::StatusOr<std::string> VoidSupervision(sql::Transaction& tx, const crypto::Vault& vault,
                                            SupervisionRecord& record, absl::string_view reason,
                                            absl::Time now);

// The registry.

struct RecordingRecord {
  v1::SessionRecording resource;  // all but its state
  int64_t version = 0;
  bool private_session = false;  // known to those who treat alone
};

// Keeps a new recording as version 1, sealed for `subject`.
//   kAlreadyExists ("SessionRecording")  the session has one
absl::StatusOr<std::string> InsertRecording(sql::Transaction& tx, const crypto::Vault& vault,
                                            absl::string_view subject, RecordingRecord& record);

// kNotFound ("SessionRecording").
absl::StatusOr<RecordingRecord> GetRecording(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view name);

struct RecordingQuery {
  std::string organization_id;
  std::string case_id;                  // empty: of all cases of...
  std::vector<std::string> clinicians;  // ...these, by who is responsible now
  absl::CivilDay today;
  bool due_for_deletion = false;
  std::optional<absl::CivilDay> retain_until;  // until then at the latest, and not deleted
};
// By the day until which they may be kept. A patient's erasure makes theirs due for deletion.
absl::StatusOr<Listed<v1::SessionRecording>> ListRecordings(sql::Session& session,
                                                            const crypto::Vault& vault,
                                                            const RecordingQuery& query,
                                                            const call::Page& page);

// Keeps the withdraw_time and deletion of `record.resource`; brings version and etag up.
//   kAborted LOST_RACE
absl::Status UpdateRecording(sql::Transaction& tx, RecordingRecord& record);

// Selections.

// Keeps a new selection with its seed, sealed for the organisation.
absl::StatusOr<std::string> InsertSelection(sql::Transaction& tx, const crypto::Vault& vault,
                                            const v1::RecordingSelection& selection,
                                            absl::string_view seed);

// The selection, all but its proof. kNotFound ("RecordingSelection").
absl::StatusOr<v1::RecordingSelection> GetSelection(sql::Session& session, absl::string_view name);

// The seed that was committed to.
absl::StatusOr<std::string> GetSeed(sql::Session& session, const crypto::Vault& vault,
                                    absl::string_view name);

// The name of the selection of a case that was not drawn; empty: none.
absl::StatusOr<std::string> OpenSelection(sql::Session& session, absl::string_view organization_id,
                                          absl::string_view case_id);

// Newest first.
absl::StatusOr<Listed<v1::RecordingSelection>> ListSelections(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view case_id,
                                                              const call::Page& page);

// Keeps what the draw told, once.
//   kAborted LOST_RACE
absl::StatusOr<std::string> DrawSelection(sql::Transaction& tx,
                                          const v1::RecordingSelection& selection);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SUPERVISION_STORE_H_
