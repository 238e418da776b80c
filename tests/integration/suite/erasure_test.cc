// A patient is erased in all three services, whichever of them is killed in between.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "rapport/assessment/v1/assessment_service.pb.h"
#include "rapport/common/v1/privacy_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "tests/integration/suite/practice.h"
#include "tests/integration/suite/suite.h"

namespace rapport::testing {
namespace {

constexpr char kSecret[] = "SECRET OF THE PATIENT";
constexpr char kPrivacy[] = "rapport.common.v1.PrivacyService/";
constexpr char kCases[] = "rapport.notes.v1.CaseService/";
constexpr char kAssessments[] = "rapport.assessment.v1.AssessmentService/";

class ErasureTest : public ::testing::TestWithParam<sql::Engine> {};

// Repeats `call` until it is OK; fails the test after 20 s.
template <class Response>
Response Eventually(const std::function<absl::StatusOr<Response>()>& call) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (true) {
    const absl::StatusOr<Response> response = call();
    if (response.ok()) return *response;
    if (absl::Now() > give_up) {
      ADD_FAILURE() << response.status();
      return Response();
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
}

TEST_P(ErasureTest, EveryServiceDoesItsPartWhicheverIsKilled) {
  Suite suite(GetParam());
  suite.StartAll();
  const auto caller = suite.NewCaller();
  const Practice practice(*caller, "erasure");
  const ctl::Identity officer{"olga", practice.organization_id, {"privacy_officer"}};
  const std::string patient = practice.course.patient();
  const std::string case_name = practice.Name(
      absl::StrCat("cases/", practice.course.name().substr(practice.course.name().rfind('/') + 1)));

  notes::v1::CreateGoalRequest goal;
  goal.set_parent(case_name);
  goal.mutable_goal()->set_text(kSecret);
  goal.mutable_goal()->set_realism(notes::v1::REALISM_REALISTIC);
  goal.mutable_goal()->set_realism_rater(notes::v1::REALISM_RATER_BOTH);
  Eventually<notes::v1::Goal>([&] {
    return caller->Call<notes::v1::Goal>(practice.therapist, absl::StrCat(kCases, "CreateGoal"),
                                         goal);
  });
  assessment::v1::RecordAssessmentRequest record;
  record.set_parent(practice.organization);
  record.mutable_assessment()->set_course(practice.course.name());
  record.mutable_assessment()->set_instrument("instruments/phq-9");
  record.mutable_assessment()->set_administration(assessment::v1::ADMINISTRATION_CLINICIAN);
  for (int item = 1; item <= 9; ++item) {
    assessment::v1::Answer& answer = *record.mutable_assessment()->add_answers();
    answer.set_item(item);
    answer.set_value(item == 9 ? 0 : 1);
  }
  Eventually<assessment::v1::RecordAssessmentResponse>([&] {
    return caller->Call<assessment::v1::RecordAssessmentResponse>(
        practice.therapist, absl::StrCat(kAssessments, "RecordAssessment"), record);
  });

  // A hold beats it.
  common::v1::PlaceHoldRequest place;
  place.set_parent(practice.organization);
  place.mutable_legal_hold()->set_patient(patient);
  place.mutable_legal_hold()->set_reason("A court asks for the records.");
  const auto hold =
      caller->Call<common::v1::LegalHold>(officer, absl::StrCat(kPrivacy, "PlaceHold"), place);
  ASSERT_TRUE(hold.ok()) << hold.status();
  common::v1::ErasePatientRequest erase;
  erase.set_parent(practice.organization);
  erase.set_patient(patient);
  erase.set_ground(common::v1::ERASURE_GROUND_PATIENT_REQUEST);
  erase.set_request_id("erase");
  const auto send = [&] {
    return caller->Call<common::v1::Erasure>(officer, absl::StrCat(kPrivacy, "ErasePatient"),
                                             erase);
  };
  const absl::Status refused = send().status();
  EXPECT_EQ(errors::Reason(refused), "LEGAL_HOLD");
  EXPECT_EQ(errors::MetadataValue(refused, "hold"), hold->name());
  common::v1::ReleaseHoldRequest release;
  release.set_name(hold->name());
  release.set_reason("The court is done.");
  ASSERT_TRUE(
      caller->Call<common::v1::LegalHold>(officer, absl::StrCat(kPrivacy, "ReleaseHold"), release)
          .ok());

  // Notes begins while the others are down, and is itself killed before anyone hears of it.
  suite.Kill("assessment");
  suite.Kill("scheduling");
  const auto erasure = send();
  ASSERT_TRUE(erasure.ok()) << erasure.status();
  EXPECT_EQ(erasure->state(), common::v1::ERASURE_STATE_UNDER_WAY);
  suite.Kill("notes");
  suite.Start("notes");
  suite.AwaitReady("notes");
  EXPECT_EQ(send()->name(), erasure->name()) << "repeated";

  common::v1::GetErasureRequest get;
  get.set_name(erasure->name());
  const auto await = [&](int confirmed) {
    return Eventually<common::v1::Erasure>([&]() -> absl::StatusOr<common::v1::Erasure> {
      auto now =
          caller->Call<common::v1::Erasure>(officer, absl::StrCat(kPrivacy, "GetErasure"), get);
      if (!now.ok()) return now;
      int parts = 0;
      for (const common::v1::ErasurePart& part : now->parts()) parts += part.confirmed() ? 1 : 0;
      if (parts >= confirmed) return now;
      return absl::UnavailableError(absl::StrCat(parts, " have confirmed"));
    });
  };
  suite.Start("scheduling");
  EXPECT_EQ(await(2).state(), common::v1::ERASURE_STATE_UNDER_WAY);
  suite.Kill("scheduling");
  suite.Kill("notes");
  suite.Start("assessment");
  suite.Start("scheduling");
  suite.Start("notes");
  const common::v1::Erasure done = await(3);
  EXPECT_EQ(done.state(), common::v1::ERASURE_STATE_DONE);
  EXPECT_TRUE(done.has_done_time());

  notes::v1::ListGoalsRequest goals;
  goals.set_parent(case_name);
  const auto listed = Eventually<notes::v1::ListGoalsResponse>([&] {
    return caller->Call<notes::v1::ListGoalsResponse>(practice.therapist,
                                                      absl::StrCat(kCases, "ListGoals"), goals);
  });
  ASSERT_EQ(listed.goals_size(), 1);
  EXPECT_TRUE(listed.goals(0).erased());
  EXPECT_EQ(listed.DebugString().find(kSecret), std::string::npos);
  assessment::v1::ListAssessmentsRequest forms;
  forms.set_parent(practice.organization);
  forms.set_course(practice.course.name());
  EXPECT_EQ(Eventually<assessment::v1::ListAssessmentsResponse>([&] {
              return caller->Call<assessment::v1::ListAssessmentsResponse>(
                  practice.therapist, absl::StrCat(kAssessments, "ListAssessments"), forms);
            }).assessments_size(),
            0);
  scheduling::v1::GetCourseRequest course;
  course.set_name(practice.course.name());
  EXPECT_EQ(Eventually<scheduling::v1::Course>([&] {
              return caller->Call<scheduling::v1::Course>(
                  practice.therapist, "rapport.scheduling.v1.CourseService/GetCourse", course);
            })
                .patient_particulars()
                .birth_year(),
            0);
}

INSTANTIATE_TEST_SUITE_P(Engines, ErasureTest,
                         ::testing::Values(sql::Engine::kSqlite, sql::Engine::kPostgres),
                         [](const auto& engine) {
                           return engine.param == sql::Engine::kSqlite ? "Sqlite" : "Postgres";
                         });

}  // namespace
}  // namespace rapport::testing
