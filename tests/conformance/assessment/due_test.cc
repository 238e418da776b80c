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
        due.push_back(absl::StrCat(entry.instrument(), "@", entry.session_number(), " ",
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

INSTANTIATE_TEST_SUITE_P(Engines, DueTest,
                         ::testing::ValuesIn(sql::testing::AllEngines({care::Migrations(),
                                                                       Migrations()})),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::assessment::testing
