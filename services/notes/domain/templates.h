#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_TEMPLATES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_TEMPLATES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rapport/notes/v1/note.pb.h"

// Note templates: what a note begins with and what its signature needs.
namespace rapport::notes {

// The shipped template for a phase under a protocol ("protocols/ipt-a/revisions/1"): the
// protocol's own, else the general one.
const v1::NoteTemplate& ShippedTemplateFor(absl::string_view protocol, v1::NotePhase phase);

// The shipped template `name`; null: none.
const v1::NoteTemplate* FindShippedTemplate(absl::string_view name);

// OK iff a therapist may use `own`: it has a phase, names fields of NoteContent, and needs at least
// what the general shipped template for its phase needs.
//   kInvalidArgument  "note_template.…"
absl::Status CheckTemplate(const v1::NoteTemplate& own);

// The entries that `required` demands and `content` lacks, as paths "content.tried", in its order.
// A text of blanks is missing; a link is there as text, as data, or as none found.
std::vector<std::string> MissingEntries(const v1::NoteTemplate& required,
                                        const v1::NoteContent& content);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_TEMPLATES_H_
