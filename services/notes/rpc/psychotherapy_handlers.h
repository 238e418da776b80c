#ifndef RAPPORT_SERVICES_NOTES_RPC_PSYCHOTHERAPY_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_PSYCHOTHERAPY_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/crypto/vault.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/psychotherapy_note_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// PsychotherapyNoteService: what each method does and answers is written in
// psychotherapy_note_service.proto.
class PsychotherapyHandlers {
 public:
  PsychotherapyHandlers(sql::Database& database, const Access& access, const crypto::Vault& vault)
      : database_(database), access_(access), vault_(vault) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::PsychotherapyNote> CreatePsychotherapyNote(
      const call::CallContext& context, const v1::CreatePsychotherapyNoteRequest& request);
  absl::StatusOr<v1::PsychotherapyNote> UpdatePsychotherapyNote(
      const call::CallContext& context, const v1::UpdatePsychotherapyNoteRequest& request);
  absl::StatusOr<v1::PsychotherapyNote> GetPsychotherapyNote(
      const call::CallContext& context, const v1::GetPsychotherapyNoteRequest& request);
  absl::StatusOr<v1::ListPsychotherapyNotesResponse> ListPsychotherapyNotes(
      const call::CallContext& context, const v1::ListPsychotherapyNotesRequest& request);
  absl::StatusOr<v1::PsychotherapyRelease> ReleasePsychotherapyNote(
      const call::CallContext& context, const v1::ReleasePsychotherapyNoteRequest& request);
  absl::StatusOr<v1::PsychotherapyRelease> RevokePsychotherapyRelease(
      const call::CallContext& context, const v1::RevokePsychotherapyReleaseRequest& request);
  absl::StatusOr<v1::ListPsychotherapyReleasesResponse> ListPsychotherapyReleases(
      const call::CallContext& context, const v1::ListPsychotherapyReleasesRequest& request);

 private:
  absl::StatusOr<v1::PsychotherapyNote> ReadNote(sql::Session& session,
                                                 const call::CallContext& context,
                                                 absl::string_view name) const;
  absl::StatusOr<v1::PsychotherapyRelease> ReadRelease(sql::Session& session,
                                                       const call::CallContext& context,
                                                       absl::string_view name) const;

  sql::Database& database_;
  const Access& access_;
  const crypto::Vault& vault_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_PSYCHOTHERAPY_HANDLERS_H_
