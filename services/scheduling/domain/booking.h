#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_BOOKING_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_BOOKING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "services/scheduling/domain/appointments.h"
#include "services/scheduling/domain/series.h"

// Whether sessions may be booked.
namespace rapport::scheduling {

// From `start` up to, not including, `end`.
struct Interval {
  absl::Time start;
  absl::Time end;
  bool Overlaps(const Interval& other) const { return start < other.end && other.start < end; }
};

// Time of the clinician or the patient that another appointment takes.
struct Claim {
  Interval time;
  std::string booking;  // id of the appointment
};

// All that decides, of one moment, under the locks of clinician and patient.
struct BookingFacts {
  absl::Time now;
  v1::CourseState course_state = v1::COURSE_STATE_UNSPECIFIED;
  int planned_sessions = 0;
  int max_weeks = 0;
  std::vector<CountedSession> counted;  // the course's sessions that count already
  absl::Duration minimum_notice;
  std::string clinic;   // resource name
  absl::TimeZone zone;  // of the clinic
  v1::Clinician clinician;
  std::vector<Interval> time_off;  // of the clinician; at least what overlaps the sessions
  std::vector<Claim> claims;       // of clinician and patient; likewise
};

// OK, or the first reason of AppointmentService's list why `sessions` (by start) can't all be
// booked, as FAILED_PRECONDITION with the local date of the session in the metadata "date". For
// TIME_TAKEN `taken_by`, if given, gets the id of the appointment in the way.
absl::Status CheckBooking(const BookingFacts& facts, absl::Span<const SessionTime> sessions,
                          std::string* taken_by);

// TIME_TAKEN. `appointment` is the name of the one in the way, where the caller may know it; `date`
// the local date, if known.
absl::Status TimeTaken(absl::string_view appointment, absl::string_view date);

// Whether `time` lies within the clinician's weekly hours at `clinic`, by the clock of `zone`.
// Rules that touch add up.
bool WithinHours(const v1::Clinician& clinician, absl::string_view clinic, absl::TimeZone zone,
                 const Interval& time);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_BOOKING_H_
