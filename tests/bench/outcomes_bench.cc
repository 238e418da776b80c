// How long GetOutcomes takes over the courses of many assessments on PostgreSQL, against the best
// single statement for each query on the same tables, under the same role and policy: medians of
// interleaved rounds, in milliseconds.
//
//   outcomes_bench [--assessments N] [--rounds N] [--json FILE]
//
// "kept away": the answer is not kept, what may be told is. "cold": neither is. "kept": both are.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/care/care.h"
#include "common/crypto/vault.h"
#include "common/work/work.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/migrations/migrations.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/outcome_handlers.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::bench {
namespace {

namespace v1 = assessment::v1;
using sql::testing::PostgresServer;

constexpr int kFormsOfCourse = 16;

#define RAPPORT_BENCH_SUMS                                                                       \
  "count(*), sum(c.completed), sum(c.under_way), sum(c.ended_before_planned),"                   \
  " sum(c.ended_before_half), sum(c.held), sum(c.missed), sum(c.cancelled_late),"                \
  " count(s.baseline), sum(s.baseline), sum(s.baseline * s.baseline), sum(s.last), sum(s.gain)," \
  " sum(s.gain * s.gain), sum(s.was_case), sum(s.responded), sum(s.at_remission_level),"         \
  " count(*) FILTER (WHERE s.reliable = 1), count(*) FILTER (WHERE s.reliable = -1)"
#define RAPPORT_BENCH_FROM                                                \
  " FROM outcome_course AS c LEFT JOIN outcome_score AS s"                \
  "  ON s.organization_id = c.organization_id AND s.instrument = 'phq-9'" \
  "  AND s.course = c.course AND s.respondent = c.respondent WHERE c.organization_id = $1"

const sql::Statement kAll{"bench.outcomes.all",
                          "SELECT c.completed, " RAPPORT_BENCH_SUMS RAPPORT_BENCH_FROM
                          " GROUP BY 1"};
const sql::Statement kByClinic{
    "bench.outcomes.by_clinic",
    "SELECT c.clinic, c.completed, " RAPPORT_BENCH_SUMS RAPPORT_BENCH_FROM " GROUP BY 1, 2"};
const sql::Statement kByProtocolAndQuarter{
    "bench.outcomes.by_protocol_and_quarter",
    "SELECT c.protocol, c.month / 3, c.completed, " RAPPORT_BENCH_SUMS RAPPORT_BENCH_FROM
    " GROUP BY 1, 2, 3"};
const sql::Statement kOfClinicByYear{
    "bench.outcomes.of_clinic_by_year",
    "SELECT c.month / 12, c.completed, " RAPPORT_BENCH_SUMS RAPPORT_BENCH_FROM
    " AND c.clinic = 'organizations/bench/clinics/c7' GROUP BY 1, 2"};

[[noreturn]] void Die(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

double Milliseconds(const std::function<void()>& work) {
  const absl::Time start = absl::Now();
  work();
  return absl::ToDoubleMilliseconds(absl::Now() - start);
}

double Median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void Load(PostgresServer& server, const std::string& database, int courses) {
  server.Admin(database,
               absl::StrCat(R"sql(
    INSERT INTO outcome_course
    SELECT 'bench', 'organizations/bench/courses/' || i, 'organizations/bench/patients/' || i,
           'organizations/bench/clinics/c' || i % 40, 'organizations/bench/clinicians/k' || i % 900,
           'protocols/p' || (CASE WHEN i % 10 < 6 THEN 0 ELSE i / 10 % 8 END), i / 7 % 6, 'Etc/UTC',
           i, 24276 + i / 11 % 36, (i % 3 = 0)::int, (i % 3 = 1)::int, 16, 5 + i % 12, i % 3, i % 2,
           (i % 3 = 2)::int, (i % 3 = 2 AND i % 2 = 0)::int
    FROM generate_series(1, )sql",
                            courses, R"sql() AS i;
    INSERT INTO outcome_score
    SELECT 'bench', instrument, 'organizations/bench/courses/' || i,
           'organizations/bench/patients/' || i, 10 + i % 14, 3 + i % 9, 7 + i % 14 - i % 9, i % 10,
           1, i % 2, (i % 5 = 0)::int, i % 3 - 1
    FROM generate_series(1, )sql",
                            courses, R"sql() AS i, unnest(ARRAY['phq-9', 'gad-7']) instrument
    WHERE i % 4 > 0)sql"));
  server.Admin(database, "VACUUM ANALYZE");
}

int Run(int assessments, int rounds, const std::string& json_path) {
  PostgresServer& server = PostgresServer::Shared();
  const std::vector<sql::Component> components = {care::Migrations(), work::Migrations(),
                                                  crypto::Migrations(), assessment::Migrations()};
  const sql::PostgresOptions options = server.NewDatabase(components);
  Load(server, options.name, assessments / kFormsOfCourse);
  auto opened = sql::OpenPostgres(options, components);
  if (!opened.ok()) Die(opened.status());
  sql::Database& database = **opened;
  const assessment::Catalogues catalogues(assessment::ShippedInstruments());
  const std::shared_ptr<const auth::IntegrityKey> integrity =
      *auth::IntegrityKey::Parse(std::string(64, '7') + "\n");

  auto principal = std::make_shared<auth::Principal>();
  principal->subject = "analyst";
  principal->organization_id = "bench";
  principal->roles = {"analyst"};
  call::CallContext context;
  context.principal = principal;
  context.organization_id = "bench";
  context.method = "bench";
  context.integrity = integrity;
  context.now = absl::UnixEpoch();

  struct Query {
    const char* name;
    const sql::Statement& statement;
    std::vector<v1::OutcomeDimension> dimensions;
    const char* clinic;
  };
  const Query queries[] = {
      {"all", kAll, {}, ""},
      {"by clinic", kByClinic, {v1::OUTCOME_DIMENSION_CLINIC}, ""},
      {"by protocol and quarter",
       kByProtocolAndQuarter,
       {v1::OUTCOME_DIMENSION_PROTOCOL, v1::OUTCOME_DIMENSION_QUARTER},
       ""},
      {"of a clinic by year",
       kOfClinicByYear,
       {v1::OUTCOME_DIMENSION_YEAR},
       "organizations/bench/clinics/c7"},
  };
  std::string json = absl::StrCat("{\"assessments\": ", assessments, ", \"queries\": [");
  std::printf("%-26s %10s %10s %8s %10s %10s\n", "query", "statement", "kept away", "times", "cold",
              "kept");
  for (const Query& query : queries) {
    v1::GetOutcomesRequest request;
    request.set_parent("organizations/bench");
    request.set_instrument("phq-9");
    request.set_page_size(500);
    for (const auto dimension : query.dimensions) request.add_dimensions(dimension);
    request.set_clinic(query.clinic);

    assessment::OutcomeHandlers handlers(database, catalogues);
    const auto ask = [&](assessment::OutcomeHandlers& of, const v1::GetOutcomesRequest& what) {
      context.deadline = absl::Now() + absl::Seconds(60);
      const auto got = of.GetOutcomes(context, what);
      if (!got.ok()) Die(got.status());
    };
    const auto statement = [&] {
      const absl::Status read =
          database.Read(sql::Access::Tenant("bench"), absl::Now() + absl::Seconds(60),
                        [&](sql::Session& session) {
                          return session.Query(query.statement, {sql::Text("bench")}).status();
                        });
      if (!read.ok()) Die(read);
    };
    std::vector<double> bare;
    std::vector<double> kept_away;
    std::vector<double> cold;
    std::vector<double> kept;
    ask(handlers, request);
    statement();
    for (int round = 0; round < rounds; ++round) {
      // A window that holds all courses, another each time.
      v1::GetOutcomesRequest another = request;
      another.mutable_start_date()->set_year(1900 + round);
      another.mutable_start_date()->set_month(1);
      another.mutable_start_date()->set_day(1);
      bare.push_back(Milliseconds(statement));
      kept_away.push_back(Milliseconds([&] { ask(handlers, another); }));
      kept.push_back(Milliseconds([&] { ask(handlers, request); }));
      assessment::OutcomeHandlers fresh(database, catalogues);
      cold.push_back(Milliseconds([&] { ask(fresh, request); }));
    }
    std::printf("%-26s %10.1f %10.1f %8.2f %10.1f %10.3f\n", query.name, Median(bare),
                Median(kept_away), Median(kept_away) / Median(bare), Median(cold), Median(kept));
    absl::StrAppend(&json, json.back() == '[' ? "" : ", ", "{\"name\": \"", query.name,
                    "\", \"statement_ms\": ", Median(bare),
                    ", \"uncached_ms\": ", Median(kept_away),
                    ", \"ratio\": ", Median(kept_away) / Median(bare),
                    ", \"cold_ms\": ", Median(cold), ", \"cached_ms\": ", Median(kept), "}");
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "]}\n";
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int assessments = 1'000'000;
  int rounds = 9;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--assessments") == 0) assessments = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  return rapport::bench::Run(assessments, rounds, json);
}
