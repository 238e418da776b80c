#ifndef RAPPORT_COMMON_RPC_CHANNEL_H_
#define RAPPORT_COMMON_RPC_CHANNEL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/signer.h"
#include "common/call/peer.h"
#include "common/events/consumer.h"
#include "common/telemetry/metrics.h"
#include "google/protobuf/message.h"

namespace rapport::rpc {

// A connection to one target of the suite: kept alive, reconnecting, round robin over the target's
// addresses ("dns:///rapport-notes:7402", "127.0.0.1:7403"). Thread-safe.
class Channel {
 public:
  explicit Channel(absl::string_view target);
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
  struct State;
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
