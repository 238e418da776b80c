#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_SUMMARY_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_SUMMARY_H_

#include <string>
#include <vector>

#include "rapport/notes/v1/export.pb.h"
#include "rapport/notes/v1/review.pb.h"
#include "services/notes/domain/case_file.h"

namespace rapport::notes {

struct SummaryChoice {
  std::string patient;  // whose
  bool include_inventory = false;
  bool include_private = false;
  std::string chart_svg;  // empty: none
  std::string chart_caption;
  v1::ClosenessCircles circles;  // shown with the inventory
  std::string redisclosure_notice;
};

struct RenderedPage {
  std::string html;
  std::vector<v1::ExportOmission> omissions;
};

// A case for a reader, as one page: where the course stands, diagnosis, focus and formulation,
// scores with the chart, goals, what was worked on, risk, treatment besides, the ending. Session
// notes are named, not copied. Who is not told by name is told by what they are to the patient.
RenderedPage RenderSummary(const CaseFile& file, const SummaryChoice& choice,
                           const v1::ExportWording& wording);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_SUMMARY_H_
