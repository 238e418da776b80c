#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_AXIS_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_AXIS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "services/scheduling/domain/openings/bitmap.h"

namespace rapport::scheduling::openings {

// From `from` up to, not including, `to`.
struct Stretch {
  Granule from = 0;
  Granule to = 0;
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

// Stretches of one length a week apart, which is how hours come: the bulk of what an index would
// otherwise hold of them.
struct WeeklyStretch {
  Granule from = 0;  // of the first
  int32_t length = 0;
  int32_t count = 0;
};
std::vector<WeeklyStretch> Compress(std::vector<Stretch> stretches);

// A zone's wall clock between two instants, in granules.
class WallClock {
 public:
  WallClock(absl::TimeZone zone, Granule from, Granule to);

  Granule Local(Granule utc) const { return utc + OffsetAt(utc); }
  int32_t OffsetAt(Granule utc) const;
  // A local time that a clock change skips is meant by the clock before the change, so it comes
  // later by the length of the gap; one that happens twice is the first.
  Granule Utc(Granule local) const;
  // The first change of the clock in (from, to), or `to`.
  Granule NextChange(Granule from, Granule to) const;

 private:
  struct Segment {
    Granule from;
    int32_t offset;
  };
  std::vector<Segment> segments_;
};

// Rooms need time after a session (an hour at most) also when nobody works there any more.
inline constexpr int32_t kLongestRoomBuffer = 12;

// Which granules the lines of a clinic hold: only those in which somebody works there at times, and
// an hour after, as windows. That is a third of the bits that whole days take. The windows follow
// the clinic's clock, so that a week later is the same number of words later, also across clock
// changes. Between windows there is at least one bit that is never set: no run crosses.
class Axis {
 public:
  struct Window {
    Granule from = 0;
    Granule to = 0;
    int32_t word = 0;
  };

  // For all of `open` within `horizon`; for each weekday the windows of all its dates are alike.
  Axis(const WallClock& clock, Stretch horizon, const std::vector<WeeklyStretch>& open);

  const std::vector<Window>& windows() const { return windows_; }
  // Words of a line, without the padding.
  size_t words() const { return words_; }

  // Whether the windows hold every granule of `open` within the horizon.
  bool Holds(const std::vector<WeeklyStretch>& open) const;

  // The first window that ends after `granule`; windows().size() if there is none.
  size_t WindowAt(Granule granule) const;
  // The word from which bits at or after `granule` are found.
  size_t WordAt(Granule granule) const;
  std::optional<size_t> BitOf(Granule granule) const;
  // Of a bit within a window; `window` is where to begin to look, and becomes the window.
  Granule GranuleOf(size_t bit, size_t& window) const;
  // The 64 bits of `line` from `granule` on; granules outside the windows are 0.
  uint64_t Read(const uint64_t* line, Granule granule) const;

  void Set(uint64_t* line, Stretch stretch) const;
  void Clear(uint64_t* line, Stretch stretch) const;

  friend bool operator==(const Axis& a, const Axis& b);

 private:
  Stretch horizon_;
  std::vector<Window> windows_;
  std::vector<int32_t> by_day_;  // by UTC day: the first window that ends after its beginning
  size_t words_ = 0;
};

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_AXIS_H_
