#include "services/notes/domain/brief.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "services/notes/domain/entries.h"
#include "services/notes/domain/entry_agenda.h"
#include "services/notes/domain/entry_safety.h"
#include "services/notes/domain/phases.h"

namespace rapport::notes {
namespace {

namespace as = assessment::v1;

constexpr int kMostAgenda = 60;
constexpr int kMostAlerts = 20;
constexpr int kMostGoals = 20;
constexpr int kMostScores = 20;
constexpr int kMostAnniversaries = 10;
constexpr int kMostLeave = 10;
constexpr int kLeaveAhead = 366;
constexpr size_t kMostInLeave = 10;

bool IsReal(int month, int day) { return month >= 1 && month <= 12 && day >= 1 && day <= 31; }

const as::ProgressPoint* CompleteFromEnd(const as::InstrumentProgress& series, int which) {
  for (int i = series.points_size(); i-- > 0;) {
    const as::ProgressPoint& point = series.points(i);
    if (point.complete() && point.has_total() && which-- == 0) return &point;
  }
  return nullptr;
}

// The sessions booked with the clinician within their leave.
std::vector<const Sitting*> BookedWithin(const CaseFile& file, const Leave& leave) {
  std::vector<const Sitting*> within;
  for (const Sitting& sitting : file.sittings) {
    if (within.size() == kMostInLeave) break;
    if (sitting.state.state() == scheduling::v1::APPOINTMENT_STATE_BOOKED &&
        sitting.state.clinician() == file.course.clinician() && sitting.start() >= file.now &&
        sitting.start() < leave.end && leave.start < sitting.end()) {
      within.push_back(&sitting);
    }
  }
  return within;
}

class Briefer {
 public:
  Briefer(const CaseFile& file, const View& view, const Sitting* sitting,
          const v1::ReviewRules& rules, const v1::EntryRules& entry_rules)
      : file_(file), view_(view), sitting_(sitting), rules_(rules), entry_rules_(entry_rules) {
    brief_.set_case_(file.record.name());
    brief_.set_about(view.about);
    if (!file.conjoint()) brief_.clear_about();
    brief_.set_shortened(file.shortened);
    day_ = sitting == nullptr ? file.today() : file.DayOf(sitting->start());
    for (const v1::Entry& entry : file.entries) {
      if (!entry.erased() && IsIn(file, view, entry)) in_view_.push_back(entry);
    }
  }

  v1::SessionBrief Make(const std::vector<std::string>& unsigned_sessions) {
    Position();
    Agenda(unsigned_sessions);
    Scores();
    LastNote();
    Risk();
    Days();
    PlannedLeave();
    Goals();
    for (const std::string& source : file_.unavailable_sources) {
      brief_.add_unavailable_sources(source);
    }
    return std::move(brief_);
  }

 private:
  // Safety and the like are asked alone: never prompted where both sit in the room.
  bool alone() const { return !file_.conjoint() || !view_.about.empty(); }

  // Scores and alerts of this patient belong in the brief: of a joint session those of both.
  bool Concerns(const std::string& patient) const {
    return !file_.conjoint() || view_.about.empty() || patient == view_.about;
  }
  static const std::string& Whose(const as::Alert& alert) {
    return alert.respondent().empty() ? alert.patient() : alert.respondent();
  }

  void Position() {
    brief_.set_planned_sessions(file_.course.planned_sessions());
    if (sitting_ == nullptr) {
      brief_.set_phase(PhaseOfSession(file_.course, LastNumber()));
      brief_.set_position("no session booked");
      return;
    }
    brief_.set_appointment(sitting_->appointment);
    *brief_.mutable_start_time() = sitting_->state.start_time();
    brief_.set_session_number(sitting_->number);
    brief_.set_phase(PhaseOfSession(file_.course, sitting_->number));
    if (sitting_->number == 0) {
      brief_.set_position("does not count towards the course");
      return;
    }
    brief_.set_sessions_left(std::max(0, file_.course.planned_sessions() - sitting_->number));
    brief_.set_position(
        absl::StrCat("session ", sitting_->number, ", ", brief_.sessions_left(), " left"));
  }

  int LastNumber() const {
    int number = 0;
    for (const Sitting& sitting : file_.sittings) {
      if (WasHeld(sitting)) number = std::max(number, sitting.number);
    }
    return number;
  }
  // The number that rules go by: of this session, or of the next where none is booked.
  int Number() const {
    return brief_.session_number() > 0 ? brief_.session_number() : LastNumber() + 1;
  }

  void Add(v1::AgendaKind kind, absl::string_view source, std::string text = "",
           const google::type::Date* date = nullptr, const v1::Entry* entry = nullptr) {
    if (brief_.agenda_size() == kMostAgenda) {
      brief_.set_shortened(true);
      return;
    }
    v1::AgendaItem& item = *brief_.add_agenda();
    item.set_kind(kind);
    item.set_source(std::string(source));
    item.set_text(std::move(text));
    if (date != nullptr && date->year() != 0) *item.mutable_date() = *date;
    if (entry == nullptr) return;
    item.set_private_(entry->private_());
    for (const v1::EntryWarning warning :
         WarningsOf(*entry, in_view_, file_.conjoint(), day_, entry_rules_)) {
      item.add_warnings(warning);
    }
  }
  void Add(v1::AgendaKind kind, const v1::Entry& entry, std::string text,
           const google::type::Date& date = {}) {
    Add(kind, entry.name(), std::move(text), &date, &entry);
  }

  std::vector<const v1::Entry*> Of(v1::EntryKind kind) const {
    std::vector<const v1::Entry*> found;
    for (const v1::Entry& entry : in_view_) {
      if (entry.kind() == kind) found.push_back(&entry);
    }
    return found;
  }

  // What the entries ask for, of one kind.
  void Take(const std::vector<AgendaItem>& items, notes::AgendaKind kind, v1::AgendaKind as_kind) {
    for (const AgendaItem& item : items) {
      if (item.kind != kind) continue;
      if (!view_.about.empty() && !item.about.empty() && item.about != view_.about) continue;
      const v1::Entry* entry = item.entry.empty() ? nullptr : FindEntry(file_, item.entry);
      if (entry != nullptr) {
        Add(as_kind, *entry, item.task.empty() ? TextOf(*entry) : TaskText(item.task),
            DateOf(*entry));
      } else {
        Add(as_kind, file_.conjoint() && !item.about.empty() ? item.about : file_.record.name(),
            TaskText(item.task));
      }
    }
  }
  static std::string TextOf(const v1::Entry& entry) {
    switch (entry.content_case()) {
      case v1::Entry::kBarrier:
        return entry.barrier().text();
      case v1::Entry::kAction:
        return entry.action().text();
      case v1::Entry::kAdditionalIssue:
        return entry.additional_issue().text();
      case v1::Entry::kReferral:
        return entry.referral().to();
      case v1::Entry::kOutOfScopeTopic:
        return entry.out_of_scope_topic().text();
      default:
        return "";
    }
  }
  static google::type::Date DateOf(const v1::Entry& entry) {
    if (entry.has_barrier()) return entry.barrier().first_seen_date();
    if (entry.has_referral()) return entry.referral().send_date();
    if (const auto due = DueDay(entry)) return time::ToDate(*due);
    return {};
  }
  std::string TaskText(const std::string& id) const {
    for (const v1::TerminationTaskRule& task : entry_rules_.termination_tasks()) {
      if (task.id() == id) return task.label();
    }
    return "";
  }

  void Agenda(const std::vector<std::string>& unsigned_sessions) {
    const bool termination = brief_.phase() == v1::NOTE_PHASE_TERMINATION;
    const std::vector<AgendaItem> items =
        BuildAgenda(in_view_,
                    {.patients = file_.Patients(),
                     .today = day_,
                     .middle = brief_.phase() != v1::NOTE_PHASE_INITIAL,
                     .termination = termination},
                    entry_rules_);
    Take(items, notes::AgendaKind::kBarrier, v1::AGENDA_KIND_BARRIER);
    Safety();
    Formulation();
    if (!file_.record.has_determination() && Number() > file_.course.assessment_sessions()) {
      Add(v1::AGENDA_KIND_DETERMINATION_MISSING, file_.record.name());
    }
    Take(items, notes::AgendaKind::kSickRoleReview, v1::AGENDA_KIND_SICK_ROLE_REVIEW);
    Take(items, notes::AgendaKind::kImmediateChange, v1::AGENDA_KIND_IMMEDIATE_CHANGE_MISSING);
    Take(items, notes::AgendaKind::kAction, v1::AGENDA_KIND_ACTION);
    Take(items, notes::AgendaKind::kUndisposedIssue, v1::AGENDA_KIND_ISSUE);
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_ADDITIONAL_ISSUE)) {
      const v1::AdditionalIssue& issue = entry->additional_issue();
      if (!issue.has_settle_date() && issue.disposition() != v1::ISSUE_DISPOSITION_UNSPECIFIED &&
          issue.review_session() > 0 && issue.review_session() <= Number()) {
        Add(v1::AGENDA_KIND_ISSUE, *entry, issue.text());
      }
    }
    Take(items, notes::AgendaKind::kReferral, v1::AGENDA_KIND_REFERRAL);
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_CONTRACT)) {
      if (!entry->contract().has_sign_time()) Add(v1::AGENDA_KIND_CONTRACT_UNSIGNED, *entry, "");
    }
    for (const v1::Entry* entry : Of(v1::ENTRY_KIND_COUPLE_AGREEMENT)) {
      if (entry->couple_agreement().review_session() == Number()) {
        Add(v1::AGENDA_KIND_COUPLE_REVIEW, *entry, "");
      }
    }
    Take(items, notes::AgendaKind::kStrategyMissing, v1::AGENDA_KIND_STRATEGY_MISSING);
    Take(items, notes::AgendaKind::kTerminationTask, v1::AGENDA_KIND_TERMINATION_TASK);
    Take(items, notes::AgendaKind::kOutOfScopeTopic, v1::AGENDA_KIND_OUT_OF_SCOPE_TOPIC);
    if (termination) Ending();
    for (const std::string& appointment : unsigned_sessions) {
      Add(v1::AGENDA_KIND_NOTE_UNSIGNED, appointment);
    }
  }

  void Safety() {
    if (!alone() || file_.conjoint()) return;
    const bool flagged = IsSafetyFlagged(in_view_);
    if (flagged && !file_.safety_plan) {
      Add(v1::AGENDA_KIND_SAFETY_PLAN_MISSING, file_.record.name());
    }
    if (SafetyCheckInForce(in_view_, day_) != nullptr) return;
    const auto aimed = std::find_if(in_view_.begin(), in_view_.end(), [&](const v1::Entry& entry) {
      return entry.open() && IsAimedAtSomeoneClose(entry, in_view_, entry_rules_);
    });
    if (flagged || aimed != in_view_.end()) {
      Add(v1::AGENDA_KIND_SAFETY_CHECK_DUE,
          aimed != in_view_.end() ? aimed->name() : file_.record.name());
    }
  }

  void Formulation() {
    const bool there = file_.record.has_formulation() && !file_.record.formulation().erased();
    const int due = file_.record.formulation_due_session();
    if (!there && due > 0) {
      if (Number() > due) Add(v1::AGENDA_KIND_FORMULATION_OVERDUE, file_.record.name());
      if (Number() == due) Add(v1::AGENDA_KIND_FORMULATION_DUE, file_.record.name());
    }
    if (!there) return;
    const v1::Agreement agreement = file_.record.formulation().agreement();
    if (agreement != v1::AGREEMENT_AGREED && agreement != v1::AGREEMENT_MODIFIED) {
      Add(v1::AGENDA_KIND_FORMULATION_NOT_AGREED, file_.record.name());
    }
  }

  void Ending() {
    const std::vector<const v1::Entry*> people = Of(v1::ENTRY_KIND_RELATIONSHIP);
    const bool reviewed = std::any_of(people.begin(), people.end(), [](const v1::Entry* entry) {
      return entry->relationship().final_review();
    });
    if (!people.empty() && !reviewed) {
      Add(v1::AGENDA_KIND_INVENTORY_REVIEW, file_.record.name());
    }
    if (Of(v1::ENTRY_KIND_RELAPSE_PLAN).empty()) {
      Add(v1::AGENDA_KIND_RELAPSE_PLAN_MISSING, file_.record.name());
    }
  }

  void Scores() {
    for (const as::Progress& progress : file_.progress) {
      if (!Concerns(progress.patient())) continue;
      for (const as::InstrumentProgress& series : progress.instruments()) {
        const as::ProgressPoint* newest = CompleteFromEnd(series, 0);
        if (newest == nullptr || brief_.scores_size() == kMostScores) continue;
        v1::BriefScore& score = *brief_.add_scores();
        score.set_instrument(std::string(names::Id(series.instrument(), "instruments")));
        score.set_patient(progress.patient());
        score.set_newest(newest->total());
        if (const auto* before = CompleteFromEnd(series, 1)) score.set_previous(before->total());
        if (series.has_baseline()) score.set_baseline(series.baseline().total());
        *score.mutable_answer_time() = newest->answer_time();
        score.set_severity(newest->severity());
        score.set_better_when(
            series.direction() == as::DIRECTION_LOWER_BETTER    ? v1::BETTER_WHEN_LOWER
            : series.direction() == as::DIRECTION_HIGHER_BETTER ? v1::BETTER_WHEN_HIGHER
                                                                : v1::BETTER_WHEN_UNSPECIFIED);
        score.set_days_old(static_cast<int32_t>(std::max<int64_t>(
            0, file_.today() - file_.DayOf(time::ToTime(newest->answer_time())))));
        Items(series, score);
      }
      for (const as::ProgressFlag& flag : progress.flags()) {
        if (!flag.holds()) continue;
        v1::BriefSign& sign = *brief_.add_signs();
        sign.set_kind(as::ProgressFlagKind_Name(flag.kind()));
        sign.set_instrument(flag.instrument());
        sign.set_rule(flag.rule());
        sign.set_evidence(flag.evidence());
        if (file_.conjoint()) sign.set_patient(progress.patient());
      }
      for (const as::Milestone& milestone : progress.milestones()) {
        if (!milestone.holds()) continue;
        v1::BriefSign& sign = *brief_.add_signs();
        sign.set_kind(as::Term_Name(milestone.term()));
        sign.set_rule(milestone.rule());
        if (file_.conjoint()) sign.set_patient(progress.patient());
      }
    }
  }

  void Items(const as::InstrumentProgress& series, v1::BriefScore& score) const {
    std::vector<const as::ItemChange*> changed;
    for (const as::ItemChange& item : series.item_changes()) {
      if (item.has_baseline() != item.has_newest() || item.baseline() != item.newest()) {
        changed.push_back(&item);
      }
    }
    std::stable_sort(changed.begin(), changed.end(), [](const auto* a, const auto* b) {
      return std::abs(a->newest() - a->baseline()) > std::abs(b->newest() - b->baseline());
    });
    for (const as::ItemChange* item : changed) {
      if (score.items_size() == rules_.brief_items()) return;
      v1::BriefItem& told = *score.add_items();
      told.set_item(item->item());
      told.set_label(item->label());
      if (item->has_baseline()) told.set_baseline(item->baseline());
      if (item->has_newest()) told.set_newest(item->newest());
    }
  }

  void LastNote() {
    const v1::Note* last = nullptr;
    for (const v1::Note& note : file_.notes) {
      if (note.erased()) continue;
      const bool in_view = note.kind() != v1::NOTE_KIND_PRIVATE || note.about() == view_.about;
      const bool before = sitting_ == nullptr || note.appointment() != sitting_->appointment;
      if (in_view && before) last = &note;
    }
    if (last == nullptr) return;
    v1::LastSession& told = *brief_.mutable_last_session();
    told.set_note(last->name());
    told.set_version(last->version());
    told.set_session_number(last->session_number());
    *told.mutable_sign_time() = last->signature().sign_time();
    told.set_tried(last->content().tried());
    told.set_plan(last->content().plan());
    told.set_symptom_event_link(last->content().symptom_event_link());
  }

  void Risk() {
    v1::BriefRisk& risk = *brief_.mutable_risk();
    std::vector<const as::Alert*> alerts;
    for (const as::Alert& alert : file_.alerts) {
      if (alert.state() == as::ALERT_STATE_RESOLVED) continue;
      if (Concerns(Whose(alert))) alerts.push_back(&alert);
    }
    std::stable_sort(alerts.begin(), alerts.end(),
                     [](const auto* a, const auto* b) { return a->severity() > b->severity(); });
    for (const as::Alert* alert : alerts) {
      if (risk.alerts_size() == kMostAlerts) {
        brief_.set_shortened(true);
        break;
      }
      v1::BriefAlert& told = *risk.add_alerts();
      told.set_alert(alert->name());
      told.set_kind(as::AlertKind_Name(alert->kind()));
      told.set_severity(as::AlertSeverity_Name(alert->severity()));
      told.set_state(as::AlertState_Name(alert->state()));
      told.set_owner(alert->owner());
      *told.mutable_create_time() = alert->create_time();
      told.set_patient(Whose(*alert));
    }
    if (!alone()) return;
    if (!file_.risk_assessments.empty()) {
      risk.set_risk_assessment(file_.risk_assessments.front().name());
      *risk.mutable_risk_assessment_time() = file_.risk_assessments.front().create_time();
    }
    if (file_.safety_plan) {
      risk.set_safety_plan_version(file_.safety_plan->version());
      *risk.mutable_safety_plan_time() = file_.safety_plan->create_time();
    }
    if (const v1::Entry* check = SafetyCheckInForce(in_view_, day_)) {
      risk.set_safety_check(check->name());
      risk.set_safety_result(check->safety_check().result());
      *risk.mutable_safety_check_valid_until_date() = check->safety_check().valid_until_date();
    }
  }

  void Days() {
    const std::vector<HardDay> hard_days = HardDaysOf(file_, view_);
    std::vector<v1::BriefAnniversary> near;
    for (const HardDay& hard : hard_days) {
      for (int64_t year = day_.year() - 1; year <= day_.year() + 1; ++year) {
        const absl::CivilDay day = InYear(hard, year);
        const int64_t away = day - day_;
        if (std::abs(away) > rules_.anniversary_days()) continue;
        v1::BriefAnniversary anniversary;
        *anniversary.mutable_date() = time::ToDate(day);
        anniversary.set_label(hard.label);
        anniversary.set_source(hard.source);
        anniversary.set_days_away(static_cast<int32_t>(away));
        near.push_back(std::move(anniversary));
      }
    }
    std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) {
      return std::abs(a.days_away()) < std::abs(b.days_away());
    });
    for (v1::BriefAnniversary& anniversary : near) {
      if (brief_.anniversaries_size() == kMostAnniversaries) break;
      *brief_.add_anniversaries() = std::move(anniversary);
    }
    for (v1::PlanningWarning& warning : PlanningWarningsOf(file_, hard_days, rules_)) {
      *brief_.add_planning_warnings() = std::move(warning);
    }
  }

  void PlannedLeave() {
    for (const Leave& leave : file_.leave) {
      if (brief_.leave_size() == kMostLeave) break;
      v1::PlannedLeave& told = *brief_.add_leave();
      *told.mutable_start_time() = time::ToTimestamp(leave.start);
      *told.mutable_end_time() = time::ToTimestamp(leave.end);
      for (const Sitting* sitting : BookedWithin(file_, leave)) {
        told.add_appointments(sitting->appointment);
      }
    }
  }

  void Goals() {
    for (const v1::Goal& goal : file_.goals) {
      if (goal.erased() || goal.status() == v1::GOAL_STATUS_ACHIEVED ||
          goal.status() == v1::GOAL_STATUS_DROPPED) {
        continue;
      }
      if (brief_.goals_size() == kMostGoals) {
        brief_.set_shortened(true);
        return;
      }
      v1::BriefGoal& told = *brief_.add_goals();
      told.set_goal(goal.name());
      told.set_text(goal.text());
      told.set_status(goal.status());
      told.set_progress_percent(goal.progress_percent());
      const auto target = LatestDay(goal.target_date());
      told.set_overdue(goal.has_target_date() && target && *target < day_);
    }
  }

  const CaseFile& file_;
  const View& view_;
  const Sitting* sitting_;
  const v1::ReviewRules& rules_;
  const v1::EntryRules& entry_rules_;
  absl::CivilDay day_;
  std::vector<v1::Entry> in_view_;
  v1::SessionBrief brief_;
};

}  // namespace

std::vector<HardDay> HardDaysOf(const CaseFile& file, const View& view) {
  std::vector<HardDay> days;
  const auto add = [&](int month, int day, std::string label, const std::string& source) {
    if (!IsReal(month, day)) return;
    for (const HardDay& known : days) {
      if (known.month == month && known.day == day && known.source == source) return;
    }
    days.push_back({month, day, std::move(label), source});
  };
  std::set<std::string> told;  // whose death is in the inventory
  for (const v1::Entry* entry : EntriesIn(file, view, v1::ENTRY_KIND_RELATIONSHIP)) {
    const v1::Relationship& person = entry->relationship();
    if (person.death_date().day() == 0) continue;
    told.insert(entry->name());
    add(person.death_date().month(), person.death_date().day(),
        absl::StrCat("Death of ", person.person()), entry->name());
  }
  for (const v1::Entry* entry : EntriesIn(file, view, v1::ENTRY_KIND_GRIEF)) {
    for (const v1::Anniversary& anniversary : entry->grief().anniversaries()) {
      add(anniversary.month(), anniversary.day(), anniversary.label(), entry->name());
    }
  }
  for (const v1::ProblemArea& area : file.record.problem_areas()) {
    if (told.contains(area.relationship()) || area.death_date().day() == 0) continue;
    add(area.death_date().month(), area.death_date().day(),
        absl::StrCat("Death of ", area.person()), "");
  }
  return days;
}

absl::CivilDay InYear(const HardDay& hard, int64_t year) {
  const absl::CivilDay day(year, hard.month, hard.day);
  // CivilDay carries a day that is not there into the next month.
  return day.month() == hard.month ? day : absl::CivilDay(year, hard.month + 1, 1) - 1;
}

std::vector<v1::PlanningWarning> PlanningWarningsOf(const CaseFile& file,
                                                    const std::vector<HardDay>& hard_days,
                                                    const v1::ReviewRules& rules) {
  std::vector<const Sitting*> counted;
  for (const Sitting& sitting : file.sittings) {
    const auto state = sitting.state.state();
    const bool stands = WasHeld(sitting) || state == scheduling::v1::APPOINTMENT_STATE_BOOKED;
    if (stands && sitting.number > 0 && sitting.state.segment() == file.course.segment()) {
      counted.push_back(&sitting);
    }
  }
  std::vector<v1::PlanningWarning> warnings;
  const auto warn = [&](v1::PlanningWarningKind kind, absl::CivilDay day,
                        const std::vector<const Sitting*>& sittings) {
    v1::PlanningWarning& warning = warnings.emplace_back();
    warning.set_kind(kind);
    *warning.mutable_date() = time::ToDate(day);
    for (const Sitting* sitting : sittings) warning.add_appointments(sitting->appointment);
  };

  for (const Leave& leave : file.leave) {
    const absl::CivilDay from = file.DayOf(std::max(leave.start, file.now));
    // Leave without a known end is looked at a year ahead.
    const absl::CivilDay to =
        std::min(file.DayOf(leave.end - absl::Microseconds(1)), from + kLeaveAhead);
    for (const HardDay& hard : hard_days) {
      for (int64_t year = from.year(); year <= to.year(); ++year) {
        const absl::CivilDay day = InYear(hard, year);
        if (day >= from && day <= to) {
          warn(v1::PLANNING_WARNING_KIND_LEAVE_OVER_ANNIVERSARY, day, {});
        }
      }
    }
    const std::vector<const Sitting*> within = BookedWithin(file, leave);
    if (!within.empty()) {
      warn(v1::PLANNING_WARNING_KIND_SESSION_IN_LEAVE, file.DayOf(within.front()->start()), within);
    }
  }
  if (counted.empty() || counted.back()->start() < file.now) return warnings;

  const absl::CivilDay ending = file.DayOf(counted.back()->start());
  if (counted.back()->number >= file.course.planned_sessions()) {
    for (const HardDay& hard : hard_days) {
      for (int64_t year = ending.year() - 1; year <= ending.year() + 1; ++year) {
        const absl::CivilDay day = InYear(hard, year);
        if (std::abs(day - ending) <= rules.ending_distance_days()) {
          warn(v1::PLANNING_WARNING_KIND_ENDING_ON_ANNIVERSARY, day, {counted.back()});
        }
      }
    }
  }
  const int cadence = file.course.cadence_days();
  if (cadence <= 0) return warnings;
  const int64_t longest = static_cast<int64_t>(std::floor(cadence * rules.gap_factor()));
  for (size_t i = 1; i < counted.size(); ++i) {
    if (counted[i]->start() < file.now) continue;
    const absl::CivilDay from = file.DayOf(counted[i - 1]->start());
    const absl::CivilDay to = file.DayOf(counted[i]->start());
    if (to - from <= longest) continue;
    for (const HardDay& hard : hard_days) {
      for (int64_t year = from.year(); year <= to.year(); ++year) {
        const absl::CivilDay day = InYear(hard, year);
        if (day > from && day < to) {
          warn(v1::PLANNING_WARNING_KIND_GAP_OVER_ANNIVERSARY, day, {counted[i - 1], counted[i]});
        }
      }
    }
    if (counted[i]->number + rules.unbroken_last_sessions() - 1 > file.course.planned_sessions()) {
      warn(v1::PLANNING_WARNING_KIND_ENDING_BROKEN, from + 1, {counted[i - 1], counted[i]});
    }
  }
  return warnings;
}

v1::SessionBrief BriefFor(const CaseFile& file, const View& view, const Sitting* sitting,
                          const std::vector<std::string>& unsigned_sessions,
                          const v1::ReviewRules& rules, const v1::EntryRules& entry_rules) {
  return Briefer(file, view, sitting, rules, entry_rules).Make(unsigned_sessions);
}

}  // namespace rapport::notes
