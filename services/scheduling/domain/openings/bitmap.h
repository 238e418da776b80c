#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_BITMAP_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_BITMAP_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

// Time as bits: one for each 5 minutes, in 64-bit words, lowest bit first.
namespace rapport::scheduling::openings {

// 5 minutes, counted from 1970-01-01T00:00Z. By a local clock: from 1970-01-01 00:00 of that clock.
using Granule = int32_t;

inline constexpr int kGranuleMinutes = 5;
inline constexpr Granule kDay = 288;
inline constexpr Granule kWeek = 7 * kDay;

// The granule in which `time` lies, or the next unless it begins there. Times outside years 1 to
// 9999 become the nearest granule that can be told.
Granule FloorGranule(absl::Time time);
Granule CeilGranule(absl::Time time);
absl::Time TimeOf(Granule granule);
// How many granules a duration takes up.
int GranulesOf(absl::Duration duration);

// Rounds towards the past, also before 1970.
constexpr int32_t FloorDiv(int32_t value, int32_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Words behind each line that functions below may read; zero.
inline constexpr size_t kPadWords = 8;
// Longest run that can be asked for, in granules: 16 hours.
inline constexpr int kLongestRun = 192;

// Bits from `from` up to, not including, `to`.
void SetBits(uint64_t* line, size_t from, size_t to);
void ClearBits(uint64_t* line, size_t from, size_t to);

inline bool TestBit(const uint64_t* line, size_t bit) { return line[bit / 64] >> (bit % 64) & 1; }

// The bits that begin a run of `n` set ones (1 to kLongestRun), for the first `words` words:
// out = mask & starts. `line` is followed by kPadWords readable words. `out` has room for
// `words + kPadWords`, what is behind `words` becomes rubbish; it may be none of the inputs.
// Whether any bit is set.
bool RunStarts(const uint64_t* line, size_t words, int n, const uint64_t* mask, uint64_t* out);

// out &= line, and whether any bit is set; out |= line.
bool AndLine(const uint64_t* line, size_t words, uint64_t* out);
void OrLine(const uint64_t* line, size_t words, uint64_t* out);

// Bits of `line` that are not in `without`, and are in `time` and `day` (or not in them, where
// those are to be missed); null lines don't matter. Whether there are any in the words [first,
// end).
struct ClassFilter {
  const uint64_t* line = nullptr;
  const uint64_t* without = nullptr;
  const uint64_t* time = nullptr;
  const uint64_t* day = nullptr;
  bool miss_time = false;
  bool miss_day = false;
};
bool AnyInClass(const ClassFilter& filter, size_t first, size_t end);

// One session of a series, for the bits of its possible starts.
struct SeriesStep {
  // Whether the session could take place, by start of the series.
  const uint64_t* free = nullptr;
  // Starts of the series for which this session allows no exception; null: none.
  const uint64_t* must = nullptr;
  // No exception for any start.
  bool strict = false;
  // Last of its phase, in which there may be so many exceptions.
  bool ends_phase = false;
  int phase_exceptions = 0;
};

inline constexpr int kMostExceptions = 3;

// Which of the starts `first` carry a series with at most 0, 1, … `exceptions` (at most
// kMostExceptions) sessions that can't take place: levels[j] gets those with at most j. All lines
// have `words` words, those of `levels` room for kPadWords more (which become rubbish) and those
// of the steps kPadWords that can be read. Whether any start is left.
bool SeriesStarts(const uint64_t* first, size_t words, const SeriesStep* steps, size_t step_count,
                  int exceptions, uint64_t* const* levels);

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_BITMAP_H_
