#include "services/scheduling/domain/organizations.h"

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "services/scheduling/domain/directory.h"

namespace rapport::scheduling {
namespace {

// The ranges and defaults of OrganizationSettings, all of them the suite's own.
struct Policy {
  absl::string_view field;
  absl::Duration standard;
  absl::Duration least;
  absl::Duration most;
};
constexpr Policy kPolicies[] = {
    {"minimum_notice", absl::Hours(2), absl::ZeroDuration(), absl::Hours(30 * 24)},
    {"late_cancel_window", absl::Hours(24), absl::ZeroDuration(), absl::Hours(14 * 24)},
    {"immediate_acknowledgement", absl::Minutes(15), absl::Minutes(1), absl::Hours(24)},
    {"same_day_acknowledgement", absl::Hours(2), absl::Minutes(1), absl::Hours(24)},
    {"note_due_after", absl::Hours(48), absl::Hours(1), absl::Hours(30 * 24)},
    {"hold_time", absl::Minutes(10), absl::Minutes(1), absl::Hours(7 * 24)},
    {"offer_time", absl::Hours(4), absl::Minutes(15), absl::Hours(7 * 24)},
    {"travel_time", absl::Minutes(30), absl::ZeroDuration(), absl::Hours(4)},
};
// Of each of reminder_lead_times.
constexpr Policy kLeadTime = {"reminder_lead_times", absl::ZeroDuration(), absl::Minutes(5),
                              absl::Hours(30 * 24)};

const google::protobuf::FieldDescriptor* Field(absl::string_view name) {
  return v1::OrganizationSettings::descriptor()->FindFieldByName(std::string(name));
}

absl::Status CheckRange(const google::protobuf::Duration& duration, const Policy& policy,
                        absl::string_view field) {
  RETURN_IF_ERROR(time::CheckDuration(duration, field));
  const absl::Duration value = time::ToDuration(duration);
  if (value >= policy.least && value <= policy.most) return absl::OkStatus();
  return errors::InvalidArgument(field, absl::StrCat("must be ", absl::FormatDuration(policy.least),
                                                     " to ", absl::FormatDuration(policy.most)));
}

}  // namespace

void FillDefaults(v1::OrganizationSettings& settings) {
  const auto* reflection = settings.GetReflection();
  for (const Policy& policy : kPolicies) {
    const auto* field = Field(policy.field);
    if (reflection->HasField(settings, field)) continue;
    reflection->MutableMessage(&settings, field)->CopyFrom(time::ToDurationProto(policy.standard));
  }
  if (settings.reminder_lead_times().empty()) {
    for (const absl::Duration lead : {absl::Hours(48), absl::Hours(2)}) {
      *settings.add_reminder_lead_times() = time::ToDurationProto(lead);
    }
  }
}

absl::Status CheckSettings(const v1::OrganizationSettings& settings, absl::string_view path) {
  const auto* reflection = settings.GetReflection();
  for (const Policy& policy : kPolicies) {
    const auto* field = Field(policy.field);
    if (!reflection->HasField(settings, field)) continue;
    const auto& duration =
        static_cast<const google::protobuf::Duration&>(reflection->GetMessage(settings, field));
    RETURN_IF_ERROR(CheckRange(duration, policy, absl::StrCat(path, ".", policy.field)));
  }
  absl::flat_hash_set<absl::Duration> leads;
  for (int i = 0; i < settings.reminder_lead_times_size(); ++i) {
    const std::string field = absl::StrCat(path, ".reminder_lead_times[", i, "]");
    RETURN_IF_ERROR(CheckRange(settings.reminder_lead_times(i), kLeadTime, field));
    if (!leads.insert(time::ToDuration(settings.reminder_lead_times(i))).second) {
      return errors::InvalidArgument(field, "must be given only once");
    }
  }
  return CheckWeeklyStretches(settings.monitored_hours(), absl::StrCat(path, ".monitored_hours"));
}

absl::Status ChangeState(v1::Organization& organization, v1::OrganizationState from,
                         v1::OrganizationState to) {
  if (organization.state() != from) {
    const std::string& state = v1::OrganizationState_Name(organization.state());
    return errors::FailedPrecondition("ORGANIZATION_STATE",
                                      absl::StrCat("The organisation is in ", state, "."),
                                      {{"state", state}});
  }
  organization.set_state(to);
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
