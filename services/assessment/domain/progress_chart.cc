#include "services/assessment/domain/progress_chart.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "common/time/convert.h"
#include "services/assessment/domain/progress.h"

namespace rapport::assessment {
namespace {

std::string Figure(double value) { return absl::StrCat(std::round(value * 100) / 100); }

std::string Signed(double value) {
  return absl::StrCat(value < 0 ? "−" : value > 0 ? "+" : "±", Figure(std::abs(value)));
}

const char* TermLabel(v1::Term term) {
  switch (term) {
    case v1::TERM_RELIABLE_IMPROVEMENT:
      return "reliable improvement";
    case v1::TERM_RELIABLE_DETERIORATION:
      return "reliable deterioration";
    case v1::TERM_RESPONSE:
      return "response";
    case v1::TERM_REMISSION_LEVEL:
      return "remission level";
    case v1::TERM_REMISSION:
      return "remission";
    case v1::TERM_SUSTAINED_RECOVERY:
      return "sustained recovery";
    case v1::TERM_CASE_RECOVERY:
      return "case recovery";
    case v1::TERM_RELIABLE_RECOVERY:
      return "reliable recovery";
    case v1::TERM_POSSIBLE_RELAPSE:
      return "possible relapse";
    case v1::TERM_POSSIBLE_RECURRENCE:
      return "possible recurrence";
    default:
      return "";
  }
}

bool IsSetback(v1::Term term) {
  return term == v1::TERM_RELIABLE_DETERIORATION || term == v1::TERM_POSSIBLE_RELAPSE ||
         term == v1::TERM_POSSIBLE_RECURRENCE;
}

const char* PhaseLabel(scheduling::v1::Phase phase) {
  switch (phase) {
    case scheduling::v1::PHASE_INITIAL:
      return "Initial";
    case scheduling::v1::PHASE_MIDDLE:
      return "Middle";
    case scheduling::v1::PHASE_TERMINATION:
      return "Ending";
    case scheduling::v1::PHASE_MAINTENANCE:
      return "Maintenance";
    default:
      return "";
  }
}

class Builder {
 public:
  Builder(const ProgressChart& input, const v1::InstrumentProgress& series)
      : input_(input),
        series_(series),
        instrument_(input.rules->instrument()),
        facts_(instrument_.change()),
        lower_(instrument_.direction() == v1::DIRECTION_LOWER_BETTER),
        higher_(instrument_.direction() == v1::DIRECTION_HIGHER_BETTER) {}

  Chart Build() {
    chart_.id = std::string(input_.rules->id());
    chart_.title = instrument_.display_name();
    chart_.min = input_.rules->min_total();
    chart_.max = input_.rules->max_total();
    chart_.zone = input_.zone;
    Points();
    Bands();
    Lines();
    Sessions();
    Phases();
    Flags();
    Strip();
    Words();
    return std::move(chart_);
  }

 private:
  void Points() {
    for (const v1::ProgressPoint& point : series_.points()) {
      if (!point.has_total()) continue;
      chart_.points.push_back({time::ToTime(point.answer_time()), point.total(), point.complete()});
    }
  }

  // Whether the severities of the forms are those of `set`.
  bool Fits(const v1::BandSet& set, int decimals) const {
    const double unit = std::pow(10, decimals);
    for (const v1::ProgressPoint& point : series_.points()) {
      if (point.severity().empty() || !point.has_total()) continue;
      const double total = std::round(point.total() * unit) / unit;
      const v1::SeverityBand* of = nullptr;
      for (const v1::SeverityBand& band : set.bands()) {
        if (of == nullptr || total >= band.min()) of = &band;
      }
      if (of == nullptr || of->id() != point.severity()) return false;
    }
    return true;
  }

  void Bands() {
    if (input_.rules->total_figure() < 0) return;
    const v1::Figure& total = instrument_.figures(input_.rules->total_figure());
    for (const v1::BandSet& set : total.band_sets()) {
      if (!set.id().empty() || !Fits(set, total.band_decimals())) continue;
      const int n = set.bands_size();
      const double strength = std::min(1.0, 0.4 + 0.12 * n);
      for (int i = 0; i < n; ++i) {
        const auto edge = [&](int above) {
          return (set.bands(above - 1).max() + set.bands(above).min()) / 2;
        };
        const double rank = n < 2 ? 0 : static_cast<double>(i) / (n - 1) * strength;
        chart_.bands.push_back({set.bands(i).label(), i == 0 ? chart_.min : edge(i),
                                i == n - 1 ? chart_.max : edge(i + 1),
                                lower_    ? rank
                                : higher_ ? strength - rank
                                          : 0});
      }
      return;
    }
  }

  void Lines() {
    if (series_.has_baseline()) {
      const double baseline = series_.baseline().total();
      chart_.lines.push_back(
          {ChartLine::Kind::kBaseline, absl::StrCat("baseline ", Figure(baseline)), baseline});
      if (series_.reliable_change_points() > 0 && (lower_ || higher_)) {
        const double at = baseline + (lower_ ? -1 : 1) * series_.reliable_change_points();
        chart_.lines.push_back({ChartLine::Kind::kReliableChange,
                                absl::StrCat("reliable change at ", Figure(at)), at});
      }
    }
    if (facts_.has_case_cutoff()) {
      chart_.lines.push_back(
          {ChartLine::Kind::kCase,
           absl::StrCat(lower_ ? "case from " : "case to ", Figure(facts_.case_cutoff())),
           facts_.case_cutoff()});
    }
    if (facts_.has_remission_cutoff()) {
      chart_.lines.push_back({ChartLine::Kind::kRemission,
                              absl::StrCat(lower_ ? "remission to " : "remission from ",
                                           Figure(facts_.remission_cutoff())),
                              facts_.remission_cutoff()});
    }
  }

  void Sessions() {
    absl::Time until = input_.now;
    if (!chart_.points.empty()) until = std::max(until, chart_.points.back().time);
    for (const ChartSession& session : input_.sessions) {
      if (session.time <= until) chart_.sessions.push_back(session);
    }
  }

  void Phases() {
    int last = 0;
    for (const auto& phase : input_.course->phases()) {
      if (phase.phase() != scheduling::v1::PHASE_MAINTENANCE) {
        last = std::max(last, phase.last_session());
      }
    }
    const int fewer =
        input_.course->planned_sessions() > 0 ? last - input_.course->planned_sessions() : 0;
    const int running = input_.course->segment();
    const int acute = input_.course->has_maintenance() ? running - 1 : running;
    if (acute > 0) chart_.phases.push_back({"Before", absl::InfinitePast()});
    for (const auto& phase : input_.course->phases()) {
      const bool maintenance = phase.phase() == scheduling::v1::PHASE_MAINTENANCE;
      int first = phase.first_session();
      if (phase.phase() == scheduling::v1::PHASE_TERMINATION) first -= fewer;
      if (chart_.phases.empty()) {
        chart_.phases.push_back({PhaseLabel(phase.phase()), absl::InfinitePast()});
      } else {
        BeginPhase(PhaseLabel(phase.phase()), maintenance ? running : acute, first);
      }
    }
    if (input_.course->has_maintenance() &&
        (chart_.phases.empty() || chart_.phases.back().label != "Maintenance")) {
      BeginPhase(PhaseLabel(scheduling::v1::PHASE_MAINTENANCE), running, 1);
    }
  }

  void BeginPhase(absl::string_view label, int segment, int first_session) {
    for (const ChartSession& session : chart_.sessions) {
      if (session.segment != segment || session.number != first_session || session.missed) continue;
      if (chart_.phases.empty() || session.time > chart_.phases.back().start) {
        chart_.phases.push_back({std::string(label), session.time});
      }
      return;
    }
  }

  void Flags() {
    for (const v1::Milestone& milestone : series_.milestones()) {
      chart_.flags.push_back(
          {IsSetback(milestone.term()) ? ChartFlag::Kind::kCaution : ChartFlag::Kind::kMilestone,
           time::ToTime(milestone.reach_time()),
           absl::StrCat(TermLabel(milestone.term()), milestone.holds() ? "" : " (past)")});
    }
    for (const v1::ProgressFlag& flag : input_.progress->flags()) {
      const char* label =
          flag.kind() == v1::PROGRESS_FLAG_KIND_CHECK_FOR_ELEVATION ? "check for elevation"
          : flag.kind() == v1::PROGRESS_FLAG_KIND_DIAGNOSTIC_REVIEW ? "review the diagnosis"
                                                                    : nullptr;
      if (label == nullptr) continue;
      chart_.flags.push_back({ChartFlag::Kind::kCaution, time::ToTime(flag.time()),
                              absl::StrCat(label, flag.holds() ? "" : " (past)")});
    }
    chart_.flags.insert(chart_.flags.end(), input_.events.begin(), input_.events.end());
  }

  void Strip() {
    if (input_.rhythm == nullptr || instrument_.measures() != v1::MEASURED_MANIA) return;
    const v1::SocialRhythmRule& rule = input_.rhythm->instrument().social_rhythm();
    ChartStrip strip;
    for (const v1::RhythmWeek& week : input_.progress->rhythm()) {
      if (!week.has_score()) continue;
      const absl::CivilDay start = time::ToCivilDay(week.start_date());
      strip.points.push_back({absl::FromCivil(absl::CivilHour(start) + 84, input_.zone),
                              week.score(), week.complete()});
    }
    if (strip.points.empty() || rule.max_score() <= 0) return;
    strip.label = absl::StrCat(input_.rhythm->instrument().display_name(), " by week");
    strip.max = rule.max_score();
    if (rule.stable_from() > 0) {
      strip.line = rule.stable_from();
      strip.line_label = absl::StrCat("stable from ", Figure(rule.stable_from()));
    }
    chart_.strip = std::move(strip);
  }

  void Words() {
    const v1::ProgressPoint* newest = NewestComplete(series_);
    std::string figures;
    if (series_.has_baseline()) {
      figures = absl::StrCat("baseline ", Figure(series_.baseline().total()));
      if (series_.has_change()) {
        absl::StrAppend(&figures, ", newest ", Figure(newest->total()), " (",
                        Signed(series_.change().points()),
                        std::abs(series_.change().points()) == 1 ? " point" : " points");
        if (series_.change().has_percent()) {
          absl::StrAppend(&figures, ", ", Signed(std::round(series_.change().percent())), " %");
        }
        absl::StrAppend(&figures, ")");
      }
    } else {
      figures = newest == nullptr ? "no baseline"
                                  : absl::StrCat("no baseline, newest ", Figure(newest->total()));
    }
    chart_.summary = absl::StrCat(figures, lower_    ? " · lower is better"
                                           : higher_ ? " · higher is better"
                                                     : "");

    const auto day = [&](absl::Time at) {
      return absl::FormatCivilTime(absl::ToCivilDay(at, input_.zone));
    };
    chart_.description = absl::StrCat(chart_.title, ", ", chart_.summary, ".");
    if (chart_.points.empty()) return;
    const auto estimated = std::count_if(chart_.points.begin(), chart_.points.end(),
                                         [](const ChartPoint& point) { return !point.complete; });
    absl::StrAppend(&chart_.description, " ", chart_.points.size(), " totals from ",
                    day(chart_.points.front().time), " to ", day(chart_.points.back().time));
    if (estimated > 0) absl::StrAppend(&chart_.description, ", ", estimated, " of them estimated");
    absl::StrAppend(&chart_.description, ".");
    for (const ChartFlag& flag : chart_.flags) {
      absl::StrAppend(&chart_.description, " ", day(flag.time), ": ", flag.label, ".");
    }
  }

  const ProgressChart& input_;
  const v1::InstrumentProgress& series_;
  const v1::Instrument& instrument_;
  const v1::ChangeFacts& facts_;
  const bool lower_;
  const bool higher_;
  Chart chart_;
};

}  // namespace

Chart ChartOf(const ProgressChart& input) {
  const std::string name = absl::StrCat("instruments/", input.rules->id());
  for (const v1::InstrumentProgress& series : input.progress->instruments()) {
    if (series.instrument() == name) return Builder(input, series).Build();
  }
  return Chart();
}

}  // namespace rapport::assessment
