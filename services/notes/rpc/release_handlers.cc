#include "services/notes/rpc/release_handlers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/call/mutate.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/notes/v1/events.pb.h"
#include "services/notes/data/access_settings.h"
#include "services/notes/domain/payloads.h"
#include "services/notes/domain/release_rules.h"
#include "services/notes/store/break_glass_store.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/goal_store.h"
#include "services/notes/store/guardian_store.h"
#include "services/notes/store/note_store.h"
#include "services/notes/store/release_store.h"
#include "services/notes/store/risk_store.h"
#include "services/notes/store/sealed.h"

namespace rapport::notes {
namespace {

using call::CallContext;
using call::Change;

constexpr int kMaxGoals = 100;

bool IsOfCourse(const scheduling::v1::CourseEvent& course, absl::string_view patient) {
  return course.patient() == patient || (!course.partner().empty() && course.partner() == patient);
}

std::string CaseOf(absl::string_view name) {
  return names::InOrganization(names::OrganizationId(name), "cases", names::Id(name, "cases"));
}

v1::NoteReleaseEvent PayloadOf(const v1::NoteRelease& release) {
  v1::NoteReleaseEvent event;
  event.set_note(release.note());
  event.set_patient(release.patient());
  event.set_state(release.state());
  return event;
}

v1::BreakGlassEvent PayloadOf(const v1::BreakGlass& glass) {
  v1::BreakGlassEvent event;
  event.set_case_(CaseOf(glass.name()));
  event.set_clinician(glass.clinician());
  event.set_purpose(glass.purpose());
  *event.mutable_end_time() = glass.has_end_time() ? glass.end_time() : glass.expire_time();
  event.set_finding(glass.review().finding());
  return event;
}

std::string NoticeOf(const v1::CaseLabels& labels) {
  std::vector<v1::CaseLabel> list;
  for (const int label : labels.labels()) list.push_back(static_cast<v1::CaseLabel>(label));
  return RedisclosureNotice(list, ShippedAccessSettings());
}

// A private one emits nothing that tells of it.
bool IsPrivate(const v1::Note& note) { return note.kind() == v1::NOTE_KIND_PRIVATE; }

std::vector<std::string> SubjectsOf(const v1::Note& note) {
  return {note.subjects().begin(), note.subjects().end()};
}

bool IsSubject(const v1::Note& note, absl::string_view patient) {
  return std::find(note.subjects().begin(), note.subjects().end(), patient) !=
         note.subjects().end();
}

// How many of the addenda the patient sees: where the rules would hold the note, those alone that
// were decided on.
int VisibleAddenda(const v1::NoteRelease& decision, const v1::NoteRelease& by_rule,
                   const v1::Note& note) {
  if (by_rule.state() == v1::NOTE_RELEASE_STATE_RELEASED || decision.decider().empty()) {
    return note.addenda_size();
  }
  return std::min(decision.addenda(), note.addenda_size());
}

}  // namespace

void ReleaseHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.ReleaseService", this)
      .Unary("CreateConsent", &ReleaseHandlers::CreateConsent)
      .Unary("RevokeConsent", &ReleaseHandlers::RevokeConsent)
      .Unary("ListConsents", &ReleaseHandlers::ListConsents)
      .Unary("DecideNoteRelease", &ReleaseHandlers::DecideNoteRelease)
      .Unary("ListNoteReleases", &ReleaseHandlers::ListNoteReleases)
      .Unary("ListReleasedNotes", &ReleaseHandlers::ListReleasedNotes)
      .Unary("GetPatientView", &ReleaseHandlers::GetPatientView)
      .Unary("CreateGuardian", &ReleaseHandlers::CreateGuardian)
      .Unary("UpdateGuardian", &ReleaseHandlers::UpdateGuardian)
      .Unary("ListGuardians", &ReleaseHandlers::ListGuardians)
      .Unary("GetGuardianView", &ReleaseHandlers::GetGuardianView)
      .Unary("OpenBreakGlass", &ReleaseHandlers::OpenBreakGlass)
      .Unary("EndBreakGlass", &ReleaseHandlers::EndBreakGlass)
      .Unary("ListBreakGlasses", &ReleaseHandlers::ListBreakGlasses)
      .Unary("ReviewBreakGlass", &ReleaseHandlers::ReviewBreakGlass)
      .Unary("SetCaseLabels", &ReleaseHandlers::SetCaseLabels)
      .Unary("GetCaseLabels", &ReleaseHandlers::GetCaseLabels);
}

absl::StatusOr<v1::Consent> ReleaseHandlers::ReadConsent(sql::Session& session,
                                                         const CallContext& context,
                                                         absl::string_view name) const {
  RETURN_IF_ERROR(
      access_.RequireDisclosure(session, context, name, "Consent", Purpose::kRead).status());
  ASSIGN_OR_RETURN(v1::Consent consent, GetConsent(session, vault_, name));
  consent.set_state(ConsentStateAt(consent, context.now));
  return consent;
}

absl::StatusOr<v1::Consent> ReleaseHandlers::CreateConsent(
    const CallContext& context, const v1::CreateConsentRequest& request) {
  return call::Mutate<v1::Consent>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadConsent(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Consent> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(
            const CaseAccess access,
            access_.RequireDisclosure(tx, context, request.parent(), "Case", Purpose::kChange));
        v1::Consent consent = request.consent();
        if (!IsOfCourse(access.course.state, consent.patient())) {
          return errors::InvalidArgument("consent.patient", "must be a patient of the case");
        }
        RETURN_IF_ERROR(CheckConsent(consent, context.now));
        consent.set_name(absl::StrCat(access.name, "/consents/", ids::NewUlid()));
        consent.set_recorder(access.actor);
        *consent.mutable_create_time() = time::ToTimestamp(context.now);
        consent.clear_revoke_time();
        consent.clear_erased();
        consent.set_state(v1::CONSENT_STATE_ACTIVE);
        ASSIGN_OR_RETURN(const std::string stored, InsertConsent(tx, vault_, consent));
        change.Record(consent.name(), 1, PayloadOf(consent), stored);
        return consent;
      });
}

absl::StatusOr<v1::Consent> ReleaseHandlers::RevokeConsent(
    const CallContext& context, const v1::RevokeConsentRequest& request) {
  return call::Mutate<v1::Consent>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadConsent(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Consent> {
        sql::Transaction& tx = change.tx();
        RETURN_IF_ERROR(
            access_.RequireDisclosure(tx, context, request.name(), "Consent", Purpose::kChange)
                .status());
        ASSIGN_OR_RETURN(v1::Consent consent, GetConsent(tx, vault_, request.name()));
        RETURN_IF_ERROR(notes::RevokeConsent(tx, request.name(), context.now));
        *consent.mutable_revoke_time() = time::ToTimestamp(context.now);
        consent.set_state(v1::CONSENT_STATE_REVOKED);
        change.Record(consent.name(), 2, PayloadOf(consent));
        return consent;
      });
}

absl::StatusOr<v1::ListConsentsResponse> ReleaseHandlers::ListConsents(
    const CallContext& context, const v1::ListConsentsRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListConsentsResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListConsentsResponse> {
        ASSIGN_OR_RETURN(
            const CaseAccess access,
            access_.RequireDisclosure(session, context, request.parent(), "Case", Purpose::kRead));
        ASSIGN_OR_RETURN(
            Listed<v1::Consent> listed,
            notes::ListConsents(session, vault_, context.organization_id, access.case_id, page));
        v1::ListConsentsResponse response;
        for (v1::Consent& consent : listed.items) {
          consent.set_state(ConsentStateAt(consent, context.now));
          *response.add_consents() = std::move(consent);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<std::vector<v1::NoteRelease>> ReleaseHandlers::ReleasesOf(
    sql::Session& session, const CallContext& context, const care::CourseFacts& course,
    const std::vector<v1::Note>& notes) const {
  std::vector<v1::NoteRelease> releases;
  if (notes.empty()) return releases;
  const std::string case_id(names::Id(notes.front().name(), "cases"));
  std::vector<std::string> ids;
  for (const v1::Note& note : notes) ids.emplace_back(names::Last(note.name()));
  ASSIGN_OR_RETURN(const bool flagged,
                   HasSafetyFlag(session, vault_, context.organization_id, case_id));
  ASSIGN_OR_RETURN(const NoteReleases decided,
                   GetNoteReleases(session, vault_, context.organization_id, case_id, ids));
  ASSIGN_OR_RETURN(const std::vector<std::string> consented,
                   ListConsented(session, context.organization_id, case_id,
                                 v1::CONSENT_PURPOSE_JOINT_NOTES, context.now));
  for (size_t i = 0; i < notes.size(); ++i) {
    const v1::Note& note = notes[i];
    const v1::NoteRelease by_rule = DefaultRelease(
        course.state, flagged, time::ToTime(note.signature().sign_time()), ShippedAccessSettings());
    for (const std::string& patient : note.subjects()) {
      const auto found = decided.find({ids[i], patient});
      v1::NoteRelease release = by_rule;
      if (found != decided.end()) {
        const v1::NoteRelease& decision = found->second;
        std::vector<std::string> others = SubjectsOf(note);
        others.erase(std::remove(others.begin(), others.end(), patient), others.end());
        // A release is of the version that was looked at, for as long as the others consent.
        const bool holds = decision.state() == v1::NOTE_RELEASE_STATE_HELD ||
                           (decision.note_version() == note.version() && !decision.erased() &&
                            CheckSubjects(decision, others, consented).ok());
        if (holds) release = decision;
        release.set_etag(decision.etag());
      } else {
        release.set_etag("0");
      }
      release.set_name(absl::StrCat(note.name(), "/releases/", names::Last(patient)));
      release.set_note(note.name());
      release.set_patient(patient);
      if (release.decider().empty()) {
        release.set_note_version(note.version());
        release.set_addenda(note.addenda_size());
      } else if (release.state() == v1::NOTE_RELEASE_STATE_RELEASED) {
        release.set_addenda(VisibleAddenda(release, by_rule, note));
      }
      releases.push_back(std::move(release));
    }
  }
  return releases;
}

absl::StatusOr<v1::NoteRelease> ReleaseHandlers::ReadRelease(sql::Session& session,
                                                             const CallContext& context,
                                                             absl::string_view name) const {
  const absl::string_view note = name.substr(0, name.rfind("/releases/"));
  RETURN_IF_ERROR(access_.RequireNoteDecision(session, context, note).status());
  ASSIGN_OR_RETURN(NoteReleases decided,
                   GetNoteReleases(session, vault_, context.organization_id,
                                   names::Id(note, "cases"), {std::string(names::Last(note))}));
  for (auto& [key, release] : decided) {
    if (release.name() == name) return std::move(release);
  }
  return errors::NotFound("NoteRelease");
}

absl::StatusOr<v1::NoteRelease> ReleaseHandlers::DecideNoteRelease(
    const CallContext& context, const v1::DecideNoteReleaseRequest& request) {
  return call::Mutate<v1::NoteRelease>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadRelease(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::NoteRelease> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.note()});
        ASSIGN_OR_RETURN(const NoteAccess access,
                         access_.RequireNoteDecision(tx, context, request.note()));
        if (access.note.resource.state() == v1::NOTE_STATE_DRAFT) {
          return errors::FailedPrecondition("NOTE_NOT_SIGNED",
                                            "Only a signed note is released. Sign it first.");
        }
        ASSIGN_OR_RETURN(const NoteRecord newest,
                         ReadNote(tx, vault_, request.note(), /*author=*/""));
        const v1::Note& note = newest.resource;
        ASSIGN_OR_RETURN(
            const care::CourseFacts course,
            care::GetCourse(tx, names::InOrganization(context.organization_id, "courses",
                                                      names::Id(request.note(), "cases"))));
        v1::NoteRelease release = request.release();
        RETURN_IF_ERROR(
            CheckNoteRelease(release, DayOf(course.state, context.now), ShippedAccessSettings()));
        if (!IsSubject(note, request.patient())) {
          return errors::InvalidArgument("patient", "must be one of the note's subjects");
        }
        std::vector<std::string> others = SubjectsOf(note);
        others.erase(std::remove(others.begin(), others.end(), request.patient()), others.end());
        ASSIGN_OR_RETURN(const std::vector<std::string> consented,
                         ListConsented(tx, context.organization_id, names::Id(note.name(), "cases"),
                                       v1::CONSENT_PURPOSE_JOINT_NOTES, context.now));
        RETURN_IF_ERROR(CheckSubjects(release, others, consented));

        ASSIGN_OR_RETURN(const std::vector<v1::NoteRelease> now,
                         ReleasesOf(tx, context, course, {note}));
        int64_t version = 0;
        for (const v1::NoteRelease& known : now) {
          if (known.patient() == request.patient() && !absl::SimpleAtoi(known.etag(), &version)) {
            return errors::Internal("A release without a version.");
          }
        }
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), version));
        release.set_name(absl::StrCat(note.name(), "/releases/", names::Last(request.patient())));
        release.set_note(note.name());
        release.set_patient(request.patient());
        release.set_decider(access.clinician);
        *release.mutable_decide_time() = time::ToTimestamp(context.now);
        release.set_etag(call::Etag(version + 1));
        release.set_note_version(note.version());
        release.set_addenda(note.addenda_size());
        release.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, InsertNoteRelease(tx, vault_, release));
        if (IsPrivate(note)) {
          change.SetResult(release.name(), version + 1);
          change.Audit(release.name(), version + 1, stored);
        } else {
          change.Record(release.name(), version + 1, PayloadOf(release), stored);
        }
        return release;
      });
}

absl::StatusOr<v1::ListNoteReleasesResponse> ReleaseHandlers::ListNoteReleases(
    const CallContext& context, const v1::ListNoteReleasesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListNoteReleasesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListNoteReleasesResponse> {
        ASSIGN_OR_RETURN(
            const CaseAccess access,
            access_.RequireDisclosure(session, context, request.parent(), "Case", Purpose::kRead));
        ASSIGN_OR_RETURN(const Listed<v1::Note> listed,
                         notes::ListNotes(session, vault_, context.organization_id, access.case_id,
                                          /*author=*/"", page));
        ASSIGN_OR_RETURN(std::vector<v1::NoteRelease> releases,
                         ReleasesOf(session, context, access.course, listed.items));
        v1::ListNoteReleasesResponse response;
        for (v1::NoteRelease& release : releases) {
          if (request.held_only() && release.state() != v1::NOTE_RELEASE_STATE_HELD) continue;
          if (access.clinician.empty()) {
            release.clear_explanation();
            release.clear_redacted_content();
          }
          *response.add_releases() = std::move(release);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::ListReleasedNotesResponse> ReleaseHandlers::ListReleasedNotes(
    const CallContext& context, const v1::ListReleasedNotesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListReleasedNotesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListReleasedNotesResponse> {
        RETURN_IF_ERROR(access_.RequirePatientView(context, request.parent()));
        ASSIGN_OR_RETURN(const std::vector<std::string> cases,
                         ListCasesOfPatient(session, request.parent()));
        // A page's key: which case, and where in it.
        size_t at = 0;
        call::Page inside = page;
        if (!page.after.empty()) {
          const auto [case_id, after] = call::SplitKey(page.after);
          at = static_cast<size_t>(std::find(cases.begin(), cases.end(), case_id) - cases.begin());
          inside.after = after;
        }
        v1::ListReleasedNotesResponse response;
        for (; at < cases.size(); ++at, inside.after.clear()) {
          inside.size = page.size - response.released_notes_size();
          if (inside.size <= 0) {
            response.set_next_page_token(
                call::NextPageToken(context, call::JoinKey(cases[at], inside.after)));
            break;
          }
          ASSIGN_OR_RETURN(const care::CourseFacts course,
                           care::GetCourse(session, names::InOrganization(context.organization_id,
                                                                          "courses", cases[at])));
          ASSIGN_OR_RETURN(const Listed<v1::Note> listed,
                           notes::ListNotes(session, vault_, context.organization_id, cases[at],
                                            /*author=*/"", inside));
          ASSIGN_OR_RETURN(const std::vector<v1::NoteRelease> releases,
                           ReleasesOf(session, context, course, listed.items));
          ASSIGN_OR_RETURN(const v1::CaseLabels labels,
                           notes::GetCaseLabels(session, context.organization_id, cases[at]));
          for (const v1::Note& note : listed.items) {
            for (const v1::NoteRelease& release : releases) {
              if (release.note() != note.name() || release.patient() != request.parent() ||
                  release.state() != v1::NOTE_RELEASE_STATE_RELEASED) {
                continue;
              }
              v1::ReleasedNote shown = AsReleased(note);
              while (shown.addenda_size() > release.addenda())
                shown.mutable_addenda()->RemoveLast();
              if (release.has_redacted_content()) {
                *shown.mutable_content() = release.redacted_content();
                shown.clear_addenda();
                shown.set_redacted(true);
              }
              shown.set_redisclosure_notice(NoticeOf(labels));
              *response.add_released_notes() = std::move(shown);
            }
          }
          if (!listed.next_key.empty()) {
            response.set_next_page_token(
                call::NextPageToken(context, call::JoinKey(cases[at], listed.next_key)));
            break;
          }
        }
        return response;
      });
}

absl::StatusOr<v1::PatientView> ReleaseHandlers::GetPatientView(
    const CallContext& context, const v1::GetPatientViewRequest& request) {
  return call::Read<v1::PatientView>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::PatientView> {
        RETURN_IF_ERROR(access_.RequirePatientView(context, request.name()));
        ASSIGN_OR_RETURN(std::vector<std::string> cases,
                         ListCasesOfPatient(session, request.name()));
        std::reverse(cases.begin(), cases.end());
        v1::PatientView view;
        view.set_patient(request.name());
        for (const std::string& case_id : cases) {
          ASSIGN_OR_RETURN(const CaseRecord record,
                           notes::GetCase(session, vault_, context.organization_id, case_id));
          ASSIGN_OR_RETURN(const care::CourseFacts course,
                           care::GetCourse(session, record.resource.course()));
          ASSIGN_OR_RETURN(const v1::CaseLabels labels,
                           notes::GetCaseLabels(session, context.organization_id, case_id));
          v1::PatientCase& shown = *view.add_cases();
          shown.set_case_(record.resource.name());
          shown.set_course(record.resource.course());
          shown.set_clinician(record.resource.clinician());
          shown.set_state(course.state.state());
          shown.set_redisclosure_notice(NoticeOf(labels));
          if (!record.resource.partner().empty()) continue;

          ASSIGN_OR_RETURN(const Listed<v1::Goal> goals,
                           ListGoals(session, vault_, context.organization_id, case_id,
                                     {.size = kMaxGoals, .after = ""}));
          for (const v1::Goal& goal : goals.items) {
            if (goal.erased() || goal.status() == v1::GOAL_STATUS_DROPPED) continue;
            *shown.add_goals() = AsPatientGoal(goal);
          }
          if (record.resource.has_formulation()) {
            v1::PatientFormulation formulation =
                AsPatientFormulation(record.resource.formulation());
            if (!formulation.link().empty()) *shown.mutable_formulation() = std::move(formulation);
          }
          absl::StatusOr<v1::SafetyPlan> plan =
              GetSafetyPlan(session, vault_, context.organization_id, case_id);
          if (plan.ok()) {
            *shown.mutable_safety_plan() = *std::move(plan);
          } else if (!absl::IsNotFound(plan.status())) {
            return plan.status();
          }
        }
        return view;
      });
}

absl::StatusOr<v1::Guardian> ReleaseHandlers::ReadGuardian(sql::Session& session,
                                                           const CallContext& context,
                                                           absl::string_view name) const {
  RETURN_IF_ERROR(access_
                      .RequirePatientDisclosure(session, context,
                                                name.substr(0, name.rfind("/guardians/")),
                                                "Guardian", Purpose::kRead)
                      .status());
  ASSIGN_OR_RETURN(GuardianRecord record, GetGuardian(session, vault_, name));
  return std::move(record.resource);
}

absl::StatusOr<v1::Guardian> ReleaseHandlers::CreateGuardian(
    const CallContext& context, const v1::CreateGuardianRequest& request) {
  return call::Mutate<v1::Guardian>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadGuardian(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Guardian> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequirePatientDisclosure(tx, context, request.parent(), "Patient",
                                                          Purpose::kChange));
        v1::Guardian guardian = request.guardian();
        guardian.set_name(absl::StrCat(request.parent(), "/guardians/", ids::NewUlid()));
        guardian.set_recorder(access.actor);
        *guardian.mutable_create_time() = time::ToTimestamp(context.now);
        *guardian.mutable_update_time() = guardian.create_time();
        guardian.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, InsertGuardian(tx, vault_, guardian));
        change.Record(guardian.name(), 1, PayloadOf(guardian), stored);
        return guardian;
      });
}

absl::StatusOr<v1::Guardian> ReleaseHandlers::UpdateGuardian(
    const CallContext& context, const v1::UpdateGuardianRequest& request) {
  return call::Mutate<v1::Guardian>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadGuardian(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::Guardian> {
        sql::Transaction& tx = change.tx();
        const absl::string_view name = request.name();
        ASSIGN_OR_RETURN(
            const CaseAccess access,
            access_.RequirePatientDisclosure(tx, context, name.substr(0, name.rfind("/guardians/")),
                                             "Guardian", Purpose::kChange));
        ASSIGN_OR_RETURN(GuardianRecord record, GetGuardian(tx, vault_, name));
        if (request.guardian().subject() != record.resource.subject()) {
          return errors::InvalidArgument("guardian.subject",
                                         "never changes; withdraw this one and record another");
        }
        RETURN_IF_ERROR(call::CheckEtag(request.etag(), record.version));
        const v1::Guardian before = std::move(record.resource);
        record.resource = request.guardian();
        record.resource.set_name(before.name());
        record.resource.set_recorder(access.actor);
        *record.resource.mutable_create_time() = before.create_time();
        *record.resource.mutable_update_time() = time::ToTimestamp(context.now);
        record.resource.clear_erased();
        ASSIGN_OR_RETURN(const std::string stored, notes::UpdateGuardian(tx, vault_, record));
        change.Record(before.name(), record.version, PayloadOf(record.resource), stored);
        return std::move(record.resource);
      });
}

absl::StatusOr<v1::ListGuardiansResponse> ReleaseHandlers::ListGuardians(
    const CallContext& context, const v1::ListGuardiansRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListGuardiansResponse>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::ListGuardiansResponse> {
        RETURN_IF_ERROR(access_
                            .RequirePatientDisclosure(session, context, request.parent(), "Patient",
                                                      Purpose::kRead)
                            .status());
        ASSIGN_OR_RETURN(Listed<v1::Guardian> listed,
                         notes::ListGuardians(session, vault_, request.parent(), page));
        v1::ListGuardiansResponse response;
        for (v1::Guardian& guardian : listed.items) {
          *response.add_guardians() = std::move(guardian);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::GuardianView> ReleaseHandlers::GetGuardianView(
    const CallContext& context, const v1::GetGuardianViewRequest& request) {
  return call::Read<v1::GuardianView>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::GuardianView> {
        ASSIGN_OR_RETURN(const std::optional<v1::Guardian> guardian,
                         FindGuardian(session, vault_, request.name(), context.principal->subject));
        ASSIGN_OR_RETURN(std::vector<std::string> cases,
                         ListCasesOfPatient(session, request.name()));
        std::reverse(cases.begin(), cases.end());
        v1::GuardianView view;
        bool open = false;
        for (const std::string& case_id : cases) {
          if (!guardian) break;
          ASSIGN_OR_RETURN(const care::CourseFacts course,
                           care::GetCourse(session, names::InOrganization(context.organization_id,
                                                                          "courses", case_id)));
          if (course.state.patient() != request.name() || !course.state.partner().empty()) continue;
          ASSIGN_OR_RETURN(const std::vector<std::string> consented,
                           ListConsented(session, context.organization_id, case_id,
                                         v1::CONSENT_PURPOSE_GUARDIAN_VIEW, context.now));
          const GuardianSight sight = SightOf(*guardian, course.state, !consented.empty(),
                                              DayOf(course.state, context.now));
          if (!sight.open) continue;
          open = true;
          v1::GuardianCourse& shown = *view.add_courses();
          shown.set_clinician(course.state.clinician());
          shown.set_state(course.state.state());
          if (!sight.whereabouts) continue;
          shown.set_clinic(course.state.clinic());
          ASSIGN_OR_RETURN(const std::vector<care::AppointmentFacts> sessions,
                           care::ListAppointments(session, course.course));
          for (const care::AppointmentFacts& facts : sessions) {
            if (facts.state.private_session()) continue;
            v1::GuardianSession& one = *shown.add_sessions();
            *one.mutable_start_time() = facts.state.start_time();
            *one.mutable_end_time() = facts.state.end_time();
            one.set_modality(facts.state.modality());
            one.set_cancelled(facts.state.state() == scheduling::v1::APPOINTMENT_STATE_CANCELLED);
          }
        }
        RETURN_IF_ERROR(access_.RequireGuardianView(context, open));
        view.set_patient(request.name());
        view.set_contact_permission(guardian->contact_permission());
        return view;
      });
}

absl::StatusOr<v1::BreakGlass> ReleaseHandlers::ReadBreakGlass(sql::Session& session,
                                                               const CallContext& context,
                                                               absl::string_view name) const {
  ASSIGN_OR_RETURN(BreakGlassRecord record, GetBreakGlass(session, vault_, name));
  RETURN_IF_ERROR(
      access_.RequireBreakGlass(session, context, record.resource.clinician(), Purpose::kRead));
  return std::move(record.resource);
}

absl::StatusOr<v1::BreakGlass> ReleaseHandlers::OpenBreakGlass(
    const CallContext& context, const v1::OpenBreakGlassRequest& request) {
  return call::Mutate<v1::BreakGlass>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadBreakGlass(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::BreakGlass> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(tx, context));
        if (reach.clinician.empty()) return errors::NotFound("Case");
        const std::string case_id(names::Id(request.parent(), "cases"));
        tx.Lock({absl::StrCat(request.parent(), "/breakGlasses/", reach.clinician)});
        ASSIGN_OR_RETURN(const CaseRecord record,
                         notes::GetCase(tx, vault_, context.organization_id, case_id));
        RETURN_IF_ERROR(RequireRecentAuthentication(context));
        RETURN_IF_ERROR(CheckBreakGlass(request.break_glass(), ShippedAccessSettings()));
        if (access_.RequireCase(tx, context, request.parent(), "Case").ok()) {
          return errors::FailedPrecondition("ALREADY_OPEN", "The caller reads this case already.");
        }
        v1::BreakGlass glass;
        glass.set_name(absl::StrCat(record.resource.name(), "/breakGlasses/", ids::NewUlid()));
        glass.set_clinician(reach.clinician);
        glass.set_purpose(request.break_glass().purpose());
        glass.set_reason(request.break_glass().reason());
        const absl::Duration lasts =
            BreakGlassDuration(request.break_glass(), ShippedAccessSettings());
        *glass.mutable_duration() = time::ToDurationProto(lasts);
        *glass.mutable_create_time() = time::ToTimestamp(context.now);
        *glass.mutable_expire_time() = time::ToTimestamp(context.now + lasts);
        ASSIGN_OR_RETURN(const std::string stored,
                         InsertBreakGlass(tx, vault_, glass, SubjectOf(record.resource)));
        change.Record(glass.name(), 1, PayloadOf(glass), stored);
        return glass;
      });
}

absl::StatusOr<v1::BreakGlass> ReleaseHandlers::EndBreakGlass(
    const CallContext& context, const v1::EndBreakGlassRequest& request) {
  return call::Mutate<v1::BreakGlass>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadBreakGlass(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::BreakGlass> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        ASSIGN_OR_RETURN(BreakGlassRecord record, GetBreakGlass(tx, vault_, request.name()));
        v1::BreakGlass& glass = record.resource;
        RETURN_IF_ERROR(
            access_.RequireBreakGlass(tx, context, glass.clinician(), Purpose::kChange));
        if (!glass.has_end_time() && context.now < time::ToTime(glass.expire_time())) {
          *glass.mutable_end_time() = time::ToTimestamp(context.now);
          RETURN_IF_ERROR(notes::EndBreakGlass(tx, record));
          change.Record(glass.name(), record.version, PayloadOf(glass));
        } else {
          change.SetResult(glass.name(), record.version);
        }
        return std::move(glass);
      });
}

absl::StatusOr<v1::ListBreakGlassesResponse> ReleaseHandlers::ListBreakGlasses(
    const CallContext& context, const v1::ListBreakGlassesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  return call::Read<v1::ListBreakGlassesResponse>(
      database_, context,
      [&](sql::Session& session) -> absl::StatusOr<v1::ListBreakGlassesResponse> {
        RETURN_IF_ERROR(access_.RequireBreakGlass(session, context, /*opener=*/"", Purpose::kRead));
        ASSIGN_OR_RETURN(Listed<v1::BreakGlass> listed,
                         notes::ListBreakGlasses(session, vault_, context.organization_id,
                                                 request.include_reviewed(), page));
        v1::ListBreakGlassesResponse response;
        for (v1::BreakGlass& glass : listed.items) {
          *response.add_break_glasses() = std::move(glass);
        }
        if (!listed.next_key.empty()) {
          response.set_next_page_token(call::NextPageToken(context, listed.next_key));
        }
        return response;
      });
}

absl::StatusOr<v1::BreakGlass> ReleaseHandlers::ReviewBreakGlass(
    const CallContext& context, const v1::ReviewBreakGlassRequest& request) {
  return call::Mutate<v1::BreakGlass>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) {
        return ReadBreakGlass(session, context, name);
      },
      [&](Change& change) -> absl::StatusOr<v1::BreakGlass> {
        sql::Transaction& tx = change.tx();
        tx.Lock({request.name()});
        RETURN_IF_ERROR(access_.RequireBreakGlass(tx, context, /*opener=*/"", Purpose::kChange));
        ASSIGN_OR_RETURN(BreakGlassRecord record, GetBreakGlass(tx, vault_, request.name()));
        v1::BreakGlass& glass = record.resource;
        ASSIGN_OR_RETURN(const care::Reach reach, access_.ReachOf(tx, context));
        if (reach.clinician == glass.clinician()) {
          return errors::FailedPrecondition("OWN_ACCESS", "Somebody else reviews it.");
        }
        if (glass.has_review()) {
          return errors::FailedPrecondition("ALREADY_REVIEWED", "It was reviewed before.");
        }
        v1::BreakGlassReview& review = *glass.mutable_review();
        review.set_finding(request.review().finding());
        review.set_remark(request.review().remark());
        review.set_reviewer(context.principal->subject);
        *review.mutable_review_time() = time::ToTimestamp(context.now);
        ASSIGN_OR_RETURN(const std::string stored, notes::ReviewBreakGlass(tx, vault_, record));
        change.Record(glass.name(), record.version, PayloadOf(glass), stored);
        return std::move(glass);
      });
}

absl::StatusOr<v1::CaseLabels> ReleaseHandlers::ReadLabels(sql::Session& session,
                                                           const CallContext& context,
                                                           absl::string_view case_id) const {
  ASSIGN_OR_RETURN(v1::CaseLabels labels,
                   notes::GetCaseLabels(session, context.organization_id, case_id));
  labels.set_redisclosure_notice(NoticeOf(labels));
  return labels;
}

absl::StatusOr<v1::CaseLabels> ReleaseHandlers::SetCaseLabels(
    const CallContext& context, const v1::SetCaseLabelsRequest& request) {
  return call::Mutate<v1::CaseLabels>(
      database_, context, request.request_id(),
      [&](sql::Session& session, absl::string_view name) -> absl::StatusOr<v1::CaseLabels> {
        ASSIGN_OR_RETURN(const CaseAccess access,
                         access_.RequireDisclosure(session, context, name, "Case", Purpose::kRead));
        return ReadLabels(session, context, access.case_id);
      },
      [&](Change& change) -> absl::StatusOr<v1::CaseLabels> {
        sql::Transaction& tx = change.tx();
        ASSIGN_OR_RETURN(
            const CaseAccess access,
            access_.RequireDisclosure(tx, context, request.name(), "Case", Purpose::kChange));
        v1::CaseLabels labels;
        labels.set_name(absl::StrCat(access.name, "/labels"));
        for (int i = 0; i < request.labels_size(); ++i) {
          const v1::CaseLabel label = request.labels(i);
          if (label == v1::CASE_LABEL_UNSPECIFIED ||
              std::count(request.labels().begin(), request.labels().end(), label) > 1) {
            return errors::InvalidArgument(absl::StrCat("labels[", i, "]"),
                                           "must be a label, each once");
          }
          labels.add_labels(label);
        }
        labels.set_recorder(access.actor);
        *labels.mutable_update_time() = time::ToTimestamp(context.now);
        PutCaseLabels(tx, context.organization_id, access.case_id, labels);
        labels.set_redisclosure_notice(NoticeOf(labels));
        // Their existence tells of the patient: no event.
        change.SetResult(labels.name(), 1);
        change.Audit(labels.name(), 1, labels.SerializeAsString());
        return labels;
      });
}

absl::StatusOr<v1::CaseLabels> ReleaseHandlers::GetCaseLabels(
    const CallContext& context, const v1::GetCaseLabelsRequest& request) {
  return call::Read<v1::CaseLabels>(
      database_, context, [&](sql::Session& session) -> absl::StatusOr<v1::CaseLabels> {
        ASSIGN_OR_RETURN(
            const CaseAccess access,
            access_.RequireDisclosure(session, context, request.name(), "Case", Purpose::kRead));
        return ReadLabels(session, context, access.case_id);
      });
}

}  // namespace rapport::notes
