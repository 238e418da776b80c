#include "services/assessment/domain/alerts.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kImmediate = absl::Minutes(15);
constexpr absl::Duration kSameDay = absl::Hours(2);
constexpr absl::Duration kSkew = absl::Minutes(5);

v1::AlertSeverity SeverityOf(const v1::CriticalItem& critical, const Sheet& sheet,
                             const Sheet* previous, bool assessed_lately) {
  const int value = sheet.value(critical.item());
  if (critical.immediate_at() > 0 && value >= critical.immediate_at()) {
    return v1::ALERT_SEVERITY_IMMEDIATE;
  }
  const bool known = previous != nullptr && previous->answered(critical.item()) &&
                     previous->value(critical.item()) >= value;
  return known && assessed_lately ? v1::ALERT_SEVERITY_THIS_CONTACT : v1::ALERT_SEVERITY_SAME_DAY;
}

}  // namespace

std::vector<RaisedAlert> AlertsOf(const InstrumentRules& rules, const v1::Score& score,
                                  const Sheet& sheet, const Sheet* previous,
                                  std::optional<absl::Time> last_risk_assessment,
                                  absl::Time answer_time) {
  std::vector<RaisedAlert> alerts;
  if (!score.critical_items().empty()) {
    const bool assessed_lately =
        last_risk_assessment && *last_risk_assessment >= answer_time - kRiskMemory;
    RaisedAlert alert{v1::ALERT_KIND_CRITICAL_ANSWER,
                      v1::ALERT_SEVERITY_THIS_CONTACT,
                      {score.critical_items().begin(), score.critical_items().end()}};
    for (const v1::CriticalItem& critical : rules.instrument().critical_items()) {
      if (std::find(alert.items.begin(), alert.items.end(), critical.item()) == alert.items.end()) {
        continue;
      }
      alert.severity =
          std::max(alert.severity, SeverityOf(critical, sheet, previous, assessed_lately));
    }
    alerts.push_back(std::move(alert));
  }
  if (!score.unanswered_critical_items().empty()) {
    alerts.push_back(
        {v1::ALERT_KIND_RISK_NOT_ASKED,
         v1::ALERT_SEVERITY_THIS_CONTACT,
         {score.unanswered_critical_items().begin(), score.unanswered_critical_items().end()}});
  }
  return alerts;
}

std::optional<absl::Time> AcknowledgeBefore(v1::AlertSeverity severity, absl::Time create_time,
                                            const scheduling::v1::OrganizationEvent& organization) {
  switch (severity) {
    case v1::ALERT_SEVERITY_IMMEDIATE:
      return create_time + (organization.has_immediate_acknowledgement()
                                ? time::ToDuration(organization.immediate_acknowledgement())
                                : kImmediate);
    case v1::ALERT_SEVERITY_SAME_DAY:
      return create_time + (organization.has_same_day_acknowledgement()
                                ? time::ToDuration(organization.same_day_acknowledgement())
                                : kSameDay);
    default:
      return std::nullopt;
  }
}

bool CrisisResourcesCover(absl::Span<const std::string> jurisdictions, absl::string_view patient) {
  return std::any_of(jurisdictions.begin(), jurisdictions.end(), [&](const std::string& served) {
    return patient == served || absl::StartsWith(patient, absl::StrCat(served, "-"));
  });
}

absl::Status CheckResolution(const v1::AlertResolution& resolution, const v1::Alert& alert,
                             absl::Time now, absl::TimeZone zone) {
  std::vector<errors::FieldViolation> violations;
  const auto expect = [&](bool holds, absl::string_view field, absl::string_view description) {
    if (!holds) {
      violations.push_back({absl::StrCat("resolution.", field), std::string(description)});
    }
  };
  expect(resolution.contact() == v1::CONTACT_MADE || resolution.contact() == v1::CONTACT_ATTEMPTED,
         "contact", "must say whether the patient was reached");
  expect(!resolution.contact_times().empty(), "contact_times",
         "must tell when the patient was reached, or each attempt");
  for (int i = 0; i < resolution.contact_times_size(); ++i) {
    const std::string field = absl::StrCat("contact_times[", i, "]");
    const auto& at = resolution.contact_times(i);
    expect(time::CheckTimestamp(at, field).ok() && time::ToTime(at) <= now + kSkew &&
               time::ToTime(at) >= time::ToTime(alert.create_time()),
           field, "must be an instant between the alert and now");
  }
  expect(names::Id(resolution.risk_assessment(), "cases") == names::Last(alert.course()),
         "risk_assessment", "must be one of the alert's own case");
  const bool not_indicated = resolution.safety_plan() == v1::SAFETY_PLAN_OUTCOME_NOT_INDICATED;
  expect(v1::SafetyPlanOutcome_IsValid(resolution.safety_plan()) &&
             resolution.safety_plan() != v1::SAFETY_PLAN_OUTCOME_UNSPECIFIED,
         "safety_plan", "must say what became of the safety plan");
  expect(not_indicated != resolution.safety_plan_reason().empty(), "safety_plan_reason",
         "is needed where no plan is indicated, and only then");
  expect(!resolution.informed().empty(), "informed",
         "must say who was told; INFORMED_NOBODY where nobody was");
  std::set<int> told;
  for (int i = 0; i < resolution.informed_size(); ++i) {
    const v1::Informed who = resolution.informed(i);
    expect(v1::Informed_IsValid(who) && who != v1::INFORMED_UNSPECIFIED &&
               told.insert(who).second &&
               (who != v1::INFORMED_NOBODY || resolution.informed_size() == 1),
           absl::StrCat("informed[", i, "]"), "must be known, given once; nobody only alone");
  }
  expect((resolution.guardian() == v1::GUARDIAN_INFORMED_UNSPECIFIED) ==
             resolution.guardian_reason().empty(),
         "guardian_reason", "is needed where guardian is set, and only then");
  expect(resolution.has_next_check_date() &&
             time::CheckDate(resolution.next_check_date(), "next_check_date").ok() &&
             time::ToCivilDay(resolution.next_check_date()) >= absl::ToCivilDay(now, zone),
         "next_check_date", "must be a date that is not past");
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  return absl::OkStatus();
}

}  // namespace rapport::assessment
