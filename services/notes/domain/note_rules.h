#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_NOTE_RULES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_NOTE_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/note.pb.h"

// The rules of session notes. Errors name fields by their path in the request and never quote what
// was written.
namespace rapport::notes {

// What `content` names is of the case `case_name`, kinds of minutes come once, and dates are real
// or partly unknown. Paths begin with `prefix`, as "content".
//   kInvalidArgument
absl::Status CheckContent(const v1::NoteContent& content, absl::string_view case_name,
                          absl::string_view prefix);

// Whom a note may speak of.
struct NoteScope {
  v1::NoteKind kind = v1::NOTE_KIND_INDIVIDUAL;
  std::string about;
  std::vector<std::string> subjects;
};
// Of `of`, as asked for (`kind` and `about` may be unset). `private_with`: the partner of a private
// session; empty: it is none. Of a couple a session is noted jointly unless it is private; a
// private one is of its partner alone.
//   kInvalidArgument  "kind", "about"
absl::StatusOr<NoteScope> ScopeOf(const v1::Case& of, v1::NoteKind kind, absl::string_view about,
                                  absl::string_view private_with);

// What warnings rest on.
struct WarningFacts {
  int history_percent = 0;                    // the ceiling; 0: none
  const v1::Case* of = nullptr;               // never null
  std::vector<std::string> without_strategy;  // of a couple: partners without a current one
  int draft_copies = 0;
  bool has_supervisor = false;
  bool cosign_required = false;
  absl::Time now;
};
// What a signature of `note` warns of, by the template's leave to block. Clinical rules 4.5 (a
// strategy for each partner from the middle phase), 4.3 (formulation), 4.9 (minutes that are not
// known count against nobody).
std::vector<v1::NoteWarning> WarningsOf(const v1::Note& note, const v1::NoteTemplate& note_template,
                                        const WarningFacts& facts);

// Of the texts of `content`, the percentage that stands, sentence by sentence, in those of
// `prefill`. 0 where nothing is written.
int CopiedPercent(const v1::NoteContent& content, const v1::NotePrefill& prefill);

// What is told of one member of a group, on top of what is told of all: texts after the shared
// ones, lists joined, single values in place of the shared.
v1::NoteContent ForMember(const v1::NoteContent& shared, const v1::NoteContent& own);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_NOTE_RULES_H_
