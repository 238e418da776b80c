#include "services/notes/domain/supervision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "google/protobuf/text_format.h"
#include "services/notes/data/fidelity/fidelity_rules.h"
#include "services/notes/domain/sampling.h"

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr char kAda[] = "organizations/acme/clinicians/ada";

template <class Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

std::vector<std::string> Fields(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const auto& violation : errors::FieldViolations(status)) fields.push_back(violation.field);
  return fields;
}

TEST(CaseloadTest, NeedsAreWeighedOnceEachAndTheHeaviestComesFirst) {
  v1::CaseloadItem item;
  AddNeed(item, v1::CASE_NEED_KIND_NOTE_OVERDUE, 3);
  AddNeed(item, v1::CASE_NEED_KIND_COSIGNATURE, 0);
  AddAssessedNeeds(Text<assessment::v1::CourseNeeds>(R"(
      alerts { alert: 'x/1' severity: ALERT_SEVERITY_SAME_DAY create_time { seconds: 100 } }
      alerts { alert: 'x/2' severity: ALERT_SEVERITY_SAME_DAY create_time { seconds: 200 } }
      flags { kind: PROGRESS_FLAG_KIND_ON_TRACK holds: true }
      flags { kind: PROGRESS_FLAG_KIND_NON_RESPONSE holds: false }
      flags { kind: PROGRESS_FLAG_KIND_NOT_ON_TRACK holds: true rule: 'fall below 5'
              evidence: 'borrowed' })"),
                   item);
  WeighNeeds(ShippedSupervisionRules(), item);
  ASSERT_THAT(item.needs(), SizeIs(3));
  EXPECT_EQ(item.needs(0).kind(), v1::CASE_NEED_KIND_ALERT_SAME_DAY);
  EXPECT_EQ(item.needs(0).count(), 2);
  EXPECT_EQ(item.needs(0).subject(), "x/1");
  EXPECT_EQ(item.needs(0).since_time().seconds(), 100);
  EXPECT_EQ(item.needs(1).rule(), "fall below 5 (borrowed)");
  EXPECT_EQ(item.needs(2).kind(), v1::CASE_NEED_KIND_NOTE_OVERDUE);
  EXPECT_EQ(item.need_weight(), 500 + 80 + 30);

  v1::CaseloadItem calm;
  calm.set_case_("a");
  EXPECT_TRUE(ComesBefore(item, calm));
  EXPECT_FALSE(ComesBefore(calm, item));
}

TEST(SupervisionSessionTest, ChecksTimeCasesAndMinutes) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  auto session = Text<v1::SupervisionSession>(R"(
      supervisor: 'organizations/acme/clinicians/sue' start_time { seconds: 990000 } minutes: 60
      cases { case: 'organizations/acme/cases/c1' minutes: 40 }
      cases { case: 'organizations/acme/cases/c2' minutes: 20 })");
  EXPECT_TRUE(CheckSupervisionSession(session, kAda, now).ok());
  session.set_supervisor(kAda);
  session.mutable_start_time()->set_seconds(1'000'001);
  session.mutable_cases(1)->set_case_("organizations/acme/cases/c1");
  session.mutable_cases(1)->set_minutes(21);
  EXPECT_THAT(
      Fields(CheckSupervisionSession(session, kAda, now)),
      UnorderedElementsAre("supervision_session.supervisor", "supervision_session.start_time",
                           "supervision_session.cases[1].case", "supervision_session.cases"));
}

class RecordingTest : public ::testing::Test {
 protected:
  const RecordedSession session_{
      .day = absl::CivilDay(2026, 3, 4),
      .patients = {"organizations/acme/patients/p1", "organizations/acme/patients/p2"},
      .retention_max_days = 30};
  v1::SessionRecording recording_ = Text<v1::SessionRecording>(R"(
      consents { patient: 'organizations/acme/patients/p1'
                 consent_date { year: 2026 month: 3 day: 4 } }
      consents { patient: 'organizations/acme/patients/p2'
                 consent_date { year: 2026 month: 2 day: 1 } }
      retain_until_date { year: 2026 month: 4 day: 3 })");
};

TEST_F(RecordingTest, EveryoneMustHaveAgreedBefore) {
  EXPECT_TRUE(CheckRecording(recording_, session_).ok());
  v1::SessionRecording late = recording_;
  late.mutable_consents(0)->mutable_consent_date()->set_day(5);
  late.mutable_consents(1)->set_patient("organizations/acme/patients/p3");
  late.mutable_retain_until_date()->set_day(4);
  EXPECT_THAT(Fields(CheckRecording(late, session_)),
              ElementsAre("recording.consents[0].consent_date", "recording.consents[1].patient",
                          "recording.retain_until_date"));
  recording_.mutable_consents()->RemoveLast();
  EXPECT_EQ(errors::Reason(CheckRecording(recording_, session_)), "RECORDING_CONSENT_MISSING");
}

TEST_F(RecordingTest, IsDueForDeletionAfterItsDayOnWithdrawalAndOnErasure) {
  const absl::CivilDay last(2026, 4, 3);
  EXPECT_EQ(StateOf(recording_, last), v1::RECORDING_STATE_KEPT);
  EXPECT_EQ(StateOf(recording_, last + 1), v1::RECORDING_STATE_DUE_FOR_DELETION);
  v1::SessionRecording erased = recording_;
  erased.set_erased(true);
  EXPECT_EQ(StateOf(erased, last), v1::RECORDING_STATE_DUE_FOR_DELETION);
  recording_.mutable_withdraw_time()->set_seconds(1);
  EXPECT_EQ(StateOf(recording_, last), v1::RECORDING_STATE_DUE_FOR_DELETION);
  recording_.mutable_delete_time()->set_seconds(2);
  EXPECT_EQ(StateOf(recording_, last), v1::RECORDING_STATE_DELETED);
}

v1::Portfolio TwoCases() {
  return Text<v1::Portfolio>(R"(
      supervision_sessions: 9
      cases { case: 'c1' problem_areas: PROBLEM_AREA_KIND_GRIEF sessions_held: 16
              sessions_recorded: 16 sessions_supervised: 12 supervision_minutes: 240
              recordings_drawn: 3 formulation_agreed: true inventory: true self_percent: 80 }
      cases { case: 'c2' problem_areas: PROBLEM_AREA_KIND_ROLE_DISPUTE sessions_held: 12
              sessions_recorded: 12 sessions_supervised: 9 supervision_minutes: 300
              recordings_drawn: 4 ended: true formulation_agreed: true inventory: true }
      cases { case: 'c3' problem_areas: PROBLEM_AREA_KIND_GRIEF sessions_held: 2 }
      cases { case: 'c4' })");
}

std::vector<std::string> Checks(const v1::Portfolio& portfolio) {
  std::vector<std::string> checks;
  for (const auto& check : portfolio.checks()) {
    checks.push_back(absl::StrCat(check.requirement(), " ", check.actual(), "/", check.required(),
                                  check.result() == v1::FIDELITY_RESULT_MET       ? " met"
                                  : check.result() == v1::FIDELITY_RESULT_UNKNOWN ? " unknown"
                                                                                  : ""));
  }
  return checks;
}

TEST(RequirementsTest, TheOlderLevelBCountsTheCasesThatMeetMost) {
  const auto* level_b = FindRequirements(ShippedSupervisionRules(), "uk-level-b-older");
  ASSERT_NE(level_b, nullptr);
  v1::Portfolio portfolio = TwoCases();
  CheckRequirements(*level_b, true, portfolio);
  EXPECT_THAT(Checks(portfolio),
              ElementsAre("cases 3/2 met", "areas 2/2 met", "sessions-recorded 12/12 met",
                          "random-recordings 3/3 met", "supervised-sessions 9/9 met",
                          "supervision-minutes 240/240 met"));
  EXPECT_TRUE(portfolio.checks(1).preferred());
  EXPECT_THAT(portfolio.citations(), SizeIs(1));

  portfolio = TwoCases();
  portfolio.mutable_cases(1)->set_ended(false);
  CheckRequirements(*level_b, true, portfolio);
  EXPECT_EQ(Checks(portfolio)[4], "supervised-sessions 9/12") << "it may yet go on";

  v1::Portfolio alone;
  *alone.add_cases() = TwoCases().cases(0);
  CheckRequirements(*level_b, true, alone);
  EXPECT_EQ(Checks(alone)[0], "cases 1/2");
  EXPECT_EQ(Checks(alone)[3], "random-recordings 0/3") << "the other case has none";
}

TEST(RequirementsTest, ARatingThatIsNotSharedIsUnknownToTheSupervisor) {
  const auto* institute = FindRequirements(ShippedSupervisionRules(), "ipt-institute");
  ASSERT_NE(institute, nullptr);
  v1::Portfolio portfolio = TwoCases();
  CheckRequirements(*institute, false, portfolio);
  EXPECT_THAT(Checks(portfolio), ElementsAre("cases 3/2 met", "supervision-sessions 9/10",
                                             "portfolio-parts 1/2 unknown"));
  portfolio = TwoCases();
  CheckRequirements(*institute, true, portfolio);
  EXPECT_EQ(Checks(portfolio)[2], "portfolio-parts 1/2");
  EXPECT_EQ(FindRequirements(ShippedSupervisionRules(), "none"), nullptr);
}

std::string Bytes(absl::string_view hex) { return absl::HexStringToBytes(hex); }

v1::RecordingSelection Drawn() {
  v1::RecordingSelection selection;
  selection.set_name("organizations/acme/cases/c1/recordingSelections/s1");
  selection.set_count(2);
  selection.set_seed(std::string(32, '\x07'));
  selection.set_commitment(CommitmentTo(selection.name(), selection.seed()));
  selection.mutable_draw_time()->set_seconds(1);
  std::vector<std::string> names;
  for (int i = 1; i <= 5; ++i) {
    names.push_back(absl::StrCat("organizations/acme/cases/c1/recordings/r", i));
  }
  selection.mutable_candidates()->Assign(names.begin(), names.end());
  const auto chosen = Choose(selection.seed(), names, 2);
  selection.mutable_chosen()->Assign(chosen.begin(), chosen.end());
  return selection;
}

// Made with Python's hashlib, by the words of RecordingSelection.
TEST(SamplingTest, IsWhatItsDescriptionSays) {
  EXPECT_EQ(
      CommitmentTo("organizations/acme/cases/c1/recordingSelections/s1", std::string(32, '\x07')),
      Bytes("39e2e519859eaf1c8f5814e2a5406f452c7b66aa7b0bec8381071a6d6cf1d5b3"));
  EXPECT_THAT(Drawn().chosen(), ElementsAre("organizations/acme/cases/c1/recordings/r4",
                                            "organizations/acme/cases/c1/recordings/r3"));
}

TEST(SamplingTest, TheOrderOfTheCandidatesDoesNotMatter) {
  EXPECT_EQ(Choose("seed", {"a", "b", "c", "d"}, 2), Choose("seed", {"d", "c", "b", "a"}, 2));
  EXPECT_THAT(Choose("seed", {"a", "b"}, 5), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(Choose("seed", {}, 5), IsEmpty());
}

TEST(SamplingTest, ChoosesEachAboutAsOften) {
  std::map<std::string, int> times;
  for (int i = 0; i < 3000; ++i) {
    for (const std::string& name : Choose(absl::StrCat(i), {"a", "b", "c", "d", "e"}, 2)) {
      ++times[name];
    }
  }
  for (const auto& [name, count] : times) EXPECT_NEAR(count, 1200, 120) << name;
}

TEST(SamplingTest, AnyChangeAfterwardsShows) {
  EXPECT_EQ(ProofOf(Drawn()), v1::SELECTION_PROOF_VERIFIED);
  v1::RecordingSelection changed = Drawn();
  changed.set_seed(std::string(32, '\x08'));
  EXPECT_EQ(ProofOf(changed), v1::SELECTION_PROOF_SEED_DIFFERS);
  changed = Drawn();
  changed.set_name("organizations/acme/cases/c1/recordingSelections/s2");
  EXPECT_EQ(ProofOf(changed), v1::SELECTION_PROOF_SEED_DIFFERS) << "bound to its own selection";
  changed = Drawn();
  changed.mutable_chosen()->SwapElements(0, 1);
  EXPECT_EQ(ProofOf(changed), v1::SELECTION_PROOF_CHOICE_DIFFERS);
  changed = Drawn();
  changed.add_candidates("organizations/acme/cases/c1/recordings/r9");
  changed.mutable_chosen(1)->append("x");
  EXPECT_EQ(ProofOf(changed), v1::SELECTION_PROOF_CHOICE_DIFFERS);
  changed = Drawn();
  changed.clear_draw_time();
  EXPECT_EQ(ProofOf(changed), v1::SELECTION_PROOF_NOT_DRAWN);
}

}  // namespace
}  // namespace rapport::notes
