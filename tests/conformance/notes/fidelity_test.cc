#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "services/notes/rpc/entry_handlers.h"
#include "tests/conformance/notes/supervision_fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kNotShared[] = "PERMISSION_DENIED FIDELITY_NOT_SHARED";

class FidelityServiceTest : public SupervisionTest {
 protected:
  absl::StatusOr<v1::SessionFidelity> Of(const std::string& subject, const std::string& note) {
    v1::GetSessionFidelityRequest request;
    request.set_name(note);
    return fidelity_.GetSessionFidelity(By(subject), request);
  }
  absl::StatusOr<v1::CourseFidelity> Course(const std::string& subject,
                                            const std::string& clinician = "") {
    v1::GetCourseFidelityRequest request;
    request.set_name(CaseName());
    if (!clinician.empty()) request.set_clinician(Clinician(clinician));
    return fidelity_.GetCourseFidelity(By(subject), request);
  }
  absl::StatusOr<v1::FidelityShare> Share(const std::string& subject,
                                          std::initializer_list<std::string> notes = {},
                                          const std::string& request_id = "") {
    v1::ShareFidelityRequest request;
    request.set_name(CaseName());
    for (const std::string& note : notes) request.add_notes(note);
    request.set_request_id(request_id);
    return fidelity_.ShareFidelity(By(subject), request);
  }
  absl::StatusOr<v1::SessionRating> Rate(const std::string& subject, const std::string& note,
                                         const std::string& result = "FIDELITY_RESULT_MET",
                                         const std::string& request_id = "") {
    v1::RateSessionRequest request;
    request.set_parent(note);
    *request.mutable_rating() = Text<v1::SessionRating>(absl::StrCat(
        "criteria { criterion: 'focus-kept' result: ", result,
        " } criteria { criterion: 'non-transferential' result: FIDELITY_RESULT_MET } text: '",
        kSecret, "'"));
    request.set_request_id(request_id);
    return fidelity_.RateSession(By(subject), request);
  }
  absl::StatusOr<v1::FidelityPolicy> SetPolicy(const std::string& text) {
    v1::SetFidelityPolicyRequest request;
    *request.mutable_fidelity_policy() = Text<v1::FidelityPolicy>(text);
    request.mutable_fidelity_policy()->set_organization("organizations/acme");
    return fidelity_.SetFidelityPolicy(By("ada"), request);
  }
  static std::map<std::string, v1::FidelityResult> Results(const v1::SessionFidelity& told) {
    std::map<std::string, v1::FidelityResult> results;
    for (const auto& finding : told.findings()) results[finding.criterion()] = finding.result();
    return results;
  }
};

TEST_P(FidelityServiceTest, TheTherapistSeesItFirstAndTheSupervisorWhenItIsShared) {
  const v1::Note note = Signed();
  const auto own = Of("ada", note.name());
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->note_version(), 1);
  EXPECT_EQ(own->phase(), v1::NOTE_PHASE_INITIAL);
  EXPECT_EQ(Results(*own).at("mood-event-link"), v1::FIDELITY_RESULT_MET);
  EXPECT_EQ(Results(*own).at("score-used"), v1::FIDELITY_RESULT_UNKNOWN);
  EXPECT_EQ(Results(*own).at("time-budget"), v1::FIDELITY_RESULT_UNKNOWN)
      << "the template's minutes are nobody's word";
  EXPECT_TRUE(own->has_history_ceiling_percent());
  EXPECT_EQ(own->percent(), 100);

  EXPECT_EQ(Outcome(Of("sue", note.name())), kNotShared);
  EXPECT_EQ(Outcome(Of("bob", note.name())), kNotShared) << "covers, but did not hold it";
  EXPECT_EQ(Outcome(Of("tom", note.name())), kNotFound);
  EXPECT_EQ(Outcome(Of("cy", note.name())), kNotFound);
  EXPECT_EQ(Outcome(Of("ada", CaseName() + "/notes/none")), kNotFound);

  const auto share = Share("ada", {note.name()}, "once");
  ASSERT_TRUE(share.ok()) << share.status();
  EXPECT_THAT(share->notes(), ElementsAre(note.name()));
  EXPECT_EQ(Share("ada", {note.name()}, "once")->notes_size(), 1);
  const auto seen = Of("sue", note.name());
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->percent(), own->percent());
  EXPECT_EQ(Outcome(Of("bob", note.name())), kNotShared);
}

TEST_P(FidelityServiceTest, ByTheOrganisationsRuleTheSupervisorSeesItAfterAWhile) {
  const v1::Note note = Signed();
  EXPECT_EQ(Outcome(SetPolicy("delay_days: 3")), "INVALID_ARGUMENT INVALID_FIELD");
  const auto policy = SetPolicy("visibility: FIDELITY_VISIBILITY_AFTER_SIGNING delay_days: 3");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->etag(), "1");
  EXPECT_EQ(LastEvent<v1::FidelityPolicyEvent>("organizations/acme/fidelityPolicy").delay_days(),
            3);
  EXPECT_EQ(Outcome(Of("sue", note.name())), kNotShared);
  now_ += absl::Hours(73);
  EXPECT_TRUE(Of("sue", note.name()).ok());
  EXPECT_EQ(Outcome(SetPolicy("etag: '7'")), "ABORTED STALE_ETAG");
  ASSERT_TRUE(SetPolicy("visibility: FIDELITY_VISIBILITY_ON_SHARING etag: '1'").ok());
  EXPECT_EQ(Outcome(Of("sue", note.name())), kNotShared);
  v1::GetFidelityPolicyRequest get;
  get.set_name("organizations/acme");
  EXPECT_EQ(fidelity_.GetFidelityPolicy(By("sue"), get)->etag(), "2");
}

TEST_P(FidelityServiceTest, NothingIsKnownBeforeTheSignature) {
  const v1::Note note = Start();
  EXPECT_EQ(Outcome(Of("ada", note.name())), "FAILED_PRECONDITION NOTE_NOT_SIGNED");
  EXPECT_EQ(Outcome(Of("sue", note.name())), kNotFound) << "the draft is its author's alone";
  EXPECT_EQ(Outcome(Rate("ada", note.name())), "FAILED_PRECONDITION NOTE_NOT_SIGNED");
  EXPECT_EQ(Outcome(Rate("sue", note.name())), kNotFound);
}

TEST_P(FidelityServiceTest, ARatingStandsBesideWhatWasReckoned) {
  const v1::Note note = Signed();
  const auto self = Rate("ada", note.name(), "FIDELITY_RESULT_NOT_MET", "r1");
  ASSERT_TRUE(self.ok()) << self.status();
  EXPECT_EQ(self->kind(), v1::RATER_KIND_SELF);
  EXPECT_EQ(self->percent(), 50);
  EXPECT_EQ(Rate("ada", note.name(), "FIDELITY_RESULT_NOT_MET", "r1")->name(), self->name());
  now_ += absl::Minutes(5);
  const auto other = Rate("sue", note.name());
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(other->kind(), v1::RATER_KIND_SUPERVISOR);
  EXPECT_EQ(Outcome(Rate("bob", note.name())), "PERMISSION_DENIED NOT_THE_RATER");
  EXPECT_EQ(Outcome(Rate("cy", note.name())), kNotFound);
  EXPECT_EQ(Outcome(Rate("ada", note.name(), "FIDELITY_RESULT_UNSPECIFIED")),
            "INVALID_ARGUMENT INVALID_FIELD");
  now_ += absl::Minutes(5);
  ASSERT_TRUE(Rate("ada", note.name()).ok());

  const auto told = Of("ada", note.name());
  ASSERT_THAT(told->ratings(), SizeIs(2)) << "the newest of each";
  EXPECT_EQ(told->ratings(0).kind(), v1::RATER_KIND_SELF);
  EXPECT_EQ(told->ratings(0).percent(), 100);
  EXPECT_EQ(told->ratings(0).text(), kSecret);
  EXPECT_EQ(told->ratings(1).name(), other->name());
  for (const std::string& event : Events())
    EXPECT_THAT(event, Not(::testing::HasSubstr("ratings")));
}

TEST_P(FidelityServiceTest, TheDatabaseKeepsRatingsAndShares) {
  const v1::Note note = Signed();
  ASSERT_TRUE(Rate("ada", note.name()).ok());
  ASSERT_TRUE(Share("ada").ok());
  static const sql::Statement kStatements[] = {
      {"test.fidelity.rating_update",
       "UPDATE session_rating SET percent = 1 WHERE organization_id = $1"},
      {"test.fidelity.rating_delete", "DELETE FROM session_rating WHERE organization_id = $1"},
      {"test.fidelity.share_update",
       "UPDATE fidelity_share SET share_time = 1 WHERE organization_id = $1"},
      {"test.fidelity.share_delete", "DELETE FROM fidelity_share WHERE organization_id = $1"},
  };
  for (const sql::Statement& statement : kStatements) {
    EXPECT_FALSE(Run(statement, {sql::Text("acme")}).ok()) << statement.name();
  }
}

TEST_P(FidelityServiceTest, TheCourseIsReckonedFromItsSignedNotes) {
  TellCourse("c1", 2, "ada",
             "phases { phase: PHASE_MAINTENANCE first_session: 17 last_session: 17 "
             "tasks { id: 'new-contract' } }");
  const v1::Note first = Signed();
  TellAppointment("a2", 1, now_ + absl::Hours(1), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  TellAppointment("a3", 1, now_ + absl::Hours(2), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const v1::Note second = Start("a2");
  v1::NoteContent content = Written("x");
  content.set_score_reviewed(v1::OBSERVED_NO);
  content.add_tasks_done("risk");
  *content.add_minutes() = Text<v1::Minutes>("use: TIME_USE_HISTORY minutes: 45");
  ASSERT_TRUE(Save("ada", second.name(), content, 1, 0).ok());
  ASSERT_TRUE(Sign(By("ada"), second.name()).ok());

  const auto told = Course("ada");
  ASSERT_TRUE(told.ok()) << told.status();
  ASSERT_THAT(told->sessions(), SizeIs(2));
  EXPECT_EQ(told->sessions(1).history_percent(), 90);
  EXPECT_EQ(told->sessions_without_note(), 1);
  EXPECT_EQ(told->clinician(), Clinician("ada"));
  for (const auto& summary : told->criteria()) {
    if (summary.criterion() == "score-used") {
      EXPECT_EQ(summary.not_met(), 1);
      EXPECT_EQ(summary.unknown(), 1);
      EXPECT_EQ(summary.result(), v1::FIDELITY_RESULT_NOT_MET);
    }
    if (summary.criterion() == "time-budget") {
      EXPECT_EQ(summary.not_met(), 1);
    }
  }

  EXPECT_EQ(Outcome(Course("sue")), kNotShared);
  EXPECT_EQ(Outcome(Course("bob", "ada")), kNotShared);
  EXPECT_EQ(Outcome(Course("cy")), kNotFound);
  EXPECT_THAT(Course("bob")->sessions(), SizeIs(0)) << "his own, of which there are none";
  ASSERT_TRUE(Share("ada", {first.name()}).ok());
  const auto shared = Course("sue");
  ASSERT_TRUE(shared.ok()) << shared.status();
  EXPECT_THAT(shared->sessions(), SizeIs(1));
  EXPECT_EQ(shared->sessions_not_shared(), 1);
  ASSERT_TRUE(Share("ada").ok());
  EXPECT_THAT(Course("sue")->sessions(), SizeIs(2));
  lag_ = absl::Hours(1);
  EXPECT_EQ(Outcome(Course("sue")), "UNAVAILABLE CARE_RELATIONS_STALE");
  EXPECT_TRUE(Course("ada").ok());
}

TEST_P(FidelityServiceTest, OnlyOnesOwnNotesAreShared) {
  const v1::Note note = Signed();
  EXPECT_EQ(Outcome(Share("sue")), "PERMISSION_DENIED NOT_THE_THERAPIST");
  EXPECT_EQ(Outcome(Share("bob", {note.name()})), "INVALID_ARGUMENT INVALID_FIELD");
  EXPECT_EQ(Outcome(Share("ada", {CaseName() + "/notes/none"})), "INVALID_ARGUMENT INVALID_FIELD");
  ASSERT_TRUE(Share("bob").ok()) << "his own";
  EXPECT_EQ(Outcome(Of("sue", note.name())), kNotShared);
}

TEST_P(FidelityServiceTest, TheClinicsCeilingAndEntriesCount) {
  TellCourse("c1", 2, "ada", "clinic: 'organizations/acme/clinics/north'");
  const auto policy = Text<v1::NotePolicy>(
      "clinic: 'organizations/acme/clinics/north' "
      "history_ceilings { phase: NOTE_PHASE_INITIAL percent: 5 }");
  Tell("acme", "organizations/acme/clinics/north", 1,
       Text<scheduling::v1::ClinicEvent>("time_zone: 'Europe/London'"));
  const v1::Note note = Signed();
  const int before = Of("ada", note.name())->history_ceiling_percent();
  EXPECT_EQ(before, 40);
  static const sql::Statement kPut{
      "test.fidelity.note_policy",
      "INSERT INTO note_policy (organization_id, clinic, version, update_time, document) "
      "VALUES ($1, $2, 1, 0, $3)"};
  ASSERT_TRUE(Run(kPut, {sql::Text("acme"), sql::Text("organizations/acme/clinics/north"),
                         sql::Bytes(policy.SerializeAsString())})
                  .ok());
  EXPECT_EQ(Of("ada", note.name())->history_ceiling_percent(), 5);

  EntryHandlers entries(*database_, access_, vault_);
  v1::CreateEntryRequest create;
  create.set_parent(CaseName());
  *create.mutable_entry() = Text<v1::Entry>(
      "relationship { person: 'Anna' kind: RELATIONSHIP_KIND_FRIEND "
      "status: RELATIONSHIP_STATUS_CURRENT }");
  create.mutable_entry()->set_appointment(Appointment("a1"));
  const auto entry = entries.CreateEntry(By("ada"), create);
  ASSERT_TRUE(entry.ok()) << entry.status();
  TellCourse("c1", 3, "ada",
             "clinic: 'organizations/acme/clinics/north' phases { phase: PHASE_INITIAL "
             "first_session: 1 last_session: 3 tasks { id: 'interpersonal-inventory' } }");
  const auto told = Of("ada", note.name());
  for (const auto& finding : told->findings()) {
    if (finding.criterion() != "phase-tasks") continue;
    EXPECT_EQ(finding.result(), v1::FIDELITY_RESULT_MET);
    EXPECT_THAT(finding.evidence(), ElementsAre(entry->name()));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, FidelityServiceTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
