#include "common/sql/durability.h"

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/telemetry/log.h"

namespace rapport::sql::internal {
namespace {

enum Column {
  kFsync,
  kFullPageWrites,
  kStandbyNames,
  kStandby,
  kSystem,
  kWalFile,
  kAttached,
  kSees,
  kFlushed
};

absl::Status Unsafe(absl::string_view why) {
  return errors::Unavailable(
      "UNSAFE_DURABILITY",
      absl::StrCat("The database would lose acknowledged writes: ", why, ". Nothing is written."),
      "database", absl::Seconds(5));
}

}  // namespace

// A standby's rows show their sync_state only to pg_read_all_stats. The file's name begins with the
// timeline.
const Command kInspect = {
    "sql.inspect",
    "SELECT current_setting('fsync'), current_setting('full_page_writes'),"
    " current_setting('synchronous_standby_names'), pg_is_in_recovery(),"
    " (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()),"
    " CASE WHEN pg_is_in_recovery() THEN ''"
    "  ELSE pg_walfile_name(pg_current_wal_insert_lsn()) END,"
    " (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),"
    " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),"
    " CASE WHEN pg_is_in_recovery() THEN ''"
    "  ELSE CAST(pg_current_wal_flush_lsn() AS TEXT) END"};

const Command kRaiseCommit = {
    "sql.raise_commit",
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"};

absl::Status Durability::Judge(const Result& row) {
  if (row.Bool(0, kStandby)) {
    return errors::Unavailable("DATABASE_READ_ONLY",
                               "The database server is a standby. Nothing is written; repeat the "
                               "call.",
                               "database");
  }
  const auto [system, timeline, flushed] = PlaceOf(row);
  std::string& newest = timelines_[system];
  if (timeline < newest) {
    return errors::Unavailable(
        kStalePrimary,
        absl::StrCat("The database server is on timeline ", timeline,
                     ", from before the failover to ", newest, ". Nothing is written; stop it."),
        "database", absl::Seconds(5));
  }
  newest = timeline;
  for (const Column setting : {kFsync, kFullPageWrites}) {
    if (row.Text(0, setting) == "off") {
      return Unsafe(setting == kFsync ? "fsync is off" : "full_page_writes is off");
    }
  }
  if (!rules_.require_synchronous_standby) return absl::OkStatus();
  if (row.Text(0, kStandbyNames).empty()) return Unsafe("synchronous_standby_names is empty");
  // Whoever may not see them relies on the names: no commit returns without a standby then.
  if (row.Bool(0, kSees) && row.Int(0, kAttached) == 0) {
    return Unsafe("no synchronous standby is attached");
  }
  return absl::OkStatus();
}

Durability::LogPlace Durability::PlaceOf(const Result& row) {
  return {.system = row.Text(0, kSystem),
          .timeline = row.Text(0, kWalFile).substr(0, 8),
          .flushed = row.Text(0, kFlushed)};
}

absl::Status Durability::Observe(const Result& row) {
  MutexLock lock(mutex_);
  const absl::Status status = Judge(row);
  if (status != told_) {
    if (status.ok()) {
      telemetry::Log(telemetry::Severity::kInfo, "the database keeps what it acknowledges again");
    } else {
      telemetry::Log(telemetry::Severity::kError, "writes are refused",
                     {{"reason", errors::Reason(status)}, {"text", std::string(status.message())}});
    }
  }
  told_ = status;
  return status;
}

}  // namespace rapport::sql::internal
