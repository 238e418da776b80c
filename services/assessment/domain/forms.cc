#include "services/assessment/domain/forms.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "services/assessment/domain/rhythm.h"

namespace rapport::assessment {
namespace {

constexpr int kMinutesADay = 24 * 60;

// A week of a diary, by the days of some week: the score is of clock times alone.
std::optional<Refusal> ScoreDiary(const InstrumentRules& rules, const v1::AnsweredForm& form,
                                  v1::Score& score) {
  const v1::SocialRhythmRule& rule = rules.instrument().social_rhythm();
  const int activities = rule.activities_size();
  const bool none =
      absl::c_all_of(form.codes(), [](int code) { return code == Sheet::kUnanswered; });
  const int days = form.codes_size() / activities;
  if ((form.codes_size() % activities != 0 && !none) || days > rule.diary_days()) {
    return Refusal{"WRONG_ANSWER_COUNT", "answers",
                   absl::StrCat("must be at most ", rule.diary_days(), " days of ", activities,
                                " activities")};
  }
  const absl::CivilDay first(2000, 1, 3);
  google::type::Date start;
  start.set_year(static_cast<int>(first.year()));
  start.set_month(first.month());
  start.set_day(first.day());
  std::vector<v1::RhythmDay> diary;
  for (int day = 0; day < days; ++day) {
    v1::RhythmDay entry;
    *entry.mutable_date() = start;
    entry.mutable_date()->set_day(start.day() + day);
    for (int activity = 0; activity < activities; ++activity) {
      const int minutes = form.codes(day * activities + activity);
      if (minutes == Sheet::kUnanswered) continue;
      if (minutes < 0 || minutes >= kMinutesADay) {
        return Refusal{"ANSWER_OUT_OF_RANGE", absl::StrCat("answers[", day, "][", activity, "]"),
                       "must be a time of day"};
      }
      v1::RhythmEntry& done = *entry.add_entries();
      done.set_activity(activity + 1);
      done.mutable_time()->set_hours(minutes / 60);
      done.mutable_time()->set_minutes(minutes % 60);
    }
    if (!entry.entries().empty()) diary.push_back(std::move(entry));
  }
  const v1::RhythmWeek week = ComputeRhythm(rule, start, diary);
  score.set_complete(week.complete());
  if (week.has_score()) score.set_total(week.score());
  score.set_severity(week.level());
  for (const v1::ContextValue& given : form.context()) {
    if (given.id() != "age") score.add_unknown_context(given.id());
  }
  return std::nullopt;
}

std::optional<Refusal> ScoreTotal(const InstrumentRules& rules, const v1::AnsweredForm& form,
                                  v1::Score& score) {
  if (!form.codes().empty()) return Refusal{"TOTAL_NOT_TAKEN", "total", "excludes answers"};
  auto scored = ScoreTotalOnly(rules, form.total_only(), form.context());
  if (auto* refusal = std::get_if<Refusal>(&scored)) {
    if (refusal->field == "total_only") refusal->field = "total";
    return std::move(*refusal);
  }
  score = std::get<v1::Score>(std::move(scored));
  score.clear_explanation();
  return std::nullopt;
}

std::optional<Refusal> ScoreAnswers(const InstrumentRules& rules, const v1::AnsweredForm& form,
                                    v1::Score& score) {
  auto sheet = Sheet::ReadInOrder(
      rules, absl::MakeConstSpan(form.codes().data(), static_cast<size_t>(form.codes_size())),
      form.context());
  if (auto* refusal = std::get_if<Refusal>(&sheet)) return std::move(*refusal);
  ScoreSheet(rules, std::get<Sheet>(sheet), /*explain=*/false, score);
  return std::nullopt;
}

std::optional<Refusal> Score(const InstrumentRules* rules, const v1::AnsweredForm& form,
                             v1::Score& score) {
  if (rules == nullptr) return UnknownInstrument();
  if (form.has_total_only()) return ScoreTotal(*rules, form, score);
  if (rules->instrument().has_social_rhythm()) return ScoreDiary(*rules, form, score);
  return ScoreAnswers(*rules, form, score);
}

}  // namespace

Refusal UnknownInstrument() {
  return {"UNKNOWN_INSTRUMENT", "instrument", "must be an instrument that ListInstruments tells"};
}

void ScoreForm(const InstrumentRules* rules, const v1::AnsweredForm& form, v1::ScoredForm& scored) {
  std::optional<Refusal> refusal = Score(rules, form, *scored.mutable_score());
  if (!refusal) return;
  scored.clear_score();
  scored.mutable_refusal()->set_reason(std::move(refusal->reason));
  scored.mutable_refusal()->set_field(std::move(refusal->field));
  scored.mutable_refusal()->set_description(std::move(refusal->description));
}

}  // namespace rapport::assessment
