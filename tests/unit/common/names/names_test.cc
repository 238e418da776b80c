#include "common/names/names.h"

#include <gtest/gtest.h>

namespace rapport::names {
namespace {

TEST(NamesTest, IdIsWhatFollowsItsCollection) {
  const absl::string_view name = "organizations/acme/clinicians/bo/timeOffs/01H";
  EXPECT_EQ(Id(name, "organizations"), "acme");
  EXPECT_EQ(Id(name, "clinicians"), "bo");
  EXPECT_EQ(Id(name, "timeOffs"), "01H");
  EXPECT_EQ(Id(name, "acme"), "");
  EXPECT_EQ(Id("", "organizations"), "");
  EXPECT_EQ(Last(name), "01H");
}

TEST(NamesTest, MakePutsPartsTogether) {
  EXPECT_EQ(Organization("acme"), "organizations/acme");
  EXPECT_EQ(InOrganization("acme", "clinics", "north"), "organizations/acme/clinics/north");
}

TEST(NamesTest, MatchesHoldsLiteralsAndIdsApart) {
  const absl::string_view pattern = "organizations/{organization}/clinics/{clinic}";
  EXPECT_TRUE(Matches(pattern, "organizations/acme/clinics/north"));
  EXPECT_FALSE(Matches(pattern, "organizations/acme/clinics/"));
  EXPECT_FALSE(Matches(pattern, "organizations/acme/clinics/north/rooms/1"));
  EXPECT_FALSE(Matches(pattern, "organizations/acme/rooms/north"));
  EXPECT_FALSE(Matches(pattern, "organizations/a b/clinics/north"));
  EXPECT_FALSE(Matches(pattern, "/organizations/acme/clinics/north"));
  EXPECT_FALSE(Matches(pattern, ""));
}

}  // namespace
}  // namespace rapport::names
