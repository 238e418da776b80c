#include "services/notes/domain/advice.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/entries.h"

namespace rapport::notes {
namespace {

constexpr int kMostEvidence = 20;      // of one criterion
constexpr int kMostOwnEvidence = 100;  // that rests on no criterion

namespace as = assessment::v1;

struct Found {
  v1::AdviceEvidence evidence;
  absl::Time time;
};

bool SameList(v1::CodeSystem rule, v1::CodeSystem code) {
  return rule == code || (rule == v1::CODE_SYSTEM_ICD_10 && code == v1::CODE_SYSTEM_ICD_10_CM);
}

class Advisor {
 public:
  Advisor(const CaseFile& file, const v1::SuitabilityRules& rules) : file_(file), rules_(rules) {}

  v1::SuitabilityAdvice Advise() {
    advice_.set_case_(file_.record.name());
    for (const v1::SuitabilityCriterion& criterion : rules_.criteria()) {
      if (!criterion.couples_only() || file_.conjoint()) Judge(criterion);
    }
    OwnEvidence();
    advice_.set_advised_outcome(Outcome());
    AlwaysRecorded();
    Variants();
    for (const v1::AlternativeRule& alternative : rules_.alternatives()) {
      const bool applies = std::any_of(alternative.criteria().begin(), alternative.criteria().end(),
                                       [&](const std::string& id) { return Holds(id); });
      if (alternative.criteria().empty() || applies) advice_.add_alternatives(alternative.text());
    }
    for (const v1::Entry* entry : All(v1::ENTRY_KIND_ADDITIONAL_ISSUE)) {
      if (entry->additional_issue().disposition() == v1::ISSUE_DISPOSITION_UNSPECIFIED) {
        advice_.add_undisposed_issues(entry->name());
      }
    }
    for (const std::string& source : file_.unavailable_sources) {
      advice_.add_unavailable_sources(source);
    }
    const v1::SuitabilityOutcome decided = file_.record.determination().outcome();
    advice_.set_differs_from_determination(decided != v1::SUITABILITY_OUTCOME_UNSPECIFIED &&
                                           advice_.advised_outcome() !=
                                               v1::SUITABILITY_OUTCOME_UNSPECIFIED &&
                                           decided != advice_.advised_outcome());
    advice_.set_disclaimer(rules_.disclaimer());
    return std::move(advice_);
  }

 private:
  // Who treats sees all of the case.
  std::vector<const v1::Entry*> All(v1::EntryKind kind) const {
    std::vector<const v1::Entry*> found;
    for (const v1::Entry& entry : file_.entries) {
      if (entry.kind() == kind && !entry.voided() && !entry.erased()) found.push_back(&entry);
    }
    return found;
  }

  v1::AdviceEvidence ByRule(std::string source, std::string text) const {
    v1::AdviceEvidence evidence;
    evidence.set_source(std::move(source));
    evidence.set_text(std::move(text));
    evidence.set_by_rule(true);
    return evidence;
  }
  v1::AdviceEvidence ByRule(const v1::Entry& entry, std::string text) const {
    v1::AdviceEvidence evidence = ByRule(entry.name(), std::move(text));
    if (file_.conjoint() && entry.private_()) evidence.set_private_to(entry.about());
    return evidence;
  }

  void Diagnoses(const v1::SuitabilitySignal& signal, std::vector<Found>& found) const {
    for (const v1::Entry* entry : All(v1::ENTRY_KIND_DIAGNOSIS)) {
      const v1::Diagnosis& diagnosis = entry->diagnosis();
      if (diagnosis.status() == v1::DIAGNOSIS_STATUS_REFUTED) continue;
      const bool meant =
          signal.has_diagnosis()
              ? SameList(signal.diagnosis().code_system(), diagnosis.code_system()) &&
                    absl::StartsWithIgnoreCase(diagnosis.code(), signal.diagnosis().prefix())
              : diagnosis.episode() == signal.episode();
      if (meant) {
        found.push_back({ByRule(*entry, absl::StrCat(diagnosis.code(), " ", diagnosis.label())),
                         time::ToTime(entry->update_time())});
      }
    }
  }

  void Scores(const v1::ScoreSignal& signal, std::vector<Found>& found) const {
    for (const as::Progress& progress : file_.progress) {
      for (const as::InstrumentProgress& series : progress.instruments()) {
        if (names::Id(series.instrument(), "instruments") != signal.instrument()) continue;
        for (int i = series.points_size(); i-- > 0;) {
          const as::ProgressPoint& point = series.points(i);
          if (!point.complete() || !point.has_total()) continue;
          if (point.total() >= signal.at_least()) {
            found.push_back({ByRule(point.assessment(), absl::StrCat(signal.instrument(), " ",
                                                                     NumberText(point.total()))),
                             time::ToTime(point.answer_time())});
          }
          break;
        }
      }
    }
  }

  void Alerts(const v1::SuitabilitySignal& signal, std::vector<Found>& found) const {
    for (const as::Alert& alert : file_.alerts) {
      if (alert.state() == as::ALERT_STATE_RESOLVED) continue;
      const std::string& told = signal.alert_kind().empty()
                                    ? as::AlertSeverity_Name(alert.severity())
                                    : as::AlertKind_Name(alert.kind());
      const std::string& meant =
          signal.alert_kind().empty() ? signal.alert_severity() : signal.alert_kind();
      if (told == meant) {
        found.push_back({ByRule(alert.name(), told), time::ToTime(alert.create_time())});
      }
    }
  }

  void Screens(const v1::SuitabilitySignal& signal, std::vector<Found>& found) const {
    for (const v1::PartnerScreen& screen : file_.screens) {
      const bool meant = signal.partner_screen() != v1::SCREEN_RESULT_UNSPECIFIED
                             ? screen.violence() == signal.partner_screen()
                             : screen.willing() == signal.partner_willing();
      if (!meant || screen.erased()) continue;
      v1::AdviceEvidence evidence = ByRule(
          screen.name(), signal.partner_screen() != v1::SCREEN_RESULT_UNSPECIFIED
                             ? v1::ScreenResult_Name(screen.violence())
                             : absl::StrCat("willing: ", v1::Answered_Name(screen.willing())));
      evidence.set_private_to(screen.patient());
      found.push_back({std::move(evidence), time::ToTime(screen.create_time())});
    }
  }

  void Areas(const v1::SuitabilitySignal& signal, std::vector<Found>& found) const {
    const auto& areas = file_.record.problem_areas();
    const bool only = signal.only_area() != v1::PROBLEM_AREA_KIND_UNSPECIFIED;
    const v1::ProblemAreaKind meant = only ? signal.only_area() : signal.any_area();
    if (only && areas.size() != 1) return;
    for (const v1::ProblemArea& area : areas) {
      if (area.kind() != meant) continue;
      found.push_back({ByRule(file_.record.name(), v1::ProblemAreaKind_Name(meant)),
                       time::ToTime(file_.record.update_time())});
    }
  }

  void CloseOnes(const v1::CloseOnesSignal& signal, std::vector<Found>& found) const {
    std::vector<Found> close;
    for (const v1::Entry* entry : All(v1::ENTRY_KIND_RELATIONSHIP)) {
      const v1::Relationship& person = entry->relationship();
      if (person.status() == v1::RELATIONSHIP_STATUS_CURRENT && person.closeness() >= 1 &&
          person.closeness() <= signal.ring()) {
        close.push_back(
            {ByRule(*entry, absl::StrCat(person.person(), ", ring ", person.closeness())),
             time::ToTime(entry->update_time())});
      }
    }
    if (static_cast<int>(close.size()) < signal.at_least()) return;
    for (Found& one : close) found.push_back(std::move(one));
  }

  std::vector<Found> Look(const v1::SuitabilityCriterion& criterion) const {
    std::vector<Found> found;
    for (const v1::SuitabilitySignal& signal : criterion.signals()) {
      switch (signal.look_at_case()) {
        case v1::SuitabilitySignal::kDiagnosis:
        case v1::SuitabilitySignal::kEpisode:
          Diagnoses(signal, found);
          break;
        case v1::SuitabilitySignal::kScore:
          Scores(signal.score(), found);
          break;
        case v1::SuitabilitySignal::kAlertKind:
        case v1::SuitabilitySignal::kAlertSeverity:
          Alerts(signal, found);
          break;
        case v1::SuitabilitySignal::kPartnerScreen:
        case v1::SuitabilitySignal::kPartnerWilling:
          Screens(signal, found);
          break;
        case v1::SuitabilitySignal::kOnlyArea:
        case v1::SuitabilitySignal::kAnyArea:
          Areas(signal, found);
          break;
        case v1::SuitabilitySignal::kCloseOnes:
          CloseOnes(signal.close_ones(), found);
          break;
        case v1::SuitabilitySignal::kMinor:
          if (file_.course.has_majority_on() &&
              time::ToCivilDay(file_.course.majority_on()) > file_.today()) {
            found.push_back({ByRule("", "not of age"), file_.now});
          }
          break;
        case v1::SuitabilitySignal::kIssueTreatedFirst:
          for (const v1::Entry* entry : All(v1::ENTRY_KIND_ADDITIONAL_ISSUE)) {
            if (entry->additional_issue().disposition() == v1::ISSUE_DISPOSITION_TREAT_FIRST &&
                !entry->additional_issue().has_settle_date()) {
              found.push_back({ByRule(*entry, entry->additional_issue().text()),
                               time::ToTime(entry->update_time())});
            }
          }
          break;
        case v1::SuitabilitySignal::kSafetyCheck:
          if (const auto checks = All(v1::ENTRY_KIND_SAFETY_CHECK);
              !checks.empty() && checks.back()->safety_check().result() == signal.safety_check()) {
            found.push_back({ByRule(*checks.back(), v1::SafetyResult_Name(signal.safety_check())),
                             time::ToTime(checks.back()->update_time())});
          }
          break;
        case v1::SuitabilitySignal::LOOK_AT_NOT_SET:
          break;
      }
    }
    return found;
  }

  // The screens of both partners answer what a criterion asks, in the negative.
  bool ScreensRuleOut(const v1::SuitabilityCriterion& criterion) const {
    if (file_.screens.size() < 2) return false;
    for (const v1::SuitabilitySignal& signal : criterion.signals()) {
      for (const v1::PartnerScreen& screen : file_.screens) {
        const bool clear = signal.partner_screen() != v1::SCREEN_RESULT_UNSPECIFIED
                               ? screen.violence() == v1::SCREEN_RESULT_NEGATIVE
                               : signal.partner_willing() != v1::ANSWERED_UNSPECIFIED &&
                                     screen.willing() == v1::ANSWERED_YES;
        if (!clear) return false;
      }
    }
    return !criterion.signals().empty();
  }

  v1::CriterionFinding Finding(const v1::SuitabilityCriterion& criterion, const v1::Entry* judged,
                               const std::vector<Found>& found) const {
    const bool speaks_for = criterion.effect() == v1::CRITERION_EFFECT_FOR;
    const bool screened =
        std::any_of(criterion.signals().begin(), criterion.signals().end(), [](const auto& signal) {
          return signal.has_partner_screen() || signal.has_partner_willing();
        });
    if (screened && !found.empty()) return v1::CRITERION_FINDING_PRESENT;
    if (judged != nullptr &&
        judged->suitability_evidence().direction() != v1::REASON_DIRECTION_UNKNOWN) {
      const bool there =
          speaks_for == (judged->suitability_evidence().direction() == v1::REASON_DIRECTION_FOR);
      if (there) return v1::CRITERION_FINDING_PRESENT;
      const absl::Time since = time::ToTime(judged->update_time());
      const bool newer = std::any_of(found.begin(), found.end(),
                                     [&](const Found& one) { return one.time > since; });
      return newer ? v1::CRITERION_FINDING_INDICATED : v1::CRITERION_FINDING_ABSENT;
    }
    if (!found.empty()) return v1::CRITERION_FINDING_INDICATED;
    if (screened && ScreensRuleOut(criterion)) return v1::CRITERION_FINDING_ABSENT;
    return v1::CRITERION_FINDING_NOT_KNOWN;
  }

  // The course has the adaptation already.
  bool IsSettled(const v1::SuitabilityCriterion& criterion) const {
    return criterion.settled_by_variant() &&
           std::find(criterion.variants().begin(), criterion.variants().end(), Protocol()) !=
               criterion.variants().end();
  }

  static bool IsThere(v1::CriterionFinding finding) {
    return finding == v1::CRITERION_FINDING_PRESENT || finding == v1::CRITERION_FINDING_INDICATED;
  }

  v1::ReasonDirection Direction(const v1::SuitabilityCriterion& criterion,
                                v1::CriterionFinding finding) const {
    const bool for_it = criterion.effect() == v1::CRITERION_EFFECT_FOR || IsSettled(criterion);
    switch (criterion.effect()) {
      case v1::CRITERION_EFFECT_TRIAL_EXCLUSION:
      case v1::CRITERION_EFFECT_SHOW_BOTH:
        return v1::REASON_DIRECTION_UNSPECIFIED;
      default:
        break;
    }
    if (finding == v1::CRITERION_FINDING_NOT_KNOWN) return v1::REASON_DIRECTION_UNKNOWN;
    if (IsThere(finding)) return for_it ? v1::REASON_DIRECTION_FOR : v1::REASON_DIRECTION_AGAINST;
    return criterion.effect() == v1::CRITERION_EFFECT_FOR ? v1::REASON_DIRECTION_AGAINST
                                                          : v1::REASON_DIRECTION_UNSPECIFIED;
  }

  void Judge(const v1::SuitabilityCriterion& criterion) {
    v1::AdviceItem item;
    const v1::Entry* judged = nullptr;
    for (const v1::Entry* entry : All(v1::ENTRY_KIND_SUITABILITY_EVIDENCE)) {
      if (entry->suitability_evidence().criterion() != criterion.id()) continue;
      if (judged == nullptr ||
          time::ToTime(entry->update_time()) >= time::ToTime(judged->update_time())) {
        judged = entry;
      }
      if (item.evidence_size() < kMostEvidence) AddEvidence(*entry, item);
    }
    std::vector<Found> found = Look(criterion);
    const v1::CriterionFinding finding = Finding(criterion, judged, found);
    findings_[criterion.id()] = finding;
    for (Found& one : found) {
      if (item.evidence_size() == kMostEvidence) break;
      one.evidence.set_direction(Direction(criterion, v1::CRITERION_FINDING_INDICATED));
      *item.add_evidence() = std::move(one.evidence);
    }
    const bool not_known = finding == v1::CRITERION_FINDING_NOT_KNOWN;
    if (not_known && criterion.ask().empty() && item.evidence().empty()) return;
    item.set_criterion(criterion.id());
    item.set_effect(criterion.effect());
    item.set_finding(finding);
    item.set_direction(Direction(criterion, finding));
    item.set_text(criterion.text());
    item.set_advice(not_known && !criterion.ask().empty() ? criterion.ask() : criterion.advice());
    item.set_source(criterion.source());
    item.set_confidence(criterion.confidence());
    *advice_.add_items() = std::move(item);
  }

  void AddEvidence(const v1::Entry& entry, v1::AdviceItem& item) const {
    const v1::SuitabilityEvidence& told = entry.suitability_evidence();
    v1::AdviceEvidence& evidence = *item.add_evidence();
    evidence.set_source(entry.name());
    evidence.set_text(told.text());
    evidence.set_direction(told.direction());
    if (file_.conjoint() && entry.private_()) evidence.set_private_to(entry.about());
  }

  // What a clinician found besides the rules' criteria.
  void OwnEvidence() {
    int told = 0;
    for (const v1::Entry* entry : All(v1::ENTRY_KIND_SUITABILITY_EVIDENCE)) {
      const v1::SuitabilityEvidence& evidence = entry->suitability_evidence();
      if (findings_.contains(evidence.criterion()) || told++ == kMostOwnEvidence) continue;
      v1::AdviceItem& item = *advice_.add_items();
      item.set_finding(evidence.direction() == v1::REASON_DIRECTION_UNKNOWN
                           ? v1::CRITERION_FINDING_NOT_KNOWN
                           : v1::CRITERION_FINDING_PRESENT);
      item.set_direction(evidence.direction());
      AddEvidence(*entry, item);
    }
  }

  bool Holds(const std::string& id) const {
    const auto found = findings_.find(id);
    return found != findings_.end() && IsThere(found->second);
  }

  v1::SuitabilityOutcome Outcome() const {
    bool not_conjoint = false, lacks = false, open = false, adapt = false;
    for (const v1::SuitabilityCriterion& criterion : rules_.criteria()) {
      const auto known = findings_.find(criterion.id());
      if (known == findings_.end()) continue;
      const v1::CriterionFinding finding = known->second;
      if (IsThere(finding)) {
        switch (criterion.effect()) {
          case v1::CRITERION_EFFECT_OTHER_CARE_FIRST:
            return v1::SUITABILITY_OUTCOME_OTHER_CARE_FIRST;
          case v1::CRITERION_EFFECT_NOT_CONJOINT:
            not_conjoint = true;
            break;
          case v1::CRITERION_EFFECT_ADAPT_OR_COMBINE:
            adapt = adapt || !IsSettled(criterion);
            break;
          default:
            break;
        }
      } else if (criterion.decides()) {
        open = open || finding == v1::CRITERION_FINDING_NOT_KNOWN;
        lacks = lacks || (finding == v1::CRITERION_FINDING_ABSENT &&
                          criterion.effect() == v1::CRITERION_EFFECT_FOR);
      }
    }
    if (not_conjoint || lacks) return v1::SUITABILITY_OUTCOME_NOT_SUITABLE;
    if (open || !file_.unavailable_sources.empty()) return v1::SUITABILITY_OUTCOME_UNSPECIFIED;
    return adapt ? v1::SUITABILITY_OUTCOME_ADAPT_OR_COMBINE : v1::SUITABILITY_OUTCOME_SUITABLE;
  }

  void AlwaysRecorded() {
    const v1::Determination& determination = file_.record.determination();
    const auto* reflection = v1::Determination::GetReflection();
    for (const v1::AlwaysRecorded& always : rules_.always_recorded()) {
      v1::AlwaysRecorded& told = *advice_.add_always_recorded();
      told = always;
      const auto* field = v1::Determination::descriptor()->FindFieldByName(always.field());
      told.set_recorded(field != nullptr && !field->is_repeated() &&
                        (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING
                             ? !reflection->GetString(determination, field).empty()
                             : reflection->GetEnumValue(determination, field) != 0));
    }
  }

  std::string Protocol() const {
    return std::string(names::Id(file_.course.protocol(), "protocols"));
  }

  void Variants() {
    const std::string current = Protocol();
    bool current_told = false;
    for (const v1::SuitabilityCriterion& criterion : rules_.criteria()) {
      if (!Holds(criterion.id())) continue;
      for (const std::string& protocol : criterion.variants()) {
        const auto known =
            std::find_if(advice_.mutable_variants()->begin(), advice_.mutable_variants()->end(),
                         [&](const auto& one) { return one.protocol() == protocol; });
        if (known != advice_.mutable_variants()->end()) {
          known->add_criteria(criterion.id());
          continue;
        }
        v1::SuggestedVariant& variant = *advice_.add_variants();
        variant.set_protocol(protocol);
        variant.set_reason(criterion.advice());
        variant.add_criteria(criterion.id());
        variant.set_current(protocol == current);
        current_told = current_told || variant.current();
      }
    }
    const bool none = advice_.variants().empty();
    if (!current_told && !current.empty()) {
      v1::SuggestedVariant& variant = *advice_.add_variants();
      variant.set_protocol(current);
      variant.set_reason("The course's own protocol.");
      variant.set_current(true);
    }
    const std::string& usual =
        file_.conjoint() ? rules_.usual_conjoint_protocol() : rules_.usual_protocol();
    if (none && usual != current) {
      v1::SuggestedVariant& variant = *advice_.add_variants();
      variant.set_protocol(usual);
      variant.set_reason("The usual protocol.");
    }
  }

  const CaseFile& file_;
  const v1::SuitabilityRules& rules_;
  v1::SuitabilityAdvice advice_;
  std::map<std::string, v1::CriterionFinding> findings_;
};

}  // namespace

v1::SuitabilityAdvice AdviseOnSuitability(const CaseFile& file, const v1::SuitabilityRules& rules) {
  return Advisor(file, rules).Advise();
}

}  // namespace rapport::notes
