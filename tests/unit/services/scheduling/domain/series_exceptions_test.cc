#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "rapport/scheduling/v1/group_service.pb.h"
#include "services/scheduling/domain/series.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;

// Weekly from Monday 2 February 2026 at 14:00, four times.
absl::StatusOr<std::vector<SeriesSession>> Expanded(const std::string& exceptions) {
  const auto request = Parse<v1::BookGroupSessionsRequest>(exceptions);
  std::vector<int> offsets;
  for (int i = 0; i < 4 + request.exceptions_size(); ++i) offsets.push_back(7 * i);
  SeriesRule rule;
  rule.first = absl::CivilDay(2026, 2, 2);
  rule.minute_of_day = 14 * 60;
  rule.count = 4;
  rule.day_offsets = offsets;
  return ExpandSeries(rule, request.exceptions());
}

std::vector<std::string> Told(const absl::StatusOr<std::vector<SeriesSession>>& sessions) {
  if (!sessions.ok()) {
    const auto faults = errors::FieldViolations(sessions.status());
    return {faults.empty() ? sessions.status().ToString() : faults[0].field};
  }
  std::vector<std::string> told;
  for (const SeriesSession& session : *sessions) {
    told.push_back(absl::StrCat(session.date.month(), "-", session.date.day(), " ",
                                session.minute_of_day / 60, ":", session.minute_of_day % 60,
                                session.modality == v1::MODALITY_VIDEO ? " video" : ""));
  }
  return told;
}

TEST(SeriesExceptionsTest, WithoutExceptionsTheRuleHolds) {
  EXPECT_THAT(Told(Expanded("")), ElementsAre("2-2 14:0", "2-9 14:0", "2-16 14:0", "2-23 14:0"));
}

TEST(SeriesExceptionsTest, ASkippedSessionIsMadeUpForAtTheEnd) {
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 2 day: 9 } skip: true }")),
              ElementsAre("2-2 14:0", "2-16 14:0", "2-23 14:0", "3-2 14:0"));
}

TEST(SeriesExceptionsTest, WhatMakesUpForASkippedOneMayBeMovedItself) {
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 3 day: 2 } moved_date { year: "
                            "2026 month: 3 day: 3 } } exceptions { date { year: 2026 month: 2 day: "
                            "9 } skip: true }")),
              ElementsAre("2-2 14:0", "2-16 14:0", "2-23 14:0", "3-3 14:0"));
}

TEST(SeriesExceptionsTest, AMovedSessionTakesItsPlaceByTime) {
  EXPECT_THAT(
      Told(Expanded(
          "exceptions { date { year: 2026 month: 2 day: 16 } moved_date { year: 2026 "
          "month: 2 day: 5 } moved_time { hours: 9 minutes: 30 } modality: MODALITY_VIDEO }")),
      ElementsAre("2-2 14:0", "2-5 9:30 video", "2-9 14:0", "2-23 14:0"));
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 2 day: 16 } moved_time { hours: "
                            "10 } }")),
              ElementsAre("2-2 14:0", "2-9 14:0", "2-16 10:0", "2-23 14:0"));
}

TEST(SeriesExceptionsTest, WhatIsNoneOfTheSeriesIsRefusedWithItsField) {
  const std::string ninth = "exceptions { date { year: 2026 month: 2 day: 9 } skip: true }";
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 2 day: 10 } skip: true }")),
              ElementsAre("exceptions[0].date"));
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 3 day: 2 } skip: true }")),
              ElementsAre("exceptions[0].date"));
  EXPECT_THAT(Told(Expanded(ninth + ninth)), ElementsAre("exceptions[1].date"));
  EXPECT_THAT(Told(Expanded("exceptions { skip: true }")), ElementsAre("exceptions[0].date"));
  EXPECT_THAT(
      Told(Expanded("exceptions { date { year: 2026 month: 2 day: 9 } skip: true moved_time "
                    "{ hours: 9 } }")),
      ElementsAre("exceptions[0].skip"));
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 2 day: 9 } moved_date { year: "
                            "2026 month: 2 day: 30 } }")),
              ElementsAre("exceptions[0].moved_date"));
  EXPECT_THAT(Told(Expanded("exceptions { date { year: 2026 month: 2 day: 9 } moved_time { hours: "
                            "24 } }")),
              ElementsAre("exceptions[0].moved_time"));
}

}  // namespace
}  // namespace rapport::scheduling
