#include "services/assessment/domain/sessions.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/time/convert.h"

namespace rapport::assessment {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kFirst = absl::FromUnixSeconds(1'770'000'000);

Session At(int number, int day, bool stands = true) {
  const absl::Time start = kFirst + absl::Hours(24 * day);
  return {.appointment = absl::StrCat("a", day),
          .number = number,
          .start = start,
          .end = start + absl::Minutes(50),
          .stands = stands};
}

Form FormAt(absl::Time at, bool complete = true) {
  return {.assessment = absl::StrCat("f", absl::ToUnixSeconds(at)),
          .instrument = "phq-9",
          .answer_time = at,
          .has_total = complete,
          .total = 10,
          .complete = complete};
}

TEST(SessionFor, OpensItsWindow48HoursBeforeTheStartAndClosesItAtTheEnd) {
  const std::vector<Session> sessions = {At(1, 0), At(2, 7)};
  const auto at = [&](absl::Time when) -> std::string {
    const Session* session = SessionFor(sessions, when);
    return session == nullptr ? "" : session->appointment;
  };
  EXPECT_EQ(at(kFirst - absl::Hours(48)), "a0");
  EXPECT_EQ(at(kFirst - absl::Hours(48) - absl::Seconds(1)), "");
  EXPECT_EQ(at(kFirst + absl::Minutes(50)), "a0");
  EXPECT_EQ(at(kFirst + absl::Minutes(51)), "");
  EXPECT_EQ(at(sessions[1].start - absl::Hours(1)), "a7");
}

TEST(SessionFor, TakesTheNextOfOverlappingWindowsAndSkipsWhatDoesNotStand) {
  const std::vector<Session> sessions = {At(1, 0), At(0, 1, false), At(2, 2)};
  EXPECT_EQ(SessionFor(sessions, kFirst - absl::Hours(1))->appointment, "a0");
  EXPECT_EQ(SessionFor(sessions, kFirst + absl::Hours(1))->appointment, "a2");
}

TEST(SessionNumbers, GiveTheLastCompleteFormBeforeTheStart) {
  const std::vector<Session> sessions = {At(1, 0), At(2, 7)};
  EXPECT_THAT(
      SessionNumbers(sessions,
                     {{FormAt(kFirst - absl::Hours(30)), FormAt(kFirst - absl::Hours(3)),
                       FormAt(kFirst - absl::Hours(1), false), FormAt(kFirst + absl::Minutes(10)),
                       FormAt(kFirst + absl::Hours(24 * 6))}}),
      ElementsAre(0, 1, 0, 0, 2));
}

TEST(SessionNumbers, TakeAFormFilledInDuringTheSessionWhenThereIsNoneBefore) {
  const std::vector<Session> sessions = {At(1, 0), At(2, 7)};
  EXPECT_THAT(SessionNumbers(sessions, {{FormAt(kFirst + absl::Minutes(5)),
                                         FormAt(kFirst + absl::Minutes(9))}}),
              ElementsAre(1, 0));
}

TEST(SessionNumbers, CarryAFormOverToTheRebookedSession) {
  const std::vector<Session> sessions = {At(1, 0), At(0, 7, false), At(2, 11)};
  EXPECT_THAT(SessionNumbers(sessions, {{FormAt(kFirst - absl::Hours(1)),
                                         FormAt(kFirst + absl::Hours(24 * 6))}}),
              ElementsAre(1, 2));
}

TEST(SessionNumbers, LeaveOldFormsAlone) {
  EXPECT_THAT(SessionNumbers({{At(1, 30)}}, {{FormAt(kFirst)}}), ElementsAre(0));
}

scheduling::v1::CourseEvent SixteenSessions() {
  scheduling::v1::CourseEvent course;
  course.set_planned_sessions(16);
  course.set_patient("organizations/acme/patients/p");
  auto* weekly = course.add_measures();
  weekly->set_instrument("phq-9");
  weekly->set_every_sessions(1);
  auto* monthly = course.add_measures();
  monthly->set_instrument("gad-7");
  monthly->set_every_sessions(4);
  monthly->set_at_last_session(true);
  return course;
}

TEST(IsDueAt, IsTheFirstThenEverySoManyAndTheLastPlanned) {
  const auto course = SixteenSessions();
  std::vector<int> due;
  for (int session = 0; session <= 20; ++session) {
    if (IsDueAt(course.measures(1), session, 16)) due.push_back(session);
  }
  EXPECT_THAT(due, ElementsAre(1, 5, 9, 13, 16, 17));
}

TEST(DueFor, TellsWhatIsExpectedDoneAndOverdue) {
  const auto course = SixteenSessions();
  const Session session = At(1, 0);
  const auto states = [&](std::vector<Form> forms, absl::Time now) {
    std::vector<v1::DueState> told;
    for (const auto& due : DueFor("c", course, session, forms, now)) told.push_back(due.state());
    return told;
  };
  EXPECT_THAT(states({}, session.end), ElementsAre(v1::DUE_STATE_DUE, v1::DUE_STATE_DUE));
  EXPECT_THAT(states({FormAt(session.start - absl::Hours(1))}, session.end + absl::Seconds(1)),
              ElementsAre(v1::DUE_STATE_DONE, v1::DUE_STATE_OVERDUE));
  EXPECT_THAT(states({FormAt(session.start - absl::Hours(49))}, session.start),
              ElementsAre(v1::DUE_STATE_DUE, v1::DUE_STATE_DUE));
  EXPECT_THAT(states({FormAt(session.start, false)}, session.start),
              ElementsAre(v1::DUE_STATE_DUE, v1::DUE_STATE_DUE))
      << "a form without a total does not meet it";

  const auto due = DueFor("c", course, session, {{FormAt(kFirst)}}, kFirst);
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[0].instrument(), "phq-9");
  EXPECT_EQ(time::ToTime(due[0].due_time()), session.start);
  EXPECT_EQ(time::ToTime(due[0].window_start_time()), session.start - absl::Hours(48));
  EXPECT_EQ(due[0].assessment(), FormAt(kFirst).assessment);
}

TEST(DueFor, ExpectsNothingOfASessionThatDoesNotStandOrCount) {
  EXPECT_THAT(DueFor("c", SixteenSessions(), At(1, 0, false), {}, kFirst), IsEmpty());
  EXPECT_THAT(DueFor("c", SixteenSessions(), At(0, 0), {}, kFirst), IsEmpty());
}

}  // namespace
}  // namespace rapport::assessment
