#include "common/work/retention.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/events/compaction.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::work {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const sql::Statement kKnow{"test.retention.know", R"sql(
  INSERT INTO organization (organization_id, state, create_time) VALUES ($1, 'ACTIVE', 0))sql"};
const sql::Statement kRequest{"test.retention.request", R"sql(
  INSERT INTO idempotency (organization_id, principal, method, request_id, request_hmac, resources,
                           version, create_time) VALUES ($1, 'ada', 'm', $2, $3, '', 1, $4))sql"};
const sql::Statement kRequests{"test.retention.requests", R"sql(
  SELECT request_id FROM idempotency WHERE organization_id = $1 ORDER BY request_id)sql"};
const sql::Statement kEvent{"test.retention.event", R"sql(
  INSERT INTO event (position, organization_id, event_id, resource, version, type, payload,
                     occur_time, sequence_time)
  VALUES ($1, 'one', $2, $3, $1, $4, $5, $6, $6))sql",
                            sql::Reach::kFeed};
const sql::Statement kLog{"test.retention.log",
                          "SELECT position, resource, type FROM event ORDER BY position",
                          sql::Reach::kFeed};

absl::Time Soon() { return absl::Now() + absl::Seconds(30); }

class StillClock : public time::Clock {
 public:
  absl::Time Now() override { return now; }
  absl::Time now = absl::FromUnixSeconds(1'790'000'000);
};

class RetentionTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  RetentionTest() {
    for (const char* organization : {"one", "two"}) {
      Write(sql::Access::Tenant(organization), kKnow, {sql::Text(organization)});
    }
  }

  void Write(const sql::Access& access, const sql::Statement& statement,
             std::initializer_list<sql::Value> parameters) {
    const absl::Status status = database_->Write(access, Soon(), [&](sql::Transaction& tx) {
      return tx.Query(statement, parameters).status();
    });
    ASSERT_TRUE(status.ok()) << status;
  }
  void Request(const std::string& organization, const std::string& id, absl::Duration age) {
    Write(
        sql::Access::Tenant(organization), kRequest,
        {sql::Text(organization), sql::Text(id), sql::Bytes("x"), sql::Micros(absl::Now() - age)});
  }
  // As the sequencer would: dense positions.
  void Event(const std::string& resource, absl::Duration age, const std::string& type = "T") {
    ++position_;
    Write(sql::Access::Feed(), kEvent,
          {sql::Int(position_), sql::Text(absl::StrCat("e", position_)), sql::Text(resource),
           sql::Text(type), sql::Bytes("x"), sql::Micros(clock_.now - age)});
  }

  std::vector<std::string> List(const sql::Access& access, const sql::Statement& statement,
                                std::vector<sql::Value> parameters) {
    std::vector<std::string> lines;
    const absl::Status status =
        database_->Read(access, Soon(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows, session.Query(statement, parameters));
          for (size_t i = 0; i < rows.rows(); ++i) {
            lines.push_back(&statement == &kLog
                                ? absl::StrCat(rows.Int(i, 0), rows.Text(i, 1), rows.Text(i, 2))
                                : rows.Text(i, 0));
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return lines;
  }
  std::vector<std::string> Requests(const std::string& organization) {
    return List(sql::Access::Tenant(organization), kRequests, {sql::Text(organization)});
  }
  std::vector<std::string> Log() { return List(sql::Access::Feed(), kLog, {}); }

  Retention::Dropped Run(int batch = 500) {
    Retention retention(*database_, clock_, *metrics_,
                        {.events = absl::Hours(24 * 30), .batch = batch});
    const absl::StatusOr<Retention::Dropped> dropped = retention.RunOnce();
    EXPECT_TRUE(dropped.ok()) << dropped.status();
    return dropped.ok() ? *dropped : Retention::Dropped();
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  StillClock clock_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  int64_t position_ = 0;
};

constexpr absl::Duration kDay = absl::Hours(24);

TEST_P(RetentionTest, RequestsAreForgottenAfterSevenDaysInBatches) {
  for (int i = 0; i < 7; ++i) Request("one", absl::StrCat("old", i), 7 * kDay + absl::Minutes(1));
  Request("one", "young", 7 * kDay - absl::Minutes(1));
  Request("two", "old", 30 * kDay);
  Request("two", "young", absl::ZeroDuration());
  EXPECT_EQ(Run(/*batch=*/3).idempotency, 8);
  EXPECT_THAT(Requests("one"), ElementsAre("young"));
  EXPECT_THAT(Requests("two"), ElementsAre("young"));
  EXPECT_EQ(Run().idempotency, 0);
}

TEST_P(RetentionTest, OfOldEventsTheNewestOfEachResourceAndTypeStays) {
  Event("a", 40 * kDay);
  Event("b", 40 * kDay);
  Event("a", 39 * kDay, "U");
  Event("a", 39 * kDay);
  Event("b", 29 * kDay);
  Event("b", 28 * kDay);
  for (int batch : {1, 500}) {
    Run(batch);
    EXPECT_THAT(Log(), ElementsAre("2bT", "3aU", "4aT", "5bT", "6bT"));
  }
  // What stayed goes once it is superseded by what is old itself.
  clock_.now += 5 * kDay;
  Event("c", absl::ZeroDuration());
  Run(2);
  EXPECT_THAT(Log(), ElementsAre("3aU", "4aT", "6bT", "7cT"));
}

TEST_P(RetentionTest, NothingGoesThatAKnownConsumerHasNotPassed) {
  for (int i = 0; i < 4; ++i) Event("a", 40 * kDay);
  ASSERT_EQ(events::NoteConsumer(*database_, "service:notes:1", 2), absl::OkStatus());
  ASSERT_EQ(events::NoteConsumer(*database_, "service:assessment:1", 4), absl::OkStatus());
  Run();
  EXPECT_THAT(Log(), ElementsAre("2aT", "3aT", "4aT"));
  // A late message of an earlier stream takes nothing back.
  ASSERT_EQ(events::NoteConsumer(*database_, "service:notes:1", 4), absl::OkStatus());
  ASSERT_EQ(events::NoteConsumer(*database_, "service:notes:1", 1), absl::OkStatus());
  Run();
  EXPECT_THAT(Log(), ElementsAre("4aT"));
  EXPECT_EQ(database_->Read(sql::Access::Feed(), Soon(),
                            [](sql::Session& session) -> absl::Status {
                              ASSIGN_OR_RETURN(const int64_t until,
                                               events::CompactedUntil(session));
                              EXPECT_EQ(until, 4);
                              return absl::OkStatus();
                            }),
            absl::OkStatus());
}

TEST_P(RetentionTest, ReplicasShareTheWork) {
  for (int i = 0; i < 60; ++i) {
    Event("a", 40 * kDay);
    Request("one", absl::StrCat("r", i), 8 * kDay);
  }
  std::atomic<int64_t> requests = 0, positions = 0;
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([&] {
      const Retention::Dropped dropped = Run(/*batch=*/7);
      requests += dropped.idempotency;
      positions += dropped.event_positions;
    });
  }
  for (std::thread& replica : replicas) replica.join();
  const Retention::Dropped rest = Run();
  EXPECT_EQ(requests + rest.idempotency, 60);
  EXPECT_EQ(positions + rest.event_positions, 60);
  EXPECT_THAT(Log(), ElementsAre("60aT"));
  EXPECT_THAT(Requests("one"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, RetentionTest, ::testing::ValuesIn(sql::testing::AllEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::work
