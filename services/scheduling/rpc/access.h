#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_ACCESS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_ACCESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/call/call_context.h"
#include "services/scheduling/store/scope.h"

// Who may know what within the organisation. Therapists (and supervisors) reach the courses of the
// clinician with their subject, and of those whom that clinician covers now; supervisors read those
// of whom they supervise now. The desk (clinic managers, schedulers, organisation admins,
// integrations) reaches the existence and times of all courses, limited to the clinics of their
// token where it names any. Services in their own right see all.
namespace rapport::scheduling {

store::Scope ScopeOf(const call::CallContext& context);

// Nothing; that it exists, and when; everything, to read; everything, to change.
enum class View { kNone, kTimes, kRead, kFull };

// What the caller may know of a course, or of an appointment, at `clinic`. `treats` and
// `supervises` come with the row, read in the caller's scope.
View ViewOf(const call::CallContext& context, const store::Scope& scope, bool treats,
            absl::string_view clinic, bool supervises = false);

// OK for what the caller treats; NOT_FOUND ("Course") for what they may not know of,
// PERMISSION_DENIED NOT_THE_THERAPIST for what they may know of but not change.
absl::Status RequireTreating(View view);

// OK for who books, moves and records sessions at `clinic`: those who treat, and the desk; else as
// RequireTreating, of `what`.
absl::Status RequireScheduling(const store::Scope& scope, View view, absl::string_view clinic,
                               absl::string_view what);

// A new id: a ULID in lower case.
std::string NewId();

// INVALID_ARGUMENT unless `name` is given, as an update needs it.
absl::Status RequireName(absl::string_view name, absl::string_view field);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_ACCESS_H_
