#include "services/assessment/domain/scoring.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "services/assessment/domain/program.h"
#include "tests/unit/services/assessment/domain/made.h"

namespace rapport::assessment {
namespace {

using testing::CodesOf;
using testing::ContextOf;
using ::testing::ElementsAre;
using testing::FigureText;
using testing::FlagOf;
using testing::FormOf;
using ::testing::IsEmpty;
using testing::Items;
using testing::Made;
using ::testing::Pair;
using testing::ScoreOfForm;
using ::testing::UnorderedElementsAre;

// The PHQ-9 as its file has it.
const InstrumentRules& Phq9() {
  static const InstrumentRules& rules =
      *Made(Items(9, 0, 3) + R"pb(
         items { number: 10 label: "difficulty" max: 3 optional: true id: "difficulty" }
         figures {
           id: "total"
           label: "Total"
           formula: "sum(1..9)"
           max: 27
           max_missing: 2
           band_sets {
             bands { id: "minimal" label: "None or minimal" max: 4 }
             bands { id: "mild" label: "Mild" min: 5 max: 9 }
             bands { id: "moderate" label: "Moderate" min: 10 max: 14 }
             bands { id: "moderately_severe" label: "Moderately severe" min: 15 max: 19 }
             bands { id: "severe" label: "Severe" min: 20 max: 27 }
           }
         }
         total: "total"
         flags { id: "positive" label: "10 or above" formula: "total >= 10" }
         flags {
           id: "major"
           label: "Major"
           formula: "count(1..8 >= 2) + count(9 >= 1) >= 5 and count(1..2 >= 2) >= 1"
         }
         flags {
           id: "other"
           label: "Other"
           formula: "not major and count(1..8 >= 2) + count(9 >= 1) >= 2 and count(1..2 >= 2) >= 1"
         }
         critical_items { item: 9 at_least: 1 immediate_at: 3 }
         change { full_syndrome_flag: "major" }
         min_age: 18
       )pb")
           .release();
  return rules;
}

std::string Digits(int items, int total) {
  std::string digits(items, '0');
  for (int i = 0; total > 0; i = (i + 1) % items, --total) ++digits[i];
  return digits;
}

TEST(Severity, IsTheBandThatAnEdgeIsPrintedIn) {
  const std::pair<int, const char*> rows[] = {
      {0, "minimal"},
      {4, "minimal"},
      {5, "mild"},
      {9, "mild"},
      {10, "moderate"},
      {14, "moderate"},
      {15, "moderately_severe"},
      {19, "moderately_severe"},
      {20, "severe"},
      {27, "severe"},
  };
  for (const auto& [total, band] : rows) {
    const v1::Score score = ScoreOfForm(Phq9(), Digits(9, total));
    EXPECT_EQ(score.total(), total);
    EXPECT_EQ(score.severity(), band) << total;
    EXPECT_TRUE(score.complete());
    EXPECT_FALSE(score.prorated());
    EXPECT_THAT(score.missing_items(), IsEmpty());
    EXPECT_EQ(FlagOf(score, "positive"), total >= 10 ? "true" : "false");
  }
}

struct MissingRow {
  const char* digits;
  double total;  // −1: none
  bool prorated;
  const char* why;
};

TEST(MissingAnswers, AreEstimatedUpToTwoAndTellNeitherSeverityNorFlags) {
  const MissingRow rows[] = {
      {"222222222", 18, false, "none missing"},
      {"22322111-", 16, true, "14 of 8 answered, 15.75 rounds up"},
      {"-11111111", 9, true, "one missing"},
      {"2222222--", 18, true, "two missing"},
      {"--2222221", 17, true, "13 / 7 × 9 = 16.71"},
      {"100011-10", 5, true, "4 / 8 × 9 = 4.5 rounds half up"},
      {"222222---", -1, false, "three missing"},
      {"---------", -1, false, "none answered"},
      {"1111111113", 9, false, "the question on difficulty is not scored"},
      {"111111111-", 9, false, "nor missed"},
  };
  for (const MissingRow& row : rows) {
    SCOPED_TRACE(std::string(row.digits) + ": " + row.why);
    const v1::Score score = ScoreOfForm(Phq9(), row.digits);
    EXPECT_EQ(score.has_total() ? score.total() : -1, row.total);
    EXPECT_EQ(score.prorated(), row.prorated);
    EXPECT_EQ(score.complete(), row.total >= 0 && !row.prorated);
    EXPECT_EQ(score.complete(), score.missing_items().empty());
    if (score.complete()) continue;
    EXPECT_EQ(score.severity(), "");
    EXPECT_FALSE(score.full_syndrome());
    for (const v1::FlagScore& flag : score.flags()) EXPECT_FALSE(flag.has_holds()) << flag.id();
  }
}

TEST(CriticalItems, FireOnAnyFormAndAreNeverImputed) {
  EXPECT_THAT(ScoreOfForm(Phq9(), "000000001").critical_items(), ElementsAre(9));
  EXPECT_THAT(ScoreOfForm(Phq9(), "--------1").critical_items(), ElementsAre(9));
  EXPECT_THAT(ScoreOfForm(Phq9(), "333333330").critical_items(), IsEmpty());
  const v1::Score unanswered = ScoreOfForm(Phq9(), "33333333-");
  EXPECT_EQ(unanswered.total(), 27);
  EXPECT_THAT(unanswered.critical_items(), IsEmpty());
  EXPECT_THAT(unanswered.unanswered_critical_items(), ElementsAre(9));
}

TEST(Flags, FollowThePublishedAlgorithm) {
  struct {
    const char* digits;
    const char* major;
    const char* other;
  } rows[] = {
      {"222220000", "true", "false"},  {"202222000", "true", "false"},
      {"222200001", "true", "false"},  {"222200010", "false", "true"},
      {"222200000", "false", "true"},  {"220000000", "false", "true"},
      {"200000001", "false", "true"},  {"200000000", "false", "false"},
      {"112222222", "false", "false"}, {"111111111", "false", "false"},
      {"333333333", "true", "false"},  {"22222000-", "untold", "untold"},
  };
  for (const auto& row : rows) {
    const v1::Score score = ScoreOfForm(Phq9(), row.digits);
    EXPECT_EQ(FlagOf(score, "major"), row.major) << row.digits;
    EXPECT_EQ(FlagOf(score, "other"), row.other) << row.digits;
    EXPECT_EQ(score.full_syndrome(), std::string(row.major) == "true") << row.digits;
  }
}

TEST(Flags, OfIncompleteFormsAreToldOnlyWhereTheFileSaysSo) {
  const auto rules = Made(Items(4, 0, 1) + R"pb(
    figures { id: "total" label: "t" formula: "sum(1..4)" max: 4 max_missing: 1 }
    total: "total"
    flags { id: "any" label: "any" formula: "total >= 1" on_incomplete: true }
    flags { id: "two" label: "two" formula: "any and total >= 2" }
  )pb");
  EXPECT_EQ(FlagOf(ScoreOfForm(*rules, "1---"), "any"), "true");
  EXPECT_EQ(FlagOf(ScoreOfForm(*rules, "0---"), "any"), "untold");
  EXPECT_EQ(FlagOf(ScoreOfForm(*rules, "11--"), "two"), "untold");
  EXPECT_EQ(FlagOf(ScoreOfForm(*rules, "1100"), "two"), "true");
  // An estimate of 0 is no answer: the missing one may be 1.
  const v1::Score estimated = ScoreOfForm(*rules, "000-");
  EXPECT_EQ(estimated.total(), 0);
  EXPECT_EQ(FlagOf(estimated, "any"), "untold");
}

TEST(Items, AreTurnedAndConverted) {
  const auto rules = Made(R"pb(
    items { number: 1 label: "turned" max: 3 reversed: true }
    items { number: 2 label: "from one" min: 1 max: 5 reversed: true }
    items {
      number: 3
      label: "converted"
      codes: [ 0, 2, 4 ]
      values: [ 1, 0, 7 ]
    }
    items {
      number: 4
      label: "capped"
      max: 4
      values: [ 0, 1, 2, 3, 3 ]
    }
    figures { id: "a" label: "a" formula: "i1" max: 3 }
    figures { id: "b" label: "b" formula: "i2" min: 1 max: 5 }
    figures { id: "c" label: "c" formula: "i3" max: 7 }
    figures { id: "d" label: "d" formula: "i4" max: 3 }
    figures { id: "all" label: "all" formula: "sum(1..4)" min: 1 max: 18 }
    figures { id: "codes" label: "codes" formula: "code(1) + code(3)" max: 7 }
  )pb");
  const Sheet sheet = FormOf(*rules, "0144");
  const v1::Score score = ScoreSheet(*rules, sheet);
  EXPECT_EQ(FigureText(score, "a"), "3");
  EXPECT_EQ(FigureText(score, "b"), "5");
  EXPECT_EQ(FigureText(score, "c"), "7");
  EXPECT_EQ(FigureText(score, "d"), "3");
  EXPECT_EQ(FigureText(score, "all"), "18");
  EXPECT_EQ(FigureText(score, "codes"), "4");
  EXPECT_EQ(ItemScore(*rules, sheet, 1), 3);
  EXPECT_EQ(ItemScore(*rules, sheet, 3), 7);
  EXPECT_EQ(FigureText(ScoreOfForm(*rules, "3--2"), "a"), "0");
  EXPECT_EQ(FigureText(ScoreOfForm(*rules, "3--2"), "d"), "2");
  EXPECT_EQ(ItemScore(*rules, FormOf(*rules, "3--2"), 2), Sheet::kUnanswered);
}

TEST(Skips, CountAsTheFileSaysOrAreLeftOut) {
  const auto rules = Made(Items(4, 1, 5) + R"pb(
    skips { items: "2" when: "i1 == 1" counts_as: 1 }
    skips { items: "4" when: "i3 == 1" }
    figures { id: "kept" label: "k" formula: "sum(1..3)" min: 3 max: 15 max_missing: 1 }
    figures { id: "average" label: "m" formula: "mean(3..4)" min: 1 max: 5 max_missing: 1 }
    figures { id: "fourth" label: "f" formula: "i4" min: 1 max: 5 }
  )pb");
  v1::Score score = ScoreOfForm(*rules, "1-1-");
  EXPECT_TRUE(score.complete());
  EXPECT_EQ(FigureText(score, "kept"), "3");
  EXPECT_EQ(FigureText(score, "average"), "1");
  EXPECT_EQ(FigureText(score, "fourth"), "unknown");
  EXPECT_THAT(score.unexpected_items(), IsEmpty());
  score = ScoreOfForm(*rules, "1515");
  EXPECT_THAT(score.unexpected_items(), ElementsAre(2, 4));
  EXPECT_EQ(FigureText(score, "kept"), "7") << "an answer counts, though skipped";
  EXPECT_EQ(FigureText(score, "average"), "3");
  score = ScoreOfForm(*rules, "2-2-");
  EXPECT_FALSE(score.complete());
  EXPECT_THAT(score.missing_items(), ElementsAre(2, 4));
  EXPECT_EQ(FigureText(score, "kept"), "6");
  EXPECT_EQ(FigureText(score, "average"), "2");
  score = ScoreOfForm(*rules, "1--5");
  EXPECT_THAT(score.missing_items(), ElementsAre(3));
  EXPECT_EQ(FigureText(score, "kept"), "3") << "the mean of 1 and the 1 that item 2 counts";
  score = ScoreOfForm(*rules, "-55-");
  EXPECT_THAT(score.missing_items(), ElementsAre(1, 4)) << "an unknown condition skips nothing";
}

// As item 1 of the WSAS.
TEST(Skips, AnAnswerCanBeLeftOut) {
  const auto rules = Made(Items(5, 0, 8) + R"pb(
    context { id: "not_working" label: "not working" }
    skips { items: "1" when: "not_working" answer_left_out: true }
    figures {
      id: "total"
      label: "t"
      formula: "sum(1..5)"
      max: 40
      band_sets {
        when: "not not_working"
        bands { id: "low" label: "l" max: 9 }
        bands { id: "high" label: "h" min: 10 max: 40 }
      }
    }
    total: "total"
  )pb");
  const v1::Score out = ScoreOfForm(*rules, "82222", "not_working=yes");
  EXPECT_EQ(out.total(), 8);
  EXPECT_TRUE(out.complete());
  EXPECT_EQ(out.severity(), "");
  EXPECT_THAT(out.unexpected_items(), ElementsAre(1));
  EXPECT_EQ(ScoreOfForm(*rules, "-2222", "not_working=yes").total(), 8);
  EXPECT_TRUE(ScoreOfForm(*rules, "-2222", "not_working=yes").complete());
  const v1::Score working = ScoreOfForm(*rules, "82222", "not_working=no");
  EXPECT_EQ(working.total(), 16);
  EXPECT_EQ(working.severity(), "high");
  EXPECT_THAT(working.unexpected_items(), IsEmpty());
  const v1::Score unsaid = ScoreOfForm(*rules, "82222");
  EXPECT_EQ(unsaid.total(), 16);
  EXPECT_TRUE(unsaid.complete());
  EXPECT_EQ(unsaid.severity(), "") << "which bands hold can't be told";
}

// As the AUDIT.
TEST(Skips, FollowEachOther) {
  const auto rules = Made(Items(5, 0, 4) + R"pb(
    skips { items: "2..4" when: "i1 == 0" counts_as: 0 }
    skips { items: "4" when: "i2 + i3 == 0" counts_as: 0 }
    figures { id: "total" label: "t" formula: "sum(1..5)" max: 20 }
    total: "total"
  )pb");
  EXPECT_EQ(ScoreOfForm(*rules, "0---1").total(), 1);
  EXPECT_EQ(ScoreOfForm(*rules, "100-1").total(), 2);
  EXPECT_FALSE(ScoreOfForm(*rules, "101-1").complete());
  EXPECT_THAT(ScoreOfForm(*rules, "-00-1").missing_items(), ElementsAre(1));
  EXPECT_THAT(ScoreOfForm(*rules, "02201").unexpected_items(), ElementsAre(2, 3, 4));
  EXPECT_EQ(ScoreOfForm(*rules, "02201").total(), 5);
}

TEST(Figures, EstimateMeansAsTheyStand) {
  const auto rules = Made(Items(4, 0, 4) + R"pb(
    figures { id: "plain" label: "p" formula: "mean(1..4)" max: 4 max_missing: 1 }
    figures { id: "ten" label: "t" formula: "10 * mean(1..4)" max: 40 max_missing: 1 }
    figures { id: "percent" label: "p" formula: "sum(1..4) * 2.5" max: 40 max_missing: 1 }
    figures { id: "both" label: "b" formula: "(plain + ten) / 2" max: 22 }
    figures { id: "strict" label: "s" formula: "sum(1..4)" max: 16 }
  )pb");
  v1::Score score = ScoreOfForm(*rules, "112-");
  EXPECT_EQ(FigureText(score, "plain"), absl::StrCat(4 / 3.0));
  EXPECT_EQ(FigureText(score, "ten"), "13") << "13.33, which stands for a sum";
  EXPECT_EQ(FigureText(score, "percent"), "12.5") << "the sum of 5.33 is 5";
  EXPECT_EQ(FigureText(score, "both"), absl::StrCat((4 / 3.0 + 13) / 2));
  EXPECT_EQ(FigureText(score, "strict"), "unknown");
  for (const v1::FigureScore& figure : score.figures()) {
    EXPECT_EQ(figure.prorated(), figure.id() != "strict") << figure.id();
  }
  score = ScoreOfForm(*rules, "11--");
  EXPECT_EQ(FigureText(score, "plain"), "unknown");
  EXPECT_EQ(FigureText(score, "both"), "unknown");
  score = ScoreOfForm(*rules, "1124");
  EXPECT_EQ(FigureText(score, "plain"), "2");
  EXPECT_EQ(FigureText(score, "both"), "11");
  EXPECT_FALSE(score.figures(0).prorated());
  EXPECT_FALSE(score.prorated()) << "there is no total";
  EXPECT_FALSE(score.has_total());
}

TEST(Figures, ATotalOfOthersIsEstimatedWithThem) {
  const auto rules = Made(Items(4, 0, 4) + R"pb(
    figures { id: "a" label: "a" formula: "sum(1..2)" max: 8 max_missing: 1 }
    figures { id: "b" label: "b" formula: "sum(3..4)" max: 8 }
    figures {
      id: "total"
      label: "t"
      formula: "a + b"
      max: 16
      band_sets { bands { id: "low" label: "l" max: 16 } }
    }
    total: "total"
  )pb");
  v1::Score score = ScoreOfForm(*rules, "2-11");
  EXPECT_EQ(score.total(), 6);
  EXPECT_TRUE(score.prorated());
  EXPECT_EQ(score.severity(), "");
  EXPECT_FALSE(ScoreOfForm(*rules, "221-").has_total());
  EXPECT_FALSE(ScoreOfForm(*rules, "221-").prorated());
}

TEST(Figures, EstimatesStayWithinTheFigure) {
  const auto rules = Made(R"pb(
    items { number: 1 label: "x" max: 6 }
    items { number: 2 label: "x" max: 2 }
    figures { id: "total" label: "t" formula: "sum(1..2)" max: 8 max_missing: 1 }
    total: "total"
  )pb");
  EXPECT_EQ(ScoreOfForm(*rules, "6-").total(), 8) << "12 by the mean alone";
}

TEST(Bands, AreFoundInTheFiguresDecimals) {
  const auto rules = Made(Items(8, 1, 7) + R"pb(
    figures {
      id: "m"
      label: "m"
      formula: "mean(1..8)"
      min: 1
      max: 7
      band_decimals: 1
      band_sets {
        bands { id: "low" label: "l" min: 1 max: 2.9 }
        bands { id: "moderate" label: "m" min: 3 max: 5 }
        bands { id: "high" label: "h" min: 5.1 max: 7 }
      }
    }
  )pb");
  const auto band = [&](absl::string_view digits) {
    return ScoreOfForm(*rules, digits).figures(0).severity();
  };
  EXPECT_EQ(band("33333332"), "low") << "2.875 is 2.9";
  EXPECT_EQ(band("33333333"), "moderate");
  EXPECT_EQ(band("55555555"), "moderate");
  EXPECT_EQ(band("65555555"), "high") << "5.125 is 5.1";
  EXPECT_EQ(band("3333333-"), "") << "not complete";
  EXPECT_EQ(band("11111111"), "low");
  EXPECT_EQ(band("77777777"), "high");
}

TEST(Bands, RoundHalfUpAtTheEdge) {
  const auto rules = Made(Items(4, 1, 7) + R"pb(
    figures {
      id: "m"
      label: "m"
      formula: "mean(1..4)"
      min: 1
      max: 7
      band_decimals: 0
      band_sets {
        bands { id: "low" label: "l" min: 1 max: 2 }
        bands { id: "high" label: "h" min: 3 max: 7 }
      }
    }
  )pb");
  EXPECT_EQ(ScoreOfForm(*rules, "2332").figures(0).severity(), "high") << "2.5";
  EXPECT_EQ(ScoreOfForm(*rules, "2322").figures(0).severity(), "low") << "2.25";
}

TEST(Bands, DependOnContextAndHaveAlternatives) {
  const auto rules = Made(Items(2, 0, 5) + R"pb(
    context { id: "sex" label: "sex" codes: "female" codes: "male" }
    figures {
      id: "total"
      label: "t"
      formula: "sum(1..2)"
      max: 10
      band_sets {
        when: "sex == female"
        bands { id: "low" label: "l" max: 2 }
        bands { id: "high" label: "h" min: 3 max: 10 }
      }
      band_sets {
        when: "sex == male"
        bands { id: "low" label: "l" max: 3 }
        bands { id: "high" label: "h" min: 4 max: 10 }
      }
      band_sets {
        id: "strict_2013"
        bands { id: "none" label: "n" max: 0 }
        bands { id: "some" label: "s" min: 1 max: 10 }
      }
    }
    total: "total"
  )pb");
  EXPECT_THAT(rules->severities(), ElementsAre("low", "high"));
  EXPECT_EQ(ScoreOfForm(*rules, "30", "sex=female").severity(), "high");
  EXPECT_EQ(ScoreOfForm(*rules, "30", "sex=male").severity(), "low");
  EXPECT_EQ(ScoreOfForm(*rules, "30").severity(), "");
  EXPECT_TRUE(ScoreOfForm(*rules, "30").complete());
  EXPECT_THAT(ScoreOfForm(*rules, "30").other_severities(),
              UnorderedElementsAre(Pair("strict_2013", "some")));
  EXPECT_THAT(ScoreOfForm(*rules, "00", "sex=male").other_severities(),
              UnorderedElementsAre(Pair("strict_2013", "none")));
  EXPECT_THAT(ScoreOfForm(*rules, "3-", "sex=male").other_severities(), IsEmpty());
}

// As the C-SSRS screener: by the highest item endorsed, and never lower for want of an answer.
TEST(Levels, AreTheFirstKnownToBeTrueOnAnyForm) {
  const auto rules = Made(Items(3, 0, 1) + R"pb(
    skips { items: "2" when: "i1 == 0" }
    levels { id: "high" label: "h" when: "i2 == 1 or i3 == 1" }
    levels { id: "ask" label: "a" when: "i1 == 1 and not known(i2) or not known(i3)" }
    levels { id: "low" label: "l" when: "i1 == 1" }
    levels { id: "none" label: "n" when: "i1 == 0 and i3 == 0" }
    concern_rules { concern: CONCERN_SELF_HARM when: "i3 == 1" immediate: true }
  )pb");
  EXPECT_THAT(rules->severities(), ElementsAre("high", "ask", "low", "none"));
  const std::pair<const char*, const char*> rows[] = {
      {"0-0", "none"}, {"100", "low"}, {"1-0", "ask"}, {"110", "high"},
      {"--1", "high"}, {"---", "ask"}, {"-00", ""},
  };
  for (const auto& [digits, level] : rows) {
    EXPECT_EQ(ScoreOfForm(*rules, digits).severity(), level) << digits;
  }
  const v1::Score raised = ScoreOfForm(*rules, "--1");
  ASSERT_EQ(raised.concerns_size(), 1);
  EXPECT_EQ(raised.concerns(0).concern(), v1::CONCERN_SELF_HARM);
  EXPECT_TRUE(raised.concerns(0).immediate());
  EXPECT_EQ(ScoreOfForm(*rules, "1--").concerns_size(), 0);
}

TEST(Concerns, OfAnEstimatedTotalRestOnTheAnswersThere) {
  const auto rules = Made(Items(5, 0, 4) + R"pb(
    figures { id: "total" label: "t" formula: "sum(1..5)" max: 20 max_missing: 1 }
    total: "total"
    concern_rules { concern: CONCERN_MANIA when: "total >= 12" }
  )pb");
  EXPECT_EQ(ScoreOfForm(*rules, "3333-").concerns_size(), 1) << "12 as they are";
  EXPECT_EQ(ScoreOfForm(*rules, "3332-").concerns_size(), 0) << "14 by the mean, 11 as they are";
  EXPECT_EQ(ScoreOfForm(*rules, "33330").concerns_size(), 1);
  EXPECT_EQ(ScoreOfForm(*rules, "33320").concerns_size(), 0);
}

TEST(Context, FillsFieldsAndNamedItemsAndTellsTheUnknown) {
  const Sheet sheet = FormOf(Phq9(), "111111111", "difficulty=2 age=34 shoe_size=44 mood=good");
  EXPECT_EQ(sheet.code(10), 2);
  EXPECT_EQ(sheet.age(), 34);
  EXPECT_THAT(sheet.unknown_context(), ElementsAre("shoe_size", "mood"));
  const v1::Score score = ScoreSheet(Phq9(), sheet);
  EXPECT_THAT(score.unknown_context(), ElementsAre("shoe_size", "mood"));
  EXPECT_FALSE(score.age_outside_range());
  EXPECT_TRUE(ScoreOfForm(Phq9(), "111111111", "age=17").age_outside_range());
  EXPECT_FALSE(ScoreOfForm(Phq9(), "111111111").age_outside_range());
  EXPECT_EQ(FormOf(Phq9(), "1111111112", "difficulty=2").code(10), 2);
}

struct RefusedRow {
  std::vector<int32_t> codes;
  const char* context;
  const char* reason;
  const char* field;
};

TEST(Refusals, InItemOrderNameReasonAndField) {
  const std::vector<int32_t> nine(9, 1);
  const RefusedRow rows[] = {
      {{1, 1, 1}, "", "WRONG_ANSWER_COUNT", "answers"},
      {std::vector<int32_t>(11, 1), "", "WRONG_ANSWER_COUNT", "answers"},
      {{}, "", "WRONG_ANSWER_COUNT", "answers"},
      {{1, 1, 1, 4, 1, 1, 1, 1, 1}, "", "ANSWER_OUT_OF_RANGE", "answers[3]"},
      {{-2, 1, 1, 1, 1, 1, 1, 1, 1}, "", "ANSWER_OUT_OF_RANGE", "answers[0]"},
      {{65537, 1, 1, 1, 1, 1, 1, 1, 1}, "", "ANSWER_OUT_OF_RANGE", "answers[0]"},
      {nine, "difficulty=4", "ANSWER_OUT_OF_RANGE", "context.difficulty"},
      {nine, "difficulty=somewhat", "ANSWER_NOT_A_NUMBER", "context.difficulty"},
      {nine, "age=old", "INVALID_CONTEXT", "context.age"},
      {nine, "age=151", "INVALID_CONTEXT", "context.age"},
      {nine, "age=30 age=30", "INVALID_CONTEXT", "context.age"},
  };
  for (const RefusedRow& row : rows) {
    const auto read = Sheet::ReadInOrder(Phq9(), row.codes, ContextOf(row.context));
    const Refusal* refusal = std::get_if<Refusal>(&read);
    ASSERT_NE(refusal, nullptr) << row.reason << " " << row.context;
    EXPECT_EQ(refusal->reason, row.reason);
    EXPECT_EQ(refusal->field, row.field);
    EXPECT_FALSE(refusal->description.empty());
  }
  const auto otherwise =
      Sheet::ReadInOrder(Phq9(), CodesOf("1111111111"), ContextOf("difficulty=2"));
  EXPECT_EQ(std::get<Refusal>(otherwise).reason, "INVALID_CONTEXT");
  EXPECT_EQ(FormOf(Phq9(), "11111111-").answered(9), false);
}

TEST(Refusals, OfContextFields) {
  const auto rules = Made(Items(2, 0, 3) + R"pb(
    context { id: "sex" label: "sex" codes: "female" codes: "male" }
    context { id: "working" label: "working" }
    figures { id: "total" label: "t" formula: "sum(1..2)" max: 6 }
  )pb");
  for (const char* wrong : {"sex=other", "sex=1", "sex=yes", "working=2", "working=often"}) {
    const auto read = Sheet::ReadInOrder(*rules, CodesOf("11"), ContextOf(wrong));
    ASSERT_TRUE(std::holds_alternative<Refusal>(read)) << wrong;
    EXPECT_EQ(std::get<Refusal>(read).reason, "INVALID_CONTEXT");
  }
  const Sheet sheet = FormOf(*rules, "11", "working=1 sex=male");
  EXPECT_EQ(sheet.context(0), 1);
  EXPECT_EQ(sheet.context(1), 1);
  EXPECT_EQ(FormOf(*rules, "11").context(0), Sheet::kUnanswered);
  Context unset;
  unset.Add()->set_id("sex");
  const auto read = Sheet::ReadInOrder(*rules, CodesOf("11"), unset);
  EXPECT_EQ(std::get<Sheet>(read).context(0), Sheet::kUnanswered);
}

Answers AnswersOf(absl::string_view digits) {
  Answers answers;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] == '-') continue;
    v1::Answer& answer = *answers.Add();
    answer.set_item(static_cast<int>(i) + 1);
    answer.set_value(digits[i] - '0');
  }
  return answers;
}

TEST(Refusals, ByItemNameThePosition) {
  const auto refused = [](const Answers& answers, absl::string_view context = "") {
    const auto read = Sheet::Read(Phq9(), answers, ContextOf(context));
    const Refusal* refusal = std::get_if<Refusal>(&read);
    return refusal == nullptr ? std::string("taken") : refusal->field;
  };
  Answers answers = AnswersOf("111-11111");
  EXPECT_EQ(refused(answers), "taken");
  EXPECT_EQ(refused(answers, "shoe_size=3 difficulty=4"), "context[1]");
  answers.Mutable(3)->set_value(4);
  EXPECT_EQ(refused(answers), "answers[3].value");
  answers.Mutable(3)->set_item(11);
  EXPECT_EQ(refused(answers), "answers[3].item");
  answers.Mutable(3)->set_item(0);
  EXPECT_EQ(refused(answers), "answers[3].item");
  answers.Mutable(3)->set_item(1);
  EXPECT_EQ(refused(answers), "answers[3].item") << "twice";
  const auto status =
      ToStatus({"ANSWER_OUT_OF_RANGE", "answers[3].value", "must be 0 to 3"}, "assessment.");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(errors::FieldViolations(status).size(), 1u);
  EXPECT_EQ(errors::FieldViolations(status)[0].field, "assessment.answers[3].value");
}

TEST(Answers, WithoutAValueAreUnanswered) {
  Answers answers = AnswersOf("111111111");
  answers.Mutable(2)->clear_value();
  const auto read = Sheet::Read(Phq9(), answers, {});
  EXPECT_THAT(ScoreSheet(Phq9(), std::get<Sheet>(read)).missing_items(), ElementsAre(3));
}

std::string RefusedTotal(const InstrumentRules& rules, double total) {
  const auto score = ScoreTotalOnly(rules, total);
  const Refusal* refusal = std::get_if<Refusal>(&score);
  return refusal == nullptr ? "" : refusal->reason;
}

TEST(TotalOnly, TellsWhatFollowsFromTheTotalAlone) {
  const v1::Score score = std::get<v1::Score>(ScoreTotalOnly(Phq9(), 15));
  EXPECT_EQ(score.total(), 15);
  EXPECT_TRUE(score.complete());
  EXPECT_FALSE(score.prorated());
  EXPECT_EQ(score.severity(), "moderately_severe");
  EXPECT_EQ(FlagOf(score, "positive"), "true");
  EXPECT_EQ(FlagOf(score, "major"), "untold");
  EXPECT_FALSE(score.full_syndrome());
  EXPECT_THAT(score.missing_items(), IsEmpty());
  EXPECT_THAT(score.critical_items(), IsEmpty());
  EXPECT_THAT(score.unanswered_critical_items(), ElementsAre(9));
  EXPECT_EQ(score.explanation().figures_size(), 1);
  EXPECT_EQ(FlagOf(std::get<v1::Score>(ScoreTotalOnly(Phq9(), 9)), "positive"), "false");
}

TEST(TotalOnly, IsRefusedOutsideOfTheRange) {
  EXPECT_EQ(RefusedTotal(Phq9(), 27), "");
  EXPECT_EQ(RefusedTotal(Phq9(), 28), "TOTAL_OUT_OF_RANGE");
  EXPECT_EQ(RefusedTotal(Phq9(), -1), "TOTAL_OUT_OF_RANGE");
  EXPECT_EQ(RefusedTotal(Phq9(), 12.5), "TOTAL_OUT_OF_RANGE") << "a sum of whole numbers";
  EXPECT_EQ(RefusedTotal(Phq9(), std::nan("")), "TOTAL_OUT_OF_RANGE");
  const auto mean = Made(Items(2, 0, 3) + R"pb(
    figures { id: "total" label: "t" formula: "mean(1..2)" max: 3 }
    total: "total")pb");
  EXPECT_EQ(RefusedTotal(*mean, 2.5), "");
  const auto none = Made(Items(2, 0, 3) + R"pb(
    figures { id: "a" label: "a" formula: "i1" max: 3 })pb");
  EXPECT_EQ(RefusedTotal(*none, 2), "TOTAL_NOT_TAKEN");
}

TEST(TotalOnly, IsAllThatAnInstrumentWithoutItemsTakes) {
  const auto rules = Made(R"pb(
    figures {
      id: "total"
      label: "t"
      max: 30
      band_sets {
        bands { id: "impaired" label: "i" max: 25 }
        bands { id: "normal" label: "n" min: 26 max: 30 }
      }
    }
    total: "total"
    direction: DIRECTION_HIGHER_BETTER
    flags { id: "positive" label: "p" formula: "total < 26" }
  )pb");
  const v1::Score score = std::get<v1::Score>(ScoreTotalOnly(*rules, 25));
  EXPECT_EQ(score.severity(), "impaired");
  EXPECT_EQ(FlagOf(score, "positive"), "true");
  EXPECT_EQ(RefusedTotal(*rules, 25.5), "TOTAL_OUT_OF_RANGE");
  EXPECT_EQ(std::get<Refusal>(Sheet::ReadInOrder(*rules, {}, {})).reason, "NO_ITEMS");
  EXPECT_EQ(std::get<Refusal>(Sheet::Read(*rules, {}, {})).reason, "NO_ITEMS");
}

TEST(TotalOnly, DoesNotReadAnEmptyFormIntoIt) {
  const auto rules = Made(Items(3, 0, 3) + R"pb(
    figures { id: "total" label: "t" formula: "sum(1..3)" max: 9 }
    figures { id: "double" label: "d" formula: "2 * total" max: 18 }
    figures { id: "first" label: "f" formula: "i1" max: 3 }
    total: "total"
    flags { id: "unknown" label: "u" formula: "not known(i1)" }
    flags { id: "not_known_true" label: "n" formula: "not is(i1 == 1)" }
    flags { id: "truth" label: "t" formula: "not known(i1 == 1)" }
    flags { id: "few" label: "f" formula: "answered(1..3) < 2" }
    flags { id: "told" label: "k" formula: "known(total)" }
  )pb");
  const v1::Score score = std::get<v1::Score>(ScoreTotalOnly(*rules, 4));
  EXPECT_EQ(FigureText(score, "double"), "8");
  EXPECT_EQ(FigureText(score, "first"), "none");
  EXPECT_EQ(FlagOf(score, "unknown"), "untold");
  EXPECT_EQ(FlagOf(score, "not_known_true"), "untold");
  EXPECT_EQ(FlagOf(score, "truth"), "untold");
  EXPECT_EQ(FlagOf(score, "few"), "untold");
  EXPECT_EQ(FlagOf(score, "told"), "true");
}

TEST(Explanations, SayWhatWentIntoEachFigure) {
  const v1::Score score = ScoreOfForm(Phq9(), "22322111-");
  const v1::Explanation& explanation = score.explanation();
  EXPECT_EQ(explanation.instrument(), "instruments/made-up/revisions/1");
  ASSERT_EQ(explanation.figures_size(), 1) << "no flag is told";
  const v1::ExplainedFigure& total = explanation.figures(0);
  EXPECT_EQ(total.id(), "total");
  EXPECT_EQ(total.formula(), "sum(1..9)");
  EXPECT_THAT(total.items_used(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(total.items_estimated(), ElementsAre(9));
  EXPECT_EQ(total.raw_sum(), 14);
  EXPECT_EQ(total.source(),
            "This test (the suite's own); estimated by This test (the suite's own)");
  const v1::Explanation complete = ScoreOfForm(Phq9(), "222220000").explanation();
  ASSERT_EQ(complete.figures_size(), 4);
  EXPECT_THAT(complete.figures(0).items_estimated(), IsEmpty());
  EXPECT_EQ(complete.figures(2).id(), "major");
  EXPECT_THAT(complete.figures(2).items_used(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_FALSE(
      ScoreSheet(Phq9(), FormOf(Phq9(), "222220000"), /*explain=*/false).has_explanation());
}

TEST(Explanations, FollowFiguresAndNameTheLevel) {
  const auto rules = Made(Items(4, 0, 1) + R"pb(
    figures { id: "a" label: "a" formula: "sum(1..2)" max: 2 }
    figures { id: "b" label: "b" formula: "a + i3" max: 3 }
    levels { id: "high" label: "h" when: "b >= 2" }
  )pb");
  const v1::Explanation explanation = ScoreOfForm(*rules, "1110").explanation();
  ASSERT_EQ(explanation.figures_size(), 3);
  EXPECT_THAT(explanation.figures(1).items_used(), ElementsAre(1, 2, 3));
  EXPECT_FALSE(explanation.figures(1).has_raw_sum());
  EXPECT_EQ(explanation.figures(2).id(), "severity");
  EXPECT_EQ(explanation.figures(2).formula(), "b >= 2");
  EXPECT_THAT(explanation.figures(2).items_used(), ElementsAre(1, 2, 3));
}

rc::Gen<std::string> AnyForm(int items) {
  return rc::gen::container<std::string>(items, rc::gen::element('-', '0', '1', '2', '3'));
}

TEST(Laws, RaisingAnAnswerNeverLowersASum) {
  EXPECT_TRUE(rc::check([] {
    std::string digits = *AnyForm(9);
    const v1::Score before = ScoreOfForm(Phq9(), digits);
    const int item = *rc::gen::inRange(0, 9);
    RC_PRE(digits[item] != '-' && digits[item] != '3');
    ++digits[item];
    const v1::Score after = ScoreOfForm(Phq9(), digits);
    RC_ASSERT(after.has_total() == before.has_total());
    RC_ASSERT(after.total() >= before.total());
    RC_ASSERT(after.critical_items_size() >= before.critical_items_size());
  }));
}

TEST(Laws, SubscalesThatPartAFormComeToItsTotal) {
  static const InstrumentRules& rules =
      *Made(Items(9, 0, 3) + R"pb(
         figures { id: "a" label: "a" formula: "sum(1, 4, 7)" max: 9 }
         figures { id: "b" label: "b" formula: "sum(2..3, 9)" max: 9 }
         figures { id: "c" label: "c" formula: "sum(5..6, 8)" max: 9 }
         figures { id: "total" label: "t" formula: "sum(1..9)" max: 27 }
         total: "total"
       )pb")
           .release();
  EXPECT_TRUE(rc::check([] {
    const v1::Score score = ScoreOfForm(rules, *AnyForm(9));
    double sum = 0;
    bool all = true;
    for (const v1::FigureScore& figure : score.figures()) {
      sum += figure.value();
      all = all && figure.has_value();
    }
    RC_ASSERT(all == score.has_total());
    if (all) RC_ASSERT(sum == score.total());
  }));
}

TEST(Laws, TheOrderOfTheAnswersChangesNothing) {
  EXPECT_TRUE(rc::check([] {
    const Answers answers = AnswersOf(*AnyForm(9));
    std::vector<int> order(answers.size());
    for (int i = 0; i < answers.size(); ++i) order[i] = i;
    for (int i = answers.size() - 1; i > 0; --i) {
      std::swap(order[i], order[*rc::gen::inRange(0, i + 1)]);
    }
    Answers shuffled;
    for (const int i : order) *shuffled.Add() = answers[i];
    const auto scored = [](const Answers& of) {
      return ScoreSheet(Phq9(), std::get<Sheet>(Sheet::Read(Phq9(), of, {}))).SerializeAsString();
    };
    RC_ASSERT(scored(answers) == scored(shuffled));
  }));
}

TEST(Laws, BothWaysOfReadingAgree) {
  EXPECT_TRUE(rc::check([] {
    const std::string digits = *AnyForm(10);
    const auto read = Sheet::Read(Phq9(), AnswersOf(digits), {});
    RC_ASSERT(ScoreSheet(Phq9(), std::get<Sheet>(read)).SerializeAsString() ==
              ScoreOfForm(Phq9(), digits).SerializeAsString());
  }));
}

TEST(Laws, TotalsStayInRangeAndOnlyCompleteFormsAreBanded) {
  EXPECT_TRUE(rc::check([] {
    const v1::Score score = ScoreOfForm(Phq9(), *AnyForm(9));
    RC_ASSERT(!score.has_total() || (score.total() >= 0 && score.total() <= 27));
    RC_ASSERT(score.complete() == !score.severity().empty());
    RC_ASSERT(!(score.complete() && score.prorated()));
  }));
}

}  // namespace
}  // namespace rapport::assessment
