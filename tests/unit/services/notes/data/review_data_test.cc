#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/suitability/review_data.h"
#include "services/notes/data/suitability/review_data_checks.h"

namespace rapport::notes {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ReviewDataTest, WhatShipsHasNoFaults) {
  EXPECT_THAT(SuitabilityFaults(ShippedSuitabilityRules()), IsEmpty());
  EXPECT_THAT(ReviewFaults(ShippedReviewRules()), IsEmpty());
  EXPECT_THAT(WordingFaults(ShippedExportWording()), IsEmpty());
}

TEST(ReviewDataTest, ACriterionNeedsItsSource) {
  v1::SuitabilityRules rules = ShippedSuitabilityRules();
  rules.mutable_criteria(0)->clear_source();
  EXPECT_THAT(SuitabilityFaults(rules), Contains(HasSubstr("has no source")));
}

TEST(ReviewDataTest, IdsAreUniqueAndAlternativesNameThem) {
  v1::SuitabilityRules rules = ShippedSuitabilityRules();
  rules.mutable_criteria(1)->set_id(rules.criteria(0).id());
  rules.mutable_alternatives(0)->add_criteria("nobody");
  EXPECT_THAT(SuitabilityFaults(rules), Contains(HasSubstr("used twice")));
  EXPECT_THAT(SuitabilityFaults(rules), Contains(HasSubstr("nobody: an alternative")));
}

TEST(ReviewDataTest, WhatDecidesSaysWhatToAsk) {
  v1::SuitabilityRules rules = ShippedSuitabilityRules();
  for (auto& criterion : *rules.mutable_criteria()) {
    if (criterion.decides()) criterion.clear_ask();
  }
  EXPECT_THAT(SuitabilityFaults(rules), Contains(HasSubstr("what to ask")));
}

TEST(ReviewDataTest, EachNumberNeedsItsCitation) {
  v1::ReviewRules rules = ShippedReviewRules();
  rules.clear_citations();
  EXPECT_EQ(ReviewFaults(rules).size(), 6u);
}

TEST(ReviewDataTest, OtherCareFirstIsWhatTheDesignNames) {
  std::vector<std::string> first;
  for (const auto& criterion : ShippedSuitabilityRules().criteria()) {
    if (criterion.effect() == v1::CRITERION_EFFECT_OTHER_CARE_FIRST)
      first.push_back(criterion.id());
  }
  EXPECT_THAT(first, ::testing::ElementsAre("imminent-risk", "current-mania", "untreated-psychosis",
                                            "substance-needs-detoxification", "severe-dementia",
                                            "issue-treated-first"));
}

}  // namespace
}  // namespace rapport::notes
