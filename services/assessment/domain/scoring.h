#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SCORING_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SCORING_H_

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "services/assessment/domain/instruments.h"

// What a form comes to. Pure.
namespace rapport::assessment {

using Answers = google::protobuf::RepeatedPtrField<v1::Answer>;
using Context = google::protobuf::RepeatedPtrField<v1::ContextValue>;

// Why a form can't be scored, with reasons and fields as FormRefusal has them.
struct Refusal {
  std::string reason;
  std::string field;
  std::string description;
};

// kInvalidArgument with `refusal` as a field violation below `prefix` ("assessment." or "").
absl::Status ToStatus(const Refusal& refusal, absl::string_view prefix);

// A form's answers by item number, and its context.
class Sheet {
 public:
  static constexpr int kUnanswered = -1;

  Sheet() { codes_.fill(kUnanswered); }

  // Reads `answers` in any order; an item left out or without a value is unanswered. Fields are
  // "answers[3].item", "answers[3].value" (the position in `answers`) and "context[0]".
  static std::variant<Sheet, Refusal> Read(const InstrumentRules& rules, const Answers& answers,
                                           const Context& context);

  // Reads one code for each item in order, −1 for an unanswered one; trailing items with an id may
  // be left off. Fields are "answers[3]" (in item order, from 0) and "context.sex".
  static std::variant<Sheet, Refusal> ReadInOrder(const InstrumentRules& rules,
                                                  absl::Span<const int32_t> codes,
                                                  const Context& context);

  // Reads the context of a form whose answers stay elsewhere. Fields are "context.sex".
  static std::variant<Sheet, Refusal> ReadContext(const InstrumentRules& rules,
                                                  const Context& context);

  int code(int item) const { return codes_[item]; }       // kUnanswered where there is none
  const int16_t* codes() const { return codes_.data(); }  // by item; the first is none
  bool answered(int item) const { return codes_[item] != kUnanswered; }
  // Value of the context field with `index` in the instrument: of codes its index among them, of
  // yes or no 1 or 0; kUnanswered where it was not given.
  int context(int index) const { return context_[index]; }
  int age() const { return age_; }  // years; kUnanswered
  const std::vector<std::string>& unknown_context() const { return unknown_context_; }

  // Of `items` unanswered items; those beyond stay unset.
  explicit Sheet(int items) {
    for (int i = 0; i <= items; ++i) codes_[i] = kUnanswered;
  }

 private:
  class Reader;

  static constexpr int kMaxContext = 10;
  std::array<int16_t, kMaxItems + 1> codes_;
  std::array<int8_t, kMaxContext> context_{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  int age_ = kUnanswered;
  std::vector<std::string> unknown_context_;
};

// What the compiled program makes of a sheet. Flat: evaluating allocates nothing. Unknown numbers
// are NaN; flags are kTrue, kFalse or kUnknown.
//
// Only the entries of the instrument's figures and flags are set.
struct Result {
  enum Truth : int8_t { kFalse = 0, kTrue = 1, kUnknown = 2 };
  bool complete = false;
  bool prorated = false;  // the total; see also figure_prorated
  double total;           // NaN: none
  int severity = -1;      // index into InstrumentRules::severities(); −1: none
  std::array<double, kMaxFigures> figures;
  std::array<bool, kMaxFigures> figure_prorated;
  std::array<Truth, kMaxFlags> flags;
  uint32_t concern_rules = 0;  // bit i: concern rule i fires
};

// Evaluates the instrument's program:
//  * figures by their formula and missing-data rule (see instrument.proto)
//  * severity by levels, or by the total's bands on a complete form
//  * flags, of a complete form only unless on_incomplete
//  * concern rules, of any form, where what is there decides them
Result Evaluate(const InstrumentRules& rules, const Sheet& sheet);

// The same as a message, into an empty `score`: with missing, critical, unanswered critical and
// unexpected items, which are told of any form; an unanswered item is never imputed as critical.
// With `explain`, how each figure came about.
void ScoreSheet(const InstrumentRules& rules, const Sheet& sheet, bool explain, v1::Score& score);

inline v1::Score ScoreSheet(const InstrumentRules& rules, const Sheet& sheet, bool explain = true) {
  v1::Score score;
  ScoreSheet(rules, sheet, explain, score);
  return score;
}

// Of a total whose answers stay elsewhere: complete, with its band and the flags and concern rules
// that rest on the total alone; the critical items count as unanswered. Refused: TOTAL_NOT_TAKEN
// where the instrument has no total, TOTAL_OUT_OF_RANGE; field "total_only".
std::variant<v1::Score, Refusal> ScoreTotalOnly(const InstrumentRules& rules, double total,
                                                const Context& context = {});

// The score of item `item` as formulas see it (turned, converted); kUnanswered where unanswered.
int ItemScore(const InstrumentRules& rules, const Sheet& sheet, int item);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_SCORING_H_
