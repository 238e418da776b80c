#include "services/assessment/domain/formula.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/assessment/domain/program.h"
#include "tests/unit/services/assessment/domain/made.h"

namespace rapport::assessment {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FlagOf;
using testing::FormOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Items;
using testing::Made;
using testing::Parsed;
using testing::ProblemsOf;
using testing::ScoreOfForm;

using Kind = Expression::Kind;

const char* const kCompares[] = {"==", "!=", "<", "<=", ">", ">="};

// With every operation in brackets.
std::string Written(const Expression& e) {
  const auto& of = e.operands;
  const auto call = [&](absl::string_view name) {
    return absl::StrCat(name, "(", absl::StrJoin(e.items, ","), ")");
  };
  const auto between = [&](absl::string_view sign) {
    return absl::StrCat("(", Written(of[0]), " ", sign, " ", Written(of[1]), ")");
  };
  switch (e.kind) {
    case Kind::kNumber:
      return absl::StrCat(e.number);
    case Kind::kItem:
      return absl::StrCat("i", e.items[0]);
    case Kind::kCode:
      return call("code");
    case Kind::kName:
      return e.name;
    case Kind::kNegate:
      return absl::StrCat("(-", Written(of[0]), ")");
    case Kind::kAdd:
      return between("+");
    case Kind::kSubtract:
      return between("-");
    case Kind::kMultiply:
      return between("*");
    case Kind::kDivide:
      return between("/");
    case Kind::kCompare:
      return between(kCompares[static_cast<int>(e.compare)]);
    case Kind::kAnd:
      return between("and");
    case Kind::kOr:
      return between("or");
    case Kind::kNot:
      return absl::StrCat("(not ", Written(of[0]), ")");
    case Kind::kSum:
      return call("sum");
    case Kind::kMean:
      return call("mean");
    case Kind::kMin:
      return call("min");
    case Kind::kMax:
      return call("max");
    case Kind::kAnswered:
      return call("answered");
    case Kind::kCount:
      return absl::StrCat("count(", absl::StrJoin(e.items, ","), " ",
                          kCompares[static_cast<int>(e.compare)], " ", e.number, ")");
    case Kind::kKnown:
      return absl::StrCat("known(", Written(of[0]), ")");
    case Kind::kIs:
      return absl::StrCat("is(", Written(of[0]), ")");
    case Kind::kIf:
      return absl::StrCat("if(", Written(of[0]), ", ", Written(of[1]), ", ", Written(of[2]), ")");
    case Kind::kRound:
      return absl::StrCat("round(", Written(of[0]), ")");
    case Kind::kLookup:
      return absl::StrCat("lookup(", e.name, ", ", Written(of[0]), ")");
  }
  return "";
}

std::string Parse(absl::string_view formula) {
  auto parsed = ParseFormula(formula);
  if (const auto* error = std::get_if<FormulaError>(&parsed)) {
    return absl::StrCat(error->column, ": ", error->message);
  }
  return Written(std::get<Expression>(parsed));
}

TEST(Parsing, BindsAsUsual) {
  EXPECT_EQ(Parse("a or b and not c"), "(a or (b and (not c)))");
  EXPECT_EQ(Parse("not a and b"), "((not a) and b)");
  EXPECT_EQ(Parse("not i1 == 2"), "(not (i1 == 2))");
  EXPECT_EQ(Parse("1 - 2 - 3 * 4 / 5"), "((1 - 2) - ((3 * 4) / 5))");
  EXPECT_EQ(Parse("-i1 + 2.5 >= 3"), "(((-i1) + 2.5) >= 3)");
  EXPECT_EQ(Parse("(1 + 2) * 3"), "((1 + 2) * 3)");
  EXPECT_EQ(Parse("a or b or c"), "((a or b) or c)");
}

TEST(Parsing, ReadsEveryCall) {
  EXPECT_EQ(Parse("sum(1..4, 7)"), "sum(1,2,3,4,7)");
  EXPECT_EQ(Parse("10*mean( 1 .. 3 )"), "(10 * mean(1,2,3))");
  EXPECT_EQ(Parse("max(2)-min(1,3)"), "(max(2) - min(1,3))");
  EXPECT_EQ(Parse("count(1..8 >= 2) + count(9 >= 1)"),
            "(count(1,2,3,4,5,6,7,8 >= 2) + count(9 >= 1))");
  EXPECT_EQ(Parse("count(1 != -1)"), "count(1 != -1)");
  EXPECT_EQ(Parse("answered(3..5) < 3"), "(answered(3,4,5) < 3)");
  EXPECT_EQ(Parse("is(code(2) == 1) and known(x)"), "(is((code(2) == 1)) and known(x))");
  EXPECT_EQ(Parse("if(a, round(x / 2), lookup(metric, raw))"),
            "if(a, round((x / 2)), lookup(metric, raw))");
}

TEST(Parsing, SaysWhereAFormulaIsWrong) {
  EXPECT_EQ(Parse(""), "1: expected a number at the end");
  EXPECT_EQ(Parse("sum(1..9"), "9: expected ')' at the end");
  EXPECT_EQ(Parse("sum(9..1)"), "5: a range must rise: 9..1");
  EXPECT_EQ(Parse("sum(1..3, 2)"), "11: item 2 is in the set twice");
  EXPECT_EQ(Parse("i0"), "1: there is no item 0");
  EXPECT_EQ(Parse("i201"), "1: there is no item 201");
  EXPECT_EQ(Parse("sum(1..99999999999)"), "8: expected an item's number at '99999999999'");
  EXPECT_EQ(Parse("1 < 2 < 3"), "7: expected an operator or the end at '<'");
  EXPECT_EQ(Parse("a = b"), "3: expected an operator or the end at '='");
  EXPECT_EQ(Parse("1 2"), "3: expected an operator or the end at '2'");
  EXPECT_EQ(Parse("a and"), "6: expected a number at the end");
  EXPECT_EQ(Parse("count(1..3)"), "11: expected a comparison, as >= 1, at ')'");
  EXPECT_EQ(Parse("i1 > 9999999999"), "6: is too large a number");
  EXPECT_EQ(Parse("1 + or"), "5: expected a value at 'or'");
  EXPECT_EQ(Parse("Total"), "1: expected a value at 'Total'");
  EXPECT_EQ(Parse("a ≥ 1"), "3: expected an operator or the end at '≥'");
  EXPECT_THAT(Parse(std::string(300, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(Parse(std::string(300, '-')), HasSubstr("nested too deeply"));
}

TEST(Parsing, TakesAnyBytes) {
  static constexpr char kBytes[] = "i19.,()+-*/<>=! andortsumifcoun\0\xE2\x89";
  EXPECT_TRUE(rc::check([] {
    const std::string formula = *rc::gen::container<std::string>(
        rc::gen::elementOf(std::string(kBytes, sizeof kBytes - 1)));
    const auto parsed = ParseFormula(formula);
    if (const auto* error = std::get_if<FormulaError>(&parsed)) {
      RC_ASSERT(error->column >= 1 && error->column <= static_cast<int>(formula.size()) + 1);
    }
  }));
}

TEST(Names, AreNoWordsOfTheLanguage) {
  for (const char* name : {"total", "anxiety_2", "index", "i_1", "sums"}) {
    EXPECT_TRUE(IsName(name)) << name;
  }
  for (const char* name : {"", "Total", "2nd", "a-b", "i1", "sum", "and", "if", "code", "known"}) {
    EXPECT_FALSE(IsName(name)) << name;
  }
}

// Six items from 0 to 3, of which the second is reversed, and with them everything a formula may
// speak of.
std::string Six() {
  return Items(6, 0, 3) +
         "items { number: 7 label: 'skipped' codes: [0, 2, 4] }\n"
         "skips { items: '7' when: 'i1 == 0' }\n"
         "context { id: 'sex' label: 'sex' codes: 'female' codes: 'male' }\n"
         "context { id: 'working' label: 'working' }\n"
         "tables { id: 'metric' first: 0 values: [1, 1.5, 2, 4] }\n"
         "tables { id: 'whole' first: 2 values: [1, 2] }\n";
}

// What is wrong with a flag of `formula`.
std::vector<std::string> FlagProblems(absl::string_view formula) {
  return ProblemsOf(
      absl::StrCat(Six(),
                   "figures { id: 'score' label: 'score' formula: 'sum(1..6)' max: 18 }"
                   "figures { id: 'average' label: 'a' formula: 'mean(1..6)' max: 3 }"
                   "flags { id: 'first' label: 'first' formula: 'i1 == 1' }"
                   "flags { id: 'it' label: 'it' formula: '",
                   formula,
                   "' }"
                   "flags { id: 'last' label: 'last' formula: 'i1 == 1' }"));
}

TEST(Types, AreChecked) {
  const auto wrong = [](absl::string_view formula, absl::string_view message) {
    EXPECT_THAT(FlagProblems(formula), ElementsAre(absl::StrCat("flags[1].formula: ", message)));
  };
  EXPECT_THAT(FlagProblems("score >= 1 and first and working and sex == male"), IsEmpty());
  wrong("score", "at 1: must be a truth, it is a number");
  wrong("i1 and first", "at 1: 'and' needs a truth, this is a number");
  wrong("first or 1", "at 10: 'or' needs a truth, this is a number");
  wrong("not i1", "at 5: 'not' needs a truth, this is a number");
  wrong("first + 1 > 2", "at 1: arithmetic needs a number, this is a truth");
  wrong("first == 1", "at 1: a comparison needs a number, this is a truth");
  wrong("is(i1)", "at 4: 'is' needs a truth, this is a number");
  wrong("if(i1, first, first)", "at 4: 'if' needs a truth, this is a number");
  wrong("if(first, first, 1)", "at 18: the other branch of 'if' needs a truth, this is a number");
  wrong("round(first) > 1", "at 7: 'round' needs a number, this is a truth");
  wrong("sex", "at 1: 'sex' must be compared with a code");
  wrong("sex == other", "at 8: must be a code of 'sex'");
  wrong("sex > male", "at 5: codes are compared by == or !=");
  wrong("working == 1", "at 1: a comparison needs a number, this is a truth");
}

TEST(References, MustExistAndComeBefore) {
  const auto wrong = [](absl::string_view formula, absl::string_view message) {
    EXPECT_THAT(FlagProblems(formula), ElementsAre(absl::StrCat("flags[1].formula: ", message)));
  };
  wrong("i8 == 1", "at 1: there is no item 8");
  wrong("sum(5..8) > 1", "at 1: there is no item 8");
  wrong("nothing", "at 1: there is no 'nothing'");
  wrong("it", "at 1: flag 'it' can't be spoken of here");
  wrong("last", "at 1: flag 'last' can't be spoken of here");
  wrong("lookup(none, i1) > 1", "at 1: there is no table 'none'");
}

TEST(References, OfASkipAreItemsBeforeItAndContext) {
  const auto skip = [](absl::string_view items, absl::string_view when) {
    return ProblemsOf(
        absl::StrCat(Items(4, 0, 3), "context { id: 'working' label: 'w' }",
                     "figures { id: 'score' label: 's' formula: 'sum(1..4)' max: 12 }",
                     "skips { items: '", items, "' when: '", when, "' }"));
  };
  EXPECT_THAT(skip("3..4", "i1 == 0 and i2 == 0 or working"), IsEmpty());
  EXPECT_THAT(skip("3", "i3 == 0"),
              ElementsAre("skips[0].when: at 1: item 3 is none of those before"));
  EXPECT_THAT(skip("3", "score == 0"),
              ElementsAre("skips[0].when: at 1: figure 'score' can't be spoken of here"));
  EXPECT_THAT(skip("5", "i1 == 0"), ElementsAre("skips[0].items: at 1: there is no item 5"));
  EXPECT_THAT(skip("3,", "i1 == 0"),
              ElementsAre("skips[0].items: at 3: expected an item's number at the end"));
  EXPECT_THAT(skip("3", "i1"), ElementsAre("skips[0].when: at 1: must be a truth, it is a number"));
}

TEST(References, OfABandSetAreContextOnly) {
  EXPECT_THAT(
      ProblemsOf(Items(2, 0, 3) +
                 "figures { id: 'score' label: 's' formula: 'sum(1..2)' max: 6"
                 "  band_sets { when: 'i1 == 0' bands { id: 'a' label: 'a' max: 6 } } }"),
      ElementsAre("figures[0].band_sets[0].when: at 1: only context can be spoken of here"));
}

TEST(Ranges, MustBeWhatTheFormulaReaches) {
  const auto figure = [](absl::string_view formula, double min, double max) {
    v1::Instrument instrument = Parsed(Six() + "figures { id: 'f' label: 'f' }");
    instrument.mutable_figures(0)->set_formula(std::string(formula));
    instrument.mutable_figures(0)->set_min(min);
    instrument.mutable_figures(0)->set_max(max);
    std::vector<std::string> problems;
    for (const Problem& problem : Problems(instrument)) {
      problems.push_back(absl::StrCat(problem.field, ": ", problem.message));
    }
    return problems;
  };
  EXPECT_THAT(figure("sum(1..6)", 0, 18), IsEmpty());
  EXPECT_THAT(figure("sum(1..6)", 1, 17),
              ElementsAre("figures[0].min: is 1, the formula reaches 0",
                          "figures[0].max: is 17, the formula reaches 18"));
  EXPECT_THAT(figure("mean(1..7)", 0, 22 / 7.0), IsEmpty());
  EXPECT_THAT(figure("10 * mean(1..6)", 0, 30), IsEmpty());
  EXPECT_THAT(figure("max(1..4) + i5 - 2 * i6", -6, 6), IsEmpty());
  EXPECT_THAT(figure("if(sex == male, i1, 5)", 0, 5), IsEmpty());
  EXPECT_THAT(figure("lookup(metric, i1)", 1, 4), IsEmpty());
  EXPECT_THAT(figure("round(sum(1..3) / 2)", 0, 5), IsEmpty());
  EXPECT_THAT(figure("count(1..6 >= 2) * -1", -6, 0), IsEmpty());
  EXPECT_THAT(figure("answered(1..6) + code(7)", 0, 10), IsEmpty());
  EXPECT_THAT(figure("i1 / (i2 + 1)", 0, 3), IsEmpty());
}

TEST(Ranges, DivisorsTablesAndComparisonsAreChecked) {
  const auto flag = [](absl::string_view formula) { return FlagProblems(formula); };
  const auto one = [](absl::string_view message) {
    return ElementsAre(absl::StrCat("flags[1].formula: ", message));
  };
  EXPECT_THAT(flag("1 / i1 > 2"), Contains("flags[1].formula: at 3: may divide by 0"));
  EXPECT_THAT(flag("i1 / 0 > 2"), one("at 6: divides by 0"));
  EXPECT_THAT(flag("lookup(whole, i1) > 1"),
              Contains("flags[1].formula: at 1: reaches from 0 to 3, the table from 2 to 3"));
  EXPECT_THAT(flag("lookup(metric, average) > 1"),
              one("at 16: is not always a whole number; use round()"));
  EXPECT_THAT(flag("i1 >= 4"), one("at 4: this comparison has the same outcome always"));
  EXPECT_THAT(flag("0 <= score"), one("at 3: this comparison has the same outcome always"));
  std::string vast = "score";
  for (int i = 0; i < 40; ++i) vast += " * 999999999";
  EXPECT_THAT(flag(vast + " - i1 > 5"), one("at 415: reaches beyond all bounds"));
  EXPECT_THAT(flag("count(1..3 > 3) >= 1"),
              Contains("flags[1].formula: at 1: this count is the same always"));
}

TEST(Ranges, SkippingMustNotGoBeyond) {
  const std::string items = Items(2, 1, 4);
  const std::string figure = "figures { id: 'f' label: 'f' formula: 'sum(1..2)' min: 2 max: 8 }";
  const std::string skip = "skips { items: '2' when: 'i1 == 1' ";
  EXPECT_THAT(ProblemsOf(items + figure + skip + "counts_as: 1 }"), IsEmpty());
  EXPECT_THAT(ProblemsOf(items + figure + skip + "counts_as: 0 }"),
              ElementsAre("skips[0].counts_as: must be a score of item 2, from 1 to 4"));
  EXPECT_THAT(ProblemsOf(items + figure + skip + "}"),
              ElementsAre("figures[0].formula: at 1: a skip leaves item 2 out, and takes the sum "
                          "below its least: give counts_as"));
  EXPECT_THAT(ProblemsOf(items + skip + "}" +
                         "figures { id: 'f' label: 'f' formula: 'mean(1..2)' min: 1 max: 4 }"),
              IsEmpty());
}

struct TruthRow {
  const char* formula;
  const char* digits;
  const char* told;
};

TEST(Truths, AreToldWhereTheAnswersDecideThem) {
  const TruthRow rows[] = {
      {"i2 == 1", "-1-----", "true"},
      {"i2 == 1", "-------", "untold"},
      {"i2 == 1 and i3 == 1", "-0-----", "false"},
      {"i2 == 1 and i3 == 1", "-1-----", "untold"},
      {"i2 == 1 or i3 == 1", "-1-----", "true"},
      {"i2 == 1 or i3 == 1", "-0-----", "untold"},
      {"not i2 == 1", "-------", "untold"},
      {"count(1..6 == 1) >= 2", "11-----", "true"},
      {"count(1..6 == 1) >= 2", "10-----", "untold"},
      {"count(1..6 == 1) >= 2", "100000-", "false"},
      {"count(1..6 == 1) >= 2", "10000--", "untold"},
      {"count(1..2 >= 2) + count(3 >= 1) >= 2", "2-1----", "true"},
      {"count(1..6 != 1) <= 1", "11110-", "untold"},
      {"count(1..6 != 1) <= 1", "111101-", "true"},
      {"sum(1..6) >= 4", "22-----", "true"},
      {"sum(1..6) >= 4", "21-----", "untold"},
      {"sum(1..6) >= 16", "111----", "false"},
      {"mean(1..6) > 1", "331----", "true"},
      {"max(1..6) == 3", "-3-----", "true"},
      {"min(1..6) == 0", "-0-----", "true"},
      {"min(1..6) > 0", "-0-----", "false"},
      {"known(i2)", "-0-----", "true"},
      {"known(i2)", "0------", "false"},
      {"known(i2 == 1 or i3 == 1)", "-1-----", "true"},
      {"known(sum(1..6))", "11111--", "false"},
      {"is(i2 == 1)", "-------", "false"},
      {"not is(i2 == 0)", "-------", "true"},
      {"answered(1..6) >= 3", "1-1-1--", "true"},
      {"answered(1..6) >= 3", "1-1----", "false"},
      {"if(i1 == 1, i2 == 1, i3 == 1)", "-11----", "true"},
      {"if(i1 == 1, i2 == 1, i3 == 1)", "-10----", "untold"},
      {"if(i1 == 1, i2 == 1, i3 == 1)", "2-1----", "true"},
      {"if(i1 == 1, 2, 3) > 1.5", "-------", "constant"},
      {"sum(1..2) / 2 >= 1.5", "-3-----", "true"},
      {"i1 * i2 > 1", "-0-----", "false"},
      {"lookup(metric, i1) + i2 > 3.5", "-3-----", "true"},
      {"round(mean(1..2)) == 2", "21-----", "true"},
      {"sex == male or i1 == 1", "1------", "true"},
      {"sex == male or i1 == 1", "0------", "untold"},
      {"i7 == 0", "0------", "untold"},
      {"known(i7)", "0-----0", "true"},
      {"code(7) == 4", "1-----4", "true"},
      {"count(6..7 == 0) >= 1", "0----1-", "false"},
      {"count(6..7 == 0) >= 1", "1----1-", "untold"},
      {"sum(6..7) == 1", "0----1-", "true"},
      {"mean(6..7) == 1", "0----1-", "true"},
      {"mean(6..7) == 1", "0----10", "false"},
      {"known(max(7))", "0------", "false"},
      {"known(sum(7))", "0------", "true"},
  };
  for (const TruthRow& row : rows) {
    SCOPED_TRACE(absl::StrCat(row.formula, " of ", row.digits));
    const std::string lines = absl::StrCat(
        Six(), "flags { id: 'it' label: 'it' on_incomplete: true formula: '", row.formula, "' }");
    if (std::string(row.told) == "constant") {
      EXPECT_THAT(ProblemsOf(lines), Contains(HasSubstr("same outcome always")));
      continue;
    }
    std::string digits = row.digits;
    digits.resize(7, '-');
    EXPECT_EQ(FlagOf(ScoreOfForm(*Made(lines), digits), "it"), row.told);
  }
}

// A slow reading of the language, straight from the tree: each value with its bounds.
struct Read {
  std::optional<double> value;  // of a number
  double low = 0;
  double high = 0;
};

class Walker {
 public:
  Walker(const v1::Instrument& instrument, std::string digits, int sex, int working)
      : instrument_(instrument), digits_(std::move(digits)), sex_(sex), working_(working) {}

  Read Of(const Expression& e) const {
    const auto& of = e.operands;
    switch (e.kind) {
      case Kind::kNumber:
        return Exactly(e.number);
      case Kind::kItem:
        return Item(e.items[0]);
      case Kind::kCode:
        if (Answered(e.items[0])) return Exactly(digits_[e.items[0] - 1] - '0');
        return {std::nullopt, double(Codes(e.items[0]).front()), double(Codes(e.items[0]).back())};
      case Kind::kName:
        return Between(working_ == 1, working_ != 0);
      case Kind::kNegate:
        return Corners(of[0], of[0], [](double a, double) { return -a; });
      case Kind::kAdd:
        return Corners(of[0], of[1], [](double a, double b) { return a + b; });
      case Kind::kSubtract:
        return Corners(of[0], of[1], [](double a, double b) { return a - b; });
      case Kind::kMultiply:
        if (of[0].kind == Kind::kNumber && of[1].kind == Kind::kMean)
          return Set(of[1], of[0].number);
        if (of[1].kind == Kind::kNumber && of[0].kind == Kind::kMean)
          return Set(of[0], of[1].number);
        return Corners(of[0], of[1], [](double a, double b) { return a * b; });
      case Kind::kDivide:
        return Corners(of[0], of[1], [](double a, double b) { return a / b; });
      case Kind::kCompare: {
        if (of[0].kind == Kind::kName && of[0].name == "sex") {
          const int code = of[1].name == "male" ? 1 : 0;
          const Read is = Between(sex_ == code, sex_ < 0 || sex_ == code);
          return e.compare == Compare::kEqual ? is : Read{{}, 1 - is.high, 1 - is.low};
        }
        const Read a = Of(of[0]);
        const Read b = Of(of[1]);
        switch (e.compare) {
          case Compare::kEqual:
            return Between(a.low == a.high && b.low == b.high && a.low == b.low,
                           a.low <= b.high && b.low <= a.high);
          case Compare::kNotEqual:
            return Between(a.low > b.high || b.low > a.high,
                           !(a.low == a.high && b.low == b.high && a.low == b.low));
          case Compare::kLess:
            return Between(a.high < b.low, a.low < b.high);
          case Compare::kLessOrEqual:
            return Between(a.high <= b.low, a.low <= b.high);
          case Compare::kGreater:
            return Between(a.low > b.high, a.high > b.low);
          case Compare::kGreaterOrEqual:
            return Between(a.low >= b.high, a.high >= b.low);
        }
        return {};
      }
      case Kind::kAnd: {
        const Read a = Of(of[0]);
        const Read b = Of(of[1]);
        return Between(a.low > 0 && b.low > 0, a.high > 0 && b.high > 0);
      }
      case Kind::kOr: {
        const Read a = Of(of[0]);
        const Read b = Of(of[1]);
        return Between(a.low > 0 || b.low > 0, a.high > 0 || b.high > 0);
      }
      case Kind::kNot: {
        const Read a = Of(of[0]);
        return Between(a.high == 0, a.low == 0);
      }
      case Kind::kSum:
      case Kind::kMean:
      case Kind::kMin:
      case Kind::kMax:
        return Set(e);
      case Kind::kAnswered:
        return Exactly(double(std::count_if(e.items.begin(), e.items.end(),
                                            [&](int item) { return Answered(item); })));
      case Kind::kCount: {
        Read count = Exactly(0);
        for (const int item : e.items) {
          if (LeftOut(item)) continue;
          const Read score = Item(item);
          if (!score.value) count.value.reset();
          const bool lowest = Holds(e.compare, score.low, e.number);
          const bool highest = Holds(e.compare, score.high, e.number);
          const bool within = score.low < e.number && e.number < score.high;
          const bool other = e.compare == Compare::kEqual && within;
          const bool not_all = e.compare == Compare::kNotEqual && within;
          count.low += lowest && highest && !not_all;
          count.high += lowest || highest || other;
        }
        if (count.value) count.value = count.low;
        return count;
      }
      case Kind::kKnown: {
        const Read a = Of(of[0]);
        const bool known = IsTruth(of[0]) ? a.low == a.high : a.value.has_value();
        return Between(known, known);
      }
      case Kind::kIs: {
        const Read a = Of(of[0]);
        return Between(a.low > 0, a.low > 0);
      }
      case Kind::kIf: {
        const Read condition = Of(of[0]);
        const Read a = Of(of[1]);
        const Read b = Of(of[2]);
        if (condition.low > 0) return a;
        if (condition.high == 0) return b;
        return {a.value == b.value ? a.value : std::nullopt, std::min(a.low, b.low),
                std::max(a.high, b.high)};
      }
      case Kind::kRound:
        return Corners(of[0], of[0], [](double a, double) { return std::floor(a + 0.5 + 1e-9); });
      case Kind::kLookup: {
        const Read at = Of(of[0]);
        const auto& table = instrument_.tables(0).values();
        Read read{std::nullopt, 1e9, -1e9};
        for (int i = 0; i < table.size(); ++i) {
          if (i < at.low || i > at.high) continue;
          read.low = std::min(read.low, table[i]);
          read.high = std::max(read.high, table[i]);
        }
        if (at.value) read.value = table[static_cast<int>(*at.value)];
        return read;
      }
    }
    return {};
  }

  static bool IsTruth(const Expression& e) {
    switch (e.kind) {
      case Kind::kName:
      case Kind::kCompare:
      case Kind::kAnd:
      case Kind::kOr:
      case Kind::kNot:
      case Kind::kKnown:
      case Kind::kIs:
        return true;
      case Kind::kIf:
        return IsTruth(e.operands[1]);
      default:
        return false;
    }
  }

 private:
  static Read Exactly(double x) { return {x, x, x}; }
  static Read Between(bool least, bool most) { return {std::nullopt, double(least), double(most)}; }
  static bool Holds(Compare compare, double a, double b) {
    switch (compare) {
      case Compare::kEqual:
        return a == b;
      case Compare::kNotEqual:
        return a != b;
      case Compare::kLess:
        return a < b;
      case Compare::kLessOrEqual:
        return a <= b;
      case Compare::kGreater:
        return a > b;
      case Compare::kGreaterOrEqual:
        return a >= b;
    }
    return false;
  }
  template <class Operation>
  Read Corners(const Expression& left, const Expression& right, const Operation& of) const {
    const Read a = Of(left);
    const Read b = Of(right);
    const double all[] = {of(a.low, b.low), of(a.low, b.high), of(a.high, b.low),
                          of(a.high, b.high)};
    Read read{std::nullopt, *std::min_element(all, all + 4), *std::max_element(all, all + 4)};
    if (a.value && b.value) read.value = of(*a.value, *b.value);
    return read;
  }

  std::vector<int> Codes(int number) const {
    const auto& item = instrument_.items(number - 1);
    std::vector<int> codes(item.codes().begin(), item.codes().end());
    for (int code = item.min(); codes.empty() || (item.codes().empty() && code <= item.max());
         ++code) {
      codes.push_back(code);
    }
    return codes;
  }
  bool Answered(int item) const { return digits_[item - 1] != '-'; }
  // The one rule of the instrument: item 7 is skipped after a 0 of item 1.
  bool LeftOut(int item) const { return item == 7 && !Answered(7) && digits_[0] == '0'; }
  Read Item(int number) const {
    const std::vector<int> codes = Codes(number);
    const bool reversed = instrument_.items(number - 1).reversed();
    const int low = codes.front();
    const int high = codes.back();
    if (!Answered(number)) return {std::nullopt, double(low), double(high)};
    const int code = digits_[number - 1] - '0';
    return Exactly(reversed ? low + high - code : code);
  }
  // Of a mean `factor` times, reckoned before it is divided.
  Read Set(const Expression& e, double factor = 1) const {
    std::vector<Read> in;
    for (const int item : e.items) {
      if (!LeftOut(item)) in.push_back(Item(item));
    }
    const bool known =
        std::all_of(in.begin(), in.end(), [](const Read& r) { return r.value.has_value(); });
    const auto reduce = [&](double Read::*bound) {
      double sum = 0;
      double least = 1e9;
      double most = -1e9;
      for (const Read& read : in) {
        sum += read.*bound;
        least = std::min(least, read.*bound);
        most = std::max(most, read.*bound);
      }
      return e.kind == Kind::kSum    ? sum
             : e.kind == Kind::kMean ? factor * sum / double(in.size())
             : e.kind == Kind::kMin  ? least
                                     : most;
    };
    if (in.empty() && e.kind != Kind::kSum) {  // then it is item 7 alone
      return {std::nullopt, 0, 4 * factor};
    }
    Read read{std::nullopt, reduce(&Read::low), reduce(&Read::high)};
    if (known) read.value = read.low;
    return read;
  }

  const v1::Instrument& instrument_;
  std::string digits_;
  int sex_;
  int working_;
};

// Writes formulas at random.
class Writer {
 public:
  explicit Writer(uint32_t seed) : random_(seed) {}

  std::string Number(int depth) {
    switch (Below(depth > 0 ? 13 : 5)) {
      case 0:
        return absl::StrCat(Below(8) / 2.0);
      case 1:
        return absl::StrCat("i", 1 + Below(7));
      case 2:
        return absl::StrCat("code(", 1 + Below(7), ")");
      case 3:
        return absl::StrCat(Pick({"sum", "mean", "min", "max"}), "(", Set(), ")");
      case 4:
        return absl::StrCat("count(", Set(), " ", kCompares[Below(6)], " ", Below(4), ")");
      case 5:
        return absl::StrCat("-", Number(0));
      case 6:
        return absl::StrCat("(", Number(depth - 1), " + ", Number(depth - 1), ")");
      case 7:
        return absl::StrCat("(", Number(depth - 1), " - ", Number(depth - 1), ")");
      case 8:
        return absl::StrCat("(", Number(depth - 1), " * ", Number(depth - 1), ")");
      case 9:
        return absl::StrCat("(", Number(depth - 1), ") / ", Pick({"2", "(i3 + 1)"}));
      case 10:
        return absl::StrCat("if(", Truth(depth - 1, false), ", ", Number(depth - 1), ", ",
                            Number(depth - 1), ")");
      case 11:
        return absl::StrCat("round(", Number(depth - 1), ")");
      default:
        return absl::StrCat("lookup(metric, ", Pick({"i1", "i4", "max(2..5)"}), ")");
    }
  }

  // `told`: with `known`, `is` and `answered`, which ranges are not reckoned of.
  std::string Truth(int depth, bool told = true) {
    switch (Below(depth > 0 ? (told ? 10 : 6) : 3)) {
      case 0:
        return "working";
      case 1:
        return Pick({"sex == male", "sex != female"});
      case 2:
        return absl::StrCat(Number(depth - 1), " ", kCompares[Below(6)], " ", Number(depth - 1));
      case 3:
        return absl::StrCat("(", Truth(depth - 1, told), " and ", Truth(depth - 1, told), ")");
      case 4:
        return absl::StrCat("(", Truth(depth - 1, told), " or ", Truth(depth - 1, told), ")");
      case 5:
        return absl::StrCat("not ", Truth(depth - 1, told));
      case 6:
        return absl::StrCat("known(", Number(depth - 1), ")");
      case 7:
        return absl::StrCat("is(", Truth(depth - 1), ")");
      case 8:
        return absl::StrCat("answered(", Set(), ") > 0");
      default:
        return absl::StrCat("if(", Truth(depth - 1), ", ", Truth(depth - 1), ", ", Truth(depth - 1),
                            ")");
    }
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  std::string Pick(std::initializer_list<const char*> of) {
    return of.begin()[Below(static_cast<int>(of.size()))];
  }

 private:
  std::string Set() { return Pick({"1..6", "1..3", "2, 4, 6..7", "5", "7", "1, 7", "3..7"}); }
  std::mt19937 random_;
};

std::string SixWithOneTurned() {
  std::string six = Six();
  six.replace(six.find("items { number: 2") + 8, 0, "reversed: true ");
  return six;
}

// A form of them with some answers missing, or none.
std::string AnyDigits(Writer& writer, bool complete) {
  std::string digits(7, '-');
  for (int i = 0; i < 7; ++i) {
    if (complete || writer.Below(3) > 0) {
      digits[i] = static_cast<char>('0' + (i == 6 ? 2 * writer.Below(3) : writer.Below(4)));
    }
  }
  return digits;
}

bool OnlyDecidedBeforehand(const v1::Instrument& instrument) {
  for (const Problem& problem : Problems(instrument)) {
    if (!absl::StrContains(problem.message, "always")) {
      ADD_FAILURE() << problem.field << ": " << problem.message << "\n"
                    << instrument.ShortDebugString();
    }
  }
  return true;
}

const char* const kSexes[] = {"", "sex=female ", "sex=male "};
const char* const kWorking[] = {"", "working=no", "working=yes"};

TEST(Evaluation, OfTruthsAgreesWithASlowReading) {
  int compared = 0;
  EXPECT_TRUE(rc::check([&] {
    Writer writer(*rc::gen::arbitrary<uint32_t>());
    v1::Instrument instrument = Parsed(SixWithOneTurned());
    v1::Flag& flag = *instrument.add_flags();
    flag.set_id("it");
    flag.set_label("it");
    flag.set_on_incomplete(true);
    flag.set_formula(writer.Truth(3));
    const auto rules = InstrumentRules::Make(instrument);
    if (!rules.ok()) {
      RC_ASSERT(OnlyDecidedBeforehand(instrument));
      return;
    }
    const auto tree = std::get<Expression>(ParseFormula(flag.formula()));
    for (int form = 0; form < 20; ++form) {
      const std::string digits = AnyDigits(writer, form % 4 == 0);
      const int sex = writer.Below(3) - 1;
      const int working = writer.Below(3) - 1;
      const Read read = Walker(instrument, digits, sex, working).Of(tree);
      const std::string told = FlagOf(
          ScoreOfForm(**rules, digits, absl::StrCat(kSexes[sex + 1], kWorking[working + 1])), "it");
      const std::string expected = read.low != read.high ? "untold"
                                   : read.low > 0        ? "true"
                                                         : "false";
      if (told != expected) RC_FAIL(flag.formula() + " of " + digits + ": " + told);
      ++compared;
    }
  }));
  EXPECT_GT(compared, 200) << "few of the formulas could be compiled";
}

TEST(Evaluation, OfNumbersAgreesWithASlowReadingAndStaysInRange) {
  int compared = 0;
  EXPECT_TRUE(rc::check([&] {
    Writer writer(*rc::gen::arbitrary<uint32_t>());
    v1::Instrument instrument = Parsed(SixWithOneTurned());
    v1::Figure& figure = *instrument.add_figures();
    figure.set_id("it");
    figure.set_label("it");
    figure.set_formula(writer.Number(3));
    const auto tree = std::get<Expression>(ParseFormula(figure.formula()));
    const Read range = Walker(instrument, "-------", -1, -1).Of(tree);
    if (range.low == range.high) return;
    figure.set_min(range.low);
    figure.set_max(range.high);
    const auto rules = InstrumentRules::Make(instrument);
    if (!rules.ok()) {
      RC_ASSERT(OnlyDecidedBeforehand(instrument));
      return;
    }
    for (int form = 0; form < 20; ++form) {
      const std::string digits = AnyDigits(writer, form % 2 == 0);
      const int sex = writer.Below(3) - 1;
      const int working = writer.Below(3) - 1;
      const Read read = Walker(instrument, digits, sex, working).Of(tree);
      const Result result = Evaluate(
          **rules, FormOf(**rules, digits, absl::StrCat(kSexes[sex + 1], kWorking[working + 1])));
      const double value = result.figures[0];
      const std::string what = figure.formula() + " of " + digits + ": " + absl::StrCat(value);
      if (std::isnan(value) != !read.value) RC_FAIL(what);
      if (!read.value) continue;
      if (std::abs(value - *read.value) > 1e-9) RC_FAIL(what);
      if (value < range.low - 1e-9 || value > range.high + 1e-9) RC_FAIL(what + " out of range");
      ++compared;
    }
  }));
  EXPECT_GT(compared, 200) << "few of the formulas could be compiled";
}

// The other half of the promise: what is told of an incomplete form holds however it is completed.
TEST(Evaluation, WhatIsToldHoldsHoweverTheFormIsCompleted) {
  EXPECT_TRUE(rc::check([] {
    Writer writer(*rc::gen::arbitrary<uint32_t>());
    v1::Instrument instrument = Parsed(SixWithOneTurned());
    instrument.clear_skips();
    v1::Flag& flag = *instrument.add_flags();
    flag.set_id("it");
    flag.set_label("it");
    flag.set_on_incomplete(true);
    flag.set_formula(writer.Truth(3, false));
    const auto rules = InstrumentRules::Make(instrument);
    if (!rules.ok()) return;
    std::string digits = AnyDigits(writer, true);
    const int first = writer.Below(6);
    const int second = writer.Below(6);
    digits[first] = digits[second] = '-';
    const std::string context = "sex=male working=no";
    const std::string told = FlagOf(ScoreOfForm(**rules, digits, context), "it");
    if (told == "untold") return;
    for (char a = '0'; a <= '3'; ++a) {
      for (char b = '0'; b <= '3'; ++b) {
        std::string completed = digits;
        completed[first] = a;
        completed[second] = b;
        RC_ASSERT(FlagOf(ScoreOfForm(**rules, completed, context), "it") == told);
      }
    }
  }));
}

}  // namespace
}  // namespace rapport::assessment
