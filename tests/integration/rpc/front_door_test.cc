#include "common/rpc/front_door.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "common/rpc/channel.h"
#include "common/rpc/errors.h"
#include "common/rpc/method_service.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/common/v1/event_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tests/integration/rpc/fixture.h"
#include "tests/integration/rpc/trial.pb.h"

namespace rapport::rpc {
namespace {

using assessment::v1::ScoreRequest;
using assessment::v1::ScoreResponse;
using scheduling::v1::GetOrganizationRequest;
using scheduling::v1::Organization;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kScore[] = "rapport.rpc.trial.TrialService/Score";
constexpr char kGetOrganization[] = "rapport.rpc.trial.TrialService/GetOrganization";

// Counts to `events` and ends, or waits for ever when it has none.
class Counting final : public call::StreamSource {
 public:
  explicit Counting(int events) : left_(events) {}
  bool Ready() override { return left_ > 0; }
  absl::StatusOr<Next> Pull(google::protobuf::Message& response) override {
    if (left_ < 0) return Next::kWait;
    if (left_ == 0) return Next::kEnd;
    static_cast<common::v1::WatchResponse&>(response).set_cursor(absl::StrCat(left_--));
    return Next::kMessage;
  }

 private:
  int left_;
};

class Handlers {
 public:
  void Register(call::Registry& registry) {
    registry.Service("rapport.rpc.trial.TrialService", this)
        .Unary("Score", &Handlers::Score)
        .Unary("GetOrganization", &Handlers::Get, &Handlers::GetsAtOnce);
    registry.Service("rapport.common.v1.EventService", this)
        .Stream<common::v1::WatchResponse>("Watch", &Handlers::Watch)
        .Unary("RetryParkedEvents", &Handlers::Retry);
  }

  absl::StatusOr<ScoreResponse> Score(const call::CallContext&, const ScoreRequest& request) {
    if (request.instrument() == "instruments/bug") {
      return errors::Internal("the patient said something");
    }
    if (request.instrument() == "instruments/throw") throw std::runtime_error("something");
    ScoreResponse response;
    response.mutable_score()->set_total(request.answers_size());
    return response;
  }
  absl::StatusOr<Organization> Get(const call::CallContext& context,
                                   const GetOrganizationRequest& request) {
    if (on_get) on_get(context);
    if (request.name() != "organizations/acme") return errors::NotFound("Organization");
    Organization organization;
    organization.set_name(request.name());
    organization.set_display_name(context.principal->subject);
    return organization;
  }
  bool GetsAtOnce(const GetOrganizationRequest&) const { return quick.load(); }
  absl::StatusOr<common::v1::RetryParkedEventsResponse> Retry(
      const call::CallContext&, const common::v1::RetryParkedEventsRequest&) {
    return common::v1::RetryParkedEventsResponse();
  }
  absl::StatusOr<std::unique_ptr<call::StreamSource>> Watch(const call::CallContext&,
                                                            const common::v1::WatchRequest&) {
    return std::make_unique<Counting>(stream_events);
  }

  std::function<void(const call::CallContext&)> on_get;
  std::atomic<bool> quick{false};
  int stream_events = 3;
};

class FrontDoorTest : public ServedTest {
 protected:
  void Register(call::Registry& registry) override { handlers_.Register(registry); }

  void StartServer(int read_threads, size_t queue_limit) {
    ServedTest::StartServer([&](FrontDoor::Dependencies& dependencies) {
      dependencies.read_threads = read_threads;
      dependencies.queue_limit = queue_limit;
    });
  }

  absl::Status Call(absl::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message& response, absl::string_view token,
                    absl::Duration patience = absl::Seconds(20)) {
    return channel_->Call(
        method, {.user_token = std::string(token), .service_token = "", .traceparent = ""},
        absl::Now() + patience, request, response);
  }

  absl::Status Score(absl::string_view instrument, absl::string_view token) {
    ScoreRequest request;
    request.set_instrument(std::string(instrument));
    ScoreResponse response;
    return Call(kScore, request, response, token);
  }

  absl::Status Get(absl::string_view name, absl::string_view token,
                   absl::Duration patience = absl::Seconds(20)) {
    GetOrganizationRequest request;
    request.set_name(std::string(name));
    Organization response;
    return Call(kGetOrganization, request, response, token, patience);
  }

  Handlers handlers_;
};

TEST_F(FrontDoorTest, AnswersACallWithAGoodToken) {
  EXPECT_EQ(Score("instruments/phq-9", Token()), absl::OkStatus());
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_rpc_calls_total{"));
}

TEST_F(FrontDoorTest, EveryBadTokenGetsTheSameAnswer) {
  auth::TokenClaims expired = Claims();
  expired.issue_time -= absl::Hours(1);
  expired.expire_time -= absl::Hours(1);
  auth::TokenClaims elsewhere = Claims();
  elsewhere.audience = "another";
  const auto forger = auth::TokenSigner::Generate(auth::Algorithm::kEdDsa, user_->key_id());
  auth::TokenClaims as_service = Claims();
  as_service.issuer = as_service.subject = "service:assessment";
  for (const std::string& token :
       {std::string("nonsense"), user_->Sign(expired), user_->Sign(elsewhere),
        forger->Sign(Claims()), user_->Sign(as_service), service_->Sign(as_service)}) {
    EXPECT_EQ(Score("instruments/phq-9", token), errors::Unauthenticated());
  }
  EXPECT_EQ(Score("instruments/phq-9", ""), errors::Unauthenticated());
}

TEST_F(FrontDoorTest, RefusesARoleWithoutThePermissionBeforeItLooksAtTheRequest) {
  auth::TokenClaims claims = Claims();
  claims.roles = {"privacy_officer"};
  const absl::Status status = Score("", user_->Sign(claims));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(errors::MetadataValue(status, "permission"), "scores.compute");
}

TEST_F(FrontDoorTest, NamesTheWrongField) {
  const absl::Status status = Score("", Token());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(errors::FieldViolations(status).size(), 1u);
  EXPECT_EQ(errors::FieldViolations(status)[0].field, "instrument");
}

TEST_F(FrontDoorTest, AnotherOrganisationIsAsIfAbsent) {
  auth::TokenClaims other = Claims();
  other.organization_id = "other";
  EXPECT_EQ(Get("organizations/acme", Token()), absl::OkStatus());
  const absl::Status foreign = Get("organizations/acme", user_->Sign(other));
  const absl::Status absent = Get("organizations/other", user_->Sign(other));
  EXPECT_EQ(absent.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(foreign, absent);
  EXPECT_EQ(ToGrpc(foreign, "").error_details(), ToGrpc(absent, "").error_details());
}

TEST_F(FrontDoorTest, ABugLeavesOnlyItsTraceId) {
  for (const char* instrument : {"instruments/bug", "instruments/throw"}) {
    const absl::Status status = Score(instrument, Token());
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("something")));
    EXPECT_EQ(errors::MetadataValue(status, "trace_id").size(), 32u);
  }
}

TEST_F(FrontDoorTest, RefusesAnOversizedMessageWithAReason) {
  ScoreRequest request;
  request.set_instrument(std::string(kMaxRequestBytes, 'x'));
  ScoreResponse response;
  const absl::Status status = Call(kScore, request, response, Token());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::Reason(status), "MESSAGE_TOO_LARGE");
  request.set_instrument(std::string(3 * kMaxRequestBytes, 'x'));
  EXPECT_EQ(Call(kScore, request, response, Token()).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(FrontDoorTest, RefusesBytesThatAreNoMessage) {
  auto channel = grpc::CreateChannel(absl::StrCat("127.0.0.1:", server_->port()),
                                     grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  context.AddMetadata("authorization", absl::StrCat("Bearer ", Token()));
  grpc::Slice slice("\xff\xff\xff\xff");
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  const absl::Status status = FromGrpc(grpc::internal::BlockingUnaryCall(
      channel.get(),
      grpc::internal::RpcMethod("/rapport.rpc.trial.TrialService/Score",
                                grpc::internal::RpcMethod::NORMAL_RPC),
      &context, request, &response));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::Reason(status), "INVALID_FIELD");
}

TEST_F(FrontDoorTest, AFullExecutorRefusesAtOnceAndOthersGoOn) {
  StartServer(1, 4);
  std::latch entered(1);
  std::latch release(1);
  std::atomic<bool> first{true};
  handlers_.on_get = [&](const call::CallContext&) {
    if (!first.exchange(false)) return;
    entered.count_down();
    release.wait();
  };
  const std::string token = Token();
  std::thread blocked([&] { EXPECT_TRUE(Get("organizations/acme", token).ok()); });
  entered.wait();
  // One place of the four is this organisation's share; the second waiting call finds none.
  std::atomic<int> refused{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      const absl::Status status = Get("organizations/acme", token);
      if (status.code() == absl::StatusCode::kResourceExhausted) {
        EXPECT_EQ(errors::Reason(status), "OVERLOADED");
        refused.fetch_add(1);
      }
    });
  }
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (refused.load() < 2 && absl::Now() < give_up) std::this_thread::yield();
  EXPECT_EQ(refused.load(), 2);
  EXPECT_TRUE(Score("instruments/phq-9", token).ok());
  release.count_down();
  blocked.join();
  for (std::thread& thread : waiting) thread.join();
}

TEST_F(FrontDoorTest, AQuickRequestDoesNotWaitForItsExecutor) {
  StartServer(1, 4);
  std::latch entered(1);
  std::latch release(1);
  std::atomic<bool> first{true};
  handlers_.on_get = [&](const call::CallContext&) {
    if (!first.exchange(false)) return;
    entered.count_down();
    release.wait();
  };
  const std::string token = Token();
  std::thread blocked([&] { EXPECT_TRUE(Get("organizations/acme", token).ok()); });
  entered.wait();
  handlers_.quick.store(true);
  EXPECT_TRUE(Get("organizations/acme", token).ok());
  EXPECT_EQ(Get("organizations/other", token).code(), absl::StatusCode::kNotFound);
  release.count_down();
  blocked.join();
}

TEST_F(FrontDoorTest, ACallWhoseDeadlinePassedInTheQueueNeverRuns) {
  StartServer(1, 64);
  std::latch entered(1);
  std::latch release(1);
  std::atomic<int> runs{0};
  handlers_.on_get = [&](const call::CallContext&) {
    if (runs.fetch_add(1) > 0) return;
    entered.count_down();
    release.wait();
  };
  const std::string token = Token();
  std::thread blocked([&] { EXPECT_TRUE(Get("organizations/acme", token).ok()); });
  entered.wait();
  EXPECT_EQ(Get("organizations/acme", token, absl::Milliseconds(100)).code(),
            absl::StatusCode::kDeadlineExceeded);
  // The server's deadline is a little later: it counts from the call's arrival.
  const absl::Time passed = absl::Now() + absl::Seconds(1);
  while (absl::Now() < passed) std::this_thread::yield();
  release.count_down();
  blocked.join();
  EXPECT_TRUE(Get("organizations/acme", token).ok());
  EXPECT_EQ(runs.load(), 2);
}

TEST_F(FrontDoorTest, StreamsUntilTheSourceEnds) {
  auth::TokenClaims claims = Claims();
  claims.issuer = claims.subject = "service:assessment";
  auto stream = channel_->Watch(
      {.user_token = "", .service_token = service_->Sign(claims), .traceparent = ""},
      common::v1::WatchRequest());
  for (const char* cursor : {"3", "2", "1"}) {
    auto response = stream->Read();
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->cursor(), cursor);
  }
  EXPECT_EQ(stream->Read().status().code(), absl::StatusCode::kCancelled);
}

TEST_F(FrontDoorTest, CountsCallsUnderWayAndOpenStreams) {
  handlers_.on_get = [&](const call::CallContext&) {
    EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_rpc_in_flight 1"));
  };
  EXPECT_TRUE(Get("organizations/acme", Token()).ok());
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_rpc_in_flight 0"));
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_streams_open 0"));
}

TEST_F(FrontDoorTest, AWaitingStreamEndsCleanlyWhenTheServerDrains) {
  handlers_.stream_events = -1;
  auth::TokenClaims claims = Claims();
  claims.roles = {"integration"};
  auto stream =
      channel_->Watch({.user_token = user_->Sign(claims), .service_token = "", .traceparent = ""},
                      common::v1::WatchRequest());
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::Seconds(20)); });
  const absl::StatusCode code = stream->Read().status().code();
  EXPECT_TRUE(code == absl::StatusCode::kCancelled || code == absl::StatusCode::kUnavailable)
      << absl::StatusCodeToString(code);
  drain.join();
}

TEST_F(FrontDoorTest, ACallUnderWayFinishesWhileTheServerDrains) {
  std::latch entered(1);
  std::latch release(1);
  handlers_.on_get = [&](const call::CallContext&) {
    entered.count_down();
    release.wait();
  };
  const std::string token = Token();
  std::thread caller([&] { EXPECT_EQ(Get("organizations/acme", token), absl::OkStatus()); });
  entered.wait();
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::Seconds(20)); });
  release.count_down();
  caller.join();
  drain.join();
}

}  // namespace
}  // namespace rapport::rpc
