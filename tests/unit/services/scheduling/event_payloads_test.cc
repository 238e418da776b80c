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

TEST(EventPayloadsTest, ACourseTellsOfCoupleSegmentAndMajority) {
  v1::Course course = Parse<v1::Course>(R"pb(
    patient: "organizations/o/patients/p"
    patient_particulars {
      birth_year: 2010
      majority_on { year: 2028 month: 3 day: 1 }
      may_consent_from { year: 2026 month: 3 day: 1 }
    }
    partner: "organizations/o/patients/q"
    partner_particulars {
      birth_year: 1981
      jurisdiction: "GB-WLS"
      time_zone: "Europe/Paris"
      majority_on { year: 1999 month: 3 day: 1 }
    }
    group: "organizations/o/groups/g"
    planned_sessions: 16
    segment: 2
    declared_phases { phase: PHASE_MIDDLE first_session: 3 }
    end { reason: DISCONTINUE_REASON_FORMAT_CHANGED })pb");
  v1::CourseEvent event = PayloadOf(course, Classic());
  EXPECT_EQ(event.kind(), v1::COURSE_KIND_INDIVIDUAL);
  EXPECT_EQ(event.partner(), "organizations/o/patients/q");
  EXPECT_EQ(event.partner_jurisdiction(), "GB-WLS");
  EXPECT_EQ(event.partner_time_zone(), "Europe/Paris");
  EXPECT_EQ(event.segment(), 2);
  EXPECT_EQ(event.majority_on().year(), 2028);
  EXPECT_EQ(event.may_consent_from().year(), 2026);
  EXPECT_EQ(event.group(), "organizations/o/groups/g");
  EXPECT_EQ(event.discontinue_reason(), v1::DISCONTINUE_REASON_FORMAT_CHANGED);
  EXPECT_EQ(event.phases(0).last_session(), 2);
  EXPECT_EQ(event.phases(1).first_session(), 3);
  EXPECT_FALSE(event.has_maintenance());
  EXPECT_THAT(event.DebugString(), Not(HasSubstr("2010")));
  course.clear_patient_particulars();
  event = PayloadOf(course, Classic());
  EXPECT_FALSE(event.has_majority_on());
  EXPECT_FALSE(event.has_may_consent_from());
}

TEST(EventPayloadsTest, ACourseInMaintenanceHasOnePhase) {
  for (const v1::CourseState state : {v1::COURSE_STATE_MAINTENANCE, v1::COURSE_STATE_PAUSED}) {
    v1::Course course = Parse<v1::Course>(R"pb(planned_sessions: 13
                                               maintenance { cadence_days: 28 })pb");
    course.set_state(state);
    const v1::CourseEvent event = PayloadOf(course, Classic());
    ASSERT_EQ(event.phases_size(), 1);
    EXPECT_EQ(event.phases(0).phase(), v1::PHASE_MAINTENANCE);
    EXPECT_EQ(event.phases(0).first_session(), 1);
    EXPECT_EQ(event.phases(0).last_session(), 13);
    EXPECT_EQ(event.maintenance().cadence_days(), 28);
    EXPECT_EQ(event.measures_size(), 2);
  }
}

TEST(EventPayloadsTest, AnAppointmentTellsWhetherItCounts) {
  v1::Appointment appointment = Parse<v1::Appointment>(R"pb(
    course: "organizations/o/courses/c"
    state: APPOINTMENT_STATE_NO_SHOW)pb");
  EXPECT_FALSE(PayloadOf(appointment, Classic()).counts_towards_course());
  appointment.set_state(v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_TRUE(PayloadOf(appointment, Classic()).counts_towards_course());
}

TEST(EventPayloadsTest, OfAPrivateAppointmentOnlyTheTimesAreForEveryone) {
  const v1::Appointment appointment = Parse<v1::Appointment>(R"pb(
    course: "organizations/o/courses/c"
    patient: "organizations/o/patients/p"
    clinician: "organizations/o/clinicians/anna"
    clinic: "organizations/o/clinics/north"
    start_time { seconds: 3600 }
    end_time { seconds: 7200 }
    state: APPOINTMENT_STATE_CANCELLED
    cancel_reason: CANCEL_REASON_PATIENT
    cancelled_late: true
    modality: MODALITY_VIDEO
    participants { role: PARTICIPANT_ROLE_INTERPRETER person: "organizations/o/persons/x" }
    room: "organizations/o/clinics/north/rooms/a"
    segment: 2
    sequence: 3
    private_session: true
    telehealth { location: "at home" })pb");
  const v1::AppointmentEvent whole = PayloadOf(appointment, Classic(), absl::FromUnixSeconds(7800));
  EXPECT_EQ(whole.patient(), appointment.patient());
  EXPECT_EQ(whole.participants_size(), 1);
  EXPECT_EQ(whole.segment(), 2);
  EXPECT_EQ(whole.DebugString().find("at home"), std::string::npos);
  EXPECT_EQ(MaskedPayload(whole).DebugString(), Parse<v1::AppointmentEvent>(R"pb(
                                                  clinician: "organizations/o/clinicians/anna"
                                                  clinic: "organizations/o/clinics/north"
                                                  start_time { seconds: 3600 }
                                                  end_time { seconds: 7200 }
                                                  state: APPOINTMENT_STATE_CANCELLED
                                                  private_session: true
                                                  room: "organizations/o/clinics/north/rooms/a"
                                                  busy_until { seconds: 7800 })pb")
                                                    .DebugString());
}

TEST(EventPayloadsTest, DirectoryEventsHaveNoNames) {
  v1::Clinician clinician = Parse<v1::Clinician>(R"pb(
    display_name: "Anna"
    subject: "anna@x"
    licence_number: "L1"
    licence_expire_date { year: 2027 month: 12 day: 31 }
    trainee: true
    telehealth_uri: "https://example.org/anna"
    clinics: "organizations/o/clinics/north")pb");
  EXPECT_EQ(PayloadOf(clinician).DebugString(),
            Parse<v1::ClinicianEvent>(R"pb(subject: "anna@x"
                                           clinics: "organizations/o/clinics/north"
                                           licence_expire_date { year: 2027 month: 12 day: 31 }
                                           trainee: true)pb")
                .DebugString());
  const v1::ClinicianEvent gone = PayloadOf(clinician, true);
  EXPECT_TRUE(gone.deleted());
  EXPECT_EQ(gone.subject(), "");
  EXPECT_EQ(PayloadOf(Parse<v1::Clinic>(R"pb(
              display_name: "North"
              time_zone: "Europe/London"
              jurisdiction: "GB-ENG"
              address: "1 High Street"
              duty_list: "organizations/o/clinicians/anna"
              holidays {
                date { year: 2026 month: 12 day: 25 }
                label: "Christmas"
              }
              monitored_hours { day_of_week: MONDAY })pb"))
                .DebugString(),
            Parse<v1::ClinicEvent>(R"pb(time_zone: "Europe/London"
                                        jurisdiction: "GB-ENG"
                                        duty_list: "organizations/o/clinicians/anna"
                                        monitored_hours { day_of_week: MONDAY }
                                        holidays { year: 2026 month: 12 day: 25 })pb")
                .DebugString());
  EXPECT_EQ(
      PayloadOf(Parse<v1::Room>(R"pb(display_name: "Blue room"
                                     capacity: 4
                                     features: "quiet"
                                     out_of_use: true)pb"),
                true)
          .DebugString(),
      Parse<v1::RoomEvent>(R"pb(capacity: 4 features: "quiet" out_of_use: true deleted: true)pb")
          .DebugString());
  EXPECT_EQ(PayloadOf(Parse<v1::Supervision>(R"pb(name: "s"
                                                  supervisor: "a"
                                                  supervisee: "b"
                                                  start_time { seconds: 1 })pb"))
                .DebugString(),
            Parse<v1::SupervisionEvent>(R"pb(supervisor: "a"
                                             supervisee: "b"
                                             start_time { seconds: 1 })pb")
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
      monitored_hours { day_of_week: FRIDAY }
      crisis_resources { jurisdiction: "GB-SCT" label: "L" contact: "1" }
      crisis_resources { jurisdiction: "GB-ENG" label: "L" contact: "2" }
      crisis_resources { jurisdiction: "GB-ENG" label: "M" contact: "3" }
    })pb"));
  EXPECT_THAT(event.crisis_jurisdictions(), ElementsAre("GB-ENG", "GB-SCT"));
  ASSERT_EQ(event.monitored_hours_size(), 1);
  EXPECT_EQ(event.monitored_hours(0).day_of_week(), google::type::FRIDAY);
}

}  // namespace
}  // namespace rapport::scheduling
