#include "tools/rapportctl/story/chart.h"

#include "gtest/gtest.h"

namespace rapport::story {
namespace {

Chart Small() {
  Chart chart;
  chart.max = 8;
  chart.columns = {{"1", 8.0}, {"2", 5.0}, {"3", std::nullopt}, {"4", 6.0, true}, {"5", 0.0}};
  chart.bands = {{0, 4, "mild"}, {5, 8, "severe"}};
  chart.thresholds = {{5, "case ≥5"}};
  return chart;
}

TEST(ChartTest, ABarIsAsHighAsItsTotalToTheHalfRow) {
  EXPECT_EQ(Draw(Small(), false),
            "       │ ███\n"
            "     5 ┤┄███┄▄▄▄┄┄┄┄┄░░░┄┄┄┄┄ severe 5–8, case ≥5\n"
            "       │ ███ ███     ░░░\n"
            "     0 ┤ ███ ███     ░░░ ▁▁▁  mild 0–4\n"
            "       └─────────────────────\n"
            "  total    8   5       6   0\n"
            "session    1   2   3   4   5\n");
}

TEST(ChartTest, PlainAsciiWhereAskedFor) {
  EXPECT_EQ(Draw(Small(), true),
            "       | ###\n"
            "     5 +-###-___-----:::----- severe 5-8, case ≥5\n"
            "       | ### ###     :::\n"
            "     0 + ### ###     ::: ___  mild 0-4\n"
            "       +---------------------\n"
            "  total    8   5       6   0\n"
            "session    1   2   3   4   5\n");
}

TEST(ChartTest, ManyAdministrationsStayWithinTheLine) {
  Chart chart;
  chart.max = 100;
  for (int i = 1; i <= 50; ++i) chart.columns.push_back({std::to_string(i), 2.0 * i});
  const std::string drawn = Draw(chart, true);
  size_t start = 0;
  while (start < drawn.size()) {
    const size_t end = drawn.find('\n', start);
    EXPECT_LE(end - start, 100u);
    start = end + 1;
  }
  EXPECT_NE(drawn.find("50\n"), std::string::npos);
}

}  // namespace
}  // namespace rapport::story
