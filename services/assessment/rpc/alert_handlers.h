#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_HANDLERS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/care/care.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/alert_service.pb.h"

namespace rapport::assessment {

// AlertService. An alert is seen by its owner, by the course's clinician and by who covers for
// them.
class AlertHandlers {
 public:
  AlertHandlers(sql::Database& database, call::Peer& notes) : database_(database), notes_(notes) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::Alert> GetAlert(const call::CallContext& context,
                                     const v1::GetAlertRequest& request);
  absl::StatusOr<v1::ListAlertsResponse> ListAlerts(const call::CallContext& context,
                                                    const v1::ListAlertsRequest& request);
  absl::StatusOr<v1::Alert> AcknowledgeAlert(const call::CallContext& context,
                                             const v1::AcknowledgeAlertRequest& request);
  absl::StatusOr<v1::Alert> ResolveAlert(const call::CallContext& context,
                                         const v1::ResolveAlertRequest& request);

 private:
  // `edit` changes the alert that the caller, `clinician`, sees. `zone` is the patient's.
  using Edit = absl::FunctionRef<absl::Status(v1::Alert& alert, const std::string& clinician,
                                              absl::TimeZone zone)>;
  absl::StatusOr<v1::Alert> Change(const call::CallContext& context, absl::string_view request_id,
                                   absl::string_view name, absl::string_view etag, Edit edit);

  // What notes tells of a risk assessment.
  struct RiskAssessment {
    std::optional<google::protobuf::Timestamp> made;  // unset: not told
    bool absent = false;                              // not there for the caller
  };
  RiskAssessment AskForRiskAssessment(const call::CallContext& context, const std::string& name);

  sql::Database& database_;
  call::Peer& notes_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_HANDLERS_H_
