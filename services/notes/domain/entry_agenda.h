#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_AGENDA_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_AGENDA_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"
#include "rapport/notes/v1/entry.pb.h"
#include "rapport/notes/v1/entry_rules.pb.h"

// What the entries of a case ask for: at the next session, and before the case closes.
namespace rapport::notes {

// In the order of the agenda: open barriers head it until they are resolved (clinical rule 4.4).
enum class AgendaKind {
  kBarrier,
  kSickRoleReview,   // its review day has come (rule 4.7)
  kImmediateChange,  // from session 1 on: neither a change that can be made now, nor why none
  kAction,           // agreed and not yet looked at
  kReferral,         // on its way
  kUndisposedIssue,  // an additional issue for which nothing was decided
  kStrategyMissing,  // of a couple from the middle phase on: a partner without current strategy
  kOutOfScopeTopic,  // at termination: offered again as referral or later course
  kTerminationTask,  // at termination: open or not begun
};

struct AgendaItem {
  AgendaKind kind;
  std::string entry;  // full name; empty: there is none yet
  std::string about;  // the patient, where one is meant
  std::string task;   // of kTerminationTask
  friend bool operator==(const AgendaItem&, const AgendaItem&) = default;
};

struct AgendaFacts {
  std::vector<std::string> patients;  // of the case: one, or a couple's two
  absl::CivilDay today;
  bool middle = false;       // the middle phase has begun, or the last
  bool termination = false;  // the last phase has begun
};

// Items of one kind in the order of `entries`, all of a case that are not voided. Those that are
// private are among them: it is for who treats. In a joint session show what SharedOf leaves.
std::vector<AgendaItem> BuildAgenda(absl::Span<const v1::Entry> entries, const AgendaFacts& facts,
                                    const v1::EntryRules& rules);

// `entries` without the private ones.
std::vector<v1::Entry> SharedOf(absl::Span<const v1::Entry> entries);

// What stands in the way of closing a case with `entries`; see
// CaseEntryService.GetClosingObstacles. A task of termination is begun where an entry of it is
// there, whichever patient it is about.
v1::ClosingObstacles ClosingObstaclesOf(absl::Span<const v1::Entry> entries,
                                        const v1::EntryRules& rules);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_ENTRY_AGENDA_H_
