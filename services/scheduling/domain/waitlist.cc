#include "services/scheduling/domain/waitlist.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kStep = absl::Minutes(5);

absl::Status WrongState(const v1::WaitlistEntry& entry) {
  return errors::FailedPrecondition("WAITLIST_STATE", "The entry's state does not allow this.",
                                    {{"state", v1::WaitlistState_Name(entry.state())}});
}

absl::Status CheckStretch(const v1::DayStretch& stretch, const std::string& field) {
  RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.start_time(), absl::StrCat(field, ".start_time")));
  RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.end_time(), absl::StrCat(field, ".end_time")));
  if (time::ToMinutes(stretch.start_time()) < time::ToMinutes(stretch.end_time())) {
    return absl::OkStatus();
  }
  return errors::InvalidArgument(absl::StrCat(field, ".end_time"), "must be after the start");
}

// MONDAY is 1, as ISO 8601 has it.
int DayOfWeek(absl::CivilDay day) { return static_cast<int>(absl::GetWeekday(day)) + 1; }

void EndOffer(v1::WaitlistEntry& entry, v1::WaitlistState state) {
  entry.set_state(state);
  entry.clear_offer();
  entry.clear_offer_expire_time();
}

}  // namespace

absl::StatusOr<v1::WaitlistEntry> NewWaitlistEntry(const v1::WaitlistEntry& asked,
                                                   std::optional<absl::Time> replaced,
                                                   absl::Time now) {
  v1::WaitlistEntry entry;
  entry.set_course(asked.course());
  absl::Time earliest = now;
  if (asked.has_earliest()) {
    RETURN_IF_ERROR(time::CheckTimestamp(asked.earliest(), "waitlist_entry.earliest"));
    *entry.mutable_earliest() = asked.earliest();
    earliest = std::max(now, time::ToTime(asked.earliest()));
  }
  absl::Time latest = std::min(earliest + kUsualWait, now + kLongestWait);
  if (asked.has_latest()) {
    RETURN_IF_ERROR(time::CheckTimestamp(asked.latest(), "waitlist_entry.latest"));
    latest = time::ToTime(asked.latest());
  }
  if (replaced) latest = std::min(latest, *replaced);
  if (latest <= earliest || latest > now + kLongestWait) {
    return errors::InvalidArgument("waitlist_entry.latest",
                                   "must be after now and `earliest`, at most a year away; before "
                                   "the appointment that is replaced nothing else would do");
  }
  *entry.mutable_latest() = time::ToTimestamp(latest);
  for (int i = 0; i < asked.times_size(); ++i) {
    RETURN_IF_ERROR(CheckStretch(asked.times(i), absl::StrCat("waitlist_entry.times[", i, "]")));
  }
  *entry.mutable_times() = asked.times();
  for (int i = 0; i < asked.days_size(); ++i) {
    if (asked.days(i) == google::type::DAY_OF_WEEK_UNSPECIFIED) {
      return errors::InvalidArgument(absl::StrCat("waitlist_entry.days[", i, "]"),
                                     "must be a day of the week");
    }
  }
  *entry.mutable_days() = asked.days();
  entry.set_minutes(asked.minutes());
  entry.set_urgency(asked.urgency() == v1::WAITLIST_URGENCY_UNSPECIFIED
                        ? v1::WAITLIST_URGENCY_ROUTINE
                        : asked.urgency());
  entry.set_replaces(asked.replaces());
  entry.set_state(v1::WAITLIST_STATE_WAITING);
  return entry;
}

absl::Status OfferTime(v1::WaitlistEntry& entry, absl::string_view appointment,
                       absl::Time expire_time) {
  if (entry.state() != v1::WAITLIST_STATE_WAITING) return WrongState(entry);
  entry.set_state(v1::WAITLIST_STATE_OFFERED);
  entry.set_offer(std::string(appointment));
  *entry.mutable_offer_expire_time() = time::ToTimestamp(expire_time);
  return absl::OkStatus();
}

absl::Status AcceptOffer(v1::WaitlistEntry& entry) {
  if (entry.state() != v1::WAITLIST_STATE_OFFERED) return WrongState(entry);
  entry.set_state(v1::WAITLIST_STATE_ACCEPTED);
  entry.clear_offer_expire_time();
  return absl::OkStatus();
}

absl::Status PassOffer(v1::WaitlistEntry& entry, absl::Time now) {
  if (entry.state() != v1::WAITLIST_STATE_OFFERED) return WrongState(entry);
  const bool over = time::ToTime(entry.latest()) <= now;
  EndOffer(entry, over ? v1::WAITLIST_STATE_LAPSED : v1::WAITLIST_STATE_WAITING);
  entry.set_passed_offers(entry.passed_offers() + 1);
  return absl::OkStatus();
}

absl::Status LeaveWaitlist(v1::WaitlistEntry& entry) {
  if (!IsWaiting(entry.state())) return WrongState(entry);
  EndOffer(entry, v1::WAITLIST_STATE_LEFT);
  return absl::OkStatus();
}

absl::Status LapseEntry(v1::WaitlistEntry& entry) {
  if (entry.state() != v1::WAITLIST_STATE_WAITING) return WrongState(entry);
  entry.set_state(v1::WAITLIST_STATE_LAPSED);
  return absl::OkStatus();
}

bool IsWaiting(v1::WaitlistState state) {
  return state == v1::WAITLIST_STATE_WAITING || state == v1::WAITLIST_STATE_OFFERED;
}

bool NeedsPromptOffer(const v1::WaitlistEntry& entry) {
  return entry.urgency() >= v1::WAITLIST_URGENCY_BOOSTER;
}

bool Suits(const v1::WaitlistEntry& entry, absl::Time start, int minutes, absl::TimeZone zone) {
  if (entry.has_earliest() && start < time::ToTime(entry.earliest())) return false;
  if (start >= time::ToTime(entry.latest())) return false;
  const absl::CivilSecond local = absl::ToCivilSecond(start, zone);
  if (time::ResolveLocal(local, zone) != start) return false;
  const absl::CivilDay day(local);
  const auto on = [&](int wanted) { return wanted == DayOfWeek(day); };
  if (entry.days_size() > 0 && std::none_of(entry.days().begin(), entry.days().end(), on)) {
    return false;
  }
  const absl::CivilMinute midnight(day);
  const auto from = absl::CivilMinute(local) - midnight;
  const auto until = absl::ToCivilMinute(start + absl::Minutes(minutes), zone) - midnight;
  const auto within = [&](const v1::DayStretch& stretch) {
    return time::ToMinutes(stretch.start_time()) <= from &&
           until <= time::ToMinutes(stretch.end_time());
  };
  return entry.times_size() == 0 || std::any_of(entry.times().begin(), entry.times().end(), within);
}

std::optional<absl::Time> FirstSuitable(const v1::WaitlistEntry& entry, int minutes,
                                        absl::TimeZone zone, const Interval& free,
                                        absl::Time not_before,
                                        absl::Span<const absl::Time> passed) {
  for (absl::Time start = free.start; start + absl::Minutes(minutes) <= free.end; start += kStep) {
    if (start >= not_before && Suits(entry, start, minutes, zone) &&
        std::find(passed.begin(), passed.end(), start) == passed.end()) {
      return start;
    }
  }
  return std::nullopt;
}

v1::WaitlistEntryEvent PayloadOf(const v1::WaitlistEntry& entry) {
  v1::WaitlistEntryEvent event;
  event.set_course(entry.course());
  event.set_urgency(entry.urgency());
  event.set_state(entry.state());
  event.set_offer(entry.offer());
  if (entry.has_offer_expire_time()) {
    *event.mutable_offer_expire_time() = entry.offer_expire_time();
  }
  return event;
}

}  // namespace rapport::scheduling
