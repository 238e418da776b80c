#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_LEAVE_HINTS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_LEAVE_HINTS_H_

#include "services/scheduling/rpc/leave_handlers.h"
#include "services/scheduling/rpc/live_index.h"

namespace rapport::scheduling {

// What a leave plan asks of the index of free time, which outlives it.
LeaveHints HintsOf(const LiveIndex& index);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_LEAVE_HINTS_H_
