#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_APPOINTMENTS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_APPOINTMENTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "services/scheduling/domain/series.h"

// The life of an appointment. Each transition changes `appointment` or leaves it as it is and
// answers FAILED_PRECONDITION APPOINTMENT_STATE with the state in the metadata, besides what it
// names itself.
namespace rapport::scheduling {

// No session is longer; bounds the search for what overlaps.
inline constexpr absl::Duration kLongestSession = absl::Minutes(480);

// Check-in opens so long before the start and closes so long after the end.
inline constexpr absl::Duration kCheckInMargin = absl::Hours(12);

// What was recorded of the attendance can be corrected so long after the end.
inline constexpr absl::Duration kCorrectionWindow = absl::Hours(7 * 24);

// Whether it takes a place among the planned sessions: what is to come or was held, and what was
// missed or cancelled late by the patient where the protocol counts that. Never a private one.
bool CountsTowardsCourse(const v1::Appointment& appointment, const v1::Protocol& protocol);

// Whether it has used up a session: attended, or missed and counted.
bool UsesSession(const v1::Appointment& appointment, const v1::Protocol& protocol);

// Whether it keeps its time taken.
bool TakesTime(v1::AppointmentState state);

// HELD → BOOKED. kFailedPrecondition HOLD_EXPIRED.
absl::Status ConfirmHold(v1::Appointment& appointment, absl::Time now);
// HELD → `to`, which is RELEASED or EXPIRED.
absl::Status EndHold(v1::Appointment& appointment, v1::AppointmentState to);

// Whether it may be given another time: BOOKED, and no seat in a group.
//   kFailedPrecondition  GROUP_SESSION
absl::Status RequireMovable(const v1::Appointment& appointment);

// What is told at the check-in.
struct Arrival {
  std::optional<v1::TelehealthDetails> telehealth;  // of a remote session
  std::vector<v1::Attendance> participants;         // in their order; of the first ones
};
//   kInvalidArgument     more attendances than participants
//   kFailedPrecondition  COURSE_STATE, TOO_EARLY, TOO_LATE, SUITABILITY_NOT_COMPLETE,
//                        TELEHEALTH_DETAILS_NEEDED
absl::Status CheckIn(v1::Appointment& appointment, v1::CourseState course, int sessions_used,
                     const v1::Protocol& protocol, const Arrival& arrived, absl::Time now);
absl::Status CompleteAppointment(v1::Appointment& appointment);
//   kFailedPrecondition  TOO_EARLY
absl::Status MarkNoShow(v1::Appointment& appointment, absl::Time now);
// Late when the start is nearer than `late_window`, or past.
absl::Status CancelAppointment(v1::Appointment& appointment, v1::CancelReason reason,
                               absl::Duration late_window, absl::Time now);
// What an attendance turns out to have been.
struct TrueAttendance {
  v1::AppointmentState state = v1::APPOINTMENT_STATE_UNSPECIFIED;
  v1::CorrectionReason reason = v1::CORRECTION_REASON_UNSPECIFIED;
  v1::CancelReason cancel_reason = v1::CANCEL_REASON_UNSPECIFIED;  // of CANCELLED
  bool cancelled_late = false;                                     // of CANCELLED
};
// Whatever was recorded before of a session that was BOOKED once.
//   kInvalidArgument     to another state than COMPLETED, NO_SHOW and CANCELLED, or to CANCELLED
//                        without saying by whom
//   kFailedPrecondition  TOO_EARLY, TOO_LATE
absl::Status CorrectAttendance(v1::Appointment& appointment, const TrueAttendance& truth,
                               absl::Time now);

// `appointment` is now at `time`, by the clock of `time_zone`: notes where it was, drops what no
// longer is true, and steps on.
void MoveTo(v1::Appointment& appointment, const SessionTime& time, absl::string_view time_zone);

// Writes when it is: instants, local date and time, zone and release of the zone data.
void SetTime(v1::Appointment& appointment, const SessionTime& time, absl::string_view time_zone);

// Adds `warning` unless it is there.
void Warn(v1::Appointment& appointment, v1::AppointmentWarning warning);

// Leaves what those may see who do not treat: of a private one that somebody's time is taken, of
// any other all but what was said at the check-in.
void KeepTimes(v1::Appointment& appointment);

// A session that counts towards its course.
struct CountedSession {
  absl::Time start;
  std::string id;
};

// Session numbers by id: the rank by start (and id) from 1.
std::map<std::string, int> NumberSessions(std::vector<CountedSession> sessions);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_APPOINTMENTS_H_
