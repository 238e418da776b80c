#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_ERASER_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_ERASER_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/common/v1/event.pb.h"
#include "services/scheduling/rpc/protocols.h"

namespace rapport::scheduling {

// Does this service's part of an erasure that notes tells of by an ErasureEvent, all in one
// transaction: takes out of the patient's courses what they say of the patient, and of their
// appointments what the patient said at check-in, each as a change with its event and audit entry,
// and confirms it to notes by an event. Courses and appointments stay, with their states and times,
// as somebody's work. Done before, it does nothing; done before by another name (notes was brought
// back from a copy of before), it confirms it.
absl::Status Erase(sql::Transaction& tx, const Protocols& protocols, const common::v1::Event& event,
                   absl::Time now);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_ERASER_H_
