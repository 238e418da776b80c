#include "common/concurrency/periodic.h"

#include <pthread.h>

#include <string>
#include <utility>

#include "absl/time/clock.h"

namespace rapport {

PeriodicThread::PeriodicThread(absl::string_view name, absl::Duration period,
                               std::function<void()> tick)
    : tick_(std::move(tick)) {
  MutexLock lock(join_mutex_);
  thread_ = std::thread([this, period, short_name = std::string(name.substr(0, 15))] {
    pthread_setname_np(pthread_self(), short_name.c_str());
    Run(period);
  });
}

PeriodicThread::~PeriodicThread() { Stop(); }

void PeriodicThread::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.Signal();
}

void PeriodicThread::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.Signal();
  MutexLock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void PeriodicThread::Run(absl::Duration period) {
  mutex_.Lock();
  while (!stopping_) {
    woken_ = false;
    mutex_.Unlock();
    tick_();
    const absl::Time next = absl::Now() + period;
    mutex_.Lock();
    while (!stopping_ && !woken_ && changed_.WaitUntil(mutex_, next)) {
    }
  }
  mutex_.Unlock();
}

}  // namespace rapport
