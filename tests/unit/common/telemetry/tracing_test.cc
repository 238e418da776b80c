#include "common/telemetry/tracing.h"

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::telemetry {
namespace {

using ::testing::SizeIs;

class Kept final : public Tracer {
 public:
  bool Samples(const TraceContext&) const override { return true; }
  void Take(Span span) override { spans.push_back(std::move(span)); }
  std::vector<Span> spans;
};

TraceContext Sampled() {
  TraceContext context = TraceContext::New();
  context.sampled = true;
  return context;
}

bool Recorded() {
  OpenSpan span(SpanKind::kInternal, "part");
  const bool recorded = span.recorded();
  span.End(absl::StatusCode::kOk);
  return recorded;
}

TEST(TracingTest, AChildKnowsItsParent) {
  const TraceContext context = TraceContext::New();
  EXPECT_EQ(context.parent_span_id, "");
  EXPECT_EQ(context.Child().parent_span_id, context.span_id);
  EXPECT_EQ(TraceContext::FromHeader(context.ToHeader()).parent_span_id, context.span_id);
  EXPECT_EQ(TraceContext::FromHeader(absl::string_view("nonsense")).parent_span_id, "");
}

TEST(TracingTest, TheShareThatIsSampledIsTheRatioAndTheSameEverywhere) {
  int sampled = 0;
  for (int i = 0; i < 20000; ++i) {
    const TraceContext context = TraceContext::New();
    EXPECT_FALSE(InSample(context, 0));
    EXPECT_TRUE(InSample(context, 1));
    EXPECT_EQ(InSample(context, 0.25), InSample(context.Child(), 0.25));
    if (InSample(context, 0.25)) ++sampled;
  }
  EXPECT_GT(sampled, 4500);  // 8 standard deviations
  EXPECT_LT(sampled, 5500);
}

TEST(TracingTest, OnlyTheThreadInTheScopeOfASampledCallRecords) {
  Kept kept;
  const TraceContext call = Sampled();
  EXPECT_FALSE(Recorded());
  {
    const TraceScope scope(&kept, call);
    EXPECT_TRUE(Recorded());
    bool other = true;
    std::thread([&] { other = Recorded(); }).join();
    EXPECT_FALSE(other);
    {
      const TraceContext inner = Sampled();
      const TraceScope within(&kept, inner);
      EXPECT_TRUE(Recorded());
      EXPECT_EQ(kept.spans.back().context.trace_id, inner.trace_id);
    }
    EXPECT_TRUE(Recorded());
    EXPECT_EQ(kept.spans.back().context.trace_id, call.trace_id);
  }
  EXPECT_FALSE(Recorded());
  const TraceScope without(nullptr, call);
  EXPECT_FALSE(Recorded());
  EXPECT_THAT(kept.spans, SizeIs(3));
}

TEST(TracingTest, StatementsAreBounded) {
  Kept kept;
  const TraceContext call = Sampled();
  const TraceScope scope(&kept, call);
  OpenSpan span(SpanKind::kClient, "database write");
  for (int i = 0; i < 1000; ++i) span.AddStatement("a.b");
  span.End(absl::StatusCode::kOk);
  span.End(absl::StatusCode::kOk);
  ASSERT_THAT(kept.spans, SizeIs(1));
  EXPECT_THAT(kept.spans[0].statements, SizeIs(65));
  EXPECT_EQ(kept.spans[0].statements.back(), "and 936");
}

}  // namespace
}  // namespace rapport::telemetry
