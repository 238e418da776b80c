// What a kept course costs: GetCourse over gRPC, from the process, from Redis and from PostgreSQL,
// against a server that only echoes: the same calls with the same headers, answered with bytes that
// it has ready. All in the same process and the same run, in turns; medians. The access audit is
// on. A caller whose rights are in the token (an integration) and a therapist, whose rights are
// asked of the store at each call.
//
//   cache_bench [--seconds N] [--rounds N] [--json FILE]
//   cache_bench --day [--clinicians N] [--faster N]   who answered over the day of a clinic network
//   cache_bench --faults [--seconds N]                how long reads take around each fault of
//   Redis
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
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
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

struct Replica {
  std::unique_ptr<telemetry::Metrics> metrics = telemetry::Metrics::Unserved();
  std::unique_ptr<cache::Cache> cache;
  std::unique_ptr<scheduling::CourseCache> courses;
};

constexpr int kReplicas = 3;

// Of scheduling, as far as they keep courses; what they keep lives `faster` times shorter.
std::vector<Replica> MakeReplicas(sql::Database& database, const std::string& redis, int64_t bytes,
                                  double faster) {
  std::vector<Replica> replicas(kReplicas);
  for (Replica& replica : replicas) {
    cache::CacheOptions options;
    options.service = "scheduling";
    options.bytes = bytes;
    options.integrity = Integrity();
    options.metrics = replica.metrics.get();
    options.tick = absl::Milliseconds(faster > 1 ? 10 : 50);
    options.redis = cache::RedisOptions{.nodes = {redis}};
    auto made = cache::Cache::Make(database, std::move(options));
    Want(made.status());
    replica.cache = *std::move(made);
    cache::TableOptions table = scheduling::CourseCacheOptions();
    table.life = table.life / faster;
    replica.courses = std::make_unique<scheduling::CourseCache>(*replica.cache, std::move(table));
    replica.cache->Start();
  }
  return replicas;
}

void Stop(std::vector<Replica>& replicas) {
  for (Replica& replica : replicas) {
    replica.cache->Stop();
    replica.metrics->StopReading();
  }
}

void ReadCourse(Replica& replica, const std::string& name) {
  Want(replica.courses
           ->Get("acme", name, absl::Now() + absl::Seconds(30),
                 [&](sql::Session& session) -> absl::StatusOr<cache::Versioned<v1::Course>> {
                   ASSIGN_OR_RETURN(auto row, scheduling::store::GetCourse(session, name, {}));
                   return cache::Versioned<v1::Course>{std::move(row.resource), row.version};
                 })
           .status());
}

// An appointment of the course changes.
void ChangeCourse(Replica& replica, const std::string& name) {
  v1::AppointmentEvent event;
  event.set_course(name);
  Want(replica.cache->database().Write(
      sql::Access::Tenant("acme"), absl::Now() + absl::Seconds(30), [&](sql::Transaction& tx) {
        events::Append(tx, "acme", absl::StrCat(name, "x"), 1, absl::Now(), event);
        return absl::OkStatus();
      }));
}

// Who answered so far, by tier.
std::map<std::string, double> Answered(const std::vector<Replica>& replicas) {
  std::map<std::string, double> from;
  for (const Replica& replica : replicas) {
    const std::string text = replica.metrics->Text();
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      if (!absl::StartsWith(line, "rapport_cache_reads_total{from=\"")) continue;
      const std::vector<absl::string_view> parts = absl::StrSplit(line, '"');
      from[std::string(parts[1])] += std::atof(std::string(line.substr(line.rfind(' '))).c_str());
    }
  }
  return from;
}

// Numbers events while it lives, as some replica does.
class Sequencing {
 public:
  explicit Sequencing(sql::Database& database)
      : thread_([this, &database] {
          events::Sequencer sequencer(database);
          while (!done_) {
            Want(sequencer.RunOnce(absl::Now()).status());
            absl::SleepFor(absl::Milliseconds(5));
          }
        }) {}
  ~Sequencing() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

// Ten hours of a network of clinics, 8 patients a clinician, on three replicas. In the morning each
// clinician logs in and opens the day's courses; around a session its course is read twice by the
// therapist and four times by the other services, for scores and the note, and its appointment
// changes twice; it is read twice more in the evening. Every third course is booked or moved for at
// some time, and read for it.
int Day(int clinicians, double faster, const std::string& json_path) {
  rapport::testing::TempDir dir;
  Want(telemetry::LogTo(dir.File("log")));
  constexpr double kHours = 10;
  constexpr int kEach = 8;
  constexpr int kWorkers = 8;
  const auto database = MakeDatabase();
  const std::vector<std::string> names = Fill(*database, clinicians * kEach);
  rapport::testing::RedisServer redis;
  std::vector<Replica> replicas = MakeReplicas(*database, redis.address(), 64 << 20, faster);
  struct Step {
    double hour;
    int course;
    bool write;
    int replica;
  };
  std::vector<Step> steps;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> some(0, 1);
  const auto add = [&](double hour, int course, bool write) {
    steps.push_back({hour, course, write, static_cast<int>(random() % kReplicas)});
  };
  for (int clinician = 0; clinician < clinicians; ++clinician) {
    const double logs_in = 0.4 * some(random);
    for (int patient = 0; patient < kEach; ++patient) {
      const int course = clinician * kEach + patient;
      const double begins = 0.5 + patient + 0.1 * some(random);
      add(logs_in + 0.03 * some(random), course, false);
      for (const double after : {-0.05, 0.0, 0.02, 0.5, 0.8, 0.85, 0.87, 0.9}) {
        add(begins + after + 0.01 * some(random), course, false);
      }
      add(begins + 0.01, course, true);
      add(begins + 0.84, course, true);
      if (course % 3 == 0) {
        const double at = 0.5 + 8.5 * some(random);
        add(at, course, false);
        add(at + 0.01, course, true);
        add(at + 0.02, course, false);
      }
      add(9.2 + 0.3 * some(random), course, false);
      add(9.5 + 0.3 * some(random), course, false);
    }
  }
  std::sort(steps.begin(), steps.end(),
            [](const Step& a, const Step& b) { return a.hour < b.hour; });
  double took = 0;
  {
    const Sequencing sequencing(*database);
    const absl::Time begun = absl::Now();
    std::atomic<size_t> next{0};
    std::vector<std::thread> workers;
    for (int i = 0; i < kWorkers; ++i) {
      workers.emplace_back([&] {
        for (size_t at = next++; at < steps.size(); at = next++) {
          const Step& step = steps[at];
          absl::SleepFor(begun + absl::Hours(1) * step.hour / faster - absl::Now());
          Replica& replica = replicas[step.replica];
          step.write ? ChangeCourse(replica, names[step.course])
                     : ReadCourse(replica, names[step.course]);
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    took = absl::ToDoubleSeconds(absl::Now() - begun);
  }
  const std::map<std::string, double> from = Answered(replicas);
  double all = 0;
  for (const auto& [who, count] : from) all += count;
  std::printf(
      "%d clinicians: %zu reads and changes of %zu courses in %.0f hours, %d replicas, %.0f "
      "times as fast, in %.0f s\n",
      clinicians, steps.size(), names.size(), kHours, kReplicas, faster, took);
  std::string json = absl::StrCat("{\"clinicians\": ", clinicians, ", \"steps\": ", steps.size());
  for (const auto& [who, count] : from) {
    std::printf("%-8s %8.0f  %5.1f %%\n", who.c_str(), count, 100 * count / all);
    absl::StrAppend(&json, ", \"", who, "\": ", count / all);
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "}\n";
  Stop(replicas);
  return 0;
}

// How long reads of courses take before, during and after each fault of Redis: asked for by the
// clock, 800 a second with a change in twenty, on three replicas whose memory keeps nothing, so
// that each read meets the fault.
int Faults(double seconds, const std::string& json_path) {
  rapport::testing::TempDir dir;
  Want(telemetry::LogTo(dir.File("log")));
  constexpr int kWorkers = 8;
  constexpr double kRate = 800;
  const auto database = MakeDatabase();
  const std::vector<std::string> names = Fill(*database, 2000);
  rapport::testing::RedisServer redis({"--enable-debug-command", "yes"});
  std::vector<Replica> replicas = MakeReplicas(*database, redis.address(), 0, 1);
  const Sequencing sequencing(*database);
  std::atomic<bool> sleepy{false}, done{false};
  std::thread slowing([&] {
    while (!done) {
      if (sleepy) {
        redis.Do({"DEBUG", "SLEEP", "0.05"});
      } else {
        absl::SleepFor(absl::Milliseconds(1));
      }
    }
  });
  struct Fault {
    const char* name;
    std::function<void()> begin, end;
  };
  const std::vector<Fault> faults = {
      {"stopped", [&] { redis.Kill(); }, [&] { redis.Start(); }},
      {"frozen", [&] { redis.Freeze(); }, [&] { redis.Thaw(); }},
      {"flushed", [&] { redis.Do({"FLUSHALL"}); }, [] {}},
      {"slow, 50 ms", [&] { sleepy = true; }, [&] { sleepy = false; }},
      {"full",
       [&] {
         redis.Do({"CONFIG", "SET", "maxmemory", "1"});
       },
       [&] {
         redis.Do({"CONFIG", "SET", "maxmemory", "0"});
       }},
      {"restarted",
       [&] {
         redis.Kill();
         redis.Start();
       },
       [] {}}};
  constexpr const char* kPhases[] = {"before", "during", "after"};
  const int phases = static_cast<int>(faults.size()) * 3;
  std::atomic<int> phase{-1};
  std::vector<std::vector<std::vector<double>>> millis(kWorkers,
                                                       std::vector<std::vector<double>>(phases));
  const absl::Time begun = absl::Now();
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&, worker] {
      std::mt19937 random(worker);
      for (int64_t i = 0; !done; ++i) {
        const absl::Time due = begun + absl::Seconds((i * kWorkers + worker) / kRate);
        absl::SleepFor(due - absl::Now());
        Replica& replica = replicas[random() % kReplicas];
        const std::string& name = names[random() % names.size()];
        if (random() % 20 == 0) {
          ChangeCourse(replica, name);
          continue;
        }
        ReadCourse(replica, name);
        const int now = phase;
        if (now >= 0) {
          millis[worker][now].push_back(absl::ToDoubleMilliseconds(absl::Now() - due));
        }
      }
    });
  }
  absl::SleepFor(absl::Seconds(2 * seconds));  // warm
  std::vector<std::map<std::string, double>> answered;
  for (size_t fault = 0; fault < faults.size(); ++fault) {
    for (int part = 0; part < 3; ++part) {
      const auto before = Answered(replicas);
      phase = static_cast<int>(fault) * 3 + part;
      if (part == 1) faults[fault].begin();
      if (part == 2) faults[fault].end();
      absl::SleepFor(absl::Seconds(seconds));
      auto since = Answered(replicas);
      for (auto& [who, count] : since) {
        const auto had = before.find(who);
        if (had != before.end()) count -= had->second;
      }
      answered.push_back(std::move(since));
    }
    phase = -1;
    absl::SleepFor(absl::Seconds(seconds));  // to be as before
  }
  done = true;
  slowing.join();
  for (std::thread& worker : workers) worker.join();
  std::printf("%-12s %-7s %7s %8s %8s %8s   %s\n", "Redis is", "", "reads", "p50 ms", "p99 ms",
              "most ms", "from Redis, from the store");
  std::string json = "[";
  for (int at = 0; at < phases; ++at) {
    std::vector<double> all;
    for (const auto& of : millis) all.insert(all.end(), of[at].begin(), of[at].end());
    if (all.empty()) all.push_back(0);
    std::sort(all.begin(), all.end());
    const double p50 = all[all.size() / 2], p99 = all[all.size() * 99 / 100], most = all.back();
    double sum = 0;
    for (const auto& [who, count] : answered[at]) sum += count;
    const double hits = answered[at]["redis"] / std::max(sum, 1.0);
    const double store = (answered[at]["store"] + answered[at]["bypass"]) / std::max(sum, 1.0);
    std::printf("%-12s %-7s %7zu %8.2f %8.2f %8.2f   %3.0f %%, %3.0f %%\n",
                at % 3 == 0 ? faults[at / 3].name : "", kPhases[at % 3], all.size(), p50, p99, most,
                100 * hits, 100 * store);
    absl::StrAppend(&json, at == 0 ? "" : ", ", "{\"fault\": \"", faults[at / 3].name,
                    "\", \"phase\": \"", kPhases[at % 3], "\", \"p50_ms\": ", p50,
                    ", \"p99_ms\": ", p99, ", \"most_ms\": ", most, ", \"from_redis\": ", hits,
                    "}");
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "]\n";
  Stop(replicas);
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  double seconds = 0;
  int rounds = 11;
  int clinicians = 200;
  double faster = 400;
  std::string json;
  std::string mode;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--day" || word == "--faults") {
      mode = word;
      continue;
    }
    if (++i == argc) return 2;
    if (word == "--seconds") seconds = std::atof(argv[i]);
    if (word == "--rounds") rounds = std::atoi(argv[i]);
    if (word == "--clinicians") clinicians = std::atoi(argv[i]);
    if (word == "--faster") faster = std::atof(argv[i]);
    if (word == "--json") json = argv[i];
  }
  if (seconds < 0 || rounds < 1 || clinicians < 1 || faster < 1) return 2;
  if (mode == "--day") return rapport::bench::Day(clinicians, faster, json);
  if (mode == "--faults") return rapport::bench::Faults(seconds > 0 ? seconds : 4, json);
  return rapport::bench::Rates(absl::Seconds(seconds > 0 ? seconds : 0.5), rounds, json);
}
