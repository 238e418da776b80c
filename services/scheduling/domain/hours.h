#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_HOURS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_HOURS_H_

#include <vector>

#include "absl/time/time.h"
#include "rapport/scheduling/v1/directory.pb.h"

// When a clinician can be booked by what the directory says, leaving aside bookings and time off.
namespace rapport::scheduling {

// From `start` up to, not including, `end`.
struct Interval {
  absl::Time start;
  absl::Time end;
  bool Overlaps(const Interval& other) const { return start < other.end && other.start < end; }
  bool Covers(const Interval& other) const { return start <= other.start && other.end <= end; }
  friend bool operator==(const Interval&, const Interval&) = default;
};

// The clinician's hours at `clinic` within `range`, by the clinic's clock, whose zone is `zone`: by
// start, apart from each other (hours that touch or overlap are one). Dated hours of a day replace
// its weekly hours, and hold on holidays of the clinic too; weekly hours do not.
std::vector<Interval> OpenHours(const v1::Clinician& clinician, const v1::Clinic& clinic,
                                absl::TimeZone zone, const Interval& range);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_HOURS_H_
