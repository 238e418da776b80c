#ifndef RAPPORT_TESTS_ROBUSTNESS_SUITE_COURSE_WRITERS_H_
#define RAPPORT_TESTS_ROBUSTNESS_SUITE_COURSE_WRITERS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "tests/integration/suite/practice.h"
#include "tools/rapportctl/grpc_caller.h"

namespace rapport::testing {

// Until it is so; false after `patience`.
bool Eventually(absl::FunctionRef<bool()> so, absl::Duration patience = absl::Seconds(60));

// How long calls took, by phase of a test; told at its end, no test depends on it. Thread-safe.
class Stopwatch {
 public:
  void Phase(const std::string& name);
  void Took(absl::Duration time);
  void Report(const std::string& what);

 private:
  struct Timed {
    std::string phase;
    std::vector<double> millis;
  };
  Mutex mutex_;
  std::vector<Timed> phases_ ABSL_GUARDED_BY(mutex_);
};

// The oracle of acknowledged writes through the suite's own door: threads that create courses, one
// after the other, for as long as it lives. Nothing is sent twice: what was acknowledged must be
// there once, what was not at most once.
class CourseWriters {
 public:
  using MakeCaller = std::function<std::unique_ptr<ctl::GrpcCaller>()>;

  // `caller` makes callers of no patience.
  CourseWriters(const MakeCaller& caller, const Practice& practice, int threads);
  ~CourseWriters() { Stop(); }
  void Stop();

  // Wait for so many more, from now on.
  bool AwaitAcknowledged(int64_t more) const { return AwaitMore(acknowledged_count_, more); }
  bool AwaitFailed(int64_t more) const { return AwaitMore(failed_count_, more); }

  Stopwatch& stopwatch() { return stopwatch_; }

  // After Stop: what is wrong.
  std::vector<std::string> Check(ctl::Caller& caller);
  std::set<std::string> acknowledged();  // names
  std::set<std::string> failures();      // reasons, else codes

 private:
  static bool AwaitMore(const std::atomic<int64_t>& count, int64_t more) {
    const int64_t wanted = count + more;
    return Eventually([&] { return count >= wanted; });
  }
  void Run(ctl::GrpcCaller& caller, int thread);

  const Practice& practice_;
  Stopwatch stopwatch_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> acknowledged_count_{0};
  std::atomic<int64_t> failed_count_{0};
  Mutex mutex_;
  std::set<std::string> acknowledged_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> failures_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<ctl::GrpcCaller>> callers_;
  std::vector<std::thread> threads_;
};

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_ROBUSTNESS_SUITE_COURSE_WRITERS_H_
