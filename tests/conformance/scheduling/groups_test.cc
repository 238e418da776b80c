#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/scheduling/rpc/booker.h"
#include "services/scheduling/rpc/group_handlers.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAcme[] = "organizations/acme";

// Groups of anna, with ben beside her, at north. Carl works at south alone.
class GroupsTest : public SchedulingTest {
 protected:
  void SetUp() override {
    SchedulingTest::SetUp();
    auto carl = NewClinician("acme", "carl");
    carl.mutable_clinician()->mutable_clinics()->DeleteSubrange(0, 1);
    for (int i = carl.clinician().weekly_hours_size() - 1; i >= 0; --i) {
      auto& hours = *carl.mutable_clinician()->mutable_weekly_hours();
      if (hours[i].clinic() != absl::StrCat(kAcme, "/clinics/south")) hours.DeleteSubrange(i, 1);
    }
    const auto made = Do(&DirectoryHandlers::CreateClinician, admin_, carl);
    ASSERT_TRUE(made.ok()) << made.status();
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Ask(
      absl::StatusOr<Response> (GroupHandlers::*method)(const call::CallContext&, const Request&),
      const Who& who, const Request& request) {
    const call::CallContext context = Context(who, request);
    absl::StatusOr<Response> response = (groups_.*method)(context, request);
    replayed_ = context.replayed;
    return response;
  }

  static v1::CreateGroupRequest NewGroup(int capacity = 0) {
    return Parse<v1::CreateGroupRequest>(absl::StrCat(
        "parent: 'organizations/acme' group { display_name: 'Mondays' clinician: "
        "'organizations/acme/clinicians/anna' co_clinicians: 'organizations/acme/clinicians/ben' "
        "clinic: 'organizations/acme/clinics/north' protocol: 'protocols/group/revisions/1' "
        "capacity: ",
        capacity, " }"));
  }
  v1::Group Made(int capacity = 0) {
    const auto group = Ask(&GroupHandlers::CreateGroup, anna_, NewGroup(capacity));
    EXPECT_TRUE(group.ok()) << group.status();
    return group.ok() ? *group : v1::Group();
  }

  // An ASSESSING course of the group's protocol.
  v1::Course Member(const std::string& patient, const std::string& clinician = "anna") {
    auto request = NewCourse(patient, clinician);
    request.mutable_course()->set_protocol("protocols/group/revisions/1");
    auto course = Do(&CourseHandlers::CreateCourse, Therapist(clinician), request);
    EXPECT_TRUE(course.ok()) << course.status();
    v1::BeginAssessmentRequest begin;
    begin.set_name(course->name());
    course = Do(&CourseHandlers::BeginAssessment, Therapist(clinician), begin);
    EXPECT_TRUE(course.ok()) << course.status();
    return *course;
  }

  absl::StatusOr<v1::Course> Join(const v1::Group& group, const v1::Course& course,
                                  const Who& who) {
    v1::JoinGroupRequest request;
    request.set_name(group.name());
    request.set_course(course.name());
    return Ask(&GroupHandlers::JoinGroup, who, request);
  }
  absl::StatusOr<v1::Course> Join(const v1::Group& group, const v1::Course& course) {
    return Join(group, course, anna_);
  }
  absl::StatusOr<v1::Course> Leave(const v1::Group& group, const v1::Course& course,
                                   const Who& who) {
    v1::LeaveGroupRequest request;
    request.set_name(group.name());
    request.set_course(course.name());
    return Ask(&GroupHandlers::LeaveGroup, who, request);
  }

  // Mondays at 14:00 from 9 February 2026 on.
  static v1::BookGroupSessionsRequest Mondays(const v1::Group& group, int count,
                                              const std::string& more = "") {
    return Parse<v1::BookGroupSessionsRequest>(
        absl::StrCat("name: '", group.name(), "' first_date { year: 2026 month: 2 day: 9 } ",
                     "local_time { hours: 14 } count: ", count, " ", more));
  }
  std::vector<v1::GroupSession> Met(const v1::Group& group, int count) {
    auto booked = Ask(&GroupHandlers::BookGroupSessions, anna_, Mondays(group, count));
    EXPECT_TRUE(booked.ok()) << booked.status();
    if (!booked.ok()) return {};
    return {booked->group_sessions().begin(), booked->group_sessions().end()};
  }
  absl::StatusOr<v1::GroupSession> CallOff(const v1::GroupSession& session, const Who& who,
                                           const std::string& etag = "") {
    v1::CancelGroupSessionRequest request;
    request.set_name(session.name());
    request.set_etag(etag);
    return Ask(&GroupHandlers::CancelGroupSession, who, request);
  }

  v1::Group Group(const v1::Group& group) {
    v1::GetGroupRequest request;
    request.set_name(group.name());
    return Ask(&GroupHandlers::GetGroup, anna_, request).value();
  }
  std::vector<std::string> Members(const v1::Group& group) {
    v1::ListGroupMembersRequest request;
    request.set_parent(group.name());
    const auto listed = Ask(&GroupHandlers::ListGroupMembers, anna_, request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    std::vector<std::string> members;
    for (const auto& member : listed->group_members()) {
      members.push_back(absl::StrCat(member.seat(), " ", member.course()));
    }
    return members;
  }
  std::vector<v1::GroupSession> Sessions(const v1::Group& group) {
    v1::ListGroupSessionsRequest request;
    request.set_parent(group.name());
    const auto listed = Ask(&GroupHandlers::ListGroupSessions, anna_, request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    return {listed->group_sessions().begin(), listed->group_sessions().end()};
  }
  // By session the seats and their states, as "1:BOOKED 2:CANCELLED".
  std::vector<std::string> Seats(const v1::Group& group) {
    std::vector<std::string> all;
    for (const v1::GroupSession& session : Sessions(group)) {
      std::string seats;
      for (const v1::GroupSeat& seat : session.seats()) {
        absl::StrAppend(
            &seats, seats.empty() ? "" : " ", seat.seat(), ":",
            absl::StripPrefix(v1::AppointmentState_Name(seat.state()), "APPOINTMENT_STATE_"));
      }
      all.push_back(seats);
    }
    return all;
  }
  v1::Appointment Appointment(const std::string& name, const Who& who) {
    v1::GetAppointmentRequest request;
    request.set_name(name);
    const auto appointment = Do(&AppointmentHandlers::GetAppointment, who, request);
    EXPECT_TRUE(appointment.ok()) << appointment.status();
    return appointment.ok() ? *appointment : v1::Appointment();
  }

  GroupHandlers groups_{*database_, revisions_, booker_};
  const Who carl_ = Therapist("carl");
};

TEST_P(GroupsTest, AGroupIsMadeOnceForOneRequest) {
  auto request = NewGroup(8);
  request.set_request_id("123e4567-e89b-42d3-a456-426614174000");
  const auto first = Ask(&GroupHandlers::CreateGroup, anna_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->capacity(), 8);
  EXPECT_EQ(first->etag(), "1");
  const auto again = Ask(&GroupHandlers::CreateGroup, anna_, request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Group(*first).SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Made().capacity(), 10);
}

TEST_P(GroupsTest, WhatAGroupNeedsMustBeThere) {
  const struct {
    std::string change;
    std::string reason;
  } cases[] = {
      {"clinician: 'organizations/acme/clinicians/nobody'", "UNKNOWN_CLINICIAN"},
      {"co_clinicians: 'organizations/acme/clinicians/nobody'", "UNKNOWN_CLINICIAN"},
      {"clinic: 'organizations/acme/clinics/nowhere'", "UNKNOWN_CLINIC"},
      {"protocol: 'protocols/group/revisions/99'", "UNKNOWN_PROTOCOL"},
      {"protocol: 'protocols/classic/revisions/1'", "PROTOCOL_KIND"},
      {"co_clinicians: 'organizations/acme/clinicians/carl'", "CLINICIAN_NOT_AT_CLINIC"},
      {"capacity: 5", "CAPACITY_OUT_OF_BOUNDS"},
      {"capacity: 11", "CAPACITY_OUT_OF_BOUNDS"},
      {"co_clinicians: 'organizations/acme/clinicians/anna'", "INVALID_FIELD"},
  };
  for (const auto& [change, reason] : cases) {
    auto request = NewGroup();
    request.mutable_group()->MergeFrom(Parse<v1::Group>(change));
    const auto group = Ask(&GroupHandlers::CreateGroup, scheduler_, request);
    EXPECT_EQ(errors::Reason(group.status()), reason) << change;
  }
  EXPECT_EQ(errors::Reason(Ask(&GroupHandlers::CreateGroup, carl_, NewGroup()).status()),
            "NOT_THE_THERAPIST");
}

TEST_P(GroupsTest, WhoLeadsWhoCoversAndTheClinicsDeskKnowAGroupAndNobodyElse) {
  const v1::Group group = Made();
  const v1::Course member = Member("p");
  ASSERT_TRUE(Join(group, member).ok());
  const auto session = Met(group, 1).at(0);
  const auto attempt = [&](const Who& who) {
    v1::GetGroupRequest get;
    get.set_name(group.name());
    v1::ListGroupMembersRequest members;
    members.set_parent(group.name());
    v1::ListGroupSessionsRequest sessions;
    sessions.set_parent(group.name());
    v1::ListGroupsRequest list;
    list.set_parent(kAcme);
    const bool known = Ask(&GroupHandlers::GetGroup, who, get).ok();
    EXPECT_EQ(Ask(&GroupHandlers::ListGroupMembers, who, members).ok(), known);
    EXPECT_EQ(Ask(&GroupHandlers::ListGroupSessions, who, sessions).ok(), known);
    EXPECT_EQ(Ask(&GroupHandlers::ListGroups, who, list)->groups_size(), known ? 1 : 0);
    return known;
  };
  EXPECT_TRUE(attempt(anna_));
  EXPECT_TRUE(attempt(ben_));
  EXPECT_TRUE(attempt(scheduler_));
  EXPECT_TRUE(attempt(manager_));
  EXPECT_TRUE(attempt({"desk", {"scheduler"}, {{"north"}}, "acme"}));
  const Who south{"desk", {"scheduler"}, {{"south"}}, "acme"};
  for (const Who& stranger : {carl_, south}) {
    EXPECT_FALSE(attempt(stranger));
    for (const absl::Status& refused :
         {Join(group, member, stranger).status(), Leave(group, member, stranger).status(),
          Ask(&GroupHandlers::BookGroupSessions, stranger, Mondays(group, 1)).status(),
          CallOff(session, stranger).status()}) {
      EXPECT_EQ(refused, errors::NotFound("Group"));
    }
  }
  // For ben, from now on.
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateCover, admin_,
                 Parse<v1::CreateCoverRequest>(
                     absl::StrCat("parent: 'organizations/acme' cover { clinician: "
                                  "'organizations/acme/clinicians/ben' covering_clinician: "
                                  "'organizations/acme/clinicians/carl' start_time { seconds: ",
                                  absl::ToUnixSeconds(now_), " } end_time { seconds: ",
                                  absl::ToUnixSeconds(now_ + absl::Hours(24)), " } }")))
                  .ok());
  EXPECT_TRUE(attempt(carl_));
  EXPECT_TRUE(Leave(group, member, carl_).ok());
}

TEST_P(GroupsTest, ASupervisorOfWhoLeadsReadsAGroupAndChangesNothing) {
  const v1::Group group = Made();
  ASSERT_TRUE(Do(&SupervisionHandlers::CreateSupervision, admin_,
                 Parse<v1::CreateSupervisionRequest>(
                     absl::StrCat("parent: 'organizations/acme' supervision { supervisor: "
                                  "'organizations/acme/clinicians/carl' supervisee: "
                                  "'organizations/acme/clinicians/ben' start_time { seconds: ",
                                  absl::ToUnixSeconds(now_), " } }")))
                  .ok());
  const Who supervisor{"carl", {"supervisor"}, {}, "acme"};
  v1::GetGroupRequest get;
  get.set_name(group.name());
  EXPECT_TRUE(Ask(&GroupHandlers::GetGroup, supervisor, get).ok());
  v1::ListGroupsRequest list;
  list.set_parent(kAcme);
  EXPECT_EQ(Ask(&GroupHandlers::ListGroups, supervisor, list)->groups_size(), 1);
  EXPECT_EQ(errors::Reason(
                Ask(&GroupHandlers::BookGroupSessions, supervisor, Mondays(group, 1)).status()),
            "NOT_THE_THERAPIST");
}

TEST_P(GroupsTest, AMemberGetsTheLowestFreeSeatAndAPlaceInEverySessionToCome) {
  const v1::Group group = Made();
  const auto sessions = Met(group, 3);
  ASSERT_THAT(sessions, SizeIs(3));
  const v1::Course one = Member("p1"), two = Member("p2"), three = Member("p3");
  const auto joined = Join(group, one);
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->group(), group.name());
  EXPECT_EQ(joined->seat(), 1);
  EXPECT_EQ(joined->etag(), "3");
  ASSERT_TRUE(Join(group, two).ok());
  EXPECT_EQ(Group(group).seats_taken(), 2);
  EXPECT_THAT(Members(group), ElementsAre("1 " + one.name(), "2 " + two.name()));
  EXPECT_THAT(Seats(group),
              ElementsAre("1:BOOKED 2:BOOKED", "1:BOOKED 2:BOOKED", "1:BOOKED 2:BOOKED"));
  const v1::Appointment place = Appointment(Sessions(group).at(1).seats(0).appointment(), anna_);
  EXPECT_EQ(place.course(), one.name());
  EXPECT_EQ(place.group_session(), sessions.at(1).name());
  EXPECT_EQ(place.seat(), 1);
  EXPECT_EQ(place.start_time().seconds(), sessions.at(1).start_time().seconds());
  EXPECT_EQ(place.end_time().seconds() - place.start_time().seconds(), 90 * 60);

  // After the first session.
  now_ += absl::Hours(24 * 12);
  const auto left = Leave(group, one, scheduler_);
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_EQ(left->group(), "");
  EXPECT_EQ(left->seat(), 0);
  EXPECT_THAT(Seats(group), ElementsAre("1:BOOKED 2:BOOKED", "2:BOOKED", "2:BOOKED"));
  const v1::Appointment given_back = Appointment(place.name(), anna_);
  EXPECT_EQ(given_back.state(), v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_EQ(given_back.cancel_reason(), v1::CANCEL_REASON_GROUP);
  EXPECT_EQ(errors::Reason(Leave(group, one, anna_).status()), "NOT_A_MEMBER");
  ASSERT_TRUE(Join(group, three).ok());
  EXPECT_THAT(Members(group), ElementsAre("1 " + three.name(), "2 " + two.name()));
  EXPECT_THAT(Seats(group),
              ElementsAre("1:BOOKED 2:BOOKED", "1:BOOKED 2:BOOKED", "1:BOOKED 2:BOOKED"));
}

TEST_P(GroupsTest, ACourseThatEndsGivesItsSeatBack) {
  const v1::Group group = Made();
  Met(group, 2);
  const v1::Course one = Member("p1"), two = Member("p2"), three = Member("p3");
  for (const v1::Course& member : {one, two, three}) ASSERT_TRUE(Join(group, member).ok());
  const auto end = [&](const v1::Course& course, v1::FutureAppointments future) {
    v1::DiscontinueCourseRequest request;
    request.set_name(course.name());
    request.set_reason(v1::DISCONTINUE_REASON_PATIENT_CHOICE);
    request.set_future_appointments(future);
    const auto ended = Do(&CourseHandlers::DiscontinueCourse, anna_, request);
    ASSERT_TRUE(ended.ok()) << ended.status();
    EXPECT_EQ(ended->state(), v1::COURSE_STATE_DISCONTINUED);
    EXPECT_EQ(ended->group(), "");
    EXPECT_EQ(ended->seat(), 0);
    EXPECT_EQ(ended->etag(), "4");
  };
  end(one, v1::FUTURE_APPOINTMENTS_CANCEL);
  EXPECT_EQ(Group(group).seats_taken(), 2);
  EXPECT_THAT(Members(group), ElementsAre("2 " + two.name(), "3 " + three.name()));
  EXPECT_THAT(Seats(group), ElementsAre("2:BOOKED 3:BOOKED", "2:BOOKED 3:BOOKED"));
  v1::GroupEvent event;
  for (const auto& told : Events()) {
    if (told.resource() != group.name()) continue;
    ASSERT_TRUE(told.payload().UnpackTo(&event));
  }
  EXPECT_EQ(event.seats_taken(), 2);

  // The places that it keeps go with the sessions; the next member gets the other seat.
  end(two, v1::FUTURE_APPOINTMENTS_KEEP);
  EXPECT_THAT(Members(group), ElementsAre("3 " + three.name()));
  EXPECT_THAT(Seats(group), ElementsAre("2:BOOKED 3:BOOKED", "2:BOOKED 3:BOOKED"));
  ASSERT_TRUE(Join(group, Member("p4")).ok());
  EXPECT_EQ(Group(group).seats_taken(), 2);
  EXPECT_THAT(Seats(group),
              ElementsAre("1:BOOKED 2:BOOKED 3:BOOKED", "1:BOOKED 2:BOOKED 3:BOOKED"));
}

TEST_P(GroupsTest, JoiningTellsWhatChanged) {
  const v1::Group group = Made();
  const auto session = Met(group, 1).at(0);
  const v1::Course course = Member("p");
  ASSERT_TRUE(Join(group, course).ok());
  v1::GroupEvent of_group;
  v1::CourseEvent of_course;
  v1::GroupSessionEvent of_session;
  int64_t group_version = 0;
  for (const auto& event : Events()) {
    if (event.resource() == group.name()) {
      ASSERT_TRUE(event.payload().UnpackTo(&of_group));
      group_version = event.version();
    }
    if (event.resource() == course.name()) {
      ASSERT_TRUE(event.payload().UnpackTo(&of_course));
    }
    if (event.resource() == session.name()) {
      ASSERT_TRUE(event.payload().UnpackTo(&of_session));
    }
  }
  EXPECT_EQ(group_version, 2);
  EXPECT_EQ(of_group.seats_taken(), 1);
  EXPECT_EQ(of_course.group(), group.name());
  EXPECT_EQ(of_session.group(), group.name());
  EXPECT_THAT(of_session.clinicians(), ElementsAre(group.clinician(), group.co_clinicians(0)));
}

TEST_P(GroupsTest, ARepeatedJoinReturnsTheCourseAndTakesNoSecondSeat) {
  const v1::Group group = Made();
  v1::JoinGroupRequest request;
  request.set_name(group.name());
  request.set_course(Member("p").name());
  request.set_request_id("123e4567-e89b-42d3-a456-426614174001");
  const auto first = Ask(&GroupHandlers::JoinGroup, anna_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Ask(&GroupHandlers::JoinGroup, anna_, request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Group(group).seats_taken(), 1);
}

TEST_P(GroupsTest, WhoDoesNotFitIsRefused) {
  const v1::Group group = Made();
  const v1::Course member = Member("p");
  ASSERT_TRUE(Join(group, member).ok());
  EXPECT_EQ(errors::Reason(Join(group, member).status()), "GROUP_MISMATCH");
  EXPECT_EQ(errors::Reason(Join(group, Begun("individual")).status()), "GROUP_MISMATCH");
  auto proposed = NewCourse("proposed");
  proposed.mutable_course()->set_protocol("protocols/group/revisions/1");
  const auto course = Do(&CourseHandlers::CreateCourse, anna_, proposed);
  EXPECT_EQ(errors::Reason(Join(group, *course).status()), "COURSE_STATE");
  v1::Course absent;
  absent.set_name(absl::StrCat(kAcme, "/courses/01hzzzzzzzzzzzzzzzzzzzzzzz"));
  EXPECT_EQ(Join(group, absent).status(), errors::NotFound("Course"));
  // Of a therapist whom anna does not cover: for the desk to say.
  const v1::Course other = Member("q", "ben");
  EXPECT_EQ(Join(group, other).status(), errors::NotFound("Course"));
  EXPECT_TRUE(Join(group, other, scheduler_).ok());
  EXPECT_EQ(errors::Reason(Leave(group, Begun("r"), anna_).status()), "NOT_A_MEMBER");
}

TEST_P(GroupsTest, JoiningIsAllOrNothing) {
  const v1::Group group = Made();
  const auto sessions = Met(group, 3);
  // Within the third session, with somebody who is not in the group.
  const v1::Course course = Member("p");
  Booked(Begun("p", "carl", "south"), 2, 23, 15);
  const auto joined = Join(group, course);
  EXPECT_EQ(errors::Reason(joined.status()), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(joined.status(), "date"), "2026-02-23");
  EXPECT_EQ(errors::MetadataValue(joined.status(), "resource"), "");
  EXPECT_THAT(Members(group), IsEmpty());
  EXPECT_EQ(Group(group).seats_taken(), 0);
  EXPECT_THAT(Seats(group), ElementsAre("", "", ""));
}

TEST_P(GroupsTest, SessionsHaveAPlaceForEveryMember) {
  const v1::Group group = Made();
  ASSERT_TRUE(Join(group, Member("p1")).ok());
  // Of another therapist: who leads the group books for all of its members.
  ASSERT_TRUE(Join(group, Member("p2", "ben"), scheduler_).ok());
  auto request =
      Mondays(group, 2,
              "exceptions { date { year: 2026 month: 2 day: 16 } moved_date { year: 2026 "
              "month: 2 day: 17 } moved_time { hours: 10 } }");
  request.set_request_id("123e4567-e89b-42d3-a456-426614174002");
  for (const bool repeated : {false, true}) {
    const auto booked = Ask(&GroupHandlers::BookGroupSessions, ben_, request);
    ASSERT_TRUE(booked.ok()) << booked.status();
    EXPECT_EQ(replayed_, repeated);
    ASSERT_EQ(booked->group_sessions_size(), 2);
    const v1::GroupSession& moved = booked->group_sessions(1);
    EXPECT_EQ(moved.local_date().day(), 17);
    EXPECT_EQ(moved.local_time().hours(), 10);
    EXPECT_EQ(moved.seats_size(), 2);
    EXPECT_EQ(moved.seats(1).seat(), 2);
    EXPECT_EQ(moved.etag(), "1");
    EXPECT_EQ(moved.end_time().seconds() - moved.start_time().seconds(), 90 * 60);
    EXPECT_EQ(booked->SerializeAsString(),
              Ask(&GroupHandlers::BookGroupSessions, ben_, request)->SerializeAsString());
  }
  EXPECT_THAT(Seats(group), ElementsAre("1:BOOKED 2:BOOKED", "1:BOOKED 2:BOOKED"));
}

TEST_P(GroupsTest, SessionsAreBookedAllOrNone) {
  const v1::Group group = Made();
  const v1::Course member = Member("p");
  ASSERT_TRUE(Join(group, member).ok());
  Booked(Begun("p", "carl", "south"), 2, 16, 15);
  const auto refused = Ask(&GroupHandlers::BookGroupSessions, anna_, Mondays(group, 3));
  EXPECT_EQ(errors::Reason(refused.status()), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(refused.status(), "date"), "2026-02-16");
  EXPECT_THAT(Sessions(group), IsEmpty());
  // Neither is the clinicians' time taken.
  Booked(Begun("q", "ben"), 2, 9, 14);
  const auto of_ben = Ask(&GroupHandlers::BookGroupSessions, anna_, Mondays(group, 1));
  EXPECT_EQ(errors::Reason(of_ben.status()), "TIME_TAKEN");
  EXPECT_EQ(errors::MetadataValue(of_ben.status(), "resource"),
            "organizations/acme/clinicians/ben");
  EXPECT_EQ(errors::Reason(Ask(&GroupHandlers::BookGroupSessions, anna_,
                               Mondays(group, 1,
                                       "exceptions { date { year: 2026 month: 2 day: 10 } skip: "
                                       "true }"))
                               .status()),
            "INVALID_FIELD");
}

TEST_P(GroupsTest, TheTimeOfCliniciansAndRoomIsTakenOnceAndFreedWithTheSession) {
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateRoom, admin_,
                 Parse<v1::CreateRoomRequest>(
                     "parent: 'organizations/acme/clinics/north' room_id: 'hall' room { "
                     "display_name: 'Hall' capacity: 12 }"))
                  .ok());
  const v1::Group group = Made();
  for (const char* patient : {"p1", "p2", "p3"}) {
    ASSERT_TRUE(Join(group, Member(patient)).ok());
  }
  const auto booked = Ask(&GroupHandlers::BookGroupSessions, anna_,
                          Mondays(group, 1, "room_need { capacity: 10 }"));
  ASSERT_TRUE(booked.ok()) << booked.status();
  const v1::GroupSession session = booked->group_sessions(0);
  EXPECT_EQ(session.room(), "organizations/acme/clinics/north/rooms/hall");
  const v1::Course other = Begun("q", "ben");
  EXPECT_EQ(
      errors::Reason(Do(&AppointmentHandlers::BookAppointment, ben_, At(other, 2, 9, 15)).status()),
      "TIME_TAKEN");

  EXPECT_EQ(errors::Reason(CallOff(session, anna_, "7").status()), "STALE_ETAG");
  const auto called_off = CallOff(session, ben_, session.etag());
  ASSERT_TRUE(called_off.ok()) << called_off.status();
  EXPECT_EQ(called_off->state(), v1::APPOINTMENT_STATE_CANCELLED);
  EXPECT_EQ(called_off->etag(), "2");
  EXPECT_THAT(Seats(group), ElementsAre("1:CANCELLED 2:CANCELLED 3:CANCELLED"));
  EXPECT_EQ(Appointment(called_off->seats(0).appointment(), anna_).cancel_reason(),
            v1::CANCEL_REASON_GROUP);
  EXPECT_EQ(errors::Reason(CallOff(session, anna_).status()), "APPOINTMENT_STATE");
  EXPECT_TRUE(Do(&AppointmentHandlers::BookAppointment, ben_, At(other, 2, 9, 15)).ok());
}

TEST_P(GroupsTest, ASessionThatHasBegunIsNotCalledOff) {
  const v1::Group group = Made();
  const auto session = Met(group, 1).at(0);
  now_ = absl::FromUnixSeconds(session.start_time().seconds());
  EXPECT_EQ(errors::Reason(CallOff(session, anna_).status()), "TOO_LATE");
}

TEST_P(GroupsTest, ListsGoOnFromPageToPage) {
  std::vector<std::string> made = {Made().name(), Made().name(), Made().name()};
  v1::ListGroupsRequest groups;
  groups.set_parent(kAcme);
  groups.set_page_size(2);
  auto page = Ask(&GroupHandlers::ListGroups, anna_, groups);
  ASSERT_EQ(page->groups_size(), 2);
  groups.set_page_token(page->next_page_token());
  page = Ask(&GroupHandlers::ListGroups, anna_, groups);
  ASSERT_EQ(page->groups_size(), 1);
  EXPECT_EQ(page->next_page_token(), "");

  const v1::Group group = Group(page->groups(0));
  const auto sessions = Met(group, 3);
  v1::ListGroupSessionsRequest list;
  list.set_parent(group.name());
  list.set_page_size(1);
  std::vector<std::string> seen;
  do {
    const auto listed = Ask(&GroupHandlers::ListGroupSessions, anna_, list);
    ASSERT_TRUE(listed.ok()) << listed.status();
    ASSERT_EQ(listed->group_sessions_size(), 1);
    seen.push_back(listed->group_sessions(0).name());
    list.set_page_token(listed->next_page_token());
  } while (!list.page_token().empty());
  EXPECT_THAT(seen, ElementsAre(sessions[0].name(), sessions[1].name(), sessions[2].name()));

  for (const char* patient : {"p1", "p2"}) ASSERT_TRUE(Join(group, Member(patient)).ok());
  v1::ListGroupMembersRequest members;
  members.set_parent(group.name());
  members.set_page_size(1);
  auto of_members = Ask(&GroupHandlers::ListGroupMembers, anna_, members);
  ASSERT_EQ(of_members->group_members_size(), 1);
  members.set_page_token(of_members->next_page_token());
  of_members = Ask(&GroupHandlers::ListGroupMembers, anna_, members);
  EXPECT_EQ(of_members->group_members(0).seat(), 2);
  EXPECT_EQ(of_members->next_page_token(), "");
  members.set_parent(made[1]);
  EXPECT_TRUE(
      absl::IsInvalidArgument(Ask(&GroupHandlers::ListGroupMembers, anna_, members).status()));
}

TEST_P(GroupsTest, OfTwelveWhoJoinAtOnceEightGetTheEightSeats) {
  const v1::Group group = Made(8);
  Met(group, 2);
  std::vector<v1::Course> courses;
  for (int i = 0; i < 12; ++i) courses.push_back(Member(absl::StrCat("p", i)));
  std::vector<absl::Status> outcomes(courses.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < courses.size(); ++i) {
    threads.emplace_back([&, i] {
      v1::JoinGroupRequest request;
      request.set_name(group.name());
      request.set_course(courses[i].name());
      const call::CallContext context = Context(anna_, request);
      outcomes[i] = groups_.JoinGroup(context, request).status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  int joined = 0;
  for (const absl::Status& outcome : outcomes) {
    if (outcome.ok()) {
      ++joined;
    } else {
      EXPECT_EQ(errors::Reason(outcome), "GROUP_FULL") << outcome;
    }
  }
  EXPECT_EQ(joined, 8);
  EXPECT_EQ(Group(group).seats_taken(), 8);
  std::set<int> seats;
  v1::ListGroupMembersRequest request;
  request.set_parent(group.name());
  const auto members = Ask(&GroupHandlers::ListGroupMembers, anna_, request);
  for (const auto& member : members->group_members()) seats.insert(member.seat());
  EXPECT_THAT(seats, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  for (const v1::GroupSession& session : Sessions(group)) EXPECT_EQ(session.seats_size(), 8);
}

INSTANTIATE_ON_ENGINES(GroupsTest);

}  // namespace
}  // namespace rapport::scheduling
