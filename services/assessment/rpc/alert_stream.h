#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_STREAM_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_STREAM_H_

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/stream_source.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/events/event_log.h"
#include "common/sql/database.h"
#include "common/time/clock.h"
#include "rapport/assessment/v1/alert_service.pb.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {

// By the real clock.
struct AlertNewsOptions {
  absl::Duration tick = absl::Milliseconds(50);
  absl::Duration covers = absl::Seconds(5);  // how often it is looked who covers whom
  absl::Duration heartbeat = absl::Seconds(15);
  absl::Duration stream_life = absl::Minutes(4);
};

// Tells the streams of WatchAlerts what the service's own event log says of alerts. However many
// streams there are, the log is looked at once a tick, each changed alert is read once, with whom
// it concerns, and each stream picks what is for its clinician. Looks only while a stream is open,
// and outlives its streams. Thread-safe.
class AlertNews {
 public:
  AlertNews(sql::Database& database, time::Clock& clock, AlertNewsOptions options = {});
  ~AlertNews();

  // The answer to WatchAlerts: the unresolved alerts that the caller may list, then what changes.
  // Whom each change concerns is decided when it is told; where cover alone has brought others into
  // the caller's reach, they are told of what is unresolved within seconds. Ends where the caller
  // is not the clinician any more that they were when there is something to tell.
  absl::StatusOr<std::unique_ptr<call::StreamSource>> Watch(const call::CallContext& context,
                                                            const v1::WatchAlertsRequest& request);

  // Takes up what the log holds by now.
  absl::Status Tick();

 private:
  class Stream;

  // An alert as it was soon after an event of it, and the clinicians whom it concerns.
  struct News {
    int64_t position = 0;
    std::shared_ptr<const v1::Alert> alert;
    std::vector<std::string> audience;
  };
  // What the streams of one organisation share.
  struct Channel {
    std::atomic<int64_t> position{0};  // of the newest entry
    std::atomic<int64_t> covers{0};    // how often it changed who covers whom
    Mutex mutex;
    std::deque<News> news ABSL_GUARDED_BY(mutex);  // by position
    int64_t forgotten ABSL_GUARDED_BY(mutex) = 0;  // up to here; a stream before it lists anew
  };

  // The channel of an organisation, and up to where the log was taken up.
  struct Joined {
    std::shared_ptr<Channel> channel;
    int64_t position = 0;
  };
  absl::StatusOr<Joined> Join(const std::string& organization_id);
  void Leave(const std::string& organization_id);
  absl::Status LookAtCovers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(follow_mutex_);
  absl::Status TellOf(const std::string& organization_id, int64_t up_to)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(follow_mutex_);

  sql::Database& database_;
  time::Clock& clock_;
  const AlertNewsOptions options_;
  events::Sequencer log_;

  // Who looks at the log, one at a time.
  Mutex follow_mutex_;
  int64_t position_ ABSL_GUARDED_BY(follow_mutex_) = 0;
  struct Open {
    std::shared_ptr<Channel> channel;
    int streams = 0;
    std::vector<store::CoverNow> covers;
    absl::Time looked = absl::InfinitePast();  // real clock
  };
  std::map<std::string, Open> open_ ABSL_GUARDED_BY(follow_mutex_);  // by organisation
  bool healthy_ = true;                                              // the ticker's alone
  PeriodicThread ticker_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_ALERT_STREAM_H_
