#ifndef RAPPORT_COMMON_TELEMETRY_TRACING_H_
#define RAPPORT_COMMON_TELEMETRY_TRACING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/telemetry/trace_context.h"

// Spans: what took how long in a call, for those calls that are sampled. A call that isn't costs
// one look at a thread-local pointer for each span that it doesn't make.
namespace rapport::telemetry {

enum class SpanKind { kInternal, kServer, kClient };

// Names and attributes are ours (methods, statements, codes) or ids of organisations. Never patient
// text, never a statement's parameters.
struct Span {
  TraceContext context;
  SpanKind kind = SpanKind::kInternal;
  std::string name;
  absl::Time start_time;
  absl::Time end_time;
  absl::StatusCode code = absl::StatusCode::kOk;
  std::vector<std::pair<const char*, std::string>> attributes = {};
  std::vector<std::string> statements = {};  // run in a transaction, by name, in their order
};

// Takes spans away. Thread-safe.
class Tracer {
 public:
  virtual ~Tracer() = default;

  // Whether a trace that begins here is sampled. One that comes with a caller's decision keeps it.
  virtual bool Samples(const TraceContext& context) const = 0;

  // Never blocks: what can't be kept is dropped and counted.
  virtual void Take(Span span) = 0;
};

// Whether a trace is among the share `ratio` (0 to 1) of all. Every process decides alike, as it
// depends on the trace's id alone.
bool InSample(const TraceContext& context, double ratio);

// Until its end, what this thread does is part of the call at `context`, which outlives it. Nothing
// happens where `tracer` is null or the call is not sampled.
class TraceScope {
 public:
  TraceScope(Tracer* tracer, const TraceContext& context);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  Tracer* const outer_tracer_;
  const TraceContext* const outer_context_;
};

// A part of the call that this thread works on, from here to End. Not thread-safe.
class OpenSpan {
 public:
  OpenSpan(SpanKind kind, absl::string_view name);
  OpenSpan(const OpenSpan&) = delete;
  OpenSpan& operator=(const OpenSpan&) = delete;

  // False: this thread works on no sampled call. Then nothing of the others may be called but End.
  bool recorded() const { return tracer_ != nullptr; }

  // Its own place in the trace, for what it asks of others.
  const TraceContext& context() const { return span_.context; }

  void Set(const char* key, absl::string_view value);

  // The first 64; how many came after them is told as one more.
  void AddStatement(absl::string_view name);

  // Hands it to the tracer; once.
  void End(absl::StatusCode code);

 private:
  Tracer* tracer_;
  Span span_;
  int more_statements_ = 0;
};

}  // namespace rapport::telemetry

#endif  // RAPPORT_COMMON_TELEMETRY_TRACING_H_
