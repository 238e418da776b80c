#ifndef RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_HELP_H_
#define RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_HELP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/rapportctl/resource/tree.h"

namespace rapport::ctl {

// A command that is not an RPC, as help, completion and the manual tell of it.
struct OwnCommand {
  std::string name;   // "story play"
  std::string words;  // "FILE"
  std::string help;
};

struct FlagHelp {
  std::string name;
  std::string help;
};

// "course", its verbs with a sentence each.
std::string HelpOfNoun(absl::string_view noun);

// One RPC: what the proto says of it, what it demands, its fields.
std::string HelpOfVerb(const Verb& verb);

// All nouns with their verbs, a line each.
std::string Nouns();

// A completion script of commands, nouns, verbs, fields and flags for "bash" or "zsh";
// INVALID_ARGUMENT: another shell.
absl::StatusOr<std::string> Completion(absl::string_view shell,
                                       const std::vector<OwnCommand>& commands,
                                       const std::vector<FlagHelp>& flags);

// rapportctl(1) in man's own language.
std::string Manual(const std::vector<OwnCommand>& commands, const std::vector<FlagHelp>& flags);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_RESOURCE_HELP_H_
