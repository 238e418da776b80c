#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/principal.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/metrics.h"
#include "tests/robustness/postgres/oracle.h"
#include "tests/support/postgres/instance.h"

// Reads that may trail, on real standbys: they help, and whatever becomes of them nobody is told
// what is too old, and no call fails.
namespace rapport::sql::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const Statement kWho{"test.standbys.who", "SELECT pg_is_in_recovery()", Reach::kSchema};

constexpr char kOther[] = "other";

struct Answer {
  bool by_standby = false;
  std::vector<std::string> names;
};

absl::StatusOr<Answer> AnswerOf(Session& session) {
  Answer answer;
  ASSIGN_OR_RETURN(const Result who, session.Query(kWho, {}));
  answer.by_standby = who.Bool(0, 0);
  ASSIGN_OR_RETURN(const Result lines, session.Query(kAllLines, {}));
  for (size_t row = 0; row < lines.rows(); ++row) answer.names.push_back(lines.Text(row, 1));
  return answer;
}

absl::StatusOr<Answer> Read(Database& database, const Access& access) {
  Answer answer;
  RETURN_IF_ERROR(database.Read(access, Soon(), [&](Session& session) -> absl::Status {
    ASSIGN_OR_RETURN(answer, AnswerOf(session));
    return absl::OkStatus();
  }));
  return answer;
}

Answer Trailing(Database& database, absl::string_view organization = kClinic) {
  const auto answer = Read(database, Access::Tenant(organization).MayTrail());
  EXPECT_EQ(answer.status(), absl::OkStatus());
  return answer.ok() ? *answer : Answer();
}

class StandbysTest : public ::testing::Test {
 protected:
  StandbysTest() {
    primary_.Start();
    options_ = primary_.MakeDatabase({Diary()});
    standby_ = std::make_unique<Instance>("127.0.0.2", primary_, "second");
    standby_->Start();
    options_.read_hosts = "127.0.0.2";
    options_.metrics = metrics_.get();
  }
  ~StandbysTest() override { metrics_->StopReading(); }

  static std::unique_ptr<Database> Open(const PostgresOptions& options) {
    return *OpenPostgres(options, {Diary()});
  }
  // Another process's, without standbys.
  std::unique_ptr<Database> Others() const {
    PostgresOptions options = options_;
    options.read_hosts = "";
    return Open(options);
  }
  static bool EventuallyByStandby(Database& database, absl::string_view organization = kClinic) {
    return Eventually([&] { return Trailing(database, organization).by_standby; });
  }
  void PauseReplay() {
    standby_->Admin("rapport", "SELECT pg_wal_replay_pause()");
    ASSERT_TRUE(Eventually([&] {
      return standby_->Admin("rapport", "SELECT pg_get_wal_replay_pause_state()") ==
             std::vector<std::string>{"paused"};
    }));
  }
  void ResumeReplay() { standby_->Admin("rapport", "SELECT pg_wal_replay_resume()"); }

  const std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  Instance primary_{"127.0.0.1", FreeLoopbackPort()};
  std::unique_ptr<Instance> standby_;
  PostgresOptions options_;
};

TEST_F(StandbysTest, AnswerWhatMayTrailAndNothingElse) {
  const auto database = Open(options_);
  ASSERT_EQ(WriteOnce(*database, "first", Soon()), absl::OkStatus());
  EXPECT_TRUE(EventuallyByStandby(*database));
  EXPECT_THAT(Trailing(*database).names, Contains("first"));
  EXPECT_FALSE(Read(*database, Access::Tenant(kClinic))->by_standby);
  EXPECT_EQ(database->Read(Access::Feed().MayTrail(), Soon(),
                           [](Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const Result who, session.Query(kWho, {}));
                             EXPECT_FALSE(who.Bool(0, 0));
                             return absl::OkStatus();
                           }),
            absl::OkStatus());
  // Tenants are as far apart there.
  EXPECT_TRUE(EventuallyByStandby(*database, kOther));
  EXPECT_THAT(Trailing(*database, kOther).names, Not(Contains("first")));
  // Of what isn't there the primary is asked.
  bool primary_asked = false;
  EXPECT_TRUE(absl::IsNotFound(database->Read(
      Access::Tenant(kClinic).MayTrail(), Soon(), [&](Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const Result who, session.Query(kWho, {}));
        primary_asked = !who.Bool(0, 0);
        return absl::NotFoundError("");
      })));
  EXPECT_TRUE(primary_asked);
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_database_standby_reads_total{answered_by="
                                          "\"standby\"}"));
  EXPECT_THAT(metrics_->Text(),
              HasSubstr("rapport_database_standby_lag_seconds{host=\"127.0.0.2:"));
}

TEST_F(StandbysTest, AWriterSeesItsWritesHoweverFarTheyTrail) {
  options_.max_read_lag = absl::Minutes(10);
  const auto database = Open(options_);
  const auto others = Others();
  ASSERT_TRUE(EventuallyByStandby(*database, kOther));
  PauseReplay();
  ASSERT_EQ(WriteOnce(*others, "of others", Soon()), absl::OkStatus());
  // Allowed: it trails by less than it may.
  EXPECT_THAT(Trailing(*database).names, Not(Contains("of others")));
  // Who brings a position, and who decides on what it reads, is told.
  auto principal = std::make_shared<auth::Principal>();
  call::CallContext context;
  context.principal = principal;
  context.organization_id = kClinic;
  context.deadline = Soon();
  EXPECT_TRUE(call::ReadTrailing<Answer>(*database, context, AnswerOf)->by_standby);
  context.positions = {{.resource = "organizations/clinic/courses/1", .version = 1}};
  EXPECT_THAT(call::ReadTrailing<Answer>(*database, context, AnswerOf)->names,
              Contains("of others"));
  context.positions.clear();
  context.caller_service = principal;
  EXPECT_FALSE(call::ReadTrailing<Answer>(*database, context, AnswerOf)->by_standby);
  context.caller_service = nullptr;
  principal->kind = auth::Principal::Kind::kService;
  EXPECT_FALSE(call::ReadTrailing<Answer>(*database, context, AnswerOf)->by_standby);

  for (const char* name : {"own 1", "own 2", "own 3"}) {
    ASSERT_EQ(WriteOnce(*database, name, Soon()), absl::OkStatus());
    EXPECT_THAT(Trailing(*database).names, Contains(name));
  }
  EXPECT_TRUE(Trailing(*database, kOther).by_standby);
  ResumeReplay();
  EXPECT_TRUE(EventuallyByStandby(*database));
  EXPECT_THAT(Trailing(*database).names, Contains("own 3"));
}

TEST_F(StandbysTest, OneThatTrailsTooFarIsNotAsked) {
  const auto database = Open(options_);
  const auto others = Others();
  ASSERT_TRUE(EventuallyByStandby(*database));
  PauseReplay();
  for (int round = 0; round < 3; ++round) {
    const std::string name = absl::StrCat("round ", round);
    ASSERT_EQ(WriteOnce(*others, name, Soon()), absl::OkStatus());
    EXPECT_TRUE(Eventually([&] { return !Trailing(*database).by_standby; }));
    EXPECT_THAT(Trailing(*database).names, Contains(name));
  }
  EXPECT_THAT(metrics_->Text(), HasSubstr("{answered_by=\"trailing\"}"));
  ResumeReplay();
  EXPECT_TRUE(EventuallyByStandby(*database));
  EXPECT_THAT(Trailing(*database).names, Contains("round 2"));
}

// Directly, and with a PgBouncer in front of each server.
class StandbyAwayTest : public StandbysTest, public ::testing::WithParamInterface<bool> {};

TEST_P(StandbyAwayTest, FailsNoCallAndComesBackByItself) {
  std::unique_ptr<PgBouncer> before_primary, before_standby;
  if (GetParam()) {
    before_primary = std::make_unique<PgBouncer>(primary_.host(), primary_.port(), 8);
    before_standby = std::make_unique<PgBouncer>(standby_->host(), standby_->port(), 8);
    options_.host = "127.0.0.1";
    options_.port = before_primary->port();
    options_.read_hosts = absl::StrCat("127.0.0.1:", before_standby->port());
    options_.pooler = Pooler::kTransaction;
  }
  const auto database = Open(options_);
  ASSERT_EQ(WriteOnce(*database, "first", Soon()), absl::OkStatus());
  ASSERT_TRUE(EventuallyByStandby(*database));
  std::atomic<bool> done{false};
  std::atomic<int64_t> right{0}, wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto answer = Read(*database, Access::Tenant(kClinic).MayTrail());
        const bool has =
            answer.ok() && std::count(answer->names.begin(), answer->names.end(), "first") == 2;
        ++(has ? right : wrong);
      }
    });
  }
  const std::vector<std::string> modes =
      GetParam() ? std::vector<std::string>{"fast"} : std::vector<std::string>{"immediate", "fast"};
  for (const std::string& mode : modes) {
    standby_->Stop(mode);
    const int64_t before = right;
    EXPECT_TRUE(Eventually([&] { return right > before + 200; }));
    standby_->Start();
    EXPECT_TRUE(EventuallyByStandby(*database));
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}
INSTANTIATE_TEST_SUITE_P(Poolers, StandbyAwayTest, ::testing::Bool(), [](const auto& of) {
  return std::string(of.param ? "behindAPooler" : "directly");
});

// A failover to one standby leaves another behind, further in a log that is no longer the log.
TEST_F(StandbysTest, OneThatAFailoverLeftBehindIsNeverAsked) {
  Instance next("127.0.0.3", primary_, "third");
  options_.host = "127.0.0.1,127.0.0.3";
  const auto database = Open(options_);
  const auto others = Others();
  ASSERT_EQ(WriteOnce(*others, "first", Soon()), absl::OkStatus());
  ASSERT_TRUE(EventuallyByStandby(*database));
  for (int i = 0; i < 500; ++i) {  // not copied to the next one, which will not have them
    ASSERT_EQ(WriteOnce(*others, absl::StrCat("lost ", i), Soon()), absl::OkStatus());
  }
  ASSERT_TRUE(Eventually([&] {
    const Answer answer = Trailing(*database);
    return answer.by_standby &&
           std::count(answer.names.begin(), answer.names.end(), "lost 499") == 2;
  }));
  primary_.Stop("immediate");
  next.Start();
  next.Promote();
  ASSERT_TRUE(Eventually([&] { return WriteOnce(*others, "after", Soon()).ok(); }));
  ASSERT_TRUE(Eventually([&] {
    const auto answer = Read(*database, Access::Tenant(kClinic).MayTrail());
    return answer.ok() && !answer->by_standby;
  }));
  // For as long as it takes to prove it many times over, if that were possible.
  int looks = 0;
  for (const absl::Time end = absl::Now() + absl::Seconds(2); absl::Now() < end; ++looks) {
    const Answer answer = Trailing(*database);
    ASSERT_FALSE(answer.by_standby);
    ASSERT_THAT(answer.names, Contains("after"));
  }
  EXPECT_GT(looks, 0);
}

TEST(StandbyHostsTest, AreRefusedWhereTheyCanNotBeReliedOn) {
  const auto refusal = [](const std::string& hosts, bool unsafe) {
    PostgresOptions options;
    options.host = "127.0.0.1";
    options.read_hosts = hosts;
    options.allow_unsafe_durability = unsafe;
    return OpenPostgres(options, {Diary()}).status();
  };
  for (const char* hosts : {",", "a,,b", "a:0", "a:b", ":5432", "a:65536"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(refusal(hosts, false))) << hosts;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(refusal("127.0.0.2", true)));
}

}  // namespace
}  // namespace rapport::sql::testing
