#include "services/notes/domain/couple_rules.h"

#include <algorithm>

#include "services/notes/domain/entries.h"

namespace rapport::notes {
namespace {

bool IsOfOne(v1::EntryKind kind) {
  switch (kind) {
    case v1::ENTRY_KIND_DIAGNOSIS:
    case v1::ENTRY_KIND_RELATIONSHIP:
    case v1::ENTRY_KIND_PAST_INFLUENCE:
    case v1::ENTRY_KIND_HOPE:
    case v1::ENTRY_KIND_GRIEF:
    case v1::ENTRY_KIND_SICK_ROLE:
    case v1::ENTRY_KIND_SOCIAL_CONTACT_WEEK:
    case v1::ENTRY_KIND_TREATMENT_EVENT:
    case v1::ENTRY_KIND_EXPECTATION:
    case v1::ENTRY_KIND_PRE_MEETING:
      return true;
    default:
      return false;
  }
}

bool IsSaidAlone(v1::EntryKind kind) {
  return kind == v1::ENTRY_KIND_SAFETY_CHECK || kind == v1::ENTRY_KIND_PRE_MEETING ||
         kind == v1::ENTRY_KIND_REVIEW_WISH;
}

}  // namespace

void CheckWhose(const v1::Entry& entry, const EntryFacts& facts,
                std::vector<errors::FieldViolation>& violations) {
  const v1::EntryKind kind = KindOf(entry);
  const bool couples_rules = kind == v1::ENTRY_KIND_COUPLE_AGREEMENT;
  if (!entry.about().empty() && entry.about() != facts.patient && entry.about() != facts.partner) {
    violations.push_back({"entry.about", "must be a patient of the case"});
  } else if (entry.about().empty() && IsOfOne(kind)) {
    violations.push_back({"entry.about", "is needed: whose of the two it is"});
  } else if (!entry.about().empty() && couples_rules) {
    violations.push_back({"entry.about", "must be empty: the ground rules are of both"});
  }
  if (!entry.private_() && IsSaidAlone(kind)) {
    violations.push_back({"entry.private", "must be true: it was said alone"});
  } else if (entry.private_() && couples_rules) {
    violations.push_back({"entry.private", "must be false: the ground rules are open to both"});
  }
}

absl::Status CheckCaseKind(const v1::Entry& entry, bool conjoint) {
  switch (KindOf(entry)) {
    case v1::ENTRY_KIND_EXPECTATION:
    case v1::ENTRY_KIND_STRATEGY:
    case v1::ENTRY_KIND_COUPLE_AGREEMENT:
    case v1::ENTRY_KIND_PRE_MEETING:
    case v1::ENTRY_KIND_REVIEW_WISH:
      if (conjoint) return absl::OkStatus();
      return errors::FailedPrecondition("NOT_CONJOINT", "The course is not of a couple.");
    case v1::ENTRY_KIND_SAFETY_CHECK:
      if (!conjoint) return absl::OkStatus();
      return errors::FailedPrecondition(
          "NOT_INDIVIDUAL", "Of a couple each partner is screened alone: RecordPartnerScreen.");
    default:
      return absl::OkStatus();
  }
}

bool MayName(const v1::Entry& entry, const v1::Entry& other) {
  return !other.private_() || (entry.private_() && entry.about() == other.about());
}

std::vector<std::string> PartnersWithoutStrategy(absl::Span<const v1::Entry> entries,
                                                 absl::Span<const std::string> partners) {
  std::vector<std::string> without;
  for (const std::string& partner : partners) {
    const bool has = std::any_of(entries.begin(), entries.end(), [&](const v1::Entry& entry) {
      return entry.has_strategy() && IsOpen(entry) &&
             (entry.about().empty() || entry.about() == partner);
    });
    if (!has) without.push_back(partner);
  }
  return without;
}

}  // namespace rapport::notes
