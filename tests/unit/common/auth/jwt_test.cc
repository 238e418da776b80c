#include "common/auth/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/auth/integrity.h"
#include "common/auth/signer.h"
#include "common/errors/errors.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rapport::auth {
namespace {

using Json = nlohmann::json;

constexpr int64_t kNowSeconds = 1790000000;
const absl::Time kNow = absl::FromUnixSeconds(kNowSeconds);
constexpr absl::Duration kSkew = absl::Seconds(30);

class TokenVerifierTest : public testing::Test {
 protected:
  // Keys are costly to make; their ids are "ed", "es", "rs", "assessment" and "rotated".
  struct Signers {
    std::unique_ptr<TokenSigner> ed = TokenSigner::Generate(Algorithm::kEdDsa, "ed");
    std::unique_ptr<TokenSigner> es = TokenSigner::Generate(Algorithm::kEs256, "es");
    std::unique_ptr<TokenSigner> rs = TokenSigner::Generate(Algorithm::kRs256, "rs");
    std::unique_ptr<TokenSigner> service = TokenSigner::Generate(Algorithm::kEdDsa, "assessment");
    std::unique_ptr<TokenSigner> rotated = TokenSigner::Generate(Algorithm::kEdDsa, "rotated");
  };
  static const Signers& Keys() {
    static const auto* const signers = new Signers;
    return *signers;
  }

  TokenVerifierTest() {
    options_.jwks_file = absl::StrCat(testing::TempDir(), "jwks-", getpid(), ".json");
    options_.issuers = {"https://id.example", "https://other.example"};
    options_.audiences = {"rapport", "rapport-eu"};
    WriteKeys({Keys().ed->PublicJwk(), Keys().es->PublicJwk(), Keys().rs->PublicJwk(),
               Keys().service->PublicJwk("assessment")});
    Restart();
  }
  ~TokenVerifierTest() override { unlink(options_.jwks_file.c_str()); }

  void WriteFile(const std::string& content) {
    const std::string fresh = options_.jwks_file + ".new";
    std::ofstream(fresh) << content;
    ASSERT_EQ(std::rename(fresh.c_str(), options_.jwks_file.c_str()), 0);
  }
  void WriteKeys(const std::vector<std::string>& keys) {
    WriteFile(absl::StrCat("{\"keys\":[", absl::StrJoin(keys, ","), "]}"));
  }
  void Restart() {
    auto made = TokenVerifier::Make(options_);
    ASSERT_TRUE(made.ok()) << made.status();
    verifier_ = *std::move(made);
  }

  static Json Header(absl::string_view alg = "EdDSA", absl::string_view kid = "ed") {
    return {{"alg", std::string(alg)}, {"kid", std::string(kid)}, {"typ", "at+jwt"}};
  }
  static Json Claims() {
    return {{"iss", "https://id.example"},
            {"sub", "dr-lee"},
            {"aud", "rapport"},
            {"iat", kNowSeconds},
            {"nbf", kNowSeconds},
            {"exp", kNowSeconds + 600},
            {"jti", "token-1"},
            {"org", "org1"},
            {"roles", {"therapist", "supervisor"}},
            {"auth_time", kNowSeconds - 60}};
  }
  static Json With(const char* name, Json value) {
    Json claims = Claims();
    claims[name] = std::move(value);
    return claims;
  }
  static Json Without(const char* name) {
    Json claims = Claims();
    claims.erase(name);
    return claims;
  }
  static std::string Sign(const Json& claims) {
    return Keys().ed->SignJson(Header().dump(), claims.dump());
  }
  static std::string SignService(const Json& claims, const char* type = "at+jwt") {
    Json header = Header("EdDSA", "assessment");
    header["typ"] = type;
    return Keys().service->SignJson(header.dump(), claims.dump());
  }
  static Json ServiceClaims() {
    return {
        {"iss", "service:assessment"}, {"sub", "service:assessment"}, {"aud", "rapport"},
        {"iat", kNowSeconds},          {"exp", kNowSeconds + 300},    {"jti", "service-token-1"}};
  }

  // Expects a refusal for `fault`, in the one text there is.
  void ExpectRefused(absl::string_view token, TokenFault fault, absl::Time now = kNow) {
    TokenFault found = TokenFault::kNone;
    const auto principal = verifier_->Verify(token, now, &found);
    EXPECT_EQ(principal.status(), errors::Unauthenticated());
    EXPECT_EQ(TokenFaultName(found), TokenFaultName(fault)) << token;
  }
  void ExpectAccepted(absl::string_view token, absl::Time now = kNow) {
    TokenFault found = TokenFault::kMalformed;
    const auto principal = verifier_->Verify(token, now, &found);
    EXPECT_TRUE(principal.ok()) << TokenFaultName(found) << " " << token;
    EXPECT_EQ(found == TokenFault::kNone, principal.ok());
  }

  TokenVerifierOptions options_;
  std::unique_ptr<TokenVerifier> verifier_;
};

TEST_F(TokenVerifierTest, AGoodTokenNamesItsPrincipal) {
  Json claims = Claims();
  claims["clinics"] = {"c1", "c2"};
  const auto principal = verifier_->Verify(Sign(claims), kNow);
  ASSERT_TRUE(principal.ok());
  const Principal& user = **principal;
  EXPECT_EQ(user.kind, Principal::Kind::kUser);
  EXPECT_EQ(user.subject, "dr-lee");
  EXPECT_EQ(user.organization_id, "org1");
  EXPECT_EQ(user.roles, (std::vector<std::string>{"therapist", "supervisor"}));
  ASSERT_TRUE(user.clinics);
  EXPECT_EQ(*user.clinics, (std::vector<std::string>{"c1", "c2"}));
  EXPECT_EQ(user.auth_time, kNow - absl::Minutes(1));
  EXPECT_EQ(user.issue_time, kNow);
  EXPECT_EQ(user.expire_time, kNow + absl::Minutes(10));
  EXPECT_EQ(user.token_id, "token-1");
}

TEST_F(TokenVerifierTest, EveryAlgorithmIsTakenWithItsOwnKey) {
  ExpectAccepted(Keys().ed->SignJson(Header("EdDSA", "ed").dump(), Claims().dump()));
  ExpectAccepted(Keys().es->SignJson(Header("ES256", "es").dump(), Claims().dump()));
  ExpectAccepted(Keys().rs->SignJson(Header("RS256", "rs").dump(), Claims().dump()));
}

TEST_F(TokenVerifierTest, OptionalClaimsMayBeAbsent) {
  for (const char* name : {"nbf", "auth_time", "clinics"}) ExpectAccepted(Sign(Without(name)));
  const auto principal = verifier_->Verify(Sign(Without("auth_time")), kNow);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ((*principal)->auth_time, absl::InfinitePast());
  EXPECT_FALSE((*principal)->clinics);
}

TEST_F(TokenVerifierTest, APlatformOperatorNeedsNoOrganisation) {
  Json claims = Without("org");
  claims["roles"] = {"platform_operator"};
  const auto principal = verifier_->Verify(Sign(claims), kNow);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ((*principal)->organization_id, "");
  ExpectRefused(Sign(Without("org")), TokenFault::kClaims);
  // With another role beside it there must be a tenant to hold that role to.
  claims["roles"] = {"platform_operator", "clinic_manager"};
  ExpectRefused(Sign(claims), TokenFault::kClaims);
}

TEST_F(TokenVerifierTest, RefusesTokensWithoutSignature) {
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string token = Keys().ed->SignJson(Header(none).dump(), Claims().dump());
    ExpectRefused(token, TokenFault::kAlgorithm);
    ExpectRefused(token.substr(0, token.rfind('.') + 1), TokenFault::kAlgorithm);
  }
  const std::string token = Sign(Claims());
  ExpectRefused(token.substr(0, token.rfind('.') + 1), TokenFault::kSignature);
}

TEST_F(TokenVerifierTest, RefusesHmacWithAPublicKeyAsItsSecret) {
  const std::string signed_bytes = absl::StrCat(Base64UrlEncode(Header("HS256", "rs").dump()), ".",
                                                Base64UrlEncode(Claims().dump()));
  const std::string secret = Keys().rs->PublicJwk();
  unsigned char mac[32];
  unsigned int size = 0;
  ASSERT_NE(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                 reinterpret_cast<const unsigned char*>(signed_bytes.data()), signed_bytes.size(),
                 mac, &size),
            nullptr);
  ExpectRefused(absl::StrCat(signed_bytes, ".",
                             Base64UrlEncode(absl::string_view(reinterpret_cast<char*>(mac), 32))),
                TokenFault::kAlgorithm);
}

TEST_F(TokenVerifierTest, RefusesAnAlgorithmThatIsNotTheKeys) {
  for (const char* alg : {"RS256", "ES256", "ES384", "PS256", "Ed25519", "eddsa"}) {
    ExpectRefused(Keys().ed->SignJson(Header(alg).dump(), Claims().dump()), TokenFault::kAlgorithm);
  }
  Json header = Header();
  header.erase("alg");
  ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kAlgorithm);
  header["alg"] = {"EdDSA"};
  ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kAlgorithm);
}

TEST_F(TokenVerifierTest, RefusesKeyIdsThatNameNoKey) {
  for (const char* kid : {"", "ED", "ed ", "../../../../dev/null", "ed' OR '1'='1",
                          "ed;cat /etc/passwd", "https://evil.example/jwks.json", "rotated"}) {
    ExpectRefused(Keys().ed->SignJson(Header("EdDSA", kid).dump(), Claims().dump()),
                  TokenFault::kUnknownKey);
  }
  Json header = Header();
  header.erase("kid");
  ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kUnknownKey);
  for (const Json& kid : {Json(1), Json(nullptr), Json({"ed"})}) {
    header["kid"] = kid;
    ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kUnknownKey);
  }
}

TEST_F(TokenVerifierTest, NeverUsesAKeyThatTheTokenBrings) {
  const auto attacker = TokenSigner::Generate(Algorithm::kEdDsa, "ed");
  Json header = Header();
  header["jwk"] = Json::parse(attacker->PublicJwk());
  header["jku"] = "https://evil.example/jwks.json";
  header["x5u"] = "https://evil.example/cert.pem";
  header["x5c"] = {"AAAA"};
  ExpectRefused(attacker->SignJson(header.dump(), Claims().dump()), TokenFault::kSignature);
  header["kid"] = "evil";
  ExpectRefused(attacker->SignJson(header.dump(), Claims().dump()), TokenFault::kUnknownKey);
}

TEST_F(TokenVerifierTest, RefusesCriticalExtensions) {
  Json header = Header();
  header["crit"] = {"b64"};
  header["b64"] = false;
  ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kMalformed);
  header["crit"] = Json::array();
  ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kMalformed);
}

TEST_F(TokenVerifierTest, RefusesOtherTypesOfTokens) {
  for (const char* type : {"JWT", "id_token", "", "at+jwt2", "application/jwt"}) {
    Json header = Header();
    header["typ"] = type;
    ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kType);
  }
  Json header = Header();
  header.erase("typ");
  ExpectRefused(Keys().ed->SignJson(header.dump(), Claims().dump()), TokenFault::kType);
  for (const char* type : {"AT+JWT", "application/at+jwt"}) {
    header["typ"] = type;
    ExpectAccepted(Keys().ed->SignJson(header.dump(), Claims().dump()));
  }
}

TEST_F(TokenVerifierTest, RefusesOtherIssuersAndAudiences) {
  ExpectAccepted(Sign(With("iss", "https://other.example")));
  for (const Json& issuer :
       {Json("https://id.example/"), Json("https://evil.example"), Json("service:assessment")}) {
    ExpectRefused(Sign(With("iss", issuer)), TokenFault::kIssuer);
  }
  ExpectRefused(Sign(With("iss", {"https://id.example"})), TokenFault::kClaims);
  ExpectAccepted(Sign(With("aud", {"else", "rapport-eu"})));
  for (const Json& audience :
       {Json("else"), Json("Rapport"), Json::array(), Json({"else"}), Json({"rapport", 1}), Json(7),
        Json(nullptr), Json({{"rapport", true}})}) {
    ExpectRefused(Sign(With("aud", audience)), TokenFault::kAudience);
  }
}

TEST_F(TokenVerifierTest, HeedsTimesWithASmallSkew) {
  const std::string token = Sign(Claims());
  const absl::Time expire = kNow + absl::Minutes(10);
  const absl::Duration tick = absl::Microseconds(1);
  // Fresh verifiers, so that the cache has no say.
  Restart();
  ExpectAccepted(token, expire + kSkew - tick);
  Restart();
  ExpectRefused(token, TokenFault::kExpired, expire + kSkew);
  ExpectRefused(token, TokenFault::kNotYetValid, kNow - kSkew - tick);
  ExpectAccepted(token, kNow - kSkew);
  ExpectRefused(Sign(With("nbf", kNowSeconds + 31)), TokenFault::kNotYetValid);
  ExpectAccepted(Sign(With("nbf", kNowSeconds + 30)));
}

TEST_F(TokenVerifierTest, LimitsATokensLife) {
  ExpectAccepted(Sign(With("exp", kNowSeconds + 900)));
  ExpectRefused(Sign(With("exp", kNowSeconds + 901)), TokenFault::kLifetime);
  ExpectRefused(Sign(With("exp", 253402300799)), TokenFault::kLifetime);
  ExpectRefused(Sign(With("exp", kNowSeconds)), TokenFault::kLifetime);
}

TEST_F(TokenVerifierTest, RefusesMissingOrMisshapenClaims) {
  for (const char* name : {"iss", "sub", "iat", "exp", "jti", "roles", "org"}) {
    ExpectRefused(Sign(Without(name)), TokenFault::kClaims);
    ExpectRefused(Sign(With(name, nullptr)), TokenFault::kClaims);
    ExpectRefused(Sign(With(name, {{"a", 1}})), TokenFault::kClaims);
  }
  ExpectRefused(Sign(Without("aud")), TokenFault::kAudience);
  for (const char* name : {"sub", "jti", "org"}) {
    for (const std::string& text : {std::string(), std::string(256, 'a'), std::string("a\nb"),
                                    std::string("a\0b", 3), std::string("a\x7f")}) {
      ExpectRefused(Sign(With(name, text)), TokenFault::kClaims);
    }
    ExpectAccepted(Sign(With(name, std::string(255, 'a'))));
  }
  for (const char* name : {"iat", "exp", "nbf", "auth_time"}) {
    for (const Json& value : {Json("1790000000"), Json(-1), Json(1e300), Json(true),
                              Json(253402300800), Json({1790000000})}) {
      ExpectRefused(Sign(With(name, value)), TokenFault::kClaims);
    }
  }
  for (const char* name : {"roles", "clinics"}) {
    for (const Json& value : {Json("therapist"), Json({1}), Json({""}), Json({{"a", "b"}}),
                              Json(std::vector<std::string>(65, "r"))}) {
      ExpectRefused(Sign(With(name, value)), TokenFault::kClaims);
    }
  }
  ExpectAccepted(Sign(With("clinics", std::vector<std::string>(32, "c"))));
  ExpectRefused(Sign(With("clinics", std::vector<std::string>(33, "c"))), TokenFault::kClaims);
}

TEST_F(TokenVerifierTest, RefusesRepeatedMembers) {
  const std::string claims = Claims().dump();
  const std::string more = absl::StrReplaceAll(claims, {{"}", ",\"org\":\"org2\"}"}});
  ExpectRefused(Keys().ed->SignJson(Header().dump(), more), TokenFault::kMalformed);
  const std::string deep = absl::StrReplaceAll(claims, {{"}", ",\"x\":{\"a\":1,\"a\":2}}"}});
  ExpectRefused(Keys().ed->SignJson(Header().dump(), deep), TokenFault::kMalformed);
  const std::string header = absl::StrReplaceAll(Header().dump(), {{"}", ",\"alg\":\"none\"}"}});
  ExpectRefused(Keys().ed->SignJson(header, claims), TokenFault::kMalformed);
}

TEST_F(TokenVerifierTest, RefusesOtherThanThreeCanonicalParts) {
  const std::string token = Sign(Claims());
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  for (const std::string& bad : {
           std::string(),
           std::string("."),
           std::string(".."),
           std::string("..."),
           parts[0],
           absl::StrCat(parts[0], ".", parts[1]),
           absl::StrCat(token, "."),
           absl::StrCat(token, ".", parts[2]),
           absl::StrCat(token, "="),
           absl::StrCat(token, "=="),
           absl::StrCat(token, "\n"),
           absl::StrCat(" ", token),
           absl::StrCat("Bearer ", token),
           absl::StrCat(parts[0], "=.", parts[1], ".", parts[2]),
           absl::StrReplaceAll(token, {{".", ". "}}),
           std::string("\0\0\0", 3),
       }) {
    ExpectRefused(bad, TokenFault::kMalformed);
  }
  ExpectRefused(Keys().ed->SignJson("[]", Claims().dump()), TokenFault::kMalformed);
  ExpectRefused(Keys().ed->SignJson(Header().dump(), "[]"), TokenFault::kMalformed);
  ExpectRefused(Keys().ed->SignJson(Header().dump(), "claims"), TokenFault::kMalformed);
}

TEST_F(TokenVerifierTest, NoTokenSurvivesTheChangeOfACharacter) {
  const std::string token = Sign(Claims());
  ExpectAccepted(token);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verifier_->Verify(altered, kNow).ok()) << i;
  }
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(verifier_->Verify(token.substr(0, size), kNow).ok()) << size;
  }
  EXPECT_EQ(verifier_->cached_tokens(), 1u) << "refusals take no room";
}

TEST_F(TokenVerifierTest, RefusesTokensOverFourKibibytes) {
  const auto sized = [](size_t size) {
    // The payload's length decides; pad it until the token is just so large.
    for (size_t pad = size * 3 / 4 - 500;; ++pad) {
      std::string token = Sign(With("pad", std::string(pad, 'x')));
      if (token.size() >= size) return token;
    }
  };
  const std::string small = sized(4093);
  ASSERT_LE(small.size(), 4096u);
  ExpectAccepted(small);
  ExpectRefused(sized(4097), TokenFault::kTooLarge);
  ExpectRefused(std::string(1 << 20, 'a'), TokenFault::kTooLarge);
}

TEST_F(TokenVerifierTest, RefusesTheNoughtSignatureOfEs256) {
  const std::string signed_bytes = absl::StrCat(Base64UrlEncode(Header("ES256", "es").dump()), ".",
                                                Base64UrlEncode(Claims().dump()));
  for (size_t size : {0, 1, 63, 64, 65, 72}) {
    ExpectRefused(absl::StrCat(signed_bytes, ".", Base64UrlEncode(std::string(size, '\0'))),
                  TokenFault::kSignature);
  }
}

TEST_F(TokenVerifierTest, AServicesTokenNamesTheService) {
  const auto principal = verifier_->Verify(SignService(ServiceClaims()), kNow);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ((*principal)->kind, Principal::Kind::kService);
  EXPECT_EQ((*principal)->service(), "assessment");
  EXPECT_EQ((*principal)->organization_id, "");
  EXPECT_TRUE((*principal)->roles.empty());
}

TEST_F(TokenVerifierTest, AServiceSpeaksOnlyForItself) {
  for (const char* other : {"service:notes", "service:", "service:assessment2", "dr-lee"}) {
    Json claims = ServiceClaims();
    claims["sub"] = other;
    claims["iss"] = other;
    ExpectRefused(SignService(claims), TokenFault::kSubject);
  }
  ExpectRefused(SignService(Claims()), TokenFault::kSubject);
  Json claims = ServiceClaims();
  claims["iss"] = "https://id.example";
  ExpectRefused(SignService(claims), TokenFault::kIssuer);
  ExpectRefused(SignService(ServiceClaims(), "JWT"), TokenFault::kType);
  claims = ServiceClaims();
  claims["org"] = "org1";
  claims["roles"] = {"therapist"};
  const auto principal = verifier_->Verify(SignService(claims), kNow);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ((*principal)->organization_id, "") << "a service has no organisation of its own";
  EXPECT_TRUE((*principal)->roles.empty());
}

TEST_F(TokenVerifierTest, AUserIsNeverAService) {
  ExpectRefused(Sign(With("sub", "service:assessment")), TokenFault::kSubject);
  ExpectRefused(Sign(ServiceClaims()), TokenFault::kSubject);
}

TEST_F(TokenVerifierTest, ClaimNamesAndTypesAreOptions) {
  options_.claims.organization = "https://example.com/org";
  options_.claims.roles = "/realm_access/roles";
  options_.types = {"JWT", "at+jwt"};
  Restart();
  Json claims = Without("org");
  claims.erase("roles");
  claims["https://example.com/org"] = "org7";
  claims["realm_access"] = {{"roles", {"scheduler"}}};
  Json header = Header();
  header["typ"] = "JWT";
  const auto principal = verifier_->Verify(Keys().ed->SignJson(header.dump(), claims.dump()), kNow);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ((*principal)->organization_id, "org7");
  EXPECT_TRUE((*principal)->HasRole("scheduler"));
  claims["realm_access"] = {{"roles", "scheduler"}};
  ExpectRefused(Sign(claims), TokenFault::kClaims);
  claims["realm_access"] = "scheduler";
  ExpectRefused(Sign(claims), TokenFault::kClaims);
}

TEST_F(TokenVerifierTest, ImpossibleOptionsAreErrors) {
  const auto refuse = [&](void (*change)(TokenVerifierOptions&)) {
    TokenVerifierOptions options = options_;
    change(options);
    EXPECT_EQ(TokenVerifier::Make(options).status().code(), absl::StatusCode::kInvalidArgument);
  };
  refuse([](TokenVerifierOptions& o) { o.issuers.clear(); });
  refuse([](TokenVerifierOptions& o) { o.audiences.clear(); });
  refuse([](TokenVerifierOptions& o) { o.types.clear(); });
  refuse([](TokenVerifierOptions& o) { o.jwks_file = "/no/such/file"; });
  refuse([](TokenVerifierOptions& o) { o.claims.roles = "/a/~2"; });
  refuse([](TokenVerifierOptions& o) { o.claims.roles = ""; });
}

TEST_F(TokenVerifierTest, AKeptTokenStillExpires) {
  const std::string token = Sign(Claims());
  const absl::Time expire = kNow + absl::Minutes(10);
  ExpectAccepted(token);
  ASSERT_EQ(verifier_->cached_tokens(), 1u);
  EXPECT_EQ(*verifier_->Verify(token, kNow), *verifier_->Verify(token, kNow)) << "kept, not made";
  ExpectAccepted(token, expire + kSkew - absl::Microseconds(1));
  ExpectRefused(token, TokenFault::kExpired, expire + kSkew);
}

TEST_F(TokenVerifierTest, KeepsABoundedNumberOfTokens) {
  options_.cache_entries = 16;
  Restart();
  for (int i = 0; i < 200; ++i) ExpectAccepted(Sign(With("jti", absl::StrCat("t", i))));
  EXPECT_LE(verifier_->cached_tokens(), 16u);
  EXPECT_GE(verifier_->cached_tokens(), 4u);
}

TEST_F(TokenVerifierTest, FollowsTheKeyFileAlsoForKeptTokens) {
  const std::string old_token = Sign(Claims());
  const std::string new_token =
      Keys().rotated->SignJson(Header("EdDSA", "rotated").dump(), Claims().dump());
  ExpectAccepted(old_token);
  ExpectRefused(new_token, TokenFault::kUnknownKey);
  WriteKeys({Keys().rotated->PublicJwk()});
  ExpectAccepted(old_token, kNow + absl::Milliseconds(999));  // looks once a second
  ExpectRefused(old_token, TokenFault::kUnknownKey, kNow + absl::Seconds(1));
  ExpectAccepted(new_token, kNow + absl::Seconds(1));
  EXPECT_EQ(verifier_->keys()->size(), 1u);
}

TEST_F(TokenVerifierTest, ABrokenKeyFileLeavesTheOldKeys) {
  const std::string token = Sign(Claims());
  absl::Time now = kNow;
  for (const char* broken :
       {"", "{", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"x\"}]}"}) {
    WriteFile(broken);
    verifier_->MaybeReload();
    now += absl::Seconds(2);
    ExpectAccepted(token, now);
  }
  unlink(options_.jwks_file.c_str());
  ExpectAccepted(token, now + absl::Seconds(2));
  WriteKeys({Keys().rotated->PublicJwk()});
  verifier_->MaybeReload();
  ExpectRefused(token, TokenFault::kUnknownKey, now + absl::Seconds(2));
}

TEST_F(TokenVerifierTest, RevokedTokensAreRefusedAlsoWhenKept) {
  const std::string token = Sign(Claims());
  const std::string other = Sign(With("jti", "token-2"));
  ExpectAccepted(token);
  ExpectAccepted(other);
  const auto principal = *verifier_->Verify(token, kNow);
  EXPECT_TRUE(verifier_->StillHolds(*principal, kNow));
  verifier_->RevokeToken("org2", "token-1", kNow + absl::Minutes(10));
  ExpectAccepted(token);
  verifier_->RevokeToken("org1", "token-1", kNow + absl::Minutes(10));
  ExpectRefused(token, TokenFault::kRevoked);
  ExpectAccepted(other);
  EXPECT_FALSE(verifier_->StillHolds(*principal, kNow)) << "open streams end";
  Restart();
  verifier_->RevokeToken("org1", "token-1", kNow + absl::Minutes(10));
  ExpectRefused(token, TokenFault::kRevoked);
}

TEST_F(TokenVerifierTest, RevokedSubjectsAreRefusedUntilTheySignInAnew) {
  const std::string token = Sign(Claims());
  const std::string elsewhere = Sign(With("org", "org2"));
  const std::string colleague = Sign(With("sub", "dr-kim"));
  ExpectAccepted(token);
  verifier_->RevokeSubject("org1", "dr-lee", kNow + absl::Seconds(10));
  ExpectRefused(token, TokenFault::kRevoked);
  ExpectAccepted(elsewhere);
  ExpectAccepted(colleague);
  Json claims = Claims();
  claims["iat"] = kNowSeconds + 10;
  ExpectAccepted(Sign(claims), kNow + absl::Seconds(10));
  verifier_->RevokeSubject("org1", "dr-lee", kNow);
  ExpectRefused(token, TokenFault::kRevoked);
}

TEST_F(TokenVerifierTest, ForgetsRevocationsOnlyOnceTheirTokensHaveExpired) {
  const std::string token = Sign(With("exp", kNowSeconds + 900));
  ExpectAccepted(token);
  verifier_->RevokeSubject("org1", "dr-lee", kNow + absl::Seconds(1));
  verifier_->RevokeToken("org1", "token-2", kNow + absl::Minutes(15));
  const absl::Time last = kNow + absl::Minutes(15) + kSkew - absl::Seconds(1);
  ExpectRefused(token, TokenFault::kRevoked, last);
  verifier_->RevokeSubject("org1", "dr-kim", last);  // tidies up
  ExpectRefused(token, TokenFault::kRevoked, last);
  ExpectRefused(Sign(With("jti", "token-2")), TokenFault::kRevoked);
}

TEST_F(TokenVerifierTest, StillHoldsUntilExpiry) {
  const auto principal = *verifier_->Verify(Sign(Claims()), kNow);
  EXPECT_TRUE(verifier_->StillHolds(*principal, kNow + absl::Minutes(10)));
  EXPECT_FALSE(verifier_->StillHolds(*principal, kNow + absl::Minutes(10) + kSkew));
}

TEST_F(TokenVerifierTest, ManyThreadsMayVerifyRevokeAndReload) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 8; ++i) tokens.push_back(Sign(With("jti", absl::StrCat("t", i))));
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const std::string& token = tokens[(i + t) % tokens.size()];
        if (!verifier_->Verify(token, kNow + absl::Milliseconds(i)).ok()) failed = true;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    WriteKeys({Keys().ed->PublicJwk(), Keys().rotated->PublicJwk()});
    verifier_->MaybeReload();
    verifier_->RevokeToken("org1", absl::StrCat("other", i), kNow);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(failed);
}

TEST(TokenFaultTest, EachHasItsName) {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(TokenFault::kRevoked); ++i) {
    names.emplace(TokenFaultName(static_cast<TokenFault>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(TokenFault::kRevoked) + 1);
  EXPECT_EQ(names.count("unknown"), 0u);
}

}  // namespace
}  // namespace rapport::auth
