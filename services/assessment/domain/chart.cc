#include "services/assessment/domain/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"

namespace rapport::assessment {
namespace {

using Anchor = ChartText::Anchor;

// Blue, vermilion, green and purple of one lightness stay apart for the colour-blind; the stripes
// differ in lightness alone.
constexpr absl::string_view kInk = "#1f2933";
constexpr absl::string_view kMuted = "#52606d";
constexpr absl::string_view kFaint = "#9aa5b1";
constexpr absl::string_view kGrid = "#dfe3e8";
constexpr absl::string_view kSeries = "#0b5fa5";
constexpr absl::string_view kCaution = "#a3380f";
constexpr absl::string_view kGood = "#00684f";
constexpr absl::string_view kEvent = "#6a3d8f";
constexpr absl::string_view kFonts =
    "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

constexpr double kMargin = 12;
constexpr double kTitleSize = 16;
constexpr double kTextSize = 11.5;
constexpr double kSmallSize = 10.5;
constexpr double kTitleLine = 26;   // base line of the title
constexpr double kLegendRow = 20;   // from one header row to the next
constexpr double kPhaseRow = 22;    // height of the row of phase names
constexpr double kFlagRow = 16;     // height of a row of flags
constexpr double kFlagFoot = 12;    // room for the marks below the flags
constexpr double kInset = 16;       // from the plot's sides to its first and last instant
constexpr double kSessionRow = 22;  // ticks and numbers
constexpr double kDateRow = 22;
constexpr double kStripCaption = 18;
constexpr double kStripHeight = 62;
constexpr double kPlotShare = 0.4;  // of the height, which flags leave to the plot
constexpr double kGap = 8;          // between texts beside each other
constexpr double kLineGap = 3;      // between texts above each other

std::string Number(double value) {
  std::string text = absl::StrFormat("%.2f", value == 0 ? 0 : value);
  while (absl::EndsWith(text, "0")) text.pop_back();
  if (absl::EndsWith(text, ".")) text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string Escaped(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return escaped;
}

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Room for a text, a little more than common sans-serif faces take.
double WidthOf(absl::string_view text, double size, bool bold = false) {
  double ems = 0;
  for (const char c : text) {
    if (Continues(c)) continue;
    if (absl::StrContains("ijl.,:;'|!()[] ", c)) {
      ems += 0.32;
    } else if (absl::StrContains("ftr-/", c)) {
      ems += 0.40;
    } else if (absl::StrContains("mwMW%", c)) {
      ems += 0.90;
    } else if (c >= 'A' && c <= 'Z') {
      ems += 0.72;
    } else {
      ems += 0.58;
    }
  }
  return ems * size * (bold ? 1.08 : 1.02);
}

// As much of `text` as fits, with an ellipsis where it was cut; empty where next to nothing fits.
std::string Fitted(std::string text, double size, double width) {
  if (WidthOf(text, size) <= width) return text;
  while (!text.empty()) {
    while (text.size() > 1 && Continues(text.back())) text.pop_back();
    text.pop_back();
    if (WidthOf(text, size) + size <= width) break;
  }
  return text.size() < 5 ? "" : absl::StrCat(text, "…");
}

ChartText Text(std::string text, double x, double y, double size, Anchor anchor,
               absl::string_view color, bool bold = false) {
  const double width = WidthOf(text, size, bold);
  const double left = anchor == Anchor::kStart ? x
                      : anchor == Anchor::kEnd ? x - width
                                               : x - width / 2;
  ChartText placed;
  placed.text = std::move(text);
  placed.box = {left, y - 0.8 * size, width, 1.05 * size};
  placed.x = x;
  placed.y = y;
  placed.size = size;
  placed.anchor = anchor;
  placed.color = std::string(color);
  placed.bold = bold;
  return placed;
}

bool Meet(const ChartBox& a, const ChartBox& b, double gap) {
  return a.x < b.right() + gap && b.x < a.right() + gap && a.y < b.bottom() && b.y < a.bottom();
}

// 1, 2 or 5 times a power of ten.
double NiceStep(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::string StripeColor(double badness) {
  const double part = std::clamp(badness, 0.0, 1.0);
  const auto mix = [&](int from, int to) {
    return static_cast<int>(std::lround(from + (to - from) * part));
  };
  return absl::StrFormat("#%02x%02x%02x", mix(253, 246), mix(250, 205), mix(243, 158));
}

absl::string_view LineColor(ChartLine::Kind kind) {
  switch (kind) {
    case ChartLine::Kind::kCase:
      return kCaution;
    case ChartLine::Kind::kRemission:
      return kGood;
    case ChartLine::Kind::kReliableChange:
      return kEvent;
    case ChartLine::Kind::kBaseline:
      break;
  }
  return kMuted;
}

absl::string_view Dashes(ChartLine::Kind kind) {
  switch (kind) {
    case ChartLine::Kind::kReliableChange:
      return "2 3";
    case ChartLine::Kind::kBaseline:
      return "1 4";
    default:
      return "7 4";
  }
}

absl::string_view FlagColor(ChartFlag::Kind kind) {
  switch (kind) {
    case ChartFlag::Kind::kCaution:
      return kCaution;
    case ChartFlag::Kind::kEvent:
      return kEvent;
    case ChartFlag::Kind::kMilestone:
      break;
  }
  return kGood;
}

struct SideLabel {
  std::string text;
  double wanted = 0;  // its middle
  double size = 0;    // height
  double weight = 0;  // the lightest go first where there is not room for all
  std::string color;
  double middle = 0;  // where it is put
};

// Puts labels between `top` and `bottom` as near to where they are wanted as they can be without
// overlap, in their order.
void Spread(std::vector<SideLabel>& labels, double top, double bottom) {
  const auto height = [&] {
    double sum = 0;
    for (const SideLabel& label : labels) sum += label.size + kLineGap;
    return sum;
  };
  while (height() > bottom - top && !labels.empty()) {
    labels.erase(std::min_element(
        labels.begin(), labels.end(),
        [](const SideLabel& a, const SideLabel& b) { return a.weight < b.weight; }));
  }
  std::stable_sort(labels.begin(), labels.end(),
                   [](const SideLabel& a, const SideLabel& b) { return a.wanted < b.wanted; });
  struct Group {
    size_t first = 0;
    size_t last = 0;
    double wanted_top = 0;  // mean over the labels of where the group would begin
    double size = 0;
    double top = 0;
  };
  std::vector<Group> groups;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double size = labels[i].size + kLineGap;
    Group group{i, i, labels[i].wanted - size / 2, size, 0};
    const auto settle = [&](Group& of) {
      of.top = std::clamp(of.wanted_top, top, std::max(top, bottom - of.size));
    };
    settle(group);
    while (!groups.empty() && groups.back().top + groups.back().size > group.top) {
      const Group& above = groups.back();
      const double n = static_cast<double>(above.last - above.first + 1);
      const double m = static_cast<double>(group.last - group.first + 1);
      const double wanted = (above.wanted_top * n + (group.wanted_top - above.size) * m) / (n + m);
      group = {above.first, group.last, wanted, above.size + group.size, 0};
      groups.pop_back();
      settle(group);
    }
    groups.push_back(group);
  }
  for (const Group& group : groups) {
    double at = group.top;
    for (size_t i = group.first; i <= group.last; ++i) {
      labels[i].middle = at + (labels[i].size + kLineGap) / 2;
      at += labels[i].size + kLineGap;
    }
  }
}

class Layouter {
 public:
  Layouter(const Chart& chart, int width, int height)
      : chart_(chart), width_(width), height_(height) {
    out_.canvas = {0, 0, width_, height_};
  }

  ChartLayout Run() {
    FindTimes();
    PlaceSides();
    const double phases_top = Header();
    const double flags_top = phases_top + (chart_.phases.empty() ? 4 : kPhaseRow);
    double below = kSessionRow + kDateRow + 6;
    if (chart_.strip.has_value()) below += kStripCaption + kStripHeight;
    // The plot's sides are known, so instants have their place; its height depends on the flags.
    const double spare = height_ * (1 - kPlotShare) - flags_top - kFlagFoot - below;
    PlaceFlags(std::max(0, static_cast<int>(spare / kFlagRow)));
    out_.plot.y = flags_top + flag_rows_ * kFlagRow + (flags_.empty() ? 4 : kFlagFoot);
    out_.plot.height = std::max(60.0, height_ - below - out_.plot.y);

    Stripes();
    Phases(phases_top);
    Grid();
    Lines();
    Flags();
    Series();
    Sessions();
    double dates_top = out_.plot.bottom() + kSessionRow;
    if (chart_.strip.has_value()) dates_top = Strip(dates_top);
    Dates(dates_top);
    return std::move(out_);
  }

 private:
  // --- axes
  void FindTimes() {
    first_ = absl::InfiniteFuture();
    last_ = absl::InfinitePast();
    const auto take = [&](absl::Time at) {
      first_ = std::min(first_, at);
      last_ = std::max(last_, at);
    };
    for (const ChartPoint& point : chart_.points) take(point.time);
    for (const ChartSession& session : chart_.sessions) take(session.time);
    if (chart_.strip.has_value()) {
      for (const ChartPoint& point : chart_.strip->points) take(point.time);
    }
    if (last_ - first_ < absl::Hours(24 * 6)) {
      const absl::Duration more = (absl::Hours(24 * 6) - (last_ - first_)) / 2;
      first_ -= more;
      last_ += more;
    }
  }
  bool Within(absl::Time at) const { return at >= first_ && at <= last_; }
  double X(absl::Time at) const {
    const double part = absl::FDivDuration(at - first_, last_ - first_);
    return out_.plot.x + kInset + part * (out_.plot.width - 2 * kInset);
  }
  double Y(double value) const {
    const double pad = 0.035 * (chart_.max - chart_.min);
    const double part = (value - chart_.min + pad) / (chart_.max - chart_.min + 2 * pad);
    return out_.plot.bottom() - std::clamp(part, 0.0, 1.0) * out_.plot.height;
  }

  // --- shapes
  void Shape(absl::string_view element) { absl::StrAppend(&out_.shapes, element, "\n"); }
  void Rule(double x1, double y1, double x2, double y2, absl::string_view color, double width,
            absl::string_view dashes = "") {
    Shape(absl::StrCat(
        "<line x1=\"", Number(x1), "\" y1=\"", Number(y1), "\" x2=\"", Number(x2), "\" y2=\"",
        Number(y2), "\" stroke=\"", color, "\" stroke-width=\"", Number(width), "\"",
        dashes.empty() ? "" : absl::StrCat(" stroke-dasharray=\"", dashes, "\""), "/>"));
  }
  void Rectangle(const ChartBox& box, absl::string_view color) {
    Shape(absl::StrCat("<rect x=\"", Number(box.x), "\" y=\"", Number(box.y), "\" width=\"",
                       Number(box.width), "\" height=\"", Number(box.height), "\" fill=\"", color,
                       "\"/>"));
  }
  void Dot(absl::string_view what, double x, double y, double radius, bool filled) {
    Shape(absl::StrCat("<circle class=\"", what, "\" cx=\"", Number(x), "\" cy=\"", Number(y),
                       "\" r=\"", Number(filled ? radius : radius - 0.4), "\" fill=\"",
                       filled ? kSeries : "#ffffff", "\" stroke=\"", filled ? "#ffffff" : kSeries,
                       "\" stroke-width=\"", filled ? "1" : "1.6", "\"/>"));
  }
  void Cross(double x, double y) {
    Shape(
        absl::StrFormat("<path class=\"missed\" d=\"M%s %sl6 6m0 -6l-6 6\" stroke=\"%s\" "
                        "stroke-width=\"1.6\" fill=\"none\"/>",
                        Number(x - 3), Number(y - 3), kCaution));
  }
  void Diamond(absl::string_view what, double x, double y, absl::string_view color) {
    Shape(absl::StrFormat("<path class=\"%s\" d=\"M%s %sl4 4l-4 4l-4 -4z\" fill=\"%s\"/>", what,
                          Number(x), Number(y - 4), color));
  }
  void Mark(ChartFlag::Kind kind, double x, double y) {
    switch (kind) {
      case ChartFlag::Kind::kMilestone:
        Diamond("milestone", x, y, kGood);
        break;
      case ChartFlag::Kind::kCaution:
        Diamond("caution", x, y, kCaution);
        break;
      case ChartFlag::Kind::kEvent:
        Triangle(x, y);
        break;
    }
  }
  void Triangle(double x, double y) {
    Shape(absl::StrFormat("<path class=\"event\" d=\"M%s %sl4.5 -7h-9z\" fill=\"%s\"/>", Number(x),
                          Number(y + 3.5), kEvent));
  }
  void Add(ChartText text) {
    if (!text.text.empty()) out_.texts.push_back(std::move(text));
  }

  // --- to the left and right of the plot
  void PlaceSides() {
    const double most = width_ < 640 ? 84 : 132;
    for (const ChartLine& line : chart_.lines) {
      lines_width_ = std::max(lines_width_, std::min(most, WidthOf(line.label, kSmallSize)));
    }
    if (chart_.strip.has_value()) {
      lines_width_ =
          std::max(lines_width_, std::min(most, WidthOf(chart_.strip->line_label, kSmallSize)));
    }
    for (const ChartBand& band : chart_.bands) {
      bands_width_ = std::max(bands_width_, std::min(most, WidthOf(band.label, kSmallSize)));
    }
    out_.plot.x = kMargin + WidthOf("session", kSmallSize) + kGap;
    double right = kMargin;
    if (lines_width_ > 0) right += lines_width_ + 18;
    if (bands_width_ > 0) right += bands_width_ + kGap + 4;
    out_.plot.width = width_ - out_.plot.x - right;
  }

  // Title, summary, legend; returns where the next row begins.
  double Header() {
    Add(Text(chart_.title, out_.plot.x, kTitleLine, kTitleSize, Anchor::kStart, kInk, true));
    double y = kTitleLine;
    const double room = width_ - kMargin - out_.plot.x;
    const double beside = out_.texts.back().box.right() + 14;
    if (beside + WidthOf(chart_.summary, kTextSize) <= width_ - kMargin) {
      Add(Text(chart_.summary, beside, y, kTextSize, Anchor::kStart, kMuted));
    } else if (!chart_.summary.empty()) {
      y += kLegendRow;
      Add(Text(Fitted(chart_.summary, kTextSize, room), out_.plot.x, y, kTextSize, Anchor::kStart,
               kMuted));
    }
    y += kLegendRow;

    double x = out_.plot.x + 5;
    const auto entry = [&](bool there, absl::string_view label, auto mark) {
      if (!there) return;
      const double end = x + 9 + WidthOf(label, kSmallSize);
      if (end > width_ - kMargin) return;
      mark(x, y - 4);
      Add(Text(std::string(label), x + 9, y, kSmallSize, Anchor::kStart, kMuted));
      x = end + 18;
    };
    const auto any_point = [&](bool complete) {
      return std::any_of(chart_.points.begin(), chart_.points.end(),
                         [&](const ChartPoint& point) { return point.complete == complete; });
    };
    const auto any_flag = [&](ChartFlag::Kind kind) {
      return std::any_of(chart_.flags.begin(), chart_.flags.end(),
                         [&](const ChartFlag& flag) { return flag.kind == kind; });
    };
    entry(any_point(true), "complete form",
          [&](double at, double middle) { Dot("legend", at, middle, 4, true); });
    entry(any_point(false), "estimated from an incomplete form",
          [&](double at, double middle) { Dot("legend", at, middle, 4, false); });
    entry(std::any_of(chart_.sessions.begin(), chart_.sessions.end(),
                      [](const ChartSession& session) { return session.missed; }),
          "missed session", [&](double at, double middle) { Cross(at, middle); });
    for (const auto& [kind, label] : {std::pair{ChartFlag::Kind::kMilestone, "milestone"},
                                      std::pair{ChartFlag::Kind::kCaution, "to look at"},
                                      std::pair{ChartFlag::Kind::kEvent, "event"}}) {
      entry(any_flag(kind), label,
            [&, what = kind](double at, double middle) { Mark(what, at, middle); });
    }
    return y + 10;
  }

  // --- flags
  struct Placed {
    const ChartFlag* flag;
    double x;
    int row;  // from the plot upwards; -1: without its text
    std::string text;
  };
  // From the right to the left: a flag goes above all rows of those whose pole its text would
  // cross, so that no pole ever crosses a text.
  void PlaceFlags(int most) {
    std::vector<const ChartFlag*> sorted;
    for (const ChartFlag& flag : chart_.flags) {
      if (Within(flag.time)) sorted.push_back(&flag);
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const ChartFlag* a, const ChartFlag* b) { return a->time > b->time; });
    for (const ChartFlag* flag : sorted) {
      Placed placed{flag, X(flag->time), 0, ""};
      placed.text = Fitted(flag->label, kSmallSize, width_ - kMargin - placed.x - 5);
      const double end = placed.x + 5 + WidthOf(placed.text, kSmallSize) + kGap;
      for (const Placed& other : flags_) {
        if (other.x <= end && other.row >= placed.row) placed.row = other.row + 1;
      }
      if (placed.row >= most || placed.text.empty()) {
        placed.row = -1;  // the mark alone
        placed.text.clear();
      }
      flag_rows_ = std::max(flag_rows_, placed.row + 1);
      flags_.push_back(std::move(placed));
    }
  }

  void Flags() {
    const double foot = out_.plot.y - 5;
    for (const Placed& placed : flags_) {
      const ChartFlag::Kind kind = placed.flag->kind;
      const absl::string_view color = FlagColor(kind);
      if (!placed.text.empty()) {
        const double base = out_.plot.y - kFlagFoot - placed.row * kFlagRow - 3;
        Rule(placed.x, base - 0.75 * kSmallSize, placed.x, foot, color, 1);
        Add(Text(placed.text, placed.x + 5, base, kSmallSize, Anchor::kStart, color));
      }
      if (kind == ChartFlag::Kind::kEvent) {
        Rule(placed.x, foot, placed.x, out_.plot.bottom(), color, 1, "3 3");
      } else {
        for (const ChartPoint& point : chart_.points) {
          if (point.time == placed.flag->time) {
            Rule(placed.x, foot, placed.x, Y(point.value), color, 0.9, "1 3");
          }
        }
      }
      Mark(kind, placed.x, foot - MarkLift(placed));
    }
  }
  // Marks that stand closely are put above each other on their poles.
  double MarkLift(const Placed& of) const {
    double lift = 0;
    for (const Placed& other : flags_) {
      if (&other == &of) break;
      const double apart = other.x - of.x;
      if (apart > 0.5 && apart < 9) lift += 9;
    }
    return lift;
  }

  // --- the plot
  void Stripes() {
    const double right = width_ - kMargin;
    std::vector<SideLabel> labels;
    for (const ChartBand& band : chart_.bands) {
      const double top = band.to >= chart_.max ? out_.plot.y : Y(band.to);
      const double bottom = band.from <= chart_.min ? out_.plot.bottom() : Y(band.from);
      Rectangle({out_.plot.x, top, right - out_.plot.x, bottom - top}, StripeColor(band.badness));
      labels.push_back({Fitted(band.label, kSmallSize, bands_width_), (top + bottom) / 2,
                        kSmallSize, bottom - top, std::string(kMuted)});
    }
    Spread(labels, out_.plot.y, out_.plot.bottom());
    for (const SideLabel& label : labels) {
      Add(Text(label.text, right - kGap / 2, label.middle + 0.35 * kSmallSize, kSmallSize,
               Anchor::kEnd, label.color));
    }
  }

  void Phases(double top) {
    for (size_t i = 0; i < chart_.phases.size(); ++i) {
      const ChartPhase& phase = chart_.phases[i];
      if (phase.start > last_) break;
      const double left = phase.start <= first_ ? out_.plot.x : X(phase.start) - 4;
      double right = out_.plot.right();
      if (i + 1 < chart_.phases.size() && chart_.phases[i + 1].start <= last_) {
        if (chart_.phases[i + 1].start <= first_) continue;
        right = X(chart_.phases[i + 1].start) - 4;
      }
      if (i % 2 == 1) {
        Shape(absl::StrCat("<rect class=\"phase\" x=\"", Number(left), "\" y=\"",
                           Number(out_.plot.y), "\" width=\"", Number(right - left), "\" height=\"",
                           Number(out_.plot.height), "\" fill=\"", kInk,
                           "\" fill-opacity=\"0.025\"/>"));
      }
      if (left > out_.plot.x) {
        // Not through the flags between the names and the plot.
        Rule(left, top + 1, left, top + 16, kFaint, 1);
        Rule(left, out_.plot.y, left, out_.plot.bottom(), kFaint, 1);
      }
      Add(Text(Fitted(phase.label, kTextSize, right - left - kGap - 5), left + 5, top + 13,
               kTextSize, Anchor::kStart, kMuted, false));
    }
  }

  void Grid() {
    const double range = chart_.max - chart_.min;
    const double step = NiceStep(range * 34 / out_.plot.height);
    for (double value = std::ceil(chart_.min / step - 1e-9) * step; value <= chart_.max + 1e-9;
         value += step) {
      Rule(out_.plot.x, Y(value), out_.plot.right(), Y(value), kGrid, 0.7);
      Add(Text(Number(value), out_.plot.x - kGap, Y(value) + 0.35 * kSmallSize, kSmallSize,
               Anchor::kEnd, kMuted));
    }
    Rule(out_.plot.x, out_.plot.bottom(), out_.plot.right(), out_.plot.bottom(), kMuted, 1);
  }

  void Lines() {
    std::vector<SideLabel> labels;
    for (const ChartLine& line : chart_.lines) {
      if (line.value < chart_.min || line.value > chart_.max) continue;
      const double y = Y(line.value);
      Rule(out_.plot.x, y, out_.plot.right(), y, LineColor(line.kind), 1.2, Dashes(line.kind));
      labels.push_back({Fitted(line.label, kSmallSize, lines_width_), y, kSmallSize, 1,
                        std::string(LineColor(line.kind))});
    }
    Spread(labels, out_.plot.y, out_.plot.bottom());
    const double x = out_.plot.right();
    for (const SideLabel& label : labels) {
      Shape(absl::StrFormat(
          "<path d=\"M%s %sh4L%s %s\" stroke=\"%s\" stroke-width=\"1\" "
          "fill=\"none\"/>",
          Number(x), Number(label.wanted), Number(x + 13), Number(label.middle), label.color));
      Add(Text(label.text, x + 16, label.middle + 0.35 * kSmallSize, kSmallSize, Anchor::kStart,
               label.color));
    }
  }

  void Curve(const std::vector<ChartPoint>& points, absl::string_view what, auto y) {
    double nearest = 40;
    for (size_t i = 1; i < points.size(); ++i) {
      const bool sure = points[i - 1].complete && points[i].complete;
      const double x1 = X(points[i - 1].time), x2 = X(points[i].time);
      nearest = std::min(nearest, x2 - x1);
      Rule(x1, y(points[i - 1].value), x2, y(points[i].value), kSeries, sure ? 2 : 1.3,
           sure ? "" : "4 3");
    }
    const double radius = std::clamp(nearest / 2.6, 2.6, 4.4);
    for (const ChartPoint& point : points) {
      Dot(what, X(point.time), y(point.value), radius, point.complete);
    }
  }

  void Series() {
    Curve(chart_.points, "point", [this](double value) { return Y(value); });
  }

  // --- below the plot
  void Sessions() {
    const double axis = out_.plot.bottom();
    const double base = axis + 17;
    bool any = false;
    for (const ChartSession& session : chart_.sessions) {
      const double x = X(session.time);
      if (session.missed) {
        Cross(x, axis);
      } else {
        Rule(x, axis, x, axis + 5, kMuted, 1);
        any = any || session.number > 0;
      }
    }
    if (!any) return;
    Add(Text("session", out_.plot.x - kGap, base, kSmallSize, Anchor::kEnd, kMuted));
    for (const int every : {1, 2, 3, 4, 5, 10, 20, 50, 100}) {
      std::vector<ChartText> numbers;
      bool apart = true;
      for (const ChartSession& session : chart_.sessions) {
        if (session.missed || session.number <= 0) continue;
        if (session.number != 1 && session.number % every != 0) continue;
        ChartText number = Text(absl::StrCat(session.number), X(session.time), base, kSmallSize,
                                Anchor::kMiddle, kMuted);
        if (!numbers.empty() && Meet(numbers.back().box, number.box, every == 1 ? 4 : 9)) {
          // In a coarser row the first of them gives way to the second.
          if (numbers.size() > 1 || every == 1) apart = false;
          numbers.pop_back();
        }
        numbers.push_back(std::move(number));
      }
      if (!apart) continue;
      for (ChartText& number : numbers) Add(std::move(number));
      return;
    }
  }

  // Returns where the next row begins.
  double Strip(double top) {
    const ChartStrip& strip = *chart_.strip;
    Add(Text(strip.label, out_.plot.x, top + 12, kSmallSize, Anchor::kStart, kMuted, true));
    const ChartBox box{out_.plot.x, top + kStripCaption, out_.plot.width, kStripHeight - 6};
    out_.strip = box;
    Rectangle(box, "#f5f7fa");
    const auto y = [&](double value) {
      const double part = (value - strip.min) / (strip.max - strip.min);
      return box.bottom() - 5 - std::clamp(part, 0.0, 1.0) * (box.height - 10);
    };
    for (const double value : {strip.min, strip.max}) {
      Add(Text(Number(value), box.x - kGap, y(value) + 0.35 * kSmallSize, kSmallSize, Anchor::kEnd,
               kMuted));
    }
    if (strip.line.has_value()) {
      Rule(box.x, y(*strip.line), box.right(), y(*strip.line), kGood, 1.2, "7 4");
      Add(Text(Fitted(strip.line_label, kSmallSize, width_ - kMargin - box.right() - 16),
               box.right() + 16, y(*strip.line) + 0.35 * kSmallSize, kSmallSize, Anchor::kStart,
               kGood));
    }
    Curve(strip.points, "strip", y);
    return box.bottom();
  }

  void Dates(double top) {
    struct Step {
      int days;
      int months;
    };
    static constexpr Step kSteps[] = {{1, 0}, {2, 0}, {7, 0},  {14, 0}, {28, 0}, {0, 1},  {0, 2},
                                      {0, 3}, {0, 6}, {0, 12}, {0, 24}, {0, 60}, {0, 120}};
    for (const Step& step : kSteps) {
      const std::vector<ChartText> dates = DatesBy(step.days, step.months, top + 15);
      const bool apart = std::adjacent_find(dates.begin(), dates.end(),
                                            [](const ChartText& a, const ChartText& b) {
                                              return Meet(a.box, b.box, 14);
                                            }) == dates.end();
      if (!apart) continue;
      for (const ChartText& date : dates) {
        Rule(date.x, top, date.x, top + 4, kFaint, 1);
        Add(date);
      }
      return;
    }
  }

  // The year is told with the first date, and with the first of each year.
  std::vector<ChartText> DatesBy(int days, int months, double y) const {
    std::vector<ChartText> dates;
    absl::CivilDay day = absl::ToCivilDay(first_, chart_.zone);
    if (months > 0) {
      const absl::CivilMonth next = absl::CivilMonth(day) + (day.day() > 1 ? 1 : 0);
      const int past = static_cast<int>((next.year() * 12 + next.month() - 1) % months);
      day = absl::CivilDay(next + (past == 0 ? 0 : months - past));
    }
    absl::civil_year_t year = 0;
    while (true) {
      // A day stands where its noon is, or at the first instant of the axis.
      absl::Time at = absl::FromCivil(absl::CivilHour(day) + 12, chart_.zone);
      if (dates.empty() && at < first_) at = first_;
      if (at > last_) break;
      const std::string text =
          absl::FormatTime(months > 0 ? (day.year() == year ? "%b" : "%b %Y")
                                      : (day.year() == year ? "%e %b" : "%e %b %Y"),
                           absl::FromCivil(day, absl::UTCTimeZone()), absl::UTCTimeZone());
      dates.push_back(Text(std::string(absl::StripLeadingAsciiWhitespace(text)), X(at), y,
                           kSmallSize, Anchor::kMiddle, kMuted));
      year = day.year();
      day = months > 0 ? absl::CivilDay(absl::CivilMonth(day) + months) : day + days;
    }
    return dates;
  }

  const Chart& chart_;
  const double width_;
  const double height_;
  ChartLayout out_;
  absl::Time first_;
  absl::Time last_;
  double lines_width_ = 0;
  double bands_width_ = 0;
  std::vector<Placed> flags_;
  int flag_rows_ = 0;
};

absl::string_view AnchorName(Anchor anchor) {
  switch (anchor) {
    case Anchor::kMiddle:
      return "middle";
    case Anchor::kEnd:
      return "end";
    case Anchor::kStart:
      break;
  }
  return "start";
}

}  // namespace

ChartLayout LayOutChart(const Chart& chart, int width, int height) {
  return Layouter(chart, width, height).Run();
}

absl::StatusOr<std::string> DrawChart(const Chart& chart, int width, int height) {
  if (width < kMinChartWidth || width > kMaxChartWidth) {
    return errors::InvalidArgument(
        "width", absl::StrCat("From ", kMinChartWidth, " to ", kMaxChartWidth, " pixels."));
  }
  if (height < kMinChartHeight || height > kMaxChartHeight) {
    return errors::InvalidArgument(
        "height", absl::StrCat("From ", kMinChartHeight, " to ", kMaxChartHeight, " pixels."));
  }
  if (chart.points.empty()) {
    return errors::InvalidArgument("instrument",
                                   "There is no form of it with a total that could be drawn.");
  }
  const ChartLayout layout = LayOutChart(chart, width, height);
  std::string svg = absl::StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"", width, "\" height=\"",
      height, "\" viewBox=\"0 0 ", width, " ", height, "\" role=\"img\" aria-labelledby=\"",
      Escaped(chart.id), "-title ", Escaped(chart.id), "-desc\" font-family=\"", kFonts, "\">\n",
      "<title id=\"", Escaped(chart.id), "-title\">", Escaped(chart.title), "</title>\n",
      "<desc id=\"", Escaped(chart.id), "-desc\">", Escaped(chart.description), "</desc>\n",
      "<rect width=\"", width, "\" height=\"", height, "\" fill=\"#ffffff\"/>\n", layout.shapes);
  for (const ChartText& text : layout.texts) {
    absl::StrAppend(&svg, "<text x=\"", Number(text.x), "\" y=\"", Number(text.y),
                    "\" font-size=\"", Number(text.size), "\" text-anchor=\"",
                    AnchorName(text.anchor), "\" fill=\"", text.color, "\"",
                    text.bold ? " font-weight=\"bold\"" : "", ">", Escaped(text.text), "</text>\n");
  }
  return absl::StrCat(svg, "</svg>\n");
}

}  // namespace rapport::assessment
