#include "services/assessment/store/due.h"

#include <utility>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kPutCourseClinician{"assessment.course_clinician.put", R"sql(
  INSERT INTO course_clinician (organization_id, course, version, clinician)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, clinician = excluded.clinician
  WHERE course_clinician.version < excluded.version)sql"};

const sql::Statement kDutyLists{"assessment.duty_lists.get", R"sql(
  SELECT o.document, c.document
  FROM care_organization AS o LEFT JOIN care_clinic AS c
    ON c.organization_id = o.organization_id AND c.clinic = $2
  WHERE o.organization_id = $1)sql"};

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
  SELECT f.course, f.assessment_id, f.instrument, f.answer_time, f.total, f.complete, f.prorated
  FROM assessment AS f
  WHERE f.organization_id = $1 AND f.course = $2 AND f.answer_time >= $3 AND f.answer_time <= $4
  ORDER BY f.answer_time, f.assessment_id)sql"};

const sql::Statement kFormsOfClinician{"assessment.due.forms_of_clinician", R"sql(
  SELECT f.course, f.assessment_id, f.instrument, f.answer_time, f.total, f.complete, f.prorated
  FROM course_clinician AS mine JOIN assessment AS f
    ON f.organization_id = mine.organization_id AND f.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2
    AND f.answer_time >= $3 AND f.answer_time <= $4
  ORDER BY f.answer_time, f.assessment_id)sql"};

template <class State>
absl::StatusOr<State> Parse(const std::string& document) {
  State state;
  if (state.ParseFromString(document)) return state;
  return errors::Internal("A stored document of the replica can't be parsed.");
}

}  // namespace

void PutCourseClinician(sql::Transaction& tx, absl::string_view course, int64_t version,
                        absl::string_view clinician) {
  tx.Defer(kPutCourseClinician, {sql::Text(names::OrganizationId(course)), sql::Text(course),
                                 sql::Int(version), sql::Text(clinician)});
}

absl::StatusOr<bool> HasDutyList(sql::Session& session, absl::string_view organization_id,
                                 absl::string_view clinic) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kDutyLists, {sql::Text(organization_id), sql::Text(clinic)}));
  if (rows.empty()) return false;
  ASSIGN_OR_RETURN(const auto organization,
                   Parse<scheduling::v1::OrganizationEvent>(rows.Bytes(0, 0)));
  if (!organization.duty_list().empty()) return true;
  if (rows.IsNull(0, 1)) return false;
  ASSIGN_OR_RETURN(const auto state, Parse<scheduling::v1::ClinicEvent>(rows.Bytes(0, 1)));
  return !state.duty_list().empty();
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
  }
  return forms;
}

}  // namespace rapport::assessment::store
