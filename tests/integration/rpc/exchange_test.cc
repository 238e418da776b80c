// Bidirectional streams through the real front door and gRPC.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/call/exchange.h"
#include "common/errors/errors.h"
#include "common/rpc/errors.h"
#include "tests/integration/rpc/fixture.h"
#include "tests/integration/rpc/trial.pb.h"

namespace rapport::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using trial::ConverseRequest;
using trial::ConverseResponse;

constexpr char kConverse[] = "rapport.rpc.trial.ConversationService/Converse";
// What Finish answers with, beside the count of messages taken.
constexpr int64_t kLast = 1000000;
// What Refuse answers with, beside the code of the fault.
constexpr int64_t kRefused = 2000000;

class Handlers {
 public:
  class Conversation final : public call::Exchange<ConverseRequest, ConverseResponse> {
   public:
    explicit Conversation(Handlers& handlers) : handlers_(handlers) {}
    ~Conversation() override { handlers_.gone.fetch_add(1); }

    absl::Status Take(const call::CallContext& context, const ConverseRequest& request,
                      google::protobuf::RepeatedPtrField<ConverseResponse>& responses) override {
      handlers_.taken.fetch_add(1);
      ++taken_;
      if (handlers_.on_take) return handlers_.on_take(context, request, responses);
      responses.Add()->set_number(request.number());
      return absl::OkStatus();
    }
    absl::Status Refuse(const call::CallContext&, const ConverseRequest&, const absl::Status& fault,
                        google::protobuf::RepeatedPtrField<ConverseResponse>& responses) override {
      responses.Add()->set_number(kRefused + static_cast<int>(fault.code()));
      return absl::OkStatus();
    }
    absl::Status Finish(const call::CallContext&,
                        google::protobuf::RepeatedPtrField<ConverseResponse>& responses) override {
      handlers_.finished.fetch_add(1);
      responses.Add()->set_number(kLast + taken_);
      return absl::OkStatus();
    }

   private:
    Handlers& handlers_;
    int taken_ = 0;
  };

  absl::StatusOr<std::unique_ptr<call::Exchange<ConverseRequest, ConverseResponse>>> Converse(
      const call::CallContext& context) {
    if (on_open) {
      if (absl::Status status = on_open(context); !status.ok()) return status;
    }
    return std::make_unique<Conversation>(*this);
  }

  std::function<absl::Status(const call::CallContext&)> on_open;
  std::function<absl::Status(const call::CallContext&, const ConverseRequest&,
                             google::protobuf::RepeatedPtrField<ConverseResponse>&)>
      on_take;
  std::atomic<int> taken{0};
  std::atomic<int> finished{0};
  std::atomic<int> gone{0};
};

// The client's end.
class Stream {
 public:
  Stream(int port, absl::string_view token, absl::string_view service_token = "")
      : channel_(grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                                     grpc::InsecureChannelCredentials())) {
    if (!token.empty()) context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    if (!service_token.empty()) {
      context_.AddMetadata("x-rapport-service", std::string(service_token));
    }
    context_.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
    stream_.reset(
        grpc::internal::ClientReaderWriterFactory<ConverseRequest, ConverseResponse>::Create(
            channel_.get(),
            grpc::internal::RpcMethod("/rapport.rpc.trial.ConversationService/Converse",
                                      grpc::internal::RpcMethod::BIDI_STREAMING),
            &context_));
  }

  bool Send(int64_t number, absl::string_view parent = "") {
    ConverseRequest request;
    request.set_number(number);
    request.set_parent(std::string(parent));
    return stream_->Write(request);
  }
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }

  // -1: the stream has ended.
  int64_t Receive() {
    ConverseResponse response;
    return stream_->Read(&response) ? response.number() : -1;
  }
  absl::Status End() {
    while (Receive() >= 0) {
    }
    return FromGrpc(stream_->Finish());
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ConverseRequest, ConverseResponse>> stream_;
};

class ExchangeTest : public ServedTest {
 protected:
  void Register(call::Registry& registry) override {
    registry.Service("rapport.rpc.trial.ConversationService", &handlers_)
        .Bidi("Converse", &Handlers::Converse);
  }

  Stream Open() { return Stream(server_->port(), Token()); }

  Handlers handlers_;
};

TEST_F(ExchangeTest, AnswersTenThousandMessagesInOrder) {
  constexpr int64_t kMessages = 10000;
  ConverseRequest request;
  ConverseResponse response;
  int64_t sent = 0;
  int64_t received = 0;
  const absl::Status status = channel_->Exchange(
      kConverse, {.user_token = Token(), .service_token = "", .traceparent = ""},
      absl::Now() + absl::Seconds(100), request,
      [&]() -> absl::StatusOr<bool> {
        request.set_number(sent);
        return sent++ < kMessages;
      },
      response,
      [&] {
        EXPECT_EQ(response.number(), received < kMessages ? received : kLast + kMessages);
        ++received;
        return absl::OkStatus();
      });
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(received, kMessages + 1);
  EXPECT_EQ(handlers_.gone.load(), 1);
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_streams_open 0"));
}

TEST_F(ExchangeTest, IsAConversation) {
  Stream stream = Open();
  for (int64_t number : {3, 1, 2}) {
    ASSERT_TRUE(stream.Send(number));
    EXPECT_EQ(stream.Receive(), number);
  }
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_streams_open 1"));
  stream.HalfClose();
  EXPECT_EQ(stream.Receive(), kLast + 3);
  EXPECT_EQ(stream.End(), absl::OkStatus());
}

TEST_F(ExchangeTest, AStreamWithoutMessagesIsFinishedToo) {
  Stream stream = Open();
  stream.HalfClose();
  EXPECT_EQ(stream.Receive(), kLast);
  EXPECT_EQ(stream.End(), absl::OkStatus());
}

TEST_F(ExchangeTest, AnInvalidMessageEndsTheStreamWithItsField) {
  Stream stream = Open();
  ASSERT_TRUE(stream.Send(1));
  EXPECT_EQ(stream.Receive(), 1);
  ASSERT_TRUE(stream.Send(-1));
  const absl::Status status = stream.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(errors::FieldViolations(status).size(), 1u);
  EXPECT_EQ(errors::FieldViolations(status)[0].field, "number");
  EXPECT_EQ(handlers_.taken.load(), 1);
  EXPECT_EQ(handlers_.finished.load(), 0);
}

// Of an exchange that answers faults.
class FaultsTest : public ExchangeTest {
 protected:
  void Register(call::Registry& registry) override {
    registry.Service("rapport.rpc.trial.ConversationService", &handlers_)
        .Bidi("Converse", &Handlers::Converse, call::Faults::kAnswered);
  }
};

TEST_F(FaultsTest, AnInvalidMessageIsAnsweredAndTheStreamGoesOn) {
  Stream stream = Open();
  ASSERT_TRUE(stream.Send(-1));
  EXPECT_EQ(stream.Receive(), kRefused + static_cast<int>(absl::StatusCode::kInvalidArgument));
  ASSERT_TRUE(stream.Send(1, "organizations/acme"));
  EXPECT_EQ(stream.Receive(), 1);
  ASSERT_TRUE(stream.Send(2, "organizations/other"));
  EXPECT_EQ(stream.Receive(), kRefused + static_cast<int>(absl::StatusCode::kNotFound));
  ASSERT_TRUE(stream.Send(3, "organizations/acme"));
  EXPECT_EQ(stream.Receive(), 3);
  stream.HalfClose();
  EXPECT_EQ(stream.Receive(), kLast + 2);
  EXPECT_EQ(stream.End(), absl::OkStatus());
}

TEST_F(ExchangeTest, RefusesABadTokenAndAMissingPermission) {
  Stream nobody(server_->port(), "nonsense");
  EXPECT_EQ(nobody.End(), errors::Unauthenticated());
  auth::TokenClaims claims = Claims();
  claims.roles = {"privacy_officer"};
  Stream officer(server_->port(), user_->Sign(claims));
  EXPECT_EQ(officer.End().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(metrics_->Text(), HasSubstr("rapport_streams_open 0"));
}

TEST_F(ExchangeTest, AStreamIsOfOneOrganisation) {
  std::string organization;
  handlers_.on_open = [&](const call::CallContext& context) {
    organization = context.organization_id;
    return absl::OkStatus();
  };
  Stream foreign = Open();
  ASSERT_TRUE(foreign.Send(1, "organizations/other"));
  EXPECT_EQ(foreign.End(), errors::NotFound("Organization"));

  // A service is of no organisation: the first message that names one decides.
  auth::TokenClaims claims = Claims();
  claims.issuer = claims.subject = "service:assessment";
  Stream own(server_->port(), "", service_->Sign(claims));
  ASSERT_TRUE(own.Send(1, "organizations/acme"));
  EXPECT_EQ(own.Receive(), 1);
  EXPECT_EQ(organization, "acme");
  ASSERT_TRUE(own.Send(2, "organizations/other"));
  EXPECT_EQ(own.End(), errors::NotFound("Organization"));
  EXPECT_EQ(handlers_.taken.load(), 1);
}

TEST_F(ExchangeTest, AHandlersErrorEndsTheStreamAfterItsResponses) {
  handlers_.on_take = [](const call::CallContext&, const ConverseRequest& request,
                         google::protobuf::RepeatedPtrField<ConverseResponse>& responses) {
    responses.Add()->set_number(request.number());
    responses.Add()->set_number(request.number() + 1);
    return request.number() < 10 ? absl::OkStatus()
                                 : errors::FailedPrecondition("ENOUGH", "That is enough.");
  };
  Stream stream = Open();
  ASSERT_TRUE(stream.Send(0));
  ASSERT_TRUE(stream.Send(10));
  for (int64_t number : {0, 1, 10, 11}) EXPECT_EQ(stream.Receive(), number);
  const absl::Status status = stream.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(status), "ENOUGH");
  EXPECT_EQ(handlers_.taken.load(), 2);
  EXPECT_EQ(handlers_.finished.load(), 0);
}

TEST_F(ExchangeTest, AnErrorAtTheOpeningEndsTheStream) {
  handlers_.on_open = [](const call::CallContext&) { return errors::NotFound("Directory"); };
  Stream stream = Open();
  ASSERT_TRUE(stream.Send(1));
  EXPECT_EQ(stream.End(), errors::NotFound("Directory"));
  EXPECT_EQ(handlers_.taken.load(), 0);
}

TEST_F(ExchangeTest, ABugLeavesOnlyItsTraceId) {
  handlers_.on_take = [](const call::CallContext&, const ConverseRequest&,
                         google::protobuf::RepeatedPtrField<ConverseResponse>&) -> absl::Status {
    throw std::runtime_error("something");
  };
  Stream stream = Open();
  ASSERT_TRUE(stream.Send(1));
  const absl::Status status = stream.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("something")));
  EXPECT_EQ(errors::MetadataValue(status, "trace_id").size(), 32u);
}

TEST_F(ExchangeTest, NothingIsCalledOnceTheClientIsGone) {
  std::latch entered(1);
  std::latch release(1);
  handlers_.on_take = [&](const call::CallContext& context, const ConverseRequest&,
                          google::protobuf::RepeatedPtrField<ConverseResponse>& responses) {
    entered.count_down();
    release.wait();
    while (!context.cancelled->load()) std::this_thread::yield();
    responses.Add();
    return absl::OkStatus();
  };
  Stream busy = Open();
  ASSERT_TRUE(busy.Send(1));
  ASSERT_TRUE(busy.Send(2));
  entered.wait();
  busy.Cancel();
  EXPECT_EQ(busy.End().code(), absl::StatusCode::kCancelled);
  release.count_down();
  while (handlers_.gone.load() < 1) std::this_thread::yield();
  EXPECT_EQ(handlers_.taken.load(), 1);

  handlers_.on_take = nullptr;
  for (int i = 2; i <= 100; ++i) {
    Stream idle = Open();
    ASSERT_TRUE(idle.Send(1));
    EXPECT_EQ(idle.Receive(), 1);
    idle.Cancel();
    EXPECT_EQ(idle.End().code(), absl::StatusCode::kCancelled);
    while (handlers_.gone.load() < i) std::this_thread::yield();
  }
  EXPECT_EQ(handlers_.finished.load(), 0);
}

TEST_F(ExchangeTest, AnOpenStreamEndsWithItsToken) {
  Stream revoked = Open();
  ASSERT_TRUE(revoked.Send(1));
  EXPECT_EQ(revoked.Receive(), 1);
  auth::TokenClaims claims = Claims();
  claims.subject = "cy";
  claims.expire_time = claims.issue_time - absl::Seconds(28);  // and 30 s of leniency
  claims.issue_time -= absl::Minutes(10);
  Stream expiring(server_->port(), user_->Sign(claims));
  EXPECT_EQ(expiring.End(), errors::Unauthenticated());

  verifier_->RevokeSubject("acme", "bo", absl::Now() + absl::Seconds(1));
  EXPECT_EQ(revoked.End(), errors::Unauthenticated());
  EXPECT_EQ(handlers_.finished.load(), 0);
}

TEST_F(ExchangeTest, StreamsEndWhenTheServerDrains) {
  Stream idle = Open();
  ASSERT_TRUE(idle.Send(1));
  EXPECT_EQ(idle.Receive(), 1);
  Stream busy = Open();
  ASSERT_TRUE(busy.Send(1));
  EXPECT_EQ(busy.Receive(), 1);
  std::thread sender([&] {
    while (busy.Send(2)) {
    }
  });
  std::thread drain([&] { server_->Drain(absl::ZeroDuration(), absl::Seconds(50)); });
  for (Stream* stream : {&idle, &busy}) {
    while (stream->Receive() >= 0) {
    }
  }
  sender.join();
  for (Stream* stream : {&idle, &busy}) {
    const absl::Status status = stream->End();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(errors::Reason(status), "SHUTTING_DOWN");
  }
  drain.join();
  EXPECT_EQ(handlers_.finished.load(), 0);
  EXPECT_EQ(handlers_.gone.load(), 2);
}

TEST_F(ExchangeTest, AFullExecutorRefusesNewStreamsAndLetsOpenOnesWait) {
  StartServer([](FrontDoor::Dependencies& dependencies) {
    dependencies.write_threads = 1;
    dependencies.queue_limit = 4;  // of which one place is an organisation's
  });
  std::latch entered(1);
  std::latch release(1);
  handlers_.on_take = [&](const call::CallContext&, const ConverseRequest& request,
                          google::protobuf::RepeatedPtrField<ConverseResponse>& responses) {
    if (request.number() == 0) {
      entered.count_down();
      release.wait();
    }
    responses.Add()->set_number(request.number());
    return absl::OkStatus();
  };
  Stream open = Open();
  ASSERT_TRUE(open.Send(1));
  EXPECT_EQ(open.Receive(), 1);
  Stream blocking = Open();
  ASSERT_TRUE(blocking.Send(0));
  entered.wait();

  Stream first = Open();
  ASSERT_TRUE(first.Send(2));
  Stream second = Open();
  ASSERT_TRUE(second.Send(2));
  // One of the two has the place in the queue.
  std::atomic<int> refused{0};
  std::vector<std::thread> waiting;
  for (Stream* stream : {&first, &second}) {
    waiting.emplace_back([&refused, stream] {
      if (stream->Receive() == 2) return;
      const absl::Status status = stream->End();
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(errors::Reason(status), "OVERLOADED");
      refused.fetch_add(1);
    });
  }
  while (refused.load() < 1) std::this_thread::yield();
  ASSERT_TRUE(open.Send(3));
  open.HalfClose();
  for (int i = 0; i < 5; ++i) {  // meanwhile the open stream's message arrives
    Stream another = Open();
    ASSERT_TRUE(another.Send(2));
    EXPECT_EQ(another.End().code(), absl::StatusCode::kResourceExhausted);
  }
  release.count_down();
  EXPECT_EQ(open.Receive(), 3);
  EXPECT_EQ(open.Receive(), kLast + 2);
  EXPECT_EQ(open.End(), absl::OkStatus());
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(refused.load(), 1);
}

TEST_F(ExchangeTest, AnOrganisationHasAQuarterOfThePlacesForStreams) {
  StartServer([](FrontDoor::Dependencies& dependencies) { dependencies.exchange_limit = 8; });
  Stream first = Open();
  ASSERT_TRUE(first.Send(1));
  EXPECT_EQ(first.Receive(), 1);
  Stream second = Open();
  ASSERT_TRUE(second.Send(1));
  EXPECT_EQ(second.Receive(), 1);
  EXPECT_EQ(Open().End().code(), absl::StatusCode::kResourceExhausted);
  auth::TokenClaims claims = Claims();
  claims.organization_id = "other";
  Stream other(server_->port(), user_->Sign(claims));
  ASSERT_TRUE(other.Send(1));
  EXPECT_EQ(other.Receive(), 1);

  first.HalfClose();
  EXPECT_EQ(first.End(), absl::OkStatus());
  Stream third = Open();
  ASSERT_TRUE(third.Send(1));
  EXPECT_EQ(third.Receive(), 1);
}

TEST_F(ExchangeTest, AClientThatDoesNotReadCostsLittleAndIsCutOff) {
  StartServer([](FrontDoor::Dependencies& dependencies) {
    dependencies.exchange_patience = absl::Milliseconds(300);
  });
  constexpr int kBytes = 1 << 20;
  handlers_.on_take = [](const call::CallContext&, const ConverseRequest&,
                         google::protobuf::RepeatedPtrField<ConverseResponse>& responses) {
    responses.Add()->set_ballast(std::string(kBytes, 'x'));
    return absl::OkStatus();
  };
  Stream stream = Open();
  int sent = 0;
  while (sent < 1000000 && stream.Send(sent)) ++sent;
  EXPECT_LT(sent, 1000000);
  EXPECT_LT(handlers_.taken.load(), 100);
  EXPECT_EQ(stream.End().code(), absl::StatusCode::kCancelled);
  while (handlers_.gone.load() < 1) std::this_thread::yield();
  EXPECT_EQ(handlers_.finished.load(), 0);
}

TEST_F(ExchangeTest, ASilentClientIsCutOff) {
  StartServer([](FrontDoor::Dependencies& dependencies) {
    dependencies.exchange_patience = absl::Milliseconds(100);
  });
  Stream stream = Open();
  const absl::Status status = stream.End();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no message"));
}

TEST_F(ExchangeTest, AStreamEndsWhenItsTimeIsUp) {
  StartServer([](FrontDoor::Dependencies& dependencies) {
    dependencies.exchange_deadline = absl::Milliseconds(300);
  });
  absl::Time end;
  absl::Time latest;
  handlers_.on_open = [&](const call::CallContext& context) {
    end = context.deadline;
    return absl::OkStatus();
  };
  handlers_.on_take = [&](const call::CallContext& context, const ConverseRequest&,
                          google::protobuf::RepeatedPtrField<ConverseResponse>& responses) {
    latest = context.deadline;
    responses.Add();
    return absl::OkStatus();
  };
  Stream stream = Open();
  while (stream.Send(1) && stream.Receive() >= 0) {
  }
  EXPECT_EQ(stream.End().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(latest, end);
}

TEST_F(ExchangeTest, AClientsOwnErrorCancelsTheStream) {
  const Channel::Credentials credentials{
      .user_token = Token(), .service_token = "", .traceparent = ""};
  ConverseRequest request;
  ConverseResponse response;
  const absl::Time deadline = absl::Now() + absl::Seconds(100);
  int sent = 0;
  const auto endless = [&]() -> absl::StatusOr<bool> { return ++sent > 0; };
  EXPECT_EQ(channel_->Exchange(kConverse, credentials, deadline, request, endless, response,
                               [] { return absl::DataLossError("wrong answer"); }),
            absl::DataLossError("wrong answer"));
  const auto broken = []() -> absl::StatusOr<bool> { return absl::NotFoundError("no such row"); };
  EXPECT_EQ(channel_->Exchange(kConverse, credentials, deadline, request, broken, response,
                               [] { return absl::OkStatus(); }),
            absl::NotFoundError("no such row"));
  while (handlers_.gone.load() < 1) std::this_thread::yield();
  EXPECT_EQ(handlers_.finished.load(), 0);
}

}  // namespace
}  // namespace rapport::rpc
