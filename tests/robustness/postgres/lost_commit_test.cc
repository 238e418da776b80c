#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "common/call/mutate.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/robustness/postgres/oracle.h"
#include "tests/support/postgres/instance.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/tcp_proxy.h"

// A COMMIT that the server has done and whose reply never comes.
namespace rapport::sql::testing {
namespace {

using ::testing::ElementsAre;

class LostCommitTest : public ::testing::TestWithParam<Pooler> {
 protected:
  LostCommitTest() : direct_(server_.NewDatabase({Diary()})) {
    PostgresOptions options = direct_;
    if (GetParam() == Pooler::kTransaction) {
      bouncer_ = std::make_unique<PgBouncer>(direct_.host, direct_.port, 1);
      options.port = bouncer_->port();
    }
    proxy_ = std::make_unique<TcpProxy>("127.0.0.1", options.port);
    options.host = "127.0.0.1";
    options.port = proxy_->port();
    options.pooler = GetParam();
    database_ = *OpenPostgres(options, {Diary()});
    server_.Admin(direct_.name, "INSERT INTO organization VALUES ('clinic', 'ACTIVE', 0)");

    auto principal = std::make_shared<auth::Principal>();
    principal->subject = "ada";
    principal->organization_id = kClinic;
    context_.principal = principal;
    context_.organization_id = kClinic;
    context_.method = "test.Diary/Write";
    context_.now = absl::Now();
    context_.request_fingerprint = "fingerprint";
  }
  ~LostCommitTest() override {
    database_.reset();
    server_.Drop(direct_);
  }

  // What the client sends with the COMMIT and with nothing before it.
  std::string CommitOnTheWire() const {
    return GetParam() == Pooler::kNone ? "sql.commit" : std::string("COMMIT\0", 7);
  }

  absl::Status Mutate(const std::string& request_id) {
    context_.deadline = absl::Now() + absl::Seconds(20);
    return call::MutateRaw(
        *database_, context_, request_id,
        [&](Session&, absl::string_view) {
          ++replays_;
          return absl::OkStatus();
        },
        [&](call::Change& change) -> absl::Status {
          ++runs_;
          return change.tx().Query(kWriteLine, {Text(kClinic), Text("line"), Int(runs_)}).status();
        });
  }

  PostgresServer& server_ = PostgresServer::Shared();
  PostgresOptions direct_;
  std::unique_ptr<PgBouncer> bouncer_;
  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<Database> database_;
  call::CallContext context_;
  int runs_ = 0;
  int replays_ = 0;
};

TEST_P(LostCommitTest, IsUnknownToTheTransaction) {
  ASSERT_EQ(WriteOnce(*database_, "first", Soon()), absl::OkStatus());
  proxy_->LoseAnswerTo(CommitOnTheWire());
  const absl::Status status = WriteOnce(*database_, "second", Soon());
  EXPECT_EQ(errors::Reason(status), "COMMIT_UNKNOWN") << status;
  EXPECT_EQ(proxy_->lost(), 1);
  EXPECT_THAT(server_.Admin(direct_.name, "SELECT DISTINCT name FROM diary ORDER BY 1"),
              ElementsAre("first", "second"));
}

TEST_P(LostCommitTest, IsFoundOutThroughTheRequestId) {
  proxy_->LoseAnswerTo(CommitOnTheWire());
  EXPECT_EQ(Mutate("request-1"), absl::OkStatus());
  EXPECT_EQ(proxy_->lost(), 1);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(replays_, 1);
  EXPECT_TRUE(context_.replayed);
  EXPECT_THAT(server_.Admin(direct_.name, "SELECT count(*) FROM diary"), ElementsAre("1"));
}

TEST_P(LostCommitTest, IsToldWhereThereIsNoRequestId) {
  proxy_->LoseAnswerTo(CommitOnTheWire());
  EXPECT_EQ(errors::Reason(Mutate("")), "COMMIT_UNKNOWN");
  EXPECT_EQ(runs_, 1);
}

INSTANTIATE_TEST_SUITE_P(Poolers, LostCommitTest,
                         ::testing::Values(Pooler::kNone, Pooler::kTransaction),
                         [](const auto& pooler) {
                           return pooler.param == Pooler::kNone ? "Direct" : "Pooled";
                         });

}  // namespace
}  // namespace rapport::sql::testing
