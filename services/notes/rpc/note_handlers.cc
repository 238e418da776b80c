#include "services/notes/rpc/note_handlers.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "google/protobuf/util/message_differencer.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/domain/drafts.h"
#include "services/notes/domain/payloads.h"
#include "services/notes/domain/phases.h"
#include "services/notes/domain/prefill.h"
#include "services/notes/rpc/access.h"
#include "services/notes/store/goal_store.h"
#include "services/notes/store/note_store.h"
#include "services/notes/store/session_store.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

constexpr size_t kMaxContentBytes = 256 * 1024;
constexpr int kMaxPage = 500;
constexpr int kMaxAssessmentPages = 8;

absl::Status NotHeld() {
  return errors::FailedPrecondition(
      "APPOINTMENT_NOT_HELD",
      "The session was neither checked in nor completed. Check the patient in first.");
}

absl::Status NoteSigned() {
  return errors::FailedPrecondition(
      "NOTE_SIGNED", "The note is signed and never changes. Add an addendum instead.");
}

v1::Signature Sign(const CallContext& context, const std::string& clinician,
                   const std::string& canonical) {
  v1::Signature signature;
  signature.set_clinician(clinician);
  *signature.mutable_sign_time() = time::ToTimestamp(context.now);
  *signature.mutable_machine_time() = time::ToTimestamp(absl::Now());
  signature.set_content_sha256(Sha256(canonical));
  return signature;
}

}  // namespace

void NoteHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.NoteService", this)
      .Unary("StartNote", &NoteHandlers::StartNote)
      .Unary("SaveDraft", &NoteHandlers::SaveDraft)
      .Unary("GetNote", &NoteHandlers::GetNote)
      .Unary("ListNotes", &NoteHandlers::ListNotes)
      .Unary("SignNote", &NoteHandlers::SignNote)
      .Unary("AddAddendum", &NoteHandlers::AddAddendum)
      .Unary("ListDueNotes", &NoteHandlers::ListDueNotes);
}

absl::StatusOr<v1::Note> NoteHandlers::ReadNote(sql::Session& session, const CallContext& context,
                                                absl::string_view name) const {
  ASSIGN_OR_RETURN(NoteAccess access, access_.RequireNote(session, context, name));
  return std::move(access.note.resource);
}

absl::StatusOr<NoteHandlers::SessionFacts> NoteHandlers::RequireHeldSession(
    const CallContext& context, const std::string& appointment, const std::string& course,
    const std::optional<care::AppointmentFacts>& known) {
  if (known && known->state.course() != course) return errors::NotFound("Appointment");
  if (known && IsHeld(known->state.state())) {
    return SessionFacts{known->start(), known->end(), known->session_number};
  }

  scheduling::v1::GetAppointmentRequest ask;
  ask.set_name(appointment);
  const absl::StatusOr<scheduling::v1::Appointment> answer =
      scheduling_.Call<scheduling::v1::Appointment>(
          context, "rapport.scheduling.v1.AppointmentService/GetAppointment", ask);
  if (answer.ok()) {
    if (answer->course() != course) return errors::NotFound("Appointment");
    if (!IsHeld(answer->state())) return NotHeld();
    return SessionFacts{time::ToTime(answer->start_time()), time::ToTime(answer->end_time()),
                        answer->session_number()};
  }
  if (absl::IsNotFound(answer.status())) return errors::NotFound("Appointment");
  if (!known) return answer.status();
  if (known->state.state() != scheduling::v1::APPOINTMENT_STATE_BOOKED ||
      known->start() > context.now) {
    return NotHeld();
  }
  return SessionFacts{known->start(), known->end(), known->session_number, true};
}

absl::StatusOr<std::vector<assessment::v1::Assessment>> NoteHandlers::ListAssessments(
    const CallContext& context, const std::string& course) {
  std::vector<assessment::v1::Assessment> assessments;
  assessment::v1::ListAssessmentsRequest ask;
  ask.set_parent(names::Organization(context.organization_id));
  ask.set_course(course);
  ask.set_page_size(kMaxPage);
  for (int page = 0; page < kMaxAssessmentPages; ++page) {
    ASSIGN_OR_RETURN(assessment::v1::ListAssessmentsResponse answer,
                     assessment_.Call<assessment::v1::ListAssessmentsResponse>(
                         context, "rapport.assessment.v1.AssessmentService/ListAssessments", ask));
    for (assessment::v1::Assessment& form : *answer.mutable_assessments()) {
      assessments.push_back(std::move(form));
    }
    if (answer.next_page_token().empty()) break;
    ask.set_page_token(answer.next_page_token());
  }
  return assessments;
}

v1::NotePrefill NoteHandlers::AskPeers(const CallContext& context, const care::CourseFacts& course,
                                       const std::string& appointment, const SessionFacts& facts) {
  v1::NotePrefill prefill;
  if (facts.from_replica_only) {
    prefill.add_unavailable_sources(std::string(scheduling_.name()));
  }
  const absl::StatusOr<std::vector<assessment::v1::Assessment>> assessments =
      ListAssessments(context, course.course);
  if (!assessments.ok()) {
    telemetry::Log(telemetry::Severity::kWarning, "note starts without scores",
                   {{"code", absl::StatusCodeToString(assessments.status().code())},
                    {"reason", errors::Reason(assessments.status())}});
    prefill.add_unavailable_sources(std::string(assessment_.name()));
    return prefill;
  }
  for (v1::PrefilledScore& score :
       ChooseScores(course.state, *assessments, appointment, facts.end)) {
    *prefill.add_scores() = std::move(score);
  }
  return prefill;
}

absl::StatusOr<v1::Note> NoteHandlers::StartNote(const CallContext& context,
                                                 const v1::StartNoteRequest& request) {
  CaseAccess access;
  bool exists = false;
  std::optional<care::AppointmentFacts> known;
  const absl::Status known_status = database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        RETURN_IF_ERROR(
            care::GetOrganization(session, names::Organization(context.organization_id)).status());
        ASSIGN_OR_RETURN(access, access_.RequireCase(session, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(exists, HasNote(session, context.organization_id, request.appointment(),
                                         access.clinician));
        absl::StatusOr<care::AppointmentFacts> appointment =
            care::GetAppointment(session, request.appointment());
        if (absl::IsNotFound(appointment.status())) return absl::OkStatus();
        ASSIGN_OR_RETURN(known, std::move(appointment));
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(known_status);

  // A repeat asks nobody again.
  SessionFacts facts;
  v1::NotePrefill prefill;
  if (!exists) {
    ASSIGN_OR_RETURN(
        facts, RequireHeldSession(context, request.appointment(), access.course.course, known));
    prefill = AskPeers(context, access.course, request.appointment(), facts);
  }

  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadNote(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(access, access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        if (exists) return errors::AlreadyExists("Note", request.appointment());
        ASSIGN_OR_RETURN(const care::OrganizationFacts organization,
                         care::GetOrganization(tx, names::Organization(context.organization_id)));
        ASSIGN_OR_RETURN(const Listed<v1::Goal> goals,
                         ListGoals(tx, context.organization_id, access.case_id,
                                   {.size = kMaxPage, .after = ""}));
        ASSIGN_OR_RETURN(const std::optional<LastPlan> last,
                         GetLastPlan(tx, context.organization_id, access.case_id, facts.start));

        v1::Note note;
        note.set_name(absl::StrCat(access.name, "/notes/", ids::NewUlid()));
        note.set_appointment(request.appointment());
        note.set_session_number(facts.number);
        note.set_phase(PhaseOfSession(access.course.state, facts.number));
        note.set_author(access.clinician);
        note.set_state(v1::NOTE_STATE_DRAFT);
        note.mutable_content();
        *note.mutable_prefill() = prefill;
        for (v1::PrefilledGoal& goal : PrefillGoals(goals.items)) {
          *note.mutable_prefill()->add_goals() = std::move(goal);
        }
        if (last) {
          note.mutable_prefill()->set_last_plan(last->plan);
          note.mutable_prefill()->set_last_plan_source(last->note);
        }
        *note.mutable_due_time() = time::ToTimestamp(NoteDueTime(organization.state, facts.end));
        *note.mutable_create_time() = time::ToTimestamp(context.now);
        *note.mutable_update_time() = note.create_time();
        RETURN_IF_ERROR(InsertNote(tx, note, facts.start));
        change.SetResult(note.name(), 1);
        change.Audit(note.name(), 1, note.SerializeAsString());
        return note;
      });
}

absl::StatusOr<v1::Note> NoteHandlers::SaveDraft(const CallContext& context,
                                                 const v1::SaveDraftRequest& request) {
  if (request.content().ByteSizeLong() > kMaxContentBytes) {
    return errors::InvalidArgument("content", "must be at most 256 KiB in all");
  }
  return call::Mutate<v1::Note>(
      database_, context, "",
      [&](sql::Session& session, absl::string_view name) {
        return ReadNote(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        v1::Note& note = access.note.resource;
        if (note.state() == v1::NOTE_STATE_SIGNED) return NoteSigned();
        const absl::Status stale = errors::Aborted(
            "STALE_DRAFT",
            "Another window has saved this draft. Read the note, merge, and save on top of its "
            "draft_sequence.");
        switch (JudgeDraft(
            note.draft_sequence(),
            google::protobuf::util::MessageDifferencer::Equals(note.content(), request.content()),
            request.sequence(), request.base_sequence())) {
          case DraftVerdict::kKnown:
            return std::move(note);
          case DraftVerdict::kStale:
            return stale;
          case DraftVerdict::kKeep:
            break;
        }
        *note.mutable_content() = request.content();
        note.set_draft_sequence(request.sequence());
        ASSIGN_OR_RETURN(const bool kept,
                         notes::SaveDraft(tx, access.note, request.base_sequence(), context.now));
        if (!kept) return stale;
        change.Audit(note.name(), access.note.version, note.SerializeAsString());
        return std::move(note);
      });
}

absl::StatusOr<v1::Note> NoteHandlers::GetNote(const CallContext& context,
                                               const v1::GetNoteRequest& request) {
  return call::Read<v1::Note>(database_, context, [&](sql::Session& session) {
    return ReadNote(session, context, request.name());
  });
}

absl::StatusOr<v1::ListNotesResponse> NoteHandlers::ListNotes(const CallContext& context,
                                                              const v1::ListNotesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListNotesResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListNotesResponse> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireCase(session, context, request.parent(), "Case"));
        ASSIGN_OR_RETURN(Listed<v1::Note> listed,
                         notes::ListNotes(session, context.organization_id, access.case_id,
                                          access.clinician, page));
        v1::ListNotesResponse response;
        for (v1::Note& note : listed.items) *response.add_notes() = std::move(note);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::Note> NoteHandlers::SignNote(const CallContext& context,
                                                const v1::SignNoteRequest& request) {
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadNote(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        v1::Note& note = access.note.resource;
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        if (note.state() == v1::NOTE_STATE_SIGNED) return NoteSigned();
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), access.note.version));
        std::vector<errors::FieldViolation> missing;
        for (std::string& field : MissingEntries(TemplateOf(note.phase()), note.content())) {
          missing.push_back({std::move(field), "is needed to sign a note of this phase"});
        }
        if (!missing.empty()) return errors::InvalidArgument(std::move(missing));

        const std::string canonical = CanonicalNote(note);
        RETURN_IF_ERROR(notes::SignNote(tx, access.note, canonical,
                                        Sign(context, access.clinician, canonical), context.now));
        change.Record(note.name(), access.note.version, PayloadOf(note), canonical);
        return std::move(note);
      });
}

absl::StatusOr<v1::Note> NoteHandlers::AddAddendum(const CallContext& context,
                                                   const v1::AddAddendumRequest& request) {
  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadNote(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        v1::Note& note = access.note.resource;
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        if (absl::StripAsciiWhitespace(request.text()).empty()) {
          return errors::InvalidArgument("text", "must not be blank");
        }
        if (note.state() != v1::NOTE_STATE_SIGNED) {
          return errors::FailedPrecondition(
              "NOTE_NOT_SIGNED", "Only a signed note takes addenda. Change the draft instead.");
        }
        v1::Addendum addendum;
        addendum.set_number(note.addenda_size() + 1);
        addendum.set_text(request.text());
        const std::string canonical = CanonicalAddendum(
            note.name(), note.signature().content_sha256(), addendum.number(), addendum.text());
        *addendum.mutable_signature() = Sign(context, access.clinician, canonical);
        RETURN_IF_ERROR(InsertAddendum(tx, access.note, addendum));
        change.Record(note.name(), access.note.version, PayloadOf(note), canonical);
        return std::move(note);
      });
}

absl::StatusOr<v1::ListDueNotesResponse> NoteHandlers::ListDueNotes(
    const CallContext& context, const v1::ListDueNotesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListDueNotesResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListDueNotesResponse> {
        ASSIGN_OR_RETURN(
            const care::OrganizationFacts organization,
            care::GetOrganization(session, names::Organization(context.organization_id)));
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
        ASSIGN_OR_RETURN(Listed<v1::DueNote> listed,
                         ListUnsignedSessions(session,
                                              {context.organization_id, reach.clinicians,
                                               request.clinician(), reach.clinician},
                                              page));
        v1::ListDueNotesResponse response;
        for (v1::DueNote& due : listed.items) {
          const absl::Time due_time =
              NoteDueTime(organization.state, time::ToTime(due.session_end_time()));
          *due.mutable_due_time() = time::ToTimestamp(due_time);
          due.set_overdue(due_time < context.now);
          *response.add_due_notes() = std::move(due);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

}  // namespace rapport::notes
