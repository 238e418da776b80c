#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_FHIR_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_FHIR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "rapport/notes/v1/export.pb.h"
#include "services/notes/domain/case_file.h"

// One patient's record as FHIR R4 (4.0.1), hl7.org/fhir/R4.
namespace rapport::notes {

struct FhirChoice {
  std::string patient;  // whose record
  bool include_inventory = false;
  bool without_notes = false;
};

struct FhirBundle {
  std::string json;  // UTF-8
  int resources = 0;
  std::vector<v1::ExportOmission> omissions;
};

// The bundle of type collection. Resources stand in the order below, each kind in the file's order,
// so that the same file gives the same bytes. Ids are those of the suite's names where FHIR allows
// them, else made of their hash; `fullUrl`s lie below
// "https://rapport.invalid/fhir/{organization}".
//
//   Organization, Practitioner, Patient; RelatedPerson and QuestionnaireResponse (the inventory)
//   Condition (diagnoses, additional issues), EpisodeOfCare, CareTeam, CarePlan (the course), Goal
//   Appointment, Encounter; QuestionnaireResponse and Observation (forms and scores)
//   Observation (timeline, safety), MedicationStatement, ServiceRequest, RiskAssessment, CarePlan
//   (safety plan, relapse plan), ClinicalImpression (determination, formulation), Consent
//   Composition (the rest of the case file; signed notes and their addenda), Provenance
//   (signatures)
//
// Never in it: drafts, voided entries, what is private to the other of a couple or to those who
// treat, psychotherapy notes. A joint note is in it iff each other subject has consented. What the
// identified patient of a couple alone is told of (goals, formulation, risk) is not in the
// partner's.
FhirBundle MakeFhirBundle(const CaseFile& file, const FhirChoice& choice);

// `name`'s id as a FHIR id: 1 to 64 letters, digits, '-' and '.'.
std::string FhirId(absl::string_view name);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_FHIR_H_
