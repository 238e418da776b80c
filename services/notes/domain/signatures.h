#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_SIGNATURES_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_SIGNATURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/notes/v1/note.pb.h"

// Signatures by Ed25519 over a statement that bears the hash of the text, and which notes a
// supervisor signs as well.
namespace rapport::notes {

inline constexpr size_t kSigningKeyBytes = 32;

// The public half, 32 bytes, of the private half `private_key`, 32 random bytes.
std::string PublicKeyOf(absl::string_view private_key);

// `statement` as a signature by `private_key`. Its context is set here.
v1::Signature SignStatement(v1::SignatureStatement statement, absl::string_view private_key);

// What a signature must stand for.
struct SignedThing {
  std::string note;
  int32_t version = 0;
  int32_t addendum = 0;
  // Of the text as it is kept; nothing: it was erased, and the signature's own counts.
  std::optional<std::string> content_sha256;
};

// Whether `signature` is that of `public_key` over its statement, the statement says what the
// signature shows, and it is of `of`.
bool IsValid(const v1::Signature& signature, absl::string_view public_key, const SignedThing& of);

// The draw of a version of a note: SHA-256 of `seed`, the note's name, "#" and the version in
// decimal; its first 8 bytes as a big-endian number, modulo 10,000.
int DrawOf(absl::string_view seed, absl::string_view note, int version);

// What decides whether a version needs a second signature.
struct CosignFacts {
  struct Supervisor {
    std::string clinician;
    std::optional<v1::CosignPolicy> policy;  // nothing: none was set
  };
  std::string note;
  int version = 0;
  bool trainee = false;
  std::vector<Supervisor> supervisors;  // of the author, by pairs in force now
  bool needed_before = false;           // a version before needed it
};

// Without a policy all notes of a trainee are signed by a supervisor too and none of others; with
// several supervisors the one who asks for most decides.
v1::CosignRequirement RequirementOf(const CosignFacts& facts);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_SIGNATURES_H_
