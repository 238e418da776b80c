#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/telemetry/log.h"
#include "tools/rapportctl/commands.h"

namespace rapport::ctl {
namespace {

std::string Usage() {
  std::string usage = "rapportctl COMMAND [WORDS] [--flags]\n\nCommands:\n";
  for (const Command& command : Commands()) {
    absl::StrAppendFormat(&usage, "  %-38s %s\n", absl::StrCat(command.name, " ", command.words),
                          command.help);
  }
  return usage;
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
  absl::SetProgramUsageMessage(Usage());
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  telemetry::SetService("rapportctl");
  Words words(rest.begin() + 1, rest.end());
  const Command* command = Find(words);
  if (command == nullptr) {
    std::fputs(Usage().c_str(), stderr);
    return 2;
  }
  const absl::Status status = command->run(words);
  if (status.ok()) return 0;
  std::fprintf(stderr, "rapportctl %s: %s\n", std::string(command->name).c_str(),
               Describe(status).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

}  // namespace
}  // namespace rapport::ctl

int main(int argc, char** argv) { return rapport::ctl::Main(argc, argv); }
