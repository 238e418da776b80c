#ifndef RAPPORT_SERVICES_NOTES_RPC_CASE_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_CASE_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// CaseService: what each method does and answers is written in case_service.proto.
class CaseHandlers {
 public:
  CaseHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault)
      : database_(database), access_(access), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Case> GetCase(const call::CallContext& context,
                                   const v1::GetCaseRequest& request);
  absl::StatusOr<v1::ListCasesResponse> ListCases(const call::CallContext& context,
                                                  const v1::ListCasesRequest& request);
  absl::StatusOr<v1::Determination> SignDetermination(const call::CallContext& context,
                                                      const v1::SignDeterminationRequest& request);
  absl::StatusOr<v1::Determination> ReopenDetermination(
      const call::CallContext& context, const v1::ReopenDeterminationRequest& request);
  absl::StatusOr<v1::ListDeterminationsResponse> ListDeterminations(
      const call::CallContext& context, const v1::ListDeterminationsRequest& request);
  absl::StatusOr<v1::Case> SetProblemAreas(const call::CallContext& context,
                                           const v1::SetProblemAreasRequest& request);
  absl::StatusOr<v1::Formulation> WriteFormulation(const call::CallContext& context,
                                                   const v1::WriteFormulationRequest& request);
  absl::StatusOr<v1::ListFormulationsResponse> ListFormulations(
      const call::CallContext& context, const v1::ListFormulationsRequest& request);
  absl::StatusOr<v1::Goal> CreateGoal(const call::CallContext& context,
                                      const v1::CreateGoalRequest& request);
  absl::StatusOr<v1::Goal> ReviseGoal(const call::CallContext& context,
                                      const v1::ReviseGoalRequest& request);
  absl::StatusOr<v1::Goal> GetGoal(const call::CallContext& context,
                                   const v1::GetGoalRequest& request);
  absl::StatusOr<v1::ListGoalsResponse> ListGoals(const call::CallContext& context,
                                                  const v1::ListGoalsRequest& request);
  absl::StatusOr<v1::PartnerScreen> RecordPartnerScreen(
      const call::CallContext& context, const v1::RecordPartnerScreenRequest& request);
  absl::StatusOr<v1::PartnerScreen> CountersignPartnerScreen(
      const call::CallContext& context, const v1::CountersignPartnerScreenRequest& request);
  absl::StatusOr<v1::ListPartnerScreensResponse> ListPartnerScreens(
      const call::CallContext& context, const v1::ListPartnerScreensRequest& request);

  absl::StatusOr<v1::RiskAssessment> CreateRiskAssessment(
      const call::CallContext& context, const v1::CreateRiskAssessmentRequest& request);
  absl::StatusOr<v1::RiskAssessment> GetRiskAssessment(const call::CallContext& context,
                                                       const v1::GetRiskAssessmentRequest& request);
  absl::StatusOr<v1::ListRiskAssessmentsResponse> ListRiskAssessments(
      const call::CallContext& context, const v1::ListRiskAssessmentsRequest& request);
  absl::StatusOr<v1::SafetyPlan> WriteSafetyPlan(const call::CallContext& context,
                                                 const v1::WriteSafetyPlanRequest& request);
  absl::StatusOr<v1::SafetyPlan> GetSafetyPlan(const call::CallContext& context,
                                               const v1::GetSafetyPlanRequest& request);

 private:
  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_CASE_HANDLERS_H_
