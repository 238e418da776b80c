#include "services/notes/domain/signatures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/notes/domain/canonical.h"

namespace rapport::notes {
namespace {

const std::string& PrivateKey() {
  static const auto& key = *new std::string(
      absl::HexStringToBytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  return key;
}

v1::SignatureStatement Statement() {
  v1::SignatureStatement statement;
  statement.set_note("organizations/acme/cases/c/notes/n");
  statement.set_version(2);
  statement.set_content_sha256(Sha256("text"));
  statement.set_meaning(v1::SIGNATURE_MEANING_AUTHOR);
  statement.set_clinician("organizations/acme/clinicians/ada");
  statement.set_on_behalf_of("organizations/acme/clinicians/bob");
  statement.mutable_sign_time()->set_seconds(10);
  statement.mutable_machine_time()->set_seconds(20);
  statement.set_key("organizations/acme/clinicians/ada/signingKeys/k");
  return statement;
}

SignedThing Thing() { return {"organizations/acme/cases/c/notes/n", 2, 0, Sha256("text")}; }

// RFC 8032, 7.1, test 1.
TEST(SignaturesTest, KeysAreEd25519) {
  EXPECT_EQ(absl::BytesToHexString(PublicKeyOf(PrivateKey())),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST(SignaturesTest, ASignatureHoldsForWhatItSays) {
  const v1::Signature signature = SignStatement(Statement(), PrivateKey());
  EXPECT_EQ(signature.ed25519().size(), 64u);
  EXPECT_EQ(signature.sign_time().seconds(), 10);
  EXPECT_EQ(signature.machine_time().seconds(), 20);
  EXPECT_TRUE(IsValid(signature, PublicKeyOf(PrivateKey()), Thing()));
  SignedThing erased = Thing();
  erased.content_sha256.reset();
  EXPECT_TRUE(IsValid(signature, PublicKeyOf(PrivateKey()), erased));
}

TEST(SignaturesTest, ASignatureHoldsForNothingElse) {
  const v1::Signature signature = SignStatement(Statement(), PrivateKey());
  const std::string key = PublicKeyOf(PrivateKey());
  const auto of = [](auto change) {
    SignedThing thing = Thing();
    change(thing);
    return thing;
  };
  EXPECT_FALSE(IsValid(signature, key, of([](SignedThing& t) { t.note += "x"; })));
  EXPECT_FALSE(IsValid(signature, key, of([](SignedThing& t) { t.version = 1; })));
  EXPECT_FALSE(IsValid(signature, key, of([](SignedThing& t) { t.addendum = 1; })));
  EXPECT_FALSE(IsValid(signature, key, of([](SignedThing& t) { t.content_sha256 = Sha256("y"); })));
  EXPECT_FALSE(IsValid(signature, PublicKeyOf(std::string(32, 'k')), Thing()));
  EXPECT_FALSE(IsValid(signature, "", Thing()));
  const auto shows = [&](auto change) {
    v1::Signature other = signature;
    change(other);
    return IsValid(other, key, Thing());
  };
  EXPECT_FALSE(shows([](v1::Signature& s) { s.set_clinician("eve"); }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.set_meaning(v1::SIGNATURE_MEANING_COSIGNER); }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.clear_on_behalf_of(); }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.mutable_sign_time()->set_seconds(11); }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.mutable_machine_time()->set_seconds(21); }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.set_key("other"); }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.mutable_statement()->back() ^= 1; }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.mutable_ed25519()->front() ^= 1; }));
  EXPECT_FALSE(shows([](v1::Signature& s) { s.clear_ed25519(); }));
}

TEST(SignaturesTest, TheDrawIsByHashAndEvenlySpread) {
  EXPECT_EQ(DrawOf("seed", "note", 1), DrawOf("seed", "note", 1));
  EXPECT_NE(DrawOf("seed", "note", 1), DrawOf("seed", "note", 2));
  EXPECT_NE(DrawOf("seed", "note", 1), DrawOf("other", "note", 1));
  int below = 0;
  for (int i = 0; i < 10'000; ++i) below += DrawOf("seed", absl::StrCat("note", i), 1) < 2'500;
  EXPECT_NEAR(below, 2'500, 200);
}

CosignFacts Facts(bool trainee, std::vector<std::optional<int>> percents) {
  CosignFacts facts;
  facts.note = "organizations/acme/cases/c/notes/n";
  facts.version = 1;
  facts.trainee = trainee;
  for (const std::optional<int>& percent : percents) {
    CosignFacts::Supervisor& each = facts.supervisors.emplace_back();
    each.clinician = absl::StrCat("s", facts.supervisors.size());
    if (percent) {
      each.policy.emplace();
      each.policy->set_sample_percent(*percent);
      each.policy->set_seed("seed");
    }
  }
  return facts;
}

TEST(SignaturesTest, WhoIsCosigned) {
  struct Row {
    CosignFacts facts;
    bool required;
    v1::CosignReason reason;
  };
  CosignFacts revised = Facts(false, {0});
  revised.needed_before = true;
  const Row rows[] = {
      {Facts(false, {}), false, v1::COSIGN_REASON_UNSPECIFIED},
      {Facts(false, {std::nullopt}), false, v1::COSIGN_REASON_UNSPECIFIED},
      {Facts(false, {100}), true, v1::COSIGN_REASON_SAMPLED},
      {Facts(true, {}), true, v1::COSIGN_REASON_TRAINEE},
      {Facts(true, {std::nullopt}), true, v1::COSIGN_REASON_TRAINEE},
      {Facts(true, {0}), false, v1::COSIGN_REASON_UNSPECIFIED},
      {Facts(true, {0, std::nullopt}), true, v1::COSIGN_REASON_TRAINEE},
      {Facts(false, {0, 100}), true, v1::COSIGN_REASON_SAMPLED},
      {revised, true, v1::COSIGN_REASON_REVISION},
  };
  for (const Row& row : rows) {
    const v1::CosignRequirement requirement = RequirementOf(row.facts);
    EXPECT_EQ(requirement.required(), row.required) << &row - rows;
    EXPECT_EQ(requirement.reason(), row.reason) << &row - rows;
  }
}

TEST(SignaturesTest, ASampleIsTheShareThatWasAskedFor) {
  int required = 0;
  for (int i = 0; i < 2'000; ++i) {
    CosignFacts facts = Facts(true, {25});
    facts.note = absl::StrCat("note", i);
    const v1::CosignRequirement requirement = RequirementOf(facts);
    EXPECT_EQ(requirement.required(), requirement.draw() < 2'500);
    EXPECT_EQ(requirement.reason(),
              requirement.required() ? v1::COSIGN_REASON_SAMPLED : v1::COSIGN_REASON_NOT_SAMPLED);
    required += requirement.required();
  }
  EXPECT_NEAR(required, 500, 90);
}

}  // namespace
}  // namespace rapport::notes
