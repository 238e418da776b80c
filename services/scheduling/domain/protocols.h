#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_PROTOCOLS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_PROTOCOLS_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/errors/errors.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"

namespace rapport::scheduling {

// What is wrong with `protocol`, each fault with the path of its field ("phases[1].first_session")
// and what would be right; empty: it holds together. Among others: its phases cover 1 to
// max_sessions in order and without gap, the phase that gives way still exists in the shortest
// course whatever beginnings are declared, the longest course fits into max_weeks at the cadences
// of its segments, its measures ask about suicide at least every 28 days (the suite's own default),
// and each field with a number is named in `facts` of a citation that says how sure it is.
std::vector<errors::FieldViolation> ProtocolFaults(const v1::Protocol& protocol);

// Reads the text format.
//   kInvalidArgument  not the text format (with line and column), or what ProtocolFaults found
absl::StatusOr<v1::Protocol> ParseProtocol(absl::string_view text);

using DeclaredPhases = google::protobuf::RepeatedPtrField<v1::DeclaredPhase>;

// The phases of a course of `planned_sessions`: the middle phase (where there is none: the last
// one) gives way, or grows; those after it keep their length. A beginning that the therapist has
// declared moves the boundary with the phase before, within earliest_first_session to
// latest_first_session (which move with the phase).
std::vector<v1::ProtocolPhase> PhasesOf(const v1::Protocol& protocol, int planned_sessions,
                                        const DeclaredPhases& declared = {});

// The phase of session `session` (from 1) of a course of `planned_sessions`; sessions beyond the
// planned ones are of the last phase, before the first PHASE_UNSPECIFIED.
v1::Phase PhaseOf(int session, int planned_sessions, const v1::Protocol& protocol,
                  const DeclaredPhases& declared = {});

// How one session is held.
struct SessionPlan {
  int cadence_days = 0;                              // from it to the next session
  int minutes = 0;                                   // its length
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;  // unspecified: as booked
  v1::CourseKind format = v1::COURSE_KIND_INDIVIDUAL;
};

// By the segment that session `session` (from 1) is of, else by the protocol.
SessionPlan SessionPlanOf(const v1::Protocol& protocol, int session);

// The days from session `first_session` to it and each of the following, `count` in all: 0 first.
std::vector<int> DayOffsets(const v1::Protocol& protocol, int first_session, int count);

// Whether it is for any of `conditions` (of v1::Condition): also where it, or they, name none.
bool TreatsAny(const v1::Protocol& protocol,
               const google::protobuf::RepeatedField<int>& conditions);

// How well its effect is shown for `condition`; UNSPECIFIED for what it is not for, the protocol's
// grade where it names no conditions.
v1::EvidenceGrade GradeFor(const v1::Protocol& protocol, v1::Condition condition);

// Whom the protocol asks for besides the patient, in a course of `planned_sessions` (0: of the
// most): windows move and shrink as the phases do that they begin and end in.
std::vector<v1::ParticipantRequirement> RequirementsOf(const v1::Protocol& protocol,
                                                       int planned_sessions = 0);

// Who must be at session `session`: those who are asked for at every session of a window around it,
// whatever the focus.
std::vector<v1::ParticipantRole> RequiredRoles(const v1::Protocol& protocol, int session,
                                               int planned_sessions = 0);

// A session that was held, and who was there besides the patient.
struct AttendedSession {
  int number = 0;  // from 1
  std::vector<v1::ParticipantRole> roles;
};

// The requirements that `attended` does not meet yet, with how often someone is still to come. Says
// nothing of whether there is still time: see last_session.
std::vector<v1::MissingParticipant> MissingParticipants(const v1::Protocol& protocol,
                                                        absl::Span<const AttendedSession> attended,
                                                        int planned_sessions = 0);

// "classic" of "protocols/classic/revisions/1", and of an organisation's own.
absl::string_view ProtocolId(absl::string_view name);

// All revisions of all shipped protocols. Immutable.
class ProtocolCatalogue {
 public:
  //   kInvalidArgument  as ParseProtocol, or a revision occurs twice, or is an organisation's
  static absl::StatusOr<ProtocolCatalogue> Make(absl::Span<const absl::string_view> texts);

  // Null where there is none of that name.
  const v1::Protocol* Find(absl::string_view name) const;

  // Whether some revision of it is shipped.
  bool HasId(absl::string_view id) const;

  // The newest revision of each protocol whose id is greater than `after_id`, by id; at most
  // `limit`.
  std::vector<const v1::Protocol*> Newest(absl::string_view after_id, size_t limit) const;

 private:
  std::map<std::pair<std::string, int>, v1::Protocol> protocols_;  // by id and revision
};

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_PROTOCOLS_H_
