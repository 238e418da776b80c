#include "common/work/retention.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/compaction.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::work {
namespace {

const sql::Statement kOrganizations{"retention.organizations", R"sql(
  SELECT organization_id FROM organization WHERE organization_id > $1
  ORDER BY organization_id LIMIT $2)sql",
                                    sql::Reach::kFeed};

const sql::Statement kForgetRequests{"retention.idempotency", R"sql(
  DELETE FROM idempotency WHERE organization_id = $1 AND (principal, method, request_id) IN (
    SELECT old.principal, old.method, old.request_id FROM idempotency AS old
    WHERE old.organization_id = $1 AND old.create_time < $2
    ORDER BY old.create_time LIMIT $3) AND create_time < $2)sql"};

constexpr int kPage = 200;
constexpr absl::Duration kPatience = absl::Seconds(10);
// As common/call keeps them.
constexpr absl::Duration kRequestsKept = absl::Hours(24 * 7);

}  // namespace

Retention::Retention(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics,
                     Options options)
    : database_(database),
      clock_(clock),
      options_(options),
      dropped_(metrics.Counters(telemetry::metric::kRetentionDropped,
                                "Rows and log positions that retention has gone over.",
                                {"table"})) {}

Retention::~Retention() { Stop(); }

void Retention::Start() {
  thread_ = std::make_unique<PeriodicThread>(
      "retention", options_.period, [this, failing = false]() mutable {
        const absl::Status status = RunOnce().status();
        if (!status.ok() && !failing) {
          telemetry::Log(telemetry::Severity::kWarning, "retention can't run now",
                         {{"reason", errors::Reason(status)}});
        }
        failing = !status.ok();
      });
}

void Retention::Stop() {
  stopping_ = true;
  thread_.reset();
  stopping_ = false;
}

absl::StatusOr<Retention::Dropped> Retention::RunOnce() {
  Dropped dropped;
  ASSIGN_OR_RETURN(dropped.idempotency, ForgetRequests(absl::Now() - kRequestsKept));
  const absl::Time keep_since = clock_.Now() - options_.events;
  for (int64_t gone = 1; gone > 0 && !stopping_; dropped.event_positions += gone) {
    ASSIGN_OR_RETURN(gone, events::CompactOnce(database_, keep_since, options_.batch));
    dropped_.With({"event"}).Increment(static_cast<double>(gone));
  }
  return dropped;
}

absl::StatusOr<int64_t> Retention::ForgetRequests(absl::Time before) {
  int64_t forgotten = 0;
  std::string after;
  for (size_t found = kPage; found == kPage && !stopping_;) {
    std::vector<std::string> organizations;
    RETURN_IF_ERROR(database_.Read(
        sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows,
                           session.Query(kOrganizations, {sql::Text(after), sql::Int(kPage)}));
          for (size_t i = 0; i < rows.rows(); ++i) organizations.push_back(rows.Text(i, 0));
          return absl::OkStatus();
        }));
    for (const std::string& organization_id : organizations) {
      for (int64_t gone = options_.batch; gone == options_.batch && !stopping_; forgotten += gone) {
        ASSIGN_OR_RETURN(gone, ForgetRequestsOf(organization_id, before));
        dropped_.With({"idempotency"}).Increment(static_cast<double>(gone));
      }
    }
    found = organizations.size();
    if (found > 0) after = organizations.back();
  }
  return forgotten;
}

absl::StatusOr<int64_t> Retention::ForgetRequestsOf(const std::string& organization_id,
                                                    absl::Time before) {
  int64_t gone = 0;
  RETURN_IF_ERROR(database_.Write(
      sql::Access::Tenant(organization_id), absl::Now() + kPatience,
      [&](sql::Transaction& tx) -> absl::Status {
        gone = 0;
        if (!tx.TryLock(absl::StrCat("retention/", organization_id)).ok()) return absl::OkStatus();
        ASSIGN_OR_RETURN(const sql::Result rows,
                         tx.Query(kForgetRequests, {sql::Text(organization_id), sql::Micros(before),
                                                    sql::Int(options_.batch)}));
        gone = rows.affected();
        return absl::OkStatus();
      }));
  return gone;
}

}  // namespace rapport::work
