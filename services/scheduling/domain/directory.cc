#include "services/scheduling/domain/directory.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::scheduling {
namespace {

constexpr absl::Duration kYear = absl::Hours(24 * 366);

absl::Status RequireSet(bool set, absl::string_view field) {
  return set ? absl::OkStatus() : errors::InvalidArgument(field, "is required");
}

// Of anything with start_time and end_time as times of day.
template <class Stretch>
absl::Status CheckTimesOfDay(const Stretch& stretch, const std::string& path) {
  RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.start_time(), path + ".start_time"));
  RETURN_IF_ERROR(time::CheckTimeOfDay(stretch.end_time(), path + ".end_time"));
  if (time::ToMinutes(stretch.end_time()) <= time::ToMinutes(stretch.start_time())) {
    return errors::InvalidArgument(path + ".end_time", "must be after start_time");
  }
  return absl::OkStatus();
}

template <class List>
absl::Status RequireDistinct(const List& list, absl::string_view path) {
  for (int i = 0; i < list.size(); ++i) {
    if (std::find(list.begin(), list.begin() + i, list[i]) != list.begin() + i) {
      return errors::InvalidArgument(absl::StrCat(path, "[", i, "]"), "must be named only once");
    }
  }
  return absl::OkStatus();
}

absl::Status RequireOwn(const v1::Clinician& clinician, const std::string& clinic,
                        const std::string& path) {
  const auto& own = clinician.clinics();
  if (std::find(own.begin(), own.end(), clinic) != own.end()) return absl::OkStatus();
  return errors::InvalidArgument(path + ".clinic", "must be one of the clinician's clinics");
}

absl::Status CheckHours(const v1::Clinician& clinician, const v1::WorkingHours& hours,
                        const std::string& path) {
  RETURN_IF_ERROR(RequireOwn(clinician, hours.clinic(), path));
  RETURN_IF_ERROR(CheckTimesOfDay(hours, path));
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

absl::Status CheckDatedHours(const v1::Clinician& clinician) {
  std::map<std::pair<std::string, absl::CivilDay>, bool> worked;
  for (int i = 0; i < clinician.dated_hours_size(); ++i) {
    const v1::DatedHours& hours = clinician.dated_hours(i);
    const std::string path = absl::StrCat("clinician.dated_hours[", i, "]");
    RETURN_IF_ERROR(RequireOwn(clinician, hours.clinic(), path));
    RETURN_IF_ERROR(time::CheckDate(hours.date(), path + ".date"));
    if (hours.has_start_time() != hours.has_end_time()) {
      return errors::InvalidArgument(path + (hours.has_start_time() ? ".end_time" : ".start_time"),
                                     "must be set, or both times unset for a day without hours");
    }
    const bool works = hours.has_start_time();
    if (works) RETURN_IF_ERROR(CheckTimesOfDay(hours, path));
    const auto [day, first] =
        worked.try_emplace({hours.clinic(), time::ToCivilDay(hours.date())}, works);
    if (!first && !(works && day->second)) {
      return errors::InvalidArgument(
          path, "must not say another thing of a day that is given as one without hours");
    }
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
  RETURN_IF_ERROR(RequireSet(!clinic.jurisdiction().empty(), "clinic.jurisdiction"));
  absl::flat_hash_set<absl::CivilDay> days;
  for (int i = 0; i < clinic.holidays_size(); ++i) {
    const std::string field = absl::StrCat("clinic.holidays[", i, "].date");
    RETURN_IF_ERROR(time::CheckDate(clinic.holidays(i).date(), field));
    if (!days.insert(time::ToCivilDay(clinic.holidays(i).date())).second) {
      return errors::InvalidArgument(field, "must be given only once");
    }
  }
  return CheckWeeklyStretches(clinic.monitored_hours(), "clinic.monitored_hours");
}

absl::Status CheckRoom(const v1::Room& room) {
  RETURN_IF_ERROR(RequireSet(!room.display_name().empty(), "room.display_name"));
  RETURN_IF_ERROR(RequireSet(room.capacity() > 0, "room.capacity"));
  return RequireDistinct(room.features(), "room.features");
}

absl::Status CheckClinician(const v1::Clinician& clinician) {
  const std::string path = "clinician";
  RETURN_IF_ERROR(RequireSet(!clinician.display_name().empty(), path + ".display_name"));
  RETURN_IF_ERROR(
      RequireSet(clinician.profession() != v1::PROFESSION_UNSPECIFIED, path + ".profession"));
  RETURN_IF_ERROR(RequireSet(!clinician.clinics().empty(), path + ".clinics"));
  RETURN_IF_ERROR(RequireDistinct(clinician.clinics(), path + ".clinics"));
  if (clinician.has_licence_expire_date()) {
    RETURN_IF_ERROR(
        time::CheckDate(clinician.licence_expire_date(), path + ".licence_expire_date"));
  }
  RETURN_IF_ERROR(
      RequireDistinct(clinician.licensed_jurisdictions(), path + ".licensed_jurisdictions"));
  for (int i = 0; i < clinician.modalities_size(); ++i) {
    RETURN_IF_ERROR(RequireSet(clinician.modalities(i) != v1::MODALITY_UNSPECIFIED,
                               absl::StrCat(path, ".modalities[", i, "]")));
  }
  RETURN_IF_ERROR(RequireDistinct(clinician.modalities(), path + ".modalities"));
  if (!clinician.telehealth_uri().empty()) {
    RETURN_IF_ERROR(CheckWebAddress(clinician.telehealth_uri(), path + ".telehealth_uri"));
  }
  for (int i = 0; i < clinician.weekly_hours_size(); ++i) {
    RETURN_IF_ERROR(CheckHours(clinician, clinician.weekly_hours(i),
                               absl::StrCat(path, ".weekly_hours[", i, "]")));
  }
  return CheckDatedHours(clinician);
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

absl::Status CheckSupervision(const v1::Supervision& supervision) {
  RETURN_IF_ERROR(time::CheckTimestamp(supervision.start_time(), "supervision.start_time"));
  if (supervision.has_end_time()) {
    RETURN_IF_ERROR(time::CheckTimestamp(supervision.end_time(), "supervision.end_time"));
    if (time::ToTime(supervision.end_time()) <= time::ToTime(supervision.start_time())) {
      return errors::InvalidArgument("supervision.end_time", "must be after start_time");
    }
  }
  if (supervision.supervisor() == supervision.supervisee()) {
    return errors::InvalidArgument("supervision.supervisee", "must be another than supervisor");
  }
  return absl::OkStatus();
}

absl::Status CheckWeeklyStretches(
    const google::protobuf::RepeatedPtrField<v1::WeeklyStretch>& stretches,
    absl::string_view path) {
  for (int i = 0; i < stretches.size(); ++i) {
    const std::string field = absl::StrCat(path, "[", i, "]");
    RETURN_IF_ERROR(RequireSet(stretches[i].day_of_week() != google::type::DAY_OF_WEEK_UNSPECIFIED,
                               field + ".day_of_week"));
    RETURN_IF_ERROR(CheckTimesOfDay(stretches[i], field));
  }
  return absl::OkStatus();
}

absl::Status CheckWebAddress(absl::string_view uri, absl::string_view field) {
  absl::string_view rest = uri;
  const bool web = absl::ConsumePrefix(&rest, "https://") || absl::ConsumePrefix(&rest, "http://");
  const bool has_host = !rest.empty() && rest.front() != '/' && rest.front() != '?';
  if (web && has_host && std::all_of(rest.begin(), rest.end(), absl::ascii_isgraph)) {
    return absl::OkStatus();
  }
  return errors::InvalidArgument(field, "must be an address as \"https://example.org/room\"");
}

absl::Status CheckChosenId(absl::string_view name, absl::string_view field) {
  const absl::string_view id = names::Last(name);
  const bool fits = !id.empty() && id.size() <= 63 && id.front() != '-' && id.back() != '-' &&
                    std::all_of(id.begin(), id.end(), [](unsigned char c) {
                      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
                    });
  if (fits) return absl::OkStatus();
  return errors::InvalidArgument(field,
                                 "must end with an id of 1 to 63 lower-case letters, digits and "
                                 "hyphens that neither begins nor ends with a hyphen");
}

}  // namespace rapport::scheduling
