#include "services/notes/store/risk_store.h"

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

const sql::Statement kInsertRisk{"notes.risk_assessment.insert", R"sql(
  INSERT INTO risk_assessment (organization_id, case_id, risk_assessment_id, create_time, document,
                               subject)
  VALUES ($1, $2, $3, $4, $5, $6))sql"};

const sql::Statement kGetRisk{"notes.risk_assessment.get", R"sql(
  SELECT document, create_time, risk_assessment_id, subject FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND risk_assessment_id = $3)sql"};

const sql::Statement kListRisks{"notes.risk_assessment.list", R"sql(
  SELECT document, create_time, risk_assessment_id, subject FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND (create_time, risk_assessment_id) < ($3, $4)
  ORDER BY create_time DESC, risk_assessment_id DESC
  LIMIT $5)sql"};

const sql::Statement kInsertPlan{"notes.safety_plan.insert", R"sql(
  INSERT INTO safety_plan (organization_id, case_id, version, document, subject)
  VALUES ($1, $2, $3, $4, $5))sql"};

const sql::Statement kGetPlan{"notes.safety_plan.get", R"sql(
  SELECT document, version, subject FROM safety_plan
  WHERE organization_id = $1 AND case_id = $2 AND version <= $3
  ORDER BY version DESC
  LIMIT 1)sql"};

absl::StatusOr<v1::RiskAssessment> ReadRisk(crypto::Opener& opener,
                                            absl::string_view organization_id,
                                            absl::string_view case_id, const sql::Result& rows,
                                            size_t row) {
  const SealedPlace place{rows.Text(row, 3),
                          names::Make({{"organizations", organization_id},
                                       {"cases", case_id},
                                       {"riskAssessments", rows.Text(row, 2)}}),
                          1};
  ASSIGN_OR_RETURN(auto assessment,
                   UnsealOrErased<v1::RiskAssessment>(opener, place, rows.Bytes(row, 0)));
  assessment.set_name(place.name);
  *assessment.mutable_create_time() = time::ToTimestamp(rows.Time(row, 1));
  return assessment;
}

SealedPlace PlanPlace(absl::string_view case_name, int64_t version, const std::string& subject) {
  return {subject, absl::StrCat(case_name, "/safetyPlans/", version), version};
}

}  // namespace

absl::StatusOr<std::string> InsertRiskAssessment(sql::Transaction& tx, const crypto::Vault& vault,
                                                 const v1::Case& of,
                                                 const v1::RiskAssessment& assessment) {
  const std::string& name = assessment.name();
  const std::string subject = SubjectOf(of);
  const absl::Time now = time::ToTime(assessment.create_time());
  ASSIGN_OR_RETURN(const sql::Value sealed, Seal(tx, vault, {subject, name, 1}, assessment, now));
  RETURN_IF_ERROR(
      tx.Query(kInsertRisk,
               {sql::Text(names::OrganizationId(name)), sql::Text(names::Id(name, "cases")),
                sql::Text(names::Last(name)), sql::Micros(now), sealed, sql::Text(subject)})
          .status());
  return StoredBytes(sealed);
}

absl::StatusOr<v1::RiskAssessment> GetRiskAssessment(sql::Session& session,
                                                     const crypto::Vault& vault,
                                                     absl::string_view name) {
  const absl::string_view organization_id = names::OrganizationId(name);
  const absl::string_view case_id = names::Id(name, "cases");
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetRisk, {sql::Text(organization_id), sql::Text(case_id),
                                            sql::Text(names::Last(name))}));
  if (rows.empty()) return errors::NotFound("RiskAssessment");
  crypto::Opener opener(vault, session);
  return ReadRisk(opener, organization_id, case_id, rows, 0);
}

absl::StatusOr<Listed<v1::RiskAssessment>> ListRiskAssessments(sql::Session& session,
                                                               const crypto::Vault& vault,
                                                               absl::string_view organization_id,
                                                               absl::string_view case_id,
                                                               const call::Page& page) {
  const ListKey after = After(page, kFromLast);
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListRisks, {sql::Text(organization_id), sql::Text(case_id),
                                              sql::Int(after.number), sql::Text(after.id),
                                              sql::Int(page.size + 1)}));
  crypto::Opener opener(vault, session);
  return TryTakePage<v1::RiskAssessment>(
      rows, page, [&](size_t row) { return ReadRisk(opener, organization_id, case_id, rows, row); },
      [&](size_t row) {
        return ListKey{rows.Int(row, 1), rows.Text(row, 2)};
      });
}

absl::StatusOr<std::string> InsertSafetyPlan(sql::Transaction& tx, const crypto::Vault& vault,
                                             const v1::Case& of, const v1::SafetyPlan& plan) {
  const std::string subject = SubjectOf(of);
  ASSIGN_OR_RETURN(const sql::Value sealed,
                   Seal(tx, vault, PlanPlace(of.name(), plan.version(), subject), plan,
                        time::ToTime(plan.create_time())));
  RETURN_IF_ERROR(tx.Query(kInsertPlan, {sql::Text(names::OrganizationId(of.name())),
                                         sql::Text(names::Last(of.name())),
                                         sql::Int(plan.version()), sealed, sql::Text(subject)})
                      .status());
  return StoredBytes(sealed);
}

absl::StatusOr<v1::SafetyPlan> GetSafetyPlan(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view organization_id,
                                             absl::string_view case_id, int64_t version) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kGetPlan, {sql::Text(organization_id), sql::Text(case_id), sql::Int(version)}));
  if (rows.empty()) return errors::NotFound("SafetyPlan");
  crypto::Opener opener(vault, session);
  const SealedPlace place = PlanPlace(names::InOrganization(organization_id, "cases", case_id),
                                      rows.Int(0, 1), rows.Text(0, 2));
  ASSIGN_OR_RETURN(auto plan, UnsealOrErased<v1::SafetyPlan>(opener, place, rows.Bytes(0, 0)));
  plan.set_version(static_cast<int32_t>(place.version));
  return plan;
}

}  // namespace rapport::notes
