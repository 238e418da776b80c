#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_OPENING_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_OPENING_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/opening_service.pb.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/protocols.h"

namespace rapport::scheduling {

// Answers OpeningService.
class OpeningHandlers {
 public:
  OpeningHandlers(sql::Database& database, const Protocols& protocols, const LiveIndex& index)
      : database_(database), protocols_(protocols), index_(index) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::SearchOpeningsResponse> SearchOpenings(
      const call::CallContext& context, const v1::SearchOpeningsRequest& request);
  absl::StatusOr<v1::PlanSeriesResponse> PlanSeries(const call::CallContext& context,
                                                    const v1::PlanSeriesRequest& request);

 private:
  sql::Database& database_;
  const Protocols& protocols_;
  const LiveIndex& index_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_OPENING_HANDLERS_H_
