#include "services/scheduling/domain/openings/match.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace rapport::scheduling::openings {
namespace {

constexpr int WeekdayOf(int32_t day) { return ((day + 3) % 7 + 7) % 7; }  // Monday 0

Stretch LocalDays(const WallClock& clock, Stretch starts) {
  return {FloorDiv(clock.Local(starts.from), kDay) - 1, FloorDiv(clock.Local(starts.to), kDay) + 2};
}

void AndSet(const BitSets::Set* set, Line& line) {
  for (size_t i = 0; i < line.size(); ++i) {
    line[i] &= set != nullptr && i < set->size() ? (*set)[i] : 0;
  }
}

Line SetOf(const AvailabilityIndex& index, const std::vector<std::string>& ids, size_t words) {
  Line set(words);
  for (const std::string& id : ids) {
    const auto* clinician = index.FindClinician(id);
    if (clinician == nullptr) continue;
    const uint32_t number = index.NumberOf(*clinician);
    SetBits(set.data(), number, number + 1);
  }
  return set;
}

}  // namespace

Scope::Scope(const AvailabilityIndex& index, const ClinicianFilter& filter) {
  takes_.assign(index.clinicians().size() / 64 + 1, ~uint64_t{0});
  AndSet(&index.bookable(), takes_);
  if (!filter.ignore_caseload) AndSet(&index.accepting(), takes_);
  const auto need = [&](const BitSets& sets, const std::string& value) {
    if (!value.empty()) AndSet(sets.Find(value), takes_);
  };
  need(index.protocols(), filter.protocol);
  if (!filter.languages.empty()) {
    Line speak(takes_.size());
    for (const std::string& language : filter.languages) {
      const BitSets::Set* set = index.languages().Find(language);
      if (set == nullptr) continue;
      for (size_t i = 0; i < std::min(set->size(), speak.size()); ++i) speak[i] |= (*set)[i];
    }
    AndSet(&speak, takes_);
  }
  need(index.modalities(), filter.modality);
  if (filter.remote) need(index.jurisdictions(), filter.patient_jurisdiction);
  if (!filter.clinicians.empty()) {
    const Line only = SetOf(index, filter.clinicians, takes_.size());
    AndSet(&only, takes_);
  }
  const Line excluded = SetOf(index, filter.excluded_clinicians, takes_.size());
  for (size_t i = 0; i < takes_.size(); ++i) takes_[i] &= ~excluded[i];
  if (!filter.former_clinicians.empty()) {
    former_ = SetOf(index, filter.former_clinicians, takes_.size());
  }

  absl::flat_hash_map<uint32_t, int32_t> ranks;
  const auto* clinics = index.clinics().data();
  for (const std::string& id : filter.nearest_clinics) {
    const auto* clinic = index.FindClinic(id);
    const auto rank = static_cast<int32_t>(ranks.size());
    if (clinic != nullptr) ranks.try_emplace(clinic - clinics, rank);
  }
  by_clinic_.assign(index.clinics().size(), -1);
  const auto far = static_cast<int32_t>(ranks.size());
  const auto take = [&](uint32_t clinic) {
    if (by_clinic_[clinic] >= 0 || !index.clinics()[clinic].present) return;
    by_clinic_[clinic] = 0;
    const auto it = ranks.find(clinic);
    places_.push_back({clinic, it == ranks.end() ? far : it->second});
  };
  if (!filter.clinics.empty()) {
    for (const std::string& id : filter.clinics) {
      if (const auto* clinic = index.FindClinic(id); clinic != nullptr) take(clinic - clinics);
    }
  } else if (!filter.clinicians.empty()) {
    for (const std::string& id : filter.clinicians) {
      const auto* clinician = index.FindClinician(id);
      if (clinician == nullptr) continue;
      for (const auto& row : clinician->rows) take(row.clinic);
    }
  } else {
    for (uint32_t clinic = 0; clinic < index.clinics().size(); ++clinic) take(clinic);
  }
  std::stable_sort(places_.begin(), places_.end(),
                   [](const Place& a, const Place& b) { return a.rank < b.rank; });
  for (size_t i = 0; i < places_.size(); ++i) {
    by_clinic_[places_[i].clinic] = static_cast<int32_t>(i);
  }
}

Line StepLine(const Axis& axis, const WallClock& clock, Stretch starts, int step) {
  Line line(axis.words() + kPadWords);
  // by_phase[p]: the word whose first bit is p granules after a multiple of `step`.
  std::vector<uint64_t> by_phase(step);
  for (int phase = 0; phase < step; ++phase) {
    for (int bit = (step - phase) % step; bit < 64; bit += step) {
      by_phase[phase] |= uint64_t{1} << bit;
    }
  }
  for (size_t at = axis.WindowAt(starts.from); at < axis.windows().size(); ++at) {
    const Axis::Window& window = axis.windows()[at];
    if (window.from >= starts.to) break;
    const Granule end = std::min(window.to, starts.to);
    for (Granule from = std::max(window.from, starts.from); from < end;) {
      const Granule to = clock.NextChange(from, end);
      const Granule local = clock.Local(from);
      const Granule day = FloorDiv(local, kDay) * kDay;
      const size_t first = size_t{64} * window.word + (from - window.from);
      const size_t last = size_t{64} * window.word + (to - 1 - window.from);
      for (size_t word = first / 64; word <= last / 64; ++word) {
        // Granules after midnight of the first bit's day; `step` need not divide the day.
        const Granule base =
            local - day + static_cast<Granule>(word * 64) - static_cast<Granule>(first);
        uint64_t bits = 0;
        const bool within_day = base >= 0 && base + 63 < kDay;
        if (within_day || kDay % step == 0) {
          bits = by_phase[base - FloorDiv(base, step) * step];
        } else {
          for (int bit = 0; bit < 64; ++bit) {
            const Granule after = base + bit;
            const Granule of_day = after - FloorDiv(after, kDay) * kDay;
            if (of_day % step == 0) bits |= uint64_t{1} << bit;
          }
        }
        if (word == first / 64) bits &= ~uint64_t{0} << (first % 64);
        if (word == last / 64) bits &= ~uint64_t{0} >> (63 - last % 64);
        line[word] |= bits;
      }
      from = to;
    }
  }
  return line;
}

Line WindowLine(const Axis& axis, const WallClock& clock, Stretch starts,
                const std::vector<DayWindow>& windows, int granules) {
  Line line(axis.words() + kPadWords);
  const Stretch days = LocalDays(clock, starts);
  for (int32_t day = days.from; day < days.to; ++day) {
    for (const DayWindow& window : windows) {
      const int past = window.to_minute <= window.from_minute ? 24 * 60 : 0;
      const int32_t from = (window.from_minute + kGranuleMinutes - 1) / kGranuleMinutes;
      const int32_t to = (window.to_minute + past) / kGranuleMinutes;
      axis.Set(line.data(),
               {clock.Utc(day * kDay + from), clock.Utc(day * kDay + to) - granules + 1});
    }
  }
  return line;
}

Line WeekdayLine(const Axis& axis, const WallClock& clock, Stretch starts,
                 const std::vector<absl::Weekday>& weekdays) {
  Line line(axis.words() + kPadWords);
  const Stretch days = LocalDays(clock, starts);
  for (int32_t day = days.from; day < days.to; ++day) {
    for (const absl::Weekday weekday : weekdays) {
      if (static_cast<int>(weekday) != WeekdayOf(day)) continue;
      axis.Set(line.data(), {clock.Utc(day * kDay), clock.Utc((day + 1) * kDay)});
      break;
    }
  }
  return line;
}

void ClearBusy(const Axis& axis, const std::vector<Span>& busy, int granules, uint64_t* line) {
  for (const Span& span : busy) {
    const Stretch stretch{FloorGranule(span.start) - granules + 1, CeilGranule(span.end)};
    if (span.start < span.end) axis.Clear(line, stretch);
  }
}

Line StartLine(const Axis& axis, const WallClock& clock, Stretch starts, int step, int granules,
               const TimesOfWeek& required, const std::vector<Span>& busy) {
  Line line = StepLine(axis, clock, starts, step);
  if (!required.windows.empty()) {
    const Line windows = WindowLine(axis, clock, starts, required.windows, granules);
    AndLine(windows.data(), axis.words(), line.data());
  }
  if (!required.weekdays.empty()) {
    const Line days = WeekdayLine(axis, clock, starts, required.weekdays);
    AndLine(days.data(), axis.words(), line.data());
  }
  ClearBusy(axis, busy, granules, line.data());
  return line;
}

Line RoomLine(const AvailabilityIndex& index, const AvailabilityIndex::Clinic& clinic,
              const RoomNeed& need, int granules, size_t first_word, size_t end_word) {
  const size_t words = clinic.axis->words();
  Line line(words + kPadWords);
  if (first_word >= end_word) return line;
  const Line ones(words + kPadWords, ~uint64_t{0});
  Line starts(words + kPadWords);
  for (const uint32_t number : clinic.rooms) {
    const AvailabilityIndex::Room& room = index.rooms()[number];
    const std::vector<std::string>& has = room.attributes.features;
    const bool fits =
        room.attributes.capacity >= need.capacity &&
        std::all_of(need.features.begin(), need.features.end(), [&](const std::string& feature) {
          return std::find(has.begin(), has.end(), feature) != has.end();
        });
    if (!fits) continue;
    const int run = std::min(granules + room.buffer, kLongestRun);
    RunStarts(room.free.data() + first_word, end_word - first_word, run, ones.data(),
              starts.data());
    OrLine(starts.data(), end_word - first_word, line.data() + first_word);
  }
  return line;
}

void ClearUnlicensed(const AvailabilityIndex::Clinician& clinician,
                     const AvailabilityIndex::Clinic& clinic, uint64_t* line) {
  const auto last =
      static_cast<int64_t>(*clinician.attributes.licence_expires - absl::CivilDay(1970, 1, 1));
  const std::vector<Axis::Window>& windows = clinic.axis->windows();
  if (windows.empty()) return;
  const auto after =
      static_cast<Granule>(std::clamp<int64_t>((last + 1) * kDay, INT32_MIN / 2, INT32_MAX / 2));
  const Granule end = clinic.clock->Utc(after);
  if (end < windows.back().to) clinic.axis->Clear(line, {end, windows.back().to});
}

void ClearFullDays(const AvailabilityIndex& index, const AvailabilityIndex::Clinician& clinician,
                   const AvailabilityIndex::Clinic& clinic, int limit, uint64_t* line) {
  if (limit == 0) return;
  const WallClock* home = index.HomeClock(clinician);
  if (home == nullptr) return;
  std::vector<int32_t> days;
  for (const AvailabilityIndex::Busy& busy : clinician.busy) {
    if (busy.session && !busy.removed) days.push_back(FloorDiv(home->Local(busy.from), kDay));
  }
  std::sort(days.begin(), days.end());
  for (size_t i = 0; i + limit <= days.size(); ++i) {
    const bool first = i == 0 || days[i - 1] != days[i];
    if (!first || days[i + limit - 1] != days[i]) continue;
    clinic.axis->Clear(line, {home->Utc(days[i] * kDay), home->Utc((days[i] + 1) * kDay)});
  }
}

int StricterLimit(int a, int b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

std::vector<Reason> ReasonsFor(const OpeningKey& key, bool nearest_known,
                               const TimesOfWeek& preferred, Granule earliest) {
  constexpr int kUnpopular = 2;
  std::vector<Reason> reasons;
  if (key.not_former == 0) reasons.push_back(Reason::kContinuity);
  if (!preferred.windows.empty() && !(key.preference & 2)) {
    reasons.push_back(Reason::kPreferredTime);
  }
  if (!preferred.weekdays.empty() && !(key.preference & 1)) {
    reasons.push_back(Reason::kPreferredDay);
  }
  if (nearest_known && key.clinic_rank == 0) reasons.push_back(Reason::kNearestClinic);
  if (key.start < earliest + kWeek) reasons.push_back(Reason::kSoonest);
  if (key.popularity <= kUnpopular) reasons.push_back(Reason::kLeastPopularTime);
  return reasons;
}

}  // namespace rapport::scheduling::openings
