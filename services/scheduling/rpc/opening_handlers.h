#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_OPENING_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_OPENING_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "rapport/scheduling/v1/opening_service.pb.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/protocols.h"

namespace rapport::scheduling {

// Answers OpeningService.
class OpeningHandlers {
 public:
  OpeningHandlers(sql::Database& database, const Protocols& protocols, const LiveIndex& index,
                  telemetry::Metrics& metrics);
  void Register(call::Registry& registry);

  absl::StatusOr<v1::SearchOpeningsResponse> SearchOpenings(
      const call::CallContext& context, const v1::SearchOpeningsRequest& request);
  absl::StatusOr<v1::PlanSeriesResponse> PlanSeries(const call::CallContext& context,
                                                    const v1::PlanSeriesRequest& request);

 private:
  // What a search, its first page, came to.
  void Measure(absl::Time now, const v1::SearchOpeningsResponse& response) const;

  sql::Database& database_;
  const Protocols& protocols_;
  const LiveIndex& index_;
  const telemetry::Counter found_;
  const telemetry::Counter found_none_;
  const telemetry::Histogram lead_time_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_OPENING_HANDLERS_H_
