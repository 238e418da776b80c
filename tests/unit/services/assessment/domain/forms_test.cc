#include "services/assessment/domain/forms.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/services/assessment/domain/made.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;

std::unique_ptr<const InstrumentRules> Sum() {
  return Made(absl::StrCat(
      Items(3, 0, 3),
      "items { number: 4 label: 'extra' max: 3 optional: true id: 'difficulty' }\n"
      "context { id: 'sex' label: 'sex' codes: 'female' codes: 'male' }\n"
      "figures { id: 'total' label: 'Total' formula: 'sum(1..3)' max: 9 } total: 'total'\n"));
}

v1::AnsweredForm Form(const std::vector<int32_t>& codes, absl::string_view context = "") {
  v1::AnsweredForm form;
  form.mutable_codes()->Add(codes.begin(), codes.end());
  *form.mutable_context() = ContextOf(context);
  return form;
}

// "REASON field" of a refusal, else the total.
std::string Outcome(const InstrumentRules& rules, const v1::AnsweredForm& form) {
  const v1::ScoredForm scored = ScoreForm(&rules, form);
  EXPECT_NE(scored.has_score(), scored.has_refusal());
  if (scored.has_refusal()) {
    EXPECT_NE(scored.refusal().description(), "");
    return absl::StrCat(scored.refusal().reason(), " ", scored.refusal().field());
  }
  const v1::Score& score = scored.score();
  return score.has_total() ? absl::StrCat(score.total()) : "none";
}

TEST(ScoreForm, ScoresAnswersInItemOrderWithoutExplanation) {
  const auto rules = Sum();
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3})), "6");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3, 0})), "6");
  EXPECT_EQ(Outcome(*rules, Form({1, -1, 3})), "none");
  const v1::Score score =
      ScoreForm(rules.get(), Form({1, -1, 3}, "sex=female difficulty=2 mood=1")).score();
  EXPECT_FALSE(score.has_explanation());
  EXPECT_FALSE(score.complete());
  EXPECT_THAT(score.missing_items(), ElementsAre(2));
  EXPECT_THAT(score.unknown_context(), ElementsAre("mood"));
}

TEST(ScoreForm, RefusesAFormWhoseInstrumentThereIsNot) {
  const v1::ScoredForm scored = ScoreForm(nullptr, Form({1, 2, 3}));
  EXPECT_FALSE(scored.has_score());
  EXPECT_EQ(scored.refusal().reason(), "UNKNOWN_INSTRUMENT");
  EXPECT_EQ(scored.refusal().field(), "instrument");
  EXPECT_NE(scored.refusal().description(), "");
}

TEST(ScoreForm, NamesWhatIsWrongByItsPlace) {
  const auto rules = Sum();
  EXPECT_EQ(Outcome(*rules, Form({})), "WRONG_ANSWER_COUNT answers");
  EXPECT_EQ(Outcome(*rules, Form({1, 2})), "WRONG_ANSWER_COUNT answers");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3, 0, 0})), "WRONG_ANSWER_COUNT answers");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 4})), "ANSWER_OUT_OF_RANGE answers[2]");
  EXPECT_EQ(Outcome(*rules, Form({1, -2, 4})), "ANSWER_OUT_OF_RANGE answers[1]");
  EXPECT_EQ(Outcome(*rules, Form({1 << 16, 0, 0})), "ANSWER_OUT_OF_RANGE answers[0]");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3}, "sex=other")), "INVALID_CONTEXT context.sex");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3}, "sex=1")), "INVALID_CONTEXT context.sex");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3}, "age=151")), "INVALID_CONTEXT context.age");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3}, "mood=1 mood=2")), "INVALID_CONTEXT context.mood");
}

TEST(ScoreForm, TakesItemsByIdFromTheContextAsWholeNumbers) {
  const auto rules = Sum();
  const auto with = [&](double number) {
    v1::AnsweredForm form = Form({1, 2, 3});
    v1::ContextValue& value = *form.add_context();
    value.set_id("difficulty");
    value.set_number(number);
    return Outcome(*rules, form);
  };
  EXPECT_EQ(with(3), "6");
  EXPECT_EQ(with(4), "ANSWER_OUT_OF_RANGE context.difficulty");
  EXPECT_EQ(with(-1), "ANSWER_OUT_OF_RANGE context.difficulty");
  EXPECT_EQ(with(1e18), "ANSWER_OUT_OF_RANGE context.difficulty");
  EXPECT_EQ(with(1.5), "ANSWER_NOT_WHOLE context.difficulty");
  EXPECT_EQ(with(std::nan("")), "ANSWER_NOT_WHOLE context.difficulty");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3}, "difficulty=yes")), "6");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3}, "difficulty=much")),
            "ANSWER_NOT_A_NUMBER context.difficulty");
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3, 2}, "difficulty=2")), "6") << "said twice alike";
  EXPECT_EQ(Outcome(*rules, Form({1, 2, 3, 2}, "difficulty=1")),
            "INVALID_CONTEXT context.difficulty");
  v1::AnsweredForm unset = Form({1, 2, 3});
  unset.add_context()->set_id("difficulty");
  EXPECT_EQ(Outcome(*rules, unset), "6");
}

TEST(ScoreForm, IgnoresAndListsContextOfAnyKindThatItDoesNotKnow) {
  const auto rules = Sum();
  v1::AnsweredForm form = Form({1, 2, 3});
  for (const double number : {0.5, -7.0, 1e300}) {
    v1::ContextValue& value = *form.add_context();
    value.set_id(absl::StrCat("x", form.context_size()));
    value.set_number(number);
  }
  EXPECT_THAT(ScoreForm(rules.get(), form).score().unknown_context(),
              ElementsAre("x1", "x2", "x3"));
}

TEST(ScoreForm, TakesATotalInPlaceOfAnswers) {
  const auto rules = Sum();
  v1::AnsweredForm form;
  form.set_total_only(7);
  EXPECT_EQ(Outcome(*rules, form), "7");
  EXPECT_FALSE(ScoreForm(rules.get(), form).score().has_explanation());
  form.set_total_only(10);
  EXPECT_EQ(Outcome(*rules, form), "TOTAL_OUT_OF_RANGE total");
  form.set_total_only(6.5);
  EXPECT_EQ(Outcome(*rules, form), "TOTAL_OUT_OF_RANGE total");
  form.set_total_only(std::nan(""));
  EXPECT_EQ(Outcome(*rules, form), "TOTAL_OUT_OF_RANGE total");
  form.set_total_only(7);
  form.add_codes(1);
  EXPECT_EQ(Outcome(*rules, form), "TOTAL_NOT_TAKEN total");

  const auto headless = Made(absl::StrCat(
      Items(2, 0, 3), "figures { id: 'one' label: 'One' formula: 'sum(1..2)' max: 6 }\n"));
  v1::AnsweredForm total;
  total.set_total_only(3);
  EXPECT_EQ(Outcome(*headless, total), "TOTAL_NOT_TAKEN total");
}

TEST(ScoreForm, TakesATotalAloneWhereThereAreNoItems) {
  const auto rules = Made("figures { id: 'total' label: 'Total' max: 30 } total: 'total'\n");
  EXPECT_EQ(Outcome(*rules, Form({1, 2})), "NO_ITEMS answers");
  EXPECT_EQ(Outcome(*rules, Form({})), "NO_ITEMS answers");
  v1::AnsweredForm form;
  form.set_total_only(25);
  EXPECT_EQ(Outcome(*rules, form), "25");
}

class DiaryForm : public ::testing::Test {
 protected:
  // The same times, in minutes, on each of `days`.
  static v1::AnsweredForm Days(int days, const std::vector<int32_t>& times) {
    v1::AnsweredForm form;
    for (int day = 0; day < days; ++day) form.mutable_codes()->Add(times.begin(), times.end());
    return form;
  }
  v1::Score Score(const v1::AnsweredForm& form) {
    const v1::ScoredForm scored = ScoreForm(rules_.get(), form);
    EXPECT_TRUE(scored.has_score()) << scored.refusal().field();
    return scored.score();
  }

  const std::unique_ptr<const InstrumentRules> rules_ = Made(
      "social_rhythm { activities: 'up' activities: 'bed' diary_days: 7 min_days: 3"
      " outlier_sd: 1.5 hit_minutes: 45 hit_scope: HIT_SCOPE_ALL_DAYS stable_from: 3.5"
      " max_score: 7 }\n");
};

TEST_F(DiaryForm, OfAWeekIsScored) {
  const v1::Score score = Score(Days(7, {7 * 60, 23 * 60 + 50}));
  EXPECT_EQ(score.total(), 7);
  EXPECT_TRUE(score.complete());
  EXPECT_EQ(score.severity(), "stable");
}

TEST_F(DiaryForm, GoesAroundMidnight) {
  v1::AnsweredForm form;
  for (int day = 0; day < 7; ++day) {
    form.add_codes(-1);
    form.add_codes(day % 2 == 0 ? 0 : 24 * 60 - 1);
  }
  EXPECT_EQ(Score(form).total(), 7) << "00:00 and 23:59 are a minute apart";
}

TEST_F(DiaryForm, CountsDaysWithADiaryOnly) {
  v1::AnsweredForm form = Days(6, {420, 1380});
  form.add_codes(-1);
  form.add_codes(-1);
  const v1::Score score = Score(form);
  EXPECT_EQ(score.total(), 6);
  EXPECT_FALSE(score.complete());
  EXPECT_EQ(score.severity(), "");
  EXPECT_EQ(Score(Days(6, {420, 1380})).SerializeAsString(), score.SerializeAsString())
      << "the last day may be left off";
  EXPECT_FALSE(Score(Days(2, {420, 1380})).has_total()) << "no activity on three days";
}

TEST_F(DiaryForm, OfNoDayAtAllIsIncomplete) {
  for (const int codes : {0, 2, 7, 14}) {
    v1::AnsweredForm form;
    for (int i = 0; i < codes; ++i) form.add_codes(-1);
    const v1::Score score = Score(form);
    EXPECT_FALSE(score.complete());
    EXPECT_FALSE(score.has_total());
  }
}

TEST_F(DiaryForm, ListsContextThatItDoesNotKnow) {
  v1::AnsweredForm form = Days(7, {420, 1380});
  *form.mutable_context() = ContextOf("age=34 sex=female");
  EXPECT_THAT(Score(form).unknown_context(), ElementsAre("sex"));
}

TEST_F(DiaryForm, NamesWhatIsWrongByDayAndActivity) {
  v1::AnsweredForm form = Days(7, {420, 1380});
  form.set_codes(5, 1440);
  EXPECT_EQ(Outcome(*rules_, form), "ANSWER_OUT_OF_RANGE answers[2][1]");
  form.set_codes(5, -2);
  EXPECT_EQ(Outcome(*rules_, form), "ANSWER_OUT_OF_RANGE answers[2][1]");
  EXPECT_EQ(Outcome(*rules_, Days(8, {420, 1380})), "WRONG_ANSWER_COUNT answers");
  EXPECT_EQ(Outcome(*rules_, Form({420, 1380, 420})), "WRONG_ANSWER_COUNT answers");
  v1::AnsweredForm total;
  total.set_total_only(5);
  EXPECT_EQ(Outcome(*rules_, total), "TOTAL_NOT_TAKEN total");
}

}  // namespace
}  // namespace rapport::assessment::testing
