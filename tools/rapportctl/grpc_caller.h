#ifndef RAPPORT_TOOLS_RAPPORTCTL_GRPC_CALLER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_GRPC_CALLER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/signer.h"
#include "common/rpc/channel.h"
#include "tools/rapportctl/caller.h"

namespace rapport::ctl {

// What development tokens say of their origin; the services are started with the same.
inline constexpr absl::string_view kDevelopmentIssuer = "rapport-development";
inline constexpr absl::string_view kAudience = "rapport";

// Where the three services are.
struct Targets {
  std::string scheduling = "127.0.0.1:7401";
  std::string assessment = "127.0.0.1:7402";
  std::string notes = "127.0.0.1:7403";
  std::optional<rpc::ChannelTls> tls = std::nullopt;  // nullopt: plaintext
};

// A token for `who`, authenticated just now, valid for `life`.
std::string MintToken(const auth::TokenSigner& signer, const Identity& who, absl::Duration life);

// An access token for `who` and until when it is used, at most `life` from now; who owns the tokens
// may not heed `who`.
struct AccessToken {
  std::string text;
  absl::Time end;
};
using TokenSource =
    std::function<absl::StatusOr<AccessToken>(const Identity& who, absl::Duration life)>;

// Tokens minted from a development key.
TokenSource MintedTokens(std::shared_ptr<const auth::TokenSigner> signer);

// Calls over gRPC. Not thread-safe.
class GrpcCaller final : public Caller {
 public:
  GrpcCaller(const Targets& targets, TokenSource tokens,
             absl::Duration patience = absl::Seconds(20));
  GrpcCaller(const Targets& targets, std::unique_ptr<auth::TokenSigner> signer,
             absl::Duration patience = absl::Seconds(20))
      : GrpcCaller(targets, MintedTokens(std::move(signer)), patience) {}

  using Caller::Call;
  absl::Status Call(const Identity& who, absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) override;

  // With a token for the longest time there is, got for this stream.
  using Caller::Exchange;
  absl::Status Exchange(const Identity& who, absl::string_view method,
                        const google::protobuf::Message& request_type, const NextRequest& next,
                        const google::protobuf::Message& response_type,
                        const ReceiveResponse& receive) override;

  // Exchange and Call at a given service ("notes"), for methods that all three serve. A stream of
  // the server is an exchange of one request.
  absl::Status ExchangeAt(absl::string_view service, const Identity& who, absl::string_view method,
                          const google::protobuf::Message& request_type, const NextRequest& next,
                          const google::protobuf::Message& response_type,
                          const ReceiveResponse& receive);
  absl::Status CallAt(absl::string_view service, const Identity& who, absl::string_view method,
                      const google::protobuf::Message& request,
                      google::protobuf::Message& response);

  template <class Response>
  absl::StatusOr<Response> CallAt(absl::string_view service, const Identity& who,
                                  absl::string_view method,
                                  const google::protobuf::Message& request) {
    Response response;
    RETURN_IF_ERROR(CallAt(service, who, method, request, response));
    return response;
  }

 private:
  absl::StatusOr<const rpc::Channel*> ChannelTo(absl::string_view service) const;
  absl::StatusOr<std::string> TokenFor(const Identity& who);

  const TokenSource token_source_;
  const absl::Duration patience_;
  std::map<std::string, std::unique_ptr<rpc::Channel>, std::less<>> channels_;  // by service
  std::map<std::string, AccessToken> tokens_;                                   // by identity
};

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_GRPC_CALLER_H_
