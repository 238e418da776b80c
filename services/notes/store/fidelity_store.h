#ifndef RAPPORT_SERVICES_NOTES_STORE_FIDELITY_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_FIDELITY_STORE_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/fidelity.pb.h"
#include "rapport/notes/v1/note.pb.h"

// What people say of sessions, what therapists share of their fidelity, and the organisation's
// rule. Fidelity itself is kept nowhere: it is reckoned anew.
namespace rapport::notes {

struct PolicyRecord {
  v1::FidelityPolicy resource;  // complete; ON_SHARING where nothing was ever set
  int64_t version = 0;
};
absl::StatusOr<PolicyRecord> GetFidelityPolicy(sql::Session& session,
                                               absl::string_view organization_id);

// Keeps `record.resource` as the version after `record.version`, to which it brings version, etag
// and update time up, and returns the stored bytes.
//   kAborted LOST_RACE
absl::StatusOr<std::string> PutFidelityPolicy(sql::Transaction& tx, PolicyRecord& record,
                                              absl::Time now);

// What `clinician` shares of a case.
struct Shares {
  std::optional<absl::Time> all;            // since when the whole course is
  std::map<std::string, absl::Time> notes;  // ids of notes
  bool Has(absl::string_view note_id) const {
    return all.has_value() || notes.count(std::string(note_id)) > 0;
  }
};
absl::StatusOr<Shares> GetShares(sql::Session& session, absl::string_view organization_id,
                                 absl::string_view case_id, absl::string_view clinician);

// Adds to them; what is shared already stays as it is. No `note_ids`: the whole course. Deferred.
void PutShares(sql::Transaction& tx, absl::string_view organization_id, absl::string_view case_id,
               absl::string_view clinician, const std::vector<std::string>& note_ids,
               absl::Time now);

// Keeps a rating, sealed for `subject`, and returns the stored bytes, for the audit entry.
//   kFailedPrecondition ERASED
absl::StatusOr<std::string> InsertRating(sql::Transaction& tx, const crypto::Vault& vault,
                                         absl::string_view subject,
                                         const v1::SessionRating& rating);

// kNotFound ("SessionRating").
absl::StatusOr<v1::SessionRating> GetRating(sql::Session& session, const crypto::Vault& vault,
                                            absl::string_view name);

// The newest rating of each rater of a note, newest first; `rater`: of them alone, empty: of all.
// What was sealed for someone erased since has no text and is `erased`.
absl::StatusOr<std::vector<v1::SessionRating>> ListNewestRatings(sql::Session& session,
                                                                 const crypto::Vault& vault,
                                                                 absl::string_view note,
                                                                 absl::string_view rater);

// Facts of a case that bear on fidelity: whether it has a formulation, a risk assessment, a goal.
struct CaseFacts {
  bool formulation = false;
  bool risk_assessment = false;
  bool goal = false;
};
absl::StatusOr<CaseFacts> GetCaseFacts(sql::Session& session, absl::string_view organization_id,
                                       absl::string_view case_id);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_FIDELITY_STORE_H_
