#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/notes/data/suitability/review_data.h"
#include "services/notes/domain/booklet.h"
#include "services/notes/domain/html.h"
#include "services/notes/domain/summary.h"
#include "services/notes/domain/summary_fields.h"
#include "tests/unit/services/notes/domain/sample_case.h"

namespace rapport::notes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kPartner;
using testing::kPatient;
using ::testing::Not;
using testing::SampleCase;
using testing::Text;

constexpr char kHostile[] = "<script>alert(1)</script>";

TEST(HtmlTest, EscapesAllThatMarksUpAndDropsControlCharacters) {
  EXPECT_EQ(Escaped("<a href=\"x\">'&'</a>\x01\xEF\xBF\xBF"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

TEST(HtmlTest, EveryWayInEscapes) {
  HtmlPage page(kHostile);
  page.Heading(kHostile);
  page.SubHeading(kHostile);
  page.Text(kHostile);
  page.Small(kHostile);
  page.Notice(kHostile);
  page.Field(kHostile, kHostile);
  page.List({kHostile});
  page.Table({kHostile}, {{kHostile}});
  page.Pictures({{kHostile, "<svg></svg>"}, {"no picture", kHostile}});
  const std::string html = page.Finish(kHostile);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
}

TEST(HtmlTest, APageIsCompleteInItself) {
  const std::string html = HtmlPage("t").Finish("");
  EXPECT_THAT(html, AllOf(::testing::StartsWith("<!DOCTYPE html>"), HasSubstr("charset=\"utf-8\""),
                          HasSubstr("default-src 'none'"), Not(HasSubstr("http://")),
                          Not(HasSubstr("https://"))));
}

SampleCase Case() {
  SampleCase sample;
  sample.file.goals.push_back(Text<v1::Goal>(
      "text: 'talk without shouting' status: GOAL_STATUS_ACHIEVED progress_percent: 100 "
      "realism_reason: 'JUDGED'"));
  sample.file.safety_plan = Text<v1::SafetyPlan>("version: 1 warning_signs: 'no sleep'");
  sample.file.risk_assessments = {Text<v1::RiskAssessment>("ideation: 'ASSESSED'")};
  *sample.file.record.mutable_formulation() =
      Text<v1::Formulation>("version: 1 link: 'the link' agreement: AGREEMENT_AGREED");
  sample.AddEntry("r",
                  "relationship { person: 'Robin Rival' kind: RELATIONSHIP_KIND_PARTNER "
                  "closeness: 1 disliked: 'DISLIKED' }");
  sample.AddEntry("d",
                  "dispute { relationship: 'organizations/acme/cases/c1/entries/r' "
                  "stage: DISPUTE_STAGE_RENEGOTIATION issue: 'money' }");
  sample.AddEntry("k",
                  "private: true safety_check { result: SAFETY_RESULT_DANGER text: 'AFRAID' }");
  sample.AddEntry("p",
                  "relapse_plan { warning_signs { words: 'I stay in bed' } "
                  "contacts: 'the clinic' }");
  sample.AddEntry("b", "barrier { text: 'BARRIER' }");
  sample.AddNote("n1", 1, "tried: 'NOTED'");
  auto& series = sample.AddSeries("phq-9", {17, 5});
  series.mutable_change()->set_reliable_improvement(true);
  return sample;
}

std::string Summary(const SampleCase& sample, SummaryChoice choice = {}) {
  if (choice.patient.empty()) choice.patient = kPatient;
  return RenderSummary(sample.file, choice, ShippedExportWording()).html;
}

TEST(SummaryTest, TellsOfOthersByWhatTheyAreAndOfNothingPrivate) {
  const std::string html = Summary(Case());
  EXPECT_THAT(html, AllOf(HasSubstr("talk without shouting"), HasSubstr("the partner"),
                          HasSubstr("money"), HasSubstr("I stay in bed")));
  for (const char* left_out : {"Rival", "DISLIKED", "AFRAID", "NOTED"}) {
    EXPECT_THAT(html, Not(HasSubstr(left_out)));
  }
}

TEST(SummaryTest, TellsMoreWhereItIsAskedFor) {
  SummaryChoice choice;
  choice.include_inventory = true;
  choice.include_private = true;
  EXPECT_THAT(Summary(Case(), choice),
              AllOf(HasSubstr("Robin Rival"), HasSubstr("DISLIKED"), HasSubstr("AFRAID")));
}

TEST(SummaryTest, SaysWhoCouldNotBeAsked) {
  SampleCase sample = Case();
  sample.file.unavailable_sources = {"assessment"};
  EXPECT_THAT(Summary(sample), HasSubstr("Could not be asked: assessment"));
}

TEST(SummaryTest, ThePartnersHoldsNothingOfTheIdentifiedPatient) {
  SampleCase sample = Case();
  sample.MakeConjoint();
  sample.AddEntry("a", "about: '" + std::string(kPatient) + "' hope { words: 'HOPEA' }");
  SummaryChoice choice;
  choice.patient = kPartner;
  choice.include_private = true;
  const std::string html = Summary(sample, choice);
  for (const char* of_a :
       {"talk without shouting", "the link", "ASSESSED", "HOPEA", "AFRAID", "PHQ-9"}) {
    EXPECT_THAT(html, Not(HasSubstr(of_a)));
  }
}

TEST(BookletTest, IsInThePatientsWordsAndHoldsNoJudgement) {
  const RenderedPage page =
      RenderBooklet(Case().file, {.patient = kPatient, .circles = {}}, ShippedExportWording());
  EXPECT_THAT(page.html,
              AllOf(HasSubstr("What I learned"), HasSubstr("talk without shouting"),
                    HasSubstr("PHQ-9: from 17 to 5"), HasSubstr("I stay in bed"),
                    HasSubstr("the clinic"), HasSubstr("no sleep"), HasSubstr("the link")));
  for (const char* left_out : {"JUDGED", "ASSESSED", "AFRAID", "BARRIER", "NOTED", "DISLIKED"}) {
    EXPECT_THAT(page.html, Not(HasSubstr(left_out)));
  }
}

TEST(BookletTest, AFormulationThatWasDeclinedIsNotInIt) {
  SampleCase sample = Case();
  sample.file.record.mutable_formulation()->set_agreement(v1::AGREEMENT_DECLINED);
  EXPECT_THAT(
      RenderBooklet(sample.file, {.patient = kPatient, .circles = {}}, ShippedExportWording()).html,
      Not(HasSubstr("the link")));
}

TEST(FieldsTest, EveryFieldThatIsSetIsTold) {
  SampleCase sample = Case();
  const v1::Entry& dispute = sample.file.entries[1];
  std::vector<std::string> told;
  for (const ToldField& field : FieldsOf(*ContentOf(dispute), sample.file, People::kByName)) {
    told.push_back(field.label + ": " + field.text);
  }
  EXPECT_THAT(told, ::testing::ElementsAre("Relationship: Robin Rival", "Stage: Renegotiation",
                                           "Issue: money"));
}

}  // namespace
}  // namespace rapport::notes
