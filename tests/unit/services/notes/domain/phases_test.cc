#include "services/notes/domain/phases.h"

#include <gtest/gtest.h>

namespace rapport::notes {
namespace {

// The phases as scheduling tells them: those of the planned sessions, by the declared beginnings.
scheduling::v1::CourseEvent Course(int planned, int ending) {
  scheduling::v1::CourseEvent course;
  course.set_state(scheduling::v1::COURSE_STATE_ACTIVE);
  course.set_planned_sessions(planned);
  const auto add = [&](scheduling::v1::Phase kind, int first, int last) {
    auto& phase = *course.add_phases();
    phase.set_phase(kind);
    phase.set_first_session(first);
    phase.set_last_session(last);
  };
  add(scheduling::v1::PHASE_INITIAL, 1, 3);
  add(scheduling::v1::PHASE_MIDDLE, 4, ending - 1);
  add(scheduling::v1::PHASE_TERMINATION, ending, planned);
  return course;
}

TEST(PhasesTest, PhaseFollowsFromTheSessionNumber) {
  struct Row {
    int planned, ending, session;
    v1::NotePhase phase;
  };
  const Row rows[] = {
      {16, 14, 1, v1::NOTE_PHASE_INITIAL},      {16, 14, 3, v1::NOTE_PHASE_INITIAL},
      {16, 14, 4, v1::NOTE_PHASE_MIDDLE},       {16, 14, 13, v1::NOTE_PHASE_MIDDLE},
      {16, 14, 14, v1::NOTE_PHASE_TERMINATION}, {16, 14, 16, v1::NOTE_PHASE_TERMINATION},
      {12, 10, 9, v1::NOTE_PHASE_MIDDLE},       {12, 10, 10, v1::NOTE_PHASE_TERMINATION},
      {12, 9, 9, v1::NOTE_PHASE_TERMINATION},    // declared earlier
      {12, 10, 15, v1::NOTE_PHASE_TERMINATION},  // beyond the plan
      {16, 14, 0, v1::NOTE_PHASE_MIDDLE},        // not known
  };
  for (const Row& row : rows) {
    EXPECT_EQ(PhaseOfSession(Course(row.planned, row.ending), row.session), row.phase)
        << row.session << " of " << row.planned;
  }
}

TEST(PhasesTest, ACourseInMaintenanceIsInItsMaintenancePhase) {
  scheduling::v1::CourseEvent course = Course(16, 14);
  course.set_state(scheduling::v1::COURSE_STATE_MAINTENANCE);
  EXPECT_EQ(PhaseOfSession(course, 2), v1::NOTE_PHASE_MAINTENANCE);
}

TEST(PhasesTest, ANoteIsDueAfterWhatTheOrganisationAllows) {
  const absl::Time end = absl::FromUnixSeconds(1'000'000);
  scheduling::v1::OrganizationEvent organization;
  EXPECT_EQ(NoteDueTime(organization, end), end + absl::Hours(48));
  organization.mutable_note_due_after()->set_seconds(3600);
  EXPECT_EQ(NoteDueTime(organization, end), end + absl::Hours(1));
}

TEST(PhasesTest, OnlyAttendedSessionsAreNoted) {
  EXPECT_TRUE(IsHeld(scheduling::v1::APPOINTMENT_STATE_CHECKED_IN));
  EXPECT_TRUE(IsHeld(scheduling::v1::APPOINTMENT_STATE_COMPLETED));
  EXPECT_FALSE(IsHeld(scheduling::v1::APPOINTMENT_STATE_BOOKED));
  EXPECT_FALSE(IsHeld(scheduling::v1::APPOINTMENT_STATE_NO_SHOW));
  EXPECT_FALSE(IsHeld(scheduling::v1::APPOINTMENT_STATE_CANCELLED));
}

}  // namespace
}  // namespace rapport::notes
