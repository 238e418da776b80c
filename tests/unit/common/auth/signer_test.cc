#include "common/auth/signer.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/auth/integrity.h"
#include "common/auth/keys.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rapport::auth {
namespace {

using Json = nlohmann::json;

const absl::Time kNow = absl::FromUnixSeconds(1790000000);

// RFC 8037 appendix A.1 as PKCS #8.
constexpr char kRfcPem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

Json Part(const std::string& token, int index) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  return Json::parse(*Base64UrlDecode(parts.at(index)));
}

TEST(TokenSignerTest, SignsAndNamesItsKeyAsInRfc8037) {
  auto signer = TokenSigner::FromPem(kRfcPem);
  ASSERT_TRUE(signer.ok()) << signer.status();
  EXPECT_EQ((*signer)->key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  EXPECT_EQ((*signer)->SignJson(R"({"alg":"EdDSA"})", "Example of Ed25519 signing"),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
            "MuM0KAg");
}

TEST(TokenSignerTest, EveryAlgorithmVerifiesWithItsPublicKey) {
  for (Algorithm algorithm : {Algorithm::kEdDsa, Algorithm::kEs256, Algorithm::kRs256}) {
    const auto generated = TokenSigner::Generate(algorithm);
    auto signer = TokenSigner::FromPem(generated->PrivatePem());
    ASSERT_TRUE(signer.ok()) << signer.status();
    EXPECT_EQ((*signer)->key_id(), generated->key_id());
    EXPECT_EQ((*signer)->algorithm(), algorithm);
    auto keys = KeySet::Parse(absl::StrCat("{\"keys\":[", generated->PublicJwk(), "]}"));
    ASSERT_TRUE(keys.ok()) << keys.status();
    for (int i = 0; i < 20; ++i) {  // r or s of ES256 may be short
      const std::string token = (*signer)->SignJson("{}", absl::StrCat("payload ", i));
      const size_t dot = token.rfind('.');
      EXPECT_TRUE((*keys)
                      ->Find((*signer)->key_id())
                      ->Verify(token.substr(0, dot),
                               *Base64UrlDecode(absl::string_view(token).substr(dot + 1))));
    }
  }
}

TEST(TokenSignerTest, WritesTheClaimsOfAnAccessToken) {
  auto signer = TokenSigner::FromPem(kRfcPem, "mine");
  ASSERT_TRUE(signer.ok());
  TokenClaims claims;
  claims.issuer = "https://id.example";
  claims.subject = "dr-lee";
  claims.audience = "rapport";
  claims.issue_time = kNow;
  claims.expire_time = kNow + absl::Minutes(10);
  claims.organization_id = "org1";
  claims.roles = {"therapist"};
  claims.clinics = {{"c1"}};
  claims.auth_time = kNow - absl::Minutes(1);
  const std::string token = (*signer)->Sign(claims);
  EXPECT_EQ(Part(token, 0), Json({{"alg", "EdDSA"}, {"kid", "mine"}, {"typ", "at+jwt"}}));
  Json payload = Part(token, 1);
  EXPECT_EQ(payload["jti"].get<std::string>().size(), 26u);
  payload.erase("jti");
  EXPECT_EQ(payload, Json({{"iss", "https://id.example"},
                           {"sub", "dr-lee"},
                           {"aud", "rapport"},
                           {"iat", 1790000000},
                           {"nbf", 1790000000},
                           {"exp", 1790000600},
                           {"org", "org1"},
                           {"roles", {"therapist"}},
                           {"clinics", {"c1"}},
                           {"auth_time", 1789999940}}));
}

TEST(TokenSignerTest, RefusesWhatAVerifierWouldNotTake) {
  EXPECT_FALSE(TokenSigner::FromPem("").ok());
  EXPECT_FALSE(TokenSigner::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n").ok());
  EXPECT_FALSE(TokenSigner::FromPemFile("/no/such/file").ok());
  // An X25519 key, which can't sign.
  EXPECT_FALSE(
      TokenSigner::FromPem("-----BEGIN PRIVATE KEY-----\n"
                           "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                           "-----END PRIVATE KEY-----\n")
          .ok());
}

TEST(TokenSignerTest, ReadsItsKeyFromAFile) {
  const std::string path = absl::StrCat(testing::TempDir(), "signer-", getpid(), ".pem");
  std::ofstream(path) << kRfcPem;
  auto signer = TokenSigner::FromPemFile(path);
  ASSERT_TRUE(signer.ok()) << signer.status();
  EXPECT_EQ((*signer)->algorithm(), Algorithm::kEdDsa);
  unlink(path.c_str());
}

TEST(ServiceTokenSourceTest, KeepsATokenUntilAMinuteBeforeItExpires) {
  ServiceTokenSource source(TokenSigner::Generate(Algorithm::kEdDsa), "assessment", "rapport");
  const std::string first = source.Token(kNow);
  const Json payload = Part(first, 1);
  EXPECT_EQ(payload["sub"], "service:assessment");
  EXPECT_EQ(payload["iss"], "service:assessment");
  EXPECT_EQ(payload["exp"].get<int64_t>() - payload["iat"].get<int64_t>(), 300);
  EXPECT_EQ(source.Token(kNow + absl::Minutes(4) - absl::Seconds(1)), first);
  const std::string second = source.Token(kNow + absl::Minutes(4));
  EXPECT_NE(second, first);
  EXPECT_EQ(source.Token(kNow + absl::Minutes(5)), second);
}

TEST(ServiceTokenSourceTest, SignsAnewWhenTheClockWentBack) {
  ServiceTokenSource source(TokenSigner::Generate(Algorithm::kEdDsa), "notes", "rapport");
  const std::string first = source.Token(kNow);
  const std::string second = source.Token(kNow - absl::Hours(1));
  EXPECT_NE(second, first);
  EXPECT_EQ(Part(second, 1)["iat"], 1790000000 - 3600);
}

}  // namespace
}  // namespace rapport::auth
