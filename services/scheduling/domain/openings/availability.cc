#include "services/scheduling/domain/openings/availability.h"

#include <algorithm>
#include <array>
#include <utility>

namespace rapport::scheduling::openings {
namespace {

constexpr int32_t kClockMargin = 3 * kWeek;

Stretch Rounded(const Span& span) { return {FloorGranule(span.start), CeilGranule(span.end)}; }

Stretch Clip(Stretch stretch, Stretch within) {
  return {std::max(stretch.from, within.from), std::min(stretch.to, within.to)};
}

constexpr int8_t kNoDigit = -1;

constexpr std::array<int8_t, 256> CrockfordDigits() {
  std::array<int8_t, 256> digits{};
  digits.fill(kNoDigit);
  constexpr char kLower[] = "0123456789abcdefghjkmnpqrstvwxyz";
  constexpr char kUpper[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  for (int8_t i = 0; i < 32; ++i) {
    digits[static_cast<uint8_t>(kLower[i])] = i;
    digits[static_cast<uint8_t>(kUpper[i])] = i;
  }
  return digits;
}

// A ULID's 128 bits.
bool DecodeUlid(absl::string_view text, uint64_t& high, uint64_t& low) {
  static constexpr std::array<int8_t, 256> kDigits = CrockfordDigits();
  if (text.size() != 26 || text[0] > '7') return false;
  for (const char c : text) {
    const int8_t digit = kDigits[static_cast<uint8_t>(c)];
    if (digit == kNoDigit) return false;
    high = high << 5 | low >> 59;
    low = low << 5 | static_cast<uint64_t>(digit);
  }
  return true;
}

uint64_t Fnv(absl::string_view text, uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

AvailabilityIndex::Busy BusyOf(absl::string_view id, Span time, int64_t version, bool session,
                               bool removed) {
  AvailabilityIndex::Busy busy{.version = version, .session = session, .removed = removed};
  if (!DecodeUlid(id, busy.id_high, busy.id_low)) {
    busy.id_high = Fnv(id, 0xcbf29ce484222325);
    busy.id_low = Fnv(id, 0x84222325cbf29ce4);
  }
  if (!removed) {
    const Stretch stretch = Rounded(time);
    busy.from = stretch.from;
    busy.to = stretch.to;
  }
  return busy;
}

template <typename T>
uint32_t NumberIn(absl::flat_hash_map<std::string, uint32_t>& numbers, std::vector<T>& all,
                  absl::string_view id) {
  const auto [it, added] = numbers.try_emplace(id, static_cast<uint32_t>(all.size()));
  if (added) all.emplace_back();
  return it->second;
}

void SetMember(BitSets::Set& set, uint32_t member, bool on) {
  if (set.size() <= member / 64) set.resize(member / 64 + 1);
  const uint64_t bit = uint64_t{1} << (member % 64);
  if (on) {
    set[member / 64] |= bit;
  } else {
    set[member / 64] &= ~bit;
  }
}

size_t BytesOf(const std::vector<AvailabilityIndex::Busy>& busy) {
  return busy.capacity() * sizeof(busy[0]);
}

void Forget(std::vector<AvailabilityIndex::Busy>& all, Granule before) {
  std::erase_if(all, [&](const AvailabilityIndex::Busy& busy) { return busy.to <= before; });
  all.shrink_to_fit();
}

}  // namespace

Popularity::Popularity(const std::array<int32_t, kSlots>& booked) {
  const int64_t most = std::max(1, *std::max_element(booked.begin(), booked.end()));
  for (int i = 0; i < kSlots; ++i) {
    levels_[i] = static_cast<uint8_t>(int64_t{booked[i]} * kLevels / (most + 1));
  }
}

void BitSets::Add(absl::string_view value, uint32_t member) {
  SetMember(sets_[value], member, true);
}

void BitSets::Remove(absl::string_view value, uint32_t member) {
  SetMember(sets_[value], member, false);
}

const BitSets::Set* BitSets::Find(absl::string_view value) const {
  const auto it = sets_.find(value);
  return it == sets_.end() ? nullptr : &it->second;
}

size_t BitSets::MemoryBytes() const {
  size_t bytes = 0;
  for (const auto& [value, set] : sets_) bytes += value.capacity() + set.capacity() * 8;
  return bytes;
}

AvailabilityIndex::AvailabilityIndex(absl::CivilDay start, int days) {
  const auto first = static_cast<Granule>(start - absl::CivilDay(1970, 1, 1)) * kDay;
  horizon_ = {first, first + days * kDay};
}

uint32_t AvailabilityIndex::ClinicNumber(absl::string_view id) {
  const uint32_t number = NumberIn(clinic_numbers_, clinics_, id);
  if (clinics_[number].id.empty()) clinics_[number].id = std::string(id);
  return number;
}

uint32_t AvailabilityIndex::ClinicianNumber(absl::string_view id) {
  return NumberIn(clinician_numbers_, clinicians_, id);
}

uint32_t AvailabilityIndex::RoomNumber(absl::string_view id) {
  return NumberIn(room_numbers_, rooms_, id);
}

const AvailabilityIndex::Clinic* AvailabilityIndex::FindClinic(absl::string_view id) const {
  const auto it = clinic_numbers_.find(id);
  return it == clinic_numbers_.end() ? nullptr : &clinics_[it->second];
}

const AvailabilityIndex::Clinician* AvailabilityIndex::FindClinician(absl::string_view id) const {
  const auto it = clinician_numbers_.find(id);
  return it == clinician_numbers_.end() ? nullptr : &clinicians_[it->second];
}

const WallClock* AvailabilityIndex::HomeClock(const Clinician& clinician) const {
  return clinician.rows.empty() ? nullptr : clinics_[clinician.rows[0].clinic].clock;
}

const WallClock* AvailabilityIndex::ClockOf(absl::TimeZone zone) {
  std::unique_ptr<WallClock>& clock = clocks_[zone.name()];
  if (clock == nullptr) {
    clock =
        std::make_unique<WallClock>(zone, horizon_.from - kClockMargin, horizon_.to + kClockMargin);
  }
  return clock.get();
}

void AvailabilityIndex::Build() {
  built_ = true;
  clocks_.clear();
  axes_.clear();
  booked_.fill(0);
  for (Clinic& clinic : clinics_) {
    if (clinic.present) clinic.clock = ClockOf(clinic.zone);
  }
  for (Clinician& clinician : clinicians_) {
    clinician.busy.shrink_to_fit();
    CountAll(clinician, 1);
  }
  for (Room& room : rooms_) room.busy.shrink_to_fit();
  for (Clinic& clinic : clinics_) MakeAxis(clinic);
  for (Clinic& clinic : clinics_) MakeLines(clinic);
}

void AvailabilityIndex::Advance(absl::CivilDay start) {
  const auto first = static_cast<Granule>(start - absl::CivilDay(1970, 1, 1)) * kDay;
  horizon_ = {first, first + horizon_.to - horizon_.from};
  for (Clinician& clinician : clinicians_) {
    Forget(clinician.busy, first);
    for (Row& row : clinician.rows) {
      for (WeeklyStretch& weekly : row.open) {
        const int32_t past =
            std::clamp(FloorDiv(first - weekly.from - weekly.length, kWeek) + 1, 0, weekly.count);
        weekly.from += past * kWeek;
        weekly.count -= past;
      }
      std::erase_if(row.open, [](const WeeklyStretch& weekly) { return weekly.count == 0; });
    }
  }
  for (Room& room : rooms_) Forget(room.busy, first);
  Build();
}

void AvailabilityIndex::Count(const Clinician& clinician, const Busy& busy, int by) {
  if (!built_ || busy.removed || !busy.session || !clinician.present) return;
  if (busy.from < horizon_.from || busy.from >= horizon_.to) return;
  const WallClock* clock = HomeClock(clinician);
  if (clock == nullptr) return;
  const Granule local = clock->Local(busy.from);
  const Granule end = local + std::min(busy.to - busy.from, kWeek);
  for (Granule at = local - (local - FloorDiv(local, 3) * 3); at < end; at += 3) {
    booked_[Popularity::SlotOf(at)] += by;
  }
}

void AvailabilityIndex::CountAll(const Clinician& clinician, int by) {
  for (const Busy& busy : clinician.busy) Count(clinician, busy, by);
}

void AvailabilityIndex::CountHomes(const Clinic& clinic, int by) {
  for (const RowOf& row : clinic.rows) {
    if (row.row == 0) CountAll(clinicians_[row.clinician], by);
  }
}

Popularity AvailabilityIndex::popularity() const { return Popularity(booked_); }

bool AvailabilityIndex::PutClinic(absl::string_view id, absl::TimeZone zone, int64_t version) {
  Clinic& clinic = clinics_[ClinicNumber(id)];
  if (version <= clinic.version) return false;
  clinic.version = version;
  if (clinic.present && clinic.zone == zone) return true;
  CountHomes(clinic, -1);
  clinic.present = true;
  clinic.zone = zone;
  if (!built_) return true;
  clinic.clock = ClockOf(zone);
  CountHomes(clinic, 1);
  MakeAxis(clinic);
  MakeLines(clinic);
  return true;
}

bool AvailabilityIndex::RemoveClinic(absl::string_view id, int64_t version) {
  Clinic& clinic = clinics_[ClinicNumber(id)];
  if (version <= clinic.version) return false;
  CountHomes(clinic, -1);
  clinic.version = version;
  clinic.present = false;
  clinic.clock = nullptr;
  if (!built_) return true;
  MakeAxis(clinic);
  MakeLines(clinic);
  return true;
}

void AvailabilityIndex::SetAttributes(uint32_t number, bool on) {
  const ClinicianAttributes& attributes = clinicians_[number].attributes;
  const auto change = [&](BitSets& sets, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      if (on) {
        sets.Add(value, number);
      } else {
        sets.Remove(value, number);
      }
    }
  };
  change(protocols_, attributes.protocols);
  change(languages_, attributes.languages);
  change(modalities_, attributes.modalities);
  change(jurisdictions_, attributes.jurisdictions);
  SetMember(bookable_, number, on && attributes.licence_expires.has_value());
  SetMember(accepting_, number, on && attributes.accepts_new_courses);
}

void AvailabilityIndex::Link(uint32_t number) {
  const Clinician& clinician = clinicians_[number];
  for (size_t i = 0; i < clinician.rows.size(); ++i) {
    clinics_[clinician.rows[i].clinic].rows.push_back(
        {.clinician = number,
         .row = static_cast<uint16_t>(i),
         .buffer = static_cast<int16_t>(clinician.buffer),
         .alone = clinician.rows.size() == 1,
         .free = nullptr});
  }
}

void AvailabilityIndex::Unlink(uint32_t number) {
  for (const Row& row : clinicians_[number].rows) {
    std::erase_if(clinics_[row.clinic].rows,
                  [&](const RowOf& other) { return other.clinician == number; });
  }
}

bool AvailabilityIndex::PutClinician(const ClinicianAttributes& attributes,
                                     const std::vector<ClinicHours>& hours, int64_t version) {
  const uint32_t number = ClinicianNumber(attributes.id);
  if (version <= clinicians_[number].version) return false;
  if (clinicians_[number].present) {
    CountAll(clinicians_[number], -1);
    Unlink(number);
    SetAttributes(number, false);
  }
  std::vector<std::pair<uint32_t, std::vector<Stretch>>> open;
  for (const ClinicHours& at : hours) {
    const uint32_t clinic = ClinicNumber(at.clinic);
    auto it = std::find_if(open.begin(), open.end(),
                           [&](const auto& other) { return other.first == clinic; });
    if (it == open.end()) it = open.insert(open.end(), {clinic, {}});
    for (const Span& span : at.open) {
      it->second.push_back({CeilGranule(span.start), FloorGranule(span.end)});
    }
  }
  Clinician& clinician = clinicians_[number];
  clinician.attributes = attributes;
  clinician.version = version;
  clinician.present = true;
  clinician.buffer = GranulesOf(attributes.buffer_after);
  clinician.rows.clear();
  for (auto& [clinic, stretches] : open) {
    clinician.rows.push_back({.clinician = number,
                              .clinic = clinic,
                              .open = Compress(std::move(stretches)),
                              .free = {}});
  }
  clinician.rows.shrink_to_fit();
  SetAttributes(number, true);
  Link(number);
  if (!built_) return true;
  CountAll(clinician, 1);
  for (Row& row : clinician.rows) {
    Clinic& clinic = clinics_[row.clinic];
    if (!clinic.present) continue;
    if (clinic.axis->Holds(row.open)) {
      row.free.assign(clinic.axis->words() + kPadWords, 0);
      clinic.rows.back().free = row.free.data();
      Fill(row, clinician, horizon_);
    } else {
      MakeAxis(clinic);
      MakeLines(clinic);
    }
  }
  return true;
}

bool AvailabilityIndex::RemoveClinician(absl::string_view id, int64_t version) {
  const uint32_t number = ClinicianNumber(id);
  Clinician& clinician = clinicians_[number];
  if (version <= clinician.version) return false;
  clinician.version = version;
  if (!clinician.present) return true;
  CountAll(clinician, -1);
  Unlink(number);
  SetAttributes(number, false);
  clinician.present = false;
  clinician.rows.clear();
  return true;
}

bool AvailabilityIndex::PutRoom(const RoomAttributes& attributes, int64_t version) {
  const uint32_t number = RoomNumber(attributes.id);
  if (version <= rooms_[number].version) return false;
  if (rooms_[number].present) std::erase(clinics_[rooms_[number].clinic].rooms, number);
  Room& room = rooms_[number];
  room.attributes = attributes;
  room.version = version;
  room.present = true;
  room.buffer = std::min(GranulesOf(attributes.buffer_after), kLongestRoomBuffer);
  room.clinic = ClinicNumber(attributes.clinic);
  Clinic& clinic = clinics_[room.clinic];
  clinic.rooms.push_back(number);
  if (built_ && clinic.present) {
    room.free.assign(clinic.axis->words() + kPadWords, 0);
    Fill(room, horizon_);
  }
  return true;
}

bool AvailabilityIndex::RemoveRoom(absl::string_view id, int64_t version) {
  const uint32_t number = RoomNumber(id);
  Room& room = rooms_[number];
  if (version <= room.version) return false;
  room.version = version;
  if (!room.present) return true;
  room.present = false;
  room.free = {};
  std::erase(clinics_[room.clinic].rooms, number);
  return true;
}

bool AvailabilityIndex::ChangeBusy(Resource resource, absl::string_view id, const Busy& busy) {
  const uint32_t number = resource == Resource::kClinician ? ClinicianNumber(id) : RoomNumber(id);
  std::vector<Busy>& all =
      resource == Resource::kClinician ? clinicians_[number].busy : rooms_[number].busy;
  auto it = std::find_if(all.begin(), all.end(), [&](const Busy& other) {
    return other.id_low == busy.id_low && other.id_high == busy.id_high &&
           other.session == busy.session;
  });
  Busy before{.removed = true};
  if (it == all.end()) {
    it = all.insert(all.end(), busy);
    // Of what was never known there is no saying when its time passes.
    if (busy.removed) it->to = horizon_.to;
  } else {
    if (busy.version <= it->version) return false;
    before = *it;
    *it = busy;
    if (busy.removed) {
      it->from = before.from;
      it->to = before.to;
    }
  }
  if (!built_) return true;
  const Busy now = *it;
  const auto fill = [&](const auto& refill) {
    if (!before.removed) refill(Stretch{before.from, before.to});
    if (!now.removed) refill(Stretch{now.from, now.to});
  };
  if (resource == Resource::kRoom) {
    fill([&](Stretch stretch) { Fill(rooms_[number], stretch); });
    return true;
  }
  Clinician& clinician = clinicians_[number];
  Count(clinician, before, -1);
  Count(clinician, now, 1);
  fill([&](Stretch stretch) {
    for (Row& row : clinician.rows) Fill(row, clinician, stretch);
  });
  return true;
}

bool AvailabilityIndex::PutClaim(Resource resource, absl::string_view id, absl::string_view booking,
                                 Span time, int64_t version) {
  return ChangeBusy(resource, id, BusyOf(booking, time, version, true, false));
}

bool AvailabilityIndex::RemoveClaim(Resource resource, absl::string_view id,
                                    absl::string_view booking, int64_t version) {
  return ChangeBusy(resource, id, BusyOf(booking, {}, version, true, true));
}

bool AvailabilityIndex::PutTimeOff(absl::string_view clinician, absl::string_view time_off,
                                   Span time, int64_t version) {
  return ChangeBusy(Resource::kClinician, clinician, BusyOf(time_off, time, version, false, false));
}

bool AvailabilityIndex::RemoveTimeOff(absl::string_view clinician, absl::string_view time_off,
                                      int64_t version) {
  return ChangeBusy(Resource::kClinician, clinician, BusyOf(time_off, {}, version, false, true));
}

void AvailabilityIndex::MakeAxis(Clinic& clinic) {
  clinic.axis = nullptr;
  if (!clinic.present) return;
  std::vector<WeeklyStretch> open;
  for (const RowOf& of : clinic.rows) {
    const std::vector<WeeklyStretch>& more = clinicians_[of.clinician].rows[of.row].open;
    open.insert(open.end(), more.begin(), more.end());
  }
  auto axis = std::make_shared<const Axis>(*clinic.clock, horizon_, open);
  std::vector<std::weak_ptr<const Axis>>& known = axes_[clinic.zone.name()];
  std::erase_if(known, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : known) {
    if (auto same = weak.lock(); same != nullptr && *same == *axis) {
      clinic.axis = std::move(same);
      return;
    }
  }
  known.push_back(axis);
  clinic.axis = std::move(axis);
}

void AvailabilityIndex::MakeLines(Clinic& clinic) {
  const size_t words = clinic.axis == nullptr ? 0 : clinic.axis->words() + kPadWords;
  for (RowOf& of : clinic.rows) {
    Row& row = clinicians_[of.clinician].rows[of.row];
    row.free = std::vector<uint64_t>(words);
    of.free = words == 0 ? nullptr : row.free.data();
    Fill(row, clinicians_[of.clinician], horizon_);
  }
  for (const uint32_t number : clinic.rooms) {
    rooms_[number].free = std::vector<uint64_t>(words);
    Fill(rooms_[number], horizon_);
  }
}

void AvailabilityIndex::Fill(Row& row, const Clinician& clinician, Stretch stretch) {
  const Axis* axis = clinics_[row.clinic].axis.get();
  stretch = Clip(stretch, horizon_);
  if (axis == nullptr || row.free.empty() || stretch.from >= stretch.to) return;
  uint64_t* line = row.free.data();
  axis->Clear(line, stretch);
  for (const WeeklyStretch& weekly : row.open) {
    const int32_t skip = std::max(0, FloorDiv(stretch.from - weekly.from - weekly.length, kWeek));
    for (int32_t i = skip; i < weekly.count; ++i) {
      const Granule from = weekly.from + i * kWeek;
      if (from >= stretch.to) break;
      axis->Set(line, Clip({from, from + weekly.length}, stretch));
    }
  }
  for (const Busy& busy : clinician.busy) {
    if (!busy.removed) axis->Clear(line, Clip({busy.from, busy.to}, stretch));
  }
}

void AvailabilityIndex::Fill(Room& room, Stretch stretch) {
  const Axis* axis = clinics_[room.clinic].axis.get();
  stretch = Clip(stretch, horizon_);
  if (axis == nullptr || room.free.empty() || stretch.from >= stretch.to) return;
  axis->Set(room.free.data(), stretch);
  for (const Busy& busy : room.busy) {
    if (!busy.removed) axis->Clear(room.free.data(), Clip({busy.from, busy.to}, stretch));
  }
}

size_t AvailabilityIndex::clinician_count() const {
  return std::count_if(clinicians_.begin(), clinicians_.end(),
                       [](const Clinician& clinician) { return clinician.present; });
}

size_t AvailabilityIndex::MemoryBytes() const {
  size_t bytes = clinicians_.capacity() * sizeof(Clinician) + rooms_.capacity() * sizeof(Room) +
                 clinics_.capacity() * sizeof(Clinic) + protocols_.MemoryBytes() +
                 languages_.MemoryBytes() + modalities_.MemoryBytes() +
                 jurisdictions_.MemoryBytes();
  for (const Clinician& clinician : clinicians_) {
    bytes += BytesOf(clinician.busy) + clinician.rows.capacity() * sizeof(Row);
    for (const Row& row : clinician.rows) {
      bytes += row.free.capacity() * sizeof(uint64_t) + row.open.capacity() * sizeof(row.open[0]);
    }
  }
  for (const Room& room : rooms_) {
    bytes += BytesOf(room.busy) + room.free.capacity() * sizeof(uint64_t);
  }
  for (const auto& [zone, axes] : axes_) {
    for (const auto& weak : axes) {
      if (auto axis = weak.lock()) bytes += axis->windows().capacity() * sizeof(Axis::Window);
    }
  }
  return bytes;
}

}  // namespace rapport::scheduling::openings
