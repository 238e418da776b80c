#ifndef RAPPORT_TESTS_SUPPORT_CERTIFICATES_AUTHORITY_H_
#define RAPPORT_TESTS_SUPPORT_CERTIFICATES_AUTHORITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

typedef struct evp_pkey_st EVP_PKEY;
typedef struct x509_st X509;

namespace rapport::testing {

// What a certificate says. Names as OpenSSL has them: "DNS:localhost", "IP:127.0.0.1",
// "URI:spiffe://test/notes".
struct CertificateWish {
  std::string names;
  absl::Duration from = -absl::Hours(1);
  absl::Duration until = absl::Hours(1);
};

struct IssuedCertificate {
  std::string cert;  // PEM
  std::string key;   // PEM
};

// A certificate authority that lives as long as the test.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  const std::string& cert() const { return cert_; }
  IssuedCertificate Issue(const CertificateWish& wish) const;

 private:
  EVP_PKEY* const key_;
  X509* certificate_ = nullptr;
  std::string cert_;
};

// Puts `text` in place of the file at `path` in one step, as who rotates certificates does.
void Replace(const std::string& path, const std::string& text);

}  // namespace rapport::testing

#endif  // RAPPORT_TESTS_SUPPORT_CERTIFICATES_AUTHORITY_H_
