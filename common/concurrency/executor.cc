#include "common/concurrency/executor.h"

#include <pthread.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace rapport {

BoundedExecutor::BoundedExecutor(absl::string_view name, int threads, size_t queue_limit)
    : name_(name), queue_limit_(queue_limit), tenant_limit_(std::max<size_t>(queue_limit / 4, 1)) {
  if (threads < 1 || queue_limit < 1) std::abort();
  MutexLock lock(join_mutex_);
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
      Run();
    });
  }
}

BoundedExecutor::~BoundedExecutor() { Drain(); }

bool BoundedExecutor::TrySubmit(absl::string_view tenant, std::function<void()> job) {
  {
    MutexLock lock(mutex_);
    if (draining_ || queue_.size() >= queue_limit_) return false;
    auto held = queued_by_tenant_.find(tenant);
    if (held == queued_by_tenant_.end()) {
      queued_by_tenant_.emplace(std::string(tenant), 1);
    } else if (held->second >= tenant_limit_) {
      return false;
    } else {
      ++held->second;
    }
    queue_.push_back({std::string(tenant), std::move(job)});
  }
  work_.Signal();
  return true;
}

void BoundedExecutor::Drain() {
  {
    MutexLock lock(mutex_);
    draining_ = true;
  }
  work_.SignalAll();
  MutexLock lock(join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

BoundedExecutor::Stats BoundedExecutor::stats() const {
  MutexLock lock(mutex_);
  return {queue_.size(), running_};
}

void BoundedExecutor::Run() {
  mutex_.Lock();
  while (true) {
    while (queue_.empty() && !draining_) work_.Wait(mutex_);
    if (queue_.empty()) break;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    auto held = queued_by_tenant_.find(job.tenant);
    if (--held->second == 0) queued_by_tenant_.erase(held);
    ++running_;
    mutex_.Unlock();
    job.run();
    job.run = nullptr;  // what it holds goes before it counts as done
    mutex_.Lock();
    --running_;
  }
  mutex_.Unlock();
}

}  // namespace rapport
