#include "common/work/work.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::work {
namespace {

const sql::Statement kSchedule{"work.schedule", R"sql(
  INSERT INTO due_work (organization_id, kind, key, due_at, attempts, revision)
  VALUES ($1, $2, $3, $4, 0, 0)
  ON CONFLICT (organization_id, kind, key) DO UPDATE
  SET due_at = excluded.due_at, attempts = 0, revision = due_work.revision + 1)sql"};

const sql::Statement kUnschedule{"work.unschedule", R"sql(
  DELETE FROM due_work WHERE organization_id = $1 AND kind = $2 AND key = $3)sql"};

// Kinds come as ",a,b,": `replace` finds them alike on both engines.
const sql::Statement kDue{"work.due", R"sql(
  SELECT organization_id, kind, key, due_at, attempts FROM due_work
  WHERE due_at <= $1 AND replace($2, ',' || kind || ',', '') <> $2
  ORDER BY due_at LIMIT $3)sql",
                          sql::Reach::kFeed};

const sql::Statement kLook{"work.look", R"sql(
  SELECT due_at, attempts, revision FROM due_work
  WHERE organization_id = $1 AND kind = $2 AND key = $3 AND due_at <= $4)sql"};

// These two unless it was scheduled anew meanwhile.
const sql::Statement kDone{"work.done", R"sql(
  DELETE FROM due_work
  WHERE organization_id = $1 AND kind = $2 AND key = $3 AND revision = $4)sql"};

const sql::Statement kPutOff{"work.put_off", R"sql(
  UPDATE due_work SET attempts = attempts + 1, due_at = $5
  WHERE organization_id = $1 AND kind = $2 AND key = $3 AND revision = $4)sql"};

const sql::Statement kLacking{"work.lacking", R"sql(
  SELECT o.organization_id FROM organization o
  WHERE o.organization_id > $1
    AND NOT EXISTS (SELECT 1 FROM due_work d
                    WHERE d.organization_id = o.organization_id AND d.kind = $2 AND d.key = $3)
  ORDER BY o.organization_id LIMIT $4)sql",
                              sql::Reach::kFeed};

constexpr int kPage = 100;
constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kFirstPause = absl::Seconds(1);
constexpr absl::Duration kLongestPause = absl::Minutes(5);

absl::Duration PauseAfter(int attempts) {
  return std::min(kFirstPause * (int64_t{1} << std::min(attempts, 10)), kLongestPause);
}

}  // namespace

void Schedule(sql::Transaction& tx, absl::string_view organization_id, absl::string_view kind,
              absl::string_view key, absl::Time due) {
  tx.Defer(kSchedule,
           {sql::Text(organization_id), sql::Text(kind), sql::Text(key), sql::Micros(due)});
}

void Unschedule(sql::Transaction& tx, absl::string_view organization_id, absl::string_view kind,
                absl::string_view key) {
  tx.Defer(kUnschedule, {sql::Text(organization_id), sql::Text(kind), sql::Text(key)});
}

absl::Status ScheduleEverywhere(sql::Database& database, absl::string_view kind,
                                absl::string_view key, absl::Time now) {
  std::string after;
  for (size_t found = kPage; found == kPage;) {
    std::vector<std::string> organizations;
    RETURN_IF_ERROR(database.Read(
        sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(const sql::Result rows,
                           session.Query(kLacking, {sql::Text(after), sql::Text(kind),
                                                    sql::Text(key), sql::Int(kPage)}));
          for (size_t i = 0; i < rows.rows(); ++i) organizations.push_back(rows.Text(i, 0));
          return absl::OkStatus();
        }));
    for (const std::string& organization_id : organizations) {
      RETURN_IF_ERROR(database.Write(sql::Access::Tenant(organization_id), absl::Now() + kPatience,
                                     [&](sql::Transaction& tx) {
                                       Schedule(tx, organization_id, kind, key, now);
                                       return absl::OkStatus();
                                     }));
    }
    found = organizations.size();
    if (found > 0) after = organizations.back();
  }
  return absl::OkStatus();
}

Worker::Worker(sql::Database& database, time::Clock& clock, telemetry::Metrics& metrics)
    : database_(database),
      clock_(clock),
      done_(metrics.Counters(telemetry::metric::kWorkDone, "What the service has done by itself.",
                             {"kind"})),
      failed_(metrics.Counters(telemetry::metric::kWorkFailed,
                               "What failed and will be tried again.", {"kind"})),
      oldest_(metrics
                  .Gauges(telemetry::metric::kWorkAge,
                          "How long the oldest thing to do is due, in domain time.")
                  .With({})),
      due_(metrics
               .Gauges(telemetry::metric::kWorkDue,
                       "Things that were due at the last look, counted up to 100.")
               .With({})) {}

Worker::~Worker() { Stop(); }

void Worker::On(absl::string_view kind, Act act) {
  acts_[std::string(kind)] = std::move(act);
  absl::StrAppend(&kinds_, kind, ",");
}

void Worker::Start(absl::Duration period) {
  thread_ = std::make_unique<PeriodicThread>("work", period, [this, failing = false]() mutable {
    const absl::Status status = RunOnce().status();
    if (!status.ok() && !failing) {
      telemetry::Log(telemetry::Severity::kWarning, "What is due can't be done now",
                     {{"status", status.ToString()}});
    }
    failing = !status.ok();
  });
}

void Worker::Stop() {
  stopping_ = true;
  thread_.reset();
  stopping_ = false;
}

absl::StatusOr<int> Worker::RunOnce(int limit) {
  int done = 0;
  bool first = true;
  while (done < limit && !stopping_) {
    const absl::Time now = clock_.Now();
    ASSIGN_OR_RETURN(const std::vector<Item> items, Due(now, std::min(kPage, limit - done)));
    if (first) {
      oldest_.Set(items.empty() ? 0 : absl::ToDoubleSeconds(now - items[0].due));
      due_.Set(static_cast<double>(items.size()));
    }
    first = false;
    const int before = done;
    for (const Item& item : items) {
      if (stopping_) break;
      ASSIGN_OR_RETURN(const bool was_done, Do(item));
      if (was_done) ++done;
    }
    if (done == before) break;
  }
  return done;
}

absl::StatusOr<std::vector<Item>> Worker::Due(absl::Time now, int limit) {
  std::vector<Item> items;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(
            const sql::Result rows,
            session.Query(kDue, {sql::Micros(now), sql::Text(kinds_), sql::Int(limit)}));
        for (size_t i = 0; i < rows.rows(); ++i) {
          items.push_back({rows.Text(i, 0), rows.Text(i, 1), rows.Text(i, 2), rows.Time(i, 3),
                           static_cast<int>(rows.Int(i, 4))});
        }
        return absl::OkStatus();
      }));
  return items;
}

absl::StatusOr<bool> Worker::Do(const Item& item) {
  const Act& act = acts_.find(item.kind)->second;
  const absl::Time now = clock_.Now();
  Item current = item;
  int64_t revision = 0;
  bool taken = false;
  const absl::Status status = database_.Write(
      sql::Access::Tenant(item.organization_id), absl::Now() + kPatience,
      [&](sql::Transaction& tx) -> absl::Status {
        taken = false;
        // Not the row's lock: who schedules anew what is under way must not wait for it, as it may
        // hold what the act is waiting for.
        if (!tx.TryLock(absl::StrCat("work/", item.organization_id, "/", item.kind, "/", item.key))
                 .ok()) {
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(const sql::Result row,
                         tx.Query(kLook, {sql::Text(item.organization_id), sql::Text(item.kind),
                                          sql::Text(item.key), sql::Micros(now)}));
        if (row.empty()) return absl::OkStatus();
        taken = true;
        current.due = row.Time(0, 0);
        current.attempts = static_cast<int>(row.Int(0, 1));
        revision = row.Int(0, 2);
        RETURN_IF_ERROR(act(tx, current, now));
        tx.Defer(kDone, {sql::Text(item.organization_id), sql::Text(item.kind), sql::Text(item.key),
                         sql::Int(revision)});
        return absl::OkStatus();
      });
  if (status.ok()) {
    if (taken) done_.With({item.kind}).Increment();
    return taken;
  }
  if (!taken) return status;
  failed_.With({item.kind}).Increment();
  RETURN_IF_ERROR(PutOff(current, revision, now, status));
  return false;
}

absl::Status Worker::PutOff(const Item& item, int64_t revision, absl::Time now,
                            const absl::Status& failure) {
  telemetry::Log(telemetry::Severity::kWarning, "Something due failed and is put off",
                 {{"organization", item.organization_id},
                  {"kind", item.kind},
                  {"key", item.key},
                  {"attempts", absl::StrCat(item.attempts + 1)},
                  {"status", failure.ToString()}});
  return database_.Write(
      sql::Access::Tenant(item.organization_id), absl::Now() + kPatience,
      [&](sql::Transaction& tx) {
        return tx
            .Query(kPutOff,
                   {sql::Text(item.organization_id), sql::Text(item.kind), sql::Text(item.key),
                    sql::Int(revision), sql::Micros(now + PauseAfter(item.attempts))})
            .status();
      });
}

}  // namespace rapport::work
