#ifndef RAPPORT_COMMON_RPC_OTLP_EXPORTER_H_
#define RAPPORT_COMMON_RPC_OTLP_EXPORTER_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/concurrency/mutex.h"
#include "common/telemetry/metrics.h"
#include "common/telemetry/tracing.h"

namespace rapport::rpc {

struct OtlpOptions {
  std::string target;   // "host:port" of a collector, spoken to without TLS
  std::string service;  // as service.name
  std::string version;  // as service.version
  double sample_ratio = 1;
  size_t queue_limit = 4096;                  // spans; what comes beyond is dropped
  size_t batch = 512;                         // spans a request
  absl::Duration period = absl::Seconds(1);   // longest that a span waits for others
  absl::Duration timeout = absl::Seconds(2);  // of a request
  int attempts = 3;                           // of a batch
  absl::Duration pause = absl::Seconds(1);    // before the second, and twice as long each time
};

// Sends spans to an OpenTelemetry collector, in batches, from a thread of its own. A collector that
// is slow, down or wrong costs callers nothing: spans are dropped and counted (kTraceSpans).
class OtlpExporter final : public telemetry::Tracer {
 public:
  // `metrics` outlives it.
  OtlpExporter(OtlpOptions options, telemetry::Metrics& metrics);
  // Stops.
  ~OtlpExporter() override;

  bool Samples(const telemetry::TraceContext& context) const override {
    return telemetry::InSample(context, options_.sample_ratio);
  }
  void Take(telemetry::Span span) override;

  // Sends what is left, one attempt each, until that fails or `timeout` has passed twice. Spans
  // that come later are dropped.
  void Stop();

 private:
  struct Collector;

  void Run();
  void Export(const std::vector<telemetry::Span>& spans);
  // Waits before another attempt; false: this is the end.
  bool Rest(absl::Duration pause);
  void DropQueued();

  const OtlpOptions options_;
  const telemetry::Counter exported_;
  const telemetry::Counter dropped_;
  const telemetry::Counter failed_;
  const telemetry::Counter rejected_;
  const std::unique_ptr<Collector> collector_;
  bool reached_ = true;  // the thread's alone
  Mutex mutex_;
  CondVar changed_;
  std::deque<telemetry::Span> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Mutex join_mutex_;
  std::thread thread_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_OTLP_EXPORTER_H_
