#include "services/notes/domain/supervision.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

v1::CaseNeedKind NeedOf(assessment::v1::AlertSeverity severity) {
  switch (severity) {
    case assessment::v1::ALERT_SEVERITY_IMMEDIATE:
      return v1::CASE_NEED_KIND_ALERT_IMMEDIATE;
    case assessment::v1::ALERT_SEVERITY_SAME_DAY:
      return v1::CASE_NEED_KIND_ALERT_SAME_DAY;
    default:
      return v1::CASE_NEED_KIND_ALERT_THIS_CONTACT;
  }
}

v1::CaseNeedKind NeedOf(assessment::v1::ProgressFlagKind flag) {
  switch (flag) {
    case assessment::v1::PROGRESS_FLAG_KIND_NOT_ON_TRACK:
    case assessment::v1::PROGRESS_FLAG_KIND_NON_RESPONSE:
      return v1::CASE_NEED_KIND_NOT_ON_TRACK;
    case assessment::v1::PROGRESS_FLAG_KIND_RELIABLE_WORSENING:
      return v1::CASE_NEED_KIND_RELIABLE_WORSENING;
    case assessment::v1::PROGRESS_FLAG_KIND_MISSING_DATA:
      return v1::CASE_NEED_KIND_MISSING_DATA;
    case assessment::v1::PROGRESS_FLAG_KIND_CHECK_FOR_ELEVATION:
    case assessment::v1::PROGRESS_FLAG_KIND_DIAGNOSTIC_REVIEW:
      return v1::CASE_NEED_KIND_DIAGNOSTIC_REVIEW;
    default:
      return v1::CASE_NEED_KIND_UNSPECIFIED;
  }
}

v1::CaseNeed* FindNeed(v1::CaseloadItem& item, v1::CaseNeedKind kind) {
  for (v1::CaseNeed& need : *item.mutable_needs()) {
    if (need.kind() == kind) return &need;
  }
  return nullptr;
}

// What one requirement asks of each case, and what a case has.
struct CaseRequirement {
  std::string id;
  std::string label;
  std::function<int(const v1::PortfolioCase&)> actual;
  std::function<int(const v1::PortfolioCase&)> required;
  bool Met(const v1::PortfolioCase& of) const { return actual(of) >= required(of); }
};

std::vector<CaseRequirement> CaseRequirementsOf(const v1::TrainingRequirements& programme) {
  std::vector<CaseRequirement> all;
  if (programme.all_sessions_recorded()) {
    all.push_back({"sessions-recorded", "Each session of a case is recorded",
                   [](const v1::PortfolioCase& of) { return of.sessions_recorded(); },
                   [](const v1::PortfolioCase& of) { return std::max(of.sessions_held(), 1); }});
  }
  if (programme.random_recordings() > 0) {
    all.push_back({"random-recordings", "Recordings of a case chosen at random",
                   [](const v1::PortfolioCase& of) { return of.recordings_drawn(); },
                   [&](const v1::PortfolioCase&) { return programme.random_recordings(); }});
  }
  if (programme.supervised_sessions() > 0) {
    all.push_back({"supervised-sessions", "Sessions of a case talked over in supervision",
                   [](const v1::PortfolioCase& of) { return of.sessions_supervised(); },
                   [&](const v1::PortfolioCase& of) {
                     const int asked = programme.supervised_sessions();
                     const int of_sessions = programme.of_sessions();
                     if (!of.ended() || of.sessions_held() >= of_sessions) return asked;
                     return std::max(1,
                                     (asked * of.sessions_held() + of_sessions - 1) / of_sessions);
                   }});
  }
  if (programme.supervision_minutes() > 0) {
    all.push_back({"supervision-minutes", "Minutes of supervision on a case",
                   [](const v1::PortfolioCase& of) { return of.supervision_minutes(); },
                   [&](const v1::PortfolioCase&) { return programme.supervision_minutes(); }});
  }
  return all;
}

void AddCheck(v1::Portfolio& portfolio, std::string id, std::string label, int actual, int required,
              bool preferred = false) {
  v1::RequirementCheck& check = *portfolio.add_checks();
  check.set_requirement(std::move(id));
  check.set_label(std::move(label));
  check.set_actual(actual);
  check.set_required(required);
  check.set_result(actual >= required ? v1::FIDELITY_RESULT_MET : v1::FIDELITY_RESULT_NOT_MET);
  check.set_preferred(preferred);
}

}  // namespace

void AddNeed(v1::CaseloadItem& item, v1::CaseNeedKind kind, int count, absl::Time since,
             absl::string_view subject) {
  if (count == 0) return;
  v1::CaseNeed& need = *item.add_needs();
  need.set_kind(kind);
  need.set_count(count);
  if (since != absl::InfinitePast()) *need.mutable_since_time() = time::ToTimestamp(since);
  need.set_subject(std::string(subject));
}

void AddAssessedNeeds(const assessment::v1::CourseNeeds& told, v1::CaseloadItem& item) {
  for (const assessment::v1::UnresolvedAlert& alert : told.alerts()) {
    const v1::CaseNeedKind kind = NeedOf(alert.severity());
    if (v1::CaseNeed* need = FindNeed(item, kind)) {
      need->set_count(need->count() + 1);
    } else {
      AddNeed(item, kind, 1, time::ToTime(alert.create_time()), alert.alert());
    }
  }
  for (const assessment::v1::ProgressFlag& flag : told.flags()) {
    const v1::CaseNeedKind kind = NeedOf(flag.kind());
    if (kind == v1::CASE_NEED_KIND_UNSPECIFIED || !flag.holds()) continue;
    if (FindNeed(item, kind) != nullptr) continue;
    AddNeed(item, kind, 1, flag.has_time() ? time::ToTime(flag.time()) : absl::InfinitePast());
    item.mutable_needs()->rbegin()->set_rule(
        flag.evidence().empty() ? flag.rule()
                                : absl::StrCat(flag.rule(), " (", flag.evidence(), ")"));
  }
}

void WeighNeeds(const v1::SupervisionRules& rules, v1::CaseloadItem& item) {
  int sum = 0;
  for (v1::CaseNeed& need : *item.mutable_needs()) {
    for (const v1::NeedWeight& weight : rules.need_weights()) {
      if (weight.kind() == need.kind()) need.set_weight(weight.weight());
    }
    sum += need.weight();
  }
  item.set_need_weight(sum);
  std::stable_sort(item.mutable_needs()->begin(), item.mutable_needs()->end(),
                   [](const v1::CaseNeed& one, const v1::CaseNeed& other) {
                     return one.weight() > other.weight();
                   });
}

bool ComesBefore(const v1::CaseloadItem& one, const v1::CaseloadItem& other) {
  if (one.need_weight() != other.need_weight()) return one.need_weight() > other.need_weight();
  return one.case_() < other.case_();
}

absl::Status CheckSupervisionSession(const v1::SupervisionSession& session,
                                     absl::string_view supervisee, absl::Time now) {
  RETURN_IF_ERROR(time::CheckTimestamp(session.start_time(), "supervision_session.start_time"));
  std::vector<errors::FieldViolation> violations;
  if (session.supervisor() == supervisee) {
    violations.push_back({"supervision_session.supervisor", "must be another than the supervisee"});
  }
  if (time::ToTime(session.start_time()) > now) {
    violations.push_back({"supervision_session.start_time", "must not be in the future"});
  }
  std::set<std::string> cases;
  int minutes = 0;
  for (int i = 0; i < session.cases_size(); ++i) {
    minutes += session.cases(i).minutes();
    if (!cases.insert(session.cases(i).case_()).second) {
      violations.push_back(
          {absl::StrCat("supervision_session.cases[", i, "].case"), "comes twice"});
    }
  }
  if (minutes > session.minutes()) {
    violations.push_back(
        {"supervision_session.cases", "their minutes must add up to no more than the session's"});
  }
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidArgument(std::move(violations));
}

absl::Status CheckRecording(const v1::SessionRecording& recording, const RecordedSession& session) {
  std::vector<errors::FieldViolation> violations;
  std::set<std::string> agreed;
  for (int i = 0; i < recording.consents_size(); ++i) {
    const v1::RecordingConsent& consent = recording.consents(i);
    const std::string at = absl::StrCat("recording.consents[", i, "]");
    RETURN_IF_ERROR(time::CheckDate(consent.consent_date(), absl::StrCat(at, ".consent_date")));
    if (time::ToCivilDay(consent.consent_date()) > session.day) {
      violations.push_back({absl::StrCat(at, ".consent_date"), "must not be after the session"});
    }
    if (std::find(session.patients.begin(), session.patients.end(), consent.patient()) ==
        session.patients.end()) {
      violations.push_back({absl::StrCat(at, ".patient"), "took no part in the session"});
    } else if (!agreed.insert(consent.patient()).second) {
      violations.push_back({absl::StrCat(at, ".patient"), "comes twice"});
    }
  }
  RETURN_IF_ERROR(time::CheckDate(recording.retain_until_date(), "recording.retain_until_date"));
  const absl::CivilDay until = time::ToCivilDay(recording.retain_until_date());
  if (until < session.day || until > session.day + session.retention_max_days) {
    violations.push_back({"recording.retain_until_date",
                          absl::StrCat("must be from the session's day to ",
                                       session.retention_max_days, " days after it")});
  }
  if (!violations.empty()) return errors::InvalidArgument(std::move(violations));
  if (agreed.size() < session.patients.size()) {
    return errors::FailedPrecondition(
        "RECORDING_CONSENT_MISSING",
        "Each patient who takes part in the session must have agreed to the recording.");
  }
  return absl::OkStatus();
}

v1::RecordingState StateOf(const v1::SessionRecording& recording, absl::CivilDay today) {
  if (recording.has_delete_time()) return v1::RECORDING_STATE_DELETED;
  if (recording.has_withdraw_time() || recording.erased() ||
      time::ToCivilDay(recording.retain_until_date()) < today) {
    return v1::RECORDING_STATE_DUE_FOR_DELETION;
  }
  return v1::RECORDING_STATE_KEPT;
}

const v1::TrainingRequirements* FindRequirements(const v1::SupervisionRules& rules,
                                                 absl::string_view id) {
  for (const v1::TrainingRequirements& programme : rules.requirements()) {
    if (programme.id() == id) return &programme;
  }
  return nullptr;
}

void CheckRequirements(const v1::TrainingRequirements& programme, bool own,
                       v1::Portfolio& portfolio) {
  portfolio.set_requirements(programme.id());
  *portfolio.mutable_citations() = programme.citations();
  const std::vector<CaseRequirement> asked = CaseRequirementsOf(programme);

  std::vector<const v1::PortfolioCase*> cases;
  for (const v1::PortfolioCase& each : portfolio.cases()) {
    if (each.sessions_held() > 0) cases.push_back(&each);
  }
  const auto met = [&](const v1::PortfolioCase* of) {
    return std::count_if(asked.begin(), asked.end(),
                         [of](const CaseRequirement& each) { return each.Met(*of); });
  };
  std::stable_sort(cases.begin(), cases.end(),
                   [&](const v1::PortfolioCase* one, const v1::PortfolioCase* other) {
                     if (met(one) != met(other)) return met(one) > met(other);
                     return one->supervision_minutes() > other->supervision_minutes();
                   });
  AddCheck(portfolio, "cases", "Cases treated", static_cast<int>(cases.size()), programme.cases());
  const bool enough = static_cast<int>(cases.size()) >= programme.cases();
  if (enough) cases.resize(static_cast<size_t>(programme.cases()));

  if (programme.preferred_areas() > 0) {
    std::set<int> areas;
    for (const v1::PortfolioCase* each : cases) {
      if (!each->problem_areas().empty()) areas.insert(each->problem_areas(0));
    }
    AddCheck(portfolio, "areas", "Cases of different problem areas", static_cast<int>(areas.size()),
             programme.preferred_areas(), true);
  }
  for (const CaseRequirement& each : asked) {
    const auto least =
        std::min_element(cases.begin(), cases.end(),
                         [&](const v1::PortfolioCase* one, const v1::PortfolioCase* other) {
                           return each.actual(*one) - each.required(*one) <
                                  each.actual(*other) - each.required(*other);
                         });
    // A case that is missing has nothing.
    const v1::PortfolioCase none;
    const v1::PortfolioCase& of = enough ? **least : none;
    AddCheck(portfolio, each.id, each.label, each.actual(of), each.required(of));
  }
  if (programme.supervision_sessions() > 0) {
    AddCheck(portfolio, "supervision-sessions", "Sessions of supervision",
             portfolio.supervision_sessions(), programme.supervision_sessions());
  }
  if (programme.portfolio_parts()) {
    int whole = 0, hidden = 0;
    for (const v1::PortfolioCase* each : cases) {
      if (!each->formulation_agreed() || !each->inventory()) continue;
      if (each->has_self_percent()) {
        ++whole;
      } else if (!own) {
        ++hidden;
      }
    }
    AddCheck(portfolio, "portfolio-parts",
             "Cases with an inventory, an agreed formulation and a rating of one's own", whole,
             programme.cases());
    v1::RequirementCheck& check = *portfolio.mutable_checks()->rbegin();
    if (check.result() == v1::FIDELITY_RESULT_NOT_MET && whole + hidden >= programme.cases()) {
      check.set_result(v1::FIDELITY_RESULT_UNKNOWN);
    }
  }
}

bool HasEnded(scheduling::v1::CourseState state) {
  return state == scheduling::v1::COURSE_STATE_COMPLETED ||
         state == scheduling::v1::COURSE_STATE_DISCONTINUED;
}

}  // namespace rapport::notes
