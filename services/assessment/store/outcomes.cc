#include "services/assessment/store/outcomes.h"

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::assessment::store {
namespace {

const sql::Statement kDropCourse{"assessment.outcome_course.drop", R"sql(
  DELETE FROM outcome_course WHERE organization_id = $1 AND course = $2)sql"};
const sql::Statement kDropScores{"assessment.outcome_score.drop", R"sql(
  DELETE FROM outcome_score WHERE organization_id = $1 AND course = $2)sql"};

const sql::Statement kPutCourse{"assessment.outcome_course.put", R"sql(
  INSERT INTO outcome_course (organization_id, course, respondent, clinic, clinician, protocol,
                              problem_area, time_zone, first_session_time, month, completed,
                              under_way, planned_sessions, held, missed, cancelled_late,
                              ended_before_planned, ended_before_half)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18))sql"};
const sql::Statement kPutScore{"assessment.outcome_score.put", R"sql(
  INSERT INTO outcome_score (organization_id, course, respondent, instrument, baseline, last, gain,
                             baseline_tenth, was_case, responded, at_remission_level, reliable)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))sql"};

const sql::Statement kListCourseRows{"assessment.outcome_course.list", R"sql(
  SELECT course, respondent, clinic, clinician, protocol, problem_area, first_session_time, month,
         completed, under_way, planned_sessions, held, missed, cancelled_late,
         ended_before_planned, ended_before_half
  FROM outcome_course WHERE organization_id = $1 ORDER BY course, respondent)sql"};
const sql::Statement kListScoreRows{"assessment.outcome_score.list", R"sql(
  SELECT course, respondent, instrument, baseline, last, gain, baseline_tenth, was_case, responded,
         at_remission_level, reliable
  FROM outcome_score WHERE organization_id = $1 ORDER BY instrument)sql"};

const sql::Statement kOtherZone{"assessment.outcome_course.other_zone", R"sql(
  SELECT DISTINCT course FROM outcome_course
  WHERE organization_id = $1 AND clinic = $2 AND time_zone <> $3 ORDER BY course)sql"};

const sql::Statement kPutFocus{"assessment.outcome_focus.put", R"sql(
  INSERT INTO outcome_focus (organization_id, course, version, problem_area)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, course) DO UPDATE
  SET version = excluded.version, problem_area = excluded.problem_area
  WHERE outcome_focus.version < excluded.version)sql"};
const sql::Statement kGetFocus{"assessment.outcome_focus.get", R"sql(
  SELECT problem_area FROM outcome_focus WHERE organization_id = $1 AND course = $2)sql"};

const sql::Statement kPutClinics{"assessment.outcome_clinician.put", R"sql(
  INSERT INTO outcome_clinician (organization_id, clinician, version, clinics)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (organization_id, clinician) DO UPDATE
  SET version = excluded.version, clinics = excluded.clinics
  WHERE outcome_clinician.version < excluded.version)sql"};
const sql::Statement kGetClinics{"assessment.outcome_clinician.get", R"sql(
  SELECT clinics FROM outcome_clinician WHERE organization_id = $1 AND clinician = $2)sql"};

const sql::Statement kCourses{"assessment.outcome.courses", R"sql(
  SELECT course FROM care_course WHERE organization_id = $1 AND course > $2
  UNION
  SELECT course FROM outcome_course
  WHERE organization_id = $1 AND course > $2 AND course LIKE '%/courses/%'
  ORDER BY 1 LIMIT $3)sql"};

// What rows are grouped by: a bit for each. And whether they are those of one clinic.
enum By {
  kByClinic = 1,
  kByClinician = 2,
  kByProtocol = 4,
  kByArea = 8,
  kByPeriod = 16,
  kByTenth = 32,
  kOfClinic = 64
};
constexpr int kWaysToGroup = 128;

// One statement for each way to group, so that the planner sees by what. The filters are one
// condition of which it can tell nothing: taken one by one, unset ones as well, it would expect a
// handful of rows and look up the scores of each. A clinic's, the commonest, it may know of.
std::string SumBy(int by) {
  std::string columns;
  std::string groups;
  const auto column = [&](int which, absl::string_view expression, absl::string_view otherwise) {
    absl::StrAppend(&columns, (by & which) != 0 ? expression : otherwise, ", ");
    if ((by & which) != 0) absl::StrAppend(&groups, expression, ", ");
  };
  constexpr absl::string_view kNone = "''";
  constexpr absl::string_view kZero = "CAST(0 AS BIGINT)";
  column(kByClinic, "c.clinic", kNone);
  column(kByClinician, "c.clinician", kNone);
  column(kByProtocol, "c.protocol", kNone);
  column(kByArea, "c.problem_area", kZero);
  column(kByPeriod, "c.month / $3", kZero);
  column(kByTenth, "s.baseline_tenth", kZero);
  return absl::StrCat("SELECT ", columns, R"sql(c.completed,
         count(*), CAST(sum(c.under_way) AS BIGINT), CAST(sum(c.ended_before_planned) AS BIGINT),
         CAST(sum(c.ended_before_half) AS BIGINT), CAST(sum(c.held) AS BIGINT),
         CAST(sum(c.missed) AS BIGINT), CAST(sum(c.cancelled_late) AS BIGINT),
         count(s.baseline), coalesce(sum(s.baseline), 0), coalesce(sum(s.baseline * s.baseline), 0),
         coalesce(sum(s.last), 0), coalesce(sum(s.gain), 0), coalesce(sum(s.gain * s.gain), 0),
         CAST(coalesce(sum(s.was_case), 0) AS BIGINT),
         CAST(coalesce(sum(s.responded), 0) AS BIGINT),
         CAST(coalesce(sum(s.at_remission_level), 0) AS BIGINT),
         count(CASE WHEN s.reliable = 1 THEN 1 END), count(CASE WHEN s.reliable = -1 THEN 1 END)
  FROM outcome_course AS c )sql",
                      (by & kByTenth) != 0 ? "JOIN" : "LEFT JOIN", R"sql( outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1)sql",
                      (by & kOfClinic) != 0 ? " AND c.clinic = $4" : "", R"sql(
    AND CASE WHEN $3 > 0 AND ($4 = '' OR c.clinic = $4) AND ($5 = '' OR c.clinician = $5)
               AND ($6 = '' OR c.protocol = $6) AND c.month >= $7 AND c.month <= $8
             THEN 1 ELSE 0 END > 0
  GROUP BY )sql",
                      groups, "c.completed");
}

std::vector<std::unique_ptr<const sql::Statement>> MakeSums() {
  std::vector<std::unique_ptr<const sql::Statement>> sums;
  for (int by = 0; by < kWaysToGroup; ++by) {
    sums.push_back(std::make_unique<const sql::Statement>(
        absl::StrCat("assessment.outcome.sum_", by), SumBy(by)));
  }
  return sums;
}
const std::vector<std::unique_ptr<const sql::Statement>> kSums = MakeSums();

const sql::Statement kCount{"assessment.outcome.count", R"sql(
  SELECT c.clinic, c.protocol, c.problem_area, c.month, count(*), count(s.baseline),
         CAST(sum(CASE WHEN s.baseline IS NULL THEN 0 ELSE c.completed END) AS BIGINT)
  FROM outcome_course AS c LEFT JOIN outcome_score AS s
    ON s.organization_id = c.organization_id AND s.instrument = $2 AND s.course = c.course
    AND s.respondent = c.respondent
  WHERE c.organization_id = $1
  GROUP BY 1, 2, 3, 4)sql"};

sql::Value OrganizationOf(absl::string_view name) { return sql::Text(names::OrganizationId(name)); }

int SmallInt(const sql::Result& rows, size_t row, int column) {
  return static_cast<int>(rows.Int(row, column));
}

std::vector<std::string> Names(const sql::Result& rows) {
  std::vector<std::string> names;
  names.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) names.push_back(rows.Text(row, 0));
  return names;
}

// From column 7 on of one of kSums.
CourseSums SumsOf(const sql::Result& rows, size_t row, bool completed) {
  CourseSums sums;
  sums.started = rows.Int(row, 7);
  sums.completed = completed ? sums.started : 0;
  sums.under_way = rows.Int(row, 8);
  sums.ended_before_planned = rows.Int(row, 9);
  sums.ended_before_half = rows.Int(row, 10);
  sums.held = rows.Int(row, 11);
  sums.missed = rows.Int(row, 12);
  sums.cancelled_late = rows.Int(row, 13);
  sums.scored = {.n = rows.Int(row, 14),
                 .baseline = rows.Real(row, 15),
                 .baseline_squared = rows.Real(row, 16),
                 .last = rows.Real(row, 17),
                 .gain = rows.Real(row, 18),
                 .gain_squared = rows.Real(row, 19),
                 .cases = rows.Int(row, 20),
                 .responded = rows.Int(row, 21),
                 .at_remission_level = rows.Int(row, 22),
                 .improved = rows.Int(row, 23),
                 .deteriorated = rows.Int(row, 24)};
  if (completed) sums.completers = sums.scored;
  return sums;
}

}  // namespace

void PutOutcomes(sql::Transaction& tx, absl::string_view course, absl::string_view time_zone,
                 const std::vector<RespondentOutcome>& outcomes) {
  const sql::Value organization = OrganizationOf(course);
  tx.Defer(kDropCourse, {organization, sql::Text(course)});
  tx.Defer(kDropScores, {organization, sql::Text(course)});
  for (const auto& [respondent, of, scores] : outcomes) {
    tx.Defer(kPutCourse,
             {organization, sql::Text(course), sql::Text(respondent), sql::Text(of.clinic),
              sql::Text(of.clinician), sql::Text(of.protocol), sql::Int(of.problem_area),
              sql::Text(time_zone), sql::Micros(of.first_session), sql::Int(of.month),
              sql::Bool(of.state == CourseOutcome::kCompleted),
              sql::Bool(of.state == CourseOutcome::kUnderWay), sql::Int(of.planned),
              sql::Int(of.held), sql::Int(of.missed), sql::Int(of.cancelled_late),
              sql::Bool(of.ended_before_planned), sql::Bool(of.ended_before_half)});
    for (const ScoreOutcome& score : scores) {
      tx.Defer(
          kPutScore,
          {organization, sql::Text(course), sql::Text(respondent), sql::Text(score.instrument),
           sql::Value(score.baseline), sql::Value(score.last), sql::Value(score.gain),
           sql::Int(score.baseline_tenth), sql::Bool(score.was_case), sql::Bool(score.responded),
           sql::Bool(score.at_remission_level), sql::Int(score.reliable)});
    }
  }
}

absl::StatusOr<std::vector<KeptOutcome>> ListOutcomes(sql::Session& session,
                                                      absl::string_view organization_id) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kListCourseRows, {sql::Text(organization_id)}));
  std::vector<KeptOutcome> kept(rows.rows());
  std::map<std::pair<std::string, std::string>, size_t> places;
  for (size_t row = 0; row < rows.rows(); ++row) {
    KeptOutcome& one = kept[row];
    one.course = rows.Text(row, 0);
    one.outcome.respondent = rows.Text(row, 1);
    one.outcome.course = {.clinic = rows.Text(row, 2),
                          .clinician = rows.Text(row, 3),
                          .protocol = rows.Text(row, 4),
                          .problem_area = SmallInt(rows, row, 5),
                          .first_session = rows.Time(row, 6),
                          .month = SmallInt(rows, row, 7),
                          .state = rows.Bool(row, 8)   ? CourseOutcome::kCompleted
                                   : rows.Bool(row, 9) ? CourseOutcome::kUnderWay
                                                       : CourseOutcome::kEnded,
                          .planned = SmallInt(rows, row, 10),
                          .held = SmallInt(rows, row, 11),
                          .missed = SmallInt(rows, row, 12),
                          .cancelled_late = SmallInt(rows, row, 13),
                          .ended_before_planned = rows.Bool(row, 14),
                          .ended_before_half = rows.Bool(row, 15)};
    places[{one.course, one.outcome.respondent}] = row;
  }
  ASSIGN_OR_RETURN(const sql::Result scores,
                   session.Query(kListScoreRows, {sql::Text(organization_id)}));
  for (size_t row = 0; row < scores.rows(); ++row) {
    const auto place = places.find({scores.Text(row, 0), scores.Text(row, 1)});
    if (place == places.end()) return errors::Internal("Scores are kept without their course.");
    kept[place->second].outcome.scores.push_back({.instrument = scores.Text(row, 2),
                                                  .baseline = scores.Real(row, 3),
                                                  .last = scores.Real(row, 4),
                                                  .gain = scores.Real(row, 5),
                                                  .baseline_tenth = SmallInt(scores, row, 6),
                                                  .was_case = scores.Bool(row, 7),
                                                  .responded = scores.Bool(row, 8),
                                                  .at_remission_level = scores.Bool(row, 9),
                                                  .reliable = SmallInt(scores, row, 10)});
  }
  return kept;
}

absl::StatusOr<std::vector<std::string>> ListCoursesOfOtherZone(sql::Session& session,
                                                                absl::string_view clinic,
                                                                absl::string_view time_zone) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kOtherZone, {OrganizationOf(clinic), sql::Text(clinic), sql::Text(time_zone)}));
  return Names(rows);
}

void PutFocus(sql::Transaction& tx, absl::string_view course, int64_t version, int problem_area) {
  tx.Defer(kPutFocus,
           {OrganizationOf(course), sql::Text(course), sql::Int(version), sql::Int(problem_area)});
}

absl::StatusOr<int> GetFocus(sql::Session& session, absl::string_view course) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetFocus, {OrganizationOf(course), sql::Text(course)}));
  return rows.empty() ? 0 : SmallInt(rows, 0, 0);
}

void PutClinicsOf(sql::Transaction& tx, absl::string_view clinician, int64_t version,
                  const std::vector<std::string>& clinics) {
  tx.Defer(kPutClinics, {OrganizationOf(clinician), sql::Text(clinician), sql::Int(version),
                         sql::Text(absl::StrJoin(clinics, "\n"))});
}

absl::StatusOr<std::vector<std::string>> ClinicsOf(sql::Session& session,
                                                   absl::string_view clinician) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGetClinics, {OrganizationOf(clinician), sql::Text(clinician)}));
  if (rows.empty()) return std::vector<std::string>();
  return std::vector<std::string>(absl::StrSplit(rows.Text(0, 0), '\n', absl::SkipEmpty()));
}

absl::StatusOr<std::vector<std::string>> ListCourses(sql::Session& session,
                                                     absl::string_view organization_id,
                                                     absl::string_view after, int limit) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kCourses, {sql::Text(organization_id), sql::Text(after), sql::Int(limit)}));
  return Names(rows);
}

absl::StatusOr<std::vector<OutcomeGroup>> SumOutcomes(sql::Session& session,
                                                      const OutcomeQuery& query) {
  const int by = (query.by_clinic ? kByClinic : 0) | (query.by_clinician ? kByClinician : 0) |
                 (query.by_protocol ? kByProtocol : 0) | (query.by_problem_area ? kByArea : 0) |
                 (query.period_months != 0 ? kByPeriod : 0) | (query.by_tenth ? kByTenth : 0) |
                 (!query.clinic.empty() ? kOfClinic : 0);
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(*kSums[by],
                    {sql::Text(query.organization_id), sql::Text(query.instrument),
                     sql::Int(std::max(query.period_months, 1)), sql::Text(query.clinic),
                     sql::Text(query.clinician), sql::Text(query.protocol),
                     sql::Int(query.first_month), sql::Int(query.last_month)}));
  // Rows come apart by whether their courses were completed.
  std::map<std::tuple<std::string, std::string, std::string, int, int, int>, CourseSums> sums;
  for (size_t row = 0; row < rows.rows(); ++row) {
    sums[{rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2), SmallInt(rows, row, 3),
          SmallInt(rows, row, 4), SmallInt(rows, row, 5)}]
        .Add(SumsOf(rows, row, rows.Bool(row, 6)));
  }
  std::vector<OutcomeGroup> groups;
  groups.reserve(sums.size());
  for (const auto& [key, sum] : sums) {
    const auto& [clinic, clinician, protocol, problem_area, period, tenth] = key;
    groups.push_back({clinic, clinician, protocol, problem_area, period, tenth, sum});
  }
  return groups;
}

absl::StatusOr<std::vector<Disclosure::Group>> CountOutcomes(sql::Session& session,
                                                             absl::string_view organization_id,
                                                             absl::string_view instrument) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kCount, {sql::Text(organization_id), sql::Text(instrument)}));
  std::vector<Disclosure::Group> groups;
  groups.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    groups.push_back({.clinic = rows.Text(row, 0),
                      .protocol = rows.Text(row, 1),
                      .problem_area = SmallInt(rows, row, 2),
                      .month = SmallInt(rows, row, 3),
                      .started = rows.Int(row, 4),
                      .scored = rows.Int(row, 5),
                      .completers = rows.Int(row, 6)});
  }
  return groups;
}

}  // namespace rapport::assessment::store
