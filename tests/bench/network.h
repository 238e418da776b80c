#ifndef RAPPORT_TESTS_BENCH_NETWORK_H_
#define RAPPORT_TESTS_BENCH_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

// A made-up network of clinics with its bookings, the same for the same seed: what the benchmarks
// run on. Plain values, to fill indexes and databases from.
namespace rapport::bench {

struct Clinic {
  std::string id;
  std::string zone;          // IANA
  std::string jurisdiction;  // as "US-NY"
};

struct Room {
  std::string id;
  uint32_t clinic = 0;  // place in Network::clinics
  int capacity = 2;
  std::vector<std::string> features;
};

// Every week, by the clinic's clock.
struct Hours {
  uint32_t clinic = 0;
  absl::Weekday weekday = absl::Weekday::monday;
  int from_minute = 0;
  int to_minute = 0;
};

struct Clinician {
  std::string id;
  std::vector<uint32_t> clinics;  // the first is home
  std::vector<Hours> hours;
  std::vector<std::string> protocols;
  std::vector<std::string> languages;
  std::vector<std::string> modalities;
  std::vector<std::string> jurisdictions;
  absl::CivilDay licence_expires;
  int buffer_minutes = 10;
  bool accepts_new_courses = true;
};

struct Booking {
  static constexpr uint32_t kNoRoom = UINT32_MAX;

  uint64_t number = 0;  // from 1; see IdOf
  uint32_t series = 0;  // sessions of one course have one
  uint32_t clinician = 0;
  uint32_t clinic = 0;
  uint32_t room = kNoRoom;  // remote
  uint32_t patient = 0;
  int64_t start = 0;  // seconds since 1970
  int minutes = 50;
};

struct TimeOff {
  uint32_t clinician = 0;
  absl::Time start;
  absl::Time end;
};

struct NetworkOptions {
  int clinicians = 20'000;
  int clinics = 1'000;
  // At most about so many, taken by whole series at random; 0: all there are, some 160 a clinician.
  int64_t bookings = 0;
  absl::CivilDay start{2026, 9, 7};  // a Monday; clocks change in October and November
  uint64_t seed = 1;
};

// 80% of the bookable hours are held by weekly series of which 1 to 16 weeks are left, popular
// hours more; 8% of the others of 16 weeks by single sessions; 5% of a clinician's weeks are leave.
// Three in four sessions take a room, as far as the clinic has one. A tenth of the clinicians work
// at two clinics.
struct Network {
  absl::CivilDay start;
  std::vector<Clinic> clinics;
  std::vector<Room> rooms;
  std::vector<Clinician> clinicians;
  std::vector<Booking> bookings;
  std::vector<TimeOff> time_off;
  uint32_t patients = 0;
};
Network MakeNetwork(const NetworkOptions& options);

// A ULID for a number.
std::string IdOf(uint64_t number);

}  // namespace rapport::bench

#endif  // RAPPORT_TESTS_BENCH_NETWORK_H_
