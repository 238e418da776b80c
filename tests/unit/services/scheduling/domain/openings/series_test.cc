#include "services/scheduling/domain/openings/series.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/services/scheduling/domain/openings/world.h"

namespace rapport::scheduling::openings {
namespace {

using Kind = PlannedSession::Kind;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<absl::Time> StartsOf(const SeriesPlan& plan) {
  std::vector<absl::Time> starts;
  for (const PlannedSession& session : plan.sessions) starts.push_back(session.start);
  return starts;
}

std::vector<Kind> KindsOf(const SeriesPlan& plan) {
  std::vector<Kind> kinds;
  for (const PlannedSession& session : plan.sessions) kinds.push_back(session.kind);
  return kinds;
}

std::vector<int> EachWeek(int count) {
  std::vector<int> offsets;
  for (int i = 0; i < count; ++i) offsets.push_back(i * 7);
  return offsets;
}

// One clinician at one clinic, open from `from_minute` to `to_minute` on every day.
World Daily(const std::string& zone, absl::CivilDay start, int days, int from_minute,
            int to_minute) {
  World world;
  world.start = start;
  world.days = days;
  world.clinics["c"] = Zone(zone);
  World::Clinician& of = world.clinicians["p"];
  of.attributes.id = "p";
  of.attributes.modalities = {"video"};
  of.attributes.licence_expires = absl::CivilDay(2030, 1, 1);
  const std::vector<absl::Weekday> week = {absl::Weekday::monday,    absl::Weekday::tuesday,
                                           absl::Weekday::wednesday, absl::Weekday::thursday,
                                           absl::Weekday::friday,    absl::Weekday::saturday,
                                           absl::Weekday::sunday};
  of.hours = {{"c", Weekly(world, world.clinics["c"], week, from_minute, to_minute)}};
  return world;
}

void Book(World& world, absl::Time start, const std::string& booking) {
  world.AddClaim(Resource::kClinician, "p", booking, {start, start + absl::Minutes(50)});
}

SeriesQuery From(absl::Time start, std::vector<int> offsets) {
  SeriesQuery query;
  query.earliest = start;
  query.latest = start + absl::Minutes(5);
  query.day_offsets = std::move(offsets);
  return query;
}

TEST(SeriesStarts, AreThoseOfBruteForce) {
  size_t found = 0;
  int with_exceptions = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    const World world = RandomWorld(random, random.Between(1, 10), random.Between(30, 110));
    const AvailabilityIndex index = IndexOf(world);
    for (int round = 0; round < 8; ++round) {
      SCOPED_TRACE(absl::StrCat("round ", round));
      const SeriesQuery query = RandomSeries(world, random);
      std::vector<SlowStart> starts;
      ForEachSeriesStart(
          index, query,
          [&](const AvailabilityIndex::Clinician& clinician,
              const AvailabilityIndex::Clinic& clinic, absl::Time start, int exceptions) {
            starts.push_back({clinician.attributes.id, clinic.id, start, exceptions});
            with_exceptions += exceptions > 0;
          });
      std::sort(starts.begin(), starts.end());
      const std::vector<SlowStart> expected = SlowSeriesStarts(world, query);
      found += expected.size();
      ASSERT_EQ(starts.size(), expected.size());
      for (size_t i = 0; i < starts.size(); ++i) {
        ASSERT_EQ(starts[i], expected[i]) << starts[i].start << " " << starts[i].exceptions << " / "
                                          << expected[i].start << " " << expected[i].exceptions;
      }
    }
  }
  EXPECT_GT(found, 3'000u);
  EXPECT_GT(with_exceptions, 500);
}

TEST(PlanSeries, RanksAndRepairsAsExhaustiveSearchDoes) {
  int repaired = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed + 1000);
    const World world = RandomWorld(random, random.Between(2, 10), random.Between(80, 130));
    const AvailabilityIndex index = IndexOf(world);
    for (int round = 0; round < 4; ++round) {
      SCOPED_TRACE(absl::StrCat("round ", round));
      SeriesQuery query = RandomSeries(world, random);
      if (random.OneIn(2)) query.filter = {};
      if (random.OneIn(2)) query.phases = {};
      query.max_exceptions = random.Between(1, 2);
      query.step_minutes = std::max(query.step_minutes, 15);
      const std::vector<SeriesPlan> plans = PlanSeries(index, query);
      const std::vector<SlowPlan> expected = SlowPlans(world, query);
      ASSERT_EQ(plans.size(), expected.size());
      for (size_t i = 0; i < plans.size(); ++i) {
        ASSERT_EQ(plans[i].key, expected[i].key) << "plan " << i;
        EXPECT_EQ(FaultOf(world, query, plans[i]), "");
        const RepairCost cost = CostOf(plans[i]);
        EXPECT_EQ(cost, expected[i].cost)
            << "plan " << i << ": " << cost.skipped << " " << cost.remote << " "
            << cost.displacement << " / " << expected[i].cost.skipped << " "
            << expected[i].cost.remote << " " << expected[i].cost.displacement;
        repaired += plans[i].exceptions > 0;
      }
    }
  }
  EXPECT_GT(repaired, 80);
}

struct ClockChange {
  std::string zone;
  absl::CivilDay horizon;
  absl::Time first;
  std::vector<absl::Time> expected;
};

// Hand-checked: a weekly series keeps its wall time.
TEST(PlanSeries, KeepsTheWallTimeAcrossClockChanges) {
  const std::vector<ClockChange> changes = {
      // Sundays 13:00, clocks on by an hour on 8 March 2026 at 02:00.
      {"America/New_York",
       absl::CivilDay(2026, 2, 20),
       Utc(2026, 3, 1, 18),
       {Utc(2026, 3, 1, 18), Utc(2026, 3, 8, 17), Utc(2026, 3, 15, 17)}},
      // Sundays 02:30: the 8th has none, so 03:30; afterwards 02:30 again.
      {"America/New_York",
       absl::CivilDay(2026, 2, 20),
       Utc(2026, 3, 1, 7, 30),
       {Utc(2026, 3, 1, 7, 30), Utc(2026, 3, 8, 7, 30), Utc(2026, 3, 15, 6, 30)}},
      // Sundays 01:30: 1 November 2026 has two, the first counts.
      {"America/New_York",
       absl::CivilDay(2026, 10, 15),
       Utc(2026, 10, 25, 5, 30),
       {Utc(2026, 10, 25, 5, 30), Utc(2026, 11, 1, 5, 30), Utc(2026, 11, 8, 6, 30)}},
      // Saturdays 14:30 across 1 November.
      {"America/New_York",
       absl::CivilDay(2026, 10, 15),
       Utc(2026, 10, 31, 18, 30),
       {Utc(2026, 10, 31, 18, 30), Utc(2026, 11, 7, 19, 30), Utc(2026, 11, 14, 19, 30)}},
      // Sundays 14:30, clocks on on 29 March 2026.
      {"Europe/London",
       absl::CivilDay(2026, 3, 10),
       Utc(2026, 3, 22, 14, 30),
       {Utc(2026, 3, 22, 14, 30), Utc(2026, 3, 29, 13, 30), Utc(2026, 4, 5, 13, 30)}},
      // Clocks back by half an hour on 5 April 2026: +11 to +10:30.
      {"Australia/Lord_Howe",
       absl::CivilDay(2026, 3, 20),
       Utc(2026, 3, 28, 23),  // Sunday 29 March, 10:00
       {Utc(2026, 3, 28, 23), Utc(2026, 4, 4, 23, 30), Utc(2026, 4, 11, 23, 30)}},
      // +05:45 throughout.
      {"Asia/Kathmandu",
       absl::CivilDay(2026, 3, 1),
       Utc(2026, 3, 8, 4, 15),
       {Utc(2026, 3, 8, 4, 15), Utc(2026, 3, 15, 4, 15), Utc(2026, 3, 22, 4, 15)}},
      // +01, but +00 in Ramadan: from 15 February to 22 March 2026.
      {"Africa/Casablanca",
       absl::CivilDay(2026, 2, 1),
       Utc(2026, 2, 9, 9),  // Monday 10:00
       {Utc(2026, 2, 9, 9), Utc(2026, 2, 16, 10), Utc(2026, 2, 23, 10), Utc(2026, 3, 2, 10),
        Utc(2026, 3, 9, 10), Utc(2026, 3, 16, 10), Utc(2026, 3, 23, 9)}},
      // Clock changes were abolished in 2019.
      {"America/Sao_Paulo",
       absl::CivilDay(2026, 10, 15),
       Utc(2026, 10, 25, 13),
       {Utc(2026, 10, 25, 13), Utc(2026, 11, 1, 13), Utc(2026, 11, 8, 13)}},
      // 2 April 2018 and 2022's last change, on 30 October 2022.
      {"America/Mexico_City",
       absl::CivilDay(2022, 10, 15),
       Utc(2022, 10, 23, 15),
       {Utc(2022, 10, 23, 15), Utc(2022, 10, 30, 16), Utc(2022, 11, 6, 16)}},
  };
  for (const ClockChange& change : changes) {
    SCOPED_TRACE(absl::StrCat(change.zone, " ", absl::FormatTime(change.first)));
    for (const bool all_day : {true, false}) {
      // Open all day, so that windows run into each other; or for 14 hours around the session.
      const absl::CivilMinute local = absl::ToCivilMinute(change.first, Zone(change.zone));
      const int minute = local.hour() * 60 + local.minute();
      const World world = Daily(change.zone, change.horizon, 80,
                                all_day ? 0 : minute / 60 * 60 - 60, all_day ? 1440 : minute + 840);
      SeriesQuery query = From(change.first, EachWeek(static_cast<int>(change.expected.size())));
      query.max_exceptions = 0;
      const std::vector<SeriesPlan> plans = PlanSeries(IndexOf(world), query);
      ASSERT_THAT(plans, SizeIs(1));
      EXPECT_EQ(StartsOf(plans[0]), change.expected);
    }
  }
}

TEST(PlanSeries, MeetsPatientsWhoseClockChangesOnAnotherDay) {
  // Clinic in London; the patient in New York is free from 10:00 to 11:05 by their clock, which is
  // 15:00 in London, but 14:00 between 8 and 29 March.
  const World world = Daily("Europe/London", absl::CivilDay(2026, 2, 20), 60, 540, 1140);
  SeriesQuery query;
  query.earliest = Utc(2026, 3, 1);
  query.latest = Utc(2026, 3, 2);
  query.day_offsets = EachWeek(6);
  query.max_exceptions = 0;
  const absl::TimeZone new_york = Zone("America/New_York");
  for (absl::CivilDay day(2026, 2, 20); day < absl::CivilDay(2026, 4, 20); ++day) {
    query.patients_busy.push_back({AtLocal(absl::CivilMinute(day) + 665, new_york),
                                   AtLocal(absl::CivilMinute(day) + 1440 + 600, new_york)});
  }
  EXPECT_THAT(PlanSeries(IndexOf(world), query), IsEmpty())
      << "3 weeks at 14:00, 3 at 15:00 in London";
  query.day_offsets = EachWeek(1);
  const std::vector<SeriesPlan> one = PlanSeries(IndexOf(world), query);
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(one[0].sessions[0].start, Utc(2026, 3, 1, 15));
  query.day_offsets = EachWeek(6);
  query.max_exceptions = 3;
  const std::vector<SeriesPlan> moved = PlanSeries(IndexOf(world), query);
  ASSERT_FALSE(moved.empty());
  EXPECT_EQ(FaultOf(world, query, moved[0]), "");
}

TEST(PlanSeries, MovesAnExceptionToTheNearestFreeStart) {
  World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 120, 600, 660);  // 10 to 11
  const absl::Time first = Utc(2026, 5, 4, 9);
  Book(world, first + 3 * absl::Hours(168), "taken");
  SeriesQuery query = From(first, EachWeek(8));
  const std::vector<SeriesPlan> plans = PlanSeries(IndexOf(world), query);
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].exceptions, 1);
  EXPECT_EQ(plans[0].sessions[3].kind, Kind::kMoved);
  // The day before and the day after are as near: the earlier.
  EXPECT_EQ(plans[0].sessions[3].start, first + 3 * absl::Hours(168) - absl::Hours(24));
  EXPECT_EQ(plans[0].sessions[3].planned, first + 3 * absl::Hours(168));
  EXPECT_EQ(FaultOf(world, query, plans[0]), "");
}

TEST(PlanSeries, GoesRemoteWhereNoRoomIsFree) {
  World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 120, 600, 660);
  world.rooms["r"] = {.id = "r", .clinic = "c", .capacity = 2, .features = {}, .buffer_after = {}};
  const absl::Time first = Utc(2026, 5, 4, 9);
  const absl::Time fourth = first + 3 * absl::Hours(168);
  world.AddClaim(Resource::kRoom, "r", "painters",
                 {fourth - absl::Hours(90), fourth + absl::Hours(90)});
  SeriesQuery query = From(first, EachWeek(8));
  query.filter.room = RoomNeed{2, {}};
  query.remote_modality = "video";
  std::vector<SeriesPlan> plans = PlanSeries(IndexOf(world), query);
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].sessions[3].kind, Kind::kRemote);
  EXPECT_EQ(plans[0].sessions[3].start, fourth);

  query.filter.patient_jurisdiction = "FR";  // no licence there
  plans = PlanSeries(IndexOf(world), query);
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].sessions[3].kind, Kind::kSkipped);
  ASSERT_THAT(plans[0].sessions, SizeIs(9));
  EXPECT_EQ(plans[0].sessions[8].kind, Kind::kAppended);
  EXPECT_EQ(plans[0].sessions[8].start, first + 8 * absl::Hours(168));

  query.max_weeks = 8;  // leaves no ninth week
  EXPECT_THAT(PlanSeries(IndexOf(world), query), IsEmpty());
}

TEST(PlanSeries, AllowsPhasesOnlyTheirOwnExceptions) {
  World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 120, 600, 660);
  const absl::Time first = Utc(2026, 5, 4, 9);
  const auto week = [&](int i) { return first + i * absl::Hours(168); };
  Book(world, week(1), "b1");
  Book(world, week(5), "b5");
  SeriesQuery query = From(first, EachWeek(10));
  query.phases = {{3, 1}, {5, 2}, {2, 1}};
  EXPECT_THAT(PlanSeries(IndexOf(world), query), SizeIs(1));
  query.phases = {{3, 0}, {5, 2}, {2, 1}};
  EXPECT_THAT(PlanSeries(IndexOf(world), query), IsEmpty());
  query.phases = {{3, 1}, {5, 0}, {2, 1}};
  EXPECT_THAT(PlanSeries(IndexOf(world), query), IsEmpty());
  query.phases = {{3, 1}, {5, 2}, {2, 1}};
  query.max_exceptions = 1;
  EXPECT_THAT(PlanSeries(IndexOf(world), query), IsEmpty());
}

TEST(PlanSeries, KeepsTheWeekOfAnAnniversaryAndTheEndingWhole) {
  World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 120, 600, 660);
  const absl::Time first = Utc(2026, 5, 4, 9);  // Mondays
  const auto week = [&](int i) { return first + i * absl::Hours(168); };
  Book(world, week(3), "b");  // 25 May
  SeriesQuery query = From(first, EachWeek(10));
  const auto plans = [&] { return PlanSeries(IndexOf(world), query).size(); };
  EXPECT_EQ(plans(), 1u);
  query.anniversaries = {{5, 28}};
  EXPECT_EQ(plans(), 0u) << "3 days after the exception";
  query.anniversaries = {{5, 29}};
  EXPECT_EQ(plans(), 1u) << "4 days after it";
  query.anniversaries = {{7, 6}};
  EXPECT_EQ(plans(), 0u) << "the last session, 6 July";
  query.anniversaries = {{1, 1}};
  EXPECT_EQ(plans(), 1u);
  world.claims.clear();
  Book(world, week(6), "b");
  EXPECT_EQ(plans(), 0u) << "one of the last four";
  query.anniversaries.clear();
  EXPECT_EQ(plans(), 1u);
  query.unbroken_ending = true;
  EXPECT_EQ(plans(), 0u);
}

TEST(PlanSeries, DoesNotAppendOntoAnAnniversary) {
  World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 120, 600, 660);
  const absl::Time first = Utc(2026, 5, 4, 9);
  world.time_off[{"p", "t"}] = {first + absl::Hours(336) - absl::Hours(90),
                                first + absl::Hours(336) + absl::Hours(90)};
  SeriesQuery query = From(first, EachWeek(8));
  std::vector<SeriesPlan> plans = PlanSeries(IndexOf(world), query);
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_EQ(plans[0].sessions.back().kind, Kind::kAppended);  // 29 June
  query.anniversaries = {{6, 29}};
  EXPECT_THAT(PlanSeries(IndexOf(world), query), IsEmpty());
}

TEST(PlanSeries, TakesAnyTaper) {
  const World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 150, 600, 660);
  const absl::Time first = Utc(2026, 5, 4, 9);
  // Twice a week, weekly, then monthly.
  const SeriesQuery query = From(first, {0, 3, 7, 10, 14, 21, 28, 56, 84});
  const std::vector<SeriesPlan> plans = PlanSeries(IndexOf(world), query);
  ASSERT_THAT(plans, SizeIs(1));
  EXPECT_THAT(KindsOf(plans[0]), Each(Kind::kRegular));
  for (size_t i = 0; i < query.day_offsets.size(); ++i) {
    EXPECT_EQ(plans[0].sessions[i].start, first + query.day_offsets[i] * absl::Hours(24));
  }
}

TEST(PlanSeries, PrefersFewerExceptionsToAnEarlierBeginning) {
  World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 150, 600, 660);
  const absl::Time first = Utc(2026, 5, 4, 9);
  Book(world, first + 2 * absl::Hours(168), "b");
  SeriesQuery query = From(first, EachWeek(8));
  query.latest = first + absl::Hours(30);  // Monday and Tuesday
  const std::vector<SeriesPlan> plans = PlanSeries(IndexOf(world), query);
  ASSERT_THAT(plans, SizeIs(2));
  EXPECT_EQ(plans[0].sessions[0].start, first + absl::Hours(24));
  EXPECT_EQ(plans[0].exceptions, 0);
  EXPECT_EQ(plans[1].exceptions, 1);
}

TEST(PlanSeries, FindsNothingForQueriesThatMeanNothing) {
  const World world = Daily("Europe/London", absl::CivilDay(2026, 5, 1), 150, 600, 660);
  const AvailabilityIndex index = IndexOf(world);
  SeriesQuery query = From(Utc(2026, 5, 4, 9), {});
  EXPECT_THAT(PlanSeries(index, query), IsEmpty());
  query.day_offsets = EachWeek(60);  // beyond the horizon
  EXPECT_THAT(PlanSeries(index, query), IsEmpty());
  query.day_offsets = EachWeek(4);
  query.max_weeks = 3;
  EXPECT_THAT(PlanSeries(index, query), IsEmpty());
  query.max_weeks = 4;
  EXPECT_THAT(PlanSeries(index, query), SizeIs(1));
  query.limit = 0;
  EXPECT_THAT(PlanSeries(index, query), IsEmpty());
}

}  // namespace
}  // namespace rapport::scheduling::openings
