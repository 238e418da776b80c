#include "services/notes/rpc/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/telemetry/metric_names.h"
#include "tests/conformance/notes/note_fixture.h"

namespace rapport::notes::testing {
namespace {

using ::testing::HasSubstr;

class NotesSurveyTest : public NoteTest {
 protected:
  // What a scrape says after a look at `at`.
  std::string Told(absl::Time at) {
    time::ManualClock clock(at);
    const auto metrics = telemetry::Metrics::Unserved();
    work::Survey survey(*database_, clock, *metrics, SurveyFigures(), LookAtDueNotes);
    const absl::Status status = survey.RunOnce();
    EXPECT_TRUE(status.ok()) << status;
    return metrics->Text();
  }
};

TEST_P(NotesSurveyTest, CountsWhatIsDueAndOverdueAndHowLong) {
  TellAppointment("a2", 1, now_ - absl::Hours(72), scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  TellAppointment("a3", 1, now_ - absl::Hours(2), scheduling::v1::APPOINTMENT_STATE_NO_SHOW);
  TellAppointment("a4", 1, now_ - absl::Hours(24 * 40),
                  scheduling::v1::APPOINTMENT_STATE_COMPLETED);
  const std::string told = Told(now_);
  EXPECT_THAT(told, HasSubstr("rapport_notes_due{kind=\"sign\"} 2\n")) << "not the one of long ago";
  EXPECT_THAT(told, HasSubstr("rapport_notes_overdue{kind=\"sign\"} 1\n"));
  // It ended 50 minutes after its start, and had 48 hours.
  EXPECT_THAT(told, HasSubstr("rapport_notes_oldest_overdue_seconds{kind=\"sign\"} 83400\n"));
  EXPECT_THAT(told, HasSubstr("rapport_notes_due{kind=\"cosign\"} 0\n"));

  Signed("a2");
  const std::string after = Told(now_);
  EXPECT_THAT(after, HasSubstr("rapport_notes_due{kind=\"sign\"} 1\n"));
  EXPECT_THAT(after, HasSubstr("rapport_notes_overdue{kind=\"sign\"} 0\n"));
  EXPECT_THAT(after, HasSubstr("rapport_notes_oldest_overdue_seconds{kind=\"sign\"} 0\n"));
}

INSTANTIATE_TEST_SUITE_P(Engines, NotesSurveyTest, ::testing::ValuesIn(NotesEngines()),
                         sql::testing::EngineName);

}  // namespace
}  // namespace rapport::notes::testing
