#ifndef RAPPORT_TESTS_INTEGRATION_RPC_FIXTURE_H_
#define RAPPORT_TESTS_INTEGRATION_RPC_FIXTURE_H_

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "tests/support/postgres/temp_dir.h"

namespace rapport::rpc {

// A real gRPC server on loopback with the real front door; handlers are the test's own.
class ServedTest : public ::testing::Test {
 protected:
  virtual void Register(call::Registry& registry) = 0;

  void SetUp() override {
    StartServer([](FrontDoor::Dependencies&) {});
  }

  void StartServer(const std::function<void(FrontDoor::Dependencies&)>& adjust) {
    channel_.reset();
    server_.reset();
    front_.reset();
    std::ofstream(dir_.File("jwks.json"))
        << "{\"keys\":[" << user_->PublicJwk() << "," << service_->PublicJwk("assessment") << "]}";
    auth::TokenVerifierOptions options;
    options.jwks_file = dir_.File("jwks.json");
    options.issuers = {"issuer"};
    options.audiences = {"rapport"};
    verifier_ = *auth::TokenVerifier::Make(options);
    FrontDoor::Dependencies dependencies{
        .verifier = verifier_.get(),
        .clock = &time::RealClock(),
        .integrity = *auth::IntegrityKey::Parse(std::string(64, 'a')),
        .metrics = metrics_.get(),
        .queue_limit = 64};
    adjust(dependencies);
    front_ = std::make_unique<FrontDoor>(dependencies);
    call::Registry registry;
    Register(registry);
    auto server = Server::Start({.listen = "127.0.0.1:0",
                                 .health_listen = "127.0.0.1:0",
                                 .reflection = true,
                                 .tls = server_tls_,
                                 .connection_age = connection_age_},
                                "test", registry, *front_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = Connect(channel_tls_);
  }

  void TearDown() override {
    channel_.reset();
    server_.reset();
    front_->Drain();
    metrics_->StopReading();
  }

  static auth::TokenClaims Claims() {
    const absl::Time now = absl::Now();
    return {.issuer = "issuer",
            .subject = "bo",
            .audience = "rapport",
            .issue_time = now,
            .expire_time = now + absl::Minutes(5),
            .token_id = "",
            .organization_id = "acme",
            .roles = {"therapist", "organization_admin"},
            .clinics = std::nullopt,
            .auth_time = now};
  }

  std::unique_ptr<Channel> Connect(std::optional<ChannelTls> tls) const {
    return std::make_unique<Channel>(
        ChannelOptions{.target = absl::StrCat("127.0.0.1:", server_->port()),
                       .service_config = service_config_,
                       .tls = std::move(tls)});
  }

  std::string Token() { return user_->Sign(Claims()); }

  rapport::testing::TempDir dir_;
  // What the next server and channel are made with.
  ServerTls server_tls_;
  std::optional<ChannelTls> channel_tls_;
  std::string service_config_;
  absl::Duration connection_age_ = absl::Minutes(5);
  std::unique_ptr<auth::TokenSigner> user_ = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::unique_ptr<auth::TokenSigner> service_ =
      auth::TokenSigner::Generate(auth::Algorithm::kEdDsa);
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
  std::unique_ptr<auth::TokenVerifier> verifier_;
  std::unique_ptr<FrontDoor> front_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace rapport::rpc

#endif  // RAPPORT_TESTS_INTEGRATION_RPC_FIXTURE_H_
