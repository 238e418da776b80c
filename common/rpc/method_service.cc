#include "common/rpc/method_service.h"

#include <grpc/grpc_security_constants.h>
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
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace rapport::rpc {
namespace {

using google::protobuf::Message;

constexpr size_t kPartsCountedFrom = 64 * 1024;

absl::string_view Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find(key);
  return it == metadata.end() ? absl::string_view()
                              : absl::string_view(it->second.data(), it->second.size());
}

// Of the connection's verified certificate.
std::string IdentityOf(const grpc::CallbackServerContext& context) {
  const std::vector<grpc::string_ref> ids =
      context.auth_context()->FindPropertyValues(GRPC_PEER_SPIFFE_ID_PROPERTY_NAME);
  return ids.size() == 1 ? std::string(ids[0].data(), ids[0].size()) : "";
}

Arrival ArrivalOf(const FrontDoor& front, const grpc::CallbackServerContext& context) {
  Arrival arrival;
  if (front.asks_identity()) arrival.identity = IdentityOf(context);
  arrival.authorization = Metadata(context, "authorization");
  arrival.service_token = Metadata(context, "x-rapport-service");
  arrival.position = Metadata(context, "rapport-position");
  const absl::string_view traceparent = Metadata(context, "traceparent");
  if (!traceparent.empty()) arrival.traceparent = traceparent;
  arrival.deadline = context.deadline() == std::chrono::system_clock::time_point::max()
                         ? absl::InfiniteFuture()
                         : absl::FromChrono(context.deadline());
  return arrival;
}

absl::Status TooLarge(absl::string_view limit) {
  absl::Status status = errors::FailedPrecondition("MESSAGE_TOO_LARGE",
                                                   absl::StrCat("A request has at most ", limit));
  absl::Status refused(absl::StatusCode::kInvalidArgument, status.message());
  status.ForEachPayload([&refused](absl::string_view type, const absl::Cord& payload) {
    refused.SetPayload(type, payload);
  });
  return refused;
}

// Takes the messages and texts in `in`, a message of `type`, from `left`; false where they are
// more. What is malformed is left to the parser.
bool CountParts(google::protobuf::io::CodedInputStream& in,
                const google::protobuf::Descriptor* type, int& left) {
  using google::protobuf::internal::WireFormatLite;
  while (const uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return true;
      continue;
    }
    if (--left < 0) return false;
    int length = 0;
    if (!in.ReadVarintSizeAsInt(&length)) return true;
    const auto* field = type->FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    if (field == nullptr || field->type() != google::protobuf::FieldDescriptor::TYPE_MESSAGE) {
      if (!in.Skip(length)) return true;
      continue;
    }
    const auto [limit, depth] = in.IncrementRecursionDepthAndPushLimit(length);
    if (depth < 0) return true;
    if (!CountParts(in, field->message_type(), left)) return false;
    if (!in.DecrementRecursionDepthAndPopLimit(limit)) return true;
  }
  return true;
}

// An empty message is two bytes on the wire and a hundred in memory: those of a large request are
// counted before there is memory for any.
bool HasTooManyParts(const grpc::ByteBuffer& bytes, const google::protobuf::Descriptor* type) {
  if (bytes.Length() < kPartsCountedFrom) return false;
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  if (!reader.status().ok()) return false;
  google::protobuf::io::CodedInputStream in(&reader);
  int left = kMaxRequestParts;
  return !CountParts(in, type, left);
}

// What `message` holds is replaced; its memory is used again.
absl::Status Parse(const grpc::ByteBuffer& bytes, Message& message) {
  if (bytes.Length() > kMaxRequestBytes) return TooLarge(absl::StrCat(kMaxRequestBytes, " bytes."));
  if (HasTooManyParts(bytes, message.GetDescriptor())) {
    return TooLarge(absl::StrCat(kMaxRequestParts, " messages and texts in it."));
  }
  grpc::ByteBuffer copy(bytes);  // shares the slices
  grpc::ProtoBufferReader reader(&copy);
  if (!reader.status().ok() || !message.ParseFromZeroCopyStream(&reader)) {
    return errors::InvalidArgument("", absl::StrCat("the request is not a well-formed ",
                                                    message.GetDescriptor()->full_name()));
  }
  return absl::OkStatus();
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
    if (absl::Status status = Admit(*request); !status.ok()) Conclude(status);
  }

  void OnCancel() override { cancelled_.store(true); }
  void OnDone() override { delete this; }

 private:
  // Both are done where they are told of, at no other thread's cost.
  bool InternalInlineable() override { return true; }

  absl::Status Admit(const grpc::ByteBuffer& bytes) {
    RETURN_IF_ERROR(front_.Authenticate(door_, ArrivalOf(front_, *transport_), context_));
    request_.reset(door_.method().request->New());
    RETURN_IF_ERROR(Parse(bytes, *request_));
    RETURN_IF_ERROR(front_.Inspect(door_, *request_, context_));
    if (door_.executor() == nullptr ||
        (door_.method().quick != nullptr && door_.method().quick(*request_))) {
      Run();
      return absl::OkStatus();
    }
    if (!door_.executor()->TrySubmit(context_.organization_id, [this] { Run(); })) {
      return front_.Refused(door_);
    }
    return absl::OkStatus();
  }

  void Run() {
    Conclude(Guard([this]() -> absl::Status {
      RETURN_IF_ERROR(Late(context_));
      const telemetry::TraceScope traced = front_.Trace(context_);
      std::unique_ptr<Message> response(door_.method().response->New());
      RETURN_IF_ERROR(door_.method().unary(context_, *request_, *response));
      *response_ = Serialize(*response);
      return absl::OkStatus();
    }));
  }

  // Ends the call once the audit log knows of it.
  void Conclude(const absl::Status& status) {
    if (!front_.Tell(door_, context_, request_.get(), status,
                     [this](const absl::Status& told) { End(told); })) {
      End(status);
    }
  }

  void End(const absl::Status& status) {
    if (context_.replayed) transport_->AddTrailingMetadata("rapport-replayed", "true");
    if (status.ok() && !context_.written.empty()) {
      transport_->AddTrailingMetadata("rapport-position", context_.written);
    }
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
    context_.cancelled = &cancelled_;
    const absl::Status status = Admit(*transport, *request);
    (void)front_.Tell(door_, context_, request_.get(), status, nullptr);
    if (!status.ok()) {
      End(status);
    } else {
      Advance();
    }
  }

  void OnCancel() override { cancelled_.store(true); }
  void OnDone() override { delete this; }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Advance();
    } else {
      End(absl::CancelledError("The client is gone."));
    }
  }

 private:
  absl::Status Admit(const grpc::CallbackServerContext& transport, const grpc::ByteBuffer& bytes) {
    RETURN_IF_ERROR(front_.Authenticate(door_, ArrivalOf(front_, transport), context_));
    request_.reset(door_.method().request->New());
    RETURN_IF_ERROR(Parse(bytes, *request_));
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
      const telemetry::TraceScope traced = front_.Trace(context_);
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

// A bidirectional stream: reads a message, answers it on the executor, writes the responses, reads
// the next. Whoever moved `phase_` to kMoving owns the stream until it moves it on; the minder acts
// on streams that nobody owns. The stream is kept by gRPC until OnDone, by the minder until it has
// ended and by a job that runs.
class ExchangeCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                           public std::enable_shared_from_this<ExchangeCall> {
 public:
  static ExchangeCall* Begin(FrontDoor& front, StreamMinder& minder, const FrontDoor::Door& door,
                             grpc::CallbackServerContext* transport) {
    auto call = std::make_shared<ExchangeCall>(front, minder, door, transport);
    call->kept_by_grpc_ = call;
    call->Begin();
    return call.get();
  }

  ExchangeCall(FrontDoor& front, StreamMinder& minder, const FrontDoor::Door& door,
               grpc::CallbackServerContext* transport)
      : front_(front), minder_(minder), door_(door), transport_(transport) {
    context_.cancelled = &cancelled_;
  }

  void OnCancel() override { cancelled_.store(true); }

  void OnDone() override { kept_by_grpc_.reset(); }

  void OnReadDone(bool ok) override {
    if (!Take(Phase::kReading)) return;
    if (!ok && transport_->IsCancelled()) return End(ClientGone());
    ended_ = !ok;
    if (!ended_) {
      if (absl::Status status = Admit(); !status.ok()) return End(status);
      if (fault_.ok() && door_.method().quick != nullptr && door_.method().quick(*request_)) {
        return Step();
      }
    }
    if (Submit()) return;
    if (exchange_ == nullptr) return End(front_.Refused(door_));
    Leave(Phase::kQueueing);
  }

  void OnWriteDone(bool ok) override {
    if (!Take(Phase::kWriting)) return;
    if (!ok) return End(ClientGone());
    Advance();
  }

 private:
  enum class Phase { kMoving, kReading, kQueueing, kWriting, kEnded };

  static absl::Status ClientGone() { return absl::CancelledError("The client is gone."); }

  void Begin() {
    const absl::Status status = [&]() -> absl::Status {
      RETURN_IF_ERROR(front_.Authenticate(door_, ArrivalOf(front_, *transport_), context_));
      end_ = context_.deadline;
      has_place_ = front_.OpenExchange(context_);
      return has_place_ ? absl::OkStatus() : front_.Refused(door_);
    }();
    if (!status.ok()) return End(status);
    minder_.Add([self = shared_from_this()] { return self->Look(); });
    Read();
  }

  // Makes the caller the owner of a stream that waits in `phase`.
  bool Take(Phase phase) {
    MutexLock lock(mutex_);
    if (phase_ != phase) return false;
    phase_ = Phase::kMoving;
    return true;
  }

  // The owner lets go; the operation that `phase` waits for begins in `begin`.
  void Leave(Phase phase) {
    Leave(phase, [] {});
  }
  template <class BeginOperation>
  void Leave(Phase phase, const BeginOperation& begin) {
    MutexLock lock(mutex_);
    phase_ = phase;
    since_ = absl::Now();
    begin();
  }

  // Why a stream between two messages may not go on.
  absl::Status Fault() const {
    if (cancelled_.load()) return ClientGone();
    if (minder_.ending()) {
      return errors::Unavailable("SHUTTING_DOWN",
                                 "This server is shutting down; open the stream again.", "server");
    }
    if (!front_.StillHolds(context_)) return errors::Unauthenticated();
    if (absl::Now() >= end_) return errors::DeadlineExceeded("The stream's deadline has passed.");
    return absl::OkStatus();
  }

  // The minder's, for streams that nobody owns. Returns true when the stream has ended.
  bool Look() {
    absl::Status fault;
    {
      MutexLock lock(mutex_);
      if (phase_ == Phase::kEnded) return true;
      const bool stalled = absl::Now() - since_ > front_.exchange_patience();
      // A write can not be taken back from gRPC; that it fails ends the stream.
      if (phase_ == Phase::kWriting && stalled) transport_->TryCancel();
      if (phase_ != Phase::kReading && phase_ != Phase::kQueueing) return false;
      fault = Fault();
      if (phase_ == Phase::kReading && fault.ok()) {
        if (!stalled) return false;
        fault = errors::DeadlineExceeded("The client sent no message for too long.");
      }
      phase_ = Phase::kMoving;
    }
    if (!fault.ok()) {
      End(fault);
      return true;
    }
    if (!Submit()) Leave(Phase::kQueueing);
    return false;
  }

  void Read() {
    Leave(Phase::kReading, [this] { StartRead(&in_); });
  }

  absl::Status Admit() {
    if (request_ == nullptr) request_.reset(door_.method().request->New());
    RETURN_IF_ERROR(Parse(in_, *request_));
    in_.Clear();
    fault_ = front_.Inspect(door_, *request_, context_);
    return door_.method().faults == call::Faults::kAnswered ? absl::OkStatus() : fault_;
  }

  bool Submit() {
    return door_.executor()->TrySubmit(context_.organization_id,
                                       [self = shared_from_this()] { self->Step(); });
  }

  // Answers the message, or the end of the messages.
  void Step() {
    if (absl::Status fault = Fault(); !fault.ok()) return End(fault);
    front_.Renew(context_, end_);
    outcome_ = Guard([this]() -> absl::Status {
      const telemetry::TraceScope traced = front_.Trace(context_);
      if (exchange_ == nullptr) {
        ASSIGN_OR_RETURN(exchange_, door_.method().exchange(context_));
      }
      if (ended_) return exchange_->FinishAny(context_);
      return fault_.ok() ? exchange_->TakeAny(context_, *request_)
                         : exchange_->RefuseAny(context_, *request_, fault_);
    });
    written_ = 0;
    Advance();
  }

  void Advance() {
    if (exchange_ != nullptr && written_ < exchange_->responses()) {
      out_ = Serialize(exchange_->response(written_++));
      return Leave(Phase::kWriting, [this] { StartWrite(&out_); });
    }
    if (!outcome_.ok() || ended_) return End(outcome_);
    Read();
  }

  void End(const absl::Status& status) {
    exchange_.reset();
    if (has_place_) front_.CloseExchange(context_);
    front_.Account(door_, context_, arrived_, status);
    Leave(Phase::kEnded, [&] { Finish(ToGrpc(status, context_.trace.trace_id)); });
  }

  FrontDoor& front_;
  StreamMinder& minder_;
  const FrontDoor::Door& door_;
  grpc::CallbackServerContext* const transport_;
  const absl::Time arrived_ = absl::Now();
  std::shared_ptr<ExchangeCall> kept_by_grpc_;
  std::atomic<bool> cancelled_{false};

  // Of the owner.
  call::CallContext context_;
  absl::Time end_;
  bool has_place_ = false;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  std::unique_ptr<Message> request_;
  bool ended_ = false;  // the client has sent its last message
  absl::Status fault_;  // of the request, where the exchange answers it
  std::unique_ptr<call::AnyExchange> exchange_;
  int written_ = 0;  // of its responses
  absl::Status outcome_;

  Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kMoving;
  absl::Time since_ ABSL_GUARDED_BY(mutex_);
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
    using grpc::internal::RpcMethod;
    const auto add = [&](RpcMethod::RpcType type, grpc::internal::MethodHandler* handler) {
      AddMethod(new grpc::internal::RpcServiceMethod(bound.path.c_str(), type, nullptr));
      MarkMethodRawCallback(i, handler);
    };
    using Bytes = grpc::ByteBuffer;
    if (method.unary != nullptr) {
      add(RpcMethod::NORMAL_RPC, new grpc::internal::CallbackUnaryHandler<Bytes, Bytes>(
                                     [&front, &bound](grpc::CallbackServerContext* context,
                                                      const Bytes* request, Bytes* response) {
                                       return new UnaryCall(front, bound.door, context, request,
                                                            response);
                                     }));
    } else if (method.stream != nullptr) {
      add(RpcMethod::SERVER_STREAMING,
          new grpc::internal::CallbackServerStreamingHandler<Bytes, Bytes>(
              [&front, &minder, &bound](grpc::CallbackServerContext* context,
                                        const Bytes* request) {
                return new StreamCall(front, minder, bound.door, context, request);
              }));
    } else {
      add(RpcMethod::BIDI_STREAMING,
          new grpc::internal::CallbackBidiHandler<Bytes, Bytes>(
              [&front, &minder, &bound](grpc::CallbackServerContext* context) {
                return ExchangeCall::Begin(front, minder, bound.door, context);
              }));
    }
  }
}

}  // namespace rapport::rpc
