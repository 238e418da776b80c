#ifndef RAPPORT_TESTS_OBSERVABILITY_COLLECTOR_H_
#define RAPPORT_TESTS_OBSERVABILITY_COLLECTOR_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "opentelemetry/proto/collector/trace/v1/trace_export.pb.h"

namespace rapport::testing {

namespace otlp = opentelemetry::proto::collector::trace::v1;

// A real gRPC server that takes traces as a collector does, and answers as the test wants.
class Collector final : public grpc::CallbackGenericService {
 public:
  struct Answer {
    grpc::Status status;
    int64_t rejected = 0;
    bool silent = false;  // no answer until the caller gives up
  };

  // `answer` is asked for each request, counted from 1; null: takes all.
  explicit Collector(std::function<Answer(int)> answer = nullptr) : answer_(std::move(answer)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  ~Collector() override { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string target() const { return absl::StrCat("127.0.0.1:", port_); }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Reactor(*this, context->method());
  }

  std::vector<otlp::ExportTraceServiceRequest> requests() const {
    MutexLock lock(mutex_);
    return requests_;
  }
  std::vector<std::string> methods() const {
    MutexLock lock(mutex_);
    return methods_;
  }

  // All spans taken so far, once there are `count` of them.
  std::vector<otlp::Span> AwaitSpans(size_t count) const {
    const absl::Time give_up = absl::Now() + absl::Seconds(30);
    while (true) {
      std::vector<otlp::Span> spans;
      for (const auto& request : requests()) {
        for (const auto& made : request.resource_spans()) {
          for (const auto& scope : made.scope_spans()) {
            spans.insert(spans.end(), scope.spans().begin(), scope.spans().end());
          }
        }
      }
      if (spans.size() >= count || absl::Now() > give_up) {
        EXPECT_GE(spans.size(), count);
        return spans;
      }
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor(Collector& collector, std::string method)
        : collector_(collector), method_(std::move(method)) {
      StartRead(&in_);
    }
    void OnReadDone(bool ok) override {
      otlp::ExportTraceServiceRequest request;
      if (!ok ||
          !grpc::SerializationTraits<otlp::ExportTraceServiceRequest>::Deserialize(&in_, &request)
               .ok()) {
        return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not an export"));
      }
      const Answer answer = collector_.Take(method_, std::move(request));
      if (answer.silent) return;
      if (!answer.status.ok()) return Finish(answer.status);
      otlp::ExportTraceServiceResponse response;
      if (answer.rejected > 0) {
        response.mutable_partial_success()->set_rejected_spans(answer.rejected);
      }
      bool own = false;
      (void)grpc::SerializationTraits<otlp::ExportTraceServiceResponse>::Serialize(response, &out_,
                                                                                   &own);
      StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }

   private:
    Collector& collector_;
    const std::string method_;
    grpc::ByteBuffer in_;
    grpc::ByteBuffer out_;
  };

  Answer Take(const std::string& method, otlp::ExportTraceServiceRequest request) {
    MutexLock lock(mutex_);
    methods_.push_back(method);
    const Answer answer =
        answer_ == nullptr ? Answer() : answer_(static_cast<int>(methods_.size()));
    if (answer.status.ok() && !answer.silent) requests_.push_back(std::move(request));
    return answer;
  }

  const std::function<Answer(int)> answer_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  mutable Mutex mutex_;
  std::vector<otlp::ExportTraceServiceRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> methods_ ABSL_GUARDED_BY(mutex_);
};

inline std::map<std::string, std::string> AttributesOf(
    const google::protobuf::RepeatedPtrField<otlp::KeyValue>& attributes) {
  std::map<std::string, std::string> found;
  for (const otlp::KeyValue& attribute : attributes) {
    std::string& value = found[attribute.key()];
    value = attribute.value().string_value();
    for (const otlp::AnyValue& one : attribute.value().array_value().values()) {
      absl::StrAppend(&value, value.empty() ? "" : " ", one.string_value());
    }
  }
  return found;
}

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_OBSERVABILITY_COLLECTOR_H_
