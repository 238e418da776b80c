#include "services/notes/domain/case_rules.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

bool Blank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

absl::Status ToStatus(std::vector<errors::FieldViolation> violations) {
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidArgument(std::move(violations));
}

bool IsClosed(v1::GoalStatus status) {
  return status == v1::GOAL_STATUS_ACHIEVED || status == v1::GOAL_STATUS_DROPPED;
}

// What the caller may say of a goal.
void Take(const v1::Goal& wanted, v1::Goal& goal) {
  goal.set_text(wanted.text());
  goal.set_area(wanted.area());
  goal.set_measure(wanted.measure());
  goal.clear_target_date();
  if (wanted.has_target_date()) *goal.mutable_target_date() = wanted.target_date();
  goal.set_realism(wanted.realism());
  goal.set_realism_rater(wanted.realism_rater());
  goal.set_realism_reason(wanted.realism_reason());
  if (wanted.status() != v1::GOAL_STATUS_UNSPECIFIED) goal.set_status(wanted.status());
  goal.set_progress_percent(wanted.progress_percent());
}

// A date of which the day, or day and month, may be unknown (0).
absl::Status CheckPartialDate(google::type::Date date, absl::string_view field) {
  if (date.month() == 0 && date.day() == 0) date.set_month(1);
  if (date.day() == 0) date.set_day(1);
  return time::CheckDate(date, field);
}

}  // namespace

absl::Status CheckRecentAuthentication(absl::Time auth_time, absl::Time machine_now) {
  if (machine_now - auth_time <= kRecentAuthentication) return absl::OkStatus();
  return errors::FailedPrecondition(
      "REAUTHENTICATION_REQUIRED",
      "A signature needs an authentication of the last 10 minutes. Let the user sign in again and "
      "repeat the call with the new token.");
}

bool IsRhythmTherapy(absl::string_view protocol) {
  const absl::string_view id = names::Id(protocol, "protocols");
  return id == "ipsrt" || absl::StartsWith(id, "ipsrt-");
}

bool IsInFavour(v1::SuitabilityOutcome outcome) {
  return outcome == v1::SUITABILITY_OUTCOME_SUITABLE ||
         outcome == v1::SUITABILITY_OUTCOME_ADAPT_OR_COMBINE;
}

bool IsConjointEligible(const v1::Determination& determination,
                        absl::Span<const std::string> patients,
                        absl::Span<const v1::PartnerScreen> screens) {
  if (!IsInFavour(determination.outcome()) ||
      determination.arises_from_interaction() != v1::ANSWERED_YES) {
    return false;
  }
  return std::all_of(patients.begin(), patients.end(), [&](const std::string& patient) {
    return std::any_of(screens.begin(), screens.end(), [&](const v1::PartnerScreen& screen) {
      const bool safe =
          screen.violence() == v1::SCREEN_RESULT_NEGATIVE ||
          (screen.violence() == v1::SCREEN_RESULT_POSITIVE && screen.has_countersignature());
      return screen.patient() == patient && screen.seen_alone() && safe &&
             screen.willing() == v1::ANSWERED_YES;
    });
  });
}

absl::Status CheckDetermination(const v1::Determination& determination,
                                absl::string_view organization_id) {
  std::vector<errors::FieldViolation> violations;
  int balance = 0;
  for (int i = 0; i < determination.reasons_size(); ++i) {
    const v1::SuitabilityReason& reason = determination.reasons(i);
    if (reason.direction() == v1::REASON_DIRECTION_FOR) ++balance;
    if (reason.direction() == v1::REASON_DIRECTION_AGAINST) --balance;
    if (!reason.source().empty() &&
        (!names::Matches("organizations/{organization}/assessments/{assessment}",
                         reason.source()) ||
         names::OrganizationId(reason.source()) != organization_id)) {
      violations.push_back({absl::StrCat("determination.reasons[", i, "].source"),
                            "must name an assessment of this organisation, or be empty"});
    }
  }
  const bool disagrees = IsInFavour(determination.outcome()) ? balance < 0 : balance > 0;
  if (disagrees && Blank(determination.disagreement())) {
    violations.push_back({"determination.disagreement",
                          "is needed where the outcome goes against most of the reasons"});
  }
  if (Blank(determination.patient_preference())) {
    violations.push_back({"determination.patient_preference", "must not be blank"});
  }
  if (Blank(determination.alternatives_offered())) {
    violations.push_back({"determination.alternatives_offered", "must not be blank"});
  }
  return ToStatus(std::move(violations));
}

absl::Status CheckProblemAreas(
    const google::protobuf::RepeatedPtrField<v1::ProblemArea>& problem_areas,
    absl::string_view protocol) {
  std::vector<errors::FieldViolation> violations;
  int primaries = 0, secondaries = 0;
  for (int i = 0; i < problem_areas.size(); ++i) {
    const v1::ProblemArea& area = problem_areas[i];
    const auto fault = [&](absl::string_view field, absl::string_view description) {
      violations.push_back(
          {absl::StrCat("problem_areas[", i, "].", field), std::string(description)});
    };
    const bool grief = area.kind() == v1::PROBLEM_AREA_KIND_GRIEF;
    const bool dispute = area.kind() == v1::PROBLEM_AREA_KIND_ROLE_DISPUTE;
    const bool deficits = area.kind() == v1::PROBLEM_AREA_KIND_INTERPERSONAL_DEFICITS;

    if (area.rank() == v1::FOCUS_RANK_PRIMARY) ++primaries;
    if (area.rank() == v1::FOCUS_RANK_SECONDARY) ++secondaries;
    if (area.kind() == v1::PROBLEM_AREA_KIND_LOSS_OF_HEALTHY_SELF && !IsRhythmTherapy(protocol)) {
      fault("kind", "is an area of interpersonal and social rhythm therapy only");
    }
    if (Blank(area.statement())) fault("statement", "must not be blank");
    if ((grief || dispute) && Blank(area.person())) {
      fault("person", grief ? "is needed: who died" : "is needed: the counterpart");
    }
    if (grief) {
      if (!time::CheckDate(area.death_date(), "").ok()) {
        fault("death_date", "is needed, as a whole date");
      }
    } else if (area.has_death_date()) {
      fault("death_date", "belongs to GRIEF only");
    }
    if (dispute != (area.dispute_stage() != v1::DISPUTE_STAGE_UNSPECIFIED)) {
      fault("dispute_stage", dispute ? "is needed" : "belongs to ROLE_DISPUTE only");
    }
    if (deficits && Blank(area.why_no_other())) fault("why_no_other", "is needed");
    if (!deficits && !area.why_no_other().empty()) {
      fault("why_no_other", "belongs to INTERPERSONAL_DEFICITS only");
    }
  }
  if (primaries != 1) violations.push_back({"problem_areas", "must hold exactly one PRIMARY"});
  if (secondaries > 1) violations.push_back({"problem_areas", "must hold at most one SECONDARY"});
  return ToStatus(std::move(violations));
}

absl::Status CheckFormulation(const v1::Formulation& formulation) {
  std::vector<errors::FieldViolation> violations;
  if (Blank(formulation.diagnosis())) {
    violations.push_back({"formulation.diagnosis", "must not be blank"});
  }
  if (Blank(formulation.triggering_events())) {
    violations.push_back({"formulation.triggering_events", "must not be blank"});
  }
  if (Blank(formulation.link())) violations.push_back({"formulation.link", "must not be blank"});
  if (formulation.agreement() == v1::AGREEMENT_MODIFIED && Blank(formulation.patient_changes())) {
    violations.push_back({"formulation.patient_changes", "is needed where agreement is MODIFIED"});
  }
  if (formulation.has_onset_date() && !CheckPartialDate(formulation.onset_date(), "").ok()) {
    violations.push_back(
        {"formulation.onset_date", "must be a date; the day, or day and month, may be 0"});
  }
  if (formulation.has_agreement_date() && !time::CheckDate(formulation.agreement_date(), "").ok()) {
    violations.push_back({"formulation.agreement_date", "must be a whole date"});
  }
  return ToStatus(std::move(violations));
}

absl::Status CheckGoal(const v1::Goal& goal) {
  std::vector<errors::FieldViolation> violations;
  if (Blank(goal.text())) violations.push_back({"goal.text", "must not be blank"});
  if (goal.has_target_date() && !time::CheckDate(goal.target_date(), "").ok()) {
    violations.push_back({"goal.target_date", "must be a whole date"});
  }
  return ToStatus(std::move(violations));
}

v1::Goal NewGoal(const v1::Goal& wanted, absl::Time now) {
  v1::Goal goal;
  goal.set_status(v1::GOAL_STATUS_PROPOSED);
  Take(wanted, goal);
  *goal.mutable_create_time() = time::ToTimestamp(now);
  *goal.mutable_update_time() = time::ToTimestamp(now);
  return goal;
}

absl::StatusOr<v1::Goal> ReviseGoal(const v1::Goal& goal, const v1::Goal& wanted,
                                    const GoalChange& change) {
  if (IsClosed(goal.status())) {
    return errors::FailedPrecondition(
        "GOAL_CLOSED", "Achieved and dropped goals change no more. Set a new goal instead.");
  }
  v1::Goal revised = goal;
  Take(wanted, revised);
  v1::GoalRevision& revision = *revised.add_revisions();
  revision.set_number(revised.revisions_size());
  revision.set_old_text(goal.text());
  revision.set_new_text(revised.text());
  revision.set_old_realism(goal.realism());
  revision.set_new_realism(revised.realism());
  revision.set_old_status(goal.status());
  revision.set_new_status(revised.status());
  revision.set_reason(change.reason);
  revision.set_appointment(change.appointment);
  revision.set_clinician(change.clinician);
  *revision.mutable_revise_time() = time::ToTimestamp(change.now);
  *revised.mutable_update_time() = time::ToTimestamp(change.now);
  return revised;
}

}  // namespace rapport::notes
