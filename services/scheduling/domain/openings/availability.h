#ifndef RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_AVAILABILITY_H_
#define RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_AVAILABILITY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "services/scheduling/domain/openings/axis.h"
#include "services/scheduling/domain/openings/bitmap.h"

namespace rapport::scheduling::openings {

// From `start` up to, not including, `end`.
struct Span {
  absl::Time start;
  absl::Time end;
};

struct ClinicianAttributes {
  std::string id;
  std::vector<std::string> protocols;  // certified to deliver
  std::vector<std::string> languages;
  std::vector<std::string> modalities;
  std::vector<std::string> jurisdictions;  // licensed for remote patients there
  // Last day on which the licence holds, by the clock of the session's clinic. None: no sessions.
  std::optional<absl::CivilDay> licence_expires;
  // Whether the caseload has room for another course.
  bool accepts_new_courses = true;
  // By the clock of the first clinic; 0: no limit.
  int max_sessions_per_day = 0;
  // Stays free after each session, within the hours. What is booked already ends later by it (Span
  // of the claim).
  absl::Duration buffer_after;
};

// When a clinician can be booked at a clinic, leaving aside bookings and time off. Holidays and
// dated exceptions are folded in. Given for the horizon, better for some weeks beyond it.
struct ClinicHours {
  std::string clinic;
  std::vector<Span> open;
};

struct RoomAttributes {
  std::string id;
  std::string clinic;
  int capacity = 2;
  std::vector<std::string> features;
  absl::Duration buffer_after;  // stays free after each session; at most an hour
};

enum class Resource { kClinician, kRoom };

// How often each quarter of an hour of the week is booked with clinicians, by the clock of their
// home clinics; of 10 levels, 0 the least.
class Popularity {
 public:
  static constexpr int kLevels = 10;
  static constexpr int kSlots = 7 * 96;

  explicit Popularity(const std::array<int32_t, kSlots>& booked);
  // Of a start, in granules by a clinic's clock.
  int At(Granule local) const { return levels_[SlotOf(local)]; }
  static int SlotOf(Granule local) { return (local - FloorDiv(local, kWeek) * kWeek) / 3; }

 private:
  std::array<uint8_t, kSlots> levels_;
};

// Sets of clinicians by number, one for each value of an attribute.
class BitSets {
 public:
  using Set = std::vector<uint64_t>;

  void Add(absl::string_view value, uint32_t member);
  void Remove(absl::string_view value, uint32_t member);
  // Null: of nobody.
  const Set* Find(absl::string_view value) const;
  size_t MemoryBytes() const;

 private:
  absl::flat_hash_map<std::string, Set> sets_;
};

// When the clinicians and rooms of ONE organisation are free, in 5-minute granules over a horizon.
// Free time is only a hint: the database decides. Not thread-safe; functions that are const may run
// at the same time. All instants are rounded so that nothing becomes free by it.
//
// Every Put and Remove carries the version of the thing concerned (of the clinic, clinician, room,
// booking, time off) and does nothing, returning false, unless that is newer than the last one
// seen: events may be repeated, and overtake each other. A removal is remembered until the horizon
// has passed it. Claims may come before their clinician or room, hours before their clinic.
class AvailabilityIndex {
 public:
  static constexpr int kDefaultDays = 190;

  // The horizon is `days` UTC days from `start` on.
  explicit AvailabilityIndex(absl::CivilDay start, int days = kDefaultDays);

  // Until Build is called the first time, changes are only noted down, which is how to load many;
  // afterwards each takes effect at once.
  void Build();

  // Moves the horizon to begin at `start`, forgets what ended before, and builds. About as long as
  // the first Build; meant for once a day.
  void Advance(absl::CivilDay start);

  bool PutClinic(absl::string_view id, absl::TimeZone zone, int64_t version);
  bool RemoveClinic(absl::string_view id, int64_t version);
  // The first of `hours` is where the clinician is at home.
  bool PutClinician(const ClinicianAttributes& attributes, const std::vector<ClinicHours>& hours,
                    int64_t version);
  bool RemoveClinician(absl::string_view id, int64_t version);
  bool PutRoom(const RoomAttributes& attributes, int64_t version);
  bool RemoveRoom(absl::string_view id, int64_t version);
  // `booking` is a ULID (any other string is told apart by a 128-bit hash). `time` includes the
  // resource's own buffer. A booking claims each resource once.
  bool PutClaim(Resource resource, absl::string_view id, absl::string_view booking, Span time,
                int64_t version);
  bool RemoveClaim(Resource resource, absl::string_view id, absl::string_view booking,
                   int64_t version);
  bool PutTimeOff(absl::string_view clinician, absl::string_view time_off, Span time,
                  int64_t version);
  bool RemoveTimeOff(absl::string_view clinician, absl::string_view time_off, int64_t version);

  Stretch horizon() const { return horizon_; }
  size_t clinician_count() const;
  size_t MemoryBytes() const;

  Popularity popularity() const;

  // What follows is for the searches.

  struct Row {
    uint32_t clinician = 0;
    uint32_t clinic = 0;
    std::vector<WeeklyStretch> open;
    std::vector<uint64_t> free;  // on the clinic's axis; empty before Build or without clinic
  };
  struct Busy {
    uint64_t id_high = 0;
    uint64_t id_low = 0;
    int64_t version = 0;
    Granule from = 0;
    Granule to = 0;
    bool session = true;  // else time off
    bool removed = false;
  };
  struct Clinician {
    ClinicianAttributes attributes;
    int64_t version = INT64_MIN;
    bool present = false;
    int buffer = 0;         // granules
    std::vector<Row> rows;  // by clinic, the home first
    std::vector<Busy> busy;
  };
  struct Room {
    RoomAttributes attributes;
    int64_t version = INT64_MIN;
    bool present = false;
    int buffer = 0;
    uint32_t clinic = 0;
    std::vector<Busy> busy;
    std::vector<uint64_t> free;
  };
  // A row as a search goes through them, with what it needs of the clinician at first.
  struct RowOf {
    uint32_t clinician = 0;
    uint16_t row = 0;
    int16_t buffer = 0;
    bool alone = false;              // the clinician's only row
    const uint64_t* free = nullptr;  // of the row; null where it is empty
  };
  struct Clinic {
    std::string id;
    int64_t version = INT64_MIN;
    bool present = false;
    absl::TimeZone zone;
    const WallClock* clock = nullptr;
    std::shared_ptr<const Axis> axis;  // shared by clinics of the same zone and hours
    std::vector<RowOf> rows;           // of clinicians that are present
    std::vector<uint32_t> rooms;
  };

  const std::vector<Clinic>& clinics() const { return clinics_; }
  const std::vector<Clinician>& clinicians() const { return clinicians_; }
  const std::vector<Room>& rooms() const { return rooms_; }
  const Clinic* FindClinic(absl::string_view id) const;
  const Clinician* FindClinician(absl::string_view id) const;
  uint32_t NumberOf(const Clinician& clinician) const { return &clinician - clinicians_.data(); }
  const BitSets& protocols() const { return protocols_; }
  const BitSets& languages() const { return languages_; }
  const BitSets& modalities() const { return modalities_; }
  const BitSets& jurisdictions() const { return jurisdictions_; }
  const BitSets::Set& bookable() const { return bookable_; }
  const BitSets::Set& accepting() const { return accepting_; }
  // Null: the clinician has no hours at a known clinic.
  const WallClock* HomeClock(const Clinician& clinician) const;

 private:
  uint32_t ClinicNumber(absl::string_view id);
  uint32_t ClinicianNumber(absl::string_view id);
  uint32_t RoomNumber(absl::string_view id);
  const WallClock* ClockOf(absl::TimeZone zone);
  bool ChangeBusy(Resource resource, absl::string_view id, const Busy& busy);
  void SetAttributes(uint32_t number, bool on);
  void Link(uint32_t number);
  void Unlink(uint32_t number);
  void MakeAxis(Clinic& clinic);
  void MakeLines(Clinic& clinic);
  void Fill(Row& row, const Clinician& clinician, Stretch stretch);
  void Fill(Room& room, Stretch stretch);
  void Count(const Clinician& clinician, const Busy& busy, int by);
  void CountAll(const Clinician& clinician, int by);
  void CountHomes(const Clinic& clinic, int by);

  Stretch horizon_;
  bool built_ = false;
  std::vector<Clinic> clinics_;
  std::vector<Clinician> clinicians_;
  std::vector<Room> rooms_;
  absl::flat_hash_map<std::string, uint32_t> clinic_numbers_;
  absl::flat_hash_map<std::string, uint32_t> clinician_numbers_;
  absl::flat_hash_map<std::string, uint32_t> room_numbers_;
  absl::flat_hash_map<std::string, std::unique_ptr<WallClock>> clocks_;
  absl::flat_hash_map<std::string, std::vector<std::weak_ptr<const Axis>>> axes_;  // by zone
  BitSets protocols_;
  BitSets languages_;
  BitSets modalities_;
  BitSets jurisdictions_;
  BitSets::Set bookable_;   // present and licensed
  BitSets::Set accepting_;  // new courses
  std::array<int32_t, Popularity::kSlots> booked_{};
};

}  // namespace rapport::scheduling::openings

#endif  // RAPPORT_SERVICES_SCHEDULING_DOMAIN_OPENINGS_AVAILABILITY_H_
