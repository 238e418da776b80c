#include "common/telemetry/process.h"

#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/telemetry/metric_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::telemetry {
namespace {

std::map<std::string, double> Read(const Metrics& metrics) {
  std::map<std::string, double> values;
  for (absl::string_view line : absl::StrSplit(metrics.Text(), '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, ' ');
    EXPECT_TRUE(absl::SimpleAtod(parts.second, &values[parts.first])) << line;
  }
  return values;
}

TEST(ProcessTest, TellsWhatItIsAndUses) {
  const auto metrics = Metrics::Unserved();
  TellOfProcess(*metrics, "1.2.3");
  std::map<std::string, double> values = Read(*metrics);
  EXPECT_EQ(values["rapport_build_info{version=\"1.2.3\"}"], 1);
  EXPECT_GT(values[metric::kProcessMemory], 1 << 20);
  EXPECT_LT(values[metric::kProcessMemory], 1e12);
  EXPECT_GE(values[metric::kProcessFiles], 3);
  EXPECT_GE(values[metric::kProcessMostFiles], values[metric::kProcessFiles]);
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_LE(values[metric::kProcessStart], now);
  EXPECT_GT(values[metric::kProcessStart], now - 3600);

  const double before = values[metric::kProcessCpu];
  while (Read(*metrics)[metric::kProcessCpu] == before) {
  }
  EXPECT_THAT(metrics->Text(), ::testing::HasSubstr("# TYPE process_cpu_seconds_total counter"));
}

}  // namespace
}  // namespace rapport::telemetry
