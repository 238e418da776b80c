#include "common/auth/strict_json.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rapport::auth {
namespace {

constexpr int kMaxDepth = 16;

}  // namespace

std::optional<nlohmann::json> ParseStrictObject(absl::string_view text) {
  using Json = nlohmann::json;
  // The parser takes a zero byte for the end and would pass over what follows.
  if (text.find('\0') != absl::string_view::npos) return std::nullopt;
  bool acceptable = true;
  std::vector<std::set<std::string>> members;  // of the objects that are open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) acceptable = false;
    if (event == Json::parse_event_t::object_start) {
      members.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      members.pop_back();
    } else if (event == Json::parse_event_t::key) {
      acceptable = members.back().insert(parsed.get<std::string>()).second && acceptable;
    }
    return true;
  };
  Json parsed = Json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
  if (!acceptable || !parsed.is_object()) return std::nullopt;
  return parsed;
}

}  // namespace rapport::auth
