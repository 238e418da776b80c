#ifndef RAPPORT_SERVICES_NOTES_STORE_SESSION_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_SESSION_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/sql/database.h"
#include "rapport/common/v1/event.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/notes/store/paging.h"

// The sessions that need a note, kept by scheduling's events.
namespace rapport::notes {

// `event` must be of an appointment; one that is not newer than what is known does nothing.
absl::Status ApplyAppointment(sql::Transaction& tx, const common::v1::Event& event,
                              const scheduling::v1::AppointmentEvent& appointment);

// Whose sessions to list.
struct DueQuery {
  std::string organization_id;
  std::vector<std::string> clinicians;  // responsible for the course
  std::string clinician;                // who held the session; empty: anyone
  std::string author;                   // whose drafts are named
};

// Held sessions without a signed note by their end, with all but the due time and what follows from
// it.
absl::StatusOr<Listed<v1::DueNote>> ListUnsignedSessions(sql::Session& session,
                                                         const DueQuery& query,
                                                         const call::Page& page);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SESSION_STORE_H_
