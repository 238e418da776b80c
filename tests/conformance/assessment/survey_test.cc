#include "services/assessment/rpc/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::HasSubstr;

class AssessmentSurveyTest : public WorldTest {
 protected:
  std::string Told() {
    const auto metrics = telemetry::Metrics::Unserved();
    work::Survey survey(world.database(), world.clock, *metrics, SurveyFigures(), LookAtAlerts);
    const absl::Status status = survey.RunOnce();
    EXPECT_TRUE(status.ok()) << status;
    return metrics->Text();
  }
};

TEST_P(AssessmentSurveyTest, CountsTheAlertsThatStandAndHowOldTheyAre) {
  constexpr char kOpen[] = "{severity=\"same_day\",state=\"open\"} ";
  constexpr char kAcknowledged[] = "{severity=\"same_day\",state=\"acknowledged\"} ";
  EXPECT_THAT(Told(), HasSubstr(absl::StrCat("rapport_alerts_unresolved", kOpen, "0\n")));
  const auto recorded = world.Record("phq-9", "000000001");
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  world.clock.Advance(absl::Minutes(3));
  std::string told = Told();
  EXPECT_THAT(told, HasSubstr(absl::StrCat("rapport_alerts_unresolved", kOpen, "1\n")));
  EXPECT_THAT(told, HasSubstr(absl::StrCat("rapport_alerts_oldest_age_seconds", kOpen, "180\n")));
  EXPECT_THAT(told, HasSubstr("rapport_alerts_unacknowledged_late{severity=\"same_day\"} 0\n"));

  world.clock.Advance(absl::Hours(24));
  EXPECT_THAT(Told(), HasSubstr("rapport_alerts_unacknowledged_late{severity=\"same_day\"} 1\n"));
  world.Work();  // escalates: others have time again, and nobody has acknowledged it
  EXPECT_THAT(Told(), HasSubstr("rapport_alerts_unacknowledged_late{severity=\"same_day\"} 1\n"));

  v1::AcknowledgeAlertRequest request;
  request.set_name(recorded->assessment().alerts(0));
  ASSERT_TRUE(world.alerts.AcknowledgeAlert(world.By("ada"), request).ok());
  told = Told();
  EXPECT_THAT(told, HasSubstr(absl::StrCat("rapport_alerts_unresolved", kOpen, "0\n")));
  EXPECT_THAT(told, HasSubstr(absl::StrCat("rapport_alerts_unresolved", kAcknowledged, "1\n")));
  EXPECT_THAT(told, HasSubstr("rapport_alerts_unacknowledged_late{severity=\"same_day\"} 0\n"));
}

INSTANTIATE_TEST_SUITE_P(Engines, AssessmentSurveyTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
