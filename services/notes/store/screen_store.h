#ifndef RAPPORT_SERVICES_NOTES_STORE_SCREEN_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_SCREEN_STORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case.pb.h"
#include "services/notes/store/paging.h"

// What each partner of a couple said, seen alone. Append only. Sealed for that partner (see
// sealed.h); what was sealed for someone erased since reads as `erased`. Functions that keep
// something return the stored bytes, for the audit entry, and answer kFailedPrecondition ERASED
// where the partner was erased.
namespace rapport::notes {

absl::StatusOr<std::string> InsertPartnerScreen(sql::Transaction& tx, const crypto::Vault& vault,
                                                const v1::PartnerScreen& screen);

// `screen`: which one, as read.
//   kFailedPrecondition ALREADY_COUNTERSIGNED
absl::StatusOr<std::string> CountersignPartnerScreen(sql::Transaction& tx,
                                                     const crypto::Vault& vault,
                                                     const v1::PartnerScreen& screen,
                                                     const v1::ScreenCountersignature& signature);

// kNotFound ("PartnerScreen").
absl::StatusOr<v1::PartnerScreen> GetPartnerScreen(sql::Session& session,
                                                   const crypto::Vault& vault,
                                                   absl::string_view name);

// Newest first.
absl::StatusOr<Listed<v1::PartnerScreen>> ListPartnerScreens(sql::Session& session,
                                                             const crypto::Vault& vault,
                                                             absl::string_view organization_id,
                                                             absl::string_view case_id,
                                                             const call::Page& page);

// The newest screen of each partner who has one.
absl::StatusOr<std::vector<v1::PartnerScreen>> ListNewestPartnerScreens(
    sql::Session& session, const crypto::Vault& vault, absl::string_view organization_id,
    absl::string_view case_id);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SCREEN_STORE_H_
