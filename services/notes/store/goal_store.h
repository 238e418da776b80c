#ifndef RAPPORT_SERVICES_NOTES_STORE_GOAL_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_GOAL_STORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case.pb.h"
#include "services/notes/store/paging.h"

// Goals; their documents, which are sealed, hold their revisions. The etag is the version.
// Functions that keep something return the stored bytes, for the audit entry, and answer
// kFailedPrecondition ERASED where its subject was erased.
namespace rapport::notes {

// Keeps a new goal of the case `of` as version 1; sets its etag.
absl::StatusOr<std::string> InsertGoal(sql::Transaction& tx, const crypto::Vault& vault,
                                       const v1::Case& of, v1::Goal& goal);

// Keeps a goal as the version after `version`, sealed as before; sets its etag.
//   kAborted LOST_RACE  it has changed since
absl::StatusOr<std::string> UpdateGoal(sql::Transaction& tx, const crypto::Vault& vault,
                                       v1::Goal& goal, int64_t version, absl::string_view subject);

// kNotFound ("Goal").
struct GoalRecord {
  v1::Goal resource;
  int64_t version = 0;
  std::string subject;  // whose key sealed it
};
absl::StatusOr<GoalRecord> GetGoal(sql::Session& session, const crypto::Vault& vault,
                                   absl::string_view name);

// Oldest first.
absl::StatusOr<Listed<v1::Goal>> ListGoals(sql::Session& session, const crypto::Vault& vault,
                                           absl::string_view organization_id,
                                           absl::string_view case_id, const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_GOAL_STORE_H_
