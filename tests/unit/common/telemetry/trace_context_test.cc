#include "common/telemetry/trace_context.h"

#include "gtest/gtest.h"

namespace rapport::telemetry {
namespace {

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSpan[] = "00f067aa0ba902b7";
constexpr char kHeader[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContextTest, ReadsTheExampleOfTheStandard) {
  const auto context = TraceContext::Parse(kHeader);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, kTrace);
  EXPECT_EQ(context->span_id, kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->ToHeader(), kHeader);
}

TEST(TraceContextTest, ACallContinuesItsCallersTrace) {
  const TraceContext context = TraceContext::FromHeader(absl::string_view(kHeader));
  EXPECT_EQ(context.trace_id, kTrace);
  EXPECT_NE(context.span_id, kSpan);
  EXPECT_EQ(context.span_id.size(), 16u);
  EXPECT_TRUE(context.sampled);
  const TraceContext child = context.Child();
  EXPECT_EQ(child.trace_id, kTrace);
  EXPECT_NE(child.span_id, context.span_id);
}

TEST(TraceContextTest, WithoutAHeaderATraceBegins) {
  const TraceContext one = TraceContext::FromHeader(std::nullopt);
  const TraceContext other = TraceContext::FromHeader(absl::string_view("garbage"));
  EXPECT_NE(one.trace_id, other.trace_id);
  EXPECT_FALSE(one.sampled);
  EXPECT_TRUE(TraceContext::Parse(one.ToHeader())) << one.ToHeader();
}

TEST(TraceContextTest, UnknownFlagsAndLaterVersionsAreReadAsFarAsKnown) {
  const auto flags = TraceContext::Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe");
  ASSERT_TRUE(flags);
  EXPECT_FALSE(flags->sampled);
  const auto later =
      TraceContext::Parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-follows");
  ASSERT_TRUE(later);
  EXPECT_EQ(later->ToHeader(), kHeader);
}

TEST(TraceContextTest, RejectsWhatTheStandardForbids) {
  for (const char* bad : {
           "",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
       }) {
    EXPECT_FALSE(TraceContext::Parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace rapport::telemetry
