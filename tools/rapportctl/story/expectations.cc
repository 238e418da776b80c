#include "tools/rapportctl/story/expectations.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rapport::story {
namespace {

namespace av1 = assessment::v1;

// "RESPONSE" of TERM_RESPONSE.
std::string Short(const std::string& name, absl::string_view prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}
std::string Short(av1::Term term) { return Short(av1::Term_Name(term), "TERM_"); }
std::string Short(av1::Reference reference) {
  return Short(av1::Reference_Name(reference), "REFERENCE_");
}

// The series of `instrument`; progress may name the instrument's revision.
const av1::InstrumentProgress* FindSeries(const av1::Progress& progress,
                                          const std::string& instrument) {
  const std::string name = absl::StrCat("instruments/", instrument);
  for (const av1::InstrumentProgress& series : progress.instruments()) {
    if (series.instrument() == name || absl::StartsWith(series.instrument(), name + "/")) {
      return &series;
    }
  }
  return nullptr;
}

const av1::Milestone* FindMilestone(const av1::Progress& progress, const ExpectTerm& expected) {
  const av1::InstrumentProgress* series =
      expected.instrument().empty() ? nullptr : FindSeries(progress, expected.instrument());
  if (!expected.instrument().empty() && series == nullptr) return nullptr;
  for (const av1::Milestone& milestone :
       series == nullptr ? progress.milestones() : series->milestones()) {
    if (milestone.term() == expected.term()) return &milestone;
  }
  return nullptr;
}

// The total of a session's last complete form. Maintenance counts its sessions anew; its forms are
// left aside.
std::optional<double> TotalAt(const av1::InstrumentProgress& series, int session) {
  std::optional<double> total;
  int latest = 0;
  for (const av1::ProgressPoint& point : series.points()) {
    if (point.session_number() > 0 && point.session_number() < latest) break;
    latest = std::max(latest, point.session_number());
    if (point.session_number() == session && point.complete() && point.has_total()) {
      total = point.total();
    }
  }
  return total;
}

std::string Subject(const ExpectTerm& expected) {
  return absl::StrCat(expected.instrument().empty() ? "course" : expected.instrument(), ": ",
                      Short(expected.term()));
}

const av1::Worsening* FindWorsening(const av1::InstrumentProgress& series,
                                    av1::Reference reference) {
  for (const av1::Worsening& worsening : series.worsening()) {
    if (worsening.reference() == reference) return &worsening;
  }
  return nullptr;
}

void CheckTotals(const ExpectTotals& expected, const av1::Progress& progress,
                 std::vector<std::string>& differences) {
  const av1::InstrumentProgress* series = FindSeries(progress, expected.instrument());
  if (series == nullptr) {
    differences.push_back(absl::StrCat(expected.instrument(), ": no form was recorded"));
    return;
  }
  for (int i = 0; i < expected.totals_size(); ++i) {
    const int session = i < expected.sessions_size() ? expected.sessions(i) : i + 1;
    const std::optional<double> total = TotalAt(*series, session);
    if (!total) {
      differences.push_back(absl::StrCat(expected.instrument(), ": session ", session,
                                         " has no total; expected ", expected.totals(i)));
    } else if (*total != expected.totals(i)) {
      differences.push_back(absl::StrCat(expected.instrument(), ": session ", session,
                                         " has the total ", *total, ", not ", expected.totals(i)));
    }
  }
}

void CheckWorsening(const ExpectWorsening& expected, bool wanted,
                    const std::map<int, av1::Progress>& after_session,
                    std::vector<std::string>& differences) {
  const std::string subject =
      absl::StrCat(expected.instrument(), " after session ", expected.session(), ": ");
  const auto progress = after_session.find(expected.session());
  const av1::InstrumentProgress* series = progress == after_session.end()
                                              ? nullptr
                                              : FindSeries(progress->second, expected.instrument());
  if (series == nullptr) {
    differences.push_back(absl::StrCat(subject, "no progress was told"));
    return;
  }
  const av1::Worsening* found = FindWorsening(*series, expected.against());
  if (!wanted && found != nullptr) {
    differences.push_back(absl::StrCat(subject, "flagged as reliably worse than ",
                                       Short(expected.against()), " (by ", found->points(), ")"));
  } else if (wanted && found == nullptr) {
    differences.push_back(
        absl::StrCat(subject, "not flagged as reliably worse than ", Short(expected.against())));
  } else if (wanted && expected.points() != 0 && found->points() != expected.points()) {
    differences.push_back(absl::StrCat(subject, "worse than ", Short(expected.against()), " by ",
                                       found->points(), ", not ", expected.points()));
  }
}

}  // namespace

std::vector<std::string> Differences(const Expect& expect, const av1::Progress& progress,
                                     const std::map<int, av1::Progress>& after_session) {
  std::vector<std::string> differences;
  for (const ExpectTotals& expected : expect.totals()) {
    CheckTotals(expected, progress, differences);
  }
  for (const ExpectTerm& expected : expect.reached()) {
    const av1::Milestone* milestone = FindMilestone(progress, expected);
    if (milestone == nullptr) {
      differences.push_back(absl::StrCat(
          Subject(expected), " was not reached; expected at session ", expected.session()));
    } else if (milestone->session_number() != expected.session()) {
      differences.push_back(absl::StrCat(Subject(expected), " was reached at session ",
                                         milestone->session_number(), ", not ",
                                         expected.session()));
    }
  }
  for (const ExpectTerm& expected : expect.not_reached()) {
    if (const av1::Milestone* milestone = FindMilestone(progress, expected)) {
      differences.push_back(absl::StrCat(Subject(expected), " was reached at session ",
                                         milestone->session_number(), "; expected never"));
    }
  }
  for (const ExpectWorsening& expected : expect.worsening()) {
    CheckWorsening(expected, true, after_session, differences);
  }
  for (const ExpectWorsening& expected : expect.no_worsening()) {
    CheckWorsening(expected, false, after_session, differences);
  }
  return differences;
}

}  // namespace rapport::story
