#ifndef RAPPORT_COMMON_AUTH_PERMISSIONS_H_
#define RAPPORT_COMMON_AUTH_PERMISSIONS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// What each role and each service may do. Methods name their permission in the protos; a role
// grants a permission on the objects that the caller may know of, and the handlers narrow it down
// further (own courses, the clinic, the organisation). The table is in permissions.cc.
namespace rapport::auth {

// Every permission there is, sorted.
absl::Span<const absl::string_view> AllPermissions();

// Every role there is, sorted.
const std::vector<absl::string_view>& AllRoles();

bool IsPermission(absl::string_view permission);

// Whether users with `role` may do what `permission` stands for. False for an unknown role.
bool RoleGrants(absl::string_view role, absl::string_view permission);

// Whether `service` ("assessment") may do so in its own right, without a user's token.
bool ServiceGrants(absl::string_view service, absl::string_view permission);

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_PERMISSIONS_H_
