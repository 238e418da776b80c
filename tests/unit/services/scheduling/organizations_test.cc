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
                                      note_due_after { seconds: 172800 })pb")
                                        .DebugString());
  EXPECT_TRUE(CheckSettings(settings, "s").ok());
}

TEST(OrganizationsTest, PoliciesStayWithinTheirRanges) {
  for (const char* good :
       {"minimum_notice { seconds: 2592000 }", "late_cancel_window { seconds: 1209600 }",
        "immediate_acknowledgement { seconds: 60 }", "same_day_acknowledgement { seconds: 86400 }",
        "note_due_after { seconds: 3600 }", ""}) {
    EXPECT_TRUE(CheckSettings(Parse<v1::OrganizationSettings>(good), "s").ok()) << good;
  }
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"minimum_notice { seconds: -1 }", "s.minimum_notice"},
      {"minimum_notice { seconds: 2592001 }", "s.minimum_notice"},
      {"minimum_notice { seconds: 1 nanos: -1 }", "s.minimum_notice"},
      {"late_cancel_window { seconds: 1209601 }", "s.late_cancel_window"},
      {"immediate_acknowledgement { seconds: 59 }", "s.immediate_acknowledgement"},
      {"same_day_acknowledgement { seconds: 86401 }", "s.same_day_acknowledgement"},
      {"note_due_after { seconds: 3599 }", "s.note_due_after"}};
  for (const auto& [text, field] : bad) {
    const absl::Status status = CheckSettings(Parse<v1::OrganizationSettings>(text), "s");
    ASSERT_EQ(errors::FieldViolations(status).size(), 1u) << text;
    EXPECT_EQ(errors::FieldViolations(status)[0].field, field);
  }
}

}  // namespace
}  // namespace rapport::scheduling
