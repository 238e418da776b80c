#include "services/scheduling/domain/booking.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/courses.h"

namespace rapport::scheduling {
namespace {

constexpr int kDaysPerWeek = 7;

std::string DateOf(const SessionTime& session) { return absl::FormatCivilTime(session.date); }

absl::Status Refuse(absl::string_view reason, const SessionTime& session,
                    absl::string_view message) {
  const std::string date = DateOf(session);
  return errors::FailedPrecondition(reason, absl::StrCat("The session of ", date, " ", message),
                                    {{"date", date}});
}

google::type::DayOfWeek DayOfWeek(absl::CivilDay day) {
  // Both count from Monday: absl from 0, google.type from 1.
  return static_cast<google::type::DayOfWeek>(static_cast<int>(absl::GetWeekday(day)) + 1);
}

bool InEffect(const v1::WorkingHours& hours, absl::CivilDay day) {
  return (!hours.has_effective_from() || time::ToCivilDay(hours.effective_from()) <= day) &&
         (!hours.has_effective_until() || day <= time::ToCivilDay(hours.effective_until()));
}

absl::Status CheckSpan(const BookingFacts& facts, absl::Span<const SessionTime> sessions) {
  absl::CivilDay first = sessions.front().date;
  absl::CivilDay last = sessions.front().date;
  for (const CountedSession& session : facts.counted) {
    const absl::CivilDay day = absl::ToCivilDay(session.start, facts.zone);
    first = std::min(first, day);
    last = std::max(last, day);
  }
  for (const SessionTime& session : sessions) {
    last = std::max(last, session.date);
    if (last - first > facts.max_weeks * kDaysPerWeek) {
      return Refuse("COURSE_SPAN_EXCEEDED", session,
                    absl::StrCat("would stretch the course beyond ", facts.max_weeks, " weeks."));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSession(const BookingFacts& facts, const SessionTime& session) {
  const Interval time{session.start, session.end};
  if (session.start < facts.now + facts.minimum_notice) {
    return Refuse("SHORT_NOTICE", session, "is sooner than the organisation's minimum notice.");
  }
  const v1::Clinician& clinician = facts.clinician;
  if (clinician.licence_number().empty() || !clinician.has_licence_expire_date() ||
      time::ToCivilDay(clinician.licence_expire_date()) < session.date) {
    return Refuse("CLINICIAN_UNLICENSED", session, "is not covered by a licence of the clinician.");
  }
  if (!WithinHours(clinician, facts.clinic, facts.zone, time)) {
    return Refuse("OUTSIDE_HOURS", session, "is outside the clinician's hours at the clinic.");
  }
  for (const Interval& away : facts.time_off) {
    if (away.Overlaps(time)) {
      return Refuse("CLINICIAN_AWAY", session, "is within time off of the clinician.");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBooking(const BookingFacts& facts, absl::Span<const SessionTime> sessions,
                          std::string* taken_by) {
  RETURN_IF_ERROR(RequireUnderWay(facts.course_state));
  const int left = facts.planned_sessions - static_cast<int>(facts.counted.size());
  if (left < static_cast<int>(sessions.size())) {
    return Refuse("SESSION_CAP_REACHED", sessions[std::max(left, 0)],
                  absl::StrCat("is one more than the ", facts.planned_sessions, " planned."));
  }
  RETURN_IF_ERROR(CheckSpan(facts, sessions));
  for (const SessionTime& session : sessions) RETURN_IF_ERROR(CheckSession(facts, session));
  for (const SessionTime& session : sessions) {
    for (const Claim& claim : facts.claims) {
      if (!claim.time.Overlaps({session.start, session.end})) continue;
      if (taken_by != nullptr) *taken_by = claim.booking;
      return TimeTaken("", DateOf(session));
    }
  }
  return absl::OkStatus();
}

absl::Status TimeTaken(absl::string_view appointment, absl::string_view date) {
  constexpr absl::string_view kReason = "TIME_TAKEN";
  constexpr absl::string_view kMessage =
      "The clinician or the patient has another appointment at that time; choose another.";
  errors::Metadata metadata;
  if (!date.empty()) metadata["date"] = std::string(date);
  if (appointment.empty()) return errors::FailedPrecondition(kReason, kMessage, metadata);
  return errors::Conflict(kReason, kMessage, "Appointment", appointment, metadata);
}

bool WithinHours(const v1::Clinician& clinician, absl::string_view clinic, absl::TimeZone zone,
                 const Interval& time) {
  const absl::CivilDay first = absl::ToCivilDay(time.start, zone) - 1;
  const absl::CivilDay last = absl::ToCivilDay(time.end, zone);
  std::vector<Interval> open;
  for (absl::CivilDay day = first; day <= last; ++day) {
    for (const v1::WorkingHours& hours : clinician.weekly_hours()) {
      if (hours.clinic() != clinic || hours.day_of_week() != DayOfWeek(day)) continue;
      if (!InEffect(hours, day)) continue;
      const absl::CivilMinute midnight(day);
      open.push_back({time::ResolveLocal(
                          absl::CivilSecond(midnight + time::ToMinutes(hours.start_time())), zone),
                      time::ResolveLocal(
                          absl::CivilSecond(midnight + time::ToMinutes(hours.end_time())), zone)});
    }
  }
  std::sort(open.begin(), open.end(),
            [](const Interval& a, const Interval& b) { return a.start < b.start; });
  absl::Time covered = time.start;
  for (const Interval& stretch : open) {
    if (stretch.start <= covered) covered = std::max(covered, stretch.end);
  }
  return covered >= time.end;
}

}  // namespace rapport::scheduling
