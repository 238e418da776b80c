#ifndef RAPPORT_TOOLS_RAPPORTCTL_SCORE_LINES_H_
#define RAPPORT_TOOLS_RAPPORTCTL_SCORE_LINES_H_

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapport/assessment/v1/answered_form.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"

// Forms and scores as lines of JSON, for `rapportctl score` and for table tests.
namespace rapport::ctl {

// What one line asks for.
struct ScoreLine {
  assessment::v1::AnsweredForm form;
  assessment::v1::FormRefusal refusal;  // reason set: the line itself can't be sent
};

// Reads {"instrument": "phq-9", "answers": [0, 1, null], "context": {"sex": "female"}}: answers in
// item order, null for none; "total" in their place where only that is known. Of a social-rhythm
// diary, "answers" holds a list of days, each a list of times as "07:05" or null, or null for a day
// without diary.
//   kInvalidArgument  no JSON object with an "instrument"
absl::StatusOr<ScoreLine> ReadScoreLine(absl::string_view json);

// Writes {"instrument", "complete", "missing", "total", "severity", "subscales", "flags",
// "critical"}, or {"instrument", "error": {"reason", "field"}}; without newline. "flags" holds
// besides the instrument's own: "prorated", "unexpected_items", "unknown_context",
// "age_outside_range" and "severity_<bands>" where they apply.
std::string WriteScoreLine(absl::string_view instrument, const assessment::v1::ScoredForm& scored);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_SCORE_LINES_H_
