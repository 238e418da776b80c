#include "services/notes/rpc/psychotherapy_handlers.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/data/access_settings.h"
#include "services/notes/domain/release_rules.h"
#include "services/notes/store/psychotherapy_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (!absl::StripAsciiWhitespace(text).empty()) return absl::OkStatus();
  return errors::InvalidArgument(field, "must not be blank");
}

// Of something below a psychotherapy note, the note.
std::string NoteOf(absl::string_view name) {
  return std::string(name.substr(0, name.rfind("/releases/")));
}

}  // namespace

void PsychotherapyHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.PsychotherapyNoteService", this)
      .Unary("CreatePsychotherapyNote", &PsychotherapyHandlers::CreatePsychotherapyNote)
      .Unary("UpdatePsychotherapyNote", &PsychotherapyHandlers::UpdatePsychotherapyNote)
      .Unary("GetPsychotherapyNote", &PsychotherapyHandlers::GetPsychotherapyNote)
      .Unary("ListPsychotherapyNotes", &PsychotherapyHandlers::ListPsychotherapyNotes)
      .Unary("ReleasePsychotherapyNote", &PsychotherapyHandlers::ReleasePsychotherapyNote)
      .Unary("RevokePsychotherapyRelease", &PsychotherapyHandlers::RevokePsychotherapyRelease)
      .Unary("ListPsychotherapyReleases", &PsychotherapyHandlers::ListPsychotherapyReleases);
}

absl::StatusOr<v1::PsychotherapyNote> PsychotherapyHandlers::ReadNote(
    sql::Session& session, const CallContext& context, absl::string_view name) const {
  RETURN_IF_ERROR(
      access_.RequirePsychotherapyNote(session, context, name, Purpose::kRead).status());
  ASSIGN_OR_RETURN(PsychotherapyRecord record, notes::GetPsychotherapyNote(session, vault_, name));
  return std::move(record.resource);
}

absl::StatusOr<v1::PsychotherapyRelease> PsychotherapyHandlers::ReadRelease(
    sql::Session& session, const CallContext& context, absl::string_view name) const {
  RETURN_IF_ERROR(access_
                      .RequirePsychotherapyNote(session, context, NoteOf(name), Purpose::kChange,
                                                "PsychotherapyRelease")
                      .status());
  return GetPsychotherapyRelease(session, vault_, name);
}

absl::StatusOr<v1::PsychotherapyNote> PsychotherapyHandlers::CreatePsychotherapyNote(
    const CallContext& context, const v1::CreatePsychotherapyNoteRequest& request) {
  return call::Mutate<v1::PsychotherapyNote>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadNote(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::PsychotherapyNote> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        v1::PsychotherapyNote note = request.psychotherapy_note();
        RETURN_IF_ERROR(CheckText("psychotherapy_note.text", note.text()));
        if (!note.appointment().empty()) {
          ASSIGN_OR_RETURN(const care::AppointmentFacts session,
                           care::GetAppointment(tx, note.appointment()));
          if (session.state.course() != access.course.course) {
            return errors::NotFound("Appointment");
          }
        }
        note.set_name(absl::StrCat(access.name, "/psychotherapyNotes/", ids::NewUlid()));
        note.set_author(access.clinician);
        *note.mutable_create_time() = time::ToTimestamp(context.now);
        *note.mutable_update_time() = note.create_time();
        note.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, InsertPsychotherapyNote(tx, vault_, note));
        change.SetResult(note.name(), 1);
        change.Audit(note.name(), 1, stored);
        return note;
      });
}

absl::StatusOr<v1::PsychotherapyNote> PsychotherapyHandlers::UpdatePsychotherapyNote(
    const CallContext& context, const v1::UpdatePsychotherapyNoteRequest& request) {
  return call::Mutate<v1::PsychotherapyNote>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadNote(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::PsychotherapyNote> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        RETURN_IF_ERROR(
            access_.RequirePsychotherapyNote(tx, context, request.name(), Purpose::kChange)
                .status());
        ASSIGN_OR_RETURN(PsychotherapyRecord record,
                         notes::GetPsychotherapyNote(tx, vault_, request.name()));
        RETURN_IF_ERROR(CheckText("text", request.text()));
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), record.version));
        record.resource.set_text(request.text());
        ASSIGN_OR_RETURN(const std::string stored,
                         notes::UpdatePsychotherapyNote(tx, vault_, record, context.now));
        change.SetResult(request.name(), record.version);
        change.Audit(request.name(), record.version, stored);
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::PsychotherapyNote> PsychotherapyHandlers::GetPsychotherapyNote(
    const CallContext& context, const v1::GetPsychotherapyNoteRequest& request) {
  return call::Read<v1::PsychotherapyNote>(database_, context, [&](sql::Session& session) {
    return ReadNote(session, context, request.name());
  });
}

absl::StatusOr<v1::ListPsychotherapyNotesResponse> PsychotherapyHandlers::ListPsychotherapyNotes(
    const CallContext& context, const v1::ListPsychotherapyNotesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListPsychotherapyNotesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListPsychotherapyNotesResponse> {
        // Their own notes stay with them when the case goes to someone else.
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        Listed<v1::PsychotherapyNote> listed;
        if (!reach.clinician.empty()) {
          ASSIGN_OR_RETURN(listed,
                           notes::ListPsychotherapyNotes(session, vault_, context.organization_id,
                                                         names::Id(request.parent(), "cases"),
                                                         reach.clinician, page));
        }
        if (listed.items.empty()) {
          RETURN_IF_ERROR(
              access_.RequireTreatedCase(session, context, request.parent(), "Case").status());
        }
        v1::ListPsychotherapyNotesResponse response;
        for (v1::PsychotherapyNote& note : listed.items) {
          *response.add_psychotherapy_notes() = std::move(note);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::PsychotherapyRelease> PsychotherapyHandlers::ReleasePsychotherapyNote(
    const CallContext& context, const v1::ReleasePsychotherapyNoteRequest& request) {
  return call::Mutate<v1::PsychotherapyRelease>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadRelease(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::PsychotherapyRelease> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(
            const PsychotherapyAccess access,
            access_.RequirePsychotherapyNote(tx, context, request.name(), Purpose::kChange));
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        v1::PsychotherapyRelease release = request.release();
        RETURN_IF_ERROR(CheckPsychotherapyRelease(release, context.now, ShippedAccessSettings()));
        if (release.recipient() == access.clinician) {
          return errors::InvalidArgument("release.recipient", "must be someone else");
        }
        release.set_name(absl::StrCat(request.name(), "/releases/", ids::NewUlid()));
        release.set_author(access.clinician);
        *release.mutable_create_time() = time::ToTimestamp(context.now);
        release.clear_revoke_time();
        release.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, InsertPsychotherapyRelease(tx, vault_, release));
        change.SetResult(release.name(), 1);
        change.Audit(release.name(), 1, stored);
        return release;
      });
}

absl::StatusOr<v1::PsychotherapyRelease> PsychotherapyHandlers::RevokePsychotherapyRelease(
    const CallContext& context, const v1::RevokePsychotherapyReleaseRequest& request) {
  return call::Mutate<v1::PsychotherapyRelease>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadRelease(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::PsychotherapyRelease> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(v1::PsychotherapyRelease release,
                         ReadRelease(tx, context, request.name()));
        RETURN_IF_ERROR(notes::RevokePsychotherapyRelease(tx, request.name(), context.now));
        *release.mutable_revoke_time() = time::ToTimestamp(context.now);
        change.SetResult(release.name(), 2);
        change.Audit(release.name(), 2, "");
        return release;
      });
}

absl::StatusOr<v1::ListPsychotherapyReleasesResponse>
PsychotherapyHandlers::ListPsychotherapyReleases(
    const CallContext& context, const v1::ListPsychotherapyReleasesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListPsychotherapyReleasesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListPsychotherapyReleasesResponse> {
        RETURN_IF_ERROR(
            access_.RequirePsychotherapyNote(session, context, request.parent(), Purpose::kChange)
                .status());
        ASSIGN_OR_RETURN(Listed<v1::PsychotherapyRelease> listed,
                         notes::ListPsychotherapyReleases(session, vault_, request.parent(), page));
        v1::ListPsychotherapyReleasesResponse response;
        for (v1::PsychotherapyRelease& release : listed.items) {
          *response.add_releases() = std::move(release);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

}  // namespace rapport::notes
