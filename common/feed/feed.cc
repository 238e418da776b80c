#include "common/feed/feed.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/events/compaction.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metric_names.h"

namespace rapport::feed {
namespace {

namespace metric = telemetry::metric;

const sql::Statement kOrganization{"feed.organization", R"sql(
  SELECT 1 FROM organization WHERE organization_id = $1)sql"};

constexpr absl::Duration kReadPatience = absl::Seconds(10);
constexpr char kPurpose[] = "feed_cursor";

// How far a stream has come.
struct Cursor {
  std::string epoch;
  int64_t position = 0;  // the last event told, or passed over
  int64_t until = 0;     // of a snapshot under way: where it ends; else 0
};

std::string ToText(const Cursor& cursor) {
  return absl::StrCat(cursor.epoch, "\n", cursor.position, "\n", cursor.until);
}

std::optional<Cursor> FromText(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '\n');
  Cursor cursor;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &cursor.position) ||
      !absl::SimpleAtoi(parts[2], &cursor.until)) {
    return std::nullopt;
  }
  cursor.epoch = std::string(parts[0]);
  return cursor;
}

std::optional<telemetry::Gauge> Gauge(const FeedOptions& options, absl::string_view name,
                                      absl::string_view help) {
  if (options.metrics == nullptr) return std::nullopt;
  return options.metrics->Gauges(name, help).With({});
}

// Of what a stream is bound to: tells a service's streams of different types apart.
std::string Digest(absl::string_view binding) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(binding.data()), binding.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(uint64_t)));
}

absl::Status Expired() {
  return errors::OutOfRange(
      "CURSOR_EXPIRED", "The log no longer goes back to this cursor. Begin with from_snapshot.");
}

}  // namespace

class Feed::Stream final : public call::StreamSource {
 public:
  // `organization`: of a user, who sees no other; empty: of the service `subject`.
  Stream(Feed& feed, std::string organization, std::string subject, std::vector<std::string> types,
         std::shared_ptr<const auth::IntegrityKey> integrity)
      : feed_(feed),
        subject_(std::move(subject)),
        organization_(std::move(organization)),
        access_(organization_.empty() ? sql::Access::Feed() : sql::Access::Tenant(organization_)),
        types_(std::move(types)),
        binding_(absl::StrCat(organization_, "\n", absl::StrJoin(types_, "\n"))),
        integrity_(std::move(integrity)),
        end_(absl::Now() + feed.options_.stream_life) {
    ++feed_.streams_;
  }
  ~Stream() override { --feed_.streams_; }

  absl::Status Begin(const common::v1::WatchRequest& request) {
    if (!request.cursor().empty()) {
      const std::optional<std::string> text =
          integrity_->Open(kPurpose, binding_, request.cursor());
      const std::optional<Cursor> cursor = text ? FromText(*text) : std::nullopt;
      if (!cursor) {
        return errors::InvalidArgument(
            "cursor", "must come from a Watch of this service with the same types");
      }
      if (request.from_snapshot() && cursor->until == 0) {
        return errors::InvalidArgument("from_snapshot",
                                       "excludes a cursor, except that of an unfinished snapshot");
      }
      cursor_ = *cursor;
    }

    events::LogState log;
    int64_t compacted_until = 0;
    RETURN_IF_ERROR(Read([&](sql::Session& session) -> absl::Status {
      if (!organization_.empty()) {
        ASSIGN_OR_RETURN(const sql::Result known,
                         session.Query(kOrganization, {sql::Text(organization_)}));
        if (known.empty()) {
          return errors::Unavailable(
              "ORGANIZATION_NOT_READY",
              "This service has not yet heard of the organisation; repeat the call.", "scheduling");
        }
      }
      ASSIGN_OR_RETURN(log, events::ReadState(session));
      ASSIGN_OR_RETURN(compacted_until, events::CompactedUntil(session));
      return absl::OkStatus();
    }));
    if (request.cursor().empty()) {
      cursor_.epoch = log.epoch;
      if (request.from_snapshot()) cursor_.until = log.last_position;
    }
    const bool ahead = std::max(cursor_.position, cursor_.until) > log.last_position;
    // From the start of the log, and within a snapshot, nothing is missed that isn't superseded.
    const bool behind =
        cursor_.until == 0 && cursor_.position > 0 && cursor_.position < compacted_until;
    if (cursor_.epoch != log.epoch || ahead || behind) return Expired();
    if (organization_.empty() && !request.cursor().empty()) {
      // What it has applied for certain. Untold, it is believed to stand where it last stood.
      const absl::Status noted =
          events::NoteConsumer(feed_.database_, absl::StrCat(subject_, ":", Digest(binding_)),
                               std::max(cursor_.position, cursor_.until));
      if (!noted.ok()) {
        telemetry::Log(telemetry::Severity::kWarning, "a consumer's progress can't be noted",
                       {{"consumer", subject_}, {"reason", errors::Reason(noted)}});
      }
    }
    return absl::OkStatus();
  }

  bool Ready() override { return HasMore() || absl::Now() >= std::min(next_message_, end_); }

  absl::StatusOr<Next> Pull(google::protobuf::Message& message) override {
    const absl::Time now = absl::Now();
    if (now >= end_) return Next::kEnd;
    std::vector<common::v1::Event> events;
    if (HasMore()) {
      ASSIGN_OR_RETURN(events, Advance());
    }
    if (events.empty() && now < next_message_) return Next::kWait;

    auto& response = static_cast<common::v1::WatchResponse&>(message);
    response.Clear();
    for (common::v1::Event& event : events) *response.add_events() = std::move(event);
    response.set_cursor(integrity_->Seal(kPurpose, binding_, ToText(cursor_)));
    next_message_ = now + feed_.options_.heartbeat;
    return Next::kMessage;
  }

 private:
  bool HasMore() const { return cursor_.until > 0 || cursor_.position < feed_.last_position(); }

  absl::Status Read(absl::FunctionRef<absl::Status(sql::Session&)> body) {
    return feed_.database_.Read(access_, absl::Now() + kReadPatience, body);
  }

  // The next events; moves the cursor behind them, and over those of others.
  absl::StatusOr<std::vector<common::v1::Event>> Advance() {
    const bool snapshot = cursor_.until > 0;
    // All up to here is committed, so the read below sees it.
    const int64_t end = snapshot ? cursor_.until : feed_.last_position();
    const events::Range range = {.organization_id = organization_,
                                 .types = types_,
                                 .after = cursor_.position,
                                 .up_to = std::min(end, cursor_.position + feed_.options_.window),
                                 .limit = feed_.options_.max_events};
    std::vector<common::v1::Event> events;
    RETURN_IF_ERROR(Read([&](sql::Session& session) -> absl::Status {
      ASSIGN_OR_RETURN(events, snapshot ? events::ReadSnapshot(session, range, cursor_.until)
                                        : events::ReadEvents(session, range));
      return absl::OkStatus();
    }));
    const bool all = static_cast<int>(events.size()) < range.limit;
    cursor_.position = all ? range.up_to : events.back().position();
    if (!organization_.empty()) {
      events.erase(std::remove_if(events.begin(), events.end(),
                                  [this](const auto& event) { return ForServices(event); }),
                   events.end());
    }
    if (snapshot && cursor_.position == cursor_.until) cursor_.until = 0;
    return events;
  }

  bool ForServices(const common::v1::Event& event) const {
    const std::vector<std::string>& types = feed_.options_.service_types;
    return std::find(types.begin(), types.end(), names::Last(event.payload().type_url())) !=
           types.end();
  }

  Feed& feed_;
  const std::string subject_;
  const std::string organization_;
  const sql::Access access_;
  const std::vector<std::string> types_;
  const std::string binding_;
  const std::shared_ptr<const auth::IntegrityKey> integrity_;
  const absl::Time end_;
  absl::Time next_message_ = absl::InfinitePast();
  Cursor cursor_;
};

Feed::Feed(sql::Database& database, time::Clock& clock, FeedOptions options)
    : database_(database),
      clock_(clock),
      options_(options),
      sequencer_(database),
      unsequenced_age_(Gauge(options, metric::kUnsequencedAge,
                             "How long the oldest event not yet numbered has waited.")),
      audit_unsequenced_age_(
          Gauge(options, metric::kAuditUnsequencedAge,
                "How long the oldest audit entry not yet in its tree has waited.")),
      ticker_("feed", options.tick, [this] { Tick(); }) {}

Feed::~Feed() { ticker_.Stop(); }

void Feed::Register(call::Registry& registry) {
  registry.Service("rapport.common.v1.EventService", this)
      .Stream<common::v1::WatchResponse>("Watch", &Feed::Watch)
      .Unary("RetryParkedEvents", &Feed::RetryParkedEvents);
}

absl::StatusOr<common::v1::RetryParkedEventsResponse> Feed::RetryParkedEvents(
    const call::CallContext&, const common::v1::RetryParkedEventsRequest&) {
  common::v1::RetryParkedEventsResponse response;
  if (options_.retry_parked == nullptr) return response;
  ASSIGN_OR_RETURN(const int applied, options_.retry_parked());
  response.set_applied_count(applied);
  return response;
}

void Feed::Tick() {
  if (!sequencing_ && streams_ == 0) return;
  absl::Status status;
  const absl::Time now = clock_.Now();
  if (sequencing_) {
    absl::StatusOr<int> moved = 0;
    do {
      moved = sequencer_.RunOnce(now);
    } while (moved.ok() && *moved >= events::Sequencer::kBatch);
    status = moved.status();
  } else {
    status = sequencer_.Look(now).status();
  }
  if (unsequenced_age_) {
    unsequenced_age_->Set(absl::ToDoubleSeconds(sequencer_.unsequenced_age()));
    audit_unsequenced_age_->Set(absl::ToDoubleSeconds(sequencer_.audit_unsequenced_age()));
  }
  // Told once per outage: the database itself logs what ails it.
  if (status.ok() != healthy_) {
    healthy_ = status.ok();
    telemetry::Log(healthy_ ? telemetry::Severity::kInfo : telemetry::Severity::kWarning,
                   healthy_ ? "events are numbered again" : "events can't be numbered",
                   {{"reason", errors::Reason(status)}});
  }
}

absl::StatusOr<std::unique_ptr<call::StreamSource>> Feed::Watch(
    const call::CallContext& context, const common::v1::WatchRequest& request) {
  std::string organization;
  if (!context.is_service()) {
    organization = context.principal->organization_id;
    if (organization.empty()) return errors::PermissionDenied("events.watch");
  }
  std::vector<std::string> types(request.types().begin(), request.types().end());
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  auto stream = std::make_unique<Stream>(*this, std::move(organization), context.principal->subject,
                                         std::move(types), context.integrity);
  RETURN_IF_ERROR(stream->Begin(request));
  return stream;
}

}  // namespace rapport::feed
