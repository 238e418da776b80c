#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const sql::Statement kStored{"test.measure_request.stored", R"sql(
  SELECT document, link_hash, sealed, save_number FROM measure_request WHERE organization_id = $1
  ORDER BY measure_request_id)sql"};
const sql::Statement kTold{"test.measure_request.told", R"sql(
  SELECT payload FROM outbox_pending WHERE organization_id = $1
  UNION ALL SELECT payload FROM event WHERE organization_id = $1)sql"};
const sql::Statement kRemembered{"test.measure_request.remembered", R"sql(
  SELECT resources, request_id FROM idempotency WHERE organization_id = $1)sql"};
const sql::Statement kWork{"test.measure_request.work", R"sql(
  SELECT key FROM due_work WHERE organization_id = $1 AND kind = 'measure_expiry')sql"};
// Puts $3 in the place of what was saved of $2.
const sql::Statement kReplace{"test.measure_request.replace", R"sql(
  UPDATE measure_request SET sealed = $3 WHERE organization_id = $1 AND measure_request_id = $2)sql"};

constexpr absl::string_view kAllZero = "000000000";

class MeasureRequestsTest : public WorldTest {
 protected:
  using Change = std::function<void(v1::MeasureRequest&)>;

  static v1::CreateMeasureRequestRequest Asking(absl::string_view instrument,
                                                const Change& change = nullptr) {
    v1::CreateMeasureRequestRequest request;
    request.set_parent("organizations/acme");
    request.mutable_measure_request()->set_course(World::Of("courses", "c1"));
    request.mutable_measure_request()->set_instrument(absl::StrCat("instruments/", instrument));
    if (change) change(*request.mutable_measure_request());
    return request;
  }
  absl::StatusOr<v1::MeasureRequest> TryAsk(absl::string_view instrument,
                                            const Change& change = nullptr,
                                            absl::string_view who = "ada") {
    return world.requests.CreateMeasureRequest(world.By(who), Asking(instrument, change));
  }
  v1::MeasureRequest Ask(absl::string_view instrument, const Change& change = nullptr) {
    const auto asked = TryAsk(instrument, change);
    EXPECT_TRUE(asked.ok()) << asked.status();
    return asked.value_or(v1::MeasureRequest());
  }
  absl::StatusOr<v1::MeasureRequest> Get(absl::string_view name, absl::string_view who = "ada") {
    v1::GetMeasureRequestRequest request;
    request.set_name(std::string(name));
    return world.requests.GetMeasureRequest(world.By(who), request);
  }
  absl::StatusOr<v1::MeasureRequest> Cancel(const v1::MeasureRequest& asked,
                                            absl::string_view who = "ada",
                                            absl::string_view role = "therapist",
                                            absl::string_view etag = "") {
    v1::CancelMeasureRequestRequest request;
    request.set_name(asked.name());
    request.set_etag(std::string(etag));
    return world.requests.CancelMeasureRequest(world.By(who, role), request);
  }

  // The integration that serves the patient's page.
  call::CallContext Page() { return world.By("page", "integration", "acme", "the same"); }
  call::CallContext Device(absl::string_view patient) {
    call::CallContext context = world.By("", "patient_proxy");
    auto principal = std::make_shared<auth::Principal>(*context.principal);
    principal->subject = std::string(patient);
    context.principal = std::move(principal);
    return context;
  }
  absl::StatusOr<v1::OpenMeasure> Open(absl::string_view token) { return Open(Page(), token); }
  absl::StatusOr<v1::OpenMeasure> Open(const call::CallContext& context, absl::string_view token) {
    v1::OpenMeasureRequestRequest request;
    request.set_parent("organizations/acme");
    request.set_link_token(std::string(token));
    return world.requests.OpenMeasureRequest(context, request);
  }
  template <class Request>
  Request Filled(absl::string_view token, absl::string_view digits) {
    Request request;
    request.set_parent("organizations/acme");
    request.set_link_token(std::string(token));
    *request.mutable_answers() = world.Form("any", digits).assessment().answers();
    return request;
  }
  absl::StatusOr<v1::OpenMeasure> Save(absl::string_view token, absl::string_view digits,
                                       int64_t save_number) {
    return Save(Page(), token, digits, save_number);
  }
  absl::StatusOr<v1::OpenMeasure> Save(const call::CallContext& context, absl::string_view token,
                                       absl::string_view digits, int64_t save_number) {
    auto request = Filled<v1::SaveMeasureAnswersRequest>(token, digits);
    request.set_save_number(save_number);
    return world.requests.SaveMeasureAnswers(context, request);
  }
  absl::StatusOr<v1::SubmitMeasureResponse> Submit(absl::string_view token,
                                                   absl::string_view digits) {
    return Submit(Page(), token, digits);
  }
  absl::StatusOr<v1::SubmitMeasureResponse> Submit(const call::CallContext& context,
                                                   absl::string_view token,
                                                   absl::string_view digits,
                                                   absl::string_view request_id = "") {
    auto request = Filled<v1::SubmitMeasureRequest>(token, digits);
    request.set_device(v1::DEVICE_OWN);
    request.set_request_id(std::string(request_id));
    return world.requests.SubmitMeasure(context, request);
  }
  absl::StatusOr<v1::DeclineMeasureResponse> Decline(const call::CallContext& context,
                                                     absl::string_view token) {
    v1::DeclineMeasureRequest request;
    request.set_parent("organizations/acme");
    request.set_link_token(std::string(token));
    request.set_reason(v1::DECLINE_REASON_BURDEN);
    return world.requests.DeclineMeasure(context, request);
  }
  // How each way to use the link ends.
  std::vector<absl::Status> Uses(const call::CallContext& context, const std::string& token) {
    return {Open(context, token).status(), Save(context, token, kAllZero, 0).status(),
            Submit(context, token, kAllZero).status(), Decline(context, token).status()};
  }
  void ExpectNoSuchLink(const call::CallContext& context, const std::string& token) {
    const absl::Status absent = Open(Page(), std::string(43, 'x')).status();
    EXPECT_EQ(absent.code(), absl::StatusCode::kNotFound);
    for (const absl::Status& status : Uses(context, token)) {
      EXPECT_EQ(status, absent) << status;  // the message and the details too
    }
  }

  absl::StatusOr<v1::Assessment> Form(absl::string_view name) {
    v1::GetAssessmentRequest request;
    request.set_name(std::string(name));
    return world.assessments.GetAssessment(world.By("ada"), request);
  }
  static std::vector<std::string> FieldsOf(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    std::vector<std::string> fields;
    for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
    return fields;
  }
  int RequestEvents() {
    int count = 0;
    for (const std::string& type : world.Events()) {
      count += type == "rapport.assessment.v1.MeasureRequestEvent";
    }
    return count;
  }
  // Monitored from 09:00 to 17:00 on working days, by the organisation or one clinic.
  template <class State>
  static State Monitored(State state) {
    for (int day = 1; day <= 5; ++day) {
      auto& stretch = *state.add_monitored_hours();
      stretch.set_day_of_week(static_cast<google::type::DayOfWeek>(day));
      *stretch.mutable_start_time() = time::ToTimeOfDay(9 * 60);
      *stretch.mutable_end_time() = time::ToTimeOfDay(17 * 60);
    }
    return state;
  }
  void MonitorOrganization() {
    proto::OrganizationEvent state;
    state.set_state(proto::ORGANIZATION_STATE_ACTIVE);
    state.add_duty_list(World::Of("clinicians", "cleo"));
    state.add_crisis_jurisdictions("GB");
    world.Tell("acme", "organizations/acme", 1000, Monitored(state));
  }
  absl::StatusOr<sql::Result> Run(const sql::Statement& statement,
                                  std::vector<sql::Value> parameters) {
    sql::Result result;
    RETURN_IF_ERROR(world.database().Write(
        sql::Access::Tenant("acme"), World::Deadline(), [&](sql::Transaction& tx) -> absl::Status {
          ASSIGN_OR_RETURN(result, tx.Query(statement, parameters));
          return absl::OkStatus();
        }));
    return result;
  }
  // Every text and blob of the rows.
  std::string All(const sql::Statement& statement) {
    const auto rows = Run(statement, {sql::Text("acme")});
    EXPECT_TRUE(rows.ok()) << rows.status();
    std::string all;
    for (size_t row = 0; row < rows->rows(); ++row) {
      for (int column = 0; column < (&statement == &kTold ? 1 : 2); ++column) {
        const sql::Value& value = rows->at(row, column);
        if (const auto* text = std::get_if<std::string>(&value)) all += *text + "\n";
        if (const auto* blob = std::get_if<sql::Blob>(&value)) all += blob->bytes + "\n";
      }
    }
    return all;
  }
};

TEST_P(MeasureRequestsTest, IsMadeWithALinkThatIsToldOnce) {
  v1::CreateMeasureRequestRequest request = Asking("phq-9", [](v1::MeasureRequest& made) {
    made.set_appointment(World::Of("appointments", "a2"));
    made.set_language("en-GB");
  });
  request.set_request_id("r1");
  const call::CallContext first = world.By("ada", "therapist", "acme", "same");
  const auto made = world.requests.CreateMeasureRequest(first, request);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->link_token(), SizeIs(43));
  EXPECT_EQ(made->patient(), World::Of("patients", "p1"));
  EXPECT_EQ(made->instrument(), "instruments/phq-9/revisions/1");
  EXPECT_EQ(made->state(), v1::MEASURE_REQUEST_STATE_OPEN);
  EXPECT_EQ(made->channel(), v1::REQUEST_CHANNEL_LINK);
  EXPECT_EQ(time::ToTime(made->open_time()), World::kFirst + absl::Hours(168 - 48));
  EXPECT_EQ(time::ToTime(made->expire_time()),
            World::kFirst + absl::Hours(168) + absl::Minutes(50));
  EXPECT_EQ(time::ToTime(made->create_time()), World::kStart);

  const call::CallContext again = world.By("ada", "therapist", "acme", "same");
  const auto repeated = world.requests.CreateMeasureRequest(again, request);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(repeated->link_token(), "");
  v1::MeasureRequest without = *made;
  without.clear_link_token();
  EXPECT_EQ(repeated->SerializeAsString(), without.SerializeAsString());
  const auto got = Get(made->name());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->SerializeAsString(), without.SerializeAsString());
  EXPECT_EQ(RequestEvents(), 1);
  EXPECT_NE(Ask("phq-9").link_token(), made->link_token());
}

TEST_P(MeasureRequestsTest, KeepsNeitherTheLinkNorAnAnswerInPlain) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "210-----2", 0).ok());
  v1::OpenMeasure saved;
  *saved.mutable_answers() = world.Form("any", "210-----2").assessment().answers();
  for (const sql::Statement* statement : {&kStored, &kTold, &kRemembered}) {
    EXPECT_EQ(All(*statement).find(asked.link_token()), std::string::npos);
    EXPECT_EQ(All(*statement).find(saved.SerializeAsString()), std::string::npos);
  }
  const auto rows = Run(kStored, {sql::Text("acme")});
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->rows(), 1u);
  EXPECT_EQ(rows->Bytes(0, 2).find(saved.SerializeAsString()), std::string::npos);
  EXPECT_EQ(rows->Bytes(0, 1), auth::Sha256(asked.link_token()));
}

TEST_P(MeasureRequestsTest, SavedAnswersOpenAtTheirPlaceAlone) {
  const v1::MeasureRequest asked = Ask("phq-9");
  const v1::MeasureRequest other = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "21-------", 0).ok());
  const std::string first = Run(kStored, {sql::Text("acme")})->Bytes(0, 2);
  ASSERT_TRUE(Save(asked.link_token(), "210------", 1).ok());
  ASSERT_TRUE(Save(other.link_token(), "000------", 0).ok());
  // An earlier save, and another request's.
  for (const v1::MeasureRequest* moved : {&asked, &other}) {
    ASSERT_TRUE(
        Run(kReplace, {sql::Text("acme"), sql::Text(names::Last(moved->name())), sql::Bytes(first)})
            .ok());
    EXPECT_EQ(Open(moved->link_token()).status().code(), absl::StatusCode::kInternal);
  }
}

TEST_P(MeasureRequestsTest, IsOpenedSavedAndSentOff) {
  const v1::MeasureRequest asked =
      Ask("phq-9", [](v1::MeasureRequest& made) { made.set_language("de"); });
  const auto opened = Open(asked.link_token());
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->instrument(), "instruments/phq-9/revisions/1");
  EXPECT_EQ(opened->language(), "de");
  EXPECT_EQ(opened->save_number(), 0);
  EXPECT_THAT(opened->answers(), IsEmpty());

  const auto saved = Save(asked.link_token(), "12-3", 0);
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->save_number(), 1);
  EXPECT_THAT(saved->answers(), SizeIs(3));
  EXPECT_EQ(saved->respondent_guidance(), v1::RESPONDENT_GUIDANCE_UNSPECIFIED);
  const auto partial = Get(asked.name());
  ASSERT_TRUE(partial.ok()) << partial.status();
  EXPECT_EQ(partial->state(), v1::MEASURE_REQUEST_STATE_PARTIAL);
  EXPECT_EQ(partial->answered_items(), 3);
  EXPECT_NE(partial->etag(), asked.etag());
  const auto again = Open(Device("p1"), asked.link_token());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), saved->SerializeAsString());

  world.clock.Set(World::kStart + absl::Hours(1));
  const auto sent = Submit(asked.link_token(), "123012300");
  ASSERT_TRUE(sent.ok()) << sent.status();
  const auto done = Get(asked.name());
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->state(), v1::MEASURE_REQUEST_STATE_COMPLETED);
  const auto form = Form(done->assessment());
  ASSERT_TRUE(form.ok()) << form.status();
  EXPECT_EQ(form->score().total(), 12);
  EXPECT_EQ(form->measure_request(), asked.name());
  EXPECT_EQ(form->administration(), v1::ADMINISTRATION_SELF_REPORT);
  EXPECT_EQ(form->language(), "de");
  EXPECT_EQ(form->device(), v1::DEVICE_OWN);
  EXPECT_EQ(form->recorder(), "subject-page");
  EXPECT_EQ(time::ToTime(form->answer_time()), World::kStart + absl::Hours(1));
  EXPECT_TRUE(Run(kStored, {sql::Text("acme")})->IsNull(0, 2)) << "the form holds the answers now";
  EXPECT_THAT(world.Alerts("ada"), IsEmpty());
  EXPECT_EQ(RequestEvents(), 3);
  EXPECT_EQ(Run(kWork, {sql::Text("acme")})->rows(), 0u);
}

TEST_P(MeasureRequestsTest, OfTwoWindowsTheSecondToSaveMustMerge) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "1", 0).ok());
  const absl::Status stale = Save(asked.link_token(), "-2", 0).status();
  EXPECT_EQ(stale.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(errors::Reason(stale), "STALE_SAVE");
  const auto read = Open(asked.link_token());
  ASSERT_TRUE(read.ok());
  EXPECT_THAT(read->answers(), SizeIs(1)) << "the first window's";
  const auto merged = Save(asked.link_token(), "12", read->save_number());
  ASSERT_TRUE(merged.ok()) << merged.status();
  EXPECT_EQ(merged->save_number(), 2);
  EXPECT_EQ(errors::Reason(Save(asked.link_token(), "1", 3).status()), "STALE_SAVE");
  EXPECT_EQ(RequestEvents(), 3) << "made, and saved twice";
}

TEST_P(MeasureRequestsTest, ACriticalAnswerThatIsSavedIsAnAlertAtOnce) {
  const v1::MeasureRequest asked = Ask("phq-9");
  const auto saved = Save(asked.link_token(), "--------1", 0);
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->respondent_guidance(), v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  EXPECT_EQ(Open(asked.link_token())->respondent_guidance(),
            v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  const std::string raised = alerts[0].name();
  EXPECT_EQ(alerts[0].kind(), v1::ALERT_KIND_CRITICAL_ANSWER);
  EXPECT_EQ(alerts[0].severity(), v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_EQ(alerts[0].source(), asked.name());
  EXPECT_EQ(alerts[0].respondent(), World::Of("patients", "p1"));

  ASSERT_TRUE(Save(asked.link_token(), "1-------1", 1).ok());
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1)) << "the same answer again";
  const auto sent = Submit(asked.link_token(), "100000001");
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(sent->respondent_guidance(), v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1)) << "and sent off";
  EXPECT_EQ(alerts[0].severity(), v1::ALERT_SEVERITY_SAME_DAY);
  EXPECT_THAT(Form(Get(asked.name())->assessment())->alerts(), ElementsAre(raised));
}

TEST_P(MeasureRequestsTest, AHigherAnswerRaisesTheAlertThatStands) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "--------1", 0).ok());
  ASSERT_THAT(world.Alerts("ada"), SizeIs(1));
  const std::string raised = world.Alerts("ada")[0].name();
  world.clock.Set(World::kStart + absl::Minutes(10));
  ASSERT_TRUE(Submit(asked.link_token(), "000000003").ok());
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].name(), raised);
  EXPECT_EQ(alerts[0].severity(), v1::ALERT_SEVERITY_IMMEDIATE);
  EXPECT_EQ(time::ToTime(alerts[0].acknowledge_before_time()), World::kStart + absl::Minutes(25));
}

TEST_P(MeasureRequestsTest, AnAnswerTakenBackLeavesItsAlert) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "--------3", 0).ok());
  const auto sent = Submit(asked.link_token(), kAllZero);
  ASSERT_TRUE(sent.ok()) << sent.status();
  EXPECT_EQ(sent->respondent_guidance(), v1::RESPONDENT_GUIDANCE_UNSPECIFIED);
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].severity(), v1::ALERT_SEVERITY_IMMEDIATE);
}

TEST_P(MeasureRequestsTest, APartialFormIsNotTakenForOneThatLeavesOutRisk) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "11", 0).ok());
  EXPECT_THAT(world.Alerts("ada"), IsEmpty());
  ASSERT_TRUE(Submit(asked.link_token(), "11111111-").ok());
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].kind(), v1::ALERT_KIND_RISK_NOT_ASKED);
}

TEST_P(MeasureRequestsTest, ALinkThatCanNotBeUsedIsUnknownWhateverIsTheMatter) {
  const std::string sent = Ask("phq-9").link_token();
  ASSERT_TRUE(Submit(sent, kAllZero).ok());
  ExpectNoSuchLink(Page(), sent);
  const std::string declined = Ask("phq-9").link_token();
  ASSERT_TRUE(Decline(Page(), declined).ok());
  ExpectNoSuchLink(Page(), declined);
  const v1::MeasureRequest cancelled = Ask("phq-9");
  ASSERT_TRUE(Cancel(cancelled).ok());
  ExpectNoSuchLink(Page(), cancelled.link_token());

  const std::string good = Ask("phq-9").link_token();
  std::string wrong = good;
  wrong[20] = wrong[20] == 'A' ? 'B' : 'A';
  ExpectNoSuchLink(Page(), wrong);
  ExpectNoSuchLink(Page(), good.substr(0, 42));
  ExpectNoSuchLink(Device("p2"), good);
  world.Organization("other");
  ExpectNoSuchLink(world.By("page", "integration", "other"), good);
  ExpectNoSuchLink(world.By("ben"), good);
  ASSERT_TRUE(Open(Device("p1"), good).ok());

  world.clock.Set(World::kStart + absl::Hours(7 * 24));  // the worker has not come by yet
  ExpectNoSuchLink(Page(), good);
}

TEST_P(MeasureRequestsTest, CanNotBeAnsweredBeforeItOpens) {
  const v1::MeasureRequest asked = Ask("gad-7", [](v1::MeasureRequest& made) {
    *made.mutable_open_time() = time::ToTimestamp(World::kStart + absl::Hours(5));
  });
  const call::CallContext page = Page();
  for (const absl::Status& early :
       {Open(page, asked.link_token()).status(), Save(page, asked.link_token(), "1", 0).status(),
        Submit(page, asked.link_token(), "1111111").status()}) {
    EXPECT_EQ(errors::Reason(early), "NOT_OPEN_YET") << early;
    EXPECT_EQ(errors::MetadataValue(early, "opens_at"), "2026-03-02T14:00:00+00:00");
  }
  world.clock.Set(World::kStart + absl::Hours(5));
  EXPECT_TRUE(Submit(asked.link_token(), "1111111").ok());
}

TEST_P(MeasureRequestsTest, AsksOfRiskOnlyWhileSomebodyWouldSeeTheAnswer) {
  MonitorOrganization();
  const v1::MeasureRequest asked = Ask("phq-9");
  const v1::MeasureRequest harmless = Ask("gad-7");
  EXPECT_TRUE(Open(asked.link_token()).ok());
  world.clock.Set(World::kStart + absl::Hours(8));  // 17:00 on Monday
  const call::CallContext page = Page();
  for (const absl::Status& unseen :
       {Open(page, asked.link_token()).status(), Save(page, asked.link_token(), "1", 0).status(),
        Submit(page, asked.link_token(), kAllZero).status()}) {
    EXPECT_EQ(unseen.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(errors::Reason(unseen), "OUTSIDE_MONITORED_HOURS") << unseen;
    EXPECT_EQ(errors::MetadataValue(unseen, "opens_at"), "2026-03-03T09:00:00+00:00");
  }
  EXPECT_TRUE(Submit(harmless.link_token(), "1111111").ok()) << "it asks nothing about suicide";
  world.clock.Set(World::kStart + absl::Hours(24));
  EXPECT_TRUE(Submit(asked.link_token(), kAllZero).ok());
}

TEST_P(MeasureRequestsTest, MayBeDeclinedAtAnyHour) {
  MonitorOrganization();
  const v1::MeasureRequest asked = Ask("phq-9");
  world.clock.Set(World::kStart + absl::Hours(10));
  EXPECT_TRUE(Decline(Page(), asked.link_token()).ok());
}

TEST_P(MeasureRequestsTest, TheClinicsHoursAndClockGoBeforeTheOrganisations) {
  MonitorOrganization();
  proto::ClinicEvent clinic;
  clinic.set_time_zone("America/New_York");
  world.Tell("acme", World::Of("clinics", "north"), 1000, clinic);
  const v1::MeasureRequest asked = Ask("phq-9");
  EXPECT_EQ(errors::MetadataValue(Open(asked.link_token()).status(), "opens_at"),
            "2026-03-02T14:00:00+00:00")
      << "the organisation's hours by the clinic's clock";
  auto& stretch = *clinic.add_monitored_hours();
  stretch.set_day_of_week(google::type::MONDAY);
  *stretch.mutable_start_time() = time::ToTimeOfDay(5 * 60);
  *stretch.mutable_end_time() = time::ToTimeOfDay(6 * 60);
  world.Tell("acme", World::Of("clinics", "north"), 1001, clinic);
  EXPECT_EQ(errors::MetadataValue(Open(asked.link_token()).status(), "opens_at"),
            "2026-03-02T10:00:00+00:00")
      << "its own";
}

TEST_P(MeasureRequestsTest, IsNotMadeWhereNobodyWouldEverSeeTheAnswer) {
  MonitorOrganization();
  const auto within = [&](int open_hours, int expire_hours) {
    return TryAsk("phq-9",
                  [&](v1::MeasureRequest& made) {
                    *made.mutable_open_time() =
                        time::ToTimestamp(World::kStart + absl::Hours(open_hours));
                    *made.mutable_expire_time() =
                        time::ToTimestamp(World::kStart + absl::Hours(expire_hours));
                  })
        .status();
  };
  const absl::Status overnight = within(8, 24);  // from Monday 17:00 to Tuesday 09:00
  EXPECT_EQ(errors::Reason(overnight), "OUTSIDE_MONITORED_HOURS");
  EXPECT_EQ(errors::MetadataValue(overnight, "opens_at"), "2026-03-03T09:00:00+00:00");
  EXPECT_EQ(errors::Reason(within(4 * 24 + 8, 7 * 24)), "OUTSIDE_MONITORED_HOURS") << "a weekend";
  EXPECT_TRUE(within(8, 25).ok());
  EXPECT_EQ(RequestEvents(), 1);
}

TEST_P(MeasureRequestsTest, IsRefusedWithoutARiskOwner) {
  world.Organization("acme", {}, {"GB"});
  EXPECT_EQ(errors::Reason(TryAsk("phq-9").status()), "NO_RISK_OWNER");
  EXPECT_TRUE(TryAsk("gad-7").ok()) << "it asks nothing about suicide";
  world.Organization("acme", {"cleo"}, {});
  EXPECT_EQ(errors::Reason(TryAsk("phq-9").status()), "NO_RISK_OWNER");
  world.Organization("acme");
  const v1::MeasureRequest asked = Ask("phq-9");
  world.Organization("acme", {}, {"GB"});
  EXPECT_EQ(errors::Reason(Submit(asked.link_token(), kAllZero).status()), "NO_RISK_OWNER");
}

TEST_P(MeasureRequestsTest, NamesWhatIsWrongWithARequest) {
  EXPECT_THAT(FieldsOf(TryAsk("none").status()), ElementsAre("measure_request.instrument"));
  EXPECT_THAT(FieldsOf(TryAsk("moca").status()), ElementsAre("measure_request.instrument"))
      << "it has no items";
  EXPECT_THAT(FieldsOf(TryAsk("phq-9",
                              [](v1::MeasureRequest& made) {
                                made.set_patient(World::Of("patients", "p2"));
                              })
                           .status()),
              ElementsAre("measure_request.patient"));
  EXPECT_THAT(FieldsOf(TryAsk("phq-9",
                              [](v1::MeasureRequest& made) {
                                *made.mutable_expire_time() = time::ToTimestamp(World::kStart);
                              })
                           .status()),
              ::testing::Contains("measure_request.expire_time"));
  world.Course("acme", "c2", "p3", "ada");
  for (const char* appointment : {"none", "a1"}) {
    const auto refused = TryAsk("phq-9", [&](v1::MeasureRequest& made) {
      made.set_course(World::Of("courses", "c2"));
      made.set_appointment(World::Of("appointments", appointment));
    });
    EXPECT_TRUE(absl::IsNotFound(refused.status())) << appointment << " is none of the course's";
  }
  EXPECT_EQ(RequestEvents(), 0);
}

TEST_P(MeasureRequestsTest, NamesWhatIsWrongWithAnswersByTheirPlace) {
  const std::string token = Ask("phq-9").link_token();
  EXPECT_THAT(FieldsOf(Save(token, "14", 0).status()), ElementsAre("answers[1].value"));
  EXPECT_THAT(FieldsOf(Submit(token, "140000000").status()), ElementsAre("answers[1].value"));
  EXPECT_THAT(FieldsOf(Submit(token, "00000000000").status()), ElementsAre("answers[10].item"));
  EXPECT_THAT(FieldsOf(Submit(token, "").status()), ElementsAre("answers"));
  auto request = Filled<v1::SubmitMeasureRequest>(token, kAllZero);
  request.add_context()->set_id("age");
  request.mutable_context(0)->set_number(-1);
  EXPECT_THAT(FieldsOf(world.requests.SubmitMeasure(Page(), request).status()),
              ElementsAre("context[0]"));
  EXPECT_TRUE(Submit(token, kAllZero).ok()) << "nothing of it has spent the link";
}

TEST_P(MeasureRequestsTest, IsTheTreatingTherapistsAlone) {
  const v1::MeasureRequest asked = Ask("phq-9");
  EXPECT_TRUE(absl::IsNotFound(TryAsk("phq-9", nullptr, "ben").status()));
  EXPECT_TRUE(absl::IsNotFound(Get(asked.name(), "ben").status()));
  EXPECT_TRUE(absl::IsNotFound(Cancel(asked, "ben").status()));
  EXPECT_EQ(errors::Reason(Cancel(asked, "kiosk", "integration").status()), "NOT_THE_THERAPIST");
  v1::ListMeasureRequestsRequest list;
  list.set_course(World::Of("courses", "c1"));
  EXPECT_TRUE(absl::IsNotFound(world.requests.ListMeasureRequests(world.By("ben"), list).status()));
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_TRUE(Get(asked.name(), "ben").ok());
  EXPECT_TRUE(TryAsk("phq-9", nullptr, "ben").ok());
  EXPECT_TRUE(Cancel(asked, "ben").ok());
}

TEST_P(MeasureRequestsTest, IsDeclinedWithAReason) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Decline(Device("p1"), asked.link_token()).ok());
  const auto declined = Get(asked.name());
  ASSERT_TRUE(declined.ok());
  EXPECT_EQ(declined->state(), v1::MEASURE_REQUEST_STATE_DECLINED);
  EXPECT_EQ(declined->decline_reason(), v1::DECLINE_REASON_BURDEN);
  EXPECT_EQ(Run(kWork, {sql::Text("acme")})->rows(), 0u);
  EXPECT_EQ(RequestEvents(), 2);
}

TEST_P(MeasureRequestsTest, IsTakenBackOnceAndAtItsVersion) {
  const v1::MeasureRequest asked = Ask("phq-9");
  ASSERT_TRUE(Save(asked.link_token(), "1", 0).ok());
  EXPECT_EQ(errors::Reason(Cancel(asked, "ada", "therapist", asked.etag()).status()), "STALE_ETAG");
  const auto cancelled = Cancel(asked, "ada", "therapist", Get(asked.name())->etag());
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), v1::MEASURE_REQUEST_STATE_CANCELLED);
  EXPECT_EQ(cancelled->SerializeAsString(), Get(asked.name())->SerializeAsString());
  EXPECT_EQ(errors::Reason(Cancel(asked).status()), "MEASURE_REQUEST_STATE");
  const v1::MeasureRequest other = Ask("phq-9");
  ASSERT_TRUE(Submit(other.link_token(), kAllZero).ok());
  EXPECT_EQ(errors::Reason(Cancel(other).status()), "MEASURE_REQUEST_STATE");
}

TEST_P(MeasureRequestsTest, ExpiresByItselfAndTellsIt) {
  const v1::MeasureRequest open = Ask("phq-9");
  const v1::MeasureRequest partial = Ask("phq-9");
  const v1::MeasureRequest later = Ask("phq-9", [](v1::MeasureRequest& made) {
    *made.mutable_expire_time() = time::ToTimestamp(World::kStart + absl::Hours(8 * 24));
  });
  const v1::MeasureRequest sent = Ask("phq-9");
  ASSERT_TRUE(Save(partial.link_token(), "111", 0).ok());
  ASSERT_TRUE(Submit(sent.link_token(), kAllZero).ok());
  const int before = RequestEvents();
  world.clock.Set(World::kStart + absl::Hours(7 * 24) - absl::Microseconds(1));
  EXPECT_EQ(world.Work(), 0);
  world.clock.Set(World::kStart + absl::Hours(7 * 24));
  EXPECT_EQ(world.Work(), 2);
  for (const v1::MeasureRequest* each : {&open, &partial}) {
    const auto over = Get(each->name());
    ASSERT_TRUE(over.ok()) << over.status();
    EXPECT_EQ(over->state(), v1::MEASURE_REQUEST_STATE_EXPIRED);
    ExpectNoSuchLink(Page(), each->link_token());
  }
  EXPECT_EQ(Get(partial.name())->answered_items(), 3) << "what was saved is kept";
  EXPECT_EQ(Get(later.name())->state(), v1::MEASURE_REQUEST_STATE_OPEN);
  EXPECT_EQ(Get(sent.name())->state(), v1::MEASURE_REQUEST_STATE_COMPLETED);
  EXPECT_EQ(RequestEvents(), before + 2);
  EXPECT_EQ(world.Work(), 0);
}

TEST_P(MeasureRequestsTest, ARepeatOfSendingOffReturnsTheSameGuidance) {
  const std::string token = Ask("phq-9").link_token();
  const auto first = Submit(Page(), token, "000000002", "r1");
  ASSERT_TRUE(first.ok()) << first.status();
  const call::CallContext again = Page();
  const auto second = Submit(again, token, "000000002", "r1");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(second->respondent_guidance(), v1::RESPONDENT_GUIDANCE_SHOW_CRISIS_RESOURCES);
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString());
  EXPECT_THAT(world.Alerts("ada"), SizeIs(1));
}

TEST_P(MeasureRequestsTest, OfACoupleIsOfTheOneWhoIsAsked) {
  world.Couple();
  EXPECT_THAT(FieldsOf(TryAsk("csi-16").status()), ElementsAre("measure_request.patient"));
  const auto hers = [](v1::MeasureRequest& made) { made.set_patient(World::Of("patients", "p2")); };
  const v1::MeasureRequest asked = Ask("phq-9", hers);
  EXPECT_EQ(asked.patient(), World::Of("patients", "p2"));
  ExpectNoSuchLink(Device("p1"), asked.link_token());
  ASSERT_TRUE(Submit(Device("p2"), asked.link_token(), "000000001").ok());
  const auto form = Form(Get(asked.name())->assessment());
  ASSERT_TRUE(form.ok()) << form.status();
  EXPECT_EQ(form->patient(), World::Of("patients", "p2"));
  const auto alerts = world.Alerts("ada");
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].respondent(), World::Of("patients", "p2"));

  world.Couple("US-NY");  // where the organisation has no crisis resources
  EXPECT_EQ(errors::Reason(TryAsk("phq-9", hers).status()), "NO_RISK_OWNER");
}

TEST_P(MeasureRequestsTest, ByTelephoneIsAnInterview) {
  const v1::MeasureRequest asked = Ask(
      "phq-9", [](v1::MeasureRequest& made) { made.set_channel(v1::REQUEST_CHANNEL_TELEPHONE); });
  ASSERT_TRUE(Submit(asked.link_token(), kAllZero).ok());
  EXPECT_EQ(Form(Get(asked.name())->assessment())->administration(), v1::ADMINISTRATION_INTERVIEW);
}

TEST_P(MeasureRequestsTest, AreListedNewestFirstInPages) {
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) {
    world.clock.Set(World::kStart + absl::Minutes(i / 2));  // pages end between two of one instant
    expected.insert(expected.begin(), Ask("phq-9").name());
  }
  v1::ListMeasureRequestsRequest request;
  request.set_course(World::Of("courses", "c1"));
  request.set_page_size(2);
  std::vector<std::string> listed;
  absl::Time before = absl::InfiniteFuture();
  do {
    const auto page = world.requests.ListMeasureRequests(world.By("ada"), request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& each : page->measure_requests()) {
      listed.push_back(each.name());
      EXPECT_EQ(each.link_token(), "");
      EXPECT_LE(time::ToTime(each.create_time()), before);
      before = time::ToTime(each.create_time());
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(expected));
  request.set_course(World::Of("courses", "none"));
  EXPECT_TRUE(
      absl::IsNotFound(world.requests.ListMeasureRequests(world.By("ada"), request).status()));
}

INSTANTIATE_TEST_SUITE_P(Engines, MeasureRequestsTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
