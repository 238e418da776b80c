#include "services/notes/domain/entry_safety.h"

#include <algorithm>

#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "services/notes/domain/entries.h"

namespace rapport::notes {
namespace {

using v1::Entry;

const std::string& AimOf(const Entry& entry) {
  static const std::string& none = *new std::string;
  switch (entry.content_case()) {
    case Entry::kAction:
      return IsOpen(entry) ? entry.action().relationship() : none;
    case Entry::kDispute:
      return entry.dispute().plan().empty() ? none : entry.dispute().relationship();
    case Entry::kIncident: {
      const v1::Incident& incident = entry.incident();
      return incident.has_role_play() || (incident.decision_analysis().chosen() > 0 &&
                                          incident.decision_analysis().result().empty())
                 ? incident.relationship()
                 : none;
    }
    default:
      return none;
  }
}

bool IsPositive(const Entry& check) {
  return check.safety_check().result() == v1::SAFETY_RESULT_CONCERN ||
         check.safety_check().result() == v1::SAFETY_RESULT_DANGER;
}

// Leaving out, where `answered`, those at which the patient would not say.
const Entry* NewestCheck(absl::Span<const Entry> entries, bool answered) {
  const Entry* newest = nullptr;
  const auto rank = [](const Entry& entry) {
    return std::pair(time::ToTime(entry.create_time()), absl::string_view(entry.name()));
  };
  for (const Entry& entry : entries) {
    if (!entry.has_safety_check() || entry.voided() ||
        (answered && entry.safety_check().result() == v1::SAFETY_RESULT_DECLINED)) {
      continue;
    }
    if (newest == nullptr || rank(entry) > rank(*newest)) newest = &entry;
  }
  return newest;
}

bool IsCautioned(const Entry& entry, const v1::EntryRules& rules) {
  const auto& stages = rules.cautioned_stages();
  return entry.has_dispute() &&
         std::find(stages.begin(), stages.end(), entry.dispute().stage()) != stages.end();
}

}  // namespace

const Entry* SafetyCheckInForce(absl::Span<const Entry> entries, absl::CivilDay day) {
  const Entry* newest = NewestCheck(entries, /*answered=*/false);
  if (newest == nullptr) return nullptr;
  const auto last = DueDay(*newest);
  return last.has_value() && day <= *last ? newest : nullptr;
}

bool IsSafetyFlagged(absl::Span<const Entry> entries) {
  const Entry* newest = NewestCheck(entries, /*answered=*/true);
  return newest != nullptr && IsPositive(*newest);
}

bool IsAimedAtSomeoneClose(const Entry& entry, absl::Span<const Entry> entries,
                           const v1::EntryRules& rules) {
  const std::string& aim = AimOf(entry);
  if (aim.empty()) return false;
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& other) { return other.name() == aim; });
  if (found == entries.end()) return false;
  const v1::Relationship& person = found->relationship();
  const auto& close = rules.close_kinds();
  return person.status() == v1::RELATIONSHIP_STATUS_CURRENT &&
         (person.carer() || std::find(close.begin(), close.end(), person.kind()) != close.end());
}

absl::Status CheckSafety(const Entry& entry, const EntryFacts& facts, const v1::EntryRules& rules) {
  if (facts.conjoint() || facts.joint_session || entry.incident().has_role_play() ||
      !IsAimedAtSomeoneClose(entry, facts.others, rules)) {
    return absl::OkStatus();
  }
  if (SafetyCheckInForce(facts.others, facts.today()) == nullptr) {
    return errors::FailedPrecondition(
        "SAFETY_CHECK_NEEDED",
        "It is aimed at someone close to the patient. Keep a SAFETY_CHECK first, made with the "
        "patient alone.");
  }
  if (!IsSafetyFlagged(facts.others)) return absl::OkStatus();
  const Entry& told = *NewestCheck(facts.others, /*answered=*/true);
  const absl::Time oldest =
      time::ToTime(told.create_time()) - absl::Hours(24) * rules.safety_check_valid_days();
  if (facts.safety_plan_time.value_or(absl::InfinitePast()) < oldest) {
    return errors::FailedPrecondition(
        "SAFETY_PLAN_NEEDED",
        "The safety check told of concern or danger. Write a safety plan first.");
  }
  return absl::OkStatus();
}

std::vector<v1::EntryWarning> WarningsOf(const Entry& entry, absl::Span<const Entry> entries,
                                         bool conjoint, absl::CivilDay day,
                                         const v1::EntryRules& rules) {
  std::vector<v1::EntryWarning> warnings;
  if (entry.voided()) return warnings;
  if (!conjoint) {
    const bool flagged = IsSafetyFlagged(entries);
    if (IsAimedAtSomeoneClose(entry, entries, rules)) {
      if (flagged) warnings.push_back(v1::ENTRY_WARNING_SAFETY_FLAG);
      if (SafetyCheckInForce(entries, day) == nullptr) {
        warnings.push_back(v1::ENTRY_WARNING_SAFETY_CHECK_DUE);
      }
    }
    if (flagged && IsCautioned(entry, rules)) {
      warnings.push_back(v1::ENTRY_WARNING_TECHNIQUE_CAUTION);
    }
  }
  const auto due = DueDay(entry);
  if (IsOpen(entry) && due.has_value() && *due < day) {
    warnings.push_back(v1::ENTRY_WARNING_OVERDUE);
  }
  return warnings;
}

}  // namespace rapport::notes
