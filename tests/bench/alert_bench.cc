// How long an alert takes from its commit to those who watch, on PostgreSQL: the service's log is
// numbered as in a process, one clinician in each stream, and the streams are minded as by the
// front door (every 25 ms, on one thread; pulled on four).
//
//   alert_bench [--watchers N] [--alerts N] [--json FILE]
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/principal.h"
#include "common/call/call_context.h"
#include "common/care/care.h"
#include "common/concurrency/executor.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/periodic.h"
#include "common/crypto/vault.h"
#include "common/errors/status_macros.h"
#include "common/feed/feed.h"
#include "common/ids/ulid.h"
#include "common/names/names.h"
#include "common/time/clock.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/assessment/migrations/migrations.h"
#include "services/assessment/rpc/alert_stream.h"
#include "services/assessment/rpc/alerting.h"
#include "services/assessment/rpc/follower.h"
#include "services/assessment/store/alerts.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::bench {
namespace {

namespace v1 = assessment::v1;
namespace proto = scheduling::v1;
namespace store = assessment::store;

constexpr char kOrganization[] = "bench";
constexpr int kEventsAtOnce = 500;
constexpr absl::Duration kMinded = absl::Milliseconds(25);
constexpr absl::Duration kBetween = absl::Milliseconds(40);  // alerts
constexpr absl::Duration kPatience = absl::Seconds(30);

[[noreturn]] void Die(absl::string_view what) {
  std::fprintf(stderr, "%s\n", std::string(what).c_str());
  std::exit(1);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

std::string Name(absl::string_view collection, int number) {
  return names::InOrganization(kOrganization, collection, absl::StrCat("n", number));
}

struct Options {
  int watchers = 2'000;
  int alerts = 500;
  std::string json;
};

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}

  int Run() {
    Fill();
    feed_.Start();
    Open();
    PeriodicThread minder("minder", kMinded, [this] { Mind(); });
    while (!CaughtUp()) absl::SleepFor(kMinded);
    for (int i = 0; i < options_.alerts; ++i) {
      Raise(static_cast<int>(static_cast<int64_t>(i) * 7919 % options_.watchers));
      absl::SleepFor(kBetween);
    }
    const absl::Time give_up = absl::Now() + kPatience;
    while (Arrived() < options_.alerts && absl::Now() < give_up) absl::SleepFor(kMinded);
    minder.Stop();
    pool_.Drain();
    const int status = Tell();
    streams_.clear();
    return status;
  }

 private:
  struct Watched {
    std::unique_ptr<call::StreamSource> stream;
    std::atomic<bool> pulling{false};
  };

  sql::Database& database() { return *database_; }

  void Fill() {
    const assessment::SchedulingFollower follower(clock_);
    std::vector<common::v1::Event> events;
    const auto add = [&](const std::string& resource, const google::protobuf::Message& payload) {
      common::v1::Event& event = events.emplace_back();
      event.set_event_id(ids::NewUlid());
      event.set_organization(names::Organization(kOrganization));
      event.set_resource(resource);
      event.set_version(1);
      *event.mutable_occur_time() = time::ToTimestamp(clock_.Now());
      event.mutable_payload()->PackFrom(payload);
    };
    proto::OrganizationEvent organization;
    organization.set_state(proto::ORGANIZATION_STATE_ACTIVE);
    organization.add_duty_list(Name("clinicians", 0));
    add(names::Organization(kOrganization), organization);
    for (int i = 0; i < options_.watchers; ++i) {
      proto::ClinicianEvent clinician;
      clinician.set_subject(absl::StrCat("s", i));
      add(Name("clinicians", i), clinician);
      proto::CourseEvent course;
      course.set_state(proto::COURSE_STATE_ACTIVE);
      course.set_patient(Name("patients", i));
      course.set_clinician(Name("clinicians", i));
      course.set_clinic(Name("clinics", i / 20));
      add(Name("courses", i), course);
    }
    for (size_t from = 0; from < events.size(); from += kEventsAtOnce) {
      Check(database().Write(sql::Access::Tenant(kOrganization), absl::Now() + kPatience,
                             [&](sql::Transaction& tx) -> absl::Status {
                               const size_t to = std::min(events.size(), from + kEventsAtOnce);
                               for (size_t i = from; i < to; ++i) {
                                 RETURN_IF_ERROR(follower.Apply(tx, events[i]));
                               }
                               return absl::OkStatus();
                             }));
    }
  }

  void Open() {
    v1::WatchAlertsRequest request;
    request.set_parent(names::Organization(kOrganization));
    for (int i = 0; i < options_.watchers; ++i) {
      auto principal = std::make_shared<auth::Principal>();
      principal->subject = absl::StrCat("s", i);
      principal->organization_id = kOrganization;
      principal->roles = {"therapist"};
      call::CallContext context;
      context.principal = std::move(principal);
      context.organization_id = kOrganization;
      context.now = clock_.Now();
      context.deadline = absl::Now() + kPatience;
      auto stream = news_.Watch(context, request);
      Check(stream.status());
      streams_.push_back(std::make_unique<Watched>());
      streams_.back()->stream = *std::move(stream);
    }
  }

  void Mind() {
    for (const auto& watched : streams_) {
      if (watched->pulling || !watched->stream->Ready()) continue;
      watched->pulling = true;
      if (!pool_.TrySubmit(kOrganization, [this, one = watched.get()] { Pull(*one); })) {
        watched->pulling = false;
      }
    }
  }

  void Pull(Watched& watched) {
    v1::WatchAlertsResponse response;
    const auto next = watched.stream->Pull(response);
    Check(next.status());
    const absl::Time now = absl::Now();
    {
      MutexLock lock(mutex_);
      caught_up_ += response.caught_up();
      for (const v1::Alert& alert : response.alerts()) arrived_.emplace(alert.name(), now);
    }
    watched.pulling = false;
  }

  void Raise(int number) {
    std::string name;
    Check(database().Write(
        sql::Access::Tenant(kOrganization), absl::Now() + kPatience,
        [&](sql::Transaction& tx) -> absl::Status {
          store::LockAlerts(tx, kOrganization);
          ASSIGN_OR_RETURN(const care::CourseFacts course,
                           care::GetCourse(tx, Name("courses", number)));
          ASSIGN_OR_RETURN(const v1::Alert alert,
                           assessment::MakeAlert(
                               tx, course,
                               {v1::ALERT_KIND_CRITICAL_ANSWER,
                                v1::ALERT_SEVERITY_IMMEDIATE,
                                {9},
                                v1::CONCERN_SELF_HARM},
                               names::InOrganization(kOrganization, "assessments", ids::NewUlid()),
                               clock_.Now()));
          RETURN_IF_ERROR(store::RaiseOrRaiseHigher(tx, alert).status());
          assessment::RecordOwn(tx, "Bench", alert, 1, clock_.Now());
          name = alert.name();
          return absl::OkStatus();
        }));
    committed_.emplace_back(name, absl::Now());
  }

  bool CaughtUp() {
    MutexLock lock(mutex_);
    return caught_up_ >= options_.watchers;
  }
  int Arrived() {
    MutexLock lock(mutex_);
    return static_cast<int>(arrived_.size());
  }

  int Tell() {
    MutexLock lock(mutex_);
    std::vector<double> took;  // ms
    for (const auto& [name, committed] : committed_) {
      const auto arrived = arrived_.find(name);
      if (arrived == arrived_.end()) continue;
      took.push_back(std::max(0.0, absl::ToDoubleMilliseconds(arrived->second - committed)));
    }
    std::sort(took.begin(), took.end());
    const size_t lost = committed_.size() - took.size();
    const auto at = [&](double share) {
      return took.empty() ? -1 : took[std::min(took.size() - 1, size_t(share * took.size()))];
    };
    std::printf("%d watchers, %d alerts: p50 %.1f ms, p99 %.1f ms, most %.1f ms, lost %zu\n",
                options_.watchers, options_.alerts, at(0.5), at(0.99), at(1), lost);
    if (!options_.json.empty()) {
      std::ofstream(options_.json)
          << "{\"watchers\": " << options_.watchers << ", \"alerts\": " << options_.alerts
          << ", \"alert_to_watcher_ms\": {\"p50\": " << at(0.5) << ", \"p99\": " << at(0.99)
          << ", \"most\": " << at(1) << "}, \"lost\": " << lost << "}\n";
    }
    return lost == 0 ? 0 : 1;
  }

  const Options options_;
  time::Clock& clock_ = time::RealClock();
  const std::vector<sql::Component> components_ = {care::Migrations(), work::Migrations(),
                                                   crypto::Migrations(), assessment::Migrations()};
  const std::unique_ptr<sql::Database> database_ = *sql::OpenPostgres(
      sql::testing::PostgresServer::Shared().NewDatabase(components_), components_);
  feed::Feed feed_{*database_, clock_};
  assessment::AlertNews news_{*database_, clock_};
  BoundedExecutor pool_{"read", 4, 1'000'000};
  std::vector<std::unique_ptr<Watched>> streams_;
  std::vector<std::pair<std::string, absl::Time>> committed_;
  Mutex mutex_;
  int caught_up_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, absl::Time> arrived_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  rapport::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--watchers") == 0) {
      options.watchers = std::atoi(argv[i + 1]);
    } else if (std::strcmp(argv[i], "--alerts") == 0) {
      options.alerts = std::atoi(argv[i + 1]);
    } else if (std::strcmp(argv[i], "--json") == 0) {
      options.json = argv[i + 1];
    } else {
      return 2;
    }
  }
  if (options.watchers < 1 || options.alerts < 1) return 2;
  return rapport::bench::Bench(options).Run();
}
