#include "services/scheduling/domain/openings/bitmap.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

// The loops run on 4 words at a time where the processor can. The sanitizers come up after the
// functions that choose the variant, so there is no choice under them.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RAPPORT_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define RAPPORT_WIDE
#endif
#define RAPPORT_INLINE inline __attribute__((always_inline))

namespace rapport::scheduling::openings {
namespace {

constexpr int64_t kGranuleSeconds = kGranuleMinutes * 60;

Granule Clamp(int64_t granule) {
  constexpr int64_t kFar = std::numeric_limits<int32_t>::max() / 2;
  return static_cast<Granule>(std::clamp(granule, -kFar, kFar));
}

// Runs of at most 32 are seen from a word and the next.
constexpr int kFusedRun = 32;
constexpr int kMostShifts = 5;

template <int kShifts>
RAPPORT_INLINE uint64_t Fused(const uint64_t* __restrict line, size_t words,
                              const std::array<int, kMostShifts>& by,
                              const uint64_t* __restrict mask, uint64_t* __restrict out) {
  uint64_t any = 0;
  for (size_t i = 0; i < words; ++i) {
    uint64_t here = line[i];
    uint64_t next = line[i + 1];
#pragma GCC unroll 8
    for (int k = 0; k < kShifts; ++k) {
      here &= here >> by[k] | next << (64 - by[k]);
      next &= next >> by[k];
    }
    const uint64_t found = here & mask[i];
    out[i] = found;
    any |= found;
  }
  return any;
}

RAPPORT_WIDE uint64_t ShortRuns(const uint64_t* line, size_t words, int n, const uint64_t* mask,
                                uint64_t* out) {
  std::array<int, kMostShifts> by{};
  int shifts = 0;
  for (int have = 1; have < n; have += by[shifts++]) by[shifts] = std::min(have, n - have);
  switch (shifts) {
    case 0:
      return Fused<0>(line, words, by, mask, out);
    case 1:
      return Fused<1>(line, words, by, mask, out);
    case 2:
      return Fused<2>(line, words, by, mask, out);
    case 3:
      return Fused<3>(line, words, by, mask, out);
    case 4:
      return Fused<4>(line, words, by, mask, out);
    default:
      return Fused<5>(line, words, by, mask, out);
  }
}

// line &= line >> by, up to what can be known of the words given.
RAPPORT_WIDE void ShiftAnd(uint64_t* line, size_t words, int by) {
  const size_t far = by / 64;
  const int near = by % 64;
  if (near == 0) {
    for (size_t i = 0; i + far < words; ++i) line[i] &= line[i + far];
    return;
  }
  for (size_t i = 0; i + far + 1 < words; ++i) {
    line[i] &= line[i + far] >> near | line[i + far + 1] << (64 - near);
  }
}

bool LongRuns(const uint64_t* line, size_t words, int n, const uint64_t* mask, uint64_t* out) {
  std::copy_n(line, words + kPadWords, out);
  for (int have = 1; have < n;) {
    const int by = std::min(have, n - have);
    ShiftAnd(out, words + kPadWords, by);
    have += by;
  }
  return AndLine(mask, words, out);
}

using Wide = uint64_t __attribute__((vector_size(32)));
constexpr size_t kWideWords = sizeof(Wide) / sizeof(uint64_t);
static_assert(kWideWords <= kPadWords);

RAPPORT_INLINE bool Any(const Wide& wide) { return (wide[0] | wide[1] | wide[2] | wide[3]) != 0; }

// Steps between looks whether any start is left.
constexpr size_t kStepsBetweenLooks = 3;

template <int kExceptions, bool kPhases>
RAPPORT_INLINE bool Starts(const uint64_t* first, size_t words, const SeriesStep* steps,
                           size_t step_count, uint64_t* const* levels) {
  bool any = false;
  for (size_t at = 0; at < words; at += kWideWords) {
    Wide alive;
    std::memcpy(&alive, first + at, sizeof(alive));
    const Wide ones = ~Wide{};
    // all[j], phase[j]: at most j exceptions so far, in the phase.
    Wide all[kExceptions + 1];
    Wide phase[kExceptions + 1];
    for (int j = 0; j <= kExceptions; ++j) all[j] = phase[j] = ones;
    size_t look = 1;
    bool left = true;
    for (size_t s = 0; s < step_count; ++s) {
      const SeriesStep& step = steps[s];
      Wide free;
      std::memcpy(&free, step.free + at, sizeof(free));
      if (step.strict) {
        alive &= free;
      } else {
        if (step.must != nullptr) {
          Wide must;
          std::memcpy(&must, step.must + at, sizeof(must));
          alive &= free | ~must;
        }
#pragma GCC unroll 4
        for (int j = kExceptions; j > 0; --j) {
          all[j] = (all[j] & free) | all[j - 1];
          if (kPhases) phase[j] = (phase[j] & free) | phase[j - 1];
        }
        all[0] &= free;
        if (kPhases) phase[0] &= free;
      }
      if (kPhases && step.ends_phase) {
        if (step.phase_exceptions < kExceptions) alive &= phase[step.phase_exceptions];
        for (int j = 0; j <= kExceptions; ++j) phase[j] = ones;
      }
      if (--look == 0) {
        look = kStepsBetweenLooks;
        left = Any(alive & all[kExceptions]);
        if (!left) break;
      }
    }
    for (int j = 0; j <= kExceptions; ++j) {
      const Wide starts = left ? alive & all[j] : Wide{};
      std::memcpy(levels[j] + at, &starts, sizeof(starts));
    }
    if (left) any |= Any(alive & all[kExceptions]);
  }
  return any;
}

template <int kExceptions>
RAPPORT_INLINE bool Starts(const uint64_t* first, size_t words, const SeriesStep* steps,
                           size_t step_count, uint64_t* const* levels) {
  bool phases = false;
  for (size_t s = 0; s < step_count; ++s) {
    phases |= steps[s].ends_phase && steps[s].phase_exceptions < kExceptions;
  }
  return phases ? Starts<kExceptions, true>(first, words, steps, step_count, levels)
                : Starts<kExceptions, false>(first, words, steps, step_count, levels);
}

RAPPORT_WIDE bool WideStarts(const uint64_t* first, size_t words, const SeriesStep* steps,
                             size_t step_count, int exceptions, uint64_t* const* levels) {
  switch (exceptions) {
    case 0:
      return Starts<0>(first, words, steps, step_count, levels);
    case 1:
      return Starts<1>(first, words, steps, step_count, levels);
    case 2:
      return Starts<2>(first, words, steps, step_count, levels);
    default:
      return Starts<3>(first, words, steps, step_count, levels);
  }
}

// Null lines are read as `line`, which changes nothing.
RAPPORT_WIDE uint64_t InClass(const uint64_t* line, const uint64_t* without, uint64_t flip_without,
                              const uint64_t* time, uint64_t flip_time, const uint64_t* day,
                              uint64_t flip_day, size_t first, size_t end) {
  uint64_t any = 0;
  for (size_t i = first; i < end; ++i) {
    any |= line[i] & (without[i] ^ flip_without) & (time[i] ^ flip_time) & (day[i] ^ flip_day);
  }
  return any;
}

template <typename Change>
void ForWords(uint64_t* line, size_t from, size_t to, Change change) {
  if (from >= to) return;
  const size_t last = (to - 1) / 64;
  const uint64_t head = ~uint64_t{0} << (from % 64);
  const uint64_t tail = ~uint64_t{0} >> (63 - (to - 1) % 64);
  if (from / 64 == last) {
    change(line[last], head & tail);
    return;
  }
  change(line[from / 64], head);
  for (size_t i = from / 64 + 1; i < last; ++i) change(line[i], ~uint64_t{0});
  change(line[last], tail);
}

}  // namespace

Granule FloorGranule(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);  // towards the past
  const int64_t granule = seconds / kGranuleSeconds - (seconds % kGranuleSeconds < 0 ? 1 : 0);
  return Clamp(granule);
}

Granule CeilGranule(absl::Time time) {
  const Granule floor = FloorGranule(time);
  return TimeOf(floor) < time ? floor + 1 : floor;
}

absl::Time TimeOf(Granule granule) {
  return absl::FromUnixSeconds(int64_t{granule} * kGranuleSeconds);
}

int GranulesOf(absl::Duration duration) {
  const int64_t granules = absl::ToInt64Minutes(absl::Ceil(duration, absl::Minutes(5))) / 5;
  return static_cast<int>(std::clamp<int64_t>(granules, 0, kLongestRun));
}

void SetBits(uint64_t* line, size_t from, size_t to) {
  ForWords(line, from, to, [](uint64_t& word, uint64_t bits) { word |= bits; });
}

void ClearBits(uint64_t* line, size_t from, size_t to) {
  ForWords(line, from, to, [](uint64_t& word, uint64_t bits) { word &= ~bits; });
}

bool RunStarts(const uint64_t* line, size_t words, int n, const uint64_t* mask, uint64_t* out) {
  return n <= kFusedRun ? ShortRuns(line, words, n, mask, out) != 0
                        : LongRuns(line, words, n, mask, out);
}

RAPPORT_WIDE bool AndLine(const uint64_t* line, size_t words, uint64_t* out) {
  uint64_t any = 0;
  for (size_t i = 0; i < words; ++i) any |= out[i] &= line[i];
  return any != 0;
}

bool AnyInClass(const ClassFilter& filter, size_t first, size_t end) {
  const auto flip = [](const uint64_t* line, bool miss) {
    return line != nullptr && miss ? ~uint64_t{0} : uint64_t{0};
  };
  const auto or_line = [&](const uint64_t* line) { return line != nullptr ? line : filter.line; };
  return InClass(filter.line, or_line(filter.without), flip(filter.without, true),
                 or_line(filter.time), flip(filter.time, filter.miss_time), or_line(filter.day),
                 flip(filter.day, filter.miss_day), first, end) != 0;
}

RAPPORT_WIDE void OrLine(const uint64_t* line, size_t words, uint64_t* out) {
  for (size_t i = 0; i < words; ++i) out[i] |= line[i];
}

bool SeriesStarts(const uint64_t* first, size_t words, const SeriesStep* steps, size_t step_count,
                  int exceptions, uint64_t* const* levels) {
  return WideStarts(first, words, steps, step_count, exceptions, levels);
}

}  // namespace rapport::scheduling::openings
