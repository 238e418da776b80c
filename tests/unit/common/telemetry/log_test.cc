#include "common/telemetry/log.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rapport::telemetry {
namespace {

using Json = nlohmann::json;

class LogTest : public testing::Test {
 protected:
  LogTest() : path_(absl::StrCat(testing::TempDir(), "log-", getpid(), ".jsonl")) {
    unlink(path_.c_str());
    EXPECT_TRUE(LogTo(path_).ok());
    SetService("notes");
  }
  ~LogTest() override {
    SetMinSeverity(Severity::kInfo);
    EXPECT_TRUE(LogTo("").ok());
    unlink(path_.c_str());
  }

  std::vector<Json> Lines() {
    std::ifstream file(path_);
    std::vector<Json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  const std::string path_;
};

TEST_F(LogTest, WritesOneJsonObjectALine) {
  Log(Severity::kWarning, "the peer is slow", {{"peer", "assessment"}, {"attempt", "2"}});
  Flush();
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["severity"], "WARNING");
  EXPECT_EQ(lines[0]["service"], "notes");
  EXPECT_EQ(lines[0]["message"], "the peer is slow");
  EXPECT_EQ(lines[0]["peer"], "assessment");
  EXPECT_EQ(lines[0]["attempt"], "2");
}

TEST_F(LogTest, TimeIsRfc3339WithMicroseconds) {
  const absl::Time before = absl::Now() - absl::Microseconds(1);
  Log(Severity::kInfo, "now");
  const absl::Time after = absl::Now();
  Flush();
  const std::string text = Lines().at(0)["time"];
  EXPECT_EQ(text.size(), std::string("2026-03-08T07:30:00.000000Z").size());
  absl::Time time;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) << text;
  EXPECT_GE(time, before);
  EXPECT_LE(time, after);
}

TEST_F(LogTest, TypedFieldsKeepTheirTypes) {
  Write(JsonLine("call")
            .Text("method", "GetCourse")
            .Int("bytes", -7)
            .Real("seconds", 0.25)
            .Real("ratio", std::numeric_limits<double>::quiet_NaN())
            .Bool("cached", true));
  Flush();
  const Json line = Lines().at(0);
  EXPECT_EQ(line["method"], "GetCourse");
  EXPECT_EQ(line["bytes"], -7);
  EXPECT_EQ(line["seconds"], 0.25);
  EXPECT_TRUE(line["ratio"].is_null());
  EXPECT_EQ(line["cached"], true);
}

TEST_F(LogTest, EveryByteStringIsValidJsonAndSafeOnOneLine) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  Log(Severity::kInfo, all, {{all, "\"}\n{\"severity\":\"ERROR\""}});
  Flush();
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["severity"], "INFO");
  EXPECT_EQ(lines[0]["message"].get<std::string>().substr(0, 128), all.substr(0, 128));
}

TEST(AppendJsonStringTest, ReplacesOnlyWhatIsNotUtf8) {
  const std::pair<std::string, std::string> rows[] = {
      {"plain", "plain"},
      {"Zoë 北京 😀", "Zoë 北京 😀"},
      {"a\xFF"
       "b",
       "a\xEF\xBF\xBD"
       "b"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // overlong
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                  // surrogate
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // too high
      {"\xE5\x8C", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                  // cut short
      {"\"\\\n\t\r", "\\\"\\\\\\n\\t\\r"},
      {std::string("\0\x1F\x7F", 3), "\\u0000\\u001f\\u007f"},
  };
  for (const auto& [text, expected] : rows) {
    std::string out;
    AppendJsonString(out, text);
    EXPECT_EQ(out, absl::StrCat("\"", expected, "\""));
    EXPECT_TRUE(Json::accept(out)) << out;
  }
}

TEST_F(LogTest, LinesBelowTheMinimumAreDropped) {
  Log(Severity::kDebug, "unseen");
  SetMinSeverity(Severity::kWarning);
  EXPECT_FALSE(Enabled(Severity::kInfo));
  EXPECT_TRUE(Enabled(Severity::kError));
  Log(Severity::kInfo, "unseen");
  Write(JsonLine("unseen"));
  Log(Severity::kWarning, "seen");
  SetMinSeverity(Severity::kDebug);
  Log(Severity::kDebug, "seen");
  Flush();
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  for (const Json& line : lines) EXPECT_EQ(line["message"], "seen");
}

TEST_F(LogTest, ErrorsAreWrittenBeforeTheCallReturns) {
  Log(Severity::kInfo, "first");
  Log(Severity::kError, "second");
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1]["message"], "second");
}

TEST_F(LogTest, ConcurrentLinesStayWholeAndInEachThreadsOrder) {
  constexpr int kThreads = 8;
  constexpr int kLines = 2000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < kLines; ++i) Write(JsonLine("line").Int("thread", t).Int("number", i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  Flush();
  std::vector<int> next(kThreads, 0);
  for (const Json& line : Lines()) {
    EXPECT_EQ(line["number"], next.at(line["thread"].get<int>())++);
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kLines));
}

TEST_F(LogTest, AStuckFileCostsLinesNotCallers) {
  const std::string pipe = absl::StrCat(testing::TempDir(), "log-pipe-", getpid());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_TRUE(LogTo(pipe).ok());
  const int64_t dropped = DroppedLines();
  const std::string text(10000, 'x');
  for (int i = 0; i < 2000; ++i) Log(Severity::kInfo, text);
  EXPECT_GT(DroppedLines(), dropped);

  ASSERT_EQ(fcntl(reader, F_SETFL, 0), 0);
  std::thread drain([reader] {
    std::vector<char> buffer(1 << 20);
    while (read(reader, buffer.data(), buffer.size()) > 0) {
    }
  });
  ASSERT_TRUE(LogTo(path_).ok());
  drain.join();
  close(reader);
  unlink(pipe.c_str());

  Log(Severity::kError, "well again");
  EXPECT_EQ(Lines().back()["message"], "well again");
}

TEST_F(LogTest, AFullDiskCostsLinesThatAreCountedAndJoinsNoTwo) {
  Log(Severity::kError, "before");
  const auto size = std::filesystem::file_size(path_);
  rlimit unlimited;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  rlimit full = unlimited;
  full.rlim_cur = size + 30;  // within the next line
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const int64_t dropped = DroppedLines();
  for (int i = 0; i < 5; ++i) Log(Severity::kError, "lost");
  Flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  EXPECT_EQ(DroppedLines(), dropped + 5);

  Log(Severity::kError, "after");
  std::ifstream file(path_);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1].size(), 30u);
  EXPECT_EQ(Json::parse(lines[2])["message"], "after");
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsAnError) {
  EXPECT_EQ(LogTo(absl::StrCat(path_, "/no/such/folder")).code(),
            absl::StatusCode::kInvalidArgument);
  Log(Severity::kError, "still here");
  EXPECT_EQ(Lines().size(), 1u);
}

}  // namespace
}  // namespace rapport::telemetry
