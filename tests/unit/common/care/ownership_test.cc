#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/care/care.h"

namespace rapport::care {
namespace {

using Names = std::vector<std::string>;

struct Case {
  const char* what;
  OwnershipFacts facts;
  Owner owner;
};

TEST(DecideOwnerTest, FollowsTheChainOfRule11) {
  const Case cases[] = {
      {"the responsible clinician while present",
       {"ann", {"ben"}, {"cat"}, {"dan"}, {}},
       {"ann", OwnerBasis::kResponsible}},
      {"also when everyone else is away",
       {"ann", {"ben"}, {"cat"}, {"dan"}, {"ben", "cat", "dan"}},
       {"ann", OwnerBasis::kResponsible}},
      {"the cover while the responsible is away",
       {"ann", {"ben"}, {"cat"}, {"dan"}, {"ann"}},
       {"ben", OwnerBasis::kCover}},
      {"the first present of two covers",
       {"ann", {"ben", "bob"}, {"cat"}, {"dan"}, {"ann", "ben"}},
       {"bob", OwnerBasis::kCover}},
      {"the clinic's duty list without a cover",
       {"ann", {}, {"cat", "cal"}, {"dan"}, {"ann"}},
       {"cat", OwnerBasis::kClinicDuty}},
      {"the clinic's duty list while the cover is away",
       {"ann", {"ben"}, {"cat", "cal"}, {"dan"}, {"ann", "ben", "cat"}},
       {"cal", OwnerBasis::kClinicDuty}},
      {"not the responsible again, though on the duty list",
       {"ann", {}, {"ann", "cal"}, {"dan"}, {"ann"}},
       {"cal", OwnerBasis::kClinicDuty}},
      {"the organisation's duty list when the clinic has none",
       {"ann", {}, {}, {"dan", "deb"}, {"ann"}},
       {"dan", OwnerBasis::kOrganizationDuty}},
      {"the organisation's duty list while the clinic's is away",
       {"ann", {"ben"}, {"cat"}, {"dan", "deb"}, {"ann", "ben", "cat", "dan"}},
       {"deb", OwnerBasis::kOrganizationDuty}},
      {"all away: the first of the organisation's list",
       {"ann", {"ben"}, {"cat"}, {"dan", "deb"}, {"ann", "ben", "cat", "dan", "deb"}},
       {"dan", OwnerBasis::kOrganizationDuty}},
      {"all away, no organisation's list: the first of the clinic's",
       {"ann", {"ben"}, {"cat"}, {}, {"ann", "ben", "cat"}},
       {"cat", OwnerBasis::kClinicDuty}},
      {"all away, no list: the responsible clinician",
       {"ann", {"ben"}, {}, {}, {"ann", "ben"}},
       {"ann", OwnerBasis::kResponsible}},
  };
  for (const Case& test : cases) EXPECT_EQ(DecideOwner(test.facts), test.owner) << test.what;
}

// Every choice of covers, lists and absences out of three clinicians.
TEST(DecideOwnerTest, IsNeverNobodyAndNeverAwayWhileSomeoneOfTheChainIsPresent) {
  const Names all = {"ann", "ben", "cat"};
  const auto subset = [&](int bits) {
    Names names;
    for (int i = 0; i < 3; ++i) {
      if (bits & (1 << i)) names.push_back(all[i]);
    }
    return names;
  };
  for (int bits = 0; bits < 1 << 12; ++bits) {
    const OwnershipFacts facts = {"ann", subset(bits & 7), subset(bits >> 3 & 7),
                                  subset(bits >> 6 & 7), subset(bits >> 9 & 7)};
    const Owner owner = DecideOwner(facts);
    const auto is_away = [&](const std::string& name) {
      return std::count(facts.away.begin(), facts.away.end(), name) > 0;
    };
    Names chain = {facts.responsible};
    for (const Names* names : {&facts.covers, &facts.clinic_duty, &facts.organization_duty}) {
      chain.insert(chain.end(), names->begin(), names->end());
    }
    EXPECT_THAT(chain, ::testing::Contains(owner.clinician)) << bits;
    if (!std::all_of(chain.begin(), chain.end(), is_away)) {
      EXPECT_FALSE(is_away(owner.clinician)) << bits;
    }
  }
}

}  // namespace
}  // namespace rapport::care
