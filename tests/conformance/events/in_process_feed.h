#ifndef RAPPORT_TESTS_CONFORMANCE_EVENTS_IN_PROCESS_FEED_H_
#define RAPPORT_TESTS_CONFORMANCE_EVENTS_IN_PROCESS_FEED_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/call/call_context.h"
#include "common/concurrency/mutex.h"
#include "common/errors/status_macros.h"
#include "common/events/consumer.h"
#include "common/feed/feed.h"

namespace rapport::testing {

// The key of all feeds in tests.
inline std::shared_ptr<const auth::IntegrityKey> TestIntegrityKey() {
  static const std::shared_ptr<const auth::IntegrityKey> key =
      *auth::IntegrityKey::Parse(std::string(64, '7'));
  return key;
}

inline call::CallContext ContextOf(auth::Principal principal) {
  call::CallContext context;
  context.organization_id = principal.organization_id;
  context.principal = std::make_shared<const auth::Principal>(std::move(principal));
  context.method = "rapport.common.v1.EventService/Watch";
  context.integrity = TestIntegrityKey();
  return context;
}

inline call::CallContext ServiceContext(const std::string& service = "assessment") {
  auth::Principal principal;
  principal.kind = auth::Principal::Kind::kService;
  principal.subject = "service:" + service;
  return ContextOf(std::move(principal));
}

inline call::CallContext UserContext(const std::string& organization_id,
                                     const std::string& subject = "user",
                                     std::vector<std::string> roles = {"integration"}) {
  auth::Principal principal;
  principal.subject = subject;
  principal.organization_id = organization_id;
  principal.roles = std::move(roles);
  return ContextOf(std::move(principal));
}

// A Watch of a feed in this process, as a consumer sees that of another service.
class InProcessStream final : public events::FeedStream {
 public:
  explicit InProcessStream(std::unique_ptr<call::StreamSource> source)
      : source_(std::move(source)) {}

  absl::StatusOr<common::v1::WatchResponse> Read() override {
    for (;;) {
      {
        MutexLock lock(mutex_);
        if (!cancelled_ && !source_->Ready()) {
          changed_.WaitUntil(mutex_, absl::Now() + absl::Milliseconds(1));
        }
        if (cancelled_) return absl::CancelledError("cancelled");
      }
      if (!source_->Ready()) continue;
      common::v1::WatchResponse response;
      ASSIGN_OR_RETURN(const call::StreamSource::Next next, source_->Pull(response));
      if (next == call::StreamSource::Next::kMessage) return response;
      if (next == call::StreamSource::Next::kEnd) return absl::CancelledError("ended");
    }
  }

  void Cancel() override {
    MutexLock lock(mutex_);
    cancelled_ = true;
    changed_.SignalAll();
  }

 private:
  const std::unique_ptr<call::StreamSource> source_;
  Mutex mutex_;
  CondVar changed_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Watches `feed`, which outlives the consumer, in the service's own right.
inline events::OpenFeed InProcess(feed::Feed& feed) {
  return [&feed](const common::v1::WatchRequest& request)
             -> absl::StatusOr<std::unique_ptr<events::FeedStream>> {
    ASSIGN_OR_RETURN(std::unique_ptr<call::StreamSource> source,
                     feed.Watch(ServiceContext(), request));
    return std::make_unique<InProcessStream>(std::move(source));
  };
}

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_EVENTS_IN_PROCESS_FEED_H_
