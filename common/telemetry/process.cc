#include "common/telemetry/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "common/telemetry/metric_names.h"

namespace rapport::telemetry {
namespace {

// Field `wanted` (from 0) of a file of numbers apart by blanks; 0 where it can't be read.
double ReadField(const char* path, int wanted) {
  std::ifstream file(path);
  double number = 0;
  for (int i = 0; i <= wanted; ++i) {
    if (!(file >> number)) return 0;
  }
  return number;
}

double ResidentBytes() {
  return ReadField("/proc/self/statm", 1) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenFiles() {
  DIR* const directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  int count = -3;  // ".", ".." and the directory itself
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

double MostFiles() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

double CpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void TellOfProcess(Metrics& metrics, absl::string_view version) {
  metrics.Gauges(metric::kBuildInfo, "Always 1; the release is in its label.", {"version"})
      .With({version})
      .Set(1);
  const double started = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  metrics.Read(metric::kProcessStart, "When the process began, in seconds since 1970.",
               [started] { return started; });
  metrics.Read(metric::kProcessMemory, "Resident memory.", ResidentBytes);
  metrics.Read(metric::kProcessFiles, "Open file descriptors.", OpenFiles);
  metrics.Read(metric::kProcessMostFiles, "Most file descriptors that may be open.", MostFiles);
  metrics.ReadCounter(metric::kProcessCpu, "Processor time used.", CpuSeconds);
}

}  // namespace rapport::telemetry
