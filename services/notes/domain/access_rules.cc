#include "services/notes/domain/access_rules.h"

#include <algorithm>

namespace rapport::notes {
namespace {

constexpr unsigned Bit(Role role) { return 1u << static_cast<unsigned>(role); }

constexpr unsigned kClinicians = Bit(Role::kTherapist) | Bit(Role::kSupervisor);
constexpr unsigned kTherapists = Bit(Role::kTherapist);
constexpr unsigned kOfficers = Bit(Role::kPrivacyOfficer);
constexpr unsigned kServices = Bit(Role::kService);
constexpr unsigned kPatients = Bit(Role::kPatientProxy);
constexpr unsigned kGuardians = Bit(Role::kGuardianProxy);

constexpr Verdict kA = Verdict::kAllow;
constexpr Verdict kD = Verdict::kDenied;
constexpr Verdict kH = Verdict::kHidden;

struct Row {
  unsigned roles;
  Relation relation;
  Object object;
  Verdict read, change, take_out;
};

constexpr Row kTable[] = {
    {kServices, Relation::kOrganization, Object::kSuitability, kA, kD, kD},
    {kClinicians, Relation::kTreats, Object::kSuitability, kA, kD, kD},
    {kClinicians, Relation::kSupervises, Object::kSuitability, kA, kD, kD},

    {kClinicians, Relation::kTreats, Object::kCase, kA, kA, kA},
    {kClinicians, Relation::kSupervises, Object::kCase, kA, kD, kA},
    {kClinicians, Relation::kBrokeGlass, Object::kCase, kA, kD, kD},

    {kClinicians, Relation::kAuthor, Object::kSignedNote, kA, kA, kA},
    {kClinicians, Relation::kTreats, Object::kSignedNote, kA, kA, kA},
    {kClinicians, Relation::kSupervises, Object::kSignedNote, kA, kD, kA},
    {kClinicians, Relation::kSupervisesAuthor, Object::kSignedNote, kA, kD, kD},
    {kClinicians, Relation::kBrokeGlass, Object::kSignedNote, kA, kD, kD},

    {kClinicians, Relation::kAuthor, Object::kDraft, kA, kA, kD},

    {kTherapists, Relation::kAuthor, Object::kPsychotherapyNote, kA, kA, kD},
    {kTherapists, Relation::kRecipient, Object::kPsychotherapyNote, kA, kD, kD},

    {kClinicians, Relation::kTreats, Object::kDisclosure, kA, kA, kD},
    {kClinicians, Relation::kSupervises, Object::kDisclosure, kA, kD, kD},
    {kClinicians, Relation::kBrokeGlass, Object::kDisclosure, kD, kD, kD},
    {kOfficers, Relation::kOrganization, Object::kDisclosure, kA, kA, kD},

    {kClinicians, Relation::kAuthor, Object::kNoteDecision, kA, kA, kD},
    {kClinicians, Relation::kTreats, Object::kNoteDecision, kA, kA, kD},
    {kClinicians, Relation::kSupervises, Object::kNoteDecision, kA, kD, kD},
    {kClinicians, Relation::kSupervisesAuthor, Object::kNoteDecision, kA, kD, kD},
    {kClinicians, Relation::kBrokeGlass, Object::kNoteDecision, kD, kD, kD},
    {kOfficers, Relation::kOrganization, Object::kNoteDecision, kA, kD, kD},

    {kClinicians, Relation::kAuthor, Object::kBreakGlass, kA, kA, kD},
    {kOfficers, Relation::kOrganization, Object::kBreakGlass, kA, kA, kD},

    {kPatients, Relation::kSelf, Object::kPatientView, kA, kD, kD},
    {kGuardians, Relation::kGuardian, Object::kGuardianView, kA, kD, kD},
};

Verdict VerdictOf(const Row& row, Purpose purpose) {
  switch (purpose) {
    case Purpose::kRead:
      return row.read;
    case Purpose::kChange:
      return row.change;
    case Purpose::kExport:
      return row.take_out;
  }
  return kH;
}

}  // namespace

Verdict Decide(const std::vector<Role>& roles, const std::vector<Relation>& relations,
               Object object, Purpose purpose) {
  unsigned who = 0;
  for (Role role : roles) who |= Bit(role);
  Verdict best = kH;
  for (const Row& row : kTable) {
    if ((row.roles & who) == 0 || row.object != object) continue;
    if (row.relation != Relation::kOrganization &&
        std::find(relations.begin(), relations.end(), row.relation) == relations.end()) {
      continue;
    }
    best = std::min(best, VerdictOf(row, purpose));
  }
  return best;
}

Role RoleOf(absl::string_view name) {
  if (name == "therapist") return Role::kTherapist;
  if (name == "supervisor") return Role::kSupervisor;
  if (name == "clinic_manager") return Role::kClinicManager;
  if (name == "privacy_officer") return Role::kPrivacyOfficer;
  if (name == "patient_proxy") return Role::kPatientProxy;
  if (name == "guardian_proxy") return Role::kGuardianProxy;
  return Role::kOther;
}

}  // namespace rapport::notes
