#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class PlansTest : public WorldTest {
 protected:
  static std::string Name() { return World::Of("courses", "c1") + "/measurementPlan"; }

  absl::StatusOr<v1::MeasurementPlan> Get(absl::string_view who = "ada",
                                          absl::string_view role = "therapist") {
    v1::GetMeasurementPlanRequest request;
    request.set_name(Name());
    return world.assessments.GetMeasurementPlan(world.By(who, role), request);
  }
  // A plan of `instruments`, each at every session.
  absl::StatusOr<v1::MeasurementPlan> Update(const std::vector<std::string>& instruments,
                                             absl::string_view etag = "",
                                             absl::string_view who = "ada",
                                             absl::string_view role = "therapist") {
    v1::UpdateMeasurementPlanRequest request;
    request.mutable_measurement_plan()->set_name(Name());
    request.mutable_measurement_plan()->set_etag(std::string(etag));
    for (const std::string& instrument : instruments) {
      auto& measure = *request.mutable_measurement_plan()->add_measures();
      measure.set_instrument(instrument);
      measure.set_every_sessions(1);
    }
    return world.assessments.UpdateMeasurementPlan(world.By(who, role), request);
  }
  static std::vector<std::string> Told(const absl::StatusOr<v1::MeasurementPlan>& plan) {
    EXPECT_TRUE(plan.ok()) << plan.status();
    std::vector<std::string> told;
    if (!plan.ok()) return told;
    for (const auto& measure : plan->measures()) {
      told.push_back(absl::StrCat(measure.instrument(), " ",
                                  v1::MeasureOrigin_Name(measure.origin()).substr(15)));
    }
    return told;
  }
  std::vector<std::string> DueAtFirst() {
    v1::ListDueMeasuresRequest request;
    request.set_clinician(World::Of("clinicians", "ada"));
    const auto listed = world.assessments.ListDueMeasures(world.By("ada"), request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    std::vector<std::string> due;
    if (!listed.ok()) return due;
    for (const auto& entry : listed->due_measures()) {
      if (entry.session_number() == 1) due.push_back(entry.instrument());
    }
    return due;
  }
};

TEST_P(PlansTest, FollowTheProtocolUntilTheyAreAdjusted) {
  auto plan = Get();
  EXPECT_THAT(Told(plan), ElementsAre("phq-9 PROTOCOL", "gad-7 PROTOCOL"));
  EXPECT_EQ(plan->name(), Name());
  EXPECT_FALSE(plan->adjusted());
  EXPECT_FALSE(plan->has_update_time());

  proto::CourseEvent switched = World::CourseState("acme", "p1", "ada");
  switched.mutable_measures(0)->set_instrument("who-5");
  world.Tell("acme", World::Of("courses", "c1"), 1000, switched);
  EXPECT_THAT(Told(Get()), ElementsAre("who-5 PROTOCOL", "gad-7 PROTOCOL", "phq-9 SAFETY"));
  EXPECT_THAT(DueAtFirst(), ElementsAre("who-5", "gad-7", "phq-9"));

  plan = Update({"phq-9", "isi"}, plan->etag());
  EXPECT_THAT(Told(plan), ElementsAre("phq-9 SAFETY", "isi CLINICIAN"));
  EXPECT_TRUE(plan->adjusted());
  EXPECT_EQ(time::ToTime(plan->update_time()), World::kStart);
  EXPECT_EQ(Get()->SerializeAsString(), plan->SerializeAsString());
  EXPECT_THAT(DueAtFirst(), ElementsAre("phq-9", "isi"));
  world.Course("acme", "c1", "p1", "ada");
  switched.mutable_measures(0)->set_instrument("epds");
  world.Tell("acme", World::Of("courses", "c1"), 1001, switched);
  EXPECT_THAT(Told(Get()), SizeIs(2)) << "it follows the protocol no more";
  EXPECT_THAT(world.Events(), ElementsAre("rapport.assessment.v1.MeasurementPlanEvent"));
}

TEST_P(PlansTest, AskAboutSuicideWhateverIsWanted) {
  const auto refused = Update({"gad-7", "who-5"});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  const auto violations = errors::FieldViolations(refused.status());
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].field, "measurement_plan.measures");
  EXPECT_THAT(violations[0].description, ::testing::StartsWith("NO_SUICIDE_ITEM"));
  EXPECT_EQ(Update({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Told(Get()), ElementsAre("phq-9 PROTOCOL", "gad-7 PROTOCOL")) << "nothing was kept";

  ASSERT_TRUE(Update({"phq-9"}).ok());
  world.Maintenance();
  EXPECT_THAT(Told(Get()), ElementsAre("phq-9 PROTOCOL", "phq-9 SAFETY"))
      << "each visit is too rare where visits are monthly";
}

TEST_P(PlansTest, NameAnInstrumentThatIsNotKnown) {
  const auto refused = Update({"phq-9", "none"});
  const auto violations = errors::FieldViolations(refused.status());
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_EQ(violations[0].field, "measurement_plan.measures[1].instrument");
}

TEST_P(PlansTest, AreChangedFromTheStateThatWasRead) {
  const auto first = Get();
  const auto second = Update({"phq-9"}, first->etag());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(second->etag(), first->etag());
  EXPECT_EQ(errors::Reason(Update({"phq-9"}, first->etag()).status()), "STALE_ETAG");
  const auto third = Update({"phq-9", "gad-7"}, second->etag());
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_NE(third->etag(), second->etag());
}

TEST_P(PlansTest, AreTheTherapistsToChangeAndTheManagersToRead) {
  EXPECT_TRUE(absl::IsNotFound(Get("ben").status()));
  EXPECT_TRUE(absl::IsNotFound(Update({"phq-9"}, "", "ben").status()));
  EXPECT_THAT(Told(Get("mia", "clinic_manager")), SizeIs(2));
  EXPECT_FALSE(Update({"phq-9"}, "", "mia", "clinic_manager").ok());
  EXPECT_EQ(errors::Reason(Update({"phq-9"}, "", "kiosk", "integration").status()),
            "NOT_THE_THERAPIST");
  EXPECT_TRUE(absl::IsNotFound(Update({"phq-9"}, "", "p1", "patient_proxy").status()));
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_TRUE(Update({"phq-9"}, "", "ben").ok());
}

TEST_P(PlansTest, OfACoupleSayWhoAnswers) {
  world.Couple();
  const auto plan = Get();
  ASSERT_THAT(Told(plan), ElementsAre("phq-9 PROTOCOL", "gad-7 PROTOCOL", "csi-16 PROTOCOL"));
  EXPECT_EQ(plan->measures(0).respondent(), v1::MEASURE_RESPONDENT_PATIENT);
  EXPECT_EQ(plan->measures(2).respondent(), v1::MEASURE_RESPONDENT_EACH);
}

INSTANTIATE_TEST_SUITE_P(Engines, PlansTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
