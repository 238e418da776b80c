// Several servers behind one target, in one process: who is asked, and that a rollout fails no
// call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/rpc/service_config.h"
#include "common/telemetry/log.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tests/integration/rpc/fixture.h"
#include "tests/integration/rpc/trial.pb.h"

namespace rapport::rpc {
namespace {

// As those that ship, for a service that is called "test".
constexpr char kConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": "test"},
  "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
  "methodConfig": [{
    "name": [{}],
    "timeout": "10s",
    "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "0.5s",
                    "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

constexpr absl::Duration kPatience = absl::Seconds(30);

class Handlers {
 public:
  void Register(call::Registry& registry) {
    registry.Service("rapport.rpc.trial.TrialService", this)
        .Unary("Score", &Handlers::Score)
        .Unary("GetOrganization", &Handlers::Get);
  }
  absl::StatusOr<assessment::v1::ScoreResponse> Score(const call::CallContext&,
                                                      const assessment::v1::ScoreRequest&) {
    ++asked;
    return assessment::v1::ScoreResponse();
  }
  absl::StatusOr<scheduling::v1::Organization> Get(const call::CallContext&,
                                                   const scheduling::v1::GetOrganizationRequest&) {
    return scheduling::v1::Organization();
  }
  std::atomic<int> asked{0};
};

class ReplicasTest : public ServedTest {
 protected:
  static constexpr int kReplicas = 3;

  void Register(call::Registry&) override {}

  void SetUp() override {
    trial::RecordRequest::descriptor();                        // linked in
    telemetry::SetMinSeverity(telemetry::Severity::kWarning);  // not a line for each call
    std::ofstream(dir_.File("jwks.json")) << "{\"keys\":[" << user_->PublicJwk() << "]}";
    auth::TokenVerifierOptions options;
    options.jwks_file = dir_.File("jwks.json");
    options.issuers = {"issuer"};
    options.audiences = {"rapport"};
    verifier_ = *auth::TokenVerifier::Make(options);
    front_ = std::make_unique<FrontDoor>(
        FrontDoor::Dependencies{.verifier = verifier_.get(),
                                .clock = &time::RealClock(),
                                .integrity = *auth::IntegrityKey::Parse(std::string(64, 'a')),
                                .metrics = metrics_.get()});
    std::vector<std::string> addresses;
    for (int i = 0; i < kReplicas; ++i) {
      StartReplica(i);
      servers_[i]->SetReady(true);
      addresses.push_back(absl::StrCat("127.0.0.1:", ports_[i]));
    }
    channel_ = std::make_unique<Channel>(
        ChannelOptions{.target = absl::StrCat("ipv4:", absl::StrJoin(addresses, ",")),
                       .service_config = kConfig,
                       .tls = std::nullopt});
  }

  void TearDown() override {
    channel_.reset();
    for (auto& server : servers_) server.reset();
    front_->Drain();
    metrics_->StopReading();
    telemetry::SetMinSeverity(telemetry::Severity::kInfo);
  }

  // On the port that it had before, if any.
  void StartReplica(int i) {
    call::Registry registry;
    handlers_[i].Register(registry);
    auto server = Server::Start({.listen = absl::StrCat("127.0.0.1:", ports_[i]),
                                 .health_listen = "127.0.0.1:0",
                                 .connection_age = absl::Seconds(1)},
                                "test", registry, *front_);
    ASSERT_TRUE(server.ok()) << server.status();
    servers_[i] = *std::move(server);
    ports_[i] = servers_[i]->port();
  }

  absl::Status Call() {
    assessment::v1::ScoreRequest request;
    request.set_instrument("instruments/phq-9");
    assessment::v1::ScoreResponse response;
    return channel_->Call("rapport.rpc.trial.TrialService/Score",
                          {.user_token = Token(), .service_token = "", .traceparent = ""},
                          absl::Now() + kPatience, request, response);
  }

  // Calls until replica `i` was asked.
  void CallUntilAsked(int i) {
    const int before = handlers_[i].asked;
    const absl::Time give_up = absl::Now() + kPatience;
    while (handlers_[i].asked == before) {
      ASSERT_EQ(Call(), absl::OkStatus());
      ASSERT_LT(absl::Now(), give_up) << "replica " << i << " is never asked";
    }
  }

  Handlers handlers_[kReplicas];
  std::unique_ptr<Server> servers_[kReplicas];
  int ports_[kReplicas] = {};
};

TEST_F(ReplicasTest, AllThatAreReadyAreAskedAndNoOthers) {
  for (int i = 0; i < kReplicas; ++i) CallUntilAsked(i);
  servers_[1]->SetReady(false);
  // The channel hears of it; from then on nobody asks there.
  const absl::Time give_up = absl::Now() + kPatience;
  int before = -1;
  while (before != handlers_[1].asked) {
    ASSERT_LT(absl::Now(), give_up);
    before = handlers_[1].asked;
    for (int i = 0; i < 30; ++i) ASSERT_EQ(Call(), absl::OkStatus());
  }
  servers_[1]->SetReady(true);
  CallUntilAsked(1);
}

TEST_F(ReplicasTest, ARolloutUnderLoadFailsNoCall) {
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        EXPECT_EQ(Call(), absl::OkStatus());
        ++calls;
      }
    });
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kReplicas; ++i) {
      servers_[i]->Drain(absl::Milliseconds(200), absl::Seconds(5));
      servers_[i].reset();
      StartReplica(i);
      servers_[i]->SetReady(true);
      const int before = handlers_[i].asked;
      const absl::Time give_up = absl::Now() + kPatience;
      while (handlers_[i].asked == before && absl::Now() < give_up) {
        absl::SleepFor(absl::Milliseconds(2));
      }
      EXPECT_GT(handlers_[i].asked, before) << "replica " << i << " is not asked again";
    }
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(calls, 100);
}

TEST(ServiceConfigTest, EachServiceHasOneAndNobodyElse) {
  for (const char* service : {"scheduling", "assessment", "notes"}) {
    EXPECT_THAT(std::string(ServiceConfigOf(service)),
                ::testing::HasSubstr(absl::StrCat("\"serviceName\": \"", service, "\"")));
  }
  EXPECT_TRUE(ServiceConfigOf("elsewhere").empty());
}

}  // namespace
}  // namespace rapport::rpc
