#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_BOOKLET_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_BOOKLET_H_

#include "rapport/notes/v1/export.pb.h"
#include "services/notes/domain/case_file.h"
#include "services/notes/domain/summary.h"

namespace rapport::notes {

struct BookletChoice {
  std::string patient;           // whose
  v1::ClosenessCircles circles;  // none: without
};

// "What I learned" (clinical rule 6): the patient's goals and what became of them, gains, the link
// that was agreed, what helped, warning signs, what to do and whom to turn to, in the patient's own
// words. Nothing of a clinician's judgement, of alerts, of notes, or of what was told in private;
// it may lie about at home.
RenderedPage RenderBooklet(const CaseFile& file, const BookletChoice& choice,
                           const v1::ExportWording& wording);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_BOOKLET_H_
