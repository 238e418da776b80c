#include "services/scheduling/domain/openings/bitmap.h"

#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "services/scheduling/domain/openings/axis.h"
#include "tests/unit/services/scheduling/domain/openings/world.h"

namespace rapport::scheduling::openings {
namespace {

using Line = std::vector<uint64_t>;

Line RandomLine(Random& random, size_t words, int density) {
  Line line(words + kPadWords);
  bool set = false;
  for (size_t bit = 0; bit < words * 64;) {
    const size_t length = random.Between(1, set ? density * 4 : 20);
    if (set) SetBits(line.data(), bit, std::min(bit + length, words * 64));
    bit += length;
    set = !set;
  }
  return line;
}

bool BitAt(const Line& line, size_t bit) {
  return bit < line.size() * 64 && TestBit(line.data(), bit);
}

TEST(RunStarts, AreWhereTheNextBitsAreAllSetForEveryLength) {
  Random random(1);
  for (int n = 1; n <= kLongestRun; ++n) {
    const size_t words = random.Between(1, 40);
    const Line line = RandomLine(random, words, n);
    const Line mask = RandomLine(random, words, 10);
    Line out(words + kPadWords);
    const bool any = RunStarts(line.data(), words, n, mask.data(), out.data());
    bool expected_any = false;
    size_t run = 0;
    for (size_t bit = words * 64; bit-- > 0;) {
      run = BitAt(line, bit) ? run + 1 : 0;
      const bool expected = run >= static_cast<size_t>(n) && BitAt(mask, bit);
      ASSERT_EQ(BitAt(out, bit), expected) << "length " << n << ", bit " << bit;
      expected_any |= expected;
    }
    EXPECT_EQ(any, expected_any);
  }
}

TEST(RunStarts, LookBehindTheLastWordAskedFor) {
  const Line line(1 + kPadWords, ~uint64_t{0});
  const Line mask(1, ~uint64_t{0});
  Line out(1 + kPadWords);
  for (const int n : {2, 32, 33, 64, 65, 130, kLongestRun}) {
    EXPECT_TRUE(RunStarts(line.data(), 1, n, mask.data(), out.data()));
    EXPECT_EQ(out[0], ~uint64_t{0}) << n;
  }
}

TEST(SetAndClearBits, ChangeJustTheRange) {
  Random random(2);
  for (int round = 0; round < 500; ++round) {
    Line set(6);
    Line cleared(6, ~uint64_t{0});
    const size_t from = random.Below(384);
    const size_t to = random.Below(385);
    SetBits(set.data(), from, to);
    ClearBits(cleared.data(), from, to);
    for (size_t bit = 0; bit < 384; ++bit) {
      const bool within = bit >= from && bit < to;
      ASSERT_EQ(TestBit(set.data(), bit), within);
      ASSERT_EQ(TestBit(cleared.data(), bit), !within);
    }
  }
}

TEST(SeriesStarts, CountExceptionsAsBruteForceDoes) {
  Random random(3);
  for (int round = 0; round < 400; ++round) {
    const size_t words = random.Between(1, 9);
    const int exceptions = random.Below(kMostExceptions + 1);
    const int count = random.Between(1, 16);
    std::vector<Line> free;
    std::vector<Line> must;
    std::vector<SeriesStep> steps(count);
    for (int i = 0; i < count; ++i) {
      free.push_back(RandomLine(random, words, 60));
      must.push_back(RandomLine(random, words, 3));
    }
    for (int i = 0; i < count; ++i) {
      steps[i] = {free[i].data(), random.OneIn(4) ? must[i].data() : nullptr, random.OneIn(5),
                  random.OneIn(4), random.Below(4)};
    }
    const Line first = RandomLine(random, words, 60);
    std::array<Line, kMostExceptions + 1> levels;
    std::array<uint64_t*, kMostExceptions + 1> out;
    for (int e = 0; e <= kMostExceptions; ++e) {
      levels[e].resize(words + kPadWords);
      out[e] = levels[e].data();
    }
    const bool any = SeriesStarts(first.data(), words, steps.data(), count, exceptions, out.data());
    bool expected_any = false;
    for (size_t bit = 0; bit < words * 64; ++bit) {
      bool possible = BitAt(first, bit);
      int all = 0;
      int phase = 0;
      for (int i = 0; i < count; ++i) {
        if (!BitAt(free[i], bit)) {
          if (steps[i].strict || (steps[i].must != nullptr && BitAt(must[i], bit)))
            possible = false;
          ++all;
          ++phase;
        }
        if (steps[i].ends_phase) {
          if (phase > steps[i].phase_exceptions) possible = false;
          phase = 0;
        }
      }
      for (int e = 0; e <= exceptions; ++e) {
        ASSERT_EQ(BitAt(levels[e], bit), possible && all <= e) << "round " << round;
      }
      expected_any |= possible && all <= exceptions;
    }
    EXPECT_EQ(any, expected_any);
  }
}

TEST(Granules, RoundTowardsThePastAndTheFuture) {
  EXPECT_EQ(FloorGranule(absl::UnixEpoch() - absl::Nanoseconds(1)), -1);
  EXPECT_EQ(CeilGranule(absl::UnixEpoch() - absl::Nanoseconds(1)), 0);
  EXPECT_EQ(FloorGranule(absl::UnixEpoch() + absl::Seconds(599)), 1);
  EXPECT_EQ(CeilGranule(absl::UnixEpoch() + absl::Nanoseconds(1)), 1);
  EXPECT_GT(FloorGranule(absl::InfiniteFuture()), FloorGranule(Utc(2500, 1, 1)));
  EXPECT_LT(FloorGranule(absl::InfinitePast()), 0);
  EXPECT_EQ(GranulesOf(absl::Minutes(51)), 11);
  EXPECT_EQ(GranulesOf(absl::Minutes(50)), 10);
  EXPECT_EQ(GranulesOf(-absl::Minutes(50)), 0);
}

const std::vector<std::string>& Zones() {
  static const std::vector<std::string> zones = {
      "America/New_York",  "Europe/London",     "Australia/Lord_Howe", "Asia/Kathmandu",
      "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia",        "America/Mexico_City",
      "Africa/Cairo",      "America/Havana",    "Pacific/Chatham",     "UTC"};
  return zones;
}

TEST(WallClock, IsTheZonesClock) {
  for (const std::string& name : Zones()) {
    SCOPED_TRACE(name);
    const absl::TimeZone zone = Zone(name);
    for (const int year : {2011, 2018, 2022, 2026}) {
      const Granule from = FloorGranule(Utc(year, 1, 1));
      const Granule to = FloorGranule(Utc(year + 1, 1, 1));
      const WallClock clock(zone, from - kWeek, to + kWeek);
      for (Granule at = from; at < to; ++at) {
        const absl::CivilMinute local = absl::ToCivilMinute(TimeOf(at), zone);
        const auto expected =
            static_cast<Granule>((local - absl::CivilMinute(1970, 1, 1)) / kGranuleMinutes);
        ASSERT_EQ(clock.Local(at), expected) << TimeOf(at);
      }
      const absl::CivilMinute midnight(year, 1, 1);
      for (int i = 12; i < 365 * kDay; ++i) {
        const absl::CivilMinute local = midnight + i * kGranuleMinutes;
        const auto granule =
            static_cast<Granule>((local - absl::CivilMinute(1970, 1, 1)) / kGranuleMinutes);
        // Days that a zone has left out altogether need no rule.
        if (name == "Pacific/Apia" && absl::CivilDay(local) == absl::CivilDay(2011, 12, 30))
          continue;
        ASSERT_EQ(TimeOf(clock.Utc(granule)), AtLocal(local, zone)) << local;
      }
    }
  }
}

TEST(Axis, KeepsEveryOpenGranuleApartFromTheNextStretch) {
  Random random(4);
  for (int round = 0; round < 60; ++round) {
    const std::string name = random.Of(Zones());
    SCOPED_TRACE(name);
    World world;
    world.start = absl::CivilDay(2026, random.Between(1, 12), 1);
    world.days = random.Between(5, 60);
    std::vector<Stretch> stretches;
    for (int rule = random.Between(0, 5); rule > 0; --rule) {
      const auto weekday = static_cast<absl::Weekday>(random.Below(7));
      const int from = random.Below(288) * 5;
      const int to = from + random.Between(1, random.OneIn(5) ? 400 : 80) * 5;
      for (const Span& span : Weekly(world, Zone(name), {weekday}, from, to)) {
        stretches.push_back({FloorGranule(span.start), FloorGranule(span.end)});
      }
    }
    const Stretch horizon{FloorGranule(world.begin()), FloorGranule(world.end())};
    const WallClock clock(Zone(name), horizon.from - kWeek, horizon.to + kWeek);
    const auto open = Compress(stretches);
    const Axis axis(clock, horizon, open);
    EXPECT_TRUE(axis.Holds(open));

    std::vector<bool> expected(horizon.to - horizon.from);
    Line line(axis.words() + kPadWords);
    for (const Stretch& stretch : stretches) {
      for (Granule at = stretch.from; at < stretch.to; ++at) {
        if (at >= horizon.from && at < horizon.to) expected[at - horizon.from] = true;
      }
      axis.Set(line.data(),
               {std::max(stretch.from, horizon.from), std::min(stretch.to, horizon.to)});
    }
    size_t set = 0;
    for (const uint64_t word : line) set += __builtin_popcountll(word);
    EXPECT_EQ(set, static_cast<size_t>(std::count(expected.begin(), expected.end(), true)));
    for (Granule at = horizon.from; at < horizon.to; ++at) {
      const auto bit = axis.BitOf(at);
      ASSERT_EQ(bit.has_value() && TestBit(line.data(), *bit), expected[at - horizon.from]);
      if (bit.has_value()) {
        size_t window = 0;
        ASSERT_EQ(axis.GranuleOf(*bit, window), at);
        ASSERT_EQ(axis.WordAt(at), *bit / 64);
      }
      if (at % 7 == 0) {
        const uint64_t bits = axis.Read(line.data(), at);
        for (int i = 0; i < 64; ++i) {
          const Granule there = at + i;
          const bool free = there < horizon.to && expected[there - horizon.from];
          ASSERT_EQ(bits >> i & 1, free ? 1u : 0u);
        }
      }
    }
    // A run in the line is a run in time.
    for (size_t bit = 0; bit + 1 < axis.words() * 64; ++bit) {
      if (!TestBit(line.data(), bit) || !TestBit(line.data(), bit + 1)) continue;
      size_t window = 0;
      const Granule at = axis.GranuleOf(bit, window);
      ASSERT_EQ(axis.GranuleOf(bit + 1, window), at + 1);
    }
  }
}

TEST(Axis, HasAWeekLaterTheSameNumberOfWordsLaterAcrossClockChanges) {
  World world;
  world.days = 120;
  const absl::TimeZone zone = Zone("America/New_York");
  std::vector<Stretch> stretches;
  const std::vector<absl::Weekday> weekdays = {absl::Weekday::monday, absl::Weekday::thursday};
  for (const Span& span : Weekly(world, zone, weekdays, 10 * 60, 18 * 60)) {
    stretches.push_back({FloorGranule(span.start), FloorGranule(span.end)});
  }
  const Stretch horizon{FloorGranule(world.begin()), FloorGranule(world.end())};
  const WallClock clock(zone, horizon.from - kWeek, horizon.to + kWeek);
  const Axis axis(clock, horizon, Compress(stretches));
  // 2 words for 8 hours, twice a week: an eighth of whole days.
  EXPECT_EQ(axis.words(), axis.windows().size() * 2);
  for (size_t i = 0; i + 2 < axis.windows().size(); ++i) {
    EXPECT_EQ(axis.windows()[i + 2].word - axis.windows()[i].word, 4);
    EXPECT_EQ(clock.Local(axis.windows()[i + 2].from) - clock.Local(axis.windows()[i].from), kWeek);
  }
}

}  // namespace
}  // namespace rapport::scheduling::openings
