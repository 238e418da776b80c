#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SCORING_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SCORING_H_

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "services/assessment/domain/instruments.h"

// What a form comes to. Pure, and allocates nothing beyond the Score that it returns.
namespace rapport::assessment {

using Answers = google::protobuf::RepeatedPtrField<v1::Answer>;

// A form's answers by item number.
class Sheet {
 public:
  static constexpr int kUnanswered = -1;

  Sheet() { values_.fill(kUnanswered); }

  // Reads `answers` in any order; an item left out or without a value is unanswered.
  //   kInvalidArgument  "{field}[3].item": the instrument has no such item, or it is there twice;
  //                     "{field}[3].value": the answer is outside of the item's range
  static absl::StatusOr<Sheet> Read(const InstrumentRules& rules, const Answers& answers,
                                    absl::string_view field);

  int value(int item) const { return values_[item]; }
  bool answered(int item) const { return values_[item] != kUnanswered; }

 private:
  std::array<int8_t, kMaxItems + 1> values_;  // codes are 0 to 100
};

// Scores a form by the published missing-data rules:
//  * all scored items answered: their sum, its band, the diagnostic rule
//  * at most `max_prorated_items` missing: mean of the answered × items, rounded half up; no band,
//  no
//    diagnostic rule
//  * more missing, or none answered: no total
// Critical answers are told on any form; an unanswered item is never imputed as critical.
v1::Score ScoreSheet(const InstrumentRules& rules, const Sheet& sheet);

// Read and ScoreSheet in one.
absl::StatusOr<v1::Score> ScoreAnswers(const InstrumentRules& rules, const Answers& answers,
                                       absl::string_view field = "answers");

// Of a total whose answers stay elsewhere: complete, with its band, without a diagnostic rule; the
// critical items count as unanswered.
//   kInvalidArgument  `field`: outside of the instrument's range
absl::StatusOr<v1::Score> ScoreTotalOnly(const InstrumentRules& rules, int total,
                                         absl::string_view field);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SCORING_H_
