#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_ALERTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_ALERTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/alert.pb.h"

// Risk alerts and whose they are. Resources come with their etag. Everything is named by full
// resource names, of one organisation.
namespace rapport::assessment::store {

struct StoredAlert {
  v1::Alert alert;
  int64_t version = 0;
};

// What is stored of `alert`: all but its etag.
std::string Document(const v1::Alert& alert);

// Takes, until the end of the transaction, the lock under which alerts of the organisation are
// raised, changed and given to others, so that none is raised for someone who is just leaving.
void LockAlerts(sql::Transaction& tx, absl::string_view organization_id);

// Inserts `alert` at version 1; false where its source has raised one of its kind before.
absl::StatusOr<bool> InsertAlert(sql::Transaction& tx, const v1::Alert& alert);

// kNotFound ("Alert").
absl::StatusOr<StoredAlert> GetAlert(sql::Session& session, absl::string_view name);

// Stores `alert` in place of the one at `version`, as version + 1.
//   kAborted LOST_RACE  it is no longer at `version`
absl::Status UpdateAlert(sql::Transaction& tx, const v1::Alert& alert, int64_t version);

struct AlertQuery {
  std::string organization_id;
  std::string clinician;  // owns them, treats in their course, or covers who does at `now`
  absl::Time now;
  std::string course;                  // empty: of all
  std::string owner;                   // empty: of all
  std::vector<v1::AlertState> states;  // empty: all
};
struct AlertPage {
  std::vector<v1::Alert> alerts;
  std::string next_key;  // empty: this was the last
};
// The newest first.
absl::StatusOr<AlertPage> ListAlerts(sql::Session& session, const AlertQuery& query,
                                     const call::Page& page);

// Open and acknowledged alerts, by course; of one course, or of all where it is empty.
absl::StatusOr<std::vector<StoredAlert>> ListUnresolved(sql::Session& session,
                                                        absl::string_view organization_id,
                                                        absl::string_view course);
absl::StatusOr<bool> HasUnresolved(sql::Session& session, absl::string_view organization_id);

// When the patient's risk was last assessed, as far as resolved alerts tell; nothing: never.
absl::StatusOr<std::optional<absl::Time>> LastRiskAssessment(sql::Session& session,
                                                             absl::string_view patient);

// The course of the patient's newest alert that was raised by `at` and was unresolved then, or was
// raised or resolved at or after `since`; nothing: none.
absl::StatusOr<std::optional<std::string>> CourseAtRisk(sql::Session& session,
                                                        absl::string_view patient, absl::Time since,
                                                        absl::Time at);

// Organisations that this service knows. Needs Access::Feed().
absl::StatusOr<std::vector<std::string>> ListOrganizations(sql::Session& feed);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_ALERTS_H_
