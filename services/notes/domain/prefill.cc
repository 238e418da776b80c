#include "services/notes/domain/prefill.h"

#include <tuple>

#include "common/names/names.h"
#include "common/time/convert.h"

namespace rapport::notes {
namespace {

v1::PrefilledScore Copy(const assessment::v1::Assessment& form) {
  v1::PrefilledScore score;
  score.set_source(form.name());
  score.set_source_etag(form.etag());
  score.set_instrument(form.instrument());
  if (form.score().has_total()) score.set_total(form.score().total());
  score.set_severity(form.score().severity());
  *score.mutable_answer_time() = form.answer_time();
  return score;
}

}  // namespace

std::vector<v1::PrefilledScore> ChooseScores(
    const scheduling::v1::CourseEvent& course,
    const std::vector<assessment::v1::Assessment>& assessments, absl::string_view appointment,
    absl::Time session_end) {
  std::vector<v1::PrefilledScore> scores;
  for (const scheduling::v1::ProtocolMeasure& measure : course.measures()) {
    const assessment::v1::Assessment* best = nullptr;
    const auto rank = [&](const assessment::v1::Assessment& form) {
      return std::make_tuple(form.appointment() == appointment, time::ToTime(form.answer_time()));
    };
    for (const assessment::v1::Assessment& form : assessments) {
      if (names::Id(form.instrument(), "instruments") != measure.instrument()) continue;
      if (!form.score().complete() || form.score().prorated()) continue;
      if (form.appointment() != appointment && time::ToTime(form.answer_time()) > session_end) {
        continue;
      }
      if (best == nullptr || rank(form) > rank(*best)) best = &form;
    }
    if (best != nullptr) scores.push_back(Copy(*best));
  }
  return scores;
}

std::vector<v1::PrefilledGoal> PrefillGoals(const std::vector<v1::Goal>& goals) {
  std::vector<v1::PrefilledGoal> prefilled;
  for (const v1::Goal& goal : goals) {
    if (goal.status() == v1::GOAL_STATUS_DROPPED) continue;
    v1::PrefilledGoal& copy = prefilled.emplace_back();
    copy.set_source(goal.name());
    copy.set_source_etag(goal.etag());
    copy.set_text(goal.text());
    copy.set_progress_percent(goal.progress_percent());
  }
  return prefilled;
}

std::vector<v1::PrefilledAction> PrefillActions(const std::vector<v1::Entry>& entries,
                                                absl::string_view about) {
  std::vector<v1::PrefilledAction> prefilled;
  for (const v1::Entry& entry : entries) {
    const bool for_this =
        about.empty() ? !entry.private_() : entry.about().empty() || entry.about() == about;
    if (!for_this || !entry.open() || entry.voided() || entry.action().text().empty()) continue;
    v1::PrefilledAction& copy = prefilled.emplace_back();
    copy.set_source(entry.name());
    copy.set_source_etag(entry.etag());
    copy.set_text(entry.action().text());
    if (entry.action().has_due_date()) *copy.mutable_due_date() = entry.action().due_date();
  }
  return prefilled;
}

}  // namespace rapport::notes
