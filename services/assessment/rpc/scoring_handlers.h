#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_SCORING_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_SCORING_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "services/assessment/domain/instruments.h"

namespace rapport::assessment {

// ScoringService. Pure: runs inline, touches no store.
class ScoringHandlers {
 public:
  explicit ScoringHandlers(const Catalogue& catalogue) : catalogue_(catalogue) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::ScoreResponse> Score(const call::CallContext& context,
                                          const v1::ScoreRequest& request);

 private:
  const Catalogue& catalogue_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_SCORING_HANDLERS_H_
