#include "services/notes/store/supervision_caseload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"
#include "services/notes/store/paging.h"

namespace rapport::notes {
namespace {

const sql::Statement kRows{"notes.caseload.rows", R"sql(
  SELECT c.case_id, c.clinician, c.formulation_due_session, c.formulation_version, k.document
  FROM note_case AS c JOIN care_course AS k
    ON k.organization_id = $1 AND k.course = $3 || c.case_id
  WHERE c.organization_id = $1 AND c.clinician IN (SELECT value FROM json_each($2))
  ORDER BY c.case_id)sql"};

const sql::Statement kSessions{"notes.caseload.sessions", R"sql(
  SELECT case_id, count(CASE WHEN private = 0 THEN 1 END),
         count(CASE WHEN signed = 0 AND end_time >= $3 THEN 1 END),
         count(CASE WHEN signed = 0 AND end_time < $3 THEN 1 END),
         min(CASE WHEN signed = 0 AND end_time >= $3 THEN end_time END),
         min(CASE WHEN signed = 0 AND end_time < $3 THEN end_time END)
  FROM (SELECT s.case_id, s.private, s.end_time,
               CASE WHEN EXISTS (SELECT 1 FROM session_note AS n
                                 WHERE n.organization_id = $1 AND n.appointment = s.appointment
                                   AND n.signed_version > 0) THEN 1 ELSE 0 END AS signed
        FROM note_case AS c JOIN noted_session AS s
          ON s.organization_id = $1 AND s.case_id = c.case_id AND s.held = 1
        WHERE c.organization_id = $1
          AND c.clinician IN (SELECT value FROM json_each($2))) AS held
  GROUP BY case_id)sql"};

const sql::Statement kAwaiting{"notes.caseload.awaiting", R"sql(
  SELECT n.case_id, count(*), min(n.sign_time)
  FROM session_note AS n JOIN note_case AS c
    ON c.organization_id = $1 AND c.case_id = n.case_id
  WHERE n.organization_id = $1 AND n.cosign IN (1, 3) AND n.cosign = 1
    AND c.clinician IN (SELECT value FROM json_each($2))
  GROUP BY n.case_id)sql"};

const sql::Statement kLastSupervised{"notes.caseload.last_supervised", R"sql(
  SELECT k.case_id, max(v.start_time)
  FROM note_case AS c
  JOIN supervised_case AS k ON k.organization_id = $1 AND k.case_id = c.case_id
  JOIN supervision_session AS v
    ON v.organization_id = $1 AND v.supervisee = k.supervisee AND v.session_id = k.session_id
    AND v.voided = 0
  WHERE c.organization_id = $1 AND c.clinician IN (SELECT value FROM json_each($2))
  GROUP BY k.case_id)sql"};

const sql::Statement kWork{"notes.portfolio.work", R"sql(
  SELECT s.case_id, count(*),
         count(CASE WHEN EXISTS (SELECT 1 FROM session_note AS n
                                 WHERE n.organization_id = $1 AND n.appointment = s.appointment
                                   AND n.signed_version > 0) THEN 1 END),
         count(CASE WHEN EXISTS (SELECT 1 FROM session_recording AS r
                                 WHERE r.organization_id = $1 AND r.appointment = s.appointment)
                    THEN 1 END),
         count(CASE WHEN EXISTS (SELECT 1 FROM supervised_appointment AS a
                                 JOIN supervision_session AS v
                                   ON v.organization_id = $1 AND v.supervisee = a.supervisee
                                   AND v.session_id = a.session_id
                                 WHERE a.organization_id = $1 AND a.appointment = s.appointment
                                   AND a.supervisee = $2 AND v.voided = 0
                                   AND v.confirm_time IS NOT NULL) THEN 1 END),
         min(s.end_time)
  FROM note_case AS c JOIN noted_session AS s
    ON s.organization_id = $1 AND s.case_id = c.case_id AND s.held = 1 AND s.private = 0
  WHERE c.organization_id = $1 AND c.clinician = $2
  GROUP BY s.case_id)sql"};

const sql::Statement kMinutes{"notes.portfolio.minutes", R"sql(
  SELECT k.case_id, CAST(sum(k.minutes) AS BIGINT)
  FROM supervision_session AS v JOIN supervised_case AS k
    ON k.organization_id = $1 AND k.supervisee = v.supervisee AND k.session_id = v.session_id
  WHERE v.organization_id = $1 AND v.supervisee = $2 AND v.voided = 0
    AND v.confirm_time IS NOT NULL
  GROUP BY k.case_id)sql"};

const sql::Statement kTotals{"notes.portfolio.totals", R"sql(
  SELECT count(confirm_time),
         CAST(coalesce(sum(CASE WHEN confirm_time IS NULL THEN 0 ELSE minutes END), 0) AS BIGINT),
         count(*)
  FROM supervision_session
  WHERE organization_id = $1 AND supervisee = $2 AND voided = 0)sql"};

const sql::Statement kDrawn{"notes.portfolio.drawn", R"sql(
  SELECT s.case_id, s.selection_id, s.count, s.commitment, s.draw_time, s.drawn
  FROM note_case AS c JOIN recording_selection AS s
    ON s.organization_id = $1 AND s.case_id = c.case_id AND s.draw_time IS NOT NULL
  WHERE c.organization_id = $1 AND c.clinician = $2
  ORDER BY s.case_id, s.selection_id)sql"};

const sql::Statement kRatings{"notes.portfolio.ratings", R"sql(
  SELECT r.case_id, r.note_id, r.kind, r.percent
  FROM note_case AS c
  JOIN session_note AS n ON n.organization_id = $1 AND n.case_id = c.case_id AND n.author = $2
  JOIN session_rating AS r
    ON r.organization_id = $1 AND r.case_id = n.case_id AND r.note_id = n.note_id
  WHERE c.organization_id = $1 AND c.clinician = $2
    AND NOT EXISTS (SELECT 1 FROM session_rating AS o
                    WHERE o.organization_id = $1 AND o.case_id = r.case_id
                      AND o.note_id = r.note_id AND o.rater = r.rater
                      AND (o.create_time, o.rating_id) > (r.create_time, r.rating_id))
  ORDER BY r.case_id, r.note_id, r.rating_id)sql"};

const sql::Statement kInventory{"notes.portfolio.inventory", R"sql(
  SELECT DISTINCT e.case_id
  FROM note_case AS c JOIN case_entry AS e
    ON e.organization_id = $1 AND e.case_id = c.case_id AND e.kind = $3 AND e.voided = 0
  WHERE c.organization_id = $1 AND c.clinician = $2)sql"};

const sql::Statement kSubjects{"notes.supervision.subjects", R"sql(
  SELECT case_id, patient, partner FROM note_case
  WHERE organization_id = $1 AND clinician = $2
    AND case_id IN (SELECT value FROM json_each($3)))sql"};

const sql::Statement kCasesOf{"notes.supervision.cases_of", R"sql(
  SELECT case_id FROM note_case
  WHERE organization_id = $1 AND clinician IN (SELECT value FROM json_each($2))
    AND case_id IN (SELECT value FROM json_each($3)))sql"};

const sql::Statement kHeldSessions{"notes.supervision.held_sessions", R"sql(
  SELECT appointment, case_id FROM noted_session
  WHERE organization_id = $1 AND held = 1
    AND appointment IN (SELECT value FROM json_each($2)))sql"};

std::optional<absl::Time> TimeIf(const sql::Result& rows, size_t row, int column) {
  if (rows.IsNull(row, column)) return std::nullopt;
  return rows.Time(row, column);
}

int Count(const sql::Result& rows, size_t row, int column) {
  return static_cast<int>(rows.Int(row, column));
}

}  // namespace

absl::StatusOr<std::vector<CaseloadRow>> ListCaseloadRows(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kRows,
                    {sql::Text(organization_id), sql::Text(JsonArray(clinicians)),
                     sql::Text(absl::StrCat(names::Organization(organization_id), "/courses/"))}));
  std::vector<CaseloadRow> caseload(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    caseload[row].case_id = rows.Text(row, 0);
    caseload[row].clinician = rows.Text(row, 1);
    caseload[row].formulation_due_session = Count(rows, row, 2);
    caseload[row].formulation = rows.Int(row, 3) > 0;
    caseload[row].course = Parsed<scheduling::v1::CourseEvent>(rows.Bytes(row, 4));
  }
  return caseload;
}

absl::StatusOr<std::map<std::string, SessionCounts>> CountSessions(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians, absl::Time overdue_before) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kSessions, {sql::Text(organization_id), sql::Text(JsonArray(clinicians)),
                                sql::Micros(overdue_before)}));
  std::map<std::string, SessionCounts> counts;
  for (size_t row = 0; row < rows.rows(); ++row) {
    counts[rows.Text(row, 0)] = {.held = Count(rows, row, 1),
                                 .waiting = Count(rows, row, 2),
                                 .overdue = Count(rows, row, 3),
                                 .waiting_since = TimeIf(rows, row, 4),
                                 .overdue_since = TimeIf(rows, row, 5)};
  }
  return counts;
}

absl::StatusOr<std::map<std::string, CosignCounts>> CountAwaitingCosign(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kAwaiting, {sql::Text(organization_id), sql::Text(JsonArray(clinicians))}));
  std::map<std::string, CosignCounts> counts;
  for (size_t row = 0; row < rows.rows(); ++row) {
    counts[rows.Text(row, 0)] = {.count = Count(rows, row, 1), .since = rows.Time(row, 2)};
  }
  return counts;
}

absl::StatusOr<std::map<std::string, absl::Time>> LastSupervised(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& clinicians) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kLastSupervised,
                                 {sql::Text(organization_id), sql::Text(JsonArray(clinicians))}));
  std::map<std::string, absl::Time> last;
  for (size_t row = 0; row < rows.rows(); ++row) last[rows.Text(row, 0)] = rows.Time(row, 1);
  return last;
}

absl::StatusOr<std::map<std::string, WorkCounts>> CountWork(sql::Session& session,
                                                            absl::string_view organization_id,
                                                            absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kWork, {sql::Text(organization_id), sql::Text(clinician)}));
  std::map<std::string, WorkCounts> work;
  for (size_t row = 0; row < rows.rows(); ++row) {
    work[rows.Text(row, 0)] = {.held = Count(rows, row, 1),
                               .noted = Count(rows, row, 2),
                               .recorded = Count(rows, row, 3),
                               .supervised = Count(rows, row, 4),
                               .first_session = TimeIf(rows, row, 5)};
  }
  return work;
}

absl::StatusOr<std::map<std::string, int>> SupervisionMinutes(sql::Session& session,
                                                              absl::string_view organization_id,
                                                              absl::string_view supervisee) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kMinutes, {sql::Text(organization_id), sql::Text(supervisee)}));
  std::map<std::string, int> minutes;
  for (size_t row = 0; row < rows.rows(); ++row) minutes[rows.Text(row, 0)] = Count(rows, row, 1);
  return minutes;
}

absl::StatusOr<SupervisionTotals> GetSupervisionTotals(sql::Session& session,
                                                       absl::string_view organization_id,
                                                       absl::string_view supervisee) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kTotals, {sql::Text(organization_id), sql::Text(supervisee)}));
  const int confirmed = Count(rows, 0, 0);
  return SupervisionTotals{.sessions = confirmed,
                           .minutes = Count(rows, 0, 1),
                           .unconfirmed = Count(rows, 0, 2) - confirmed};
}

absl::StatusOr<std::vector<v1::RecordingSelection>> ListDrawnSelections(
    sql::Session& session, absl::string_view organization_id, absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kDrawn, {sql::Text(organization_id), sql::Text(clinician)}));
  std::vector<v1::RecordingSelection> drawn;
  for (size_t row = 0; row < rows.rows(); ++row) {
    v1::RecordingSelection& selection =
        drawn.emplace_back(Parsed<v1::RecordingSelection>(rows.Bytes(row, 5)));
    selection.set_name(names::Make({{"organizations", organization_id},
                                    {"cases", rows.Text(row, 0)},
                                    {"recordingSelections", rows.Text(row, 1)}}));
    selection.set_count(Count(rows, row, 2));
    selection.set_commitment(rows.Bytes(row, 3));
    *selection.mutable_draw_time() = time::ToTimestamp(rows.Time(row, 4));
  }
  return drawn;
}

absl::StatusOr<std::vector<RatingRow>> ListRatingRows(sql::Session& session,
                                                      absl::string_view organization_id,
                                                      absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kRatings, {sql::Text(organization_id), sql::Text(clinician)}));
  std::vector<RatingRow> ratings(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    ratings[row].case_id = rows.Text(row, 0);
    ratings[row].note_id = rows.Text(row, 1);
    ratings[row].kind = static_cast<v1::RaterKind>(rows.Int(row, 2));
    if (!rows.IsNull(row, 3)) ratings[row].percent = Count(rows, row, 3);
  }
  return ratings;
}

absl::StatusOr<std::set<std::string>> CasesWithInventory(sql::Session& session,
                                                         absl::string_view organization_id,
                                                         absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kInventory, {sql::Text(organization_id), sql::Text(clinician),
                                              sql::Int(v1::ENTRY_KIND_RELATIONSHIP)}));
  std::set<std::string> cases;
  for (size_t row = 0; row < rows.rows(); ++row) cases.insert(rows.Text(row, 0));
  return cases;
}

absl::StatusOr<std::map<std::string, std::string>> SubjectsOfCases(
    sql::Session& session, absl::string_view organization_id, absl::string_view clinician,
    const std::vector<std::string>& case_ids) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kSubjects, {sql::Text(organization_id), sql::Text(clinician),
                                             sql::Text(JsonArray(case_ids))}));
  std::map<std::string, std::string> subjects;
  for (size_t row = 0; row < rows.rows(); ++row) {
    subjects[rows.Text(row, 0)] =
        rows.Text(row, 2).empty()
            ? rows.Text(row, 1)
            : names::InOrganization(organization_id, "cases", rows.Text(row, 0));
  }
  return subjects;
}

absl::StatusOr<std::set<std::string>> CasesOf(sql::Session& session,
                                              absl::string_view organization_id,
                                              const std::vector<std::string>& clinicians,
                                              const std::vector<std::string>& case_ids) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kCasesOf, {sql::Text(organization_id), sql::Text(JsonArray(clinicians)),
                               sql::Text(JsonArray(case_ids))}));
  std::set<std::string> cases;
  for (size_t row = 0; row < rows.rows(); ++row) cases.insert(rows.Text(row, 0));
  return cases;
}

absl::StatusOr<std::map<std::string, std::string>> CasesOfHeldSessions(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& appointments) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kHeldSessions,
                                 {sql::Text(organization_id), sql::Text(JsonArray(appointments))}));
  std::map<std::string, std::string> cases;
  for (size_t row = 0; row < rows.rows(); ++row) cases[rows.Text(row, 0)] = rows.Text(row, 1);
  return cases;
}

}  // namespace rapport::notes
