#ifndef RAPPORT_COMMON_CONCURRENCY_EXECUTOR_H_
#define RAPPORT_COMMON_CONCURRENCY_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/concurrency/mutex.h"

namespace rapport {

// A fixed number of threads behind a bounded first-in-first-out queue. It never blocks who submits:
// what does not fit is refused at once. One tenant may hold at most a quarter of the queue (at
// least one place), so that it can't crowd out the others. Thread-safe.
class BoundedExecutor {
 public:
  // `threads` and `queue_limit` are at least 1. Threads carry the first 15 bytes of `name`.
  BoundedExecutor(absl::string_view name, int threads, size_t queue_limit);
  // Drains.
  ~BoundedExecutor();
  BoundedExecutor(const BoundedExecutor&) = delete;
  BoundedExecutor& operator=(const BoundedExecutor&) = delete;

  // Queues `job` on behalf of `tenant` (an organisation id; "" is a tenant like any other). Returns
  // false, and drops the job, if the queue is full, the tenant's share is, or Drain() has begun.
  // Jobs must not throw.
  [[nodiscard]] bool TrySubmit(absl::string_view tenant, std::function<void()> job);

  // Stops accepting, runs what is queued and joins the threads. Not from a job.
  void Drain();

  struct Stats {
    size_t queued = 0;   // waiting for a thread
    size_t running = 0;  // on a thread
  };
  Stats stats() const;
  const std::string& name() const { return name_; }

 private:
  struct Job {
    std::string tenant;
    std::function<void()> run;
  };

  void Run();

  const std::string name_;
  const size_t queue_limit_;
  const size_t tenant_limit_;
  mutable Mutex mutex_;
  CondVar work_;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, size_t> queued_by_tenant_ ABSL_GUARDED_BY(mutex_);
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex join_mutex_;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace rapport

#endif  // RAPPORT_COMMON_CONCURRENCY_EXECUTOR_H_
