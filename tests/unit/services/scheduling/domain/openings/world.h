#ifndef RAPPORT_TESTS_UNIT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_WORLD_H_
#define RAPPORT_TESTS_UNIT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_WORLD_H_

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "services/scheduling/domain/openings/availability.h"
#include "services/scheduling/domain/openings/search.h"
#include "services/scheduling/domain/openings/series.h"

// A small network in plain values, and answers worked out from it the slow way: sorted intervals
// and absl's clock, no bits.
namespace rapport::scheduling::openings {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int Below(int n) { return static_cast<int>(engine_() % n); }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  bool OneIn(int n) { return Below(n) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& all) {
    return all[Below(static_cast<int>(all.size()))];
  }

 private:
  std::mt19937_64 engine_;
};

absl::TimeZone Zone(const std::string& name);
// As a series means a wall time: later by a gap, the first of two.
absl::Time AtLocal(absl::CivilMinute local, absl::TimeZone zone);
absl::Time Utc(int year, int month, int day, int hour = 0, int minute = 0);

struct World {
  struct Clinician {
    ClinicianAttributes attributes;
    std::vector<ClinicHours> hours;
  };
  struct Claim {
    Resource resource;
    std::string of;
    std::string booking;
    Span time;
  };

  absl::CivilDay start{2026, 2, 2};
  int days = 60;
  std::map<std::string, absl::TimeZone> clinics;
  std::map<std::string, Clinician> clinicians;
  std::map<std::string, RoomAttributes> rooms;
  std::map<std::pair<std::string, std::string>, Claim> claims;  // by resource and booking
  std::map<std::pair<std::string, std::string>, Span> time_off;

  absl::Time begin() const { return Utc(start.year(), start.month(), start.day()); }
  absl::Time end() const { return begin() + days * absl::Hours(24); }

  void AddClaim(Resource resource, const std::string& of, const std::string& booking, Span time) {
    claims[{of, booking}] = {resource, of, booking, time};
  }
};

// Hours of one weekday pattern by the clinic's clock, resolved over the world's horizon and a week
// around it.
std::vector<Span> Weekly(const World& world, absl::TimeZone zone,
                         const std::vector<absl::Weekday>& weekdays, int from_minute,
                         int to_minute);

AvailabilityIndex IndexOf(const World& world);

World RandomWorld(Random& random, int clinicians, int days);
ClinicianFilter RandomFilter(const World& world, Random& random);
TimesOfWeek RandomTimes(Random& random);
OpeningQuery RandomQuery(const World& world, Random& random);
SeriesQuery RandomSeries(const World& world, Random& random);

// All openings of the query, ranked, whatever limit and `after` say.
std::vector<OpeningKey> SlowOpenings(const World& world, const OpeningQuery& query);
std::optional<absl::Time> SlowNearest(const World& world, const NearestQuery& query);

struct SlowStart {
  std::string clinician;
  std::string clinic;
  absl::Time start;
  int exceptions = 0;
  friend auto operator<=>(const SlowStart& a, const SlowStart& b) {
    return std::tie(a.clinician, a.clinic, a.start, a.exceptions) <=>
           std::tie(b.clinician, b.clinic, b.start, b.exceptions);
  }
  friend bool operator==(const SlowStart&, const SlowStart&) = default;
};
std::vector<SlowStart> SlowSeriesStarts(const World& world, const SeriesQuery& query);

// What repairs cost in all, as PlanSeries promises to keep it low.
struct RepairCost {
  int skipped = 0;
  int remote = 0;
  absl::Duration displacement;
  friend auto operator<=>(const RepairCost& a, const RepairCost& b) {
    return std::tie(a.skipped, a.remote, a.displacement) <=>
           std::tie(b.skipped, b.remote, b.displacement);
  }
  friend bool operator==(const RepairCost&, const RepairCost&) = default;
};
struct SlowPlan {
  PlanKey key;
  RepairCost cost;
};
std::vector<SlowPlan> SlowPlans(const World& world, const SeriesQuery& query);
RepairCost CostOf(const SeriesPlan& plan);

// What is wrong with `plan`; empty: nothing.
std::string FaultOf(const World& world, const SeriesQuery& query, const SeriesPlan& plan);

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_TESTS_UNIT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_WORLD_H_
