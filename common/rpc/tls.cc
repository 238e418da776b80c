#include "common/rpc/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/errors/status_macros.h"
#include "common/telemetry/log.h"

namespace rapport::rpc {
namespace {

using telemetry::Log;
using telemetry::Severity;

constexpr char kUsers[] = "users";

struct Freed {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, Freed>;

absl::Status Unusable(const NamedFile& file, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("--", file.flag, " ", file.path, " ", why));
}

absl::StatusOr<std::string> Read(const NamedFile& file) {
  std::ifstream in(file.path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return Unusable(file, absl::StrCat("can not be read: ", std::strerror(errno)));
  return text;
}

std::unique_ptr<BIO, Freed> Memory(const std::string& text) {
  return std::unique_ptr<BIO, Freed>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<Certificate> FirstCertificate(const NamedFile& file, const std::string& text) {
  const auto memory = Memory(text);
  Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) return Unusable(file, "holds no certificate in PEM");
  return certificate;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm civil{};
  if (ASN1_TIME_to_tm(time, &civil) != 1) return absl::InfinitePast();
  return absl::FromTM(civil, absl::UTCTimeZone());
}

bool IsSpiffeId(absl::string_view id) {
  if (!absl::ConsumePrefix(&id, "spiffe://") || id.size() > 2000) return false;
  const size_t slash = id.find('/');
  return slash != absl::string_view::npos && slash > 0 && slash + 1 < id.size() &&
         id.find_first_of("?#@ ") == absl::string_view::npos;
}

}  // namespace

absl::StatusOr<std::shared_ptr<CertificateStore>> CertificateStore::Open(CertificateFiles files,
                                                                         absl::Duration period) {
  if (files.cert.path.empty() != files.key.path.empty()) {
    const NamedFile& given = files.cert.path.empty() ? files.key : files.cert;
    const NamedFile& missing = files.cert.path.empty() ? files.cert : files.key;
    return absl::InvalidArgumentError(
        absl::StrCat("--", given.flag, " needs --", missing.flag, " beside it"));
  }
  std::shared_ptr<CertificateStore> store(new CertificateStore(std::move(files)));
  store->loaded_ = store->told_ = store->Look();
  ASSIGN_OR_RETURN(Certificates first, store->Load());
  {
    MutexLock lock(store->mutex_);
    store->current_ = std::make_shared<const Certificates>(std::move(first));
  }
  store->ticker_ = std::make_unique<PeriodicThread>("certificates", period,
                                                    [raw = store.get()] { raw->Refresh(); });
  return store;
}

std::shared_ptr<const Certificates> CertificateStore::Current() const {
  MutexLock lock(mutex_);
  return current_;
}

CertificateStore::State CertificateStore::Look() const {
  State state;
  for (const NamedFile* file : {&files_.cert, &files_.key, &files_.roots}) {
    struct stat found {};
    if (!file->path.empty() && stat(file->path.c_str(), &found) == 0) {
      state.push_back({static_cast<int64_t>(found.st_ino),
                       found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec,
                       static_cast<int64_t>(found.st_size)});
    } else {
      state.push_back({});
    }
  }
  return state;
}

absl::StatusOr<Certificates> CertificateStore::Load() const {
  Certificates loaded;
  if (!files_.cert.path.empty()) {
    ASSIGN_OR_RETURN(loaded.chain, Read(files_.cert));
    ASSIGN_OR_RETURN(loaded.key, Read(files_.key));
    ASSIGN_OR_RETURN(const Certificate leaf, FirstCertificate(files_.cert, loaded.chain));
    const auto memory = Memory(loaded.key);
    const std::unique_ptr<EVP_PKEY, Freed> key(
        PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
    if (key == nullptr) return Unusable(files_.key, "holds no private key in PEM");
    const bool fits = X509_check_private_key(leaf.get(), key.get()) == 1;
    ERR_clear_error();
    if (!fits) {
      return Unusable(files_.key, absl::StrCat("is not the key of the certificate in --",
                                               files_.cert.flag, " ", files_.cert.path));
    }
    loaded.not_after = TimeOf(X509_get0_notAfter(leaf.get()));
    const absl::Time not_before = TimeOf(X509_get0_notBefore(leaf.get()));
    if (loaded.not_after <= absl::Now()) {
      return Unusable(
          files_.cert,
          absl::StrCat("expired at ", absl::FormatTime(loaded.not_after, absl::UTCTimeZone())));
    }
    if (not_before > absl::Now()) {
      return Unusable(files_.cert, absl::StrCat("is not valid before ",
                                                absl::FormatTime(not_before, absl::UTCTimeZone())));
    }
  }
  if (!files_.roots.path.empty()) {
    ASSIGN_OR_RETURN(loaded.roots, Read(files_.roots));
    RETURN_IF_ERROR(FirstCertificate(files_.roots, loaded.roots).status());
  }
  return loaded;
}

void CertificateStore::Refresh() {
  const State state = Look();
  const std::shared_ptr<const Certificates> current = Current();
  if (state == loaded_) {
    if (!told_expired_ && current->not_after <= absl::Now()) {
      told_expired_ = true;
      Log(Severity::kError, "the TLS certificate has expired and was not replaced",
          {{"file", files_.cert.path}});
    }
    return;
  }
  absl::StatusOr<Certificates> next = Load();
  // Replaced while it was read: the next look tells.
  if (Look() != state) return;
  if (!next.ok()) {
    if (state != told_) {
      Log(Severity::kError, "new TLS files can not be used; the old ones stay in use",
          {{"reason", std::string(next.status().message())}});
    }
    told_ = state;
    return;
  }
  next->generation = current->generation + 1;
  Log(Severity::kInfo, "new TLS files are in use",
      {{"file", files_.cert.path.empty() ? files_.roots.path : files_.cert.path},
       {"not_after", absl::FormatTime(next->not_after, absl::UTCTimeZone())}});
  loaded_ = told_ = state;
  told_expired_ = false;
  MutexLock lock(mutex_);
  current_ = std::make_shared<const Certificates>(*std::move(next));
}

absl::StatusOr<AllowedClients> AllowedClients::Parse(const std::vector<std::string>& entries) {
  AllowedClients clients;
  for (const std::string& entry : entries) {
    absl::string_view id = entry;
    std::string name;
    const size_t equals = id.find('=');
    if (equals != absl::string_view::npos && equals < id.find(':')) {
      name = std::string(id.substr(0, equals));
      id.remove_prefix(equals + 1);
    }
    if (!IsSpiffeId(id) || (name.empty() && id.size() != entry.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("--tls_allowed_clients: '", entry,
                       "' is not a SPIFFE id, as spiffe://example.org/rapport/notes or "
                       "notes=spiffe://example.org/rapport/notes"));
    }
    if (!name.empty() && name != kUsers && name != "scheduling" && name != "assessment" &&
        name != "notes") {
      return absl::InvalidArgumentError(absl::StrCat(
          "--tls_allowed_clients: '", name, "' is not scheduling, assessment, notes or users"));
    }
    (name.empty() ? clients.any_ : clients.by_name_[name]).insert(std::string(id));
  }
  return clients;
}

bool AllowedClients::MaySpeakFor(absl::string_view service, absl::string_view identity) const {
  const std::string id(identity);
  if (any_.contains(id)) return true;
  const auto own = by_name_.find(std::string(service));
  return own != by_name_.end() && own->second.contains(id);
}

bool AllowedClients::MaySpeakForUsers(absl::string_view identity) const {
  return !by_name_.contains(kUsers) || MaySpeakFor(kUsers, identity);
}

std::string ExplainHandshake(absl::string_view message) {
  if (!absl::StrContains(message, "Handshake failed") &&
      !absl::StrContains(message, "handshake failed")) {
    return "";
  }
  struct Meaning {
    absl::string_view words;
    absl::string_view means;
  };
  static constexpr Meaning kMeanings[] = {
      {"certificate verify failed",
       "the other side's certificate has expired, or is from no authority in the CA file"},
      {"peer did not return a certificate",
       "the other side gave no certificate, which --tls_client_auth=require wants"},
      {"wrong version number", "the other side does not speak TLS here"},
      {"http request", "the other side does not speak TLS here"},
      {"alert unknown ca", "the other side does not know the authority of our certificate"},
      {"alert certificate expired", "the other side says that our certificate has expired"},
      {"alert bad certificate", "the other side refused our certificate"},
      {"alert certificate unknown", "the other side refused our certificate"},
      {"alert certificate required", "the other side wants a certificate, and we have none"},
  };
  for (const Meaning& meaning : kMeanings) {
    if (absl::StrContains(message, meaning.words)) return std::string(meaning.means);
  }
  return "the two sides could not agree";
}

}  // namespace rapport::rpc
