// Zones under other rules than the system's: these tests load theirs from a directory of their own.
#include "services/scheduling/domain/time_at_risk.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/time/zones.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

namespace fs = std::filesystem;

class TimeAtRiskTest : public ::testing::Test {
 protected:
  // Mexico City has gone back to summer time, as Chicago's; Kathmandu's file is damaged; Nuuk is
  // gone. Must come before any zone is loaded: they are kept for the life of the process.
  static void SetUpTestSuite() {
    const char* given = ::getenv("TZDIR");
    const fs::path system = given != nullptr && *given != '\0' ? given : "/usr/share/zoneinfo";
    directory_ = absl::StrCat(::testing::TempDir(), "tz-at-risk-", ::getpid());
    fs::create_directories(directory_ / "America");
    fs::create_directories(directory_ / "Asia");
    const auto copy = [&](const std::string& from, const std::string& to) {
      fs::copy_file(system / from, directory_ / to, fs::copy_options::overwrite_existing);
    };
    copy("America/New_York", "America/New_York");
    copy("America/Chicago", "America/Mexico_City");
    std::ofstream(directory_ / "Asia/Kathmandu") << "TZif2, but no more";
    std::ofstream(directory_ / "tzdata.zi") << "# version 2027c\n";
    ASSERT_EQ(::setenv("TZDIR", directory_.c_str(), 1), 0);
  }
  static void TearDownTestSuite() { fs::remove_all(directory_); }

  static StoredTime Stored(const std::string& zone, absl::CivilDay date, int hour, int minute,
                           const std::string& start) {
    return {date, hour * 60 + minute, zone, At(start), At(start) + absl::Minutes(50), "2025b"};
  }

  static inline fs::path directory_;
};

TEST_F(TimeAtRiskTest, TheVersionInUseIsThatOfTheDirectory) {
  EXPECT_EQ(time::TzdataVersion(), "2027c");
}

TEST_F(TimeAtRiskTest, AnAgreedTimeThatBecameAnotherInstantIsAtRiskWithItsNewOne) {
  // Agreed at -6 for a July at -5.
  const StoredTime stored =
      Stored("America/Mexico_City", absl::CivilDay(2027, 7, 1), 10, 0, "2027-07-01T16:00:00Z");
  const TimeCheck check = CheckStoredTime(stored, time::TzdataVersion());
  EXPECT_EQ(check.outcome, TimeOutcome::kMoved);
  EXPECT_EQ(check.would_start, At("2027-07-01T15:00:00Z"));
  EXPECT_EQ(check.would_end, At("2027-07-01T15:50:00Z"));
  EXPECT_FALSE(check.note_version);
}

TEST_F(TimeAtRiskTest, WhereTheInstantStaysOnlyTheVersionIsToBeNoted) {
  StoredTime stored =
      Stored("America/Mexico_City", absl::CivilDay(2027, 1, 14), 10, 0, "2027-01-14T16:00:00Z");
  TimeCheck check = CheckStoredTime(stored, time::TzdataVersion());
  EXPECT_EQ(check.outcome, TimeOutcome::kSame);
  EXPECT_TRUE(check.note_version);
  stored.tzdata_version = "2027c";
  check = CheckStoredTime(stored, time::TzdataVersion());
  EXPECT_EQ(check.outcome, TimeOutcome::kSame);
  EXPECT_FALSE(check.note_version);
}

TEST_F(TimeAtRiskTest, GapsAndFoldsThatCameUpFollowTheTimeRule) {
  // 02:30 of 14 March 2027 is skipped now: by the offset before, as agreed.
  EXPECT_EQ(CheckStoredTime(Stored("America/Mexico_City", absl::CivilDay(2027, 3, 14), 2, 30,
                                   "2027-03-14T08:30:00Z"),
                            "2027c")
                .outcome,
            TimeOutcome::kSame);
  // 01:30 of 7 November 2027 happens twice now: the first is meant, an hour before.
  const TimeCheck fold = CheckStoredTime(
      Stored("America/Mexico_City", absl::CivilDay(2027, 11, 7), 1, 30, "2027-11-07T07:30:00Z"),
      "2027c");
  EXPECT_EQ(fold.outcome, TimeOutcome::kMoved);
  EXPECT_EQ(fold.would_start, At("2027-11-07T06:30:00Z"));
}

TEST_F(TimeAtRiskTest, AZoneWhoseRulesStandIsTheSameAlsoAtItsOwnGap) {
  EXPECT_EQ(CheckStoredTime(Stored("America/New_York", absl::CivilDay(2027, 3, 14), 2, 30,
                                   "2027-03-14T07:30:00Z"),
                            "2027c")
                .outcome,
            TimeOutcome::kSame);
}

TEST_F(TimeAtRiskTest, TheVersionAloneNeverHidesAMove) {
  StoredTime stored =
      Stored("America/Mexico_City", absl::CivilDay(2027, 7, 1), 10, 0, "2027-07-01T16:00:00Z");
  stored.tzdata_version = "unknown";
  EXPECT_EQ(CheckStoredTime(stored, "unknown").outcome, TimeOutcome::kMoved);
}

TEST_F(TimeAtRiskTest, AZoneThatNoLongerLoadsIsAtRisk) {
  for (const std::string zone : {"America/Nuuk", "Asia/Kathmandu", ""}) {
    const TimeCheck check = CheckStoredTime(
        Stored(zone, absl::CivilDay(2027, 7, 1), 10, 0, "2027-07-01T12:00:00Z"), "2027c");
    EXPECT_EQ(check.outcome, TimeOutcome::kZoneGone) << zone;
    EXPECT_FALSE(check.note_version) << zone;
  }
}

}  // namespace
}  // namespace rapport::scheduling
