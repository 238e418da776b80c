#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/audit/audit_log.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "rapport/assessment/v1/events.pb.h"
#include "rapport/common/v1/privacy.pb.h"
#include "services/assessment/rpc/notes_follower.h"
#include "services/assessment/rpc/outcome_keeper.h"
#include "services/assessment/store/erasure.h"
#include "services/assessment/store/outcomes.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kErasure[] = "organizations/acme/erasures/e1";

const sql::Statement kTotals{"test.erasure.totals", R"sql(
  SELECT subject, instrument, day, total FROM unlinked_total WHERE organization_id = $1
  ORDER BY number)sql"};
const sql::Statement kForms{"test.erasure.forms", R"sql(
  SELECT patient FROM assessment WHERE organization_id = $1 ORDER BY assessment_id)sql"};
const sql::Statement kAlerts{"test.erasure.alerts", R"sql(
  SELECT course, patient, source, document FROM alert WHERE organization_id = $1)sql"};
const sql::Statement kAudit{"test.erasure.audit", R"sql(
  SELECT entry FROM audit_pending WHERE organization_id = $1 ORDER BY id)sql"};
const sql::Statement kWork{"test.erasure.work", R"sql(
  SELECT key FROM due_work WHERE organization_id = $1 AND kind = 'measure_expiry')sql"};
const sql::Statement kDeleteForm{"test.erasure.delete_form", R"sql(
  DELETE FROM assessment WHERE organization_id = $1)sql"};

class ErasureTest : public WorldTest {
 protected:
  std::string Patient(absl::string_view id) { return World::Of("patients", id); }

  // As notes tells it.
  absl::Status TryErase(absl::string_view patient, const absl::Status& then = absl::OkStatus()) {
    common::v1::ErasureEvent payload;
    payload.set_patient(Patient(patient));
    payload.set_state(common::v1::ERASURE_STATE_UNDER_WAY);
    common::v1::Event event;
    event.set_organization("organizations/acme");
    event.set_resource(erasure_);
    event.set_version(1);
    *event.mutable_occur_time() = time::ToTimestamp(world.clock.Now());
    event.mutable_payload()->PackFrom(payload);
    return world.database().Write(sql::Access::Tenant("acme"), World::Deadline(),
                                  [&](sql::Transaction& tx) -> absl::Status {
                                    RETURN_IF_ERROR(follower_.Apply(tx, event));
                                    return then;
                                  });
  }
  void Erase(absl::string_view patient) {
    const absl::Status erased = TryErase(patient);
    ASSERT_TRUE(erased.ok()) << erased;
  }

  sql::Result Rows(const sql::Statement& statement) {
    sql::Result found(0, {}, 0);
    const absl::Status read = world.database().Read(
        sql::Access::Tenant("acme"), World::Deadline(), [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(found, session.Query(statement, {sql::Text("acme")}));
          return absl::OkStatus();
        });
    EXPECT_TRUE(read.ok()) << read;
    return found;
  }

  std::vector<v1::Assessment> List(absl::string_view patient = "") {
    v1::ListAssessmentsRequest request;
    request.set_parent("organizations/acme");
    request.set_course(World::Of("courses", "c1"));
    if (!patient.empty()) request.set_patient(Patient(patient));
    const auto listed = world.assessments.ListAssessments(world.By("ada"), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (!listed.ok()) return {};
    return {listed->assessments().begin(), listed->assessments().end()};
  }

  absl::StatusOr<v1::MeasureRequest> Ask(absl::string_view patient = "") {
    v1::CreateMeasureRequestRequest request;
    request.set_parent("organizations/acme");
    request.mutable_measure_request()->set_course(World::Of("courses", "c1"));
    request.mutable_measure_request()->set_instrument("instruments/gad-7");
    if (!patient.empty()) request.mutable_measure_request()->set_patient(Patient(patient));
    return world.requests.CreateMeasureRequest(world.By("ada"), request);
  }

  std::vector<store::KeptOutcome> Outcomes() {
    std::vector<store::KeptOutcome> kept;
    EXPECT_TRUE(world.database()
                    .Read(sql::Access::Tenant("acme"), World::Deadline(),
                          [&](sql::Session& session) -> absl::Status {
                            ASSIGN_OR_RETURN(kept, store::ListOutcomes(session, "acme"));
                            return absl::OkStatus();
                          })
                    .ok());
    return kept;
  }

  void Write(const std::function<absl::Status(sql::Transaction&)>& body) {
    const absl::Status written =
        world.database().Write(sql::Access::Tenant("acme"), World::Deadline(),
                               [&](sql::Transaction& tx) { return body(tx); });
    ASSERT_TRUE(written.ok()) << written;
  }

  // Two held sessions of c1 with forms a week apart, the second with a critical answer.
  void Treat() {
    for (int week = 0; week < 2; ++week) {
      world.Appointment("acme", absl::StrCat("a", week + 1), "c1", "p1",
                        World::kFirst + absl::Hours(168 * week),
                        proto::APPOINTMENT_STATE_COMPLETED);
    }
    world.clock.Advance(absl::Hours(24 * 9));
    ASSERT_TRUE(world.Record("phq-9", "222222200", World::kFirst - absl::Hours(1)).ok());
    ASSERT_TRUE(world.Record("phq-9", "111111001", World::kFirst + absl::Hours(167)).ok());
  }

  std::string erasure_ = kErasure;
  const NotesFollower follower_{world.clock, world.catalogues, world.vault};
};

TEST_P(ErasureTest, FormsAreGoneAndTheirTotalsAreNobodys) {
  Treat();
  ASSERT_THAT(List(), SizeIs(2));
  const std::string name = List()[0].name();
  Erase("p1");

  EXPECT_THAT(List(), IsEmpty());
  v1::GetAssessmentRequest get;
  get.set_name(name);
  EXPECT_TRUE(absl::IsNotFound(world.assessments.GetAssessment(world.By("ada"), get).status()));
  const sql::Result totals = Rows(kTotals);
  ASSERT_EQ(totals.rows(), 2u);
  EXPECT_EQ(totals.Text(0, 1), "phq-9");
  EXPECT_EQ(totals.Int(0, 2), 0);
  EXPECT_EQ(totals.Real(0, 3), 14);
  EXPECT_EQ(totals.Int(1, 2), 7);
  EXPECT_EQ(totals.Real(1, 3), 7);
  EXPECT_EQ(totals.Text(0, 0), totals.Text(1, 0));
  EXPECT_EQ(totals.Text(0, 0).find("p1"), std::string::npos);

  // And nothing is recorded any more.
  EXPECT_EQ(errors::Reason(world.Record("phq-9", "000000000").status()), "ERASED");
  EXPECT_EQ(errors::Reason(Ask().status()), "ERASED");
}

TEST_P(ErasureTest, RequestsThatWaitAreTakenBackWithWhatWasSaved) {
  const auto asked = Ask();
  ASSERT_TRUE(asked.ok()) << asked.status();
  v1::SaveMeasureAnswersRequest save;
  save.set_parent("organizations/acme");
  save.set_link_token(asked->link_token());
  *save.mutable_answers() = world.Form("gad-7", "1111").assessment().answers();
  save.set_save_number(0);
  ASSERT_TRUE(world.requests.SaveMeasureAnswers(world.By("page", "integration"), save).ok());
  Erase("p1");

  v1::GetMeasureRequestRequest get;
  get.set_name(asked->name());
  EXPECT_TRUE(absl::IsNotFound(world.requests.GetMeasureRequest(world.By("ada"), get).status()));
  v1::OpenMeasureRequestRequest open;
  open.set_parent("organizations/acme");
  open.set_link_token(asked->link_token());
  EXPECT_FALSE(world.requests.OpenMeasureRequest(world.By("page", "integration"), open).ok());
  save.set_save_number(1);
  EXPECT_FALSE(world.requests.SaveMeasureAnswers(world.By("page", "integration"), save).ok());
  EXPECT_EQ(Rows(kWork).rows(), 0u);
  // Who reminds the patient is told to stop.
  const std::vector<std::string> events = world.Events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "rapport.assessment.v1.MeasureRequestEvent"),
            3);
}

TEST_P(ErasureTest, AlertsAreResolvedAndAboutNobody) {
  Treat();
  ASSERT_THAT(world.Alerts("ada"), Not(IsEmpty()));
  const std::string name = world.Alerts("ada")[0].name();
  Erase("p1");
  const sql::Result rows = Rows(kAlerts);
  ASSERT_GT(rows.rows(), 0u);
  for (size_t row = 0; row < rows.rows(); ++row) {
    for (int column : {0, 1, 2}) {
      for (const char* whose : {"/p1", "/c1", "/assessments/"}) {
        EXPECT_EQ(rows.Text(row, column).find(whose), std::string::npos) << whose;
      }
    }
    v1::Alert alert;
    ASSERT_TRUE(alert.ParseFromString(rows.Bytes(row, 3)));
    EXPECT_EQ(alert.state(), v1::ALERT_STATE_RESOLVED);
    EXPECT_EQ(alert.DebugString().find("/p1"), std::string::npos);
    EXPECT_EQ(alert.DebugString().find("/c1\""), std::string::npos);
    EXPECT_THAT(alert.items(), IsEmpty());
  }
  v1::GetAlertRequest get;
  get.set_name(name);
  EXPECT_TRUE(absl::IsNotFound(world.alerts.GetAlert(world.By("ben"), get).status()));
  world.Work();
  EXPECT_EQ(world.Work(), 0) << "no work is left that trips over it";
}

TEST_P(ErasureTest, FiguresOfCohortsStayWhatTheyWere) {
  Treat();
  const std::string course = World::Of("courses", "c1");
  Write([&](sql::Transaction& tx) { return RefreshOutcome(tx, world.catalogues, course); });
  const std::vector<store::KeptOutcome> before = Outcomes();
  ASSERT_THAT(before, SizeIs(1));
  ASSERT_THAT(before[0].outcome.scores, SizeIs(1));
  Erase("p1");

  const auto expect_same = [&] {
    const std::vector<store::KeptOutcome> after = Outcomes();
    ASSERT_THAT(after, SizeIs(1));
    EXPECT_EQ(after[0].outcome.scores, before[0].outcome.scores);
    EXPECT_EQ(after[0].outcome.course.month, before[0].outcome.course.month);
    EXPECT_EQ(after[0].outcome.course.held, before[0].outcome.course.held);
    EXPECT_NE(after[0].course, before[0].course);
    EXPECT_NE(after[0].outcome.respondent, before[0].outcome.respondent);
    EXPECT_NE(after[0].outcome.course.first_session, before[0].outcome.course.first_session);
  };
  expect_same();
  // However often outcomes are made anew.
  Write([&](sql::Transaction& tx) { return RefreshOutcome(tx, world.catalogues, course); });
  expect_same();
  Write([&](sql::Transaction& tx) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<std::string> courses,
                     store::ListCourses(tx, "acme", "organizations/acme/courses/-", 100));
    EXPECT_THAT(courses, ElementsAre(course));
    return absl::OkStatus();
  });
}

TEST_P(ErasureTest, TheOtherPartnersRecordsAreUntouched) {
  world.Couple();
  auto theirs = world.Form("csi-16", "1111111111111111");
  theirs.mutable_assessment()->set_patient(Patient("p2"));
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), theirs).ok());
  auto own = world.Form("csi-16", "2222222222222222");
  own.mutable_assessment()->set_patient(Patient("p1"));
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), own).ok());
  const auto asked = Ask("p2");
  ASSERT_TRUE(asked.ok()) << asked.status();
  const std::string before = List("p2")[0].SerializeAsString();
  Erase("p1");
  ASSERT_THAT(List(), SizeIs(1));
  EXPECT_EQ(List()[0].SerializeAsString(), before);
  v1::GetMeasureRequestRequest get;
  get.set_name(asked->name());
  EXPECT_TRUE(world.requests.GetMeasureRequest(world.By("ada"), get).ok());
}

TEST_P(ErasureTest, IsConfirmedOnceAndTheAuditEntryNamesWhatIsGone) {
  Treat();
  const std::vector<v1::Assessment> forms = List();
  Erase("p1");
  Erase("p1");  // a redelivery
  std::vector<audit::Entry> erasures;
  const sql::Result entries = Rows(kAudit);
  for (size_t row = 0; row < entries.rows(); ++row) {
    const audit::Entry entry = *audit::Decode(entries.Bytes(row, 0));
    if (entry.kind == audit::Kind::kErasure) erasures.push_back(entry);
  }
  ASSERT_THAT(erasures, SizeIs(1));
  for (const v1::Assessment& form : forms) {
    EXPECT_THAT(erasures[0].covers, Contains(form.name()));
  }
  const auto confirmations = [&] {
    const std::vector<std::string> events = world.Events();
    return std::count(events.begin(), events.end(), "rapport.common.v1.ErasurePartEvent");
  };
  EXPECT_EQ(confirmations(), 1);
  // Notes was brought back from a copy of before, and told to erase again.
  erasure_ = "organizations/acme/erasures/e2";
  Erase("p1");
  EXPECT_EQ(confirmations(), 2);
}

TEST_P(ErasureTest, KilledBeforeItsCommitItHasDoneNothingAndIsDoneWhenItIsTriedAgain) {
  Treat();
  EXPECT_FALSE(TryErase("p1", absl::CancelledError("killed")).ok());
  EXPECT_THAT(List(), SizeIs(2));
  EXPECT_FALSE(List()[0].answers().empty());
  Erase("p1");
  EXPECT_THAT(List(), IsEmpty());
}

TEST_P(ErasureTest, NothingIsDeletedOfAPatientWhoWasNotErased) {
  Treat();
  const absl::Status refused = world.database().Write(
      sql::Access::Tenant("acme"), World::Deadline(),
      [&](sql::Transaction& tx) { return tx.Query(kDeleteForm, {sql::Text("acme")}).status(); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_EQ(Rows(kForms).rows(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Engines, ErasureTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
