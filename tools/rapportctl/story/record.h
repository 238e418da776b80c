#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_RECORD_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_RECORD_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/assessment/v1/alert.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/assessment/v1/instrument.pb.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/notes/v1/case.pb.h"
#include "rapport/notes/v1/note.pb.h"
#include "rapport/scheduling/v1/appointment.pb.h"
#include "rapport/scheduling/v1/course.pb.h"
#include "rapport/scheduling/v1/directory.pb.h"
#include "rapport/scheduling/v1/protocol.pb.h"
#include "tools/rapportctl/caller.h"

namespace rapport::story {

// All that the suite knows of one course, as its therapist may read it.
struct CourseRecord {
  scheduling::v1::Course course;
  scheduling::v1::Clinic clinic;
  scheduling::v1::Protocol protocol;
  std::vector<scheduling::v1::Clinician> clinicians;      // of the organisation
  std::vector<scheduling::v1::Appointment> appointments;  // by start
  std::vector<assessment::v1::Assessment> assessments;    // by the time they were filled in
  std::vector<assessment::v1::DueMeasure> due_measures;   // by when they are due
  assessment::v1::Progress progress;
  std::vector<assessment::v1::Instrument> instruments;  // those of `progress`, in its order
  std::vector<assessment::v1::Alert> alerts;            // oldest first
  notes::v1::Case case_file;
  std::vector<notes::v1::Formulation> formulations;         // newest first
  std::vector<notes::v1::Goal> goals;                       // oldest first
  std::vector<notes::v1::Note> notes;                       // by session
  std::vector<notes::v1::DueNote> due_notes;                // of this course
  std::vector<notes::v1::RiskAssessment> risk_assessments;  // newest first
  std::optional<notes::v1::SafetyPlan> safety_plan;         // the newest
};

// Reads it all from the three services as `therapist`, by their RPCs alone.
// `course` and `case_file` are names.
absl::StatusOr<CourseRecord> Gather(ctl::Caller& caller, const ctl::Identity& therapist,
                                    absl::string_view course, absl::string_view case_file);

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_RECORD_H_
