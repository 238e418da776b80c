#include "services/assessment/rpc/survey.h"

#include "common/errors/status_macros.h"
#include "common/telemetry/metric_names.h"
#include "common/time/convert.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {
namespace {

namespace metric = telemetry::metric;

const char* SeverityName(v1::AlertSeverity severity) {
  switch (severity) {
    case v1::ALERT_SEVERITY_IMMEDIATE:
      return "immediate";
    case v1::ALERT_SEVERITY_SAME_DAY:
      return "same_day";
    default:
      return "this_contact";
  }
}

}  // namespace

std::vector<work::Figure> SurveyFigures() {
  const std::vector<work::Tally::Labels> severities = {
      {"immediate"}, {"same_day"}, {"this_contact"}};
  std::vector<work::Tally::Labels> standings;
  for (const work::Tally::Labels& severity : severities) {
    for (const char* state : {"open", "acknowledged"}) standings.push_back({severity[0], state});
  }
  return {{metric::kAlerts, "Risk alerts that are not resolved.", {"severity", "state"}, standings},
          {metric::kAlertsAge,
           "How long ago the oldest risk alert that is not resolved was raised.",
           {"severity", "state"},
           standings},
          {metric::kAlertsLate,
           "Open risk alerts whose first time to be acknowledged has passed.",
           {"severity"},
           severities}};
}

absl::Status LookAtAlerts(sql::Session& session, const std::string& organization_id, absl::Time now,
                          work::Tally& tally) {
  ASSIGN_OR_RETURN(const std::vector<store::StoredAlert> unresolved,
                   store::ListUnresolved(session, organization_id, ""));
  for (const auto& [alert, version] : unresolved) {
    const std::string severity = SeverityName(alert.severity());
    const bool open = alert.state() == v1::ALERT_STATE_OPEN;
    const work::Tally::Labels labels = {severity, open ? "open" : "acknowledged"};
    tally.Add(metric::kAlerts, labels, 1);
    tally.Largest(metric::kAlertsAge, labels,
                  absl::ToDoubleSeconds(now - time::ToTime(alert.create_time())));
    // Each escalation gives the next owners a time of their own: it is late all the same.
    const bool late =
        alert.escalation_level() > 0 || (alert.has_acknowledge_before_time() &&
                                         time::ToTime(alert.acknowledge_before_time()) < now);
    if (open && late) tally.Add(metric::kAlertsLate, {severity}, 1);
  }
  return absl::OkStatus();
}

}  // namespace rapport::assessment
