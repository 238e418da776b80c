#include "services/notes/data/suitability/review_data_checks.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "rapport/notes/v1/case.pb.h"

namespace rapport::notes {

std::vector<std::string> SuitabilityFaults(const v1::SuitabilityRules& rules) {
  std::vector<std::string> faults;
  std::set<std::string> ids;
  const auto expect = [&](bool holds, const std::string& id, const char* what) {
    if (!holds) faults.push_back(absl::StrCat(id.empty() ? "suitability" : id, ": ", what));
  };
  for (const v1::SuitabilityCriterion& criterion : rules.criteria()) {
    const std::string& id = criterion.id();
    expect(!id.empty(), id, "a criterion has no id");
    expect(ids.insert(id).second, id, "the id is used twice");
    expect(criterion.effect() != v1::CRITERION_EFFECT_UNSPECIFIED, id, "has no effect");
    expect(!criterion.text().empty(), id, "has no text");
    expect(!criterion.advice().empty(), id, "has no advice");
    expect(!criterion.source().empty(), id, "has no source");
    expect(criterion.confidence() != v1::RULE_CONFIDENCE_UNSPECIFIED, id, "has no confidence");
    expect(!criterion.decides() || !criterion.ask().empty(), id,
           "decides, and does not say what to ask");
    expect(!criterion.settled_by_variant() ||
               (criterion.effect() == v1::CRITERION_EFFECT_ADAPT_OR_COMBINE &&
                !criterion.variants().empty()),
           id, "is settled by a variant that it does not name");
    for (const v1::SuitabilitySignal& signal : criterion.signals()) {
      expect(signal.look_at_case() != v1::SuitabilitySignal::LOOK_AT_NOT_SET, id,
             "a signal looks at nothing");
      if (signal.has_diagnosis()) {
        expect(!signal.diagnosis().prefix().empty() &&
                   signal.diagnosis().code_system() != v1::CODE_SYSTEM_UNSPECIFIED,
               id, "a diagnosis lacks its list or prefix");
      }
      if (signal.has_score()) {
        expect(!signal.score().instrument().empty() && signal.score().at_least() > 0, id,
               "a score lacks its instrument or threshold");
      }
      if (signal.has_close_ones()) {
        expect(signal.close_ones().ring() >= 1 && signal.close_ones().ring() <= 4 &&
                   signal.close_ones().at_least() >= 1,
               id, "people are close on rings 1 to 4");
      }
    }
  }
  for (const v1::AlwaysRecorded& always : rules.always_recorded()) {
    const auto* field = v1::Determination::descriptor()->FindFieldByName(always.field());
    using Field = google::protobuf::FieldDescriptor;
    expect(field != nullptr && !field->is_repeated() &&
               (field->cpp_type() == Field::CPPTYPE_STRING ||
                field->cpp_type() == Field::CPPTYPE_ENUM),
           always.field(), "Determination has no such text or choice");
    expect(!always.text().empty(), always.field(), "asks nothing");
  }
  for (const v1::AlternativeRule& alternative : rules.alternatives()) {
    expect(!alternative.text().empty() && !alternative.source().empty() &&
               alternative.confidence() != v1::RULE_CONFIDENCE_UNSPECIFIED,
           "", "an alternative lacks text, source or confidence");
    for (const std::string& id : alternative.criteria()) {
      expect(ids.contains(id), id, "an alternative rests on no such criterion");
    }
  }
  expect(!rules.criteria().empty(), "", "has no criteria");
  expect(!rules.always_recorded().empty(), "", "has nothing that is always recorded");
  expect(!rules.disclaimer().empty(), "", "has no disclaimer");
  expect(!rules.usual_protocol().empty() && !rules.usual_conjoint_protocol().empty(), "",
         "has no usual protocols");
  return faults;
}

std::vector<std::string> ReviewFaults(const v1::ReviewRules& rules) {
  std::vector<std::string> faults;
  std::set<std::string> cited;
  for (const v1::EntryRuleCitation& citation : rules.citations()) {
    cited.insert(citation.fields().begin(), citation.fields().end());
    if (citation.source().empty() || citation.confidence() == v1::RULE_CONFIDENCE_UNSPECIFIED) {
      faults.push_back("review: a citation lacks source or confidence");
    }
  }
  const auto* type = v1::ReviewRules::descriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    if (field->name() == "citations") continue;
    const auto* reflection = v1::ReviewRules::GetReflection();
    const bool above_zero = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE
                                ? reflection->GetDouble(rules, field) > 0
                                : reflection->GetInt32(rules, field) > 0;
    if (!above_zero) faults.push_back(absl::StrCat("review: ", field->name(), " is not above 0"));
    if (!cited.contains(field->name())) {
      faults.push_back(absl::StrCat("review: ", field->name(), " has no citation"));
    }
  }
  return faults;
}

std::vector<std::string> WordingFaults(const v1::ExportWording& wording) {
  std::vector<std::string> faults;
  const auto* type = v1::ExportWording::descriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (v1::ExportWording::GetReflection()->GetString(wording, type->field(i)).empty()) {
      faults.push_back(absl::StrCat("wording: ", type->field(i)->name(), " is missing"));
    }
  }
  return faults;
}

}  // namespace rapport::notes
