#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

using OrganizationsTest = SchedulingTest;
INSTANTIATE_ON_ENGINES(OrganizationsTest);

v1::GetOrganizationRequest Named(const std::string& name) {
  v1::GetOrganizationRequest request;
  request.set_name(name);
  return request;
}

TEST_P(OrganizationsTest, BeginsActiveWithDefaultPolicies) {
  const auto organization =
      Do(&OrganizationHandlers::GetOrganization, admin_, Named("organizations/acme"));
  ASSERT_TRUE(organization.ok()) << organization.status();
  EXPECT_EQ(organization->state(), v1::ORGANIZATION_STATE_ACTIVE);
  EXPECT_EQ(organization->settings().minimum_notice().seconds(), 2 * 60 * 60);
  EXPECT_EQ(organization->etag(), "1");
  EXPECT_EQ(Events().front().resource(), "organizations/acme");
  EXPECT_EQ(Events().front().payload().type_url(),
            "type.googleapis.com/rapport.scheduling.v1.OrganizationEvent");
}

TEST_P(OrganizationsTest, AnIdIsTakenOnceAndARepeatReturnsTheFirst) {
  auto request = Parse<v1::CreateOrganizationRequest>(
      "organization_id: 'beta' organization { display_name: 'Beta' } request_id: 'r1'");
  const auto first = Do(&OrganizationHandlers::CreateOrganization, platform_, request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(replayed_);
  const auto repeat = Do(&OrganizationHandlers::CreateOrganization, platform_, request);
  ASSERT_TRUE(repeat.ok()) << repeat.status();
  EXPECT_TRUE(replayed_);
  EXPECT_EQ(repeat->DebugString(), first->DebugString());
  request.mutable_organization()->set_display_name("Other");
  EXPECT_EQ(
      errors::Reason(Do(&OrganizationHandlers::CreateOrganization, platform_, request).status()),
      "REQUEST_ID_REUSED");
  request.clear_request_id();
  EXPECT_EQ(Do(&OrganizationHandlers::CreateOrganization, platform_, request).status().code(),
            absl::StatusCode::kAlreadyExists);
}

TEST_P(OrganizationsTest, UpdatesWhatTheMaskNames) {
  auto request = Parse<v1::UpdateOrganizationRequest>(R"pb(
    organization {
      name: "organizations/acme"
      display_name: "ignored"
      etag: "1"
      settings {
        minimum_notice { seconds: 60 }
        duty_list: "organizations/acme/clinicians/ben"
      }
    }
    update_mask { paths: "settings.minimum_notice" paths: "settings.duty_list" })pb");
  const auto updated = Do(&OrganizationHandlers::UpdateOrganization, admin_, request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->display_name(), "Acme");
  EXPECT_EQ(updated->settings().minimum_notice().seconds(), 60);
  EXPECT_EQ(updated->settings().note_due_after().seconds(), 48 * 60 * 60);
  EXPECT_EQ(updated->settings().duty_list_size(), 1);
  EXPECT_EQ(updated->etag(), "2");
  EXPECT_EQ(Do(&OrganizationHandlers::GetOrganization, admin_, Named("organizations/acme"))
                ->DebugString(),
            updated->DebugString());

  const absl::Status stale =
      Do(&OrganizationHandlers::UpdateOrganization, admin_, request).status();
  EXPECT_EQ(errors::Reason(stale), "STALE_ETAG");
  EXPECT_EQ(errors::MetadataValue(stale, "current_etag"), "2");
}

TEST_P(OrganizationsTest, RefusesBadPoliciesAndUnknownDuty) {
  const auto update = [&](const std::string& settings) {
    return Do(&OrganizationHandlers::UpdateOrganization, admin_,
              Parse<v1::UpdateOrganizationRequest>(absl::StrCat(
                  "organization { name: 'organizations/acme' settings { ", settings, " } } ")))
        .status();
  };
  const absl::Status late = update("late_cancel_window { seconds: 9999999 }");
  ASSERT_EQ(errors::FieldViolations(late).size(), 1u) << late;
  EXPECT_EQ(errors::FieldViolations(late)[0].field, "organization.settings.late_cancel_window");
  const absl::Status unknown = update(
      "duty_list: 'organizations/acme/clinicians/anna' duty_list: "
      "'organizations/acme/clinicians/nobody'");
  EXPECT_EQ(errors::Reason(unknown), "UNKNOWN_CLINICIAN");
  EXPECT_EQ(errors::MetadataValue(unknown, "clinician"), "organizations/acme/clinicians/nobody");
  EXPECT_EQ(Do(&OrganizationHandlers::UpdateOrganization, admin_,
               Parse<v1::UpdateOrganizationRequest>(
                   "organization { name: 'organizations/acme' } update_mask { paths: 'colour' }"))
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rapport::scheduling
