#include "services/notes/domain/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/suitability/review_data.h"
#include "tests/unit/services/notes/domain/sample_case.h"

namespace rapport::notes {
namespace {

using testing::Day;
using ::testing::ElementsAre;
using testing::kPartner;
using testing::kPatient;
using testing::Name;
using testing::SampleCase;
using testing::Text;

v1::SuitabilityAdvice Advise(const SampleCase& sample) {
  return AdviseOnSuitability(sample.file, ShippedSuitabilityRules());
}

const v1::AdviceItem* Find(const v1::SuitabilityAdvice& advice, const std::string& criterion) {
  for (const v1::AdviceItem& item : advice.items()) {
    if (item.criterion() == criterion) return &item;
  }
  return nullptr;
}

void Judge(SampleCase& sample, const std::string& criterion, const std::string& direction,
           absl::Time when = Day(2026, 3, 10)) {
  sample.AddEntry("e-" + criterion + direction,
                  "suitability_evidence { direction: REASON_DIRECTION_" + direction +
                      " criterion: '" + criterion + "' text: 'asked' }",
                  when);
}

// All that decides is known, and speaks for IPT.
SampleCase Suitable() {
  SampleCase sample;
  for (const char* there : {"interpersonal-trigger", "treatable-disorder"}) {
    Judge(sample, there, "FOR");
  }
  for (const char* not_there : {"imminent-risk", "current-mania", "untreated-psychosis",
                                "substance-needs-detoxification"}) {
    Judge(sample, not_there, "FOR");
  }
  return sample;
}

TEST(AdviceTest, AdvisesNothingWhileWhatDecidesIsNotKnown) {
  SampleCase sample;
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_UNSPECIFIED);
  const v1::AdviceItem* mania = Find(advice, "current-mania");
  ASSERT_NE(mania, nullptr);
  EXPECT_EQ(mania->finding(), v1::CRITERION_FINDING_NOT_KNOWN);
  EXPECT_EQ(mania->direction(), v1::REASON_DIRECTION_UNKNOWN);
  EXPECT_THAT(mania->advice(), ::testing::HasSubstr("rules bipolar disorder out"));
  EXPECT_FALSE(mania->source().empty());
  EXPECT_FALSE(advice.disclaimer().empty());
  EXPECT_EQ(advice.always_recorded_size(), 3);
}

TEST(AdviceTest, SuitsWhereAllThatDecidesSpeaksForIt) {
  const v1::SuitabilityAdvice advice = Advise(Suitable());
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_SUITABLE);
  ASSERT_EQ(advice.variants_size(), 1);
  EXPECT_EQ(advice.variants(0).protocol(), "classic");
  EXPECT_TRUE(advice.variants(0).current());
}

TEST(AdviceTest, ANewerScoreOpensWhatWasRuledOut) {
  SampleCase sample = Suitable();
  sample.AddSeries("asrm", {2, 11});  // the second a week after the question was asked
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_EQ(Find(advice, "current-mania")->finding(), v1::CRITERION_FINDING_INDICATED);
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_OTHER_CARE_FIRST);
  EXPECT_EQ(advice.variants(0).protocol(), "ipsrt");
  bool told = false;
  for (const v1::AdviceEvidence& evidence : Find(advice, "current-mania")->evidence()) {
    told = told || (evidence.by_rule() && evidence.text() == "asrm 11");
  }
  EXPECT_TRUE(told);
}

TEST(AdviceTest, AnOlderScoreDoesNotOutweighTheClinician) {
  SampleCase sample = Suitable();
  sample.AddSeries("asrm", {11});
  Judge(sample, "current-mania", "FOR", Day(2026, 4, 1));
  EXPECT_EQ(Find(Advise(sample), "current-mania")->finding(), v1::CRITERION_FINDING_ABSENT);
}

TEST(AdviceTest, AnImmediateAlertAsksForOtherCareFirst) {
  SampleCase sample = Suitable();
  assessment::v1::Alert& alert = sample.file.alerts.emplace_back();
  alert.set_name("organizations/acme/alerts/x");
  alert.set_severity(assessment::v1::ALERT_SEVERITY_IMMEDIATE);
  alert.set_state(assessment::v1::ALERT_STATE_OPEN);
  *alert.mutable_create_time() = time::ToTimestamp(Day(2026, 4, 20));
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_OTHER_CARE_FIRST);
  alert.set_state(assessment::v1::ALERT_STATE_RESOLVED);
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_SUITABLE);
}

TEST(AdviceTest, BipolarDisorderIsCombinedEvenInRhythmTherapy) {
  SampleCase sample = Suitable();
  sample.AddEntry("d1",
                  "diagnosis { code_system: CODE_SYSTEM_ICD_10_CM code: 'F31.81' label: 'Bipolar "
                  "II' status: DIAGNOSIS_STATUS_CONFIRMED }");
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_ADAPT_OR_COMBINE);
  sample.file.course.set_protocol("protocols/ipsrt/revisions/1");
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_ADAPT_OR_COMBINE);
  EXPECT_TRUE(advice.variants(0).current());
}

TEST(AdviceTest, ARefutedDiagnosisPointsToNothing) {
  SampleCase sample = Suitable();
  sample.AddEntry("d1",
                  "diagnosis { code_system: CODE_SYSTEM_ICD_10 code: 'F31.8' label: 'Bipolar II' "
                  "status: DIAGNOSIS_STATUS_REFUTED }");
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_SUITABLE);
}

TEST(AdviceTest, TheAdolescentFormSettlesWhatAnAdolescentAsksFor) {
  SampleCase sample = Suitable();
  *sample.file.course.mutable_majority_on() = time::ToDate(absl::CivilDay(2029, 1, 1));
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_ADAPT_OR_COMBINE);
  sample.file.course.set_protocol("protocols/ipt-a/revisions/1");
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_SUITABLE);
  EXPECT_EQ(Find(advice, "adolescent")->direction(), v1::REASON_DIRECTION_FOR);
}

TEST(AdviceTest, WhatPointsBothWaysIsShownAndNotReckonedWith) {
  SampleCase sample = Suitable();
  Judge(sample, "attachment-avoidance", "AGAINST");
  Judge(sample, "left-out-of-trials", "AGAINST");
  const v1::SuitabilityAdvice advice = Advise(sample);
  for (const char* criterion : {"attachment-avoidance", "left-out-of-trials"}) {
    ASSERT_NE(Find(advice, criterion), nullptr);
    EXPECT_EQ(Find(advice, criterion)->direction(), v1::REASON_DIRECTION_UNSPECIFIED);
  }
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_SUITABLE);
}

TEST(AdviceTest, WithoutATriggerItDoesNotSuit) {
  SampleCase sample = Suitable();
  Judge(sample, "interpersonal-trigger", "AGAINST", Day(2026, 3, 12));
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_NOT_SUITABLE);
}

TEST(AdviceTest, NothingIsGuessedWhereAssessmentIsDown) {
  SampleCase sample = Suitable();
  sample.file.unavailable_sources = {"assessment"};
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_UNSPECIFIED);
  EXPECT_THAT(advice.unavailable_sources(), ElementsAre("assessment"));
}

TEST(AdviceTest, ACoupleNeedsBothScreens) {
  SampleCase sample = Suitable();
  sample.MakeConjoint();
  Judge(sample, "arises-from-interaction", "FOR");
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_UNSPECIFIED);
  for (const char* patient : {kPatient, kPartner}) {
    v1::PartnerScreen& screen = sample.file.screens.emplace_back();
    screen.set_patient(patient);
    screen.set_violence(v1::SCREEN_RESULT_NEGATIVE);
    screen.set_willing(v1::ANSWERED_YES);
  }
  EXPECT_EQ(Advise(sample).advised_outcome(), v1::SUITABILITY_OUTCOME_SUITABLE);
  sample.file.screens[1].set_violence(v1::SCREEN_RESULT_POSITIVE);
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_EQ(advice.advised_outcome(), v1::SUITABILITY_OUTCOME_NOT_SUITABLE);
  EXPECT_EQ(Find(advice, "partner-violence")->evidence(0).private_to(), kPartner);
  EXPECT_EQ(Find(advice, "partner-unwilling")->finding(), v1::CRITERION_FINDING_ABSENT);
}

TEST(AdviceTest, TellsWhereTheTherapistDecidedOtherwiseAndWhatWasNeverDecided) {
  SampleCase sample = Suitable();
  sample.AddEntry("i1", "additional_issue { text: 'debts' severity: ISSUE_SEVERITY_MILD }");
  *sample.file.record.mutable_determination() = Text<v1::Determination>(
      "outcome: SUITABILITY_OUTCOME_NOT_SUITABLE patient_preference: 'talk'");
  const v1::SuitabilityAdvice advice = Advise(sample);
  EXPECT_TRUE(advice.differs_from_determination());
  EXPECT_THAT(advice.undisposed_issues(), ElementsAre(Name("entries", "i1")));
  for (const v1::AlwaysRecorded& always : advice.always_recorded()) {
    EXPECT_EQ(always.recorded(), always.field() == "patient_preference") << always.field();
  }
}

}  // namespace
}  // namespace rapport::notes
