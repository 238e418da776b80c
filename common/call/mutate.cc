#include "common/call/mutate.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/audit/audit_log.h"
#include "common/errors/errors.h"
#include "common/events/event_log.h"

namespace rapport::call {
namespace {

const sql::Statement kPrior{"call.idempotency.get", R"sql(
  SELECT request_hmac, resources, version FROM idempotency
  WHERE organization_id = $1 AND principal = $2 AND method = $3 AND request_id = $4
    AND create_time > $5)sql"};

// A record older than its keeping time makes room for a new one.
const sql::Statement kRemember{"call.idempotency.put", R"sql(
  INSERT INTO idempotency (organization_id, principal, method, request_id, request_hmac, resources,
                           version, create_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (organization_id, principal, method, request_id) DO UPDATE
  SET request_hmac = excluded.request_hmac, resources = excluded.resources,
      version = excluded.version, create_time = excluded.create_time)sql"};

const sql::Statement kOrganizationState{"call.organization.state", R"sql(
  SELECT state FROM organization WHERE organization_id = $1)sql"};

constexpr absl::Duration kKept = absl::Hours(24 * 7);
constexpr absl::Duration kOutcomePause = absl::Milliseconds(50);
constexpr absl::Duration kOutcomePatience = absl::Seconds(5);
constexpr char kCommitUnknown[] = "COMMIT_UNKNOWN";
constexpr char kInProgress[] = "REQUEST_IN_PROGRESS";

// What decides on the life of an organisation, whatever its state: they name one which this service
// can't know yet, or which is suspended.
constexpr absl::string_view kLifeOfOrganizations[] = {
    "rapport.scheduling.v1.OrganizationService/CreateOrganization",
    "rapport.scheduling.v1.OrganizationService/SuspendOrganization",
    "rapport.scheduling.v1.OrganizationService/ResumeOrganization"};

// What keeps people out: a suspended organisation still reads.
constexpr absl::string_view kThoughSuspended[] = {
    "rapport.scheduling.v1.RevocationService/RevokeSubject",
    "rapport.scheduling.v1.RevocationService/RevokeToken"};

absl::Status RequireOrganization(sql::Session& session, const CallContext& context) {
  if (absl::c_linear_search(kLifeOfOrganizations, context.method)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kOrganizationState, {sql::Text(context.organization_id)}));
  if (rows.empty()) {
    return errors::Unavailable(
        "ORGANIZATION_NOT_READY",
        "This service has not yet heard of the organisation; repeat the call.", "scheduling");
  }
  if (rows.Text(0, 0) == "SUSPENDED" && !absl::c_linear_search(kThoughSuspended, context.method)) {
    return errors::FailedPrecondition("ORGANIZATION_SUSPENDED",
                                      "The organisation is suspended; nothing can be changed.");
  }
  return absl::OkStatus();
}

}  // namespace

void Change::Record(absl::string_view resource, int64_t version,
                    const google::protobuf::Message& payload, absl::string_view stored) {
  events::Append(tx_, context_.organization_id, resource, version, context_.now, payload);
  if (stored.empty()) {
    Audit(resource, version, payload.SerializeAsString());
  } else {
    Audit(resource, version, stored);
  }
  if (result_.empty()) SetResult(resource, version);
  last_ = {.resource = std::string(resource), .version = version};
}

void Change::Audit(absl::string_view resource, int64_t version, absl::string_view stored) {
  audit::Append(tx_,
                {.organization_id = context_.organization_id,
                 .principal = context_.principal->subject,
                 .method = context_.method,
                 .resource = std::string(resource),
                 .version = version,
                 .occur_time = context_.now,
                 .trace_id = context_.trace.trace_id},
                stored);
}

void Change::SetResult(absl::string_view resource, int64_t version) {
  result_ = std::string(resource);
  result_version_ = version;
}

absl::Status MutateRaw(sql::Database& database, const CallContext& context,
                       absl::string_view request_id,
                       absl::FunctionRef<absl::Status(sql::Session&, absl::string_view)> replay,
                       absl::FunctionRef<absl::Status(Change&)> body) {
  const auto attempt = [&]() -> absl::Status {
    // Keeping time runs by the real clock: domain time may stand still or jump in development.
    const absl::Time machine_now = absl::Now();
    return database.Write(
        sql::Access::Tenant(context.organization_id), context.deadline,
        [&](sql::Transaction& tx) -> absl::Status {
          context.replayed = false;
          RETURN_IF_ERROR(RequireOrganization(tx, context));
          if (!request_id.empty()) {
            const std::string key =
                absl::StrCat("request/", context.organization_id, "/", context.principal->subject,
                             "/", context.method, "/", request_id);
            if (!tx.TryLock(key).ok()) {
              return errors::Aborted(kInProgress,
                                     "The same request is under way; repeat it shortly.");
            }
            ASSIGN_OR_RETURN(
                const sql::Result prior,
                tx.Query(kPrior, {sql::Text(context.organization_id),
                                  sql::Text(context.principal->subject), sql::Text(context.method),
                                  sql::Text(request_id), sql::Micros(machine_now - kKept)}));
            if (!prior.empty()) {
              if (prior.Bytes(0, 0) != context.request_fingerprint) {
                return errors::FailedPrecondition(
                    "REQUEST_ID_REUSED",
                    "This request_id was used with another request; choose a new one.");
              }
              context.replayed = true;
              context.written =
                  PositionText({.resource = prior.Text(0, 1), .version = prior.Int(0, 2)});
              return replay(tx, prior.Text(0, 1));
            }
          }
          Change change(tx, context);
          RETURN_IF_ERROR(body(change));
          context.written = change.last_.resource.empty() ? "" : PositionText(change.last_);
          if (!request_id.empty()) {
            tx.Defer(kRemember,
                     {sql::Text(context.organization_id), sql::Text(context.principal->subject),
                      sql::Text(context.method), sql::Text(request_id),
                      sql::Bytes(context.request_fingerprint), sql::Text(change.result_),
                      sql::Int(change.result_version_), sql::Micros(machine_now)});
          }
          return absl::OkStatus();
        });
  };
  const absl::Status first = attempt();
  if (request_id.empty() || errors::Reason(first) != kCommitUnknown) return first;
  // A repeat finds the record that went with the lost COMMIT, or does the whole. Until the server
  // has ended that transaction, it holds the request_id's lock.
  const absl::Time give_up = std::min(context.deadline, absl::Now() + kOutcomePatience);
  while (absl::Now() + kOutcomePause < give_up) {
    absl::SleepFor(kOutcomePause);
    const absl::Status status = attempt();
    if (!absl::IsUnavailable(status) && errors::Reason(status) != kInProgress) return status;
  }
  return first;
}

std::string Etag(int64_t version) { return absl::StrCat(version); }

absl::Status CheckEtag(absl::string_view etag, int64_t version) {
  if (etag.empty() || etag == Etag(version)) return absl::OkStatus();
  return errors::StaleEtag(Etag(version));
}

}  // namespace rapport::call
