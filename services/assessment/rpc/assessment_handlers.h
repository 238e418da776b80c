#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ASSESSMENT_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ASSESSMENT_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/recorder.h"

namespace rapport::assessment {

// AssessmentService. Forms and what is due are answered in assessment_handlers.cc, plans in
// plan_handlers.cc, diaries in rhythm_handlers.cc.
class AssessmentHandlers {
 public:
  AssessmentHandlers(sql::Database& database, const Catalogues& catalogues,
                     const crypto::Vault& vault)
      : database_(database), catalogues_(catalogues), vault_(vault), recorder_(catalogues, vault) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::RecordAssessmentResponse> RecordAssessment(
      const call::CallContext& context, const v1::RecordAssessmentRequest& request);
  absl::StatusOr<v1::Assessment> GetAssessment(const call::CallContext& context,
                                               const v1::GetAssessmentRequest& request);
  absl::StatusOr<v1::ListAssessmentsResponse> ListAssessments(
      const call::CallContext& context, const v1::ListAssessmentsRequest& request);
  absl::StatusOr<v1::Assessment> VoidAssessment(const call::CallContext& context,
                                                const v1::VoidAssessmentRequest& request);
  absl::StatusOr<v1::ListDueMeasuresResponse> ListDueMeasures(
      const call::CallContext& context, const v1::ListDueMeasuresRequest& request);

  absl::StatusOr<v1::MeasurementPlan> GetMeasurementPlan(
      const call::CallContext& context, const v1::GetMeasurementPlanRequest& request);
  absl::StatusOr<v1::MeasurementPlan> UpdateMeasurementPlan(
      const call::CallContext& context, const v1::UpdateMeasurementPlanRequest& request);

  absl::StatusOr<v1::RhythmDay> RecordRhythmDay(const call::CallContext& context,
                                                const v1::RecordRhythmDayRequest& request);
  absl::StatusOr<v1::ListRhythmDaysResponse> ListRhythmDays(
      const call::CallContext& context, const v1::ListRhythmDaysRequest& request);

 private:
  sql::Database& database_;
  const Catalogues& catalogues_;
  const crypto::Vault& vault_;
  const Recorder recorder_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ASSESSMENT_HANDLERS_H_
