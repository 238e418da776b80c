#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/errors/errors.h"
#include "tests/conformance/assessment/world.h"

namespace rapport::assessment::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DueTest : public WorldTest {
 protected:
  // "instrument@session state", in pages of `page_size`.
  std::vector<std::string> Due(v1::ListDueMeasuresRequest request, int page_size = 0,
                               absl::string_view who = "ada") {
    std::vector<std::string> due;
    request.set_page_size(page_size);
    do {
      const auto page = world.assessments.ListDueMeasures(world.By(who), request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return due;
      EXPECT_LE(page->due_measures_size(), page_size > 0 ? page_size : 50);
      for (const auto& entry : page->due_measures()) {
        due.push_back(absl::StrCat(
            entry.instrument(), "@",
            entry.session_number() > 0
                ? absl::StrCat(entry.session_number())
                : absl::StrCat("day ",
                               (time::ToTime(entry.due_time()) - World::kFirst) / absl::Hours(24)),
            entry.patient() == World::Of("patients", "p2") ? " (partner) " : " ",
            v1::DueState_Name(entry.state()).substr(10)));
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return due;
  }
  static v1::ListDueMeasuresRequest OfCourse() {
    v1::ListDueMeasuresRequest request;
    request.set_course(World::Of("courses", "c1"));
    return request;
  }
  static v1::ListDueMeasuresRequest OfClinician(absl::string_view who) {
    v1::ListDueMeasuresRequest request;
    request.set_clinician(World::Of("clinicians", who));
    return request;
  }
};

TEST_P(DueTest, FollowsTheSessionsAndTheForms) {
  EXPECT_THAT(Due(OfCourse()),
              ElementsAre("phq-9@1 DUE", "gad-7@1 DUE", "phq-9@2 DUE", "phq-9@3 DUE", "gad-7@3 DUE",
                          "phq-9@4 DUE", "gad-7@4 DUE"));
  ASSERT_TRUE(world.Record("phq-9", "111111110").ok());
  world.clock.Set(World::kFirst + absl::Hours(1));
  EXPECT_THAT(Due(OfCourse()),
              ElementsAre("phq-9@1 DONE", "gad-7@1 OVERDUE", "phq-9@2 DUE", "phq-9@3 DUE",
                          "gad-7@3 DUE", "phq-9@4 DUE", "gad-7@4 DUE"));
  v1::ListDueMeasuresRequest overdue = OfCourse();
  overdue.add_states(v1::DUE_STATE_OVERDUE);
  EXPECT_THAT(Due(overdue), ElementsAre("gad-7@1 OVERDUE"));

  world.Appointment("acme", "a2", "c1", "p1", World::kFirst + absl::Hours(168),
                    proto::APPOINTMENT_STATE_CANCELLED);
  EXPECT_THAT(Due(OfCourse()), ElementsAre("phq-9@1 DONE", "gad-7@1 OVERDUE", "phq-9@2 DUE",
                                           "phq-9@3 DUE", "gad-7@3 DUE"))
      << "the later sessions moved up";
}

TEST_P(DueTest, PagesOfAnySizeTellTheSame) {
  world.Course("acme", "c2", "p2", "ada");
  world.Course("acme", "c3", "p3", "ben");
  for (int week = 0; week < 4; ++week) {
    world.Appointment("acme", absl::StrCat("b", week), "c2", "p2",
                      World::kFirst + absl::Hours(168 * week));
    world.Appointment("acme", absl::StrCat("d", week), "c3", "p3",
                      World::kFirst + absl::Hours(168 * week));
  }
  ASSERT_TRUE(world.Record("phq-9", "111111110").ok());
  const auto all = Due(OfClinician("ada"));
  EXPECT_THAT(all, SizeIs(14));
  EXPECT_EQ(std::count(all.begin(), all.end(), "phq-9@1 DONE"), 1);
  for (int size = 1; size < 15; ++size) EXPECT_EQ(Due(OfClinician("ada"), size), all) << size;
  EXPECT_THAT(Due(OfClinician("ben"), 3, "ben"), SizeIs(7));
}

TEST_P(DueTest, NeedsOneOfCourseAndClinician) {
  v1::ListDueMeasuresRequest both = OfCourse();
  both.set_clinician(World::Of("clinicians", "ada"));
  for (const auto& request : {v1::ListDueMeasuresRequest(), both}) {
    EXPECT_EQ(world.assessments.ListDueMeasures(world.By("ada"), request).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(DueTest, IsForTheTherapistTheCoverAndTheManagerOfTheClinic) {
  const auto status = [&](const v1::ListDueMeasuresRequest& request, absl::string_view who) {
    return world.assessments.ListDueMeasures(world.By(who), request).status();
  };
  EXPECT_TRUE(absl::IsNotFound(status(OfCourse(), "ben")));
  EXPECT_TRUE(absl::IsNotFound(status(OfClinician("ada"), "ben")));
  world.Cover("v1", "ada", "ben", World::kStart, World::kStart + absl::Hours(1));
  EXPECT_TRUE(status(OfCourse(), "ben").ok());
  EXPECT_TRUE(status(OfClinician("ada"), "ben").ok());

  call::CallContext manager = world.By("mia", "clinic_manager");
  EXPECT_THAT(world.assessments.ListDueMeasures(manager, OfClinician("ada"))->due_measures(),
              SizeIs(7));
  auto principal = std::make_shared<auth::Principal>(*manager.principal);
  principal->clinics = std::vector<std::string>{"south"};
  manager.principal = principal;
  EXPECT_THAT(world.assessments.ListDueMeasures(manager, OfClinician("ada"))->due_measures(),
              IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(world.assessments.ListDueMeasures(manager, OfCourse()).status()));
}

TEST_P(DueTest, AsksEachOfACoupleAndTellsTheirFormsApart) {
  world.Couple();
  v1::RecordAssessmentRequest csi = world.Form("csi-16", "4333333333333333");
  csi.mutable_assessment()->set_patient(World::Of("patients", "p2"));
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), csi).ok());
  v1::RecordAssessmentRequest phq = world.Form("phq-9", "111111110");
  phq.mutable_assessment()->set_patient(World::Of("patients", "p2"));
  ASSERT_TRUE(world.assessments.RecordAssessment(world.By("ada"), phq).ok());
  const auto due = Due(OfCourse());
  ASSERT_GE(due.size(), 4u);
  EXPECT_THAT(std::vector<std::string>(due.begin(), due.begin() + 4),
              ElementsAre("phq-9@1 DUE", "gad-7@1 DUE", "csi-16@1 DUE", "csi-16@1 (partner) DONE"));
  for (int size = 1; size < 8; ++size) EXPECT_EQ(Due(OfCourse(), size), due) << size;
}

TEST_P(DueTest, AVoidedFormMeetsNothing) {
  const auto form = world.Record("phq-9", "111111110");
  ASSERT_TRUE(form.ok()) << form.status();
  EXPECT_EQ(Due(OfCourse())[0], "phq-9@1 DONE");
  v1::VoidAssessmentRequest request;
  request.set_name(form->assessment().name());
  request.set_reason(v1::VOID_REASON_DUPLICATE);
  ASSERT_TRUE(world.assessments.VoidAssessment(world.By("ada"), request).ok());
  EXPECT_EQ(Due(OfCourse())[0], "phq-9@1 DUE");
  EXPECT_EQ(Due(OfClinician("ada"))[0], "phq-9@1 DUE");
}

TEST_P(DueTest, InMaintenanceGoesByDaysFromTheLastForm) {
  const absl::Duration day = absl::Hours(24);
  world.clock.Set(World::kFirst + day * 21 - absl::Hours(1));
  ASSERT_TRUE(world.Record("phq-9", "111111110").ok());
  world.Maintenance();
  world.Appointment("acme", "m1", "c1", "p1", World::kFirst + day * 51,
                    proto::APPOINTMENT_STATE_BOOKED, false, 1);
  v1::ListDueMeasuresRequest open = OfCourse();
  open.add_states(v1::DUE_STATE_DUE);
  open.add_states(v1::DUE_STATE_OVERDUE);
  const auto by_days = [&] {
    for (const std::string& due : Due(open)) {
      if (due.find("day") != std::string::npos) return due;
    }
    return std::string();
  };
  EXPECT_EQ(by_days(), "phq-9@day 34 DUE") << "14 days after the hour before day 21";
  world.clock.Set(World::kFirst + day * 42);
  EXPECT_EQ(by_days(), "phq-9@day 34 OVERDUE");
  ASSERT_TRUE(world.Record("phq-9", "22222211-").ok());
  EXPECT_EQ(by_days(), "phq-9@day 34 OVERDUE") << "an incomplete form does not meet it";
  ASSERT_TRUE(world.Record("phq-9", "111111110").ok());
  EXPECT_EQ(by_days(), "phq-9@day 56 DUE");

  world.Course("acme", "c2", "p3", "ada");
  for (int week = 0; week < 12; ++week) {
    world.Appointment("acme", absl::StrCat("b", week), "c2", "p3",
                      World::kFirst + absl::Hours(168 * week));
  }
  const auto all = Due(OfClinician("ada"));
  EXPECT_EQ(std::count(all.begin(), all.end(), "phq-9@day 56 DUE"), 1);
  EXPECT_NE(all.front(), "phq-9@day 56 DUE");
  EXPECT_NE(all.back(), "phq-9@day 56 DUE") << "in its place by time";
  for (int size = 1; size < 9; ++size) EXPECT_EQ(Due(OfClinician("ada"), size), all) << size;
}

TEST_P(DueTest, MaintenanceWithoutAFormBeginsWithItsFirstSession) {
  world.Maintenance();
  const auto by_days = [&] {
    for (const std::string& due : Due(OfCourse())) {
      if (due.find("day") != std::string::npos) return due;
    }
    return std::string();
  };
  EXPECT_EQ(by_days(), "phq-9@day 21 DUE") << "until one is booked, from the last session before";
  world.Appointment("acme", "m1", "c1", "p1", World::kFirst + absl::Hours(24 * 51),
                    proto::APPOINTMENT_STATE_BOOKED, false, 1);
  EXPECT_EQ(by_days(), "phq-9@day 51 DUE");
  proto::CourseEvent state = World::CourseState("acme", "p1", "ada");
  state.set_state(proto::COURSE_STATE_COMPLETED);
  world.Tell("acme", World::Of("courses", "c1"), 1000, state);
  EXPECT_EQ(by_days(), "");
}

TEST_P(DueTest, LeavesOutWhatIsNotKnown) {
  proto::CourseEvent state = World::CourseState("acme", "p1", "ada");
  state.mutable_measures(1)->set_instrument("of-a-later-release");
  world.Tell("acme", World::Of("courses", "c1"), 1000, state);
  EXPECT_THAT(Due(OfCourse()),
              ElementsAre("phq-9@1 DUE", "phq-9@2 DUE", "phq-9@3 DUE", "phq-9@4 DUE"));
}

TEST_P(DueTest, ADiaryIsMetByDaysEnoughBeforeTheSession) {
  proto::CourseEvent state = World::CourseState("acme", "p1", "ada");
  state.mutable_measures(1)->set_instrument("srm-5");
  world.Tell("acme", World::Of("courses", "c1"), 1000, state);
  world.clock.Set(World::kFirst + absl::Hours(168 * 2));
  const absl::CivilDay session = absl::ToCivilDay(world.clock.Now(), absl::UTCTimeZone());
  for (int back = 0; back < 3; ++back) {
    EXPECT_EQ(Due(OfCourse())[4], "srm-5@3 DUE") << back;
    v1::RecordRhythmDayRequest request;
    request.mutable_day()->set_course(World::Of("courses", "c1"));
    *request.mutable_day()->mutable_date() = time::ToDate(session - 1 - back);
    const auto recorded = world.assessments.RecordRhythmDay(world.By("ada"), request);
    ASSERT_TRUE(recorded.ok()) << recorded.status();
  }
  EXPECT_EQ(Due(OfCourse())[4], "srm-5@3 DONE");
}

TEST_P(DueTest, NamesTheRequestThatWasSentForIt) {
  v1::CreateMeasureRequestRequest request;
  request.set_parent("organizations/acme");
  request.mutable_measure_request()->set_course(World::Of("courses", "c1"));
  request.mutable_measure_request()->set_instrument("instruments/phq-9");
  request.mutable_measure_request()->set_appointment(World::Of("appointments", "a2"));
  const auto made = world.requests.CreateMeasureRequest(world.By("ada"), request);
  ASSERT_TRUE(made.ok()) << made.status();
  for (const auto& of : {OfCourse(), OfClinician("ada")}) {
    const auto listed = world.assessments.ListDueMeasures(world.By("ada"), of);
    ASSERT_TRUE(listed.ok()) << listed.status();
    for (const auto& due : listed->due_measures()) {
      const bool asked = due.instrument() == "phq-9" && due.session_number() == 2;
      EXPECT_EQ(due.measure_request(), asked ? made->name() : "") << due.ShortDebugString();
    }
  }
}

TEST_P(DueTest, EventsToldTwiceAndInAnyOrderLeaveTheSame) {
  std::vector<common::v1::Event> told;
  const auto keep = [&] { told.push_back(world.last_event); };
  world.Couple();
  keep();
  for (int move = 0; move < 3; ++move) {
    world.Appointment("acme", "a2", "c1", "p1", World::kFirst + absl::Hours(24 * (8 + move)));
    keep();
  }
  world.Appointment("acme", "a3", "c1", "p1", World::kFirst + absl::Hours(336),
                    proto::APPOINTMENT_STATE_CANCELLED);
  keep();
  world.Maintenance();
  keep();
  world.Appointment("acme", "m1", "c1", "p1", World::kFirst + absl::Hours(24 * 51),
                    proto::APPOINTMENT_STATE_BOOKED, false, 1);
  keep();
  v1::GetMeasurementPlanRequest get;
  get.set_name(World::Of("courses", "c1") + "/measurementPlan");
  const auto expected = Due(OfCourse());
  const auto plan = world.assessments.GetMeasurementPlan(world.By("ada"), get);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_THAT(expected, ::testing::Contains("phq-9@day 51 DUE"));

  World other(GetParam().make());
  std::vector<common::v1::Event> shuffled(told.begin() + 1, told.end() - 1);
  shuffled.insert(shuffled.end(), told.rbegin(), told.rend());  // the oldest comes last
  for (const auto& event : shuffled) other.Apply(event);
  const auto listed = other.assessments.ListDueMeasures(other.By("ada"), OfCourse());
  const auto here = world.assessments.ListDueMeasures(world.By("ada"), OfCourse());
  ASSERT_TRUE(listed.ok() && here.ok());
  EXPECT_EQ(listed->SerializeAsString(), here->SerializeAsString());
  EXPECT_EQ(other.assessments.GetMeasurementPlan(other.By("ada"), get)->SerializeAsString(),
            plan->SerializeAsString());
}

INSTANTIATE_TEST_SUITE_P(Engines, DueTest,
                         ::testing::ValuesIn(sql::testing::AllEngines(Components())),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
