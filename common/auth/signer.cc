#include "common/auth/signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "common/ids/ulid.h"
#include "nlohmann/json.hpp"

namespace rapport::auth {
namespace {

using Json = nlohmann::json;

constexpr absl::Duration kServiceTokenLife = absl::Minutes(5);
constexpr absl::Duration kServiceTokenReserve = absl::Minutes(1);
constexpr int kMinRsaBits = 2048;
constexpr int kCoordinateSize = 32;

void Must(bool condition) {
  if (!condition) std::abort();  // out of memory, or a bug
}

// The bytes of a number of the key, big-endian, at least `width` long.
std::string NumberOf(EVP_PKEY* key, const char* parameter, int width = 0) {
  BIGNUM* number = nullptr;
  Must(EVP_PKEY_get_bn_param(key, parameter, &number) == 1);
  const int size = std::max(width, BN_num_bytes(number));
  std::string bytes(static_cast<size_t>(size), '\0');
  Must(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size) == size);
  BN_free(number);
  return bytes;
}

// The members of the public key that RFC 7638 takes into its thumbprint.
Json RequiredMembers(EVP_PKEY* key, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRs256:
      return {{"kty", "RSA"},
              {"n", Base64UrlEncode(NumberOf(key, OSSL_PKEY_PARAM_RSA_N))},
              {"e", Base64UrlEncode(NumberOf(key, OSSL_PKEY_PARAM_RSA_E))}};
    case Algorithm::kEs256:
      return {{"kty", "EC"},
              {"crv", "P-256"},
              {"x", Base64UrlEncode(NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateSize))},
              {"y", Base64UrlEncode(NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateSize))}};
    case Algorithm::kEdDsa:
      break;
  }
  unsigned char raw[32];
  size_t size = sizeof(raw);
  Must(EVP_PKEY_get_raw_public_key(key, raw, &size) == 1);
  return {{"kty", "OKP"},
          {"crv", "Ed25519"},
          {"x", Base64UrlEncode(absl::string_view(reinterpret_cast<char*>(raw), size))}};
}

// Members come out sorted and without blanks, as RFC 7638 wants them.
std::string Thumbprint(EVP_PKEY* key, Algorithm algorithm) {
  return Base64UrlEncode(Sha256(RequiredMembers(key, algorithm).dump()));
}

// r and s side by side (RFC 7518 section 3.4) from their DER form.
std::string FromDer(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
  Must(pair != nullptr);
  std::string out(2 * kCoordinateSize, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  Must(BN_bn2binpad(ECDSA_SIG_get0_r(pair), to, kCoordinateSize) == kCoordinateSize);
  Must(BN_bn2binpad(ECDSA_SIG_get0_s(pair), to + kCoordinateSize, kCoordinateSize) ==
       kCoordinateSize);
  ECDSA_SIG_free(pair);
  return out;
}

std::string SignBytes(EVP_PKEY* key, Algorithm algorithm, const std::string& bytes) {
  const EVP_MD* digest = algorithm == Algorithm::kEdDsa ? nullptr : EVP_sha256();
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 0;
  Must(context != nullptr && EVP_DigestSignInit(context, nullptr, digest, nullptr, key) == 1 &&
       EVP_DigestSign(context, nullptr, &size, data, bytes.size()) == 1);
  std::string signature(size, '\0');
  Must(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                      bytes.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return algorithm == Algorithm::kEs256 ? FromDer(signature) : signature;
}

// RSA and P-256 as verifiers take them, and Ed25519.
std::optional<Algorithm> AlgorithmOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return Algorithm::kEdDsa;
  if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= kMinRsaBits) return Algorithm::kRs256;
  char group[32] = "";
  if (EVP_PKEY_is_a(key, "EC") &&
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                     nullptr) == 1 &&
      absl::string_view(group) == "prime256v1") {
    return Algorithm::kEs256;
  }
  return std::nullopt;
}

}  // namespace

TokenSigner::TokenSigner(EvpPkey key, Algorithm algorithm, absl::string_view key_id)
    : key_(std::move(key)), algorithm_(algorithm), key_id_(key_id) {
  if (key_id_.empty()) key_id_ = Thumbprint(key_.get(), algorithm_);
}

absl::StatusOr<std::unique_ptr<TokenSigner>> TokenSigner::FromPemFile(absl::string_view path,
                                                                      absl::string_view key_id) {
  std::ifstream file{std::string(path)};
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(absl::StrCat("can't read the private key '", path, "'"));
  }
  auto signer = FromPem(text.str(), key_id);
  if (!signer.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", signer.status().message()));
  }
  return signer;
}

absl::StatusOr<std::unique_ptr<TokenSigner>> TokenSigner::FromPem(absl::string_view pem,
                                                                  absl::string_view key_id) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Must(bio != nullptr);
  // An encrypted key would ask at the terminal; this answers with no password.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  EvpPkey key(PEM_read_bio_PrivateKey(bio, nullptr, no_password, nullptr));
  BIO_free(bio);
  const std::optional<Algorithm> algorithm = key ? AlgorithmOf(key.get()) : std::nullopt;
  if (!algorithm) {
    return absl::InvalidArgumentError(
        "not an unencrypted PEM private key of Ed25519, P-256 or RSA with 2,048 bits");
  }
  return std::unique_ptr<TokenSigner>(new TokenSigner(std::move(key), *algorithm, key_id));
}

std::unique_ptr<TokenSigner> TokenSigner::Generate(Algorithm algorithm, absl::string_view key_id) {
  EvpPkey key;
  switch (algorithm) {
    case Algorithm::kRs256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{kMinRsaBits}));
      break;
    case Algorithm::kEs256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "prime256v1"));
      break;
    case Algorithm::kEdDsa:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  Must(key != nullptr);
  return std::unique_ptr<TokenSigner>(new TokenSigner(std::move(key), algorithm, key_id));
}

std::string TokenSigner::Sign(const TokenClaims& claims) const {
  const Json header = {
      {"alg", std::string(AlgorithmName(algorithm_))}, {"kid", key_id_}, {"typ", "at+jwt"}};
  Json payload = {
      {"iss", claims.issuer},
      {"sub", claims.subject},
      {"aud", claims.audience},
      {"iat", absl::ToUnixSeconds(claims.issue_time)},
      {"nbf", absl::ToUnixSeconds(claims.issue_time)},
      {"exp", absl::ToUnixSeconds(claims.expire_time)},
      {"jti", claims.token_id.empty() ? ids::NewUlid(claims.issue_time) : claims.token_id},
      {"roles", claims.roles},
  };
  if (!claims.organization_id.empty()) payload["org"] = claims.organization_id;
  if (claims.clinics) payload["clinics"] = *claims.clinics;
  if (claims.auth_time != absl::InfinitePast()) {
    payload["auth_time"] = absl::ToUnixSeconds(claims.auth_time);
  }
  const auto replace = Json::error_handler_t::replace;
  return SignJson(header.dump(), payload.dump(-1, ' ', false, replace));
}

std::string TokenSigner::SignJson(absl::string_view header, absl::string_view payload) const {
  std::string token = absl::StrCat(Base64UrlEncode(header), ".", Base64UrlEncode(payload));
  const std::string signature = SignBytes(key_.get(), algorithm_, token);
  absl::StrAppend(&token, ".", Base64UrlEncode(signature));
  return token;
}

std::string TokenSigner::SignRaw(absl::string_view bytes) const {
  return SignBytes(key_.get(), algorithm_, std::string(bytes));
}

std::string TokenSigner::PublicJwk(absl::string_view service, bool development) const {
  Json jwk = RequiredMembers(key_.get(), algorithm_);
  jwk["kid"] = key_id_;
  jwk["alg"] = std::string(AlgorithmName(algorithm_));
  jwk["use"] = "sig";
  if (!service.empty()) jwk["rapport:service"] = std::string(service);
  if (development) jwk["rapport:development"] = true;
  return jwk.dump();
}

std::string TokenSigner::PrivatePem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  Must(bio != nullptr &&
       PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

ServiceTokenSource::ServiceTokenSource(std::unique_ptr<TokenSigner> signer,
                                       absl::string_view service, absl::string_view audience)
    : signer_(std::move(signer)), service_(service), audience_(audience) {}

std::string ServiceTokenSource::Token(absl::Time now) {
  MutexLock lock(mutex_);
  // Also when the clock went back: a token from the future would be refused.
  const bool fresh = now + kServiceTokenReserve < expire_time_ &&
                     now + kServiceTokenLife + absl::Seconds(1) > expire_time_;
  if (!fresh) {
    TokenClaims claims;
    claims.subject = absl::StrCat("service:", service_);
    claims.issuer = claims.subject;
    claims.audience = audience_;
    claims.issue_time = now;
    claims.expire_time = now + kServiceTokenLife;
    token_ = signer_->Sign(claims);
    expire_time_ = claims.expire_time;
  }
  return token_;
}

}  // namespace rapport::auth
