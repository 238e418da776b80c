#include "services/assessment/domain/formula.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/assessment/domain/instruments.h"

namespace rapport::assessment {
namespace {

using Kind = Expression::Kind;

constexpr int kMaxDepth = 60;
constexpr double kMaxNumber = 1e9;

const std::pair<absl::string_view, Kind> kSetCalls[] = {
    {"sum", Kind::kSum}, {"mean", Kind::kMean},         {"min", Kind::kMin},
    {"max", Kind::kMax}, {"answered", Kind::kAnswered}, {"count", Kind::kCount},
};
const std::pair<absl::string_view, Kind> kOneOperandCalls[] = {
    {"known", Kind::kKnown}, {"is", Kind::kIs}, {"round", Kind::kRound}};
const std::pair<absl::string_view, Compare> kCompares[] = {
    {"==", Compare::kEqual},          {"!=", Compare::kNotEqual}, {"<=", Compare::kLessOrEqual},
    {">=", Compare::kGreaterOrEqual}, {"<", Compare::kLess},      {">", Compare::kGreater},
};
constexpr absl::string_view kOtherWords[] = {"and", "or", "not", "code", "if", "lookup"};

template <class Table>
auto Find(const Table& table, absl::string_view word) {
  return std::find_if(std::begin(table), std::end(table),
                      [&](const auto& entry) { return entry.first == word; });
}

bool IsItem(absl::string_view word) {
  return word.size() > 1 && word[0] == 'i' &&
         std::all_of(word.begin() + 1, word.end(), absl::ascii_isdigit);
}

// Recursive descent; the first error ends it and stays.
class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) { Next(); }

  std::variant<Expression, FormulaError> Formula() {
    Expression expression = Or();
    ExpectEnd();
    if (failed_) return error_;
    return expression;
  }

  std::variant<std::vector<int>, FormulaError> Items() {
    std::vector<int> items = Set();
    ExpectEnd();
    if (failed_) return error_;
    return items;
  }

 private:
  void Fail(int column, std::string message) {
    if (!failed_) error_ = {column, std::move(message)};
    failed_ = true;
    token_ = {};
    at_ = text_.size();
  }
  void FailHere(absl::string_view expected) {
    Fail(column_, absl::StrCat("expected ", expected, " at ",
                               token_.empty() ? "the end" : absl::StrCat("'", token_, "'")));
  }
  void ExpectEnd() {
    if (!token_.empty()) FailHere("an operator or the end");
  }

  // Reads the next token: a number, a word, or one or two characters of an operator; none at the
  // end.
  void Next() {
    while (at_ < text_.size() && absl::ascii_isspace(text_[at_])) ++at_;
    column_ = static_cast<int>(at_) + 1;
    const size_t from = at_;
    const auto skip = [&](auto in) {
      while (at_ < text_.size() && in(text_[at_])) ++at_;
    };
    const auto peek = [&](size_t ahead) {
      return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    };
    if (absl::ascii_isdigit(peek(0))) {
      skip(absl::ascii_isdigit);
      if (peek(0) == '.' && absl::ascii_isdigit(peek(1))) {
        ++at_;
        skip(absl::ascii_isdigit);
      }
    } else if (absl::ascii_isalpha(peek(0))) {
      skip([](char c) { return absl::ascii_isalnum(c) || c == '_'; });
    } else if (at_ < text_.size()) {
      const absl::string_view two = text_.substr(at_, 2);
      at_ += two == ".." || two == "==" || two == "!=" || two == "<=" || two == ">=" ? 2 : 1;
      skip([](char c) { return (c & 0xC0) == 0x80; });  // of one character
    }
    token_ = text_.substr(from, at_ - from);
  }

  bool Accept(absl::string_view token) {
    if (token_ != token) return false;
    Next();
    return true;
  }
  void Expect(absl::string_view token) {
    if (!failed_ && !Accept(token)) FailHere(absl::StrCat("'", token, "'"));
  }

  Expression Make(Kind kind) const {
    Expression expression;
    expression.kind = kind;
    expression.column = column_;
    return expression;
  }
  static Expression Join(Kind kind, int column, Expression left, Expression right) {
    Expression expression;
    expression.kind = kind;
    expression.column = column;
    expression.operands.push_back(std::move(left));
    expression.operands.push_back(std::move(right));
    return expression;
  }

  Expression Or() {
    if (++depth_ > kMaxDepth) Fail(column_, "is nested too deeply");
    Expression left = And();
    for (int column = column_; Accept("or"); column = column_) {
      left = Join(Kind::kOr, column, std::move(left), And());
    }
    --depth_;
    return left;
  }

  Expression And() {
    Expression left = Not();
    for (int column = column_; Accept("and"); column = column_) {
      left = Join(Kind::kAnd, column, std::move(left), Not());
    }
    return left;
  }

  Expression Not() {
    Expression expression = Make(Kind::kNot);
    if (!Accept("not")) return Comparison();
    if (++depth_ > kMaxDepth) Fail(column_, "is nested too deeply");
    expression.operands.push_back(Not());
    --depth_;
    return expression;
  }

  bool AcceptCompare(Compare& compare) {
    const auto found = Find(kCompares, token_);
    if (found == std::end(kCompares)) return false;
    compare = found->second;
    Next();
    return true;
  }

  Expression Comparison() {
    Expression left = Sum();
    const int column = column_;
    Compare compare;
    if (!AcceptCompare(compare)) return left;
    Expression expression = Join(Kind::kCompare, column, std::move(left), Sum());
    expression.compare = compare;
    return expression;
  }

  Expression Sum() {
    Expression left = Product();
    while (token_ == "+" || token_ == "-") {
      const Kind kind = token_ == "+" ? Kind::kAdd : Kind::kSubtract;
      const int column = column_;
      Next();
      left = Join(kind, column, std::move(left), Product());
    }
    return left;
  }

  Expression Product() {
    Expression left = Negated();
    while (token_ == "*" || token_ == "/") {
      const Kind kind = token_ == "*" ? Kind::kMultiply : Kind::kDivide;
      const int column = column_;
      Next();
      left = Join(kind, column, std::move(left), Negated());
    }
    return left;
  }

  Expression Negated() {
    Expression expression = Make(Kind::kNegate);
    if (!Accept("-")) return Primary();
    if (++depth_ > kMaxDepth) Fail(column_, "is nested too deeply");
    expression.operands.push_back(Negated());
    --depth_;
    return expression;
  }

  double Number() {
    double number = 0;
    if (token_.empty() || !absl::ascii_isdigit(token_[0]) || !absl::SimpleAtod(token_, &number)) {
      FailHere("a number");
      return 0;
    }
    if (number > kMaxNumber) Fail(column_, "is too large a number");
    Next();
    return number;
  }

  int Item() {
    int item = 0;
    const int column = column_;
    if (token_.empty() || !absl::SimpleAtoi(token_, &item)) {
      FailHere("an item's number");
      return 0;
    }
    if (item < 1 || item > kMaxItems) Fail(column, absl::StrCat("there is no item ", item));
    Next();
    return item;
  }

  std::vector<int> Set() {
    std::vector<int> items;
    do {
      const int column = column_;
      const int first = Item();
      const int last = Accept("..") ? Item() : first;
      if (!failed_ && last < first) {
        Fail(column, absl::StrCat("a range must rise: ", first, "..", last));
      }
      for (int item = first; item <= last && !failed_; ++item) {
        if (std::find(items.begin(), items.end(), item) != items.end()) {
          Fail(column, absl::StrCat("item ", item, " is in the set twice"));
        }
        items.push_back(item);
      }
    } while (Accept(","));
    return items;
  }

  Expression Primary() {
    Expression expression = Make(Kind::kNumber);
    if (Accept("(")) {
      expression = Or();
      Expect(")");
      return expression;
    }
    if (token_.empty() || !absl::ascii_isalpha(token_[0])) {
      expression.number = Number();
      return expression;
    }
    const absl::string_view word = token_;
    if (IsItem(word)) {
      expression.kind = Kind::kItem;
      token_.remove_prefix(1);
      expression.items = {Item()};
      return expression;
    }
    if (const auto call = Find(kSetCalls, word); call != std::end(kSetCalls)) {
      Next();
      Expect("(");
      expression.kind = call->second;
      expression.items = Set();
      if (call->second == Kind::kCount) {
        if (!AcceptCompare(expression.compare)) FailHere("a comparison, as >= 1,");
        const bool negative = Accept("-");
        expression.number = negative ? -Number() : Number();
      }
      Expect(")");
      return expression;
    }
    if (const auto call = Find(kOneOperandCalls, word); call != std::end(kOneOperandCalls)) {
      Next();
      Expect("(");
      expression.kind = call->second;
      expression.operands.push_back(Or());
      Expect(")");
      return expression;
    }
    if (Accept("code")) {
      Expect("(");
      expression.kind = Kind::kCode;
      expression.items = {Item()};
      Expect(")");
      return expression;
    }
    if (Accept("if")) {
      expression.kind = Kind::kIf;
      for (const char* before : {"(", ",", ","}) {
        Expect(before);
        expression.operands.push_back(Or());
      }
      Expect(")");
      return expression;
    }
    if (Accept("lookup")) {
      Expect("(");
      expression.kind = Kind::kLookup;
      expression.name = std::string(token_);
      if (!IsName(token_)) FailHere("a table");
      Next();
      Expect(",");
      expression.operands.push_back(Or());
      Expect(")");
      return expression;
    }
    if (!IsName(word)) {
      FailHere("a value");
      return expression;
    }
    expression.kind = Kind::kName;
    expression.name = std::string(word);
    Next();
    return expression;
  }

  absl::string_view text_;
  size_t at_ = 0;
  absl::string_view token_;
  int column_ = 1;
  int depth_ = 0;
  bool failed_ = false;
  FormulaError error_;
};

}  // namespace

std::variant<Expression, FormulaError> ParseFormula(absl::string_view formula) {
  return Parser(formula).Formula();
}

std::variant<std::vector<int>, FormulaError> ParseItems(absl::string_view items) {
  return Parser(items).Items();
}

bool IsName(absl::string_view word) {
  return !word.empty() && word.size() <= 63 && absl::ascii_islower(word[0]) &&
         std::all_of(
             word.begin(), word.end(),
             [](char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_'; }) &&
         !IsItem(word) && Find(kSetCalls, word) == std::end(kSetCalls) &&
         Find(kOneOperandCalls, word) == std::end(kOneOperandCalls) &&
         std::find(std::begin(kOtherWords), std::end(kOtherWords), word) == std::end(kOtherWords);
}

}  // namespace rapport::assessment
