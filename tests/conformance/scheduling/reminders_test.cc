#include "tests/conformance/scheduling/background.h"

namespace rapport::scheduling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const sql::Statement kMakePrivate{"test.reminders.make_private", R"sql(
  UPDATE appointment SET private = 1 WHERE organization_id = $1 AND appointment_id = $2)sql"};

// On Friday, 30 January 2026 at noon; the organisation reminds 48 h and 2 h before.
class RemindersTest : public BackgroundTest {
 protected:
  void SetUp() override {
    BackgroundTest::SetUp();
    ASSERT_TRUE(background_.Adopt().ok());
    Work();
  }

  // Each as "resource after appointments/…/ @version start".
  std::vector<std::string> Reminders() {
    std::vector<std::string> lines;
    for (const auto& [event, payload] : EventsOf<v1::ReminderDueEvent>()) {
      const std::string resource = event.resource();
      EXPECT_EQ(resource.substr(0, resource.find("/reminders/")), payload.appointment());
      lines.push_back(absl::StrCat(
          names::Last(payload.patients(0)), " ", resource.substr(resource.find("/reminders/") + 11),
          " v", event.version(), " ",
          absl::FormatTime("%d %H:%M", time::ToTime(payload.start_time()), absl::UTCTimeZone())));
    }
    return lines;
  }
};

TEST_P(RemindersTest, EachSessionIsRemindedOfOnceForEachLeadTime) {
  Booked(Active("a"), 2, 2, 10);
  AdvanceTo("2026-01-31T10:01:00Z");
  Work();
  EXPECT_THAT(Reminders(), IsEmpty());
  Advance(absl::Minutes(1));
  Work();
  EXPECT_THAT(Reminders(), ElementsAre("a 2880 v1 02 10:00"));
  AdvanceTo("2026-02-02T08:02:00Z");
  Work();
  EXPECT_THAT(Reminders(), ElementsAre("a 2880 v1 02 10:00", "a 120 v1 02 10:00"));
  AdvanceTo("2026-02-03T08:00:00Z");
  Work();
  EXPECT_EQ(Reminders().size(), 2u);
}

TEST_P(RemindersTest, WhatFellDueWhileNobodyWorkedIsMadeUpForUntilTheSessionBegins) {
  Booked(Active("a"), 2, 2, 10);
  Booked(Active("b"), 2, 3, 9);
  AdvanceTo("2026-02-02T09:00:00Z");
  Work();
  EXPECT_THAT(Reminders(), UnorderedElementsAre("a 2880 v1 02 10:00", "b 2880 v1 03 09:00",
                                                "a 120 v1 02 10:00"));
  AdvanceTo("2026-02-03T09:00:00Z");
  Work();
  EXPECT_EQ(Reminders().size(), 3u);
}

TEST_P(RemindersTest, WhoWasJustToldIsNotReminded) {
  AdvanceTo("2026-02-01T12:00:00Z");
  Booked(Active("a"), 2, 2, 10);
  AdvanceTo("2026-02-02T12:00:00Z");
  Work();
  EXPECT_THAT(Reminders(), IsEmpty());  // too late, nobody worked
  Booked(Active("b"), 2, 3, 10);
  AdvanceTo("2026-02-03T08:05:00Z");
  Work();
  EXPECT_THAT(Reminders(), ElementsAre("b 120 v1 03 10:00"));
}

TEST_P(RemindersTest, AMovedSessionIsRemindedOfAnewAsANewerVersion) {
  const v1::Appointment session = Booked(Active("a"), 2, 4, 10);
  AdvanceTo("2026-02-02T10:05:00Z");
  Work();
  v1::RescheduleAppointmentRequest move;
  move.set_name(session.name());
  move.mutable_local_date()->set_year(2026);
  move.mutable_local_date()->set_month(2);
  move.mutable_local_date()->set_day(10);
  move.mutable_local_time()->set_hours(11);
  const auto moved = Do(&AppointmentHandlers::RescheduleAppointment, scheduler_, move);
  ASSERT_TRUE(moved.ok()) << moved.status();
  AdvanceTo("2026-02-08T11:05:00Z");
  Work();
  EXPECT_THAT(Reminders(), ElementsAre("a 2880 v1 04 10:00", "a 2880 v2 10 11:00"));
}

TEST_P(RemindersTest, NeitherCancelledNorHeldNorPrivateOnesAreRemindedOf) {
  Cancel(Booked(Active("a"), 2, 2, 10));
  v1::HoldAppointmentRequest hold = Parse<v1::HoldAppointmentRequest>(absl::StrCat(
      "parent: 'organizations/acme' course: '", Active("b").name(),
      "' session { local_date { year: 2026 month: 2 day: 2 } local_time { hours: 11 } }"
      " hold_for { seconds: 600000 }"));
  const auto held = Do(&AppointmentHandlers::HoldAppointment, scheduler_, hold);
  ASSERT_TRUE(held.ok()) << held.status();
  const v1::Appointment secret = Booked(Active("c"), 2, 2, 12);
  ASSERT_TRUE(
      database_
          ->Write(
              sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(10),
              [&](sql::Transaction& tx) {
                tx.Defer(kMakePrivate, {sql::Text("acme"), sql::Text(names::Last(secret.name()))});
                return absl::OkStatus();
              })
          .ok());
  AdvanceTo("2026-02-02T09:00:00Z");
  Work();
  EXPECT_THAT(Reminders(), IsEmpty());
}

TEST_P(RemindersTest, AnOrganizationMayHaveThemOffOrOthers) {
  const auto set = [&](const std::string& settings, const std::string& path) {
    const auto updated = Do(&OrganizationHandlers::UpdateOrganization, admin_,
                            Parse<v1::UpdateOrganizationRequest>(absl::StrCat(
                                "organization { name: 'organizations/acme' settings { ", settings,
                                " } } update_mask { paths: 'settings.", path, "' }")));
    ASSERT_TRUE(updated.ok()) << updated.status();
  };
  Booked(Active("a"), 2, 2, 10);
  set("reminders_off: true", "reminders_off");
  AdvanceTo("2026-02-01T10:00:00Z");
  Work();
  EXPECT_THAT(Reminders(), IsEmpty());
  // What fell due meanwhile stays past.
  set("reminders_off: false", "reminders_off");
  Advance(absl::Minutes(1));
  Work();
  EXPECT_THAT(Reminders(), IsEmpty());
  set("reminder_lead_times { seconds: 3600 }", "reminder_lead_times");
  Advance(absl::Minutes(1));
  Work();
  AdvanceTo("2026-02-02T09:02:00Z");
  Work();
  EXPECT_THAT(Reminders(), ElementsAre("a 60 v1 02 10:00"));
}

TEST_P(RemindersTest, EachOrganizationHasItsOwnAndNewOnesAreAdopted) {
  EXPECT_THAT(Items(), ElementsAre("reminders ", "tzdata 2030a"));
  MakeOrganization("other");
  ASSERT_TRUE(background_.Adopt().ok());
  EXPECT_EQ(*background_.RunOnce(), 2);
  EXPECT_EQ(*background_.RunOnce(), 0);
}

INSTANTIATE_ON_ENGINES(RemindersTest);

}  // namespace
}  // namespace rapport::scheduling
