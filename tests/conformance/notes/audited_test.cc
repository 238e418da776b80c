#include "services/notes/store/audited.h"

#include "services/notes/rpc/entry_handlers.h"
#include "tests/conformance/audit/records.h"
#include "tests/conformance/notes/supervision_fixture.h"

namespace rapport::notes::testing {
namespace {

class AuditedTest : public SupervisionTest {
 protected:
  audit::Findings Verify() {
    return audit::testing::VerifyRecords(*database_, RecordKinds(), now_);
  }

  // A call of `method`, which the log tells: some records are compared by what made them.
  call::CallContext Doing(const std::string& method, const std::string& subject = "ada") {
    call::CallContext context = By(subject);
    context.method = "rapport.notes.v1.Service/" + method;
    return context;
  }

  // A case with one of each, its note signed, rated and supervised.
  void Fill() {
    TellCourse("c1", 2, "ada", "clinic: 'organizations/acme/clinics/north'");
    auto determination = Text<v1::SignDeterminationRequest>(
        "determination { outcome: SUITABILITY_OUTCOME_SUITABLE "
        "protocol: 'protocols/classic/revisions/1' "
        "reasons { direction: REASON_DIRECTION_FOR text: 'r' } "
        "interpersonal_trigger: ANSWERED_YES patient_preference: 'p' alternatives_offered: 'a' }");
    determination.set_parent(CaseName());
    EXPECT_TRUE(cases_.SignDetermination(Doing("SignDetermination"), determination).ok());
    v1::CreateGoalRequest goal;
    goal.set_parent(CaseName());
    goal.mutable_goal()->set_text(kSecret);
    EXPECT_TRUE(cases_.CreateGoal(By("ada"), goal).ok());
    v1::WriteSafetyPlanRequest plan;
    plan.set_parent(CaseName());
    EXPECT_TRUE(cases_.WriteSafetyPlan(By("ada"), plan).ok());
    v1::CreateRiskAssessmentRequest risk;
    risk.set_parent(CaseName());
    EXPECT_TRUE(cases_.CreateRiskAssessment(By("ada"), risk).ok());
    v1::CreateEntryRequest entry;
    entry.set_parent(CaseName());
    entry.mutable_entry()->mutable_hope()->set_words(kSecret);
    EXPECT_TRUE(entries_.CreateEntry(By("ada"), entry).ok());

    v1::CreateNoteTemplateRevisionRequest own;
    own.set_parent("organizations/acme");
    own.mutable_note_template()->set_id("mine");
    own.mutable_note_template()->set_phase(v1::NOTE_PHASE_INITIAL);
    own.mutable_note_template()->add_required("plan");
    own.mutable_note_template()->add_required("symptom_event_link");
    EXPECT_TRUE(templates_.CreateNoteTemplateRevision(By("ada"), own).ok());
    v1::UpdateNotePolicyRequest policy;
    policy.mutable_note_policy()->set_clinic("organizations/acme/clinics/north");
    policy.mutable_note_policy()->add_history_ceilings()->set_percent(10);
    policy.mutable_note_policy()->mutable_history_ceilings(0)->set_phase(v1::NOTE_PHASE_INITIAL);
    call::CallContext manager = By("m");
    auth::Principal principal = *manager.principal;
    principal.roles = {"clinic_manager"};
    manager.principal = std::make_shared<auth::Principal>(principal);
    EXPECT_TRUE(policies_.UpdateNotePolicy(manager, policy).ok());
    v1::UpdateCosignPolicyRequest sample;
    sample.mutable_cosign_policy()->set_name(Clinician("ada") + "/cosignPolicies/sue");
    for (const int percent : {20, 30}) {
      sample.mutable_cosign_policy()->set_sample_percent(percent);
      EXPECT_TRUE(policies_.UpdateCosignPolicy(manager, sample).ok());
    }

    const v1::Note note = Start("a1");
    EXPECT_TRUE(Save("ada", note.name(), Written(kSecret), 1, 0).ok());
    EXPECT_TRUE(Sign(Doing("SignNote"), note.name()).ok());
    v1::CosignNoteRequest cosign;
    cosign.set_name(note.name());
    EXPECT_TRUE(notes_.CosignNote(Doing("CosignNote", "sue"), cosign).ok());
    EXPECT_TRUE(Add(Doing("AddAddendum"), note.name(), kSecret).ok());
    v1::RateSessionRequest rate;
    rate.set_parent(note.name());
    *rate.mutable_rating() =
        Text<v1::SessionRating>("criteria { criterion: 'focus-kept' result: FIDELITY_RESULT_MET }");
    EXPECT_TRUE(fidelity_.RateSession(By("ada"), rate).ok());
    v1::LogSupervisionSessionRequest hour;
    hour.set_parent(Clinician("ada"));
    v1::SupervisionSession& session = *hour.mutable_supervision_session();
    session.set_supervisor(Clinician("sue"));
    *session.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(2));
    session.set_minutes(60);
    session.set_format(v1::SUPERVISION_FORMAT_INDIVIDUAL);
    session.set_text(kSecret);
    v1::SupervisedCase& of = *session.add_cases();
    of.set_case_(CaseName());
    of.set_minutes(45);
    of.set_text(kSecret);
    EXPECT_TRUE(supervision_.LogSupervisionSession(Doing("LogSupervisionSession"), hour).ok());
    v1::RegisterRecordingRequest tape;
    tape.set_parent(CaseName());
    *tape.mutable_recording() = Text<v1::SessionRecording>(absl::StrCat(
        "appointment: '", Appointment("a1"), "' medium: RECORDING_MEDIUM_AUDIO location: 'l' ",
        "consents { patient: 'organizations/acme/patients/p1' "
        "consent_date { year: 2026 month: 3 day: 1 } } "
        "retain_until_date { year: 2026 month: 6 day: 1 }"));
    EXPECT_TRUE(supervision_.RegisterRecording(Doing("RegisterRecording"), tape).ok());
  }

  EntryHandlers entries_{*database_, access_, vault_};
};

TEST_P(AuditedTest, EachRecordIsHeldToItsEntry) {
  Fill();
  const audit::Findings whole = Verify();
  EXPECT_FALSE(whole.fault) << audit::testing::FaultOf(whole);
  EXPECT_GE(whole.records, 18);
  const std::string in_case = CaseName();
  const std::string ada = Clinician("ada");
  audit::testing::ExpectTamperingIsNamed(
      {{.table = "determination", .resource = in_case + "/determinations/"},
       {.table = "goal", .resource = in_case + "/goals/"},
       {.table = "safety_plan", .resource = in_case + "/safetyPlans/1"},
       {.table = "risk_assessment", .resource = in_case + "/riskAssessments/"},
       {.table = "case_entry_revision", .resource = in_case + "/entries/"},
       {.table = "note_template", .resource = ada + "/noteTemplates/mine/revisions/1"},
       {.table = "note_policy", .resource = "organizations/acme/clinics/north/notePolicy"},
       {.table = "cosign_policy", .column = "seed", .resource = ada + "/cosignPolicies/sue"},
       {.table = "signing_key", .column = "sealed", .resource = ada + "/signingKeys/"},
       {.table = "signing_key", .column = "public_key", .resource = ada + "/signingKeys/"},
       {.table = "note_version", .resource = in_case + "/notes/", .deletes = false},
       {.table = "note_cosignature", .resource = in_case + "/notes/", .deletes = false},
       {.table = "note_addendum", .resource = in_case + "/notes/", .deletes = false},
       {.table = "session_rating", .resource = in_case + "/notes/"},
       {.table = "session_recording", .resource = in_case + "/recordings/"},
       {.table = "supervision_session", .resource = ada + "/supervisionSessions/"},
       {.table = "supervised_case", .resource = ada + "/supervisionSessions/"}},
      [this] { return Verify(); });
}

INSTANTIATE_TEST_SUITE_P(
    Engines, AuditedTest,
    ::testing::ValuesIn(audit::testing::TamperableEngines({care::Migrations(), work::Migrations(),
                                                           crypto::Migrations(), Migrations()})),
    sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
