#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_PLAYER_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_PLAYER_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rapport/assessment/v1/progress.pb.h"
#include "tools/rapportctl/caller.h"
#include "tools/rapportctl/story/story.pb.h"

namespace rapport::story {

// Moves the development clock.
using ClockWriter = std::function<absl::Status(absl::Time)>;

// Writes the instant into `path` in RFC 3339, by renaming a new file into place.
ClockWriter FileClock(absl::string_view path);

// Called after each step with its number, from 1, and what it was: the place to kill a service.
using BetweenSteps = std::function<void(int step, absl::string_view what)>;

struct PlayerOptions {
  // Appended to the story's id to make the organisation's: lower-case letters, digits and hyphens,
  // at most 20. Another for each play on the same data; the same repeats a play.
  std::string suffix;
  BetweenSteps between_steps;
  // One line for each session as it is played.
  std::function<void(absl::string_view)> tell;
  // How often and how long, by the real clock, a wait asks.
  absl::Duration poll_interval = absl::Milliseconds(20);
  absl::Duration patience = absl::Seconds(20);
};

// What has come of a play; enough to gather the report.
struct Outcome {
  std::string organization_id;
  std::string course;     // name
  std::string case_file;  // name
  ctl::Identity therapist;
  int steps = 0;
  // Progress as it was told right after the sessions that the story's expectations name.
  std::map<int, assessment::v1::Progress> after_session;
  // Where alerts went another way than the story foresaw; empty when all is well.
  std::vector<std::string> differences;
};

// Plays stories against the suite: moves the development clock to each step's instant and makes its
// call. Each change bears the request id "<organisation>-<step number>", so that a repeat after a
// lost answer changes nothing.
class Player {
 public:
  Player(ctl::Caller& caller, ClockWriter clock, PlayerOptions options);

  // Errors are those of the step that failed, with its number and what it was in front;
  // DEADLINE_EXCEEDED where a wait's patience ended.
  absl::StatusOr<Outcome> Play(const Story& story);

 private:
  ctl::Caller& caller_;
  const ClockWriter clock_;
  const PlayerOptions options_;
};

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_PLAYER_H_
