#ifndef RAPPORT_SERVICES_ASSESSMENT_DOMAIN_OUTCOMES_H_
#define RAPPORT_SERVICES_ASSESSMENT_DOMAIN_OUTCOMES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "rapport/assessment/v1/outcome.pb.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/domain/instruments.h"

// What comes of courses, in figures (clinical rule 5.8): what is kept of one course, and the
// statistics of many. Which of them may be told: disclosure.h. Pure.
namespace rapport::assessment {

// ---- One course ----

// What counts of a course, for each of its patients: a couple's counts for each partner, since each
// answers for themselves.
struct CourseOutcome {
  enum State { kUnderWay = 0, kCompleted = 1, kEnded = 2 };

  std::string clinic;
  std::string clinician;
  std::string protocol;  // without its revision, as "protocols/classic"
  int problem_area = 0;  // a FocusArea; 0: none was chosen
  absl::Time first_session;
  int month = 0;  // of the first session by the clinic's calendar; see MonthOf
  State state = kUnderWay;
  int planned = 0;
  int held = 0;
  int missed = 0;  // without word
  int cancelled_late = 0;
  bool ended_before_planned = false;
  bool ended_before_half = false;

  friend bool operator==(const CourseOutcome&, const CourseOutcome&) = default;
};

// Months since year 0: their quarter is / 3, their year / 12.
inline int MonthOf(absl::CivilDay day) {
  return static_cast<int>(day.year()) * 12 + day.month() - 1;
}
inline absl::CivilDay FirstDayOf(int month) {
  return absl::CivilDay(month / 12, month % 12 + 1, 1);
}

// Nothing before the first session was held (the patient came): the course has not begun. Completed
// is a course that ended as planned or went on into maintenance. Attrition is counted of those that
// ended otherwise: with fewer sessions held than planned, and with fewer than half of them
// (Linardon 2019: the definition decides the figure, so both are told).
std::optional<CourseOutcome> OutcomeOf(const scheduling::v1::CourseEvent& course,
                                       absl::Span<const scheduling::v1::AppointmentEvent> sessions,
                                       int problem_area, absl::TimeZone clinic_zone);

// What came of one patient's course on one instrument.
struct ScoreOutcome {
  std::string instrument;  // id, as "phq-9"
  double baseline = 0;
  double last = 0;         // of the newest complete form
  double gain = 0;         // the change for the better, in the instrument's direction
  int baseline_tenth = 0;  // 0 to 9: which tenth of the range the baseline lies in
  bool was_case = false;   // at baseline: response and remission level are told of cases alone
  bool responded = false;
  bool at_remission_level = false;
  int reliable = 0;  // 1: reliably better, −1: reliably worse

  friend bool operator==(const ScoreOutcome&, const ScoreOutcome&) = default;
};

// Nothing without a baseline and a later complete form.
std::optional<ScoreOutcome> OutcomeOf(const InstrumentRules& rules,
                                      const v1::InstrumentProgress& progress);

// ---- Many courses ----

// Sums over scored courses, from which figures follow.
struct ScoreSums {
  int64_t n = 0;
  double baseline = 0;
  double baseline_squared = 0;
  double last = 0;
  double gain = 0;
  double gain_squared = 0;
  int64_t cases = 0;
  int64_t responded = 0;
  int64_t at_remission_level = 0;
  int64_t improved = 0;      // reliably
  int64_t deteriorated = 0;  // reliably

  void Add(const ScoreSums& other);
};

// Sums over courses.
struct CourseSums {
  int64_t started = 0;
  int64_t completed = 0;
  int64_t ended_before_planned = 0;
  int64_t ended_before_half = 0;
  int64_t under_way = 0;
  int64_t held = 0;
  int64_t missed = 0;
  int64_t cancelled_late = 0;
  ScoreSums scored;  // intention to treat
  ScoreSums completers;

  void Add(const CourseSums& other);
};

// Means and standard deviations (n−1). The effect size is the mean change for the better over the
// standard deviation at baseline, times Hedges' correction 1 − 3 / (4 (n−1) − 1); its interval is
// ± 1.96 × √((SD of change / SD at baseline)² / n + d² / (2 (n−1))). Source: Becker 1988,
// standardised mean change in raw-score units, large-sample variance [M: check against the paper].
v1::OutcomeFigures FiguresOf(const ScoreSums& sums);

// A cell with all its figures; neither key nor funnel.
v1::OutcomeCell CellOf(const CourseSums& sums);

// What courses of an organisation show, by the tenth of the range that their baseline lies in.
using ByTenth = std::array<ScoreSums, 10>;

// Fewest courses that a funnel stands on, in all and for a baseline severity.
inline constexpr int kFunnelCourses = 30;

// Where the mean change of `own` courses is expected, from the organisation's (`own` among them) of
// the same baseline severity: tenths are joined upwards until they hold 30 courses, the last ones
// with those before. Limits are 1.96 and 3.09 standard deviations within severities over √n around
// it (Spiegelhalter 2005). Nothing where the organisation has fewer than 30, or where so few are
// others' that they could be made out.
std::optional<v1::Funnel> FunnelOf(const ByTenth& own, const ByTenth& organization);

}  // namespace rapport::assessment

#endif  // RAPPORT_SERVICES_ASSESSMENT_DOMAIN_OUTCOMES_H_
