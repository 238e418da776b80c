#include "services/notes/domain/entry_rules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "google/api/field_behavior.pb.h"
#include "services/notes/domain/case_rules.h"
#include "services/notes/domain/couple_rules.h"
#include "services/notes/domain/entries.h"
#include "services/notes/domain/entry_safety.h"

namespace rapport::notes {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using v1::Entry;

// What is wrong with an entry, field by field.
class Faults {
 public:
  void Add(absl::string_view field, absl::string_view description) {
    violations.push_back({absl::StrCat("entry.", field), std::string(description)});
  }
  void AddIf(bool wrong, absl::string_view field, absl::string_view description) {
    if (wrong) Add(field, description);
  }
  std::vector<errors::FieldViolation> violations;
};

struct DateRule {
  absl::string_view field;  // as "Diagnosis.onset_date"
  bool partial;             // day, or day and month, may be 0
  bool past;                // not in the future
};
constexpr DateRule kDateRules[] = {
    {"SuitabilityEvidence.observe_date", false, true},
    {"Diagnosis.diagnosis_date", false, true},
    {"Diagnosis.onset_date", true, true},
    {"AdditionalIssue.settle_date", false, true},
    {"Relationship.recent_change_date", true, true},
    {"Relationship.death_date", true, true},
    {"TransitionRecord.change_date", true, false},
    {"SickRole.given_date", false, true},
    {"SickRole.end_date", false, true},
    {"TimelineEvent.start_date", true, true},
    {"TimelineEvent.end_date", true, true},
    {"Barrier.first_seen_date", false, true},
    {"Barrier.resolve_date", false, true},
    {"Action.done_date", false, true},
    {"Incident.incident_date", true, true},
    {"SocialContactWeek.week_start_date", false, true},
    {"TreatmentEvent.change_date", false, true},
    {"Contract.agreement_date", false, true},
    {"RelapsePlan.agreement_date", false, true},
    {"RelapsePlan.share_date", false, true},
    {"TerminationTask.done_date", false, true},
    {"CoupleAgreement.agreement_date", false, true},
    {"Referral.send_date", false, true},
    {"Referral.accept_date", false, true},
};

std::optional<absl::CivilDay> EarliestDay(google::type::Date date) {
  if (!LatestDay(date).has_value()) return std::nullopt;
  if (date.month() == 0) date.set_month(1);
  if (date.day() == 0) date.set_day(1);
  return time::ToCivilDay(date);
}

void CheckOneDate(const google::type::Date& date, const FieldDescriptor& field,
                  absl::string_view path, absl::CivilDay today, Faults& faults) {
  const std::string name = absl::StrCat(field.containing_type()->name(), ".", field.name());
  const auto* rule =
      std::find_if(std::begin(kDateRules), std::end(kDateRules),
                   [&](const DateRule& each) { return each.field == absl::string_view(name); });
  const bool known = rule != std::end(kDateRules);
  const bool partial = known && rule->partial;
  if (partial ? !LatestDay(date).has_value() : !time::CheckDate(date, "").ok()) {
    faults.Add(path, partial ? "must be a date; the day, or day and month, may be 0"
                             : "must be a whole date");
  } else if (known && rule->past && *EarliestDay(date) > today) {
    faults.Add(path, "must not be in the future");
  }
}

// Dates that are none, and texts of blanks where one is needed.
void CheckForm(const Message& message, const std::string& path, absl::CivilDay today,
               Faults& faults) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string at = absl::StrCat(path, path.empty() ? "" : ".", field.name());
    if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
      const int size = field.is_repeated() ? reflection.FieldSize(message, &field)
                                           : reflection.HasField(message, &field);
      for (int item = 0; item < size; ++item) {
        const std::string where = field.is_repeated() ? absl::StrCat(at, "[", item, "]") : at;
        const Message& child = field.is_repeated()
                                   ? reflection.GetRepeatedMessage(message, &field, item)
                                   : reflection.GetMessage(message, &field);
        if (child.GetDescriptor() == google::type::Date::descriptor()) {
          google::type::Date date;
          date.CopyFrom(child);
          CheckOneDate(date, field, where, today, faults);
        } else {
          CheckForm(child, where, today, faults);
        }
      }
    } else if (field.type() == FieldDescriptor::TYPE_STRING && !field.is_repeated()) {
      const auto& options = field.options();
      for (int each = 0; each < options.ExtensionSize(google::api::field_behavior); ++each) {
        if (options.GetExtension(google::api::field_behavior, each) == google::api::REQUIRED &&
            absl::StripAsciiWhitespace(reflection.GetString(message, &field)).empty()) {
          faults.Add(at, "must not be blank");
        }
      }
    }
  }
}

bool Blank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

// Whether `early` is later than `late`; dates that are none are not.
bool IsAfter(const google::type::Date& early, const google::type::Date& late) {
  const auto first = EarliestDay(early), last = LatestDay(late);
  return first.has_value() && last.has_value() && *first > *last;
}

const Entry* Find(const EntryFacts& facts, absl::string_view name) {
  for (const Entry& other : facts.others) {
    if (other.name() == name) return &other;
  }
  return nullptr;
}

void CheckReferences(const Entry& entry, const EntryFacts& facts, Faults& faults) {
  for (const Reference& reference : References(entry)) {
    const Entry* other = Find(facts, reference.name);
    if (other == nullptr || KindOf(*other) != reference.kind || !MayName(entry, *other)) {
      faults.Add(reference.field,
                 absl::StrCat("must name an entry of this case of the kind ",
                              absl::StripPrefix(v1::EntryKind_Name(reference.kind), "ENTRY_KIND_"),
                              " that is not voided and not private to another"));
    }
  }
  for (const Reference& reference : GoalReferences(entry)) {
    faults.AddIf(!facts.goals.contains(reference.name), reference.field,
                 "must name a goal of this case");
  }
}

bool IsGriefDisorder(const v1::Diagnosis& diagnosis, const v1::EntryRules& rules) {
  const std::string code = absl::AsciiStrToUpper(diagnosis.code());
  return std::any_of(
      rules.grief_disorder_codes().begin(), rules.grief_disorder_codes().end(),
      [&](const v1::GriefDisorderCode& each) {
        return each.code_system() == diagnosis.code_system() &&
               (code == each.code() || absl::StartsWith(code, absl::StrCat(each.code(), ".")));
      });
}

void Check(const v1::Diagnosis& diagnosis, const v1::EntryRules& rules, Faults& faults) {
  const std::string& code = diagnosis.code();
  faults.AddIf(!std::all_of(code.begin(), code.end(),
                            [](char c) { return absl::ascii_isalnum(c) || c == '.'; }),
               "diagnosis.code", "must be letters, digits and '.'");
  const bool grief = IsGriefDisorder(diagnosis, rules);
  faults.AddIf(grief == diagnosis.relationship().empty(), "diagnosis.relationship",
               grief ? "is needed: who died" : "belongs to disorders of grief only");
}

void Check(const v1::Relationship& person, Faults& faults) {
  faults.AddIf(person.has_death_date() && !IsDeceased(person), "relationship.death_date",
               "belongs to a DECEASED or LOST one only");
}

void Check(const Entry& entry, const v1::Hope& hope, const EntryFacts& facts, Faults& faults) {
  const bool became = hope.state() == v1::HOPE_STATE_BECAME_GOAL;
  faults.AddIf(became == hope.goal().empty(), "hope.goal",
               became ? "is needed" : "belongs to BECAME_GOAL only");
  const auto goal = facts.goals.find(hope.goal());
  faults.AddIf(
      became && goal != facts.goals.end() && goal->second < time::ToTime(entry.create_time()),
      "hope.goal", "must have been set after the hope was told");
}

void Check(const v1::SickRole& role, Faults& faults) {
  const bool none = role.variant() == v1::SICK_ROLE_VARIANT_NONE;
  faults.AddIf(none && Blank(role.reason()), "sick_role.reason", "is needed for NONE");
  faults.AddIf(!none && !role.has_review_date(), "sick_role.review_date", "is needed");
  faults.AddIf(IsAfter(role.given_date(), role.review_date()), "sick_role.review_date",
               "must not be before given_date");
  faults.AddIf(IsAfter(role.given_date(), role.end_date()), "sick_role.end_date",
               "must not be before given_date");
}

void Check(const v1::Barrier& barrier, Faults& faults) {
  faults.AddIf(IsAfter(barrier.first_seen_date(), barrier.resolve_date()), "barrier.resolve_date",
               "must not be before first_seen_date");
  faults.AddIf(barrier.has_resolve_date() && Blank(barrier.resolution()), "barrier.resolution",
               "is needed with resolve_date");
}

void Check(const v1::Action& action, Faults& faults) {
  const bool none = !Blank(action.why_none());
  faults.AddIf(none != Blank(action.text()), "action.text",
               none ? "must be empty with why_none" : "is needed, or why_none");
  faults.AddIf(none && (!action.immediate_change() || action.homework() ||
                        !action.relationship().empty() || action.has_due_date()),
               "action.why_none",
               "belongs to an immediate_change without homework, relationship and due_date");
  const std::set<int> items(action.phq9_items().begin(), action.phq9_items().end());
  faults.AddIf(items.size() < static_cast<size_t>(action.phq9_items_size()), "action.phq9_items",
               "must be distinct");
  faults.AddIf(action.has_done_date() && IsOpen([&] {
                 Entry entry;
                 *entry.mutable_action() = action;
                 return entry;
               }()),
               "action.done_date", "belongs to an action that was tried or done");
}

void Check(const v1::Incident& incident, Faults& faults) {
  const v1::DecisionAnalysis& decision = incident.decision_analysis();
  faults.AddIf(decision.chosen() > decision.options_size(), "incident.decision_analysis.chosen",
               "must be the place of an option, or 0");
}

void Check(const v1::SocialContactWeek& week, Faults& faults) {
  const google::type::Date& day = week.week_start_date();
  faults.AddIf(time::CheckDate(day, "").ok() &&
                   absl::GetWeekday(time::ToCivilDay(day)) != absl::Weekday::monday,
               "social_contact_week.week_start_date", "must be a Monday");
}

void Check(const v1::Contract& contract, Faults& faults) {
  faults.AddIf(contract.has_sign_time() && !contract.has_agreement_date(),
               "contract.agreement_date", "is needed to sign");
  faults.AddIf(IsAfter(contract.agreement_date(), contract.end_date()), "contract.end_date",
               "must not be before agreement_date");
}

void Check(const v1::RelapsePlan& plan, Faults& faults) {
  for (int i = 0; i < plan.warning_signs_size(); ++i) {
    const v1::WarningSign& sign = plan.warning_signs(i);
    const std::string at = absl::StrCat("relapse_plan.warning_signs[", i, "]");
    faults.AddIf(sign.instrument().empty() == sign.has_threshold(), absl::StrCat(at, ".threshold"),
                 "goes with instrument");
    faults.AddIf(sign.instrument().empty() && sign.item() != 0, absl::StrCat(at, ".item"),
                 "goes with instrument");
  }
}

void Check(const v1::TerminationTask& task, const v1::EntryRules& rules, Faults& faults) {
  const bool done = task.status() == v1::TASK_STATUS_DONE;
  faults.AddIf(std::none_of(rules.termination_tasks().begin(), rules.termination_tasks().end(),
                            [&](const auto& each) { return each.id() == task.task(); }),
               "termination_task.task", "must be one of the shipped tasks of termination");
  faults.AddIf(done != task.has_done_date(), "termination_task.done_date",
               done ? "is needed" : "belongs to DONE only");
  faults.AddIf(task.status() == v1::TASK_STATUS_NOT_APPLICABLE && Blank(task.text()),
               "termination_task.text", "is needed: why it does not apply");
}

void Check(const v1::CoupleAgreement& agreement, const EntryFacts& facts, Faults& faults) {
  std::set<std::string> seen;
  for (int i = 0; i < agreement.agreed_by_size(); ++i) {
    const std::string& patient = agreement.agreed_by(i);
    faults.AddIf(
        (patient != facts.patient && patient != facts.partner) || !seen.insert(patient).second,
        absl::StrCat("couple_agreement.agreed_by[", i, "]"),
        "must be one of the couple's two, each once");
  }
  faults.AddIf(!agreement.agreed_by().empty() && !agreement.has_agreement_date(),
               "couple_agreement.agreement_date", "is needed with agreed_by");
}

void Check(const v1::Referral& referral, Faults& faults) {
  const bool accepted = referral.state() == v1::REFERRAL_STATE_ACCEPTED ||
                        referral.state() == v1::REFERRAL_STATE_FIRST_VISIT_KEPT;
  const auto& reasons = referral.reasons();
  faults.AddIf(referral.kind() == v1::REFERRAL_KIND_LONGER_COUPLES_THERAPY && reasons.empty(),
               "referral.reasons", "are needed for LONGER_COUPLES_THERAPY");
  faults.AddIf(
      std::find(reasons.begin(), reasons.end(), v1::REFERRAL_REASON_OTHER) != reasons.end() &&
          Blank(referral.reason_text()),
      "referral.reason_text", "is needed for OTHER");
  faults.AddIf(accepted && !referral.has_accept_date(), "referral.accept_date", "is needed");
  faults.AddIf(IsAfter(referral.send_date(), referral.accept_date()), "referral.accept_date",
               "must not be before send_date");
  faults.AddIf(
      referral.state() == v1::REFERRAL_STATE_FIRST_VISIT_KEPT && !referral.has_first_visit_date(),
      "referral.first_visit_date", "is needed");
}

void CheckContent(const Entry& entry, const EntryFacts& facts, const v1::EntryRules& rules,
                  Faults& faults) {
  switch (entry.content_case()) {
    case Entry::kDiagnosis:
      return Check(entry.diagnosis(), rules, faults);
    case Entry::kRelationship:
      return Check(entry.relationship(), faults);
    case Entry::kHope:
      return Check(entry, entry.hope(), facts, faults);
    case Entry::kOutOfScopeTopic:
      return faults.AddIf(!entry.out_of_scope_topic().referral().empty() &&
                              entry.out_of_scope_topic().offer() != v1::SCOPE_OFFER_REFERRAL,
                          "out_of_scope_topic.referral", "belongs to the offer REFERRAL only");
    case Entry::kGrief: {
      for (int i = 0; i < entry.grief().anniversaries_size(); ++i) {
        google::type::Date day;
        day.set_year(2000);  // a leap year
        day.set_month(entry.grief().anniversaries(i).month());
        day.set_day(entry.grief().anniversaries(i).day());
        faults.AddIf(!time::CheckDate(day, "").ok(), absl::StrCat("grief.anniversaries[", i, "]"),
                     "must be a day of the year");
      }
      const Entry* person = Find(facts, entry.grief().relationship());
      return faults.AddIf(person != nullptr && !IsDeceased(person->relationship()),
                          "grief.relationship", "must be of someone who died");
    }
    case Entry::kDispute: {
      const Entry* person = Find(facts, entry.dispute().relationship());
      return faults.AddIf(person != nullptr && IsDeceased(person->relationship()),
                          "dispute.relationship", "must be of someone who lives");
    }
    case Entry::kSickRole:
      return Check(entry.sick_role(), faults);
    case Entry::kTimelineEvent:
      return faults.AddIf(
          IsAfter(entry.timeline_event().start_date(), entry.timeline_event().end_date()),
          "timeline_event.end_date", "must not be before start_date");
    case Entry::kBarrier:
      return Check(entry.barrier(), faults);
    case Entry::kAction:
      return Check(entry.action(), faults);
    case Entry::kIncident:
      return Check(entry.incident(), faults);
    case Entry::kSocialContactWeek:
      return Check(entry.social_contact_week(), faults);
    case Entry::kContract:
      return Check(entry.contract(), faults);
    case Entry::kRelapsePlan:
      return Check(entry.relapse_plan(), faults);
    case Entry::kTerminationTask:
      return Check(entry.termination_task(), rules, faults);
    case Entry::kSafetyCheck:
      return faults.AddIf(!entry.safety_check().seen_alone(), "safety_check.seen_alone",
                          "must be true: the patient is asked alone");
    case Entry::kCoupleAgreement:
      return Check(entry.couple_agreement(), facts, faults);
    case Entry::kPreMeeting:
      return faults.AddIf(!entry.pre_meeting().seen_alone(), "pre_meeting.seen_alone",
                          "must be true: each partner is seen alone");
    case Entry::kReferral:
      return Check(entry.referral(), faults);
    default:
      return;
  }
}

absl::Status CheckUnique(const Entry& entry, const EntryFacts& facts) {
  const std::string key = UniqueKey(entry);
  if (key.empty()) return absl::OkStatus();
  for (const Entry& other : facts.others) {
    if (KindOf(other) == KindOf(entry) && UniqueKey(other) == key) {
      return errors::Conflict("ENTRY_EXISTS",
                              "The case has such an entry, and there is one at most. Revise that.",
                              "Entry", other.name());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckGriefDisorder(const Entry& entry, const EntryFacts& facts,
                                const v1::EntryRules& rules) {
  const v1::Diagnosis& diagnosis = entry.diagnosis();
  if (!IsGriefDisorder(diagnosis, rules) || diagnosis.status() == v1::DIAGNOSIS_STATUS_REFUTED) {
    return absl::OkStatus();
  }
  const Entry* person = Find(facts, diagnosis.relationship());
  if (!IsDeceased(person->relationship()) || !person->relationship().has_death_date()) {
    return errors::InvalidArgument("entry.diagnosis.relationship",
                                   "must be of someone who died, with the day of death");
  }
  const int months =
      facts.young ? rules.grief_disorder_months_young() : rules.grief_disorder_months();
  const absl::CivilDay death = *LatestDay(person->relationship().death_date());
  const absl::CivilMonth month = absl::CivilMonth(death) + months;
  const absl::CivilDay first =
      std::min(absl::CivilDay(month) + (death.day() - 1), absl::CivilDay(month + 1) - 1);
  if (time::ToCivilDay(diagnosis.diagnosis_date()) >= first) return absl::OkStatus();
  return errors::FailedPrecondition("TOO_EARLY_FOR_GRIEF_DISORDER",
                                    absl::StrCat("A disorder of grief is not named before ", months,
                                                 " months after the death. Leave it until then."),
                                    {{"months", absl::StrCat(months)}});
}

absl::Status CheckTermination(const Entry& entry, const EntryFacts& facts,
                              const v1::EntryRules& rules) {
  if (IsOpen(entry)) return absl::OkStatus();
  std::set<std::string> closed = {entry.termination_task().task()};
  const Entry* sick_role = nullptr;
  for (const Entry& other : facts.others) {
    if (other.about() != entry.about()) continue;
    if (other.has_termination_task() && !IsOpen(other)) {
      closed.insert(other.termination_task().task());
    }
    if (other.has_sick_role() && IsOpen(other)) sick_role = &other;
  }
  if (sick_role == nullptr || static_cast<int>(closed.size()) < rules.termination_tasks_size()) {
    return absl::OkStatus();
  }
  return errors::Conflict("SICK_ROLE_OPEN",
                          "The sick role ends before the last task of termination is done.",
                          "Entry", sick_role->name());
}

absl::Status CheckTransition(const v1::Referral& before, const v1::Referral& after) {
  const bool forward =
      before.state() == after.state() || (before.state() == v1::REFERRAL_STATE_SENT) ||
      (before.state() == v1::REFERRAL_STATE_ACCEPTED && after.state() != v1::REFERRAL_STATE_SENT);
  if (forward) return absl::OkStatus();
  return errors::FailedPrecondition("REFERRAL_STATE",
                                    "A referral does not go back. Void it, or write another.",
                                    {{"state", v1::ReferralState_Name(before.state())}});
}

absl::Status CheckState(const Entry& entry, const Entry* previous, const EntryFacts& facts,
                        const v1::EntryRules& rules) {
  switch (entry.content_case()) {
    case Entry::kDiagnosis:
      return CheckGriefDisorder(entry, facts, rules);
    case Entry::kPastInfluence: {
      const auto count =
          std::count_if(facts.others.begin(), facts.others.end(), [&](const Entry& other) {
            return other.has_past_influence() && other.about() == entry.about();
          });
      if (count < rules.max_past_influences()) return absl::OkStatus();
      return errors::FailedPrecondition(
          "TOO_MANY_PAST_INFLUENCES",
          absl::StrCat("A case keeps at most ", rules.max_past_influences(),
                       " past influences of a patient. Revise or void one."),
          {{"limit", absl::StrCat(rules.max_past_influences())}});
    }
    case Entry::kHealthySelf:
      if (IsRhythmTherapy(facts.protocol)) return absl::OkStatus();
      return errors::FailedPrecondition(
          "AREA_NOT_IN_PROTOCOL", "It is an area of interpersonal and social rhythm therapy only.");
    case Entry::kAction:
      if (entry.action().homework() && !facts.assigns_homework) {
        return errors::FailedPrecondition(
            "HOMEWORK_NOT_IN_PROTOCOL",
            "The course's protocol sets no homework. Agree the action without it.");
      }
      return absl::OkStatus();
    case Entry::kTerminationTask:
      return CheckTermination(entry, facts, rules);
    case Entry::kReferral:
      return previous == nullptr ? absl::OkStatus()
                                 : CheckTransition(previous->referral(), entry.referral());
    default:
      return absl::OkStatus();
  }
}

}  // namespace

Entry Prepared(const Entry& wanted, const Entry* previous, const EntryFacts& facts,
               const v1::EntryRules& rules) {
  Entry entry;
  entry = wanted;
  entry.set_kind(KindOf(wanted));
  entry.clear_name();
  entry.clear_revision_reason();
  entry.clear_version();
  entry.clear_etag();
  entry.clear_clinician();
  entry.clear_voided();
  entry.clear_open();
  entry.clear_warnings();
  entry.clear_erased();
  *entry.mutable_update_time() = time::ToTimestamp(facts.now);
  if (previous != nullptr) {
    entry.set_name(previous->name());
    entry.set_about(previous->about());
    entry.set_private_(previous->private_());
    *entry.mutable_create_time() = previous->create_time();
  } else {
    if (!facts.conjoint() && entry.about().empty()) entry.set_about(facts.patient);
    *entry.mutable_create_time() = entry.update_time();
  }
  const absl::Time made = time::ToTime(entry.create_time());
  switch (entry.content_case()) {
    case Entry::kHope:
      if (entry.hope().state() == v1::HOPE_STATE_UNSPECIFIED) {
        entry.mutable_hope()->set_state(v1::HOPE_STATE_HOPED);
      }
      break;
    case Entry::kAction: {
      v1::Action& action = *entry.mutable_action();
      if (action.status() == v1::ACTION_STATUS_UNSPECIFIED && action.why_none().empty()) {
        action.set_status(v1::ACTION_STATUS_AGREED);
      }
      if (action.assignee() == v1::ASSIGNEE_UNSPECIFIED) {
        action.set_assignee(v1::ASSIGNEE_PATIENT);
      }
      break;
    }
    case Entry::kContract: {
      v1::Contract& contract = *entry.mutable_contract();
      contract.clear_sign_time();
      if (contract.sign()) *contract.mutable_sign_time() = time::ToTimestamp(facts.now);
      contract.clear_sign();
      break;
    }
    case Entry::kTerminationTask:
      if (entry.termination_task().status() == v1::TASK_STATUS_UNSPECIFIED) {
        entry.mutable_termination_task()->set_status(v1::TASK_STATUS_OPEN);
      }
      break;
    case Entry::kSafetyCheck:
      *entry.mutable_safety_check()->mutable_valid_until_date() =
          time::ToDate(absl::ToCivilDay(made, facts.zone) + rules.safety_check_valid_days());
      break;
    case Entry::kStrategy:
      if (entry.strategy().status() == v1::STRATEGY_STATUS_UNSPECIFIED) {
        entry.mutable_strategy()->set_status(v1::STRATEGY_STATUS_CURRENT);
      }
      break;
    case Entry::kReferral:
      if (entry.referral().state() == v1::REFERRAL_STATE_UNSPECIFIED) {
        entry.mutable_referral()->set_state(v1::REFERRAL_STATE_SENT);
      }
      break;
    default:
      break;
  }
  entry.set_open(IsOpen(entry));
  return entry;
}

absl::Status CheckEntry(const Entry& entry, const Entry* previous, const EntryFacts& facts,
                        const v1::EntryRules& rules) {
  Faults faults;
  const v1::EntryKind kind = KindOf(entry);
  if (kind == v1::ENTRY_KIND_UNSPECIFIED) {
    return errors::InvalidArgument("entry.content", "is needed: exactly one of the kinds");
  }
  if (previous != nullptr && KindOf(*previous) != kind) {
    return errors::InvalidArgument("entry.content", "must be of the entry's own kind");
  }
  RETURN_IF_ERROR(CheckCaseKind(entry, facts.conjoint()));
  CheckWhose(entry, facts, faults.violations);
  const google::protobuf::OneofDescriptor& content = *Entry::descriptor()->oneof_decl(0);
  const FieldDescriptor& field = *entry.GetReflection()->GetOneofFieldDescriptor(entry, &content);
  CheckForm(entry.GetReflection()->GetMessage(entry, &field), field.name(), facts.today(), faults);
  CheckReferences(entry, facts, faults);
  CheckContent(entry, facts, rules, faults);
  if (!faults.violations.empty()) return errors::InvalidArgument(std::move(faults.violations));

  const bool said_alone = entry.has_safety_check() || entry.has_pre_meeting() ||
                          (entry.has_review_wish() && !entry.about().empty());
  if (said_alone && facts.joint_session) {
    return errors::FailedPrecondition(
        "JOINT_SESSION",
        "It is asked of each alone. Name a session of the patient's own, or none.");
  }
  RETURN_IF_ERROR(CheckState(entry, previous, facts, rules));
  RETURN_IF_ERROR(CheckUnique(entry, facts));
  return CheckSafety(entry, facts, rules);
}

absl::Status CheckFocusPersons(
    const google::protobuf::RepeatedPtrField<v1::ProblemArea>& problem_areas,
    absl::Span<const Entry> relationships) {
  std::vector<errors::FieldViolation> violations;
  for (int i = 0; i < problem_areas.size(); ++i) {
    const v1::ProblemArea& area = problem_areas[i];
    const bool grief = area.kind() == v1::PROBLEM_AREA_KIND_GRIEF;
    const bool dispute = area.kind() == v1::PROBLEM_AREA_KIND_ROLE_DISPUTE;
    if (area.relationship().empty() && !grief && !dispute) continue;
    const auto found =
        std::find_if(relationships.begin(), relationships.end(), [&](const Entry& entry) {
          return entry.has_relationship() && !entry.voided() && !entry.private_() &&
                 entry.name() == area.relationship();
        });
    const bool known = found != relationships.end();
    const bool fits = known && (!grief || IsDeceased(found->relationship())) &&
                      (!dispute || !IsDeceased(found->relationship()));
    if (fits) continue;
    violations.push_back({absl::StrCat("problem_areas[", i, "].relationship"),
                          grief ? "must name someone of the inventory who died"
                          : dispute
                              ? "must name the counterpart, someone of the inventory who lives"
                              : "must name someone of the inventory"});
  }
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidArgument(std::move(violations));
}

bool BreaksFocus(const google::protobuf::RepeatedPtrField<v1::ProblemArea>& problem_areas,
                 const Entry& before, const Entry* after) {
  return std::any_of(problem_areas.begin(), problem_areas.end(), [&](const v1::ProblemArea& area) {
    if (area.relationship() != before.name()) return false;
    if (after == nullptr) return true;
    const bool died = IsDeceased(after->relationship());
    return (area.kind() == v1::PROBLEM_AREA_KIND_GRIEF && !died) ||
           (area.kind() == v1::PROBLEM_AREA_KIND_ROLE_DISPUTE && died);
  });
}

}  // namespace rapport::notes
