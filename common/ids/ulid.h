#ifndef RAPPORT_COMMON_IDS_ULID_H_
#define RAPPORT_COMMON_IDS_ULID_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rapport::ids {

// A new 26-character ULID (Crockford base 32, upper case): 48 bits of the real clock's
// milliseconds, then 80 random bits. Ids made later sort later, to the millisecond. Thread-safe.
std::string NewUlid();

// A ULID whose time is `at`.
std::string NewUlid(absl::Time at);

// Whether `text` is a well-formed ULID.
bool IsUlid(absl::string_view text);

}  // namespace rapport::ids

#endif  // RAPPORT_COMMON_IDS_ULID_H_
