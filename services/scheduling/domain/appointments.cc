#include "services/scheduling/domain/appointments.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/scheduling/domain/courses.h"

namespace rapport::scheduling {
namespace {

absl::Status WrongState(const v1::Appointment& appointment) {
  const std::string& name = v1::AppointmentState_Name(appointment.state());
  return errors::FailedPrecondition(
      "APPOINTMENT_STATE",
      absl::StrCat("This is not possible while the appointment is ", name, "."), {{"state", name}});
}

absl::Status RequireState(const v1::Appointment& appointment, v1::AppointmentState state) {
  return appointment.state() == state ? absl::OkStatus() : WrongState(appointment);
}

absl::Status TooLate(absl::Time until) {
  const std::string instant = absl::FormatTime(until, absl::UTCTimeZone());
  return errors::FailedPrecondition("TOO_LATE", absl::StrCat("Possible until ", instant, "."),
                                    {{"until", instant}});
}

absl::Status TooEarly(absl::Time from) {
  const std::string instant = absl::FormatTime(from, absl::UTCTimeZone());
  return errors::FailedPrecondition("TOO_EARLY", absl::StrCat("Possible from ", instant, " on."),
                                    {{"from", instant}});
}

}  // namespace

bool CountsTowardsCourse(const v1::Appointment& appointment, const v1::Protocol& protocol) {
  if (appointment.private_session()) return false;
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

bool TakesTime(v1::AppointmentState state) {
  return state != v1::APPOINTMENT_STATE_CANCELLED && state != v1::APPOINTMENT_STATE_RELEASED &&
         state != v1::APPOINTMENT_STATE_EXPIRED;
}

absl::Status ConfirmHold(v1::Appointment& appointment, absl::Time now) {
  if (appointment.state() == v1::APPOINTMENT_STATE_EXPIRED ||
      (appointment.state() == v1::APPOINTMENT_STATE_HELD &&
       time::ToTime(appointment.hold_expire_time()) <= now)) {
    return errors::FailedPrecondition("HOLD_EXPIRED",
                                      "The time is no longer held; book or hold it anew.");
  }
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_HELD));
  appointment.set_state(v1::APPOINTMENT_STATE_BOOKED);
  appointment.clear_hold_expire_time();
  appointment.set_sequence(appointment.sequence() + 1);
  return absl::OkStatus();
}

absl::Status EndHold(v1::Appointment& appointment, v1::AppointmentState to) {
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_HELD));
  appointment.set_state(to);
  appointment.clear_hold_expire_time();
  appointment.set_sequence(appointment.sequence() + 1);
  return absl::OkStatus();
}

absl::Status RequireMovable(const v1::Appointment& appointment) {
  if (!appointment.group_session().empty()) {
    return errors::FailedPrecondition("GROUP_SESSION",
                                      "A member's seat has the time of the group's session.",
                                      {{"group_session", appointment.group_session()}});
  }
  return RequireState(appointment, v1::APPOINTMENT_STATE_BOOKED);
}

absl::Status CheckIn(v1::Appointment& appointment, v1::CourseState course, int sessions_used,
                     const v1::Protocol& protocol, const Arrival& arrived, absl::Time now) {
  RETURN_IF_ERROR(RequireState(appointment, v1::APPOINTMENT_STATE_BOOKED));
  RETURN_IF_ERROR(RequireUnderWay(course));
  const int told = static_cast<int>(arrived.participants.size());
  if (told > appointment.participants_size()) {
    return errors::InvalidArgument("participants", "are more than the session has");
  }
  const absl::Time from = time::ToTime(appointment.start_time()) - kCheckInMargin;
  const absl::Time until = time::ToTime(appointment.end_time()) + kCheckInMargin;
  if (now < from) return TooEarly(from);
  if (now > until) return TooLate(until);
  if (course == v1::COURSE_STATE_ASSESSING && !appointment.private_session() &&
      sessions_used >= protocol.assessment_sessions()) {
    return errors::FailedPrecondition(
        "SUITABILITY_NOT_COMPLETE",
        "The assessment sessions are used up; activate the course first, for which the suitability "
        "determination must be signed.",
        {{"assessment_sessions", absl::StrCat(protocol.assessment_sessions())}});
  }
  const bool remote = appointment.modality() == v1::MODALITY_VIDEO ||
                      appointment.modality() == v1::MODALITY_TELEPHONE;
  if (remote && !arrived.telehealth) {
    return errors::FailedPrecondition(
        "TELEHEALTH_DETAILS_NEEDED",
        "Say in `telehealth` where the patient of a remote session is and how to reach them.");
  }
  appointment.set_state(v1::APPOINTMENT_STATE_CHECKED_IN);
  *appointment.mutable_check_in_time() = time::ToTimestamp(now);
  if (remote) *appointment.mutable_telehealth() = *arrived.telehealth;
  for (int i = 0; i < told; ++i) {
    appointment.mutable_participants(i)->set_attendance(arrived.participants[i]);
  }
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
  appointment.set_sequence(appointment.sequence() + 1);
  return absl::OkStatus();
}

absl::Status CorrectAttendance(v1::Appointment& appointment, const TrueAttendance& truth,
                               absl::Time now) {
  const v1::AppointmentState from = appointment.state();
  const bool cancelled = truth.state == v1::APPOINTMENT_STATE_CANCELLED;
  if (!cancelled && truth.state != v1::APPOINTMENT_STATE_COMPLETED &&
      truth.state != v1::APPOINTMENT_STATE_NO_SHOW) {
    return errors::InvalidArgument("state", "must be COMPLETED, NO_SHOW or CANCELLED");
  }
  if (cancelled && truth.cancel_reason == v1::CANCEL_REASON_UNSPECIFIED) {
    return errors::InvalidArgument("cancel_reason", "is required for CANCELLED");
  }
  if (from == truth.state || from == v1::APPOINTMENT_STATE_HELD ||
      from == v1::APPOINTMENT_STATE_RELEASED || from == v1::APPOINTMENT_STATE_EXPIRED) {
    return WrongState(appointment);
  }
  const absl::Time end = time::ToTime(appointment.end_time());
  if (now < end) return TooEarly(end);
  if (now > end + kCorrectionWindow) return TooLate(end + kCorrectionWindow);
  v1::AttendanceCorrection& correction = *appointment.add_corrections();
  correction.set_from(from);
  correction.set_to(truth.state);
  correction.set_reason(truth.reason);
  *correction.mutable_correct_time() = time::ToTimestamp(now);
  appointment.set_state(truth.state);
  appointment.clear_cancel_reason();
  appointment.clear_cancelled_late();
  if (cancelled) {
    appointment.set_cancel_reason(truth.cancel_reason);
    appointment.set_cancelled_late(truth.cancelled_late);
  }
  if (truth.state != v1::APPOINTMENT_STATE_COMPLETED) appointment.clear_check_in_time();
  if (cancelled || from == v1::APPOINTMENT_STATE_CANCELLED) {
    appointment.set_sequence(appointment.sequence() + 1);
  }
  return absl::OkStatus();
}

void SetTime(v1::Appointment& appointment, const SessionTime& time, absl::string_view time_zone) {
  *appointment.mutable_start_time() = time::ToTimestamp(time.start);
  *appointment.mutable_end_time() = time::ToTimestamp(time.end);
  *appointment.mutable_local_date() = time::ToDate(time.date);
  *appointment.mutable_local_time() = time::ToTimeOfDay(time.minute_of_day);
  appointment.set_time_zone(std::string(time_zone));
  appointment.set_tzdata_version(time::TzdataVersion());
}

void MoveTo(v1::Appointment& appointment, const SessionTime& time, absl::string_view time_zone) {
  *appointment.mutable_moved_from() = appointment.start_time();
  SetTime(appointment, time, time_zone);
  appointment.clear_time_at_risk();
  appointment.set_sequence(appointment.sequence() + 1);
}

void Warn(v1::Appointment& appointment, v1::AppointmentWarning warning) {
  const auto& warnings = appointment.warnings();
  if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
    appointment.add_warnings(warning);
  }
}

void KeepTimes(v1::Appointment& appointment) {
  if (!appointment.private_session()) {
    appointment.clear_telehealth();
    return;
  }
  v1::Appointment kept;
  kept.set_name(appointment.name());
  kept.set_clinician(appointment.clinician());
  kept.set_clinic(appointment.clinic());
  kept.set_room(appointment.room());
  *kept.mutable_start_time() = appointment.start_time();
  *kept.mutable_end_time() = appointment.end_time();
  *kept.mutable_local_date() = appointment.local_date();
  *kept.mutable_local_time() = appointment.local_time();
  kept.set_time_zone(appointment.time_zone());
  kept.set_state(appointment.state());
  kept.set_private_session(true);
  kept.set_etag(appointment.etag());
  appointment = std::move(kept);
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
