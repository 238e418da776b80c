#include <thread>

#include "services/notes/domain/canonical.h"
#include "tests/conformance/notes/note_fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(NoteTest, ANoteStartsWithScoresGoalsAndTheLastPlan) {
  AnswerAssessments();
  const v1::Note last = Signed("a1", "call the brother");
  v1::CreateGoalRequest goal;
  goal.set_parent(CaseName());
  goal.mutable_goal()->set_text("a goal");
  ASSERT_TRUE(cases_.CreateGoal(By("ada"), goal).ok());
  TellAppointment("a2", 1, now_ - absl::Minutes(10), scheduling::v1::APPOINTMENT_STATE_COMPLETED);

  const v1::Note note = Start("a2");
  EXPECT_EQ(note.state(), v1::NOTE_STATE_DRAFT);
  EXPECT_EQ(note.author(), Clinician("ada"));
  EXPECT_EQ(note.appointment(), Appointment("a2"));
  EXPECT_EQ(note.session_number(), 2);
  EXPECT_EQ(note.phase(), v1::NOTE_PHASE_INITIAL);
  EXPECT_EQ(note.etag(), "1");
  EXPECT_EQ(time::ToTime(note.due_time()), now_ + absl::Minutes(40) + absl::Hours(48));
  ASSERT_THAT(note.prefill().scores(), SizeIs(2));
  EXPECT_EQ(note.prefill().scores(0).source(), "organizations/acme/assessments/mood");
  EXPECT_EQ(note.prefill().scores(0).total(), 18);
  EXPECT_EQ(note.prefill().scores(1).source(), "organizations/acme/assessments/anxiety");
  ASSERT_THAT(note.prefill().goals(), SizeIs(1));
  EXPECT_EQ(note.prefill().goals(0).text(), "a goal");
  EXPECT_EQ(note.prefill().last_plan(), "call the brother");
  EXPECT_EQ(note.prefill().last_plan_source(), last.name());
  EXPECT_THAT(note.prefill().unavailable_sources(), IsEmpty());
  EXPECT_EQ(Get("ada", note.name())->SerializeAsString(), note.SerializeAsString());
  EXPECT_EQ(scheduling_.calls, 0);
}

TEST_P(NoteTest, WithTheAssessmentServiceDownItStartsWithoutScoresAndSaysSo) {
  const v1::Note note = Start();
  EXPECT_THAT(note.prefill().unavailable_sources(), ElementsAre("assessment"));
  EXPECT_THAT(note.prefill().scores(), IsEmpty());
}

TEST_P(NoteTest, WithAllPeersDownABookedSessionThatHasBegunIsTakenAsHeld) {
  TellAppointment("a2", 1, now_ - absl::Minutes(1), scheduling::v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_THAT(Start("a2").prefill().unavailable_sources(), ElementsAre("scheduling", "assessment"));
}

TEST_P(NoteTest, WithSchedulingDownWhatItAloneKnowsIsUnavailable) {
  const auto unknown = notes_.StartNote(By("ada"), StartOf("a7"));
  EXPECT_EQ(Outcome(unknown), "UNAVAILABLE PEER_UNAVAILABLE");
  TellAppointment("a7", 1, now_ + absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), StartOf("a7"))),
            "FAILED_PRECONDITION APPOINTMENT_NOT_HELD");
  TellAppointment("a7", 2, now_ - absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), StartOf("a7"))),
            "FAILED_PRECONDITION APPOINTMENT_NOT_HELD");
}

TEST_P(NoteTest, ACheckInThatTheReplicaHasNotHeardOfIsAskedFor) {
  TellAppointment("a2", 1, now_ + absl::Minutes(5), scheduling::v1::APPOINTMENT_STATE_BOOKED);
  AnswerAppointment("a2", scheduling::v1::APPOINTMENT_STATE_CHECKED_IN);
  const v1::Note note = Start("a2");
  EXPECT_EQ(note.session_number(), 5);
  EXPECT_EQ(note.phase(), v1::NOTE_PHASE_MIDDLE);
  AnswerAppointment("a8", scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_EQ(Start("a8").appointment(), Appointment("a8"));
  AnswerAppointment("a9", scheduling::v1::APPOINTMENT_STATE_BOOKED);
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), StartOf("a9"))),
            "FAILED_PRECONDITION APPOINTMENT_NOT_HELD");
}

TEST_P(NoteTest, AnotherCoursesSessionIsNotFound) {
  TellCourse("c2", 1, "ada");
  TellAppointment("a2", 1, now_, scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c2");
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), StartOf("a2"))), kNotFound);
  AnswerAppointment("a3", scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c2");
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), StartOf("a3"))), kNotFound);
  EXPECT_EQ(Outcome(notes_.StartNote(By("cy"), StartOf("a1"))), kNotFound);
}

TEST_P(NoteTest, AnAuthorHasOneNoteForASession) {
  const auto first = notes_.StartNote(By("ada"), StartOf("a1", "n1"));
  ASSERT_TRUE(first.ok()) << first.status();
  // Whatever has become of the session, and without asking anyone.
  TellAppointment("a1", 2, now_, scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  const int asked = assessment_.calls;
  EXPECT_EQ(notes_.StartNote(By("ada"), StartOf("a1", "n1"))->name(), first->name());
  EXPECT_EQ(assessment_.calls + scheduling_.calls, asked);
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada"), StartOf("a1", "n2"))),
            "ALREADY_EXISTS RESOURCE_EXISTS");
  EXPECT_EQ(Outcome(notes_.StartNote(By("ada", "another body"), StartOf("a1", "n1"))),
            "FAILED_PRECONDITION REQUEST_ID_REUSED");
  TellAppointment("a1", 3, now_, scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_NE(Start("a1", "bob").name(), first->name());
}

TEST_P(NoteTest, TwoWindowsLoseNothing) {
  const std::string name = Start().name();
  const auto one = Save("ada", name, Written("window one"), 1, 0);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->draft_sequence(), 1);
  EXPECT_EQ(one->etag(), "2");

  for (int64_t sequence : {1, 2, 40}) {
    EXPECT_EQ(Outcome(Save("ada", name, Written("window two"), sequence, 0)), "ABORTED STALE_DRAFT")
        << sequence;
  }
  EXPECT_EQ(Get("ada", name)->content().plan(), "window one");

  const auto merged = Save("ada", name, Written("one and two"), 2, 1);
  ASSERT_TRUE(merged.ok()) << merged.status();
  const auto overtaken = Save("ada", name, Written("window one"), 1, 0);
  ASSERT_TRUE(overtaken.ok()) << overtaken.status();
  EXPECT_EQ(overtaken->draft_sequence(), 2);
  EXPECT_EQ(overtaken->content().plan(), "one and two");
  const auto repeated = Save("ada", name, Written("one and two"), 2, 1);
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->etag(), merged->etag());
  EXPECT_EQ(scheduling_.calls, 0);
}

TEST_P(NoteTest, OfConcurrentSavesOnOneBaseExactlyOneIsKept) {
  const std::string name = Start().name();
  std::vector<std::string> outcomes(8);
  std::vector<std::thread> windows;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    windows.emplace_back([&, i] {
      outcomes[i] = Outcome(Save("ada", name, Written(absl::StrCat("window ", i)), 1, 0));
    });
  }
  for (std::thread& window : windows) window.join();
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "OK"), 1);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "ABORTED STALE_DRAFT"), 7);
  const size_t winner = std::find(outcomes.begin(), outcomes.end(), "OK") - outcomes.begin();
  EXPECT_EQ(Get("ada", name)->content().plan(), absl::StrCat("window ", winner));
}

TEST_P(NoteTest, ATooLongDraftIsRefused) {
  v1::NoteContent content = Written("x");
  content.set_narrative(std::string(256 * 1024, 'x'));
  EXPECT_THAT(Fields(Save("ada", Start().name(), content, 1, 0).status()), ElementsAre("content"));
}

TEST_P(NoteTest, ADraftExistsForItsAuthorAlone) {
  const std::string name = Start().name();
  ASSERT_TRUE(Save("ada", name, Written(kSecret), 1, 0).ok());
  const absl::Status absent = Get("ada", CaseName() + "/notes/none").status();
  for (const char* other : {"bob", "cy", "nobody"}) {
    EXPECT_EQ(Get(other, name).status(), absent) << other;
    EXPECT_EQ(Save(other, name, Written("x"), 2, 1).status(), absent) << other;
    EXPECT_EQ(Sign(By(other), name).status(), absent) << other;
    EXPECT_EQ(Add(By(other), name, "x").status(), absent) << other;
  }
  EXPECT_THAT(Listed("bob"), IsEmpty());
  EXPECT_THAT(Listed("ada"), ElementsAre(name));
  EXPECT_EQ(Due(By("ada")).at(0).draft(), name);
  EXPECT_EQ(Due(By("bob")).at(0).draft(), "");

  // Bob's own does not show to Ada either.
  const std::string bobs = Start("a1", "bob").name();
  EXPECT_THAT(Listed("ada"), ElementsAre(name));
  EXPECT_THAT(Listed("bob"), ElementsAre(bobs));
}

TEST_P(NoteTest, TheAuthorKeepsTheirDraftWhenTheCourseMovesOn) {
  const std::string name = Start().name();
  TellCourse("c1", 2, "cy");
  ASSERT_TRUE(Save("ada", name, Written("x"), 1, 0).ok());
  ASSERT_TRUE(Sign(By("ada"), name).ok());
  EXPECT_TRUE(Get("ada", name).ok());
  EXPECT_TRUE(Get("cy", name).ok());
  EXPECT_EQ(Outcome(Get("bob", name)), kNotFound);
}

TEST_P(NoteTest, TheAuthorKeepsTheirDraftWhileTheReplicaLags) {
  const std::string name = Start("a1", "bob").name();
  lag_ = absl::Hours(1);
  EXPECT_TRUE(Save("bob", name, Written("x"), 1, 0).ok());
  EXPECT_TRUE(Sign(By("bob"), name).ok());
  EXPECT_EQ(Outcome(notes_.StartNote(By("bob"), StartOf("a2"))),
            "UNAVAILABLE CARE_RELATIONS_STALE");
}

TEST_P(NoteTest, SigningNamesTheEntriesThatAreMissing) {
  AnswerAppointment("a5", scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const v1::Note note = Start("a5");
  ASSERT_EQ(note.phase(), v1::NOTE_PHASE_MIDDLE);
  v1::NoteContent content = Written(kSecret);
  content.clear_tried();
  content.clear_focus_kept();
  ASSERT_TRUE(Save("ada", note.name(), content, 1, 0).ok());
  const auto refused = Sign(By("ada"), note.name());
  EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_FIELD");
  EXPECT_THAT(Fields(refused.status()), ElementsAre("content.focus_kept", "content.tried"));
  EXPECT_EQ(Get("ada", note.name())->state(), v1::NOTE_STATE_DRAFT);
}

TEST_P(NoteTest, ASignatureStandsForTheStoredBytesAndBearsBothClocks) {
  const v1::Note note = Signed();
  EXPECT_EQ(note.state(), v1::NOTE_STATE_SIGNED);
  EXPECT_EQ(note.etag(), "3");
  EXPECT_EQ(note.signature().clinician(), Clinician("ada"));
  EXPECT_EQ(time::ToTime(note.signature().sign_time()), now_);
  EXPECT_LT(absl::AbsDuration(time::ToTime(note.signature().machine_time()) - absl::Now()),
            absl::Hours(1));
  EXPECT_EQ(Sha256(CanonicalNote(note)), note.signature().content_sha256());
  EXPECT_EQ(Get("bob", note.name())->SerializeAsString(), note.SerializeAsString());

  v1::VerifyNoteRequest verify;
  verify.set_name(note.name());
  const auto verified = notes_.VerifyNote(By("bob"), verify);
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_TRUE(verified->verified());
  EXPECT_EQ(verified->content_sha256(), note.signature().content_sha256());
  v1::SignatureStatement statement;
  ASSERT_TRUE(statement.ParseFromString(note.signature().statement()));
  EXPECT_EQ(time::ToTime(statement.sign_time()), now_);
  EXPECT_TRUE(statement.has_machine_time());
  EXPECT_EQ(statement.content_sha256(), note.signature().content_sha256());

  const auto event = LastEvent<v1::NoteEvent>(note.name());
  EXPECT_EQ(event.state(), v1::NOTE_STATE_SIGNED);
  EXPECT_EQ(event.appointment(), Appointment("a1"));
  EXPECT_EQ(event.author(), Clinician("ada"));
  EXPECT_THAT(Events(), ElementsAre(CaseName() + " v1", note.name() + " v3"));
}

TEST_P(NoteTest, SigningRepeatsByRequestIdAndElseIsRefused) {
  const std::string name = Start().name();
  ASSERT_TRUE(Save("ada", name, Written("x"), 1, 0).ok());
  EXPECT_EQ(Outcome(Sign(AuthenticatedAgo("ada", absl::Minutes(11)), name)),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
  EXPECT_EQ(Outcome(Sign(By("ada"), name, "", "1")), "ABORTED STALE_ETAG");
  const auto first = Sign(By("ada"), name, "s1", "2");
  ASSERT_TRUE(first.ok()) << first.status();
  const call::CallContext again = AuthenticatedAgo("ada", absl::Hours(1));
  const auto repeated = Sign(again, name, "s1", "2");
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(again.replayed);
  EXPECT_EQ(repeated->SerializeAsString(), first->SerializeAsString());
  EXPECT_EQ(Outcome(Sign(By("ada"), name)), "FAILED_PRECONDITION NOTE_SIGNED");
  EXPECT_EQ(Outcome(Save("ada", name, Written("y"), 2, 1)), "FAILED_PRECONDITION NOTE_SIGNED");
}

TEST_P(NoteTest, AddendaAreSignedAndLeaveTheNoteAsItWas) {
  const std::string draft = Start().name();
  EXPECT_EQ(Outcome(Add(By("ada"), draft, "x")), "FAILED_PRECONDITION NOTE_NOT_SIGNED");
  ASSERT_TRUE(Save("ada", draft, Written("x"), 1, 0).ok());
  const auto note = Sign(By("ada"), draft);
  ASSERT_TRUE(note.ok()) << note.status();
  EXPECT_EQ(Outcome(Add(AuthenticatedAgo("ada", absl::Minutes(11)), draft, "x")),
            "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED");
  EXPECT_THAT(Fields(Add(By("ada"), draft, " ").status()), ElementsAre("text"));

  const auto first = Add(By("ada"), draft, kSecret, "d1");
  ASSERT_TRUE(first.ok()) << first.status();
  call::CallContext later = By("bob");
  later.now = now_ + absl::Hours(1);
  const auto second = Add(later, draft, "by the cover", "d2");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(Add(By("ada"), draft, kSecret, "d1")->addenda_size(), 2);

  const auto read = Get("ada", draft);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->SerializeAsString(), second->SerializeAsString());
  EXPECT_EQ(read->etag(), "5");
  ASSERT_THAT(read->addenda(), SizeIs(2));
  EXPECT_EQ(read->addenda(0).number(), 1);
  EXPECT_EQ(read->addenda(0).text(), kSecret);
  EXPECT_EQ(read->addenda(1).signature().clinician(), Clinician("bob"));
  EXPECT_EQ(read->addenda(1).text(), "by the cover");
  EXPECT_EQ(read->addenda(1).signature().on_behalf_of(), Clinician("ada"));
  EXPECT_EQ(read->addenda(1).signature().content_sha256(),
            Sha256(CanonicalAddendum(draft, note->signature().content_sha256(), read->addenda(1))));
  EXPECT_EQ(Sha256(CanonicalNote(*read)), note->signature().content_sha256());
  EXPECT_EQ(LastEvent<v1::NoteEvent>(draft).addenda(), 2);
  EXPECT_THAT(Events(),
              ElementsAre(CaseName() + " v1", draft + " v3", draft + " v4", draft + " v5"));
  EXPECT_EQ(Outcome(Add(By("cy"), draft, "x")), kNotFound);
}

TEST_P(NoteTest, NotesAreListedBySessionWithTheirAddenda) {
  TellAppointment("a3", 1, now_ - absl::Minutes(5), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  TellAppointment("a2", 1, now_ - absl::Minutes(20), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const std::string third = Signed("a3").name();
  const std::string second = Start("a2").name();
  const std::string first = Signed("a1").name();
  ASSERT_TRUE(Add(By("ada"), first, "x").ok());
  EXPECT_THAT(Listed("ada"), ElementsAre(first, second, third));
  EXPECT_THAT(Listed("bob"), ElementsAre(first, third));
  v1::ListNotesRequest request;
  request.set_parent(CaseName());
  const auto all = notes_.ListNotes(By("bob"), request);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(all->notes(0).addenda(), SizeIs(1));
  EXPECT_THAT(all->notes(1).addenda(), IsEmpty());
  EXPECT_EQ(all->notes(0).SerializeAsString(), Get("ada", first)->SerializeAsString());
  EXPECT_EQ(Outcome(notes_.ListNotes(By("cy"), request)), kNotFound);
}

TEST_P(NoteTest, HeldSessionsWithoutASignedNoteAreDue) {
  TellCourse("c2", 1, "cy");
  TellAppointment("b1", 1, now_, scheduling::v1::APPOINTMENT_STATE_COMPLETED, "c2", "cy");
  TellAppointment("a2", 1, now_ - absl::Hours(72), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  TellAppointment("a3", 1, now_ - absl::Hours(2), scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  TellAppointment("a4", 1, now_ + absl::Hours(2), scheduling::v1::APPOINTMENT_STATE_BOOKED);
  TellAppointment("a5", 1, now_ - absl::Minutes(5), scheduling::v1::APPOINTMENT_STATE_COMPLETED,
                  "c1", "bob");

  const std::vector<v1::DueNote> due = Due(By("ada"), "", /*page_size=*/1);
  ASSERT_THAT(due, SizeIs(3));
  EXPECT_EQ(due[0].appointment(), Appointment("a2"));
  EXPECT_EQ(due[0].case_(), CaseName());
  EXPECT_EQ(due[0].clinician(), Clinician("ada"));
  EXPECT_EQ(time::ToTime(due[0].due_time()), now_ - absl::Hours(24) + absl::Minutes(50));
  EXPECT_TRUE(due[0].overdue());
  EXPECT_EQ(due[1].appointment(), Appointment("a1"));
  EXPECT_FALSE(due[1].overdue());
  EXPECT_EQ(due[2].appointment(), Appointment("a5"));
  EXPECT_THAT(Due(By("ada"), Clinician("bob")), SizeIs(1));
  EXPECT_THAT(Due(By("bob")), SizeIs(3));
  EXPECT_THAT(Due(By("cy")), SizeIs(1));
  EXPECT_THAT(Due(By("nobody")), IsEmpty());

  Signed("a1");
  EXPECT_THAT(Due(By("ada")), SizeIs(2));
  // The organisation's setting counts, and a corrected attendance.
  Tell("acme", "organizations/acme", 2,
       Text<scheduling::v1::OrganizationEvent>(
           "state: ORGANIZATION_STATE_ACTIVE note_due_after { seconds: 360000 }"));
  EXPECT_FALSE(Due(By("ada")).at(0).overdue());
  TellAppointment("a2", 2, now_ - absl::Hours(72), scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  TellAppointment("a2", 1, now_ - absl::Hours(72), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  EXPECT_THAT(Due(By("ada")), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Engines, NoteTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
