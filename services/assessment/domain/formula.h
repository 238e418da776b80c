#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_FORMULA_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_FORMULA_H_

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

// The language in which an instrument's file says how it is scored. This header is its reference;
// program.h compiles what is parsed here.
//
//   formula    = or ;
//   or         = and { "or" and } ;
//   and        = not { "and" not } ;
//   not        = "not" not | comparison ;
//   comparison = sum [ compare sum ] ;
//   compare    = "==" | "!=" | "<" | "<=" | ">" | ">=" ;
//   sum        = product { ( "+" | "-" ) product } ;
//   product    = negated { ( "*" | "/" ) negated } ;
//   negated    = "-" negated | primary ;
//   primary    = number | item | name | call | "(" or ")" ;
//   call       = ( "sum" | "mean" | "min" | "max" | "answered" ) "(" set ")"
//              | "count" "(" set compare [ "-" ] number ")"
//              | "code" "(" whole ")"
//              | ( "known" | "is" ) "(" or ")"
//              | "if" "(" or "," or "," or ")"
//              | "round" "(" or ")"
//              | "lookup" "(" name "," or ")" ;
//   set        = range { "," range } ;
//   range      = whole [ ".." whole ] ;
//   item       = "i" whole ;                     (i4: no space between)
//   name       = letter { letter | digit | "_" } ;  (lower case; none of the words above)
//   number     = whole [ "." digit { digit } ] ;
//
// # Types
// A formula is a number or a truth; the two never stand for each other. `and or not is` and the
// condition of `if` take truths, arithmetic and comparisons take numbers, `known` takes either, the
// branches of `if` are both of one type. A flag and a yes-or-no field are truths. A field with
// codes is only compared with one of its codes, by == or !=. A comparison is not compared again.
//
// # What is not known
// An item is, on a form,
//   answered   its score is known
//   skipped    a skip rule is known to be true, and it has no answer or one that is left out: it
//              counts as the rule's `counts_as`; without that it is left out of sets (a mean
//              divides by the number left), and read alone it is unknown
//   missing    it is unknown: anything from its smallest to its largest score
// An unknown number makes what is reckoned from it unknown; a mean, min or max over no item is
// unknown, a sum over none is 0. `answered(…)` is always known. Beside its value each number has
// bounds, between which it lies whatever the missing answers are; comparisons are told where the
// bounds decide them, so `count(…) >= 2` is true as soon as two items satisfy it. `and`, `or` and
// `not` are Kleene's. `if` with an unknown condition is known where both branches agree. `known(x)`
// and `is(x)` are always told. An estimated figure (max_missing) has its estimate as value, but the
// bounds of its items: an estimate decides no truth.
namespace rapport::assessment {

// The scores a number or truth can be compared by.
enum class Compare { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// A parsed formula.
struct Expression {
  enum class Kind {
    kNumber,  // number
    kItem,    // items[0]
    kCode,    // items[0]
    kName,    // name
    kNegate,  // −operands[0]
    kAdd,     // operands[0], [1]; as the next
    kSubtract,
    kMultiply,
    kDivide,
    kCompare,  // operands[0] `compare` operands[1]
    kAnd,      // operands[0], [1]
    kOr,
    kNot,  // operands[0]
    kSum,  // items; as the next
    kMean,
    kMin,
    kMax,
    kAnswered,
    kCount,  // of items those `compare` number
    kKnown,  // operands[0]
    kIs,
    kIf,      // operands[0] ? [1] : [2]
    kRound,   // operands[0]
    kLookup,  // table `name` at operands[0]
  };
  Kind kind;
  int column = 0;  // where it begins in the formula, from 1
  double number = 0;
  Compare compare = Compare::kEqual;
  std::string name;
  std::vector<int> items;  // in the order given, ranges written out
  std::vector<Expression> operands;
};

// Why a formula can't be used.
struct FormulaError {
  int column;  // from 1
  std::string message;
};

std::variant<Expression, FormulaError> ParseFormula(absl::string_view formula);

// "2..8" or "3, 6": the items of a skip rule, in the order given.
std::variant<std::vector<int>, FormulaError> ParseItems(absl::string_view items);

// Whether `word` may name a figure, flag, field or table: lower case letters, digits and '_', from
// a letter on, at most 63, and no word of the language.
bool IsName(absl::string_view word);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_FORMULA_H_
