#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_PHASES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_PHASES_H_

#include "absl/time/time.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// Which phase a session falls into, and when its note is due.
namespace rapport::notes {

// The phase of session `session_number` (from 1) of a course, by the phases that scheduling tells
// (those of the planned sessions, by the declared beginnings); sessions beyond them belong to the
// last. A course in maintenance is in its maintenance phase. A session without a number (0) is
// taken as MIDDLE, whose note needs the most.
v1::NotePhase PhaseOfSession(const scheduling::v1::CourseEvent& course, int session_number);

// Whether a session in this state is to be noted: the patient came.
bool IsHeld(scheduling::v1::AppointmentState state);

// When the note of a session that ended at `session_end` is due, by the organisation's
// `note_due_after`. Default: 48 h.
absl::Time NoteDueTime(const scheduling::v1::OrganizationEvent& organization,
                       absl::Time session_end);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_PHASES_H_
