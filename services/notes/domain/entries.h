#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_ENTRIES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_ENTRIES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/type/date.pb.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/events.pb.h"

// What every entry has in common, read off its content.
namespace rapport::notes {

// The kind of its content; UNSPECIFIED without one.
v1::EntryKind KindOf(const v1::Entry& entry);

// Whether it still asks for something: an issue without disposition, a hope that is only hoped, a
// topic not offered again, a sick role that has not ended, an unresolved barrier, an agreed action,
// a contract or relapse plan not agreed, an open task, a current strategy, a referral on its way.
// Voided ones never do.
bool IsOpen(const v1::Entry& entry);

// By when it wants to be looked at again; nothing where its kind has no such day, or it is not
// open.
std::optional<absl::CivilDay> DueDay(const v1::Entry& entry);

// Its own day on the timeline; unset where its kind has none.
google::type::Date EventDate(const v1::Entry& entry);

// What makes it the only one of its kind, as the relationship and week of a SOCIAL_CONTACT_WEEK;
// empty: there may be many. Among the entries of a case that are not voided, no two of a kind have
// the same key.
std::string UniqueKey(const v1::Entry& entry);

// Another entry that an entry names.
struct Reference {
  std::string field;                                // path from the entry, as "action.relationship"
  std::string name;                                 // full name
  v1::EntryKind kind = v1::ENTRY_KIND_UNSPECIFIED;  // that it must be of
};
std::vector<Reference> References(const v1::Entry& entry);

// The goals that it names, with the paths.
std::vector<Reference> GoalReferences(const v1::Entry& entry);

// Kinds of which the rules of `kind` look at the other entries of the case.
std::vector<v1::EntryKind> RelatedKinds(v1::EntryKind kind);

// Whether somebody died: DECEASED, or LOST with the day of death.
bool IsDeceased(const v1::Relationship& relationship);

// The last day that a date of which the day, or day and month, may be 0 can mean; nothing where it
// is no such date.
std::optional<absl::CivilDay> LatestDay(const google::type::Date& date);

// Of a couple's case, whether an entry is in what `patient` may see of the case: shared, or about
// them. Who treats sees all.
bool IsInViewOf(const v1::Entry& entry, absl::string_view patient);

// Its event. Private entries have none.
v1::EntryEvent PayloadOf(const v1::Entry& entry);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_ENTRIES_H_
