#ifndef RAPPORT_TESTS_CONFORMANCE_SCHEMA_SCHEMA_H_
#define RAPPORT_TESTS_CONFORMANCE_SCHEMA_SCHEMA_H_

#include <set>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "common/sql/database.h"
#include "common/sql/migrations.h"

// What is tested of each service's whole schema and all of its statements: one program a service.
namespace rapport::sql::testing {

// Defined for each service.
const char* ServiceName();
std::vector<Component> ServiceComponents();
// Tables of which a network's clinics have as many rows as sessions, or more.
std::set<std::string> LargeTables();
// Statements that may read a table from end to end, each with its reason.
std::set<std::string> ColdStatements();

// A statement as text: of the catalogue, or of an earlier release's.
struct StatementText {
  std::string name;
  Reach reach;
  std::string sql;
};
std::vector<StatementText> Catalogue();

// A connection as the superuser, who may take any role.
class Connection {
 public:
  Connection(const PostgresOptions& database);
  ~Connection() { PQfinish(connection_); }

  // The rows, cells apart by '|'. Fails the test.
  std::vector<std::string> Run(const std::string& sql);
  // The plan that the role of `statement` gets for it, whatever its parameters; an error otherwise.
  absl::StatusOr<std::vector<std::string>> Explain(const StatementText& statement);

 private:
  PGconn* connection_;
};

}  // namespace rapport::sql::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_SCHEMA_SCHEMA_H_
