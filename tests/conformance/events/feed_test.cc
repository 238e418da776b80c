#include "common/feed/feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/events/compaction.h"
#include "tests/conformance/events/fixture.h"
#include "tests/conformance/events/in_process_feed.h"

namespace rapport::feed {
namespace {

using namespace rapport::events::testing;  // NOLINT
using common::v1::WatchRequest;
using common::v1::WatchResponse;
using ::rapport::testing::ServiceContext;
using ::rapport::testing::UserContext;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Next = call::StreamSource::Next;

constexpr char kClinic[] = "rapport.scheduling.v1.ClinicEvent";
constexpr char kCourse[] = "rapport.scheduling.v1.CourseEvent";

class FeedTest : public ::testing::TestWithParam<sql::testing::DatabaseFactory> {
 protected:
  FeedTest() {
    for (const char* organization_id : {"acme", "beta"}) {
      const absl::Status status =
          database_->Write(sql::Access::Tenant(organization_id), Soon(), [&](sql::Transaction& tx) {
            tx.Defer(kPutOrganization, {sql::Text(organization_id)});
            return absl::OkStatus();
          });
      EXPECT_TRUE(status.ok()) << status;
    }
    feed_.Start();
  }

  // The next message; fails the test where the stream ends instead.
  static WatchResponse Pull(call::StreamSource& stream) {
    WatchResponse response;
    Next next = Next::kWait;
    EXPECT_TRUE(Eventually([&] {
      if (!stream.Ready()) return false;
      const absl::StatusOr<Next> pulled = stream.Pull(response);
      EXPECT_TRUE(pulled.ok()) << pulled.status();
      next = pulled.ok() ? *pulled : Next::kEnd;
      return next != Next::kWait;
    }));
    EXPECT_EQ(next, Next::kMessage);
    return response;
  }

  // "t1 v2" of each event.
  static std::vector<std::string> Told(const WatchResponse& response) {
    std::vector<std::string> told;
    for (const common::v1::Event& event : response.events()) {
      told.push_back(absl::StrCat(names::Last(event.resource()), " v", event.version()));
    }
    return told;
  }

  std::unique_ptr<call::StreamSource> Open(const call::CallContext& context,
                                           const WatchRequest& request = {}) {
    absl::StatusOr<std::unique_ptr<call::StreamSource>> stream = feed_.Watch(context, request);
    EXPECT_TRUE(stream.ok()) << stream.status();
    return stream.ok() ? *std::move(stream) : nullptr;
  }

  void AwaitPosition(int64_t position) {
    ASSERT_TRUE(Eventually([&] { return feed_.last_position() >= position; }));
  }

  static WatchRequest From(const std::string& cursor) {
    WatchRequest request;
    request.set_cursor(cursor);
    return request;
  }
  static WatchRequest Of(std::initializer_list<const char*> types, const std::string& cursor = "") {
    WatchRequest request = From(cursor);
    for (const char* type : types) request.add_types(type);
    return request;
  }
  static WatchRequest Snapshot(const std::string& cursor = "") {
    WatchRequest request = From(cursor);
    request.set_from_snapshot(true);
    return request;
  }

  static constexpr absl::Duration kTick = absl::Milliseconds(2);

  std::unique_ptr<sql::Database> database_ = GetParam().make();
  time::ManualClock clock_{absl::FromUnixSeconds(1772951460)};
  Feed feed_{*database_, clock_, {.tick = kTick}};
};

TEST_P(FeedTest, AnswersAtOnceAndThenTellsWhatHappens) {
  const auto stream = Open(ServiceContext());
  const WatchResponse first = Pull(*stream);
  EXPECT_THAT(Told(first), IsEmpty());
  EXPECT_FALSE(first.cursor().empty());
  EXPECT_LE(first.cursor().size(), 1024u);
  EXPECT_FALSE(stream->Ready());
  ChangeThing(*database_, "acme", 1);
  EXPECT_THAT(Told(Pull(*stream)), ElementsAre("t1 v1"));
  EXPECT_FALSE(stream->Ready());
  ChangeThing(*database_, "acme", 1);
  EXPECT_THAT(Told(Pull(*stream)), ElementsAre("t1 v2"));
}

TEST_P(FeedTest, ShowsUsersTheirOrganisationAndServicesAll) {
  ChangeThing(*database_, "acme", 1);
  ChangeThing(*database_, "beta", 2);
  ChangeThing(*database_, "acme", 3);
  AwaitPosition(3);
  EXPECT_THAT(Told(Pull(*Open(ServiceContext()))), ElementsAre("t1 v1", "t2 v1", "t3 v1"));
  EXPECT_THAT(Told(Pull(*Open(UserContext("acme")))), ElementsAre("t1 v1", "t3 v1"));
  EXPECT_THAT(Told(Pull(*Open(UserContext("beta"), Snapshot()))), ElementsAre("t2 v1"));

  // What happens elsewhere moves the cursor and says nothing.
  const auto stream = Open(UserContext("beta"));
  Pull(*stream);
  ChangeThing(*database_, "acme", 1);
  AwaitPosition(4);
  WatchResponse response;
  EXPECT_TRUE(stream->Ready());
  EXPECT_EQ(*stream->Pull(response), Next::kWait);
  EXPECT_FALSE(stream->Ready());
}

TEST_P(FeedTest, GoesOnAfterTheCursor) {
  ChangeThing(*database_, "acme", 1);
  ChangeThing(*database_, "acme", 2);
  AwaitPosition(2);
  const std::string cursor = Pull(*Open(UserContext("acme"))).cursor();
  EXPECT_THAT(Told(Pull(*Open(UserContext("acme"), From(cursor)))), IsEmpty());
  ChangeThing(*database_, "acme", 2);
  AwaitPosition(3);
  EXPECT_THAT(Told(Pull(*Open(UserContext("acme"), From(cursor)))), ElementsAre("t2 v2"));
}

TEST_P(FeedTest, TellsOnlyTheTypesAskedFor) {
  ChangeThing(*database_, "acme", 1);
  ChangeThing<scheduling::v1::CourseEvent>(*database_, "acme", 2);
  ChangeThing<scheduling::v1::CoverEvent>(*database_, "acme", 3);
  AwaitPosition(3);
  EXPECT_THAT(Told(Pull(*Open(ServiceContext(), Of({kCourse})))), ElementsAre("t2 v1"));
  EXPECT_THAT(Told(Pull(*Open(ServiceContext(), Of({kCourse, kClinic})))),
              ElementsAre("t1 v1", "t2 v1"));
  EXPECT_THAT(Told(Pull(*Open(ServiceContext(), Of({"rapport.scheduling.v1.Course"})))), IsEmpty());
}

TEST_P(FeedTest, RefusesCursorsOfOtherTypesOtherCallersAndNobody) {
  const std::string cursor = Pull(*Open(UserContext("acme"), Of({kClinic, kCourse}))).cursor();
  EXPECT_TRUE(feed_.Watch(UserContext("acme"), Of({kCourse, kClinic, kCourse}, cursor)).ok());
  for (const auto& [context, request] : std::vector<std::pair<call::CallContext, WatchRequest>>{
           {UserContext("acme"), Of({kClinic}, cursor)},
           {UserContext("acme"), From(cursor)},
           {UserContext("beta"), Of({kClinic, kCourse}, cursor)},
           {ServiceContext(), Of({kClinic, kCourse}, cursor)},
           {UserContext("acme"), From("nonsense")}}) {
    const absl::Status status = feed_.Watch(context, request).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  }
}

TEST_P(FeedTest, RefusesACursorBesideFromSnapshot) {
  const std::string cursor = Pull(*Open(ServiceContext())).cursor();
  EXPECT_TRUE(absl::IsInvalidArgument(feed_.Watch(ServiceContext(), Snapshot(cursor)).status()));
}

TEST_P(FeedTest, ExpiresTheCursorOfAnotherEpoch) {
  const std::string cursor = Pull(*Open(ServiceContext())).cursor();
  const auto other_database = sql::testing::Sqlite({Things()}).make();
  Feed other(*other_database, clock_);
  const absl::Status status = other.Watch(ServiceContext(), From(cursor)).status();
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(errors::Reason(status), "CURSOR_EXPIRED");
}

TEST_P(FeedTest, CompactsWhatItsConsumersHavePassedAndExpiresCursorsFromBefore) {
  const auto compact = [&] {
    const auto gone = events::CompactOnce(*database_, absl::InfiniteFuture());
    EXPECT_TRUE(gone.ok()) << gone.status();
    return gone.value_or(-1);
  };
  auto stream = Open(ServiceContext());
  (void)Pull(*stream);
  ChangeThing(*database_, "acme", 1);
  const std::string early = Pull(*stream).cursor();
  ChangeThing(*database_, "acme", 1);
  (void)Pull(*stream);
  ChangeThing(*database_, "acme", 1);
  const std::string late = Pull(*stream).cursor();

  stream = Open(ServiceContext(), From(early));
  EXPECT_EQ(compact(), 1);
  EXPECT_EQ(compact(), 0);
  EXPECT_THAT(Told(Pull(*stream)), ElementsAre("t1 v2", "t1 v3"));
  stream = Open(ServiceContext(), From(late));
  EXPECT_EQ(compact(), 2);

  const auto expired = feed_.Watch(ServiceContext(), From(early));
  EXPECT_EQ(errors::Reason(expired.status()), "CURSOR_EXPIRED");
  stream = Open(ServiceContext(), Snapshot());
  EXPECT_THAT(Told(Pull(*stream)), ElementsAre("t1 v3"));
  stream = Open(ServiceContext(), From(late));
  ChangeThing(*database_, "acme", 1);
  std::vector<std::string> told;
  EXPECT_TRUE(Eventually([&] {
    for (const std::string& line : Told(Pull(*stream))) told.push_back(line);
    return !told.empty();
  }));
  EXPECT_THAT(told, ElementsAre("t1 v4"));
}

TEST_P(FeedTest, TellsASnapshotInPagesThatCanBeResumedAndThenWhatFollows) {
  Feed feed(*database_, clock_, {.tick = kTick, .max_events = 2});
  for (int number : {1, 2, 1, 3, 4, 5, 3}) ChangeThing(*database_, "acme", number);
  AwaitPosition(7);  // t2 v1, t1 v2, t4 v1, t5 v1, t3 v2 are the newest

  const auto stream = *feed.Watch(ServiceContext(), Snapshot());
  const WatchResponse first = Pull(*stream);
  EXPECT_THAT(Told(first), ElementsAre("t2 v1", "t1 v2"));
  // Newer than the snapshot: told after it, which goes on as it was.
  ChangeThing(*database_, "acme", 4);
  AwaitPosition(8);
  for (const WatchRequest& request : {Snapshot(first.cursor()), From(first.cursor())}) {
    const auto resumed = *feed.Watch(ServiceContext(), request);
    EXPECT_THAT(Told(Pull(*resumed)), ElementsAre("t4 v1", "t5 v1"));
    const WatchResponse last = Pull(*resumed);
    EXPECT_THAT(Told(last), ElementsAre("t3 v2"));
    EXPECT_THAT(Told(Pull(*resumed)), ElementsAre("t4 v2"));
    EXPECT_THAT(Told(Pull(**feed.Watch(ServiceContext(), From(last.cursor())))),
                ElementsAre("t4 v2"));
  }
}

TEST_P(FeedTest, TellsAtMostFiveHundredAtATime) {
  ASSERT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), Soon(),
                          [&](sql::Transaction& tx) {
                            for (int i = 1; i <= 1001; ++i) {
                              events::Append(tx, "acme", ThingName("acme", 1), i, clock_.Now(),
                                             scheduling::v1::ClinicEvent());
                            }
                            return absl::OkStatus();
                          })
                  .ok());
  AwaitPosition(1001);
  const auto stream = Open(ServiceContext());
  EXPECT_EQ(Pull(*stream).events_size(), 500);
  EXPECT_EQ(Pull(*stream).events_size(), 500);
  EXPECT_EQ(Pull(*stream).events_size(), 1);
}

TEST_P(FeedTest, FindsWhatLiesFarApart) {
  Feed feed(*database_, clock_, {.tick = kTick, .window = 2});
  ChangeThing<scheduling::v1::CourseEvent>(*database_, "acme", 1);
  for (int i = 0; i < 9; ++i) ChangeThing(*database_, "acme", 2);
  ChangeThing<scheduling::v1::CourseEvent>(*database_, "acme", 3);
  for (int i = 0; i < 9; ++i) ChangeThing(*database_, "acme", 2);
  AwaitPosition(20);
  const auto tail = *feed.Watch(ServiceContext(), Of({kCourse}));
  const auto snapshot = *feed.Watch(ServiceContext(), Snapshot());
  for (const auto& [stream, expected] :
       std::vector<std::pair<call::StreamSource*, std::vector<std::string>>>{
           {tail.get(), {"t1 v1", "t3 v1"}}, {snapshot.get(), {"t1 v1", "t3 v1", "t2 v18"}}}) {
    std::vector<std::string> told;
    while (told.size() < expected.size()) {
      const std::vector<std::string> more = Told(Pull(*stream));
      told.insert(told.end(), more.begin(), more.end());
    }
    EXPECT_EQ(told, expected);
  }
}

TEST_P(FeedTest, TellsServicesAloneWhatIsForServices) {
  Feed feed(*database_, clock_, {.tick = kTick, .service_types = {kCourse}});
  feed.Start();
  ChangeThing(*database_, "acme", 1);
  ChangeThing<scheduling::v1::CourseEvent>(*database_, "acme", 2);
  AwaitPosition(2);
  ASSERT_TRUE(Eventually([&] { return feed.last_position() >= 2; }));
  const auto told = [&](const call::CallContext& who, const WatchRequest& request) {
    return Told(Pull(**feed.Watch(who, request)));
  };
  EXPECT_THAT(told(ServiceContext(), {}), ElementsAre("t1 v1", "t2 v1"));
  EXPECT_THAT(told(UserContext("acme"), {}), ElementsAre("t1 v1"));
  EXPECT_THAT(told(UserContext("acme"), Snapshot()), ElementsAre("t1 v1"));
  EXPECT_THAT(told(UserContext("acme"), Of({kCourse})), IsEmpty());
}

TEST_P(FeedTest, SendsHeartbeats) {
  Feed feed(*database_, clock_, {.tick = kTick, .heartbeat = absl::ZeroDuration()});
  const auto stream = *feed.Watch(UserContext("acme"), {});
  const std::string cursor = Pull(*stream).cursor();
  EXPECT_EQ(Pull(*stream).cursor(), cursor);
  ChangeThing(*database_, "beta", 1);
  EXPECT_TRUE(Eventually([&] { return Pull(*stream).cursor() != cursor; }));
}

TEST_P(FeedTest, EndsAStreamAfterItsLife) {
  Feed feed(*database_, clock_, {.tick = kTick, .stream_life = absl::ZeroDuration()});
  const auto stream = *feed.Watch(UserContext("acme"), {});
  WatchResponse response;
  EXPECT_TRUE(stream->Ready());
  EXPECT_EQ(*stream->Pull(response), Next::kEnd);
}

TEST_P(FeedTest, IsNotReadyForAnOrganisationItHasNotHeardOf) {
  const absl::Status status = feed_.Watch(UserContext("gamma"), {}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(errors::Reason(status), "ORGANIZATION_NOT_READY");
  EXPECT_TRUE(absl::IsPermissionDenied(feed_.Watch(UserContext(""), {}).status()));
}

TEST_P(FeedTest, ReadsWhatAnotherReplicaNumbers) {
  Feed reader(*database_, clock_, {.tick = kTick});
  const auto stream = *reader.Watch(ServiceContext(), {});
  Pull(*stream);
  ChangeThing(*database_, "acme", 1);
  EXPECT_THAT(Told(Pull(*stream)), ElementsAre("t1 v1"));
}

TEST_P(FeedTest, RetriesTheParkedEventsOfItsProcess) {
  EXPECT_EQ(feed_.RetryParkedEvents(ServiceContext(), {})->applied_count(), 0);
  Feed following(*database_, clock_, {.retry_parked = [] { return 3; }});
  EXPECT_EQ(following.RetryParkedEvents(ServiceContext(), {})->applied_count(), 3);
}

TEST_P(FeedTest, RegistersEveryMethodOfItsService) {
  call::Registry registry;
  feed_.Register(registry);
  EXPECT_TRUE(registry.Complete().ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, FeedTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({Things()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::feed
