#include "services/notes/domain/fhir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "nlohmann/json.hpp"
#include "services/notes/domain/fhir_json.h"
#include "tests/unit/services/notes/domain/sample_case.h"

namespace rapport::notes {
namespace {

using nlohmann::json;
using ::testing::Contains;
using testing::Day;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using testing::kPartner;
using testing::kPatient;
using testing::Name;
using ::testing::Not;
using testing::SampleCase;
using testing::Text;

// Every kind of resource at least once.
SampleCase Full() {
  SampleCase sample;
  CaseFile& file = sample.file;
  *file.record.mutable_determination() = Text<v1::Determination>(
      "outcome: SUITABILITY_OUTCOME_SUITABLE reasons { direction: REASON_DIRECTION_FOR text: 'r' } "
      "patient_preference: 'talk'");
  file.record.mutable_determination()->set_name(Name("determinations", "de1"));
  file.determinations = {file.record.determination()};
  *file.record.mutable_formulation() = Text<v1::Formulation>(
      "version: 1 diagnosis: 'depression' link: 'because of the dispute' triggering_events: 'move' "
      "agreement: AGREEMENT_AGREED");
  file.formulations = {file.record.formulation()};
  *file.record.add_problem_areas() = Text<v1::ProblemArea>(
      "kind: PROBLEM_AREA_KIND_ROLE_DISPUTE rank: FOCUS_RANK_PRIMARY statement: 's' person: "
      "'Robin'");
  v1::Goal& goal = file.goals.emplace_back(Text<v1::Goal>(
      "text: 'talk without shouting' status: GOAL_STATUS_ACTIVE progress_percent: 40 measure: 'm' "
      "realism: REALISM_REALISTIC target_date { year: 2026 month: 6 day: 1 } "
      "revisions { number: 1 old_text: 'never quarrel' reason: 'too much' }"));
  goal.set_name(Name("goals", "g1"));
  file.risk_assessments = {Text<v1::RiskAssessment>(
      "ideation: 'none' intent: 'none' protective_factors: 'the children' formulation: 'low'")};
  file.risk_assessments[0].set_name(Name("riskAssessments", "ra1"));
  file.safety_plan =
      Text<v1::SafetyPlan>("version: 2 warning_signs: 'no sleep' professionals: 'x'");
  v1::Consent& consent = file.consents.emplace_back();
  consent.set_name(Name("consents", "co1"));
  consent.set_patient(kPatient);
  consent.set_purpose(v1::CONSENT_PURPOSE_DISCLOSURE);
  const char* entries[] = {
      "relationship { person: 'Robin Rival' kind: RELATIONSHIP_KIND_PARTNER "
      "status: RELATIONSHIP_STATUS_CURRENT closeness: 1 liked: 'humour' }",
      "diagnosis { code_system: CODE_SYSTEM_ICD_10_CM code: 'F32.1' label: 'Depressive episode' "
      "status: DIAGNOSIS_STATUS_CONFIRMED diagnosis_date { year: 2026 month: 3 day: 9 } "
      "onset_date { year: 2025 month: 11 } }",
      "additional_issue { text: 'debts' severity: ISSUE_SEVERITY_MODERATE }",
      "timeline_event { kind: TIMELINE_EVENT_KIND_LIFE_EVENT text: 'moved' "
      "start_date { year: 2025 month: 10 } severity: 5 date_uncertain: true }",
      "private: true safety_check { seen_alone: true result: SAFETY_RESULT_NONE }",
      "treatment_event { treatment: 'sertraline 50 mg' change: TREATMENT_CHANGE_STARTED "
      "treatment_class: TREATMENT_CLASS_ANTIDEPRESSANT "
      "change_date { year: 2026 month: 3 day: 12 } }",
      "referral { kind: REFERRAL_KIND_PSYCHIATRY to: 'Dr X' "
      "send_date { year: 2026 month: 3 day: 12 } }",
      "relapse_plan { warning_signs { words: 'I stay in bed' } contacts: 'clinic' }",
      "action { text: 'write a letter' goal: 'organizations/acme/cases/c1/goals/g1' }",
      "incident { text: 'a quarrel' relationship: 'organizations/acme/cases/c1/entries/e0' "
      "incident_date { year: 2026 month: 3 day: 14 } "
      "communication_analysis { steps { speaker: SPEAKER_PATIENT words: 'always you' } } }",
  };
  int i = 0;
  for (const char* entry : entries) sample.AddEntry(absl::StrCat("e", i++), entry);
  v1::Note& note = sample.AddNote("n1", 1, "tried: 'a & b <c>' plan: 'p'");
  note.set_version(2);
  *note.mutable_cosignature() = note.signature();
  note.mutable_cosignature()->set_meaning(v1::SIGNATURE_MEANING_COSIGNER);
  v1::Addendum& addendum = *note.add_addenda();
  addendum.set_number(1);
  addendum.set_text("later");
  *addendum.mutable_signature() = note.signature();
  addendum.mutable_signature()->set_meaning(v1::SIGNATURE_MEANING_ADDENDUM);
  sample.AddForm("f1", "phq-9", {2, 3, 2, 3, 2, 2, 2, 1, 0}, 1);
  auto& form = sample.AddForm("f2", "who-5", {}, 2);
  form.mutable_score()->clear_total();
  file.instruments["instruments/phq-9/revisions/1"] = Text<assessment::v1::Instrument>(
      "display_name: 'PHQ-9' items { label: 'interest' } loinc { total: '44261-6' }");
  file.sittings[9].state.set_state(scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  file.sittings[10].state.set_state(scheduling::v1::APPOINTMENT_STATE_CANCELLED);
  return sample;
}

json Bundle(const SampleCase& sample, const FhirChoice& choice = {.patient = kPatient}) {
  return json::parse(MakeFhirBundle(sample.file, choice).json);
}

std::vector<json> OfType(const json& bundle, const std::string& type) {
  std::vector<json> found;
  for (const json& entry : bundle["entry"]) {
    if (entry["resource"]["resourceType"] == type) found.push_back(entry["resource"]);
  }
  return found;
}

void CollectReferences(const json& value, std::set<std::string>& into) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      if (key == "reference") into.insert(inner.get<std::string>());
      CollectReferences(inner, into);
    }
  } else if (value.is_array()) {
    for (const json& inner : value) CollectReferences(inner, into);
  }
}

void ExpectNoEmpties(const json& value, const std::string& path) {
  EXPECT_FALSE(value.is_null()) << path;
  if (value.is_string()) {
    EXPECT_FALSE(value.get<std::string>().empty()) << path;
  }
  if (value.is_structured()) {
    EXPECT_FALSE(value.empty()) << path;
    for (const auto& [key, inner] : value.items()) ExpectNoEmpties(inner, path + "/" + key);
  }
}

TEST(FhirTest, EveryReferenceLeadsToAResourceOfTheBundle) {
  for (const bool inventory : {false, true}) {
    const json bundle = Bundle(Full(), {.patient = kPatient, .include_inventory = inventory});
    EXPECT_EQ(bundle["resourceType"], "Bundle");
    EXPECT_EQ(bundle["type"], "collection");
    std::set<std::string> there;
    for (const json& entry : bundle["entry"]) {
      const json& resource = entry["resource"];
      const std::string reference =
          resource["resourceType"].get<std::string>() + "/" + resource["id"].get<std::string>();
      EXPECT_TRUE(there.insert(reference).second) << reference;
      EXPECT_EQ(entry["fullUrl"], "https://rapport.invalid/fhir/acme/" + reference);
      if (resource.contains("meta") && resource["meta"].contains("versionId")) {
        there.insert(reference + "/_history/" + resource["meta"]["versionId"].get<std::string>());
      }
    }
    std::set<std::string> referred;
    CollectReferences(bundle, referred);
    for (const std::string& reference : referred) EXPECT_THAT(there, Contains(reference));
    ExpectNoEmpties(bundle, "");
  }
}

TEST(FhirTest, HasAResourceForEachPartOfTheCase) {
  const json bundle = Bundle(Full());
  std::set<std::string> types;
  for (const json& entry : bundle["entry"]) types.insert(entry["resource"]["resourceType"]);
  EXPECT_THAT(types, IsSupersetOf({"Organization", "Practitioner", "Patient", "Condition",
                                   "EpisodeOfCare", "CareTeam", "CarePlan", "Goal", "Appointment",
                                   "Encounter", "QuestionnaireResponse", "Observation",
                                   "MedicationStatement", "ServiceRequest", "RiskAssessment",
                                   "ClinicalImpression", "Consent", "Composition", "Provenance"}));
  EXPECT_EQ(OfType(bundle, "Encounter").size(), 8u);
  EXPECT_EQ(OfType(bundle, "Appointment").size(), 16u);
  EXPECT_EQ(OfType(bundle, "Provenance").size(), 3u);
}

TEST(FhirTest, ByDefaultNobodyOfTheInventoryIsNamed) {
  const FhirBundle bundle = MakeFhirBundle(Full().file, {.patient = kPatient});
  EXPECT_THAT(bundle.json, Not(HasSubstr("Rival")));
  EXPECT_THAT(bundle.json, Not(HasSubstr("RelatedPerson")));
  EXPECT_THAT(bundle.json, Not(HasSubstr("humour")));
  EXPECT_THAT(bundle.json, HasSubstr("the partner"));
  bool told = false;
  for (const v1::ExportOmission& omission : bundle.omissions) {
    told =
        told || (omission.reason() == v1::OMISSION_REASON_THIRD_PERSONS && omission.count() == 1);
  }
  EXPECT_TRUE(told);
  const json with = Bundle(Full(), {.patient = kPatient, .include_inventory = true});
  EXPECT_EQ(OfType(with, "RelatedPerson").size(), 1u);
  EXPECT_THAT(with.dump(), HasSubstr("humour"));
}

TEST(FhirTest, TheSameCaseGivesTheSameBytes) {
  EXPECT_EQ(MakeFhirBundle(Full().file, {.patient = kPatient}).json,
            MakeFhirBundle(Full().file, {.patient = kPatient}).json);
}

TEST(FhirTest, ScoresBearTheirCodeUnitAndAnswers) {
  const json bundle = Bundle(Full());
  for (const json& observation : OfType(bundle, "Observation")) {
    if (observation["id"] == "f1") {
      EXPECT_EQ(observation["code"]["coding"][0]["code"], "44261-6");
      EXPECT_EQ(observation["valueQuantity"]["value"], 17);
      EXPECT_EQ(observation["valueQuantity"]["code"], "{score}");
      EXPECT_EQ(observation["derivedFrom"][0]["reference"], "QuestionnaireResponse/f1");
    }
    if (observation["id"] == "f2") {
      EXPECT_FALSE(observation.contains("valueQuantity"));
      EXPECT_TRUE(observation.contains("dataAbsentReason"));
    }
  }
}

TEST(FhirTest, NotesBearVersionSignaturesAndEscapedText) {
  const json bundle = Bundle(Full());
  for (const json& note : OfType(bundle, "Composition")) {
    if (note["id"] != "n1") continue;
    EXPECT_EQ(note["status"], "amended");
    EXPECT_EQ(note["meta"]["versionId"], "2");
    EXPECT_EQ(note["attester"].size(), 2u);
    EXPECT_THAT(note["section"][0]["text"]["div"].get<std::string>(),
                HasSubstr("a &amp; b &lt;c&gt;"));
  }
  EXPECT_EQ(OfType(bundle, "Provenance")[0]["target"][0]["reference"], "Composition/n1/_history/2");
}

SampleCase Couple() {
  SampleCase sample = Full();
  sample.MakeConjoint();
  sample.AddEntry("pb", "about: '" + std::string(kPartner) +
                            "' private: true pre_meeting { seen_alone: true text: 'SECRETB' }");
  sample.AddEntry("pt", "private: true review_wish { reason: 'SECRETT' }");
  for (const char* patient : {kPatient, kPartner}) {
    v1::PartnerScreen& screen = sample.file.screens.emplace_back();
    screen.set_name(Name("partnerScreens", patient == kPatient ? "sa" : "sb"));
    screen.set_patient(patient);
    screen.set_text(patient == kPatient ? "SCREENA" : "SCREENB");
  }
  v1::Note& joint = sample.AddNote("nj", 3, "tried: 'JOINT'");
  joint.set_kind(v1::NOTE_KIND_JOINT);
  joint.add_subjects(kPartner);
  v1::Note& alone = sample.AddNote("nb", 4, "tried: 'ALONEB'");
  alone.set_kind(v1::NOTE_KIND_PRIVATE);
  alone.clear_subjects();
  alone.add_subjects(kPartner);
  alone.set_about(kPartner);
  sample.AddForm("fb", "csi-16", {4, 4}, 1, kPartner);
  return sample;
}

TEST(FhirTest, OfACoupleNothingPrivateToTheOtherIsInABundle) {
  const SampleCase sample = Couple();
  const std::string a = MakeFhirBundle(sample.file, {.patient = kPatient}).json;
  for (const char* secret : {"SECRETB", "SECRETT", "SCREENB", "ALONEB", "csi-16", "JOINT"}) {
    EXPECT_EQ(a.find(secret), std::string::npos) << secret;
  }
  EXPECT_THAT(a, HasSubstr("SCREENA"));
  const std::string b = MakeFhirBundle(sample.file, {.patient = kPartner}).json;
  for (const char* secret : {"SECRETT", "SCREENA", "JOINT", "talk without shouting",
                             "because of the dispute", "the children"}) {
    EXPECT_EQ(b.find(secret), std::string::npos) << secret;
  }
  for (const char* own : {"SECRETB", "SCREENB", "ALONEB", "csi-16"}) {
    EXPECT_THAT(b, HasSubstr(own));
  }
}

TEST(FhirTest, AJointNoteGoesWithTheConsentOfItsOtherSubject) {
  SampleCase sample = Couple();
  sample.file.consented = {kPatient};
  EXPECT_THAT(MakeFhirBundle(sample.file, {.patient = kPatient}).json, Not(HasSubstr("JOINT")));
  sample.file.consented = {kPartner};
  EXPECT_THAT(MakeFhirBundle(sample.file, {.patient = kPatient}).json, HasSubstr("JOINT"));
}

TEST(FhirTest, LabelsOfLawTravelWithIt) {
  SampleCase sample = Full();
  EXPECT_THAT(MakeFhirBundle(sample.file, {.patient = kPatient}).json,
              Not(HasSubstr("42CFRPart2")));
  sample.file.labels.add_labels(v1::CASE_LABEL_PART_2);
  EXPECT_THAT(MakeFhirBundle(sample.file, {.patient = kPatient}).json, HasSubstr("42CFRPart2"));
}

TEST(FhirTest, IdsThatFhirDoesNotAllowAreHashed) {
  EXPECT_EQ(FhirId("organizations/acme/patients/p-1.x"), "p-1.x");
  for (const std::string& id : {std::string("p_1"), std::string(100, 'x')}) {
    const std::string hashed = FhirId("organizations/acme/patients/" + id);
    EXPECT_LE(hashed.size(), 64u);
    EXPECT_THAT(hashed, ::testing::StartsWith("h-"));
  }
}

TEST(FhirTest, TextsWithControlCharactersOrBlanksAloneDoNoHarm) {
  EXPECT_EQ(fhir::Clean(" a\x01\x02\n b \t"), "a\n b");
  SampleCase sample = Full();
  sample.AddEntry("x", "out_of_scope_topic { text: '   ' reason: '\\001' }");
  ExpectNoEmpties(Bundle(sample), "");
}

}  // namespace
}  // namespace rapport::notes
