#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/robustness/postgres/oracle.h"
#include "tests/support/postgres/instance.h"

// What a server must promise before it is written to.
namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;

const Statement kSynchronousCommit{"test.durability.commit",
                                   "SELECT current_setting('synchronous_commit')", Reach::kSchema};

class DurabilityTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    primary_ = new Instance("127.0.0.1", FreeLoopbackPort());
    primary_->Start();
    options_ = new PostgresOptions(primary_->MakeDatabase({Diary()}));
    primary_->Admin("postgres", "GRANT pg_read_all_stats TO rapport_app, rapport_feed");
  }
  static void TearDownTestSuite() {
    delete options_;
    delete primary_;
  }
  ~DurabilityTest() override {
    primary_->Admin("postgres", "ALTER SYSTEM RESET ALL");
    Reload();
  }

  static void Set(const std::string& setting) {
    primary_->Admin("postgres", absl::StrCat("ALTER SYSTEM SET ", setting));
    Reload();
  }
  // Every new backend knows the new settings once the postmaster has read them.
  static void Reload() { primary_->Admin("postgres", "SELECT pg_reload_conf()"); }

  static std::unique_ptr<Database> Open(PostgresOptions options = *options_) {
    return *OpenPostgres(options, {Diary()});
  }
  static bool EventuallyReady(Database& database, const std::string& reason) {
    return Eventually([&] { return errors::Reason(database.Ready(Soon())) == reason; });
  }
  static std::string CommitMode(Database& database) {
    std::string mode;
    EXPECT_EQ(database.Write(Access::Tenant(kClinic), Soon(),
                             [&](Transaction& transaction) -> absl::Status {
                               ASSIGN_OR_RETURN(const Result row,
                                                transaction.Query(kSynchronousCommit, {}));
                               mode = row.Text(0, 0);
                               return absl::OkStatus();
                             }),
              absl::OkStatus());
    return mode;
  }

  static Instance* primary_;
  static PostgresOptions* options_;
};
Instance* DurabilityTest::primary_ = nullptr;
PostgresOptions* DurabilityTest::options_ = nullptr;

TEST_F(DurabilityTest, AServerThatForgetsIsReadAndNotWritten) {
  const auto database = Open();
  ASSERT_EQ(database->Ready(Soon()), absl::OkStatus());
  ASSERT_EQ(WriteOnce(*database, "before", Soon()), absl::OkStatus());
  for (const char* setting : {"fsync", "full_page_writes"}) {
    Set(absl::StrCat(setting, " = off"));
    EXPECT_TRUE(EventuallyReady(*database, "UNSAFE_DURABILITY"));
    const auto other = Open();
    const absl::Status refused = WriteOnce(*other, setting, Soon());
    EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
    EXPECT_EQ(errors::Reason(refused), "UNSAFE_DURABILITY");
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr(setting));
    EXPECT_EQ(other->Read(Access::Tenant(kClinic), Soon(),
                          [](Session& session) { return session.Query(kAllLines, {}).status(); }),
              absl::OkStatus());
    // A connection from before finds out by itself.
    EXPECT_TRUE(Eventually([&] {
      return errors::Reason(WriteOnce(
                 *database, absl::StrCat(setting, absl::ToUnixNanos(absl::Now())), Soon())) ==
             "UNSAFE_DURABILITY";
    }));

    PostgresOptions allowed = *options_;
    allowed.allow_unsafe_durability = true;
    EXPECT_EQ(WriteOnce(*Open(allowed), absl::StrCat(setting, " allowed"), Soon()),
              absl::OkStatus());
    Set(absl::StrCat(setting, " = on"));
    EXPECT_TRUE(EventuallyReady(*database, ""));
  }
  EXPECT_EQ(WriteOnce(*Open(), "after", Soon()), absl::OkStatus());
}

TEST_F(DurabilityTest, CommitsWaitForTheDiskWhateverTheServersDefault) {
  Set("synchronous_commit = off");
  EXPECT_TRUE(Eventually([&] {
    return primary_->Admin("postgres", "SHOW synchronous_commit") ==
           std::vector<std::string>{"off"};
  }));
  EXPECT_EQ(CommitMode(*Open()), "on");
  PostgresOptions pooled = *options_;
  const PgBouncer bouncer(primary_->host(), primary_->port(), 1);
  pooled.port = bouncer.port();
  pooled.pooler = Pooler::kTransaction;
  EXPECT_EQ(CommitMode(*Open(pooled)), "on");
  PostgresOptions allowed = *options_;
  allowed.allow_unsafe_durability = true;
  EXPECT_EQ(CommitMode(*Open(allowed)), "off");
  Set("synchronous_commit = remote_apply");
  EXPECT_TRUE(Eventually([&] { return CommitMode(*Open()) == "remote_apply"; }));
}

TEST_F(DurabilityTest, WhereAStandbyIsRequiredOneMustHoldTheCommit) {
  PostgresOptions strict = *options_;
  strict.require_synchronous_standby = true;
  const auto database = Open(strict);
  EXPECT_EQ(errors::Reason(database->Ready(Soon())), "UNSAFE_DURABILITY");
  EXPECT_EQ(errors::Reason(WriteOnce(*database, "alone", Soon())), "UNSAFE_DURABILITY");

  Instance standby("127.0.0.2", *primary_, "second");
  standby.Start();
  Set("synchronous_standby_names = 'second'");
  EXPECT_TRUE(EventuallyReady(*database, ""));
  EXPECT_EQ(WriteOnce(*Open(strict), "together", Soon()), absl::OkStatus());
  standby.Stop("fast");
  EXPECT_TRUE(EventuallyReady(*database, "UNSAFE_DURABILITY"));
  EXPECT_EQ(errors::Reason(WriteOnce(*Open(strict), "alone again", Soon())), "UNSAFE_DURABILITY");
}

TEST_F(DurabilityTest, APasswordChangedInTheFileIsFound) {
  primary_->Admin("postgres", "ALTER ROLE rapport_app PASSWORD 'first'");
  primary_->Admin("postgres", "ALTER ROLE rapport_feed PASSWORD 'first'");
  const std::string hba = primary_->folder() + "/data/pg_hba.conf";
  const std::string rules =
      "host all rapport_app 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.0/8 trust\n"
      "host replication all 127.0.0.0/8 trust";
  primary_->Admin("postgres", absl::StrCat("COPY (SELECT unnest(string_to_array('", rules,
                                           "', E'\\n'))) TO '", hba, "'"));
  Reload();
  const std::string file = ::testing::TempDir() + "/rapport_password";
  const auto put = [&](const std::string& password) { std::ofstream(file) << password << "\n"; };
  put("first");
  PostgresOptions options = *options_;
  options.password_file = file;
  const auto database = Open(options);
  EXPECT_TRUE(Eventually([&] { return WriteOnce(*database, "first", Soon()).ok(); }));
  primary_->Admin("postgres", "ALTER ROLE rapport_app PASSWORD 'second'");
  primary_->Admin("postgres",
                  "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename ="
                  " 'rapport_app'");
  EXPECT_TRUE(absl::IsUnavailable(WriteOnce(*database, "refused", Soon())));
  put("second");
  EXPECT_EQ(WriteOnce(*database, "second", Soon()), absl::OkStatus());
  std::remove(file.c_str());
}

}  // namespace
}  // namespace rapport::sql::testing
