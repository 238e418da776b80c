#include "services/scheduling/domain/openings/search.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/services/scheduling/domain/openings/world.h"

namespace rapport::scheduling::openings {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<OpeningKey> KeysOf(const std::vector<Opening>& openings) {
  std::vector<OpeningKey> keys;
  for (const Opening& opening : openings) keys.push_back(opening.key);
  return keys;
}

std::vector<absl::Time> StartsOf(const OpeningPage& page) {
  std::vector<absl::Time> starts;
  for (const Opening& opening : page.openings) starts.push_back(opening.start);
  std::sort(starts.begin(), starts.end());
  return starts;
}

std::string Describe(const OpeningKey& key) {
  return absl::StrCat(key.not_former, "/", key.preference, "/", key.clinic_rank, "/", key.day, "/",
                      key.popularity, "/", absl::FormatTime(TimeOf(key.start)), " ", key.clinician,
                      " ", key.clinic);
}

// One clinician in London who works on Mondays from 9 to 12.
World SmallWorld() {
  World world;
  world.start = absl::CivilDay(2026, 5, 4);  // a Monday
  world.days = 28;
  world.clinics["c"] = Zone("Europe/London");
  World::Clinician& of = world.clinicians["p"];
  of.attributes.id = "p";
  of.attributes.licence_expires = absl::CivilDay(2030, 1, 1);
  of.hours = {{"c", Weekly(world, world.clinics["c"], {absl::Weekday::monday}, 540, 720)}};
  return world;
}

OpeningQuery Everything(const World& world) {
  OpeningQuery query;
  query.earliest = world.begin();
  query.latest = world.end();
  query.per_clinician = 0;
  query.limit = 10'000;
  return query;
}

TEST(SearchOpenings, FindsWhatASweepOverIntervalsFindsInTheSameOrder) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    const World world = RandomWorld(random, random.Between(1, 12), random.Between(10, 45));
    const AvailabilityIndex index = IndexOf(world);
    for (int round = 0; round < 8; ++round) {
      SCOPED_TRACE(absl::StrCat("round ", round));
      OpeningQuery query = RandomQuery(world, random);
      const std::vector<OpeningKey> expected = SlowOpenings(world, query);
      OpeningQuery whole = query;
      whole.limit = 1'000'000;
      const OpeningPage all = SearchOpenings(index, whole);
      EXPECT_FALSE(all.more);
      const std::vector<OpeningKey> keys = KeysOf(all.openings);
      ASSERT_EQ(keys.size(), expected.size());
      for (size_t i = 0; i < keys.size(); ++i) {
        ASSERT_EQ(keys[i], expected[i]) << Describe(keys[i]) << " for " << Describe(expected[i]);
      }
      found += static_cast<int>(keys.size());

      std::vector<OpeningKey> paged;
      for (bool more = true; more && paged.size() < 400;) {
        const OpeningPage page = SearchOpenings(index, query);
        more = page.more;
        ASSERT_EQ(more, paged.size() + page.openings.size() < expected.size());
        for (const OpeningKey& key : KeysOf(page.openings)) paged.push_back(key);
        if (!page.openings.empty()) query.after = page.openings.back().key;
      }
      ASSERT_LE(paged.size(), expected.size());
      EXPECT_TRUE(std::equal(paged.begin(), paged.end(), expected.begin()));
    }
  }
  EXPECT_GT(found, 10'000) << "the worlds are too full or too empty to say anything";
}

TEST(NearestFree, IsTheNearestThatASweepFinds) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    const World world = RandomWorld(random, 5, random.Between(10, 45));
    const AvailabilityIndex index = IndexOf(world);
    for (int round = 0; round < 10; ++round) {
      NearestQuery query;
      query.clinician = absl::StrCat("p", random.Below(6));
      query.clinic = absl::StrCat("c", random.Below(static_cast<int>(world.clinics.size()) + 1));
      query.around = world.begin() + absl::Minutes(random.Below(world.days * 1440));
      query.not_before = random.OneIn(2) ? query.around - absl::Hours(30) : absl::InfinitePast();
      query.remote = random.OneIn(2);
      if (random.OneIn(2)) query.room = RoomNeed{2, {}};
      query.patients_busy = {{query.around, query.around + absl::Hours(20)}};
      const auto expected = SlowNearest(world, query);
      EXPECT_EQ(NearestFree(index, query), expected);
      found += expected.has_value();
    }
  }
  EXPECT_GT(found, 100);
}

TEST(SearchOpenings, LeavesTheBufferAfterANewSessionFree) {
  World world = SmallWorld();
  world.clinicians["p"].attributes.buffer_after = absl::Minutes(10);
  world.AddClaim(Resource::kClinician, "p", "b",
                 {Utc(2026, 5, 4, 9, 0), Utc(2026, 5, 4, 10, 0)});  // 10:00 to 11:00 in London
  OpeningQuery query = Everything(world);
  query.latest = query.earliest + absl::Hours(24);
  // 08:00Z to 09:00Z: 50 minutes and 10 more fit once; 10:00Z to 11:00Z likewise.
  EXPECT_THAT(StartsOf(SearchOpenings(IndexOf(world), query)),
              ElementsAre(Utc(2026, 5, 4, 8, 0), Utc(2026, 5, 4, 10, 0)));
  world.clinicians["p"].attributes.buffer_after = absl::Minutes(11);
  EXPECT_THAT(SearchOpenings(IndexOf(world), query).openings, IsEmpty());
}

TEST(SearchOpenings, TakesTwentyFiveMinutesInEachOfTwoRoomsForNoRoom) {
  World world = SmallWorld();
  for (const char* room : {"r1", "r2"}) {
    world.rooms[room] = {
        .id = room, .clinic = "c", .capacity = 2, .features = {}, .buffer_after = {}};
  }
  const absl::Time nine = Utc(2026, 5, 4, 8, 0);  // in London
  world.AddClaim(Resource::kRoom, "r1", "b1", {nine + absl::Minutes(25), nine + absl::Hours(4)});
  world.AddClaim(Resource::kRoom, "r2", "b2", {nine - absl::Hours(4), nine + absl::Minutes(25)});
  world.AddClaim(Resource::kRoom, "r2", "b3", {nine + absl::Minutes(55), nine + absl::Hours(4)});
  OpeningQuery query = Everything(world);
  query.latest = query.earliest + absl::Hours(24);
  query.filter.room = RoomNeed{2, {}};
  EXPECT_THAT(SearchOpenings(IndexOf(world), query).openings, IsEmpty());
  query.minutes = 30;
  EXPECT_THAT(SearchOpenings(IndexOf(world), query).openings, IsEmpty())
      << "09:25 to 09:55 is free, but no quarter of an hour begins it";
  query.step_minutes = 5;
  EXPECT_THAT(StartsOf(SearchOpenings(IndexOf(world), query)),
              ElementsAre(nine + absl::Minutes(25)));
  query.filter.remote = true;
  EXPECT_EQ(SearchOpenings(IndexOf(world), query).openings.size(), 31u) << "remote needs no room";
}

TEST(SearchOpenings, NeedsTheRoomsCapacityAndFeatures) {
  World world = SmallWorld();
  world.rooms["r"] = {
      .id = "r", .clinic = "c", .capacity = 3, .features = {"lift", "quiet"}, .buffer_after = {}};
  const AvailabilityIndex index = IndexOf(world);
  OpeningQuery query = Everything(world);
  const auto count = [&](RoomNeed need) {
    query.filter.room = std::move(need);
    return SearchOpenings(index, query).openings.size();
  };
  EXPECT_GT(count({3, {"quiet", "lift"}}), 0u);
  EXPECT_EQ(count({4, {}}), 0u);
  EXPECT_EQ(count({1, {"lift", "play"}}), 0u);
}

TEST(SearchOpenings, EndsWithTheLicenceByTheClinicsDay) {
  World world = SmallWorld();
  world.clinicians["p"].attributes.licence_expires = absl::CivilDay(2026, 5, 11);
  const std::vector<absl::Time> starts =
      StartsOf(SearchOpenings(IndexOf(world), Everything(world)));
  ASSERT_FALSE(starts.empty());
  EXPECT_EQ(absl::ToCivilDay(starts.back(), Zone("Europe/London")), absl::CivilDay(2026, 5, 11));
  world.clinicians["p"].attributes.licence_expires.reset();
  EXPECT_THAT(SearchOpenings(IndexOf(world), Everything(world)).openings, IsEmpty());
}

TEST(SearchOpenings, SkipsDaysThatAreFull) {
  World world = SmallWorld();
  world.clinicians["p"].attributes.max_sessions_per_day = 2;
  for (int i = 0; i < 2; ++i) {
    const absl::Time start = Utc(2026, 5, 4, 15 + i);
    world.AddClaim(Resource::kClinician, "p", absl::StrCat("b", i),
                   {start, start + absl::Minutes(50)});
  }
  const OpeningPage page = SearchOpenings(IndexOf(world), Everything(world));
  EXPECT_EQ(absl::ToCivilDay(StartsOf(page).front(), Zone("Europe/London")),
            absl::CivilDay(2026, 5, 11));
}

TEST(SearchOpenings, StartsOnQuartersOfTheLocalHourInKathmandu) {
  World world = SmallWorld();
  world.clinics["c"] = Zone("Asia/Kathmandu");  // +05:45
  world.clinicians["p"].hours[0].open =
      Weekly(world, world.clinics["c"], {absl::Weekday::monday}, 540, 660);
  OpeningQuery query = Everything(world);
  query.step_minutes = 60;
  query.latest = query.earliest + absl::Hours(24);
  EXPECT_THAT(StartsOf(SearchOpenings(IndexOf(world), query)),
              ElementsAre(Utc(2026, 5, 4, 3, 15), Utc(2026, 5, 4, 4, 15)));
}

TEST(SearchOpenings, OffersTheLeastPopularTimeOfADayFirst) {
  World world = SmallWorld();
  World::Clinician& other = world.clinicians["q"];
  other = world.clinicians["p"];
  other.attributes.id = "q";
  // Monday at 9 is booked with a colleague every week, at 10 twice; 11 is nobody's.
  for (int week = 0; week < 4; ++week) {
    const absl::Time nine = Utc(2026, 5, 4, 8) + week * absl::Hours(168);
    world.AddClaim(Resource::kClinician, "q", absl::StrCat("a", week),
                   {nine, nine + absl::Hours(1)});
    if (week >= 2) continue;
    world.AddClaim(Resource::kClinician, "q", absl::StrCat("b", week),
                   {nine + absl::Hours(1), nine + absl::Hours(2)});
  }
  OpeningQuery query = Everything(world);
  query.filter.clinicians = {"p"};
  query.step_minutes = 60;
  query.latest = query.earliest + absl::Hours(24);
  const OpeningPage page = SearchOpenings(IndexOf(world), query);
  ASSERT_EQ(page.openings.size(), 3u);
  EXPECT_EQ(page.openings[0].start, Utc(2026, 5, 4, 10));
  EXPECT_EQ(page.openings[1].start, Utc(2026, 5, 4, 9));
  EXPECT_EQ(page.openings[2].start, Utc(2026, 5, 4, 8));
  EXPECT_THAT(page.openings[0].reasons, ElementsAre(Reason::kSoonest, Reason::kLeastPopularTime));
  EXPECT_THAT(page.openings[2].reasons, ElementsAre(Reason::kSoonest));
}

TEST(SearchOpenings, SaysWhyAnOpeningIsOffered) {
  World world = SmallWorld();
  OpeningQuery query = Everything(world);
  query.filter.former_clinicians = {"p"};
  query.filter.nearest_clinics = {"c"};
  query.preferred = {{{540, 600}}, {absl::Weekday::monday}};
  query.limit = 1;
  const OpeningPage page = SearchOpenings(IndexOf(world), query);
  ASSERT_EQ(page.openings.size(), 1u);
  EXPECT_THAT(
      page.openings[0].reasons,
      UnorderedElementsAre(Reason::kContinuity, Reason::kPreferredTime, Reason::kPreferredDay,
                           Reason::kNearestClinic, Reason::kSoonest, Reason::kLeastPopularTime));
  EXPECT_EQ(page.openings[0].end - page.openings[0].start, absl::Minutes(50));
}

TEST(SearchOpenings, OffersEachClinicianOnlySoOften) {
  Random random(7);
  World world = SmallWorld();
  for (int i = 0; i < 5; ++i) {
    World::Clinician& of = world.clinicians[absl::StrCat("q", i)];
    of = world.clinicians["p"];
    of.attributes.id = absl::StrCat("q", i);
  }
  OpeningQuery query = Everything(world);
  query.per_clinician = 3;
  const OpeningPage page = SearchOpenings(IndexOf(world), query);
  EXPECT_EQ(page.openings.size(), 18u);
  for (const Opening& a : page.openings) {
    for (const Opening& b : page.openings) {
      if (a.clinician != b.clinician || a.start == b.start) continue;
      EXPECT_GE(absl::AbsDuration(a.start - b.start), absl::Minutes(50));
    }
  }
}

TEST(SearchOpenings, FindsNothingForQueriesThatMeanNothing) {
  const World world = SmallWorld();
  const AvailabilityIndex index = IndexOf(world);
  const auto found = [&](auto change) {
    OpeningQuery query = Everything(world);
    change(query);
    return SearchOpenings(index, query).openings.size();
  };
  EXPECT_GT(found([](OpeningQuery&) {}), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) { q.latest = q.earliest; }), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) { q.minutes = 0; }), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) { q.limit = 0; }), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) { q.filter.clinics = {"elsewhere"}; }), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) { q.filter.clinicians = {"nobody"}; }), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) { q.filter.protocol = "unheard"; }), 0u);
  EXPECT_EQ(found([](OpeningQuery& q) {
              q.earliest = absl::InfiniteFuture();
              q.latest = absl::InfiniteFuture();
            }),
            0u);
}

// Laws that hold of any network.

std::vector<OpeningKey> AllStarts(const World& world, OpeningQuery query) {
  query.per_clinician = 0;
  query.limit = 1'000'000;
  std::vector<OpeningKey> keys = KeysOf(SearchOpenings(IndexOf(world), query).openings);
  for (OpeningKey& key : keys) key.popularity = 0;
  std::sort(keys.begin(), keys.end());
  return keys;
}

TEST(SearchLaws, ABusyStretchNeverAddsAndItsRemovalRestores) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    World world = RandomWorld(random, 6, 30);
    const OpeningQuery query = RandomQuery(world, random);
    const std::vector<OpeningKey> before = AllStarts(world, query);
    const absl::Time at = world.begin() + absl::Minutes(random.Below(30 * 1440));
    const std::string who = absl::StrCat("p", random.Below(6));
    world.AddClaim(Resource::kClinician, who, "one more", {at, at + absl::Hours(5)});
    const std::vector<OpeningKey> with = AllStarts(world, query);
    EXPECT_TRUE(std::includes(before.begin(), before.end(), with.begin(), with.end()));
    world.claims.erase({who, "one more"});
    EXPECT_EQ(AllStarts(world, query), before);
  }
}

TEST(SearchLaws, AWiderHorizonNeverTakesAway) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    World world = RandomWorld(random, 6, 30);
    const OpeningQuery query = RandomQuery(world, random);
    world.days = 20;
    const std::vector<OpeningKey> narrow = AllStarts(world, query);
    world.days = 30;
    const std::vector<OpeningKey> wide = AllStarts(world, query);
    EXPECT_TRUE(std::includes(wide.begin(), wide.end(), narrow.begin(), narrow.end()));
  }
}

TEST(SearchLaws, WholeWeeksLaterIsTheSameWithoutClockChanges) {
  constexpr int kWeeks = 5;
  const absl::Duration by = kWeeks * absl::Hours(168);
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    World world = RandomWorld(random, 6, 30);
    for (auto& [id, zone] : world.clinics) zone = absl::UTCTimeZone();
    OpeningQuery query = RandomQuery(world, random);
    const std::vector<OpeningKey> before = AllStarts(world, query);
    const auto shift = [&](Span& span) { span = {span.start + by, span.end + by}; };
    world.start += kWeeks * 7;
    for (auto& [id, of] : world.clinicians) {
      for (ClinicHours& hours : of.hours) {
        for (Span& span : hours.open) shift(span);
      }
      if (of.attributes.licence_expires.has_value()) *of.attributes.licence_expires += kWeeks * 7;
    }
    for (auto& [key, claim] : world.claims) shift(claim.time);
    for (auto& [key, span] : world.time_off) shift(span);
    for (Span& span : query.patients_busy) shift(span);
    query.earliest += by;
    query.latest += by;
    std::vector<OpeningKey> after = AllStarts(world, query);
    for (OpeningKey& key : after) {
      key.day -= kWeeks * 7;
      key.start -= kWeeks * kWeek;
    }
    EXPECT_EQ(after, before);
  }
}

}  // namespace
}  // namespace rapport::scheduling::openings
