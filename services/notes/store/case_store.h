#ifndef RAPPORT_SERVICES_NOTES_STORE_CASE_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_CASE_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/notes/store/paging.h"

// Case files with their signed parts: determinations, formulations. Ids and names are apart:
// functions take the organisation's and the case's id, resources bear full names. What they say is
// sealed (see sealed.h); what was sealed for someone erased since reads as `erased`. Functions that
// keep something return the stored bytes, for the audit entry, and answer kFailedPrecondition
// ERASED where its subject was erased.
namespace rapport::notes {

struct CaseRecord {
  v1::Case resource;  // complete
  int64_t version = 0;
  bool was_determined = false;  // it has a determination, in force or opened again
};

// kNotFound ("Case").
absl::StatusOr<CaseRecord> GetCase(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view organization_id, absl::string_view case_id);

// The cases whose responsible clinician is among `clinicians`, newest first.
absl::StatusOr<Listed<v1::Case>> ListCases(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view organization_id,
                                           const std::vector<std::string>& clinicians,
                                           const call::Page& page);

// Keeps `record.resource` (its problem areas and the formulation's version) as the version after
// `record.version`, to which it and its etag and update time are brought up.
//   kAborted LOST_RACE  the case has changed since it was read
absl::StatusOr<std::string> UpdateCase(sql::Transaction& tx, const crypto::Vault& vault,
                                       CaseRecord& record, absl::Time now);

// Follows scheduling: the first event of a course makes its case, later ones keep the patient, the
// clinician and the formulation's due session; `event` must be of a course. One that is not newer
// than what is known does nothing. Each change of the case appends its event.
absl::Status ApplyCourse(sql::Transaction& tx, const crypto::Vault& vault,
                         const common::v1::Event& event, const scheduling::v1::CourseEvent& course);

// Determinations. Immutable but for being opened again, once; at most one of a case is in force.

struct Opening {
  absl::Time time;
  std::string clinician;
  std::string reason;  // patient text
};

// `subject`: see SubjectOf.
//   kFailedPrecondition DETERMINATION_IN_FORCE
absl::StatusOr<std::string> InsertDetermination(sql::Transaction& tx, const crypto::Vault& vault,
                                                absl::string_view subject,
                                                const v1::Determination& determination,
                                                absl::Time machine_time);

// kNotFound ("Determination").
absl::StatusOr<v1::Determination> GetDetermination(sql::Session& session,
                                                   const crypto::Vault& vault,
                                                   absl::string_view organization_id,
                                                   absl::string_view case_id,
                                                   absl::string_view determination_id);

//   kFailedPrecondition NO_DETERMINATION  it was opened again before
absl::StatusOr<std::string> ReopenDetermination(sql::Transaction& tx, const crypto::Vault& vault,
                                                absl::string_view name, const Opening& opening);

// Newest first.
absl::StatusOr<Listed<v1::Determination>> ListDeterminations(sql::Session& session,
                                                             const crypto::Vault& vault,
                                                             absl::string_view organization_id,
                                                             absl::string_view case_id,
                                                             const call::Page& page);

// Formulations. Immutable; versions are dense from 1.
// `of`: the case.
absl::StatusOr<std::string> InsertFormulation(sql::Transaction& tx, const crypto::Vault& vault,
                                              const v1::Case& of,
                                              const v1::Formulation& formulation);

// kNotFound ("Formulation").
absl::StatusOr<v1::Formulation> GetFormulation(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view organization_id,
                                               absl::string_view case_id, int64_t version);

// Newest first.
absl::StatusOr<Listed<v1::Formulation>> ListFormulations(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         absl::string_view organization_id,
                                                         absl::string_view case_id,
                                                         const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_CASE_STORE_H_
