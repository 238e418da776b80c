#include "services/scheduling/rpc/leave_hints.h"

#include <optional>
#include <string>
#include <vector>

#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "services/scheduling/domain/booking.h"
#include "services/scheduling/domain/openings/search.h"

namespace rapport::scheduling {
namespace {

constexpr int kStepMinutes = 5;

std::string IdOf(const std::string& name) { return std::string(names::Last(name)); }

std::vector<std::string> IdsOf(const std::vector<std::string>& all) {
  std::vector<std::string> ids;
  for (const std::string& name : all) ids.push_back(IdOf(name));
  return ids;
}

absl::StatusOr<std::vector<absl::Time>> FreeTimes(const LiveIndex& live, const FreeTimesAsk& ask) {
  openings::NearestQuery query;
  query.clinician = IdOf(ask.clinician);
  query.clinic = IdOf(ask.clinic);
  query.around = ask.around;
  query.not_before = ask.starts.start;
  query.minutes = ask.minutes;
  query.remote = ask.remote;
  for (const Interval& busy : ask.busy) query.patients_busy.push_back({busy.start, busy.end});
  std::vector<absl::Time> free;
  RETURN_IF_ERROR(live.Read(
      names::OrganizationId(ask.clinician), [&](const openings::AvailabilityIndex& index) {
        while (free.size() < ask.limit) {
          const std::optional<absl::Time> nearest = openings::NearestFree(index, query);
          if (!nearest || *nearest >= ask.starts.end) break;
          free.push_back(*nearest);
          query.patients_busy.push_back({*nearest, *nearest + absl::Minutes(ask.minutes)});
        }
      }));
  return free;
}

absl::StatusOr<std::vector<std::string>> Colleagues(const LiveIndex& live,
                                                    const ColleaguesAsk& ask) {
  const absl::string_view organization = names::OrganizationId(ask.clinic);
  openings::OpeningQuery query;
  query.filter.protocol = ask.protocol;
  query.filter.modality = v1::Modality_Name(
      ask.modality == v1::MODALITY_UNSPECIFIED ? v1::MODALITY_IN_PERSON : ask.modality);
  query.filter.remote = IsRemote(ask.modality);
  query.filter.clinics = {IdOf(ask.clinic)};
  query.filter.clinicians = IdsOf(ask.among);
  query.filter.excluded_clinicians = IdsOf(ask.but);
  query.filter.ignore_caseload = true;
  query.earliest = ask.start;
  query.latest = ask.start + absl::Minutes(kStepMinutes);
  query.minutes = ask.minutes;
  query.step_minutes = kStepMinutes;
  query.per_clinician = 1;
  query.limit = ask.limit;
  std::vector<std::string> free;
  RETURN_IF_ERROR(live.Read(organization, [&](const openings::AvailabilityIndex& index) {
    for (const openings::Opening& opening : openings::SearchOpenings(index, query).openings) {
      if (opening.start != ask.start) continue;
      free.push_back(names::InOrganization(organization, "clinicians", opening.clinician));
    }
  }));
  return free;
}

}  // namespace

LeaveHints HintsOf(const LiveIndex& index) {
  return {[&index](const FreeTimesAsk& ask) { return FreeTimes(index, ask); },
          [&index](const ColleaguesAsk& ask) { return Colleagues(index, ask); }};
}

}  // namespace rapport::scheduling
