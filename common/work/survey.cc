#include "common/work/survey.h"

#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::work {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);  // for a transaction, real clock

const sql::Statement kOrganizations{"survey.organizations", R"sql(
  SELECT organization_id FROM organization ORDER BY organization_id)sql",
                                    sql::Reach::kFeed};

}  // namespace

Survey::Survey(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
               std::vector<Figure> figures, Look look)
    : database_(database),
      clock_(clock),
      look_(std::move(look)),
      last_(absl::ToUnixMicros(absl::Now())) {
  for (const Figure& figure : figures) {
    const auto family = metrics.Gauges(figure.metric, figure.help, figure.labels);
    for (const Tally::Labels& labels : figure.values) {
      const std::vector<absl::string_view> views(labels.begin(), labels.end());
      told_.push_back({figure.metric, labels, family.With(absl::MakeConstSpan(views))});
    }
  }
  metrics.Read(telemetry::metric::kSurveyAge,
               "How long ago what care waits for was last counted in all organisations.", [this] {
                 return absl::ToDoubleSeconds(absl::Now() - absl::FromUnixMicros(last_.load()));
               });
}

void Survey::Start(absl::Duration period) {
  thread_ = std::make_unique<PeriodicThread>("survey", period, [this, failing = false]() mutable {
    const absl::Time begun = absl::Now();
    if (begun < next_round_) return;
    const absl::Status status = RunOnce();
    next_round_ = absl::Now() + 20 * (absl::Now() - begun);
    if (!status.ok() && !failing) {
      telemetry::Log(telemetry::Severity::kWarning, "what care waits for can't be counted now",
                     {{"code", absl::StatusCodeToString(status.code())}});
    }
    failing = !status.ok();
  });
}

void Survey::Stop() { thread_.reset(); }

absl::Status Survey::RunOnce() {
  std::vector<std::string> organizations;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kOrganizations, {}));
        for (size_t row = 0; row < rows.rows(); ++row) {
          organizations.push_back(rows.Text(row, 0));
        }
        return absl::OkStatus();
      }));
  const absl::Time now = clock_.Now();
  Tally tally;
  for (const std::string& organization_id : organizations) {
    RETURN_IF_ERROR(database_.Read(
        sql::Access::Tenant(organization_id), absl::Now() + kPatience,
        [&](sql::Session& session) { return look_(session, organization_id, now, tally); }));
  }
  for (const Told& told : told_) told.gauge.Set(tally.Get(told.metric, told.labels));
  last_ = absl::ToUnixMicros(absl::Now());
  return absl::OkStatus();
}

}  // namespace rapport::work
