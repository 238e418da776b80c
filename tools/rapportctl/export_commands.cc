#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/outcome_service.pb.h"
#include "rapport/notes/v1/case_service.pb.h"
#include "rapport/notes/v1/export_service.pb.h"
#include "rapport/scheduling/v1/appointment_service.pb.h"
#include "tools/rapportctl/bulk/checksum.h"
#include "tools/rapportctl/bulk/exporter.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/csv_lines.h"
#include "tools/rapportctl/progress_bar.h"
#include "tools/rapportctl/resource/output.h"

ABSL_DECLARE_FLAG(bool, inventory);
ABSL_DECLARE_FLAG(std::string, patient);
ABSL_DECLARE_FLAG(std::vector<std::string>, clinics);
ABSL_DECLARE_FLAG(std::vector<std::string>, clinicians);
ABSL_FLAG(std::vector<std::string>, parts, rapport::ctl::ExportParts(),
          "Of `export data`: directory, courses and appointments, or some of them.");
ABSL_FLAG(bool, without_notes, false, "Of a bundle: without the session notes.");
ABSL_FLAG(std::string, out, "", "File that an export is written to; default standard output.");
ABSL_FLAG(std::string, instrument, "", "Id of an instrument, as phq-9.");
ABSL_FLAG(
    std::vector<std::string>, by, {"clinic"},
    "Of outcomes: up to three of clinic, clinician, protocol, problem-area, and month, quarter "
    "or year.");
ABSL_FLAG(std::string, since, "", "First day, as 2026-01-01.");
ABSL_FLAG(std::string, until, "", "First day that is no more of it, as 2027-01-01.");
ABSL_FLAG(bool, csv, true, "Of outcomes: as CSV; --nocsv: as lines of JSON.");

namespace rapport::ctl {
namespace {

namespace av1 = assessment::v1;
namespace nv1 = notes::v1;
namespace sv1 = scheduling::v1;

constexpr int kPage = 500;
constexpr int kBundlePage = 1 << 20;  // bytes
constexpr int kMostBeginnings = 5;

Identity As(const char* role, absl::string_view name) {
  Identity who = IdentityFromFlags();
  if (who.organization_id.empty()) who.organization_id = std::string(names::OrganizationId(name));
  if (who.roles.empty()) who.roles = {role};
  return who;
}

// To --out in one step, or to standard output.
absl::Status Deliver(const std::string& text) {
  const std::string path = absl::GetFlag(FLAGS_out);
  if (!path.empty() && path != "-") return WriteFile(path, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError("standard output takes no more");
}

absl::StatusOr<std::string> CaseOf(GrpcCaller& caller, const Identity& who,
                                   const std::string& course) {
  nv1::ListCasesRequest request;
  request.set_parent(names::Organization(who.organization_id));
  request.set_page_size(kPage);
  do {
    ASSIGN_OR_RETURN(const auto page, caller.Call<nv1::ListCasesResponse>(
                                          who, "rapport.notes.v1.CaseService/ListCases", request));
    for (const nv1::Case& each : page.cases()) {
      if (each.course() == course) return each.name();
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return errors::NotFound("Case");
}

struct Bundle {
  std::string bytes;
  nv1::ExportCaseResponse summary;
};

absl::StatusOr<Bundle> FetchBundle(GrpcCaller& caller, const Identity& who,
                                   nv1::ExportCaseInPagesRequest request) {
  Bundle bundle;
  const std::string out = absl::GetFlag(FLAGS_out);
  ProgressBar bar("bytes", 0, /*writes_results=*/out.empty() || out == "-");
  do {
    ASSIGN_OR_RETURN(auto page,
                     caller.Call<nv1::ExportCaseInPagesResponse>(
                         who, "rapport.notes.v1.ExportService/ExportCaseInPages", request));
    bundle.bytes += page.data();
    bar.SetTotal(page.total_bytes());
    bar.Add(static_cast<int64_t>(page.data().size()));
    bundle.summary = std::move(*page.mutable_summary());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  Checksum checksum;
  checksum.Add(bundle.bytes);
  if (checksum.Hex() == absl::BytesToHexString(bundle.summary.sha256())) return bundle;
  return absl::DataLossError("the bundle is not what its checksum says");
}

absl::StatusOr<av1::OutcomeDimension> DimensionOf(const std::string& word) {
  std::string name = absl::AsciiStrToUpper(word);
  for (char& c : name) c = c == '-' ? '_' : c;
  av1::OutcomeDimension dimension;
  if (av1::OutcomeDimension_Parse("OUTCOME_DIMENSION_" + name, &dimension) &&
      dimension != av1::OUTCOME_DIMENSION_UNSPECIFIED) {
    return dimension;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--by: '", word,
                   "' is none of clinic, clinician, protocol, month, quarter, year, "
                   "problem-area"));
}

absl::StatusOr<std::optional<absl::CivilDay>> DayOf(const char* flag, const std::string& text) {
  if (text.empty()) return std::optional<absl::CivilDay>();
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) return std::optional<absl::CivilDay>(day);
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": '", text, "' is no date, as 2026-01-01"));
}

absl::Status ReadPeriod(std::optional<absl::CivilDay>& since,
                        std::optional<absl::CivilDay>& until) {
  ASSIGN_OR_RETURN(since, DayOf("since", absl::GetFlag(FLAGS_since)));
  ASSIGN_OR_RETURN(until, DayOf("until", absl::GetFlag(FLAGS_until)));
  return absl::OkStatus();
}

}  // namespace

absl::Status ExportDataTo(const Words& words) {
  const Identity who = As("scheduler", "");
  if (words.size() != 1 || who.organization_id.empty()) {
    return absl::InvalidArgumentError(
        "usage: rapportctl export data DIRECTORY --organization=ID [--parts=directory,courses]");
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  absl::StatusOr<std::vector<ExportedFile>> files;
  {
    ProgressBar bar("rows", 0);
    files = ExportData(*caller, who, words[0],
                       {.organization_id = who.organization_id,
                        .parts = absl::GetFlag(FLAGS_parts),
                        .progress =
                            [&bar](const std::string& file, int64_t rows) {
                              bar.SetWhat(file);
                              bar.Add(rows);
                            },
                        .say = [&bar](const std::string& line) { bar.Say(line); }});
  }
  RETURN_IF_ERROR(files.status());
  for (const ExportedFile& file : *files) {
    std::printf("%-22s %9lld rows  %s\n", file.name.c_str(), static_cast<long long>(file.rows),
                file.sha256.substr(0, 16).c_str());
  }
  return absl::OkStatus();
}

absl::Status ExportVerify(const Words& words) {
  if (words.size() != 1) {
    return absl::InvalidArgumentError("usage: rapportctl export verify DIRECTORY");
  }
  ASSIGN_OR_RETURN(const std::vector<ExportedFile> files, VerifyExport(words[0]));
  int64_t rows = 0;
  for (const ExportedFile& file : files) {
    std::printf("ok  %-22s %9lld rows  %s\n", file.name.c_str(), static_cast<long long>(file.rows),
                file.sha256.substr(0, 16).c_str());
    rows += file.rows;
  }
  std::printf("%zu files, %lld rows, as they were exported\n", files.size(),
              static_cast<long long>(rows));
  return absl::OkStatus();
}

absl::Status ExportFhir(const Words& words) {
  constexpr char kUsage[] =
      "usage: rapportctl export fhir courses/COURSE|cases/CASE --organization=ID [--out=FILE]";
  if (words.size() != 1) return absl::InvalidArgumentError(kUsage);
  std::string name = WholeName(words[0], "");
  const Identity who = As("therapist", name);
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  if (names::Matches("organizations/{organization}/courses/{course}", name)) {
    ASSIGN_OR_RETURN(name, CaseOf(*caller, who, name));
  } else if (!names::Matches("organizations/{organization}/cases/{case}", name)) {
    return absl::InvalidArgumentError(kUsage);
  }
  nv1::ExportCaseInPagesRequest request;
  request.set_name(name);
  request.set_page_size(kBundlePage);
  request.set_include_inventory(absl::GetFlag(FLAGS_inventory));
  request.set_without_notes(absl::GetFlag(FLAGS_without_notes));
  if (const std::string patient = absl::GetFlag(FLAGS_patient); !patient.empty()) {
    request.set_patient(
        names::InOrganization(names::OrganizationId(name), "patients", names::Last(patient)));
  }
  absl::StatusOr<Bundle> bundle;
  for (int i = 0; i < kMostBeginnings; ++i) {
    bundle = FetchBundle(*caller, who, request);
    if (errors::Reason(bundle.status()) != "EXPORT_CHANGED") break;
  }
  RETURN_IF_ERROR(bundle.status());
  RETURN_IF_ERROR(Deliver(bundle->bytes + "\n"));
  const nv1::ExportCaseResponse& summary = bundle->summary;
  for (const nv1::ExportOmission& omission : summary.omissions()) {
    std::fprintf(stderr, "left out: %s%s\n", nv1::OmissionReason_Name(omission.reason()).c_str(),
                 omission.count() > 0 ? absl::StrCat(" (", omission.count(), ")").c_str() : "");
  }
  for (const std::string& source : summary.unavailable_sources()) {
    std::fprintf(stderr, "could not be asked: %s\n", source.c_str());
  }
  if (!summary.redisclosure_notice().empty()) {
    std::fprintf(stderr, "must be shown with it: %s\n", summary.redisclosure_notice().c_str());
  }
  std::fprintf(stderr, "%d resources, %zu bytes, SHA-256 %s\n", summary.resources(),
               bundle->bytes.size(), absl::BytesToHexString(summary.sha256()).c_str());
  return absl::OkStatus();
}

absl::Status ExportOutcomes(const Words& words) {
  const Identity who = As("analyst", "");
  if (!words.empty() || who.organization_id.empty() || absl::GetFlag(FLAGS_instrument).empty()) {
    return absl::InvalidArgumentError(
        "usage: rapportctl export outcomes --organization=ID --instrument=phq-9 "
        "[--by=clinic,quarter] [--since=DATE] [--until=DATE] [--out=FILE]");
  }
  av1::GetOutcomesRequest request;
  request.set_parent(names::Organization(who.organization_id));
  request.set_page_size(kPage);
  request.set_instrument(absl::GetFlag(FLAGS_instrument));
  for (const std::string& word : absl::GetFlag(FLAGS_by)) {
    ASSIGN_OR_RETURN(const av1::OutcomeDimension dimension, DimensionOf(word));
    request.add_dimensions(dimension);
  }
  std::optional<absl::CivilDay> since, until;
  RETURN_IF_ERROR(ReadPeriod(since, until));
  if (since) *request.mutable_start_date() = time::ToDate(*since);
  if (until) *request.mutable_end_date() = time::ToDate(*until);
  if (const auto clinics = absl::GetFlag(FLAGS_clinics); !clinics.empty()) {
    request.set_clinic(WholeName(clinics[0], "clinics"));
  }
  if (const auto clinicians = absl::GetFlag(FLAGS_clinicians); !clinicians.empty()) {
    request.set_clinician(WholeName(clinicians[0], "clinicians"));
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  const bool csv = absl::GetFlag(FLAGS_csv);
  std::string text = csv ? OutcomeHeaders() : "";
  std::vector<std::string> cautions;
  do {
    ASSIGN_OR_RETURN(const auto page,
                     caller->Call<av1::GetOutcomesResponse>(
                         who, "rapport.assessment.v1.OutcomeService/GetOutcomes", request));
    for (const av1::OutcomeCell& cell : page.cells()) {
      if (csv) {
        text += OutcomeLine(cell);
      } else {
        ASSIGN_OR_RETURN(const std::string line, JsonLine(cell));
        text += line;
      }
    }
    cautions.assign(page.cautions().begin(), page.cautions().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  RETURN_IF_ERROR(Deliver(text));
  for (const std::string& caution : cautions) {
    std::fprintf(stderr, "must stand beside it: %s\n", caution.c_str());
  }
  return absl::OkStatus();
}

absl::Status ExportCalendar(const Words& words) {
  constexpr char kUsage[] =
      "usage: rapportctl export calendar clinicians/ID|courses/ID|patients/ID --organization=ID "
      "[--since=DATE] [--until=DATE] [--out=FILE]";
  if (words.size() != 1) return absl::InvalidArgumentError(kUsage);
  const std::string name = WholeName(words[0], "");
  const Identity who = As("scheduler", name);
  sv1::ExportCalendarRequest request;
  request.set_parent(names::Organization(who.organization_id));
  if (names::Matches("organizations/{organization}/clinicians/{clinician}", name)) {
    request.set_clinician(name);
  } else if (names::Matches("organizations/{organization}/courses/{course}", name)) {
    request.set_course(name);
  } else if (names::Matches("organizations/{organization}/patients/{patient}", name)) {
    request.set_patient(name);
  } else {
    return absl::InvalidArgumentError(kUsage);
  }
  std::optional<absl::CivilDay> since, until;
  RETURN_IF_ERROR(ReadPeriod(since, until));
  const absl::TimeZone utc = absl::UTCTimeZone();
  if (since) *request.mutable_start_from() = time::ToTimestamp(absl::FromCivil(*since, utc));
  if (until) *request.mutable_start_before() = time::ToTimestamp(absl::FromCivil(*until, utc));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  ASSIGN_OR_RETURN(const auto calendar,
                   caller->Call<sv1::ExportCalendarResponse>(
                       who, "rapport.scheduling.v1.AppointmentService/ExportCalendar", request));
  return Deliver(calendar.ics());
}

}  // namespace rapport::ctl
