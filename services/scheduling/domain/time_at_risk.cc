#include "services/scheduling/domain/time_at_risk.h"

#include "common/time/zones.h"

namespace rapport::scheduling {

TimeCheck CheckStoredTime(const StoredTime& stored, absl::string_view tzdata_version) {
  TimeCheck check;
  const auto zone = time::LoadZone(stored.zone);
  if (!zone.ok()) {
    check.outcome = TimeOutcome::kZoneGone;
    return check;
  }
  const absl::Time start = time::ResolveLocal(
      absl::CivilSecond(absl::CivilMinute(stored.date) + stored.minute_of_day), *zone);
  if (start != stored.start) {
    check.outcome = TimeOutcome::kMoved;
    check.would_start = start;
    check.would_end = start + (stored.end - stored.start);
    return check;
  }
  check.note_version = stored.tzdata_version != tzdata_version;
  return check;
}

}  // namespace rapport::scheduling
