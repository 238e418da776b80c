#include "services/notes/domain/case_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "google/protobuf/text_format.h"
#include "rapport/notes/v1/case_service.pb.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kClassic[] = "protocols/classic/revisions/1";
constexpr char kRhythm[] = "protocols/ipsrt/revisions/1";

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const errors::FieldViolation& violation : errors::FieldViolations(status)) {
    fields.push_back(violation.field);
  }
  return fields;
}

std::vector<std::string> AreaFaults(const std::string& text, const char* protocol = kClassic) {
  return Fields(
      CheckProblemAreas(Text<v1::SetProblemAreasRequest>(text).problem_areas(), protocol));
}

constexpr char kDispute[] =
    "problem_areas { kind: PROBLEM_AREA_KIND_ROLE_DISPUTE rank: FOCUS_RANK_PRIMARY "
    "statement: 's' person: 'p' dispute_stage: DISPUTE_STAGE_IMPASSE }";

TEST(ProblemAreasTest, ADisputeNeedsItsCounterpartAndStage) {
  EXPECT_THAT(AreaFaults(kDispute), IsEmpty());
  EXPECT_THAT(AreaFaults("problem_areas { kind: PROBLEM_AREA_KIND_ROLE_DISPUTE "
                         "rank: FOCUS_RANK_PRIMARY statement: 's' }"),
              ElementsAre("problem_areas[0].person", "problem_areas[0].dispute_stage"));
}

TEST(ProblemAreasTest, GriefNeedsThePersonAndTheDayOfDeath) {
  const std::string grief =
      "kind: PROBLEM_AREA_KIND_GRIEF rank: FOCUS_RANK_PRIMARY statement: 's' ";
  EXPECT_THAT(AreaFaults("problem_areas { " + grief +
                         "person: 'p' death_date { year: 2025 month: 2 day: 28 } }"),
              IsEmpty());
  EXPECT_THAT(AreaFaults("problem_areas { " + grief + "}"),
              ElementsAre("problem_areas[0].person", "problem_areas[0].death_date"));
  EXPECT_THAT(AreaFaults("problem_areas { " + grief +
                         "person: 'p' death_date { year: 2025 month: 2 day: 30 } }"),
              ElementsAre("problem_areas[0].death_date"));
}

TEST(ProblemAreasTest, DeficitsNeedWhyNoOtherFits) {
  const std::string deficits =
      "kind: PROBLEM_AREA_KIND_INTERPERSONAL_DEFICITS rank: FOCUS_RANK_PRIMARY statement: 's' ";
  EXPECT_THAT(AreaFaults("problem_areas { " + deficits + "why_no_other: 'w' }"), IsEmpty());
  EXPECT_THAT(AreaFaults("problem_areas { " + deficits + "why_no_other: ' ' }"),
              ElementsAre("problem_areas[0].why_no_other"));
}

TEST(ProblemAreasTest, WhatBelongsToAnotherKindIsRefused) {
  EXPECT_THAT(
      AreaFaults("problem_areas { kind: PROBLEM_AREA_KIND_ROLE_TRANSITION rank: FOCUS_RANK_PRIMARY "
                 "statement: 's' dispute_stage: DISPUTE_STAGE_IMPASSE why_no_other: 'w' "
                 "death_date { year: 2025 month: 1 day: 1 } }"),
      ElementsAre("problem_areas[0].death_date", "problem_areas[0].dispute_stage",
                  "problem_areas[0].why_no_other"));
}

TEST(ProblemAreasTest, LossOfTheHealthySelfBelongsToRhythmTherapy) {
  const std::string loss =
      "problem_areas { kind: PROBLEM_AREA_KIND_LOSS_OF_HEALTHY_SELF rank: FOCUS_RANK_PRIMARY "
      "statement: 's' }";
  EXPECT_THAT(AreaFaults(loss, kRhythm), IsEmpty());
  EXPECT_THAT(AreaFaults(loss, kClassic), ElementsAre("problem_areas[0].kind"));
}

TEST(ProblemAreasTest, OnePrimaryAndAtMostOneSecondary) {
  const std::string transition = "kind: PROBLEM_AREA_KIND_ROLE_TRANSITION statement: 's' rank: ";
  EXPECT_THAT(AreaFaults(std::string(kDispute) + "problem_areas { " + transition +
                         "FOCUS_RANK_SECONDARY }"),
              IsEmpty());
  EXPECT_THAT(
      AreaFaults(std::string(kDispute) + "problem_areas { " + transition + "FOCUS_RANK_PRIMARY }"),
      ElementsAre("problem_areas"));
  EXPECT_THAT(AreaFaults("problem_areas { " + transition + "FOCUS_RANK_SECONDARY }"),
              ElementsAre("problem_areas"));
}

std::string Errors(const absl::Status& status) {
  std::string all = status.ToString();
  for (const errors::FieldViolation& violation : errors::FieldViolations(status)) {
    all += violation.field + violation.description;
  }
  return all;
}

TEST(ProblemAreasTest, ErrorsQuoteNothing) {
  const auto request = Text<v1::SetProblemAreasRequest>(
      "problem_areas { kind: PROBLEM_AREA_KIND_ROLE_TRANSITION rank: FOCUS_RANK_SECONDARY "
      "statement: 'SECRET' person: 'SECRET' why_no_other: 'SECRET' }");
  const absl::Status status = CheckProblemAreas(request.problem_areas(), kClassic);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Errors(status), Not(HasSubstr("SECRET")));
}

v1::Formulation Formulation(const std::string& more) {
  return Text<v1::Formulation>("diagnosis: 'd' triggering_events: 't' link: 'l' " + more);
}

TEST(FormulationTest, AModifiedOneSaysWhatThePatientChanged) {
  EXPECT_TRUE(CheckFormulation(Formulation("agreement: AGREEMENT_AGREED")).ok());
  EXPECT_TRUE(
      CheckFormulation(Formulation("agreement: AGREEMENT_MODIFIED patient_changes: 'c'")).ok());
  EXPECT_THAT(Fields(CheckFormulation(Formulation("agreement: AGREEMENT_MODIFIED"))),
              ElementsAre("formulation.patient_changes"));
}

TEST(FormulationTest, TheOnsetMayBeVagueButNotImpossible) {
  EXPECT_TRUE(CheckFormulation(Formulation("onset_date { year: 2025 }")).ok());
  EXPECT_TRUE(CheckFormulation(Formulation("onset_date { year: 2025 month: 9 }")).ok());
  EXPECT_TRUE(CheckFormulation(Formulation("onset_date { year: 2025 month: 9 day: 30 }")).ok());
  for (const char* onset : {"onset_date { month: 9 }", "onset_date { year: 2025 day: 9 }",
                            "onset_date { year: 2025 month: 13 }",
                            "onset_date { year: 2025 month: 9 day: 31 }", "onset_date {}"}) {
    EXPECT_THAT(Fields(CheckFormulation(Formulation(onset))), ElementsAre("formulation.onset_date"))
        << onset;
  }
  EXPECT_THAT(Fields(CheckFormulation(Formulation("agreement_date { year: 2025 month: 9 }"))),
              ElementsAre("formulation.agreement_date"));
}

v1::Determination Determination(const std::string& more) {
  return Text<v1::Determination>(
      "patient_preference: 'talking' alternatives_offered: 'CBT, medicine' " + more);
}

TEST(DeterminationTest, AJudgementAgainstMostReasonsSaysWhy) {
  const std::string mostly_for =
      "reasons { direction: REASON_DIRECTION_FOR text: 'a' } "
      "reasons { direction: REASON_DIRECTION_UNKNOWN text: 'b' } ";
  const std::string mostly_against = "reasons { direction: REASON_DIRECTION_AGAINST text: 'a' } ";
  const std::string suitable = "outcome: SUITABILITY_OUTCOME_SUITABLE ";
  const std::string unsuitable = "outcome: SUITABILITY_OUTCOME_NOT_SUITABLE ";
  EXPECT_TRUE(CheckDetermination(Determination(suitable + mostly_for), "acme").ok());
  EXPECT_TRUE(CheckDetermination(Determination(unsuitable + mostly_against), "acme").ok());
  EXPECT_THAT(Fields(CheckDetermination(Determination(suitable + mostly_against), "acme")),
              ElementsAre("determination.disagreement"));
  EXPECT_THAT(Fields(CheckDetermination(Determination(unsuitable + mostly_for), "acme")),
              ElementsAre("determination.disagreement"));
  EXPECT_TRUE(CheckDetermination(
                  Determination(suitable + mostly_against + "disagreement: 'because'"), "acme")
                  .ok());
}

TEST(DeterminationTest, SourcesAreAssessmentsOfTheOrganisation) {
  const auto with_source = [](const std::string& source) {
    return Determination(
        "outcome: SUITABILITY_OUTCOME_SUITABLE reasons { direction: REASON_DIRECTION_FOR "
        "text: 'a' source: '" +
        source + "' }");
  };
  EXPECT_TRUE(CheckDetermination(with_source("organizations/acme/assessments/1"), "acme").ok());
  for (const char* source :
       {"PHQ-9 of Monday", "organizations/beta/assessments/1", "organizations/acme/courses/1"}) {
    EXPECT_THAT(Fields(CheckDetermination(with_source(source), "acme")),
                ElementsAre("determination.reasons[0].source"))
        << source;
  }
}

TEST(AuthenticationTest, SignaturesNeedARecentOne) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_TRUE(CheckRecentAuthentication(now - absl::Minutes(10), now).ok());
  const absl::Status late =
      CheckRecentAuthentication(now - absl::Minutes(10) - absl::Microseconds(1), now);
  EXPECT_EQ(late.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(late), "REAUTHENTICATION_REQUIRED");
  EXPECT_FALSE(CheckRecentAuthentication(absl::InfinitePast(), now).ok());
}

const absl::Time kNow = absl::FromUnixSeconds(2'000'000);

TEST(GoalTest, ANewOneIsProposedAndTakesNothingThatIsNotTheCallers) {
  const v1::Goal goal =
      NewGoal(Text<v1::Goal>("name: 'forged' text: 'talk' realism: REALISM_PARTLY etag: '7' "
                             "revisions { old_text: 'forged' }"),
              kNow);
  EXPECT_EQ(goal.status(), v1::GOAL_STATUS_PROPOSED);
  EXPECT_EQ(goal.text(), "talk");
  EXPECT_EQ(goal.name(), "");
  EXPECT_EQ(goal.etag(), "");
  EXPECT_EQ(goal.revisions_size(), 0);
}

TEST(GoalTest, RevisingKeepsWhatItWas) {
  v1::Goal goal = NewGoal(Text<v1::Goal>("text: 'first' realism: REALISM_UNDECIDED"), kNow);
  const auto second = ReviseGoal(
      goal,
      Text<v1::Goal>("text: 'second' realism: REALISM_REALISTIC status: GOAL_STATUS_ACTIVE "
                     "progress_percent: 30"),
      {"too large", "organizations/acme/appointments/a", "organizations/acme/clinicians/ada",
       kNow});
  ASSERT_TRUE(second.ok()) << second.status();
  const auto third =
      ReviseGoal(*second, Text<v1::Goal>("text: 'third' realism: REALISM_REALISTIC"),
                 {"again", "", "organizations/acme/clinicians/bob", kNow + absl::Hours(1)});
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(third->text(), "third");
  EXPECT_EQ(third->status(), v1::GOAL_STATUS_ACTIVE);
  ASSERT_EQ(third->revisions_size(), 2);
  const v1::GoalRevision& first = third->revisions(0);
  EXPECT_EQ(first.number(), 1);
  EXPECT_EQ(first.old_text(), "first");
  EXPECT_EQ(first.new_text(), "second");
  EXPECT_EQ(first.old_realism(), v1::REALISM_UNDECIDED);
  EXPECT_EQ(first.new_realism(), v1::REALISM_REALISTIC);
  EXPECT_EQ(first.old_status(), v1::GOAL_STATUS_PROPOSED);
  EXPECT_EQ(first.new_status(), v1::GOAL_STATUS_ACTIVE);
  EXPECT_EQ(first.reason(), "too large");
  EXPECT_EQ(first.appointment(), "organizations/acme/appointments/a");
  EXPECT_EQ(first.clinician(), "organizations/acme/clinicians/ada");
  EXPECT_EQ(third->revisions(1).number(), 2);
  EXPECT_EQ(third->revisions(1).old_text(), "second");
}

TEST(GoalTest, AchievedAndDroppedOnesChangeNoMore) {
  for (v1::GoalStatus status : {v1::GOAL_STATUS_ACHIEVED, v1::GOAL_STATUS_DROPPED}) {
    v1::Goal goal;
    goal.set_status(status);
    const auto revised = ReviseGoal(goal, Text<v1::Goal>("text: 'again'"), {"", "", "", kNow});
    EXPECT_EQ(revised.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(errors::Reason(revised.status()), "GOAL_CLOSED");
  }
}

TEST(GoalTest, TheTargetIsARealDate) {
  EXPECT_TRUE(CheckGoal(Text<v1::Goal>("text: 't'")).ok());
  EXPECT_THAT(Fields(CheckGoal(Text<v1::Goal>("text: ' ' target_date { year: 2025 }"))),
              ElementsAre("goal.text", "goal.target_date"));
}

}  // namespace
}  // namespace rapport::notes
