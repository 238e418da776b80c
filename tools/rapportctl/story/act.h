#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_ACT_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_ACT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "tools/rapportctl/story/stage.h"
#include "tools/rapportctl/story/story.pb.h"

// Acts of a story: calls told as text.
namespace rapport::story {

// The method exists, its request can be parsed but for what stands in `${…}`, who makes it exists.
//   kInvalidArgument  naming `field` of the story
absl::Status CheckAct(const Story& story, const Act& act, absl::string_view field);

// Makes the call. An answer that is not as told, or a refusal that is not, is kFailedPrecondition
// and says what came instead.
absl::Status Perform(Stage& stage, const Act& act);

// For acts that wait: whether the answer shows what it must by now.
absl::StatusOr<bool> Ask(Stage& stage, const Act& act);

// The field of `message` at `path` as text; "" where it is unset.
//   kInvalidArgument  there is no such field
absl::StatusOr<std::string> FieldText(const google::protobuf::Message& message,
                                      absl::string_view path);

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_ACT_H_
