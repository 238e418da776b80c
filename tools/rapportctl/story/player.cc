#include "tools/rapportctl/story/player.h"

#include <cstdio>
#include <fstream>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "tools/rapportctl/story/script.h"
#include "tools/rapportctl/story/stage.h"

namespace rapport::story {
namespace {

absl::Status InFront(const absl::Status& status, absl::string_view text) {
  absl::Status result(status.code(), absl::StrCat(text, ": ", status.message()));
  status.ForEachPayload([&result](absl::string_view type, const absl::Cord& payload) {
    result.SetPayload(type, payload);
  });
  return result;
}

absl::Status Perform(const Step& step, Stage& stage, const PlayerOptions& options) {
  if (step.call) return step.call(stage);
  stage.waiting_for.clear();
  const absl::Time patience_ends = absl::Now() + options.patience;
  while (true) {
    const absl::StatusOr<bool> there = step.wait(stage);
    if (there.ok() && *there) return absl::OkStatus();
    if (!there.ok() && !absl::IsNotFound(there.status()) && !absl::IsUnavailable(there.status())) {
      return there.status();
    }
    if (absl::Now() >= patience_ends) {
      return absl::DeadlineExceededError(
          absl::StrCat("waited ", absl::FormatDuration(options.patience), "; ",
                       there.ok() ? stage.waiting_for : std::string(there.status().message())));
    }
    absl::SleepFor(options.poll_interval);
  }
}

}  // namespace

ClockWriter FileClock(absl::string_view path) {
  return [path = std::string(path)](absl::Time instant) -> absl::Status {
    const std::string next = absl::StrCat(path, ".next");
    std::ofstream file(next, std::ios::trunc);
    file << absl::FormatTime(absl::RFC3339_full, instant, absl::UTCTimeZone()) << "\n";
    file.close();
    if (!file || std::rename(next.c_str(), path.c_str()) != 0) {
      return errors::Internal(absl::StrCat("The development clock ", path, " can't be written."));
    }
    return absl::OkStatus();
  };
}

Player::Player(ctl::Caller& caller, ClockWriter clock, PlayerOptions options)
    : caller_(caller), clock_(std::move(clock)), options_(std::move(options)) {}

absl::StatusOr<Outcome> Player::Play(const Story& story) {
  ASSIGN_OR_RETURN(const Script script, BuildScript(story));
  const std::string organization =
      options_.suffix.empty() ? story.id() : absl::StrCat(story.id(), "-", options_.suffix);
  Stage stage(caller_, organization);
  absl::Time clock = absl::InfinitePast();
  int number = 0;
  for (const Step& step : script.steps) {
    ++number;
    stage.request_id = absl::StrCat(organization, "-", number);
    if (step.at > clock) {
      clock = step.at;
      RETURN_IF_ERROR(clock_(clock));
    }
    if (absl::Status status = Perform(step, stage, options_); !status.ok()) {
      return InFront(
          status, absl::StrCat("step ", number, " of ", script.steps.size(), " (", step.what, ")"));
    }
    if (step.tell && options_.tell) options_.tell(step.tell(stage));
    if (options_.between_steps) options_.between_steps(number, step.what);
  }
  Outcome outcome;
  outcome.organization_id = organization;
  outcome.course = stage.course;
  outcome.case_file = stage.case_file;
  outcome.therapist = stage.Clinician(story.treatment().clinician());
  outcome.steps = number;
  outcome.after_session = std::move(stage.after_session);
  outcome.differences = std::move(stage.differences);
  return outcome;
}

}  // namespace rapport::story
