// How fast forms are scored over gRPC, against servers that only echo: the same calls with the same
// headers, answered with the same messages. One sends bytes that it has ready and never looks into
// the request; the other reads the request and writes its answer as messages, as any server must.
// All are in the same process and the same run, in turns; medians of many. Beside the rates the
// processor time of the whole process, client and server.
//
//   score_rpc_bench [--seconds N] [--rounds N] [--only unary|stream1|stream20|stream500] [--json
//   FILE]
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/auth/jwt.h"
#include "common/auth/signer.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/telemetry/log.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "services/assessment/data/shipped.h"
#include "services/assessment/rpc/catalogues.h"
#include "services/assessment/rpc/scoring_handlers.h"
#include "tests/support/postgres/databases.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::bench {
namespace {

namespace v1 = assessment::v1;

constexpr int kCallers = 16;
constexpr int kChannels = 4;
constexpr char kScore[] = "rapport.assessment.v1.ScoringService/Score";
constexpr char kStream[] = "rapport.assessment.v1.ScoringService/StreamScores";

void Want(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

// Answers each message of the two methods with the same one, in the way of gRPC that ours takes.
class Echo final : public grpc::Service {
 public:
  // As bytes, or reading and writing messages.
  explicit Echo(bool reads) : reads_(reads) {
    using Bytes = grpc::ByteBuffer;
    using grpc::internal::RpcMethod;
    Add(kScore, RpcMethod::NORMAL_RPC,
        new grpc::internal::CallbackUnaryHandler<Bytes, Bytes>(
            [this](grpc::CallbackServerContext* context, const Bytes* request, Bytes* response) {
              v1::ScoreRequest message;
              Respond(*request, message, score_, *response);
              grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
              reactor->Finish(grpc::Status::OK);
              return reactor;
            }));
    Add(kStream, RpcMethod::BIDI_STREAMING,
        new grpc::internal::CallbackBidiHandler<Bytes, Bytes>(
            [this](grpc::CallbackServerContext*) { return new Exchange(*this); }));
  }

  void Answer(const v1::ScoreResponse& score) {
    score_ = score;
    bytes_ = Write(score_);
  }
  void Answer(const v1::StreamScoresResponse& scores) {
    scores_ = scores;
    bytes_ = Write(scores_);
  }

 private:
  class Exchange final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
   public:
    explicit Exchange(const Echo& echo) : echo_(echo) { StartRead(&in_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      echo_.Respond(in_, request_, echo_.scores_, out_);
      StartWrite(&out_);
    }
    void OnWriteDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      StartRead(&in_);
    }
    void OnDone() override { delete this; }

   private:
    const Echo& echo_;
    v1::StreamScoresRequest request_;
    grpc::ByteBuffer in_;
    grpc::ByteBuffer out_;
  };

  static grpc::ByteBuffer Write(const google::protobuf::Message& message) {
    grpc::Slice slice(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
    return grpc::ByteBuffer(&slice, 1);
  }

  void Respond(const grpc::ByteBuffer& in, google::protobuf::Message& request,
               const google::protobuf::Message& answer, grpc::ByteBuffer& out) const {
    if (!reads_) {
      out = bytes_;
      return;
    }
    grpc::ByteBuffer copy(in);  // shares the slices
    grpc::ProtoBufferReader reader(&copy);
    if (!request.ParseFromZeroCopyStream(&reader)) std::abort();
    out = Write(answer);
  }

  void Add(absl::string_view method, grpc::internal::RpcMethod::RpcType type,
           grpc::internal::MethodHandler* handler) {
    paths_.push_back(absl::StrCat("/", method));
    AddMethod(new grpc::internal::RpcServiceMethod(paths_.back().c_str(), type, nullptr));
    MarkMethodRawCallback(paths_.size() - 1, handler);
  }

  const bool reads_;
  std::list<std::string> paths_;  // gRPC keeps pointers to them
  v1::ScoreResponse score_;
  v1::StreamScoresResponse scores_;
  grpc::ByteBuffer bytes_;
};

enum Server { kOurs, kBytes, kMessages, kServers };

v1::ScoreRequest Request() {
  v1::ScoreRequest request;
  request.set_instrument("instruments/phq-9");
  request.set_without_explanation(true);
  for (int item = 1; item <= 9; ++item) {
    v1::Answer& answer = *request.add_answers();
    answer.set_item(item);
    answer.set_value(item % 4);
  }
  return request;
}

v1::StreamScoresRequest Batch(int forms) {
  v1::StreamScoresRequest request;
  for (int i = 0; i < forms; ++i) {
    v1::AnsweredForm& form = *request.add_forms();
    form.set_instrument("phq-9");
    for (int item = 0; item < 9; ++item) form.add_codes((i + item) % 4);
  }
  return request;
}

struct Measured {
  double rate;    // calls or forms a second
  double micros;  // of processor time, each
};

class Stopwatch {
 public:
  Measured Over(int64_t count) const {
    const double n = static_cast<double>(count);
    return {n / absl::ToDoubleSeconds(absl::Now() - begun_),
            absl::ToDoubleMicroseconds(Spent() - spent_) / n};
  }

 private:
  static absl::Duration Spent() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
  }

  const absl::Time begun_ = absl::Now();
  const absl::Duration spent_ = Spent();
};

class Bench {
 public:
  Bench() : database_(MakeDatabase()), catalogues_(assessment::ShippedInstruments()) {
    Want(telemetry::LogTo(dir_.File("log")));
    std::ofstream(dir_.File("jwks.json")) << "{\"keys\":[" << user_->PublicJwk() << "]}";
    auth::TokenVerifierOptions options;
    options.jwks_file = dir_.File("jwks.json");
    options.issuers = {"issuer"};
    options.audiences = {"rapport"};
    verifier_ = *auth::TokenVerifier::Make(options);
    front_ = std::make_unique<rpc::FrontDoor>(
        rpc::FrontDoor::Dependencies{.verifier = verifier_.get(),
                                     .clock = &time::RealClock(),
                                     .integrity = *auth::IntegrityKey::Parse(std::string(64, 'a')),
                                     .metrics = metrics_.get()});
    handlers_ = std::make_unique<assessment::ScoringHandlers>(*database_, catalogues_);
    call::Registry registry;
    handlers_->Register(registry);
    auto server = rpc::Server::Start({.listen = "127.0.0.1:0", .health_listen = "127.0.0.1:0"},
                                     "assessment", registry, *front_);
    Want(server.status());
    server_ = *std::move(server);

    Connect(kOurs, server_->port());
    for (const Server which : {kBytes, kMessages}) {
      grpc::ServerBuilder builder;
      int port = 0;
      builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
      builder.RegisterService(&echoes_[which - kBytes]);
      echo_servers_.push_back(builder.BuildAndStart());
      Connect(which, port);
    }
    const absl::Time now = absl::Now();
    token_ = user_->Sign({.issuer = "issuer",
                          .subject = "bench",
                          .audience = "rapport",
                          .issue_time = now,
                          .expire_time = now + absl::Minutes(15),
                          .token_id = "",
                          .organization_id = "acme",
                          .roles = {"integration"},
                          .clinics = std::nullopt,
                          .auth_time = now});
  }

  ~Bench() {
    for (auto& channels : channels_) channels.clear();
    for (const auto& echo : echo_servers_) echo->Shutdown();
    server_.reset();
    front_->Drain();
    metrics_->StopReading();
  }

  // Calls, closed loop.
  Measured Unary(Server server, absl::Duration time) {
    v1::ScoreResponse answer;
    Want(Call(*channels_[kOurs][0], answer));
    for (Echo& echo : echoes_) echo.Answer(answer);
    std::atomic<int64_t> calls{0};
    const Stopwatch stopwatch;
    const absl::Time end = absl::Now() + time;
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        const rpc::Channel& channel = *channels_[server][i % kChannels];
        v1::ScoreResponse response;
        int64_t made = 0;
        for (; absl::Now() < end; ++made) Want(Call(channel, response));
        calls += made;
      });
    }
    for (std::thread& caller : callers) caller.join();
    return stopwatch.Over(calls);
  }

  // Over one stream, so many forms in each message.
  Measured Stream(Server server, int forms, absl::Duration time) {
    const v1::StreamScoresRequest batch = Batch(forms);
    v1::StreamScoresResponse answer;
    Exchange(*channels_[kOurs][0], batch, answer, absl::ZeroDuration());
    for (Echo& echo : echoes_) echo.Answer(answer);
    const Stopwatch stopwatch;
    return stopwatch.Over(Exchange(*channels_[server][0], batch, answer, time));
  }

 private:
  static std::unique_ptr<sql::Database> MakeDatabase() { return sql::testing::Sqlite().make(); }

  void Connect(Server server, int port) {
    for (int i = 0; i < kChannels; ++i) {
      channels_[server].push_back(std::make_unique<rpc::Channel>(absl::StrCat("127.0.0.1:", port)));
    }
  }

  absl::Status Call(const rpc::Channel& channel, v1::ScoreResponse& response) const {
    static const v1::ScoreRequest request = Request();
    return channel.Call(kScore, {.user_token = token_, .service_token = "", .traceparent = ""},
                        absl::Now() + absl::Seconds(30), request, response);
  }

  int64_t Exchange(const rpc::Channel& channel, const v1::StreamScoresRequest& batch,
                   v1::StreamScoresResponse& response, absl::Duration time) const {
    const absl::Time end = absl::Now() + time;
    v1::StreamScoresRequest request;
    int64_t forms = 0;
    bool first = true;
    Want(channel.Exchange(
        kStream, {.user_token = token_, .service_token = "", .traceparent = ""},
        absl::Now() + absl::Minutes(5), request,
        [&]() -> absl::StatusOr<bool> {
          if (!first && absl::Now() >= end) return false;
          first = false;
          request = batch;
          return true;
        },
        response,
        [&] {
          forms += batch.forms_size();
          return absl::OkStatus();
        }));
    return forms;
  }

  rapport::testing::TempDir dir_;
  const std::unique_ptr<sql::Database> database_;
  const assessment::Catalogues catalogues_;
  std::unique_ptr<auth::TokenSigner> user_ = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  std::unique_ptr<auth::TokenVerifier> verifier_;
  std::unique_ptr<assessment::ScoringHandlers> handlers_;
  std::unique_ptr<rpc::FrontDoor> front_;
  std::unique_ptr<rpc::Server> server_;
  std::array<Echo, 2> echoes_ = {Echo(/*reads=*/false), Echo(/*reads=*/true)};
  std::vector<std::unique_ptr<grpc::Server>> echo_servers_;
  std::array<std::vector<std::unique_ptr<rpc::Channel>>, kServers> channels_;
  std::string token_;
};

struct Line {
  const char* name;
  const char* key;
  std::function<Measured(Server server)> measure;
  std::array<std::vector<double>, kServers> rates = {};
  std::array<std::vector<double>, kServers> micros = {};
  std::array<std::vector<double>, kServers> ratios = {};  // of ours to it, in the same round
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Run(absl::Duration time, int rounds, const std::string& only, const std::string& json_path) {
  static constexpr const char* kNames[] = {"ours", "echo of bytes", "echo of messages"};
  static constexpr const char* kKeys[] = {"ours", "echo", "message_echo"};
  Bench bench;
  std::vector<Line> lines = {
      {"Score, calls", "unary", [&](Server server) { return bench.Unary(server, time); }},
      {"StreamScores, by 1", "stream1",
       [&](Server server) { return bench.Stream(server, 1, time); }},
      {"StreamScores, by 20", "stream20",
       [&](Server server) { return bench.Stream(server, 20, time); }},
      {"StreamScores, by 500", "stream500",
       [&](Server server) { return bench.Stream(server, 500, time); }}};
  std::erase_if(lines, [&](const Line& line) { return !only.empty() && only != line.key; });
  for (int round = 0; round < rounds; ++round) {
    for (Line& line : lines) {
      for (const Server server : {kOurs, kBytes, kMessages}) {
        const Measured measured = line.measure(server);
        line.rates[server].push_back(measured.rate);
        line.micros[server].push_back(measured.micros);
        line.ratios[server].push_back(line.rates[kOurs].back() / measured.rate);
      }
    }
  }
  std::string json;
  std::printf("%-20s %-17s %10s %8s   %s\n", "", "", "a second", "CPU us",
              "ours to it, median (middle half)");
  for (const Line& line : lines) {
    absl::StrAppend(&json, json.empty() ? "[" : ", ", "{\"name\": \"", line.name, " a second\"");
    for (const Server server : {kOurs, kBytes, kMessages}) {
      std::vector<double> ratios = line.ratios[server];
      std::sort(ratios.begin(), ratios.end());
      std::printf("%-20s %-17s %10.0f %8.2f   ", server == kOurs ? line.name : "", kNames[server],
                  Median(line.rates[server]), Median(line.micros[server]));
      if (server == kOurs) {
        std::printf("\n");
      } else {
        std::printf("%.2f (%.2f to %.2f)\n", Median(ratios), ratios[ratios.size() / 4],
                    ratios[ratios.size() * 3 / 4]);
      }
      absl::StrAppend(&json, ", \"", kKeys[server], "\": ", Median(line.rates[server]), ", \"",
                      kKeys[server], "_cpu_micros\": ", Median(line.micros[server]));
    }
    absl::StrAppend(&json, ", \"ratio\": ", Median(line.ratios[kBytes]),
                    ", \"message_ratio\": ", Median(line.ratios[kMessages]), "}");
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "]\n";
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  // As the services do.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  double seconds = 0.5;
  int rounds = 21;
  std::string only;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  if (seconds <= 0 || rounds < 1) return 2;
  return rapport::bench::Run(absl::Seconds(seconds), rounds, only, json);
}
