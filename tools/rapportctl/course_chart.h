#ifndef RAPPORT_TOOLS_RAPPORTCTL_COURSE_CHART_H_
#define RAPPORT_TOOLS_RAPPORTCTL_COURSE_CHART_H_

#include <string>

#include "absl/time/time.h"
#include "rapport/assessment/v1/instrument.pb.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"

namespace rapport::ctl {

// One instrument's series in a course.
struct CourseChart {
  scheduling::v1::Course course;
  scheduling::v1::Protocol protocol;
  assessment::v1::Progress progress;
  assessment::v1::InstrumentProgress series;  // one of `progress`
  assessment::v1::Instrument instrument;      // its
  absl::TimeZone zone;                        // that dates are told in
  bool ascii = false;
};

// The series as bars for a terminal, one for each session and for each form that was for none, with
// severity bands, thresholds and the phases of the course; below it baseline and change, the terms
// that were reached, and what deserves a look. Flags, never decisions.
std::string RenderCourseChart(const CourseChart& chart);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_COURSE_CHART_H_
