#include "services/assessment/domain/track.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/convert.h"
#include "tests/unit/services/assessment/domain/course.h"

namespace rapport::assessment {
namespace {

using ::testing::AllOf;
using testing::Course;
using ::testing::ElementsAre;
using testing::Find;
using testing::FindFlag;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Of;
using ::testing::Pair;
using testing::Reached;
using testing::StoryS1;
using testing::StoryS3;
using testing::Watched;

constexpr auto kOnTrack = v1::PROGRESS_FLAG_KIND_ON_TRACK;
constexpr auto kNotOnTrack = v1::PROGRESS_FLAG_KIND_NOT_ON_TRACK;
constexpr auto kNonResponse = v1::PROGRESS_FLAG_KIND_NON_RESPONSE;
constexpr auto kWorse = v1::PROGRESS_FLAG_KIND_RELIABLE_WORSENING;
constexpr auto kMissing = v1::PROGRESS_FLAG_KIND_MISSING_DATA;
constexpr auto kElevation = v1::PROGRESS_FLAG_KIND_CHECK_FOR_ELEVATION;
constexpr auto kReview = v1::PROGRESS_FLAG_KIND_DIAGNOSTIC_REVIEW;

// "holds", "past" or "none".
std::string State(const v1::Progress& progress, v1::ProgressFlagKind kind,
                  absl::string_view instrument) {
  const v1::ProgressFlag* flag = FindFlag(progress, kind, instrument);
  return flag == nullptr ? "none" : flag->holds() ? "holds" : "past";
}

TEST(ShippedRules, AreSoundAndSayWhatTheyRestOn) {
  std::set<std::string> ids;
  for (const v1::TrackRule& rule : ShippedTrackRules()) {
    EXPECT_THAT(Problems(rule), IsEmpty()) << rule.id();
    EXPECT_TRUE(ids.insert(rule.id()).second) << rule.id();
    if (rule.has_early_change() && rule.instrument() == "phq-9") {
      EXPECT_THAT(rule.evidence(), HasSubstr("not validated for adult IPT")) << rule.id();
    }
    if (!rule.instrument().empty()) {
      EXPECT_NE(ShippedInstruments().FindById(rule.instrument()), nullptr) << rule.id();
    }
  }
  EXPECT_EQ(ids.count("ipt-a-week-4-hamd-17"), 1u);
}

TEST(RuleProblems, NameWhatIsWrong) {
  v1::TrackRule good;
  for (const v1::TrackRule& rule : ShippedTrackRules()) {
    if (rule.has_early_change()) good = rule;
  }
  struct Row {
    const char* problem;
    std::function<void(v1::TrackRule&)> spoil;
  };
  for (const Row& row : std::vector<Row>{
           {"id", [](v1::TrackRule& rule) { rule.clear_id(); }},
           {"citation", [](v1::TrackRule& rule) { rule.clear_citation(); }},
           {"evidence", [](v1::TrackRule& rule) { rule.clear_evidence(); }},
           {"confidence", [](v1::TrackRule& rule) { rule.clear_confidence(); }},
           {"instrument", [](v1::TrackRule& rule) { rule.clear_instrument(); }},
           {"protocols",
            [](v1::TrackRule& rule) {
              rule.add_protocols("classic");
              rule.add_except_protocols("group");
            }},
           {"looks for", [](v1::TrackRule& rule) { rule.clear_early_change(); }},
           {"window", [](v1::TrackRule& rule) { rule.mutable_early_change()->set_to_day(1); }},
           {"window",
            [](v1::TrackRule& rule) {
              rule.mutable_early_change()->set_from_session(4);
              rule.mutable_early_change()->set_to_session(5);
            }},
           {"least",
            [](v1::TrackRule& rule) {
              rule.mutable_early_change()->set_least_points(3);
              rule.mutable_early_change()->set_least_percent(3);
            }},
           {"flag", [](v1::TrackRule& rule) { rule.mutable_early_change()->set_flag(kMissing); }},
           {"cleared_by",
            [](v1::TrackRule& rule) { rule.mutable_sudden_fall()->set_least_points(10); }}}) {
    v1::TrackRule rule = good;
    row.spoil(rule);
    EXPECT_THAT(Problems(rule), ::testing::Contains(HasSubstr(row.problem)));
  }
}

TEST(EarlyChange, OfAdolescentsAtWeekFour) {
  struct Row {
    const char* why;
    double baseline;
    int day;
    double total;
    const char* on;
    const char* off;
  };
  for (const Row& row : std::vector<Row>{{"story S2: 11 %", 18, 27, 16, "none", "holds"},
                                         {"16.67 %", 18, 27, 15, "holds", "none"},
                                         {"exactly 16.2 %", 20, 27, 16.76, "holds", "none"},
                                         {"just below", 20, 27, 16.77, "none", "holds"},
                                         {"worse", 18, 27, 20, "none", "holds"},
                                         {"before the window", 18, 18, 16, "none", "none"},
                                         {"at its first day", 18, 19, 16, "none", "holds"},
                                         {"at its last day", 18, 31, 16, "none", "holds"},
                                         {"after it", 18, 32, 16, "none", "none"},
                                         {"no case at baseline", 7, 27, 7, "none", "none"}}) {
    Course course = Watched(12);
    course.input().protocol = "ipt-a";
    course.Total("hamd-17", 1, row.baseline);
    course.TotalAt("hamd-17", course.start(1) + absl::Hours(24 * row.day), row.total);
    const v1::Progress progress = course.Compute();
    EXPECT_EQ(State(progress, kOnTrack, "hamd-17"), row.on) << row.why;
    EXPECT_EQ(State(progress, kNotOnTrack, "hamd-17"), row.off) << row.why;
  }
}

TEST(EarlyChange, SaysItsFiguresItsSampleAndItsSource) {
  Course course = Watched(12);
  course.input().protocol = "ipt-a";
  course.Total("hamd-17", 1, 18).Total("hamd-17", 5, 16);
  const v1::Progress progress = course.Compute();
  const v1::ProgressFlag* flag = FindFlag(progress, kNotOnTrack, "hamd-17");
  ASSERT_NE(flag, nullptr);
  EXPECT_EQ(flag->session_number(), 5);
  EXPECT_EQ(flag->sample_size(), 63);
  EXPECT_EQ(flag->confidence(), v1::FACT_CONFIDENCE_VERIFIED);
  EXPECT_THAT(flag->rule(), AllOf(HasSubstr("11.1 %"), HasSubstr("18 to 16"), HasSubstr("16.2 %"),
                                  HasSubstr("21721071")));

  course.input().protocol = "classic";
  EXPECT_EQ(State(course.Compute(), kNotOnTrack, "hamd-17"), "none")
      << "a rule of another protocol";
}

TEST(EarlyChange, OfAdultsIsBorrowed) {
  struct Row {
    const char* why;
    const char* protocol;
    int session;
    double total;  // from 20
    const char* track;
    const char* response;
  };
  for (const Row& row : std::vector<Row>{{"a fall of 4", "classic", 5, 16, "holds", "none"},
                                         {"a fall of 5", "classic", 5, 15, "none", "none"},
                                         {"of adolescents", "ipt-a", 5, 16, "none", "none"},
                                         {"in IPSRT", "ipsrt", 5, 16, "none", "none"},
                                         {"week 8: 25 %", "classic", 8, 15, "none", "holds"},
                                         {"week 8: 30 %", "classic", 8, 14, "none", "none"}}) {
    Course course = Watched(12);
    course.input().protocol = row.protocol;
    course.Total("phq-9", 1, 20).Total("phq-9", row.session, row.total);
    const v1::Progress progress = course.Compute();
    EXPECT_EQ(State(progress, kNotOnTrack, "phq-9"), row.track) << row.why;
    EXPECT_EQ(State(progress, kNonResponse, "phq-9"), row.response) << row.why;
  }
  Course course = Watched(12);
  course.Total("phq-9", 1, 20).Total("phq-9", 5, 16);
  const v1::Progress progress = course.Compute();
  EXPECT_EQ(FindFlag(progress, kNotOnTrack, "phq-9")->evidence(),
            "borrowed, not validated for adult IPT");
  EXPECT_EQ(FindFlag(progress, kNotOnTrack, "phq-9")->confidence(),
            v1::FACT_CONFIDENCE_FROM_MEMORY);
}

TEST(EarlyChange, EndsWithTheFirstFormThatSaysOtherwise) {
  Course course = Watched(12);
  course.Total("phq-9", 1, 20).Total("phq-9", 4, 17);
  EXPECT_EQ(State(course.Compute(), kNotOnTrack, "phq-9"), "holds");
  course.Total("phq-9", 5, 14);
  EXPECT_EQ(State(course.Compute(), kNotOnTrack, "phq-9"), "past");
  EXPECT_EQ(State(course.Compute(), kOnTrack, "phq-9"), "holds");
  course.Total("phq-9", 11, 19);
  EXPECT_EQ(State(course.Compute(), kOnTrack, "phq-9"), "past") << "by a form after the window";
  EXPECT_EQ(State(course.Compute(), kNotOnTrack, "phq-9"), "past") << "which begins nothing";
}

TEST(EarlyChange, GoesBySessionsWhereTheRuleDoes) {
  v1::TrackRule rule = ShippedTrackRules()[0];
  rule.clear_protocols();
  rule.set_instrument("gad-7");
  v1::EarlyChange& change = *rule.mutable_early_change();
  change.Clear();
  change.set_label("session 3");
  change.set_from_session(3);
  change.set_to_session(3);
  change.set_least_points(2);
  change.set_flag(kNotOnTrack);
  ASSERT_THAT(Problems(rule), IsEmpty());
  const std::vector<v1::TrackRule> rules = {rule};
  Course course = Watched(6);
  course.input().rules = rules;
  course.Total("gad-7", 1, 12).Total("gad-7", 2, 12);
  EXPECT_EQ(State(course.Compute(), kNotOnTrack, "gad-7"), "none");
  course.Total("gad-7", 3, 11);
  EXPECT_EQ(State(course.Compute(), kNotOnTrack, "gad-7"), "holds");
}

TEST(StoryS1, IsNotOnTrackUntilItImproves) {
  EXPECT_EQ(State(StoryS1(4).Compute(), kNotOnTrack, "phq-9"), "holds");
  EXPECT_EQ(State(StoryS1(8).Compute(), kNonResponse, "phq-9"), "holds");
  const v1::Progress progress = StoryS1().Compute();
  EXPECT_EQ(State(progress, kNotOnTrack, "phq-9"), "past");
  EXPECT_EQ(State(progress, kNonResponse, "phq-9"), "past");
  EXPECT_EQ(State(progress, kElevation, "phq-9"), "none");
}

TEST(Worsening, IsFlaggedWithItsReferenceAndEnds) {
  const v1::Progress six = StoryS1(6).Compute();
  const v1::ProgressFlag* flag = FindFlag(six, kWorse, "phq-9");
  ASSERT_NE(flag, nullptr);
  EXPECT_TRUE(flag->holds());
  EXPECT_EQ(flag->session_number(), 6);
  EXPECT_THAT(flag->rule(), AllOf(HasSubstr("the form before (14)"), HasSubstr("best so far (14)"),
                                  HasSubstr("6 points (published threshold)")));
  EXPECT_THAT(flag->rule(), ::testing::Not(HasSubstr("baseline")));
  EXPECT_EQ(flag->confidence(), v1::FACT_CONFIDENCE_VERIFIED);
  EXPECT_EQ(State(StoryS1(7).Compute(), kWorse, "phq-9"), "past");
}

TEST(MissingData, IsTwoHeldSessionsInARowWithoutACompleteForm) {
  struct Row {
    const char* why;
    const char* forms;  // for each session: c complete, i incomplete, - none, m missed session
    const char* state;
  };
  for (const Row& row : std::vector<Row>{{"all there", "cccc", "none"},
                                         {"one without", "c-cc", "none"},
                                         {"two without", "c--c", "past"},
                                         {"the last two", "cc--", "holds"},
                                         {"incomplete counts for nothing", "cci-", "holds"},
                                         {"a missed session asks nothing", "c-mc", "none"},
                                         {"nor does it end a stretch", "-m-m", "holds"},
                                         {"nothing at all", "----", "holds"}}) {
    Course course = Watched(4);
    for (int i = 0; i < 4; ++i) {
      if (row.forms[i] == 'c') course.Before("phq-9", i + 1, "222222220");
      if (row.forms[i] == 'i') course.Before("phq-9", i + 1, "2222-----");
      if (row.forms[i] == 'm') course.input().sessions[i].stands = false;
    }
    course.input().now = course.start(4) + absl::Hours(2);
    EXPECT_EQ(State(course.Compute(), kMissing, "phq-9"), row.state) << row.why;
  }
}

TEST(MissingData, WaitsUntilTheSessionsAreHeldAndAsksWhatIsDue) {
  Course course = Watched(4);
  course.Before("phq-9", 1, "222222220").Before("phq-9", 2, "222222220");
  course.input().now = course.start(4) + absl::Minutes(10);
  EXPECT_EQ(State(course.Compute(), kMissing, "phq-9"), "none") << "session 4 is under way";
  course.input().now = course.start(4) + absl::Hours(1);
  EXPECT_EQ(State(course.Compute(), kMissing, "phq-9"), "holds");
  course.input().primary_due = {0, 3};
  EXPECT_EQ(State(course.Compute(), kMissing, "phq-9"), "none") << "due at one of them only";
}

TEST(SuddenFall, IsTenPointsWithinFourteenDays) {
  struct Row {
    const char* why;
    std::vector<double> totals;  // by session
    const char* state;
  };
  for (const Row& row : std::vector<Row>{{"10 in 7 days", {14, 4}, "holds"},
                                         {"9 in 7 days", {14, 5}, "none"},
                                         {"10 in 14 days, by two steps", {14, 9, 4}, "holds"},
                                         {"10 in 21 days, by three steps", {14, 11, 8, 4}, "none"},
                                         {"10 up", {4, 14}, "none"}}) {
    Course course = Watched(6);
    for (size_t i = 0; i < row.totals.size(); ++i) {
      course.Total("phq-9", static_cast<int>(i) + 1, row.totals[i]);
    }
    EXPECT_EQ(State(course.Compute(), kElevation, "phq-9"), row.state) << row.why;
  }
}

// The story's PHQ-9 to session `until`, and ASRM totals by session.
v1::Progress S3(int until, const std::vector<std::pair<int, double>>& asrm,
                absl::string_view protocol = "classic") {
  Course course = StoryS3(until, protocol);
  for (const auto& [session, total] : asrm) course.Total("asrm", session, total);
  return course.Compute();
}

TEST(StoryS3, TellsNoRemissionBeforeElevationIsRuledOut) {
  const v1::Progress progress = S3(3, {});
  EXPECT_EQ(State(progress, kElevation, "phq-9"), "holds");
  EXPECT_THAT(FindFlag(progress, kElevation, "phq-9")->rule(),
              AllOf(HasSubstr("18 to 4"), HasSubstr("10 or more"), HasSubstr("ASRM"),
                    HasSubstr("no remission")));
  EXPECT_EQ(Find(Of(progress, "phq-9"), v1::TERM_REMISSION_LEVEL), nullptr);
  EXPECT_NE(Find(Of(progress, "phq-9"), v1::TERM_RESPONSE), nullptr);

  EXPECT_EQ(Find(Of(S3(3, {{2, 3}}), "phq-9"), v1::TERM_REMISSION_LEVEL), nullptr)
      << "a scale from before the fall rules nothing out";
}

TEST(StoryS3, TellsNoRecoveryOfTheCourseEither) {
  Course course = StoryS3(3);
  course.Total("gad-7", 1, 4).Total("gad-7", 3, 3);
  EXPECT_EQ(Find(course.Compute(), v1::TERM_CASE_RECOVERY), nullptr);
  EXPECT_NE(Find(course.Compute(), v1::TERM_RELIABLE_IMPROVEMENT), nullptr);
  course.Total("asrm", 3, 2);
  EXPECT_NE(Find(course.Compute(), v1::TERM_CASE_RECOVERY), nullptr);
}

TEST(StoryS3, BelievesTheFallOnceTheManiaScaleIsLow) {
  for (const int session : {3, 4}) {
    const v1::Progress progress = S3(4, {{session, 5}});
    EXPECT_EQ(State(progress, kElevation, "phq-9"), "past");
    EXPECT_EQ(State(progress, kReview, "asrm"), "none");
    ASSERT_NE(Find(Of(progress, "phq-9"), v1::TERM_REMISSION_LEVEL), nullptr);
    EXPECT_EQ(Find(Of(progress, "phq-9"), v1::TERM_REMISSION_LEVEL)->session_number(), 3);
  }
}

TEST(StoryS3, DoesNotCheerWhereTheManiaScaleIsHigh) {
  const v1::Progress progress = S3(3, {{3, 11}});
  EXPECT_EQ(State(progress, kElevation, "phq-9"), "holds");
  EXPECT_EQ(State(progress, kReview, "asrm"), "holds");
  EXPECT_THAT(FindFlag(progress, kReview, "asrm")->rule(),
              AllOf(HasSubstr("ASRM of 11"), HasSubstr("review the diagnosis")));
  const auto& phq = Of(progress, "phq-9");
  EXPECT_THAT(phq.milestones(), IsEmpty());
  EXPECT_THAT(progress.milestones(), IsEmpty());
  EXPECT_EQ(phq.change().points(), -14) << "the figures are told";
  EXPECT_FALSE(phq.change().reliable_improvement());
}

TEST(StoryS3, TellsImprovementOfLaterFormsAfterTheSwitchOfProtocol) {
  const v1::Progress progress = S3(14, {{3, 11}, {4, 9}, {5, 7}, {6, 5}, {7, 4}}, "ipsrt");
  EXPECT_EQ(State(progress, kElevation, "phq-9"), "past");
  EXPECT_EQ(State(progress, kReview, "asrm"), "none") << "IPSRT is made for it";
  EXPECT_THAT(Reached(Of(progress, "phq-9")),
              ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 6), Pair(v1::TERM_RESPONSE, 9),
                          Pair(v1::TERM_REMISSION_LEVEL, 13)))
      << "the four of session 3 was elevation";
}

TEST(ElevationSigns, HoldBackImprovementInPlainProtocolsOnly) {
  struct Row {
    const char* why;
    const char* protocol;
    double asrm;
    const char* review;
    bool told;
  };
  for (const Row& row :
       std::vector<Row>{{"at the cut-off", "classic", 6, "holds", false},
                        {"below it", "classic", 5, "none", true},
                        {"in IPSRT", "ipsrt", 12, "none", true},
                        {"in its maintenance", "ipsrt-maintenance", 12, "none", true},
                        {"in an organisation's own", "our-ipt", 6, "holds", false}}) {
    Course course = Watched(8);
    course.input().protocol = row.protocol;
    course.Total("phq-9", 1, 18).Total("asrm", 4, row.asrm).Total("phq-9", 5, 11);
    const v1::Progress progress = course.Compute();
    EXPECT_EQ(State(progress, kReview, "asrm"), row.review) << row.why;
    EXPECT_EQ(Find(Of(progress, "phq-9"), v1::TERM_RELIABLE_IMPROVEMENT) != nullptr, row.told)
        << row.why;
    if (!row.told) {
      EXPECT_EQ(State(progress, kOnTrack, "phq-9"), "none") << row.why;
    }
  }
}

TEST(ElevationSigns, OfOneDayCountForAllFormsOfTheDay) {
  Course course = Watched(8);
  course.Total("phq-9", 1, 18).Total("phq-9", 3, 11);
  course.TotalAt("asrm", course.start(3) - absl::Hours(23), 8);
  EXPECT_THAT(Of(course.Compute(), "phq-9").milestones(), IsEmpty());
}

TEST(ElevationSigns, EndWithALowScaleButNeverWithANegativeScreen) {
  Course scale = Watched(8);
  scale.Total("phq-9", 1, 18).Total("asrm", 2, 8).Total("asrm", 4, 2).Total("phq-9", 5, 11);
  EXPECT_EQ(State(scale.Compute(), kReview, "asrm"), "past");
  EXPECT_THAT(Reached(Of(scale.Compute(), "phq-9")),
              ElementsAre(Pair(v1::TERM_RELIABLE_IMPROVEMENT, 5)));

  Course screen = Watched(8);
  screen.Total("phq-9", 1, 18).Screen("mdq", 2, true).Screen("mdq", 4, false);
  screen.Total("phq-9", 5, 11);
  EXPECT_EQ(State(screen.Compute(), kReview, "mdq"), "holds");
  EXPECT_THAT(Of(screen.Compute(), "phq-9").milestones(), IsEmpty());

  Course negative = Watched(8);
  negative.Total("phq-9", 1, 18).Screen("mdq", 2, false).Total("phq-9", 5, 11);
  EXPECT_EQ(State(negative.Compute(), kReview, "mdq"), "none");
  negative.Total("asrm", 5, 9);
  EXPECT_EQ(State(negative.Compute(), kReview, "asrm"), "holds") << "it rules nothing out";
}

TEST(ElevationSigns, PauseWhatWasReachedBefore) {
  Course course = Watched(8);
  course.Total("phq-9", 1, 18).Total("phq-9", 2, 11).Total("asrm", 3, 9).Total("phq-9", 4, 10);
  const v1::Progress progress = course.Compute();
  const v1::Milestone* improved = Find(Of(progress, "phq-9"), v1::TERM_RELIABLE_IMPROVEMENT);
  ASSERT_NE(improved, nullptr);
  EXPECT_EQ(improved->session_number(), 2);
  EXPECT_FALSE(improved->holds());
}

TEST(ElevationSigns, NeverHoldBackBadNews) {
  Course course = Watched(8);
  course.Total("asrm", 1, 9).Total("phq-9", 1, 12).Total("phq-9", 3, 18);
  const v1::Progress progress = course.Compute();
  EXPECT_NE(Find(Of(progress, "phq-9"), v1::TERM_RELIABLE_DETERIORATION), nullptr);
  EXPECT_EQ(State(progress, kWorse, "phq-9"), "holds");
}

TEST(Flags, ComeByTime) {
  Course course = Watched(12);
  course.Total("phq-9", 1, 18).Total("phq-9", 2, 12).Total("phq-9", 4, 18).Total("asrm", 3, 7);
  const v1::Progress progress = course.Compute();
  absl::Time last = absl::InfinitePast();
  ASSERT_GE(progress.flags_size(), 3);
  for (const auto& flag : progress.flags()) {
    EXPECT_GE(time::ToTime(flag.time()), last);
    last = time::ToTime(flag.time());
    EXPECT_FALSE(flag.rule().empty());
    EXPECT_FALSE(flag.evidence().empty());
    EXPECT_NE(flag.confidence(), v1::FACT_CONFIDENCE_UNSPECIFIED);
  }
}

}  // namespace
}  // namespace rapport::assessment
