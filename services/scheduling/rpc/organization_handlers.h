#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_ORGANIZATION_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_ORGANIZATION_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/organization_service.pb.h"

namespace rapport::scheduling {

// Answers OrganizationService.
class OrganizationHandlers {
 public:
  explicit OrganizationHandlers(sql::Database& database) : database_(database) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Organization> CreateOrganization(const call::CallContext& context,
                                                      const v1::CreateOrganizationRequest& request);
  absl::StatusOr<v1::Organization> GetOrganization(const call::CallContext& context,
                                                   const v1::GetOrganizationRequest& request);
  absl::StatusOr<v1::Organization> UpdateOrganization(const call::CallContext& context,
                                                      const v1::UpdateOrganizationRequest& request);
  absl::StatusOr<v1::Organization> SuspendOrganization(
      const call::CallContext& context, const v1::SuspendOrganizationRequest& request);
  absl::StatusOr<v1::Organization> ResumeOrganization(const call::CallContext& context,
                                                      const v1::ResumeOrganizationRequest& request);

 private:
  template <class Request>
  absl::StatusOr<v1::Organization> Switch(const call::CallContext& context, const Request& request,
                                          v1::OrganizationState from, v1::OrganizationState to);

  sql::Database& database_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_ORGANIZATION_HANDLERS_H_
