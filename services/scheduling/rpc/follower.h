#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_FOLLOWER_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_FOLLOWER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/sql/database.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event.pb.h"
#include "services/scheduling/rpc/protocols.h"

namespace rapport::scheduling {

// Applies notes' events. Of an erasure, this service's part of it (see eraser.h). Of a case: a
// course that was activated and has not ended is due for a review of its suitability while its
// determination is opened again, until one in favour is signed; its event and audit entry in the
// same transaction. Whether the patient has agreed to a formulation is kept beside the course. A
// redelivered or older event changes nothing.
class NotesFollower {
 public:
  NotesFollower(const Protocols& protocols, time::Clock& clock)
      : protocols_(protocols), clock_(clock) {}

  // Payload types that Apply understands, for ConsumerOptions.types.
  static std::vector<std::string> EventTypes();

  absl::Status Apply(sql::Transaction& tx, const common::v1::Event& event) const;

 private:
  const Protocols& protocols_;
  time::Clock& clock_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_FOLLOWER_H_
