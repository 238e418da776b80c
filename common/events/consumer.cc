#include "common/events/consumer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::events {
namespace {

using sql::Reach;

const sql::Statement kBegin{"consumer.begin", R"sql(
  INSERT INTO consumer_cursor (consumer, feed, cursor, update_time) VALUES ($1, $2, $3, $4)
  ON CONFLICT (consumer, feed) DO NOTHING)sql",
                            Reach::kFeed};

const sql::Statement kLoad{"consumer.load", R"sql(
  SELECT cursor, update_time FROM consumer_cursor WHERE consumer = $1 AND feed = $2)sql",
                           Reach::kFeed};

// Also the lock: a second replica waits here and then finds another cursor.
const sql::Statement kMove{"consumer.move", R"sql(
  UPDATE consumer_cursor SET cursor = $4, update_time = $5
  WHERE consumer = $1 AND feed = $2 AND cursor = $3)sql",
                           Reach::kFeed};

const sql::Statement kHold{"consumer.hold", R"sql(
  UPDATE consumer_cursor SET update_time = update_time WHERE consumer = $1 AND feed = $2)sql",
                           Reach::kFeed};

const sql::Statement kCountParked{"consumer.count_parked", R"sql(
  SELECT count(*) FROM parked_event WHERE consumer = $1 AND feed = $2)sql",
                                  Reach::kFeed};

const sql::Statement kListParked{"consumer.list_parked", R"sql(
  SELECT position, event FROM parked_event WHERE consumer = $1 AND feed = $2 AND position > $3
  ORDER BY position LIMIT $4)sql",
                                 Reach::kFeed};

const sql::Statement kDropParked{"consumer.drop_parked", R"sql(
  DELETE FROM parked_event WHERE consumer = $1 AND feed = $2)sql",
                                 Reach::kFeed};

const sql::Statement kIsParked{"consumer.is_parked", R"sql(
  SELECT 1 FROM parked_event
  WHERE organization_id = $3 AND consumer = $1 AND feed = $2 AND resource = $4 LIMIT 1)sql"};

const sql::Statement kPark{"consumer.park", R"sql(
  INSERT INTO parked_event (consumer, feed, organization_id, position, resource, event, attempts,
                            error_code, park_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql"};

const sql::Statement kUnpark{"consumer.unpark", R"sql(
  DELETE FROM parked_event
  WHERE organization_id = $3 AND consumer = $1 AND feed = $2 AND position = $4)sql"};

const sql::Statement kFailedAgain{"consumer.failed_again", R"sql(
  UPDATE parked_event SET attempts = attempts + 1, error_code = $5
  WHERE organization_id = $3 AND consumer = $1 AND feed = $2 AND position = $4)sql"};

constexpr int kAttempts = 5;
constexpr int kFullResponse = 500;
constexpr int kRetryPage = 100;
constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kSaveEvery = absl::Seconds(15);
constexpr char kOvertaken[] = "CURSOR_MOVED";

// Before the first look at the database: behind by more than any rule forgives.
constexpr int64_t kLongAgo = 1;

int64_t NowMicros() { return absl::ToUnixMicros(absl::Now()); }

std::string OrganizationId(const common::v1::Event& event) {
  return std::string(names::OrganizationId(event.organization()));
}

// An event of nobody belongs to no tenant; sql::Access would take it for the feed's.
absl::Status RequireOrganization(const common::v1::Event& event) {
  if (!OrganizationId(event).empty()) return absl::OkStatus();
  return errors::Internal("An event names no organisation.");
}

bool SpeaksOfTheDatabase(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsAborted(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsResourceExhausted(status) ||
         absl::IsCancelled(status);
}

// As after an upgrade that reads other types.
bool RefusesCursor(const absl::Status& status) {
  const std::vector<errors::FieldViolation> violations = errors::FieldViolations(status);
  return violations.size() == 1 && violations.front().field == "cursor";
}

std::string ErrorCode(const absl::Status& status) {
  const std::string reason = errors::Reason(status);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

sql::Value ToBytes(int64_t position, absl::string_view cursor) {
  return sql::Bytes(absl::StrCat(position, "\n", cursor));
}

}  // namespace

Consumer::Consumer(sql::Database& database, ConsumerOptions options, OpenFeed open,
                   ApplyEvent apply)
    : database_(database),
      options_(std::move(options)),
      open_(std::move(open)),
      apply_(std::move(apply)),
      behind_since_(kLongAgo) {
  if (options_.metrics == nullptr) return;
  namespace metric = telemetry::metric;
  lag_gauge_ =
      options_.metrics
          ->Gauges(metric::kConsumerLag,
                   "How long the consumer has not known all that the feed tells.", {"feed"})
          .With({options_.feed});
  parked_gauge_ = options_.metrics
                      ->Gauges(metric::kConsumerParked,
                               "Events set aside because they can't be applied.", {"feed"})
                      .With({options_.feed});
}

Consumer::~Consumer() { Stop(); }

void Consumer::Start() {
  MutexLock lock(mutex_);
  stopping_ = false;
  thread_ = std::thread([this] { Run(); });
  watch_ = std::make_unique<PeriodicThread>("silence", options_.silence / 4,
                                            [this] { LookForSilence(); });
}

void Consumer::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (stream_ != nullptr) stream_->Cancel();
  }
  stop_.SignalAll();
  if (thread_.joinable()) thread_.join();
  watch_.reset();
}

void Consumer::LookForSilence() {
  const int64_t since = reading_since_;
  if (since == 0 || absl::Microseconds(NowMicros() - since) <= options_.silence) return;
  MutexLock lock(mutex_);
  if (stream_ != nullptr) stream_->Cancel();
}

bool Consumer::Stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

void Consumer::Pause(absl::Duration duration) {
  FellBehind();
  const absl::Time until = absl::Now() + duration;
  MutexLock lock(mutex_);
  while (!stopping_ && stop_.WaitUntil(mutex_, until)) {
  }
}

void Consumer::Heard(bool everything) {
  heard_ = NowMicros();
  if (everything) {
    behind_since_ = 0;
    if (lag_gauge_) lag_gauge_->Set(0);
    if (parked_gauge_) parked_gauge_->Set(static_cast<double>(parked()));
  } else {
    FellBehind();
  }
}

void Consumer::FellBehind() {
  int64_t not_behind = 0;
  behind_since_.compare_exchange_strong(not_behind, NowMicros());
  if (lag_gauge_) lag_gauge_->Set(absl::ToDoubleSeconds(lag()));
  if (parked_gauge_) parked_gauge_->Set(static_cast<double>(parked()));
}

absl::Duration Consumer::lag() const {
  const int64_t since = behind_since_;
  if (since != 0) return absl::Microseconds(NowMicros() - since);
  const absl::Duration silence = absl::Microseconds(NowMicros() - heard_);
  return silence > options_.silence ? silence : absl::ZeroDuration();
}

void Consumer::Run() {
  absl::Duration pause = options_.first_backoff;
  bool told = false;
  while (!Stopping()) {
    bool heard = false;
    absl::Status status = Follow(heard);
    if (absl::IsOutOfRange(status) || RefusesCursor(status)) status = StartOver();
    if (heard) pause = options_.first_backoff;
    if (absl::IsCancelled(status) && heard) {
      told = false;
      continue;
    }
    if (errors::Reason(status) == kOvertaken) {
      Pause(options_.max_backoff);
      continue;
    }
    if (!status.ok() && !absl::IsCancelled(status) && !std::exchange(told, true)) {
      telemetry::Log(telemetry::Severity::kWarning, "the feed can't be followed",
                     {{"feed", options_.feed}, {"error", ErrorCode(status)}});
    }
    Pause(pause);
    pause = std::min(2 * pause, options_.max_backoff);
  }
}

absl::Status Consumer::Follow(bool& heard) {
  RETURN_IF_ERROR(Load());
  common::v1::WatchRequest request;
  for (const std::string& type : options_.types) request.add_types(type);
  request.set_cursor(progress_.cursor);
  request.set_from_snapshot(progress_.cursor.empty());
  ASSIGN_OR_RETURN(const std::unique_ptr<FeedStream> stream, open_(request));
  {
    MutexLock lock(mutex_);
    if (stopping_) return absl::CancelledError();
    stream_ = stream.get();
  }
  const absl::Cleanup let_go = [this] {
    MutexLock lock(mutex_);
    stream_ = nullptr;
  };
  for (;;) {
    reading_since_ = NowMicros();
    const absl::StatusOr<common::v1::WatchResponse> read = stream->Read();
    reading_since_ = 0;
    RETURN_IF_ERROR(read.status());
    const common::v1::WatchResponse& response = *read;
    heard = true;
    Heard(response.events().empty());
    RETURN_IF_ERROR(Take(response));
    Heard(response.events_size() < kFullResponse);
  }
}

absl::Status Consumer::Load() {
  MutexLock lock(parked_mutex_);
  return database_.Write(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) -> absl::Status {
        const sql::Value consumer = sql::Text(options_.consumer), feed = sql::Text(options_.feed);
        tx.Defer(kBegin, {consumer, feed, ToBytes(-1, ""), sql::Int(NowMicros())});
        ASSIGN_OR_RETURN(const sql::Result row, tx.Query(kLoad, {consumer, feed}));
        ASSIGN_OR_RETURN(const sql::Result parked, tx.Query(kCountParked, {consumer, feed}));
        const std::pair<std::string, std::string> parts =
            absl::StrSplit(row.Bytes(0, 0), absl::MaxSplits('\n', 1));
        if (!absl::SimpleAtoi(parts.first, &progress_.position)) {
          return errors::Internal("A row of consumer_cursor can't be read.");
        }
        progress_.cursor = parts.second;
        position_ = progress_.position;
        parked_ = parked.Int(0, 0);
        // What was true when the cursor was last moved may have changed ever since.
        int64_t unknown = kLongAgo;
        behind_since_.compare_exchange_strong(unknown, row.Int(0, 1));
        return absl::OkStatus();
      });
}

// The snapshot tells the newest of each resource again, those of parked events too. Positions of
// another epoch begin anew.
absl::Status Consumer::StartOver() {
  return database_.Write(
      sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Transaction& tx) -> absl::Status {
        RETURN_IF_ERROR(Move(tx, Progress()));
        tx.Defer(kDropParked, {sql::Text(options_.consumer), sql::Text(options_.feed)});
        return absl::OkStatus();
      });
}

absl::Status Consumer::Take(const common::v1::WatchResponse& response) {
  for (int i = 0; i < response.events_size(); ++i) {
    const common::v1::Event& event = response.events(i);
    if (event.position() <= progress_.position) continue;
    const bool last = i + 1 == response.events_size();
    RETURN_IF_ERROR(
        ApplyOrPark(event, {last ? response.cursor() : progress_.cursor, event.position()}));
  }
  if (progress_.cursor == response.cursor() || absl::Now() - save_time_ < kSaveEvery) {
    return absl::OkStatus();
  }
  const Progress next = {response.cursor(), progress_.position};
  RETURN_IF_ERROR(database_.Write(sql::Access::Feed(), absl::Now() + kPatience,
                                  [&](sql::Transaction& tx) { return Move(tx, next); }));
  Moved(next);
  return absl::OkStatus();
}

absl::Status Consumer::ApplyOrPark(const common::v1::Event& event, const Progress& next) {
  absl::Duration pause = options_.first_backoff;
  std::optional<absl::Status> failure;
  for (int failures = 0;;) {
    if (Stopping()) return absl::CancelledError();
    const absl::Status status = Commit(event, next, failure);
    if (status.ok() || failure || errors::Reason(status) == kOvertaken) return status;
    if (!SpeaksOfTheDatabase(status) && ++failures == kAttempts) {
      failure = status;
      telemetry::Log(telemetry::Severity::kError, "an event is parked",
                     {{"feed", options_.feed},
                      {"event", event.event_id()},
                      {"type", event.payload().type_url()},
                      {"error", ErrorCode(status)}});
      continue;
    }
    Pause(pause);
    pause = std::min(2 * pause, options_.max_backoff);
  }
}

absl::Status Consumer::Commit(const common::v1::Event& event, const Progress& next,
                              const std::optional<absl::Status>& failure) {
  if (!failure) RETURN_IF_ERROR(RequireOrganization(event));
  const std::string organization = OrganizationId(event);
  bool parks = false;
  const absl::Status status = database_.Write(
      sql::Access::Tenant(organization), absl::Now() + kPatience,
      [&](sql::Transaction& tx) -> absl::Status {
        RETURN_IF_ERROR(Move(tx, next));
        parks = failure.has_value();
        if (!parks && parked_ > 0) {
          ASSIGN_OR_RETURN(
              const sql::Result earlier,
              tx.Query(kIsParked, {sql::Text(options_.consumer), sql::Text(options_.feed),
                                   sql::Text(organization), sql::Text(event.resource())}));
          parks = !earlier.empty();
        }
        if (!parks) return apply_(tx, event);
        tx.Defer(
            kPark,
            {sql::Text(options_.consumer), sql::Text(options_.feed), sql::Text(organization),
             sql::Int(event.position()), sql::Text(event.resource()),
             sql::Bytes(event.SerializeAsString()), sql::Int(failure ? kAttempts : 0),
             sql::Text(failure ? ErrorCode(*failure) : "EARLIER_PARKED"), sql::Int(NowMicros())});
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(status);
  if (parks) ++parked_;
  Moved(next);
  return absl::OkStatus();
}

absl::Status Consumer::Move(sql::Transaction& tx, const Progress& next) {
  ASSIGN_OR_RETURN(const sql::Result moved,
                   tx.Query(kMove, {sql::Text(options_.consumer), sql::Text(options_.feed),
                                    ToBytes(progress_.position, progress_.cursor),
                                    ToBytes(next.position, next.cursor), sql::Int(NowMicros())}));
  if (moved.affected() == 1) return absl::OkStatus();
  return errors::Aborted(kOvertaken, "Another replica has gone on with this feed.");
}

void Consumer::Moved(const Progress& next) {
  if (next.cursor != progress_.cursor) save_time_ = absl::Now();
  progress_ = next;
  position_ = next.position;
}

absl::StatusOr<int> Consumer::RetryParked() {
  // Until a pass finds nothing: an event may be parked behind one that was just being retried.
  int applied = 0;
  for (int pass = 1; pass > 0; applied += pass) {
    ASSIGN_OR_RETURN(pass, RetryParkedOnce());
  }
  return applied;
}

absl::StatusOr<int> Consumer::RetryParkedOnce() {
  int applied = 0;
  std::set<std::string> stuck;
  for (int64_t after = -1;;) {
    sql::Result page;
    RETURN_IF_ERROR(database_.Read(
        sql::Access::Feed(), absl::Now() + kPatience, [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(
              page,
              session.Query(kListParked, {sql::Text(options_.consumer), sql::Text(options_.feed),
                                          sql::Int(after), sql::Int(kRetryPage)}));
          return absl::OkStatus();
        }));
    for (size_t row = 0; row < page.rows(); ++row) {
      after = page.Int(row, 0);
      common::v1::Event event;
      if (!event.ParseFromString(page.Bytes(row, 1)) || stuck.count(event.resource()) > 0) continue;
      const absl::Status status = Retry(event);
      if (status.ok()) {
        ++applied;
      } else if (SpeaksOfTheDatabase(status)) {
        return status;
      } else {
        stuck.insert(event.resource());
        const std::string organization = OrganizationId(event);
        RETURN_IF_ERROR(database_.Write(
            sql::Access::Tenant(organization), absl::Now() + kPatience,
            [&](sql::Transaction& tx) -> absl::Status {
              tx.Defer(kFailedAgain,
                       {sql::Text(options_.consumer), sql::Text(options_.feed),
                        sql::Text(organization), sql::Int(after), sql::Text(ErrorCode(status))});
              return absl::OkStatus();
            }));
      }
    }
    if (page.rows() < kRetryPage) return applied;
  }
}

absl::Status Consumer::Retry(const common::v1::Event& event) {
  RETURN_IF_ERROR(RequireOrganization(event));
  const std::string organization = OrganizationId(event);
  MutexLock lock(parked_mutex_);
  bool there = false;
  RETURN_IF_ERROR(database_.Write(
      sql::Access::Tenant(organization), absl::Now() + kPatience,
      [&](sql::Transaction& tx) -> absl::Status {
        const sql::Value consumer = sql::Text(options_.consumer), feed = sql::Text(options_.feed);
        tx.Defer(kHold, {consumer, feed});
        ASSIGN_OR_RETURN(const sql::Result unparked,
                         tx.Query(kUnpark, {consumer, feed, sql::Text(organization),
                                            sql::Int(event.position())}));
        there = unparked.affected() == 1;
        return there ? apply_(tx, event) : absl::OkStatus();
      }));
  if (there) --parked_;
  return absl::OkStatus();
}

}  // namespace rapport::events
