#include "services/notes/domain/payloads.h"

#include <gtest/gtest.h>

namespace rapport::notes {
namespace {

constexpr char kText[] = "PATIENT TEXT";

TEST(PayloadsTest, ACaseIsEligibleOnlyByADeterminationInFavourInForce) {
  struct Row {
    v1::SuitabilityOutcome outcome;
    bool eligible;
  };
  for (const Row& row : {Row{v1::SUITABILITY_OUTCOME_SUITABLE, true},
                         Row{v1::SUITABILITY_OUTCOME_ADAPT_OR_COMBINE, true},
                         Row{v1::SUITABILITY_OUTCOME_OTHER_CARE_FIRST, false},
                         Row{v1::SUITABILITY_OUTCOME_NOT_SUITABLE, false}}) {
    v1::Case state;
    state.mutable_determination()->set_outcome(row.outcome);
    EXPECT_EQ(PayloadOf(state, true).eligible(), row.eligible) << row.outcome;
    EXPECT_FALSE(PayloadOf(state, true).determination_reopened());
  }
  EXPECT_FALSE(PayloadOf(v1::Case(), false).eligible());
}

TEST(PayloadsTest, ACaseTellsThatItsDeterminationWasOpenedAgain) {
  EXPECT_TRUE(PayloadOf(v1::Case(), true).determination_reopened());
  EXPECT_FALSE(PayloadOf(v1::Case(), false).determination_reopened());
}

TEST(PayloadsTest, NoPayloadHoldsText) {
  v1::Case state;
  state.set_course("organizations/acme/courses/c");
  state.mutable_determination()->set_patient_preference(kText);
  v1::ProblemArea& area = *state.add_problem_areas();
  area.set_kind(v1::PROBLEM_AREA_KIND_GRIEF);
  area.set_person(kText);
  area.set_statement(kText);
  state.mutable_formulation()->set_link(kText);
  state.mutable_formulation()->set_version(2);
  EXPECT_EQ(PayloadOf(state, true).SerializeAsString().find(kText), std::string::npos);
  EXPECT_EQ(PayloadOf(state, true).formulation_version(), 2);

  v1::Goal goal;
  goal.set_name("organizations/acme/cases/c/goals/g");
  goal.set_text(kText);
  goal.add_revisions()->set_old_text(kText);
  EXPECT_EQ(PayloadOf(goal).SerializeAsString().find(kText), std::string::npos);
  EXPECT_EQ(PayloadOf(goal).case_(), "organizations/acme/cases/c");
  EXPECT_EQ(PayloadOf(goal).revisions(), 1);

  v1::Note note;
  note.set_name("organizations/acme/cases/c/notes/n");
  note.mutable_content()->set_plan(kText);
  note.add_addenda()->set_text(kText);
  EXPECT_EQ(PayloadOf(note).SerializeAsString().find(kText), std::string::npos);
  EXPECT_EQ(PayloadOf(note).case_(), "organizations/acme/cases/c");
  EXPECT_EQ(PayloadOf(note).addenda(), 1);
}

}  // namespace
}  // namespace rapport::notes
