#ifndef RAPPORT_TESTS_ROBUSTNESS_POSTGRES_ORACLE_H_
#define RAPPORT_TESTS_ROBUSTNESS_POSTGRES_ORACLE_H_

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"

namespace rapport::sql::testing {

// A table of writes, of two rows each, that stand or fall together.
const Component& Diary();

extern const Statement kWriteLine;  // organisation, write, half
extern const Statement kAllLines;   // of whoever asks: no WHERE clause

inline constexpr char kClinic[] = "clinic";

inline absl::Time Soon() { return absl::Now() + absl::Seconds(30); }
bool Eventually(absl::FunctionRef<bool()> condition, absl::Duration patience = absl::Seconds(60));

// One write of two rows.
absl::Status WriteOnce(Database& database, const std::string& name, absl::Time deadline);

// Threads that write for as long as it lives, one write after the other, and remember what was
// acknowledged. Nothing is sent twice: a write whose outcome is unknown is either whole or absent.
class Writers {
 public:
  Writers(Database& database, int threads);
  ~Writers() { Stop(); }
  void Stop();

  int64_t acknowledged() const { return acknowledged_count_; }
  // Waits for `more` acknowledged writes from now on.
  bool AwaitMore(int64_t more, absl::Duration patience = absl::Seconds(60));

  // Marks the begin of a phase, whose 99th percentile of acknowledged writes' times is told at the
  // end.
  void Phase(const std::string& name);
  // Prints the phases; no test depends on them.
  void Report();

  // After Stop: each acknowledged write is there, whole; each other is whole or absent. Returns
  // what is wrong.
  std::vector<std::string> Check(Database& database);
  // Reasons of the writes that failed.
  std::set<std::string> failures();

 private:
  struct Timed {
    std::string phase;
    std::vector<double> millis;
  };

  void Run(int thread);

  Database& database_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> acknowledged_count_{0};
  Mutex mutex_;
  std::set<std::string> acknowledged_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> failures_ ABSL_GUARDED_BY(mutex_);
  std::vector<Timed> phases_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_ROBUSTNESS_POSTGRES_ORACLE_H_
