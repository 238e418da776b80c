#include "common/sql/observed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/tracing.h"
#include "tests/conformance/sql/ledger.h"
#include "tests/support/postgres/databases.h"

namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Kept final : public telemetry::Tracer {
 public:
  bool Samples(const telemetry::TraceContext&) const override { return true; }
  void Take(telemetry::Span span) override { spans.push_back(std::move(span)); }
  std::vector<telemetry::Span> spans;
};

class ObservedTest : public ::testing::TestWithParam<DatabaseFactory> {
 protected:
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  std::unique_ptr<Database> database_ = Observe(GetParam().make(), *metrics_);
};

TEST_P(ObservedTest, TransactionsAreCountedByHowTheyEnd) {
  ASSERT_TRUE(AddAccount(*database_, "acme", "a", 5).ok());
  EXPECT_EQ(Balance(*database_, "acme", "a"), 5);
  EXPECT_TRUE(absl::IsAlreadyExists(AddAccount(*database_, "acme", "a", 5)));
  EXPECT_TRUE(
      database_->Read(Access::Feed(), Soon(), [](Session&) { return absl::OkStatus(); }).ok());
  const std::string text = metrics_->Text();
  const auto counts = [&](const char* labels, int count) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("rapport_database_transactions_total{", labels, "} ",
                                             count, "\n")));
  };
  counts("code=\"OK\",operation=\"write\",reach=\"tenant\"", 1);
  counts("code=\"ALREADY_EXISTS\",operation=\"write\",reach=\"tenant\"", 1);
  counts("code=\"OK\",operation=\"read\",reach=\"tenant\"", 1);
  counts("code=\"OK\",operation=\"read\",reach=\"feed\"", 1);
  EXPECT_THAT(text, HasSubstr("rapport_database_transaction_seconds_count{operation=\"write\","
                              "reach=\"tenant\"} 2\n"));
}

TEST_P(ObservedTest, InASampledCallATransactionIsASpanWithItsStatementsAndNoValue) {
  Kept kept;
  telemetry::TraceContext call = telemetry::TraceContext::New();
  call.sampled = true;
  {
    const telemetry::TraceScope scope(&kept, call);
    ASSERT_TRUE(AddAccount(*database_, "acme", "CanaryZQX", 5).ok());
    EXPECT_EQ(Balance(*database_, "acme", "CanaryZQX"), 5);
    EXPECT_FALSE(database_
                     ->Read(Access::Tenant("acme"), Soon(),
                            [](Session&) { return errors::NotFound("Account"); })
                     .ok());
  }
  EXPECT_EQ(Balance(*database_, "acme", "a"), -1) << "and after the call none is";
  ASSERT_THAT(kept.spans, SizeIs(3));
  EXPECT_EQ(kept.spans[0].name, "database write");
  EXPECT_THAT(kept.spans[0].statements, ElementsAre("test.account.insert"));
  EXPECT_EQ(kept.spans[0].context.trace_id, call.trace_id);
  EXPECT_EQ(kept.spans[0].context.parent_span_id, call.span_id);
  EXPECT_THAT(kept.spans[1].statements, ElementsAre("test.account.balance"));
  EXPECT_EQ(kept.spans[2].code, absl::StatusCode::kNotFound);
  for (const telemetry::Span& span : kept.spans) {
    EXPECT_LE(span.start_time, span.end_time);
    for (const auto& [key, value] : span.attributes) {
      EXPECT_EQ(value.find("CanaryZQX"), std::string::npos) << key;
    }
  }
}

TEST_P(ObservedTest, ACallThatIsNotSampledMakesNoSpan) {
  Kept kept;
  const telemetry::TraceContext call = telemetry::TraceContext::New();
  const telemetry::TraceScope scope(&kept, call);
  EXPECT_EQ(Balance(*database_, "acme", "a"), -1);
  EXPECT_THAT(kept.spans, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, ObservedTest, ::testing::ValuesIn(AllEngines({Ledger()})),
                         EngineName);

}  // namespace
}  // namespace rapport::sql::testing
