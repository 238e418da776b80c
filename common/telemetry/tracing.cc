#include "common/telemetry/tracing.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rapport::telemetry {
namespace {

constexpr size_t kMostStatements = 64;

thread_local Tracer* current_tracer = nullptr;
thread_local const TraceContext* current_context = nullptr;

}  // namespace

bool InSample(const TraceContext& context, double ratio) {
  if (ratio >= 1) return true;
  if (!(ratio > 0)) return false;
  // The last 56 bits of the id: the part that W3C wants to be random.
  uint64_t number = 0;
  if (!absl::SimpleHexAtoi(absl::string_view(context.trace_id).substr(18), &number)) return false;
  return static_cast<double>(number) < ratio * static_cast<double>(uint64_t{1} << 56);
}

TraceScope::TraceScope(Tracer* tracer, const TraceContext& context)
    : outer_tracer_(current_tracer), outer_context_(current_context) {
  if (tracer == nullptr || !context.sampled) return;
  current_tracer = tracer;
  current_context = &context;
}

TraceScope::~TraceScope() {
  current_tracer = outer_tracer_;
  current_context = outer_context_;
}

OpenSpan::OpenSpan(SpanKind kind, absl::string_view name) : tracer_(current_tracer) {
  if (tracer_ == nullptr) return;
  span_.context = current_context->Child();
  span_.kind = kind;
  span_.name = std::string(name);
  span_.start_time = absl::Now();
}

void OpenSpan::Set(const char* key, absl::string_view value) {
  span_.attributes.emplace_back(key, std::string(value));
}

void OpenSpan::AddStatement(absl::string_view name) {
  if (span_.statements.size() < kMostStatements) {
    span_.statements.emplace_back(name);
  } else {
    ++more_statements_;
  }
}

void OpenSpan::End(absl::StatusCode code) {
  if (tracer_ == nullptr) return;
  span_.end_time = absl::Now();
  span_.code = code;
  if (more_statements_ > 0) span_.statements.push_back(absl::StrCat("and ", more_statements_));
  tracer_->Take(std::move(span_));
  tracer_ = nullptr;
}

}  // namespace rapport::telemetry
