#include "services/notes/data/entries/entry_rule_checks.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"

namespace rapport::notes {

std::vector<std::string> EntryRuleFaults(const v1::EntryRules& rules) {
  using google::protobuf::FieldDescriptor;
  std::vector<std::string> faults;
  std::map<std::string, int> cited;
  for (const v1::EntryRuleCitation& citation : rules.citations()) {
    for (const std::string& field : citation.fields()) ++cited[field];
    if (citation.source().empty()) faults.push_back("a citation has no source");
    if (citation.confidence() == v1::RULE_CONFIDENCE_UNSPECIFIED) {
      faults.push_back(absl::StrCat(citation.source(), ": has no confidence"));
    }
  }
  const google::protobuf::Descriptor& type = *v1::EntryRules::descriptor();
  const google::protobuf::Reflection& reflection = *rules.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.name() == "citations") continue;
    const bool given = field.is_repeated() ? reflection.FieldSize(rules, &field) > 0
                                           : reflection.GetInt32(rules, &field) > 0;
    if (!given) faults.push_back(absl::StrCat(field.name(), ": is missing or not positive"));
    if (cited[field.name()] != 1) {
      faults.push_back(
          absl::StrCat(field.name(), ": is cited ", cited[field.name()], " times, not once"));
    }
  }
  for (const auto& [field, times] : cited) {
    if (type.FindFieldByName(field) == nullptr) {
      faults.push_back(absl::StrCat(field, ": is cited, and there is no such field"));
    }
  }
  std::set<std::string> tasks;
  for (const v1::TerminationTaskRule& task : rules.termination_tasks()) {
    if (task.id().empty() || task.label().empty() || !tasks.insert(task.id()).second) {
      faults.push_back(
          absl::StrCat("termination_tasks: '", task.id(), "' is empty, twice or without label"));
    }
  }
  std::set<int> worded;
  for (const v1::WarningWording& wording : rules.warnings()) {
    if (!wording.text().empty()) worded.insert(wording.warning());
  }
  for (int warning = 1; warning <= v1::EntryWarning_MAX; ++warning) {
    if (v1::EntryWarning_IsValid(warning) && !worded.contains(warning)) {
      faults.push_back(absl::StrCat("warnings: no words for ",
                                    v1::EntryWarning_Name(static_cast<v1::EntryWarning>(warning))));
    }
  }
  return faults;
}

}  // namespace rapport::notes
