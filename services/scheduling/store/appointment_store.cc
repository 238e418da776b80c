#include "services/scheduling/store/appointment_store.h"

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/appointments.h"

namespace rapport::scheduling::store {
namespace {

// A row of `appointment a`, with its rank among those of its course that count.
#define APPOINTMENT_COLUMNS                                                                \
  "a.document, a.version, CASE WHEN a.counts = 1 THEN (SELECT COUNT(*) FROM appointment b" \
  " WHERE b.organization_id = $1 AND b.course_id = a.course_id AND b.counts = 1"           \
  " AND (b.starts_at, b.appointment_id) <= (a.starts_at, a.appointment_id)) ELSE 0 END"

const sql::Statement kGet{
    "scheduling.appointment.get",
    "SELECT " APPOINTMENT_COLUMNS ", " RAPPORT_SEES_TO(
        "a", "$3",
        "$4") " FROM appointment a WHERE a.organization_id = $1 AND a.appointment_id = $2"};

const sql::Statement kGetContext{"scheduling.appointment.context",
  "SELECT " APPOINTMENT_COLUMNS ", " RAPPORT_SEES_TO("a", "$3", "$4")
  ", c.document, c.version, (SELECT COUNT(*) FROM appointment u WHERE u.organization_id = $1"
  " AND u.course_id = a.course_id AND u.used = 1), p.document"
  " FROM appointment a"
  " JOIN course c ON c.organization_id = $1 AND c.course_id = a.course_id"
  " JOIN organization_profile p ON p.organization_id = $1"
  " WHERE a.organization_id = $1 AND a.appointment_id = $2"};

const sql::Statement kBookingContext{"scheduling.booking.context", R"sql(
  SELECT c.document, c.version, k.document, t.document, p.document
  FROM course c
  JOIN clinic k ON k.organization_id = $1 AND k.clinic_id = c.clinic_id
  JOIN clinician t ON t.organization_id = $1 AND t.clinician_id = c.clinician_id
  JOIN organization_profile p ON p.organization_id = $1
  WHERE c.organization_id = $1 AND c.course_id = $2)sql"};

// What stands in the way of a booking, and what counts already. No claim is longer than 8 hours.
const sql::Statement kBookingFacts{"scheduling.booking.facts", R"sql(
  SELECT 1, starts_at, ends_at, time_off_id FROM time_off
  WHERE organization_id = $1 AND clinician_id = $2 AND starts_at < $6 AND ends_at > $5
  UNION ALL
  SELECT 2, starts_at, ends_at, booking FROM claim
  WHERE organization_id = $1 AND resource = $3 AND starts_at > $5 - 28800000000
    AND starts_at < $6 AND ends_at > $5
  UNION ALL
  SELECT 2, starts_at, ends_at, booking FROM claim
  WHERE organization_id = $1 AND resource = $4 AND starts_at > $5 - 28800000000
    AND starts_at < $6 AND ends_at > $5
  UNION ALL
  SELECT 3, starts_at, ends_at, appointment_id FROM appointment
  WHERE organization_id = $1 AND course_id = $7 AND counts = 1)sql"};
constexpr int64_t kTimeOff = 1, kClaim = 2, kCounted = 3;

const sql::Statement kInsert{"scheduling.appointment.insert", R"sql(
  INSERT INTO appointment (organization_id, appointment_id, version, course_id, patient_id,
                           clinician_id, clinic_id, series_id, starts_at, ends_at, state, counts,
                           used, document)
  VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))sql"};

const sql::Statement kUpdate{"scheduling.appointment.update", R"sql(
  UPDATE appointment SET version = version + 1, state = $4, counts = $5, used = $6, document = $7
  WHERE organization_id = $1 AND appointment_id = $2 AND version = $3)sql"};

const sql::Statement kClaimTime{"scheduling.claim.insert", R"sql(
  INSERT INTO claim (organization_id, resource, booking, starts_at, ends_at, state)
  VALUES ($1, $2, $3, $4, $5, 'BOOKED'))sql"};

const sql::Statement kFreeTime{"scheduling.claim.delete", R"sql(
  DELETE FROM claim WHERE organization_id = $1 AND booking = $2)sql"};

#define LIST_APPOINTMENTS(column) \
  "SELECT " APPOINTMENT_COLUMNS " FROM appointment a"                                          \
  " WHERE a.organization_id = $1 AND a." column " = $2"                                        \
  " AND a.starts_at >= $3 AND a.starts_at < $4 AND (a.starts_at, a.appointment_id) > ($5, $6)" \
  " AND (($7 = 1 AND " RAPPORT_IN_CLINICS("a", "$8") ") OR " RAPPORT_SEES_TO("a", "$9", "$10") ")" \
  " ORDER BY a.starts_at, a.appointment_id LIMIT $11"

const sql::Statement kListOfCourse{"scheduling.appointment.list_of_course",
                                   LIST_APPOINTMENTS("course_id")};
const sql::Statement kListOfClinician{"scheduling.appointment.list_of_clinician",
                                      LIST_APPOINTMENTS("clinician_id")};
const sql::Statement kListOfPatient{"scheduling.appointment.list_of_patient",
                                    LIST_APPOINTMENTS("patient_id")};

const sql::Statement kListSeries{
    "scheduling.appointment.list_of_series",
    "SELECT " APPOINTMENT_COLUMNS
    " FROM appointment a"
    " WHERE a.organization_id = $1 AND a.course_id = $2 AND a.series_id = $3"
    " ORDER BY a.starts_at, a.appointment_id"};

const sql::Statement kListToCome{
    "scheduling.appointment.list_to_come",
    "SELECT " APPOINTMENT_COLUMNS
    " FROM appointment a"
    " WHERE a.organization_id = $1 AND a.course_id = $2 AND a.state = 1 AND a.starts_at > $3"
    " ORDER BY a.starts_at, a.appointment_id"};

const sql::Statement kListBookedWithin{"scheduling.appointment.list_booked_within", R"sql(
  SELECT appointment_id FROM appointment
  WHERE organization_id = $1 AND clinician_id = $2 AND state = 1
    AND starts_at > $3 - 28800000000 AND starts_at < $4 AND ends_at > $3
  ORDER BY starts_at, appointment_id LIMIT $5)sql"};

absl::Status ReadRow(const sql::Result& rows, size_t i, Stored<v1::Appointment>& row) {
  row.version = rows.Int(i, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(i, 0), row.version, row.resource));
  row.resource.set_session_number(static_cast<int32_t>(rows.Int(i, 2)));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Appointment>> All(const absl::StatusOr<sql::Result>& rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<v1::Appointment> appointments;
  appointments.reserve(rows->rows());
  for (size_t i = 0; i < rows->rows(); ++i) {
    Stored<v1::Appointment> row;
    RETURN_IF_ERROR(ReadRow(*rows, i, row));
    appointments.push_back(std::move(row.resource));
  }
  return appointments;
}

absl::Status ReadSettings(const std::string& document, v1::OrganizationSettings& settings) {
  v1::Organization organization;
  RETURN_IF_ERROR(ParseDocument(document, 0, organization));
  settings = std::move(*organization.mutable_settings());
  return absl::OkStatus();
}

std::string ClinicianKey(absl::string_view name) {
  return absl::StrCat("clinicians/", names::Last(name));
}
std::string PatientKey(absl::string_view name) {
  return absl::StrCat("patients/", names::Last(name));
}

std::vector<sql::Value> UpdateValues(const v1::Appointment& appointment,
                                     const v1::Protocol& protocol, int64_t version) {
  return {sql::Text(names::OrganizationId(appointment.name())),
          sql::Text(names::Last(appointment.name())),
          sql::Int(version),
          sql::Int(appointment.state()),
          sql::Bool(CountsTowardsCourse(appointment, protocol)),
          sql::Bool(UsesSession(appointment, protocol)),
          sql::Bytes(Document(appointment))};
}

void FreeTime(sql::Transaction& tx, const v1::Appointment& appointment) {
  if (TakesTime(appointment.state())) return;
  tx.Defer(kFreeTime, {sql::Text(names::OrganizationId(appointment.name())),
                       sql::Text(names::Last(appointment.name()))});
}

}  // namespace

std::string Document(const v1::Appointment& appointment) {
  v1::Appointment stored = appointment;
  stored.clear_session_number();
  return Document<v1::Appointment>(stored);
}

absl::StatusOr<AppointmentRow> GetAppointment(sql::Session& session, absl::string_view name,
                                              const Scope& scope) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(name)), sql::Text(names::Last(name)),
                           sql::Text(scope.subject), sql::Micros(scope.now)}));
  if (rows.empty()) return errors::NotFound("Appointment");
  AppointmentRow row;
  RETURN_IF_ERROR(ReadRow(rows, 0, row));
  row.sees_to = rows.Bool(0, 3);
  return row;
}

absl::StatusOr<AppointmentContext> GetAppointmentContext(sql::Session& session,
                                                         absl::string_view name,
                                                         const Scope& scope) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetContext, {sql::Text(names::OrganizationId(name)),
                                               sql::Text(names::Last(name)),
                                               sql::Text(scope.subject), sql::Micros(scope.now)}));
  if (rows.empty()) return errors::NotFound("Appointment");
  AppointmentContext context;
  RETURN_IF_ERROR(ReadRow(rows, 0, context.row));
  context.row.sees_to = rows.Bool(0, 3);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 4), rows.Int(0, 5), context.course));
  context.sessions_used = static_cast<int>(rows.Int(0, 6));
  RETURN_IF_ERROR(ReadSettings(rows.Bytes(0, 7), context.settings));
  return context;
}

absl::StatusOr<BookingContext> GetBookingContext(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kBookingContext, {sql::Text(names::OrganizationId(course)),
                                                   sql::Text(names::Last(course))}));
  if (rows.empty()) return errors::NotFound("Course");
  BookingContext context;
  context.course.version = rows.Int(0, 1);
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 0), context.course.version, context.course.resource));
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 2), 0, context.clinic));
  RETURN_IF_ERROR(ParseDocument(rows.Bytes(0, 3), 0, context.clinician));
  RETURN_IF_ERROR(ReadSettings(rows.Bytes(0, 4), context.settings));
  return context;
}

absl::Status ReadBookingFacts(sql::Session& session, const v1::Course& course,
                              const Interval& range, BookingFacts& facts) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kBookingFacts,
                                 {sql::Text(names::OrganizationId(course.name())),
                                  sql::Text(names::Last(course.clinician())),
                                  sql::Text(ClinicianKey(course.clinician())),
                                  sql::Text(PatientKey(course.patient())), sql::Micros(range.start),
                                  sql::Micros(range.end), sql::Text(names::Last(course.name()))}));
  for (size_t i = 0; i < rows.rows(); ++i) {
    const Interval time{rows.Time(i, 1), rows.Time(i, 2)};
    switch (rows.Int(i, 0)) {
      case kTimeOff:
        facts.time_off.push_back(time);
        break;
      case kClaim:
        facts.claims.push_back({time, rows.Text(i, 3)});
        break;
      case kCounted:
        facts.counted.push_back({time.start, rows.Text(i, 3)});
        break;
    }
  }
  return absl::OkStatus();
}

void InsertAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                       const v1::Protocol& protocol) {
  const sql::Value organization = sql::Text(names::OrganizationId(appointment.name()));
  const sql::Value id = sql::Text(names::Last(appointment.name()));
  const sql::Value start = sql::Micros(time::ToTime(appointment.start_time()));
  const sql::Value end = sql::Micros(time::ToTime(appointment.end_time()));
  tx.Defer(
      kInsert,
      {organization, id, sql::Text(names::Last(appointment.course())),
       sql::Text(names::Last(appointment.patient())),
       sql::Text(names::Last(appointment.clinician())),
       sql::Text(names::Last(appointment.clinic())), sql::Text(appointment.series()), start, end,
       sql::Int(appointment.state()), sql::Bool(CountsTowardsCourse(appointment, protocol)),
       sql::Bool(UsesSession(appointment, protocol)), sql::Bytes(Document(appointment))});
  for (const std::string& who :
       {ClinicianKey(appointment.clinician()), PatientKey(appointment.patient())}) {
    tx.Defer(kClaimTime, {organization, sql::Text(who), id, start, end});
  }
}

void DeferUpdate(sql::Transaction& tx, const v1::Appointment& appointment,
                 const v1::Protocol& protocol, int64_t version) {
  tx.Defer(kUpdate, UpdateValues(appointment, protocol, version));
  FreeTime(tx, appointment);
}

absl::Status UpdateAppointment(sql::Transaction& tx, const v1::Appointment& appointment,
                               const v1::Protocol& protocol, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result result,
                   tx.Query(kUpdate, UpdateValues(appointment, protocol, version)));
  RETURN_IF_ERROR(RequireOneRow(result));
  FreeTime(tx, appointment);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Appointment>> ListAppointments(
    sql::Session& session, absl::string_view organization_id, const Scope& scope,
    const AppointmentFilter& filter, const AppointmentKey& after, int limit) {
  const sql::Statement& statement = filter.of == AppointmentsOf::kCourse      ? kListOfCourse
                                    : filter.of == AppointmentsOf::kClinician ? kListOfClinician
                                                                              : kListOfPatient;
  return All(session.Query(
      statement, {sql::Text(organization_id), sql::Text(filter.id), sql::Int(filter.from_micros),
                  sql::Int(filter.before_micros), sql::Int(after.start_micros), sql::Text(after.id),
                  sql::Bool(scope.desk), sql::Text(scope.clinics), sql::Text(scope.subject),
                  sql::Micros(scope.now), sql::Int(limit)}));
}

absl::StatusOr<std::vector<v1::Appointment>> ListSeries(sql::Session& session,
                                                        absl::string_view organization_id,
                                                        absl::string_view course_id,
                                                        absl::string_view series_id) {
  return All(session.Query(
      kListSeries, {sql::Text(organization_id), sql::Text(course_id), sql::Text(series_id)}));
}

absl::StatusOr<std::vector<Stored<v1::Appointment>>> ListToCome(sql::Session& session,
                                                                absl::string_view course,
                                                                absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListToCome, {sql::Text(names::OrganizationId(course)),
                                               sql::Text(names::Last(course)), sql::Micros(now)}));
  std::vector<Stored<v1::Appointment>> appointments(rows.rows());
  for (size_t i = 0; i < appointments.size(); ++i) {
    RETURN_IF_ERROR(ReadRow(rows, i, appointments[i]));
  }
  return appointments;
}

absl::StatusOr<std::vector<std::string>> ListBookedWithin(sql::Session& session,
                                                          absl::string_view clinician,
                                                          const Interval& range, int limit) {
  const absl::string_view organization_id = names::OrganizationId(clinician);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kListBookedWithin,
                    {sql::Text(organization_id), sql::Text(names::Last(clinician)),
                     sql::Micros(range.start), sql::Micros(range.end), sql::Int(limit)}));
  std::vector<std::string> appointments;
  for (size_t i = 0; i < rows.rows(); ++i) {
    appointments.push_back(names::InOrganization(organization_id, "appointments", rows.Text(i, 0)));
  }
  return appointments;
}

}  // namespace rapport::scheduling::store
