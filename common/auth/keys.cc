#include "common/auth/keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "common/auth/strict_json.h"
#include "common/errors/status_macros.h"

namespace rapport::auth {
namespace {

using Json = nlohmann::json;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr size_t kMaxKeyIdSize = 256;
constexpr size_t kCoordinateSize = 32;
constexpr size_t kEd25519Size = 32;

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* pointer) const { kFree(pointer); }
};
using Bignum = std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM, OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG, ECDSA_SIG_free>>;

const unsigned char* Data(absl::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Bignum ToBignum(absl::string_view bytes) {
  return Bignum(BN_bin2bn(Data(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::string Text(const Json& object, const char* member) {
  auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<std::string> Bytes(const Json& object, const char* member) {
  const std::string text = Text(object, member);
  return text.empty() ? std::nullopt : Base64UrlDecode(text);
}

EvpPkey FromParams(const char* type, OSSL_PARAM_BLD* builder) {
  Params params(OSSL_PARAM_BLD_to_param(builder));
  KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  EvpPkey made(key);
  KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, made.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return made;
}

EvpPkey RsaKey(const Json& jwk) {
  const auto modulus = Bytes(jwk, "n");
  const auto exponent = Bytes(jwk, "e");
  if (!modulus || !exponent || exponent->size() > 8 || modulus->size() > kMaxRsaBits / 8 + 1) {
    return nullptr;
  }
  const Bignum n = ToBignum(*modulus);
  const Bignum e = ToBignum(*exponent);
  const int bits = BN_num_bits(n.get());
  if (bits < kMinRsaBits || bits > kMaxRsaBits || !BN_is_odd(e.get()) || BN_is_one(e.get())) {
    return nullptr;
  }
  Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return FromParams("RSA", builder.get());
}

EvpPkey P256Key(const Json& jwk) {
  const auto x = Bytes(jwk, "x");
  const auto y = Bytes(jwk, "y");
  if (!x || !y || x->size() != kCoordinateSize || y->size() != kCoordinateSize) return nullptr;
  const std::string point = absl::StrCat("\x04", *x, *y);
  Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return FromParams("EC", builder.get());
}

EvpPkey Ed25519Key(const Json& jwk) {
  const auto x = Bytes(jwk, "x");
  if (!x || x->size() != kEd25519Size) return nullptr;
  return EvpPkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(*x), x->size()));
}

// What `jwk` verifies; nothing if it is for something else.
std::optional<Algorithm> AlgorithmOf(const Json& jwk) {
  const std::string type = Text(jwk, "kty");
  const std::string curve = Text(jwk, "crv");
  const std::string algorithm = Text(jwk, "alg");
  if (jwk.contains("use") && Text(jwk, "use") != "sig") return std::nullopt;
  std::optional<Algorithm> found;
  if (type == "RSA") found = Algorithm::kRs256;
  if (type == "EC" && curve == "P-256") found = Algorithm::kEs256;
  if (type == "OKP" && curve == "Ed25519") found = Algorithm::kEdDsa;
  if (found && jwk.contains("alg") && algorithm != AlgorithmName(*found)) return std::nullopt;
  return found;
}

absl::StatusOr<std::optional<VerificationKey>> ParseKey(const Json& jwk) {
  if (!jwk.is_object()) return absl::InvalidArgumentError("a key is not an object");
  const std::string id = Text(jwk, "kid");
  const auto refuse = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("key '", id, "' ", why));
  };
  if (jwk.contains("d") || jwk.contains("k")) return refuse("is secret: list public keys only");
  const std::optional<Algorithm> algorithm = AlgorithmOf(jwk);
  if (!algorithm) return std::nullopt;
  if (id.empty() || id.size() > kMaxKeyIdSize) return refuse("needs a 'kid' of 1 to 256 bytes");

  VerificationKey key;
  key.id = id;
  key.algorithm = *algorithm;
  if (auto service = jwk.find("rapport:service"); service != jwk.end()) {
    if (!service->is_string() || service->get<std::string>().empty()) {
      return refuse("has a 'rapport:service' that is no name");
    }
    key.service = service->get<std::string>();
  }
  if (auto development = jwk.find("rapport:development"); development != jwk.end()) {
    if (!development->is_boolean()) return refuse("has a 'rapport:development' that is no boolean");
    key.development = development->get<bool>();
  }
  switch (*algorithm) {
    case Algorithm::kRs256:
      key.key = RsaKey(jwk);
      break;
    case Algorithm::kEs256:
      key.key = P256Key(jwk);
      break;
    case Algorithm::kEdDsa:
      key.key = Ed25519Key(jwk);
      break;
  }
  if (key.key == nullptr) return refuse("is weak or malformed (RSA needs 2,048 bits)");
  return std::optional<VerificationKey>(std::move(key));
}

// The DER form of the 64 bytes that RFC 7518 section 3.4 sends; empty if it can't be made.
std::string ToDer(absl::string_view signature) {
  if (signature.size() != 2 * kCoordinateSize) return "";
  Signature pair(ECDSA_SIG_new());
  Bignum r = ToBignum(signature.substr(0, kCoordinateSize));
  Bignum s = ToBignum(signature.substr(kCoordinateSize));
  if (!pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return "";
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return "";
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace

void EvpPkeyDeleter::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

absl::string_view AlgorithmName(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRs256:
      return "RS256";
    case Algorithm::kEs256:
      return "ES256";
    case Algorithm::kEdDsa:
      break;
  }
  return "EdDSA";
}

bool VerificationKey::Verify(absl::string_view signed_bytes, absl::string_view signature) const {
  std::string der;
  if (algorithm == Algorithm::kEs256) {
    der = ToDer(signature);
    if (der.empty()) return false;
    signature = der;
  }
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const EVP_MD* const digest = algorithm == Algorithm::kEdDsa ? nullptr : sha256;
  DigestContext context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(signed_bytes),
                          signed_bytes.size()) == 1;
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(absl::string_view json) {
  const std::optional<Json> document = ParseStrictObject(json);
  if (!document || !document->contains("keys") || !(*document)["keys"].is_array()) {
    return absl::InvalidArgumentError("not a JSON Web Key Set: {\"keys\": [...]}");
  }
  auto set = std::make_shared<KeySet>();
  for (const Json& jwk : (*document)["keys"]) {
    ASSIGN_OR_RETURN(std::optional<VerificationKey> key, ParseKey(jwk));
    if (!key) continue;
    set->all_development_ = set->all_development_ && key->development;
    const std::string id = key->id;
    if (!set->keys_.emplace(id, *std::move(key)).second) {
      return absl::InvalidArgumentError(absl::StrCat("key '", id, "' is listed twice"));
    }
  }
  if (set->keys_.empty()) {
    return absl::InvalidArgumentError("no key for RS256, ES256 or EdDSA is listed");
  }
  return std::shared_ptr<const KeySet>(std::move(set));
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::FromFile(absl::string_view path) {
  std::ifstream file{std::string(path)};
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(absl::StrCat("can't read the key set '", path, "'"));
  }
  auto set = Parse(text.str());
  if (!set.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", set.status().message()));
  }
  return set;
}

const VerificationKey* KeySet::Find(absl::string_view id) const {
  auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace rapport::auth
