#include "services/notes/domain/fidelity.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

using v1::FIDELITY_BASIS_CASE;
using v1::FIDELITY_BASIS_ENTRY;
using v1::FIDELITY_BASIS_NOTE;
using v1::FIDELITY_BASIS_NOTES;
using v1::FIDELITY_RESULT_MET;
using v1::FIDELITY_RESULT_NOT_APPLICABLE;
using v1::FIDELITY_RESULT_NOT_MET;
using v1::FIDELITY_RESULT_PARTLY;
using v1::FIDELITY_RESULT_UNKNOWN;

template <class Range, class Value>
bool Has(const Range& range, const Value& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

bool IsKnown(v1::FidelityResult result) {
  return result == FIDELITY_RESULT_MET || result == FIDELITY_RESULT_PARTLY ||
         result == FIDELITY_RESULT_NOT_MET;
}

// A weighted mean of what is known.
class Score {
 public:
  void Add(v1::FidelityResult result, int weight) {
    if (!IsKnown(result)) return;
    known_ += 2 * weight;
    met_ += weight * (result == FIDELITY_RESULT_MET ? 2 : result == FIDELITY_RESULT_PARTLY ? 1 : 0);
  }
  std::optional<int> percent() const {
    if (known_ == 0) return std::nullopt;
    return (met_ * 200 + known_) / (2 * known_);
  }

 private:
  int known_ = 0;
  int met_ = 0;
};

v1::FidelityResult ByThresholds(const v1::FidelityRules& rules, const Score& score) {
  const std::optional<int> percent = score.percent();
  if (!percent) return FIDELITY_RESULT_UNKNOWN;
  if (*percent >= rules.met_percent()) return FIDELITY_RESULT_MET;
  return *percent >= rules.partly_percent() ? FIDELITY_RESULT_PARTLY : FIDELITY_RESULT_NOT_MET;
}

v1::NotePhase PhaseOf(scheduling::v1::Phase phase) {
  switch (phase) {
    case scheduling::v1::PHASE_INITIAL:
      return v1::NOTE_PHASE_INITIAL;
    case scheduling::v1::PHASE_TERMINATION:
      return v1::NOTE_PHASE_TERMINATION;
    case scheduling::v1::PHASE_MAINTENANCE:
      return v1::NOTE_PHASE_MAINTENANCE;
    default:
      return v1::NOTE_PHASE_MIDDLE;
  }
}

// Ids of the tasks of `phase`, in the protocol's order.
std::vector<std::string> TasksOf(const FidelityCase& of, v1::NotePhase phase) {
  std::vector<std::string> tasks;
  for (const scheduling::v1::ProtocolPhase& each : of.course.phases()) {
    if (PhaseOf(each.phase()) != phase) continue;
    for (const scheduling::v1::ProtocolTask& task : each.tasks()) tasks.push_back(task.id());
  }
  return tasks;
}

const v1::TaskEvidence* EvidenceOf(const v1::FidelityRules& rules, absl::string_view task) {
  for (const v1::TaskEvidence& evidence : rules.task_evidence()) {
    if (evidence.task() == task) return &evidence;
  }
  return nullptr;
}

bool Tells(const v1::FidelityRules& rules, const RecordedEntry& entry, absl::string_view task) {
  if (entry.done_task == task) return true;
  const v1::TaskEvidence* evidence = EvidenceOf(rules, task);
  return evidence != nullptr && Has(evidence->entries(), static_cast<int>(entry.kind));
}

bool SameMinutes(const v1::NoteContent& content, const std::vector<v1::Minutes>& defaults) {
  if (content.minutes_size() != static_cast<int>(defaults.size())) return false;
  std::map<int, int> told, meant;
  for (const v1::Minutes& each : content.minutes()) told[each.use()] = each.minutes();
  for (const v1::Minutes& each : defaults) meant[each.use()] = each.minutes();
  return told == meant;
}

// Reads one session.
class Reader {
 public:
  Reader(const v1::FidelityRules& rules, const FidelityCase& of, const FidelitySession& session)
      : rules_(rules), of_(of), session_(session), content_(session.note.content()) {
    for (const RecordedEntry& entry : of.entries) {
      if (!entry.appointment.empty() && entry.appointment == session.note.appointment()) {
        entries_.push_back(&entry);
      }
    }
    if (!SameMinutes(content_, session.default_minutes)) {
      for (const v1::Minutes& each : content_.minutes()) minutes_[each.use()] = each.minutes();
    }
  }

  v1::FidelityFinding Find(const v1::FidelityCriterion& criterion) {
    v1::FidelityFinding finding;
    finding.set_criterion(criterion.id());
    if (!Applies(criterion)) {
      finding.set_result(FIDELITY_RESULT_NOT_APPLICABLE);
      return finding;
    }
    finding.set_result(FIDELITY_RESULT_UNKNOWN);
    if (!session_.note.erased()) Measure(criterion.measure(), finding);
    if (criterion.once_in_course() && finding.result() != FIDELITY_RESULT_MET) {
      finding.set_result(FIDELITY_RESULT_NOT_APPLICABLE);
    }
    return finding;
  }

  // Percent; nothing: not told.
  std::optional<int> HistoryShare() const {
    const auto history = minutes_.find(v1::TIME_USE_HISTORY);
    if (history == minutes_.end()) return std::nullopt;
    int total = 0;
    for (const auto& [use, minutes] : minutes_) total += minutes;
    const v1::Note& note = session_.note;
    if (note.has_session_time() && note.has_session_end_time()) {
      total = std::max<int>(total, absl::ToInt64Minutes(time::ToTime(note.session_end_time()) -
                                                        time::ToTime(note.session_time())));
    }
    if (total <= 0) return std::nullopt;
    return (history->second * 200 + total) / (2 * total);
  }

  bool TellsTechniques() const { return !content_.techniques().empty(); }

 private:
  bool Applies(const v1::FidelityCriterion& criterion) const {
    if (!criterion.phases().empty() &&
        !Has(criterion.phases(), static_cast<int>(session_.note.phase()))) {
      return false;
    }
    if (criterion.areas().empty()) return true;
    return std::any_of(of_.areas.begin(), of_.areas.end(), [&](v1::ProblemAreaKind area) {
      return Has(criterion.areas(), static_cast<int>(area));
    });
  }

  static void Say(v1::FidelityFinding& finding, v1::FidelityResult result, v1::FidelityBasis basis,
                  std::string evidence) {
    finding.set_result(result);
    finding.set_basis(basis);
    finding.add_evidence(std::move(evidence));
  }
  static void SayNote(v1::FidelityFinding& finding, v1::FidelityResult result,
                      absl::string_view field) {
    Say(finding, result, FIDELITY_BASIS_NOTE, absl::StrCat("content.", field));
  }
  static void SayObserved(v1::FidelityFinding& finding, v1::Observed observed,
                          absl::string_view field) {
    if (observed == v1::OBSERVED_YES) SayNote(finding, FIDELITY_RESULT_MET, field);
    if (observed == v1::OBSERVED_NO) SayNote(finding, FIDELITY_RESULT_NOT_MET, field);
  }

  void Measure(v1::FidelityMeasure measure, v1::FidelityFinding& finding) const {
    switch (measure) {
      case v1::FIDELITY_MEASURE_SCORE_USED:
        return SayObserved(finding, content_.score_reviewed(), "score_reviewed");
      case v1::FIDELITY_MEASURE_LINK:
        return Link(finding);
      case v1::FIDELITY_MEASURE_FOCUS:
        return Focus(finding);
      case v1::FIDELITY_MEASURE_PHASE_TASKS:
        return PhaseTasks(finding);
      case v1::FIDELITY_MEASURE_TIME_BUDGET:
        return TimeBudget(finding);
      case v1::FIDELITY_MEASURE_AREA_TECHNIQUES:
        return AreaTechniques(finding);
      case v1::FIDELITY_MEASURE_AFFECT:
        return Affect(finding);
      case v1::FIDELITY_MEASURE_COMMUNICATION_ANALYSIS:
        return CommunicationAnalysis(finding);
      case v1::FIDELITY_MEASURE_TIME_LIMIT:
        return SayObserved(finding, content_.time_limit_mentioned(), "time_limit_mentioned");
      case v1::FIDELITY_MEASURE_ENDING:
        return Ending(finding);
      default:
        return;
    }
  }

  void Link(v1::FidelityFinding& finding) const {
    if (!content_.links().empty()) {
      SayNote(finding, FIDELITY_RESULT_MET, "links");
    } else if (!absl::StripAsciiWhitespace(content_.symptom_event_link()).empty()) {
      SayNote(finding, FIDELITY_RESULT_MET, "symptom_event_link");
    } else if (content_.no_link_found()) {
      SayNote(finding, FIDELITY_RESULT_MET, "no_link_found");
    }
  }

  void Focus(v1::FidelityFinding& finding) const {
    switch (content_.focus_kept()) {
      case v1::FOCUS_KEPT_YES:
        return SayNote(finding, FIDELITY_RESULT_MET, "focus_kept");
      case v1::FOCUS_KEPT_PARTLY:
        return SayNote(finding, FIDELITY_RESULT_PARTLY, "focus_kept");
      case v1::FOCUS_KEPT_NO:
      case v1::FOCUS_KEPT_NOT_YET:
        return SayNote(finding, FIDELITY_RESULT_NOT_MET, "focus_kept");
      default:
        return;
    }
  }

  void PhaseTasks(v1::FidelityFinding& finding) const {
    const std::vector<std::string> tasks = TasksOf(of_, session_.note.phase());
    if (tasks.empty()) {
      finding.set_result(FIDELITY_RESULT_NOT_APPLICABLE);
      return;
    }
    for (const std::string& task : tasks) {
      if (Has(content_.tasks_done(), task)) {
        return SayNote(finding, FIDELITY_RESULT_MET, "tasks_done");
      }
    }
    for (const RecordedEntry* entry : entries_) {
      for (const std::string& task : tasks) {
        if (Tells(rules_, *entry, task)) {
          return Say(finding, FIDELITY_RESULT_MET, FIDELITY_BASIS_ENTRY, entry->name);
        }
      }
    }
    for (const scheduling::v1::ProtocolPhase& phase : of_.course.phases()) {
      for (const scheduling::v1::ProtocolTask& task : phase.tasks()) {
        if (Has(content_.tasks_done(), task.id())) {
          return SayNote(finding, FIDELITY_RESULT_PARTLY, "tasks_done");
        }
      }
    }
  }

  void TimeBudget(v1::FidelityFinding& finding) const {
    if (!session_.history_ceiling) {
      finding.set_result(FIDELITY_RESULT_NOT_APPLICABLE);
      return;
    }
    const std::optional<int> share = HistoryShare();
    if (!share) return;
    const int over = *share - *session_.history_ceiling;
    SayNote(finding,
            over <= 0                                    ? FIDELITY_RESULT_MET
            : over <= rules_.history_tolerance_percent() ? FIDELITY_RESULT_PARTLY
                                                         : FIDELITY_RESULT_NOT_MET,
            "minutes");
  }

  void AreaTechniques(v1::FidelityFinding& finding) const {
    if (of_.areas.empty()) return;
    std::set<int> fitting;
    for (const v1::AreaTechniques& area : rules_.area_techniques()) {
      if (Has(of_.areas, area.area())) {
        fitting.insert(area.techniques().begin(), area.techniques().end());
      }
    }
    for (const int technique : content_.techniques()) {
      if (fitting.count(technique) == 1) {
        return SayNote(finding, FIDELITY_RESULT_MET, "techniques");
      }
    }
    for (const RecordedEntry* entry : entries_) {
      for (const v1::Technique technique : entry->techniques) {
        if (fitting.count(technique) == 1) {
          return Say(finding, FIDELITY_RESULT_MET, FIDELITY_BASIS_ENTRY, entry->name);
        }
      }
    }
    if (!TellsTechniques()) return;
    const bool general =
        std::any_of(content_.techniques().begin(), content_.techniques().end(),
                    [&](int technique) { return Has(rules_.general_techniques(), technique); });
    SayNote(finding, general ? FIDELITY_RESULT_PARTLY : FIDELITY_RESULT_NOT_MET, "techniques");
  }

  void Affect(v1::FidelityFinding& finding) const {
    if (Has(content_.techniques(), static_cast<int>(v1::TECHNIQUE_ENCOURAGEMENT_OF_AFFECT))) {
      return SayNote(finding, FIDELITY_RESULT_MET, "techniques");
    }
    for (const RecordedEntry* entry : entries_) {
      if (entry->affect_work) {
        return Say(finding, FIDELITY_RESULT_MET, FIDELITY_BASIS_ENTRY, entry->name);
      }
    }
    const auto emotions = minutes_.find(v1::TIME_USE_EMOTIONS);
    if (emotions != minutes_.end() && emotions->second > 0) {
      return SayNote(finding, FIDELITY_RESULT_MET, "minutes");
    }
    if (TellsTechniques()) SayNote(finding, FIDELITY_RESULT_NOT_MET, "techniques");
  }

  void CommunicationAnalysis(v1::FidelityFinding& finding) const {
    if (Has(content_.techniques(), static_cast<int>(v1::TECHNIQUE_COMMUNICATION_ANALYSIS))) {
      return SayNote(finding, FIDELITY_RESULT_MET, "techniques");
    }
    for (const RecordedEntry* entry : entries_) {
      if (entry->communication_analysis) {
        return Say(finding, FIDELITY_RESULT_MET, FIDELITY_BASIS_ENTRY, entry->name);
      }
    }
    if (TellsTechniques()) SayNote(finding, FIDELITY_RESULT_NOT_MET, "techniques");
  }

  void Ending(v1::FidelityFinding& finding) const {
    SayObserved(finding, content_.ending_addressed(), "ending_addressed");
    if (IsKnown(finding.result())) return;
    for (const RecordedEntry* entry : entries_) {
      if (!entry->done_task.empty()) {
        return Say(finding, FIDELITY_RESULT_MET, FIDELITY_BASIS_ENTRY, entry->name);
      }
    }
  }

  const v1::FidelityRules& rules_;
  const FidelityCase& of_;
  const FidelitySession& session_;
  const v1::NoteContent& content_;
  std::vector<const RecordedEntry*> entries_;  // of the session
  std::map<int, int> minutes_;                 // by use; what somebody told
};

const v1::FidelityCriterion* CriterionOf(const v1::FidelityRules& rules, absl::string_view id) {
  for (const v1::FidelityCriterion& criterion : rules.criteria()) {
    if (criterion.id() == id) return &criterion;
  }
  return nullptr;
}

// Whether `fact` is true of the case.
bool IsFact(const FidelityCase& of, int fact) {
  switch (fact) {
    case v1::CASE_FACT_FORMULATION:
      return of.formulation;
    case v1::CASE_FACT_FOCUS:
      return !of.areas.empty();
    case v1::CASE_FACT_RISK_ASSESSMENT:
      return of.risk_assessment;
    case v1::CASE_FACT_GOAL:
      return of.goal;
    default:
      return false;
  }
}

// Reckons a course from its sessions.
class Course {
 public:
  Course(const v1::FidelityRules& rules, const FidelityCase& of, const CourseRecord& record,
         v1::CourseFidelity& told)
      : rules_(rules), of_(of), record_(record), told_(told) {}

  // Whether all that was held in `phase` can be read.
  bool IsTold(v1::NotePhase phase) const {
    bool any = false;
    for (const HeldSession& held : record_.held) {
      if (held.phase != phase) continue;
      any = true;
      if (!std::any_of(record_.sessions.begin(), record_.sessions.end(),
                       [&](const FidelitySession& session) {
                         return session.note.appointment() == held.appointment &&
                                !session.note.erased();
                       })) {
        return false;
      }
    }
    return any;
  }

  bool HasBegun(v1::NotePhase phase) const {
    return std::any_of(record_.held.begin(), record_.held.end(),
                       [phase](const HeldSession& held) { return held.phase == phase; });
  }

  bool IsOver(v1::NotePhase phase) const {
    return record_.ended ||
           std::any_of(record_.held.begin(), record_.held.end(),
                       [phase](const HeldSession& held) { return held.phase > phase; });
  }

  void TellPhase(v1::NotePhase phase) {
    v1::PhaseFidelity& told = *told_.add_phases();
    told.set_phase(phase);
    told.set_over(IsOver(phase));
    const bool complete = told.over() && IsTold(phase) && TellsOfTasks(phase);
    Score score;
    for (const std::string& id : TasksOf(of_, phase)) {
      v1::PhaseTask& task = *told.add_tasks();
      task.set_task(id);
      task.set_result(complete ? FIDELITY_RESULT_NOT_MET : FIDELITY_RESULT_UNKNOWN);
      const v1::FidelityBasis basis = DoneBy(phase, id);
      if (basis != v1::FIDELITY_BASIS_UNSPECIFIED) {
        task.set_result(FIDELITY_RESULT_MET);
        task.set_basis(basis);
      } else if (complete) {
        task.set_basis(FIDELITY_BASIS_NOTES);
      }
      score.Add(task.result(), 1);
    }
    // Before the phase is over, what is not done yet is not missing.
    told.set_result(told.tasks().empty() ? FIDELITY_RESULT_NOT_APPLICABLE
                    : told.over()        ? ByThresholds(rules_, score)
                                         : FIDELITY_RESULT_UNKNOWN);
    int sum = 0, count = 0;
    for (int i = 0; i < told_.sessions_size(); ++i) {
      const v1::SessionFidelity& session = told_.sessions(i);
      if (session.phase() != phase) continue;
      if (session.has_history_ceiling_percent()) {
        told.set_history_ceiling_percent(session.history_ceiling_percent());
      }
      if (!session.has_history_percent()) continue;
      sum += session.history_percent();
      ++count;
    }
    if (count > 0) told.set_history_percent((2 * sum + count) / (2 * count));
  }

  v1::FidelityResult OnceInCourse(const v1::FidelityCriterion& criterion,
                                  const v1::CriterionSummary& summary) const {
    if (!criterion.areas().empty() &&
        std::none_of(of_.areas.begin(), of_.areas.end(), [&](v1::ProblemAreaKind area) {
          return Has(criterion.areas(), static_cast<int>(area));
        })) {
      return FIDELITY_RESULT_NOT_APPLICABLE;
    }
    if (summary.met() > 0) return FIDELITY_RESULT_MET;
    if (criterion.measure() == v1::FIDELITY_MEASURE_COMMUNICATION_ANALYSIS) {
      for (const RecordedEntry& entry : of_.entries) {
        if (entry.communication_analysis) return FIDELITY_RESULT_MET;
      }
    }
    for (const int phase : criterion.phases()) {
      const auto which = static_cast<v1::NotePhase>(phase);
      if (!IsOver(which) || !IsTold(which)) return FIDELITY_RESULT_UNKNOWN;
    }
    for (const FidelitySession& session : record_.sessions) {
      if (Has(criterion.phases(), static_cast<int>(session.note.phase())) &&
          session.note.content().techniques().empty()) {
        return FIDELITY_RESULT_UNKNOWN;
      }
    }
    return criterion.phases().empty() ? FIDELITY_RESULT_UNKNOWN : FIDELITY_RESULT_NOT_MET;
  }

 private:
  bool TellsOfTasks(v1::NotePhase phase) const {
    return std::any_of(
        record_.sessions.begin(), record_.sessions.end(), [phase](const FidelitySession& session) {
          return session.note.phase() == phase && !session.note.content().tasks_done().empty();
        });
  }

  v1::FidelityBasis DoneBy(v1::NotePhase phase, const std::string& task) const {
    for (const FidelitySession& session : record_.sessions) {
      if (Has(session.note.content().tasks_done(), task)) return FIDELITY_BASIS_NOTE;
    }
    for (const RecordedEntry& entry : of_.entries) {
      if (Tells(rules_, entry, task)) return FIDELITY_BASIS_ENTRY;
    }
    const v1::TaskEvidence* evidence = EvidenceOf(rules_, task);
    if (evidence == nullptr) return v1::FIDELITY_BASIS_UNSPECIFIED;
    for (const int fact : evidence->facts()) {
      if (IsFact(of_, fact)) return FIDELITY_BASIS_CASE;
    }
    for (const v1::SessionFidelity& session : told_.sessions()) {
      if (session.phase() != phase) continue;
      for (const v1::FidelityFinding& finding : session.findings()) {
        if (finding.result() == FIDELITY_RESULT_MET &&
            Has(evidence->criteria(), finding.criterion())) {
          return FIDELITY_BASIS_NOTES;
        }
      }
    }
    return v1::FIDELITY_BASIS_UNSPECIFIED;
  }

  const v1::FidelityRules& rules_;
  const FidelityCase& of_;
  const CourseRecord& record_;
  v1::CourseFidelity& told_;
};

}  // namespace

RecordedEntry RecordedEntryOf(const v1::Entry& entry) {
  RecordedEntry recorded;
  recorded.name = entry.name();
  recorded.kind = entry.kind();
  recorded.appointment = entry.appointment();
  for (const int technique : entry.incident().techniques()) {
    recorded.techniques.push_back(static_cast<v1::Technique>(technique));
  }
  recorded.communication_analysis = entry.incident().has_communication_analysis();
  recorded.affect_work = entry.incident().has_affect_work();
  if (recorded.communication_analysis) {
    recorded.techniques.push_back(v1::TECHNIQUE_COMMUNICATION_ANALYSIS);
  }
  if (recorded.affect_work) recorded.techniques.push_back(v1::TECHNIQUE_ENCOURAGEMENT_OF_AFFECT);
  if (entry.incident().has_decision_analysis()) {
    recorded.techniques.push_back(v1::TECHNIQUE_DECISION_ANALYSIS);
  }
  if (entry.incident().has_role_play()) recorded.techniques.push_back(v1::TECHNIQUE_ROLE_PLAY);
  if (entry.termination_task().status() == v1::TASK_STATUS_DONE) {
    recorded.done_task = entry.termination_task().task();
  }
  return recorded;
}

v1::SessionFidelity SessionFidelityOf(const v1::FidelityRules& rules, const FidelityCase& of,
                                      const FidelitySession& session) {
  const v1::Note& note = session.note;
  v1::SessionFidelity told;
  told.set_note(note.name());
  told.set_note_version(note.version());
  told.set_appointment(note.appointment());
  told.set_session_number(note.session_number());
  told.set_phase(note.phase());
  told.set_clinician(note.author());
  told.set_rules(rules.revision());
  told.set_erased(note.erased());
  Reader reader(rules, of, session);
  Score score;
  for (const v1::FidelityCriterion& criterion : rules.criteria()) {
    v1::FidelityFinding& finding = *told.add_findings();
    finding = reader.Find(criterion);
    score.Add(finding.result(), criterion.weight());
    if (IsKnown(finding.result())) told.set_known(told.known() + 1);
    if (finding.result() == FIDELITY_RESULT_UNKNOWN) told.set_unknown(told.unknown() + 1);
  }
  if (const auto percent = score.percent()) told.set_percent(*percent);
  if (const auto share = reader.HistoryShare(); share && !note.erased()) {
    told.set_history_percent(*share);
  }
  if (session.history_ceiling) told.set_history_ceiling_percent(*session.history_ceiling);
  return told;
}

v1::CourseFidelity CourseFidelityOf(const v1::FidelityRules& rules, const FidelityCase& of,
                                    const CourseRecord& record) {
  v1::CourseFidelity told;
  told.set_case_(of.name);
  told.set_clinician(record.clinician);
  told.set_protocol(of.course.protocol());
  told.set_rules(rules.revision());
  told.set_sessions_without_note(record.unsigned_held);
  told.set_sessions_not_shared(record.not_shared);
  for (const FidelitySession& session : record.sessions) {
    *told.add_sessions() = SessionFidelityOf(rules, of, session);
  }

  Course course(rules, of, record, told);
  Score all;
  for (const v1::FidelityCriterion& criterion : rules.criteria()) {
    v1::CriterionSummary& summary = *told.add_criteria();
    summary.set_criterion(criterion.id());
    Score score;
    for (const v1::SessionFidelity& session : told.sessions()) {
      for (const v1::FidelityFinding& finding : session.findings()) {
        if (finding.criterion() != criterion.id()) continue;
        score.Add(finding.result(), 1);
        if (!criterion.once_in_course()) all.Add(finding.result(), criterion.weight());
        if (finding.result() == FIDELITY_RESULT_MET) summary.set_met(summary.met() + 1);
        if (finding.result() == FIDELITY_RESULT_PARTLY) summary.set_partly(summary.partly() + 1);
        if (finding.result() == FIDELITY_RESULT_NOT_MET) summary.set_not_met(summary.not_met() + 1);
        if (finding.result() == FIDELITY_RESULT_UNKNOWN) summary.set_unknown(summary.unknown() + 1);
      }
    }
    if (criterion.once_in_course()) {
      summary.set_result(course.OnceInCourse(criterion, summary));
      all.Add(summary.result(), criterion.weight());
    } else if (summary.met() + summary.partly() + summary.not_met() + summary.unknown() == 0) {
      summary.set_result(FIDELITY_RESULT_NOT_APPLICABLE);
    } else {
      summary.set_result(ByThresholds(rules, score));
    }
  }
  std::set<int> phases;
  for (const scheduling::v1::ProtocolPhase& phase : of.course.phases()) {
    const v1::NotePhase which = PhaseOf(phase.phase());
    if (course.HasBegun(which) && phases.insert(which).second) course.TellPhase(which);
  }
  for (const v1::FidelityCriterion& criterion : rules.criteria()) {
    if (criterion.measure() != v1::FIDELITY_MEASURE_PHASE_TASKS) continue;
    for (const v1::PhaseFidelity& phase : told.phases())
      all.Add(phase.result(), criterion.weight());
  }
  if (const auto percent = all.percent()) told.set_percent(*percent);
  return told;
}

std::optional<int> HistoryCeilingOf(const v1::FidelityRules& rules, const v1::NotePolicy* policy,
                                    const v1::NoteTemplate* note_template, v1::NotePhase phase) {
  const auto of_phase = [phase](const auto& ceilings) -> std::optional<int> {
    for (const v1::HistoryCeiling& ceiling : ceilings) {
      if (ceiling.phase() == phase) return ceiling.percent();
    }
    return std::nullopt;
  };
  if (policy != nullptr) {
    if (const auto percent = of_phase(policy->history_ceilings())) return percent;
  }
  if (note_template == nullptr) return of_phase(rules.history_ceilings());
  if (note_template->history_percent() == 0) return std::nullopt;
  return note_template->history_percent();
}

std::optional<int> PercentOf(const v1::FidelityRules& rules, const v1::SessionRating& rating) {
  Score score;
  for (const v1::RatedCriterion& rated : rating.criteria()) {
    const v1::FidelityCriterion* criterion = CriterionOf(rules, rated.criterion());
    score.Add(rated.result(), criterion == nullptr ? 1 : criterion->weight());
  }
  return score.percent();
}

absl::Status CheckRating(const v1::FidelityRules& rules, const v1::SessionRating& rating) {
  std::vector<errors::FieldViolation> violations;
  std::set<std::string> seen;
  for (int i = 0; i < rating.criteria_size(); ++i) {
    const v1::RatedCriterion& rated = rating.criteria(i);
    const std::string at = absl::StrCat("rating.criteria[", i, "]");
    if (CriterionOf(rules, rated.criterion()) == nullptr) {
      violations.push_back({absl::StrCat(at, ".criterion"), "is none of the rules"});
    } else if (!seen.insert(rated.criterion()).second) {
      violations.push_back({absl::StrCat(at, ".criterion"), "comes twice"});
    }
    if (rated.result() == v1::FIDELITY_RESULT_UNSPECIFIED) {
      violations.push_back({absl::StrCat(at, ".result"), "is needed"});
    }
  }
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidArgument(std::move(violations));
}

bool SupervisorSees(const v1::FidelityPolicy& policy, bool shared, absl::Time sign_time,
                    absl::Time now) {
  if (shared) return true;
  return policy.visibility() == v1::FIDELITY_VISIBILITY_AFTER_SIGNING &&
         sign_time + absl::Hours(24) * policy.delay_days() <= now;
}

}  // namespace rapport::notes
