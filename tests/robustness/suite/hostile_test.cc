// Clients that mean no good, or do no good, against the real programs: they read next to nothing,
// send what is too large, or what is no message. They are refused, and nobody else notices.
#include <arpa/inet.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/signer.h"
#include "google/protobuf/descriptor.h"
#include "rapport/assessment/v1/instrument_service.pb.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "tests/integration/suite/suite.h"
#include "tests/robustness/suite/course_writers.h"
#include "tools/rapportctl/methods.h"

namespace rapport::testing {
namespace {

constexpr char kScore[] = "/rapport.assessment.v1.ScoringService/Score";
constexpr char kListInstruments[] = "/rapport.assessment.v1.InstrumentService/ListInstruments";
constexpr int kLimit = 4 * 1024 * 1024;

// HTTP/2 by hand, as no library would do it.
class RawClient {
 public:
  // Takes at most `window` bytes of each answer.
  RawClient(int port, uint32_t window) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 4096;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    const timeval patience = {20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    Frame(4, 0, 0, std::string("\0\4", 2) + Number(window, 4));  // SETTINGS_INITIAL_WINDOW_SIZE
  }
  ~RawClient() { close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Calls `path`; `body` is what goes into its one DATA frame.
  void Call(uint32_t stream, const std::string& path, const std::string& token,
            const std::string& body, bool ends) {
    const std::vector<std::pair<std::string, std::string>> fields = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", path},
        {":authority", "localhost"},
        {"content-type", "application/grpc"},
        {"te", "trailers"},
        {"authorization", "Bearer " + token}};
    std::string headers;
    for (const auto& [name, value] : fields) {
      headers += '\0' + Text(name) + Text(value);  // a literal that is not indexed
    }
    Frame(1, 4, stream, headers);
    Frame(0, ends ? 1 : 0, stream, body);
  }

  // A message as it goes into DATA.
  static std::string Message(const std::string& bytes) {
    return std::string(1, '\0') + Number(static_cast<uint32_t>(bytes.size()), 4) + bytes;
  }
  static std::string Number(uint32_t number, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(number >> (8 * i)));
    return text;
  }

  bool ReadByte() {
    char byte;
    return recv(socket_, &byte, 1, 0) == 1;
  }

 private:
  // A string of HPACK, not compressed.
  static std::string Text(const std::string& text) {
    std::string out;
    size_t length = text.size();
    if (length < 127) {
      out.push_back(static_cast<char>(length));
    } else {
      out.push_back(127);
      for (length -= 127; length >= 128; length >>= 7) {
        out.push_back(static_cast<char>(0x80 | (length & 0x7f)));
      }
      out.push_back(static_cast<char>(length));
    }
    return out + text;
  }
  void Frame(int type, int flags, uint32_t stream, const std::string& payload) {
    Send(Number(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + Number(stream, 4) + payload);
  }
  void Send(const std::string& bytes) {
    EXPECT_EQ(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  const int socket_;
};

class HostileTest : public ::testing::Test {
 protected:
  void Start(const std::string& service) {
    std::vector<std::string> arguments = suite_.Arguments(service);
    arguments.push_back("--drain_grace=2s");
    suite_.StartWith(service, arguments);
  }

  static int PortOf(const std::string& target) {
    return std::atoi(target.substr(target.rfind(':') + 1).c_str());
  }

  std::string Token(std::vector<std::string> roles = {"integration"}) {
    return ctl::MintToken(**signer_, {"hostile", "acme", std::move(roles)}, absl::Minutes(5));
  }

  // Sends bytes that need not be a message.
  static grpc::StatusCode Send(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& path, const std::string& token,
                               const std::string& bytes) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1), response;
    return grpc::internal::BlockingUnaryCall(
               channel.get(),
               grpc::internal::RpcMethod(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC),
               &context, request, &response)
        .error_code();
  }
  static std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
    return grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
  }

  // Of the service, in MiB: what it uses, or "VmHWM", the most it ever did since ForgetPeak.
  int Memory(const std::string& service, const std::string& what = "VmRSS") const {
    std::ifstream status(absl::StrCat("/proc/", suite_.pid(service), "/status"));
    for (std::string line; std::getline(status, line);) {
      if (absl::StartsWith(line, what + ":")) {
        return std::atoi(line.substr(what.size() + 1).c_str()) / 1024;
      }
    }
    return -1;
  }
  void ForgetPeak(const std::string& service) const {
    std::ofstream(absl::StrCat("/proc/", suite_.pid(service), "/clear_refs")) << "5";
  }

  // What others ask meanwhile.
  void ScoreSome(const std::string& phase) {
    scores_.Phase(phase);
    assessment::v1::ScoreRequest request;
    request.set_instrument("instruments/phq-9");
    const auto channel = Connect(suite_.targets().assessment);
    const std::string token = Token();
    for (int i = 0; i < 200; ++i) {
      const absl::Time begun = absl::Now();
      EXPECT_EQ(Send(channel, kScore, token, request.SerializeAsString()), grpc::StatusCode::OK);
      scores_.Took(absl::Now() - begun);
    }
  }

  Suite suite_{sql::Engine::kSqlite};
  const absl::StatusOr<std::unique_ptr<auth::TokenSigner>> signer_ =
      auth::TokenSigner::FromPemFile(suite_.keys_dir() + "/user.pem");
  Stopwatch scores_;
};

TEST_F(HostileTest, ClientsThatReadNextToNothingCostLittleAndHoldUpNobody) {
  Start("assessment");
  suite_.AwaitReady("assessment");
  ScoreSome("before");
  const int before = Memory("assessment");
  assessment::v1::ListInstrumentsRequest list;
  list.set_page_size(500);
  const std::string body = RawClient::Message(list.SerializeAsString());
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 30; ++i) {
    slow.push_back(std::make_unique<RawClient>(PortOf(suite_.targets().assessment), 1));
    for (uint32_t stream : {1, 3, 5}) {
      slow.back()->Call(stream, kListInstruments, Token(), body, true);
    }
  }
  for (const auto& client : slow) {
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(client->ReadByte());
  }
  ScoreSome("during");
  const int during = Memory("assessment");
  std::printf("  90 answers that nobody reads: %d MiB before, %d MiB with them\n", before, during);
  EXPECT_LT(during, before + 128);
  // Nor do they hold up the end.
  EXPECT_EQ(suite_.Terminate("assessment"), 0);
  scores_.Report("scores");
}

TEST_F(HostileTest, WhatIsTooLargeIsRefusedBeforeThereIsMemoryForIt) {
  Start("assessment");
  suite_.AwaitReady("assessment");
  ScoreSome("before");
  const auto channel = Connect(suite_.targets().assessment);
  const std::string token = Token();

  assessment::v1::ScoreRequest large;
  large.set_instrument(std::string(kLimit, 'x'));
  EXPECT_EQ(Send(channel, kScore, token, large.SerializeAsString()),
            grpc::StatusCode::INVALID_ARGUMENT);

  ForgetPeak("assessment");
  int before = Memory("assessment");
  // Only what is sent is held: gRPC looks at a message's length once it is there.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawClient>(PortOf(suite_.targets().assessment), 65535));
    clients.back()->Call(1, kScore, token,
                         std::string(1, '\0') + RawClient::Number(0x7fffffff, 4) + "begun", false);
    for (int byte = 0; byte < 40; ++byte) EXPECT_TRUE(clients.back()->ReadByte());
  }
  ScoreSome("during");
  EXPECT_LT(Memory("assessment", "VmHWM"), before + 16);
  clients.clear();

  ForgetPeak("assessment");
  before = Memory("assessment");
  const int field =
      assessment::v1::ScoreRequest::descriptor()->FindFieldByName("answers")->number();
  std::string million;
  for (int i = 0; i < 1'000'000; ++i) million += {static_cast<char>(field << 3 | 2), '\0'};
  EXPECT_EQ(Send(channel, kScore, token, million), grpc::StatusCode::INVALID_ARGUMENT);
  const int peak = Memory("assessment", "VmHWM");
  std::printf("  a million answers in two megabytes: %d MiB before, at most %d MiB\n", before,
              peak);
  EXPECT_LT(peak, before + 48);
  ScoreSome("after");
  scores_.Report("scores");
}

// One level more a message than any parser follows.
std::string Nested(int levels) {
  std::string inner;
  for (int i = 0; i < levels; ++i) {
    std::string length;
    size_t size = inner.size();
    for (; size >= 128; size >>= 7) length.push_back(static_cast<char>(0x80 | (size & 0x7f)));
    length.push_back(static_cast<char>(size));
    inner = "\x0a" + length + inner;
  }
  return inner;
}

TEST_F(HostileTest, WhatIsNoMessageIsRefusedByEveryMethod) {
  ASSERT_NE(ctl::FindUnaryMethod("rapport.assessment.v1.ScoringService/Score"), nullptr);
  for (const std::string& service : Suite::Services()) Start(service);
  for (const std::string& service : Suite::Services()) suite_.AwaitReady(service);
  const std::string token =
      Token({"therapist", "organization_admin", "clinic_manager", "integration", "supervisor",
             "privacy_officer", "platform_operator", "analyst", "scheduler"});
  std::vector<std::string> bodies = {
      std::string("\x0a\xff\xff\xff\xff\x07nothing", 13),  // a length beyond the end
      std::string(11, '\xff'),                             // a number that does not end
      Nested(200), std::string("\x0b\x0b\x0b\x0b", 4),     // groups
  };
  std::string texts, numbers;
  for (int field = 1; field <= 15; ++field) {
    texts += std::string(1, static_cast<char>(field << 3 | 2)) + std::string("\4\xff\xc0\0\xed", 5);
    numbers += std::string(1, static_cast<char>(field << 3)) + std::string(9, '\xff') + "\1";
  }
  bodies.push_back(texts);
  bodies.push_back(numbers);
  std::mt19937_64 random(20261123);
  for (int i = 0; i < 3; ++i) {
    std::string any(1 + random() % 200, '\0');
    for (char& byte : any) byte = static_cast<char>(random());
    bodies.push_back(any);
  }

  const std::set<grpc::StatusCode> faults = {grpc::StatusCode::INTERNAL, grpc::StatusCode::UNKNOWN,
                                             grpc::StatusCode::DATA_LOSS,
                                             grpc::StatusCode::DEADLINE_EXCEEDED};
  int methods = 0, refused = 0;
  for (const std::string& service : Suite::Services()) {
    const ctl::Targets& targets = suite_.targets();
    const auto channel = Connect(service == "scheduling"   ? targets.scheduling
                                 : service == "assessment" ? targets.assessment
                                                           : targets.notes);
    for (const char* file :
         {"alert",     "assessment", "caseload",    "instrument",    "measure_request",
          "outcome",   "progress",   "scoring",     "case",          "entry",
          "export",    "fidelity",   "note",        "note_template", "psychotherapy_note",
          "release",   "review",     "supervision", "appointment",   "course",
          "directory", "group",      "leave",       "opening",       "organization",
          "protocol",  "waitlist"}) {
      const auto* described = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
          absl::StrCat("rapport/", service, "/v1/", file, "_service.proto"));
      for (int i = 0; described != nullptr && i < described->service_count(); ++i) {
        for (int j = 0; j < described->service(i)->method_count(); ++j) {
          const auto* method = described->service(i)->method(j);
          if (method->client_streaming() || method->server_streaming()) continue;
          ++methods;
          const std::string path =
              absl::StrCat("/", described->service(i)->full_name(), "/", method->name());
          for (const std::string& body : bodies) {
            const grpc::StatusCode code = Send(channel, path, token, body);
            refused += code == grpc::StatusCode::INVALID_ARGUMENT ? 1 : 0;
            EXPECT_EQ(faults.count(code), 0u) << path << " answers " << code;
          }
        }
      }
    }
  }
  std::printf("  %d methods, %d of %zu bodies refused as malformed\n", methods, refused,
              methods * bodies.size());
  EXPECT_GT(methods, 100);
  EXPECT_GT(refused, methods * 4);
  for (const std::string& service : Suite::Services()) {
    EXPECT_NE(suite_.LogOf(service).find("a message is malformed"), std::string::npos)
        << service << " lets protobuf write beside the log";
  }
  for (const std::string& service : Suite::Services()) EXPECT_EQ(suite_.Terminate(service), 0);
}

}  // namespace
}  // namespace rapport::testing
