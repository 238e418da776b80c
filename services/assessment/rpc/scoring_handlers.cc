#include "services/assessment/rpc/scoring_handlers.h"

#include <utility>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment {

void ScoringHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.ScoringService", this)
      .Unary("Score", &ScoringHandlers::Score);
}

absl::StatusOr<v1::ScoreResponse> ScoringHandlers::Score(const call::CallContext&,
                                                         const v1::ScoreRequest& request) {
  const InstrumentRules* rules = catalogue_.Find(request.instrument());
  if (rules == nullptr) {
    return errors::InvalidArgument("instrument",
                                   "must be an instrument that ListInstruments tells");
  }
  ASSIGN_OR_RETURN(v1::Score score, ScoreAnswers(*rules, request.answers()));
  v1::ScoreResponse response;
  *response.mutable_score() = std::move(score);
  return response;
}

}  // namespace rapport::assessment
