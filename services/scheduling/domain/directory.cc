#include "services/scheduling/domain/directory.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kYear = absl::Hours(24 * 366);

absl::Status RequireSet(bool set, absl::string_view field) {
  return set ? absl::OkStatus() : errors::InvalidArgument(field, "is required");
}

absl::Status CheckHours(const v1::WorkingHours& hours, const std::string& path,
                        const absl::flat_hash_set<std::string>& clinics) {
  if (!clinics.contains(hours.clinic())) {
    return errors::InvalidArgument(path + ".clinic", "must be one of the clinician's clinics");
  }
  RETURN_IF_ERROR(time::CheckTimeOfDay(hours.start_time(), path + ".start_time"));
  RETURN_IF_ERROR(time::CheckTimeOfDay(hours.end_time(), path + ".end_time"));
  if (time::ToMinutes(hours.end_time()) <= time::ToMinutes(hours.start_time())) {
    return errors::InvalidArgument(path + ".end_time", "must be after start_time");
  }
  if (hours.has_effective_from()) {
    RETURN_IF_ERROR(time::CheckDate(hours.effective_from(), path + ".effective_from"));
  }
  if (hours.has_effective_until()) {
    RETURN_IF_ERROR(time::CheckDate(hours.effective_until(), path + ".effective_until"));
  }
  if (hours.has_effective_from() && hours.has_effective_until() &&
      time::ToCivilDay(hours.effective_until()) < time::ToCivilDay(hours.effective_from())) {
    return errors::InvalidArgument(path + ".effective_until", "must not be before effective_from");
  }
  return absl::OkStatus();
}

template <class Stretch>
absl::Status CheckStretch(const Stretch& stretch, const std::string& path, absl::Duration longest,
                          absl::string_view longest_text) {
  RETURN_IF_ERROR(time::CheckTimestamp(stretch.start_time(), path + ".start_time"));
  RETURN_IF_ERROR(time::CheckTimestamp(stretch.end_time(), path + ".end_time"));
  const absl::Duration length =
      time::ToTime(stretch.end_time()) - time::ToTime(stretch.start_time());
  if (length <= absl::ZeroDuration()) {
    return errors::InvalidArgument(path + ".end_time", "must be after start_time");
  }
  if (length > longest) {
    return errors::InvalidArgument(
        path + ".end_time", absl::StrCat("must be at most ", longest_text, " after start_time"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckClinic(const v1::Clinic& clinic) {
  RETURN_IF_ERROR(RequireSet(!clinic.display_name().empty(), "clinic.display_name"));
  RETURN_IF_ERROR(RequireSet(!clinic.time_zone().empty(), "clinic.time_zone"));
  return RequireSet(!clinic.jurisdiction().empty(), "clinic.jurisdiction");
}

absl::Status CheckClinician(const v1::Clinician& clinician) {
  const std::string path = "clinician";
  RETURN_IF_ERROR(RequireSet(!clinician.display_name().empty(), path + ".display_name"));
  RETURN_IF_ERROR(
      RequireSet(clinician.profession() != v1::PROFESSION_UNSPECIFIED, path + ".profession"));
  RETURN_IF_ERROR(RequireSet(!clinician.clinics().empty(), path + ".clinics"));
  absl::flat_hash_set<std::string> clinics;
  for (int i = 0; i < clinician.clinics_size(); ++i) {
    if (!clinics.insert(clinician.clinics(i)).second) {
      return errors::InvalidArgument(absl::StrCat(path, ".clinics[", i, "]"),
                                     "must be named only once");
    }
  }
  if (clinician.has_licence_expire_date()) {
    RETURN_IF_ERROR(
        time::CheckDate(clinician.licence_expire_date(), path + ".licence_expire_date"));
  }
  for (int i = 0; i < clinician.weekly_hours_size(); ++i) {
    RETURN_IF_ERROR(CheckHours(clinician.weekly_hours(i),
                               absl::StrCat(path, ".weekly_hours[", i, "]"), clinics));
  }
  return absl::OkStatus();
}

absl::Status CheckTimeOff(const v1::TimeOff& time_off) {
  return CheckStretch(time_off, "time_off", 2 * kYear, "2 years");
}

absl::Status CheckCover(const v1::Cover& cover) {
  RETURN_IF_ERROR(CheckStretch(cover, "cover", kYear, "1 year"));
  if (cover.clinician() == cover.covering_clinician()) {
    return errors::InvalidArgument("cover.covering_clinician", "must be another than clinician");
  }
  return absl::OkStatus();
}

}  // namespace rapport::scheduling
