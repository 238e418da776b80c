#include <string>

#include "absl/flags/flag.h"
#include "common/errors/status_macros.h"
#include "common/rpc/tls_flags.h"

ABSL_FLAG(std::string, peer_tls_ca_file, "",
          "PEM certificates of the authorities that the other services' certificates must come "
          "from; empty: they are called in plaintext.");
ABSL_FLAG(std::string, peer_tls_cert_file, "",
          "PEM certificate chain to show to the other services.");
ABSL_FLAG(std::string, peer_tls_key_file, "", "PEM private key of --peer_tls_cert_file.");
ABSL_FLAG(std::string, peer_tls_server_name, "",
          "Name that the other services' certificates must be for; empty: the target's host.");

namespace rapport::rpc {

absl::StatusOr<std::optional<ChannelTls>> PeerTlsFromFlags() {
  const CertificateFiles files = {
      .cert = {"peer_tls_cert_file", absl::GetFlag(FLAGS_peer_tls_cert_file)},
      .key = {"peer_tls_key_file", absl::GetFlag(FLAGS_peer_tls_key_file)},
      .roots = {"peer_tls_ca_file", absl::GetFlag(FLAGS_peer_tls_ca_file)}};
  const std::string name = absl::GetFlag(FLAGS_peer_tls_server_name);
  if (files.roots.path.empty()) {
    if (files.cert.path.empty() && files.key.path.empty() && name.empty()) return std::nullopt;
    return absl::InvalidArgumentError(
        "--peer_tls_cert_file, --peer_tls_key_file and --peer_tls_server_name need "
        "--peer_tls_ca_file beside them");
  }
  ASSIGN_OR_RETURN(auto certificates, CertificateStore::Open(files));
  return ChannelTls{.certificates = std::move(certificates), .server_name = name};
}

}  // namespace rapport::rpc
