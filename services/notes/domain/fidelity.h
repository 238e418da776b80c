#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_FIDELITY_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_FIDELITY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/fidelity.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// How sessions and courses keep to their protocol, abstracted from the record (domain §5, clinical
// rule 4.9). What the record does not tell is UNKNOWN and counts neither for nor against; what is
// not asked of such a session is NOT_APPLICABLE.
//
//  SCORE_USED              score_reviewed
//  LINK                    a link as text or data, or none found
//  FOCUS                   focus_kept; without a focus yet NOT_MET, where it is asked
//  PHASE_TASKS             MET with a task of the session's phase, PARTLY with those of another
//                          alone; of the protocol's tasks, by the note or by entries of the session
//  TIME_BUDGET             history / max(minutes told, length of the session) against the ceiling,
//                          PARTLY within the tolerance. Minutes just as the template had them are
//                          nobody's word, and unknown
//  AREA_TECHNIQUES         MET with a technique of an area worked on, PARTLY with general ones
//  alone AFFECT                  ENCOURAGEMENT_OF_AFFECT, affect work on an incident, or minutes on
//                          feelings; NOT_MET where techniques are told, and it is not among them
//  COMMUNICATION_ANALYSIS  the technique, or a communication analysis of an incident
//  TIME_LIMIT, ENDING      the note's word; ENDING also by a task of termination that was done
//  RATED                   never known
namespace rapport::notes {

// What of an entry bears on fidelity; void ones are left out.
struct RecordedEntry {
  std::string name;
  v1::EntryKind kind = v1::ENTRY_KIND_UNSPECIFIED;
  std::string appointment;  // empty: of no session
  // Of an INCIDENT.
  std::vector<v1::Technique> techniques;
  bool communication_analysis = false;
  bool affect_work = false;
  // Of a TERMINATION_TASK that was done.
  std::string done_task;
};
RecordedEntry RecordedEntryOf(const v1::Entry& entry);

// What bears on all sessions of a case.
struct FidelityCase {
  std::string name;
  scheduling::v1::CourseEvent course;
  std::vector<v1::ProblemAreaKind> areas;  // worked on
  bool formulation = false;
  bool risk_assessment = false;
  bool goal = false;
  std::vector<RecordedEntry> entries;
};

// A session with a signed note.
struct FidelitySession {
  v1::Note note;                             // its newest signed version
  std::optional<int> history_ceiling;        // percent; nothing: none
  std::vector<v1::Minutes> default_minutes;  // with which its template began
};

v1::SessionFidelity SessionFidelityOf(const v1::FidelityRules& rules, const FidelityCase& of,
                                      const FidelitySession& session);

// A session that was held, noted or not.
struct HeldSession {
  std::string appointment;
  v1::NotePhase phase = v1::NOTE_PHASE_UNSPECIFIED;
  std::string clinician;
};

// Of the `sessions` that the caller may see, of one clinician, out of all that were `held` in the
// course; `unsigned_held` and `not_shared` of that clinician's are counted besides.
struct CourseRecord {
  std::string clinician;
  std::vector<FidelitySession> sessions;  // by session
  std::vector<HeldSession> held;
  int unsigned_held = 0;
  int not_shared = 0;
  bool ended = false;
};
v1::CourseFidelity CourseFidelityOf(const v1::FidelityRules& rules, const FidelityCase& of,
                                    const CourseRecord& record);

// The ceiling on history of a note: the clinic's for the phase; else the template's (0: none),
// where that is known; else the rules'.
std::optional<int> HistoryCeilingOf(const v1::FidelityRules& rules, const v1::NotePolicy* policy,
                                    const v1::NoteTemplate* note_template, v1::NotePhase phase);

// Weighted share of what is met among what is known, PARTLY as half, in percent, rounded half up;
// nothing: nothing is known.
std::optional<int> PercentOf(const v1::FidelityRules& rules, const v1::SessionRating& rating);

// OK iff each criterion is of the rules, comes once and has a result.
//   kInvalidArgument  "rating.criteria[i]…"
absl::Status CheckRating(const v1::FidelityRules& rules, const v1::SessionRating& rating);

// Whether a supervisor sees the fidelity of a session: it is `shared`, or the rule lets them, since
// the note was signed at `sign_time`.
bool SupervisorSees(const v1::FidelityPolicy& policy, bool shared, absl::Time sign_time,
                    absl::Time now);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_FIDELITY_H_
