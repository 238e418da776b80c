#ifndef RAPPORT_SERVICES_NOTES_RPC_RELEASE_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_RELEASE_HANDLERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/release_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// ReleaseService: what each method does and answers is written in release_service.proto.
class ReleaseHandlers {
 public:
  ReleaseHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault)
      : database_(database), access_(access), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::Consent> CreateConsent(const call::CallContext& context,
                                            const v1::CreateConsentRequest& request);
  absl::StatusOr<v1::Consent> RevokeConsent(const call::CallContext& context,
                                            const v1::RevokeConsentRequest& request);
  absl::StatusOr<v1::ListConsentsResponse> ListConsents(const call::CallContext& context,
                                                        const v1::ListConsentsRequest& request);
  absl::StatusOr<v1::NoteRelease> DecideNoteRelease(const call::CallContext& context,
                                                    const v1::DecideNoteReleaseRequest& request);
  absl::StatusOr<v1::ListNoteReleasesResponse> ListNoteReleases(
      const call::CallContext& context, const v1::ListNoteReleasesRequest& request);
  absl::StatusOr<v1::ListReleasedNotesResponse> ListReleasedNotes(
      const call::CallContext& context, const v1::ListReleasedNotesRequest& request);
  absl::StatusOr<v1::PatientView> GetPatientView(const call::CallContext& context,
                                                 const v1::GetPatientViewRequest& request);
  absl::StatusOr<v1::Guardian> CreateGuardian(const call::CallContext& context,
                                              const v1::CreateGuardianRequest& request);
  absl::StatusOr<v1::Guardian> UpdateGuardian(const call::CallContext& context,
                                              const v1::UpdateGuardianRequest& request);
  absl::StatusOr<v1::ListGuardiansResponse> ListGuardians(const call::CallContext& context,
                                                          const v1::ListGuardiansRequest& request);
  absl::StatusOr<v1::GuardianView> GetGuardianView(const call::CallContext& context,
                                                   const v1::GetGuardianViewRequest& request);
  absl::StatusOr<v1::BreakGlass> OpenBreakGlass(const call::CallContext& context,
                                                const v1::OpenBreakGlassRequest& request);
  absl::StatusOr<v1::BreakGlass> EndBreakGlass(const call::CallContext& context,
                                               const v1::EndBreakGlassRequest& request);
  absl::StatusOr<v1::ListBreakGlassesResponse> ListBreakGlasses(
      const call::CallContext& context, const v1::ListBreakGlassesRequest& request);
  absl::StatusOr<v1::BreakGlass> ReviewBreakGlass(const call::CallContext& context,
                                                  const v1::ReviewBreakGlassRequest& request);
  absl::StatusOr<v1::CaseLabels> SetCaseLabels(const call::CallContext& context,
                                               const v1::SetCaseLabelsRequest& request);
  absl::StatusOr<v1::CaseLabels> GetCaseLabels(const call::CallContext& context,
                                               const v1::GetCaseLabelsRequest& request);

 private:
  absl::StatusOr<v1::Consent> ReadConsent(sql::Session& session, const call::CallContext& context,
                                          absl::string_view name) const;
  absl::StatusOr<v1::NoteRelease> ReadRelease(sql::Session& session,
                                              const call::CallContext& context,
                                              absl::string_view name) const;
  absl::StatusOr<v1::Guardian> ReadGuardian(sql::Session& session, const call::CallContext& context,
                                            absl::string_view name) const;
  absl::StatusOr<v1::BreakGlass> ReadBreakGlass(sql::Session& session,
                                                const call::CallContext& context,
                                                absl::string_view name) const;
  absl::StatusOr<v1::CaseLabels> ReadLabels(sql::Session& session, const call::CallContext& context,
                                            absl::string_view case_id) const;

  // For each of the signed `notes` and each of its subjects, where its release stands: what was
  // decided, else what the rules have. In their order.
  absl::StatusOr<std::vector<v1::NoteRelease>> ReleasesOf(sql::Session& session,
                                                          const call::CallContext& context,
                                                          const care::CourseFacts& course,
                                                          const std::vector<v1::Note>& notes) const;

  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_RELEASE_HANDLERS_H_
