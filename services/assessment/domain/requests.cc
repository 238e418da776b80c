#include "services/assessment/domain/requests.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "services/assessment/domain/sessions.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kDefaultOpen = absl::Hours(7 * 24);
constexpr absl::Duration kLongest = absl::Hours(60 * 24);

// google.type.DayOfWeek counts from Monday, 1.
absl::Weekday DayOf(const scheduling::v1::WeeklyStretch& stretch) {
  return static_cast<absl::Weekday>(stretch.day_of_week() - 1);
}

absl::Time At(absl::CivilDay day, const google::type::TimeOfDay& time, absl::TimeZone zone) {
  return time::ResolveLocal(absl::CivilSecond(day) + int64_t{time::ToMinutes(time)} * 60, zone);
}

}  // namespace

MonitoredHours MonitoredHours::Of(const scheduling::v1::OrganizationEvent& organization,
                                  const scheduling::v1::ClinicEvent& clinic) {
  MonitoredHours hours;
  hours.stretches =
      clinic.monitored_hours().empty() ? organization.monitored_hours() : clinic.monitored_hours();
  if (const auto zone = time::LoadZone(clinic.time_zone()); zone.ok()) hours.zone = *zone;
  return hours;
}

bool MonitoredHours::Holds(absl::Time at) const {
  const std::optional<absl::Time> next = Next(at);
  return next && *next == at;
}

std::optional<absl::Time> MonitoredHours::Next(absl::Time from) const {
  if (stretches.empty()) return from;
  const absl::CivilDay today = absl::ToCivilDay(from, zone);
  std::optional<absl::Time> next;
  for (absl::CivilDay day = today; day <= today + 8; ++day) {
    for (const scheduling::v1::WeeklyStretch& stretch : stretches) {
      if (DayOf(stretch) != absl::GetWeekday(day)) continue;
      const absl::Time begins = std::max(from, At(day, stretch.start_time(), zone));
      const bool nothing_left = At(day, stretch.end_time(), zone) <= begins;
      if (!nothing_left && (!next || begins < *next)) next = begins;
    }
  }
  return next;
}

absl::Status SettleTimes(v1::MeasureRequest& request, std::optional<absl::Time> start,
                         std::optional<absl::Time> end, absl::Time now) {
  std::vector<errors::FieldViolation> violations;
  const auto expect = [&](bool holds, absl::string_view field, absl::string_view description) {
    if (!holds) {
      violations.push_back({absl::StrCat("measure_request.", field), std::string(description)});
    }
  };
  for (const auto& [given, field] :
       {std::pair(request.has_open_time() ? &request.open_time() : nullptr, "open_time"),
        std::pair(request.has_expire_time() ? &request.expire_time() : nullptr, "expire_time"),
        std::pair(request.has_remind_time() ? &request.remind_time() : nullptr, "remind_time")}) {
    expect(given == nullptr || time::CheckTimestamp(*given, field).ok(), field,
           "must be an instant between the years 1 and 9999");
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));

  const absl::Time open = request.has_open_time() ? time::ToTime(request.open_time())
                          : start                 ? std::max(now, *start - kWindow)
                                                  : now;
  const absl::Time expire = request.has_expire_time() ? time::ToTime(request.expire_time())
                            : end && *end > open      ? *end
                                                      : open + kDefaultOpen;
  expect(expire > open, "expire_time", "must be after open_time");
  expect(expire > now, "expire_time", "must not be past");
  expect(expire - open <= kLongest, "expire_time", "must be at most 60 days after open_time");
  if (request.has_remind_time()) {
    const absl::Time remind = time::ToTime(request.remind_time());
    expect(remind >= open && remind < expire, "remind_time",
           "must be from open_time to before expire_time");
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  *request.mutable_open_time() = time::ToTimestamp(open);
  *request.mutable_expire_time() = time::ToTimestamp(expire);
  return absl::OkStatus();
}

bool IsOpen(v1::MeasureRequestState state) {
  return state == v1::MEASURE_REQUEST_STATE_OPEN || state == v1::MEASURE_REQUEST_STATE_PARTIAL;
}

v1::MeasureRequestEvent EventOf(const v1::MeasureRequest& request) {
  v1::MeasureRequestEvent event;
  event.set_course(request.course());
  event.set_patient(request.patient());
  event.set_instrument(request.instrument());
  event.set_appointment(request.appointment());
  *event.mutable_open_time() = request.open_time();
  *event.mutable_expire_time() = request.expire_time();
  if (request.has_remind_time()) *event.mutable_remind_time() = request.remind_time();
  event.set_state(request.state());
  event.set_channel(request.channel());
  return event;
}

}  // namespace rapport::assessment
