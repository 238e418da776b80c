#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_REPORT_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_REPORT_H_

#include <string>

#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "tools/rapportctl/story/chart.h"
#include "tools/rapportctl/story/record.h"

namespace rapport::story {

struct ReportOptions {
  std::string title;   // above all; empty: "A course of therapy"
  bool ascii = false;  // what we draw and write in plain ASCII; what clinicians wrote stays
};

// What became of a course, as a clinician would tell it: who and where; the sessions, one line each
// that begins "Session N", with local times, phases, attendance, scores and notes, and the missed
// ones between them; the questionnaires drawn as charts; outcome in the terms of the services,
// reached and not reached; suitability, problem area, formulation; goals with their revisions;
// alerts and what became of them; notes; how the course ended. Lines of at most 100 columns, each
// ended.
//
// Holds what clinicians wrote of a patient: for the eyes of those who may read the case.
std::string Render(const CourseRecord& record, const ReportOptions& options);

// Sets what the chart of an instrument's totals has besides its columns: bands, thresholds, and the
// largest total that there can be, or `largest`.
void SetScale(const assessment::v1::Instrument& instrument, double largest, Chart& chart);

// The phase of session `number` of a course of `planned_sessions`: the ending keeps the length that
// the protocol gives it, the middle gives way. PHASE_UNSPECIFIED where the protocol names none.
scheduling::v1::Phase PhaseOf(const scheduling::v1::Protocol& protocol, int planned_sessions,
                              int number);

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_REPORT_H_
