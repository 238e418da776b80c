#ifndef RAPPORT_SERVICES_NOTES_RPC_TEMPLATE_HANDLERS_H_
#define RAPPORT_SERVICES_NOTES_RPC_TEMPLATE_HANDLERS_H_

#include "absl/status/statusor.h"
#include "common/call/call_context.h"
#include "common/call/registry.h"
#include "common/sql/database.h"
#include "rapport/notes/v1/note_template_service.pb.h"
#include "services/notes/rpc/access.h"

namespace rapport::notes {

// NoteTemplateService: what each method does and answers is written in note_template_service.proto.
class NoteTemplateHandlers {
 public:
  NoteTemplateHandlers(sql::Database& database, const Access& access)
      : database_(database), access_(access) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::NoteTemplate> CreateNoteTemplateRevision(
      const call::CallContext& context, const v1::CreateNoteTemplateRevisionRequest& request);
  absl::StatusOr<v1::NoteTemplate> GetNoteTemplate(const call::CallContext& context,
                                                   const v1::GetNoteTemplateRequest& request);
  absl::StatusOr<v1::ListNoteTemplatesResponse> ListNoteTemplates(
      const call::CallContext& context, const v1::ListNoteTemplatesRequest& request);

 private:
  sql::Database& database_;
  const Access& access_;
};

// NotePolicyService, of the same file.
class NotePolicyHandlers {
 public:
  NotePolicyHandlers(sql::Database& database, const Access& access)
      : database_(database), access_(access) {}
  void Register(call::Registry& registry);

  absl::StatusOr<v1::NotePolicy> GetNotePolicy(const call::CallContext& context,
                                               const v1::GetNotePolicyRequest& request);
  absl::StatusOr<v1::NotePolicy> UpdateNotePolicy(const call::CallContext& context,
                                                  const v1::UpdateNotePolicyRequest& request);
  absl::StatusOr<v1::CosignPolicy> UpdateCosignPolicy(const call::CallContext& context,
                                                      const v1::UpdateCosignPolicyRequest& request);
  absl::StatusOr<v1::ListCosignPoliciesResponse> ListCosignPolicies(
      const call::CallContext& context, const v1::ListCosignPoliciesRequest& request);

 private:
  // OK iff the caller may settle the policy `name`: its supervisor while the pair is in force, or a
  // manager.
  absl::Status MaySettle(sql::Session& session, const call::CallContext& context,
                         absl::string_view name) const;

  sql::Database& database_;
  const Access& access_;
};

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_RPC_TEMPLATE_HANDLERS_H_
