#include "tests/bench/openings_sql.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::bench {
namespace {

using sql::testing::PostgresServer;

void Want(bool holds, PGconn* connection) {
  if (holds) return;
  std::fprintf(stderr, "PostgreSQL: %s", PQerrorMessage(connection));
  std::exit(1);
}

std::string Multirange(const std::vector<std::pair<int64_t, int64_t>>& stretches) {
  return absl::StrCat("{",
                      absl::StrJoin(stretches, ",",
                                    [](std::string* out, const auto& stretch) {
                                      absl::StrAppend(out, "[", stretch.first, ",", stretch.second,
                                                      ")");
                                    }),
                      "}");
}

}  // namespace

OpeningsSql::OpeningsSql(const std::vector<SqlClinician>& clinicians) {
  PostgresServer& server = PostgresServer::Shared();
  const sql::PostgresOptions database = PostgresServer::AsOwner(server.NewEmptyDatabase());
  server.Admin(database.name,
               "CREATE TABLE clinician (id TEXT PRIMARY KEY, protocols TEXT[] NOT NULL, "
               "modalities TEXT[] NOT NULL, open INT8MULTIRANGE NOT NULL, "
               "busy INT8MULTIRANGE NOT NULL); GRANT ALL ON clinician TO PUBLIC");
  connection_ = PQconnectdb(absl::StrCat("host=", database.host, " port=", database.port,
                                         " dbname=", database.name, " user=", database.user)
                                .c_str());
  Want(PQstatus(connection_) == CONNECTION_OK, connection_);
  PGresult* copy = PQexec(connection_, "COPY clinician FROM STDIN");
  Want(PQresultStatus(copy) == PGRES_COPY_IN, connection_);
  PQclear(copy);
  for (const SqlClinician& clinician : clinicians) {
    const std::string row =
        absl::StrCat(clinician.id, "\t{", absl::StrJoin(clinician.protocols, ","), "}\t{",
                     absl::StrJoin(clinician.modalities, ","), "}\t", Multirange(clinician.open),
                     "\t", Multirange(clinician.busy), "\n");
    Want(PQputCopyData(connection_, row.data(), static_cast<int>(row.size())) == 1, connection_);
  }
  Want(PQputCopyEnd(connection_, nullptr) == 1, connection_);
  while (PGresult* result = PQgetResult(connection_)) {
    Want(PQresultStatus(result) == PGRES_COMMAND_OK, connection_);
    PQclear(result);
  }
  server.Admin(database.name, "VACUUM ANALYZE clinician");
}

OpeningsSql::~OpeningsSql() { PQfinish(connection_); }

int OpeningsSql::Search(int64_t from, int64_t to, int minutes, const std::string& protocol,
                        const std::string& modality) const {
  const std::string numbers[] = {absl::StrCat(from), absl::StrCat(to), absl::StrCat(minutes)};
  const char* const values[] = {numbers[0].c_str(), numbers[1].c_str(), numbers[2].c_str(),
                                protocol.c_str(), modality.c_str()};
  PGresult* found =
      PQexecParams(connection_,
                   "SELECT c.id, lower(free) FROM clinician AS c, "
                   "LATERAL unnest(c.open * int8multirange(int8range($1, $2)) - c.busy) AS free "
                   "WHERE $4 = ANY (c.protocols) AND $5 = ANY (c.modalities) "
                   "AND upper(free) - lower(free) >= $3::bigint "
                   "ORDER BY lower(free), c.id LIMIT 50",
                   5, nullptr, values, nullptr, nullptr, 0);
  Want(PQresultStatus(found) == PGRES_TUPLES_OK, connection_);
  const int rows = PQntuples(found);
  PQclear(found);
  return rows;
}

}  // namespace rapport::bench
