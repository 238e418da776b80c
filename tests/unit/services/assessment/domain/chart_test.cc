#include "services/assessment/domain/chart.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "services/assessment/domain/progress_chart.h"
#include "tests/unit/services/assessment/domain/course.h"

namespace rapport::assessment {
namespace {

using testing::Course;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Rules;
using testing::StoryS1;
using testing::StoryS3;
using testing::Watched;

// What is wrong with `text` as XML: elements that do not nest, attributes without quotes or given
// twice, bare ampersands and angles, control characters. Empty: nothing.
std::string XmlProblem(absl::string_view text) {
  std::vector<std::string> open;
  bool root = false;
  const auto entity = [&](size_t at) {
    for (const absl::string_view name : {"&amp;", "&lt;", "&gt;", "&quot;"}) {
      if (absl::StartsWith(text.substr(at), name)) return true;
    }
    return false;
  };
  for (size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\n') return absl::StrCat("control character at ", i);
    if (c == '&' && !entity(i)) return absl::StrCat("bare & at ", i);
    if (c == '>') return absl::StrCat("bare > at ", i);
    if (c != '<') {
      if (open.empty() && !std::isspace(c)) return absl::StrCat("text outside at ", i);
      ++i;
      continue;
    }
    const bool closing = text[i + 1] == '/';
    size_t at = i + (closing ? 2 : 1);
    std::string name;
    while (std::isalpha(static_cast<unsigned char>(text[at]))) name += text[at++];
    if (name.empty()) return absl::StrCat("no name at ", i);
    if (closing) {
      if (text[at] != '>' || open.empty() || open.back() != name) {
        return absl::StrCat("</", name, "> at ", i);
      }
      open.pop_back();
      i = at + 1;
      continue;
    }
    if (open.empty() && root) return "two roots";
    root = true;
    std::vector<std::string> attributes;
    while (text[at] == ' ') {
      std::string attribute;
      for (++at; std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '-'; ++at) {
        attribute += text[at];
      }
      if (attribute.empty() || text[at] != '=' || text[at + 1] != '"') {
        return absl::StrCat("attribute of ", name, " at ", at);
      }
      for (const std::string& other : attributes) {
        if (other == attribute) return absl::StrCat(attribute, " twice at ", at);
      }
      attributes.push_back(attribute);
      for (at += 2; text[at] != '"'; ++at) {
        if (text[at] == '<' || (text[at] == '&' && !entity(at))) {
          return absl::StrCat("value of ", attribute);
        }
      }
      ++at;
    }
    if (absl::StartsWith(text.substr(at), "/>")) {
      i = at + 2;
    } else if (text[at] == '>') {
      open.push_back(name);
      i = at + 1;
    } else {
      return absl::StrCat("<", name, " at ", i);
    }
  }
  if (!open.empty()) return absl::StrCat("<", open.back(), "> is not closed");
  return root ? "" : "no element";
}

int Count(absl::string_view text, absl::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != absl::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

bool Meet(const ChartBox& a, const ChartBox& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

// Texts that meet another, the plot or the strip, or reach out of the picture.
std::vector<std::string> Misplaced(const ChartLayout& layout) {
  std::vector<std::string> misplaced;
  for (size_t i = 0; i < layout.texts.size(); ++i) {
    const ChartText& text = layout.texts[i];
    const ChartBox& box = text.box;
    if (box.x < 0 || box.y < 0 || box.right() > layout.canvas.width ||
        box.bottom() > layout.canvas.height) {
      misplaced.push_back(absl::StrCat(text.text, " is outside"));
    }
    if (Meet(box, layout.plot) || (layout.strip.has_value() && Meet(box, *layout.strip))) {
      misplaced.push_back(absl::StrCat(text.text, " is in the plot"));
    }
    for (size_t j = 0; j < i; ++j) {
      if (Meet(box, layout.texts[j].box)) {
        misplaced.push_back(absl::StrCat(text.text, " is on ", layout.texts[j].text));
      }
    }
  }
  return misplaced;
}

std::vector<std::string> TextsOf(const ChartLayout& layout) {
  std::vector<std::string> texts;
  for (const ChartText& text : layout.texts) texts.push_back(text.text);
  return texts;
}

// A course of the classic protocol with its picture.
struct Example {
  explicit Example(const Course& from) : course(from) {
    state.set_planned_sessions(16);
    const auto phase = [&](scheduling::v1::Phase which, int first, int last) {
      auto& added = *state.add_phases();
      added.set_phase(which);
      added.set_first_session(first);
      added.set_last_session(last);
    };
    phase(scheduling::v1::PHASE_INITIAL, 1, 3);
    phase(scheduling::v1::PHASE_MIDDLE, 4, 12);
    phase(scheduling::v1::PHASE_TERMINATION, 13, 16);
    for (const Session& session : course.input().sessions) {
      input.sessions.push_back({session.start, session.number, !session.stands, 0});
    }
  }

  Chart Make(absl::string_view instrument) {
    course.input().course = "organizations/acme/courses/secret-course";
    course.input().patient = "organizations/acme/patients/secret-patient";
    progress = course.Compute();
    *progress.mutable_rhythm() = {rhythm.begin(), rhythm.end()};
    input.rules = &Rules(instrument);
    input.progress = &progress;
    input.course = &state;
    input.zone = course.input().zone;
    input.now = course.input().now + absl::Hours(25);  // after the session of the last form
    return ChartOf(input);
  }

  Course course;
  scheduling::v1::CourseEvent state;
  std::vector<v1::RhythmWeek> rhythm;
  v1::Progress progress;
  ProgressChart input;
};

Example S1() {
  Example example(StoryS1());
  // The no-show after session 6.
  example.input.sessions.push_back({example.course.start(6) + absl::Hours(24 * 5), 0, true, 0});
  return example;
}

Example S3() {
  static const InstrumentRules& rhythm = Rules("srm-5");
  Course course = StoryS3(14, "ipsrt");
  for (const auto& [session, total] : std::vector<std::pair<int, double>>{
           {1, 2}, {2, 3}, {3, 11}, {4, 9}, {5, 7}, {6, 5}, {7, 4}, {8, 3}, {10, 2}, {12, 1}}) {
    course.Total("asrm", session, total);
  }
  Example example(course);
  example.input.events = {{ChartFlag::Kind::kEvent, course.start(3) + absl::Hours(50),
                           "lithium begun, sertraline stopped (psychiatrist)"}};
  example.input.rhythm = &rhythm;
  for (int week = 0; week < 10; ++week) {
    v1::RhythmWeek& added = example.rhythm.emplace_back();
    *added.mutable_start_date() =
        time::ToDate(absl::ToCivilDay(course.start(4), course.input().zone) + 7 * week);
    added.set_score(2.4 + week * 2.4 / 9);
    added.set_complete(week != 3);
  }
  return example;
}

Example Rising() {
  Course course = Watched(12);
  int session = 0;
  for (const double total : {28, 32, 32, 40, 44, 36, 48, 56, 60, 56, 64, 72}) {
    course.Total("who-5", ++session, total);
  }
  auto& forms = course.input().series[0].forms;
  for (const int estimate : {5, 8}) {
    forms[estimate].complete = false;
    forms[estimate].prorated = true;
  }
  return Example(course);
}

Example Support() {
  Course course(8);
  int session = 0;
  for (const double total : {2.25, 2.5, 3.08, 3.0, 3.75, 4.5, 4.92, 5.58}) {
    course.Total("mspss", ++session, total);
  }
  return Example(course);
}

Example OneForm() {
  Course course(1);
  course.Before("phq-9", 1, "222222220");
  return Example(course);
}

// Two years: 60 forms, some estimated, every ninth session missed.
Example TwoYears() {
  Course course(60, absl::CivilSecond(2025, 1, 6, 10, 0, 0));
  unsigned random = 7;
  int total = 19;
  for (int i = 0; i < 60; ++i) {
    Session& session = course.input().sessions[i];
    session.start = course.start(1) + absl::Hours(24 * 12 * i);
    session.end = session.start + absl::Minutes(50);
    session.stands = i % 9 != 4;
    random = random * 1103515245 + 12345;
    total += static_cast<int>((random >> 16) % 7) - 3 - (i < 25 && total > 6 ? 1 : 0);
    total = std::max(1, std::min(25, total));
    course.Total("phq-9", i + 1, total);
  }
  auto& forms = course.input().series[0].forms;
  for (size_t i = 5; i < forms.size(); i += 11) {
    forms[i].complete = false;
    forms[i].prorated = true;
  }
  Example example(course);
  for (int i = 0; i < 4; ++i) {
    example.input.events.push_back({ChartFlag::Kind::kEvent,
                                    course.start(10 + 12 * i) + absl::Hours(30),
                                    absl::StrCat("sertraline ", 50 + 25 * i, " mg")});
  }
  return example;
}

struct Picture {
  const char* name;
  Example (*make)();
  const char* instrument;
  int points;
  int estimated;
  int missed;
};

const std::vector<Picture>& Pictures() {
  static const auto& pictures = *new std::vector<Picture>{
      {"s1", S1, "phq-9", 16, 0, 1},           {"s1-anxiety", S1, "gad-7", 5, 0, 1},
      {"s3", S3, "phq-9", 14, 0, 0},           {"s3-mania", S3, "asrm", 10, 0, 0},
      {"rising", Rising, "who-5", 12, 2, 0},   {"support", Support, "mspss", 8, 0, 0},
      {"one-form", OneForm, "phq-9", 1, 0, 0}, {"two-years", TwoYears, "phq-9", 60, 5, 7}};
  return pictures;
}

TEST(Pictures, ShowEveryFormAndNothingOfThePerson) {
  for (const Picture& picture : Pictures()) {
    Example example = picture.make();
    const Chart chart = example.Make(picture.instrument);
    const auto svg = DrawChart(chart, 960, 480);
    ASSERT_TRUE(svg.ok()) << picture.name << ": " << svg.status();
    EXPECT_EQ(XmlProblem(*svg), "") << picture.name;
    EXPECT_EQ(Count(*svg, "<circle class=\"point\""), picture.points) << picture.name;
    int hollow = 0;
    for (size_t at = svg->find("class=\"point\""); at != std::string::npos;
         at = svg->find("class=\"point\"", at + 1)) {
      const std::string element = svg->substr(at, svg->find('>', at) - at);
      hollow += Count(element, "fill=\"#ffffff\"");
    }
    EXPECT_EQ(hollow, picture.estimated) << picture.name;
    EXPECT_EQ(Count(*svg, "<path class=\"missed\"") - (picture.missed > 0 ? 1 : 0), picture.missed)
        << picture.name << ": and one in the legend";
    EXPECT_EQ(Count(*svg, "<title "), 1) << picture.name;
    EXPECT_EQ(Count(*svg, "<desc "), 1) << picture.name;
    for (const char* never : {"<script", "href", "<style", "url(", "<image", "secret", "acme",
                              "organizations", "nan", "inf\""}) {
      EXPECT_THAT(*svg, Not(HasSubstr(never))) << picture.name;
    }
    EXPECT_EQ(Count(*svg, "http"), 1) << picture.name << ": the namespace alone";
    // To look at: RAPPORT_CHART_DIR=… assessment_progress_test --gtest_filter='Pictures.*'
    if (const char* folder = std::getenv("RAPPORT_CHART_DIR"); folder != nullptr) {
      std::ofstream(absl::StrCat(folder, "/", picture.name, ".svg")) << *svg;
    }
  }
}

TEST(Pictures, HaveNoTextOnTextOrOnTheLine) {
  for (const Picture& picture : Pictures()) {
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{
             {960, 480}, {480, 320}, {560, 800}, {1600, 400}, {4000, 3000}}) {
      Example example = picture.make();
      const ChartLayout layout = LayOutChart(example.Make(picture.instrument), width, height);
      EXPECT_THAT(Misplaced(layout), IsEmpty()) << picture.name << " " << width << "×" << height;
      EXPECT_GT(layout.plot.width, width * 0.3) << picture.name;
      EXPECT_GT(layout.plot.height, height * 0.3) << picture.name;
      EXPECT_LE(layout.plot.right(), width) << picture.name;
      EXPECT_LE(layout.plot.bottom(), height) << picture.name;
    }
  }
}

TEST(Pictures, NameWhatTheyDraw) {
  Example example = S1();
  const ChartLayout layout = LayOutChart(example.Make("phq-9"), 960, 480);
  for (const char* text :
       {"PHQ-9", "Initial", "Middle", "Ending", "Severe", "None or minimal", "baseline 17",
        "reliable change at 11", "case from 10", "remission to 4", "reliable improvement",
        "response", "remission level", "missed session", "session", "16", "1 Mar 2026"}) {
    EXPECT_THAT(TextsOf(layout), ::testing::Contains(text));
  }
  EXPECT_THAT(TextsOf(layout),
              ::testing::Contains("baseline 17, newest 3 (−14 points, −82 %) · lower is better"));
}

TEST(Pictures, NumberSessionsEvenlyWhereTheyAreMany) {
  Example example = TwoYears();
  const ChartLayout layout = LayOutChart(example.Make("phq-9"), 960, 480);
  std::vector<int> numbers;
  for (const ChartText& text : layout.texts) {
    int number = 0;
    if (text.y > layout.plot.bottom() && absl::SimpleAtoi(text.text, &number)) {
      numbers.push_back(number);
    }
  }
  ASSERT_GT(numbers.size(), 10u);
  for (const int number : numbers) {
    EXPECT_TRUE(number == 1 || number % 3 == 0) << number << ": every third at this width";
  }
}

TEST(Pictures, KeepThePolesOfFlagsOffTheTexts) {
  // Many flags close together; each pole stands at its text's left.
  Chart chart;
  chart.id = chart.title = "x";
  chart.max = 10;
  chart.zone = absl::UTCTimeZone();
  const absl::Time start = absl::FromUnixSeconds(1'772'442'000);
  for (int i = 0; i < 20; ++i) chart.points.push_back({start + absl::Hours(24 * i), i / 2.0, true});
  for (int i = 0; i < 6; ++i) {
    chart.flags.push_back({ChartFlag::Kind::kMilestone, start + absl::Hours(24 * (4 + i % 5)),
                           absl::StrCat("a milestone ", i)});
  }
  const ChartLayout layout = LayOutChart(chart, 960, 480);
  EXPECT_THAT(Misplaced(layout), IsEmpty());
  std::vector<const ChartText*> flags;
  for (const ChartText& text : layout.texts) {
    if (absl::StartsWith(text.text, "a milestone")) flags.push_back(&text);
  }
  ASSERT_EQ(flags.size(), 6u);
  for (const ChartText* pole : flags) {
    for (const ChartText* text : flags) {
      const double x = pole->x - 5;
      EXPECT_FALSE(text != pole && text->y > pole->y && x > text->box.x && x < text->box.right())
          << pole->text << " through " << text->text;
    }
  }
}

TEST(Pictures, LeaveOutTheFlagsThatDoNotFit) {
  Chart chart;
  chart.id = chart.title = "x";
  chart.max = 10;
  chart.zone = absl::UTCTimeZone();
  const absl::Time start = absl::FromUnixSeconds(1'772'442'000);
  chart.points = {{start, 1, true}, {start + absl::Hours(240), 2, true}};
  for (int i = 0; i < 40; ++i) {
    chart.flags.push_back({ChartFlag::Kind::kEvent, start + absl::Hours(100), "something long"});
  }
  const ChartLayout layout = LayOutChart(chart, 480, 320);
  EXPECT_THAT(Misplaced(layout), IsEmpty());
  EXPECT_GT(layout.plot.height, 320 * 0.3);
  EXPECT_EQ(Count(layout.shapes, "class=\"event\""), 41) << "the marks and the legend's";
}

TEST(Pictures, EscapeWhatIsWritten) {
  Example example = OneForm();
  example.input.events = {{ChartFlag::Kind::kEvent, example.course.start(1) - absl::Hours(2),
                           "<b>\"5 & 6\"\x01 mg</b> naïve ✓"}};
  const auto svg = DrawChart(example.Make("phq-9"), 960, 480);
  ASSERT_TRUE(svg.ok());
  EXPECT_EQ(XmlProblem(*svg), "");
  EXPECT_THAT(*svg, HasSubstr("&lt;b&gt;&quot;5 &amp; 6&quot;"));
}

TEST(DrawChart, RefusesAnEmptySeriesAndSizesOutOfBounds) {
  Chart empty;
  EXPECT_EQ(DrawChart(empty, 960, 480).status().code(), absl::StatusCode::kInvalidArgument);
  Example example = OneForm();
  const Chart chart = example.Make("phq-9");
  for (const auto& [width, height, field] :
       std::vector<std::tuple<int, int, std::string>>{{479, 480, "width"},
                                                      {4001, 480, "width"},
                                                      {960, 319, "height"},
                                                      {960, 3001, "height"}}) {
    const auto refused = DrawChart(chart, width, height);
    ASSERT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(errors::FieldViolations(refused.status())[0].field, field);
  }
  EXPECT_TRUE(DrawChart(chart, 480, 320).ok());
  EXPECT_TRUE(DrawChart(chart, 4000, 3000).ok());
}

TEST(ChartOf, PutsBandEdgesBetweenTotalsAndTheWorstBandDarkest) {
  Example falling = S1();
  const Chart phq = falling.Make("phq-9");
  ASSERT_EQ(phq.bands.size(), 5u);
  EXPECT_EQ(phq.bands[0].from, 0);
  EXPECT_EQ(phq.bands[0].to, 4.5);
  EXPECT_EQ(phq.bands[4].to, 27);
  EXPECT_LT(phq.bands[0].badness, phq.bands[4].badness);
  Course course(2);
  course.Total("mspss", 1, 4.5);
  Example rising(course);
  const Chart mspss = rising.Make("mspss");
  ASSERT_EQ(mspss.bands.size(), 3u);
  EXPECT_GT(mspss.bands.front().badness, mspss.bands.back().badness);
  for (const Chart* chart : {&phq, &mspss}) {
    for (size_t i = 1; i < chart->bands.size(); ++i) {
      EXPECT_EQ(chart->bands[i].from, chart->bands[i - 1].to);
    }
  }
}

TEST(ChartOf, DrawsTheLineOfReliableChangeTowardsTheBetter) {
  const auto line = [](const Chart& chart, ChartLine::Kind kind) {
    for (const ChartLine& entry : chart.lines) {
      if (entry.kind == kind) return entry.value;
    }
    return -1.0;
  };
  Example falling = S1();
  EXPECT_EQ(line(falling.Make("phq-9"), ChartLine::Kind::kReliableChange), 11);
  Course course(3);
  course.Total("csi-16", 1, 30).Total("csi-16", 2, 40);
  Example rising(course);
  EXPECT_NEAR(line(rising.Make("csi-16"), ChartLine::Kind::kReliableChange), 30 + 6.664, 1e-9);
}

TEST(ChartOf, LeavesSessionsToComeOut) {
  Example example(StoryS1(6));
  const Chart chart = example.Make("phq-9");
  ASSERT_FALSE(chart.sessions.empty());
  EXPECT_EQ(chart.sessions.back().number, 6);
  EXPECT_EQ(chart.phases.size(), 2u) << "nor is the ending drawn";
}

TEST(ChartOf, KeepsTheLengthOfTheEndingInAShorterCourse) {
  Example example = S1();
  example.state.set_planned_sessions(14);
  const Chart chart = example.Make("phq-9");
  ASSERT_EQ(chart.phases.size(), 3u);
  EXPECT_EQ(chart.phases[2].label, "Ending");
  EXPECT_EQ(chart.phases[2].start, example.course.start(11));
}

TEST(ChartOf, DrawsMaintenanceAndWhatWasBeforeASwitchAsPhases) {
  const auto phases = [](const Chart& chart) {
    std::vector<std::string> told;
    for (const ChartPhase& phase : chart.phases) told.push_back(phase.label);
    return told;
  };
  Example example = S1();
  // Sessions 15 and 16 are 1 and 2 of another count.
  for (ChartSession& session : example.input.sessions) {
    if (session.number < 15) continue;
    session.number -= 14;
    session.segment = 1;
  }
  example.state.set_segment(1);
  const Chart switched = example.Make("phq-9");
  EXPECT_THAT(phases(switched), ElementsAre("Before", "Initial"));
  EXPECT_EQ(switched.phases[1].start, example.course.start(15));
  example.state.mutable_maintenance()->set_cadence_days(30);
  const Chart maintained = example.Make("phq-9");
  EXPECT_THAT(phases(maintained), ElementsAre("Initial", "Middle", "Ending", "Maintenance"));
  EXPECT_EQ(maintained.phases[1].start, example.course.start(4));
  EXPECT_EQ(maintained.phases[3].start, example.course.start(15));
}

TEST(ChartOf, DrawsTheRhythmBesideAManiaScaleOnly) {
  Example example = S3();
  const Chart mania = example.Make("asrm");
  ASSERT_TRUE(mania.strip.has_value());
  EXPECT_EQ(mania.strip->points.size(), 10u);
  EXPECT_EQ(mania.strip->max, 7);
  EXPECT_EQ(mania.strip->line, 3.5);
  EXPECT_FALSE(mania.strip->points[3].complete);
  EXPECT_THAT(Misplaced(LayOutChart(mania, 960, 480)), IsEmpty());
  EXPECT_FALSE(example.Make("phq-9").strip.has_value());
}

TEST(ChartOf, TellsSignsOfElevationAndMarksWhatIsPast) {
  Example example = S3();
  const Chart chart = example.Make("phq-9");
  std::vector<std::string> cautions;
  for (const ChartFlag& flag : chart.flags) {
    if (flag.kind == ChartFlag::Kind::kCaution) cautions.push_back(flag.label);
  }
  EXPECT_THAT(cautions, ElementsAre("check for elevation (past)"));
  EXPECT_THAT(chart.description, HasSubstr("check for elevation"));
}

TEST(ChartOf, TakesTheBandsThatTheFormsWereToldBy) {
  // PDSS-SR: other bands with agoraphobia than without.
  const v1::Instrument& pdss = Rules("pdss-sr").instrument();
  for (const auto& set : pdss.figures(Rules("pdss-sr").total_figure()).band_sets()) {
    if (!set.id().empty()) continue;
    Course course(2);
    course.Total("pdss-sr", 1, set.bands(1).max());
    course.input().series[0].forms[0].severity = set.bands(1).id();
    Example example(course);
    const Chart chart = example.Make("pdss-sr");
    ASSERT_EQ(chart.bands.size(), static_cast<size_t>(set.bands_size()));
    EXPECT_EQ(chart.bands[1].from, (set.bands(0).max() + set.bands(1).min()) / 2);
  }
}

}  // namespace
}  // namespace rapport::assessment
