#include "services/assessment/rpc/alert_stream.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/time/clock.h"
#include "common/call/pages.h"
#include "common/care/care.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/names/names.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "rapport/assessment/v1/events.pb.h"
#include "services/assessment/store/alerts.h"

namespace rapport::assessment {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);  // for a read
constexpr int kPage = 100;                               // alerts of a message
constexpr int kBatch = 500;                              // events read at once
constexpr size_t kMostNews = 2000;                       // kept for each organisation

template <class Clinicians>
bool Among(const Clinicians& clinicians, const std::string& clinician) {
  return std::find(clinicians.begin(), clinicians.end(), clinician) != clinicians.end();
}

// Whom a change of an alert concerns: who owns it, or has just handed it on; whom it was escalated
// to; whose course it is; and who covers for them.
std::vector<std::string> AudienceOf(const store::ToldAlert& told,
                                    const std::vector<store::CoverNow>& covers) {
  std::set<std::string> audience(told.alert.escalated_to().begin(),
                                 told.alert.escalated_to().end());
  audience.insert(told.alert.owner());
  const int owners = told.alert.ownerships_size();
  if (owners > 1 &&
      time::ToTime(told.alert.ownerships(owners - 1).start_time()) == told.occur_time) {
    audience.insert(told.alert.ownerships(owners - 2).owner());
  }
  if (!told.clinician.empty()) {
    audience.insert(told.clinician);
    for (const store::CoverNow& cover : covers) {
      if (cover.clinician == told.clinician) audience.insert(cover.covering_clinician);
    }
  }
  return {audience.begin(), audience.end()};
}

}  // namespace

class AlertNews::Stream final : public call::StreamSource {
 public:
  Stream(AlertNews& news, const call::CallContext& context, const v1::WatchAlertsRequest& request)
      : news_(news),
        context_(context),
        owner_(request.owner()),
        end_(absl::Now() + news.options_.stream_life) {
    context_.cancelled = nullptr;
  }
  ~Stream() override {
    if (channel_ != nullptr) news_.Leave(context_.organization_id);
  }

  absl::Status Begin() {
    ASSIGN_OR_RETURN(Joined joined, news_.Join(context_.organization_id));
    channel_ = std::move(joined.channel);
    position_ = joined.position;
    covers_ = channel_->covers.load();
    ASSIGN_OR_RETURN(reach_, ReadReach());
    return absl::OkStatus();
  }

  bool Ready() override {
    return listing_ || channel_->position.load() > position_ ||
           channel_->covers.load() != covers_ || absl::Now() >= std::min(next_message_, end_);
  }

  absl::StatusOr<Next> Pull(google::protobuf::Message& message) override {
    const absl::Time now = absl::Now();
    if (now >= end_) return Next::kEnd;
    auto& response = static_cast<v1::WatchAlertsResponse&>(message);
    response.Clear();
    if (const int64_t covers = channel_->covers.load(); covers != covers_) {
      covers_ = covers;
      const std::vector<std::string> before = reach_.clinicians;
      ASSIGN_OR_RETURN(const bool same, Same());
      if (!same) return Next::kEnd;
      if (!listing_ && reach_.clinicians != before) ListAnew(channel_->position.load());
    }
    if (!listing_) TakeNews(response);
    if (listing_) RETURN_IF_ERROR(List(response));
    if (!response.alerts().empty()) {
      ASSIGN_OR_RETURN(const bool same, Same());
      if (!same) return Next::kEnd;
    }
    if (response.alerts().empty() && !response.caught_up() && now < next_message_) {
      return Next::kWait;
    }
    next_message_ = now + news_.options_.heartbeat;
    return Next::kMessage;
  }

 private:
  void ListAnew(int64_t from) {
    position_ = std::max(position_, from);
    listing_ = true;
    after_.clear();
  }

  absl::StatusOr<care::Reach> ReadReach() {
    context_.now = news_.clock_.Now();
    care::Reach reach;
    RETURN_IF_ERROR(
        news_.database_.Read(sql::Access::Tenant(context_.organization_id), absl::Now() + kPatience,
                             [&](sql::Session& session) -> absl::Status {
                               ASSIGN_OR_RETURN(reach, care::ReachOf(session, context_));
                               return absl::OkStatus();
                             }));
    return reach;
  }

  // Reads the caller's reach again; whether they are who they were.
  absl::StatusOr<bool> Same() {
    ASSIGN_OR_RETURN(care::Reach reach, ReadReach());
    const bool same = reach.clinician == reach_.clinician;
    reach_ = std::move(reach);
    return same;
  }

  bool Wanted(const v1::Alert& alert) const {
    return owner_.empty() || alert.owner() == owner_ || Among(alert.escalated_to(), owner_);
  }

  // The next page of what is unresolved now.
  absl::Status List(v1::WatchAlertsResponse& response) {
    if (reach_.clinician.empty()) {
      listing_ = false;
      response.set_caught_up(true);
      return absl::OkStatus();
    }
    const store::AlertQuery query{.organization_id = context_.organization_id,
                                  .clinician = reach_.clinician,
                                  .now = news_.clock_.Now(),
                                  .course = "",
                                  .owner = "",
                                  .states = {v1::ALERT_STATE_OPEN, v1::ALERT_STATE_ACKNOWLEDGED}};
    store::AlertPage listed;
    RETURN_IF_ERROR(news_.database_.Read(
        sql::Access::Tenant(context_.organization_id), absl::Now() + kPatience,
        [&](sql::Session& session) -> absl::Status {
          ASSIGN_OR_RETURN(listed,
                           store::ListAlerts(session, query, {.size = kPage, .after = after_}));
          return absl::OkStatus();
        }));
    for (v1::Alert& alert : listed.alerts) {
      if (Wanted(alert)) *response.add_alerts() = std::move(alert);
    }
    after_ = listed.next_key;
    listing_ = !after_.empty();
    response.set_caught_up(!listing_);
    return absl::OkStatus();
  }

  // What was told since, for this clinician; begins to list anew where that is forgotten.
  void TakeNews(v1::WatchAlertsResponse& response) {
    if (channel_->position.load() <= position_) return;
    MutexLock lock(channel_->mutex);
    if (channel_->forgotten > position_) return ListAnew(channel_->position.load());
    auto news =
        std::upper_bound(channel_->news.begin(), channel_->news.end(), position_,
                         [](int64_t position, const News& one) { return position < one.position; });
    for (; news != channel_->news.end() && response.alerts_size() < kPage; ++news) {
      position_ = news->position;
      const v1::Alert& alert = *news->alert;
      if (!Among(news->audience, reach_.clinician)) continue;
      const int owners = alert.ownerships_size();
      const bool handed_on = owners > 1 && alert.ownerships(owners - 2).owner() == owner_;
      if (Wanted(alert) || handed_on) *response.add_alerts() = alert;
    }
  }

  AlertNews& news_;
  call::CallContext context_;
  const std::string owner_;
  const absl::Time end_;
  std::shared_ptr<Channel> channel_;
  int64_t position_ = 0;  // of the log; what is up to here was listed or told
  int64_t covers_ = 0;    // of the channel, as of the reach
  care::Reach reach_;
  bool listing_ = true;
  std::string after_;  // where the list goes on
  absl::Time next_message_ = absl::InfinitePast();
};

AlertNews::AlertNews(sql::Database& database, time::Clock& clock, AlertNewsOptions options)
    : database_(database),
      clock_(clock),
      options_(options),
      log_(database),
      ticker_("alert_news", options.tick, [this] {
        const absl::Status status = Tick();
        if (status.ok() != healthy_) {
          healthy_ = status.ok();
          telemetry::Log(
              healthy_ ? telemetry::Severity::kInfo : telemetry::Severity::kWarning,
              healthy_ ? "watchers hear of alerts again" : "watchers can't be told of alerts",
              {{"reason", errors::Reason(status)}});
        }
      }) {}

AlertNews::~AlertNews() { ticker_.Stop(); }

absl::StatusOr<std::unique_ptr<call::StreamSource>> AlertNews::Watch(
    const call::CallContext& context, const v1::WatchAlertsRequest& request) {
  auto stream = std::make_unique<Stream>(*this, context, request);
  RETURN_IF_ERROR(stream->Begin());
  return stream;
}

absl::StatusOr<AlertNews::Joined> AlertNews::Join(const std::string& organization_id) {
  MutexLock lock(follow_mutex_);
  if (open_.empty()) {
    RETURN_IF_ERROR(log_.Look(clock_.Now()).status());
    position_ = log_.last_position();
  }
  Open& open = open_[organization_id];
  if (open.channel == nullptr) {
    open.channel = std::make_shared<Channel>();
    open.channel->position = position_;
  }
  ++open.streams;
  return Joined{open.channel, position_};
}

void AlertNews::Leave(const std::string& organization_id) {
  MutexLock lock(follow_mutex_);
  const auto open = open_.find(organization_id);
  if (--open->second.streams == 0) open_.erase(open);
}

absl::Status AlertNews::Tick() {
  MutexLock lock(follow_mutex_);
  if (open_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(LookAtCovers());
  RETURN_IF_ERROR(log_.Look(clock_.Now()).status());
  while (position_ < log_.last_position()) {
    const events::Range range = {.organization_id = "",
                                 .types = {std::string(v1::AlertEvent::descriptor()->full_name())},
                                 .after = position_,
                                 .up_to = log_.last_position(),
                                 .limit = kBatch};
    std::vector<common::v1::Event> events;
    RETURN_IF_ERROR(database_.Read(sql::Access::Feed(), absl::Now() + kPatience,
                                   [&](sql::Session& session) -> absl::Status {
                                     ASSIGN_OR_RETURN(events, events::ReadEvents(session, range));
                                     return absl::OkStatus();
                                   }));
    const int64_t up_to =
        static_cast<int>(events.size()) < kBatch ? range.up_to : events.back().position();
    std::set<std::string> organizations;
    for (const common::v1::Event& event : events) {
      organizations.emplace(names::OrganizationId(event.organization()));
    }
    for (const std::string& organization_id : organizations) {
      if (open_.contains(organization_id)) RETURN_IF_ERROR(TellOf(organization_id, up_to));
    }
    position_ = up_to;
  }
  return absl::OkStatus();
}

absl::Status AlertNews::LookAtCovers() {
  const absl::Time now = absl::Now();
  for (auto& [organization_id, open] : open_) {
    if (now < open.looked + options_.covers) continue;
    std::vector<store::CoverNow> covers;
    RETURN_IF_ERROR(
        database_.Read(sql::Access::Tenant(organization_id), now + kPatience,
                       [&, &id = organization_id](sql::Session& session) -> absl::Status {
                         ASSIGN_OR_RETURN(covers, store::ListCovers(session, id, clock_.Now()));
                         return absl::OkStatus();
                       }));
    // The first look may come after streams have opened and covers have changed.
    if (covers != open.covers) ++open.channel->covers;
    open.covers = std::move(covers);
    open.looked = now;
  }
  return absl::OkStatus();
}

absl::Status AlertNews::TellOf(const std::string& organization_id, int64_t up_to) {
  std::vector<store::ToldAlert> told;
  std::vector<store::CoverNow> covers;
  RETURN_IF_ERROR(database_.Read(
      sql::Access::Tenant(organization_id), absl::Now() + kPatience,
      [&](sql::Session& session) -> absl::Status {
        ASSIGN_OR_RETURN(told, store::ListTold(session, organization_id, position_, up_to, kBatch));
        ASSIGN_OR_RETURN(covers, store::ListCovers(session, organization_id, clock_.Now()));
        return absl::OkStatus();
      }));
  if (told.empty()) return absl::OkStatus();
  Channel& channel = *open_.at(organization_id).channel;
  MutexLock lock(channel.mutex);
  // Told before the failure of another organisation's part.
  const int64_t known = channel.position.load();
  // Of an alert of which several events tell, once as it is now, to all whom any of them concerns.
  std::map<std::string, News> news;
  for (store::ToldAlert& one : told) {
    if (one.position <= known) continue;
    News& entry = news[one.alert.name()];
    for (std::string& clinician : AudienceOf(one, covers)) {
      if (!Among(entry.audience, clinician)) entry.audience.push_back(std::move(clinician));
    }
    entry.position = one.position;
    entry.alert = std::make_shared<const v1::Alert>(std::move(one.alert));
  }
  std::vector<News> in_order;
  for (auto& [name, entry] : news) in_order.push_back(std::move(entry));
  std::sort(in_order.begin(), in_order.end(),
            [](const News& a, const News& b) { return a.position < b.position; });
  for (News& entry : in_order) channel.news.push_back(std::move(entry));
  while (channel.news.size() > kMostNews) {
    channel.forgotten = channel.news.front().position;
    channel.news.pop_front();
  }
  channel.position = std::max(known, told.back().position);
  return absl::OkStatus();
}

}  // namespace rapport::assessment
