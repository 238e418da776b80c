#include "services/assessment/rpc/scoring_handlers.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "services/assessment/domain/forms.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment {
namespace {

using Rules = std::shared_ptr<const InstrumentRules>;

constexpr absl::string_view kUnknownInstrument = "must be an instrument that ListInstruments tells";

// Shipped instruments are found without the store.
absl::StatusOr<Rules> FindRules(sql::Database& database, const Catalogues& catalogues,
                                const call::CallContext& context, const std::string& name) {
  if (absl::StartsWith(name, "instruments/")) {
    return Rules(std::shared_ptr<void>(), catalogues.shipped().Find(name));
  }
  if (const InstrumentRules* rules = catalogues.shipped().FindById(name)) {
    return Rules(std::shared_ptr<void>(), rules);
  }
  Rules found;
  RETURN_IF_ERROR(database.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(found, absl::StrContains(name, '/')
                                    ? catalogues.Find(session, context.organization_id, name)
                                    : catalogues.FindById(session, context.organization_id, name));
        return absl::OkStatus();
      }));
  return found;
}

class ScoreExchange final
    : public call::Exchange<v1::StreamScoresRequest, v1::StreamScoresResponse> {
 public:
  ScoreExchange(sql::Database& database, const Catalogues& catalogues)
      : database_(database), catalogues_(catalogues) {}

  absl::Status Take(const call::CallContext& context, const v1::StreamScoresRequest& request,
                    std::vector<v1::StreamScoresResponse>& responses) override {
    v1::StreamScoresResponse& response = responses.emplace_back();
    response.mutable_forms()->Reserve(request.forms_size());
    for (const v1::AnsweredForm& form : request.forms()) {
      ASSIGN_OR_RETURN(const InstrumentRules* rules, RulesOf(context, form.instrument()));
      v1::ScoredForm& scored = *response.add_forms();
      if (rules == nullptr) {
        scored.mutable_refusal()->set_reason("UNKNOWN_INSTRUMENT");
        scored.mutable_refusal()->set_field("instrument");
        scored.mutable_refusal()->set_description(std::string(kUnknownInstrument));
        continue;
      }
      std::variant<v1::Score, Refusal> result = ScoreForm(*rules, form);
      if (auto* score = std::get_if<v1::Score>(&result)) {
        *scored.mutable_score() = std::move(*score);
        continue;
      }
      Refusal& refusal = std::get<Refusal>(result);
      scored.mutable_refusal()->set_reason(std::move(refusal.reason));
      scored.mutable_refusal()->set_field(std::move(refusal.field));
      scored.mutable_refusal()->set_description(std::move(refusal.description));
    }
    return absl::OkStatus();
  }

  absl::Status Finish(const call::CallContext&, std::vector<v1::StreamScoresResponse>&) override {
    return absl::OkStatus();
  }

 private:
  // A stream names few instruments, many times.
  absl::StatusOr<const InstrumentRules*> RulesOf(const call::CallContext& context,
                                                 const std::string& name) {
    if (const auto found = rules_.find(name); found != rules_.end()) return found->second.get();
    ASSIGN_OR_RETURN(Rules rules, FindRules(database_, catalogues_, context, name));
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
      .Unary("Score", &ScoringHandlers::Score)
      .Bidi("StreamScores", &ScoringHandlers::StreamScores);
}

absl::StatusOr<v1::ScoreResponse> ScoringHandlers::Score(const call::CallContext& context,
                                                         const v1::ScoreRequest& request) {
  ASSIGN_OR_RETURN(const Rules rules,
                   FindRules(database_, catalogues_, context, request.instrument()));
  if (rules == nullptr) return errors::InvalidArgument("instrument", kUnknownInstrument);
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
  *response.mutable_score() =
      ScoreSheet(*rules, std::get<Sheet>(sheet), !request.without_explanation());
  return response;
}

absl::StatusOr<std::unique_ptr<call::Exchange<v1::StreamScoresRequest, v1::StreamScoresResponse>>>
ScoringHandlers::StreamScores(const call::CallContext&) {
  return std::make_unique<ScoreExchange>(database_, catalogues_);
}

}  // namespace rapport::assessment
