#include "common/events/consumer.h"

#include <deque>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/feed/feed.h"
#include "tests/conformance/events/fixture.h"
#include "tests/conformance/events/in_process_feed.h"

namespace rapport::events {
namespace {

using namespace rapport::events::testing;  // NOLINT
using common::v1::Event;
using common::v1::WatchRequest;
using common::v1::WatchResponse;
using ::rapport::testing::InProcess;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A feed that says what the test wants: each opening plays the next script, and after its last
// response waits until it is cancelled.
class ScriptedFeed {
 public:
  using Script = std::vector<absl::StatusOr<WatchResponse>>;

  explicit ScriptedFeed(std::vector<Script> scripts) : scripts_(scripts.begin(), scripts.end()) {}

  OpenFeed Open() {
    return [this](const WatchRequest& request) -> absl::StatusOr<std::unique_ptr<FeedStream>> {
      MutexLock lock(mutex_);
      requests_.push_back(request);
      Script script;
      if (!scripts_.empty()) {
        script = std::move(scripts_.front());
        scripts_.pop_front();
      }
      if (!script.empty() && !script.front().ok()) return script.front().status();
      return std::make_unique<Stream>(std::move(script));
    };
  }

  std::vector<WatchRequest> requests() {
    MutexLock lock(mutex_);
    return requests_;
  }

 private:
  class Stream final : public FeedStream {
   public:
    explicit Stream(Script script) : script_(script.begin(), script.end()) {}
    absl::StatusOr<WatchResponse> Read() override {
      MutexLock lock(mutex_);
      while (script_.empty() && !cancelled_) changed_.Wait(mutex_);
      if (cancelled_) return absl::CancelledError();
      absl::StatusOr<WatchResponse> next = std::move(script_.front());
      script_.pop_front();
      return next;
    }
    void Cancel() override {
      MutexLock lock(mutex_);
      cancelled_ = true;
      changed_.SignalAll();
    }

   private:
    Mutex mutex_;
    CondVar changed_;
    std::deque<absl::StatusOr<WatchResponse>> script_ ABSL_GUARDED_BY(mutex_);
    bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  };

  Mutex mutex_;
  std::deque<Script> scripts_ ABSL_GUARDED_BY(mutex_);
  std::vector<WatchRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

Event AnEvent(int64_t position, int thing, int64_t version) {
  Event event;
  event.set_position(position);
  event.set_event_id(absl::StrCat("event-", position));
  event.set_organization("organizations/acme");
  event.set_resource(ThingName("acme", thing));
  event.set_version(version);
  return event;
}

WatchResponse Response(const std::string& cursor, std::vector<Event> events) {
  WatchResponse response;
  response.set_cursor(cursor);
  for (Event& event : events) *response.add_events() = std::move(event);
  return response;
}

class ConsumerTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  static ConsumerOptions Options() {
    return {.consumer = "assessment",
            .feed = "scheduling",
            .types = {},
            .first_backoff = absl::Milliseconds(1),
            .max_backoff = absl::Milliseconds(4)};
  }

  // Puts the thing as a replica does; things in trouble fail.
  ApplyEvent Put() {
    return [this](sql::Transaction& tx, const Event& event) -> absl::Status {
      tx.Defer(kPutThing, {sql::Text(names::OrganizationId(event.organization())),
                           sql::Text(event.resource()), sql::Int(event.version())});
      MutexLock lock(mutex_);
      ++applications_[event.position()];
      auto trouble = trouble_.find(event.resource());
      return trouble == trouble_.end() ? absl::OkStatus() : trouble->second;
    };
  }

  void SetTrouble(int thing, absl::Status status) {
    MutexLock lock(mutex_);
    trouble_.erase(ThingName("acme", thing));
    if (!status.ok()) trouble_.emplace(ThingName("acme", thing), status);
  }

  int Applications(int64_t position) {
    MutexLock lock(mutex_);
    return applications_[position];
  }

  // Follows until `position`, and stops.
  void Follow(OpenFeed open, int64_t position) {
    Consumer consumer(*database_, Options(), std::move(open), Put());
    consumer.Start();
    EXPECT_TRUE(Eventually([&] { return consumer.position() >= position; })) << consumer.position();
    consumer.Stop();
  }

  std::unique_ptr<sql::Database> database_ = GetParam().make();

  // The other service.
  std::unique_ptr<sql::Database> source_ = sql::testing::Sqlite({Things()}).make();
  time::ManualClock clock_{absl::FromUnixSeconds(1772951460)};
  feed::Feed feed_{*source_, clock_, {.tick = absl::Milliseconds(2), .max_events = 3}};

 private:
  Mutex mutex_;
  std::map<int64_t, int> applications_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, absl::Status> trouble_ ABSL_GUARDED_BY(mutex_);
};

TEST_P(ConsumerTest, BeginsWithASnapshotThenTailsAndResumesAfterAStop) {
  feed_.Start();
  for (int number : {1, 2, 1, 3, 4, 1}) ChangeThing(*source_, "acme", number);
  ASSERT_TRUE(Eventually([&] { return feed_.last_position() == 6; }));
  Consumer consumer(*database_, Options(), InProcess(feed_), Put());
  EXPECT_EQ(consumer.position(), -1);
  EXPECT_GT(consumer.lag(), absl::ZeroDuration());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 6; }));
  // The newest of each, once: what came before t1 v3 was not told.
  EXPECT_THAT(ListThings(*database_, "acme"),
              ElementsAre("t1 v3 x1", "t2 v1 x1", "t3 v1 x1", "t4 v1 x1"));
  EXPECT_TRUE(Eventually([&] { return consumer.lag() == absl::ZeroDuration(); }));

  ChangeThing(*source_, "acme", 2);
  ChangeThing(*source_, "beta", 9);
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 8; }));
  consumer.Stop();

  for (int i = 0; i < 5; ++i) ChangeThing(*source_, "acme", 1);
  Follow(InProcess(feed_), 13);
  EXPECT_THAT(ListThings(*database_, "acme"),
              ElementsAre("t1 v8 x6", "t2 v2 x2", "t3 v1 x1", "t4 v1 x1"));
  EXPECT_THAT(ListThings(*database_, "beta"), ElementsAre("t9 v1 x1"));
}

TEST_P(ConsumerTest, RedeliveryChangesNothing) {
  const std::vector<Event> events = {AnEvent(1, 1, 1), AnEvent(2, 2, 1), AnEvent(3, 1, 2)};
  ScriptedFeed feed({
      {Response("c3", events), Response("c3", events), absl::CancelledError()},
      {absl::UnavailableError("down")},
      {Response("c3", events), Response("c4", {events[2], AnEvent(4, 1, 3)})},
  });
  Follow(feed.Open(), 4);
  for (int position : {1, 2, 3, 4}) EXPECT_EQ(Applications(position), 1) << position;
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v3 x3", "t2 v1 x1"));
  EXPECT_EQ(feed.requests()[0].cursor(), "");
  EXPECT_TRUE(feed.requests()[0].from_snapshot());
  EXPECT_EQ(feed.requests()[1].cursor(), "c3");
  EXPECT_FALSE(feed.requests()[1].from_snapshot());
}

TEST_P(ConsumerTest, StoppedWithinAResponseGoesOnWithinIt) {
  // The second event is in trouble of the database until the consumer stops.
  const WatchResponse response = Response("c3", {AnEvent(1, 1, 1), AnEvent(2, 2, 1)});
  ScriptedFeed feed({{response}, {response}});
  SetTrouble(2, absl::UnavailableError("down"));
  Follow(feed.Open(), 1);
  SetTrouble(2, absl::OkStatus());
  Follow(feed.Open(), 2);
  EXPECT_EQ(Applications(1), 1);
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v1 x1", "t2 v1 x1"));
}

TEST_P(ConsumerTest, KeepsTheCursorOfAHeartbeat) {
  ScriptedFeed feed({{Response("c0", {})}, {Response("c0", {})}});
  Consumer consumer(*database_, Options(), feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.lag() == absl::ZeroDuration(); }));
  consumer.Stop();
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return feed.requests().size() == 2; }));
  consumer.Stop();
  EXPECT_EQ(feed.requests()[1].cursor(), "c0");
}

// Its other end is gone, and nothing says so: the network was cut and the server has given up.
TEST_P(ConsumerTest, AStreamThatFallsSilentIsOpenedAnew) {
  ScriptedFeed feed({{Response("c1", {AnEvent(1, 1, 1)})}, {Response("c2", {AnEvent(2, 1, 2)})}});
  ConsumerOptions options = Options();
  options.silence = absl::Milliseconds(40);
  Consumer consumer(*database_, options, feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 2; }));
  consumer.Stop();
  EXPECT_EQ(feed.requests()[1].cursor(), "c1");
}

TEST_P(ConsumerTest, ParksWhatFailsFiveTimesWithWhatFollowsOfTheSameAndRetriesInOrder) {
  ScriptedFeed feed({{Response("c5", {AnEvent(1, 1, 1), AnEvent(2, 2, 1), AnEvent(3, 1, 2),
                                      AnEvent(4, 2, 2), AnEvent(5, 3, 1)})},
                     {Response("c7", {AnEvent(6, 2, 3), AnEvent(7, 3, 2)})}});
  SetTrouble(2, absl::InternalError("can't"));
  Consumer consumer(*database_, Options(), feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 5; }));
  EXPECT_EQ(Applications(2), 5);
  EXPECT_EQ(Applications(4), 0);
  EXPECT_EQ(consumer.parked(), 2);
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v2 x2", "t3 v1 x1"));

  // Also what follows after a restart, when the trouble is over but the earlier ones still wait.
  consumer.Stop();
  SetTrouble(2, absl::OkStatus());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 7; }));
  EXPECT_EQ(consumer.parked(), 3);
  EXPECT_EQ(Applications(6), 0);

  SetTrouble(2, absl::InternalError("can't"));
  EXPECT_EQ(*consumer.RetryParked(), 0);
  EXPECT_EQ(consumer.parked(), 3);
  SetTrouble(2, absl::OkStatus());
  EXPECT_EQ(*consumer.RetryParked(), 3);
  EXPECT_EQ(consumer.parked(), 0);
  EXPECT_EQ(*consumer.RetryParked(), 0);
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v2 x2", "t2 v3 x3", "t3 v2 x2"));
}

TEST_P(ConsumerTest, ParksAnEventOfNobody) {
  Event event = AnEvent(1, 1, 1);
  event.clear_organization();
  ScriptedFeed feed({{Response("c2", {event, AnEvent(2, 2, 1)})}});
  Consumer consumer(*database_, Options(), feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 2; }));
  EXPECT_EQ(consumer.parked(), 1);
  EXPECT_EQ(Applications(1), 0);
  EXPECT_EQ(*consumer.RetryParked(), 0);
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t2 v1 x1"));
}

TEST_P(ConsumerTest, TriesForEverWhereTheDatabaseIsInTrouble) {
  ScriptedFeed feed({{Response("c1", {AnEvent(1, 1, 1)})}});
  SetTrouble(1, absl::UnavailableError("down"));
  Consumer consumer(*database_, Options(), feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return Applications(1) > 8; }));
  EXPECT_EQ(consumer.parked(), 0);
  SetTrouble(1, absl::OkStatus());
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 1; }));
  EXPECT_EQ(consumer.parked(), 0);
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v1 x1"));
}

TEST_P(ConsumerTest, BeginsAgainWithASnapshotWhereTheCursorHasExpired) {
  ScriptedFeed feed({
      {Response("c9", {AnEvent(8, 1, 1), AnEvent(9, 2, 1)}), absl::CancelledError()},
      {errors::OutOfRange("CURSOR_EXPIRED", "Begin with from_snapshot.")},
      // Another epoch: positions begin anew.
      {Response("d2", {AnEvent(1, 1, 3), AnEvent(2, 2, 1)})},
  });
  SetTrouble(2, absl::InternalError("can't"));
  Consumer consumer(*database_, Options(), feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 2; }));
  consumer.Stop();
  ASSERT_EQ(feed.requests().size(), 3u);
  EXPECT_EQ(feed.requests()[1].cursor(), "c9");
  EXPECT_EQ(feed.requests()[2].cursor(), "");
  EXPECT_TRUE(feed.requests()[2].from_snapshot());
  // What was parked in the old epoch is told again by the snapshot.
  EXPECT_EQ(consumer.parked(), 1);
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v3 x2"));
}

TEST_P(ConsumerTest, BeginsAgainWithASnapshotWhereAnUpgradeReadsOtherTypes) {
  ScriptedFeed feed({
      {Response("c9", {AnEvent(8, 1, 1), AnEvent(9, 2, 1)}), absl::CancelledError()},
      {errors::InvalidArgument("cursor", "must come from a Watch with the same types")},
      {Response("d9", {AnEvent(8, 1, 1), AnEvent(9, 2, 1), AnEvent(10, 3, 1)})},
  });
  Consumer consumer(*database_, Options(), feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.position() == 10; }));
  consumer.Stop();
  ASSERT_EQ(feed.requests().size(), 3u);
  EXPECT_EQ(feed.requests()[1].cursor(), "c9");
  EXPECT_TRUE(feed.requests()[2].from_snapshot());
  EXPECT_THAT(ListThings(*database_, "acme"), ElementsAre("t1 v1 x1", "t2 v1 x1", "t3 v1 x1"));
}

TEST_P(ConsumerTest, TwoReplicasApplyEachEventOnce) {
  feed_.Start();
  const auto first = std::make_unique<Consumer>(*database_, Options(), InProcess(feed_), Put());
  const auto second = std::make_unique<Consumer>(*database_, Options(), InProcess(feed_), Put());
  first->Start();
  second->Start();
  constexpr int kChanges = 60;
  for (int i = 0; i < kChanges; ++i) ChangeThing(*source_, "acme", i % 3);
  EXPECT_TRUE(
      Eventually([&] { return std::max(first->position(), second->position()) == kChanges; }));
  first->Stop();
  second->Stop();
  // A snapshot may have skipped older versions, but nothing was written more often than told.
  int64_t writes = 0;
  for (int position = 1; position <= kChanges; ++position) writes += Applications(position) > 0;
  int64_t times = 0;
  for (const std::string& thing : ListThings(*database_, "acme")) {
    EXPECT_THAT(thing, ::testing::HasSubstr(" v20 "));
    int64_t count = 0;
    EXPECT_TRUE(absl::SimpleAtoi(thing.substr(thing.rfind('x') + 1), &count));
    times += count;
  }
  EXPECT_LE(times, writes);
}

TEST_P(ConsumerTest, TellsItsLagAndWhatIsParked) {
  const auto metrics = telemetry::Metrics::Unserved();
  ConsumerOptions options = Options();
  options.metrics = metrics.get();
  ScriptedFeed feed({{Response("c1", {AnEvent(1, 1, 1)})}});
  SetTrouble(1, absl::InternalError("can't"));
  Consumer consumer(*database_, options, feed.Open(), Put());
  consumer.Start();
  EXPECT_TRUE(Eventually([&] { return consumer.lag() == absl::ZeroDuration(); }));
  consumer.Stop();
  EXPECT_THAT(metrics->Text(),
              ::testing::HasSubstr("rapport_events_consumer_parked{feed=\"scheduling\"} 1"));
  EXPECT_THAT(metrics->Text(),
              ::testing::HasSubstr("rapport_events_consumer_lag_seconds{feed=\"scheduling\"}"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ConsumerTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Things()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::events
