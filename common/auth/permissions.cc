#include "common/auth/permissions.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/auth/principal.h"

namespace rapport::auth {
namespace {

constexpr absl::string_view kPermissions[] = {
    "alerts.read",               // risk alerts
    "alerts.write",              // acknowledge and resolve them
    "appointments.hold_urgent",  // the next time somebody can see a patient at risk
    "appointments.read",
    "appointments.write",  // hold, book, move, cancel, attendance
    "assessments.due",     // which measures are due, without answers or scores
    "assessments.read",    // recorded assessments, with answers and scores
    "assessments.record",  // record answers
    "audit.read",          // who saw or changed what
    "breakglass.open",     // emergency access to a case
    "breakglass.review",   // its review queue
    "cases.export",        // documents that leave a case: FHIR, summary, booklet
    "cases.read",          // case files
    "cases.write",
    "consents.write",    // consents, guardians, labels of a case
    "courses.read",      // courses of treatment in full
    "courses.schedule",  // a course's existence and times, no more
    "courses.write",
    "directory.read",  // clinics, rooms, clinicians, hours, leave
    "directory.write",
    "events.retry",     // apply parked events again
    "events.watch",     // the event feed
    "fidelity.policy",  // when supervisors see it
    "fidelity.rate",    // rate a session
    "fidelity.read",    // how sessions keep to the protocol
    "groups.read",      // groups, their sessions and seats
    "groups.write",
    "guardian.view",  // what a guardian may see
    "instruments.read",
    "instruments.write",  // the organisation's own, and the wording of any
    "leave.write",        // plans for the sessions of clinicians on leave
    "measures.answer",    // fill in what was asked, by a link
    "notes.due",          // what notes wait for, and how timely they are, without text
    "notes.policy",       // ceilings of a clinic, sampling of a supervisee
    "notes.read",
    "notes.sign",  // sign and cosign
    "notes.write",
    "openings.search",       // free time across the network
    "organizations.create",  // also suspend and resume
    "organizations.read",
    "organizations.update",  // settings, roles, keys
    "outcomes.read",         // cohort figures
    "outcomes.rebuild",      // have them reckoned anew
    "patient.view",          // what a patient's own device may see
    "privacy.erase",         // destroy what is kept of a patient
    "privacy.hold",          // legal holds
    "privacy.read",
    "progress.read",  // a course's series, change and trend
    "protocols.read",
    "protocols.write",     // revisions of the organisation's own
    "psychotherapy.read",  // one's own psychotherapy notes
    "psychotherapy.write",
    "releases.read",      // who may see what of a case, and why
    "releases.write",     // decide whether a patient sees a note
    "revocations.read",   // whose tokens are refused
    "revocations.write",  // refuse them
    "scores.compute",     // stateless scoring
    "suitability.check",  // whether a signed determination lets a course start
    "supervision.read",   // caseload, log, recordings, portfolio
    "supervision.write",
    "waitlist.read",  // who waits for a time
    "waitlist.write",
};

struct Grant {
  absl::string_view who;
  // Permissions apart by blanks; "area.*" is every one of the area.
  absl::string_view what;
};

constexpr Grant kRoles[] = {
    {"analyst", "outcomes.read"},
    {"clinic_manager",
     "organizations.read directory.* protocols.* courses.read courses.schedule courses.write "
     "appointments.read appointments.write openings.search waitlist.* groups.* leave.write "
     "instruments.read assessments.due notes.due notes.policy outcomes.read"},
    {"guardian_proxy", "guardian.view"},
    {"integration",
     "events.watch scores.compute assessments.record measures.answer appointments.read "
     "appointments.write openings.search waitlist.* "
     "instruments.read protocols.read directory.read courses.schedule groups.read"},
    {"organization_admin",
     "organizations.read organizations.update directory.* protocols.* instruments.* "
     "outcomes.rebuild fidelity.policy revocations.*"},
    {"patient_proxy", "assessments.record measures.answer patient.view"},
    {"platform_operator", "organizations.create organizations.read events.retry"},
    {"privacy_officer",
     "audit.read breakglass.review consents.write privacy.* releases.read revocations.read"},
    {"scheduler",
     "directory.read protocols.read courses.schedule appointments.read appointments.write "
     "openings.search waitlist.* "
     "groups.* leave.write"},
    {"supervisor",
     "directory.read protocols.read courses.read courses.schedule appointments.read groups.read "
     "waitlist.read instruments.read scores.compute assessments.due assessments.read progress.read "
     "outcomes.read alerts.read "
     "breakglass.open cases.read notes.due notes.policy notes.read notes.sign releases.read "
     "fidelity.rate fidelity.read supervision.*"},
    {"therapist",
     "directory.read protocols.read courses.* appointments.read appointments.write "
     "openings.search waitlist.* groups.* "
     "leave.write instruments.read scores.compute assessments.* progress.read outcomes.read "
     "alerts.* breakglass.open cases.* consents.write psychotherapy.* releases.* "
     "notes.* fidelity.rate fidelity.read supervision.*"},
};

constexpr Grant kServices[] = {
    {"assessment",
     "events.watch appointments.read appointments.hold_urgent courses.read courses.schedule"},
    {"notes",
     "events.watch appointments.read courses.read courses.schedule assessments.read "
     "progress.read"},
    {"scheduling", "events.watch suitability.check"},
};

using Granted = absl::flat_hash_map<absl::string_view, absl::flat_hash_set<absl::string_view>>;

Granted Expand(absl::Span<const Grant> grants) {
  Granted granted;
  for (const Grant& grant : grants) {
    auto& permissions = granted[grant.who];
    for (absl::string_view pattern : absl::StrSplit(grant.what, ' ', absl::SkipEmpty())) {
      const bool whole_area = absl::EndsWith(pattern, ".*");
      if (whole_area) pattern.remove_suffix(1);
      for (absl::string_view permission : kPermissions) {
        if (whole_area ? absl::StartsWith(permission, pattern) : permission == pattern) {
          permissions.insert(permission);
        }
      }
    }
  }
  return granted;
}

bool Grants(const Granted& granted, absl::string_view who, absl::string_view permission) {
  auto found = granted.find(who);
  return found != granted.end() && found->second.contains(permission);
}

}  // namespace

absl::Span<const absl::string_view> AllPermissions() { return kPermissions; }

const std::vector<absl::string_view>& AllRoles() {
  static const auto* const roles = [] {
    auto* names = new std::vector<absl::string_view>;
    for (const Grant& grant : kRoles) names->push_back(grant.who);
    return names;
  }();
  return *roles;
}

bool IsPermission(absl::string_view permission) {
  return std::binary_search(std::begin(kPermissions), std::end(kPermissions), permission);
}

bool RoleGrants(absl::string_view role, absl::string_view permission) {
  static const auto* const granted = new Granted(Expand(kRoles));
  return Grants(*granted, role, permission);
}

bool ServiceGrants(absl::string_view service, absl::string_view permission) {
  static const auto* const granted = new Granted(Expand(kServices));
  return Grants(*granted, service, permission);
}

bool Principal::MayUse(absl::string_view permission) const {
  if (kind == Kind::kService) return ServiceGrants(service(), permission);
  for (const std::string& role : roles) {
    if (RoleGrants(role, permission)) return true;
  }
  return false;
}

}  // namespace rapport::auth
