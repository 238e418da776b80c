// What a kept course costs: GetCourse over gRPC, from the process, from Redis and from PostgreSQL,
// against a server that only echoes: the same calls with the same headers, answered with bytes that
// it has ready. All in the same process and the same run, in turns; medians. The access audit is
// on. A caller whose rights are in the token (an integration) and a therapist, whose rights are
// asked of the store at each call.
//
//   cache_bench [--seconds N] [--rounds N] [--json FILE]
//   cache_bench --day               who answered over the day of a clinic network, 200 times as
//   fast
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/audit/access_log.h"
#include "common/auth/jwt.h"
#include "common/auth/signer.h"
#include "common/cache/cache.h"
#include "common/events/event_log.h"
#include "common/ids/ulid.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/telemetry/log.h"
#include "common/time/convert.h"
#include "common/work/work.h"
#include "google/protobuf/text_format.h"
#include "rapport/scheduling/v1/events.pb.h"
#include "services/scheduling/data/shipped_protocols.h"
#include "services/scheduling/migrations/migrations.h"
#include "services/scheduling/rpc/course_handlers.h"
#include "services/scheduling/store/directory_store.h"
#include "services/scheduling/store/organization_store.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/temp_dir.h"
#include "tests/support/redis/redis_server.h"

namespace rapport::bench {
namespace {

namespace v1 = scheduling::v1;

constexpr int kCallers = 16;
constexpr int kChannels = 4;
constexpr int kCourses = 500;
constexpr char kGetCourse[] = "rapport.scheduling.v1.CourseService/GetCourse";

void Want(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) std::abort();
  return message;
}

std::shared_ptr<const auth::IntegrityKey> Integrity() {
  return auth::IntegrityKey::Parse(std::string(64, 'a')).value();
}

// Notes, which reading a course does not ask.
class NoNotes final : public call::Peer {
 public:
  absl::string_view name() const override { return "notes"; }
  absl::Status Call(const call::CallContext&, absl::string_view, const google::protobuf::Message&,
                    google::protobuf::Message&) override {
    return absl::UnavailableError("");
  }
};

// An organisation with one clinic, one therapist and so many courses. Returns their names.
std::vector<std::string> Fill(sql::Database& database, int courses) {
  std::vector<std::string> names;
  const absl::Time now = absl::Now();
  Want(database.Write(
      sql::Access::Tenant("acme"), now + absl::Minutes(5),
      [&](sql::Transaction& tx) -> absl::Status {
        names.clear();
        RETURN_IF_ERROR(scheduling::store::InsertOrganization(tx, "acme", v1::Organization(), now));
        RETURN_IF_ERROR(scheduling::store::InsertClinic(
                            tx, Parse<v1::Clinic>("name: 'organizations/acme/clinics/north' "
                                                  "time_zone: 'Europe/London'"))
                            .status());
        RETURN_IF_ERROR(scheduling::store::InsertClinician(
                            tx, Parse<v1::Clinician>(
                                    "name: 'organizations/acme/clinicians/anna' "
                                    "subject: 'anna' clinics: 'organizations/acme/clinics/north'"))
                            .status());
        for (int i = 0; i < courses; ++i) {
          auto course = Parse<v1::Course>(absl::StrCat(
              "name: 'organizations/acme/courses/", absl::AsciiStrToLower(ids::NewUlid()),
              "' patient: 'organizations/acme/patients/p", i,
              "' patient_particulars { birth_year: 1980 birth_month: 5 jurisdiction: 'GB-ENG' "
              "time_zone: 'Europe/London' languages: 'en' } "
              "clinician: 'organizations/acme/clinicians/anna' "
              "clinic: 'organizations/acme/clinics/north' "
              "protocol: 'protocols/classic/revisions/1' planned_sessions: 16 "
              "state: COURSE_STATE_ACTIVE"));
          *course.mutable_create_time() = time::ToTimestamp(now);
          *course.mutable_update_time() = time::ToTimestamp(now);
          RETURN_IF_ERROR(scheduling::store::InsertCourse(tx, course));
          names.push_back(course.name());
        }
        return absl::OkStatus();
      }));
  return names;
}

std::unique_ptr<sql::Database> MakeDatabase() {
  return sql::testing::Postgres({work::Migrations(), scheduling::Migrations()}).make();
}

// Answers GetCourse with the same bytes, in the way of gRPC that ours takes.
class Echo final : public grpc::Service {
 public:
  Echo() : path_(absl::StrCat("/", kGetCourse)) {
    using Bytes = grpc::ByteBuffer;
    AddMethod(new grpc::internal::RpcServiceMethod(path_.c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        0, new grpc::internal::CallbackUnaryHandler<Bytes, Bytes>(
               [this](grpc::CallbackServerContext* context, const Bytes*, Bytes* response) {
                 *response = bytes_;
                 grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
                 reactor->Finish(grpc::Status::OK);
                 return reactor;
               }));
  }
  void Answer(const v1::Course& course) {
    const grpc::Slice slice(course.SerializeAsString());
    bytes_ = grpc::ByteBuffer(&slice, 1);
  }

 private:
  const std::string path_;
  grpc::ByteBuffer bytes_;
};

// The service as far as it reads courses, served.
class Service {
 public:
  Service(sql::Database& database, auth::TokenVerifier& verifier, bool cached, int64_t bytes,
          std::vector<std::string> nodes)
      : access_log_(database, time::RealClock()) {
    if (cached) {
      cache::CacheOptions options;
      options.service = "scheduling";
      options.bytes = bytes;
      options.integrity = Integrity();
      options.metrics = metrics_.get();
      if (!nodes.empty()) {
        options.redis = cache::RedisOptions{.nodes = std::move(nodes), .connections = 16};
      }
      auto made = cache::Cache::Make(database, std::move(options));
      Want(made.status());
      cache_ = *std::move(made);
      kept_ = std::make_unique<scheduling::CourseCache>(*cache_, scheduling::CourseCacheOptions());
      cache_->Start();
      while (cache_->lag() > absl::Seconds(1)) absl::SleepFor(absl::Milliseconds(1));
    }
    handlers_ = std::make_unique<scheduling::CourseHandlers>(database, protocols_, booker_,
                                                             nearest_, notes_, kept_.get());
    front_ =
        std::make_unique<rpc::FrontDoor>(rpc::FrontDoor::Dependencies{.verifier = &verifier,
                                                                      .clock = &time::RealClock(),
                                                                      .integrity = Integrity(),
                                                                      .metrics = metrics_.get(),
                                                                      .access_log = &access_log_});
    handlers_->Register(registry_);
    auto server = rpc::Server::Start({.listen = "127.0.0.1:0", .health_listen = "127.0.0.1:0"},
                                     "scheduling", registry_, *front_);
    Want(server.status());
    server_ = *std::move(server);
  }
  ~Service() {
    server_.reset();
    front_->Drain();
    access_log_.Stop();
    if (cache_ != nullptr) cache_->Stop();
    metrics_->StopReading();
  }

  int port() const { return server_->port(); }
  const telemetry::Metrics& metrics() const { return *metrics_; }

 private:
  const std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  NoNotes notes_;
  const scheduling::NearestFree nearest_;
  const scheduling::Protocols protocols_{scheduling::ShippedProtocols()};
  const scheduling::Booker booker_{protocols_, nearest_};
  audit::AccessLog access_log_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<scheduling::CourseCache> kept_;
  std::unique_ptr<scheduling::CourseHandlers> handlers_;
  call::Registry registry_;
  std::unique_ptr<rpc::FrontDoor> front_;
  std::unique_ptr<rpc::Server> server_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Rates(absl::Duration time, int rounds, const std::string& json_path) {
  rapport::testing::TempDir dir;
  Want(telemetry::LogTo(dir.File("log")));
  const auto database = MakeDatabase();
  const std::vector<std::string> names = Fill(*database, kCourses);
  rapport::testing::RedisServer redis({"--maxmemory", "64mb"});

  const auto user = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::ofstream(dir.File("jwks.json")) << "{\"keys\":[" << user->PublicJwk() << "]}";
  auth::TokenVerifierOptions verifying;
  verifying.jwks_file = dir.File("jwks.json");
  verifying.issuers = {"issuer"};
  verifying.audiences = {"rapport"};
  const auto verifier = *auth::TokenVerifier::Make(verifying);
  const auto token = [&](const std::string& subject, const std::string& role) {
    const absl::Time now = absl::Now();
    return user->Sign({.issuer = "issuer",
                       .subject = subject,
                       .audience = "rapport",
                       .issue_time = now,
                       .expire_time = now + absl::Minutes(15),
                       .token_id = "",
                       .organization_id = "acme",
                       .roles = {role},
                       .clinics = std::nullopt,
                       .auth_time = now});
  };
  const std::string integration = token("bench", "integration");
  const std::string therapist = token("anna", "therapist");

  Echo echo;
  grpc::ServerBuilder builder;
  int echo_port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &echo_port);
  builder.RegisterService(&echo);
  const auto echo_server = builder.BuildAndStart();
  Service memory(*database, *verifier, true, 64 << 20, {});
  Service only_redis(*database, *verifier, true, 0, {redis.address()});
  Service store(*database, *verifier, false, 0, {});

  struct Line {
    const char* name;
    const char* key;
    int port;
    const std::string& token;
    std::vector<double> rates = {}, ratios = {};
    std::vector<std::unique_ptr<rpc::Channel>> channels = {};
  };
  std::vector<Line> lines;
  lines.push_back({"echo", "echo", echo_port, integration});
  lines.push_back({"from the process", "memory", memory.port(), integration});
  lines.push_back({"from Redis", "redis", only_redis.port(), integration});
  lines.push_back({"from the store", "store", store.port(), integration});
  lines.push_back({"process, therapist", "memory_therapist", memory.port(), therapist});
  lines.push_back({"store, therapist", "store_therapist", store.port(), therapist});
  for (Line& line : lines) {
    for (int i = 0; i < kChannels; ++i) {
      line.channels.push_back(
          std::make_unique<rpc::Channel>(absl::StrCat("127.0.0.1:", line.port)));
    }
  }
  const auto call = [&](const Line& line, int channel, const std::string& name,
                        v1::Course& course) {
    v1::GetCourseRequest request;
    request.set_name(name);
    return line.channels[channel]->Call(
        kGetCourse, {.user_token = line.token, .service_token = "", .traceparent = ""},
        absl::Now() + absl::Seconds(30), request, course);
  };
  v1::Course answer;
  Want(call(lines[3], 0, names[0], answer));
  echo.Answer(answer);
  const auto measure = [&](Line& line, absl::Duration how_long) {
    std::atomic<int64_t> calls{0};
    const absl::Time begun = absl::Now();
    const absl::Time end = begun + how_long;
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        v1::Course course;
        int64_t made = 0;
        for (; absl::Now() < end; ++made) {
          Want(call(line, i % kChannels, names[(i * 31 + made) % names.size()], course));
        }
        calls += made;
      });
    }
    for (std::thread& caller : callers) caller.join();
    return static_cast<double>(calls) / absl::ToDoubleSeconds(absl::Now() - begun);
  };
  for (Line& line : lines) measure(line, time);  // warm
  for (int round = 0; round < rounds; ++round) {
    for (Line& line : lines) {
      line.rates.push_back(measure(line, time));
      line.ratios.push_back(line.rates.back() / lines[0].rates.back());
    }
  }
  std::string json;
  std::printf("%-20s %10s   %s\n", "GetCourse", "a second", "to echo, median (middle half)");
  for (Line& line : lines) {
    std::sort(line.ratios.begin(), line.ratios.end());
    const size_t n = line.ratios.size();
    std::printf("%-20s %10.0f   %.2f (%.2f to %.2f)\n", line.name, Median(line.rates),
                line.ratios[n / 2], line.ratios[n / 4], line.ratios[n * 3 / 4]);
    absl::StrAppend(&json, json.empty() ? "[" : ", ", "{\"name\": \"GetCourse, ", line.name,
                    "\", \"key\": \"", line.key, "\", \"ours\": ", Median(line.rates),
                    ", \"ratio\": ", line.ratios[n / 2], "}");
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "]\n";
  for (Line& line : lines) line.channels.clear();
  echo_server->Shutdown();
  return 0;
}

// Ten hours of 250 therapists with 8 patients each, on three replicas: a session's course is read
// when the desk looks at the day, twice around the session by the therapist, four times by the
// other services for scores and the note, and twice in the evening; its appointment changes twice.
int Day() {
  constexpr double kFaster = 200;
  constexpr double kHours = 10;
  constexpr int kReplicas = 3;
  const auto database = MakeDatabase();
  const std::vector<std::string> names = Fill(*database, 2000);
  rapport::testing::RedisServer redis;
  struct Replica {
    std::unique_ptr<telemetry::Metrics> metrics = telemetry::Metrics::Unserved();
    std::unique_ptr<cache::Cache> cache;
    std::unique_ptr<scheduling::CourseCache> courses;
  };
  std::vector<Replica> replicas(kReplicas);
  for (Replica& replica : replicas) {
    cache::CacheOptions options;
    options.service = "scheduling";
    options.integrity = Integrity();
    options.metrics = replica.metrics.get();
    options.tick = absl::Milliseconds(10);
    options.redis = cache::RedisOptions{.nodes = {redis.address()}};
    auto made = cache::Cache::Make(*database, std::move(options));
    Want(made.status());
    replica.cache = *std::move(made);
    cache::TableOptions table = scheduling::CourseCacheOptions();
    table.life = table.life / kFaster;
    replica.courses = std::make_unique<scheduling::CourseCache>(*replica.cache, std::move(table));
    replica.cache->Start();
  }
  struct Step {
    double hour;
    int course;
    bool write;
  };
  std::vector<Step> steps;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> some(0, 1);
  for (int course = 0; course < static_cast<int>(names.size()); ++course) {
    const double begins = 0.5 + course % 8 + 0.1 * some(random);
    steps.push_back({0.4 * some(random), course, false});
    for (const double after : {-0.05, 0.0, 0.02, 0.5, 0.8, 0.85, 0.87, 0.9}) {
      steps.push_back({begins + after + 0.01 * some(random), course, false});
    }
    steps.push_back({begins + 0.01, course, true});
    steps.push_back({begins + 0.84, course, true});
    steps.push_back({9.2 + 0.3 * some(random), course, false});
    steps.push_back({9.5 + 0.3 * some(random), course, false});
  }
  std::sort(steps.begin(), steps.end(),
            [](const Step& a, const Step& b) { return a.hour < b.hour; });
  std::atomic<bool> done{false};
  std::thread sequencing([&] {
    events::Sequencer sequencer(*database);
    while (!done) {
      Want(sequencer.RunOnce(absl::Now()).status());
      absl::SleepFor(absl::Milliseconds(5));
    }
  });
  const absl::Time begun = absl::Now();
  for (const Step& step : steps) {
    absl::SleepFor(begun + absl::Hours(1) * step.hour / kFaster - absl::Now());
    Replica& replica = replicas[random() % kReplicas];
    const std::string& name = names[step.course];
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    if (step.write) {
      v1::AppointmentEvent event;
      event.set_course(name);
      Want(replica.cache->database().Write(
          sql::Access::Tenant("acme"), deadline, [&](sql::Transaction& tx) {
            events::Append(tx, "acme", absl::StrCat(name, "x"), 1, absl::Now(), event);
            return absl::OkStatus();
          }));
    } else {
      Want(replica.courses
               ->Get("acme", name, deadline,
                     [&](sql::Session& session) -> absl::StatusOr<cache::Versioned<v1::Course>> {
                       ASSIGN_OR_RETURN(auto row, scheduling::store::GetCourse(session, name, {}));
                       return cache::Versioned<v1::Course>{std::move(row.resource), row.version};
                     })
               .status());
    }
  }
  std::printf("%zu reads and changes of %zu courses in %.0f hours, %d replicas, in %.0f s\n",
              steps.size(), names.size(), kHours, kReplicas,
              absl::ToDoubleSeconds(absl::Now() - begun));
  done = true;
  sequencing.join();
  std::map<std::string, double> from;
  double all = 0;
  for (Replica& replica : replicas) {
    for (absl::string_view line : absl::StrSplit(replica.metrics->Text(), '\n')) {
      if (!absl::StartsWith(line, "rapport_cache_reads_total{from=\"")) continue;
      const std::vector<absl::string_view> parts = absl::StrSplit(line, '"');
      const double count = std::atof(std::string(line.substr(line.rfind(' '))).c_str());
      from[std::string(parts[1])] += count;
      all += count;
    }
    replica.cache->Stop();
    replica.metrics->StopReading();
  }
  for (const auto& [who, count] : from) {
    std::printf("%-8s %8.0f  %5.1f %%\n", who.c_str(), count, 100 * count / all);
  }
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  double seconds = 0.5;
  int rounds = 11;
  std::string json;
  if (argc == 2 && std::strcmp(argv[1], "--day") == 0) return rapport::bench::Day();
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  if (seconds <= 0 || rounds < 1) return 2;
  return rapport::bench::Rates(absl::Seconds(seconds), rounds, json);
}
