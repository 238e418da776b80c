#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_RULES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_RULES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "google/protobuf/repeated_field.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/entry_rules.pb.h"

// The rules of entries (clinical rules 2.4, 4.1 to 4.7). Errors name fields by their path in the
// request ("entry.…") and never quote what was written.
namespace rapport::notes {

// What the rules need to know of a case.
struct EntryFacts {
  std::string case_name;
  std::string patient;
  std::string partner;   // empty: not a couple's case
  std::string protocol;  // "protocols/classic/revisions/1"
  bool assigns_homework = false;
  bool young = false;   // the patient is not of age
  absl::TimeZone zone;  // of the patient
  absl::Time now;
  bool joint_session = false;               // the entry's session was not the patient's alone
  std::vector<v1::Entry> others;            // not voided, of RelatedKinds, without the entry itself
  std::map<std::string, absl::Time> goals;  // by full name, when they were set
  std::optional<absl::Time> safety_plan_time;  // of the newest version

  bool conjoint() const { return !partner.empty(); }
  absl::CivilDay today() const { return absl::ToCivilDay(now, zone); }
};

// `wanted` as it is kept: with its kind, the patient of a case of one, the defaults of its states
// and without what only the service says. A revision keeps whose it is; `previous` as in
// CheckEntry.
v1::Entry Prepared(const v1::Entry& wanted, const v1::Entry* previous, const EntryFacts& facts,
                   const v1::EntryRules& rules);

// OK iff a prepared `entry` may be kept. `previous`: the version that it replaces; null: it is new.
//   kInvalidArgument, kFailedPrecondition  see CaseEntryService.CreateEntry and ReviseEntry
absl::Status CheckEntry(const v1::Entry& entry, const v1::Entry* previous, const EntryFacts& facts,
                        const v1::EntryRules& rules);

// OK iff each area that concerns a person names one of `relationships`, the case's inventory: GRIEF
// one who died, ROLE_DISPUTE one who lives.
//   kInvalidArgument  "problem_areas[…].relationship"
absl::Status CheckFocusPersons(
    const google::protobuf::RepeatedPtrField<v1::ProblemArea>& problem_areas,
    absl::Span<const v1::Entry> relationships);

// Whether the focus rests on the relationship `before` in a way that `after` (null: it is voided)
// would break.
bool BreaksFocus(const google::protobuf::RepeatedPtrField<v1::ProblemArea>& problem_areas,
                 const v1::Entry& before, const v1::Entry* after);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_RULES_H_
