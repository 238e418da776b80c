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
constexpr absl::Duration kHoldImmediate = absl::Hours(24);
constexpr absl::Duration kHoldSameDay = absl::Hours(72);

v1::Concern ConcernOf(const v1::CriticalItem& critical) {
  return critical.concern() == v1::CONCERN_UNSPECIFIED ? v1::CONCERN_SELF_HARM : critical.concern();
}

v1::AlertKind KindOf(v1::Concern concern) {
  switch (concern) {
    case v1::CONCERN_SAFEGUARDING:
      return v1::ALERT_KIND_SAFEGUARDING;
    case v1::CONCERN_MANIA:
      return v1::ALERT_KIND_MANIA;
    default:
      return v1::ALERT_KIND_CRITICAL_ANSWER;
  }
}

template <class Numbers>
bool Contains(const Numbers& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// The alert about `concern` that the form raises, if it does.
class Judge {
 public:
  Judge(const InstrumentRules& rules, const v1::Score& score, const Sheet& sheet,
        const Sheet* previous, bool assessed_lately)
      : rules_(rules),
        score_(score),
        sheet_(sheet),
        previous_(previous),
        assessed_lately_(assessed_lately) {
    if (previous != nullptr) before_ = ScoreSheet(rules, *previous, /*explain=*/false);
  }

  std::optional<RaisedAlert> Of(v1::Concern concern) const {
    RaisedAlert alert{KindOf(concern), v1::ALERT_SEVERITY_UNSPECIFIED, {}, concern};
    const auto raise = [&](bool immediate, bool known) {
      const v1::AlertSeverity severity =
          immediate ? v1::ALERT_SEVERITY_IMMEDIATE
          : concern == v1::CONCERN_SELF_HARM && known && assessed_lately_
              ? v1::ALERT_SEVERITY_THIS_CONTACT
              : v1::ALERT_SEVERITY_SAME_DAY;
      alert.severity = std::max(alert.severity, severity);
    };
    for (const v1::CriticalItem& critical : rules_.instrument().critical_items()) {
      const int item = critical.item();
      if (ConcernOf(critical) != concern || !Contains(score_.critical_items(), item)) continue;
      const int code = sheet_.code(item);
      if (code < critical.at_least()) continue;  // another entry of the item holds
      if (!Contains(alert.items, item)) alert.items.push_back(item);
      raise(critical.immediate_at() > 0 && code >= critical.immediate_at(),
            previous_ != nullptr && previous_->answered(item) && previous_->code(item) >= code);
    }
    for (const v1::ConcernRaised& raised : score_.concerns()) {
      if (raised.concern() != concern) continue;
      const bool known = std::any_of(before_.concerns().begin(), before_.concerns().end(),
                                     [&](const auto& then) { return then.concern() == concern; });
      raise(raised.immediate(), known);
    }
    if (alert.severity == v1::ALERT_SEVERITY_UNSPECIFIED) return std::nullopt;
    return alert;
  }

 private:
  const InstrumentRules& rules_;
  const v1::Score& score_;
  const Sheet& sheet_;
  const Sheet* previous_;
  const bool assessed_lately_;
  v1::Score before_;
};

}  // namespace

std::vector<RaisedAlert> AlertsOf(const InstrumentRules& rules, const v1::Score& score,
                                  const Sheet& sheet, const Sheet* previous,
                                  std::optional<absl::Time> last_risk_assessment,
                                  absl::Time answer_time) {
  std::vector<RaisedAlert> alerts;
  if (!score.critical_items().empty() || !score.concerns().empty()) {
    const Judge judge(rules, score, sheet, previous,
                      last_risk_assessment && *last_risk_assessment >= answer_time - kRiskMemory);
    for (v1::Concern concern :
         {v1::CONCERN_SELF_HARM, v1::CONCERN_SAFEGUARDING, v1::CONCERN_MANIA}) {
      if (auto alert = judge.Of(concern)) alerts.push_back(*std::move(alert));
    }
  }
  if (!score.unanswered_critical_items().empty()) {
    RaisedAlert alert{v1::ALERT_KIND_RISK_NOT_ASKED, v1::ALERT_SEVERITY_THIS_CONTACT};
    for (const v1::CriticalItem& critical : rules.instrument().critical_items()) {
      if (!Contains(score.unanswered_critical_items(), critical.item()) ||
          Contains(alert.items, critical.item())) {
        continue;
      }
      alert.items.push_back(critical.item());
      if (alert.concern != v1::CONCERN_SELF_HARM) alert.concern = ConcernOf(critical);
    }
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

bool RaiseHigher(const v1::Alert& raised, v1::Alert& alert) {
  std::set<int> items(alert.items().begin(), alert.items().end());
  const size_t before = items.size();
  items.insert(raised.items().begin(), raised.items().end());
  const bool severer = raised.severity() > alert.severity();
  if (!severer && items.size() == before) return false;
  alert.mutable_items()->Assign(items.begin(), items.end());
  if (!severer) return true;
  alert.set_severity(raised.severity());
  alert.set_state(v1::ALERT_STATE_OPEN);
  alert.clear_acknowledgement();
  alert.clear_acknowledge_before_time();
  if (raised.has_acknowledge_before_time()) {
    *alert.mutable_acknowledge_before_time() = raised.acknowledge_before_time();
  }
  return true;
}

bool WantsHold(const v1::Alert& alert) {
  return alert.kind() == v1::ALERT_KIND_CRITICAL_ANSWER &&
         alert.severity() >= v1::ALERT_SEVERITY_SAME_DAY &&
         alert.state() != v1::ALERT_STATE_RESOLVED && alert.urgent_hold().empty();
}

absl::Time HoldBefore(const v1::Alert& alert) {
  return time::ToTime(alert.create_time()) +
         (alert.severity() == v1::ALERT_SEVERITY_IMMEDIATE ? kHoldImmediate : kHoldSameDay);
}

std::vector<std::string> EscalatesTo(const DutyFacts& facts, const v1::Alert& alert, int level) {
  const auto among = [](const auto& clinicians, const std::string& clinician) {
    return std::find(clinicians.begin(), clinicians.end(), clinician) != clinicians.end();
  };
  const auto told = [&](const std::string& clinician) {
    return clinician == alert.owner() || among(alert.escalated_to(), clinician);
  };
  const auto present = [&](const std::string& clinician) { return !among(facts.away, clinician); };
  if (level == 1) {
    for (const std::string& clinician : facts.clinic_duty) {
      if (present(clinician) && !told(clinician)) return {clinician};
    }
  }
  const std::vector<std::string>& duty =
      facts.organization_duty.empty() ? facts.clinic_duty : facts.organization_duty;
  std::vector<std::string> next;
  for (const std::string& clinician : duty) {
    if (present(clinician) && !told(clinician) && !among(next, clinician)) {
      next.push_back(clinician);
    }
  }
  if (std::none_of(duty.begin(), duty.end(), present) && !duty.empty() && !told(duty.front())) {
    next.push_back(duty.front());
  }
  return next;
}

v1::AlertEvent EventOf(const v1::Alert& alert) {
  v1::AlertEvent event;
  event.set_course(alert.course());
  event.set_patient(alert.patient());
  event.set_kind(alert.kind());
  event.set_severity(alert.severity());
  event.set_state(alert.state());
  event.set_owner(alert.owner());
  event.set_owner_basis(alert.owner_basis());
  if (alert.has_acknowledge_before_time()) {
    *event.mutable_acknowledge_before_time() = alert.acknowledge_before_time();
  }
  event.set_concern(alert.concern());
  event.set_escalation_level(alert.escalation_level());
  *event.mutable_escalated_to() = alert.escalated_to();
  event.set_source_voided(alert.source_voided());
  event.set_respondent(alert.respondent());
  return event;
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
                             absl::Time now, absl::TimeZone zone,
                             std::optional<absl::CivilDay> majority_on) {
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
  const bool minor = majority_on && *majority_on > absl::ToCivilDay(now, zone);
  expect(v1::GuardianInformed_IsValid(resolution.guardian()) &&
             (!minor || resolution.guardian() != v1::GUARDIAN_INFORMED_UNSPECIFIED),
         "guardian", "must say of a minor whether a guardian was told");
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
