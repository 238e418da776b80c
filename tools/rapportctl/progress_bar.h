#ifndef RAPPORT_TOOLS_RAPPORTCTL_PROGRESS_BAR_H_
#define RAPPORT_TOOLS_RAPPORTCTL_PROGRESS_BAR_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport::ctl {

// How far something is.
struct Progress {
  std::string what;   // in front, as "courses"; may be empty
  std::string unit;   // of what is counted, as "rows"
  int64_t count = 0;  // so many of them
  int64_t done = 0;   // of `total`: in the same or another unit, as bytes
  int64_t total = 0;  // 0: not known, so no bar is drawn
  absl::Duration spent = absl::ZeroDuration();
};

// One line, without its end: "courses [######                        ]  20 %  300 rows, 75 a
// second, 0:16 left". The time that is left is told once a second has gone by and some of it is
// done.
std::string DrawProgress(const Progress& progress);

// A line on a terminal's standard error that says how far it is, drawn again in place at most ten
// times a second, and ended when this goes out of scope; nothing where that is no terminal. Not
// thread-safe.
class ProgressBar {
 public:
  // `total`: as in Progress. `writes_results`: results go to standard output meanwhile, so that
  // nothing is drawn where that is the terminal too.
  ProgressBar(std::string unit, int64_t total, bool writes_results = false);
  // For tests: draws to `out`, as if that were a terminal.
  ProgressBar(std::string unit, int64_t total, std::FILE* out);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // What is worked on now; stands in front.
  void SetWhat(std::string what);
  void SetTotal(int64_t total) { progress_.total = total; }
  // So much more: `count` of the unit, and `done` of the total.
  void Add(int64_t count, int64_t done);
  void Add(int64_t count) { Add(count, count); }
  // So much is done in all.
  void Set(int64_t count, int64_t done);
  // Writes a line of its own to standard error (or `out`), above the bar where there is one.
  void Say(absl::string_view line);

 private:
  void DrawNowAndThen();
  void Draw();

  Progress progress_;
  std::FILE* const out_;
  const bool shown_;
  const absl::Time begun_;
  absl::Time drawn_ = absl::InfinitePast();
};

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_PROGRESS_BAR_H_
