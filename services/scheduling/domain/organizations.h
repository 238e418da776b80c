#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_ORGANIZATIONS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_ORGANIZATIONS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rapport/scheduling/v1/organization.pb.h"

namespace rapport::scheduling {

// Gives unset policies their defaults, as the comments of OrganizationSettings name them.
void FillDefaults(v1::OrganizationSettings& settings);

// INVALID_ARGUMENT naming the policy (as `path`.late_cancel_window) that is out of its range, or
// the stretch of monitored hours that is none. Unset ones pass.
absl::Status CheckSettings(const v1::OrganizationSettings& settings, absl::string_view path);

// From one state to another. FAILED_PRECONDITION ORGANIZATION_STATE, with the state in the metadata
// "state", for one that is in another.
absl::Status ChangeState(v1::Organization& organization, v1::OrganizationState from,
                         v1::OrganizationState to);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_ORGANIZATIONS_H_
