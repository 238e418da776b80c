#include "services/notes/domain/brief.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/entries/entry_rules.h"
#include "services/notes/data/suitability/review_data.h"
#include "tests/unit/services/notes/domain/sample_case.h"

namespace rapport::notes {
namespace {

using ::testing::Contains;
using testing::Day;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kPartner;
using testing::kPatient;
using testing::Name;
using ::testing::Not;
using testing::SampleCase;
using testing::Text;

v1::SessionBrief Brief(const SampleCase& sample, const View& view = {},
                       const std::vector<std::string>& unsigned_sessions = {}) {
  return BriefFor(sample.file, view, NextSitting(sample.file), unsigned_sessions,
                  ShippedReviewRules(), ShippedEntryRules());
}

std::vector<std::string> Agenda(const v1::SessionBrief& brief) {
  std::vector<std::string> kinds;
  for (const v1::AgendaItem& item : brief.agenda()) {
    kinds.push_back(v1::AgendaKind_Name(item.kind()).substr(std::string("AGENDA_KIND_").size()));
  }
  return kinds;
}

// A case that asks for nothing.
SampleCase Settled() {
  SampleCase sample;
  sample.file.record.mutable_determination()->set_outcome(v1::SUITABILITY_OUTCOME_SUITABLE);
  *sample.file.record.mutable_formulation() =
      Text<v1::Formulation>("version: 1 link: 'l' agreement: AGREEMENT_AGREED");
  sample.AddEntry("now",
                  "action { text: 'call' immediate_change: true status: ACTION_STATUS_DONE }");
  return sample;
}

TEST(BriefTest, TellsWhichSessionItIsAndHowManyAreLeft) {
  const v1::SessionBrief brief = Brief(Settled());
  EXPECT_EQ(brief.position(), "session 9, 7 left");
  EXPECT_EQ(brief.appointment(), "organizations/acme/appointments/a9");
  EXPECT_EQ(brief.phase(), v1::NOTE_PHASE_MIDDLE);
  EXPECT_THAT(brief.agenda(), IsEmpty());
}

TEST(BriefTest, OpenBarriersHeadTheAgendaUntilTheyAreResolved) {
  SampleCase sample = Settled();
  sample.AddEntry("e1", "action { text: 'write a letter' }");
  sample.AddEntry("e2", "barrier { text: 'night shifts' severity: ISSUE_SEVERITY_MILD }");
  sample.AddEntry("e3", "barrier { text: 'drink' resolve_date { year: 2026 month: 4 day: 1 } }");
  const v1::SessionBrief brief = Brief(sample);
  EXPECT_THAT(Agenda(brief), ElementsAre("BARRIER", "ACTION"));
  EXPECT_EQ(brief.agenda(0).text(), "night shifts");
}

TEST(BriefTest, TheFormulationIsDueThenOverdue) {
  SampleCase sample = Settled();
  sample.file.record.clear_formulation();
  EXPECT_THAT(Agenda(Brief(sample)), ElementsAre("FORMULATION_OVERDUE"));
  sample.file.now = Day(2026, 3, 23, 9);  // the day of session 3
  for (size_t i = 2; i < sample.file.sittings.size(); ++i) {
    sample.file.sittings[i].state.set_state(scheduling::v1::APPOINTMENT_STATE_BOOKED);
  }
  EXPECT_THAT(Agenda(Brief(sample)), ElementsAre("FORMULATION_DUE"));
  *sample.file.record.mutable_formulation() =
      Text<v1::Formulation>("version: 1 link: 'l' agreement: AGREEMENT_DECLINED");
  EXPECT_THAT(Agenda(Brief(sample)), ElementsAre("FORMULATION_NOT_AGREED"));
}

TEST(BriefTest, WhatIsMissingAppearsUntilItIsThere) {
  SampleCase sample = Settled();
  sample.file.record.clear_determination();
  sample.file.entries.clear();
  sample.AddEntry("s",
                  "sick_role { variant: SICK_ROLE_VARIANT_FULL "
                  "given_date { year: 2026 month: 3 day: 9 } "
                  "review_date { year: 2026 month: 4 day: 6 } }");
  sample.AddEntry("i",
                  "additional_issue { text: 'debts' severity: ISSUE_SEVERITY_MILD "
                  "disposition: ISSUE_DISPOSITION_WATCH review_session: 9 }");
  sample.AddEntry("c", "contract { sessions: 16 focus: 'f' }");
  EXPECT_THAT(Agenda(Brief(sample, {}, {"organizations/acme/appointments/a8"})),
              ElementsAre("DETERMINATION_MISSING", "SICK_ROLE_REVIEW", "IMMEDIATE_CHANGE_MISSING",
                          "ISSUE", "CONTRACT_UNSIGNED", "NOTE_UNSIGNED"));
}

TEST(BriefTest, TheEndingBringsItsTasks) {
  SampleCase sample = Settled();
  sample.file.now = Day(2026, 6, 8, 9);  // the day of session 14
  for (int i = 8; i < 13; ++i) {
    sample.file.sittings[static_cast<size_t>(i)].state.set_state(
        scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  }
  sample.AddEntry("r",
                  "relationship { person: 'Kim' kind: RELATIONSHIP_KIND_FRIEND "
                  "status: RELATIONSHIP_STATUS_CURRENT closeness: 1 }");
  const std::vector<std::string> agenda = Agenda(Brief(sample));
  for (const char* kind : {"TERMINATION_TASK", "INVENTORY_REVIEW", "RELAPSE_PLAN_MISSING"}) {
    EXPECT_THAT(agenda, Contains(kind));
  }
}

TEST(BriefTest, TellsScoresItemByItem) {
  SampleCase sample = Settled();
  auto& series = sample.AddSeries("phq-9", {17, 18, 12});
  for (const auto& [item, before, now] :
       {std::tuple(1, 2, 2), std::tuple(2, 3, 2), std::tuple(9, 2, 0)}) {
    auto& change = *series.add_item_changes();
    change.set_item(item);
    change.set_baseline(before);
    change.set_newest(now);
  }
  const v1::SessionBrief brief = Brief(sample);
  ASSERT_EQ(brief.scores_size(), 1);
  EXPECT_EQ(brief.scores(0).newest(), 12);
  EXPECT_EQ(brief.scores(0).previous(), 18);
  EXPECT_EQ(brief.scores(0).baseline(), 17);
  ASSERT_EQ(brief.scores(0).items_size(), 2);
  EXPECT_EQ(brief.scores(0).items(0).item(), 9);
}

TEST(BriefTest, TellsWhatTheLastSignedNoteTried) {
  SampleCase sample = Settled();
  sample.AddNote("n7", 7, "tried: 'older' plan: 'p7'");
  sample.AddNote("n8", 8, "tried: 'asked him' plan: 'ask again'");
  const v1::SessionBrief brief = Brief(sample);
  EXPECT_EQ(brief.last_session().session_number(), 8);
  EXPECT_EQ(brief.last_session().tried(), "asked him");
}

TEST(BriefTest, ATherapistIsToldOfRiskTheMostSevereFirst) {
  SampleCase sample = Settled();
  for (const auto severity :
       {assessment::v1::ALERT_SEVERITY_THIS_CONTACT, assessment::v1::ALERT_SEVERITY_IMMEDIATE}) {
    auto& alert = sample.file.alerts.emplace_back();
    alert.set_severity(severity);
    alert.set_state(assessment::v1::ALERT_STATE_OPEN);
  }
  sample.file.safety_plan = Text<v1::SafetyPlan>("version: 3");
  const v1::SessionBrief brief = Brief(sample);
  ASSERT_EQ(brief.risk().alerts_size(), 2);
  EXPECT_EQ(brief.risk().alerts(0).severity(), "ALERT_SEVERITY_IMMEDIATE");
  EXPECT_EQ(brief.risk().safety_plan_version(), 3);
}

TEST(BriefTest, AFlaggedSafetyCheckAsksForAPlanAndAFreshCheck) {
  SampleCase sample = Settled();
  sample.AddEntry("k",
                  "private: true safety_check { seen_alone: true result: SAFETY_RESULT_DANGER "
                  "valid_until_date { year: 2026 month: 4 day: 30 } }");
  EXPECT_THAT(Agenda(Brief(sample)), ElementsAre("SAFETY_PLAN_MISSING", "SAFETY_CHECK_DUE"));
  sample.file.safety_plan = Text<v1::SafetyPlan>("version: 1");
  EXPECT_THAT(Agenda(Brief(sample)), ElementsAre("SAFETY_CHECK_DUE"));
}

TEST(BriefTest, NothingPrivateIsInTheBriefOfAJointSession) {
  SampleCase sample = Settled();
  sample.MakeConjoint();
  const std::string of_b = "about: '" + std::string(kPartner) + "' private: true ";
  sample.AddEntry("b1", of_b + "barrier { text: 'afraid of him' severity: ISSUE_SEVERITY_SEVERE }");
  sample.AddEntry("b2", of_b + "action { text: 'pack a bag' immediate_change: true }");
  v1::Note& note = sample.AddNote("n8", 8, "tried: 'spoke alone'");
  note.set_kind(v1::NOTE_KIND_PRIVATE);
  note.set_about(kPartner);
  const std::string joint = Brief(sample).Utf8DebugString();
  const std::string of_a = Brief(sample, {.about = kPatient}).Utf8DebugString();
  for (const std::string& brief : {joint, of_a}) {
    EXPECT_THAT(brief, Not(::testing::HasSubstr("afraid")));
    EXPECT_THAT(brief, Not(::testing::HasSubstr("bag")));
    EXPECT_THAT(brief, Not(::testing::HasSubstr("alone")));
  }
  const v1::SessionBrief alone = Brief(sample, {.about = kPartner});
  EXPECT_EQ(alone.agenda(0).text(), "afraid of him");
  EXPECT_TRUE(alone.agenda(0).private_());
  EXPECT_EQ(alone.last_session().tried(), "spoke alone");
}

TEST(BriefTest, AnniversariesNearTheSessionAreTold) {
  SampleCase sample = Settled();
  sample.AddEntry("r",
                  "relationship { person: 'Ann' kind: RELATIONSHIP_KIND_DECEASED "
                  "status: RELATIONSHIP_STATUS_LOST "
                  "death_date { year: 2019 month: 5 day: 10 } }");
  sample.AddEntry("g",
                  "grief { relationship: 'r' anniversaries { month: 12 day: 30 label: 'w' } }");
  const v1::SessionBrief brief = Brief(sample);
  ASSERT_EQ(brief.anniversaries_size(), 1);
  EXPECT_EQ(brief.anniversaries(0).label(), "Death of Ann");
  EXPECT_EQ(brief.anniversaries(0).days_away(), 6);
  EXPECT_EQ(brief.anniversaries(0).date().year(), 2026);
}

TEST(BriefTest, ADayOfALeapYearIsTheLastOfFebruaryInOthers) {
  EXPECT_EQ(InYear({.month = 2, .day = 29}, 2028), absl::CivilDay(2028, 2, 29));
  EXPECT_EQ(InYear({.month = 2, .day = 29}, 2026), absl::CivilDay(2026, 2, 28));
}

std::vector<v1::PlanningWarningKind> Warned(const SampleCase& sample, const HardDay& hard) {
  std::vector<v1::PlanningWarningKind> kinds;
  for (const auto& warning : PlanningWarningsOf(sample.file, {hard}, ShippedReviewRules())) {
    kinds.push_back(warning.kind());
  }
  return kinds;
}

TEST(PlanningTest, TheEndingIsNeverNextToADeathDate) {
  SampleCase sample;  // ends on Monday 22 June
  EXPECT_THAT(Warned(sample, {.month = 6, .day = 24}),
              ElementsAre(v1::PLANNING_WARNING_KIND_ENDING_ON_ANNIVERSARY));
  EXPECT_THAT(Warned(sample, {.month = 6, .day = 26}), IsEmpty());
}

TEST(PlanningTest, LeaveIsToldWithWhatFallsIntoIt) {
  SampleCase sample;
  const auto at = [&](int month, int day) {
    return absl::FromCivil(absl::CivilDay(2026, month, day), sample.file.zone);
  };
  sample.file.leave = {{at(5, 16), at(5, 26)}};
  ASSERT_LT(sample.file.now, at(5, 16));
  const HardDay spring{.month = 5, .day = 20};
  EXPECT_THAT(Warned(sample, spring), ElementsAre(v1::PLANNING_WARNING_KIND_LEAVE_OVER_ANNIVERSARY,
                                                  v1::PLANNING_WARNING_KIND_SESSION_IN_LEAVE));
  EXPECT_THAT(Warned(sample, {.month = 5, .day = 26}),
              ElementsAre(v1::PLANNING_WARNING_KIND_SESSION_IN_LEAVE))
      << "the last day is the day before its end";
  const v1::SessionBrief brief = Brief(sample);
  ASSERT_EQ(brief.leave_size(), 1);
  EXPECT_EQ(time::ToTime(brief.leave(0).start_time()), at(5, 16));
  EXPECT_EQ(time::ToTime(brief.leave(0).end_time()), at(5, 26));
  EXPECT_EQ(brief.leave(0).appointments_size(), 2) << "18 and 25 May";

  // Somebody else's session does not fall into it; leave without an end ends nothing.
  for (Sitting& sitting : sample.file.sittings) sitting.state.set_clinician("another");
  sample.file.leave = {{at(5, 16), absl::FromUnixMicros(INT64_MAX)}};
  EXPECT_THAT(Warned(sample, spring),
              ElementsAre(v1::PLANNING_WARNING_KIND_LEAVE_OVER_ANNIVERSARY));
}

TEST(PlanningTest, NoGapLiesOverADeathDateAndTheLastFourAreUnbroken) {
  SampleCase sample;
  sample.file.sittings.erase(sample.file.sittings.begin() + 10);  // the eleventh, on 18 May
  for (size_t i = 10; i < sample.file.sittings.size(); ++i) {
    sample.file.sittings[i].number = static_cast<int>(i) + 1;
  }
  sample.AddSitting("a17", Day(2026, 7, 6), 16, scheduling::v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_THAT(Warned(sample, {.month = 5, .day = 19}),
              ElementsAre(v1::PLANNING_WARNING_KIND_GAP_OVER_ANNIVERSARY,
                          v1::PLANNING_WARNING_KIND_ENDING_BROKEN));
}

}  // namespace
}  // namespace rapport::notes
