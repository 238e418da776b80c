#ifndef RAPPORT_COMMON_CALL_POSITION_H_
#define RAPPORT_COMMON_CALL_POSITION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rapport::call {

// Where a change is in its service's event log, before anybody knows its number: the last resource
// that it recorded, and its version. Answers of changes carry it as trailing metadata
// `rapport-position`; a read that sends it back (several apart by commas) sees the change.
struct Position {
  std::string resource;
  int64_t version = 0;
};

std::string PositionText(const Position& position);

// What is malformed, and all beyond the first 8, is left out.
std::vector<Position> ReadPositions(absl::string_view text);

}  // namespace rapport::call

#endif  // RAPPORT_COMMON_CALL_POSITION_H_
