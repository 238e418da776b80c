#include "services/scheduling/store/course_store.h"

#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling::store {
namespace {

// A row of `course c` and what follows from its running segment; the scope's subject in `s`, its
// supervisor in `v`, its instant in `n`.
#define SESSIONS_WHERE(condition)                                    \
  "(SELECT COUNT(*) FROM appointment a WHERE a.organization_id = $1" \
  " AND a.course_id = c.course_id AND a.segment = c.segment AND " condition ")"
#define COURSE_COLUMNS(s, v, n) \
  "c.document, c.version, " RAPPORT_SEES_TO("c", s, n) ", " RAPPORT_SUPERVISES("c", v, n) \
  ", " SESSIONS_WHERE("a.used = 1") ", " SESSIONS_WHERE("a.state = 3 AND a.counts = 1")   \
  ", " SESSIONS_WHERE("a.counts = 1")                                                     \
  ", COALESCE((SELECT k.formulation_agreed FROM course_case k"                            \
  " WHERE k.organization_id = $1 AND k.course_id = c.course_id), 0)"

const sql::Statement kGet{
    "scheduling.course.get",
    "SELECT " COURSE_COLUMNS(
        "$3", "$5", "$4") " FROM course c WHERE c.organization_id = $1 AND c.course_id = $2"};

const sql::Statement kGetRelation{
    "scheduling.course.get_relation",
    "SELECT c.version, " RAPPORT_SEES_TO("c", "$3", "$4") ", " RAPPORT_SUPERVISES(
        "c", "$5", "$4") " FROM course c WHERE c.organization_id = $1 AND c.course_id = $2"};

const sql::Statement kSeesTo{
    "scheduling.course.sees_to",
    "SELECT " RAPPORT_SEES_TO(
        "t", "$3", "$4") " FROM clinician t WHERE t.organization_id = $1 AND t.clinician_id = $2"};

// PROPOSED to MAINTENANCE.
const sql::Statement kCountOpen{"scheduling.course.count_open", R"sql(
  SELECT COUNT(*) FROM course
  WHERE organization_id = $1 AND clinician_id = $2 AND state BETWEEN 1 AND 5)sql"};

// $2 holds $3 ids of courses, one after the other. CHECKED_IN and COMPLETED.
const sql::Statement kListAttended{"scheduling.course.list_attended", R"sql(
  WITH RECURSIVE wanted (place) AS (
    SELECT CAST(0 AS BIGINT) UNION ALL SELECT place + 1 FROM wanted WHERE place + 1 < $3
  ), ids AS MATERIALIZED (
    SELECT place, substr(CAST($2 AS TEXT), CAST(place AS INTEGER) * 26 + 1, 26) AS course_id
    FROM wanted
  )
  SELECT s.place, s.number, s.document FROM (
    SELECT w.place, a.state, a.document, ROW_NUMBER() OVER (
        PARTITION BY w.place ORDER BY a.starts_at, a.appointment_id) AS number
    FROM ids w
    JOIN course c ON c.organization_id = $1 AND c.course_id = w.course_id
    JOIN appointment a ON a.organization_id = $1 AND a.course_id = c.course_id
      AND a.segment = c.segment AND a.counts = 1
  ) s
  WHERE s.state IN (2, 3) ORDER BY s.place, s.number)sql"};
constexpr size_t kIdLength = 26;

const sql::Statement kListStanding{"scheduling.course.list_standing", R"sql(
  SELECT document, version FROM appointment
  WHERE organization_id = $1 AND course_id = $2 AND state IN (1, 6) AND starts_at > $3
  ORDER BY starts_at, appointment_id)sql"};

const sql::Statement kInsert{"scheduling.course.insert", R"sql(
  INSERT INTO course (organization_id, course_id, version, patient_id, partner_id, clinician_id,
                      clinic_id, state, create_time, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9))sql"};

const sql::Statement kUpdate{"scheduling.course.update", R"sql(
  UPDATE course SET version = version + 1, clinician_id = $4, state = $5, group_id = $6,
                    segment = $7, document = $8
  WHERE organization_id = $1 AND course_id = $2 AND version = $3)sql"};

const sql::Statement kPutCase{"scheduling.course_case.put", R"sql(
  INSERT INTO course_case (organization_id, course_id, version, determination_reopened,
                           formulation_agreed)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, course_id) DO UPDATE
  SET version = excluded.version, determination_reopened = excluded.determination_reopened,
      formulation_agreed = excluded.formulation_agreed
  WHERE course_case.version < excluded.version)sql"};

const sql::Statement kReopened{"scheduling.course_case.reopened", R"sql(
  SELECT determination_reopened FROM course_case
  WHERE organization_id = $1 AND course_id = $2)sql"};

// One text for each index: $10 is the clinician and $11 the patient or partner, empty where not
// asked for.
#define LIST_COURSES(condition) \
  "SELECT " COURSE_COLUMNS("$2", "$12", "$3")                                               \
  " FROM course c WHERE c.organization_id = $1 AND " condition                              \
  " AND ($4 & (CAST(1 AS BIGINT) << CAST(c.state AS INTEGER))) <> 0"                        \
  " AND (($5 = 1 AND " RAPPORT_IN_CLINICS("c", "$6") ") OR " RAPPORT_SEES_TO("c", "$2", "$3") \
  " OR " RAPPORT_SUPERVISES("c", "$12", "$3") ")" \
  " AND (c.create_time, c.course_id) < ($7, $8)"                                            \
  " ORDER BY c.create_time DESC, c.course_id DESC LIMIT $9"

const sql::Statement kList{"scheduling.course.list", LIST_COURSES("$10 = '' AND $11 = ''")};
const sql::Statement kListOfClinician{"scheduling.course.list_of_clinician",
                                      LIST_COURSES("c.clinician_id = $10 AND $11 = ''")};
const sql::Statement kListOfPatient{
    "scheduling.course.list_of_patient",
    LIST_COURSES("(c.patient_id = $11 OR (c.partner_id = $11 AND c.partner_id <> ''))"
                 " AND ($10 = '' OR c.clinician_id = $10)")};

absl::StatusOr<CourseRow> Row(const sql::Result& rows, size_t i) {
  CourseRow row;
  row.version = rows.Int(i, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), row.version, row.resource));
  row.sees_to = rows.Bool(i, 2);
  row.supervises = rows.Bool(i, 3);
  row.sessions.used = static_cast<int>(rows.Int(i, 4));
  row.sessions.held = static_cast<int>(rows.Int(i, 5));
  row.sessions.counted = static_cast<int>(rows.Int(i, 6));
  row.formulation_agreed = rows.Bool(i, 7);
  return row;
}

}  // namespace

absl::StatusOr<CourseRow> GetCourse(sql::Session& session, absl::string_view name,
                                    const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(names::OrganizationId(name)),
                                        sql::Text(names::Last(name)), sql::Text(scope.subject),
                                        sql::Micros(scope.now), sql::Text(scope.supervisor)}));
  if (rows.empty()) return errors::NotFound("Course");
  return Row(rows, 0);
}

absl::StatusOr<CourseRelation> GetCourseRelation(sql::Session& session, absl::string_view name,
                                                 const Scope& scope) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetRelation, {sql::Text(names::OrganizationId(name)),
                                   sql::Text(names::Last(name)), sql::Text(scope.subject),
                                   sql::Micros(scope.now), sql::Text(scope.supervisor)}));
  if (rows.empty()) return errors::NotFound("Course");
  return CourseRelation{rows.Int(0, 0), rows.Bool(0, 1), rows.Bool(0, 2)};
}

absl::StatusOr<bool> SeesTo(sql::Session& session, absl::string_view clinician,
                            const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kSeesTo, {sql::Text(names::OrganizationId(clinician)),
                                           sql::Text(names::Last(clinician)),
                                           sql::Text(scope.subject), sql::Micros(scope.now)}));
  return !rows.empty() && rows.Bool(0, 0);
}

absl::StatusOr<int> CountOpenCourses(sql::Session& session, absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCountOpen, {sql::Text(names::OrganizationId(clinician)),
                                              sql::Text(names::Last(clinician))}));
  return static_cast<int>(rows.Int(0, 0));
}

absl::StatusOr<std::vector<std::vector<AttendedSession>>> ListAttended(
    sql::Session& session, absl::string_view organization_id,
    absl::Span<const v1::Course* const> courses) {
  std::vector<std::vector<AttendedSession>> attended(courses.size());
  if (courses.empty()) return attended;
  std::string ids;
  for (const v1::Course* course : courses) {
    const absl::string_view id = names::Last(course->name());
    if (id.size() != kIdLength) return errors::Internal("a course's id is no ULID");
    absl::StrAppend(&ids, id);
  }
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListAttended, {sql::Text(organization_id), sql::Text(ids),
                                                 sql::Int(static_cast<int64_t>(courses.size()))}));
  for (size_t i = 0; i < rows.rows(); ++i) {
    v1::Appointment appointment;
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 2), 0, appointment));
    AttendedSession& session_held = attended.at(rows.Int(i, 0)).emplace_back();
    session_held.number = static_cast<int>(rows.Int(i, 1));
    for (const v1::Participant& participant : appointment.participants()) {
      if (participant.attendance() == v1::ATTENDANCE_PRESENT) {
        session_held.roles.push_back(participant.role());
      }
    }
  }
  return attended;
}

absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListStanding(sql::Session& session,
                                                                  absl::string_view course,
                                                                  absl::Time now) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListStanding, {sql::Text(names::OrganizationId(course)),
                                    sql::Text(names::Last(course)), sql::Micros(now)}));
  std::vector<Stored<v1::Appointment>> standing(rows.rows());
  for (size_t i = 0; i < standing.size(); ++i) {
    standing[i].version = rows.Int(i, 1);
    RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), standing[i].version, standing[i].resource));
  }
  return standing;
}

absl::Status InsertCourse(sql::Transaction& tx, const v1::Course& course) {
  return tx
      .Query(kInsert,
             {sql::Text(names::OrganizationId(course.name())),
              sql::Text(names::Last(course.name())), sql::Text(names::Last(course.patient())),
              sql::Text(names::Last(course.partner())), sql::Text(names::Last(course.clinician())),
              sql::Text(names::Last(course.clinic())), sql::Int(course.state()),
              sql::Micros(time::ToTime(course.create_time())), sql::Bytes(Document(course))})
      .status();
}

absl::Status UpdateCourse(sql::Transaction& tx, const v1::Course& course, int64_t version) {
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kUpdate, {sql::Text(names::OrganizationId(course.name())),
                         sql::Text(names::Last(course.name())), sql::Int(version),
                         sql::Text(names::Last(course.clinician())), sql::Int(course.state()),
                         sql::Text(names::Last(course.group())), sql::Int(course.segment()),
                         sql::Bytes(Document(course))}));
  return RequireOneRow(result);
}

absl::StatusOr<bool> PutCase(sql::Transaction& tx, absl::string_view course, int64_t case_version,
                             bool determination_reopened, bool formulation_agreed) {
  ASSIGN_OR_RETURN(
      const sql::Result result,
      tx.Query(kPutCase, {sql::Text(names::OrganizationId(course)), sql::Text(names::Last(course)),
                          sql::Int(case_version), sql::Bool(determination_reopened),
                          sql::Bool(formulation_agreed)}));
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
                     sql::Text(filter.clinician_id), sql::Text(filter.patient_id),
                     sql::Text(scope.supervisor)}));
  std::vector<CourseRow> courses(rows.rows());
  for (size_t i = 0; i < courses.size(); ++i) {
    ASSIGN_OR_RETURN(courses[i], Row(rows, i));
  }
  return courses;
}

}  // namespace rapport::scheduling::store
