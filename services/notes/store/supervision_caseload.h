#ifndef RAPPORT_SERVICES_NOTES_STORE_SUPERVISION_CASELOAD_H_
#define RAPPORT_SERVICES_NOTES_STORE_SUPERVISION_CASELOAD_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/supervision.pb.h"
#include "rapport/scheduling/v1/events.pb.h"

// What is counted over many cases at once: caseloads and portfolios. One statement each, however
// many cases there are; nothing sealed is opened. By ids of cases; those of `clinicians`, who are
// responsible for them now.
namespace rapport::notes {

struct CaseloadRow {
  std::string case_id;
  std::string clinician;
  int formulation_due_session = 0;
  bool formulation = false;  // there is one
  scheduling::v1::CourseEvent course;
};
absl::StatusOr<std::vector<CaseloadRow>> ListCaseloadRows(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians);

// Held sessions, and which of them wait for a signed note.
struct SessionCounts {
  int held = 0;     // those that are not private
  int waiting = 0;  // unsigned, and not past due
  int overdue = 0;
  std::optional<absl::Time> waiting_since;  // the end of the oldest
  std::optional<absl::Time> overdue_since;
};
// `overdue_before`: notes of sessions that ended before then are past due.
absl::StatusOr<std::map<std::string, SessionCounts>> CountSessions(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians, absl::Time overdue_before);

// Signed notes that wait for a supervisor's signature.
struct CosignCounts {
  int count = 0;
  absl::Time since;  // the oldest signature
};
absl::StatusOr<std::map<std::string, CosignCounts>> CountAwaitingCosign(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians);

// When a case was last talked over, by sessions of supervision that were not voided.
absl::StatusOr<std::map<std::string, absl::Time>> LastSupervised(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians);

// What a trainee has done in each case that they are responsible for.
struct WorkCounts {
  int held = 0;  // sessions, of these:
  int noted = 0;
  int recorded = 0;
  int supervised = 0;  // in confirmed sessions of supervision
  std::optional<absl::Time> first_session;
};
absl::StatusOr<std::map<std::string, WorkCounts>> CountWork(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view clinician);

// Confirmed minutes of supervision on each case.
absl::StatusOr<std::map<std::string, int>> SupervisionMinutes(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view supervisee);

struct SupervisionTotals {
  int sessions = 0;  // confirmed
  int minutes = 0;
  int unconfirmed = 0;
};
absl::StatusOr<SupervisionTotals> GetSupervisionTotals(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view supervisee);

// All drawn selections of a clinician's cases.
absl::StatusOr<std::vector<v1::RecordingSelection>> ListDrawnSelections(
    sql::Session& session, absl::string_view organization_id, absl::string_view clinician);

// The newest rating of each rater of the sessions that `clinician` held in the cases that they are
// responsible for.
struct RatingRow {
  std::string case_id;
  std::string note_id;
  v1::RaterKind kind = v1::RATER_KIND_UNSPECIFIED;
  std::optional<int> percent;
};
absl::StatusOr<std::vector<RatingRow>> ListRatingRows(sql::Session& session,
                                                      absl::string_view organization_id,
                                                      absl::string_view clinician);

// The cases with an inventory.
absl::StatusOr<std::set<std::string>> CasesWithInventory(sql::Session& session,
                                                         absl::string_view organization_id,
                                                         absl::string_view clinician);

// Whose key seals what is said of each of the cases `case_ids`, which are `clinician`'s now; others
// are left out.
absl::StatusOr<std::map<std::string, std::string>> SubjectsOfCases(
    sql::Session& session, absl::string_view organization_id, absl::string_view clinician,
    const std::vector<std::string>& case_ids);

// Of `case_ids` those that one of `clinicians` is responsible for now.
absl::StatusOr<std::set<std::string>> CasesOf(sql::Session& session,
                                              absl::string_view organization_id,
                                              const std::vector<std::string>& clinicians,
                                              const std::vector<std::string>& case_ids);

// Which of `appointments` were held, with the id of their case.
absl::StatusOr<std::map<std::string, std::string>> CasesOfHeldSessions(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& appointments);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_SUPERVISION_CASELOAD_H_
