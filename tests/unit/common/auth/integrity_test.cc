#include "common/auth/integrity.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rapport::auth {
namespace {

const std::string kOld(64, 'a');
const std::string kNew(64, 'B');

std::unique_ptr<IntegrityKey> Key(absl::string_view text) {
  auto key = IntegrityKey::Parse(text);
  EXPECT_TRUE(key.ok()) << key.status();
  return *std::move(key);
}

TEST(Sha256Test, IsThatOfFips180) {
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(absl::BytesToHexString(Sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Base64UrlTest, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const std::string text = Base64UrlEncode(bytes);
    EXPECT_EQ(Base64UrlDecode(text), bytes);
    EXPECT_EQ(text.find_first_of("=+/"), std::string::npos);
    bytes.push_back(static_cast<char>(i * 37));
  }
  EXPECT_EQ(Base64UrlEncode("\x03\xec\xff\xe0\xc1"), "A-z_4ME") << "RFC 7515, appendix C";
}

TEST(Base64UrlTest, AcceptsOneSpellingOnly) {
  for (const char* bad : {"A", "AAAAA", "AA==", "AAA=", "A+==", "A/AA", "AA AA", "AA\n", "AAA.",
                          "AB", "AAB", "_x", "\xc3\xa9"}) {
    EXPECT_FALSE(Base64UrlDecode(bad)) << bad;
  }
}

TEST(IntegrityKeyTest, OpensWhatItSealed) {
  const auto key = Key(kOld);
  for (const std::string& payload :
       {std::string(), std::string("position 7"), std::string(1000, '\0')}) {
    EXPECT_EQ(key->Open("cursor", "feed", key->Seal("cursor", "feed", payload)), payload);
  }
}

TEST(IntegrityKeyTest, ATokenIsBoundToPurposeAndAdditionalData) {
  const auto key = Key(kOld);
  const std::string token = key->Seal("page_token", "parent=a", "next");
  EXPECT_FALSE(key->Open("cursor", "parent=a", token));
  EXPECT_FALSE(key->Open("page_token", "parent=b", token));
  EXPECT_FALSE(key->Open("page_token", "", token));
  // Moving bytes between the parts gives another token.
  EXPECT_NE(key->Mac("ab", "c"), key->Mac("a", "bc"));
  EXPECT_FALSE(key->Open("page_toke", "nparent=a", token));
}

TEST(IntegrityKeyTest, NoAlteredTokenOpens) {
  const auto key = Key(kOld);
  const std::string token = key->Seal("cursor", "feed", "position 7");
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (size_t i = 0; i < token.size(); ++i) {
    for (char c : alphabet) {
      if (c == token[i]) continue;
      std::string altered = token;
      altered[i] = c;
      EXPECT_FALSE(key->Open("cursor", "feed", altered)) << altered;
    }
  }
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(key->Open("cursor", "feed", absl::string_view(token).substr(0, size)));
  }
  EXPECT_FALSE(key->Open("cursor", "feed", token + "A"));
  EXPECT_FALSE(key->Open("cursor", "feed", token + "="));
}

TEST(IntegrityKeyTest, KeysAreChangedWithoutBreakingWhatIsOut) {
  const auto before = Key(kOld);
  const auto prepared = Key(absl::StrCat(kOld, "\n", kNew, "\n"));
  const auto switched = Key(absl::StrCat(kNew, "\r\n", kOld));
  const auto after = Key(kNew);
  const std::string from_old = before->Seal("cursor", "", "x");
  const std::string from_new = switched->Seal("cursor", "", "x");
  EXPECT_EQ(prepared->Seal("cursor", "", "x"), from_old) << "the first key signs";
  EXPECT_TRUE(prepared->Open("cursor", "", from_new));
  EXPECT_TRUE(switched->Open("cursor", "", from_old));
  EXPECT_FALSE(after->Open("cursor", "", from_old));
  EXPECT_TRUE(after->Open("cursor", "", from_new));
  EXPECT_FALSE(before->Open("cursor", "", from_new));
}

TEST(IntegrityKeyTest, VerifiesItsMacs) {
  const auto key = Key(kOld);
  const std::string mac = key->Mac("cache", "value");
  EXPECT_EQ(mac.size(), 32u);
  EXPECT_TRUE(key->Verify("cache", "value", mac));
  EXPECT_FALSE(key->Verify("cache", "valuf", mac));
  EXPECT_FALSE(key->Verify("cache", "value", mac.substr(1)));
  EXPECT_FALSE(key->Verify("cache", "value", ""));
}

TEST(IntegrityKeyTest, AFileOfAnythingElseIsRefused) {
  for (const std::string& bad :
       {std::string(), std::string("\n\n"), kOld.substr(1), kOld + "a", std::string(64, 'g'),
        kOld + "\n" + kOld + "\n" + kNew, kOld + " " + kNew}) {
    EXPECT_EQ(IntegrityKey::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  const std::string path = absl::StrCat(testing::TempDir(), "integrity-", getpid());
  EXPECT_FALSE(IntegrityKey::FromFile(path).ok());
  std::ofstream(path) << kOld << "\n";
  EXPECT_TRUE(IntegrityKey::FromFile(path).ok());
  std::ofstream(path) << "secret stuff\n";
  const absl::Status status = IntegrityKey::FromFile(path).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()).find("secret stuff"), std::string::npos)
      << "content of a secret file never shows";
  unlink(path.c_str());
}

}  // namespace
}  // namespace rapport::auth
