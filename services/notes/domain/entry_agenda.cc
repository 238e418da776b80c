#include "services/notes/domain/entry_agenda.h"

#include <algorithm>

#include "services/notes/domain/couple_rules.h"
#include "services/notes/domain/entries.h"

namespace rapport::notes {
namespace {

using v1::Entry;

bool HasImmediateChange(absl::Span<const Entry> entries, const std::string& patient) {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.has_action() && entry.action().immediate_change() && !entry.voided() &&
           (entry.about().empty() || entry.about() == patient);
  });
}

// The shipped tasks that have no entry.
std::vector<std::string> TasksNotBegun(absl::Span<const Entry> entries,
                                       const v1::EntryRules& rules) {
  std::vector<std::string> missing;
  for (const v1::TerminationTaskRule& task : rules.termination_tasks()) {
    const bool begun = std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return !entry.voided() && entry.termination_task().task() == task.id();
    });
    if (!begun) missing.push_back(task.id());
  }
  return missing;
}

}  // namespace

std::vector<AgendaItem> BuildAgenda(absl::Span<const Entry> entries, const AgendaFacts& facts,
                                    const v1::EntryRules& rules) {
  std::vector<AgendaItem> agenda;
  for (const Entry& entry : entries) {
    if (!IsOpen(entry)) continue;
    const auto add = [&](AgendaKind kind) {
      agenda.push_back({kind, entry.name(), entry.about(), entry.termination_task().task()});
    };
    switch (entry.content_case()) {
      case Entry::kBarrier:
        add(AgendaKind::kBarrier);
        break;
      case Entry::kSickRole:
        if (DueDay(entry).value_or(facts.today) <= facts.today) add(AgendaKind::kSickRoleReview);
        break;
      case Entry::kAction:
        add(AgendaKind::kAction);
        break;
      case Entry::kReferral:
        add(AgendaKind::kReferral);
        break;
      case Entry::kAdditionalIssue:
        add(AgendaKind::kUndisposedIssue);
        break;
      case Entry::kOutOfScopeTopic:
        if (facts.termination) add(AgendaKind::kOutOfScopeTopic);
        break;
      case Entry::kTerminationTask:
        if (facts.termination) add(AgendaKind::kTerminationTask);
        break;
      default:
        break;
    }
  }
  for (const std::string& patient : facts.patients) {
    if (!HasImmediateChange(entries, patient)) {
      agenda.push_back({AgendaKind::kImmediateChange, "", patient, ""});
    }
  }
  if (facts.middle && facts.patients.size() > 1) {
    for (const std::string& patient : PartnersWithoutStrategy(entries, facts.patients)) {
      agenda.push_back({AgendaKind::kStrategyMissing, "", patient, ""});
    }
  }
  if (facts.termination) {
    for (std::string& task : TasksNotBegun(entries, rules)) {
      agenda.push_back({AgendaKind::kTerminationTask, "", "", std::move(task)});
    }
  }
  std::stable_sort(agenda.begin(), agenda.end(),
                   [](const AgendaItem& a, const AgendaItem& b) { return a.kind < b.kind; });
  return agenda;
}

std::vector<Entry> SharedOf(absl::Span<const Entry> entries) {
  std::vector<Entry> shared;
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(shared),
               [](const Entry& entry) { return !entry.private_(); });
  return shared;
}

v1::ClosingObstacles ClosingObstaclesOf(absl::Span<const Entry> entries,
                                        const v1::EntryRules& rules) {
  v1::ClosingObstacles result;
  const auto add = [&](v1::ClosingObstacleKind kind, const std::string& entry,
                       const std::string& task) {
    v1::ClosingObstacle& obstacle = *result.add_obstacles();
    obstacle.set_kind(kind);
    obstacle.set_entry(entry);
    obstacle.set_task(task);
  };
  for (const Entry& entry : entries) {
    if (!IsOpen(entry)) continue;
    switch (entry.content_case()) {
      case Entry::kReferral:
        if (entry.referral().state() != v1::REFERRAL_STATE_ACCEPTED &&
            entry.referral().close_reason().empty()) {
          add(v1::CLOSING_OBSTACLE_KIND_REFERRAL_UNACCEPTED, entry.name(), "");
        }
        break;
      case Entry::kSickRole:
        add(v1::CLOSING_OBSTACLE_KIND_SICK_ROLE_OPEN, entry.name(), "");
        break;
      case Entry::kTerminationTask:
        add(v1::CLOSING_OBSTACLE_KIND_TERMINATION_TASK_OPEN, entry.name(),
            entry.termination_task().task());
        break;
      case Entry::kOutOfScopeTopic:
        add(v1::CLOSING_OBSTACLE_KIND_TOPIC_NOT_OFFERED, entry.name(), "");
        break;
      default:
        break;
    }
  }
  for (const std::string& task : TasksNotBegun(entries, rules)) {
    add(v1::CLOSING_OBSTACLE_KIND_TERMINATION_TASK_OPEN, "", task);
  }
  std::stable_sort(result.mutable_obstacles()->begin(), result.mutable_obstacles()->end(),
                   [](const auto& a, const auto& b) { return a.kind() < b.kind(); });
  return result;
}

}  // namespace rapport::notes
