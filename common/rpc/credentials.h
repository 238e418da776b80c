#ifndef RAPPORT_COMMON_RPC_CREDENTIALS_H_
#define RAPPORT_COMMON_RPC_CREDENTIALS_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "common/rpc/tls.h"

namespace rapport::rpc {

// What a port is served with: each handshake takes the certificates of that moment. Without TLS:
// plaintext.
std::shared_ptr<grpc::ServerCredentials> CredentialsOfServer(const ServerTls& tls);

// What a channel connects with: the certificates of now.
std::shared_ptr<grpc::ChannelCredentials> CredentialsOfChannel(const Certificates& certificates);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_CREDENTIALS_H_
