#include "common/crypto/rewrapper.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::crypto {
namespace {

constexpr int kAtOnce = 100;
// A replica that has not been restarted yet goes on to wrap with the key before.
constexpr absl::Duration kLookAgain = absl::Minutes(15);
constexpr absl::Duration kPatience = absl::Seconds(30);  // for a transaction, real clock

const sql::Statement kOrganizations{"crypto.organizations", R"sql(
  SELECT organization_id FROM organization ORDER BY organization_id)sql",
                                    sql::Reach::kFeed};

}  // namespace

absl::StatusOr<std::vector<std::string>> Organizations(sql::Database& database) {
  std::vector<std::string> organizations;
  RETURN_IF_ERROR(database.Read(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
        organizations.clear();
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kOrganizations, {}));
        for (size_t row = 0; row < rows.rows(); ++row) {
          organizations.push_back(rows.Text(row, 0));
        }
        return absl::OkStatus();
      }));
  return organizations;
}

Rewrapper::Rewrapper(sql::Database& database, const Vault& vault, telemetry::Metrics& metrics)
    : database_(database), vault_(vault) {
  metrics.Read(
      telemetry::metric::kDataKeysToRewrap,
      "Data keys that another than the active key-encryption key wraps; -1: not known yet.",
      [this] { return static_cast<double>(left_.load()); });
}

void Rewrapper::Start(absl::Duration period) {
  thread_ = std::make_unique<PeriodicThread>("rewrap", period, [this] {
    if (absl::Now() < next_look_) return;
    const absl::StatusOr<int64_t> done = RunOnce();
    if (done.ok()) next_look_ = absl::Now() + kLookAgain;
    if (!done.ok()) {
      telemetry::Log(telemetry::Severity::kWarning, "data keys can't be wrapped anew now",
                     {{"status", done.status().ToString()}});
    } else if (*done > 0) {
      telemetry::Log(telemetry::Severity::kInfo, "all data keys are wrapped by the active key",
                     {{"key", vault_.keys().active_id()}, {"rewrapped", absl::StrCat(*done)}});
    }
  });
}

absl::StatusOr<int64_t> Rewrapper::RunOnce() {
  ASSIGN_OR_RETURN(const std::vector<std::string> organizations, Organizations(database_));
  int64_t left = 0;
  std::vector<std::string> concerned;
  for (const std::string& organization_id : organizations) {
    int64_t of_this = 0;
    RETURN_IF_ERROR(database_.Read(sql::Access::Tenant(organization_id), absl::Now() + kPatience,
                                   [&](sql::Session& session) -> absl::Status {
                                     ASSIGN_OR_RETURN(
                                         of_this, vault_.CountToRewrap(session, organization_id));
                                     return absl::OkStatus();
                                   }));
    if (of_this > 0) concerned.push_back(organization_id);
    left += of_this;
  }
  left_ = left;
  int64_t done = 0;
  for (const std::string& organization_id : concerned) {
    ASSIGN_OR_RETURN(const int64_t of_this, RewrapAllOf(organization_id));
    done += of_this;
  }
  left_ = 0;
  return done;
}

absl::StatusOr<int64_t> Rewrapper::RewrapAllOf(const std::string& organization_id) {
  int64_t done = 0;
  int wrapped = kAtOnce;
  while (wrapped == kAtOnce) {
    RETURN_IF_ERROR(database_.Write(sql::Access::Tenant(organization_id), absl::Now() + kPatience,
                                    [&](sql::Transaction& tx) -> absl::Status {
                                      ASSIGN_OR_RETURN(wrapped,
                                                       vault_.Rewrap(tx, organization_id, kAtOnce));
                                      return absl::OkStatus();
                                    }));
    done += wrapped;
    left_ -= wrapped;
  }
  return done;
}

}  // namespace rapport::crypto
