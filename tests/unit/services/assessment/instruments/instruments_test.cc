#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/domain/forms.h"
#include "tools/rapportctl/facts.h"
#include "tools/rapportctl/score_lines.h"

// The shipped instruments against tables of forms whose scores were worked out from the published
// rules; see README.md here.
namespace rapport::assessment {
namespace {

using ::testing::IsEmpty;
using Json = nlohmann::json;

struct Row {
  int line;
  Json json;
};

std::filesystem::path TableOf(const std::string& id) {
  return std::filesystem::path(RAPPORT_INSTRUMENT_TABLES) / (id + ".jsonl");
}

std::vector<Row> RowsOf(const std::string& id) {
  std::vector<Row> rows;
  std::ifstream in(TableOf(id));
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    if (text.empty()) continue;
    Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(json.is_object()) << id << ".jsonl:" << line << " is no JSON object";
    if (json.is_object()) rows.push_back({line, std::move(json)});
  }
  return rows;
}

Json ScoreOf(const std::string& id, const Json& row) {
  Json request = row;
  request["instrument"] = id;
  const auto line = ctl::ReadScoreLine(request.dump());
  EXPECT_TRUE(line.ok()) << line.status();
  if (!line.ok()) return {};
  v1::ScoredForm scored;
  if (!line->refusal.reason().empty()) {
    *scored.mutable_refusal() = line->refusal;
  } else {
    scored = ScoreForm(ShippedInstruments().FindById(id), line->form);
  }
  return Json::parse(ctl::WriteScoreLine(id, scored));
}

bool Equal(const Json& expected, const Json& actual) {
  if (expected.is_number() && actual.is_number()) {
    return std::abs(expected.get<double>() - actual.get<double>()) < 1e-9;
  }
  return expected == actual;
}

// What of `expected` is otherwise in `actual`; of nested objects only the entries given count, and
// null stands for absent.
void Compare(const std::string& path, const Json& expected, const Json& actual,
             std::vector<std::string>& differences) {
  if (expected.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      const Json found = actual.is_object() && actual.contains(key) ? actual.at(key) : Json();
      Compare(path.empty() ? key : absl::StrCat(path, ".", key), value, found, differences);
    }
  } else if (!Equal(expected, actual)) {
    differences.push_back(
        absl::StrCat(path, ": expected ", expected.dump(), ", was ", actual.dump()));
  }
}

std::vector<std::string> Ids() {
  std::vector<std::string> ids;
  for (const InstrumentRules* rules : ShippedInstruments().newest()) {
    ids.emplace_back(rules->id());
  }
  return ids;
}

class InstrumentTableTest : public ::testing::TestWithParam<std::string> {};

TEST_P(InstrumentTableTest, EveryRowScoresAsPublished) {
  const std::vector<Row> rows = RowsOf(GetParam());
  EXPECT_FALSE(rows.empty()) << "no table of " << GetParam();
  for (const Row& row : rows) {
    ASSERT_TRUE(row.json.contains("why") && row.json.contains("expect"));
    std::vector<std::string> differences;
    Compare("", row.json["expect"], ScoreOf(GetParam(), row.json), differences);
    EXPECT_THAT(differences, IsEmpty())
        << GetParam() << ".jsonl:" << row.line << " " << row.json["why"].get<std::string>();
  }
}

// A table that never meets a band, a flag, a reversed or a critical item proves nothing of it.
TEST_P(InstrumentTableTest, TheTableMeetsEveryBandFlagAndItemRule) {
  const InstrumentRules& rules = *ShippedInstruments().FindById(GetParam());
  std::set<std::string> severities;
  std::map<std::string, std::set<bool>> flags;
  std::set<int> critical;
  bool incomplete = false;
  for (const Row& row : RowsOf(GetParam())) {
    const Json& expect = row.json["expect"];
    if (expect.contains("error")) continue;
    if (expect.contains("severity") && expect["severity"].is_string()) {
      severities.insert(expect["severity"].get<std::string>());
    }
    const Json told = expect.value("flags", Json::object());
    for (const auto& [id, holds] : told.items()) {
      if (holds.is_boolean()) flags[id].insert(holds.get<bool>());
    }
    const Json alarming = expect.value("critical", Json::array());
    for (const Json& item : alarming) critical.insert(item.get<int>());
    incomplete = incomplete || expect.value("complete", true) == false;
  }
  for (const std::string& id : rules.severities()) {
    EXPECT_TRUE(severities.count(id)) << "no row expects severity " << id;
  }
  for (const v1::Flag& flag : rules.instrument().flags()) {
    EXPECT_EQ(flags[flag.id()].size(), 2u) << "no row where " << flag.id() << " holds, or doesn't";
  }
  for (const v1::CriticalItem& item : rules.instrument().critical_items()) {
    EXPECT_TRUE(critical.count(item.item()))
        << "no row where item " << item.item() << " is critical";
  }
  EXPECT_TRUE(incomplete || rules.items() == 0) << "no row with a missing answer";
}

INSTANTIATE_TEST_SUITE_P(Shipped, InstrumentTableTest, ::testing::ValuesIn(Ids()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(InstrumentTablesTest, EveryTableIsOfAShippedInstrument) {
  for (const auto& entry : std::filesystem::directory_iterator(RAPPORT_INSTRUMENT_TABLES)) {
    if (entry.path().extension() != ".jsonl") continue;
    EXPECT_NE(ShippedInstruments().FindById(entry.path().stem().string()), nullptr)
        << entry.path().filename();
  }
}

TEST(UnconfirmedFactsTest, ThePageIsInStepWithTheInstruments) {
  std::ifstream in(std::filesystem::path(RAPPORT_UNCONFIRMED_FACTS), std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(page, ctl::UnconfirmedFacts(ShippedInstruments()))
      << "run: rapportctl instruments unconfirmed > services/assessment/data/UNCONFIRMED.md";
}

}  // namespace
}  // namespace rapport::assessment
