#ifndef RAPPORT_COMMON_CONCURRENCY_PERIODIC_H_
#define RAPPORT_COMMON_CONCURRENCY_PERIODIC_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"

namespace rapport {

// A thread that runs `tick` at once, then again `period` (real clock) after each run ended. Declare
// it last in its owner, so that it stops before what it uses goes. Thread-safe.
class PeriodicThread {
 public:
  PeriodicThread(absl::string_view name, absl::Duration period, std::function<void()> tick);
  // Stops.
  ~PeriodicThread();
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

  // Makes the next run begin now, or right after the one under way.
  void Wake();

  // Ends after the run under way, and waits for it. Not from `tick`.
  void Stop();

 private:
  void Run(absl::Duration period);

  const std::function<void()> tick_;
  Mutex mutex_;
  CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex join_mutex_;
  std::thread thread_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace rapport

#endif  // RAPPORT_COMMON_CONCURRENCY_PERIODIC_H_
