#ifndef RAPPORT_COMMON_AUTH_SIGNER_H_
#define RAPPORT_COMMON_AUTH_SIGNER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/keys.h"
#include "common/concurrency/mutex.h"

namespace rapport::auth {

// What a token says. Empty parts are left out.
struct TokenClaims {
  std::string issuer;
  std::string subject;
  std::string audience;
  absl::Time issue_time;  // also `nbf`
  absl::Time expire_time;
  std::string token_id;  // empty: a new ULID
  std::string organization_id;
  std::vector<std::string> roles;
  std::optional<std::vector<std::string>> clinics;
  absl::Time auth_time = absl::InfinitePast();  // left out if so
};

// Signs tokens with one private key: Ed25519, or RSA and P-256 for tests. Thread-safe.
class TokenSigner {
 public:
  // From a PEM private key. `key_id` empty: the RFC 7638 thumbprint of its public key, which is
  // also the id that WriteDevelopmentKeys puts into the key set.
  //   kInvalidArgument  no such file, or not a private key that a verifier would take
  static absl::StatusOr<std::unique_ptr<TokenSigner>> FromPemFile(absl::string_view path,
                                                                  absl::string_view key_id = "");
  static absl::StatusOr<std::unique_ptr<TokenSigner>> FromPem(absl::string_view pem,
                                                              absl::string_view key_id = "");
  // A new key.
  static std::unique_ptr<TokenSigner> Generate(Algorithm algorithm, absl::string_view key_id = "");

  std::string Sign(const TokenClaims& claims) const;
  // Signs any JSON, for tests of what a verifier must refuse.
  std::string SignJson(absl::string_view header, absl::string_view payload) const;
  // Signs any bytes; VerificationKey::Verify takes the signature.
  std::string SignRaw(absl::string_view bytes) const;

  const std::string& key_id() const { return key_id_; }
  Algorithm algorithm() const { return algorithm_; }

  // The public key as a JWK, to go into a key set's "keys".
  std::string PublicJwk(absl::string_view service = "", bool development = false) const;
  std::string PrivatePem() const;

 private:
  TokenSigner(EvpPkey key, Algorithm algorithm, absl::string_view key_id);

  EvpPkey key_;
  Algorithm algorithm_;
  std::string key_id_;
};

// A service's own token, as its peers' verifiers expect: signed anew every four minutes, valid for
// five. Thread-safe.
class ServiceTokenSource {
 public:
  // `service` as "assessment".
  ServiceTokenSource(std::unique_ptr<TokenSigner> signer, absl::string_view service,
                     absl::string_view audience);

  // A token that is valid for at least one more minute. `now` is the real clock's.
  std::string Token(absl::Time now);

 private:
  const std::unique_ptr<TokenSigner> signer_;
  const std::string service_;
  const std::string audience_;
  Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  absl::Time expire_time_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_SIGNER_H_
