#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_CASELOAD_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_CASELOAD_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/caseload_service.pb.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// CaseloadService: progress is computed at each call, and nothing of it is stored.
class CaseloadHandlers {
 public:
  // All outlive this.
  CaseloadHandlers(sql::Database& database, const Catalogues& catalogues)
      : database_(database), catalogues_(catalogues) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::GetCourseNeedsResponse> GetCourseNeeds(
      const call::CallContext& context, const v1::GetCourseNeedsRequest& request);

 private:
  sql::Database& database_;
  const Catalogues& catalogues_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_CASELOAD_HANDLERS_H_
