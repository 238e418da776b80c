#ifndef RAPPORT_COMMON_AUDITING_AUDIT_HANDLERS_H_
#define RAPPORT_COMMON_AUDITING_AUDIT_HANDLERS_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/audit/heads.h"
#include "common/audit/verify.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/common/v1/audit_service.pb.h"

namespace rapport::auditing {

// AuditService, the same at every service. What is given outlives it.
class AuditHandlers {
 public:
  // `kinds`: of the records that the service's entries cover.
  AuditHandlers(sql::Database& database, const audit::HeadSigner& signer, audit::AnchorLog& anchors,
                std::vector<audit::RecordKind> kinds)
      : database_(database), signer_(signer), anchors_(anchors), kinds_(std::move(kinds)) {}

  void Register(call::Registry& registry);

  absl::StatusOr<common::v1::ListAuditEntriesResponse> ListAuditEntries(
      const call::CallContext& context, const common::v1::ListAuditEntriesRequest& request);
  absl::StatusOr<common::v1::ExportAuditEventsResponse> ExportAuditEvents(
      const call::CallContext& context, const common::v1::ExportAuditEventsRequest& request);
  absl::StatusOr<common::v1::SignedHead> GetSignedHead(
      const call::CallContext& context, const common::v1::GetSignedHeadRequest& request);
  absl::StatusOr<common::v1::InclusionProof> GetInclusionProof(
      const call::CallContext& context, const common::v1::GetInclusionProofRequest& request);
  absl::StatusOr<common::v1::ConsistencyProof> GetConsistencyProof(
      const call::CallContext& context, const common::v1::GetConsistencyProofRequest& request);
  absl::StatusOr<common::v1::VerifyAuditResponse> VerifyAudit(
      const call::CallContext& context, const common::v1::VerifyAuditRequest& request);

 private:
  absl::StatusOr<audit::Expectation> ExpectationOf(const call::CallContext& context,
                                                   const common::v1::VerifyAuditRequest& request,
                                                   int64_t begin, int64_t end);

  sql::Database& database_;
  const audit::HeadSigner& signer_;
  audit::AnchorLog& anchors_;
  const std::vector<audit::RecordKind> kinds_;
};

// Between the API and what is signed.
common::v1::SignedHead ToProto(const audit::Head& head);
audit::Head FromProto(const common::v1::SignedHead& head);

}  // namespace rapport::auditing

#endif  // RAPPORT_COMMON_AUDITING_AUDIT_HANDLERS_H_
