#include "services/notes/rpc/fidelity_record.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/notes/data/fidelity/fidelity_rules.h"
#include "services/notes/domain/phases.h"
#include "services/notes/domain/supervision.h"
#include "services/notes/domain/templates.h"
#include "services/notes/store/case_store.h"
#include "services/notes/store/entries.h"
#include "services/notes/store/fidelity_store.h"
#include "services/notes/store/note_settings_store.h"
#include "services/notes/store/note_store.h"

namespace rapport::notes {
namespace {

constexpr int kMaxPage = 500;

// The kinds of entries that tell anything on fidelity.
std::vector<v1::EntryKind> TellingKinds() {
  std::set<v1::EntryKind> kinds = {v1::ENTRY_KIND_INCIDENT, v1::ENTRY_KIND_TERMINATION_TASK};
  for (const v1::TaskEvidence& evidence : ShippedFidelityRules().task_evidence()) {
    for (const int kind : evidence.entries()) kinds.insert(static_cast<v1::EntryKind>(kind));
  }
  return {kinds.begin(), kinds.end()};
}

}  // namespace

absl::StatusOr<FidelityCase> FidelityRecord::Case() {
  ASSIGN_OR_RETURN(const CaseRecord record, GetCase(session_, vault_, organization_id_, case_id_));
  ASSIGN_OR_RETURN(const CaseFacts facts, GetCaseFacts(session_, organization_id_, case_id_));
  ASSIGN_OR_RETURN(const std::vector<v1::Entry> entries,
                   AllEntries(session_, vault_, organization_id_, case_id_,
                              EntryQuery{.kinds = TellingKinds()}));
  FidelityCase of{.name = record.resource.name(),
                  .course = course_.state,
                  .areas = {},
                  .formulation = facts.formulation,
                  .risk_assessment = facts.risk_assessment,
                  .goal = facts.goal,
                  .entries = {}};
  for (const v1::ProblemArea& area : record.resource.problem_areas()) {
    of.areas.push_back(area.kind());
  }
  for (const v1::Entry& entry : entries) of.entries.push_back(RecordedEntryOf(entry));
  return of;
}

absl::StatusOr<FidelitySession> FidelityRecord::Session(v1::Note note) {
  if (!policy_) {
    ASSIGN_OR_RETURN(policy_, GetNotePolicy(session_, course_.state.clinic()));
  }
  const v1::NoteTemplate* note_template = FindShippedTemplate(note.template_());
  if (note_template == nullptr && absl::StartsWith(note.template_(), "organizations/")) {
    auto found = templates_.find(note.template_());
    if (found == templates_.end()) {
      ASSIGN_OR_RETURN(v1::NoteTemplate own, GetTemplate(session_, note.template_()));
      found = templates_.emplace(note.template_(), std::move(own)).first;
    }
    note_template = &found->second;
  }
  FidelitySession session;
  if (note.phase() == v1::NOTE_PHASE_UNSPECIFIED) {
    note.set_phase(PhaseOfSession(course_.state, note.session_number()));
  }
  session.history_ceiling =
      HistoryCeilingOf(ShippedFidelityRules(), &*policy_, note_template, note.phase());
  if (note_template != nullptr) {
    session.default_minutes.assign(note_template->minutes().begin(),
                                   note_template->minutes().end());
  }
  session.note = std::move(note);
  return session;
}

absl::StatusOr<CourseRecord> FidelityRecord::Course(const std::string& clinician,
                                                    const Viewer& viewer) {
  CourseRecord record;
  record.clinician = clinician;
  record.ended = HasEnded(course_.state.state());
  ASSIGN_OR_RETURN(const PolicyRecord policy, GetFidelityPolicy(session_, organization_id_));
  ASSIGN_OR_RETURN(const Shares shares, GetShares(session_, organization_id_, case_id_, clinician));

  std::map<std::string, v1::NotePhase> noted;  // by appointment
  call::Page page{.size = kMaxPage, .after = ""};
  do {
    ASSIGN_OR_RETURN(Listed<v1::Note> listed,
                     ListNotes(session_, vault_, organization_id_, case_id_, /*author=*/"", page));
    for (v1::Note& note : listed.items) {
      if (note.kind() == v1::NOTE_KIND_PRIVATE) continue;
      noted[note.appointment()] = note.phase();
      if (note.author() != clinician) continue;
      const bool sees =
          viewer.own || SupervisorSees(policy.resource, shares.Has(names::Last(note.name())),
                                       time::ToTime(note.signature().sign_time()), viewer.now);
      if (!sees) {
        ++record.not_shared;
        continue;
      }
      ASSIGN_OR_RETURN(FidelitySession session, Session(std::move(note)));
      record.sessions.push_back(std::move(session));
    }
    page.after = listed.next_key;
  } while (!page.after.empty());

  ASSIGN_OR_RETURN(const std::vector<care::AppointmentFacts> appointments,
                   care::ListAppointments(session_, course_.course));
  for (const care::AppointmentFacts& each : appointments) {
    if (!IsHeld(each.state.state()) || each.state.private_session()) continue;
    const auto phase = noted.find(each.appointment);
    record.held.push_back(
        {each.appointment,
         phase != noted.end() ? phase->second : PhaseOfSession(course_.state, each.session_number),
         each.state.clinician()});
    if (phase == noted.end() && each.state.clinician() == clinician) ++record.unsigned_held;
  }
  return record;
}

}  // namespace rapport::notes
