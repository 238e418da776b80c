#include "common/rpc/otlp_exporter.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "common/rpc/errors.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"
#include "opentelemetry/proto/collector/trace/v1/trace_export.pb.h"

namespace rapport::rpc {
namespace {

namespace otlp = opentelemetry::proto::collector::trace::v1;
using google::protobuf::MessageLite;
using telemetry::Log;
using telemetry::Severity;
using telemetry::Span;
using telemetry::SpanKind;

constexpr char kExport[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

telemetry::Counter Outcome(telemetry::Metrics& metrics, const char* outcome) {
  return metrics
      .Counters(telemetry::metric::kTraceSpans, "Spans of traces, by what became of them.",
                {"outcome"})
      .With({outcome});
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

void Add(google::protobuf::RepeatedPtrField<otlp::KeyValue>& attributes, absl::string_view key,
         absl::string_view value) {
  otlp::KeyValue& added = *attributes.Add();
  added.set_key(std::string(key));
  added.mutable_value()->set_string_value(std::string(value));
}

otlp::Span::SpanKind KindOf(SpanKind kind) {
  switch (kind) {
    case SpanKind::kServer:
      return otlp::Span::SPAN_KIND_SERVER;
    case SpanKind::kClient:
      return otlp::Span::SPAN_KIND_CLIENT;
    case SpanKind::kInternal:
      break;
  }
  return otlp::Span::SPAN_KIND_INTERNAL;
}

void Write(const Span& span, otlp::Span& out) {
  out.set_trace_id(absl::HexStringToBytes(span.context.trace_id));
  out.set_span_id(absl::HexStringToBytes(span.context.span_id));
  out.set_parent_span_id(absl::HexStringToBytes(span.context.parent_span_id));
  out.set_name(span.name);
  out.set_kind(KindOf(span.kind));
  out.set_start_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(span.start_time)));
  out.set_end_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(span.end_time)));
  for (const auto& [key, value] : span.attributes) Add(*out.mutable_attributes(), key, value);
  if (!span.statements.empty()) {
    otlp::KeyValue& statements = *out.add_attributes();
    statements.set_key("rapport.statements");
    for (const std::string& name : span.statements) {
      statements.mutable_value()->mutable_array_value()->add_values()->set_string_value(name);
    }
  }
  // As OpenTelemetry has it: a server's own faults only.
  const bool fault =
      span.code != absl::StatusCode::kOk &&
      (span.kind != SpanKind::kServer || span.code == absl::StatusCode::kInternal ||
       span.code == absl::StatusCode::kUnknown || span.code == absl::StatusCode::kDataLoss ||
       span.code == absl::StatusCode::kUnavailable ||
       span.code == absl::StatusCode::kDeadlineExceeded ||
       span.code == absl::StatusCode::kUnimplemented);
  if (fault) out.mutable_status()->set_code(otlp::Status::STATUS_CODE_ERROR);
}

// What the protocol says may be sent again.
bool MayPass(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct OtlpExporter::Collector {
  explicit Collector(const std::string& target) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
    channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  }

  absl::Status Export(const otlp::ExportTraceServiceRequest& request,
                      otlp::ExportTraceServiceResponse& response, absl::Duration timeout) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    return FromGrpc(
        grpc::internal::BlockingUnaryCall<MessageLite, MessageLite, MessageLite, MessageLite>(
            channel.get(),
            grpc::internal::RpcMethod(kExport, grpc::internal::RpcMethod::NORMAL_RPC), &context,
            request, &response));
  }

  std::shared_ptr<grpc::Channel> channel;
};

OtlpExporter::OtlpExporter(OtlpOptions options, telemetry::Metrics& metrics)
    : options_(std::move(options)),
      exported_(Outcome(metrics, "exported")),
      dropped_(Outcome(metrics, "dropped")),
      failed_(Outcome(metrics, "failed")),
      rejected_(Outcome(metrics, "rejected")),
      collector_(std::make_unique<Collector>(options_.target)),
      thread_([this] { Run(); }) {}

OtlpExporter::~OtlpExporter() { Stop(); }

void OtlpExporter::Take(Span span) {
  MutexLock lock(mutex_);
  if (stopping_ || queue_.size() >= options_.queue_limit) {
    dropped_.Increment();
    return;
  }
  queue_.push_back(std::move(span));
  if (queue_.size() == options_.batch) changed_.Signal();
}

void OtlpExporter::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  MutexLock lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void OtlpExporter::Run() {
  pthread_setname_np(pthread_self(), "otlp");
  absl::Time give_up = absl::InfiniteFuture();
  std::vector<Span> batch;
  while (true) {
    batch.clear();
    {
      MutexLock lock(mutex_);
      const absl::Time until = absl::Now() + options_.period;
      while (!stopping_ && queue_.size() < options_.batch && changed_.WaitUntil(mutex_, until)) {
      }
      if (stopping_) {
        give_up = std::min(give_up, absl::Now() + 2 * options_.timeout);
        if (queue_.empty()) return;
      }
      for (size_t i = 0; i < options_.batch && !queue_.empty(); ++i) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    if (batch.empty()) continue;
    Export(batch);
    if (give_up != absl::InfiniteFuture() && (!reached_ || absl::Now() >= give_up)) {
      return DropQueued();
    }
  }
}

void OtlpExporter::Export(const std::vector<Span>& spans) {
  otlp::ExportTraceServiceRequest request;
  otlp::ResourceSpans& made = *request.add_resource_spans();
  auto& about = *made.mutable_resource()->mutable_attributes();
  Add(about, "service.name", options_.service);
  Add(about, "service.version", options_.version);
  Add(about, "service.instance.id", HostName());
  otlp::ScopeSpans& scope = *made.add_scope_spans();
  scope.mutable_scope()->set_name("rapport");
  scope.mutable_scope()->set_version(options_.version);
  for (const Span& span : spans) Write(span, *scope.add_spans());

  otlp::ExportTraceServiceResponse response;
  absl::Status status;
  absl::Duration pause = options_.pause;
  for (int attempt = 1; attempt <= options_.attempts; ++attempt, pause *= 2) {
    response.Clear();
    status = collector_->Export(request, response, options_.timeout);
    if (status.ok() || !MayPass(status.code())) break;
    if (attempt < options_.attempts && !Rest(pause)) break;
  }
  const auto count = static_cast<double>(spans.size());
  if (status.ok()) {
    const auto rejected =
        std::clamp(static_cast<double>(response.partial_success().rejected_spans()), 0.0, count);
    if (rejected > 0) rejected_.Increment(rejected);
    exported_.Increment(count - rejected);
  } else {
    failed_.Increment(count);
  }
  if (status.ok() == reached_) return;
  reached_ = status.ok();
  Log(reached_ ? Severity::kInfo : Severity::kWarning,
      reached_ ? "the collector takes traces again" : "the collector does not take traces",
      {{"target", options_.target}, {"code", std::string(CodeName(status.code()))}});
}

bool OtlpExporter::Rest(absl::Duration pause) {
  MutexLock lock(mutex_);
  const absl::Time until = absl::Now() + pause;
  while (!stopping_ && changed_.WaitUntil(mutex_, until)) {
  }
  return !stopping_;
}

void OtlpExporter::DropQueued() {
  MutexLock lock(mutex_);
  if (!queue_.empty()) dropped_.Increment(static_cast<double>(queue_.size()));
  queue_.clear();
}

}  // namespace rapport::rpc
