// Traces as a collector sees them, over real gRPC.
#include "common/rpc/otlp_exporter.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/sql/migrations.h"
#include "common/sql/observed.h"
#include "tests/integration/rpc/fixture.h"
#include "tests/integration/rpc/trial.pb.h"
#include "tests/observability/collector.h"

namespace rapport::rpc {
namespace {

using rapport::testing::AttributesOf;
using rapport::testing::Collector;
using telemetry::Span;
using telemetry::SpanKind;
using telemetry::TraceContext;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;
using trial::RecordRequest;
using trial::RecordResponse;
namespace otlp = rapport::testing::otlp;

Span Sample(const std::string& name = "rapport.Service/Method") {
  TraceContext context = TraceContext::New().Child();
  context.sampled = true;
  return {.context = context,
          .kind = SpanKind::kServer,
          .name = name,
          .start_time = absl::FromUnixMicros(1'772'000'000'000'001),
          .end_time = absl::FromUnixMicros(1'772'000'000'000'251)};
}

class OtlpTest : public ::testing::Test {
 protected:
  static OtlpOptions Options(const std::string& target) {
    return {.target = target,
            .service = "rapport-notes",
            .version = "1.2.3",
            .period = absl::Milliseconds(5),
            .pause = absl::Milliseconds(5)};
  }

  // How many spans had `outcome`.
  int Count(const std::string& outcome) const {
    const std::string begin = absl::StrCat("rapport_trace_spans_total{outcome=\"", outcome, "\"} ");
    for (absl::string_view line : absl::StrSplit(metrics_->Text(), '\n')) {
      int count = 0;
      if (absl::ConsumePrefix(&line, begin) && absl::SimpleAtoi(line, &count)) return count;
    }
    return -1;
  }

  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::Metrics::Unserved();
};

TEST_F(OtlpTest, SpansArriveAsTheProtocolHasThem) {
  Collector collector;
  OtlpExporter exporter(Options(collector.target()), *metrics_);
  Span sent = Sample();
  sent.code = absl::StatusCode::kUnavailable;
  sent.attributes = {{"rpc.system", "grpc"}};
  sent.statements = {"a.b", "c.d"};
  exporter.Take(sent);

  const std::vector<otlp::Span> spans = collector.AwaitSpans(1);
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_THAT(collector.methods(),
              ElementsAre("/opentelemetry.proto.collector.trace.v1.TraceService/Export"));
  EXPECT_EQ(absl::BytesToHexString(spans[0].trace_id()), sent.context.trace_id);
  EXPECT_EQ(absl::BytesToHexString(spans[0].span_id()), sent.context.span_id);
  EXPECT_EQ(absl::BytesToHexString(spans[0].parent_span_id()), sent.context.parent_span_id);
  EXPECT_EQ(spans[0].trace_id().size(), 16u);
  EXPECT_EQ(spans[0].name(), "rapport.Service/Method");
  EXPECT_EQ(spans[0].kind(), otlp::Span::SPAN_KIND_SERVER);
  EXPECT_EQ(spans[0].start_time_unix_nano(), 1'772'000'000'000'001'000u);
  EXPECT_EQ(spans[0].end_time_unix_nano(), 1'772'000'000'000'251'000u);
  EXPECT_EQ(spans[0].status().code(), otlp::Status::STATUS_CODE_ERROR);
  EXPECT_THAT(AttributesOf(spans[0].attributes()), Contains(Pair("rapport.statements", "a.b c.d")));
  const auto resource =
      AttributesOf(collector.requests()[0].resource_spans(0).resource().attributes());
  EXPECT_THAT(resource, Contains(Pair("service.name", "rapport-notes")));
  EXPECT_THAT(resource, Contains(Pair("service.version", "1.2.3")));
}

TEST_F(OtlpTest, WhatIsLeftAtTheEndIsSentInBatches) {
  Collector collector;
  OtlpOptions options = Options(collector.target());
  options.period = absl::Hours(1);
  options.batch = 100;
  OtlpExporter exporter(options, *metrics_);
  for (int i = 0; i < 250; ++i) exporter.Take(Sample());
  exporter.Stop();
  EXPECT_THAT(collector.AwaitSpans(250), SizeIs(250));
  for (const auto& request : collector.requests()) {
    EXPECT_LE(request.resource_spans(0).scope_spans(0).spans_size(), 100);
  }
  EXPECT_EQ(Count("exported"), 250);
  exporter.Take(Sample());
  EXPECT_EQ(Count("dropped"), 1) << "after the end";
}

TEST_F(OtlpTest, ACollectorThatIsDownCostsSpansAndNothingElse) {
  OtlpOptions options = Options("127.0.0.1:1");
  options.queue_limit = 64;
  options.batch = 16;
  OtlpExporter exporter(options, *metrics_);
  for (int i = 0; i < 5000; ++i) exporter.Take(Sample());
  exporter.Stop();
  EXPECT_EQ(Count("exported"), 0);
  EXPECT_EQ(Count("failed") + Count("dropped"), 5000);
  EXPECT_GT(Count("dropped"), 0);
}

TEST_F(OtlpTest, ACollectorThatNeverAnswersHoldsUpNobody) {
  Collector collector([](int) { return Collector::Answer{.status = {}, .silent = true}; });
  OtlpOptions options = Options(collector.target());
  options.queue_limit = 64;
  options.timeout = absl::Milliseconds(100);
  OtlpExporter exporter(options, *metrics_);
  for (int i = 0; i < 5000; ++i) exporter.Take(Sample());
  exporter.Stop();
  EXPECT_EQ(Count("exported"), 0);
  EXPECT_EQ(Count("failed") + Count("dropped"), 5000);
}

TEST_F(OtlpTest, WhatMayPassIsSentAgainAndWhatMayNotIsNot) {
  Collector collector([](int request) {
    return Collector::Answer{.status = request == 1   ? grpc::Status(grpc::UNAVAILABLE, "")
                                       : request == 3 ? grpc::Status(grpc::INVALID_ARGUMENT, "")
                                                      : grpc::Status()};
  });
  OtlpExporter exporter(Options(collector.target()), *metrics_);
  exporter.Take(Sample("first"));
  EXPECT_THAT(collector.AwaitSpans(1), SizeIs(1));
  while (Count("exported") < 1) absl::SleepFor(absl::Milliseconds(1));
  exporter.Take(Sample("second"));
  exporter.Stop();
  EXPECT_THAT(collector.methods(), SizeIs(3));
  EXPECT_EQ(Count("exported"), 1);
  EXPECT_EQ(Count("failed"), 1);
}

TEST_F(OtlpTest, WhatTheCollectorRefusesIsCounted) {
  Collector collector([](int) { return Collector::Answer{.status = {}, .rejected = 2}; });
  OtlpOptions options = Options(collector.target());
  options.period = absl::Hours(1);
  OtlpExporter exporter(options, *metrics_);
  for (int i = 0; i < 5; ++i) exporter.Take(Sample());
  exporter.Stop();
  EXPECT_EQ(Count("rejected"), 2);
  EXPECT_EQ(Count("exported"), 3);
}

const sql::Statement kRead{"test.otlp.read", R"sql(
  SELECT organization_id FROM organization WHERE organization_id = $1)sql"};

// Reads, and for a record "outer" asks the service itself for another.
struct Records {
  sql::Database* database = nullptr;
  call::Peer* peer = nullptr;

  absl::StatusOr<RecordResponse> Get(const call::CallContext& context,
                                     const RecordRequest& request) {
    RETURN_IF_ERROR(
        database->Read(sql::Access::Tenant("acme"), context.deadline, [&](sql::Session& session) {
          return session.Query(kRead, {sql::Text(request.name())}).status();
        }));
    if (absl::EndsWith(request.name(), "outer")) {
      RecordRequest inner;
      inner.set_name("organizations/acme/records/inner");
      return peer->Call<RecordResponse>(context, "rapport.rpc.trial.RecordService/GetClinic",
                                        inner);
    }
    if (absl::EndsWith(request.name(), "absent")) return errors::NotFound("Record");
    RecordResponse response;
    response.set_text("CanaryZQX");
    return response;
  }
  absl::StatusOr<RecordResponse> Put(const call::CallContext&, const trial::PutRecordRequest&) {
    return RecordResponse();
  }
};

class TracedCallTest : public ServedTest {
 protected:
  void Register(call::Registry& registry) override {
    registry.Service("rapport.rpc.trial.RecordService", &records_)
        .Unary("GetRecord", &Records::Get)
        .Unary("GetTime", &Records::Get)
        .Unary("GetClinic", &Records::Get)
        .Unary("PutRecord", &Records::Put)
        .Unary("GetAudit", &Records::Get);
  }
  void SetUp() override { Serve(1); }
  void TearDown() override {
    peer_.reset();
    ServedTest::TearDown();
    exporter_.reset();
  }

  void Serve(double ratio) {
    exporter_ = std::make_unique<OtlpExporter>(OtlpOptions{.target = collector_.target(),
                                                           .service = "rapport-test",
                                                           .version = "1",
                                                           .sample_ratio = ratio,
                                                           .period = absl::Milliseconds(5)},
                                               *metrics_);
    auto database = sql::OpenSqlite({.path = dir_.File("db")}, {});
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = sql::Observe(*std::move(database), *metrics_);
    records_.database = database_.get();
    StartServer([&](FrontDoor::Dependencies& given) { given.tracer = exporter_.get(); });
    auto tokens = std::make_shared<auth::ServiceTokenSource>(
        auth::TokenSigner::Generate(auth::Algorithm::kEdDsa), "test", "rapport");
    // The inner call goes in the user's name alone.
    peer_ =
        MakePeer("records", std::make_shared<Channel>(absl::StrCat("127.0.0.1:", server_->port())),
                 std::move(tokens), *metrics_);
    records_.peer = peer_.get();
  }

  absl::Status Ask(const std::string& record, const std::string& traceparent) {
    RecordRequest request;
    request.set_name("organizations/acme/records/" + record);
    RecordResponse response;
    return channel_->Call("rapport.rpc.trial.RecordService/GetClinic",
                          {.user_token = Token(), .service_token = "", .traceparent = traceparent},
                          absl::Now() + absl::Seconds(20), request, response);
  }

  Collector collector_;
  std::unique_ptr<OtlpExporter> exporter_;
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<call::Peer> peer_;
  Records records_;
};

TEST_F(TracedCallTest, ACallItsTransactionsAndItsPeersAreOneTreeUnderTheCallersSpan) {
  TraceContext caller = TraceContext::New();
  caller.sampled = true;
  (void)Ask("outer", caller.ToHeader());
  // The call, its read, the call of the peer, and that peer's answer.
  const std::vector<otlp::Span> spans = collector_.AwaitSpans(4);
  std::map<std::string, const otlp::Span*> by_id;
  const otlp::Span* outer = nullptr;
  const otlp::Span* asked = nullptr;
  const otlp::Span* answered = nullptr;
  const otlp::Span* read = nullptr;
  for (const otlp::Span& span : spans) {
    EXPECT_EQ(absl::BytesToHexString(span.trace_id()), caller.trace_id);
    if (absl::BytesToHexString(span.parent_span_id()) == caller.span_id) outer = &span;
  }
  ASSERT_NE(outer, nullptr);
  for (const otlp::Span& span : spans) {
    if (span.parent_span_id() != outer->span_id()) continue;
    (span.name() == "database read" ? read : asked) = &span;
  }
  ASSERT_NE(asked, nullptr);
  for (const otlp::Span& span : spans) {
    if (span.parent_span_id() == asked->span_id()) answered = &span;
  }
  ASSERT_NE(read, nullptr);
  ASSERT_NE(answered, nullptr);
  EXPECT_EQ(outer->name(), "rapport.rpc.trial.RecordService/GetClinic");
  EXPECT_EQ(outer->kind(), otlp::Span::SPAN_KIND_SERVER);
  EXPECT_EQ(asked->kind(), otlp::Span::SPAN_KIND_CLIENT);
  EXPECT_EQ(answered->kind(), otlp::Span::SPAN_KIND_SERVER);
  EXPECT_THAT(AttributesOf(asked->attributes()), Contains(Pair("rapport.peer", "records")));
  EXPECT_THAT(AttributesOf(read->attributes()),
              Contains(Pair("rapport.statements", "test.otlp.read")));
  EXPECT_THAT(AttributesOf(outer->attributes()), Contains(Pair("rapport.organization", "acme")));
}

TEST_F(TracedCallTest, TheCallersDecisionIsKept) {
  TraceContext caller = TraceContext::New();
  ASSERT_TRUE(Ask("r", caller.ToHeader()).ok());  // not sampled
  ASSERT_TRUE(Ask("r", "").ok());                 // begins here, where all are
  const std::vector<otlp::Span> spans = collector_.AwaitSpans(2);
  exporter_->Stop();
  EXPECT_THAT(collector_.AwaitSpans(2), SizeIs(2));
  for (const otlp::Span& span : spans) {
    EXPECT_NE(absl::BytesToHexString(span.trace_id()), caller.trace_id);
  }
}

TEST_F(TracedCallTest, NoSpanCarriesWhatACallSaysOrAnswers) {
  TraceContext caller = TraceContext::New();
  caller.sampled = true;
  ASSERT_TRUE(Ask("CanaryZQX", caller.ToHeader()).ok());
  EXPECT_TRUE(absl::IsNotFound(Ask("CanaryZQX-absent", caller.ToHeader())));
  EXPECT_FALSE(Ask("Canary ZQX", caller.ToHeader()).ok());
  collector_.AwaitSpans(5);
  for (const auto& request : collector_.requests()) {
    EXPECT_EQ(request.SerializeAsString().find("Canary"), std::string::npos)
        << request.DebugString();
  }
}

}  // namespace
}  // namespace rapport::rpc
