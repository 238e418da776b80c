#include "tools/rapportctl/course_chart.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "tools/rapportctl/story/chart.h"
#include "tools/rapportctl/story/report.h"

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;
namespace sv1 = scheduling::v1;

std::string Words(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}});
}

std::string Figure(double value) { return absl::StrFormat("%g", value); }

// One point for each column: of neighbours for the same session the last complete one, else the
// last.
std::vector<const av1::ProgressPoint*> Columns(const av1::InstrumentProgress& series) {
  std::vector<const av1::ProgressPoint*> columns;
  for (const av1::ProgressPoint& point : series.points()) {
    const bool same = !columns.empty() && point.session_number() > 0 &&
                      columns.back()->session_number() == point.session_number();
    if (!same) {
      columns.push_back(&point);
    } else if (point.complete() || !columns.back()->complete()) {
      columns.back() = &point;
    }
  }
  return columns;
}

// As the therapist has declared it, else as the protocol has it.
sv1::Phase PhaseOfSession(const CourseChart& chart, int number) {
  sv1::Phase phase = story::PhaseOf(chart.protocol, chart.course.planned_sessions(), number);
  for (const sv1::DeclaredPhase& declared : chart.course.declared_phases()) {
    if (declared.phase() <= phase && number < declared.first_session()) {
      phase = static_cast<sv1::Phase>(declared.phase() - 1);
    } else if (declared.phase() > phase && number >= declared.first_session()) {
      phase = declared.phase();
    }
  }
  return phase;
}

// The phase of each column. Where numbers begin anew, maintenance does, or another protocol whose
// count it is: the phases of the one before are not known any more.
void SetGroups(const CourseChart& chart, const std::vector<const av1::ProgressPoint*>& points,
               std::vector<story::Chart::Column>& columns) {
  int segments = 0;
  int last = 0;
  std::vector<int> segment_of;
  for (const av1::ProgressPoint* point : points) {
    if (point->session_number() > 0) {
      if (point->session_number() < last) ++segments;
      last = point->session_number();
    }
    segment_of.push_back(segments);
  }
  std::string group;
  for (size_t i = 0; i < points.size(); ++i) {
    const int number = points[i]->session_number();
    const bool running = segment_of[i] == segments;
    if (number > 0 && running && chart.course.has_maintenance() && segments > 0) {
      group = "maintenance";
    } else if (number > 0 && (running || chart.course.has_maintenance())) {
      group = Words(sv1::Phase_Name(PhaseOfSession(chart, number)), "PHASE_");
    } else if (number > 0) {
      group = "before the switch";
    }
    columns[i].group = group;
  }
}

class Writer {
 public:
  explicit Writer(const CourseChart& chart) : chart_(chart) {}

  std::string Write() {
    const bool lower = chart_.instrument.direction() != av1::DIRECTION_HIGHER_BETTER;
    story::Chart drawn;
    double largest = 1;
    const std::vector<const av1::ProgressPoint*> points = Columns(chart_.series);
    for (const av1::ProgressPoint* point : points) {
      story::Chart::Column& column = drawn.columns.emplace_back();
      column.label = point->session_number() > 0 ? absl::StrCat(point->session_number())
                     : chart_.ascii              ? "."
                                                 : "·";
      if (point->has_total()) column.total = point->total();
      column.hollow = point->prorated();
      largest = std::max(largest, point->total());
    }
    SetGroups(chart_, points, drawn.columns);
    story::SetScale(chart_.instrument, largest, drawn);
    out_ = absl::StrCat(
        chart_.instrument.display_name(), ", course ", names::Last(chart_.course.name()), ", ",
        Words(sv1::CourseState_Name(chart_.course.state()), "COURSE_STATE_"), "; total 0 to ",
        drawn.max, lower ? ", lower is better\n\n" : ", higher is better\n\n",
        story::Draw(drawn, chart_.ascii), "\n");
    Change();
    for (const av1::Milestone& milestone : chart_.series.milestones()) {
      Line(absl::StrCat(Words(av1::Term_Name(milestone.term()), "TERM_"), ": ",
                        When(milestone.session_number(), milestone.reach_time()),
                        milestone.holds() ? "" : "; no longer so by the newest form"));
    }
    const absl::string_view id = names::Id(chart_.series.instrument(), "instruments");
    for (const av1::ProgressFlag& flag : chart_.progress.flags()) {
      if (!flag.holds() || (!flag.instrument().empty() && flag.instrument() != id)) continue;
      Line(absl::StrCat(flag.kind() == av1::PROGRESS_FLAG_KIND_ON_TRACK ? "" : "LOOK: ",
                        Words(av1::ProgressFlagKind_Name(flag.kind()), "PROGRESS_FLAG_KIND_"),
                        " since ", When(flag.session_number(), flag.time()),
                        flag.rule().empty() ? "" : absl::StrCat(" (", flag.rule(), ")")));
    }
    for (const std::string& source : chart_.progress.unavailable_sources()) {
      Line(absl::StrCat("could not be asked: ", source, "; what depends on it is left out"));
    }
    return std::move(out_);
  }

 private:
  void Line(const std::string& text) { absl::StrAppend(&out_, "  ", text, "\n"); }

  std::string When(int session, const google::protobuf::Timestamp& at) const {
    return absl::StrCat(session > 0 ? absl::StrCat("session ", session, ", ") : "",
                        absl::FormatTime("%-d %B %Y", time::ToTime(at), chart_.zone));
  }

  void Change() {
    const av1::InstrumentProgress& series = chart_.series;
    if (!series.has_baseline()) {
      Line("no baseline yet, so no change is told");
      return;
    }
    std::string line = absl::StrCat("baseline ", Figure(series.baseline().total()));
    if (series.has_change()) {
      const av1::Change& change = series.change();
      const std::string minus = chart_.ascii ? "-" : "−";
      const auto signed_figure = [&minus](double value) {
        return absl::StrCat(value < 0 ? minus : "+", Figure(std::abs(value)));
      };
      absl::StrAppend(&line, ", now ", Figure(series.baseline().total() + change.points()), ": ",
                      signed_figure(change.points()));
      if (change.has_percent()) {
        absl::StrAppend(&line, " (", signed_figure(std::round(change.percent())), " %)");
      }
      absl::StrAppend(&line, change.reliable_improvement()     ? ", reliably better"
                             : change.reliable_deterioration() ? ", reliably worse"
                                                               : ", no reliable change");
    }
    if (series.reliable_change_points() > 0) {
      absl::StrAppend(&line, "; reliable is ", Figure(series.reliable_change_points()), " or more");
    }
    Line(line);
  }

  const CourseChart& chart_;
  std::string out_;
};

}  // namespace

std::string RenderCourseChart(const CourseChart& chart) { return Writer(chart).Write(); }

}  // namespace rapport::ctl
