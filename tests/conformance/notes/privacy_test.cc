#include "services/notes/rpc/privacy_handlers.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/audit/audit_log.h"
#include "common/errors/status_macros.h"
#include "services/notes/store/privacy_store.h"
#include "tests/conformance/notes/note_fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAnna[] = "organizations/acme/patients/p1";
constexpr char kBert[] = "organizations/acme/patients/p2";
constexpr char kOther[] = "organizations/acme/patients/p3";

// Tables and columns of the database, by engine.
const sql::Statement kSqliteColumns{
    "test.privacy.columns_sqlite",
    "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c "
    "WHERE t.type = 'table' ORDER BY t.name, c.cid",
    sql::Reach::kSchema};
const sql::Statement kPostgresColumns{
    "test.privacy.columns_postgres",
    "SELECT table_name::text, column_name::text FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    sql::Reach::kSchema};

// All of a table that an organisation has in it.
const sql::Statement& AllOf(const std::string& table) {
  static auto& statements = *new std::map<std::string, std::unique_ptr<const sql::Statement>>;
  auto& statement = statements[table];
  if (statement == nullptr) {
    statement = std::make_unique<const sql::Statement>(
        absl::StrCat("test.privacy.all.", table),
        absl::StrCat("SELECT * FROM ", table, " WHERE organization_id = $1"));
  }
  return *statement;
}

const sql::Statement kAudit{"test.privacy.audit",
                            "SELECT entry FROM audit_pending WHERE organization_id = $1 "
                            "ORDER BY id"};

// Anna is the patient of course c1; she and Bert are those of c2; another's course is c3. All are
// Ada's.
class PrivacyTest : public NoteTest {
 protected:
  PrivacyTest() {
    TellCourse("c2", 1, "ada", absl::StrCat("kind: COURSE_KIND_CONJOINT partner: '", kBert, "'"));
    Tell("acme", CourseName("c3"), 1,
         Text<scheduling::v1::CourseEvent>(
             absl::StrCat("state: COURSE_STATE_ACTIVE patient: '", kOther, "' clinician: '",
                          Clinician("ada"), "' protocol: 'protocols/classic/revisions/1'")));
  }

  call::CallContext Officer() const { return By("olga"); }

  template <class Request>
  static Request Of(const std::string& parent) {
    Request request;
    request.set_parent(parent);
    return request;
  }

  // Writes something of every kind that a case keeps.
  void Fill(const std::string& course) {
    const std::string name = CaseName(course);
    auto sign = Text<v1::SignDeterminationRequest>(absl::StrCat(
        "determination { outcome: SUITABILITY_OUTCOME_SUITABLE "
        "protocol: 'protocols/classic/revisions/1' reasons { direction: "
        "REASON_DIRECTION_FOR text: '",
        kSecret, "' } interpersonal_trigger: ANSWERED_YES patient_preference: '", kSecret,
        "' alternatives_offered: '", kSecret, "' arises_from_interaction: ANSWERED_YES }"));
    sign.set_parent(name);
    const auto determination = cases_.SignDetermination(By("ada"), sign);
    ASSERT_TRUE(determination.ok()) << determination.status();
    v1::ReopenDeterminationRequest reopen;
    reopen.set_name(determination->name());
    reopen.set_reason(kSecret);
    ASSERT_EQ(Outcome(cases_.ReopenDetermination(By("ada"), reopen)), "OK");
    ASSERT_EQ(Outcome(cases_.SignDetermination(By("ada"), sign)), "OK");
    auto areas = Text<v1::SetProblemAreasRequest>(
        absl::StrCat("problem_areas { kind: PROBLEM_AREA_KIND_ROLE_TRANSITION rank: "
                     "FOCUS_RANK_PRIMARY statement: '",
                     kSecret, "' }"));
    areas.set_name(name);
    ASSERT_EQ(Outcome(cases_.SetProblemAreas(By("ada"), areas)), "OK");
    auto formulation = Text<v1::WriteFormulationRequest>(absl::StrCat(
        "formulation { diagnosis: '", kSecret, "' triggering_events: '", kSecret, "' link: '",
        kSecret, "' agreement: AGREEMENT_AGREED agreement_date { year: 2026 month: 3 day: 4 } }"));
    formulation.set_parent(name);
    ASSERT_EQ(Outcome(cases_.WriteFormulation(By("ada"), formulation)), "OK");
    if (course != "c2") {  // a couple's first tell their hopes
      auto goal = Text<v1::CreateGoalRequest>(
          absl::StrCat("goal { text: '", kSecret,
                       "' realism: REALISM_REALISTIC realism_rater: REALISM_RATER_BOTH }"));
      goal.set_parent(name);
      ASSERT_EQ(Outcome(cases_.CreateGoal(By("ada"), goal)), "OK");
    }
    auto risk = Of<v1::CreateRiskAssessmentRequest>(name);
    for (const char* field : {"ideation", "intent", "plan", "means", "behaviour",
                              "protective_factors", "formulation"}) {
      v1::RiskAssessment& assessment = *risk.mutable_risk_assessment();
      assessment.GetReflection()->SetString(
          &assessment, assessment.GetDescriptor()->FindFieldByName(field), kSecret);
    }
    ASSERT_EQ(Outcome(cases_.CreateRiskAssessment(By("ada"), risk)), "OK");
    auto plan = Of<v1::WriteSafetyPlanRequest>(name);
    plan.mutable_safety_plan()->add_warning_signs(kSecret);
    plan.mutable_safety_plan()->add_professionals(kSecret);
    ASSERT_EQ(Outcome(cases_.WriteSafetyPlan(By("ada"), plan)), "OK");
  }

  v1::PartnerScreen Screen(const std::string& patient) {
    now_ += absl::Minutes(1);
    auto request = Text<v1::RecordPartnerScreenRequest>(
        absl::StrCat("partner_screen { patient: '", patient,
                     "' seen_alone: true violence: SCREEN_RESULT_POSITIVE willing: ANSWERED_YES "
                     "text: '",
                     kSecret, "' }"));
    request.set_parent(CaseName("c2"));
    const auto screen = cases_.RecordPartnerScreen(By("ada"), request);
    EXPECT_TRUE(screen.ok()) << screen.status();
    return screen.value_or(v1::PartnerScreen());
  }

  // All that Ada can read of a case, as text; which of it is marked as erased is counted in
  // `erased`.
  std::string ReadAll(const std::string& course, int* erased = nullptr) {
    const std::string name = CaseName(course);
    std::string all;
    int marked = 0;
    const auto add = [&](const auto& response) {
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) return;
      const std::string text = response->DebugString();
      all += text;
      for (size_t at = text.find("erased: true"); at != std::string::npos;
           at = text.find("erased: true", at + 1)) {
        ++marked;
      }
    };
    v1::GetCaseRequest get;
    get.set_name(name);
    add(cases_.GetCase(By("ada"), get));
    add(cases_.ListDeterminations(By("ada"), Of<v1::ListDeterminationsRequest>(name)));
    add(cases_.ListFormulations(By("ada"), Of<v1::ListFormulationsRequest>(name)));
    add(cases_.ListGoals(By("ada"), Of<v1::ListGoalsRequest>(name)));
    add(cases_.ListRiskAssessments(By("ada"), Of<v1::ListRiskAssessmentsRequest>(name)));
    add(cases_.ListPartnerScreens(By("ada"), Of<v1::ListPartnerScreensRequest>(name)));
    add(cases_.GetSafetyPlan(By("ada"), Of<v1::GetSafetyPlanRequest>(name)));
    add(notes_.ListNotes(By("ada"), Of<v1::ListNotesRequest>(name)));
    if (erased != nullptr) *erased = marked;
    return all;
  }

  absl::StatusOr<common::v1::Erasure> Erase(const std::string& patient,
                                            const std::string& request_id = "") {
    common::v1::ErasePatientRequest request;
    request.set_parent("organizations/acme");
    request.set_patient(patient);
    request.set_ground(common::v1::ERASURE_GROUND_PATIENT_REQUEST);
    request.set_request_id(request_id);
    return privacy_.ErasePatient(Officer(), request);
  }
  absl::StatusOr<common::v1::LegalHold> Hold(const std::string& patient) {
    common::v1::PlaceHoldRequest request;
    request.set_parent("organizations/acme");
    request.mutable_legal_hold()->set_patient(patient);
    request.mutable_legal_hold()->set_reason(kSecret);
    request.mutable_legal_hold()->set_release_principal("nobody");
    return privacy_.PlaceHold(Officer(), request);
  }
  absl::StatusOr<common::v1::LegalHold> Release(const std::string& name,
                                                const std::string& etag = "") {
    common::v1::ReleaseHoldRequest request;
    request.set_name(name);
    request.set_reason(kSecret);
    request.set_etag(etag);
    return privacy_.ReleaseHold(Officer(), request);
  }
  common::v1::Erasure ErasureNamed(const std::string& name) {
    common::v1::GetErasureRequest request;
    request.set_name(name);
    const auto erasure = privacy_.GetErasure(Officer(), request);
    EXPECT_TRUE(erasure.ok()) << erasure.status();
    return erasure.value_or(common::v1::Erasure());
  }
  // As assessment and scheduling confirm.
  absl::Status Confirm(const std::string& erasure, const std::string& service) {
    common::v1::ErasurePartEvent payload;
    payload.mutable_part()->set_service(service);
    payload.mutable_part()->set_confirmed(true);
    common::v1::ErasedKind& kind = *payload.mutable_part()->add_covers();
    kind.set_kind("row");
    kind.set_count(7);
    common::v1::Event event;
    event.set_organization("organizations/acme");
    event.set_resource(absl::StrCat(erasure, "/parts/", service));
    event.set_version(1);
    *event.mutable_occur_time() = time::ToTimestamp(now_);
    event.mutable_payload()->PackFrom(payload);
    return database_->Write(sql::Access::Tenant("acme"), Deadline(),
                            [&](sql::Transaction& tx) { return ConfirmErasure(tx, event); });
  }

  // "table.column" of the tables with the organisation in their rows.
  std::vector<std::pair<std::string, std::string>> TenantColumns() {
    const sql::Statement& statement =
        database_->engine() == sql::Engine::kSqlite ? kSqliteColumns : kPostgresColumns;
    std::vector<std::pair<std::string, std::string>> columns;
    std::map<std::string, bool> of_tenants;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Tenant("acme"), Deadline(),
                           [&](sql::Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const sql::Result rows, session.Query(statement, {}));
                             for (size_t row = 0; row < rows.rows(); ++row) {
                               columns.emplace_back(rows.Text(row, 0), rows.Text(row, 1));
                               if (rows.Text(row, 1) == "organization_id") {
                                 of_tenants[rows.Text(row, 0)] = true;
                               }
                             }
                             return absl::OkStatus();
                           })
                    .ok());
    std::erase_if(columns, [&](const auto& column) { return !of_tenants[column.first]; });
    return columns;
  }

  // What is stored, by table.
  std::map<std::string, std::string> Dump() {
    std::map<std::string, int> widths;
    for (const auto& [table, column] : TenantColumns()) ++widths[table];
    std::map<std::string, std::string> dump;
    for (const auto& [table, width] : widths) {
      const sql::Statement& all = AllOf(table);
      std::string& cells = dump[table];
      const absl::Status status = database_->Read(
          sql::Access::Tenant("acme"), Deadline(),
          [&, columns = width](sql::Session& session) -> absl::Status {
            cells.clear();
            ASSIGN_OR_RETURN(const sql::Result rows, session.Query(all, {sql::Text("acme")}));
            for (size_t row = 0; row < rows.rows(); ++row) {
              for (int column = 0; column < columns; ++column) {
                const sql::Value& value = rows.at(row, column);
                if (const auto* text = std::get_if<std::string>(&value)) {
                  absl::StrAppend(&cells, *text, "|");
                } else if (const auto* blob = std::get_if<sql::Blob>(&value)) {
                  absl::StrAppend(&cells, blob->bytes, "|");
                } else if (const auto* number = std::get_if<int64_t>(&value)) {
                  absl::StrAppend(&cells, *number, "|");
                }
              }
            }
            return absl::OkStatus();
          });
      EXPECT_TRUE(status.ok()) << table << ": " << status;
    }
    return dump;
  }

  std::vector<audit::Entry> AuditEntries() {
    std::vector<audit::Entry> entries;
    EXPECT_TRUE(database_
                    ->Read(sql::Access::Tenant("acme"), Deadline(),
                           [&](sql::Session& session) -> absl::Status {
                             ASSIGN_OR_RETURN(const sql::Result rows,
                                              session.Query(kAudit, {sql::Text("acme")}));
                             for (size_t row = 0; row < rows.rows(); ++row) {
                               entries.push_back(*audit::Decode(rows.Bytes(row, 0)));
                             }
                             return absl::OkStatus();
                           })
                    .ok());
    return entries;
  }

  static int Covered(const common::v1::Erasure& erasure, const std::string& kind,
                     const std::string& service = "notes") {
    for (const common::v1::ErasurePart& part : erasure.parts()) {
      if (part.service() != service) continue;
      for (const common::v1::ErasedKind& covered : part.covers()) {
        if (covered.kind() == kind) return covered.count();
      }
    }
    return 0;
  }

  PrivacyHandlers privacy_{*database_, vault_};
};

TEST_P(PrivacyTest, WhatAPatientTellsCannotBeReadWithTheDatabaseAlone) {
  Fill("c1");
  Fill("c2");
  Screen(kBert);
  ASSERT_TRUE(Hold(kAnna).ok());
  ASSERT_THAT(ReadAll("c1"), HasSubstr(kSecret));
  for (const auto& [table, cells] : Dump()) {
    EXPECT_EQ(cells.find(kSecret), std::string::npos) << table;
  }
}

TEST_P(PrivacyTest, ARotationOfKeysTouchesNoRowOfTheRecord) {
  Fill("c1");
  std::map<std::string, std::string> before = Dump();
  const crypto::Vault rotated(
      *crypto::KeyRing::Make({{"1", std::string(32, 'k')}, {"2", std::string(32, 'n')}}));
  EXPECT_TRUE(database_
                  ->Write(sql::Access::Tenant("acme"), Deadline(),
                          [&](sql::Transaction& tx) -> absl::Status {
                            ASSIGN_OR_RETURN(const int wrapped, rotated.Rewrap(tx, "acme", 100));
                            EXPECT_GT(wrapped, 0);
                            return absl::OkStatus();
                          })
                  .ok());
  std::map<std::string, std::string> after = Dump();
  EXPECT_NE(before["data_key"], after["data_key"]);
  before.erase("data_key");
  after.erase("data_key");
  EXPECT_EQ(before, after);
}

TEST_P(PrivacyTest, AnErasureCountsEveryTableThatKeepsSealedDocumentsOfCases) {
  std::string counted;
  for (const sql::Statement* statement : sql::Statement::Catalogue()) {
    if (statement->name() == "notes.privacy.count_sealed") counted = statement->sql();
  }
  std::map<std::string, std::vector<std::string>> tables;
  for (const auto& [table, column] : TenantColumns()) tables[table].push_back(column);
  int checked = 0;
  for (const auto& [table, columns] : tables) {
    const auto has = [&](const char* name) {
      return std::find(columns.begin(), columns.end(), name) != columns.end();
    };
    if (!has("subject") || !has("case_id")) continue;
    ++checked;
    EXPECT_THAT(counted, HasSubstr(absl::StrCat("'", table, "'")));
  }
  EXPECT_GE(checked, 8);
}

TEST_P(PrivacyTest, ErasesAllTextsOfAPatientAndNobodyElses) {
  Fill("c1");
  Fill("c3");
  const std::string others = ReadAll("c3");
  now_ += absl::Hours(1);
  const auto erasure = Erase(kAnna);
  ASSERT_TRUE(erasure.ok()) << erasure.status();

  int erased = 0;
  EXPECT_EQ(ReadAll("c1", &erased).find(kSecret), std::string::npos);
  EXPECT_EQ(erased, 9) << "case with its parts, two determinations, formulation, goal, risk, plan";
  EXPECT_EQ(ReadAll("c3"), others);
  EXPECT_EQ(erasure->state(), common::v1::ERASURE_STATE_UNDER_WAY);
  EXPECT_EQ(erasure->patient(), kAnna);
  EXPECT_EQ(erasure->principal(), "olga");
  EXPECT_EQ(Covered(*erasure, "determination"), 2);
  EXPECT_EQ(Covered(*erasure, "goal"), 1);
  EXPECT_EQ(Covered(*erasure, "note_case"), 1);
  EXPECT_EQ(Covered(*erasure, "partner_screen"), 0);
  ASSERT_THAT(erasure->parts(), SizeIs(3));
  EXPECT_TRUE(erasure->parts(0).confirmed());
  EXPECT_FALSE(erasure->parts(1).confirmed());
  EXPECT_THAT(Events(), Contains(erasure->name() + " v1"));
  EXPECT_EQ(LastEvent<common::v1::ErasureEvent>(erasure->name()).patient(), kAnna);

  // Nothing of the patient is ever kept again.
  auto goal = Text<v1::CreateGoalRequest>(
      "goal { text: 't' realism: REALISM_REALISTIC realism_rater: REALISM_RATER_BOTH }");
  goal.set_parent(CaseName("c1"));
  EXPECT_EQ(Outcome(cases_.CreateGoal(By("ada"), goal)), "FAILED_PRECONDITION ERASED");
  goal.set_parent(CaseName("c3"));
  EXPECT_EQ(Outcome(cases_.CreateGoal(By("ada"), goal)), "OK");
}

TEST_P(PrivacyTest, SignedNotesAndDraftsAreErasedToo) {
  const v1::Note signed_note = Signed("a1");
  ASSERT_EQ(Outcome(Add(By("ada"), signed_note.name(), kSecret)), "OK");
  TellAppointment("a2", 1, now_ - absl::Minutes(10), scheduling::v1::APPOINTMENT_STATE_CHECKED_IN);
  const v1::Note draft = Start("a2");
  ASSERT_THAT(draft.prefill().DebugString(), HasSubstr(kSecret)) << "the last plan";
  ASSERT_EQ(Outcome(Save("ada", draft.name(), Written(kSecret), 1, 0)), "OK");
  for (const auto& [table, cells] : Dump()) {
    EXPECT_EQ(cells.find(kSecret), std::string::npos) << table;
  }
  const auto erasure = Erase(kAnna);
  ASSERT_TRUE(erasure.ok()) << erasure.status();
  EXPECT_GT(Covered(*erasure, "note_version"), 0);
  EXPECT_GT(Covered(*erasure, "note_draft"), 0);
  EXPECT_GT(Covered(*erasure, "note_addendum"), 0);
  EXPECT_GT(Covered(*erasure, "note_prefill"), 0);

  EXPECT_THAT(Listed("ada"), SizeIs(2));
  for (const std::string& name : {signed_note.name(), draft.name()}) {
    const auto note = Get("ada", name);
    ASSERT_TRUE(note.ok()) << note.status();
    EXPECT_EQ(note->DebugString().find(kSecret), std::string::npos);
  }
  EXPECT_EQ(Outcome(Save("ada", draft.name(), Written(kSecret), 2, 1)),
            "FAILED_PRECONDITION ERASED");
}

TEST_P(PrivacyTest, TheAuditEntryOfAnErasureListsWhatItCovers) {
  Fill("c1");
  const auto erasure = Erase(kAnna);
  ASSERT_TRUE(erasure.ok()) << erasure.status();
  std::vector<audit::Entry> erasures;
  for (const audit::Entry& entry : AuditEntries()) {
    if (entry.kind == audit::Kind::kErasure) erasures.push_back(entry);
  }
  ASSERT_THAT(erasures, SizeIs(1));
  EXPECT_EQ(erasures[0].resource, erasure->name());
  EXPECT_EQ(erasures[0].principal, "olga");
  // The couple's record stays, so it may not go missing.
  EXPECT_THAT(erasures[0].covers, ElementsAre(kAnna, CaseName("c1") + "/*"));
}

TEST_P(PrivacyTest, OfACoupleOnlyWhatIsThePartnersOwnGoesUntilBothAreErased) {
  Fill("c2");
  const v1::PartnerScreen annas = Screen(kAnna);
  const v1::PartnerScreen berts = Screen(kBert);
  const auto first = Erase(kBert);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->kept_cases(), ElementsAre(CaseName("c2")));
  EXPECT_EQ(Covered(*first, "partner_screen"), 1);
  EXPECT_EQ(Covered(*first, "formulation"), 0);

  auto list = Of<v1::ListPartnerScreensRequest>(CaseName("c2"));
  auto screens = cases_.ListPartnerScreens(By("ada"), list);
  ASSERT_TRUE(screens.ok()) << screens.status();
  ASSERT_THAT(screens->partner_screens(), SizeIs(2));
  EXPECT_TRUE(screens->partner_screens(0).erased());
  EXPECT_EQ(screens->partner_screens(0).name(), berts.name());
  EXPECT_EQ(screens->partner_screens(0).violence(), v1::SCREEN_RESULT_UNSPECIFIED);
  EXPECT_EQ(screens->partner_screens(1).SerializeAsString(), annas.SerializeAsString());
  EXPECT_THAT(ReadAll("c2"), HasSubstr(kSecret)) << "it is Anna's record too";

  const auto second = Erase(kAnna);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_THAT(second->kept_cases(), IsEmpty());
  EXPECT_EQ(Covered(*second, "formulation"), 1);
  EXPECT_EQ(ReadAll("c2").find(kSecret), std::string::npos);
}

TEST_P(PrivacyTest, ALegalHoldBeatsErasureAndIsNamed) {
  Fill("c1");
  const std::string before = ReadAll("c1");
  const auto hold = Hold(kAnna);
  const auto second = Hold(kAnna);
  ASSERT_TRUE(hold.ok()) << hold.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(hold->principal(), "olga");
  EXPECT_FALSE(hold->has_release_time());
  EXPECT_EQ(hold->release_principal(), "");

  const auto refused = Erase(kAnna);
  EXPECT_EQ(Outcome(refused), "FAILED_PRECONDITION LEGAL_HOLD");
  EXPECT_EQ(errors::MetadataValue(refused.status(), "hold"), hold->name());
  EXPECT_EQ(ReadAll("c1"), before);
  EXPECT_TRUE(Erase(kOther).ok()) << "it is not their hold";

  EXPECT_EQ(Outcome(Release(hold->name(), "9")), "ABORTED STALE_ETAG");
  const auto released = Release(hold->name());
  ASSERT_TRUE(released.ok()) << released.status();
  EXPECT_EQ(released->release_principal(), "olga");
  EXPECT_EQ(released->release_reason(), kSecret);
  EXPECT_EQ(Outcome(Release(hold->name())), "FAILED_PRECONDITION HOLD_RELEASED");
  EXPECT_EQ(errors::MetadataValue(Erase(kAnna).status(), "hold"), second->name());
  ASSERT_TRUE(Release(second->name()).ok());
  ASSERT_TRUE(Erase(kAnna).ok());
  EXPECT_EQ(Outcome(Hold(kAnna)), "FAILED_PRECONDITION ERASED");

  common::v1::ListHoldsRequest list;
  list.set_parent("organizations/acme");
  EXPECT_THAT(privacy_.ListHolds(Officer(), list)->legal_holds(), IsEmpty());
  list.set_show_released(true);
  list.set_patient(kAnna);
  list.set_page_size(1);
  const auto page = privacy_.ListHolds(Officer(), list);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_THAT(page->legal_holds(), SizeIs(1));
  EXPECT_EQ(page->legal_holds(0).reason(), kSecret) << "a hold outlives the erasure";
  list.set_page_token(page->next_page_token());
  EXPECT_THAT(privacy_.ListHolds(Officer(), list)->legal_holds(), SizeIs(1));
}

TEST_P(PrivacyTest, AHoldAndAnErasureAtOnceNeverBothSucceed) {
  for (int round = 0; round < 8; ++round) {
    const std::string patient = absl::StrCat("organizations/acme/patients/r", round);
    absl::Status held, erased;
    std::thread holder([&] { held = Hold(patient).status(); });
    std::thread eraser([&] { erased = Erase(patient).status(); });
    holder.join();
    eraser.join();
    EXPECT_NE(held.ok(), erased.ok()) << held << " / " << erased;
  }
}

TEST_P(PrivacyTest, ErasesOnceHoweverOftenItIsAsked) {
  Fill("c1");
  const auto first = Erase(kAnna, "r1");
  ASSERT_TRUE(first.ok()) << first.status();
  const size_t entries = AuditEntries().size();
  for (const char* request_id : {"r1", "r2", ""}) {
    const auto again = Erase(kAnna, request_id);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  }
  EXPECT_EQ(AuditEntries().size(), entries);
  common::v1::ListErasuresRequest list;
  list.set_parent("organizations/acme");
  EXPECT_THAT(privacy_.ListErasures(Officer(), list)->erasures(), SizeIs(1));
}

TEST_P(PrivacyTest, AnErasureThatIsKilledBeforeItsCommitDoesNothing) {
  Fill("c1");
  const std::string before = ReadAll("c1");
  EXPECT_FALSE(database_
                   ->Write(sql::Access::Tenant("acme"), Deadline(),
                           [&](sql::Transaction& tx) -> absl::Status {
                             RETURN_IF_ERROR(Shred(tx, vault_, kAnna, now_).status());
                             return absl::CancelledError("killed");
                           })
                   .ok());
  EXPECT_EQ(ReadAll("c1"), before);
}

TEST_P(PrivacyTest, IsDoneWhenEachServiceHasConfirmedWheneverThatIs) {
  const auto erasure = Erase(kAnna);
  ASSERT_TRUE(erasure.ok()) << erasure.status();
  common::v1::ListErasuresRequest under_way;
  under_way.set_parent("organizations/acme");
  under_way.set_under_way_only(true);

  now_ += absl::Hours(1);
  ASSERT_TRUE(Confirm(erasure->name(), "scheduling").ok());
  EXPECT_EQ(ErasureNamed(erasure->name()).state(), common::v1::ERASURE_STATE_UNDER_WAY);
  EXPECT_EQ(Covered(ErasureNamed(erasure->name()), "row", "scheduling"), 7);
  const std::string once = ErasureNamed(erasure->name()).SerializeAsString();
  ASSERT_TRUE(Confirm(erasure->name(), "scheduling").ok()) << "a redelivery";
  EXPECT_EQ(ErasureNamed(erasure->name()).SerializeAsString(), once);
  EXPECT_THAT(privacy_.ListErasures(Officer(), under_way)->erasures(), SizeIs(1));

  now_ += absl::Hours(1);
  ASSERT_TRUE(Confirm(erasure->name(), "assessment").ok());
  const common::v1::Erasure done = ErasureNamed(erasure->name());
  EXPECT_EQ(done.state(), common::v1::ERASURE_STATE_DONE);
  EXPECT_EQ(time::ToTime(done.done_time()), now_);
  EXPECT_EQ(done.etag(), "3");
  EXPECT_THAT(privacy_.ListErasures(Officer(), under_way)->erasures(), IsEmpty());
  EXPECT_EQ(LastEvent<common::v1::ErasureEvent>(done.name()).state(),
            common::v1::ERASURE_STATE_DONE);

  EXPECT_TRUE(Confirm("organizations/acme/erasures/unknown", "scheduling").ok());
}

TEST_P(PrivacyTest, NeedsAGroundAndWhoeverErasesToHaveSignedInRecently) {
  common::v1::ErasePatientRequest request;
  request.set_parent("organizations/acme");
  request.set_patient(kAnna);
  EXPECT_THAT(Fields(privacy_.ErasePatient(Officer(), request).status()), ElementsAre("ground"));
  request.set_ground(common::v1::ERASURE_GROUND_ORDERED);
  EXPECT_EQ(Outcome(privacy_.ErasePatient(AuthenticatedAgo("olga", absl::Hours(1)), request)),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
}

TEST_P(PrivacyTest, SealedRowsDoNotOpenInAnotherPlace) {
  Fill("c1");
  Fill("c3");
  static const sql::Statement kSwap{"test.privacy.swap", R"sql(
    UPDATE goal SET document = (SELECT g.document FROM goal AS g
                                WHERE g.organization_id = $1 AND g.case_id = 'c3')
    WHERE organization_id = $1 AND case_id = 'c1')sql"};
  ASSERT_TRUE(Run(kSwap, {sql::Text("acme")}).ok());
  const auto goals = cases_.ListGoals(By("ada"), Of<v1::ListGoalsRequest>(CaseName("c1")));
  EXPECT_EQ(goals.status().code(), absl::StatusCode::kInternal);
}

INSTANTIATE_TEST_SUITE_P(Engines, PrivacyTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
