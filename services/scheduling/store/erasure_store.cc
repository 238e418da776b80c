#include "services/scheduling/store/erasure_store.h"

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::scheduling::store {
namespace {

const sql::Statement kMark{"scheduling.erased_patient.insert", R"sql(
  INSERT INTO erased_patient (organization_id, patient_id, erasure, erase_time)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, patient_id) DO NOTHING)sql"};

const sql::Statement kErasureOf{"scheduling.erased_patient.get", R"sql(
  SELECT erasure FROM erased_patient WHERE organization_id = $1 AND patient_id = $2)sql"};

const sql::Statement kCoursesOf{"scheduling.erasure.courses", R"sql(
  SELECT course_id FROM course WHERE organization_id = $1 AND patient_id = $2
  UNION
  SELECT course_id FROM course
  WHERE organization_id = $1 AND partner_id = $2 AND partner_id <> ''
  ORDER BY 1)sql"};

const sql::Statement kAppointmentsOf{"scheduling.erasure.appointments", R"sql(
  SELECT appointment_id FROM appointment WHERE organization_id = $1 AND patient_id = $2
  ORDER BY starts_at, appointment_id)sql"};

absl::StatusOr<std::vector<std::string>> List(sql::Session& session,
                                              const sql::Statement& statement,
                                              absl::string_view collection,
                                              absl::string_view patient) {
  const absl::string_view organization_id = names::OrganizationId(patient);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(statement, {sql::Text(organization_id), sql::Text(names::Last(patient))}));
  std::vector<std::string> names;
  for (size_t row = 0; row < rows.rows(); ++row) {
    names.push_back(names::InOrganization(organization_id, collection, rows.Text(row, 0)));
  }
  return names;
}

}  // namespace

void MarkErased(sql::Transaction& tx, absl::string_view patient, absl::string_view erasure,
                absl::Time now) {
  tx.Defer(kMark, {sql::Text(names::OrganizationId(patient)), sql::Text(names::Last(patient)),
                   sql::Text(erasure), sql::Micros(now)});
}

absl::StatusOr<std::string> ErasureOf(sql::Session& session, absl::string_view patient) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kErasureOf, {sql::Text(names::OrganizationId(patient)),
                                              sql::Text(names::Last(patient))}));
  return rows.empty() ? std::string() : rows.Text(0, 0);
}

absl::Status RequireNotErased(sql::Session& session, absl::string_view patient) {
  if (patient.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string erasure, ErasureOf(session, patient));
  if (erasure.empty()) return absl::OkStatus();
  return errors::FailedPrecondition("ERASED", "What was kept of this person has been erased.");
}

absl::StatusOr<std::vector<std::string>> ListCoursesOf(sql::Session& session,
                                                       absl::string_view patient) {
  return List(session, kCoursesOf, "courses", patient);
}

absl::StatusOr<std::vector<std::string>> ListAppointmentsOf(sql::Session& session,
                                                            absl::string_view patient) {
  return List(session, kAppointmentsOf, "appointments", patient);
}

}  // namespace rapport::scheduling::store
