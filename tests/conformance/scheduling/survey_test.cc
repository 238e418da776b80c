#include "services/scheduling/rpc/survey.h"

#include "tests/conformance/scheduling/background.h"

namespace rapport::scheduling {
namespace {

using ::testing::HasSubstr;

class SchedulingSurveyTest : public BackgroundTest {};

TEST_P(SchedulingSurveyTest, CountsWhoWaitsAndHowLong) {
  const auto told = [&] {
    time::ManualClock clock(now_);
    const auto metrics = telemetry::Metrics::Unserved();
    work::Survey survey(*database_, clock, *metrics, SurveyFigures(), LookAtWaitlist);
    const absl::Status status = survey.RunOnce();
    EXPECT_TRUE(status.ok()) << status;
    return metrics->Text();
  };
  Joined(Active("a"), "urgency: WAITLIST_URGENCY_URGENT");
  Advance(absl::Minutes(10));
  Joined(Active("b"), "urgency: WAITLIST_URGENCY_URGENT");
  Joined(Active("c"));
  const std::string text = told();
  EXPECT_THAT(text, HasSubstr("rapport_waitlist_waiting{urgency=\"urgent\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("rapport_waitlist_oldest_age_seconds{urgency=\"urgent\"} 600\n"));
  EXPECT_THAT(text, HasSubstr("rapport_waitlist_waiting{urgency=\"routine\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rapport_waitlist_waiting{urgency=\"soon\"} 0\n"));
}

INSTANTIATE_ON_ENGINES(SchedulingSurveyTest);

}  // namespace
}  // namespace rapport::scheduling
