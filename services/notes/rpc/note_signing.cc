// Signatures, versions and their checks of NoteService.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/domain/diff.h"
#include "services/notes/domain/payloads.h"
#include "services/notes/domain/signatures.h"
#include "services/notes/domain/templates.h"
#include "services/notes/rpc/note_handlers.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/note_settings_store.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

constexpr size_t kSaltBytes = 16;

absl::Status CheckReason(absl::string_view reason) {
  if (!absl::StripAsciiWhitespace(reason).empty()) return absl::OkStatus();
  return errors::InvalidArgument("reason", "must not be blank");
}

absl::Status RevisionOpen() {
  return errors::FailedPrecondition(
      "REVISION_OPEN", "The next version is open as a draft already. Sign that first.");
}

absl::Status NotTheSupervisor() {
  return errors::PermissionDenied("NOT_THE_SUPERVISOR",
                                  "Only someone who supervises the author now may do this.");
}

absl::StatusOr<care::CourseFacts> CourseOf(sql::Session& session, absl::string_view note) {
  return care::GetCourse(session, names::InOrganization(names::OrganizationId(note), "courses",
                                                        names::Id(note, "cases")));
}

// The partners of a couple who have no strategy of their own that both may know of.
absl::StatusOr<std::vector<std::string>> WithoutStrategy(sql::Session& session,
                                                         const crypto::Vault& vault,
                                                         const v1::Note& note) {
  ASSIGN_OR_RETURN(
      const std::vector<v1::Entry> strategies,
      AllEntries(session, vault, names::OrganizationId(note.name()),
                 names::Id(note.name(), "cases"), {.kinds = {v1::ENTRY_KIND_STRATEGY}}));
  std::vector<std::string> without;
  for (const std::string& patient : note.subjects()) {
    const bool has = std::any_of(strategies.begin(), strategies.end(), [&](const v1::Entry& entry) {
      return entry.about() == patient && !entry.private_() && !entry.voided() &&
             (entry.strategy().status() == v1::STRATEGY_STATUS_UNSPECIFIED ||
              entry.strategy().status() == v1::STRATEGY_STATUS_CURRENT);
    });
    if (!has) without.push_back(patient);
  }
  return without;
}

int CeilingOf(const v1::NotePolicy& policy, const v1::NoteTemplate& note_template) {
  for (const v1::HistoryCeiling& each : policy.history_ceilings()) {
    if (each.phase() == note_template.phase()) return each.percent();
  }
  return note_template.history_percent();
}

}  // namespace

absl::Status NoteSigned() {
  return errors::FailedPrecondition(
      "NOTE_SIGNED", "The note is signed and never changes. Add an addendum or amend it.");
}

absl::Status NoteNotSigned() {
  return errors::FailedPrecondition("NOTE_NOT_SIGNED",
                                    "The note is not signed yet. Change the draft instead.");
}

absl::Status NotTheAuthor() {
  return errors::PermissionDenied("NOT_THE_AUTHOR",
                                  "Only its author may change the note. Add an addendum instead.");
}

void RecordNote(Change& change, const NoteRecord& note, absl::string_view stored) {
  if (note.resource.kind() == v1::NOTE_KIND_PRIVATE) {
    change.Audit(note.resource.name(), note.version, stored);
    change.SetResult(note.resource.name(), note.version);
    return;
  }
  change.Record(note.resource.name(), note.version, PayloadOf(note.resource), stored);
  change.SetResult(note.resource.name(), note.version);
}

absl::Status NoteHandlers::Prepare(sql::Session& session, const CallContext& context,
                                   NoteRecord& record, const care::CourseFacts& course) const {
  v1::Note& note = record.resource;
  ASSIGN_OR_RETURN(const SigningFacts settled,
                   RequireLicensed(session, context, note.author(), course.state));
  const care::Standing& standing = settled.standing;
  ASSIGN_OR_RETURN(const v1::NoteTemplate used, TemplateNamed(session, note.template_()));

  std::vector<errors::FieldViolation> missing;
  for (std::string& field : MissingEntries(used, note.content())) {
    missing.push_back({std::move(field), "is needed to sign a note of this phase"});
  }
  if (!missing.empty()) return errors::InvalidArgument(std::move(missing));

  CosignFacts cosign{.note = note.name(),
                     .version = note.version(),
                     .trainee = standing.trainee,
                     .supervisors = {},
                     .needed_before = note.cosign().required()};
  for (const std::string& supervisor : standing.supervisors) {
    CosignFacts::Supervisor& each = cosign.supervisors.emplace_back();
    each.clinician = supervisor;
    for (const v1::CosignPolicy& policy : settled.policies) {
      if (names::Last(policy.name()) == names::Last(supervisor)) each.policy = policy;
    }
  }
  *note.mutable_cosign() = RequirementOf(cosign);

  ASSIGN_OR_RETURN(const CaseRecord of, GetCase(session, vault_, context.organization_id,
                                                names::Id(note.name(), "cases")));
  WarningFacts facts;
  facts.history_percent = CeilingOf(settled.note_policy, used);
  facts.of = &of.resource;
  if (note.kind() == v1::NOTE_KIND_JOINT) {
    ASSIGN_OR_RETURN(facts.without_strategy, WithoutStrategy(session, vault_, note));
  }
  facts.draft_copies = note.draft_copies();
  facts.has_supervisor = !standing.supervisors.empty();
  facts.cosign_required = note.cosign().required();
  facts.now = context.now;
  note.clear_warnings();
  std::vector<std::string> blocking;
  for (v1::NoteWarning& warning : WarningsOf(note, used, facts)) {
    if (warning.blocks()) blocking.push_back(v1::NoteWarningCode_Name(warning.code()));
    *note.add_warnings() = std::move(warning);
  }
  note.set_copied_percent(CopiedPercent(note.content(), note.prefill()));
  if (blocking.empty()) return absl::OkStatus();
  return errors::FailedPrecondition(
      "BLOCKED_BY_TEMPLATE",
      "The note's template keeps it from being signed while these warnings stand; they are in the "
      "metadata.",
      {{"warnings", absl::StrJoin(blocking, ",")}});
}

absl::Status NoteHandlers::SignDraft(Change& change, NoteRecord& record,
                                     const care::CourseFacts& course) const {
  v1::Note& note = record.resource;
  if (note.erased()) {
    return errors::FailedPrecondition("ERASED", "What was kept of this person has been erased.");
  }
  RETURN_IF_ERROR(Prepare(change.tx(), change.context(), record, course));
  note.set_salt(RandomBytes(kSaltBytes));
  const std::string canonical = CanonicalNote(note);
  ASSIGN_OR_RETURN(*note.mutable_signature(),
                   Sign(change, vault_,
                        {.note = note.name(),
                         .version = note.version(),
                         .content_sha256 = Sha256(canonical),
                         .meaning = note.version() > 1 ? v1::SIGNATURE_MEANING_AMENDMENT
                                                       : v1::SIGNATURE_MEANING_AUTHOR,
                         .clinician = note.author(),
                         .responsible = course.state.clinician()}));
  ASSIGN_OR_RETURN(const std::string stored,
                   notes::SignNote(change.tx(), vault_, record, canonical, change.context().now));
  RecordNote(change, record, stored);
  return absl::OkStatus();
}

absl::StatusOr<v1::Note> NoteHandlers::SignNote(const CallContext& context,
                                                const v1::SignNoteRequest& request) {
  care::CourseFacts course;
  const auto draft = [&](sql::Session& session) -> absl::StatusOr<NoteRecord> {
    ASSIGN_OR_RETURN(NoteAccess access,
                     access_.RequireTreatedNote(session, context, request.name()));
    course = std::move(access.course);
    if (!access.author) return NotTheAuthor();
    RETURN_IF_ERROR(RequireRecentAuthentication(context));
    if (access.note.resource.draft_version() == 0) return NoteSigned();
    ASSIGN_OR_RETURN(NoteRecord note,
                     notes::ReadNote(session, vault_, request.name(), access.clinician));
    RETURN_IF_ERROR(call::CheckEtag(request.etag(), note.version));
    return note;
  };
  if (request.validate_only()) {
    return call::Read<v1::Note>(
        database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::Note> {
          ASSIGN_OR_RETURN(NoteRecord note, draft(session));
          const absl::Status status = Prepare(session, context, note, course);
          if (!status.ok() && errors::Reason(status) != "BLOCKED_BY_TEMPLATE") return status;
          return std::move(note.resource);
        });
  }
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        change.tx().Lock({request.name()});
        ASSIGN_OR_RETURN(NoteRecord note, draft(change.tx()));
        RETURN_IF_ERROR(SignDraft(change, note, course));
        return std::move(note.resource);
      });
}

absl::StatusOr<v1::Note> NoteHandlers::RequestCosign(const CallContext& context,
                                                     const v1::RequestCosignRequest& request) {
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        if (!access.author) return NotTheAuthor();
        if (access.note.resource.signed_version() == 0) return NoteNotSigned();
        ASSIGN_OR_RETURN(const care::Standing standing,
                         care::StandingOf(tx, access.clinician, context.now));
        const bool supervises =
            request.supervisor().empty()
                ? !standing.supervisors.empty()
                : std::find(standing.supervisors.begin(), standing.supervisors.end(),
                            request.supervisor()) != standing.supervisors.end();
        if (!supervises) {
          return errors::FailedPrecondition("NOT_THE_SUPERVISOR",
                                            "They do not supervise the author now.");
        }
        ASSIGN_OR_RETURN(NoteRecord note, notes::ReadNote(tx, vault_, request.name(), ""));
        if (note.resource.has_cosignature()) {
          return errors::FailedPrecondition("NOTE_COSIGNED", "A supervisor has signed it already.");
        }
        if (note.resource.has_returned()) {
          return errors::FailedPrecondition(
              "NOTE_RETURNED", "A supervisor has given it back. Sign the next version.");
        }
        v1::CosignRequirement requirement = note.resource.cosign();
        if (!requirement.required()) requirement.set_reason(v1::COSIGN_REASON_REQUESTED);
        requirement.set_required(true);
        requirement.set_supervisor(request.supervisor());
        RETURN_IF_ERROR(AskForCosign(tx, note, requirement, context.now));
        RecordNote(change, note, requirement.SerializeAsString());
        return std::move(note.resource);
      });
}

absl::StatusOr<NoteRecord> NoteHandlers::RequireToCosign(sql::Session& session,
                                                         const CallContext& context,
                                                         absl::string_view name,
                                                         absl::string_view etag,
                                                         std::string& supervisor) const {
  ASSIGN_OR_RETURN(const NoteAccess access, access_.RequireNote(session, context, name));
  ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
  if (std::find(reach.supervised.begin(), reach.supervised.end(), access.note.resource.author()) ==
      reach.supervised.end()) {
    return NotTheSupervisor();
  }
  supervisor = reach.clinician;
  RETURN_IF_ERROR(RequireRecentAuthentication(context));
  if (access.note.resource.signed_version() == 0) return NoteNotSigned();
  ASSIGN_OR_RETURN(NoteRecord note, notes::ReadNote(session, vault_, name, ""));
  if (note.resource.has_cosignature()) {
    return errors::FailedPrecondition("NOTE_COSIGNED", "A supervisor has signed it already.");
  }
  if (note.resource.has_returned()) {
    return errors::FailedPrecondition("NOTE_RETURNED",
                                      "It was given back to its author, who is to sign the next "
                                      "version.");
  }
  RETURN_IF_ERROR(call::CheckEtag(etag, note.version));
  note.resource.set_draft_version(access.note.resource.draft_version());
  return note;
}

absl::StatusOr<v1::Note> NoteHandlers::CosignNote(const CallContext& context,
                                                  const v1::CosignNoteRequest& request) {
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        std::string supervisor;
        ASSIGN_OR_RETURN(NoteRecord note,
                         RequireToCosign(tx, context, request.name(), request.etag(), supervisor));
        if (request.version() != 0 && request.version() != note.resource.version()) {
          return errors::StaleEtag(call::Etag(note.version));
        }
        ASSIGN_OR_RETURN(const care::CourseFacts course, CourseOf(tx, request.name()));
        RETURN_IF_ERROR(RequireLicensed(tx, context, supervisor, course.state).status());
        ASSIGN_OR_RETURN(const v1::Signature signature,
                         Sign(change, vault_,
                              {.note = note.resource.name(),
                               .version = note.resource.version(),
                               .content_sha256 = note.resource.signature().content_sha256(),
                               .meaning = v1::SIGNATURE_MEANING_COSIGNER,
                               .clinician = supervisor,
                               .responsible = course.state.clinician()}));
        ASSIGN_OR_RETURN(const std::string stored, InsertCosignature(tx, note, signature));
        RecordNote(change, note, stored);
        note.resource.clear_draft_version();
        return std::move(note.resource);
      });
}

absl::StatusOr<v1::Note> NoteHandlers::ReturnForRevision(
    const CallContext& context, const v1::ReturnForRevisionRequest& request) {
  RETURN_IF_ERROR(CheckReason(request.reason()));
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        v1::NoteReturn returned;
        ASSIGN_OR_RETURN(NoteRecord note,
                         RequireToCosign(tx, context, request.name(), request.etag(),
                                         *returned.mutable_supervisor()));
        if (note.resource.draft_version() != 0) return RevisionOpen();
        if (note.resource.erased()) {
          return errors::FailedPrecondition("ERASED",
                                            "What was kept of this person has been erased.");
        }
        returned.set_version(note.resource.version());
        returned.set_reason(request.reason());
        *returned.mutable_return_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(std::string stored, InsertReturn(tx, vault_, note, returned));
        v1::Note draft;
        *draft.mutable_content() = note.resource.content();
        draft.set_revision_reason(request.reason());
        ASSIGN_OR_RETURN(const std::string opened, OpenDraft(tx, vault_, note, draft, context.now));
        RecordNote(change, note, stored + opened);
        note.resource.clear_draft_version();
        return std::move(note.resource);
      });
}

absl::StatusOr<v1::Note> NoteHandlers::AddAddendum(const CallContext& context,
                                                   const v1::AddAddendumRequest& request) {
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        if (absl::StripAsciiWhitespace(request.text()).empty()) {
          return errors::InvalidArgument("text", "must not be blank");
        }
        if (access.note.resource.signed_version() == 0) return NoteNotSigned();
        const care::CourseFacts& course = access.course;
        RETURN_IF_ERROR(RequireLicensed(tx, context, access.clinician, course.state).status());
        ASSIGN_OR_RETURN(NoteRecord note, notes::ReadNote(tx, vault_, request.name(), ""));
        v1::Addendum addendum;
        addendum.set_number(note.resource.addenda_size() + 1);
        addendum.set_text(request.text());
        addendum.set_note_version(note.resource.version());
        addendum.set_salt(RandomBytes(kSaltBytes));
        const std::string canonical = CanonicalAddendum(
            note.resource.name(), note.resource.signature().content_sha256(), addendum);
        ASSIGN_OR_RETURN(*addendum.mutable_signature(),
                         Sign(change, vault_,
                              {.note = note.resource.name(),
                               .version = note.resource.version(),
                               .addendum = addendum.number(),
                               .content_sha256 = Sha256(canonical),
                               .meaning = v1::SIGNATURE_MEANING_ADDENDUM,
                               .clinician = access.clinician,
                               .responsible = course.state.clinician()}));
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertAddendum(tx, vault_, note, addendum, canonical));
        RecordNote(change, note, stored);
        return std::move(note.resource);
      });
}

absl::StatusOr<v1::Note> NoteHandlers::AmendNote(const CallContext& context,
                                                 const v1::AmendNoteRequest& request) {
  RETURN_IF_ERROR(CheckReason(request.reason()));
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        if (!access.author) return NotTheAuthor();
        if (access.note.resource.signed_version() == 0) return NoteNotSigned();
        if (access.note.resource.draft_version() != 0) return RevisionOpen();
        ASSIGN_OR_RETURN(NoteRecord note, notes::ReadNote(tx, vault_, request.name(), ""));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), note.version));
        v1::Note draft;
        *draft.mutable_content() = note.resource.content();
        draft.set_revision_reason(request.reason());
        ASSIGN_OR_RETURN(const std::string stored, OpenDraft(tx, vault_, note, draft, context.now));
        change.SetResult(note.resource.name(), note.version);
        change.Audit(note.resource.name(), note.version, stored);
        ASSIGN_OR_RETURN(NoteRecord opened,
                         notes::ReadNote(tx, vault_, request.name(), access.clinician));
        return std::move(opened.resource);
      });
}

absl::StatusOr<v1::ListNoteVersionsResponse> NoteHandlers::ListNoteVersions(
    const CallContext& context, const v1::ListNoteVersionsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListNoteVersionsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListNoteVersionsResponse> {
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireNote(session, context, request.parent()));
        ASSIGN_OR_RETURN(
            Listed<v1::Note> listed,
            notes::ListNoteVersions(session, vault_, request.parent(), access.clinician, page));
        v1::ListNoteVersionsResponse response;
        for (v1::Note& note : listed.items) *response.add_notes() = std::move(note);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::DiffNoteVersionsResponse> NoteHandlers::DiffNoteVersions(
    const CallContext& context, const v1::DiffNoteVersionsRequest& request) {
  return call::Read<v1::DiffNoteVersionsResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::DiffNoteVersionsResponse> {
        ASSIGN_OR_RETURN(const v1::Note from,
                         ReadVersion(session, context, request.name(), request.from_version()));
        ASSIGN_OR_RETURN(const v1::Note to,
                         ReadVersion(session, context, request.name(), request.to_version()));
        if (from.erased() || to.erased()) {
          return errors::FailedPrecondition("ERASED",
                                            "What was kept of this person has been erased.");
        }
        v1::DiffNoteVersionsResponse response;
        for (v1::FieldDiff& field : DiffContent(from.content(), to.content())) {
          *response.add_fields() = std::move(field);
        }
        response.set_revision_reason(to.revision_reason());
        return response;
      });
}

absl::StatusOr<v1::VerifyNoteResponse> NoteHandlers::VerifyNote(
    const CallContext& context, const v1::VerifyNoteRequest& request) {
  return call::Read<v1::VerifyNoteResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::VerifyNoteResponse> {
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireNote(session, context, request.name()));
        const int32_t version =
            request.version() != 0 ? request.version() : access.note.resource.signed_version();
        if (version == 0) return NoteNotSigned();
        ASSIGN_OR_RETURN(const NoteRecord record,
                         notes::ReadNote(session, vault_, request.name(), "", version));
        const v1::Note& note = record.resource;

        v1::VerifyNoteResponse response;
        const absl::StatusOr<std::string> bytes =
            GetSignedBytes(session, vault_, request.name(), version);
        response.set_erased(IsErased(bytes.status()));
        if (!response.erased()) {
          RETURN_IF_ERROR(bytes.status());
          response.set_content_sha256(Sha256(*bytes));
        }
        std::map<std::string, v1::SigningKey> keys;
        bool all = true;
        const auto verify = [&](const v1::Signature& signature, std::optional<std::string> sha256,
                                int32_t addendum) -> absl::Status {
          auto known = keys.find(signature.clinician());
          if (known == keys.end()) {
            ASSIGN_OR_RETURN(
                const Listed<v1::SigningKey> listed,
                notes::ListSigningKeys(session, context.organization_id, signature.clinician(),
                                       {.size = 1, .after = ""}));
            known = keys.emplace(signature.clinician(),
                                 listed.items.empty() ? v1::SigningKey() : listed.items.front())
                        .first;
          }
          v1::VerifiedSignature& verified = *response.add_signatures();
          *verified.mutable_signature() = signature;
          verified.set_public_key(known->second.public_key());
          verified.set_addendum(addendum);
          verified.set_valid(known->second.name() == signature.key() &&
                             IsValid(signature, known->second.public_key(),
                                     {note.name(), version, addendum, std::move(sha256)}));
          all = all && verified.valid();
          return absl::OkStatus();
        };
        std::optional<std::string> sha256;
        if (!response.erased()) sha256 = response.content_sha256();
        RETURN_IF_ERROR(verify(note.signature(), sha256, 0));
        if (note.has_cosignature()) RETURN_IF_ERROR(verify(note.cosignature(), sha256, 0));
        for (const v1::Addendum& addendum : note.addenda()) {
          if (addendum.note_version() != version) continue;
          const absl::StatusOr<std::string> added =
              GetAddendumBytes(session, vault_, note.name(), addendum.number());
          std::optional<std::string> added_sha256;
          if (!IsErased(added.status())) {
            RETURN_IF_ERROR(added.status());
            added_sha256 = Sha256(*added);
          }
          RETURN_IF_ERROR(verify(addendum.signature(), std::move(added_sha256), addendum.number()));
        }
        response.set_verified(all);
        return response;
      });
}

absl::StatusOr<v1::ListSigningKeysResponse> NoteHandlers::ListSigningKeys(
    const CallContext& context, const v1::ListSigningKeysRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListSigningKeysResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListSigningKeysResponse> {
        ASSIGN_OR_RETURN(
            Listed<v1::SigningKey> listed,
            notes::ListSigningKeys(session, context.organization_id, request.clinician(), page));
        v1::ListSigningKeysResponse response;
        for (v1::SigningKey& key : listed.items) *response.add_signing_keys() = std::move(key);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

}  // namespace rapport::notes
