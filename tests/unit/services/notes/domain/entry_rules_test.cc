#include "services/notes/domain/entry_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/entries/entry_rules.h"
#include "services/notes/domain/entries.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kCase[] = "organizations/acme/cases/c1";
constexpr char kAnna[] = "organizations/acme/patients/anna";
constexpr char kBert[] = "organizations/acme/patients/bert";

std::string Name(absl::string_view id) { return absl::StrCat(kCase, "/entries/", id); }

v1::Entry Text(const std::string& text) {
  v1::Entry entry;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &entry)) << text;
  return entry;
}

// Anna's case on 4 March 2026, a Wednesday.
class EntryRulesTest : public ::testing::Test {
 protected:
  EntryRulesTest() {
    facts_.case_name = kCase;
    facts_.patient = kAnna;
    facts_.protocol = "protocols/classic/revisions/1";
    facts_.zone = absl::UTCTimeZone();
    facts_.now = absl::FromCivil(absl::CivilHour(2026, 3, 4, 16), facts_.zone);
  }

  void Couple() { facts_.partner = kBert; }

  // One that is there already, as written `before` now.
  v1::Entry& Add(absl::string_view id, const std::string& text,
                 absl::Duration before = absl::ZeroDuration()) {
    EntryFacts then = facts_;
    then.now -= before;
    v1::Entry entry = Prepared(Text(text), nullptr, then, ShippedEntryRules());
    entry.set_name(Name(id));
    facts_.others.push_back(entry);
    return facts_.others.back();
  }

  absl::Status Check(const std::string& text, const v1::Entry* previous = nullptr) {
    return CheckEntry(Prepared(Text(text), previous, facts_, ShippedEntryRules()), previous, facts_,
                      ShippedEntryRules());
  }
  std::string Reason(const std::string& text) { return errors::Reason(Check(text)); }
  std::vector<std::string> Fields(const std::string& text) {
    std::vector<std::string> fields;
    for (const auto& violation : errors::FieldViolations(Check(text))) {
      fields.push_back(violation.field);
    }
    return fields;
  }

  EntryFacts facts_;
};

constexpr char kMother[] =
    "relationship { person: 'her mother' kind: RELATIONSHIP_KIND_PARENT "
    "status: RELATIONSHIP_STATUS_CURRENT }";
constexpr char kFriend[] =
    "relationship { person: 'Kim' kind: RELATIONSHIP_KIND_FRIEND "
    "status: RELATIONSHIP_STATUS_CURRENT }";

std::string Died(const std::string& date) {
  return absl::StrCat(
      "relationship { person: 'her father' kind: RELATIONSHIP_KIND_DECEASED "
      "status: RELATIONSHIP_STATUS_LOST death_date { ",
      date, " } }");
}

TEST_F(EntryRulesTest, AnEntryNeedsContentAndKeepsItsKind) {
  EXPECT_THAT(Fields(""), ElementsAre("entry.content"));
  const v1::Entry hope = Add("h", "hope { words: 'w' }");
  EXPECT_EQ(errors::FieldViolations(Check("barrier { text: 't' }", &hope)).front().field,
            "entry.content");
}

TEST_F(EntryRulesTest, ACaseOfOneIsAboutItsPatient) {
  EXPECT_EQ(Prepared(Text("hope { words: 'w' }"), nullptr, facts_, ShippedEntryRules()).about(),
            kAnna);
  EXPECT_THAT(Fields(absl::StrCat("about: '", kBert, "' hope { words: 'w' }")),
              ElementsAre("entry.about"));
}

TEST_F(EntryRulesTest, BlankTextsAndImpossibleDatesAreNamed) {
  EXPECT_THAT(Fields("hope { words: ' ' }"), ElementsAre("entry.hope.words"));
  EXPECT_THAT(Fields("treatment_event { treatment: 't' change_date { year: 2026 month: 2 } }"),
              ElementsAre("entry.treatment_event.change_date"));
  EXPECT_THAT(
      Fields("treatment_event { treatment: 't' change_date { year: 2026 month: 3 day: 5 } }"),
      ElementsAre("entry.treatment_event.change_date"));
  EXPECT_THAT(Fields("treatment_event { treatment: 't' "
                     "change_date { year: 2026 month: 3 day: 4 } }"),
              IsEmpty());
}

TEST_F(EntryRulesTest, TheTimelineTakesUncertainDates) {
  EXPECT_THAT(Fields("timeline_event { text: 't' start_date { year: 2025 } }"), IsEmpty());
  EXPECT_THAT(Fields("timeline_event { text: 't' start_date { year: 2025 month: 13 } }"),
              ElementsAre("entry.timeline_event.start_date"));
  EXPECT_THAT(Fields("timeline_event { text: 't' start_date { year: 2025 month: 6 } "
                     "end_date { year: 2025 month: 5 } }"),
              ElementsAre("entry.timeline_event.end_date"));
  EXPECT_THAT(Fields("timeline_event { text: 't' start_date { year: 2025 month: 6 } "
                     "end_date { year: 2025 } }"),
              IsEmpty());
}

TEST_F(EntryRulesTest, AFewPastInfluencesEachWithAPresentPattern) {
  const std::string influence = "past_influence { text: 't' present_pattern: 'p' }";
  EXPECT_THAT(Fields("past_influence { text: 't' }"),
              ElementsAre("entry.past_influence.present_pattern"));
  for (int i = 0; i < 4; ++i) Add(absl::StrCat("p", i), influence);
  EXPECT_TRUE(Check(influence).ok());
  Add("p5", influence);
  EXPECT_EQ(Reason(influence), "TOO_MANY_PAST_INFLUENCES");
}

TEST_F(EntryRulesTest, GriefIsAfterADeath) {
  Add("mother", kMother);
  Add("father", Died("year: 2026 month: 1 day: 2"));
  EXPECT_THAT(Fields(absl::StrCat("grief { relationship: '", Name("mother"), "' }")),
              ElementsAre("entry.grief.relationship"));
  EXPECT_THAT(Fields(absl::StrCat("grief { relationship: '", Name("none"), "' }")),
              ElementsAre("entry.grief.relationship"));
  EXPECT_TRUE(Check(absl::StrCat("grief { relationship: '", Name("father"), "' }")).ok());
  EXPECT_THAT(Fields(absl::StrCat("grief { relationship: '", Name("father"),
                                  "' anniversaries { month: 2 day: 29 } "
                                  "anniversaries { month: 2 day: 30 } }")),
              ElementsAre("entry.grief.anniversaries[1]"));
}

TEST_F(EntryRulesTest, SomeoneLostIsNotDeadWithoutADeathDate) {
  const std::string lost =
      "relationship { person: 'p' kind: RELATIONSHIP_KIND_PARTNER status: RELATIONSHIP_STATUS_LOST";
  EXPECT_FALSE(IsDeceased(Text(lost + " }").relationship()));
  EXPECT_TRUE(IsDeceased(Text(lost + " death_date { year: 2020 } }").relationship()));
  EXPECT_THAT(Fields("relationship { person: 'p' kind: RELATIONSHIP_KIND_PARTNER "
                     "status: RELATIONSHIP_STATUS_CURRENT death_date { year: 2020 } }"),
              ElementsAre("entry.relationship.death_date"));
}

TEST_F(EntryRulesTest, ADisputesCounterpartIsInTheInventoryAndLives) {
  Add("father", Died("year: 2026 month: 1 day: 2"));
  Add("kim", kFriend);
  const auto dispute = [](absl::string_view id) {
    return absl::StrCat("dispute { relationship: '", Name(id),
                        "' stage: DISPUTE_STAGE_IMPASSE issue: 'i' }");
  };
  EXPECT_THAT(Fields(dispute("none")), ElementsAre("entry.dispute.relationship"));
  EXPECT_THAT(Fields(dispute("father")), ElementsAre("entry.dispute.relationship"));
  EXPECT_TRUE(Check(dispute("kim")).ok());
  Add("d", dispute("kim"));
  EXPECT_EQ(Reason(dispute("kim")), "ENTRY_EXISTS");
}

TEST_F(EntryRulesTest, GriefDisorderIsNotNamedBeforeItsTime) {
  Add("father", Died("year: 2025 month: 3 day: 5"));
  const auto diagnosis = [](const std::string& code, const std::string& more = "") {
    return absl::StrCat("diagnosis { code_system: CODE_SYSTEM_ICD_11 code: '", code,
                        "' label: 'l' status: DIAGNOSIS_STATUS_PROVISIONAL "
                        "diagnosis_date { year: 2026 month: 3 day: 4 } ",
                        more, " }");
  };
  const std::string of = absl::StrCat("relationship: '", Name("father"), "'");
  EXPECT_TRUE(Check(diagnosis("6A70.1")).ok());
  EXPECT_THAT(Fields(diagnosis("6B42")), ElementsAre("entry.diagnosis.relationship"));
  EXPECT_THAT(Fields(diagnosis("6A70.1", of)), ElementsAre("entry.diagnosis.relationship"));
  EXPECT_THAT(Fields(diagnosis("6A 70")), ElementsAre("entry.diagnosis.code"));
  EXPECT_EQ(Reason(diagnosis("6b42", of)), "TOO_EARLY_FOR_GRIEF_DISORDER") << "a day short";
  facts_.now += absl::Hours(24);
  std::string later = diagnosis("6B42", of);
  later.replace(later.find("day: 4"), 6, "day: 5");
  EXPECT_TRUE(Check(later).ok());

  facts_.others.clear();
  Add("father", Died("year: 2025 month: 8"));
  EXPECT_EQ(Reason(diagnosis("6B42", of)), "TOO_EARLY_FOR_GRIEF_DISORDER");
  facts_.young = true;
  EXPECT_TRUE(Check(diagnosis("6B42", of)).ok());
}

TEST_F(EntryRulesTest, HomeworkExistsWhereTheProtocolHasIt) {
  const std::string action = "action { text: 't' homework: true }";
  EXPECT_EQ(Reason(action), "HOMEWORK_NOT_IN_PROTOCOL");
  EXPECT_TRUE(Check("action { text: 't' }").ok());
  facts_.assigns_homework = true;
  EXPECT_TRUE(Check(action).ok());
}

TEST_F(EntryRulesTest, OneChangeNowOrWhyNone) {
  EXPECT_THAT(Fields("action { immediate_change: true }"), ElementsAre("entry.action.text"));
  EXPECT_THAT(Fields("action { why_none: 'w' }"), ElementsAre("entry.action.why_none"));
  EXPECT_TRUE(Check("action { immediate_change: true why_none: 'w' }").ok());
  Add("a", "action { immediate_change: true text: 't' }");
  EXPECT_EQ(Reason("action { immediate_change: true text: 'u' }"), "ENTRY_EXISTS");
  facts_.others.clear();
  Add("a", "action { immediate_change: true text: 't' status: ACTION_STATUS_DONE }");
  EXPECT_TRUE(Check("action { immediate_change: true text: 'u' }").ok());
}

TEST_F(EntryRulesTest, ActionsNameDistinctItemsAndGoalsOfTheCase) {
  const std::string goal = absl::StrCat(kCase, "/goals/g");
  EXPECT_THAT(
      Fields(absl::StrCat("action { text: 't' phq9_items: 2 phq9_items: 2 goal: '", goal, "' }")),
      ElementsAre("entry.action.goal", "entry.action.phq9_items"));
  facts_.goals[goal] = facts_.now;
  EXPECT_TRUE(
      Check(absl::StrCat("action { text: 't' phq9_items: 2 phq9_items: 9 goal: '", goal, "' }"))
          .ok());
}

TEST_F(EntryRulesTest, WhatIsAimedAtSomeoneCloseNeedsASafetyCheck) {
  Add("mother", kMother);
  Add("kim", kFriend);
  const auto action = [](absl::string_view id) {
    return absl::StrCat("action { text: 't' relationship: '", Name(id), "' }");
  };
  EXPECT_TRUE(Check(action("kim")).ok());
  EXPECT_EQ(Reason(action("mother")), "SAFETY_CHECK_NEEDED");
  EXPECT_EQ(Reason(absl::StrCat("dispute { relationship: '", Name("mother"),
                                "' stage: DISPUTE_STAGE_IMPASSE issue: 'i' plan: 'p' }")),
            "SAFETY_CHECK_NEEDED");
  EXPECT_EQ(Reason(absl::StrCat("incident { incident_date { year: 2026 } text: 't' relationship: '",
                                Name("mother"),
                                "' decision_analysis { problem: 'p' options { text: 'o' } "
                                "chosen: 1 } }")),
            "SAFETY_CHECK_NEEDED");
  facts_.joint_session = true;
  EXPECT_TRUE(Check(action("mother")).ok()) << "never prompted in a joint session";
  facts_.joint_session = false;

  const std::string none =
      "private: true safety_check { seen_alone: true result: SAFETY_RESULT_NONE }";
  Add("old", none, absl::Hours(24) * 57);
  EXPECT_EQ(Reason(action("mother")), "SAFETY_CHECK_NEEDED") << "no longer in force";
  Add("new", none, absl::Hours(24) * 56);
  EXPECT_TRUE(Check(action("mother")).ok());
}

TEST_F(EntryRulesTest, ConcernOrDangerNeedsASafetyPlan) {
  Add("mother", kMother);
  Add("check", "private: true safety_check { seen_alone: true result: SAFETY_RESULT_CONCERN }",
      absl::Hours(2));
  Add("later", "private: true safety_check { seen_alone: true result: SAFETY_RESULT_DECLINED }",
      absl::Hours(1));
  const std::string action =
      absl::StrCat("action { text: 't' relationship: '", Name("mother"), "' }");
  EXPECT_EQ(Reason(action), "SAFETY_PLAN_NEEDED") << "who will not say has not taken it back";
  facts_.safety_plan_time = facts_.now - absl::Hours(24) * 90;
  EXPECT_EQ(Reason(action), "SAFETY_PLAN_NEEDED") << "an old one is none";
  facts_.safety_plan_time = facts_.now;
  EXPECT_TRUE(Check(action).ok());
}

TEST_F(EntryRulesTest, ASafetyCheckIsMadeAloneAndIsPrivate) {
  EXPECT_THAT(Fields("safety_check { result: SAFETY_RESULT_NONE }"),
              ElementsAre("entry.private", "entry.safety_check.seen_alone"));
  const std::string check =
      "private: true safety_check { seen_alone: true result: SAFETY_RESULT_NONE }";
  facts_.joint_session = true;
  EXPECT_EQ(Reason(check), "JOINT_SESSION");
  facts_.joint_session = false;
  EXPECT_TRUE(Check(check).ok());
  Couple();
  EXPECT_EQ(Reason(absl::StrCat("about: '", kAnna, "' ", check)), "NOT_INDIVIDUAL");
}

TEST_F(EntryRulesTest, TheSickRoleIsReviewedAndOneIsOpen) {
  const std::string given = "given_date { year: 2026 month: 3 day: 1 } ";
  EXPECT_THAT(Fields("sick_role { variant: SICK_ROLE_VARIANT_FULL " + given + "}"),
              ElementsAre("entry.sick_role.review_date"));
  EXPECT_THAT(Fields("sick_role { variant: SICK_ROLE_VARIANT_NONE " + given + "}"),
              ElementsAre("entry.sick_role.reason"));
  EXPECT_TRUE(Check("sick_role { variant: SICK_ROLE_VARIANT_NONE reason: 'r' " + given + "}").ok());
  const std::string full = "sick_role { variant: SICK_ROLE_VARIANT_FULL " + given +
                           "review_date { year: 2026 month: 4 day: 1 } }";
  EXPECT_TRUE(Check(full).ok());
  Add("s", full);
  EXPECT_EQ(Reason(full), "ENTRY_EXISTS");
}

TEST_F(EntryRulesTest, TheLastTaskOfTerminationWaitsForTheSickRole) {
  const auto& tasks = ShippedEntryRules().termination_tasks();
  const auto done = [](const std::string& task) {
    return absl::StrCat("termination_task { task: '", task,
                        "' status: TASK_STATUS_DONE done_date { year: 2026 month: 3 day: 4 } }");
  };
  EXPECT_THAT(Fields("termination_task { task: 'dance' }"),
              ElementsAre("entry.termination_task.task"));
  EXPECT_THAT(Fields("termination_task { task: 'contingency' status: TASK_STATUS_DONE }"),
              ElementsAre("entry.termination_task.done_date"));
  EXPECT_THAT(Fields("termination_task { task: 'contingency' status: TASK_STATUS_NOT_APPLICABLE }"),
              ElementsAre("entry.termination_task.text"));
  Add("sick",
      "sick_role { variant: SICK_ROLE_VARIANT_FULL given_date { year: 2026 month: 3 day: 1 } "
      "review_date { year: 2026 month: 4 day: 1 } }");
  for (int i = 0; i + 1 < tasks.size(); ++i) {
    EXPECT_TRUE(Check(done(tasks[i].id())).ok());
    Add(tasks[i].id(), done(tasks[i].id()));
  }
  const std::string last = done(tasks[tasks.size() - 1].id());
  EXPECT_EQ(Reason(last), "SICK_ROLE_OPEN");
  *facts_.others.front().mutable_sick_role()->mutable_end_date() =
      time::ToDate(absl::CivilDay(2026, 3, 4));
  EXPECT_TRUE(Check(last).ok());
}

TEST_F(EntryRulesTest, HealthySelfBelongsToRhythmTherapy) {
  EXPECT_EQ(Reason("healthy_self { lost: 'l' }"), "AREA_NOT_IN_PROTOCOL");
  facts_.protocol = "protocols/ipsrt/revisions/1";
  EXPECT_TRUE(Check("healthy_self { lost: 'l' }").ok());
}

TEST_F(EntryRulesTest, AWeekOfContactIsOnePersonsAndBeginsOnMonday) {
  Add("kim", kFriend);
  const auto week = [](int day) {
    return absl::StrCat("social_contact_week { relationship: '", Name("kim"),
                        "' week_start_date { year: 2026 month: 3 day: ", day, " } contacts: 3 }");
  };
  EXPECT_THAT(Fields(week(3)), ElementsAre("entry.social_contact_week.week_start_date"));
  EXPECT_TRUE(Check(week(2)).ok());
  Add("w", week(2));
  EXPECT_EQ(Reason(week(2)), "ENTRY_EXISTS");
}

TEST_F(EntryRulesTest, AHopeIsToldBeforeItIsAGoal) {
  const std::string goal = absl::StrCat(kCase, "/goals/g");
  facts_.goals[goal] = facts_.now - absl::Hours(1);
  const std::string became =
      absl::StrCat("hope { words: 'w' state: HOPE_STATE_BECAME_GOAL goal: '", goal, "' }");
  EXPECT_THAT(Fields(became), ElementsAre("entry.hope.goal")) << "the goal was there before";
  EXPECT_THAT(Fields("hope { words: 'w' state: HOPE_STATE_BECAME_GOAL }"),
              ElementsAre("entry.hope.goal"));
  const v1::Entry told = Add("h", "hope { words: 'w' }", absl::Hours(2));
  EXPECT_TRUE(Check(became, &told).ok());
}

TEST_F(EntryRulesTest, AReferralGoesOnAndNotBack) {
  const auto referral = [](const std::string& state) {
    return absl::StrCat(
        "referral { kind: REFERRAL_KIND_PSYCHIATRY to: 'x' "
        "send_date { year: 2026 month: 3 day: 1 } state: REFERRAL_STATE_",
        state, " accept_date { year: 2026 month: 3 day: 2 } ",
        "first_visit_date { year: 2026 month: 3 day: 9 } }");
  };
  EXPECT_THAT(Fields("referral { kind: REFERRAL_KIND_LONGER_COUPLES_THERAPY to: 'x' "
                     "send_date { year: 2026 month: 3 day: 1 } state: REFERRAL_STATE_ACCEPTED }"),
              ElementsAre("entry.referral.reasons", "entry.referral.accept_date"));
  const auto move = [&](const std::string& from, const std::string& to) {
    facts_.others.clear();
    const v1::Entry before = Add("r", referral(from));
    return errors::Reason(Check(referral(to), &before));
  };
  EXPECT_EQ(move("SENT", "ACCEPTED"), "");
  EXPECT_EQ(move("ACCEPTED", "FIRST_VISIT_KEPT"), "");
  EXPECT_EQ(move("ACCEPTED", "FAILED"), "");
  EXPECT_EQ(move("ACCEPTED", "SENT"), "REFERRAL_STATE");
  EXPECT_EQ(move("FAILED", "ACCEPTED"), "REFERRAL_STATE");
  EXPECT_EQ(move("FIRST_VISIT_KEPT", "FAILED"), "REFERRAL_STATE");
}

TEST_F(EntryRulesTest, AContractIsSignedOnceAgreedAndEachVersionAnew) {
  const std::string contract =
      "sessions: 16 end_date { year: 2026 month: 7 day: 1 } focus: 'f' missed_session_rule: 'm' "
      "confidentiality_limits: 'c' recording_consent: ANSWERED_NO ";
  EXPECT_THAT(Fields(absl::StrCat("contract { ", contract, "sign: true }")),
              ElementsAre("entry.contract.agreement_date"));
  const std::string agreed =
      absl::StrCat(contract, "agreement_date { year: 2026 month: 3 day: 4 } ");
  const v1::Entry made = Add("k", absl::StrCat("contract { ", agreed, "sign: true }"));
  EXPECT_EQ(time::ToTime(made.contract().sign_time()), facts_.now);
  EXPECT_FALSE(Prepared(Text(absl::StrCat("contract { ", agreed, "sign_time { seconds: 5 } }")),
                        &made, facts_, ShippedEntryRules())
                   .contract()
                   .has_sign_time());
}

TEST_F(EntryRulesTest, ASignIsMeasuredByAThresholdOfAQuestionnaire) {
  EXPECT_THAT(Fields("relapse_plan { warning_signs { words: 'w' instrument: 'phq-9' } "
                     "warning_signs { words: 'w' threshold: 3 item: 1 } }"),
              ElementsAre("entry.relapse_plan.warning_signs[0].threshold",
                          "entry.relapse_plan.warning_signs[1].threshold",
                          "entry.relapse_plan.warning_signs[1].item"));
}

TEST_F(EntryRulesTest, CouplesHaveKindsOfTheirOwn) {
  for (const char* entry :
       {"expectation { of: EXPECTATION_OF_SELF text: 't' }", "strategy { text: 't' }",
        "couple_agreement { secrets_policy: SECRETS_POLICY_DISCRETION "
        "review_session: 8 }",
        "pre_meeting { seen_alone: true text: 't' }",
        "review_wish { choice: REVIEW_CHOICE_STOP }"}) {
    EXPECT_EQ(Reason(entry), "NOT_CONJOINT") << entry;
  }
}

TEST_F(EntryRulesTest, OfACoupleItIsSaidWhoseItIs) {
  Couple();
  const std::string anna = absl::StrCat("about: '", kAnna, "' ");
  EXPECT_THAT(Fields("hope { words: 'w' }"), ElementsAre("entry.about"));
  EXPECT_TRUE(Check(anna + "hope { words: 'w' }").ok());
  EXPECT_THAT(Fields("about: 'organizations/acme/patients/else' hope { words: 'w' }"),
              ElementsAre("entry.about"));
  EXPECT_TRUE(Check("strategy { text: 't' }").ok()) << "shared";
  EXPECT_THAT(Fields(anna + "pre_meeting { seen_alone: true text: 't' }"),
              ElementsAre("entry.private"));
  EXPECT_TRUE(Check("private: true review_wish { choice: REVIEW_CHOICE_STOP }").ok())
      << "the therapist's own view";
  EXPECT_THAT(Fields(anna + "private: true couple_agreement { review_session: 8 "
                            "secrets_policy: SECRETS_POLICY_DISCRETION agreed_by: 'x' }"),
              ElementsAre("entry.about", "entry.private", "entry.couple_agreement.agreed_by[0]",
                          "entry.couple_agreement.agreement_date"));
}

TEST_F(EntryRulesTest, SharedEntriesNeverNamePrivateOnes) {
  Couple();
  Add("secret", absl::StrCat("about: '", kBert, "' private: true ", kFriend));
  const auto contact = [](const std::string& whose) {
    return absl::StrCat(whose,
                        " timeline_event { text: 't' start_date { year: 2025 } "
                        "relationship: '",
                        Name("secret"), "' }");
  };
  EXPECT_THAT(Fields(contact("")), ElementsAre("entry.timeline_event.relationship"));
  EXPECT_THAT(Fields(contact(absl::StrCat("private: true about: '", kAnna, "'"))),
              ElementsAre("entry.timeline_event.relationship"));
  EXPECT_TRUE(Check(contact(absl::StrCat("private: true about: '", kBert, "'"))).ok());
}

TEST_F(EntryRulesTest, ARevisionKeepsWhoseItIs) {
  Couple();
  const v1::Entry before =
      Add("p", absl::StrCat("about: '", kBert, "' private: true hope { words: 'w' }"));
  const v1::Entry after =
      Prepared(Text("hope { words: 'x' }"), &before, facts_, ShippedEntryRules());
  EXPECT_EQ(after.about(), kBert);
  EXPECT_TRUE(after.private_());
  EXPECT_EQ(after.name(), before.name());
}

TEST_F(EntryRulesTest, TheFocusNamesPeopleOfTheInventory) {
  Add("kim", kFriend);
  Add("father", Died("year: 2025"));
  const auto fields = [&](const std::string& kind, const std::string& id) {
    google::protobuf::RepeatedPtrField<v1::ProblemArea> areas;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        absl::StrCat("kind: PROBLEM_AREA_KIND_", kind, " relationship: '",
                     id.empty() ? "" : Name(id), "'"),
        areas.Add()));
    std::vector<std::string> found;
    for (const auto& violation : errors::FieldViolations(CheckFocusPersons(areas, facts_.others))) {
      found.push_back(violation.field);
    }
    return found;
  };
  EXPECT_THAT(fields("GRIEF", "father"), IsEmpty());
  EXPECT_THAT(fields("GRIEF", "kim"), ElementsAre("problem_areas[0].relationship"));
  EXPECT_THAT(fields("ROLE_DISPUTE", "kim"), IsEmpty());
  EXPECT_THAT(fields("ROLE_DISPUTE", ""), ElementsAre("problem_areas[0].relationship"));
  EXPECT_THAT(fields("ROLE_DISPUTE", "father"), ElementsAre("problem_areas[0].relationship"));
  EXPECT_THAT(fields("ROLE_TRANSITION", ""), IsEmpty());
  EXPECT_THAT(fields("ROLE_TRANSITION", "none"), ElementsAre("problem_areas[0].relationship"));
}

TEST_F(EntryRulesTest, AFocusIsNotLeftWithoutItsPerson) {
  const v1::Entry father = Add("father", Died("year: 2025"));
  google::protobuf::RepeatedPtrField<v1::ProblemArea> areas;
  areas.Add()->set_kind(v1::PROBLEM_AREA_KIND_GRIEF);
  EXPECT_FALSE(BreaksFocus(areas, father, nullptr));
  areas[0].set_relationship(father.name());
  EXPECT_TRUE(BreaksFocus(areas, father, nullptr));
  EXPECT_FALSE(BreaksFocus(areas, father, &father));
  const v1::Entry alive = Text(kFriend);
  EXPECT_TRUE(BreaksFocus(areas, father, &alive));
}

}  // namespace
}  // namespace rapport::notes
