#include "common/time/clock.h"

#include <fstream>
#include <optional>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/telemetry/log.h"

namespace rapport::time {
namespace {

absl::Time Whole(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

class SystemClock : public Clock {
 public:
  absl::Time Now() override { return Whole(absl::Now()); }
};

std::optional<absl::Time> ReadInstant(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  absl::Time instant;
  if (!file || !(text << file.rdbuf()) ||
      !absl::ParseTime(absl::RFC3339_full, absl::StripAsciiWhitespace(text.str()), &instant,
                       nullptr) ||
      instant == absl::InfiniteFuture() || instant == absl::InfinitePast()) {
    return std::nullopt;
  }
  return Whole(instant);
}

}  // namespace

Clock& RealClock() {
  static auto* const clock = new SystemClock;
  return *clock;
}

absl::StatusOr<std::unique_ptr<DevelopmentClock>> DevelopmentClock::Make(absl::string_view path) {
  const std::optional<absl::Time> first = ReadInstant(std::string(path));
  if (!first) {
    return absl::InvalidArgumentError(
        absl::StrCat("the development clock '", path,
                     "' must be a file with an instant like 2026-03-08T09:00:00-05:00"));
  }
  return std::unique_ptr<DevelopmentClock>(new DevelopmentClock(path, *first));
}

absl::Time DevelopmentClock::Now() {
  MutexLock lock(mutex_);
  if (const std::optional<absl::Time> now = ReadInstant(path_)) {
    last_ = *now;
    warned_ = false;
  } else if (!warned_) {
    warned_ = true;
    telemetry::Log(telemetry::Severity::kWarning, "the development clock can't be read; it stands",
                   {{"path", path_}});
  }
  return last_;
}

absl::Time ManualClock::Now() {
  MutexLock lock(mutex_);
  return now_;
}

void ManualClock::Set(absl::Time now) {
  MutexLock lock(mutex_);
  now_ = now;
}

void ManualClock::Advance(absl::Duration by) {
  MutexLock lock(mutex_);
  now_ += by;
}

}  // namespace rapport::time
