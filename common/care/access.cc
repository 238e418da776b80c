#include <algorithm>
#include <limits>

#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::care {
namespace {

const sql::Statement kOfSubject{"care.clinician.of_subject", R"sql(
  SELECT clinician FROM care_clinician WHERE organization_id = $1 AND subject = $2 LIMIT 2)sql"};

const sql::Statement kSeesTo{"care.cover.sees_to", R"sql(
  SELECT DISTINCT clinician FROM care_cover
  WHERE organization_id = $1 AND covering_clinician = $2 AND deleted = 0
    AND start_time <= $3 AND end_time > $3
  ORDER BY clinician)sql"};

// Ways: 0 covers, 1 supervises.
const sql::Statement kReach{"care.clinician.reach", R"sql(
  SELECT me.clinician, 0, cover.clinician
  FROM care_clinician AS me LEFT JOIN care_cover AS cover
    ON cover.organization_id = me.organization_id AND cover.covering_clinician = me.clinician
    AND cover.deleted = 0 AND cover.start_time <= $3 AND cover.end_time > $3
  WHERE me.organization_id = $1 AND me.subject = $2
  UNION
  SELECT me.clinician, 1, pair.supervisee
  FROM care_clinician AS me JOIN care_supervision AS pair
    ON pair.organization_id = me.organization_id AND pair.supervisor = me.clinician
    AND pair.start_time <= $3 AND pair.end_time > $3
  WHERE me.organization_id = $1 AND me.subject = $2
  ORDER BY 1, 2, 3)sql"};

const sql::Statement kStanding{"care.clinician.standing", R"sql(
  SELECT c.licence_until, c.trainee, s.supervisor
  FROM care_clinician AS c LEFT JOIN care_supervision AS s
    ON s.organization_id = c.organization_id AND s.supervisee = c.clinician
    AND s.start_time <= $3 AND s.end_time > $3
  WHERE c.organization_id = $1 AND c.clinician = $2
  ORDER BY s.supervisor)sql"};

const sql::Statement kPairs{"care.supervision.of", R"sql(
  SELECT supervisor, start_time, end_time FROM care_supervision
  WHERE organization_id = $1 AND supervisee = $2
  ORDER BY start_time, supervisor)sql"};

const sql::Statement kTimeOff{"care.time_off.of", R"sql(
  SELECT start_time, end_time FROM care_time_off
  WHERE organization_id = $1 AND clinician = $2 AND end_time > $3 AND deleted = 0
  ORDER BY start_time, time_off LIMIT 50)sql"};

// Someone with a clinician's role as well is judged as a clinician.
bool IsIntegrationOnly(const auth::Principal& principal) {
  return principal.roles == std::vector<std::string>{"integration"};
}

}  // namespace

bool IsPatientProxy(const auth::Principal& principal) {
  return principal.roles == std::vector<std::string>{"patient_proxy"};
}

absl::StatusOr<std::optional<std::string>> ClinicianOfSubject(sql::Session& session,
                                                              absl::string_view organization,
                                                              absl::string_view subject) {
  if (subject.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kOfSubject, {sql::Text(names::Last(organization)), sql::Text(subject)}));
  if (rows.rows() != 1) return std::nullopt;
  return rows.Text(0, 0);
}

absl::StatusOr<std::vector<std::string>> SeesTo(sql::Session& session, absl::string_view clinician,
                                                absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kSeesTo, {sql::Text(names::OrganizationId(clinician)),
                                           sql::Text(clinician), sql::Micros(now)}));
  std::vector<std::string> clinicians = {std::string(clinician)};
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (rows.Text(row, 0) != clinician) clinicians.push_back(rows.Text(row, 0));
  }
  return clinicians;
}

bool Reach::Treats(absl::string_view responsible) const {
  return std::find(clinicians.begin(), clinicians.end(), responsible) != clinicians.end();
}

bool Reach::Reaches(absl::string_view responsible) const {
  return Treats(responsible) ||
         std::find(supervised.begin(), supervised.end(), responsible) != supervised.end();
}

absl::StatusOr<Reach> ReachOf(sql::Session& session, const call::CallContext& context) {
  Reach reach;
  if (context.is_service() || context.principal->subject.empty()) return reach;
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kReach, {sql::Text(context.organization_id),
                             sql::Text(context.principal->subject), sql::Micros(context.now)}));
  if (rows.empty()) return reach;
  reach.clinician = rows.Text(0, 0);
  reach.clinicians = {reach.clinician};
  for (size_t row = 0; row < rows.rows(); ++row) {
    // One subject, two clinicians: until the events say whose it is, nobody's.
    if (rows.Text(row, 0) != reach.clinician) return Reach();
    if (rows.IsNull(row, 2) || rows.Text(row, 2) == reach.clinician) continue;
    (rows.Bool(row, 1) ? reach.supervised : reach.clinicians).push_back(rows.Text(row, 2));
  }
  return reach;
}

absl::StatusOr<Standing> StandingOf(sql::Session& session, absl::string_view clinician,
                                    absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kStanding, {sql::Text(names::OrganizationId(clinician)),
                                             sql::Text(clinician), sql::Micros(now)}));
  Standing standing;
  if (rows.empty()) return standing;
  absl::CivilDay until;
  if (absl::ParseCivilTime(rows.Text(0, 0), &until)) standing.licence_until = until;
  standing.trainee = rows.Bool(0, 1);
  for (size_t row = 0; row < rows.rows(); ++row) {
    if (rows.IsNull(row, 2)) continue;
    if (standing.supervisors.empty() || standing.supervisors.back() != rows.Text(row, 2)) {
      standing.supervisors.push_back(rows.Text(row, 2));
    }
  }
  return standing;
}

absl::StatusOr<std::vector<Pair>> PairsOf(sql::Session& session, absl::string_view clinician) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kPairs, {sql::Text(names::OrganizationId(clinician)), sql::Text(clinician)}));
  std::vector<Pair> pairs;
  for (size_t row = 0; row < rows.rows(); ++row) {
    const bool goes_on = rows.Int(row, 2) == std::numeric_limits<int64_t>::max();
    pairs.push_back({.supervisor = rows.Text(row, 0),
                     .start = rows.Time(row, 1),
                     .end = goes_on ? absl::InfiniteFuture() : rows.Time(row, 2)});
  }
  return pairs;
}

absl::StatusOr<std::vector<TimeOff>> ListTimeOff(sql::Session& session, absl::string_view clinician,
                                                 absl::Time now) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kTimeOff, {sql::Text(names::OrganizationId(clinician)),
                                            sql::Text(clinician), sql::Micros(now)}));
  std::vector<TimeOff> leave;
  for (size_t row = 0; row < rows.rows(); ++row) {
    leave.push_back({.start = rows.Time(row, 0), .end = rows.Time(row, 1)});
  }
  return leave;
}

absl::Status NotTheTherapist() {
  return errors::PermissionDenied(
      "NOT_THE_THERAPIST", "Only the course's therapist, or who covers for them, may do this.");
}

namespace {

absl::StatusOr<CourseFacts> Require(sql::Session& session, const call::CallContext& context,
                                    absl::string_view course, absl::string_view type,
                                    bool to_change) {
  absl::StatusOr<CourseFacts> facts = GetCourse(session, course);
  if (absl::IsNotFound(facts.status())) return errors::NotFound(type);
  if (!facts.ok() || context.is_service() || IsIntegrationOnly(*context.principal)) return facts;
  if (IsPatientProxy(*context.principal)) {
    const std::string& subject = context.principal->subject;
    if (names::Last(facts->state.patient()) != subject &&
        names::Last(facts->state.partner()) != subject) {
      return errors::NotFound(type);
    }
    return facts;
  }
  ASSIGN_OR_RETURN(const Reach reach, ReachOf(session, context));
  if (!reach.Reaches(facts->state.clinician())) return errors::NotFound(type);
  if (to_change && !reach.Treats(facts->state.clinician())) return NotTheTherapist();
  return facts;
}

}  // namespace

absl::StatusOr<CourseFacts> RequireCourse(sql::Session& session, const call::CallContext& context,
                                          absl::string_view course, absl::string_view type) {
  return Require(session, context, course, type, false);
}

absl::StatusOr<CourseFacts> RequireTreated(sql::Session& session, const call::CallContext& context,
                                           absl::string_view course, absl::string_view type) {
  return Require(session, context, course, type, true);
}

}  // namespace rapport::care
