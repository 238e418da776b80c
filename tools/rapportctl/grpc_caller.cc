#include "tools/rapportctl/grpc_caller.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/auth/jwt.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::ctl {
namespace {

constexpr absl::Duration kTokenLife = absl::Minutes(5);
constexpr absl::Duration kAttempt = absl::Seconds(10);

bool IsWorthRepeating(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    // Nobody here cancels: the call crossed the GOAWAY of a server that drains.
    case absl::StatusCode::kCancelled:
      return true;
    case absl::StatusCode::kAborted:
      return errors::Reason(status) == "REQUEST_IN_PROGRESS";
    default:
      return false;
  }
}

// "rapport.notes.v1.CaseService/ListCases" is of "notes", which alone serves what is common to all
// of privacy.
absl::string_view ServiceOf(absl::string_view method) {
  if (absl::StartsWith(method, "rapport.common.v1.PrivacyService/")) return "notes";
  const std::vector<absl::string_view> package = absl::StrSplit(method, '.');
  return package.size() > 1 ? package[1] : "";
}

}  // namespace

std::string MintToken(const auth::TokenSigner& signer, const Identity& who, absl::Duration life) {
  const absl::Time now = absl::Now();
  return signer.Sign({.issuer = std::string(kDevelopmentIssuer),
                      .subject = who.subject,
                      .audience = std::string(kAudience),
                      .issue_time = now,
                      .expire_time = now + life,
                      .token_id = "",
                      .organization_id = who.organization_id,
                      .roles = who.roles,
                      .clinics = std::nullopt,
                      .auth_time = now});
}

TokenSource MintedTokens(std::shared_ptr<const auth::TokenSigner> signer) {
  return [signer = std::move(signer)](const Identity& who, absl::Duration life) {
    return absl::StatusOr<AccessToken>(
        AccessToken{MintToken(*signer, who, life), absl::Now() + life});
  };
}

GrpcCaller::GrpcCaller(const Targets& targets, TokenSource tokens, absl::Duration patience)
    : token_source_(std::move(tokens)), patience_(patience) {
  // Nothing is repeated by the channel: Call does.
  const auto open = [&targets](const std::string& target) {
    return std::make_unique<rpc::Channel>(
        rpc::ChannelOptions{.target = target, .service_config = "", .tls = targets.tls});
  };
  channels_["scheduling"] = open(targets.scheduling);
  channels_["assessment"] = open(targets.assessment);
  channels_["notes"] = open(targets.notes);
}

absl::StatusOr<std::string> GrpcCaller::TokenFor(const Identity& who) {
  const std::string key =
      absl::StrCat(who.subject, "\n", who.organization_id, "\n", absl::StrJoin(who.roles, ","));
  AccessToken& token = tokens_[key];
  if (token.text.empty() || token.end - absl::Now() < absl::Minutes(1)) {
    ASSIGN_OR_RETURN(token, token_source_(who, kTokenLife));
  }
  return token.text;
}

absl::StatusOr<const rpc::Channel*> GrpcCaller::ChannelTo(absl::string_view service) const {
  const auto channel = channels_.find(std::string(service));
  if (channel == channels_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no service '", service, "'; there are scheduling, assessment and notes"));
  }
  return channel->second.get();
}

absl::Status GrpcCaller::Call(const Identity& who, absl::string_view method,
                              const google::protobuf::Message& request,
                              google::protobuf::Message& response) {
  return CallAt(ServiceOf(method), who, method, request, response);
}

absl::Status GrpcCaller::CallAt(absl::string_view service, const Identity& who,
                                absl::string_view method, const google::protobuf::Message& request,
                                google::protobuf::Message& response) {
  ASSIGN_OR_RETURN(const rpc::Channel* channel, ChannelTo(service));
  const absl::Time give_up = absl::Now() + patience_;
  absl::Duration pause = absl::Milliseconds(20);
  while (true) {
    ASSIGN_OR_RETURN(const std::string token, TokenFor(who));
    const absl::Status status =
        channel->Call(method, {.user_token = token, .service_token = "", .traceparent = ""},
                      absl::Now() + kAttempt, request, response);
    if (!IsWorthRepeating(status) || absl::Now() + pause > give_up) return status;
    absl::SleepFor(pause);
    pause = std::min(pause * 2, absl::Milliseconds(500));
  }
}

absl::Status GrpcCaller::Exchange(const Identity& who, absl::string_view method,
                                  const google::protobuf::Message& request_type,
                                  const NextRequest& next,
                                  const google::protobuf::Message& response_type,
                                  const ReceiveResponse& receive) {
  return ExchangeAt(ServiceOf(method), who, method, request_type, next, response_type, receive);
}

absl::Status GrpcCaller::ExchangeAt(absl::string_view service, const Identity& who,
                                    absl::string_view method,
                                    const google::protobuf::Message& request_type,
                                    const NextRequest& next,
                                    const google::protobuf::Message& response_type,
                                    const ReceiveResponse& receive) {
  ASSIGN_OR_RETURN(const rpc::Channel* channel, ChannelTo(service));
  ASSIGN_OR_RETURN(const AccessToken token, token_source_(who, auth::kMaxTokenLife));
  std::unique_ptr<google::protobuf::Message> request(request_type.New());
  std::unique_ptr<google::protobuf::Message> response(response_type.New());
  const auto next_request = [&]() -> absl::StatusOr<bool> {
    request->Clear();
    return next(*request);
  };
  return channel->Exchange(
      method, {.user_token = token.text, .service_token = "", .traceparent = ""}, token.end,
      *request, next_request, *response, [&] { return receive(*response); });
}

}  // namespace rapport::ctl
