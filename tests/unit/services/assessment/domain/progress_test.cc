#include "services/assessment/domain/progress.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/civil_time.h"
#include "common/time/convert.h"
#include "tests/unit/services/assessment/domain/course.h"

namespace rapport::assessment {
namespace {

using testing::Course;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::Find;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Of;
using ::testing::Pair;
using testing::Reached;
using testing::Rules;
using testing::SheetOfDigits;
using testing::StoryS1;
using testing::Watched;
using testing::Words;

// The session at which a term was reached; -1: it was not.
template <class From>
int SessionOf(const From& from, v1::Term term) {
  const v1::Milestone* milestone = Find(from, term);
  return milestone == nullptr ? -1 : milestone->session_number();
}
template <class From>
bool Holds(const From& from, v1::Term term) {
  const v1::Milestone* milestone = Find(from, term);
  return milestone != nullptr && milestone->holds();
}

TEST(StoryS1, HasItsTotals) {
  std::vector<double> totals;
  const v1::Progress progress = StoryS1().Compute();
  for (const auto& point : Of(progress, "phq-9").points()) totals.push_back(point.total());
  EXPECT_THAT(totals, ElementsAre(17, 18, 16, 15, 14, 22, 18, 15, 13, 11, 9, 8, 7, 6, 4, 3));
}

TEST(StoryS1, ReachesItsMilestonesAtTheStatedSessions) {
  const v1::Progress progress = StoryS1().Compute();
  const auto& phq = Of(progress, "phq-9");
  EXPECT_TRUE(phq.response_applicable());
  EXPECT_EQ(phq.baseline().total(), 17);
  EXPECT_EQ(phq.baseline().session_number(), 1);
  EXPECT_THAT(Reached(phq),
              ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 10), Pair(v1::TERM_RESPONSE, 12),
                          Pair(v1::TERM_REMISSION_LEVEL, 15)))
      << "and no REMISSION: 7 days at that level";
  EXPECT_THAT(Reached(Of(progress, "gad-7")), ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 9)));
  EXPECT_THAT(Reached(progress),
              ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 9), Pair(v1::TERM_CASE_RECOVERY, 13),
                          Pair(v1::TERM_RELIABLE_RECOVERY, 13)));
  for (const auto& milestone : phq.milestones()) EXPECT_TRUE(milestone.holds());
  EXPECT_EQ(phq.change().points(), -14);
  EXPECT_TRUE(phq.change().reliable_improvement());
  EXPECT_TRUE(phq.reliable_change_published());
  EXPECT_EQ(phq.reliable_change_points(), 6);
  EXPECT_THAT(phq.worsening(), IsEmpty());
  EXPECT_THAT(Find(phq, v1::TERM_RESPONSE)->rule(), HasSubstr("50 % from the baseline of 17"));
}

TEST(StoryS1, AtSessionSixIsWorseThanBeforeButNotThanTheBaseline) {
  const v1::Progress progress = StoryS1(6).Compute();
  const auto& phq = Of(progress, "phq-9");
  std::vector<std::pair<v1::Reference, double>> worsening;
  for (const auto& entry : phq.worsening()) {
    worsening.emplace_back(entry.reference(), entry.points());
  }
  EXPECT_THAT(worsening, ElementsAre(Pair(v1::REFERENCE_PREVIOUS, 8), Pair(v1::REFERENCE_BEST, 8)));
  EXPECT_EQ(phq.change().points(), 5);
  EXPECT_FALSE(phq.change().reliable_deterioration());
  EXPECT_THAT(phq.milestones(), IsEmpty());
}

TEST(Baseline, IsTheLastCompleteFormWithin28DaysBeforeSessionOne) {
  Course course(4);
  course.Add("phq-9", course.start(1) - absl::Hours(24 * 29), "333333330")
      .Add("phq-9", course.start(1) - absl::Hours(24 * 20), "222222220")
      .Add("phq-9", course.start(1) - absl::Hours(24 * 3), "22222222-")
      .Before("phq-9", 2, "111111110");
  EXPECT_EQ(Of(course.Compute(), "phq-9").baseline().total(), 16);
}

TEST(Baseline, IsElseTheFirstCompleteFormBySessionTwo) {
  Course course(4);
  course.Add("phq-9", course.start(1) - absl::Hours(24 * 29), "333333330")
      .Before("phq-9", 1, "22322111-")
      .Before("phq-9", 2, "222222210")
      .Before("phq-9", 3, "111111110");
  const v1::Progress progress = course.Compute();
  const auto& phq = Of(progress, "phq-9");
  EXPECT_EQ(phq.baseline().total(), 15) << "story S5: a prorated form is no baseline";
  EXPECT_EQ(phq.baseline().session_number(), 2);
  EXPECT_TRUE(phq.points(1).prorated());
  EXPECT_EQ(phq.points(1).severity(), "");
}

TEST(Baseline, AbsentTellsNoChange) {
  Course course(4);
  course.Before("phq-9", 3, "333333330").Before("phq-9", 4, "000000000");
  const v1::Progress progress = course.Compute();
  const auto& phq = Of(progress, "phq-9");
  EXPECT_FALSE(phq.has_baseline());
  EXPECT_FALSE(phq.has_change());
  EXPECT_FALSE(phq.response_applicable());
  EXPECT_THAT(phq.milestones(), IsEmpty());
}

TEST(Baseline, BelowCasenessMakesResponseAndRemissionNotApplicable) {
  Course course(4);
  course.Before("phq-9", 1, "111111110")
      .Before("phq-9", 2, "000000000")
      .Before("phq-9", 4, "000000000");
  const v1::Progress progress = course.Compute();
  EXPECT_FALSE(Of(progress, "phq-9").response_applicable());
  EXPECT_THAT(Reached(Of(progress, "phq-9")), ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 2)));
}

TEST(Response, CountsAtExactlyTheHalf) {
  Course course(3);
  course.Before("phq-9", 1, "222222220").Before("phq-9", 2, "111111110");
  EXPECT_NE(Find(Of(course.Compute(), "phq-9"), v1::TERM_RESPONSE), nullptr);
}

TEST(Response, IsNeverTakenFromAnEstimate) {
  Course course(3);
  course.Before("phq-9", 1, "222222220").Before("phq-9", 2, "00000000-");
  const v1::Progress progress = course.Compute();
  EXPECT_THAT(Of(progress, "phq-9").milestones(), IsEmpty());
  EXPECT_FALSE(Of(progress, "phq-9").has_change());
}

TEST(Remission, NeedsTwoWeeksByThePatientsCalendarAcrossAClockChange) {
  // Clocks go forward on 8 March in New York, so that the two weeks from 1 to 15 March last an hour
  // less.
  Course course(6, absl::CivilSecond(2026, 2, 23, 10, 0, 0));
  course.Before("phq-9", 1, "222222220")
      .Before("phq-9", 2, "111100000")
      .Before("phq-9", 3, "111000000")
      .Before("phq-9", 4, "111000000");
  ASSERT_LT(course.start(4) - course.start(2), absl::Hours(24 * 14));
  EXPECT_EQ(SessionOf(Of(course.Compute(), "phq-9"), v1::TERM_REMISSION), 4);
}

TEST(Remission, IsInterruptedByAHigherFormEvenByAnEstimate) {
  for (const char* interruption : {"111110000", "11111111-"}) {
    Course course(6);
    course.Before("phq-9", 1, "222222220")
        .Before("phq-9", 2, "111000000")
        .Before("phq-9", 3, interruption)
        .Before("phq-9", 4, "111000000")
        .Before("phq-9", 5, "111000000");
    EXPECT_EQ(Find(Of(course.Compute(), "phq-9"), v1::TERM_REMISSION), nullptr) << interruption;
    course.Before("phq-9", 6, "111000000");
    EXPECT_EQ(SessionOf(Of(course.Compute(), "phq-9"), v1::TERM_REMISSION), 6);
  }
}

TEST(Remission, ThatDoesNotLastIsToldAsNotHolding) {
  Course course(6);
  course.Before("phq-9", 1, "222222220")
      .Before("phq-9", 2, "111000000")
      .Before("phq-9", 4, "111000000")
      .Before("phq-9", 5, "111111000");
  const v1::Progress progress = course.Compute();
  EXPECT_FALSE(Holds(Of(progress, "phq-9"), v1::TERM_REMISSION));
  EXPECT_FALSE(Holds(Of(progress, "phq-9"), v1::TERM_REMISSION_LEVEL));
  EXPECT_TRUE(Holds(Of(progress, "phq-9"), v1::TERM_RESPONSE));
}

TEST(Relapse, IsAFullSyndromeFormAfterRemission) {
  Course course(8);
  course.Before("phq-9", 1, "222222220")
      .Before("phq-9", 2, "111000000")
      .Before("phq-9", 4, "111000000");
  Course high = course;
  high.Before("phq-9", 6, "222111111");
  EXPECT_EQ(Find(Of(high.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE), nullptr)
      << "12 points, but four symptoms are not the full syndrome";
  course.Before("phq-9", 6, "222211111");
  EXPECT_EQ(SessionOf(Of(course.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE), 6);
  course.Before("phq-9", 7, "111111110");
  EXPECT_FALSE(Holds(Of(course.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE));
}

TEST(Recurrence, IsAFullSyndromeFormAfterSustainedRecovery) {
  Course course(4);
  course.Before("phq-9", 1, "222222220").Before("phq-9", 3, "110000000");
  for (int month = 1; month <= 7; ++month) {
    course.Add("phq-9", course.start(4) + absl::Hours(24 * 30 * month), "010100000");
  }
  EXPECT_NE(Find(Of(course.Compute(), "phq-9"), v1::TERM_SUSTAINED_RECOVERY), nullptr);
  course.Add("phq-9", course.start(4) + absl::Hours(24 * 30 * 8), "222222110");
  const v1::Progress progress = course.Compute();
  EXPECT_NE(Find(Of(progress, "phq-9"), v1::TERM_POSSIBLE_RECURRENCE), nullptr);
  EXPECT_EQ(Find(Of(progress, "phq-9"), v1::TERM_POSSIBLE_RELAPSE), nullptr);
}

TEST(CourseTerms, NeedBothMeasuresForCaseRecovery) {
  Course course(4);
  course.Before("phq-9", 1, "222222220").Before("phq-9", 3, "110000000");
  EXPECT_THAT(Reached(course.Compute()), ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 3)));
}

TEST(CourseTerms, ImprovementIsSpoiltByDeteriorationOnTheOther) {
  Course course(4);
  course.Before("phq-9", 1, "222222220")
      .Before("gad-7", 1, "1111111")
      .Before("gad-7", 2, "2222111")
      .Before("phq-9", 3, "110000000");
  EXPECT_THAT(course.Compute().milestones(), IsEmpty());
  course.Before("gad-7", 4, "2111111");
  EXPECT_EQ(SessionOf(course.Compute(), v1::TERM_RELIABLE_IMPROVEMENT), 4);
}

TEST(CourseTerms, AreOfTheMeasureThatThePlanNamesFirst) {
  Course course(4);
  course.Before("phq-9", 1, "222222220").Total("gds-15", 1, 9).Before("gad-7", 1, "0000000");
  course.Before("phq-9", 3, "110000000").Total("gds-15", 3, 9).Before("gad-7", 3, "0000000");
  EXPECT_EQ(SessionOf(course.Compute(), v1::TERM_CASE_RECOVERY), 3)
      << "GDS-15 comes first by id, PHQ-9 in the plan";
  course.input().plan = {"gds-15", "gad-7"};
  EXPECT_EQ(SessionOf(course.Compute(), v1::TERM_CASE_RECOVERY), -1);
}

TEST(StoryS5, RecursAfterSustainedRecoveryInMaintenance) {
  Course course = Watched(16);
  const std::vector<std::string> phq = Words(
      "22322111- 223222110 222222110 222222110 222221110 222221110 222212110 222221110 233232211 "
      "122221110 121221110 111211100 111111000 110110000 110100000");
  for (int session = 1; session <= 15; ++session) {
    course.Before("phq-9", session, phq[session - 1]);
  }
  const auto month = [&](int number) { return course.start(16) + absl::Hours(24 * 30 * number); };
  for (int number = 0; number <= 7; ++number) course.Add("phq-9", month(number), "010100000");
  const v1::Progress well = course.Compute();
  EXPECT_EQ(Of(well, "phq-9").baseline().total(), 15) << "the prorated form is no baseline";
  EXPECT_TRUE(Holds(Of(well, "phq-9"), v1::TERM_SUSTAINED_RECOVERY));
  EXPECT_EQ(Find(Of(well, "phq-9"), v1::TERM_POSSIBLE_RECURRENCE), nullptr);

  course.Add("phq-9", month(8), "222222110");
  const v1::Progress back = course.Compute();
  EXPECT_TRUE(Holds(Of(back, "phq-9"), v1::TERM_POSSIBLE_RECURRENCE));
  EXPECT_EQ(Find(Of(back, "phq-9"), v1::TERM_POSSIBLE_RELAPSE), nullptr);
  EXPECT_FALSE(Holds(Of(back, "phq-9"), v1::TERM_SUSTAINED_RECOVERY));
}

TEST(StoryS5, RelapsesWhereTheRemissionLastedLessThanSixMonths) {
  Course course(4);
  course.Before("phq-9", 1, "223222110");
  for (int number = 0; number <= 5; ++number) {
    course.Add("phq-9", course.start(4) + absl::Hours(24 * 30 * number), "010100000");
  }
  course.Add("phq-9", course.start(4) + absl::Hours(24 * 170), "222222110");
  EXPECT_TRUE(Holds(Of(course.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE));
  EXPECT_EQ(Find(Of(course.Compute(), "phq-9"), v1::TERM_POSSIBLE_RECURRENCE), nullptr);
}

TEST(Baseline, SaysWhyThereIsNone) {
  Course course(3);
  course.Before("phq-9", 3, "222222220");
  EXPECT_EQ(Of(course.Compute(), "phq-9").no_baseline(), v1::NO_BASELINE_REASON_NO_COMPLETE_FORM);
  course.input().sessions.clear();
  course.input().primary_due.clear();
  EXPECT_EQ(Of(course.Compute(), "phq-9").no_baseline(), v1::NO_BASELINE_REASON_NO_SESSION);
}

TEST(Baseline, StaysWhenSessionsAreCountedAnew) {
  Course course(6);
  course.Before("phq-9", 1, "222222220").Before("phq-9", 5, "111111110");
  course.input().sessions[4].number = 1;
  course.input().sessions[5].number = 2;
  EXPECT_EQ(Of(course.Compute(), "phq-9").baseline().total(), 16);
}

TEST(ReliableChange, IsThePublishedOneWithTheComputedBesideIt) {
  struct Row {
    const char* instrument;
    double points;
    bool published;
    double computed;
    v1::ReliabilityKind kind;
  };
  for (const Row& row : std::vector<Row>{
           {"phq-9", 6, true, 1.96 * 6.1 * std::sqrt(2 * (1 - .84)), v1::RELIABILITY_KIND_RETEST},
           {"gad-7", 4, true, 1.96 * 4.7 * std::sqrt(2 * (1 - .83)), v1::RELIABILITY_KIND_RETEST},
           {"csi-16", 1.96 * 17 * .2, false, 1.96 * 17 * .2, v1::RELIABILITY_KIND_ALPHA}}) {
    Course course(2);
    course.Total(row.instrument, 1, 12);
    const v1::Progress progress = course.Compute();
    const auto& series = Of(progress, row.instrument);
    EXPECT_THAT(series.reliable_change_points(), DoubleNear(row.points, 1e-9)) << row.instrument;
    EXPECT_EQ(series.reliable_change_published(), row.published) << row.instrument;
    EXPECT_THAT(series.computed_reliable_change().points(), DoubleNear(row.computed, 1e-9));
    EXPECT_EQ(series.computed_reliable_change().kind(), row.kind) << row.instrument;
    EXPECT_EQ(series.computed_reliable_change().decides(), !row.published) << row.instrument;
  }
}

TEST(ReliableChange, IsNotComputedFromWhatIsNotKnown) {
  v1::ChangeFacts facts;
  EXPECT_FALSE(ComputedReliableChangeOf(facts).has_value());
  facts.set_sd(5);
  EXPECT_FALSE(ComputedReliableChangeOf(facts).has_value());
  v1::Reliability& raters = *facts.add_reliability();
  raters.set_kind(v1::RELIABILITY_KIND_INTER_RATER);
  raters.set_coefficient(.9);
  EXPECT_FALSE(ComputedReliableChangeOf(facts).has_value()) << "raters' agreement is no stability";
}

TEST(Change, AtTheThresholdCountsAndOneBelowDoesNot) {
  struct Row {
    const char* instrument;
    double from, to;
    bool improved, worse;
  };
  for (const Row& row : std::vector<Row>{{"phq-9", 16, 10, true, false},
                                         {"phq-9", 16, 11, false, false},
                                         {"phq-9", 10, 16, false, true},
                                         {"gad-7", 12, 8, true, false},
                                         {"csi-16", 30, 37, true, false},
                                         {"csi-16", 30, 36, false, false},
                                         {"csi-16", 37, 30, false, true}}) {
    Course course(2);
    course.Total(row.instrument, 1, row.from).Total(row.instrument, 2, row.to);
    const v1::Progress progress = course.Compute();
    const auto& series = Of(progress, row.instrument);
    EXPECT_EQ(series.change().reliable_improvement(), row.improved)
        << row.instrument << " " << row.from << " to " << row.to;
    EXPECT_EQ(series.change().reliable_deterioration(), row.worse)
        << row.instrument << " " << row.from << " to " << row.to;
    EXPECT_EQ(!series.worsening().empty(), row.worse) << row.instrument;
  }
}

TEST(Change, HasAPercentageOnlyWhereZeroMeansNone) {
  Course course(2);
  course.Total("phq-9", 1, 16).Total("phq-9", 2, 12);
  course.Total("csi-16", 1, 30).Total("csi-16", 2, 45);
  const v1::Progress progress = course.Compute();
  EXPECT_EQ(Of(progress, "phq-9").change().percent(), -25);
  EXPECT_EQ(Of(progress, "csi-16").change().points(), 15);
  EXPECT_FALSE(Of(progress, "csi-16").change().has_percent());
  EXPECT_EQ(Of(progress, "csi-16").direction(), v1::DIRECTION_HIGHER_BETTER);
}

TEST(ClinicallySignificantChange, CrossesCriterionCReliably) {
  // CORE-10: c = (4.8 × 19.7 + 7.7 × 4.7) / (4.8 + 7.7) = 10.46.
  struct Row {
    double from, to;
    bool met;
  };
  for (const Row& row : std::vector<Row>{
           {20, 10, true}, {20, 11, false}, {12, 10, false}, {10, 4, false}, {16, 10, true}}) {
    Course course(2);
    course.Total("core-10", 1, row.from).Total("core-10", 2, row.to);
    const v1::Progress progress = course.Compute();
    const auto& change = Of(progress, "core-10").clinically_significant();
    EXPECT_THAT(change.cutoff(), DoubleNear(10.46, 1e-9));
    EXPECT_EQ(change.met(), row.met) << row.from << " to " << row.to;
  }
  Course course(2);
  course.Total("phq-9", 1, 16);
  EXPECT_FALSE(Of(course.Compute(), "phq-9").has_clinically_significant()) << "without both norms";
}

TEST(ItemChanges, AreTheScoresOfBothFormsWithTheirLabels) {
  v1::InstrumentProgress progress;
  TellItemChanges(Rules("phq-9"), SheetOfDigits(Rules("phq-9"), "321000000"),
                  SheetOfDigits(Rules("phq-9"), "12-000000"), progress);
  ASSERT_EQ(progress.item_changes_size(), 9) << "the optional one was never answered";
  EXPECT_EQ(progress.item_changes(0).label(), "little interest");
  EXPECT_EQ(progress.item_changes(0).baseline(), 3);
  EXPECT_EQ(progress.item_changes(0).newest(), 1);
  EXPECT_EQ(progress.item_changes(2).baseline(), 1);
  EXPECT_FALSE(progress.item_changes(2).has_newest());
  progress.clear_item_changes();
  TellItemChanges(Rules("ces-d"), SheetOfDigits(Rules("ces-d"), "0000"),
                  SheetOfDigits(Rules("ces-d"), "0003"), progress);
  EXPECT_EQ(progress.item_changes(3).baseline(), 3) << "a reversed item is told as it scores";
  EXPECT_EQ(progress.item_changes(3).newest(), 0);
}

TEST(Progress, TellsWhoseAndTheRevision) {
  Course course(2);
  course.input().patient = "organizations/acme/patients/p";
  course.Total("phq-9", 1, 16);
  const v1::Progress progress = course.Compute();
  EXPECT_EQ(progress.patient(), "organizations/acme/patients/p");
  EXPECT_EQ(Of(progress, "phq-9").revision(), "instruments/phq-9/revisions/1");
}

}  // namespace
}  // namespace rapport::assessment
