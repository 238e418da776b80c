#include "services/assessment/domain/progress.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "tests/unit/services/assessment/domain/forms.h"

namespace rapport::assessment {
namespace {

using ::testing::ElementsAre;
using testing::Gad7;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::Phq9;
using testing::ScoreOf;

// A course with a session each week, at one local time.
class Course {
 public:
  explicit Course(int sessions, absl::CivilSecond first = absl::CivilSecond(2026, 3, 2, 10, 0, 0),
                  absl::string_view zone = "America/New_York") {
    input_.course = "organizations/acme/courses/c";
    input_.zone = *time::LoadZone(zone);
    for (int i = 0; i < sessions; ++i) {
      const absl::Time start = absl::FromCivil(first + 7 * 24 * 3600 * i, input_.zone);
      input_.sessions.push_back({.appointment = absl::StrCat("a", i + 1),
                                 .number = i + 1,
                                 .start = start,
                                 .end = start + absl::Minutes(50)});
    }
    input_.series = {{&Gad7(), {}}, {&Phq9(), {}}};
  }

  Course& Add(const InstrumentRules& rules, absl::Time at, absl::string_view digits) {
    const v1::Score score = ScoreOf(rules, digits);
    for (Series& series : input_.series) {
      if (series.rules != &rules) continue;
      series.forms.push_back({.assessment = absl::StrCat("f", ++forms_),
                              .instrument = std::string(rules.id()),
                              .answer_time = at,
                              .has_total = score.has_total(),
                              .total = score.total(),
                              .complete = score.complete(),
                              .prorated = score.prorated(),
                              .severity = score.severity(),
                              .diagnostic = score.diagnostic()});
    }
    return *this;
  }
  // A day before session `number`.
  Course& Before(const InstrumentRules& rules, int number, absl::string_view digits) {
    return Add(rules, start(number) - absl::Hours(24), digits);
  }

  absl::Time start(int number) const { return input_.sessions[number - 1].start; }
  ProgressInput& input() { return input_; }
  v1::Progress Compute() const { return ComputeProgress(input_); }

 private:
  ProgressInput input_;
  int forms_ = 0;
};

const v1::InstrumentProgress& Of(const v1::Progress& progress, absl::string_view id) {
  for (const auto& instrument : progress.instruments()) {
    if (instrument.instrument() == absl::StrCat("instruments/", id)) return instrument;
  }
  ADD_FAILURE() << "no " << id;
  return v1::InstrumentProgress::default_instance();
}

template <class From>
std::vector<std::pair<v1::Term, int>> Reached(const From& from) {
  std::vector<std::pair<v1::Term, int>> reached;
  for (const auto& milestone : from.milestones()) {
    reached.emplace_back(milestone.term(), milestone.session_number());
  }
  return reached;
}

template <class From>
const v1::Milestone* Find(const From& from, v1::Term term) {
  for (const auto& milestone : from.milestones()) {
    if (milestone.term() == term) return &milestone;
  }
  return nullptr;
}

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

// Story S1 of the clinical rules, to session `until`.
Course StoryS1(int until = 16) {
  static const std::vector<std::string> phq = absl::StrSplit(
      "232322210 233322210 232312210 222312210 222212210 333323212 233222211 222212211 222212110 "
      "122211110 112211100 111211100 111111100 111101100 111100000 011100000",
      ' ');
  Course course(16);
  for (int session = 1; session <= until; ++session) {
    course.Before(Phq9(), session, phq[session - 1]);
    for (const auto& [at, digits] : std::vector<std::pair<int, const char*>>{
             {1, "2222211"}, {5, "2222111"}, {9, "1211111"}, {13, "1111100"}, {16, "1110000"}}) {
      if (at == session) course.Before(Gad7(), session, digits);
    }
  }
  return course;
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
  course.Add(Phq9(), course.start(1) - absl::Hours(24 * 29), "333333330")
      .Add(Phq9(), course.start(1) - absl::Hours(24 * 20), "222222220")
      .Add(Phq9(), course.start(1) - absl::Hours(24 * 3), "22222222-")
      .Before(Phq9(), 2, "111111110");
  EXPECT_EQ(Of(course.Compute(), "phq-9").baseline().total(), 16);
}

TEST(Baseline, IsElseTheFirstCompleteFormBySessionTwo) {
  Course course(4);
  course.Add(Phq9(), course.start(1) - absl::Hours(24 * 29), "333333330")
      .Before(Phq9(), 1, "22322111-")
      .Before(Phq9(), 2, "222222210")
      .Before(Phq9(), 3, "111111110");
  const v1::Progress progress = course.Compute();
  const auto& phq = Of(progress, "phq-9");
  EXPECT_EQ(phq.baseline().total(), 15) << "story S5: a prorated form is no baseline";
  EXPECT_EQ(phq.baseline().session_number(), 2);
  EXPECT_TRUE(phq.points(1).prorated());
  EXPECT_EQ(phq.points(1).severity(), "");
}

TEST(Baseline, AbsentTellsNoChange) {
  Course course(4);
  course.Before(Phq9(), 3, "333333330").Before(Phq9(), 4, "000000000");
  const v1::Progress progress = course.Compute();
  const auto& phq = Of(progress, "phq-9");
  EXPECT_FALSE(phq.has_baseline());
  EXPECT_FALSE(phq.has_change());
  EXPECT_FALSE(phq.response_applicable());
  EXPECT_THAT(phq.milestones(), IsEmpty());
}

TEST(Baseline, BelowCasenessMakesResponseAndRemissionNotApplicable) {
  Course course(4);
  course.Before(Phq9(), 1, "111111110")
      .Before(Phq9(), 2, "000000000")
      .Before(Phq9(), 4, "000000000");
  const v1::Progress progress = course.Compute();
  EXPECT_FALSE(Of(progress, "phq-9").response_applicable());
  EXPECT_THAT(Reached(Of(progress, "phq-9")), ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 2)));
}

TEST(Response, CountsAtExactlyTheHalf) {
  Course course(3);
  course.Before(Phq9(), 1, "222222220").Before(Phq9(), 2, "111111110");
  EXPECT_NE(Find(Of(course.Compute(), "phq-9"), v1::TERM_RESPONSE), nullptr);
}

TEST(Response, IsNeverTakenFromAnEstimate) {
  Course course(3);
  course.Before(Phq9(), 1, "222222220").Before(Phq9(), 2, "00000000-");
  const v1::Progress progress = course.Compute();
  EXPECT_THAT(Of(progress, "phq-9").milestones(), IsEmpty());
  EXPECT_FALSE(Of(progress, "phq-9").has_change());
}

TEST(Remission, NeedsTwoWeeksByThePatientsCalendarAcrossAClockChange) {
  // Clocks go forward on 8 March in New York, so that the two weeks from 1 to 15 March last an hour
  // less.
  Course course(6, absl::CivilSecond(2026, 2, 23, 10, 0, 0));
  course.Before(Phq9(), 1, "222222220")
      .Before(Phq9(), 2, "111100000")
      .Before(Phq9(), 3, "111000000")
      .Before(Phq9(), 4, "111000000");
  ASSERT_LT(course.start(4) - course.start(2), absl::Hours(24 * 14));
  EXPECT_EQ(SessionOf(Of(course.Compute(), "phq-9"), v1::TERM_REMISSION), 4);
}

TEST(Remission, IsInterruptedByAHigherFormEvenByAnEstimate) {
  for (const char* interruption : {"111110000", "11111111-"}) {
    Course course(6);
    course.Before(Phq9(), 1, "222222220")
        .Before(Phq9(), 2, "111000000")
        .Before(Phq9(), 3, interruption)
        .Before(Phq9(), 4, "111000000")
        .Before(Phq9(), 5, "111000000");
    EXPECT_EQ(Find(Of(course.Compute(), "phq-9"), v1::TERM_REMISSION), nullptr) << interruption;
    course.Before(Phq9(), 6, "111000000");
    EXPECT_EQ(SessionOf(Of(course.Compute(), "phq-9"), v1::TERM_REMISSION), 6);
  }
}

TEST(Remission, ThatDoesNotLastIsToldAsNotHolding) {
  Course course(6);
  course.Before(Phq9(), 1, "222222220")
      .Before(Phq9(), 2, "111000000")
      .Before(Phq9(), 4, "111000000")
      .Before(Phq9(), 5, "111111000");
  const v1::Progress progress = course.Compute();
  EXPECT_FALSE(Holds(Of(progress, "phq-9"), v1::TERM_REMISSION));
  EXPECT_FALSE(Holds(Of(progress, "phq-9"), v1::TERM_REMISSION_LEVEL));
  EXPECT_TRUE(Holds(Of(progress, "phq-9"), v1::TERM_RESPONSE));
}

TEST(Relapse, IsAFullSyndromeFormAfterRemission) {
  Course course(8);
  course.Before(Phq9(), 1, "222222220")
      .Before(Phq9(), 2, "111000000")
      .Before(Phq9(), 4, "111000000");
  Course high = course;
  high.Before(Phq9(), 6, "222111111");
  EXPECT_EQ(Find(Of(high.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE), nullptr)
      << "12 points, but four symptoms are not the full syndrome";
  course.Before(Phq9(), 6, "222211111");
  EXPECT_EQ(SessionOf(Of(course.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE), 6);
  course.Before(Phq9(), 7, "111111110");
  EXPECT_FALSE(Holds(Of(course.Compute(), "phq-9"), v1::TERM_POSSIBLE_RELAPSE));
}

TEST(Recurrence, IsAFullSyndromeFormAfterSustainedRecovery) {
  Course course(4);
  course.Before(Phq9(), 1, "222222220").Before(Phq9(), 3, "110000000");
  for (int month = 1; month <= 7; ++month) {
    course.Add(Phq9(), course.start(4) + absl::Hours(24 * 30 * month), "010100000");
  }
  EXPECT_NE(Find(Of(course.Compute(), "phq-9"), v1::TERM_SUSTAINED_RECOVERY), nullptr);
  course.Add(Phq9(), course.start(4) + absl::Hours(24 * 30 * 8), "222222110");
  const v1::Progress progress = course.Compute();
  EXPECT_NE(Find(Of(progress, "phq-9"), v1::TERM_POSSIBLE_RECURRENCE), nullptr);
  EXPECT_EQ(Find(Of(progress, "phq-9"), v1::TERM_POSSIBLE_RELAPSE), nullptr);
}

TEST(CourseTerms, NeedBothMeasuresForCaseRecovery) {
  Course course(4);
  course.Before(Phq9(), 1, "222222220").Before(Phq9(), 3, "110000000");
  EXPECT_THAT(Reached(course.Compute()), ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 3)));
}

TEST(CourseTerms, ImprovementIsSpoiltByDeteriorationOnTheOther) {
  Course course(4);
  course.Before(Phq9(), 1, "222222220")
      .Before(Gad7(), 1, "1111111")
      .Before(Gad7(), 2, "2222111")
      .Before(Phq9(), 3, "110000000");
  EXPECT_THAT(course.Compute().milestones(), IsEmpty());
  course.Before(Gad7(), 4, "2111111");
  EXPECT_EQ(SessionOf(course.Compute(), v1::TERM_RELIABLE_IMPROVEMENT), 4);
}

}  // namespace
}  // namespace rapport::assessment
