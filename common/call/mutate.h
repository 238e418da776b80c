#ifndef RAPPORT_COMMON_CALL_MUTATE_H_
#define RAPPORT_COMMON_CALL_MUTATE_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/database.h"
#include "google/protobuf/message.h"

// The one way to change something on behalf of a caller: the change, its pending events, its audit
// entries and its idempotency record in one transaction.
namespace rapport::call {

// A change under way. Lives inside Mutate.
class Change {
 public:
  Change(sql::Transaction& tx, const CallContext& context) : tx_(tx), context_(context) {}

  sql::Transaction& tx() { return tx_; }
  const CallContext& context() const { return context_; }

  // Appends the pending event of `resource` at `version` and its audit entry ("who did `method` to
  // what"). `stored` is what the change stored of it (its serialised row or document), whose hash
  // the audit entry covers; empty: the payload.
  void Record(absl::string_view resource, int64_t version, const google::protobuf::Message& payload,
              absl::string_view stored = "");

  // Appends an audit entry without an event.
  void Audit(absl::string_view resource, int64_t version, absl::string_view stored);

  // The resource to which a repeat of the call leads; the first one recorded, unless set.
  void SetResult(absl::string_view resource, int64_t version);

 private:
  friend absl::Status MutateRaw(sql::Database&, const CallContext&, absl::string_view,
                                absl::FunctionRef<absl::Status(sql::Session&, absl::string_view)>,
                                absl::FunctionRef<absl::Status(Change&)>);
  sql::Transaction& tx_;
  const CallContext& context_;
  std::string result_;
  int64_t result_version_ = 0;
  Position last_;  // recorded
};

// Runs `body` in one transaction of the caller's organisation. With a `request_id` that the same
// principal has used for the same method within 7 days, `body` does not run: `replay` gets the name
// of the first result and reads it as it is now, and the answer is marked as replayed.
//   kFailedPrecondition REQUEST_ID_REUSED      the same request_id with another request
//   kFailedPrecondition ORGANIZATION_SUSPENDED the organisation is suspended
//   kUnavailable ORGANIZATION_NOT_READY        this service does not know the organisation yet
//   kAborted REQUEST_IN_PROGRESS               a concurrent twin holds the request_id
//   kUnavailable COMMIT_UNKNOWN                the reply to COMMIT was lost, and what became of it;
//                                              with a request_id it is looked for up to 5 s first
// A failed body changes nothing and records nothing. `body` may run more than once (see
// sql::Database::Write).
absl::Status MutateRaw(sql::Database& database, const CallContext& context,
                       absl::string_view request_id,
                       absl::FunctionRef<absl::Status(sql::Session&, absl::string_view)> replay,
                       absl::FunctionRef<absl::Status(Change&)> body);

// As MutateRaw, for bodies that return the changed resource.
template <class Resource>
absl::StatusOr<Resource> Mutate(
    sql::Database& database, const CallContext& context, absl::string_view request_id,
    absl::FunctionRef<absl::StatusOr<Resource>(sql::Session&, absl::string_view)> replay,
    absl::FunctionRef<absl::StatusOr<Resource>(Change&)> body) {
  std::optional<Resource> result;
  RETURN_IF_ERROR(MutateRaw(
      database, context, request_id,
      [&](sql::Session& session, absl::string_view name) -> absl::Status {
        ASSIGN_OR_RETURN(result, replay(session, name));
        return absl::OkStatus();
      },
      [&](Change& change) -> absl::Status {
        ASSIGN_OR_RETURN(result, body(change));
        return absl::OkStatus();
      }));
  return *std::move(result);
}

// As Mutate, for methods whose requests bear no request_id.
template <class Resource>
absl::StatusOr<Resource> MutateUnnumbered(
    sql::Database& database, const CallContext& context,
    absl::FunctionRef<absl::StatusOr<Resource>(Change&)> body) {
  return Mutate<Resource>(
      database, context, /*request_id=*/"",
      [](sql::Session&, absl::string_view) -> absl::StatusOr<Resource> {
        return errors::Internal("A call without request_id has nothing to repeat.");
      },
      body);
}

// On whose behalf ReadTrailing reads.
inline sql::Access TrailingAccess(const CallContext& context) {
  const sql::Access access = sql::Access::Tenant(context.organization_id);
  const bool exact =
      !context.positions.empty() || context.is_service() || context.caller_service != nullptr;
  return exact ? access : access.MayTrail();
}

// Runs `body` over one snapshot of the caller's organisation.
template <class Resource>
absl::StatusOr<Resource> Read(sql::Database& database, const CallContext& context,
                              absl::FunctionRef<absl::StatusOr<Resource>(sql::Session&)> body) {
  std::optional<Resource> result;
  RETURN_IF_ERROR(database.Read(sql::Access::Tenant(context.organization_id), context.deadline,
                                [&](sql::Session& session) -> absl::Status {
                                  ASSIGN_OR_RETURN(result, body(session));
                                  return absl::OkStatus();
                                }));
  return *std::move(result);
}

// As Read, of data that decides on nobody's rights, where an answer may miss what others changed
// within the last second: a standby may give it. Callers that bring `rapport-position`, and
// services, which decide on what they read, are answered by the primary. `body` may run twice (see
// sql::Access::MayTrail), so it sets nothing but what it returns.
template <class Resource>
absl::StatusOr<Resource> ReadTrailing(
    sql::Database& database, const CallContext& context,
    absl::FunctionRef<absl::StatusOr<Resource>(sql::Session&)> body) {
  std::optional<Resource> result;
  RETURN_IF_ERROR(database.Read(TrailingAccess(context), context.deadline,
                                [&](sql::Session& session) -> absl::Status {
                                  ASSIGN_OR_RETURN(result, body(session));
                                  return absl::OkStatus();
                                }));
  return *std::move(result);
}

// An etag is the decimal version, as "7".
std::string Etag(int64_t version);

// OK iff `etag` is empty or names `version`; else kAborted STALE_ETAG with the current one.
absl::Status CheckEtag(absl::string_view etag, int64_t version);

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_MUTATE_H_
