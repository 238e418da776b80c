#ifndef RAPPORT_TESTS_SUPPORT_POSTGRES_POSTGRES_SERVER_H_
#define RAPPORT_TESTS_SUPPORT_POSTGRES_POSTGRES_SERVER_H_

#include <set>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "common/concurrency/mutex.h"
#include "common/sql/migrations.h"

namespace rapport::sql::testing {

// A PostgreSQL 15 on loopback that trusts everyone. Aborts the test where it can't be had.
// Thread-safe.
class PostgresServer {
 public:
  // The one named by RAPPORT_TEST_POSTGRES ("host=… port=… superuser=…"), or by the file named by
  // RAPPORT_TEST_POSTGRES_FILE, which ctest's fixture writes; else a private one that ends with
  // this process, however it dies.
  static PostgresServer& Shared();

  // A fresh database with the foundation and `components`, copied from a template that is migrated
  // once a server. Its owner is rapport_owner. Dropped at the end of the process, or by Drop().
  PostgresOptions NewDatabase(const std::vector<Component>& components = {});

  // A database without any table.
  PostgresOptions NewEmptyDatabase();

  void Drop(const PostgresOptions& database);

  // `database` as its owner sees it, for migrating.
  static PostgresOptions AsOwner(PostgresOptions database);

  // Runs `sql` in database `name` as the superuser, whom no policy holds. The last statement's
  // first column, one row a string.
  std::vector<std::string> Admin(const std::string& name, const std::string& sql);

  const std::string& host() const { return host_; }
  int port() const { return port_; }

 private:
  explicit PostgresServer(const std::string& line);

  PostgresOptions Options(const std::string& name) const;
  std::string NewName();
  void MakeTemplate(const std::string& name, const std::vector<Component>& components);
  void DropAll();

  std::string host_;
  int port_ = 0;
  std::string superuser_;
  Mutex mutex_;
  std::set<std::string> created_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> templates_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_SUPPORT_POSTGRES_POSTGRES_SERVER_H_
