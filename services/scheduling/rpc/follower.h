#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_FOLLOWER_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_FOLLOWER_H_

#include "absl/status/status.h"
#include "common/sql/database.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event.pb.h"
#include "services/scheduling/domain/protocols.h"

namespace rapport::scheduling {

// Applies notes' CaseEvents: a course that is ACTIVE or PAUSED is due for a review of its
// suitability while its determination is opened again, until one in favour is signed; its event and
// audit entry in the same transaction. A redelivered or older event changes nothing.
class NotesFollower {
 public:
  NotesFollower(const ProtocolCatalogue& protocols, time::Clock& clock)
      : protocols_(protocols), clock_(clock) {}

  absl::Status Apply(sql::Transaction& tx, const common::v1::Event& event) const;

 private:
  const ProtocolCatalogue& protocols_;
  time::Clock& clock_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_FOLLOWER_H_
