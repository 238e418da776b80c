#ifndef RAPPORT_COMMON_FEED_FEED_H_
#define RAPPORT_COMMON_FEED_FEED_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/call/stream_source.h"
#include "common/concurrency/periodic.h"
#include "common/events/event_log.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event_service.pb.h"

namespace rapport::feed {

// By the real clock.
struct FeedOptions {
  absl::Duration tick = absl::Milliseconds(25);
  absl::Duration heartbeat = absl::Seconds(15);
  absl::Duration stream_life = absl::Minutes(4);
  int max_events = 500;                   // a response's
  int64_t window = 20000;                 // positions a read looks through, however little it finds
  // Payload types that only services may read: left out for users.
  std::vector<std::string> service_types = {};
  telemetry::Metrics* metrics = nullptr;  // outlives the feed; null: not measured
  // Applies the parked events of the process's consumers, and returns how many; null: has none.
  std::function<absl::StatusOr<int>()> retry_parked = nullptr;
};

// Runs the sequencer every 25 ms, knows the newest position, and serves EventService.Watch. One per
// process; outlives its streams.
class Feed {
 public:
  Feed(sql::Database& database, time::Clock& clock, FeedOptions options = {});
  ~Feed();

  void Register(call::Registry& registry);

  // Begins to sequence. Until then, and after Stop, only reads, and only while a stream is open.
  void Start() { sequencing_ = true; }
  void Stop() { sequencing_ = false; }

  // The newest position seen.
  int64_t last_position() const { return sequencer_.last_position(); }

  // A stream answers at once, if only with a cursor, so that the caller knows that it is heard.
  absl::StatusOr<std::unique_ptr<call::StreamSource>> Watch(
      const call::CallContext& context, const common::v1::WatchRequest& request);

  absl::StatusOr<common::v1::RetryParkedEventsResponse> RetryParkedEvents(
      const call::CallContext& context, const common::v1::RetryParkedEventsRequest& request);

 private:
  class Stream;

  void Tick();

  sql::Database& database_;
  time::Clock& clock_;
  const FeedOptions options_;
  events::Sequencer sequencer_;
  std::optional<telemetry::Gauge> unsequenced_age_;
  std::optional<telemetry::Gauge> audit_unsequenced_age_;
  std::atomic<bool> sequencing_{false};
  std::atomic<int> streams_{0};
  bool healthy_ = true;  // the ticker's alone
  PeriodicThread ticker_;
};

}  // namespace rapport::feed

#endif  // RAPPORT_COMMON_FEED_FEED_H_
