#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_LEAVE_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_LEAVE_HANDLERS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/leave_service.pb.h"
#include "services/scheduling/domain/hours.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/store/leave_store.h"

namespace rapport::scheduling {

// Free times of one clinician at one clinic, by their names.
struct FreeTimesAsk {
  std::string clinician;
  std::string clinic;
  absl::Time around;
  Interval starts;  // when they may begin
  int minutes = 0;
  bool remote = false;
  std::vector<Interval> busy;  // when it can't be, besides the clinician's own bookings
  size_t limit = 1;
};

// Who at a clinic is free at one time.
struct ColleaguesAsk {
  std::string clinic;              // name
  std::string protocol;            // id, for which they are certified; empty: any
  std::vector<std::string> among;  // names; empty: all who work there
  std::vector<std::string> but;    // names
  absl::Time start;
  int minutes = 0;
  v1::Modality modality = v1::MODALITY_IN_PERSON;
  int limit = 1;
};

// What the index of free time knows: hints, as the booker decides. Both answer kUnavailable
// INDEX_NOT_READY while it does not.
struct LeaveHints {
  // The nearest to `around` first.
  std::function<absl::StatusOr<std::vector<absl::Time>>(const FreeTimesAsk&)> free_times;
  // Names, in no set order.
  std::function<absl::StatusOr<std::vector<std::string>>(const ColleaguesAsk&)> colleagues;
};

// Answers LeaveService.
class LeaveHandlers {
 public:
  // All outlive it. A plan is about at most `most_sessions`.
  LeaveHandlers(sql::Database& database, const Protocols& protocols, const Booker& booker,
                LeaveHints hints, int most_sessions = 500)
      : database_(database),
        protocols_(protocols),
        booker_(booker),
        hints_(std::move(hints)),
        most_sessions_(most_sessions) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::LeavePlan> PlanLeave(const call::CallContext& context,
                                          const v1::PlanLeaveRequest& request);
  absl::StatusOr<v1::LeavePlan> GetLeavePlan(const call::CallContext& context,
                                             const v1::GetLeavePlanRequest& request);
  absl::StatusOr<v1::LeavePlan> ApplyLeavePlan(const call::CallContext& context,
                                               const v1::ApplyLeavePlanRequest& request);

 private:
  // What the sessions of a plan share.
  struct Stage {
    std::string clinician;
    std::vector<std::string> video_clinics;  // names; empty: they meet nobody by video
    Interval time_off;
    Interval reach;  // when sessions may begin instead
    std::vector<store::CoverInForce> covers;
    std::map<std::string, std::vector<Interval>> busy;  // see ListBusyOthers
    std::vector<Interval> proposed;                     // times already proposed to others
  };
  absl::StatusOr<store::LeaveItemRow> Propose(sql::Session& session,
                                              const store::LeaveSession& booked,
                                              Stage& stage) const;

  // One choice in a transaction of its own; a refusal is recorded in another.
  absl::Status Apply(const call::CallContext& context, const std::string& plan,
                     const v1::LeaveChoice& choice) const;
  absl::Status CarryOut(call::Change& change, const store::LeaveItemRow& row,
                        const v1::LeaveOption& option) const;

  sql::Database& database_;
  const Protocols& protocols_;
  const Booker& booker_;
  const LeaveHints hints_;
  const int most_sessions_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_LEAVE_HANDLERS_H_
