#include "services/notes/domain/prefill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rapport::notes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kAppointment[] = "organizations/acme/appointments/a6";
const absl::Time kEnd = absl::FromUnixSeconds(10'000);

scheduling::v1::CourseEvent Course() {
  scheduling::v1::CourseEvent course;
  course.add_measures()->set_instrument("phq-9");
  course.add_measures()->set_instrument("gad-7");
  return course;
}

assessment::v1::Assessment Form(const std::string& id, const std::string& instrument,
                                int64_t seconds, const std::string& appointment = "") {
  assessment::v1::Assessment form;
  form.set_name(id);
  form.set_instrument("instruments/" + instrument + "/revisions/1");
  form.set_etag("1");
  form.mutable_answer_time()->set_seconds(seconds);
  form.set_appointment(appointment);
  form.mutable_score()->set_total(9);
  form.mutable_score()->set_complete(true);
  form.mutable_score()->set_severity("mild");
  return form;
}

std::vector<std::string> Chosen(const std::vector<assessment::v1::Assessment>& forms) {
  std::vector<std::string> names;
  for (const v1::PrefilledScore& score : ChooseScores(Course(), forms, kAppointment, kEnd)) {
    names.push_back(score.source());
  }
  return names;
}

TEST(PrefillTest, TheFormOfTheSessionComesBeforeALaterOne) {
  EXPECT_THAT(Chosen({Form("own", "phq-9", 100, kAppointment), Form("later", "phq-9", 200)}),
              ElementsAre("own"));
}

TEST(PrefillTest, OfTwoFormsForTheSessionTheNewerSpeaks) {
  EXPECT_THAT(Chosen({Form("second", "phq-9", 200, kAppointment),
                      Form("first", "phq-9", 100, kAppointment)}),
              ElementsAre("second"));
}

TEST(PrefillTest, WithoutOneTheNewestBeforeTheSessionsEndSpeaks) {
  EXPECT_THAT(Chosen({Form("old", "phq-9", 100), Form("new", "phq-9", 200),
                      Form("after", "phq-9", 10'001)}),
              ElementsAre("new"));
}

TEST(PrefillTest, IncompleteAndProratedFormsDoNotSpeak) {
  auto incomplete = Form("incomplete", "phq-9", 300, kAppointment);
  incomplete.mutable_score()->set_complete(false);
  auto prorated = Form("prorated", "phq-9", 400, kAppointment);
  prorated.mutable_score()->set_prorated(true);
  EXPECT_THAT(Chosen({Form("whole", "phq-9", 100), incomplete, prorated}), ElementsAre("whole"));
  EXPECT_THAT(Chosen({incomplete, prorated}), IsEmpty());
}

TEST(PrefillTest, OnlyTheProtocolsQuestionnairesInItsOrder) {
  EXPECT_THAT(Chosen({Form("other", "epds", 300), Form("anxiety", "gad-7", 100),
                      Form("mood", "phq-9", 100)}),
              ElementsAre("mood", "anxiety"));
}

TEST(PrefillTest, AScoreIsCopiedWithItsSourceAndVersion) {
  const v1::PrefilledScore score =
      ChooseScores(Course(), {Form("mood", "phq-9", 100)}, kAppointment, kEnd).front();
  EXPECT_EQ(score.source(), "mood");
  EXPECT_EQ(score.source_etag(), "1");
  EXPECT_EQ(score.instrument(), "instruments/phq-9/revisions/1");
  EXPECT_EQ(score.total(), 9);
  EXPECT_EQ(score.severity(), "mild");
  EXPECT_EQ(score.answer_time().seconds(), 100);
}

TEST(PrefillTest, DroppedGoalsAreLeftOut) {
  v1::Goal kept, dropped;
  kept.set_name("kept");
  kept.set_etag("3");
  kept.set_text("talk about money");
  kept.set_progress_percent(40);
  dropped.set_status(v1::GOAL_STATUS_DROPPED);
  const std::vector<v1::PrefilledGoal> goals = PrefillGoals({kept, dropped});
  ASSERT_EQ(goals.size(), 1u);
  EXPECT_EQ(goals[0].source(), "kept");
  EXPECT_EQ(goals[0].source_etag(), "3");
  EXPECT_EQ(goals[0].text(), "talk about money");
  EXPECT_EQ(goals[0].progress_percent(), 40);
}

}  // namespace
}  // namespace rapport::notes
