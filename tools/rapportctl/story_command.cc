#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/errors/status_macros.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/story/expectations.h"
#include "tools/rapportctl/story/player.h"
#include "tools/rapportctl/story/record.h"
#include "tools/rapportctl/story/report.h"
#include "tools/rapportctl/story/story_file.h"

ABSL_FLAG(std::string, clock_file, "",
          "The services' --development_clock_file; moved to each step's instant.");
ABSL_FLAG(
    std::string, suffix, "",
    "Appended to the story's id to name its organisation; another for each play on one suite.");
ABSL_FLAG(bool, check, true, "Fail where the course comes out otherwise than the story expects.");
ABSL_FLAG(bool, ascii, false, "Draw charts in plain ASCII.");

namespace rapport::ctl {

absl::Status StoryPlay(const Words& words) {
  if (words.size() != 1) return absl::InvalidArgumentError("usage: rapportctl story play FILE");
  const std::string clock_file = absl::GetFlag(FLAGS_clock_file);
  if (clock_file.empty()) {
    return absl::InvalidArgumentError(
        "--clock_file is needed: the services' --development_clock_file");
  }
  ASSIGN_OR_RETURN(const story::Story told, story::LoadStory(words[0]));
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  story::Player player(*caller, story::FileClock(clock_file),
                       {.suffix = absl::GetFlag(FLAGS_suffix),
                        .between_steps = nullptr,
                        .tell = [](absl::string_view line) {
                          std::fprintf(stderr, "%s\n", std::string(line).c_str());
                        }});
  ASSIGN_OR_RETURN(const story::Outcome outcome, player.Play(told));
  if (!told.has_treatment()) {
    std::printf("%s: %d steps, all as told.\n", told.title().c_str(), outcome.steps);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const story::CourseRecord record,
                   story::Gather(*caller, outcome.therapist, outcome.course, outcome.case_file));
  std::fputs(
      story::Render(record, {.title = told.title(), .ascii = absl::GetFlag(FLAGS_ascii)}).c_str(),
      stdout);
  if (!absl::GetFlag(FLAGS_check)) return absl::OkStatus();

  std::vector<std::string> differences = outcome.differences;
  for (std::string& difference :
       story::Differences(told.expect(), record.progress, outcome.after_session)) {
    differences.push_back(std::move(difference));
  }
  for (const std::string& difference : differences) {
    std::fprintf(stderr, "not as told: %s\n", difference.c_str());
  }
  if (differences.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(differences.size(), " of the story's expectations were not met"));
}

}  // namespace rapport::ctl
