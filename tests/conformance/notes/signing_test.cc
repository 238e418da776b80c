// Signatures, versions, supervisors, group and couple notes. Tests that are named after a fault say
// in a comment what others shipped.
#include <thread>

#include "common/names/names.h"
#include "services/notes/domain/signatures.h"
#include "tests/conformance/notes/note_fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const sql::Statement kForgeWord{"test.notes.forge_word", R"sql(
  INSERT INTO note_cosignature (organization_id, case_id, note_id, version, kind, clinician,
                                sign_time, subject, document)
  VALUES ($1, 'c9', $2, 1, 1, 'x', 1, 'x', $3))sql"};
const sql::Statement kShred{"test.notes.shred", R"sql(
  UPDATE data_key SET wrapped = NULL, wrapping_key = '', shred_time = 1
  WHERE organization_id = $1 AND subject = $2)sql"};
const sql::Statement kTexts{"test.notes.texts", R"sql(
  SELECT document FROM note_version WHERE organization_id = $1
  UNION ALL SELECT document FROM note_draft WHERE organization_id = $1
  UNION ALL SELECT document FROM note_draft_copy WHERE organization_id = $1
  UNION ALL SELECT document FROM note_prefill WHERE organization_id = $1
  UNION ALL SELECT document FROM note_addendum WHERE organization_id = $1
  UNION ALL SELECT document FROM note_cosignature WHERE organization_id = $1
  UNION ALL SELECT head FROM session_note WHERE organization_id = $1
  UNION ALL SELECT signature FROM note_version WHERE organization_id = $1)sql"};

class SigningTest : public NoteTest {
 protected:
  // Tina is in training, and Sue supervises her; Tina treats in course c9, session t1 is held.
  void Train(int version = 1) {
    Tell("acme", Clinician("tina"), 1,
         Text<scheduling::v1::ClinicianEvent>(
             "subject: 'tina' trainee: true licence_expire_date { year: 2030 month: 1 day: 1 }"));
    Tell("acme", Clinician("sue"), 1,
         Text<scheduling::v1::ClinicianEvent>(
             "subject: 'sue' licence_expire_date { year: 2030 month: 1 day: 1 }"));
    Supervise("sue", "tina", version);
    TellCourse("c9", 1, "tina");
    TellAppointment("t1", 1, now_ - absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_COMPLETED,
                    "c9", "tina");
  }
  void Supervise(const std::string& supervisor, const std::string& supervisee, int64_t version,
                 bool ended = false) {
    scheduling::v1::SupervisionEvent pair;
    pair.set_supervisor(Clinician(supervisor));
    pair.set_supervisee(Clinician(supervisee));
    *pair.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(100));
    if (ended) *pair.mutable_end_time() = time::ToTimestamp(now_ - absl::Hours(1));
    Tell("acme", absl::StrCat("organizations/acme/supervisions/", supervisor, supervisee), version,
         pair);
  }

  v1::Note StartOn(const std::string& subject, const std::string& case_id,
                   const std::string& appointment) {
    v1::StartNoteRequest request;
    request.set_parent(CaseName(case_id));
    request.set_appointment(Appointment(appointment));
    const auto note = notes_.StartNote(By(subject), request);
    EXPECT_TRUE(note.ok()) << note.status();
    return note.ok() ? *note : v1::Note();
  }
  v1::Note SignedByTina(const std::string& appointment = "t1") {
    const v1::Note note = StartOn("tina", "c9", appointment);
    EXPECT_TRUE(Save("tina", note.name(), Written(kSecret), 1, 0).ok());
    const auto signed_note = Sign(By("tina"), note.name());
    EXPECT_TRUE(signed_note.ok()) << signed_note.status();
    return signed_note.ok() ? *signed_note : v1::Note();
  }

  absl::StatusOr<v1::Note> Cosign(const call::CallContext& context, const std::string& name,
                                  const std::string& etag = "") {
    v1::CosignNoteRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return notes_.CosignNote(context, request);
  }
  absl::StatusOr<v1::Note> Return(const std::string& subject, const std::string& name,
                                  const std::string& reason = "say more") {
    v1::ReturnForRevisionRequest request;
    request.set_name(name);
    request.set_reason(reason);
    return notes_.ReturnForRevision(By(subject), request);
  }
  absl::StatusOr<v1::Note> Amend(const std::string& subject, const std::string& name,
                                 const std::string& reason = "a date was wrong") {
    v1::AmendNoteRequest request;
    request.set_name(name);
    request.set_reason(reason);
    return notes_.AmendNote(By(subject), request);
  }
  absl::StatusOr<v1::Note> GetVersion(const std::string& subject, const std::string& name,
                                      int version) {
    v1::GetNoteRequest request;
    request.set_name(name);
    request.set_version(version);
    return notes_.GetNote(By(subject), request);
  }
  std::vector<v1::Note> Versions(const std::string& subject, const std::string& name,
                                 int page_size = 0) {
    v1::ListNoteVersionsRequest request;
    request.set_parent(name);
    request.set_page_size(page_size);
    std::vector<v1::Note> versions;
    for (int page = 0; page < 9; ++page) {
      const auto response = notes_.ListNoteVersions(By(subject), request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      versions.insert(versions.end(), response->notes().begin(), response->notes().end());
      request.set_page_token(response->next_page_token());
      if (response->next_page_token().empty()) break;
    }
    return versions;
  }
  v1::VerifyNoteResponse Verify(const std::string& subject, const std::string& name,
                                int version = 0) {
    v1::VerifyNoteRequest request;
    request.set_name(name);
    request.set_version(version);
    const auto verified = notes_.VerifyNote(By(subject), request);
    EXPECT_TRUE(verified.ok()) << verified.status();
    return verified.ok() ? *verified : v1::VerifyNoteResponse();
  }
  std::vector<v1::DraftCopy> Copies(const std::string& subject, const std::string& name) {
    v1::ListDraftCopiesRequest request;
    request.set_parent(name);
    const auto copies = notes_.ListDraftCopies(By(subject), request);
    EXPECT_TRUE(copies.ok()) << copies.status();
    return {copies->draft_copies().begin(), copies->draft_copies().end()};
  }
  absl::StatusOr<v1::Note> SaveFrom(const std::string& window, const std::string& name,
                                    const std::string& text, int64_t sequence, int64_t base,
                                    const std::vector<std::string>& merged = {}) {
    v1::SaveDraftRequest request;
    request.set_name(name);
    *request.mutable_content() = Written(text);
    request.set_sequence(sequence);
    request.set_base_sequence(base);
    request.set_window(window);
    for (const std::string& copy : merged) request.add_merged_copies(copy);
    return notes_.SaveDraft(By("ada"), request);
  }
  std::vector<v1::NoteWarningCode> Warnings(const v1::Note& note) {
    std::vector<v1::NoteWarningCode> codes;
    for (const v1::NoteWarning& warning : note.warnings()) codes.push_back(warning.code());
    return codes;
  }
  call::CallContext Manager(const std::string& subject,
                            std::optional<std::vector<std::string>> clinics) const {
    call::CallContext context = By(subject);
    auth::Principal principal = *context.principal;
    principal.roles = {"clinic_manager"};
    principal.clinics = std::move(clinics);
    context.principal = std::make_shared<auth::Principal>(principal);
    return context;
  }
};

// --- What others shipped: signing
// -----------------------------------------------------------------

// A signed encounter was reported as unsigned: signatures were joined to the wrong table.
TEST_P(SigningTest, ASignedNoteIsSignedInEveryAnswerAndAnotherIsNot) {
  TellAppointment("a2", 1, now_ - absl::Minutes(20), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const v1::Note one = Signed("a1");
  const v1::Note other = Start("a2");
  EXPECT_EQ(Get("ada", one.name())->state(), v1::NOTE_STATE_SIGNED);
  EXPECT_EQ(Get("ada", other.name())->state(), v1::NOTE_STATE_DRAFT);
  v1::ListNotesRequest list;
  list.set_parent(CaseName());
  const auto listed = notes_.ListNotes(By("ada"), list);
  ASSERT_THAT(listed->notes(), SizeIs(2));
  EXPECT_TRUE(listed->notes(0).has_signature());
  EXPECT_FALSE(listed->notes(1).has_signature());
  EXPECT_EQ(Versions("ada", one.name()).at(0).signature().SerializeAsString(),
            one.signature().SerializeAsString());
  ASSERT_THAT(Due(By("ada")), SizeIs(1));
  EXPECT_EQ(Due(By("ada"))[0].appointment(), Appointment("a2"));
  EXPECT_EQ(LastEvent<v1::NoteEvent>(one.name()).state(), v1::NOTE_STATE_SIGNED);
  EXPECT_TRUE(Verify("bob", one.name()).verified());
}

// The text of an amendment vanished from the log.
TEST_P(SigningTest, AnAmendmentKeepsItsReasonAndBothTexts) {
  const v1::Note first = Signed("a1", "it was Monday");
  ASSERT_TRUE(Amend("ada", first.name(), kSecret).ok());
  ASSERT_TRUE(Save("ada", first.name(), Written("it was Tuesday"), 1, 0).ok());
  const auto second = Sign(By("ada"), first.name());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->version(), 2);
  EXPECT_EQ(second->revision_reason(), kSecret);
  EXPECT_EQ(second->signature().meaning(), v1::SIGNATURE_MEANING_AMENDMENT);
  EXPECT_EQ(GetVersion("bob", first.name(), 1)->content().plan(), "it was Monday");
  EXPECT_EQ(GetVersion("bob", first.name(), 2)->content().plan(), "it was Tuesday");
  EXPECT_EQ(Get("bob", first.name())->version(), 2);
  EXPECT_TRUE(Verify("bob", first.name(), 1).verified());
  EXPECT_TRUE(Verify("bob", first.name(), 2).verified());
  const std::vector<v1::Note> versions = Versions("bob", first.name(), /*page_size=*/1);
  ASSERT_THAT(versions, SizeIs(2));
  EXPECT_EQ(versions[0].version(), 2);
  EXPECT_EQ(versions[1].content().plan(), "it was Monday");

  v1::DiffNoteVersionsRequest diff;
  diff.set_name(first.name());
  diff.set_from_version(1);
  diff.set_to_version(2);
  const auto differ = notes_.DiffNoteVersions(By("bob"), diff);
  ASSERT_TRUE(differ.ok()) << differ.status();
  ASSERT_THAT(differ->fields(), SizeIs(3));
  EXPECT_EQ(differ->fields(0).field(), "content.symptom_event_link");
  EXPECT_EQ(differ->revision_reason(), kSecret);
  Events();  // quotes nobody
}

// A blank form was 'Completed' without a signature.
TEST_P(SigningTest, ABlankNoteCannotBeSigned) {
  const v1::Note note = Start();
  EXPECT_THAT(Fields(Sign(By("ada"), note.name()).status()),
              ElementsAre("content.symptom_event_link", "content.plan"));
  ASSERT_TRUE(Save("ada", note.name(), Written(" \n"), 1, 0).ok());
  EXPECT_THAT(Fields(Sign(By("ada"), note.name()).status()),
              ElementsAre("content.symptom_event_link", "content.plan"));
  EXPECT_EQ(Get("ada", note.name())->state(), v1::NOTE_STATE_DRAFT);
}

// A report left out who signed.
TEST_P(SigningTest, EverySignedAnswerNamesItsSignerAndForWhom) {
  const v1::Note note = StartOn("bob", "c1", "a1");
  ASSERT_TRUE(Save("bob", note.name(), Written("x"), 1, 0).ok());
  ASSERT_TRUE(Sign(By("bob"), note.name()).ok());
  const std::vector<v1::Note> answers = {*Get("ada", note.name()),
                                         Versions("ada", note.name()).at(0)};
  for (const v1::Note& answer : answers) {
    EXPECT_EQ(answer.signature().clinician(), Clinician("bob"));
    EXPECT_EQ(answer.signature().on_behalf_of(), Clinician("ada"));
  }
  const v1::VerifyNoteResponse verified = Verify("ada", note.name());
  ASSERT_THAT(verified.signatures(), SizeIs(1));
  EXPECT_EQ(verified.signatures(0).signature().on_behalf_of(), Clinician("ada"));
  v1::ListSigningKeysRequest keys;
  keys.set_parent("organizations/acme");
  const auto listed = notes_.ListSigningKeys(By("ada"), keys);
  ASSERT_THAT(listed->signing_keys(), SizeIs(1));
  EXPECT_EQ(listed->signing_keys(0).clinician(), Clinician("bob"));
  EXPECT_EQ(listed->signing_keys(0).public_key(), verified.signatures(0).public_key());
}

// The identity of the signer was never verified.
TEST_P(SigningTest, ASignatureThatIsNotTheSignersIsFound) {
  Train();
  const v1::Note note = SignedByTina();
  ASSERT_TRUE(Verify("tina", note.name()).verified());
  // The author's signature put in as a supervisor's word.
  v1::Signature forged = note.signature();
  forged.set_clinician(Clinician("sue"));
  forged.set_meaning(v1::SIGNATURE_MEANING_COSIGNER);
  ASSERT_TRUE(Run(kForgeWord, {sql::Text("acme"), sql::Text(names::Last(note.name())),
                               sql::Bytes(forged.SerializeAsString())})
                  .ok());
  const v1::VerifyNoteResponse verified = Verify("tina", note.name());
  EXPECT_FALSE(verified.verified());
  ASSERT_THAT(verified.signatures(), SizeIs(2));
  EXPECT_TRUE(verified.signatures(0).valid());
  EXPECT_FALSE(verified.signatures(1).valid());
}

TEST_P(SigningTest, WhoIsNotLicensedOnTheDayCannotSign) {
  const std::string name = Start().name();
  ASSERT_TRUE(Save("ada", name, Written("x"), 1, 0).ok());
  const auto licence = [&](int64_t version, const std::string& until) {
    Tell("acme", Clinician("ada"), version,
         Text<scheduling::v1::ClinicianEvent>("subject: 'ada'" + until));
  };
  licence(2, "");
  EXPECT_EQ(Outcome(Sign(By("ada"), name)), "FAILED_PRECONDITION CLINICIAN_UNLICENSED");
  licence(3, " licence_expire_date { year: 2026 month: 3 day: 3 }");
  EXPECT_EQ(Outcome(Sign(By("ada"), name)), "FAILED_PRECONDITION CLINICIAN_UNLICENSED");
  licence(4, " licence_expire_date { year: 2026 month: 3 day: 4 }");
  ASSERT_TRUE(Sign(By("ada"), name).ok()) << "its last day counts";
  licence(5, "");
  EXPECT_EQ(Outcome(Add(By("ada"), name, "x")), "FAILED_PRECONDITION CLINICIAN_UNLICENSED");
}

// --- What others shipped: lost and concurrent edits
// -----------------------------------------------

// Locks were released on a tab switch, and save paths never looked at them: here there is nothing
// to release, and every path that changes a note compares and swaps.
TEST_P(SigningTest, EveryPathThatChangesANoteRefusesAStaleOne) {
  Train();
  const v1::Note note = StartOn("tina", "c9", "t1");
  ASSERT_TRUE(Save("tina", note.name(), Written("x"), 1, 0).ok());
  EXPECT_EQ(Outcome(Save("tina", note.name(), Written("y"), 2, 0)), "ABORTED STALE_DRAFT");
  EXPECT_EQ(Outcome(Sign(By("tina"), note.name(), "", note.etag())), "ABORTED STALE_ETAG");
  const auto signed_note = Sign(By("tina"), note.name());
  ASSERT_TRUE(signed_note.ok());
  ASSERT_TRUE(Add(By("tina"), note.name(), "later").ok());
  EXPECT_EQ(Outcome(Cosign(By("sue"), note.name(), signed_note->etag())), "ABORTED STALE_ETAG");
  v1::AmendNoteRequest amend;
  amend.set_name(note.name());
  amend.set_reason("r");
  amend.set_etag(signed_note->etag());
  EXPECT_EQ(Outcome(notes_.AmendNote(By("tina"), amend)), "ABORTED STALE_ETAG");
  v1::ReturnForRevisionRequest back;
  back.set_name(note.name());
  back.set_reason("r");
  back.set_etag(signed_note->etag());
  EXPECT_EQ(Outcome(notes_.ReturnForRevision(By("sue"), back)), "ABORTED STALE_ETAG");
}

// The lock of a crashed browser kept everybody out.
TEST_P(SigningTest, ACrashedWindowKeepsNobodyOut) {
  const std::string name = Start().name();
  ASSERT_TRUE(SaveFrom("crashed", name, "half a sentence", 1, 0).ok());
  const auto read = Get("ada", name);
  EXPECT_EQ(read->content().plan(), "half a sentence");
  EXPECT_TRUE(SaveFrom("fresh", name, "a whole one", 2, read->draft_sequence()).ok());
  EXPECT_TRUE(Sign(By("ada"), name).ok());
}

// Closing a panel lost what was written: one of the most reported faults.
TEST_P(SigningTest, BothTextsOfTwoWindowsStayInReachUntilTheyAreMerged) {
  const std::string name = Start().name();
  ASSERT_TRUE(SaveFrom("left", name, "left", 1, 0).ok());
  const auto refused = SaveFrom("right", name, kSecret, 5, 0);
  EXPECT_EQ(Outcome(refused), "ABORTED STALE_DRAFT");
  EXPECT_EQ(errors::MetadataValue(refused.status(), "draft_sequence"), "1");
  EXPECT_EQ(errors::MetadataValue(refused.status(), "draft_copy"), name + "/draftCopies/right");
  EXPECT_EQ(Outcome(SaveFrom("right", name, "right, longer", 6, 0)), "ABORTED STALE_DRAFT");
  EXPECT_EQ(Outcome(SaveFrom("", name, "nameless", 6, 0)), "ABORTED STALE_DRAFT");
  EXPECT_EQ(Outcome(SaveFrom("", name, "nameless", 6, 0)), "ABORTED STALE_DRAFT");

  EXPECT_EQ(Get("ada", name)->content().plan(), "left");
  EXPECT_EQ(Get("ada", name)->draft_copies(), 2);
  std::vector<v1::DraftCopy> copies = Copies("ada", name);
  ASSERT_THAT(copies, SizeIs(2)) << "one a window, and one of each nameless text";
  std::vector<std::string> texts, ids;
  for (const v1::DraftCopy& copy : copies) {
    texts.push_back(copy.content().plan());
    ids.push_back(std::string(names::Last(copy.name())));
  }
  EXPECT_THAT(texts, UnorderedElementsAre("right, longer", "nameless"));
  v1::ListDraftCopiesRequest others;
  others.set_parent(name);
  EXPECT_EQ(Outcome(notes_.ListDraftCopies(By("bob"), others)), kNotFound);

  // They outlast the signature, of which the author is warned.
  v1::SignNoteRequest look;
  look.set_name(name);
  look.set_validate_only(true);
  EXPECT_THAT(Warnings(*notes_.SignNote(By("ada"), look)),
              ElementsAre(v1::NOTE_WARNING_CODE_UNMERGED_COPY));
  ASSERT_TRUE(SaveFrom("left", name, "left and right", 2, 1, ids).ok());
  EXPECT_THAT(Copies("ada", name), IsEmpty());
  EXPECT_EQ(Get("ada", name)->draft_copies(), 0);
  EXPECT_THAT(Warnings(*notes_.SignNote(By("ada"), look)), IsEmpty());
}

TEST_P(SigningTest, AWindowsRefusedTextGoesWhenItSavesAgain) {
  const std::string name = Start().name();
  ASSERT_TRUE(SaveFrom("left", name, "left", 1, 0).ok());
  EXPECT_EQ(Outcome(SaveFrom("right", name, "right", 1, 0)), "ABORTED STALE_DRAFT");
  ASSERT_TRUE(SaveFrom("right", name, "left and right", 2, 1).ok());
  EXPECT_THAT(Copies("ada", name), IsEmpty());
}

TEST_P(SigningTest, RefusedTextsOutlastTheSignature) {
  const std::string name = Start().name();
  ASSERT_TRUE(SaveFrom("left", name, "left", 1, 0).ok());
  EXPECT_EQ(Outcome(SaveFrom("right", name, "right", 1, 0)), "ABORTED STALE_DRAFT");
  const auto note = Sign(By("ada"), name);
  ASSERT_TRUE(note.ok()) << note.status();
  EXPECT_THAT(Warnings(*note), ElementsAre(v1::NOTE_WARNING_CODE_UNMERGED_COPY));
  EXPECT_EQ(Copies("ada", name).at(0).content().plan(), "right");
}

TEST_P(SigningTest, TheTwentyFirstRefusedTextIsNotKeptAndSaysSo) {
  const std::string name = Start().name();
  ASSERT_TRUE(SaveFrom("w", name, "kept", 1, 0).ok());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Outcome(SaveFrom(absl::StrCat("w", i), name, absl::StrCat(i), 2, 0)),
              "ABORTED STALE_DRAFT");
  }
  const auto refused = SaveFrom("w20", name, "too many", 2, 0);
  EXPECT_EQ(Outcome(refused), "ABORTED STALE_DRAFT");
  EXPECT_EQ(errors::MetadataValue(refused.status(), "draft_copy"), "");
  EXPECT_THAT(Copies("ada", name), SizeIs(20));
}

// Read-then-write gave several writers the same version number.
TEST_P(SigningTest, OfConcurrentAddendaEachGetsANumberAndAVersionOfItsOwn) {
  const std::string name = Signed().name();
  std::vector<std::string> outcomes(6);
  std::vector<std::thread> writers;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    writers.emplace_back([&, i] {
      outcomes[i] = Outcome(Add(By(i % 2 ? "bob" : "ada"), name, absl::StrCat("addendum ", i)));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const auto kept = std::count(outcomes.begin(), outcomes.end(), "OK");
  EXPECT_GE(kept, 1);
  const auto note = Get("ada", name);
  ASSERT_TRUE(note.ok()) << note.status();
  ASSERT_EQ(note->addenda_size(), kept);
  for (int i = 0; i < kept; ++i) EXPECT_EQ(note->addenda(i).number(), i + 1);
  EXPECT_EQ(note->etag(), absl::StrCat(3 + kept));
  EXPECT_TRUE(Verify("ada", name).verified());
}

// Two near-simultaneous updates left a record that nobody could update.
TEST_P(SigningTest, AfterARaceTheDraftIsSavedAndSignedAsEver) {
  const std::string name = Start().name();
  std::vector<std::thread> windows;
  for (int i = 0; i < 8; ++i) {
    windows.emplace_back([&, i] {
      SaveFrom(absl::StrCat("w", i), name, absl::StrCat("text ", i), 1, 0).IgnoreError();
    });
  }
  for (std::thread& window : windows) window.join();
  EXPECT_THAT(Copies("ada", name), SizeIs(7)) << "all eight texts are there";
  EXPECT_TRUE(SaveFrom("w0", name, "merged", 2, 1).ok());
  EXPECT_TRUE(Sign(By("ada"), name).ok());
}

// If-Match was ignored inside transactions; a race between saving and signing signs what was read.
TEST_P(SigningTest, ASignatureStandsForTheTextThatItsEtagNamed) {
  const std::string name = Start().name();
  ASSERT_TRUE(Save("ada", name, Written("text 0"), 1, 0).ok());
  std::vector<std::thread> racers;
  std::string signed_outcome;
  racers.emplace_back([&] { signed_outcome = Outcome(Sign(By("ada"), name, "", "2")); });
  racers.emplace_back([&] { Save("ada", name, Written("text 1"), 2, 1).IgnoreError(); });
  for (std::thread& racer : racers) racer.join();
  const auto note = Get("ada", name);
  if (signed_outcome == "OK") {
    EXPECT_EQ(note->content().plan(), "text 0");
    EXPECT_EQ(note->state(), v1::NOTE_STATE_SIGNED);
  } else {
    EXPECT_EQ(signed_outcome, "ABORTED STALE_ETAG");
    EXPECT_EQ(note->content().plan(), "text 1");
    EXPECT_EQ(note->state(), v1::NOTE_STATE_DRAFT);
  }
}

// --- Supervisors
// ----------------------------------------------------------------------------------

TEST_P(SigningTest, ATraineesNoteIsCosignedOverTheSameHash) {
  Train();
  const v1::Note note = SignedByTina();
  EXPECT_TRUE(note.cosign().required());
  EXPECT_EQ(note.cosign().reason(), v1::COSIGN_REASON_TRAINEE);
  EXPECT_EQ(Outcome(Cosign(By("tina"), note.name())), "PERMISSION_DENIED NOT_THE_SUPERVISOR");
  EXPECT_EQ(Outcome(Cosign(By("ada"), note.name())), kNotFound);
  EXPECT_EQ(Outcome(Cosign(AuthenticatedAgo("sue", absl::Minutes(11)), note.name())),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
  const auto cosigned = Cosign(By("sue"), note.name(), note.etag());
  ASSERT_TRUE(cosigned.ok()) << cosigned.status();
  EXPECT_EQ(cosigned->state(), v1::NOTE_STATE_COSIGNED);
  EXPECT_EQ(cosigned->cosignature().clinician(), Clinician("sue"));
  EXPECT_EQ(cosigned->cosignature().content_sha256(), note.signature().content_sha256());
  EXPECT_EQ(cosigned->signature().SerializeAsString(), note.signature().SerializeAsString());
  EXPECT_EQ(Get("tina", note.name())->SerializeAsString(), cosigned->SerializeAsString());
  const v1::VerifyNoteResponse verified = Verify("sue", note.name());
  EXPECT_TRUE(verified.verified());
  EXPECT_THAT(verified.signatures(), SizeIs(2));
  EXPECT_EQ(LastEvent<v1::NoteEvent>(note.name()).state(), v1::NOTE_STATE_COSIGNED);
  EXPECT_EQ(Outcome(Cosign(By("sue"), note.name())), "FAILED_PRECONDITION NOTE_COSIGNED");
  EXPECT_EQ(Outcome(Return("sue", note.name())), "FAILED_PRECONDITION NOTE_COSIGNED");
  // Where the pair has ended, the note is not known any more.
  Supervise("sue", "tina", 2, /*ended=*/true);
  EXPECT_EQ(Outcome(Get("sue", note.name())), kNotFound);
}

TEST_P(SigningTest, WhatASuperviseeWroteAsACoverIsCosignedByTheirOwnSupervisor) {
  Train();
  scheduling::v1::CoverEvent cover;
  cover.set_clinician(Clinician("ada"));
  cover.set_covering_clinician(Clinician("tina"));
  *cover.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(12));
  *cover.mutable_end_time() = time::ToTimestamp(now_ + absl::Hours(12));
  Tell("acme", "organizations/acme/covers/v2", 1, cover);
  const v1::Note note = StartOn("tina", "c1", "a1");
  ASSERT_TRUE(Save("tina", note.name(), Written(kSecret), 1, 0).ok());
  EXPECT_EQ(Outcome(Get("sue", note.name())), kNotFound) << "a draft is its author's alone";
  const auto made = Sign(By("tina"), note.name());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->signature().on_behalf_of(), Clinician("ada"));

  EXPECT_THAT(Due(By("sue"), Clinician("tina")),
              ::testing::Contains(::testing::Property(&v1::DueNote::note, note.name())));
  EXPECT_TRUE(Get("sue", note.name()).ok());
  v1::GetCaseRequest get;
  get.set_name(CaseName());
  EXPECT_EQ(Outcome(cases_.GetCase(By("sue"), get)), kNotFound) << "the note, and not the case";
  EXPECT_EQ(Outcome(Add(By("sue"), note.name(), "x")), "PERMISSION_DENIED NOT_THE_THERAPIST");
  lag_ = absl::Seconds(61);
  EXPECT_EQ(Outcome(Cosign(By("sue"), note.name())), "UNAVAILABLE CARE_RELATIONS_STALE");
  lag_ = absl::ZeroDuration();
  const auto cosigned = Cosign(By("sue"), note.name(), made->etag());
  ASSERT_TRUE(cosigned.ok()) << cosigned.status();
  EXPECT_EQ(cosigned->cosignature().clinician(), Clinician("sue"));
  EXPECT_EQ(cosigned->cosignature().content_sha256(), made->signature().content_sha256());

  // Nothing of what Ada wrote in the same case, and nothing after the pair has ended.
  TellAppointment("a2", 1, now_ - absl::Hours(2), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_EQ(Outcome(Get("sue", Signed("a2").name())), kNotFound);
  Supervise("sue", "tina", 2, /*ended=*/true);
  EXPECT_EQ(Outcome(Get("sue", note.name())), kNotFound);
}

TEST_P(SigningTest, ACoverIsNotToldWhetherAnotherHasADraftOpen) {
  const std::string name = Signed().name();
  const absl::Status save = Save("bob", name, Written("y"), 2, 1).status();
  const absl::Status sign = Sign(By("bob"), name).status();
  EXPECT_EQ(Outcome(absl::StatusOr<v1::Note>(save)), "PERMISSION_DENIED NOT_THE_AUTHOR");
  EXPECT_EQ(Outcome(absl::StatusOr<v1::Note>(sign)), "PERMISSION_DENIED NOT_THE_AUTHOR");
  ASSERT_TRUE(Amend("ada", name).ok());
  EXPECT_EQ(Save("bob", name, Written("y"), 2, 1).status(), save);
  EXPECT_EQ(Sign(By("bob"), name).status(), sign);
  EXPECT_EQ(Sign(AuthenticatedAgo("bob", absl::Minutes(11)), name).status(), sign);
}

TEST_P(SigningTest, AReturnedNoteStaysReadableAndOpensTheNextVersion) {
  Train();
  const v1::Note note = SignedByTina();
  EXPECT_THAT(Fields(Return("sue", note.name(), " ").status()), ElementsAre("reason"));
  const auto returned = Return("sue", note.name(), kSecret);
  ASSERT_TRUE(returned.ok()) << returned.status();
  EXPECT_EQ(returned->version(), 1);
  EXPECT_EQ(returned->returned().reason(), kSecret);
  EXPECT_EQ(Outcome(Return("sue", note.name())), "FAILED_PRECONDITION NOTE_RETURNED");
  EXPECT_EQ(Outcome(Cosign(By("sue"), note.name())), "FAILED_PRECONDITION NOTE_RETURNED");
  EXPECT_TRUE(LastEvent<v1::NoteEvent>(note.name()).returned());

  // The author sees the draft and why; others the signed one, still.
  const auto draft = Get("tina", note.name());
  EXPECT_EQ(draft->version(), 2);
  EXPECT_EQ(draft->state(), v1::NOTE_STATE_DRAFT);
  EXPECT_EQ(draft->content().plan(), kSecret);
  EXPECT_EQ(draft->revision_reason(), kSecret);
  EXPECT_EQ(draft->returned().supervisor(), Clinician("sue"));
  EXPECT_EQ(Get("sue", note.name())->version(), 1);
  EXPECT_EQ(Outcome(GetVersion("sue", note.name(), 2)), kNotFound);
  EXPECT_THAT(Versions("sue", note.name()), SizeIs(1));
  EXPECT_THAT(Versions("tina", note.name()), SizeIs(2));
  ASSERT_THAT(Due(By("tina")), SizeIs(1));
  EXPECT_EQ(Due(By("tina"))[0].kind(), v1::DUE_KIND_REVISE);

  ASSERT_TRUE(Save("tina", note.name(), Written("more"), 1, 0).ok());
  const auto second = Sign(By("tina"), note.name());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->version(), 2);
  EXPECT_TRUE(second->cosign().required());
  ASSERT_THAT(Due(By("sue")), SizeIs(1));
  EXPECT_EQ(Due(By("sue"))[0].kind(), v1::DUE_KIND_COSIGN);
  EXPECT_EQ(Due(By("sue"))[0].note(), note.name());
  ASSERT_TRUE(Cosign(By("sue"), note.name()).ok());
  EXPECT_THAT(Due(By("sue")), IsEmpty());
  EXPECT_EQ(GetVersion("sue", note.name(), 1)->returned().reason(), kSecret);
  EXPECT_TRUE(Verify("sue", note.name(), 1).verified());
}

TEST_P(SigningTest, AnAmendmentOfACosignedNoteNeedsASupervisorAgain) {
  Train();
  const v1::Note note = SignedByTina();
  ASSERT_TRUE(Cosign(By("sue"), note.name()).ok());
  EXPECT_EQ(Outcome(Amend("sue", note.name())), "PERMISSION_DENIED NOT_THE_THERAPIST");
  ASSERT_TRUE(Amend("tina", note.name()).ok());
  EXPECT_EQ(Outcome(Amend("tina", note.name())), "FAILED_PRECONDITION REVISION_OPEN");
  EXPECT_EQ(Get("sue", note.name())->state(), v1::NOTE_STATE_COSIGNED);
  const auto second = Sign(By("tina"), note.name());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->state(), v1::NOTE_STATE_SIGNED);
  EXPECT_TRUE(second->cosign().required());
  EXPECT_EQ(GetVersion("sue", note.name(), 1)->state(), v1::NOTE_STATE_COSIGNED);
}

TEST_P(SigningTest, OnlyItsAuthorAmendsANote) {
  const v1::Note note = Signed();
  EXPECT_EQ(Outcome(Amend("bob", note.name())), "PERMISSION_DENIED NOT_THE_AUTHOR");
  EXPECT_EQ(Outcome(Amend("cy", note.name())), kNotFound);
  EXPECT_THAT(Fields(Amend("ada", note.name(), "").status()), ElementsAre("reason"));
  const std::string draft = Start("a1", "bob").name();
  EXPECT_EQ(Outcome(Amend("bob", draft)), "FAILED_PRECONDITION NOTE_NOT_SIGNED");
}

TEST_P(SigningTest, ASupervisorsSampleIsDrawnByHashAndCanBeDrawnAgain) {
  Train();
  v1::UpdateCosignPolicyRequest update;
  v1::CosignPolicy& policy = *update.mutable_cosign_policy();
  policy.set_name(Clinician("tina") + "/cosignPolicies/sue");
  policy.set_sample_percent(40);
  EXPECT_EQ(Outcome(policies_.UpdateCosignPolicy(By("tina"), update)),
            "PERMISSION_DENIED NOT_THE_SUPERVISOR");
  EXPECT_EQ(Outcome(policies_.UpdateCosignPolicy(By("ada"), update)),
            "PERMISSION_DENIED NOT_THE_SUPERVISOR");
  const auto kept = policies_.UpdateCosignPolicy(By("sue"), update);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_THAT(kept->seed(), SizeIs(16));
  int sampled = 0;
  for (int i = 0; i < 24; ++i) {
    const std::string appointment = absl::StrCat("t", 10 + i);
    TellAppointment(appointment, 1, now_ - absl::Hours(50 - i),
                    scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c9", "tina");
    const v1::Note note = SignedByTina(appointment);
    EXPECT_EQ(note.cosign().draw(), DrawOf(kept->seed(), note.name(), 1));
    EXPECT_EQ(note.cosign().required(), note.cosign().draw() < 4000);
    EXPECT_EQ(note.cosign().sample_percent(), 40);
    sampled += note.cosign().required();
  }
  EXPECT_GT(sampled, 0);
  EXPECT_LT(sampled, 24);
  EXPECT_THAT(Due(By("sue")), SizeIs(sampled + 1)) << "and the session that has no note";

  // Who is sampled does not see the seed.
  v1::ListCosignPoliciesRequest list;
  list.set_parent("organizations/acme");
  EXPECT_EQ(policies_.ListCosignPolicies(By("tina"), list)->cosign_policies(0).seed(), "");
  EXPECT_EQ(policies_.ListCosignPolicies(By("sue"), list)->cosign_policies(0).seed(), kept->seed());
  EXPECT_THAT(policies_.ListCosignPolicies(By("ada"), list)->cosign_policies(), IsEmpty());
  policy.set_etag("7");
  EXPECT_EQ(Outcome(policies_.UpdateCosignPolicy(By("sue"), update)), "ABORTED STALE_ETAG");
  policy.set_etag("1");
  EXPECT_NE(policies_.UpdateCosignPolicy(Manager("boss", {}), update)->seed(), kept->seed());
}

TEST_P(SigningTest, AnAuthorMayAskForASupervisorsSignature) {
  Train();
  Supervise("sue", "ada", 1);
  const v1::Note note = Signed();
  EXPECT_FALSE(note.cosign().required());
  v1::RequestCosignRequest request;
  request.set_name(note.name());
  request.set_supervisor(Clinician("bob"));
  EXPECT_EQ(Outcome(notes_.RequestCosign(By("ada"), request)),
            "FAILED_PRECONDITION NOT_THE_SUPERVISOR");
  request.set_supervisor(Clinician("sue"));
  const auto asked = notes_.RequestCosign(By("ada"), request);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->cosign().reason(), v1::COSIGN_REASON_REQUESTED);
  v1::ListDueNotesRequest due;
  due.set_parent("organizations/acme");
  due.set_kind(v1::DUE_KIND_COSIGN);
  EXPECT_THAT(notes_.ListDueNotes(By("sue"), due)->due_notes(), SizeIs(1));
  EXPECT_TRUE(Cosign(By("sue"), note.name()).ok());
}

TEST_P(SigningTest, ATraineeWithoutASupervisorIsWarnedAndSignsAllTheSame) {
  Train();
  Supervise("sue", "tina", 2, /*ended=*/true);
  const v1::Note note = SignedByTina();
  EXPECT_TRUE(note.cosign().required());
  EXPECT_THAT(Warnings(note), ElementsAre(v1::NOTE_WARNING_CODE_NO_SUPERVISOR));
}

// --- Templates and warnings
// -----------------------------------------------------------------------

TEST_P(SigningTest, MinutesOnHistoryOverTheClinicsCeilingWarn) {
  const v1::Note note = Start();
  EXPECT_EQ(note.template_(), "noteTemplates/initial/revisions/1");
  EXPECT_GT(note.content().minutes_size(), 0) << "they begin as the template has them";
  v1::NoteContent content = Written("x");
  *content.mutable_minutes() = note.content().minutes();
  ASSERT_TRUE(Save("ada", note.name(), content, 1, 0).ok());
  v1::SignNoteRequest look;
  look.set_name(note.name());
  look.set_validate_only(true);
  EXPECT_THAT(Warnings(*notes_.SignNote(By("ada"), look)), IsEmpty());
  EXPECT_EQ(Get("ada", note.name())->state(), v1::NOTE_STATE_DRAFT);

  TellCourse("c1", 2, "ada", "clinic: 'organizations/acme/clinics/north'");
  v1::UpdateNotePolicyRequest update;
  v1::NotePolicy& policy = *update.mutable_note_policy();
  policy.set_clinic("organizations/acme/clinics/north");
  v1::HistoryCeiling& ceiling = *policy.add_history_ceilings();
  ceiling.set_phase(v1::NOTE_PHASE_INITIAL);
  ceiling.set_percent(10);
  EXPECT_EQ(Outcome(policies_.UpdateNotePolicy(By("ada"), update)),
            "PERMISSION_DENIED NOT_THE_CLINIC");
  EXPECT_EQ(Outcome(policies_.UpdateNotePolicy(Manager("m", {{"south"}}), update)),
            "PERMISSION_DENIED NOT_THE_CLINIC");
  ASSERT_TRUE(policies_.UpdateNotePolicy(Manager("m", {{"north"}}), update).ok());
  const auto signed_note = Sign(By("ada"), note.name());
  ASSERT_TRUE(signed_note.ok()) << "a warning never keeps from signing";
  EXPECT_THAT(Warnings(*signed_note), ElementsAre(v1::NOTE_WARNING_CODE_HISTORY_OVER_CEILING));
  EXPECT_THAT(Warnings(*Get("bob", note.name())),
              ElementsAre(v1::NOTE_WARNING_CODE_HISTORY_OVER_CEILING));
}

TEST_P(SigningTest, ATherapistsOwnTemplateMayAskForMoreAndNotForLess) {
  v1::CreateNoteTemplateRevisionRequest request;
  request.set_parent("organizations/acme");
  v1::NoteTemplate& own = *request.mutable_note_template();
  own.set_id("mine");
  own.set_phase(v1::NOTE_PHASE_INITIAL);
  own.add_required("plan");
  EXPECT_THAT(Fields(templates_.CreateNoteTemplateRevision(By("ada"), request).status()),
              ElementsAre("note_template.required"));
  own.add_required("symptom_event_link");
  own.add_required("narrative");
  own.add_blocking(v1::NOTE_WARNING_CODE_HISTORY_OVER_CEILING);
  own.set_history_percent(20);
  own.add_required("no such field");
  EXPECT_THAT(Fields(templates_.CreateNoteTemplateRevision(By("ada"), request).status()),
              ElementsAre("note_template.required[3]"));
  own.mutable_required()->RemoveLast();
  const auto kept = templates_.CreateNoteTemplateRevision(By("ada"), request);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->name(), Clinician("ada") + "/noteTemplates/mine/revisions/1");
  EXPECT_EQ(templates_.CreateNoteTemplateRevision(By("ada"), request)->revision(), 2);
  v1::ListNoteTemplatesRequest list;
  list.set_parent("organizations/acme");
  list.set_phase(v1::NOTE_PHASE_INITIAL);
  list.set_page_size(1);
  std::vector<std::string> names;
  for (int page = 0; page < 9; ++page) {
    const auto listed = templates_.ListNoteTemplates(By("ada"), list);
    for (const v1::NoteTemplate& each : listed->note_templates()) names.push_back(each.name());
    if (listed->next_page_token().empty()) break;
    list.set_page_token(listed->next_page_token());
  }
  EXPECT_THAT(names, Contains(Clinician("ada") + "/noteTemplates/mine/revisions/2"));
  EXPECT_THAT(names, Contains("noteTemplates/initial/revisions/1"));
  EXPECT_THAT(names, ::testing::Not(Contains(kept->name()))) << "only the newest revision";

  v1::StartNoteRequest start = StartOf("a1");
  start.set_template_(kept->name());
  const auto note = notes_.StartNote(By("ada"), start);
  ASSERT_TRUE(note.ok()) << note.status();
  v1::NoteContent content = Written("x");
  v1::Minutes& minutes = *content.add_minutes();
  minutes.set_use(v1::TIME_USE_HISTORY);
  minutes.set_minutes(50);
  ASSERT_TRUE(Save("ada", note->name(), content, 1, 0).ok());
  EXPECT_THAT(Fields(Sign(By("ada"), note->name()).status()), ElementsAre("content.narrative"));
  content.set_narrative("n");
  ASSERT_TRUE(Save("ada", note->name(), content, 2, 1).ok());
  const auto blocked = Sign(By("ada"), note->name());
  EXPECT_EQ(Outcome(blocked), "FAILED_PRECONDITION BLOCKED_BY_TEMPLATE");
  EXPECT_EQ(errors::MetadataValue(blocked.status(), "warnings"),
            "NOTE_WARNING_CODE_HISTORY_OVER_CEILING");
}

TEST_P(SigningTest, ATemplateOfAnotherPhaseIsRefused) {
  v1::StartNoteRequest start = StartOf("a1");
  start.set_template_("noteTemplates/middle/revisions/1");
  EXPECT_THAT(Fields(notes_.StartNote(By("ada"), start).status()), ElementsAre("template"));
  start.set_template_("noteTemplates/none/revisions/1");
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), start)), kNotFound);
}

TEST_P(SigningTest, CopiedTextIsReckonedAtSigning) {
  const v1::Note last = Signed("a1", "Call the brother. Ask him.");
  TellAppointment("a2", 1, now_ - absl::Minutes(10), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const v1::Note note = Start("a2");
  EXPECT_EQ(note.prefill().last_plan_version(), 1);
  v1::NoteContent content;
  content.set_symptom_event_link("Call the brother.");
  content.set_plan("Something quite new.");
  ASSERT_TRUE(Save("ada", note.name(), content, 1, 0).ok());
  const auto signed_note = Sign(By("ada"), note.name());
  ASSERT_TRUE(signed_note.ok()) << signed_note.status();
  EXPECT_EQ(signed_note->copied_percent(), 100 * 16 / (16 + 19));
  EXPECT_EQ(last.copied_percent(), 0);
}

TEST_P(SigningTest, WhatANoteNamesIsOfItsCase) {
  const std::string name = Start().name();
  v1::NoteContent content = Written("x");
  content.add_goals(CaseName("c2") + "/goals/g");
  content.add_minutes()->set_use(v1::TIME_USE_HISTORY);
  content.add_minutes()->set_use(v1::TIME_USE_HISTORY);
  v1::SymptomEventLink& link = *content.add_links();
  link.set_symptom("s");
  link.set_event("e");
  content.set_no_link_found(true);
  EXPECT_THAT(Fields(Save("ada", name, content, 1, 0).status()),
              ElementsAre("content.minutes[1].use", "content.goals[0]", "content.links[0].date",
                          "content.no_link_found"));
}

TEST_P(SigningTest, CorrectedScoresAreToldAndTheNoteStaysAsItIs) {
  AnswerAssessments();
  const v1::Note note = Signed("a1");
  v1::CheckPrefillRequest check;
  check.set_name(note.name());
  EXPECT_THAT(notes_.CheckPrefill(By("ada"), check)->changed_sources(), IsEmpty());
  assessment_.answers[kListAssessments] = [](const google::protobuf::Message&,
                                             google::protobuf::Message& response) {
    auto& answer = static_cast<assessment::v1::ListAssessmentsResponse&>(response);
    assessment::v1::Assessment& form = *answer.add_assessments();
    form.set_name("organizations/acme/assessments/mood");
    form.set_etag("2");
    return absl::OkStatus();
  };
  const auto checked = notes_.CheckPrefill(By("ada"), check);
  ASSERT_TRUE(checked.ok()) << checked.status();
  ASSERT_THAT(checked->changed_sources(), SizeIs(2));
  EXPECT_EQ(checked->changed_sources(0).current_etag(), "2");
  EXPECT_EQ(checked->changed_sources(1).current_etag(), "") << "voided";
  EXPECT_EQ(Get("ada", note.name())->SerializeAsString(), note.SerializeAsString());
  assessment_.answers.clear();
  EXPECT_THAT(notes_.CheckPrefill(By("ada"), check)->unavailable_sources(),
              ElementsAre("assessment"));
}

// --- Couples and groups
// ---------------------------------------------------------------------------

class CoupleNoteTest : public SigningTest {
 protected:
  CoupleNoteTest() {
    TellCourse("c5", 1, "ada",
               "kind: COURSE_KIND_CONJOINT partner: 'organizations/acme/patients/p2'");
    TellAppointment("j1", 1, now_ - absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_COMPLETED,
                    "c5");
  }
  absl::StatusOr<v1::Note> StartKind(v1::NoteKind kind, const std::string& about,
                                     const std::string& appointment = "j1") {
    v1::StartNoteRequest request;
    request.set_parent(CaseName("c5"));
    request.set_appointment(Appointment(appointment));
    request.set_kind(kind);
    request.set_about(about);
    return notes_.StartNote(By("ada"), request);
  }
  const std::string one_ = "organizations/acme/patients/p1";
  const std::string other_ = "organizations/acme/patients/p2";
};

TEST_P(CoupleNoteTest, AJointNoteHasBothAsSubjectsBesidePrivateNotes) {
  const auto joint = StartKind(v1::NOTE_KIND_UNSPECIFIED, "");
  ASSERT_TRUE(joint.ok()) << joint.status();
  EXPECT_EQ(joint->kind(), v1::NOTE_KIND_JOINT);
  EXPECT_THAT(joint->subjects(), ElementsAre(one_, other_));
  const auto first = StartKind(v1::NOTE_KIND_PRIVATE, one_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->subjects(), ElementsAre(one_));
  const auto second = StartKind(v1::NOTE_KIND_UNSPECIFIED, other_);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->kind(), v1::NOTE_KIND_PRIVATE);
  EXPECT_EQ(Outcome(StartKind(v1::NOTE_KIND_JOINT, "")), "ALREADY_EXISTS RESOURCE_EXISTS");
  EXPECT_EQ(Outcome(StartKind(v1::NOTE_KIND_PRIVATE, one_)), "ALREADY_EXISTS RESOURCE_EXISTS");
  EXPECT_THAT(Fields(StartKind(v1::NOTE_KIND_INDIVIDUAL, "").status()), ElementsAre("kind"));
  EXPECT_THAT(Fields(StartKind(v1::NOTE_KIND_PRIVATE, "").status()), ElementsAre("about"));
  EXPECT_THAT(Fields(StartKind(v1::NOTE_KIND_PRIVATE, "organizations/acme/patients/p3").status()),
              ElementsAre("about"));
  EXPECT_THAT(Fields(StartKind(v1::NOTE_KIND_JOINT, one_).status()), ElementsAre("about"));

  // A private note does not stand for the joint one, and tells nobody.
  ASSERT_TRUE(Save("ada", first->name(), Written(kSecret), 1, 0).ok());
  ASSERT_TRUE(Sign(By("ada"), first->name()).ok());
  EXPECT_THAT(Events(), Each(::testing::Not(::testing::HasSubstr(first->name()))));
  v1::ListDueNotesRequest due;
  due.set_parent("organizations/acme");
  std::vector<std::string> waiting;
  const auto listed = notes_.ListDueNotes(By("ada"), due);
  for (const v1::DueNote& each : listed->due_notes()) waiting.push_back(each.appointment());
  EXPECT_THAT(waiting, Contains(Appointment("j1")));
  EXPECT_TRUE(Verify("ada", first->name()).verified());
}

TEST_P(CoupleNoteTest, APrivateSessionIsNotedOfItsPartnerAlone) {
  scheduling::v1::PrivateAppointmentEvent event;
  scheduling::v1::AppointmentEvent& whole = *event.mutable_appointment();
  whole.set_course(CourseName("c5"));
  whole.set_patient(other_);
  whole.set_clinician(Clinician("ada"));
  whole.set_clinic("organizations/acme/clinics/north");
  *whole.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(2));
  *whole.mutable_end_time() = time::ToTimestamp(now_ - absl::Hours(1));
  whole.set_state(scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  whole.set_private_session(true);
  Tell("acme", Appointment("v1") + "/private", 1, event);
  EXPECT_THAT(Fields(StartKind(v1::NOTE_KIND_JOINT, "", "v1").status()), ElementsAre("kind"));
  EXPECT_THAT(Fields(StartKind(v1::NOTE_KIND_PRIVATE, one_, "v1").status()), ElementsAre("about"));

  // A manager learns that something is due, not what.
  v1::ListDueNotesRequest due;
  due.set_parent("organizations/acme");
  const auto seen = notes_.ListDueNotes(Manager("m", {{"north"}}), due);
  ASSERT_TRUE(seen.ok()) << seen.status();
  ASSERT_THAT(seen->due_notes(), SizeIs(1));
  EXPECT_EQ(seen->due_notes(0).appointment(), "");
  EXPECT_EQ(seen->due_notes(0).case_(), "");
  EXPECT_EQ(seen->due_notes(0).clinician(), Clinician("ada"));
  EXPECT_THAT(notes_.ListDueNotes(Manager("m", {{"south"}}), due)->due_notes(), IsEmpty());

  const auto note = StartKind(v1::NOTE_KIND_UNSPECIFIED, "", "v1");
  ASSERT_TRUE(note.ok()) << note.status();
  EXPECT_EQ(note->about(), other_);
  ASSERT_TRUE(Save("ada", note->name(), Written("x"), 1, 0).ok());
  ASSERT_TRUE(Sign(By("ada"), note->name()).ok());
  EXPECT_THAT(notes_.ListDueNotes(Manager("m", {{"north"}}), due)->due_notes(), IsEmpty());
}

TEST_P(CoupleNoteTest, FromTheMiddlePhaseAPartnerWithoutAStrategyIsNamed) {
  for (int i = 0; i < 4; ++i) {
    TellAppointment(absl::StrCat("k", i), 1, now_ - absl::Hours(20 - i),
                    scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c5");
  }
  const auto note = StartKind(v1::NOTE_KIND_JOINT, "", "k3");
  ASSERT_TRUE(note.ok()) << note.status();
  ASSERT_EQ(note->phase(), v1::NOTE_PHASE_MIDDLE);
  ASSERT_TRUE(Save("ada", note->name(), Written("x"), 1, 0).ok());
  const auto signed_note = Sign(By("ada"), note->name());
  ASSERT_TRUE(signed_note.ok()) << signed_note.status();
  std::vector<std::string> named;
  for (const v1::NoteWarning& warning : signed_note->warnings()) {
    if (warning.code() == v1::NOTE_WARNING_CODE_STRATEGY_MISSING)
      named.push_back(warning.patient());
  }
  EXPECT_THAT(named, ElementsAre(one_, other_));
}

class GroupNoteTest : public SigningTest {
 protected:
  static constexpr char kSession[] = "organizations/acme/groups/g1/sessions/s1";
  GroupNoteTest() {
    Seat("m1", "q1", scheduling::v1::APPOINTMENT_STATE_COMPLETED);
    Seat("m2", "q2", scheduling::v1::APPOINTMENT_STATE_CHECKED_IN);
    Seat("m3", "q3", scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  }
  void Seat(const std::string& course, const std::string& appointment,
            scheduling::v1::AppointmentState state) {
    TellCourse(course, 1, "ada", "group: 'organizations/acme/groups/g1'");
    scheduling::v1::AppointmentEvent event;
    event.set_course(CourseName(course));
    event.set_clinician(Clinician("ada"));
    *event.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(2));
    *event.mutable_end_time() = time::ToTimestamp(now_ - absl::Minutes(30));
    event.set_state(state);
    event.set_counts_towards_course(true);
    event.set_group_session(kSession);
    Tell("acme", Appointment(appointment), 1, event);
  }
  v1::DocumentGroupSessionRequest Request() {
    v1::DocumentGroupSessionRequest request;
    request.set_parent("organizations/acme");
    request.set_group_session(kSession);
    *request.mutable_shared() = Written("all");
    v1::GroupMemberNote& member = *request.add_members();
    member.set_appointment(Appointment("q2"));
    member.mutable_content()->set_plan(kSecret);
    return request;
  }
};

TEST_P(GroupNoteTest, AGroupIsDocumentedOnceAndANoteLandsWithEachWhoCame) {
  v1::DocumentGroupSessionRequest request = Request();
  request.set_request_id("g-1");
  request.set_sign(true);
  EXPECT_EQ(Outcome(notes_.DocumentGroupSession(By("cy"), request)), kNotFound);
  const auto landed = notes_.DocumentGroupSession(By("ada"), request);
  ASSERT_TRUE(landed.ok()) << landed.status();
  ASSERT_THAT(landed->notes(), SizeIs(2));
  EXPECT_THAT(landed->absent(), ElementsAre(Appointment("q3")));
  EXPECT_EQ(landed->notes(0).content().plan(), "all");
  EXPECT_EQ(landed->notes(1).content().plan(), absl::StrCat("all\n\n", kSecret));
  EXPECT_EQ(landed->notes(0).content().SerializeAsString().find(kSecret), std::string::npos);
  for (const v1::Note& note : landed->notes()) {
    EXPECT_EQ(note.state(), v1::NOTE_STATE_SIGNED);
    EXPECT_EQ(note.group_session(), kSession);
    EXPECT_TRUE(Verify("ada", note.name()).verified());
  }
  const auto again = notes_.DocumentGroupSession(By("ada"), request);
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_THAT(again->notes(), SizeIs(2));
  EXPECT_EQ(again->notes(0).name(), landed->notes(0).name());
  EXPECT_THAT(again->absent(), ElementsAre(Appointment("q3")));
  EXPECT_THAT(Due(By("ada")), SizeIs(1)) << "only the session of the fixture";
}

TEST_P(GroupNoteTest, ASeatThatWasNotedBeforeIsLeftAsItIs) {
  const v1::Note before = StartOn("ada", "m1", "q1");
  const auto landed = notes_.DocumentGroupSession(By("ada"), Request());
  ASSERT_TRUE(landed.ok()) << landed.status();
  ASSERT_THAT(landed->notes(), SizeIs(2));
  EXPECT_EQ(landed->notes(0).name(), before.name());
  EXPECT_EQ(landed->notes(0).content().plan(), "");
  EXPECT_EQ(landed->notes(1).state(), v1::NOTE_STATE_DRAFT);
}

TEST_P(GroupNoteTest, AllOrNoneAreSigned) {
  v1::DocumentGroupSessionRequest request = Request();
  request.set_sign(true);
  request.mutable_shared()->clear_plan();
  EXPECT_THAT(Fields(notes_.DocumentGroupSession(By("ada"), request).status()),
              ElementsAre("content.plan"));
  v1::ListNotesRequest list;
  list.set_parent(CaseName("m2"));
  EXPECT_THAT(notes_.ListNotes(By("ada"), list)->notes(), IsEmpty());
  request = Request();
  request.mutable_members(0)->set_appointment(Appointment("a1"));
  EXPECT_THAT(Fields(notes_.DocumentGroupSession(By("ada"), request).status()),
              ElementsAre("members[0].appointment"));
}

// --- Privacy, lists, timeliness
// -------------------------------------------------------------------

TEST_P(SigningTest, NothingOfANoteIsStoredInTheClear) {
  Train();
  const v1::Note note = SignedByTina();
  ASSERT_TRUE(Add(By("tina"), note.name(), kSecret).ok());
  ASSERT_TRUE(Return("sue", note.name(), kSecret).ok());
  ASSERT_TRUE(Save("tina", note.name(), Written(kSecret), 1, 0).ok());
  EXPECT_EQ(Outcome(Save("tina", note.name(), Written(absl::StrCat(kSecret, "!")), 2, 0)),
            "ABORTED STALE_DRAFT");
  const absl::Status status = database_->Read(
      sql::Access::Tenant("acme"), Deadline(), [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kTexts, {sql::Text("acme")}));
        EXPECT_GE(rows.rows(), 8u);
        for (size_t row = 0; row < rows.rows(); ++row) {
          EXPECT_EQ(rows.Bytes(row, 0).find(kSecret), std::string::npos) << row;
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  Events();
}

TEST_P(SigningTest, AnErasedPatientsNoteReadsWithoutTextAndItsSignaturesStillHold) {
  const v1::Note note = Signed();
  TellAppointment("a2", 1, now_ - absl::Minutes(10), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const std::string draft = Start("a2").name();
  ASSERT_TRUE(Add(By("ada"), note.name(), "later").ok());
  ASSERT_TRUE(Run(kShred, {sql::Text("acme"), sql::Text("organizations/acme/patients/p1")}).ok());
  const auto read = Get("ada", note.name());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->erased());
  EXPECT_EQ(read->SerializeAsString().find(kSecret), std::string::npos);
  EXPECT_TRUE(read->has_signature());
  EXPECT_THAT(Listed("ada"), SizeIs(2));
  EXPECT_TRUE(Get("ada", draft)->erased());
  const v1::VerifyNoteResponse verified = Verify("ada", note.name());
  EXPECT_TRUE(verified.erased());
  EXPECT_TRUE(verified.verified());
  EXPECT_THAT(verified.signatures(), SizeIs(2));
  EXPECT_EQ(Outcome(Save("ada", draft, Written("x"), 1, 0)), "FAILED_PRECONDITION ERASED");
  EXPECT_EQ(Outcome(Sign(By("ada"), draft)), "FAILED_PRECONDITION ERASED");
}

TEST_P(SigningTest, TimelinessIsToldOfCliniciansSupervisorsAndClinics) {
  Train();
  TellCourse("c9", 2, "tina", "clinic: 'organizations/acme/clinics/north'");
  // Signed 1, 3, …, 19 hours after their end.
  for (int i = 0; i < 10; ++i) {
    const std::string appointment = absl::StrCat("t", 10 + i);
    TellAppointment(appointment, 1, now_ - absl::Hours(2 * i + 1) - absl::Minutes(50),
                    scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c9", "tina");
    const v1::Note note = SignedByTina(appointment);
    if (i == 0) {
      call::CallContext later = By("sue");
      later.now = now_ + absl::Hours(6);
      ASSERT_TRUE(Cosign(later, note.name()).ok());
    }
  }
  TellAppointment("t30", 1, now_ - absl::Hours(80), scheduling::v1::APPOINTMENT_STATE_COMPLETED,
                  "c9", "tina");
  v1::GetTimelinessRequest request;
  request.set_parent("organizations/acme");
  *request.mutable_start_time() = time::ToTimestamp(now_ - absl::Hours(100));
  *request.mutable_end_time() = time::ToTimestamp(now_);
  const auto own = notes_.GetTimeliness(By("tina"), request);
  ASSERT_TRUE(own.ok()) << own.status();
  ASSERT_THAT(own->rows(), SizeIs(1));
  const v1::Timeliness& row = own->rows(0);
  EXPECT_EQ(row.of(), Clinician("tina"));
  EXPECT_EQ(row.signed_(), 10);
  EXPECT_EQ(row.signed_late(), 0);
  EXPECT_EQ(row.overdue(), 1);
  EXPECT_EQ(row.cosigned(), 1);
  EXPECT_EQ(row.awaiting_cosign(), 9);
  EXPECT_DOUBLE_EQ(row.hours_to_sign().p50(), 9);
  EXPECT_DOUBLE_EQ(row.hours_to_sign().p90(), 17);
  EXPECT_DOUBLE_EQ(row.hours_to_sign().p99(), 19);
  EXPECT_DOUBLE_EQ(row.hours_to_cosign().p50(), 6);

  request.set_group(v1::TIMELINESS_GROUP_SUPERVISOR);
  const auto of_sue = notes_.GetTimeliness(By("sue"), request);
  ASSERT_THAT(of_sue->rows(), SizeIs(1));
  EXPECT_EQ(of_sue->rows(0).of(), Clinician("sue"));
  EXPECT_EQ(of_sue->rows(0).signed_(), 10);
  EXPECT_EQ(of_sue->rows(0).overdue(), 1);
  EXPECT_THAT(notes_.GetTimeliness(By("tina"), request)->rows(), IsEmpty());

  request.set_group(v1::TIMELINESS_GROUP_CLINIC);
  const auto of_north = notes_.GetTimeliness(Manager("m", {{"north"}}), request);
  ASSERT_THAT(of_north->rows(), SizeIs(1));
  EXPECT_EQ(of_north->rows(0).of(), "organizations/acme/clinics/north");
  EXPECT_EQ(of_north->rows(0).signed_(), 10);
  EXPECT_THAT(notes_.GetTimeliness(Manager("m", {{"south"}}), request)->rows(), IsEmpty());
  *request.mutable_end_time() = request.start_time();
  EXPECT_THAT(Fields(notes_.GetTimeliness(By("ada"), request).status()), ElementsAre("end_time"));
}

TEST_P(SigningTest, AClinicsDueListIsForItsManagers) {
  v1::ListDueNotesRequest due;
  due.set_parent("organizations/acme");
  due.set_clinic("organizations/acme/clinics/north");
  EXPECT_EQ(Outcome(notes_.ListDueNotes(By("ada"), due)), "PERMISSION_DENIED NOT_THE_CLINIC");
  EXPECT_EQ(Outcome(notes_.ListDueNotes(Manager("m", {{"south"}}), due)),
            "PERMISSION_DENIED NOT_THE_CLINIC");
  EXPECT_TRUE(notes_.ListDueNotes(Manager("m", {{"north"}}), due).ok());
}

// Counts the statements of a call.
class CountingDatabase : public sql::Database {
 public:
  explicit CountingDatabase(sql::Database& inner) : inner_(inner) {}
  sql::Engine engine() const override { return inner_.engine(); }
  absl::Status Read(const sql::Access& access, absl::Time deadline,
                    absl::FunctionRef<absl::Status(sql::Session&)> body) override {
    return inner_.Read(access, deadline, [&](sql::Session& session) {
      Counting counting(session, sent);
      return body(counting);
    });
  }
  absl::Status Write(const sql::Access& access, absl::Time deadline,
                     absl::FunctionRef<absl::Status(sql::Transaction&)> body) override {
    return inner_.Write(access, deadline, body);
  }
  Stats stats() const override { return inner_.stats(); }
  absl::Status Ready(absl::Time deadline) override { return inner_.Ready(deadline); }

  std::vector<std::string> sent;

 private:
  class Counting : public sql::Session {
   public:
    Counting(sql::Session& inner, std::vector<std::string>& sent) : inner_(inner), sent_(sent) {}
    sql::Engine engine() const override { return inner_.engine(); }
    using sql::Session::Query;
    absl::StatusOr<sql::Result> Query(const sql::Statement& statement,
                                      absl::Span<const sql::Value> parameters) override {
      sent_.push_back(statement.name());
      return inner_.Query(statement, parameters);
    }

   private:
    sql::Session& inner_;
    std::vector<std::string>& sent_;
  };
  sql::Database& inner_;
};

TEST_P(SigningTest, ACaseOfFortyNotesIsListedInOneQuery) {
  for (int i = 0; i < 40; ++i) {
    const std::string appointment = absl::StrCat("n", 10 + i);
    TellAppointment(appointment, 1, now_ - absl::Hours(100 - i),
                    scheduling::v1::APPOINTMENT_STATE_COMPLETED);
    const v1::Note note = Signed(appointment, "x");
    if (i % 3 == 0) {
      ASSERT_TRUE(Add(By("ada"), note.name(), "y").ok());
    }
  }
  CountingDatabase counting(*database_);
  NoteHandlers notes(counting, access_, vault_, scheduling_, assessment_);
  v1::ListNotesRequest request;
  request.set_parent(CaseName());
  request.set_page_size(50);
  const auto listed = notes.ListNotes(By("ada"), request);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_THAT(listed->notes(), SizeIs(40));
  EXPECT_THAT(listed->notes(3).addenda(), SizeIs(1));
  EXPECT_EQ(std::count(counting.sent.begin(), counting.sent.end(), "notes.note.list"), 1);
  int of_notes = 0;
  for (const std::string& name : counting.sent) of_notes += name.rfind("notes.note", 0) == 0;
  EXPECT_EQ(of_notes, 1) << ::testing::PrintToString(counting.sent);
  EXPECT_EQ(std::count(counting.sent.begin(), counting.sent.end(), "crypto.data_key.get"), 1);
}

TEST_P(SigningTest, ACaseloadOfSixtyIsListedInOneQuery) {
  for (int i = 0; i < 60; ++i) TellCourse(absl::StrCat("l", 10 + i), 1, "ada");
  CountingDatabase counting(*database_);
  CaseHandlers cases(counting, access_, vault_);
  v1::ListCasesRequest request;
  request.set_parent("organizations/acme");
  request.set_page_size(100);
  const auto listed = cases.ListCases(By("ada"), request);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_THAT(listed->cases(), SizeIs(61));
  int of_cases = 0;
  for (const std::string& name : counting.sent) of_cases += name.rfind("notes.", 0) == 0;
  EXPECT_EQ(of_cases, 1) << ::testing::PrintToString(counting.sent);
}

INSTANTIATE_TEST_SUITE_P(Engines, SigningTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);
INSTANTIATE_TEST_SUITE_P(Engines, CoupleNoteTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);
INSTANTIATE_TEST_SUITE_P(Engines, GroupNoteTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
