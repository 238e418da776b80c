#include "common/auth/integrity.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rapport::auth {
namespace {

constexpr size_t kMacSize = 32;
constexpr char kSealVersion = 1;

std::string Hmac(const std::string& key, absl::string_view bytes) {
  std::string mac(kMacSize, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(mac.data()), &size) == nullptr ||
      size != kMacSize) {
    std::abort();
  }
  return mac;
}

// Lengths go first, so that no two lists of parts give the same bytes.
void AppendPart(std::string& out, absl::string_view part) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((uint64_t{part.size()} >> shift) & 0xFF));
  }
  out.append(part.data(), part.size());
}

std::string MacInput(absl::string_view purpose, absl::string_view bytes) {
  std::string input;
  input.reserve(16 + purpose.size() + bytes.size());
  AppendPart(input, purpose);
  AppendPart(input, bytes);
  return input;
}

std::string SealInput(absl::string_view additional, absl::string_view payload) {
  std::string input(1, kSealVersion);
  AppendPart(input, additional);
  AppendPart(input, payload);
  return input;
}

constexpr absl::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<int8_t, 256> MakeValues() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int i = 0; i < 64; ++i) {
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr std::array<int8_t, 256> kValues = MakeValues();

}  // namespace

std::string Sha256(absl::string_view bytes) {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  // Making one costs as much as hashing a token.
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                                EVP_MD_CTX_free);
  std::string digest(32, '\0');
  if (EVP_DigestInit_ex2(context.get(), md, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr) !=
          1) {
    std::abort();
  }
  return digest;
}

std::string Base64UrlEncode(absl::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out.push_back(kDigits[(bits >> count) & 63]);
    }
  }
  if (count > 0) out.push_back(kDigits[(bits << (6 - count)) & 63]);
  return out;
}

std::optional<std::string> Base64UrlDecode(absl::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const int value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xFF));
    }
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

absl::StatusOr<std::unique_ptr<IntegrityKey>> IntegrityKey::FromFile(absl::string_view path) {
  std::ifstream file{std::string(path)};
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(absl::StrCat("can't read the integrity key '", path, "'"));
  }
  auto key = Parse(text.str());
  if (!key.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", key.status().message()));
  }
  return key;
}

absl::StatusOr<std::unique_ptr<IntegrityKey>> IntegrityKey::Parse(absl::string_view text) {
  std::vector<std::string> keys;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    bool hex = line.size() == 64;
    for (char c : line) hex = hex && absl::ascii_isxdigit(static_cast<unsigned char>(c));
    if (!hex) return absl::InvalidArgumentError("an integrity key is a line of 64 hex digits");
    keys.push_back(absl::HexStringToBytes(line));
  }
  if (keys.empty() || keys.size() > 2) {
    return absl::InvalidArgumentError("an integrity key file has one or two lines");
  }
  return std::unique_ptr<IntegrityKey>(new IntegrityKey(std::move(keys)));
}

std::string IntegrityKey::Mac(absl::string_view purpose, absl::string_view bytes) const {
  return Hmac(keys_.front(), MacInput(purpose, bytes));
}

bool IntegrityKey::Verify(absl::string_view purpose, absl::string_view bytes,
                          absl::string_view mac) const {
  if (mac.size() != kMacSize) return false;
  const std::string input = MacInput(purpose, bytes);
  bool good = false;
  for (const std::string& key : keys_) {
    good |= CRYPTO_memcmp(Hmac(key, input).data(), mac.data(), kMacSize) == 0;
  }
  return good;
}

std::string IntegrityKey::Seal(absl::string_view purpose, absl::string_view additional,
                               absl::string_view payload) const {
  return Base64UrlEncode(absl::StrCat(absl::string_view(&kSealVersion, 1), payload,
                                      Mac(purpose, SealInput(additional, payload))));
}

std::optional<std::string> IntegrityKey::Open(absl::string_view purpose,
                                              absl::string_view additional,
                                              absl::string_view token) const {
  const std::optional<std::string> bytes = Base64UrlDecode(token);
  if (!bytes || bytes->size() < 1 + kMacSize || bytes->front() != kSealVersion) return std::nullopt;
  const absl::string_view sealed(*bytes);
  const absl::string_view payload = sealed.substr(1, sealed.size() - 1 - kMacSize);
  const absl::string_view mac = sealed.substr(sealed.size() - kMacSize);
  if (!Verify(purpose, SealInput(additional, payload), mac)) return std::nullopt;
  return std::string(payload);
}

}  // namespace rapport::auth
