#include "services/assessment/domain/track.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "common/time/convert.h"

namespace rapport::assessment {
namespace {

constexpr double kTiny = 1e-9;

bool IsFor(const v1::TrackRule& rule, absl::string_view protocol) {
  const auto is = [&](const std::string& id) { return id == protocol; };
  if (!rule.protocols().empty()) return absl::c_any_of(rule.protocols(), is);
  return absl::c_none_of(rule.except_protocols(), is);
}

bool Scored(const Form& form) { return form.complete && form.has_total; }

std::string Points(double points) {
  return absl::StrCat(points, points == 1 ? " point" : " points");
}

// A change for the better by `gain`; negative: for the worse.
std::string Improved(double gain) {
  if (gain == 0) return "has not changed";
  return absl::StrCat(gain > 0 ? "improved by " : "worsened by ", Points(std::abs(gain)));
}

std::string Cited(absl::string_view text, const v1::TrackRule& rule) {
  return absl::StrCat(text, " [", rule.citation(), "]");
}

// How sure the threshold's source is; of a computed one the suite's own doing.
v1::FactConfidence ConfidenceIn(const v1::Instrument& instrument) {
  if (instrument.change().has_reliable_change()) {
    for (const auto& source : instrument.sources()) {
      for (const absl::string_view fact : absl::StrSplit(source.facts(), ',')) {
        if (absl::StripAsciiWhitespace(fact) == "change.reliable_change") {
          return source.confidence();
        }
      }
    }
  }
  return v1::FACT_CONFIDENCE_OWN;
}

// A flag that comes and goes.
class Episode {
 public:
  Episode(v1::ProgressFlagKind kind, absl::string_view instrument, const v1::TrackRule* rule) {
    flag_.set_kind(kind);
    flag_.set_instrument(std::string(instrument));
    if (rule == nullptr) return;
    flag_.set_sample_size(rule->sample_size());
    flag_.set_evidence(rule->evidence());
    flag_.set_confidence(rule->confidence());
  }

  bool holds() const { return flag_.holds(); }
  v1::ProgressFlag& flag() { return flag_; }

  void Begin(absl::Time at, int session_number, std::string rule) {
    if (holds()) return;
    began_ = at;
    *flag_.mutable_time() = time::ToTimestamp(at);
    flag_.set_session_number(session_number);
    flag_.set_rule(std::move(rule));
    flag_.set_holds(true);
  }
  void End() { flag_.set_holds(false); }

  void Write(std::vector<std::pair<absl::Time, v1::ProgressFlag>>& flags) const {
    if (flag_.has_time()) flags.emplace_back(began_, flag_);
  }

 private:
  v1::ProgressFlag flag_;
  absl::Time began_;
};

class Tracker {
 public:
  explicit Tracker(const TrackInput& input) : input_(input) {}

  Track Run() {
    // Good news waits for what withholds it.
    for (const v1::TrackRule& rule : input_.rules) {
      if (!IsFor(rule, input_.protocol)) continue;
      if (rule.has_sudden_fall()) TellSuddenFall(rule);
      if (rule.has_elevation_signs()) TellElevation(rule);
    }
    for (const v1::TrackRule& rule : input_.rules) {
      if (!IsFor(rule, input_.protocol)) continue;
      if (rule.has_early_change()) TellEarlyChange(rule);
      if (rule.has_missing_forms()) TellMissing(rule);
    }
    for (const TrackedSeries& series : input_.series) TellWorsening(series);
    std::stable_sort(flags_.begin(), flags_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [time, flag] : flags_) track_.flags.push_back(std::move(flag));
    return std::move(track_);
  }

 private:
  absl::CivilDay DayOf(absl::Time at) const { return absl::ToCivilDay(at, input_.zone); }
  absl::Time StartOf(absl::CivilDay day) const { return absl::FromCivil(day, input_.zone); }

  const TrackedSeries* Find(absl::string_view instrument) const {
    for (const TrackedSeries& series : input_.series) {
      if (series.rules->id() == instrument) return &series;
    }
    return nullptr;
  }
  static absl::string_view NameOf(const TrackedSeries& series) {
    return series.rules->instrument().display_name();
  }

  void TellEarlyChange(const v1::TrackRule& rule) {
    const v1::EarlyChange& change = rule.early_change();
    const TrackedSeries* series = Find(rule.instrument());
    const auto first = absl::c_find_if(input_.sessions,
                                       [](const Session& session) { return session.number == 1; });
    if (series == nullptr || series->baseline < 0 || first == input_.sessions.end()) return;
    const double baseline = (*series->forms)[series->baseline].total;
    if (!series->rules->IsCase(baseline) || baseline <= 0) return;
    const bool by_percent = change.least_percent() > 0;
    const std::string least =
        by_percent ? absl::StrCat(change.least_percent(), " %") : Points(change.least_points());

    Episode met(v1::PROGRESS_FLAG_KIND_ON_TRACK, rule.instrument(), &rule);
    Episode missed(change.flag(), rule.instrument(), &rule);
    for (size_t i = series->baseline + 1; i < series->forms->size(); ++i) {
      const Form& form = (*series->forms)[i];
      if (!Scored(form)) continue;
      const int64_t day = DayOf(form.answer_time) - DayOf(first->start);
      const int number = series->numbers[i];
      const bool within = change.from_session() > 0
                              ? number >= change.from_session() && number <= change.to_session()
                              : day >= change.from_day() && day <= change.to_day();
      const double points = series->rules->Gain(baseline, form.total);
      const double percent = points * 100 / baseline;
      const bool enough = by_percent ? percent >= change.least_percent() - kTiny
                                     : points >= change.least_points() - kTiny;
      if (enough) {
        missed.End();
      } else {
        met.End();
      }
      if (!within) continue;
      const std::string figures =
          absl::StrCat(NameOf(*series), " ", Improved(points),
                       by_percent ? absl::StrFormat(", %.3g %%", percent) : std::string(), " (",
                       baseline, " to ", form.total, ") by ", change.label(), ", ");
      if (!enough) {
        missed.Begin(form.answer_time, number,
                     Cited(absl::StrCat(figures, "less than the ", least, " expected"), rule));
      } else if (!track_.withheld.Improvement(form.answer_time)) {
        met.Begin(form.answer_time, number,
                  Cited(absl::StrCat(figures, "at least the ", least, " expected"), rule));
      }
    }
    if (met.holds() && !series->forms->empty() &&
        track_.withheld.Improvement(series->forms->back().answer_time)) {
      met.End();
    }
    met.Write(flags_);
    missed.Write(flags_);
  }

  void TellSuddenFall(const v1::TrackRule& rule) {
    const v1::SuddenFall& fall = rule.sudden_fall();
    const TrackedSeries* series = Find(rule.instrument());
    if (series == nullptr) return;
    const TrackedSeries* mania = Find(fall.cleared_by());
    Episode episode(v1::PROGRESS_FLAG_KIND_CHECK_FOR_ELEVATION, rule.instrument(), &rule);
    for (size_t i = 0; i < series->forms->size(); ++i) {
      const Form& form = (*series->forms)[i];
      if (!Scored(form)) continue;
      const Form* highest = nullptr;
      for (size_t j = 0; j < i; ++j) {
        const Form& before = (*series->forms)[j];
        if (Scored(before) &&
            DayOf(form.answer_time) - DayOf(before.answer_time) <= fall.within_days() &&
            (highest == nullptr || series->rules->Gain(before.total, highest->total) > 0)) {
          highest = &before;
        }
      }
      if (highest == nullptr ||
          series->rules->Gain(highest->total, form.total) < fall.least_points() - kTiny) {
        continue;
      }

      const Form* decides = nullptr;
      const Form* ends = nullptr;
      if (mania != nullptr) {
        for (const Form& check : *mania->forms) {
          if (!Scored(check) || DayOf(check.answer_time) < DayOf(form.answer_time)) continue;
          if (decides == nullptr) decides = &check;
          if (check.total < fall.cleared_below()) {
            ends = &check;
            break;
          }
        }
      }
      const std::string scale =
          mania != nullptr ? std::string(NameOf(*mania)) : absl::AsciiStrToUpper(fall.cleared_by());
      episode.End();
      episode.Begin(form.answer_time, series->numbers[i],
                    Cited(absl::StrCat(NameOf(*series), " ",
                                       Improved(series->rules->Gain(highest->total, form.total)),
                                       " (", highest->total, " to ", form.total, ") within ",
                                       fall.within_days(), " days, ", fall.least_points(),
                                       " or more: check for elevation with "
                                       "the ",
                                       scale, "; until one from that day on is below ",
                                       fall.cleared_below(), " no remission or recovery is told"),
                          rule));
      if (ends != nullptr) episode.End();
      if (ends != nullptr && ends == decides) continue;
      track_.withheld.Add(
          form.answer_time,
          ends == nullptr ? absl::InfiniteFuture() : StartOf(DayOf(ends->answer_time)),
          decides == nullptr);
    }
    episode.Write(flags_);
  }

  void TellElevation(const v1::TrackRule& rule) {
    const v1::ElevationSigns& signs = rule.elevation_signs();
    const TrackedSeries* series = Find(rule.instrument());
    if (series == nullptr) return;
    Episode episode(v1::PROGRESS_FLAG_KIND_DIAGNOSTIC_REVIEW, rule.instrument(), &rule);
    absl::Time since;
    for (size_t i = 0; i < series->forms->size(); ++i) {
      const Form& form = (*series->forms)[i];
      const bool by_total = signs.has_at_least();
      if (by_total && !Scored(form)) continue;
      if (by_total ? form.total >= signs.at_least() - kTiny : form.positive) {
        if (episode.holds()) continue;
        since = StartOf(DayOf(form.answer_time));
        episode.Begin(
            form.answer_time, series->numbers[i],
            Cited(absl::StrCat(NameOf(*series),
                               by_total ? absl::StrCat(" of ", form.total, ", ", signs.at_least(),
                                                       " or more")
                                        : std::string(" positive"),
                               " in a protocol that is not made for bipolar disorder: review the "
                               "diagnosis and the protocol; until then no improvement is told"),
                  rule));
      } else if (episode.holds() && signs.ends_with_negative() && form.complete) {
        track_.withheld.Add(since, StartOf(DayOf(form.answer_time)), false);
        episode.End();
      }
    }
    if (episode.holds()) track_.withheld.Add(since, absl::InfiniteFuture(), false);
    episode.Write(flags_);
  }

  void TellMissing(const v1::TrackRule& rule) {
    if (input_.primary.empty()) return;
    const TrackedSeries* series = Find(input_.primary);
    const std::string name =
        series != nullptr ? std::string(NameOf(*series)) : absl::AsciiStrToUpper(input_.primary);
    Episode episode(v1::PROGRESS_FLAG_KIND_MISSING_DATA, input_.primary, &rule);
    std::vector<int> without;
    for (const int position : input_.primary_due) {
      const Session& session = input_.sessions[position];
      if (!session.stands || session.number <= 0 || session.end > input_.now) continue;
      bool there = false;
      for (size_t i = 0; series != nullptr && i < series->forms->size(); ++i) {
        const Form& form = (*series->forms)[i];
        there = there || (Scored(form) && series->numbers[i] == session.number &&
                          session.start - form.answer_time <= absl::Hours(24 * 28));
      }
      if (there) {
        without.clear();
        episode.End();
        continue;
      }
      without.push_back(session.number);
      if (static_cast<int>(without.size()) < rule.missing_forms().sessions()) continue;
      episode.Begin(session.end, session.number,
                    Cited(absl::StrCat("no complete ", name, " for ", without.size(),
                                       " held sessions in a row (", absl::StrJoin(without, ", "),
                                       "), though due at each"),
                          rule));
    }
    episode.Write(flags_);
  }

  void TellWorsening(const TrackedSeries& series) {
    if (series.reliable_change <= 0) return;
    Episode episode(v1::PROGRESS_FLAG_KIND_RELIABLE_WORSENING, series.rules->id(), nullptr);
    const InstrumentRules& rules = *series.rules;
    const Form* previous = nullptr;
    const Form* best = nullptr;
    for (size_t i = 0; i < series.forms->size(); ++i) {
      const Form& form = (*series.forms)[i];
      if (!Scored(form)) continue;
      std::vector<std::string> against;
      const auto compare = [&](absl::string_view with, const Form* other) {
        if (other == nullptr || other == &form) return;
        const double worse = -rules.Gain(other->total, form.total);
        if (worse < series.reliable_change - kTiny) return;
        against.push_back(absl::StrCat(with, " (", other->total, ")"));
      };
      if (series.baseline >= 0 && static_cast<int>(i) > series.baseline) {
        compare("the baseline", &(*series.forms)[series.baseline]);
      }
      compare("the form before", previous);
      compare("the best so far", best);
      if (against.empty()) {
        episode.End();
      } else {
        episode.Begin(form.answer_time, series.numbers[i],
                      absl::StrCat(NameOf(series), " of ", form.total, " is worse than ",
                                   absl::StrJoin(against, " and "), " by at least ",
                                   series.reliable_change_rule));
      }
      previous = &form;
      if (best == nullptr || rules.Gain(best->total, form.total) > 0) best = &form;
    }
    v1::ProgressFlag& flag = episode.flag();
    flag.set_evidence(
        "reliable change, by the instrument's file; what it predicts in IPT is not known");
    flag.set_confidence(ConfidenceIn(rules.instrument()));
    episode.Write(flags_);
  }

  const TrackInput& input_;
  Track track_;
  std::vector<std::pair<absl::Time, v1::ProgressFlag>> flags_;
};

}  // namespace

std::vector<std::string> Problems(const v1::TrackRule& rule) {
  std::vector<std::string> problems;
  const auto must = [&](bool holds, absl::string_view otherwise) {
    if (!holds) problems.emplace_back(otherwise);
  };
  must(!rule.id().empty(), "id: needed");
  must(rule.protocols().empty() || rule.except_protocols().empty(),
       "protocols: either these or except_protocols");
  must(rule.has_missing_forms() == rule.instrument().empty(),
       "instrument: needed, but not by missing_forms");
  must(!rule.evidence().empty(), "evidence: needed");
  must(!rule.citation().empty(), "citation: needed");
  must(rule.confidence() != v1::FACT_CONFIDENCE_UNSPECIFIED, "confidence: needed");
  must(rule.sample_size() >= 0, "sample_size: 0 or more");
  switch (rule.look_for_case()) {
    case v1::TrackRule::kEarlyChange: {
      const v1::EarlyChange& change = rule.early_change();
      const bool by_days = change.from_day() > 0 && change.to_day() >= change.from_day();
      const bool by_sessions =
          change.from_session() > 0 && change.to_session() >= change.from_session();
      must(by_days != by_sessions, "early_change: a window either of days or of sessions");
      must((change.least_percent() > 0) != (change.least_points() > 0),
           "early_change: either least_percent or least_points");
      must(change.flag() == v1::PROGRESS_FLAG_KIND_NOT_ON_TRACK ||
               change.flag() == v1::PROGRESS_FLAG_KIND_NON_RESPONSE,
           "early_change.flag: NOT_ON_TRACK or NON_RESPONSE");
      must(!change.label().empty(), "early_change.label: needed");
      break;
    }
    case v1::TrackRule::kSuddenFall:
      must(rule.sudden_fall().least_points() > 0, "sudden_fall.least_points: above 0");
      must(rule.sudden_fall().within_days() > 0, "sudden_fall.within_days: above 0");
      must(!rule.sudden_fall().cleared_by().empty(), "sudden_fall.cleared_by: needed");
      must(rule.sudden_fall().cleared_below() > 0, "sudden_fall.cleared_below: above 0");
      break;
    case v1::TrackRule::kElevationSigns:
      break;
    case v1::TrackRule::kMissingForms:
      must(rule.missing_forms().sessions() >= 1, "missing_forms.sessions: 1 or more");
      break;
    case v1::TrackRule::LOOK_FOR_NOT_SET:
      problems.emplace_back("what it looks for is needed, as early_change");
  }
  return problems;
}

Track TrackOf(const TrackInput& input) { return Tracker(input).Run(); }

}  // namespace rapport::assessment
