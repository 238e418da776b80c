#include "services/notes/data/entries/entry_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/entries/entry_rule_checks.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> FaultsWith(void (*change)(v1::EntryRules&)) {
  v1::EntryRules rules = ShippedEntryRules();
  change(rules);
  return EntryRuleFaults(rules);
}

TEST(EntryRulesDataTest, TheShippedOnesAreWithoutFault) {
  EXPECT_THAT(EntryRuleFaults(ShippedEntryRules()), IsEmpty());
}

TEST(EntryRulesDataTest, EachFieldIsGivenAndCitedOnceWithItsConfidence) {
  EXPECT_THAT(FaultsWith([](auto& rules) { rules.clear_max_past_influences(); }),
              ElementsAre("max_past_influences: is missing or not positive"));
  EXPECT_THAT(
      FaultsWith([](auto& rules) { rules.mutable_citations(0)->set_fields(0, "max_wishes"); }),
      ElementsAre("max_past_influences: is cited 0 times, not once",
                  "max_wishes: is cited, and there is no such field"));
  EXPECT_THAT(FaultsWith([](auto& rules) { rules.mutable_citations(0)->clear_source(); }),
              ElementsAre("a citation has no source"));
  EXPECT_THAT(FaultsWith([](auto& rules) {
                rules.mutable_citations(0)->set_source("s");
                rules.mutable_citations(0)->clear_confidence();
              }),
              ElementsAre("s: has no confidence"));
}

TEST(EntryRulesDataTest, TasksAreDistinctAndWarningsHaveWords) {
  EXPECT_THAT(
      FaultsWith([](auto& rules) { *rules.add_termination_tasks() = rules.termination_tasks(0); }),
      ElementsAre("termination_tasks: 'announce-ending' is empty, twice or without label"));
  EXPECT_THAT(FaultsWith([](auto& rules) { rules.mutable_warnings(0)->clear_text(); }),
              ElementsAre("warnings: no words for ENTRY_WARNING_SAFETY_FLAG"));
}

}  // namespace
}  // namespace rapport::notes
