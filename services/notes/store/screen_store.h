#ifndef RAPPORT_SERVICES_NOTES_STORE_SCREEN_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_SCREEN_STORE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case.pb.h"
#include "services/notes/store/paging.h"

// What each partner of a couple said, seen alone. Append only.
namespace rapport::notes {

absl::Status InsertPartnerScreen(sql::Transaction& tx, const v1::PartnerScreen& screen);

//   kFailedPrecondition ALREADY_COUNTERSIGNED
absl::Status CountersignPartnerScreen(sql::Transaction& tx, absl::string_view name,
                                      const v1::ScreenCountersignature& signature);

// kNotFound ("PartnerScreen").
absl::StatusOr<v1::PartnerScreen> GetPartnerScreen(sql::Session& session, absl::string_view name);

// Newest first.
absl::StatusOr<Listed<v1::PartnerScreen>> ListPartnerScreens(sql::Session& session,
                                                             absl::string_view organization_id,
                                                             absl::string_view case_id,
                                                             const call::Page& page);

// The newest screen of each partner who has one.
absl::StatusOr<std::vector<v1::PartnerScreen>> ListNewestPartnerScreens(
    sql::Session& session, absl::string_view organization_id, absl::string_view case_id);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SCREEN_STORE_H_
