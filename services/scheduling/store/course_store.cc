#include "services/scheduling/store/course_store.h"

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling::store {
namespace {

// A row of `course c`, its sessions counted; the scope's subject in `s`, its instant in `n`.
#define COURSE_COLUMNS(s, n) \
  "c.document, c.version, " RAPPORT_SEES_TO("c", s, n) ", "                               \
  "(SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1"                      \
  " AND a.course_id = c.course_id AND a.used = 1), "                                      \
  "(SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1"                      \
  " AND a.course_id = c.course_id AND a.state = 3)"

const sql::Statement kGet{
    "scheduling.course.get",
    "SELECT " COURSE_COLUMNS(
        "$3", "$4") " FROM course c WHERE c.organization_id = $1 AND c.course_id = $2"};

const sql::Statement kSeesTo{
    "scheduling.course.sees_to",
    "SELECT " RAPPORT_SEES_TO(
        "t", "$3", "$4") " FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id = $2"};

const sql::Statement kInsert{"scheduling.course.insert", R"sql(
  INSERT INTO course (organization_id, course_id, version, patient_id, clinician_id, clinic_id, state,
                      create_time, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8))sql"};

const sql::Statement kUpdate{"scheduling.course.update", R"sql(
  UPDATE course SET version = version + 1, state = $4, document = $5
  WHERE organization_id = $1 AND course_id = $2 AND version = $3)sql"};

const sql::Statement kPutCase{"scheduling.course_case.put", R"sql(
  INSERT INTO course_case (organization_id, course_id, version, determination_reopened)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course_id) DO UPDATE
  SET version = excluded.version, determination_reopened = excluded.determination_reopened
  WHERE course_case.version < excluded.version)sql"};

const sql::Statement kReopened{"scheduling.course_case.reopened", R"sql(
  SELECT determination_reopened FROM course_case
  WHERE organization_id = $1 AND course_id = $2)sql"};

// One text for each index: $10 is the clinician and $11 the patient, empty where not asked for.
#define LIST_COURSES(condition) \
  "SELECT " COURSE_COLUMNS("$2", "$3")                                                      \
  " FROM course c WHERE c.organization_id = $1 AND " condition                              \
  " AND ($4 & (CAST(1 AS BIGINT) << CAST(c.state AS INTEGER))) <> 0"                        \
  " AND (($5 = 1 AND " RAPPORT_IN_CLINICS("c", "$6") ") OR " RAPPORT_SEES_TO("c", "$2", "$3") ")" \
  " AND (c.create_time, c.course_id) < ($7, $8)"                                            \
  " ORDER BY c.create_time DESC, c.course_id DESC LIMIT $9"

const sql::Statement kList{"scheduling.course.list", LIST_COURSES("$10 = '' AND $11 = ''")};
const sql::Statement kListOfClinician{"scheduling.course.list_of_clinician",
                                      LIST_COURSES("c.clinician_id = $10 AND $11 = ''")};
const sql::Statement kListOfPatient{
    "scheduling.course.list_of_patient",
    LIST_COURSES("c.patient_id = $11 AND ($10 = '' OR c.clinician_id = $10)")};

absl::StatusOr<CourseRow> Row(const sql::Result& rows, size_t i) {
  CourseRow row;
  row.version = rows.Int(i, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), row.version, row.resource));
  row.sees_to = rows.Bool(i, 2);
  row.sessions_used = static_cast<int>(rows.Int(i, 3));
  row.sessions_held = static_cast<int>(rows.Int(i, 4));
  return row;
}

}  // namespace

absl::StatusOr<CourseRow> GetCourse(sql::Session& session, absl::string_view name,
                                    const Scope& scope) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)), sql::Text(names::Last(name)),
                           sql::Text(scope.subject), sql::Micros(scope.now)}));
  if (rows.empty()) return errors::NotFound("Course");
  return Row(rows, 0);
}

absl::StatusOr<bool> SeesTo(sql::Session& session, absl::string_view clinician,
                            const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kSeesTo, {sql::Text(names::OrganizationId(clinician)),
                                           sql::Text(names::Last(clinician)),
                                           sql::Text(scope.subject), sql::Micros(scope.now)}));
  return !rows.empty() && rows.Bool(0, 0);
}

absl::Status InsertCourse(sql::Transaction& tx, const v1::Course& course) {
  return tx
      .Query(
          kInsert,
          {sql::Text(names::OrganizationId(course.name())), sql::Text(names::Last(course.name())),
           sql::Text(names::Last(course.patient())), sql::Text(names::Last(course.clinician())),
           sql::Text(names::Last(course.clinic())), sql::Int(course.state()),
           sql::Micros(time::ToTime(course.create_time())), sql::Bytes(Document(course))})
      .status();
}

absl::Status UpdateCourse(sql::Transaction& tx, const v1::Course& course, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kUpdate, {sql::Text(names::OrganizationId(course.name())),
                                      sql::Text(names::Last(course.name())), sql::Int(version),
                                      sql::Int(course.state()), sql::Bytes(Document(course))}));
  return RequireOneRow(result);
}

absl::StatusOr<bool> PutCase(sql::Transaction& tx, absl::string_view course, int64_t case_version,
                             bool determination_reopened) {
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kPutCase, {sql::Text(names::OrganizationId(course)), sql::Text(names::Last(course)),
                          sql::Int(case_version), sql::Bool(determination_reopened)}));
  return result.affected() == 1;
}

absl::StatusOr<bool> DeterminationReopened(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kReopened, {sql::Text(names::OrganizationId(course)),
                                             sql::Text(names::Last(course))}));
  return !rows.empty() && rows.Bool(0, 0);
}

absl::StatusOr<std::vector<CourseRow>> ListCourses(sql::Session& session,
                                                   absl::string_view organization_id,
                                                   const Scope& scope, const CourseFilter& filter,
                                                   const CourseKey& after, int limit) {
  int64_t states = filter.states.empty() ? ~int64_t{0} : 0;
  for (v1::CourseState state : filter.states) states |= int64_t{1} << state;
  const sql::Statement& statement = !filter.patient_id.empty()     ? kListOfPatient
                                    : !filter.clinician_id.empty() ? kListOfClinician
                                                                   : kList;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(statement,
                    {sql::Text(organization_id), sql::Text(scope.subject), sql::Micros(scope.now),
                     sql::Int(states), sql::Bool(scope.desk), sql::Text(scope.clinics),
                     sql::Int(after.create_micros), sql::Text(after.id), sql::Int(limit),
                     sql::Text(filter.clinician_id), sql::Text(filter.patient_id)}));
  std::vector<CourseRow> courses(rows.rows());
  for (size_t i = 0; i < courses.size(); ++i) {
    ASSIGN_OR_RETURN(courses[i], Row(rows, i));
  }
  return courses;
}

}  // namespace rapport::scheduling::store
