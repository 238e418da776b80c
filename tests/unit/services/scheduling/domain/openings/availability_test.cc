#include "services/scheduling/domain/openings/availability.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/services/scheduling/domain/openings/world.h"

namespace rapport::scheduling::openings {
namespace {

OpeningQuery Everything(const World& world) {
  OpeningQuery query;
  query.earliest = world.begin();
  query.latest = world.end();
  query.step_minutes = 5;
  query.minutes = 5;
  query.per_clinician = 0;
  query.limit = 1'000'000;
  query.filter.ignore_caseload = true;
  return query;
}

// All that a search can see of an index.
std::vector<OpeningKey> Seen(const AvailabilityIndex& index, const World& world) {
  std::vector<OpeningKey> keys;
  OpeningQuery query = Everything(world);
  for (const bool room : {false, true}) {
    query.filter.room.reset();
    if (room) query.filter.room = RoomNeed{1, {}};
    for (const Opening& opening : SearchOpenings(index, query).openings) {
      keys.push_back(opening.key);
    }
  }
  query.filter.ignore_caseload = false;
  query.filter.protocol = "classic";
  query.filter.modality = "video";
  for (const Opening& opening : SearchOpenings(index, query).openings) keys.push_back(opening.key);
  return keys;
}

Span Hour(absl::Time start) { return {start, start + absl::Hours(1)}; }

class Small : public ::testing::Test {
 protected:
  Small() : index_(absl::CivilDay(2026, 5, 4), 14) {
    world_.start = absl::CivilDay(2026, 5, 4);
    world_.days = 14;
    index_.PutClinic("c", absl::UTCTimeZone(), 1);
    ClinicianAttributes attributes;
    attributes.id = "p";
    attributes.licence_expires = absl::CivilDay(2030, 1, 1);
    hours_ = {{"c", Weekly(world_, absl::UTCTimeZone(), {absl::Weekday::monday}, 540, 780)}};
    index_.PutClinician(attributes, hours_, 1);
    index_.Build();
  }
  // Hours from 9 to 13 of the first Monday that are free.
  std::string Free() {
    OpeningQuery query = Everything(world_);
    query.minutes = 60;
    query.step_minutes = 60;
    query.latest = query.earliest + absl::Hours(24);
    std::vector<int> hours;
    for (const Opening& opening : SearchOpenings(index_, query).openings) {
      hours.push_back(static_cast<int>(absl::ToInt64Hours(opening.start - world_.begin())));
    }
    std::sort(hours.begin(), hours.end());
    std::string text;
    for (const int hour : hours) absl::StrAppend(&text, hour, " ");
    return text;
  }

  World world_;
  AvailabilityIndex index_;
  std::vector<ClinicHours> hours_;
  const absl::Time nine_ = Utc(2026, 5, 4, 9);
};

TEST_F(Small, RemovingOneOfTwoOverlappingClaimsLeavesTheOther) {
  EXPECT_EQ(Free(), "9 10 11 12 ");
  index_.PutClaim(Resource::kClinician, "p", "a", {nine_, nine_ + absl::Hours(2)}, 1);
  index_.PutClaim(Resource::kClinician, "p", "b", Hour(nine_ + absl::Hours(1)), 1);
  index_.PutTimeOff("p", "b", Hour(nine_ + absl::Hours(1)), 1);
  EXPECT_EQ(Free(), "11 12 ");
  index_.RemoveClaim(Resource::kClinician, "p", "a", 2);
  EXPECT_EQ(Free(), "9 11 12 ");
  index_.RemoveClaim(Resource::kClinician, "p", "b", 2);
  EXPECT_EQ(Free(), "9 11 12 ");
  index_.RemoveTimeOff("p", "b", 2);
  EXPECT_EQ(Free(), "9 10 11 12 ");
}

TEST_F(Small, MovingAClaimFreesWhereItWas) {
  EXPECT_TRUE(index_.PutClaim(Resource::kClinician, "p", "a", Hour(nine_), 1));
  EXPECT_TRUE(index_.PutClaim(Resource::kClinician, "p", "a", Hour(nine_ + absl::Hours(2)), 2));
  EXPECT_EQ(Free(), "9 10 12 ");
}

TEST_F(Small, WhatIsNotNewerChangesNothing) {
  EXPECT_TRUE(index_.PutClaim(Resource::kClinician, "p", "a", Hour(nine_), 5));
  EXPECT_FALSE(index_.PutClaim(Resource::kClinician, "p", "a", Hour(nine_ + absl::Hours(1)), 5));
  EXPECT_FALSE(index_.RemoveClaim(Resource::kClinician, "p", "a", 4));
  EXPECT_EQ(Free(), "10 11 12 ");
  EXPECT_TRUE(index_.RemoveClaim(Resource::kClinician, "p", "a", 6));
  EXPECT_FALSE(index_.PutClaim(Resource::kClinician, "p", "a", Hour(nine_), 5)) << "overtaken";
  EXPECT_EQ(Free(), "9 10 11 12 ");
  EXPECT_TRUE(index_.RemoveClaim(Resource::kClinician, "p", "z", 9));
  EXPECT_FALSE(index_.PutClaim(Resource::kClinician, "p", "z", Hour(nine_), 8))
      << "removed before it was known";
  EXPECT_FALSE(index_.PutClinic("c", Zone("Asia/Tokyo"), 1));
  EXPECT_FALSE(index_.RemoveClinician("p", 0));
  EXPECT_EQ(Free(), "9 10 11 12 ");
}

TEST_F(Small, UlidsThatDifferInTheLastDigitAreTwoBookings) {
  index_.PutClaim(Resource::kClinician, "p", "01jx0000000000000000000000", Hour(nine_), 1);
  index_.PutClaim(Resource::kClinician, "p", "01jx0000000000000000000001",
                  Hour(nine_ + absl::Hours(1)), 1);
  EXPECT_EQ(Free(), "11 12 ");
  index_.RemoveClaim(Resource::kClinician, "p", "01JX0000000000000000000000", 2);
  EXPECT_EQ(Free(), "9 11 12 ");
}

TEST_F(Small, ClaimsMayComeBeforeTheirClinicianAndHoursBeforeTheirClinic) {
  AvailabilityIndex index(absl::CivilDay(2026, 5, 4), 14);
  index.Build();
  index.PutClaim(Resource::kClinician, "p", "a", Hour(nine_), 1);
  ClinicianAttributes attributes;
  attributes.id = "p";
  attributes.licence_expires = absl::CivilDay(2030, 1, 1);
  index.PutClinician(attributes, hours_, 1);
  index.PutClinic("c", absl::UTCTimeZone(), 1);
  index_ = std::move(index);
  EXPECT_EQ(Free(), "10 11 12 ");
  index_.RemoveClinic("c", 2);
  EXPECT_EQ(Free(), "");
}

TEST_F(Small, HoursThatOutgrowTheClinicsAxisAreSeen) {
  ClinicianAttributes attributes = index_.FindClinician("p")->attributes;
  hours_[0].open.push_back({Utc(2026, 5, 5, 22), Utc(2026, 5, 6, 4)});
  index_.PutClinician(attributes, hours_, 2);
  OpeningQuery query = Everything(world_);
  query.minutes = 300;
  query.step_minutes = 60;
  const OpeningPage page = SearchOpenings(index_, query);
  ASSERT_EQ(page.openings.size(), 2u);
  EXPECT_EQ(page.openings[0].start, Utc(2026, 5, 5, 22));
  EXPECT_EQ(page.openings[1].start, Utc(2026, 5, 5, 23));
}

// Random changes, also repeated and out of order, against an index built from what they leave.
TEST(Incremental, ChangesLeaveWhatAFreshBuildWouldMake) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Random random(seed);
    World world = RandomWorld(random, 6, 25);
    // Donors of new hours and attributes.
    const World other = RandomWorld(random, 6, 25);
    world.start = other.start;
    AvailabilityIndex index = IndexOf(world);
    std::map<std::string, int64_t> versions;
    const auto next = [&](const std::string& what) {
      int64_t& version = versions.try_emplace(what, 1).first->second;
      return version += random.Between(1, 3);
    };
    const auto some = [&](const auto& map) {
      auto it = map.begin();
      std::advance(it, random.Below(static_cast<int>(map.size())));
      return it;
    };
    for (int step = 0; step < 120; ++step) {
      SCOPED_TRACE(absl::StrCat("step ", step));
      const absl::Time at = world.begin() + absl::Minutes(random.Below(25 * 1440));
      const Span span{at, at + absl::Minutes(random.Between(1, 500))};
      const std::string who = absl::StrCat("p", random.Below(8));
      const std::string room = absl::StrCat("r", random.Below(8));
      const bool stale = random.OneIn(6);
      switch (random.Below(10)) {
        case 0:
        case 1:
        case 2: {
          const bool of_room = random.OneIn(3);
          const std::string& of = of_room ? room : who;
          const Resource resource = of_room ? Resource::kRoom : Resource::kClinician;
          const std::string booking = absl::StrCat("x", random.Below(30));
          if (stale && versions.contains(of + booking)) {
            EXPECT_FALSE(index.PutClaim(resource, of, booking, span, versions[of + booking]));
            break;
          }
          const int64_t version = next(of + booking);
          EXPECT_TRUE(index.PutClaim(resource, of, booking, span, version));
          EXPECT_FALSE(index.PutClaim(resource, of, booking, span, version)) << "again";
          world.AddClaim(resource, of, booking, span);
          break;
        }
        case 3:
        case 4: {
          if (world.claims.empty()) break;
          const World::Claim claim = some(world.claims)->second;
          EXPECT_TRUE(index.RemoveClaim(claim.resource, claim.of, claim.booking,
                                        next(claim.of + claim.booking)));
          world.claims.erase({claim.of, claim.booking});
          break;
        }
        case 5: {
          const std::string id = absl::StrCat("y", random.Below(4));
          const int64_t version = next(who + id);
          if (random.OneIn(2)) {
            EXPECT_TRUE(index.PutTimeOff(who, id, span, version));
            world.time_off[{who, id}] = span;
          } else {
            EXPECT_TRUE(index.RemoveTimeOff(who, id, version));
            world.time_off.erase({who, id});
          }
          break;
        }
        case 6: {
          World::Clinician of = some(other.clinicians)->second;
          of.attributes.id = who;
          for (ClinicHours& hours : of.hours) {
            hours.clinic = absl::StrCat("c", random.Below(6));
          }
          EXPECT_TRUE(index.PutClinician(of.attributes, of.hours, next(who)));
          world.clinicians[who] = of;
          break;
        }
        case 7: {
          if (random.OneIn(3)) {
            index.RemoveClinician(who, next(who));
            world.clinicians.erase(who);
          }
          break;
        }
        case 8: {
          RoomAttributes attributes{.id = room,
                                    .clinic = absl::StrCat("c", random.Below(6)),
                                    .capacity = random.Between(1, 3),
                                    .features = {},
                                    .buffer_after = absl::Minutes(random.Below(20))};
          if (random.OneIn(3)) {
            index.RemoveRoom(room, next(room));
            world.rooms.erase(room);
          } else {
            EXPECT_TRUE(index.PutRoom(attributes, next(room)));
            world.rooms[room] = attributes;
          }
          break;
        }
        default: {
          const std::string clinic = absl::StrCat("c", random.Below(6));
          if (random.OneIn(3)) {
            index.RemoveClinic(clinic, next(clinic));
            world.clinics.erase(clinic);
          } else {
            const absl::TimeZone zone = some(other.clinics)->second;
            EXPECT_TRUE(index.PutClinic(clinic, zone, next(clinic)));
            world.clinics[clinic] = zone;
          }
        }
      }
      if (step % 10 == 9) {
        ASSERT_EQ(Seen(index, world), Seen(IndexOf(world), world));
      }
    }
    EXPECT_EQ(index.clinician_count(), world.clinicians.size());
    // Days pass.
    world.start += random.Between(1, 12);
    index.Advance(world.start);
    EXPECT_EQ(Seen(index, world), Seen(IndexOf(world), world));
  }
}

TEST(Advance, ForgetsWhatIsOver) {
  Random random(5);
  World world = RandomWorld(random, 6, 40);
  AvailabilityIndex index = IndexOf(world);
  const size_t before = index.MemoryBytes();
  index.Advance(world.start + 300);
  EXPECT_LT(index.MemoryBytes(), before / 2);
  for (const auto& clinician : index.clinicians()) EXPECT_TRUE(clinician.busy.empty());
}

TEST(Compress, TellsWeeklyStretchesByTheFirstAndTheirNumber) {
  std::vector<Stretch> stretches;
  for (int week = 0; week < 10; ++week) {
    if (week == 6) continue;
    stretches.push_back({week * kWeek + 100, week * kWeek + 148});
    stretches.push_back({week * kWeek + 500, week * kWeek + 510});
  }
  const std::vector<WeeklyStretch> all = Compress(stretches);
  EXPECT_EQ(all.size(), 4u);
  int count = 0;
  for (const WeeklyStretch& weekly : all) count += weekly.count;
  EXPECT_EQ(count, 18);
}

}  // namespace
}  // namespace rapport::scheduling::openings
