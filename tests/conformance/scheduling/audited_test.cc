#include "services/scheduling/store/audited.h"

#include "services/scheduling/rpc/leave_handlers.h"
#include "tests/conformance/audit/records.h"
#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

class SchedulingAuditedTest : public SchedulingTest {
 protected:
  audit::Findings Verify() {
    return audit::testing::VerifyRecords(*database_, store::RecordKinds(), now_);
  }

  LeaveHandlers leave_{
      *database_, revisions_, booker_,
      LeaveHints{.free_times = [](const FreeTimesAsk&) { return std::vector<absl::Time>(); },
                 .colleagues = [](const ColleaguesAsk&) { return std::vector<std::string>(); }}};

  // One of each of the directory, a course with a session that was moved and one that was held.
  v1::Course Filled() {
    EXPECT_TRUE(Do(&DirectoryHandlers::CreateRoom, admin_,
                   Parse<v1::CreateRoomRequest>("parent: 'organizations/acme/clinics/north' "
                                                "room_id: 'r1' room { display_name: 'R' "
                                                "capacity: 3 }"))
                    .ok());
    EXPECT_TRUE(
        Do(&DirectoryHandlers::CreateTimeOff, admin_,
           Parse<v1::CreateTimeOffRequest>(
               "parent: 'organizations/acme/clinicians/ben' time_off { start_time { seconds: "
               "1780000000 } end_time { seconds: 1780500000 } }"))
            .ok());
    EXPECT_TRUE(Do(&DirectoryHandlers::CreateCover, admin_,
                   Parse<v1::CreateCoverRequest>(
                       "parent: 'organizations/acme' cover { clinician: "
                       "'organizations/acme/clinicians/ben' covering_clinician: "
                       "'organizations/acme/clinicians/anna' start_time { seconds: 1780000000 } "
                       "end_time { seconds: 1780500000 } }"))
                    .ok());
    EXPECT_TRUE(Do(&SupervisionHandlers::CreateSupervision, admin_,
                   Parse<v1::CreateSupervisionRequest>(
                       "parent: 'organizations/acme' supervision { supervisor: "
                       "'organizations/acme/clinicians/ben' supervisee: "
                       "'organizations/acme/clinicians/anna' start_time { seconds: 1769000000 } }"))
                    .ok());
    const v1::Course course = Active("p");
    Booked(course, 2, 3, 9);
    Booked(course, 2, 10, 9);
    const auto away =
        Do(&DirectoryHandlers::CreateTimeOff, admin_,
           Parse<v1::CreateTimeOffRequest>(
               "parent: 'organizations/acme/clinicians/anna' time_off { start_time { seconds: "
               "1770595200 } end_time { seconds: 1771200000 } }"));
    EXPECT_TRUE(away.ok()) << away.status();
    v1::PlanLeaveRequest plan;
    plan.set_time_off(away->name());
    const auto planned = leave_.PlanLeave(Context(manager_, plan), plan);
    EXPECT_TRUE(planned.ok()) << planned.status();
    EXPECT_EQ(planned->items_size(), 1);
    v1::ApplyLeavePlanRequest apply;
    apply.set_name(planned->name());
    const auto applied = leave_.ApplyLeavePlan(Context(manager_, apply), apply);
    EXPECT_TRUE(applied.ok()) << applied.status();
    v1::RevokeSubjectRequest revoke;
    revoke.set_parent("organizations/acme");
    revoke.set_subject("ben");
    revoke.set_reason(v1::REVOCATION_REASON_LEFT);
    EXPECT_TRUE(Do(&RevocationHandlers::RevokeSubject, admin_, revoke).ok());
    return course;
  }
};

TEST_P(SchedulingAuditedTest, EachRecordIsHeldToItsEntry) {
  Filled();
  const audit::Findings whole = Verify();
  EXPECT_FALSE(whole.fault) << audit::testing::FaultOf(whole);
  EXPECT_GE(whole.records, 14)
      << "organisation, 2 clinics, room, 2 clinicians, 2 leaves, cover, pair, "
         "course, session, plan, its item, revocation";
  const std::string in = "organizations/acme";
  audit::testing::ExpectTamperingIsNamed(
      {{.table = "organization_profile", .resource = in},
       {.table = "clinic", .resource = in + "/clinics/"},
       {.table = "room", .resource = in + "/clinics/north/rooms/r1"},
       {.table = "clinician", .resource = in + "/clinicians/"},
       {.table = "time_off", .resource = in + "/clinicians/ben/timeOffs/"},
       {.table = "cover", .resource = in + "/covers/"},
       {.table = "supervision", .resource = in + "/supervisions/"},
       {.table = "course", .resource = in + "/courses/"},
       {.table = "appointment", .resource = in + "/appointments/"},
       {.table = "leave_plan_item", .resource = in + "/leavePlans/"},
       {.table = "revocation", .resource = in + "/revocations/"}},
      [this] { return Verify(); });
}

TEST_P(SchedulingAuditedTest, WhatWasDeletedByACallIsMissedByNobody) {
  Filled();
  v1::DeleteRoomRequest remove;
  remove.set_name("organizations/acme/clinics/north/rooms/r1");
  ASSERT_TRUE(Do(&DirectoryHandlers::DeleteRoom, admin_, remove).ok());
  audit::Findings found = Verify();
  EXPECT_FALSE(found.fault) << audit::testing::FaultOf(found);
  // The name is borne again.
  ASSERT_TRUE(Do(&DirectoryHandlers::CreateRoom, admin_,
                 Parse<v1::CreateRoomRequest>("parent: 'organizations/acme/clinics/north' "
                                              "room_id: 'r1' room { display_name: 'R' "
                                              "capacity: 4 }"))
                  .ok());
  found = Verify();
  EXPECT_FALSE(found.fault) << audit::testing::FaultOf(found);
  audit::testing::AdministratorsEnd::Newest().Run("DELETE FROM room;");
  found = Verify();
  ASSERT_TRUE(found.fault);
  EXPECT_EQ(found.fault->kind, audit::FaultKind::kRecordDeleted);
  EXPECT_EQ(found.fault->resource, remove.name());
}

INSTANTIATE_TEST_SUITE_P(Engines, SchedulingAuditedTest,
                         ::testing::ValuesIn(audit::testing::TamperableEngines({work::Migrations(),
                                                                                Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::scheduling
