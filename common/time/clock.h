#ifndef RAPPORT_COMMON_TIME_CLOCK_H_
#define RAPPORT_COMMON_TIME_CLOCK_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"

namespace rapport::time {

// Domain time: holds, due dates, phases, signatures. Tokens, TLS, RPC deadlines and leases use
// absl::Now() instead. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;  // in whole microseconds, as the databases keep
};

// The system's clock; lives as long as the process.
Clock& RealClock();

// The instant that a file names, in RFC 3339 ("2026-03-08T02:30:00-05:00"), read at each use. The
// file is replaced atomically (renamed into place); while it is absent or malformed, the last
// instant stands and one warning is logged. Development only.
class DevelopmentClock : public Clock {
 public:
  //   kInvalidArgument  the file can't be read, or isn't an RFC 3339 instant
  static absl::StatusOr<std::unique_ptr<DevelopmentClock>> Make(absl::string_view path);

  absl::Time Now() override;

 private:
  DevelopmentClock(absl::string_view path, absl::Time first) : path_(path), last_(first) {}

  const std::string path_;
  Mutex mutex_;
  absl::Time last_ ABSL_GUARDED_BY(mutex_);
  bool warned_ ABSL_GUARDED_BY(mutex_) = false;
};

// A clock that stands until it is moved, for tests.
class ManualClock : public Clock {
 public:
  explicit ManualClock(absl::Time now) : now_(now) {}

  absl::Time Now() override;
  void Set(absl::Time now);
  void Advance(absl::Duration by);

 private:
  Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport::time

#endif  // RAPPORT_COMMON_TIME_CLOCK_H_
