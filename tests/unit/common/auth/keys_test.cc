#include "common/auth/keys.h"

#include <openssl/bn.h>
#include <openssl/evp.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "common/auth/signer.h"
#include "gtest/gtest.h"

namespace rapport::auth {
namespace {

std::string Set(absl::string_view keys) { return absl::StrCat("{\"keys\":[", keys, "]}"); }

void ExpectVerifies(const char* jwk, absl::string_view token) {
  auto keys = KeySet::Parse(Set(jwk));
  ASSERT_TRUE(keys.ok()) << keys.status();
  const VerificationKey* key = (*keys)->Find("k");
  ASSERT_NE(key, nullptr);
  const size_t dot = token.rfind('.');
  const std::string signature = *Base64UrlDecode(token.substr(dot + 1));
  EXPECT_TRUE(key->Verify(token.substr(0, dot), signature));
  EXPECT_FALSE(key->Verify(token.substr(0, dot - 1), signature));
  for (size_t i = 0; i < signature.size(); i += 7) {
    std::string altered = signature;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(key->Verify(token.substr(0, dot), altered)) << i;
  }
  EXPECT_FALSE(key->Verify(token.substr(0, dot), ""));
  EXPECT_FALSE(key->Verify(token.substr(0, dot), signature + '\0'));
  EXPECT_FALSE(key->Verify(token.substr(0, dot), std::string(signature.size(), '\0')));
}

constexpr char kRfcEd25519[] =
    R"({"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

TEST(KeySetTest, VerifiesTheEdDsaExampleOfRfc8037) {
  ExpectVerifies(kRfcEd25519,
                 "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                 "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
                 "MuM0KAg");
}

TEST(KeySetTest, VerifiesTheEs256ExampleOfRfc7515) {
  ExpectVerifies(
      R"({"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
      "Kg6NU1Q");
}

TEST(KeySetTest, VerifiesTheRs256ExampleOfRfc7515) {
  ExpectVerifies(
      R"({"kty":"RSA","kid":"k","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})",
      "eyJhbGciOiJSUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_"
      "lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
      "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"
      "xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIh"
      "WkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
}

TEST(KeySetTest, ReadsOurOwnMembers) {
  const auto user = TokenSigner::Generate(Algorithm::kEdDsa, "user");
  const auto service = TokenSigner::Generate(Algorithm::kEdDsa, "service");
  auto keys = KeySet::Parse(
      Set(absl::StrCat(user->PublicJwk("", true), ",", service->PublicJwk("assessment", true))));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ((*keys)->size(), 2u);
  EXPECT_TRUE((*keys)->all_development());
  EXPECT_EQ((*keys)->Find("user")->service, "");
  EXPECT_EQ((*keys)->Find("service")->service, "assessment");
  EXPECT_EQ((*keys)->Find("other"), nullptr);

  keys = KeySet::Parse(
      Set(absl::StrCat(user->PublicJwk("", true), ",", service->PublicJwk("assessment", false))));
  ASSERT_TRUE(keys.ok());
  EXPECT_FALSE((*keys)->all_development()) << "one real key is enough";
}

TEST(KeySetTest, PassesOverKeysForOtherPurposes) {
  auto keys = KeySet::Parse(Set(absl::StrCat(
      kRfcEd25519, R"(,{"kty":"RSA","kid":"e","use":"enc","n":"AQAB","e":"AQAB"})"
                   R"(,{"kty":"RSA","kid":"p","alg":"PS256","n":"AQAB","e":"AQAB"})"
                   R"(,{"kty":"EC","kid":"c","crv":"P-384","x":"AQAB","y":"AQAB"})"
                   R"(,{"kty":"OKP","kid":"x","crv":"X25519","x":"AQAB"})"
                   R"(,{"kty":"OKP","kid":"h","crv":"Ed25519","alg":"HS256","x":"AQAB"})"
                   R"(,{"kty":"new"})")));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ((*keys)->size(), 1u);
}

// The modulus of a new RSA key, as a JWK has it.
std::string RsaModulus(size_t bits) {
  EvpPkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
  BIGNUM* modulus = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key.get(), "n", &modulus), 1);
  std::string bytes(static_cast<size_t>(BN_num_bytes(modulus)), '\0');
  BN_bn2bin(modulus, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(modulus);
  return Base64UrlEncode(bytes);
}

std::string RsaJwk(absl::string_view modulus, absl::string_view exponent) {
  return absl::StrCat(R"({"kty":"RSA","kid":"k","e":")", exponent, R"(","n":")", modulus, R"("})");
}

TEST(KeySetTest, RsaNeedsTwoThousandBitsAndAProperExponent) {
  const std::string strong = RsaModulus(2048);
  EXPECT_TRUE(KeySet::Parse(Set(RsaJwk(strong, "AQAB"))).ok());
  EXPECT_FALSE(KeySet::Parse(Set(RsaJwk(RsaModulus(1024), "AQAB"))).ok());
  for (const char* exponent : {"AQ", "Ag", "AAAA", "", "AQAAAAAAAAAB"}) {
    EXPECT_FALSE(KeySet::Parse(Set(RsaJwk(strong, exponent))).ok()) << exponent;
  }
}

TEST(KeySetTest, RefusesWhatCannotBeTrusted) {
  const std::string ed = kRfcEd25519;
  for (
      const std::string& bad : {
          std::string(""),
          std::string("[]"),
          std::string("{}"),
          std::string(R"({"keys":{}})"),
          Set(""),
          Set("1"),
          absl::StrCat(R"({"keys":[],"keys":[)", ed, "]}"),
          Set(absl::StrCat(ed, ",", ed)),
          Set(R"({"kty":"oct","kid":"s","k":"c2VjcmV0"})"),
          Set(R"({"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"})"),
          Set(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
          Set(R"({"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qY"})"),
          Set(R"({"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})"),
          Set(R"({"kty":"OKP","crv":"Ed25519","kid":"k","rapport:service":"","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
          Set(R"({"kty":"OKP","crv":"Ed25519","kid":"k","rapport:service":1,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
          Set(R"({"kty":"OKP","crv":"Ed25519","kid":"k","rapport:development":"yes","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"),
          Set(R"({"kty":"new","kid":"k"})"),
      }) {
    EXPECT_EQ(KeySet::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(KeySetTest, AMissingFileIsAnError) {
  EXPECT_EQ(KeySet::FromFile("/no/such/file").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rapport::auth
