#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_GROUPS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_GROUPS_H_

#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/group.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"

// The life of a group, its seats and its sessions.
namespace rapport::scheduling {

// A group without members of what `asked` says, without name. `leaders` are its clinician and
// co-clinicians.
//   kInvalidArgument     somebody leads it twice
//   kFailedPrecondition  PROTOCOL_KIND, CLINICIAN_NOT_AT_CLINIC, CAPACITY_OUT_OF_BOUNDS
absl::StatusOr<v1::Group> ProposeGroup(const v1::Group& asked,
                                       absl::Span<const v1::Clinician> leaders,
                                       const v1::Protocol& protocol);

// FAILED_PRECONDITION GROUP_MISMATCH or COURSE_STATE unless the course may have a seat.
absl::Status CheckJoining(const v1::Group& group, const v1::Course& course);

// The lowest seat, from 1, that is not among `taken`. FAILED_PRECONDITION GROUP_FULL.
absl::StatusOr<int> LowestFreeSeat(const std::set<int>& taken, int capacity);

// The number of the first session that the protocol has the group meet for; those before are the
// members' own.
int FirstGroupSession(const v1::Protocol& protocol);

// BOOKED → CANCELLED.
//   kFailedPrecondition  APPOINTMENT_STATE; TOO_LATE: it has begun
absl::Status CancelGroupSession(v1::GroupSession& session, absl::Time now);

// When the time of all of `leaders` is free again.
absl::Time BusyUntil(const v1::GroupSession& session, absl::Span<const v1::Clinician> leaders);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_GROUPS_H_
