#include "services/scheduling/domain/event_payloads.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(EventPayloadsTest, ACourseTellsItsOwnPhasesWithoutTextOrBirth) {
  const v1::Course course = Parse<v1::Course>(R"pb(
    patient: "organizations/o/patients/p"
    patient_particulars {
      birth_year: 1980
      birth_month: 3
      jurisdiction: "GB-ENG"
      time_zone: "Europe/London"
    }
    clinician: "organizations/o/clinicians/anna"
    clinic: "organizations/o/clinics/north"
    protocol: "protocols/classic/revisions/1"
    planned_sessions: 12
    state: COURSE_STATE_ACTIVE
    activate_time { seconds: 7 })pb");
  const v1::CourseEvent event = PayloadOf(course, Classic());
  ASSERT_EQ(event.phases_size(), 3);
  EXPECT_EQ(event.phases(1).last_session(), 8);
  EXPECT_EQ(event.phases(2).first_session(), 9);
  EXPECT_EQ(event.phases(2).last_session(), 12);
  EXPECT_EQ(event.phases(0).tasks(0).id(), "symptoms-and-diagnosis");
  const std::string text = event.DebugString();
  EXPECT_THAT(text, Not(HasSubstr("label")));
  EXPECT_THAT(text, Not(HasSubstr("1980")));
  EXPECT_EQ(event.patient_jurisdiction(), "GB-ENG");
  EXPECT_EQ(event.patient_time_zone(), "Europe/London");
  EXPECT_EQ(event.measures_size(), 2);
  EXPECT_EQ(event.formulation_due_session(), 3);
  EXPECT_EQ(event.assessment_sessions(), 3);
  EXPECT_EQ(event.activate_time().seconds(), 7);
}

TEST(EventPayloadsTest, AnAppointmentTellsWhetherItCounts) {
  v1::Appointment appointment = Parse<v1::Appointment>(R"pb(
    course: "organizations/o/courses/c"
    state: APPOINTMENT_STATE_NO_SHOW)pb");
  EXPECT_FALSE(PayloadOf(appointment, Classic()).counts_towards_course());
  appointment.set_state(v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_TRUE(PayloadOf(appointment, Classic()).counts_towards_course());
}

TEST(EventPayloadsTest, DirectoryEventsHaveNoNames) {
  EXPECT_EQ(PayloadOf(Parse<v1::Clinician>(R"pb(
              display_name: "Anna"
              subject: "anna@x"
              licence_number: "L1"
              clinics: "organizations/o/clinics/north")pb"))
                .DebugString(),
            Parse<v1::ClinicianEvent>(R"pb(subject: "anna@x"
                                           clinics: "organizations/o/clinics/north")pb")
                .DebugString());
  const v1::TimeOffEvent away = PayloadOf(
      Parse<v1::TimeOff>(R"pb(name: "organizations/o/clinicians/anna/timeOffs/t")pb"), true);
  EXPECT_EQ(away.clinician(), "organizations/o/clinicians/anna");
  EXPECT_TRUE(away.deleted());
}

TEST(EventPayloadsTest, AnOrganizationTellsForWhichJurisdictionsItHasHelp) {
  const v1::OrganizationEvent event = PayloadOf(Parse<v1::Organization>(R"pb(
    display_name: "Secret"
    settings {
      crisis_resources { jurisdiction: "GB-SCT" label: "L" contact: "1" }
      crisis_resources { jurisdiction: "GB-ENG" label: "L" contact: "2" }
      crisis_resources { jurisdiction: "GB-ENG" label: "M" contact: "3" }
    })pb"));
  EXPECT_THAT(event.crisis_jurisdictions(), ElementsAre("GB-ENG", "GB-SCT"));
}

}  // namespace
}  // namespace rapport::scheduling
