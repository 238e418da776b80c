#ifndef RAPPORT_COMMON_TIME_ZONES_H_
#define RAPPORT_COMMON_TIME_ZONES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace rapport::time {

// The zone of the IANA name, as "America/New_York", from the system's tzdata (TZDIR if set). Zones
// are kept for the life of the process.
//   kInvalidArgument  no such zone, or not an IANA name ("localtime", "Fixed/…", paths, "right/…")
// The status carries no field; callers that check a request put it into their own violation.
absl::StatusOr<absl::TimeZone> LoadZone(absl::string_view name);

// Whether LoadZone(name) succeeds.
bool IsZone(absl::string_view name);

// The instant of a local time. Where clocks go forward and `local` does not exist, the offset
// before the gap applies (02:30 becomes 03:30); where they go back and it happens twice, the first
// is meant. As RFC 5545 section 3.3.5, so that exported calendars agree.
absl::Time ResolveLocal(absl::CivilSecond local, absl::TimeZone zone);

// The release of the tzdata in use when first asked, as "2025b"; "unknown" if it does not say.
const std::string& TzdataVersion();

// The release that the tzdata in `directory` says it is.
std::string ReadTzdataVersion(absl::string_view directory);

}  // namespace rapport::time

#endif  // RAPPORT_COMMON_TIME_ZONES_H_
