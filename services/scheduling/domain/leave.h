#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_LEAVE_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_LEAVE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/leave.pb.h"
#include "services/scheduling/domain/hours.h"

// What may become of the sessions of a clinician on leave.
namespace rapport::scheduling {

// Moves go to at most so long before or after the time off (the suite's own default).
inline constexpr absl::Duration kLeaveReach = absl::Hours(24 * 7);

// Which of the things that may be done with a session are to be looked for at all: a member's place
// in a group can only be cancelled, as the group's session is another matter; a private session is
// not handed to a colleague, who would learn of it.
struct LeaveScope {
  bool may_move = false;
  bool may_hand_over = false;
};
LeaveScope LeaveScopeOf(const v1::Appointment& appointment);

// What was found for a session, the best of each kind first.
struct LeaveCandidates {
  std::vector<absl::Time> moves;
  std::vector<std::string> colleagues;  // names: who cover first
  std::optional<absl::Time> telehealth;
};

// The options for `appointment`, the best first; their local times are by its own zone. Another
// time with the same clinician comes first. Then, in the middle phase, the same clinician by video
// before a colleague; in the initial and the termination phase, where alliance and ending are held
// in the room, a colleague before video. Calling it off comes last. (The suite's own defaults.)
std::vector<v1::LeaveOption> RankOptions(const v1::Appointment& appointment, v1::Phase phase,
                                         const LeaveCandidates& candidates, absl::TimeZone zone);

// Whether `appointment` is no longer as `item` of a plan for `clinician` has it: BOOKED, with them,
// at that time.
bool Overtaken(const v1::LeavePlanItem& item, absl::string_view clinician,
               const v1::Appointment& appointment);

// Whether nothing more can come of it.
bool Settled(const v1::LeavePlanItem& item);

// Leaves what those may see of a private session who do not treat: the session, the times and who
// might hold it.
void KeepTimes(v1::LeavePlanItem& item);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_LEAVE_H_
