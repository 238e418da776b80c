#include "common/concurrency/periodic.h"

#include <atomic>
#include <latch>
#include <semaphore>

#include "gtest/gtest.h"

namespace rapport {
namespace {

TEST(PeriodicThreadTest, RunsAtOnceAndAgainWhenWoken) {
  std::counting_semaphore<8> ran(0);
  PeriodicThread thread("test", absl::Hours(1), [&] { ran.release(); });
  ran.acquire();
  thread.Wake();
  ran.acquire();
  thread.Wake();
  ran.acquire();
}

TEST(PeriodicThreadTest, RunsAgainAfterItsPeriod) {
  std::latch third(3);
  std::atomic<int> left{3};
  PeriodicThread thread("test", absl::Milliseconds(1), [&] {
    if (left.fetch_sub(1) > 0) third.count_down();
  });
  third.wait();
}

TEST(PeriodicThreadTest, AWakeDuringARunIsNotLost) {
  std::latch in_first(1), finish_first(1);
  std::counting_semaphore<8> ran(0);
  std::atomic<bool> first{true};
  PeriodicThread thread("test", absl::Hours(1), [&] {
    if (first.exchange(false)) {
      in_first.count_down();
      finish_first.wait();
    }
    ran.release();
  });
  in_first.wait();
  thread.Wake();
  finish_first.count_down();
  ran.acquire();
  ran.acquire();
}

TEST(PeriodicThreadTest, NothingRunsAfterStop) {
  std::atomic<int> runs{0};
  std::latch started(1);
  PeriodicThread thread("test", absl::Hours(1), [&] {
    if (runs++ == 0) started.count_down();
  });
  started.wait();
  thread.Stop();
  const int before = runs;
  thread.Wake();
  thread.Stop();
  EXPECT_EQ(runs, before);
}

}  // namespace
}  // namespace rapport
