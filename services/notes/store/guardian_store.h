#ifndef RAPPORT_SERVICES_NOTES_STORE_GUARDIAN_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_GUARDIAN_STORE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/release.pb.h"
#include "services/notes/store/paging.h"

// Guardians of patients, each apart, sealed with the patient's key. Functions that return a string
// return what was stored, for the audit entry.
namespace rapport::notes {

struct GuardianRecord {
  v1::Guardian resource;
  int64_t version = 0;
};

// Keeps a new guardian as version 1; sets its etag.
//   kAlreadyExists ("Guardian")  the patient has one with this subject
absl::StatusOr<std::string> InsertGuardian(sql::Transaction& tx, const crypto::Vault& vault,
                                           v1::Guardian& guardian);

// Keeps `record.resource` as the next version, to which its etag is brought up.
//   kAborted LOST_RACE
absl::StatusOr<std::string> UpdateGuardian(sql::Transaction& tx, const crypto::Vault& vault,
                                           GuardianRecord& record);

// kNotFound ("Guardian").
absl::StatusOr<GuardianRecord> GetGuardian(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view name);

// The guardian of `patient` (a full name) whose tokens bear `token_subject`; nothing: none.
absl::StatusOr<std::optional<v1::Guardian>> FindGuardian(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         absl::string_view patient,
                                                         absl::string_view token_subject);

// Oldest first.
absl::StatusOr<Listed<v1::Guardian>> ListGuardians(sql::Session& session,
                                                   const crypto::Vault& vault,
                                                   absl::string_view patient,
                                                   const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_GUARDIAN_STORE_H_
