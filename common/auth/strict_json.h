#ifndef RAPPORT_COMMON_AUTH_STRICT_JSON_H_
#define RAPPORT_COMMON_AUTH_STRICT_JSON_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace rapport::auth {

// The JSON object that `text` is. Nothing if it isn't one, or if an object anywhere in it repeats a
// member (parsers disagree on which counts), or if it is nested more than 16 deep.
std::optional<nlohmann::json> ParseStrictObject(absl::string_view text);

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_STRICT_JSON_H_
