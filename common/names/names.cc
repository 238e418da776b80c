#include "common/names/names.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport::names {
namespace {

bool IsId(absl::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~';
  });
}

}  // namespace

absl::string_view Id(absl::string_view name, absl::string_view collection) {
  while (!name.empty()) {
    const size_t slash = name.find('/');
    if (slash == absl::string_view::npos) return "";
    const absl::string_view key = name.substr(0, slash);
    name.remove_prefix(slash + 1);
    const size_t end = std::min(name.find('/'), name.size());
    const absl::string_view id = name.substr(0, end);
    if (key == collection) return id;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return "";
}

absl::string_view Last(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == absl::string_view::npos ? name : name.substr(slash + 1);
}

std::string Make(std::initializer_list<std::pair<absl::string_view, absl::string_view>> parts) {
  std::string name;
  for (const auto& [collection, id] : parts) {
    absl::StrAppend(&name, name.empty() ? "" : "/", collection, "/", id);
  }
  return name;
}

bool Matches(absl::string_view pattern, absl::string_view name) {
  const std::vector<absl::string_view> want = absl::StrSplit(pattern, '/');
  const std::vector<absl::string_view> got = absl::StrSplit(name, '/');
  if (want.size() != got.size()) return false;
  for (size_t i = 0; i < want.size(); ++i) {
    if (absl::StartsWith(want[i], "{") ? !IsId(got[i]) : want[i] != got[i]) return false;
  }
  return true;
}

}  // namespace rapport::names
