#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_FORMS_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_FORMS_H_

#include "rapport/assessment/v1/answered_form.pb.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment {

// Scores a form as it comes in bulk, codes in item order or a total, and context, into an empty
// `scored`. The score comes without explanation. Without `rules` it is refused as
// UNKNOWN_INSTRUMENT. Fields of a refusal are "instrument", "answers[3]", "context.sex", "total".
//
// Of a social-rhythm diary the codes are minutes after midnight, −1 for an activity that was not
// done, all activities of the first day, then of the second; a day of −1 alone has no diary.
void ScoreForm(const InstrumentRules* rules, const v1::AnsweredForm& form, v1::ScoredForm& scored);

inline v1::ScoredForm ScoreForm(const InstrumentRules* rules, const v1::AnsweredForm& form) {
  v1::ScoredForm scored;
  ScoreForm(rules, form, scored);
  return scored;
}

// Why a form is refused whose instrument there is not.
Refusal UnknownInstrument();

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_FORMS_H_
