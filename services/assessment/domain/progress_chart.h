#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_CHART_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_CHART_H_

#include <vector>

#include "absl/time/time.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/domain/chart.h"
#include "services/assessment/domain/instruments.h"

// What of a course is drawn beside one instrument's series. No name and no id of a person or course
// goes into the picture.
namespace rapport::assessment {

struct ProgressChart {
  const InstrumentRules* rules = nullptr;
  const v1::Progress* progress = nullptr;  // of the respondent; has a series of the instrument
  const scheduling::v1::CourseEvent* course = nullptr;
  absl::TimeZone zone;  // the patient's
  absl::Time now;
  std::vector<ChartSession> sessions;  // those to come are left out of the picture
  std::vector<ChartFlag> events;       // what happened besides, as changes of medication
  // The diary's instrument; with it and a rhythm in `progress` a mania scale gets a strip. May be
  // null.
  const InstrumentRules* rhythm = nullptr;
};

//  bands       the total's default ones: those that the forms' severities were told by, where
//              context decides; an edge is drawn half-way between two bands, so that no total is on
//              it
//  lines       baseline, reliable change from it for the better, case cut-off, remission level
//  phases      from the session that each begins with; a course of fewer sessions keeps the length
//              of its ending. Where sessions are counted anew: maintenance follows as a phase of
//              its own, and what came before a switch of protocol is one
//  flags       the instrument's milestones, signs of elevation, and `events`
Chart ChartOf(const ProgressChart& input);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_PROGRESS_CHART_H_
