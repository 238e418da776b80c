#ifndef RAPPORT_COMMON_RPC_CHANNEL_H_
#define RAPPORT_COMMON_RPC_CHANNEL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/signer.h"
#include "common/call/peer.h"
#include "common/events/consumer.h"
#include "common/rpc/tls.h"
#include "common/telemetry/metrics.h"
#include "google/protobuf/message.h"

namespace rapport::rpc {

struct ChannelOptions {
  // "127.0.0.1:7403", or a name with an address per replica: "dns:///rapport-notes-headless:7403".
  std::string target;
  // gRPC's service config (see service_config.h): what is repeated, how long calls take at most,
  // whose health an address is asked for. Empty: round robin, and nothing is repeated.
  std::string service_config;
  std::optional<ChannelTls> tls;  // nullopt: plaintext
};

// A connection to one target of the suite: kept alive, reconnecting, round robin over the target's
// addresses, with TLS by the certificates of the moment. Thread-safe.
class Channel {
 public:
  explicit Channel(ChannelOptions options);
  explicit Channel(absl::string_view target)
      : Channel(ChannelOptions{std::string(target), "", std::nullopt}) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // What goes along with a call. Empty fields are left out.
  struct Credentials {
    std::string user_token;     // as `authorization: Bearer`
    std::string service_token;  // as `x-rapport-service`
    std::string traceparent;
  };

  // `method` as "package.Service/Method". Errors carry the callee's details as payloads.
  absl::Status Call(absl::string_view method, const Credentials& credentials, absl::Time deadline,
                    const google::protobuf::Message& request,
                    google::protobuf::Message& response) const;

  // Holds one bidirectional stream until its end and returns how it ended. `next` fills `request`
  // with the next message, or returns false after the last one; it is called on a thread of its
  // own while `receive` is called here with `response` as each arrives. An error of either cancels
  // the stream and comes back. Ends early, with the callee's error, when the callee does.
  absl::Status Exchange(absl::string_view method, const Credentials& credentials,
                        absl::Time deadline, google::protobuf::Message& request,
                        const std::function<absl::StatusOr<bool>()>& next,
                        google::protobuf::Message& response,
                        const std::function<absl::Status()>& receive) const;

  // Opens EventService.Watch. The stream must not outlive the channel.
  std::unique_ptr<events::FeedStream> Watch(const Credentials& credentials,
                                            const common::v1::WatchRequest& request) const;

 private:
  class State;
  const std::unique_ptr<State> state_;
};

// `channel` as a peer: forwards the user's token and adds the service's own.
std::unique_ptr<call::Peer> MakePeer(absl::string_view name, std::shared_ptr<Channel> channel,
                                     std::shared_ptr<auth::ServiceTokenSource> tokens,
                                     telemetry::Metrics& metrics);

// Watches of `channel` in the service's own right.
events::OpenFeed MakeFeed(std::shared_ptr<Channel> channel,
                          std::shared_ptr<auth::ServiceTokenSource> tokens);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_CHANNEL_H_
