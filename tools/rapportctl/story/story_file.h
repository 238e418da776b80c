#ifndef RAPPORT_TOOLS_RAPPORTCTL_STORY_STORY_FILE_H_
#define RAPPORT_TOOLS_RAPPORTCTL_STORY_STORY_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "google/type/date.pb.h"
#include "rapport/assessment/v1/assessment.pb.h"
#include "rapport/assessment/v1/social_rhythm.pb.h"
#include "tools/rapportctl/story/story.pb.h"

// Reading stories. Every error is kInvalidArgument and names the field, as "sessions[5].start".
namespace rapport::story {

// The story in the text-format file `path`, checked.
//   kNotFound  there is no such file, or it can't be read
absl::StatusOr<Story> LoadStory(absl::string_view path);

// The story in `text`, checked. Syntax errors name line and column.
absl::StatusOr<Story> ParseStory(absl::string_view text);

// Whether the parts of a story fit together: ids that are used exist, sessions are numbered and in
// order, each is of the series or booked apart, answers are digits. Times are checked by
// BuildScript.
absl::Status CheckStory(const Story& story);

// "2026-02-16 17:00".
absl::StatusOr<absl::CivilMinute> ParseLocal(absl::string_view text, absl::string_view field);

// "2026-02-16".
absl::StatusOr<absl::CivilDay> ParseDay(absl::string_view text, absl::string_view field);

// "09:00" in minutes since midnight; "24:00" is 1,440.
absl::StatusOr<int> ParseTimeOfDay(absl::string_view text, absl::string_view field);

// "2026-02-16 17:00", as stories write it.
std::string FormatLocal(absl::CivilMinute local);

// One answer per character; '-' is an item without a value. `digits` has been checked.
std::vector<assessment::v1::Answer> Answers(absl::string_view digits);

// What was done on a day of a diary, as Diary.days has it.
absl::StatusOr<std::vector<assessment::v1::RhythmEntry>> DiaryDay(absl::string_view text,
                                                                  absl::string_view field);

// The local starts of the series, in order.
absl::StatusOr<std::vector<absl::CivilMinute>> SeriesStarts(const Story& story);

// The clinician of the story with `id`; null: none.
const Clinician* FindClinician(const Story& story, absl::string_view id);

// The wall clock by which a story is told: that of the clinic of treatment.
class Calendar {
 public:
  static absl::StatusOr<Calendar> Make(const Story& story);

  absl::TimeZone zone() const { return zone_; }

  // The instant of the local time `text`.
  absl::StatusOr<absl::Time> At(absl::string_view text, absl::string_view field) const;

  // The instant of `text`: a local time, "18:40" on the local day of `base`, or a span that counts
  // from `base`. Empty: `otherwise` from `base`.
  absl::StatusOr<absl::Time> At(absl::string_view text, absl::Time base, absl::Duration otherwise,
                                absl::string_view field) const;

 private:
  explicit Calendar(absl::TimeZone zone) : zone_(zone) {}

  absl::TimeZone zone_;
};

}  // namespace rapport::story

#endif  // RAPPORT_TOOLS_RAPPORTCTL_STORY_STORY_FILE_H_
