#ifndef RAPPORT_COMMON_RPC_SERVER_H_
#define RAPPORT_COMMON_RPC_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/registry.h"
#include "common/rpc/front_door.h"
#include "common/rpc/tls.h"

namespace rapport::rpc {

struct ServerOptions {
  std::string listen;         // "host:port"; port 0 takes a free one
  std::string health_listen;  // plaintext, only grpc.health.v1, for probes
  bool reflection = false;
  ServerTls tls = {};  // of `listen`; without certificates: plaintext
  // Connections end at this age, give or take a tenth, so that clients look again who serves.
  absl::Duration connection_age = absl::Minutes(5);
};

// The gRPC server of a process: the bound services, grpc.health.v1 on both ports, reflection.
//
// Health "" is liveness: SERVING as long as the process serves at all. Health of each proto
// service, and of the process's own name ("scheduling"), is readiness: SERVING while
// SetReady(true).
class Server {
 public:
  // Serves from here on, not ready.
  //   kInvalidArgument  an address that can't be listened on
  //   kInternal         the registry is not complete
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       absl::string_view process_name,
                                                       const call::Registry& registry,
                                                       FrontDoor& front);
  ~Server();

  void SetReady(bool ready);

  // Not ready; after `linger`, in which calls are still answered and endpoints forget us, refuses
  // new calls, ends streams cleanly, lets calls under way finish until `grace` has passed, and
  // stops.
  void Drain(absl::Duration linger, absl::Duration grace);

  int port() const;
  int health_port() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

// gRPC's own errors go into our log from here on, not between its lines.
void TakeLogOfGrpc();

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_SERVER_H_
