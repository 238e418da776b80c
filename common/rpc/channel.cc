#include "common/rpc/channel.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/concurrency/mutex.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/rpc/credentials.h"
#include "common/rpc/errors.h"
#include "common/telemetry/metric_names.h"
#include "common/telemetry/tracing.h"
#include "rapport/common/v1/event_service.pb.h"

namespace rapport::rpc {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageLite;

constexpr absl::Duration kPeerPatience = absl::Seconds(2);
constexpr absl::Duration kPeerMargin = absl::Milliseconds(100);
constexpr char kWatch[] = "/rapport.common.v1.EventService/Watch";

// Blocking calls poll their connections only while they wait. In between gRPC looks every 5 s
// unless told otherwise here, before it starts: that would be how long a restarted peer stays
// unseen.
const bool kPolledOften = [] {
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 0);
  return true;
}();

constexpr char kRoundRobin[] = R"({"loadBalancingConfig": [{"round_robin": {}}]})";

std::shared_ptr<grpc::Channel> Connect(const ChannelOptions& options,
                                       const std::shared_ptr<grpc::ChannelCredentials>& with) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(options.service_config.empty() ? kRoundRobin
                                                                : options.service_config);
  if (options.tls && !options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);  // also how long a connect may take
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return grpc::CreateCustomChannel(options.target, with, arguments);
}

void Attach(const Channel::Credentials& credentials, grpc::ClientContext& context) {
  if (!credentials.user_token.empty()) {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", credentials.user_token));
  }
  if (!credentials.service_token.empty()) {
    context.AddMetadata("x-rapport-service", credentials.service_token);
  }
  if (!credentials.traceparent.empty()) {
    context.AddMetadata("traceparent", credentials.traceparent);
  }
}

class GrpcFeedStream final : public events::FeedStream {
 public:
  GrpcFeedStream(std::shared_ptr<grpc::Channel> channel, const Channel::Credentials& credentials,
                 const common::v1::WatchRequest& request)
      : channel_(std::move(channel)) {
    Attach(credentials, context_);
    reader_.reset(grpc::internal::ClientReaderFactory<common::v1::WatchResponse>::Create(
        channel_.get(),
        grpc::internal::RpcMethod(kWatch, grpc::internal::RpcMethod::SERVER_STREAMING), &context_,
        request));
  }
  ~GrpcFeedStream() override {
    context_.TryCancel();
    if (!finished_) {
      common::v1::WatchResponse rest;
      while (reader_->Read(&rest)) {
      }
      reader_->Finish();
    }
  }

  absl::StatusOr<common::v1::WatchResponse> Read() override {
    common::v1::WatchResponse response;
    if (reader_->Read(&response)) return response;
    finished_ = true;
    const grpc::Status status = reader_->Finish();
    if (status.ok()) return absl::CancelledError("The server ended the stream.");
    return FromGrpc(status);
  }

  void Cancel() override { context_.TryCancel(); }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<common::v1::WatchResponse>> reader_;
  bool finished_ = false;
};

class ChannelPeer final : public call::Peer {
 public:
  ChannelPeer(absl::string_view name, std::shared_ptr<Channel> channel,
              std::shared_ptr<auth::ServiceTokenSource> tokens, telemetry::Metrics& metrics)
      : name_(name),
        channel_(std::move(channel)),
        tokens_(std::move(tokens)),
        calls_(metrics.Counters(telemetry::metric::kPeerCalls, "Calls made to other services.",
                                {"peer", "code"})),
        durations_(metrics.Histograms(telemetry::metric::kPeerDuration,
                                      "Time that calls to other services took.", {"peer"})) {}

  absl::string_view name() const override { return name_; }

  absl::Status Call(const call::CallContext& context, absl::string_view method,
                    const Message& request, Message& response) override {
    const absl::Time begun = absl::Now();
    const absl::Time deadline = std::min(context.deadline - kPeerMargin, begun + kPeerPatience);
    telemetry::OpenSpan span(telemetry::SpanKind::kClient, method);
    absl::Status status = channel_->Call(
        method,
        {.user_token = context.user_token,
         .service_token = tokens_->Token(begun),
         .traceparent = (span.recorded() ? span.context() : context.trace.Child()).ToHeader()},
        deadline, request, response);
    if (span.recorded()) {
      span.Set("rpc.system", "grpc");
      span.Set("rapport.peer", name_);
      span.Set("rpc.response.status_code", CodeName(status.code()));
      span.End(status.code());
    }
    calls_.With({name_, CodeName(status.code())}).Increment();
    durations_.With({name_}).Observe(absl::ToDoubleSeconds(absl::Now() - begun));
    const bool unreachable =
        status.code() == absl::StatusCode::kDeadlineExceeded ||
        (status.code() == absl::StatusCode::kUnavailable && errors::Reason(status).empty());
    if (unreachable) {
      return errors::Unavailable(
          "PEER_UNAVAILABLE", absl::StrCat("The ", name_, " service can not be asked now."), name_);
    }
    return status;
  }

 private:
  const std::string name_;
  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<auth::ServiceTokenSource> tokens_;
  const telemetry::Family<telemetry::Counter> calls_;
  const telemetry::Family<telemetry::Histogram> durations_;
};

}  // namespace

class Channel::State {
 public:
  explicit State(ChannelOptions options) : options_(std::move(options)) {
    if (!options_.tls) plain_ = Connect(options_, grpc::InsecureChannelCredentials());
  }

  // gRPC's credentials hold the certificates that they were made with: after a replacement calls go
  // over a new connection, while those under way end on the old one.
  std::shared_ptr<grpc::Channel> Now() {
    if (plain_ != nullptr) return plain_;
    const std::shared_ptr<const Certificates> current = options_.tls->certificates->Current();
    MutexLock lock(mutex_);
    if (secured_ == nullptr || generation_ != current->generation) {
      secured_ = Connect(options_, CredentialsOfChannel(*current));
      generation_ = current->generation;
    }
    return secured_;
  }

 private:
  const ChannelOptions options_;
  std::shared_ptr<grpc::Channel> plain_;
  Mutex mutex_;
  std::shared_ptr<grpc::Channel> secured_ ABSL_GUARDED_BY(mutex_);
  int64_t generation_ ABSL_GUARDED_BY(mutex_) = -1;
};

Channel::Channel(ChannelOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Channel::~Channel() = default;

absl::Status Channel::Call(absl::string_view method, const Credentials& credentials,
                           absl::Time deadline, const Message& request, Message& response) const {
  const std::string path = absl::StrCat("/", method);
  grpc::ClientContext context;
  Attach(credentials, context);
  context.set_deadline(absl::ToChronoTime(deadline));
  const std::shared_ptr<grpc::Channel> channel = state_->Now();
  return FromGrpc(grpc::internal::BlockingUnaryCall<Message, Message, MessageLite, MessageLite>(
      channel.get(), grpc::internal::RpcMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC),
      &context, request, &response));
}

absl::Status Channel::Exchange(absl::string_view method, const Credentials& credentials,
                               absl::Time deadline, Message& request,
                               const std::function<absl::StatusOr<bool>()>& next, Message& response,
                               const std::function<absl::Status()>& receive) const {
  const std::string path = absl::StrCat("/", method);
  grpc::ClientContext context;
  Attach(credentials, context);
  context.set_deadline(absl::ToChronoTime(deadline));
  const std::shared_ptr<grpc::Channel> channel = state_->Now();
  const std::unique_ptr<grpc::ClientReaderWriter<Message, Message>> stream(
      grpc::internal::ClientReaderWriterFactory<Message, Message>::Create(
          channel.get(),
          grpc::internal::RpcMethod(path.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING),
          &context));
  absl::Status sent;
  std::thread sender([&] {
    while (true) {
      const absl::StatusOr<bool> more = next();
      if (!more.ok()) {
        sent = more.status();
        return context.TryCancel();
      }
      if (!*more) {
        stream->WritesDone();
        return;
      }
      if (!stream->Write(request)) return;  // the callee has ended the stream
    }
  });
  absl::Status received;
  while (stream->Read(&response)) {
    if (!received.ok()) continue;
    received = receive();
    if (!received.ok()) context.TryCancel();
  }
  sender.join();
  const absl::Status ended = FromGrpc(stream->Finish());
  RETURN_IF_ERROR(received);
  RETURN_IF_ERROR(sent);
  return ended;
}

std::unique_ptr<events::FeedStream> Channel::Watch(const Credentials& credentials,
                                                   const common::v1::WatchRequest& request) const {
  return std::make_unique<GrpcFeedStream>(state_->Now(), credentials, request);
}

std::unique_ptr<call::Peer> MakePeer(absl::string_view name, std::shared_ptr<Channel> channel,
                                     std::shared_ptr<auth::ServiceTokenSource> tokens,
                                     telemetry::Metrics& metrics) {
  return std::make_unique<ChannelPeer>(name, std::move(channel), std::move(tokens), metrics);
}

events::OpenFeed MakeFeed(std::shared_ptr<Channel> channel,
                          std::shared_ptr<auth::ServiceTokenSource> tokens) {
  return [channel = std::move(channel),
          tokens = std::move(tokens)](const common::v1::WatchRequest& request)
             -> absl::StatusOr<std::unique_ptr<events::FeedStream>> {
    return channel->Watch({.user_token = "",
                           .service_token = tokens->Token(absl::Now()),
                           .traceparent = telemetry::TraceContext::New().ToHeader()},
                          request);
  };
}

}  // namespace rapport::rpc
