#ifndef RAPPORT_SERVICES_NOTES_RPC_SUPERVISION_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_SUPERVISION_HANDLERS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/mutate.h"
#include "common/call/peer.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/assessment/v1/caseload_service.pb.h"
#include "rapport/notes/v1/supervision_service.pb.h"
#include "services/notes/rpc/access.h"
#include "services/notes/store/supervision_store.h"

namespace rapport::notes {

// SupervisionService: what each method does and answers is written in supervision_service.proto.
class SupervisionHandlers {
 public:
  SupervisionHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault,
                      call::Peer& assessment)
      : database_(database), access_(access), vault_(vault), assessment_(assessment) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::ListCaseloadResponse> ListCaseload(const call::CallContext& context,
                                                        const v1::ListCaseloadRequest& request);
  absl::StatusOr<v1::SupervisionSession> LogSupervisionSession(
      const call::CallContext& context, const v1::LogSupervisionSessionRequest& request);
  absl::StatusOr<v1::SupervisionSession> ConfirmSupervisionSession(
      const call::CallContext& context, const v1::ConfirmSupervisionSessionRequest& request);
  absl::StatusOr<v1::SupervisionSession> VoidSupervisionSession(
      const call::CallContext& context, const v1::VoidSupervisionSessionRequest& request);
  absl::StatusOr<v1::SupervisionSession> GetSupervisionSession(
      const call::CallContext& context, const v1::GetSupervisionSessionRequest& request);
  absl::StatusOr<v1::ListSupervisionSessionsResponse> ListSupervisionSessions(
      const call::CallContext& context, const v1::ListSupervisionSessionsRequest& request);
  absl::StatusOr<v1::SessionRecording> RegisterRecording(
      const call::CallContext& context, const v1::RegisterRecordingRequest& request);
  absl::StatusOr<v1::SessionRecording> WithdrawRecordingConsent(
      const call::CallContext& context, const v1::WithdrawRecordingConsentRequest& request);
  absl::StatusOr<v1::SessionRecording> ConfirmRecordingDeletion(
      const call::CallContext& context, const v1::ConfirmRecordingDeletionRequest& request);
  absl::StatusOr<v1::SessionRecording> GetRecording(const call::CallContext& context,
                                                    const v1::GetRecordingRequest& request);
  absl::StatusOr<v1::ListRecordingsResponse> ListRecordings(
      const call::CallContext& context, const v1::ListRecordingsRequest& request);
  absl::StatusOr<v1::RecordingSelection> CommitRecordingSelection(
      const call::CallContext& context, const v1::CommitRecordingSelectionRequest& request);
  absl::StatusOr<v1::RecordingSelection> DrawRecordingSelection(
      const call::CallContext& context, const v1::DrawRecordingSelectionRequest& request);
  absl::StatusOr<v1::RecordingSelection> GetRecordingSelection(
      const call::CallContext& context, const v1::GetRecordingSelectionRequest& request);
  absl::StatusOr<v1::ListRecordingSelectionsResponse> ListRecordingSelections(
      const call::CallContext& context, const v1::ListRecordingSelectionsRequest& request);
  absl::StatusOr<v1::Portfolio> GetPortfolio(const call::CallContext& context,
                                             const v1::GetPortfolioRequest& request);
  absl::StatusOr<v1::ExportPortfolioResponse> ExportPortfolio(
      const call::CallContext& context, const v1::ExportPortfolioRequest& request);

 private:
  // The caller's relations.
  //   kUnavailable CARE_RELATIONS_STALE  they supervise, and it is not known whether still
  absl::StatusOr<care::Reach> RequireReach(sql::Session& session,
                                           const call::CallContext& context) const;
  // The case, for all who may know of it but those who broke the glass.
  absl::StatusOr<CaseAccess> RequireKnownCase(sql::Session& session,
                                              const call::CallContext& context,
                                              absl::string_view name, absl::string_view type) const;
  // The same, for who supervises the responsible clinician.
  absl::StatusOr<CaseAccess> RequireSupervisedCase(sql::Session& session,
                                                   const call::CallContext& context,
                                                   absl::string_view name,
                                                   absl::string_view type) const;
  // A logged session, for those who may see it, without the cases that they may not know of.
  absl::StatusOr<SupervisionRecord> ReadSession(sql::Session& session,
                                                const call::CallContext& context,
                                                absl::string_view name) const;
  absl::StatusOr<v1::SessionRecording> ChangeRecording(
      const call::CallContext& context, const std::string& request_id, const std::string& name,
      const std::string& etag,
      absl::FunctionRef<absl::Status(const CaseAccess&, v1::SessionRecording&)> edit);
  absl::StatusOr<v1::RecordingSelection> ReadSelection(sql::Session& session,
                                                       const call::CallContext& context,
                                                       absl::string_view name) const;
  // What assessment tells of `courses`, by course; false: it could not be asked.
  bool AskNeeds(const call::CallContext& context, const std::vector<std::string>& courses,
                std::map<std::string, assessment::v1::CourseNeeds>& needs);
  absl::StatusOr<v1::Portfolio> MakePortfolio(const call::CallContext& context,
                                              const std::string& clinician,
                                              const std::string& requirements);

  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
  call::Peer& assessment_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_SUPERVISION_HANDLERS_H_
