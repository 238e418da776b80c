#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_REMINDERS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_REMINDERS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

// Which reminders of sessions fall due. Lead times are real time: a day's reminder of a session
// after the clocks went forward comes 24 hours before, at another local time.
//
// A session that starts at s, and got that start at b <= s - L, is reminded of once for each lead
// time L: at s - L, or as soon as the worker runs again while s is still to come. A session that
// got its start later than s - L (booked or moved at shorter notice) is not reminded of at L: its
// people have just been told. A moved session has a new start, so it gets that one's reminders too.
//
// Instead of marking appointments, each lead time keeps one mark, the instant up to which reminders
// were given. A run asks for the starts in (mark + L, new mark + L] and writes the new mark in the
// transaction that records the reminders; the windows of all runs are a partition of time, so no
// start is in two and none is left out.
namespace rapport::scheduling {

inline constexpr int kMaxLeadTimes = 5;
inline constexpr absl::Duration kShortestLeadTime = absl::Minutes(5);
inline constexpr absl::Duration kLongestLeadTime = absl::Hours(24 * 30);

// Reminders are given so much after they fall due, when every booking made by then has committed
// (no call lasts longer), lest a mark pass an appointment that cannot be seen yet.
inline constexpr absl::Duration kBookingSettles = absl::Seconds(90);

// INVALID_ARGUMENT naming `field` unless these are at most 5 different lead times, each of 5
// minutes to 30 days.
absl::Status CheckLeadTimes(absl::Span<const absl::Duration> lead_times, absl::string_view field);

struct ReminderMark {
  absl::Duration lead_time;
  absl::Time reminded_until;
};

// One lead time's part of a run: the sessions to remind of start after `after`, at the latest at
// `until`; none if these are equal.
struct ReminderWindow {
  absl::Duration lead_time;
  absl::Time after;
  absl::Time until;
  ReminderMark mark;  // to keep afterwards
};

// The windows of a run at `now`, one for each lead time in force, in their order. Marks of other
// lead times are to be dropped. A lead time without a mark (new, or in force again) begins with
// what falls due from now on. No window spans more than `longest`, to bound the transaction after
// the worker was down: run again while CatchesUp() is false. Marks never go back, also when `now`
// does.
std::vector<ReminderWindow> ReminderWindows(absl::Span<const absl::Duration> lead_times,
                                            absl::Span<const ReminderMark> marks, absl::Time now,
                                            absl::Duration longest);

// Whether `window` reaches all that falls due at `now`.
bool CatchesUp(const ReminderWindow& window, absl::Time now);

// Whether the session that starts at `start`, and got this start at `start_set`, is one to remind
// of. The state of the appointment is the caller's affair.
bool RemindsOf(const ReminderWindow& window, absl::Time start, absl::Time start_set);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_REMINDERS_H_
