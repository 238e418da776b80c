#include "common/auth/permissions.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/auth/principal.h"
#include "gtest/gtest.h"

namespace rapport::auth {
namespace {

std::string Granted(absl::string_view role) {
  std::vector<std::string> granted;
  for (absl::string_view permission : AllPermissions()) {
    if (RoleGrants(role, permission)) granted.emplace_back(permission);
  }
  return absl::StrJoin(granted, " ");
}

TEST(PermissionsTest, AreSortedAndDistinct) {
  const auto all = AllPermissions();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(std::set<absl::string_view>(all.begin(), all.end()).size(), all.size());
  for (absl::string_view permission : all) EXPECT_TRUE(IsPermission(permission)) << permission;
  EXPECT_FALSE(IsPermission("notes"));
  EXPECT_FALSE(IsPermission("notes.*"));
  EXPECT_FALSE(IsPermission(""));
}

// The table, written out: a change to a role shows here as well.
TEST(PermissionsTest, EachRoleGrantsWhatItsTableSays) {
  const std::map<std::string, std::string> expected = {
      {"analyst", "outcomes.read"},
      {"clinic_manager",
       "appointments.read appointments.write assessments.due courses.read courses.schedule "
       "courses.write directory.read directory.write groups.read groups.write instruments.read "
       "leave.write notes.due notes.policy openings.search organizations.read outcomes.read "
       "protocols.read protocols.write waitlist.read waitlist.write"},
      {"guardian_proxy", "guardian.view"},
      {"integration",
       "appointments.read appointments.write assessments.record courses.schedule directory.read "
       "events.watch groups.read instruments.read measures.answer openings.search protocols.read "
       "scores.compute waitlist.read waitlist.write"},
      {"organization_admin",
       "directory.read directory.write fidelity.policy instruments.read instruments.write "
       "organizations.read organizations.update outcomes.rebuild protocols.read protocols.write "
       "revocations.read revocations.write"},
      {"patient_proxy", "assessments.record measures.answer patient.view"},
      {"platform_operator", "events.retry organizations.create organizations.read"},
      {"privacy_officer",
       "audit.read breakglass.review consents.write privacy.erase privacy.hold "
       "privacy.read releases.read revocations.read"},
      {"scheduler",
       "appointments.read appointments.write courses.schedule directory.read groups.read "
       "groups.write leave.write openings.search protocols.read waitlist.read waitlist.write"},
      {"supervisor",
       "alerts.read appointments.read assessments.due assessments.read breakglass.open "
       "cases.read courses.read courses.schedule directory.read fidelity.rate fidelity.read "
       "groups.read instruments.read "
       "notes.due notes.policy notes.read notes.sign outcomes.read progress.read protocols.read "
       "releases.read scores.compute supervision.read supervision.write waitlist.read"},
      {"therapist",
       "alerts.read alerts.write appointments.read appointments.write assessments.due "
       "assessments.read assessments.record breakglass.open cases.export cases.read cases.write "
       "consents.write courses.read courses.schedule courses.write directory.read fidelity.rate "
       "fidelity.read groups.read "
       "groups.write instruments.read leave.write notes.due notes.policy notes.read notes.sign "
       "notes.write openings.search outcomes.read progress.read protocols.read psychotherapy.read "
       "psychotherapy.write releases.read releases.write scores.compute supervision.read "
       "supervision.write waitlist.read waitlist.write"},
  };
  ASSERT_EQ(AllRoles().size(), expected.size());
  for (absl::string_view role : AllRoles()) {
    ASSERT_TRUE(expected.count(std::string(role))) << role;
    EXPECT_EQ(Granted(role), expected.at(std::string(role))) << role;
  }
}

TEST(PermissionsTest, WhoeverReadsACourseInFullMaySeeItsSchedule) {
  for (absl::string_view role : AllRoles()) {
    if (RoleGrants(role, "courses.read")) {
      EXPECT_TRUE(RoleGrants(role, "courses.schedule")) << role;
    }
  }
  for (absl::string_view service : {"scheduling", "assessment", "notes"}) {
    if (ServiceGrants(service, "courses.read")) {
      EXPECT_TRUE(ServiceGrants(service, "courses.schedule")) << service;
    }
  }
}

TEST(PermissionsTest, NotesAreOpenToTheirCliniciansOnly) {
  for (absl::string_view role : AllRoles()) {
    const bool clinical = role == "therapist" || role == "supervisor";
    EXPECT_EQ(RoleGrants(role, "notes.read"), clinical) << role;
    EXPECT_EQ(RoleGrants(role, "cases.read"), clinical) << role;
    EXPECT_EQ(RoleGrants(role, "notes.write"), role == "therapist") << role;
    EXPECT_EQ(RoleGrants(role, "psychotherapy.read"), role == "therapist") << role;
    EXPECT_EQ(RoleGrants(role, "psychotherapy.write"), role == "therapist") << role;
    EXPECT_EQ(RoleGrants(role, "breakglass.open"), clinical) << role;
    EXPECT_EQ(RoleGrants(role, "breakglass.review"), role == "privacy_officer") << role;
  }
}

TEST(PermissionsTest, UnknownNamesGrantNothing) {
  EXPECT_EQ(Granted("root"), "");
  EXPECT_EQ(Granted(""), "");
  EXPECT_EQ(Granted("Therapist"), "");
  EXPECT_FALSE(RoleGrants("therapist", "notes.*"));
  EXPECT_FALSE(RoleGrants("therapist", ""));
  EXPECT_FALSE(ServiceGrants("billing", "events.watch"));
  EXPECT_FALSE(ServiceGrants("", "events.watch"));
  EXPECT_FALSE(RoleGrants("notes", "events.watch")) << "a service is no role";
}

TEST(PermissionsTest, ServicesHaveTheirFixedLists) {
  const std::map<std::string, std::string> expected = {
      {"scheduling", "events.watch suitability.check"},
      {"assessment",
       "appointments.hold_urgent appointments.read courses.read courses.schedule events.watch"},
      {"notes",
       "appointments.read assessments.read courses.read courses.schedule events.watch "
       "progress.read"},
  };
  for (const auto& [service, permissions] : expected) {
    std::vector<std::string> granted;
    for (absl::string_view permission : AllPermissions()) {
      if (ServiceGrants(service, permission)) granted.emplace_back(permission);
    }
    EXPECT_EQ(absl::StrJoin(granted, " "), permissions) << service;
  }
}

TEST(PrincipalTest, MayUseWhatAnyOfItsRolesGrants) {
  Principal user;
  user.roles = {"scheduler", "privacy_officer"};
  EXPECT_TRUE(user.MayUse("appointments.write"));
  EXPECT_TRUE(user.MayUse("audit.read"));
  EXPECT_FALSE(user.MayUse("notes.read"));
  EXPECT_EQ(user.service(), "");

  Principal service;
  service.kind = Principal::Kind::kService;
  service.subject = "service:scheduling";
  service.roles = {"therapist"};
  EXPECT_EQ(service.service(), "scheduling");
  EXPECT_TRUE(service.MayUse("suitability.check"));
  EXPECT_FALSE(service.MayUse("notes.read")) << "a service has no roles";
}

}  // namespace
}  // namespace rapport::auth
