#include "tests/integration/suite/suite.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/development_keys.h"
#include "common/auth/signer.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/work/work.h"
#include "services/assessment/migrations/migrations.h"
#include "services/notes/migrations/migrations.h"
#include "services/scheduling/migrations/migrations.h"
#include "tests/integration/suite/health.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::testing {
namespace {

// A free port below those that the kernel gives to outgoing connections, so that none of them takes
// it before, or while, its service restarts. Starts at a place of this process's own.
int FreePort() {
  static int next = 10000 + (getpid() * 37) % 20000;
  while (true) {
    next = next >= 30000 ? 10000 : next + 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(next));
    const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(fd);
    if (free) return next;
  }
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Starts a program that dies with this process; its standard error goes to `error_path` if given.
pid_t Spawn(const std::vector<std::string>& arguments, const std::string& error_path = "") {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // Other threads may have held locks at the fork: only system calls from here.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!error_path.empty()) {
    dup2(open(error_path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600), STDERR_FILENO);
  }
  execv(argv[0], argv.data());
  _exit(127);
}

std::vector<sql::Component> ComponentsOf(const std::string& service) {
  if (service == "scheduling") return {work::Migrations(), scheduling::Migrations()};
  if (service == "assessment") {
    return {care::Migrations(), work::Migrations(), crypto::Migrations(), assessment::Migrations()};
  }
  return {care::Migrations(), work::Migrations(), crypto::Migrations(), notes::Migrations()};
}

std::string Address(int port) { return absl::StrCat("127.0.0.1:", port); }

}  // namespace

const std::vector<std::string>& Suite::Services() {
  static const auto* const services =
      new std::vector<std::string>{"scheduling", "assessment", "notes"};
  return *services;
}

Suite::Suite(sql::Engine engine) : engine_(engine) {
  const absl::Status keys = auth::WriteDevelopmentKeys(keys_dir());
  EXPECT_TRUE(keys.ok()) << keys;
  std::ofstream(clock_file()) << "2026-01-01T00:00:00Z";
  for (const std::string& service : Services()) {
    ports_[service] = FreePort();
    health_ports_[service] = FreePort();
    if (engine_ == sql::Engine::kSqlite) {
      database_flags_[service] = {absl::StrCat("--data_dir=", dir_.File("data"))};
    } else {
      const sql::PostgresOptions database =
          sql::testing::PostgresServer::Shared().NewDatabase(ComponentsOf(service));
      database_flags_[service] = {"--database=postgres",
                                  absl::StrCat("--postgres_host=", database.host),
                                  absl::StrCat("--postgres_port=", database.port),
                                  absl::StrCat("--postgres_name=", database.name),
                                  "--postgres_connections=6",
                                  "--allow_unsafe_durability"};
    }
  }
  targets_ = {.scheduling = Address(ports_["scheduling"]),
              .assessment = Address(ports_["assessment"]),
              .notes = Address(ports_["notes"])};
}

Suite::~Suite() {
  while (!pids_.empty()) Kill(std::string(pids_.begin()->first));
}

std::vector<std::string> Suite::Arguments(const std::string& service) const {
  std::vector<std::string> arguments = {
      absl::StrCat(RAPPORT_BINARIES, "/rapport-", service),
      absl::StrCat("--listen=", Address(ports_.at(service))),
      absl::StrCat("--health_listen=", Address(health_ports_.at(service))),
      "--metrics_listen=127.0.0.1:0",
      absl::StrCat("--log_file=", dir_.File(service + ".log")),
      absl::StrCat("--jwks_file=", keys_dir(), "/jwks.json"),
      "--token_issuer=rapport-development",
      absl::StrCat("--service_key_file=", keys_dir(), "/service-", service, ".pem"),
      absl::StrCat("--integrity_key_file=", keys_dir(), "/integrity.key"),
      absl::StrCat("--audit_key_file=", keys_dir(), "/audit-", service, ".pem"),
      absl::StrCat("--audit_jwks_file=", keys_dir(), "/audit-jwks.json"),
      absl::StrCat("--audit_anchor_dir=", dir_.File("anchors")),
      absl::StrCat("--key_encryption_key_dir=", keys_dir(), "/encryption-", service),
      absl::StrCat("--development_clock_file=", clock_file()),
      "--drain_linger=0s",
      absl::StrCat("--scheduling_target=", targets_.scheduling),
      absl::StrCat("--assessment_target=", targets_.assessment),
      absl::StrCat("--notes_target=", targets_.notes)};
  const auto& database = database_flags_.at(service);
  arguments.insert(arguments.end(), database.begin(), database.end());
  return arguments;
}

void Suite::StartAll() {
  for (const std::string& service : Services()) Start(service);
  for (const std::string& service : Services()) AwaitReady(service);
}

void Suite::Start(const std::string& service) { StartWith(service, Arguments(service)); }

void Suite::StartWith(const std::string& service, const std::vector<std::string>& arguments) {
  pids_[service] = Spawn(arguments, dir_.File(service + ".err"));
}

std::string Suite::StartReplica(const std::string& service, const std::string& replica) {
  if (!ports_.contains(replica)) {
    ports_[replica] = FreePort();
    health_ports_[replica] = FreePort();
  }
  std::vector<std::string> arguments = Arguments(service);
  // The last of a flag counts.
  arguments.push_back(absl::StrCat("--listen=", Address(ports_[replica])));
  arguments.push_back(absl::StrCat("--health_listen=", Address(health_ports_[replica])));
  arguments.push_back(absl::StrCat("--log_file=", dir_.File(replica + ".log")));
  StartWith(replica, arguments);
  return Address(ports_[replica]);
}

void Suite::AwaitReady(const std::string& service) {
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  // A replica is known to health by its service's name.
  while (!IsServing(Address(health_ports_.at(service)), service.substr(0, service.find('-')))) {
    int status = 0;
    const bool ended = waitpid(pids_.at(service), &status, WNOHANG) != 0;
    if (ended) pids_.erase(service);
    ASSERT_FALSE(ended) << service << " ended: " << Read(dir_.File(service + ".err"));
    ASSERT_LT(absl::Now(), give_up) << service << " is not ready: " << LogOf(service);
  }
}

void Suite::Kill(const std::string& service) {
  kill(pids_.at(service), SIGKILL);
  waitpid(pids_.at(service), nullptr, 0);
  pids_.erase(service);
}

int Suite::Terminate(const std::string& service) {
  kill(pids_.at(service), SIGTERM);
  int status = 0;
  waitpid(pids_.at(service), &status, 0);
  pids_.erase(service);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::unique_ptr<ctl::GrpcCaller> Suite::NewCaller(absl::Duration patience) const {
  auto signer = auth::TokenSigner::FromPemFile(absl::StrCat(keys_dir(), "/user.pem"));
  EXPECT_TRUE(signer.ok()) << signer.status();
  return std::make_unique<ctl::GrpcCaller>(targets_, *std::move(signer), patience);
}

std::string Suite::LogOf(const std::string& service) const {
  return Read(dir_.File(service + ".log"));
}

Ended RunToEnd(const std::vector<std::string>& arguments) {
  TempDir dir;
  const pid_t pid = Spawn(arguments, dir.File("err"));
  const absl::Time give_up = absl::Now() + absl::Seconds(30);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (absl::Now() > give_up) kill(pid, SIGKILL);
    absl::SleepFor(absl::Milliseconds(5));
  }
  return {.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .error_text = Read(dir.File("err"))};
}

}  // namespace rapport::testing
