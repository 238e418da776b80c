#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/scheduling/v1/opening_service.pb.h"
#include "tools/rapportctl/commands.h"

ABSL_DECLARE_FLAG(std::string, organization);
ABSL_FLAG(std::string, course, "", "Id of the course that it is for.");
ABSL_FLAG(std::string, protocol, "",
          "Id of a protocol, as classic; for a series also the revision, as classic/1.");
ABSL_FLAG(std::vector<std::string>, language, {}, "Languages of which one must be spoken.");
ABSL_FLAG(std::vector<std::string>, clinics, {}, "Ids of clinics, the nearest first.");
ABSL_FLAG(std::vector<std::string>, clinicians, {}, "Ids of clinicians.");
ABSL_FLAG(std::string, modality, "IN_PERSON", "IN_PERSON, VIDEO or TELEPHONE.");
ABSL_FLAG(std::string, jurisdiction, "", "Where the patient lives, as GB-SCT.");
ABSL_FLAG(std::string, day_from, "", "Not earlier in the day, as 16:00.");
ABSL_FLAG(std::string, day_until, "", "Not later in the day, as 20:00.");
ABSL_FLAG(std::vector<std::string>, days, {}, "Days of the week, as monday,tuesday.");
ABSL_FLAG(absl::Duration, within, absl::Hours(24 * 28), "How far ahead, as 336h.");
ABSL_FLAG(int, minutes, 0, "Length of a session; 0: as the protocol has it.");
ABSL_FLAG(int, sessions, 0,
          "How many sessions the series has; 0: as the course or protocol has it.");
ABSL_FLAG(int, limit, 10, "How many are shown.");

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

constexpr char kOpenings[] = "rapport.scheduling.v1.OpeningService/";

absl::Status ReadTimeOfDay(const std::string& text, google::type::TimeOfDay& time) {
  int hours = 0, minutes = 0;
  if (std::sscanf(text.c_str(), "%2d:%2d", &hours, &minutes) != 2) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no time of day, as 16:00"));
  }
  time.set_hours(hours);
  time.set_minutes(minutes);
  return absl::OkStatus();
}

std::string Name(absl::string_view collection, absl::string_view id) {
  return names::InOrganization(absl::GetFlag(FLAGS_organization), collection, id);
}

absl::Status ReadFilter(sv1::OpeningFilter& filter) {
  const std::string protocol = absl::GetFlag(FLAGS_protocol);
  filter.set_protocol_id(protocol.substr(0, protocol.find('/')));
  for (const std::string& language : absl::GetFlag(FLAGS_language)) filter.add_languages(language);
  for (const std::string& id : absl::GetFlag(FLAGS_clinics))
    filter.add_clinics(Name("clinics", id));
  for (const std::string& id : absl::GetFlag(FLAGS_clinicians)) {
    filter.add_clinicians(Name("clinicians", id));
  }
  sv1::Modality modality;
  if (!sv1::Modality_Parse(absl::StrCat("MODALITY_", absl::GetFlag(FLAGS_modality)), &modality)) {
    return absl::InvalidArgumentError("--modality is IN_PERSON, VIDEO or TELEPHONE");
  }
  filter.set_modality(modality);
  filter.set_patient_jurisdiction(absl::GetFlag(FLAGS_jurisdiction));
  const std::string from = absl::GetFlag(FLAGS_day_from), until = absl::GetFlag(FLAGS_day_until);
  if (!from.empty() || !until.empty()) {
    sv1::DayStretch& stretch = *filter.add_times();
    RETURN_IF_ERROR(ReadTimeOfDay(from.empty() ? "00:00" : from, *stretch.mutable_start_time()));
    RETURN_IF_ERROR(ReadTimeOfDay(until.empty() ? "24:00" : until, *stretch.mutable_end_time()));
  }
  for (const std::string& text : absl::GetFlag(FLAGS_days)) {
    google::type::DayOfWeek day;
    if (!google::type::DayOfWeek_Parse(absl::AsciiStrToUpper(text), &day)) {
      return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no day of the week"));
    }
    filter.add_days(day);
  }
  return absl::OkStatus();
}

template <class Request>
absl::Status ReadCommon(Request& request) {
  if (absl::GetFlag(FLAGS_organization).empty()) {
    return absl::InvalidArgumentError("--organization is needed");
  }
  request.set_parent(names::Organization(absl::GetFlag(FLAGS_organization)));
  if (!absl::GetFlag(FLAGS_course).empty()) {
    request.set_course(Name("courses", absl::GetFlag(FLAGS_course)));
  }
  request.set_minutes(absl::GetFlag(FLAGS_minutes));
  *request.mutable_latest() = time::ToTimestamp(absl::Now() + absl::GetFlag(FLAGS_within));
  return ReadFilter(*request.mutable_filter());
}

// As a scheduler of the organisation, unless the flags say otherwise.
Identity Desk() {
  Identity who = IdentityFromFlags();
  if (who.roles.empty()) who.roles = {"scheduler"};
  return who;
}

std::string Local(const google::type::Date& date, const google::type::TimeOfDay& time) {
  const absl::CivilDay day = time::ToCivilDay(date);
  static constexpr const char* kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  return absl::StrFormat("%s %s %02d:%02d", kDays[static_cast<int>(absl::GetWeekday(day))],
                         absl::FormatCivilTime(day), time.hours(), time.minutes());
}

template <class Reasons>
std::string Why(const Reasons& reasons) {
  std::vector<std::string> words;
  for (const int reason : reasons) {
    absl::string_view name = sv1::OpeningReason_Name(static_cast<sv1::OpeningReason>(reason));
    absl::ConsumePrefix(&name, "OPENING_REASON_");
    words.push_back(absl::AsciiStrToLower(name));
  }
  return absl::StrJoin(words, ", ");
}

std::string ModalityText(sv1::Modality modality) {
  return absl::AsciiStrToLower(sv1::Modality_Name(modality).substr(sizeof("MODALITY_") - 1));
}

}  // namespace

absl::Status Openings(const Words& words) {
  if (!words.empty()) return absl::InvalidArgumentError("usage: rapportctl openings [--flags]");
  sv1::SearchOpeningsRequest request;
  RETURN_IF_ERROR(ReadCommon(request));
  request.set_page_size(absl::GetFlag(FLAGS_limit));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  ASSIGN_OR_RETURN(const auto response,
                   caller->Call<sv1::SearchOpeningsResponse>(
                       Desk(), absl::StrCat(kOpenings, "SearchOpenings"), request));
  absl::PrintF("%-20s %-22s %-28s %-28s %-10s %s\n", "START", "ZONE", "CLINICIAN", "CLINIC", "HOW",
               "WHY");
  for (const sv1::Opening& opening : response.openings()) {
    absl::PrintF("%-20s %-22s %-28s %-28s %-10s %s\n",
                 Local(opening.local_date(), opening.local_time()), opening.time_zone(),
                 names::Last(opening.clinician()), names::Last(opening.clinic()),
                 ModalityText(opening.modality()), Why(opening.reasons()));
  }
  if (!response.next_page_token().empty()) std::puts("... and more");
  return absl::OkStatus();
}

absl::Status Series(const Words& words) {
  if (!words.empty()) return absl::InvalidArgumentError("usage: rapportctl series [--flags]");
  sv1::PlanSeriesRequest request;
  RETURN_IF_ERROR(ReadCommon(request));
  const std::string protocol = absl::GetFlag(FLAGS_protocol);
  if (const size_t slash = protocol.find('/'); slash != std::string::npos) {
    request.set_protocol(absl::StrCat("protocols/", protocol.substr(0, slash), "/revisions/",
                                      protocol.substr(slash + 1)));
  }
  request.set_count(absl::GetFlag(FLAGS_sessions));
  request.set_limit(absl::GetFlag(FLAGS_limit));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  ASSIGN_OR_RETURN(const auto response,
                   caller->Call<sv1::PlanSeriesResponse>(
                       Desk(), absl::StrCat(kOpenings, "PlanSeries"), request));
  if (response.plans().empty()) std::puts("Nobody has such a series free.");
  int number = 0;
  for (const sv1::SeriesPlan& plan : response.plans()) {
    absl::PrintF("%d. %s at %s, %d sessions from %s (%s)%s\n", ++number,
                 names::Last(plan.clinician()), names::Last(plan.clinic()), plan.sessions_size(),
                 Local(plan.first_date(), plan.local_time()), plan.time_zone(),
                 plan.reasons().empty() ? "" : absl::StrCat(": ", Why(plan.reasons())));
    for (const sv1::PlannedSession& session : plan.sessions()) {
      if (!session.has_instead_of()) continue;
      absl::PrintF("     %s %s instead of %s\n", Local(session.local_date(), session.local_time()),
                   ModalityText(session.modality()),
                   absl::FormatCivilTime(time::ToCivilDay(session.instead_of())));
    }
    for (const sv1::SeriesException& exception : plan.exceptions()) {
      if (!exception.skip()) continue;
      absl::PrintF("     none on %s; one more at the end\n",
                   absl::FormatCivilTime(time::ToCivilDay(exception.date())));
    }
  }
  return absl::OkStatus();
}

}  // namespace rapport::ctl
