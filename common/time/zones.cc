#include "common/time/zones.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rapport::time {
namespace {

constexpr size_t kMaxNameSize = 64;

// Absl also takes "localtime", "Fixed/…", "file:…" and paths, and the directory holds files beside
// IANA's zones, some of which count leap seconds.
bool IsIanaName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxNameSize) return false;
  if (!absl::ascii_isalpha(static_cast<unsigned char>(name[0]))) return false;
  for (char c : name) {
    const bool allowed = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' ||
                         c == '_' || c == '-' || c == '+';
    if (!allowed) return false;
  }
  for (absl::string_view prefix : {"Fixed/", "posix/", "right/", "SystemV/"}) {
    if (absl::StartsWith(name, prefix)) return false;
  }
  for (absl::string_view other : {"localtime", "posixrules", "Factory"}) {
    if (name == other) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<absl::TimeZone> LoadZone(absl::string_view name) {
  absl::TimeZone zone;
  if (!IsIanaName(name) || !absl::LoadTimeZone(name, &zone)) {
    return absl::InvalidArgumentError("must be an IANA time zone name, as 'America/New_York'");
  }
  return zone;
}

bool IsZone(absl::string_view name) { return LoadZone(name).ok(); }

absl::Time ResolveLocal(absl::CivilSecond local, absl::TimeZone zone) {
  // For a gap and for a fold alike, `pre` is reckoned with the offset before the change.
  return zone.At(local).pre;
}

const std::string& TzdataVersion() {
  static const auto* const version = [] {
    const char* directory = std::getenv("TZDIR");
    return new std::string(ReadTzdataVersion(
        directory != nullptr && *directory != '\0' ? directory : "/usr/share/zoneinfo"));
  }();
  return *version;
}

std::string ReadTzdataVersion(absl::string_view directory) {
  std::ifstream file(absl::StrCat(directory, "/tzdata.zi"));
  std::string line;
  std::getline(file, line);
  absl::string_view version = line;
  if (!absl::ConsumePrefix(&version, "# version ")) return "unknown";
  version = absl::StripAsciiWhitespace(version);
  return version.empty() ? "unknown" : std::string(version);
}

}  // namespace rapport::time
