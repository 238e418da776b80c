#include "common/telemetry/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/telemetry/metric_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rapport::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Scrape(int port) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(connection);
    return "";
  }
  const std::string request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(write(connection, request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  std::string response;
  char buffer[4096];
  for (ssize_t count; (count = read(connection, buffer, sizeof(buffer))) > 0;) {
    response.append(buffer, static_cast<size_t>(count));
  }
  close(connection);
  return response;
}

TEST(MetricsTest, AScrapeReturnsWhatWasRecorded) {
  auto metrics = Metrics::Serve("127.0.0.1:0");
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  ASSERT_NE((*metrics)->port(), 0);
  auto calls = (*metrics)->Counters(metric::kRpcCalls, "Calls answered.", {"method", "code"});
  calls.With({"GetCourse", "OK"}).Increment();
  calls.With({"GetCourse", "OK"}).Increment(2);
  calls.With({"GetCourse", "NOT_FOUND"}).Increment();
  const Gauge in_flight = (*metrics)->Gauges(metric::kRpcInFlight, "Calls under way.").With({});
  in_flight.Set(5);
  in_flight.Add(-2);
  (*metrics)
      ->Histograms(metric::kRpcDuration, "Duration.", {"method"})
      .With({"GetCourse"})
      .Observe(0.004);

  const std::string response = Scrape((*metrics)->port());
  EXPECT_THAT(response, HasSubstr("200 OK"));
  EXPECT_THAT(response, HasSubstr("rapport_rpc_calls_total{code=\"OK\",method=\"GetCourse\"} 3"));
  EXPECT_THAT(response,
              HasSubstr("rapport_rpc_calls_total{code=\"NOT_FOUND\",method=\"GetCourse\"} 1"));
  EXPECT_THAT(response, HasSubstr("rapport_rpc_in_flight 3"));
  EXPECT_THAT(
      response,
      HasSubstr("rapport_rpc_duration_seconds_bucket{method=\"GetCourse\",le=\"0.005\"} 1"));
  EXPECT_THAT(
      response,
      HasSubstr("rapport_rpc_duration_seconds_bucket{method=\"GetCourse\",le=\"0.0025\"} 0"));
}

TEST(MetricsTest, ReadGaugesAreReadAtEachScrapeUntilStopped) {
  auto metrics = Metrics::Serve("127.0.0.1:0");
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  int reads = 0;
  (*metrics)->Read(metric::kExecutorQueued, "Queued.", [&] { return ++reads; },
                   {{"executor", "read"}});
  (*metrics)->Read(metric::kExecutorQueued, "Queued.", [] { return 40; }, {{"executor", "write"}});
  EXPECT_THAT(Scrape((*metrics)->port()),
              HasSubstr("rapport_executor_queued{executor=\"read\"} 1"));
  const std::string second = Scrape((*metrics)->port());
  EXPECT_THAT(second, HasSubstr("rapport_executor_queued{executor=\"read\"} 2"));
  EXPECT_THAT(second, HasSubstr("rapport_executor_queued{executor=\"write\"} 40"));
  (*metrics)->StopReading();
  EXPECT_THAT(Scrape((*metrics)->port()), Not(HasSubstr("rapport_executor_queued")));
  EXPECT_EQ(reads, 2);
}

TEST(MetricsTest, RegisteringANameAgainReturnsTheSameFamily) {
  auto metrics = Metrics::Unserved();
  metrics->Counters(metric::kTokenFaults, "Refused.", {"fault"}).With({"expired"}).Increment();
  metrics->Counters(metric::kTokenFaults, "Refused.", {"fault"}).With({"expired"}).Increment();
  EXPECT_THAT(metrics->Text(), HasSubstr("rapport_token_faults_total{fault=\"expired\"} 2"));
}

TEST(MetricsTest, LabelsAreBounded) {
  auto metrics = Metrics::Unserved();
  auto family = metrics->Counters("rapport_test_total", "Test.", {"value"});
  for (int i = 0; i < 1500; ++i) family.With({absl::StrCat("v", i)}).Increment();
  const std::string text = metrics->Text();
  EXPECT_THAT(text, HasSubstr("{value=\"v999\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("{value=\"v1000\"}")));
  EXPECT_THAT(text, HasSubstr("{value=\"other\"} 500"));
}

TEST(MetricsTest, CountsFromManyThreadsAddUp) {
  auto metrics = Metrics::Unserved();
  auto family = metrics->Counters("rapport_test_total", "Test.", {"value"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) family.With({i % 2 == 0 ? "even" : "odd"}).Increment();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics->Text(), HasSubstr("{value=\"even\"} 10000"));
  EXPECT_THAT(metrics->Text(), HasSubstr("{value=\"odd\"} 10000"));
}

TEST(MetricsTest, AnAddressThatCannotBeServedIsAnError) {
  EXPECT_EQ(Metrics::Serve("nonsense").status().code(), absl::StatusCode::kInvalidArgument);
  auto first = Metrics::Serve("127.0.0.1:0");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Metrics::Serve(absl::StrCat("127.0.0.1:", (*first)->port())).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(MetricsTest, ReadCountersAreCounters) {
  auto served = Metrics::Serve("127.0.0.1:0");
  ASSERT_TRUE(served.ok()) << served.status();
  (*served)->ReadCounter(metric::kLogDropped, "Lines.", [] { return 7; });
  (*served)->Read(metric::kTokenCacheSize, "Tokens.", [] { return 2; });
  const std::string text = Scrape((*served)->port());
  EXPECT_THAT(text, HasSubstr("# TYPE rapport_log_dropped_lines_total counter"));
  EXPECT_THAT(text, HasSubstr("rapport_log_dropped_lines_total 7"));
  EXPECT_THAT(text, HasSubstr("# TYPE rapport_token_cache_entries gauge"));
}

}  // namespace
}  // namespace rapport::telemetry
