#include "tests/support/postgres/postgres_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>

#include <openssl/sha.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/ids/ulid.h"

namespace rapport::sql::testing {
namespace {

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "PostgreSQL for tests: %s\n", std::string(what).c_str());
  std::abort();
}

// Starts a server whose script waits on a pipe of ours: it stops when this process is gone.
std::string StartPrivate() {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) Die("no pipe");
  const pid_t child = fork();
  if (child < 0) Die("no process");
  if (child == 0) {
    setsid();  // a Ctrl-C for the test must not reach the script before the pipe ends
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl(RAPPORT_POSTGRES_SCRIPT, RAPPORT_POSTGRES_SCRIPT, "run", nullptr);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  std::string line;
  for (char next; read(out[0], &next, 1) == 1 && next != '\n';) line.push_back(next);
  close(out[0]);
  if (line.empty()) Die("it did not start; see above");
  return line;  // in[1] stays open as long as we live
}

std::string FindServer() {
  if (const char* line = std::getenv("RAPPORT_TEST_POSTGRES"); line != nullptr && *line)
    return line;
  if (const char* path = std::getenv("RAPPORT_TEST_POSTGRES_FILE"); path != nullptr) {
    std::ifstream file(path);
    std::string line;
    if (std::getline(file, line) && !line.empty()) return line;
    Die(absl::StrCat(path, " names no server; run through ctest, or without the variable"));
  }
  return StartPrivate();
}

std::string TemplateName(const std::vector<Component>& components) {
  std::string text;
  for (const Component& component : components) {
    for (const Migration& step : component.postgres) {
      absl::StrAppend(&text, component.name, "\n", step.version, "\n", step.sql, "\n");
    }
  }
  for (const Migration& step : Foundation().postgres) absl::StrAppend(&text, step.sql);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::StrCat("template_", absl::BytesToHexString(absl::string_view(
                                       reinterpret_cast<const char*>(digest), 10)));
}

using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;

std::vector<std::string> Run(PGconn* connection, const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection, sql.c_str()),
                                                              PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    Die(absl::StrCat(sql, ": ", PQerrorMessage(connection)));
  }
  std::vector<std::string> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    rows.emplace_back(PQgetvalue(result.get(), row, 0));
  }
  return rows;
}

Connection Connect(const std::string& host, int port, const std::string& user,
                   const std::string& database) {
  Connection connection(
      PQconnectdb(absl::StrCat("host=", host, " port=", port, " user=", user, " dbname=", database)
                      .c_str()),
      PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) Die(PQerrorMessage(connection.get()));
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

}  // namespace

PostgresServer& PostgresServer::Shared() {
  static auto& server = *[] {
    auto* made = new PostgresServer(FindServer());
    std::atexit([] { Shared().DropAll(); });
    return made;
  }();
  return server;
}

PostgresServer::PostgresServer(const std::string& line) {
  std::map<std::string, std::string> settings;
  for (absl::string_view setting : absl::StrSplit(line, ' ', absl::SkipWhitespace())) {
    settings.insert(absl::StrSplit(setting, absl::MaxSplits('=', 1)));
  }
  host_ = settings["host"];
  superuser_ = settings["superuser"];
  if (!absl::SimpleAtoi(settings["port"], &port_)) Die(absl::StrCat("no port in: ", line));
}

PostgresOptions PostgresServer::Options(const std::string& name) const {
  PostgresOptions options;
  options.host = host_;
  options.port = port_;
  options.name = name;
  options.allow_unsafe_durability = true;  // a server for tests does without fsync
  return options;
}

PostgresOptions PostgresServer::AsOwner(PostgresOptions database) {
  database.user = "rapport_owner";
  return database;
}

std::vector<std::string> PostgresServer::Admin(const std::string& name, const std::string& sql) {
  return Run(Connect(host_, port_, superuser_, name).get(), sql);
}

std::string PostgresServer::NewName() {
  const std::string name = absl::StrCat("test_", absl::AsciiStrToLower(ids::NewUlid()));
  MutexLock lock(mutex_);
  created_.insert(name);
  return name;
}

PostgresOptions PostgresServer::NewDatabase(const std::vector<Component>& components) {
  const std::string model = TemplateName(components);
  {
    MutexLock lock(mutex_);
    if (templates_.insert(model).second) MakeTemplate(model, components);
  }
  const std::string name = NewName();
  Admin("postgres",
        absl::StrCat("CREATE DATABASE ", name, " TEMPLATE ", model, " OWNER rapport_owner"));
  return Options(name);
}

PostgresOptions PostgresServer::NewEmptyDatabase() {
  NewDatabase();  // makes the roles
  const std::string name = NewName();
  Admin("postgres", absl::StrCat("CREATE DATABASE ", name, " OWNER rapport_owner"));
  return Options(name);
}

void PostgresServer::Drop(const PostgresOptions& database) {
  Admin("postgres", absl::StrCat("DROP DATABASE IF EXISTS ", database.name, " WITH (FORCE)"));
  MutexLock lock(mutex_);
  created_.erase(database.name);
}

void PostgresServer::DropAll() {
  std::set<std::string> names;
  {
    MutexLock lock(mutex_);
    names = created_;
  }
  for (const std::string& name : names) Drop(Options(name));
}

void PostgresServer::MakeTemplate(const std::string& name,
                                  const std::vector<Component>& components) {
  const Connection admin = Connect(host_, port_, superuser_, "postgres");
  // Test processes run in parallel; the lock goes with the connection.
  Run(admin.get(), "SELECT pg_advisory_lock(7401)");
  if (Run(admin.get(), "SELECT 1 FROM pg_roles WHERE rolname = 'rapport_owner'").empty()) {
    Run(admin.get(), "CREATE ROLE rapport_owner LOGIN CREATEROLE");
  }
  if (!Run(admin.get(), absl::StrCat("SELECT 1 FROM pg_database WHERE datname = '", name, "'"))
           .empty()) {
    return;
  }
  const std::string unready = absl::StrCat(name, "_unready");
  Run(admin.get(), absl::StrCat("DROP DATABASE IF EXISTS ", unready, " WITH (FORCE)"));
  Run(admin.get(), absl::StrCat("CREATE DATABASE ", unready, " OWNER rapport_owner"));
  const absl::Status status =
      MigratePostgres({.database = AsOwner(Options(unready)), .components = components});
  if (!status.ok()) Die(status.ToString());
  Run(admin.get(), absl::StrCat("ALTER DATABASE ", unready, " RENAME TO ", name));
}

}  // namespace rapport::sql::testing
