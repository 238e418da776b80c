#include "services/scheduling/rpc/booker.h"

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/call/own_act.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "common/work/work.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/courses.h"
#include "services/scheduling/domain/event_payloads.h"
#include "services/scheduling/domain/protocols.h"
#include "services/scheduling/domain/series.h"
#include "services/scheduling/rpc/access.h"
#include "services/scheduling/store/freed_time.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kLongestBuffer = absl::Minutes(60);
constexpr int kUsualAgeOfMajority = 18;

using Sessions = std::vector<v1::Appointment>;
using ProtocolPtr = std::shared_ptr<const v1::Protocol>;

// Where and for whom sessions are to be, under the lock of the course, if any.
struct Setting {
  store::BookingContext context;
  ProtocolPtr protocol;  // an empty one without a course
  absl::TimeZone zone;   // of the clinic
  View view = View::kFull;
  store::Scope scope;
  std::vector<CountedSession> taken;  // of the course: count, or are held

  const v1::Course& course() const { return context.course; }
  bool has_course() const { return !context.course.name().empty(); }
};

// A session on its way.
struct Draft {
  AskedSession asked;
  v1::Appointment appointment;
  int64_t version = 0;  // 0: it is new
};

store::Scope ScopeFor(const Act& act) {
  if (act.caller() != nullptr) return ScopeOf(*act.caller());
  store::Scope scope;
  scope.now = act.now();
  scope.desk = scope.all = true;
  return scope;
}

View ViewOfRow(const call::CallContext& context, const store::Scope& scope,
               const store::AppointmentRow& row) {
  const View view = ViewOf(context, scope, row.treats, row.resource.clinic(), row.supervises);
  return row.resource.private_session() && view < View::kRead ? View::kNone : view;
}

// An appointment that the act may change.
absl::StatusOr<store::AppointmentRow> ReadToChange(Act& act, absl::string_view name, View& view) {
  const store::Scope scope = ScopeFor(act);
  ASSIGN_OR_RETURN(store::AppointmentRow row, store::GetAppointment(act.tx(), name, scope));
  view = View::kFull;
  if (act.caller() == nullptr) return row;
  view = ViewOfRow(*act.caller(), scope, row);
  RETURN_IF_ERROR(RequireScheduling(scope, view, row.resource.clinic(), "Appointment"));
  return row;
}

// What stands for the appointment in the first step of locks.
std::string AggregateOf(const v1::Appointment& appointment) {
  return appointment.course().empty() ? appointment.name() : appointment.course();
}

std::string RoomsLock(absl::string_view clinic) { return absl::StrCat(clinic, "/rooms"); }

// The second step of locks for everyone in `keys`, and the rooms of `clinic` if one may be needed.
void LockTimes(Act& act, const std::set<std::string>& keys, absl::string_view clinic, bool rooms) {
  std::vector<std::string> locks;
  for (const std::string& key : keys) {
    if (!absl::StartsWith(key, "rooms/")) {
      locks.push_back(NameOfClaimKey(act.organization_id(), key));
    }
  }
  if (rooms) locks.push_back(RoomsLock(clinic));
  act.tx().Lock(std::move(locks));
}

std::vector<CountedSession> Taken(const store::BookingContext& context, absl::Time now,
                                  const std::set<std::string>& but = {}) {
  std::vector<CountedSession> taken;
  for (const store::CourseSession& session : context.sessions) {
    if (but.contains(session.id) || (!session.counts && session.expires <= now)) continue;
    taken.push_back({session.start, session.id});
  }
  return taken;
}

absl::Status Complete(Setting& setting, absl::Time now) {
  ASSIGN_OR_RETURN(setting.zone, time::LoadZone(setting.context.clinic.time_zone()));
  setting.taken = Taken(setting.context, now);
  return absl::OkStatus();
}

// Under the lock of the course.
absl::StatusOr<Setting> OpenCourse(Act& act, const Protocols& protocols, absl::string_view course) {
  Setting setting;
  setting.scope = ScopeFor(act);
  ASSIGN_OR_RETURN(setting.context, store::GetBookingContext(act.tx(), course, setting.scope));
  if (act.caller() != nullptr) {
    setting.view = ViewOf(*act.caller(), setting.scope, setting.context.treats,
                          setting.course().clinic(), setting.context.supervises);
    RETURN_IF_ERROR(
        RequireScheduling(setting.scope, setting.view, setting.course().clinic(), "Course"));
  }
  ASSIGN_OR_RETURN(setting.protocol, protocols.Find(act.tx(), setting.course().protocol()));
  RETURN_IF_ERROR(Complete(setting, act.now()));
  return setting;
}

absl::StatusOr<Setting> OpenPlace(Act& act, absl::string_view clinic, absl::string_view clinician) {
  Setting setting;
  setting.scope = ScopeFor(act);
  ASSIGN_OR_RETURN(setting.context,
                   store::GetPlaceContext(act.tx(), clinic, clinician, setting.scope));
  if (act.caller() != nullptr) {
    setting.view = ViewOf(*act.caller(), setting.scope, setting.context.treats, clinic);
  }
  setting.protocol = ProtocolPtr(std::shared_ptr<void>(), &v1::Protocol::default_instance());
  RETURN_IF_ERROR(Complete(setting, act.now()));
  return setting;
}

absl::StatusOr<Setting> LockCourse(Act& act, const Protocols& protocols,
                                   const std::string& course) {
  act.tx().Lock({course});
  return OpenCourse(act, protocols, course);
}

SessionTime TimeOf(absl::CivilDay date, int minute_of_day, int minutes, absl::TimeZone zone) {
  return SeriesTimes(date, minute_of_day, 1, 1, minutes, zone).front();
}

SessionTime TimeOf(const v1::Appointment& appointment) {
  return {time::ToCivilDay(appointment.local_date()), time::ToMinutes(appointment.local_time()),
          time::ToTime(appointment.start_time()), time::ToTime(appointment.end_time())};
}

bool UnderAge(const v1::PatientParticulars& patient, absl::CivilDay day) {
  if (patient.has_majority_on()) return day < time::ToCivilDay(patient.majority_on());
  return day < absl::CivilDay(absl::CivilMonth(patient.birth_year() + kUsualAgeOfMajority,
                                               patient.birth_month()));
}

absl::Status CheckPrivate(const Setting& setting, const SessionAsk& ask) {
  if (ask.private_with.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(RequireTreating(setting.view));
  const v1::Course& course = setting.course();
  if (ask.private_with != course.patient() &&
      (course.partner().empty() || ask.private_with != course.partner())) {
    return errors::InvalidArgument("private_with", "must be a patient of the course");
  }
  if (course.partner().empty() && !UnderAge(course.patient_particulars(), ask.date)) {
    return errors::InvalidArgument("private_with", "is for a couple's or a minor's course");
  }
  return absl::OkStatus();
}

// Whose appointment it is: one patient's, or the couple's.
std::vector<std::string> PatientsOf(const v1::Appointment& appointment, const v1::Course& course) {
  std::vector<std::string> patients = {appointment.patient()};
  if (!appointment.private_session() && !course.partner().empty()) {
    patients.push_back(course.partner());
  }
  return patients;
}

void AddPartner(v1::Appointment& appointment, const v1::Course& course) {
  if (appointment.private_session() || course.partner().empty()) return;
  const std::vector<v1::Participant> others(appointment.participants().begin(),
                                            appointment.participants().end());
  appointment.clear_participants();
  v1::Participant& partner = *appointment.add_participants();
  partner.set_role(v1::PARTICIPANT_ROLE_PARTNER);
  partner.set_person(course.partner());
  partner.set_note_subject(true);
  for (const v1::Participant& other : others) {
    if (other.person() != course.partner()) *appointment.add_participants() = other;
  }
}

// What the appointment claims, but for its room.
AskedSession AskedOf(const v1::Appointment& appointment) {
  AskedSession asked;
  asked.booking = std::string(names::Last(appointment.name()));
  asked.time = TimeOf(appointment);
  asked.modality = appointment.modality();
  // A seat takes the member's time alone: the clinicians' and the room's are the group's.
  if (appointment.group_session().empty()) {
    asked.clinicians.push_back(ClaimKey(appointment.clinician()));
    asked.room = appointment.room();
  }
  // Patients work through an online unit when they like.
  if (appointment.modality() == v1::MODALITY_ONLINE_UNIT) return asked;
  asked.others.push_back(ClaimKey(appointment.patient()));
  for (const v1::Participant& participant : appointment.participants()) {
    if (!participant.person().empty()) asked.others.push_back(ClaimKey(participant.person()));
  }
  return asked;
}

absl::StatusOr<Draft> MakeDraft(Act& act, const Setting& setting, const BookingAsk& booking,
                                const SessionAsk& ask, int number) {
  const v1::Course& course = setting.course();
  Draft draft;
  v1::Appointment& appointment = draft.appointment;
  appointment.set_name(names::InOrganization(act.organization_id(), "appointments", NewId()));
  appointment.set_course(course.name());
  appointment.set_patient(setting.has_course() ? course.patient() : booking.patient);
  if (!ask.private_with.empty()) {
    appointment.set_private_session(true);
    appointment.set_patient(ask.private_with);
  }
  const std::string& usual = setting.has_course() ? course.clinician() : booking.clinician;
  appointment.set_clinician(ask.clinician.empty() ? usual : ask.clinician);
  appointment.set_clinic(setting.context.clinic.name());
  appointment.set_segment(course.segment());
  appointment.set_series(booking.series);
  appointment.set_waitlist_entry(booking.waitlist_entry);
  appointment.set_telehealth_uri(ask.telehealth_uri);
  for (const v1::Participant& participant : ask.participants) {
    *appointment.add_participants() = participant;
    appointment.mutable_participants()->rbegin()->clear_attendance();
  }
  AddPartner(appointment, course);

  SessionPlan plan;
  if (setting.has_course()) {
    plan = SessionPlanOf(*setting.protocol, number);
    if (course.state() == v1::COURSE_STATE_MAINTENANCE) {
      plan.minutes = setting.protocol->session_minutes();
      plan.modality = v1::MODALITY_UNSPECIFIED;
    }
  }
  for (v1::Modality modality : {ask.modality, plan.modality, v1::MODALITY_IN_PERSON}) {
    if (appointment.modality() == v1::MODALITY_UNSPECIFIED) appointment.set_modality(modality);
  }
  SetTime(appointment,
          TimeOf(ask.date, ask.minute_of_day, ask.minutes > 0 ? ask.minutes : plan.minutes,
                 setting.zone),
          setting.context.clinic.time_zone());
  *appointment.mutable_create_time() = time::ToTimestamp(act.now());
  appointment.set_state(v1::APPOINTMENT_STATE_BOOKED);
  if (booking.hold_until) {
    appointment.set_state(v1::APPOINTMENT_STATE_HELD);
    *appointment.mutable_hold_expire_time() =
        time::ToTimestamp(std::min(*booking.hold_until, time::ToTime(appointment.start_time())));
  }
  draft.asked = AskedOf(appointment);
  draft.asked.room_need = ask.room_need;
  return draft;
}

// The number among the course's sessions of one that begins at `start`, `before` of the drafts
// being earlier.
int NumberAt(const Setting& setting, absl::Time start, int before) {
  return before + 1 +
         static_cast<int>(
             std::count_if(setting.taken.begin(), setting.taken.end(),
                           [&](const CountedSession& session) { return session.start < start; }));
}

std::vector<SessionTime> TimesOfCounted(const std::vector<Draft>& drafts) {
  std::vector<SessionTime> times;
  for (const Draft& draft : drafts) {
    if (!draft.appointment.private_session()) times.push_back(draft.asked.time);
  }
  std::sort(times.begin(), times.end(),
            [](const SessionTime& a, const SessionTime& b) { return a.start < b.start; });
  return times;
}

absl::Status CheckCap(const Setting& setting, std::vector<CountedSession> taken,
                      const std::vector<SessionTime>& times) {
  const auto refusal =
      CheckCourse(CourseFactsOf(setting.course(), *setting.protocol, setting.zone, taken), times);
  return refusal ? Refused(*refusal, times[refusal->session].date, {}) : absl::OkStatus();
}

// What is known about the times of `drafts`, under the locks of all concerned.
struct Known {
  BookingFacts facts;
  std::vector<store::Stored<v1::Appointment>> ended_holds;
};
absl::StatusOr<Known> LockAndRead(Act& act, const Setting& setting,
                                  const std::vector<AskedSession>& sessions,
                                  std::set<std::string> moving = {},
                                  std::set<std::string> more_locks = {}) {
  Known known;
  BookingFacts& facts = known.facts;
  facts.now = act.now();
  facts.minimum_notice = time::ToDuration(setting.context.settings.minimum_notice());
  facts.travel_time = time::ToDuration(setting.context.settings.travel_time());
  facts.clinic = setting.context.clinic;
  facts.zone = setting.zone;

  store::TimesAsk ask;
  ask.moving = std::move(moving);
  std::set<std::string> rooms;
  bool any_room = false;
  for (const AskedSession& session : sessions) {
    ask.keys.insert(session.clinicians.begin(), session.clinicians.end());
    ask.keys.insert(session.others.begin(), session.others.end());
    ask.any_hours |= !session.clinicians.empty() && AnyHoursWillDo(session.modality);
    const v1::RoomNeed& need = session.room_need;
    if (!need.room().empty()) {
      rooms.insert(std::string(names::Last(need.room())));
    } else if (need.capacity() > 0 || !need.features().empty()) {
      any_room = true;
    }
    const absl::Duration margin = facts.travel_time + kLongestBuffer;
    const absl::Time day = time::ResolveLocal(absl::CivilSecond(session.time.date), setting.zone);
    const absl::Time next =
        time::ResolveLocal(absl::CivilSecond(session.time.date + 1), setting.zone);
    ask.windows.push_back(
        {{std::min(day, session.time.start - margin), std::max(next, session.time.end + margin)},
         {session.time.start, session.time.end}});
  }
  const bool needs_room = any_room || !rooms.empty();
  if (needs_room) {
    ask.clinic_id = std::string(names::Last(setting.context.clinic.name()));
    if (!any_room && rooms.size() == 1) ask.room_id = *rooms.begin();
  }
  more_locks.insert(ask.keys.begin(), ask.keys.end());
  LockTimes(act, more_locks, setting.context.clinic.name(), needs_room);
  ASSIGN_OR_RETURN(known.ended_holds,
                   store::ReadTimes(act.tx(), act.organization_id(), ask, facts));
  for (const AskedSession& session : sessions) {
    for (const std::string& key : session.clinicians) {
      if (facts.clinicians.contains(key)) continue;
      return errors::FailedPrecondition(
          "UNKNOWN_CLINICIAN", "There is no such clinician.",
          {{"clinician", NameOfClaimKey(act.organization_id(), key)}});
    }
  }
  return known;
}

absl::Status Explain(Act& act, const Setting& setting, const NearestFree& nearest,
                     const Refusal& refusal, const AskedSession& session) {
  RefusalContext shown;
  if (!refusal.booking.empty()) {
    const std::string name =
        names::InOrganization(act.organization_id(), "appointments", refusal.booking);
    const auto row = store::GetAppointment(act.tx(), name, setting.scope);
    if (row.ok() &&
        (act.caller() == nullptr || ViewOfRow(*act.caller(), setting.scope, *row) != View::kNone)) {
      shown.appointment = name;
    }
    // That a patient, or who comes with them, is elsewhere is not for everyone to know.
    const bool staff = absl::StartsWith(refusal.resource, "clinicians/") ||
                       absl::StartsWith(refusal.resource, "rooms/");
    if (staff || !shown.appointment.empty()) {
      shown.resource = NameOfClaimKey(act.organization_id(), refusal.resource);
    }
  }
  if (nearest != nullptr && AnotherTimeMayHelp(refusal) && !session.clinicians.empty()) {
    const std::optional<absl::Time> free =
        nearest(NameOfClaimKey(act.organization_id(), session.clinicians.front()),
                setting.context.clinic.name(), session.time.start,
                static_cast<int>((session.time.end - session.time.start) / absl::Minutes(1)));
    if (free) shown.alternative = absl::FormatTime(absl::RFC3339_sec, *free, setting.zone);
  }
  return Refused(refusal, session.time.date, shown);
}

absl::Time BusyUntil(const std::vector<WantedClaim>& claims, const AskedSession& session) {
  if (session.clinicians.empty()) return absl::InfiniteFuture();
  for (const WantedClaim& claim : claims) {
    if (claim.key == session.clinicians.front()) return claim.time.end;
  }
  return absl::InfiniteFuture();
}

void OfferFreed(Act& act, const v1::Appointment& appointment, const Interval& time) {
  if (time.end <= act.now() || !appointment.group_session().empty()) return;
  store::DeferFreedTime(act.tx(), act.organization_id(), names::Last(appointment.clinician()), time,
                        act.now());
}

void OfferFreed(Act& act, const v1::Appointment& appointment) {
  OfferFreed(act, appointment,
             {time::ToTime(appointment.start_time()), time::ToTime(appointment.end_time())});
}

// Holds that have outlived their time. Another booking, of others of the hold's people, may end one
// at the same moment; if instead it was confirmed at its last, its claims stand, and the database
// refuses those of the act.
absl::Status EndHolds(Act& act, std::vector<store::Stored<v1::Appointment>> holds) {
  for (auto& [hold, version] : holds) {
    if (!EndHold(hold, v1::APPOINTMENT_STATE_EXPIRED).ok()) continue;
    *hold.mutable_update_time() = time::ToTimestamp(act.now());
    const absl::Status ended =
        store::UpdateAppointment(act.tx(), hold, v1::Protocol::default_instance(), version);
    if (errors::Reason(ended) == "LOST_RACE") continue;
    RETURN_IF_ERROR(ended);
    // Not the caller's doing, whoever it is.
    Act own(act.tx(), act.organization_id(), "ExpireHold", act.now());
    RecordAppointment(own, hold, v1::Protocol::default_instance(), version + 1,
                      absl::InfiniteFuture());
    OfferFreed(act, hold);
  }
  return absl::OkStatus();
}

// Its item of work, due at `expires`, has nothing to wait for any more.
void SettleHoldWork(Act& act, const v1::Appointment& hold, absl::Time expires) {
  if (expires <= act.now()) return;
  const absl::string_view id = names::Last(hold.name());
  if (hold.waitlist_entry().empty()) {
    work::Unschedule(act.tx(), act.organization_id(), store::kHoldWork, id);
  } else {
    work::Schedule(act.tx(), act.organization_id(), store::kHoldWork, id, act.now());
  }
}

std::vector<store::ClaimRow> ClaimRows(const std::vector<WantedClaim>& claims,
                                       const v1::Appointment& appointment) {
  const absl::Time expires = appointment.state() == v1::APPOINTMENT_STATE_HELD
                                 ? time::ToTime(appointment.hold_expire_time())
                                 : absl::InfiniteFuture();
  std::vector<store::ClaimRow> rows;
  for (const WantedClaim& claim : claims) {
    rows.push_back({claim.key, claim.time, std::string(names::Last(appointment.name())), expires});
  }
  return rows;
}

// What deserves a second look: anew each time, but for what the check-in brought.
void FillWarnings(v1::Appointment& appointment, const Setting& setting, const BookingFacts& facts,
                  int number) {
  appointment.clear_warnings();
  const v1::Course& course = setting.course();
  if (!setting.has_course() || !appointment.group_session().empty()) return;
  const v1::PatientParticulars& patient = appointment.patient() == course.partner()
                                              ? course.partner_particulars()
                                              : course.patient_particulars();
  const auto clinician = facts.clinicians.find(ClaimKey(appointment.clinician()));
  if (appointment.modality() != v1::MODALITY_IN_PERSON && clinician != facts.clinicians.end() &&
      !MayTreatIn(clinician->second.clinician, setting.context.clinic, patient.jurisdiction())) {
    Warn(appointment, v1::APPOINTMENT_WARNING_JURISDICTION_MISMATCH);
  }
  if (!appointment.private_session() && course.state() != v1::COURSE_STATE_MAINTENANCE) {
    for (v1::ParticipantRole role :
         RequiredRoles(*setting.protocol, number, course.planned_sessions())) {
      const auto& there = appointment.participants();
      if (std::none_of(there.begin(), there.end(),
                       [&](const v1::Participant& one) { return one.role() == role; })) {
        Warn(appointment, v1::APPOINTMENT_WARNING_PARTICIPANT_MISSING);
      }
    }
  }
  if (appointment.clinician() != course.clinician()) {
    Warn(appointment, v1::APPOINTMENT_WARNING_OTHER_CLINICIAN);
  }
}

void FillUri(v1::Appointment& appointment, const BookingFacts& facts) {
  if (!IsRemote(appointment.modality())) {
    appointment.clear_telehealth_uri();
    return;
  }
  const auto clinician = facts.clinicians.find(ClaimKey(appointment.clinician()));
  if (appointment.telehealth_uri().empty() && clinician != facts.clinicians.end()) {
    appointment.set_telehealth_uri(clinician->second.clinician.telehealth_uri());
  }
}

// Writes new appointments, whose times are checked.
absl::StatusOr<Sessions> Insert(Act& act, const Setting& setting, Known known,
                                std::vector<Draft> drafts) {
  RETURN_IF_ERROR(EndHolds(act, std::move(known.ended_holds)));
  std::vector<CountedSession> counted;
  for (const store::CourseSession& session : setting.context.sessions) {
    if (session.counts) counted.push_back({session.start, session.id});
  }
  std::vector<store::ClaimRow> claims;
  Sessions booked;
  for (Draft& draft : drafts) {
    v1::Appointment& appointment = draft.appointment;
    appointment.set_room(draft.asked.room);
    *appointment.mutable_update_time() = time::ToTimestamp(act.now());
    const std::vector<WantedClaim> wanted = ClaimsOf(known.facts, draft.asked);
    for (store::ClaimRow& row : ClaimRows(wanted, appointment)) claims.push_back(std::move(row));
    store::InsertAppointment(act.tx(), appointment, *setting.protocol,
                             PatientsOf(appointment, setting.course()));
    RecordAppointment(act, appointment, *setting.protocol, 1, BusyUntil(wanted, draft.asked));
    if (appointment.state() == v1::APPOINTMENT_STATE_HELD) {
      work::Schedule(act.tx(), act.organization_id(), store::kHoldWork,
                     names::Last(appointment.name()), time::ToTime(appointment.hold_expire_time()));
    }
    if (CountsTowardsCourse(appointment, *setting.protocol)) {
      counted.push_back({draft.asked.time.start, draft.asked.booking});
    }
    appointment.set_etag(call::Etag(1));
    booked.push_back(std::move(appointment));
  }
  store::InsertClaims(act.tx(), act.organization_id(), claims);
  const std::map<std::string, int> numbers = NumberSessions(std::move(counted));
  for (v1::Appointment& appointment : booked) {
    const auto number = numbers.find(std::string(names::Last(appointment.name())));
    if (number != numbers.end()) appointment.set_session_number(number->second);
  }
  return booked;
}

absl::StatusOr<Sessions> BookIn(Act& act, const NearestFree& nearest, const Setting& setting,
                                const BookingAsk& ask) {
  if (setting.has_course()) RETURN_IF_ERROR(RequireUnderWay(setting.course().state()));
  std::vector<Draft> drafts;
  std::vector<int> numbers;
  int before = 0;
  for (const SessionAsk& session : ask.sessions) {
    RETURN_IF_ERROR(CheckPrivate(setting, session));
    const absl::Time start = TimeOf(session.date, session.minute_of_day, 1, setting.zone).start;
    numbers.push_back(NumberAt(setting, start, before));
    ASSIGN_OR_RETURN(Draft draft, MakeDraft(act, setting, ask, session, numbers.back()));
    if (!draft.appointment.private_session()) ++before;
    drafts.push_back(std::move(draft));
  }
  if (setting.has_course()) {
    RETURN_IF_ERROR(CheckCap(setting, setting.taken, TimesOfCounted(drafts)));
  }

  std::vector<AskedSession> sessions;
  for (const Draft& draft : drafts) sessions.push_back(draft.asked);
  ASSIGN_OR_RETURN(Known known, LockAndRead(act, setting, sessions));
  if (ask.urgent) known.facts.minimum_notice = absl::ZeroDuration();
  if (const auto refusal = CheckTimes(known.facts, absl::MakeSpan(sessions))) {
    return Explain(act, setting, nearest, *refusal, sessions[refusal->session]);
  }
  for (size_t i = 0; i < drafts.size(); ++i) {
    drafts[i].asked = std::move(sessions[i]);
    FillUri(drafts[i].appointment, known.facts);
    FillWarnings(drafts[i].appointment, setting, known.facts, numbers[i]);
  }
  return Insert(act, setting, std::move(known), std::move(drafts));
}

// The sessions of a series by its rule: `count`, then those that make up for skipped ones, each as
// far from the one before as the last two are.
absl::StatusOr<std::vector<SessionAsk>> SessionsOf(const Setting& setting, const SeriesAsk& ask) {
  std::vector<int> offsets;
  if (setting.course().state() == v1::COURSE_STATE_MAINTENANCE) {
    for (int i = 0; i < ask.count; ++i) {
      offsets.push_back(i * setting.course().maintenance().cadence_days());
    }
  } else {
    const absl::Time start = TimeOf(ask.first, ask.each.minute_of_day, 1, setting.zone).start;
    offsets = DayOffsets(*setting.protocol, NumberAt(setting, start, 0), ask.count);
  }
  const int step = offsets.size() > 1 ? offsets.back() - offsets[offsets.size() - 2]
                                      : setting.protocol->cadence_days();
  for (int i = 0; i < ask.exceptions.size(); ++i) offsets.push_back(offsets.back() + step);
  SeriesRule rule;
  rule.first = ask.first;
  rule.minute_of_day = ask.each.minute_of_day;
  rule.count = ask.count;
  rule.modality = ask.each.modality;
  rule.day_offsets = offsets;
  ASSIGN_OR_RETURN(const std::vector<SeriesSession> times, ExpandSeries(rule, ask.exceptions));
  std::vector<SessionAsk> sessions;
  for (const SeriesSession& time : times) {
    SessionAsk& session = sessions.emplace_back(ask.each);
    session.date = time.date;
    session.minute_of_day = time.minute_of_day;
    session.modality = time.modality;
  }
  return sessions;
}

// Keys of everyone whose time the appointment takes.
std::set<std::string> KeysOf(const v1::Appointment& appointment) {
  const AskedSession asked = AskedOf(appointment);
  std::set<std::string> keys(asked.others.begin(), asked.others.end());
  keys.insert(asked.clinicians.begin(), asked.clinicians.end());
  return keys;
}

// As the caller may see it.
v1::Appointment Shown(v1::Appointment appointment, View view) {
  if (view < View::kRead) KeepTimes(appointment);
  return appointment;
}

}  // namespace

void RecordAppointment(Act& act, const v1::Appointment& appointment, const v1::Protocol& protocol,
                       int64_t version, absl::Time busy_until) {
  const v1::AppointmentEvent whole = PayloadOf(appointment, protocol, busy_until);
  const std::string document = store::Document(appointment);
  if (!appointment.private_session()) {
    act.Record(appointment.name(), version, whole, document);
    return;
  }
  act.Record(appointment.name(), version, MaskedPayload(whole), document);
  v1::PrivateAppointmentEvent event;
  *event.mutable_appointment() = whole;
  act.Record(absl::StrCat(appointment.name(), "/private"), version, event, document);
}

absl::Status ExplainOverlap(const absl::Status& status) {
  return errors::MetadataValue(status, "constraint") == store::kClaimOverlap ? TimeTaken() : status;
}

absl::StatusOr<v1::Appointment> Booker::Read(sql::Session& session,
                                             const call::CallContext& context,
                                             absl::string_view name) {
  const store::Scope scope = ScopeOf(context);
  ASSIGN_OR_RETURN(store::AppointmentRow row, store::GetAppointment(session, name, scope));
  const View view = ViewOfRow(context, scope, row);
  if (view == View::kNone) return errors::NotFound("Appointment");
  return Shown(std::move(row.resource), view);
}

absl::StatusOr<Sessions> Booker::Book(Act& act, const BookingAsk& ask) const {
  if (!ask.course.empty()) {
    ASSIGN_OR_RETURN(Setting setting, LockCourse(act, protocols_, ask.course));
    if (!ask.replaces.empty()) {
      setting.taken = Taken(setting.context, act.now(), {std::string(names::Last(ask.replaces))});
    }
    return BookIn(act, nearest_, setting, ask);
  }
  ASSIGN_OR_RETURN(const Setting setting, OpenPlace(act, ask.clinic, ask.clinician));
  if (setting.view == View::kNone) return RequireTreating(View::kTimes);
  return BookIn(act, nearest_, setting, ask);
}

absl::StatusOr<Sessions> Booker::BookSeries(Act& act, const SeriesAsk& ask) const {
  ASSIGN_OR_RETURN(const Setting setting, LockCourse(act, protocols_, ask.course));
  BookingAsk booking;
  booking.course = ask.course;
  booking.series = ask.series;
  ASSIGN_OR_RETURN(booking.sessions, SessionsOf(setting, ask));
  return BookIn(act, nearest_, setting, booking);
}

absl::StatusOr<v1::Appointment> Booker::Confirm(Act& act, absl::string_view appointment,
                                                absl::string_view course,
                                                absl::string_view etag) const {
  View view;
  ASSIGN_OR_RETURN(store::AppointmentRow row, ReadToChange(act, appointment, view));
  const std::string own_course = row.resource.course();
  if (!course.empty() && !own_course.empty() && course != own_course) {
    return errors::FailedPrecondition("COURSE_MISMATCH", "The time is held for another course.");
  }
  if (own_course.empty() && course.empty()) {
    return errors::InvalidArgument("course", "is required for a hold made without one");
  }
  const std::string of = own_course.empty() ? std::string(course) : own_course;
  std::vector<std::string> aggregates = {of};
  if (own_course.empty()) aggregates.push_back(row.resource.name());
  act.tx().Lock(std::move(aggregates));
  ASSIGN_OR_RETURN(const Setting setting, OpenCourse(act, protocols_, of));
  std::set<std::string> keys = KeysOf(row.resource);
  if (!setting.course().partner().empty()) keys.insert(ClaimKey(setting.course().partner()));
  LockTimes(act, keys, row.resource.clinic(), !row.resource.room().empty());
  ASSIGN_OR_RETURN(row, ReadToChange(act, appointment, view));
  v1::Appointment& hold = row.resource;
  RETURN_IF_ERROR(call::CheckEtag(etag, row.version));
  const absl::Time expires = time::ToTime(hold.hold_expire_time());
  RETURN_IF_ERROR(ConfirmHold(hold, act.now()));
  RETURN_IF_ERROR(RequireUnderWay(setting.course().state()));

  const AskedSession before = AskedOf(hold);
  if (own_course.empty()) {
    if (hold.patient() != setting.course().patient() ||
        hold.clinician() != setting.course().clinician() ||
        hold.clinic() != setting.course().clinic()) {
      return errors::FailedPrecondition(
          "COURSE_MISMATCH", "The time is held for another patient, clinician or clinic.");
    }
    hold.set_course(of);
    AddPartner(hold, setting.course());
  }
  hold.set_segment(setting.course().segment());
  AskedSession asked = AskedOf(hold);
  const std::vector<CountedSession> others = Taken(setting.context, act.now(), {asked.booking});
  if (!hold.private_session()) RETURN_IF_ERROR(CheckCap(setting, others, {asked.time}));
  ASSIGN_OR_RETURN(Known known, LockAndRead(act, setting, {asked}, {asked.booking}));
  std::optional<Refusal> refusal = CheckStillPossible(known.facts, asked);
  std::vector<WantedClaim> joined;  // the partner, whom the hold did not know
  for (const WantedClaim& claim : ClaimsOf(known.facts, asked)) {
    if (std::count(before.others.begin(), before.others.end(), claim.key) == 0 &&
        std::count(asked.others.begin(), asked.others.end(), claim.key) > 0) {
      joined.push_back(claim);
    }
  }
  if (!refusal && !joined.empty()) {
    AskedSession partner = asked;
    partner.clinicians.clear();
    partner.room.clear();
    partner.others = {joined.front().key};
    refusal = CheckTimes(known.facts, absl::MakeSpan(&partner, 1));
  }
  if (refusal) return Explain(act, setting, nearest_, *refusal, asked);

  RETURN_IF_ERROR(EndHolds(act, std::move(known.ended_holds)));
  FillWarnings(hold, setting, known.facts,
               1 + static_cast<int>(std::count_if(others.begin(), others.end(),
                                                  [&](const CountedSession& session) {
                                                    return session.start < asked.time.start;
                                                  })));
  *hold.mutable_update_time() = time::ToTimestamp(act.now());
  RETURN_IF_ERROR(store::UpdateAppointment(act.tx(), hold, *setting.protocol, row.version));
  store::BookClaims(act.tx(), act.organization_id(), asked.booking);
  store::InsertClaims(act.tx(), act.organization_id(), ClaimRows(joined, hold));
  if (!joined.empty()) store::InsertAttendee(act.tx(), hold, setting.course().partner());
  RecordAppointment(act, hold, *setting.protocol, row.version + 1, row.busy_until);
  SettleHoldWork(act, hold, expires);
  std::vector<CountedSession> counted = {{asked.time.start, asked.booking}};
  for (const store::CourseSession& session : setting.context.sessions) {
    if (session.counts) counted.push_back({session.start, session.id});
  }
  if (CountsTowardsCourse(hold, *setting.protocol)) {
    hold.set_session_number(NumberSessions(std::move(counted)).at(asked.booking));
  }
  hold.set_etag(call::Etag(row.version + 1));
  return Shown(std::move(hold), view);
}

absl::StatusOr<v1::Appointment> Booker::Release(Act& act, absl::string_view appointment,
                                                v1::AppointmentState to,
                                                absl::string_view etag) const {
  View view;
  ASSIGN_OR_RETURN(store::AppointmentRow row, ReadToChange(act, appointment, view));
  act.tx().Lock({AggregateOf(row.resource)});
  LockTimes(act, KeysOf(row.resource), row.resource.clinic(), !row.resource.room().empty());
  ASSIGN_OR_RETURN(row, ReadToChange(act, appointment, view));
  v1::Appointment& hold = row.resource;
  RETURN_IF_ERROR(call::CheckEtag(etag, row.version));
  const absl::Time expires = time::ToTime(hold.hold_expire_time());
  RETURN_IF_ERROR(EndHold(hold, to));
  *hold.mutable_update_time() = time::ToTimestamp(act.now());
  const v1::Protocol& none = v1::Protocol::default_instance();  // what is not booked never counts
  RETURN_IF_ERROR(store::UpdateAppointment(act.tx(), hold, none, row.version));
  RecordAppointment(act, hold, none, row.version + 1, absl::InfiniteFuture());
  OfferFreed(act, hold);
  SettleHoldWork(act, hold, expires);
  hold.set_etag(call::Etag(row.version + 1));
  return Shown(std::move(hold), view);
}

absl::StatusOr<Sessions> Booker::Move(Act& act, const MoveAsk& ask) const {
  View view;
  ASSIGN_OR_RETURN(store::AppointmentRow row, ReadToChange(act, ask.appointment, view));
  RETURN_IF_ERROR(RequireMovable(row.resource));
  ASSIGN_OR_RETURN(const Setting setting, LockCourse(act, protocols_, row.resource.course()));
  ASSIGN_OR_RETURN(row, ReadToChange(act, ask.appointment, view));
  RETURN_IF_ERROR(call::CheckEtag(ask.etag, row.version));
  const v1::Appointment& first = row.resource;
  RETURN_IF_ERROR(RequireMovable(first));
  RETURN_IF_ERROR(RequireUnderWay(setting.course().state()));
  std::vector<store::Stored<v1::Appointment>> moving;
  if (ask.and_following) {
    if (first.series().empty()) {
      return errors::FailedPrecondition("NOT_IN_SERIES",
                                        "The session is of no series; move it alone.");
    }
    ASSIGN_OR_RETURN(auto series, store::ListSeries(act.tx(), act.organization_id(),
                                                    names::Last(first.course()), first.series()));
    for (auto& one : series) {
      if (RequireMovable(one.resource).ok() &&
          (one.resource.name() == first.name() ||
           time::ToTime(one.resource.start_time()) > time::ToTime(first.start_time()))) {
        moving.push_back(std::move(one));
      }
    }
  } else {
    moving.push_back({first, row.version});
  }

  const absl::CivilMinute from =
      absl::CivilMinute(time::ToCivilDay(first.local_date())) + time::ToMinutes(first.local_time());
  const absl::civil_diff_t shift = absl::CivilMinute(ask.date) + ask.minute_of_day - from;
  std::vector<Draft> drafts;
  std::vector<AskedSession> sessions;
  std::set<std::string> ids, locks;
  for (auto& [old, version] : moving) {
    Draft draft;
    draft.version = version;
    draft.appointment = old;
    v1::Appointment& appointment = draft.appointment;
    if (!ask.clinician.empty() && ask.clinician != appointment.clinician()) {
      appointment.set_clinician(ask.clinician);
      appointment.clear_telehealth_uri();
    }
    if (ask.modality != v1::MODALITY_UNSPECIFIED) appointment.set_modality(ask.modality);
    const absl::CivilMinute local = absl::CivilMinute(time::ToCivilDay(old.local_date())) +
                                    time::ToMinutes(old.local_time()) + shift;
    const absl::CivilDay day(local);
    const SessionTime was = TimeOf(old);
    const int minutes =
        ask.minutes > 0 ? ask.minutes : static_cast<int>((was.end - was.start) / absl::Minutes(1));
    MoveTo(appointment,
           TimeOf(day, static_cast<int>(local - absl::CivilMinute(day)), minutes, setting.zone),
           setting.context.clinic.time_zone());
    draft.asked = AskedOf(appointment);
    if (ask.room_need) {
      draft.asked.room_need = *ask.room_need;
    } else {
      draft.asked.room_need.set_room(old.room());
    }
    sessions.push_back(draft.asked);
    ids.insert(draft.asked.booking);
    locks.merge(KeysOf(old));
    drafts.push_back(std::move(draft));
  }
  const std::vector<CountedSession> others = Taken(setting.context, act.now(), ids);
  RETURN_IF_ERROR(CheckCap(setting, others, TimesOfCounted(drafts)));
  ASSIGN_OR_RETURN(Known known, LockAndRead(act, setting, sessions, ids, std::move(locks)));
  if (const auto refusal = CheckTimes(known.facts, absl::MakeSpan(sessions))) {
    return Explain(act, setting, nearest_, *refusal, sessions[refusal->session]);
  }

  RETURN_IF_ERROR(EndHolds(act, std::move(known.ended_holds)));
  for (const std::string& id : ids) store::DeleteClaims(act.tx(), act.organization_id(), id);
  std::vector<CountedSession> counted;
  for (const store::CourseSession& session : setting.context.sessions) {
    if (session.counts && !ids.contains(session.id)) {
      counted.push_back({session.start, session.id});
    }
  }
  int before = 0;
  std::vector<store::ClaimRow> claims;
  Sessions moved;
  for (size_t i = 0; i < drafts.size(); ++i) {
    Draft& draft = drafts[i];
    draft.asked = std::move(sessions[i]);
    v1::Appointment& appointment = draft.appointment;
    appointment.set_room(draft.asked.room);
    FillUri(appointment, known.facts);
    FillWarnings(appointment, setting, known.facts,
                 1 + before++ +
                     static_cast<int>(std::count_if(others.begin(), others.end(),
                                                    [&](const CountedSession& session) {
                                                      return session.start < draft.asked.time.start;
                                                    })));
    *appointment.mutable_update_time() = time::ToTimestamp(act.now());
    const std::vector<WantedClaim> wanted = ClaimsOf(known.facts, draft.asked);
    for (store::ClaimRow& claim : ClaimRows(wanted, appointment)) {
      claims.push_back(std::move(claim));
    }
    RETURN_IF_ERROR(
        store::UpdateAppointment(act.tx(), appointment, *setting.protocol, draft.version));
    store::MoveAttendees(act.tx(), appointment);
    RecordAppointment(act, appointment, *setting.protocol, draft.version + 1,
                      BusyUntil(wanted, draft.asked));
    OfferFreed(act, moving[i].resource);
    if (CountsTowardsCourse(appointment, *setting.protocol)) {
      counted.push_back({draft.asked.time.start, draft.asked.booking});
    }
    appointment.set_etag(call::Etag(draft.version + 1));
    moved.push_back(std::move(appointment));
  }
  store::InsertClaims(act.tx(), act.organization_id(), claims);
  const std::map<std::string, int> numbers = NumberSessions(std::move(counted));
  for (v1::Appointment& appointment : moved) {
    const auto number = numbers.find(std::string(names::Last(appointment.name())));
    appointment.set_session_number(number == numbers.end() ? 0 : number->second);
    appointment = Shown(std::move(appointment), view);
  }
  return moved;
}

absl::StatusOr<v1::Appointment> Booker::Change(
    Act& act, absl::string_view name, absl::string_view etag,
    absl::FunctionRef<absl::Status(store::AppointmentContext&, const v1::Protocol&)> step) const {
  View view;
  ASSIGN_OR_RETURN(store::AppointmentRow row, ReadToChange(act, name, view));
  act.tx().Lock({AggregateOf(row.resource)});
  ASSIGN_OR_RETURN(store::AppointmentContext context,
                   store::GetAppointmentContext(act.tx(), name, ScopeFor(act)));
  v1::Appointment& appointment = context.row.resource;
  const int64_t version = context.row.version;
  RETURN_IF_ERROR(call::CheckEtag(etag, version));
  ProtocolPtr protocol(std::shared_ptr<void>(), &v1::Protocol::default_instance());
  if (!context.course.name().empty()) {
    ASSIGN_OR_RETURN(protocol, protocols_.Find(act.tx(), context.course.protocol()));
  }
  const bool took = TakesTime(appointment.state());
  RETURN_IF_ERROR(step(context, *protocol));
  const bool takes = TakesTime(appointment.state());
  *appointment.mutable_update_time() = time::ToTimestamp(act.now());
  absl::Time busy_until = took && takes ? context.row.busy_until : absl::InfiniteFuture();
  if (takes && !took) {
    LockTimes(act, KeysOf(appointment), appointment.clinic(), !appointment.room().empty());
  }
  RETURN_IF_ERROR(store::UpdateAppointment(act.tx(), appointment, *protocol, version));
  if (takes && !took) {
    BookingFacts facts;
    facts.clinicians[ClaimKey(appointment.clinician())].clinician = context.clinician;
    const AskedSession asked = AskedOf(appointment);
    const std::vector<WantedClaim> wanted = ClaimsOf(facts, asked);
    store::InsertClaims(act.tx(), act.organization_id(), ClaimRows(wanted, appointment));
    busy_until = BusyUntil(wanted, asked);
  }
  RecordAppointment(act, appointment, *protocol, version + 1, busy_until);
  if (took && !takes) OfferFreed(act, appointment);
  if (!CountsTowardsCourse(appointment, *protocol)) {
    appointment.clear_session_number();
  } else if (appointment.session_number() == 0) {
    // It counts again: its number is by those beside it.
    ASSIGN_OR_RETURN(const store::AppointmentRow now,
                     store::GetAppointment(act.tx(), name, ScopeFor(act)));
    appointment.set_session_number(now.resource.session_number());
  }
  appointment.set_etag(call::Etag(version + 1));
  return Shown(std::move(appointment), view);
}

absl::StatusOr<v1::Appointment> Booker::Cancel(Act& act, absl::string_view appointment,
                                               v1::CancelReason reason,
                                               absl::string_view etag) const {
  return Change(act, appointment, etag,
                [&](store::AppointmentContext& context, const v1::Protocol&) {
                  return CancelAppointment(context.row.resource, reason,
                                           time::ToDuration(context.settings.late_cancel_window()),
                                           act.now());
                });
}

absl::StatusOr<Sessions> Booker::BookSeats(Act& act, const SeatAsk& ask) const {
  ASSIGN_OR_RETURN(Setting setting, LockCourse(act, protocols_, ask.course));
  RETURN_IF_ERROR(RequireUnderWay(setting.course().state()));
  if (ask.sessions.empty()) return Sessions();
  if (ask.sessions.front().clinic != setting.context.clinic.name()) {
    ASSIGN_OR_RETURN(Setting place,
                     OpenPlace(act, ask.sessions.front().clinic, ask.sessions.front().clinician));
    setting.context.clinic = std::move(place.context.clinic);
    setting.zone = place.zone;
  }
  BookingAsk booking;
  std::vector<Draft> drafts;
  for (const SeatAsk::Session& seat : ask.sessions) {
    SessionAsk session;
    session.date = seat.date;
    session.minute_of_day = seat.minute_of_day;
    session.minutes = seat.minutes;
    session.modality = seat.modality;
    session.clinician = seat.clinician;
    const absl::Time start = TimeOf(seat.date, seat.minute_of_day, 1, setting.zone).start;
    ASSIGN_OR_RETURN(Draft draft,
                     MakeDraft(act, setting, booking, session,
                               NumberAt(setting, start, static_cast<int>(drafts.size()))));
    draft.appointment.set_group_session(seat.name);
    draft.appointment.set_seat(ask.seat);
    draft.asked = AskedOf(draft.appointment);
    drafts.push_back(std::move(draft));
  }
  RETURN_IF_ERROR(CheckCap(setting, setting.taken, TimesOfCounted(drafts)));
  std::vector<AskedSession> sessions;
  for (const Draft& draft : drafts) sessions.push_back(draft.asked);
  ASSIGN_OR_RETURN(Known known, LockAndRead(act, setting, sessions));
  if (const auto refusal = CheckTimes(known.facts, absl::MakeSpan(sessions))) {
    return Explain(act, setting, nearest_, *refusal, sessions[refusal->session]);
  }
  return Insert(act, setting, std::move(known), std::move(drafts));
}

absl::StatusOr<std::vector<std::string>> Booker::ClaimShared(
    Act& act, absl::Span<const std::string> clinicians, absl::string_view clinic,
    absl::Span<const SharedSession> shared) const {
  ASSIGN_OR_RETURN(const Setting setting, OpenPlace(act, clinic, clinicians.front()));
  std::vector<AskedSession> sessions;
  for (const SharedSession& session : shared) {
    AskedSession& asked = sessions.emplace_back();
    asked.booking = session.booking;
    asked.time = TimeOf(session.date, session.minute_of_day, session.minutes, setting.zone);
    asked.modality = session.modality;
    asked.room_need = session.room_need;
    for (const std::string& clinician : clinicians) {
      asked.clinicians.push_back(ClaimKey(clinician));
    }
  }
  ASSIGN_OR_RETURN(Known known, LockAndRead(act, setting, sessions));
  if (const auto refusal = CheckTimes(known.facts, absl::MakeSpan(sessions))) {
    return Explain(act, setting, nearest_, *refusal, sessions[refusal->session]);
  }
  RETURN_IF_ERROR(EndHolds(act, std::move(known.ended_holds)));
  std::vector<store::ClaimRow> claims;
  std::vector<std::string> rooms;
  for (const AskedSession& session : sessions) {
    for (const WantedClaim& claim : ClaimsOf(known.facts, session)) {
      claims.push_back({claim.key, claim.time, session.booking});
    }
    rooms.push_back(session.room);
  }
  store::InsertClaims(act.tx(), act.organization_id(), claims);
  return rooms;
}

void Booker::FreeShared(Act& act, absl::string_view booking) const {
  store::DeleteClaims(act.tx(), act.organization_id(), booking);
}

}  // namespace rapport::scheduling
