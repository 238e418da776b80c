#include "services/assessment/domain/program.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "services/assessment/domain/scoring.h"

namespace rapport::assessment {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kSlack = 1e-9;  // what binary fractions may be off by

// With digits enough to tell two numbers apart.
std::string Exactly(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", x);
  return text;
}

double RoundHalfUp(double x) { return std::floor(x + 0.5 + kSlack); }

}  // namespace

// Where everything that is read is known: truths are 0 and 1.
struct Program::Exact {
  using Value = double;

  const Program& program;
  const int16_t* scores;
  const Sheet& sheet;

  template <class Visit>
  void Each(const Instruction& in, const Visit& visit) const {
    for (int item = in.a; item <= in.b; ++item) visit(scores[item]);
    if (in.c < 0) return;
    for (const Run& run : program.runs_[in.c]) {
      for (int item = run.first; item <= run.last; ++item) visit(scores[item]);
    }
  }

  double Constant(double x) const { return x; }
  double Item(int item) const { return scores[item]; }
  double Code(int item) const { return sheet.code(item); }
  double Context(int field, int value) const { return sheet.context(field) == value; }
  double Sum(const Instruction& in) const {
    int sum = 0;
    Each(in, [&](int score) { sum += score; });
    return sum;
  }
  double Mean(const Instruction& in) const {
    int sum = 0;
    int n = 0;
    Each(in, [&](int score) {
      sum += score;
      ++n;
    });
    return in.constant * sum / n;
  }
  double Min(const Instruction& in) const {
    int least = std::numeric_limits<int>::max();
    Each(in, [&](int score) { least = std::min(least, score); });
    return least;
  }
  double Max(const Instruction& in) const {
    int greatest = std::numeric_limits<int>::min();
    Each(in, [&](int score) { greatest = std::max(greatest, score); });
    return greatest;
  }
  double Answered(const Instruction& in) const {
    int n = 0;
    Each(in, [&](int) { ++n; });
    return n;
  }
  double Count(const Instruction& in) const {
    int n = 0;
    const Bounds32 range = in.range;
    const bool others = in.flag;
    Each(in, [&](int score) { n += (score >= range.low && score <= range.high) != others; });
    return n;
  }
  static double Add(double a, double b) { return a + b; }
  static double Subtract(double a, double b) { return a - b; }
  static double Multiply(double a, double b) { return a * b; }
  static double Divide(double a, double b) { return a / b; }
  static double Equal(double a, double b) { return a == b; }
  static double Greater(double a, double b) { return a > b; }
  static double GreaterOrEqual(double a, double b) { return a >= b; }
  static double And(double a, double b) { return a * b; }
  static double Or(double a, double b) { return std::max(a, b); }
  static double Not(double a) { return 1 - a; }
  static double If(double condition, double a, double b) { return condition != 0 ? a : b; }
  static double Round(double a) { return RoundHalfUp(a); }
  double LookUp(const Lookup& table, double at) const { return table.values[table.Index(at)]; }
  double Known(double) const { return 1; }
  double KnownTruth(double) const { return 1; }
  double Is(double a) const { return a; }
  double Figure(const Instruction& in, const double* registers, Result& result) const {
    const double value = registers[in.a];
    result.figures[in.b] = value;
    result.figure_prorated[in.b] = false;
    return value;
  }
  void Apply(const Skip&) const {}
  static Result::Truth Told(double truth) { return truth != 0 ? Result::kTrue : Result::kFalse; }
  static double Number(double value) { return value; }
};

// Where something is missing: each number with the bounds between which it lies. Truths are 0 and
// 1; from 0 to 1 they are unknown. Without a sheet nothing is known but the total, and nothing is
// known to be missing.
struct Program::Partial {
  struct Value {
    double value;  // NaN: unknown
    double low;
    double high;
  };

  const Program& program;
  const Sheet* sheet;
  const double* total;
  const Sheet* beside;  // where there is no sheet: whose context counts; null: none
  uint64_t prorated = 0;
  std::array<ItemState, kMaxItems + 1> state;
  std::array<bool, kMaxItems + 1> skipped;
  std::array<int16_t, kMaxItems + 1> low;
  std::array<int16_t, kMaxItems + 1> high;

  Partial(const Program& of, const Sheet* from, const double* given, const Sheet* context = nullptr)
      : program(of), sheet(from), total(given), beside(from == nullptr ? context : from) {
    for (size_t i = 1; i < program.items_.size(); ++i) {
      const Program::Item& item = program.items_[i];
      const int number = static_cast<int>(i);
      skipped[i] = false;
      if (sheet != nullptr && sheet->answered(number)) {
        state[i] = ItemState::kAnswered;
        low[i] = high[i] = static_cast<int16_t>(program.Score(number, sheet->code(number)));
      } else {
        state[i] = ItemState::kMissing;
        low[i] = item.low;
        high[i] = item.high;
      }
    }
  }

  void Apply(const Skip& rule) {
    for (const int item : rule.items) {
      if (skipped[item]) continue;
      skipped[item] = true;
      if (state[item] == ItemState::kAnswered && !rule.answer_left_out) continue;
      if (rule.counts_as >= 0) {
        state[item] = ItemState::kCounted;
        low[item] = high[item] = static_cast<int16_t>(rule.counts_as);
      } else {
        state[item] = ItemState::kLeftOut;
        low[item] = program.items_[item].low;
        high[item] = program.items_[item].high;
      }
    }
  }

  bool Complete() const {
    for (size_t i = 1; i < program.items_.size(); ++i) {
      if (state[i] == ItemState::kMissing && !program.items_[i].optional) return false;
    }
    return true;
  }

  static Value Known(double a, bool known, double b) { return {known ? a : kUnknown, a, b}; }
  static Value Truth(bool least, bool most) { return {0, least ? 1.0 : 0.0, most ? 1.0 : 0.0}; }
  template <class Visit>
  void Each(const Instruction& in, const Visit& visit) const {
    for (int item = in.a; item <= in.b; ++item) visit(item);
    if (in.c < 0) return;
    for (const Run& run : program.runs_[in.c]) {
      for (int item = run.first; item <= run.last; ++item) visit(item);
    }
  }
  struct Totals {
    int n = 0;
    int missing = 0;
    double low = 0;
    double high = 0;
  };
  Totals Total(const Instruction& in) const {
    Totals totals;
    Each(in, [&](int item) {
      if (state[item] == ItemState::kLeftOut) return;
      ++totals.n;
      totals.missing += state[item] == ItemState::kMissing;
      totals.low += low[item];
      totals.high += high[item];
    });
    return totals;
  }
  // The least and greatest of the items, by `pick`.
  template <class Pick>
  Value Extreme(const Instruction& in, double factor, const Pick& pick) const {
    bool any = false;
    bool known = true;
    double a = 0;
    double b = 0;
    Each(in, [&](int item) {
      if (state[item] == ItemState::kLeftOut) return;
      a = any ? pick(a, double(low[item])) : low[item];
      b = any ? pick(b, double(high[item])) : high[item];
      any = true;
      known = known && state[item] != ItemState::kMissing;
    });
    if (any) return Known(a, known, b);
    a = std::numeric_limits<double>::infinity();
    b = -a;
    Each(in, [&](int item) {
      a = std::min(a, double(low[item]));
      b = std::max(b, double(high[item]));
    });
    return Multiply({kUnknown, a, b}, Constant(factor));
  }

  static Value Constant(double x) { return {x, x, x}; }
  Value Item(int item) const {
    return {state[item] == ItemState::kAnswered || state[item] == ItemState::kCounted
                ? double(low[item])
                : kUnknown,
            double(low[item]), double(high[item])};
  }
  Value Code(int item) const {
    if (state[item] == ItemState::kAnswered) return Constant(sheet->code(item));
    return {kUnknown, double(program.items_[item].min_code), double(program.items_[item].max_code)};
  }
  Value Context(int field, int value) const {
    const int given = beside == nullptr ? Sheet::kUnanswered : beside->context(field);
    return Truth(given == value, given == value || given == Sheet::kUnanswered);
  }
  Value Sum(const Instruction& in) const {
    const Totals totals = Total(in);
    return Known(totals.low, totals.missing == 0, totals.high);
  }
  Value Mean(const Instruction& in) const {
    const Totals totals = Total(in);
    if (totals.n == 0) {
      return Extreme(in, in.constant, [](double a, double b) { return std::min(a, b); });
    }
    const double a = in.constant * totals.low / totals.n;
    const double b = in.constant * totals.high / totals.n;
    return {totals.missing == 0 ? a : kUnknown, std::min(a, b), std::max(a, b)};
  }
  Value Min(const Instruction& in) const {
    return Extreme(in, 1, [](double a, double b) { return std::min(a, b); });
  }
  Value Max(const Instruction& in) const {
    return Extreme(in, 1, [](double a, double b) { return std::max(a, b); });
  }
  Value Answered(const Instruction& in) const {
    int n = 0;
    int answered = 0;
    Each(in, [&](int item) {
      ++n;
      answered += state[item] == ItemState::kAnswered;
    });
    if (sheet == nullptr) return {kUnknown, 0, double(n)};
    return Constant(answered);
  }
  Value Count(const Instruction& in) const {
    int least = 0;
    int most = 0;
    bool known = true;
    Each(in, [&](int item) {
      if (state[item] == ItemState::kLeftOut) return;
      const bool all = low[item] >= in.range.low && high[item] <= in.range.high;
      const bool some = low[item] <= in.range.high && high[item] >= in.range.low;
      least += in.flag ? !some : all;
      most += in.flag ? !all : some;
      known = known && state[item] != ItemState::kMissing;
    });
    return Known(least, known, most);
  }
  static Value Add(const Value& a, const Value& b) {
    return {a.value + b.value, a.low + b.low, a.high + b.high};
  }
  static Value Subtract(const Value& a, const Value& b) {
    return {a.value - b.value, a.low - b.high, a.high - b.low};
  }
  static Value Multiply(const Value& a, const Value& b) {
    const auto [least, most] =
        std::minmax({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
    return {a.value * b.value, least, most};
  }
  static Value Divide(const Value& a, const Value& b) {
    const auto [least, most] =
        std::minmax({a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high});
    return {a.value / b.value, least, most};
  }
  static Value Equal(const Value& a, const Value& b) {
    return Truth(a.low == a.high && b.low == b.high && a.low == b.low,
                 a.low <= b.high && b.low <= a.high);
  }
  static Value Greater(const Value& a, const Value& b) {
    return Truth(a.low > b.high, a.high > b.low);
  }
  static Value GreaterOrEqual(const Value& a, const Value& b) {
    return Truth(a.low >= b.high, a.high >= b.low);
  }
  static Value And(const Value& a, const Value& b) { return {0, a.low * b.low, a.high * b.high}; }
  static Value Or(const Value& a, const Value& b) {
    return {0, std::max(a.low, b.low), std::max(a.high, b.high)};
  }
  static Value Not(const Value& a) { return {0, 1 - a.high, 1 - a.low}; }
  static Value If(const Value& condition, const Value& a, const Value& b) {
    if (condition.low == condition.high) return condition.low != 0 ? a : b;
    return {a.value == b.value ? a.value : kUnknown, std::min(a.low, b.low),
            std::max(a.high, b.high)};
  }
  static Value Round(const Value& a) {
    return {RoundHalfUp(a.value), RoundHalfUp(a.low), RoundHalfUp(a.high)};
  }
  static Value LookUp(const Lookup& table, const Value& at) {
    const auto [least, most] = std::minmax_element(table.values.begin() + table.Index(at.low),
                                                   table.values.begin() + table.Index(at.high) + 1);
    return {std::isnan(at.value) ? kUnknown : table.values[table.Index(at.value)], *least, *most};
  }
  Value Known(const Value& a) const {
    const bool known = !std::isnan(a.value);
    return Truth(known, known || sheet == nullptr);
  }
  Value KnownTruth(const Value& a) const {
    const bool known = a.low == a.high;
    return Truth(known, known || sheet == nullptr);
  }
  Value Is(const Value& a) const { return {0, a.low, sheet == nullptr ? a.high : a.low}; }

  // The estimate of a sum or mean of items; NaN where too much is missing.
  double Estimate(const FigureFacts& figure) const {
    int n = 0;
    int known = 0;
    double sum = 0;
    for (const int item : figure.shape.items) {
      if (state[item] == ItemState::kLeftOut) continue;
      ++n;
      if (state[item] == ItemState::kMissing) continue;
      ++known;
      sum += low[item];
    }
    if (known == 0 || n - known > figure.max_missing) return kUnknown;
    const double factor = figure.shape.factor;
    const double estimate = figure.shape.kind == SetShape::kSum
                                ? factor * RoundHalfUp(sum * n / known)
                            : factor == 1 ? sum / known
                                          : RoundHalfUp(factor * sum / known);
    return std::clamp(estimate, figure.min, figure.max);
  }

  Value Figure(const Instruction& in, const Value* registers, Result& result) {
    const FigureFacts& figure = program.figures_[in.b];
    Value value = in.a < 0 ? Value{kUnknown, figure.min, figure.max} : registers[in.a];
    bool estimated = false;
    if (total != nullptr && in.b == program.total_figure_) {
      value = Constant(*total);
    } else if (std::isnan(value.value)) {
      if (figure.max_missing > 0 && sheet != nullptr) {
        value.value = Estimate(figure);
        estimated = !std::isnan(value.value);
      }
    } else {
      estimated = (figure.figures & prorated) != 0;
    }
    if (estimated) prorated |= uint64_t{1} << in.b;
    result.figures[in.b] = value.value;
    result.figure_prorated[in.b] = estimated;
    return value;
  }
  static Result::Truth Told(const Value& truth) {
    return truth.low != truth.high ? Result::kUnknown
           : truth.low != 0        ? Result::kTrue
                                   : Result::kFalse;
  }
  static double Number(const Value& value) { return value.value; }
};

template <class Domain>
void Program::Execute(Domain& domain, size_t from, size_t to, typename Domain::Value* registers,
                      Result& result) const {
  auto* const r = registers;
  bool banded = !result.complete;
  for (size_t i = from; i < to; ++i) {
    const Instruction& in = code_[i];
    switch (in.op) {
      case Op::kConstant:
        r[i] = domain.Constant(in.constant);
        break;
      case Op::kItem:
        r[i] = domain.Item(in.a);
        break;
      case Op::kCode:
        r[i] = domain.Code(in.a);
        break;
      case Op::kContext:
        r[i] = domain.Context(in.a, in.b);
        break;
      case Op::kSum:
        r[i] = domain.Sum(in);
        break;
      case Op::kMean:
        r[i] = domain.Mean(in);
        break;
      case Op::kMin:
        r[i] = domain.Min(in);
        break;
      case Op::kMax:
        r[i] = domain.Max(in);
        break;
      case Op::kAnswered:
        r[i] = domain.Answered(in);
        break;
      case Op::kCount:
        r[i] = domain.Count(in);
        break;
      case Op::kAdd:
        r[i] = Domain::Add(r[in.a], r[in.b]);
        break;
      case Op::kSubtract:
        r[i] = Domain::Subtract(r[in.a], r[in.b]);
        break;
      case Op::kMultiply:
        r[i] = Domain::Multiply(r[in.a], r[in.b]);
        break;
      case Op::kDivide:
        r[i] = Domain::Divide(r[in.a], r[in.b]);
        break;
      case Op::kEqual:
        r[i] = Domain::Equal(r[in.a], r[in.b]);
        break;
      case Op::kGreater:
        r[i] = Domain::Greater(r[in.a], r[in.b]);
        break;
      case Op::kGreaterOrEqual:
        r[i] = Domain::GreaterOrEqual(r[in.a], r[in.b]);
        break;
      case Op::kAddConstant:
        r[i] = Domain::Add(r[in.a], domain.Constant(in.constant));
        break;
      case Op::kMultiplyConstant:
        r[i] = Domain::Multiply(r[in.a], domain.Constant(in.constant));
        break;
      case Op::kEqualConstant:
        r[i] = Domain::Equal(r[in.a], domain.Constant(in.constant));
        break;
      case Op::kGreaterConstant:
        r[i] = Domain::Greater(r[in.a], domain.Constant(in.constant));
        break;
      case Op::kGreaterOrEqualConstant:
        r[i] = Domain::GreaterOrEqual(r[in.a], domain.Constant(in.constant));
        break;
      case Op::kAnd:
        r[i] = Domain::And(r[in.a], r[in.b]);
        break;
      case Op::kOr:
        r[i] = Domain::Or(r[in.a], r[in.b]);
        break;
      case Op::kNot:
        r[i] = Domain::Not(r[in.a]);
        break;
      case Op::kIf:
        r[i] = Domain::If(r[in.a], r[in.b], r[in.c]);
        break;
      case Op::kRound:
        r[i] = Domain::Round(r[in.a]);
        break;
      case Op::kLookup:
        r[i] = domain.LookUp(tables_[in.b], r[in.a]);
        break;
      case Op::kKnownNumber:
        r[i] = domain.Known(r[in.a]);
        break;
      case Op::kKnownTruth:
        r[i] = domain.KnownTruth(r[in.a]);
        break;
      case Op::kIs:
        r[i] = domain.Is(r[in.a]);
        break;
      case Op::kFigure:
        r[i] = domain.Figure(in, r, result);
        break;
      case Op::kFlag:
        result.flags[in.b] = result.complete || in.flag ? Domain::Told(r[in.a]) : Result::kUnknown;
        break;
      case Op::kLevel:
        if (result.severity < 0 && Domain::Told(r[in.a]) == Result::kTrue) result.severity = in.b;
        break;
      case Op::kConcern:
        if (Domain::Told(r[in.a]) == Result::kTrue) result.concern_rules |= uint32_t{1} << in.b;
        break;
      case Op::kSkip:
        if (Domain::Told(r[in.a]) == Result::kTrue) domain.Apply(skips_[in.b]);
        break;
      case Op::kBands: {
        if (banded) break;
        const Result::Truth holds = in.c < 0 ? Result::kTrue : Domain::Told(r[in.c]);
        banded = holds != Result::kFalse;
        const double value = Domain::Number(r[in.a]);
        if (holds == Result::kTrue && !std::isnan(value)) {
          const BandTable& table = bands_[in.b];
          result.severity = table.severity[table.Find(value)];
        }
        break;
      }
    }
  }
}

bool Program::IsExact(const Sheet& sheet) const {
  if (answers_left_out_) return false;
  const int16_t* const codes = sheet.codes();
  int all = 0;
  for (const Run& run : needed_items_) {
    for (int item = run.first; item <= run.last; ++item) all |= codes[item];
  }
  for (const int field : needed_context_) all |= sheet.context(field);
  return all >= 0;  // kUnanswered is negative
}

void Program::EvaluateExact(const Sheet& sheet, Result& result, Details* details) const {
  double registers[kMaxInstructions];
  int16_t converted[kMaxItems + 1];
  const int16_t* scores = sheet.codes();
  if (!conversions_.empty()) {
    for (const Run& run : needed_items_) {
      for (int item = run.first; item <= run.last; ++item) {
        converted[item] = static_cast<int16_t>(Score(item, scores[item]));
      }
    }
    scores = converted;
  }
  result.complete = true;
  Exact exact{*this, scores, sheet};
  Execute(exact, 0, main_end_, registers, result);
  if (details == nullptr) return;
  TellItems(sheet, *details);
  TellBands(exact, registers, *details);
}

void Program::EvaluatePartial(const Sheet* sheet, const double* total, const Sheet* context,
                              Result& result, Details* details) const {
  Partial::Value registers[kMaxInstructions];
  Partial partial(*this, sheet, total, context);
  Execute(partial, 0, skips_end_, registers, result);
  result.complete = total != nullptr || partial.Complete();
  Execute(partial, skips_end_, main_end_, registers, result);
  if (details == nullptr) return;
  if (sheet != nullptr) TellItems(partial, *details);
  if (result.complete) TellBands(partial, registers, *details);
}

void Program::Evaluate(const Sheet& sheet, Result& result, Details* details) const {
  if (IsExact(sheet)) {
    EvaluateExact(sheet, result, details);
  } else {
    EvaluatePartial(&sheet, nullptr, nullptr, result, details);
  }
  result.total = total_figure_ < 0 ? kUnknown : result.figures[total_figure_];
  result.prorated = total_figure_ >= 0 && result.figure_prorated[total_figure_];
}

void Program::EvaluateTotal(double total, const Sheet& context, Result& result,
                            Details& details) const {
  EvaluatePartial(nullptr, &total, &context, result, &details);
  result.total = total;
}

void Program::TellItems(const Partial& partial, Details& details) const {
  for (size_t i = 1; i < items_.size(); ++i) {
    details.items[i] = {partial.state[i], partial.skipped[i], partial.low[i]};
  }
}

void Program::TellItems(const Sheet& sheet, Details& details) const {
  if (skips_end_ > 0) {
    Partial::Value registers[kMaxInstructions];
    Partial partial(*this, &sheet, nullptr);
    Result result;
    Execute(partial, 0, skips_end_, registers, result);
    return TellItems(partial, details);
  }
  for (size_t i = 1; i < items_.size(); ++i) {
    const int item = static_cast<int>(i);
    details.items[i] = sheet.answered(item)
                           ? ItemTold{ItemState::kAnswered, false,
                                      static_cast<int16_t>(Score(item, sheet.code(item)))}
                           : ItemTold{ItemState::kMissing, false, items_[i].low};
  }
}

// After what comes before main_end_ was executed over the same `registers`.
template <class Domain>
void Program::TellBands(Domain& domain, typename Domain::Value* registers, Details& details) const {
  uint64_t decided = 0;  // bit f: figure f
  Result result;
  for (size_t i = main_end_; i < code_.size(); ++i) {
    const Instruction& in = code_[i];
    if (in.op != Op::kBands) {
      Execute(domain, i, i + 1, registers, result);
      continue;
    }
    const BandTable& table = bands_[in.b];
    const Result::Truth holds = in.c < 0 ? Result::kTrue : Domain::Told(registers[in.c]);
    if (!table.alternative) {
      const uint64_t figure = uint64_t{1} << table.figure;
      if ((decided & figure) != 0) continue;
      if (holds != Result::kFalse) decided |= figure;
    }
    const double value = Domain::Number(registers[in.a]);
    if (holds == Result::kTrue && !std::isnan(value)) {
      details.bands.push_back({table.figure, table.set, table.Find(value)});
    }
  }
}

std::vector<std::string> Program::Severities(const v1::Instrument& instrument) {
  std::vector<std::string> ids;
  for (const v1::Level& level : instrument.levels()) ids.push_back(level.id());
  if (!ids.empty()) return ids;
  for (const v1::Figure& figure : instrument.figures()) {
    if (figure.id() != instrument.total()) continue;
    for (const v1::BandSet& set : figure.band_sets()) {
      if (!set.id().empty()) continue;
      for (const v1::SeverityBand& band : set.bands()) {
        if (!absl::c_linear_search(ids, band.id())) ids.push_back(band.id());
      }
    }
  }
  return ids;
}

// Compiles the formulas of one instrument.
class Compiler {
 public:
  Compiler(const v1::Instrument& instrument, std::vector<Problem>& problems)
      : instrument_(instrument), problems_(problems), program_(std::make_unique<Program>()) {}

  std::unique_ptr<const Program> Run() {
    const size_t before = problems_.size();
    Items();
    for (const v1::Table& table : instrument_.tables()) {
      program_->tables_.push_back({table.first(), {table.values().begin(), table.values().end()}});
    }
    Skips();
    Figures();
    Flags();
    Levels();
    ConcernRules();
    OtherBands();
    Needed();
    if (program_->code_.size() > Program::kMaxInstructions) {
      problems_.push_back({"figures", "the formulas come to more than 1024 operations"});
    }
    if (problems_.size() > before) return nullptr;
    Ranges();
    if (problems_.size() > before) return nullptr;
    return std::move(program_);
  }

 private:
  using Op = Program::Op;
  using Kind = Expression::Kind;

  // What a formula may speak of.
  struct Scope {
    std::string field;
    int items = kMaxItems;  // up to this one
    int figures = kMaxFigures;
    int flags = kMaxFlags;
  };
  // What a formula rests on.
  struct Uses {
    std::set<int> items;
    uint64_t figures = 0;
  };
  struct Value {
    enum Type { kBad, kNumber, kTruth } type = kBad;
    int reg = -1;
    bool whole = false;     // on a complete form
    bool constant = false;  // it has no register yet, see Register()
    double number = 0;
  };
  Value Bad(int column, absl::string_view message) {
    problems_.push_back({scope_.field, absl::StrCat("at ", column, ": ", message)});
    return {};
  }

  // The register of `in`: the one that has it already, or the next.
  int Emit(const Program::Instruction& in, int column) {
    uint64_t bits;
    static_assert(sizeof bits == sizeof in.constant);
    std::copy_n(reinterpret_cast<const char*>(&in.constant), sizeof bits,
                reinterpret_cast<char*>(&bits));
    const auto key = std::make_tuple(in.op, in.flag, in.a, in.b, in.c, bits);
    const auto [found, is_new] =
        registers_.try_emplace(key, static_cast<int>(program_->code_.size()));
    if (is_new) {
      program_->code_.push_back(in);
      origins_.push_back({scope_.field, column});
    }
    return found->second;
  }
  static Program::Instruction Make(Op op, int a = -1, int b = -1, int c = -1) {
    Program::Instruction in;
    in.op = op;
    in.a = static_cast<int16_t>(a);
    in.b = static_cast<int16_t>(b);
    in.c = static_cast<int16_t>(c);
    return in;
  }
  static Program::Instruction MakeConstant(Op op, double constant, int a = -1) {
    Program::Instruction in = Make(op, a);
    in.constant = constant;
    return in;
  }
  Value Number(const Program::Instruction& in, int column, bool whole) {
    return {Value::kNumber, Emit(in, column), whole};
  }
  Value Truth(const Program::Instruction& in, int column) {
    return {Value::kTruth, Emit(in, column)};
  }
  static Value Constant(double number) {
    return {Value::kNumber, -1, number == std::floor(number), true, number};
  }
  int Register(const Value& value, int column) {
    return value.constant ? Emit(MakeConstant(Op::kConstant, value.number), column) : value.reg;
  }

  void Items() {
    program_->items_.emplace_back();
    for (const v1::InstrumentItem& item : instrument_.items()) {
      Program::Item entry;
      std::vector<int> codes(item.codes().begin(), item.codes().end());
      if (codes.empty()) {
        for (int code = item.min(); code <= item.max(); ++code) codes.push_back(code);
      }
      std::vector<int> scores(item.values().begin(), item.values().end());
      if (scores.empty()) scores = codes;
      const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
      const int low = *least;
      const int high = *most;
      entry.low = static_cast<int16_t>(low);
      entry.high = static_cast<int16_t>(high);
      entry.min_code = static_cast<int16_t>(codes.front());
      entry.max_code = static_cast<int16_t>(codes.back());
      entry.optional = item.optional();
      if (item.reversed() || !item.values().empty()) {
        std::vector<int16_t>& conversions = program_->conversions_;
        entry.conversion = static_cast<int32_t>(conversions.size());
        conversions.resize(conversions.size() + codes.back() - codes.front() + 1, entry.low);
        for (size_t i = 0; i < codes.size(); ++i) {
          conversions[entry.conversion + codes[i] - codes.front()] =
              static_cast<int16_t>(item.reversed() ? low + high - scores[i] : scores[i]);
        }
      }
      program_->items_.push_back(entry);
    }
  }

  bool HasItem(int number) const { return number >= 1 && number <= instrument_.items_size(); }

  bool CheckItems(const Expression& expression) {
    for (const int item : expression.items) {
      if (!HasItem(item)) {
        Bad(expression.column, absl::StrCat("there is no item ", item));
        return false;
      }
      if (item > scope_.items) {
        Bad(expression.column, scope_.items == 0
                                   ? "only context can be spoken of here"
                                   : absl::StrCat("item ", item, " is none of those before"));
        return false;
      }
      uses_.items.insert(item);
      read_items_.insert(item);
    }
    return true;
  }

  // The set of `expression` as operands a, b and c.
  Program::Instruction OverItems(Op op, const Expression& expression) {
    std::vector<int> items = expression.items;
    std::sort(items.begin(), items.end());
    std::vector<Program::Run> runs;
    for (const int item : items) {
      if (runs.empty() || runs.back().last + 1 != item) {
        runs.push_back({static_cast<int16_t>(item), static_cast<int16_t>(item)});
      }
      runs.back().last = static_cast<int16_t>(item);
    }
    Program::Instruction in = Make(op, runs[0].first, runs[0].last);
    if (runs.size() > 1) {
      const auto [found, is_new] =
          sets_.try_emplace(items, static_cast<int>(program_->runs_.size()));
      if (is_new) program_->runs_.emplace_back(runs.begin() + 1, runs.end());
      in.c = static_cast<int16_t>(found->second);
    }
    return in;
  }

  Value OverSet(const Expression& expression, double factor = 1) {
    if (!CheckItems(expression)) return {};
    switch (expression.kind) {
      case Kind::kSum:
        return Number(OverItems(Op::kSum, expression), expression.column, true);
      case Kind::kMean: {
        Program::Instruction in = OverItems(Op::kMean, expression);
        in.constant = factor;
        const bool all_there =
            absl::c_none_of(expression.items, [&](int item) { return left_out_.count(item) > 0; });
        return Number(in, expression.column,
                      all_there && std::fmod(factor, double(expression.items.size())) == 0);
      }
      case Kind::kMin:
        return Number(OverItems(Op::kMin, expression), expression.column, true);
      case Kind::kMax:
        return Number(OverItems(Op::kMax, expression), expression.column, true);
      case Kind::kAnswered:
        return Number(OverItems(Op::kAnswered, expression), expression.column, true);
      default: {
        Program::Instruction in = OverItems(Op::kCount, expression);
        const double x = std::clamp(expression.number, -1e6, 1e6);
        constexpr int kMost = 1 << 30;
        switch (expression.compare) {
          case Compare::kEqual:
          case Compare::kNotEqual:
            in.flag = expression.compare == Compare::kNotEqual;
            in.range = {static_cast<int>(std::ceil(x)), static_cast<int>(std::floor(x))};
            break;
          case Compare::kLess:
            in.range = {-kMost, static_cast<int>(std::ceil(x)) - 1};
            break;
          case Compare::kLessOrEqual:
            in.range = {-kMost, static_cast<int>(std::floor(x))};
            break;
          case Compare::kGreater:
            in.range = {static_cast<int>(std::floor(x)) + 1, kMost};
            break;
          case Compare::kGreaterOrEqual:
            in.range = {static_cast<int>(std::ceil(x)), kMost};
            break;
        }
        return Number(in, expression.column, true);
      }
    }
  }

  static absl::string_view Called(const Value& value) {
    return value.type == Value::kTruth ? "a truth" : "a number";
  }
  // `expression`, which must be of `type`; else a problem is told.
  Value Of(typename Value::Type type, const Expression& expression, absl::string_view where) {
    const Value value = Compile(expression);
    if (value.type == Value::kBad || value.type == type) return value;
    return Bad(expression.column,
               absl::StrCat(where, " needs a ", type == Value::kTruth ? "truth" : "number",
                            ", this is ", Called(value)));
  }

  Value Name(const Expression& expression) {
    const std::string& name = expression.name;
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      if (instrument_.figures(i).id() != name) continue;
      if (i >= scope_.figures) {
        return Bad(expression.column, absl::StrCat("figure '", name, "' can't be spoken of here"));
      }
      const auto& facts = program_->figures_[i];
      uses_.items.insert(facts.items.begin(), facts.items.end());
      uses_.figures |= facts.figures | uint64_t{1} << i;
      return figure_values_[i];
    }
    for (int i = 0; i < instrument_.flags_size(); ++i) {
      if (instrument_.flags(i).id() != name) continue;
      if (i >= scope_.flags) {
        return Bad(expression.column, absl::StrCat("flag '", name, "' can't be spoken of here"));
      }
      uses_.items.insert(program_->flag_items_[i].begin(), program_->flag_items_[i].end());
      return flag_values_[i];
    }
    if (const int field = ContextField(name); field >= 0) {
      if (!instrument_.context(field).codes().empty()) {
        return Bad(expression.column, absl::StrCat("'", name, "' must be compared with a code"));
      }
      return IsContext(field, 1, expression.column);
    }
    return Bad(expression.column, absl::StrCat("there is no '", name, "'"));
  }

  int ContextField(absl::string_view id) const {
    for (int i = 0; i < instrument_.context_size(); ++i) {
      if (instrument_.context(i).id() == id) return i;
    }
    return -1;
  }
  Value IsContext(int field, int value, int column) {
    read_context_.insert(field);
    return Truth(Make(Op::kContext, field, value), column);
  }

  // `sex == female`; nothing where no field with codes is compared.
  bool CompareContext(const Expression& expression, Value& value) {
    const Expression& left = expression.operands[0];
    const Expression& right = expression.operands[1];
    const int field = left.kind == Kind::kName ? ContextField(left.name) : -1;
    if (field < 0 || instrument_.context(field).codes().empty()) return false;
    const auto& codes = instrument_.context(field).codes();
    const auto code = absl::c_find(codes, right.name);
    if (right.kind != Kind::kName || code == codes.end()) {
      value = Bad(right.column, absl::StrCat("must be a code of '", left.name, "'"));
    } else if (expression.compare != Compare::kEqual && expression.compare != Compare::kNotEqual) {
      value = Bad(expression.column, "codes are compared by == or !=");
    } else {
      value = IsContext(field, static_cast<int>(code - codes.begin()), expression.column);
      if (expression.compare == Compare::kNotEqual) {
        value = Truth(Make(Op::kNot, value.reg), expression.column);
      }
    }
    return true;
  }

  Value CompareNumbers(const Expression& expression) {
    Value value;
    if (CompareContext(expression, value)) return value;
    Value left = Of(Value::kNumber, expression.operands[0], "a comparison");
    Value right = Of(Value::kNumber, expression.operands[1], "a comparison");
    if (left.type == Value::kBad || right.type == Value::kBad) return {};
    Compare compare = expression.compare;
    if (left.constant || compare == Compare::kLess || compare == Compare::kLessOrEqual) {
      // Turned round where that leaves a constant at the right, or none.
      if (left.constant || !right.constant) {
        std::swap(left, right);
        compare = compare == Compare::kLess             ? Compare::kGreater
                  : compare == Compare::kLessOrEqual    ? Compare::kGreaterOrEqual
                  : compare == Compare::kGreater        ? Compare::kLess
                  : compare == Compare::kGreaterOrEqual ? Compare::kLessOrEqual
                                                        : compare;
      }
    }
    // a < b is not a >= b, and so on.
    const bool negated = compare == Compare::kNotEqual || compare == Compare::kLess ||
                         compare == Compare::kLessOrEqual;
    const int column = expression.column;
    Program::Instruction in;
    const bool fused = right.constant;
    switch (compare) {
      case Compare::kEqual:
      case Compare::kNotEqual:
        in.op = fused ? Op::kEqualConstant : Op::kEqual;
        break;
      case Compare::kGreater:
      case Compare::kLessOrEqual:
        in.op = fused ? Op::kGreaterConstant : Op::kGreater;
        break;
      case Compare::kGreaterOrEqual:
      case Compare::kLess:
        in.op = fused ? Op::kGreaterOrEqualConstant : Op::kGreaterOrEqual;
        break;
    }
    in.a = static_cast<int16_t>(Register(left, column));
    if (fused) {
      in.constant = right.number;
    } else {
      in.b = static_cast<int16_t>(right.reg);
    }
    value = Truth(in, column);
    return negated ? Truth(Make(Op::kNot, value.reg), column) : value;
  }

  Value Arithmetic(const Expression& expression) {
    const Expression& a = expression.operands[0];
    const Expression& b = expression.operands[1];
    if (expression.kind == Kind::kMultiply) {
      if (a.kind == Kind::kNumber && b.kind == Kind::kMean) return OverSet(b, a.number);
      if (b.kind == Kind::kNumber && a.kind == Kind::kMean) return OverSet(a, b.number);
    }
    Value left = Of(Value::kNumber, a, "arithmetic");
    Value right = Of(Value::kNumber, b, "arithmetic");
    if (left.type == Value::kBad || right.type == Value::kBad) return {};
    const int column = expression.column;
    const bool whole = left.whole && right.whole;
    switch (expression.kind) {
      case Kind::kAdd:
        if (left.constant && right.constant) return Constant(left.number + right.number);
        if (left.constant) std::swap(left, right);
        return right.constant
                   ? Number(MakeConstant(Op::kAddConstant, right.number, left.reg), column, whole)
                   : Number(Make(Op::kAdd, left.reg, right.reg), column, whole);
      case Kind::kSubtract:
        if (left.constant && right.constant) return Constant(left.number - right.number);
        return right.constant
                   ? Number(MakeConstant(Op::kAddConstant, -right.number, left.reg), column, whole)
                   : Number(Make(Op::kSubtract, Register(left, column), right.reg), column, whole);
      case Kind::kMultiply:
        if (left.constant && right.constant) return Constant(left.number * right.number);
        if (left.constant) std::swap(left, right);
        return right.constant ? Number(MakeConstant(Op::kMultiplyConstant, right.number, left.reg),
                                       column, whole)
                              : Number(Make(Op::kMultiply, left.reg, right.reg), column, whole);
      default:
        if (right.constant && right.number == 0) return Bad(b.column, "divides by 0");
        if (left.constant && right.constant) return Constant(left.number / right.number);
        return Number(Make(Op::kDivide, Register(left, column), Register(right, column)), column,
                      false);
    }
  }

  Value Compile(const Expression& expression) {
    const int column = expression.column;
    switch (expression.kind) {
      case Kind::kNumber:
        return Constant(expression.number);
      case Kind::kItem:
        if (!CheckItems(expression)) return {};
        return Number(Make(Op::kItem, expression.items[0]), column, true);
      case Kind::kCode:
        if (!CheckItems(expression)) return {};
        return Number(Make(Op::kCode, expression.items[0]), column, true);
      case Kind::kName:
        return Name(expression);
      case Kind::kNegate: {
        const Value value = Of(Value::kNumber, expression.operands[0], "'-'");
        if (value.type == Value::kBad) return {};
        if (value.constant) return Constant(-value.number);
        return Number(MakeConstant(Op::kMultiplyConstant, -1, value.reg), column, value.whole);
      }
      case Kind::kAdd:
      case Kind::kSubtract:
      case Kind::kMultiply:
      case Kind::kDivide:
        return Arithmetic(expression);
      case Kind::kCompare:
        return CompareNumbers(expression);
      case Kind::kAnd:
      case Kind::kOr: {
        const absl::string_view word = expression.kind == Kind::kAnd ? "'and'" : "'or'";
        const Value left = Of(Value::kTruth, expression.operands[0], word);
        const Value right = Of(Value::kTruth, expression.operands[1], word);
        if (left.type == Value::kBad || right.type == Value::kBad) return {};
        return Truth(Make(expression.kind == Kind::kAnd ? Op::kAnd : Op::kOr, left.reg, right.reg),
                     column);
      }
      case Kind::kNot: {
        const Value value = Of(Value::kTruth, expression.operands[0], "'not'");
        if (value.type == Value::kBad) return {};
        return Truth(Make(Op::kNot, value.reg), column);
      }
      case Kind::kSum:
      case Kind::kMean:
      case Kind::kMin:
      case Kind::kMax:
      case Kind::kAnswered:
      case Kind::kCount:
        return OverSet(expression);
      case Kind::kKnown: {
        const Value value = Compile(expression.operands[0]);
        if (value.type == Value::kBad) return {};
        return Truth(Make(value.type == Value::kTruth ? Op::kKnownTruth : Op::kKnownNumber,
                          Register(value, column)),
                     column);
      }
      case Kind::kIs: {
        const Value value = Of(Value::kTruth, expression.operands[0], "'is'");
        if (value.type == Value::kBad) return {};
        return Truth(Make(Op::kIs, value.reg), column);
      }
      case Kind::kIf: {
        const Value condition = Of(Value::kTruth, expression.operands[0], "'if'");
        const Value a = Compile(expression.operands[1]);
        if (a.type == Value::kBad) return {};
        const Value b = Of(a.type, expression.operands[2], "the other branch of 'if'");
        if (condition.type == Value::kBad || b.type == Value::kBad) return {};
        return {
            a.type,
            Emit(Make(Op::kIf, condition.reg, Register(a, column), Register(b, column)), column),
            a.whole && b.whole};
      }
      case Kind::kRound: {
        const Value value = Of(Value::kNumber, expression.operands[0], "'round'");
        if (value.type == Value::kBad) return {};
        return Number(Make(Op::kRound, Register(value, column)), column, true);
      }
      case Kind::kLookup: {
        const auto table = absl::c_find_if(instrument_.tables(), [&](const v1::Table& entry) {
          return entry.id() == expression.name;
        });
        if (table == instrument_.tables().end()) {
          return Bad(column, absl::StrCat("there is no table '", expression.name, "'"));
        }
        const Value value = Of(Value::kNumber, expression.operands[0], "'lookup'");
        if (value.type == Value::kBad) return {};
        if (!value.whole) {
          return Bad(expression.operands[0].column, "is not always a whole number; use round()");
        }
        return Number(Make(Op::kLookup, Register(value, column),
                           static_cast<int>(table - instrument_.tables().begin())),
                      column,
                      absl::c_all_of(table->values(), [](double x) { return x == std::floor(x); }));
      }
    }
    return {};
  }

  // Parses and compiles `text`, which must be of `type`; leaves its tree in `tree`.
  Value Formula(const std::string& text, typename Value::Type type, Scope scope,
                Expression* tree = nullptr) {
    scope_ = std::move(scope);
    uses_ = {};
    auto parsed = ParseFormula(text);
    if (const auto* error = std::get_if<FormulaError>(&parsed)) {
      return Bad(error->column, error->message);
    }
    Expression& expression = std::get<Expression>(parsed);
    const Value value = Compile(expression);
    if (tree != nullptr) *tree = std::move(expression);
    if (value.type != Value::kBad && value.type != type) {
      return Bad(1, absl::StrCat("must be a ", type == Value::kTruth ? "truth" : "number",
                                 ", it is ", Called(value)));
    }
    return value;
  }

  // Adds an operation that has an effect.
  void Output(Program::Instruction in) {
    program_->code_.push_back(in);
    origins_.push_back({scope_.field, 1});
  }

  void Skips() {
    std::vector<std::set<int>> read;
    for (int i = 0; i < instrument_.skips_size(); ++i) {
      const v1::SkipRule& rule = instrument_.skips(i);
      scope_.field = absl::StrCat("skips[", i, "].items");
      auto parsed = ParseItems(rule.items());
      if (const auto* error = std::get_if<FormulaError>(&parsed)) {
        Bad(error->column, error->message);
        continue;
      }
      Program::Skip skip;
      skip.items = std::get<std::vector<int>>(parsed);
      skip.answer_left_out = rule.answer_left_out();
      program_->answers_left_out_ |= rule.answer_left_out();
      if (const auto none = absl::c_find_if(skip.items, [&](int n) { return !HasItem(n); });
          none != skip.items.end()) {
        Bad(1, absl::StrCat("there is no item ", *none));
        continue;
      }
      for (const int item : skip.items) {
        if (absl::c_any_of(read, [&](const auto& items) { return items.count(item) > 0; })) {
          Bad(1, absl::StrCat("item ", item, " decides a rule before; put this rule first"));
        }
      }
      if (rule.has_counts_as()) {
        skip.counts_as = rule.counts_as();
        for (const int number : skip.items) {
          const Program::Item& item = program_->items_[number];
          if (rule.counts_as() < item.low || rule.counts_as() > item.high) {
            problems_.push_back({absl::StrCat("skips[", i, "].counts_as"),
                                 absl::StrCat("must be a score of item ", number, ", from ",
                                              item.low, " to ", item.high)});
            break;
          }
        }
      } else {
        left_out_.insert(skip.items.begin(), skip.items.end());
      }
      Scope scope;
      scope.field = absl::StrCat("skips[", i, "].when");
      scope.items = *absl::c_min_element(skip.items) - 1;
      scope.figures = 0;
      scope.flags = 0;
      const Value value = Formula(rule.when(), Value::kTruth, scope);
      read.push_back(uses_.items);
      Output(Make(Op::kSkip, value.reg, i));
      program_->skips_.push_back(std::move(skip));
    }
    program_->skips_end_ = program_->code_.size();
  }

  static SetShape Shape(const Expression& tree) {
    const auto is_set = [](const Expression& e) {
      return e.kind == Kind::kSum || e.kind == Kind::kMean;
    };
    const auto of = [](const Expression& e, double factor) {
      return SetShape{e.kind == Kind::kSum ? SetShape::kSum : SetShape::kMean, factor, e.items};
    };
    if (is_set(tree)) return of(tree, 1);
    if (tree.kind == Kind::kMultiply) {
      const Expression& a = tree.operands[0];
      const Expression& b = tree.operands[1];
      if (a.kind == Kind::kNumber && is_set(b)) return of(b, a.number);
      if (b.kind == Kind::kNumber && is_set(a)) return of(a, b.number);
    }
    return {};
  }

  void Figures() {
    figure_values_.resize(instrument_.figures_size());
    program_->figures_.resize(instrument_.figures_size());
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      const v1::Figure& figure = instrument_.figures(i);
      Program::FigureFacts& facts = program_->figures_[i];
      facts.min = figure.min();
      facts.max = figure.max();
      facts.max_missing = figure.max_missing();
      Scope scope;
      scope.field = absl::StrCat("figures[", i, "].formula");
      scope.figures = i;
      scope.flags = 0;
      Value value;
      if (instrument_.items().empty()) {
        scope_ = scope;
        value = {Value::kNumber, -1, figure.band_decimals() == 0};
      } else {
        Expression tree;
        value = Formula(figure.formula(), Value::kNumber, scope, &tree);
        facts.items.assign(uses_.items.begin(), uses_.items.end());
        facts.figures = uses_.figures;
        facts.shape = Shape(tree);
        if (value.type != Value::kBad && facts.max_missing > 0) {
          const std::string field = absl::StrCat("figures[", i, "].max_missing");
          if (facts.shape.kind == SetShape::kNone) {
            problems_.push_back(
                {field, "only one sum or mean of items, alone or times a number, is estimated"});
          } else if (facts.max_missing >= static_cast<int>(facts.shape.items.size())) {
            problems_.push_back({field, "must leave an answered item"});
          }
        }
      }
      facts.whole = value.whole;
      if (figure.id() == instrument_.total()) program_->total_figure_ = i;
      Output(Make(Op::kFigure, Register(value, 1), i));
      if (value.type != Value::kBad) {
        value.constant = false;
        value.reg = static_cast<int>(program_->code_.size()) - 1;
      }
      figure_values_[i] = value;
      if (i == program_->total_figure_ && instrument_.levels().empty()) {
        Bands(i, [](const v1::BandSet& set) { return set.id().empty(); });
      }
    }
  }

  // Bands of figure `i`, of the sets that `wanted` takes.
  template <class Wanted>
  void Bands(int i, const Wanted& wanted) {
    const v1::Figure& figure = instrument_.figures(i);
    const std::vector<std::string> severities = Program::Severities(instrument_);
    const double step = program_->figures_[i].whole ? 1 : std::pow(10, -figure.band_decimals());
    for (int k = 0; k < figure.band_sets_size(); ++k) {
      const v1::BandSet& set = figure.band_sets(k);
      if (!wanted(set)) continue;
      Program::BandTable table;
      table.figure = i;
      table.set = k;
      table.alternative = !set.id().empty();
      for (int j = 0; j < set.bands_size(); ++j) {
        if (j > 0) table.from.push_back(set.bands(j).min() - step / 2 - kSlack);
        table.severity.push_back(
            static_cast<int16_t>(absl::c_find(severities, set.bands(j).id()) - severities.begin()));
      }
      int condition = -1;
      if (!set.when().empty()) {
        Scope scope;
        scope.field = absl::StrCat("figures[", i, "].band_sets[", k, "].when");
        scope.items = 0;
        scope.figures = 0;
        scope.flags = 0;
        condition = Formula(set.when(), Value::kTruth, scope).reg;
      }
      Output(Make(Op::kBands, figure_values_[i].reg, static_cast<int>(program_->bands_.size()),
                  condition));
      program_->bands_.push_back(std::move(table));
    }
  }

  void OtherBands() {
    program_->main_end_ = program_->code_.size();
    for (int i = 0; i < instrument_.figures_size(); ++i) {
      const bool is_severity = i == program_->total_figure_ && instrument_.levels().empty();
      Bands(i, [&](const v1::BandSet& set) { return !is_severity || !set.id().empty(); });
    }
  }

  void Flags() {
    for (int i = 0; i < instrument_.flags_size(); ++i) {
      Scope scope;
      scope.field = absl::StrCat("flags[", i, "].formula");
      scope.flags = i;
      const Value value = Formula(instrument_.flags(i).formula(), Value::kTruth, scope);
      flag_values_.push_back(value);
      program_->flag_items_.emplace_back(uses_.items.begin(), uses_.items.end());
      Program::Instruction in = Make(Op::kFlag, value.reg, i);
      in.flag = instrument_.flags(i).on_incomplete();
      Output(in);
    }
  }

  void Levels() {
    for (int i = 0; i < instrument_.levels_size(); ++i) {
      Scope scope;
      scope.field = absl::StrCat("levels[", i, "].when");
      const Value value = Formula(instrument_.levels(i).when(), Value::kTruth, scope);
      program_->level_items_.emplace_back(uses_.items.begin(), uses_.items.end());
      Output(Make(Op::kLevel, value.reg, i));
    }
  }

  void ConcernRules() {
    for (int i = 0; i < instrument_.concern_rules_size(); ++i) {
      Scope scope;
      scope.field = absl::StrCat("concern_rules[", i, "].when");
      const Value value = Formula(instrument_.concern_rules(i).when(), Value::kTruth, scope);
      Output(Make(Op::kConcern, value.reg, i));
    }
  }

  void Needed() {
    for (int i = 1; i <= instrument_.items_size(); ++i) {
      if (program_->items_[i].optional && read_items_.count(i) == 0) continue;
      auto& runs = program_->needed_items_;
      if (runs.empty() || runs.back().last + 1 != i) {
        runs.push_back({static_cast<int16_t>(i), static_cast<int16_t>(i)});
      }
      runs.back().last = static_cast<int16_t>(i);
    }
    program_->needed_context_.assign(read_context_.begin(), read_context_.end());
  }

  static bool HasRegister(Op op) { return op <= Op::kFigure; }

  // What each operation can come to, from the program itself with nothing known.
  void Ranges() {
    std::vector<Program::Partial::Value> registers(program_->code_.size());
    Program::Partial anything(*program_, nullptr, nullptr);
    Result result;
    program_->Execute(anything, 0, program_->code_.size(), registers.data(), result);
    const auto problem = [&](size_t i, absl::string_view message) {
      problems_.push_back(
          {origins_[i].first, absl::StrCat("at ", origins_[i].second, ": ", message)});
    };
    for (size_t i = 0; i < program_->code_.size(); ++i) {
      const Program::Instruction& in = program_->code_[i];
      const Program::Partial::Value& value = registers[i];
      if (in.op == Op::kDivide && registers[in.b].low <= 0 && registers[in.b].high >= 0) {
        problem(i, "may divide by 0");
        return;
      }
      if (HasRegister(in.op) && !(std::isfinite(value.low) && std::isfinite(value.high))) {
        problem(i, "reaches beyond all bounds");
        return;
      }
      switch (in.op) {
        case Op::kEqual:
        case Op::kGreater:
        case Op::kGreaterOrEqual:
        case Op::kEqualConstant:
        case Op::kGreaterConstant:
        case Op::kGreaterOrEqualConstant:
          if (value.low == value.high) problem(i, "this comparison has the same outcome always");
          break;
        case Op::kCount:
          if (value.low == value.high) problem(i, "this count is the same always");
          break;
        case Op::kLookup: {
          const Program::Lookup& table = program_->tables_[in.b];
          const double last = table.first + static_cast<double>(table.values.size()) - 1;
          if (registers[in.a].low < table.first || registers[in.a].high > last) {
            problem(i,
                    absl::StrCat("reaches from ", registers[in.a].low, " to ", registers[in.a].high,
                                 ", the table from ", table.first, " to ", last));
          }
          break;
        }
        case Op::kSum:
          anything.Each(in, [&](int item) {
            if (left_out_.count(item) > 0 && program_->items_[item].low > 0) {
              problem(i, absl::StrCat("a skip leaves item ", item,
                                      " out, and takes the sum below its least: give counts_as"));
            }
          });
          break;
        case Op::kFigure: {
          const auto& figure = program_->figures_[in.b];
          if (in.a < 0) break;
          for (const auto& [name, declared, reached] :
               {std::make_tuple("min", figure.min, value.low),
                std::make_tuple("max", figure.max, value.high)}) {
            if (std::abs(declared - reached) <= kSlack) continue;
            problems_.push_back({absl::StrCat("figures[", in.b, "].", name),
                                 absl::StrCat("is ", Exactly(declared), ", the formula reaches ",
                                              Exactly(reached))});
          }
          break;
        }
        default:
          break;
      }
    }
  }

  const v1::Instrument& instrument_;
  std::vector<Problem>& problems_;
  std::unique_ptr<Program> program_;
  Scope scope_;
  Uses uses_;
  std::map<std::tuple<Op, bool, int16_t, int16_t, int16_t, uint64_t>, int> registers_;
  std::map<std::vector<int>, int> sets_;
  std::vector<std::pair<std::string, int>> origins_;  // field and column, by register
  std::vector<Value> figure_values_;
  std::vector<Value> flag_values_;
  std::set<int> left_out_;  // items that a skip may leave out
  std::set<int> read_items_;
  std::set<int> read_context_;
};

std::unique_ptr<const Program> Program::Compile(const v1::Instrument& instrument,
                                                std::vector<Problem>& problems) {
  return Compiler(instrument, problems).Run();
}

}  // namespace rapport::assessment
