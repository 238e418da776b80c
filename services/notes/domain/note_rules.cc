#include "services/notes/domain/note_rules.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

using Violations = std::vector<errors::FieldViolation>;

bool IsBelow(absl::string_view name, absl::string_view case_name) {
  return absl::ConsumePrefix(&name, case_name) && absl::ConsumePrefix(&name, "/");
}

// A year alone, a year and month, or a day that exists.
bool IsPartialDate(const google::type::Date& date) {
  if (date.year() < 1 || date.year() > 9999) return false;
  if (date.month() == 0) return date.day() == 0;
  if (date.day() == 0) return date.month() >= 1 && date.month() <= 12;
  return time::CheckDate(date, "").ok();
}

void Add(std::vector<v1::NoteWarning>& warnings, v1::NoteWarningCode code, absl::string_view field,
         absl::string_view patient = "") {
  v1::NoteWarning& warning = warnings.emplace_back();
  warning.set_code(code);
  warning.set_field(std::string(field));
  warning.set_patient(std::string(patient));
}

bool OverCeiling(const v1::NoteContent& content, int percent) {
  int history = 0, all = 0;
  for (const v1::Minutes& each : content.minutes()) {
    all += each.minutes();
    if (each.use() == v1::TIME_USE_HISTORY) history += each.minutes();
  }
  return percent > 0 && history * 100 > percent * all;
}

// Sentences and lines, without blanks around.
std::vector<std::string> Sentences(absl::string_view text) {
  std::vector<std::string> sentences;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && absl::string_view(".!?\n").find(text[i]) == absl::string_view::npos) {
      continue;
    }
    const absl::string_view one = absl::StripAsciiWhitespace(text.substr(begin, i - begin));
    if (!one.empty()) sentences.emplace_back(one);
    begin = i + 1;
  }
  return sentences;
}

}  // namespace

absl::Status CheckContent(const v1::NoteContent& content, absl::string_view case_name,
                          absl::string_view prefix) {
  Violations wrong;
  std::set<v1::TimeUse> uses;
  for (int i = 0; i < content.minutes_size(); ++i) {
    if (!uses.insert(content.minutes(i).use()).second) {
      wrong.push_back({absl::StrCat(prefix, ".minutes[", i, "].use"), "must come once"});
    }
  }
  for (int i = 0; i < content.goals_size(); ++i) {
    if (!IsBelow(content.goals(i), case_name)) {
      wrong.push_back({absl::StrCat(prefix, ".goals[", i, "]"), "must be a goal of this case"});
    }
  }
  for (int i = 0; i < content.links_size(); ++i) {
    const v1::SymptomEventLink& link = content.links(i);
    const std::string path = absl::StrCat(prefix, ".links[", i, "]");
    if (!link.has_date() || !IsPartialDate(link.date())) {
      wrong.push_back({path + ".date", "must be a day, a month with day 0, or a year with both 0"});
    }
    if (!link.relationship().empty() && !IsBelow(link.relationship(), case_name)) {
      wrong.push_back({path + ".relationship", "must be an entry of this case"});
    }
  }
  if (content.no_link_found() && content.links_size() > 0) {
    wrong.push_back(
        {absl::StrCat(prefix, ".no_link_found"), "must be false where links are given"});
  }
  if (!wrong.empty()) return errors::InvalidArgument(std::move(wrong));
  return absl::OkStatus();
}

absl::StatusOr<NoteScope> ScopeOf(const v1::Case& of, v1::NoteKind kind, absl::string_view about,
                                  absl::string_view private_with) {
  NoteScope scope;
  if (of.partner().empty()) {
    if (kind == v1::NOTE_KIND_JOINT || kind == v1::NOTE_KIND_PRIVATE) {
      return errors::InvalidArgument("kind", "must be INDIVIDUAL: the case is of one patient");
    }
    if (!about.empty() && about != of.patient()) {
      return errors::InvalidArgument("about", "must be empty or the patient of the case");
    }
    scope.subjects = {of.patient()};
    return scope;
  }
  if (kind == v1::NOTE_KIND_INDIVIDUAL) {
    return errors::InvalidArgument("kind", "must be JOINT or PRIVATE: the case is of a couple");
  }
  const bool alone = !private_with.empty();
  scope.kind = kind != v1::NOTE_KIND_UNSPECIFIED ? kind
               : alone || !about.empty()         ? v1::NOTE_KIND_PRIVATE
                                                 : v1::NOTE_KIND_JOINT;
  if (scope.kind == v1::NOTE_KIND_JOINT) {
    if (alone) return errors::InvalidArgument("kind", "must be PRIVATE: the session was private");
    if (!about.empty()) return errors::InvalidArgument("about", "must be empty for a JOINT note");
    scope.subjects = {of.patient(), of.partner()};
    return scope;
  }
  scope.about = std::string(about.empty() ? private_with : about);
  if (scope.about != of.patient() && scope.about != of.partner()) {
    return errors::InvalidArgument("about", "must be one of the couple");
  }
  if (alone && scope.about != private_with) {
    return errors::InvalidArgument("about", "must be the partner whose private session it was");
  }
  scope.subjects = {scope.about};
  return scope;
}

std::vector<v1::NoteWarning> WarningsOf(const v1::Note& note, const v1::NoteTemplate& note_template,
                                        const WarningFacts& facts) {
  std::vector<v1::NoteWarning> warnings;
  if (OverCeiling(note.content(), facts.history_percent)) {
    Add(warnings, v1::NOTE_WARNING_CODE_HISTORY_OVER_CEILING, "content.minutes");
  }
  const bool past_initial = note.phase() != v1::NOTE_PHASE_INITIAL;
  if (note.kind() == v1::NOTE_KIND_JOINT && past_initial) {
    for (const std::string& patient : facts.without_strategy) {
      Add(warnings, v1::NOTE_WARNING_CODE_STRATEGY_MISSING, "", patient);
    }
  }
  const v1::Formulation& formulation = facts.of->formulation();
  const bool agreed = formulation.agreement() == v1::AGREEMENT_AGREED ||
                      formulation.agreement() == v1::AGREEMENT_MODIFIED;
  if (facts.of->has_formulation() && !agreed && past_initial && !facts.of->erased()) {
    Add(warnings, v1::NOTE_WARNING_CODE_PLAN_NOT_AGREED, "");
  }
  if (!facts.of->has_formulation() && facts.of->formulation_due_session() > 0 &&
      note.session_number() > facts.of->formulation_due_session()) {
    Add(warnings, v1::NOTE_WARNING_CODE_FORMULATION_OVERDUE, "");
  }
  if (facts.cosign_required && !facts.has_supervisor) {
    Add(warnings, v1::NOTE_WARNING_CODE_NO_SUPERVISOR, "");
  }
  if (facts.draft_copies > 0) Add(warnings, v1::NOTE_WARNING_CODE_UNMERGED_COPY, "content");
  if (note.version() == 1 && time::ToTime(note.due_time()) < facts.now) {
    Add(warnings, v1::NOTE_WARNING_CODE_LATE, "");
  }
  for (v1::NoteWarning& warning : warnings) {
    const auto& blocking = note_template.blocking();
    warning.set_blocks(std::find(blocking.begin(), blocking.end(), warning.code()) !=
                       blocking.end());
  }
  return warnings;
}

int CopiedPercent(const v1::NoteContent& content, const v1::NotePrefill& prefill) {
  std::set<std::string> known;
  const auto know = [&](absl::string_view text) {
    for (std::string& sentence : Sentences(text)) known.insert(std::move(sentence));
  };
  know(prefill.last_plan());
  for (const v1::PrefilledGoal& goal : prefill.goals()) know(goal.text());
  for (const v1::PrefilledAction& action : prefill.actions()) know(action.text());
  size_t all = 0, copied = 0;
  for (const std::string* text :
       {&content.symptom_event_link(), &content.tried(), &content.plan(), &content.narrative()}) {
    for (const std::string& sentence : Sentences(*text)) {
      all += sentence.size();
      if (known.contains(sentence)) copied += sentence.size();
    }
  }
  return all == 0 ? 0 : static_cast<int>(100 * copied / all);
}

v1::NoteContent ForMember(const v1::NoteContent& shared, const v1::NoteContent& own) {
  v1::NoteContent content = shared;
  content.MergeFrom(own);
  const google::protobuf::Reflection& reflection = *content.GetReflection();
  const google::protobuf::Descriptor& type = *v1::NoteContent::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    if (field.is_repeated() ||
        field.cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      continue;
    }
    const std::string first = reflection.GetString(shared, &field);
    const std::string second = reflection.GetString(own, &field);
    if (!first.empty() && !second.empty()) {
      reflection.SetString(&content, &field, absl::StrCat(first, "\n\n", second));
    }
  }
  // What is told of the member replaces minutes of the same kind.
  content.clear_minutes();
  std::set<v1::TimeUse> told;
  for (const v1::Minutes& each : own.minutes()) {
    told.insert(each.use());
    *content.add_minutes() = each;
  }
  for (const v1::Minutes& each : shared.minutes()) {
    if (!told.contains(each.use())) *content.add_minutes() = each;
  }
  if (content.links_size() > 0) content.clear_no_link_found();
  return content;
}

}  // namespace rapport::notes
