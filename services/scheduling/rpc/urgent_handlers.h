#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_URGENT_HANDLERS_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_URGENT_HANDLERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/live_index.h"
#include "services/scheduling/rpc/protocols.h"

namespace rapport::scheduling {

// Answers AppointmentService.HoldUrgentAppointment: finds times in the index, and holds the first
// that the database still has. The hold is private to one of a couple; it lasts until the session
// would begin, or must have begun.
class UrgentHandlers {
 public:
  UrgentHandlers(sql::Database& database, const Protocols& protocols, const LiveIndex& index,
                 const Booker& booker)
      : database_(database), protocols_(protocols), index_(index), booker_(booker) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Appointment> HoldUrgentAppointment(
      const call::CallContext& context, const v1::HoldUrgentAppointmentRequest& request);

 private:
  // What is to be held, but for when and with whom.
  struct Wish {
    v1::Course course;
    std::string patient;
    int minutes = 0;
    v1::Modality modality = v1::MODALITY_IN_PERSON;
    absl::Time before;
    absl::TimeZone zone = absl::UTCTimeZone();  // of the clinic
  };
  struct Time {
    std::string clinician;  // name
    absl::Time start;
  };
  // By preference: of the course's clinician, then of who covers for them; the earliest first.
  absl::StatusOr<std::vector<Time>> Find(const call::CallContext& context,
                                         const v1::HoldUrgentAppointmentRequest& request,
                                         Wish& wish) const;
  BookingAsk AskFor(const Wish& wish, const Time& time, bool with_course) const;

  sql::Database& database_;
  const Protocols& protocols_;
  const LiveIndex& index_;
  const Booker& booker_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_URGENT_HANDLERS_H_
