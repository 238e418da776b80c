#ifndef RAPPORT_COMMON_EVENTS_CONSUMER_H_
#define RAPPORT_COMMON_EVENTS_CONSUMER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/sql/database.h"
#include "common/telemetry/metrics.h"
#include "rapport/common/v1/event_service.pb.h"

namespace rapport::events {

// One open Watch of another service. Closed by destruction.
class FeedStream {
 public:
  virtual ~FeedStream() = default;
  // The next response; kOutOfRange CURSOR_EXPIRED as the server says; kCancelled when the server
  // ended the stream as it does every 4 minutes; kUnavailable when it is gone.
  virtual absl::StatusOr<common::v1::WatchResponse> Read() = 0;
  // Makes a blocked Read return. Thread-safe.
  virtual void Cancel() = 0;
};

using OpenFeed = std::function<absl::StatusOr<std::unique_ptr<FeedStream>>(
    const common::v1::WatchRequest& request)>;

// Applies `event` inside `tx`, a transaction of the event's organisation. Must do nothing for an
// event that is not newer than what it knows of the resource; may meet events in any order between
// resources. An error is tried again, 5 times; then the event is parked. kUnavailable, kAborted,
// kDeadlineExceeded, kResourceExhausted and kCancelled speak of the database, not of the event:
// they are tried again for ever.
using ApplyEvent =
    std::function<absl::Status(sql::Transaction& tx, const common::v1::Event& event)>;

struct ConsumerOptions {
  std::string consumer;            // "assessment"
  std::string feed;                // "scheduling"
  std::vector<std::string> types;  // payload types; empty: all
  absl::Duration first_backoff = absl::Milliseconds(50);
  absl::Duration max_backoff = absl::Seconds(2);
  // A heartbeat comes every 15 s. A stream that tells nothing for so long is taken for dead, as one
  // is whose other end is gone without a word, and opened anew.
  absl::Duration silence = absl::Seconds(20);
  telemetry::Metrics* metrics = nullptr;  // outlives the consumer; null: not measured
};

// Follows another service's feed for ever. Each event and the cursor are written in one transaction
// of this service's database, so that redelivery changes nothing and downtime loses nothing. Where
// several replicas run, one at a time applies (each transaction first moves the one cursor row,
// from the value it knows). An event that fails 5 times is parked with the later ones of its
// resource, the others go on, and a metric tells; RetryParked brings parked ones back. A first run,
// an expired cursor, or one of other types than are read now, begins with a snapshot.
class Consumer {
 public:
  Consumer(sql::Database& database, ConsumerOptions options, OpenFeed open, ApplyEvent apply);
  ~Consumer();

  void Start();
  void Stop();

  // Applies the parked events of this consumer in order; those that fail again stay. Returns how
  // many were applied.
  absl::StatusOr<int> RetryParked();

  // Position of the last event that was applied or parked; -1 before the first.
  int64_t position() const { return position_.load(); }
  int64_t parked() const { return parked_.load(); }

  // How long this replica has not been sure to know all that the feed tells (real clock): zero
  // while an open stream lives and all it told is applied.
  absl::Duration lag() const;

 private:
  // What the cursor row holds: where to resume, and the last position applied, which may be
  // further.
  struct Progress {
    std::string cursor;
    int64_t position = -1;
  };

  void Run();
  absl::Status Follow(bool& heard);
  absl::Status Load();
  absl::Status StartOver();
  absl::Status Take(const common::v1::WatchResponse& response);
  absl::Status ApplyOrPark(const common::v1::Event& event, const Progress& next);
  // `failure`: why the event is parked instead of applied.
  absl::Status Commit(const common::v1::Event& event, const Progress& next,
                      const std::optional<absl::Status>& failure);
  absl::Status Move(sql::Transaction& tx, const Progress& next);
  void Moved(const Progress& next);

  absl::StatusOr<int> RetryParkedOnce();
  absl::Status Retry(const common::v1::Event& event);

  void Heard(bool everything);
  void FellBehind();
  void Pause(absl::Duration duration);
  bool Stopping();
  void LookForSilence();

  sql::Database& database_;
  const ConsumerOptions options_;
  const OpenFeed open_;
  const ApplyEvent apply_;
  std::optional<telemetry::Gauge> lag_gauge_;
  std::optional<telemetry::Gauge> parked_gauge_;

  // The thread's alone.
  Progress progress_;
  absl::Time save_time_ = absl::InfinitePast();

  std::atomic<int64_t> position_{-1};
  Mutex parked_mutex_;  // held over a count and the change that it tells of
  std::atomic<int64_t> parked_{0};
  std::atomic<int64_t> behind_since_;      // µs, real clock; 0: not behind
  std::atomic<int64_t> heard_{0};          // µs, real clock
  std::atomic<int64_t> reading_since_{0};  // µs, real clock; 0: not waiting for the stream

  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  FeedStream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread thread_;
  std::unique_ptr<PeriodicThread> watch_;
};

}  // namespace rapport::events

#endif  // RAPPORT_COMMON_EVENTS_CONSUMER_H_
