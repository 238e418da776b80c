#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_MATCH_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_MATCH_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/scheduling/domain/openings/availability.h"
#include "services/scheduling/domain/openings/axis.h"
#include "services/scheduling/domain/openings/bitmap.h"
#include "services/scheduling/domain/openings/search.h"

// What SearchOpenings and PlanSeries share. Lines are as long as the axis of their clinic, with the
// padding; words are counted from its beginning.
namespace rapport::scheduling::openings {

using Line = std::vector<uint64_t>;

// Who is in question, where.
class Scope {
 public:
  struct Place {
    uint32_t clinic = 0;
    int32_t rank = 0;
  };

  Scope(const AvailabilityIndex& index, const ClinicianFilter& filter);

  // By rank.
  const std::vector<Place>& places() const { return places_; }
  // Null: not in question.
  const Place* Find(uint32_t clinic) const {
    return by_clinic_[clinic] < 0 ? nullptr : &places_[by_clinic_[clinic]];
  }
  bool Takes(uint32_t clinician) const { return TestBit(takes_.data(), clinician); }
  bool Former(uint32_t clinician) const {
    return !former_.empty() && TestBit(former_.data(), clinician);
  }

 private:
  std::vector<Place> places_;
  std::vector<int32_t> by_clinic_;
  Line takes_;
  Line former_;
};

// Makes a line's beginning come from memory; the rest follows as it is read.
inline void PrefetchWords(const uint64_t* words) {
  for (int line = 0; line < 4; ++line) __builtin_prefetch(words + line * 8);
}

// The place of a start in the order of results; smaller is better.
struct Standing {
  // Not former, exceptions, preference, clinic rank, day, popularity, start.
  std::array<int32_t, 7> values{};
  const std::string* clinician = nullptr;
  const std::string* clinic = nullptr;

  bool Before(const Standing& other) const {
    if (values != other.values) return values < other.values;
    if (const int by = clinician->compare(*other.clinician); by != 0) return by < 0;
    return *clinic < *other.clinic;
  }
  OpeningKey Key() const {
    return {values[0], values[2], values[3], values[4], values[5], values[6], *clinician, *clinic};
  }
};

// Lines of possible starts of sessions, for `axis`.
Line StepLine(const Axis& axis, const WallClock& clock, Stretch starts, int step);
Line WindowLine(const Axis& axis, const WallClock& clock, Stretch starts,
                const std::vector<DayWindow>& windows, int granules);
Line WeekdayLine(const Axis& axis, const WallClock& clock, Stretch starts,
                 const std::vector<absl::Weekday>& weekdays);
// `required`, and none of `busy` within `granules` from the start.
Line StartLine(const Axis& axis, const WallClock& clock, Stretch starts, int step, int granules,
               const TimesOfWeek& required, const std::vector<Span>& busy);
void ClearBusy(const Axis& axis, const std::vector<Span>& busy, int granules, uint64_t* line);

// Starts from `first_word` up to `end_word` for which one room has `granules` free.
Line RoomLine(const AvailabilityIndex& index, const AvailabilityIndex::Clinic& clinic,
              const RoomNeed& need, int granules, size_t first_word, size_t end_word);

// Leaves what the licence covers, and days on which the clinician has fewer than so many sessions.
void ClearUnlicensed(const AvailabilityIndex::Clinician& clinician,
                     const AvailabilityIndex::Clinic& clinic, uint64_t* line);
void ClearFullDays(const AvailabilityIndex& index, const AvailabilityIndex::Clinician& clinician,
                   const AvailabilityIndex::Clinic& clinic, int limit, uint64_t* line);
// The stricter of two limits, of which 0 is none.
int StricterLimit(int a, int b);

// Starts that match preferences, of an axis; null lines: no preference is stated.
struct Preferred {
  const uint64_t* time = nullptr;
  const uint64_t* day = nullptr;
};

// The possible starts of a clinician at a clinic.
struct RowStarts {
  const AvailabilityIndex::Clinic* clinic = nullptr;
  int32_t rank = 0;
  size_t first_word = 0;
  size_t end_word = 0;
  // levels[e]: with at most e exceptions.
  std::array<const uint64_t*, kMostExceptions + 1> levels{};
  Preferred preferred;
};

// Goes through the starts of one clinician after another.
class StartLister {
 public:
  // Calls visit(standing, row) for each start of one clinician, best first, until it returns false.
  // `rows` are ordered by rank.
  template <typename Visit>
  void ForEach(const std::vector<RowStarts>& rows, int exceptions, bool former,
               const std::string& clinician, const Popularity& popularity, const Visit& visit) {
    if (rows.empty()) return;
    const bool by_time = rows[0].preferred.time != nullptr;
    const bool by_day = rows[0].preferred.day != nullptr;
    for (int e = 0; e <= exceptions; ++e) {
      for (int preference = 0; preference < 4; ++preference) {
        if ((preference & 2 && !by_time) || (preference & 1 && !by_day)) continue;
        for (size_t begin = 0, end; begin < rows.size(); begin = end) {
          cursors_.clear();
          for (end = begin; end < rows.size() && rows[end].rank == rows[begin].rank; ++end) {
            Open(rows[end], e, preference);
          }
          while (!cursors_.empty()) {
            TakeDay(former, clinician, popularity);
            for (const Start& start : day_starts_) {
              if (!visit(start.standing, *start.row)) return;
            }
          }
        }
      }
    }
  }

 private:
  // Goes through the starts of one row in a class of exceptions and preference.
  struct Cursor {
    const RowStarts* row = nullptr;
    int exceptions = 0;
    int preference = 0;
    size_t word = 0;
    uint64_t bits = 0;
    size_t window = 0;
    Granule start = 0;
    Granule local = 0;
    int32_t day = 0;
    bool done = false;

    void Load() {
      bits = row->levels[exceptions][word];
      if (exceptions > 0) bits &= ~row->levels[exceptions - 1][word];
      const Preferred& preferred = row->preferred;
      if (preferred.time != nullptr) {
        bits &= preference & 2 ? ~preferred.time[word] : preferred.time[word];
      }
      if (preferred.day != nullptr) {
        bits &= preference & 1 ? ~preferred.day[word] : preferred.day[word];
      }
    }
    void Next() {
      while (bits == 0) {
        if (++word >= row->end_word) {
          done = true;
          return;
        }
        Load();
      }
      start = row->clinic->axis->GranuleOf(word * 64 + __builtin_ctzll(bits), window);
      bits &= bits - 1;
      local = row->clinic->clock->Local(start);
      day = FloorDiv(local, kDay);
    }
  };
  struct Start {
    Standing standing;
    const RowStarts* row;
  };

  void Open(const RowStarts& row, int exceptions, int preference) {
    if (row.first_word >= row.end_word) return;
    const ClassFilter filter{
        row.levels[exceptions], exceptions > 0 ? row.levels[exceptions - 1] : nullptr,
        row.preferred.time,     row.preferred.day,
        (preference & 2) != 0,  (preference & 1) != 0};
    if (!AnyInClass(filter, row.first_word, row.end_word)) return;
    Cursor cursor{
        .row = &row, .exceptions = exceptions, .preference = preference, .word = row.first_word};
    cursor.Load();
    cursor.Next();
    if (!cursor.done) cursors_.push_back(cursor);
  }

  // The earliest day's starts, in order.
  void TakeDay(bool former, const std::string& clinician, const Popularity& popularity) {
    int32_t day = cursors_[0].day;
    for (const Cursor& cursor : cursors_) day = std::min(day, cursor.day);
    day_starts_.clear();
    for (Cursor& cursor : cursors_) {
      while (!cursor.done && cursor.day == day) {
        day_starts_.push_back({{{former ? 0 : 1, cursor.exceptions, cursor.preference,
                                 cursor.row->rank, day, popularity.At(cursor.local), cursor.start},
                                &clinician,
                                &cursor.row->clinic->id},
                               cursor.row});
        cursor.Next();
      }
    }
    std::erase_if(cursors_, [](const Cursor& cursor) { return cursor.done; });
    std::sort(day_starts_.begin(), day_starts_.end(),
              [](const Start& a, const Start& b) { return a.standing.Before(b.standing); });
  }

  std::vector<Cursor> cursors_;
  std::vector<Start> day_starts_;
};

// The best of a clinician's starts with `granules` between those offered.
class Offered {
 public:
  Offered(int most, int granules) : most_(most), granules_(granules) {}

  // 0: no bounds at all.
  bool Overlaps(Granule start) const {
    return most_ > 0 && std::any_of(starts_.begin(), starts_.end(), [&](Granule other) {
             return std::abs(other - start) < granules_;
           });
  }
  void Add(Granule start) {
    if (most_ > 0) starts_.push_back(start);
  }
  bool Full() const { return most_ > 0 && starts_.size() >= static_cast<size_t>(most_); }

 private:
  const int most_;
  const int granules_;
  std::vector<Granule> starts_;
};

std::vector<Reason> ReasonsFor(const OpeningKey& key, bool nearest_known,
                               const TimesOfWeek& preferred, Granule earliest);

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_MATCH_H_
