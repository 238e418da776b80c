#include "services/notes/domain/entries.h"

#include "absl/strings/str_cat.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

using v1::Entry;

bool IsDay(const google::type::Date& date) { return time::CheckDate(date, "").ok(); }

std::optional<absl::CivilDay> DayOf(const google::type::Date& date) {
  if (!IsDay(date)) return std::nullopt;
  return time::ToCivilDay(date);
}

bool IsAgreedAction(const v1::Action& action) {
  return action.why_none().empty() && (action.status() == v1::ACTION_STATUS_UNSPECIFIED ||
                                       action.status() == v1::ACTION_STATUS_AGREED);
}

}  // namespace

v1::EntryKind KindOf(const Entry& entry) {
  return static_cast<v1::EntryKind>(entry.content_case());
}

bool IsOpen(const Entry& entry) {
  if (entry.voided()) return false;
  switch (entry.content_case()) {
    case Entry::kAdditionalIssue:
      return entry.additional_issue().disposition() == v1::ISSUE_DISPOSITION_UNSPECIFIED;
    case Entry::kHope:
      return entry.hope().state() == v1::HOPE_STATE_UNSPECIFIED ||
             entry.hope().state() == v1::HOPE_STATE_HOPED;
    case Entry::kOutOfScopeTopic:
      return entry.out_of_scope_topic().offer() == v1::SCOPE_OFFER_UNSPECIFIED;
    case Entry::kSickRole:
      return entry.sick_role().variant() != v1::SICK_ROLE_VARIANT_NONE &&
             !entry.sick_role().has_end_date();
    case Entry::kBarrier:
      return !entry.barrier().has_resolve_date();
    case Entry::kAction:
      return IsAgreedAction(entry.action());
    case Entry::kContract:
      return !entry.contract().has_sign_time();
    case Entry::kRelapsePlan:
      return !entry.relapse_plan().has_agreement_date();
    case Entry::kTerminationTask:
      return entry.termination_task().status() == v1::TASK_STATUS_UNSPECIFIED ||
             entry.termination_task().status() == v1::TASK_STATUS_OPEN;
    case Entry::kStrategy:
      return entry.strategy().status() == v1::STRATEGY_STATUS_UNSPECIFIED ||
             entry.strategy().status() == v1::STRATEGY_STATUS_CURRENT;
    case Entry::kReferral:
      return entry.referral().state() != v1::REFERRAL_STATE_FIRST_VISIT_KEPT &&
             entry.referral().state() != v1::REFERRAL_STATE_FAILED;
    default:
      return false;
  }
}

std::optional<absl::CivilDay> DueDay(const Entry& entry) {
  if (entry.content_case() == Entry::kSafetyCheck) {
    return DayOf(entry.safety_check().valid_until_date());
  }
  if (!IsOpen(entry)) return std::nullopt;
  switch (entry.content_case()) {
    case Entry::kSickRole:
      return DayOf(entry.sick_role().review_date());
    case Entry::kAction:
      return DayOf(entry.action().due_date());
    case Entry::kReferral:
      return DayOf(entry.referral().first_visit_date());
    default:
      return std::nullopt;
  }
}

google::type::Date EventDate(const Entry& entry) {
  switch (entry.content_case()) {
    case Entry::kSuitabilityEvidence:
      return entry.suitability_evidence().observe_date();
    case Entry::kDiagnosis:
      return entry.diagnosis().diagnosis_date();
    case Entry::kSickRole:
      return entry.sick_role().given_date();
    case Entry::kTimelineEvent:
      return entry.timeline_event().start_date();
    case Entry::kBarrier:
      return entry.barrier().first_seen_date();
    case Entry::kIncident:
      return entry.incident().incident_date();
    case Entry::kSocialContactWeek:
      return entry.social_contact_week().week_start_date();
    case Entry::kTreatmentEvent:
      return entry.treatment_event().change_date();
    case Entry::kContract:
      return entry.contract().agreement_date();
    case Entry::kRelapsePlan:
      return entry.relapse_plan().agreement_date();
    case Entry::kTerminationTask:
      return entry.termination_task().done_date();
    case Entry::kReferral:
      return entry.referral().send_date();
    default:
      return {};
  }
}

std::string UniqueKey(const Entry& entry) {
  const std::string& about = entry.about();
  switch (entry.content_case()) {
    case Entry::kGrief:
      return entry.grief().relationship();
    case Entry::kDispute:
      return entry.dispute().relationship();
    case Entry::kDeficits:
    case Entry::kHealthySelf:
    case Entry::kRelapsePlan:
      return absl::StrCat("of ", about);
    case Entry::kSickRole:
      return IsOpen(entry) ? absl::StrCat("open of ", about) : "";
    case Entry::kAction: {
      const v1::Action& action = entry.action();
      const bool stands =
          action.immediate_change() && (!action.why_none().empty() || IsAgreedAction(action));
      return stands ? absl::StrCat("immediate of ", about) : "";
    }
    case Entry::kSocialContactWeek: {
      const v1::SocialContactWeek& week = entry.social_contact_week();
      const google::type::Date& day = week.week_start_date();
      return absl::StrCat(week.relationship(), " ", day.year(), "-", day.month(), "-", day.day());
    }
    case Entry::kContract:
      return absl::StrCat(entry.contract().maintenance() ? "maintenance of " : "acute of ", about);
    case Entry::kTerminationTask:
      return absl::StrCat(entry.termination_task().task(), " of ", about);
    case Entry::kCoupleAgreement:
      return "of both";
    default:
      return "";
  }
}

std::vector<Reference> References(const Entry& entry) {
  std::vector<Reference> references;
  const auto add = [&](absl::string_view field, const std::string& name,
                       v1::EntryKind kind = v1::ENTRY_KIND_RELATIONSHIP) {
    if (!name.empty()) references.push_back({std::string(field), name, kind});
  };
  add("diagnosis.relationship", entry.diagnosis().relationship());
  add("past_influence.relationship", entry.past_influence().relationship());
  add("out_of_scope_topic.referral", entry.out_of_scope_topic().referral(),
      v1::ENTRY_KIND_REFERRAL);
  add("grief.relationship", entry.grief().relationship());
  add("dispute.relationship", entry.dispute().relationship());
  add("timeline_event.relationship", entry.timeline_event().relationship());
  add("action.relationship", entry.action().relationship());
  add("incident.relationship", entry.incident().relationship());
  add("social_contact_week.relationship", entry.social_contact_week().relationship());
  add("safety_check.relationship", entry.safety_check().relationship());
  return references;
}

std::vector<Reference> GoalReferences(const Entry& entry) {
  std::vector<Reference> references;
  if (!entry.hope().goal().empty()) references.push_back({"hope.goal", entry.hope().goal()});
  if (!entry.action().goal().empty()) references.push_back({"action.goal", entry.action().goal()});
  for (int i = 0; i < entry.contract().goals_size(); ++i) {
    references.push_back({absl::StrCat("contract.goals[", i, "]"), entry.contract().goals(i)});
  }
  return references;
}

std::vector<v1::EntryKind> RelatedKinds(v1::EntryKind kind) {
  switch (kind) {
    case v1::ENTRY_KIND_DIAGNOSIS:
    case v1::ENTRY_KIND_TIMELINE_EVENT:
    case v1::ENTRY_KIND_SAFETY_CHECK:
      return {v1::ENTRY_KIND_RELATIONSHIP};
    case v1::ENTRY_KIND_PAST_INFLUENCE:
    case v1::ENTRY_KIND_GRIEF:
    case v1::ENTRY_KIND_SOCIAL_CONTACT_WEEK:
      return {kind, v1::ENTRY_KIND_RELATIONSHIP};
    case v1::ENTRY_KIND_DISPUTE:
    case v1::ENTRY_KIND_ACTION:
    case v1::ENTRY_KIND_INCIDENT:
      return {kind, v1::ENTRY_KIND_RELATIONSHIP, v1::ENTRY_KIND_SAFETY_CHECK};
    case v1::ENTRY_KIND_OUT_OF_SCOPE_TOPIC:
      return {v1::ENTRY_KIND_REFERRAL};
    case v1::ENTRY_KIND_TERMINATION_TASK:
      return {kind, v1::ENTRY_KIND_SICK_ROLE};
    case v1::ENTRY_KIND_DEFICITS:
    case v1::ENTRY_KIND_HEALTHY_SELF:
    case v1::ENTRY_KIND_RELAPSE_PLAN:
    case v1::ENTRY_KIND_SICK_ROLE:
    case v1::ENTRY_KIND_CONTRACT:
    case v1::ENTRY_KIND_COUPLE_AGREEMENT:
      return {kind};
    default:
      return {};
  }
}

bool IsDeceased(const v1::Relationship& relationship) {
  return relationship.kind() == v1::RELATIONSHIP_KIND_DECEASED ||
         (relationship.status() == v1::RELATIONSHIP_STATUS_LOST && relationship.has_death_date());
}

std::optional<absl::CivilDay> LatestDay(const google::type::Date& date) {
  if (date.month() == 0 && date.day() == 0 && date.year() >= 1 && date.year() <= 9999) {
    return absl::CivilDay(date.year(), 12, 31);
  }
  if (date.day() == 0) {
    google::type::Date first = date;
    first.set_day(1);
    if (!IsDay(first)) return std::nullopt;
    return absl::CivilDay(absl::CivilMonth(date.year(), date.month()) + 1) - 1;
  }
  return DayOf(date);
}

bool IsInViewOf(const Entry& entry, absl::string_view patient) {
  return entry.about() == patient || (!entry.private_() && entry.about().empty());
}

v1::EntryEvent PayloadOf(const Entry& entry) {
  v1::EntryEvent event;
  event.set_case_(names::InOrganization(names::OrganizationId(entry.name()), "cases",
                                        names::Id(entry.name(), "cases")));
  event.set_kind(KindOf(entry));
  event.set_about(entry.about());
  event.set_appointment(entry.appointment());
  event.set_open(IsOpen(entry));
  event.set_voided(entry.voided());
  if (const google::type::Date date = EventDate(entry); IsDay(date)) {
    *event.mutable_event_date() = date;
  }
  if (const auto due = DueDay(entry)) *event.mutable_due_date() = time::ToDate(*due);
  event.set_treatment_class(entry.treatment_event().treatment_class());
  event.set_treatment_change(entry.treatment_event().change());
  event.set_action_status(entry.action().status());
  *event.mutable_phq9_items() = entry.action().phq9_items();
  event.set_referral_state(entry.referral().state());
  event.set_diagnosis_status(entry.diagnosis().status());
  event.set_episode(entry.diagnosis().episode());
  return event;
}

}  // namespace rapport::notes
