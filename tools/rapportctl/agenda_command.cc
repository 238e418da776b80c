#include <cstdio>
#include <string>
#include <utility>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "tools/rapportctl/agenda.h"
#include "tools/rapportctl/commands.h"

ABSL_DECLARE_FLAG(bool, ascii);
ABSL_FLAG(std::string, date, "", "Day of an agenda, as 2026-03-02; default today.");
ABSL_FLAG(bool, week, false, "Of an agenda: the whole week, from its Monday.");

namespace rapport::ctl {
namespace {

namespace sv1 = scheduling::v1;

constexpr char kDirectory[] = "rapport.scheduling.v1.DirectoryService/";
constexpr int kPage = 500;

}  // namespace

absl::Status PrintAgenda(const Words& words) {
  const std::string name = words.size() == 1 ? WholeName(words[0], "clinicians") : "";
  if (!names::Matches("organizations/{organization}/clinicians/{clinician}", name)) {
    return absl::InvalidArgumentError(
        "usage: rapportctl agenda CLINICIAN --organization=ID [--date=2026-03-02] [--week]");
  }
  Identity who = IdentityFromFlags();
  if (who.organization_id.empty()) who.organization_id = std::string(names::OrganizationId(name));
  if (who.roles.empty()) who.roles = {"scheduler"};
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());

  Agenda agenda;
  agenda.ascii = absl::GetFlag(FLAGS_ascii);
  agenda.now = absl::Now();
  sv1::GetClinicianRequest get;
  get.set_name(name);
  ASSIGN_OR_RETURN(agenda.clinician, caller->Call<sv1::Clinician>(
                                         who, absl::StrCat(kDirectory, "GetClinician"), get));
  for (const std::string& clinic : agenda.clinician.clinics()) {
    sv1::GetClinicRequest request;
    request.set_name(clinic);
    ASSIGN_OR_RETURN(
        agenda.clinics[clinic],
        caller->Call<sv1::Clinic>(who, absl::StrCat(kDirectory, "GetClinic"), request));
  }
  const auto& home = agenda.clinics[agenda.clinician.clinics(0)];
  ASSIGN_OR_RETURN(agenda.zone, time::LoadZone(home.time_zone()));

  const std::string date = absl::GetFlag(FLAGS_date);
  agenda.first = absl::ToCivilDay(agenda.now, agenda.zone);
  if (!date.empty() && !absl::ParseCivilTime(date, &agenda.first)) {
    return absl::InvalidArgumentError(absl::StrCat("--date: '", date, "' is not as 2026-03-02"));
  }
  if (absl::GetFlag(FLAGS_week)) {
    agenda.first = absl::PrevWeekday(agenda.first + 1, absl::Weekday::monday);
    agenda.days = 7;
  }

  sv1::ListAppointmentsRequest list;
  list.set_parent(names::Organization(who.organization_id));
  list.set_clinician(name);
  list.set_page_size(kPage);
  *list.mutable_start_from() = time::ToTimestamp(absl::FromCivil(agenda.first, agenda.zone));
  *list.mutable_start_before() =
      time::ToTimestamp(absl::FromCivil(agenda.first + agenda.days, agenda.zone));
  do {
    ASSIGN_OR_RETURN(auto page,
                     caller->Call<sv1::ListAppointmentsResponse>(
                         who, "rapport.scheduling.v1.AppointmentService/ListAppointments", list));
    for (sv1::Appointment& each : *page.mutable_appointments()) {
      agenda.appointments.push_back(std::move(each));
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());

  sv1::ListTimeOffsRequest off;
  off.set_parent(name);
  off.set_page_size(kPage);
  do {
    ASSIGN_OR_RETURN(auto page, caller->Call<sv1::ListTimeOffsResponse>(
                                    who, absl::StrCat(kDirectory, "ListTimeOffs"), off));
    for (sv1::TimeOff& each : *page.mutable_time_offs()) agenda.time_off.push_back(std::move(each));
    off.set_page_token(page.next_page_token());
  } while (!off.page_token().empty());

  std::fputs(RenderAgenda(agenda).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace rapport::ctl
