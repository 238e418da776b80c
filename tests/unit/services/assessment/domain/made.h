#ifndef RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_MADE_H_
#define RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_MADE_H_

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/text_format.h"
#include "services/assessment/domain/scoring.h"

// Instruments made up for tests, and forms of them.
namespace rapport::assessment::testing {

// An instrument of `lines` (text format), with what every instrument needs besides.
inline v1::Instrument Parsed(absl::string_view lines) {
  v1::Instrument instrument;
  const std::string text = absl::StrCat(
      "name: 'instruments/made-up/revisions/1' display_name: 'Made up'\n"
      "direction: DIRECTION_LOWER_BETTER licence: LICENCE_PUBLIC_DOMAIN\n"
      "sources { facts: 'items, context, skips, figures, flags, levels, critical_items,"
      " concern_rules, tables, direction, change, measures, answers, respondent, recall_days,"
      " min_age, max_age, licence, loinc, social_rhythm'"
      " source: 'This test' confidence: FACT_CONFIDENCE_OWN }\n",
      lines);
  EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(text, &instrument)) << text;
  return instrument;
}

// `n` items from `min` to `max`.
inline std::string Items(int n, int min, int max) {
  std::string lines;
  for (int i = 1; i <= n; ++i) {
    absl::StrAppend(&lines, "items { number: ", i, " label: 'item' min: ", min, " max: ", max,
                    " }\n");
  }
  return lines;
}

inline std::unique_ptr<const InstrumentRules> Made(absl::string_view lines) {
  auto rules = InstrumentRules::Make(Parsed(lines));
  if (!rules.ok()) {
    std::cerr << rules.status() << "\n";
    std::abort();  // a mistake in the test
  }
  return *std::move(rules);
}

// "field: message" of what is wrong with it.
inline std::vector<std::string> ProblemsOf(absl::string_view lines) {
  std::vector<std::string> problems;
  for (const Problem& problem : Problems(Parsed(lines))) {
    problems.push_back(absl::StrCat(problem.field, ": ", problem.message));
  }
  return problems;
}

// "sex=female age=34 not_working=yes agoraphobia=no": numbers, yes and no, else codes.
inline Context ContextOf(absl::string_view text) {
  Context context;
  for (absl::string_view each : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(each, absl::MaxSplits('=', 1));
    v1::ContextValue& value = *context.Add();
    value.set_id(std::string(parts.first));
    int number = 0;
    if (absl::SimpleAtoi(parts.second, &number)) {
      value.set_number(number);
    } else if (parts.second == "yes" || parts.second == "no") {
      value.set_yes(parts.second == "yes");
    } else {
      value.set_code(std::string(parts.second));
    }
  }
  return context;
}

// Codes in item order, one digit each; '-' is unanswered.
inline std::vector<int32_t> CodesOf(absl::string_view digits) {
  std::vector<int32_t> codes;
  for (const char digit : digits) codes.push_back(digit == '-' ? -1 : digit - '0');
  return codes;
}

inline Sheet FormOf(const InstrumentRules& rules, absl::string_view digits,
                    absl::string_view context = "") {
  auto read = Sheet::ReadInOrder(rules, CodesOf(digits), ContextOf(context));
  EXPECT_TRUE(std::holds_alternative<Sheet>(read))
      << digits << " " << context << ": " << std::get_if<Refusal>(&read)->field;
  return std::get<Sheet>(std::move(read));
}

inline v1::Score ScoreOfForm(const InstrumentRules& rules, absl::string_view digits,
                             absl::string_view context = "") {
  return ScoreSheet(rules, FormOf(rules, digits, context));
}

// "true", "false" or "untold"; "none" where there is no such flag.
inline std::string FlagOf(const v1::Score& score, absl::string_view id) {
  for (const v1::FlagScore& flag : score.flags()) {
    if (flag.id() == id) return !flag.has_holds() ? "untold" : flag.holds() ? "true" : "false";
  }
  return "none";
}

// A figure's value as text; "unknown", or "none" where there is no such figure.
inline std::string FigureText(const v1::Score& score, absl::string_view id) {
  for (const v1::FigureScore& figure : score.figures()) {
    if (figure.id() == id) return figure.has_value() ? absl::StrCat(figure.value()) : "unknown";
  }
  return "none";
}

}  // namespace rapport::assessment::testing

#endif  // RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_MADE_H_
