#include "common/events/event_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/audit/audit_log.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/convert.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace rapport::events {
namespace {

using sql::Reach;

const sql::Statement kAppend{"events.append", R"sql(
  INSERT INTO outbox_pending (organization_id, event_id, resource, version, type, payload,
                              occur_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7))sql"};

const sql::Statement kLook{"events.look", R"sql(
  SELECT last_position,
    (SELECT occur_time FROM outbox_pending ORDER BY id LIMIT 1),
    (SELECT occur_time FROM audit_pending ORDER BY id LIMIT 1)
  FROM feed_state)sql",
                           Reach::kFeed};

const sql::Statement kNumber{"events.number", R"sql(
  INSERT INTO event (position, organization_id, event_id, resource, version, type, payload,
                     occur_time, sequence_time)
  SELECT feed_state.last_position + row_number() OVER (ORDER BY batch.id), batch.organization_id,
    batch.event_id, batch.resource, batch.version, batch.type, batch.payload, batch.occur_time, $2
  FROM (SELECT * FROM outbox_pending ORDER BY id LIMIT $1) AS batch, feed_state
  WHERE feed_state.id = 1
  RETURNING position)sql",
                             Reach::kFeed};

// Just what was numbered: others may have become visible meanwhile, with lower ids too.
const sql::Statement kForget{"events.forget", R"sql(
  DELETE FROM outbox_pending WHERE event_id IN (
    SELECT event_id FROM event WHERE position >= $1 AND position <= $2))sql",
                             Reach::kFeed};

const sql::Statement kAdvance{"events.advance", R"sql(
  UPDATE feed_state SET last_position = last_position + $1)sql",
                              Reach::kFeed};

const sql::Statement kState{"events.state", R"sql(
  SELECT epoch, last_position FROM feed_state)sql",
                            Reach::kFeed};

// Types come as ",a,b,": `replace` finds them alike on both engines.
const sql::Statement kRead{"events.read", R"sql(
  SELECT position, organization_id, event_id, resource, version, occur_time, payload FROM event
  WHERE position > $1 AND position <= $2
    AND ($3 = '' OR replace($3, ',' || type || ',', '') <> $3)
  ORDER BY position LIMIT $4)sql",
                           Reach::kFeed};

const sql::Statement kReadOfOne{"events.read_of_one", R"sql(
  SELECT position, organization_id, event_id, resource, version, occur_time, payload FROM event
  WHERE organization_id = $5 AND position > $1 AND position <= $2
    AND ($3 = '' OR replace($3, ',' || type || ',', '') <> $3)
  ORDER BY position LIMIT $4)sql"};

const sql::Statement kSnapshot{"events.snapshot", R"sql(
  SELECT e.position, e.organization_id, e.event_id, e.resource, e.version, e.occur_time, e.payload
  FROM event AS e
  WHERE e.position > $1 AND e.position <= $2
    AND ($3 = '' OR replace($3, ',' || e.type || ',', '') <> $3)
    AND NOT EXISTS (SELECT 1 FROM event AS newer
                    WHERE newer.organization_id = e.organization_id
                      AND newer.resource = e.resource AND newer.type = e.type
                      AND newer.position > e.position AND newer.position <= $5)
  ORDER BY e.position LIMIT $4)sql",
                               Reach::kFeed};

const sql::Statement kSnapshotOfOne{"events.snapshot_of_one", R"sql(
  SELECT e.position, e.organization_id, e.event_id, e.resource, e.version, e.occur_time, e.payload
  FROM event AS e
  WHERE e.organization_id = $6 AND e.position > $1 AND e.position <= $2
    AND ($3 = '' OR replace($3, ',' || e.type || ',', '') <> $3)
    AND NOT EXISTS (SELECT 1 FROM event AS newer
                    WHERE newer.organization_id = e.organization_id
                      AND newer.resource = e.resource AND newer.type = e.type
                      AND newer.position > e.position AND newer.position <= $5)
  ORDER BY e.position LIMIT $4)sql"};

const sql::Statement kReadPending{"events.read_pending", R"sql(
  SELECT organization_id, event_id, resource, version, occur_time, payload FROM outbox_pending
  WHERE $1 = '' OR replace($1, ',' || type || ',', '') <> $1
  ORDER BY id LIMIT $2)sql",
                                  Reach::kFeed};

// Loses its race at the latest at the next tick.
constexpr absl::Duration kPatience = absl::Seconds(10);

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

std::string Packed(const google::protobuf::Message& payload) {
  google::protobuf::Any any;
  any.set_type_url(absl::StrCat("type.googleapis.com/", payload.GetDescriptor()->full_name()));
  any.set_value(Deterministic(payload));
  return Deterministic(any);
}

std::string Listed(const std::vector<std::string>& types) {
  return types.empty() ? "" : absl::StrCat(",", absl::StrJoin(types, ","), ",");
}

std::vector<sql::Value> Parameters(const Range& range) {
  return {sql::Int(range.after), sql::Int(range.up_to), sql::Text(Listed(range.types)),
          sql::Int(range.limit)};
}

// From the columns organization_id, event_id, resource, version, occur_time, payload.
absl::Status Fill(const sql::Result& rows, size_t row, int column, common::v1::Event& event) {
  event.set_organization(names::Organization(rows.Text(row, column)));
  event.set_event_id(rows.Text(row, column + 1));
  event.set_resource(rows.Text(row, column + 2));
  event.set_version(rows.Int(row, column + 3));
  *event.mutable_occur_time() = time::ToTimestamp(rows.Time(row, column + 4));
  if (event.mutable_payload()->ParseFromString(rows.Bytes(row, column + 5))) {
    return absl::OkStatus();
  }
  return errors::Internal(
      absl::StrCat("The payload of event ", event.event_id(), " can't be parsed."));
}

absl::StatusOr<std::vector<common::v1::Event>> Read(sql::Session& session,
                                                    const std::string& organization_id,
                                                    const sql::Statement& of_all,
                                                    const sql::Statement& of_one,
                                                    std::vector<sql::Value> parameters) {
  const bool all = organization_id.empty();
  if (!all) parameters.push_back(sql::Text(organization_id));
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(all ? of_all : of_one, parameters));
  std::vector<common::v1::Event> events(rows.rows());
  for (size_t row = 0; row < events.size(); ++row) {
    events[row].set_position(rows.Int(row, 0));
    RETURN_IF_ERROR(Fill(rows, row, 1, events[row]));
  }
  return events;
}

}  // namespace

void Append(sql::Transaction& tx, absl::string_view organization_id, absl::string_view resource,
            int64_t version, absl::Time occur_time, const google::protobuf::Message& payload) {
  tx.Defer(kAppend, {sql::Text(organization_id), sql::Text(ids::NewUlid()), sql::Text(resource),
                     sql::Int(version), sql::Text(payload.GetDescriptor()->full_name()),
                     sql::Bytes(Packed(payload)), sql::Micros(occur_time)});
}

std::optional<common::v1::Event> AppendedBy(const sql::Statement& statement,
                                            absl::Span<const sql::Value> parameters) {
  if (&statement != &kAppend) return std::nullopt;
  common::v1::Event event;
  event.set_organization(names::Organization(std::get<std::string>(parameters[0])));
  event.set_event_id(std::get<std::string>(parameters[1]));
  event.set_resource(std::get<std::string>(parameters[2]));
  event.set_version(std::get<int64_t>(parameters[3]));
  event.mutable_payload()->ParseFromString(std::get<sql::Blob>(parameters[5]).bytes);
  return event;
}

absl::StatusOr<bool> Sequencer::Look(absl::Time now) {
  sql::Result look;
  RETURN_IF_ERROR(database_.Read(sql::Access::Feed(), absl::Now() + kPatience,
                                 [&](sql::Session& session) -> absl::Status {
                                   ASSIGN_OR_RETURN(look, session.Query(kLook, {}));
                                   return absl::OkStatus();
                                 }));
  if (look.empty()) return errors::Internal("feed_state has no row; migrate the database.");
  const auto age = [&](int column) {
    return std::max<int64_t>(
        0, look.IsNull(0, column) ? 0 : absl::ToInt64Microseconds(now - look.Time(0, column)));
  };
  Advance(look.Int(0, 0));
  event_age_ = age(1);
  audit_age_ = age(2);
  return !look.IsNull(0, 1) || !look.IsNull(0, 2);
}

void Sequencer::Advance(int64_t position) {
  int64_t known = last_position_.load();
  while (known < position && !last_position_.compare_exchange_weak(known, position)) {
  }
}

absl::StatusOr<int> Sequencer::RunOnce(absl::Time now) {
  ASSIGN_OR_RETURN(const bool pending, Look(now));
  if (!pending) return 0;
  int moved = 0;
  int64_t last = 0;
  const absl::Status status = database_.Write(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) -> absl::Status {
        RETURN_IF_ERROR(tx.TryLock("sequencer"));
        ASSIGN_OR_RETURN(const sql::Result numbered,
                         tx.Query(kNumber, {sql::Int(kBatch), sql::Micros(now)}));
        const auto events = static_cast<int>(numbered.rows());
        for (int row = 0; row < events; ++row) last = std::max(last, numbered.Int(row, 0));
        if (events > 0) {
          tx.Defer(kForget, {sql::Int(last - events + 1), sql::Int(last)});
          tx.Defer(kAdvance, {sql::Int(events)});
        }
        ASSIGN_OR_RETURN(const int entries, audit::Sequence(tx, kBatch, now));
        moved = events + entries;
        return absl::OkStatus();
      });
  if (errors::Reason(status) == "LOCKED") return 0;
  RETURN_IF_ERROR(status);
  Advance(last);
  return moved;
}

absl::StatusOr<LogState> ReadState(sql::Session& session) {
  ASSIGN_OR_RETURN(const sql::Result rows, session.Query(kState, {}));
  if (rows.empty()) return errors::Internal("feed_state has no row; migrate the database.");
  return LogState{rows.Text(0, 0), rows.Int(0, 1)};
}

absl::StatusOr<std::vector<common::v1::Event>> ReadEvents(sql::Session& session,
                                                          const Range& range) {
  return Read(session, range.organization_id, kRead, kReadOfOne, Parameters(range));
}

absl::StatusOr<std::vector<common::v1::Event>> ReadSnapshot(sql::Session& session,
                                                            const Range& range, int64_t until) {
  std::vector<sql::Value> parameters = Parameters(range);
  parameters.push_back(sql::Int(until));
  return Read(session, range.organization_id, kSnapshot, kSnapshotOfOne, std::move(parameters));
}

absl::StatusOr<std::vector<common::v1::Event>> ReadPending(sql::Session& session,
                                                           const std::vector<std::string>& types,
                                                           int limit) {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kReadPending, {sql::Text(Listed(types)), sql::Int(limit)}));
  std::vector<common::v1::Event> events(rows.rows());
  for (size_t row = 0; row < events.size(); ++row) {
    RETURN_IF_ERROR(Fill(rows, row, 0, events[row]));
  }
  return events;
}

}  // namespace rapport::events
