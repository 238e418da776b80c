#include "services/scheduling/domain/organizations.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/services/scheduling/builders.h"

namespace rapport::scheduling {
namespace {

TEST(OrganizationsTest, UnsetPoliciesGetTheirDefaults) {
  v1::OrganizationSettings settings =
      Parse<v1::OrganizationSettings>("minimum_notice { seconds: 0 }");
  FillDefaults(settings);
  EXPECT_EQ(settings.DebugString(), Parse<v1::OrganizationSettings>(R"pb(
                                      minimum_notice {}
                                      late_cancel_window { seconds: 86400 }
                                      immediate_acknowledgement { seconds: 900 }
                                      same_day_acknowledgement { seconds: 7200 }
                                      note_due_after { seconds: 172800 }
                                      hold_time { seconds: 600 }
                                      offer_time { seconds: 14400 }
                                      reminder_lead_times { seconds: 172800 }
                                      reminder_lead_times { seconds: 7200 }
                                      travel_time { seconds: 1800 })pb")
                                        .DebugString());
  EXPECT_TRUE(CheckSettings(settings, "s").ok());
}

TEST(OrganizationsTest, PoliciesStayWithinTheirRanges) {
  for (const char* good :
       {"minimum_notice { seconds: 2592000 }", "late_cancel_window { seconds: 1209600 }",
        "immediate_acknowledgement { seconds: 60 }", "same_day_acknowledgement { seconds: 86400 }",
        "note_due_after { seconds: 3600 }", "hold_time { seconds: 60 }",
        "offer_time { seconds: 604800 }", "travel_time {}", "travel_time { seconds: 14400 }",
        "reminder_lead_times { seconds: 300 } reminder_lead_times { seconds: 2592000 }",
        "monitored_hours { day_of_week: SUNDAY start_time {} end_time { hours: 24 } }", ""}) {
    EXPECT_TRUE(CheckSettings(Parse<v1::OrganizationSettings>(good), "s").ok()) << good;
  }
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"minimum_notice { seconds: -1 }", "s.minimum_notice"},
      {"minimum_notice { seconds: 2592001 }", "s.minimum_notice"},
      {"minimum_notice { seconds: 1 nanos: -1 }", "s.minimum_notice"},
      {"late_cancel_window { seconds: 1209601 }", "s.late_cancel_window"},
      {"immediate_acknowledgement { seconds: 59 }", "s.immediate_acknowledgement"},
      {"same_day_acknowledgement { seconds: 86401 }", "s.same_day_acknowledgement"},
      {"note_due_after { seconds: 3599 }", "s.note_due_after"},
      {"hold_time { seconds: 59 }", "s.hold_time"},
      {"hold_time { seconds: 604801 }", "s.hold_time"},
      {"offer_time { seconds: 899 }", "s.offer_time"},
      {"travel_time { seconds: 14401 }", "s.travel_time"},
      {"reminder_lead_times { seconds: 299 }", "s.reminder_lead_times[0]"},
      {"reminder_lead_times { seconds: 300 } reminder_lead_times { seconds: 2592001 }",
       "s.reminder_lead_times[1]"},
      {"reminder_lead_times { seconds: 300 } reminder_lead_times { seconds: 300 }",
       "s.reminder_lead_times[1]"},
      {"monitored_hours { day_of_week: SUNDAY start_time {} end_time {} }",
       "s.monitored_hours[0].end_time"}};
  for (const auto& [text, field] : bad) {
    const absl::Status status = CheckSettings(Parse<v1::OrganizationSettings>(text), "s");
    ASSERT_EQ(errors::FieldViolations(status).size(), 1u) << text;
    EXPECT_EQ(errors::FieldViolations(status)[0].field, field);
  }
}

TEST(OrganizationsTest, StateChangesFromOneToTheOther) {
  v1::Organization organization;
  organization.set_state(v1::ORGANIZATION_STATE_ACTIVE);
  const auto change = [&](v1::OrganizationState from, v1::OrganizationState to) {
    return ChangeState(organization, from, to);
  };
  EXPECT_TRUE(change(v1::ORGANIZATION_STATE_ACTIVE, v1::ORGANIZATION_STATE_SUSPENDED).ok());
  EXPECT_EQ(organization.state(), v1::ORGANIZATION_STATE_SUSPENDED);
  const absl::Status again =
      change(v1::ORGANIZATION_STATE_ACTIVE, v1::ORGANIZATION_STATE_SUSPENDED);
  EXPECT_EQ(errors::Reason(again), "ORGANIZATION_STATE");
  EXPECT_EQ(errors::MetadataValue(again, "state"), "ORGANIZATION_STATE_SUSPENDED");
  EXPECT_TRUE(change(v1::ORGANIZATION_STATE_SUSPENDED, v1::ORGANIZATION_STATE_ACTIVE).ok());
  EXPECT_EQ(organization.state(), v1::ORGANIZATION_STATE_ACTIVE);
}

}  // namespace
}  // namespace rapport::scheduling
