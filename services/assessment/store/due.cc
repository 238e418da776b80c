#include "services/assessment/store/due.h"

#include <utility>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/assessment/domain/plans.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kPutCourseClinician{"assessment.course_clinician.put", R"sql(
  INSERT INTO course_clinician (organization_id, course, version, clinician, counts_days, segment)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician,
      counts_days = excluded.counts_days, segment = excluded.segment
  WHERE course_clinician.version < excluded.version)sql"};

// A session's number is its rank among those of its course and segment that count.
#define RAPPORT_SESSION_COLUMNS                                             \
  "SELECT a.start_time, a.appointment, a.document, c.course, c.document, (" \
  "  SELECT count(*) FROM care_appointment AS o"                            \
  "  WHERE o.organization_id = a.organization_id AND o.course = a.course"   \
  "    AND o.segment = a.segment AND o.counts = 1"                          \
  "    AND (o.start_time, o.appointment) <= (a.start_time, a.appointment)) "

const sql::Statement kSessionsOfCourse{"assessment.due.sessions_of_course",
                                       RAPPORT_SESSION_COLUMNS R"sql(
  FROM care_appointment AS a JOIN care_course AS c
    ON c.organization_id = a.organization_id AND c.course = a.course
  WHERE a.organization_id = $1 AND a.course = $2 AND a.counts = 1
    AND (a.start_time, a.appointment) >= ($3, $4)
  ORDER BY a.start_time, a.appointment LIMIT $5)sql"};

const sql::Statement kSessionsOfClinician{"assessment.due.sessions_of_clinician",
                                          RAPPORT_SESSION_COLUMNS R"sql(
  FROM course_clinician AS mine
  JOIN care_appointment AS a
    ON a.organization_id = mine.organization_id AND a.course = mine.course
  JOIN care_course AS c ON c.organization_id = a.organization_id AND c.course = a.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2 AND a.counts = 1
    AND (a.start_time, a.appointment) >= ($3, $4)
  ORDER BY a.start_time, a.appointment LIMIT $5)sql"};
#undef RAPPORT_SESSION_COLUMNS

const sql::Statement kFormsOfCourse{"assessment.due.forms_of_course", R"sql(
  SELECT f.course, f.assessment_id, f.instrument, f.answer_time, f.total, f.complete, f.prorated,
         f.patient
  FROM assessment AS f
  WHERE f.organization_id = $1 AND f.course = $2 AND f.answer_time >= $3 AND f.answer_time <= $4
    AND f.void_time IS NULL
  ORDER BY f.answer_time, f.assessment_id)sql"};

const sql::Statement kFormsOfClinician{"assessment.due.forms_of_clinician", R"sql(
  SELECT f.course, f.assessment_id, f.instrument, f.answer_time, f.total, f.complete, f.prorated,
         f.patient
  FROM course_clinician AS mine JOIN assessment AS f
    ON f.organization_id = mine.organization_id AND f.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2
    AND f.answer_time >= $3 AND f.answer_time <= $4 AND f.void_time IS NULL
  ORDER BY f.answer_time, f.assessment_id)sql"};

#define RAPPORT_DAY_COURSE                                                      \
  "SELECT mine.course, c.document, coalesce("                                   \
  " (SELECT min(a.start_time) FROM care_appointment AS a"                       \
  "  WHERE a.organization_id = mine.organization_id AND a.course = mine.course" \
  "   AND a.segment = mine.segment AND a.counts = 1),"                          \
  " (SELECT max(a.start_time) FROM care_appointment AS a"                       \
  "  WHERE a.organization_id = mine.organization_id AND a.course = mine.course" \
  "   AND a.counts = 1))"                                                       \
  " FROM course_clinician AS mine JOIN care_course AS c"                        \
  "  ON c.organization_id = mine.organization_id AND c.course = mine.course"    \
  " WHERE mine.organization_id = $1 AND mine.counts_days = 1"
const sql::Statement kDayCourse{"assessment.due.day_course",
                                RAPPORT_DAY_COURSE " AND mine.course = $2"};
const sql::Statement kDayCoursesOfClinician{"assessment.due.day_courses_of_clinician",
                                            RAPPORT_DAY_COURSE
                                            " AND mine.clinician = $2"
                                            " ORDER BY mine.course"};
#undef RAPPORT_DAY_COURSE

#define RAPPORT_NEWEST_FORMS                                                 \
  "SELECT f.course, f.instrument, f.patient, max(f.answer_time)"             \
  " FROM course_clinician AS mine JOIN assessment AS f"                      \
  "  ON f.organization_id = mine.organization_id AND f.course = mine.course" \
  " WHERE mine.organization_id = $1 AND mine.counts_days = 1"                \
  "  AND f.complete = 1 AND f.void_time IS NULL"
const sql::Statement kNewestOfCourse{
    "assessment.due.newest_of_course",
    RAPPORT_NEWEST_FORMS " AND mine.course = $2 GROUP BY f.course, f.instrument, f.patient"};
const sql::Statement kNewestOfClinician{
    "assessment.due.newest_of_clinician",
    RAPPORT_NEWEST_FORMS " AND mine.clinician = $2 GROUP BY f.course, f.instrument, f.patient"};
#undef RAPPORT_NEWEST_FORMS

#define RAPPORT_REQUESTS                                                         \
  "SELECT r.appointment, r.instrument, r.patient, r.measure_request_id"          \
  " FROM course_clinician AS mine JOIN measure_request AS r"                     \
  "  ON r.organization_id = mine.organization_id AND r.course = mine.course"     \
  " JOIN care_appointment AS a"                                                  \
  "  ON a.organization_id = r.organization_id AND a.appointment = r.appointment" \
  " WHERE mine.organization_id = $1 AND r.state <> 6"                            \
  "  AND a.start_time >= $3 AND a.start_time <= $4"
const sql::Statement kRequestsOfCourse{
    "assessment.due.requests_of_course",
    RAPPORT_REQUESTS " AND mine.course = $2 ORDER BY r.create_time, r.measure_request_id"};
const sql::Statement kRequestsOfClinician{
    "assessment.due.requests_of_clinician",
    RAPPORT_REQUESTS " AND mine.clinician = $2 ORDER BY r.create_time, r.measure_request_id"};
#undef RAPPORT_REQUESTS

template <class State>
absl::StatusOr<State> Parse(const std::string& document) {
  State state;
  if (state.ParseFromString(document)) return state;
  return errors::Internal("A stored document of the replica can't be parsed.");
}

}  // namespace

void PutCourseClinician(sql::Transaction& tx, absl::string_view course, int64_t version,
                        const scheduling::v1::CourseEvent& state) {
  tx.Defer(kPutCourseClinician,
           {sql::Text(names::OrganizationId(course)), sql::Text(course), sql::Int(version),
            sql::Text(state.clinician()), sql::Bool(CountsDays(state)), sql::Int(state.segment())});
}

Session ToSession(const care::AppointmentFacts& appointment) {
  const auto state = appointment.state.state();
  return {.appointment = appointment.appointment,
          .number = appointment.session_number,
          .start = appointment.start(),
          .end = appointment.end(),
          .stands = state == scheduling::v1::APPOINTMENT_STATE_BOOKED ||
                    state == scheduling::v1::APPOINTMENT_STATE_CHECKED_IN ||
                    state == scheduling::v1::APPOINTMENT_STATE_COMPLETED};
}

absl::StatusOr<std::vector<CourseSession>> ListSessions(sql::Session& session, const Whose& whose,
                                                        const Place& from, int limit) {
  const bool of_course = !whose.course.empty();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(of_course ? kSessionsOfCourse : kSessionsOfClinician,
                                 {sql::Text(whose.organization_id),
                                  sql::Text(of_course ? whose.course : whose.clinician),
                                  sql::Int(from.micros), sql::Text(from.name), sql::Int(limit)}));
  std::vector<CourseSession> sessions;
  sessions.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    care::AppointmentFacts appointment;
    appointment.appointment = rows.Text(row, 1);
    appointment.session_number = static_cast<int>(rows.Int(row, 5));
    ASSIGN_OR_RETURN(appointment.state,
                     Parse<scheduling::v1::AppointmentEvent>(rows.Bytes(row, 2)));
    CourseSession& listed = sessions.emplace_back();
    listed.course = rows.Text(row, 3);
    ASSIGN_OR_RETURN(listed.state, Parse<scheduling::v1::CourseEvent>(rows.Bytes(row, 4)));
    listed.session = ToSession(appointment);
    listed.start_micros = rows.Int(row, 0);
  }
  return sessions;
}

absl::StatusOr<std::vector<CourseForm>> ListFormsBetween(sql::Session& session, const Whose& whose,
                                                         absl::Time first, absl::Time last) {
  const bool of_course = !whose.course.empty();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(of_course ? kFormsOfCourse : kFormsOfClinician,
                                 {sql::Text(whose.organization_id),
                                  sql::Text(of_course ? whose.course : whose.clinician),
                                  sql::Micros(first), sql::Micros(last)}));
  std::vector<CourseForm> forms;
  forms.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    CourseForm& listed = forms.emplace_back();
    listed.course = rows.Text(row, 0);
    listed.form.assessment =
        names::InOrganization(whose.organization_id, "assessments", rows.Text(row, 1));
    listed.form.instrument = rows.Text(row, 2);
    listed.form.answer_time = rows.Time(row, 3);
    listed.form.has_total = !rows.IsNull(row, 4);
    if (listed.form.has_total) listed.form.total = rows.Real(row, 4);
    listed.form.complete = rows.Bool(row, 5);
    listed.form.prorated = rows.Bool(row, 6);
    listed.form.patient = rows.Text(row, 7);
  }
  return forms;
}

absl::StatusOr<std::vector<DayCourse>> ListDayCourses(sql::Session& session, const Whose& whose) {
  const bool of_course = !whose.course.empty();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(of_course ? kDayCourse : kDayCoursesOfClinician,
                                 {sql::Text(whose.organization_id),
                                  sql::Text(of_course ? whose.course : whose.clinician)}));
  std::vector<DayCourse> courses;
  courses.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    DayCourse& course = courses.emplace_back();
    course.course = rows.Text(row, 0);
    ASSIGN_OR_RETURN(course.state, Parse<scheduling::v1::CourseEvent>(rows.Bytes(row, 1)));
    course.since = rows.Time(row, 2);
  }
  return courses;
}

absl::StatusOr<std::vector<CourseForm>> ListNewestForms(sql::Session& session, const Whose& whose) {
  const bool of_course = !whose.course.empty();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(of_course ? kNewestOfCourse : kNewestOfClinician,
                                 {sql::Text(whose.organization_id),
                                  sql::Text(of_course ? whose.course : whose.clinician)}));
  std::vector<CourseForm> forms;
  forms.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    CourseForm& listed = forms.emplace_back();
    listed.course = rows.Text(row, 0);
    listed.form.instrument = rows.Text(row, 1);
    listed.form.patient = rows.Text(row, 2);
    listed.form.answer_time = rows.Time(row, 3);
    listed.form.complete = true;
  }
  return forms;
}

absl::StatusOr<std::vector<SessionRequest>> ListSessionRequests(sql::Session& session,
                                                                const Whose& whose,
                                                                absl::Time first, absl::Time last) {
  const bool of_course = !whose.course.empty();
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(of_course ? kRequestsOfCourse : kRequestsOfClinician,
                                 {sql::Text(whose.organization_id),
                                  sql::Text(of_course ? whose.course : whose.clinician),
                                  sql::Micros(first), sql::Micros(last)}));
  std::vector<SessionRequest> requests;
  requests.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    requests.push_back(
        {rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2),
         names::InOrganization(whose.organization_id, "measureRequests", rows.Text(row, 3))});
  }
  return requests;
}

}  // namespace rapport::assessment::store
