#ifndef RAPPORT_COMMON_AUTH_PRINCIPAL_H_
#define RAPPORT_COMMON_AUTH_PRINCIPAL_H_

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport::auth {

// Who calls, as a verified token says.
struct Principal {
  enum class Kind { kUser, kService };

  Kind kind = Kind::kUser;
  std::string subject;                              // `sub`; of a service "service:assessment"
  std::string organization_id;                      // empty: platform operator or service
  std::vector<std::string> roles;                   // empty for a service
  std::optional<std::vector<std::string>> clinics;  // clinic ids; absent: as the directory says
  absl::Time auth_time = absl::InfinitePast();      // when the user last proved who they are
  absl::Time issue_time;                            // `iat`
  absl::Time expire_time;                           // `exp`
  std::string token_id;                             // `jti`

  bool HasRole(absl::string_view role) const {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  }

  // "assessment" for the service assessment; empty for a user.
  absl::string_view service() const {
    constexpr absl::string_view kPrefix = "service:";
    return kind == Kind::kService ? absl::string_view(subject).substr(kPrefix.size())
                                  : absl::string_view();
  }

  // Whether a role (or the fixed list of the service) grants `permission`.
  bool MayUse(absl::string_view permission) const;
};

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_PRINCIPAL_H_
