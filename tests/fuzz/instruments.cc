#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/text_format.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/formula.h"
#include "services/assessment/domain/instruments.h"
#include "services/assessment/domain/scoring.h"
#include "tests/fuzz/target.h"

namespace rapport::fuzz {
namespace {

using assessment::InstrumentRules;

void Score(const InstrumentRules& rules, absl::string_view bytes) {
  std::vector<int32_t> codes;
  for (const char byte : bytes.substr(0, assessment::kMaxItems + 2)) {
    codes.push_back(byte == '-' ? -1 : static_cast<int8_t>(byte - '0'));
  }
  const auto read = assessment::Sheet::ReadInOrder(rules, codes, {});
  const auto* sheet = std::get_if<assessment::Sheet>(&read);
  if (sheet == nullptr) return;
  const assessment::Result result = assessment::Evaluate(rules, *sheet);
  if (!std::isnan(result.total)) {
    Require(result.total >= rules.min_total() && result.total <= rules.max_total(),
            "a total lies within what the instrument says");
  }
  Require(result.complete || result.severity == -1 || result.prorated ||
              rules.instrument().levels_size() > 0,
          "no severity of an incomplete form");
  (void)assessment::ScoreSheet(rules, *sheet);
}

// 'f': a formula. 's', an instrument's id, '\n' and an answer a byte ('0' to '9', '-' for none).
// Else an instrument's file, and a form of no answers.
void Run(absl::string_view input) {
  if (!input.empty() && input[0] == 'f') {
    (void)assessment::ParseFormula(input.substr(1));
    (void)assessment::ParseItems(input.substr(1));
    return;
  }
  if (!input.empty() && input[0] == 's') {
    const size_t end = input.find('\n');
    if (end == absl::string_view::npos) return;
    const InstrumentRules* rules =
        assessment::ShippedInstruments().FindById(input.substr(1, end - 1));
    if (rules != nullptr) Score(*rules, input.substr(end + 1));
    return;
  }
  assessment::v1::Instrument instrument;
  if (!assessment::ReadInstrument(input, instrument).empty()) return;
  const auto rules = InstrumentRules::Make(instrument);
  Require(rules.ok(), "a file without problems is an instrument");
  Score(**rules, "");
  Score(**rules, std::string((*rules)->items(), '1'));
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {
      "fif(known(i1), sum(1..9) + 2 * mean(1..3), -1) >= 10 and i2 < 3"};
  for (const InstrumentRules* rules : assessment::ShippedInstruments().newest()) {
    seeds.push_back("s" + std::string(rules->id()) + "\n" + std::string(rules->items(), '1'));
    std::string text;
    Require(google::protobuf::TextFormat::PrintToString(rules->instrument(), &text),
            "an instrument can be written");
    if (text.size() < 20000) seeds.push_back(text);
  }
  return seeds;
}

}  // namespace

const Target& Instruments() {
  static const Target target{"instruments", Run, Seeds};
  return target;
}

}  // namespace rapport::fuzz
