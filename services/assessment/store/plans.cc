#include "services/assessment/store/plans.h"

#include <utility>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kGet{"assessment.plan.get", R"sql(
  SELECT document, version FROM measurement_plan
  WHERE organization_id = $1 AND course = $2)sql"};

const sql::Statement kPut{"assessment.plan.put", R"sql(
  INSERT INTO measurement_plan (organization_id, course, version, document)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, document = excluded.document
  WHERE measurement_plan.version = excluded.version - 1)sql"};

const sql::Statement kOfClinician{"assessment.plan.of_clinician", R"sql(
  SELECT p.course, p.document
  FROM course_clinician AS mine JOIN measurement_plan AS p
    ON p.organization_id = mine.organization_id AND p.course = mine.course
  WHERE mine.organization_id = $1 AND mine.clinician = $2)sql"};

absl::StatusOr<v1::MeasurementPlan> Parse(const std::string& document) {
  v1::MeasurementPlan plan;
  if (plan.ParseFromString(document)) return plan;
  return errors::Internal("A stored document is no measurement plan.");
}

}  // namespace

absl::StatusOr<StoredPlan> GetPlan(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGet, {sql::Text(names::OrganizationId(course)), sql::Text(course)}));
  StoredPlan stored;
  if (rows.empty()) return stored;
  ASSIGN_OR_RETURN(stored.plan, Parse(rows.Bytes(0, 0)));
  stored.version = rows.Int(0, 1);
  return stored;
}

absl::Status PutPlan(sql::Transaction& tx, absl::string_view course,
                     const v1::MeasurementPlan& plan, int64_t version) {
  ASSIGN_OR_RETURN(const sql::Result put,
                   tx.Query(kPut, {sql::Text(names::OrganizationId(course)), sql::Text(course),
                                   sql::Int(version + 1), sql::Bytes(plan.SerializeAsString())}));
  if (put.affected() == 1) return absl::OkStatus();
  return errors::Aborted("LOST_RACE", "Another change came first. Read again and repeat.");
}

absl::StatusOr<std::map<std::string, v1::MeasurementPlan>> ListPlans(sql::Session& session,
                                                                     const Whose& whose) {
  std::map<std::string, v1::MeasurementPlan> plans;
  if (!whose.course.empty()) {
    ASSIGN_OR_RETURN(StoredPlan stored, GetPlan(session, whose.course));
    if (stored.version > 0) plans.emplace(whose.course, std::move(stored.plan));
    return plans;
  }
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kOfClinician, {sql::Text(whose.organization_id), sql::Text(whose.clinician)}));
  for (size_t row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(v1::MeasurementPlan plan, Parse(rows.Bytes(row, 1)));
    plans.emplace(rows.Text(row, 0), std::move(plan));
  }
  return plans;
}

}  // namespace rapport::assessment::store
