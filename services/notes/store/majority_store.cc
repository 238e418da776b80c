#include "services/notes/store/majority_store.h"

#include <utility>

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/notes/store/documents.h"

namespace rapport::notes {
namespace {

const sql::Statement kGet{"notes.majority.get", R"sql(
  SELECT version, document FROM majority WHERE organization_id = $1 AND patient = $2)sql"};

const sql::Statement kPut{"notes.majority.put", R"sql(
  INSERT INTO majority (organization_id, patient, version, document) VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, patient) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE majority.version = excluded.version - 1)sql"};

const sql::Statement kOfPatient{"notes.majority.courses_of_patient", R"sql(
  SELECT k.case_id, k.create_time, c.document
  FROM note_case AS k
  JOIN care_course AS c
    ON c.organization_id = $1 AND c.course = 'organizations/' || $1 || '/courses/' || k.case_id
  WHERE k.organization_id = $1 AND k.patient = $2 AND k.partner = ''
  ORDER BY k.create_time, k.case_id
  LIMIT 50)sql"};

const sql::Statement kBefore{"notes.majority.courses_before", R"sql(
  SELECT k.case_id, k.create_time, c.document
  FROM note_case AS k
  JOIN care_course AS c
    ON c.organization_id = $1 AND c.course = 'organizations/' || $1 || '/courses/' || k.case_id
  LEFT JOIN majority AS m ON m.organization_id = $1 AND m.patient = k.patient
  WHERE k.organization_id = $1 AND k.case_id > $2 AND k.partner = '' AND m.patient IS NULL
  ORDER BY k.case_id
  LIMIT $3)sql"};

std::vector<CourseOfPatient> ReadCourses(const sql::Result& rows) {
  std::vector<CourseOfPatient> courses;
  for (size_t row = 0; row < rows.rows(); ++row) {
    courses.push_back({rows.Text(row, 0), rows.Time(row, 1),
                       Parsed<scheduling::v1::CourseEvent>(rows.Bytes(row, 2))});
  }
  return courses;
}

}  // namespace

absl::StatusOr<std::optional<MajorityRecord>> GetMajority(sql::Session& session,
                                                          absl::string_view patient) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(patient)), sql::Text(patient)}));
  if (rows.empty()) return std::nullopt;
  return MajorityRecord{Parsed<v1::MajorityEvent>(rows.Bytes(0, 1)), rows.Int(0, 0)};
}

absl::Status PutMajority(sql::Transaction& tx, const MajorityRecord& record) {
  const std::string& patient = record.event.patient();
  return Changed(tx.Query(kPut, {sql::Text(names::OrganizationId(patient)), sql::Text(patient),
                                 sql::Int(record.version), Document(record.event)}));
}

absl::StatusOr<std::vector<CourseOfPatient>> ListCoursesOfPatient(sql::Session& session,
                                                                  absl::string_view patient) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kOfPatient, {sql::Text(names::OrganizationId(patient)), sql::Text(patient)}));
  return ReadCourses(rows);
}

absl::StatusOr<std::vector<CourseOfPatient>> ListCoursesBeforeMajority(
    sql::Session& session, absl::string_view organization_id, absl::string_view after, int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kBefore, {sql::Text(organization_id), sql::Text(after), sql::Int(limit)}));
  return ReadCourses(rows);
}

}  // namespace rapport::notes
