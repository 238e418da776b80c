#ifndef RAPPORT_COMMON_TELEMETRY_LOG_H_
#define RAPPORT_COMMON_TELEMETRY_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// The process's log: one JSON object a line, to stderr unless LogTo() names a file.
//
//   {"time":"2026-03-08T07:30:00.000000Z","severity":"INFO","service":"notes","message":"…",…}
//
// Callers append to a bounded buffer; one thread writes it, at most 50 times a second. A line that
// finds the buffer full (8 MiB behind), or the disk, is dropped and counted. Thread-safe. Never put
// patient text into a message or a field.
namespace rapport::telemetry {

enum class Severity { kDebug, kInfo, kWarning, kError };

using Fields = std::initializer_list<std::pair<absl::string_view, std::string>>;

// Logs `message` with text fields. A kError line is on its way to the file before the call returns,
// unless the file takes longer than 100 ms.
void Log(Severity severity, absl::string_view message, Fields fields = {});

// A line with typed fields, for hot paths and numbers:
//
//   Write(JsonLine("call").Text("method", method).Int("bytes", n).Real("seconds", s));
//
// Keys are ours and distinct; they are not checked. Not thread-safe.
class JsonLine {
 public:
  explicit JsonLine(absl::string_view message, Severity severity = Severity::kInfo);

  JsonLine& Text(absl::string_view key, absl::string_view value);
  JsonLine& Int(absl::string_view key, int64_t value);
  JsonLine& Real(absl::string_view key, double value);  // null where JSON has no such number
  JsonLine& Bool(absl::string_view key, bool value);

  Severity severity() const { return severity_; }
  // `"message":"…"` and the fields, comma-separated, without braces.
  const std::string& members() const { return members_; }

 private:
  Severity severity_;
  std::string members_;
};

void Write(const JsonLine& line);

// The value of "service" on every later line.
void SetService(absl::string_view name);

// Lines below `severity` are dropped; kInfo at first.
void SetMinSeverity(Severity severity);

// Whether a line of `severity` would be written; spares building one that wouldn't.
bool Enabled(Severity severity);

// Appends later lines to the file at `path`, made with mode 0640 if absent; "" is stderr again.
absl::Status LogTo(absl::string_view path);

// Waits until all lines logged before are written, at most a second. Also happens at exit.
void Flush();

// Lines dropped so far because the buffer, or the disk, was full.
int64_t DroppedLines();

// Appends `text` to `out` as a JSON string with its quotes. Each byte that isn't part of valid
// UTF-8 becomes U+FFFD.
void AppendJsonString(std::string& out, absl::string_view text);

}  // namespace rapport::telemetry

#endif  // RAPPORT_COMMON_TELEMETRY_LOG_H_
