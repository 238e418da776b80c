#include "services/notes/domain/sampling.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/notes/domain/canonical.h"

namespace rapport::notes {
namespace {

constexpr char kContext[] = "rapport recording selection 1";
constexpr absl::string_view kZero("\0", 1);

}  // namespace

std::string CommitmentTo(absl::string_view name, absl::string_view seed) {
  return Sha256(absl::StrCat(kContext, kZero, name, kZero, seed));
}

std::vector<std::string> Choose(absl::string_view seed, std::vector<std::string> candidates,
                                int count) {
  std::vector<std::pair<std::string, std::string>> ranked;
  for (std::string& candidate : candidates) {
    std::string rank = Sha256(absl::StrCat(seed, kZero, candidate));
    ranked.emplace_back(std::move(rank), std::move(candidate));
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> chosen;
  for (auto& [rank, candidate] : ranked) {
    if (static_cast<int>(chosen.size()) == count) break;
    chosen.push_back(std::move(candidate));
  }
  return chosen;
}

v1::SelectionProof ProofOf(const v1::RecordingSelection& selection) {
  if (!selection.has_draw_time()) return v1::SELECTION_PROOF_NOT_DRAWN;
  if (CommitmentTo(selection.name(), selection.seed()) != selection.commitment()) {
    return v1::SELECTION_PROOF_SEED_DIFFERS;
  }
  const std::vector<std::string> chosen =
      Choose(selection.seed(), {selection.candidates().begin(), selection.candidates().end()},
             selection.count());
  return std::equal(chosen.begin(), chosen.end(), selection.chosen().begin(),
                    selection.chosen().end())
             ? v1::SELECTION_PROOF_VERIFIED
             : v1::SELECTION_PROOF_CHOICE_DIFFERS;
}

}  // namespace rapport::notes
