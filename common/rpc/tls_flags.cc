#include "common/rpc/tls_flags.h"

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/metric_names.h"

ABSL_FLAG(
    std::string, tls_cert_file, "",
    "PEM certificate chain to serve gRPC with; empty: plaintext. Replaced files are taken up.");
ABSL_FLAG(std::string, tls_key_file, "", "PEM private key of --tls_cert_file.");
ABSL_FLAG(std::string, tls_client_ca_file, "",
          "PEM certificates of the authorities that clients' certificates must come from.");
ABSL_FLAG(std::string, tls_client_auth, "none",
          "'none'; 'request': clients may give a certificate; 'require': they must.");
ABSL_FLAG(std::vector<std::string>, tls_allowed_clients, {},
          "SPIFFE ids that may speak for services, each for all or as notes=spiffe://… for one; "
          "users=spiffe://…: where users' calls must come from. Empty: tokens alone decide.");

namespace rapport::rpc {
namespace {

absl::Status Refused(absl::string_view why) { return absl::InvalidArgumentError(why); }

absl::StatusOr<ClientAuth> ClientAuthFromFlag() {
  const std::string value = absl::GetFlag(FLAGS_tls_client_auth);
  if (value == "none") return ClientAuth::kNone;
  if (value == "request") return ClientAuth::kRequest;
  if (value == "require") return ClientAuth::kRequire;
  return Refused(
      absl::StrCat("--tls_client_auth must be 'none', 'request' or 'require', not '", value, "'"));
}

absl::Status ServerFromFlags(TlsSettings& settings) {
  const CertificateFiles files = {
      .cert = {"tls_cert_file", absl::GetFlag(FLAGS_tls_cert_file)},
      .key = {"tls_key_file", absl::GetFlag(FLAGS_tls_key_file)},
      .roots = {"tls_client_ca_file", absl::GetFlag(FLAGS_tls_client_ca_file)}};
  const std::vector<std::string> allowed = absl::GetFlag(FLAGS_tls_allowed_clients);
  ASSIGN_OR_RETURN(settings.server.client_auth, ClientAuthFromFlag());
  const bool asks = settings.server.client_auth != ClientAuth::kNone;
  if (files.cert.path.empty() && files.key.path.empty()) {
    if (asks || !files.roots.path.empty() || !allowed.empty()) {
      return Refused(
          "--tls_client_auth, --tls_client_ca_file and --tls_allowed_clients need --tls_cert_file "
          "and --tls_key_file beside them");
    }
    return absl::OkStatus();
  }
  if (asks && files.roots.path.empty()) {
    return Refused(
        "--tls_client_auth needs --tls_client_ca_file: the authorities of clients' certificates");
  }
  if (!asks && !files.roots.path.empty()) {
    return Refused(
        "--tls_client_ca_file does nothing while --tls_client_auth is 'none'; say 'request' or "
        "'require'");
  }
  if (!asks && !allowed.empty()) {
    return Refused("--tls_allowed_clients needs --tls_client_auth to be 'request' or 'require'");
  }
  ASSIGN_OR_RETURN(settings.server.certificates, CertificateStore::Open(files));
  if (!allowed.empty()) {
    ASSIGN_OR_RETURN(AllowedClients clients, AllowedClients::Parse(allowed));
    settings.clients = std::make_shared<const AllowedClients>(std::move(clients));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsSettings> TlsFromFlags() {
  TlsSettings settings;
  RETURN_IF_ERROR(ServerFromFlags(settings));
  ASSIGN_OR_RETURN(settings.peers, PeerTlsFromFlags());
  return settings;
}

void Measure(const TlsSettings& settings, telemetry::Metrics& metrics) {
  const auto tell = [&metrics](std::shared_ptr<const CertificateStore> store, const char* side) {
    if (store == nullptr || store->Current()->chain.empty()) return;
    metrics.Read(telemetry::metric::kTlsNotAfter,
                 "When the TLS certificate in use expires, since 1970.",
                 [store = std::move(store)] {
                   return absl::ToDoubleSeconds(store->Current()->not_after - absl::UnixEpoch());
                 },
                 {{"side", side}});
  };
  tell(settings.server.certificates, "server");
  if (settings.peers) tell(settings.peers->certificates, "client");
}

}  // namespace rapport::rpc
