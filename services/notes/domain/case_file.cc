#include "services/notes/domain/case_file.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/time/convert.h"
#include "services/notes/domain/entries.h"
#include "services/notes/domain/phases.h"

namespace rapport::notes {
namespace {

constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};

}  // namespace

absl::Time Sitting::start() const { return time::ToTime(state.start_time()); }
absl::Time Sitting::end() const { return time::ToTime(state.end_time()); }

std::vector<std::string> CaseFile::Patients() const {
  if (record.partner().empty()) return {record.patient()};
  return {record.patient(), record.partner()};
}

CaseFile FileOf(const CaseFile& file, absl::string_view patient) {
  CaseFile of = file;
  if (!file.conjoint() || patient == file.record.patient()) return of;
  of.goals.clear();
  of.formulations.clear();
  of.determinations.clear();
  of.risk_assessments.clear();
  of.safety_plan.reset();
  of.record.clear_determination();
  of.record.clear_formulation();
  of.record.clear_problem_areas();
  return of;
}

bool IsIn(const CaseFile& file, const View& view, const v1::Entry& entry) {
  if (entry.voided()) return false;
  if (!file.conjoint()) return view.with_private || !entry.private_();
  if (view.about.empty()) return !entry.private_();
  return IsInViewOf(entry, view.about) && (view.with_private || !entry.private_());
}

std::vector<const v1::Entry*> EntriesIn(const CaseFile& file, const View& view,
                                        v1::EntryKind kind) {
  std::vector<const v1::Entry*> found;
  for (const v1::Entry& entry : file.entries) {
    if (entry.kind() == kind && !entry.erased() && IsIn(file, view, entry)) {
      found.push_back(&entry);
    }
  }
  return found;
}

const v1::Entry* FindEntry(const CaseFile& file, absl::string_view name) {
  for (const v1::Entry& entry : file.entries) {
    if (entry.name() == name) return &entry;
  }
  return nullptr;
}

std::string Someone(const CaseFile& file, absl::string_view relationship) {
  const v1::Entry* entry = FindEntry(file, relationship);
  if (entry == nullptr || !entry->has_relationship()) return "someone";
  switch (entry->relationship().kind()) {
    case v1::RELATIONSHIP_KIND_PARTNER:
      return "the partner";
    case v1::RELATIONSHIP_KIND_PARENT:
      return "a parent";
    case v1::RELATIONSHIP_KIND_CHILD:
      return "a child";
    case v1::RELATIONSHIP_KIND_SIBLING:
      return "a brother or sister";
    case v1::RELATIONSHIP_KIND_OTHER_FAMILY:
      return "a relative";
    case v1::RELATIONSHIP_KIND_FRIEND:
      return "a friend";
    case v1::RELATIONSHIP_KIND_COLLEAGUE:
      return "a colleague";
    case v1::RELATIONSHIP_KIND_CARE_PROFESSIONAL:
      return "a care professional";
    case v1::RELATIONSHIP_KIND_DECEASED:
      return "someone who died";
    default:
      return "someone";
  }
}

bool WasHeld(const Sitting& sitting) { return IsHeld(sitting.state.state()); }

bool WasMissed(const Sitting& sitting) {
  return sitting.state.state() == scheduling::v1::APPOINTMENT_STATE_NO_SHOW ||
         (sitting.state.state() == scheduling::v1::APPOINTMENT_STATE_CANCELLED &&
          sitting.state.cancelled_late());
}

const Sitting* NextSitting(const CaseFile& file) {
  for (const Sitting& sitting : file.sittings) {
    const auto state = sitting.state.state();
    if (sitting.end() > file.now && (state == scheduling::v1::APPOINTMENT_STATE_BOOKED ||
                                     state == scheduling::v1::APPOINTMENT_STATE_CHECKED_IN)) {
      return &sitting;
    }
  }
  return nullptr;
}

const Sitting* FindSitting(const CaseFile& file, absl::string_view appointment) {
  for (const Sitting& sitting : file.sittings) {
    if (sitting.appointment == appointment) return &sitting;
  }
  return nullptr;
}

std::string DateText(const google::type::Date& date) {
  if (date.year() == 0) return "";
  if (date.month() < 1 || date.month() > 12) return absl::StrCat(date.year());
  const absl::string_view month = kMonths[date.month() - 1];
  if (date.day() == 0) return absl::StrCat(month, " ", date.year());
  return absl::StrCat(date.day(), " ", month, " ", date.year());
}

std::string DateText(absl::CivilDay day) { return DateText(time::ToDate(day)); }

std::optional<absl::CivilDay> EarliestDay(const google::type::Date& date) {
  if (date.year() == 0) return std::nullopt;
  return absl::CivilDay(date.year(), date.month() == 0 ? 1 : date.month(),
                        date.day() == 0 ? 1 : date.day());
}

std::string InWords(absl::string_view enum_name, absl::string_view prefix) {
  if (absl::StartsWith(enum_name, prefix)) enum_name.remove_prefix(prefix.size());
  std::string words = absl::AsciiStrToLower(absl::StrReplaceAll(enum_name, {{"_", " "}}));
  if (words == "unspecified") return "";
  if (!words.empty()) words[0] = absl::ascii_toupper(static_cast<unsigned char>(words[0]));
  return words;
}

std::string NumberText(double number) {
  if (number == std::floor(number) && std::fabs(number) < 1e9) {
    return absl::StrFormat("%d", static_cast<int64_t>(number));
  }
  return absl::StrFormat("%.4g", number);
}

}  // namespace rapport::notes
