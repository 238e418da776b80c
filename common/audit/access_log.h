#ifndef RAPPORT_COMMON_AUDIT_ACCESS_LOG_H_
#define RAPPORT_COMMON_AUDIT_ACCESS_LOG_H_

#include <deque>
#include <functional>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/audit/audit_log.h"
#include "common/concurrency/mutex.h"
#include "common/sql/database.h"
#include "common/time/clock.h"

namespace rapport::audit {

// Writes the entries of reads and denials, which have no transaction of their own, many in one
// commit. Thread-safe; one in a process.
//
// The first time that a principal reads a record for a purpose is an entry at once. Those that
// follow within 5 minutes (domain clock) are counted, and become one entry more, with the count,
// when the time is over or the process stops. A process that dies may take a count with it, and
// entries of the last moment that no reply waited for; never an entry that one did.
class AccessLog {
 public:
  struct Options {
    absl::Duration linger = absl::Milliseconds(10);  // longest wait for company, real clock
    size_t batch = 200;                              // entries a commit
    size_t queue = 10000;                            // beyond it every reply waits
    absl::Duration window = absl::Minutes(5);
    size_t windows = 100000;  // kept in memory; beyond it the oldest ends early
  };
  // Called once, on the log's thread: OK when the entry is durable, else why it isn't
  // (kUnavailable AUDIT_UNAVAILABLE). Must not block.
  using Done = std::function<void(const absl::Status&)>;

  AccessLog(sql::Database& database, time::Clock& clock) : AccessLog(database, clock, Options()) {}
  AccessLog(sql::Database& database, time::Clock& clock, Options options);
  // Stops.
  ~AccessLog();

  // Writes `entry`, a read or a denial, soon. With `must_wait`, or while the queue is full, calls
  // `done` when it is durable, and returns true; otherwise returns false and never calls it: the
  // caller goes on, as there is nothing to wait for.
  [[nodiscard]] bool Tell(Entry entry, bool must_wait, Done done);

  // Writes all that is told, and the counts so far.
  void Stop();

 private:
  struct Window {
    Entry first;
    bool durable = false;
    int64_t repeats = 0;
    absl::Time repeat_time;  // of the first repeat
  };
  using Windows = std::list<Window>;
  struct Job {
    std::string key;  // of the window whose first entry it writes or waits for; empty: a count
    Entry entry;
    bool writes = true;  // false: waits for what is before it
    Done done;           // null: nobody waits
  };

  static std::string KeyOf(const Entry& entry);
  void CloseOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseUntil(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();
  void Commit(std::vector<Job> jobs);

  sql::Database& database_;
  time::Clock& clock_;
  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // jobs of the queue that somebody waits for
  Windows windows_ ABSL_GUARDED_BY(mutex_);  // oldest first
  absl::flat_hash_map<std::string, Windows::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace rapport::audit

#endif  // RAPPORT_COMMON_AUDIT_ACCESS_LOG_H_
