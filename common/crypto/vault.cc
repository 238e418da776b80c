#include "common/crypto/vault.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "common/errors/status_macros.h"

namespace rapport::crypto {
namespace {

constexpr size_t kKeySize = 32;
constexpr size_t kSaltSize = 32;
constexpr size_t kCommitmentSize = 32;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr char kSealVersion = 1;
constexpr size_t kSealHeader = 1 + kSaltSize + kCommitmentSize;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Out of randomness or memory, or the library lacks a standard algorithm: no state to go on in.
void Must(bool holds) {
  if (!holds) std::abort();
}

std::string Random(size_t size) {
  std::string bytes(size, '\0');
  Must(RAND_bytes(Bytes(bytes), static_cast<int>(size)) == 1);
  return bytes;
}

std::string Hkdf(absl::string_view key, absl::string_view salt, absl::string_view info,
                 size_t size) {
  std::string out(size, '\0');
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
  Must(
      context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1 &&
      EVP_PKEY_CTX_set1_hkdf_salt(context.get(), Bytes(salt), static_cast<int>(salt.size())) == 1 &&
      EVP_PKEY_CTX_set1_hkdf_key(context.get(), Bytes(key), static_cast<int>(key.size())) == 1 &&
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), Bytes(info), static_cast<int>(info.size())) == 1 &&
      EVP_PKEY_derive(context.get(), Bytes(out), &size) == 1 && size == out.size());
  return out;
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// AES-256-GCM: ciphertext and tag.
std::string Encrypt(absl::string_view key, absl::string_view nonce, absl::string_view additional,
                    absl::string_view plain) {
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string out(plain.size() + kTagSize, '\0');
  int size = 0;
  Must(cipher != nullptr &&
       EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(nonce)) == 1);
  Must(EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(additional),
                         static_cast<int>(additional.size())) == 1);
  Must(EVP_EncryptUpdate(cipher.get(), Bytes(out), &size, Bytes(plain),
                         static_cast<int>(plain.size())) == 1);
  Must(EVP_EncryptFinal_ex(cipher.get(), Bytes(out) + size, &size) == 1);
  Must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                           Bytes(out) + plain.size()) == 1);
  return out;
}

bool Decrypt(absl::string_view key, absl::string_view nonce, absl::string_view additional,
             absl::string_view sealed, std::string& plain) {
  if (sealed.size() < kTagSize) return false;
  const absl::string_view text = sealed.substr(0, sealed.size() - kTagSize);
  std::string tag(sealed.substr(text.size()));
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  plain.assign(text.size(), '\0');
  int size = 0;
  Must(cipher != nullptr &&
       EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Bytes(key), Bytes(nonce)) == 1);
  Must(EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(additional),
                         static_cast<int>(additional.size())) == 1);
  Must(EVP_DecryptUpdate(cipher.get(), Bytes(plain), &size, Bytes(text),
                         static_cast<int>(text.size())) == 1);
  Must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, Bytes(tag)) == 1);
  return EVP_DecryptFinal_ex(cipher.get(), Bytes(plain) + size, &size) == 1;
}

// Lengths go first, so that no two lists of parts give the same bytes.
std::string Join(std::initializer_list<absl::string_view> parts) {
  std::string joined;
  for (const absl::string_view part : parts) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      joined.push_back(static_cast<char>((uint64_t{part.size()} >> shift) & 0xFF));
    }
    joined.append(part.data(), part.size());
  }
  return joined;
}

std::string Additional(const Place& place) {
  return Join({"rapport sealed text", place.organization_id, place.subject, place.resource,
               absl::StrCat(place.version), place.field});
}

// The key of one message and the commitment to it.
struct MessageKey {
  std::string key;
  std::string commitment;
};

MessageKey Derive(absl::string_view data_key, absl::string_view salt) {
  const std::string both = Hkdf(data_key, salt, "rapport message key", kKeySize + kCommitmentSize);
  return {both.substr(0, kKeySize), both.substr(kKeySize)};
}

std::string WrapContext(absl::string_view organization_id, absl::string_view subject,
                        absl::string_view wrapping_key) {
  return Join({"rapport data key", organization_id, subject, wrapping_key});
}

// A message key is used once.
const std::string& ZeroNonce() {
  static const std::string* const nonce = new std::string(kNonceSize, '\0');
  return *nonce;
}

absl::Status Erased() {
  return errors::FailedPrecondition("ERASED", "What was kept of this person has been erased.");
}

const sql::Statement kGet{"crypto.data_key.get", R"sql(
  SELECT wrapping_key, wrapped FROM data_key WHERE organization_id = $1 AND subject = $2)sql"};

const sql::Statement kInsert{"crypto.data_key.insert", R"sql(
  INSERT INTO data_key (organization_id, subject, wrapping_key, wrapped, create_time)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (organization_id, subject) DO NOTHING)sql"};

const sql::Statement kShred{"crypto.data_key.shred", R"sql(
  INSERT INTO data_key (organization_id, subject, wrapping_key, wrapped, create_time, shred_time)
  VALUES ($1, $2, '', NULL, $3, $3)
  ON CONFLICT (organization_id, subject) DO UPDATE
  SET wrapping_key = '', wrapped = NULL, shred_time = excluded.shred_time
  WHERE data_key.shred_time IS NULL)sql"};

const sql::Statement kCountToRewrap{"crypto.data_key.count_to_rewrap", R"sql(
  SELECT count(*) FROM data_key
  WHERE organization_id = $1 AND wrapping_key <> $2 AND wrapped IS NOT NULL)sql"};

const sql::Statement kToRewrap{"crypto.data_key.to_rewrap", R"sql(
  SELECT subject, wrapping_key, wrapped FROM data_key
  WHERE organization_id = $1 AND wrapping_key <> $2 AND wrapped IS NOT NULL
  ORDER BY subject LIMIT $3)sql"};

// A key that was shredded or wrapped anew meanwhile stays as it is.
const sql::Statement kRewrap{"crypto.data_key.rewrap", R"sql(
  UPDATE data_key SET wrapping_key = $4, wrapped = $5
  WHERE organization_id = $1 AND subject = $2 AND wrapped = $3)sql"};

absl::Status UnknownKey(absl::string_view id) {
  return errors::Internal(
      absl::StrCat("The key-encryption key ", id, " is not in the directory of keys."));
}

}  // namespace

absl::StatusOr<KeyRing> KeyRing::FromDirectory(absl::string_view path) {
  const std::string directory(path);
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(directory, ": no such directory of keys"));
  }
  std::map<std::string, std::string> keys;
  for (const std::filesystem::directory_entry& entry : entries) {
    if (entry.path().extension() != ".key") continue;
    const std::string file = entry.path().string();
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const absl::string_view hex = absl::StripAsciiWhitespace(text);
    const bool sound = hex.size() == 2 * kKeySize &&
                       hex.find_first_not_of("0123456789abcdefABCDEF") == absl::string_view::npos;
    if (!sound) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": must hold 64 hex digits"));
    }
    keys[entry.path().stem().string()] = absl::HexStringToBytes(hex);
  }
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(directory, ": holds no key: a file <id>.key with 64 hex digits"));
  }
  return Make(std::move(keys));
}

absl::StatusOr<KeyRing> KeyRing::Make(std::map<std::string, std::string> keys) {
  if (keys.empty()) return absl::InvalidArgumentError("a key ring needs a key");
  for (const auto& [id, key] : keys) {
    if (id.empty() || key.size() != kKeySize) {
      return absl::InvalidArgumentError("keys have an id and 32 bytes");
    }
  }
  return KeyRing(std::move(keys));
}

const std::string* KeyRing::Find(absl::string_view id) const {
  const auto found = keys_.find(std::string(id));
  return found == keys_.end() ? nullptr : &found->second;
}

absl::StatusOr<std::string> KeyRing::Wrap(absl::string_view id, absl::string_view context,
                                          absl::string_view data_key) const {
  const std::string* const key = Find(id);
  if (key == nullptr) return UnknownKey(id);
  const std::string nonce = Random(kNonceSize);
  return nonce + Encrypt(*key, nonce, context, data_key);
}

absl::StatusOr<std::string> KeyRing::Unwrap(absl::string_view id, absl::string_view context,
                                            absl::string_view wrapped) const {
  const std::string* const key = Find(id);
  if (key == nullptr) return UnknownKey(id);
  std::string data_key;
  if (wrapped.size() > kNonceSize &&
      Decrypt(*key, wrapped.substr(0, kNonceSize), context, wrapped.substr(kNonceSize), data_key)) {
    return data_key;
  }
  return errors::Internal("A data key does not unwrap: it is not what was stored.");
}

absl::StatusOr<std::shared_ptr<const KeyDirectory>> KeyDirectory::Open(absl::string_view path) {
  ASSIGN_OR_RETURN(KeyRing ring, KeyRing::FromDirectory(path));
  return std::shared_ptr<const KeyDirectory>(new KeyDirectory(path, std::move(ring)));
}

KeyDirectory::KeyDirectory(absl::string_view path, KeyRing ring)
    : path_(path),
      active_id_(ring.active_id()),
      ring_(std::make_shared<const KeyRing>(std::move(ring))) {}

std::shared_ptr<const KeyRing> KeyDirectory::RingWith(absl::string_view id) const {
  MutexLock lock(mutex_);
  if (ring_->Find(id) == nullptr) {
    absl::StatusOr<KeyRing> ring = KeyRing::FromDirectory(path_);
    if (ring.ok()) ring_ = std::make_shared<const KeyRing>(*std::move(ring));
  }
  return ring_;
}

absl::StatusOr<std::string> KeyDirectory::Wrap(absl::string_view id, absl::string_view context,
                                               absl::string_view data_key) const {
  return RingWith(id)->Wrap(id, context, data_key);
}

absl::StatusOr<std::string> KeyDirectory::Unwrap(absl::string_view id, absl::string_view context,
                                                 absl::string_view wrapped) const {
  return RingWith(id)->Unwrap(id, context, wrapped);
}

absl::StatusOr<std::string> Vault::DataKey(sql::Session& session, absl::string_view organization_id,
                                           absl::string_view subject) const {
  ASSIGN_OR_RETURN(const sql::Result rows,
                   session.Query(kGet, {sql::Text(organization_id), sql::Text(subject)}));
  if (rows.empty()) return std::string();
  if (rows.IsNull(0, 1)) return Erased();
  const std::string& wrapping_key = rows.Text(0, 0);
  ASSIGN_OR_RETURN(const std::string data_key,
                   keys_->Unwrap(wrapping_key, WrapContext(organization_id, subject, wrapping_key),
                                 rows.Bytes(0, 1)));
  if (data_key.size() != kKeySize) {
    return errors::Internal("A data key does not unwrap: it is not what was stored.");
  }
  return data_key;  // const, so that it is copied: GCC 12 takes a move of known size for an overrun
}

absl::StatusOr<std::string> Vault::Seal(sql::Transaction& tx, const Place& place,
                                        absl::string_view plain, absl::Time now) const {
  ASSIGN_OR_RETURN(std::string data_key, DataKey(tx, place.organization_id, place.subject));
  if (data_key.empty()) {
    const std::string wrapping_key = keys_->active_id();
    ASSIGN_OR_RETURN(
        const std::string wrapped,
        keys_->Wrap(wrapping_key, WrapContext(place.organization_id, place.subject, wrapping_key),
                    Random(kKeySize)));
    tx.Defer(kInsert, {sql::Text(place.organization_id), sql::Text(place.subject),
                       sql::Text(wrapping_key), sql::Bytes(wrapped), sql::Micros(now)});
    // Another transaction's key, if that was first.
    ASSIGN_OR_RETURN(data_key, DataKey(tx, place.organization_id, place.subject));
    if (data_key.empty()) return errors::Internal("A data key was stored and is not there.");
  }
  const std::string salt = Random(kSaltSize);
  const MessageKey message = Derive(data_key, salt);
  std::string sealed(1, kSealVersion);
  sealed += salt;
  sealed += message.commitment;
  sealed += Encrypt(message.key, ZeroNonce(), Additional(place), plain);
  return sealed;
}

absl::StatusOr<std::string> Vault::Open(sql::Session& session, const Place& place,
                                        absl::string_view sealed) const {
  return Opener(*this, session).Open(place, sealed);
}

absl::StatusOr<std::string> Opener::Open(const Place& place, absl::string_view sealed) {
  const auto subject = std::pair(place.organization_id, place.subject);
  auto found = keys_.find(subject);
  if (found == keys_.end()) {
    found = keys_.emplace(subject, vault_.DataKey(session_, place.organization_id, place.subject))
                .first;
  }
  ASSIGN_OR_RETURN(const std::string data_key, found->second);
  const absl::Status changed = errors::Internal("A sealed text does not open at its place.");
  if (data_key.empty() || sealed.size() < kSealHeader + kTagSize || sealed[0] != kSealVersion) {
    return changed;
  }
  const MessageKey message = Derive(data_key, sealed.substr(1, kSaltSize));
  const absl::string_view commitment = sealed.substr(1 + kSaltSize, kCommitmentSize);
  std::string plain;
  if (CRYPTO_memcmp(commitment.data(), message.commitment.data(), kCommitmentSize) != 0 ||
      !Decrypt(message.key, ZeroNonce(), Additional(place), sealed.substr(kSealHeader), plain)) {
    return changed;
  }
  return plain;
}

void Vault::Shred(sql::Transaction& tx, absl::string_view organization_id,
                  absl::string_view subject, absl::Time now) const {
  tx.Defer(kShred, {sql::Text(organization_id), sql::Text(subject), sql::Micros(now)});
}

absl::StatusOr<int64_t> Vault::CountToRewrap(sql::Session& session,
                                             absl::string_view organization_id) const {
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kCountToRewrap, {sql::Text(organization_id), sql::Text(keys_->active_id())}));
  return rows.Int(0, 0);
}

absl::StatusOr<std::map<std::string, KeyTrial>> Vault::TryKeys(sql::Session& session,
                                                               absl::string_view organization_id,
                                                               int limit) const {
  // No key has the id '': these are all that are not shredded.
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      session.Query(kToRewrap, {sql::Text(organization_id), sql::Text(""), sql::Int(limit)}));
  std::map<std::string, KeyTrial> trials;
  for (size_t row = 0; row < rows.rows(); ++row) {
    const std::string& id = rows.Text(row, 1);
    const absl::StatusOr<std::string> data_key =
        keys_->Unwrap(id, WrapContext(organization_id, rows.Text(row, 0), id), rows.Bytes(row, 2));
    if (absl::IsUnavailable(data_key.status())) return data_key.status();
    KeyTrial& trial = trials[id];
    ++trial.tried;
    trial.opened += data_key.ok() ? 1 : 0;
    if (!data_key.ok()) {
      trial.fault = absl::StrCat("key ", id, ": ", data_key.status().message());
    }
  }
  return trials;
}

absl::StatusOr<int> Vault::Rewrap(sql::Transaction& tx, absl::string_view organization_id,
                                  int limit) const {
  const std::string active = keys_->active_id();
  ASSIGN_OR_RETURN(
      const sql::Result rows,
      tx.Query(kToRewrap, {sql::Text(organization_id), sql::Text(active), sql::Int(limit)}));
  for (size_t row = 0; row < rows.rows(); ++row) {
    const std::string& subject = rows.Text(row, 0);
    const std::string& old = rows.Text(row, 1);
    ASSIGN_OR_RETURN(
        const std::string data_key,
        keys_->Unwrap(old, WrapContext(organization_id, subject, old), rows.Bytes(row, 2)));
    ASSIGN_OR_RETURN(const std::string wrapped,
                     keys_->Wrap(active, WrapContext(organization_id, subject, active), data_key));
    tx.Defer(kRewrap, {sql::Text(organization_id), sql::Text(subject),
                       sql::Bytes(rows.Bytes(row, 2)), sql::Text(active), sql::Bytes(wrapped)});
  }
  return static_cast<int>(rows.rows());
}

}  // namespace rapport::crypto
