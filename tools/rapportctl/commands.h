#ifndef RAPPORT_TOOLS_RAPPORTCTL_COMMANDS_H_
#define RAPPORT_TOOLS_RAPPORTCTL_COMMANDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/rapportctl/grpc_caller.h"

// The commands of rapportctl. Each takes the words after its own name and returns what went wrong;
// flags are read from absl flags.
namespace rapport::ctl {

using Words = std::vector<std::string>;

struct Command {
  absl::string_view name;   // "story play"
  absl::string_view words;  // "FILE"
  absl::string_view help;
  absl::Status (*run)(const Words&);
};

const std::vector<Command>& Commands();

absl::Status KeysGenerate(const Words& words);
absl::Status Token(const Words& words);
absl::Status CallMethod(const Words& words);
absl::Status OrganizationBootstrap(const Words& words);
absl::Status Migrate(const Words& words);
absl::Status WaitForSchema(const Words& words);
absl::Status EventsRetry(const Words& words);
absl::Status CaseSummary(const Words& words);
absl::Status CaseBooklet(const Words& words);
absl::Status CaseFhir(const Words& words);
absl::Status AuditVerify(const Words& words);
absl::Status OutcomesRebuild(const Words& words);
absl::Status StoryPlay(const Words& words);
absl::Status Openings(const Words& words);
absl::Status Series(const Words& words);
absl::Status ScoreForms(const Words& words);
absl::Status InstrumentsUnconfirmed(const Words& words);

// A caller to the targets and with the development key that the flags name.
absl::StatusOr<std::unique_ptr<GrpcCaller>> CallerFromFlags();

// The identity that --subject, --organization and --roles name.
Identity IdentityFromFlags();

// "CODE reason: message" with the wrong fields, a line each.
std::string Describe(const absl::Status& status);

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_COMMANDS_H_
