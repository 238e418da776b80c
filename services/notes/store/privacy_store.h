#ifndef RAPPORT_SERVICES_NOTES_STORE_PRIVACY_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_PRIVACY_STORE_H_

#include <cstdint>
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
#include "rapport/common/v1/privacy.pb.h"
#include "services/notes/store/paging.h"

// Legal holds and erasures. Whoever decides by them holds the lock on the patient's name, so that a
// hold and an erasure never pass each other.
namespace rapport::notes {

// Holds. Their documents are sealed for the organisation, and outlive the patient's texts.

struct HoldRecord {
  common::v1::LegalHold resource;
  int64_t version = 0;
};

// Keeps a new hold as version 1; sets its etag. Returns the stored bytes.
absl::StatusOr<std::string> InsertHold(sql::Transaction& tx, const crypto::Vault& vault,
                                       common::v1::LegalHold& hold);

// kNotFound ("LegalHold").
absl::StatusOr<HoldRecord> GetHold(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view name);

// Keeps `hold`, which bears its release, as the next version, to which it is brought up. Returns
// the stored bytes.
//   kFailedPrecondition HOLD_RELEASED  it was before
absl::StatusOr<std::string> ReleaseHold(sql::Transaction& tx, const crypto::Vault& vault,
                                        HoldRecord& hold);

// Newest first; of `patient` alone unless empty.
absl::StatusOr<Listed<common::v1::LegalHold>> ListHolds(sql::Session& session,
                                                        const crypto::Vault& vault,
                                                        absl::string_view organization_id,
                                                        absl::string_view patient,
                                                        bool show_released, const call::Page& page);

// The name of the oldest hold that stands on the patient; empty: none.
absl::StatusOr<std::string> StandingHold(sql::Session& session, absl::string_view patient);

// Erasures.

struct ErasureRecord {
  common::v1::Erasure resource;
  int64_t version = 0;
};

// The erasure of a patient; nothing: none.
absl::StatusOr<std::optional<ErasureRecord>> FindErasure(sql::Session& session,
                                                         absl::string_view patient);

// kNotFound ("Erasure").
absl::StatusOr<ErasureRecord> GetErasure(sql::Session& session, absl::string_view name);

// Newest first.
absl::StatusOr<Listed<common::v1::Erasure>> ListErasures(sql::Session& session,
                                                         absl::string_view organization_id,
                                                         bool under_way_only,
                                                         const call::Page& page);

// Keeps a new erasure as version 1; sets its etag. Returns the stored bytes.
absl::StatusOr<std::string> InsertErasure(sql::Transaction& tx, common::v1::Erasure& erasure);

// Keeps `erasure` as the next version, to which it is brought up. Returns the stored bytes.
//   kAborted LOST_RACE  it has changed since it was read
absl::StatusOr<std::string> UpdateErasure(sql::Transaction& tx, ErasureRecord& erasure);

// Destroys the keys by which this service reads a patient's texts: the patient's own, and of
// couples whose other partner was erased before, the couple's. Everything sealed with them, drafts
// included, opens no more, wherever a copy is; the rows stay as they are.
struct Shredded {
  std::vector<common::v1::ErasedKind> covers;
  std::vector<std::string> whole_cases;  // names of the patient's cases of which all is shredded
  std::vector<std::string> kept_cases;   // and of couples' whose shared key stays
};
absl::StatusOr<Shredded> Shred(sql::Transaction& tx, const crypto::Vault& vault,
                               absl::string_view patient, absl::Time now);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_PRIVACY_STORE_H_
