#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_CHART_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_CHART_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// A series over time as a picture: SVG 1.1 without scripts, styles or outside references. Pure
// drawing; progress_chart.h says what of a course is drawn.
//
//   title, summary, legend
//   phase names                 vertical regions below them
//   milestones and events       flags on poles, each in a row of its own where they would meet
//   the plot                    bands as stripes, lines dashed, points and their line; no text
//   sessions                    ticks with numbers, missed ones crossed
//   dates
//   a strip                     a second series on the same dates, as the rhythm beside mania
//
// To the right of the plot: the bands' names, then the lines' names. All text lies outside of the
// plot and no two texts overlap; what does not fit is left out, the least needed first.
namespace rapport::assessment {

struct ChartBand {
  std::string label;
  double from = 0;  // where the stripe begins and ends
  double to = 0;
  double badness = 0;  // 0 best to 1 worst
};

struct ChartLine {
  enum class Kind { kBaseline, kReliableChange, kCase, kRemission };
  Kind kind = Kind::kBaseline;
  std::string label;  // "case ≥ 10"
  double value = 0;
};

struct ChartPoint {
  absl::Time time;
  double value = 0;
  bool complete = true;  // else an estimate: hollow
};

struct ChartSession {
  absl::Time time;
  int number = 0;
  bool missed = false;
  int segment = 0;  // which count of sessions the number is of
};

struct ChartPhase {
  std::string label;
  absl::Time start;  // lasts until the next one starts
};

// A dated label: a milestone, something to look at, or what happened besides.
struct ChartFlag {
  enum class Kind { kMilestone, kCaution, kEvent };
  Kind kind = Kind::kMilestone;
  absl::Time time;
  std::string label;
};

// A second series below the first.
struct ChartStrip {
  std::string label;  // "Social rhythm (SRM-5), by week"
  double min = 0;
  double max = 0;
  std::optional<double> line;  // "stable from 3.5"
  std::string line_label;
  std::vector<ChartPoint> points;
};

struct Chart {
  std::string id;           // prefix of the ids in the picture, as "phq-9"
  std::string title;        // "PHQ-9"
  std::string summary;      // "baseline 17, newest 3"
  std::string description;  // the picture in words
  double min = 0;           // of the value axis
  double max = 0;
  absl::TimeZone zone;             // of the dates
  std::vector<ChartPoint> points;  // by time
  std::vector<ChartBand> bands;
  std::vector<ChartLine> lines;
  std::vector<ChartPhase> phases;      // by start
  std::vector<ChartSession> sessions;  // by time
  std::vector<ChartFlag> flags;
  std::optional<ChartStrip> strip;
};

inline constexpr int kMinChartWidth = 480;
inline constexpr int kMinChartHeight = 320;
inline constexpr int kMaxChartWidth = 4000;
inline constexpr int kMaxChartHeight = 3000;

// Upper left corner and size, in pixels.
struct ChartBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

// A text and the room that it takes.
struct ChartText {
  enum class Anchor { kStart, kMiddle, kEnd };
  std::string text;
  ChartBox box;
  double x = 0;  // of the anchor
  double y = 0;  // of the base line
  double size = 0;
  Anchor anchor = Anchor::kStart;
  std::string color;
  bool bold = false;
};

// Where everything goes.
struct ChartLayout {
  ChartBox canvas;
  ChartBox plot;
  std::optional<ChartBox> strip;
  std::vector<ChartText> texts;
  std::string shapes;  // the elements without text, in drawing order
};

// Lays `chart` out; needs a point and a size within the bounds above.
ChartLayout LayOutChart(const Chart& chart, int width, int height);

// The picture.
//   kInvalidArgument  EMPTY_SERIES: no point to draw; "width" or "height" out of bounds
absl::StatusOr<std::string> DrawChart(const Chart& chart, int width, int height);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_CHART_H_
