// Names and labels are what dashboards, alerts and others' queries are made of: a name that goes or
// changes is a break. Read from the header itself, so that none is forgotten here.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>

#include "common/telemetry/metric_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::telemetry {
namespace {

// Name to labels, as the header's lines say: constant, name, labels.
std::map<std::string, std::string> Declared() {
  std::ifstream file(RAPPORT_SOURCE_DIR "/common/telemetry/metric_names.h");
  std::stringstream text;
  text << file.rdbuf();
  const std::string header = text.str();
  const std::regex line(R"re(constexpr char k\w+\[\] =\s+"([^"]*)";\s*// (.*))re");
  std::map<std::string, std::string> declared;
  for (std::sregex_iterator it(header.begin(), header.end(), line), end; it != end; ++it) {
    EXPECT_TRUE(declared.emplace((*it)[1], (*it)[2]).second) << (*it)[1] << " stands twice";
  }
  const std::regex constant("inline constexpr char k");
  const auto constants = std::distance(std::sregex_iterator(header.begin(), header.end(), constant),
                                       std::sregex_iterator());
  EXPECT_EQ(declared.size(), static_cast<size_t>(constants)) << "a name has no labels beside it";
  return declared;
}

TEST(MetricNamesTest, ArePinned) {
  std::string pinned;
  std::ifstream file(RAPPORT_SOURCE_DIR "/tests/unit/common/telemetry/metric_names.txt");
  std::string declared;
  for (const auto& [name, labels] : Declared()) declared += name + " " + labels + "\n";
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') pinned += line + "\n";
  }
  EXPECT_EQ(declared, pinned);
}

TEST(MetricNamesTest, FollowPrometheusConventions) {
  for (const auto& [name, labels] : Declared()) {
    EXPECT_TRUE(name.rfind("rapport_", 0) == 0 || name.rfind("process_", 0) == 0) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
    // What a label may not be: a name of a person or thing, of which there is no end.
    EXPECT_THAT(labels, ::testing::Not(::testing::ContainsRegex(
                            "organization|tenant_id|patient|clinician|course|user|subject")))
        << name;
  }
}

}  // namespace
}  // namespace rapport::telemetry
