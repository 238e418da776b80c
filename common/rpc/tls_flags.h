#ifndef RAPPORT_COMMON_RPC_TLS_FLAGS_H_
#define RAPPORT_COMMON_RPC_TLS_FLAGS_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/rpc/tls.h"
#include "common/telemetry/metrics.h"

namespace rapport::rpc {

// What a service's flags say of TLS.
struct TlsSettings {
  ServerTls server;
  std::optional<ChannelTls> peers;
  std::shared_ptr<const AllowedClients> clients;  // null: tokens alone decide
};

//   kInvalidArgument  flags that do not go together, or a file that can't be used
absl::StatusOr<TlsSettings> TlsFromFlags();

// How other services are called, by --peer_tls_*, which rapportctl has too; nullopt: in plaintext.
//   kInvalidArgument  as TlsFromFlags
absl::StatusOr<std::optional<ChannelTls>> PeerTlsFromFlags();

// Tells when the certificates in use expire.
void Measure(const TlsSettings& settings, telemetry::Metrics& metrics);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_TLS_FLAGS_H_
