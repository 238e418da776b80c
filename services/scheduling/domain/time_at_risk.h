#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_TIME_AT_RISK_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_TIME_AT_RISK_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

// Whether sessions still begin when they were agreed, after a law or newer tzdata moved clocks.
namespace rapport::scheduling {

// An appointment's time as it was stored.
struct StoredTime {
  absl::CivilDay date;    // agreed, by the clock of `zone`
  int minute_of_day = 0;  // likewise, 0 to 1,439
  std::string zone;       // IANA name
  absl::Time start;       // derived from these by `tzdata_version`
  absl::Time end;
  std::string tzdata_version;
};

enum class TimeOutcome {
  kSame,      // at most the version is to be noted
  kMoved,     // at risk: the agreed local time is another instant now
  kZoneGone,  // at risk: the zone no longer loads
};

struct TimeCheck {
  TimeOutcome outcome = TimeOutcome::kSame;
  // For kSame: the stored version is another than the one in use and should be replaced. The other
  // outcomes keep what is stored until somebody decides.
  bool note_version = false;
  // For kMoved: what the agreed local time is now; the length of the session stays.
  absl::Time would_start;
  absl::Time would_end;
};

// Derives the instants of `stored` anew from the zone data of this process, whose release is
// `tzdata_version`. Moves nothing. The caller leaves out what has begun.
TimeCheck CheckStoredTime(const StoredTime& stored, absl::string_view tzdata_version);

}  // namespace rapport::scheduling

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_TIME_AT_RISK_H_
