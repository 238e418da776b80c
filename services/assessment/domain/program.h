#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRAM_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRAM_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/assessment/v1/instrument.pb.h"
#include "services/assessment/domain/formula.h"
#include "services/assessment/domain/instruments.h"

// The formulas of one instrument (see formula.h for the language) as one flat program.
namespace rapport::assessment {

class Sheet;
struct Result;

// What an item is on a form.
enum class ItemState : uint8_t {
  kAnswered,
  kCounted,  // skipped, counts as its rule says
  kLeftOut,  // skipped, in no sum
  kMissing,
};

// An estimate for missing items, and the raw sum: of a formula that is a sum or mean of items,
// alone or times a number.
struct SetShape {
  enum Kind : uint8_t { kNone, kSum, kMean };
  Kind kind = kNone;
  double factor = 1;
  std::vector<int> items;
};

// The program: straight-line code in which each operation writes a register of its own and equal
// operations are there once. It is run in one of two ways: over plain numbers where all that it
// reads is known, else over numbers with bounds. Immutable, thread-safe; running it allocates
// nothing.
class Program {
 public:
  // What is wrong with the formulas of `instrument` is added to `problems`; null where something
  // is. Its items, context, tables and ids must be sound. Of the figures it also checks that min
  // and max are what the formula can reach (by interval arithmetic, each item from its smallest to
  // its largest score; skipping must not go beyond), that no comparison is decided beforehand, no
  // divisor can be 0, and no table be read outside.
  static std::unique_ptr<const Program> Compile(const v1::Instrument& instrument,
                                                std::vector<Problem>& problems);

  struct ItemTold {
    ItemState state;
    bool skipped;   // by a rule, whether answered or not
    int16_t score;  // of an answered or counted item
  };
  // The band of a figure in one of its band sets.
  struct Banded {
    int figure;
    int set;
    int band;
  };
  // What a form comes to besides its result.
  struct Details {
    // What each item is, by number; the first is none, those beyond the last are not set. Not told
    // of a total alone.
    std::array<ItemTold, kMaxItems + 1> items;
    // Of a complete form: the bands, other than the severity, that its figures are in: of each
    // figure the first set without id whose condition holds (none where one before it is unknown),
    // and each with an id.
    std::vector<Banded> bands;
  };

  // See scoring.h. `details` may be null.
  void Evaluate(const Sheet& sheet, Result& result, Details* details) const;
  // Of the headline figure alone, with the context of a sheet without answers: what does not
  // follow from them is unknown.
  void EvaluateTotal(double total, const Sheet& context, Result& result, Details& details) const;

  // What an answer with `code` counts; `code` is one of the item's.
  int Score(int item, int code) const {
    const Item& entry = items_[item];
    return entry.conversion < 0 ? code : conversions_[entry.conversion + code - entry.min_code];
  }
  // Severity ids of an instrument, in order: of the levels, or of the default bands of the total.
  static std::vector<std::string> Severities(const v1::Instrument& instrument);

  struct FigureFacts {
    std::vector<int> items;  // that it rests on, rising; also through other figures
    SetShape shape;
    int max_missing = 0;
    double min = 0;
    double max = 0;
    bool whole = false;    // it is a whole number on every complete form
    uint64_t figures = 0;  // bit f: it rests on figure f
  };
  const std::vector<FigureFacts>& figures() const { return figures_; }
  const std::vector<std::vector<int>>& flag_items() const { return flag_items_; }
  const std::vector<std::vector<int>>& level_items() const { return level_items_; }

 private:
  friend class Compiler;
  struct Exact;
  struct Partial;

  enum class Op : uint8_t {
    kConstant,
    kItem,     // score of item a
    kCode,     // code of item a
    kContext,  // context field a has value b
    kSum,      // of items a to b, and the runs of c; as the next
    kMean,     // times constant
    kMin,
    kMax,
    kAnswered,
    kCount,  // of those from low to high, or with `flag` the others
    kAdd,    // registers a and b; as the next
    kSubtract,
    kMultiply,
    kDivide,
    kEqual,
    kGreater,
    kGreaterOrEqual,
    kAddConstant,  // register a and constant; as the next
    kMultiplyConstant,
    kEqualConstant,
    kGreaterConstant,
    kGreaterOrEqualConstant,
    kAnd,
    kOr,
    kNot,
    kIf,  // register a ? b : c
    kRound,
    kLookup,       // table b at register a
    kKnownNumber,  // register a
    kKnownTruth,
    kIs,
    kFigure,   // figure b is register a; −1: given from outside
    kFlag,     // flag b is register a; `flag`: also of incomplete forms
    kLevel,    // level b where register a
    kConcern,  // rule b fires where register a
    kSkip,     // rule b skips where register a
    kBands,    // bands b of register a, where register c; −1: always
  };
  struct Bounds32 {
    int32_t low;
    int32_t high;
  };
  struct Instruction {
    Op op;
    bool flag = false;
    int16_t a = -1;
    int16_t b = -1;
    int16_t c = -1;
    union {
      double constant = 0;
      Bounds32 range;  // kCount
    };
  };
  static constexpr int kMaxInstructions = 1024;

  struct Item {
    int16_t low = 0;  // score
    int16_t high = 0;
    int16_t min_code = 0;
    int16_t max_code = 0;
    int32_t conversion = -1;  // of min_code in conversions_; −1: scores are codes
    bool optional = false;
  };
  struct Run {  // items first to last
    int16_t first;
    int16_t last;
  };
  struct Skip {
    std::vector<int> items;
    int counts_as = -1;  // −1: left out
    bool answer_left_out = false;
  };
  struct Lookup {
    int first;
    std::vector<double> values;
    // Of the nearest entry.
    int Index(double at) const {
      const int last = static_cast<int>(values.size()) - 1;
      return at > first ? (at < first + last ? static_cast<int>(at) - first : last) : 0;
    }
  };
  struct BandTable {
    int figure;
    int set;
    bool alternative;
    std::vector<double> from;       // smallest value of each band after the first
    std::vector<int16_t> severity;  // of each band: index into InstrumentRules::severities()
    int Find(double value) const {
      int band = 0;
      for (const double least : from) band += value >= least ? 1 : 0;
      return band;
    }
  };

  template <class Domain>
  void Execute(Domain& domain, size_t from, size_t to, typename Domain::Value* registers,
               Result& result) const;
  bool IsExact(const Sheet& sheet) const;
  void EvaluateExact(const Sheet& sheet, Result& result, Details* details) const;
  void EvaluatePartial(const Sheet* sheet, const double* total, const Sheet* context,
                       Result& result, Details* details) const;
  void TellItems(const Sheet& sheet, Details& details) const;
  void TellItems(const Partial& partial, Details& details) const;
  template <class Domain>
  void TellBands(Domain& domain, typename Domain::Value* registers, Details& details) const;

  std::vector<Instruction> code_;
  size_t skips_end_ = 0;     // code_ before: skip rules
  size_t main_end_ = 0;      // code_ after: bands besides the severity
  std::vector<Item> items_;  // by number; the first is none
  std::vector<int16_t> conversions_;
  std::vector<std::vector<Run>> runs_;
  std::vector<Run> needed_items_;    // read or expected
  std::vector<int> needed_context_;  // read
  std::vector<Skip> skips_;
  bool answers_left_out_ = false;  // by some skip rule
  std::vector<Lookup> tables_;
  std::vector<BandTable> bands_;
  std::vector<FigureFacts> figures_;
  int total_figure_ = -1;
  std::vector<std::vector<int>> flag_items_;
  std::vector<std::vector<int>> level_items_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRAM_H_
