#ifndef RAPPORT_SERVICES_ASSESSMENT_STORE_ALERTS_H_
#define RAPPORT_SERVICES_ASSESSMENT_STORE_ALERTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/alert.pb.h"

// Risk alerts and whose they are. Resources come with their etag. Everything is named by full
// resource names, of one organisation.
namespace rapport::assessment::store {

struct StoredAlert {
  v1::Alert alert;
  int64_t version = 0;
};

// What is stored of `alert` plain: all but its etag and the texts of its resolution.
std::string Document(const v1::Alert& alert);

// Takes, until the end of the transaction, the lock under which alerts of the organisation are
// raised, changed and given to others, so that none is raised for someone who is just leaving.
void LockAlerts(sql::Transaction& tx, absl::string_view organization_id);

// What the service does by itself about an alert, as kinds of work items; the key is the alert's
// id. Escalates it when it is not acknowledged in time.
inline constexpr absl::string_view kEscalationWork = "alert_escalation";
// Asks for a time to be held.
inline constexpr absl::string_view kUrgentHoldWork = "alert_hold";

// What became of an alert that was raised.
struct RaisedAs {
  v1::Alert alert;
  int64_t version = 0;
  bool changed = false;  // else it stood before, just so; whoever raised it records what changed
};
// Inserts `alert` at version 1, or where its source has raised one of its kind that is not resolved
// adds to that one what is new of it (RaiseHigher). One that is resolved counts as long as `alert`
// says nothing beyond it. Schedules the work that the alert needs. Under LockAlerts.
absl::StatusOr<RaisedAs> RaiseOrRaiseHigher(sql::Transaction& tx, const v1::Alert& alert);

// Marks the alerts of `source`, a form that was voided, and records that with event and audit entry
// as the service's own act. They stand as they did. Takes LockAlerts.
absl::Status MarkSourceVoided(sql::Transaction& tx, absl::string_view source, absl::Time now);

// Lets `clinicians` find the alert in their lists.
void InsertEscalated(sql::Transaction& tx, absl::string_view alert,
                     const std::vector<std::string>& clinicians);

// kNotFound ("Alert").
absl::StatusOr<StoredAlert> GetAlert(sql::Session& session, absl::string_view name);

// Stores `alert` in place of the one at `version`, as version + 1, and keeps its work in line: it
// escalates as long as it is OPEN and has a deadline.
//   kAborted LOST_RACE  it is no longer at `version`
absl::Status UpdateAlert(sql::Transaction& tx, const v1::Alert& alert, int64_t version);

// Keeps the texts of the resolution of `alert`, sealed for whom it is about. Returns what was
// stored; empty: there is no text, and nothing was.
absl::StatusOr<std::string> InsertResolutionTexts(sql::Transaction& tx, const crypto::Vault& vault,
                                                  const v1::Alert& alert);
// Puts them back into `alerts` of one organisation. Those about someone who was erased stay
// without.
absl::Status ReadResolutionTexts(sql::Session& session, const crypto::Vault& vault,
                                 const std::vector<v1::Alert*>& alerts);
// The name under which the audit log tells of them.
std::string ResolutionTextsName(absl::string_view alert);

struct AlertQuery {
  std::string organization_id;
  // Owns them, has had them escalated to, treats in their course, or covers who does at `now`.
  std::string clinician;
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

// When the respondent's risk was last assessed, as far as resolved alerts tell; nothing: never.
absl::StatusOr<std::optional<absl::Time>> LastRiskAssessment(sql::Session& session,
                                                             absl::string_view respondent);

// Whom of `respondents` (one, or a couple) the newest risk alert is about that was raised by `at`
// and was unresolved then, or was raised or resolved at or after `since`, and its course; nothing:
// none.
struct AtRisk {
  std::string respondent;
  std::string course;
};
absl::StatusOr<std::optional<AtRisk>> FindAtRisk(sql::Session& session,
                                                 const std::vector<std::string>& respondents,
                                                 absl::Time since, absl::Time at);

// The alerts of which the service's own log tells after position `after` up to `up_to`, as they are
// now, by that position; at most `limit`.
struct ToldAlert {
  int64_t position = 0;
  absl::Time occur_time;  // of the event
  v1::Alert alert;
  std::string clinician;  // whose its course is; empty: not known
};
absl::StatusOr<std::vector<ToldAlert>> ListTold(sql::Session& session,
                                                absl::string_view organization_id, int64_t after,
                                                int64_t up_to, int limit);

// Who covers whom in the organisation at `now`, by their names.
struct CoverNow {
  std::string clinician;
  std::string covering_clinician;
  friend bool operator==(const CoverNow&, const CoverNow&) = default;
};
absl::StatusOr<std::vector<CoverNow>> ListCovers(sql::Session& session,
                                                 absl::string_view organization_id, absl::Time now);

}  // namespace rapport::assessment::store

#endif  // RAPPORT_SERVICES_ASSESSMENT_STORE_ALERTS_H_
