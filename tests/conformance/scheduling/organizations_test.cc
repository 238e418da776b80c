#include "tests/conformance/scheduling/fixture.h"

namespace rapport::scheduling {
namespace {

class OrganizationsTest : public SchedulingTest {
 protected:
  // A platform operator whose request names acme.
  const Who platform_acme_{"root", {"platform_operator"}, {}, "acme"};
};
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

TEST_P(OrganizationsTest, ASuspendedOneReadsAndChangesNothingUntilItIsResumed) {
  v1::SuspendOrganizationRequest suspend;
  suspend.set_name("organizations/acme");
  suspend.set_etag("4");
  EXPECT_EQ(errors::Reason(
                Do(&OrganizationHandlers::SuspendOrganization, platform_acme_, suspend).status()),
            "STALE_ETAG");
  suspend.set_etag("1");
  suspend.set_request_id("s");
  const auto suspended = Do(&OrganizationHandlers::SuspendOrganization, platform_acme_, suspend);
  ASSERT_TRUE(suspended.ok()) << suspended.status();
  EXPECT_EQ(suspended->state(), v1::ORGANIZATION_STATE_SUSPENDED);
  EXPECT_EQ(suspended->etag(), "2");
  v1::OrganizationEvent told;
  ASSERT_TRUE(Events().back().payload().UnpackTo(&told));
  EXPECT_EQ(told.state(), v1::ORGANIZATION_STATE_SUSPENDED);
  // The repeat is answered, another is refused.
  EXPECT_TRUE(Do(&OrganizationHandlers::SuspendOrganization, platform_acme_, suspend).ok());
  EXPECT_TRUE(replayed_);
  suspend.clear_request_id();
  suspend.clear_etag();
  EXPECT_EQ(errors::Reason(
                Do(&OrganizationHandlers::SuspendOrganization, platform_acme_, suspend).status()),
            "ORGANIZATION_STATE");

  const auto rename = Parse<v1::UpdateOrganizationRequest>(
      "organization { name: 'organizations/acme' display_name: 'New' }");
  EXPECT_EQ(errors::Reason(Do(&OrganizationHandlers::UpdateOrganization, admin_, rename).status()),
            "ORGANIZATION_SUSPENDED");
  EXPECT_EQ(
      errors::Reason(
          Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", "carl")).status()),
      "ORGANIZATION_SUSPENDED");
  EXPECT_TRUE(Do(&OrganizationHandlers::GetOrganization, admin_, Named("organizations/acme")).ok());

  v1::ResumeOrganizationRequest resume;
  resume.set_name("organizations/acme");
  const auto resumed = Do(&OrganizationHandlers::ResumeOrganization, platform_acme_, resume);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->state(), v1::ORGANIZATION_STATE_ACTIVE);
  EXPECT_EQ(errors::Reason(
                Do(&OrganizationHandlers::ResumeOrganization, platform_acme_, resume).status()),
            "ORGANIZATION_STATE");
  EXPECT_TRUE(Do(&OrganizationHandlers::UpdateOrganization, admin_, rename).ok());
  EXPECT_TRUE(Do(&DirectoryHandlers::CreateClinician, admin_, NewClinician("acme", "carl")).ok());
}

TEST_P(OrganizationsTest, OneThatIsAbsentCanBeNeitherSuspendedNorResumed) {
  Who platform = platform_;
  platform.organization = "nowhere";
  v1::SuspendOrganizationRequest suspend;
  suspend.set_name("organizations/nowhere");
  EXPECT_EQ(Do(&OrganizationHandlers::SuspendOrganization, platform, suspend).status().code(),
            absl::StatusCode::kNotFound);
  v1::ResumeOrganizationRequest resume;
  resume.set_name("organizations/nowhere");
  EXPECT_EQ(Do(&OrganizationHandlers::ResumeOrganization, platform, resume).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rapport::scheduling
