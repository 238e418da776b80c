#ifndef RAPPORT_SERVICES_NOTES_STORE_RISK_STORE_H_
#define RAPPORT_SERVICES_NOTES_STORE_RISK_STORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/call/pages.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/case.pb.h"
#include "services/notes/store/paging.h"

// Risk assessments and safety plans. Immutable; a plan's versions are dense from 1. What they say
// is sealed (see sealed.h); what was sealed for someone erased since reads as `erased`. Functions
// that keep something return the stored bytes, for the audit entry, and answer kFailedPrecondition
// ERASED where its subject was erased.
namespace rapport::notes {

// `of`: the case.
absl::StatusOr<std::string> InsertRiskAssessment(sql::Transaction& tx, const crypto::Vault& vault,
                                                 const v1::Case& of,
                                                 const v1::RiskAssessment& assessment);

// kNotFound ("RiskAssessment").
absl::StatusOr<v1::RiskAssessment> GetRiskAssessment(sql::Session& session,
                                                     const crypto::Vault& vault,
                                                     absl::string_view name);

// Newest first.
absl::StatusOr<Listed<v1::RiskAssessment>> ListRiskAssessments(sql::Session& session,
                                                               const crypto::Vault& vault,
                                                               absl::string_view organization_id,
                                                               absl::string_view case_id,
                                                               const call::Page& page);

// `of`: the case.
absl::StatusOr<std::string> InsertSafetyPlan(sql::Transaction& tx, const crypto::Vault& vault,
                                             const v1::Case& of, const v1::SafetyPlan& plan);

// The newest version up to `version`; kNotFound ("SafetyPlan").
absl::StatusOr<v1::SafetyPlan> GetSafetyPlan(sql::Session& session, const crypto::Vault& vault,
                                             absl::string_view organization_id,
                                             absl::string_view case_id,
                                             int64_t version = kFromLast);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_STORE_RISK_STORE_H_
