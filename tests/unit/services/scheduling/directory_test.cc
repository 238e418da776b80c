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

TEST(DirectoryTest, AClinicsDaysAndHoursAreWhole) {
  const std::string good = R"pb(
    display_name: "North"
    time_zone: "Europe/London"
    jurisdiction: "GB-ENG"
    holidays {
      date { year: 2026 month: 12 day: 25 }
      label: "Christmas"
    }
    holidays { date { year: 2026 month: 12 day: 26 } }
    monitored_hours {
      day_of_week: MONDAY
      start_time { hours: 9 }
      end_time { hours: 24 }
    })pb";
  EXPECT_EQ(BadField(CheckClinic(Parse<v1::Clinic>(good))), "");
  struct Case {
    std::string from, to, field;
  };
  for (const Case& c : std::vector<Case>{
           {"\"GB-ENG\"", "\"\"", "clinic.jurisdiction"},
           {"day: 26", "day: 25", "clinic.holidays[1].date"},
           {"day: 26", "day: 32", "clinic.holidays[1].date"},
           {"day_of_week: MONDAY", "", "clinic.monitored_hours[0].day_of_week"},
           {"hours: 24", "hours: 9", "clinic.monitored_hours[0].end_time"},
           {"hours: 9", "hours: 9 seconds: 1", "clinic.monitored_hours[0].start_time"}}) {
    EXPECT_EQ(BadField(CheckClinic(Parse<v1::Clinic>(absl::StrReplaceAll(good, {{c.from, c.to}})))),
              c.field)
        << c.to;
  }
}

TEST(DirectoryTest, ARoomHoldsSomebodyAndNamesItsFeaturesOnce) {
  v1::Room room = Parse<v1::Room>(
      R"pb(display_name: "1" capacity: 2 features: "step-free" features: "quiet")pb");
  EXPECT_EQ(BadField(CheckRoom(room)), "");
  room.set_features(1, "step-free");
  EXPECT_EQ(BadField(CheckRoom(room)), "room.features[1]");
  room.set_capacity(0);
  EXPECT_EQ(BadField(CheckRoom(room)), "room.capacity");
  room.clear_display_name();
  EXPECT_EQ(BadField(CheckRoom(room)), "room.display_name");
}

TEST(DirectoryTest, DatedHoursAreOfOwnClinicsAndOfOneMind) {
  const std::string good = R"pb(
    display_name: "Anna"
    profession: PROFESSION_PSYCHOLOGIST
    clinics: "north"
    clinics: "south"
    licensed_jurisdictions: "GB-SCT"
    licensed_jurisdictions: "GB-WLS"
    modalities: MODALITY_IN_PERSON
    modalities: MODALITY_VIDEO
    telehealth_uri: "https://meet.example.org/anna?x=1"
    dated_hours {
      clinic: "north"
      date { year: 2026 month: 12 day: 25 }
      start_time { hours: 9 }
      end_time { hours: 12 }
    }
    dated_hours {
      clinic: "north"
      date { year: 2026 month: 12 day: 25 }
      start_time { hours: 13 }
      end_time { hours: 14 }
    }
    dated_hours {
      clinic: "south"
      date { year: 2026 month: 12 day: 25 }
    })pb";
  EXPECT_EQ(BadField(CheckClinician(Parse<v1::Clinician>(good))), "");
  struct Case {
    std::string from, to, field;
  };
  for (const Case& c : std::vector<Case>{
           {"\"GB-WLS\"", "\"GB-SCT\"", "clinician.licensed_jurisdictions[1]"},
           {"MODALITY_VIDEO", "MODALITY_IN_PERSON", "clinician.modalities[1]"},
           {"MODALITY_VIDEO", "MODALITY_UNSPECIFIED", "clinician.modalities[1]"},
           {"https://meet", "ftp://meet", "clinician.telehealth_uri"},
           {"clinic: \"south\"", "clinic: \"west\"", "clinician.dated_hours[2].clinic"},
           {"clinic: \"south\"", "clinic: \"north\"", "clinician.dated_hours[2]"},
           {"start_time { hours: 13 }", "", "clinician.dated_hours[1].start_time"},
           {"end_time { hours: 14 }", "", "clinician.dated_hours[1].end_time"},
           {"hours: 14", "hours: 13", "clinician.dated_hours[1].end_time"},
           {"hours: 14", "hours: 14 seconds: 3", "clinician.dated_hours[1].end_time"},
       }) {
    EXPECT_EQ(
        BadField(CheckClinician(Parse<v1::Clinician>(absl::StrReplaceAll(good, {{c.from, c.to}})))),
        c.field)
        << c.to;
  }
  v1::Clinician dateless = Parse<v1::Clinician>(good);
  dateless.mutable_dated_hours(0)->mutable_date()->set_month(13);
  EXPECT_EQ(BadField(CheckClinician(dateless)), "clinician.dated_hours[0].date");
}

TEST(DirectoryTest, WebAddressesAreOfTheWeb) {
  for (const char* good : {"https://example.org", "http://example.org/a?b#c", "https://[::1]:8/"}) {
    EXPECT_EQ(BadField(CheckWebAddress(good, "f")), "") << good;
  }
  for (const char* bad : {"", "https://", "http:///a", "https://?x", "javascript:alert(1)",
                          "https://a b", "https://a\n", "example.org", "https://\xc3\xa4"}) {
    EXPECT_EQ(BadField(CheckWebAddress(bad, "f")), "f") << bad;
  }
}

TEST(DirectoryTest, ASupervisionIsOfTwoAndEndsAfterItBegins) {
  v1::Supervision supervision = Parse<v1::Supervision>(R"pb(
    supervisor: "a"
    supervisee: "b"
    start_time { seconds: 5 })pb");
  EXPECT_EQ(BadField(CheckSupervision(supervision)), "");
  supervision.mutable_end_time()->set_seconds(6);
  EXPECT_EQ(BadField(CheckSupervision(supervision)), "");
  supervision.set_supervisee("a");
  EXPECT_EQ(BadField(CheckSupervision(supervision)), "supervision.supervisee");
  supervision.mutable_end_time()->set_seconds(5);
  EXPECT_EQ(BadField(CheckSupervision(supervision)), "supervision.end_time");
}

TEST(DirectoryTest, ChosenIdsAreReadable) {
  for (const char* good : {"a", "north-2", "01arz3ndektsv4rrffq69g5fav"}) {
    EXPECT_EQ(BadField(CheckChosenId(std::string("organizations/o/clinics/") + good, "f")), "");
  }
  for (const std::string& bad :
       {std::string("North"), std::string("-a"), std::string("a-"), std::string("a.b"),
        std::string("a_b"), std::string(64, 'a'), std::string()}) {
    EXPECT_EQ(BadField(CheckChosenId("organizations/o/clinics/" + bad, "f")), "f") << bad;
  }
}

}  // namespace
}  // namespace rapport::scheduling
