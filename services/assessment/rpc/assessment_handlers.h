#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ASSESSMENT_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ASSESSMENT_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment {

// AssessmentService.
class AssessmentHandlers {
 public:
  AssessmentHandlers(sql::Database& database, const Catalogue& catalogue)
      : database_(database), catalogue_(catalogue) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::RecordAssessmentResponse> RecordAssessment(
      const call::CallContext& context, const v1::RecordAssessmentRequest& request);
  absl::StatusOr<v1::Assessment> GetAssessment(const call::CallContext& context,
                                               const v1::GetAssessmentRequest& request);
  absl::StatusOr<v1::ListAssessmentsResponse> ListAssessments(
      const call::CallContext& context, const v1::ListAssessmentsRequest& request);
  absl::StatusOr<v1::ListDueMeasuresResponse> ListDueMeasures(
      const call::CallContext& context, const v1::ListDueMeasuresRequest& request);

 private:
  // A form that was read and scored, but not yet placed in its course.
  struct Filled {
    const InstrumentRules* rules;
    Sheet sheet;
    v1::Assessment assessment;
  };
  absl::StatusOr<Filled> Fill(const call::CallContext& context, const v1::Assessment& given) const;
  absl::StatusOr<v1::RecordAssessmentResponse> Record(call::Change& change, Filled filled) const;

  sql::Database& database_;
  const Catalogue& catalogue_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ASSESSMENT_HANDLERS_H_
