#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_EXPECTATIONS_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_EXPECTATIONS_H_

#include <map>
#include <string>
#include <vector>

#include "rapport/assessment/v1/progress.pb.h"
#include "tools/rapportctl/story/story.pb.h"

namespace rapport::story {

// In what `progress`, and the progress told right after single sessions (by number), differ from
// what a story expects; empty when in nothing. Each difference is one readable line, as "phq-9:
// RESPONSE was reached at session 11, not 12".
std::vector<std::string> Differences(const Expect& expect, const assessment::v1::Progress& progress,
                                     const std::map<int, assessment::v1::Progress>& after_session);

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_EXPECTATIONS_H_
