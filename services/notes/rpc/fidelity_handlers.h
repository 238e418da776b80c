#ifndef RAPPORT_SERVICES_NOTES_RPC_FIDELITY_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_FIDELITY_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/fidelity_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// FidelityService: what each method does and answers is written in fidelity_service.proto.
class FidelityHandlers {
 public:
  FidelityHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault)
      : database_(database), access_(access), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::SessionFidelity> GetSessionFidelity(
      const call::CallContext& context, const v1::GetSessionFidelityRequest& request);
  absl::StatusOr<v1::CourseFidelity> GetCourseFidelity(const call::CallContext& context,
                                                       const v1::GetCourseFidelityRequest& request);
  absl::StatusOr<v1::SessionRating> RateSession(const call::CallContext& context,
                                                const v1::RateSessionRequest& request);
  absl::StatusOr<v1::FidelityShare> ShareFidelity(const call::CallContext& context,
                                                  const v1::ShareFidelityRequest& request);
  absl::StatusOr<v1::FidelityPolicy> GetFidelityPolicy(const call::CallContext& context,
                                                       const v1::GetFidelityPolicyRequest& request);
  absl::StatusOr<v1::FidelityPolicy> SetFidelityPolicy(const call::CallContext& context,
                                                       const v1::SetFidelityPolicyRequest& request);

 private:
  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_FIDELITY_HANDLERS_H_
