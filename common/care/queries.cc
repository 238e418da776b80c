#include <map>

#include "absl/strings/str_cat.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::care {
namespace {

const sql::Statement kGetCourse{"care.course.get", R"sql(
  SELECT version, document FROM care_course WHERE organization_id = $1 AND course = $2)sql"};

const sql::Statement kListAppointments{"care.appointment.list", R"sql(
  SELECT appointment, counts, document FROM care_appointment
  WHERE organization_id = $1 AND course = $2 ORDER BY start_time, appointment)sql"};

const sql::Statement kGetAppointment{"care.appointment.get", R"sql(
  SELECT a.document, a.counts * (
    SELECT count(*) FROM care_appointment AS o
    WHERE o.organization_id = a.organization_id AND o.course = a.course
      AND o.segment = a.segment AND o.counts = 1
      AND (o.start_time, o.appointment) <= (a.start_time, a.appointment))
  FROM care_appointment AS a WHERE a.organization_id = $1 AND a.appointment = $2)sql"};

const sql::Statement kGetOrganization{"care.organization.get", R"sql(
  SELECT document FROM care_organization WHERE organization_id = $1)sql"};

const sql::Statement kGetSettings{"care.settings.get", R"sql(
  SELECT o.document, c.document
  FROM care_organization AS o LEFT JOIN care_clinic AS c
    ON c.organization_id = o.organization_id AND c.clinic = $2
  WHERE o.organization_id = $1)sql"};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

absl::Status Parse(const std::string& document, google::protobuf::Message& state) {
  if (state.ParseFromString(document)) return absl::OkStatus();
  return errors::Internal(absl::StrCat("A stored ", state.GetTypeName(), " can't be parsed."));
}

}  // namespace

absl::Time AppointmentFacts::start() const { return time::ToTime(state.start_time()); }
absl::Time AppointmentFacts::end() const { return time::ToTime(state.end_time()); }

absl::StatusOr<CourseFacts> GetCourse(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetCourse, {OrganizationOf(course), sql::Text(course)}));
  if (rows.empty()) return errors::NotFound("Course");
  CourseFacts facts = {.course = std::string(course), .version = rows.Int(0, 0), .state = {}};
  RETURN_IF_ERROR(Parse(rows.Bytes(0, 1), facts.state));
  return facts;
}

absl::StatusOr<std::vector<AppointmentFacts>> ListAppointments(sql::Session& session,
                                                               absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListAppointments, {OrganizationOf(course), sql::Text(course)}));
  std::vector<AppointmentFacts> appointments(rows.rows());
  std::map<int, int> counted;  // by segment
  for (size_t row = 0; row < rows.rows(); ++row) {
    appointments[row].appointment = rows.Text(row, 0);
    RETURN_IF_ERROR(Parse(rows.Bytes(row, 2), appointments[row].state));
    if (rows.Bool(row, 1)) {
      appointments[row].session_number = ++counted[appointments[row].state.segment()];
    }
  }
  return appointments;
}

absl::StatusOr<AppointmentFacts> GetAppointment(sql::Session& session,
                                                absl::string_view appointment) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetAppointment, {OrganizationOf(appointment), sql::Text(appointment)}));
  if (rows.empty()) return errors::NotFound("Appointment");
  AppointmentFacts facts = {.appointment = std::string(appointment),
                            .state = {},
                            .session_number = static_cast<int>(rows.Int(0, 1))};
  RETURN_IF_ERROR(Parse(rows.Bytes(0, 0), facts.state));
  return facts;
}

absl::StatusOr<OrganizationFacts> GetOrganization(sql::Session& session,
                                                  absl::string_view organization) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetOrganization, {sql::Text(names::Last(organization))}));
  if (rows.empty()) {
    return errors::Unavailable(
        "ORGANIZATION_NOT_READY",
        "This service has not yet heard of the organisation; repeat the call.", "scheduling");
  }
  OrganizationFacts facts = {.organization = std::string(organization), .state = {}};
  RETURN_IF_ERROR(Parse(rows.Bytes(0, 0), facts.state));
  return facts;
}

absl::StatusOr<Settings> GetSettings(sql::Session& session, absl::string_view organization,
                                     absl::string_view clinic) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetSettings, {sql::Text(names::Last(organization)), sql::Text(clinic)}));
  Settings settings;
  if (rows.empty()) return settings;
  RETURN_IF_ERROR(Parse(rows.Bytes(0, 0), settings.organization));
  if (!rows.IsNull(0, 1)) RETURN_IF_ERROR(Parse(rows.Bytes(0, 1), settings.clinic));
  return settings;
}

}  // namespace rapport::care
