#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_CANONICAL_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_CANONICAL_H_

#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "rapport/notes/v1/note.pb.h"

// What exactly a signature stands for.
namespace rapport::notes {

// `message` with its fields in the order of their numbers: equal messages give equal bytes.
std::string Deterministic(const google::protobuf::Message& message);

// The bytes of a version of a note that are signed: its identity (name, version, appointment,
// session, phase, author, kind, subjects, template), its content, what it began with, why it was
// opened, what its author was warned of, and a salt that keeps their hash from telling of a short
// text. Kept as they are, so that a later release verifies the same bytes. They parse as a Note.
std::string CanonicalNote(const v1::Note& note);

// The bytes of an addendum that are signed: the note's name and the hash of the signed bytes of the
// version that it adds to; the addendum's number, version, text and salt. They parse as a Note.
std::string CanonicalAddendum(absl::string_view note_name, absl::string_view note_sha256,
                              const v1::Addendum& addendum);

// 32 bytes.
std::string Sha256(absl::string_view bytes);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_CANONICAL_H_
