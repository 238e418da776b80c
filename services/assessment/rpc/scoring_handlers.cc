#include "services/assessment/rpc/scoring_handlers.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/assessment/domain/forms.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment {
namespace {

using Rules = std::shared_ptr<const InstrumentRules>;

class ScoreExchange final
    : public call::Exchange<v1::StreamScoresRequest, v1::StreamScoresResponse> {
 public:
  ScoreExchange(sql::Database& database, const Catalogues& catalogues)
      : database_(database), catalogues_(catalogues) {}

  absl::Status Take(const call::CallContext& context, const v1::StreamScoresRequest& request,
                    Responses& responses) override {
    v1::StreamScoresResponse& response = *responses.Add();
    response.mutable_forms()->Reserve(request.forms_size());
    for (const v1::AnsweredForm& form : request.forms()) {
      ASSIGN_OR_RETURN(const InstrumentRules* rules, RulesOf(context, form.instrument()));
      ScoreForm(rules, form, *response.add_forms());
    }
    return absl::OkStatus();
  }

  absl::Status Finish(const call::CallContext&, Responses&) override { return absl::OkStatus(); }

 private:
  // A stream names few instruments, many times.
  absl::StatusOr<const InstrumentRules*> RulesOf(const call::CallContext& context,
                                                 const std::string& name) {
    if (const auto found = rules_.find(name); found != rules_.end()) return found->second.get();
    ASSIGN_OR_RETURN(Rules rules, catalogues_.FindEither(database_, context.deadline,
                                                         context.organization_id, name));
    if (rules == nullptr) return nullptr;
    return rules_.emplace(name, std::move(rules)).first->second.get();
  }

  sql::Database& database_;
  const Catalogues& catalogues_;
  absl::flat_hash_map<std::string, Rules> rules_;
};

}  // namespace

void ScoringHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.assessment.v1.ScoringService", this)
      .Unary("Score", &ScoringHandlers::Score, &ScoringHandlers::ScoresAtOnce)
      .Bidi("StreamScores", &ScoringHandlers::StreamScores, call::Faults::kEnd,
            &ScoringHandlers::ScoresAllAtOnce);
}

absl::StatusOr<v1::ScoreResponse> ScoringHandlers::Score(const call::CallContext& context,
                                                         const v1::ScoreRequest& request) {
  ASSIGN_OR_RETURN(const Rules rules,
                   catalogues_.FindEither(database_, context.deadline, context.organization_id,
                                          request.instrument()));
  if (rules == nullptr) return ToStatus(UnknownInstrument(), "");
  if (request.has_total_only() && !request.answers().empty()) {
    return errors::InvalidArgument("total_only", "excludes answers");
  }
  v1::ScoreResponse response;
  if (request.has_total_only()) {
    std::variant<v1::Score, Refusal> scored =
        ScoreTotalOnly(*rules, request.total_only(), request.context());
    if (const auto* refusal = std::get_if<Refusal>(&scored)) return ToStatus(*refusal, "");
    *response.mutable_score() = std::get<v1::Score>(std::move(scored));
    if (request.without_explanation()) response.mutable_score()->clear_explanation();
    return response;
  }
  const std::variant<Sheet, Refusal> sheet =
      Sheet::Read(*rules, request.answers(), request.context());
  if (const auto* refusal = std::get_if<Refusal>(&sheet)) return ToStatus(*refusal, "");
  ScoreSheet(*rules, std::get<Sheet>(sheet), !request.without_explanation(),
             *response.mutable_score());
  return response;
}

bool ScoringHandlers::ScoresAtOnce(const v1::ScoreRequest& request) const {
  return catalogues_.FindsAtOnce(request.instrument());
}

bool ScoringHandlers::ScoresAllAtOnce(const v1::StreamScoresRequest& request) const {
  constexpr int kFew = 32;  // tens of microseconds
  return request.forms_size() <= kFew &&
         absl::c_all_of(request.forms(), [this](const v1::AnsweredForm& form) {
           return catalogues_.FindsAtOnce(form.instrument());
         });
}

absl::StatusOr<std::unique_ptr<call::Exchange<v1::StreamScoresRequest, v1::StreamScoresResponse>>>
ScoringHandlers::StreamScores(const call::CallContext&) {
  return std::make_unique<ScoreExchange>(database_, catalogues_);
}

}  // namespace rapport::assessment
