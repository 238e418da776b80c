#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_WAITLIST_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_WAITLIST_HANDLERS_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/waitlist_service.pb.h"
#include "services/scheduling/rpc/waitlist.h"

namespace rapport::scheduling {

// Answers WaitlistService.
class WaitlistHandlers {
 public:
  WaitlistHandlers(sql::Database& database, const Waitlist& waitlist)
      : database_(database), waitlist_(waitlist) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::WaitlistEntry> JoinWaitlist(const call::CallContext& context,
                                                 const v1::JoinWaitlistRequest& request);
  absl::StatusOr<v1::WaitlistEntry> GetWaitlistEntry(const call::CallContext& context,
                                                     const v1::GetWaitlistEntryRequest& request);
  absl::StatusOr<v1::ListWaitlistEntriesResponse> ListWaitlistEntries(
      const call::CallContext& context, const v1::ListWaitlistEntriesRequest& request);
  absl::StatusOr<v1::WaitlistEntry> LeaveWaitlist(const call::CallContext& context,
                                                  const v1::LeaveWaitlistRequest& request);
  absl::StatusOr<v1::AcceptWaitlistOfferResponse> AcceptWaitlistOffer(
      const call::CallContext& context, const v1::AcceptWaitlistOfferRequest& request);
  absl::StatusOr<v1::WaitlistEntry> DeclineWaitlistOffer(
      const call::CallContext& context, const v1::DeclineWaitlistOfferRequest& request);

 private:
  // Reads the entry that `request` names for who may know it, at its etag, and makes the step.
  template <class Request>
  absl::StatusOr<v1::WaitlistEntry> Transition(
      const call::CallContext& context, const Request& request,
      absl::FunctionRef<absl::Status(Act&, v1::WaitlistEntry&, int64_t version)> step);

  sql::Database& database_;
  const Waitlist& waitlist_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_WAITLIST_HANDLERS_H_
