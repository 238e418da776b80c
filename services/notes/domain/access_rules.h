#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_ACCESS_RULES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_ACCESS_RULES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// The one decision who may know of what: a table over who asks (role), what they are to the thing
// (relation), what it is (object) and what they want (purpose). Whatever the table does not allow
// is hidden, as if absent. Permissions of methods come before it, in the front door.
namespace rapport::notes {

enum class Role {
  kTherapist,
  kSupervisor,
  kClinicManager,
  kPrivacyOfficer,
  kPatientProxy,
  kGuardianProxy,
  kService,
  kOther,  // all the rest: nothing is theirs
};

enum class Relation {
  kOrganization,      // of the same organisation, no more
  kAuthor,            // wrote it, or opened it
  kTreats,            // responsible for the course, or covers for who is
  kSupervises,        // who is responsible for the course
  kSupervisesAuthor,  // who wrote it, as the cover of another's course perhaps
  kBrokeGlass,        // an emergency access of theirs is in force
  kRecipient,         // it is released to them, now
  kSelf,              // the patient's own device
  kGuardian,          // a guardian whose view is open
};

enum class Object {
  kSuitability,        // whether a course may begin
  kCase,               // the case file with all its parts
  kSignedNote,         // with its addenda and versions
  kDraft,              // a note, or its next version, that is not signed
  kPsychotherapyNote,  // with its releases
  kDisclosure,         // consents, guardians, labels, and who sees which note
  kNoteDecision,       // whether a patient sees one signed note
  kBreakGlass,         // the record of an emergency access
  kPatientView,
  kGuardianView,
};

enum class Purpose {
  kRead,    // get, list, count, history, diff
  kChange,  // write, sign, decide, end
  kExport,  // a document that leaves the service
};

enum class Verdict {
  kAllow,
  kDenied,  // they may know of it, and not do this
  kHidden,  // they may not know of it
};

// The best verdict over all `roles` and `relations`. kOrganization is always among the relations.
Verdict Decide(const std::vector<Role>& roles, const std::vector<Relation>& relations,
               Object object, Purpose purpose);

// "therapist" → kTherapist; those without a row: kOther.
Role RoleOf(absl::string_view name);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_ACCESS_RULES_H_
