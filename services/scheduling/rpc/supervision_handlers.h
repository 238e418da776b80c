#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_SUPERVISION_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_SUPERVISION_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/supervision_service.pb.h"

namespace rapport::scheduling {

// Answers SupervisionService.
class SupervisionHandlers {
 public:
  explicit SupervisionHandlers(sql::Database& database) : database_(database) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Supervision> CreateSupervision(const call::CallContext& context,
                                                    const v1::CreateSupervisionRequest& request);
  absl::StatusOr<v1::Supervision> GetSupervision(const call::CallContext& context,
                                                 const v1::GetSupervisionRequest& request);
  absl::StatusOr<v1::ListSupervisionsResponse> ListSupervisions(
      const call::CallContext& context, const v1::ListSupervisionsRequest& request);
  absl::StatusOr<v1::Supervision> EndSupervision(const call::CallContext& context,
                                                 const v1::EndSupervisionRequest& request);

 private:
  sql::Database& database_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_SUPERVISION_HANDLERS_H_
