#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/robustness/postgres/oracle.h"
#include "tests/support/namespaces/inside.h"
#include "tests/support/postgres/instance.h"
#include "tests/support/postgres/temp_dir.h"

// PostgreSQL on a disk that is full.
namespace rapport::sql::testing {
namespace {

using ::rapport::testing::FillDisk;
using ::rapport::testing::Isolate;
using ::rapport::testing::MountSmallDisk;
using ::rapport::testing::TempDir;
using ::rapport::testing::Where;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

constexpr int64_t kSome = 200;

TEST(PostgresDiskTest, AFullDiskIsToldLeavesNothingHalfAndIsGotOverUnaided) {
  if (Isolate(/*as_root=*/true) == Where::kOutside) return;
  const TempDir outside;
  const std::string disk = outside.File("disk");
  ASSERT_EQ(chmod(outside.path().c_str(), 0755), 0);  // the server is another user's
  ASSERT_NO_FATAL_FAILURE(MountSmallDisk(disk, 256));
  setenv("TMPDIR", disk.c_str(), 1);

  Instance server("127.0.0.1", FreeLoopbackPort());
  server.Start({"autovacuum=off"});
  const auto database = *OpenPostgres(server.MakeDatabase({Diary()}), {Diary()});
  // The log of writes has room ahead, as with a volume of its own; without, the server itself ends.
  for (int i = 0; i < 3; ++i) server.Admin("postgres", "SELECT pg_switch_wal()");
  server.Admin("postgres", "CHECKPOINT");

  Writers writers(*database, 4);
  writers.Phase("before");
  ASSERT_TRUE(writers.AwaitMore(kSome));
  writers.Phase("during");
  const std::string ballast = FillDisk(disk);
  EXPECT_TRUE(Eventually([&] { return writers.failures().count("DATABASE_FULL") > 0; }));
  EXPECT_EQ(database->Read(Access::Tenant(kClinic), Soon(),
                           [](Session& session) { return session.Query(kAllLines, {}).status(); }),
            absl::OkStatus());
  EXPECT_EQ(database->Ready(Soon()), absl::OkStatus());

  ASSERT_EQ(std::remove(ballast.c_str()), 0);
  writers.Phase("after");
  ASSERT_TRUE(writers.AwaitMore(kSome));
  writers.Stop();
  writers.Report();
  EXPECT_THAT(writers.Check(*database), IsEmpty());
  EXPECT_THAT(writers.failures(), Contains("DATABASE_FULL"));
  EXPECT_THAT(writers.failures(), IsSubsetOf({"DATABASE_FULL"}));
}

}  // namespace
}  // namespace rapport::sql::testing
