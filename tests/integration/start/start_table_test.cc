// Everything that keeps a service from starting: each ends it with status 1 and one line that names
// the flag and says what would be right; or it waits, alive, and says for what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/integration/suite/health.h"
#include "tests/integration/suite/suite.h"
#include "tests/support/certificates/authority.h"
#include "tests/support/postgres/postgres_server.h"

namespace rapport::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// In values: $DIR is the test's folder, $KEYS the keys', $PORT one that is in use.
struct Fault {
  std::string given;              // "--jwks_file=/nowhere", or "--jwks_file" to leave it out
  std::vector<std::string> says;  // all of these
};

// A loopback port that something listens on.
class TakenPort {
 public:
  TakenPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    listen(fd_, 1);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~TakenPort() { close(fd_); }
  int port() const { return port_; }

 private:
  const int fd_;
  int port_ = 0;
};

class StartTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Authority authority;
    Put("server", authority.Issue({.names = "DNS:localhost"}));
    Put("old", authority.Issue({.names = "DNS:localhost", .until = -absl::Minutes(5)}));
    Replace(dir_.File("ca.pem"), authority.cert());
    Replace(dir_.File("nonsense"), "nonsense");
  }

  void Put(const std::string& name, const IssuedCertificate& issued) {
    Replace(dir_.File(name + ".pem"), issued.cert);
    Replace(dir_.File(name + ".key"), issued.key);
  }

  std::string Filled(const std::string& text) const {
    return absl::StrReplaceAll(text, {{"$DIR", dir_.path()},
                                      {"$KEYS", suite_.keys_dir()},
                                      {"$PORT", absl::StrCat(taken_.port())}});
  }

  // The arguments of notes with those of `fault`, several apart by spaces, instead of its own.
  std::vector<std::string> Arguments(const std::string& given) const {
    std::vector<std::string> arguments = suite_.Arguments("notes");
    for (const std::string& part : std::vector<std::string>(absl::StrSplit(Filled(given), ' '))) {
      const std::string flag = part.substr(0, part.find('='));
      arguments.erase(std::remove_if(arguments.begin() + 1, arguments.end(),
                                     [&](const std::string& argument) {
                                       return argument == flag ||
                                              absl::StartsWith(argument, flag + "=");
                                     }),
                      arguments.end());
      if (part != flag || !absl::StartsWith(part, "--")) arguments.push_back(part);
    }
    return arguments;
  }

  void ExpectRefused(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
      SCOPED_TRACE(fault.given);
      const Ended ended = RunToEnd(Arguments(fault.given));
      EXPECT_EQ(ended.exit_status, 1) << ended.error_text;
      EXPECT_THAT(ended.error_text, StartsWith("rapport-notes: "));
      EXPECT_EQ(std::count(ended.error_text.begin(), ended.error_text.end(), '\n'), 1)
          << ended.error_text;
      for (const std::string& words : fault.says) {
        EXPECT_THAT(ended.error_text, HasSubstr(Filled(words)));
      }
    }
  }

  TempDir dir_;
  TakenPort taken_;
  Suite suite_{sql::Engine::kSqlite};
};

TEST_F(StartTableTest, AFlagThatDoesNotExistOrCanNotBeRead) {
  ExpectRefused({
      {"--bogus=1", {"there is no flag --bogus"}},
      {"serve", {"'serve' is not a flag"}},
      {"--read_threads=many", {"--read_threads can not be 'many'", "a whole number"}},
      {"--drain_grace=5", {"--drain_grace can not be '5'", "a duration with its unit"}},
      {"--reflection=perhaps", {"--reflection can not be 'perhaps'", "true or false"}},
  });
  setenv("RAPPORT_WRITE_THREADS", "many", 1);
  ExpectRefused({{"--reflection", {"the environment variable RAPPORT_WRITE_THREADS", "'many'"}}});
  unsetenv("RAPPORT_WRITE_THREADS");
}

TEST_F(StartTableTest, AValueThatIsOutOfItsRange) {
  ExpectRefused({
      {"--read_threads=0", {"--read_threads must be from 1 to"}},
      {"--peer_threads=-1", {"--peer_threads must be from 1 to"}},
      {"--postgres_port=99999", {"--postgres_port must be from 1 to 65535, not 99999"}},
      {"--postgres_connections=0", {"--postgres_connections must be from 1"}},
      {"--drain_linger=-1s", {"--drain_linger in seconds must be from 0"}},
      {"--connection_age=1ms", {"--connection_age in seconds must be from 1"}},
      {"--database=oracle", {"--database must be 'sqlite' or 'postgres'", "oracle"}},
      {"--database=postgres --postgres_pooler=some", {"--postgres_pooler must be", "'some'"}},
      {"--tls_client_auth=perhaps", {"--tls_client_auth must be", "'perhaps'"}},
      {"--token_audience=", {"audience"}},
      {"--trace_sample_ratio=2", {"--trace_sample_ratio must be from 0 to 1"}},
      {"--cache_bytes=much", {"--cache_bytes", "'much'"}},
  });
}

TEST_F(StartTableTest, AnAddressThatCanNotBeListenedOn) {
  for (const std::string flag : {"--listen", "--health_listen", "--metrics_listen"}) {
    ExpectRefused({
        {flag + "=127.0.0.1:$PORT", {flag + " 127.0.0.1:$PORT", "Address already in use"}},
        {flag + "=192.0.2.1:7403", {flag + " 192.0.2.1:7403", "Cannot assign requested address"}},
        {flag + "=nonsense", {flag + " nonsense", "it is not host:port"}},
        {flag + "=127.0.0.1:99999", {flag + " 127.0.0.1:99999", "it is not host:port"}},
    });
  }
}

TEST_F(StartTableTest, ASecretThatIsMissingOrAnother) {
  const std::string files[] = {"--jwks_file",          "--service_key_file",
                               "--integrity_key_file", "--audit_key_file",
                               "--audit_jwks_file",    "--key_encryption_key_dir"};
  for (const std::string& flag : files) {
    ExpectRefused({{flag, {flag + " is needed"}},
                   {flag + "=/nowhere/secret", {flag, "/nowhere/secret"}},
                   {flag + "=$DIR/nonsense", {flag}}});
  }
  ExpectRefused({
      {"--service_key_file=$KEYS/user.pem", {"--service_key_file", "as the key of service notes"}},
      {"--service_key_file=$KEYS/service-assessment.pem", {"as the key of service notes"}},
      {"--audit_key_file=$KEYS/audit-assessment.pem", {"--audit_key_file", "for this service"}},
      {"--database=postgres --postgres_password_file=/nowhere/password",
       {"--postgres_password_file /nowhere/password", "No such file"}},
      {"--database=postgres --postgres_feed_password_file=/nowhere/feed",
       {"--postgres_feed_password_file /nowhere/feed", "No such file"}},
      {"--redis_nodes=127.0.0.1:1 --redis_password_file=/nowhere/redis",
       {"--redis_password_file /nowhere/redis", "No such file"}},
      {"--token_issuer", {"--token_issuer is needed"}},
      {"--development_clock_file=$DIR/nonsense", {"--development_clock_file"}},
  });
}

TEST_F(StartTableTest, AFolderThatCanNotBeWritten) {
  ExpectRefused({
      {"--data_dir", {"--data_dir is needed"}},
      {"--data_dir=/proc/sys/rapport", {"--data_dir", "/proc/sys/rapport"}},
      {"--data_dir=/proc/sys/kernel", {"--data_dir", "/proc/sys/kernel"}},
      {"--data_dir=$DIR/nonsense/data", {"--data_dir", "Not a directory"}},
      {"--audit_anchor_dir", {"--audit_anchor_dir is needed"}},
      {"--audit_anchor_dir=/proc/sys/rapport", {"--audit_anchor_dir", "/proc/sys/rapport"}},
      {"--log_file=/proc/sys/rapport", {"--log_file", "/proc/sys/rapport"}},
  });
}

TEST_F(StartTableTest, CertificatesThatDoNotGoTogether) {
  const std::string own = "--tls_cert_file=$DIR/server.pem --tls_key_file=$DIR/server.key ";
  ExpectRefused({
      {"--tls_cert_file=$DIR/server.pem", {"--tls_cert_file needs --tls_key_file"}},
      {"--tls_key_file=$DIR/server.key", {"--tls_key_file needs --tls_cert_file"}},
      {"--tls_cert_file=/nowhere --tls_key_file=$DIR/server.key", {"--tls_cert_file /nowhere"}},
      {"--tls_cert_file=$DIR/server.pem --tls_key_file=$DIR/old.key",
       {"--tls_key_file $DIR/old.key", "is not the key of the certificate"}},
      {"--tls_cert_file=$DIR/old.pem --tls_key_file=$DIR/old.key",
       {"--tls_cert_file $DIR/old.pem", "expired at"}},
      {"--tls_cert_file=$DIR/nonsense --tls_key_file=$DIR/server.key",
       {"--tls_cert_file", "holds no certificate"}},
      {"--tls_client_auth=require", {"need --tls_cert_file"}},
      {own + "--tls_client_auth=require", {"needs --tls_client_ca_file"}},
      {own + "--tls_client_ca_file=$DIR/ca.pem", {"--tls_client_auth is 'none'"}},
      {own + "--tls_client_auth=request --tls_client_ca_file=$DIR/nonsense",
       {"--tls_client_ca_file", "holds no certificate"}},
      {own + "--tls_allowed_clients=spiffe://test/notes", {"needs --tls_client_auth"}},
      {own + "--tls_client_auth=request --tls_client_ca_file=$DIR/ca.pem "
             "--tls_allowed_clients=notes",
       {"--tls_allowed_clients: 'notes' is not a SPIFFE id"}},
      {"--peer_tls_cert_file=$DIR/server.pem --peer_tls_key_file=$DIR/server.key",
       {"need --peer_tls_ca_file"}},
      {"--peer_tls_ca_file=/nowhere", {"--peer_tls_ca_file /nowhere"}},
  });
}

// On PostgreSQL.
class StartDatabaseTest : public ::testing::Test {
 protected:
  // The flag of notes that names its database.
  std::string DatabaseName() const {
    for (const std::string& argument : suite_.Arguments("notes")) {
      if (absl::StartsWith(argument, "--postgres_name=")) {
        return argument.substr(argument.find('=') + 1);
      }
    }
    return "";
  }

  void AwaitLog(const std::string& words) {
    const absl::Time give_up = absl::Now() + absl::Seconds(30);
    while (!absl::StrContains(suite_.LogOf("notes"), words)) {
      ASSERT_LT(absl::Now(), give_up) << suite_.LogOf("notes");
      absl::SleepFor(absl::Milliseconds(10));
    }
  }

  std::string HealthAddress() const {
    return absl::StrCat("127.0.0.1:", suite_.health_port("notes"));
  }

  Suite suite_{sql::Engine::kPostgres};
};

TEST_F(StartDatabaseTest, ASchemaThatIsTooNewEndsItWithOneLine) {
  sql::testing::PostgresServer::Shared().Admin(
      DatabaseName(),
      "UPDATE schema_version SET version = 9999, min_reader_version = 9999 "
      "WHERE component = 'notes'");
  const Ended ended = RunToEnd(suite_.Arguments("notes"));
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_THAT(ended.error_text, StartsWith("rapport-notes: The schema of notes serves binaries "
                                           "from version 9999"));
  EXPECT_EQ(std::count(ended.error_text.begin(), ended.error_text.end(), '\n'), 1)
      << ended.error_text;
}

TEST_F(StartDatabaseTest, KeysThatDidNotWrapWhatTheDatabaseHoldsEndItWithOneLine) {
  auto& server = sql::testing::PostgresServer::Shared();
  const std::string insert =
      "INSERT INTO data_key (organization_id, subject, wrapping_key, wrapped, create_time) "
      "VALUES ('acme', 'organizations/acme/patients/p', ";
  server.Admin(DatabaseName(),
               "INSERT INTO organization (organization_id, state, create_time) "
               "VALUES ('acme', 'ACTIVE', 0)");
  // Wrapped by a key whose file is not there; then by another one of the same name.
  for (const auto& [id, says] :
       {std::pair("lost", "The key-encryption key lost is not in the directory of keys"),
        std::pair("1", "key 1: A data key does not unwrap")}) {
    server.Admin(DatabaseName(), "DELETE FROM data_key");
    server.Admin(DatabaseName(),
                 absl::StrCat(insert, "'", id, "', '\\x", std::string(120, 'a'), "', 0)"));
    const Ended ended = RunToEnd(suite_.Arguments("notes"));
    EXPECT_EQ(ended.exit_status, 1);
    EXPECT_THAT(ended.error_text,
                StartsWith("rapport-notes: --key_encryption_key_dir: these are not the keys"));
    EXPECT_THAT(ended.error_text, HasSubstr(says));
    EXPECT_EQ(std::count(ended.error_text.begin(), ended.error_text.end(), '\n'), 1)
        << ended.error_text;
  }
  // Without what they did not wrap, they serve.
  server.Admin(DatabaseName(), "DELETE FROM data_key");
  suite_.Start("notes");
  suite_.AwaitReady("notes");
  EXPECT_EQ(suite_.Terminate("notes"), 0);
}

TEST_F(StartDatabaseTest, ASchemaThatIsBehindIsWaitedForAndThenServed) {
  auto& server = sql::testing::PostgresServer::Shared();
  const std::vector<std::string> version =
      server.Admin(DatabaseName(), "SELECT version FROM schema_version WHERE component = 'notes'");
  server.Admin(DatabaseName(), "UPDATE schema_version SET version = 0 WHERE component = 'notes'");
  suite_.Start("notes");
  AwaitLog("Run the migration");
  EXPECT_TRUE(IsServing(HealthAddress(), ""));
  EXPECT_FALSE(IsServing(HealthAddress(), "notes"));
  server.Admin(DatabaseName(), absl::StrCat("UPDATE schema_version SET version = ", version.at(0),
                                            " WHERE component = 'notes'"));
  suite_.AwaitReady("notes");
  EXPECT_EQ(suite_.Terminate("notes"), 0);
}

TEST_F(StartDatabaseTest, ADatabaseThatCanNotBeReachedIsWaitedForAndNamedInTheLog) {
  std::vector<std::string> arguments = suite_.Arguments("notes");
  arguments.push_back("--postgres_port=1");
  suite_.StartWith("notes", arguments);
  AwaitLog("\"message\":\"not ready\"");
  EXPECT_TRUE(IsServing(HealthAddress(), ""));
  EXPECT_FALSE(IsServing(HealthAddress(), "notes"));
  EXPECT_EQ(suite_.Terminate("notes"), 0);
}

}  // namespace
}  // namespace rapport::testing
