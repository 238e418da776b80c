#include "common/revocation/revocation.h"

#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"

namespace rapport::revocation {
namespace {

const sql::Statement kForget{"revocation.forget", R"sql(
  DELETE FROM token_revocation WHERE organization_id = $1 AND expire_time < $2)sql"};

const sql::Statement kPut{"revocation.put", R"sql(
  INSERT INTO token_revocation (organization_id, revocation_id, subject, token_id, not_before,
                                expire_time)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, revocation_id) DO NOTHING)sql"};

const sql::Statement kInForce{"revocation.in_force", R"sql(
  SELECT organization_id, revocation_id, subject, token_id, not_before, expire_time
  FROM token_revocation WHERE expire_time >= $1)sql",
                              sql::Reach::kFeed};

constexpr absl::Duration kPatience = absl::Seconds(2);
// More than any clock may be off.
constexpr absl::Duration kSlack = absl::Minutes(5);

}  // namespace

absl::Time ExpiryOf(absl::Time now) { return now + auth::kMaxTokenLife + kSlack; }

void Put(sql::Transaction& tx, absl::string_view name, const Refusal& refusal, absl::Time now) {
  const sql::Value organization = sql::Text(names::OrganizationId(name));
  tx.Defer(kForget, {organization, sql::Micros(now)});
  if (refusal.expire_time < now) return;
  tx.Defer(kPut, {organization, sql::Text(names::Last(name)), sql::Text(refusal.subject),
                  sql::Text(refusal.token_id), sql::Micros(refusal.not_before),
                  sql::Micros(refusal.expire_time)});
}

absl::Status Watcher::Look() {
  const absl::Time now = absl::Now();
  return database_.Read(
      sql::Access::Feed(), now + kPatience, [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kInForce, {sql::Micros(now)}));
        std::set<std::pair<std::string, std::string>> there;
        MutexLock lock(mutex_);
        for (size_t i = 0; i < rows.rows(); ++i) {
          const std::string organization = rows.Text(i, 0);
          const auto key = std::make_pair(organization, rows.Text(i, 1));
          if (told_.find(key) == told_.end()) {
            if (const std::string token = rows.Text(i, 3); !token.empty()) {
              verifier_.RevokeToken(organization, token, rows.Time(i, 5));
            } else {
              verifier_.RevokeSubject(organization, rows.Text(i, 2), rows.Time(i, 4));
            }
          }
          there.insert(key);
        }
        told_ = std::move(there);
        return absl::OkStatus();
      });
}

void Watcher::Start(absl::Duration period) {
  thread_ = std::make_unique<PeriodicThread>("revocation", period, [this] { Tick(); });
}

void Watcher::Tick() {
  const absl::Status status = Look();
  if (status.ok() == healthy_.exchange(status.ok())) return;
  telemetry::Log(status.ok() ? telemetry::Severity::kInfo : telemetry::Severity::kWarning,
                 status.ok() ? "revocations are read again" : "revocations can't be read",
                 {{"reason", errors::Reason(status)}});
}

}  // namespace rapport::revocation
