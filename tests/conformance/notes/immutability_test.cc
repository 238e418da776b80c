// What the database itself refuses, whoever asks.
#include "common/names/names.h"
#include "tests/conformance/notes/fixture.h"

namespace rapport::notes::testing {
namespace {

#define STATEMENT(variable, text) \
  const sql::Statement variable { "test.notes." #variable, text }

STATEMENT(kChangeText, "UPDATE note_version SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeleteVersion, "DELETE FROM note_version WHERE organization_id = $1");
STATEMENT(
    kAddVersion,
    "INSERT INTO note_version (organization_id, case_id, note_id, version, author, sign_time, "
    "content_sha256, signature, subject, document) "
    "VALUES ($1, 'c1', $2, $3, 'x', 1, $4, $4, 'x', $4)");
STATEMENT(kBackToDraft,
          "UPDATE session_note SET signed_version = 0, draft_version = 1, sign_time = NULL, "
          "first_sign_time = NULL, cosign = 0 WHERE organization_id = $1");
STATEMENT(kSignWithoutVersion,
          "UPDATE session_note SET signed_version = signed_version + 1, draft_version = 0, "
          "sign_time = 2 WHERE organization_id = $1");
STATEMENT(kMoveSignTime, "UPDATE session_note SET sign_time = 2 WHERE organization_id = $1");
STATEMENT(kChangeAuthor, "UPDATE session_note SET author = 'x' WHERE organization_id = $1");
STATEMENT(kChangeSubject, "UPDATE session_note SET about = 'x' WHERE organization_id = $1");
STATEMENT(kDeleteNote, "DELETE FROM session_note WHERE organization_id = $1");
STATEMENT(kSaveText, "UPDATE note_draft SET document = $2 WHERE organization_id = $1");
STATEMENT(kAddDraft,
          "INSERT INTO note_draft (organization_id, case_id, note_id, version, sequence, saves, "
          "update_time, subject, document) VALUES ($1, 'c1', $2, $3, 1, 1, 1, 'x', $4)");
STATEMENT(kAddCopy,
          "INSERT INTO note_draft_copy (organization_id, case_id, note_id, copy_id, sequence, "
          "base_sequence, create_time, subject, document) "
          "VALUES ($1, 'c1', $2, 'w', 1, 1, 1, 'x', $3)");
STATEMENT(kAddPrefill,
          "INSERT INTO note_prefill (organization_id, case_id, note_id, subject, document) "
          "VALUES ($1, 'c1', $2, 'x', $3)");
STATEMENT(kChangePrefill, "UPDATE note_prefill SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeletePrefill, "DELETE FROM note_prefill WHERE organization_id = $1");
STATEMENT(kAddWord,
          "INSERT INTO note_cosignature (organization_id, case_id, note_id, version, kind, "
          "clinician, sign_time, subject, document) "
          "VALUES ($1, 'c1', $2, 1, 1, 'x', 1, 'x', $3)");
STATEMENT(kChangeWord, "UPDATE note_cosignature SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeleteWord, "DELETE FROM note_cosignature WHERE organization_id = $1");
STATEMENT(kAddAddendum,
          "INSERT INTO note_addendum (organization_id, case_id, note_id, number, version, "
          "signature, subject, document) VALUES ($1, 'c1', $2, $3, 1, $4, 'x', $4)");
STATEMENT(kChangeAddendum, "UPDATE note_addendum SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeleteAddendum, "DELETE FROM note_addendum WHERE organization_id = $1");
STATEMENT(kChangeKey, "UPDATE signing_key SET public_key = $2 WHERE organization_id = $1");
STATEMENT(kDeleteKey, "DELETE FROM signing_key WHERE organization_id = $1");
STATEMENT(kChangeDetermination,
          "UPDATE determination SET document = $2 WHERE organization_id = $1");
STATEMENT(kBackInForce,
          "UPDATE determination SET reopen_time = NULL, reopen_clinician = NULL, "
          "reopen_reason = NULL WHERE organization_id = $1");
STATEMENT(kReopenWithText,
          "UPDATE determination SET reopen_time = 1, reopen_clinician = 'x', reopen_reason = 'y', "
          "document = $2 WHERE organization_id = $1");
STATEMENT(kReopenOnly,
          "UPDATE determination SET reopen_time = 1, reopen_clinician = 'x', reopen_reason = 'y' "
          "WHERE organization_id = $1");
STATEMENT(kDeleteDetermination, "DELETE FROM determination WHERE organization_id = $1");
STATEMENT(kChangeFormulation, "UPDATE formulation SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeleteFormulation, "DELETE FROM formulation WHERE organization_id = $1");
STATEMENT(kChangeRisk, "UPDATE risk_assessment SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeleteRisk, "DELETE FROM risk_assessment WHERE organization_id = $1");
STATEMENT(kChangePlan, "UPDATE safety_plan SET document = $2 WHERE organization_id = $1");
STATEMENT(kDeletePlan, "DELETE FROM safety_plan WHERE organization_id = $1");
STATEMENT(kCountNotes, "SELECT count(*) FROM session_note WHERE organization_id = $1");

class ImmutabilityTest : public NotesTest {
 protected:
  v1::Note Draft() {
    v1::StartNoteRequest request;
    request.set_parent(CaseName());
    request.set_appointment(Appointment("a1"));
    const auto note = notes_.StartNote(By("ada"), request);
    EXPECT_TRUE(note.ok()) << note.status();
    return *note;
  }

  v1::Note Signed() {
    v1::SaveDraftRequest save;
    save.set_name(Draft().name());
    save.mutable_content()->set_symptom_event_link("link");
    save.mutable_content()->set_plan("plan");
    save.set_sequence(1);
    EXPECT_TRUE(notes_.SaveDraft(By("ada"), save).ok());
    v1::SignNoteRequest sign;
    sign.set_name(save.name());
    const auto note = notes_.SignNote(By("ada"), sign);
    EXPECT_TRUE(note.ok()) << note.status();
    return *note;
  }

  std::string Read(const std::string& name) {
    v1::GetNoteRequest request;
    request.set_name(name);
    return notes_.GetNote(By("ada"), request)->SerializeAsString();
  }

  static sql::Value Id(const v1::Note& note) { return sql::Text(names::Last(note.name())); }
};

const sql::Value kAcme = sql::Text("acme");
const sql::Value kBytes = sql::Bytes("forged");

// By the trigger; where the serving role may not even try, it is refused before.
void ExpectRefused(const absl::Status& status, const std::string& constraint) {
  EXPECT_FALSE(status.ok()) << constraint;
  const std::string named = errors::MetadataValue(status, "constraint");
  if (!named.empty()) {
    EXPECT_EQ(named, constraint);
  }
}

TEST_P(ImmutabilityTest, ASignedNoteNeitherChangesNorGoes) {
  const v1::Note note = Signed();
  const std::string before = Read(note.name());
  for (const sql::Statement* statement : {&kBackToDraft, &kSignWithoutVersion, &kMoveSignTime}) {
    EXPECT_EQ(errors::MetadataValue(Run(*statement, {kAcme}), "constraint"), "session_note_signed")
        << statement->name();
  }
  for (const sql::Statement* statement : {&kChangeAuthor, &kChangeSubject}) {
    EXPECT_EQ(errors::MetadataValue(Run(*statement, {kAcme}), "constraint"),
              "session_note_identity");
  }
  ExpectRefused(Run(kChangeText, {kAcme, kBytes}), "session_note_signed");
  ExpectRefused(Run(kDeleteVersion, {kAcme}), "session_note_signed");
  ExpectRefused(Run(kDeleteNote, {kAcme}), "session_note_signed");
  EXPECT_EQ(Read(note.name()), before);
}

TEST_P(ImmutabilityTest, VersionsFollowOneAnotherAndStand) {
  const v1::Note note = Signed();
  for (int64_t version : {1, 3, 40}) {
    ExpectRefused(Run(kAddVersion, {kAcme, Id(note), sql::Int(version), kBytes}),
                  "session_note_signed");
    EXPECT_FALSE(Run(kAddDraft, {kAcme, Id(note), sql::Int(version), kBytes}).ok()) << version;
  }
}

// As when a part of a form could be added to a signed and locked encounter after its menu changed:
// the lock is the database's, on whatever path.
TEST_P(ImmutabilityTest, ASignedNoteTakesNoNewPartsButAddendaAndOneWordOfASupervisor) {
  const v1::Note note = Signed();
  EXPECT_EQ(errors::MetadataValue(Run(kAddPrefill, {kAcme, Id(note), kBytes}), "constraint"),
            "session_note_signed");
  EXPECT_EQ(errors::MetadataValue(Run(kAddCopy, {kAcme, Id(note), kBytes}), "constraint"),
            "session_note_signed");
  EXPECT_EQ(
      errors::MetadataValue(Run(kAddDraft, {kAcme, Id(note), sql::Int(1), kBytes}), "constraint"),
      "session_note_signed");
  ExpectRefused(Run(kChangePrefill, {kAcme, kBytes}), "note_prefill_immutable");
  ExpectRefused(Run(kDeletePrefill, {kAcme}), "note_prefill_immutable");
  EXPECT_TRUE(Run(kAddAddendum, {kAcme, Id(note), sql::Int(1), sql::Bytes("")}).ok());
  EXPECT_TRUE(Run(kAddWord, {kAcme, Id(note), kBytes}).ok());
  EXPECT_FALSE(Run(kAddWord, {kAcme, Id(note), kBytes}).ok());
  ExpectRefused(Run(kChangeWord, {kAcme, kBytes}), "note_cosignature_immutable");
  ExpectRefused(Run(kDeleteWord, {kAcme}), "note_cosignature_immutable");
}

TEST_P(ImmutabilityTest, AnAddendumNeedsASignedNoteAndNeverChanges) {
  const v1::Note note = Draft();
  EXPECT_FALSE(Run(kAddAddendum, {kAcme, Id(note), sql::Int(1), kBytes}).ok());
  EXPECT_FALSE(Run(kAddWord, {kAcme, Id(note), kBytes}).ok());
  v1::SaveDraftRequest save;
  save.set_name(note.name());
  save.mutable_content()->set_symptom_event_link("link");
  save.mutable_content()->set_plan("plan");
  save.set_sequence(1);
  ASSERT_TRUE(notes_.SaveDraft(By("ada"), save).ok());
  v1::SignNoteRequest sign;
  sign.set_name(note.name());
  ASSERT_TRUE(notes_.SignNote(By("ada"), sign).ok());
  ASSERT_TRUE(Run(kAddAddendum, {kAcme, Id(note), sql::Int(1), sql::Bytes("")}).ok());
  EXPECT_FALSE(Run(kAddAddendum, {kAcme, Id(note), sql::Int(1), kBytes}).ok());
  ExpectRefused(Run(kChangeAddendum, {kAcme, kBytes}), "note_addendum_immutable");
  ExpectRefused(Run(kDeleteAddendum, {kAcme}), "note_addendum_immutable");
}

TEST_P(ImmutabilityTest, ASignatureKeyStays) {
  Signed();
  ExpectRefused(Run(kChangeKey, {kAcme, kBytes}), "signing_key_immutable");
  ExpectRefused(Run(kDeleteKey, {kAcme}), "signing_key_immutable");
}

TEST_P(ImmutabilityTest, ADraftMayChange) {
  Draft();
  EXPECT_TRUE(Run(kSaveText, {kAcme, kBytes}).ok());
}

TEST_P(ImmutabilityTest, ADeterminationIsOnlyOpenedAgainAndOnlyOnce) {
  auto request = Text<v1::SignDeterminationRequest>(
      "determination { outcome: SUITABILITY_OUTCOME_SUITABLE patient_preference: 'p' "
      "alternatives_offered: 'a' reasons { direction: REASON_DIRECTION_FOR text: 't' } }");
  request.set_parent(CaseName());
  ASSERT_TRUE(cases_.SignDetermination(By("ada"), request).ok());
  ExpectRefused(Run(kChangeDetermination, {kAcme, kBytes}), "determination_immutable");
  ExpectRefused(Run(kReopenWithText, {kAcme, kBytes}), "determination_immutable");
  ExpectRefused(Run(kDeleteDetermination, {kAcme}), "determination_immutable");
  EXPECT_TRUE(Run(kReopenOnly, {kAcme}).ok());
  ExpectRefused(Run(kReopenOnly, {kAcme}), "determination_immutable");
  ExpectRefused(Run(kBackInForce, {kAcme}), "determination_immutable");
}

TEST_P(ImmutabilityTest, FormulationsRiskAssessmentsAndSafetyPlansNeverChange) {
  auto formulation = Text<v1::WriteFormulationRequest>(
      "formulation { diagnosis: 'd' triggering_events: 't' link: 'l' }");
  formulation.set_parent(CaseName());
  ASSERT_TRUE(cases_.WriteFormulation(By("ada"), formulation).ok());
  v1::CreateRiskAssessmentRequest risk;
  risk.set_parent(CaseName());
  ASSERT_TRUE(cases_.CreateRiskAssessment(By("ada"), risk).ok());
  v1::WriteSafetyPlanRequest plan;
  plan.set_parent(CaseName());
  ASSERT_TRUE(cases_.WriteSafetyPlan(By("ada"), plan).ok());

  ExpectRefused(Run(kChangeFormulation, {kAcme, kBytes}), "formulation_immutable");
  ExpectRefused(Run(kDeleteFormulation, {kAcme}), "formulation_immutable");
  ExpectRefused(Run(kChangeRisk, {kAcme, kBytes}), "risk_assessment_immutable");
  ExpectRefused(Run(kDeleteRisk, {kAcme}), "risk_assessment_immutable");
  ExpectRefused(Run(kChangePlan, {kAcme, kBytes}), "safety_plan_immutable");
  ExpectRefused(Run(kDeletePlan, {kAcme}), "safety_plan_immutable");
}

INSTANTIATE_TEST_SUITE_P(Engines, ImmutabilityTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

// On SQLite the statement catalogue stands for this.
class RowSecurityTest : public ImmutabilityTest {};

TEST_P(RowSecurityTest, AnotherTenantSeesNoRow) {
  Signed();
  const absl::Status status = database_->Read(
      sql::Access::Tenant("beta"), Deadline(), [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kCountNotes, {kAcme}));
        EXPECT_EQ(rows.Int(0, 0), 0);
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
}

INSTANTIATE_TEST_SUITE_P(
    Engines, RowSecurityTest,
    ::testing::Values(sql::testing::Postgres({care::Migrations(), work::Migrations(),
                                              crypto::Migrations(), Migrations()})),
    sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
