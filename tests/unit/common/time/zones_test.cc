#include "common/time/zones.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rapport::time {
namespace {

struct Row {
  const char* zone;
  const char* local;
  const char* utc;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.zone << " " << row.local;
}

class ResolveLocalTest : public testing::TestWithParam<Row> {};

TEST_P(ResolveLocalTest, GivesTheInstantCheckedByHand) {
  const Row& row = GetParam();
  const auto zone = LoadZone(row.zone);
  ASSERT_TRUE(zone.ok()) << row.zone;
  absl::CivilSecond local;
  ASSERT_TRUE(absl::ParseCivilTime(row.local, &local));
  EXPECT_EQ(absl::FormatTime("%Y-%m-%dT%H:%MZ", ResolveLocal(local, *zone), absl::UTCTimeZone()),
            row.utc);
}

constexpr Row kRows[] = {
    // A weekly 10:00 over the change to summer time, 8 March 2026 at 02:00 EST (-5) to EDT (-4).
    {"America/New_York", "2026-03-01T10:00:00", "2026-03-01T15:00Z"},
    {"America/New_York", "2026-03-08T10:00:00", "2026-03-08T14:00Z"},
    {"America/New_York", "2026-03-15T10:00:00", "2026-03-15T14:00Z"},
    // The gap: -5 still applies, so 02:30 is 03:30 EDT. Its edges.
    {"America/New_York", "2026-03-08T01:59:00", "2026-03-08T06:59Z"},
    {"America/New_York", "2026-03-08T02:00:00", "2026-03-08T07:00Z"},
    {"America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30Z"},
    {"America/New_York", "2026-03-08T03:00:00", "2026-03-08T07:00Z"},
    // The afternoon of that day.
    {"America/New_York", "2026-03-08T13:00:00", "2026-03-08T17:00Z"},
    {"America/New_York", "2026-03-08T14:30:00", "2026-03-08T18:30Z"},
    // The fold of 1 November 2026: the first 01:30, still EDT. Then the afternoon.
    {"America/New_York", "2026-11-01T00:59:00", "2026-11-01T04:59Z"},
    {"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30Z"},
    {"America/New_York", "2026-11-01T02:00:00", "2026-11-01T07:00Z"},
    {"America/New_York", "2026-11-01T13:00:00", "2026-11-01T18:00Z"},
    {"America/New_York", "2026-11-01T14:30:00", "2026-11-01T19:30Z"},
    {"America/New_York", "2026-10-25T10:00:00", "2026-10-25T14:00Z"},
    {"America/New_York", "2026-11-08T10:00:00", "2026-11-08T15:00Z"},
    // London changes three weeks after New York in spring, one before in autumn.
    {"Europe/London", "2026-03-22T09:00:00", "2026-03-22T09:00Z"},
    {"Europe/London", "2026-03-29T01:30:00", "2026-03-29T01:30Z"},
    {"Europe/London", "2026-03-29T09:00:00", "2026-03-29T08:00Z"},
    {"Europe/London", "2026-10-25T01:30:00", "2026-10-25T00:30Z"},
    {"Europe/London", "2026-10-25T09:00:00", "2026-10-25T09:00Z"},
    // Lord Howe moves by half an hour, +10:30 to +11 and back.
    {"Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45Z"},
    {"Australia/Lord_Howe", "2026-04-05T10:00:00", "2026-04-04T23:30Z"},
    {"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45Z"},
    {"Australia/Lord_Howe", "2026-10-04T10:00:00", "2026-10-03T23:00Z"},
    // +5:45, no summer time.
    {"Asia/Kathmandu", "2026-06-01T10:00:00", "2026-06-01T04:15Z"},
    {"Asia/Kathmandu", "2026-12-01T10:00:00", "2026-12-01T04:15Z"},
    // Samoa skipped 30 December 2011 (-10 to +14): that day's 10:00 is the next day's.
    {"Pacific/Apia", "2011-12-29T10:00:00", "2011-12-29T20:00Z"},
    {"Pacific/Apia", "2011-12-30T10:00:00", "2011-12-30T20:00Z"},
    {"Pacific/Apia", "2011-12-31T10:00:00", "2011-12-30T20:00Z"},
    // Morocco is at +1 but for Ramadan (15 February to 22 March 2026).
    {"Africa/Casablanca", "2026-02-14T10:00:00", "2026-02-14T09:00Z"},
    {"Africa/Casablanca", "2026-02-20T10:00:00", "2026-02-20T10:00Z"},
    {"Africa/Casablanca", "2026-03-23T10:00:00", "2026-03-23T09:00Z"},
    // Brazil gave up summer time in 2019, most of Mexico in 2022.
    {"America/Sao_Paulo", "2018-12-01T10:00:00", "2018-12-01T12:00Z"},
    {"America/Sao_Paulo", "2026-12-01T10:00:00", "2026-12-01T13:00Z"},
    {"America/Mexico_City", "2022-07-01T10:00:00", "2022-07-01T15:00Z"},
    {"America/Mexico_City", "2023-07-01T10:00:00", "2023-07-01T16:00Z"},
    // A gap that swallows midnight (Chile, 6 September 2026, -4 to -3).
    {"America/Santiago", "2026-09-05T23:59:00", "2026-09-06T03:59Z"},
    {"America/Santiago", "2026-09-06T00:30:00", "2026-09-06T04:30Z"},
    {"America/Santiago", "2026-09-06T01:00:00", "2026-09-06T04:00Z"},
    // No change at all.
    {"America/Phoenix", "2026-03-08T02:30:00", "2026-03-08T09:30Z"},
    {"UTC", "2026-03-08T02:30:00", "2026-03-08T02:30Z"},
};

INSTANTIATE_TEST_SUITE_P(Table, ResolveLocalTest, testing::ValuesIn(kRows));

TEST(LoadZoneTest, TakesIanaNames) {
  for (const char* name : {"America/New_York", "America/Argentina/Buenos_Aires", "Etc/GMT+5",
                           "America/Port-au-Prince", "UTC", "Europe/Kyiv"}) {
    EXPECT_TRUE(IsZone(name)) << name;
  }
}

TEST(LoadZoneTest, RefusesEverythingElse) {
  for (const char* name : {"",
                           "localtime",
                           "Fixed/UTC+05:00:00",
                           "America/Nowhere",
                           "america/new_york",
                           "+05:00",
                           "/usr/share/zoneinfo/UTC",
                           "../zoneinfo/UTC",
                           "America/../UTC",
                           "file:UTC",
                           "libc:UTC",
                           "right/UTC",
                           "posix/UTC",
                           "posixrules",
                           "Factory",
                           "America",
                           "tzdata.zi",
                           "zone.tab",
                           "America/New_York ",
                           "EST5EDT4,M3.2.0,M11.1.0"}) {
    const auto zone = LoadZone(name);
    EXPECT_EQ(zone.status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(IsZone(absl::string_view("UTC\0", 4)));
  EXPECT_FALSE(IsZone(std::string(1000, 'A')));
}

TEST(TzdataVersionTest, IsWhatTheDirectorySays) {
  const std::string directory = absl::StrCat(testing::TempDir(), "tz-", getpid());
  std::filesystem::create_directories(directory);
  const auto write = [&](const std::string& text) {
    std::ofstream(directory + "/tzdata.zi") << text;
  };
  EXPECT_EQ(ReadTzdataVersion(directory), "unknown");
  write("# version 2024a\nR A 1916 o - Jun 14 23s 1 S\n");
  EXPECT_EQ(ReadTzdataVersion(directory), "2024a");
  write("# version 2026b-dirty  \n");
  EXPECT_EQ(ReadTzdataVersion(directory), "2026b-dirty");
  write("R A 1916 o - Jun 14 23s 1 S\n");
  EXPECT_EQ(ReadTzdataVersion(directory), "unknown");
  std::filesystem::remove_all(directory);
}

TEST(TzdataVersionTest, TheSystemsIsKnown) { EXPECT_NE(TzdataVersion(), "unknown"); }

}  // namespace
}  // namespace rapport::time
