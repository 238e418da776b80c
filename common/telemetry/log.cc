#include "common/telemetry/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"

namespace rapport::telemetry {
namespace {

constexpr size_t kBufferLimit = 8 << 20;
constexpr size_t kWriteSoon = 256 << 10;
constexpr absl::Duration kBatch = absl::Milliseconds(20);

// The buffer and the thread that empties it. Never destroyed: others may log until the very end.
class Writer {
 public:
  static Writer& Get() {
    static Writer* const writer = [] {
      auto* made = new Writer;
      std::atexit([] { Flush(); });
      return made;
    }();
    return *writer;
  }

  void Append(absl::string_view line, bool at_once) {
    MutexLock lock(mutex_);
    if (buffer_.size() + line.size() > kBufferLimit) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const bool was_empty = buffer_.empty();
    const bool was_small = buffer_.size() < kWriteSoon;
    buffer_.append(line.data(), line.size());
    appended_ += line.size();
    if (at_once && !stuck_) {
      WaitWritten(absl::Milliseconds(100));
    } else if (at_once || was_empty || (was_small && buffer_.size() >= kWriteSoon)) {
      work_.Signal();
    }
  }

  void FlushWithin(absl::Duration limit) {
    MutexLock lock(mutex_);
    WaitWritten(limit);
  }

  void SetFile(int file) {
    FlushWithin(absl::Seconds(1));
    MutexLock lock(file_mutex_);
    if (file_ != STDERR_FILENO) close(file_);
    file_ = file;
    cut_ = false;
  }

  int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  Writer() {
    std::thread([this] { Run(); }).detach();
  }

  void WaitWritten(absl::Duration limit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint64_t mine = appended_;
    if (written_ >= mine) return;
    hurry_ = true;
    work_.Signal();
    const absl::Time deadline = absl::Now() + limit;
    while (written_ < mine && !stuck_) {
      stuck_ = !done_.WaitUntil(mutex_, deadline) && written_ < mine;
    }
  }

  void Run() {
    pthread_setname_np(pthread_self(), "log");
    sigset_t all;  // a reader that goes is EPIPE, not SIGPIPE; SIGTERM is for who waits for it
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    std::string batch;
    mutex_.Lock();
    while (true) {
      while (buffer_.empty()) work_.Wait(mutex_);
      const absl::Time until = absl::Now() + kBatch;
      while (!hurry_ && buffer_.size() < kWriteSoon && work_.WaitUntil(mutex_, until)) {
      }
      hurry_ = false;
      batch.clear();
      batch.swap(buffer_);
      mutex_.Unlock();
      WriteOut(batch);
      mutex_.Lock();
      written_ += batch.size();
      stuck_ = false;
      done_.SignalAll();
    }
  }

  // A full disk loses lines, never the service. A line that it cut off stands alone.
  void WriteOut(absl::string_view bytes) {
    MutexLock lock(file_mutex_);
    if (cut_ && !WriteSome("\n")) return Drop(bytes);
    while (!bytes.empty()) {
      const size_t count = WriteSome(bytes);
      if (count == 0) return Drop(bytes);
      bytes.remove_prefix(count);
    }
  }

  // 0: the file takes nothing.
  size_t WriteSome(absl::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(file_mutex_) {
    ssize_t count = 0;
    do {
      count = write(file_, bytes.data(), bytes.size());
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return 0;
    cut_ = bytes[static_cast<size_t>(count) - 1] != '\n';
    return static_cast<size_t>(count);
  }

  void Drop(absl::string_view lines) {
    dropped_.fetch_add(std::count(lines.begin(), lines.end(), '\n'), std::memory_order_relaxed);
  }

  Mutex mutex_;
  CondVar work_;
  CondVar done_;
  std::string buffer_ ABSL_GUARDED_BY(mutex_);
  uint64_t appended_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;
  bool hurry_ ABSL_GUARDED_BY(mutex_) = false;
  bool stuck_ ABSL_GUARDED_BY(mutex_) = false;  // a caller waited in vain; others needn't
  Mutex file_mutex_;
  int file_ ABSL_GUARDED_BY(file_mutex_) = STDERR_FILENO;
  bool cut_ ABSL_GUARDED_BY(file_mutex_) = false;  // the file ends within a line
  std::atomic<int64_t> dropped_{0};
};

std::atomic<Severity> min_severity{Severity::kInfo};
// `"service":"…",` of the service; replaced ones are kept, for callers that still read them.
std::atomic<const std::string*> service_member{nullptr};

absl::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "DEBUG";
    case Severity::kInfo:
      return "INFO";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kError:
      break;
  }
  return "ERROR";
}

void AppendTime(std::string& out) {
  thread_local std::time_t cached_second = -1;
  thread_local char text[32];
  const int64_t micros = absl::ToUnixMicros(absl::Now());
  const std::time_t second = micros / 1000000;
  if (second != cached_second) {
    std::tm parts;
    gmtime_r(&second, &parts);
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    cached_second = second;
  }
  char fraction[9];
  int64_t rest = micros % 1000000;
  fraction[0] = '.';
  for (int i = 6; i >= 1; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
  fraction[7] = 'Z';
  out.append(text);
  out.append(fraction, 8);
}

void WriteLine(Severity severity, absl::string_view members) {
  thread_local std::string line;
  line.assign("{\"time\":\"");
  AppendTime(line);
  absl::StrAppend(&line, "\",\"severity\":\"", SeverityName(severity), "\",");
  if (const std::string* service = service_member.load(std::memory_order_acquire)) {
    line.append(*service);
  }
  line.append(members.data(), members.size());
  line.append("}\n");
  Writer::Get().Append(line, severity >= Severity::kError);
}

// The length of the valid UTF-8 sequence at the start of `text`, 0 if there is none (Unicode
// standard, table 3-7).
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto in = [&](size_t i, int low, int high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const int low = first == 0xE0 ? 0xA0 : 0x80;
    const int high = first == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const int low = first == 0xF0 ? 0x90 : 0x80;
    const int high = first == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

}  // namespace

void AppendJsonString(std::string& out, absl::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(text[plain])) ++plain;
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text[0];
    size_t used = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c == '\r') {
      out.append("\\r");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
      out.append(escape);
    } else if (const size_t length = SequenceLength(text); length > 0) {
      out.append(text.data(), length);
      used = length;
    } else {
      out.append("\xEF\xBF\xBD");
    }
    text.remove_prefix(used);
  }
  out.push_back('"');
}

JsonLine::JsonLine(absl::string_view message, Severity severity) : severity_(severity) {
  members_.reserve(256);
  members_.append("\"message\":");
  AppendJsonString(members_, message);
}

JsonLine& JsonLine::Text(absl::string_view key, absl::string_view value) {
  members_.push_back(',');
  AppendJsonString(members_, key);
  members_.push_back(':');
  AppendJsonString(members_, value);
  return *this;
}

JsonLine& JsonLine::Int(absl::string_view key, int64_t value) {
  members_.push_back(',');
  AppendJsonString(members_, key);
  absl::StrAppend(&members_, ":", value);
  return *this;
}

JsonLine& JsonLine::Real(absl::string_view key, double value) {
  members_.push_back(',');
  AppendJsonString(members_, key);
  members_.push_back(':');
  if (!std::isfinite(value)) {
    members_.append("null");
    return *this;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  members_.append(digits, end);
  return *this;
}

JsonLine& JsonLine::Bool(absl::string_view key, bool value) {
  members_.push_back(',');
  AppendJsonString(members_, key);
  members_.append(value ? ":true" : ":false");
  return *this;
}

void Log(Severity severity, absl::string_view message, Fields fields) {
  if (!Enabled(severity)) return;
  JsonLine line(message, severity);
  for (const auto& [key, value] : fields) line.Text(key, value);
  WriteLine(severity, line.members());
}

void Write(const JsonLine& line) {
  if (Enabled(line.severity())) WriteLine(line.severity(), line.members());
}

void SetService(absl::string_view name) {
  static auto* const mutex = new Mutex;
  static auto* const members = new std::vector<std::unique_ptr<std::string>>;
  auto member = std::make_unique<std::string>("\"service\":");
  AppendJsonString(*member, name);
  member->push_back(',');
  MutexLock lock(*mutex);
  service_member.store(member.get(), std::memory_order_release);
  members->push_back(std::move(member));
}

void SetMinSeverity(Severity severity) { min_severity.store(severity, std::memory_order_relaxed); }

bool Enabled(Severity severity) { return severity >= min_severity.load(std::memory_order_relaxed); }

absl::Status LogTo(absl::string_view path) {
  int file = STDERR_FILENO;
  if (!path.empty()) {
    file = open(std::string(path).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("can't open the log file '", path, "': ", std::strerror(errno)));
    }
  }
  Writer::Get().SetFile(file);
  return absl::OkStatus();
}

void Flush() { Writer::Get().FlushWithin(absl::Seconds(1)); }

int64_t DroppedLines() { return Writer::Get().dropped(); }

}  // namespace rapport::telemetry
