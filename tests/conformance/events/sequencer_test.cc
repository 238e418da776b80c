#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/audit/audit_log.h"
#include "common/auth/integrity.h"
#include "common/events/event_log.h"
#include "tests/conformance/events/fixture.h"
#include "tests/support/postgres/catalogue.h"
#include "tests/support/postgres/databases.h"

namespace rapport::events {
namespace {

using namespace rapport::events::testing;  // NOLINT

const absl::Time kNow = absl::FromUnixSeconds(1772951460);

const sql::Statement kLeaves{"test.leaves", R"sql(
  SELECT leaf_index, entry, content_hash, salt, leaf_hash FROM audit_leaf
  WHERE organization_id = $1 ORDER BY leaf_index)sql"};

// Passes all on and counts the writes.
class CountingDatabase final : public sql::Database {
 public:
  explicit CountingDatabase(sql::Database& database) : database_(database) {}
  sql::Engine engine() const override { return database_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return database_.Read(access, deadline, body);
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    ++writes;
    return database_.Write(access, deadline, body);
  }
  Stats stats() const override { return database_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return database_.Ready(deadline); }

  std::atomic<int> writes{0};

 private:
  sql::Database& database_;
};

class SequencerTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  // The whole log.
  std::vector<common::v1::Event> Log() {
    std::vector<common::v1::Event> log;
    const absl::Status status =
        database_->Read(sql::Access::Feed(), Soon(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(
              log,
              ReadEvents(session,
                         {.organization_id = "", .types = {}, .up_to = 100000, .limit = 100000}));
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return log;
  }

  sql::Result Leaves(const std::string& organization_id) {
    sql::Result leaves;
    const absl::Status status = database_->Read(
        sql::Access::Tenant(organization_id), Soon(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(leaves, session.Query(kLeaves, {sql::Text(organization_id)}));
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return leaves;
  }

  void Drain() {
    for (;;) {
      const absl::StatusOr<int> moved = sequencer_.RunOnce(kNow);
      ASSERT_TRUE(moved.ok()) << moved.status();
      if (*moved == 0) return;
    }
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  Sequencer sequencer_{*database_};
};

TEST_P(SequencerTest, NumbersWhatEightWritersCommitDenselyInTheOrderOfVersions) {
  constexpr int kWriters = 8, kChanges = 40, kThings = 5;
  std::atomic<int> committed{0};
  std::atomic<bool> writing{true};
  std::vector<std::thread> sequencers;  // two replicas
  for (int i = 0; i < 2; ++i) {
    sequencers.emplace_back([&] {
      while (writing) {
        const absl::StatusOr<int> moved = sequencer_.RunOnce(kNow);
        EXPECT_TRUE(moved.ok()) << moved.status();
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      const std::string organization_id = writer % 2 == 0 ? "acme" : "beta";
      for (int i = 0; i < kChanges; ++i) {
        const bool gives_up = i % 7 == 3;
        const std::string resource = ThingName(organization_id, i % kThings);
        const absl::Status status =
            database_->Write(sql::Access::Tenant(organization_id), Soon(),
                             [&](sql::Transaction& tx) -> absl::Status {
                               RETURN_IF_ERROR(Change(tx, organization_id, resource));
                               audit::Append(tx,
                                             {.organization_id = organization_id,
                                              .principal = absl::StrCat("writer-", writer),
                                              .method = "m",
                                              .resource = resource,
                                              .version = i,
                                              .occur_time = kNow,
                                              .trace_id = ""},
                                             "stored");
                               return gives_up ? absl::InternalError("given up") : absl::OkStatus();
                             });
        EXPECT_EQ(status.ok(), !gives_up) << status;
        if (status.ok()) ++committed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  writing = false;
  for (std::thread& sequencer : sequencers) sequencer.join();
  Drain();

  const std::vector<common::v1::Event> log = Log();
  ASSERT_EQ(static_cast<int>(log.size()), committed);
  std::map<std::string, int64_t> versions;
  std::set<std::string> ids;
  for (size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].position(), static_cast<int64_t>(i) + 1);
    EXPECT_EQ(log[i].version(), ++versions[log[i].resource()]) << log[i].resource();
    EXPECT_TRUE(ids.insert(log[i].event_id()).second);
  }
  EXPECT_EQ(sequencer_.last_position(), committed);

  int leaves = 0;
  for (const std::string organization_id : {"acme", "beta"}) {
    const sql::Result rows = Leaves(organization_id);
    std::map<std::string, int64_t> last;
    for (size_t row = 0; row < rows.rows(); ++row, ++leaves) {
      EXPECT_EQ(rows.Int(row, 0), static_cast<int64_t>(row));
      const std::string& entry = rows.Bytes(row, 1);
      EXPECT_EQ(rows.Bytes(row, 2), auth::Sha256("stored"));
      EXPECT_EQ(rows.Bytes(row, 4), audit::LeafHash(entry, rows.Bytes(row, 3), rows.Bytes(row, 2)));
      const std::optional<audit::Entry> decoded = audit::Decode(entry);
      ASSERT_TRUE(decoded.has_value());
      EXPECT_EQ(decoded->organization_id, organization_id);
      auto [previous, first] = last.emplace(decoded->principal, decoded->version);
      if (!first) {
        EXPECT_LT(std::exchange(previous->second, decoded->version), decoded->version);
      }
    }
  }
  EXPECT_EQ(leaves, committed);
}

TEST_P(SequencerTest, TellsWhatWasAppended) {
  scheduling::v1::ClinicEvent clinic;
  clinic.set_time_zone("Europe/London");
  const absl::Time occurred = absl::FromUnixMicros(1772951400123456);
  ASSERT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), Soon(),
                          [&](sql::Transaction& tx) {
                            Append(tx, "acme", "organizations/acme/clinics/north", 3, occurred,
                                   clinic);
                            return absl::OkStatus();
                          })
                  .ok());
  Drain();

  const std::vector<common::v1::Event> log = Log();
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].organization(), "organizations/acme");
  EXPECT_EQ(log[0].resource(), "organizations/acme/clinics/north");
  EXPECT_EQ(log[0].version(), 3);
  EXPECT_EQ(log[0].occur_time().seconds(), 1772951400);
  EXPECT_EQ(log[0].occur_time().nanos(), 123456000);
  scheduling::v1::ClinicEvent payload;
  ASSERT_TRUE(log[0].payload().UnpackTo(&payload));
  EXPECT_EQ(payload.time_zone(), "Europe/London");
}

TEST_P(SequencerTest, WritesNothingWhileNothingIsPending) {
  CountingDatabase counting(*database_);
  Sequencer sequencer(counting);
  EXPECT_EQ(*sequencer.RunOnce(kNow), 0);
  ChangeThing(*database_, "acme", 1);
  EXPECT_EQ(*sequencer.RunOnce(kNow), 1);
  EXPECT_EQ(counting.writes, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(*sequencer.RunOnce(kNow), 0);
  EXPECT_EQ(counting.writes, 1);
}

TEST_P(SequencerTest, MovesAtMostAThousandAtATime) {
  ASSERT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), Soon(),
                          [&](sql::Transaction& tx) {
                            for (int i = 1; i <= 1500; ++i) {
                              Append(tx, "acme", ThingName("acme", 1), i, kNow,
                                     scheduling::v1::ClinicEvent());
                            }
                            return absl::OkStatus();
                          })
                  .ok());
  EXPECT_EQ(*sequencer_.RunOnce(kNow), 1000);
  EXPECT_EQ(sequencer_.last_position(), 1000);
  EXPECT_EQ(*sequencer_.RunOnce(kNow), 500);
  EXPECT_EQ(*sequencer_.RunOnce(kNow), 0);
  const std::vector<common::v1::Event> log = Log();
  ASSERT_EQ(log.size(), 1500u);
  for (size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].version(), static_cast<int64_t>(i) + 1);
}

TEST_P(SequencerTest, KeepsAnEventThatBecomesVisibleAfterLaterOnesWereNumbered) {
  if (database_->engine() == sql::Engine::kSqlite) GTEST_SKIP() << "one writer at a time";
  const absl::Status status = database_->Write(
      sql::Access::Tenant("acme"), Soon(), [&](sql::Transaction& tx) -> absl::Status {
        RETURN_IF_ERROR(Change(tx, "acme", ThingName("acme", 1)));
        RETURN_IF_ERROR(Change(tx, "acme", ThingName("acme", 2)));  // sends the first's event
        ChangeThing(*database_, "acme", 3);
        return sequencer_.RunOnce(kNow).status();
      });
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(Log().size(), 1u);
  Drain();
  std::vector<std::string> resources;
  for (const common::v1::Event& event : Log()) resources.push_back(event.resource());
  EXPECT_THAT(resources, ::testing::ElementsAre(ThingName("acme", 3), ThingName("acme", 1),
                                                ThingName("acme", 2)));
}

TEST_P(SequencerTest, TellsHowLongTheOldestHasWaited) {
  EXPECT_FALSE(*sequencer_.Look(kNow));
  EXPECT_EQ(sequencer_.unsequenced_age(), absl::ZeroDuration());
  ChangeThing(*database_, "acme", 1);
  EXPECT_TRUE(*sequencer_.Look(kNow));
  EXPECT_EQ(sequencer_.unsequenced_age(), absl::Seconds(60));
  EXPECT_EQ(sequencer_.audit_unsequenced_age(), absl::ZeroDuration());
  Drain();
  EXPECT_EQ(sequencer_.unsequenced_age(), absl::ZeroDuration());
}

TEST(EventStatementsTest, BindTheOrganisation) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()),
              ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, SequencerTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Things()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::events
