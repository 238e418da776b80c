// How fast openings and series are found, against a bare scan of the same bytes, multiranges in
// PostgreSQL and brute force, measured in the same run: medians of interleaved rounds.
//
//   openings_bench [--clinicians N] [--rounds N] [--json FILE] [--only WORD]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/scheduling/domain/openings/availability.h"
#include "services/scheduling/domain/openings/bitmap.h"
#include "services/scheduling/domain/openings/search.h"
#include "services/scheduling/domain/openings/series.h"
#include "tests/bench/network.h"
#include "tests/bench/openings_sql.h"

namespace rapport::bench {
namespace {

namespace openings = scheduling::openings;
using openings::AvailabilityIndex;
using openings::Granule;

constexpr int kWindowDays = 90;
constexpr int kMinutes = 50;
constexpr int kRun = 12;  // 50 minutes and a buffer of 10

// Of the processor: other programs on the machine matter less.
double Milliseconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  };
  const double start = now();
  work();
  return now() - start;
}

// Keeps the compiler from leaving work out.
volatile uint64_t sink;

struct Row {
  std::string name;
  std::function<void()> work;
  std::vector<double> times;  // milliseconds

  double Median() const {
    std::vector<double> sorted = times;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

std::vector<openings::ClinicHours> Resolve(const Network& network, const Clinician& clinician,
                                           const std::vector<absl::TimeZone>& zones) {
  std::vector<openings::ClinicHours> all;
  for (const uint32_t clinic : clinician.clinics) {
    openings::ClinicHours& hours = all.emplace_back();
    hours.clinic = network.clinics[clinic].id;
    for (const Hours& rule : clinician.hours) {
      if (rule.clinic != clinic) continue;
      const int into = static_cast<int>(rule.weekday);
      for (int day = into; day < AvailabilityIndex::kDefaultDays + 7; day += 7) {
        const absl::CivilMinute midnight(network.start + day);
        hours.open.push_back({absl::FromCivil(midnight + rule.from_minute, zones[clinic]),
                              absl::FromCivil(midnight + rule.to_minute, zones[clinic])});
      }
    }
  }
  return all;
}

AvailabilityIndex MakeIndex(const Network& network) {
  AvailabilityIndex index(network.start);
  std::vector<absl::TimeZone> zones(network.clinics.size());
  for (size_t i = 0; i < zones.size(); ++i) {
    absl::LoadTimeZone(network.clinics[i].zone, &zones[i]);
    index.PutClinic(network.clinics[i].id, zones[i], 1);
  }
  for (const Room& room : network.rooms) {
    index.PutRoom({.id = room.id,
                   .clinic = network.clinics[room.clinic].id,
                   .capacity = room.capacity,
                   .features = room.features,
                   .buffer_after = absl::Minutes(5)},
                  1);
  }
  for (const Clinician& clinician : network.clinicians) {
    openings::ClinicianAttributes attributes;
    attributes.id = clinician.id;
    attributes.protocols = clinician.protocols;
    attributes.languages = clinician.languages;
    attributes.modalities = clinician.modalities;
    attributes.jurisdictions = clinician.jurisdictions;
    attributes.licence_expires = clinician.licence_expires;
    attributes.accepts_new_courses = clinician.accepts_new_courses;
    attributes.buffer_after = absl::Minutes(clinician.buffer_minutes);
    index.PutClinician(attributes, Resolve(network, clinician, zones), 1);
  }
  for (const TimeOff& off : network.time_off) {
    index.PutTimeOff(network.clinicians[off.clinician].id, IdOf(off.clinician * 100'000ull + 7),
                     {off.start, off.end}, absl::ToUnixSeconds(off.start));
  }
  for (const Booking& booking : network.bookings) {
    const std::string id = IdOf(booking.number);
    const absl::Time start = absl::FromUnixSeconds(booking.start);
    const absl::Time end = start + absl::Minutes(booking.minutes);
    index.PutClaim(openings::Resource::kClinician, network.clinicians[booking.clinician].id, id,
                   {start, end + absl::Minutes(10)}, 1);
    if (booking.room == Booking::kNoRoom) continue;
    index.PutClaim(openings::Resource::kRoom, network.rooms[booking.room].id, id,
                   {start, end + absl::Minutes(5)}, 1);
  }
  index.Build();
  return index;
}

// The words of each row that lie in the window searched.
struct Part {
  const AvailabilityIndex::Row* row;
  size_t first;
  size_t words;
};

std::vector<Part> Parts(const AvailabilityIndex& index, Granule from, Granule to) {
  std::vector<Part> parts;
  for (const AvailabilityIndex::Clinician& clinician : index.clinicians()) {
    for (const AvailabilityIndex::Row& row : clinician.rows) {
      const openings::Axis& axis = *index.clinics()[row.clinic].axis;
      const size_t first = axis.WordAt(from);
      parts.push_back({&row, first, axis.WordAt(to) - first});
    }
  }
  return parts;
}

__attribute__((target_clones("avx2", "default"), optimize("O3"))) uint64_t Scan(
    const uint64_t* line, size_t words) {
  uint64_t all = 0;
  for (size_t i = 0; i < words; ++i) all |= line[i];
  return all;
}

openings::OpeningQuery Query(const Network& network) {
  openings::OpeningQuery query;
  query.filter.protocol = "classic";
  query.filter.modality = "in_person";
  query.filter.room = openings::RoomNeed{2, {}};
  for (int i = 0; i < 20 && i < static_cast<int>(network.clinics.size()); ++i) {
    query.filter.nearest_clinics.push_back(network.clinics[i].id);
  }
  const absl::Time start = absl::FromCivil(network.start, absl::UTCTimeZone());
  query.earliest = start + absl::Hours(50);
  query.latest = query.earliest + kWindowDays * absl::Hours(24);
  query.minutes = kMinutes;
  query.preferred = {{{960, 1200}}, {absl::Weekday::tuesday, absl::Weekday::thursday}};
  for (int week = 0; week < 13; ++week) {
    const absl::Time busy = start + week * absl::Hours(168) + absl::Hours(33);
    query.patients_busy.push_back({busy, busy + absl::Hours(8)});
  }
  return query;
}

openings::SeriesQuery Series(const Network& network) {
  openings::SeriesQuery query;
  query.filter.protocol = "classic";
  query.filter.ignore_caseload = true;
  query.earliest = absl::FromCivil(network.start, absl::UTCTimeZone()) + absl::Hours(50);
  query.latest = query.earliest + 28 * absl::Hours(24);
  query.minutes = kMinutes;
  query.step_minutes = 5;
  for (int i = 0; i < 16; ++i) query.day_offsets.push_back(i * 7);
  query.max_exceptions = 2;
  return query;
}

std::vector<SqlClinician> ForSql(const Network& network) {
  std::vector<absl::TimeZone> zones(network.clinics.size());
  for (size_t i = 0; i < zones.size(); ++i) absl::LoadTimeZone(network.clinics[i].zone, &zones[i]);
  std::vector<SqlClinician> all;
  for (const Clinician& clinician : network.clinicians) {
    SqlClinician& one = all.emplace_back();
    one.id = clinician.id;
    one.protocols = clinician.protocols;
    one.modalities = clinician.modalities;
    for (const openings::ClinicHours& hours : Resolve(network, clinician, zones)) {
      for (const auto& stretch : hours.open) {
        one.open.emplace_back(absl::ToUnixSeconds(stretch.start) / 60,
                              absl::ToUnixSeconds(stretch.end) / 60);
      }
    }
  }
  for (const Booking& booking : network.bookings) {
    const int64_t start = booking.start / 60;
    all[booking.clinician].busy.emplace_back(start, start + booking.minutes + 10);
  }
  for (const TimeOff& off : network.time_off) {
    all[off.clinician].busy.emplace_back(absl::ToUnixSeconds(off.start) / 60,
                                         absl::ToUnixSeconds(off.end) / 60);
  }
  return all;
}

// Of the wall: the work is another process's.
double WallMilliseconds(const std::function<void()>& work) {
  const absl::Time start = absl::Now();
  work();
  return absl::ToDoubleMilliseconds(absl::Now() - start);
}

struct Flat {
  const AvailabilityIndex::Clinician* clinician;
  const AvailabilityIndex::Clinic* clinic;
  std::vector<uint64_t> free;           // by granule
  std::vector<openings::Stretch> open;  // hours
};

// Whether a session can be held, by looking through hours and bookings.
bool FreeByIntervals(const Flat& flat, Granule from) {
  const Granule to = from + kRun;
  const bool open = std::any_of(flat.open.begin(), flat.open.end(), [&](const auto& stretch) {
    return stretch.from <= from && to <= stretch.to;
  });
  return open && std::none_of(flat.clinician->busy.begin(), flat.clinician->busy.end(),
                              [&](const auto& busy) { return busy.from < to && from < busy.to; });
}

bool FreeByBits(const Flat& flat, Granule base, Granule from) {
  for (int k = 0; k < kRun; ++k) {
    if (!openings::TestBit(flat.free.data(), from - base + k)) return false;
  }
  return true;
}

// The same question asked of each start and session in turn: how many starts carry the series.
template <typename IsFree>
size_t BruteForce(const openings::SeriesQuery& query, const openings::WallClock& clock,
                  const IsFree& is_free) {
  size_t found = 0;
  const Granule earliest = openings::CeilGranule(query.earliest);
  const Granule latest = openings::CeilGranule(query.latest);
  for (Granule start = earliest; start < latest; ++start) {
    const Granule local = clock.Local(start);
    int exceptions = 0;
    for (size_t i = 0; i < query.day_offsets.size(); ++i) {
      const Granule at = clock.Utc(local + query.day_offsets[i] * openings::kDay);
      if (is_free(at)) continue;
      if (i == 0 || ++exceptions > query.max_exceptions) {
        exceptions = -1;
        break;
      }
    }
    if (exceptions >= 0) ++found;
  }
  return found;
}

int Run(int clinicians, int rounds, const std::string& json_path, const std::string& only) {
  NetworkOptions options;
  options.clinicians = clinicians;
  options.clinics = std::max(1, clinicians / 20);
  const Network network = MakeNetwork(options);
  options.bookings = clinicians * 25ll;
  const Network thin = MakeNetwork(options);
  const AvailabilityIndex index = MakeIndex(network);

  openings::OpeningQuery query = Query(network);
  openings::OpeningQuery unpruned = query;
  unpruned.preferred.windows = {{120, 240}};  // nobody works then
  unpruned.filter.nearest_clinics.clear();
  openings::OpeningQuery plain = query;
  plain.preferred = {};
  plain.filter.nearest_clinics.clear();
  const openings::SeriesQuery series = Series(network);
  openings::SeriesQuery in_rooms = series;
  in_rooms.filter.room = openings::RoomNeed{2, {}};
  in_rooms.preferred = query.preferred;

  const OpeningsSql in_sql(ForSql(network));
  const Granule from = openings::FloorGranule(query.earliest);
  const Granule to = openings::FloorGranule(query.latest);
  const std::vector<Part> parts = Parts(index, from, to);
  size_t bytes = 0;
  size_t most = 0;
  for (const Part& part : parts) {
    bytes += part.words * 8;
    most = std::max(most, part.words);
  }
  const std::vector<uint64_t> ones(most + openings::kPadWords, ~uint64_t{0});
  std::vector<uint64_t> out(most + openings::kPadWords);

  // A sample of clinicians with one clinic and a lasting licence, evenly spread.
  std::vector<Flat> sample;
  const Granule base = index.horizon().from;
  const size_t every = std::max<size_t>(1, index.clinicians().size() / 200);
  for (size_t i = 0; i < index.clinicians().size(); i += every) {
    const AvailabilityIndex::Clinician& clinician = index.clinicians()[i];
    if (clinician.rows.size() != 1 || *clinician.attributes.licence_expires <
                                          network.start + 2 * AvailabilityIndex::kDefaultDays) {
      continue;
    }
    const AvailabilityIndex::Clinic& clinic = index.clinics()[clinician.rows[0].clinic];
    Flat flat{&clinician,
              &clinic,
              std::vector<uint64_t>((index.horizon().to - base) / 64 + openings::kPadWords),
              {}};
    for (const openings::WeeklyStretch& weekly : clinician.rows[0].open) {
      for (int week = 0; week < weekly.count; ++week) {
        const Granule start = weekly.from + week * openings::kWeek;
        flat.open.push_back({start, start + weekly.length});
      }
    }
    for (Granule at = base; at < index.horizon().to; ++at) {
      const auto bit = clinic.axis->BitOf(at);
      if (bit.has_value() && openings::TestBit(clinician.rows[0].free.data(), *bit)) {
        openings::SetBits(flat.free.data(), at - base, at - base + 1);
      }
    }
    sample.push_back(std::move(flat));
  }
  openings::SeriesQuery of_sample = series;
  for (const Flat& flat : sample) {
    of_sample.filter.clinicians.push_back(flat.clinician->attributes.id);
  }
  size_t brute_found = 0;
  size_t found = 0;
  size_t fast_found = 0;
  size_t with_start = 0;

  std::vector<Row> rows = {
      {"bare scan of the same bytes",
       [&] {
         uint64_t all = 0;
         for (const Part& part : parts) all |= Scan(part.row->free.data() + part.first, part.words);
         sink = all;
       },
       {}},
      {"run detection, 12 granules",
       [&] {
         uint64_t any = 0;
         for (const Part& part : parts) {
           any += openings::RunStarts(part.row->free.data() + part.first, part.words, kRun,
                                      ones.data(), out.data());
         }
         sink = any;
       },
       {}},
      {"search: filters, rooms, best 50",
       [&] { sink = openings::SearchOpenings(index, plain).openings.size(); },
       {}},
      {"search: and preferences, distance",
       [&] { sink = openings::SearchOpenings(index, query).openings.size(); },
       {}},
      {"search: nothing can be pruned",
       [&] { sink = openings::SearchOpenings(index, unpruned).openings.size(); },
       {}},
      {"series: every start of everybody",
       [&] {
         found = with_start = 0;
         const void* last = nullptr;
         openings::ForEachSeriesStart(index, series,
                                      [&](const AvailabilityIndex::Clinician& clinician,
                                          const AvailabilityIndex::Clinic&, absl::Time, int) {
                                        ++found;
                                        with_start += last != &clinician;
                                        last = &clinician;
                                      });
       },
       {}},
      {"series: PlanSeries, best 10",
       [&] { sink = openings::PlanSeries(index, series).size(); },
       {}},
      {"series: and rooms, preferences",
       [&] { sink = openings::PlanSeries(index, in_rooms).size(); },
       {}},
      {"series: brute force, sample",
       [&] {
         brute_found = 0;
         for (const Flat& flat : sample) {
           brute_found += BruteForce(series, *flat.clinic->clock,
                                     [&](Granule at) { return FreeByIntervals(flat, at); });
         }
       },
       {}},
      {"series: brute force on bits, sample",
       [&] {
         size_t bits_found = 0;
         for (const Flat& flat : sample) {
           bits_found += BruteForce(series, *flat.clinic->clock,
                                    [&](Granule at) { return FreeByBits(flat, base, at); });
         }
         sink = bits_found;
       },
       {}},
      {"series: every start, sample",
       [&] {
         fast_found = 0;
         openings::ForEachSeriesStart(
             index, of_sample,
             [&](const AvailabilityIndex::Clinician&, const AvailabilityIndex::Clinic&, absl::Time,
                 int) { ++fast_found; });
       },
       {}},
      {"build from 25 bookings a clinician",
       [&] { sink = MakeIndex(thin).clinicians().size(); },
       {}},
      {"build from the full load", [&] { sink = MakeIndex(network).clinicians().size(); }, {}},
  };
  std::vector<double> sql_times;
  for (int round = 0; round < rounds; ++round) {
    sql_times.push_back(WallMilliseconds([&] {
      sink = static_cast<uint64_t>(in_sql.Search(absl::ToUnixSeconds(query.earliest) / 60,
                                                 absl::ToUnixSeconds(query.latest) / 60, kRun * 5,
                                                 "classic", "in_person"));
    }));
    for (Row& row : rows) {
      const bool wanted = row.name.find(only) != std::string::npos;
      row.times.push_back(wanted ? Milliseconds(row.work) : 0);
    }
  }

  const double scan = rows[0].Median();
  std::printf(
      "%d clinicians, %zu clinics, %zu rooms, %zu bookings (thin: %zu), index %.0f MB "
      "(thin: %.0f MB), scanned %.1f MB\n",
      clinicians, network.clinics.size(), network.rooms.size(), network.bookings.size(),
      thin.bookings.size(), static_cast<double>(index.MemoryBytes()) / 1e6,
      static_cast<double>(MakeIndex(thin).MemoryBytes()) / 1e6, static_cast<double>(bytes) / 1e6);
  std::printf("%-36s %10s %10s %10s %8s\n", "", "median ms", "least", "most", "x scan");
  std::string json = absl::StrCat(
      "{\"clinicians\": ", clinicians, ", \"rooms\": ", network.rooms.size(),
      ", \"bookings\": ", network.bookings.size(), ", \"index_bytes\": ", index.MemoryBytes(),
      ", \"scanned_bytes\": ", bytes, ", \"rows\": [");
  for (const Row& row : rows) {
    const auto [least, longest] = std::minmax_element(row.times.begin(), row.times.end());
    std::printf("%-36s %10.3f %10.3f %10.3f %8.2f\n", row.name.c_str(), row.Median(), *least,
                *longest, row.Median() / scan);
    absl::StrAppend(&json, &row == rows.data() ? "" : ", ", "{\"name\": \"", row.name,
                    "\", \"median_ms\": ", row.Median(), ", \"least_ms\": ", *least,
                    ", \"most_ms\": ", *longest, ", \"of_scan\": ", row.Median() / scan, "}");
  }
  std::sort(sql_times.begin(), sql_times.end());
  const double in_sql_median = sql_times[sql_times.size() / 2];
  std::printf("%-36s %10.3f %10.3f %10.3f: x%.0f of the search with filters and rooms\n",
              "PostgreSQL multiranges, first 50", in_sql_median, sql_times.front(),
              sql_times.back(), in_sql_median / rows[2].Median());
  const double brute_each = rows[8].Median() * 1000 / static_cast<double>(sample.size());
  const double bits_each = rows[9].Median() * 1000 / static_cast<double>(sample.size());
  const double each = rows[5].Median() * 1000 / clinicians;
  std::printf(
      "series, us a clinician: %.2f, brute force %.1f: x%.0f, on bits %.1f: x%.0f; %.0f%% "
      "have a start; brute force finds %zu starts of the sample, the index %zu\n",
      each, brute_each, brute_each / each, bits_each, bits_each / each,
      100.0 * static_cast<double>(with_start) / clinicians, brute_found, fast_found);
  absl::StrAppend(&json, "], \"sql_ms\": ", in_sql_median,
                  ", \"search_speedup_over_sql\": ", in_sql_median / rows[2].Median(),
                  ", \"series_us_a_clinician\": ", each,
                  ", \"brute_force_us_a_clinician\": ", brute_each,
                  ", \"series_speedup\": ", brute_each / each,
                  ", \"brute_force_on_bits_us_a_clinician\": ", bits_each, "}\n");
  if (!json_path.empty()) std::ofstream(json_path) << json;
  return brute_found == fast_found ? 0 : 1;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int clinicians = 20'000;
  int rounds = 7;
  std::string json;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--clinicians") == 0) clinicians = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
    if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
  }
  if (clinicians < 1 || rounds < 1) return 2;
  return rapport::bench::Run(clinicians, rounds, json, only);
}
