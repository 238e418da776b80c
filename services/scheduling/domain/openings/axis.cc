#include "services/scheduling/domain/openings/axis.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

namespace rapport::scheduling::openings {
namespace {

template <typename Visit>
void ForEachWithin(const WeeklyStretch& weekly, Stretch within, Visit visit) {
  const int32_t skip = std::max(0, FloorDiv(within.from - weekly.from - weekly.length, kWeek));
  for (int32_t i = skip; i < weekly.count; ++i) {
    const Granule from = weekly.from + i * kWeek;
    if (from >= within.to) break;
    const Stretch clipped{std::max(from, within.from), std::min(from + weekly.length, within.to)};
    if (clipped.from < clipped.to) visit(clipped);
  }
}

constexpr int WeekdayOf(int32_t day) { return ((day + 3) % 7 + 7) % 7; }  // Monday 0

}  // namespace

std::vector<WeeklyStretch> Compress(std::vector<Stretch> stretches) {
  const auto key = [](const Stretch& s) {
    return std::tuple(s.from - FloorDiv(s.from, kWeek) * kWeek, s.to - s.from, s.from);
  };
  std::sort(stretches.begin(), stretches.end(),
            [&](const Stretch& a, const Stretch& b) { return key(a) < key(b); });
  std::vector<WeeklyStretch> all;
  for (const Stretch& stretch : stretches) {
    const int32_t length = stretch.to - stretch.from;
    if (length <= 0) continue;
    if (!all.empty() && all.back().length == length &&
        all.back().from + all.back().count * kWeek == stretch.from) {
      ++all.back().count;
    } else {
      all.push_back({stretch.from, length, 1});
    }
  }
  all.shrink_to_fit();
  return all;
}

WallClock::WallClock(absl::TimeZone zone, Granule from, Granule to) {
  const auto offset_at = [&](absl::Time time) { return FloorDiv(zone.At(time).offset, 300); };
  segments_.push_back({from, offset_at(TimeOf(from))});
  absl::TimeZone::CivilTransition transition;
  for (absl::Time at = TimeOf(from); zone.NextTransition(at, &transition);) {
    at = zone.At(transition.to).trans;
    const Granule granule = FloorGranule(at);
    if (granule >= to) break;
    const int32_t offset = offset_at(at);
    if (offset != segments_.back().offset) segments_.push_back({granule, offset});
  }
}

int32_t WallClock::OffsetAt(Granule utc) const {
  size_t i = segments_.size() - 1;
  while (i > 0 && utc < segments_[i].from) --i;
  return segments_[i].offset;
}

Granule WallClock::Utc(Granule local) const {
  for (size_t i = 0;; ++i) {
    const Granule utc = local - segments_[i].offset;
    if (i + 1 < segments_.size() && utc >= segments_[i + 1].from) continue;
    return i == 0 || utc >= segments_[i].from ? utc : local - segments_[i - 1].offset;
  }
}

Granule WallClock::NextChange(Granule from, Granule to) const {
  for (size_t i = 1; i < segments_.size(); ++i) {
    if (segments_[i].from > from) return std::min(segments_[i].from, to);
  }
  return to;
}

Axis::Axis(const WallClock& clock, Stretch horizon, const std::vector<WeeklyStretch>& open)
    : horizon_(horizon) {
  constexpr int32_t kNone = std::numeric_limits<int32_t>::max();
  std::array<int32_t, 7> begin;
  std::array<int32_t, 7> end{};
  begin.fill(kNone);
  int32_t longest = 0;
  for (const WeeklyStretch& weekly : open) {
    ForEachWithin(weekly, horizon, [&](Stretch stretch) {
      const Granule local = clock.Local(stretch.from);
      const int32_t day = FloorDiv(local, kDay);
      const int weekday = WeekdayOf(day);
      const int32_t from = local - day * kDay;
      begin[weekday] = std::min(begin[weekday], from);
      end[weekday] = std::max(end[weekday], from + stretch.to - stretch.from);
    });
  }
  // Beginning at even hours and filling whole words, most clinics of a zone come to have the same
  // windows.
  constexpr int32_t kEven = 24;
  constexpr int32_t kMostWordsFilled = 3;  // leaves most of the night between windows
  std::array<int32_t, 7> length{};
  for (int weekday = 0; weekday < 7; ++weekday) {
    if (begin[weekday] == kNone) continue;
    begin[weekday] = FloorDiv(begin[weekday], kEven) * kEven;
    length[weekday] = end[weekday] - begin[weekday] + kLongestRoomBuffer;
    const int32_t words = length[weekday] / 64 + 1;
    if (words <= kMostWordsFilled) length[weekday] = words * 64 - 1;
    longest = std::max(longest, begin[weekday] + length[weekday]);
  }
  const int32_t first = FloorDiv(clock.Local(horizon.from) - longest, kDay) - 1;
  const int32_t last = FloorDiv(clock.Local(horizon.to), kDay) + 1;
  for (int32_t day = first; day <= last; ++day) {
    const int weekday = WeekdayOf(day);
    if (begin[weekday] == kNone) continue;
    // Hours are as long as they are, whatever the clock does in them.
    const Granule from = clock.Utc(day * kDay + begin[weekday]);
    const Granule to =
        std::max(clock.Utc(day * kDay + end[weekday]) + kLongestRoomBuffer, from + length[weekday]);
    if (to <= horizon.from || from >= horizon.to) continue;
    if (!windows_.empty() && from <= windows_.back().to) {
      windows_.back().to = std::max(windows_.back().to, to);
    } else {
      windows_.push_back({from, to, 0});
    }
  }
  for (Window& window : windows_) {
    window.word = static_cast<int32_t>(words_);
    words_ += (window.to - window.from) / 64 + 1;
  }
  size_t window = 0;
  for (Granule day = horizon.from; day < horizon.to; day += kDay) {
    while (window < windows_.size() && windows_[window].to <= day) ++window;
    by_day_.push_back(static_cast<int32_t>(window));
  }
}

bool Axis::Holds(const std::vector<WeeklyStretch>& open) const {
  bool holds = true;
  for (const WeeklyStretch& weekly : open) {
    ForEachWithin(weekly, horizon_, [&](Stretch stretch) {
      const size_t at = WindowAt(stretch.from);
      holds = holds && at < windows_.size() && windows_[at].from <= stretch.from &&
              stretch.to <= windows_[at].to;
    });
  }
  return holds;
}

size_t Axis::WindowAt(Granule granule) const {
  if (by_day_.empty()) return windows_.size();
  const int32_t day = std::clamp<int32_t>(FloorDiv(granule - horizon_.from, kDay), 0,
                                          static_cast<int32_t>(by_day_.size()) - 1);
  size_t window = granule < horizon_.from ? 0 : by_day_[day];
  while (window < windows_.size() && windows_[window].to <= granule) ++window;
  return window;
}

size_t Axis::WordAt(Granule granule) const {
  const size_t at = WindowAt(granule);
  if (at == windows_.size()) return words_;
  return windows_[at].word + std::max(0, granule - windows_[at].from) / 64;
}

std::optional<size_t> Axis::BitOf(Granule granule) const {
  const size_t at = WindowAt(granule);
  if (at == windows_.size() || granule < windows_[at].from) return std::nullopt;
  return size_t{64} * windows_[at].word + (granule - windows_[at].from);
}

Granule Axis::GranuleOf(size_t bit, size_t& window) const {
  while (window + 1 < windows_.size() && size_t{64} * windows_[window + 1].word <= bit) ++window;
  return windows_[window].from + static_cast<Granule>(bit - size_t{64} * windows_[window].word);
}

uint64_t Axis::Read(const uint64_t* line, Granule granule) const {
  uint64_t bits = 0;
  for (size_t at = WindowAt(granule); at < windows_.size(); ++at) {
    const Window& window = windows_[at];
    const int32_t ahead = window.from - granule;
    if (ahead >= 64) break;
    if (ahead >= 0) {
      bits |= line[window.word] << ahead;
      continue;
    }
    const uint64_t* word = line + window.word + -ahead / 64;
    const int shift = -ahead % 64;
    uint64_t part = word[0] >> shift;
    if (shift != 0) part |= word[1] << (64 - shift);
    const int32_t left = window.to - granule;
    bits |= left >= 64 ? part : part & ~(~uint64_t{0} << left);
  }
  return bits;
}

void Axis::Set(uint64_t* line, Stretch stretch) const {
  for (size_t at = WindowAt(stretch.from); at < windows_.size(); ++at) {
    const Window& window = windows_[at];
    if (window.from >= stretch.to) break;
    const size_t bit = size_t{64} * window.word;
    SetBits(line, bit + std::max(stretch.from, window.from) - window.from,
            bit + std::min(stretch.to, window.to) - window.from);
  }
}

void Axis::Clear(uint64_t* line, Stretch stretch) const {
  for (size_t at = WindowAt(stretch.from); at < windows_.size(); ++at) {
    const Window& window = windows_[at];
    if (window.from >= stretch.to) break;
    const size_t bit = size_t{64} * window.word;
    ClearBits(line, bit + std::max(stretch.from, window.from) - window.from,
              bit + std::min(stretch.to, window.to) - window.from);
  }
}

bool operator==(const Axis& a, const Axis& b) {
  return a.horizon_ == b.horizon_ &&
         std::equal(a.windows_.begin(), a.windows_.end(), b.windows_.begin(), b.windows_.end(),
                    [](const Axis::Window& x, const Axis::Window& y) {
                      return x.from == y.from && x.to == y.to;
                    });
}

}  // namespace rapport::scheduling::openings
