#include "services/scheduling/rpc/access.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/errors/errors.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"

namespace rapport::scheduling {

store::Scope ScopeOf(const call::CallContext& context) {
  const auth::Principal& caller = *context.principal;
  store::Scope scope;
  scope.now = context.now;
  if (caller.HasRole("therapist") || caller.HasRole("supervisor")) scope.subject = caller.subject;
  if (caller.HasRole("supervisor")) scope.supervisor = caller.subject;
  scope.all = scope.desk = context.is_service();
  for (absl::string_view role :
       {"clinic_manager", "scheduler", "organization_admin", "integration"}) {
    scope.desk |= caller.HasRole(role);
  }
  if (caller.clinics) scope.clinics = absl::StrCat(",", absl::StrJoin(*caller.clinics, ","), ",");
  return scope;
}

View ViewOf(const call::CallContext& context, const store::Scope& scope, bool treats,
            absl::string_view clinic, bool supervises) {
  if (treats || context.is_service()) return View::kFull;
  if (supervises) return View::kRead;
  return scope.CoversClinic(names::Last(clinic)) ? View::kTimes : View::kNone;
}

absl::Status RequireTreating(View view) {
  if (view == View::kFull) return absl::OkStatus();
  if (view == View::kNone) return errors::NotFound("Course");
  return errors::PermissionDenied(
      "NOT_THE_THERAPIST", "Only the course's therapist, or who covers for them, may do this.");
}

absl::Status RequireScheduling(const store::Scope& scope, View view, absl::string_view clinic,
                               absl::string_view what) {
  if (view == View::kNone) return errors::NotFound(what);
  if (scope.CoversClinic(names::Last(clinic))) return absl::OkStatus();
  return RequireTreating(view);
}

std::string NewId() { return absl::AsciiStrToLower(ids::NewUlid()); }

absl::Status RequireName(absl::string_view name, absl::string_view field) {
  if (!name.empty()) return absl::OkStatus();
  return errors::InvalidArgument(field, "is required");
}

}  // namespace rapport::scheduling
