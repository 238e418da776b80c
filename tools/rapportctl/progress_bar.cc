#include "tools/rapportctl/progress_bar.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace rapport::ctl {
namespace {

constexpr size_t kWidth = 30;
constexpr absl::Duration kBetween = absl::Milliseconds(100);
constexpr char kClearLine[] = "\r\033[K";

std::string Clock(absl::Duration left) {
  const int64_t seconds = absl::ToInt64Seconds(left);
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace

std::string DrawProgress(const Progress& progress) {
  std::string line;
  if (!progress.what.empty()) absl::StrAppend(&line, progress.what, " ");
  const int64_t done = std::min(progress.done, progress.total);
  if (progress.total > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(progress.total);
    const auto full = static_cast<size_t>(share * kWidth);
    absl::StrAppendFormat(&line, "[%s%s] %3d %%  ", std::string(full, '#'),
                          std::string(kWidth - full, ' '), static_cast<int>(share * 100));
  }
  absl::StrAppend(&line, progress.count, " ", progress.unit);
  const double seconds = absl::ToDoubleSeconds(progress.spent);
  if (seconds > 0) {
    absl::StrAppendFormat(&line, ", %.0f a second", static_cast<double>(progress.count) / seconds);
  }
  if (progress.total > 0 && done > 0 && done < progress.total && seconds >= 1) {
    const double left =
        seconds * static_cast<double>(progress.total - done) / static_cast<double>(done);
    absl::StrAppend(&line, ", ", Clock(absl::Seconds(left)), " left");
  }
  return line;
}

ProgressBar::ProgressBar(std::string unit, int64_t total, bool writes_results)
    : out_(stderr),
      shown_(isatty(STDERR_FILENO) == 1 && !(writes_results && isatty(STDOUT_FILENO) == 1)),
      begun_(absl::Now()) {
  progress_.unit = std::move(unit);
  progress_.total = total;
}

ProgressBar::ProgressBar(std::string unit, int64_t total, std::FILE* out)
    : out_(out), shown_(true), begun_(absl::Now()) {
  progress_.unit = std::move(unit);
  progress_.total = total;
}

ProgressBar::~ProgressBar() {
  if (!shown_) return;
  Draw();
  std::fputc('\n', out_);
}

void ProgressBar::SetWhat(std::string what) {
  if (what == progress_.what) return;
  progress_.what = std::move(what);
  DrawNowAndThen();
}

void ProgressBar::Add(int64_t count, int64_t done) {
  Set(progress_.count + count, progress_.done + done);
}

void ProgressBar::Set(int64_t count, int64_t done) {
  progress_.count = count;
  progress_.done = done;
  DrawNowAndThen();
}

void ProgressBar::Say(absl::string_view line) {
  absl::FPrintF(out_, "%s%s\n", shown_ ? kClearLine : "", line);
  if (shown_) Draw();
}

void ProgressBar::DrawNowAndThen() {
  if (!shown_) return;
  const absl::Time now = absl::Now();
  if (now - drawn_ < kBetween) return;
  drawn_ = now;
  Draw();
}

void ProgressBar::Draw() {
  progress_.spent = absl::Now() - begun_;
  absl::FPrintF(out_, "%s%s", kClearLine, DrawProgress(progress_));
  std::fflush(out_);
}

}  // namespace rapport::ctl
