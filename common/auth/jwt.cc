#include "common/auth/jwt.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/auth/integrity.h"
#include "common/auth/strict_json.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"

namespace rapport::auth {
namespace {

using Json = nlohmann::json;

constexpr absl::string_view kServicePrefix = "service:";
constexpr absl::string_view kServiceType = "at+jwt";
constexpr absl::string_view kOperatorRole = "platform_operator";
constexpr absl::Duration kCheckPeriod = absl::Seconds(1);
constexpr size_t kMaxTextSize = 255;
constexpr size_t kMaxRoles = 64;
constexpr size_t kMaxClinics = 32;
constexpr double kMaxNumericDate = 253402300799;  // the end of the year 9999

struct Parts {
  absl::string_view signed_bytes;  // header "." payload
  absl::string_view header;
  absl::string_view payload;
  absl::string_view signature;
};

std::optional<Parts> Split(absl::string_view token) {
  const size_t first = token.find('.');
  if (first == absl::string_view::npos) return std::nullopt;
  const size_t second = token.find('.', first + 1);
  if (second == absl::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != absl::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, second), token.substr(0, first),
               token.substr(first + 1, second - first - 1), token.substr(second + 1)};
}

std::optional<Json> DecodeObject(absl::string_view part) {
  const auto text = Base64UrlDecode(part);
  return text ? ParseStrictObject(*text) : std::nullopt;
}

// Whether `text` can be an identifier: 1 to 255 bytes, no control characters.
bool IsName(absl::string_view text) {
  if (text.empty() || text.size() > kMaxTextSize) return false;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

const Json* Find(const Json& claims, const std::string& name) {
  if (!absl::StartsWith(name, "/")) {
    auto found = claims.find(name);
    return found == claims.end() ? nullptr : &*found;
  }
  const Json::json_pointer pointer(name);
  return claims.contains(pointer) ? &claims.at(pointer) : nullptr;
}

bool IsClaimName(const std::string& name) {
  if (!absl::StartsWith(name, "/")) return !name.empty();
  try {
    Json::json_pointer pointer(name);
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::optional<std::string> NameClaim(const Json* claim) {
  if (claim == nullptr || !claim->is_string()) return std::nullopt;
  std::string text = claim->get<std::string>();
  if (!IsName(text)) return std::nullopt;
  return text;
}

std::optional<std::vector<std::string>> NameListClaim(const Json& claim, size_t limit) {
  if (!claim.is_array() || claim.size() > limit) return std::nullopt;
  std::vector<std::string> names;
  for (const Json& element : claim) {
    auto name = NameClaim(&element);
    if (!name) return std::nullopt;
    names.push_back(*std::move(name));
  }
  return names;
}

std::optional<absl::Time> TimeClaim(const Json* claim) {
  if (claim == nullptr || !claim->is_number()) return std::nullopt;
  const double seconds = claim->get<double>();
  if (!(seconds >= 0 && seconds <= kMaxNumericDate)) return std::nullopt;
  return absl::FromUnixMicros(static_cast<int64_t>(std::floor(seconds * 1e6)));
}

bool Contains(const std::vector<std::string>& allowed, absl::string_view text) {
  for (const std::string& one : allowed) {
    if (one == text) return true;
  }
  return false;
}

// Media types compare without regard to case and may leave out "application/" (RFC 7515, 4.1.9).
bool IsType(absl::string_view type, absl::string_view allowed) {
  constexpr absl::string_view kApplication = "application/";
  if (absl::StartsWithIgnoreCase(type, kApplication)) type.remove_prefix(kApplication.size());
  return absl::EqualsIgnoreCase(type, allowed);
}

bool NamesAudience(const Json* claim, const std::vector<std::string>& audiences) {
  if (claim == nullptr) return false;
  if (claim->is_string()) return Contains(audiences, claim->get<std::string>());
  if (!claim->is_array()) return false;
  bool named = false;
  for (const Json& element : *claim) {
    if (!element.is_string()) return false;
    named = named || Contains(audiences, element.get<std::string>());
  }
  return named;
}

TokenFault CheckHeader(const Json& header, const VerificationKey& key,
                       const std::vector<std::string>& types) {
  if (header.contains("crit")) return TokenFault::kMalformed;
  const Json* algorithm = Find(header, "alg");
  if (algorithm == nullptr || !algorithm->is_string() ||
      algorithm->get<std::string>() != AlgorithmName(key.algorithm)) {
    return TokenFault::kAlgorithm;
  }
  const Json* type = Find(header, "typ");
  if (type == nullptr || !type->is_string()) return TokenFault::kType;
  const std::string text = type->get<std::string>();
  if (!key.service.empty()) {
    return IsType(text, kServiceType) ? TokenFault::kNone : TokenFault::kType;
  }
  for (const std::string& allowed : types) {
    if (IsType(text, allowed)) return TokenFault::kNone;
  }
  return TokenFault::kType;
}

TokenFault CheckTimes(const Json& claims, absl::Time now, absl::Duration skew,
                      Principal& principal) {
  const auto issued = TimeClaim(Find(claims, "iat"));
  const auto expires = TimeClaim(Find(claims, "exp"));
  if (!issued || !expires) return TokenFault::kClaims;
  principal.issue_time = *issued;
  principal.expire_time = *expires;
  if (now >= *expires + skew) return TokenFault::kExpired;
  if (*issued > now + skew) return TokenFault::kNotYetValid;
  if (const Json* not_before = Find(claims, "nbf")) {
    const auto time = TimeClaim(not_before);
    if (!time) return TokenFault::kClaims;
    if (*time > now + skew) return TokenFault::kNotYetValid;
  }
  const absl::Duration life = *expires - *issued;
  if (life <= absl::ZeroDuration() || life > kMaxTokenLife) return TokenFault::kLifetime;
  return TokenFault::kNone;
}

// Who the claims speak of, beside the subject: organisation, roles, clinics, auth_time.
TokenFault ReadUser(const Json& claims, const ClaimNames& names, Principal& principal) {
  const Json* roles = Find(claims, names.roles);
  if (roles == nullptr) return TokenFault::kClaims;
  auto role_names = NameListClaim(*roles, kMaxRoles);
  if (!role_names) return TokenFault::kClaims;
  principal.roles = *std::move(role_names);

  if (const Json* organization = Find(claims, names.organization)) {
    auto name = NameClaim(organization);
    if (!name) return TokenFault::kClaims;
    principal.organization_id = *std::move(name);
  } else if (principal.roles != std::vector<std::string>{std::string(kOperatorRole)}) {
    // Without an organisation no other role has a tenant to be held to.
    return TokenFault::kClaims;
  }
  if (const Json* clinics = Find(claims, names.clinics)) {
    principal.clinics = NameListClaim(*clinics, kMaxClinics);
    if (!principal.clinics) return TokenFault::kClaims;
  }
  if (const Json* auth_time = Find(claims, names.auth_time)) {
    auto time = TimeClaim(auth_time);
    if (!time) return TokenFault::kClaims;
    principal.auth_time = *time;
  }
  return TokenFault::kNone;
}

}  // namespace

absl::string_view TokenFaultName(TokenFault fault) {
  switch (fault) {
    case TokenFault::kNone:
      return "none";
    case TokenFault::kTooLarge:
      return "too_large";
    case TokenFault::kMalformed:
      return "malformed";
    case TokenFault::kUnknownKey:
      return "unknown_key";
    case TokenFault::kAlgorithm:
      return "algorithm";
    case TokenFault::kSignature:
      return "signature";
    case TokenFault::kType:
      return "type";
    case TokenFault::kIssuer:
      return "issuer";
    case TokenFault::kAudience:
      return "audience";
    case TokenFault::kExpired:
      return "expired";
    case TokenFault::kNotYetValid:
      return "not_yet_valid";
    case TokenFault::kLifetime:
      return "lifetime";
    case TokenFault::kSubject:
      return "subject";
    case TokenFault::kClaims:
      return "claims";
    case TokenFault::kRevoked:
      return "revoked";
  }
  return "unknown";
}

TokenVerifier::TokenVerifier(TokenVerifierOptions options, std::shared_ptr<const KeySet> keys,
                             FileState state)
    : options_(std::move(options)),
      cache_(options_.cache_entries),
      file_state_(state),
      keys_(std::move(keys)) {}

absl::StatusOr<std::unique_ptr<TokenVerifier>> TokenVerifier::Make(TokenVerifierOptions options) {
  if (options.issuers.empty() || options.audiences.empty() || options.types.empty()) {
    return absl::InvalidArgumentError("tokens need an allowed issuer, audience and type");
  }
  const ClaimNames& names = options.claims;
  for (const std::string* name :
       {&names.organization, &names.roles, &names.clinics, &names.auth_time}) {
    if (!IsClaimName(*name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", *name, "' is neither a claim's name nor a JSON pointer"));
    }
  }
  const FileState state = StateOf(options.jwks_file);  // before the read: a later change shows
  ASSIGN_OR_RETURN(auto keys, KeySet::FromFile(options.jwks_file));
  return std::unique_ptr<TokenVerifier>(
      new TokenVerifier(std::move(options), std::move(keys), state));
}

absl::StatusOr<std::shared_ptr<const Principal>> TokenVerifier::Verify(absl::string_view token,
                                                                       absl::Time now,
                                                                       TokenFault* fault) {
  const auto refuse = [&](TokenFault why) {
    if (fault != nullptr) *fault = why;
    return errors::Unauthenticated();
  };
  if (fault != nullptr) *fault = TokenFault::kNone;
  if (token.size() > kMaxTokenSize) return refuse(TokenFault::kTooLarge);

  const int64_t now_micros = absl::ToUnixMicros(now);
  int64_t next_check = next_check_micros_.load(std::memory_order_relaxed);
  if (now_micros >= next_check &&
      next_check_micros_.compare_exchange_strong(
          next_check, now_micros + absl::ToInt64Microseconds(kCheckPeriod))) {
    MaybeReload();
  }

  const std::string digest = Sha256(token);
  const uint64_t generation = generation_.load(std::memory_order_acquire);
  if (auto cached = cache_.Get(digest, now); cached && cached->generation == generation) {
    if (IsRevoked(*cached->principal)) return refuse(TokenFault::kRevoked);
    return std::move(cached->principal);
  }

  auto principal = std::make_shared<Principal>();
  const TokenFault found = VerifyUncached(token, now, *keys(), *principal);
  if (found != TokenFault::kNone) return refuse(found);
  if (IsRevoked(*principal)) return refuse(TokenFault::kRevoked);
  // Under the generation read before the keys: an entry made with older keys is never taken.
  cache_.Put(digest, {principal, generation}, principal->expire_time + options_.clock_skew);
  return std::shared_ptr<const Principal>(std::move(principal));
}

TokenFault TokenVerifier::VerifyUncached(absl::string_view token, absl::Time now,
                                         const KeySet& keys, Principal& principal) const {
  const std::optional<Parts> parts = Split(token);
  if (!parts) return TokenFault::kMalformed;
  const std::optional<Json> header = DecodeObject(parts->header);
  const auto signature = Base64UrlDecode(parts->signature);
  if (!header || !signature) return TokenFault::kMalformed;

  const Json* key_id = Find(*header, "kid");
  if (key_id == nullptr || !key_id->is_string()) return TokenFault::kUnknownKey;
  const VerificationKey* key = keys.Find(key_id->get<std::string>());
  if (key == nullptr) return TokenFault::kUnknownKey;
  if (TokenFault fault = CheckHeader(*header, *key, options_.types); fault != TokenFault::kNone) {
    return fault;
  }
  if (!key->Verify(parts->signed_bytes, *signature)) return TokenFault::kSignature;

  const std::optional<Json> claims = DecodeObject(parts->payload);
  if (!claims) return TokenFault::kMalformed;
  if (TokenFault fault = CheckTimes(*claims, now, options_.clock_skew, principal);
      fault != TokenFault::kNone) {
    return fault;
  }
  auto subject = NameClaim(Find(*claims, "sub"));
  auto token_id = NameClaim(Find(*claims, "jti"));
  const auto issuer = NameClaim(Find(*claims, "iss"));
  if (!subject || !token_id || !issuer) return TokenFault::kClaims;
  principal.subject = *std::move(subject);
  principal.token_id = *std::move(token_id);
  if (!NamesAudience(Find(*claims, "aud"), options_.audiences)) return TokenFault::kAudience;

  if (!key->service.empty()) {
    principal.kind = Principal::Kind::kService;
    if (principal.subject != absl::StrCat(kServicePrefix, key->service)) {
      return TokenFault::kSubject;
    }
    return *issuer == principal.subject ? TokenFault::kNone : TokenFault::kIssuer;
  }
  if (absl::StartsWith(principal.subject, kServicePrefix)) return TokenFault::kSubject;
  if (!Contains(options_.issuers, *issuer)) return TokenFault::kIssuer;
  return ReadUser(*claims, options_.claims, principal);
}

bool TokenVerifier::StillHolds(const Principal& principal, absl::Time now) {
  return now < principal.expire_time + options_.clock_skew && !IsRevoked(principal);
}

TokenVerifier::FileState TokenVerifier::StateOf(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) return {};
  return {static_cast<int64_t>(file.st_ino),
          int64_t{file.st_mtim.tv_sec} * 1000000000 + file.st_mtim.tv_nsec,
          static_cast<int64_t>(file.st_size)};
}

void TokenVerifier::MaybeReload() {
  MutexLock reload_lock(reload_mutex_);  // held throughout: an older read never wins
  const FileState state = StateOf(options_.jwks_file);
  if (state == file_state_) return;
  file_state_ = state;
  auto keys = KeySet::FromFile(options_.jwks_file);
  if (!keys.ok()) {
    telemetry::Log(telemetry::Severity::kError, "the key set can't be read; the old keys stand",
                   {{"cause", std::string(keys.status().message())}});
    return;
  }
  const size_t count = (*keys)->size();
  {
    MutexLock lock(keys_mutex_);
    keys_ = *std::move(keys);
    generation_.fetch_add(1, std::memory_order_release);
  }
  cache_.Clear();
  telemetry::Log(telemetry::Severity::kInfo, "read a new key set", {{"keys", absl::StrCat(count)}});
}

void TokenVerifier::RevokeSubject(absl::string_view organization_id, absl::string_view subject,
                                  absl::Time not_before) {
  MutexLock lock(revoked_mutex_);
  ForgetRevocations();
  absl::Time& bound =
      revoked_subjects_
          .try_emplace({std::string(organization_id), std::string(subject)}, absl::InfinitePast())
          .first->second;
  bound = std::max(bound, not_before);
  any_revoked_.store(true, std::memory_order_release);
}

void TokenVerifier::RevokeToken(absl::string_view organization_id, absl::string_view token_id,
                                absl::Time until) {
  MutexLock lock(revoked_mutex_);
  ForgetRevocations();
  absl::Time& bound =
      revoked_tokens_
          .try_emplace({std::string(organization_id), std::string(token_id)}, absl::InfinitePast())
          .first->second;
  bound = std::max(bound, until);
  any_revoked_.store(true, std::memory_order_release);
}

bool TokenVerifier::IsRevoked(const Principal& principal) {
  if (!any_revoked_.load(std::memory_order_acquire)) return false;
  MutexLock lock(revoked_mutex_);
  if (revoked_tokens_.contains(std::make_pair(principal.organization_id, principal.token_id))) {
    return true;
  }
  auto found = revoked_subjects_.find(std::make_pair(principal.organization_id, principal.subject));
  return found != revoked_subjects_.end() && principal.issue_time < found->second;
}

// A token issued before a bound has expired once the longest life has passed since.
void TokenVerifier::ForgetRevocations() {
  const absl::Time now = absl::FromUnixMicros(next_check_micros_.load(std::memory_order_relaxed));
  const absl::Duration slack = 2 * options_.clock_skew + absl::Minutes(1);
  absl::erase_if(revoked_subjects_,
                 [&](const auto& entry) { return entry.second + kMaxTokenLife + slack < now; });
  absl::erase_if(revoked_tokens_, [&](const auto& entry) { return entry.second + slack < now; });
}

std::shared_ptr<const KeySet> TokenVerifier::keys() const {
  MutexLock lock(keys_mutex_);
  return keys_;
}

}  // namespace rapport::auth
