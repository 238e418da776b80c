#include "tests/support/certificates/authority.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace rapport::testing {
namespace {

void Must(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "authority: %s\n", what);
  std::abort();
}

template <class Write>
std::string Pem(const Write& write) {
  BIO* memory = BIO_new(BIO_s_mem());
  Must(write(memory) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string pem(data, size);
  BIO_free(memory);
  return pem;
}

void Extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value);
  X509_EXTENSION_free(extension);
}

X509* Begin(EVP_PKEY* key, const char* common_name, absl::Duration from, absl::Duration until) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial));
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial / 2 + 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), absl::ToInt64Seconds(from));
  X509_gmtime_adj(X509_getm_notAfter(certificate), absl::ToInt64Seconds(until));
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  return certificate;
}

}  // namespace

Authority::Authority() : key_(EVP_EC_gen("P-256")) {
  uint32_t number = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof(number));
  const std::string name = "Test authority " + std::to_string(number);
  certificate_ = Begin(key_, name.c_str(), -absl::Hours(2), absl::Hours(2));
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  Extend(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  Extend(certificate_, certificate_, NID_key_usage, "critical,keyCertSign");
  Extend(certificate_, certificate_, NID_subject_key_identifier, "hash");
  Must(X509_sign(certificate_, key_, EVP_sha256()) > 0, "sign");
  cert_ = Pem([this](BIO* memory) { return PEM_write_bio_X509(memory, certificate_); });
}

Authority::~Authority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

IssuedCertificate Authority::Issue(const CertificateWish& wish) const {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = Begin(key, "test", wish.from, wish.until);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  Extend(certificate, certificate_, NID_authority_key_identifier, "keyid");
  Extend(certificate, certificate_, NID_ext_key_usage, "serverAuth,clientAuth");
  if (!wish.names.empty()) {
    Extend(certificate, certificate_, NID_subject_alt_name, wish.names.c_str());
  }
  Must(X509_sign(certificate, key_, EVP_sha256()) > 0, "sign");
  IssuedCertificate issued = {
      .cert = Pem([&](BIO* memory) { return PEM_write_bio_X509(memory, certificate); }),
      .key = Pem([&](BIO* memory) {
        return PEM_write_bio_PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
      })};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return issued;
}

void Replace(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  std::ofstream(beside) << text;
  Must(std::rename(beside.c_str(), path.c_str()) == 0, path.c_str());
}

}  // namespace rapport::testing
