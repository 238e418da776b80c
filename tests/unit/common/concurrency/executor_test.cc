#include "common/concurrency/executor.h"

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rapport {
namespace {

// An executor of one thread that a first job keeps busy until Release().
class BusyExecutor {
 public:
  explicit BusyExecutor(size_t queue_limit) : executor_("busy", 1, queue_limit) {
    EXPECT_TRUE(executor_.TrySubmit("first", [this] {
      busy_.count_down();
      go_.wait();
    }));
    busy_.wait();
  }
  ~BusyExecutor() { Release(); }

  void Release() {
    if (!go_.try_wait()) go_.count_down();
  }
  BoundedExecutor& operator*() { return executor_; }
  BoundedExecutor* operator->() { return &executor_; }

 private:
  std::latch busy_{1};
  std::latch go_{1};
  BoundedExecutor executor_;
};

TEST(BoundedExecutorTest, RunsJobsInTheOrderOfSubmission) {
  std::vector<int> order;
  BoundedExecutor executor("order", 1, 100);
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(executor.TrySubmit(absl::StrCat("t", i), [&order, i] { order.push_back(i); }));
  }
  executor.Drain();
  ASSERT_EQ(order.size(), 25u);
  for (int i = 0; i < 25; ++i) EXPECT_EQ(order[i], i);
}

TEST(BoundedExecutorTest, RefusesAtOnceWhenTheQueueIsFull) {
  BusyExecutor executor(4);
  for (const char* tenant : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(executor->TrySubmit(tenant, [] {})) << tenant;
  }
  EXPECT_FALSE(executor->TrySubmit("e", [] { FAIL() << "a refused job ran"; }));
  EXPECT_EQ(executor->stats().queued, 4u);
  EXPECT_EQ(executor->stats().running, 1u);
}

TEST(BoundedExecutorTest, OneTenantHoldsAtMostAQuarterOfTheQueue) {
  BusyExecutor executor(12);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(executor->TrySubmit("greedy", [] {}));
  EXPECT_FALSE(executor->TrySubmit("greedy", [] {}));
  EXPECT_TRUE(executor->TrySubmit("modest", [] {}));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(executor->TrySubmit("", [] {}));
  EXPECT_FALSE(executor->TrySubmit("", [] {}));
}

TEST(BoundedExecutorTest, ATenantMayAlwaysHoldOnePlace) {
  BusyExecutor executor(2);
  EXPECT_TRUE(executor->TrySubmit("a", [] {}));
  EXPECT_FALSE(executor->TrySubmit("a", [] {}));
  EXPECT_TRUE(executor->TrySubmit("b", [] {}));
}

TEST(BoundedExecutorTest, AShareIsFreeAgainOnceItsJobsHaveStarted) {
  BusyExecutor executor(4);
  std::latch ran(1);
  EXPECT_TRUE(executor->TrySubmit("a", [&] { ran.count_down(); }));
  EXPECT_FALSE(executor->TrySubmit("a", [] {}));
  executor.Release();
  ran.wait();
  EXPECT_TRUE(executor->TrySubmit("a", [] {}));
}

TEST(BoundedExecutorTest, DrainRunsWhatIsQueuedAndRefusesTheRest) {
  std::atomic<int> ran{0};
  BoundedExecutor executor("drain", 2, 64);
  std::latch started(2), go(1);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(executor.TrySubmit("gate", [&] {
      started.count_down();
      go.wait();
    }));
  }
  started.wait();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(executor.TrySubmit(absl::StrCat("t", i), [&ran] { ++ran; }));
  }
  std::thread drainer([&] { executor.Drain(); });
  while (executor.TrySubmit("probe", [] {})) std::this_thread::yield();
  go.count_down();
  drainer.join();
  EXPECT_EQ(ran, 20);
  EXPECT_FALSE(executor.TrySubmit("late", [] {}));
  executor.Drain();
  EXPECT_EQ(executor.stats().queued, 0u);
  EXPECT_EQ(executor.stats().running, 0u);
}

TEST(BoundedExecutorTest, UsesAllItsThreads) {
  std::latch together(4);
  BoundedExecutor executor("threads", 4, 16);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(executor.TrySubmit(absl::StrCat("t", i), [&] { together.arrive_and_wait(); }));
  }
  executor.Drain();
}

TEST(BoundedExecutorTest, EveryAcceptedJobRunsExactlyOnceUnderContention) {
  std::atomic<int> accepted{0}, ran{0};
  {
    BoundedExecutor executor("contended", 3, 32);
    std::vector<std::thread> submitters;
    for (int t = 0; t < 4; ++t) {
      submitters.emplace_back([&, t] {
        for (int i = 0; i < 5000; ++i) {
          if (executor.TrySubmit(absl::StrCat("t", (t + i) % 7), [&ran] { ++ran; })) ++accepted;
        }
      });
    }
    for (std::thread& thread : submitters) thread.join();
  }
  EXPECT_GT(accepted, 0);
  EXPECT_EQ(ran, accepted);
}

TEST(BoundedExecutorTest, ARefusedJobIsLetGo) {
  BusyExecutor executor(1);
  ASSERT_TRUE(executor->TrySubmit("a", [] {}));
  auto held = std::make_shared<int>(1);
  EXPECT_FALSE(executor->TrySubmit("b", [held] {}));
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace rapport
