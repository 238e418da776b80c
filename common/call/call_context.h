#ifndef RAPPORT_COMMON_CALL_CALL_CONTEXT_H_
#define RAPPORT_COMMON_CALL_CALL_CONTEXT_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/auth/integrity.h"
#include "common/auth/principal.h"
#include "common/call/position.h"
#include "common/telemetry/trace_context.h"

namespace rapport::call {

// What a handler knows of the call that it answers. Made by the front door, which has authenticated
// and authorised the caller and validated the request; no gRPC type reaches a handler.
struct CallContext {
  // Whose rights decide. A user, or a service that acts in its own right.
  std::shared_ptr<const auth::Principal> principal;
  // The service that calls on the user's behalf; null for a direct call.
  std::shared_ptr<const auth::Principal> caller_service;

  // The tenant: the organisation that the request's names are of. Empty for a call without names.
  std::string organization_id;

  // "rapport.scheduling.v1.CourseService/CreateCourse".
  std::string method;

  // By the real clock.
  absl::Time deadline = absl::InfiniteFuture();

  // By the domain clock, when the call arrived.
  absl::Time now;

  telemetry::TraceContext trace;

  // The user's token, forwarded to peers; empty for a service's own call.
  std::string user_token;

  // The request without its request_id, page_size and page_token fields, fingerprinted: what makes
  // a repeat the same and binds a page token.
  std::string request_fingerprint;

  // Set when the answer repeats an earlier call's; returned as `rapport-replayed: true`.
  mutable bool replayed = false;

  // Why the caller may see what it asks for, where that is not its usual work, as
  // "break-glass: organizations/…". Set by who decides on access; told by the read's audit entry.
  mutable std::string purpose;

  // The caller's own changes that it wants to see (metadata `rapport-position`).
  std::vector<Position> positions;
  // Where the change of this call is; returned as `rapport-position`. Empty: it changed nothing.
  mutable std::string written;

  // Whether the caller has given up. Handlers may look at it between steps.
  const std::atomic<bool>* cancelled = nullptr;

  // Authenticates page tokens and cursors. Never null in a served call.
  std::shared_ptr<const auth::IntegrityKey> integrity;

  bool is_service() const { return principal->kind == auth::Principal::Kind::kService; }
};

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_CALL_CONTEXT_H_
