#include "tests/unit/services/scheduling/domain/openings/world.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace rapport::scheduling::openings {
namespace {

constexpr absl::Duration kStep = absl::Minutes(5);

absl::Time Floor(absl::Time time) {
  return absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), kStep);
}
absl::Time Ceil(absl::Time time) {
  return absl::UnixEpoch() + absl::Ceil(time - absl::UnixEpoch(), kStep);
}

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

int DayNumber(absl::Time time, absl::TimeZone zone) {
  return static_cast<int>(absl::ToCivilDay(time, zone) - absl::CivilDay(1970, 1, 1));
}

// The union of `open` without `busy`, within [from, to), in order.
std::vector<Span> Sweep(const std::vector<Span>& open, const std::vector<Span>& busy,
                        absl::Time from, absl::Time to) {
  struct Edge {
    absl::Time at;
    int open;
    int busy;
  };
  std::vector<Edge> edges;
  for (const Span& span : open) {
    const absl::Time start = std::max(from, Ceil(span.start));
    const absl::Time end = std::min(to, Floor(span.end));
    if (start >= end) continue;
    edges.push_back({start, 1, 0});
    edges.push_back({end, -1, 0});
  }
  for (const Span& span : busy) {
    if (span.start >= span.end) continue;
    edges.push_back({Floor(span.start), 0, 1});
    edges.push_back({Ceil(span.end), 0, -1});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });
  std::vector<Span> free;
  int opens = 0;
  int busies = 0;
  for (size_t i = 0; i < edges.size();) {
    const absl::Time at = edges[i].at;
    for (; i < edges.size() && edges[i].at == at; ++i) {
      opens += edges[i].open;
      busies += edges[i].busy;
    }
    if (opens == 0 || busies > 0 || i == edges.size()) continue;
    if (!free.empty() && free.back().end == at) {
      free.back().end = edges[i].at;
    } else {
      free.push_back({at, edges[i].at});
    }
  }
  return free;
}

bool Within(const std::vector<Span>& free, absl::Time start, absl::Duration length) {
  auto it = std::upper_bound(free.begin(), free.end(), start,
                             [](absl::Time time, const Span& span) { return time < span.start; });
  return it != free.begin() && start + length <= (--it)->end;
}

bool Clashes(const std::vector<Span>& busy, absl::Time start, absl::Duration length) {
  return std::any_of(busy.begin(), busy.end(), [&](const Span& span) {
    return span.start < span.end && start < Ceil(span.end) && Floor(span.start) < start + length;
  });
}

bool InWindows(const std::vector<DayWindow>& windows, absl::Time start, absl::Duration length,
               absl::TimeZone zone) {
  const absl::CivilDay today = absl::ToCivilDay(start, zone);
  for (const absl::CivilDay day : {today - 1, today, today + 1}) {
    for (const DayWindow& window : windows) {
      const int past = window.to_minute <= window.from_minute ? 1440 : 0;
      const absl::CivilMinute midnight(day);
      if (AtLocal(midnight + window.from_minute, zone) <= start &&
          start + length <= AtLocal(midnight + window.to_minute + past, zone)) {
        return true;
      }
    }
  }
  return false;
}

bool OnWeekdays(const std::vector<absl::Weekday>& weekdays, absl::Time start, absl::TimeZone zone) {
  const absl::Weekday weekday = absl::GetWeekday(absl::ToCivilDay(start, zone));
  return std::find(weekdays.begin(), weekdays.end(), weekday) != weekdays.end();
}

// What is free and what counts, for one set of conditions.
class Slow {
 public:
  Slow(const World& world, int minutes, int step, std::optional<RoomNeed> room,
       std::vector<Span> busy, int max_per_day)
      : world_(world),
        length_(absl::Minutes((minutes + 4) / 5 * 5)),
        step_(step),
        room_(std::move(room)),
        busy_(std::move(busy)),
        max_per_day_(max_per_day) {
    CountPopularity();
  }

  const std::vector<Span>& FreeOf(const std::string& clinician, const std::string& clinic) {
    auto [it, added] = free_.try_emplace({clinician, clinic});
    if (!added) return it->second;
    std::vector<Span> open;
    for (const ClinicHours& hours : world_.clinicians.at(clinician).hours) {
      if (hours.clinic == clinic) open.insert(open.end(), hours.open.begin(), hours.open.end());
    }
    std::vector<Span> busy;
    for (const auto& [key, claim] : world_.claims) {
      if (claim.of == clinician) busy.push_back(claim.time);
    }
    for (const auto& [key, span] : world_.time_off) {
      if (key.first == clinician) busy.push_back(span);
    }
    return it->second = Sweep(open, busy, world_.begin(), world_.end());
  }

  bool CanStart(const std::string& clinician, const std::string& clinic, absl::Time start,
                bool remote) {
    if (!world_.clinics.contains(clinic)) return false;
    const ClinicianAttributes& attributes = world_.clinicians.at(clinician).attributes;
    const absl::TimeZone zone = world_.clinics.at(clinic);
    return attributes.licence_expires.has_value() &&
           absl::ToCivilDay(start, zone) <= *attributes.licence_expires &&
           Within(FreeOf(clinician, clinic), start, length_ + attributes.buffer_after) &&
           !Clashes(busy_, start, length_) && (remote || RoomFree(clinic, start)) &&
           !DayFull(clinician, start);
  }

  bool Aligned(const std::string& clinic, absl::Time start) const {
    const absl::CivilMinute local = absl::ToCivilMinute(start, world_.clinics.at(clinic));
    return (local.hour() * 60 + local.minute()) % step_ == 0;
  }

  template <typename Visit>
  void ForEachStart(const std::string& clinician, const std::string& clinic, absl::Time from,
                    absl::Time to, bool remote, const Visit& visit) {
    if (!world_.clinics.contains(clinic)) return;
    for (const Span& free : FreeOf(clinician, clinic)) {
      for (absl::Time at = std::max(free.start, Ceil(from)); at < std::min(free.end, to);
           at += kStep) {
        if (Aligned(clinic, at) && CanStart(clinician, clinic, at, remote)) visit(at);
      }
    }
  }

  int Level(absl::Time start, absl::TimeZone zone) const {
    const int most = std::max(1, *std::max_element(slots_.begin(), slots_.end()));
    return slots_[SlotOf(absl::ToCivilMinute(start, zone))] * 10 / (most + 1);
  }

  absl::Duration length() const { return length_; }

 private:
  static int SlotOf(absl::CivilMinute local) {
    const auto minutes = local - absl::CivilMinute(1970, 1, 1);
    return static_cast<int>(minutes / 15 % 672);
  }

  void CountPopularity() {
    for (const auto& [key, claim] : world_.claims) {
      if (claim.resource != Resource::kClinician || !world_.clinicians.contains(claim.of)) continue;
      const auto& hours = world_.clinicians.at(claim.of).hours;
      const absl::Time start = Floor(claim.time.start);
      if (hours.empty() || !world_.clinics.contains(hours[0].clinic)) continue;
      if (start < world_.begin() || start >= world_.end()) continue;
      const absl::CivilMinute local =
          absl::ToCivilMinute(start, world_.clinics.at(hours[0].clinic));
      const auto length = absl::ToInt64Minutes(Ceil(claim.time.end) - start);
      absl::CivilMinute at = local - local.minute() % 15;
      for (; at < local + length; at += 15) ++slots_[SlotOf(at)];
    }
  }

  bool RoomFree(const std::string& clinic, absl::Time start) {
    if (!room_.has_value()) return true;
    for (const auto& [id, room] : world_.rooms) {
      if (room.clinic != clinic || room.capacity < room_->capacity) continue;
      bool fits = true;
      for (const std::string& feature : room_->features) fits &= Contains(room.features, feature);
      auto [it, added] = free_.try_emplace({id, clinic});
      if (added) {
        std::vector<Span> busy;
        for (const auto& [key, claim] : world_.claims) {
          if (claim.of == id) busy.push_back(claim.time);
        }
        it->second = Sweep({{world_.begin(), world_.end()}}, busy, world_.begin(), world_.end());
      }
      if (fits && Within(it->second, start, length_ + room.buffer_after)) return true;
    }
    return false;
  }

  bool DayFull(const std::string& clinician, absl::Time start) {
    const World::Clinician& of = world_.clinicians.at(clinician);
    int limit = of.attributes.max_sessions_per_day;
    if (max_per_day_ > 0 && (limit == 0 || max_per_day_ < limit)) limit = max_per_day_;
    if (limit == 0 || of.hours.empty() || !world_.clinics.contains(of.hours[0].clinic)) {
      return false;
    }
    const absl::TimeZone home = world_.clinics.at(of.hours[0].clinic);
    int sessions = 0;
    for (const auto& [key, claim] : world_.claims) {
      sessions += claim.of == clinician &&
                  DayNumber(Floor(claim.time.start), home) == DayNumber(start, home);
    }
    return sessions >= limit;
  }

  const World& world_;
  const absl::Duration length_;
  const int step_;
  const std::optional<RoomNeed> room_;
  const std::vector<Span> busy_;
  const int max_per_day_;
  std::map<std::pair<std::string, std::string>, std::vector<Span>> free_;
  std::array<int, 672> slots_{};
};

bool Takes(const World& world, const ClinicianFilter& filter, const std::string& id) {
  const ClinicianAttributes& of = world.clinicians.at(id).attributes;
  return of.licence_expires.has_value() && (of.accepts_new_courses || filter.ignore_caseload) &&
         (filter.protocol.empty() || Contains(of.protocols, filter.protocol)) &&
         (filter.languages.empty() ||
          std::any_of(filter.languages.begin(), filter.languages.end(),
                      [&](const std::string& spoken) { return Contains(of.languages, spoken); })) &&
         (filter.modality.empty() || Contains(of.modalities, filter.modality)) &&
         (!filter.remote || filter.patient_jurisdiction.empty() ||
          Contains(of.jurisdictions, filter.patient_jurisdiction)) &&
         (filter.clinicians.empty() || Contains(filter.clinicians, id)) &&
         !Contains(filter.excluded_clinicians, id);
}

std::set<std::string> ClinicsOf(const World& world, const ClinicianFilter& filter,
                                const std::string& id) {
  std::set<std::string> clinics;
  for (const ClinicHours& hours : world.clinicians.at(id).hours) {
    if (filter.clinics.empty() || Contains(filter.clinics, hours.clinic)) {
      clinics.insert(hours.clinic);
    }
  }
  return clinics;
}

int RankOf(const World& world, const ClinicianFilter& filter, const std::string& clinic) {
  std::vector<std::string> known;
  for (const std::string& id : filter.nearest_clinics) {
    if (world.clinics.contains(id) && !Contains(known, id)) known.push_back(id);
  }
  return static_cast<int>(std::find(known.begin(), known.end(), clinic) - known.begin());
}

OpeningKey KeyOf(const World& world, const ClinicianFilter& filter, const TimesOfWeek& preferred,
                 const Slow& slow, const std::string& clinician, const std::string& clinic,
                 absl::Time start) {
  const absl::TimeZone zone = world.clinics.at(clinic);
  OpeningKey key;
  key.not_former = Contains(filter.former_clinicians, clinician) ? 0 : 1;
  if (!preferred.windows.empty() && !InWindows(preferred.windows, start, slow.length(), zone)) {
    key.preference |= 2;
  }
  if (!preferred.weekdays.empty() && !OnWeekdays(preferred.weekdays, start, zone)) {
    key.preference |= 1;
  }
  key.clinic_rank = RankOf(world, filter, clinic);
  key.day = DayNumber(start, zone);
  key.popularity = slow.Level(start, zone);
  key.start = FloorGranule(start);
  key.clinician = clinician;
  key.clinic = clinic;
  return key;
}

bool Meets(const TimesOfWeek& required, const Slow& slow, absl::Time start, absl::TimeZone zone) {
  return (required.windows.empty() || InWindows(required.windows, start, slow.length(), zone)) &&
         (required.weekdays.empty() || OnWeekdays(required.weekdays, start, zone));
}

absl::Time SessionTime(absl::Time start, int offset, absl::TimeZone zone) {
  const absl::CivilMinute local = absl::ToCivilMinute(start, zone);
  return AtLocal(local + offset * 1440, zone);
}

bool OnAnniversary(const SeriesQuery& query, absl::CivilDay day, int within) {
  for (const MonthDay& date : query.anniversaries) {
    for (auto year = day.year() - 1; year <= day.year() + 1; ++year) {
      if (std::abs(absl::CivilDay(year, date.month, date.day) - day) <= within) return true;
    }
  }
  return false;
}

Slow SlowFor(const World& world, const SeriesQuery& query) {
  return Slow(world, query.minutes, query.step_minutes, query.filter.room, query.patients_busy,
              query.max_sessions_per_day);
}

// Exceptions of the series that starts there; none: it can't be.
std::optional<std::vector<size_t>> Exceptions(const World& world, const SeriesQuery& query,
                                              Slow& slow, const std::string& clinician,
                                              const std::string& clinic, absl::Time start) {
  const absl::TimeZone zone = world.clinics.at(clinic);
  const size_t count = query.day_offsets.size();
  if (query.max_weeks > 0 && query.day_offsets.back() >= query.max_weeks * 7) return std::nullopt;
  if (!Meets(query.required, slow, start, zone)) return std::nullopt;
  const absl::CivilDay first = absl::ToCivilDay(start, zone);
  if (OnAnniversary(query, first + query.day_offsets.back(), 0)) return std::nullopt;
  const bool unbroken = query.unbroken_ending || !query.anniversaries.empty();
  std::vector<size_t> exceptions;
  for (size_t i = 0; i < count; ++i) {
    const absl::Time at = SessionTime(start, query.day_offsets[i], zone);
    if (slow.CanStart(clinician, clinic, at, query.filter.remote)) continue;
    if (i == 0 || (unbroken && i + 4 >= count)) return std::nullopt;
    if (OnAnniversary(query, first + query.day_offsets[i], 3)) return std::nullopt;
    exceptions.push_back(i);
  }
  if (exceptions.size() > static_cast<size_t>(query.max_exceptions)) return std::nullopt;
  size_t next = 0;
  for (const PhaseCap& phase : query.phases) {
    const auto in_phase = std::count_if(exceptions.begin(), exceptions.end(), [&](size_t i) {
      return i >= next && i < next + phase.sessions;
    });
    if (in_phase > phase.exceptions) return std::nullopt;
    next += phase.sessions;
  }
  return exceptions;
}

struct Move {
  absl::Time start;
  RepairCost cost;
};

std::optional<RepairCost> CheapestRepair(const World& world, const SeriesQuery& query, Slow& slow,
                                         const std::string& clinician, const std::string& clinic,
                                         absl::Time start, const std::vector<size_t>& exceptions) {
  const absl::TimeZone zone = world.clinics.at(clinic);
  const std::vector<int>& offsets = query.day_offsets;
  const int cadence = offsets.size() > 1 ? offsets.back() - offsets[offsets.size() - 2] : 7;
  const absl::Time limit =
      query.max_weeks > 0 ? SessionTime(start, query.max_weeks * 7, zone) : absl::InfiniteFuture();
  std::vector<std::vector<Move>> moves;
  const ClinicianAttributes& attributes = world.clinicians.at(clinician).attributes;
  for (const size_t i : exceptions) {
    const absl::Time planned = SessionTime(start, offsets[i], zone);
    const absl::Duration reach = query.repair_days * absl::Hours(24);
    std::vector<Move>& all = moves.emplace_back();
    const auto add = [&](const std::string& where, bool remote) {
      slow.ForEachStart(
          clinician, where, planned - reach, planned + reach + kStep, remote, [&](absl::Time at) {
            if (at < start || at >= limit) return;
            if (!Meets({query.required.windows, {}}, slow, at, world.clinics.at(where))) {
              return;
            }
            const bool extra = remote && !query.filter.remote;
            all.push_back({at, {0, extra, absl::AbsDuration(at - planned)}});
          });
    };
    add(clinic, query.filter.remote);
    if (!query.remote_modality.empty() && !query.filter.remote &&
        Contains(attributes.modalities, query.remote_modality) &&
        (query.filter.patient_jurisdiction.empty() ||
         Contains(attributes.jurisdictions, query.filter.patient_jurisdiction))) {
      std::set<std::string> seen;
      for (const ClinicHours& hours : world.clinicians.at(clinician).hours) {
        if (seen.insert(hours.clinic).second) add(hours.clinic, true);
      }
    }
    all.push_back({absl::InfinitePast(), {1, 0, absl::ZeroDuration()}});
  }
  std::vector<absl::Time> appended;
  for (int i = 1; i <= query.max_exceptions; ++i) {
    const absl::Time at = SessionTime(start, offsets.back() + i * cadence, zone);
    if (at >= limit || !slow.CanStart(clinician, clinic, at, query.filter.remote)) break;
    appended.push_back(at);
  }
  std::optional<RepairCost> best;
  std::vector<const Move*> chosen(exceptions.size());
  const std::function<void(size_t)> choose = [&](size_t next) {
    if (next < exceptions.size()) {
      for (const Move& move : moves[next]) {
        chosen[next] = &move;
        choose(next + 1);
      }
      return;
    }
    RepairCost cost;
    struct Held {
      absl::Time start;
      bool moved;
    };
    std::vector<Held> held;
    size_t at = 0;
    for (size_t i = 0; i < offsets.size(); ++i) {
      if (at < exceptions.size() && exceptions[at] == i) {
        const Move& move = *chosen[at++];
        cost.skipped += move.cost.skipped;
        cost.remote += move.cost.remote;
        cost.displacement += move.cost.displacement;
        if (move.cost.skipped == 0) held.push_back({move.start, true});
      } else {
        held.push_back({SessionTime(start, offsets[i], zone), false});
      }
    }
    if (static_cast<size_t>(cost.skipped) > appended.size()) return;
    for (int i = 0; i < cost.skipped; ++i) held.push_back({appended[i], false});
    // Moves are held apart from their neighbours; the series' own rhythm is as it was asked for.
    for (size_t i = 1; i < held.size(); ++i) {
      if ((held[i - 1].moved || held[i].moved) &&
          held[i].start - held[i - 1].start < absl::Hours(24)) {
        return;
      }
    }
    if (cost.skipped > 0 &&
        OnAnniversary(query, absl::ToCivilDay(appended[cost.skipped - 1], zone), 0)) {
      return;
    }
    if (!best.has_value() || cost < *best) best = cost;
  };
  choose(0);
  return best;
}

}  // namespace

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(name, &zone)) std::abort();
  return zone;
}

absl::Time AtLocal(absl::CivilMinute local, absl::TimeZone zone) {
  return zone.At(absl::CivilSecond(local)).pre;
}

absl::Time Utc(int year, int month, int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilMinute(year, month, day, hour, minute), absl::UTCTimeZone());
}

std::vector<Span> Weekly(const World& world, absl::TimeZone zone,
                         const std::vector<absl::Weekday>& weekdays, int from_minute,
                         int to_minute) {
  std::vector<Span> spans;
  for (absl::CivilDay day = world.start - 7; day < world.start + world.days + 7; ++day) {
    if (std::find(weekdays.begin(), weekdays.end(), absl::GetWeekday(day)) == weekdays.end()) {
      continue;
    }
    const absl::CivilMinute midnight(day);
    spans.push_back({AtLocal(midnight + from_minute, zone), AtLocal(midnight + to_minute, zone)});
  }
  return spans;
}

AvailabilityIndex IndexOf(const World& world) {
  AvailabilityIndex index(world.start, world.days);
  for (const auto& [id, zone] : world.clinics) index.PutClinic(id, zone, 1);
  for (const auto& [id, room] : world.rooms) index.PutRoom(room, 1);
  for (const auto& [id, of] : world.clinicians) index.PutClinician(of.attributes, of.hours, 1);
  for (const auto& [key, claim] : world.claims) {
    index.PutClaim(claim.resource, claim.of, claim.booking, claim.time, 1);
  }
  for (const auto& [key, span] : world.time_off) {
    index.PutTimeOff(key.first, key.second, span, 1);
  }
  index.Build();
  return index;
}

World RandomWorld(Random& random, int clinicians, int days) {
  static const std::vector<std::string> kZones = {"America/New_York",    "Europe/London",
                                                  "Australia/Lord_Howe", "Asia/Kathmandu",
                                                  "Africa/Casablanca",   "America/Sao_Paulo",
                                                  "Pacific/Apia",        "Africa/Cairo",
                                                  "America/Havana",      "UTC"};
  static const std::vector<absl::CivilDay> kStarts = {
      absl::CivilDay(2026, 2, 2), absl::CivilDay(2026, 2, 27), absl::CivilDay(2026, 3, 20),
      absl::CivilDay(2026, 9, 20), absl::CivilDay(2026, 10, 12)};
  World world;
  world.start = random.Of(kStarts);
  world.days = days;
  const int clinics = random.Between(1, 5);
  for (int i = 0; i < clinics; ++i) world.clinics[absl::StrCat("c", i)] = Zone(random.Of(kZones));
  for (int i = 0; i < clinics * 2; ++i) {
    RoomAttributes room{.id = absl::StrCat("r", i),
                        .clinic = absl::StrCat("c", random.Below(clinics)),
                        .capacity = random.Between(1, 4),
                        .features = {},
                        .buffer_after = absl::Minutes(5 * random.Below(3))};
    if (random.OneIn(2)) room.features.push_back("lift");
    if (random.OneIn(3)) room.features.push_back("quiet");
    world.rooms[room.id] = room;
  }
  int booking = 0;
  const auto somewhen = [&](int longest) {
    const absl::Time start = world.begin() + absl::Minutes(random.Below(days * 1440) / 5 * 5 +
                                                           (random.OneIn(10) ? 2 : 0));
    return Span{start, start + absl::Minutes(random.Between(1, longest / 5) * 5)};
  };
  for (int i = 0; i < clinicians; ++i) {
    const std::string id = absl::StrCat("p", i);
    World::Clinician& of = world.clinicians[id];
    of.attributes.id = id;
    for (const char* protocol : {"classic", "brief"}) {
      if (!random.OneIn(3)) of.attributes.protocols.push_back(protocol);
    }
    of.attributes.languages = {random.OneIn(3) ? "fr" : "en"};
    of.attributes.modalities = {"in_person"};
    if (random.OneIn(2)) of.attributes.modalities.push_back("video");
    if (random.OneIn(2)) of.attributes.jurisdictions.push_back("GB-ENG");
    of.attributes.licence_expires = absl::CivilDay(2030, 1, 1);
    if (random.OneIn(8)) of.attributes.licence_expires = world.start + random.Below(days);
    if (random.OneIn(15)) of.attributes.licence_expires.reset();
    of.attributes.accepts_new_courses = !random.OneIn(8);
    of.attributes.max_sessions_per_day = random.OneIn(5) ? random.Between(1, 3) : 0;
    of.attributes.buffer_after = absl::Minutes(5 * random.Below(4));
    const int places = random.OneIn(4) ? 2 : 1;
    for (int place = 0; place < places; ++place) {
      const std::string clinic = absl::StrCat("c", random.Below(clinics));
      const absl::TimeZone zone = world.clinics[clinic];
      ClinicHours hours{clinic, {}};
      const int rules = random.Between(1, 4);
      for (int rule = 0; rule < rules; ++rule) {
        const auto weekday = static_cast<absl::Weekday>(random.Below(7));
        const auto other = static_cast<absl::Weekday>(random.Below(7));
        int from = random.Between(14, 34) * 30;
        int to = from + random.Between(2, 16) * 30;
        if (random.OneIn(8)) from = random.Below(8) * 30, to = from + 1500;  // through the night
        for (const Span& span : Weekly(world, zone, {weekday, other}, from, to)) {
          if (!random.OneIn(25)) hours.open.push_back(span);
        }
      }
      of.hours.push_back(hours);
      // Weekly series that end at some time, and one-offs.
      for (int n = random.Between(0, 4); n > 0 && !hours.open.empty(); --n) {
        const Span first = random.Of(hours.open);
        const absl::Duration into = absl::Minutes(random.Below(12) * 15);
        const int weeks = random.Between(1, 16);
        for (int week = 0; week < weeks; ++week) {
          const absl::Time start = SessionTime(first.start + into, week * 7, zone);
          world.AddClaim(Resource::kClinician, id, absl::StrCat("b", ++booking),
                         {start, start + absl::Minutes(60)});
          if (random.OneIn(2)) {
            world.AddClaim(Resource::kRoom, absl::StrCat("r", random.Below(clinics * 2)),
                           absl::StrCat("b", booking), {start, start + absl::Minutes(50)});
          }
        }
      }
    }
    for (int n = random.Between(0, 20); n > 0; --n) {
      world.AddClaim(Resource::kClinician, id, absl::StrCat("b", ++booking), somewhen(120));
    }
    for (int n = random.Below(3); n > 0; --n) {
      world.time_off[{id, absl::StrCat("t", n)}] = somewhen(14 * 1440);
    }
  }
  for (const auto& [id, room] : world.rooms) {
    for (int n = random.Below(60); n > 0; --n) {
      world.AddClaim(Resource::kRoom, id, absl::StrCat("b", ++booking), somewhen(240));
    }
  }
  return world;
}

TimesOfWeek RandomTimes(Random& random) {
  TimesOfWeek times;
  if (random.OneIn(2)) {
    const int from = random.Below(23) * 60;
    times.windows.push_back({from, random.OneIn(6) ? 120 : std::min(1440, from + 240)});
    if (random.OneIn(3)) times.windows.push_back({570, 725});
  }
  if (random.OneIn(2)) {
    for (int i = random.Between(1, 3); i > 0; --i) {
      times.weekdays.push_back(static_cast<absl::Weekday>(random.Below(7)));
    }
  }
  return times;
}

ClinicianFilter RandomFilter(const World& world, Random& random) {
  ClinicianFilter filter;
  if (random.OneIn(3)) filter.protocol = random.OneIn(2) ? "classic" : "brief";
  if (random.OneIn(5)) filter.languages = {"en"};
  if (random.OneIn(3)) filter.modality = random.OneIn(2) ? "in_person" : "video";
  filter.remote = filter.modality == "video";
  if (random.OneIn(2)) filter.patient_jurisdiction = "GB-ENG";
  const auto clinic = [&] {
    return absl::StrCat("c", random.Below(static_cast<int>(world.clinics.size()) + 1));
  };
  const auto clinician = [&] {
    return absl::StrCat("p", random.Below(static_cast<int>(world.clinicians.size()) + 1));
  };
  if (random.OneIn(5)) filter.clinics = {clinic(), clinic()};
  if (random.OneIn(2)) filter.nearest_clinics = {clinic(), clinic(), clinic()};
  if (random.OneIn(6)) filter.clinicians = {clinician(), clinician(), clinician()};
  if (random.OneIn(4)) filter.excluded_clinicians = {clinician()};
  if (random.OneIn(3)) filter.former_clinicians = {clinician()};
  filter.ignore_caseload = random.OneIn(3);
  if (random.OneIn(2)) {
    filter.room = RoomNeed{random.Between(1, 3), {}};
    if (random.OneIn(3)) filter.room->features.push_back("lift");
  }
  return filter;
}

OpeningQuery RandomQuery(const World& world, Random& random) {
  OpeningQuery query;
  query.filter = RandomFilter(world, random);
  query.earliest = world.begin() + absl::Minutes(random.Below(world.days * 1440 / 2) - 600);
  query.latest = query.earliest + absl::Minutes(random.Below(world.days * 1440));
  query.minutes = random.Of(std::vector<int>{5, 25, 30, 45, 50, 60, 90, 180, 240});
  query.step_minutes = random.Of(std::vector<int>{5, 15, 30, 60, 35});
  if (random.OneIn(2)) query.required = RandomTimes(random);
  if (random.OneIn(2)) query.preferred = RandomTimes(random);
  for (int n = random.Below(30); n > 0; --n) {
    const absl::Time start = world.begin() + absl::Minutes(random.Below(world.days * 1440));
    query.patients_busy.push_back({start, start + absl::Minutes(random.Between(1, 600))});
  }
  query.max_sessions_per_day = random.OneIn(5) ? random.Between(1, 4) : 0;
  query.per_clinician = random.Below(4);
  query.limit = random.Between(1, 40);
  return query;
}

SeriesQuery RandomSeries(const World& world, Random& random) {
  SeriesQuery query;
  query.filter = RandomFilter(world, random);
  query.earliest = world.begin() + absl::Minutes(random.Below(14 * 1440) - 300);
  query.latest = query.earliest + absl::Minutes(random.Below(21 * 1440));
  query.minutes = random.Of(std::vector<int>{30, 50, 60, 90});
  query.step_minutes = random.Of(std::vector<int>{5, 15, 30});
  const int count = random.Between(1, 14);
  static const std::vector<std::vector<int>> kCadences = {{7}, {7}, {7}, {14}, {3, 4}, {2, 5}, {1}};
  const std::vector<int>& cadence = random.Of(kCadences);
  for (int i = 0, day = 0; i < count; ++i) {
    query.day_offsets.push_back(day);
    day += cadence[i % cadence.size()];
  }
  if (random.OneIn(3)) query.required = RandomTimes(random);
  if (random.OneIn(3)) query.preferred = RandomTimes(random);
  for (int n = random.Below(15); n > 0; --n) {
    const absl::Time start = world.begin() + absl::Minutes(random.Below(world.days * 1440));
    query.patients_busy.push_back({start, start + absl::Minutes(random.Between(1, 600))});
  }
  query.max_sessions_per_day = random.OneIn(8) ? random.Between(2, 4) : 0;
  query.max_exceptions = random.Below(kMostExceptions + 1);
  if (random.OneIn(2)) {
    query.phases = {{random.Between(0, 3), random.Below(2)},
                    {random.Between(1, 6), random.Below(4)},
                    {random.Between(0, 4), random.Below(2)}};
  }
  if (random.OneIn(3)) {
    const absl::CivilDay day = world.start + random.Below(world.days);
    query.anniversaries = {{day.month(), day.day()}};
  }
  query.unbroken_ending = random.OneIn(4);
  query.repair_days = random.Below(4);
  if (random.OneIn(2)) query.remote_modality = "video";
  query.max_weeks = random.OneIn(3) ? query.day_offsets.back() / 7 + random.Between(1, 3) : 0;
  query.per_clinician = random.Between(1, 3);
  query.limit = random.Between(1, 20);
  return query;
}

std::vector<OpeningKey> SlowOpenings(const World& world, const OpeningQuery& query) {
  Slow slow(world, query.minutes, query.step_minutes, query.filter.room, query.patients_busy,
            query.max_sessions_per_day);
  std::vector<OpeningKey> all;
  for (const auto& [id, of] : world.clinicians) {
    if (!Takes(world, query.filter, id)) continue;
    std::vector<OpeningKey> keys;
    for (const std::string& clinic : ClinicsOf(world, query.filter, id)) {
      slow.ForEachStart(
          id, clinic, query.earliest, query.latest, query.filter.remote,
          [&, who = id](absl::Time start) {
            if (!Meets(query.required, slow, start, world.clinics.at(clinic))) return;
            keys.push_back(KeyOf(world, query.filter, query.preferred, slow, who, clinic, start));
          });
    }
    std::sort(keys.begin(), keys.end());
    std::vector<OpeningKey> offered;
    for (const OpeningKey& key : keys) {
      const bool overlaps =
          std::any_of(offered.begin(), offered.end(), [&](const OpeningKey& other) {
            return absl::AbsDuration(TimeOf(key.start) - TimeOf(other.start)) < slow.length();
          });
      if (query.per_clinician > 0 &&
          (overlaps || offered.size() == static_cast<size_t>(query.per_clinician))) {
        continue;
      }
      offered.push_back(key);
    }
    all.insert(all.end(), offered.begin(), offered.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::optional<absl::Time> SlowNearest(const World& world, const NearestQuery& query) {
  Slow slow(world, query.minutes, query.step_minutes, query.room, query.patients_busy, 0);
  std::optional<absl::Time> nearest;
  if (!world.clinicians.contains(query.clinician)) return nearest;
  const absl::Duration reach = absl::Hours(14 * 24);
  slow.ForEachStart(query.clinician, query.clinic, std::max(query.not_before, query.around - reach),
                    query.around + reach + kStep, query.remote, [&](absl::Time start) {
                      const absl::Duration away = absl::AbsDuration(start - query.around);
                      if (away > reach) return;
                      if (!nearest || away < absl::AbsDuration(*nearest - query.around)) {
                        nearest = start;
                      }
                    });
  return nearest;
}

std::vector<SlowStart> SlowSeriesStarts(const World& world, const SeriesQuery& query) {
  Slow slow = SlowFor(world, query);
  std::vector<SlowStart> starts;
  for (const auto& [id, of] : world.clinicians) {
    if (!Takes(world, query.filter, id)) continue;
    for (const std::string& clinic : ClinicsOf(world, query.filter, id)) {
      slow.ForEachStart(
          id, clinic, query.earliest, query.latest, query.filter.remote,
          [&, who = id](absl::Time start) {
            const auto exceptions = Exceptions(world, query, slow, who, clinic, start);
            if (!exceptions.has_value()) return;
            starts.push_back({who, clinic, start, static_cast<int>(exceptions->size())});
          });
    }
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

std::vector<SlowPlan> SlowPlans(const World& world, const SeriesQuery& query) {
  Slow slow = SlowFor(world, query);
  std::map<std::string, std::vector<PlanKey>> by_clinician;
  for (const SlowStart& start : SlowSeriesStarts(world, query)) {
    const OpeningKey first = KeyOf(world, query.filter, query.preferred, slow, start.clinician,
                                   start.clinic, start.start);
    by_clinician[start.clinician].push_back({first.not_former, start.exceptions, first});
  }
  std::vector<SlowPlan> plans;
  for (auto& [id, keys] : by_clinician) {
    std::sort(keys.begin(), keys.end());
    std::vector<absl::Time> offered;
    int tries = 0;
    for (const PlanKey& key : keys) {
      const absl::Time start = TimeOf(key.first.start);
      const bool overlaps = std::any_of(offered.begin(), offered.end(), [&](absl::Time other) {
        return absl::AbsDuration(start - other) < slow.length();
      });
      if (overlaps) continue;
      if (offered.size() == static_cast<size_t>(query.per_clinician) || ++tries > 16) break;
      const auto exceptions = *Exceptions(world, query, slow, id, key.first.clinic, start);
      const auto cost = CheapestRepair(world, query, slow, id, key.first.clinic, start, exceptions);
      if (!cost.has_value()) continue;
      offered.push_back(start);
      plans.push_back({key, *cost});
    }
  }
  std::sort(plans.begin(), plans.end(),
            [](const SlowPlan& a, const SlowPlan& b) { return a.key < b.key; });
  if (plans.size() > static_cast<size_t>(query.limit)) plans.resize(query.limit);
  return plans;
}

RepairCost CostOf(const SeriesPlan& plan) {
  RepairCost cost;
  for (const PlannedSession& session : plan.sessions) {
    if (session.kind == PlannedSession::Kind::kSkipped) ++cost.skipped;
    if (session.kind == PlannedSession::Kind::kRemote) ++cost.remote;
    cost.displacement += absl::AbsDuration(session.start - session.planned);
  }
  return cost;
}

std::string FaultOf(const World& world, const SeriesQuery& query, const SeriesPlan& plan) {
  Slow slow = SlowFor(world, query);
  const absl::TimeZone zone = world.clinics.at(plan.clinic);
  const absl::Time first = plan.sessions[0].start;
  size_t held = 0;
  absl::Time last = absl::InfinitePast();
  for (size_t i = 0; i < plan.sessions.size(); ++i) {
    const PlannedSession& session = plan.sessions[i];
    const std::string at = absl::StrCat("session ", i, ": ");
    if (i < query.day_offsets.size() &&
        session.planned != SessionTime(first, query.day_offsets[i], zone)) {
      return at + "not at the series' time";
    }
    if (session.kind == PlannedSession::Kind::kSkipped) continue;
    ++held;
    if (session.start <= last) return at + "out of order";
    last = session.start;
    const bool remote = query.filter.remote || session.kind == PlannedSession::Kind::kRemote;
    if (!slow.CanStart(plan.clinician, session.clinic, session.start, remote)) {
      return at + "not free";
    }
    const bool moved = session.start != session.planned;
    if (moved && session.kind != PlannedSession::Kind::kMoved &&
        session.kind != PlannedSession::Kind::kRemote) {
      return at + "moved";
    }
    if (absl::AbsDuration(session.start - session.planned) > query.repair_days * absl::Hours(24)) {
      return at + "too far";
    }
  }
  if (held != query.day_offsets.size()) return "not as many sessions as asked for";
  if (OnAnniversary(query, absl::ToCivilDay(last, zone), 0)) return "ends on an anniversary";
  return "";
}

}  // namespace rapport::scheduling::openings
