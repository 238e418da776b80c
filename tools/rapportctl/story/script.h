#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_SCRIPT_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_SCRIPT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/rapportctl/story/stage.h"
#include "tools/rapportctl/story/story.pb.h"

namespace rapport::story {

// One call, or one wait for what another service learns by event.
struct Step {
  absl::Time at;     // by the domain clock
  std::string what;  // "session 6: phq-9 filled in"; no patient text

  // Exactly one of the two. A wait answers whether what it waits for is there; NOT_FOUND and
  // UNAVAILABLE mean "not yet".
  std::function<absl::Status(Stage&)> call;
  std::function<absl::StatusOr<bool>(Stage&)> wait;

  // What to tell whoever looks on once the step is done; mostly unset.
  std::function<std::string(const Stage&)> tell;
};

// The steps of a story by time; those of one instant in the order in which a clinician would take
// them. They refer to the story, which must outlive them, and to `holds`.
struct Script {
  std::vector<Step> steps;
  std::shared_ptr<const void> holds;
};

//   kInvalidArgument  a time that can't be read, or that is out of order; names the field
absl::StatusOr<Script> BuildScript(const Story& story);

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_SCRIPT_H_
