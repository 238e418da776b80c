#include "services/scheduling/domain/booking.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling {
namespace {

constexpr int kDaysPerWeek = 7;
constexpr absl::string_view kTimeTakenMessage =
    "overlaps another appointment of the clinician, the room, the patient or a participant; choose "
    "another time.";

bool NeedsRoom(const AskedSession& session) {
  return session.modality == v1::MODALITY_IN_PERSON &&
         (!session.room_need.room().empty() || session.room_need.capacity() > 0 ||
          !session.room_need.features().empty());
}

bool Suits(const v1::Room& room, const v1::RoomNeed& need) {
  if (room.out_of_use()) return false;
  if (!need.room().empty()) return room.name() == need.room();
  if (room.capacity() < need.capacity()) return false;
  return std::all_of(need.features().begin(), need.features().end(), [&](const std::string& asked) {
    return std::count(room.features().begin(), room.features().end(), asked) > 0;
  });
}

class Checker {
 public:
  Checker(const BookingFacts& facts, absl::Span<AskedSession> sessions)
      : facts_(facts), sessions_(sessions), claims_(facts.claims) {
    for (const v1::Room& room : facts.rooms) rooms_.push_back(&room);
    std::sort(rooms_.begin(), rooms_.end(), [](const v1::Room* a, const v1::Room* b) {
      return std::forward_as_tuple(a->capacity(), a->name()) <
             std::forward_as_tuple(b->capacity(), b->name());
    });
  }

  std::optional<Refusal> Run() {
    for (size_t i = 0; i < sessions_.size(); ++i) {
      AskedSession& session = sessions_[i];
      std::optional<Refusal> refusal = Check(session);
      if (!refusal) refusal = ChooseRoom(session);
      if (refusal) {
        refusal->session = i;
        return refusal;
      }
      for (const WantedClaim& claim : ClaimsOf(facts_, session)) {
        claims_[claim.key].push_back({claim.time, session.booking,
                                      std::string(names::Last(facts_.clinic.name())),
                                      session.time.end});
      }
    }
    return std::nullopt;
  }

 private:
  static Refusal Because(absl::string_view reason, absl::string_view message) {
    return {std::string(reason), std::string(message), 0, "", ""};
  }

  std::optional<Refusal> Check(const AskedSession& session) const {
    const Interval time{session.time.start, session.time.end};
    if (!session.clinicians.empty() && time.start < facts_.now + facts_.minimum_notice) {
      return Because("SHORT_NOTICE", "is sooner than the organisation's minimum notice.");
    }
    if (auto refusal = CheckStillPossible(facts_, session)) return refusal;
    for (const std::string& key : session.clinicians) {
      const v1::Clinician& clinician = facts_.clinicians.at(key).clinician;
      if (!Offers(clinician, session.modality)) {
        return Because("MODALITY_NOT_OFFERED",
                       "is to be held in a way that the clinician does not "
                       "meet patients.");
      }
      if (!InHours(facts_.clinicians.at(key), session.modality, time)) {
        return Because("OUTSIDE_HOURS", AnyHoursWillDo(session.modality)
                                            ? "is outside the clinician's hours."
                                            : "is outside the clinician's hours at the clinic.");
      }
    }
    for (const WantedClaim& wanted : ClaimsOf(facts_, session)) {
      if (const Claim* other = InTheWay(wanted)) {
        Refusal refusal = Because("TIME_TAKEN", kTimeTakenMessage);
        refusal.resource = wanted.key;
        refusal.booking = other->booking;
        return refusal;
      }
    }
    for (const std::string& key : session.clinicians) {
      if (auto refusal = CheckDay(key, session)) return refusal;
    }
    return std::nullopt;
  }

  bool InHours(const ClinicianFacts& of, v1::Modality modality, const Interval& time) const {
    if (WithinHours(of.clinician, facts_.clinic, facts_.zone, time)) return true;
    return AnyHoursWillDo(modality) &&
           std::any_of(of.clinics.begin(), of.clinics.end(), [&](const ClinicFacts& at) {
             return WithinHours(of.clinician, at.clinic, at.zone, time);
           });
  }

  const Claim* InTheWay(const WantedClaim& wanted) const {
    const auto found = claims_.find(wanted.key);
    if (found == claims_.end()) return nullptr;
    for (const Claim& claim : found->second) {
      if (claim.time.Overlaps(wanted.time)) return &claim;
    }
    return nullptr;
  }

  // What the clinician's other sessions around it leave.
  std::optional<Refusal> CheckDay(const std::string& key, const AskedSession& session) const {
    const auto found = claims_.find(key);
    if (found == claims_.end()) return std::nullopt;
    const int most = facts_.clinicians.at(key).clinician.max_sessions_per_day();
    const absl::string_view here = names::Last(facts_.clinic.name());
    int of_day = 0;
    for (const Claim& claim : found->second) {
      of_day += absl::ToCivilDay(claim.time.start, facts_.zone) ==
                absl::ToCivilDay(session.time.start, facts_.zone);
      if (!claim.clinic.empty() && claim.clinic != here &&
          claim.time.start < session.time.end + facts_.travel_time &&
          session.time.start < claim.session_end + facts_.travel_time) {
        return Because("TRAVEL_TIME", "is too close to a session of the clinician elsewhere.");
      }
    }
    if (most > 0 && of_day >= most) {
      return Because("DAY_FULL", "is one more than the clinician holds in a day.");
    }
    return std::nullopt;
  }

  std::optional<Refusal> ChooseRoom(AskedSession& session) const {
    session.room.clear();
    if (!NeedsRoom(session)) return std::nullopt;
    const Interval time{session.time.start, session.time.end};
    for (const v1::Room* room : rooms_) {
      if (!Suits(*room, session.room_need)) continue;
      const Claim* other = InTheWay({ClaimKey(room->name()), time});
      if (other == nullptr) {
        session.room = room->name();
        return std::nullopt;
      }
      if (session.room_need.room().empty()) continue;
      Refusal refusal = Because("TIME_TAKEN", kTimeTakenMessage);
      refusal.resource = ClaimKey(room->name());
      refusal.booking = other->booking;
      return refusal;
    }
    return Because("NO_ROOM", "finds no free room that meets its needs.");
  }

  const BookingFacts& facts_;
  const absl::Span<AskedSession> sessions_;
  std::map<std::string, std::vector<Claim>> claims_;
  std::vector<const v1::Room*> rooms_;
};

}  // namespace

std::string ClaimKey(absl::string_view name) {
  const absl::string_view id = names::Last(name);
  if (const absl::string_view room = names::Id(name, "rooms"); !room.empty()) {
    return absl::StrCat("rooms/", names::Id(name, "clinics"), "/", room);
  }
  for (absl::string_view collection : {"clinicians", "patients"}) {
    if (!names::Id(name, collection).empty()) return absl::StrCat(collection, "/", id);
  }
  return absl::StrCat("persons/", id);
}

std::string NameOfClaimKey(absl::string_view organization_id, absl::string_view key) {
  const std::vector<absl::string_view> parts = absl::StrSplit(key, '/');
  if (parts.size() == 3) {
    return names::Make(
        {{"organizations", organization_id}, {"clinics", parts[1]}, {"rooms", parts[2]}});
  }
  return names::InOrganization(organization_id, parts.front(), parts.back());
}

std::optional<Refusal> CheckTimes(const BookingFacts& facts, absl::Span<AskedSession> sessions) {
  return Checker(facts, sessions).Run();
}

std::optional<Refusal> CheckStillPossible(const BookingFacts& facts, const AskedSession& session) {
  const Interval time{session.time.start, session.time.end};
  for (const std::string& key : session.clinicians) {
    const ClinicianFacts& of = facts.clinicians.at(key);
    const v1::Clinician& clinician = of.clinician;
    if (clinician.licence_number().empty() || !clinician.has_licence_expire_date() ||
        time::ToCivilDay(clinician.licence_expire_date()) < session.time.date) {
      return Refusal{"CLINICIAN_UNLICENSED", "is not covered by a licence of the clinician.", 0, "",
                     ""};
    }
    if (clinician.trainee() &&
        std::none_of(of.supervised.begin(), of.supervised.end(), [&](const Interval& pair) {
          return pair.Covers({time.start, time.start});
        })) {
      return Refusal{"TRAINEE_UNSUPERVISED",
                     "falls on a day on which nobody supervises the trainee.", 0, "", ""};
    }
    if (std::any_of(of.time_off.begin(), of.time_off.end(),
                    [&](const Interval& away) { return away.Overlaps(time); })) {
      return Refusal{"CLINICIAN_AWAY", "is within time off of the clinician.", 0, "", ""};
    }
  }
  return std::nullopt;
}

std::vector<WantedClaim> ClaimsOf(const BookingFacts& facts, const AskedSession& session) {
  std::vector<WantedClaim> claims;
  std::set<std::string> seen;
  const auto add = [&](const std::string& key) {
    if (!seen.insert(key).second) return;
    Interval time{session.time.start, session.time.end};
    if (const auto of = facts.clinicians.find(key); of != facts.clinicians.end()) {
      time.end += absl::Minutes(of->second.clinician.buffer_minutes());
    }
    claims.push_back({key, time});
  };
  for (const std::string& key : session.clinicians) add(key);
  if (!session.room.empty()) add(ClaimKey(session.room));
  for (const std::string& key : session.others) add(key);
  return claims;
}

CourseFacts CourseFactsOf(const v1::Course& course, const v1::Protocol& protocol,
                          absl::TimeZone zone, std::vector<CountedSession> taken) {
  CourseFacts facts;
  facts.planned_sessions = course.planned_sessions();
  facts.max_weeks = course.max_weeks() > 0 ? course.max_weeks() : protocol.max_weeks();
  if (course.state() == v1::COURSE_STATE_MAINTENANCE && course.maintenance().has_ends_on()) {
    facts.ends_on = time::ToCivilDay(course.maintenance().ends_on());
  }
  facts.zone = zone;
  facts.taken = std::move(taken);
  return facts;
}

std::optional<Refusal> CheckCourse(const CourseFacts& course,
                                   absl::Span<const SessionTime> sessions) {
  if (sessions.empty()) return std::nullopt;
  const int left = course.planned_sessions - static_cast<int>(course.taken.size());
  if (left < static_cast<int>(sessions.size())) {
    return Refusal{"SESSION_CAP_REACHED",
                   absl::StrCat("is one more than the ", course.planned_sessions, " planned."),
                   static_cast<size_t>(std::max(left, 0)), "", ""};
  }
  if (course.ends_on) {
    for (size_t i = 0; i < sessions.size(); ++i) {
      if (sessions[i].date <= *course.ends_on) continue;
      return Refusal{"COURSE_SPAN_EXCEEDED", "is later than the end of the maintenance.", i, "",
                     ""};
    }
    return std::nullopt;
  }
  absl::CivilDay first = sessions.front().date;
  absl::CivilDay last = first;
  for (const CountedSession& session : course.taken) {
    const absl::CivilDay day = absl::ToCivilDay(session.start, course.zone);
    first = std::min(first, day);
    last = std::max(last, day);
  }
  for (size_t i = 0; i < sessions.size(); ++i) {
    last = std::max(last, sessions[i].date);
    if (last - first > course.max_weeks * kDaysPerWeek) {
      return Refusal{"COURSE_SPAN_EXCEEDED",
                     absl::StrCat("would stretch the course beyond ", course.max_weeks, " weeks."),
                     i, "", ""};
    }
  }
  return std::nullopt;
}

absl::Status Refused(const Refusal& refusal, absl::CivilDay date, const RefusalContext& context) {
  const std::string day = absl::FormatCivilTime(date);
  const std::string message = absl::StrCat("The session of ", day, " ", refusal.message);
  errors::Metadata metadata = {{"date", day}};
  if (!context.resource.empty()) metadata["resource"] = context.resource;
  if (!context.alternative.empty()) metadata["alternative"] = context.alternative;
  if (context.appointment.empty()) {
    return errors::FailedPrecondition(refusal.reason, message, metadata);
  }
  return errors::Conflict(refusal.reason, message, "Appointment", context.appointment, metadata);
}

bool AnotherTimeMayHelp(const Refusal& refusal) {
  for (absl::string_view reason : {"TIME_TAKEN", "OUTSIDE_HOURS", "CLINICIAN_AWAY", "SHORT_NOTICE",
                                   "DAY_FULL", "TRAVEL_TIME", "NO_ROOM"}) {
    if (refusal.reason == reason) return true;
  }
  return false;
}

absl::Status TimeTaken() {
  return errors::FailedPrecondition("TIME_TAKEN", absl::StrCat("The session ", kTimeTakenMessage));
}

bool WithinHours(const v1::Clinician& clinician, const v1::Clinic& clinic, absl::TimeZone zone,
                 const Interval& time) {
  const std::vector<Interval> open = OpenHours(clinician, clinic, zone, time);
  return open.size() == 1 && open.front() == time;
}

bool Offers(const v1::Clinician& clinician, v1::Modality modality) {
  if (clinician.modalities().empty()) return modality == v1::MODALITY_IN_PERSON;
  return std::count(clinician.modalities().begin(), clinician.modalities().end(), modality) > 0;
}

bool AnyHoursWillDo(v1::Modality modality) {
  return IsRemote(modality) || modality == v1::MODALITY_ONLINE_UNIT;
}

bool IsRemote(v1::Modality modality) {
  return modality == v1::MODALITY_VIDEO || modality == v1::MODALITY_TELEPHONE;
}

bool MayTreatIn(const v1::Clinician& clinician, const v1::Clinic& clinic,
                absl::string_view jurisdiction) {
  const auto covers = [&](absl::string_view licensed) {
    return jurisdiction == licensed || absl::StartsWith(jurisdiction, absl::StrCat(licensed, "-"));
  };
  return covers(clinic.jurisdiction()) ||
         std::any_of(clinician.licensed_jurisdictions().begin(),
                     clinician.licensed_jurisdictions().end(),
                     [&](const std::string& licensed) { return covers(licensed); });
}

}  // namespace rapport::scheduling
