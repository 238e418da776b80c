#include "tests/bench/pgbench.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::bench {
namespace {

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "%s\n", std::string(what).c_str());
  std::exit(1);
}

class RecordingTransaction final : public sql::Transaction {
 public:
  RecordingTransaction(sql::Transaction& inner, std::vector<Sent>& sent)
      : inner_(inner), sent_(sent) {}

  sql::Engine engine() const override { return inner_.engine(); }
  absl::StatusOr<sql::Result> Query(const sql::Statement& statement,
                                    absl::Span<const sql::Value> parameters) override {
    sent_.push_back(
        {Sent::Kind::kStatement, true, statement.sql(), {parameters.begin(), parameters.end()}});
    return inner_.Query(statement, parameters);
  }
  void Defer(const sql::Statement& statement, absl::Span<const sql::Value> parameters) override {
    sent_.push_back(
        {Sent::Kind::kStatement, false, statement.sql(), {parameters.begin(), parameters.end()}});
    inner_.Defer(statement, parameters);
  }
  void Lock(std::vector<std::string> keys) override {
    sent_.push_back({Sent::Kind::kLock, false, "", {keys.begin(), keys.end()}});
    inner_.Lock(std::move(keys));
  }
  absl::Status TryLock(absl::string_view key) override {
    sent_.push_back({Sent::Kind::kTryLock, true, "", {sql::Text(key)}});
    return inner_.TryLock(key);
  }

 private:
  sql::Transaction& inner_;
  std::vector<Sent>& sent_;
};

class RecordingSession final : public sql::Session {
 public:
  RecordingSession(sql::Session& inner, std::vector<Sent>& sent) : inner_(inner), sent_(sent) {}

  sql::Engine engine() const override { return inner_.engine(); }
  absl::StatusOr<sql::Result> Query(const sql::Statement& statement,
                                    absl::Span<const sql::Value> parameters) override {
    sent_.push_back(
        {Sent::Kind::kStatement, true, statement.sql(), {parameters.begin(), parameters.end()}});
    return inner_.Query(statement, parameters);
  }

 private:
  sql::Session& inner_;
  std::vector<Sent>& sent_;
};

class Writer {
 public:
  explicit Writer(const Substitution& substitution) : substitution_(substitution) {}

  std::string Sql(const Sent& one) {
    std::vector<std::string> values;
    for (const sql::Value& value : one.values) values.push_back(Expression(value));
    if (one.kind == Sent::Kind::kTryLock) {
      return absl::StrCat("SELECT pg_try_advisory_xact_lock(hashtextextended(", values[0], ", 0))");
    }
    if (one.kind == Sent::Kind::kLock) {
      std::string keys;
      for (const std::string& value : values) {
        absl::StrAppend(&keys, keys.empty() ? "" : ", ", "hashtextextended(", value, ", 0)");
      }
      return absl::StrCat("SELECT pg_advisory_xact_lock(key) FROM unnest(ARRAY[", keys,
                          "]) AS key");
    }
    std::string sql;
    for (size_t i = 0; i < one.sql.size(); ++i) {
      size_t end = i + 1;
      while (one.sql[i] == '$' && end < one.sql.size() && std::isdigit(one.sql[end])) ++end;
      if (end == i + 1) {
        sql.push_back(one.sql[i]);
        continue;
      }
      sql += values.at(std::strtoul(one.sql.c_str() + i + 1, nullptr, 10) - 1);
      i = end - 1;
    }
    return sql;
  }

  std::vector<std::string> blobs;

 private:
  std::string Expression(const sql::Value& value) {
    if (std::holds_alternative<sql::Null>(value)) return "NULL";
    if (const auto* number = std::get_if<int64_t>(&value)) return substitution_.number(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return substitution_.text(*text);
    if (const auto* blob = std::get_if<sql::Blob>(&value)) {
      blobs.push_back(absl::StrCat("\\x", absl::BytesToHexString(blob->bytes)));
      return absl::StrCat(":b", blobs.size() - 1, "::bytea");
    }
    if (const auto* real = std::get_if<double>(&value)) return absl::StrCat(*real, "::float8");
    Die("a statement with a value of another kind");
  }

  const Substitution& substitution_;
};

double After(absl::string_view output, absl::string_view label) {
  const size_t at = output.find(label);
  if (at == absl::string_view::npos) Die(output);
  return std::strtod(std::string(output.substr(at + label.size())).c_str(), nullptr);
}

}  // namespace

absl::Status RecordingDatabase::Read(const sql::Access& access, absl::Time deadline,
                                     absl::FunctionRef<absl::Status(sql::Session&)> body) {
  return inner_.Read(access, deadline, [&](sql::Session& session) {
    sent.clear();
    reads = true;
    RecordingSession recording(session, sent);
    return body(recording);
  });
}

absl::Status RecordingDatabase::Write(const sql::Access& access, absl::Time deadline,
                                      absl::FunctionRef<absl::Status(sql::Transaction&)> body) {
  return inner_.Write(access, deadline, [&](sql::Transaction& tx) {
    sent.clear();
    reads = false;
    RecordingTransaction recording(tx, sent);
    return body(recording);
  });
}

std::string Substitution::Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'::text");
}

std::string Substitution::Plain(int64_t number) { return absl::StrCat(number, "::bigint"); }

Script MakeScript(const RecordingDatabase& database, Trips trips, absl::string_view organization_id,
                  const Substitution& substitution) {
  Writer writer(substitution);
  std::string text = substitution.head;
  bool open = false;
  const auto send = [&](const std::string& sql, bool awaited) {
    if (trips != Trips::kEach && !std::exchange(open, true)) {
      absl::StrAppend(&text, "\\startpipeline\n");
    }
    absl::StrAppend(&text, sql, ";\n");
    if (trips == Trips::kItsOwn && awaited && std::exchange(open, false)) {
      absl::StrAppend(&text, "\\endpipeline\n");
    }
  };
  send(database.reads ? "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                      : "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
       false);
  send(absl::StrCat("SELECT set_config('app.tenant', '", organization_id,
                    "', true), set_config('statement_timeout', '30000', true)"),
       false);
  for (const Sent& one : database.sent) send(writer.Sql(one), one.awaited);
  send("COMMIT", true);
  if (open) absl::StrAppend(&text, "\\endpipeline\n");
  return {std::move(text), std::move(writer.blobs)};
}

Pace RunPgbench(const sql::PostgresOptions& place, const Script& script, int clients, int each,
                absl::Span<const std::string> variables) {
  const testing::TempDir folder;
  const std::string path = folder.File("script.sql");
  std::ofstream(path) << script.text;
  const char* bin = std::getenv("RAPPORT_POSTGRES_BIN");
  std::string command =
      absl::StrCat(bin != nullptr ? bin : "/usr/lib/postgresql/15/bin",
                   "/pgbench -n -M prepared -j 1 -c ", clients, " -t ", each, " -f ", path, " -h ",
                   place.host, " -p ", place.port, " -U ", place.user);
  for (const std::string& variable : variables) absl::StrAppend(&command, " -D ", variable);
  for (size_t i = 0; i < script.blobs.size(); ++i) {
    absl::StrAppend(&command, " -D 'b", i, "=", script.blobs[i], "'");
  }
  absl::StrAppend(&command, " ", place.name, " 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Die("pgbench can't be started");
  std::string output;
  for (char buffer[4096]; size_t size = fread(buffer, 1, sizeof buffer, pipe);) {
    output.append(buffer, size);
  }
  if (pclose(pipe) != 0 ||
      !absl::StrContains(output, absl::StrCat(each * clients, "/", each * clients))) {
    Die(output);
  }
  return {.per_second = After(output, "tps = "),
          .milliseconds = After(output, "latency average = ")};
}

}  // namespace rapport::bench
