#include "services/scheduling/domain/appointments.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/courses.h"

namespace rapport::scheduling {
namespace {

absl::Status RequireState(const v1::Appointment& appointment, v1::AppointmentState state) {
  if (appointment.state() == state) return absl::OkStatus();
  const std::string& name = v1::AppointmentState_Name(appointment.state());
  return errors::FailedPrecondition(
      "APPOINTMENT_STATE",
      absl::StrCat("This is not possible while the appointment is ", name, "."), {{"state", name}});
}

absl::Status TooEarly(absl::Time from) {
  const std::string instant = absl::FormatTime(from, absl::UTCTimeZone());
  return errors::FailedPrecondition("TOO_EARLY", absl::StrCat("Possible from ", instant, " on."),
                                    {{"from", instant}});
}

}  // namespace

bool CountsTowardsCourse(const v1::Appointment& appointment, const v1::Protocol& protocol) {
  switch (appointment.state()) {
    case v1::APPOINTMENT_STATE_BOOKED:
    case v1::APPOINTMENT_STATE_CHECKED_IN:
    case v1::APPOINTMENT_STATE_COMPLETED:
      return true;
    case v1::APPOINTMENT_STATE_NO_SHOW:
      return protocol.no_show_consumes_session();
    case v1::APPOINTMENT_STATE_CANCELLED:
      return protocol.late_cancel_consumes_session() && appointment.cancelled_late() &&
             appointment.cancel_reason() == v1::CANCEL_REASON_PATIENT;
    default:
      return false;
  }
}

bool UsesSession(const v1::Appointment& appointment, const v1::Protocol& protocol) {
  return appointment.state() != v1::APPOINTMENT_STATE_BOOKED &&
         CountsTowardsCourse(appointment, protocol);
}

bool TakesTime(v1::AppointmentState state) { return state != v1::APPOINTMENT_STATE_CANCELLED; }

absl::Status CheckIn(v1::Appointment& appointment, v1::CourseState course, int sessions_used,
                     const v1::Protocol& protocol, absl::Time now) {
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_BOOKED));
  RETURN_IF_ERROR(RequireUnderWay(course));
  const absl::Time from = time::ToTime(appointment.start_time()) - kCheckInMargin;
  const absl::Time until = time::ToTime(appointment.end_time()) + kCheckInMargin;
  if (now < from) return TooEarly(from);
  if (now > until) {
    const std::string instant = absl::FormatTime(until, absl::UTCTimeZone());
    return errors::FailedPrecondition("TOO_LATE", absl::StrCat("Possible until ", instant, "."),
                                      {{"until", instant}});
  }
  if (course == v1::COURSE_STATE_ASSESSING && sessions_used >= protocol.assessment_sessions()) {
    return errors::FailedPrecondition(
        "SUITABILITY_NOT_COMPLETE",
        "The assessment sessions are used up; activate the course first, for which the suitability "
        "determination must be signed.",
        {{"assessment_sessions", absl::StrCat(protocol.assessment_sessions())}});
  }
  appointment.set_state(v1::APPOINTMENT_STATE_CHECKED_IN);
  *appointment.mutable_check_in_time() = time::ToTimestamp(now);
  return absl::OkStatus();
}

absl::Status CompleteAppointment(v1::Appointment& appointment) {
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_CHECKED_IN));
  appointment.set_state(v1::APPOINTMENT_STATE_COMPLETED);
  return absl::OkStatus();
}

absl::Status MarkNoShow(v1::Appointment& appointment, absl::Time now) {
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_BOOKED));
  const absl::Time start = time::ToTime(appointment.start_time());
  if (now < start) return TooEarly(start);
  appointment.set_state(v1::APPOINTMENT_STATE_NO_SHOW);
  return absl::OkStatus();
}

absl::Status CancelAppointment(v1::Appointment& appointment, v1::CancelReason reason,
                               absl::Duration late_window, absl::Time now) {
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_BOOKED));
  appointment.set_state(v1::APPOINTMENT_STATE_CANCELLED);
  appointment.set_cancel_reason(reason);
  appointment.set_cancelled_late(time::ToTime(appointment.start_time()) - now < late_window);
  return absl::OkStatus();
}

std::map<std::string, int> NumberSessions(std::vector<CountedSession> sessions) {
  std::sort(sessions.begin(), sessions.end(), [](const CountedSession& a, const CountedSession& b) {
    return std::tie(a.start, a.id) < std::tie(b.start, b.id);
  });
  std::map<std::string, int> numbers;
  for (const CountedSession& session : sessions) {
    numbers.emplace(session.id, static_cast<int>(numbers.size()) + 1);
  }
  return numbers;
}

}  // namespace rapport::scheduling
