#include "services/notes/data/fidelity/fidelity_checks.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

namespace rapport::notes {
namespace {

using Faults = std::vector<std::string>;

bool IsPercent(int value) { return value >= 0 && value <= 100; }

template <class Citations>
std::set<std::string> Cited(const Citations& citations, absl::string_view of, Faults& faults) {
  std::set<std::string> fields;
  for (const auto& citation : citations) {
    if (citation.source().empty()) faults.push_back(absl::StrCat(of, "a citation has no source"));
    if (citation.confidence() == v1::RULE_CONFIDENCE_UNSPECIFIED) {
      faults.push_back(absl::StrCat(of, "a citation does not say how sure it is"));
    }
    if (citation.fields().empty()) faults.push_back(absl::StrCat(of, "a citation of no field"));
    fields.insert(citation.fields().begin(), citation.fields().end());
  }
  return fields;
}

}  // namespace

std::vector<std::string> FidelityRuleFaults(const v1::FidelityRules& rules) {
  Faults faults;
  const auto expect = [&](bool holds, absl::string_view fault) {
    if (!holds) faults.emplace_back(fault);
  };
  const std::set<std::string> cited = Cited(rules.citations(), "", faults);
  expect(!rules.revision().empty(), "there is no revision");
  expect(!rules.criteria().empty(), "there are no criteria");

  std::set<std::string> ids;
  std::set<int> measures;
  for (const v1::FidelityCriterion& criterion : rules.criteria()) {
    const std::string of = absl::StrCat("criterion \"", criterion.id(), "\": ");
    expect(!criterion.id().empty() && ids.insert(criterion.id()).second,
           absl::StrCat(of, "its id is empty or not its own"));
    expect(!criterion.label().empty(), absl::StrCat(of, "it has no label"));
    expect(criterion.measure() != v1::FIDELITY_MEASURE_UNSPECIFIED,
           absl::StrCat(of, "it has no measure"));
    expect(criterion.measure() == v1::FIDELITY_MEASURE_RATED ||
               measures.insert(criterion.measure()).second,
           absl::StrCat(of, "another has its measure"));
    expect(criterion.weight() >= 1, absl::StrCat(of, "its weight is below 1"));
    expect(cited.count(absl::StrCat("criteria.", criterion.id())) == 1,
           absl::StrCat(of, "nothing says where it is from"));
  }

  expect(rules.partly_percent() > 0 && rules.partly_percent() <= rules.met_percent() &&
             rules.met_percent() <= 100,
         "partly_percent and met_percent are no percentages in this order");
  expect(IsPercent(rules.history_tolerance_percent()), "history_tolerance_percent");
  std::set<int> phases;
  for (const v1::HistoryCeiling& ceiling : rules.history_ceilings()) {
    expect(ceiling.phase() != v1::NOTE_PHASE_UNSPECIFIED && phases.insert(ceiling.phase()).second,
           "a history ceiling has no phase, or another's");
    expect(IsPercent(ceiling.percent()), "a history ceiling is no percentage");
  }
  std::set<int> areas;
  for (const v1::AreaTechniques& area : rules.area_techniques()) {
    expect(areas.insert(area.area()).second, "a problem area has its techniques twice");
    expect(!area.techniques().empty(), "a problem area has no techniques");
  }
  for (int kind = v1::ProblemAreaKind_MIN; kind <= v1::ProblemAreaKind_MAX; ++kind) {
    if (kind != v1::PROBLEM_AREA_KIND_UNSPECIFIED && v1::ProblemAreaKind_IsValid(kind)) {
      expect(areas.count(kind) == 1,
             absl::StrCat(v1::ProblemAreaKind_Name(static_cast<v1::ProblemAreaKind>(kind)),
                          " has no techniques"));
    }
  }
  std::set<std::string> tasks;
  for (const v1::TaskEvidence& evidence : rules.task_evidence()) {
    expect(!evidence.task().empty() && tasks.insert(evidence.task()).second,
           absl::StrCat("evidence for task \"", evidence.task(), "\" is empty or there twice"));
    expect(!evidence.entries().empty() || !evidence.facts().empty() || !evidence.criteria().empty(),
           absl::StrCat("evidence for task \"", evidence.task(), "\" names nothing"));
    for (const std::string& criterion : evidence.criteria()) {
      expect(ids.count(criterion) == 1,
             absl::StrCat("evidence for task \"", evidence.task(), "\" names no criterion"));
    }
  }
  for (const char* field :
       {"history_ceilings", "history_tolerance_percent", "area_techniques", "general_techniques",
        "met_percent", "partly_percent", "criteria.weight", "task_evidence"}) {
    expect(cited.count(field) == 1, absl::StrCat(field, ": nothing says where it is from"));
  }
  return faults;
}

std::vector<std::string> SupervisionRuleFaults(const v1::SupervisionRules& rules) {
  Faults faults;
  const auto expect = [&](bool holds, absl::string_view fault) {
    if (!holds) faults.emplace_back(fault);
  };
  const std::set<std::string> cited = Cited(rules.citations(), "", faults);
  expect(cited.count("need_weights") == 1, "need_weights: nothing says where they are from");
  expect(cited.count("recording_retention_max_days") == 1,
         "recording_retention_max_days: nothing says where it is from");
  expect(rules.recording_retention_max_days() > 0, "recordings may be kept for no day");

  std::set<int> weighed;
  for (const v1::NeedWeight& need : rules.need_weights()) {
    expect(weighed.insert(need.kind()).second, "a need is weighed twice");
    expect(need.weight() >= 1, "a weight is below 1");
  }
  for (int kind = v1::CaseNeedKind_MIN; kind <= v1::CaseNeedKind_MAX; ++kind) {
    if (kind != v1::CASE_NEED_KIND_UNSPECIFIED && v1::CaseNeedKind_IsValid(kind)) {
      expect(weighed.count(kind) == 1,
             absl::StrCat(v1::CaseNeedKind_Name(static_cast<v1::CaseNeedKind>(kind)),
                          " has no weight"));
    }
  }

  std::set<std::string> ids;
  for (const v1::TrainingRequirements& programme : rules.requirements()) {
    const std::string of = absl::StrCat("requirements \"", programme.id(), "\": ");
    expect(!programme.id().empty() && ids.insert(programme.id()).second,
           absl::StrCat(of, "the id is empty or not their own"));
    expect(!programme.display_name().empty(), absl::StrCat(of, "they have no name"));
    expect(programme.cases() >= 1, absl::StrCat(of, "they ask for no case"));
    expect(programme.supervised_sessions() <= programme.of_sessions(),
           absl::StrCat(of, "they ask for more supervised sessions than held ones"));
    const std::set<std::string> sources = Cited(programme.citations(), of, faults);
    const google::protobuf::Reflection& reflection = *programme.GetReflection();
    std::vector<const google::protobuf::FieldDescriptor*> set;
    reflection.ListFields(programme, &set);
    for (const google::protobuf::FieldDescriptor* field : set) {
      if (field->name() == "id" || field->name() == "display_name" ||
          field->name() == "citations") {
        continue;
      }
      expect(sources.count(field->name()) == 1,
             absl::StrCat(of, field->name(), ": nothing says where it is from"));
    }
  }
  return faults;
}

}  // namespace rapport::notes
