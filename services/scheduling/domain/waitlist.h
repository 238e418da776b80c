#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_WAITLIST_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_WAITLIST_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "rapport/scheduling/v1/waitlist.pb.h"
#include "services/scheduling/domain/booking.h"

// The life of a waitlist entry, and which free time suits it. Each transition changes `entry` or
// leaves it as it is and answers FAILED_PRECONDITION WAITLIST_STATE with the state in the metadata.
//
//   WAITING → OFFERED → ACCEPTED;  OFFERED → WAITING;  WAITING, OFFERED → LEFT;  WAITING → LAPSED
namespace rapport::scheduling {

// The suite's own limits.
inline constexpr absl::Duration kUsualWait = absl::Hours(24 * 28);
inline constexpr absl::Duration kLongestWait = absl::Hours(24 * 366);
// How far ahead a time is sought at once for who can't wait; what maintenance promises for a
// booster.
inline constexpr absl::Duration kPromptWithin = absl::Hours(24 * 7);

// A WAITING entry of what `asked` says, without name and times of its own. `replaced` is the start
// of the appointment that an earlier time would replace: only earlier ones suit then.
//   kInvalidArgument  under the path "waitlist_entry"
absl::StatusOr<v1::WaitlistEntry> NewWaitlistEntry(const v1::WaitlistEntry& asked,
                                                   std::optional<absl::Time> replaced,
                                                   absl::Time now);

absl::Status OfferTime(v1::WaitlistEntry& entry, absl::string_view appointment,
                       absl::Time expire_time);
absl::Status AcceptOffer(v1::WaitlistEntry& entry);
// Declined or expired: OFFERED → WAITING, and LAPSED at once if its latest time has passed.
absl::Status PassOffer(v1::WaitlistEntry& entry, absl::Time now);
absl::Status LeaveWaitlist(v1::WaitlistEntry& entry);
absl::Status LapseEntry(v1::WaitlistEntry& entry);

// WAITING or OFFERED.
bool IsWaiting(v1::WaitlistState state);

// Whether it is to be offered a time at once: BOOSTER and URGENT.
bool NeedsPromptOffer(const v1::WaitlistEntry& entry);

// Whether a session of `minutes` at `start` lies in the entry's window, on its days and within its
// stretches of the day by the clock of `zone`, and can be named by that clock (the second of two
// equal local times can't).
bool Suits(const v1::WaitlistEntry& entry, absl::Time start, int minutes, absl::TimeZone zone);

// The first start of a session of `minutes` within `free`, in steps of 5 minutes from its start,
// that suits, is no sooner than `not_before` and none of `passed`.
std::optional<absl::Time> FirstSuitable(const v1::WaitlistEntry& entry, int minutes,
                                        absl::TimeZone zone, const Interval& free,
                                        absl::Time not_before, absl::Span<const absl::Time> passed);

v1::WaitlistEntryEvent PayloadOf(const v1::WaitlistEntry& entry);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_WAITLIST_H_
