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
using ::testing::UnorderedElementsAre;

// All that is stored of the organisation's forms, and all that its events tell.
const sql::Statement kStored{"test.assessment.stored", R"sql(
  SELECT document, sealed FROM assessment WHERE organization_id = $1
  ORDER BY assessment_id)sql"};
const sql::Statement kTold{"test.assessment.told", R"sql(
  SELECT payload FROM outbox_pending WHERE organization_id = $1
  UNION ALL SELECT payload FROM event WHERE organization_id = $1)sql"};

// A row $4 with what is plain of the form $2 and what was sealed of the form $3.
const sql::Statement kMove{"test.assessment.move", R"sql(
  INSERT INTO assessment (organization_id, assessment_id, course, patient, instrument, answer_time,
                          record_time, total, complete, prorated, severity, diagnostic, version,
                          document, sealed)
  SELECT a.organization_id, $4, a.course, a.patient, a.instrument, a.answer_time,
         a.record_time, a.total, a.complete, a.prorated, a.severity, a.diagnostic, a.version,
         a.document, b.sealed
  FROM assessment AS a JOIN assessment AS b ON b.organization_id = a.organization_id
  WHERE a.organization_id = $1 AND a.assessment_id = $2 AND b.assessment_id = $3)sql"};
const sql::Statement kChange{"test.assessment.change", R"sql(
  UPDATE assessment SET version = version + 1
  WHERE organization_id = $1 AND assessment_id = $2)sql"};

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
  return fields;
}

class RecordTest : public WorldTest {
 protected:
  absl::StatusOr<v1::Assessment> Get(absl::string_view name, absl::string_view who = "ada") {
    v1::GetAssessmentRequest get;
    get.set_name(std::string(name));
    return world.assessments.GetAssessment(world.By(who), get);
  }
  // Names of c1's forms.
  std::vector<std::string> List(bool include_void, absl::string_view patient = "") {
    v1::ListAssessmentsRequest request;
    request.set_course(World::Of("courses", "c1"));
    request.set_include_void(include_void);
    if (!patient.empty()) request.set_patient(World::Of("patients", patient));
    const auto listed = world.assessments.ListAssessments(world.By("ada"), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    std::vector<std::string> names;
    if (listed.ok()) {
      for (const auto& form : listed->assessments()) names.push_back(form.name());
    }
    return names;
  }
  // A form of one of the couple.
  v1::RecordAssessmentRequest FormOf(absl::string_view patient, absl::string_view instrument,
                                     absl::string_view digits) {
    v1::RecordAssessmentRequest request = world.Form(instrument, digits);
    if (!patient.empty()) {
      request.mutable_assessment()->set_patient(World::Of("patients", patient));
    }
    return request;
  }
  absl::StatusOr<v1::Assessment> Void(absl::string_view name, absl::string_view who = "ada",
                                      absl::string_view role = "therapist",
                                      absl::string_view etag = "") {
    v1::VoidAssessmentRequest request;
    request.set_name(std::string(name));
    request.set_reason(v1::VOID_REASON_WRONG_PATIENT);
    request.set_etag(std::string(etag));
    return world.assessments.VoidAssessment(world.By(who, role), request);
  }
  call::CallContext Proxy(absl::string_view patient) {
    call::CallContext context = world.By("", "patient_proxy");
    auto principal = std::make_shared<auth::Principal>(*context.principal);
    principal->subject = std::string(patient);
    context.principal = std::move(principal);
    return context;
  }
  // What the statement returns, or how it fails.
  absl::StatusOr<sql::Result> Run(const sql::Statement& statement,
                                  std::vector<sql::Value> parameters) {
    sql::Result result;
    const absl::Status status = world.database().Write(
        sql::Access::Tenant("acme"), World::Deadline(), [&](sql::Transaction& tx) -> absl::Status {
          auto rows = tx.Query(statement, parameters);
          if (rows.ok()) result = *std::move(rows);
          return rows.status();
        });
    if (!status.ok()) return status;
    return result;
  }
};

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
  EXPECT_THAT(form.answers(), SizeIs(9));
  EXPECT_EQ(form.recorder(), "subject-ada");

  const auto kept = Get(form.name());
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->SerializeAsString(), form.SerializeAsString());
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
  EXPECT_THAT(world.Events(), UnorderedElementsAre("rapport.assessment.v1.AssessmentEvent",
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
              UnorderedElementsAre(
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
  EXPECT_THAT(fields(world.Form("none", "11")), ElementsAre("assessment.instrument"));
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

TEST_P(RecordTest, KeepsBothClocksOfALateEntryAndHowItWasAnswered) {
  v1::RecordAssessmentRequest request =
      world.Form("phq-9", "111111110", World::kStart - absl::Hours(30));
  request.mutable_assessment()->set_administration(v1::ADMINISTRATION_INTERVIEW);
  request.mutable_assessment()->set_language("de-CH");
  request.mutable_assessment()->set_device(v1::DEVICE_TELEPHONE);
  auto& age = *request.mutable_assessment()->add_context();
  age.set_id("age");
  age.set_number(17);
  const auto recorded = world.assessments.RecordAssessment(world.By("ada"), request);
  ASSERT_TRUE(recorded.ok()) << recorded.status();
  const auto kept = Get(recorded->assessment().name());
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(time::ToTime(kept->answer_time()), World::kStart - absl::Hours(30));
  EXPECT_EQ(time::ToTime(kept->record_time()), World::kStart);
  EXPECT_EQ(kept->appointment(), "") << "its window was not open then";
  EXPECT_EQ(kept->language(), "de-CH");
  EXPECT_EQ(kept->device(), v1::DEVICE_TELEPHONE);
  EXPECT_TRUE(kept->score().age_outside_range());
  ASSERT_THAT(kept->context(), SizeIs(1));
  EXPECT_EQ(kept->context(0).number(), 17);
}

TEST_P(RecordTest, NeedsToKnowWhichOfACoupleAnsweredAndKeepsThemApart) {
  world.Couple();
  for (const char* wrong : {"", "p9"}) {
    const auto refused =
        world.assessments.RecordAssessment(world.By("ada"), FormOf(wrong, "phq-9", "000000001"));
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Fields(refused.status()), ElementsAre("assessment.patient"));
  }
  const auto hers =
      world.assessments.RecordAssessment(world.By("ada"), FormOf("p2", "phq-9", "000000001"));
  ASSERT_TRUE(hers.ok()) << hers.status();
  const auto his =
      world.assessments.RecordAssessment(world.By("ada"), FormOf("p1", "phq-9", "111111110"));
  ASSERT_TRUE(his.ok()) << his.status();
  EXPECT_EQ(hers->assessment().patient(), World::Of("patients", "p2"));
  EXPECT_THAT(List(false, "p1"), ElementsAre(his->assessment().name()));
  EXPECT_THAT(List(false, "p2"), ElementsAre(hers->assessment().name()));
  EXPECT_THAT(List(false), SizeIs(2));
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].respondent(), World::Of("patients", "p2"));

  world.Course("acme", "c1", "p1", "ada");
  EXPECT_TRUE(world.Record("phq-9", "000000000").ok()) << "one patient needs no telling";
}

TEST_P(RecordTest, APatientsDeviceRecordsForItsPatientAlone) {
  world.Couple();
  const auto own =
      world.assessments.RecordAssessment(Proxy("p2"), FormOf("p2", "phq-9", "000000002"));
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->respondent_guidance(), v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  v1::Assessment named;
  named.set_name(own->assessment().name());
  EXPECT_EQ(own->assessment().SerializeAsString(), named.SerializeAsString())
      << "neither score nor answers";
  const auto other =
      world.assessments.RecordAssessment(Proxy("p2"), FormOf("p1", "phq-9", "000000002"));
  EXPECT_THAT(Fields(other.status()), ElementsAre("assessment.patient"));
  EXPECT_TRUE(absl::IsNotFound(
      world.assessments.RecordAssessment(Proxy("p3"), FormOf("p1", "phq-9", "000000002"))
          .status()));
}

TEST_P(RecordTest, ARespondentHasCrisisResourcesWhereTheyLive) {
  world.Couple("US");
  EXPECT_EQ(
      errors::Reason(
          world.assessments.RecordAssessment(world.By("ada"), FormOf("p2", "phq-9", "000000000"))
              .status()),
      "NO_RISK_OWNER");
  EXPECT_TRUE(
      world.assessments.RecordAssessment(world.By("ada"), FormOf("p1", "phq-9", "000000000")).ok());
  world.Organization("acme", {"cleo"}, {"GB", "US"});
  EXPECT_TRUE(
      world.assessments.RecordAssessment(world.By("ada"), FormOf("p2", "phq-9", "000000000")).ok());
}

TEST_P(RecordTest, AFormIsVoidedOnceAndStaysWithItsAnswersAndItsAlert) {
  const auto form = world.Record("phq-9", "000000003");
  ASSERT_TRUE(form.ok()) << form.status();
  const std::string name = form->assessment().name();
  world.clock.Set(World::kStart + absl::Hours(1));
  EXPECT_EQ(errors::Reason(Void(name, "ada", "therapist", "7").status()), "STALE_ETAG");
  const auto voided = Void(name, "ada", "therapist", form->assessment().etag());
  ASSERT_TRUE(voided.ok()) << voided.status();
  EXPECT_EQ(voided->void_().reason(), v1::VOID_REASON_WRONG_PATIENT);
  EXPECT_EQ(voided->void_().clinician(), World::Of("clinicians", "ada"));
  EXPECT_EQ(time::ToTime(voided->void_().void_time()), World::kStart + absl::Hours(1));
  EXPECT_THAT(voided->answers(), SizeIs(9));
  EXPECT_NE(voided->etag(), form->assessment().etag());
  EXPECT_EQ(Get(name)->SerializeAsString(), voided->SerializeAsString());

  EXPECT_THAT(List(false), IsEmpty());
  EXPECT_THAT(List(true), ElementsAre(name));
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].state(), v1::ALERT_STATE_OPEN);
  EXPECT_TRUE(alerts[0].source_voided());
  EXPECT_EQ(errors::Reason(Void(name).status()), "ASSESSMENT_VOIDED");
  EXPECT_EQ(Void(name).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Run(kChange, {sql::Text("acme"), sql::Text(names::Last(name))}).ok())
      << "the database keeps it as it is";
}

TEST_P(RecordTest, OnlyTheTherapistVoids) {
  const auto form = world.Record("phq-9", "111111110");
  ASSERT_TRUE(form.ok()) << form.status();
  const std::string name = form->assessment().name();
  EXPECT_TRUE(absl::IsNotFound(Void(name, "ben").status()));
  EXPECT_EQ(errors::Reason(Void(name, "kiosk", "integration").status()), "NOT_THE_THERAPIST");
  v1::VoidAssessmentRequest request;
  request.set_name(name);
  request.set_reason(v1::VOID_REASON_DUPLICATE);
  EXPECT_TRUE(absl::IsNotFound(world.assessments.VoidAssessment(Proxy("p1"), request).status()));
  proto::SupervisionEvent pair;
  pair.set_supervisor(World::Of("clinicians", "ben"));
  pair.set_supervisee(World::Of("clinicians", "ada"));
  *pair.mutable_start_time() = time::ToTimestamp(World::kStart);
  world.Tell("acme", World::Of("supervisions", "s1"), 1, pair);
  EXPECT_TRUE(Get(name, "ben").ok());
  EXPECT_EQ(errors::Reason(Void(name, "ben", "supervisor").status()), "NOT_THE_THERAPIST");
  request.clear_reason();
  EXPECT_THAT(Fields(world.assessments.VoidAssessment(world.By("ada"), request).status()),
              ElementsAre("reason"));
  world.Cover("v1", "ada", "cleo", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_TRUE(Void(name, "cleo").ok());
}

TEST_P(RecordTest, AnAnswerIsNewAfterAVoidedFormAndForTheOtherOfACouple) {
  world.Couple();
  const auto severity = [&](absl::string_view who) {
    world.clock.Set(world.clock.Now() + absl::Hours(1));
    const auto form =
        world.assessments.RecordAssessment(world.By("ada"), FormOf(who, "phq-9", "000000001"));
    EXPECT_TRUE(form.ok()) << form.status();
    v1::GetAlertRequest get;
    get.set_name(form->assessment().alerts(0));
    return std::pair(form->assessment().name(),
                     world.alerts.GetAlert(world.By("ada"), get)->severity());
  };
  const auto first = severity("p1");
  EXPECT_EQ(first.second, v1::ALERT_SEVERITY_SAME_DAY);
  for (const v1::Alert& alert : world.Alerts("ada")) {
    v1::AcknowledgeAlertRequest acknowledge;
    acknowledge.set_name(alert.name());
    ASSERT_TRUE(world.alerts.AcknowledgeAlert(world.By("ada"), acknowledge).ok());
    v1::ResolveAlertRequest resolve;
    resolve.set_name(alert.name());
    v1::AlertResolution& resolution = *resolve.mutable_resolution();
    resolution.set_contact(v1::CONTACT_MADE);
    *resolution.add_contact_times() = time::ToTimestamp(world.clock.Now());
    resolution.set_risk_assessment(absl::StrCat(World::Of("cases", "c1"), "/riskAssessments/r1"));
    resolution.set_safety_plan(v1::SAFETY_PLAN_OUTCOME_REVIEWED);
    resolution.add_informed(v1::INFORMED_NOBODY);
    *resolution.mutable_next_check_date() =
        time::ToDate(absl::ToCivilDay(world.clock.Now(), absl::UTCTimeZone()) + 7);
    const auto resolved = world.alerts.ResolveAlert(world.By("ada"), resolve);
    ASSERT_TRUE(resolved.ok()) << resolved.status();
  }
  const auto unchanged = severity("p1");
  EXPECT_EQ(unchanged.second, v1::ALERT_SEVERITY_THIS_CONTACT);
  EXPECT_EQ(severity("p2").second, v1::ALERT_SEVERITY_SAME_DAY) << "hers is her first";
  ASSERT_TRUE(Void(first.first).ok());
  ASSERT_TRUE(Void(unchanged.first).ok());
  EXPECT_EQ(severity("p1").second, v1::ALERT_SEVERITY_SAME_DAY);
}

TEST_P(RecordTest, KeepsNoAnswerInPlain) {
  v1::RecordAssessmentRequest request = world.Form("phq-9", "123012312");
  auto& difficulty = *request.mutable_assessment()->add_context();
  difficulty.set_id("unheard-of");
  difficulty.set_code("some-marker");
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), request).ok());
  v1::RecordAssessmentRequest score_only = world.Form("phq-9", "");
  score_only.mutable_assessment()->set_total_only(12);
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), score_only).ok());

  v1::Assessment answers;
  *answers.mutable_answers() = request.assessment().answers();
  const std::string plain = answers.SerializeAsString();
  const auto stored = Run(kStored, {sql::Text("acme")});
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_EQ(stored->rows(), 2u);
  for (size_t row = 0; row < stored->rows(); ++row) {
    v1::Assessment document;
    ASSERT_TRUE(document.ParseFromString(stored->Bytes(row, 0)));
    EXPECT_THAT(document.answers(), IsEmpty());
    EXPECT_THAT(document.context(), IsEmpty());
    EXPECT_FALSE(document.has_total_only());
    for (const int column : {0, 1}) {
      EXPECT_EQ(stored->Bytes(row, column).find(plain), std::string::npos);
      EXPECT_EQ(stored->Bytes(row, column).find("some-marker"), std::string::npos);
    }
  }
  const auto told = Run(kTold, {sql::Text("acme")});
  ASSERT_TRUE(told.ok()) << told.status();
  ASSERT_GE(told->rows(), 2u);
  for (size_t row = 0; row < told->rows(); ++row) {
    EXPECT_EQ(told->Bytes(row, 0).find(plain), std::string::npos);
    EXPECT_EQ(told->Bytes(row, 0).find("some-marker"), std::string::npos);
  }
}

TEST_P(RecordTest, AnswersMovedToAnotherRowDoNotOpen) {
  const auto a = world.Record("phq-9", "111111110");
  const auto b = world.Record("phq-9", "222222220");
  ASSERT_TRUE(a.ok() && b.ok());
  const auto id = [](const auto& form) {
    return sql::Text(names::Last(form->assessment().name()));
  };
  ASSERT_TRUE(Run(kMove, {sql::Text("acme"), id(a), id(b), sql::Text("sealed-moved")}).ok());
  ASSERT_TRUE(Run(kMove, {sql::Text("acme"), id(b), id(b), sql::Text("all-moved")}).ok());
  for (const char* moved : {"sealed-moved", "all-moved"}) {
    EXPECT_EQ(Get(World::Of("assessments", moved)).status().code(), absl::StatusCode::kInternal)
        << moved;
  }
  EXPECT_TRUE(Get(b->assessment().name()).ok());
}

TEST_P(RecordTest, WhatWasShreddedIsLeftOutAndNothingMoreIsKept) {
  world.Couple();
  const auto his =
      world.assessments.RecordAssessment(world.By("ada"), FormOf("p1", "phq-9", "111111110"));
  const auto hers =
      world.assessments.RecordAssessment(world.By("ada"), FormOf("p2", "phq-9", "222222220"));
  ASSERT_TRUE(his.ok() && hers.ok());
  ASSERT_TRUE(world.database()
                  .Write(sql::Access::Tenant("acme"), World::Deadline(),
                         [&](sql::Transaction& tx) {
                           world.vault.Shred(tx, "acme", World::Of("patients", "p2"),
                                             World::kStart);
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_THAT(List(false), SizeIs(2));
  EXPECT_THAT(Get(his->assessment().name())->answers(), SizeIs(9));
  EXPECT_THAT(Get(hers->assessment().name())->answers(), IsEmpty());
  EXPECT_EQ(
      errors::Reason(
          world.assessments.RecordAssessment(world.By("ada"), FormOf("p2", "phq-9", "000000000"))
              .status()),
      "ERASED");
}

TEST_P(RecordTest, APartialFormRaisesItsAlertOnceAndTheFinishedOneRaisesItHigher) {
  const Recorder recorder(world.catalogues, world.vault);
  const std::string request = World::Of("measureRequests", "m1");
  const call::CallContext context = world.By("ada");
  const auto change = [&](auto body) {
    const absl::Status status = call::MutateRaw(
        world.database(), context, "",
        [](sql::Session&, absl::string_view) { return absl::OkStatus(); }, body);
    ASSERT_TRUE(status.ok()) << status;
  };
  const auto partial = [&](absl::string_view digits) {
    auto guidance = v1::RESPONDENT_GUIDANCE_UNSPECIFIED;
    change([&](call::Change& open) -> absl::Status {
      const InstrumentRules& rules = *ShippedInstruments().FindById("phq-9");
      const v1::Assessment form = world.Form("phq-9", digits).assessment();
      const auto sheet = Sheet::Read(rules, form.answers(), form.context());
      const auto course = care::GetCourse(open.tx(), World::Of("courses", "c1"));
      const auto raised = recorder.RaisePartial(open, *course, World::Of("patients", "p1"), rules,
                                                std::get<Sheet>(sheet), request);
      if (raised.ok()) guidance = *raised;
      return raised.status();
    });
    return guidance;
  };
  EXPECT_EQ(partial("11-------"), v1::RESPONDENT_GUIDANCE_UNSPECIFIED);
  EXPECT_THAT(world.Alerts("ada"), IsEmpty()) << "what is not answered yet is not missing";
  for (int save = 0; save < 2; ++save) {
    EXPECT_EQ(partial("--------1"), v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
    ASSERT_THAT(world.Alerts("ada"), SizeIs(1));
    EXPECT_EQ(world.Alerts("ada")[0].severity(), v1::ALERT_SEVERITY_SAME_DAY);
  }
  const std::string alert = world.Alerts("ada")[0].name();
  v1::Assessment recorded;
  change([&](call::Change& open) -> absl::Status {
    const auto form = recorder.Record(open, world.Form("phq-9", "111111113").assessment(),
                                      {.measure_request = request, .recorder = "link"});
    if (form.ok()) recorded = form->assessment;
    return form.status();
  });
  EXPECT_EQ(recorded.measure_request(), request);
  EXPECT_EQ(recorded.recorder(), "link");
  EXPECT_THAT(recorded.alerts(), ElementsAre(alert));
  ASSERT_THAT(world.Alerts("ada"), SizeIs(1));
  EXPECT_EQ(world.Alerts("ada")[0].severity(), v1::ALERT_SEVERITY_IMMEDIATE);
  ASSERT_TRUE(Void(recorded.name()).ok());
  EXPECT_TRUE(world.Alerts("ada")[0].source_voided());
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
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
