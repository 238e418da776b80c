#include "tools/rapportctl/seed/network.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::seed {
namespace {

namespace sv1 = scheduling::v1;

struct Place {
  const char* id;
  const char* name;
  const char* zone;
  const char* jurisdiction;
  const char* language;
};
constexpr std::array<Place, 8> kPlaces = {{
    {"london", "London", "Europe/London", "GB-ENG", "en"},
    {"edinburgh", "Edinburgh", "Europe/London", "GB-SCT", "en"},
    {"new-york", "New York", "America/New_York", "US-NY", "en"},
    {"chicago", "Chicago", "America/Chicago", "US-IL", "en"},
    {"los-angeles", "Los Angeles", "America/Los_Angeles", "US-CA", "en"},
    {"berlin", "Berlin", "Europe/Berlin", "DE", "de"},
    {"sydney", "Sydney", "Australia/Sydney", "AU-NSW", "en"},
    {"sao-paulo", "São Paulo", "America/Sao_Paulo", "BR-SP", "pt"},
}};
constexpr std::array<const char*, 10> kHouses = {"Harbour",  "Riverside",    "Garden",  "Mill Road",
                                                 "Old Town", "Parkside",     "Station", "Hillcrest",
                                                 "Lakeview", "Market Square"};
constexpr std::array<const char*, 32> kFirstNames = {
    "Amara",  "Anna",  "Aziz",  "Bea",   "Carlos", "Chen",  "Dana",  "Elif",
    "Emeka",  "Eva",   "Farid", "Grace", "Hana",   "Ines",  "Ivan",  "Jonas",
    "Keiko",  "Laila", "Lena",  "Luca",  "Maya",   "Mateo", "Nadia", "Noor",
    "Olivia", "Priya", "Rosa",  "Samir", "Sofia",  "Tariq", "Thea",  "Yusuf"};
constexpr std::array<const char*, 32> kLastNames = {
    "Adeyemi", "Alvarez", "Andersson", "Bauer",  "Brown",  "Costa",  "Demir",  "Evans",
    "Fischer", "Garcia",  "Haddad",    "Hughes", "Ito",    "Jensen", "Khan",   "Kowalski",
    "Lopez",   "Martin",  "Mbeki",     "Meyer",  "Nguyen", "Novak",  "Okafor", "Patel",
    "Rossi",   "Santos",  "Silva",     "Singh",  "Tanaka", "Weber",  "Wright", "Yilmaz"};

constexpr int kCliniciansOfClinic = 6;
constexpr int kWeeksOfBeginning = 4;

struct Protocol {
  const char* id;
  int fewest;
  int most;
  int youngest;
  int oldest;
};
constexpr Protocol kClassic = {"classic", 12, 16, 19, 78};
constexpr Protocol kBrief = {"brief", 8, 8, 19, 78};
constexpr Protocol kPerinatal = {"perinatal", 12, 16, 20, 43};

class Maker {
 public:
  explicit Maker(const NetworkOptions& options) : options_(options), engine_(options.seed) {}

  Network Make() {
    const int clinics = (options_.clinicians + kCliniciansOfClinic - 1) / kCliniciansOfClinic;
    for (int i = 0; i < clinics; ++i) MakeClinic(i);
    for (int i = 0; i < options_.clinicians; ++i) MakeClinician(i, i % clinics);
    for (auto& row : supervisions_) network_.directory.push_back(std::move(row));
    return std::move(network_);
  }

 private:
  struct Slot {
    int day;   // from 1, Monday
    int hour;  // its session begins with it
  };

  int Below(int n) { return static_cast<int>(engine_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  std::string Name(absl::string_view collection, absl::string_view id) const {
    return names::InOrganization(options_.organization_id, collection, id);
  }

  void MakeClinic(int number) {
    const Place& place = kPlaces[static_cast<size_t>(number) % kPlaces.size()];
    const size_t round = static_cast<size_t>(number) / kPlaces.size();
    sv1::Clinic& clinic = *network_.directory.emplace_back().mutable_clinic();
    clinic.set_name(Name(
        "clinics", round == 0 ? std::string(place.id) : absl::StrCat(place.id, "-", round + 1)));
    clinic.set_display_name(absl::StrCat(place.name, " ", kHouses[round % kHouses.size()],
                                         round < kHouses.size() ? "" : absl::StrCat(" ", round)));
    clinic.set_time_zone(place.zone);
    clinic.set_jurisdiction(place.jurisdiction);
    clinics_.push_back(clinic.name());
    const int rooms = kCliniciansOfClinic * 3 / 5 + 1;
    rooms_.push_back(rooms);
    for (int i = 1; i <= rooms; ++i) {
      sv1::Room& room = *network_.directory.emplace_back().mutable_room();
      room.set_name(absl::StrCat(clinics_.back(), "/rooms/room-", i));
      room.set_display_name(absl::StrCat("Room ", i));
      room.set_capacity(i == 1 ? 10 : 3);
      if (i % 2 == 1) room.add_features("step-free");
    }
  }

  void MakeClinician(int number, int clinic) {
    const Place& place = kPlaces[static_cast<size_t>(clinic) % kPlaces.size()];
    const std::string first = kFirstNames[static_cast<size_t>(Below(kFirstNames.size()))];
    const std::string last = kLastNames[static_cast<size_t>(Below(kLastNames.size()))];
    const std::string id = absl::AsciiStrToLower(absl::StrCat(first, "-", last, "-", number + 1));
    sv1::Clinician clinician;
    clinician.set_name(Name("clinicians", id));
    clinician.set_display_name(absl::StrCat(first, " ", last));
    clinician.set_subject(id);
    clinician.set_profession(static_cast<sv1::Profession>(1 + Below(6)));
    clinician.set_licence_number(absl::StrFormat("L%06d", 100000 + Below(900000)));
    *clinician.mutable_licence_expire_date() = time::ToDate(options_.start + 300 + Below(800));
    clinician.add_clinics(clinics_[static_cast<size_t>(clinic)]);
    for (const char* protocol : {"classic", "brief"}) clinician.add_certified_protocols(protocol);
    const bool perinatal = Chance(30);
    if (perinatal) clinician.add_certified_protocols("perinatal");
    clinician.add_languages(place.language);
    if (Chance(25))
      clinician.add_languages(std::array{"es", "fr", "ar", "tr"}[static_cast<size_t>(Below(4))]);
    for (const auto modality :
         {sv1::MODALITY_IN_PERSON, sv1::MODALITY_VIDEO, sv1::MODALITY_TELEPHONE}) {
      clinician.add_modalities(modality);
    }
    clinician.set_telehealth_uri(absl::StrCat("https://video.example/", id));
    clinician.set_caseload_cap(std::max(30, options_.courses_each));
    clinician.set_buffer_minutes(Below(3) * 5);
    const std::vector<Slot> slots = MakeHours(clinician);
    // The first of each clinic is no trainee: someone must supervise.
    std::string& senior = seniors_[clinic];
    if (!senior.empty() && Chance(10)) {
      clinician.set_trainee(true);
      sv1::Supervision& pair = *supervisions_.emplace_back().mutable_supervision();
      pair.set_name(Name("supervisions", absl::StrCat("pair-", number + 1)));
      pair.set_supervisor(senior);
      pair.set_supervisee(clinician.name());
      *pair.mutable_start_time() =
          time::ToTimestamp(absl::FromCivil(options_.start - 1, absl::UTCTimeZone()));
    } else if (senior.empty()) {
      senior = clinician.name();
    }
    MakeCourses(clinician, clinic, perinatal, slots);
    *network_.directory.emplace_back().mutable_clinician() = std::move(clinician);
  }

  // 3 to 5 days a week of 4 to 7 hours from 8, 9, 10 or 12, with an hour's break; shuffled.
  std::vector<Slot> MakeHours(sv1::Clinician& clinician) {
    std::vector<int> days = {1, 2, 3, 4, 5};
    while (static_cast<int>(days.size()) > 3 && Chance(50)) {
      days.erase(days.begin() + Below(static_cast<int>(days.size())));
    }
    const int first = std::array{8, 9, 10, 12}[static_cast<size_t>(Below(4))];
    const int before = 2 + Below(2), after = 2 + Below(3);
    std::vector<Slot> slots;
    for (const int day : days) {
      for (const auto& [from, to] : {std::pair(first, first + before),
                                     std::pair(first + before + 1, first + before + 1 + after)}) {
        sv1::WorkingHours& hours = *clinician.add_weekly_hours();
        hours.set_clinic(clinician.clinics(0));
        hours.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
        hours.mutable_start_time()->set_hours(from);
        hours.mutable_end_time()->set_hours(to);
        for (int hour = from; hour < to; ++hour) slots.push_back({day, hour});
      }
    }
    for (size_t i = slots.size(); i > 1; --i) {
      std::swap(slots[i - 1], slots[static_cast<size_t>(Below(static_cast<int>(i)))]);
    }
    return slots;
  }

  void MakeCourses(const sv1::Clinician& clinician, int clinic, bool perinatal,
                   const std::vector<Slot>& slots) {
    const Place& place = kPlaces[static_cast<size_t>(clinic) % kPlaces.size()];
    const int most = std::min(options_.courses_each, static_cast<int>(slots.size()));
    const int count = most - Below(most / 2 + 1);
    for (int i = 0; i < count; ++i) {
      const Slot slot = slots[static_cast<size_t>(i)];
      const Protocol& protocol = perinatal && Chance(40) ? kPerinatal
                                 : Chance(25)            ? kBrief
                                                         : kClassic;
      CoursePlan& plan = network_.courses.emplace_back();
      sv1::Course& course = plan.course;
      course.set_patient(
          Name("patients", absl::StrFormat("p-%d-%05d", options_.seed, network_.courses.size())));
      course.set_clinician(clinician.name());
      course.set_clinic(clinician.clinics(0));
      course.set_protocol(absl::StrCat("protocols/", protocol.id, "/revisions/1"));
      course.set_planned_sessions(protocol.fewest + Below(protocol.most - protocol.fewest + 1));
      sv1::PatientParticulars& patient = *course.mutable_patient_particulars();
      patient.set_birth_year(static_cast<int>(options_.start.year()) - protocol.youngest -
                             Below(protocol.oldest - protocol.youngest));
      patient.set_birth_month(1 + Below(12));
      patient.set_jurisdiction(place.jurisdiction);
      patient.set_time_zone(place.zone);
      patient.add_languages(place.language);

      sv1::BookSeriesRequest& sessions = plan.sessions;
      *sessions.mutable_first_date() =
          time::ToDate(options_.start + 7 * Below(kWeeksOfBeginning) + slot.day - 1);
      sessions.mutable_local_time()->set_hours(slot.hour);
      sessions.set_count(course.planned_sessions());
      int& taken = rooms_taken_[{clinic, slot.day, slot.hour}];
      if (taken < rooms_[static_cast<size_t>(clinic)] && !Chance(20)) {
        ++taken;
        sessions.set_modality(sv1::MODALITY_IN_PERSON);
        sessions.mutable_room_need()->set_capacity(2);
      } else {
        sessions.set_modality(sv1::MODALITY_VIDEO);
      }
    }
  }

  const NetworkOptions& options_;
  std::mt19937_64 engine_;
  Network network_;
  std::vector<sv1::ImportDirectoryRequest> supervisions_;
  std::vector<std::string> clinics_;
  std::vector<int> rooms_;                                // of each clinic
  std::map<int, std::string> seniors_;                    // by clinic
  std::map<std::tuple<int, int, int>, int> rooms_taken_;  // by clinic, day and hour
};

}  // namespace

Network MakeNetwork(const NetworkOptions& options) { return Maker(options).Make(); }

}  // namespace rapport::seed
