#ifndef RAPPORT_TOOLS_RAPPORTCTL_CONTEXTS_H_
#define RAPPORT_TOOLS_RAPPORTCTL_CONTEXTS_H_

#include <set>
#include <string>

#include "absl/status/status.h"

namespace rapport::ctl {

// Contexts: flags kept under a name, so that they need not be given each time, in a file of JSON
// (RAPPORT_CONFIG, or rapport/config.json in the user's configuration directory):
//
//   {"context": "riverside",
//    "contexts": {"riverside": {"organization": "riverside", "token_command": "get-token",
//                               "scheduling_target": "scheduling.example:7401"}}}
//
// Sets the flags of --context, or of the file's own context, but those in `given` (names of flags
// on the command line). INVALID_ARGUMENT: a context or a flag that is not there, a value that does
// not fit, a file that is not JSON. No file and no --context: nothing.
absl::Status ApplyContext(const std::set<std::string>& given);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_CONTEXTS_H_
