#include "common/time/clock.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace rapport::time {
namespace {

absl::Time Utc(const char* text) {
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) << text;
  return time;
}

class DevelopmentClockTest : public testing::Test {
 protected:
  DevelopmentClockTest() : path_(absl::StrCat(testing::TempDir(), "clock-", getpid(), ".txt")) {}
  ~DevelopmentClockTest() override { unlink(path_.c_str()); }

  void Replace(const std::string& content) {
    const std::string fresh = path_ + ".new";
    std::ofstream(fresh) << content;
    ASSERT_EQ(std::rename(fresh.c_str(), path_.c_str()), 0);
  }

  const std::string path_;
};

TEST(RealClockTest, IsTheSystemsInWholeMicroseconds) {
  const absl::Time before = absl::Now() - absl::Microseconds(1);
  const absl::Time now = RealClock().Now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, absl::Now());
  EXPECT_EQ(now, absl::FromUnixMicros(absl::ToUnixMicros(now)));
}

TEST_F(DevelopmentClockTest, FollowsItsFileForwardsAndBackwards) {
  Replace("2026-03-08T02:30:00-05:00\n");
  auto clock = DevelopmentClock::Make(path_);
  ASSERT_TRUE(clock.ok()) << clock.status();
  EXPECT_EQ((*clock)->Now(), Utc("2026-03-08T07:30:00Z"));
  Replace("2026-06-01T00:00:00.123456Z");
  EXPECT_EQ((*clock)->Now(), Utc("2026-06-01T00:00:00.123456Z"));
  Replace("2025-01-01T00:00:00Z");
  EXPECT_EQ((*clock)->Now(), Utc("2025-01-01T00:00:00Z"));
}

TEST_F(DevelopmentClockTest, StandsWhileItsFileIsBrokenOrGone) {
  Replace("2026-06-01T00:00:00Z");
  auto clock = DevelopmentClock::Make(path_);
  ASSERT_TRUE(clock.ok());
  for (const char* broken : {"", "tomorrow", "2026-13-01T00:00:00Z", "infinite-future"}) {
    Replace(broken);
    EXPECT_EQ((*clock)->Now(), Utc("2026-06-01T00:00:00Z")) << broken;
  }
  unlink(path_.c_str());
  EXPECT_EQ((*clock)->Now(), Utc("2026-06-01T00:00:00Z"));
  Replace("2026-06-02T00:00:00Z");
  EXPECT_EQ((*clock)->Now(), Utc("2026-06-02T00:00:00Z"));
}

TEST_F(DevelopmentClockTest, NeedsAnInstantToStart) {
  EXPECT_EQ(DevelopmentClock::Make(path_).status().code(), absl::StatusCode::kInvalidArgument);
  Replace("noon");
  EXPECT_EQ(DevelopmentClock::Make(path_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ManualClockTest, MovesOnlyWhenTold) {
  ManualClock clock(Utc("2026-06-01T00:00:00Z"));
  EXPECT_EQ(clock.Now(), clock.Now());
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(clock.Now(), Utc("2026-06-01T01:00:00Z"));
  clock.Set(Utc("2020-01-01T00:00:00Z"));
  EXPECT_EQ(clock.Now(), Utc("2020-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace rapport::time
