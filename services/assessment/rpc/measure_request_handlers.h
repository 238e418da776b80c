#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_MEASURE_REQUEST_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_MEASURE_REQUEST_HANDLERS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "common/work/work.h"
#include "rapport/assessment/v1/measure_request_service.pb.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/recorder.h"
#include "services/assessment/store/measure_requests.h"

namespace rapport::assessment {

// MeasureRequestService.
class MeasureRequestHandlers {
 public:
  MeasureRequestHandlers(sql::Database& database, const Catalogues& catalogues,
                         const crypto::Vault& vault)
      : database_(database), catalogues_(catalogues), vault_(vault), recorder_(catalogues, vault) {}

  void Register(call::Registry& registry);
  // Lets requests expire.
  void Register(work::Worker& worker);

  absl::StatusOr<v1::MeasureRequest> CreateMeasureRequest(
      const call::CallContext& context, const v1::CreateMeasureRequestRequest& request);
  absl::StatusOr<v1::MeasureRequest> GetMeasureRequest(const call::CallContext& context,
                                                       const v1::GetMeasureRequestRequest& request);
  absl::StatusOr<v1::ListMeasureRequestsResponse> ListMeasureRequests(
      const call::CallContext& context, const v1::ListMeasureRequestsRequest& request);
  absl::StatusOr<v1::MeasureRequest> CancelMeasureRequest(
      const call::CallContext& context, const v1::CancelMeasureRequestRequest& request);
  absl::StatusOr<v1::OpenMeasure> OpenMeasureRequest(const call::CallContext& context,
                                                     const v1::OpenMeasureRequestRequest& request);
  absl::StatusOr<v1::OpenMeasure> SaveMeasureAnswers(const call::CallContext& context,
                                                     const v1::SaveMeasureAnswersRequest& request);
  absl::StatusOr<v1::SubmitMeasureResponse> SubmitMeasure(const call::CallContext& context,
                                                          const v1::SubmitMeasureRequest& request);
  absl::StatusOr<v1::DeclineMeasureResponse> DeclineMeasure(
      const call::CallContext& context, const v1::DeclineMeasureRequest& request);

 private:
  // A request reached by its link.
  struct Answerable {
    store::StoredRequest stored;
    care::CourseFacts course;
    std::shared_ptr<const InstrumentRules> rules;  // null from FindLink
  };
  // kNotFound whatever is the matter with the link.
  absl::StatusOr<Answerable> FindLink(sql::Session& session, const call::CallContext& context,
                                      absl::string_view link_token) const;
  // As FindLink, to be answered now: kFailedPrecondition NOT_OPEN_YET or OUTSIDE_MONITORED_HOURS.
  absl::StatusOr<Answerable> RequireLink(sql::Session& session, const call::CallContext& context,
                                         absl::string_view link_token) const;
  absl::StatusOr<v1::OpenMeasure> Show(sql::Session& session, const Answerable& answerable) const;

  sql::Database& database_;
  const Catalogues& catalogues_;
  const crypto::Vault& vault_;
  const Recorder recorder_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_MEASURE_REQUEST_HANDLERS_H_
