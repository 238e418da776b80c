#include "services/assessment/domain/outcomes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/assessment/domain/disclosure.h"

namespace rapport::assessment {
namespace {

namespace proto = scheduling::v1;

// ---- One course ----

proto::AppointmentEvent Appointment(absl::Time start, proto::AppointmentState state,
                                    bool late = false) {
  proto::AppointmentEvent appointment;
  *appointment.mutable_start_time() = time::ToTimestamp(start);
  appointment.set_state(state);
  appointment.set_cancelled_late(late);
  appointment.set_counts_towards_course(state != proto::APPOINTMENT_STATE_NO_SHOW &&
                                        state != proto::APPOINTMENT_STATE_CANCELLED);
  return appointment;
}

proto::CourseEvent Course(proto::CourseState state, int planned = 8) {
  proto::CourseEvent course;
  course.set_state(state);
  course.set_planned_sessions(planned);
  course.set_protocol("protocols/classic/revisions/3");
  return course;
}

const absl::Time kNewYear = absl::FromCivil(absl::CivilSecond(2026, 1, 1), absl::UTCTimeZone());

std::vector<proto::AppointmentEvent> Held(int count, absl::Time first = kNewYear) {
  std::vector<proto::AppointmentEvent> sessions;
  for (int i = 0; i < count; ++i) {
    sessions.push_back(
        Appointment(first + absl::Hours(168 * i), proto::APPOINTMENT_STATE_COMPLETED));
  }
  return sessions;
}

TEST(CourseOutcomeTest, ACourseBeginsWithTheFirstSessionThatIsHeld) {
  std::vector<proto::AppointmentEvent> sessions = {
      Appointment(kNewYear - absl::Hours(48), proto::APPOINTMENT_STATE_NO_SHOW),
      Appointment(kNewYear + absl::Hours(900), proto::APPOINTMENT_STATE_BOOKED)};
  const proto::CourseEvent course = Course(proto::COURSE_STATE_ACTIVE);
  EXPECT_FALSE(OutcomeOf(course, sessions, 0, absl::UTCTimeZone()).has_value());
  sessions.push_back(Appointment(kNewYear, proto::APPOINTMENT_STATE_CHECKED_IN));
  const auto outcome = OutcomeOf(course, sessions, 2, absl::UTCTimeZone());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->first_session, kNewYear);
  EXPECT_EQ(outcome->month, 2026 * 12);
  EXPECT_EQ(FirstDayOf(outcome->month), absl::CivilDay(2026, 1, 1));
  EXPECT_EQ(outcome->protocol, "protocols/classic");
  EXPECT_EQ(outcome->problem_area, 2);
  EXPECT_EQ(outcome->state, CourseOutcome::kUnderWay);
}

TEST(CourseOutcomeTest, TheMonthIsThatOfTheClinicsCalendar) {
  const auto outcome = OutcomeOf(Course(proto::COURSE_STATE_ACTIVE), Held(1), 0,
                                 *time::LoadZone("America/New_York"));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(FirstDayOf(outcome->month), absl::CivilDay(2025, 12, 1));
}

TEST(CourseOutcomeTest, AttendanceCountsWhatCameAboutAndWhatWasMissedOrCancelledLate) {
  std::vector<proto::AppointmentEvent> sessions = Held(3);
  sessions.push_back(Appointment(kNewYear, proto::APPOINTMENT_STATE_NO_SHOW));
  sessions.push_back(Appointment(kNewYear, proto::APPOINTMENT_STATE_CANCELLED, true));
  sessions.push_back(Appointment(kNewYear, proto::APPOINTMENT_STATE_CANCELLED, false));
  sessions.push_back(Appointment(kNewYear, proto::APPOINTMENT_STATE_RELEASED));
  const auto outcome =
      OutcomeOf(Course(proto::COURSE_STATE_ACTIVE), sessions, 0, absl::UTCTimeZone());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->held, 3);
  EXPECT_EQ(outcome->missed, 1);
  EXPECT_EQ(outcome->cancelled_late, 1);
}

TEST(CourseOutcomeTest, BothDefinitionsOfAttritionAreTold) {
  struct Case {
    proto::CourseState state;
    int held;
    CourseOutcome::State want;
    bool before_planned;
    bool before_half;
  };
  for (const Case& each : {
           Case{proto::COURSE_STATE_DISCONTINUED, 3, CourseOutcome::kEnded, true, true},
           Case{proto::COURSE_STATE_DISCONTINUED, 4, CourseOutcome::kEnded, true, false},
           Case{proto::COURSE_STATE_DISCONTINUED, 8, CourseOutcome::kEnded, false, false},
           Case{proto::COURSE_STATE_COMPLETED, 6, CourseOutcome::kCompleted, false, false},
           Case{proto::COURSE_STATE_MAINTENANCE, 8, CourseOutcome::kCompleted, false, false},
           Case{proto::COURSE_STATE_PAUSED, 2, CourseOutcome::kUnderWay, false, false},
       }) {
    SCOPED_TRACE(absl::StrCat(proto::CourseState_Name(each.state), " after ", each.held));
    const auto outcome = OutcomeOf(Course(each.state), Held(each.held), 0, absl::UTCTimeZone());
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->state, each.want);
    EXPECT_EQ(outcome->ended_before_planned, each.before_planned);
    EXPECT_EQ(outcome->ended_before_half, each.before_half);
  }
}

TEST(CourseOutcomeTest, WhoDropsOutOfMaintenanceHadCompletedTheCourse) {
  proto::CourseEvent course = Course(proto::COURSE_STATE_DISCONTINUED);
  course.mutable_maintenance();
  EXPECT_EQ(OutcomeOf(course, Held(8), 0, absl::UTCTimeZone())->state, CourseOutcome::kCompleted);
}

// ---- Many courses ----

ScoreSums Of(const std::vector<std::pair<double, double>>& baselines_and_gains) {
  ScoreSums sums;
  for (const auto& [baseline, gain] : baselines_and_gains) {
    ScoreSums one;
    one.n = 1;
    one.baseline = baseline;
    one.baseline_squared = baseline * baseline;
    one.last = baseline - gain;
    one.gain = gain;
    one.gain_squared = gain * gain;
    sums.Add(one);
  }
  return sums;
}

TEST(FiguresTest, MeansAndDeviationsAreThoseOfASample) {
  const v1::OutcomeFigures figures = FiguresOf(Of({{10, 4}, {14, 8}, {18, 6}}));
  EXPECT_EQ(figures.n(), 3);
  EXPECT_DOUBLE_EQ(figures.baseline_mean(), 14);
  EXPECT_DOUBLE_EQ(figures.baseline_sd(), 4);
  EXPECT_DOUBLE_EQ(figures.last_mean(), 8);
  EXPECT_DOUBLE_EQ(figures.change_mean(), 6);
  EXPECT_DOUBLE_EQ(figures.change_sd(), 2);
  EXPECT_FALSE(figures.has_effect_size());
}

// n = 10; baselines 10 and 20 five times each: SD = √(250/9); gains 3 and 7 five times each: mean
// 5, SD = √(40/9). d = 5 / 5.270463 × (1 − 3/35).
TEST(FiguresTest, TheEffectSizeHasHedgesCorrectionAndItsInterval) {
  std::vector<std::pair<double, double>> courses;
  for (int i = 0; i < 5; ++i) {
    courses.push_back({10, 3});
    courses.push_back({20, 7});
  }
  const v1::OutcomeFigures figures = FiguresOf(Of(courses));
  ASSERT_TRUE(figures.has_effect_size());
  const double d = 5 / std::sqrt(250.0 / 9) * 32 / 35;
  EXPECT_NEAR(figures.effect_size(), d, 1e-12);
  EXPECT_NEAR(figures.effect_size(), 0.867368, 1e-6);
  const double margin = 1.96 * std::sqrt((40.0 / 250) / 10 + d * d / 18);
  EXPECT_NEAR(figures.effect_size_low(), d - margin, 1e-12);
  EXPECT_NEAR(figures.effect_size_high(), d + margin, 1e-12);
}

TEST(FiguresTest, WhereNobodyDiffersThereIsNoEffectSize) {
  EXPECT_FALSE(
      FiguresOf(Of(std::vector<std::pair<double, double>>(12, {10, 2}))).has_effect_size());
}

TEST(FiguresTest, ACellTellsCompletenessBesideTheFigures) {
  CourseSums sums;
  sums.started = 8;
  sums.completed = 5;
  sums.scored = Of({{10, 1}, {11, 2}, {12, 3}, {13, 1}, {14, 1}, {15, 1}});
  sums.completers = Of({{10, 1}, {11, 2}});
  const v1::OutcomeCell cell = CellOf(sums);
  EXPECT_EQ(cell.started(), 8);
  EXPECT_EQ(cell.with_two_scores(), 6);
  EXPECT_DOUBLE_EQ(cell.percent_without_data(), 25);
  EXPECT_EQ(cell.intention_to_treat().n(), 6);
  EXPECT_EQ(cell.completers().n(), 2);
}

TEST(FunnelTest, ExpectsWhatTheOrganisationShowsAtTheSameSeverity) {
  ByTenth organization;
  ByTenth own;
  for (int i = 0; i < 40; ++i) {
    organization[3].Add(Of({{10, i % 2 == 0 ? 1.0 : 3.0}}));
    organization[7].Add(Of({{20, i % 2 == 0 ? 8.0 : 12.0}}));
  }
  own[3] = Of({{10, 1}});
  own[7] = Of({{20, 8}, {20, 12}, {20, 12}});
  const auto funnel = FunnelOf(own, organization);
  ASSERT_TRUE(funnel.has_value());
  EXPECT_DOUBLE_EQ(funnel->expected_change(), (2 + 3 * 10) / 4.0);
  const double error = std::sqrt((40.0 / 39 + 3 * 160.0 / 39) / 4 / 4);
  EXPECT_NEAR(funnel->high_95() - funnel->expected_change(), 1.96 * error, 1e-12);
  EXPECT_NEAR(funnel->expected_change() - funnel->low_998(), 3.09 * error, 1e-12);
  EXPECT_NE(funnel->label().find("Not case-mix adjusted"), std::string::npos);
}

TEST(FunnelTest, NeedsThirtyCoursesAndEnoughOfOthers) {
  ByTenth organization;
  ByTenth own;
  own[2] = Of({{5, 1}});
  for (int i = 0; i < 29; ++i) organization[2].Add(Of({{5, 1}}));
  EXPECT_FALSE(FunnelOf(own, organization).has_value());
  organization[9].Add(Of({{20, 9}}));  // another severity makes up the number
  EXPECT_TRUE(FunnelOf(own, organization).has_value());
  for (int i = 0; i < 26; ++i) own[2].Add(Of({{5, 1}}));
  EXPECT_FALSE(FunnelOf(own, organization).has_value());  // 3 others
}

// ---- What may be told ----

using Group = Disclosure::Group;

Group In(std::string clinic, std::string protocol, int area, int month, int64_t started) {
  return {std::move(clinic), std::move(protocol), area, month, started, started, started};
}

bool Told(const Disclosure& disclosure, const Disclosure::Box& box) {
  return disclosure.Told(Disclosure::Of::kStarted, box);
}

TEST(DisclosureTest, ASmallCellTakesTheNextSmallestWithIt) {
  const auto disclosure = Disclosure::Make(
      std::vector<Group>{In("a", "p", 0, 0, 20), In("b", "p", 0, 0, 12), In("c", "p", 0, 0, 3)});
  EXPECT_TRUE(Told(*disclosure, {}));
  EXPECT_TRUE(Told(*disclosure, {.clinic = "a"}));
  EXPECT_FALSE(Told(*disclosure, {.clinic = "b"}));
  EXPECT_FALSE(Told(*disclosure, {.clinic = "c"}));
  EXPECT_FALSE(Told(*disclosure, {.clinic = "nobody's"}));
}

TEST(DisclosureTest, AFilterHidesWhatTheTableHides) {
  const auto disclosure = Disclosure::Make(
      std::vector<Group>{In("a", "p", 0, 0, 20), In("a", "q", 0, 0, 6), In("a", "r", 0, 0, 2),
                         In("b", "q", 0, 0, 30), In("b", "r", 0, 0, 30)});
  EXPECT_TRUE(Told(*disclosure, {.clinic = "a", .protocol = "p"}));
  EXPECT_FALSE(Told(*disclosure, {.clinic = "a", .protocol = "q"}));
  EXPECT_FALSE(Told(*disclosure, {.clinic = "a", .protocol = "r"}));
  // Else the column tells it.
  EXPECT_FALSE(Told(*disclosure, {.clinic = "b", .protocol = "r"}));
}

TEST(DisclosureTest, AWindowIsToldWhereItIsASumOfToldYearsQuartersAndMonths) {
  const int start = 2025 * 12;
  std::vector<Group> groups;
  for (int month = 0; month < 24; ++month) groups.push_back(In("a", "p", 0, start + month, 6));
  groups[4].started = 2;  // May 2025
  const auto disclosure = Disclosure::Make(groups);
  const auto told = [&](int first, int last) {
    return Told(*disclosure, {.first_month = start + first, .last_month = start + last});
  };
  EXPECT_TRUE(told(0, 11));  // a year
  EXPECT_TRUE(told(3, 5));   // the quarter around May
  EXPECT_FALSE(told(4, 4));
  EXPECT_FALSE(told(0, 4));  // with all of the year it would tell June to December
  EXPECT_FALSE(told(3, 3));  // goes with May
  EXPECT_TRUE(told(5, 5));
  EXPECT_TRUE(told(0, 5));    // two quarters
  EXPECT_TRUE(told(0, 200));  // all there is
  EXPECT_TRUE(told(12, 14));
}

TEST(DisclosureTest, CompletersAreToldOnlyWhereTheOthersCouldBe) {
  Group group{"a", "p", 0, 0, 30, 20, 18};  // 2 scored did not complete
  auto disclosure = Disclosure::Make(std::vector<Group>{group});
  EXPECT_TRUE(disclosure->Told(Disclosure::Of::kScored, {}));
  EXPECT_FALSE(disclosure->Told(Disclosure::Of::kCompleters, {}));
  group.completers = 15;
  disclosure = Disclosure::Make(std::vector<Group>{group});
  EXPECT_TRUE(disclosure->Told(Disclosure::Of::kCompleters, {}));
  group.completers = group.scored;
  disclosure = Disclosure::Make(std::vector<Group>{group});
  EXPECT_TRUE(disclosure->Told(Disclosure::Of::kCompleters, {}));
}

// Two blocks of suppressed cells, and one cell between them that the first two rows less the first
// two columns would tell.
TEST(DisclosureTest, RowsLessColumnsDoNotTellACell) {
  std::vector<Group> groups;
  const auto put = [&](int row, int column, int64_t courses) {
    groups.push_back(In(absl::StrCat("c", row), absl::StrCat("p", column), 0, 0, courses));
  };
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 2; ++column) put(row, column, 3);
  }
  for (int row = 2; row < 4; ++row) {
    for (int column = 2; column < 4; ++column) put(row, column, 3);
  }
  put(1, 2, 2);
  put(0, 3, 40);  // told, until it must hide the other
  const auto disclosure = Disclosure::Make(groups);
  EXPECT_TRUE(Told(*disclosure, {.clinic = "c0"}));
  EXPECT_FALSE(Told(*disclosure, {.clinic = "c0", .protocol = "p3"}));
}

// Whoever knows who is nowhere asks for everything there is to ask.
class Attack {
 public:
  Attack(std::vector<Group> groups, Disclosure::Of of) : groups_(std::move(groups)) {
    const auto disclosure = Disclosure::Make(groups_);
    std::vector<std::optional<std::string>> clinics = {std::nullopt};
    std::vector<std::optional<std::string>> protocols = {std::nullopt};
    std::vector<std::optional<int>> areas = {std::nullopt};
    int first = groups_[0].month;
    int last = first;
    for (const Group& group : groups_) {
      const auto put = [](auto& values, const auto& value) {
        if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
      };
      put(clinics, std::optional(group.clinic));
      put(protocols, std::optional(group.protocol));
      put(areas, std::optional(group.problem_area));
      first = std::min(first, group.month);
      last = std::max(last, group.month);
      weights_.push_back(of == Disclosure::Of::kStarted  ? group.started
                         : of == Disclosure::Of::kScored ? group.scored
                                                         : group.completers);
    }
    std::vector<std::pair<std::optional<int>, std::optional<int>>> windows = {{{}, {}}};
    for (int from = first; from <= last; ++from) {
      for (int to = from; to <= last; ++to) windows.push_back({from, to});
      windows.push_back({from, {}});
      windows.push_back({{}, from});
    }
    std::map<std::vector<bool>, bool> seen;
    for (const auto& clinic : clinics) {
      for (const auto& protocol : protocols) {
        for (const auto& area : areas) {
          for (const auto& [from, to] : windows) {
            const Disclosure::Box box{clinic, protocol, area, from, to};
            if (!disclosure->Told(of, box)) continue;
            std::vector<bool> members;
            for (size_t i = 0; i < groups_.size(); ++i) {
              members.push_back(weights_[i] > 0 && Holds(box, groups_[i]));
            }
            if (Count(members) == 0 || !seen.emplace(members, true).second) continue;
            told_.push_back(std::move(members));
          }
        }
      }
    }
  }

  int64_t Count(const std::vector<bool>& members) const {
    int64_t count = 0;
    for (size_t i = 0; i < members.size(); ++i) count += members[i] ? weights_[i] : 0;
    return count;
  }
  static bool IsFew(int64_t count) { return count > 0 && count < kLeastCell; }

  size_t told() const { return told_.size(); }

  // A told cell, or one less another that lies in it.
  bool FindsBySubtraction() const {
    for (const auto& whole : told_) {
      if (IsFew(Count(whole))) return true;
      for (const auto& part : told_) {
        if (Within(part, whole) && IsFew(Count(whole) - Count(part))) return true;
      }
    }
    return false;
  }

  // A told cell less one after the other that lies in what is left.
  bool FindsByChance(std::mt19937& random) const {
    for (const auto& whole : told_) {
      std::vector<bool> rest = whole;
      std::vector<size_t> order(told_.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), random);
      for (size_t i : order) {
        if (!Within(told_[i], rest)) continue;
        for (size_t k = 0; k < rest.size(); ++k) rest[k] = rest[k] && !told_[i][k];
        if (IsFew(Count(rest))) return true;
      }
    }
    return false;
  }

 private:
  static bool Holds(const Disclosure::Box& box, const Group& group) {
    return (!box.clinic || *box.clinic == group.clinic) &&
           (!box.protocol || *box.protocol == group.protocol) &&
           (!box.problem_area || *box.problem_area == group.problem_area) &&
           (!box.first_month || *box.first_month <= group.month) &&
           (!box.last_month || *box.last_month >= group.month);
  }
  static bool Within(const std::vector<bool>& part, const std::vector<bool>& whole) {
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] && !whole[i]) return false;
    }
    return true;
  }

  std::vector<Group> groups_;
  std::vector<int64_t> weights_;
  std::vector<std::vector<bool>> told_;
};

std::vector<Group> RandomGroups(std::mt19937& random, int clinics, int protocols, int areas,
                                int months) {
  const auto below = [&](int n) { return static_cast<int>(random() % n); };
  std::vector<Group> groups;
  const int empty = below(80);
  const int most = 2 + below(20);
  for (int clinic = 0; clinic < clinics; ++clinic) {
    for (int protocol = 0; protocol < protocols; ++protocol) {
      for (int area = 0; area < areas; ++area) {
        for (int month = 0; month < months; ++month) {
          if (below(100) < empty) continue;
          const int64_t started = 1 + below(most);
          const int64_t scored = below(static_cast<int>(started) + 1);
          groups.push_back({absl::StrCat("c", clinic), absl::StrCat("p", protocol), area,
                            2025 * 12 + 10 + month, started, scored,
                            below(static_cast<int>(scored) + 1)});
        }
      }
    }
  }
  if (groups.empty()) groups.push_back({"c0", "p0", 0, 2025 * 12, 9, 9, 9});
  return groups;
}

TEST(DisclosureTest, NoDifferenceOfWhatIsToldMakesOutAFew) {
  std::mt19937 random(20260302);
  size_t told = 0;
  for (int round = 0; round < 250; ++round) {
    SCOPED_TRACE(round);
    const auto groups =
        RandomGroups(random, 1 + round % 4, 1 + round % 3, 1 + round % 2, 1 + round % 5);
    for (const auto of : {Disclosure::Of::kStarted, Disclosure::Of::kScored}) {
      const Attack attack(groups, of);
      told += attack.told();
      ASSERT_FALSE(attack.FindsBySubtraction());
      for (int i = 0; i < 5; ++i) ASSERT_FALSE(attack.FindsByChance(random));
    }
  }
  EXPECT_GT(told, 2000u);  // it is no art to tell nothing
}

// Every sum of told rows less any sum of told columns of one table, told cells taken away.
TEST(DisclosureTest, NoSumOfRowsLessColumnsMakesOutAFew) {
  std::mt19937 random(20260303);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    const int size = 3 + round % 3;
    const auto groups = RandomGroups(random, size, size, 1, 1);
    const auto disclosure = Disclosure::Make(groups);
    const auto clinic = [](int row) { return std::optional(absl::StrCat("c", row)); };
    const auto protocol = [](int column) { return std::optional(absl::StrCat("p", column)); };
    for (int rows = 0; rows < 1 << size; ++rows) {
      for (int columns = 0; columns < 1 << size; ++columns) {
        bool known = Told(*disclosure, {});
        for (int i = 0; i < size; ++i) {
          if ((rows >> i & 1) != 0) known &= Told(*disclosure, {.clinic = clinic(i)});
          if ((columns >> i & 1) != 0) known &= Told(*disclosure, {.protocol = protocol(i)});
        }
        if (!known) continue;
        int64_t left = 0;
        for (const Group& group : groups) {
          const bool in_rows = (rows >> (group.clinic[1] - '0') & 1) != 0;
          const bool in_columns = (columns >> (group.protocol[1] - '0') & 1) != 0;
          if (Told(*disclosure, {.clinic = group.clinic, .protocol = group.protocol})) continue;
          if (in_columns && !in_rows) known = false;  // some are taken away that were not there
          if (in_rows && !in_columns) left += group.started;
        }
        if (known) {
          ASSERT_FALSE(Attack::IsFew(left)) << rows << " " << columns;
        }
      }
    }
  }
}

TEST(DisclosureTest, IsTheSameHoweverTheGroupsCome) {
  std::mt19937 random(20260304);
  for (int round = 0; round < 30; ++round) {
    auto groups = RandomGroups(random, 4, 3, 2, 4);
    const auto first = Disclosure::Make(groups);
    std::shuffle(groups.begin(), groups.end(), random);
    const auto second = Disclosure::Make(groups);
    for (const Group& group : groups) {
      const Disclosure::Box box{.clinic = group.clinic,
                                .protocol = group.protocol,
                                .problem_area = {},
                                .first_month = group.month,
                                .last_month = group.month};
      EXPECT_EQ(Told(*first, box), Told(*second, box));
    }
  }
}

}  // namespace
}  // namespace rapport::assessment
