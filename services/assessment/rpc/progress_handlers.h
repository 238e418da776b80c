#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_PROGRESS_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_PROGRESS_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "services/assessment/rpc/catalogues.h"

namespace rapport::assessment {

// ProgressService. Computed at each call, from a fixed number of statements however many forms and
// instruments there are; nothing of it is stored.
class ProgressHandlers {
 public:
  // All outlive this. `notes` tells of treatment events, on the caller's behalf.
  ProgressHandlers(sql::Database& database, const Catalogues& catalogues,
                   const crypto::Vault& vault, call::Peer& notes)
      : database_(database), catalogues_(catalogues), vault_(vault), notes_(notes) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::Progress> GetProgress(const call::CallContext& context,
                                           const v1::GetProgressRequest& request);
  absl::StatusOr<v1::RenderProgressChartResponse> RenderProgressChart(
      const call::CallContext& context, const v1::RenderProgressChartRequest& request);

 private:
  sql::Database& database_;
  const Catalogues& catalogues_;
  const crypto::Vault& vault_;
  call::Peer& notes_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_PROGRESS_HANDLERS_H_
