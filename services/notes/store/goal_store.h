#ifndef RAPPORT_SERVICES_NOTES_STORE_GOAL_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_GOAL_STORE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case.pb.h"
#include "services/notes/store/paging.h"

// Goals; their documents hold their revisions. The etag is the version.
namespace rapport::notes {

// Keeps a new goal as version 1; sets its etag.
absl::Status InsertGoal(sql::Transaction& tx, v1::Goal& goal);

// Keeps a goal as the version after `version`; sets its etag.
//   kAborted LOST_RACE  it has changed since
absl::Status UpdateGoal(sql::Transaction& tx, v1::Goal& goal, int64_t version);

// kNotFound ("Goal").
struct GoalRecord {
  v1::Goal resource;
  int64_t version = 0;
};
absl::StatusOr<GoalRecord> GetGoal(sql::Session& session, absl::string_view name);

// Oldest first.
absl::StatusOr<Listed<v1::Goal>> ListGoals(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view case_id, const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_GOAL_STORE_H_
