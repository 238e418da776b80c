#include "services/scheduling/rpc/time_watch.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/domain/time_at_risk.h"
#include "services/scheduling/rpc/act.h"
#include "services/scheduling/store/appointment_store.h"
#include "services/scheduling/store/time_watch_store.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kEvery = absl::Hours(24);
constexpr absl::Duration kLaterAgain = absl::Minutes(1);
constexpr int kPage = 50;

StoredTime TimeOf(const v1::Appointment& appointment) {
  return {time::ToCivilDay(appointment.local_date()),
          time::ToMinutes(appointment.local_time()),
          appointment.time_zone(),
          time::ToTime(appointment.start_time()),
          time::ToTime(appointment.end_time()),
          appointment.tzdata_version()};
}

bool SameRisk(const v1::Appointment& appointment, const std::optional<v1::TimeAtRisk>& risk) {
  if (!risk || !appointment.has_time_at_risk()) return !risk && !appointment.has_time_at_risk();
  const v1::TimeAtRisk& known = appointment.time_at_risk();
  return known.has_would_start_time() == risk->has_would_start_time() &&
         known.would_start_time().seconds() == risk->would_start_time().seconds();
}

std::optional<v1::TimeAtRisk> RiskOf(const v1::Appointment& appointment,
                                     const std::string& tzdata_version) {
  const TimeCheck check = CheckStoredTime(TimeOf(appointment), tzdata_version);
  if (check.outcome == TimeOutcome::kSame) return std::nullopt;
  v1::TimeAtRisk risk;
  risk.set_tzdata_version(tzdata_version);
  if (check.outcome == TimeOutcome::kMoved) {
    *risk.mutable_would_start_time() = time::ToTimestamp(check.would_start);
  }
  return risk;
}

bool Stands(const v1::Appointment& appointment) {
  return appointment.state() == v1::APPOINTMENT_STATE_BOOKED ||
         appointment.state() == v1::APPOINTMENT_STATE_HELD;
}

}  // namespace

absl::Status TimeWatch::Check(sql::Transaction& tx, const work::Item& item, absl::Time now) const {
  if (item.key > tzdata_version_) {
    work::Schedule(tx, item.organization_id, item.kind, item.key, now + kLaterAgain);
  }
  if (item.key != tzdata_version_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto appointments,
                   store::ListToCheck(tx, item.organization_id, now, tzdata_version_, kPage));
  std::vector<std::string> changed, aggregates;
  for (const auto& [appointment, version] : appointments) {
    if (SameRisk(appointment, RiskOf(appointment, tzdata_version_))) {
      store::DeferChecked(tx, appointment.name(), version, tzdata_version_);
      continue;
    }
    changed.push_back(appointment.name());
    aggregates.push_back(appointment.course().empty() ? appointment.name() : appointment.course());
  }
  tx.Lock(std::move(aggregates));  // of all at once, so that nobody waits in a circle
  Act act(tx, item.organization_id, "CheckTime", now);
  for (const std::string& name : changed) RETURN_IF_ERROR(PutRisk(act, name));
  const bool more = appointments.size() == kPage;
  work::Schedule(tx, item.organization_id, item.kind, item.key, more ? now : now + kEvery);
  return absl::OkStatus();
}

absl::Status TimeWatch::PutRisk(Act& act, absl::string_view name) const {
  ASSIGN_OR_RETURN(const auto row, store::GetAppointment(act.tx(), name, {}));
  const std::optional<v1::TimeAtRisk> risk = RiskOf(row.resource, tzdata_version_);
  if (!Stands(row.resource) || SameRisk(row.resource, risk)) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const v1::Appointment appointment,
      booker_.Change(act, name, "", [&](store::AppointmentContext& context, const v1::Protocol&) {
        v1::Appointment& changing = context.row.resource;
        if (risk) {
          *changing.mutable_time_at_risk() = *risk;
        } else {
          changing.clear_time_at_risk();
        }
        return absl::OkStatus();
      }));
  const int64_t version = row.version + 1;
  store::DeferChecked(act.tx(), name, version, tzdata_version_);
  v1::AppointmentTimeAtRisk event;
  *event.mutable_start_time() = appointment.start_time();
  if (!risk) {
    *event.mutable_would_start_time() = appointment.start_time();
  } else if (risk->has_would_start_time()) {
    *event.mutable_would_start_time() = risk->would_start_time();
  }
  *event.mutable_local_date() = appointment.local_date();
  *event.mutable_local_time() = appointment.local_time();
  event.set_time_zone(appointment.time_zone());
  event.set_tzdata_version(tzdata_version_);
  act.Record(absl::StrCat(name, "/timeAtRisk"), version, event, event.SerializeAsString());
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
