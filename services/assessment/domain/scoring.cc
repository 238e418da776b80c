#include "services/assessment/domain/scoring.h"

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "services/assessment/domain/program.h"

namespace rapport::assessment {
namespace {

constexpr int kMaxAge = 150;

void SetFigure(double value, bool prorated, v1::FigureScore& figure) {
  if (!std::isnan(value)) figure.set_value(value);
  figure.set_prorated(prorated);
}

void AddOnce(int item, google::protobuf::RepeatedField<int32_t>& items) {
  if (!absl::c_linear_search(items, item)) items.Add(item);
}

// What is said of the context itself.
void TellContext(const InstrumentRules& rules, const Sheet& sheet, v1::Score& score) {
  const v1::Instrument& instrument = rules.instrument();
  for (const std::string& id : sheet.unknown_context()) score.add_unknown_context(id);
  score.set_age_outside_range(sheet.age() != Sheet::kUnanswered &&
                              (sheet.age() < instrument.min_age() ||
                               (instrument.max_age() > 0 && sheet.age() > instrument.max_age())));
}

// What `result` and `bands` tell of a form, or of a total alone, whose unknown figures are left
// out.
void TellResult(const InstrumentRules& rules, const Result& result,
                const std::vector<Program::Banded>& bands, bool total_only, v1::Score& score) {
  const v1::Instrument& instrument = rules.instrument();
  if (!std::isnan(result.total)) score.set_total(result.total);
  score.set_complete(result.complete);
  score.set_prorated(result.prorated);
  if (result.severity >= 0) score.set_severity(rules.severities()[result.severity]);
  std::array<int, kMaxFigures> position;  // in score.figures
  for (int i = 0; i < instrument.figures_size(); ++i) {
    position[i] = -1;
    if (i == rules.total_figure()) continue;
    if (total_only && std::isnan(result.figures[i])) continue;
    position[i] = score.figures_size();
    v1::FigureScore& figure = *score.add_figures();
    figure.set_id(instrument.figures(i).id());
    SetFigure(result.figures[i], result.figure_prorated[i], figure);
  }
  for (int i = 0; i < instrument.flags_size(); ++i) {
    v1::FlagScore& flag = *score.add_flags();
    flag.set_id(instrument.flags(i).id());
    if (result.flags[i] != Result::kUnknown) flag.set_holds(result.flags[i] == Result::kTrue);
  }
  for (int i = 0; i < instrument.concern_rules_size(); ++i) {
    if ((result.concern_rules >> i & 1) == 0) continue;
    v1::ConcernRaised& raised = *score.add_concerns();
    raised.set_concern(instrument.concern_rules(i).concern());
    raised.set_immediate(instrument.concern_rules(i).immediate());
  }
  for (const Program::Banded& banded : bands) {
    const v1::BandSet& set = instrument.figures(banded.figure).band_sets(banded.set);
    const std::string& band = set.bands(banded.band).id();
    if (!set.id().empty()) {
      (*score.mutable_other_severities())[set.id()] = band;
    } else if (position[banded.figure] >= 0) {
      score.mutable_figures(position[banded.figure])->set_severity(band);
    }
  }
  const int syndrome = rules.full_syndrome_flag();
  score.set_full_syndrome(result.complete && syndrome >= 0 &&
                          result.flags[syndrome] == Result::kTrue);
}

void AddItems(const std::vector<int>& items, const Program::Details& details, bool estimated,
              v1::ExplainedFigure& explained) {
  for (const int item : items) {
    const ItemState state = details.items[item].state;
    if (state == ItemState::kAnswered) explained.add_items_used(item);
    if (estimated && state == ItemState::kMissing) explained.add_items_estimated(item);
  }
}

void Explain(const InstrumentRules& rules, const Result& result, const Program::Details& details,
             v1::Explanation& explanation) {
  const v1::Instrument& instrument = rules.instrument();
  const Program& program = rules.program();
  for (int i = 0; i < instrument.figures_size(); ++i) {
    if (std::isnan(result.figures[i])) continue;
    const v1::Figure& figure = instrument.figures(i);
    const Program::FigureFacts& facts = program.figures()[i];
    v1::ExplainedFigure& explained = *explanation.add_figures();
    explained.set_id(figure.id());
    explained.set_formula(figure.formula());
    AddItems(facts.items, details, result.figure_prorated[i], explained);
    if (facts.shape.kind != SetShape::kNone) {
      double sum = 0;
      for (const int item : facts.shape.items) {
        const Program::ItemTold& told = details.items[item];
        if (told.state == ItemState::kAnswered || told.state == ItemState::kCounted) {
          sum += told.score;
        }
      }
      explained.set_raw_sum(sum);
    }
    const std::string field = absl::StrCat("figures[", figure.id(), "]");
    explained.set_source(rules.SourceOf(field));
    if (result.figure_prorated[i] && facts.max_missing > 0) {
      absl::StrAppend(explained.mutable_source(), "; estimated by ",
                      rules.SourceOf(field + ".max_missing"));
    }
  }
  for (int i = 0; i < instrument.flags_size(); ++i) {
    if (result.flags[i] == Result::kUnknown) continue;
    v1::ExplainedFigure& explained = *explanation.add_figures();
    explained.set_id(instrument.flags(i).id());
    explained.set_formula(instrument.flags(i).formula());
    AddItems(program.flag_items()[i], details, false, explained);
    explained.set_source(rules.SourceOf(absl::StrCat("flags[", instrument.flags(i).id(), "]")));
  }
  if (!instrument.levels().empty() && result.severity >= 0) {
    const v1::Level& level = instrument.levels(result.severity);
    v1::ExplainedFigure& explained = *explanation.add_figures();
    explained.set_id("severity");
    explained.set_formula(level.when());
    AddItems(program.level_items()[result.severity], details, false, explained);
    explained.set_source(rules.SourceOf(absl::StrCat("levels[", level.id(), "]")));
  }
}

std::string CodesOf(const v1::InstrumentItem& item) {
  if (item.codes().empty()) return absl::StrCat("must be ", item.min(), " to ", item.max());
  std::string text = "must be one of ";
  for (int i = 0; i < item.codes_size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", item.codes(i));
  }
  return text;
}

// Whether a form can come to `total`.
bool IsTotal(const InstrumentRules& rules, double total) {
  if (!(total >= rules.min_total() && total <= rules.max_total())) return false;
  return !rules.program().figures()[rules.total_figure()].whole || total == std::floor(total);
}

}  // namespace

absl::Status ToStatus(const Refusal& refusal, absl::string_view prefix) {
  return errors::InvalidArgument(absl::StrCat(prefix, refusal.field), refusal.description);
}

// Fills a sheet.
class Sheet::Reader {
 public:
  using Outcome = std::variant<Sheet, Refusal>;

  static Outcome NoItems() {
    return Refusal{"NO_ITEMS", "answers", "only totals are recorded of it; give the total"};
  }
  static Refusal OutOfRange(const v1::InstrumentItem& item, std::string field) {
    return {"ANSWER_OUT_OF_RANGE", std::move(field), CodesOf(item)};
  }

  // Reads `context`; `field` names an entry by position and id. Returns why not in `refusal`.
  template <class Field>
  static bool ReadContext(const InstrumentRules& rules, const Context& context, const Field& field,
                          Sheet& sheet, Refusal& refusal) {
    std::set<std::string> seen;
    for (int i = 0; i < context.size(); ++i) {
      const v1::ContextValue& given = context[i];
      const auto refuse = [&](std::string why) {
        refusal = {"INVALID_CONTEXT", field(i, given.id()), std::move(why)};
        return false;
      };
      if (!seen.insert(given.id()).second) return refuse("is there twice");
      if (given.id() == "age") {
        if (given.value_case() == v1::ContextValue::VALUE_NOT_SET) continue;
        if (!given.has_number() || !IsWhole(given.number()) || given.number() < 0 ||
            given.number() > kMaxAge) {
          return refuse(absl::StrCat("must be a number of years, 0 to ", kMaxAge));
        }
        sheet.age_ = static_cast<int>(given.number());
        continue;
      }
      if (const int index = FieldOf(rules, given.id()); index >= 0) {
        const auto& codes = rules.instrument().context(index).codes();
        if (given.value_case() == v1::ContextValue::VALUE_NOT_SET) continue;
        if (codes.empty()) {
          const bool number = given.has_number() && (given.number() == 0 || given.number() == 1);
          if (!given.has_yes() && !number) return refuse("must be yes or no");
          sheet.context_[index] = given.has_yes() ? given.yes() : given.number() != 0;
          continue;
        }
        const auto code = absl::c_find(codes, given.code());
        if (!given.has_code() || code == codes.end()) {
          std::string all = "must be one of";
          for (const std::string& each : codes) absl::StrAppend(&all, " ", each);
          return refuse(std::move(all));
        }
        sheet.context_[index] = static_cast<int8_t>(code - codes.begin());
        continue;
      }
      const v1::InstrumentItem* const item = ItemOf(rules, given.id());
      if (item == nullptr) {
        sheet.unknown_context_.push_back(given.id());
        continue;
      }
      if (given.value_case() == v1::ContextValue::VALUE_NOT_SET) continue;
      if (given.has_code()) {
        refusal = {"ANSWER_NOT_A_NUMBER", field(i, given.id()), "must be the answer's number"};
        return false;
      }
      const double number = given.has_yes() ? given.yes() : given.number();
      if (!IsWhole(number)) {
        refusal = {"ANSWER_NOT_WHOLE", field(i, given.id()), "must be a whole number"};
        return false;
      }
      const int code = number < 0 || number > kMaxCode ? kUnanswered : static_cast<int>(number);
      if (!rules.IsCode(item->number(), code)) {
        refusal = OutOfRange(*item, field(i, given.id()));
        return false;
      }
      int16_t& at = sheet.codes_[item->number()];
      if (at != kUnanswered && at != code) return refuse("is answered otherwise among the answers");
      at = static_cast<int16_t>(code);
    }
    return true;
  }

 private:
  static constexpr double kMaxCode = 30'000;
  static bool IsWhole(double number) { return number == std::floor(number); }
  static int FieldOf(const InstrumentRules& rules, absl::string_view id) {
    const auto& fields = rules.instrument().context();
    for (int i = 0; i < fields.size(); ++i) {
      if (fields[i].id() == id) return i;
    }
    return -1;
  }
  static const v1::InstrumentItem* ItemOf(const InstrumentRules& rules, absl::string_view id) {
    for (int number = rules.items(); number > 0 && !rules.item(number).id().empty(); --number) {
      if (rules.item(number).id() == id) return &rules.item(number);
    }
    return nullptr;
  }
};

std::variant<Sheet, Refusal> Sheet::Read(const InstrumentRules& rules, const Answers& answers,
                                         const Context& context) {
  if (rules.items() == 0) return Reader::NoItems();
  std::variant<Sheet, Refusal> read(std::in_place_type<Sheet>, rules.items());
  Sheet& sheet = *std::get_if<Sheet>(&read);
  std::vector<bool> seen(rules.items() + 1);
  for (int i = 0; i < answers.size(); ++i) {
    const v1::Answer& answer = answers[i];
    const std::string field = absl::StrCat("answers[", i, "]");
    if (answer.item() < 1 || answer.item() > rules.items()) {
      return Refusal{"UNKNOWN_ITEM", field + ".item", absl::StrCat("must be 1 to ", rules.items())};
    }
    if (seen[answer.item()]) return Refusal{"ITEM_TWICE", field + ".item", "is there twice"};
    seen[answer.item()] = true;
    if (!answer.has_value()) continue;
    if (!rules.IsCode(answer.item(), answer.value())) {
      return Reader::OutOfRange(rules.item(answer.item()), field + ".value");
    }
    sheet.codes_[answer.item()] = static_cast<int16_t>(answer.value());
  }
  Refusal refusal;
  const auto by_position = [](int i, const std::string&) {
    return absl::StrCat("context[", i, "]");
  };
  if (!Reader::ReadContext(rules, context, by_position, sheet, refusal)) read = std::move(refusal);
  return read;
}

std::variant<Sheet, Refusal> Sheet::ReadContext(const InstrumentRules& rules,
                                                const Context& context) {
  std::variant<Sheet, Refusal> read(std::in_place_type<Sheet>, rules.items());
  Refusal refusal;
  const auto by_id = [](int, const std::string& id) { return absl::StrCat("context.", id); };
  if (!Reader::ReadContext(rules, context, by_id, *std::get_if<Sheet>(&read), refusal)) {
    read = std::move(refusal);
  }
  return read;
}

std::variant<Sheet, Refusal> Sheet::ReadInOrder(const InstrumentRules& rules,
                                                absl::Span<const int32_t> codes,
                                                const Context& context) {
  const int n = static_cast<int>(codes.size());
  if (rules.items() == 0) return Reader::NoItems();
  if (n < rules.required_items() || n > rules.items()) {
    return Refusal{"WRONG_ANSWER_COUNT", "answers",
                   rules.required_items() == rules.items()
                       ? absl::StrCat("must be ", rules.items())
                       : absl::StrCat("must be ", rules.required_items(), " to ", rules.items())};
  }
  std::variant<Sheet, Refusal> read(std::in_place_type<Sheet>, rules.items());
  Sheet& sheet = *std::get_if<Sheet>(&read);
  for (int i = 0; i < n; ++i) {
    if (codes[i] == kUnanswered) continue;
    if (!rules.IsCode(i + 1, codes[i])) {
      return Reader::OutOfRange(rules.item(i + 1), absl::StrCat("answers[", i, "]"));
    }
    sheet.codes_[i + 1] = static_cast<int16_t>(codes[i]);
  }
  if (context.empty()) return read;
  Refusal refusal;
  const auto by_id = [](int, const std::string& id) { return absl::StrCat("context.", id); };
  if (!Reader::ReadContext(rules, context, by_id, sheet, refusal)) read = std::move(refusal);
  return read;
}

Result Evaluate(const InstrumentRules& rules, const Sheet& sheet) {
  Result result;
  rules.program().Evaluate(sheet, result, nullptr);
  return result;
}

void ScoreSheet(const InstrumentRules& rules, const Sheet& sheet, bool explain, v1::Score& score) {
  Result result;
  Program::Details details;
  rules.program().Evaluate(sheet, result, &details);
  TellResult(rules, result, details.bands, /*total_only=*/false, score);
  const auto is_missing = [&](int item) {
    return details.items[item].state == ItemState::kMissing && !rules.item(item).optional();
  };
  for (int item = 1; item <= rules.items(); ++item) {
    if (is_missing(item)) score.add_missing_items(item);
    if (details.items[item].skipped && sheet.answered(item)) score.add_unexpected_items(item);
  }
  for (const v1::CriticalItem& critical : rules.instrument().critical_items()) {
    const int item = critical.item();
    if (sheet.answered(item)) {
      if (sheet.code(item) >= critical.at_least()) AddOnce(item, *score.mutable_critical_items());
    } else if (is_missing(item)) {
      AddOnce(item, *score.mutable_unanswered_critical_items());
    }
  }
  TellContext(rules, sheet, score);
  if (explain) {
    v1::Explanation& explanation = *score.mutable_explanation();
    explanation.set_instrument(rules.instrument().name());
    Explain(rules, result, details, explanation);
  }
}

std::variant<v1::Score, Refusal> ScoreTotalOnly(const InstrumentRules& rules, double total,
                                                const Context& context) {
  if (rules.total_figure() < 0) {
    return Refusal{"TOTAL_NOT_TAKEN", "total_only", "it has no headline figure; give the answers"};
  }
  if (!IsTotal(rules, total)) {
    return Refusal{
        "TOTAL_OUT_OF_RANGE", "total_only",
        absl::StrCat(
            "must be ", rules.min_total(), " to ", rules.max_total(),
            rules.program().figures()[rules.total_figure()].whole ? ", a whole number" : "")};
  }
  const std::variant<Sheet, Refusal> read = Sheet::ReadContext(rules, context);
  if (const auto* refusal = std::get_if<Refusal>(&read)) return *refusal;
  const Sheet& beside = std::get<Sheet>(read);
  Result result;
  Program::Details details;
  rules.program().EvaluateTotal(total, beside, result, details);
  v1::Score score;
  TellResult(rules, result, details.bands, /*total_only=*/true, score);
  TellContext(rules, beside, score);
  for (const v1::CriticalItem& critical : rules.instrument().critical_items()) {
    AddOnce(critical.item(), *score.mutable_unanswered_critical_items());
  }
  v1::Explanation& explanation = *score.mutable_explanation();
  explanation.set_instrument(rules.instrument().name());
  v1::ExplainedFigure& explained = *explanation.add_figures();
  explained.set_id(rules.instrument().total());
  explained.set_formula("as entered, without answers");
  explained.set_source(rules.SourceOf(absl::StrCat("figures[", rules.instrument().total(), "]")));
  return score;
}

int ItemScore(const InstrumentRules& rules, const Sheet& sheet, int item) {
  return sheet.answered(item) ? rules.program().Score(item, sheet.code(item)) : Sheet::kUnanswered;
}

}  // namespace rapport::assessment
