#include "tests/bench/network.h"

#include <algorithm>
#include <array>
#include <random>

#include "absl/strings/str_cat.h"

namespace rapport::bench {
namespace {

constexpr int kWeeks = 16;
constexpr int kHoursKept = 7 * 24 * (kWeeks + 1);

struct Region {
  const char* zone;
  const char* jurisdiction;
  const char* language;
};
constexpr std::array<Region, 8> kRegions = {{{"America/New_York", "US-NY", "en"},
                                             {"America/Chicago", "US-IL", "en"},
                                             {"America/Los_Angeles", "US-CA", "en"},
                                             {"Europe/London", "GB-ENG", "en"},
                                             {"Europe/Berlin", "DE", "de"},
                                             {"Australia/Sydney", "AU-NSW", "en"},
                                             {"Asia/Kolkata", "IN", "hi"},
                                             {"America/Sao_Paulo", "BR-SP", "pt"}}};

// Late afternoons are sought after, early mornings and noon are not.
double Held(int hour) {
  constexpr std::array<double, 24> kMore = {0,   0,    0,   0,  0,    0,    0,  -.15,
                                            -.1, -.02, .02, 0,  -.12, -.08, .0, .05,
                                            .1,  .14,  .15, .1, .05,  0,    0,  0};
  return 0.80 + kMore[hour];
}

class Maker {
 public:
  explicit Maker(const NetworkOptions& options) : options_(options), engine_(options.seed) {}

  Network Make() {
    network_.start = options_.start;
    MakeClinics();
    for (int i = 0; i < options_.clinicians; ++i) MakeClinician(i);
    if (options_.bookings > 0) Thin();
    for (size_t i = 0; i < network_.bookings.size(); ++i) network_.bookings[i].number = i + 1;
    return std::move(network_);
  }

 private:
  double Chance() { return static_cast<double>(engine_() >> 11) / 9007199254740992.0; }
  int Below(int n) { return static_cast<int>(engine_() % n); }

  void MakeClinics() {
    const int each = std::max(1, options_.clinicians / options_.clinics);
    const int rooms = each * 3 / 5 + 1;
    for (int i = 0; i < options_.clinics; ++i) {
      const Region& region = kRegions[i % kRegions.size()];
      network_.clinics.push_back({absl::StrCat("clinic-", i), region.zone, region.jurisdiction});
      for (int room = 0; room < rooms; ++room) {
        network_.rooms.push_back(
            {absl::StrCat("room-", i, "-", room), static_cast<uint32_t>(i), room % 5 == 0 ? 10 : 3,
             room % 2 == 0 ? std::vector<std::string>{"step-free"} : std::vector<std::string>{}});
      }
      zones_.emplace_back();
      absl::LoadTimeZone(region.zone, &zones_.back());
    }
    rooms_ = rooms;
    rooms_taken_.assign(options_.clinics, std::vector<uint8_t>(kHoursKept));
  }

  void MakeClinician(int number) {
    Clinician of;
    const auto home = static_cast<uint32_t>(number % options_.clinics);
    const Region& region = kRegions[home % kRegions.size()];
    of.id = absl::StrCat("clinician-", number);
    of.clinics = {home};
    if (options_.clinics > 1 && Chance() < 0.1) {
      of.clinics.push_back((home + 1 + Below(options_.clinics - 1)) % options_.clinics);
    }
    of.protocols = {"classic"};
    for (const char* protocol : {"brief", "ipt-a", "perinatal", "conjoint", "group"}) {
      if (Chance() < 0.3) of.protocols.push_back(protocol);
    }
    of.languages = {region.language};
    if (Chance() < 0.2) of.languages.push_back(kRegions[Below(kRegions.size())].language);
    of.modalities = {"in_person"};
    if (Chance() < 0.7) of.modalities.push_back("video");
    of.jurisdictions = {region.jurisdiction};
    of.licence_expires = options_.start + 60 + Below(700);
    of.accepts_new_courses = Chance() < 0.95;
    // 3 to 5 days a week of 3 to 7 hours from 8, 9, 10 or 12, with an hour's break.
    std::array<int, 5> days = {0, 1, 2, 3, 4};
    std::shuffle(days.begin(), days.end(), engine_);
    const int count = 3 + Below(3);
    const int first = std::array<int, 4>{8, 9, 10, 12}[Below(4)];
    const int before = 2 + Below(2);
    const int after = 1 + Below(4);
    for (int i = 0; i < count; ++i) {
      const uint32_t clinic = of.clinics[i % of.clinics.size()];
      const auto weekday = static_cast<absl::Weekday>(days[i]);
      of.hours.push_back({clinic, weekday, first * 60, (first + before) * 60});
      of.hours.push_back(
          {clinic, weekday, (first + before + 1) * 60, (first + before + 1 + after) * 60});
    }
    std::array<bool, kWeeks> away{};
    for (int week = 0; week < kWeeks; ++week) {
      if (Chance() >= 0.05) continue;
      away[week] = true;
      const absl::CivilDay monday = options_.start + week * 7;
      const absl::TimeZone zone = zones_[home];
      network_.time_off.push_back({static_cast<uint32_t>(number), absl::FromCivil(monday, zone),
                                   absl::FromCivil(monday + 7, zone)});
    }
    for (const Hours& hours : of.hours) {
      for (int hour = hours.from_minute / 60; hour < hours.to_minute / 60; ++hour) {
        const bool held = Chance() < Held(hour);
        const int left = held ? 1 + Below(kWeeks) : 0;
        const uint32_t course = ++series_;
        const uint32_t patient = network_.patients++;
        for (int week = 0; week < kWeeks; ++week) {
          const bool single = week >= left && Chance() < 0.08;
          if (away[week] || (week >= left && !single)) continue;
          Book(number, hours, hour, week, single ? ++series_ : course,
               single ? network_.patients++ : patient);
        }
      }
    }
    network_.clinicians.push_back(std::move(of));
  }

  void Book(int clinician, const Hours& hours, int hour, int week, uint32_t series,
            uint32_t patient) {
    const int day = week * 7 + static_cast<int>(hours.weekday);
    const absl::CivilHour local = absl::CivilHour(options_.start + day) + hour;
    Booking booking{.number = 0,
                    .series = series,
                    .clinician = static_cast<uint32_t>(clinician),
                    .clinic = hours.clinic,
                    .room = Booking::kNoRoom,
                    .patient = patient,
                    .start = absl::ToUnixSeconds(absl::FromCivil(local, zones_[hours.clinic])),
                    .minutes = 50};
    uint8_t& taken = rooms_taken_[hours.clinic][day * 24 + hour];
    if (series % 4 != 0 && taken < rooms_) booking.room = hours.clinic * rooms_ + taken++;
    network_.bookings.push_back(booking);
  }

  void Thin() {
    std::vector<Booking>& all = network_.bookings;
    const auto bound = static_cast<uint64_t>(
        std::min(1.0, static_cast<double>(options_.bookings) / static_cast<double>(all.size())) *
        4294967296.0);
    std::erase_if(all, [&](const Booking& booking) {
      const uint64_t mixed = (booking.series * 0x9e3779b97f4a7c15) >> 32;
      return mixed >= bound;
    });
  }

  const NetworkOptions options_;
  std::mt19937_64 engine_;
  Network network_;
  std::vector<absl::TimeZone> zones_;
  std::vector<std::vector<uint8_t>> rooms_taken_;  // by clinic and local hour
  int rooms_ = 0;                                  // of each clinic
  uint32_t series_ = 0;
};

}  // namespace

Network MakeNetwork(const NetworkOptions& options) { return Maker(options).Make(); }

std::string IdOf(uint64_t number) {
  constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id(26, '0');
  for (size_t i = id.size(); number != 0; number >>= 5) id[--i] = kDigits[number & 31];
  return id;
}

}  // namespace rapport::bench
