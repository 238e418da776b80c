#include "services/scheduling/domain/organizations.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"

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
};

const google::protobuf::FieldDescriptor* Field(absl::string_view name) {
  return v1::OrganizationSettings::descriptor()->FindFieldByName(std::string(name));
}

}  // namespace

void FillDefaults(v1::OrganizationSettings& settings) {
  const auto* reflection = settings.GetReflection();
  for (const Policy& policy : kPolicies) {
    const auto* field = Field(policy.field);
    if (reflection->HasField(settings, field)) continue;
    reflection->MutableMessage(&settings, field)->CopyFrom(time::ToDurationProto(policy.standard));
  }
}

absl::Status CheckSettings(const v1::OrganizationSettings& settings, absl::string_view path) {
  const auto* reflection = settings.GetReflection();
  for (const Policy& policy : kPolicies) {
    const auto* field = Field(policy.field);
    if (!reflection->HasField(settings, field)) continue;
    const auto& duration =
        static_cast<const google::protobuf::Duration&>(reflection->GetMessage(settings, field));
    const std::string name = absl::StrCat(path, ".", policy.field);
    RETURN_IF_ERROR(time::CheckDuration(duration, name));
    const absl::Duration value = time::ToDuration(duration);
    if (value < policy.least || value > policy.most) {
      return errors::InvalidArgument(
          name, absl::StrCat("must be ", absl::FormatDuration(policy.least), " to ",
                             absl::FormatDuration(policy.most)));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
