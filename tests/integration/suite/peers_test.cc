// A peer that is down: what does not need it works, what needs it says so and which.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/note_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"
#include "tools/rapportctl/story/player.h"

namespace rapport::testing {
namespace {

class PeersTest : public ::testing::Test {
 protected:
  PeersTest() : suite_(sql::Engine::kSqlite) {
    suite_.StartAll();
    caller_ = suite_.NewCaller();
    practice_ = std::make_unique<Practice>(*caller_, "ours");
    const std::string course = practice_->course.name();
    case_ = practice_->Name("cases/" + course.substr(course.rfind('/') + 1));
  }

  // Until notes has heard of the course.
  void AwaitCase() {
    notes::v1::GetCaseRequest request;
    request.set_name(case_);
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (!caller_
                ->Call<notes::v1::Case>(practice_->therapist,
                                        "rapport.notes.v1.CaseService/GetCase", request)
                .ok()) {
      ASSERT_LT(absl::Now(), give_up);
    }
  }

  scheduling::v1::Appointment CheckInTodaysSession() {
    const scheduling::v1::Appointment booked = practice_->Book(*caller_, 1);
    EXPECT_TRUE(
        story::FileClock(suite_.clock_file())(absl::FromUnixSeconds(booked.start_time().seconds()))
            .ok());
    scheduling::v1::CheckInRequest request;
    request.set_name(booked.name());
    auto held = caller_->Call<scheduling::v1::Appointment>(
        practice_->therapist, "rapport.scheduling.v1.AppointmentService/CheckIn", request);
    EXPECT_TRUE(held.ok()) << held.status();
    return held.ok() ? *held : scheduling::v1::Appointment();
  }

  Suite suite_;
  std::unique_ptr<ctl::GrpcCaller> caller_;
  std::unique_ptr<Practice> practice_;
  std::string case_;
};

TEST_F(PeersTest, WithoutNotesBookingWorksAndActivationSaysWhoIsMissing) {
  suite_.Kill("notes");
  EXPECT_FALSE(practice_->Book(*caller_, 5).name().empty());
  scheduling::v1::ActivateCourseRequest request;
  request.set_name(practice_->course.name());
  const auto impatient = suite_.NewCaller(absl::ZeroDuration());
  const absl::Status status =
      impatient
          ->Call<scheduling::v1::Course>(
              practice_->therapist, "rapport.scheduling.v1.CourseService/ActivateCourse", request)
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(errors::Reason(status), "PEER_UNAVAILABLE");
  EXPECT_EQ(errors::MetadataValue(status, "source"), "notes");
}

TEST_F(PeersTest, WithoutTheOthersScoringWorks) {
  suite_.Kill("scheduling");
  suite_.Kill("notes");
  assessment::v1::ScoreRequest request;
  request.set_instrument("instruments/phq-9");
  for (int i = 1; i <= 9; ++i) {
    auto* answer = request.add_answers();
    answer->set_item(i);
    answer->set_value(1);
  }
  const auto scored = caller_->Call<assessment::v1::ScoreResponse>(
      practice_->therapist, "rapport.assessment.v1.ScoringService/Score", request);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->score().total(), 9);
}

TEST_F(PeersTest, WithoutAssessmentANoteStartsAndSaysWhatIsMissing) {
  AwaitCase();
  const scheduling::v1::Appointment held = CheckInTodaysSession();
  suite_.Kill("assessment");
  notes::v1::StartNoteRequest start;
  start.set_parent(case_);
  start.set_appointment(held.name());
  const auto note = caller_->Call<notes::v1::Note>(practice_->therapist,
                                                   "rapport.notes.v1.NoteService/StartNote", start);
  ASSERT_TRUE(note.ok()) << note.status();
  ASSERT_EQ(note->prefill().unavailable_sources_size(), 1);
  EXPECT_EQ(note->prefill().unavailable_sources(0), "assessment");

  suite_.Kill("scheduling");
  notes::v1::SaveDraftRequest save;
  save.set_name(note->name());
  save.mutable_content()->set_plan("Talk to him on Sunday.");
  save.set_sequence(1);
  const auto saved = caller_->Call<notes::v1::Note>(practice_->therapist,
                                                    "rapport.notes.v1.NoteService/SaveDraft", save);
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->content().plan(), "Talk to him on Sunday.");
}

// Assessment was down while a course was made and booked; it catches up when it comes back.
TEST_F(PeersTest, AConsumerThatWasDownCatchesUp) {
  suite_.Kill("assessment");
  const scheduling::v1::Appointment booked = practice_->Book(*caller_, 5);
  suite_.Start("assessment");
  suite_.AwaitReady("assessment");
  assessment::v1::ListDueMeasuresRequest request;
  request.set_parent(practice_->organization);
  request.set_course(practice_->course.name());
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (true) {
    const auto due = caller_->Call<assessment::v1::ListDueMeasuresResponse>(
        practice_->therapist, "rapport.assessment.v1.AssessmentService/ListDueMeasures", request);
    if (due.ok() && due->due_measures_size() > 0) {
      EXPECT_EQ(due->due_measures(0).appointment(), booked.name());
      break;
    }
    ASSERT_LT(absl::Now(), give_up) << due.status();
  }
}

// The course goes on, and says that its suitability is to be looked at.
TEST_F(PeersTest, AReopenedDeterminationMarksTheActiveCourseUntilANewOneIsSigned) {
  AwaitCase();
  notes::v1::SignDeterminationRequest sign;
  sign.set_parent(case_);
  notes::v1::Determination& wanted = *sign.mutable_determination();
  wanted.set_outcome(notes::v1::SUITABILITY_OUTCOME_SUITABLE);
  wanted.set_protocol("protocols/classic/revisions/1");
  wanted.add_reasons()->set_direction(notes::v1::REASON_DIRECTION_FOR);
  wanted.mutable_reasons(0)->set_text("A recent dispute.");
  wanted.set_interpersonal_trigger(notes::v1::ANSWERED_YES);
  wanted.set_patient_preference("Talking.");
  wanted.set_alternatives_offered("Medication.");
  const auto sign_one = [&] {
    const auto made = caller_->Call<notes::v1::Determination>(
        practice_->therapist, "rapport.notes.v1.CaseService/SignDetermination", sign);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? made->name() : "";
  };
  notes::v1::ReopenDeterminationRequest reopen;
  reopen.set_name(sign_one());
  reopen.set_reason("New facts.");

  scheduling::v1::ActivateCourseRequest activate;
  activate.set_name(practice_->course.name());
  const auto active = caller_->Call<scheduling::v1::Course>(
      practice_->therapist, "rapport.scheduling.v1.CourseService/ActivateCourse", activate);
  ASSERT_TRUE(active.ok()) << active.status();
  EXPECT_FALSE(active->suitability_review_due());

  const auto await_due = [&](bool due) {
    scheduling::v1::GetCourseRequest request;
    request.set_name(practice_->course.name());
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (true) {
      const auto course = caller_->Call<scheduling::v1::Course>(
          practice_->therapist, "rapport.scheduling.v1.CourseService/GetCourse", request);
      ASSERT_TRUE(course.ok()) << course.status();
      EXPECT_EQ(course->state(), scheduling::v1::COURSE_STATE_ACTIVE);
      if (course->suitability_review_due() == due) break;
      ASSERT_LT(absl::Now(), give_up);
    }
  };
  const auto reopened = caller_->Call<notes::v1::Determination>(
      practice_->therapist, "rapport.notes.v1.CaseService/ReopenDetermination", reopen);
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  await_due(true);
  sign_one();
  await_due(false);
}

TEST_F(PeersTest, PatientTextReachesNoLog) {
  AwaitCase();
  const std::string canary = "Zyzzogeton";
  notes::v1::CreateGoalRequest goal;
  goal.set_parent(case_);
  goal.mutable_goal()->set_text(canary);
  goal.mutable_goal()->set_realism(notes::v1::REALISM_REALISTIC);
  goal.mutable_goal()->set_realism_rater(notes::v1::REALISM_RATER_BOTH);
  const auto created = caller_->Call<notes::v1::Goal>(
      practice_->therapist, "rapport.notes.v1.CaseService/CreateGoal", goal);
  ASSERT_TRUE(created.ok()) << created.status();
  goal.mutable_goal()->set_realism(static_cast<notes::v1::Realism>(77));
  const absl::Status refused =
      caller_
          ->Call<notes::v1::Goal>(practice_->therapist, "rapport.notes.v1.CaseService/CreateGoal",
                                  goal)
          .status();
  EXPECT_EQ(refused.ToString().find(canary), std::string::npos);
  for (const std::string& service : Suite::Services()) {
    EXPECT_EQ(suite_.Terminate(service), 0);
    EXPECT_EQ(suite_.LogOf(service).find(canary), std::string::npos) << service;
  }
}

}  // namespace
}  // namespace rapport::testing
