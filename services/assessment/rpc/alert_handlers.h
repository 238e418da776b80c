#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_HANDLERS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/call/stream_source.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "common/time/clock.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "services/assessment/rpc/alert_stream.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {

// AlertService. An alert is seen by its owner, by those whom it was escalated to, by the course's
// clinician and by who covers for them.
class AlertHandlers {
 public:
  AlertHandlers(sql::Database& database, time::Clock& clock, const crypto::Vault& vault,
                call::Peer& notes)
      : database_(database), vault_(vault), notes_(notes), news_(database, clock) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::Alert> GetAlert(const call::CallContext& context,
                                     const v1::GetAlertRequest& request);
  absl::StatusOr<v1::ListAlertsResponse> ListAlerts(const call::CallContext& context,
                                                    const v1::ListAlertsRequest& request);
  absl::StatusOr<v1::Alert> AcknowledgeAlert(const call::CallContext& context,
                                             const v1::AcknowledgeAlertRequest& request);
  absl::StatusOr<v1::Alert> ResolveAlert(const call::CallContext& context,
                                         const v1::ResolveAlertRequest& request);
  absl::StatusOr<std::unique_ptr<call::StreamSource>> WatchAlerts(
      const call::CallContext& context, const v1::WatchAlertsRequest& request);

  // What the streams are told from.
  AlertNews& news() { return news_; }

 private:
  // An alert that the caller may see.
  struct Seen {
    store::StoredAlert stored;
    std::string clinician;                      // the caller; empty for a service
    std::optional<care::CourseFacts> course;    // nothing: not known
    absl::TimeZone zone = absl::UTCTimeZone();  // where the respondent lives
    std::optional<absl::CivilDay> majority_on;  // of the respondent, where known
  };
  // kNotFound ("Alert") where it is absent or not for the caller to know.
  absl::StatusOr<Seen> Require(sql::Session& session, const call::CallContext& context,
                               absl::string_view name) const;

  // `edit` changes the alert that the caller sees.
  using Edit = absl::FunctionRef<absl::Status(sql::Session& session, Seen& seen)>;
  // It is told of, with the texts of a resolution that `resolves` it.
  absl::StatusOr<v1::Alert> Change(const call::CallContext& context, absl::string_view request_id,
                                   absl::string_view name, absl::string_view etag, Edit edit,
                                   bool resolves = false);

  // What notes tells of a risk assessment.
  struct RiskAssessment {
    std::optional<google::protobuf::Timestamp> made;  // unset: not told
    bool absent = false;                              // not there for the caller
  };
  RiskAssessment AskForRiskAssessment(const call::CallContext& context, const std::string& name);

  sql::Database& database_;
  const crypto::Vault& vault_;
  call::Peer& notes_;
  AlertNews news_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_HANDLERS_H_
