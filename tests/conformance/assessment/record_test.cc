#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "tests/conformance/assessment/world.h"
#include "tests/support/postgres/catalogue.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
  return fields;
}

class RecordTest : public WorldTest {};

TEST_P(RecordTest, KeepsTheFormScoredAndPlacedInItsSession) {
  const auto recorded = world.Record("phq-9", "232322210");
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  const v1::Assessment& form = recorded->assessment();
  EXPECT_EQ(form.score().total(), 17);
  EXPECT_EQ(form.score().severity(), "moderately_severe");
  EXPECT_EQ(form.instrument(), "instruments/phq-9/revisions/1");
  EXPECT_EQ(form.patient(), World::Of("patients", "p1"));
  EXPECT_EQ(form.appointment(), World::Of("appointments", "a1"));
  EXPECT_EQ(time::ToTime(form.answer_time()), World::kStart);
  EXPECT_THAT(form.alerts(), IsEmpty());
  EXPECT_EQ(recorded->respondent_guidance(), v1::RESPONDENT_GUIDANCE_UNSPECIFIED);

  v1::GetAssessmentRequest get;
  get.set_name(form.name());
  EXPECT_EQ(world.assessments.GetAssessment(world.By("ada"), get)->SerializeAsString(),
            form.SerializeAsString());
  EXPECT_THAT(world.Events(), ElementsAre("rapport.assessment.v1.AssessmentEvent"));
}

TEST_P(RecordTest, RaisesItsAlertInTheSameTransaction) {
  const auto recorded = world.Record("phq-9", "000000001");
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(recorded->respondent_guidance(), v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_THAT(recorded->assessment().alerts(), ElementsAre(alerts[0].name()));
  EXPECT_EQ(alerts[0].source(), recorded->assessment().name());
  EXPECT_EQ(alerts[0].severity(), v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_EQ(alerts[0].owner(), World::Of("clinicians", "ada"));
  EXPECT_EQ(alerts[0].owner_basis(), v1::OWNER_BASIS_RESPONSIBLE);
  EXPECT_THAT(alerts[0].items(), ElementsAre(9));
  EXPECT_THAT(alerts[0].ownerships(), SizeIs(1));
  EXPECT_EQ(time::ToTime(alerts[0].acknowledge_before_time()), World::kStart + absl::Hours(2));
  EXPECT_THAT(world.Events(), ElementsAre("rapport.assessment.v1.AssessmentEvent",
                                          "rapport.assessment.v1.AlertEvent"));
}

TEST_P(RecordTest, KeepsNoFormWhoseAlertCanNotBeKept) {
  proto::CourseEvent course;  // with nobody responsible, in an organisation without a duty list
  course.set_patient(World::Of("patients", "p9"));
  world.Tell("acme", World::Of("courses", "c9"), 1, course);
  world.Organization("acme", {}, {});
  v1::RecordAssessmentRequest request = world.Form("phq-9", "000000003");
  request.mutable_assessment()->set_course(World::Of("courses", "c9"));
  request.mutable_assessment()->set_administration(v1::ADMINISTRATION_INTERVIEW);
  EXPECT_FALSE(world.assessments.RecordAssessment(world.By("kiosk", "integration"), request).ok());
  EXPECT_THAT(world.Events(), IsEmpty());
  v1::RecordAssessmentRequest harmless = world.Form("phq-9", "000000000");
  *harmless.mutable_assessment()->mutable_course() = World::Of("courses", "c9");
  harmless.mutable_assessment()->set_administration(v1::ADMINISTRATION_INTERVIEW);
  EXPECT_TRUE(world.assessments.RecordAssessment(world.By("kiosk", "integration"), harmless).ok());
  EXPECT_THAT(world.Events(), SizeIs(1));
}

TEST_P(RecordTest, FiresOnAnUnscorableFormAndAsksForWhatWasNotAnswered) {
  EXPECT_EQ(world.Record("phq-9", "--------3")->respondent_guidance(),
            v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  EXPECT_EQ(world.Record("phq-9", "22322111-")->respondent_guidance(),
            v1::RESPONDENT_GUIDANCE_UNSPECIFIED);
  v1::RecordAssessmentRequest score_only = world.Form("phq-9", "");
  score_only.mutable_assessment()->set_total_only(12);
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), score_only).ok());
  std::vector<std::pair<v1::AlertKind, v1::AlertSeverity>> raised;
  for (const v1::Alert& alert : world.Alerts("ada")) {
    raised.emplace_back(alert.kind(), alert.severity());
  }
  EXPECT_THAT(raised,
              ::testing::UnorderedElementsAre(
                  std::pair(v1::ALERT_KIND_CRITICAL_ANSWER, v1::ALERT_SEVERITY_IMMEDIATE),
                  std::pair(v1::ALERT_KIND_RISK_NOT_ASKED, v1::ALERT_SEVERITY_THIS_CONTACT),
                  std::pair(v1::ALERT_KIND_RISK_NOT_ASKED, v1::ALERT_SEVERITY_THIS_CONTACT)));
}

TEST_P(RecordTest, ARepeatChangesNothingAndStillShowsTheGuidance) {
  v1::RecordAssessmentRequest request = world.Form("phq-9", "000000002");
  request.set_request_id("r1");
  const auto first =
      world.assessments.RecordAssessment(world.By("ada", "therapist", "acme", "same"), request);
  ASSERT_TRUE(first.ok()) << first.status();
  const call::CallContext again = world.By("ada", "therapist", "acme", "same");
  const auto second = world.assessments.RecordAssessment(again, request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(first->SerializeAsString(), second->SerializeAsString());
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1));
  EXPECT_THAT(world.Events(), SizeIs(2));

  const auto other =
      world.assessments.RecordAssessment(world.By("ada", "therapist", "acme", "other"), request);
  EXPECT_EQ(errors::Reason(other.status()), "REQUEST_ID_REUSED");
}

TEST_P(RecordTest, RefusesSelfReportWithoutARiskOwner) {
  struct Row {
    std::vector<std::string> duty;
    std::vector<std::string> crisis;
    const char* missing;
  };
  for (const Row& row : {Row{{}, {"GB"}, "duty_list"}, Row{{"cleo"}, {"US"}, "crisis_resources"},
                         Row{{"cleo"}, {}, "crisis_resources"}}) {
    world.Organization("acme", row.duty, row.crisis);
    const auto refused = world.Record("phq-9", "000000003");
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(errors::Reason(refused.status()), "NO_RISK_OWNER");
    EXPECT_EQ(errors::MetadataValue(refused.status(), "missing"), row.missing);
  }
  EXPECT_THAT(world.Alerts("ada"), IsEmpty());
  EXPECT_THAT(world.Events(), IsEmpty());

  EXPECT_TRUE(world.Record("gad-7", "1111111").ok()) << "it asks nothing about suicide";
  v1::RecordAssessmentRequest interview = world.Form("phq-9", "000000001");
  interview.mutable_assessment()->set_administration(v1::ADMINISTRATION_INTERVIEW);
  EXPECT_TRUE(world.assessments.RecordAssessment(world.By("ada"), interview).ok());

  proto::ClinicEvent clinic;
  clinic.add_duty_list(World::Of("clinicians", "cleo"));
  world.Tell("acme", World::Of("clinics", "north"), 1, clinic);
  world.Organization("acme", {}, {"GB-ENG"});
  EXPECT_TRUE(world.Record("phq-9", "000000000").ok()) << "the clinic's duty list suffices";
}

TEST_P(RecordTest, NamesWhatIsWrongAndKeepsNothing) {
  const auto fields = [&](const v1::RecordAssessmentRequest& request) {
    const auto refused = world.assessments.RecordAssessment(world.By("ada"), request);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    return Fields(refused.status());
  };
  EXPECT_THAT(fields(world.Form("phq-9", "111411111")), ElementsAre("assessment.answers[3].value"));
  EXPECT_THAT(fields(world.Form("phq-2", "11")), ElementsAre("assessment.instrument"));
  EXPECT_THAT(fields(world.Form("phq-9/revisions/2", "111111111")),
              ElementsAre("assessment.instrument"));
  EXPECT_THAT(
      fields(world.Form("phq-9", "111111111", World::kStart + absl::Minutes(5) + absl::Seconds(1))),
      ElementsAre("assessment.answer_time"));
  EXPECT_THAT(fields(world.Form("phq-9", "")), ElementsAre("assessment.answers"));
  v1::RecordAssessmentRequest both = world.Form("phq-9", "111111111");
  both.mutable_assessment()->set_total_only(9);
  EXPECT_THAT(fields(both), ElementsAre("assessment.total_only"));
  v1::RecordAssessmentRequest beyond = world.Form("phq-9", "");
  beyond.mutable_assessment()->set_total_only(28);
  EXPECT_THAT(fields(beyond), ElementsAre("assessment.total_only"));
  EXPECT_THAT(world.Events(), IsEmpty());
}

TEST_P(RecordTest, HidesCoursesFromThoseWhoDoNotTreatOrCover) {
  const std::string hidden =
      world.assessments.RecordAssessment(world.By("ben"), world.Form("phq-9", "000000000"))
          .status()
          .ToString();
  v1::RecordAssessmentRequest absent = world.Form("phq-9", "000000000");
  absent.mutable_assessment()->set_course(World::Of("courses", "none"));
  const auto refused = world.assessments.RecordAssessment(world.By("ada"), absent);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(refused.status().ToString(), hidden);

  const auto form = world.Record("phq-9", "000000000");
  v1::GetAssessmentRequest get;
  get.set_name(form->assessment().name());
  EXPECT_TRUE(absl::IsNotFound(world.assessments.GetAssessment(world.By("ben"), get).status()));
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_TRUE(world.assessments.GetAssessment(world.By("ben"), get).ok());
}

TEST_P(RecordTest, KeepsOrganisationsApart) {
  world.Organization("other");
  world.Clinician("other", "eve");
  const auto form = world.Record("phq-9", "000000001");
  v1::GetAssessmentRequest get;
  get.set_name(
      World::In("other", "assessments", std::string(names::Last(form->assessment().name()))));
  const call::CallContext eve = world.By("eve", "therapist", "other");
  EXPECT_TRUE(absl::IsNotFound(world.assessments.GetAssessment(eve, get).status()));
  v1::GetAlertRequest alert;
  alert.set_name(
      World::In("other", "alerts", std::string(names::Last(form->assessment().alerts(0)))));
  EXPECT_TRUE(absl::IsNotFound(world.alerts.GetAlert(eve, alert).status()));
  v1::ListAlertsRequest list;
  list.set_parent("organizations/other");
  EXPECT_THAT(world.alerts.ListAlerts(eve, list)->alerts(), IsEmpty());
}

TEST_P(RecordTest, AnswersNotReadyForAnUnknownOrganisation) {
  v1::RecordAssessmentRequest request = world.Form("phq-9", "000000000");
  const auto refused =
      world.assessments.RecordAssessment(world.By("eve", "therapist", "unknown"), request);
  EXPECT_EQ(errors::Reason(refused.status()), "ORGANIZATION_NOT_READY");
}

TEST_P(RecordTest, ListsACoursesFormsByAnswerTimeInPages) {
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    const auto form = world.Record(i % 2 ? "gad-7" : "phq-9", i % 2 ? "1111111" : "111111110",
                                   World::kStart - absl::Hours(100 - i / 2));
    expected.push_back(form->assessment().name());
  }
  v1::ListAssessmentsRequest request;
  request.set_course(World::Of("courses", "c1"));
  request.set_page_size(3);  // pages end between forms of one instant
  std::vector<std::string> listed;
  absl::Time before = absl::InfinitePast();
  do {
    const auto page = world.assessments.ListAssessments(world.By("ada"), request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& form : page->assessments()) {
      listed.push_back(form.name());
      EXPECT_LE(before, time::ToTime(form.answer_time()));
      before = time::ToTime(form.answer_time());
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(expected));

  request.clear_page_size();
  request.set_instrument("instruments/gad-7");
  EXPECT_THAT(world.assessments.ListAssessments(world.By("ada"), request)->assessments(),
              SizeIs(3));
  request.set_page_token("forged");
  EXPECT_THAT(Fields(world.assessments.ListAssessments(world.By("ada"), request).status()),
              ElementsAre("page_token"));
}

TEST_P(RecordTest, TellsTheCoursesProgress) {
  const char* const forms[] = {"222222220", "222222210", "111111110", "011000000"};
  for (int week = 0; week < 4; ++week) {
    world.clock.Set(World::kFirst + absl::Hours(168 * week) - absl::Hours(1));
    ASSERT_TRUE(world.Record("phq-9", forms[week]).ok());
  }
  v1::GetProgressRequest request;
  request.set_course(World::Of("courses", "c1"));
  const auto progress = world.progress.GetProgress(world.By("ada"), request);
  ASSERT_TRUE(progress.ok()) << progress.status();
  ASSERT_THAT(progress->instruments(), SizeIs(1));
  EXPECT_EQ(progress->instruments(0).points(3).session_number(), 4);
  EXPECT_EQ(progress->instruments(0).change().points(), -14);
  EXPECT_EQ(progress->instruments(0).milestones(1).term(), v1::TERM_RESPONSE);
  EXPECT_EQ(progress->instruments(0).milestones(1).session_number(), 3);
  EXPECT_TRUE(absl::IsNotFound(world.progress.GetProgress(world.By("ben"), request).status()));
}

TEST_P(RecordTest, StoresWithStatementsThatBindTheTenant) {
  EXPECT_THAT(sql::testing::StatementsWithoutTenant(sql::Statement::Catalogue()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, RecordTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({care::Migrations(),
                                                                       Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
