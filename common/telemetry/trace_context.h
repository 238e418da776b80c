#ifndef RAPPORT_COMMON_TELEMETRY_TRACE_CONTEXT_H_
#define RAPPORT_COMMON_TELEMETRY_TRACE_CONTEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace rapport::telemetry {

// Where a call stands in a distributed trace (W3C Trace Context, level 1). Ids are lower-case hex.
struct TraceContext {
  std::string trace_id;  // 32 digits, the same over the whole trace
  std::string span_id;   // 16 digits, this call's own
  bool sampled = false;
  std::string parent_span_id = "";  // of the caller's span; empty: this one begins the trace

  // A new trace with a random id, not sampled.
  static TraceContext New();

  // The context of this call: a child of the caller's `traceparent` if that is well-formed, else a
  // new trace.
  static TraceContext FromHeader(std::optional<absl::string_view> traceparent);

  // The caller's own context as its header says; nothing if malformed.
  static std::optional<TraceContext> Parse(absl::string_view traceparent);

  // The same trace with a new span id, for a call made on behalf of this one.
  TraceContext Child() const;

  // "00-<trace id>-<span id>-01", to be sent as `traceparent`.
  std::string ToHeader() const;
};

}  // namespace rapport::telemetry

#endif  // RAPPORT_COMMON_TELEMETRY_TRACE_CONTEXT_H_
