// TLS over real connections: who is let in, who is told off in one line, and certificates that
// change under load.
#include "common/rpc/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/telemetry/log.h"
#include "rapport/assessment/v1/scoring_service.pb.h"
#include "rapport/scheduling/v1/organization_service.pb.h"
#include "tests/integration/rpc/fixture.h"
#include "tests/integration/rpc/trial.pb.h"
#include "tests/support/certificates/authority.h"

namespace rapport::rpc {
namespace {

using rapport::testing::Authority;
using rapport::testing::CertificateWish;
using rapport::testing::IssuedCertificate;
using rapport::testing::Replace;
using ::testing::HasSubstr;

constexpr char kServer[] = "IP:127.0.0.1,DNS:localhost";
constexpr char kNotes[] = "spiffe://test/notes";
constexpr char kAssessment[] = "spiffe://test/assessment";
constexpr absl::Duration kOften = absl::Milliseconds(20);
constexpr absl::Duration kPatience = absl::Seconds(20);

std::string Uri(const std::string& id) { return "URI:" + id; }

class Handlers {
 public:
  void Register(call::Registry& registry) {
    // Named, so that it is linked in.
    trial::RecordRequest::descriptor();
    registry.Service("rapport.rpc.trial.TrialService", this)
        .Unary("Score", &Handlers::Score)
        .Unary("GetOrganization", &Handlers::Get);
  }
  absl::StatusOr<assessment::v1::ScoreResponse> Score(const call::CallContext&,
                                                      const assessment::v1::ScoreRequest&) {
    return assessment::v1::ScoreResponse();
  }
  absl::StatusOr<scheduling::v1::Organization> Get(const call::CallContext&,
                                                   const scheduling::v1::GetOrganizationRequest&) {
    return scheduling::v1::Organization();
  }
};

class TlsTest : public ServedTest {
 protected:
  void Register(call::Registry& registry) override { handlers_.Register(registry); }

  void SetUp() override {
    ASSERT_TRUE(telemetry::LogTo(dir_.File("log")).ok());
    TakeLogOfGrpc();
    Put("server", authority_.Issue({.names = kServer}));
    Put("notes", authority_.Issue({.names = Uri(kNotes)}));
    Put("assessment", authority_.Issue({.names = Uri(kAssessment)}));
    Replace(dir_.File("ca.pem"), authority_.cert());
  }

  void TearDown() override {
    if (server_ != nullptr) ServedTest::TearDown();
    ASSERT_TRUE(telemetry::LogTo("").ok());
  }

  void Put(const std::string& name, const IssuedCertificate& issued) {
    Replace(dir_.File(name + ".key"), issued.key);
    Replace(dir_.File(name + ".pem"), issued.cert);
  }

  CertificateFiles Files(const std::string& name, const std::string& roots = "ca.pem") const {
    CertificateFiles files = {
        .cert = {"cert_file", ""}, .key = {"key_file", ""}, .roots = {"ca_file", ""}};
    if (!name.empty()) files.cert.path = dir_.File(name + ".pem");
    if (!name.empty()) files.key.path = dir_.File(name + ".key");
    if (!roots.empty()) files.roots.path = dir_.File(roots);
    return files;
  }

  static std::shared_ptr<CertificateStore> Open(const CertificateFiles& files) {
    auto store = CertificateStore::Open(files, kOften);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *store : nullptr;
  }

  // A client that shows the certificate of this name, or none.
  ChannelTls Client(const std::string& name, const std::string& roots = "ca.pem") const {
    return {.certificates = Open(Files(name, roots)), .server_name = ""};
  }

  void Serve(ClientAuth client_auth, const std::vector<std::string>& allowed = {}) {
    server_tls_ = {.certificates = Open(Files("server")), .client_auth = client_auth};
    channel_tls_ = Client("");
    ServedTest::StartServer([&](FrontDoor::Dependencies& dependencies) {
      if (allowed.empty()) return;
      dependencies.clients =
          std::make_shared<const AllowedClients>(*AllowedClients::Parse(allowed));
    });
  }

  absl::Status Call(const Channel& channel, bool for_service = false) {
    assessment::v1::ScoreRequest request;
    request.set_instrument("instruments/phq-9");
    assessment::v1::ScoreResponse response;
    Channel::Credentials credentials{.user_token = Token(), .service_token = "", .traceparent = ""};
    if (for_service) credentials.service_token = ServiceToken();
    return channel.Call("rapport.rpc.trial.TrialService/Score", credentials,
                        absl::Now() + kPatience, request, response);
  }
  absl::Status CallAs(const std::string& name, bool for_service = false) {
    return Call(*Connect(Client(name)), for_service);
  }

  // As assessment's.
  std::string ServiceToken() {
    auth::TokenClaims claims = Claims();
    claims.issuer = claims.subject = "service:assessment";
    return service_->Sign(claims);
  }

  // The log's lines with `words`, once there is one.
  std::vector<std::string> AwaitLog(const std::string& words) {
    const absl::Time give_up = absl::Now() + kPatience;
    while (true) {
      telemetry::Flush();
      std::ifstream file(dir_.File("log"));
      std::vector<std::string> found;
      for (std::string line; std::getline(file, line);) {
        if (absl::StrContains(line, words)) found.push_back(line);
      }
      if (!found.empty() || absl::Now() > give_up) return found;
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  void AwaitGeneration(const CertificateStore& store, int64_t generation) {
    const absl::Time give_up = absl::Now() + kPatience;
    while (store.Current()->generation < generation) {
      ASSERT_LT(absl::Now(), give_up);
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  const Authority authority_;
  Handlers handlers_;
};

TEST_F(TlsTest, AClientThatTrustsTheAuthorityIsServed) {
  Serve(ClientAuth::kNone);
  EXPECT_EQ(Call(*channel_), absl::OkStatus());
  ChannelTls by_name = Client("");
  by_name.server_name = "localhost";
  EXPECT_EQ(Call(*Connect(by_name)), absl::OkStatus());
}

TEST_F(TlsTest, AClientRefusesAServerOfAnotherNameOrAuthority) {
  Serve(ClientAuth::kNone);
  ChannelTls by_name = Client("");
  by_name.server_name = "elsewhere";
  EXPECT_EQ(Call(*Connect(by_name)).code(), absl::StatusCode::kUnavailable);
  const Authority another;
  Replace(dir_.File("another.pem"), another.cert());
  EXPECT_EQ(Call(*Connect(Client("", "another.pem"))).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(AwaitLog("TLS handshake failed"),
              ::testing::Contains(HasSubstr("is from no authority in the CA file")));
}

TEST_F(TlsTest, APlaintextClientIsToldOffInTheLog) {
  Serve(ClientAuth::kNone);
  EXPECT_EQ(Call(*Connect(std::nullopt)).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(AwaitLog("TLS handshake failed"),
              ::testing::Each(HasSubstr("the other side does not speak TLS here")));
}

TEST_F(TlsTest, WhereCertificatesAreRequiredNobodyElseGetsIn) {
  Serve(ClientAuth::kRequire);
  EXPECT_EQ(CallAs("notes"), absl::OkStatus());
  EXPECT_EQ(CallAs("").code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(AwaitLog("gave no certificate"), ::testing::Not(::testing::IsEmpty()));
}

TEST_F(TlsTest, AClientOfAnotherAuthorityDoesNotGetInEvenWhereNoneIsRequired) {
  for (const ClientAuth client_auth : {ClientAuth::kRequest, ClientAuth::kRequire}) {
    Serve(client_auth);
    const Authority another;
    Put("stranger", another.Issue({.names = Uri(kNotes)}));
    EXPECT_EQ(CallAs("stranger").code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(CallAs("notes"), absl::OkStatus());
    EXPECT_THAT(AwaitLog("is from no authority in the CA file"),
                ::testing::Not(::testing::IsEmpty()));
  }
}

// It was good when the client began with it.
TEST_F(TlsTest, AClientWhoseCertificateHasExpiredDoesNotGetIn) {
  Serve(ClientAuth::kRequire);
  Put("brief", authority_.Issue({.names = Uri(kNotes), .until = absl::Seconds(2)}));
  const ChannelTls brief = Client("brief");
  const absl::Time give_up = absl::Now() + kPatience;
  while (absl::Now() <= brief.certificates->Current()->not_after) {
    ASSERT_LT(absl::Now(), give_up);
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(Call(*Connect(brief)).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(AwaitLog("other side's certificate has expired"),
              ::testing::Not(::testing::IsEmpty()));
}

TEST_F(TlsTest, AServicesTokenIsGoodOnlyFromItsOwnIdentity) {
  Serve(ClientAuth::kRequest, {std::string("assessment=") + kAssessment});
  EXPECT_EQ(CallAs("assessment", /*for_service=*/true), absl::OkStatus());
  EXPECT_EQ(CallAs("notes", /*for_service=*/true), errors::Unauthenticated());
  EXPECT_EQ(CallAs("", /*for_service=*/true), errors::Unauthenticated());
  const std::vector<std::string> told = AwaitLog("its TLS identity is not in");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told[0], HasSubstr(kNotes));
  EXPECT_THAT(told[0], HasSubstr("\"speaks_for\":\"assessment\""));
  EXPECT_THAT(told[1], HasSubstr("\"identity\":\"none\""));
  // Users need none.
  EXPECT_EQ(CallAs(""), absl::OkStatus());
  EXPECT_EQ(CallAs("notes"), absl::OkStatus());
}

TEST_F(TlsTest, UsersCallsCanBeBoundToAGateway) {
  Serve(ClientAuth::kRequest, {std::string("users=") + kNotes, kAssessment});
  EXPECT_EQ(CallAs("notes"), absl::OkStatus());
  EXPECT_EQ(CallAs("assessment"), absl::OkStatus());
  EXPECT_EQ(CallAs(""), errors::Unauthenticated());
  EXPECT_EQ(CallAs("notes", /*for_service=*/true), errors::Unauthenticated());
}

// First both authorities are trusted, then certificates come from the new one, then the old one is
// forgotten: as an operator rotates. Callers never notice.
TEST_F(TlsTest, EverythingIsReplacedUnderLoadAndNoCallFails) {
  Serve(ClientAuth::kRequire, {kNotes});
  const ChannelTls old_client = Client("notes");
  channel_tls_ = old_client;
  const std::unique_ptr<Channel> channel = Connect(old_client);
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        const absl::Status status = Call(*channel, /*for_service=*/true);
        EXPECT_EQ(status, absl::OkStatus());
        ++calls;
      }
    });
  }
  const auto await_calls = [&](int more) {
    const int wanted = calls + more;
    const absl::Time give_up = absl::Now() + kPatience;
    while (calls < wanted && absl::Now() < give_up) absl::SleepFor(absl::Milliseconds(1));
    EXPECT_GE(calls, wanted);
  };
  const std::vector<const CertificateStore*> stores = {server_tls_.certificates.get(),
                                                       old_client.certificates.get()};
  int64_t generation = 0;
  const auto settle = [&] {
    ++generation;
    for (const CertificateStore* store : stores) AwaitGeneration(*store, generation);
    await_calls(20);
  };
  await_calls(20);

  const Authority next;
  Replace(dir_.File("ca.pem"), authority_.cert() + next.cert());
  settle();
  // The key and the certificate are not replaced in one step; what does not fit waits.
  Put("notes", next.Issue({.names = Uri(kNotes)}));
  Put("server", next.Issue({.names = kServer}));
  settle();
  Replace(dir_.File("ca.pem"), next.cert());
  settle();
  stop = true;
  for (std::thread& caller : callers) caller.join();

  // Really the new ones: who knows only the old authority, or comes from it, does not get in.
  Replace(dir_.File("old.pem"), authority_.cert());
  EXPECT_EQ(Call(*Connect(Client("notes", "old.pem"))).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CallAs("assessment").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(CallAs("notes"), absl::OkStatus());
}

TEST_F(TlsTest, AReplacementThatCanNotBeUsedLeavesTheOldInUseAndIsToldOnce) {
  Serve(ClientAuth::kNone);
  const Authority another;
  const IssuedCertificate stranger = another.Issue({.names = kServer});
  Replace(dir_.File("server.key"), stranger.key);
  std::vector<std::string> told = AwaitLog("can not be used");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0], HasSubstr("is not the key of the certificate"));
  EXPECT_EQ(Call(*Connect(Client(""))), absl::OkStatus());

  Put("server", authority_.Issue({.names = kServer}));
  AwaitGeneration(*server_tls_.certificates, 1);
  EXPECT_EQ(Call(*Connect(Client(""))), absl::OkStatus());
}

TEST_F(TlsTest, FilesThatCanNotBeUsedAreNamedWithTheirFlag) {
  const auto fault = [](const CertificateFiles& files) {
    return std::string(CertificateStore::Open(files).status().message());
  };
  EXPECT_THAT(fault(Files("nowhere")), HasSubstr("--cert_file"));
  EXPECT_THAT(fault(Files("server", "nowhere.pem")), HasSubstr("--ca_file"));
  CertificateFiles mixed = Files("server");
  mixed.key.path = dir_.File("notes.key");
  EXPECT_THAT(fault(mixed), HasSubstr("is not the key of the certificate"));
  mixed.key.path = "";
  EXPECT_THAT(fault(mixed), HasSubstr("--cert_file needs --key_file"));
  Put("old", authority_.Issue({.names = kServer, .until = -absl::Minutes(1)}));
  EXPECT_THAT(fault(Files("old")), HasSubstr("expired at"));
  Put("early", authority_.Issue({.names = kServer, .from = absl::Minutes(1)}));
  EXPECT_THAT(fault(Files("early")), HasSubstr("is not valid before"));
  Replace(dir_.File("server.pem"), "nonsense");
  EXPECT_THAT(fault(Files("server")), HasSubstr("holds no certificate"));
}

TEST(AllowedClientsTest, OnlySpiffeIdsAndKnownNamesAreTaken) {
  for (const char* entry :
       {"notes", "https://example.org/notes", "spiffe://", "spiffe://trust", "spiffe:///notes",
        "spiffe://trust/notes?x", "nobody=spiffe://trust/n", "notes=", "=spiffe://trust/n"}) {
    EXPECT_EQ(AllowedClients::Parse({entry}).status().code(), absl::StatusCode::kInvalidArgument)
        << entry;
  }
  const auto clients = AllowedClients::Parse({"notes=spiffe://trust/n", "spiffe://trust/any"});
  ASSERT_TRUE(clients.ok());
  EXPECT_TRUE(clients->MaySpeakFor("notes", "spiffe://trust/n"));
  EXPECT_FALSE(clients->MaySpeakFor("assessment", "spiffe://trust/n"));
  EXPECT_TRUE(clients->MaySpeakFor("assessment", "spiffe://trust/any"));
  EXPECT_FALSE(clients->MaySpeakFor("notes", ""));
  EXPECT_TRUE(clients->MaySpeakForUsers(""));
}

}  // namespace
}  // namespace rapport::rpc
