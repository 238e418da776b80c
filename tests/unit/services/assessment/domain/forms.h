#ifndef RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_FORMS_H_
#define RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_FORMS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment::testing {

inline const InstrumentRules& Phq9() { return *ShippedInstruments().FindById("phq-9"); }
inline const InstrumentRules& Gad7() { return *ShippedInstruments().FindById("gad-7"); }

// Answers as digits, items from 1; '-' leaves the item out.
inline Answers Digits(absl::string_view digits) {
  Answers answers;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] == '-') continue;
    v1::Answer& answer = *answers.Add();
    answer.set_item(static_cast<int>(i) + 1);
    answer.set_value(digits[i] - '0');
  }
  return answers;
}

inline v1::Score ScoreOf(const InstrumentRules& rules, absl::string_view digits) {
  return *ScoreAnswers(rules, Digits(digits));
}

inline Sheet SheetOf(const InstrumentRules& rules, absl::string_view digits) {
  return *Sheet::Read(rules, Digits(digits), "answers");
}

}  // namespace rapport::assessment::testing

#endif  // RAPPORT_TESTS_UNIT_SERVICES_ASSESSMENT_DOMAIN_FORMS_H_
