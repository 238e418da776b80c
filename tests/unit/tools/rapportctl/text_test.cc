// What rapportctl writes for people: progress, errors, agendas, charts, pages, and CSV.
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "tools/rapportctl/agenda.h"
#include "tools/rapportctl/course_chart.h"
#include "tools/rapportctl/csv_lines.h"
#include "tools/rapportctl/describe.h"
#include "tools/rapportctl/page_text.h"
#include "tools/rapportctl/progress_bar.h"

namespace rapport::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

TEST(ProgressBarTest, TellsHowMuchHowFastAndHowLongStill) {
  EXPECT_EQ(DrawProgress({.what = "courses",
                          .unit = "rows",
                          .count = 300,
                          .done = 20,
                          .total = 100,
                          .spent = absl::Seconds(4)}),
            "courses [######                        ]  20 %  300 rows, 75 a second, 0:16 left");
}

TEST(ProgressBarTest, IsABareCountWhereTheEndIsNotKnown) {
  EXPECT_EQ(DrawProgress({.what = "", .unit = "forms", .count = 7, .spent = absl::Seconds(2)}),
            "7 forms, 4 a second");
}

TEST(ProgressBarTest, NeverShowsMoreThanAll) {
  EXPECT_EQ(DrawProgress({.what = "", .unit = "rows", .count = 1, .done = 9, .total = 3}),
            "[##############################] 100 %  1 rows");
}

TEST(ProgressBarTest, IsDrawnInPlaceAndALineStandsAboveIt) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  {
    ProgressBar bar("rows", 2, out);
    bar.Say("line 3 is no row");
    bar.Set(2, 2);
  }
  std::fclose(out);
  const std::string drawn(text, size);
  free(text);
  EXPECT_THAT(drawn, HasSubstr("\r\033[Kline 3 is no row\n\r\033[K["));
  EXPECT_THAT(drawn, HasSubstr("100 %  2 rows"));
  EXPECT_EQ(drawn.back(), '\n');
}

TEST(DescribeTest, AWrongFieldIsToldOnce) {
  EXPECT_EQ(Describe(errors::InvalidArgument(
                {{"clinic.time_zone", "is no IANA zone"}, {"clinic_id", "is 1 to 63 letters"}})),
            "INVALID_ARGUMENT INVALID_FIELD:\n"
            "  clinic.time_zone is no IANA zone\n"
            "  clinic_id is 1 to 63 letters");
}

TEST(DescribeTest, AMessageThatSaysMoreStays) {
  EXPECT_EQ(Describe(absl::InvalidArgumentError("usage: rapportctl import FILE")),
            "INVALID_ARGUMENT: usage: rapportctl import FILE");
  EXPECT_EQ(Describe(errors::StaleEtag("7")).substr(0, 18), "ABORTED STALE_ETAG");
  EXPECT_THAT(Describe(errors::StaleEtag("7")), HasSubstr("\nread it again and repeat"));
}

TEST(CsvLinesTest, QuotesWhatNeedsItAndDisarmsFormulas) {
  EXPECT_EQ(CsvLine({"a", "b,c", "say \"x\"", "two\nlines", "", "-3.5", "=1+1", "@x"}),
            "a,\"b,c\",\"say \"\"x\"\"\",\"two\nlines\",,-3.5,'=1+1,'@x\n");
}

TEST(CsvLinesTest, ASuppressedCellHasNoFiguresNotZeroes) {
  const size_t columns = std::vector<std::string>(absl::StrSplit(OutcomeHeaders(), ',')).size();
  const std::string hidden = OutcomeLine(
      Parse<assessment::v1::OutcomeCell>(R"pb(key { clinic: "organizations/acme/clinics/north" }
                                              suppressed: true)pb"));
  EXPECT_EQ(hidden, absl::StrCat("north,,,,,true", std::string(columns - 6, ','), "\n"));
  const std::string told = OutcomeLine(Parse<assessment::v1::OutcomeCell>(R"pb(
    key {
      protocol: "protocols/classic"
      period_start { year: 2026 month: 4 day: 1 }
      problem_area: FOCUS_AREA_GRIEF
    }
    started: 6
    intention_to_treat { n: 5 change_mean: -1.25 })pb"));
  EXPECT_THAT(told, HasSubstr(",,protocols/classic,2026-04-01,grief,false,6,0,"));
  EXPECT_THAT(told, HasSubstr(",5,0,0,0,-1.25,0,,,,0,"));
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(told, ',')).size(), columns);
}

TEST(PageTextTest, APageReadsAsText) {
  EXPECT_EQ(TextOfPage("<!DOCTYPE html><html><head><title>x</title><style>p{}</style></head>\n"
                       "<body>\n<h1>Case &amp; course</h1>\n<p>One two three four\nfive</p>\n"
                       "<h2>Goals</h2>\n<dl><dt>State</dt><dd>met, as of week 12</dd></dl>\n"
                       "<ul>\n<li>Call the sister</li>\n</ul>\n"
                       "<figure><figcaption>PHQ-9</figcaption><svg><text>9</text></svg></figure>\n"
                       "<table>\n<thead><tr><th>No</th><th>When</th></tr></thead>\n<tbody>\n"
                       "<tr><td>1</td><td>5 March</td></tr></tbody></table></body></html>",
                       18),
            "Case & course\n=============\nOne two three four\nfive\n"
            "\nGoals\n-----\n"
            "  State                 met, as of week 12\n"
            "  - Call the sister\n"
            "  [picture: PHQ-9]\n"
            "  No  When\n  1   5 March\n");
}

TEST(PageTextTest, NothingInAPageCommandsTheTerminal) {
  EXPECT_EQ(TextOfPage("<p>red \x1b[31m &lt;script&gt;\x07</p>"), "red [31m <script>\n");
}

class AgendaTest : public ::testing::Test {
 protected:
  AgendaTest() {
    agenda_.clinician = Parse<scheduling::v1::Clinician>(R"pb(
      name: "organizations/acme/clinicians/thea"
      display_name: "Thea"
      clinics: "organizations/acme/clinics/london"
      weekly_hours {
        clinic: "organizations/acme/clinics/london"
        day_of_week: MONDAY
        start_time { hours: 9 }
        end_time { hours: 13 }
      }
      weekly_hours {
        clinic: "organizations/acme/clinics/london"
        day_of_week: TUESDAY
        start_time { hours: 9 }
        end_time { hours: 12 }
        effective_until { year: 2026 month: 3 day: 1 }
      })pb");
    agenda_.clinics["organizations/acme/clinics/london"] = Parse<scheduling::v1::Clinic>(
        R"pb(
          name: "organizations/acme/clinics/london"
          time_zone: "Europe/London"
          holidays {
            date { year: 2026 month: 5 day: 4 }
            label: "May Day"
          }
        )pb");
    agenda_.zone = *time::LoadZone("Europe/London");
    agenda_.first = absl::CivilDay(2026, 3, 30);  // a Monday, the day after clocks went forward
    agenda_.ascii = true;
  }

  scheduling::v1::Appointment& Add(absl::CivilMinute start, int minutes) {
    scheduling::v1::Appointment& appointment = agenda_.appointments.emplace_back();
    const absl::Time at = absl::FromCivil(start, agenda_.zone);
    *appointment.mutable_start_time() = time::ToTimestamp(at);
    *appointment.mutable_end_time() = time::ToTimestamp(at + absl::Minutes(minutes));
    appointment.set_patient("organizations/acme/patients/p1");
    appointment.set_state(scheduling::v1::APPOINTMENT_STATE_BOOKED);
    appointment.set_modality(scheduling::v1::MODALITY_VIDEO);
    return appointment;
  }

  Agenda agenda_;
};

TEST_F(AgendaTest, SessionsByTheCliniciansClockAndWhatIsFreeBetween) {
  Add(absl::CivilMinute(2026, 3, 30, 10, 0), 50).set_session_number(3);
  scheduling::v1::Appointment& missed = Add(absl::CivilMinute(2026, 3, 30, 12, 0), 50);
  missed.set_state(scheduling::v1::APPOINTMENT_STATE_CANCELLED);
  agenda_.now = absl::FromCivil(absl::CivilMinute(2026, 3, 30, 10, 30), agenda_.zone);
  EXPECT_EQ(RenderAgenda(agenda_),
            "Thea (thea), times of Europe/London\n"
            "\nMonday 30 March 2026\n"
            "  09:00-10:00  free  1 h\n"
            "> 10:00-10:50  p1                     session 3   video\n"
            "  10:50-13:00  free  2 h 10 min\n"
            "  (12:00-12:50  p1                                 video                cancelled)\n");
}

TEST_F(AgendaTest, TimeOffHolidaysAndHoursThatAreOver) {
  scheduling::v1::TimeOff& off = agenda_.time_off.emplace_back();
  *off.mutable_start_time() =
      time::ToTimestamp(absl::FromCivil(absl::CivilMinute(2026, 5, 5, 0, 0), agenda_.zone));
  *off.mutable_end_time() =
      time::ToTimestamp(absl::FromCivil(absl::CivilMinute(2026, 5, 6, 0, 0), agenda_.zone));
  agenda_.first = absl::CivilDay(2026, 5, 4);
  agenda_.days = 3;
  EXPECT_EQ(RenderAgenda(agenda_),
            "Thea (thea), times of Europe/London\n"
            "\nMonday 4 May 2026, london closed: May Day\n  no hours\n"
            "\nTuesday 5 May 2026\n  all day      away\n"
            "\nWednesday 6 May 2026\n  no hours\n"
            "\n0 sessions, nothing free\n");
}

TEST_F(AgendaTest, AnotherClinicsHoursAreToldByTheHomeClock) {
  agenda_.clinician.add_clinics("organizations/acme/clinics/berlin");
  agenda_.clinics["organizations/acme/clinics/berlin"] =
      Parse<scheduling::v1::Clinic>(R"pb(time_zone: "Europe/Berlin")pb");
  agenda_.clinician.clear_weekly_hours();
  *agenda_.clinician.add_weekly_hours() = Parse<scheduling::v1::WorkingHours>(R"pb(
    clinic: "organizations/acme/clinics/berlin"
    day_of_week: MONDAY
    start_time { hours: 9 }
    end_time { hours: 10 })pb");
  EXPECT_THAT(RenderAgenda(agenda_), HasSubstr("  08:00-09:00  free  1 h\n"));
}

TEST_F(AgendaTest, WhoseAPrivateSessionIsStaysUntold) {
  scheduling::v1::Appointment& session = Add(absl::CivilMinute(2026, 3, 30, 9, 0), 50);
  session.clear_patient();
  session.set_private_session(true);
  EXPECT_THAT(RenderAgenda(agenda_), HasSubstr("09:00-09:50  (private) "));
}

TEST(CourseChartTest, BarsBandsPhasesAndWhatWasReached) {
  CourseChart chart;
  chart.zone = absl::UTCTimeZone();
  chart.ascii = true;
  chart.course = Parse<scheduling::v1::Course>(R"pb(
    name: "organizations/acme/courses/c1"
    state: COURSE_STATE_ACTIVE
    planned_sessions: 5
    declared_phases { phase: PHASE_MIDDLE first_session: 3 })pb");
  chart.protocol = Parse<scheduling::v1::Protocol>(R"pb(
    max_sessions: 5
    phases { phase: PHASE_INITIAL first_session: 1 last_session: 1 }
    phases { phase: PHASE_MIDDLE first_session: 2 last_session: 4 }
    phases { phase: PHASE_TERMINATION first_session: 5 last_session: 5 })pb");
  chart.instrument = Parse<assessment::v1::Instrument>(R"pb(
    display_name: "Mood"
    total: "total"
    direction: DIRECTION_LOWER_BETTER
    figures {
      id: "total"
      band_sets {
        bands { min: 0 max: 4 label: "Mild" }
        bands { min: 5 max: 8 label: "Severe" }
      }
    }
    change { case_cutoff: 5 })pb");
  chart.series = Parse<assessment::v1::InstrumentProgress>(R"pb(
    instrument: "instruments/mood"
    points { total: 8 complete: true }
    points { session_number: 1 complete: false total: 3 prorated: true }
    points { session_number: 1 complete: true total: 8 }
    points { session_number: 2 complete: true total: 5 }
    points { session_number: 3 complete: true total: 4 }
    points { session_number: 4 complete: true total: 2 }
    points { session_number: 5 complete: true total: 0 }
    baseline { total: 8 }
    change { points: -8 percent: -100 reliable_improvement: true }
    reliable_change_points: 3
    milestones {
      term: TERM_RESPONSE
      reach_time { seconds: 1775000000 }
      session_number: 3
      holds: true
    })pb");
  chart.progress = Parse<assessment::v1::Progress>(R"pb(
    flags {
      kind: PROGRESS_FLAG_KIND_MISSING_DATA
      holds: true
      time { seconds: 1775000000 }
      rule: "two forms in four weeks"
    }
    flags { kind: PROGRESS_FLAG_KIND_NON_RESPONSE instrument: "other" holds: true }
    unavailable_sources: "notes")pb");
  EXPECT_EQ(RenderCourseChart(chart),
            "Mood, course c1, active; total 0 to 8, lower is better\n\n"
            "       | ### ###\n"
            "     5 +-###-###-___------------- severe 5-8, case ≥5\n"
            "       | ### ### ### ###\n"
            "     0 + ### ### ### ### ### ___  mild 0-4\n"
            "       +-------------------------\n"
            "  total    8   8   5   4   2   0\n"
            "session    .   1   2   3   4   5\n"
            "            |initial|middle |termination\n"
            "\n"
            "  baseline 8, now 0: -8 (-100 %), reliably better; reliable is 3 or more\n"
            "  response: session 3, 31 March 2026\n"
            "  LOOK: missing data since 31 March 2026 (two forms in four weeks)\n"
            "  could not be asked: notes; what depends on it is left out\n");
}

}  // namespace
}  // namespace rapport::ctl
