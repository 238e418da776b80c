#include "common/sql/standbys.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::sql::internal {
namespace {

namespace metric = telemetry::metric;

constexpr absl::Duration kTick = absl::Milliseconds(50);
constexpr absl::Duration kPatience = absl::Seconds(1);  // of one look
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(5);
constexpr size_t kMostWritten = 4096;

// A standby's timeline is that of its last restart point, which is never ahead of what it replays.
const Command kTrail = {
    "sql.trail",
    "SELECT pg_is_in_recovery()"
    " AND (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()) = $1"
    " AND (SELECT upper(lpad(to_hex(timeline_id), 8, '0')) FROM pg_control_checkpoint()) = $2,"
    " coalesce(pg_last_wal_replay_lsn() >= CAST($3 AS pg_lsn), false),"
    " CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)"};

int64_t SteadyMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

const Command kSameServer = {
    "sql.same_server",
    "SELECT 1 / CASE WHEN CAST(extract(epoch FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)"
    " = $1 THEN 1 ELSE 0 END"};

absl::StatusOr<std::vector<PostgresTarget>> ReadHosts(absl::string_view text,
                                                      const PostgresTarget& primary) {
  std::vector<PostgresTarget> hosts;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    PostgresTarget& target = hosts.emplace_back(primary);
    target.standby = true;
    const size_t colon = part.rfind(':');
    const bool has_port = colon != absl::string_view::npos && part.find(':') == colon;
    target.host = std::string(has_port ? part.substr(0, colon) : part);
    if (target.host.empty() ||
        (has_port && (!absl::SimpleAtoi(part.substr(colon + 1), &target.port) || target.port < 1 ||
                      target.port > 65535))) {
      return errors::InvalidArgument(
          "postgres_read_hosts",
          absl::StrCat("must be hosts, or host:port each, apart by commas, not '", text, "'"));
    }
  }
  return hosts;
}

// How far the primary was, and when we began to ask.
struct Standbys::Sample {
  int64_t begun;  // steady, µs
  Durability::LogPlace place;
};

class Standbys::Standby {
 public:
  Standby(Standbys& owner, PostgresTarget target)
      : owner_(owner),
        host_(absl::StrCat(target.host, ":", target.port)),
        made_(SteadyMicros()),
        reads_(target, owner.options_.max_connections, owner.options_.max_waiters, NoGreeting()),
        looks_(std::move(target), 1, 1, NoGreeting()),
        thread_("standby", kTick, [this] { Tick(); }) {}

  struct Proof {
    int64_t as_of = 0;  // steady, µs; 0: nothing is proven
    int64_t incarnation = 0;
  };
  Proof proof() const {
    MutexLock lock(mutex_);
    return proof_;
  }
  PostgresPool& reads() { return reads_; }
  const std::string& host() const { return host_; }
  double LagSeconds() const {
    const int64_t as_of = proof().as_of;
    return static_cast<double>(SteadyMicros() - (as_of == 0 ? made_ : as_of)) / 1e6;
  }

  void Distrust() {
    MutexLock lock(mutex_);
    proof_ = {};
  }

 private:
  static PostgresPool::Greet NoGreeting() {
    return [](PostgresConnection&, absl::Time) { return absl::OkStatus(); };
  }

  void Tick() {
    if (SteadyMicros() < again_) return;
    const absl::Status status = Prove();
    if (status.ok()) {
      pause_ = absl::ZeroDuration();
    } else {
      wanted_.reset();
      pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
      again_ = SteadyMicros() + absl::ToInt64Microseconds(pause_);
    }
    if (status.ok() == well_) return;
    well_ = status.ok();
    telemetry::Log(well_ ? telemetry::Severity::kInfo : telemetry::Severity::kWarning,
                   well_ ? "a standby answers reads" : "a standby is left alone",
                   {{"host", host_}, {"text", std::string(status.message())}});
  }

  absl::Status Prove() {
    const absl::Time deadline = absl::Now() + kPatience;
    if (!wanted_) {
      ASSIGN_OR_RETURN(wanted_, owner_.Look(deadline));
    }
    const absl::StatusOr<Result> row = Ask(deadline);
    if (!row.ok() || !row->Bool(0, 0)) {
      Distrust();
      RETURN_IF_ERROR(row.status());
      return errors::Unavailable("NOT_A_STANDBY",
                                 "It is no standby on the primary's timeline (after a failover: "
                                 "not yet, until its next restart point).",
                                 "database");
    }
    if (!row->Bool(0, 1)) return absl::OkStatus();
    MutexLock lock(mutex_);
    proof_ = {.as_of = wanted_->begun, .incarnation = row->Int(0, 2)};
    wanted_.reset();
    return absl::OkStatus();
  }

  absl::StatusOr<Result> Ask(absl::Time deadline) {
    ASSIGN_OR_RETURN(const PostgresPool::Lease lease, looks_.Acquire(deadline));
    const auto& [system, timeline, flushed] = wanted_->place;
    lease->Send(kTrail, {Text(system), Text(timeline), Text(flushed)});
    return lease->RoundTrip(PostgresConnection::Until::kSync, deadline);
  }

  Standbys& owner_;
  const std::string host_;
  const int64_t made_;
  PostgresPool reads_;
  PostgresPool looks_;
  mutable Mutex mutex_;
  Proof proof_ ABSL_GUARDED_BY(mutex_);

  // The thread's own.
  std::optional<Sample> wanted_;
  absl::Duration pause_;
  int64_t again_ = 0;
  bool well_ = false;

  PeriodicThread thread_;
};

Standbys::Standbys(const PostgresTarget& primary, std::vector<PostgresTarget> hosts,
                   PostgresPool::Greet greet, Durability& durability, Options options)
    : options_(options),
      durability_(durability),
      primary_(primary, 1, static_cast<int>(hosts.size()), std::move(greet)) {
  if (options_.metrics != nullptr) {
    reads_ = options_.metrics->Counters(
        metric::kStandbyReads, "Reads that a standby may answer, by who did.", {"answered_by"});
  }
  for (PostgresTarget& host : hosts) {
    const Standby* standby =
        standbys_.emplace_back(std::make_unique<Standby>(*this, std::move(host))).get();
    if (options_.metrics == nullptr) continue;
    options_.metrics->Read(
        metric::kStandbyLag, "For how long the standby may not hold what was committed.",
        [standby] { return standby->LagSeconds(); }, {{"host", standby->host()}});
  }
}

Standbys::~Standbys() = default;

absl::StatusOr<Standbys::Sample> Standbys::Look(absl::Time deadline) {
  ASSIGN_OR_RETURN(const PostgresPool::Lease lease, primary_.Acquire(deadline));
  const int64_t begun = SteadyMicros();
  lease->Send(kInspect);
  ASSIGN_OR_RETURN(const Result row, lease->RoundTrip(PostgresConnection::Until::kSync, deadline));
  RETURN_IF_ERROR(durability_.Observe(row));
  return Sample{begun, Durability::PlaceOf(row)};
}

std::optional<Standbys::Choice> Standbys::Choose(absl::string_view organization_id) {
  const int64_t fresh = SteadyMicros() - absl::ToInt64Microseconds(options_.max_lag);
  const int64_t not_before = LastWrite(organization_id, fresh);
  const size_t first = next_.fetch_add(1, std::memory_order_relaxed);
  bool any = false;
  for (size_t i = 0; i < standbys_.size(); ++i) {
    const size_t at = (first + i) % standbys_.size();
    const Standby::Proof proof = standbys_[at]->proof();
    if (proof.as_of > not_before) return Choice{&standbys_[at]->reads(), proof.incarnation, at};
    any = any || proof.as_of > fresh;
  }
  Count(any ? "own_write" : "trailing");
  return std::nullopt;
}

void Standbys::Ended(const Choice& choice, const absl::Status& status) {
  if (absl::IsUnavailable(status)) standbys_[choice.standby]->Distrust();
  Count(status.ok() ? "standby" : "failed");
}

void Standbys::Wrote(absl::string_view organization_id, absl::Duration until) {
  const int64_t now = SteadyMicros();
  MutexLock lock(mutex_);
  if (wrote_.size() >= kMostWritten) {
    const int64_t fresh = now - absl::ToInt64Microseconds(options_.max_lag);
    absl::erase_if(wrote_, [&](const auto& entry) { return entry.second < fresh; });
  }
  int64_t& last = wrote_[organization_id];
  last = std::max(last, now + absl::ToInt64Microseconds(until));
}

int64_t Standbys::LastWrite(absl::string_view organization_id, int64_t not_before) {
  MutexLock lock(mutex_);
  const auto found = wrote_.find(organization_id);
  return found == wrote_.end() ? not_before : std::max(found->second, not_before);
}

void Standbys::Count(absl::string_view answered_by) const {
  if (reads_) reads_->With({answered_by}).Increment();
}

}  // namespace rapport::sql::internal
