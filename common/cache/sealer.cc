#include "common/cache/sealer.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rapport::cache {
namespace {

constexpr absl::string_view kMagic = "R1";
constexpr size_t kHeader = Sealer::kOrder + 16;
constexpr size_t kIv = 16;
constexpr size_t kMac = 32;
constexpr char kMacPurpose[] = "cache_value";

std::string Crypt(const std::string& key, absl::string_view iv, absl::string_view bytes) {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
  thread_local const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  std::string out(bytes.size(), '\0');
  int size = 0;
  if (EVP_EncryptInit_ex2(context.get(), cipher, reinterpret_cast<const unsigned char*>(key.data()),
                          reinterpret_cast<const unsigned char*>(iv.data()), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, in,
                        static_cast<int>(bytes.size())) != 1 ||
      size != static_cast<int>(bytes.size())) {
    std::abort();
  }
  return out;
}

// No key holds a line break.
std::string MacInput(absl::string_view key, absl::string_view sealed) {
  return absl::StrCat(key, "\n", sealed);
}

std::optional<int64_t> Digits(absl::string_view digits) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(digits, &number) || number < 0) return std::nullopt;
  return number;
}

}  // namespace

Sealer::Sealer(std::shared_ptr<const auth::IntegrityKey> integrity, absl::string_view service)
    : integrity_(std::move(integrity)),
      service_(service),
      cipher_key_(integrity_->Mac("cache_cipher_key", service)) {}

std::string Sealer::Key(absl::string_view kind, absl::string_view epoch,
                        absl::string_view organization_id, absl::string_view name) const {
  const std::string hash = integrity_->Mac("cache_key", name).substr(0, 16);
  return absl::StrCat("rapport:1:", service_, ":", kind, ":", epoch, ":", organization_id, ":",
                      auth::Base64UrlEncode(hash));
}

std::string Sealer::Seal(absl::string_view key, const Stamp& stamp, absl::string_view bytes) const {
  std::string sealed =
      absl::StrCat(kMagic, absl::StrFormat("%019d%019d%016d", stamp.version, stamp.position,
                                           absl::ToUnixMicros(stamp.fill_time)));
  std::string iv(kIv, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(iv.data()), kIv) != 1) std::abort();
  absl::StrAppend(&sealed, iv, Crypt(cipher_key_, iv, bytes));
  sealed += integrity_->Mac(kMacPurpose, MacInput(key, sealed));
  return sealed;
}

std::optional<Opened> Sealer::Open(absl::string_view key, absl::string_view sealed) const {
  if (sealed.size() < kHeader + kIv + kMac) return std::nullopt;
  const absl::string_view said = sealed.substr(0, sealed.size() - kMac);
  if (!integrity_->Verify(kMacPurpose, MacInput(key, said), sealed.substr(said.size()))) {
    return std::nullopt;
  }
  const auto version = Digits(said.substr(2, 19));
  const auto position = Digits(said.substr(21, 19));
  const auto filled = Digits(said.substr(40, 16));
  if (said.substr(0, 2) != kMagic || !version || !position || !filled) return std::nullopt;
  return Opened{{*version, *position, absl::FromUnixMicros(*filled)},
                Crypt(cipher_key_, said.substr(kHeader, kIv), said.substr(kHeader + kIv))};
}

}  // namespace rapport::cache
