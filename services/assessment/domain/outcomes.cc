#include "services/assessment/domain/outcomes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/time/convert.h"
#include "services/assessment/domain/disclosure.h"

namespace rapport::assessment {
namespace {

namespace proto = scheduling::v1;

constexpr int kEffectSizeCourses = 10;
constexpr double kLimit95 = 1.96;
constexpr double kLimit998 = 3.09;

double Mean(double sum, int64_t n) { return n == 0 ? 0 : sum / static_cast<double>(n); }

// Σ(x − mean)²
double Deviation(double sum, double squared, int64_t n) {
  return n == 0 ? 0 : std::max(0.0, squared - sum * sum / static_cast<double>(n));
}

double StandardDeviation(double sum, double squared, int64_t n) {
  return n < 2 ? 0 : std::sqrt(Deviation(sum, squared, n) / static_cast<double>(n - 1));
}

bool Holds(const v1::InstrumentProgress& progress, v1::Term term) {
  return std::any_of(progress.milestones().begin(), progress.milestones().end(),
                     [&](const v1::Milestone& milestone) {
                       return milestone.term() == term && milestone.holds();
                     });
}

int TenthOf(const InstrumentRules& rules, double total) {
  const double tenth = 10 * (total - rules.min_total()) / (rules.max_total() - rules.min_total());
  return std::isfinite(tenth) ? std::clamp(static_cast<int>(std::floor(tenth)), 0, 9) : 0;
}

}  // namespace

std::optional<CourseOutcome> OutcomeOf(const proto::CourseEvent& course,
                                       absl::Span<const proto::AppointmentEvent> sessions,
                                       int problem_area, absl::TimeZone clinic_zone) {
  CourseOutcome outcome;
  outcome.first_session = absl::InfiniteFuture();
  for (const proto::AppointmentEvent& session : sessions) {
    switch (session.state()) {
      case proto::APPOINTMENT_STATE_CHECKED_IN:
      case proto::APPOINTMENT_STATE_COMPLETED:
        if (!session.counts_towards_course()) break;
        ++outcome.held;
        outcome.first_session = std::min(outcome.first_session, time::ToTime(session.start_time()));
        break;
      case proto::APPOINTMENT_STATE_NO_SHOW:
        ++outcome.missed;
        break;
      case proto::APPOINTMENT_STATE_CANCELLED:
        if (session.cancelled_late()) ++outcome.cancelled_late;
        break;
      default:
        break;
    }
  }
  if (outcome.held == 0) return std::nullopt;

  outcome.clinic = course.clinic();
  outcome.clinician = course.clinician();
  outcome.protocol = course.protocol().substr(0, course.protocol().find("/revisions/"));
  outcome.problem_area = problem_area;
  outcome.month = MonthOf(absl::ToCivilDay(outcome.first_session, clinic_zone));
  outcome.planned = course.planned_sessions();
  if (course.state() == proto::COURSE_STATE_COMPLETED ||
      course.state() == proto::COURSE_STATE_MAINTENANCE || course.has_maintenance()) {
    outcome.state = CourseOutcome::kCompleted;
  } else if (course.state() == proto::COURSE_STATE_DISCONTINUED) {
    outcome.state = CourseOutcome::kEnded;
    outcome.ended_before_planned = outcome.held < outcome.planned;
    outcome.ended_before_half = 2 * outcome.held < outcome.planned;
  }
  return outcome;
}

std::optional<ScoreOutcome> OutcomeOf(const InstrumentRules& rules,
                                      const v1::InstrumentProgress& progress) {
  if (!progress.has_baseline() || !progress.has_change()) return std::nullopt;
  ScoreOutcome outcome;
  outcome.instrument = std::string(rules.id());
  outcome.baseline = progress.baseline().total();
  outcome.last = outcome.baseline + progress.change().points();
  outcome.gain = rules.Gain(outcome.baseline, outcome.last);
  outcome.baseline_tenth = TenthOf(rules, outcome.baseline);
  outcome.was_case = progress.response_applicable();
  outcome.responded = Holds(progress, v1::TERM_RESPONSE);
  outcome.at_remission_level = Holds(progress, v1::TERM_REMISSION_LEVEL);
  outcome.reliable = progress.change().reliable_improvement()     ? 1
                     : progress.change().reliable_deterioration() ? -1
                                                                  : 0;
  return outcome;
}

void ScoreSums::Add(const ScoreSums& other) {
  n += other.n;
  baseline += other.baseline;
  baseline_squared += other.baseline_squared;
  last += other.last;
  gain += other.gain;
  gain_squared += other.gain_squared;
  cases += other.cases;
  responded += other.responded;
  at_remission_level += other.at_remission_level;
  improved += other.improved;
  deteriorated += other.deteriorated;
}

void CourseSums::Add(const CourseSums& other) {
  started += other.started;
  completed += other.completed;
  ended_before_planned += other.ended_before_planned;
  ended_before_half += other.ended_before_half;
  under_way += other.under_way;
  held += other.held;
  missed += other.missed;
  cancelled_late += other.cancelled_late;
  scored.Add(other.scored);
  completers.Add(other.completers);
}

v1::OutcomeFigures FiguresOf(const ScoreSums& sums) {
  v1::OutcomeFigures figures;
  const double sd = StandardDeviation(sums.baseline, sums.baseline_squared, sums.n);
  const double change_sd = StandardDeviation(sums.gain, sums.gain_squared, sums.n);
  const double change = Mean(sums.gain, sums.n);
  figures.set_n(static_cast<int32_t>(sums.n));
  figures.set_baseline_mean(Mean(sums.baseline, sums.n));
  figures.set_baseline_sd(sd);
  figures.set_last_mean(Mean(sums.last, sums.n));
  figures.set_change_mean(change);
  figures.set_change_sd(change_sd);
  if (sums.n >= kEffectSizeCourses && sd > 0) {
    const auto n = static_cast<double>(sums.n);
    const double d = change / sd * (1 - 3 / (4 * (n - 1) - 1));
    const double ratio = change_sd / sd;
    const double margin = kLimit95 * std::sqrt(ratio * ratio / n + d * d / (2 * (n - 1)));
    figures.set_effect_size(d);
    figures.set_effect_size_low(d - margin);
    figures.set_effect_size_high(d + margin);
  }
  figures.set_cases(static_cast<int32_t>(sums.cases));
  figures.set_responded(static_cast<int32_t>(sums.responded));
  figures.set_at_remission_level(static_cast<int32_t>(sums.at_remission_level));
  figures.set_reliably_improved(static_cast<int32_t>(sums.improved));
  figures.set_reliably_deteriorated(static_cast<int32_t>(sums.deteriorated));
  figures.set_no_reliable_change(static_cast<int32_t>(sums.n - sums.improved - sums.deteriorated));
  return figures;
}

v1::OutcomeCell CellOf(const CourseSums& sums) {
  v1::OutcomeCell cell;
  cell.set_started(static_cast<int32_t>(sums.started));
  cell.set_with_two_scores(static_cast<int32_t>(sums.scored.n));
  cell.set_completed(static_cast<int32_t>(sums.completed));
  cell.set_ended_before_planned(static_cast<int32_t>(sums.ended_before_planned));
  cell.set_ended_before_half(static_cast<int32_t>(sums.ended_before_half));
  cell.set_under_way(static_cast<int32_t>(sums.under_way));
  if (sums.started > 0) {
    cell.set_percent_without_data(static_cast<double>(sums.started - sums.scored.n) * 100 /
                                  static_cast<double>(sums.started));
  }
  if (sums.scored.n > 0) *cell.mutable_intention_to_treat() = FiguresOf(sums.scored);
  if (sums.completers.n > 0) *cell.mutable_completers() = FiguresOf(sums.completers);
  cell.set_sessions_held(static_cast<int32_t>(sums.held));
  cell.set_sessions_missed(static_cast<int32_t>(sums.missed));
  cell.set_sessions_cancelled_late(static_cast<int32_t>(sums.cancelled_late));
  return cell;
}

std::optional<v1::Funnel> FunnelOf(const ByTenth& own, const ByTenth& organization) {
  struct Severity {
    ScoreSums own;
    ScoreSums all;
  };
  std::vector<Severity> severities(1);
  for (size_t tenth = 0; tenth < own.size(); ++tenth) {
    if (severities.back().all.n >= kFunnelCourses) severities.emplace_back();
    severities.back().own.Add(own[tenth]);
    severities.back().all.Add(organization[tenth]);
  }
  if (severities.size() > 1 && severities.back().all.n < kFunnelCourses) {
    severities[severities.size() - 2].own.Add(severities.back().own);
    severities[severities.size() - 2].all.Add(severities.back().all);
    severities.pop_back();
  }

  int64_t n = 0;
  double expected = 0;
  double variance = 0;
  for (const auto& [mine, all] : severities) {
    if (mine.n == 0) continue;
    const int64_t others = all.n - mine.n;
    if (all.n < kFunnelCourses || (others > 0 && others < kLeastCell)) return std::nullopt;
    const double sd = StandardDeviation(all.gain, all.gain_squared, all.n);
    n += mine.n;
    expected += static_cast<double>(mine.n) * Mean(all.gain, all.n);
    variance += static_cast<double>(mine.n) * sd * sd;
  }
  if (n == 0) return std::nullopt;
  expected /= static_cast<double>(n);
  const double error = std::sqrt(variance) / static_cast<double>(n);
  v1::Funnel funnel;
  funnel.set_expected_change(expected);
  funnel.set_low_95(expected - kLimit95 * error);
  funnel.set_high_95(expected + kLimit95 * error);
  funnel.set_low_998(expected - kLimit998 * error);
  funnel.set_high_998(expected + kLimit998 * error);
  funnel.set_label("Not case-mix adjusted: compared by baseline severity alone.");
  return funnel;
}

}  // namespace rapport::assessment
