#ifndef RAPPORT_COMMON_AUTH_JWT_H_
#define RAPPORT_COMMON_AUTH_JWT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/auth/keys.h"
#include "common/auth/principal.h"
#include "common/concurrency/mutex.h"
#include "common/concurrency/sharded_cache.h"

namespace rapport::auth {

// Why a token was refused: for metrics and the log, never for the caller.
enum class TokenFault {
  kNone,
  kTooLarge,
  kMalformed,
  kUnknownKey,
  kAlgorithm,
  kSignature,
  kType,
  kIssuer,
  kAudience,
  kExpired,
  kNotYetValid,
  kLifetime,
  kSubject,
  kClaims,
  kRevoked,
};

// "none", "too_large", …: a metric label.
absl::string_view TokenFaultName(TokenFault fault);

// Tokens may not live longer (`exp` - `iat`).
inline constexpr absl::Duration kMaxTokenLife = absl::Minutes(15);
// Tokens may not be larger, in bytes.
inline constexpr size_t kMaxTokenSize = 4096;

// The claims with an organisation, its roles and so on. A name that starts with "/" is a JSON
// pointer (RFC 6901), as "/realm_access/roles".
struct ClaimNames {
  std::string organization = "org";
  std::string roles = "roles";
  std::string clinics = "clinics";
  std::string auth_time = "auth_time";
};

struct TokenVerifierOptions {
  std::string jwks_file;
  std::vector<std::string> issuers;    // of users' tokens
  std::vector<std::string> audiences;  // a token names at least one
  std::vector<std::string> types = {"at+jwt"};
  ClaimNames claims;
  absl::Duration clock_skew = absl::Seconds(30);
  size_t cache_entries = 65536;
};

// Verifies access tokens (RFC 9068) of users and services by the rules of RFC 8725. Thread-safe.
//
// A token is compact JWS of three parts whose `kid` names a key of the set and whose `alg` is that
// key's; `crit` is refused; keys in or pointed to by the header (jwk, jku, x5c, x5u) are never
// used.
// Repeated members are refused. `iss`, `sub`, `aud`, `exp`, `iat`, `jti` are required, `nbf` is
// heeded, life is at most 15 minutes. A user's token needs an organisation unless its only role is
// platform_operator. A token of a service has `iss` = `sub` = "service:<name>", type at+jwt, and is
// signed by that service's key; its other claims are ignored.
//
// Verified tokens are kept by their SHA-256 until they expire or the keys change. Revocations are
// looked up on each call, for kept tokens too.
class TokenVerifier {
 public:
  //   kInvalidArgument  the key file can't be read or is no key set; no issuer, audience or type; a
  //                     claim name that is no JSON pointer
  static absl::StatusOr<std::unique_ptr<TokenVerifier>> Make(TokenVerifierOptions options);

  // The principal of `token`, without "Bearer ". `now` is the real clock's. Otherwise
  // kUnauthenticated with one text whatever the cause; the cause goes to `fault` if given. Looks
  // for changed keys at most once a second.
  absl::StatusOr<std::shared_ptr<const Principal>> Verify(absl::string_view token, absl::Time now,
                                                          TokenFault* fault = nullptr);

  // Whether a verified principal still holds, for open streams: not expired, not revoked.
  bool StillHolds(const Principal& principal, absl::Time now);

  // Reads the key file again if it changed. A broken or missing one is logged, once a change, and
  // the keys in use stand.
  void MaybeReload();

  // From now on refuses tokens of `subject` in the organisation issued before `not_before`.
  void RevokeSubject(absl::string_view organization_id, absl::string_view subject,
                     absl::Time not_before);
  // From now on refuses the organisation's token with this id. `until`: when it expires; forgotten
  // after.
  void RevokeToken(absl::string_view organization_id, absl::string_view token_id, absl::Time until);

  // The keys in use.
  std::shared_ptr<const KeySet> keys() const;
  size_t cached_tokens() const { return cache_.size(); }

 private:
  struct Cached {
    std::shared_ptr<const Principal> principal;
    uint64_t generation;
  };
  struct FileState {
    int64_t inode = -1;
    int64_t modified_nanos = -1;
    int64_t size = -1;
    friend bool operator==(const FileState&, const FileState&) = default;
  };

  TokenVerifier(TokenVerifierOptions options, std::shared_ptr<const KeySet> keys, FileState state);

  TokenFault VerifyUncached(absl::string_view token, absl::Time now, const KeySet& keys,
                            Principal& principal) const;
  bool IsRevoked(const Principal& principal);
  void ForgetRevocations() ABSL_EXCLUSIVE_LOCKS_REQUIRED(revoked_mutex_);
  static FileState StateOf(const std::string& path);

  const TokenVerifierOptions options_;
  ShardedCache<Cached> cache_;

  Mutex reload_mutex_;  // taken before keys_mutex_
  FileState file_state_ ABSL_GUARDED_BY(reload_mutex_);
  mutable Mutex keys_mutex_;
  std::shared_ptr<const KeySet> keys_ ABSL_GUARDED_BY(keys_mutex_);
  std::atomic<uint64_t> generation_{0};        // counts changes of keys_
  std::atomic<int64_t> next_check_micros_{0};  // a second after the last check of the file

  Mutex revoked_mutex_;
  std::atomic<bool> any_revoked_{false};
  absl::flat_hash_map<std::pair<std::string, std::string>, absl::Time> revoked_subjects_
      ABSL_GUARDED_BY(revoked_mutex_);
  absl::flat_hash_map<std::pair<std::string, std::string>, absl::Time> revoked_tokens_
      ABSL_GUARDED_BY(revoked_mutex_);
};

}  // namespace rapport::auth

#endif  // RAPPORT_COMMON_AUTH_JWT_H_
