#ifndef RAPPORT_TESTS_CONFORMANCE_NOTES_ACCESS_METHODS_H_
#define RAPPORT_TESTS_CONFORMANCE_NOTES_ACCESS_METHODS_H_

#include <string>
#include <vector>

#include "tests/conformance/notes/access_world.h"

// Every method of the notes service: whom it lets know of what, and a request that it takes. A
// method without a row here fails the matrix and the canaries.
namespace rapport::notes::testing {

// What a method is about; decides who is allowed (A), denied (D), or shall not know of it (H).
enum class Kind {
  kCase,             // reads a case: who treats A, who supervises A
  kCaseWrite,        // A, D
  kNote,             // reads a signed note: A, A
  kNoteWrite,        // adds to a signed note: A, D
  kDraft,            // of the author's draft: A, H
  kCosign,           // of a supervisor: D, A
  kPsychotherapy,    // of its author's: A, H
  kDisclosure,       // reads consents and the like: A, A, privacy officer A
  kDisclosureWrite,  // A, D, privacy officer A
  kPatientView,      // of the patient's own device
  kGuardianView,     // of a guardian's device
  kGlassOpen,        // any clinician, any case of the organisation
  kGlassEnd,         // who opened it
  kOfficer,          // privacy officer, whatever is of the organisation
  kService,          // of services on a user's behalf: who treats A, who supervises A
  kTherapistFirst,   // A; who supervises as it is shared
  kOrganization,     // bound to the organisation alone
};

struct MethodRow {
  std::string method;
  Kind kind;
  // What a request needs besides what its fields declare; see WithIds.
  std::string text = "";
  bool couple = false;  // its object is of the couple's case
  // Who is let through, for the canaries; empty: by kind.
  std::string by = "";
};

inline const std::vector<MethodRow>& MethodRows() {
  static const auto& rows = *new std::vector<MethodRow>{
      {"CaseService/GetCase", Kind::kCase},
      {"CaseService/ListCases", Kind::kOrganization},
      {"CaseService/SignDetermination", Kind::kCaseWrite},
      {"CaseService/ReopenDetermination", Kind::kCaseWrite},
      {"CaseService/ListDeterminations", Kind::kCase},
      {"CaseService/SetProblemAreas", Kind::kCaseWrite,
       "problem_areas { kind: PROBLEM_AREA_KIND_ROLE_TRANSITION rank: FOCUS_RANK_PRIMARY } "
       "# skip why_no_other, person"},
      {"CaseService/WriteFormulation", Kind::kCaseWrite},
      {"CaseService/ListFormulations", Kind::kCase},
      {"CaseService/CreateGoal", Kind::kCaseWrite},
      {"CaseService/ReviseGoal", Kind::kCaseWrite, "appointment: ''"},
      {"CaseService/GetGoal", Kind::kCase},
      {"CaseService/ListGoals", Kind::kCase},
      {"CaseService/RecordPartnerScreen", Kind::kCaseWrite,
       "partner_screen { violence: SCREEN_RESULT_POSITIVE }", true},
      {"CaseService/CountersignPartnerScreen", Kind::kCase, "", true, "sue"},
      {"CaseService/ListPartnerScreens", Kind::kCase, "", true},
      {"CaseService/CreateRiskAssessment", Kind::kCaseWrite},
      {"CaseService/GetRiskAssessment", Kind::kCase},
      {"CaseService/ListRiskAssessments", Kind::kCase},
      {"CaseService/WriteSafetyPlan", Kind::kCaseWrite},
      {"CaseService/GetSafetyPlan", Kind::kCase},

      {"CaseEntryService/CreateEntry", Kind::kCaseWrite, "entry { hope {} }"},
      {"CaseEntryService/ReviseEntry", Kind::kCaseWrite, "entry { hope {} }"},
      {"CaseEntryService/VoidEntry", Kind::kCaseWrite},
      {"CaseEntryService/GetEntry", Kind::kCase},
      {"CaseEntryService/ListEntries", Kind::kCase},
      {"CaseEntryService/ListEntryRevisions", Kind::kCase},
      {"CaseEntryService/GetClosingObstacles", Kind::kCase},

      {"CaseReviewService/AdviseSuitability", Kind::kCase},
      {"CaseReviewService/GetSessionBrief", Kind::kCase},
      {"CaseReviewService/GetMoodEventTimeline", Kind::kCase},
      {"CaseReviewService/GetClosenessCircles", Kind::kCase},
      {"ExportService/ExportCase", Kind::kCase},
      {"ExportService/ExportCaseInPages", Kind::kCase},
      {"ExportService/RenderCaseSummary", Kind::kCase},
      {"ExportService/RenderBooklet", Kind::kCase},

      {"NoteService/StartNote", Kind::kCaseWrite, "appointment: '$next_appointment'"},
      {"NoteService/DocumentGroupSession", Kind::kOrganization,
       "shared { links { date { year: 2026 } } } "
       "members { appointment: 'organizations/$$organization/appointments/ga1' "
       "content { links { date { year: 2026 } } } }"},
      {"NoteService/SaveDraft", Kind::kDraft,
       "name: '$draft' sequence: 9 base_sequence: 1 content { links { date { year: 2026 } } }"},
      {"NoteService/ListDraftCopies", Kind::kDraft, "parent: '$draft'"},
      {"NoteService/CheckPrefill", Kind::kNote, "name: '$note'"},
      {"NoteService/GetNote", Kind::kNote, "name: '$note'"},
      {"NoteService/ListNotes", Kind::kCase},
      {"NoteService/SignNote", Kind::kDraft, "name: '$draft'"},
      {"NoteService/RequestCosign", Kind::kNoteWrite, "name: '$note'"},
      {"NoteService/CosignNote", Kind::kCosign, "name: '$note'"},
      {"NoteService/ReturnForRevision", Kind::kCosign, "name: '$note'"},
      {"NoteService/AddAddendum", Kind::kNoteWrite, "name: '$note'"},
      {"NoteService/AmendNote", Kind::kNoteWrite, "name: '$note'"},
      {"NoteService/ListNoteVersions", Kind::kNote, "parent: '$note'"},
      {"NoteService/DiffNoteVersions", Kind::kNote, "name: '$note' from_version: 1 to_version: 1"},
      {"NoteService/VerifyNote", Kind::kNote, "name: '$note'"},
      {"NoteService/ListSigningKeys", Kind::kOrganization},
      {"NoteService/ListDueNotes", Kind::kOrganization},
      {"NoteService/GetTimeliness", Kind::kOrganization},
      {"NoteTemplateService/CreateNoteTemplateRevision", Kind::kOrganization},
      {"NoteTemplateService/GetNoteTemplate", Kind::kOrganization,
       "name: 'organizations/$$organization/clinicians/ada/noteTemplates/own/revisions/1'"},
      {"NoteTemplateService/ListNoteTemplates", Kind::kOrganization},
      {"NotePolicyService/GetNotePolicy", Kind::kOrganization},
      {"NotePolicyService/UpdateNotePolicy", Kind::kOrganization},
      {"NotePolicyService/UpdateCosignPolicy", Kind::kOrganization},
      {"NotePolicyService/ListCosignPolicies", Kind::kOrganization},

      {"PsychotherapyNoteService/CreatePsychotherapyNote", Kind::kCaseWrite,
       "psychotherapy_note { appointment: '' }"},
      {"PsychotherapyNoteService/UpdatePsychotherapyNote", Kind::kPsychotherapy},
      {"PsychotherapyNoteService/GetPsychotherapyNote", Kind::kPsychotherapy},
      {"PsychotherapyNoteService/ListPsychotherapyNotes", Kind::kCaseWrite},
      {"PsychotherapyNoteService/ReleasePsychotherapyNote", Kind::kPsychotherapy,
       "release { basis: PSYCHOTHERAPY_RELEASE_BASIS_SERIOUS_THREAT recipient: '' }"},
      {"PsychotherapyNoteService/RevokePsychotherapyRelease", Kind::kPsychotherapy},
      {"PsychotherapyNoteService/ListPsychotherapyReleases", Kind::kPsychotherapy},

      {"ReleaseService/CreateConsent", Kind::kDisclosureWrite},
      {"ReleaseService/RevokeConsent", Kind::kDisclosureWrite},
      {"ReleaseService/ListConsents", Kind::kDisclosure},
      {"ReleaseService/DecideNoteRelease", Kind::kNoteWrite,
       "note: '$note' release { state: NOTE_RELEASE_STATE_RELEASED "
       "reason: NOTE_RELEASE_REASON_REDACTED redacted_content {} }"},
      {"ReleaseService/ListNoteReleases", Kind::kDisclosure},
      {"ReleaseService/ListReleasedNotes", Kind::kPatientView},
      {"ReleaseService/GetPatientView", Kind::kPatientView},
      {"ReleaseService/CreateGuardian", Kind::kDisclosureWrite, "guardian { subject: 'new' }"},
      {"ReleaseService/UpdateGuardian", Kind::kDisclosureWrite, "guardian { subject: 'gil' }"},
      {"ReleaseService/ListGuardians", Kind::kDisclosure},
      {"ReleaseService/GetGuardianView", Kind::kGuardianView},
      {"ReleaseService/OpenBreakGlass", Kind::kGlassOpen, "", false, "cy"},
      {"ReleaseService/EndBreakGlass", Kind::kGlassEnd, "", false, "eve"},
      {"ReleaseService/ListBreakGlasses", Kind::kOrganization, "", false, "officer"},
      {"ReleaseService/ReviewBreakGlass", Kind::kOfficer},
      {"ReleaseService/SetCaseLabels", Kind::kDisclosureWrite},
      {"ReleaseService/GetCaseLabels", Kind::kDisclosure},

      {"FidelityService/GetSessionFidelity", Kind::kTherapistFirst, "name: '$note'"},
      {"FidelityService/GetCourseFidelity", Kind::kTherapistFirst},
      {"FidelityService/RateSession", Kind::kNote,
       "parent: '$note' rating { criteria { criterion: 'score-used' } }"},
      {"FidelityService/ShareFidelity", Kind::kCaseWrite},
      {"FidelityService/GetFidelityPolicy", Kind::kOrganization},
      {"FidelityService/SetFidelityPolicy", Kind::kOrganization},
      {"SupervisionService/ListCaseload", Kind::kOrganization},
      {"SupervisionService/LogSupervisionSession", Kind::kOrganization,
       "supervision_session { supervisor: '$supervisor' start_time { seconds: 1772636400 } }"},
      {"SupervisionService/ConfirmSupervisionSession", Kind::kOrganization},
      {"SupervisionService/VoidSupervisionSession", Kind::kCosign},
      {"SupervisionService/GetSupervisionSession", Kind::kOrganization},
      {"SupervisionService/ListSupervisionSessions", Kind::kOrganization},
      {"SupervisionService/RegisterRecording", Kind::kOrganization},
      {"SupervisionService/WithdrawRecordingConsent", Kind::kOrganization},
      {"SupervisionService/ConfirmRecordingDeletion", Kind::kOrganization},
      {"SupervisionService/GetRecording", Kind::kOrganization},
      {"SupervisionService/ListRecordings", Kind::kOrganization},
      {"SupervisionService/CommitRecordingSelection", Kind::kCosign},
      {"SupervisionService/DrawRecordingSelection", Kind::kOrganization},
      {"SupervisionService/GetRecordingSelection", Kind::kOrganization},
      {"SupervisionService/ListRecordingSelections", Kind::kCase},
      {"SupervisionService/GetPortfolio", Kind::kOrganization},
      {"SupervisionService/ExportPortfolio", Kind::kOrganization},

      {"SuitabilityService/CheckSuitability", Kind::kService},

      {"PrivacyService/PlaceHold", Kind::kOrganization, "", false, "officer"},
      {"PrivacyService/ReleaseHold", Kind::kOfficer},
      {"PrivacyService/ListHolds", Kind::kOrganization, "", false, "officer"},
      {"PrivacyService/ErasePatient", Kind::kOrganization,
       "patient: 'organizations/$$organization/patients/gone'", false, "officer"},
      {"PrivacyService/GetErasure", Kind::kOrganization, "", false, "officer"},
      {"PrivacyService/ListErasures", Kind::kOrganization, "", false, "officer"},

      {"AuditService/ListAuditEntries", Kind::kOrganization},
      {"AuditService/ExportAuditEvents", Kind::kOrganization},
      {"AuditService/GetSignedHead", Kind::kOrganization},
      {"AuditService/GetInclusionProof", Kind::kOrganization},
      {"AuditService/GetConsistencyProof", Kind::kOrganization},
      {"AuditService/VerifyAudit", Kind::kOrganization},
  };
  return rows;
}

inline const MethodRow* RowOf(absl::string_view full_method) {
  for (const MethodRow& row : MethodRows()) {
    if (absl::EndsWith(full_method, absl::StrCat(".", row.method))) return &row;
  }
  return nullptr;
}

// A world whose cases hold one of everything.
class FilledWorld : public AccessWorld {
 protected:
  FilledWorld() {
    own_ = Seed(ada_, {{"organization", "acme"},
                       {"case", "c1"},
                       {"course", "c1"},
                       {"patient", "pat"},
                       {"clinician", "ada"},
                       {"supervisor", "sue"},
                       {"appointment", "a1"},
                       {"second", "a2"},
                       {"clinic", "north"}});
    same_clinic_ = Seed(cy_, {{"organization", "acme"},
                              {"case", "c3"},
                              {"course", "c3"},
                              {"patient", "p3"},
                              {"clinician", "cy"},
                              {"appointment", "k1"},
                              {"second", "k2"},
                              {"clinic", "north"}});
    other_clinic_ = Seed(dee_, {{"organization", "acme"},
                                {"case", "c4"},
                                {"course", "c4"},
                                {"patient", "p4"},
                                {"clinician", "dee"},
                                {"appointment", "m1"},
                                {"second", "m2"},
                                {"clinic", "south"}});
    own_["supervision_session"] = Make(
        ada_, "rapport.notes.v1.SupervisionService/LogSupervisionSession", own_,
        "supervision_session { supervisor: '$supervisor' start_time { seconds: 1772632800 } }");
    TellCourseOf("c6", 1, "ada", "gus", "north",
                 "kind: COURSE_KIND_GROUP group: 'organizations/acme/groups/g1'");
    scheduling::v1::AppointmentEvent of_group;
    of_group.set_course(CourseName("c6"));
    of_group.set_clinician(Clinician("ada"));
    of_group.set_patient("organizations/acme/patients/gus");
    *of_group.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(2));
    *of_group.mutable_end_time() = time::ToTimestamp(now_ - absl::Hours(1));
    of_group.set_state(scheduling::v1::APPOINTMENT_STATE_CHECKED_IN);
    of_group.set_counts_towards_course(true);
    of_group.set_group_session("organizations/acme/groups/g1/sessions/g1");
    Tell("acme", Appointment("ga1"), 1, of_group);
    couple_ = own_;
    couple_["case"] = couple_["course"] = "c2";
    couple_["patient"] = "anna";
    couple_["partner"] = "bert";
    couple_["appointment"] = "j1";
    couple_["partner_screen"] = Make(ada_, kCases + "RecordPartnerScreen", couple_,
                                     "partner_screen { violence: SCREEN_RESULT_POSITIVE }");
    other_organization_ = own_;
    other_organization_["organization"] = "beta";
    for (const auto& [variable, id] : own_) absent_[variable] = "01absent";
    absent_["organization"] = "acme";
    for (Ids* ids :
         {&own_, &same_clinic_, &other_clinic_, &couple_, &other_organization_, &absent_}) {
      (*ids)["protocol"] = "classic";
      (*ids)["revision"] = "1";
      (*ids)["group"] = (*ids)["session"] = "g1";
      (*ids)["index"] = "0";
    }
  }

  // One of everything in the case of `therapist`.
  Ids Seed(const Caller& therapist, Ids ids) {
    const std::string notes = "rapport.notes.v1.NoteService/";
    const std::string apart = "rapport.notes.v1.PsychotherapyNoteService/";
    const std::string releases = "rapport.notes.v1.ReleaseService/";
    ids["protocol"] = "classic";
    ids["revision"] = "1";
    ids["next_appointment"] = ids["second"];
    ids["goal"] = Make(therapist, kCases + "CreateGoal", ids);
    ids["determination"] = Make(therapist, kCases + "SignDetermination", ids);
    ids["risk_assessment"] = Make(therapist, kCases + "CreateRiskAssessment", ids);
    Make(therapist, kCases + "WriteSafetyPlan", ids);
    Make(therapist, kCases + "WriteFormulation", ids);
    ids["partner_screen"] = "none";
    if (methods_.count("rapport.notes.v1.CaseEntryService/CreateEntry") > 0) {
      ids["entry"] = Make(therapist, "rapport.notes.v1.CaseEntryService/CreateEntry", ids,
                          "entry { hope {} }");
    }
    ids["note"] = Make(therapist, notes + "StartNote", ids);
    constexpr char kContent[] =
        "sequence: 1 content { symptom_event_link: 's' focus_kept: FOCUS_KEPT_YES tried: 't' "
        "plan: 'p' }";
    Make(therapist, notes + "SaveDraft", ids, absl::StrCat("name: '$note' ", kContent));
    Make(therapist, notes + "SignNote", ids, "name: '$note'");
    ids["draft"] = Make(therapist, notes + "StartNote", ids, "appointment: '$next_appointment'");
    Make(therapist, notes + "SaveDraft", ids, absl::StrCat("name: '$draft' ", kContent));
    ids["psychotherapy_note"] = Make(therapist, apart + "CreatePsychotherapyNote", ids);
    ids["psychotherapy_release"] = Make(
        therapist, apart + "ReleasePsychotherapyNote", ids,
        "release { basis: PSYCHOTHERAPY_RELEASE_BASIS_SERIOUS_THREAT outside_recipient: 'o' }");
    ids["consent"] = Make(therapist, releases + "CreateConsent", ids);
    ids["guardian"] =
        Make(therapist, releases + "CreateGuardian", ids, "guardian { subject: 'gil' }");
    ids["break_glass"] = Make(eve_, releases + "OpenBreakGlass", ids);
    ids["legal_hold"] = Make(officer_, "rapport.common.v1.PrivacyService/PlaceHold", ids,
                             "legal_hold { patient: 'organizations/acme/patients/kept' }");
    ids["erasure"] = "none";
    return ids;
  }

  const std::string kCases = "rapport.notes.v1.CaseService/";
  Ids own_, same_clinic_, other_clinic_, couple_, other_organization_, absent_;
};

}  // namespace rapport::notes::testing

#endif  // RAPPORT_TESTS_CONFORMANCE_NOTES_ACCESS_METHODS_H_
