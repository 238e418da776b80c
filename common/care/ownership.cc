#include <algorithm>

#include "common/care/care.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"

namespace rapport::care {
namespace {

// Who is away, and who covers the responsible clinician ($2), the longest-standing cover first.
const sql::Statement kPresence{"care.ownership.presence", R"sql(
  SELECT 'away', clinician, start_time, time_off FROM care_time_off
  WHERE organization_id = $1 AND deleted = 0 AND start_time <= $3 AND end_time > $3
  UNION ALL
  SELECT 'cover', covering_clinician, start_time, cover FROM care_cover
  WHERE organization_id = $1 AND clinician = $2 AND deleted = 0
    AND start_time <= $3 AND end_time > $3
  ORDER BY 3, 4)sql"};

const sql::Statement kNextChange{"care.ownership.next_change", R"sql(
  SELECT min(instant) FROM (
    SELECT min(start_time) AS instant FROM care_time_off
    WHERE organization_id = $1 AND deleted = 0 AND start_time > $2
    UNION ALL
    SELECT min(end_time) FROM care_time_off
    WHERE organization_id = $1 AND deleted = 0 AND end_time > $2
    UNION ALL
    SELECT min(start_time) FROM care_cover
    WHERE organization_id = $1 AND deleted = 0 AND start_time > $2
    UNION ALL
    SELECT min(end_time) FROM care_cover
    WHERE organization_id = $1 AND deleted = 0 AND end_time > $2) AS instants)sql"};

template <class State>
std::vector<std::string> DutyList(const State& state) {
  return {state.duty_list().begin(), state.duty_list().end()};
}

}  // namespace

Owner DecideOwner(const OwnershipFacts& facts) {
  const auto present = [&](const std::string& clinician) {
    return !clinician.empty() &&
           std::find(facts.away.begin(), facts.away.end(), clinician) == facts.away.end();
  };
  if (present(facts.responsible)) return {facts.responsible, OwnerBasis::kResponsible};

  const std::pair<const std::vector<std::string>*, OwnerBasis> next[] = {
      {&facts.covers, OwnerBasis::kCover},
      {&facts.clinic_duty, OwnerBasis::kClinicDuty},
      {&facts.organization_duty, OwnerBasis::kOrganizationDuty}};
  for (const auto& [clinicians, basis] : next) {
    const auto found = std::find_if(clinicians->begin(), clinicians->end(), present);
    if (found != clinicians->end()) return {*found, basis};
  }

  if (!facts.organization_duty.empty()) {
    return {facts.organization_duty.front(), OwnerBasis::kOrganizationDuty};
  }
  if (!facts.clinic_duty.empty()) return {facts.clinic_duty.front(), OwnerBasis::kClinicDuty};
  return {facts.responsible, OwnerBasis::kResponsible};
}

absl::StatusOr<OwnershipFacts> OwnershipFactsOf(sql::Session& session,
                                                const scheduling::v1::CourseEvent& course,
                                                absl::string_view organization, absl::Time now) {
  const sql::Value organization_id = sql::Text(names::Last(organization));
  OwnershipFacts facts = {.responsible = course.clinician(),
                          .covers = {},
                          .clinic_duty = {},
                          .organization_duty = {},
                          .away = {}};
  ASSIGN_OR_RETURN(
      const sql::Result presence,
      session.Query(kPresence, {organization_id, sql::Text(course.clinician()), sql::Micros(now)}));
  for (size_t row = 0; row < presence.rows(); ++row) {
    (presence.Text(row, 0) == "away" ? facts.away : facts.covers).push_back(presence.Text(row, 1));
  }
  ASSIGN_OR_RETURN(const Settings settings, GetSettings(session, organization, course.clinic()));
  facts.organization_duty = DutyList(settings.organization);
  facts.clinic_duty = DutyList(settings.clinic);
  return facts;
}

absl::StatusOr<Owner> OwnerOf(sql::Session& session, const scheduling::v1::CourseEvent& course,
                              absl::string_view organization, absl::Time now) {
  ASSIGN_OR_RETURN(const OwnershipFacts facts,
                   OwnershipFactsOf(session, course, organization, now));
  return DecideOwner(facts);
}

absl::StatusOr<std::optional<absl::Time>> NextOwnershipChange(sql::Session& session,
                                                              absl::string_view organization,
                                                              absl::Time now) {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kNextChange, {sql::Text(names::Last(organization)), sql::Micros(now)}));
  if (rows.IsNull(0, 0)) return std::nullopt;
  return rows.Time(0, 0);
}

}  // namespace rapport::care
