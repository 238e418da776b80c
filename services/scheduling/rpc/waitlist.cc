#include "services/scheduling/rpc/waitlist.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/organizations.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/domain/waitlist.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/freed_time.h"
#include "services/scheduling/store/organization_store.h"

namespace rapport::scheduling {
namespace {

constexpr int kPage = 50;
// How many are looked at before a freed time is left alone.
constexpr int kMostCandidates = 500;
// How many times are tried for one who needs a time at once.
constexpr int kMostHolds = 8;
constexpr absl::Duration kProbeStep = absl::Minutes(15);
constexpr absl::Duration kStartStep = absl::Minutes(5);

// The Booker's no, by its rules: nothing was changed. What the database refuses is no answer.
bool IsRefusal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) && errors::Reason(status) != "CONSTRAINT";
}

bool HasEnded(v1::CourseState state) {
  return state == v1::COURSE_STATE_COMPLETED || state == v1::COURSE_STATE_DISCONTINUED;
}

// One offerer at a time for each clinician, lest two offer the same entry at once. Comes before the
// Booker's locks, always.
void LockOffers(Act& act, absl::string_view clinician_id) {
  act.tx().Lock({absl::StrCat("waitlist/", act.organization_id(), "/", clinician_id)});
}

absl::StatusOr<v1::Organization> OrganizationOf(Act& act) {
  ASSIGN_OR_RETURN(auto stored, store::GetOrganization(act.tx(), act.organization_id()));
  FillDefaults(*stored.resource.mutable_settings());
  return std::move(stored.resource);
}

absl::Status Put(Act& act, v1::WaitlistEntry& entry, int64_t version) {
  *entry.mutable_update_time() = time::ToTimestamp(act.now());
  RETURN_IF_ERROR(store::UpdateWaitlistEntry(act.tx(), entry, version));
  act.Record(entry.name(), version + 1, PayloadOf(entry), store::Document(entry));
  entry.set_etag(call::Etag(version + 1));
  if (!IsWaiting(entry.state())) {
    work::Unschedule(act.tx(), act.organization_id(), Waitlist::kLapseWork,
                     names::Last(entry.name()));
  }
  return absl::OkStatus();
}

// The entry no longer needs to be told what becomes of the hold.
void ForgetHold(Act& act, absl::string_view appointment) {
  work::Unschedule(act.tx(), act.organization_id(), store::kHoldWork, names::Last(appointment));
}

// The work that offers `free` to whoever comes after the entry of that key.
std::string NextKey(absl::string_view clinician_id, const Interval& free,
                    const store::WaitlistKey& after, int tries) {
  return absl::StrCat(clinician_id, ":", absl::ToUnixMicros(free.start), ":",
                      absl::ToUnixMicros(free.end), ":", after.urgency, ":", after.create_micros,
                      ":", after.id, ":", tries);
}

}  // namespace

absl::StatusOr<int> Waitlist::MinutesFor(Act& act, const store::Candidate& candidate) const {
  if (candidate.resource.minutes() > 0) return candidate.resource.minutes();
  ASSIGN_OR_RETURN(const auto protocol, protocols_.Find(act.tx(), candidate.course.protocol()));
  if (candidate.course.state() == v1::COURSE_STATE_MAINTENANCE) return protocol->session_minutes();
  return SessionPlanOf(*protocol, candidate.sessions_before + 1).minutes;
}

absl::StatusOr<bool> Waitlist::TryOffer(Act& act, store::Candidate& candidate, absl::Time start,
                                        int minutes,
                                        const v1::OrganizationSettings& settings) const {
  v1::WaitlistEntry& entry = candidate.resource;
  ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(candidate.time_zone));
  const absl::CivilMinute local = absl::ToCivilMinute(start, zone);
  const absl::CivilDay day(local);
  const absl::Time until = std::min(act.now() + time::ToDuration(settings.offer_time()), start);
  BookingAsk ask;
  ask.course = entry.course();
  ask.hold_until = until;
  ask.waitlist_entry = entry.name();
  ask.replaces = entry.replaces();
  ask.sessions.resize(1);
  ask.sessions[0].date = day;
  ask.sessions[0].minute_of_day = static_cast<int>(local - absl::CivilMinute(day));
  ask.sessions[0].minutes = minutes;
  const auto held = booker_.Book(act, ask);
  if (IsRefusal(held.status())) return false;
  RETURN_IF_ERROR(held.status());
  RETURN_IF_ERROR(OfferTime(entry, held->front().name(), until));
  RETURN_IF_ERROR(Put(act, entry, candidate.version));
  ++candidate.version;
  return true;
}

absl::Status Waitlist::OfferFreed(Act& act, absl::string_view clinician_id, const Interval& free,
                                  store::WaitlistKey after, int tries) const {
  const std::string& organization_id = act.organization_id();
  ASSIGN_OR_RETURN(const v1::Organization organization, OrganizationOf(act));
  const v1::OrganizationSettings& settings = organization.settings();
  const absl::Time not_before = act.now() + time::ToDuration(settings.minimum_notice());
  if (organization.state() != v1::ORGANIZATION_STATE_ACTIVE || free.end <= not_before) {
    return absl::OkStatus();
  }
  LockOffers(act, clinician_id);
  ASSIGN_OR_RETURN(const auto passes,
                   store::ListPasses(act.tx(), organization_id, clinician_id, free));
  for (int seen = 0; seen < kMostCandidates; seen += kPage) {
    ASSIGN_OR_RETURN(auto candidates, store::ListCandidates(act.tx(), organization_id, clinician_id,
                                                            free.start, after, kPage));
    for (store::Candidate& candidate : candidates) {
      v1::WaitlistEntry& entry = candidate.resource;
      after = store::KeyOf(entry);
      if (HasEnded(candidate.course.state())) {
        RETURN_IF_ERROR(LapseEntry(entry));
        RETURN_IF_ERROR(Put(act, entry, candidate.version));
        continue;
      }
      if (!RequireUnderWay(candidate.course.state()).ok()) continue;
      ASSIGN_OR_RETURN(const int minutes, MinutesFor(act, candidate));
      ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(candidate.time_zone));
      const auto passed = passes.find(after.id);
      const std::optional<absl::Time> start =
          FirstSuitable(entry, minutes, zone, free, not_before,
                        passed == passes.end() ? std::vector<absl::Time>() : passed->second);
      if (!start) continue;
      ASSIGN_OR_RETURN(const bool offered, TryOffer(act, candidate, *start, minutes, settings));
      if (!offered) {
        if (tries > 1) {
          work::Schedule(act.tx(), organization_id, store::kFreedTimeWork,
                         NextKey(clinician_id, free, after, tries - 1), act.now());
        }
        return absl::OkStatus();
      }
      const absl::Time end = *start + absl::Minutes(minutes);
      for (const Interval& rest : {Interval{free.start, *start}, Interval{end, free.end}}) {
        if (rest.end - rest.start < kProbeStep) continue;
        store::DeferFreedTime(act.tx(), organization_id, clinician_id, rest, act.now());
      }
      return absl::OkStatus();
    }
    if (candidates.size() < kPage) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Waitlist::OfferNearest(Act& act, store::Candidate& candidate) const {
  if (nearest_ == nullptr) return false;
  v1::WaitlistEntry& entry = candidate.resource;
  LockOffers(act, names::Last(candidate.course.clinician()));
  ASSIGN_OR_RETURN(const v1::Organization organization, OrganizationOf(act));
  const v1::OrganizationSettings& settings = organization.settings();
  ASSIGN_OR_RETURN(const int minutes, MinutesFor(act, candidate));
  ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(candidate.time_zone));
  absl::Time first = act.now() + time::ToDuration(settings.minimum_notice());
  if (entry.has_earliest()) first = std::max(first, time::ToTime(entry.earliest()));
  const absl::Time last = std::min(act.now() + kPromptWithin, time::ToTime(entry.latest()));
  std::vector<absl::Time> refused;
  for (absl::Time probe = first; probe < last && refused.size() < kMostHolds;) {
    const std::optional<absl::Time> start =
        nearest_(candidate.course.clinician(), candidate.course.clinic(), probe, minutes);
    if (!start) return false;
    if (*start >= first && *start < last && Suits(entry, *start, minutes, zone) &&
        std::find(refused.begin(), refused.end(), *start) == refused.end()) {
      ASSIGN_OR_RETURN(const bool offered, TryOffer(act, candidate, *start, minutes, settings));
      if (offered) return true;
      refused.push_back(*start);
    }
    // Nothing is nearer, so that nothing is free between.
    probe = *start >= probe ? *start + kStartStep : probe + kProbeStep;
  }
  return false;
}

absl::Status Waitlist::GiveBack(Act& act, absl::string_view appointment,
                                v1::AppointmentState to) const {
  const absl::Status status = booker_.Release(act, appointment, to, "").status();
  // No longer held: whoever ended it has been told.
  if (errors::Reason(status) == "APPOINTMENT_STATE") return absl::OkStatus();
  return status;
}

absl::Status Waitlist::Pass(Act& act, v1::WaitlistEntry& entry, int64_t version) const {
  ASSIGN_OR_RETURN(const auto appointment, store::GetAppointment(act.tx(), entry.offer(), {}));
  ForgetHold(act, entry.offer());
  RETURN_IF_ERROR(PassOffer(entry, act.now()));
  store::DeferPass(act.tx(), entry.name(), time::ToTime(appointment.resource.start_time()));
  return Put(act, entry, version);
}

absl::Status Waitlist::Decline(Act& act, v1::WaitlistEntry& entry, int64_t version) const {
  v1::WaitlistEntry declined = entry;
  RETURN_IF_ERROR(PassOffer(declined, act.now()));
  RETURN_IF_ERROR(GiveBack(act, entry.offer(), v1::APPOINTMENT_STATE_RELEASED));
  return Pass(act, entry, version);
}

absl::Status Waitlist::Leave(Act& act, v1::WaitlistEntry& entry, int64_t version) const {
  const std::string offer = entry.offer();
  RETURN_IF_ERROR(LeaveWaitlist(entry));
  if (!offer.empty()) {
    RETURN_IF_ERROR(GiveBack(act, offer, v1::APPOINTMENT_STATE_RELEASED));
    ForgetHold(act, offer);
  }
  return Put(act, entry, version);
}

absl::Status Waitlist::CancelReplaced(Act& act, const v1::WaitlistEntry& entry) const {
  if (entry.replaces().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto replaced, store::GetAppointment(act.tx(), entry.replaces(), {}));
  ASSIGN_OR_RETURN(const auto offer, store::GetAppointment(act.tx(), entry.offer(), {}));
  if (replaced.resource.state() != v1::APPOINTMENT_STATE_BOOKED ||
      time::ToTime(replaced.resource.start_time()) <= time::ToTime(offer.resource.start_time())) {
    return absl::OkStatus();
  }
  // By the clinic, who offered: it costs the patient no session, however late.
  return booker_.Cancel(act, entry.replaces(), v1::CANCEL_REASON_CLINIC, "").status();
}

absl::StatusOr<v1::Appointment> Waitlist::Accept(Act& act, v1::WaitlistEntry& entry,
                                                 int64_t version) const {
  RETURN_IF_ERROR(AcceptOffer(entry));
  RETURN_IF_ERROR(CancelReplaced(act, entry));
  ASSIGN_OR_RETURN(v1::Appointment booked, booker_.Confirm(act, entry.offer(), "", ""));
  ForgetHold(act, entry.offer());
  RETURN_IF_ERROR(Put(act, entry, version));
  return booked;
}

absl::Status Waitlist::Settle(Act& act, absl::string_view appointment) const {
  ASSIGN_OR_RETURN(auto offered, store::FindOfferedEntry(act.tx(), appointment));
  if (!offered) return absl::OkStatus();
  v1::WaitlistEntry& entry = offered->resource;
  ASSIGN_OR_RETURN(const auto held, store::GetAppointment(act.tx(), appointment, {}));
  switch (held.resource.state()) {
    case v1::APPOINTMENT_STATE_HELD:
      return absl::OkStatus();
    case v1::APPOINTMENT_STATE_RELEASED:
    case v1::APPOINTMENT_STATE_EXPIRED:
      return Pass(act, entry, offered->version);
    default:  // confirmed past the waitlist
      RETURN_IF_ERROR(AcceptOffer(entry));
      RETURN_IF_ERROR(CancelReplaced(act, entry));
      return Put(act, entry, offered->version);
  }
}

absl::Status Waitlist::EndHold(Act& act, absl::string_view appointment) const {
  const auto row = store::GetAppointment(act.tx(), appointment, {});
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  RETURN_IF_ERROR(row.status());
  if (row->resource.state() == v1::APPOINTMENT_STATE_HELD) {
    const absl::Time until = time::ToTime(row->resource.hold_expire_time());
    if (act.now() < until) {
      work::Schedule(act.tx(), act.organization_id(), store::kHoldWork, names::Last(appointment),
                     until);
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(GiveBack(act, appointment, v1::APPOINTMENT_STATE_EXPIRED));
  }
  return Settle(act, appointment);
}

absl::Status Waitlist::EndWait(Act& act, absl::string_view entry) const {
  auto row = store::GetWaitlistEntry(act.tx(), entry, {});
  if (absl::IsNotFound(row.status())) return absl::OkStatus();
  RETURN_IF_ERROR(row.status());
  // One that is offered a time lapses when it passes it.
  if (row->resource.state() != v1::WAITLIST_STATE_WAITING) return absl::OkStatus();
  RETURN_IF_ERROR(LapseEntry(row->resource));
  return Put(act, row->resource, row->version);
}

absl::Status Waitlist::DoFreed(sql::Transaction& tx, const work::Item& item, absl::Time now) const {
  const std::vector<std::string> parts = absl::StrSplit(item.key, ':');
  int64_t start = 0, end = 0;
  bool whole = (parts.size() == 3 || parts.size() == 7) && absl::SimpleAtoi(parts[1], &start) &&
               absl::SimpleAtoi(parts[2], &end);
  store::WaitlistKey after;
  int tries = 0;
  if (whole && parts.size() == 7) {
    whole = absl::SimpleAtoi(parts[3], &after.urgency) &&
            absl::SimpleAtoi(parts[4], &after.create_micros) && absl::SimpleAtoi(parts[6], &tries);
    after.id = parts[5];
  }
  if (!whole) return errors::Internal(absl::StrCat("No key of freed time: ", item.key));
  const Interval free = {absl::FromUnixMicros(start), absl::FromUnixMicros(end)};
  Act act(tx, item.organization_id, "OfferFreedTime", now);
  if (parts.size() == 3) return OfferFreed(act, parts[0], free);
  return OfferFreed(act, parts[0], free, std::move(after), tries);
}

void Waitlist::Register(work::Worker& worker) const {
  worker.On(store::kFreedTimeWork, [this](sql::Transaction& tx, const work::Item& item,
                                          absl::Time now) { return DoFreed(tx, item, now); });
  worker.On(store::kHoldWork, [this](sql::Transaction& tx, const work::Item& item, absl::Time now) {
    Act act(tx, item.organization_id, "ExpireHold", now);
    return EndHold(act, names::InOrganization(item.organization_id, "appointments", item.key));
  });
  worker.On(kLapseWork, [this](sql::Transaction& tx, const work::Item& item, absl::Time now) {
    Act act(tx, item.organization_id, "LapseWaitlistEntry", now);
    return EndWait(act, names::InOrganization(item.organization_id, "waitlistEntries", item.key));
  });
}

}  // namespace rapport::scheduling
