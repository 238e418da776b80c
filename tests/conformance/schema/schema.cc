#include "tests/conformance/schema/schema.h"

#include <memory>

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rapport::sql::testing {
namespace {

using ResultHandle = std::unique_ptr<PGresult, void (*)(PGresult*)>;

std::vector<std::string> Rows(const PGresult* result) {
  std::vector<std::string> rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    std::vector<std::string> cells;
    for (int column = 0; column < PQnfields(result); ++column) {
      cells.push_back(PQgetvalue(result, row, column));
    }
    rows.push_back(absl::StrJoin(cells, "|"));
  }
  return rows;
}

}  // namespace

std::vector<StatementText> Catalogue() {
  bool works = false;
  for (const Component& component : ServiceComponents()) works |= component.name == "work";
  std::vector<StatementText> statements;
  for (const Statement* statement : Statement::Catalogue()) {
    // Linked with retention, and asked by nobody where there is no table for it.
    if (!works && absl::StartsWith(statement->name(), "work.")) continue;
    statements.push_back({statement->name(), statement->reach(), statement->sql()});
  }
  return statements;
}

Connection::Connection(const PostgresOptions& database)
    : connection_(PQconnectdb(absl::StrCat("host=", database.host, " port=", database.port,
                                           " user=postgres dbname=", database.name)
                                  .c_str())) {
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
}

std::vector<std::string> Connection::Run(const std::string& sql) {
  const ResultHandle result(PQexec(connection_, sql.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
      << sql << ": " << PQerrorMessage(connection_);
  return Rows(result.get());
}

absl::StatusOr<std::vector<std::string>> Connection::Explain(const StatementText& statement) {
  const auto failed = [&] {
    const absl::Status status =
        absl::InternalError(absl::StrCat(statement.name, ": ", PQerrorMessage(connection_)));
    Run("ROLLBACK");
    return status;
  };
  Run("ROLLBACK; BEGIN; SET LOCAL plan_cache_mode = force_generic_plan");
  if (statement.reach != Reach::kSchema) {
    Run(absl::StrCat("SET LOCAL ROLE ",
                     statement.reach == Reach::kTenant ? "rapport_app" : "rapport_feed",
                     "; SET LOCAL app.tenant = 'org1'"));
  }
  Run("DEALLOCATE ALL");
  if (ResultHandle prepared(PQprepare(connection_, "s", statement.sql.c_str(), 0, nullptr),
                            PQclear);
      PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) {
    return failed();
  }
  const ResultHandle described(PQdescribePrepared(connection_, "s"), PQclear);
  const std::vector<std::string> nulls(static_cast<size_t>(PQnparams(described.get())), "NULL");
  const std::string arguments =
      nulls.empty() ? "" : absl::StrCat("(", absl::StrJoin(nulls, ", "), ")");
  const ResultHandle plan(PQexec(connection_, absl::StrCat("EXPLAIN EXECUTE s", arguments).c_str()),
                          PQclear);
  if (PQresultStatus(plan.get()) != PGRES_TUPLES_OK) return failed();
  std::vector<std::string> rows = Rows(plan.get());
  Run("ROLLBACK");
  return rows;
}

}  // namespace rapport::sql::testing
