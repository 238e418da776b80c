#include "services/scheduling/domain/appointments.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/convert.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const absl::Time kStart = absl::FromUnixSeconds(1'772'460'000);  // 2026-03-02T14:00:00Z
const absl::Time kEnd = kStart + absl::Minutes(50);

v1::Appointment Booked(v1::AppointmentState state = v1::APPOINTMENT_STATE_BOOKED) {
  v1::Appointment appointment;
  appointment.set_state(state);
  *appointment.mutable_start_time() = time::ToTimestamp(kStart);
  *appointment.mutable_end_time() = time::ToTimestamp(kEnd);
  return appointment;
}

TEST(AppointmentsTest, OnlyTheDrawnTransitionsPass) {
  struct Rule {
    std::string name;
    std::function<absl::Status(v1::Appointment&)> apply;
    v1::AppointmentState from, to;
  };
  const std::vector<Rule> rules = {
      {"CheckIn",
       [](v1::Appointment& a) {
         return CheckIn(a, v1::COURSE_STATE_ACTIVE, 5, Classic(), {}, kStart);
       },
       v1::APPOINTMENT_STATE_BOOKED, v1::APPOINTMENT_STATE_CHECKED_IN},
      {"Complete", [](v1::Appointment& a) { return CompleteAppointment(a); },
       v1::APPOINTMENT_STATE_CHECKED_IN, v1::APPOINTMENT_STATE_COMPLETED},
      {"NoShow", [](v1::Appointment& a) { return MarkNoShow(a, kStart); },
       v1::APPOINTMENT_STATE_BOOKED, v1::APPOINTMENT_STATE_NO_SHOW},
      {"Cancel",
       [](v1::Appointment& a) {
         return CancelAppointment(a, v1::CANCEL_REASON_PATIENT, absl::Hours(24), kStart);
       },
       v1::APPOINTMENT_STATE_BOOKED, v1::APPOINTMENT_STATE_CANCELLED},
      {"Release", [](v1::Appointment& a) { return EndHold(a, v1::APPOINTMENT_STATE_RELEASED); },
       v1::APPOINTMENT_STATE_HELD, v1::APPOINTMENT_STATE_RELEASED},
  };
  for (const Rule& rule : rules) {
    for (int state = v1::APPOINTMENT_STATE_BOOKED; state <= v1::APPOINTMENT_STATE_EXPIRED;
         ++state) {
      SCOPED_TRACE(rule.name + " from " + v1::AppointmentState_Name(state));
      v1::Appointment appointment = Booked(static_cast<v1::AppointmentState>(state));
      const std::string before = appointment.SerializeAsString();
      const absl::Status status = rule.apply(appointment);
      if (state == rule.from) {
        EXPECT_TRUE(status.ok()) << status;
        EXPECT_EQ(appointment.state(), rule.to);
      } else {
        EXPECT_EQ(errors::Reason(status), "APPOINTMENT_STATE");
        EXPECT_EQ(errors::MetadataValue(status, "state"), v1::AppointmentState_Name(state));
        EXPECT_EQ(appointment.SerializeAsString(), before);
      }
    }
  }
}

std::string CheckInReason(absl::Time now, v1::CourseState course = v1::COURSE_STATE_ACTIVE,
                          int used = 0) {
  v1::Appointment appointment = Booked();
  return errors::Reason(CheckIn(appointment, course, used, Classic(), {}, now));
}

TEST(AppointmentsTest, CheckInIsOpenFromTwelveHoursBeforeToTwelveHoursAfter) {
  EXPECT_EQ(CheckInReason(kStart - absl::Hours(12) - absl::Microseconds(1)), "TOO_EARLY");
  EXPECT_EQ(CheckInReason(kStart - absl::Hours(12)), "");
  EXPECT_EQ(CheckInReason(kEnd + absl::Hours(12)), "");
  EXPECT_EQ(CheckInReason(kEnd + absl::Hours(12) + absl::Microseconds(1)), "TOO_LATE");
}

TEST(AppointmentsTest, CheckInNeedsACourseUnderWay) {
  EXPECT_EQ(CheckInReason(kStart, v1::COURSE_STATE_PAUSED), "COURSE_STATE");
  EXPECT_EQ(CheckInReason(kStart, v1::COURSE_STATE_PROPOSED), "COURSE_STATE");
  EXPECT_EQ(CheckInReason(kStart, v1::COURSE_STATE_DISCONTINUED), "COURSE_STATE");
}

TEST(AppointmentsTest, AssessmentSessionsRunOutUntilTheCourseIsActive) {
  EXPECT_EQ(CheckInReason(kStart, v1::COURSE_STATE_ASSESSING, 2), "");
  EXPECT_EQ(CheckInReason(kStart, v1::COURSE_STATE_ASSESSING, 3), "SUITABILITY_NOT_COMPLETE");
  EXPECT_EQ(CheckInReason(kStart, v1::COURSE_STATE_ACTIVE, 3), "");
}

TEST(AppointmentsTest, NobodyIsMissedBeforeTheStart) {
  v1::Appointment appointment = Booked();
  EXPECT_EQ(errors::Reason(MarkNoShow(appointment, kStart - absl::Microseconds(1))), "TOO_EARLY");
  EXPECT_TRUE(MarkNoShow(appointment, kStart).ok());
}

TEST(AppointmentsTest, CancellationsAreLateWithinTheWindow) {
  const auto late = [](absl::Duration before, absl::Duration window) {
    v1::Appointment appointment = Booked();
    EXPECT_TRUE(
        CancelAppointment(appointment, v1::CANCEL_REASON_PATIENT, window, kStart - before).ok());
    return appointment.cancelled_late();
  };
  EXPECT_FALSE(late(absl::Hours(24), absl::Hours(24)));
  EXPECT_TRUE(late(absl::Hours(24) - absl::Microseconds(1), absl::Hours(24)));
  EXPECT_TRUE(late(-absl::Hours(1), absl::ZeroDuration()));
  EXPECT_FALSE(late(absl::Minutes(1), absl::ZeroDuration()));
}

TEST(AppointmentsTest, WhatCountsFollowsTheProtocol) {
  v1::Protocol strict = Classic();
  strict.set_no_show_consumes_session(true);
  strict.set_late_cancel_consumes_session(true);
  struct Case {
    v1::AppointmentState state;
    v1::CancelReason reason;
    bool late, counts, counts_strict;
  };
  for (const Case& c : std::vector<Case>{
           {v1::APPOINTMENT_STATE_BOOKED, {}, false, true, true},
           {v1::APPOINTMENT_STATE_CHECKED_IN, {}, false, true, true},
           {v1::APPOINTMENT_STATE_COMPLETED, {}, false, true, true},
           {v1::APPOINTMENT_STATE_NO_SHOW, {}, false, false, true},
           {v1::APPOINTMENT_STATE_CANCELLED, v1::CANCEL_REASON_PATIENT, false, false, false},
           {v1::APPOINTMENT_STATE_CANCELLED, v1::CANCEL_REASON_PATIENT, true, false, true},
           {v1::APPOINTMENT_STATE_CANCELLED, v1::CANCEL_REASON_CLINICIAN, true, false, false}}) {
    v1::Appointment appointment = Booked(c.state);
    appointment.set_cancel_reason(c.reason);
    appointment.set_cancelled_late(c.late);
    EXPECT_EQ(CountsTowardsCourse(appointment, Classic()), c.counts) << appointment.DebugString();
    EXPECT_EQ(CountsTowardsCourse(appointment, strict), c.counts_strict);
    const bool booked = c.state == v1::APPOINTMENT_STATE_BOOKED;
    EXPECT_EQ(UsesSession(appointment, strict), c.counts_strict && !booked);
  }
}

TEST(AppointmentsTest, PrivateSessionsCountForNothingAndNeedNoDetermination) {
  v1::Appointment appointment = Booked();
  appointment.set_private_session(true);
  EXPECT_FALSE(CountsTowardsCourse(appointment, Classic()));
  EXPECT_TRUE(CheckIn(appointment, v1::COURSE_STATE_ASSESSING, 3, Classic(), {}, kStart).ok());
  EXPECT_FALSE(UsesSession(appointment, Classic()));
}

TEST(AppointmentsTest, AHoldIsConfirmedBeforeItEnds) {
  v1::Appointment hold = Booked(v1::APPOINTMENT_STATE_HELD);
  *hold.mutable_hold_expire_time() = time::ToTimestamp(kStart);
  v1::Appointment late = hold;
  EXPECT_EQ(errors::Reason(ConfirmHold(late, kStart)), "HOLD_EXPIRED");
  EXPECT_EQ(late.SerializeAsString(), hold.SerializeAsString());
  ASSERT_TRUE(ConfirmHold(hold, kStart - absl::Microseconds(1)).ok());
  EXPECT_EQ(hold.state(), v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_FALSE(hold.has_hold_expire_time());
  EXPECT_EQ(errors::Reason(ConfirmHold(hold, kStart)), "APPOINTMENT_STATE");
  v1::Appointment expired = Booked(v1::APPOINTMENT_STATE_EXPIRED);
  EXPECT_EQ(errors::Reason(ConfirmHold(expired, kStart)), "HOLD_EXPIRED");
}

TEST(AppointmentsTest, WhoeverIsElsewhereSaysWhere) {
  for (v1::Modality modality : {v1::MODALITY_VIDEO, v1::MODALITY_TELEPHONE}) {
    v1::Appointment appointment = Booked();
    appointment.set_modality(modality);
    EXPECT_EQ(
        errors::Reason(CheckIn(appointment, v1::COURSE_STATE_ACTIVE, 0, Classic(), {}, kStart)),
        "TELEHEALTH_DETAILS_NEEDED");
    Arrival told;
    told.telehealth.emplace().set_jurisdiction("GB-SCT");
    ASSERT_TRUE(CheckIn(appointment, v1::COURSE_STATE_ACTIVE, 0, Classic(), told, kStart).ok());
    EXPECT_EQ(appointment.telehealth().jurisdiction(), "GB-SCT");
  }
}

TEST(AppointmentsTest, AttendanceIsKeptOfEachParticipant) {
  v1::Appointment appointment = Booked();
  appointment.add_participants()->set_role(v1::PARTICIPANT_ROLE_PARTNER);
  Arrival arrived;
  arrived.participants = {v1::ATTENDANCE_ABSENT, v1::ATTENDANCE_PRESENT};
  EXPECT_EQ(CheckIn(appointment, v1::COURSE_STATE_ACTIVE, 0, Classic(), arrived, kStart).code(),
            absl::StatusCode::kInvalidArgument);
  arrived.participants.pop_back();
  ASSERT_TRUE(CheckIn(appointment, v1::COURSE_STATE_ACTIVE, 0, Classic(), arrived, kStart).ok());
  EXPECT_EQ(appointment.participants(0).attendance(), v1::ATTENDANCE_ABSENT);
}

TEST(AppointmentsTest, AttendanceIsCorrectedWithinAWeekOfTheEnd) {
  const auto correct = [](v1::AppointmentState from, v1::AppointmentState to, absl::Time now) {
    v1::Appointment appointment = Booked(from);
    const TrueAttendance truth{to, v1::CORRECTION_REASON_MISTAKE, v1::CANCEL_REASON_PATIENT};
    const absl::Status status = CorrectAttendance(appointment, truth, now);
    if (status.ok()) {
      EXPECT_EQ(appointment.state(), to);
      EXPECT_EQ(appointment.corrections(0).from(), from);
      EXPECT_EQ(appointment.corrections(0).to(), to);
    }
    return errors::Reason(status);
  };
  const absl::Time last = kEnd + absl::Hours(7 * 24);
  for (v1::AppointmentState from :
       {v1::APPOINTMENT_STATE_BOOKED, v1::APPOINTMENT_STATE_CHECKED_IN,
        v1::APPOINTMENT_STATE_COMPLETED, v1::APPOINTMENT_STATE_CANCELLED,
        v1::APPOINTMENT_STATE_NO_SHOW}) {
    for (v1::AppointmentState to : {v1::APPOINTMENT_STATE_COMPLETED, v1::APPOINTMENT_STATE_NO_SHOW,
                                    v1::APPOINTMENT_STATE_CANCELLED}) {
      EXPECT_EQ(correct(from, to, last), from == to ? "APPOINTMENT_STATE" : "");
    }
    EXPECT_EQ(correct(from, v1::APPOINTMENT_STATE_BOOKED, last), "INVALID_FIELD");
  }
  EXPECT_EQ(correct(v1::APPOINTMENT_STATE_HELD, v1::APPOINTMENT_STATE_NO_SHOW, last),
            "APPOINTMENT_STATE");
  EXPECT_EQ(correct(v1::APPOINTMENT_STATE_NO_SHOW, v1::APPOINTMENT_STATE_COMPLETED,
                    kEnd - absl::Microseconds(1)),
            "TOO_EARLY");
  EXPECT_EQ(correct(v1::APPOINTMENT_STATE_NO_SHOW, v1::APPOINTMENT_STATE_COMPLETED,
                    last + absl::Microseconds(1)),
            "TOO_LATE");
}

TEST(AppointmentsTest, OfAPrivateSessionTheTimeIsLeft) {
  v1::Appointment appointment = Parse<v1::Appointment>(R"pb(
    name: "organizations/o/appointments/a"
    course: "organizations/o/courses/c"
    patient: "organizations/o/patients/p"
    clinician: "organizations/o/clinicians/anna"
    clinic: "organizations/o/clinics/north"
    start_time { seconds: 1 }
    end_time { seconds: 2 }
    state: APPOINTMENT_STATE_CANCELLED
    cancel_reason: CANCEL_REASON_PATIENT
    modality: MODALITY_VIDEO
    telehealth_uri: "https://t"
    participants { role: PARTICIPANT_ROLE_CARER }
    telehealth { location: "home" }
    series: "s"
    etag: "4")pb");
  v1::Appointment open = appointment;
  KeepTimes(open);
  EXPECT_FALSE(open.has_telehealth());
  EXPECT_EQ(open.course(), appointment.course());
  appointment.set_private_session(true);
  KeepTimes(appointment);
  EXPECT_EQ(appointment.DebugString(), Parse<v1::Appointment>(R"pb(
                                         name: "organizations/o/appointments/a"
                                         clinician: "organizations/o/clinicians/anna"
                                         clinic: "organizations/o/clinics/north"
                                         start_time { seconds: 1 }
                                         end_time { seconds: 2 }
                                         local_date {}
                                         local_time {}
                                         state: APPOINTMENT_STATE_CANCELLED
                                         private_session: true
                                         etag: "4")pb")
                                           .DebugString());
}

TEST(AppointmentsTest, SessionsAreNumberedByStartThenId) {
  EXPECT_THAT(NumberSessions({{kStart + absl::Hours(2), "a"},
                              {kStart, "d"},
                              {kStart + absl::Hours(1), "c"},
                              {kStart + absl::Hours(1), "b"}}),
              ElementsAre(Pair("a", 4), Pair("b", 2), Pair("c", 3), Pair("d", 1)));
}

}  // namespace
}  // namespace rapport::scheduling
