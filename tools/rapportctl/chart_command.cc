#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/zones.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "rapport/scheduling/v1/course_service.pb.h"
#include "rapport/scheduling/v1/directory_service.pb.h"
#include "rapport/scheduling/v1/protocol_service.pb.h"
#include "tools/rapportctl/bulk/checksum.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/course_chart.h"

ABSL_DECLARE_FLAG(bool, ascii);
ABSL_DECLARE_FLAG(std::string, instrument);
ABSL_DECLARE_FLAG(std::string, patient);
ABSL_FLAG(std::string, svg, "",
          "Of a chart: file that the picture is written to; - for standard output.");

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;
namespace sv1 = scheduling::v1;

absl::Status WriteSvg(GrpcCaller& caller, const Identity& who, const std::string& course,
                      const std::string& patient, const std::string& instrument,
                      const std::string& path) {
  av1::RenderProgressChartRequest request;
  request.set_course(course);
  request.set_patient(patient);
  request.set_instrument(instrument);
  ASSIGN_OR_RETURN(const auto picture,
                   caller.Call<av1::RenderProgressChartResponse>(
                       who, "rapport.assessment.v1.ProgressService/RenderProgressChart", request));
  for (const std::string& source : picture.unavailable_sources()) {
    std::fprintf(stderr, "could not be asked: %s; what it tells is not drawn\n", source.c_str());
  }
  if (path != "-") return WriteFile(path, picture.svg());
  std::puts(picture.svg().c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status PrintChart(const Words& words) {
  const std::string name = words.size() == 1 ? WholeName(words[0], "courses") : "";
  if (!names::Matches("organizations/{organization}/courses/{course}", name)) {
    return absl::InvalidArgumentError(
        "usage: rapportctl chart COURSE --organization=ID [--instrument=phq-9] [--svg=FILE]");
  }
  Identity who = IdentityFromFlags();
  if (who.organization_id.empty()) who.organization_id = std::string(names::OrganizationId(name));
  if (who.roles.empty()) who.roles = {"therapist"};
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());

  CourseChart chart;
  chart.ascii = absl::GetFlag(FLAGS_ascii);
  av1::GetProgressRequest progress;
  progress.set_course(name);
  if (const std::string patient = absl::GetFlag(FLAGS_patient); !patient.empty()) {
    progress.set_patient(
        names::InOrganization(who.organization_id, "patients", names::Last(patient)));
  }
  ASSIGN_OR_RETURN(chart.progress,
                   caller->Call<av1::Progress>(
                       who, "rapport.assessment.v1.ProgressService/GetProgress", progress));
  const std::string wanted = absl::GetFlag(FLAGS_instrument);
  std::vector<std::string> known;
  const av1::InstrumentProgress* series = nullptr;
  for (const av1::InstrumentProgress& each : chart.progress.instruments()) {
    known.emplace_back(names::Id(each.instrument(), "instruments"));
    // Unasked, the one that was filled in most often.
    if (wanted.empty() ? series == nullptr || each.points_size() > series->points_size()
                       : known.back() == wanted) {
      series = &each;
    }
  }
  if (series == nullptr) {
    return absl::FailedPreconditionError(
        known.empty() ? "nothing was filled in in this course"
                      : absl::StrCat("--instrument: filled in were ", absl::StrJoin(known, ", ")));
  }
  chart.series = *series;
  const std::string instrument(names::Id(series->instrument(), "instruments"));
  if (const std::string path = absl::GetFlag(FLAGS_svg); !path.empty()) {
    return WriteSvg(*caller, who, name, progress.patient(), instrument, path);
  }

  av1::GetInstrumentRequest get_instrument;
  get_instrument.set_name(series->instrument());
  ASSIGN_OR_RETURN(
      chart.instrument,
      caller->Call<av1::Instrument>(who, "rapport.assessment.v1.InstrumentService/GetInstrument",
                                    get_instrument));
  sv1::GetCourseRequest get_course;
  get_course.set_name(name);
  ASSIGN_OR_RETURN(
      chart.course,
      caller->Call<sv1::Course>(who, "rapport.scheduling.v1.CourseService/GetCourse", get_course));
  sv1::GetProtocolRequest get_protocol;
  get_protocol.set_name(chart.course.protocol());
  ASSIGN_OR_RETURN(chart.protocol,
                   caller->Call<sv1::Protocol>(
                       who, "rapport.scheduling.v1.ProtocolService/GetProtocol", get_protocol));
  sv1::GetClinicRequest get_clinic;
  get_clinic.set_name(chart.course.clinic());
  ASSIGN_OR_RETURN(const auto clinic,
                   caller->Call<sv1::Clinic>(
                       who, "rapport.scheduling.v1.DirectoryService/GetClinic", get_clinic));
  ASSIGN_OR_RETURN(chart.zone, time::LoadZone(clinic.time_zone()));
  std::fputs(RenderCourseChart(chart).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace rapport::ctl
