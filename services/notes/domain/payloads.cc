#include "services/notes/domain/payloads.h"

#include <string>

#include "absl/strings/string_view.h"
#include "common/names/names.h"
#include "services/notes/domain/case_rules.h"

namespace rapport::notes {
namespace {

std::string CaseOf(absl::string_view name) {
  return names::InOrganization(names::OrganizationId(name), "cases", names::Id(name, "cases"));
}

}  // namespace

v1::CaseEvent PayloadOf(const v1::Case& state, bool was_determined) {
  v1::CaseEvent event;
  event.set_course(state.course());
  event.set_eligible(state.has_determination() && IsInFavour(state.determination().outcome()));
  event.set_determination_reopened(was_determined && !state.has_determination());
  for (const v1::ProblemArea& area : state.problem_areas()) event.add_problem_areas(area.kind());
  event.set_formulation_version(state.formulation().version());
  event.set_formulation_agreement(state.formulation().agreement());
  return event;
}

v1::GoalEvent PayloadOf(const v1::Goal& goal) {
  v1::GoalEvent event;
  event.set_case_(CaseOf(goal.name()));
  event.set_status(goal.status());
  event.set_realism(goal.realism());
  event.set_progress_percent(goal.progress_percent());
  event.set_revisions(goal.revisions_size());
  return event;
}

v1::NoteEvent PayloadOf(const v1::Note& note) {
  v1::NoteEvent event;
  event.set_case_(CaseOf(note.name()));
  event.set_appointment(note.appointment());
  event.set_state(note.state());
  event.set_author(note.author());
  if (note.has_signature()) *event.mutable_sign_time() = note.signature().sign_time();
  event.set_addenda(note.addenda_size());
  event.set_version(note.version());
  event.set_cosign_required(note.cosign().required());
  event.set_returned(note.has_returned());
  event.set_kind(note.kind());
  return event;
}

v1::ConsentEvent PayloadOf(const v1::Consent& consent) {
  v1::ConsentEvent event;
  event.set_case_(CaseOf(consent.name()));
  event.set_patient(consent.patient());
  event.set_purpose(consent.purpose());
  if (consent.has_expire_time()) *event.mutable_expire_time() = consent.expire_time();
  event.set_revoked(consent.has_revoke_time());
  return event;
}

v1::GuardianEvent PayloadOf(const v1::Guardian& guardian) {
  v1::GuardianEvent event;
  event.set_patient(names::InOrganization(names::OrganizationId(guardian.name()), "patients",
                                          names::Id(guardian.name(), "patients")));
  event.set_authority(guardian.authority());
  event.set_withdrawn(guardian.withdrawn());
  return event;
}

}  // namespace rapport::notes
