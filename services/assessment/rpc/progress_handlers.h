#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_PROGRESS_HANDLERS_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_PROGRESS_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "services/assessment/domain/instruments.h"

namespace rapport::assessment {

// ProgressService. Computed at each call; nothing of it is stored.
class ProgressHandlers {
 public:
  ProgressHandlers(sql::Database& database, const Catalogue& catalogue)
      : database_(database), catalogue_(catalogue) {}

  void Register(call::Registry& registry);

  absl::StatusOr<v1::Progress> GetProgress(const call::CallContext& context,
                                           const v1::GetProgressRequest& request);

 private:
  sql::Database& database_;
  const Catalogue& catalogue_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_PROGRESS_HANDLERS_H_
