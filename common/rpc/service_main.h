#ifndef RAPPORT_COMMON_RPC_SERVICE_MAIN_H_
#define RAPPORT_COMMON_RPC_SERVICE_MAIN_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/audit/verify.h"
#include "common/cache/cache.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/events/consumer.h"
#include "common/sql/database.h"
#include "common/sql/migrations.h"
#include "common/telemetry/metrics.h"
#include "common/time/clock.h"

// The life of a service process: configuration, wiring, serving, draining. A service's main.cc says
// what it is; everything that all of them share is here.
namespace rapport::rpc {

// What a process gives to its service. Lives longer than it.
struct Process {
  sql::Database& database;
  time::Clock& clock;
  telemetry::Metrics& metrics;
  // The other services, by name; each has the flag --<name>_target.
  std::function<call::Peer&(absl::string_view name)> peer;
  std::function<events::OpenFeed(absl::string_view name)> feed;
  const crypto::Vault* vault;  // null unless the service encrypts
  cache::Cache& cache;         // over `database`; follows its log once the service is made
};

// A service in its process, whatever its type.
struct HostedService {
  std::function<void(call::Registry&)> register_handlers;
  std::function<void()> start;                        // background work begins
  std::function<void()> stop;                         // and has ended when this returns
  std::function<absl::StatusOr<int>()> retry_parked;  // null: it follows no feed
  std::vector<audit::RecordKind> record_kinds = {};   // what its audit entries cover
};

// Hosts any class with Register(call::Registry&), Start() and Stop(), RetryParked() if it follows a
// feed, and RecordKinds() if it says how what its audit entries cover is stored.
template <class Service>
HostedService Host(std::unique_ptr<Service> service) {
  std::shared_ptr<Service> shared = std::move(service);
  HostedService hosted{
      .register_handlers = [shared](call::Registry& registry) { shared->Register(registry); },
      .start = [shared] { shared->Start(); },
      .stop = [shared] { shared->Stop(); },
      .retry_parked = nullptr};
  if constexpr (requires { shared->RetryParked(); }) {
    hosted.retry_parked = [shared] { return shared->RetryParked(); };
  }
  if constexpr (requires { shared->RecordKinds(); }) hosted.record_kinds = shared->RecordKinds();
  return hosted;
}

struct ServiceSpec {
  std::string name;  // "scheduling"
  int port;          // default of --listen
  int health_port;
  int metrics_port;
  std::vector<std::string> peers;          // whose targets it needs
  std::vector<sql::Component> migrations;  // of its database, besides the foundation
  std::function<HostedService(Process&)> make;
  std::vector<std::string> service_event_types = {};  // see feed::FeedOptions::service_types
  bool encrypts = false;  // keeps what patients tell: needs --key_encryption_key_dir
};

// Parses flags (each also as the environment variable RAPPORT_<FLAG>), serves until SIGTERM or
// SIGINT, drains, and returns the exit status: 0 after a clean drain, 1 with one clear line when it
// can't start.
int ServiceMain(int argc, char** argv, const ServiceSpec& spec);

}  // namespace rapport::rpc

#endif  // RAPPORT_COMMON_RPC_SERVICE_MAIN_H_
