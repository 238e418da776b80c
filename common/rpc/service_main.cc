#include "common/rpc/service_main.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

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
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/audit/access_log.h"
#include "common/audit/heads.h"
#include "common/auditing/anchorer.h"
#include "common/auditing/audit_handlers.h"
#include "common/auth/jwt.h"
#include "common/auth/keys.h"
#include "common/auth/signer.h"
#include "common/concurrency/periodic.h"
#include "common/crypto/checked_keys.h"
#include "common/crypto/rewrapper.h"
#include "common/errors/status_macros.h"
#include "common/events/event_log.h"
#include "common/feed/feed.h"
#include "common/revocation/revocation.h"
#include "common/rpc/channel.h"
#include "common/rpc/front_door.h"
#include "common/rpc/otlp_exporter.h"
#include "common/rpc/server.h"
#include "common/rpc/service_config.h"
#include "common/rpc/start.h"
#include "common/rpc/tls_flags.h"
#include "common/sql/observed.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"
#include "common/telemetry/process.h"
#include "common/work/retention.h"
#include "google/protobuf/stubs/logging.h"

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
ABSL_FLAG(std::string, postgres_host, "localhost",
          "PostgreSQL server, or several apart by commas: the first that takes writes serves.");
ABSL_FLAG(int, postgres_port, 5432, "PostgreSQL port.");
ABSL_FLAG(std::string, postgres_name, "", "Database; default rapport_<service>.");
ABSL_FLAG(std::string, postgres_user, "rapport_app", "Role that serves tenants.");
ABSL_FLAG(std::string, postgres_password_file, "", "File with its password.");
ABSL_FLAG(std::string, postgres_feed_user, "rapport_feed", "Role of the sequencer and consumers.");
ABSL_FLAG(std::string, postgres_feed_password_file, "", "File with its password.");
ABSL_FLAG(int, postgres_connections, 16, "Most connections for tenants; the feed has 3 more.");
ABSL_FLAG(int, postgres_warm_connections, 2, "Connections for tenants that are open before ready.");
ABSL_FLAG(std::string, postgres_pooler, "none",
          "'transaction' where a pooler hands out a server connection for one transaction.");
ABSL_FLAG(std::string, postgres_read_hosts, "",
          "Hot standbys, host or host:port, apart by commas, that answer reads which may trail.");
ABSL_FLAG(absl::Duration, postgres_read_lag, absl::Seconds(1),
          "By how much a standby may trail; beyond, the primary answers.");
ABSL_FLAG(bool, allow_unsafe_durability, false,
          "Write to a server that loses acknowledged commits in a crash (fsync=off and the like).");
ABSL_FLAG(bool, require_synchronous_standby, false,
          "Refuse to write to a server without a synchronous standby.");
ABSL_FLAG(absl::Duration, event_retention, absl::Hours(24 * 30),
          "How long the event log keeps more than the newest event of each resource.");

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
ABSL_FLAG(absl::Duration, connection_age, absl::Minutes(5),
          "Age at which clients' connections end, so that they look again who serves.");
ABSL_FLAG(absl::Duration, drain_linger, absl::Seconds(3),
          "How long calls are still answered after SIGTERM, while endpoints forget this process.");
ABSL_FLAG(absl::Duration, drain_grace, absl::Seconds(20),
          "How long calls under way may take to finish after that.");
ABSL_FLAG(int, read_threads, 8, "Threads of the read executor.");
ABSL_FLAG(int, write_threads, 8, "Threads of the write executor.");
ABSL_FLAG(int, peer_threads, 4, "Threads for handlers that ask other services.");

ABSL_FLAG(
    std::string, otlp_target, "",
    "Collector, host:port, that traces are sent to by OTLP over gRPC without TLS; empty: none.");
ABSL_FLAG(double, trace_sample_ratio, 0.1,
          "Share, 0 to 1, of the calls to trace that come without a caller's decision.");

ABSL_FLAG(
    std::string, redis_nodes, "",
    "Nodes of Redis, host:port or unix:/path, apart by commas; empty: the process caches alone.");
ABSL_FLAG(std::string, redis_password_file, "", "File with the password of Redis; empty: none.");
ABSL_FLAG(absl::Duration, redis_timeout, absl::Milliseconds(30),
          "How long a call waits for Redis at most.");
ABSL_FLAG(int, redis_connections, 8, "Most connections to each node of Redis.");
ABSL_FLAG(std::string, cache_bytes, "64MiB", "What the cache in the process may hold.");

namespace rapport::rpc {
namespace {

using telemetry::Log;
using telemetry::Severity;

int Fail(const ServiceSpec& spec, const absl::Status& status) {
  std::fprintf(stderr, "rapport-%s: %s\n", spec.name.c_str(),
               std::string(status.message()).c_str());
  return 1;
}

std::string Address(const std::string& flag, int port) {
  return flag.empty() ? absl::StrCat("127.0.0.1:", port) : flag;
}

// What can be told of the flags' values before anything is opened.
absl::Status CheckFlags(const ServiceSpec& spec) {
  RETURN_IF_ERROR(CheckRange("read_threads", absl::GetFlag(FLAGS_read_threads), 1, 1024));
  RETURN_IF_ERROR(CheckRange("write_threads", absl::GetFlag(FLAGS_write_threads), 1, 1024));
  RETURN_IF_ERROR(CheckRange("peer_threads", absl::GetFlag(FLAGS_peer_threads), 1, 1024));
  RETURN_IF_ERROR(CheckRange("postgres_port", absl::GetFlag(FLAGS_postgres_port), 1, 65535));
  RETURN_IF_ERROR(
      CheckRange("postgres_connections", absl::GetFlag(FLAGS_postgres_connections), 1, 10000));
  RETURN_IF_ERROR(CheckRange("connection_age in seconds",
                             absl::ToInt64Seconds(absl::GetFlag(FLAGS_connection_age)), 1, 86400));
  RETURN_IF_ERROR(CheckRange("postgres_read_lag in milliseconds",
                             absl::ToInt64Milliseconds(absl::GetFlag(FLAGS_postgres_read_lag)), 200,
                             60'000));
  for (const auto& [flag, value] : {std::pair("drain_linger", absl::GetFlag(FLAGS_drain_linger)),
                                    std::pair("drain_grace", absl::GetFlag(FLAGS_drain_grace))}) {
    RETURN_IF_ERROR(
        CheckRange(absl::StrCat(flag, " in seconds"), absl::ToInt64Seconds(value), 0, 3600));
  }
  RETURN_IF_ERROR(
      CheckReadable("postgres_password_file", absl::GetFlag(FLAGS_postgres_password_file)));
  RETURN_IF_ERROR(CheckReadable("postgres_feed_password_file",
                                absl::GetFlag(FLAGS_postgres_feed_password_file)));
  RETURN_IF_ERROR(CheckReadable("redis_password_file", absl::GetFlag(FLAGS_redis_password_file)));
  RETURN_IF_ERROR(CheckListen("listen", Address(absl::GetFlag(FLAGS_listen), spec.port)));
  RETURN_IF_ERROR(
      CheckListen("health_listen", Address(absl::GetFlag(FLAGS_health_listen), spec.health_port)));
  return CheckListen("metrics_listen",
                     Address(absl::GetFlag(FLAGS_metrics_listen), spec.metrics_port));
}

absl::Status Require(const std::string& value, absl::string_view flag, absl::string_view what) {
  if (!value.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " is needed: ", what));
}

absl::StatusOr<std::unique_ptr<sql::Database>> OpenDatabase(const ServiceSpec& spec,
                                                            telemetry::Metrics& metrics) {
  const std::string engine = absl::GetFlag(FLAGS_database);
  if (engine == "sqlite") {
    const std::string directory = absl::GetFlag(FLAGS_data_dir);
    RETURN_IF_ERROR(Require(directory, "data_dir", "the directory of the SQLite file"));
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::InvalidArgumentError(
          absl::StrCat("can not make --data_dir ", directory, ": ", std::strerror(errno)));
    }
    return For("data_dir", sql::OpenSqlite({.path = absl::StrCat(directory, "/", spec.name, ".db")},
                                           spec.migrations));
  }
  if (engine == "postgres") {
    std::string name = absl::GetFlag(FLAGS_postgres_name);
    if (name.empty()) name = absl::StrCat("rapport_", spec.name);
    const std::string pooler = absl::GetFlag(FLAGS_postgres_pooler);
    if (pooler != "none" && pooler != "transaction") {
      return absl::InvalidArgumentError(
          absl::StrCat("--postgres_pooler must be 'none' or 'transaction', not '", pooler, "'"));
    }
    return sql::OpenPostgres(
        {.host = absl::GetFlag(FLAGS_postgres_host),
         .port = absl::GetFlag(FLAGS_postgres_port),
         .name = name,
         .user = absl::GetFlag(FLAGS_postgres_user),
         .password_file = absl::GetFlag(FLAGS_postgres_password_file),
         .feed_user = absl::GetFlag(FLAGS_postgres_feed_user),
         .feed_password_file = absl::GetFlag(FLAGS_postgres_feed_password_file),
         .max_connections = absl::GetFlag(FLAGS_postgres_connections),
         .pooler = pooler == "none" ? sql::Pooler::kNone : sql::Pooler::kTransaction,
         .warm_connections = absl::GetFlag(FLAGS_postgres_warm_connections),
         .allow_unsafe_durability = absl::GetFlag(FLAGS_allow_unsafe_durability),
         .require_synchronous_standby = absl::GetFlag(FLAGS_require_synchronous_standby),
         .read_hosts = absl::GetFlag(FLAGS_postgres_read_hosts),
         .max_read_lag = absl::GetFlag(FLAGS_postgres_read_lag),
         .metrics = &metrics},
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
  return For("jwks_file", auth::TokenVerifier::Make(std::move(options)));
}

// The key that signs this service's own tokens, which the others must be able to verify.
absl::StatusOr<std::unique_ptr<auth::TokenSigner>> MakeSigner(const ServiceSpec& spec,
                                                              const auth::KeySet& known) {
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_service_key_file), "service_key_file",
                          "the key that signs this service's own tokens"));
  const std::string path = absl::GetFlag(FLAGS_service_key_file);
  ASSIGN_OR_RETURN(auto signer, For("service_key_file", auth::TokenSigner::FromPemFile(path)));
  const auth::VerificationKey* key = known.Find(signer->key_id());
  if (key == nullptr || key->service != spec.name) {
    return absl::InvalidArgumentError(
        absl::StrCat("--service_key_file: the public key of '", path, "' is not in --jwks_file ",
                     absl::GetFlag(FLAGS_jwks_file), " as the key of service ", spec.name));
  }
  return signer;
}

absl::StatusOr<audit::HeadSigner> MakeHeadSigner(const ServiceSpec& spec) {
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_audit_key_file), "audit_key_file",
                          "the key that signs the heads of the audit log"));
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_audit_jwks_file), "audit_jwks_file",
                          "the public keys that have signed heads of the audit log"));
  ASSIGN_OR_RETURN(
      auto key,
      For("audit_key_file", auth::TokenSigner::FromPemFile(absl::GetFlag(FLAGS_audit_key_file))));
  ASSIGN_OR_RETURN(auto trusted, For("audit_jwks_file",
                                     auth::KeySet::FromFile(absl::GetFlag(FLAGS_audit_jwks_file))));
  return For("audit_key_file",
             audit::HeadSigner::Make(spec.name, std::move(key), std::move(trusted)));
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
  ASSIGN_OR_RETURN(auto clock, For("development_clock_file", time::DevelopmentClock::Make(path)));
  return std::unique_ptr<time::Clock>(std::move(clock));
}

std::string TargetOf(absl::string_view peer) {
  if (peer == "scheduling") return absl::GetFlag(FLAGS_scheduling_target);
  if (peer == "assessment") return absl::GetFlag(FLAGS_assessment_target);
  return absl::GetFlag(FLAGS_notes_target);
}

// Null without a collector.
absl::StatusOr<std::unique_ptr<OtlpExporter>> MakeTracer(const ServiceSpec& spec,
                                                         telemetry::Metrics& metrics) {
  const double ratio = absl::GetFlag(FLAGS_trace_sample_ratio);
  if (!(ratio >= 0 && ratio <= 1)) {
    return absl::InvalidArgumentError("--trace_sample_ratio must be from 0 to 1");
  }
  const std::string target = absl::GetFlag(FLAGS_otlp_target);
  if (target.empty()) return nullptr;
  return std::make_unique<OtlpExporter>(OtlpOptions{.target = target,
                                                    .service = absl::StrCat("rapport-", spec.name),
                                                    .version = RAPPORT_VERSION,
                                                    .sample_ratio = ratio},
                                        metrics);
}

absl::StatusOr<std::unique_ptr<cache::Cache>> MakeCache(
    const ServiceSpec& spec, sql::Database& database,
    std::shared_ptr<const auth::IntegrityKey> integrity, telemetry::Metrics& metrics) {
  cache::CacheOptions options;
  options.service = spec.name;
  options.integrity = std::move(integrity);
  options.metrics = &metrics;
  ASSIGN_OR_RETURN(options.bytes,
                   For("cache_bytes", cache::ParseBytes(absl::GetFlag(FLAGS_cache_bytes))));
  const std::vector<std::string> nodes =
      absl::StrSplit(absl::GetFlag(FLAGS_redis_nodes), ',', absl::SkipEmpty());
  if (!nodes.empty()) {
    options.redis = cache::RedisOptions{.nodes = nodes,
                                        .password_file = absl::GetFlag(FLAGS_redis_password_file),
                                        .timeout = absl::GetFlag(FLAGS_redis_timeout),
                                        .connections = absl::GetFlag(FLAGS_redis_connections)};
  }
  return cache::Cache::Make(database, std::move(options));
}

// Follows the database: ready while it answers and its schema suits, once `first` held as well.
// Until then the process waits, and says for what now and then; but what waiting can not mend from
// the start ends it.
class Readiness {
 public:
  Readiness(sql::Database& database, Server& server, telemetry::Metrics& metrics,
            std::function<absl::Status()> first)
      : database_(database),
        server_(server),
        first_(std::move(first)),
        told_(metrics
                  .Gauges(telemetry::metric::kReady,
                          "1 while the database answers with a schema that suits.")
                  .With({})),
        ticker_("readiness", absl::Seconds(1), [this] { Look(); }) {
    ticker_.Wake();
  }
  void Stop() { ticker_.Stop(); }

  // Why the process can't serve, whatever comes. Call after Stop.
  const absl::Status& hopeless() const { return hopeless_; }

 private:
  static constexpr absl::Duration kTellAgain = absl::Seconds(30);

  void Look() {
    const absl::Time now = absl::Now();
    absl::Status status = database_.Ready(now + absl::Seconds(2));
    if (status.ok() && !ever_ready_) status = first_();
    if (!ever_ready_ && absl::IsFailedPrecondition(status) && hopeless_.ok()) {
      hopeless_ = status;
      kill(getpid(), SIGTERM);
    }
    ever_ready_ = ever_ready_ || status.ok();
    if (known_ && status.ok() == ready_ && (ready_ || now - last_told_ < kTellAgain)) return;
    known_ = true;
    last_told_ = now;
    ready_ = status.ok();
    server_.SetReady(ready_);
    told_.Set(ready_ ? 1 : 0);
    Log(ready_ ? Severity::kInfo : Severity::kWarning, ready_ ? "ready" : "not ready",
        {{"reason", std::string(status.message())}});
  }

  sql::Database& database_;
  Server& server_;
  const std::function<absl::Status()> first_;
  const telemetry::Gauge told_;
  bool known_ = false;
  bool ready_ = false;
  bool ever_ready_ = false;
  absl::Time last_told_;
  absl::Status hopeless_;
  PeriodicThread ticker_;
};

absl::Status Serve(const ServiceSpec& spec, const sigset_t& stop_signals) {
  RETURN_IF_ERROR(CheckFlags(spec));
  ASSIGN_OR_RETURN(const TlsSettings tls, TlsFromFlags());
  ASSIGN_OR_RETURN(auto verifier, MakeVerifier());
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_integrity_key_file), "integrity_key_file",
                          "the key that authenticates page tokens and cursors"));
  ASSIGN_OR_RETURN(std::shared_ptr<const auth::IntegrityKey> integrity,
                   For("integrity_key_file",
                       auth::IntegrityKey::FromFile(absl::GetFlag(FLAGS_integrity_key_file))));
  std::shared_ptr<crypto::CheckedKeys> keys;
  std::optional<crypto::Vault> vault;
  if (spec.encrypts) {
    RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_key_encryption_key_dir), "key_encryption_key_dir",
                            "the directory of the keys that wrap the data keys"));
    ASSIGN_OR_RETURN(std::shared_ptr<const crypto::KeyProvider> given,
                     For("key_encryption_key_dir",
                         crypto::KeyDirectory::Open(absl::GetFlag(FLAGS_key_encryption_key_dir))));
    keys = std::make_shared<crypto::CheckedKeys>(std::move(given));
    vault.emplace(keys);
  }
  ASSIGN_OR_RETURN(auto signer, MakeSigner(spec, *verifier->keys()));
  ASSIGN_OR_RETURN(const audit::HeadSigner head_signer, MakeHeadSigner(spec));
  RETURN_IF_ERROR(Require(absl::GetFlag(FLAGS_audit_anchor_dir), "audit_anchor_dir",
                          "the directory outside of the database that signed heads are kept in"));
  ASSIGN_OR_RETURN(const std::unique_ptr<audit::AnchorLog> anchors,
                   For("audit_anchor_dir",
                       audit::AnchorLog::Open(absl::GetFlag(FLAGS_audit_anchor_dir), spec.name)));
  const std::vector<std::string> audiences =
      absl::StrSplit(absl::GetFlag(FLAGS_token_audience), ',');
  auto tokens =
      std::make_shared<auth::ServiceTokenSource>(std::move(signer), spec.name, audiences.front());
  ASSIGN_OR_RETURN(const std::unique_ptr<time::Clock> development_clock,
                   MakeDevelopmentClock(*verifier));
  time::Clock& clock = development_clock != nullptr ? *development_clock : time::RealClock();
  ASSIGN_OR_RETURN(auto metrics, telemetry::Metrics::Serve(Address(
                                     absl::GetFlag(FLAGS_metrics_listen), spec.metrics_port)));
  telemetry::TellOfProcess(*metrics, RAPPORT_VERSION);
  Measure(tls, *metrics);
  ASSIGN_OR_RETURN(const std::unique_ptr<OtlpExporter> tracer, MakeTracer(spec, *metrics));
  ASSIGN_OR_RETURN(auto database, OpenDatabase(spec, *metrics));
  database = sql::Observe(std::move(database), *metrics);
  metrics->Read(telemetry::metric::kDatabaseConnections, "Open database connections.",
                [&] { return static_cast<double>(database->stats().connections); });
  metrics->Read(telemetry::metric::kDatabaseInUse, "Database connections in use.",
                [&] { return static_cast<double>(database->stats().in_use); });
  metrics->Read(telemetry::metric::kDatabaseWaiting, "Callers that wait for a connection.",
                [&] { return static_cast<double>(database->stats().waiting); });

  metrics->Gauges(telemetry::metric::kDatabaseLimit, "Most database connections that may be open.")
      .With({})
      .Set(database->engine() == sql::Engine::kSqlite
               ? static_cast<double>(database->stats().connections)
               : absl::GetFlag(FLAGS_postgres_connections) + 3);
  metrics->ReadCounter(telemetry::metric::kLogDropped,
                       "Log lines dropped because the buffer was full.",
                       [] { return static_cast<double>(telemetry::DroppedLines()); });

  std::map<std::string, std::shared_ptr<Channel>> channels;
  std::map<std::string, std::unique_ptr<call::Peer>> peers;
  for (const std::string& name : spec.peers) {
    channels[name] = std::make_shared<Channel>(
        ChannelOptions{.target = TargetOf(name),
                       .service_config = std::string(ServiceConfigOf(name)),
                       .tls = tls.peers});
    peers[name] = MakePeer(name, channels[name], tokens, *metrics);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<cache::Cache> cache,
                   MakeCache(spec, *database, integrity, *metrics));
  Process process{
      .database = cache->database(),
      .clock = clock,
      .metrics = *metrics,
      .peer = [&](absl::string_view name) -> call::Peer& { return *peers.at(std::string(name)); },
      .feed =
          [&](absl::string_view name) { return MakeFeed(channels.at(std::string(name)), tokens); },
      .vault = vault ? &*vault : nullptr,
      .cache = *cache};

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
                   .tracer = tracer.get(),
                   .clients = tls.clients,
                   .read_threads = absl::GetFlag(FLAGS_read_threads),
                   .write_threads = absl::GetFlag(FLAGS_write_threads),
                   .peer_threads = absl::GetFlag(FLAGS_peer_threads)});
  ASSIGN_OR_RETURN(
      auto server,
      Server::Start(
          {.listen = Address(absl::GetFlag(FLAGS_listen), spec.port),
           .health_listen = Address(absl::GetFlag(FLAGS_health_listen), spec.health_port),
           .reflection = absl::GetFlag(FLAGS_reflection) || verifier->keys()->all_development(),
           .tls = tls.server,
           .connection_age = absl::GetFlag(FLAGS_connection_age)},
          spec.name, registry, front));
  revocation::Watcher revoked(*database, *verifier);
  Readiness readiness(*database, *server, *metrics, [&]() -> absl::Status {
    RETURN_IF_ERROR(revoked.Look());
    if (keys == nullptr) return absl::OkStatus();
    const absl::Status status = keys->Check(*database);
    if (!absl::IsFailedPrecondition(status)) return status;
    return For("key_encryption_key_dir", absl::StatusOr<bool>(status)).status();
  });
  revoked.Start();
  feed.Start();
  anchorer.Start();
  cache->Start();
  service.start();
  std::optional<crypto::Rewrapper> rewrapper;
  if (vault) rewrapper.emplace(*database, *vault, *metrics).Start();
  work::Retention retention(*database, clock, *metrics,
                            {.events = absl::GetFlag(FLAGS_event_retention)});
  retention.Start();
  Log(Severity::kInfo, "serving",
      {{"port", absl::StrCat(server->port())},
       {"health_port", absl::StrCat(server->health_port())},
       {"metrics_port", absl::StrCat(metrics->port())},
       {"database", absl::GetFlag(FLAGS_database)}});

  int signal = 0;
  sigwait(&stop_signals, &signal);
  Log(Severity::kInfo, "draining", {{"signal", absl::StrCat(signal)}});
  readiness.Stop();
  server->Drain(
      readiness.hopeless().ok() ? absl::GetFlag(FLAGS_drain_linger) : absl::ZeroDuration(),
      absl::GetFlag(FLAGS_drain_grace));
  front.Drain();
  revoked.Stop();
  retention.Stop();
  access_log.Stop();
  service.stop();
  cache->Stop();
  feed.Stop();
  SequenceAll(*database, clock);
  anchorer.Stop();
  if (tracer != nullptr) tracer->Stop();
  metrics->StopReading();
  Log(Severity::kInfo, "stopped");
  return readiness.hopeless();
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
  // Debian builds Abseil with its search for deadlocks, which each lock of gRPC pays for.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // What protobuf has to say goes to the log as a line of it, without its text, which may be of the
  // message.
  google::protobuf::SetLogHandler(
      [](google::protobuf::LogLevel, const char* file, int line, const std::string&) {
        telemetry::Log(telemetry::Severity::kWarning, "a message is malformed",
                       {{"source", absl::StrCat(file, ":", line)}});
      });

  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) {
    return absl::StrContains(file, "common/");
  };
  absl::SetFlagsUsageConfig(usage);
  absl::SetProgramUsageMessage(absl::StrCat("Serves the ", spec.name,
                                            " service of Rapport. Each flag can also be given as ",
                                            "the environment variable RAPPORT_<FLAG>."));
  if (absl::Status status = SetFlags(argc, argv); !status.ok()) return Fail(spec, status);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) {
    return Fail(spec, absl::InvalidArgumentError(
                          absl::StrCat("'", rest[1], "' is not a flag; see --help")));
  }
  telemetry::SetService(spec.name);
  TakeLogOfGrpc();
  if (absl::Status status = telemetry::LogTo(absl::GetFlag(FLAGS_log_file)); !status.ok()) {
    return Fail(spec, absl::Status(status.code(), absl::StrCat("--log_file: ", status.message())));
  }
  const absl::Status status = Serve(spec, stop_signals);
  telemetry::Flush();
  return status.ok() ? 0 : Fail(spec, status);
}

}  // namespace rapport::rpc
