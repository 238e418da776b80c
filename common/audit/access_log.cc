#include "common/audit/access_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/telemetry/log.h"

namespace rapport::audit {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);     // for a commit
constexpr absl::Duration kRest = absl::Milliseconds(200);  // after one that failed
constexpr absl::Duration kSweep = absl::Seconds(1);

}  // namespace

AccessLog::AccessLog(sql::Database& database, time::Clock& clock, Options options)
    : database_(database), clock_(clock), options_(options), thread_([this] { Run(); }) {}

AccessLog::~AccessLog() { Stop(); }

std::string AccessLog::KeyOf(const Entry& entry) {
  return absl::StrCat(static_cast<int64_t>(entry.kind), "\n", entry.organization_id, "\n",
                      entry.principal, "\n", entry.purpose, "\n", entry.resource);
}

bool AccessLog::Tell(Entry entry, bool must_wait, Done done) {
  std::string key = KeyOf(entry);
  MutexLock lock(mutex_);
  must_wait = must_wait || queue_.size() >= options_.queue;
  CloseUntil(entry.occur_time);
  const auto known = by_key_.find(key);
  const bool first = known == by_key_.end();
  if (first) {
    if (windows_.size() >= options_.windows) CloseOldest();
    windows_.push_back({.first = entry, .durable = false, .repeats = 0, .repeat_time = {}});
    by_key_[key] = std::prev(windows_.end());
  } else {
    Window& window = *known->second;
    if (window.repeats++ == 0) window.repeat_time = entry.occur_time;
    if (window.durable || !must_wait) return false;
  }
  if (must_wait) ++waiting_;
  queue_.push_back({.key = std::move(key),
                    .entry = std::move(entry),
                    .writes = first,
                    .done = must_wait ? std::move(done) : nullptr});
  changed_.Signal();
  return must_wait;
}

void AccessLog::CloseOldest() {
  Window& window = windows_.front();
  if (window.repeats > 0) {
    Entry counted = window.first;
    counted.count = window.repeats;
    counted.occur_time = window.repeat_time;
    queue_.push_back({.key = "", .entry = std::move(counted), .writes = true, .done = nullptr});
  }
  by_key_.erase(KeyOf(window.first));
  windows_.pop_front();
}

void AccessLog::CloseUntil(absl::Time now) {
  while (!windows_.empty() && windows_.front().first.occur_time + options_.window <= now) {
    CloseOldest();
  }
}

void AccessLog::Run() {
  for (;;) {
    std::vector<Job> jobs;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        changed_.WaitUntil(mutex_, absl::Now() + kSweep);
        CloseUntil(clock_.Now());
      }
      const absl::Time until = absl::Now() + options_.linger;
      while (waiting_ == 0 && queue_.size() < options_.batch && !stopping_) {
        if (!changed_.WaitUntil(mutex_, until)) break;
      }
      if (stopping_) {
        while (!windows_.empty()) CloseOldest();
        if (queue_.empty()) return;
      }
      while (!queue_.empty() && jobs.size() < options_.batch) {
        if (queue_.front().done != nullptr) --waiting_;
        jobs.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    Commit(std::move(jobs));
  }
}

void AccessLog::Commit(std::vector<Job> jobs) {
  const bool writes =
      std::any_of(jobs.begin(), jobs.end(), [](const Job& job) { return job.writes; });
  absl::Status status;
  if (writes) {
    status =
        database_.Write(sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) {
          for (const Job& job : jobs) {
            if (job.writes) Append(tx, job.entry, "");
          }
          return absl::OkStatus();
        });
  }
  const absl::Status refused = errors::Unavailable(
      "AUDIT_UNAVAILABLE", "The access can't be recorded, so nothing is shown. Repeat the call.",
      "database");
  std::vector<std::pair<Done, absl::Status>> told;
  bool stopping = false;
  {
    MutexLock lock(mutex_);
    stopping = stopping_;
    std::deque<Job> again;
    for (Job& job : jobs) {
      const auto window = by_key_.find(job.key);
      const bool open = !job.key.empty() && window != by_key_.end();
      // A job that only waits follows the one that writes, in this batch or before.
      const bool durable = status.ok() && (job.writes || !open || window->second->durable);
      if (durable) {
        if (open && job.writes) window->second->durable = true;
        if (job.done) told.emplace_back(std::move(job.done), absl::OkStatus());
        continue;
      }
      if (job.done) {
        told.emplace_back(std::move(job.done), refused);
        job.done = nullptr;
      }
      if (job.writes) again.push_back(std::move(job));
    }
    queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
    if (!status.ok() && stopping) queue_.clear();
  }
  for (auto& [done, outcome] : told) done(outcome);
  if (!status.ok()) {
    telemetry::Log(telemetry::Severity::kError, "access entries can't be written",
                   {{"reason", errors::Reason(status)}, {"lost", stopping ? "true" : "false"}});
    if (!stopping) absl::SleepFor(kRest);
  }
}

void AccessLog::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace rapport::audit
