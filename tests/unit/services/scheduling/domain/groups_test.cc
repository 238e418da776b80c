#include "services/scheduling/domain/groups.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/scheduling/domain/event_payloads.h"
#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;

const v1::Protocol& GroupProtocol() {
  return *ShippedProtocols().Find("protocols/group/revisions/1");
}

v1::Group Asked() {
  return Parse<v1::Group>(
      "name: 'ignored' display_name: 'Tuesdays' clinician: 'organizations/acme/clinicians/anna' "
      "co_clinicians: 'organizations/acme/clinicians/ben' clinic: "
      "'organizations/acme/clinics/north' "
      "protocol: 'protocols/group/revisions/1' seats_taken: 5");
}

std::vector<v1::Clinician> Leaders() {
  return {Parse<v1::Clinician>("name: 'organizations/acme/clinicians/anna' clinics: "
                               "'organizations/acme/clinics/north'"),
          Parse<v1::Clinician>("name: 'organizations/acme/clinicians/ben' clinics: "
                               "'organizations/acme/clinics/north' buffer_minutes: 10")};
}

TEST(GroupsTest, ANewGroupIsEmptyAndTakesTheProtocolsMostSeats) {
  const auto group = ProposeGroup(Asked(), Leaders(), GroupProtocol());
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(group->capacity(), 10);
  EXPECT_EQ(group->seats_taken(), 0);
  EXPECT_EQ(group->name(), "");
  EXPECT_THAT(group->co_clinicians(), ElementsAre("organizations/acme/clinicians/ben"));
}

TEST(GroupsTest, TheCapacityLiesWithinTheProtocolsBounds) {
  v1::Group asked = Asked();
  for (const auto& [capacity, fits] :
       std::vector<std::pair<int, bool>>{{5, false}, {6, true}, {10, true}, {11, false}}) {
    asked.set_capacity(capacity);
    const auto group = ProposeGroup(asked, Leaders(), GroupProtocol());
    EXPECT_EQ(group.ok(), fits) << capacity;
    if (!fits) {
      EXPECT_EQ(errors::Reason(group.status()), "CAPACITY_OUT_OF_BOUNDS");
      EXPECT_EQ(errors::MetadataValue(group.status(), "max_members"), "10");
    }
  }
}

TEST(GroupsTest, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(errors::Reason(ProposeGroup(Asked(), Leaders(), Classic()).status()), "PROTOCOL_KIND");
  std::vector<v1::Clinician> leaders = Leaders();
  leaders[1].clear_clinics();
  const absl::Status elsewhere = ProposeGroup(Asked(), leaders, GroupProtocol()).status();
  EXPECT_EQ(errors::Reason(elsewhere), "CLINICIAN_NOT_AT_CLINIC");
  EXPECT_EQ(errors::MetadataValue(elsewhere, "clinician"), "organizations/acme/clinicians/ben");
  v1::Group twice = Asked();
  twice.add_co_clinicians(twice.clinician());
  const absl::Status leads = ProposeGroup(twice, Leaders(), GroupProtocol()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(leads));
  EXPECT_EQ(errors::FieldViolations(leads).at(0).field, "group.co_clinicians[1]");
}

TEST(GroupsTest, ACourseOfTheSameProtocolAndClinicMayJoin) {
  const v1::Group group = Asked();
  const v1::Course fits = Parse<v1::Course>(
      "kind: COURSE_KIND_GROUP protocol: 'protocols/group/revisions/1' clinic: "
      "'organizations/acme/clinics/north' state: COURSE_STATE_ACTIVE");
  EXPECT_TRUE(CheckJoining(group, fits).ok());
  const struct {
    std::string change;
    std::string reason;
    std::string field;
  } cases[] = {
      {"kind: COURSE_KIND_INDIVIDUAL", "GROUP_MISMATCH", "kind"},
      {"protocol: 'protocols/group/revisions/2'", "GROUP_MISMATCH", "protocol"},
      {"clinic: 'organizations/acme/clinics/south'", "GROUP_MISMATCH", "clinic"},
      {"group: 'organizations/acme/groups/other'", "GROUP_MISMATCH", "group"},
      {"state: COURSE_STATE_PROPOSED", "COURSE_STATE", ""},
      {"state: COURSE_STATE_PAUSED", "COURSE_STATE", ""},
      {"state: COURSE_STATE_MAINTENANCE", "COURSE_STATE", ""},
      {"state: COURSE_STATE_COMPLETED", "COURSE_STATE", ""},
  };
  for (const auto& [change, reason, field] : cases) {
    v1::Course course = fits;
    course.MergeFrom(Parse<v1::Course>(change));
    const absl::Status refused = CheckJoining(group, course);
    EXPECT_EQ(errors::Reason(refused), reason) << change;
    EXPECT_EQ(errors::MetadataValue(refused, "field"), field) << change;
  }
  v1::Course assessing = fits;
  assessing.set_state(v1::COURSE_STATE_ASSESSING);
  EXPECT_TRUE(CheckJoining(group, assessing).ok());
}

TEST(GroupsTest, TheLowestFreeSeatIsGiven) {
  EXPECT_EQ(LowestFreeSeat({}, 3).value(), 1);
  EXPECT_EQ(LowestFreeSeat({1, 3}, 3).value(), 2);
  EXPECT_EQ(LowestFreeSeat({1, 2}, 3).value(), 3);
  EXPECT_EQ(errors::Reason(LowestFreeSeat({1, 2, 3}, 3).status()), "GROUP_FULL");
}

TEST(GroupsTest, TheGroupMeetsAfterTheMembersOwnSessions) {
  EXPECT_EQ(FirstGroupSession(GroupProtocol()), 2);
  EXPECT_EQ(FirstGroupSession(*ShippedProtocols().Find("protocols/ipt-ast/revisions/1")), 3);
  v1::Protocol plain = GroupProtocol();
  plain.clear_segments();
  EXPECT_EQ(FirstGroupSession(plain), 1);
}

TEST(GroupsTest, ASessionIsCalledOffBeforeItBegins) {
  const v1::GroupSession booked = Parse<v1::GroupSession>(
      "start_time { seconds: 1000 } end_time { seconds: 6400 } state: APPOINTMENT_STATE_BOOKED");
  v1::GroupSession session = booked;
  EXPECT_EQ(errors::Reason(CancelGroupSession(session, absl::FromUnixSeconds(1000))), "TOO_LATE");
  EXPECT_EQ(session.state(), v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_TRUE(CancelGroupSession(session, absl::FromUnixSeconds(999)).ok());
  EXPECT_EQ(session.state(), v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_EQ(errors::Reason(CancelGroupSession(session, absl::FromUnixSeconds(999))),
            "APPOINTMENT_STATE");
}

TEST(GroupsTest, TheEventTellsWhoIsBusyAndUntilWhen) {
  const v1::GroupSession session = Parse<v1::GroupSession>(
      "start_time { seconds: 1000 } end_time { seconds: 6400 } state: APPOINTMENT_STATE_BOOKED "
      "room: 'r' seats { seat: 1 appointment: 'secret' }");
  const v1::GroupSessionEvent event = PayloadOf(session, Asked(), BusyUntil(session, Leaders()));
  EXPECT_EQ(event.busy_until().seconds(), 6400 + 600);
  EXPECT_THAT(event.clinicians(), ElementsAre("organizations/acme/clinicians/anna",
                                              "organizations/acme/clinicians/ben"));
  EXPECT_EQ(event.room(), "r");
  EXPECT_EQ(PayloadOf(Asked()).seats_taken(), 5);
}

}  // namespace
}  // namespace rapport::scheduling
