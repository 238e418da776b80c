#include "common/rpc/service_main.h"

#include <grpc/support/log.h>
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/audit/access_log.h"
#include "common/audit/heads.h"
#include "common/auditing/anchorer.h"
#include "common/auditing/audit_handlers.h"
#include "common/auth/jwt.h"
#include "common/auth/keys.h"
#include "common/auth/signer.h"
#include "common/concurrency/periodic.h"
#include "common/crypto/rewrapper.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/feed/feed.h"
#include "common/rpc/channel.h"
#include "common/rpc/front_door.h"
#include "common/rpc/server.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

ABSL_FLAG(std::string, listen, "",
          "Address to serve gRPC on; default 127.0.0.1 and the service's port.");
ABSL_FLAG(std::string, health_listen, "",
          "Address of the plaintext health port; default 127.0.0.1 and the service's port.");
ABSL_FLAG(std::string, metrics_listen, "",
          "Address to serve Prometheus metrics on; default 127.0.0.1 and the service's port.");
ABSL_FLAG(std::string, log_file, "", "File to append the log to; empty: standard error.");
ABSL_FLAG(bool, reflection, false,
          "Serve gRPC reflection; always on while all token keys are development keys.");

ABSL_FLAG(std::string, database, "sqlite", "'sqlite' or 'postgres'.");
ABSL_FLAG(std::string, data_dir, "", "Directory of the SQLite file; made if absent.");
ABSL_FLAG(std::string, postgres_host, "localhost", "PostgreSQL server.");
ABSL_FLAG(int, postgres_port, 5432, "PostgreSQL port.");
ABSL_FLAG(std::string, postgres_name, "", "Database; default rapport_<service>.");
ABSL_FLAG(std::string, postgres_user, "rapport_app", "Role that serves tenants.");
ABSL_FLAG(std::string, postgres_password_file, "", "File with its password.");
ABSL_FLAG(std::string, postgres_feed_user, "rapport_feed", "Role of the sequencer and consumers.");
ABSL_FLAG(std::string, postgres_feed_password_file, "", "File with its password.");
ABSL_FLAG(int, postgres_connections, 16, "Most connections for tenants; the feed has 3 more.");

ABSL_FLAG(std::string, jwks_file, "", "JSON Web Key Set that tokens are verified with; reloads.");
ABSL_FLAG(std::string, token_issuer, "", "Accepted `iss` of users' tokens, apart by commas.");
ABSL_FLAG(std::string, token_audience, "rapport", "Accepted `aud`, apart by commas.");
ABSL_FLAG(std::string, token_type, "at+jwt", "Accepted `typ`, apart by commas.");
ABSL_FLAG(std::string, token_organization_claim, "org", "Claim with the organisation's id.");
ABSL_FLAG(std::string, token_roles_claim, "roles", "Claim with the roles.");
ABSL_FLAG(std::string, service_key_file, "",
          "PEM private key that signs this service's own tokens.");
ABSL_FLAG(std::string, integrity_key_file, "",
          "Key, shared by replicas, that authenticates page tokens, cursors and fingerprints.");

ABSL_FLAG(std::string, key_encryption_key_dir, "",
          "Directory of the keys, <id>.key each, that wrap the data keys of what patients tell.");

ABSL_FLAG(std::string, audit_key_file, "",
          "PEM private key (Ed25519) that signs the heads of the audit log.");
ABSL_FLAG(std::string, audit_jwks_file, "",
          "JSON Web Key Set of the public keys that have signed heads, this one's among them.");
ABSL_FLAG(std::string, audit_anchor_dir, "",
          "Directory outside of the database, best append-only, that signed heads are kept in.");

ABSL_FLAG(std::string, scheduling_target, "127.0.0.1:7401", "Where the scheduling service is.");
ABSL_FLAG(std::string, assessment_target, "127.0.0.1:7402", "Where the assessment service is.");
ABSL_FLAG(std::string, notes_target, "127.0.0.1:7403", "Where the notes service is.");

ABSL_FLAG(std::string, development_clock_file, "",
          "RFC 3339 instant that domain time stands at; only with development keys.");
ABSL_FLAG(absl::Duration, drain_linger, absl::Seconds(3),
          "How long calls are still answered after SIGTERM, while endpoints forget this process.");
ABSL_FLAG(absl::Duration, drain_grace, absl::Seconds(20),
          "How long calls under way may take to finish after that.");
ABSL_FLAG(int, read_threads, 8, "Threads of the read executor.");
ABSL_FLAG(int, write_threads, 8, "Threads of the write executor.");
ABSL_FLAG(int, peer_threads, 4, "Threads for handlers that ask other services.");

namespace rapport::rpc {
namespace {

using telemetry::Log;
using telemetry::Severity;

// gRPC's own errors go into our log, not between its lines.
void LogOfGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR) {
    Log(Severity::kWarning, "grpc", {{"detail", args->message}});
  }
}

int Fail(const ServiceSpec& spec, const absl::Status& status) {
  std::fprintf(stderr, "rapport-%s: %s\n", spec.name.c_str(),
               std::string(status.message()).c_str());
  return 1;
}

// RAPPORT_JWKS_FILE sets --jwks_file; the command line wins.
absl::Status FlagsFromEnvironment() {
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    const std::string variable = absl::StrCat("RAPPORT_", absl::AsciiStrToUpper(name));
    const char* value = std::getenv(variable.c_str());
    std::string error;
    if (value != nullptr && !flag->ParseFrom(value, &error)) {
      return absl::InvalidArgumentError(absl::StrCat("environment variable ", variable,
                                                     " has no value for --", name, ": ", error));
    }
  }
  return absl::OkStatus();
}

absl::Status Require(const std::string& value, absl::string_view flag, absl::string_view what) {
  if (!value.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " is needed: ", what));
}

absl::StatusOr<std::unique_ptr<sql::Database>> OpenDatabase(const ServiceSpec& spec) {
  const std::string engine = absl::GetFlag(FLAGS_database);
  if (engine == "sqlite") {
    const std::string directory = absl::GetFlag(FLAGS_data_dir);
    RETURN_IF_ERROR(Require(directory, "data_dir", "the directory of the SQLite file"));
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::InvalidArgumentError(
          absl::StrCat("can not make --data_dir ", directory, ": ", std::strerror(errno)));
    }
    return sql::OpenSqlite({.path = absl::StrCat(directory, "/", spec.name, ".db")},
                           spec.migrations);
  }
  if (engine == "postgres") {
    std::string name = absl::GetFlag(FLAGS_postgres_name);
    if (name.empty()) name = absl::StrCat("rapport_", spec.name);
    return sql::OpenPostgres(
        {.host = absl::GetFlag(FLAGS_postgres_host),
         .port = absl::GetFlag(FLAGS_postgres_port),
         .name = name,
         .user = absl::GetFlag(FLAGS_postgres_user),
         .password_file = absl::GetFlag(FLAGS_postgres_password_file),
         .feed_user = absl::GetFlag(FLAGS_postgres_feed_user),
         .feed_password_file = absl::GetFlag(FLAGS_postgres_feed_password_file),
         .max_connections = absl::GetFlag(FLAGS_postgres_connections)},
        spec.migrations);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--database must be 'sqlite' or 'postgres', not '", engine, "'"));
}

absl::StatusOr<std::unique_ptr<auth::TokenVerifier>> MakeVerifier() {
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_jwks_file), "jwks_file",
                          "the key set that tokens are verified with"));
  RETURN_IF_ERROR(
      Require(absl::GetFlag(FLAGS_token_issuer), "token_issuer", "who issues the users' tokens"));
  auth::TokenVerifierOptions options;
  options.jwks_file = absl::GetFlag(FLAGS_jwks_file);
  options.issuers = absl::StrSplit(absl::GetFlag(FLAGS_token_issuer), ',', absl::SkipEmpty());
  options.audiences = absl::StrSplit(absl::GetFlag(FLAGS_token_audience), ',', absl::SkipEmpty());
  options.types = absl::StrSplit(absl::GetFlag(FLAGS_token_type), ',', absl::SkipEmpty());
  options.claims.organization = absl::GetFlag(FLAGS_token_organization_claim);
  options.claims.roles = absl::GetFlag(FLAGS_token_roles_claim);
  return auth::TokenVerifier::Make(std::move(options));
}

absl::StatusOr<audit::HeadSigner> MakeHeadSigner(const ServiceSpec& spec) {
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_audit_key_file), "audit_key_file",
                          "the key that signs the heads of the audit log"));
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_audit_jwks_file), "audit_jwks_file",
                          "the public keys that have signed heads of the audit log"));
  ASSIGN_OR_RETURN(auto key, auth::TokenSigner::FromPemFile(absl::GetFlag(FLAGS_audit_key_file)));
  ASSIGN_OR_RETURN(auto trusted, auth::KeySet::FromFile(absl::GetFlag(FLAGS_audit_jwks_file)));
  return audit::HeadSigner::Make(spec.name, std::move(key), std::move(trusted));
}

// Numbers what is committed, so that the last heads cover it.
void SequenceAll(sql::Database& database, time::Clock& clock) {
  events::Sequencer sequencer(database);
  absl::StatusOr<int> moved = 0;
  do {
    moved = sequencer.RunOnce(clock.Now());
  } while (moved.ok() && *moved > 0);
}

absl::StatusOr<std::unique_ptr<time::Clock>> MakeDevelopmentClock(
    const auth::TokenVerifier& verifier) {
  const std::string path = absl::GetFlag(FLAGS_development_clock_file);
  if (path.empty()) return nullptr;
  if (!verifier.keys()->all_development()) {
    return absl::InvalidArgumentError(
        "--development_clock_file is refused: --jwks_file holds keys that are not for development");
  }
  ASSIGN_OR_RETURN(auto clock, time::DevelopmentClock::Make(path));
  return std::unique_ptr<time::Clock>(std::move(clock));
}

std::string TargetOf(absl::string_view peer) {
  if (peer == "scheduling") return absl::GetFlag(FLAGS_scheduling_target);
  if (peer == "assessment") return absl::GetFlag(FLAGS_assessment_target);
  return absl::GetFlag(FLAGS_notes_target);
}

std::string Address(const std::string& flag, int port) {
  return flag.empty() ? absl::StrCat("127.0.0.1:", port) : flag;
}

// Follows the database: ready while it answers and its schema suits.
class Readiness {
 public:
  Readiness(sql::Database& database, Server& server)
      : database_(database),
        server_(server),
        ticker_("readiness", absl::Seconds(1), [this] { Look(); }) {
    ticker_.Wake();
  }
  void Stop() { ticker_.Stop(); }

 private:
  void Look() {
    const absl::Status status = database_.Ready(absl::Now() + absl::Seconds(2));
    if (known_ && status.ok() == ready_) return;
    known_ = true;
    ready_ = status.ok();
    server_.SetReady(ready_);
    Log(ready_ ? Severity::kInfo : Severity::kWarning, ready_ ? "ready" : "not ready",
        {{"reason", std::string(status.message())}});
  }

  sql::Database& database_;
  Server& server_;
  bool known_ = false;
  bool ready_ = false;
  PeriodicThread ticker_;
};

absl::Status Serve(const ServiceSpec& spec, const sigset_t& stop_signals) {
  ASSIGN_OR_RETURN(auto verifier, MakeVerifier());
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_integrity_key_file), "integrity_key_file",
                          "the key that authenticates page tokens and cursors"));
  ASSIGN_OR_RETURN(std::shared_ptr<const auth::IntegrityKey> integrity,
                   auth::IntegrityKey::FromFile(absl::GetFlag(FLAGS_integrity_key_file)));
  std::optional<crypto::Vault> vault;
  if (spec.encrypts) {
    RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_key_encryption_key_dir), "key_encryption_key_dir",
                            "the directory of the keys that wrap the data keys"));
    ASSIGN_OR_RETURN(std::shared_ptr<const crypto::KeyProvider> keys,
                     crypto::KeyDirectory::Open(absl::GetFlag(FLAGS_key_encryption_key_dir)));
    vault.emplace(std::move(keys));
  }
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_service_key_file), "service_key_file",
                          "the key that signs this service's own tokens"));
  ASSIGN_OR_RETURN(auto signer,
                   auth::TokenSigner::FromPemFile(absl::GetFlag(FLAGS_service_key_file)));
  ASSIGN_OR_RETURN(const audit::HeadSigner head_signer, MakeHeadSigner(spec));
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_audit_anchor_dir), "audit_anchor_dir",
                          "the directory outside of the database that signed heads are kept in"));
  ASSIGN_OR_RETURN(const std::unique_ptr<audit::AnchorLog> anchors,
                   audit::AnchorLog::Open(absl::GetFlag(FLAGS_audit_anchor_dir), spec.name));
  const std::vector<std::string> audiences =
      absl::StrSplit(absl::GetFlag(FLAGS_token_audience), ',');
  auto tokens =
      std::make_shared<auth::ServiceTokenSource>(std::move(signer), spec.name, audiences.front());
  ASSIGN_OR_RETURN(const std::unique_ptr<time::Clock> development_clock,
                   MakeDevelopmentClock(*verifier));
  time::Clock& clock = development_clock != nullptr ? *development_clock : time::RealClock();
  ASSIGN_OR_RETURN(auto metrics, telemetry::Metrics::Serve(Address(
                                     absl::GetFlag(FLAGS_metrics_listen), spec.metrics_port)));
  ASSIGN_OR_RETURN(auto database, OpenDatabase(spec));
  metrics->Read(telemetry::metric::kDatabaseConnections, "Open database connections.",
                [&] { return static_cast<double>(database->stats().connections); });
  metrics->Read(telemetry::metric::kDatabaseInUse, "Database connections in use.",
                [&] { return static_cast<double>(database->stats().in_use); });
  metrics->Read(telemetry::metric::kDatabaseWaiting, "Callers that wait for a connection.",
                [&] { return static_cast<double>(database->stats().waiting); });

  metrics->Read(telemetry::metric::kLogDropped, "Log lines dropped because the buffer was full.",
                [] { return static_cast<double>(telemetry::DroppedLines()); });

  std::map<std::string, std::shared_ptr<Channel>> channels;
  std::map<std::string, std::unique_ptr<call::Peer>> peers;
  for (const std::string& name : spec.peers) {
    channels[name] = std::make_shared<Channel>(TargetOf(name));
    peers[name] = MakePeer(name, channels[name], tokens, *metrics);
  }
  Process process{
      .database = *database,
      .clock = clock,
      .metrics = *metrics,
      .peer = [&](absl::string_view name) -> call::Peer& { return *peers.at(std::string(name)); },
      .feed =
          [&](absl::string_view name) { return MakeFeed(channels.at(std::string(name)), tokens); },
      .vault = vault ? &*vault : nullptr};

  HostedService service = spec.make(process);
  feed::Feed feed(*database, clock,
                  {.service_types = spec.service_event_types,
                   .metrics = metrics.get(),
                   .retry_parked = service.retry_parked});
  audit::AccessLog access_log(*database, clock);
  auditing::Anchorer anchorer(*database, head_signer, *anchors, metrics.get());
  auditing::AuditHandlers audit_handlers(*database, head_signer, *anchors, service.record_kinds);
  call::Registry registry;
  service.register_handlers(registry);
  feed.Register(registry);
  audit_handlers.Register(registry);
  FrontDoor front({.verifier = verifier.get(),
                   .clock = &clock,
                   .integrity = integrity,
                   .metrics = metrics.get(),
                   .access_log = &access_log,
                   .read_threads = absl::GetFlag(FLAGS_read_threads),
                   .write_threads = absl::GetFlag(FLAGS_write_threads),
                   .peer_threads = absl::GetFlag(FLAGS_peer_threads)});
  ASSIGN_OR_RETURN(
      auto server,
      Server::Start(
          {.listen = Address(absl::GetFlag(FLAGS_listen), spec.port),
           .health_listen = Address(absl::GetFlag(FLAGS_health_listen), spec.health_port),
           .reflection = absl::GetFlag(FLAGS_reflection) || verifier->keys()->all_development()},
          spec.name, registry, front));
  Readiness readiness(*database, *server);
  feed.Start();
  anchorer.Start();
  service.start();
  std::optional<crypto::Rewrapper> rewrapper;
  if (vault) rewrapper.emplace(*database, *vault, *metrics).Start();
  Log(Severity::kInfo, "serving",
      {{"port", absl::StrCat(server->port())},
       {"health_port", absl::StrCat(server->health_port())},
       {"metrics_port", absl::StrCat(metrics->port())},
       {"database", absl::GetFlag(FLAGS_database)}});

  int signal = 0;
  sigwait(&stop_signals, &signal);
  Log(Severity::kInfo, "draining", {{"signal", absl::StrCat(signal)}});
  readiness.Stop();
  server->Drain(absl::GetFlag(FLAGS_drain_linger), absl::GetFlag(FLAGS_drain_grace));
  front.Drain();
  access_log.Stop();
  service.stop();
  feed.Stop();
  SequenceAll(*database, clock);
  anchorer.Stop();
  metrics->StopReading();
  Log(Severity::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace

int ServiceMain(int argc, char** argv, const ServiceSpec& spec) {
  // Blocked before any thread exists, so that one sigwait gets them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  absl::SetProgramUsageMessage(absl::StrCat("Serves the ", spec.name,
                                            " service of Rapport. Each flag can also be given as ",
                                            "the environment variable RAPPORT_<FLAG>."));
  if (absl::Status status = FlagsFromEnvironment(); !status.ok()) return Fail(spec, status);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return Fail(spec, absl::InvalidArgumentError(
                          absl::StrCat("'", rest[1], "' is not a flag; see --help")));
  }
  telemetry::SetService(spec.name);
  gpr_set_log_function(LogOfGrpc);
  if (absl::Status status = telemetry::LogTo(absl::GetFlag(FLAGS_log_file)); !status.ok()) {
    return Fail(spec, status);
  }
  const absl::Status status = Serve(spec, stop_signals);
  telemetry::Flush();
  return status.ok() ? 0 : Fail(spec, status);
}

}  // namespace rapport::rpc
