#include "tests/support/postgres/catalogue.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rapport::sql::testing {
namespace {

constexpr char kTenant[] = "organization_id";

// Lower-case words (with their dots), single signs; texts and comments are dropped.
std::vector<std::string> Tokens(absl::string_view sql) {
  std::vector<std::string> tokens;
  const auto in_word = [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.'; };
  for (size_t i = 0; i < sql.size();) {
    size_t end = i + 1;
    if (sql.substr(i, 2) == "--") {
      end = std::min(sql.find('\n', i), sql.size());
    } else if (sql[i] == '\'') {
      end = std::min(sql.find('\'', i + 1), sql.size() - 1) + 1;
      tokens.push_back("'");
    } else if (in_word(sql[i]) || sql[i] == '$') {
      while (end < sql.size() && in_word(sql[end])) ++end;
      tokens.push_back(absl::AsciiStrToLower(sql.substr(i, end - i)));
    } else if (!absl::ascii_isspace(sql[i])) {
      tokens.emplace_back(1, sql[i]);
    }
    i = end;
  }
  return tokens;
}

// One SELECT, INSERT, UPDATE or DELETE: its tables by alias, and how organization_id is bound.
struct Query {
  std::vector<std::pair<std::string, std::string>> tables;  // alias, table
  std::set<std::string> bound;                              // aliases
  int bound_unqualified = 0;
};

class Reader {
 public:
  Reader(absl::string_view sql, const std::set<std::string>& exempt)
      : tokens_(Tokens(sql)), exempt_(exempt) {
    for (size_t i = 0; i + 2 < tokens_.size(); ++i) {
      if (tokens_[i + 1] == "as" && (At(i + 2) == "(" || At(i + 2) == "materialized")) {
        views_.insert(tokens_[i]);
      }
      // [WITH | ,] name (columns) AS (…)
      if (At(i + 1) == "(") {
        size_t end = i + 2;
        while (end < tokens_.size() && (tokens_[end] == "," || std::isalpha(tokens_[end][0])))
          ++end;
        if (At(end) == ")" && At(end + 1) == "as" && At(end + 2) == "(") views_.insert(tokens_[i]);
      }
    }
  }

  std::vector<std::string> Unbound() {
    ReadQuery();
    return unbound_;
  }

 private:
  const std::string& At(size_t i) const {
    static const std::string none;
    return i < tokens_.size() ? tokens_[i] : none;
  }

  // Reads to the parenthesis that ends the query.
  void ReadQuery() {
    Query query;
    bool in_from = false;
    while (next_ < tokens_.size() && At(next_) != ")") {
      const std::string& token = At(next_);
      const std::string& before = next_ == 0 ? At(tokens_.size()) : At(next_ - 1);
      ++next_;
      if (token == "union" || token == "except" || token == "intersect") {
        Conclude(query);
        query = Query();
        in_from = false;
      } else if (token == "(") {
        ReadParenthesis(query, before == "using");
      } else if ((token == "from" && before != "distinct") || token == "join") {
        in_from = true;
        ReadTable(query);
      } else if (token == "into" ||
                 (token == "update" && before != "do" && before != "for" && before != "key")) {
        ReadTable(query);
        if (token == "into" && At(next_) == "(") {
          ++next_;
          ReadParenthesis(query, /*binding=*/true);
        }
      } else if (token == "," && in_from) {
        ReadTable(query);
      } else if (token == "where" || token == "group" || token == "order" || token == "set" ||
                 token == "on" || token == "select" || token == "limit" || token == "returning") {
        in_from = false;
      } else if (Binds(next_ - 1)) {
        BindHere(query, token);
      }
    }
    Conclude(query);
  }

  // `binding`: naming the column is binding it, as in USING (…).
  void ReadParenthesis(Query& query, bool binding) {
    const std::string& first = At(next_);
    if (first == "select" || first == "with" || first == "insert" || first == "update" ||
        first == "delete") {
      ReadQuery();
      ++next_;
      return;
    }
    std::vector<std::string> named;
    while (next_ < tokens_.size() && At(next_) != ")") {
      const std::string& token = At(next_++);
      if (token == "(") {
        ReadParenthesis(query, false);
      } else if (Binds(next_ - 1)) {
        BindHere(query, token);
      } else if (IsTenant(token)) {
        named.push_back(token);
      }
    }
    ++next_;
    // A row value: (organization_id, course_id) = (…), IN (…).
    binding = binding || At(next_) == "=" || At(next_) == "in";
    for (const std::string& name : named) {
      if (binding) Bind(query, name);
    }
  }

  void ReadTable(Query& query) {
    if (At(next_) == "only" || At(next_) == "lateral") ++next_;
    if (At(next_) == "(" || At(next_ + 1) == "(") {
      // A query in parentheses or a function; but INTO t (…) is a table with its columns.
      if (At(next_) == "(" || At(next_ - 1) != "into") return;
    }
    const std::string table = At(next_++);
    std::string alias = table;
    static const auto& keywords = *new std::set<std::string>{
        "where",     "set",     "join",  "left",   "inner", "cross",   "on",
        "using",     "values",  "group", "order",  "limit", "select",  "union",
        "returning", "for",     "full",  "right",  "from",  "default", "except",
        "intersect", "indexed", "not",   "natural"};
    if (At(next_) == "as") ++next_;
    const std::string& word = At(next_);
    if (!word.empty() && absl::ascii_isalpha(word[0]) && keywords.count(word) == 0) {
      alias = word;
      ++next_;
    }
    if (exempt_.count(table) == 0 && views_.count(table) == 0) {
      query.tables.emplace_back(alias, table);
    }
  }

  static bool IsTenant(const std::string& token) {
    return token == kTenant || absl::EndsWith(token, absl::StrCat(".", kTenant));
  }
  bool Binds(size_t i) const {
    return IsTenant(At(i)) &&
           (At(i + 1) == "=" || At(i + 1) == "in" || (i > 0 && At(i - 1) == "="));
  }
  void BindHere(Query& query, const std::string& token) {
    if (At(next_) == "=" && IsTenant(At(next_ + 1))) {
      next_ += 2;
      ++query.bound_unqualified;  // a join: binds one of the two, by the other
    } else {
      Bind(query, token);
    }
  }
  static void Bind(Query& query, const std::string& token) {
    if (token == kTenant) {
      ++query.bound_unqualified;
    } else {
      query.bound.insert(std::string(absl::StripSuffix(token, absl::StrCat(".", kTenant))));
    }
  }

  void Conclude(const Query& query) {
    int spare = query.bound_unqualified;
    for (const auto& [alias, table] : query.tables) {
      if (query.bound.count(alias) > 0 || query.bound.count(table) > 0) continue;
      if (spare-- <= 0) unbound_.push_back(table);
    }
  }

  const std::vector<std::string> tokens_;
  const std::set<std::string>& exempt_;
  std::set<std::string> views_;
  size_t next_ = 0;
  std::vector<std::string> unbound_;
};

}  // namespace

std::vector<std::string> TablesWithoutTenant(absl::string_view sql,
                                             const std::set<std::string>& exempt) {
  return Reader(sql, exempt).Unbound();
}

std::vector<std::string> StatementsWithoutTenant(const std::vector<const Statement*>& statements,
                                                 const std::set<std::string>& exempt) {
  std::vector<std::string> unbound;
  for (const Statement* statement : statements) {
    if (statement->reach() != Reach::kTenant) continue;
    for (const std::string& table : TablesWithoutTenant(statement->sql(), exempt)) {
      unbound.push_back(absl::StrCat(statement->name(), ": ", table));
    }
  }
  return unbound;
}

}  // namespace rapport::sql::testing
