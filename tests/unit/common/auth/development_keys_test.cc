#include "common/auth/development_keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/auth/integrity.h"
#include "common/auth/jwt.h"
#include "common/auth/keys.h"
#include "common/auth/signer.h"
#include "common/crypto/vault.h"
#include "gtest/gtest.h"

namespace rapport::auth {
namespace {

constexpr const char* kSecrets[] = {"user.pem",
                                    "service-scheduling.pem",
                                    "service-assessment.pem",
                                    "service-notes.pem",
                                    "integrity.key",
                                    "encryption-assessment/1.key",
                                    "encryption-notes/1.key",
                                    "audit-scheduling.pem",
                                    "audit-assessment.pem",
                                    "audit-notes.pem"};

class DevelopmentKeysTest : public testing::Test {
 protected:
  DevelopmentKeysTest() : directory_(absl::StrCat(testing::TempDir(), "keys-", getpid(), "/new")) {}
  ~DevelopmentKeysTest() override {
    std::filesystem::remove_all(std::filesystem::path(directory_).parent_path());
  }

  std::string Path(absl::string_view name) { return absl::StrCat(directory_, "/", name); }

  const std::string directory_;
};

TEST_F(DevelopmentKeysTest, WritesAWholeSetThatWorksTogether) {
  ASSERT_TRUE(WriteDevelopmentKeys(directory_).ok());
  auto keys = KeySet::FromFile(Path("jwks.json"));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ((*keys)->size(), 4u);
  EXPECT_TRUE((*keys)->all_development());
  EXPECT_TRUE(IntegrityKey::FromFile(Path("integrity.key")).ok());

  TokenVerifierOptions options;
  options.jwks_file = Path("jwks.json");
  options.issuers = {"development"};
  options.audiences = {"rapport"};
  auto verifier = TokenVerifier::Make(options);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  const absl::Time now = absl::Now();
  auto user = TokenSigner::FromPemFile(Path("user.pem"));
  ASSERT_TRUE(user.ok());
  TokenClaims claims;
  claims.issuer = "development";
  claims.subject = "dev";
  claims.audience = "rapport";
  claims.issue_time = now;
  claims.expire_time = now + kMaxTokenLife;
  claims.organization_id = "org";
  claims.roles = {"therapist"};
  EXPECT_TRUE((*verifier)->Verify((*user)->Sign(claims), now).ok());
  for (const char* service : {"scheduling", "assessment", "notes"}) {
    auto signer = TokenSigner::FromPemFile(Path(absl::StrCat("service-", service, ".pem")));
    ASSERT_TRUE(signer.ok());
    ServiceTokenSource source(*std::move(signer), service, "rapport");
    auto principal = (*verifier)->Verify(source.Token(now), now);
    ASSERT_TRUE(principal.ok()) << service;
    EXPECT_EQ((*principal)->service(), service);
  }
}

TEST_F(DevelopmentKeysTest, EachServiceSignsItsAuditHeadsWithAKeyOfItsOwn) {
  ASSERT_TRUE(WriteDevelopmentKeys(directory_).ok());
  const auto trusted = KeySet::FromFile(Path("audit-jwks.json"));
  ASSERT_TRUE(trusted.ok()) << trusted.status();
  EXPECT_EQ((*trusted)->size(), 3u);
  for (const char* service : {"scheduling", "assessment", "notes"}) {
    const auto signer = TokenSigner::FromPemFile(Path(absl::StrCat("audit-", service, ".pem")));
    ASSERT_TRUE(signer.ok()) << signer.status();
    const VerificationKey* key = (*trusted)->Find((*signer)->key_id());
    ASSERT_NE(key, nullptr);
    EXPECT_EQ(key->service, service);
    EXPECT_TRUE(key->Verify("head", (*signer)->SignRaw("head")));
    EXPECT_FALSE(key->Verify("other", (*signer)->SignRaw("head")));
  }
}

TEST_F(DevelopmentKeysTest, SecretsAreTheOwnersAlone) {
  ASSERT_TRUE(WriteDevelopmentKeys(directory_).ok());
  for (const char* name : kSecrets) {
    struct stat file;
    ASSERT_EQ(stat(Path(name).c_str(), &file), 0) << name;
    EXPECT_EQ(file.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(DevelopmentKeysTest, NeverOverwrites) {
  for (const char* name : kSecrets) {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name)) << "mine";
    EXPECT_EQ(WriteDevelopmentKeys(directory_).code(), absl::StatusCode::kAlreadyExists) << name;
    std::stringstream content;
    content << std::ifstream(Path(name)).rdbuf();
    EXPECT_EQ(content.str(), "mine");
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
      files += entry.is_regular_file();
    }
    EXPECT_EQ(files, 1) << "nothing else was written";
    std::filesystem::remove_all(directory_);
  }
}

TEST_F(DevelopmentKeysTest, EachRunMakesOtherKeys) {
  ASSERT_TRUE(WriteDevelopmentKeys(Path("a")).ok());
  ASSERT_TRUE(WriteDevelopmentKeys(Path("b")).ok());
  EXPECT_NE((*TokenSigner::FromPemFile(Path("a/user.pem")))->key_id(),
            (*TokenSigner::FromPemFile(Path("b/user.pem")))->key_id());
}

TEST_F(DevelopmentKeysTest, EachServiceThatEncryptsHasItsOwnKey) {
  ASSERT_TRUE(WriteDevelopmentKeys(directory_).ok());
  std::set<std::string> keys;
  for (const char* service : {"assessment", "notes"}) {
    const auto ring = crypto::KeyRing::FromDirectory(Path(absl::StrCat("encryption-", service)));
    ASSERT_TRUE(ring.ok()) << ring.status();
    EXPECT_EQ(ring->active_id(), "1");
    keys.insert(*ring->Find("1"));
  }
  EXPECT_EQ(keys.size(), 2u);
}

TEST_F(DevelopmentKeysTest, ADirectoryThatCannotBeMadeIsAnError) {
  EXPECT_EQ(WriteDevelopmentKeys("/proc/nowhere").code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rapport::auth
