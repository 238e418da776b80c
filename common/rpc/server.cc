#include "common/rpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/rpc/credentials.h"
#include "common/rpc/method_service.h"
#include "common/telemetry/log.h"

namespace rapport::rpc {
namespace {

// Calls under way get more than the longest stream lasts when their connection ends. Pings: clients
// send one a minute, twice as many are forgiven.
void Tune(grpc::ServerBuilder& builder, absl::Duration connection_age) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(connection_age)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 1860000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 512);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8192);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Requests up to twice our limit reach the front door, which refuses them with a reason.
  builder.SetMaxReceiveMessageSize(2 * kMaxRequestBytes);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
}

void LogOfGrpc(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  const std::string handshake = ExplainHandshake(args->message);
  if (handshake.empty()) {
    telemetry::Log(telemetry::Severity::kWarning, "grpc", {{"detail", args->message}});
  } else {
    telemetry::Log(telemetry::Severity::kWarning, "TLS handshake failed",
                   {{"reason", handshake}, {"detail", args->message}});
  }
}

absl::Status NotListening(absl::string_view address) {
  return absl::InvalidArgumentError(absl::StrCat(
      "can not listen on ", address, ": the port is in use, or the address is not of this host"));
}

}  // namespace

struct Server::State {
  StreamMinder minder;
  std::vector<std::unique_ptr<MethodService>> services;
  std::vector<std::string> ready_names;
  std::shared_ptr<grpc::ServerCredentials> credentials;  // asked by `main` at each handshake
  std::unique_ptr<grpc::Server> health;
  std::unique_ptr<grpc::Server> main;
  int port = 0;
  int health_port = 0;

  void SetStatus(const std::string& name, bool serving) {
    for (grpc::Server* server : {health.get(), main.get()}) {
      server->GetHealthCheckService()->SetServingStatus(name, serving);
    }
  }
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      absl::string_view process_name,
                                                      const call::Registry& registry,
                                                      FrontDoor& front) {
  RETURN_IF_ERROR(registry.Complete());
  auto state = std::make_unique<State>();
  state->ready_names.push_back(std::string(process_name));

  grpc::EnableDefaultHealthCheckService(true);
  {
    grpc::ServerBuilder builder;
    Tune(builder, options.connection_age);
    builder.AddListeningPort(options.health_listen, grpc::InsecureServerCredentials(),
                             &state->health_port);
    state->health = builder.BuildAndStart();
    if (state->health == nullptr || state->health_port == 0) {
      return NotListening(options.health_listen);
    }
  }

  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  Tune(builder, options.connection_age);
  state->credentials = CredentialsOfServer(options.tls);
  builder.AddListeningPort(options.listen, state->credentials, &state->port);
  for (const auto& [descriptor, methods] : registry.services()) {
    state->services.push_back(
        std::make_unique<MethodService>(descriptor, methods, front, state->minder));
    state->ready_names.push_back(descriptor->full_name());
    builder.RegisterService(state->services.back().get());
  }
  state->main = builder.BuildAndStart();
  if (state->main == nullptr || state->port == 0) return NotListening(options.listen);

  state->SetStatus("", true);
  auto server = std::unique_ptr<Server>(new Server(std::move(state)));
  server->SetReady(false);
  return server;
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { Drain(absl::ZeroDuration(), absl::ZeroDuration()); }

void Server::SetReady(bool ready) {
  for (const std::string& name : state_->ready_names) state_->SetStatus(name, ready);
}

void Server::Drain(absl::Duration linger, absl::Duration grace) {
  if (state_->main == nullptr) return;
  SetReady(false);
  absl::SleepFor(linger);
  state_->minder.EndStreams();
  state_->main->GetHealthCheckService()->Shutdown();
  state_->health->GetHealthCheckService()->Shutdown();
  state_->main->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  state_->main->Wait();
  state_->minder.Stop();
  state_->health->Shutdown(absl::ToChronoTime(absl::Now()));
  state_->health->Wait();
  state_->main.reset();
  state_->health.reset();
}

void TakeLogOfGrpc() { gpr_set_log_function(LogOfGrpc); }

int Server::port() const { return state_->port; }
int Server::health_port() const { return state_->health_port; }

}  // namespace rapport::rpc
