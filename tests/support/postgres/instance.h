#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_INSTANCE_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_INSTANCE_H_

#include <memory>
#include <string>
#include <vector>

#include "common/sql/migrations.h"
#include "tests/support/postgres/guarded_script.h"

namespace rapport::sql::testing {

// A loopback port that nobody listens on, at any of the addresses 127.0.0.x.
int FreeLoopbackPort();

// A PostgreSQL of a test's own, to crash, copy and promote; durable, unless its settings say
// otherwise. Its files go with this object. Aborts the test where a command fails.
class Instance {
 public:
  using Settings = std::vector<std::string>;  // "max_connections=10"

  // An empty cluster, to be served at `host`:`port`.
  Instance(std::string host, int port);
  // A standby of `primary`, which runs; known to it as `name`.
  Instance(std::string host, const Instance& primary, const std::string& name);

  void Start(const Settings& settings = {});
  void Stop(const std::string& mode = "immediate");
  void Promote();

  // The roles, a database with `components`, and how a service connects to it.
  PostgresOptions MakeDatabase(const std::vector<Component>& components);

  // As the superuser; the last statement's first column.
  std::vector<std::string> Admin(const std::string& database, const std::string& sql) const;

  const std::string& host() const { return host_; }
  int port() const { return port_; }
  const std::string& folder() const { return guard_.line(); }

 private:
  void Command(std::vector<std::string> words) const;

  const std::string host_;
  const int port_;
  GuardedScript guard_;
};

// A PgBouncer in transaction mode in front of a server.
class PgBouncer {
 public:
  PgBouncer(const std::string& host, int port, int pool_size);
  int port() const { return port_; }

 private:
  GuardedScript script_;
  int port_ = 0;
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_INSTANCE_H_
