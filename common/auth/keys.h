#ifndef RAPPORT_COMMON_AUTH_KEYS_H_
#define RAPPORT_COMMON_AUTH_KEYS_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace rapport::auth {

struct EvpPkeyDeleter {
  void operator()(EVP_PKEY* key) const;
};
using EvpPkey = std::unique_ptr<EVP_PKEY, EvpPkeyDeleter>;

enum class Algorithm { kRs256, kEs256, kEdDsa };

// "RS256", "ES256" or "EdDSA", as in a token's header.
absl::string_view AlgorithmName(Algorithm algorithm);

// One public key that verifies tokens, always by the same algorithm.
struct VerificationKey {
  std::string id;
  Algorithm algorithm;
  std::string service;  // if set, verifies only tokens of "service:<service>"
  bool development = false;
  EvpPkey key;

  // Whether `signature` is this key's over `signed_bytes`, in the encoding of RFC 7518 and 8037.
  bool Verify(absl::string_view signed_bytes, absl::string_view signature) const;
};

// The keys of a JSON Web Key Set (RFC 7517), by id. Immutable.
//
// Taken are signing keys with a `kid`: RSA of 2,048 bits or more (RS256), P-256 (ES256), Ed25519
// (EdDSA). Two members are ours: "rapport:development" (true: a key made by rapportctl, never for
// production) and "rapport:service" (the service whose own tokens the key verifies, and no others).
// Keys for encryption and for other algorithms are passed over, as an identity provider lists them.
class KeySet {
 public:
  //   kInvalidArgument  not a key set; a usable key without or with a repeated `kid`; weak or
  //                     malformed; a private key; no usable key at all
  static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(absl::string_view json);
  static absl::StatusOr<std::shared_ptr<const KeySet>> FromFile(absl::string_view path);

  // Null if there is no such key.
  const VerificationKey* Find(absl::string_view id) const;

  // Whether each key is marked as made for development.
  bool all_development() const { return all_development_; }
  size_t size() const { return keys_.size(); }

 private:
  absl::flat_hash_map<std::string, VerificationKey> keys_;
  bool all_development_ = true;
};

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_KEYS_H_
