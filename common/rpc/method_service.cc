#include "common/rpc/method_service.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/slice.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/rpc/errors.h"

namespace rapport::rpc {
namespace {

using google::protobuf::Message;

absl::string_view Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find(key);
  return it == metadata.end() ? absl::string_view()
                              : absl::string_view(it->second.data(), it->second.size());
}

Arrival ArrivalOf(const grpc::CallbackServerContext& context) {
  Arrival arrival;
  arrival.authorization = Metadata(context, "authorization");
  arrival.service_token = Metadata(context, "x-rapport-service");
  const absl::string_view traceparent = Metadata(context, "traceparent");
  if (!traceparent.empty()) arrival.traceparent = traceparent;
  arrival.deadline = context.deadline() == std::chrono::system_clock::time_point::max()
                         ? absl::InfiniteFuture()
                         : absl::FromChrono(context.deadline());
  return arrival;
}

absl::StatusOr<std::unique_ptr<Message>> Parse(const Message& prototype,
                                               const grpc::ByteBuffer& bytes) {
  if (bytes.Length() > kMaxRequestBytes) {
    absl::Status status = errors::FailedPrecondition(
        "MESSAGE_TOO_LARGE", absl::StrCat("A request has at most ", kMaxRequestBytes, " bytes."));
    absl::Status refused(absl::StatusCode::kInvalidArgument, status.message());
    status.ForEachPayload([&refused](absl::string_view type, const absl::Cord& payload) {
      refused.SetPayload(type, payload);
    });
    return refused;
  }
  std::unique_ptr<Message> message(prototype.New());
  grpc::ByteBuffer copy(bytes);  // shares the slices
  grpc::ProtoBufferReader reader(&copy);
  if (!reader.status().ok() || !message->ParseFromZeroCopyStream(&reader)) {
    return errors::InvalidArgument("", absl::StrCat("the request is not a well-formed ",
                                                    message->GetDescriptor()->full_name()));
  }
  return message;
}

grpc::ByteBuffer Serialize(const Message& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

// Runs what a handler does; a library's exception is a bug, not the end of the process.
template <class Body>
absl::Status Guard(const Body& body) {
  try {
    return body();
  } catch (const std::exception& exception) {
    return errors::Internal(absl::StrCat("exception: ", exception.what()));
  }
}

absl::Status Late(const call::CallContext& context) {
  if (context.cancelled->load()) return absl::CancelledError("The caller has given up.");
  if (absl::Now() >= context.deadline) {
    return errors::DeadlineExceeded("The deadline passed while the call waited its turn.");
  }
  return absl::OkStatus();
}

class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(FrontDoor& front, const FrontDoor::Door& door, grpc::CallbackServerContext* transport,
            const grpc::ByteBuffer* request, grpc::ByteBuffer* response)
      : front_(front), door_(door), transport_(transport), response_(response) {
    context_.cancelled = &cancelled_;
    if (absl::Status status = Admit(*request); !status.ok()) End(status);
  }

  void OnCancel() override { cancelled_.store(true); }
  void OnDone() override { delete this; }

 private:
  absl::Status Admit(const grpc::ByteBuffer& bytes) {
    RETURN_IF_ERROR(front_.Authenticate(door_, ArrivalOf(*transport_), context_));
    ASSIGN_OR_RETURN(request_, Parse(*door_.method().request, bytes));
    RETURN_IF_ERROR(front_.Inspect(door_, *request_, context_));
    if (door_.executor() == nullptr) {
      Run();
      return absl::OkStatus();
    }
    if (!door_.executor()->TrySubmit(context_.organization_id, [this] { Run(); })) {
      return front_.Refused(door_);
    }
    return absl::OkStatus();
  }

  void Run() {
    End(Guard([this]() -> absl::Status {
      RETURN_IF_ERROR(Late(context_));
      std::unique_ptr<Message> response(door_.method().response->New());
      RETURN_IF_ERROR(door_.method().unary(context_, *request_, *response));
      *response_ = Serialize(*response);
      return absl::OkStatus();
    }));
  }

  void End(const absl::Status& status) {
    if (context_.replayed) transport_->AddTrailingMetadata("rapport-replayed", "true");
    front_.Account(door_, context_, arrived_, status);
    Finish(ToGrpc(status, context_.trace.trace_id));
  }

  FrontDoor& front_;
  const FrontDoor::Door& door_;
  grpc::CallbackServerContext* const transport_;
  grpc::ByteBuffer* const response_;
  const absl::Time arrived_ = absl::Now();
  std::atomic<bool> cancelled_{false};
  call::CallContext context_;
  std::unique_ptr<Message> request_;
};

// At any moment one party moves a stream on: the constructor, a job on the executor, gRPC while it
// writes, or the minder while it waits. Only that party may finish it.
class StreamCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  StreamCall(FrontDoor& front, StreamMinder& minder, const FrontDoor::Door& door,
             grpc::CallbackServerContext* transport, const grpc::ByteBuffer* request)
      : front_(front), minder_(minder), door_(door) {
    minder_.Opened();
    context_.cancelled = &cancelled_;
    if (absl::Status status = Admit(*transport, *request); !status.ok()) {
      End(status);
    } else {
      Advance();
    }
  }

  void OnCancel() override { cancelled_.store(true); }
  void OnDone() override {
    minder_.Closed();
    delete this;
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Advance();
    } else {
      End(absl::CancelledError("The client is gone."));
    }
  }

 private:
  absl::Status Admit(const grpc::CallbackServerContext& transport, const grpc::ByteBuffer& bytes) {
    RETURN_IF_ERROR(front_.Authenticate(door_, ArrivalOf(transport), context_));
    ASSIGN_OR_RETURN(request_, Parse(*door_.method().request, bytes));
    return front_.Inspect(door_, *request_, context_);
  }

  // Goes on at once if the executor takes it, else when it does.
  void Advance() {
    if (!Submit()) Wait();
  }

  bool Submit() {
    return door_.executor()->TrySubmit(context_.organization_id, [this] { Step(); });
  }

  void Wait() {
    minder_.Add([this] { return Resume(); });
  }

  // Returns true when someone else moves the stream on, or it has ended.
  bool Resume() {
    if (cancelled_.load()) {
      End(absl::CancelledError("The client is gone."));
      return true;
    }
    if (minder_.ending()) {
      End(absl::OkStatus());
      return true;
    }
    if (!front_.StillHolds(context_)) {
      End(errors::Unauthenticated());
      return true;
    }
    return (source_ == nullptr || source_->Ready()) && Submit();
  }

  void Step() {
    // A stream lives as long as its source lets it; each step has a deadline of its own.
    context_.deadline = absl::Now() + absl::Seconds(10);
    const absl::Status status = Guard([this]() -> absl::Status {
      if (source_ == nullptr) {
        ASSIGN_OR_RETURN(source_, door_.method().stream(context_, *request_));
      }
      response_.reset(door_.method().response->New());
      ASSIGN_OR_RETURN(next_, source_->Pull(*response_));
      return absl::OkStatus();
    });
    if (!status.ok()) return End(status);
    switch (next_) {
      case call::StreamSource::Next::kMessage:
        buffer_ = Serialize(*response_);
        return StartWrite(&buffer_);
      case call::StreamSource::Next::kWait:
        return Wait();
      case call::StreamSource::Next::kEnd:
        return End(absl::OkStatus());
    }
  }

  void End(const absl::Status& status) {
    front_.Account(door_, context_, arrived_, status);
    Finish(ToGrpc(status, context_.trace.trace_id));
  }

  FrontDoor& front_;
  StreamMinder& minder_;
  const FrontDoor::Door& door_;
  const absl::Time arrived_ = absl::Now();
  std::atomic<bool> cancelled_{false};
  call::CallContext context_;
  std::unique_ptr<Message> request_;
  std::unique_ptr<call::StreamSource> source_;
  std::unique_ptr<Message> response_;
  call::StreamSource::Next next_ = call::StreamSource::Next::kWait;
  grpc::ByteBuffer buffer_;
};

}  // namespace

StreamMinder::StreamMinder() : ticker_("streams", absl::Milliseconds(25), [this] { Tick(); }) {}

void StreamMinder::Add(std::function<bool()> resume) {
  MutexLock lock(mutex_);
  waiting_.push_back(std::move(resume));
}

void StreamMinder::Tick() {
  std::list<std::function<bool()>> waiting;
  {
    MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto it = waiting.begin(); it != waiting.end();) {
    it = (*it)() ? waiting.erase(it) : std::next(it);
  }
  MutexLock lock(mutex_);
  waiting_.splice(waiting_.end(), waiting);
}

void StreamMinder::Stop() { ticker_.Stop(); }

MethodService::MethodService(const google::protobuf::ServiceDescriptor* service,
                             const std::map<int, call::Method>& methods, FrontDoor& front,
                             StreamMinder& minder) {
  for (int i = 0; i < service->method_count(); ++i) {
    const call::Method& method = methods.at(i);
    bound_.push_back(std::make_unique<Bound>(
        absl::StrCat("/", service->full_name(), "/", service->method(i)->name()), method, front));
    const Bound& bound = *bound_.back();
    const bool streams = method.descriptor->server_streaming();
    AddMethod(new grpc::internal::RpcServiceMethod(bound.path.c_str(),
                                                   streams
                                                       ? grpc::internal::RpcMethod::SERVER_STREAMING
                                                       : grpc::internal::RpcMethod::NORMAL_RPC,
                                                   nullptr));
    if (streams) {
      MarkMethodRawCallback(
          i, new grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                 [&front, &minder, &bound](grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request) {
                   return new StreamCall(front, minder, bound.door, context, request);
                 }));
    } else {
      MarkMethodRawCallback(
          i, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                 [&front, &bound](grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
                   return new UnaryCall(front, bound.door, context, request, response);
                 }));
    }
  }
}

}  // namespace rapport::rpc
