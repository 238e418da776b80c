#include "common/telemetry/trace_context.h"

#include <openssl/rand.h>

#include <array>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace rapport::telemetry {
namespace {

constexpr size_t kTraceDigits = 32;
constexpr size_t kSpanDigits = 16;
constexpr size_t kHeaderSize = 2 + 1 + kTraceDigits + 1 + kSpanDigits + 1 + 2;

bool IsLowerHex(absl::string_view text) {
  for (char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool IsZero(absl::string_view text) {
  return text.find_first_not_of('0') == absl::string_view::npos;
}

// Drawn for many at a time: a draw costs about the same whatever its size.
absl::string_view RandomBytes(size_t count) {
  thread_local std::array<unsigned char, 1024> pool;
  thread_local size_t used = pool.size();
  if (used + count > pool.size()) {
    if (RAND_bytes(pool.data(), static_cast<int>(pool.size())) != 1) std::abort();
    used = 0;
  }
  used += count;
  return {reinterpret_cast<const char*>(pool.data()) + used - count, count};
}

std::string RandomHex(size_t digits) {
  while (true) {
    std::string hex = absl::BytesToHexString(RandomBytes(digits / 2));
    if (!IsZero(hex)) return hex;
  }
}

}  // namespace

TraceContext TraceContext::New() {
  return {RandomHex(kTraceDigits), RandomHex(kSpanDigits), false};
}

TraceContext TraceContext::FromHeader(std::optional<absl::string_view> traceparent) {
  if (traceparent) {
    if (auto caller = Parse(*traceparent)) return caller->Child();
  }
  return New();
}

std::optional<TraceContext> TraceContext::Parse(absl::string_view traceparent) {
  if (traceparent.size() < kHeaderSize) return std::nullopt;
  const absl::string_view version = traceparent.substr(0, 2);
  const absl::string_view trace = traceparent.substr(3, kTraceDigits);
  const absl::string_view span = traceparent.substr(36, kSpanDigits);
  const absl::string_view flags = traceparent.substr(53, 2);
  if (traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') {
    return std::nullopt;
  }
  if (!IsLowerHex(version) || !IsLowerHex(trace) || !IsLowerHex(span) || !IsLowerHex(flags)) {
    return std::nullopt;
  }
  if (version == "ff" || IsZero(trace) || IsZero(span)) return std::nullopt;
  // A later version may append parts; version 00 has none.
  if (traceparent.size() > kHeaderSize && (version == "00" || traceparent[kHeaderSize] != '-')) {
    return std::nullopt;
  }
  const char low = flags[1];
  const int value = low <= '9' ? low - '0' : low - 'a' + 10;
  return TraceContext{std::string(trace), std::string(span), (value & 1) != 0};
}

TraceContext TraceContext::Child() const {
  return {trace_id, RandomHex(kSpanDigits), sampled, span_id};
}

std::string TraceContext::ToHeader() const {
  return absl::StrCat("00-", trace_id, "-", span_id, sampled ? "-01" : "-00");
}

}  // namespace rapport::telemetry
