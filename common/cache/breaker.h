#ifndef RAPPORT_COMMON_CACHE_BREAKER_H_
#define RAPPORT_COMMON_CACHE_BREAKER_H_

#include <algorithm>
#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"

namespace rapport::cache {

// Whether something that fails is still asked. Closed: it is. After `failures` in a row it opens:
// nobody asks for a pause, which doubles with each failed probe; then one probe is let through,
// whose outcome closes it or opens it again. The caller brings the clock. Thread-safe.
class Breaker {
 public:
  enum class State { kClosed = 0, kHalfOpen = 1, kOpen = 2 };

  Breaker(int failures, absl::Duration first_pause, absl::Duration longest_pause)
      : failures_(failures), first_pause_(first_pause), longest_pause_(longest_pause) {}

  State state() const { return state_.load(std::memory_order_relaxed); }
  bool closed() const { return state() == State::kClosed; }

  void Succeeded() {
    MutexLock lock(mutex_);
    in_a_row_ = 0;
    pause_ = absl::ZeroDuration();
    state_ = State::kClosed;
  }

  void Failed(absl::Time now) {
    MutexLock lock(mutex_);
    // Of calls that were under way when it opened.
    if (state() == State::kOpen) return;
    ++in_a_row_;
    if (state() == State::kClosed && in_a_row_ < failures_) return;
    pause_ = std::clamp(2 * pause_, first_pause_, longest_pause_);
    probe_at_ = now + pause_;
    state_ = State::kOpen;
  }

  // True for one caller, who then tells how its probe went.
  bool MayProbe(absl::Time now) {
    MutexLock lock(mutex_);
    if (state() != State::kOpen || now < probe_at_) return false;
    state_ = State::kHalfOpen;
    return true;
  }

 private:
  const int failures_;
  const absl::Duration first_pause_;
  const absl::Duration longest_pause_;
  std::atomic<State> state_{State::kClosed};  // written under the lock
  Mutex mutex_;
  int in_a_row_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_);
  absl::Time probe_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport::cache

#endif  // RAPPORT_COMMON_CACHE_BREAKER_H_
