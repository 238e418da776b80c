// Made-up networks: the same for the same seed, and such that a suite can take them.
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "absl/time/civil_time.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/rapportctl/seed/network.h"

namespace rapport::seed {
namespace {

namespace sv1 = scheduling::v1;

NetworkOptions Options(int clinicians, uint64_t seed) {
  return {.organization_id = "acme",
          .clinicians = clinicians,
          .seed = seed,
          .start = absl::CivilDay(2026, 3, 2),
          .courses_each = 12};
}

std::string Bytes(const Network& network) {
  std::string bytes;
  for (const auto& row : network.directory) bytes += row.SerializeAsString();
  for (const CoursePlan& plan : network.courses) {
    bytes += plan.course.SerializeAsString() + plan.sessions.SerializeAsString();
  }
  return bytes;
}

TEST(SeedNetworkTest, IsTheSameForTheSameSeedAndAnotherForAnother) {
  EXPECT_EQ(Bytes(MakeNetwork(Options(20, 7))), Bytes(MakeNetwork(Options(20, 7))));
  EXPECT_NE(Bytes(MakeNetwork(Options(20, 7))), Bytes(MakeNetwork(Options(20, 8))));
}

TEST(SeedNetworkTest, NamesAreUniqueAndComeBeforeTheyAreReferredTo) {
  const Network network = MakeNetwork(Options(100, 3));
  std::set<std::string> known;
  int clinicians = 0, pairs = 0;
  for (const auto& row : network.directory) {
    if (row.has_clinic()) {
      EXPECT_TRUE(known.insert(row.clinic().name()).second);
    }
    if (row.has_room()) {
      EXPECT_TRUE(known.insert(row.room().name()).second);
      EXPECT_TRUE(known.contains(
          names::InOrganization("acme", "clinics", names::Id(row.room().name(), "clinics"))));
    }
    if (row.has_clinician()) {
      ++clinicians;
      EXPECT_TRUE(known.insert(row.clinician().name()).second);
      for (const std::string& clinic : row.clinician().clinics()) {
        EXPECT_TRUE(known.contains(clinic));
      }
      for (const sv1::WorkingHours& hours : row.clinician().weekly_hours()) {
        EXPECT_TRUE(known.contains(hours.clinic()));
        EXPECT_LT(hours.start_time().hours(), hours.end_time().hours());
      }
    }
    if (row.has_supervision()) {
      ++pairs;
      EXPECT_TRUE(known.contains(row.supervision().supervisor()));
      EXPECT_TRUE(known.contains(row.supervision().supervisee()));
      EXPECT_NE(row.supervision().supervisor(), row.supervision().supervisee());
    }
  }
  EXPECT_EQ(clinicians, 100);
  EXPECT_GT(pairs, 0);
  std::set<std::string> patients;
  for (const CoursePlan& plan : network.courses) {
    EXPECT_TRUE(known.contains(plan.course.clinician()));
    EXPECT_TRUE(patients.insert(plan.course.patient()).second);
  }
  EXPECT_GT(patients.size(), 500u);
}

TEST(SeedNetworkTest, EverySeriesFitsTheHoursTheClinicianAndTheRooms) {
  NetworkOptions options = Options(60, 5);
  options.courses_each = 30;
  const Network network = MakeNetwork(options);
  std::map<std::string, const sv1::Clinician*> clinicians;
  std::map<std::string, int> rooms;  // by clinic
  for (const auto& row : network.directory) {
    if (row.has_clinician()) clinicians[row.clinician().name()] = &row.clinician();
    if (row.has_room()) {
      ++rooms[names::InOrganization("acme", "clinics", names::Id(row.room().name(), "clinics"))];
    }
  }
  std::set<std::tuple<std::string, int, int>> taken;
  std::map<std::tuple<std::string, int, int>, int> in_rooms;
  for (const CoursePlan& plan : network.courses) {
    const absl::CivilDay first = time::ToCivilDay(plan.sessions.first_date());
    const int day = static_cast<int>(absl::GetWeekday(first)) + 1;
    const int hour = plan.sessions.local_time().hours();
    EXPECT_GE(first, absl::CivilDay(2026, 3, 2));
    EXPECT_TRUE(taken.insert({plan.course.clinician(), day, hour}).second);
    bool within = false;
    for (const sv1::WorkingHours& hours : clinicians.at(plan.course.clinician())->weekly_hours()) {
      within |= hours.day_of_week() == day && hours.start_time().hours() <= hour &&
                hour < hours.end_time().hours();
    }
    EXPECT_TRUE(within);
    if (plan.sessions.modality() == sv1::MODALITY_IN_PERSON) {
      EXPECT_LE(++in_rooms[std::make_tuple(plan.course.clinic(), day, hour)],
                rooms.at(plan.course.clinic()));
    }
    EXPECT_EQ(plan.sessions.count(), plan.course.planned_sessions());
  }
}

}  // namespace
}  // namespace rapport::seed
