#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/telemetry/log.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/contexts.h"
#include "tools/rapportctl/describe.h"
#include "tools/rapportctl/resource/help.h"

namespace rapport::ctl {

constexpr size_t kLeft = 42;  // columns of a command and its words

std::string Usage() {
  std::string usage =
      "rapportctl NOUN VERB [NAME] [path=value …] [--flags]   any RPC; see `rapportctl help`\n"
      "rapportctl COMMAND [WORDS] [--flags]\n\nCommands:\n";
  for (const Command& command : Commands()) {
    std::string left = absl::StrCat(command.name, " ", command.words);
    const auto columns = static_cast<size_t>(std::count_if(left.begin(), left.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
    left.append(kLeft - std::min(kLeft, columns), ' ');
    absl::StrAppend(&usage, "  ", left, " ", command.help, "\n");
  }
  return usage;
}

namespace {

// The names of the flags on the command line.
std::set<std::string> GivenFlags(int argc, char** argv) {
  std::set<std::string> given;
  for (int i = 1; i < argc; ++i) {
    absl::string_view word = argv[i];
    if (!absl::ConsumePrefix(&word, "-")) continue;
    absl::ConsumePrefix(&word, "-");
    given.emplace(word.substr(0, word.find('=')));
  }
  return given;
}

// The command whose name the words begin with; null: none.
const Command* Find(Words& words) {
  for (const Command& command : Commands()) {
    const Words name = absl::StrSplit(command.name, ' ');
    if (words.size() >= name.size() && std::equal(name.begin(), name.end(), words.begin())) {
      words.erase(words.begin(), words.begin() + static_cast<long>(name.size()));
      return &command;
    }
  }
  return nullptr;
}

int Main(int argc, char** argv) {
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) {
    return absl::StrContains(file, "tools/rapportctl") || absl::StrContains(file, "common/");
  };
  absl::SetFlagsUsageConfig(usage);
  absl::SetProgramUsageMessage(Usage());
  const std::set<std::string> given = GivenFlags(argc, argv);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  telemetry::SetService("rapportctl");
  Words words(rest.begin() + 1, rest.end());
  absl::Status status = ApplyContext(given);
  std::string name = "context";
  if (status.ok()) {
    if (const Command* command = Find(words)) {
      name = std::string(command->name);
      status = command->run(words);
    } else if (const Verb* verb = words.size() > 1 ? FindVerb(words[0], words[1]) : nullptr) {
      name = absl::StrCat(verb->noun, " ", verb->verb);
      status = RunVerb(*verb, Words(words.begin() + 2, words.end()));
    } else if (!words.empty() && IsNoun(words[0])) {
      std::fputs(HelpOfNoun(words[0]).c_str(), stderr);
      return 2;
    } else {
      std::fputs(Usage().c_str(), stderr);
      return 2;
    }
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "rapportctl %s: %s\n", name.c_str(), Describe(status).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

}  // namespace
}  // namespace rapport::ctl

int main(int argc, char** argv) { return rapport::ctl::Main(argc, argv); }
