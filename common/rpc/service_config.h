#ifndef RAPPORT_COMMON_RPC_SERVICE_CONFIG_H_
#define RAPPORT_COMMON_RPC_SERVICE_CONFIG_H_

#include "absl/strings/string_view.h"

namespace rapport::rpc {

// The service config (JSON, as gRPC takes it) of a service's callers, built in from
// protos/rapport/<service>/v1/<service>_service_config.json: how long each method takes at most,
// which are repeated when the service can't be reached, how often, and that only replicas that call
// themselves ready are asked. Empty: there is none of that name.
absl::string_view ServiceConfigOf(absl::string_view service);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_SERVICE_CONFIG_H_
