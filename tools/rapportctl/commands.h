#ifndef RAPPORT_TOOLS_RAPPORTCTL_COMMANDS_H_
#define RAPPORT_TOOLS_RAPPORTCTL_COMMANDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/rapportctl/grpc_caller.h"
#include "tools/rapportctl/resource/tree.h"

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
std::string Usage();

// Calls the RPC of `verb` with the request that `words` and the flags make, and writes its answer.
absl::Status RunVerb(const Verb& verb, const Words& words);
absl::Status Help(const Words& words);
absl::Status PrintCompletion(const Words& words);
absl::Status PrintManual(const Words& words);
absl::Status ContextList(const Words& words);
absl::Status ContextUse(const Words& words);
absl::Status ContextSet(const Words& words);
// What is wrong with the installation that the flags name, and how to mend it.
absl::Status Doctor(const Words& words);

absl::Status KeysGenerate(const Words& words);
absl::Status Token(const Words& words);
absl::Status Health(const Words& words);
absl::Status CallMethod(const Words& words);
absl::Status OrganizationBootstrap(const Words& words);
absl::Status Migrate(const Words& words);
absl::Status WaitForSchema(const Words& words);
absl::Status EventsRetry(const Words& words);
absl::Status CaseSummary(const Words& words);
absl::Status CaseBooklet(const Words& words);
absl::Status AuditFhir(const Words& words);
absl::Status AuditVerify(const Words& words);
absl::Status OutcomesRebuild(const Words& words);
absl::Status StoryPlay(const Words& words);
absl::Status Openings(const Words& words);
absl::Status Series(const Words& words);
absl::Status ScoreForms(const Words& words);
absl::Status InstrumentsUnconfirmed(const Words& words);
absl::Status ImportFile(const Words& words);
absl::Status ExportDataTo(const Words& words);
absl::Status ExportVerify(const Words& words);
absl::Status ExportFhir(const Words& words);
absl::Status ExportOutcomes(const Words& words);
absl::Status ExportCalendar(const Words& words);
absl::Status SeedNetwork(const Words& words);
absl::Status PrintAgenda(const Words& words);
absl::Status PrintChart(const Words& words);

// A caller to the targets that the flags name, with tokens of --token_command, --token_file or the
// development key in --keys_dir, the first of them that is given.
absl::StatusOr<std::unique_ptr<GrpcCaller>> CallerFromFlags();

// A whole resource name of what was typed: an id of `collection` ("thea", "clinicians"), or a name
// that may lack its organisation ("clinicians/thea"), which is then that of --organization.
std::string WholeName(const std::string& word, absl::string_view collection);

// The identity that --subject, --organization and --roles name.
Identity IdentityFromFlags();

}  // namespace rapport::ctl

#endif  // RAPPORT_TOOLS_RAPPORTCTL_COMMANDS_H_
