#include "common/events/compaction.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "common/errors/status_macros.h"

namespace rapport::events {
namespace {

using sql::Reach;

const sql::Statement kNoteConsumer{"events.consumer.note", R"sql(
  INSERT INTO feed_consumer (consumer, position, update_time) VALUES ($1, $2, $3)
  ON CONFLICT (consumer) DO UPDATE
  SET position = CASE WHEN feed_consumer.position > excluded.position
                      THEN feed_consumer.position ELSE excluded.position END,
      update_time = excluded.update_time)sql",
                                   Reach::kFeed};

const sql::Statement kForgetConsumers{"events.consumer.forget", R"sql(
  DELETE FROM feed_consumer WHERE update_time < $1)sql",
                                      Reach::kFeed};

const sql::Statement kCompactedUntil{"events.compacted_until", R"sql(
  SELECT compacted_until FROM feed_compaction)sql",
                                     Reach::kFeed};

const sql::Statement kSlowest{"events.consumer.slowest", R"sql(
  SELECT min(position) FROM feed_consumer)sql",
                              Reach::kFeed};

// The newest of the next $2 positions that was numbered before $3; positions are dense only above
// the compacted ones.
const sql::Statement kNext{"events.compact.next", R"sql(
  SELECT max(position) FROM event WHERE position > $1 AND position <= $2 AND sequence_time < $3)sql",
                           Reach::kFeed};

// What the window's events supersede, before the window too.
const sql::Statement kDrop{"events.compact.drop", R"sql(
  DELETE FROM event WHERE position IN (
    SELECT older.position FROM event AS newer JOIN event AS older
      ON older.organization_id = newer.organization_id AND older.resource = newer.resource
     AND older.type = newer.type AND older.position < newer.position
    WHERE newer.position > $1 AND newer.position <= $2))sql",
                           Reach::kFeed};

const sql::Statement kAdvance{"events.compact.advance", R"sql(
  UPDATE feed_compaction SET compacted_until = $1)sql",
                              Reach::kFeed};

constexpr absl::Duration kPatience = absl::Seconds(10);

}  // namespace

absl::Status NoteConsumer(sql::Database& database, absl::string_view consumer, int64_t position) {
  return database.Write(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) -> absl::Status {
        return tx
            .Query(kNoteConsumer,
                   {sql::Text(consumer), sql::Int(position), sql::Micros(absl::Now())})
            .status();
      });
}

absl::StatusOr<int64_t> CompactedUntil(sql::Session& session) {
  ASSIGN_OR_RETURN(const sql::Result row, session.Query(kCompactedUntil, {}));
  return row.empty() ? 0 : row.Int(0, 0);
}

absl::StatusOr<int64_t> CompactOnce(sql::Database& database, absl::Time keep_since, int64_t batch) {
  int64_t gone = 0;
  RETURN_IF_ERROR(database.Write(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) -> absl::Status {
        gone = 0;
        if (!tx.TryLock("events/compaction").ok()) return absl::OkStatus();
        ASSIGN_OR_RETURN(const int64_t from, CompactedUntil(tx));
        tx.Defer(kForgetConsumers, {sql::Micros(absl::Now() - kConsumerForgotten)});
        ASSIGN_OR_RETURN(const sql::Result slowest, tx.Query(kSlowest, {}));
        int64_t to = from + batch;
        if (!slowest.IsNull(0, 0)) to = std::min(to, slowest.Int(0, 0));
        if (to <= from) return absl::OkStatus();
        ASSIGN_OR_RETURN(const sql::Result next,
                         tx.Query(kNext, {sql::Int(from), sql::Int(to), sql::Micros(keep_since)}));
        if (next.IsNull(0, 0)) return absl::OkStatus();
        to = next.Int(0, 0);
        tx.Defer(kDrop, {sql::Int(from), sql::Int(to)});
        tx.Defer(kAdvance, {sql::Int(to)});
        gone = to - from;
        return absl::OkStatus();
      }));
  return gone;
}

}  // namespace rapport::events
