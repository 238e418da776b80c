#include "services/assessment/domain/scoring.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "common/errors/errors.h"
#include "tests/unit/services/assessment/domain/forms.h"

namespace rapport::assessment {
namespace {

using testing::Digits;
using ::testing::ElementsAre;
using testing::Gad7;
using ::testing::IsEmpty;
using testing::Phq9;
using testing::ScoreOf;

// A form of `items` scored items, 0 to 3 each, that comes to `total`.
std::string FormOf(int items, int total) {
  std::string digits(items, '0');
  for (int i = 0; total > 0; i = (i + 1) % items, --total) ++digits[i];
  return digits;
}

struct BandRow {
  const InstrumentRules& rules;
  int total;
  const char* band;
  const char* source;
};

TEST(Bands, EveryEdgeBelongsToTheUpperBandAsPrinted) {
  const char* const phq = "Kroenke 2001";
  const char* const gad = "Spitzer 2006";
  const BandRow rows[] = {
      {Phq9(), 0, "minimal", phq},
      {Phq9(), 4, "minimal", phq},
      {Phq9(), 5, "mild", phq},
      {Phq9(), 9, "mild", phq},
      {Phq9(), 10, "moderate", phq},
      {Phq9(), 14, "moderate", phq},
      {Phq9(), 15, "moderately_severe", phq},
      {Phq9(), 19, "moderately_severe", phq},
      {Phq9(), 20, "severe", phq},
      {Phq9(), 27, "severe", phq},
      {Gad7(), 0, "minimal", gad},
      {Gad7(), 4, "minimal", gad},
      {Gad7(), 5, "mild", gad},
      {Gad7(), 9, "mild", gad},
      {Gad7(), 10, "moderate", gad},
      {Gad7(), 14, "moderate", gad},
      {Gad7(), 15, "severe", gad},
      {Gad7(), 21, "severe", gad},
  };
  for (const BandRow& row : rows) {
    SCOPED_TRACE(std::string(row.rules.id()) + " " + std::to_string(row.total) + ": " + row.source);
    const v1::Score score =
        ScoreOf(row.rules, FormOf(row.rules.instrument().scored_items_size(), row.total));
    EXPECT_EQ(score.total(), row.total);
    EXPECT_EQ(score.severity(), row.band);
    EXPECT_TRUE(score.complete());
    EXPECT_FALSE(score.prorated());
  }
}

struct MissingRow {
  const InstrumentRules& rules;
  const char* digits;
  int total;  // -1: none
  bool prorated;
  const char* why;
};

TEST(MissingAnswers, AreEstimatedUpToTwoAndNeverBandedOrDiagnosed) {
  const MissingRow rows[] = {
      {Phq9(), "222222222", 18, false, "none missing"},
      {Phq9(), "22322111-", 16, true, "story S5: 14 of 8 answered, 15.75 rounds up"},
      {Phq9(), "-11111111", 9, true, "one missing"},
      {Phq9(), "2222222--", 18, true, "two missing"},
      {Phq9(), "--2222221", 17, true, "13 / 7 × 9 = 16.71"},
      {Phq9(), "222222---", -1, false, "three missing"},
      {Phq9(), "---------", -1, false, "none answered"},
      {Gad7(), "1111111", 7, false, "none missing"},
      {Gad7(), "111111-", 7, true, "one missing"},
      {Gad7(), "11111--", 7, true, "two missing"},
      {Gad7(), "1111---", -1, false, "three missing"},
      {Gad7(), "2111110-", 7, false, "an eighth item does not exist, and is not given"},
      {Gad7(), "300000-", 4, true, "3 / 6 × 7 = 3.5 rounds half up"},
  };
  for (const MissingRow& row : rows) {
    SCOPED_TRACE(std::string(row.rules.id()) + " " + row.digits + ": " + row.why);
    const v1::Score score = ScoreOf(row.rules, row.digits);
    EXPECT_EQ(score.has_total(), row.total >= 0);
    EXPECT_EQ(score.total(), std::max(row.total, 0));
    EXPECT_EQ(score.prorated(), row.prorated);
    EXPECT_EQ(score.complete(), row.total >= 0 && !row.prorated);
    if (!score.complete()) {
      EXPECT_EQ(score.severity(), "");
      EXPECT_EQ(score.diagnostic(), "");
      EXPECT_FALSE(score.missing_items().empty());
    }
  }
}

TEST(MissingAnswers, TheUnscoredItemIsNotMissed) {
  EXPECT_TRUE(ScoreOf(Phq9(), "111111111").complete());
  EXPECT_EQ(ScoreOf(Phq9(), "1111111113").total(), 9);
}

TEST(MissingAnswers, AnAnswerWithoutValueIsUnanswered) {
  Answers answers = Digits("111111111");
  answers.Mutable(2)->clear_value();
  const v1::Score score = *ScoreAnswers(Phq9(), answers);
  EXPECT_THAT(score.missing_items(), ElementsAre(3));
  EXPECT_THAT(score.explanation().items_used(), ElementsAre(1, 2, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(score.explanation().raw_sum(), 8);
}

TEST(CriticalItems, FireOnAnyFormAndAreNeverImputed) {
  EXPECT_THAT(ScoreOf(Phq9(), "000000001").critical_items(), ElementsAre(9));
  EXPECT_THAT(ScoreOf(Phq9(), "--------1").critical_items(), ElementsAre(9));
  EXPECT_THAT(ScoreOf(Phq9(), "333333330").critical_items(), IsEmpty());
  const v1::Score unanswered = ScoreOf(Phq9(), "33333333-");
  EXPECT_EQ(unanswered.total(), 27);
  EXPECT_THAT(unanswered.critical_items(), IsEmpty());
  EXPECT_THAT(unanswered.unanswered_critical_items(), ElementsAre(9));
  EXPECT_THAT(ScoreOf(Gad7(), "3333333").critical_items(), IsEmpty());
}

struct DiagnosticRow {
  const char* digits;
  const char* diagnostic;
  const char* why;
};

TEST(DiagnosticRule, FollowsThePublishedAlgorithm) {
  const DiagnosticRow rows[] = {
      {"222220000", "major", "five symptoms with both cardinal ones"},
      {"202222000", "major", "one cardinal item suffices"},
      {"222200001", "major", "item nine counts from 1 on"},
      {"222200010", "other", "any other item does not"},
      {"222200000", "other", "four symptoms"},
      {"220000000", "other", "two symptoms"},
      {"200000001", "other", "item nine is the second"},
      {"200000000", "", "one symptom"},
      {"112222222", "", "no cardinal item"},
      {"111111111", "", "only item nine is present"},
      {"333333333", "major", "all"},
      {"22222000-", "", "never on an incomplete form"},
  };
  for (const DiagnosticRow& row : rows) {
    SCOPED_TRACE(std::string(row.digits) + ": " + row.why);
    EXPECT_EQ(ScoreOf(Phq9(), row.digits).diagnostic(), row.diagnostic);
  }
}

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
  return fields;
}

TEST(BadAnswers, AreNamedByTheirPath) {
  Answers answers = Digits("11141111-");
  answers.Add()->set_item(11);
  answers.Add()->set_item(1);
  answers.Add()->set_item(0);
  answers.Mutable(0)->set_value(-1);
  const auto score = ScoreAnswers(Phq9(), answers, "assessment.answers");
  EXPECT_EQ(score.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Fields(score.status()),
              ElementsAre("assessment.answers[0].value", "assessment.answers[3].value",
                          "assessment.answers[8].item", "assessment.answers[9].item",
                          "assessment.answers[10].item"));
}

TEST(TotalOnly, IsBandedAndLeavesRiskUnasked) {
  const v1::Score score = *ScoreTotalOnly(Phq9(), 15, "total_only");
  EXPECT_TRUE(score.complete());
  EXPECT_EQ(score.severity(), "moderately_severe");
  EXPECT_EQ(score.diagnostic(), "");
  EXPECT_THAT(score.unanswered_critical_items(), ElementsAre(9));
  EXPECT_THAT(Fields(ScoreTotalOnly(Phq9(), 28, "assessment.total_only").status()),
              ElementsAre("assessment.total_only"));
}

rc::Gen<std::string> AnyForm(int items) {
  return rc::gen::container<std::string>(items, rc::gen::element('-', '0', '1', '2', '3'));
}

TEST(Laws, RaisingAnAnswerNeverLowersTheTotal) {
  EXPECT_TRUE(rc::check([] {
    std::string digits = *AnyForm(9);
    const v1::Score before = ScoreOf(Phq9(), digits);
    const int item = *rc::gen::inRange(0, 9);
    RC_PRE(digits[item] != '-' && digits[item] != '3');
    ++digits[item];
    const v1::Score after = ScoreOf(Phq9(), digits);
    RC_ASSERT(after.has_total() == before.has_total());
    RC_ASSERT(after.total() >= before.total());
    RC_ASSERT(after.critical_items_size() >= before.critical_items_size());
  }));
}

TEST(Laws, TheOrderOfTheAnswersChangesNothing) {
  EXPECT_TRUE(rc::check([] {
    const std::string digits = *AnyForm(9);
    const Answers answers = Digits(digits);
    std::vector<int> order(answers.size());
    for (int i = 0; i < answers.size(); ++i) order[i] = i;
    for (int i = answers.size() - 1; i > 0; --i)
      std::swap(order[i], order[*rc::gen::inRange(0, i + 1)]);
    Answers shuffled;
    for (const int i : order) *shuffled.Add() = answers[i];
    RC_ASSERT(ScoreAnswers(Phq9(), answers)->SerializeAsString() ==
              ScoreAnswers(Phq9(), shuffled)->SerializeAsString());
  }));
}

TEST(Laws, TotalsStayInRangeAndOnlyCompleteFormsAreBanded) {
  EXPECT_TRUE(rc::check([] {
    const v1::Score score = ScoreOf(Gad7(), *AnyForm(7));
    RC_ASSERT(!score.has_total() || (score.total() >= 0 && score.total() <= 21));
    RC_ASSERT(score.complete() == !score.severity().empty());
    RC_ASSERT(!(score.complete() && score.prorated()));
  }));
}

}  // namespace
}  // namespace rapport::assessment
