#ifndef RAPPORT_TOOLS_RAPPORTCTL_FACTS_H_
#define RAPPORT_TOOLS_RAPPORTCTL_FACTS_H_

#include <string>

#include "services/assessment/domain/instruments.h"

namespace rapport::ctl {

// A Markdown page of the facts of the newest instruments that nobody has confirmed yet: quoted from
// memory, disputed between sources, or the suite's own defaults. For the clinician who confirms
// them; services/assessment/data/UNCONFIRMED.md is this page of the shipped instruments.
std::string UnconfirmedFacts(const assessment::Catalogue& catalogue);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_FACTS_H_
