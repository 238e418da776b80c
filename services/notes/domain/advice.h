#ifndef RAPPORT_SERVICES_NOTES_DOMAIN_ADVICE_H_
#define RAPPORT_SERVICES_NOTES_DOMAIN_ADVICE_H_

#include "rapport/notes/v1/review.pb.h"
#include "services/notes/domain/case_file.h"

namespace rapport::notes {

// What the rules say on whether IPT suits (clinical rule 4.8). Reads of the file: record, course,
// entries, determinations, screens, progress, alerts, unavailable_sources.
//
//   findings   A clinician's newest evidence on a criterion decides it, unless it says "not there"
//              and a newer record points to it: then it is INDICATED. Records alone indicate; of
//              a couple the screens of both settle what they ask about.
//   direction  Trial exclusions and what points both ways are told and never reckoned with.
//   outcome    Other care first, where anything of that sort is present or indicated; not suitable,
//              where conjoint work is ruled out or what IPT needs is absent; nothing, where a
//              criterion that decides is not known, or scores and alerts could not be asked for;
//              else adapt or combine, where anything of that sort holds; else suitable.
v1::SuitabilityAdvice AdviseOnSuitability(const CaseFile& file, const v1::SuitabilityRules& rules);

}  // namespace rapport::notes

#endif  // RAPPORT_SERVICES_NOTES_DOMAIN_ADVICE_H_
