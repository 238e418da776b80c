#ifndef RAPPORT_SERVICES_NOTES_RPC_SUITABILITY_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_SUITABILITY_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/suitability_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// SuitabilityService: asked by scheduling on behalf of the user who activates a course.
class SuitabilityHandlers {
 public:
  SuitabilityHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault)
      : database_(database), access_(access), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::CheckSuitabilityResponse> CheckSuitability(
      const call::CallContext& context, const v1::CheckSuitabilityRequest& request);

 private:
  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_SUITABILITY_HANDLERS_H_
