#include "services/notes/store/risk_store.h"

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/documents.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsertRisk{"notes.risk_assessment.insert", R"sql(
  INSERT INTO risk_assessment (organization_id, case_id, risk_assessment_id, create_time, document)
  VALUES ($1, $2, $3, $4, $5))sql"};

const sql::Statement kGetRisk{"notes.risk_assessment.get", R"sql(
  SELECT document FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND risk_assessment_id = $3)sql"};

const sql::Statement kListRisks{"notes.risk_assessment.list", R"sql(
  SELECT document, create_time, risk_assessment_id FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, risk_assessment_id) < ($3, $4)
  ORDER BY create_time DESC, risk_assessment_id DESC
  LIMIT $5)sql"};

const sql::Statement kInsertPlan{"notes.safety_plan.insert", R"sql(
  INSERT INTO safety_plan (organization_id, case_id, version, document)
  VALUES ($1, $2, $3, $4))sql"};

const sql::Statement kGetPlan{"notes.safety_plan.get", R"sql(
  SELECT document FROM safety_plan
  WHERE organization_id = $1 AND case_id = $2 AND version <= $3
  ORDER BY version DESC
  LIMIT 1)sql"};

}  // namespace

absl::Status InsertRiskAssessment(sql::Transaction& tx, const v1::RiskAssessment& assessment) {
  const std::string& name = assessment.name();
  return tx
      .Query(kInsertRisk,
             {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
              sql::Text(names::Last(name)), sql::Micros(time::ToTime(assessment.create_time())),
              Document(assessment)})
      .status();
}

absl::StatusOr<v1::RiskAssessment> GetRiskAssessment(sql::Session& session,
                                                     absl::string_view name) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetRisk, {sql::Text(names::OrganizationId(name)),
                               sql::Text(names::Id(name, "cases")), sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("RiskAssessment");
  return Parsed<v1::RiskAssessment>(rows.Bytes(0, 0));
}

absl::StatusOr<Listed<v1::RiskAssessment>> ListRiskAssessments(sql::Session& session,
                                                               absl::string_view organization_id,
                                                               absl::string_view case_id,
                                                               const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListRisks, {sql::Text(organization_id), sql::Text(case_id),
                                              sql::Int(after.number), sql::Text(after.id),
                                              sql::Int(page.size + 1)}));
  return TakePage<v1::RiskAssessment>(
      rows, page, [&](size_t row) { return Parsed<v1::RiskAssessment>(rows.Bytes(row, 0)); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 1), rows.Text(row, 2)};
      });
}

absl::Status InsertSafetyPlan(sql::Transaction& tx, absl::string_view organization_id,
                              absl::string_view case_id, const v1::SafetyPlan& plan) {
  return tx
      .Query(kInsertPlan, {sql::Text(organization_id), sql::Text(case_id), sql::Int(plan.version()),
                           Document(plan)})
      .status();
}

absl::StatusOr<v1::SafetyPlan> GetSafetyPlan(sql::Session& session,
                                             absl::string_view organization_id,
                                             absl::string_view case_id, int64_t version) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetPlan, {sql::Text(organization_id), sql::Text(case_id), sql::Int(version)}));
  if (rows.empty()) return errors::NotFound("SafetyPlan");
  return Parsed<v1::SafetyPlan>(rows.Bytes(0, 0));
}

}  // namespace rapport::notes
