#ifndef RAPPORT_SERVICES_NOTES_RPC_PRIVACY_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_PRIVACY_HANDLERS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/common/v1/privacy_service.pb.h"

namespace rapport::notes {

// PrivacyService: what each method does and answers is written in privacy_service.proto. Here an
// erasure begins: notes destroys its keys and tells of it in one transaction; assessment and
// scheduling follow that event, and confirm by an event of theirs, which ConfirmErasure applies. So
// each step is there wholly or not at all, and a service that was down does its part when it is
// back.
class PrivacyHandlers {
 public:
  PrivacyHandlers(sql::Database& database, const crypto::Vault& vault)
      : database_(database), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<common::v1::LegalHold> PlaceHold(const call::CallContext& context,
                                                  const common::v1::PlaceHoldRequest& request);
  absl::StatusOr<common::v1::LegalHold> ReleaseHold(const call::CallContext& context,
                                                    const common::v1::ReleaseHoldRequest& request);
  absl::StatusOr<common::v1::ListHoldsResponse> ListHolds(
      const call::CallContext& context, const common::v1::ListHoldsRequest& request);
  absl::StatusOr<common::v1::Erasure> ErasePatient(const call::CallContext& context,
                                                   const common::v1::ErasePatientRequest& request);
  absl::StatusOr<common::v1::Erasure> GetErasure(const call::CallContext& context,
                                                 const common::v1::GetErasureRequest& request);
  absl::StatusOr<common::v1::ListErasuresResponse> ListErasures(
      const call::CallContext& context, const common::v1::ListErasuresRequest& request);

 private:
  sql::Database& database_;
  const crypto::Vault& vault_;
};

// Applies an ErasurePartEvent of another service. A part that was confirmed before, or of an
// erasure that is not known, changes nothing.
absl::Status ConfirmErasure(sql::Transaction& tx, const common::v1::Event& event);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_PRIVACY_HANDLERS_H_
