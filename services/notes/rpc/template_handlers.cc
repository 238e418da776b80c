#include "services/notes/rpc/template_handlers.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/data/templates.h"
#include "services/notes/domain/templates.h"
#include "services/notes/rpc/signing.h"
#include "services/notes/store/note_settings_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

constexpr size_t kSeedBytes = 16;
constexpr char kManager[] = "clinic_manager";
// Page tokens of templates: "s" and the index of the last shipped one, or "o" and the last id of
// one's own.
constexpr char kShipped[] = "s";
constexpr char kOwn[] = "o";

int64_t VersionOf(absl::string_view etag) {
  int64_t version = 0;
  return absl::SimpleAtoi(etag, &version) ? version : 0;
}

bool Manages(const CallContext& context, absl::string_view clinic) {
  const auto& clinics = context.principal->clinics;
  return context.principal->HasRole(kManager) &&
         (!clinics ||
          std::find(clinics->begin(), clinics->end(), names::Last(clinic)) != clinics->end());
}

}  // namespace

void NoteTemplateHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.NoteTemplateService", this)
      .Unary("CreateNoteTemplateRevision", &NoteTemplateHandlers::CreateNoteTemplateRevision)
      .Unary("GetNoteTemplate", &NoteTemplateHandlers::GetNoteTemplate)
      .Unary("ListNoteTemplates", &NoteTemplateHandlers::ListNoteTemplates);
}

absl::StatusOr<v1::NoteTemplate> NoteTemplateHandlers::CreateNoteTemplateRevision(
    const CallContext& context, const v1::CreateNoteTemplateRevisionRequest& request) {
  RETURN_IF_ERROR(CheckTemplate(request.note_template()));
  return call::Mutate<v1::NoteTemplate>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) { return GetTemplate(session, name); },
      [&](Change& change) -> absl::StatusOr<v1::NoteTemplate> {
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(change.tx(), context));
        if (reach.clinician.empty()) {
          return errors::PermissionDenied("NOT_A_CLINICIAN",
                                          "Only a clinician of the directory has templates.");
        }
        v1::NoteTemplate own = request.note_template();
        *own.mutable_create_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(InsertTemplate(change.tx(), reach.clinician, own));
        change.Audit(own.name(), own.revision(), own.SerializeAsString());
        change.SetResult(own.name(), own.revision());
        return own;
      });
}

absl::StatusOr<v1::NoteTemplate> NoteTemplateHandlers::GetNoteTemplate(
    const CallContext& context, const v1::GetNoteTemplateRequest& request) {
  if (names::OrganizationId(request.name()).empty()) {
    if (const v1::NoteTemplate* shipped = FindShippedTemplate(request.name())) return *shipped;
    return errors::NotFound("NoteTemplate");
  }
  return call::Read<v1::NoteTemplate>(database_, context, [&](sql::Session& session) {
    return GetTemplate(session, request.name());
  });
}

absl::StatusOr<v1::ListNoteTemplatesResponse> NoteTemplateHandlers::ListNoteTemplates(
    const CallContext& context, const v1::ListNoteTemplatesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListNoteTemplatesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListNoteTemplatesResponse> {
        v1::ListNoteTemplatesResponse response;
        const auto [part, last] = call::SplitKey(page.after);
        const std::vector<v1::NoteTemplate>& shipped = ShippedTemplates();
        size_t next = 0;
        if (part == kShipped && !absl::SimpleAtoi(last, &next)) next = 0;
        if (part == kOwn) next = shipped.size();
        int left = page.size;
        for (; next < shipped.size() && left > 0; ++next) {
          if (request.phase() != v1::NOTE_PHASE_UNSPECIFIED &&
              shipped[next].phase() != request.phase()) {
            continue;
          }
          *response.add_note_templates() = shipped[next];
          --left;
        }
        if (left == 0) {
          response.set_next_page_token(call::NextPageToken(
              context, next < shipped.size() ? call::JoinKey(kShipped, absl::StrCat(next))
                                             : call::JoinKey(kOwn, "")));
          return response;
        }
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        if (reach.clinician.empty()) return response;
        ASSIGN_OR_RETURN(
            Listed<v1::NoteTemplate> own,
            ListTemplates(session, reach.clinician, request.phase(),
                          {.size = left, .after = part == kOwn ? std::string(last) : ""}));
        for (v1::NoteTemplate& each : own.items) {
          *response.add_note_templates() = std::move(each);
        }
        if (!own.next_key.empty()) {
          response.set_next_page_token(
              call::NextPageToken(context, call::JoinKey(kOwn, own.next_key)));
        }
        return response;
      });
}

void NotePolicyHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.NotePolicyService", this)
      .Unary("GetNotePolicy", &NotePolicyHandlers::GetNotePolicy)
      .Unary("UpdateNotePolicy", &NotePolicyHandlers::UpdateNotePolicy)
      .Unary("UpdateCosignPolicy", &NotePolicyHandlers::UpdateCosignPolicy)
      .Unary("ListCosignPolicies", &NotePolicyHandlers::ListCosignPolicies);
}

absl::StatusOr<v1::NotePolicy> NotePolicyHandlers::GetNotePolicy(
    const CallContext& context, const v1::GetNotePolicyRequest& request) {
  return call::Read<v1::NotePolicy>(database_, context, [&](sql::Session& session) {
    return notes::GetNotePolicy(session, request.clinic());
  });
}

absl::StatusOr<v1::NotePolicy> NotePolicyHandlers::UpdateNotePolicy(
    const CallContext& context, const v1::UpdateNotePolicyRequest& request) {
  std::set<v1::NotePhase> phases;
  for (int i = 0; i < request.note_policy().history_ceilings_size(); ++i) {
    if (!phases.insert(request.note_policy().history_ceilings(i).phase()).second) {
      return errors::InvalidArgument(absl::StrCat("note_policy.history_ceilings[", i, "].phase"),
                                     "must come once");
    }
  }
  return call::Mutate<v1::NotePolicy>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view clinic) {
        return notes::GetNotePolicy(session, clinic);
      },
      [&](Change& change) -> absl::StatusOr<v1::NotePolicy> {
        v1::NotePolicy policy = request.note_policy();
        if (!Manages(context, policy.clinic())) {
          return errors::PermissionDenied("NOT_THE_CLINIC",
                                          "Only a manager of the clinic may settle this.");
        }
        change.tx().Lock({policy.clinic()});
        ASSIGN_OR_RETURN(const v1::NotePolicy before,
                         notes::GetNotePolicy(change.tx(), policy.clinic()));
        const int64_t version = VersionOf(before.etag());
        RETURN_IF_ERROR(call::CheckEtag(policy.etag(), version));
        *policy.mutable_update_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored, PutNotePolicy(change.tx(), policy, version + 1));
        change.Audit(policy.clinic() + "/notePolicy", version + 1, stored);
        change.SetResult(policy.clinic(), version + 1);
        return policy;
      });
}

absl::Status NotePolicyHandlers::MaySettle(sql::Session& session, const CallContext& context,
                                           absl::string_view name) const {
  if (context.principal->HasRole(kManager)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
  const std::string supervisee =
      names::InOrganization(context.organization_id, "clinicians", names::Id(name, "clinicians"));
  if (!reach.clinician.empty() && names::Last(reach.clinician) == names::Last(name) &&
      std::find(reach.supervised.begin(), reach.supervised.end(), supervisee) !=
          reach.supervised.end()) {
    return absl::OkStatus();
  }
  return errors::PermissionDenied(
      "NOT_THE_SUPERVISOR",
      "Only the supervisor, while the pair is in force, or a manager may settle this.");
}

absl::StatusOr<v1::CosignPolicy> NotePolicyHandlers::UpdateCosignPolicy(
    const CallContext& context, const v1::UpdateCosignPolicyRequest& request) {
  return call::Mutate<v1::CosignPolicy>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::CosignPolicy> {
        ASSIGN_OR_RETURN(std::optional<v1::CosignPolicy> policy, GetCosignPolicy(session, name));
        if (!policy) return errors::NotFound("CosignPolicy");
        return *std::move(policy);
      },
      [&](Change& change) -> absl::StatusOr<v1::CosignPolicy> {
        v1::CosignPolicy policy = request.cosign_policy();
        policy.DiscardUnknownFields();  // the audit entry covers what the row can tell again
        RETURN_IF_ERROR(MaySettle(change.tx(), context, policy.name()));
        change.tx().Lock({policy.name()});
        ASSIGN_OR_RETURN(const std::optional<v1::CosignPolicy> before,
                         GetCosignPolicy(change.tx(), policy.name()));
        const int64_t version = before ? VersionOf(before->etag()) : 0;
        RETURN_IF_ERROR(call::CheckEtag(policy.etag(), version));
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(change.tx(), context));
        policy.set_seed(RandomBytes(kSeedBytes));
        policy.set_set_by(reach.clinician.empty() ? context.principal->subject : reach.clinician);
        *policy.mutable_update_time() = time::ToTimestamp(context.now);
        RETURN_IF_ERROR(PutCosignPolicy(change.tx(), policy, version + 1));
        change.Audit(policy.name(), version + 1, policy.SerializeAsString());
        change.SetResult(policy.name(), version + 1);
        return policy;
      });
}

absl::StatusOr<v1::ListCosignPoliciesResponse> NotePolicyHandlers::ListCosignPolicies(
    const CallContext& context, const v1::ListCosignPoliciesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListCosignPoliciesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListCosignPoliciesResponse> {
        v1::ListCosignPoliciesResponse response;
        const bool manager = context.principal->HasRole(kManager);
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        if (!manager && reach.clinician.empty()) return response;
        ASSIGN_OR_RETURN(Listed<v1::CosignPolicy> listed,
                         notes::ListCosignPolicies(session, context.organization_id,
                                                   manager ? "" : reach.clinician, page));
        for (v1::CosignPolicy& policy : listed.items) {
          if (!manager && names::Last(policy.name()) != names::Last(reach.clinician)) {
            policy.clear_seed();
          }
          *response.add_cosign_policies() = std::move(policy);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

}  // namespace rapport::notes
