#include "common/rpc/credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

namespace rapport::rpc {
namespace {

grpc_ssl_client_certificate_request_type RequestType(ClientAuth client_auth) {
  switch (client_auth) {
    case ClientAuth::kRequest:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientAuth::kRequire:
      return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientAuth::kNone:
      break;
  }
  return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
}

// gRPC's C++ credentials hold what they are made with; those of its C core ask before each
// handshake.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  explicit FetchingCredentials(ServerTls tls)
      : tls_(std::move(tls)),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                RequestType(tls_.client_auth), &FetchingCredentials::Fetch, this))) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // Called by one thread at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    auto& credentials = *static_cast<FetchingCredentials*>(self);
    const auto current = credentials.tls_.certificates->Current();
    if (current->generation == credentials.fetched_) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair pair = {current->key.c_str(), current->chain.c_str()};
    *config = grpc_ssl_server_certificate_config_create(
        current->roots.empty() ? nullptr : current->roots.c_str(), &pair, 1);
    credentials.fetched_ = current->generation;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const ServerTls tls_;
  int64_t fetched_ = -1;
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> CredentialsOfServer(const ServerTls& tls) {
  if (tls.certificates == nullptr) return grpc::InsecureServerCredentials();
  return std::make_shared<FetchingCredentials>(tls);
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOfChannel(const Certificates& certificates) {
  return grpc::SslCredentials({.pem_root_certs = certificates.roots,
                               .pem_private_key = certificates.key,
                               .pem_cert_chain = certificates.chain});
}

}  // namespace rapport::rpc
