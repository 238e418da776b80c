#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_SUPERVISION_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_SUPERVISION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "rapport/assessment/v1/caseload.pb.h"
#include "rapport/notes/v1/supervision.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// The rules of supervision (clinical rule 4.10, domain §5).
namespace rapport::notes {

// Adds a need to a case of a caseload, unless `count` is 0.
void AddNeed(v1::CaseloadItem& item, v1::CaseNeedKind kind, int count,
             absl::Time since = absl::InfinitePast(), absl::string_view subject = "");

// Adds what assessment tells of the course: its alerts by severity, and the flags that hold.
void AddAssessedNeeds(const assessment::v1::CourseNeeds& told, v1::CaseloadItem& item);

// Weighs the needs, each kind once however many there are, and puts the heaviest first.
void WeighNeeds(const v1::SupervisionRules& rules, v1::CaseloadItem& item);

// The order of a caseload: the heaviest first, then by case.
bool ComesBefore(const v1::CaseloadItem& one, const v1::CaseloadItem& other);

// OK iff the session is whole: not in the future, cases of the log's organisation once each, their
// minutes no more than all.
//   kInvalidArgument  "supervision_session.…"
absl::Status CheckSupervisionSession(const v1::SupervisionSession& session,
                                     absl::string_view supervisee, absl::Time now);

// What a recording is checked against.
struct RecordedSession {
  absl::CivilDay day;                 // of the session, where it was held
  std::vector<std::string> patients;  // who took part: all of them must have agreed
  int retention_max_days = 0;
};
// OK iff everyone agreed by the day of the session and the retention is within bounds.
//   kInvalidArgument    "recording.…"
//   kFailedPrecondition RECORDING_CONSENT_MISSING
absl::Status CheckRecording(const v1::SessionRecording& recording, const RecordedSession& session);

// Where a recording stands on `today`.
v1::RecordingState StateOf(const v1::SessionRecording& recording, absl::CivilDay today);

// The programme `id`; null: none.
const v1::TrainingRequirements* FindRequirements(const v1::SupervisionRules& rules,
                                                 absl::string_view id);

// Checks `portfolio` against a programme, and says where what it asks is from. As many cases count
// as it asks for: those that meet most. What is asked of each case is told by the one of them that
// has least. Of a course that ended early its supervised sessions are asked in proportion, rounded
// up. `own`: the trainee looks, to whom no rating is hidden.
void CheckRequirements(const v1::TrainingRequirements& programme, bool own,
                       v1::Portfolio& portfolio);

// Whether a course has ended.
bool HasEnded(scheduling::v1::CourseState state);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_SUPERVISION_H_
