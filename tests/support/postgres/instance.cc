#include "tests/support/postgres/instance.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <libpq-fe.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rapport::sql::testing {
namespace {

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "PostgreSQL instance: %s\n", std::string(what).c_str());
  std::abort();
}

}  // namespace

int FreeLoopbackPort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof address;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Die("no free port");
  }
  close(descriptor);
  return ntohs(address.sin_port);
}

Instance::Instance(std::string host, int port)
    : host_(std::move(host)), port_(port), guard_({RAPPORT_INSTANCE_SCRIPT, "guard"}) {
  Command({"init", folder()});
}

Instance::Instance(std::string host, const Instance& primary, const std::string& name)
    : host_(std::move(host)), port_(primary.port()), guard_({RAPPORT_INSTANCE_SCRIPT, "guard"}) {
  Command({"clone", folder(), primary.host(), absl::StrCat(primary.port()), name});
}

void Instance::Command(std::vector<std::string> words) const {
  words.insert(words.begin(), RAPPORT_INSTANCE_SCRIPT);
  if (RunScript(words) != 0) Die(absl::StrCat(words[1], " failed; see above"));
}

void Instance::Start(const Settings& settings) {
  std::vector<std::string> words = {"start", folder(), host_, absl::StrCat(port_)};
  words.insert(words.end(), settings.begin(), settings.end());
  Command(std::move(words));
}

void Instance::Stop(const std::string& mode) { Command({"stop", folder(), mode}); }

void Instance::Promote() { Command({"promote", folder()}); }

PostgresOptions Instance::MakeDatabase(const std::vector<Component>& components) {
  Admin("postgres", "CREATE ROLE rapport_owner LOGIN CREATEROLE");
  Admin("postgres", "CREATE DATABASE rapport OWNER rapport_owner");
  PostgresOptions options;
  options.host = host_;
  options.port = port_;
  options.name = "rapport";
  PostgresOptions owner = options;
  owner.user = "rapport_owner";
  const absl::Status status = MigratePostgres({.database = owner, .components = components});
  if (!status.ok()) Die(status.ToString());
  return options;
}

std::vector<std::string> Instance::Admin(const std::string& database,
                                         const std::string& sql) const {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(
      PQconnectdb(absl::StrCat("host=", host_, " port=", port_, " user=postgres dbname=", database)
                      .c_str()),
      PQfinish);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()),
                                                              PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    Die(absl::StrCat(sql, ": ", PQerrorMessage(connection.get())));
  }
  std::vector<std::string> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    rows.emplace_back(PQgetvalue(result.get(), row, 0));
  }
  return rows;
}

PgBouncer::PgBouncer(const std::string& host, int port, int pool_size)
    : script_(
          {RAPPORT_PGBOUNCER_SCRIPT, "run", host, absl::StrCat(port), absl::StrCat(pool_size)}) {
  absl::string_view line = script_.line();
  if (!absl::ConsumePrefix(&line, "port=") || !absl::SimpleAtoi(line, &port_)) {
    Die("PgBouncer did not start");
  }
}

}  // namespace rapport::sql::testing
