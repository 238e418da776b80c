#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "tools/rapportctl/commands.h"
#include "tools/rapportctl/progress_bar.h"
#include "tools/rapportctl/seed/seeder.h"

ABSL_DECLARE_FLAG(std::string, organization);
ABSL_DECLARE_FLAG(std::string, keys_dir);
ABSL_DECLARE_FLAG(std::vector<std::string>, clinicians);
ABSL_FLAG(uint64_t, seed, 1, "Number that a made-up network grows from; the same makes the same.");
ABSL_FLAG(int, courses_each, 8, "Of a seed: courses of a clinician, at most.");
ABSL_FLAG(std::string, start, "",
          "Of a seed: the Monday from which sessions begin; default the first that is three days "
          "off.");

namespace rapport::ctl {
namespace {

constexpr int kMostClinicians = 100'000;
constexpr int kMostCoursesEach = 30;

absl::StatusOr<absl::CivilDay> StartFromFlags() {
  const std::string text = absl::GetFlag(FLAGS_start);
  if (text.empty()) {
    const absl::CivilDay today = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
    return absl::NextWeekday(today + 2, absl::Weekday::monday);
  }
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day) && absl::GetWeekday(day) == absl::Weekday::monday) {
    return day;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--start: '", text, "' is no Monday, as 2026-03-02"));
}

}  // namespace

absl::Status SeedNetwork(const Words& words) {
  constexpr char kUsage[] =
      "usage: rapportctl seed --organization=ID --keys_dir=DIRECTORY [--clinicians=20] [--seed=1] "
      "[--courses_each=8] [--start=MONDAY]";
  seed::NetworkOptions options;
  options.organization_id = absl::GetFlag(FLAGS_organization);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.courses_each = absl::GetFlag(FLAGS_courses_each);
  const std::vector<std::string> clinicians = absl::GetFlag(FLAGS_clinicians);
  const bool counted = clinicians.empty() || (clinicians.size() == 1 &&
                                              absl::SimpleAtoi(clinicians[0], &options.clinicians));
  if (!words.empty() || options.organization_id.empty() || !counted) {
    return absl::InvalidArgumentError(kUsage);
  }
  if (options.clinicians < 1 || options.clinicians > kMostClinicians || options.courses_each < 0 ||
      options.courses_each > kMostCoursesEach) {
    return absl::InvalidArgumentError(absl::StrCat("--clinicians is 1 to ", kMostClinicians,
                                                   ", --courses_each 0 to ", kMostCoursesEach));
  }
  if (absl::GetFlag(FLAGS_keys_dir).empty()) {
    return absl::InvalidArgumentError(
        "--keys_dir is needed: a seed acts as many people, with tokens of its own making");
  }
  ASSIGN_OR_RETURN(options.start, StartFromFlags());
  ASSIGN_OR_RETURN(auto caller, CallerFromFlags());
  absl::StatusOr<seed::Seeded> seeded;
  {
    ProgressBar bar("made", 0);
    seeded = seed::Seed(*caller, options,
                        {.total = [&bar](int64_t total) { bar.SetTotal(total); },
                         .made =
                             [&bar](const std::string& what, int64_t count) {
                               bar.SetWhat(what);
                               bar.Add(count);
                             }});
  }
  if (!seeded.ok()) {
    std::fprintf(stderr, "sow it again to go on\n");
    return seeded.status();
  }
  std::printf(
      "organizations/%s: %lld entries of the directory, %lld courses with %lld sessions from %s "
      "on; "
      "%lld courses were there\n",
      options.organization_id.c_str(), static_cast<long long>(seeded->entries),
      static_cast<long long>(seeded->courses), static_cast<long long>(seeded->sessions),
      absl::FormatCivilTime(options.start).c_str(), static_cast<long long>(seeded->there));
  return absl::OkStatus();
}

}  // namespace rapport::ctl
