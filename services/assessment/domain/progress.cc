#include "services/assessment/domain/progress.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "common/time/convert.h"
#include "services/assessment/domain/track.h"

namespace rapport::assessment {
namespace {

constexpr int kBaselineDays = 28;
constexpr int kRemissionDays = 14;
constexpr int kSustainedMonths = 6;
constexpr double kTiny = 1e-9;  // what sums of decimals may miss a threshold by

// Terms as they are reached, each once.
class Milestones {
 public:
  // Says of the form at `time` whether it meets `term`'s rule.
  void Tell(v1::Term term, bool met, absl::Time time, int session_number, const std::string& rule) {
    auto found = reached_.find(term);
    if (found == reached_.end()) {
      if (!met) return;
      v1::Milestone milestone;
      milestone.set_term(term);
      *milestone.mutable_reach_time() = time::ToTimestamp(time);
      milestone.set_session_number(session_number);
      milestone.set_rule(rule);
      found = reached_.emplace(term, Reached{time, std::move(milestone)}).first;
    }
    found->second.milestone.set_holds(met);
  }

  template <class Out>
  void Write(Out* out) const {
    std::vector<const Reached*> sorted;
    for (const auto& [term, reached] : reached_) sorted.push_back(&reached);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Reached* a, const Reached* b) { return a->time < b->time; });
    for (const Reached* reached : sorted) *out->Add() = reached->milestone;
  }

 private:
  struct Reached {
    absl::Time time;
    v1::Milestone milestone;
  };
  std::map<v1::Term, Reached> reached_;
};

std::string Figure(double number) { return absl::StrCat(number); }

// A form that may bear a term out.
struct Point {
  const Form* form = nullptr;
  int session_number = 0;
};

// One instrument's series, worked out.
class SeriesProgress {
 public:
  SeriesProgress(const Series& series, const ProgressInput& input)
      : rules_(*series.rules),
        forms_(series.forms),
        zone_(input.zone),
        numbers_(SessionNumbers(input.sessions, series.forms)),
        computed_(ComputedReliableChangeOf(facts())) {
    for (size_t i = 0; i < forms_.size(); ++i) {
      if (forms_[i].complete && forms_[i].has_total) complete_.push_back({&forms_[i], numbers_[i]});
    }
    baseline_ = FindBaseline(input.sessions);
  }

  const InstrumentRules& rules() const { return rules_; }
  bool has_baseline() const { return baseline_ >= 0; }
  double baseline() const { return complete_[baseline_].form->total; }
  bool baseline_is_case() const { return has_baseline() && rules_.IsCase(baseline()); }
  // The baseline and the complete forms after it.
  std::vector<Point> points() const {
    if (!has_baseline()) return {};
    return {complete_.begin() + baseline_, complete_.end()};
  }

  bool ReliablyBetter(double total) const { return IsReliable(rules_.Gain(baseline(), total)); }
  bool ReliablyWorse(double total) const { return IsReliable(-rules_.Gain(baseline(), total)); }

  TrackedSeries Tracked() const {
    TrackedSeries tracked;
    tracked.rules = &rules_;
    tracked.forms = &forms_;
    tracked.numbers = numbers_;
    if (has_baseline())
      tracked.baseline = static_cast<int>(complete_[baseline_].form - forms_.data());
    tracked.reliable_change = reliable_change();
    tracked.reliable_change_rule = Sourced(threshold(), reliable_change_field());
    return tracked;
  }

  v1::InstrumentProgress Tell(const Withheld& withheld) const {
    v1::InstrumentProgress progress;
    progress.set_instrument(absl::StrCat("instruments/", absl::string_view(rules_.id())));
    progress.set_revision(rules_.instrument().name());
    progress.set_direction(rules_.instrument().direction());
    for (size_t i = 0; i < forms_.size(); ++i) {
      *progress.add_points() = PointOf(forms_[i], numbers_[i]);
    }
    progress.set_reliable_change_points(reliable_change());
    progress.set_reliable_change_published(facts().has_reliable_change());
    if (computed_.has_value()) {
      *progress.mutable_computed_reliable_change() = *computed_;
      progress.mutable_computed_reliable_change()->set_decides(!facts().has_reliable_change());
    }
    progress.set_response_applicable(baseline_is_case());
    if (has_baseline()) {
      *progress.mutable_baseline() =
          PointOf(*complete_[baseline_].form, complete_[baseline_].session_number);
      const Form& newest = *complete_.back().form;
      const bool told = !withheld.Improvement(newest.answer_time);
      if (baseline_ + 1 < static_cast<int>(complete_.size())) {
        *progress.mutable_change() = ChangeTo(newest.total, told);
      }
      TellSignificance(newest.total, told, progress);
      TellMilestones(withheld, progress);
    } else {
      progress.set_no_baseline(has_session_ ? v1::NO_BASELINE_REASON_NO_COMPLETE_FORM
                                            : v1::NO_BASELINE_REASON_NO_SESSION);
    }
    TellWorsening(progress);
    return progress;
  }

 private:
  const v1::ChangeFacts& facts() const { return rules_.instrument().change(); }
  double reliable_change() const {
    if (facts().has_reliable_change()) return facts().reliable_change();
    return computed_.has_value() ? computed_->points() : 0;
  }
  std::string threshold() const {
    if (facts().has_reliable_change()) {
      return absl::StrCat(facts().reliable_change(), " points (published threshold)");
    }
    if (!computed_.has_value()) return "";
    return absl::StrFormat(
        "%.2f points (computed from SD %.4g and %s %.3g)", computed_->points(), computed_->sd(),
        computed_->kind() == v1::RELIABILITY_KIND_RETEST ? "retest reliability" : "alpha",
        computed_->coefficient());
  }
  absl::string_view reliable_change_field() const {
    return facts().has_reliable_change() ? "change.reliable_change" : "change.reliability";
  }
  bool IsReliable(double gain) const {
    return reliable_change() > 0 && gain >= reliable_change() - kTiny;
  }
  absl::CivilDay DayOf(absl::Time instant) const { return absl::ToCivilDay(instant, zone_); }

  int FindBaseline(const std::vector<Session>& sessions) {
    const Session* first = nullptr;
    const Session* second = nullptr;
    for (const Session& session : sessions) {
      if (session.number == 1 && first == nullptr) first = &session;
      if (session.number == 2 && second == nullptr) second = &session;
    }
    has_session_ = first != nullptr;
    if (first == nullptr) return -1;
    int before = -1;
    int after = -1;
    for (size_t i = 0; i < complete_.size(); ++i) {
      const absl::Time at = complete_[i].form->answer_time;
      if (at <= first->start) {
        if (DayOf(first->start) - DayOf(at) <= kBaselineDays) before = static_cast<int>(i);
      } else if (after < 0 && (second == nullptr || at <= second->end)) {
        after = static_cast<int>(i);
      }
    }
    return before >= 0 ? before : after;
  }

  static v1::ProgressPoint PointOf(const Form& form, int session_number) {
    v1::ProgressPoint point;
    point.set_assessment(form.assessment);
    *point.mutable_answer_time() = time::ToTimestamp(form.answer_time);
    point.set_session_number(session_number);
    if (form.has_total) point.set_total(form.total);
    point.set_complete(form.complete);
    point.set_prorated(form.prorated);
    point.set_severity(form.severity);
    return point;
  }

  v1::Change ChangeTo(double total, bool improvement_told) const {
    v1::Change change;
    change.set_points(total - baseline());
    if (facts().true_zero() && baseline() != 0) {
      change.set_percent((total - baseline()) * 100 / baseline());
    }
    change.set_reliable_improvement(improvement_told && ReliablyBetter(total));
    change.set_reliable_deterioration(ReliablyWorse(total));
    return change;
  }

  void TellSignificance(double newest, bool improvement_told,
                        v1::InstrumentProgress& progress) const {
    const v1::Norm& general = facts().general_norm();
    const v1::Norm& clinical = facts().clinical_norm();
    if (general.sd() <= 0 || clinical.sd() <= 0) return;
    const double cutoff = (general.sd() * clinical.mean() + clinical.sd() * general.mean()) /
                          (general.sd() + clinical.sd());
    v1::ClinicallySignificantChange& change = *progress.mutable_clinically_significant();
    change.set_cutoff(cutoff);
    change.set_met(improvement_told && rules_.Gain(baseline(), cutoff) > 0 &&
                   rules_.Gain(cutoff, newest) > 0 && ReliablyBetter(newest));
  }

  void TellWorsening(v1::InstrumentProgress& progress) const {
    if (complete_.size() < 2) return;
    const double newest = complete_.back().form->total;
    double best = complete_.front().form->total;
    for (size_t i = 0; i + 1 < complete_.size(); ++i) {
      const double total = complete_[i].form->total;
      if (rules_.Gain(best, total) > 0) best = total;
    }
    const auto tell = [&](v1::Reference reference, double total) {
      const double worse = -rules_.Gain(total, newest);
      if (!IsReliable(worse)) return;
      v1::Worsening& worsening = *progress.add_worsening();
      worsening.set_reference(reference);
      worsening.set_points(worse);
    };
    if (has_baseline()) tell(v1::REFERENCE_BASELINE, baseline());
    tell(v1::REFERENCE_PREVIOUS, complete_[complete_.size() - 2].form->total);
    tell(v1::REFERENCE_BEST, best);
  }

  bool IsFullSyndrome(const Form& form) const {
    return !facts().full_syndrome_flag().empty() && rules_.IsCase(form.total) && form.full_syndrome;
  }

  // Whether an estimate between two forms contradicts a remission that spans them.
  bool EstimateAboveLevel(absl::Time after, absl::Time until) const {
    return std::any_of(forms_.begin(), forms_.end(), [&](const Form& form) {
      return form.has_total && !form.complete && form.answer_time > after &&
             form.answer_time <= until && !rules_.AtRemission(form.total);
    });
  }

  std::string Sourced(absl::string_view rule, absl::string_view field) const {
    const std::string source(rules_.SourceOf(field));
    return source.empty() ? std::string(rule) : absl::StrCat(rule, " [", source, "]");
  }

  void TellMilestones(const Withheld& withheld, v1::InstrumentProgress& progress) const {
    const std::string from = absl::StrCat("the baseline of ", Figure(baseline()));
    const std::string better = Sourced(
        absl::StrCat("at least ", threshold(), " better than ", from), reliable_change_field());
    const std::string worse = Sourced(absl::StrCat("at least ", threshold(), " worse than ", from),
                                      reliable_change_field());
    const std::string response =
        Sourced(absl::StrCat("improved by at least ", facts().response_percent(), " % from ", from,
                             ", a case"),
                "change.response_percent");
    const bool lower = rules_.instrument().direction() == v1::DIRECTION_LOWER_BETTER;
    const std::string at_level =
        absl::StrCat(lower ? "at most " : "at least ", facts().remission_cutoff());
    const std::string level =
        Sourced(absl::StrCat("one total of ", at_level), "change.remission_cutoff");
    const std::string remission =
        absl::StrCat("all totals ", at_level, " for at least ", kRemissionDays,
                     " days, at least 2 of them [Rapport clinical rule 5.2]");
    const std::string sustained =
        absl::StrCat("all totals ", at_level, " for at least ", kSustainedMonths,
                     " months [Frank 1991; Rapport clinical rule 5.2]");
    const std::string full_syndrome =
        absl::StrCat("a total ", lower ? "of at least " : "of at most ", facts().case_cutoff(),
                     " with ", facts().full_syndrome_flag());
    const std::string relapse =
        absl::StrCat(full_syndrome, " after remission [Rapport clinical rule 5.2]");
    const std::string recurrence =
        absl::StrCat(full_syndrome, " after sustained recovery [Rapport clinical rule 5.2]");

    enum class After { kNothing, kRemission, kSustained };
    After after = After::kNothing;
    bool relapsed = false;
    bool recurred = false;
    const Form* run_start = nullptr;  // of the unbroken totals at remission level
    const Form* run_last = nullptr;
    Milestones milestones;
    const std::vector<Point> all = points();
    for (size_t i = 1; i < all.size(); ++i) {
      const Form& form = *all[i].form;
      const absl::Time at = form.answer_time;
      const auto tell = [&](v1::Term term, bool met, const std::string& rule) {
        milestones.Tell(term, met, at, all[i].session_number, rule);
      };
      const bool told = !withheld.Improvement(at);
      tell(v1::TERM_RELIABLE_IMPROVEMENT, told && ReliablyBetter(form.total), better);
      tell(v1::TERM_RELIABLE_DETERIORATION, ReliablyWorse(form.total), worse);
      if (!baseline_is_case()) continue;

      tell(v1::TERM_RESPONSE,
           told && facts().response_percent() > 0 && facts().true_zero() && baseline() > 0 &&
               rules_.Gain(baseline(), form.total) * 100 >=
                   facts().response_percent() * baseline() - kTiny,
           response);

      const bool at_remission = rules_.AtRemission(form.total) && !withheld.Remission(at);
      if (!at_remission) {
        run_start = nullptr;
      } else if (run_start == nullptr || EstimateAboveLevel(run_last->answer_time, at)) {
        run_start = &form;
      }
      run_last = &form;
      const bool in_remission = run_start != nullptr && run_start != &form &&
                                DayOf(at) - DayOf(run_start->answer_time) >= kRemissionDays;
      const bool in_recovery =
          in_remission && DayOf(at) >= SixMonthsAfter(DayOf(run_start->answer_time));
      tell(v1::TERM_REMISSION_LEVEL, at_remission, level);
      tell(v1::TERM_REMISSION, in_remission, remission);
      tell(v1::TERM_SUSTAINED_RECOVERY, in_recovery, sustained);
      if (in_recovery) {
        after = After::kSustained;
      } else if (in_remission && after == After::kNothing) {
        after = After::kRemission;
      }

      if (IsFullSyndrome(form)) {
        if (after == After::kRemission) relapsed = true;
        if (after == After::kSustained) recurred = true;
        after = After::kNothing;
      } else {
        relapsed = recurred = false;
      }
      tell(v1::TERM_POSSIBLE_RELAPSE, relapsed, relapse);
      tell(v1::TERM_POSSIBLE_RECURRENCE, recurred, recurrence);
    }
    milestones.Write(progress.mutable_milestones());
  }

  static absl::CivilDay SixMonthsAfter(absl::CivilDay day) {
    return absl::CivilDay(day.year(), day.month() + kSustainedMonths, day.day());
  }

  const InstrumentRules& rules_;
  const std::vector<Form>& forms_;
  const absl::TimeZone zone_;
  const std::vector<int> numbers_;
  const std::optional<v1::ComputedReliableChange> computed_;
  bool has_session_ = false;
  std::vector<Point> complete_;
  int baseline_ = -1;  // index in complete_
};

// The series that measures `what`, has a baseline, and comes first in the plan; those outside of
// the plan come last. Null: none.
const SeriesProgress* Measuring(const std::vector<SeriesProgress>& all,
                                const std::vector<std::string>& plan, v1::Measured what) {
  const SeriesProgress* first = nullptr;
  auto first_place = plan.end();
  for (const SeriesProgress& series : all) {
    if (series.rules().instrument().measures() != what || !series.has_baseline()) continue;
    const auto place = std::find(plan.begin(), plan.end(), series.rules().id());
    if (first == nullptr || place < first_place) {
      first = &series;
      first_place = place;
    }
  }
  return first;
}

void TellCourse(const std::vector<SeriesProgress>& all, const ProgressInput& input,
                const Withheld& withheld, v1::Progress& progress) {
  const SeriesProgress* measures[] = {Measuring(all, input.plan, v1::MEASURED_DEPRESSION),
                                      Measuring(all, input.plan, v1::MEASURED_ANXIETY)};
  struct Step {
    Point point;
    int measure;
  };
  std::vector<Step> steps;
  for (int m = 0; m < 2; ++m) {
    if (measures[m] == nullptr) continue;
    for (const Point& point : measures[m]->points()) steps.push_back({point, m});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
    return a.point.form->answer_time < b.point.form->answer_time;
  });

  static const auto& kImprovement = *new std::string(
      "reliable improvement on the depression or the anxiety measure, with no reliable "
      "deterioration on the other [NHS talking therapies]");
  static const auto& kRecovery = *new std::string(
      "a case on the depression or the anxiety measure at baseline, below the cut-off on both "
      "[NHS talking therapies]");
  static const auto& kBoth =
      *new std::string("reliable improvement and case recovery together [NHS talking therapies]");

  Milestones milestones;
  std::optional<double> now[2];
  for (const Step& step : steps) {
    now[step.measure] = step.point.form->total;
    bool improved = false;
    bool worse = false;
    bool was_case = false;
    bool below = true;
    for (int m = 0; m < 2; ++m) {
      if (!now[m]) {
        below = false;  // recovery is told on both or not at all
        continue;
      }
      improved |= measures[m]->ReliablyBetter(*now[m]);
      worse |= measures[m]->ReliablyWorse(*now[m]);
      was_case |= measures[m]->baseline_is_case();
      below &= measures[m]->rules().instrument().change().has_case_cutoff() &&
               !measures[m]->rules().IsCase(*now[m]);
    }
    const absl::Time at = step.point.form->answer_time;
    const bool recovered = was_case && below && !withheld.Remission(at);
    const bool improvement = improved && !worse && !withheld.Improvement(at);
    const auto tell = [&](v1::Term term, bool met, const std::string& rule) {
      milestones.Tell(term, met, step.point.form->answer_time, step.point.session_number, rule);
    };
    tell(v1::TERM_RELIABLE_IMPROVEMENT, improvement, kImprovement);
    tell(v1::TERM_CASE_RECOVERY, recovered, kRecovery);
    tell(v1::TERM_RELIABLE_RECOVERY, improvement && recovered, kBoth);
  }
  milestones.Write(progress.mutable_milestones());
}

}  // namespace

std::optional<v1::ComputedReliableChange> ComputedReliableChangeOf(const v1::ChangeFacts& facts) {
  const v1::Reliability* chosen = nullptr;
  for (const v1::Reliability& reliability : facts.reliability()) {
    if (reliability.kind() == v1::RELIABILITY_KIND_RETEST) {
      chosen = &reliability;
      break;
    }
    if (reliability.kind() == v1::RELIABILITY_KIND_ALPHA && chosen == nullptr) {
      chosen = &reliability;
    }
  }
  if (chosen == nullptr || facts.sd() <= 0) return std::nullopt;
  v1::ComputedReliableChange change;
  change.set_sd(facts.sd());
  change.set_coefficient(chosen->coefficient());
  change.set_kind(chosen->kind());
  change.set_points(1.96 * facts.sd() * std::sqrt(2 * (1 - chosen->coefficient())));
  return change;
}

void TellItemChanges(const InstrumentRules& rules, const Sheet& baseline, const Sheet& newest,
                     v1::InstrumentProgress& progress) {
  for (int item = 1; item <= rules.items(); ++item) {
    const int before = ItemScore(rules, baseline, item);
    const int after = ItemScore(rules, newest, item);
    if (before == Sheet::kUnanswered && after == Sheet::kUnanswered) continue;
    v1::ItemChange& change = *progress.add_item_changes();
    change.set_item(item);
    change.set_label(rules.item(item).label());
    if (before != Sheet::kUnanswered) change.set_baseline(before);
    if (after != Sheet::kUnanswered) change.set_newest(after);
  }
}

const v1::ProgressPoint* NewestComplete(const v1::InstrumentProgress& progress) {
  for (int i = progress.points_size() - 1; i >= 0; --i) {
    const v1::ProgressPoint& point = progress.points(i);
    if (point.complete() && point.has_total()) return &point;
  }
  return nullptr;
}

v1::Progress ComputeProgress(const ProgressInput& input) {
  v1::Progress progress;
  progress.set_course(input.course);
  progress.set_patient(input.patient);
  std::vector<SeriesProgress> all;
  std::vector<TrackedSeries> tracked;
  all.reserve(input.series.size());
  for (const Series& series : input.series) {
    if (series.forms.empty()) continue;
    all.emplace_back(series, input);
    tracked.push_back(all.back().Tracked());
  }
  Track track = TrackOf({.protocol = input.protocol,
                         .zone = input.zone,
                         .now = input.now,
                         .sessions = input.sessions,
                         .series = tracked,
                         .primary = input.plan.empty() ? "" : absl::string_view(input.plan.front()),
                         .primary_due = input.primary_due,
                         .rules = input.rules});
  for (const SeriesProgress& series : all)
    *progress.add_instruments() = series.Tell(track.withheld);
  TellCourse(all, input, track.withheld, progress);
  for (v1::ProgressFlag& flag : track.flags) *progress.add_flags() = std::move(flag);
  return progress;
}

}  // namespace rapport::assessment
