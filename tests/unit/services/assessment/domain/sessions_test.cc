#include "services/assessment/domain/sessions.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace rapport::assessment {
namespace {

using ::testing::ElementsAre;

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
          .patient = "p",
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

}  // namespace
}  // namespace rapport::assessment
