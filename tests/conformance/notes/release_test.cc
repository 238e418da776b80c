#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/notes/v1/release_service.pb.h"
#include "tests/conformance/notes/access_world.h"

namespace rapport::notes::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNotFound[] = "NOT_FOUND RESOURCE_NOT_FOUND";

std::string Told(const Answer& answer) {
  if (answer.status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(answer.status.code()), " ",
                      errors::Reason(answer.status));
}

std::string FaultOf(const Answer& answer) {
  const auto violations = errors::FieldViolations(answer.status);
  return violations.empty() ? Told(answer) : violations.front().field;
}

const sql::Statement kForgeReview{"test.access.forge_review", R"sql(
  UPDATE break_glass SET finding = 1, reviewer = 'x' WHERE organization_id = $1)sql"};
const sql::Statement kForgeReason{"test.access.forge_reason", R"sql(
  UPDATE break_glass SET clinician = 'x' WHERE organization_id = $1)sql"};
const sql::Statement kForgeDecision{"test.access.forge_decision", R"sql(
  UPDATE note_release SET state = 1 WHERE organization_id = $1)sql"};
const sql::Statement kForgeConsent{"test.access.forge_consent", R"sql(
  UPDATE consent SET revoke_time = NULL, purpose = 4 WHERE organization_id = $1)sql"};

class ReleaseTest : public AccessWorld {
 protected:
  static constexpr char kService[] = "rapport.notes.v1.ReleaseService/";
  static constexpr char kNotes[] = "rapport.notes.v1.NoteService/";

  Answer Ask(const Caller& caller, const std::string& method, const Ids& ids,
             const std::string& text = "") {
    return Do(caller, kService + method, ids, text);
  }

  // A signed note of the session, about the whole case or one partner; its id.
  std::string SignedNote(const Caller& author, Ids ids, const std::string& more = "",
                         const std::string& plan = "the plan") {
    ids["note"] = ids["draft"] = Make(author, std::string(kNotes) + "StartNote", ids,
                                      "parent: '$case' appointment: '$appointment' " + more);
    const Answer saved = Do(author, std::string(kNotes) + "SaveDraft", ids,
                            "name: '$note' sequence: 1 content { symptom_event_link: 's' "
                            "focus_kept: FOCUS_KEPT_YES tried: 't' plan: '" +
                                plan + "' }");
    EXPECT_TRUE(saved.status.ok()) << saved.status;
    const Answer signed_note = Do(author, std::string(kNotes) + "SignNote", ids, "name: '$note'");
    EXPECT_TRUE(signed_note.status.ok()) << signed_note.status << Faults(signed_note.status);
    return ids["note"];
  }

  // "note STATE REASON" of each release that `caller` lists.
  std::vector<std::string> Releases(const Caller& caller, const Ids& ids,
                                    const std::string& more = "") {
    const Answer answer = Ask(caller, "ListNoteReleases", ids, "parent: '$case' " + more);
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    std::vector<std::string> told;
    if (!answer.status.ok()) return told;
    for (const v1::NoteRelease& release : answer.as<v1::ListNoteReleasesResponse>().releases()) {
      told.push_back(absl::StrCat(names::Last(release.patient()), " ",
                                  v1::NoteReleaseState_Name(release.state()).substr(19), " ",
                                  v1::NoteReleaseReason_Name(release.reason()).substr(20)));
    }
    return told;
  }

  // The plans that the device of `patient` reads.
  std::vector<std::string> Reads(const std::string& patient, int page_size = 0) {
    const Caller device{patient, "patient_proxy"};
    std::vector<std::string> plans;
    std::string token;
    for (int page = 0; page < 20; ++page) {
      auto request = Request(std::string(kService) + "ListReleasedNotes",
                             {{"organization", "acme"}, {"patient", patient}});
      auto& ask = static_cast<v1::ListReleasedNotesRequest&>(*request);
      ask.set_page_size(page_size);
      ask.set_page_token(token);
      const Answer answer = Call(device, std::string(kService) + "ListReleasedNotes", ask);
      EXPECT_TRUE(answer.status.ok()) << answer.status;
      if (!answer.status.ok()) break;
      const auto& response = answer.as<v1::ListReleasedNotesResponse>();
      for (const v1::ReleasedNote& note : response.released_notes()) {
        std::string plan = note.content().plan();
        for (const std::string& addendum : note.addenda()) absl::StrAppend(&plan, "+", addendum);
        plans.push_back(plan);
      }
      token = response.next_page_token();
      if (token.empty()) break;
    }
    return plans;
  }

  const Ids minor_{{"organization", "acme"}, {"case", "c1"},        {"patient", "pat"},
                   {"clinician", "ada"},     {"appointment", "a1"}, {"protocol", "classic"},
                   {"revision", "1"}};
  const Ids couple_{{"organization", "acme"}, {"case", "c2"},        {"patient", "anna"},
                    {"partner", "bert"},      {"appointment", "j1"}, {"clinician", "ada"}};
  const Ids adult_{{"organization", "acme"},
                   {"case", "c3"},
                   {"patient", "p3"},
                   {"clinician", "cy"},
                   {"appointment", "k1"}};
};

TEST_P(ReleaseTest, AnAdultReadsANoteFromItsSignatureOn) {
  SignedNote(cy_, adult_);
  EXPECT_THAT(Releases(cy_, adult_), ElementsAre("p3 RELEASED ON_SIGNING"));
  EXPECT_THAT(Reads("p3"), ElementsAre("the plan"));
  EXPECT_THAT(Reads("pat"), IsEmpty());
}

TEST_P(ReleaseTest, AMinorsNoteWaitsForItsAuthor) {
  Ids ids = minor_;
  ids["note"] = SignedNote(ada_, ids);
  EXPECT_THAT(Releases(ada_, ids), ElementsAre("pat HELD AWAITS_AUTHOR"));
  EXPECT_THAT(Releases(ada_, ids, "held_only: true"), SizeIs(1));
  EXPECT_THAT(Reads("pat"), IsEmpty());

  const std::string decide = "note: '$note' patient: '$patient' release { ";
  const Answer decided =
      Ask(ada_, "DecideNoteRelease", ids,
          decide +
              "state: NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED "
              "explanation: 'why' } request_id: 'r1'");
  ASSERT_TRUE(decided.status.ok()) << decided.status;
  EXPECT_EQ(decided.as<v1::NoteRelease>().decider(), Clinician("ada"));
  EXPECT_THAT(Reads("pat"), ElementsAre("the plan"));
  EXPECT_THAT(Releases(ada_, ids, "held_only: true"), IsEmpty());

  // A later addendum was not looked at.
  ASSERT_TRUE(
      Do(ada_, std::string(kNotes) + "AddAddendum", ids, "name: '$note' text: 'more'").status.ok());
  EXPECT_THAT(Reads("pat"), ElementsAre("the plan"));

  EXPECT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids,
                     decide + "state: NOTE_RELEASE_STATE_HELD reason: NOTE_RELEASE_REASON_DANGER "
                              "review_date { year: 2026 month: 4 day: 1 } } etag: '0'")),
            "ABORTED STALE_ETAG");
  ASSERT_TRUE(Ask(ada_, "DecideNoteRelease", ids,
                  decide + "state: NOTE_RELEASE_STATE_HELD reason: NOTE_RELEASE_REASON_DANGER "
                           "review_date { year: 2026 month: 4 day: 1 } } etag: '1'")
                  .status.ok());
  EXPECT_THAT(Reads("pat"), IsEmpty());
  EXPECT_EQ(LastEvent<v1::NoteReleaseEvent>(
                absl::StrCat(CaseName("c1"), "/notes/", ids["note"], "/releases/pat"))
                .state(),
            v1::NOTE_RELEASE_STATE_HELD);
}

TEST_P(ReleaseTest, OnlyTheAuthorAndWhoTreatsDecide) {
  Ids ids = minor_;
  ids["note"] = SignedNote(ada_, ids);
  const std::string decide =
      "note: '$note' patient: '$patient' release { state: NOTE_RELEASE_STATE_RELEASED reason: "
      "NOTE_RELEASE_REASON_REVIEWED }";
  EXPECT_EQ(Told(Ask(cy_, "DecideNoteRelease", ids, decide)), kNotFound);
  EXPECT_EQ(Told(Ask({"sue", "therapist"}, "DecideNoteRelease", ids, decide)),
            "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_EQ(Ask(officer_, "DecideNoteRelease", ids, decide).status.code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Told(Ask(bob_, "DecideNoteRelease", ids, decide)), "OK") << "who covers";
  EXPECT_EQ(FaultOf(Ask(ada_, "DecideNoteRelease", ids,
                        "note: '$note' patient: 'organizations/acme/patients/p3' release { state: "
                        "NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED }")),
            "patient");
}

TEST_P(ReleaseTest, ADraftIsNotReleased) {
  Ids ids = minor_;
  ids["note"] = Make(ada_, std::string(kNotes) + "StartNote", ids);
  const std::string decide =
      "note: '$note' patient: '$patient' release { state: NOTE_RELEASE_STATE_RELEASED reason: "
      "NOTE_RELEASE_REASON_REVIEWED }";
  EXPECT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids, decide)),
            "FAILED_PRECONDITION NOTE_NOT_SIGNED");
  EXPECT_EQ(Told(Ask(bob_, "DecideNoteRelease", ids, decide)), kNotFound)
      << "a draft is there for its author alone";
  EXPECT_THAT(Releases(ada_, ids), IsEmpty());
}

TEST_P(ReleaseTest, AJointNoteNeedsTheOthersConsentOrARedaction) {
  Ids ids = couple_;
  ids["note"] = SignedNote(ada_, ids, "kind: NOTE_KIND_JOINT", "of both");
  EXPECT_THAT(Releases(ada_, ids),
              ElementsAre("anna HELD AWAITS_AUTHOR", "bert HELD AWAITS_AUTHOR"));
  const std::string whole =
      "note: '$note' patient: '$patient' release { state: NOTE_RELEASE_STATE_RELEASED reason: "
      "NOTE_RELEASE_REASON_EACH_SUBJECT_CONSENTED }";
  EXPECT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids, whole)),
            "FAILED_PRECONDITION SUBJECTS_NOT_CONSENTED");
  EXPECT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids,
                     "note: '$note' patient: '$partner' release { state: "
                     "NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REDACTED "
                     "redacted_content { plan: 'of Bert alone' } }")),
            "OK");
  EXPECT_THAT(Reads("bert"), ElementsAre("of Bert alone"));
  EXPECT_THAT(Reads("anna"), IsEmpty());

  const std::string consent =
      Make(ada_, std::string(kService) + "CreateConsent", ids,
           "parent: '$case' consent { patient: '$partner' purpose: CONSENT_PURPOSE_JOINT_NOTES }");
  EXPECT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids, whole)), "OK");
  EXPECT_THAT(Reads("anna"), ElementsAre("of both"));

  // Bert takes it back: closed at once.
  ids["consent"] = consent;
  EXPECT_EQ(Told(Ask(ada_, "RevokeConsent", ids)), "OK");
  EXPECT_THAT(Reads("anna"), IsEmpty());
  EXPECT_THAT(Reads("bert"), ElementsAre("of Bert alone"));
  EXPECT_EQ(Told(Ask(ada_, "RevokeConsent", ids)), "FAILED_PRECONDITION ALREADY_REVOKED");
}

TEST_P(ReleaseTest, ThePartnersPrivateNoteIsInNoViewOfTheOthersAndInNoEvent) {
  Ids ids = couple_;
  const std::vector<std::string> before = Events();
  ids["note"] = SignedNote(ada_, ids, "kind: NOTE_KIND_PRIVATE about: '$partner'", "afraid");
  EXPECT_THAT(Releases(ada_, ids), ElementsAre("bert HELD AWAITS_AUTHOR"));
  EXPECT_EQ(FaultOf(Ask(ada_, "DecideNoteRelease", ids,
                        "note: '$note' patient: '$patient' release { state: "
                        "NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED }")),
            "patient");
  EXPECT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids,
                     "note: '$note' patient: '$partner' release { state: "
                     "NOTE_RELEASE_STATE_RELEASED reason: NOTE_RELEASE_REASON_REVIEWED }")),
            "OK");
  EXPECT_THAT(Reads("bert"), ElementsAre("afraid"));
  EXPECT_THAT(Reads("anna"), IsEmpty());
  EXPECT_EQ(Events(), before);
}

TEST_P(ReleaseTest, ASafetyPlanHoldsTheNotesOfItsCase) {
  SignedNote(cy_, adult_);
  Make(cy_, "rapport.notes.v1.CaseService/WriteSafetyPlan", adult_);
  EXPECT_THAT(Releases(cy_, adult_), ElementsAre("p3 HELD AWAITS_AUTHOR"));
  EXPECT_THAT(Reads("p3"), IsEmpty());
}

TEST_P(ReleaseTest, ReleasedNotesArePagedAcrossCases) {
  Ids ids = adult_;
  SignedNote(cy_, ids, "", "one");
  ids["appointment"] = "k2";
  SignedNote(cy_, ids, "", "two");
  TellCourseOf("c9", 1, "cy", "p3", "north");
  TellAppointment("z1", 1, now_ - absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_CHECKED_IN,
                  "c9", "cy");
  ids["case"] = "c9";
  ids["appointment"] = "z1";
  SignedNote(cy_, ids, "", "three");
  const std::vector<std::string> all = Reads("p3");
  EXPECT_THAT(all, ::testing::UnorderedElementsAre("one", "two", "three"));
  EXPECT_EQ(Reads("p3", 1), all);
  EXPECT_EQ(Reads("p3", 2), all);
}

TEST_P(ReleaseTest, ThePatientsViewIsAnAllowlistForTheirOwnDeviceAlone) {
  Make(ada_, "rapport.notes.v1.CaseService/CreateGoal", minor_,
       "parent: '$case' goal { text: 'see friends' realism_reason: 'HIDDEN' measure: 'HIDDEN' }");
  Make(ada_, "rapport.notes.v1.CaseService/WriteFormulation", minor_,
       "parent: '$case' formulation { link: 'agreed' factors: 'HIDDEN' "
       "agreement: AGREEMENT_AGREED }");
  Make(ada_, "rapport.notes.v1.CaseService/CreateRiskAssessment", minor_,
       "parent: '$case' risk_assessment { ideation: 'HIDDEN' }");
  Make(ada_, "rapport.notes.v1.CaseService/WriteSafetyPlan", minor_,
       "parent: '$case' safety_plan { warning_signs: 'sleepless' }");
  const Answer answer = Ask(pat_, "GetPatientView", minor_);
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  const auto& view = answer.as<v1::PatientView>();
  ASSERT_THAT(view.cases(), SizeIs(1));
  const v1::PatientCase& shown = view.cases(0);
  EXPECT_EQ(shown.goals(0).text(), "see friends");
  EXPECT_EQ(shown.formulation().link(), "agreed");
  EXPECT_EQ(shown.safety_plan().warning_signs(0), "sleepless");
  EXPECT_EQ(view.SerializeAsString().find("HIDDEN"), std::string::npos);

  const Answer other = Ask({"p3", "patient_proxy"}, "GetPatientView", minor_);
  Ids absent = minor_;
  absent["patient"] = "nobody";
  EXPECT_EQ(Told(other), kNotFound);
  EXPECT_EQ(other.status, Ask(pat_, "GetPatientView", absent).status);
}

TEST_P(ReleaseTest, NothingOfACouplesViewDependsOnWhatOnePartnerDisclosed) {
  const Answer before = Ask({"anna", "patient_proxy"}, "GetPatientView", couple_);
  ASSERT_TRUE(before.status.ok()) << before.status;
  Make(ada_, "rapport.notes.v1.CaseService/RecordPartnerScreen", couple_,
       "parent: '$case' partner_screen { patient: '$partner' violence: SCREEN_RESULT_POSITIVE }");
  Make(ada_, "rapport.notes.v1.CaseService/WriteSafetyPlan", couple_);
  Ids ids = couple_;
  SignedNote(ada_, ids, "kind: NOTE_KIND_PRIVATE about: '$partner'", "afraid");
  const Answer after = Ask({"anna", "patient_proxy"}, "GetPatientView", couple_);
  EXPECT_EQ(before.response->SerializeAsString(), after.response->SerializeAsString());
  EXPECT_THAT(Reads("anna"), IsEmpty());
}

TEST_P(ReleaseTest, EachGuardianSeesWhatTheirAuthorityAndTheCourtAllow) {
  TellAppointment("private", 1, now_ + absl::Hours(30), scheduling::v1::APPOINTMENT_STATE_BOOKED);
  auto hidden = Text<scheduling::v1::AppointmentEvent>(
      "private_session: true state: APPOINTMENT_STATE_BOOKED");
  hidden.set_course(CourseName("c1"));
  *hidden.mutable_start_time() = time::ToTimestamp(now_ + absl::Hours(77));
  *hidden.mutable_end_time() = time::ToTimestamp(now_ + absl::Hours(78));
  scheduling::v1::PrivateAppointmentEvent whole;
  *whole.mutable_appointment() = hidden;
  Tell("acme", Appointment("secret") + "/private", 1, whole);

  const std::string create =
      "parent: '$patient' guardian { subject: 'gil' authority: "
      "GUARDIAN_AUTHORITY_CUSTODIAL_PARENT contact_permission: "
      "CONTACT_PERMISSION_YES remark: 'seen papers' ";
  Ids ids = minor_;
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), kNotFound) << "not recorded yet";
  ids["guardian"] = Make(ada_, std::string(kService) + "CreateGuardian", ids, create + "}");
  EXPECT_EQ(Told(Ask(ada_, "CreateGuardian", ids, create + "}")), "ALREADY_EXISTS RESOURCE_EXISTS");
  const Answer seen = Ask(guardian_, "GetGuardianView", ids);
  ASSERT_TRUE(seen.status.ok()) << seen.status;
  const auto& view = seen.as<v1::GuardianView>();
  ASSERT_THAT(view.courses(), SizeIs(1));
  EXPECT_EQ(view.courses(0).clinician(), Clinician("ada"));
  EXPECT_THAT(view.courses(0).sessions(), SizeIs(3));
  for (const v1::GuardianSession& session : view.courses(0).sessions()) {
    EXPECT_NE(time::ToTime(session.start_time()), now_ + absl::Hours(77)) << "a private session";
  }
  EXPECT_EQ(Told(Ask({"else", "guardian_proxy"}, "GetGuardianView", ids)), kNotFound);

  const std::string update =
      "guardian { subject: 'gil' authority: GUARDIAN_AUTHORITY_CUSTODIAL_PARENT "
      "contact_permission: CONTACT_PERMISSION_NO ";
  ASSERT_EQ(Told(Ask(ada_, "UpdateGuardian", ids,
                     update + "court_limits: COURT_LIMIT_NO_WHEREABOUTS } etag: '1'")),
            "OK");
  const Answer limited = Ask(guardian_, "GetGuardianView", ids);
  ASSERT_TRUE(limited.status.ok()) << limited.status;
  EXPECT_THAT(limited.as<v1::GuardianView>().courses(0).sessions(), IsEmpty());
  EXPECT_EQ(limited.as<v1::GuardianView>().courses(0).clinic(), "");
  ASSERT_EQ(
      Told(Ask(ada_, "UpdateGuardian", ids, update + "court_limits: COURT_LIMIT_NO_INFORMATION }")),
      "OK");
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), kNotFound);
  EXPECT_EQ(Told(Ask(officer_, "ListGuardians", ids)), "OK");
  EXPECT_EQ(Told(Ask(cy_, "ListGuardians", ids)), kNotFound);
}

TEST_P(ReleaseTest, AGuardiansViewEndsWithTheDayOfConsentUnlessTheMinorConsents) {
  Ids ids = minor_;
  Make(ada_, std::string(kService) + "CreateGuardian", ids,
       "parent: '$patient' guardian { subject: 'gil' authority: GUARDIAN_AUTHORITY_COURT_APPOINTED "
       "}");
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), "OK");
  TellCourseOf("c1", 3, "ada", "pat", "north",
               "majority_on { year: 2030 month: 1 day: 1 } "
               "may_consent_from { year: 2026 month: 3 day: 4 }");
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), kNotFound);
  ids["consent"] = Make(
      ada_, std::string(kService) + "CreateConsent", ids,
      "parent: '$case' consent { patient: '$patient' purpose: CONSENT_PURPOSE_GUARDIAN_VIEW }");
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), "OK");
  ASSERT_EQ(Told(Ask(ada_, "RevokeConsent", ids)), "OK");
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), kNotFound);
  TellCourseOf("c1", 4, "ada", "pat", "north");
  EXPECT_EQ(Told(Ask(guardian_, "GetGuardianView", ids)), kNotFound) << "without dates it is off";
}

constexpr char kEmergency[] =
    "parent: '$case' break_glass { purpose: BREAK_GLASS_PURPOSE_IMMINENT_RISK reason: 'SECRET OF "
    "THE PATIENT' duration { seconds: 600 } }";

TEST_P(ReleaseTest, BrokenGlassReadsForItsTimeAndThePrivacyOfficerReviews) {
  Ids ids = minor_;
  ids["note"] = SignedNote(ada_, ids);
  ids["appointment"] = "a2";
  const std::string draft = Make(ada_, std::string(kNotes) + "StartNote", ids);
  const auto get_note = [&](const std::string& id) {
    Ids of = ids;
    of["note"] = id;
    return Told(Do(eve_, std::string(kNotes) + "GetNote", of, "name: '$note'"));
  };
  EXPECT_EQ(get_note(ids["note"]), kNotFound);
  EXPECT_EQ(Told(Call(eve_, std::string(kService) + "OpenBreakGlass",
                      *Request(std::string(kService) + "OpenBreakGlass", ids, kEmergency), false)),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
  ids["break_glass"] = Make(eve_, std::string(kService) + "OpenBreakGlass", ids, kEmergency);
  EXPECT_EQ(Told(Ask(eve_, "OpenBreakGlass", ids, kEmergency)), "FAILED_PRECONDITION ALREADY_OPEN");
  EXPECT_EQ(Told(Ask(ada_, "OpenBreakGlass", ids, kEmergency)), "FAILED_PRECONDITION ALREADY_OPEN")
      << "it is her case";

  EXPECT_EQ(get_note(ids["note"]), "OK");
  EXPECT_THAT(purpose_, HasSubstr(ids["break_glass"])) << "the audit entry says by what";
  EXPECT_EQ(get_note(draft), kNotFound);
  EXPECT_EQ(Told(Do(eve_, "rapport.notes.v1.CaseService/GetCase", ids, "name: '$case'")), "OK");
  EXPECT_EQ(Told(Do(eve_, "rapport.notes.v1.CaseService/CreateGoal", ids)),
            "PERMISSION_DENIED BREAK_GLASS_READS_ONLY");
  EXPECT_EQ(Told(Do(eve_, std::string(kNotes) + "AddAddendum", ids, "name: '$note'")),
            "PERMISSION_DENIED BREAK_GLASS_READS_ONLY");
  EXPECT_EQ(Told(Do(eve_, "rapport.notes.v1.PsychotherapyNoteService/ListPsychotherapyNotes", ids)),
            "PERMISSION_DENIED BREAK_GLASS_READS_ONLY");

  // The officer is told at once, without text in the event.
  const std::string name = absl::StrCat(CaseName("c1"), "/breakGlasses/", ids["break_glass"]);
  EXPECT_EQ(LastEvent<v1::BreakGlassEvent>(name).clinician(), Clinician("eve"));
  Events();
  const Answer queue = Ask(officer_, "ListBreakGlasses", ids);
  ASSERT_TRUE(queue.status.ok()) << queue.status;
  ASSERT_THAT(queue.as<v1::ListBreakGlassesResponse>().break_glasses(), SizeIs(1));
  EXPECT_EQ(queue.as<v1::ListBreakGlassesResponse>().break_glasses(0).reason(), kSecret);
  ASSERT_EQ(Told(Ask(officer_, "ReviewBreakGlass", ids,
                     "review { finding: BREAK_GLASS_FINDING_JUSTIFIED remark: 'seen' }")),
            "OK");
  EXPECT_THAT(
      Ask(officer_, "ListBreakGlasses", ids).as<v1::ListBreakGlassesResponse>().break_glasses(),
      IsEmpty());
  EXPECT_THAT(Ask(officer_, "ListBreakGlasses", ids, "include_reviewed: true")
                  .as<v1::ListBreakGlassesResponse>()
                  .break_glasses(),
              SizeIs(1));
  EXPECT_EQ(Told(Ask(officer_, "ReviewBreakGlass", ids)), "FAILED_PRECONDITION ALREADY_REVIEWED");

  now_ += absl::Minutes(10);
  EXPECT_EQ(get_note(ids["note"]), kNotFound) << "its time is over";
}

TEST_P(ReleaseTest, BrokenGlassEndsWhenItsOpenerSaysSo) {
  Ids ids = minor_;
  ids["break_glass"] = Make(eve_, std::string(kService) + "OpenBreakGlass", ids, kEmergency);
  EXPECT_EQ(Told(Ask(cy_, "EndBreakGlass", ids)), kNotFound);
  EXPECT_EQ(Told(Ask(eve_, "EndBreakGlass", ids)), "OK");
  EXPECT_EQ(Told(Ask(eve_, "EndBreakGlass", ids)), "OK");
  EXPECT_EQ(Told(Do(eve_, "rapport.notes.v1.CaseService/GetCase", ids, "name: '$case'")),
            kNotFound);
  EXPECT_EQ(Told(Do(cy_, "rapport.notes.v1.CaseService/GetCase", ids, "name: '$case'")), kNotFound)
      << "opened to her, not to all";
}

TEST_P(ReleaseTest, BreakingTheGlassOfWhatIsNotThereTellsNothing) {
  Ids absent = minor_;
  absent["case"] = "nowhere";
  Ids foreign = minor_;
  foreign["organization"] = "beta";
  const Answer one = Ask(eve_, "OpenBreakGlass", absent, kEmergency);
  EXPECT_EQ(Told(one), kNotFound);
  EXPECT_EQ(one.status, Ask(eve_, "OpenBreakGlass", foreign, kEmergency).status);
  EXPECT_EQ(FaultOf(Ask(eve_, "OpenBreakGlass", minor_,
                        "parent: '$case' break_glass { reason: 'r' duration { seconds: 3601 } }")),
            "break_glass.duration");
}

TEST_P(ReleaseTest, TheDatabaseKeepsWhatWasDecided) {
  Ids ids = minor_;
  ids["note"] = SignedNote(ada_, ids);
  ids["break_glass"] = Make(eve_, std::string(kService) + "OpenBreakGlass", ids, kEmergency);
  EXPECT_FALSE(Run(kForgeReason, {sql::Text("acme")}).ok());
  ASSERT_EQ(Told(Ask(officer_, "ReviewBreakGlass", ids)), "OK");
  EXPECT_FALSE(Run(kForgeReview, {sql::Text("acme")}).ok());
  Make(ada_, std::string(kService) + "CreateConsent", ids,
       "parent: '$case' consent { purpose: CONSENT_PURPOSE_RESEARCH }");
  EXPECT_FALSE(Run(kForgeConsent, {sql::Text("acme")}).ok());
  ASSERT_EQ(Told(Ask(ada_, "DecideNoteRelease", ids,
                     "note: '$note' patient: '$patient' release { state: NOTE_RELEASE_STATE_HELD "
                     "reason: NOTE_RELEASE_REASON_MINOR review_date { year: 2026 month: 4 day: 1 } "
                     "}")),
            "OK");
  EXPECT_FALSE(Run(kForgeDecision, {sql::Text("acme")}).ok());
}

TEST_P(ReleaseTest, ALabelOfLawTravelsWithWhatThePatientSees) {
  SignedNote(cy_, adult_);
  EXPECT_EQ(Told(Ask(cy_, "SetCaseLabels", adult_,
                     "name: '$case' labels: CASE_LABEL_PART_2 "
                     "labels: CASE_LABEL_PART_2")),
            "INVALID_ARGUMENT INVALID_FIELD");
  const std::vector<std::string> before = Events();
  ASSERT_EQ(Told(Ask(officer_, "SetCaseLabels", adult_,
                     "name: '$case' labels: CASE_LABEL_PART_2 request_id: 'r'")),
            "OK");
  EXPECT_EQ(Told(Ask(officer_, "SetCaseLabels", adult_,
                     "name: '$case' labels: CASE_LABEL_PART_2 request_id: 'r'")),
            "OK");
  EXPECT_EQ(Events(), before) << "the label itself tells of the patient";
  const Answer labels = Ask(cy_, "GetCaseLabels", adult_);
  ASSERT_TRUE(labels.status.ok()) << labels.status;
  EXPECT_THAT(labels.as<v1::CaseLabels>().redisclosure_notice(), HasSubstr("42 CFR part 2"));
  const Answer notes = Ask({"p3", "patient_proxy"}, "ListReleasedNotes", adult_);
  ASSERT_TRUE(notes.status.ok()) << notes.status;
  EXPECT_THAT(notes.as<v1::ListReleasedNotesResponse>().released_notes(0).redisclosure_notice(),
              HasSubstr("42 CFR part 2"));
}

TEST_P(ReleaseTest, ConsentsAreOfTheCasesPatientsAndEnd) {
  EXPECT_EQ(FaultOf(Ask(ada_, "CreateConsent", minor_,
                        "parent: '$case' consent { patient: 'organizations/acme/patients/p3' }")),
            "consent.patient");
  EXPECT_EQ(FaultOf(Ask(ada_, "CreateConsent", minor_,
                        "parent: '$case' consent { purpose: CONSENT_PURPOSE_DISCLOSURE }")),
            "consent.recipient");
  const std::string disclosure =
      "parent: '$case' consent { purpose: CONSENT_PURPOSE_DISCLOSURE recipient: 'SECRET OF THE "
      "PATIENT' scope: 's' expire_time { seconds: 1772640600 } } request_id: 'once'";
  const std::string id =
      Make(officer_, std::string(kService) + "CreateConsent", minor_, disclosure);
  EXPECT_EQ(Make(officer_, std::string(kService) + "CreateConsent", minor_, disclosure), id);
  Events();
  const Answer listed = Ask(ada_, "ListConsents", minor_);
  ASSERT_TRUE(listed.status.ok()) << listed.status;
  ASSERT_THAT(listed.as<v1::ListConsentsResponse>().consents(), SizeIs(1));
  EXPECT_EQ(listed.as<v1::ListConsentsResponse>().consents(0).recipient(), kSecret);
  EXPECT_EQ(listed.as<v1::ListConsentsResponse>().consents(0).state(), v1::CONSENT_STATE_ACTIVE);
  now_ += absl::Hours(1);
  EXPECT_EQ(Ask(ada_, "ListConsents", minor_).as<v1::ListConsentsResponse>().consents(0).state(),
            v1::CONSENT_STATE_EXPIRED);
}

INSTANTIATE_TEST_SUITE_P(Engines, ReleaseTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
