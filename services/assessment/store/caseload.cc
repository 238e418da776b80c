#include "services/assessment/store/caseload.h"

#include <map>
#include <utility>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kCourses{"assessment.caseload.courses", R"sql(
  SELECT course, document FROM care_course
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
  ORDER BY course)sql"};

const sql::Statement kAppointments{"assessment.caseload.appointments", R"sql(
  SELECT course, appointment, counts, document FROM care_appointment
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
  ORDER BY course, start_time, appointment)sql"};

const sql::Statement kForms{"assessment.caseload.forms", R"sql(
  SELECT course, assessment_id, instrument, patient, answer_time, total, complete, prorated,
         severity, full_syndrome, revision, positive
  FROM assessment
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2))
    AND void_time IS NULL
  ORDER BY course, answer_time, assessment_id)sql"};

const sql::Statement kPlans{"assessment.caseload.plans", R"sql(
  SELECT course, document FROM measurement_plan
  WHERE organization_id = $1 AND course IN (SELECT value FROM json_each($2)))sql"};

std::string JsonArray(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    telemetry::AppendJsonString(json, text);
  }
  return json + "]";
}

absl::Status Parse(const std::string& document, google::protobuf::Message& message) {
  if (message.ParseFromString(document)) return absl::OkStatus();
  return errors::Internal("A stored document can't be parsed.");
}

}  // namespace

absl::StatusOr<std::vector<CourseRecord>> ListCourseRecords(
    sql::Session& session, absl::string_view organization_id,
    const std::vector<std::string>& courses,
    absl::FunctionRef<bool(absl::string_view responsible)> may_know) {
  const auto query = [&](const sql::Statement& statement, const std::vector<std::string>& of) {
    return session.Query(statement, {sql::Text(organization_id), sql::Text(JsonArray(of))});
  };
  ASSIGN_OR_RETURN(const sql::Result known, query(kCourses, courses));
  std::vector<CourseRecord> records;
  std::vector<std::string> names;
  for (size_t row = 0; row < known.rows(); ++row) {
    CourseRecord record;
    record.course = known.Text(row, 0);
    RETURN_IF_ERROR(Parse(known.Bytes(row, 1), record.state));
    if (!may_know(record.state.clinician())) continue;
    names.push_back(record.course);
    records.push_back(std::move(record));
  }
  if (records.empty()) return records;
  std::map<std::string, CourseRecord*> by_name;
  for (CourseRecord& record : records) by_name[record.course] = &record;

  ASSIGN_OR_RETURN(const sql::Result appointments, query(kAppointments, names));
  std::map<std::pair<std::string, int>, int> counted;  // by course and segment
  for (size_t row = 0; row < appointments.rows(); ++row) {
    const std::string& course = appointments.Text(row, 0);
    care::AppointmentFacts facts;
    facts.appointment = appointments.Text(row, 1);
    RETURN_IF_ERROR(Parse(appointments.Bytes(row, 3), facts.state));
    if (appointments.Bool(row, 2)) {
      facts.session_number = ++counted[{course, facts.state.segment()}];
    }
    by_name.at(course)->appointments.push_back(std::move(facts));
  }

  ASSIGN_OR_RETURN(const sql::Result forms, query(kForms, names));
  for (size_t row = 0; row < forms.rows(); ++row) {
    const bool has_total = !forms.IsNull(row, 5);
    by_name.at(forms.Text(row, 0))
        ->forms.push_back({.assessment = names::InOrganization(organization_id, "assessments",
                                                               forms.Text(row, 1)),
                           .instrument = forms.Text(row, 2),
                           .patient = forms.Text(row, 3),
                           .answer_time = forms.Time(row, 4),
                           .has_total = has_total,
                           .total = has_total ? forms.Real(row, 5) : 0,
                           .complete = forms.Bool(row, 6),
                           .prorated = forms.Bool(row, 7),
                           .severity = forms.Text(row, 8),
                           .full_syndrome = forms.Bool(row, 9),
                           .revision = forms.Text(row, 10),
                           .positive = forms.Bool(row, 11)});
  }

  ASSIGN_OR_RETURN(const sql::Result plans, query(kPlans, names));
  for (size_t row = 0; row < plans.rows(); ++row) {
    RETURN_IF_ERROR(Parse(plans.Bytes(row, 1), by_name.at(plans.Text(row, 0))->plan));
  }
  return records;
}

}  // namespace rapport::assessment::store
