#include "services/scheduling/domain/openings/search.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "services/scheduling/domain/openings/match.h"

namespace rapport::scheduling::openings {
namespace {

constexpr absl::Duration kNearestReach = absl::Hours(14 * 24);

struct Found {
  Standing standing;
  bool operator<(const Found& other) const { return standing.Before(other.standing); }
};

// Possible starts at the clinics that share an axis, whoever works there.
struct AxisLines {
  size_t first_word = 0;
  size_t end_word = 0;
  Line starts;
  Line preferred_time;
  Line preferred_day;
};

class Search {
 public:
  Search(const AvailabilityIndex& index, const OpeningQuery& query)
      : index_(index),
        query_(query),
        scope_(index, query.filter),
        popularity_(index.popularity()),
        starts_{std::max(CeilGranule(query.earliest), index.horizon().from),
                std::min(CeilGranule(query.latest), index.horizon().to)},
        granules_(GranulesOf(absl::Minutes(query.minutes))),
        step_(std::max(1, query.step_minutes / kGranuleMinutes)),
        rooms_(query.filter.room.has_value() && !query.filter.remote),
        clinics_(scope_.places().size()),
        visited_(index.clinicians().size() / 64 + 1) {
    if (query.after.has_value()) {
      const OpeningKey& key = *query.after;
      after_ = {
          {key.not_former, 0, key.preference, key.clinic_rank, key.day, key.popularity, key.start},
          &key.clinician,
          &key.clinic};
    }
  }

  OpeningPage Run() {
    if (starts_.from >= starts_.to || granules_ == 0 || query_.limit <= 0) return {};
    // One more than asked for says whether there are more.
    wanted_ = static_cast<size_t>(query_.limit) + 1;
    for (size_t at = 0; at < scope_.places().size(); ++at) {
      const auto& rows = index_.clinics()[scope_.places()[at].clinic].rows;
      for (size_t i = 0; i < rows.size(); ++i) {
        if (i + 1 < rows.size()) Prefetch(rows[i + 1], at);
        if (scope_.Takes(rows[i].clinician)) See(rows[i], at);
      }
    }
    std::sort_heap(best_.begin(), best_.end());
    OpeningPage page;
    page.more = best_.size() == wanted_;
    if (page.more) best_.pop_back();
    for (const Found& found : best_) page.openings.push_back(OpeningOf(found));
    return page;
  }

 private:
  // What a clinic adds to its axis' lines: the rooms. Up to `end_word`.
  struct ClinicLines {
    const AxisLines* axis = nullptr;
    size_t end_word = 0;
    Line with_room;
  };

  const AxisLines& LinesOf(const AvailabilityIndex::Clinic& clinic) {
    std::unique_ptr<AxisLines>& lines = axes_[clinic.axis.get()];
    if (lines != nullptr) return *lines;
    lines = std::make_unique<AxisLines>();
    const Axis& axis = *clinic.axis;
    lines->first_word = axis.WordAt(starts_.from);
    lines->end_word = std::min(axis.words(), axis.WordAt(starts_.to - 1) + 1);
    lines->starts = StartLine(axis, *clinic.clock, starts_, step_, granules_, query_.required,
                              query_.patients_busy);
    if (!query_.preferred.windows.empty()) {
      lines->preferred_time =
          WindowLine(axis, *clinic.clock, starts_, query_.preferred.windows, granules_);
    }
    if (!query_.preferred.weekdays.empty()) {
      lines->preferred_day = WeekdayLine(axis, *clinic.clock, starts_, query_.preferred.weekdays);
    }
    return *lines;
  }

  // Words to look at for a place, given what the worst of the best is: none, up to a day, or all.
  size_t EndWord(const AvailabilityIndex::Clinic& clinic, const AxisLines& lines, bool former,
                 int32_t rank) const {
    if (best_.size() < wanted_) return lines.end_word;
    const auto& worst = best_.front().standing.values;
    const std::array<int32_t, 4> bound{former ? 0 : 1, 0, 0, rank};
    const std::array<int32_t, 4> prefix{worst[0], worst[1], worst[2], worst[3]};
    if (bound > prefix) return lines.first_word;
    if (bound < prefix) return lines.end_word;
    const Granule end = clinic.clock->Utc((worst[4] + 1) * kDay);
    if (end <= starts_.from) return lines.first_word;
    return std::min(lines.end_word, clinic.axis->WordAt(end - 1) + 1);
  }

  const uint64_t* MaskOf(const AvailabilityIndex::Clinic& clinic, size_t place, size_t end_word) {
    ClinicLines& lines = clinics_[place];
    if (!rooms_) return lines.axis->starts.data();
    if (lines.end_word < end_word) {
      lines.with_room = RoomLine(index_, clinic, *query_.filter.room, granules_,
                                 lines.axis->first_word, end_word);
      AndLine(lines.axis->starts.data(), end_word, lines.with_room.data());
      lines.end_word = end_word;
    }
    return lines.with_room.data();
  }

  void Prefetch(const AvailabilityIndex::RowOf& of, size_t at) const {
    const AxisLines* lines = clinics_[at].axis;
    if (lines == nullptr || of.free == nullptr) return;
    PrefetchWords(of.free + lines->first_word);
  }

  // Adds the starts of a row at the clinic of place `at`.
  void TryRow(const uint64_t* free, int buffer, size_t at, bool former) {
    const Scope::Place& place = scope_.places()[at];
    const AvailabilityIndex::Clinic& clinic = index_.clinics()[place.clinic];
    if (free == nullptr) return;
    if (clinics_[at].axis == nullptr) clinics_[at].axis = &LinesOf(clinic);
    const AxisLines& lines = *clinics_[at].axis;
    const size_t first = lines.first_word;
    const size_t end = EndWord(clinic, lines, former, place.rank);
    if (first >= end) return;
    const uint64_t* mask = MaskOf(clinic, at, end);
    if (scratch_.size() <= rows_.size()) scratch_.emplace_back();
    Line& out = scratch_[rows_.size()];
    if (out.size() < clinic.axis->words() + kPadWords) out.resize(clinic.axis->words() + kPadWords);
    const int run = std::min(granules_ + buffer, kLongestRun);
    if (!RunStarts(free + first, end - first, run, mask + first, out.data() + first)) return;
    rows_.push_back({.clinic = &clinic,
                     .rank = place.rank,
                     .first_word = first,
                     .end_word = end,
                     .levels = {out.data()},
                     .preferred = {Data(lines.preferred_time), Data(lines.preferred_day)}});
  }

  void See(const AvailabilityIndex::RowOf& of, size_t at) {
    const bool former = scope_.Former(of.clinician);
    rows_.clear();
    if (of.alone) {
      TryRow(of.free, of.buffer, at, former);
      if (rows_.empty()) return;
    }
    const AvailabilityIndex::Clinician& clinician = index_.clinicians()[of.clinician];
    if (!of.alone) {
      if (TestBit(visited_.data(), of.clinician)) return;
      SetBits(visited_.data(), of.clinician, of.clinician + 1);
      for (const AvailabilityIndex::Row& row : clinician.rows) {
        const Scope::Place* place = scope_.Find(row.clinic);
        if (place == nullptr) continue;
        TryRow(Data(row.free), clinician.buffer, place - scope_.places().data(), former);
      }
    }
    if (rows_.empty()) return;
    const int limit =
        StricterLimit(query_.max_sessions_per_day, clinician.attributes.max_sessions_per_day);
    for (size_t i = 0; i < rows_.size(); ++i) {
      Line& line = scratch_[i];
      ClearUnlicensed(clinician, *rows_[i].clinic, line.data());
      ClearFullDays(index_, clinician, *rows_[i].clinic, limit, line.data());
    }
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const RowStarts& a, const RowStarts& b) { return a.rank < b.rank; });
    Offered offered(query_.per_clinician, granules_);
    starts_of_.ForEach(rows_, 0, former, clinician.attributes.id, popularity_,
                       [&](const Standing& standing, const RowStarts&) {
                         if (best_.size() == wanted_ && !standing.Before(best_.front().standing)) {
                           return false;
                         }
                         const Granule start = standing.values[6];
                         if (offered.Overlaps(start)) return true;
                         offered.Add(start);
                         if (!query_.after.has_value() || after_.Before(standing)) Keep(standing);
                         return !offered.Full();
                       });
  }

  void Keep(const Standing& standing) {
    if (best_.size() == wanted_) {
      std::pop_heap(best_.begin(), best_.end());
      best_.pop_back();
    }
    best_.push_back({standing});
    std::push_heap(best_.begin(), best_.end());
  }

  Opening OpeningOf(const Found& found) const {
    Opening opening;
    opening.key = found.standing.Key();
    opening.clinician = opening.key.clinician;
    opening.clinic = opening.key.clinic;
    opening.start = TimeOf(opening.key.start);
    opening.end = opening.start + absl::Minutes(query_.minutes);
    opening.reasons = ReasonsFor(opening.key, !query_.filter.nearest_clinics.empty(),
                                 query_.preferred, CeilGranule(query_.earliest));
    return opening;
  }

  static const uint64_t* Data(const Line& line) { return line.empty() ? nullptr : line.data(); }

  const AvailabilityIndex& index_;
  const OpeningQuery& query_;
  const Scope scope_;
  const Popularity popularity_;
  const Stretch starts_;
  const int granules_;
  const int step_;
  const bool rooms_;
  size_t wanted_ = 0;
  Standing after_;
  absl::flat_hash_map<const Axis*, std::unique_ptr<AxisLines>> axes_;
  std::vector<ClinicLines> clinics_;  // as scope_.places()
  Line visited_;                      // of clinicians at several clinics
  std::vector<Line> scratch_;
  std::vector<RowStarts> rows_;
  StartLister starts_of_;
  std::vector<Found> best_;  // heap, the worst on top
};

}  // namespace

OpeningPage SearchOpenings(const AvailabilityIndex& index, const OpeningQuery& query) {
  return Search(index, query).Run();
}

std::optional<absl::Time> NearestFree(const AvailabilityIndex& index, const NearestQuery& query) {
  const auto* clinic = index.FindClinic(query.clinic);
  const auto* clinician = index.FindClinician(query.clinician);
  const int granules = GranulesOf(absl::Minutes(query.minutes));
  if (clinic == nullptr || !clinic->present || clinician == nullptr || granules == 0 ||
      !clinician->attributes.licence_expires.has_value()) {
    return std::nullopt;
  }
  const auto row =
      std::find_if(clinician->rows.begin(), clinician->rows.end(),
                   [&](const auto& other) { return &index.clinics()[other.clinic] == clinic; });
  if (row == clinician->rows.end() || row->free.empty()) return std::nullopt;
  const Axis& axis = *clinic->axis;
  const Stretch starts{
      std::max(CeilGranule(std::max(query.around - kNearestReach, query.not_before)),
               index.horizon().from),
      std::min(FloorGranule(query.around + kNearestReach) + 1, index.horizon().to)};
  if (starts.from >= starts.to) return std::nullopt;
  const size_t first = axis.WordAt(starts.from);
  const size_t end = std::min(axis.words(), axis.WordAt(starts.to - 1) + 1);
  Line mask =
      StartLine(axis, *clinic->clock, starts, std::max(1, query.step_minutes / kGranuleMinutes),
                granules, {}, query.patients_busy);
  if (query.room.has_value() && !query.remote) {
    const Line rooms = RoomLine(index, *clinic, *query.room, granules, first, end);
    AndLine(rooms.data(), axis.words(), mask.data());
  }
  Line line(axis.words() + kPadWords);
  if (first >= end) return std::nullopt;
  RunStarts(row->free.data() + first, end - first,
            std::min(granules + clinician->buffer, kLongestRun), mask.data() + first,
            line.data() + first);
  ClearUnlicensed(*clinician, *clinic, line.data());
  ClearFullDays(index, *clinician, *clinic, clinician->attributes.max_sessions_per_day,
                line.data());
  std::optional<absl::Time> nearest;
  size_t window = 0;
  for (size_t word = first; word < end; ++word) {
    for (uint64_t bits = line[word]; bits != 0; bits &= bits - 1) {
      const absl::Time start = TimeOf(axis.GranuleOf(word * 64 + __builtin_ctzll(bits), window));
      if (!nearest.has_value() ||
          absl::AbsDuration(start - query.around) < absl::AbsDuration(*nearest - query.around)) {
        nearest = start;
      }
    }
  }
  return nearest;
}

}  // namespace rapport::scheduling::openings
