#ifndef RAPPORT_SERVICES_NOTES_STORE_BREAK_GLASS_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_BREAK_GLASS_STORE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/release.pb.h"
#include "services/notes/store/paging.h"

// Emergency accesses and their reviews. Texts are sealed with the key of the case's subject.
// Functions that return a string return what was stored, for the audit entry.
namespace rapport::notes {

struct BreakGlassRecord {
  v1::BreakGlass resource;  // complete
  int64_t version = 0;
  std::string subject;  // whose key seals it
};

// The name of the emergency access of `clinician` to the case that is in force at `now`; empty:
// none.
absl::StatusOr<std::string> FindBreakGlass(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view case_id, absl::string_view clinician,
                                           absl::Time now);

// Keeps a new one as version 1.
absl::StatusOr<std::string> InsertBreakGlass(sql::Transaction& tx, const crypto::Vault& vault,
                                             const v1::BreakGlass& glass,
                                             const std::string& subject);

// kNotFound ("BreakGlass"). Says nothing of who may see it.
absl::StatusOr<BreakGlassRecord> GetBreakGlass(sql::Session& session, const crypto::Vault& vault,
                                               absl::string_view name);

// Keeps `record.resource.end_time` as the next version.
//   kAborted LOST_RACE
absl::Status EndBreakGlass(sql::Transaction& tx, BreakGlassRecord& record);

// Keeps `record.resource.review` as the next version.
//   kAborted LOST_RACE
absl::StatusOr<std::string> ReviewBreakGlass(sql::Transaction& tx, const crypto::Vault& vault,
                                             BreakGlassRecord& record);

// Oldest first; only those without a review, or all.
absl::StatusOr<Listed<v1::BreakGlass>> ListBreakGlasses(sql::Session& session,
                                                        const crypto::Vault& vault,
                                                        absl::string_view organization_id,
                                                        bool include_reviewed,
                                                        const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_BREAK_GLASS_STORE_H_
