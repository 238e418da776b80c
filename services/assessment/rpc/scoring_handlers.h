#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_SCORING_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_SCORING_HANDLERS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/exchange.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// ScoringService.
class ScoringHandlers {
 public:
  ScoringHandlers(sql::Database& database, const Catalogues& catalogues)
      : database_(database), catalogues_(catalogues) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::ScoreResponse> Score(const call::CallContext& context,
                                          const v1::ScoreRequest& request);

  // Whether the request is answered without the store.
  bool ScoresAtOnce(const v1::ScoreRequest& request) const;

  // Whether so few forms, so soon, that they are best scored where they arrive.
  bool ScoresAllAtOnce(const v1::StreamScoresRequest& request) const;

  absl::StatusOr<std::unique_ptr<call::Exchange<v1::StreamScoresRequest, v1::StreamScoresResponse>>>
  StreamScores(const call::CallContext& context);

 private:
  sql::Database& database_;
  const Catalogues& catalogues_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_SCORING_HANDLERS_H_
