#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_SAMPLING_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_SAMPLING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/notes/v1/supervision.pb.h"

// A random choice that can be checked afterwards, as RecordingSelection describes it byte by byte.
namespace rapport::notes {

// 32 bytes that tell nothing of `seed` and bind to it and to the selection `name`.
std::string CommitmentTo(absl::string_view name, absl::string_view seed);

// The `count` of `candidates` with the smallest ranks, by rank; all of them where there are fewer.
// In whatever order `candidates` come, the choice is the same.
std::vector<std::string> Choose(absl::string_view seed, std::vector<std::string> candidates,
                                int count);

// Whether a selection bears itself out.
v1::SelectionProof ProofOf(const v1::RecordingSelection& selection);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_SAMPLING_H_
