#include "services/notes/rpc/export_handlers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "rapport/assessment/v1/progress_service.pb.h"
#include "services/notes/data/access_settings.h"
#include "services/notes/data/suitability/review_data.h"
#include "services/notes/domain/booklet.h"
#include "services/notes/domain/canonical.h"
#include "services/notes/domain/closeness.h"
#include "services/notes/domain/fhir.h"
#include "services/notes/domain/summary.h"

namespace rapport::notes {
namespace {

namespace as = assessment::v1;
using call::CallContext;

constexpr size_t kMaxBytes = 3 * 1024 * 1024;
constexpr size_t kPageBytes = 1024 * 1024;

absl::Status TooLarge() {
  return errors::FailedPrecondition(
      "EXPORT_TOO_LARGE",
      "The document would be too large. Ask for a bundle in pages, or leave the "
      "notes or the inventory out.");
}

std::string NoticeOf(const v1::CaseLabels& labels) {
  std::string notice;
  for (const v1::RedisclosureNotice& shipped : ShippedAccessSettings().notices()) {
    const bool labelled = std::find(labels.labels().begin(), labels.labels().end(),
                                    shipped.label()) != labels.labels().end();
    if (labelled) absl::StrAppend(&notice, notice.empty() ? "" : "\n", shipped.text());
  }
  return notice;
}

absl::StatusOr<v1::RenderedDocument> Document(RenderedPage page, const CaseFile& file) {
  if (page.html.size() > kMaxBytes) return TooLarge();
  v1::RenderedDocument document;
  document.set_html(std::move(page.html));
  for (v1::ExportOmission& omission : page.omissions) {
    *document.add_omissions() = std::move(omission);
  }
  for (const std::string& source : file.unavailable_sources) {
    document.add_unavailable_sources(source);
  }
  return document;
}

// The instrument to draw: the first of the course's that the patient has filled in; empty: none.
std::string ChartInstrument(const CaseFile& file, const std::string& patient) {
  std::vector<std::string> filled;
  for (const as::Progress& progress : file.progress) {
    if (progress.patient() != patient) continue;
    for (const as::InstrumentProgress& series : progress.instruments()) {
      if (!series.points().empty()) {
        filled.emplace_back(names::Id(series.instrument(), "instruments"));
      }
    }
  }
  for (const auto& measure : file.course.measures()) {
    if (std::find(filled.begin(), filled.end(), measure.instrument()) != filled.end()) {
      return measure.instrument();
    }
  }
  return filled.empty() ? "" : filled.front();
}

}  // namespace

void ExportHandlers::Register(call::Registry& registry) {
  registry.Service("rapport.notes.v1.ExportService", this)
      .Unary("ExportCase", &ExportHandlers::ExportCase)
      .Unary("ExportCaseInPages", &ExportHandlers::ExportCaseInPages)
      .Unary("RenderCaseSummary", &ExportHandlers::RenderCaseSummary)
      .Unary("RenderBooklet", &ExportHandlers::RenderBooklet);
}

absl::StatusOr<LoadedFile> ExportHandlers::LoadFor(const CallContext& context,
                                                   absl::string_view case_name,
                                                   absl::string_view patient,
                                                   const FileParts& parts) const {
  ASSIGN_OR_RETURN(LoadedFile loaded, loader_.Load(context, case_name, parts, Purpose::kExport,
                                                   patient, "patient", true));
  if (!loaded.treats) return care::NotTheTherapist();
  return loaded;
}

template <class Request>
absl::StatusOr<v1::ExportCaseResponse> ExportHandlers::Bundle(const CallContext& context,
                                                              const Request& request,
                                                              absl::Time now) const {
  ASSIGN_OR_RETURN(LoadedFile loaded, LoadFor(context, request.name(), request.patient(),
                                              {.clinical = true,
                                               .notes = !request.without_notes(),
                                               .disclosure = true,
                                               .forms = true}));
  CaseFile& file = loaded.file;
  if (file.shortened) return TooLarge();
  file.now = now;
  FhirBundle bundle = MakeFhirBundle(
      file, {.patient = request.patient().empty() ? file.record.patient() : request.patient(),
             .include_inventory = request.include_inventory(),
             .without_notes = request.without_notes()});
  v1::ExportCaseResponse response;
  response.set_sha256(Sha256(bundle.json));
  response.set_bundle(std::move(bundle.json));
  response.set_resources(bundle.resources);
  for (v1::ExportOmission& omission : bundle.omissions) {
    *response.add_omissions() = std::move(omission);
  }
  for (const std::string& source : file.unavailable_sources) {
    response.add_unavailable_sources(source);
  }
  response.set_redisclosure_notice(NoticeOf(file.labels));
  return response;
}

absl::StatusOr<v1::ExportCaseResponse> ExportHandlers::ExportCase(
    const CallContext& context, const v1::ExportCaseRequest& request) {
  ASSIGN_OR_RETURN(v1::ExportCaseResponse response, Bundle(context, request, context.now));
  if (response.bundle().size() > kMaxBytes) return TooLarge();
  return response;
}

absl::StatusOr<v1::ExportCaseInPagesResponse> ExportHandlers::ExportCaseInPages(
    const CallContext& context, const v1::ExportCaseInPagesRequest& request) {
  ASSIGN_OR_RETURN(const call::Page page, call::ReadPage(context, request));
  absl::Time made = absl::FromUnixMicros(absl::ToUnixMicros(context.now));
  size_t offset = 0;
  std::string sha256;
  if (!page.after.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(page.after, absl::MaxSplits('\n', 2));
    int64_t micros = 0;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &micros) ||
        !absl::SimpleAtoi(parts[1], &offset)) {
      return errors::InvalidArgument("page_token", "is none of this method");
    }
    made = absl::FromUnixMicros(micros);
    sha256 = absl::HexStringToBytes(parts[2]);
  }
  ASSIGN_OR_RETURN(v1::ExportCaseResponse whole, Bundle(context, request, made));
  if (!page.after.empty() && whole.sha256() != sha256) {
    return errors::Aborted("EXPORT_CHANGED",
                           "The case is not what the first page was of. Begin without a page "
                           "token, and forget what was read.");
  }
  const std::string bundle = std::move(*whole.mutable_bundle());
  whole.clear_bundle();
  v1::ExportCaseInPagesResponse response;
  const size_t wanted = request.page_size() == 0
                            ? kPageBytes
                            : std::min(static_cast<size_t>(request.page_size()), kMaxBytes);
  response.set_data(bundle.substr(std::min(offset, bundle.size()), wanted));
  response.set_offset(static_cast<int64_t>(offset));
  response.set_total_bytes(static_cast<int64_t>(bundle.size()));
  offset += response.data().size();
  if (offset < bundle.size()) {
    response.set_next_page_token(
        call::NextPageToken(context, absl::StrCat(absl::ToUnixMicros(made), "\n", offset, "\n",
                                                  absl::BytesToHexString(whole.sha256()))));
  }
  *response.mutable_summary() = std::move(whole);
  return response;
}

absl::StatusOr<v1::RenderedDocument> ExportHandlers::RenderCaseSummary(
    const CallContext& context, const v1::RenderCaseSummaryRequest& request) {
  ASSIGN_OR_RETURN(LoadedFile loaded, LoadFor(context, request.name(), request.patient(),
                                              {.clinical = true,
                                               .notes = true,
                                               .disclosure = true,
                                               .relationships = request.include_inventory(),
                                               .progress = true}));
  CaseFile& file = loaded.file;
  SummaryChoice choice;
  choice.patient = request.patient().empty() ? file.record.patient() : request.patient();
  choice.include_inventory = request.include_inventory();
  choice.include_private = request.include_private();
  choice.redisclosure_notice = NoticeOf(file.labels);
  if (request.include_inventory()) {
    choice.circles = CirclesOf(
        file,
        {.about = file.conjoint() ? choice.patient : "", .with_private = request.include_private()},
        loaded.relationships, ShippedReviewRules());
  }
  as::RenderProgressChartRequest draw;
  draw.set_course(file.record.course());
  draw.set_patient(choice.patient);
  draw.set_instrument(request.instrument().empty() ? ChartInstrument(file, choice.patient)
                                                   : request.instrument());
  if (file.unavailable_sources.empty() && !draw.instrument().empty()) {
    auto drawn = assessment_.Call<as::RenderProgressChartResponse>(
        context, "rapport.assessment.v1.ProgressService/RenderProgressChart", draw);
    if (drawn.ok()) {
      choice.chart_svg = std::move(*drawn->mutable_svg());
      choice.chart_caption = absl::AsciiStrToUpper(draw.instrument());
      for (const std::string& source : drawn->unavailable_sources()) {
        file.unavailable_sources.push_back(source);
      }
    } else if (absl::IsInvalidArgument(drawn.status())) {
      return errors::InvalidArgument("instrument", "must be one that the patient has filled in");
    } else {
      file.unavailable_sources.emplace_back(assessment_.name());
    }
  }
  return Document(RenderSummary(file, choice, ShippedExportWording()), file);
}

absl::StatusOr<v1::RenderedDocument> ExportHandlers::RenderBooklet(
    const CallContext& context, const v1::RenderBookletRequest& request) {
  ASSIGN_OR_RETURN(
      const LoadedFile loaded,
      LoadFor(context, request.name(), request.patient(),
              {.clinical = true, .relationships = !request.without_circles(), .progress = true}));
  const CaseFile& file = loaded.file;
  BookletChoice choice;
  choice.patient = request.patient().empty() ? file.record.patient() : request.patient();
  if (!request.without_circles()) {
    choice.circles =
        CirclesOf(file, {.about = file.conjoint() ? choice.patient : "", .with_private = false},
                  loaded.relationships, ShippedReviewRules());
  }
  return Document(notes::RenderBooklet(file, choice, ShippedExportWording()), file);
}

}  // namespace rapport::notes
