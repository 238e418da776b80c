#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "rapport/notes/v1/export_service.pb.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/page_text.h"

ABSL_FLAG(std::string, patient, "", "Id of the patient whose record it is; needed of a couple.");
ABSL_FLAG(bool, inventory, false, "Also the inventory, which speaks of other people.");
ABSL_FLAG(std::string, as, "",
          "Of a summary or booklet: html or text; default text on a terminal, else html.");
ABSL_FLAG(bool, private, false, "Of a summary: also what was told alone.");

namespace rapport::ctl {
namespace {

constexpr char kExports[] = "rapport.notes.v1.ExportService/";

// The identity that the flags name, of the case's organisation where they name none, as a therapist
// where they name no role.
Identity Reader(const std::string& case_name) {
  Identity identity = IdentityFromFlags();
  if (identity.organization_id.empty()) {
    identity.organization_id = std::string(names::OrganizationId(case_name));
  }
  if (identity.roles.empty()) identity.roles = {"therapist"};
  return identity;
}

absl::StatusOr<std::string> CaseOf(const Words& words, absl::string_view command) {
  const std::string name = words.size() == 1 ? WholeName(words[0], "cases") : "";
  if (names::Matches("organizations/{organization}/cases/{case}", name)) return name;
  return absl::InvalidArgumentError(
      absl::StrCat("usage: rapportctl case ", command, " CASE --organization=ID"));
}

template <class Request>
void ReadPatient(const std::string& case_name, Request& request) {
  request.set_name(case_name);
  const std::string patient = absl::GetFlag(FLAGS_patient);
  if (!patient.empty()) {
    request.set_patient(
        names::InOrganization(names::OrganizationId(case_name), "patients", patient));
  }
}

template <class Response>
void TellWhatIsMissing(const Response& response) {
  for (const notes::v1::ExportOmission& omission : response.omissions()) {
    std::fprintf(stderr, "left out: %s%s\n",
                 notes::v1::OmissionReason_Name(omission.reason()).c_str(),
                 omission.count() > 0 ? absl::StrCat(" (", omission.count(), ")").c_str() : "");
  }
  for (const std::string& source : response.unavailable_sources()) {
    std::fprintf(stderr, "could not be asked: %s\n", source.c_str());
  }
}

template <class Request>
absl::Status Render(const std::string& case_name, const char* method, const Request& request) {
  const std::string as = absl::GetFlag(FLAGS_as);
  if (!as.empty() && as != "html" && as != "text") {
    return absl::InvalidArgumentError("--as is html or text");
  }
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  ASSIGN_OR_RETURN(const auto document,
                   caller->Call<notes::v1::RenderedDocument>(
                       Reader(case_name), absl::StrCat(kExports, method), request));
  const bool text = as == "text" || (as.empty() && isatty(STDOUT_FILENO) == 1);
  std::fputs(text ? TextOfPage(document.html()).c_str() : document.html().c_str(), stdout);
  TellWhatIsMissing(document);
  return absl::OkStatus();
}

}  // namespace

absl::Status CaseSummary(const Words& words) {
  ASSIGN_OR_RETURN(const std::string name, CaseOf(words, "summary"));
  notes::v1::RenderCaseSummaryRequest request;
  ReadPatient(name, request);
  request.set_include_inventory(absl::GetFlag(FLAGS_inventory));
  request.set_include_private(absl::GetFlag(FLAGS_private));
  return Render(name, "RenderCaseSummary", request);
}

absl::Status CaseBooklet(const Words& words) {
  ASSIGN_OR_RETURN(const std::string name, CaseOf(words, "booklet"));
  notes::v1::RenderBookletRequest request;
  ReadPatient(name, request);
  return Render(name, "RenderBooklet", request);
}

}  // namespace rapport::ctl
