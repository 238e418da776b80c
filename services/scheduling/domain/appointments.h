#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_APPOINTMENTS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_APPOINTMENTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"

// The life of an appointment. Each transition changes `appointment` or leaves it as it is and
// answers FAILED_PRECONDITION APPOINTMENT_STATE with the state in the metadata, besides what it
// names itself.
namespace rapport::scheduling {

// No session is longer; bounds the search for what overlaps.
inline constexpr absl::Duration kLongestSession = absl::Minutes(480);

// Check-in opens so long before the start and closes so long after the end.
inline constexpr absl::Duration kCheckInMargin = absl::Hours(12);

// Whether it takes a place among the planned sessions: what is to come or was held, and what was
// missed or cancelled late by the patient where the protocol counts that.
bool CountsTowardsCourse(const v1::Appointment& appointment, const v1::Protocol& protocol);

// Whether it has used up a session: attended, or missed and counted.
bool UsesSession(const v1::Appointment& appointment, const v1::Protocol& protocol);

// Whether it keeps its time taken.
bool TakesTime(v1::AppointmentState state);

//   kFailedPrecondition  COURSE_STATE, TOO_EARLY, TOO_LATE, SUITABILITY_NOT_COMPLETE
absl::Status CheckIn(v1::Appointment& appointment, v1::CourseState course, int sessions_used,
                     const v1::Protocol& protocol, absl::Time now);
absl::Status CompleteAppointment(v1::Appointment& appointment);
//   kFailedPrecondition  TOO_EARLY
absl::Status MarkNoShow(v1::Appointment& appointment, absl::Time now);
// Late when the start is nearer than `late_window`, or past.
absl::Status CancelAppointment(v1::Appointment& appointment, v1::CancelReason reason,
                               absl::Duration late_window, absl::Time now);
// A session that counts towards its course.
struct CountedSession {
  absl::Time start;
  std::string id;
};

// Session numbers by id: the rank by start (and id) from 1.
std::map<std::string, int> NumberSessions(std::vector<CountedSession> sessions);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_APPOINTMENTS_H_
