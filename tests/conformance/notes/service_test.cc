#include "services/notes/rpc/service.h"

#include <future>
#include <mutex>

#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

// Tells each of its responses once, says when the last has been dealt with, and then is silent.
class ScriptedStream : public events::FeedStream {
 public:
  ScriptedStream(std::vector<common::v1::WatchResponse> responses, std::promise<void>& done)
      : responses_(std::move(responses)), done_(done) {}

  absl::StatusOr<common::v1::WatchResponse> Read() override {
    if (next_ < responses_.size()) return responses_[next_++];
    done_.set_value();
    cancelled_.get_future().wait();
    return absl::UnavailableError("cancelled");
  }
  void Cancel() override {
    std::call_once(once_, [this] { cancelled_.set_value(); });
  }

 private:
  const std::vector<common::v1::WatchResponse> responses_;
  std::promise<void>& done_;
  std::promise<void> cancelled_;
  std::once_flag once_;
  size_t next_ = 0;
};

class ServiceTest : public NotesTest {};

TEST_P(ServiceTest, FollowsSchedulingAndAnswersEveryMethod) {
  common::v1::WatchResponse told;
  told.set_cursor("c");
  scheduling::v1::CourseEvent course;
  course.set_clinician(Clinician("ada"));
  for (int64_t position = 1; position <= 2; ++position) {  // the second is a redelivery
    common::v1::Event& event = *told.add_events();
    event.set_position(position);
    event.set_event_id("e");
    event.set_organization("organizations/acme");
    event.set_resource(CourseName("followed"));
    event.set_version(1);
    *event.mutable_occur_time() = time::ToTimestamp(now_);
    event.mutable_payload()->PackFrom(course);
  }
  std::promise<void> done;
  time::ManualClock clock(now_);
  const auto metrics = telemetry::Metrics::Unserved();
  NotesService service(
      {*database_, clock, *metrics, vault_, scheduling_, assessment_,
       [&](const common::v1::WatchRequest& request)
           -> absl::StatusOr<std::unique_ptr<events::FeedStream>> {
         EXPECT_THAT(request.types(), ::testing::ElementsAreArray(SchedulingEventTypes()));
         return std::make_unique<ScriptedStream>(std::vector{told, common::v1::WatchResponse()},
                                                 done);
       },
       [](const common::v1::WatchRequest&) -> absl::StatusOr<std::unique_ptr<events::FeedStream>> {
         return absl::UnavailableError("assessment is down");
       }});
  call::Registry registry;
  service.Register(registry);
  EXPECT_TRUE(registry.Complete().ok()) << registry.Complete();
  EXPECT_EQ(registry.services().size(), 13u);

  service.Start();
  done.get_future().wait();
  service.Stop();
  EXPECT_EQ(service.consumer().position(), 2);
  EXPECT_EQ(service.consumer().parked(), 0);
  v1::GetCaseRequest request;
  request.set_name(CaseName("followed"));
  EXPECT_EQ(cases_.GetCase(By("ada"), request)->etag(), "1");
  EXPECT_THAT(Events(), ::testing::ElementsAre(CaseName() + " v1", CaseName("followed") + " v1"));
}

INSTANTIATE_TEST_SUITE_P(Engines, ServiceTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
