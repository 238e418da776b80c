// How fast forms are scored over gRPC, against a server that only echoes messages of the same sizes
// and takes the same headers, in the same process and the same run: medians of interleaved rounds.
//
//   score_rpc_bench [--seconds N] [--rounds N] [--json FILE]
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
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
constexpr int kForms = 500;  // in one message of the stream
constexpr char kScore[] = "rapport.assessment.v1.ScoringService/Score";
constexpr char kStream[] = "rapport.assessment.v1.ScoringService/StreamScores";

void Want(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

// Answers each message of any method with the same bytes.
class Echo final : public grpc::CallbackGenericService {
 public:
  void Answer(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    answer_ = grpc::ByteBuffer(&slice, 1);
  }

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    class Reactor final : public grpc::ServerGenericBidiReactor {
     public:
      explicit Reactor(const grpc::ByteBuffer& answer) : answer_(answer) { StartRead(&request_); }
      void OnReadDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        out_ = answer_;
        StartWrite(&out_);
      }
      void OnWriteDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        StartRead(&request_);
      }
      void OnDone() override { delete this; }

     private:
      const grpc::ByteBuffer& answer_;
      grpc::ByteBuffer request_;
      grpc::ByteBuffer out_;
    };
    return new Reactor(answer_);
  }

 private:
  grpc::ByteBuffer answer_;
};

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

v1::StreamScoresRequest Batch() {
  v1::StreamScoresRequest request;
  for (int i = 0; i < kForms; ++i) {
    v1::AnsweredForm& form = *request.add_forms();
    form.set_instrument("phq-9");
    for (int item = 0; item < 9; ++item) form.add_codes((i + item) % 4);
  }
  return request;
}

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

    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &echo_port_);
    builder.RegisterCallbackGenericService(&echo_);
    echo_server_ = builder.BuildAndStart();
    for (int i = 0; i < kChannels; ++i) {
      ours_.push_back(std::make_unique<rpc::Channel>(absl::StrCat("127.0.0.1:", server_->port())));
      echoes_.push_back(std::make_unique<rpc::Channel>(absl::StrCat("127.0.0.1:", echo_port_)));
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
    ours_.clear();
    echoes_.clear();
    echo_server_->Shutdown();
    server_.reset();
    front_->Drain();
    metrics_->StopReading();
  }

  // Calls a second, closed loop.
  double Unary(bool ours, absl::Duration time) {
    v1::ScoreResponse answer;
    Want(Call(*ours_[0], answer));
    echo_.Answer(answer.SerializeAsString());
    std::atomic<int64_t> calls{0};
    const absl::Time end = absl::Now() + time;
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        const rpc::Channel& channel = *(ours ? ours_ : echoes_)[i % kChannels];
        v1::ScoreResponse response;
        int64_t made = 0;
        for (; absl::Now() < end; ++made) Want(Call(channel, response));
        calls += made;
      });
    }
    for (std::thread& caller : callers) caller.join();
    return static_cast<double>(calls) / absl::ToDoubleSeconds(time);
  }

  // Forms a second over one stream.
  double Stream(bool ours, absl::Duration time) {
    const v1::StreamScoresRequest batch = Batch();
    v1::StreamScoresResponse answer;
    int64_t forms = Exchange(*ours_[0], batch, answer, absl::ZeroDuration());
    echo_.Answer(answer.SerializeAsString());
    const absl::Time start = absl::Now();
    forms = Exchange(*(ours ? ours_ : echoes_)[0], batch, answer, time);
    return static_cast<double>(forms) / absl::ToDoubleSeconds(absl::Now() - start);
  }

 private:
  static std::unique_ptr<sql::Database> MakeDatabase() { return sql::testing::Sqlite().make(); }

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
          forms += kForms;
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
  Echo echo_;
  int echo_port_ = 0;
  std::unique_ptr<grpc::Server> echo_server_;
  std::vector<std::unique_ptr<rpc::Channel>> ours_;
  std::vector<std::unique_ptr<rpc::Channel>> echoes_;
  std::string token_;
};

struct Pair {
  const char* name;
  std::function<double(bool ours)> rate;
  std::vector<double> ratios = {};
  std::vector<double> ours = {};
  std::vector<double> echo = {};
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Run(int seconds, int rounds, const std::string& json_path) {
  Bench bench;
  const absl::Duration time = absl::Seconds(seconds);
  Pair pairs[] = {
      {"Score, calls a second", [&](bool ours) { return bench.Unary(ours, time); }},
      {"StreamScores, forms a second", [&](bool ours) { return bench.Stream(ours, time); }}};
  for (int round = 0; round < rounds; ++round) {
    for (Pair& pair : pairs) {
      pair.ours.push_back(pair.rate(true));
      pair.echo.push_back(pair.rate(false));
      pair.ratios.push_back(pair.ours.back() / pair.echo.back());
    }
  }
  std::string json = "[";
  std::printf("%-32s %12s %12s %s\n", "", "ours", "echo", "ours / echo (least to most)");
  for (const Pair& pair : pairs) {
    const auto [least, most] = std::minmax_element(pair.ratios.begin(), pair.ratios.end());
    std::printf("%-32s %12.0f %12.0f %.2f (%.2f to %.2f)\n", pair.name, Median(pair.ours),
                Median(pair.echo), Median(pair.ratios), *least, *most);
    absl::StrAppend(&json, &pair == pairs ? "" : ", ", "{\"name\": \"", pair.name,
                    "\", \"ours\": ", Median(pair.ours), ", \"echo\": ", Median(pair.echo),
                    ", \"ratio\": ", Median(pair.ratios), "}");
  }
  if (!json_path.empty()) std::ofstream(json_path) << json << "]\n";
  return 0;
}

}  // namespace
}  // namespace rapport::bench

int main(int argc, char** argv) {
  int seconds = 2;
  int rounds = 5;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--rounds") == 0) rounds = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
  }
  if (seconds < 1 || rounds < 1) return 2;
  return rapport::bench::Run(seconds, rounds, json);
}
