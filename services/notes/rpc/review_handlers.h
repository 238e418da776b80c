#ifndef RAPPORT_SERVICES_NOTES_RPC_REVIEW_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_REVIEW_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/review_service.pb.h"
#include "services/notes/rpc/access.h"
#include "services/notes/rpc/review_loader.h"

namespace rapport::notes {

// CaseReviewService: what each method does and answers is written in review_service.proto.
class ReviewHandlers {
 public:
  ReviewHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault,
                 call::Peer& assessment)
      : loader_(database, access, vault, assessment) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::SuitabilityAdvice> AdviseSuitability(
      const call::CallContext& context, const v1::AdviseSuitabilityRequest& request);
  absl::StatusOr<v1::SessionBrief> GetSessionBrief(const call::CallContext& context,
                                                   const v1::GetSessionBriefRequest& request);
  absl::StatusOr<v1::GetMoodEventTimelineResponse> GetMoodEventTimeline(
      const call::CallContext& context, const v1::GetMoodEventTimelineRequest& request);
  absl::StatusOr<v1::ClosenessCircles> GetClosenessCircles(
      const call::CallContext& context, const v1::GetClosenessCirclesRequest& request);

 private:
  const ReviewLoader loader_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_REVIEW_HANDLERS_H_
