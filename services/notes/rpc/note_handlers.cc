#include "services/notes/rpc/note_handlers.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
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
#include "services/notes/domain/drafts.h"
#include "services/notes/domain/phases.h"
#include "services/notes/domain/prefill.h"
#include "services/notes/domain/templates.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/goal_store.h"
#include "services/notes/store/note_settings_store.h"
#include "services/notes/store/sealed.h"

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

// Texts of a group's shared part and a member's are joined before they are kept.
absl::Status CheckSize(const v1::NoteContent& content, absl::string_view field) {
  if (content.ByteSizeLong() <= kMaxContentBytes) return absl::OkStatus();
  return errors::InvalidArgument(field, "must be at most 256 KiB in all");
}

}  // namespace

void NoteHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.NoteService", this)
      .Unary("StartNote", &NoteHandlers::StartNote)
      .Unary("DocumentGroupSession", &NoteHandlers::DocumentGroupSession)
      .Unary("SaveDraft", &NoteHandlers::SaveDraft)
      .Unary("ListDraftCopies", &NoteHandlers::ListDraftCopies)
      .Unary("CheckPrefill", &NoteHandlers::CheckPrefill)
      .Unary("GetNote", &NoteHandlers::GetNote)
      .Unary("ListNotes", &NoteHandlers::ListNotes)
      .Unary("SignNote", &NoteHandlers::SignNote)
      .Unary("RequestCosign", &NoteHandlers::RequestCosign)
      .Unary("CosignNote", &NoteHandlers::CosignNote)
      .Unary("ReturnForRevision", &NoteHandlers::ReturnForRevision)
      .Unary("AddAddendum", &NoteHandlers::AddAddendum)
      .Unary("AmendNote", &NoteHandlers::AmendNote)
      .Unary("ListNoteVersions", &NoteHandlers::ListNoteVersions)
      .Unary("DiffNoteVersions", &NoteHandlers::DiffNoteVersions)
      .Unary("VerifyNote", &NoteHandlers::VerifyNote)
      .Unary("ListSigningKeys", &NoteHandlers::ListSigningKeys)
      .Unary("ListDueNotes", &NoteHandlers::ListDueNotes)
      .Unary("GetTimeliness", &NoteHandlers::GetTimeliness);
}

absl::StatusOr<v1::Note> NoteHandlers::ReadVersion(sql::Session& session,
                                                   const CallContext& context,
                                                   absl::string_view name, int32_t version) const {
  ASSIGN_OR_RETURN(const NoteAccess access, access_.RequireNote(session, context, name));
  ASSIGN_OR_RETURN(
      NoteRecord note,
      notes::ReadNote(session, vault_, name, access.author ? access.clinician : "", version));
  return std::move(note.resource);
}

NoteHandlers::SessionFacts NoteHandlers::FactsOf(const care::AppointmentFacts& known) {
  return {known.start(),
          known.end(),
          known.session_number,
          known.state.private_session() ? known.state.patient() : "",
          known.state.group_session(),
          false};
}

absl::StatusOr<NoteHandlers::SessionFacts> NoteHandlers::RequireHeldSession(
    const CallContext& context, const std::string& appointment, const std::string& course,
    const std::optional<care::AppointmentFacts>& known) {
  if (known && known->state.course() != course) return errors::NotFound("Appointment");
  if (known && IsHeld(known->state.state())) {
    return FactsOf(*known);
  }

  scheduling::v1::GetAppointmentRequest ask;
  ask.set_name(appointment);
  const absl::StatusOr<scheduling::v1::Appointment> answer =
      scheduling_.Call<scheduling::v1::Appointment>(
          context, "rapport.scheduling.v1.AppointmentService/GetAppointment", ask);
  if (answer.ok()) {
    if (answer->course() != course) return errors::NotFound("Appointment");
    if (!IsHeld(answer->state())) return NotHeld();
    return SessionFacts{time::ToTime(answer->start_time()),
                        time::ToTime(answer->end_time()),
                        answer->session_number(),
                        answer->private_session() ? answer->patient() : "",
                        answer->group_session(),
                        false};
  }
  if (absl::IsNotFound(answer.status())) return errors::NotFound("Appointment");
  if (!known) return answer.status();
  if (known->state.state() != scheduling::v1::APPOINTMENT_STATE_BOOKED ||
      known->start() > context.now) {
    return NotHeld();
  }
  SessionFacts facts = FactsOf(*known);
  facts.from_replica_only = true;
  return facts;
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
                                       const std::string& appointment, const SessionFacts& facts,
                                       bool& ask_assessment) {
  v1::NotePrefill prefill;
  if (facts.from_replica_only) {
    prefill.add_unavailable_sources(std::string(scheduling_.name()));
  }
  absl::StatusOr<std::vector<assessment::v1::Assessment>> assessments =
      errors::Unavailable("PEER_UNAVAILABLE", "It did not answer before.", assessment_.name());
  if (ask_assessment) assessments = ListAssessments(context, course.course);
  ask_assessment = assessments.ok();
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

absl::StatusOr<v1::NoteTemplate> NoteHandlers::TemplateNamed(sql::Session& session,
                                                             absl::string_view name) const {
  if (const v1::NoteTemplate* shipped = FindShippedTemplate(name)) return *shipped;
  return GetTemplate(session, name);
}

absl::StatusOr<v1::Note> NoteHandlers::Begin(Change& change, const CaseAccess& access,
                                             const v1::Case& of, const NewNote& wanted) const {
  sql::Transaction& tx = change.tx();
  const CallContext& context = change.context();
  const SessionFacts& facts = wanted.facts;
  const NoteScope& scope = wanted.scope;
  v1::Note note;
  note.set_name(absl::StrCat(access.name, "/notes/", ids::NewUlid()));
  note.set_appointment(wanted.appointment);
  note.set_session_number(facts.number);
  note.set_phase(PhaseOfSession(access.course.state, facts.number));
  note.set_author(access.clinician);
  note.set_kind(scope.kind);
  note.set_about(scope.about);
  for (const std::string& subject : scope.subjects) note.add_subjects(subject);
  note.set_group_session(facts.group_session);
  *note.mutable_session_time() = time::ToTimestamp(facts.start);
  *note.mutable_session_end_time() = time::ToTimestamp(facts.end);

  v1::NoteTemplate used = ShippedTemplateFor(access.course.state.protocol(), note.phase());
  if (!wanted.note_template.empty()) {
    ASSIGN_OR_RETURN(used, TemplateNamed(tx, wanted.note_template));
    if (used.phase() != note.phase()) {
      return errors::InvalidArgument(
          "template", absl::StrCat("must be one for ", v1::NotePhase_Name(note.phase())));
    }
  }
  note.set_template_(used.name());
  if (wanted.content) {
    *note.mutable_content() = *wanted.content;
  } else {
    *note.mutable_content()->mutable_minutes() = used.minutes();
  }

  *note.mutable_prefill() = wanted.prefill;
  ASSIGN_OR_RETURN(const Listed<v1::Goal> goals,
                   ListGoals(tx, vault_, context.organization_id, access.case_id,
                             {.size = kMaxPage, .after = ""}));
  for (v1::PrefilledGoal& goal : PrefillGoals(goals.items)) {
    *note.mutable_prefill()->add_goals() = std::move(goal);
  }
  ASSIGN_OR_RETURN(const std::vector<v1::Entry> actions,
                   AllEntries(tx, vault_, context.organization_id, access.case_id,
                              {.kinds = {v1::ENTRY_KIND_ACTION}, .open = true}));
  for (v1::PrefilledAction& action : PrefillActions(actions, scope.about)) {
    *note.mutable_prefill()->add_actions() = std::move(action);
  }
  ASSIGN_OR_RETURN(
      const std::optional<LastPlan> last,
      GetLastPlan(tx, vault_, context.organization_id, access.case_id, scope.about, facts.start));
  if (last) {
    note.mutable_prefill()->set_last_plan(last->plan);
    note.mutable_prefill()->set_last_plan_source(last->note);
    note.mutable_prefill()->set_last_plan_version(last->version);
  }
  note.mutable_prefill()->set_formulation_version(of.formulation().version());

  ASSIGN_OR_RETURN(const care::OrganizationFacts organization,
                   care::GetOrganization(tx, names::Organization(context.organization_id)));
  *note.mutable_due_time() = time::ToTimestamp(NoteDueTime(organization.state, facts.end));
  *note.mutable_create_time() = time::ToTimestamp(context.now);
  ASSIGN_OR_RETURN(
      const std::string stored,
      InsertNote(tx, vault_, note, SubjectOf(of, scope.about), access.course.state.clinic()));
  change.Audit(note.name(), 1, stored);
  return note;
}

absl::StatusOr<v1::Note> NoteHandlers::StartNote(const CallContext& context,
                                                 const v1::StartNoteRequest& request) {
  CaseAccess access;
  bool exists = false;
  std::optional<care::AppointmentFacts> known;
  NewNote wanted;
  wanted.appointment = request.appointment();
  wanted.note_template = request.template_();
  const auto scope = [&](sql::Session& session,
                         absl::string_view private_with) -> absl::StatusOr<CaseRecord> {
    ASSIGN_OR_RETURN(CaseRecord of,
                     GetCase(session, vault_, context.organization_id, access.case_id));
    ASSIGN_OR_RETURN(wanted.scope,
                     ScopeOf(of.resource, request.kind(), request.about(), private_with));
    return of;
  };
  const absl::Status known_status = database_.Read(
      sql::Access::Tenant(context.organization_id), context.deadline,
      [&](sql::Session& session) -> absl::Status {
        RETURN_IF_ERROR(
            care::GetOrganization(session, names::Organization(context.organization_id)).status());
        ASSIGN_OR_RETURN(access, access_.RequireCase(session, context, request.parent(), "Case"));
        absl::StatusOr<care::AppointmentFacts> appointment =
            care::GetAppointment(session, request.appointment());
        if (absl::IsNotFound(appointment.status())) return absl::OkStatus();
        ASSIGN_OR_RETURN(known, std::move(appointment));
        if (known->state.course() != access.course.course) return errors::NotFound("Appointment");
        RETURN_IF_ERROR(scope(session, FactsOf(*known).private_with).status());
        ASSIGN_OR_RETURN(const std::optional<std::string> note,
                         FindNote(session, context.organization_id, request.appointment(),
                                  access.clinician, wanted.scope.about));
        exists = note.has_value();
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(known_status);

  // A repeat asks nobody again.
  if (!exists) {
    ASSIGN_OR_RETURN(wanted.facts, RequireHeldSession(context, request.appointment(),
                                                      access.course.course, known));
    bool ask_assessment = true;
    wanted.prefill =
        AskPeers(context, access.course, request.appointment(), wanted.facts, ask_assessment);
  }

  return call::Mutate<v1::Note>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(access, access_.RequireTreatedCase(tx, context, request.parent(), "Case"));
        if (exists) return errors::AlreadyExists("Note", request.appointment());
        ASSIGN_OR_RETURN(const CaseRecord of, scope(tx, wanted.facts.private_with));
        ASSIGN_OR_RETURN(v1::Note note, Begin(change, access, of.resource, wanted));
        change.SetResult(note.name(), 1);
        return note;
      });
}

absl::StatusOr<v1::DocumentGroupSessionResponse> NoteHandlers::ReadGroupSession(
    sql::Session& session, const CallContext& context, absl::string_view group_session) const {
  ASSIGN_OR_RETURN(const std::vector<NotedSession> seats, ListGroupSeats(session, group_session));
  ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(session, context));
  v1::DocumentGroupSessionResponse response;
  for (const NotedSession& seat : seats) {
    ASSIGN_OR_RETURN(const std::optional<std::string> note,
                     FindNote(session, context.organization_id, seat.appointment, reach.clinician));
    if (note) {
      ASSIGN_OR_RETURN(*response.add_notes(), ReadVersion(session, context, *note));
    } else if (!seat.held) {
      response.add_absent(seat.appointment);
    }
  }
  return response;
}

absl::StatusOr<v1::DocumentGroupSessionResponse> NoteHandlers::DocumentGroupSession(
    const CallContext& context, const v1::DocumentGroupSessionRequest& request) {
  struct Seat {
    CaseAccess access;
    NewNote wanted;
  };
  std::map<std::string, const v1::NoteContent*> told;
  for (const v1::GroupMemberNote& member : request.members()) {
    told[member.appointment()] = &member.content();
  }
  std::vector<Seat> present;
  std::vector<std::string> absent;
  const auto find = [&](sql::Session& session) -> absl::Status {
    present.clear();
    absent.clear();
    ASSIGN_OR_RETURN(const std::vector<NotedSession> seats,
                     ListGroupSeats(session, request.group_session()));
    std::set<std::string> known;
    for (const NotedSession& seat : seats) {
      Seat one;
      absl::StatusOr<CaseAccess> access = access_.RequireTreatedCase(
          session, context, names::InOrganization(context.organization_id, "cases", seat.case_id),
          "Case");
      if (absl::IsNotFound(access.status()) || absl::IsPermissionDenied(access.status())) continue;
      ASSIGN_OR_RETURN(one.access, std::move(access));
      known.insert(seat.appointment);
      if (!seat.held) {
        absent.push_back(seat.appointment);
        continue;
      }
      ASSIGN_OR_RETURN(const care::AppointmentFacts facts,
                       care::GetAppointment(session, seat.appointment));
      one.wanted.appointment = seat.appointment;
      one.wanted.facts = FactsOf(facts);
      present.push_back(std::move(one));
    }
    if (known.empty()) return errors::NotFound("GroupSession");
    for (int i = 0; i < request.members_size(); ++i) {
      if (!known.contains(request.members(i).appointment())) {
        return errors::InvalidArgument(absl::StrCat("members[", i, "].appointment"),
                                       "must be a seat of this session of the group");
      }
    }
    if (!present.empty()) return absl::OkStatus();
    return errors::FailedPrecondition("NOBODY_CAME",
                                      "No member of this session was checked in. Check them in "
                                      "first.");
  };
  RETURN_IF_ERROR(
      database_.Read(sql::Access::Tenant(context.organization_id), context.deadline, find));
  std::map<std::string, v1::NotePrefill> prefills;
  bool ask_assessment = true;
  for (const Seat& seat : present) {
    prefills[seat.wanted.appointment] = AskPeers(
        context, seat.access.course, seat.wanted.appointment, seat.wanted.facts, ask_assessment);
  }

  return call::Mutate<v1::DocumentGroupSessionResponse>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadGroupSession(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::DocumentGroupSessionResponse> {
        sql::Transaction& tx = change.tx();
        if (request.sign()) RETURN_IF_ERROR(RequireRecentAuthentication(context));
        RETURN_IF_ERROR(find(tx));
        change.SetResult(request.group_session(), 1);
        v1::DocumentGroupSessionResponse response;
        for (Seat& seat : present) {
          ASSIGN_OR_RETURN(const std::optional<std::string> before,
                           FindNote(tx, context.organization_id, seat.wanted.appointment,
                                    seat.access.clinician));
          if (before) {
            ASSIGN_OR_RETURN(*response.add_notes(), ReadVersion(tx, context, *before));
            continue;
          }
          ASSIGN_OR_RETURN(const CaseRecord of,
                           GetCase(tx, vault_, context.organization_id, seat.access.case_id));
          ASSIGN_OR_RETURN(seat.wanted.scope,
                           ScopeOf(of.resource, v1::NOTE_KIND_UNSPECIFIED, "", ""));
          const auto own = told.find(seat.wanted.appointment);
          seat.wanted.content =
              own == told.end() ? request.shared() : ForMember(request.shared(), *own->second);
          RETURN_IF_ERROR(CheckSize(*seat.wanted.content, "shared"));
          RETURN_IF_ERROR(CheckContent(*seat.wanted.content, seat.access.name, "content"));
          seat.wanted.prefill = prefills[seat.wanted.appointment];
          NoteRecord record;
          ASSIGN_OR_RETURN(record.resource, Begin(change, seat.access, of.resource, seat.wanted));
          if (request.sign()) {
            record.version = 1;
            record.subject = SubjectOf(of.resource, "");
            RETURN_IF_ERROR(SignDraft(change, record, seat.access.course));
          }
          *response.add_notes() = std::move(record.resource);
        }
        for (const std::string& appointment : absent) response.add_absent(appointment);
        change.SetResult(request.group_session(), 1);
        return response;
      });
}

absl::StatusOr<v1::Note> NoteHandlers::SaveDraft(const CallContext& context,
                                                 const v1::SaveDraftRequest& request) {
  RETURN_IF_ERROR(CheckSize(request.content(), "content"));
  RETURN_IF_ERROR(CheckContent(
      request.content(),
      names::InOrganization(context.organization_id, "cases", names::Id(request.name(), "cases")),
      "content"));
  absl::Status refused;  // with the text kept, so that the transaction commits
  absl::StatusOr<v1::Note> saved = call::Mutate<v1::Note>(
      database_, context, "",
      [&](sql::Session& session, absl::string_view name) {
        return ReadVersion(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Note> {
        refused = absl::OkStatus();
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireTreatedNote(tx, context, request.name()));
        if (!access.author) return NotTheAuthor();
        if (access.note.resource.draft_version() == 0) return NoteSigned();
        // What an autosave of a first version does not change, it does not read either.
        const bool first = access.note.resource.signed_version() == 0;
        const bool builds_on = request.base_sequence() == access.note.draft_sequence &&
                               request.sequence() > access.note.draft_sequence;
        NoteRecord record = access.note;
        if (first && builds_on) {
          record.version += record.saves;
          record.resource.set_version(1);
          record.resource.set_draft_sequence(record.draft_sequence);
        } else {
          ASSIGN_OR_RETURN(record, notes::ReadNote(tx, vault_, request.name(), access.clinician));
        }
        v1::Note& note = record.resource;
        switch (JudgeDraft(
            note.draft_sequence(),
            google::protobuf::util::MessageDifferencer::Equals(note.content(), request.content()),
            request.sequence(), request.base_sequence())) {
          case DraftVerdict::kKnown:
            return std::move(note);
          case DraftVerdict::kStale: {
            ASSIGN_OR_RETURN(const std::string copy, KeepRefused(change, record, request));
            refused = errors::Aborted(
                "STALE_DRAFT",
                "Another window has saved this draft. Both texts are there: read the note and its "
                "draft copies, merge, and save on top of its draft_sequence.",
                {{"draft_sequence", absl::StrCat(note.draft_sequence())},
                 {"current_etag", note.etag()},
                 {"draft_copy", copy}});
            return std::move(note);
          }
          case DraftVerdict::kKeep:
            break;
        }
        *note.mutable_content() = request.content();
        note.set_draft_sequence(request.sequence());
        ASSIGN_OR_RETURN(
            const std::optional<std::string> stored,
            notes::SaveDraft(tx, vault_, record, request.base_sequence(), context.now));
        if (!stored) {
          return errors::Aborted("LOST_RACE", "The draft was saved or signed meanwhile. Read it.");
        }
        if (record.draft_copies > 0) {
          std::vector<std::string> merged(request.merged_copies().begin(),
                                          request.merged_copies().end());
          if (!request.window().empty()) merged.push_back(request.window());
          DeleteDraftCopies(tx, note.name(), merged);
        }
        change.Audit(note.name(), record.version, *stored);
        return std::move(note);
      });
  RETURN_IF_ERROR(refused);
  return saved;
}

absl::StatusOr<std::string> NoteHandlers::KeepRefused(Change& change, const NoteRecord& note,
                                                      const v1::SaveDraftRequest& request) const {
  ASSIGN_OR_RETURN(const std::vector<v1::DraftCopy> copies,
                   notes::ListDraftCopies(change.tx(), vault_, request.name()));
  std::string id = request.window();
  bool known = false;
  for (const v1::DraftCopy& copy : copies) {
    const absl::string_view kept = names::Last(copy.name());
    const bool same =
        google::protobuf::util::MessageDifferencer::Equals(copy.content(), request.content());
    if (id.empty() ? same : kept == id) {
      known = true;
      id = std::string(kept);
    }
  }
  if (id.empty()) id = ids::NewUlid();
  v1::DraftCopy copy;
  if (known || copies.size() < kMostDraftCopies) {
    copy.set_name(absl::StrCat(request.name(), "/draftCopies/", id));
    *copy.mutable_content() = request.content();
    copy.set_sequence(request.sequence());
    copy.set_base_sequence(request.base_sequence());
    *copy.mutable_create_time() = time::ToTimestamp(change.context().now);
    ASSIGN_OR_RETURN(const std::string stored, PutDraftCopy(change.tx(), vault_, note, copy));
    change.Audit(copy.name(), request.sequence(), stored);
  }
  return copy.name();
}

absl::StatusOr<v1::ListDraftCopiesResponse> NoteHandlers::ListDraftCopies(
    const CallContext& context, const v1::ListDraftCopiesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListDraftCopiesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListDraftCopiesResponse> {
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireNote(session, context, request.parent()));
        if (!access.author) return errors::NotFound("Note");
        ASSIGN_OR_RETURN(std::vector<v1::DraftCopy> copies,
                         notes::ListDraftCopies(session, vault_, request.parent()));
        // At most kMostDraftCopies: a page token is the number of those before.
        size_t from = 0;
        if (!page.after.empty() && !absl::SimpleAtoi(page.after, &from)) from = 0;
        v1::ListDraftCopiesResponse response;
        const size_t end = std::min(copies.size(), from + static_cast<size_t>(page.size));
        for (size_t i = from; i < end; ++i) {
          *response.add_draft_copies() = std::move(copies[i]);
        }
        if (end < copies.size()) {
          response.set_next_page_token(call::NextPageToken(context, absl::StrCat(end)));
        }
        return response;
      });
}

absl::StatusOr<v1::CheckPrefillResponse> NoteHandlers::CheckPrefill(
    const CallContext& context, const v1::CheckPrefillRequest& request) {
  v1::Note note;
  std::map<std::string, std::string> now;  // etags by source; absent: gone
  const absl::Status read =
      database_.Read(sql::Access::Tenant(context.organization_id), context.deadline,
                     [&](sql::Session& session) -> absl::Status {
                       ASSIGN_OR_RETURN(note, ReadVersion(session, context, request.name()));
                       const absl::string_view case_id = names::Id(request.name(), "cases");
                       ASSIGN_OR_RETURN(const Listed<v1::Goal> goals,
                                        ListGoals(session, vault_, context.organization_id, case_id,
                                                  {.size = kMaxPage, .after = ""}));
                       for (const v1::Goal& goal : goals.items) now[goal.name()] = goal.etag();
                       ASSIGN_OR_RETURN(const std::vector<v1::Entry> actions,
                                        AllEntries(session, vault_, context.organization_id,
                                                   case_id, {.kinds = {v1::ENTRY_KIND_ACTION}}));
                       for (const v1::Entry& action : actions) now[action.name()] = action.etag();
                       const std::string& source = note.prefill().last_plan_source();
                       if (source.empty()) return absl::OkStatus();
                       ASSIGN_OR_RETURN(const NoteRecord last, notes::GetNote(session, source));
                       now[source] = absl::StrCat(last.resource.signed_version());
                       return absl::OkStatus();
                     });
  RETURN_IF_ERROR(read);

  v1::CheckPrefillResponse response;
  const auto compare = [&](const std::string& source, const std::string& etag) {
    const auto found = now.find(source);
    if (found != now.end() && found->second == etag) return;
    v1::ChangedSource& changed = *response.add_changed_sources();
    changed.set_source(source);
    changed.set_source_etag(etag);
    if (found != now.end()) changed.set_current_etag(found->second);
  };
  const v1::NotePrefill& prefill = note.prefill();
  if (prefill.scores_size() > 0) {
    const absl::StatusOr<std::vector<assessment::v1::Assessment>> forms =
        ListAssessments(context, names::InOrganization(context.organization_id, "courses",
                                                       names::Id(request.name(), "cases")));
    if (forms.ok()) {
      for (const assessment::v1::Assessment& form : *forms) now[form.name()] = form.etag();
      for (const v1::PrefilledScore& score : prefill.scores()) {
        compare(score.source(), score.source_etag());
      }
    } else {
      response.add_unavailable_sources(std::string(assessment_.name()));
    }
  }
  for (const v1::PrefilledGoal& goal : prefill.goals()) compare(goal.source(), goal.source_etag());
  for (const v1::PrefilledAction& action : prefill.actions()) {
    compare(action.source(), action.source_etag());
  }
  if (!prefill.last_plan_source().empty()) {
    compare(prefill.last_plan_source(), absl::StrCat(prefill.last_plan_version()));
  }
  return response;
}

absl::StatusOr<v1::Note> NoteHandlers::GetNote(const CallContext& context,
                                               const v1::GetNoteRequest& request) {
  return call::Read<v1::Note>(database_, context, [&](sql::Session& session) {
    return ReadVersion(session, context, request.name(), request.version());
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
                         notes::ListNotes(session, vault_, context.organization_id, access.case_id,
                                          access.clinician, page));
        v1::ListNotesResponse response;
        for (v1::Note& note : listed.items) *response.add_notes() = std::move(note);
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

}  // namespace rapport::notes
