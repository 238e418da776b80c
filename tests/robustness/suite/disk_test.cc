// A disk that is full: the one that SQLite, the log, the anchors and all else of the suite lie on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tests/robustness/suite/sqlite_rows.h"
#include "tests/support/namespaces/inside.h"

namespace rapport::testing {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

constexpr int64_t kSome = 150;

class DiskTest : public ::testing::Test {
 protected:
  Ended VerifyAudit(const Suite& suite, const Practice& practice) {
    const std::string folder = std::filesystem::path(suite.clock_file()).parent_path().string();
    return RunToEnd({absl::StrCat(RAPPORT_BINARIES, "/rapportctl"), "audit", "verify",
                     "--organization=" + practice.organization_id,
                     absl::StrCat("--keys_dir=", suite.keys_dir()),
                     absl::StrCat("--scheduling_target=", suite.targets().scheduling),
                     absl::StrCat("--assessment_target=", suite.targets().assessment),
                     absl::StrCat("--notes_target=", suite.targets().notes),
                     absl::StrCat("--audit_anchor_dir=", folder, "/anchors"),
                     absl::StrCat("--audit_jwks_file=", suite.keys_dir(), "/audit-jwks.json")});
  }

  const TempDir outside_;
};

TEST_F(DiskTest, AFullDiskIsToldLeavesNothingHalfAndIsGotOverUnaided) {
  if (Isolate() == Where::kOutside) return;
  const std::string disk = outside_.File("disk");
  ASSERT_NO_FATAL_FAILURE(MountSmallDisk(disk, 96));
  setenv("TMPDIR", disk.c_str(), 1);

  Suite suite(sql::Engine::kSqlite);
  suite.StartAll();
  const auto caller = suite.NewCaller();
  const Practice practice(*caller, "full");
  CourseWriters writers([&] { return suite.NewCaller(absl::ZeroDuration()); }, practice, 4);
  writers.stopwatch().Phase("before");
  ASSERT_TRUE(writers.AwaitAcknowledged(kSome));

  writers.stopwatch().Phase("during");
  const std::string ballast = FillDisk(disk);
  ASSERT_TRUE(writers.AwaitFailed(kSome));
  EXPECT_THAT(writers.failures(), Contains("DATABASE_FULL"));
  // What writes nothing goes on.
  assessment::v1::ScoreRequest score;
  score.set_instrument("instruments/phq-9");
  const auto scored = caller->Call<assessment::v1::ScoreResponse>(
      practice.app, "rapport.assessment.v1.ScoringService/Score", score);
  EXPECT_TRUE(scored.ok()) << scored.status();

  ASSERT_EQ(std::remove(ballast.c_str()), 0);
  writers.stopwatch().Phase("after");
  ASSERT_TRUE(writers.AwaitAcknowledged(kSome));
  writers.Stop();
  writers.stopwatch().Report("courses made");
  EXPECT_THAT(writers.failures(), IsSubsetOf({"DATABASE_FULL"}));
  EXPECT_THAT(writers.Check(*caller), IsEmpty());

  // Of two lines none is made one.
  std::istringstream log(suite.LogOf("scheduling"));
  for (std::string line; std::getline(log, line);) {
    EXPECT_EQ(line.find("{\"time\":", 1), std::string::npos) << line;
  }
  for (const std::string& service : Suite::Services()) {
    EXPECT_EQ(suite.Terminate(service), 0) << service;
    EXPECT_THAT(SqliteRows(DatabaseFile(suite, service), "PRAGMA integrity_check"),
                ::testing::ElementsAre("ok"));
  }
  suite.StartAll();
  const Ended verified = VerifyAudit(suite, practice);
  EXPECT_EQ(verified.exit_status, 0) << verified.error_text;
}

}  // namespace
}  // namespace rapport::testing
