#include "services/scheduling/domain/directory.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

std::string BadField(const absl::Status& status) {
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return errors::FieldViolations(status)[0].field;
}

TEST(DirectoryTest, CliniciansHoldTogether) {
  const std::string good = R"pb(
    display_name: "Anna"
    profession: PROFESSION_PSYCHOLOGIST
    clinics: "organizations/o/clinics/north"
    licence_expire_date { year: 2026 month: 12 day: 31 }
    weekly_hours {
      clinic: "organizations/o/clinics/north"
      day_of_week: MONDAY
      start_time { hours: 9 }
      end_time { hours: 24 }
      effective_from { year: 2026 month: 1 day: 1 }
      effective_until { year: 2026 month: 1 day: 1 }
    })pb";
  EXPECT_EQ(BadField(CheckClinician(Parse<v1::Clinician>(good))), "");
  struct Case {
    std::string from, to, field;
  };
  for (const Case& c : std::vector<Case>{
           {"\"Anna\"", "\"\"", "clinician.display_name"},
           {"profession: PROFESSION_PSYCHOLOGIST", "", "clinician.profession"},
           {"clinics: \"organizations/o/clinics/north\"", "", "clinician.clinics"},
           {"clinic: \"organizations/o/clinics/north\"",
            "clinic: \"organizations/o/clinics/south\"", "clinician.weekly_hours[0].clinic"},
           {"month: 12 day: 31", "month: 11 day: 31", "clinician.licence_expire_date"},
           {"hours: 24", "hours: 9", "clinician.weekly_hours[0].end_time"},
           {"hours: 24", "hours: 25", "clinician.weekly_hours[0].end_time"},
           {"hours: 9", "hours: 9 nanos: 1", "clinician.weekly_hours[0].start_time"},
           {"effective_from { year: 2026 month: 1 day: 1",
            "effective_from { year: 2026 month: 1 day: 2",
            "clinician.weekly_hours[0].effective_until"},
           {"effective_from { year: 2026", "effective_from { year: 0",
            "clinician.weekly_hours[0].effective_from"}}) {
    EXPECT_EQ(
        BadField(CheckClinician(Parse<v1::Clinician>(absl::StrReplaceAll(good, {{c.from, c.to}})))),
        c.field)
        << c.to;
  }
}

TEST(DirectoryTest, AClinicIsNamedOnce) {
  EXPECT_EQ(BadField(CheckClinician(Parse<v1::Clinician>(R"pb(display_name: "A"
                                                              profession: PROFESSION_NURSE
                                                              clinics: "x"
                                                              clinics: "x")pb"))),
            "clinician.clinics[1]");
}

TEST(DirectoryTest, AnUpdateCanNotTakeAwayWhatAClinicNeeds) {
  v1::Clinic clinic = Parse<v1::Clinic>(R"pb(display_name: "North"
                                             time_zone: "Europe/London"
                                             jurisdiction: "GB-ENG")pb");
  EXPECT_EQ(BadField(CheckClinic(clinic)), "");
  clinic.clear_time_zone();
  EXPECT_EQ(BadField(CheckClinic(clinic)), "clinic.time_zone");
}

TEST(DirectoryTest, TimeOffEndsAfterItBeginsWithinTwoYears) {
  const auto check = [](int64_t seconds) {
    v1::TimeOff time_off;
    time_off.mutable_start_time()->set_seconds(1'772'460'000);
    time_off.mutable_end_time()->set_seconds(1'772'460'000 + seconds);
    return BadField(CheckTimeOff(time_off));
  };
  constexpr int64_t kDay = 24 * 60 * 60;
  EXPECT_EQ(check(0), "time_off.end_time");
  EXPECT_EQ(check(-1), "time_off.end_time");
  EXPECT_EQ(check(1), "");
  EXPECT_EQ(check(731 * kDay), "");
  EXPECT_EQ(check(733 * kDay), "time_off.end_time");
}

TEST(DirectoryTest, NobodyCoversThemselves) {
  v1::Cover cover = Parse<v1::Cover>(R"pb(
    clinician: "a"
    covering_clinician: "b"
    start_time { seconds: 1 }
    end_time { seconds: 2 })pb");
  EXPECT_EQ(BadField(CheckCover(cover)), "");
  cover.set_covering_clinician("a");
  EXPECT_EQ(BadField(CheckCover(cover)), "cover.covering_clinician");
  cover.mutable_end_time()->set_seconds(1);
  EXPECT_EQ(BadField(CheckCover(cover)), "cover.end_time");
  cover.mutable_end_time()->set_seconds(int64_t{367} * 24 * 60 * 60);
  EXPECT_EQ(BadField(CheckCover(cover)), "cover.end_time");
}

}  // namespace
}  // namespace rapport::scheduling
