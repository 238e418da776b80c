#include "services/assessment/domain/scoring.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::assessment {
namespace {

// "major", "other" or nothing, of a complete form.
absl::string_view Diagnose(const v1::DiagnosticRule& rule, const v1::Instrument& instrument,
                           const Sheet& sheet) {
  int present = 0;
  bool cardinal = false;
  for (const int item : instrument.scored_items()) {
    const int from = absl::c_linear_search(rule.present_at_one(), item) ? 1 : rule.present_at();
    if (sheet.value(item) < from) continue;
    ++present;
    cardinal |= absl::c_linear_search(rule.cardinal_items(), item);
  }
  if (!cardinal || present < rule.other()) return "";
  return present >= rule.major() ? "major" : "other";
}

void Assign(absl::string_view text, std::string& field) { field.assign(text.data(), text.size()); }

}  // namespace

absl::StatusOr<Sheet> Sheet::Read(const InstrumentRules& rules, const Answers& answers,
                                  absl::string_view field) {
  Sheet sheet;
  std::array<bool, kMaxItems + 1> seen{};
  std::vector<errors::FieldViolation> violations;
  for (int i = 0; i < answers.size(); ++i) {
    const v1::Answer& answer = answers[i];
    const int number = answer.item();
    if (number < 1 || number > rules.items() || seen[number]) {
      violations.push_back({absl::StrCat(field, "[", i, "].item"),
                            absl::StrCat("must be 1 to ", rules.items(), ", each item once")});
      continue;
    }
    seen[number] = true;
    if (!answer.has_value()) continue;
    const v1::InstrumentItem& item = rules.item(number);
    if (answer.value() < item.min() || answer.value() > item.max()) {
      violations.push_back({absl::StrCat(field, "[", i, "].value"),
                            absl::StrCat("must be ", item.min(), " to ", item.max())});
      continue;
    }
    sheet.values_[number] = static_cast<int8_t>(answer.value());
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return sheet;
}

v1::Score ScoreSheet(const InstrumentRules& rules, const Sheet& sheet) {
  const v1::Instrument& instrument = rules.instrument();
  const int items = instrument.scored_items_size();
  v1::Score score;
  v1::Explanation& explanation = *score.mutable_explanation();
  explanation.set_instrument(instrument.name());
  explanation.mutable_items_used()->Reserve(items);

  int sum = 0;
  for (const int item : instrument.scored_items()) {
    if (sheet.answered(item)) {
      sum += sheet.value(item);
      explanation.mutable_items_used()->AddAlreadyReserved(item);
    } else {
      score.add_missing_items(item);
    }
  }
  explanation.set_raw_sum(sum);

  const int answered = explanation.items_used_size();
  const int missing = items - answered;
  if (missing == 0) {
    score.set_complete(true);
    score.set_total(sum);
    Assign(rules.BandOf(sum), *score.mutable_severity());
    if (instrument.has_diagnostic_rule()) {
      Assign(Diagnose(instrument.diagnostic_rule(), instrument, sheet),
             *score.mutable_diagnostic());
    }
    explanation.set_rule(rules.sum_rule());
  } else if (missing <= instrument.max_prorated_items() && answered > 0) {
    score.set_prorated(true);
    score.set_total((2 * sum * items + answered) / (2 * answered));
    explanation.set_rule(absl::StrCat("mean of the ", answered, " answered × ", items,
                                      " items, rounded half up; an estimate"));
  } else {
    explanation.set_rule(absl::StrCat("no total: ", missing, " of ", items,
                                      " items missing, at most ", instrument.max_prorated_items(),
                                      " may be"));
  }

  for (const v1::CriticalItem& critical : instrument.critical_items()) {
    if (!sheet.answered(critical.item())) {
      score.add_unanswered_critical_items(critical.item());
    } else if (sheet.value(critical.item()) >= critical.at_least()) {
      score.add_critical_items(critical.item());
    }
  }
  return score;
}

absl::StatusOr<v1::Score> ScoreAnswers(const InstrumentRules& rules, const Answers& answers,
                                       absl::string_view field) {
  ASSIGN_OR_RETURN(const Sheet sheet, Sheet::Read(rules, answers, field));
  return ScoreSheet(rules, sheet);
}

absl::StatusOr<v1::Score> ScoreTotalOnly(const InstrumentRules& rules, int total,
                                         absl::string_view field) {
  if (total < rules.min_total() || total > rules.max_total()) {
    return errors::InvalidArgument(
        field, absl::StrCat("must be ", rules.min_total(), " to ", rules.max_total()));
  }
  v1::Score score;
  score.set_total(total);
  score.set_complete(true);
  Assign(rules.BandOf(total), *score.mutable_severity());
  for (const v1::CriticalItem& critical : rules.instrument().critical_items()) {
    score.add_unanswered_critical_items(critical.item());
  }
  v1::Explanation& explanation = *score.mutable_explanation();
  explanation.set_instrument(rules.instrument().name());
  explanation.set_raw_sum(total);
  explanation.set_rule("total as entered, without answers");
  return score;
}

}  // namespace rapport::assessment
