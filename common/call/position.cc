#include "common/call/position.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport::call {
namespace {

constexpr size_t kMost = 8;

}  // namespace

std::string PositionText(const Position& position) {
  return absl::StrCat(position.version, ":", position.resource);
}

std::vector<Position> ReadPositions(absl::string_view text) {
  std::vector<Position> positions;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits(':', 1));
    Position position{.resource = std::string(halves.second)};
    if (position.resource.empty() || !absl::SimpleAtoi(halves.first, &position.version)) continue;
    positions.push_back(std::move(position));
    if (positions.size() == kMost) break;
  }
  return positions;
}

}  // namespace rapport::call
