#include "services/scheduling/rpc/survey.h"

#include "common/errors/status_macros.h"
#include "common/telemetry/metric_names.h"
#include "services/scheduling/store/waitlist_store.h"

namespace rapport::scheduling {
namespace {

namespace metric = telemetry::metric;

const char* UrgencyName(v1::WaitlistUrgency urgency) {
  switch (urgency) {
    case v1::WAITLIST_URGENCY_URGENT:
      return "urgent";
    case v1::WAITLIST_URGENCY_BOOSTER:
      return "booster";
    case v1::WAITLIST_URGENCY_SOON:
      return "soon";
    default:
      return "routine";
  }
}

}  // namespace

std::vector<work::Figure> SurveyFigures() {
  const std::vector<std::string> labels = {"urgency"};
  const std::vector<work::Tally::Labels> urgencies = {
      {"urgent"}, {"booster"}, {"soon"}, {"routine"}};
  return {{metric::kWaitlist, "Waitlist entries that have no time yet.", labels, urgencies},
          {metric::kWaitlistAge, "How long the first of them has waited.", labels, urgencies}};
}

absl::Status LookAtWaitlist(sql::Session& session, const std::string& organization_id,
                            absl::Time now, work::Tally& tally) {
  ASSIGN_OR_RETURN(const std::vector<store::WaitingCount> counts,
                   store::CountWaiting(session, organization_id));
  for (const store::WaitingCount& count : counts) {
    const work::Tally::Labels urgency = {UrgencyName(count.urgency)};
    tally.Add(metric::kWaitlist, urgency, static_cast<double>(count.entries));
    tally.Largest(metric::kWaitlistAge, urgency, absl::ToDoubleSeconds(now - count.since));
  }
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
