#ifndef RAPPORT_SERVICES_SCHEDULING_RPC_WAITLIST_H_
#define RAPPORT_SERVICES_SCHEDULING_RPC_WAITLIST_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "common/work/work.h"
#include "rapport/scheduling/v1/organization.pb.h"
#include "rapport/scheduling/v1/waitlist.pb.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/protocols.h"
#include "services/scheduling/store/waitlist_store.h"

namespace rapport::scheduling {

// Passes free time to who waits for it: the one place where offers are made and ended, for callers
// and for the service itself. An offer is a hold of the Booker's, which decides under its locks;
// what is found here before is a hint. Thread-safe.
//
// An entry changes only after the Booker has held, confirmed or given back its time in the same
// transaction, so that offers end in one way, however many try. A hold that ends without the
// waitlist (confirmed, released or found expired elsewhere) leaves an item of kHoldWork, by which
// the entry follows.
class Waitlist {
 public:
  // The kind of work item that ends a wait; its key is the entry's id.
  static constexpr absl::string_view kLapseWork = "waitlist_lapse";

  // Without `nearest` nobody is offered a time at once.
  Waitlist(const Protocols& protocols, const Booker& booker, NearestFree nearest)
      : protocols_(protocols), booker_(booker), nearest_(std::move(nearest)) {}

  // Offers the time of the clinician to the first who waits after `after` and whom it suits, if it
  // can be held for them; what is left of it comes to the next. Where it can't, whoever comes after
  // is tried in a transaction of their own (locks of courses come before those of people), `tries`
  // in all.
  absl::Status OfferFreed(Act& act, absl::string_view clinician_id, const Interval& free,
                          store::WaitlistKey after = {}, int tries = 8) const;

  // Offers the nearest free time of its clinician within 7 days; whether there is one.
  absl::StatusOr<bool> OfferNearest(Act& act, store::Candidate& candidate) const;

  // OFFERED → WAITING, the time goes to the next; for one whose offer the caller declined.
  absl::Status Decline(Act& act, v1::WaitlistEntry& entry, int64_t version) const;
  // WAITING or OFFERED → LEFT.
  absl::Status Leave(Act& act, v1::WaitlistEntry& entry, int64_t version) const;
  // OFFERED → ACCEPTED; the booking.
  absl::StatusOr<v1::Appointment> Accept(Act& act, v1::WaitlistEntry& entry, int64_t version) const;

  // Lets the entry that is offered `appointment`, if any, follow what became of it.
  absl::Status Settle(Act& act, absl::string_view appointment) const;

  // Does what is due: freed time, holds (of offers and others) that end, waits that end.
  void Register(work::Worker& worker) const;

 private:
  absl::StatusOr<bool> TryOffer(Act& act, store::Candidate& candidate, absl::Time start,
                                int minutes, const v1::OrganizationSettings& settings) const;
  absl::StatusOr<int> MinutesFor(Act& act, const store::Candidate& candidate) const;
  absl::Status GiveBack(Act& act, absl::string_view appointment, v1::AppointmentState to) const;
  absl::Status Pass(Act& act, v1::WaitlistEntry& entry, int64_t version) const;
  absl::Status CancelReplaced(Act& act, const v1::WaitlistEntry& entry) const;
  absl::Status DoFreed(sql::Transaction& tx, const work::Item& item, absl::Time now) const;
  absl::Status EndHold(Act& act, absl::string_view appointment) const;
  absl::Status EndWait(Act& act, absl::string_view entry) const;

  const Protocols& protocols_;
  const Booker& booker_;
  const NearestFree nearest_;
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_RPC_WAITLIST_H_
