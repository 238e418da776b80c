#include "tools/rapportctl/story/story_file.h"

#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/time/convert.h"
#include "common/time/zones.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "tools/rapportctl/story/act.h"

namespace rapport::story {
namespace {

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (text.empty())
      text = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }

  std::string text;
};

bool IsStoryId(absl::string_view id) {
  if (id.empty() || id.size() > 40 || !absl::ascii_islower(static_cast<unsigned char>(id[0])) ||
      id.back() == '-') {
    return false;
  }
  for (char c : id) {
    const auto u = static_cast<unsigned char>(c);
    if (!absl::ascii_islower(u) && !absl::ascii_isdigit(u) && c != '-') return false;
  }
  return true;
}

// Remembers the ids of a kind and checks references to them.
class Ids {
 public:
  explicit Ids(absl::string_view kind) : kind_(kind) {}

  absl::Status Add(absl::string_view id, absl::string_view field) {
    if (!IsStoryId(id)) {
      return errors::InvalidArgument(field, "an id has 1 to 40 letters, digits and hyphens");
    }
    if (!known_.insert(std::string(id)).second) {
      return errors::InvalidArgument(field, absl::StrCat("'", id, "' is taken"));
    }
    return absl::OkStatus();
  }

  absl::Status Check(absl::string_view id, absl::string_view field) const {
    if (known_.count(std::string(id)) > 0) return absl::OkStatus();
    return errors::InvalidArgument(field, absl::StrCat("the story has no ", kind_, " '", id, "'"));
  }

 private:
  std::string kind_;
  std::set<std::string> known_;
};

std::string Index(absl::string_view field, int index) {
  return absl::StrCat(field, "[", index, "]");
}

absl::Status CheckHandling(const AlertHandling& handling, const Ids& clinicians,
                           absl::string_view field) {
  if (!handling.owner().empty()) {
    RETURN_IF_ERROR(clinicians.Check(handling.owner(), absl::StrCat(field, ".owner")));
  }
  if (handling.resolved().empty()) return absl::OkStatus();
  if (handling.acknowledged().empty()) {
    return errors::InvalidArgument(absl::StrCat(field, ".acknowledged"),
                                   "an alert is acknowledged before it is resolved");
  }
  if (handling.contacts().empty()) {
    return errors::InvalidArgument(absl::StrCat(field, ".contacts"),
                                   "when was the patient reached, or tried?");
  }
  return ParseDay(handling.next_check(), absl::StrCat(field, ".next_check")).status();
}

absl::Status CheckForm(const Form& form, const Ids& clinicians, absl::string_view field) {
  if (form.instrument().empty()) {
    return errors::InvalidArgument(absl::StrCat(field, ".instrument"), "which questionnaire?");
  }
  const bool digits = form.answers().find_first_not_of("0123456789-") == std::string::npos;
  if (form.answers().empty() != form.has_total_only() || !digits) {
    return errors::InvalidArgument(absl::StrCat(field, ".answers"),
                                   "a digit for each item, '-' for one left out; or a total alone");
  }
  if (form.has_alert()) {
    RETURN_IF_ERROR(CheckHandling(form.alert(), clinicians, absl::StrCat(field, ".alert")));
  }
  return absl::OkStatus();
}

absl::Status CheckSessions(const Story& story, const Ids& clinicians) {
  ASSIGN_OR_RETURN(const auto series, SeriesStarts(story));
  const std::set<absl::CivilMinute> of_series(series.begin(), series.end());
  std::set<std::string> goals;
  int number = 0;
  absl::CivilMinute counted_anew = absl::CivilMinute::max();
  if (story.has_maintenance()) {
    ASSIGN_OR_RETURN(counted_anew, ParseLocal(story.maintenance().begun(), "maintenance.begun"));
  }
  absl::CivilMinute previous(absl::CivilYear(1));
  for (int i = 0; i < story.sessions_size(); ++i) {
    const Session& session = story.sessions(i);
    const std::string field = Index("sessions", i);
    ASSIGN_OR_RETURN(const absl::CivilMinute start,
                     ParseLocal(session.start(), absl::StrCat(field, ".start")));
    if (start <= previous) {
      return errors::InvalidArgument(absl::StrCat(field, ".start"), "sessions stand in order");
    }
    if (previous < counted_anew && start >= counted_anew) number = 0;
    previous = start;
    if (session.booked().empty() && of_series.count(start) == 0) {
      return errors::InvalidArgument(absl::StrCat(field, ".booked"),
                                     "not of the series: when was it booked?");
    }
    const bool attended =
        session.attendance() == ATTENDED || session.attendance() == ATTENDANCE_UNSPECIFIED;
    if (attended ? session.number() != ++number : session.number() != 0) {
      return errors::InvalidArgument(
          absl::StrCat(field, ".number"),
          attended ? absl::StrCat("this is session ", number) : "only attended sessions have one");
    }
    for (int f = 0; f < session.forms_size(); ++f) {
      RETURN_IF_ERROR(
          CheckForm(session.forms(f), clinicians, Index(absl::StrCat(field, ".forms"), f)));
    }
    if (session.has_missed_alert()) {
      RETURN_IF_ERROR(
          CheckHandling(session.missed_alert(), clinicians, absl::StrCat(field, ".missed_alert")));
    }
    for (int g = 0; g < session.goals_size(); ++g) {
      const bool first = goals.insert(session.goals(g).id()).second;
      if (!first && session.goals(g).reason().empty()) {
        return errors::InvalidArgument(
            absl::StrCat(Index(absl::StrCat(field, ".goals"), g), ".reason"),
            "why is the goal revised?");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::CivilMinute> ParseLocal(absl::string_view text, absl::string_view field) {
  absl::CivilMinute local;
  std::string iso(text);
  if (iso.size() == 16 && iso[10] == ' ') {
    iso[10] = 'T';
    if (absl::ParseCivilTime(iso, &local)) return local;
  }
  return errors::InvalidArgument(field, "a local time, as \"2026-02-16 17:00\"");
}

absl::StatusOr<absl::CivilDay> ParseDay(absl::string_view text, absl::string_view field) {
  absl::CivilDay day;
  if (text.size() == 10 && absl::ParseCivilTime(text, &day)) return day;
  return errors::InvalidArgument(field, "a date, as \"2026-02-16\"");
}

absl::StatusOr<int> ParseTimeOfDay(absl::string_view text, absl::string_view field) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int hours = 0;
  int minutes = 0;
  if (text.size() == 5 && parts.size() == 2 && absl::SimpleAtoi(parts[0], &hours) &&
      absl::SimpleAtoi(parts[1], &minutes) && hours >= 0 && minutes >= 0 && minutes < 60 &&
      hours * 60 + minutes <= 24 * 60) {
    return hours * 60 + minutes;
  }
  return errors::InvalidArgument(field, "a time of day, as \"09:00\"");
}

std::string FormatLocal(absl::CivilMinute local) {
  return absl::StrFormat("%04d-%02d-%02d %02d:%02d", local.year(), local.month(), local.day(),
                         local.hour(), local.minute());
}

std::vector<assessment::v1::Answer> Answers(absl::string_view digits) {
  std::vector<assessment::v1::Answer> answers;
  for (char digit : digits) {
    assessment::v1::Answer& answer = answers.emplace_back();
    answer.set_item(static_cast<int>(answers.size()));
    if (digit != '-') answer.set_value(digit - '0');
  }
  return answers;
}

absl::StatusOr<std::vector<assessment::v1::RhythmEntry>> DiaryDay(absl::string_view text,
                                                                  absl::string_view field) {
  std::vector<assessment::v1::RhythmEntry> entries;
  int activity = 0;
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    ++activity;
    if (word == "-") continue;
    ASSIGN_OR_RETURN(const int minutes, ParseTimeOfDay(word, field));
    assessment::v1::RhythmEntry& entry = entries.emplace_back();
    entry.set_activity(activity);
    *entry.mutable_time() = time::ToTimeOfDay(minutes);
  }
  return entries;
}

absl::StatusOr<std::vector<absl::CivilMinute>> SeriesStarts(const Story& story) {
  std::vector<absl::CivilMinute> starts;
  if (!story.treatment().has_series()) return starts;
  const Series& series = story.treatment().series();
  ASSIGN_OR_RETURN(const absl::CivilMinute first,
                   ParseLocal(series.first(), "treatment.series.first"));
  const int days = series.every_days() == 0 ? 7 : series.every_days();
  for (int i = 0; i < series.count(); ++i) {
    const absl::CivilDay day = absl::CivilDay(first) + i * days;
    starts.emplace_back(day.year(), day.month(), day.day(), first.hour(), first.minute());
  }
  return starts;
}

const Clinician* FindClinician(const Story& story, absl::string_view id) {
  for (const Clinician& clinician : story.clinicians()) {
    if (clinician.id() == id) return &clinician;
  }
  return nullptr;
}

absl::Status CheckStory(const Story& story) {
  if (!IsStoryId(story.id())) {
    return errors::InvalidArgument("id", "1 to 40 lower-case letters, digits and hyphens");
  }
  Ids clinics("clinic");
  for (int i = 0; i < story.clinics_size(); ++i) {
    const std::string field = Index("clinics", i);
    RETURN_IF_ERROR(clinics.Add(story.clinics(i).id(), absl::StrCat(field, ".id")));
    if (!time::IsZone(story.clinics(i).time_zone())) {
      return errors::InvalidArgument(absl::StrCat(field, ".time_zone"), "an IANA time zone");
    }
  }
  Ids clinicians("clinician");
  for (int i = 0; i < story.clinicians_size(); ++i) {
    const Clinician& clinician = story.clinicians(i);
    const std::string field = Index("clinicians", i);
    RETURN_IF_ERROR(clinicians.Add(clinician.id(), absl::StrCat(field, ".id")));
    for (const std::string& clinic : clinician.clinics()) {
      RETURN_IF_ERROR(clinics.Check(clinic, absl::StrCat(field, ".clinics")));
    }
    for (int h = 0; h < clinician.hours_size(); ++h) {
      const Hours& hours = clinician.hours(h);
      const std::string path = Index(absl::StrCat(field, ".hours"), h);
      RETURN_IF_ERROR(ParseTimeOfDay(hours.from(), absl::StrCat(path, ".from")).status());
      RETURN_IF_ERROR(ParseTimeOfDay(hours.until(), absl::StrCat(path, ".until")).status());
      if (!hours.clinic().empty()) {
        RETURN_IF_ERROR(clinics.Check(hours.clinic(), absl::StrCat(path, ".clinic")));
      }
    }
    if (!clinician.licence_until().empty()) {
      RETURN_IF_ERROR(
          ParseDay(clinician.licence_until(), absl::StrCat(field, ".licence_until")).status());
    }
  }
  for (const std::string& id : story.organization().duty_list()) {
    RETURN_IF_ERROR(clinicians.Check(id, "organization.duty_list"));
  }
  for (const Clinic& clinic : story.clinics()) {
    for (const std::string& id : clinic.duty_list()) {
      RETURN_IF_ERROR(clinicians.Check(id, "clinics.duty_list"));
    }
  }
  if (story.has_treatment()) {
    RETURN_IF_ERROR(clinicians.Check(story.treatment().clinician(), "treatment.clinician"));
    RETURN_IF_ERROR(clinics.Check(story.treatment().clinic(), "treatment.clinic"));
  } else if (story.acts().empty() || story.clinics().empty() || !story.sessions().empty()) {
    return errors::InvalidArgument("treatment", "a story without it has a clinic and acts alone");
  }
  for (int i = 0; i < story.acts_size(); ++i) {
    RETURN_IF_ERROR(CheckAct(story, story.acts(i), Index("acts", i)));
  }
  for (int i = 0; i < story.leaves_size(); ++i) {
    const Leave& leave = story.leaves(i);
    const std::string field = Index("leaves", i);
    RETURN_IF_ERROR(clinicians.Check(leave.clinician(), absl::StrCat(field, ".clinician")));
    if (!leave.cover().empty()) {
      RETURN_IF_ERROR(clinicians.Check(leave.cover(), absl::StrCat(field, ".cover")));
    }
  }
  for (int i = 0; i < story.diaries_size(); ++i) {
    const std::string field = Index("diaries", i);
    RETURN_IF_ERROR(ParseDay(story.diaries(i).first(), absl::StrCat(field, ".first")).status());
    for (int d = 0; d < story.diaries(i).days_size(); ++d) {
      RETURN_IF_ERROR(
          DiaryDay(story.diaries(i).days(d), Index(absl::StrCat(field, ".days"), d)).status());
    }
  }
  return CheckSessions(story, clinicians);
}

absl::StatusOr<Story> ParseStory(absl::string_view text) {
  Story story;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &story)) {
    return errors::InvalidArgument("story", error.text);
  }
  RETURN_IF_ERROR(CheckStory(story));
  return story;
}

absl::StatusOr<Story> LoadStory(absl::string_view path) {
  std::ifstream file{std::string(path)};
  if (!file) return absl::NotFoundError(absl::StrCat("No story can be read at ", path, "."));
  std::ostringstream text;
  text << file.rdbuf();
  return ParseStory(text.str());
}

absl::StatusOr<Calendar> Calendar::Make(const Story& story) {
  for (const Clinic& clinic : story.clinics()) {
    if (story.has_treatment() && clinic.id() != story.treatment().clinic()) continue;
    ASSIGN_OR_RETURN(const absl::TimeZone zone, time::LoadZone(clinic.time_zone()));
    return Calendar(zone);
  }
  return errors::InvalidArgument("treatment.clinic", "the story has no such clinic");
}

absl::StatusOr<absl::Time> Calendar::At(absl::string_view text, absl::string_view field) const {
  ASSIGN_OR_RETURN(const absl::CivilMinute local, ParseLocal(text, field));
  return time::ResolveLocal(absl::CivilSecond(local), zone_);
}

absl::StatusOr<absl::Time> Calendar::At(absl::string_view text, absl::Time base,
                                        absl::Duration otherwise, absl::string_view field) const {
  if (text.empty()) return base + otherwise;
  absl::Duration span;
  if (absl::ParseDuration(text, &span)) return base + span;
  if (text.size() == 5) {
    ASSIGN_OR_RETURN(const int minutes, ParseTimeOfDay(text, field));
    const absl::CivilDay day = absl::ToCivilDay(base, zone_);
    return time::ResolveLocal(absl::CivilSecond(day) + minutes * 60, zone_);
  }
  return At(text, field);
}

}  // namespace rapport::story
