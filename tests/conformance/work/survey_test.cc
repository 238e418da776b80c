#include "common/work/survey.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/work/work.h"
#include "tests/support/postgres/databases.h"

namespace rapport::work {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const sql::Statement kKnow{"test.survey.know", R"sql(
  INSERT INTO organization (organization_id, state, create_time) VALUES ($1, 'ACTIVE', 0))sql"};

class SurveyTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  void Know(const std::string& organization) {
    const absl::Status status =
        database_->Write(sql::Access::Tenant(organization), absl::Now() + absl::Seconds(30),
                         [&](sql::Transaction& tx) {
                           tx.Defer(kKnow, {sql::Text(organization)});
                           return absl::OkStatus();
                         });
    EXPECT_TRUE(status.ok()) << status;
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  time::ManualClock clock_{absl::FromUnixSeconds(1'772'000'000)};
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  std::map<std::string, double> found_;
  bool broken_ = false;
  Survey survey_{*database_,
                 clock_,
                 *metrics_,
                 {{"rapport_test_sum", "Sum.", {"kind"}, {{"a"}, {"b"}}},
                  {"rapport_test_largest", "Largest."}},
                 [this](sql::Session&, const std::string& organization, absl::Time now,
                        Tally& tally) -> absl::Status {
                   EXPECT_EQ(now, clock_.Now());
                   if (broken_ && organization == "two") return errors::Internal("broken");
                   tally.Add("rapport_test_sum", {"a"}, found_[organization]);
                   tally.Add("rapport_test_sum", {"organization-name"}, 1);
                   tally.Largest("rapport_test_largest", {}, found_[organization]);
                   return absl::OkStatus();
                 }};
};

TEST_P(SurveyTest, TellsWhatAllOrganisationsComeToAndForgetsWhatIsGone) {
  Know("one");
  Know("two");
  found_ = {{"one", 3}, {"two", 4}};
  ASSERT_TRUE(survey_.RunOnce().ok());
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_test_sum{kind=\"a\"} 7\n"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_test_sum{kind=\"b\"} 0\n"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_test_largest 4\n"));
  EXPECT_THAT(metrics_->Text(), Not(HasSubstr("organization-name")));
  found_ = {};
  ASSERT_TRUE(survey_.RunOnce().ok());
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_test_sum{kind=\"a\"} 0\n"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_test_largest 0\n"));
}

TEST_P(SurveyTest, AnOrganisationThatCanNotBeReadLeavesTheFiguresAsTheyWere) {
  Know("one");
  Know("two");
  found_ = {{"one", 3}, {"two", 4}};
  ASSERT_TRUE(survey_.RunOnce().ok());
  broken_ = true;
  found_["one"] = 100;
  EXPECT_FALSE(survey_.RunOnce().ok());
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_test_sum{kind=\"a\"} 7\n"));
}

INSTANTIATE_TEST_SUITE_P(Engines, SurveyTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::work
