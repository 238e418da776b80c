#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_REVOCATION_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_REVOCATION_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/revocation_service.pb.h"

namespace rapport::scheduling {

// Answers RevocationService.
class RevocationHandlers {
 public:
  explicit RevocationHandlers(sql::Database& database) : database_(database) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Revocation> RevokeSubject(const call::CallContext& context,
                                               const v1::RevokeSubjectRequest& request);
  absl::StatusOr<v1::Revocation> RevokeToken(const call::CallContext& context,
                                             const v1::RevokeTokenRequest& request);
  absl::StatusOr<v1::Revocation> GetRevocation(const call::CallContext& context,
                                               const v1::GetRevocationRequest& request);
  absl::StatusOr<v1::ListRevocationsResponse> ListRevocations(
      const call::CallContext& context, const v1::ListRevocationsRequest& request);

 private:
  sql::Database& database_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_REVOCATION_HANDLERS_H_
