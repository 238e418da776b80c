#include "services/scheduling/domain/leave.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/time/convert.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;

v1::Appointment Booked() {
  v1::Appointment appointment = Parse<v1::Appointment>(
      "name: 'organizations/acme/appointments/a' clinician: 'organizations/acme/clinicians/anna' "
      "state: APPOINTMENT_STATE_BOOKED modality: MODALITY_IN_PERSON time_zone: 'Europe/London' "
      "local_date { year: 2026 month: 3 day: 30 } local_time { hours: 10 }");
  *appointment.mutable_start_time() = time::ToTimestamp(At("2026-03-30T09:00:00Z"));
  *appointment.mutable_end_time() = time::ToTimestamp(At("2026-03-30T09:50:00Z"));
  return appointment;
}

std::vector<std::string> Told(const std::vector<v1::LeaveOption>& options) {
  std::vector<std::string> told;
  for (const v1::LeaveOption& option : options) {
    std::string one =
        v1::LeaveAction_Name(option.action()).substr(std::string("LEAVE_ACTION_").size());
    if (!option.clinician().empty()) absl::StrAppend(&one, " ", option.clinician());
    if (option.has_start_time()) {
      absl::StrAppend(&one, " ", option.local_date().month(), "-", option.local_date().day(), " ",
                      option.local_time().hours(), ":", option.local_time().minutes());
    }
    told.push_back(one);
  }
  return told;
}

LeaveCandidates All() {
  LeaveCandidates candidates;
  candidates.moves = {At("2026-03-27T10:00:00Z"), At("2026-04-06T09:30:00Z")};
  candidates.colleagues = {"ben", "carla"};
  candidates.telehealth = At("2026-04-01T12:00:00Z");
  return candidates;
}

// The clocks of London go forward on 29 March 2026.
TEST(LeaveTest, AtTheBeginningAndTheEndAColleagueInTheRoomComesBeforeVideo) {
  const std::vector<std::string> expected = {
      "MOVE organizations/acme/clinicians/anna 3-27 10:0",
      "MOVE organizations/acme/clinicians/anna 4-6 10:30",
      "HAND_OVER ben 3-30 10:0",
      "HAND_OVER carla 3-30 10:0",
      "TELEHEALTH organizations/acme/clinicians/anna 4-1 13:0",
      "CANCEL",
  };
  for (v1::Phase phase : {v1::PHASE_INITIAL, v1::PHASE_TERMINATION}) {
    EXPECT_EQ(Told(RankOptions(Booked(), phase, All(), Zone("Europe/London"))), expected);
  }
}

TEST(LeaveTest, InTheMiddleTheSameClinicianByVideoComesBeforeAColleague) {
  for (v1::Phase phase : {v1::PHASE_MIDDLE, v1::PHASE_MAINTENANCE, v1::PHASE_UNSPECIFIED}) {
    const auto options = RankOptions(Booked(), phase, All(), Zone("Europe/London"));
    ASSERT_EQ(options.size(), 6u);
    EXPECT_EQ(options[2].action(), v1::LEAVE_ACTION_TELEHEALTH);
    EXPECT_EQ(options[2].modality(), v1::MODALITY_VIDEO);
    EXPECT_EQ(options[3].action(), v1::LEAVE_ACTION_HAND_OVER);
    EXPECT_EQ(options[5].action(), v1::LEAVE_ACTION_CANCEL);
  }
}

TEST(LeaveTest, ASessionCanAlwaysBeCancelled) {
  EXPECT_THAT(Told(RankOptions(Booked(), v1::PHASE_MIDDLE, {}, Zone("Europe/London"))),
              ElementsAre("CANCEL"));
}

TEST(LeaveTest, APlaceInAGroupIsNotMovedAndAPrivateSessionNotHandedOver) {
  EXPECT_TRUE(LeaveScopeOf(Booked()).may_move);
  EXPECT_TRUE(LeaveScopeOf(Booked()).may_hand_over);
  v1::Appointment seat = Booked();
  seat.set_group_session("organizations/acme/groups/g/sessions/s");
  EXPECT_FALSE(LeaveScopeOf(seat).may_move);
  EXPECT_FALSE(LeaveScopeOf(seat).may_hand_over);
  v1::Appointment alone = Booked();
  alone.set_private_session(true);
  EXPECT_TRUE(LeaveScopeOf(alone).may_move);
  EXPECT_FALSE(LeaveScopeOf(alone).may_hand_over);
}

TEST(LeaveTest, WhatChangedSinceIsOvertaken) {
  v1::LeavePlanItem item;
  *item.mutable_start_time() = Booked().start_time();
  const std::string anna = "organizations/acme/clinicians/anna";
  EXPECT_FALSE(Overtaken(item, anna, Booked()));
  v1::Appointment cancelled = Booked();
  cancelled.set_state(v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_TRUE(Overtaken(item, anna, cancelled));
  v1::Appointment moved = Booked();
  moved.mutable_start_time()->set_seconds(moved.start_time().seconds() + 60);
  EXPECT_TRUE(Overtaken(item, anna, moved));
  v1::Appointment handed_over = Booked();
  handed_over.set_clinician("organizations/acme/clinicians/ben");
  EXPECT_TRUE(Overtaken(item, anna, handed_over));
}

TEST(LeaveTest, WhatFailedMayBeTriedAgain) {
  v1::LeavePlanItem item;
  EXPECT_FALSE(Settled(item));
  item.set_outcome(v1::LEAVE_OUTCOME_FAILED);
  EXPECT_FALSE(Settled(item));
  item.set_outcome(v1::LEAVE_OUTCOME_APPLIED);
  EXPECT_TRUE(Settled(item));
  item.set_outcome(v1::LEAVE_OUTCOME_OVERTAKEN);
  EXPECT_TRUE(Settled(item));
}

TEST(LeaveTest, OfAPrivateSessionTheTimesAloneStay) {
  v1::LeavePlanItem item = Parse<v1::LeavePlanItem>(
      "appointment: 'a' start_time { seconds: 5 } course: 'secret' phase: PHASE_MIDDLE "
      "options { action: LEAVE_ACTION_MOVE clinician: 'anna' start_time { seconds: 9 } modality: "
      "MODALITY_VIDEO }");
  KeepTimes(item);
  EXPECT_EQ(
      item.ShortDebugString(),
      Parse<v1::LeavePlanItem>("appointment: 'a' start_time { seconds: 5 } options { action: "
                               "LEAVE_ACTION_MOVE clinician: 'anna' start_time { seconds: 9 } }")
          .ShortDebugString());
}

}  // namespace
}  // namespace rapport::scheduling
