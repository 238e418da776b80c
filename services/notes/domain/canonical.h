#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_CANONICAL_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_CANONICAL_H_

#include <string>

#include "absl/strings/string_view.h"
#include "rapport/notes/v1/note.pb.h"

// What exactly a signature stands for.
namespace rapport::notes {

// The bytes of a note that are signed: its identity (name, appointment, session number, phase,
// author), its content and what it began with, serialised deterministically. Kept as they are, so
// that a later release verifies the same bytes. They parse as a Note.
std::string CanonicalNote(const v1::Note& note);

// The bytes of an addendum that are signed: the note's name and the hash of its own signed bytes,
// the addendum's number and text. They parse as a Note.
std::string CanonicalAddendum(absl::string_view note_name, absl::string_view note_sha256,
                              int number, absl::string_view text);

// 32 bytes.
std::string Sha256(absl::string_view bytes);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_CANONICAL_H_
