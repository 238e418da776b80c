#ifndef RAPPORT_SERVICES_NOTES_STORE_SESSION_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_SESSION_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/notes/store/paging.h"

// The sessions that need a note, kept by scheduling's events, and what notes wait for.
namespace rapport::notes {

// `event` must be of an appointment, or of the private part of one; one that is not newer than what
// is known does nothing, nor does what a private one shows of itself.
absl::Status ApplyAppointment(sql::Transaction& tx, const common::v1::Event& event,
                              const scheduling::v1::AppointmentEvent& appointment);

// What is known of an appointment as a session to be noted.
struct NotedSession {
  std::string appointment;
  std::string case_id;
  std::string clinician;
  bool held = false;
  std::string private_with;  // whose private session it is; empty: it is none
};
// Nothing: not known.
absl::StatusOr<std::optional<NotedSession>> GetNotedSession(sql::Session& session,
                                                            absl::string_view appointment);

// The seats of a group's session, by appointment.
absl::StatusOr<std::vector<NotedSession>> ListGroupSeats(sql::Session& session,
                                                         absl::string_view group_session);

// Whose notes to look at: those of `clinicians` and those of `clinics` (full names), or all.
struct NoteScopeQuery {
  std::string organization_id;
  std::vector<std::string> clinicians;
  std::vector<std::string> clinics;
  bool all = false;
};

struct DueQuery {
  NoteScopeQuery scope;
  std::string clinician;  // only who is to sign; empty: anyone
  v1::DueKind kind = v1::DUE_KIND_UNSPECIFIED;
  std::string author;  // whose drafts are named
};

// Whether a due note is of a private session or note of one of a couple.
struct Due {
  v1::DueNote resource;  // with all but the due time and what follows from it
  bool is_private = false;
};

// What notes wait for, by the end of the session.
absl::StatusOr<Listed<Due>> ListDue(sql::Session& session, const DueQuery& query,
                                    const call::Page& page);

// How many notes of one kind wait, of sessions that ended within the last 30 days of
// `overdue_before` or, where a supervisor is waited for, whenever.
struct DueCount {
  v1::DueKind kind = v1::DUE_KIND_UNSPECIFIED;
  int64_t due = 0;
  int64_t overdue = 0;  // of sessions that ended before `overdue_before`
  absl::Time oldest_session_end;
};
absl::StatusOr<std::vector<DueCount>> CountDue(sql::Session& session,
                                               absl::string_view organization_id,
                                               absl::Time overdue_before);

// How timely the notes of sessions that ended in [start, end) are, at `now`; a session is due
// `due_after` its end. By name, at most 1,000.
absl::StatusOr<std::vector<v1::Timeliness>> ReckonTimeliness(
    sql::Session& session, const NoteScopeQuery& scope, v1::TimelinessGroup group, absl::Time start,
    absl::Time end, absl::Duration due_after, absl::Time now);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SESSION_STORE_H_
