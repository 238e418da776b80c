#ifndef RAPPORT_SERVICES_ASSESSMENT_RPC_FOLLOWER_H_
#define RAPPORT_SERVICES_ASSESSMENT_RPC_FOLLOWER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/sql/database.h"
#include "common/time/clock.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

namespace rapport::assessment {

// Applies scheduling's events: the care replica, who owns which alert (when a course, leave, cover,
// clinic or the organisation changes) and MISSED_AFTER_RISK (when an appointment is missed or
// cancelled late), all in the event's one transaction. A redelivered event changes nothing.
class SchedulingFollower {
 public:
  explicit SchedulingFollower(time::Clock& clock) : clock_(clock) {}

  absl::Status Apply(sql::Transaction& tx, const common::v1::Event& event) const;

 private:
  absl::Status Missed(sql::Transaction& tx, absl::string_view name,
                      const scheduling::v1::AppointmentEvent& appointment,
                      const common::v1::Event& event) const;

  time::Clock& clock_;
};

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_RPC_FOLLOWER_H_
