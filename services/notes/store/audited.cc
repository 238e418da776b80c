#include "services/notes/store/audited.h"

#include "absl/strings/str_cat.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/notes/v1/note.pb.h"

namespace rapport::notes {
namespace {

// Rows of TABLE, as r, whose NAME and VERSION no leaf tells of.
#define WITHOUT_ENTRY(TABLE, NAME, VERSION)                                                     \
  "SELECT " NAME ", " VERSION " FROM " TABLE                                                    \
  " AS r LEFT JOIN audit_leaf AS leaf ON leaf.organization_id = $1 AND leaf.version = " VERSION \
  " AND leaf.resource = " NAME                                                                  \
  " WHERE r.organization_id = $1 AND leaf.leaf_index IS NULL LIMIT 100"
#define CASE_NAME "'organizations/' || r.organization_id || '/cases/' || r.case_id"

const sql::Statement kCase{"notes.audited.case", R"sql(
  SELECT document_version, document FROM note_case
  WHERE organization_id = $1 AND case_id = $2)sql"};

const sql::Statement kDetermination{"notes.audited.determination", R"sql(
  SELECT 1, document FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
  UNION ALL
  SELECT 2, reopen_document FROM determination
  WHERE organization_id = $1 AND case_id = $2 AND determination_id = $3
    AND reopen_time IS NOT NULL)sql"};

const sql::Statement kDeterminationAlone{
    "notes.audited.determination_alone",
    WITHOUT_ENTRY("determination", CASE_NAME " || '/determinations/' || r.determination_id", "1")};

const sql::Statement kFormulation{"notes.audited.formulation", R"sql(
  SELECT version, document FROM formulation
  WHERE organization_id = $1 AND case_id = $2 AND CAST(version AS TEXT) = $3 AND version = $4)sql"};

const sql::Statement kFormulationAlone{
    "notes.audited.formulation_alone",
    WITHOUT_ENTRY("formulation", CASE_NAME " || '/formulations/' || r.version", "r.version")};

const sql::Statement kGoal{"notes.audited.goal", R"sql(
  SELECT version, document FROM goal
  WHERE organization_id = $1 AND case_id = $2 AND goal_id = $3)sql"};

const sql::Statement kGoalAlone{
    "notes.audited.goal_alone",
    WITHOUT_ENTRY("goal", CASE_NAME " || '/goals/' || r.goal_id", "r.version")};

const sql::Statement kScreen{"notes.audited.partner_screen", R"sql(
  SELECT 1, document FROM partner_screen
  WHERE organization_id = $1 AND case_id = $2 AND screen_id = $3
  UNION ALL
  SELECT 2, document FROM partner_screen_countersign
  WHERE organization_id = $1 AND case_id = $2 AND screen_id = $3)sql"};

const sql::Statement kScreenAlone{
    "notes.audited.partner_screen_alone",
    WITHOUT_ENTRY("partner_screen", CASE_NAME " || '/partnerScreens/' || r.screen_id", "1")};

const sql::Statement kRisk{"notes.audited.risk_assessment", R"sql(
  SELECT 1, document FROM risk_assessment
  WHERE organization_id = $1 AND case_id = $2 AND risk_assessment_id = $3)sql"};

const sql::Statement kRiskAlone{
    "notes.audited.risk_assessment_alone",
    WITHOUT_ENTRY("risk_assessment", CASE_NAME " || '/riskAssessments/' || r.risk_assessment_id",
                  "1")};

const sql::Statement kSafetyPlan{"notes.audited.safety_plan", R"sql(
  SELECT version, document FROM safety_plan
  WHERE organization_id = $1 AND case_id = $2 AND CAST(version AS TEXT) = $3 AND version = $4)sql"};

const sql::Statement kSafetyPlanAlone{
    "notes.audited.safety_plan_alone",
    WITHOUT_ENTRY("safety_plan", CASE_NAME " || '/safetyPlans/' || r.version", "r.version")};

const sql::Statement kEntry{"notes.audited.entry", R"sql(
  SELECT version, document FROM case_entry_revision
  WHERE organization_id = $1 AND case_id = $2 AND entry_id = $3 AND version = $4)sql"};

const sql::Statement kEntryAlone{
    "notes.audited.entry_alone",
    WITHOUT_ENTRY("case_entry_revision", CASE_NAME " || '/entries/' || r.entry_id", "r.version")};

const sql::Statement kNote{"notes.audited.note", R"sql(
  SELECT version, document FROM note_version
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
  UNION ALL
  SELECT version, document FROM note_cosignature
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
  UNION ALL
  SELECT version, document FROM note_addendum
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3)sql"};

const sql::Statement kRelease{"notes.audited.release", R"sql(
  SELECT version, document FROM note_release
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3
    AND patient = 'organizations/' || $1 || '/patients/' || $4 AND version = $5)sql"};

const sql::Statement kPsychotherapyNote{"notes.audited.psychotherapy_note", R"sql(
  SELECT version, document FROM psychotherapy_note
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3)sql"};

const sql::Statement kPsychotherapyNoteAlone{
    "notes.audited.psychotherapy_note_alone",
    WITHOUT_ENTRY("psychotherapy_note",
                  CASE_NAME " || '/psychotherapyNotes/' || r.psychotherapy_note_id", "r.version")};

const sql::Statement kPsychotherapyRelease{"notes.audited.psychotherapy_release", R"sql(
  SELECT 1, document FROM psychotherapy_release
  WHERE organization_id = $1 AND case_id = $2 AND psychotherapy_note_id = $3
    AND release_id = $4)sql"};

const sql::Statement kConsent{"notes.audited.consent", R"sql(
  SELECT 1, document FROM consent
  WHERE organization_id = $1 AND case_id = $2 AND consent_id = $3)sql"};

const sql::Statement kBreakGlass{"notes.audited.break_glass", R"sql(
  SELECT 1, document FROM break_glass
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3
  UNION ALL
  SELECT 2, review_document FROM break_glass
  WHERE organization_id = $1 AND case_id = $2 AND break_glass_id = $3
    AND review_document IS NOT NULL)sql"};

const sql::Statement kGuardian{"notes.audited.guardian", R"sql(
  SELECT version, document FROM guardian
  WHERE organization_id = $1 AND patient = 'organizations/' || $1 || '/patients/' || $2
    AND guardian_id = $3)sql"};

const sql::Statement kHold{"notes.audited.legal_hold", R"sql(
  SELECT version, document FROM legal_hold WHERE organization_id = $1 AND hold_id = $2)sql"};

const sql::Statement kFidelityPolicy{"notes.audited.fidelity_policy", R"sql(
  SELECT version, document FROM fidelity_policy WHERE organization_id = $1)sql"};

const sql::Statement kRating{"notes.audited.session_rating", R"sql(
  SELECT 1, document FROM session_rating
  WHERE organization_id = $1 AND case_id = $2 AND note_id = $3 AND rating_id = $4)sql"};

const sql::Statement kRatingAlone{
    "notes.audited.session_rating_alone",
    WITHOUT_ENTRY("session_rating",
                  CASE_NAME " || '/notes/' || r.note_id || '/ratings/' || r.rating_id", "1")};

const sql::Statement kRecording{"notes.audited.session_recording", R"sql(
  SELECT 1, document FROM session_recording
  WHERE organization_id = $1 AND case_id = $2 AND recording_id = $3)sql"};

const sql::Statement kSelection{"notes.audited.recording_selection", R"sql(
  SELECT 1, seed FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3
  UNION ALL
  SELECT 2, drawn FROM recording_selection
  WHERE organization_id = $1 AND case_id = $2 AND selection_id = $3
    AND drawn IS NOT NULL)sql"};

const sql::Statement kSupervision{"notes.audited.supervision_session", R"sql(
  SELECT 1, document FROM supervision_session
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND session_id = $3
  UNION ALL
  SELECT version, void_document FROM supervision_session
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND session_id = $3 AND voided = 1)sql"};

const sql::Statement kSupervisedCase{"notes.audited.supervised_case", R"sql(
  SELECT 1, document FROM supervised_case
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND session_id = $3 AND case_id = $4)sql"};

const sql::Statement kSigningKey{"notes.audited.signing_key", R"sql(
  SELECT 1, public_key, sealed FROM signing_key
  WHERE organization_id = $1 AND clinician = 'organizations/' || $1 || '/clinicians/' || $2
    AND key_id = $3)sql"};

const sql::Statement kSigningKeyAlone{
    "notes.audited.signing_key_alone",
    WITHOUT_ENTRY("signing_key", "r.clinician || '/signingKeys/' || r.key_id", "1")};

const sql::Statement kTemplate{"notes.audited.note_template", R"sql(
  SELECT revision, document FROM note_template
  WHERE organization_id = $1 AND clinician = 'organizations/' || $1 || '/clinicians/' || $2
    AND template_id = $3 AND CAST(revision AS TEXT) = $4)sql"};

const sql::Statement kTemplateAlone{
    "notes.audited.note_template_alone",
    WITHOUT_ENTRY(
        "note_template",
        "r.clinician || '/noteTemplates/' || r.template_id || '/revisions/' || r.revision",
        "r.revision")};

const sql::Statement kNotePolicy{"notes.audited.note_policy", R"sql(
  SELECT version, document FROM note_policy
  WHERE organization_id = $1 AND clinic = 'organizations/' || $1 || '/clinics/' || $2)sql"};

const sql::Statement kNotePolicyAlone{
    "notes.audited.note_policy_alone",
    WITHOUT_ENTRY("note_policy", "r.clinic || '/notePolicy'", "r.version")};

// As PutCosignPolicy was given it.
const sql::Statement kCosignPolicy{"notes.audited.cosign_policy", R"sql(
  SELECT version, supervisee, supervisor, sample_percent, seed, set_by, update_time
  FROM cosign_policy
  WHERE organization_id = $1 AND supervisee = 'organizations/' || $1 || '/clinicians/' || $2
    AND supervisor = 'organizations/' || $1 || '/clinicians/' || $3)sql"};

const sql::Statement kCosignPolicyAlone{
    "notes.audited.cosign_policy_alone",
    WITHOUT_ENTRY("cosign_policy",
                  "r.supervisee || '/cosignPolicies/' || replace(r.supervisor, 'organizations/' || "
                  "r.organization_id || '/clinicians/', '')",
                  "r.version")};

std::string CosignPolicyOf(const sql::Result& rows, size_t row) {
  v1::CosignPolicy policy;
  policy.set_name(
      absl::StrCat(rows.Text(row, 1), "/cosignPolicies/", names::Last(rows.Text(row, 2))));
  policy.set_sample_percent(static_cast<int32_t>(rows.Int(row, 3)));
  policy.set_seed(rows.Bytes(row, 4));
  policy.set_set_by(rows.Text(row, 5));
  policy.set_etag(absl::StrCat(rows.Int(row, 0)));
  *policy.mutable_update_time() = time::ToTimestamp(rows.Time(row, 6));
  return policy.SerializeAsString();
}

const sql::Statement kMajority{"notes.audited.majority", R"sql(
  SELECT version, document FROM majority
  WHERE organization_id = $1 AND patient = 'organizations/' || $1 || '/patients/' || $2)sql"};

const sql::Statement kMajorityAlone{
    "notes.audited.majority_alone",
    WITHOUT_ENTRY("majority", "r.patient || '/majority'", "r.version")};

#undef CASE_NAME
#undef WITHOUT_ENTRY

constexpr char kCaseName[] = "organizations/{organization}/cases/{case}";

std::string InCase(const char* rest) { return std::string(kCaseName) + rest; }

}  // namespace

std::vector<audit::RecordKind> RecordKinds() {
  return {
      {.pattern = kCaseName, .read = &kCase},
      {.pattern = InCase("/determinations/{determination}"),
       .read = &kDetermination,
       .pieces_of = {"SignDetermination", "ReopenDetermination"},
       .unaudited = &kDeterminationAlone},
      {.pattern = InCase("/formulations/{version}"),
       .read = &kFormulation,
       .each_version = true,
       .unaudited = &kFormulationAlone},
      {.pattern = InCase("/goals/{goal}"), .read = &kGoal, .unaudited = &kGoalAlone},
      {.pattern = InCase("/partnerScreens/{screen}"),
       .read = &kScreen,
       .pieces_of = {"RecordPartnerScreen", "CountersignPartnerScreen"},
       .unaudited = &kScreenAlone},
      {.pattern = InCase("/riskAssessments/{assessment}"),
       .read = &kRisk,
       .unaudited = &kRiskAlone},
      {.pattern = InCase("/safetyPlans/{version}"),
       .read = &kSafetyPlan,
       .each_version = true,
       .unaudited = &kSafetyPlanAlone},
      {.pattern = InCase("/entries/{entry}"),
       .read = &kEntry,
       .each_version = true,
       .unaudited = &kEntryAlone},
      {.pattern = InCase("/notes/{note}"),
       .read = &kNote,
       .pieces_of = {"SignNote", "CosignNote", "AddAddendum"}},
      {.pattern = InCase("/notes/{note}/releases/{patient}"),
       .read = &kRelease,
       .each_version = true},
      {.pattern = InCase("/psychotherapyNotes/{note}"),
       .read = &kPsychotherapyNote,
       .unaudited = &kPsychotherapyNoteAlone},
      {.pattern = InCase("/psychotherapyNotes/{note}/releases/{release}"),
       .read = &kPsychotherapyRelease,
       .pieces_of = {"ReleasePsychotherapyNote"}},
      {.pattern = InCase("/consents/{consent}"), .read = &kConsent, .pieces_of = {"CreateConsent"}},
      {.pattern = InCase("/breakGlasses/{break_glass}"),
       .read = &kBreakGlass,
       .pieces_of = {"OpenBreakGlass", "ReviewBreakGlass"}},
      {.pattern = "organizations/{organization}/patients/{patient}/guardians/{guardian}",
       .read = &kGuardian},
      {.pattern = "organizations/{organization}/clinicians/{clinician}/cosignPolicies/{supervisor}",
       .read = &kCosignPolicy,
       .content = CosignPolicyOf,
       .unaudited = &kCosignPolicyAlone},
      {.pattern = "organizations/{organization}/patients/{patient}/majority",
       .read = &kMajority,
       .unaudited = &kMajorityAlone},
      {.pattern = "organizations/{organization}/legalHolds/{hold}", .read = &kHold},
      {.pattern = "organizations/{organization}/fidelityPolicy", .read = &kFidelityPolicy},
      {.pattern = InCase("/notes/{note}/ratings/{rating}"),
       .read = &kRating,
       .unaudited = &kRatingAlone},
      {.pattern = InCase("/recordings/{recording}"),
       .read = &kRecording,
       .pieces_of = {"RegisterRecording"}},
      {.pattern = InCase("/recordingSelections/{selection}"),
       .read = &kSelection,
       .pieces_of = {"CommitRecordingSelection", "DrawRecordingSelection"}},
      {.pattern =
           "organizations/{organization}/clinicians/{clinician}/supervisionSessions/{session}",
       .read = &kSupervision,
       .pieces_of = {"LogSupervisionSession", "VoidSupervisionSession"}},
      {.pattern =
           "organizations/{organization}/clinicians/{clinician}/supervisionSessions/{session}"
           "/cases/{case}",
       .read = &kSupervisedCase},
      {.pattern = "organizations/{organization}/clinicians/{clinician}/signingKeys/{key}",
       .read = &kSigningKey,
       .columns = 2,
       .unaudited = &kSigningKeyAlone},
      {.pattern = "organizations/{organization}/clinicians/{clinician}/noteTemplates/{template}"
                  "/revisions/{revision}",
       .read = &kTemplate,
       .unaudited = &kTemplateAlone},
      {.pattern = "organizations/{organization}/clinics/{clinic}/notePolicy",
       .read = &kNotePolicy,
       .unaudited = &kNotePolicyAlone},
  };
}

}  // namespace rapport::notes
