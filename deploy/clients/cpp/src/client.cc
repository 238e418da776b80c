#include "rapport/client/client.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "rapport/common/v1/event_service.grpc.pb.h"
#include "service_configs.h"

namespace rapport::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A token is replaced so long before it ends, that no call under way outlives it on the server.
constexpr absl::Duration kMargin = absl::Minutes(1);
// How long a full server may have a call wait; to wait for longer is the caller's decision.
constexpr absl::Duration kMostWait = absl::Seconds(1);
// How long until the channel, too, has seen the GOAWAY that a call crossed.
constexpr absl::Duration kCrossedWait = absl::Milliseconds(50);

google::protobuf::Struct ParseJson(const std::string& json) {
  google::protobuf::Struct parsed;
  // What is no JSON has no fields.
  if (!google::protobuf::util::JsonStringToMessage(json, &parsed).ok()) parsed.Clear();
  return parsed;
}

// `exp` of a JWT. Verifies nothing: the server does.
absl::Time Expiry(const std::string& token) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  std::string body;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &body)) return absl::UnixEpoch();
  const google::protobuf::Struct claims = ParseJson(body);
  const auto exp = claims.fields().find("exp");
  if (exp == claims.fields().end()) return absl::UnixEpoch();
  return absl::FromUnixSeconds(static_cast<int64_t>(exp->second.number_value()));
}

// Waits, and says whether the caller still does.
bool Pause(absl::Duration wait, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any over;
  std::unique_lock lock(mutex);
  over.wait_for(lock, stop, absl::ToChronoNanoseconds(wait), [] { return false; });
  return !stop.stop_requested();
}

const FieldDescriptor* RequestIdOf(const Message& request) {
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByName("request_id");
  return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING ? field : nullptr;
}

// Whether a stream is opened again after this: the connection or the server went, or its time was
// over.
bool IsResumable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

}  // namespace

TokenSource TokenFromFile(std::string path) {
  return [path = std::move(path)]() -> absl::StatusOr<std::string> {
    std::ifstream file(path);
    if (!file) return absl::UnauthenticatedError(absl::StrCat("can not read a token from ", path));
    const std::string token{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return std::string(absl::StripAsciiWhitespace(token));
  };
}

// Keeps the token of a source until it is about to end.
class Client::Tokens {
 public:
  explicit Tokens(TokenSource source) : source_(std::move(source)) {}

  absl::StatusOr<std::string> Get() {
    const std::lock_guard lock(mutex_);
    return GetLocked();
  }

  // Drops a token that the server refused. Whether there is another to try.
  bool Refused(const std::string& token) {
    const std::lock_guard lock(mutex_);
    if (token == token_) token_.clear();
    const absl::StatusOr<std::string> other = GetLocked();
    return other.ok() && *other != token;
  }

 private:
  absl::StatusOr<std::string> GetLocked() {
    if (!token_.empty() && absl::Now() < until_) return token_;
    absl::StatusOr<std::string> token = source_();
    if (!token.ok()) return token;
    token_ = *token;
    // One without an end, or with less than a margin of life, is asked for at each call.
    until_ = Expiry(token_) - kMargin;
    return token_;
  }

  const TokenSource source_;
  std::mutex mutex_;
  std::string token_;
  absl::Time until_;
};

Client::Client(const ClientOptions& options) : tokens_(std::make_unique<Tokens>(options.token)) {
  const auto open = [&](Service service, const std::string& address, const char* config) {
    if (address.empty()) return;
    grpc::ChannelArguments arguments = options.arguments;
    arguments.SetServiceConfigJSON(config);
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
    arguments.SetMaxReceiveMessageSize(8 << 20);
    channels_[service] = grpc::CreateCustomChannel(
        address, options.credentials ? options.credentials : grpc::InsecureChannelCredentials(),
        arguments);
    const google::protobuf::Struct parsed = ParseJson(config);
    for (const auto& methods : parsed.fields().at("methodConfig").list_value().values()) {
      const auto& fields = methods.struct_value().fields();
      if (!fields.contains("retryPolicy")) continue;
      for (const auto& name : fields.at("name").list_value().values()) {
        const auto& of = name.struct_value().fields();
        if (!of.contains("method")) continue;
        harmless_.insert(
            absl::StrCat(of.at("service").string_value(), "/", of.at("method").string_value()));
      }
    }
  };
  open(Service::kScheduling, options.scheduling, kSchedulingServiceConfig);
  open(Service::kAssessment, options.assessment, kAssessmentServiceConfig);
  open(Service::kNotes, options.notes, kNotesServiceConfig);
}

Client::~Client() = default;

std::shared_ptr<grpc::Channel> Client::channel(Service service) const {
  const auto found = channels_.find(service);
  return found == channels_.end() ? nullptr : found->second;
}

absl::Status Client::Authorize(grpc::ClientContext& context) {
  const absl::StatusOr<std::string> token = tokens_->Get();
  if (token.ok()) context.AddMetadata("authorization", absl::StrCat("Bearer ", *token));
  return token.status();
}

absl::Status Client::Repeat(const google::protobuf::Descriptor& request, const CallOptions& options,
                            const std::function<grpc::Status(grpc::ClientContext&)>& attempt) {
  const absl::Time until =
      options.timeout ? absl::Now() + *options.timeout : absl::InfiniteFuture();
  bool refreshed = false;
  int waits = 0, crossed = 0;
  while (true) {
    const absl::StatusOr<std::string> token = tokens_->Get();
    if (!token.ok()) return token.status();
    grpc::ClientContext context;
    context.AddMetadata("authorization", absl::StrCat("Bearer ", *token));
    if (options.timeout) context.set_deadline(absl::ToChronoTime(until));
    absl::Status status;
    {
      const std::stop_callback give_up(options.stop, [&context] { context.TryCancel(); });
      status = FromGrpc(attempt(context));
    }
    absl::Duration wait;
    if (absl::IsUnauthenticated(status) && !refreshed && tokens_->Refused(*token)) {
      refreshed = true;
    } else if (absl::IsResourceExhausted(status) && waits < 2) {
      // A full server has not begun with it.
      wait = DetailsOf(status).retry_after.value_or(absl::InfiniteDuration());
      if (wait > kMostWait) return status;
      ++waits;
    } else if (absl::IsCancelled(status) && crossed < 2 && IsHarmlessTwice(request)) {
      // Where nobody here gave it up: so a gRPC server in C++ answers what crosses its GOAWAY when
      // it drains (https://github.com/grpc/grpc/issues/41785).
      wait = kCrossedWait;
      ++crossed;
    } else {
      return status;
    }
    if (options.stop.stop_requested() || absl::Now() + wait >= until) return status;
    if (!Pause(wait, options.stop)) return status;
  }
}

absl::Status Client::Watch(Service service, const WatchOptions& options,
                           const std::function<bool(const common::v1::WatchResponse&)>& deal) {
  const std::shared_ptr<grpc::Channel> to = channel(service);
  if (to == nullptr) return absl::InvalidArgumentError("the client was given no address of it");
  const auto stub = common::v1::EventService::NewStub(to);
  std::string cursor = options.cursor;
  std::minstd_rand random(std::random_device{}());
  for (int failures = 0;;) {
    common::v1::WatchRequest request;
    request.set_cursor(cursor);
    request.mutable_types()->Add(options.types.begin(), options.types.end());
    request.set_from_snapshot(options.from_snapshot && cursor.empty());
    const absl::StatusOr<std::string> token = tokens_->Get();
    if (!token.ok()) return token.status();

    absl::Status status;
    {
      grpc::ClientContext context;
      context.AddMetadata("authorization", absl::StrCat("Bearer ", *token));
      const std::stop_callback give_up(options.stop, [&context] { context.TryCancel(); });
      const auto stream = stub->Watch(&context, request);
      common::v1::WatchResponse response;
      while (stream->Read(&response)) {
        failures = 0;
        if (!deal(response)) {
          context.TryCancel();
          while (stream->Read(&response)) {
          }
          stream->Finish();
          return absl::OkStatus();
        }
        cursor = response.cursor();
      }
      status = FromGrpc(stream->Finish());
    }
    if (options.stop.stop_requested()) return absl::CancelledError("the caller gave it up");
    if (absl::IsUnauthenticated(status) && failures == 0) {
      tokens_->Refused(*token);
    } else if (!status.ok() && !IsResumable(status)) {
      return status;
    }
    // The server ends a stream after some minutes; one that ends at once is in trouble.
    const absl::Duration longest =
        std::min(options.most_backoff, options.first_backoff * (1 << std::min(failures++, 20)));
    const absl::Duration wait = longest * std::uniform_real_distribution<double>(0.5, 1.0)(random);
    if (!Pause(std::max(wait, DetailsOf(status).retry_after.value_or(absl::ZeroDuration())),
               options.stop)) {
      return absl::CancelledError("the caller gave it up");
    }
  }
}

bool Client::LacksRequestId(const Message& request) {
  const FieldDescriptor* field = RequestIdOf(request);
  return field != nullptr && !request.GetReflection()->HasField(request, field);
}

void Client::FillRequestId(Message& request) {
  // A UUID of version 4.
  std::random_device random;
  const auto bits = [&random] { return (uint64_t{random()} << 32) | random(); };
  const uint64_t high = (bits() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (bits() & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  request.GetReflection()->SetString(
      &request, RequestIdOf(request),
      absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xffff, high & 0xffff,
                      low >> 48, low & 0xffffffffffff));
}

bool Client::IsHarmlessTwice(const google::protobuf::Descriptor& request) const {
  // Requests lie beside their service, and no two methods share one.
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int i = 0; i < file.service_count(); ++i) {
    const google::protobuf::ServiceDescriptor& service = *file.service(i);
    for (int j = 0; j < service.method_count(); ++j) {
      if (service.method(j)->input_type() == &request) {
        return harmless_.count(absl::StrCat(service.full_name(), "/", service.method(j)->name())) >
               0;
      }
    }
  }
  return false;
}

}  // namespace rapport::client
